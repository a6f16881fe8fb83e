"""Many walks at once, as lanes of one array: BFGS with backtracking, a small method that says where basins lead.

    P = -H G,    X_new = X + t P,    H by the BFGS formula,    each lane with its own t and H

All arrays carry the lanes in front, so a step costs one call of the vectorised function and a few operations on arrays
of shape (lanes, n) or (lanes, n, n). Lanes need not arrive to the last digit: each distinct end is polished by an
ordinary walk. They move in units of the box, so the units of a variable change nothing, and no step is longer than a
share of the box, so that a lane stays in its own basin.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, algorithm 6.1, p. 140 (BFGS), algorithm
3.1, p. 37 (backtracking).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from surefoot.problem.box import Box

Evaluate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Points (m, n) to values (m,) and gradients (m, n)."""

LONGEST = 0.1
"""Of the box, in one step."""
FIRST = 0.02
"""Of the box, in the first step, which knows no curvature."""
DECREASE = 1e-4
"""Share of the decrease that the slope promises, which must be kept."""
SHORTEST = 1e-12
"""A step cut down to this part goes nowhere."""
PROMISE = 1e-12
"""Decrease that the model still promises, relative to f and its spread over the starts, at which a lane has arrived."""


@dataclass(frozen=True)
class Ends:
    """Where the lanes led.

    Attributes
    ----------
    points : ndarray, shape (m, n)
    values : ndarray, shape (m,)
        NaN for a lane that started where f is not finite.
    arrived : ndarray of bool, shape (m,)
        Whether a lane came as far as it promised to come; else its steps were spent.
    steps : int
        Calls of the function for all lanes.
    interrupted : bool
        Whether Ctrl-C ended them; each is then where it was.
    """

    points: np.ndarray
    values: np.ndarray
    arrived: np.ndarray
    steps: int
    interrupted: bool = False


def lanes_down(
    evaluate: Evaluate,
    starts: np.ndarray,
    region: Box,
    *,
    box: Box | None = None,
    steps: int = 200,
    until: float = float("inf"),
    compiled: bool = True,
) -> Ends:
    """Walk from every start.

    Parameters
    ----------
    evaluate : callable
        The function over lanes.
    starts : ndarray, shape (m, n)
        Where the lanes begin.
    region : Box
        Bounded; its width is the unit of each variable.
    box : Box, optional
        Bounds that no lane may leave.
    steps : int
        At most.
    until : float
        Time by ``time.monotonic()`` at which no further step is begun.
    compiled : bool
        Whether another number of lanes would be another program; a loop is only run for the lanes that still move.

    Examples
    --------
    >>> bowl = lambda X: ((X**2).sum(1), 2 * X)
    >>> ends = lanes_down(bowl, np.array([[1.0, 2.0], [-2.0, 0.5]]), Box(np.full(2, -3.0), np.full(2, 3.0)))
    >>> bool(np.all(np.abs(ends.points) < 1e-6)), ends.arrived.tolist()
    (True, [True, True])
    """
    lanes = _Lanes(evaluate, starts, region, box, compiled)
    count, interrupted = 0, False
    with np.errstate(all="ignore"):
        try:
            while count < steps and len(lanes.place) and time.monotonic() < until:
                lanes.step()
                count += 1
        except KeyboardInterrupt:
            interrupted = True
    lanes.settle(np.ones(len(lanes.place), bool))
    return Ends(lanes.ends, lanes.end_values, lanes.arrived, count, interrupted)


