"""The line search of Hager and Zhang: it works to the last digit, where differences of values are only rounding.

A step t is accepted if it satisfies the conditions of Wolfe or, once values are equal up to rounding, what they come
to on a quadratic, which takes slopes alone:

    phi(t) <= phi(0) + d t phi'(0)  and  phi'(t) >= s phi'(0),
    (2 d - 1) phi'(0) >= phi'(t) >= s phi'(0)  and  phi(t) <= phi(0) + eps

An interval around a lowest point shrinks by two secant steps, and by half if they gain less than a third. eps is a
hundred times the rounding of f, not the 1e-6 |f| of the paper: it must not depend on a constant added to f.

Reference: Hager, Zhang (2005), "A new conjugate gradient method with guaranteed descent and an efficient line search",
SIAM J. Optim. 16(1), pp. 170-192, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass

from surefoot.descent.bracket import bracket, middle, secant, updated
from surefoot.descent.profile import Point, Profile, search
from surefoot.descent.ray import Ray, Refusal, Taken
from surefoot.errors import ModelError

SHRINK = 0.66
"""An interval that keeps more than this share is halved as well."""
BLURS = 100.0
"""Differences of values up to so many times their rounding may be rounding."""


@dataclass(frozen=True)
class HagerZhang:
    """The approximate conditions of Wolfe, by secants and bisection.

    Attributes
    ----------
    decrease, flattening : float
        d and s: the share of the decrease promised by the slope that must be had, and the share of the slope that may
        be left; ``0 < d < 1/2``, ``d <= s < 1``.

    Examples
    --------
    >>> import numpy as np
    >>> from surefoot.descent.bowl import Bowl
    >>> from surefoot.descent.directions import SteepestDescent
    >>> from surefoot.descent.loop import walk
    >>> bowl = Bowl.of_arrays(np.array([[1.0, 0.0], [0.0, 3.0]]), np.array([1.0, 6.0]))
    >>> walk(bowl, SteepestDescent(), HagerZhang()).x.round(12).tolist()
    [1.0, 2.0]
    """

    decrease: float = 0.1
    flattening: float = 0.9
    name: str = "Hager-Zhang line search"

    def __post_init__(self) -> None:
        if not (0 < self.decrease < 0.5 and self.decrease <= self.flattening < 1):
            raise ModelError(
                f"A Hager-Zhang search needs 0 < decrease < 1/2 and decrease <= flattening < 1, not "
                f"{self.decrease:g} and {self.flattening:g}."
            )

    def take(self, ray: Ray) -> Taken | Refusal:
        return search(ray, self._accepts, _shrink)

    def steepest_settled(self, momentum: float) -> float:
        return float("inf")

    def _accepts(self, profile: Profile, point: Point) -> bool:
        start = profile.start
        if point.slope < self.flattening * start.slope:
            return False
        rise = point.value - start.value
        if rise <= self.decrease * point.t * start.slope:
            return True
        return rise <= BLURS * profile.blur and point.slope <= (2 * self.decrease - 1) * start.slope


def _shrink(profile: Profile) -> None:
    blur = BLURS * profile.blur
    a, b = bracket(profile, profile.first_length(), blur)
    while True:
        profile.must_differ(a.t, b.t)
        width = b.t - a.t
        a, b = _two_secants(profile, a, b, blur)
        if b.t - a.t > SHRINK * width:
            a, b = updated(profile, a, b, middle(a, b), blur)


def _two_secants(profile: Profile, a: Point, b: Point, blur: float) -> tuple[Point, Point]:
    """A secant step, and one more through the end that it replaced, as that end was and as it is."""
    t = secant(a, b)
    new_a, new_b = updated(profile, a, b, t, blur)
    if new_b.t == t:
        t = secant(b, new_b)
    elif new_a.t == t:
        t = secant(a, new_a)
    else:
        return new_a, new_b
    return updated(profile, new_a, new_b, t, blur)
