"""A matrix whose entries are at hand, sparse or dense, cut into blocks of rows that fit in cache.

A step of the Krylov methods needs ``q = A p`` and then ``A' q``. Block by block, with ``q`` never leaving the cache and
the entries of the block read once,

    u_i <- A_i w - c u_i,    A'u = sum_i A_i' u_i,    |u|^2 = sum_i |u_i|^2,

is one pass over the matrix where two products are two. Blocks are shared among threads (scipy's sparse products release
the interpreter's lock), each with a sum of its own; the sums are added in a fixed order, so the answer depends on the
number of threads but never on which was faster.

Reference: Demmel, Hoemmen, Mohiyuddin, Yelick (2008), "Avoiding communication in sparse matrix computations", IPDPS
2008, section 2 (one sweep for A and A').
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from surefoot.leastsquares.vectors import dot
from surefoot.parallel import cores

BLOCK = 262_144
"""Entries of a block: few enough to be in cache for their second use, many enough for the cost of a call."""

THREADED = 300_000
"""Entries from which on a second thread pays for being called: measured, a pass of 0.6 ms against 0.05 ms of calls."""

MOST_THREADS = 8
"""Each thread has a sum of the size of the coefficients."""

SINGLE = (1e-30, 1e30)
"""Sizes of entries between which single precision neither overflows nor loses digits."""

Out = TypeVar("Out")


class RowBlocks:
    """``A`` in blocks of rows.

    Parameters
    ----------
    matrix : csr_array or ndarray
        Of float64, finite, without duplicates. Not copied.
    threads : int, optional
        How many work at a time; by default as many as the process may use, and one for a small or a dense matrix
        (whose products have threads of their own).
    blocks : list, optional
        The matrix already cut.
    dtype : type
        Of the numbers in the blocks.
    """

    def __init__(
        self, matrix: Any, threads: int | None = None, blocks: list[_Block] | None = None, dtype: Any = np.float64
    ) -> None:
        self.matrix = matrix
        self.shape: tuple[int, int] = matrix.shape
        self.sparse = not isinstance(matrix, np.ndarray)
        self.entries: int = int(matrix.nnz if self.sparse else matrix.size)
        self.dtype = dtype
        if threads is None:
            threads = cores() if self.sparse and self.entries >= THREADED else 1
        self.threads = max(1, min(threads, MOST_THREADS))
        self._shares = _dealt(_cut(matrix, self.entries) if blocks is None else blocks, self.threads)
        self._pool = ThreadPoolExecutor(self.threads - 1) if self.threads > 1 else None

    def forward(self, x: np.ndarray) -> np.ndarray:
        """``A x``, shape (m,)."""
        x = x.astype(self.dtype, copy=False)
        out = np.empty(self.shape[0], self.dtype)

        def work(share: list[_Block]) -> None:
            for block in share:
                out[block.rows] = block.matrix @ x

        self._each(work)
        return out

    def adjoint(self, u: np.ndarray) -> np.ndarray:
        """``A' u``, shape (n,)."""
        u = u.astype(self.dtype, copy=False)
        return self._summed(lambda block: block.transposed @ u[block.rows])

    def sweep(self, w: np.ndarray, u: np.ndarray, c: float) -> tuple[np.ndarray, float]:
        """One pass: ``u <- A w - c u`` in place; ``A' u`` and ``|u|^2`` of the new ``u``."""

        def work(share: list[_Block]) -> tuple[np.ndarray, float]:
            total, squares = np.zeros(self.shape[1]), 0.0
            for block in share:
                part = u[block.rows]
                part *= -c
                part += block.matrix @ w
                total += block.transposed @ part
                squares += dot(part, part)
            return total, squares

        sums = self._each(work)
        return np.sum([total for total, _ in sums], axis=0), float(sum(squares for _, squares in sums))

    def gram(self, p: np.ndarray) -> np.ndarray:
        """``A' (A p)`` in one pass, nothing of the length of the rows kept; of several columns too, shape (n, k)."""
        p = np.ascontiguousarray(p, dtype=self.dtype)
        return self._summed(lambda block: block.transposed @ (block.matrix @ p), p.shape[1:])

    def column_squares(self) -> np.ndarray:
        """The squared length of each column, shape (n,); infinite or NaN where an entry is, or is too large."""
        return self._column_squares.copy()

    @cached_property
    def _column_squares(self) -> np.ndarray:
        return self._summed(lambda block: block.column_squares())

    def single(self) -> RowBlocks | None:
        """The same matrix in single precision; None where its entries are too large or too small for that."""
        narrowed = [one for share in self._each(lambda share: [block.single() for block in share]) for one in share]
        if not SINGLE[0] < max((size for _, size in narrowed), default=0.0) < SINGLE[1]:
            return None
        return RowBlocks(self.matrix, self.threads, [block for block, _ in narrowed], np.float32)

    def _summed(self, term: Callable[[_Block], np.ndarray], sides: tuple[int, ...] = ()) -> np.ndarray:
        def work(share: list[_Block]) -> np.ndarray:
            total = np.zeros((self.shape[1], *sides))
            for block in share:
                total += term(block)
            return total

        return np.sum(self._each(work), axis=0)

    def _each(self, work: Callable[[list[_Block]], Out]) -> list[Out]:
        """The work of every thread, in a fixed order; the first share is done by the caller."""
        if self._pool is None:
            return [work(self._shares[0])]
        others = [self._pool.submit(work, share) for share in self._shares[1:]]
        try:
            first = work(self._shares[0])
        finally:  # nobody may still write into the vectors when a Ctrl-C is answered
            rest = [other.result() for other in others]
        return [first, *rest]


