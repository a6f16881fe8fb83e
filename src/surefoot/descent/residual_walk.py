"""A residual function, from the start to its last digit.

    1. damped Gauss-Newton steps (Levenberg-Marquardt), until what is left to gain is rounding
    2. where a parameter has run away: the same in logarithms of what starts above zero; the lower end wins
    3. Newton's steps on exact second derivatives, until they shrink no more

Each leg is a walk of the one loop; the trace of all is one trace. That values or gradients look small never ends a
leg: where parameters have units worlds apart neither says that all digits are there.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, chapter 10, pp. 245-269.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.descent.arrival import Tolerance
from surefoot.descent.directions import Direction
from surefoot.descent.escape import Escape, escape, lowest_curvature
from surefoot.descent.ground import Here
from surefoot.descent.log_variables import LogVariables
from surefoot.descent.loop import Budget, Walk, Watch, walk
from surefoot.descent.misfit import FencedMisfit, Misfit, Quiet
from surefoot.descent.polish import BLURRED, ResidualNewton, Shrinking
from surefoot.descent.residuals import Damping, LevenbergMarquardt
from surefoot.descent.steps import Step
from surefoot.descent.stop import ENDS, Reason, Stop
from surefoot.descent.trace import Row, Trace

if TYPE_CHECKING:
    from surefoot.problem.box import Box
    from surefoot.problem.losses import Loss
    from surefoot.problem.residual import Residuals

VANISHED = 1e-8
"""A column this many times shorter than it has been on the way has vanished."""
FAR = 1e6
"""A variable that has grown by this factor, while its column shrank by as much, has run away."""
LEG = 300
"""Steps after which a leg that has not arrived lets the logarithms try."""
CLEARLY = 1e-6
"""The other road wins if its end is lower by this share."""
SETTLED = 1e-6
"""Newton's step in units of D, relative to D x, from which a point counts as found."""
SADDLES = 5
"""Stationary points that are left by their negative curvature at most."""
POLISH = 100
"""Steps for the last digits at most."""
OVER = (Reason.ASKED, Reason.INTERRUPTED, Reason.TIME, Reason.EVALUATIONS)


@dataclass(frozen=True)
class Found:
    """Where a residual function led.

    Attributes
    ----------
    walk : Walk
        With the trace of all legs.
    step : ndarray, shape (n,), or None
        Newton's step at the end: how far the point may still be from the minimum.
    runaway : tuple of int
        Variables that went towards infinity.
    """

    walk: Walk
    step: np.ndarray | None
    runaway: tuple[int, ...]


def descend(
    residuals: Residuals,
    loss: Loss,
    start: np.ndarray,
    *,
    box: Box | None = None,
    direction: Direction | None = None,
    step: Step | None = None,
    scale: np.ndarray | None = None,
    budget: Budget | None = None,
    tolerance: float | None = None,
    watch: Watch | None = None,
) -> Found:
    """Walk down a sum of squares, or of losses.

    Parameters
    ----------
    residuals : Residuals
        r with its Jacobian.
    loss : Loss
        What each residual costs.
    start : ndarray, shape (n,)
        Where to begin.
    box : Box, optional
        Where to stay.
    direction, step : optional
        Of the first leg; Levenberg-Marquardt if not given.
    scale : ndarray, shape (n,), optional
        Units of the variables; measured if not given.
    budget : Budget, optional
        For all legs.
    tolerance : float, optional
        Length of the gradient that is small enough.
    watch : callable, optional
        Given the row of each trial.

    Examples
    --------
    >>> from surefoot.problem.losses import loss_of
    >>> from surefoot.problem.residual import residuals_of
    >>> residuals, x0 = residuals_of(lambda x: [10 * (x[1] - x[0] ** 2), 1 - x[0]], [-1.2, 1.0])
    >>> descend(residuals, loss_of("linear"), x0).walk.x.round(12).tolist()
    [1.0, 1.0]
    """
    legs = _Legs(residuals, loss, np.asarray(start, float), box, budget or Budget(), tolerance, watch)
    if direction is not None:
        return legs.finished(legs.damped(legs.start, direction, step or Damping(), legs.budget.steps))
    steps = LEG if legs.may_log() else legs.budget.steps
    first = legs.damped(legs.start, LevenbergMarquardt(scale), Damping(), steps)
    if legs.is_lost(first):
        first = legs.logarithms(first)
    if first.stop.reason is Reason.STEPS and legs.steps < legs.budget.steps:
        first = legs.damped(first.here.x, LevenbergMarquardt(scale), Damping(), legs.budget.steps, "going on")
    found = legs.finished(first)
    for _ in range(SADDLES):
        place = legs.beside(found)
        if place is None:
            break
        first = legs.damped(place.there.x, LevenbergMarquardt(scale), Damping(), legs.budget.steps,
                            f"beside a stationary point, where the curvature is {place.curvature:.3g}")  # fmt: skip
        found = legs.finished(first)
    return found


