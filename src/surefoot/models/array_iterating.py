"""Answers of arrays by iteration: products with a sparse matrix or an operator, and the walk downhill.

References: Fong, Saunders (2011), "LSMR: an iterative algorithm for sparse least-squares problems", SIAM J. Sci.
Comput. 33(5), pp. 2950-2971; Bjorck (1996), "Numerical Methods for Least Squares Problems", SIAM, section 7.4,
pp. 288-294.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from surefoot.data.engine import Progress, Report
from surefoot.errors import ModelError
from surefoot.leastsquares.constrained import Constraints
from surefoot.leastsquares.krylov import METHODS, KrylovSolution, solve_each
from surefoot.leastsquares.preconditioning import Toolbox
from surefoot.leastsquares.rank import lengths
from surefoot.leastsquares.stewart import SLOPE
from surefoot.leastsquares.system import prepare
from surefoot.leastsquares.within import solve_within
from surefoot.models.array_fit import Answer, Multipliers
from surefoot.models.arrays import Task
from surefoot.parallel import suited_to
from surefoot.wording import counted

ITERATED = tuple(name for name in METHODS if name != "auto")
"""Methods by products with A and A' alone."""

WALKED = ("gradient", "steepest")
"""Methods on foot: a fixed learning rate, and exact line search."""


