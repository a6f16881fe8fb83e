"""The method that is chosen for a function nobody has described: first what suits, then what its failure teaches.

    a quadratic          one Newton step, or conjugate gradients
    few variables        Newton within a trust region, the Hessian as a matrix
    many                 the same by products with the Hessian
    bounds               projected Newton, or projected L-BFGS
    no second derivative BFGS, or L-BFGS
    no gradient either   the same with differences, then the simplex method

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
from surefoot.descent.bounded import Fenced, PathStep, Within
from surefoot.descent.directions import ConjugateGradients, Direction, SteepestDescent
from surefoot.descent.escape import escape, lowest_curvature
from surefoot.descent.exact_step import ExactStep
from surefoot.descent.hager_zhang import HagerZhang
from surefoot.descent.landscape import Landscape
from surefoot.descent.loop import Budget, Walk, Watch, walk
from surefoot.descent.newton import Newton
from surefoot.descent.quasi_newton import BFGS, LBFGS
from surefoot.descent.simplex import NelderMead
from surefoot.descent.steps import Step
from surefoot.descent.stop import ENDS, Reason, Stop
from surefoot.descent.structure import is_quadratic, spread_of_curvatures
from surefoot.descent.trace import Row, Trace
from surefoot.descent.trust_region import TrustRegion, TrustRegionNewton, TrustRegionProducts

if TYPE_CHECKING:
    from surefoot.problem.box import Box
    from surefoot.problem.objective import Objective

MATRIX, LARGE = 50, 200
"""Variables up to which the Hessian is a matrix, and up to which it is one where they are badly scaled."""
SIMPLEX = 20
"""Variables up to which the simplex method takes over where gradients are only differences and lead no lower."""
SPREAD = 1e5
"""Factor between the curvatures along two variables from which on they are."""
FULL = 500
"""Variables up to which BFGS keeps a matrix."""
SADDLES = 20
"""Stationary points that are left by their negative curvature at most."""
LEG, SHARE = 1000, 0.35
"""Steps of a first leg, and its share of the time that is left, after which it is said to crawl."""
LARGE_LEG, LARGE_SHARE = 5000, 0.6
"""The same for a partner of products."""
LOOK, LOOKS = 3, 200
"""A second look may cost so many times what the first one did, and so many evaluations more."""
SAME = 1e-8
"""Values that differ relatively by less are the same minimum's, as far as the need of a further look goes."""
FALLS = 0.1
"""Share of |f| that the second half of a leg takes off where the method is not said to crawl."""
ALONE = (Reason.STEPS, Reason.TIME, Reason.EVALUATIONS)
"""Reasons for which a leg gives way, while the whole budget is not spent."""
SHORT = (Reason.NO_DECREASE, Reason.IDLE, Reason.NO_CURVATURE, Reason.KINK)
"""Reasons for which it gives way in the first round."""
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
    box: Box | None = None,
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
    box : Box, optional
        Bounds that no point may leave; then directions are projected and steps backtrack along the bent path.
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
    begin = np.asarray(start, float)
    begin = begin if box is None else box.nearest(begin)
    journey = _Journey(objective, begin, budget or Budget(), tolerance, watch, box)
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # a walk may come to the end of the doubles
            journey.go()
    except KeyboardInterrupt:  # between two legs
        if not journey.walks:
            raise
        journey.interrupt()
    return journey.walked()


