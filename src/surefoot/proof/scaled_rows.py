"""The rows of a least squares problem, block by block, scaled exactly to order one.

    minimise  sum_i w_i (b_i - a_i x)^2 + lambda |x|^2

is one sum over the rows ``[A; I]`` with weights ``[w; lambda]`` and right-hand sides ``[b; 0]``. With ``w_i = 4^f_i
omega_i``, ``1 <= omega_i < 4``, powers of two scale rows, columns and right-hand side without rounding:

    A~ = 2^(f_i - f) A 2^-e_j,   b~ = 2^(f_i - f) b 2^-q,   z = 2^(e_j - q) x.

Every entry of A~ and b~ is below one; what underflows is less than 2^-1020, see ``rounding.TINY``.

Reference: Higham (2002), "Accuracy and Stability of Numerical Algorithms", 2nd ed., SIAM, section 7.3, p. 125
(scaling by powers of the base commits no rounding).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice
from typing import TypeVar

import numpy as np

from surefoot.parallel import in_threads

Out = TypeVar("Out")

Block = tuple[np.ndarray, np.ndarray, np.ndarray | None]
"""Rows of A~ (k, n), of b~ (k, p), and omega (k,), or None where every weight is one."""

_WHOLE = 2**53
_BLOCK_BYTES = 800_000
_FEWEST, _MOST = 512, 4096
"""Short blocks have small bounds (gamma_k, and more bits in a slice); long ones suit the BLAS."""
_FOLDED = 256
"""Numbers in a row that keep the inner loop of an operation busy: rows of fewer columns are taken several as one."""
_MOST_TOGETHER, _WIDE = 8, 1024
"""Blocks that a thread is given at a time, and columns from which it is given one."""
_WIDEST = 900
"""Exponents within this need no care: the power of two and the product are both ordinary numbers."""


@dataclass(frozen=True)
class ScaledRows:
    """A least squares problem whose blocks come scaled; built by ``scale_rows``.

    Attributes
    ----------
    A : ndarray (m, n)
        As it was given.
    b : ndarray (m, p)
        Right-hand sides.
    weights : ndarray (m,) or None
        Non-negative.
    ridge : float
        Penalty ``lambda``.
    row_exponent : int
        ``f``: the largest of the rows'.
    column_exponents : ndarray (n,)
        ``e``.
    rhs_exponents : ndarray (p,)
        ``q``.
    reason : str
        Why nothing can be proven from these numbers; empty if nothing stands in the way.
    """

    A: np.ndarray
    b: np.ndarray
    weights: np.ndarray | None
    ridge: float
    row_exponent: int = 0
    column_exponents: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    rhs_exponents: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    reason: str = ""

    @cached_property
    def block_rows(self) -> int:
        """Rows in a block: what stays in cache, and enough for the BLAS."""
        width = 8 * max(1, self.A.shape[1] + 4 * self.b.shape[1])
        rows = _BLOCK_BYTES // width
        return max(_FEWEST, min(_MOST, rows - rows % _FOLDED))

    @property
    def longest(self) -> int:
        """Rows in the longest block."""
        m, n = self.A.shape
        return max(min(m, self.block_rows), min(n, self.block_rows) if self.ridge else 0)

    @property
    def count(self) -> int:
        """Rows of all blocks, at most."""
        return self.A.shape[0] + (self.A.shape[1] if self.ridge else 0)

    @property
    def rounded(self) -> bool:
        """Whether square roots of the weights have to be taken."""
        return self.weights is not None or self.ridge > 0.0

    def blocks(self) -> Iterator[Block]:
        """Every block, scaled."""
        return map(self._scaled, self._raw())

    def mapped(self, function: Callable[[Block], Out]) -> Iterator[Out]:
        """What a function makes of every block, on threads; in the order of the blocks."""
        several = in_threads(lambda raws: [function(self._scaled(raw)) for raw in raws], self._together())
        return chain.from_iterable(several)

    def mapped_weighted(self, function: Callable[[np.ndarray], Out]) -> Iterator[Out]:
        """The same for the blocks of ``weighted``."""
        return self.mapped(lambda block: function(_rooted(block)))

    def weighted(self) -> Iterator[np.ndarray]:
        """Blocks of ``sqrt(omega) A~`` as computed: each entry with a relative error below 2.1 u where ``rounded``."""
        return map(_rooted, self.blocks())

    def _scaled(self, raw: Block) -> Block:
        rows, rhs, weight = raw
        rows, rhs = _by_columns(rows, -self.column_exponents), _by_columns(rhs, -self.rhs_exponents)
        if weight is None:
            return rows, rhs, None
        omega, exponents = _split_weights(weight)
        scale = np.ldexp(1.0, exponents - self.row_exponent)[:, None]
        return rows * scale, rhs * scale, omega

    def _together(self) -> Iterator[list[Block]]:
        """The blocks as they are, of few columns several at a time: handing work to a thread takes a while."""
        raw, several = self._raw(), max(1, min(_MOST_TOGETHER, _WIDE // max(1, self.A.shape[1])))
        return iter(lambda: list(islice(raw, several)), [])

    def _raw(self) -> Iterator[Block]:
        m, n = self.A.shape
        for start in range(0, m, self.block_rows):
            part = slice(start, min(m, start + self.block_rows))
            rows, rhs = np.asarray(self.A[part], dtype=float), self.b[part]
            if self.weights is None:
                yield rows, rhs, np.ones(len(rows)) if self.ridge else None
                continue
            weight = self.weights[part]
            kept = weight > 0.0
            if kept.all():
                yield rows, rhs, weight
            elif kept.any():
                yield rows[kept], rhs[kept], weight[kept]
        if self.ridge:
            for start in range(0, n, self.block_rows):
                rows = np.eye(min(n - start, self.block_rows), n, k=start)
                yield rows, np.zeros((len(rows), self.b.shape[1])), np.full(len(rows), self.ridge)


def scale_rows(A: np.ndarray, b: np.ndarray, weights: np.ndarray | None, ridge: float) -> ScaledRows:
    """Look at every row once, and find the powers of two; with the reason where the numbers cannot be used."""
    given = (A, b) if weights is None else (A, b, weights)
    if not all(are_doubles(array) for array in given):
        reason = "Some of the numbers are not doubles: whole numbers beyond 2^53, or numbers of more than 53 bits."
        return ScaledRows(A, b, weights, ridge, reason=reason)
    b, weights = np.asarray(b, dtype=float), None if weights is None else np.asarray(weights, dtype=float)
    raw = ScaledRows(A, b, weights, ridge)
    exponents = [] if weights is None else [_split_weights(weights[weights > 0.0])[1]]
    exponents += [_split_weights(np.array([ridge]))[1]] if ridge else []
    exponents += [np.zeros(1, dtype=int)] if weights is None else []
    top = max((int(part.max()) for part in exponents if part.size), default=0)
    columns, sides = np.zeros(A.shape[1]), np.zeros(b.shape[1])

    def one(blocks: list[Block]) -> list[tuple[np.ndarray, np.ndarray]]:
        found = []
        for rows, rhs, weight in blocks:
            if weight is not None:
                scale = np.ldexp(1.0, _split_weights(weight)[1] - top)[:, None]
                rows, rhs = rows * scale, rhs * scale
            found.append((_largest(rows), _largest(rhs)))
        return found

    for of_rows, of_sides in chain.from_iterable(in_threads(one, raw._together())):
        columns, sides = np.maximum(columns, of_rows), np.maximum(sides, of_sides)
    reason = ""
    if not (np.isfinite(columns).all() and np.isfinite(sides).all()):
        reason = "A or b has entries that are not finite numbers."
    elif not columns.all():
        reason = (
            f"Column {int(np.argmin(columns))} of A (counted from 0), with its weights, is zero in double precision."
        )
    return ScaledRows(A, b, weights, ridge, top, np.frexp(columns)[1], np.frexp(sides)[1], reason)


def are_doubles(array: np.ndarray) -> bool:
    """Whether the array becomes float64 without rounding."""
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8 and array.size:
        return max(abs(int(array.min())), abs(int(array.max()))) <= _WHOLE
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        return bool(np.array_equal(array.astype(float), array, equal_nan=True))
    return True


def _rooted(block: Block) -> np.ndarray:
    rows, _, omega = block
    return rows if omega is None else rows * np.sqrt(omega)[:, None]


def _split_weights(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``omega`` and ``f`` of ``w = 4^f omega``, exactly."""
    fraction, exponent = np.frexp(weight)
    half = (exponent - 1) // 2
    return np.ldexp(fraction, exponent - 2 * half), half


