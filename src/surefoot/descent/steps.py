"""Steps by a rule that looks once: a fixed rate, the full step, that of Polyak, and the silver steps.

    fixed learning rate    x_new = x + rate p
    full                   x_new = x + p              (a direction with a length of its own)
    Polyak                 x_new = x + t p,   t = (f - f*) / -g'p                     (f* known)
    silver                 x_new = x + t p,   t = (1 + (1 + sqrt 2)^(v - 1)) / L      (2^v the largest power of 2 in k)

None asks whether f falls. The fixed rate settles on a bowl of largest curvature L if and only if it is below 2/L. The
step of Polyak leads towards every minimiser of a convex f. Silver steps, some of which are far longer than 2/L, bring
a convex f down like 1/k^1.27 in k = 2^m - 1 of them, where a fixed rate needs as many steps as 1/k says.

References: Polyak (1987), "Introduction to Optimization", Optimization Software, section 1.4 (fixed rate) and section
5.3 (Polyak's step); Altschuler, Parrilo (2025), "Acceleration by stepsize hedging I", J. ACM 72(2), pp. 1-38 (silver).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from surefoot.descent.curvatures import measure
from surefoot.descent.ground import Ground, Here
from surefoot.descent.ray import Ray, Refusal, Taken
from surefoot.descent.stop import Reason
from surefoot.errors import ModelError, OptionError
from surefoot.wording import counted


class Step(Protocol):
    """A rule for how far to go."""

    @property
    def name(self) -> str:
        """As a person calls it."""
        ...

    def take(self, ray: Ray) -> Taken | Refusal:
        """Go along the way, or say why no step can be taken."""
        ...

    def steepest_settled(self, momentum: float) -> float:
        """The largest curvature on which steps of this length settle; beyond it they overshoot more each time."""
        ...


@dataclass(frozen=True)
class FixedRate:
    """A learning rate: always the same multiple of the direction.

    Attributes
    ----------
    rate : float
        It settles on a bowl of largest curvature L if and only if it is below 2/L.
    name : str
        With where the rate came from, if nobody gave it.
    """

    rate: float
    name: str = "fixed learning rate"

    def __post_init__(self) -> None:
        if not (self.rate > 0 and np.isfinite(self.rate)):
            raise OptionError(f"A learning rate is a finite number above 0; {self.rate:g} is not.")

    @classmethod
    def measured(cls, ground: Ground, here: Here) -> FixedRate:
        """The safe rate 1/L, with L measured by a few products with the Hessian.

        L comes out too small by a little, never by half, so that the rate stays below 2/L.

        Raises
        ------
        ModelError
            The gradient is zero there, so there is nothing to measure along; or f does not curve upwards along it.
        """
        if here.steepness == 0:
            raise ModelError("The gradient is zero at the start: no rate can be measured, and none is needed.")
        found = measure(ground, here.x, here.gradient)
        if not found.largest > 0:
            raise ModelError(
                "No rate can be measured at the start, because f does not curve upwards there: give one, as steps=0.01."
            )
        rate = 1 / found.largest
        how = f"L = {found.largest:.6g} measured by {counted(found.products, 'product')} with the Hessian"
        return cls(rate, f"fixed learning rate 1/L = {rate:.6g}, {how}")

    def take(self, ray: Ray) -> Taken | Refusal:
        ground, here, direction = ray.ground, ray.origin, ray.way.vector
        there = ground.see(here.x + self.rate * direction)
        change = there.gradient - here.gradient
        squared = float(direction @ direction)
        curvature = float(change @ direction) / (self.rate * squared) if squared > 0 else 0.0
        # Both gradients are rounded: what that could have made of the quotient is taken off.
        rounding = 2 * ground.floor(there, curvature).gradient / (self.rate * np.sqrt(squared)) if squared > 0 else 0.0
        curvature = max(0.0, curvature - rounding)
        return Taken(here, here.value, direction, self.rate, change, curvature, there)

    def steepest_settled(self, momentum: float) -> float:
        return 2 * (1 + momentum) / self.rate


@dataclass(frozen=True)
class FullStep:
    """The step that the direction itself proposes, as Newton's method takes it; fast near a minimum, and no more.

    Examples
    --------
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
            raise OptionError(
                f"Silver steps need the largest curvature, a finite number above 0, not {self.largest:g}."
            )

    def following(self) -> float:
        """The next length of the schedule."""
        self._taken += 1
        twos = (self._taken & -self._taken).bit_length() - 1
        return (1 + (1 + math.sqrt(2)) ** (twos - 1)) / self.largest

    def take(self, ray: Ray) -> Taken | Refusal:
        return ray.taken(ray.see(self.following()))

    def steepest_settled(self, momentum: float) -> float:
        return float("inf")
