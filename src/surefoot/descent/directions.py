"""Directions: which way to go from here, given the last step.

    steepest descent       p = -g
    conjugate gradients    p = -g + beta p_last,    beta = |g|^2 / |g_last|^2
    heavy ball             p = -g + momentum p_last

On a quadratic with exact steps all formulas for beta are one (Fletcher-Reeves, Polak-Ribiere, Hestenes-Stiefel). In
rounding this one, of Fletcher and Reeves, needed the fewest steps on ill-conditioned bowls.

References: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, section 5.1, pp. 102-112 (linear
conjugate gradients), section 5.2, pp. 121-123 (formulas for beta); Hestenes, Stiefel (1952), J. Res. Nat. Bur.
Standards 49(6), pp. 409-436; Polyak (1964), "Some methods of speeding up the convergence of iteration methods", USSR
Comput. Math. Math. Phys. 4(5), pp. 1-17 (heavy ball).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from surefoot.descent.ground import Here

if TYPE_CHECKING:
    from surefoot.descent.steps import Taken


class Direction(Protocol):
    """A rule for the way to go."""

    @property
    def name(self) -> str:
        """As a person calls it."""
        ...

    @property
    def momentum(self) -> float:
        """Share of the last step that is kept whatever the gradient says; 0 for most."""
        ...

    def choose(self, here: Here, last: Taken | None) -> np.ndarray:
        """The direction from a point, ``last`` being the step that led there."""
        ...


@dataclass(frozen=True)
class SteepestDescent:
    """Straight against the gradient."""

    name: str = "steepest descent"
    momentum: float = 0.0

    def choose(self, here: Here, last: Taken | None) -> np.ndarray:
        return -here.gradient


@dataclass(frozen=True)
class ConjugateGradients:
    """Against the gradient, and never undoing what the steps before have gained."""

    name: str = "conjugate gradients"
    momentum: float = 0.0

    def choose(self, here: Here, last: Taken | None) -> np.ndarray:
        if last is None or last.origin.steepness == 0:
            return -here.gradient
        return -here.gradient + (here.steepness / last.origin.steepness) ** 2 * last.direction


@dataclass(frozen=True)
class HeavyBall:
    """Against the gradient, with a share of the last step kept as momentum.

    With a fixed rate r it moves by ``-r g + momentum (x - x_last)``, which settles on a bowl of largest curvature L if
    and only if ``r < 2 (1 + momentum) / L``.
    """

    momentum: float
    name: str = "heavy ball"

    @classmethod
    def tuned(cls, largest: float, smallest: float) -> tuple[HeavyBall, float]:
        """The fastest momentum for curvatures between ``smallest`` and ``largest``, and the rate that goes with it."""
        roots = np.sqrt(largest), np.sqrt(smallest)
        return cls(float(((roots[0] - roots[1]) / (roots[0] + roots[1])) ** 2)), float(4 / (roots[0] + roots[1]) ** 2)

    def choose(self, here: Here, last: Taken | None) -> np.ndarray:
        return -here.gradient if last is None else -here.gradient + self.momentum * last.direction
