"""Exact line search: to the lowest point of the line, where the new gradient is perpendicular to the way.

    phi'(t) = g(x + t p)'p = 0

On a bowl in closed form, ``t = -g'p / (p'H p)``. It needs ``H p``, carries the gradient over as ``g_new = g + t H p``,
and sees the true one at the old point in the same pass. While both agree to two digits the carried one is used,
because conjugate gradients live on the rounding of one step after the other being small (replaced at every step, they
need about twice as many); once rounding has piled up to more, the true one takes over (van der Vorst, Ye (2000), SIAM
J. Sci. Comput. 22(3), pp. 835-852).

Anywhere else the root of phi' between a slope downhill and one uphill, by Brent's method. Not the lowest of phi: values
are flat there, so that they show it to half of the digits only.

Reference: Brent (1973), "Algorithms for Minimization without Derivatives", Prentice-Hall, chapter 4, pp. 47-60.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from surefoot.descent.ground import Here
from surefoot.descent.norms import length_of
from surefoot.descent.ray import Ray, Refusal, Taken
from surefoot.descent.stop import Reason

if TYPE_CHECKING:
    from surefoot.descent.profile import Point, Profile

DRIFT = 1e-2
"""How far a carried gradient may be from the true one, relative to it."""
UNIT = np.finfo(float).eps / 2
PERPENDICULAR = 1e-10
"""Cosine between the way and the new gradient at which they are perpendicular."""


@dataclass(frozen=True)
class ExactStep:
    """To the lowest point of the line.

    Examples
    --------
    >>> from surefoot.descent.bowl import Bowl
    >>> from surefoot.descent.directions import SteepestDescent
    >>> from surefoot.descent.loop import Budget, walk
    >>> bowl = Bowl.of_arrays(np.array([[1.0, 0.0], [0.0, 3.0]]), np.array([1.0, 6.0]))
    >>> walk(bowl, SteepestDescent(), ExactStep(), budget=Budget(5)).trace["angle"][2:].round(9).tolist()
    [90.0, 90.0, 90.0, 90.0]
    """

    name: str = "exact line search"

    def take(self, ray: Ray) -> Taken | Refusal:
        return _closed_form(ray) if ray.ground.is_quadratic else _searched(ray)

    def steepest_settled(self, momentum: float) -> float:
        return float("inf")


def _closed_form(ray: Ray) -> Taken | Refusal:
    ground, here, direction = ray.ground, ray.origin, ray.way.vector
    fresh, bent = ground.see_along(here.x, direction)
    origin = here if _agree(here.gradient, fresh.gradient) else fresh
    slope, curved, squared = float(origin.gradient @ direction), float(direction @ bent), float(direction @ direction)
    if not squared > np.finfo(float).tiny:
        return Refusal(Reason.NO_DECREASE)  # squares have left the doubles: there is nothing left to go
    if not curved > 0:
        return Refusal(Reason.NO_CURVATURE)
    length = -slope / curved
    change, decrease = length * bent, -slope * length / 2
    value = max(ground.lowest, fresh.value - decrease)
    there = Here(here.x + length * direction, value, origin.gradient + change, seen=False)
    curvature = curved / squared
    return Taken(origin, fresh.value, direction, length, change, curvature, there)


def _searched(ray: Ray) -> Taken | Refusal:
    from surefoot.descent.profile import search

    return search(ray, _is_perpendicular, _root)


def _is_perpendicular(profile: Profile, point: Point) -> bool:
    """Whether the slope is zero, as far as the angle or the rounding of x and of the gradients can tell."""
    assert point.trial is not None
    start, way, there = profile.start, profile.ray.size, point.trial.here
    if not point.t * way > 0:  # so short a way that its length underflows
        return False
    rounding = abs(start.slope) + length_of(there.x) * abs(point.slope - start.slope) / (point.t * way)
    zero = max(PERPENDICULAR * there.steepness * way, 4 * UNIT * rounding)
    return abs(point.slope) <= zero and point.value <= start.value + profile.blur


def _root(profile: Profile) -> Point | None:
    """Where the slope changes its sign, no higher than the lower end of the interval."""
    from surefoot.descent.bracket import bisected, bracket, narrowed

    a, b = bracket(profile, profile.first_length(), profile.blur)
    while True:
        a, b = narrowed(profile, a, b, profile.blur)
        point = _brent(profile, a, b)
        if point.value <= a.value + profile.blur:
            return point if point.trial is not None else None
        # A higher valley was found: look nearer, where f still falls from a.
        a, b = bisected(profile, a, point, profile.blur)


def _brent(profile: Profile, a: Point, b: Point) -> Point:
    """The flattest point of an interval by Brent's method, or the first that falls from higher than the interval does.

    Beyond such a point the root is that of a higher valley: to its last digits it would cost all the looks there are.
    """
    from scipy.optimize import brentq

    looks = {a.t: a, b.t: b}

    def slope(t: float) -> float:
        point = looks[t] if t in looks else profile.look(t)
        if not point.is_finite:
            return -a.slope  # as if uphill: the root is sought on the near side
        looks[t] = point
        if point.slope < 0 and point.value > a.value + profile.blur:
            raise _High(point)
        return point.slope

    try:
        brentq(slope, a.t, b.t, xtol=1e-300, rtol=8 * UNIT, maxiter=100, disp=False)
    except _High as high:
        return high.point
    return min(looks.values(), key=lambda look: abs(look.slope))


class _High(Exception):
    def __init__(self, point: Point) -> None:
        self.point = point


def _agree(carried: np.ndarray, true: np.ndarray) -> bool:
    return float(np.linalg.norm(carried - true)) <= DRIFT * float(np.linalg.norm(true))
