"""Krawczyk's operator, on many boxes at once: where a gradient has exactly one zero, where it has none.

    K(X) = m - C g(m) + (I - C H(X)) (X - m),        m in X, C about the inverse of the middle of H(X)

K(X) holds every zero of g that X holds. If K(X) lies in the interior of X, then X holds exactly one, and every matrix
in H(X) is regular; if K(X) and X have a coordinate without a common number, X holds none. C and m are doubles, taken as
they are, and every product is rounded outward. A box is made a little larger first, so that a zero on its edge lies
inside.

References: Krawczyk (1969), "Newton-Algorithmen zur Bestimmung von Nullstellen mit Fehlerschranken", Computing 4, pp.
187-201; Neumaier (1990), "Interval Methods for Systems of Equations", Cambridge, theorem 5.1.8, p. 177.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from surefoot.proof.interval import Interval
from surefoot.proof.interval_sums import matrix_product

INFLATION = 1 / 16
"""Part of its width by which a box grows at each end."""
ULPS = 8
"""It grows at least by so many units in the last place."""
ROUNDS = 40
"""Most contractions of one enclosure."""
SHRUNK = 0.9
"""It ends where one leaves more than this part of the width."""
NOTHING = 1e-30
"""Nor does a narrower one need more: around 0 there would be no end."""
RADII = (1e-3, 1e-5, 1e-7, 1e-9, 1e-11)
"""Half widths tried around a point, in units of its size, until one is proven to hold one zero."""
STEPS = 8
"""Steps of Newton's method in doubles before that."""
CLOSING, CLOSE = 4, 1e-7
"""Steps of Newton's method before a box of this half width is tried inside an enclosure."""


class Derivatives(Protocol):
    """Enclosures of f on B boxes: what `jets.second_order` returns."""

    @property
    def value(self) -> Interval:
        """Shape (B,)."""
        ...

    @property
    def gradient(self) -> Interval:
        """Shape (B, n)."""
        ...

    @property
    def hessian(self) -> Interval:
        """Shape (B, n, n)."""
        ...

    @property
    def defined(self) -> np.ndarray:
        """Whether f is proven to be defined on the whole box, shape (B,)."""
        ...

    @property
    def continuous(self) -> np.ndarray:
        """Whether it is proven to be continuous there, so that the mean value theorem holds with ``gradient``."""
        ...

    @property
    def smooth(self) -> np.ndarray:
        """Whether f is proven to be twice continuously differentiable there, shape (B,)."""
        ...


Differentiate = Callable[[Interval, int], Derivatives]
"""Boxes (B, n) and an order, 1 or 2, to enclosures."""


@dataclass(frozen=True)
class Look:
    """What f is on boxes made a little larger, and at their middles.

    Attributes
    ----------
    region : Interval (B, n)
        The larger boxes.
    middle : ndarray (B, n)
    over, at : Derivatives
        On ``region``, and at ``middle``.
    """

    region: Interval
    middle: np.ndarray
    over: Derivatives
    at: Derivatives

    @property
    def known(self) -> np.ndarray:
        """Where f is proven to be defined and twice continuously differentiable, shape (B,)."""
        return self.over.defined & self.over.smooth

    @property
    def steady(self) -> np.ndarray:
        """Where it is proven to be defined and continuous: kinks have all slopes between those of their sides."""
        return self.over.defined & self.over.continuous

    def replaced(self, places: np.ndarray, other: Look) -> Look:
        """The same with some boxes seen otherwise; the middles stay."""
        mine, its = self.over, other.over
        over = _Seen(
            _put(mine.value, places, its.value), _put(mine.gradient, places, its.gradient),
            _put(mine.hessian, places, its.hessian), _set(mine.defined, places, its.defined),
            _set(mine.continuous, places, its.continuous), _set(mine.smooth, places, its.smooth),
        )  # fmt: skip
        return Look(_put(self.region, places, other.region), self.middle, over, self.at)


@dataclass(frozen=True)
class _Seen:
    """Derivatives put together."""

    value: Interval
    gradient: Interval
    hessian: Interval
    defined: np.ndarray
    continuous: np.ndarray
    smooth: np.ndarray


def _put(mine: Interval, places: np.ndarray, its: Interval) -> Interval:
    return Interval(_set(mine.lo, places, its.lo), _set(mine.hi, places, its.hi))


def _set(mine: np.ndarray, places: np.ndarray, its: np.ndarray) -> np.ndarray:
    copy = np.array(mine)
    copy[places] = its
    return copy


@dataclass(frozen=True)
class Contracted:
    """What Krawczyk's operator says of B boxes.

    Attributes
    ----------
    one : ndarray of bool (B,)
        Proven: ``region`` holds exactly one zero, regular, and it lies in ``zero``.
    none : ndarray of bool (B,)
        Proven: the box holds none, and no kink that is an extremum. With ``one`` too, the zero of the region lies
        beside the box.
    zero : Interval (B, n)
        Where the zeros of the region lie: K(region) and the region.
    region : Interval (B, n)
        The boxes made larger.
    box : Interval (B, n)
        The part of each box that may hold a zero; the box as it was where there is none.
    """

    one: np.ndarray
    none: np.ndarray
    zero: Interval
    region: Interval
    box: Interval


