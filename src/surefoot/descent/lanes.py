"""Many walks at once, as lanes of one array: BFGS with backtracking, a small method that says where basins lead.

    P = -H G,    X_new = X + t P,    H by the BFGS formula,    each lane with its own t and H

All arrays carry the lanes last, so a step costs one call of the vectorised function and a few operations on arrays
of shape (n, lanes) or (n, n, lanes), whose inner loops run over the lanes. Lanes need not arrive to the last digit:
each distinct end is polished. They move in units of the box, so the units of a variable change nothing, and no step is
longer than a share of the box, so that a lane stays in its own basin.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, algorithm 6.1, p. 140 (BFGS), algorithm
3.1, p. 37 (backtracking).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from surefoot.descent.loop import Budget, Watch
from surefoot.descent.norms import length_of
from surefoot.descent.stop import Reason
from surefoot.descent.trace import FEW, Row
from surefoot.interruption import listening
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
LONGER = 4.0
"""Times as far, where f went down as far as was tried and did not curve upwards."""
STEPS = 200
"""Of all lanes together, at most."""
CROWDED = 0.5
"""Lanes that have arrived go along until fewer than this share still move: leaving costs a copy of all arrays."""


@dataclass(frozen=True)
class Ends:
    """Where the lanes led.

    Attributes
    ----------
    points : ndarray, shape (m, n)
    values : ndarray, shape (m,)
        NaN for a lane that started where f is not finite, or for which no evaluation was left.
    arrived : ndarray of bool, shape (m,)
        Whether a lane came as far as it promised to come; else it was ended on the way.
    steps, evaluations : int
        Calls of the function for all lanes, and points that it was evaluated at.
    seconds : float
        Of walking.
    ended : Reason or None
        Why all of them ended, if it was not that they arrived or spent their steps; each is then where it was.
    """

    points: np.ndarray
    values: np.ndarray
    arrived: np.ndarray
    steps: int
    evaluations: int = 0
    seconds: float = 0.0
    ended: Reason | None = None


def lanes_down(
    evaluate: Evaluate,
    starts: np.ndarray,
    region: Box,
    *,
    box: Box | None = None,
    budget: Budget | None = None,
    watch: Watch | None = None,
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
    budget : Budget, optional
        Steps of all lanes together (200 at most), evaluations of f over all lanes, seconds.
    watch : callable, optional
        Given a row for each step: the lowest point of all lanes so far. ``StopIteration`` ends the walks.

    Examples
    --------
    >>> bowl = lambda X: ((X**2).sum(1), 2 * X)
    >>> ends = lanes_down(bowl, np.array([[1.0, 2.0], [-2.0, 0.5]]), Box(np.full(2, -3.0), np.full(2, 3.0)))
    >>> bool(np.all(np.abs(ends.points) < 1e-6)), ends.arrived.tolist()
    (True, [True, True])
    """
    began, budget = time.monotonic(), budget or Budget()
    seen = starts[: int(min(len(starts), max(budget.evaluations, 1)))]
    ended: Reason | None = None
    with np.errstate(all="ignore"), listening() as interruption:
        lanes = _Lanes(evaluate, seen, region, box)
        try:
            while lanes.steps < min(STEPS, budget.steps) and np.any(lanes.moving):
                interruption.check()
                if watch is not None:
                    watch(lanes.row(time.monotonic() - began))
                if lanes.evaluations + len(lanes.place) > budget.evaluations:
                    ended = Reason.EVALUATIONS
                    break
                if time.monotonic() - began >= budget.seconds:
                    ended = Reason.TIME
                    break
                lanes.step()
            if watch is not None:
                watch(lanes.row(time.monotonic() - began))
        except KeyboardInterrupt:
            ended = Reason.INTERRUPTED
        except StopIteration:
            ended = Reason.ASKED
    lanes.write()
    points, values, arrived = starts.astype(float), np.full(len(starts), np.nan), np.zeros(len(starts), bool)
    points[: len(seen)], values[: len(seen)], arrived[: len(seen)] = lanes.ends, lanes.end_values, lanes.arrived
    return Ends(points, values, arrived, lanes.steps, lanes.evaluations, time.monotonic() - began, ended)


