"""From zeros of the gradient that are proven to the stationary points of a box: each once, what it is, and where.

- One zero may have been found from several boxes. Two findings are the same zero if one lies in the region in which the
  other is proven to be the only one; they are two zeros if their enclosures have nothing in common.
- Its class is the inertia of the Hessian over its enclosure.
- Its value, m in the enclosure E:    f(x*) in f(m) - 1/2 (E - m)' H(E) (E - m),    because the gradient is 0 at x*.
- It is on a face x_k = c of the box exactly if the zero of the other derivatives on that face is proven, and d_k f is
  [0, 0] there, as where f is even in x_k - c.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from surefoot.problem.box import Box
from surefoot.proof.certificate import Verdict
from surefoot.proof.cutting import simple_point
from surefoot.proof.interval import Interval
from surefoot.proof.interval_inertia import signs
from surefoot.proof.interval_sums import matrix_product
from surefoot.proof.krawczyk import tightened, zeros_near
from surefoot.proof.looking import Differentiate
from surefoot.proof.sharper import as_doubles, side_of

NARROW = 1e-9
"""Enclosures wider than this, in units of max(1, |x|), are narrowed down in Arb."""

Sharpen = Callable[[Interval], list[Any] | None]


class Place(Enum):
    """Where a stationary point lies in the box. The value is the phrase that a person reads."""

    INSIDE = "inside"
    BOUNDARY = "on the boundary"
    EITHER = "at the boundary: inside, on it or outside"


@dataclass(frozen=True)
class StationaryPoint:
    """A stationary point, proven to be there.

    Attributes
    ----------
    x : ndarray (n,), or in the caller's shape
        A double next to it.
    value : float
        f there.
    verdict : Verdict
        What it is, proven; DEGENERATE where the Hessian is singular, INCONCLUSIVE where its signs are not proven.
    enclosure : Box
        It lies here.
    region : Box
        It is the only stationary point here.
    values : tuple of float
        Lower and upper bound of f at the stationary point itself.
    place : Place
        Where in the box that was surveyed.
    falling : int
        Number of negative eigenvalues of the Hessian, -1 where that is not proven.
    """

    x: Any
    value: float
    verdict: Verdict
    enclosure: Box
    region: Box
    values: tuple[float, float]
    place: Place
    falling: int

    @property
    def flat(self) -> np.ndarray:
        """A double next to it, as a vector."""
        return _middle(self.enclosure.lower, self.enclosure.upper)

    @property
    def width(self) -> float:
        """Of the enclosure, along its longest side."""
        return float(np.max(self.enclosure.upper - self.enclosure.lower))


def distinct(zeros: Interval, regions: Interval) -> tuple[Interval, Interval, np.ndarray]:
    """Each zero once.

    Parameters
    ----------
    zeros, regions : Interval (m, n)
        Findings: enclosures, and regions around them in which the zero is the only one.

    Returns
    -------
    zeros, regions : Interval (k, n)
        The distinct ones.
    doubtful : ndarray of bool (k,)
        It overlaps another one, and it is not proven whether they are the same.

    Examples
    --------
    >>> zeros = Interval([[0.0], [0.1], [0.9]], [[0.2], [0.3], [1.0]])
    >>> regions = Interval([[-1.0], [-1.0], [0.8]], [[0.5], [0.5], [1.1]])
    >>> once, _, doubtful = distinct(zeros, regions)
    >>> once.lo.ravel().tolist(), doubtful.tolist()
    ([0.1, 0.9], [False, False])
    """
    one, other = _overlapping(zeros)
    same = zeros[other].within(regions[one]).all(axis=1) | zeros[one].within(regions[other]).all(axis=1)
    head = _heads(len(zeros), one[same], other[same])
    first = np.flatnonzero(head == np.arange(len(zeros)))
    lo, hi = zeros.lo.copy(), zeros.hi.copy()
    np.maximum.at(lo, head, zeros.lo)  # the zero lies in every one of its enclosures
    np.minimum.at(hi, head, zeros.hi)
    doubt = np.zeros(len(zeros), dtype=bool)
    doubt[head[one[~same]]] = True
    doubt[head[other[~same]]] = True
    return Interval(lo[first], hi[first]), regions[first], doubt[first]


def _overlapping(zeros: Interval) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of enclosures that have a number in common along every axis: neighbours along a slanting line."""
    slope = np.sqrt(np.arange(2.0, 2.0 + zeros.shape[1]))
    along = _middle(zeros.lo, zeros.hi) @ slope
    size = np.abs(zeros.magnitude) @ slope
    reach = np.maximum(0.0, zeros.hi - zeros.lo) @ slope + 1e-14 * size  # rounding, and more
    order = np.argsort(along, kind="stable")
    along, widest = along[order], 2 * float(np.max(reach, initial=0.0))
    pairs: list[tuple[np.ndarray, np.ndarray]] = [(order[:0], order[:0])]
    for apart in range(1, len(zeros)):
        near = np.flatnonzero(along[apart:] - along[:-apart] <= widest)
        if not len(near):
            break
        pairs.append((order[near], order[near + apart]))
    one, other = (np.concatenate(side) for side in zip(*pairs, strict=True))
    meet = np.all((zeros.lo[one] <= zeros.hi[other]) & (zeros.lo[other] <= zeros.hi[one]), axis=1)
    return one[meet], other[meet]


