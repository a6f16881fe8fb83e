"""Steps: how far to go along a direction; and the simplest of them.

    fixed learning rate    x_new = x + rate p

It costs one pass, for the gradient at the new point, and does not ask whether f falls. It settles on a bowl of largest
curvature L if and only if it is below 2/L.

Reference: Polyak (1987), "Introduction to Optimization", Optimization Software, section 1.4 (fixed rate).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from surefoot.descent.curvatures import measure
from surefoot.descent.ground import Ground, Here
from surefoot.descent.ray import Ray, Refusal, Taken
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
