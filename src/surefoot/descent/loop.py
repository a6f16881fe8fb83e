"""The one loop: choose a direction, take a step, write it down, until there is a reason to stop.

    x_(k+1) = x_k + t_k p_k,    p_k from a direction, t_k from a step rule

It owns the budget, the trace, the callback, Ctrl-C and the reason. It knows neither rows nor formulas: whatever is a
``Ground`` can be walked on, in any direction, with any step.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from surefoot.descent.arrival import Arrival, Tolerance
from surefoot.descent.curvatures import Curvatures, from_conjugate_gradients, measure
from surefoot.descent.directions import ConjugateGradients, Direction, Way
from surefoot.descent.exact_step import ExactStep
from surefoot.descent.falling import falls_without_end
from surefoot.descent.ground import Ground, Here
from surefoot.descent.memory import Memory, memory_of, recalled
from surefoot.descent.norms import length_of
from surefoot.descent.ray import Ray, Refusal, Taken, Trial
from surefoot.descent.steps import FixedRate, Step
from surefoot.descent.stop import ENDS, STUCK, Reason, Stop
from surefoot.descent.trace import FEW, Row, Trace, angle_between
from surefoot.errors import ModelError
from surefoot.interruption import listening
from surefoot.wording import counted

Watch = Callable[[Row], object]
"""A callback for each trial; one that raises ``StopIteration`` ends the walk."""

CLEARLY = 1 + 1e-9
"""A curvature is above what a rate allows if it is so by more than its own rounding."""
RISES = 5
"""Steps uphill in sequence, each too long for the curvature it met, that make a divergence where curvature varies."""
ABOVE, NAN = 1 + 4 * float(np.finfo(float).eps), float("nan")
"""A value is as low as the best if it is above it by no more than its rounding."""
BLUNT = 1e-4
"""Share of the longest gradient that is too much for a gradient at rest, or for a noise floor: a kink is looked for."""
HALVINGS = 60
"""Times that a step into undefined ground is halved."""


@dataclass(frozen=True)
class Budget:
    """What a walk may cost. A pass that would end after the time is not begun, as far as the last one tells."""

    steps: int = 10_000
    seconds: float = float("inf")
    evaluations: float = float("inf")


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
        Every trial.
    curvatures : Curvatures
        The ends of the spectrum as far as they are known: as given, or as measured on the way.
    steps, passes : int
        Steps taken; evaluations (passes over the rows), with those that measured curvatures.
    seconds : float
        From the first evaluation to the last.
    method : str
        Direction and step rule.
    story : tuple of str
        Of a walk in several legs: in sentences, what was chosen and why.
    memory : Memory or None
        What a walk would go on with; None before the first step.
    """

    here: Here
    stop: Stop
    trace: Trace
    curvatures: Curvatures
    steps: int
    passes: int
    seconds: float
    method: str = ""
    story: tuple[str, ...] = ()
    memory: Memory | None = None

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
    tolerance: float | Tolerance | None = None,
    curvatures: Curvatures | None = None,
    watch: Watch | None = None,
    memory: Memory | None = None,
) -> Walk:
    """Walk down.

    Parameters
    ----------
    ground : Ground
        What is walked on.
    direction, step : Direction, Step
        Which way, and how far. A direction that remembers steps serves one walk.
    start : ndarray, shape (n,), optional
        Where to begin; the origin if not given, from where a walk on least squares leads to the shortest minimiser.
    budget : Budget, optional
        Steps, seconds and evaluations.
    tolerance : float or Tolerance, optional
        Length of the gradient, relative to the first, that is small enough; a ``Tolerance`` may be absolute. The noise
        floor ends a walk in any case.
    curvatures : Curvatures, optional
        Where they are known: they tell how many digits a small gradient stands for.
    watch : callable, optional
        Given the row of each trial.
    memory : Memory, optional
        Of a walk of the same method; this one goes on as that one would have, from where it stood.

    Returns
    -------
    Walk
        Never an exception at the end of a budget, nor at Ctrl-C once the start is seen: the best point so far.

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
    asked = tolerance if isinstance(tolerance, Tolerance) else Tolerance(tolerance)
    course = _Course(ground, direction, step, budget or Budget(), asked, curvatures, watch)
    # A walk that diverges overflows in the end; that is looked for, and said.
    with np.errstate(over="ignore", invalid="ignore"), listening() as interruption:
        try:
            course.begin(begin, memory)
            while course.stop is None:
                interruption.check()
                course.go()
        except _Spent as spent:
            course.end(spent.reason, spent.explanation)
        except KeyboardInterrupt:
            if course.best is None:
                raise
            course.end(Reason.INTERRUPTED, f"after {course.taken:,} steps, with the best point kept")
        except StopIteration:
            course.end(Reason.ASKED)
        return course.walked()


class _Spent(Exception):
    """A budget was spent in the middle of a step."""

    def __init__(self, reason: Reason, explanation: str) -> None:
        self.reason, self.explanation = reason, explanation


class _Course:
    """A walk under way."""

    def __init__(self, ground, direction, step, budget, tolerance, curvatures, watch) -> None:
        self.ground: Ground = ground
        self.direction: Direction = direction
        self.step: Step = step
        self.budget: Budget = budget
        self.known: Curvatures | None = curvatures
        self.watch: Watch | None = watch
        self.arrival = Arrival(ground, tolerance)
        self.rows: list[Row] = []
        self.tried: list[tuple[Here, int]] = []  # looks of the step under way, and where their rows are
        self.stop: Stop | None = None
        self.best: Here | None = None
        self.bare: Here | None = None  # lower than that, at a place without a gradient: the tip of a cusp
        self.last: Taken | None = None
        self.tuned: dict[str, Any] = {}  # what the step rule kept when the last step was taken
        self.counted = True  # whether the point has been judged
        self.taken, self.rises = 0, 0
        self.passes_before, self.began = ground.passes, time.monotonic()
        self.pass_seconds = 0.0

    def begin(self, start: np.ndarray, memory: Memory | None = None) -> None:
        self.here = self.best = self.ground.see(start if memory is None else memory.x)
        if memory is not None:
            self.last = memory.last(self.here)
            recalled(self.direction, memory.learnt, self.last)
            recalled(self.step, memory.tuned, self.last)
            self.arrival.recall(memory.judged)
            self.counted = memory.counted
        nan = float("nan")
        row = Row(0, self.here.value, self.here.steepness, 0.0, 0.0, nan, nan, *self._cost(), self._point(self.here))
        self._note(row, self.here)
        if not self.here.is_finite:
            return self.end(Reason.NOT_FINITE, "at the start")
        if memory is None:
            return self._end_if_small(self.arrival.begin(self.here))
        if not memory.counted:
            self.arrival.felt(memory.curvature)
            self._end_if_small(self.arrival.reason(self.here))
        self.counted = True

    def go(self) -> None:
        """One step."""
        if self.taken >= self.budget.steps:
            return self.end(Reason.STEPS, f"{self.taken:,} steps taken, {self._numbers()}")
        passes = self.ground.passes - self.passes_before
        if passes >= self.budget.evaluations:  # a fixed rate takes no looks on the way that would have told
            return self.end(Reason.EVALUATIONS, f"{passes:,} evaluations in {self.taken:,} steps, {self._numbers()}")
        before = time.monotonic()
        if before - self.began + self.pass_seconds > self.budget.seconds:
            return self.end(Reason.TIME, f"{before - self.began:.3g} s and {self.taken:,} steps, {self._numbers()}")
        outcome = self._attempt()
        self.pass_seconds = (time.monotonic() - before) / max(1, len(self.tried))
        if isinstance(outcome, Refusal):
            return self._refused(outcome)
        self._accept(outcome)

    def _attempt(self) -> Taken | Refusal:
        """A step; where it is refused, once more without what the direction remembers."""
        outcome = self._try()
        again = isinstance(outcome, Refusal) and outcome.reason is Reason.NO_DECREASE
        if again and self.direction.forget():
            self.last = None
            outcome = self._try()
        return outcome

    def _try(self) -> Taken | Refusal:
        way = self._downhill(self.direction.choose(self.ground, self.here, self.last))
        self.tried = []
        outcome = self.step.take(Ray(self.ground, self.here, way, self.last, self._look))
        if isinstance(outcome, Taken) and not (outcome.there.is_finite and math.isfinite(outcome.moved)):
            return self._stepped_back(outcome)
        return outcome

    def _accept(self, taken: Taken) -> None:
        if self.rows[-1].accepted:  # the step saw the value, where it had been carried over
            self.rows[-1] = replace(self.rows[-1], value=taken.value)
        angle = angle_between(taken.direction, self.last.direction) if self.last else float("nan")
        before, self.here, self.last, self.taken = self.here, taken.there, taken, self.taken + 1
        self.tuned, self.counted = memory_of(self.step, taken), False
        self._note_step(taken, angle)
        if not self.here.is_finite:
            return self._leave_the_range()
        self.arrival.felt(taken.curvature)
        self.rises = self.rises + 1 if self.here.value > before.value else 0
        if self.best is None or self.here.value <= self.best.value * ABOVE:
            self.best = self.here
        if self._is_overshooting(taken):
            return self.end(Reason.DIVERGED, self._overshoot(self.here, taken.curvature))
        falling = None
        if self._fell_far():
            falling = falls_without_end(self.ground, self.rows[0], self.here, taken.there.x - taken.origin.x)
        if falling is not None:
            return self.end(Reason.UNBOUNDED, falling)
        self._end_if_small(self.arrival.reason(self.here))
        self.counted = True

    def _refused(self, refusal: Refusal) -> None:
        if refusal.reason is not Reason.NO_DECREASE:
            explanation = refusal.explanation or f"after {self.taken:,} steps, {self._numbers()}"
            return self.end(refusal.reason, explanation)
        self.end(self.arrival.refused(self.here))

    def _stepped_back(self, taken: Taken) -> Taken:
        """Where f is not finite at the end of a step: a shorter one that stays where it is, if the ground is no bowl.

        A rate that is too large also ends in overflow; that is for the loop to explain, so it is not repaired.
        """
        if self.ground.is_quadratic or np.isfinite(self.step.steepest_settled(self.direction.momentum)):
            return taken
        ray = Ray(self.ground, self.here, Way(taken.direction), self.last, self._look)
        for halving in range(1, HALVINGS):
            trial = ray.see(taken.length / 2**halving)
            if trial.here.is_finite and math.isfinite(trial.moved):
                return ray.taken(trial, "stepped back: f is not finite farther on")
        return taken

    def end(self, reason: Reason, explanation: str = "") -> None:
        kink = self._kink() if reason in STUCK else ""
        if kink:
            reason, explanation = Reason.KINK, kink
        self.stop = Stop(reason, self.here.steepness, self.arrival.limit(self.here), explanation)

    def _kink(self) -> str:
        """The kink that the walk is stuck at, in words, if there is one: there no gradient shrinks."""
        if self.ground.is_quadratic:
            return ""
        blunt = BLUNT * max((row.steepness for row in self.rows if math.isfinite(row.steepness)), default=0.0)
        if max(self.here.steepness, self.arrival.limit(self.here)) <= blunt:
            return ""
        return self.ground.kink(self.here)

    def walked(self) -> Walk:
        assert self.stop is not None and self.best is not None
        arrived = self.stop.reason in ENDS
        here, curvatures = self.here if arrived else self.best, self._curvatures()
        if not self.ground.is_quadratic and self.best.value < here.value - self.ground.blur(here):
            if arrived:
                self.stop = self._stop_below(self.best)
                arrived = self.stop.reason in ENDS
            here = self.best  # rounding ended the walk above a point that it had seen
        if self.stop.reason is Reason.KINK and self.bare is not None and self.bare.value < here.value:
            here = self.bare
        if math.isnan(here.steepness) and not here.seen:  # a look at the value alone was the lowest
            here = self.ground.see(here.x)
        stop = Stop(
            self.stop.reason, here.steepness if arrived else self.stop.measure, self.stop.tolerance,
            self.stop.explanation, _digits(here, curvatures),
        )  # fmt: skip
        seconds, passes = self._cost()
        return Walk(here, stop, Trace(tuple(self.rows)), curvatures, self.taken, passes, seconds,
                    self._method, memory=self.memory())  # fmt: skip

    def _stop_below(self, lowest: Here) -> Stop:
        """The stop of a walk that came to rest above its lowest point: the reason must hold at that one.

        The numbers of the reason are measured there anew; if they do not bear it out, it is no reason.
        """
        if self._is_flat(lowest):
            limit, steep = self.arrival.measured_limit(lowest), lowest.steepness
            small = Reason.TOLERANCE if steep <= self.arrival.asked else Reason.NOISE
            return Stop(small if steep <= limit else Reason.STALLED, steep, limit)
        why = f"it came to rest at f = {self.here.value:.6g}, and had seen {lowest.value:.6g} before"
        return Stop(Reason.IDLE, lowest.steepness, self.arrival.limit(lowest), why)

    def _is_flat(self, here: Here) -> bool:
        """Whether the gradient at a point is about as small as rounding lets it be, by the curvature along it."""
        if not here.steepness > 0:
            return True
        bent = length_of(self.ground.bend(here.x, here.gradient / here.steepness))
        return here.steepness <= max(self.ground.floor(here, bent).gradient, self.arrival.asked)

    def _end_if_small(self, reason: Reason | None) -> None:
        """Stop for a small gradient; one that was carried over is evaluated before it counts."""
        if reason is not None and not self.here.seen:
            self.here = self.best = self.ground.see(self.here.x)
            reason = self.arrival.reason(self.here) or self.arrival.looked_again(self.here)
        if reason is not None:
            self.end(reason)

    def _downhill(self, way: Way) -> Way:
        """The direction, or the steepest one where rounding has turned it uphill and the step relies on a descent."""
        if way.model is not None or self.direction.momentum or _falls(way.vector, self.here.gradient):
            return way
        return Way(-self.here.gradient)

    def _is_overshooting(self, taken: Taken) -> bool:
        """Whether the step is too long for the curvature: on a bowl that settles it, elsewhere it must also climb."""
        too_long = taken.curvature > CLEARLY * self.step.steepest_settled(self.direction.momentum)
        return too_long and (self.ground.is_quadratic or self.rises >= RISES)

    def _fell_far(self) -> bool:
        return not self.ground.is_quadratic and self.here.value < min(self.rows[0].value, 0.0)

    def _leave_the_range(self) -> None:
        """A number overflowed: of a rate that is too large that is the end of a divergence, so L is measured."""
        assert self.best is not None
        if self.here.value == -np.inf:
            size = float(np.linalg.norm(self.here.x))
            return self.end(Reason.UNBOUNDED, f"f is minus infinity in double precision at |x| = {size:.3g}")
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
        self.arrival.felt(found)
        momentum = self.direction.momentum
        bound = "2/L" if momentum == 0 else f"2 (1 + {momentum:.3g})/L"
        return (
            f"rate {self.step.rate:.6g} is above {bound} = {2 * (1 + momentum) / found:.6g}: the largest curvature "
            f"measured is L = {found:.6g} ({how}), so every step overshoots more than the last"
        )

    def _curvatures(self) -> Curvatures:
        if self.known is not None:
            return self.known
        krylov = isinstance(self.direction, ConjugateGradients) and isinstance(self.step, ExactStep)
        if krylov and self.ground.is_quadratic and self.taken:
            trace = Trace(tuple(self.rows)).steps()
            return from_conjugate_gradients(trace["length"][1:], trace["steepness"])
        return Curvatures(self.arrival.steepest, None, self.taken, complete=False)

    def _numbers(self) -> str:
        return f"|g| = {self.here.steepness:.1e} > {self.arrival.limit(self.here):.1e}"

    def _point(self, here: Here) -> np.ndarray | None:
        return here.x if self.ground.size <= FEW else None

    def _cost(self) -> tuple[float, int]:
        return time.monotonic() - self.began, self.ground.passes - self.passes_before

    def _look(self, trial: Trial) -> None:
        """Write a trial down, keep it if it is the lowest yet, and see whether a budget is spent."""
        here = trial.here
        seconds, passes = self._cost()
        self.tried.append((here, len(self.rows)))
        row = Row(self.taken + 1, here.value, here.steepness, trial.length, trial.moved, NAN, NAN, seconds, passes,
                  self._point(here), trial.slope, False)  # fmt: skip
        self._note(row, here)
        known = math.isfinite(here.value) if not here.seen else here.is_finite
        if self.best is not None and here.value < self.best.value:
            if known:
                self.best = here
            elif math.isfinite(here.value) and (self.bare is None or here.value < self.bare.value):
                self.bare = here
        if passes >= self.budget.evaluations:
            raise _Spent(Reason.EVALUATIONS, f"{passes:,} evaluations in {self.taken:,} steps, {self._numbers()}")
        if seconds > self.budget.seconds:
            raise _Spent(Reason.TIME, f"{seconds:.3g} s and {self.taken:,} steps, {self._numbers()}")

    def _note_step(self, taken: Taken, angle: float) -> None:
        """The row of a step: the one of the trial that it went to, if there were trials."""
        there, place = taken.there, next((row for here, row in self.tried if here is taken.there), None)
        known = None if place is None else self.rows[place]
        seconds, passes = self._cost() if known is None else (known.seconds, known.passes)
        slope = float(there.gradient.dot(taken.direction))
        row = Row(self.taken, there.value, there.steepness, taken.length, taken.moved, angle, taken.curvature, seconds,
                  passes, self._point(there), slope, True, taken.remark)  # fmt: skip
        if place is None:
            return self._note(row, there)
        self.rows[place] = row
        self._tell(row, there)

    def _note(self, row: Row, here: Here) -> None:
        self.rows.append(row)
        self._tell(row, here)

    def memory(self) -> Memory | None:
        """What a walk would go on with from here; None before the first step."""
        if self.last is None:
            return None
        return Memory.of(
            self._method, self.last, learnt=memory_of(self.direction, self.last), tuned=self.tuned,
            judged=self.arrival.memory(), counted=self.counted,
        )  # fmt: skip

    @property
    def _method(self) -> str:
        return f"{self.direction.name}, {self.step.name}"

    def _tell(self, row: Row, here: Here) -> None:
        if self.watch is not None:
            self.watch(replace(row, there=here.x, memory=self.memory))


def _falls(vector: np.ndarray, gradient: np.ndarray) -> bool:
    """Whether the slope along a direction is negative, even if it is too small or too large for a double."""
    slope = float(vector.dot(gradient))
    if slope == 0 or not math.isfinite(slope):
        steep, size = length_of(gradient), length_of(vector)
        slope = float((vector / size) @ (gradient / steep)) if steep > 0 and size > 0 else 0.0
    return slope < 0


def _digits(here: Here, curvatures: Curvatures) -> float | None:
    """Digits of x that are certain while the gradient may still move it by ``|g| / mu``."""
    if curvatures.smallest is None or not curvatures.complete:
        return None
    size, reach = float(np.linalg.norm(here.x)), here.steepness / curvatures.smallest
    if reach == 0:
        return -np.log10(np.finfo(float).eps / 2)
    return float(np.clip(-np.log10(reach / size), 0.0, 15.95)) if size > 0 else 0.0
