"""The method that is chosen for a function nobody has described: first what suits, then what its failure teaches.

    a quadratic          one Newton step, or conjugate gradients
    few variables        Newton within a trust region, the Hessian as a matrix
    many                 the same by products with the Hessian
    no second derivative BFGS, or L-BFGS

A leg is a walk of the one loop. One that crawls gives way to a partner that goes on from the lowest point; one that
ends at a saddle goes on beside it; and where f curved downwards on the way, so that there may be several minima, a
second method looks from the start. The trace of all legs is one trace; the first row of a leg says why it was begun.
What comes back is the lowest point of all.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, chapters 4, 6 and 7.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from surefoot.descent.arrival import Tolerance
from surefoot.descent.directions import ConjugateGradients, Direction
from surefoot.descent.escape import escape, lowest_curvature
from surefoot.descent.exact_step import ExactStep
from surefoot.descent.hager_zhang import HagerZhang
from surefoot.descent.landscape import Landscape
from surefoot.descent.loop import Budget, Walk, Watch, walk
from surefoot.descent.quasi_newton import BFGS, LBFGS
from surefoot.descent.steps import Step
from surefoot.descent.stop import ENDS, Reason, Stop
from surefoot.descent.trace import Row, Trace
from surefoot.descent.trust_region import TrustRegion, TrustRegionNewton, TrustRegionProducts

if TYPE_CHECKING:
    from surefoot.problem.objective import Objective

MATRIX = 50
"""Variables up to which the Hessian is a matrix."""
FULL = 500
"""Variables up to which BFGS keeps a matrix."""
SADDLES = 20
"""Stationary points that are left by their negative curvature at most."""
LEG, SHARE = 1000, 0.35
"""Steps of a first leg, and its share of the time that is left, after which it is said to crawl."""
LOOK, LOOKS = 3, 200
"""A second look may cost so many times what the first one did, and so many evaluations more."""
SAME = 1e-8
"""Values that differ relatively by less are the same minimum's, as far as the need of a further look goes."""
ALONE = (Reason.STEPS, Reason.TIME, Reason.EVALUATIONS)
"""Reasons for which a leg gives way, while the whole budget is not spent."""
FINAL = (Reason.ASKED, Reason.INTERRUPTED, Reason.UNBOUNDED)
"""Reasons after which nothing more is tried."""


@dataclass(frozen=True)
class _Method:
    """A direction and a step rule, made anew for each leg."""

    name: str
    make: Callable[[], tuple[Direction, Step]]


def auto(
    objective: Objective,
    start: np.ndarray,
    *,
    budget: Budget | None = None,
    tolerance: float | Tolerance | None = None,
    watch: Watch | None = None,
) -> Walk:
    """Walk down by whatever suits.

    Parameters
    ----------
    objective : Objective
        f with its derivatives.
    start : ndarray, shape (n,)
        Where to begin.
    budget : Budget, optional
        For all legs together.
    tolerance : float or Tolerance, optional
        As for ``walk``.
    watch : callable, optional
        Given the row of each trial.

    Returns
    -------
    Walk
        The lowest point of all legs, and one trace; ``story`` says in sentences what was chosen and why.

    Examples
    --------
    >>> from surefoot.problem.objective import objective_of
    >>> objective, start = objective_of(lambda x: (x[0] - 1) ** 4 + (x[1] + 2) ** 2, np.zeros(2))
    >>> walked = auto(objective, start)
    >>> walked.x.round(3).tolist(), walked.stop.reason in ENDS
    ([1.0, -2.0], True)
    """
    journey = _Journey(objective, np.asarray(start, float), budget or Budget(), tolerance, watch)
    journey.go()
    return journey.walked()


