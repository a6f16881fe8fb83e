"""Steps whose length is known before f is looked at: the full step, that of Polyak, and the silver steps.

    full       x_new = x + p              (a direction with a length of its own)
    Polyak     x_new = x + t p,           t = (f - f*) / -g'p                     (f* known)
    silver     x_new = x + t p,           t = (1 + (1 + sqrt 2)^(v - 1)) / L      (2^v the largest power of 2 in k)

None asks whether f falls. The step of Polyak leads towards every minimiser of a convex f. Silver steps, some of which
are far longer than 2/L, bring a convex f down like 1/k^1.27 in k = 2^m - 1 of them, where a fixed rate has 1/k.

References: Polyak (1987), "Introduction to Optimization", Optimization Software, section 5.3 (his step); Altschuler,
Parrilo (2025), "Acceleration by stepsize hedging I", J. ACM 72(2), pp. 1-38 (silver).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from surefoot.descent.ray import Ray, Refusal, Taken
from surefoot.descent.stop import Reason
from surefoot.errors import ModelError, OptionError


@dataclass(frozen=True)
class FullStep:
    """The step that the direction itself proposes, as Newton's method takes it; fast near a minimum, and no more.

    Examples
    --------
    >>> import numpy as np
    >>> from surefoot.descent.bowl import Bowl
    >>> from surefoot.descent.loop import walk
    >>> from surefoot.descent.quasi_newton import BFGS
    >>> bowl = Bowl.of_arrays(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([1.0, 6.0]))
    >>> walk(bowl, BFGS(), FullStep()).x.round(9).tolist()
    [1.0, 3.0]
    """

    name: str = "full step"

    def take(self, ray: Ray) -> Taken | Refusal:
        return ray.taken(ray.see(ray.first_length()))

    def steepest_settled(self, momentum: float) -> float:
        return float("inf")


@dataclass(frozen=True)
class Polyak:
    """As far as the value that is known to be the lowest lets expect.

    Attributes
    ----------
    lowest : float
        f*, the lowest value of f. Too low a number makes steps too long; f is then not reached, and the walk wanders.

    Examples
    --------
    >>> import numpy as np
    >>> from surefoot.descent.bowl import Bowl
    >>> from surefoot.descent.directions import SteepestDescent
    >>> from surefoot.descent.loop import walk
    >>> bowl = Bowl.of_arrays(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([1.0, 6.0]))
    >>> walk(bowl, SteepestDescent(), Polyak(0.0)).x.round(9).tolist()
    [1.0, 3.0]
    """

    lowest: float
    name: str = "Polyak's step"

    def __post_init__(self) -> None:
        if not math.isfinite(self.lowest):
            raise OptionError(f"Polyak's step needs the lowest value of f, a finite number; {self.lowest:g} is not.")

    def take(self, ray: Ray) -> Taken | Refusal:
        above, slope = ray.origin.value - self.lowest, ray.slope
        if above < -ray.ground.blur(ray.origin):
            raise ModelError(
                f"Polyak's step was given {self.lowest:.9g} as the lowest value of f, which is {ray.origin.value:.9g} "
                "at a point of the walk: give a lower one, or choose another step rule."
            )
        if above <= ray.ground.blur(ray.origin):
            return Refusal(Reason.TOLERANCE, f"f is at the lowest value that was given, {self.lowest:.9g}")
        if not slope < 0:
            return Refusal(Reason.NO_DECREASE, f"the slope along the direction is {slope:.3g}")
        return ray.taken(ray.see(above / -slope))

    def steepest_settled(self, momentum: float) -> float:
        return float("inf")


@dataclass
class Silver:
    """Short and long steps in a fractal order that together contract faster than any one of them. It serves one walk.

    Attributes
    ----------
    largest : float
        L, the largest curvature of f anywhere. Unlike a fixed rate these steps do not forgive one that is too small.

    Examples
    --------
    >>> silver = Silver(1.0)
    >>> [round(silver.following(), 4) for _ in range(7)]
    [1.4142, 2.0, 1.4142, 3.4142, 1.4142, 2.0, 1.4142]
    """

    largest: float
    name: str = "silver steps"
    _taken: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if not 0 < self.largest < math.inf:
            known = f"{self.largest:g}"
            raise OptionError(f"Silver steps need the largest curvature, a finite number above 0, not {known}.")

    def following(self) -> float:
        """The next length of the schedule."""
        self._taken += 1
        twos = (self._taken & -self._taken).bit_length() - 1
        return (1 + (1 + math.sqrt(2)) ** (twos - 1)) / self.largest

    def take(self, ray: Ray) -> Taken | Refusal:
        return ray.taken(ray.see(self.following()))

    def steepest_settled(self, momentum: float) -> float:
        return float("inf")
