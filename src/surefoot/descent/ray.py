"""A point, a way to go from it, and what is seen along it: all that a step rule works with.

    phi(t) = f(x + t p),    phi'(t) = g(x + t p)'p

Every look is told to the loop as it is made, which writes it in the trace and stops the walk when a budget is spent.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from surefoot.descent.directions import Way
from surefoot.descent.ground import Ground, Here
from surefoot.descent.norms import computed_once, length_of
from surefoot.descent.quick import quick
from surefoot.descent.stop import Reason


@quick
@dataclass(frozen=True)
class Trial:
    """A look along the way.

    Attributes
    ----------
    here : Here
        The point, its value and its gradient (NaN where only the value was asked for).
    length : float
        Multiple of the direction; NaN for a step that does not lie on it.
    slope : float
        Along the direction, NaN where there is no gradient.
    moved : float
        Distance from where the step began.
    """

    here: Here
    length: float
    slope: float
    moved: float


@quick
@dataclass(frozen=True)
class Taken:
    """A step that was taken.

    Attributes
    ----------
    origin : Here
        Where it began.
    value : float
        f there, as evaluated.
    direction : ndarray, shape (n,)
        The way that was chosen.
    length : float
        Multiple of the direction that was gone.
    change : ndarray, shape (n,)
        Gradient after minus gradient before.
    curvature : float
        Rayleigh quotient ``p'H p / p'p`` along the way, less its rounding: never above the largest of a bowl.
    there : Here
        Where it led.
    remark : str
        What a person reading the trace should know of it; mostly empty.
    """

    origin: Here
    value: float
    direction: np.ndarray
    length: float
    change: np.ndarray
    curvature: float
    there: Here
    remark: str = ""

    @computed_once
    def moved(self) -> float:
        """Distance gone."""
        return abs(self.length) * length_of(self.direction)


@dataclass(frozen=True)
class Refusal:
    """No step is taken.

    Attributes
    ----------
    reason : Reason
        ``NO_DECREASE`` where no point tried is lower, so that the loop asks whether rounding is the cause; any other
        reason ends the walk.
    explanation : str
        The numbers behind it.
    """

    reason: Reason
    explanation: str = ""


@quick
@dataclass(frozen=True)
class Ray:
    """The way from a point.

    Attributes
    ----------
    ground : Ground
        What is walked on.
    origin : Here
        Where the step begins.
    way : Way
        The direction chosen.
    last : Taken or None
        The step before.
    tell : callable
        Given each trial as it is made.
    """

    ground: Ground
    origin: Here
    way: Way
    last: Taken | None = None
    tell: Callable[[Trial], None] = lambda trial: None

    @computed_once
    def slope(self) -> float:
        """phi'(0): negative downhill."""
        return float(self.origin.gradient.dot(self.way.vector))

    @computed_once
    def size(self) -> float:
        """``|p|``."""
        return length_of(self.way.vector)

    def see(self, length: float) -> Trial:
        """Value and gradient at a length along the way."""
        return self._told(self.ground.see(self._at(length)), length)

    def height(self, length: float) -> Trial:
        """The value alone, where a gradient costs more."""
        x = self._at(length)
        return self._told(Here(x, self.ground.height(x), np.full(x.shape, np.nan), seen=False), length)

    def reach(self, displacement: np.ndarray) -> Trial:
        """Value and gradient at a displacement that need not lie on the way."""
        there = self.ground.see(self.origin.x + displacement)
        trial = Trial(there, float("nan"), float("nan"), length_of(displacement))
        self.tell(trial)
        return trial

    def feel(self, x: np.ndarray) -> Trial:
        """The value alone at any point."""
        blind = Here(x, self.ground.height(x), np.full(x.shape, np.nan), seen=False)
        trial = Trial(blind, float("nan"), float("nan"), length_of(x - self.origin.x))
        self.tell(trial)
        return trial

    def taken(self, trial: Trial, remark: str = "") -> Taken:
        """The step to a trial, with the curvature met on it; a trial seen without a gradient is looked at again."""
        there = trial.here if math.isfinite(trial.here.steepness) else self.ground.see(trial.here.x)
        # Within bounds a step may have been bent, and then it is the displacement that counts.
        straight = there.outward is None or np.array_equal(there.x, self._at(trial.length))
        on_the_way = math.isfinite(trial.length) and straight
        direction = self.way.vector if on_the_way else there.x - self.origin.x
        length = trial.length if on_the_way else 1.0
        change, squared = there.whole - self.origin.whole, length * float(direction.dot(direction))
        curvature = float(change.dot(direction)) / squared if 0 < squared < np.inf else 0.0
        return Taken(self.origin, self.origin.value, direction, length, change, curvature, there, remark)

    def first_length(self) -> float:
        """Where to look first: the direction's own length; else as far as the last step promised; else a small way.

        Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., section 3.5, pp. 58-59; Hager, Zhang
        (2005), SIAM J. Optim. 16(1), p. 185, step I0 (the first of all).
        """
        if self.way.natural is not None:
            return self.way.natural
        if self.last is not None and self.slope < 0:
            gained = self.last.value - self.origin.value
            if gained > self.ground.blur(self.origin):
                return 1.01 * 2 * gained / -self.slope
            if 0 < self.last.moved < np.inf and self.size > 0:
                return self.last.moved / self.size
        x, g = np.abs(self.origin.x), np.abs(self.way.vector)
        steepest = float(np.max(g, initial=0.0))
        if np.any(x > 0):
            return 0.01 * float(np.max(x)) / steepest
        value, slope = abs(self.origin.value), -self.slope
        return 0.01 * value / slope if value > 0 and slope > 0 else 0.01 / steepest

    def _at(self, length: float) -> np.ndarray:
        return self.origin.x + length * self.way.vector

    def _told(self, there: Here, length: float) -> Trial:
        p = self.way.vector
        straight = there.outward is None
        moved = abs(length) * self.size if straight else float(np.linalg.norm(there.x - self.origin.x))
        trial = Trial(there, length, float(there.gradient.dot(p)), moved)
        self.tell(trial)
        return trial