def iterated(
    task: Task, method: str, rank_deficient: str, report: Report | None, seconds: float | None = None
) -> Answer:
    """By LSMR, conjugate gradients or a preconditioner for them, for so many seconds at most.

    Raises
    ------
    DataError
        A cannot be used; the message says where and why.
    """
    if rank_deficient == "drop":
        raise ModelError("rank_deficient='drop' needs a dense matrix: an iteration cannot tell which columns to leave.")
    found = solve_each(
        Toolbox(prepare(task.matrix, task.weights, task.ridge)),
        task.right,
        method=method,
        minimum_norm=rank_deficient == "minimum-norm" and task.is_wide,
        seconds=seconds,
        report=None if report is None else lambda seen: report(_progress(seen)),
    )
    coef = np.column_stack([one.coef for one in found])
    worst = max(found, key=lambda one: one.backward_error)
    return Answer(
        coef=coef,
        slope=np.column_stack([one.slope for one in found]),
        residual=np.array([np.hypot(one.residual_length, _penalty(task, one)) for one in found]),
        response=np.array([one.response_length for one in found]),
        backward_error=np.array([one.backward_error for one in found]),
        backward_error_kind=worst.backward_error_kind,
        upper=None,
        spectrum=None,
        kept=tuple(range(coef.shape[0])),
        method=worst.method,
        detail=_detail(worst),
        stop=worst.stop,
        tried=(),
        steps=max(one.steps for one in found),
        passes=max(-(-one.products // 2) for one in found),
        condition=worst.condition_estimate,
        arrived=all(one.reached for one in found),
    )


def iterated_within(
    task: Task, method: str, rank_deficient: str, constraints: Constraints, report: Report | None
) -> tuple[Answer, Multipliers]:
    """The minimiser on bounds and equalities, by products with A and A' alone.

    Raises
    ------
    ModelError
        No coefficients satisfy the constraints, or there are several right-hand sides.
    """
    if not task.is_vector and task.right.shape[1] != 1:
        raise ModelError("Bounds and equalities take one right-hand side: fit the columns of b one by one.")
    if rank_deficient == "drop":
        raise ModelError("Bounds and equalities take every column: say rank_deficient='minimum-norm'.")
    found = solve_within(
        prepare(task.matrix, task.weights, task.ridge),
        task.right[:, 0],
        constraints,
        method=method,
        report=None if report is None else lambda seen: report(_progress(seen)),
    )
    answer = Answer(
        coef=found.coef[:, None],
        slope=found.slope[:, None],
        residual=np.array([found.residual_length]),
        response=np.array([found.response_length]),
        backward_error=np.array([found.point.backward_error]),
        backward_error_kind=found.point.kind,
        upper=None,
        spectrum=None,
        kept=tuple(range(len(found.coef))),
        method=found.method,
        detail=f"{counted(found.rounds, 'round')} of bounds and equalities, {counted(found.steps, 'step')}",
        stop=found.stop,
        tried=(),
        steps=found.steps,
        passes=-(-found.products // 2),
        condition=found.condition_estimate,
        arrived=found.reached,
    )
    return answer, Multipliers(found.bounds, found.prices, found.at_lower, found.at_upper, found.rounding)


def walked(task: Task, method: str, rate: float | None, report: Report | None) -> Answer:
    """By steepest descent, at a fixed learning rate or with exact line search, from zero, on the columns as given."""
    from surefoot.descent.bowl import Bowl
    from surefoot.descent.directions import SteepestDescent
    from surefoot.descent.exact_step import ExactStep
    from surefoot.descent.loop import Budget, walk
    from surefoot.descent.steps import FixedRate
    from surefoot.descent.stop import ENDS
    from surefoot.descent.trace import Row

    if not task.is_vector:
        raise ModelError("A walk takes one right-hand side: fit the columns of b one by one.")
    if rate is not None and method != "gradient":
        raise ModelError("A rate belongs to method='gradient'; exact line search finds its own step.")
    matrix, right = _rows(task)
    bowl = Bowl.of_arrays(matrix, right)
    start = bowl.see(np.zeros(bowl.size))
    if method == "steepest":
        step = ExactStep()
    else:
        step = FixedRate.measured(bowl, start) if rate is None else FixedRate(rate)

    def watch(row: Row) -> None:
        if report is not None:
            report(Progress(f"walking, |gradient| {row.steepness:.1e}", row.step, None, row.seconds))

    budget = Budget(seconds=WALK_SECONDS)
    with suited_to(bowl.size):
        ended = walk(bowl, SteepestDescent(), step, budget=budget, watch=watch)
    coef = bowl.to_coefficients(ended.x)[:, None]
    residual = (right - matrix @ coef[:, 0])[:, None]
    sizes = _sizes(matrix)
    slope = (matrix.T @ residual) / np.where(sizes > 0, sizes, 1.0)[:, None]
    length = lengths(residual)
    known = ended.curvatures
    ends = (known.largest, known.smallest or 0.0)
    return Answer(
        coef=coef,
        slope=slope,
        residual=length,
        response=lengths(right[:, None]),
        backward_error=_stewart(matrix, residual, length),
        backward_error_kind=SLOPE,
        upper=None,
        spectrum=None,
        kept=tuple(range(len(coef))),
        method=f"{'gradient descent' if method == 'gradient' else 'steepest descent'}, {step.name}",
        detail=f"{counted(ended.steps, 'step')} downhill from zero",
        stop=str(ended.stop),
        tried=(),
        steps=ended.steps,
        passes=ended.passes,
        condition=float(np.sqrt(ends[0] / ends[1])) if ends[1] > 0 else float("nan"),
        arrived=ended.stop.reason in ENDS,
        trace=ended.trace,
    )


WALK_SECONDS = 60.0
"""A walk on a bowl that is too long for it ends with the best point and says how far it came."""


def _rows(task: Task) -> tuple[Any, np.ndarray]:
    """Rows of weight and penalty, dense or sparse."""
    if task.is_dense:
        matrix, right = task.weighted()
        return np.asarray(matrix, dtype=np.float64), right[:, 0]
    if task.ridge or task.weights is not None:
        raise ModelError("A walk on a sparse matrix or an operator takes no weights and no ridge: use method='lsmr'.")
    return task.matrix, task.right[:, 0]


def _sizes(matrix: Any) -> np.ndarray:
    from surefoot.leastsquares.operators import as_rows

    return lengths(matrix) if isinstance(matrix, np.ndarray) else np.sqrt(as_rows(matrix).column_squares())


def _stewart(matrix: Any, residual: np.ndarray, length: np.ndarray) -> np.ndarray:
    from surefoot.leastsquares.backward import stewart

    return stewart(matrix.T @ residual, float(np.linalg.norm(_sizes(matrix))), length)


def _penalty(task: Task, one: KrylovSolution) -> float:
    return float(np.sqrt(task.ridge) * lengths(one.coef[:, None])[0])


def _detail(one: KrylovSolution) -> str:
    alone = f", columns without entries: {', '.join(map(str, one.undetermined[:5]))}" if one.undetermined else ""
    how = "" if one.preconditioner in one.method else f"{one.preconditioner}, "
    return f"{how}{counted(one.steps, 'step')}, {one.norm}{alone}"


def _progress(seen: Any) -> Progress:
    return Progress(f"{seen.method}, backward error {seen.backward_error:.0e}", seen.step, None, seen.seconds)