class _Legs:
    """Legs under way."""

    def __init__(self, residuals, loss, start, box, budget, tolerance, watch) -> None:
        self.residuals, self.loss, self.start, self.box = residuals, loss, start, box
        self.budget: Budget = budget
        self.tolerance = Tolerance(absolute=tolerance)
        self.watch: Watch | None = watch
        self.misfit = Misfit(residuals, loss)
        self.ground: Any = self.misfit if box is None else FencedMisfit(self.misfit, box)
        self.rows: list[Row] = []
        self.story: list[str] = []
        self.walks: list[Walk] = []
        self.steps = self.passes = self.collapses = 0
        self.settled, self.upward = False, True
        self.began = time.monotonic()
        self.longest: np.ndarray | None = None

    def damped(self, start: np.ndarray, direction: Direction, step: Step, steps: int, remark: str = "") -> Walk:
        """A leg with these rules."""
        walked = self._leg(self.ground, direction, step, start, remark, steps)
        self.collapses = getattr(step, "collapses", 0)
        self.settled = getattr(step, "settled", False)
        self.longest = getattr(direction, "lengths", None)
        return walked

    def may_log(self) -> bool:
        """Whether the start has variables whose logarithm may be taken, with nothing in the way."""
        return self.box is None and not self.residuals.is_sparse and bool(np.any(self.start > 0))

    def is_lost(self, walked: Walk) -> bool:
        """Whether something has run away, or the walk did not arrive, and logarithms may do better."""
        if not self.may_log() or self._is_over() or walked.stop.reason is Reason.TOLERANCE:
            return False
        arrived = self.settled or walked.here.steepness == 0
        return not arrived or self.collapses > 0 or bool(self.runaway(walked.here))

    def runaway(self, here: Here) -> tuple[int, ...]:
        """Variables that went towards infinity, or whose column vanished on the way there."""
        if self.longest is None or not self.misfit.is_regular(here.x):
            return ()
        with np.errstate(all="ignore"):
            shrunk = np.where(self.longest > 0, self.misfit.lengths(here.x) / self.longest, 1.0)
            grown = np.abs(here.x) / np.maximum(np.abs(self.start), np.finfo(float).tiny)
        far = (grown > FAR) & (shrunk < 1 / FAR) & (np.abs(here.x) > FAR)
        return tuple(int(j) for j in np.flatnonzero((shrunk < VANISHED) & (here.value > 0) | far))

    def logarithms(self, first: Walk) -> Walk:
        """The same walk in logarithms; the lower end wins."""
        logs = LogVariables(self.residuals, self.start > 0)
        ground = Misfit(logs, self.loss)  # type: ignore[arg-type]
        remark = "in logarithms of what starts above zero, because "
        remark += "a parameter runs away" if self.runaway(first.here) or self.collapses else "the walk crawls"
        damping = Damping()
        walked = self._leg(ground, LevenbergMarquardt(), damping, logs.inner(self.start), remark, LEG, logs)
        change = walked.here.value - first.here.value
        lower = change < -CLEARLY * abs(first.here.value) or not np.isfinite(first.here.value)
        how = "lower" if lower else "higher" if change > CLEARLY * abs(first.here.value) else "the same value"
        self.story.append(f"From the start again {remark}: ended at {walked.here.value:.6g}, {how}.")
        if not lower:
            return first
        self.longest = self.misfit.lengths(walked.here.x)
        self.collapses, self.settled = damping.collapses, damping.settled
        return replace(walked, here=self.ground.see(walked.here.x))

    def finished(self, first: Walk) -> Found:
        """The last digits, and why the walk ended."""
        if self._is_over() or not self.misfit.is_regular(first.here.x):
            return self._found(first, first.here, first.stop, None)
        shrinking, ends = Shrinking(), first.stop.reason not in (Reason.TOLERANCE, Reason.STEPS)
        if not ends:
            return self._found(first, first.here, first.stop, None)
        limits = self.tolerance
        self.tolerance = Tolerance()
        newton = ResidualNewton(self.misfit)
        last = self._leg(self.ground, newton, shrinking, first.here.x, "the last digits", POLISH).here
        self.tolerance, self.upward = limits, newton.upward
        here = first.here if shrinking.best is None else shrinking.best
        if last.steepness == 0 and last.value <= here.value:  # there the loop ends before a step is asked for
            here, shrinking.shortest, shrinking.step = last, 0.0, np.zeros(len(last.x))
        if here.value > first.here.value + BLURRED * self.ground.blur(self.ground.see(first.here.x)):
            here = first.here
        return self._found(first, here, self._stop(first, here, shrinking), shrinking.step)

    def beside(self, found: Found) -> Escape | None:
        """A lower point along negative curvature, where second derivatives show a saddle or a top."""
        here = found.walk.here
        shown = not self.upward or (here.steepness == 0 and here.value > 0)  # where no step was asked for
        if not shown or self.box is not None or self._is_over() or not np.isfinite(here.value):
            return None
        lowest = lowest_curvature(self.misfit, here)
        place = None if lowest is None or not lowest.is_negative else escape(self.misfit, here, lowest)
        if place is not None:
            self.story.append(f"After {self.steps:,} steps: F = {here.value:.6g} at a saddle; went on beside it.")
        return place

    def _stop(self, first: Walk, here: Here, shrinking: Shrinking) -> Stop:
        last = self.walks[-1].stop
        if last.reason in OVER:
            return last
        floor = self.ground.measured_floor(here, 0.0).gradient
        if here.steepness <= floor:
            return Stop(Reason.NOISE, here.steepness, floor)
        size = float(np.linalg.norm(self.misfit.linear(here).scale * here.x))
        if shrinking.shortest <= SETTLED * size:
            share = shrinking.shortest / size
            text = f"|g| = {here.steepness:.1e}; Newton's steps shrink no more, at {share:.1e} of the variables"
            return Stop(Reason.STALLED, here.steepness, floor, text)
        reason = first.stop.reason if first.stop.reason not in ENDS else Reason.STALLED
        return Stop(reason, here.steepness, floor, first.stop.explanation)

    def _found(self, first: Walk, here: Here, stop: Stop, step: np.ndarray | None) -> Found:
        method = first.method + (", Newton on exact second derivatives at the end" if step is not None else "")
        if step is not None and not self.residuals.exact_curvature:
            method = f"{first.method}, Gauss-Newton at the end"
        walked = Walk(
            here, stop, Trace(tuple(self.rows)), first.curvatures, self.steps, self.passes,
            time.monotonic() - self.began, method, tuple(self.story),
        )  # fmt: skip
        return Found(walked, step, self.runaway(here))

    def _is_over(self) -> bool:
        spent = self.passes >= self.budget.evaluations or self._seconds_left() <= 0
        return spent or (bool(self.walks) and self.walks[-1].stop.reason in OVER)

    def _seconds_left(self) -> float:
        return self.budget.seconds - (time.monotonic() - self.began)

    def _leg(
        self, ground: Any, direction: Direction, step: Step, start: np.ndarray, remark: str,
        most: int, logs: LogVariables | None = None,
    ) -> Walk:  # fmt: skip
        """A walk whose rows go on from those before."""
        steps, passes, seconds = self.steps, self.passes, time.monotonic() - self.began
        rest = Budget(min(most, self.budget.steps - steps), self._seconds_left(), self.budget.evaluations - passes)

        def moved(row: Row) -> Row:
            said = remark if row.step == 0 and remark else row.remark
            x = row.x if logs is None or row.x is None else logs.outer(row.x)
            there = row.there if logs is None or not len(row.there) else logs.outer(row.there)
            return replace(row, step=row.step + steps, passes=row.passes + passes, seconds=row.seconds + seconds,
                           remark=said, x=x, there=there)  # fmt: skip

        watch = None if self.watch is None else lambda row: self.watch(moved(row))  # type: ignore[misc]
        quiet: Any = Quiet(ground) if isinstance(step, Damping | Shrinking) else ground
        tolerance = self.tolerance if logs is None else Tolerance()
        begin = start if self.box is None else self.box.nearest(start)
        walked = walk(quiet, direction, step, start=begin, budget=rest, tolerance=tolerance, watch=watch)
        self.rows += [moved(row) for row in walked.trace.rows]
        self.steps, self.passes = steps + walked.steps, passes + walked.passes
        if logs is not None:
            walked = replace(walked, here=replace(walked.here, x=logs.outer(walked.here.x)))
        self.walks.append(walked)
        return walked


__all__ = ["Found", "descend"]
