"""Steps: how far to go along a direction.

    fixed learning rate    x_new = x + rate p
    exact line search      x_new = x + t p,   t = -g'p / (p'H p)     (closed form where f is a bowl)

Either costs one pass. The fixed rate needs the gradient at the new point. The exact step needs ``H p``, carries the
gradient over as ``g_new = g + t H p``, and sees the true one at the old point in the same pass. While both agree to two
digits the carried one is used, because conjugate gradients live on the rounding of one step after the other being
small (replaced at every step, they need about twice as many); once rounding has piled up to more, the true one takes
over.

References: van der Vorst, Ye (2000), "Residual replacement strategies for Krylov subspace iterative methods for the
convergence of true residuals", SIAM J. Sci. Comput. 22(3), pp. 835-852; Nocedal, Wright (2006), "Numerical
Optimization", 2nd ed., Springer, section 3.3, p. 42 (exact step on a quadratic); Polyak (1987), "Introduction to
Optimization", Optimization Software, section 1.4 (fixed rate).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from surefoot.descent.curvatures import measure
from surefoot.descent.ground import Ground, Here
from surefoot.descent.ray import Ray, Refusal, Taken
from surefoot.descent.stop import Reason
from surefoot.errors import ModelError
from surefoot.wording import counted

DRIFT = 1e-2
"""How far a carried gradient may be from the true one, relative to it."""


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
class ExactStep:
    """To the lowest point of the line."""

    name: str = "exact line search"

    def take(self, ray: Ray) -> Taken | Refusal:
        ground, here, direction = ray.ground, ray.origin, ray.way.vector
        fresh, bent = ground.see_along(here.x, direction)
        origin = here if _agree(here.gradient, fresh.gradient) else fresh
        slope, curved = float(origin.gradient @ direction), float(direction @ bent)
        if not curved > 0:
            return Refusal(Reason.NO_CURVATURE)
        length = -slope / curved
        change, decrease = length * bent, -slope * length / 2
        value = max(ground.lowest, fresh.value - decrease)
        there = Here(here.x + length * direction, value, origin.gradient + change, seen=False)
        curvature = curved / float(direction @ direction)
        return Taken(origin, fresh.value, direction, length, change, curvature, there)

    def steepest_settled(self, momentum: float) -> float:
        return float("inf")


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
            raise ModelError(f"A learning rate is a finite number above 0; {self.rate:g} is not.")

    @classmethod
    def measured(cls, ground: Ground, here: Here) -> FixedRate:
        """The safe rate 1/L, with L measured by a few products with the Hessian.

        L comes out too small by a little, never by half, so that the rate stays below 2/L.

        Raises
        ------
        ModelError
            The gradient is zero there, so there is nothing to measure along.
        """
        found = measure(ground, here.x, here.gradient)
        if not found.largest > 0:
            raise ModelError("The gradient is zero at the start: no rate can be measured, and none is needed.")
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


def _agree(carried: np.ndarray, true: np.ndarray) -> bool:
    return float(np.linalg.norm(carried - true)) <= DRIFT * float(np.linalg.norm(true))
