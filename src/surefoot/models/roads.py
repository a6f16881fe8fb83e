"""Every road to the bottom of one bowl, taken and compared: normal equations, QR, SVD, and three walks.

The formulas start from the cross products or from the triangle, the walks from nothing but passes over the rows. The
normal equations are the subject's own formula, as they are: Cholesky of A'A, without scaling, refinement or rescue.
The walks are on the columns scaled to length one, from the origin, each with a budget: where the condition is too
high to arrive, the record says how far they came and how many steps the theory allows.

Reference: Bjorck (1996), "Numerical Methods for Least Squares Problems", SIAM, section 2.2, pp. 42-51 (normal
equations), section 2.4, pp. 59-69 (QR), section 7.4, pp. 288-294 (conjugate gradients); Karlson, Walden (1997), BIT 37,
pp. 862-869 (backward error).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from surefoot.data.design import Design
from surefoot.data.engine import reduce_in_tree
from surefoot.descent.bowl import Bowl
from surefoot.descent.curvatures import Curvatures
from surefoot.descent.directions import ConjugateGradients, Direction, SteepestDescent
from surefoot.descent.loop import Budget, walk
from surefoot.descent.rows import Block, Sizes, blocks_of, sizes_of
from surefoot.descent.steps import ExactStep, FixedRate, Step
from surefoot.descent.stop import Reason
from surefoot.descent.theory import Method, predicted_steps
from surefoot.errors import ModelError
from surefoot.leastsquares.rank import ROUNDOFF, length, lengths
from surefoot.leastsquares.solution import Solution, solve, solve_upper
from surefoot.leastsquares.triangle import Triangle
from surefoot.models.look import karlson_walden
from surefoot.models.road import Road, Roads, agreement, common_digits
from surefoot.models.rows import KEPT_BYTES, Reader

Blocks = Callable[[], Iterable[Block]]

BUDGET = Budget(steps=10_000, seconds=1.5)
"""For each walk: a few seconds for all of them, whatever the condition."""


@dataclass(frozen=True)
class _Task:
    """The problem, with the columns that were kept."""

    blocks: Blocks
    names: tuple[str, ...]
    solution: Solution
    triangle: Triangle
    budget: Budget

    @property
    def kept(self) -> list[int]:
        return self.solution.kept

    def filled(self, kept: np.ndarray) -> np.ndarray:
        """Coefficients with NaN for the columns that were dropped."""
        coef = np.full(len(self.solution.coef), np.nan)
        coef[self.kept] = kept
        return coef


def compare_roads(
    blocks: Blocks,
    names: tuple[str, ...],
    triangle: Triangle,
    solution: Solution,
    *,
    exact: np.ndarray | None = None,
    budget: Budget = BUDGET,
) -> Roads:
    """Take every road.

    Parameters
    ----------
    blocks : callable
        Starts a pass over the rows: ``(X, y, weights)``, X with all columns of the model.
    names : tuple of str
        Of the columns.
    triangle : Triangle
        Of ``[X y]``, from an earlier pass; gives the lengths, the condition and the columns that are kept.
    solution : Solution
        What the fit reports; a refined one is a road of its own.
    exact : ndarray, shape (p,), optional
        The exact coefficients, rounded once: every road is then measured against them.
    budget : Budget
        Of each walk.

    Returns
    -------
    Roads
        One record for each road; one that could not be taken says why.
    """
    if not solution.kept:
        raise ModelError("No column of the model is kept, so there is no road to take.")
    task = _Task(blocks, names, solution, triangle, budget)
    roads = [_normal_equations(task), *_orthogonal(task), *_walks(task)]
    if solution.refined:
        refined = Road("QR, refined", "QR, then a pass with residuals in twice the precision",
                       task.filled(solution.coef[task.kept]), "closed form", True, 2, None)  # fmt: skip
        roads.insert(3, refined)
    errors = _backward_errors(task, [road.coef for road in roads])
    digits = [None if exact is None or road.refused else common_digits(road.coef, exact) for road in roads]
    roads = [
        replace(road, backward_error=error, exact_digits=known)
        for road, error, known in zip(roads, errors, digits, strict=True)
    ]
    table = agreement([road.coef for road in roads])
    return Roads(tuple(roads), table, solution.rank.condition, len(task.kept))


def compare_arrays(
    A: np.ndarray,
    b: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    exact: np.ndarray | None = None,
    budget: Budget = BUDGET,
) -> Roads:
    """Take every road for arrays in memory.

    Parameters
    ----------
    A : array, shape (m, n)
        Dense: QR and SVD need the rows themselves.
    b, weights : array, shape (m,)
        Response, and weights if there are any.
    exact, budget
        As for ``compare_roads``.

    Raises
    ------
    DataError
        Shapes that do not fit, or numbers that are not finite.
    ModelError
        A is sparse or an operator, or has no independent column.

    Examples
    --------
    >>> import numpy as np
    >>> roads = compare_arrays(np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 4.0]]), np.array([1.0, 2.0, 5.0]))
    >>> [road.coef.round(12).tolist() for road in roads.roads][0], roads["QR"].backward_error < 1e-15
    ([-0.5, 1.357142857143], True)
    """
    if not isinstance(A, np.ndarray) and any(hasattr(A, name) for name in ("tocsr", "matvec")):
        raise ModelError("Roads are compared on dense arrays: a sparse matrix or an operator has no QR here.")
    blocks, columns, _ = blocks_of(A, b, weights)
    sizes_of(blocks(), columns)  # refuses numbers that are not finite, by row and column
    triangle = _fold(blocks, columns)
    names = tuple(f"x{j}" for j in range(1, columns + 1))
    return compare_roads(blocks, names, triangle, solve(triangle, columns), exact=exact, budget=budget)


def compare_on_source(
    design: Design, triangle: Triangle, solution: Solution, reader: Reader, exact: np.ndarray | None = None
) -> Roads:
    """Take every road for a model fitted to a source, reading its rows again for each pass."""
    count = len(design.names)
    triangle = triangle.selected([*range(count), triangle.columns - 1])
    return compare_roads(_Stream(design, reader), design.names, triangle, solution, exact=exact)


class _Stream:
    """Blocks of a source, made again for each pass, or kept where they are small."""

    def __init__(self, design: Design, reader: Reader) -> None:
        self._design, self._reader = design, reader
        self._kept: list[Block] | None = None

    def __call__(self) -> Iterable[Block]:
        return self._kept if self._kept is not None else self._read()

    def _read(self) -> Iterator[Block]:
        kept, size, count = [], 0, len(self._design.names)
        for frame in self._reader.frames(self._design.variables, "comparing the roads"):
            block = self._design.block(frame, self._reader.source)
            weights = block.weights if block.frequencies is None else block.frequencies
            if block.weights is not None and block.frequencies is not None:
                weights = block.weights * block.frequencies
            made = (block.matrix[:, :count], block.matrix[:, -1], weights)
            size += block.matrix.nbytes
            if size <= KEPT_BYTES:
                kept.append(made)
            yield made
        if size <= KEPT_BYTES:
            self._kept = kept


def _normal_equations(task: _Task) -> Road:
    """``A'A x = A'b`` by Cholesky, as it stands in the textbook."""
    from scipy.linalg import lapack

    start, count = time.monotonic(), len(task.kept)
    gram, right = np.zeros((count, count)), np.zeros(count)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for X, y, weights in _kept_blocks(task):
            weighted = X if weights is None else X * weights[:, None]
            gram += weighted.T @ X
            right += weighted.T @ y
    condition = task.solution.rank.condition
    squared = f"the normal equations square the condition {condition:.1e} of the columns"
    coef, stop, failed = None, "closed form", 0
    if not (np.all(np.isfinite(gram)) and np.all(np.isfinite(right))):
        stop = "refused: a product in A'A overflows, for forming A'A squares the size of the columns"
    elif np.any(np.diagonal(gram) < np.finfo(float).tiny):
        stop = "refused: a product in A'A underflows, for forming A'A squares the size of the columns"
    else:
        factor, failed = lapack.dpotrf(gram, lower=0)  # pyright: ignore[reportAttributeAccessIssue]
        if failed:
            name = task.names[task.kept[failed - 1]]
            stop = f"refused: Cholesky broke down at pivot {failed} ({name}), for {squared}"
        else:
            coef = lapack.dpotrs(factor, right, lower=0)[0]  # pyright: ignore[reportAttributeAccessIssue]
            if not np.all(np.isfinite(coef)):
                coef, stop = None, f"refused: the solution is not finite, for {squared}"
    detail, seconds = "Cholesky of A'A as it is", time.monotonic() - start
    filled = None if coef is None else task.filled(coef)
    return Road("normal equations", detail, filled, stop, coef is not None, 1, seconds)


def _orthogonal(task: _Task) -> list[Road]:
    """QR of the rows, and the SVD of its triangle, from one pass between them."""
    start, columns = time.monotonic(), len(task.solution.coef)
    triangle = _fold(task.blocks, columns)
    kept = task.kept
    upper, count = triangle.selected([*kept, columns]).upper(), len(kept)
    coef = task.filled(solve_upper(upper[:count, :count], upper[:count, -1]))
    seconds = time.monotonic() - start
    roads = [Road("QR", "Householder QR of the rows, merged block by block", coef, "closed form", True, 1, seconds)]
    sizes = lengths(upper[:, :count])
    left, singular, right = np.linalg.svd(upper[:count, :count] / sizes, full_matrices=False)
    unit = length(upper[:, -1]) or 1.0
    coef = (right.T @ ((left.T @ (upper[:count, -1] / unit)) / singular)) * (unit / sizes)
    detail = "SVD of the triangle, columns of length one"
    spent = time.monotonic() - start
    return [*roads, Road("SVD", detail, task.filled(coef), "closed form", True, 1, spent)]


def _walks(task: _Task) -> list[Road]:
    """Conjugate gradients, steepest descent, and gradient descent at the best fixed rate."""
    singular = task.solution.rank.singular_values
    # The Hessian of |b - Ax|^2 is 2 A'A.
    known = Curvatures(2 * float(singular[0]) ** 2, 2 * float(singular[-1]) ** 2)
    rate = 2 / (known.largest + (known.smallest or 0.0))
    given = f"learning rate 2/(L + mu) = {rate:.4g}"
    plans: list[tuple[str, str, Direction, Step, Method]] = [
        ("conjugate gradients", "exact steps", ConjugateGradients(), ExactStep(), Method.CONJUGATE_GRADIENTS),
        ("steepest descent", "exact line search", SteepestDescent(), ExactStep(), Method.STEEPEST),
        ("gradient descent", given, SteepestDescent(), FixedRate(rate), Method.BEST_RATE),
    ]
    roads: list[Road] = []
    reason = None
    for plan in plans:
        if reason is Reason.INTERRUPTED:
            roads.append(Road(plan[0], plan[1], None, "not taken: stopped by Ctrl-C before it began", False, 0, None))
            continue
        road, reason = _walk(task, known, *plan)
        roads.append(road)
    return roads


def _walk(task: _Task, known: Curvatures, name: str, detail: str, direction: Direction, step: Step,
          method: Method) -> tuple[Road, Reason]:  # fmt: skip
    upper, count = task.solution.upper, len(task.kept)
    start = time.monotonic()
    sizes = Sizes(lengths(upper), task.solution.response_length())
    bowl = Bowl(lambda: _kept_blocks(task), sizes, scaled=True)
    walked = walk(bowl, direction, step, budget=task.budget, curvatures=known)
    seconds = time.monotonic() - start
    predicted = predicted_steps(method, max(1.0, task.solution.rank.condition) ** 2, ROUNDOFF, count)
    path = np.array([bowl.to_coefficients(x) for x in walked.trace.points()]) if count == 2 else None
    road = Road(
        name, f"{detail}, on columns of length one", task.filled(bowl.to_coefficients(walked.x)), str(walked.stop),
        walked.stop.arrived, walked.passes, seconds, steps=walked.steps, predicted=predicted, trace=walked.trace,
        path=path,
    )  # fmt: skip
    return road, walked.stop.reason


def _kept_blocks(task: _Task) -> Iterator[Block]:
    everything = len(task.kept) == len(task.solution.coef)
    for X, y, weights in task.blocks():
        yield (X if everything else X[:, task.kept]), y, weights


def _fold(blocks: Blocks, columns: int) -> Triangle:
    triangles = (Triangle.of(np.column_stack([X, y]), weights) for X, y, weights in blocks())
    return reduce_in_tree(triangles, Triangle.merge, Triangle.empty(columns + 1)).compact()


def _backward_errors(task: _Task, coefs: list[np.ndarray | None]) -> list[float | None]:
    """Karlson-Walden for every road, from one pass that sees the residual of each at once."""
    taken = [k for k, coef in enumerate(coefs) if coef is not None]
    sizes, unit = lengths(task.solution.upper), task.solution.response_length() or 1.0
    # In units of the columns and the response, so that neither squares nor products leave the range of a double.
    points = np.column_stack([np.asarray(coefs[k])[task.kept] for k in taken])
    with np.errstate(over="ignore", invalid="ignore"):
        squares, gradients = np.zeros(len(taken)), np.zeros((len(task.kept), len(taken)))
        for X, y, weights in _kept_blocks(task):
            residual = (y[:, None] - X @ points) / unit
            weighted = residual if weights is None else residual * weights[:, None]
            squares += np.einsum("ij,ij->j", residual, weighted)
            gradients += (X / sizes).T @ weighted
        found: list[float | None] = [None] * len(coefs)
        for at, k in enumerate(taken):
            residual = float(np.sqrt(squares[at])) * unit
            error = karlson_walden(task.solution, points[:, at], gradients[:, at] * unit, residual)
            found[k] = error if np.isfinite(error) else None
    return found


__all__ = ["BUDGET", "Road", "Roads", "compare_arrays", "compare_on_source", "compare_roads"]
