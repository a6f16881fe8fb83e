"""Roads with a formula: the normal equations as they stand in the textbook, QR, and the SVD of the triangle.

    normal equations    A'A x = A'b     by Cholesky of A'A
    QR                  R x = Q'b       with A = Q R
    SVD                 x = V S^-1 U'b  with A = U S V'

Reference: Bjorck (1996), "Numerical Methods for Least Squares Problems", SIAM, section 2.2, pp. 42-51 (normal
equations), section 2.4, pp. 59-69 (QR).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from surefoot.data.engine import reduce_in_tree
from surefoot.descent.loop import Budget
from surefoot.descent.rows import Block
from surefoot.leastsquares.rank import length, lengths
from surefoot.leastsquares.solution import Solution, solve_upper
from surefoot.leastsquares.triangle import Triangle
from surefoot.models.road import Road

Blocks = Callable[[], Iterable[Block]]


@dataclass(frozen=True)
class Task:
    """The problem that every road solves.

    Attributes
    ----------
    blocks : callable
        Starts a pass over the rows.
    names : tuple of str
        Of the columns.
    solution : Solution
        What the fit reports: which columns are kept, their lengths and their condition.
    budget : Budget
        Of each walk.
    """

    blocks: Blocks
    names: tuple[str, ...]
    solution: Solution
    budget: Budget

    @property
    def kept(self) -> list[int]:
        """Positions of the kept columns."""
        return self.solution.kept

    def kept_blocks(self) -> Iterator[Block]:
        """A pass over the rows, with the kept columns alone."""
        everything = len(self.kept) == len(self.solution.coef)
        for X, y, weights in self.blocks():
            yield (X if everything else X[:, self.kept]), y, weights

    def filled(self, kept: np.ndarray) -> np.ndarray:
        """Coefficients with NaN for the columns that were dropped."""
        coef = np.full(len(self.solution.coef), np.nan)
        coef[self.kept] = kept
        return coef


def normal_equations(task: Task) -> Road:
    """``A'A x = A'b`` by Cholesky, as it stands in the textbook."""
    from scipy.linalg import lapack

    start, count = time.monotonic(), len(task.kept)
    gram, right = np.zeros((count, count)), np.zeros(count)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for X, y, weights in task.kept_blocks():
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


def orthogonal(task: Task) -> list[Road]:
    """QR of the rows, and the SVD of its triangle, from one pass between them."""
    start, columns = time.monotonic(), len(task.solution.coef)
    triangle = fold(task.blocks, columns)
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


def fold(blocks: Blocks, columns: int) -> Triangle:
    """The triangle of ``[X y]``, merged in a tree."""
    triangles = (Triangle.of(np.column_stack([X, y]), weights) for X, y, weights in blocks())
    return reduce_in_tree(triangles, Triangle.merge, Triangle.empty(columns + 1)).compact()
