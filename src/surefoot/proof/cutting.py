"""Boxes in arrays: cutting them up, and joining those that are left.

A box is cut across the variable with the largest smear, the largest change that any entry of the gradient can see along
it, max_i |H_ij| w_j. It is cut beside its middle: people put zeros, kinks and lines of symmetry at middles, and one box
around such a place is better than all those that meet there.

Reference: Kearfott, Novoa (1990), "Algorithm 681: INTBIS, a portable interval Newton/bisection package", ACM TOMS
16(2), pp. 152-157 (maximal smear).
"""

from __future__ import annotations

import numpy as np

from surefoot.proof.interval import Interval

CUT = 0.4873046875
"""Where a box is cut, from its lower end."""
STARVED = 1 / 64
"""A side that is this much shorter than the longest, in units of the whole box, is not cut."""


def joined(*parts: Interval) -> Interval:
    """One array of boxes from several."""
    return Interval(np.concatenate([part.lo for part in parts]), np.concatenate([part.hi for part in parts]))


def cut_in_two(boxes: Interval, smear: np.ndarray, whole: np.ndarray) -> Interval:
    """Each box cut across one variable.

    Parameters
    ----------
    boxes : Interval (B, n)
    smear : ndarray (B, n)
        ``max_i |H_ij| w_j``, or anything not finite where that is not known.
    whole : ndarray (n,)
        Widths of the box that all come from.

    Returns
    -------
    Interval (2 B, n)
        The lower parts, then the upper ones.

    Examples
    --------
    >>> both = cut_in_two(Interval([[0.0, 0.0]], [[1.0, 1.0]]), np.array([[1.0, 2.0]]), np.ones(2))
    >>> both.hi.tolist()
    [[1.0, 0.4873046875], [1.0, 1.0]]
    """
    side = (boxes.hi - boxes.lo) / whole
    usable = np.where(np.isfinite(smear), smear, side)
    known = np.all(np.isfinite(smear), axis=1, keepdims=True) & np.any(smear > 0, axis=1, keepdims=True)
    weight = np.where(known, usable, side)
    weight = np.where(side > STARVED * np.max(side, axis=1, keepdims=True), weight, -1.0)
    across = np.argmax(weight, axis=1)
    rows = np.arange(len(boxes))
    low, high = boxes.lo[rows, across], boxes.hi[rows, across]
    place = low + CUT * (high - low)
    upper, lower = boxes.hi.copy(), boxes.lo.copy()
    upper[rows, across] = place
    lower[rows, across] = place
    return joined(Interval(boxes.lo, upper), Interval(lower, boxes.hi))


def cut_up(boxes: Interval, smear: np.ndarray, whole: np.ndarray, wanted: int) -> Interval:
    """Each box cut in two, and again until there are as many as wanted or every side was cut once."""
    for _ in range(boxes.shape[1]):
        cut = cut_in_two(boxes, smear, whole)
        with np.errstate(all="ignore"):
            shrunk = (cut.hi - cut.lo) / np.concatenate([boxes.hi - boxes.lo] * 2)
            smear = np.concatenate([smear] * 2) * shrunk
        boxes = cut
        if len(boxes) >= wanted:
            break
    return boxes


def grid(low: np.ndarray, high: np.ndarray, count: int) -> Interval:
    """A box cut into about ``count`` parts, each side in as many as the others or one more."""
    boxes = Interval(low[None], high[None])
    while len(boxes) < count:
        boxes = cut_in_two(boxes, np.full(boxes.shape, np.nan), high - low)
    return boxes


def simple_point(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The point of a box that is written with the fewest decimals.

    Examples
    --------
    >>> simple_point(np.array([-1e-9, 0.2999]), np.array([2e-9, 0.3001])).tolist()
    [0.0, 0.3]
    """
    return np.array([_simple(float(a), float(b)) for a, b in zip(low, high, strict=True)])


def _simple(low: float, high: float) -> float:
    middle = low + (high - low) / 2
    for digits in range(17):
        near = round(middle, digits) + 0.0
        if low <= near <= high:
            return near
    return min(max(middle, low), high)


def fused(boxes: Interval) -> Interval:
    """The same set in fewer boxes: two that share a whole side become one, as long as there are such.

    Examples
    --------
    >>> fused(Interval([[0.0, 0.0], [1.0, 0.0]], [[1.0, 1.0], [2.0, 1.0]])).hi.tolist()
    [[2.0, 1.0]]
    """
    lo, hi = boxes.lo, boxes.hi
    size = boxes.shape[1]
    before = 0
    while len(lo) != before:
        before = len(lo)
        for axis in range(size):
            lo, hi = _fused_along(lo, hi, axis)
    return Interval(lo, hi)


def _fused_along(lo: np.ndarray, hi: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    others = [k for k in range(lo.shape[1]) if k != axis]
    keys = [lo[:, axis], *(side[:, k] for k in others for side in (lo, hi))]
    order = np.lexsort(keys)
    lo, hi = lo[order], hi[order]
    same = np.all((lo[1:, others] == lo[:-1, others]) & (hi[1:, others] == hi[:-1, others]), axis=1)
    first = np.concatenate([[True], ~(same & (lo[1:, axis] == hi[:-1, axis]))])
    starts = np.flatnonzero(first)
    ends = np.concatenate([starts[1:], [len(lo)]]) - 1
    upper = hi[starts].copy()
    upper[:, axis] = hi[ends, axis]
    return lo[starts], upper
