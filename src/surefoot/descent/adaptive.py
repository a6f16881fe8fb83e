"""The adaptive step of Malitsky and Mishchenko (AdGD): no tuning, no values, one gradient a step.

    L = |g - g_last| / |x - x_last|
    t = min( sqrt(2/3 + t_last/t_before) t_last,  t_last / sqrt(max(0, 2 t_last^2 L^2 - 1)) )

The step may grow by a bounded factor, and follows the curvature that the last step has met: nothing is asked of f but
that its gradient is continuous, and for a convex f the points converge. Values may rise for a while. The second form of
the rule, whose steps are about 1.4 times those of the first.

Reference: Malitsky, Mishchenko (2024), "Adaptive proximal gradient method for convex optimization", NeurIPS 37,
algorithm 1 and theorem 1, sections 2-3 (arXiv:2308.02261, pp. 3-8).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from surefoot.descent.ground import Here
from surefoot.descent.norms import length_of
from surefoot.descent.profile import BACK
from surefoot.descent.ray import Ray, Refusal, Taken, Trial
from surefoot.descent.stop import Reason

LOOKS = 50
"""Looks for the first length, or back from where f is not finite."""


class Adaptive:
    """As long as the curvature along the last step allows. It serves one walk, in the steepest direction.

    Examples
    --------
    >>> import numpy as np
    >>> from surefoot.descent.bowl import Bowl
    >>> from surefoot.descent.directions import SteepestDescent
    >>> from surefoot.descent.loop import walk
    >>> bowl = Bowl.of_arrays(np.array([[1.0, 0.0], [0.0, 3.0]]), np.array([1.0, 6.0]))
    >>> walk(bowl, SteepestDescent(), Adaptive()).x.round(9).tolist()
    [1.0, 2.0]
    """

    name = "adaptive step (AdGD)"

    def __init__(self) -> None:
        self._ratio = 1 / 3  # the last length over the one before
        self._last: Taken | None = None

    def take(self, ray: Ray) -> Taken | Refusal:
        fresh = self._last is None or ray.last is not self._last
        length = ray.first_length() if fresh else self._following(ray.last)
        trial, remark = _finite(ray, length)
        if trial is None:
            return Refusal(Reason.NO_DECREASE, f"f is not finite at any of {LOOKS} points along the direction")
        if fresh:
            trial = _matched(ray, trial)
        before = None if fresh or ray.last is None else ray.last.length
        self._ratio = trial.length / before if before else 1 / 3  # a length may underflow
        self._last = ray.taken(trial, remark)
        return self._last

    def memory(self, last: Taken) -> dict[str, float]:
        """The last length over the one before."""
        return {"ratio": self._ratio}

    def recall(self, kept: Mapping[str, Any], last: Taken | None) -> None:
        """Go on with the length of another walk."""
        self._ratio, self._last = float(kept["ratio"]), last

    def steepest_settled(self, momentum: float) -> float:
        return float("inf")

    def _following(self, last: Taken | None) -> float:
        assert last is not None
        curved = _curvature(last.origin, last.there)
        grown = math.sqrt(2 / 3 + self._ratio)
        spare = 2 * (last.length * curved) ** 2 - 1
        return last.length * (grown if spare <= 0 else min(grown, 1 / math.sqrt(spare)))


def _matched(ray: Ray, trial: Trial) -> Trial:
    """The first length, made to fit the curvature met on it: ``1/sqrt(2) <= t L <= 2``."""
    for _ in range(LOOKS):
        fits = trial.length * _curvature(ray.origin, trial.here)
        if 1 / math.sqrt(2) <= fits <= 2:
            return trial
        factor = 1 / fits if fits > 0 else math.inf
        following, _ = _finite(ray, trial.length * min(max(factor, 1e-10), 1e10))
        if following is None or following.length <= 0:
            return trial
        # On ground without curvature, or where f is undefined farther on, the longest step is as good as another.
        longer = following.length > trial.length
        if longer and following.here.value > max(trial.here.value, ray.origin.value):
            return trial
        trial = following
        if factor == math.inf and trial.length * ray.size > 1e10 * (1 + length_of(ray.origin.x)):
            return trial
    return trial


def _finite(ray: Ray, length: float) -> tuple[Trial | None, str]:
    """A look at a length, or at the first of a tenth, a hundredth, ... of it where f is finite."""
    for looks in range(LOOKS):
        trial = ray.see(length)
        if trial.here.is_finite:
            return trial, BACK if looks else ""
        length /= 10
    return None, ""


def _curvature(here: Here, there: Here) -> float:
    moved = length_of(there.x - here.x)
    return length_of(there.gradient - here.gradient) / moved if moved > 0 else 0.0