def _heads(count: int, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The first of each group of those that are the same."""
    head = np.arange(count)
    while True:
        least = np.minimum(head[one], head[other])
        before = head.copy()
        np.minimum.at(head, one, least)
        np.minimum.at(head, other, least)
        head = head[head]
        if np.array_equal(head, before):
            return head


def classified(derivatives: Differentiate, zeros: Interval) -> tuple[np.ndarray, Interval]:
    """How many eigenvalues are negative at each zero (-1: not proven), and its value."""
    middle = zeros.mid
    over, at = derivatives(zeros, 2), derivatives(Interval.of(middle), 1)
    bend = over.hessian
    apart = zeros - Interval.of(middle)
    turned = matrix_product(bend, apart[..., None])
    rest = matrix_product(apart[:, None, :], turned)[:, 0, 0]
    values = (at.value - Interval.of(np.full(len(zeros), 0.5)) * rest).meet(over.value)
    return signs(bend), values


def placed(
    derivatives: Differentiate, box: Box, zeros: Interval, regions: Interval, sharpen: Sharpen
) -> list[Place | None]:
    """Where each zero lies in the box; None outside.

    Parameters
    ----------
    derivatives : callable
        ``derivatives(boxes, order)``.
    box : Box
        The whole box.
    zeros, regions : Interval (m, n)
        Enclosures of zeros of the gradient, and boxes in which each is the only one.
    sharpen : callable
        From one of them to balls around its zero, or None: `sharper.sharpened` of the graph.
    """
    low, high = box.lower, box.upper
    outside = np.any((zeros.hi < low) | (zeros.lo > high), axis=1)
    inside = np.all((zeros.lo > low) & (zeros.hi < high), axis=1)
    found: list[Place | None] = [Place.INSIDE if one else None for one in inside]
    for k in np.flatnonzero(~outside & ~inside):
        found[k] = _at_the_boundary(derivatives, box, zeros[k], regions[k], sharpen)
    return found


def _at_the_boundary(
    derivatives: Differentiate, box: Box, zero: Interval, region: Interval, sharpen: Sharpen
) -> Place | None:
    """Exactly on a face if that can be proven; else the side is told by more digits, if they do."""
    if _is_exactly_on(derivatives, box, zero, region):
        return Place.BOUNDARY
    balls = sharpen(zero)
    if balls is None:
        return Place.EITHER
    low = [side_of(one, float(end)) for one, end in zip(balls, box.lower, strict=True)]
    high = [side_of(one, float(end)) for one, end in zip(balls, box.upper, strict=True)]
    if -1 in low or 1 in high:
        return None
    return Place.INSIDE if min(low) > 0 and max(high) < 0 else Place.EITHER


def _is_exactly_on(derivatives: Differentiate, box: Box, zero: Interval, region: Interval) -> bool:
    """Whether a zero of the gradient is proven on a face, next to this one: where there is only one, it is this one."""
    below, above = (zero.lo <= box.lower) & (zero.hi >= box.lower), (zero.lo <= box.upper) & (zero.hi >= box.upper)
    fixed = below | above
    point = np.where(below, box.lower, np.where(above, box.upper, zero.mid))
    if np.all((zero.lo == zero.hi) | ~fixed):
        return True
    simple = np.where(fixed, point, simple_point(zero.lo, zero.hi))
    slope = derivatives(Interval.of(simple[None]), 1).gradient[0]
    if np.all((slope.lo == 0) & (slope.hi == 0)):
        return True
    spread = Interval(np.where(fixed, point, zero.lo)[None], np.where(fixed, point, zero.hi)[None])
    if not np.all(fixed):
        proven = zeros_near(derivatives, point[None], ~fixed[None])
        if not (proven.one[0] and bool(proven.zero[0].within(region).all())):
            return False
        spread = proven.zero
    slope = derivatives(spread, 1).gradient[0]
    level = (slope.lo == 0) & (slope.hi == 0)
    return bool(np.all(level | ~fixed))


def points_of(
    derivatives: Differentiate, box: Box, zeros: Interval, regions: Interval, sharpen: Sharpen
) -> tuple[list[StationaryPoint], Interval]:
    """The stationary points of a box from the zeros that a search found in and near it, and what remains in doubt.

    Returns
    -------
    list of StationaryPoint
        The lowest first.
    Interval (k, n)
        Enclosures of which it is not proven whether they hold one zero or two.
    """
    if not len(zeros):
        return [], zeros
    tight = tightened(derivatives, zeros)
    once, regions, doubtful = distinct(_narrow(tight, sharpen), regions)
    falling, values = classified(derivatives, once)
    size = len(box.lower)
    points = []
    for k, place in enumerate(placed(derivatives, box, once, regions, sharpen)):
        if place is None:
            continue
        verdict = {-1: Verdict.INCONCLUSIVE, 0: Verdict.STRICT_LOCAL_MINIMUM, size: Verdict.LOCAL_MAXIMUM}
        low, high = float(values.lo[k]), float(values.hi[k])
        points.append(
            StationaryPoint(
                once.mid[k], min(max((low + high) / 2, low), high), verdict.get(int(falling[k]), Verdict.SADDLE),
                Box(once.lo[k], once.hi[k]), Box(regions.lo[k], regions.hi[k]), (low, high), place, int(falling[k]),
            )
        )  # fmt: skip
    return sorted(points, key=lambda point: (point.value, *point.flat)), once[doubtful]


def _narrow(zeros: Interval, sharpen: Sharpen) -> Interval:
    """Enclosures that are too wide in doubles, from Arb."""
    size = np.maximum(1.0, np.max(zeros.magnitude, axis=1))
    wide = np.flatnonzero(np.max(zeros.hi - zeros.lo, axis=1) > NARROW * size)
    lo, hi = zeros.lo.copy(), zeros.hi.copy()
    for k in wide:
        balls = sharpen(zeros[k])
        if balls is not None:
            better = as_doubles(balls).meet(zeros[k])
            lo[k], hi[k] = better.lo, better.hi
    return Interval(lo, hi)


def _middle(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.clip(low + (high - low) / 2, low, high)
