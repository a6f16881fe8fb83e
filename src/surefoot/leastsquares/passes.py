"""Passes over the rows of a dense matrix in memory: what every method here asks of the data.

One pass gives the Gram matrix ``A'A`` with ``A'b``, or at a point ``x`` the residual ``r = b - A x`` and the gradient
``A'r``, or the Gram matrix of ``A S``. The rows are taken in blocks that stay in the cache between their products; sums
over blocks also round less than one long sum. Blocks of few columns are shared out to threads that each use one BLAS
thread, because products that small gain little from BLAS's own; the products of very many columns are left to BLAS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from typing import TypeVar

import numpy as np

from surefoot.parallel import cores, one_blas_thread

BLOCK = 1 << 18
"""Numbers in a block of rows that is used twice: two megabytes, a second-level cache and a bit."""

TALL = 1 << 22
"""The same where BLAS runs threads of its own, which want more work at a time."""

SMALL = 1 << 16
"""Numbers in a matrix that is not worth a thread's start."""

GROUP = 64
"""Rows of which products with a residual are summed one after the other, which rounds by about ``u sqrt(N / 2m)`` of
``|a| |r|`` for N of m rows; the sums are added in pairs, which rounds by ``u sqrt(log(m) / m)``."""

TINY = 1 << 12
"""Numbers in a matrix on which BLAS starts no threads by itself. Between that and SMALL they cost ten times what they
do: the library wakes and parks them for every product."""

FEW_COLUMNS = 256
"""Up to here rows are always shared out to threads of ours."""

MANY_COLUMNS = 1024
"""Beyond this never: each thread would hold a Gram matrix of its own, and one BLAS product keeps every core busy. In
between where there are rows enough: threads that wait for each other within every product lose most of their time when
a core has other work too."""


Out = TypeVar("Out")
_One = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, ...]]


@dataclass(frozen=True)
class Look:
    """What a pass sees from a point.

    Attributes
    ----------
    gradient : ndarray, shape (n, k)
        ``A'(b - A x)``: minus half the gradient of the sum of squares.
    squares : ndarray, shape (k,)
        ``|b - A x|^2``.
    """

    gradient: np.ndarray
    squares: np.ndarray