class _Lanes:
    """Points z (n, m) in units of the region, with value, gradient and inverse Hessian for each lane.

    ``place`` says which of the starts a lane is, ``moving`` whether it has not arrived yet.
    """

    def __init__(self, evaluate: Evaluate, starts: np.ndarray, region: Box, box: Box | None) -> None:
        self._evaluate, self.steps, self.evaluations = evaluate, 0, 0
        width = region.upper - region.lower
        self._width = np.where(width > 0, width, 1.0)
        self._origin = region.lower
        self._low = self._high = None
        if box is not None:
            self._low, self._high = (((end - self._origin) / self._width)[:, None] for end in (box.lower, box.upper))
        self.place: np.ndarray = np.arange(len(starts))
        self.z = np.ascontiguousarray(((starts - self._origin) / self._width).T)
        self.ends, self.end_values = starts.astype(float), np.full(len(starts), np.nan)
        self.arrived = np.zeros(len(starts), bool)
        self.value, self.slope = self._see(self.z)
        alive = np.isfinite(self.value) & np.all(np.isfinite(self.slope), axis=0)
        known = self.value[alive]
        self._spread = float(np.subtract(*np.percentile(known, [75, 25]))) if len(known) else 0.0
        size = len(self.z)
        self.inverse = np.zeros((size, size, len(starts)))
        self.fresh, self.length, self.moving = np.ones(len(starts), bool), np.ones(len(starts)), alive
        self._forget(np.ones(len(starts), bool))
        self._keep(alive)

    def step(self) -> None:
        """One look for each lane: taken where it goes down enough, else the next look is nearer."""
        self.steps += 1
        free = self._free_slope()
        way = np.einsum("ijm,jm->im", self.inverse, -free)
        if self._low is not None:
            way[free == 0] = 0.0
        slope = np.einsum("im,im->m", way, free)
        uphill = ~(slope < 0)
        if np.any(uphill):
            self._forget(uphill)
            way[:, uphill] = -self.inverse[0, 0, uphill] * free[:, uphill]
        far = np.max(np.abs(way), axis=0)
        way *= np.minimum(1.0, LONGEST / np.maximum(far, 1e-300))
        slope = np.einsum("im,im->m", way, free)
        there = self.z + self.length * way
        if self._low is not None and self._high is not None:
            there = np.minimum(np.maximum(there, self._low), self._high)
        value, gradient = self._see(there)
        ahead = self.length * slope
        taken = (value <= self.value + DECREASE * ahead) & np.isfinite(value + gradient.sum(axis=0))
        done = self._is_done(slope, taken) & self.moving
        self._learn(taken, there - self.z, gradient - self.slope)
        self._shorten(taken, value, ahead)
        self.z = np.where(taken, there, self.z)
        self.value = np.where(taken, value, self.value)
        self.slope = np.where(taken, gradient, self.slope)
        if np.any(done):
            self.arrived[self.place[done]] = True
            self.settle(done)

    def settle(self, which: np.ndarray) -> None:
        """Some lanes need move no more; they go along, and may still gain, until few are left that do."""
        self.moving = self.moving & ~which
        if np.sum(self.moving) < CROWDED * len(self.moving):
            self.write()
            self._keep(self.moving)

    def write(self) -> None:
        """Write down where the lanes are."""
        self.ends[self.place] = self._origin + self.z.T * self._width
        self.end_values[self.place] = self.value

    def row(self, seconds: float) -> Row:
        """The lowest point so far, as a row of a trace."""
        nan, settled = float("nan"), np.where(np.isnan(self.end_values), np.inf, self.end_values)
        ended, now = int(np.argmin(settled)), int(np.argmin(self.value)) if len(self.value) else -1
        if now >= 0 and self.value[now] < settled[ended]:
            x, value = self._origin + self.z[:, now] * self._width, float(self.value[now])
            steepness = length_of(self.slope[:, now] / self._width)
        else:
            x, value, steepness = self.ends[ended], float(settled[ended]), nan
        there = np.array(x)
        return Row(self.steps, value, steepness, nan, nan, nan, nan, seconds, self.evaluations,
                   there if len(x) <= FEW else None, there=there)  # fmt: skip

    def _keep(self, which: np.ndarray) -> None:
        if np.all(which):
            return
        self.place, self.z, self.moving = self.place[which], self.z[:, which], self.moving[which]
        self.value, self.slope = self.value[which], self.slope[:, which]
        self.inverse, self.fresh, self.length = self.inverse[:, :, which], self.fresh[which], self.length[which]

    def _see(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.evaluations += z.shape[1]
        value, gradient = self._evaluate(self._origin + z.T * self._width)
        return np.array(value, float), np.ascontiguousarray(np.asarray(gradient).T) * self._width[:, None]

    def _free_slope(self) -> np.ndarray:
        """The gradient without what a bound holds back."""
        if self._low is None or self._high is None:
            return self.slope
        held = (self.z <= self._low) & (self.slope > 0) | (self.z >= self._high) & (self.slope < 0)
        return np.where(held, 0.0, self.slope)

    def _is_done(self, slope: np.ndarray, taken: np.ndarray) -> np.ndarray:
        """A lane has arrived where the way promises nothing more, or where no step is short enough."""
        promised = -slope <= PROMISE * np.maximum(np.abs(self.value) + self._spread, 1e-300)
        stuck = ~taken & (self.length <= SHORTEST)
        return (promised & ~self.fresh) | stuck | (slope == 0)

    def _forget(self, which: np.ndarray) -> None:
        """Back to steepest descent, its first step a small part of the box."""
        first = FIRST / np.maximum(np.max(np.abs(self.slope[:, which]), axis=0), 1e-300)
        self.inverse[:, :, which] = np.eye(len(self.z))[:, :, None] * first
        self.fresh[which] = True
        self.length[which] = 1.0

    def _learn(self, taken: np.ndarray, moved: np.ndarray, change: np.ndarray) -> None:
        """The BFGS formula for the inverse, where the curvature along the step is positive."""
        curved = np.einsum("im,im->m", moved, change)
        squares = np.einsum("im,im->m", change, change)
        good = taken & (curved > 1e-10 * np.sqrt(squares * np.einsum("im,im->m", moved, moved)))
        first, beyond = good & self.fresh, taken & ~good & (self.length == 1)
        if np.any(beyond):  # f curves downwards along the step, so the next one may be longer
            self.inverse[:, :, beyond] *= LONGER
        if np.any(first):
            self.inverse[:, :, first] = np.eye(len(self.z))[:, :, None] * (curved / squares)[first]
            self.fresh = self.fresh & ~good
        # Nothing is learnt where a number is not finite, either.
        moved, change, curved = np.where(good, moved, 0.0), np.where(good, change, 0.0), np.where(good, curved, 1.0)
        image = np.einsum("ijm,jm->im", self.inverse, change)
        half = ((0.5 + 0.5 * np.einsum("im,im->m", change, image) / curved) * moved - image) / curved
        update = moved[:, None] * half
        self.inverse += update + update.transpose(1, 0, 2)

    def _shorten(self, taken: np.ndarray, value: np.ndarray, ahead: np.ndarray) -> None:
        """To the lowest point of the parabola through both looks, between a tenth and a half."""
        self.length = np.where(taken, 1.0, self.length)
        back = np.flatnonzero(~taken)
        if len(back):
            share = -ahead[back] / (2 * (value[back] - self.value[back] - ahead[back]))
            self.length[back] *= np.fmin(np.fmax(share, 0.1), 0.5)  # a tenth where it is not a number
