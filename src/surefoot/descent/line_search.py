"""Line searches by values: backtracking (Armijo), and the strong conditions of Wolfe.

    Armijo          phi(t) <= phi(0) + c1 t phi'(0)
    strong Wolfe    and |phi'(t)| <= c2 |phi'(0)|

Armijo's rule only ever comes back from where it looks first, to the lowest point of a parabola, by a factor between 2
and 10. That of Wolfe brackets such a point and closes in on it by cubics. A rise within the rounding of f is no rise.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, algorithms 3.5 and 3.6, pp. 60-61, with
section 3.1, pp. 33-37, and the interpolation of pp. 57-59.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from surefoot.descent.norms import length_of
from surefoot.descent.profile import Point, Profile, nearer, search
from surefoot.descent.ray import Ray, Refusal, Taken
from surefoot.errors import ModelError

STEEP = 0.5
"""Share of the first slope that a point has whose fall is hidden by rounding."""


@dataclass(frozen=True)
class Armijo:
    """Come back until f has fallen enough.

    Attributes
    ----------
    decrease : float
        c1, the share of the decrease promised by the slope that must be had; between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from surefoot.descent.bowl import Bowl
    >>> from surefoot.descent.directions import SteepestDescent
    >>> from surefoot.descent.loop import walk
    >>> bowl = Bowl.of_arrays(np.array([[1.0, 0.0], [0.0, 3.0]]), np.array([1.0, 6.0]))
    >>> walk(bowl, SteepestDescent(), Armijo()).x.round(9).tolist()
    [1.0, 2.0]
    """

    decrease: float = 1e-4
    name: str = "Armijo backtracking"

    def __post_init__(self) -> None:
        if not 0 < self.decrease < 1:
            raise ModelError(f"Armijo's rule asks for a share of the decrease between 0 and 1, not {self.decrease:g}.")

    def take(self, ray: Ray) -> Taken | Refusal:
        return search(ray, self._accepts, _come_back)

    def steepest_settled(self, momentum: float) -> float:
        return float("inf")

    def _accepts(self, profile: Profile, point: Point) -> bool:
        return not _too_high(profile, point, self.decrease)


@dataclass(frozen=True)
class StrongWolfe:
    """Fall enough, and to where the slope is flatter.

    Attributes
    ----------
    decrease, flattening : float
        c1 and c2, ``0 < c1 < c2 < 1``; 0.9 suits quasi-Newton directions, 0.1 conjugate gradients.

    Examples
    --------
    >>> import numpy as np
    >>> from surefoot.descent.bowl import Bowl
    >>> from surefoot.descent.directions import SteepestDescent
    >>> from surefoot.descent.loop import walk
    >>> bowl = Bowl.of_arrays(np.array([[1.0, 0.0], [0.0, 3.0]]), np.array([1.0, 6.0]))
    >>> walk(bowl, SteepestDescent(), StrongWolfe()).x.round(9).tolist()
    [1.0, 2.0]
    """

    decrease: float = 1e-4
    flattening: float = 0.9
    name: str = "strong Wolfe line search"

    def __post_init__(self) -> None:
        if not 0 < self.decrease < self.flattening < 1:
            raise ModelError(
                "The conditions of Wolfe need 0 < decrease < flattening < 1, not "
                f"{self.decrease:g} and {self.flattening:g}."
            )

    def take(self, ray: Ray) -> Taken | Refusal:
        return search(ray, self._accepts, self._bracket)

    def steepest_settled(self, momentum: float) -> float:
        return float("inf")

    def _accepts(self, profile: Profile, point: Point) -> bool:
        flat = abs(point.slope) <= self.flattening * abs(profile.start.slope)
        return flat and not _too_high(profile, point, self.decrease)

    def _bracket(self, profile: Profile) -> None:
        before, t = profile.start, profile.first_length()
        while True:
            here = profile.look_from(before, t)
            if _too_high(profile, here, self.decrease) or (before.t > 0 and here.value >= before.value + profile.blur):
                return self._zoom(profile, before, here)
            if here.slope >= 0:
                return self._zoom(profile, here, before)
            before, t = here, profile.farther(here)

    def _zoom(self, profile: Profile, low: Point, other: Point) -> None:
        """Between the lowest point that has fallen enough and one towards which it still falls."""
        in_vain = 0
        while True:
            profile.must_differ(low.t, other.t)
            point = profile.look(low.t + (other.t - low.t) * min(_share(low, other), nearer(in_vain)))
            too_high = not point.is_finite or _too_high(profile, point, self.decrease)
            if _is_hidden(profile, point) and low.t < point.t < other.t:
                low, in_vain = point, 0  # so near that f does not show its fall: the looks before came back too far
            elif too_high or point.value >= low.value + profile.blur:
                other, in_vain = point, in_vain + 1
            else:
                if point.slope * (other.t - low.t) >= 0:
                    other = low
                low, in_vain = point, 0


def _is_hidden(profile: Profile, point: Point) -> bool:
    """Whether f still falls as steeply as at the start, and rounding of f or of x hides that it has fallen."""
    if not point.slope <= STEEP * profile.start.slope or point.trial is None:
        return False
    if abs(point.value - profile.start.value) <= profile.blur:
        return True
    told = point.t * profile.ray.way.vector
    off = point.trial.here.x - profile.ray.origin.x - told
    return length_of(off) > STEEP * length_of(told)


def _too_high(profile: Profile, point: Point, decrease: float) -> bool:
    return point.value > profile.start.value + decrease * point.t * profile.start.slope + profile.blur


def _come_back(profile: Profile) -> None:
    t = profile.first_length()
    while True:
        point = profile.look_from(profile.start, t)
        over = point.value - profile.start.value - profile.start.slope * point.t
        lowest = -profile.start.slope * point.t / (2 * over) if over > 0 else 0.5
        t = point.t * float(np.clip(lowest, 0.1, 0.5))


def _share(one: Point, other: Point) -> float:
    """Where the cubic through both is lowest, as a share of the way between, a tenth from the ends; else the middle."""
    if not other.is_finite:
        return 0.5
    chord = (one.value - other.value) / (one.t - other.t)
    unit = max(abs(one.slope), abs(other.slope), abs(chord))
    if not 0 < unit < math.inf:
        return 0.5
    here, there, mean = one.slope / unit, other.slope / unit, (one.slope + other.slope - 3 * chord) / unit
    inside = mean * mean - here * there
    if not 0 <= inside < math.inf:
        return 0.5
    root = math.copysign(math.sqrt(inside), other.t - one.t)
    below = there - here + 2 * root
    return min(max(1 - (there + root - mean) / below, 0.1), 0.9) if below != 0 else 0.5
