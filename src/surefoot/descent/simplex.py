"""Nelder and Mead's simplex: downhill by values alone, for functions whose gradient cannot be had.

    reflect    x_r = c + (c - x_worst)              c the centroid of the other n points
    expand     x_e = c + beta (x_r - c)             if x_r is the best
    contract   x_c = c + gamma (x_r - c), or c - gamma (x_r - c)
    shrink     x_i = x_best + delta (x_i - x_best)
    beta = 1 + 2/n,  gamma = 3/4 - 1/(2n),  delta = 1 - 1/n

It fits the one loop as a step rule: a step is a round of n + 1 changes of the simplex at least, and as many more as it
takes until a lower point is found. The gradient is looked at once a round, at the best point, only to know whether to
stop; it decides nothing on the way. A simplex that has collapsed to rounding, or to less than n dimensions, begins anew
around its best point; if that goes no lower the walk ends.

Reference: Gao, Han (2012), "Implementing the Nelder-Mead simplex algorithm with adaptive parameters", Comput. Optim.
Appl. 51(1), pp. 259-277.
"""

from __future__ import annotations

import math

import numpy as np

from surefoot.descent.ray import Ray, Refusal, Taken, Trial
from surefoot.descent.stop import Reason

EDGE, AT_ZERO = 0.05, 0.00025
"""Edges of the first simplex, relative to each coordinate, and where it is zero."""
AGAIN = (0.5, 1e-3)
"""Edges of those that begin anew: wide, to leave a plateau, then narrow, to follow a valley."""
COLLAPSED = 1e-14
"""Size of a simplex relative to its best point at which nothing but rounding is left."""
FLAT = 1e-7
"""Smallest singular value of the edges, relative to the largest, at which the simplex has lost a dimension."""
ROUNDS = 200
"""Rounds within one step before it is given up."""


class NelderMead:
    """The simplex method as a step rule; the direction that goes with it is not asked. It serves one walk.

    Examples
    --------
    >>> from surefoot.descent.bowl import Bowl
    >>> from surefoot.descent.directions import SteepestDescent
    >>> from surefoot.descent.loop import walk
    >>> bowl = Bowl.of_arrays(np.array([[1.0, 0.0], [0.0, 3.0]]), np.array([1.0, 6.0]))
    >>> walk(bowl, SteepestDescent(), NelderMead(), start=np.array([3.0, 3.0])).x.round(5).tolist()
    [1.0, 2.0]
    """

    name = "Nelder-Mead simplex"

    def __init__(self) -> None:
        self._points = np.zeros((0, 0))
        self._values = np.zeros(0)
        self._trials: list[Trial | None] = []
        self._edge, self._renewed = EDGE, 0

    def take(self, ray: Ray) -> Taken | Refusal:
        if not len(self._values) or not np.array_equal(self._points[0], ray.origin.x):
            self._begin(ray)
        for _ in range(ROUNDS):
            for _ in range(ray.ground.size + 1):
                self._change(ray)
                if self._values[0] == -math.inf:
                    size = float(np.linalg.norm(self._points[0]))
                    return Refusal(Reason.UNBOUNDED, f"f is minus infinity at |x| = {size:.3g}")
            best = self._trials[0]
            if best is not None and self._values[0] < ray.origin.value:
                self._renewed = 0 if self._values[0] < ray.origin.value - ray.ground.blur(ray.origin) else self._renewed
                return ray.taken(best)
            if self._has_collapsed():
                if self._renewed >= len(AGAIN):
                    return Refusal(Reason.NO_DECREASE, "the simplex has collapsed, and so have two new ones around it")
                self._edge = AGAIN[self._renewed]
                self._renewed += 1
                self._begin(ray)
        return Refusal(Reason.NO_DECREASE, f"none of {ROUNDS * (ray.ground.size + 1)} changes of the simplex is lower")

    def steepest_settled(self, momentum: float) -> float:
        return float("inf")

    def _begin(self, ray: Ray) -> None:
        """A simplex with edges along the axes, downhill where the slope is known."""
        x = ray.origin.x
        edges = np.where(x != 0, self._edge * np.abs(x), AT_ZERO * self._edge / EDGE)
        edges = np.where(ray.origin.gradient > 0, -edges, edges)
        self._points = np.vstack([x, x + np.diag(edges)])
        self._trials = [None, *(self._look(ray, point.copy()) for point in self._points[1:])]
        self._values = np.array([ray.origin.value, *(_value(trial) for trial in self._trials[1:])])
        self._sort()

    def _change(self, ray: Ray) -> None:
        """One change of the simplex, which stays sorted, the best point first."""
        n, points, values = ray.ground.size, self._points, self._values
        grow, contract, shrink = 1 + 2 / max(n, 2), 0.75 - 0.5 / max(n, 2), 1 - 1 / max(n, 2)
        centre = points[:-1].mean(axis=0)
        away = centre - points[-1]
        reflected = self._look(ray, centre + away)
        value = _value(reflected)
        if value < values[0]:
            expanded = self._look(ray, centre + grow * away)
            return self._replace(expanded if _value(expanded) < value else reflected)
        if value < values[-2] or (n == 1 and value < values[-1]):
            return self._replace(reflected)
        side = contract if value < values[-1] else -contract
        contracted = self._look(ray, centre + side * away)
        if _value(contracted) < min(value, values[-1]):
            return self._replace(contracted)
        for i in range(1, n + 1):
            points[i] = points[0] + shrink * (points[i] - points[0])
            self._trials[i] = self._look(ray, points[i].copy())
            values[i] = _value(self._trials[i])
        self._sort()

    def _replace(self, trial: Trial) -> None:
        self._points[-1], self._values[-1], self._trials[-1] = trial.here.x, _value(trial), trial
        self._sort()

    def _sort(self) -> None:
        order = np.argsort(self._values, kind="stable")
        self._points, self._values = self._points[order], self._values[order]
        self._trials = [self._trials[i] for i in order]

    def _has_collapsed(self) -> bool:
        edges = self._points[1:] - self._points[0]
        size = np.max(np.abs(edges), initial=0.0)
        if size <= COLLAPSED * max(float(np.max(np.abs(self._points[0]))), 1e-300):
            return True
        stretched = np.linalg.svd(edges / size, compute_uv=False)
        return bool(stretched[-1] <= FLAT * stretched[0])

    @staticmethod
    def _look(ray: Ray, point: np.ndarray) -> Trial:
        return ray.feel(point)


def _value(trial: Trial | None) -> float:
    """What is not a number is worse than any."""
    return math.inf if trial is None or math.isnan(trial.here.value) else trial.here.value
