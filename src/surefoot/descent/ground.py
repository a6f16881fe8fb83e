"""What a walk stands on: a function as its gradient shows it, and where rounding hides the slope.

The loop, the directions and the steps know the ground by this protocol alone; ``bowl.py`` is the ground of least
squares, ``landscape.py`` that of any function.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from surefoot.descent.norms import computed_once, length_of
from surefoot.descent.quick import quick


@quick
@dataclass(frozen=True)
class Here:
    """A point and what is seen from it.

    Attributes
    ----------
    x : ndarray, shape (n,)
        The point.
    value : float
        f(x).
    gradient : ndarray, shape (n,)
        grad f(x).
    seen : bool
        Whether value and gradient were evaluated at x; else they were carried over from the step that led here.
    outward : ndarray, shape (n,), or None
        Where bounds hold x, the gradient without them; ``gradient`` is then that along what is free.
    """

    x: np.ndarray
    value: float
    gradient: np.ndarray
    seen: bool = True
    outward: np.ndarray | None = None

    @property
    def is_finite(self) -> bool:
        """Whether value and gradient are."""
        return math.isfinite(self.value) and math.isfinite(self.steepness)

    @property
    def whole(self) -> np.ndarray:
        """The gradient of f itself, bounds or not."""
        return self.gradient if self.outward is None else self.outward

    @computed_once
    def steepness(self) -> float:
        """Length of the gradient."""
        return length_of(self.gradient)


@quick
@dataclass(frozen=True)
class Floor:
    """What rounding alone can make of a gradient and of a decrease.

    Attributes
    ----------
    gradient : float
        Length below which a gradient cannot be told from rounding.
    energy : float
        Square root of ``f - f*`` that rounding of the data alone can make.
    """

    gradient: float
    energy: float


class Ground(Protocol):
    """A function to walk down, evaluated in passes.

    Directions that need the whole Hessian ask a ``Curved`` ground for it.
    """

    @property
    def size(self) -> int:
        """Number of variables."""
        ...

    @property
    def passes(self) -> int:
        """Evaluations so far; of a sum over rows, passes over the rows."""
        ...

    @property
    def lowest(self) -> float:
        """What f is never below: 0 for a sum of squares, minus infinity where nothing is known."""
        ...

    @property
    def is_quadratic(self) -> bool:
        """Whether the curvature is the same everywhere, so that what is measured once holds for the whole walk."""
        ...

    def height(self, x: np.ndarray) -> float:
        """The value alone."""
        ...

    def see(self, x: np.ndarray) -> Here:
        """Value and gradient at a point: one pass."""
        ...

    def see_along(self, x: np.ndarray, direction: np.ndarray) -> tuple[Here, np.ndarray]:
        """The same, and the Hessian times a direction, in one pass."""
        ...

    def bend(self, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """The Hessian at x times a direction: one pass."""
        ...

    def floor(self, here: Here, curvature: float) -> Floor:
        """Where rounding begins at a point, as far as a curvature that the walk has met lets expect; it costs nothing.

        On a quadratic that is the largest met so far, elsewhere that of the last step.
        """
        ...

    def measured_floor(self, here: Here, curvature: float) -> Floor:
        """The same, measured at the point where it is not known in advance: a few evaluations."""
        ...

    def blur(self, here: Here) -> float:
        """A difference of values near a point that is no more than their rounding, as far as is known without cost."""
        ...

    def measured_blur(self, here: Here) -> float:
        """The same, measured at the point where it is not known in advance: a few evaluations."""
        ...

    def kink(self, here: Here) -> str:
        """How the slope jumps next to a point, in words; empty where it does not. It costs some evaluations."""
        ...


class Curved(Ground, Protocol):
    """A ground whose Hessian can be had as a matrix."""

    def hessian(self, x: np.ndarray) -> np.ndarray:
        """The Hessian at x, shape (n, n)."""
        ...