class _Block:
    """Some rows as a view of the matrix, and their transpose, which costs nothing."""

    def __init__(self, rows: slice, matrix: Any) -> None:
        self.rows, self.matrix, self.transposed = rows, matrix, _transposed(matrix)

    def single(self) -> tuple[_Block, float]:
        """The block in single precision, and the size of its largest entry, looked for while it is in cache."""
        matrix = self.matrix
        with np.errstate(over="ignore", under="ignore"):
            values = (matrix if isinstance(matrix, np.ndarray) else matrix.data).astype(np.float32)
        size = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
        if not isinstance(matrix, np.ndarray):
            values = _csr(values, matrix.indices, matrix.indptr, matrix.shape)
        return _Block(self.rows, values), size

    def column_squares(self) -> np.ndarray:
        if isinstance(self.matrix, np.ndarray):
            return np.einsum("ij,ij->j", self.matrix, self.matrix)
        with np.errstate(over="ignore", under="ignore"):  # the caller looks, and takes other units
            values = self.matrix.data**2
        squares = _csr(values, self.matrix.indices, self.matrix.indptr, self.matrix.shape)
        return _transposed(squares) @ np.ones(self.matrix.shape[0])


def _cut(matrix: Any, entries: int) -> list[_Block]:
    """Blocks of neighbouring rows of about equal size."""
    rows, columns = matrix.shape
    if rows == 0:
        return []
    height = max(1, int(max(BLOCK, 4 * columns) / max(1.0, entries / rows)))
    edges = [*range(0, rows, height), rows]
    return [_Block(slice(a, b), _rows_of(matrix, a, b)) for a, b in itertools.pairwise(edges)]


def _rows_of(matrix: Any, start: int, stop: int) -> Any:
    if isinstance(matrix, np.ndarray):
        return matrix[start:stop]
    first, last = matrix.indptr[start], matrix.indptr[stop]
    pointers = (matrix.indptr[start : stop + 1] - first).astype(matrix.indices.dtype)
    return _csr(matrix.data[first:last], matrix.indices[first:last], pointers, (stop - start, matrix.shape[1]))


def _csr(data: np.ndarray, indices: np.ndarray, pointers: np.ndarray, shape: tuple[int, int]) -> Any:
    """A CSR array of parts known to be right: the constructor would look at every index again."""
    from scipy.sparse import csr_array

    block = csr_array(shape, dtype=data.dtype)
    block.data, block.indices, block.indptr = data, indices, pointers
    return block


def _transposed(matrix: Any) -> Any:
    """The transpose as a view; again without another look at every index."""
    if isinstance(matrix, np.ndarray):
        return matrix.T
    from scipy.sparse import csc_array

    turned = csc_array((matrix.shape[1], matrix.shape[0]), dtype=matrix.dtype)
    turned.data, turned.indices, turned.indptr = matrix.data, matrix.indices, matrix.indptr
    return turned


def _dealt(blocks: list[_Block], threads: int) -> list[list[_Block]]:
    """Neighbouring blocks for each thread, about as many for one as for another."""
    edges = [round(k * len(blocks) / threads) for k in range(threads + 1)]
    return [blocks[first:last] for first, last in itertools.pairwise(edges)]