def _by_columns(block: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """Columns times powers of two, into a new array."""
    if exponents.size and np.abs(exponents).max() > _WIDEST:
        return np.ldexp(block, exponents)
    fold = _fold(block)
    scale = np.tile(np.ldexp(1.0, exponents), fold)
    return (block.reshape(-1, len(scale)) * scale).reshape(block.shape) if fold > 1 else block * scale


def _largest(block: np.ndarray) -> np.ndarray:
    """Largest size of each column; NaN if one is."""
    fold, width = _fold(block), block.shape[1]
    if fold > 1:
        block = block.reshape(-1, fold * width)
    return np.maximum(block.max(axis=0), -block.min(axis=0)).reshape(fold, width).max(axis=0)


def column_squares(block: np.ndarray) -> np.ndarray:
    """Squared length of each column."""
    fold, width = _fold(block), block.shape[1]
    if fold > 1:
        block = block.reshape(-1, fold * width)
    return np.einsum("ij,ij->j", block, block).reshape(fold, width).sum(axis=0)


def _fold(block: np.ndarray) -> int:
    """How many rows of few columns may be taken as one: a power of two."""
    rows, width = block.shape
    fold = 1 << max(0, (_FOLDED // max(1, width)).bit_length() - 1)
    return fold if width and rows % fold == 0 and block.flags.c_contiguous else 1
