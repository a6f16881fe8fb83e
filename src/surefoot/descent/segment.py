"""Line searches among bounds: along the straight way up to the first bound that it meets.

    x(t) = x + t p,    0 <= t <= t_max = min_j (bound_j - x_j) / p_j

Where f still falls at t_max, and has fallen enough, the step ends there, on the bound; else the lowest point of the
line lies before it, and the search finds it there. That is the classical way of active sets, a bound at a time; the
path that bends at the bounds (``bounded.py``) may meet many at once.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, section 16.5, pp. 467-472 (steps to the
first blocking constraint).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from surefoot.descent.bounded import DECREASE, Fenced
from surefoot.descent.directions import Way
from surefoot.descent.ground import Here
from surefoot.descent.profile import BACK
from surefoot.descent.ray import Ray, Refusal, Taken, Trial
from surefoot.descent.steps import Step

NEAR = 10.0
"""A bound within so many first lengths is looked at first."""
ROUNDINGS = 4.0
"""Units in the last place by which a point may lie beyond a bound and still be on it."""
ENDS = "a bound ends the way"


class _Inside(Fenced):
    """The ground as a search sees it that must not go beyond the first bound."""

    def reaches(self, x: np.ndarray) -> bool:
        """Whether a point is in the box, up to rounding."""
        slack = ROUNDINGS * np.spacing(np.abs(x))
        return bool(np.all((x >= self.box.lower - slack) & (x <= self.box.upper + slack)))

    def see(self, x: np.ndarray) -> Here:
        if not self.reaches(x):
            return Here(x, np.inf, np.full(x.shape, np.nan), outward=np.full(x.shape, np.nan))
        return super().see(x)

    def height(self, x: np.ndarray) -> float:
        return self.see(x).value


@dataclass(frozen=True)
class UpToBound:
    """A line search that stops at the first bound.

    Parameters
    ----------
    step : Step
        The search on what is free.
    fenced : Fenced
        The ground with its box.

    Examples
    --------
    >>> from surefoot.descent.bounded import Within
    >>> from surefoot.descent.hager_zhang import HagerZhang
    >>> from surefoot.descent.landscape import Landscape
    >>> from surefoot.descent.loop import walk
    >>> from surefoot.descent.quasi_newton import BFGS
    >>> from surefoot.problem.box import Box
    >>> from surefoot.problem.objective import objective_of
    >>> objective, x0 = objective_of("(x - 2)^2 + (x - y)^2", {"x": 0.0, "y": 0.5})
    >>> fenced = Fenced(Landscape(objective), Box.of([(-1, 1), (-1, 3)], objective.names))
    >>> walk(fenced, Within(BFGS(), fenced), UpToBound(HagerZhang(), fenced), start=x0).x.round(9).tolist()
    [1.0, 1.0]
    """

    step: Step
    fenced: Fenced

    @property
    def name(self) -> str:
        return f"{self.step.name} up to the first bound"

    def steepest_settled(self, momentum: float) -> float:
        return float("inf")

    def take(self, ray: Ray) -> Taken | Refusal:
        ray = _unblocked(ray, self.fenced)
        end = _first_bound(ray, self.fenced)
        if not np.isfinite(end):
            return self.step.take(ray)
        looked = end <= NEAR * ray.first_length()
        if looked:
            onto = self._onto(ray, end, ray.origin.value + DECREASE * end * min(ray.slope, 0.0))
            if onto is not None:
                return onto
        inside = _Inside(self.fenced.ground, self.fenced.box)

        def tell(trial: Trial) -> None:
            if inside.reaches(trial.here.x):  # beyond a bound nothing was evaluated, so there is nothing to tell
                ray.tell(trial)

        outcome = self.step.take(replace(ray, ground=inside, tell=tell))
        if isinstance(outcome, Refusal):
            return outcome
        if not looked and float(outcome.there.whole @ ray.way.vector) < 0:
            onto = self._onto(ray, end, outcome.there.value)
            outcome = outcome if onto is None else onto
        return replace(outcome, remark=outcome.remark.replace(BACK, ENDS))

    def _onto(self, ray: Ray, end: float, highest: float) -> Taken | None:
        """The step onto the bound, if f falls to there and is no higher than that."""
        trial = ray.see(end)
        falls = trial.here.is_finite and float(trial.here.whole @ ray.way.vector) <= 0
        return ray.taken(trial, ENDS) if falls and trial.here.value <= highest and trial.moved > 0 else None


def _unblocked(ray: Ray, fenced: Fenced) -> Ray:
    """The ray without what leads out of the box at once: a variable may stand at a bound that nothing pushes it to."""
    x, p, g = ray.origin.x, ray.way.vector, ray.origin.gradient
    out = ((x <= fenced.box.lower) & (p < 0)) | ((x >= fenced.box.upper) & (p > 0))
    if not out.any():
        return ray
    kept = np.where(out, 0.0, p)
    falls = float(kept @ g) < 0
    return replace(ray, way=Way(kept if falls else -g, ray.way.natural if falls else None))


def _first_bound(ray: Ray, fenced: Fenced) -> float:
    """The length at which the way meets the first bound; infinite where it meets none."""
    x, p = ray.origin.x, ray.way.vector
    with np.errstate(all="ignore"):
        lengths = np.where(p < 0, (fenced.box.lower - x) / p, np.where(p > 0, (fenced.box.upper - x) / p, np.inf))
    return float(np.min(lengths, where=lengths > 0, initial=np.inf))
