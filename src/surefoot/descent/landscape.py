"""The ground of any function: an objective, and where rounding hides its slope.

The floor of a gradient has two parts. The arithmetic inside f makes noise, which is measured by differences at a few
points next to each other (``problem/noise.py``). And x itself is rounded: moving it by half a unit in the last place
moves the gradient by ``u |H| |x|``, so no double is nearer to stationary than that. The size of a variable is the
larger of what it is and what it was at the start, as a minimum at zero would have no size of its own.

Reference: More, Wild (2011), "Estimating computational noise", SIAM J. Sci. Comput. 33(3), pp. 1292-1314.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from surefoot.descent.ground import Floor, Here
from surefoot.descent.norms import length_of

if TYPE_CHECKING:
    from surefoot.problem.box import Box
    from surefoot.problem.objective import Objective

AROUND = 8.0
"""A curvature met on the way counts up to so many times the one that is seen around the point."""
MOST = 20
"""Variables up to which a kink is looked for where gradients are only differences."""
LIKE = 0.5
"""Values that differ by less than this share are taken to be equally noisy."""


class Landscape:
    """An objective to walk on.

    Parameters
    ----------
    objective : Objective
        f with its derivatives.
    box : Box, optional
        Where f may be asked for its curvature around a point.
    reach : ndarray, shape (n,), optional
        How large the variables were where the walk began; those of the first point seen, if not given.

    Examples
    --------
    >>> from surefoot.problem.objective import objective_of
    >>> objective, x0 = objective_of(lambda x: x[0] ** 2 + 3 * x[1] ** 2, np.array([1.0, 1.0]))
    >>> Landscape(objective).see(x0).gradient.tolist()
    [2.0, 6.0]
    """

    def __init__(self, objective: Objective, box: Box | None = None, reach: np.ndarray | None = None) -> None:
        self.objective = objective
        self.box = box
        self.is_quadratic = False  # until somebody finds out
        self._count = 0
        self._curved: tuple[bytes, np.ndarray] | None = None
        self._reach = reach
        self._reached = 0.0 if reach is None else length_of(reach)
        self._noisy: tuple[float, float] = (np.nan, 0.0)  # a value, and the noise measured there

    @property
    def size(self) -> int:
        return self.objective.size

    @property
    def passes(self) -> int:
        return self._count

    @property
    def lowest(self) -> float:
        return -float("inf")

    def height(self, x: np.ndarray) -> float:
        self._count += 1
        return float(self.objective.value(x))

    def see(self, x: np.ndarray) -> Here:
        self._count += 1
        value, gradient = self.objective.see(x)
        if self._reach is None:
            self._reach, self._reached = np.abs(x), length_of(x)
        return Here(np.array(x), float(value), gradient)

    def see_along(self, x: np.ndarray, direction: np.ndarray) -> tuple[Here, np.ndarray]:
        return self.see(x), self.bend(x, direction)

    def bend(self, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        kept = self._kept(x)
        return self.objective.bend(x, direction) if kept is None else kept @ direction

    def hessian(self, x: np.ndarray) -> np.ndarray:
        kept = self._kept(x)
        if kept is None:
            kept = self.objective.hessian(x)
            self._curved = (x.tobytes(), kept)
        return kept

    def floor(self, here: Here, curvature: float) -> Floor:
        """A guess from the curvature of the last step, several times too large: it decides when to measure."""
        unit, steep = 64 * self.objective.roundoff, here.steepness
        at_most = length_of(here.x) + self._reached
        if steep > unit * (curvature * at_most + steep):  # far above it, as nearly always
            return Floor(unit * (curvature * at_most + steep), float("inf"))
        return Floor(unit * (curvature * length_of(self._size(here.x)) + steep), float("inf"))

    def measured_floor(self, here: Here, curvature: float) -> Floor:
        """The noise of the gradient, measured at the point, and what the rounding of x lets it move."""
        from surefoot.problem.noise import noise_of_gradient

        noise, kept = noise_of_gradient(self.objective, here.x), self._kept(here.x)
        size = self._size(here.x)
        # Without a Hessian the curvature met last has to do, unless it was met far from here; the judge, who comes
        # after, asks for more.
        if kept is None:
            moved = min(curvature, AROUND * self._curvature_at(here, size)) * length_of(size)
        else:
            moved = length_of(np.abs(kept) @ size)
        floor = (2 * noise if np.isfinite(noise) else 0.0) + 2 * self.objective.roundoff * moved
        # Where the Hessian leaves the doubles nothing is known of a floor, and no gradient is below it.
        return Floor(floor if np.isfinite(floor) else 0.0, float("inf"))

    def _curvature_at(self, here: Here, size: np.ndarray) -> float:
        """About the largest curvature near a point, from the gradients a little way off along two directions."""
        found, looked, root = 0.0, False, float(np.sqrt(self.objective.roundoff))
        signs = np.where(np.arange(len(size)) % 2, -1.0, 1.0)
        for way in (here.gradient, signs * size):
            longest = length_of(way)
            if not 0 < longest < np.inf:
                continue
            there = here.x + root * max(length_of(size), root) * (way / longest)
            there = there if self.box is None else self.box.nearest(there)
            moved = length_of(there - here.x)
            if not moved > 0:
                continue
            gradient = self.objective.see(there)[1]
            self._count += 1
            looked = True
            if not np.all(np.isfinite(gradient)):
                return np.inf
            found = max(found, length_of(gradient - here.whole) / moved)
        return float(np.sqrt(len(size))) * found if looked else np.inf

    def blur(self, here: Here) -> float:
        value, noise = self._noisy
        known = abs(here.value - value) <= LIKE * abs(value)
        return max(noise if known else 0.0, 8 * self.objective.roundoff * abs(here.value))

    def measured_blur(self, here: Here) -> float:
        """The noise of values, measured once for all points whose value is much the same."""
        if not abs(here.value - self._noisy[0]) <= LIKE * abs(self._noisy[0]):
            from surefoot.problem.noise import noise_of_value

            noise = noise_of_value(self.objective, here.x)
            self._noisy = here.value, 4 * noise if np.isfinite(noise) else 0.0
        return self.blur(here)

    def kink(self, here: Here) -> str:
        """The jump of the slope next to a point, in words."""
        from surefoot.problem.kinks import jump_at, jump_of_values, sizes

        size, unit = sizes(here.x, self._size(here.x)), self.objective.roundoff
        if self.objective.exact_gradient:
            found = jump_at(self._seen_inside, here.x, size, unit, np.random.default_rng(0))
        elif self.size <= MOST:
            jumps = (jump_of_values(self._felt_inside, here.x, j, float(size[j]), unit) for j in range(self.size))
            found = next((jump for jump in jumps if jump is not None), None)
        else:
            return ""
        return "" if found is None else found.words(self.objective.names)

    def _seen_inside(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        here = self.see(x if self.box is None else self.box.nearest(x))
        return here.value, here.gradient

    def _felt_inside(self, x: np.ndarray) -> float:
        return self.height(x if self.box is None else self.box.nearest(x))

    def _size(self, x: np.ndarray) -> np.ndarray:
        """How large each variable is on this walk: a coordinate that came from 10 to 1e-17 has come to zero."""
        return np.abs(x) if self._reach is None else np.maximum(np.abs(x), self._reach)

    def _kept(self, x: np.ndarray) -> np.ndarray | None:
        """The Hessian, if it was the last one asked for."""
        if self._curved is not None and self._curved[0] == x.tobytes():
            return self._curved[1]
        return None