class _Journey:
    """Legs under way."""

    def __init__(self, objective, start, budget, tolerance, watch, box) -> None:
        self.ground = Landscape(objective, box)
        self.fenced: Fenced | None = None if box is None else Fenced(self.ground, box)
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
        self.last_pair: tuple[Direction, Step] = (BFGS(), HagerZhang())

    @property
    def best(self) -> Walk:
        """The leg that led lowest; of those whose values rounding cannot tell apart, one that arrived."""
        finite = [one for one in self.walks if np.isfinite(one.here.value)] or self.walks
        lowest = min(finite, key=lambda one: one.here.value)
        reach = lowest.here.value + 2 * self.ground.blur(lowest.here)
        equal = [one for one in finite if one.here.value <= reach] or [lowest]
        return min(equal, key=lambda one: (one.stop.reason not in ENDS, one.here.steepness))

    @property
    def seconds_left(self) -> float:
        return self.budget.seconds - (time.monotonic() - self.began)

    def go(self) -> None:
        """The first method and its partners in turn, until one arrives; then, perhaps, a second look."""
        methods = self._methods()
        start, remark = self.start, ""
        turn, resume = 0, None
        while True:
            method = methods[turn % len(methods)] if resume is None else resume
            self._descend(method, start, remark, self._limit(turn, len(methods)))
            if self._is_over():
                return
            last = self.walks[-1]
            short = last.stop.reason in SHORT
            kinked = last.stop.reason is Reason.KINK
            if last.stop.reason not in ALONE and (not short or turn + kinked >= len(methods)):
                break
            everyone_has_tried = turn >= len(methods) or self.ground.size <= LARGE
            if not short and everyone_has_tried and _still_falls(last):
                resume, start, remark = self._same(method), last.x, f"{method.name} goes on"
                continue
            turn, resume = turn + 1, None
            other = methods[turn % len(methods)]
            # At a kink no gradient points anywhere: a method that learns from the slopes on both sides begins anew.
            start = self.start if kinked else self.best.x
            why = "came to a kink" if kinked else "found no lower point" if short else "crawls"
            remark = f"switched to {other.name} because {method.name} {why}"
            self.story.append(f"After {self.steps:,} steps: {remark}.")
        self._second_look(methods)

    def _limit(self, turn: int, methods: int) -> Budget:
        """What a leg may cost: more each time round; a partner of products has many cheap steps to make."""
        if methods == 1:
            return self.budget
        round_, partner = divmod(turn, methods)
        if partner and self.ground.size > LARGE:
            return Budget(LARGE_LEG * 2**round_, LARGE_SHARE * self.seconds_left)
        return Budget(LEG * 2**round_, SHARE * self.seconds_left)

    def _same(self, method: _Method) -> _Method:
        """The method of the last leg with what it remembers."""
        pair = self.last_pair
        return _Method(method.name, lambda: pair)

    def _methods(self) -> list[_Method]:
        """What suits, best first."""
        n, curved = self.ground.size, self.objective.exact_curvature
        if self.fenced is not None:
            return self._projected(self.fenced)
        quasi = _Method("BFGS", lambda: (BFGS(), HagerZhang()))
        if n > FULL:
            quasi = _Method("L-BFGS", lambda: (LBFGS(), HagerZhang()))
        if not self.objective.exact_gradient and n <= SIMPLEX:
            return [quasi, _Method("the Nelder-Mead simplex", lambda: (SteepestDescent(), NelderMead()))]
        if not curved:
            return [quasi]
        if n > MATRIX and is_quadratic(self.ground, self.start):
            self.ground.is_quadratic = True
            self.story.append("f is a quadratic: products with its Hessian are the same at different points.")
            return [_Method("conjugate gradients", lambda: (ConjugateGradients(), ExactStep()))]
        by_matrix = _Method("trust-region Newton", self._by_matrix)
        by_products = _Method("trust-region Newton by products", self._by_products)
        return [by_matrix if n <= MATRIX or (n <= LARGE and self._is_badly_scaled()) else by_products, quasi]

    def _projected(self, fenced: Fenced) -> list[_Method]:
        """Among bounds: Newton where the Hessian is a matrix, and L-BFGS."""
        quasi = _Method("projected L-BFGS", lambda: (Within(LBFGS(), fenced), PathStep()))
        if self.ground.size > FULL or not self.objective.exact_curvature:
            return [quasi]
        return [_Method("projected Newton", lambda: (Within(Newton(), fenced), PathStep())), quasi]

    def _is_badly_scaled(self) -> bool:
        """Whether the curvatures along the variables differ so much at the start that the ball must be scaled."""
        spread = spread_of_curvatures(self.ground, self.start)
        if spread > SPREAD:
            self.story.append(
                f"The curvatures along the variables differ by a factor of {spread:.1g} at the start: the trust region "
                "is scaled by the Hessian's diagonal."
            )
        return spread > SPREAD

    def _by_matrix(self) -> tuple[Direction, Step]:
        self.newtons.append(TrustRegionNewton())
        return self.newtons[-1], TrustRegion()

    def _by_products(self) -> tuple[Direction, Step]:
        self.newtons.append(TrustRegionProducts(deadline=self.began + self.budget.seconds))
        return self.newtons[-1], TrustRegion()

    def _descend(self, method: _Method, start: np.ndarray, remark: str, limit: Budget) -> None:
        """A leg, and from where it ends beside every saddle."""
        walked = self._leg(method, start, remark, limit)
        for _ in range(SADDLES):
            if self._is_over() or walked.stop.reason not in ENDS or not self.objective.exact_curvature:
                return
            ground = self.ground if self.fenced is None else self.fenced.free_at(walked.here)
            lowest = lowest_curvature(ground, walked.here)
            found = None if lowest is None else escape(ground, walked.here, lowest)
            if found is None:
                return
            remark = f"beside a stationary point, where the curvature is {found.curvature:.3g}"
            self.story.append(f"After {self.steps:,} steps: f = {walked.here.value:.6g}, went on {remark}.")
            walked = self._leg(method, found.there.x, remark, replace(limit, steps=LEG))

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
        direction, step = self.last_pair = method.make()
        if isinstance(direction, TrustRegionNewton):
            self.ground.hessian(start)  # compiled before the time of the leg begins, and kept for its first step
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
        walked = walk(
            self.fenced or self.ground, direction, step, start=start, budget=rest, tolerance=self.tolerance, watch=watch
        )
        self.walks.append(walked)
        self.rows += [_moved(row, steps, passes, seconds, remark) for row in walked.trace.rows]
        self.steps += walked.steps
        return walked

    def _is_over(self) -> bool:
        """Whether nothing more may be tried."""
        return self._spent() is not None or self.walks[-1].stop.reason in FINAL

    def interrupt(self) -> None:
        best = self.best
        explanation = f"after {self.steps:,} steps, with the best point kept"
        stop = Stop(Reason.INTERRUPTED, best.stop.measure, best.stop.tolerance, explanation)
        self.walks = [replace(best, stop=stop)]

    def walked(self) -> Walk:
        return replace(
            self.best, stop=self._stop(), trace=Trace(tuple(self.rows)), steps=self.steps, passes=self.ground.passes,
            seconds=time.monotonic() - self.began, story=tuple(self.story), memory=None,
        )  # fmt: skip

    def _stop(self) -> Stop:
        """That of the best leg; a budget is that of all legs."""
        stop = self.best.stop
        if stop.reason not in ALONE or len(self.walks) == 1:
            return stop
        cost = {
            Reason.STEPS: f"{self.steps:,} steps taken",
            Reason.TIME: f"{time.monotonic() - self.began:.3g} s and {self.steps:,} steps",
            Reason.EVALUATIONS: f"{self.ground.passes:,} evaluations in {self.steps:,} steps",
        }
        spent = self._spent()
        said = cost[spent] if spent else f"the lowest point is that of a leg that gave way, of {self.steps:,} steps"
        sign = "<=" if stop.measure <= stop.tolerance else ">"
        numbers = f"|g| = {stop.measure:.1e} {sign} {stop.tolerance:.1e}"
        legs = f"{said} in {len(self.walks)} legs, {numbers}"
        return replace(stop, reason=spent or Reason.IDLE, explanation=legs)

    def _spent(self) -> Reason | None:
        """Which budget of the caller's is spent, if one is."""
        if self.steps >= self.budget.steps:
            return Reason.STEPS
        if self.ground.passes >= self.budget.evaluations:
            return Reason.EVALUATIONS
        return Reason.TIME if self.seconds_left <= 0 else None


def _still_falls(walked: Walk) -> bool:
    """Whether the second half of a leg took off a tenth of what f was."""
    rows = [row for row in walked.trace.rows if row.accepted]
    middle = next((row for row in rows if row.seconds >= walked.seconds / 2), rows[-1])
    if walked.stop.reason is Reason.STEPS:
        middle = rows[len(rows) // 2]
    there = walked.here.value
    return middle.value - there >= FALLS * max(abs(middle.value), abs(there)) > 0


def _moved(row: Row, steps: int, passes: int, seconds: float, remark: str) -> Row:
    """A row of a leg as a row of the journey; the first one says why the leg began."""
    if not steps and not remark:
        return row
    said = remark if row.step == 0 else row.remark
    return replace(row, step=row.step + steps, passes=row.passes + passes, seconds=row.seconds + seconds, remark=said)