class _Lanes:
    """Points z in units of the region, with value, gradient and inverse Hessian for each lane that still moves.

    ``place`` says which of the starts a lane is; lanes that have arrived leave.
    """

    def __init__(
        self, evaluate: Evaluate, starts: np.ndarray, region: Box, box: Box | None, compiled: bool = True
    ) -> None:
        self._evaluate, self._compiled = evaluate, compiled
        width = region.upper - region.lower
        self._width = np.where(width > 0, width, 1.0)
        self._origin = region.lower
        self._box = box and Box((box.lower - self._origin) / self._width, (box.upper - self._origin) / self._width)
        self.place: np.ndarray = np.arange(len(starts))
        self.z = (starts - self._origin) / self._width
        self._full = self.z.copy()
        self.ends, self.end_values = starts.astype(float), np.full(len(starts), np.nan)
        self.arrived = np.zeros(len(starts), bool)
        self.value, self.slope = self._see(self.z)
        alive = np.isfinite(self.value) & np.all(np.isfinite(self.slope), axis=1)
        known = self.value[alive]
        self._spread = float(np.subtract(*np.percentile(known, [75, 25]))) if len(known) else 0.0
        size = self.z.shape[1]
        self.inverse = np.zeros((len(starts), size, size))
        self.fresh, self.length = np.ones(len(starts), bool), np.ones(len(starts))
        self._forget(np.ones(len(starts), bool))
        self._keep(alive)

    def step(self) -> None:
        """One look for each lane: taken where it goes down enough, else the next look is nearer."""
        free = self._free_slope()
        way = -np.matmul(self.inverse, free[:, :, None])[:, :, 0]
        way[free == 0] = 0.0 if self._box is not None else way[free == 0]
        slope = np.sum(way * free, axis=1)
        uphill = ~(slope < 0)
        if np.any(uphill):
            self._forget(uphill)
            way[uphill] = -self.inverse[uphill, 0, 0, None] * free[uphill]
            slope = np.sum(way * free, axis=1)
        way *= np.minimum(1.0, LONGEST / np.maximum(np.max(np.abs(way), axis=1), 1e-300))[:, None]
        slope = np.sum(way * free, axis=1)
        there = self.z + self.length[:, None] * way
        if self._box is not None:
            there = self._box.nearest(there)
        value, gradient = self._see(there)
        allowed = self.value + DECREASE * self.length * slope
        taken = np.isfinite(value) & np.all(np.isfinite(gradient), axis=1) & (value <= allowed)
        done = self._is_done(slope, taken)
        self._learn(taken, there - self.z, gradient - self.slope)
        self._shorten(taken, value, slope)
        self.z = np.where(taken[:, None], there, self.z)
        self.value = np.where(taken, value, self.value)
        self.slope = np.where(taken[:, None], gradient, self.slope)
        if np.any(done):
            self.arrived[self.place[done]] = True
            self.settle(done)

    def settle(self, which: np.ndarray) -> None:
        """Write down where some lanes are, and let them go."""
        places = self.place[which]
        self.ends[places] = self._origin + self.z[which] * self._width
        self.end_values[places] = self.value[which]
        self._keep(~which)

    def _keep(self, which: np.ndarray) -> None:
        self.place, self.z = self.place[which], self.z[which]
        self.value, self.slope = self.value[which], self.slope[which]
        self.inverse, self.fresh, self.length = self.inverse[which], self.fresh[which], self.length[which]

    def _see(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Value and gradient; for as many lanes as there were, where each number of lanes would be a program."""
        if not self._compiled:
            value, gradient = self._evaluate(self._origin + z * self._width)
            return np.asarray(value), np.asarray(gradient) * self._width
        self._full[self.place] = z
        value, gradient = self._evaluate(self._origin + self._full * self._width)
        return np.asarray(value)[self.place], np.asarray(gradient)[self.place] * self._width

    def _free_slope(self) -> np.ndarray:
        """The gradient without what a bound holds back."""
        if self._box is None:
            return self.slope
        held = (self.z <= self._box.lower) & (self.slope > 0) | (self.z >= self._box.upper) & (self.slope < 0)
        return np.where(held, 0.0, self.slope)

    def _is_done(self, slope: np.ndarray, taken: np.ndarray) -> np.ndarray:
        """A lane has arrived where the way promises nothing more, or where no step is short enough."""
        promised = -slope <= PROMISE * np.maximum(np.abs(self.value) + self._spread, 1e-300)
        stuck = ~taken & (self.length <= SHORTEST)
        return (promised & ~self.fresh) | stuck | (slope == 0)

    def _forget(self, which: np.ndarray) -> None:
        """Back to steepest descent, its first step a small part of the box."""
        size = self.z.shape[1]
        first = FIRST / np.maximum(np.max(np.abs(self.slope), axis=1), 1e-300)
        self.inverse[which] = first[which, None, None] * np.eye(size)
        self.fresh[which] = True
        self.length[which] = 1.0

    def _learn(self, taken: np.ndarray, moved: np.ndarray, change: np.ndarray) -> None:
        """The BFGS formula for the inverse, where the curvature along the step is positive."""
        curved = np.sum(moved * change, axis=1)
        squares = np.sum(change * change, axis=1)
        good = taken & (curved > 1e-10 * np.sqrt(squares * np.sum(moved * moved, axis=1)))
        first = good & self.fresh
        scale = curved / squares
        self.inverse[first] = scale[first, None, None] * np.eye(self.z.shape[1])
        self.fresh &= ~good
        image = np.matmul(self.inverse, change[:, :, None])[:, :, 0]
        outer = moved[:, :, None] * image[:, None, :]
        weight = (curved + np.sum(change * image, axis=1)) / curved**2
        update = weight[:, None, None] * (moved[:, :, None] * moved[:, None, :])
        update -= (outer + outer.transpose(0, 2, 1)) / curved[:, None, None]
        self.inverse = np.where(good[:, None, None], self.inverse + update, self.inverse)

    def _shorten(self, taken: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        """To the lowest point of the parabola through both looks, between a tenth and a half."""
        rise = value - self.value - self.length * slope
        share = np.clip(np.nan_to_num(-self.length * slope / (2 * rise), nan=0.1, posinf=0.5, neginf=0.1), 0.1, 0.5)
        self.length = np.where(taken, 1.0, self.length * share)
