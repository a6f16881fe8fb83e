"""The one loop: choose a direction, take a step, write it down, until there is a reason to stop.

It owns the budget, the trace, the callback, Ctrl-C and the reason. It knows neither rows nor formulas: whatever is a
``Ground`` can be walked on, in any direction, with any step.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from surefoot.descent.curvatures import Curvatures, from_conjugate_gradients, measure
from surefoot.descent.directions import ConjugateGradients, Direction
from surefoot.descent.ground import Ground, Here
from surefoot.descent.steps import ExactStep, FixedRate, Step, Taken
from surefoot.descent.stop import ENDS, Reason, Stop
from surefoot.descent.trace import FEW, Row, Trace, angle_between
from surefoot.errors import ModelError
from surefoot.wording import counted

Watch = Callable[[Row], object]
"""A callback for each step; one that raises ``StopIteration`` ends the walk."""

PATIENCE = 10
"""Steps without a smaller gradient after which a gradient below the noise floor is taken for noise."""
LOOKS = 3
"""Times that a gradient below the floor is evaluated in vain before it is taken for noise too."""
STALL, NEAR = 100, 100.0
"""The same for a gradient that is above the floor, but by no more than this factor."""
CLEARLY = 1 + 1e-9
"""A curvature is above what a rate allows if it is so by more than its own rounding."""


@dataclass(frozen=True)
class Budget:
    """What a walk may cost. A pass that would end after the time is not begun, as far as the last one tells."""

    steps: int = 10_000
    seconds: float = float("inf")


@dataclass(frozen=True)
class Walk:
    """Where a walk led, and why it ended there.

    Attributes
    ----------
    here : Here
        The point that it ended at: the last one if it arrived, else the lowest seen.
    stop : Stop
        Why it ended.
    trace : Trace
        Every step.
    curvatures : Curvatures
        The ends of the spectrum as far as they are known: as given, or as measured on the way.
    steps, passes : int
        Steps taken; passes over the rows, with those that measured curvatures.
    seconds : float
        From the first pass to the last.
    """

    here: Here
    stop: Stop
    trace: Trace
    curvatures: Curvatures
    steps: int
    passes: int
    seconds: float

    @property
    def x(self) -> np.ndarray:
        return self.here.x


def walk(
    ground: Ground,
    direction: Direction,
    step: Step,
    *,
    start: np.ndarray | None = None,
    budget: Budget | None = None,
    tolerance: float | None = None,
    curvatures: Curvatures | None = None,
    watch: Watch | None = None,
) -> Walk:
    """Walk down.

    Parameters
    ----------
    ground : Ground
        What is walked on.
    direction, step : Direction, Step
        Which way, and how far.
    start : ndarray, shape (n,), optional
        Where to begin; the origin if not given, from where a walk on least squares leads to the shortest minimiser.
    budget : Budget, optional
        Steps and seconds.
    tolerance : float, optional
        Length of the gradient, relative to the first, that is small enough. The noise floor ends a walk in any case.
    curvatures : Curvatures, optional
        Where they are known: they tell how many digits a small gradient stands for.
    watch : callable, optional
        Given the row of each step.

    Returns
    -------
    Walk
        Never an exception at the end of a budget, nor at Ctrl-C once the first step is taken: the best point so far.

    Raises
    ------
    ModelError
        The start has another shape than the ground, or is not finite.

    References
    ----------
    Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, chapter 3, pp. 30-34.

    Examples
    --------
    >>> import numpy as np
    >>> from surefoot.descent.bowl import Bowl
    >>> bowl = Bowl.of_arrays(np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]]), np.array([1.0, 2.0, 4.0]))
    >>> walked = walk(bowl, ConjugateGradients(), ExactStep())
    >>> walked.steps, walked.x.round(12).tolist(), walked.stop.reason.name
    (2, [-0.666666666667, 1.5], 'NOISE')
    """
    begin = np.zeros(ground.size) if start is None else np.asarray(start, float)
    if begin.shape != (ground.size,) or not np.all(np.isfinite(begin)):
        raise ModelError(f"A walk starts at {counted(ground.size, 'finite number')}, not at {start!r}.")
    course = _Course(ground, direction, step, budget or Budget(), tolerance, curvatures, watch)
    # A walk that diverges overflows in the end; that is looked for, and said.
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            course.begin(begin)
            while course.stop is None:
                course.go()
        except KeyboardInterrupt:
            if course.best is None:
                raise
            course.end(Reason.INTERRUPTED, f"after {course.taken:,} steps, with the best point kept")
        except StopIteration:
            course.end(Reason.ASKED)
        return course.walked()


class _Course:
    """A walk under way."""

    def __init__(self, ground, direction, step, budget, tolerance, curvatures, watch) -> None:
        self.ground: Ground = ground
        self.direction: Direction = direction
        self.step: Step = step
        self.budget: Budget = budget
        self.known: Curvatures | None = curvatures
        self.tolerance: float | None = tolerance
        self.watch: Watch | None = watch
        self.rows: list[Row] = []
        self.stop: Stop | None = None
        self.best: Here | None = None
        self.last: Taken | None = None
        self.taken = 0
        self.steepest, self.flattest = 0.0, float("inf")
        self.smallest_gradient, self.waited, self.looks = float("inf"), 0, 0
        self.passes_before, self.began = ground.passes, time.monotonic()
        self.pass_seconds = 0.0

    def begin(self, start: np.ndarray) -> None:
        self.here = self.best = self.ground.see(start)
        self.first = self.here.steepness
        nan = float("nan")
        self._note(Row(0, self.here.value, self.first, 0.0, 0.0, nan, nan, *self._cost(), self._point()))
        if not self._finite():
            return self.end(Reason.NOT_FINITE, "at the start")
        self._judge()

    def go(self) -> None:
        """One step."""
        if self.taken >= self.budget.steps:
            return self.end(Reason.STEPS, f"{self.taken:,} steps taken, {self._numbers()}")
        before = time.monotonic()
        if before - self.began + self.pass_seconds > self.budget.seconds:
            return self.end(Reason.TIME, f"{before - self.began:.3g} s and {self.taken:,} steps, {self._numbers()}")
        way = self._downhill(self.direction.choose(self.here, self.last))
        taken = self.step.take(self.ground, self.here, way)
        self.pass_seconds = time.monotonic() - before
        if taken is None:
            return self.end(Reason.NO_CURVATURE, f"after {self.taken:,} steps, {self._numbers()}")
        self.rows[-1] = replace(self.rows[-1], value=taken.value)  # the step saw it, where it had been carried over
        angle = angle_between(way, self.last.direction) if self.last else float("nan")
        self.here, self.last, self.taken = taken.there, taken, self.taken + 1
        self._note(Row(self.taken, self.here.value, self.here.steepness, taken.length, taken.moved, angle,
                       taken.curvature, *self._cost(), self._point()))  # fmt: skip
        if not self._finite():
            return self._leave_the_range()
        self.steepest = max(self.steepest, taken.curvature)
        if taken.curvature > 0:
            self.flattest = min(self.flattest, taken.curvature)
        if self.best is None or self.here.value <= self.best.value * (1 + 4 * np.finfo(float).eps):
            self.best = self.here
        if taken.curvature > CLEARLY * self.step.steepest_settled(self.direction.momentum):
            return self.end(Reason.DIVERGED, self._overshoot(self.here, taken.curvature))
        self._judge()

    def end(self, reason: Reason, explanation: str = "") -> None:
        measured = self.here.steepness
        self.stop = Stop(reason, measured, self._limit(), explanation)

    def walked(self) -> Walk:
        assert self.stop is not None and self.best is not None
        arrived = self.stop.reason in ENDS
        here, curvatures = self.here if arrived else self.best, self._curvatures()
        stop = Stop(
            self.stop.reason, here.steepness if arrived else self.stop.measure, self.stop.tolerance,
            self.stop.explanation, _digits(here, curvatures),
        )  # fmt: skip
        seconds, passes = self._cost()
        return Walk(here, stop, Trace(tuple(self.rows)), curvatures, self.taken, passes, seconds)

    def _finite(self) -> bool:
        return bool(np.isfinite(self.here.value) and np.all(np.isfinite(self.here.gradient)))

    def _judge(self) -> None:
        """Stop where the gradient is small enough; a gradient that was carried over is evaluated before it counts."""
        reason = self._small()
        if reason is not None and not self.here.seen:
            self.here = self.best = self.ground.see(self.here.x)
            reason = self._small() or self._looked_again()
        if reason is not None:
            self.end(reason)

    def _looked_again(self) -> Reason | None:
        """A carried gradient was small enough and the true one is not quite: below the floor that is so for ever."""
        if self.here.steepness <= self.ground.floor(self.here, self.steepest).gradient:
            self.looks += 1
        return Reason.NOISE if self.looks >= LOOKS else None

    def _small(self) -> Reason | None:
        steepness, floor = self.here.steepness, self.ground.floor(self.here, self.steepest)
        if self.tolerance is not None and steepness <= self.tolerance * self.first:
            return Reason.TOLERANCE
        self.waited = 0 if steepness < self.smallest_gradient else self.waited + 1
        self.smallest_gradient = min(self.smallest_gradient, steepness)
        if steepness > floor.gradient:
            # A fixed rate near 2/L carries its rounding along from step to step, and circles above the floor.
            return Reason.STALLED if self.waited >= STALL and steepness <= NEAR * floor.gradient else None
        # So small a gradient may still mean a way to go along the flattest direction met so far: |g|^2 / (2 mu) of f.
        left = steepness / np.sqrt(2 * self.flattest)
        return Reason.NOISE if left <= floor.energy or self.waited >= PATIENCE else None

    def _limit(self) -> float:
        floor = self.ground.floor(self.here, self.steepest).gradient
        return floor if self.tolerance is None else max(floor, self.tolerance * self.first)

    def _downhill(self, way: np.ndarray) -> np.ndarray:
        """The direction, or the steepest one where rounding has turned it uphill and the step relies on a descent."""
        uphill = float(way @ self.here.gradient) >= 0 and self.direction.momentum == 0
        return -self.here.gradient if uphill else way

    def _leave_the_range(self) -> None:
        """A number overflowed: of a rate that is too large that is the end of a divergence, so L is measured."""
        assert self.best is not None
        limit = self.step.steepest_settled(self.direction.momentum)
        if np.isfinite(limit) and measure(self.ground, self.best.x, self.best.gradient).largest > limit:
            return self.end(Reason.DIVERGED, self._overshoot(self.best, 0.0))
        self.end(Reason.NOT_FINITE, f"after {self.taken:,} steps")

    def _overshoot(self, at: Here, found: float) -> str:
        """The sentence for a rate that is too large; the gradient that grew points to L, and products find it."""
        assert isinstance(self.step, FixedRate)
        how, measured = "along the last step", measure(self.ground, at.x, at.gradient)
        if measured.largest > found:
            found, how = measured.largest, f"by {counted(measured.products, 'product')} with the Hessian"
        self.steepest = max(self.steepest, found)
        momentum = self.direction.momentum
        bound = "2/L" if momentum == 0 else f"2 (1 + {momentum:.3g})/L"
        return (
            f"rate {self.step.rate:.6g} is above {bound} = {2 * (1 + momentum) / found:.6g}: the largest curvature "
            f"measured is L = {found:.6g} ({how}), so every step overshoots more than the last"
        )

    def _curvatures(self) -> Curvatures:
        if self.known is not None:
            return self.known
        if isinstance(self.direction, ConjugateGradients) and isinstance(self.step, ExactStep) and self.taken:
            trace = Trace(tuple(self.rows))
            return from_conjugate_gradients(trace["length"][1:], trace["steepness"])
        return Curvatures(self.steepest, None, self.taken, complete=False)

    def _numbers(self) -> str:
        return f"|g| = {self.here.steepness:.1e} > {self._limit():.1e}"

    def _point(self) -> np.ndarray | None:
        return self.here.x if self.ground.size <= FEW else None

    def _cost(self) -> tuple[float, int]:
        return time.monotonic() - self.began, self.ground.passes - self.passes_before

    def _note(self, row: Row) -> None:
        self.rows.append(row)
        if self.watch is not None:
            self.watch(row)


def _digits(here: Here, curvatures: Curvatures) -> float | None:
    """Digits of x that are certain while the gradient may still move it by ``|g| / mu``."""
    if curvatures.smallest is None or not curvatures.complete:
        return None
    size, reach = float(np.linalg.norm(here.x)), here.steepness / curvatures.smallest
    if reach == 0:
        return -np.log10(np.finfo(float).eps / 2)
    return float(np.clip(-np.log10(reach / size), 0.0, 15.95)) if size > 0 else 0.0
