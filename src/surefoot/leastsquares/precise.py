"""The look from a point in about 20 digits, by matrix products in double alone.

Every operand is cut in two, ``A = H + L``, so that H has few enough bits on a common grid for products with another
such head to be added up without any rounding:

    A x = H x_h + (H x_l + L x),    A'r = H'r_h + (H'r_l + L'r).

The first term of each is exact, and the others are smaller by the bits of a head, so rounding is too. It costs a few
ordinary looks; more digits number by number would cost fifty.

Reference: Ozaki, Ogita, Oishi, Rump (2012), "Error-free transformations of matrix multiplication by using fast routines
of matrix multiplication and its applications", Numer. Algorithms 59, pp. 95-118 (the splitting, p. 98).
"""

from __future__ import annotations

import threading

import numpy as np

from surefoot.leastsquares.passes import Look, Rows, doubled, shared_out
from surefoot.problem.twofold import Twofold, two_sum

HEAD = 22
"""Bits of the heads of the matrix."""

EXACT = 51
"""Bits that a sum of products of heads may have: those of a double, less one for each head's rounding up."""


def precise_look(rows: Rows, scale: np.ndarray, x: np.ndarray) -> Look:
    """Gradient and residual at a point.

    Parameters
    ----------
    rows : Rows
    scale : ndarray, shape (n,)
        Powers of two that bring the columns to a length of about one.
    x : ndarray, shape (n, k)
        In scaled units: the point is ``x / scale``.

    Returns
    -------
    Look
        The gradient in scaled units.
    """
    head, tail = _cut(x, max(1, EXACT - HEAD - _bits(len(x))))
    sides = x.shape[1]
    memory = threading.local()

    def one(block: np.ndarray, right: np.ndarray) -> tuple[Twofold, Twofold]:
        # Fresh memory for each block would cost more than what is written to it.
        if getattr(memory, "rows", 0) < len(block):
            memory.rows, memory.parts = len(block), np.empty((2, *block.shape))
        high, low = memory.parts[:, : len(block)]
        np.divide(doubled(block), scale, out=low)
        _cut_in_place(low, high, HEAD)
        first, lost = two_sum(right, -np.dot(high, head))
        residual, rest = two_sum(first, lost - (np.dot(high, tail) + np.dot(low, x)))
        over, under = _cut(residual, max(1, EXACT - HEAD - _bits(len(block))))
        exact = np.dot(high.T, over)
        small = np.dot(high.T, under + rest) + np.dot(low.T, residual)
        squares = np.einsum("ij,ij->j", residual, residual)
        return Twofold(exact, small), Twofold(squares, np.zeros(sides))

    def merged(left: tuple[Twofold, Twofold], more: tuple[Twofold, Twofold]) -> tuple[Twofold, Twofold]:
        return _plus(left[0], more[0]), _plus(left[1], more[1])

    with shared_out(rows) as shared:
        total = shared.fold(one, merged)
    if total is None:
        return Look(np.zeros_like(x), np.zeros(sides))
    return Look(total[0].value(), total[1].value())


def _plus(left: Twofold, right: Twofold) -> Twofold:
    high, lost = two_sum(left.high, right.high)
    return Twofold(high, lost + (left.low + right.low))


def _cut(values: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Head and tail: the head is a multiple of ``2^-bits`` of the power of two above the largest value."""
    head, tail = np.empty_like(values), values.copy()
    _cut_in_place(tail, head, bits)
    return head, tail


def _cut_in_place(values: np.ndarray, head: np.ndarray, bits: int) -> None:
    """The head goes where it is told to, and the tail is left where the values were."""
    largest = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    shifter = 0.75 * 2.0 ** (np.ceil(np.log2(largest)) + 53 - bits) if largest else 0.0
    np.add(values, shifter, out=head)
    head -= shifter
    values -= head


def _bits(count: int) -> int:
    """Bits that a sum of so many terms may gain."""
    return max(0, int(np.ceil(np.log2(max(1, count)))))