@dataclass(frozen=True)
class Rows:
    """The rows of ``A x = b`` and who works on them; ``opened`` makes one.

    Attributes
    ----------
    matrix : ndarray, shape (m, n)
        float64, or float32, which is taken to double block by block.
    right : ndarray, shape (m, k)
    crew : Executor or None
        Threads to share the blocks out to.
    """

    matrix: np.ndarray
    right: np.ndarray
    crew: Executor | None = None

    def gram(self) -> tuple[np.ndarray, Look]:
        """``A'A``, shape (n, n), and the look from ``x = 0``."""
        columns, sides = self.matrix.shape[1], self.right.shape[1]

        def one(block: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, ...]:
            block = doubled(block)
            return np.dot(block.T, block), np.dot(block.T, right), _squares(right)

        total, slope, squares = self._sum(one, (columns, columns), (columns, sides), (sides,), least=columns)
        return total, Look(slope, squares)

    def column_squares(self) -> np.ndarray:
        """Squared length of each column, shape (n,)."""

        def one(block: np.ndarray, _: np.ndarray) -> tuple[np.ndarray, ...]:
            return (_squares(doubled(block)),)

        return self._sum(one, (self.matrix.shape[1],))[0]

    def single_gram(self) -> np.ndarray:
        """``A'A`` of float32 rows, multiplied in single precision and added up in double, shape (n, n)."""
        columns = self.matrix.shape[1]

        def one(block: np.ndarray, _: np.ndarray) -> tuple[np.ndarray, ...]:
            return (np.dot(block.T, block).astype(np.float64),)

        return self._sum(one, (columns, columns), least=columns)[0]

    def look(self, x: np.ndarray) -> Look:
        """Residual and gradient at ``x``, shape (n, k)."""

        def one(block: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, ...]:
            block = doubled(block)
            residual = right - np.dot(block, x)
            return _across(block, residual), _squares(residual)

        # Products with vectors wait for memory: blocks that stay in the cache are read once, whatever the columns.
        with shared_out(self) as shared:
            return Look(*shared._sum(one, x.shape, x.shape[1:]))

    def preconditioned_gram(self, inverse: np.ndarray, precision: type = np.float64) -> np.ndarray:
        """``B'B`` for ``B = A S`` with an upper triangle ``S``, of which no more than a block is ever held.

        S is taken in a few groups of columns, so that most of its zeros are not multiplied. B itself is always formed
        in double, for there the columns cancel; its products may be taken in single precision.
        """
        columns = len(inverse)
        edges = np.unique(np.linspace(0, columns, 1 + max(1, min(8, columns // 64)), dtype=int))

        def one(block: np.ndarray, _: np.ndarray) -> tuple[np.ndarray, ...]:
            block, product = doubled(block), np.empty(block.shape)
            for start, end in pairwise(edges):
                np.matmul(block[:, :end], inverse[:end, start:end], out=product[:, start:end])
            product = product.astype(precision, copy=False)
            return (np.dot(product.T, product).astype(np.float64, copy=False),)

        return self._sum(one, (columns, columns), least=columns)[0]

    def fold(
        self, one: Callable[[np.ndarray, np.ndarray], Out], merge: Callable[[Out, Out], Out], least: int = 1
    ) -> Out | None:
        """Apply ``one`` to every block of rows, ``least`` at the least, and merge what comes out; None without rows.

        The order of the merges does not depend on which thread was faster.
        """

        def part(starts: range) -> Out:
            rows = (slice(start, start + starts.step) for start in starts)
            return reduce(merge, (one(self.matrix[these], self.right[these]) for these in rows))

        count, columns = self.matrix.shape
        step = max(1, (TALL if self.crew is None else BLOCK) // max(1, columns), least)
        if self.crew is not None:
            step = max(1, min(step, -(-count // cores())))
        starts = range(0, count, step)
        if not len(starts):
            return None
        if self.crew is None:
            return part(starts)
        share = -(-len(starts) // cores())
        parts = [starts[at : at + share] for at in range(0, len(starts), share)]
        return reduce(merge, self.crew.map(part, parts))

    def _sum(self, one: _One, *shapes: tuple[int, ...], least: int = 1) -> tuple[np.ndarray, ...]:
        """Add up over all blocks; what comes out of each is worth so many rows at least."""
        total = self.fold(one, _added, least)
        return tuple(np.zeros(shape) for shape in shapes) if total is None else total


def doubled(block: np.ndarray) -> np.ndarray:
    """A block of rows in double precision, row after row; most blocks are that already."""
    return np.ascontiguousarray(block, dtype=np.float64)


def _added(total: tuple[np.ndarray, ...], more: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    for one, other in zip(total, more, strict=True):
        one += other
    return total


@contextmanager
def opened(matrix: np.ndarray, right: np.ndarray) -> Iterator[Rows]:
    """The rows, with threads for as long as they are worked on."""
    rows, columns = Rows(matrix, right), matrix.shape[1]
    enough = columns <= MANY_COLUMNS and len(matrix) >= 4 * cores() * columns
    if TINY < matrix.size <= SMALL:
        with one_blas_thread():
            yield rows
        return
    if columns > FEW_COLUMNS and not enough:
        yield rows
        return
    with shared_out(rows) as shared:
        yield shared


@contextmanager
def shared_out(rows: Rows) -> Iterator[Rows]:
    """The same rows with threads of ours: for work entry by entry, which BLAS has no part in, whatever the columns."""
    if rows.crew is not None or rows.matrix.size <= SMALL or cores() == 1:
        yield rows
        return
    with one_blas_thread(), ThreadPoolExecutor(cores(), thread_name_prefix="surefoot") as crew:
        yield replace(rows, crew=crew)


def _across(block: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """``block' residual`` from sums over groups of rows, added in pairs."""
    count, columns = block.shape
    whole = count - count % GROUP
    if whole <= GROUP:
        return np.dot(block.T, residual)
    groups = block[:whole].reshape(-1, GROUP, columns).transpose(0, 2, 1)
    sums = np.matmul(groups, residual[:whole].reshape(-1, GROUP, residual.shape[1]))
    while len(sums) > 1:
        half, odd = divmod(len(sums), 2)
        sums[:half] += sums[half : 2 * half]
        if odd:
            sums[half] = sums[-1]
        sums = sums[: half + odd]
    return sums[0] + np.dot(block[whole:].T, residual[whole:])


def _squares(values: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->j", values, values)