class _Journey:
    """Legs under way."""

    def __init__(self, objective, start, budget, tolerance, watch) -> None:
        self.ground = Landscape(objective)
        self.objective: Objective = objective
        self.start: np.ndarray = start
        self.budget: Budget = budget
        self.tolerance = tolerance
        self.watch: Watch | None = watch
        self.walks: list[Walk] = []
        self.story: list[str] = []
        self.began = time.monotonic()
        self.steps = 0
        self.newtons: list[TrustRegionNewton | TrustRegionProducts] = []
        self.rows: list[Row] = []

    @property
    def best(self) -> Walk:
        return min(self.walks, key=lambda one: one.here.value if np.isfinite(one.here.value) else np.inf)

    @property
    def seconds_left(self) -> float:
        return self.budget.seconds - (time.monotonic() - self.began)

    def go(self) -> None:
        """The first method and its partners in turn, until one arrives; then, perhaps, a second look."""
        methods = self._methods()
        start, remark = self.start, ""
        for turn in range(2 * len(methods) + 20):
            method = methods[turn % len(methods)]
            limit = Budget(LEG * 2 ** (turn // len(methods)), SHARE * self.seconds_left)
            alone = len(methods) == 1
            self._descend(method, start, remark, self.budget if alone else limit)
            if self._is_over():
                return
            if self.walks[-1].stop.reason not in ALONE:
                break
            other = methods[(turn + 1) % len(methods)]
            start = self.best.x
            remark = f"switched to {other.name} because {method.name} crawls"
            self.story.append(f"After {self.steps:,} steps: {remark}.")
        self._second_look(methods)

    def _methods(self) -> list[_Method]:
        """What suits, best first."""
        n, curved = self.ground.size, self.objective.exact_curvature
        quasi = _Method("BFGS", lambda: (BFGS(), HagerZhang()))
        if n > FULL:
            quasi = _Method("L-BFGS", lambda: (LBFGS(), HagerZhang()))
        if not curved:
            return [quasi]
        if n > MATRIX and self._is_quadratic():
            self.ground.is_quadratic = True
            self.story.append("f is a quadratic: products with its Hessian are the same at different points.")
            return [_Method("conjugate gradients", lambda: (ConjugateGradients(), ExactStep()))]
        return [_Method("trust-region Newton", self._newton), quasi]

    def _newton(self) -> tuple[Direction, Step]:
        if self.ground.size <= MATRIX:
            one = TrustRegionNewton()
        else:
            one = TrustRegionProducts(deadline=self.began + self.budget.seconds)
        self.newtons.append(one)
        return one, TrustRegion()

    def _is_quadratic(self) -> bool:
        """Whether the Hessian is the same at the start and at two places apart from it, as far as a product tells."""
        random = np.random.default_rng(0)
        size = np.maximum(np.abs(self.start), 1.0)
        v = random.standard_normal(len(size))
        first = self.ground.bend(self.start, v)
        if not np.all(np.isfinite(first)) or not np.any(first):
            return False
        for far in (0.1, 1.0):
            there = self.ground.bend(self.start + far * size * random.uniform(-1, 1, len(size)), v)
            if not np.linalg.norm(there - first) <= 1e-12 * np.linalg.norm(first):
                return False
        return True

    def _descend(self, method: _Method, start: np.ndarray, remark: str, limit: Budget) -> None:
        """A leg, and from where it ends beside every saddle."""
        walked = self._leg(method, start, remark, limit)
        for _ in range(SADDLES):
            if self._is_over() or walked.stop.reason not in ENDS or not self.objective.exact_curvature:
                return
            lowest = lowest_curvature(self.ground, walked.here)
            found = None if lowest is None else escape(self.ground, walked.here, lowest)
            if found is None:
                return
            remark = f"beside a stationary point, where the curvature is {found.curvature:.3g}"
            self.story.append(f"After {self.steps:,} steps: f = {walked.here.value:.6g}, went on {remark}.")
            newton = _Method("trust-region Newton", self._newton)
            walked = self._leg(newton, found.there.x, remark, replace(limit, steps=LEG))

    def _second_look(self, methods: list[_Method]) -> None:
        """From the start by other methods, while their minima differ."""
        first = self.best
        if not self._may_have_several(first.here.value):
            return
        others = methods[1:]
        if self.ground.size <= MATRIX:
            others = [_Method("trust-region Newton without scaling", self._plain), *others]
        limit = Budget(
            LOOK * self.steps + LOOKS, min(self.seconds_left, LOOK * (time.monotonic() - self.began) + 1),
            LOOK * self.ground.passes + LOOKS,
        )  # fmt: skip
        for other in others:
            remark = f"a second look from the start by {other.name}, because f curves downwards in places"
            self._descend(other, self.start, remark, limit)
            found = self.walks[-1].here.value
            change = found - first.here.value
            same = abs(change) <= SAME * max(1.0, abs(found))
            how = "the same value" if same else "lower" if change < 0 else "higher"
            self.story.append(f"{remark[0].upper()}{remark[1:]}, ended at {found:.6g}: {how}.")
            if self._is_over() or same:
                return

    def _plain(self) -> tuple[Direction, Step]:
        return TrustRegionNewton("trust-region Newton without scaling", scaled=False), TrustRegion()

    def _may_have_several(self, value: float) -> bool:
        """Whether f curved downwards where Newton came by, and is not at zero like a sum of squares that fits."""
        at_zero = 0 <= value <= 64 * self.objective.roundoff * abs(self.rows[0].value)
        return not at_zero and any(not one.convex for one in self.newtons)

    def _leg(self, method: _Method, start: np.ndarray, remark: str, limit: Budget) -> Walk:
        direction, step = method.make()
        rest = Budget(
            min(limit.steps, self.budget.steps - self.steps), min(limit.seconds, self.seconds_left),
            min(limit.evaluations, self.budget.evaluations - self.ground.passes),
        )  # fmt: skip
        seconds, passes = time.monotonic() - self.began, self.ground.passes
        steps = self.steps

        def tell(row: Row) -> None:
            if self.watch is not None:
                self.watch(_moved(row, steps, passes, seconds, remark))

        watch = None if self.watch is None else tell
        walked = walk(self.ground, direction, step, start=start, budget=rest, tolerance=self.tolerance, watch=watch)
        self.walks.append(walked)
        self.rows += [_moved(row, steps, passes, seconds, remark) for row in walked.trace.rows]
        self.steps += walked.steps
        return walked

    def _is_over(self) -> bool:
        """Whether nothing more may be tried."""
        spent = (
            self.steps >= self.budget.steps
            or self.seconds_left <= 0
            or self.ground.passes >= self.budget.evaluations
        )  # fmt: skip
        return spent or self.walks[-1].stop.reason in FINAL

    def walked(self) -> Walk:
        return replace(
            self.best, stop=self._stop(), trace=Trace(tuple(self.rows)), steps=self.steps, passes=self.ground.passes,
            seconds=time.monotonic() - self.began, story=tuple(self.story),
        )  # fmt: skip

    def _stop(self) -> Stop:
        """That of the best leg; a budget is that of all legs."""
        stop = self.best.stop
        if stop.reason is not Reason.STEPS or len(self.walks) == 1:
            return stop
        numbers = f"|g| = {stop.measure:.1e} > {stop.tolerance:.1e}"
        return replace(stop, explanation=f"{self.steps:,} steps taken in {len(self.walks)} legs, {numbers}")


def _moved(row: Row, steps: int, passes: int, seconds: float, remark: str) -> Row:
    """A row of a leg as a row of the journey; the first one says why the leg began."""
    if not steps and not remark:
        return row
    said = remark if row.step == 0 else row.remark
    return replace(row, step=row.step + steps, passes=row.passes + passes, seconds=row.seconds + seconds, remark=said)
