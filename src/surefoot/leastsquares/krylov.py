"""Least squares by products with A and A' only: sparse matrices and operators.

    "cg"      conjugate gradients on A'A, in single precision first where that suffices
    "lsmr"    LSMR with columns of length one
    "gram"    LSMR preconditioned by a factor of A'A
    "sketch"  LSMR preconditioned by the QR of a sketch
    "auto"    some steps of "cg", which measure the condition, and then what is cheapest for it

Reference: Bjorck (1996), "Numerical Methods for Least Squares Problems", SIAM, chapter 7, pp. 269-318.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.errors import DataError
from surefoot.leastsquares.budget import Budget, Report
from surefoot.leastsquares.preconditioning import Toolbox, inverse_lengths
from surefoot.leastsquares.rank import ROUNDOFF
from surefoot.leastsquares.system import prepare
from surefoot.leastsquares.vectors import norm
from surefoot.leastsquares.walk import Walk, share_trials

METHODS = ("auto", "lsmr", "cg", "gram", "sketch")

FEW = 6
"""Right-hand sides from which on it pays to share passes: measured, a product with eight costs as much as three."""

SHARED = 16
"""Right-hand sides that share a pass; more fall out of the cache."""

TARGET = 4 * ROUNDOFF
"""Backward error at which the answer is as good as its data in double precision."""


@dataclass(frozen=True)
class KrylovSolution:
    """A minimiser of ``|W^(1/2)(b - A x)|^2 + ridge |x|^2`` and how it was found.

    Attributes
    ----------
    coef : ndarray, shape (n,)
        In the units of the caller.
    slope : ndarray, shape (n,)
        The residual along each column of length one, the rows of weight and penalty included.
    residual_length : float
        ``|W^(1/2)(b - A x)|``, without the penalty.
    response_length : float
        ``|W^(1/2) b|``.
    backward_error : float
        Computed at ``coef``, relative to ``|A|_F``, the rows of the penalty included.
    backward_error_kind : str
        Which estimate that is.
    target : float
        What was asked for.
    reached : bool
        Whether the backward error is at most the target.
    steps, rounds, products : int
        Steps of the iteration, residuals computed anew, products with ``A`` or ``A'`` in all.
    condition_estimate : float
        Of the columns at length one as the walk saw it: at least this, up to rounding. NaN where nothing was walked.
    stop : str
        Why the walk ended, one sentence with its numbers.
    method : str
        What ran, in order.
    preconditioner : str
        In words.
    undetermined : tuple of int
        Columns of zeros, whose coefficient is 0 because nothing determines it.
    norm : str
        Which of several minimisers this is, where columns depend on each other.
    seconds : float
        Spent here, the preparation of the matrix not included.
    """

    coef: np.ndarray
    slope: np.ndarray
    residual_length: float
    response_length: float
    backward_error: float
    backward_error_kind: str
    target: float
    reached: bool
    steps: int
    rounds: int
    products: int
    condition_estimate: float
    stop: str
    method: str
    preconditioner: str
    undetermined: tuple[int, ...]
    norm: str
    seconds: float


def solve_operator(
    A: Any,
    b: Any,
    *,
    weights: Any = None,
    ridge: Any = 0.0,
    minimum_norm: bool = False,
    method: str = "auto",
    target: float = TARGET,
    max_steps: int | None = None,
    seconds: float | None = None,
    report: Report | None = None,
) -> KrylovSolution:
    """Least squares with a sparse matrix or an operator.

    Parameters
    ----------
    A : sparse matrix, ndarray or operator, shape (m, n)
        See ``operators.as_rows``.
    b : array, shape (m,)
        Finite.
    weights : array, shape (m,), optional
        Not negative; a row of weight 0 is no row.
    ridge : float or array of shape (n,)
        Penalty on the square of each coefficient, in the caller's units.
    minimum_norm : bool
        Where columns depend on each other: the shortest of all minimisers. Of a matrix with fewer rows than columns
        that is the answer in any case. The columns are then walked in the caller's units, which takes more steps where
        those differ, unless a sketch shows the valley.
    method : {"auto", "lsmr", "cg", "gram", "sketch"}
        See the head of this file.
    target : float
        Backward error at which the walk stops.
    max_steps : int, optional
        By default four times the smaller of m and n, and 2,000 at least.
    seconds : float, optional
        Time after which no further step is taken.
    report : callable, optional
        Given a ``KrylovProgress`` after each step; an exception from it ends the walk and is passed on.

    Raises
    ------
    DataError
        If the arguments cannot be used; the message says where and why.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> A = csr_array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    >>> solve_operator(A, [1.0, 3.0, 5.0]).coef.round(12)
    array([1., 2.])
    """
    system = prepare(A, weights, ridge)
    return solve_system(
        Toolbox(system),
        b,
        minimum_norm=minimum_norm,
        method=method,
        target=target,
        max_steps=max_steps,
        seconds=seconds,
        report=report,
    )


def solve_system(
    tools: Toolbox,
    b: Any,
    *,
    minimum_norm: bool = False,
    method: str = "auto",
    target: float = TARGET,
    max_steps: int | None = None,
    seconds: float | None = None,
    report: Report | None = None,
) -> KrylovSolution:
    """The same for a problem that is ready (``system.prepare``), so that several right-hand sides share its tools."""
    check(method, target, max_steps, seconds)
    walk, unit = _started(tools, b, minimum_norm, target, max_steps, seconds, report)
    return _ended(walk, unit, method, minimum_norm)


def _started(
    tools: Toolbox,
    b: Any,
    minimum_norm: bool,
    target: float,
    max_steps: int | None,
    seconds: float | None,
    report: Report | None,
) -> tuple[Walk, float]:
    """A walk that stands at 0, and the unit of its right-hand side."""
    right, unit = tools.system.right_side(b)
    most = max(2000, 4 * min(tools.system.rows.shape)) if max_steps is None else max_steps
    return Walk(tools, right, Budget(most, seconds, report, target), target, minimum_norm), unit


def _ended(walk: Walk, unit: float, method: str, minimum_norm: bool) -> KrylovSolution:
    walk.run(method)
    if minimum_norm:
        walk.leave_valley()
    return _solution(walk, unit)


def solve_each(
    tools: Toolbox,
    B: Any,
    *,
    minimum_norm: bool = False,
    method: str = "auto",
    target: float = TARGET,
    max_steps: int | None = None,
    seconds: float | None = None,
    report: Report | None = None,
) -> tuple[KrylovSolution, ...]:
    """One solution for each column of ``B``, shape (m, k); the choices are those of ``solve_system``.

    With "auto", conjugate gradients in single precision share their passes over a sparse matrix.
    """
    columns = np.asarray(B)
    if columns.ndim != 2:
        raise DataError(f"Several right-hand sides are the columns of a matrix; B has shape {columns.shape}.")
    check(method, target, max_steps, seconds)
    count = columns.shape[1]
    # A time limit is for each side by itself.
    pays = method == "auto" and seconds is None and tools.entries is not None and tools.entries.sparse
    width = SHARED if pays and count >= FEW else 1
    found: list[KrylovSolution] = []
    for start in range(0, count, width):
        group = range(start, min(count, start + width))
        started = [_started(tools, columns[:, k], minimum_norm, target, max_steps, seconds, report) for k in group]
        if len(started) > 1:
            share_trials([walk for walk, _ in started])
        found += [_ended(walk, unit, method, minimum_norm) for walk, unit in started]
    return tuple(found)


def check(method: str, target: float, max_steps: int | None, seconds: float | None) -> None:
    """Refuse what no walk can be asked for."""
    if method not in METHODS:
        raise DataError(f"There is no method {method!r} for sparse matrices and operators; choose among {METHODS}.")
    if not 0 < target < 1:
        raise DataError(f"target is a backward error between 0 and 1, not {target!r}; 1e-12 asks for twelve digits.")
    if max_steps is not None and max_steps < 0:
        raise DataError(f"max_steps is a number of steps from 0 on, not {max_steps!r}.")
    if seconds is not None and not seconds > 0:
        raise DataError(f"seconds is a positive time, not {seconds!r}.")


def _solution(walk: Walk, unit: float) -> KrylovSolution:
    system, point = walk.system, walk.point
    power = np.round(np.log2(system.units)).astype(int) + round(math.log2(unit))
    with np.errstate(over="ignore", under="ignore"):
        coef = np.ldexp(point.x, power)
    if not np.all(np.isfinite(coef)):
        at = int(np.flatnonzero(~np.isfinite(coef))[0])
        raise DataError(f"The coefficient of column {at} is beyond 1e308. Choose larger units for that column.")
    penalised = system.rows is not system.data
    residual_length = norm(point.residual[: system.data.shape[0]]) if penalised else point.length
    return KrylovSolution(
        coef=coef,
        slope=inverse_lengths(system) * point.slope * unit,
        residual_length=residual_length * unit,
        response_length=walk.size * unit,
        backward_error=point.backward_error,
        backward_error_kind=point.kind,
        target=walk.target,
        reached=point.backward_error <= walk.target,
        steps=walk.budget.steps,
        rounds=walk.rounds,
        products=walk.budget.products,
        condition_estimate=walk.condition,
        stop=walk.stop,
        method=", then ".join(walk.roads) or "nothing to walk",
        preconditioner=walk.preconditioner.words,
        undetermined=tuple(int(j) for j in system.zero_columns),
        norm=_which(walk),
        seconds=time.perf_counter() - walk.budget.start,
    )


def _which(walk: Walk) -> str:
    """Which of several minimisers a walk from 0 ends at."""
    if walk.system.root_penalty is not None and np.all(walk.system.root_penalty > 0):
        return "the only one"
    if not walk.preconditioner.shortest:
        return "the only one, as far as the factor of A'A shows"
    if walk.shortest and not np.any(walk.system.units != walk.system.units[:1]):
        return "of all minimisers the one of smallest length, to the accuracy reached"
    digits = "six digits" if any("single" in road for road in walk.roads) else "the accuracy reached"
    return f"if columns depend on each other, the minimiser of smallest length with columns at length one, to {digits}"
