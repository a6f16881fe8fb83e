"""What a line search sees: the profile of f along a ray, a function of one number.

    phi(t) = f(x + t p),    phi'(t) = g(x + t p)'p,    phi'(0) < 0

It counts the looks, comes back from where f is not finite, looks farther ahead while f falls, keeps the lowest point,
and ends the search at the first point that the rule accepts. A rule is then two things: what it accepts, and where it
looks next. Where the slope would leave the range of a double the direction is measured in a power of two.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, section 3.5, pp. 56-62 (what every line
search has in common).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from surefoot.descent.directions import Way
from surefoot.descent.norms import LARGEST, SMALLEST, length_of, power_of_two
from surefoot.descent.ray import Ray, Refusal, Taken, Trial
from surefoot.descent.stop import Reason

TRIALS = 50
"""Looks along one ray, after which the lowest point seen is taken."""
GROWTH, PATIENT = 5.0, 6
"""Each look ahead is so many times farther; after this many the factor itself is squared each time."""
HASTE = 4
"""Looks that were all too far, after which each comes nearer by the square of the factor before."""
FARTHEST = 1.7e308
"""The end of the doubles."""
NEAREST = 1e-13
"""Relative width below which an interval on the ray holds nothing more to find."""
BACK = "stepped back: f is not finite farther on"


class Point(NamedTuple):
    """A look: its length t along the ray, phi(t), phi'(t), and the trial that it was."""

    t: float
    value: float
    slope: float
    trial: Trial | None = None

    @property
    def is_finite(self) -> bool:
        return math.isfinite(self.value) and math.isfinite(self.slope)


class Profile:
    """f along a ray.

    Parameters
    ----------
    ray : Ray
        From where, and which way.
    accepts : callable
        Whether a point, whose value and slope are finite, may end the search.

    Attributes
    ----------
    start : Point
        phi(0) and phi'(0).
    blur : float
        A difference of values that is no more than rounding.
    """

    def __init__(self, ray: Ray, accepts: Callable[[Profile, Point], bool]) -> None:
        self.ray, self.unit = _tamed(ray)
        self.start = self.lowest = self.flattest = Point(0.0, ray.origin.value, self.ray.slope)
        self.blur = ray.ground.blur(ray.origin)
        self._accepts = accepts
        self._trials, self._longer, self._wall, self._turned_back = TRIALS, 0, math.inf, False

    def look(self, t: float) -> Point:
        """Look at a length; the search ends here if the rule accepts the point or the looks are used up."""
        if self._trials == 0:
            raise _Ended
        self._trials -= 1
        trial = self.ray.see(t)
        point = Point(t, trial.here.value, trial.slope, trial)
        if not math.isfinite(trial.moved):  # 1/x is a number there, and x is none
            point = Point(t, math.nan, math.nan, trial)
        if point.value == -math.inf:
            raise _Bottomless(point)
        if not point.is_finite:
            self._wall, self._turned_back = min(self._wall, t), True
            return point
        if point.value < self.lowest.value:
            self.lowest = point
        if point.value <= self.start.value + self.blur and abs(point.slope) < abs(self.flattest.slope):
            self.flattest = point
        if self._accepts(self, point):
            raise _Found(point)
        return point

    def look_from(self, near: Point, t: float) -> Point:
        """Look at a length, and come back towards a nearer point until f is finite, faster each time."""
        point, share = self.look(t), 0.1
        while not point.is_finite:
            back = near.t + share * (self._wall - near.t)
            if not near.t < back < self._wall:
                raise _Ended
            point, share = self.look(back), max(share * share, 1e-200)
        return point

    def farther(self, point: Point) -> float:
        """Where to look after a point from where f still falls."""
        self._longer += 1
        factor = GROWTH if self._longer <= PATIENT else 10.0 ** min(2 ** (self._longer - PATIENT - 1), 128)
        if point.t >= FARTHEST:
            raise _Bottomless(point)
        if self._wall < math.inf:
            self.must_differ(point.t, self._wall)
            return min(point.t * factor, point.t + (self._wall - point.t) / 2)
        return min(point.t * factor, FARTHEST)

    def must_differ(self, near: float, far: float) -> None:
        """End the search where two lengths cannot be told apart."""
        if abs(far - near) <= NEAREST * max(abs(near), abs(far)):
            raise _Ended

    def first_length(self) -> float:
        """Where to look first."""
        t = self.ray.first_length()
        if not (0 < t < math.inf):
            raise _Ended
        return t

    def taken(self, point: Point, remark: str = "") -> Taken:
        """The step to a point, in multiples of the direction as it was chosen, if those are doubles."""
        assert point.trial is not None
        taken = self.ray.taken(point.trial, "; ".join(filter(None, [remark, BACK if self._turned_back else ""])))
        length = taken.length / self.unit
        if self.unit == 1 or not 1e-305 < length < 1e305:
            return taken
        return replace(taken, direction=taken.direction * self.unit, length=length)

    def settle(self) -> Taken | Refusal:
        """What a search without an accepted point comes to: the lowest point, or none."""
        if self.lowest.value < self.start.value:
            return self.taken(self.lowest, "the lowest point seen, as none was good enough")
        if self.flattest.trial is not None:
            return self.taken(self.flattest, "as low as the start up to rounding, and flatter")
        looks = TRIALS - self._trials
        return Refusal(Reason.NO_DECREASE, f"none of {looks} points is lower than {self.start.value:.9g}")


