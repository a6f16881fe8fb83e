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

from dataclasses import dataclass

import numpy as np

from surefoot.proof.interval import Interval
from surefoot.proof.interval_sums import matrix_product
from surefoot.proof.looking import Differentiate, Look, look

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