def inflated(boxes: Interval, part: float = INFLATION, free: np.ndarray | None = None) -> Interval:
    """Boxes made larger at every end of a free variable by a part of their width, and a few units in the last place.

    Examples
    --------
    >>> larger = inflated(Interval.of([[0.0, 1.0]]))
    >>> bool(np.all(larger.lo < [0, 1]) and np.all(larger.hi > [0, 1]))
    True
    """
    more = part * (boxes.hi - boxes.lo) + ULPS * np.spacing(np.maximum(np.abs(boxes.lo), np.abs(boxes.hi)))
    if free is not None:
        more = np.where(free, more, 0.0)
    return Interval(boxes.lo - more, boxes.hi + more)


def look(
    derivatives: Differentiate, boxes: Interval, part: float = INFLATION, free: np.ndarray | None = None,
    within: Interval | None = None,
) -> Look:  # fmt: skip
    """Evaluate f for `contract`, on larger boxes that do not leave ``within``, shape (n,)."""
    region, middle = inflated(boxes, part, free), boxes.mid
    if within is not None:
        region = region.meet(within)
    return Look(region, middle, derivatives(region, 2), derivatives(Interval.of(middle), 1))


def look_within(derivatives: Differentiate, boxes: Interval, domain: Interval, free: np.ndarray | None = None) -> Look:
    """The same; at the edge of a domain only over what lies inside it, where f is not smooth beyond."""
    seen = look(derivatives, boxes, free=free)
    beyond = (seen.region.lo < domain.lo).any(axis=1) | (seen.region.hi > domain.hi).any(axis=1)
    again = np.flatnonzero(beyond & ~seen.known)
    if not len(again):
        return seen
    kept = None if free is None else free[again]
    return seen.replaced(again, look(derivatives, boxes[again], free=kept, within=domain))


def contract(seen: Look, boxes: Interval, free: np.ndarray | None = None) -> Contracted:
    """Krawczyk's operator, with the tests of the gradient that cost nothing more.

    Parameters
    ----------
    seen : Look
        f on the boxes made larger.
    boxes : Interval (B, n)
        Where zeros are looked for.
    free : ndarray of bool (B, n), optional
        The variables that vary: of the others nothing is asked, and they keep their values.

    Returns
    -------
    Contracted

    References
    ----------
    Neumaier (1990), "Interval Methods for Systems of Equations", Cambridge, theorem 5.1.8, p. 177.

    Examples
    --------
    >>> from functools import partial
    >>> from surefoot.problem.real import Builder
    >>> from surefoot.proof.jets import second_order
    >>> build = Builder(("x",))
    >>> f = build.graph(build.sum(build.sub(build.power(build.input, 3), build.input)))  # x^3 - x
    >>> boxes = Interval([[0.5], [1.0]], [[0.75], [2.0]])
    >>> found = contract(look(partial(second_order, f), boxes), boxes)
    >>> found.one.tolist(), found.none.tolist()
    ([True, False], [False, True])
    """
    slope, bend, here = seen.over.gradient, seen.over.hessian, seen.at.gradient
    if free is not None:
        slope, bend, here = _restricted(slope, bend, here, free)
    steep = (slope.lo > 0) | (slope.hi < 0)
    inverse = Interval.of(_inverses(bend.mid))
    rest = Interval.of(np.eye(boxes.shape[1])) - matrix_product(inverse, bend)
    step = _times(inverse, here)
    image = (Interval.of(seen.middle) - step) + _times(rest, seen.region - Interval.of(seen.middle))
    change = here + _times(bend, boxes - Interval.of(seen.middle))  # the mean value theorem
    away = (change.lo > 0) | (change.hi < 0)
    away |= (image.lo > boxes.hi) | (image.hi < boxes.lo)
    within = image.inside(seen.region) & ~image.is_empty
    if free is not None:
        steep, away, within = steep & free, away & free, within | ~free
    known = seen.known
    one, none = known & within.all(axis=1), known & away.any(axis=1) | seen.steady & steep.any(axis=1)
    kept = (known & ~none)[:, None]
    narrow, zero = image.meet(boxes), image.meet(seen.region)
    box = Interval(np.where(kept, narrow.lo, boxes.lo), np.where(kept, narrow.hi, boxes.hi))
    return Contracted(one, none, zero, seen.region, box)


def tightened(derivatives: Differentiate, zeros: Interval, free: np.ndarray | None = None) -> Interval:
    """Enclosures of zeros that are proven to be there, contracted until rounding ends it.

    Each must be the only zero of a region around its enclosure, on which f is smooth.
    """
    left = np.arange(len(zeros))
    closer = _closed_in(derivatives, zeros, free)
    lo, hi = closer.lo.copy(), closer.hi.copy()
    for _ in range(ROUNDS):
        if not len(left):
            break
        now = Interval(lo[left], hi[left])
        kept = None if free is None else free[left]
        seen = look(derivatives, now, 0.0, kept)
        image = contract(seen, now, kept).zero.meet(now)
        good = seen.known & ~image.is_empty.any(axis=1)
        lo[left] = np.where(good[:, None], image.lo, now.lo)
        hi[left] = np.where(good[:, None], image.hi, now.hi)
        width = np.max(hi[left] - lo[left], axis=1)
        shrunk = width < SHRUNK * np.max(now.hi - now.lo, axis=1)
        left = left[good & shrunk & (width > NOTHING)]
    return Interval(lo, hi)


