"""Bounds on variables: any direction on the variables that are free, and steps along the bent path that stays inside.

    x(t) = P(x + t p),    P the nearest point of the box,    p = 0 for variables held at a bound

A variable is held where it stands at a bound and the gradient pushes it outwards; the direction is chosen among the
others, with the Hessian of the others. One that is about to reach its bound is sent right onto it. A step goes down
enough if

    f(x(t)) <= f(x) + c g'(x(t) - x).

Reference: Bertsekas (1982), "Projected Newton methods for optimization problems with simple constraints", SIAM J.
Control Optim. 20(2), pp. 221-246.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from surefoot.descent.directions import Direction, Way
from surefoot.descent.ground import Curved, Floor, Ground, Here
from surefoot.descent.ray import Ray, Refusal, Taken, Trial
from surefoot.descent.stop import Reason
from surefoot.problem.box import Box

DECREASE = 1e-4
"""Share of the promised decrease that is kept."""
NEAR = 1e-3
"""A variable this near to a bound that it is pushed to is sent onto it; the reach shrinks with the gradient."""
TRIALS = 60
"""Looks along one path."""


class Fenced:
    """A ground within a box: its gradient is zero along what a bound holds, so that only the free part counts.

    Parameters
    ----------
    ground : Curved
        The ground without bounds.
    box : Box
        Where walks may go.

    Examples
    --------
    >>> from surefoot.descent.landscape import Landscape
    >>> from surefoot.problem.objective import objective_of
    >>> objective, x0 = objective_of("(x - 2)^2 + y^2", {"x": 1.0, "y": 1.0})
    >>> fenced = Fenced(Landscape(objective), Box.of([(0, 1), (-1, 1)], objective.names))
    >>> fenced.see(x0).gradient.tolist(), fenced.see(x0).whole.tolist()
    ([0.0, 2.0], [-2.0, 2.0])
    """

    def __init__(self, ground: Curved, box: Box) -> None:
        self.ground, self.box = ground, box

    @property
    def size(self) -> int:
        return self.ground.size

    @property
    def passes(self) -> int:
        return self.ground.passes

    @property
    def lowest(self) -> float:
        return self.ground.lowest

    @property
    def is_quadratic(self) -> bool:
        return False

    def height(self, x: np.ndarray) -> float:
        return self.ground.height(self.box.nearest(x))

    def see(self, x: np.ndarray) -> Here:
        here = self.ground.see(self.box.nearest(x))
        return replace(here, gradient=np.where(self.held(here), 0.0, here.gradient), outward=here.gradient)

    def see_along(self, x: np.ndarray, direction: np.ndarray) -> tuple[Here, np.ndarray]:
        return self.see(x), self.bend(x, direction)

    def bend(self, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return self.ground.bend(self.box.nearest(x), direction)

    def hessian(self, x: np.ndarray) -> np.ndarray:
        return self.ground.hessian(self.box.nearest(x))

    def floor(self, here: Here, curvature: float) -> Floor:
        return self.ground.floor(here, curvature)

    def measured_floor(self, here: Here, curvature: float) -> Floor:
        return self.ground.measured_floor(here, curvature)

    def blur(self, here: Here) -> float:
        return self.ground.blur(here)

    def measured_blur(self, here: Here) -> float:
        return self.ground.measured_blur(here)

    def kink(self, here: Here) -> str:
        return self.ground.kink(here)

    def held(self, here: Here) -> np.ndarray:
        """Which variables stand at a bound and are pushed outwards there."""
        g = here.whole
        return ((here.x <= self.box.lower) & (g > 0)) | ((here.x >= self.box.upper) & (g < 0))

    def free_at(self, here: Here) -> Pinned:
        """The ground along the variables that no bound holds at a point."""
        return Pinned(self, ~self.held(here))


class Pinned(Fenced):
    """A fenced ground seen by a direction: only some variables move, the others do not even curve."""

    def __init__(self, fenced: Fenced, moving: np.ndarray) -> None:
        super().__init__(fenced.ground, fenced.box)
        self.moving = moving

    def see(self, x: np.ndarray) -> Here:
        here = super().see(x)
        return replace(here, gradient=np.where(self.moving, here.gradient, 0.0))

    def bend(self, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return np.where(self.moving, super().bend(x, np.where(self.moving, direction, 0.0)), 0.0)

    def hessian(self, x: np.ndarray) -> np.ndarray:
        whole = super().hessian(x)
        kept = np.outer(self.moving, self.moving)
        middle = float(np.median(np.abs(np.diag(whole))[self.moving])) if np.any(self.moving) else 1.0
        return np.where(kept, whole, np.diag(np.full(len(whole), middle or 1.0)))


class Within:
    """Any direction, among the variables that are free.

    Parameters
    ----------
    direction : Direction
        How to go where nothing is in the way.
    fenced : Fenced
        The ground with its box.
    """

    def __init__(self, direction: Direction, fenced: Fenced) -> None:
        self.direction, self.fenced = direction, fenced
        self.name = f"projected {direction.name}"
        self._held: np.ndarray | None = None

    @property
    def momentum(self) -> float:
        return self.direction.momentum

    def choose(self, ground: Ground, here: Here, last: Taken | None) -> Way:
        held, landing = self.fenced.held(here), self._landing(here)
        if self._held is not None and not np.array_equal(held, self._held):
            last = None if self.direction.forget() else last
        self._held = held
        fixed = held | landing
        free = replace(here, gradient=np.where(fixed, 0.0, here.gradient))
        way = self.direction.choose(Pinned(self.fenced, ~fixed), free, last)
        vector = np.where(fixed, 0.0, way.vector)
        if not float(vector @ free.gradient) < 0:
            vector = -free.gradient
        bound = np.where(here.gradient > 0, self.fenced.box.lower, self.fenced.box.upper)
        length = way.natural or 1.0
        return Way(np.where(landing, (bound - here.x) / length, vector), way.natural)

    def forget(self) -> bool:
        return self.direction.forget()

    def _landing(self, here: Here) -> np.ndarray:
        """Variables next to a bound that they are pushed to, and not on it yet."""
        reach = np.abs(self.fenced.box.nearest(here.x - here.gradient) - here.x)
        near = np.minimum(NEAR * np.maximum(1.0, np.abs(here.x)), float(np.linalg.norm(reach)))
        down = (here.x - self.fenced.box.lower <= near) & (here.gradient > 0)
        up = (self.fenced.box.upper - here.x <= near) & (here.gradient < 0)
        return down | up


@dataclass(frozen=True)
class PathStep:
    """Backtracking along the bent path until f has gone down enough; forward first if the first look is short."""

    name: str = "backtracking along the path in the box"

    def take(self, ray: Ray) -> Taken | Refusal:
        length, best = ray.first_length(), None
        for _ in range(TRIALS):
            trial = ray.see(length)
            promised = float(ray.origin.gradient @ (trial.here.x - ray.origin.x))
            value = trial.here.value
            finite = trial.here.is_finite
            if finite and value <= ray.origin.value + DECREASE * min(promised, 0.0) and trial.moved > 0:
                if best is None and ray.way.natural is None and _still_falls(ray, trial):
                    best, length = trial, 4 * length
                    continue
                return ray.taken(trial if best is None or value < best.here.value else best)
            if best is not None:
                return ray.taken(best)
            if finite and self._is_noise(ray, trial):
                return ray.taken(trial, "values equal to rounding; the gradient is smaller")
            if np.array_equal(trial.here.x, ray.origin.x):
                break
            length *= _share(value - ray.origin.value, promised)
        return Refusal(Reason.NO_DECREASE)

    def steepest_settled(self, momentum: float) -> float:
        return float("inf")

    def _is_noise(self, ray: Ray, trial: Trial) -> bool:
        level = abs(trial.here.value - ray.origin.value) <= ray.ground.blur(ray.origin)
        return level and trial.here.steepness < 0.9 * ray.origin.steepness


def _still_falls(ray: Ray, trial: Trial) -> bool:
    """Whether the path goes on downhill as steeply as it began."""
    return trial.slope < 0.5 * ray.slope and not np.array_equal(trial.here.x, ray.origin.x)


def _share(rise: float, promised: float) -> float:
    """To the lowest point of the parabola, between a tenth and a half."""
    if not np.isfinite(rise) or not promised < 0:
        return 0.1 if not np.isfinite(rise) else 0.5
    return float(np.clip(-promised / (2 * (rise - promised)), 0.1, 0.5)) if rise > promised else 0.5
