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

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from surefoot.data.design import Design
from surefoot.descent.loop import Budget
from surefoot.descent.rows import Block, blocks_of, sizes_of
from surefoot.errors import ModelError
from surefoot.leastsquares.backward import karlson_walden
from surefoot.leastsquares.rank import lengths
from surefoot.leastsquares.solution import Solution, solve
from surefoot.models.road import Road, Roads, agreement, common_digits
from surefoot.models.road_formulas import Blocks, Task, fold, normal_equations, orthogonal
from surefoot.models.road_walks import walks
from surefoot.models.rows import KEPT_BYTES, Reader
from surefoot.parallel import suited_to

BUDGET = Budget(steps=10_000, seconds=1.5)
"""For each walk: a few seconds for all of them, whatever the condition."""


def compare_roads(
    blocks: Blocks,
    names: tuple[str, ...],
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
    solution : Solution
        What the fit reports, with the columns that are kept; a refined one is a road of its own.
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
    task = Task(blocks, names, solution, budget)
    with suited_to(len(task.kept)):
        roads = _taken(task, solution.refined and exact is None)
    errors = _backward_errors(task, [road.coef for road in roads])
    digits = [None if exact is None or road.refused else common_digits(road.coef, exact) for road in roads]
    roads = [
        replace(road, backward_error=error, exact_digits=known)
        for road, error, known in zip(roads, errors, digits, strict=True)
    ]
    table = agreement([road.coef for road in roads])
    return Roads(tuple(roads), table, solution.rank.condition, len(task.kept))


def _taken(task: Task, is_refined: bool) -> list[Road]:
    """Every road but for its errors, which are measured on all of them at once."""
    solution, formulas = task.solution, [normal_equations(task), *orthogonal(task)]
    slowest = max(road.seconds or 0.0 for road in formulas)
    roads = [*formulas, *walks(task, slowest)]
    if is_refined:
        refined = Road("QR, refined", "QR, then a pass with residuals in twice the precision",
                       task.filled(solution.coef[task.kept]), "closed form", True, 2, None)  # fmt: skip
        roads.insert(3, refined)
    return roads


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
    names = tuple(f"x{j}" for j in range(1, columns + 1))
    return compare_roads(blocks, names, solve(fold(blocks, columns), columns), exact=exact, budget=budget)


def compare_on_source(design: Design, solution: Solution, reader: Reader, exact: np.ndarray | None = None) -> Roads:
    """Take every road for a model fitted to a source, reading its rows again for each pass."""
    return compare_roads(_Stream(design, reader), design.names, solution, exact=exact)


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


def _backward_errors(task: Task, coefs: list[np.ndarray | None]) -> list[float | None]:
    """Karlson-Walden for every road, from one pass that sees the residual of each at once."""
    taken = [k for k, coef in enumerate(coefs) if coef is not None]
    sizes, unit = lengths(task.solution.upper), task.solution.response_length() or 1.0
    # In units of the columns and the response, so that neither squares nor products leave the range of a double.
    points = np.column_stack([np.asarray(coefs[k])[task.kept] for k in taken])
    with np.errstate(over="ignore", invalid="ignore"):
        squares, gradients = np.zeros(len(taken)), np.zeros((len(task.kept), len(taken)))
        for X, y, weights in task.kept_blocks():
            residual = (y[:, None] - X @ points) / unit
            weighted = residual if weights is None else residual * weights[:, None]
            squares += np.einsum("ij,ij->j", residual, weighted)
            gradients += (X / sizes).T @ weighted
        response = np.full(len(taken), task.solution.response_length() / unit)
        errors = karlson_walden(task.solution.upper / unit, points, gradients, np.sqrt(squares), response)
        found: list[float | None] = [None] * len(coefs)
        for k, error in zip(taken, errors, strict=True):
            found[k] = float(error) if np.isfinite(error) else None
    return found


__all__ = ["BUDGET", "Road", "Roads", "compare_arrays", "compare_on_source", "compare_roads"]
