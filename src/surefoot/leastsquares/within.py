"""Least squares within bounds and on equalities by products with A and A' only: sparse matrices and operators.

    minimise |b - A x|^2 + penalties   subject to   l <= x <= u,   C x = d,

in variables for which columns have length one; see ``search`` for the method and its references.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.leastsquares.budget import Budget, Report
from surefoot.leastsquares.constrained import Constraints
from surefoot.leastsquares.krylov import check
from surefoot.leastsquares.polytope import Polytope
from surefoot.leastsquares.preconditioning import inverse_lengths
from surefoot.leastsquares.rank import ROUNDOFF
from surefoot.leastsquares.rowblocks import RowBlocks
from surefoot.leastsquares.search import Search
from surefoot.leastsquares.stewart import Point
from surefoot.leastsquares.system import System
from surefoot.leastsquares.vectors import norm
from surefoot.parallel import one_blas_thread


@dataclass(frozen=True)
class HeldSolution:
    """The minimiser on the constraints and how it was found.

    Attributes
    ----------
    coef : ndarray, shape (n,)
        In the units of the caller, at a bound exactly where one holds it.
    at_lower, at_upper : ndarray of bool, shape (n,)
    bounds, prices : ndarray, shapes (n,) and (p,)
        How fast the smallest sum of squares changes with each bound and each equality.
    rounding : ndarray, shape (n,)
        Of the multipliers of the bounds.
    slope : ndarray, shape (n,)
        The residual along each free column of length one, less what the equalities' multipliers explain.
    residual_length, response_length : float
        ``|r|`` and ``|b|``, weighted, the rows of the penalty included.
    wrong : float
        The largest multiplier of a wrong sign beyond rounding, in units of the length of the gradient.
    point : Point
        The backward error of the free coefficients.
    rounds, steps, products : int
    reached : bool
        Whether every condition of a minimum holds to rounding.
    stop, method, preconditioner : str
    condition_estimate : float
        Of the free columns at length one, as far as it was seen.
    """

    coef: np.ndarray
    at_lower: np.ndarray
    at_upper: np.ndarray
    bounds: np.ndarray
    prices: np.ndarray
    rounding: np.ndarray
    slope: np.ndarray
    residual_length: float
    response_length: float
    wrong: float
    point: Point
    rounds: int
    steps: int
    products: int
    reached: bool
    stop: str
    method: str
    preconditioner: str
    condition_estimate: float


def solve_within(
    system: System,
    b: Any,
    constraints: Constraints,
    *,
    method: str = "auto",
    target: float = 4 * ROUNDOFF,
    max_steps: int | None = None,
    seconds: float | None = None,
    report: Report | None = None,
) -> HeldSolution:
    """Least squares on constraints, for a problem that is ready (``system.prepare``).

    Parameters
    ----------
    system : System
    b : array, shape (m,)
    constraints : Constraints
        The equalities dense or sparse.
    method : str
        By which the problem on a face is solved; see ``krylov``.
    target : float
        Backward error of the free coefficients.
    max_steps : int, optional
        By default ten times as many as without constraints.
    seconds, report : optional
        As for ``krylov.solve_operator``.

    Raises
    ------
    ModelError
        No point satisfies the constraints.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> from surefoot.leastsquares.system import prepare
    >>> bounds = Constraints(np.array([0.0, 0.0]), np.array([1.0, 9.0]), np.zeros((0, 2)), np.zeros(0))
    >>> solve_within(prepare(csr_array(np.eye(2))), [3.0, -1.0], bounds).coef.tolist()
    [1.0, 0.0]
    """
    if max_steps is None:
        max_steps = 10 * max(2000, 4 * min(system.rows.shape))
    right, unit = system.right_side(b)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        size = inverse_lengths(system) * system.units * unit  # of a coefficient, for a variable of one
        lower, upper = constraints.lower / size, constraints.upper / size
        polytope = Polytope(lower, upper, constraints.matrix * (size / unit)[None, :], constraints.right / unit)
    check(method, target, max_steps, seconds)
    search = Search(system, right, polytope, Budget(max_steps, seconds, report, target), method)
    # BLAS's own threads would wait, spinning, beside those that share the rows.
    with one_blas_thread() if isinstance(system.data, RowBlocks) and system.data.sparse else nullcontext():
        try:
            search.run()
        except KeyboardInterrupt:
            search.budget.broken_off = True
        return _solution(search, constraints, size, unit)


def _solution(search: Search, constraints: Constraints, size: np.ndarray, unit: float) -> HeldSolution:
    look, polytope = search.look, search.polytope
    at_lower, at_upper = polytope.held(look.z)
    bounds, prices, wrong = search.multipliers()
    point = search.judged()
    coef = np.where(at_lower, constraints.lower, np.where(at_upper, constraints.upper, look.z * size))
    free = ~(at_lower | at_upper)
    slope = np.zeros(len(size))
    rest = look.gradient - polytope.matrix.T @ prices if polytope.has_equalities else look.gradient
    slope[free] = -rest[free] * unit
    gradient, noise = norm(look.gradient), search.noise(prices)
    wrong = wrong / gradient if wrong > noise else 0.0
    # In the caller's units: of the sum of squares over those of a bound; the unit's square may be no double.
    doubled, per = 2 * unit, unit / size
    # Putting the face's own unknowns and its base together rounds once more.
    arrived = search.settled and point.backward_error <= 4 * search.budget.target
    walk = search.walk
    return HeldSolution(
        coef=np.clip(coef, constraints.lower, constraints.upper),
        at_lower=at_lower,
        at_upper=at_upper,
        bounds=doubled * bounds * per,
        prices=doubled * prices * polytope.row_scale,
        rounding=doubled * noise * per,
        slope=slope,
        residual_length=norm(look.residual) * unit,
        response_length=norm(search.right) * unit,
        wrong=wrong,
        point=point,
        rounds=search.rounds,
        steps=search.budget.steps,
        products=search.budget.products,
        reached=arrived,
        stop=_stop(search, point, wrong),
        method=", then ".join(["gradient projection", *(walk.roads if walk is not None else [])]),
        preconditioner="" if walk is None else walk.preconditioner.words,
        condition_estimate=float("nan") if walk is None else walk.condition,
    )


def _stop(search: Search, point: Point, wrong: float) -> str:
    if search.settled:
        signs = "every multiplier has the sign of a minimum"
        return f"{signs}, and the free coefficients a backward error of {point.backward_error:.1e}"
    if search.budget.is_over():
        return (
            f"{search.budget.sentence()}, with a backward error of the free coefficients of {point.backward_error:.1e}"
        )
    return (
        f"the bounds that hold did not settle: a multiplier of a wrong sign is {wrong:.1e} of the gradient, the "
        f"backward error of the free coefficients {point.backward_error:.1e}"
    )
