"""What is proven of the global minimum of a box, from branch and bound and the stationary points that are known.

min over candidates and boxes left of their lower bounds  <=  min f  <=  the lowest value seen, rounded up
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.problem.box import Box
from surefoot.proof.certificate import Verdict
from surefoot.proof.cutting import fused
from surefoot.proof.global_minimum import Minimising, values_at
from surefoot.proof.interval import Interval
from surefoot.proof.krawczyk import Differentiate
from surefoot.proof.zeros import Place, Sharpen, StationaryPoint, placed


@dataclass(frozen=True)
class MinimumPoint:
    """A point that can be the global minimum: nothing lower is proven.

    Attributes
    ----------
    x : ndarray (n,), or in the caller's shape
        A double next to it.
    enclosure, region : Box
        It lies in the first, and is the only such point in the second.
    values : tuple of float
        Lower and upper bound of f there.
    sides : tuple of int
        For each variable -1 or 1 where the point lies on the lower or the upper face of the box, else 0.
    stationary : bool
        Whether the whole gradient is proven to be 0, not only its part along the faces.
    """

    x: Any
    enclosure: Box
    region: Box
    values: tuple[float, float]
    sides: tuple[int, ...]
    stationary: bool

    @property
    def flat(self) -> np.ndarray:
        """A double next to it, as a vector."""
        return Interval(self.enclosure.lower, self.enclosure.upper).mid


@dataclass(frozen=True)
class GlobalMinimum:
    """What is proven of the lowest value of f in a box.

    Attributes
    ----------
    values : tuple of float
        It lies between these two numbers.
    best : ndarray (n,)
        A double at or next to a place where f is at most ``values[1]``; NaN where there is none.
    points : tuple of MinimumPoint
        Points where it can be taken.
    undecided : tuple of Box
        Boxes where it can also be taken.
    reason : str
        Why it is not known better; empty if that is not so.
    """

    values: tuple[float, float]
    best: np.ndarray
    points: tuple[MinimumPoint, ...]
    undecided: tuple[Box, ...]
    reason: str

    @property
    def value(self) -> float:
        """The middle of the two bounds; the upper one where the lower is infinite."""
        low, high = self.values
        return low + (high - low) / 2 if np.isfinite(low) and np.isfinite(high) else high

    @property
    def is_known(self) -> bool:
        """Whether its value is known to nine digits, wherever it is taken."""
        low, high = self.values
        return bool(high - low <= 1e-9 * max(1.0, abs(high)))

    @property
    def verdict(self) -> Verdict:
        """Unique if there is one place for it; global minimum if it is proven where; else inconclusive.

        That of a place: the value can be known although the place is not (`is_known`).
        """
        if len(self.points) == 1 and not self.undecided:
            return Verdict.UNIQUE_GLOBAL_MINIMUM
        low, high = self.values
        known = (self.points and not self.undecided) or low == high
        return Verdict.GLOBAL_MINIMUM if known else Verdict.INCONCLUSIVE


def lowest_of(
    derivatives: Differentiate, box: Box, known: Minimising, points: tuple[StationaryPoint, ...], sharpen: Sharpen
) -> GlobalMinimum:
    """The global minimum from branch and bound over the faces and what is undecided, and the points inside.

    Parameters
    ----------
    derivatives : callable
        ``derivatives(boxes, order)``.
    box : Box
        The whole box.
    known : Minimising
        The end of branch and bound.
    points : tuple of StationaryPoint
        Those that it was spared.
    sharpen : callable
        As for `zeros.placed`.
    """
    found = [
        MinimumPoint(point.flat, point.enclosure, point.region, point.values, _sides(point, box), True)
        for point in points
    ]
    found += _on_their_faces(derivatives, box, known, sharpen)
    top = known.top
    kept = _once([point for point in found if point.values[0] <= top])
    left = fused(known.waiting)
    lowers = [point.values[0] for point in kept] + known.bounds.tolist()
    undecided = tuple(Box(a, b) for a, b in zip(left.lo, left.hi, strict=True))
    reason = f"The search ended early: {known.stop}." if known.stop else ""
    if not lowers:
        reason = reason or "f is defined nowhere in the box."
    return GlobalMinimum((min([*lowers, top]), top), known.best, tuple(kept), undecided, reason)


def _on_their_faces(derivatives: Differentiate, box: Box, known: Minimising, sharpen: Sharpen) -> list[MinimumPoint]:
    """The candidates of branch and bound; a zero of the whole gradient may lie on a face, too."""
    candidates, values = known.candidates, values_at(derivatives, known.candidates)
    found = []
    for k in range(len(candidates)):
        zero, region = candidates.zeros[k], candidates.regions[k]
        sides, stationary = candidates.sides[k], not np.any(candidates.sides[k])
        enclosure = Box(zero.lo, zero.hi)
        place = placed(derivatives, box, zero[None], region[None], sharpen)[0] if stationary else Place.INSIDE
        if place is None:
            continue
        if place is Place.BOUNDARY:
            sides = _faces_of(enclosure, box)
        found.append(
            MinimumPoint(zero.mid, enclosure, Box(region.lo, region.hi),
                         (float(values.lo[k]), float(values.hi[k])), tuple(int(side) for side in sides), stationary)
        )  # fmt: skip
    return found


def _sides(point: StationaryPoint, box: Box) -> tuple[int, ...]:
    if point.place is not Place.BOUNDARY:
        return (0,) * len(box.lower)
    return tuple(int(side) for side in _faces_of(point.enclosure, box))


def _faces_of(enclosure: Box, box: Box) -> np.ndarray:
    """Of a point that is proven to lie on every face that its enclosure meets."""
    return (enclosure.upper >= box.upper).astype(int) - (enclosure.lower <= box.lower).astype(int)


def _once(points: list[MinimumPoint]) -> list[MinimumPoint]:
    """Each point once: one on a face is found from there and from inside."""
    kept: list[MinimumPoint] = []
    for point in sorted(points, key=lambda one: (not one.stationary, one.values[1])):
        if not any(_is(other, point) for other in kept):
            kept.append(point)
    return sorted(kept, key=lambda one: (one.values[1], *one.flat))


def _is(point: MinimumPoint, other: MinimumPoint) -> bool:
    """Whether a point is proven to be another one: it is such a point, in a region that has only one."""
    for mine, its in zip(point.sides, other.sides, strict=True):
        if (its and mine != its) or (not its and mine and not point.stationary):
            return False
    low, high = other.region.lower, other.region.upper
    free = np.array([not side for side in other.sides])
    inside = (point.enclosure.lower >= low) & (point.enclosure.upper <= high)
    return bool(np.all(inside | ~free))