def _closed_in(derivatives: Differentiate, zeros: Interval, free: np.ndarray | None) -> Interval:
    """A small box around where Newton's method leads, if that is proven to hold the zero; else what was given."""
    if not len(zeros):
        return zeros
    points = _polished(derivatives, zeros.mid, free, CLOSING)
    radius = CLOSE * np.maximum(1.0, np.abs(points))
    if free is not None:
        radius = np.where(free, radius, 0.0)
    around = Interval(points - radius, points + radius)
    found = contract(look(derivatives, around, 0.0, free), around, free)
    inside = found.region.within(zeros)
    good = (found.one & np.all(inside if free is None else inside | ~free, axis=1))[:, None]
    return Interval(np.where(good, found.zero.lo, zeros.lo), np.where(good, found.zero.hi, zeros.hi))


def zeros_near(derivatives: Differentiate, points: np.ndarray, free: np.ndarray | None = None) -> Contracted:
    """Prove a zero near each point: Newton's method in doubles, then Krawczyk's operator on boxes around where it ends.

    Parameters
    ----------
    derivatives : callable
        ``derivatives(boxes, order)``, as ``partial(second_order, graph)``.
    points : ndarray (B, n)
        Guesses; nothing is believed of them.
    free : ndarray of bool (B, n), optional
        The variables that vary.

    Returns
    -------
    Contracted
        ``one`` where it is proven: ``zero`` is as tight as doubles make it, ``region`` the largest box tried.
    """
    points = _polished(derivatives, points, free, STEPS)
    size = np.maximum(1.0, np.abs(points))
    count = len(points)
    one = np.zeros(count, dtype=bool)
    zero, region = (np.stack([points, points]) for _ in range(2))
    for radius in RADII:
        left = np.flatnonzero(~one)
        if not len(left):
            break
        around = Interval(points[left] - radius * size[left], points[left] + radius * size[left])
        kept = None if free is None else free[left]
        if kept is not None:
            around = Interval(np.where(kept, around.lo, points[left]), np.where(kept, around.hi, points[left]))
        found = contract(look(derivatives, around, 0.0, kept), around, kept)
        good = left[found.one]
        one[good] = True
        zero[:, good] = found.zero.lo[found.one], found.zero.hi[found.one]
        region[:, good] = found.region.lo[found.one], found.region.hi[found.one]
    proven = np.flatnonzero(one)
    if len(proven):
        tight = tightened(derivatives, Interval(*zero[:, proven]), None if free is None else free[proven])
        zero[:, proven] = tight.lo, tight.hi
    box = Interval(*zero)
    return Contracted(one, np.zeros(count, dtype=bool), box, Interval(*region), box)


def _polished(derivatives: Differentiate, points: np.ndarray, free: np.ndarray | None, steps: int) -> np.ndarray:
    for _ in range(steps):
        seen = derivatives(Interval.of(points), 2)
        slope, bend = seen.gradient, seen.hessian
        if free is not None:
            slope, bend, _ = _restricted(slope, bend, slope, free)
        with np.errstate(all="ignore"):
            step = np.einsum("bij,bj->bi", _inverses(bend.mid), slope.mid)
            moved = points - step
        points = np.where(np.isfinite(moved), moved, points)
    return points


def _restricted(
    slope: Interval, bend: Interval, here: Interval, free: np.ndarray
) -> tuple[Interval, Interval, Interval]:
    """Without the variables that do not vary: their equations become ``0 = 0``, their part of the Hessian the unit."""
    both = free[:, :, None] & free[:, None, :]
    unit = np.broadcast_to(np.eye(free.shape[1]), both.shape)
    return (
        Interval(np.where(free, slope.lo, 0.0), np.where(free, slope.hi, 0.0)),
        Interval(np.where(both, bend.lo, unit), np.where(both, bend.hi, unit)),
        Interval(np.where(free, here.lo, 0.0), np.where(free, here.hi, 0.0)),
    )


def _times(matrices: Interval, vectors: Interval) -> Interval:
    return matrix_product(matrices, vectors[..., None])[..., 0]


def _inverses(matrices: np.ndarray) -> np.ndarray:
    """About the inverses. They need not be good: a bad one proves nothing."""
    known = np.where(np.isfinite(matrices), matrices, 0.0)
    with np.errstate(all="ignore"):
        try:
            found = np.linalg.inv(known)
        except np.linalg.LinAlgError:  # one of them is singular
            singular = np.linalg.slogdet(known)[0] == 0
            unit = np.eye(known.shape[-1])
            found = np.linalg.inv(np.where(singular[:, None, None], unit, known))
    return np.where(np.isfinite(found), found, 0.0)
