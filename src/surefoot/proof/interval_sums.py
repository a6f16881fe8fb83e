"""Sums, products and contractions of arrays of intervals, rounded outward.

Short ones add pairs of pairs with directed rounding, so that n terms see only log2(n) roundings. Long contractions are
done by BLAS on midpoints and radii, in blocks of at most `BLOCK` terms: with |X - X'| <= R_X and the same of Y,

    |X Y - fl(X' Y')| <= |X'| R_Y + R_X (|Y'| + R_Y) + gamma_k |X'| |Y'| + k t,

every sum on the right rounded up by its own gamma; t covers what underflow can do.

Reference: Rump (1999), "Fast and parallel interval arithmetic", BIT 39(3), pp. 534-554, section 3; Higham (2002),
"Accuracy and Stability of Numerical Algorithms", 2nd ed., SIAM, section 3.5, p. 71.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from surefoot.proof.interval import Array, Interval, tight
from surefoot.proof.rounding import above, gamma

BLOCK = 1024
"""Terms that one sum of BLAS has: the rounding bound grows with their number."""

FEW = 40_000
"""Products up to which a contraction is done product by product."""

LEAST = 2.0**-1020
"""Above what underflow can do to one product or sum, even where subnormal numbers are flushed to zero."""


def total(u: Interval, axes: Sequence[int]) -> Interval:
    """Sums over axes (from the end or the front), which are gone afterwards.

    Examples
    --------
    >>> s = total(Interval.of([[0.1] * 10]), (1,))
    >>> s.shape, bool(s.contains(1.0)[0]), bool(s.width[0] < 1e-15)
    ((1,), True, True)
    """
    return _folded(u, axes, lambda one, other: one + other, 0.0)


def product(u: Interval, axes: Sequence[int]) -> Interval:
    """Products over axes."""
    return _folded(u, axes, lambda one, other: one * other, 1.0)


def largest(u: Interval, axes: Sequence[int]) -> Interval:
    """The largest over axes."""
    axes = _counted(axes, u.ndim)
    gone = u.is_empty.any(axis=axes)
    lo, hi = u.lo.max(axis=axes), u.hi.max(axis=axes)
    return Interval(np.where(gone, np.nan, lo), np.where(gone, np.nan, hi))


def smallest(u: Interval, axes: Sequence[int]) -> Interval:
    """The smallest over axes."""
    return -largest(-u, axes)


def logsumexp(u: Interval, axes: Sequence[int]) -> Interval:
    """``log sum exp(u)``: it grows with every operand, so its ends are those of the ends."""
    axes = _counted(axes, u.ndim)
    count = int(np.prod([u.shape[axis] for axis in axes]))

    def at(ends: Array) -> Interval:
        with np.errstate(invalid="ignore"):
            shift = ends.max(axis=axes, keepdims=True)
            finite = np.where(np.isfinite(shift), shift, 0.0)
            terms = tight("exp", Interval.of(ends) - Interval.of(finite))
            terms = Interval(np.where(ends == -np.inf, 0.0, terms.lo), np.where(ends == -np.inf, 0.0, terms.hi))
            # The largest term is exp(0) = 1 exactly; the sum lies between 1 and how many there are.
            sums = total(terms, axes).meet(Interval(np.ones(()), np.full((), float(count))))
            return tight("log", sums) + Interval.of(finite.reshape(sums.shape))

    lower, upper = at(u.lo), at(u.hi)
    peak, low = u.hi.max(axis=axes), u.lo.max(axis=axes)
    lo = np.where(low == -np.inf, -np.inf, lower.lo)
    hi = np.where(peak == np.inf, np.inf, upper.hi)
    return Interval(lo, hi)


def running(u: Interval, axis: int, reverse: bool = False) -> Interval:
    """Running sums along an axis, by doubling: each sees log2(n) roundings."""
    if reverse:
        return running(u.each(lambda ends: np.flip(ends, axis)), axis).each(lambda ends: np.flip(ends, axis))
    moved = u.each(lambda ends: np.moveaxis(ends, axis, -1))
    step, length = 1, moved.shape[-1]
    while step < length:
        added = moved[..., step:] + moved[..., :-step]
        moved = Interval(
            np.concatenate([moved.lo[..., :step], added.lo], axis=-1),
            np.concatenate([moved.hi[..., :step], added.hi], axis=-1),
        )
        step *= 2
    return moved.each(lambda ends: np.moveaxis(ends, -1, axis))


def contraction(
    u: Interval, v: Interval, contract: tuple[Sequence[int], Sequence[int]],
    batch: tuple[Sequence[int], Sequence[int]] = ((), ()), lead: int = 0,
) -> Interval:  # fmt: skip
    """``dot`` of the real graph; both operands have ``lead`` axes in front, which are spread to each other.

    Examples
    --------
    >>> matrix = Interval.of(np.arange(6.0).reshape(2, 3))
    >>> contraction(matrix, Interval.of(np.ones(3)), ((1,), (0,))).lo.tolist()
    [3.0, 12.0]
    """
    one, left = _as_matrices(u, contract[0], batch[0], lead)
    other, right = _as_matrices(v, contract[1], batch[1], lead)
    found = matrix_product(one, other.each(lambda ends: np.swapaxes(ends, -1, -2)))
    ahead = found.shape[: found.ndim - 2]
    return found.each(lambda ends: ends.reshape(ahead + left + right))


def matrix_product(u: Interval, v: Interval) -> Interval:
    """Products of matrices in the last two axes, (..., p, k) and (..., k, q); the axes in front are spread.

    Rounding is bounded by Rump's midpoint and radius, or product by product where there are few.
    """
    ahead = np.broadcast_shapes(u.shape[:-2], v.shape[:-2])
    rows, terms, columns = u.shape[-2], u.shape[-1], v.shape[-1]
    if terms == 0:
        return Interval.of(np.zeros((*ahead, rows, columns)))
    if int(np.prod(ahead)) * rows * terms * columns <= FEW:
        if terms == 1:
            return u * v
        return total(u[..., :, None, :] * v.each(lambda ends: np.swapaxes(ends, -1, -2)[..., None, :, :]), (-1,))
    if _picks(v) and _is_finite(u):
        if v.ndim == u.ndim and terms == columns and np.array_equal(v.lo, np.broadcast_to(np.eye(terms), v.shape)):
            return u.each(lambda ends: np.broadcast_to(ends, (*ahead, rows, terms)))
        return u.each(lambda ends: ends @ v.lo)
    if _picks(u.each(lambda ends: np.swapaxes(ends, -1, -2))) and _is_finite(v):
        return v.each(lambda ends: u.lo @ ends)
    parts = [
        _block(u[..., :, start : start + BLOCK], v[..., start : start + BLOCK, :]) for start in range(0, terms, BLOCK)
    ]
    while len(parts) > 1:
        pairs = [parts[k] + parts[k + 1] for k in range(0, len(parts) - 1, 2)]
        parts = pairs + parts[len(pairs) * 2 :]
    return parts[0]


def _block(u: Interval, v: Interval) -> Interval:
    """One block by BLAS. What overflows, or has an end without bound, is nothing known."""
    terms = u.shape[-1]
    one, other = u.mid, v.mid
    with np.errstate(all="ignore"):
        middle = one @ other
        larger = np.abs(other)
        radius = gamma(terms) * (np.abs(one) @ larger)
        if not v.are_numbers:
            spread = v.rad
            radius = radius + np.abs(one) @ spread
            larger = above(larger + spread, 1)
        if not u.are_numbers:
            radius = radius + u.rad @ larger
        radius = above(radius, terms + 6) + (3 * terms + 4) * LEAST
        lo, hi = np.nextafter(middle - radius, -np.inf), np.nextafter(middle + radius, np.inf)
        unknown = ~(np.isfinite(lo) & np.isfinite(hi))
    return Interval(np.where(unknown, -np.inf, lo), np.where(unknown, np.inf, hi))


def _is_finite(u: Interval) -> bool:
    return bool(np.isfinite(u.lo).all() and (u.are_numbers or np.isfinite(u.hi).all()))


def _picks(v: Interval) -> bool:
    """Whether every column has at most one entry other than 0, and that is 1: its products are exact."""
    if not v.are_numbers or v.size > 25 * FEW:
        return False
    if not np.all((v.lo == 0.0) | (v.lo == 1.0)):
        return False
    return bool(np.all(np.sum(v.lo, axis=-2) <= 1.0))


def _as_matrices(
    u: Interval, contract: Sequence[int], batch: Sequence[int], lead: int
) -> tuple[Interval, tuple[int, ...]]:
    """Axes in the order lead, batch, free, contracted, the last two kinds each as one; and the free lengths."""
    free = [axis for axis in range(u.ndim - lead) if axis not in (*contract, *batch)]
    order = (*range(lead), *(lead + axis for axis in (*batch, *free, *contract)))
    ahead = tuple(u.shape[axis] for axis in order[: lead + len(batch)])
    kept = tuple(u.shape[lead + axis] for axis in free)
    shape = (*ahead, int(np.prod(kept)), int(np.prod([u.shape[lead + axis] for axis in contract])))
    return u.each(lambda ends: ends.transpose(order).reshape(shape)), kept


def _folded(u: Interval, axes: Sequence[int], pair: Callable[[Interval, Interval], Interval], start: float) -> Interval:
    axes = _counted(axes, u.ndim)
    kept = [axis for axis in range(u.ndim) if axis not in axes]
    shape = tuple(u.shape[axis] for axis in kept)
    length = int(np.prod([u.shape[axis] for axis in axes]))
    if length == 0:
        return Interval.of(np.full(shape, start))
    rest = u.each(lambda ends: ends.transpose(*axes, *kept).reshape(length, *shape))
    while len(rest) > 1:
        half = len(rest) // 2
        added = pair(rest[:half], rest[half : 2 * half])
        if len(rest) % 2:
            last = rest[2 * half :]
            added = Interval(np.concatenate([added.lo, last.lo]), np.concatenate([added.hi, last.hi]))
        rest = added
    return rest[0]


def _counted(axes: Sequence[int], ndim: int) -> tuple[int, ...]:
    return tuple(axis % ndim for axis in axes)