def search(
    ray: Ray, accepts: Callable[[Profile, Point], bool], look_around: Callable[[Profile], Point | None]
) -> Taken | Refusal:
    """Look along a ray by a rule until it accepts a point.

    Parameters
    ----------
    ray : Ray
        From where, and which way.
    accepts : callable
        Whether a point may end the search.
    look_around : callable
        The rule itself; it looks until it is interrupted, or returns a point of its own choice (None: the lowest).

    Returns
    -------
    Taken or Refusal
        ``UNBOUNDED`` where f is minus infinity along the way, ``NO_DECREASE`` where no point is lower.
    """
    profile = Profile(ray, accepts)
    if not profile.start.slope < 0:
        return Refusal(Reason.NO_DECREASE, f"the slope along the direction is {profile.start.slope:.3g}")
    try:
        point = look_around(profile)
        return profile.settle() if point is None else profile.taken(point)
    except _Found as found:
        return profile.taken(found.point)
    except _Ended:
        return profile.settle()
    except _Bottomless as bottomless:
        return _unbounded(profile, bottomless.point)


class _Found(Exception):
    def __init__(self, point: Point) -> None:
        self.point = point


class _Ended(Exception):
    pass


class _Bottomless(Exception):
    def __init__(self, point: Point) -> None:
        self.point = point


def nearer(in_vain: int) -> float:
    """The largest share of the way to look at after looks that were all too far: nearer by more each time."""
    return 1.0 if in_vain < HASTE else 10.0 ** -min(2 ** (in_vain - HASTE), 300)


def _unbounded(profile: Profile, beyond: Point) -> Refusal:
    assert beyond.trial is not None
    low, far = profile.lowest, length_of(beyond.trial.here.x)
    size = length_of(profile.ray.origin.x if low.trial is None else low.trial.here.x)
    end = f"minus infinity in double precision at |x| = {far:.3g}"
    if beyond.value > -math.inf:
        end = "still falls there, where the doubles end"
    return Refusal(Reason.UNBOUNDED, f"f is {low.value:.3g} at |x| = {size:.3g} and {end}")


def _tamed(ray: Ray) -> tuple[Ray, float]:
    """The ray with its direction divided by a power of two if the slope along it is not a sound double."""
    if SMALLEST < abs(ray.slope) < LARGEST:
        return ray, 1.0
    largest = float(np.max(np.abs(ray.way.vector), initial=0.0))
    if not 0 < largest < math.inf:
        return ray, 1.0
    unit = power_of_two(largest)
    natural = None if ray.way.natural is None else ray.way.natural * unit
    return replace(ray, way=Way(ray.way.vector / unit, natural, ray.way.model)), unit
