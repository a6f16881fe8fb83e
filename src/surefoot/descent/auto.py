"""The method that is chosen for a function nobody has described: first the model, then what its failure teaches.

    leg 1     Newton within a trust region: by the Hessian as a matrix, or by its products where the matrix is dear
    beside    at a stationary point that curves downwards: along the lowest curvature, and on
    legs 2..  where a leg crawls, stops short or is done early: other methods, from the best point or from the start

Each leg is a walk of the one loop; the trace of all is one trace, and where a leg begins it says why. What comes back
is the lowest point of all legs.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, chapters 4, 6 and 7.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from surefoot.descent.arrival import Tolerance
from surefoot.descent.directions import Direction
from surefoot.descent.escape import escape, lowest_curvature
from surefoot.descent.hager_zhang import HagerZhang
from surefoot.descent.landscape import Landscape
from surefoot.descent.loop import Budget, Walk, Watch, walk
from surefoot.descent.quasi_newton import BFGS, LBFGS
from surefoot.descent.steps import Step
from surefoot.descent.stop import Reason
from surefoot.descent.trace import Row, Trace
from surefoot.descent.trust_region import TrustRegion, TrustRegionNewton, TrustRegionProducts

if TYPE_CHECKING:
    from surefoot.problem.objective import Objective

MATRIX = 200
"""Variables up to which the Hessian is a matrix whatever it costs; beyond, only if a trial of it is cheap."""
FULL = 500
"""Variables up to which BFGS keeps a matrix."""
SADDLES = 20
"""Stationary points that are left by their negative curvature at most."""
LEG = 300
"""Steps after which a leg is asked whether it crawls."""
ENOUGH = (Reason.TIME, Reason.EVALUATIONS, Reason.STEPS, Reason.ASKED, Reason.INTERRUPTED, Reason.UNBOUNDED)
"""Reasons after which nothing more is tried."""


@dataclass
class _Leg:
    """A walk and why it was begun."""

    walk: Walk
    remark: str


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
        The lowest point of all legs, and one trace; where a method was changed its row says why.
    """
    journey = _Journey(objective, np.asarray(start, float), budget or Budget(), tolerance, watch)
    journey.go()
    return journey.walked()


class _Journey:
    """Legs under way."""

    def __init__(self, objective, start, budget, tolerance, watch) -> None:
        self.ground = Landscape(objective)
        self.start: np.ndarray = start
        self.budget: Budget = budget
        self.tolerance = tolerance
        self.watch: Watch | None = watch
        self.legs: list[_Leg] = []
        self.began = time.monotonic()
        self.steps = self.passes = 0

    @property
    def size(self) -> int:
        return self.ground.size

    @property
    def best(self) -> Walk:
        return min((leg.walk for leg in self.legs), key=lambda one: one.here.value)

    def go(self) -> None:
        self.descend(*self.newton(), self.start)
        if self.is_over():
            return
        self.second_look()

    def descend(self, direction: Direction, step: Step, start: np.ndarray, remark: str = "") -> None:
        """A leg, and from where it ends beside every saddle."""
        self.leg(direction, step, start, remark)
        for _ in range(SADDLES):
            last = self.legs[-1].walk
            if last.stop.reason not in (Reason.NOISE, Reason.STALLED, Reason.TOLERANCE):
                return
            lowest = lowest_curvature(self.ground, last.here)
            if lowest is None or not (lowest.is_negative or lowest.is_flat):
                return
            found = escape(self.ground, last.here, lowest)
            if found is None:
                return
            kind = "negative" if lowest.is_negative else "flat"
            remark = f"beside a stationary point, along its {kind} curvature {lowest.value:.3g}"
            self.leg(*self.newton(), found.there.x, remark)
            if self.is_over():
                return

    def second_look(self) -> None:
        first = self.best
        other = BFGS() if self.size <= FULL else LBFGS()
        self.descend(other, HagerZhang(), self.start, f"second look from the start: {other.name}")
        if self.is_over() or not hasattr(self.ground, "hessian"):
            return
        if self.size <= MATRIX:
            plain = TrustRegionNewton("trust-region Newton, variables as they are", scaled=False)
            self.descend(plain, TrustRegion(), self.start, f"second look from the start: {plain.name}")

    def newton(self) -> tuple[Direction, Step]:
        matrix = self.size <= MATRIX
        return (TrustRegionNewton() if matrix else TrustRegionProducts()), TrustRegion()

    def leg(self, direction: Direction, step: Step, start: np.ndarray, remark: str = "") -> Walk:
        spent = time.monotonic() - self.began
        rest = Budget(
            self.budget.steps - self.steps, self.budget.seconds - spent, self.budget.evaluations - self.passes
        )
        watch = self._watching(spent, remark)
        walked = walk(self.ground, direction, step, start=start, budget=rest, tolerance=self.tolerance, watch=watch)
        self.legs.append(_Leg(walked, remark))
        self.steps, self.passes = self.steps + walked.steps, self.ground.passes
        return walked

    def is_over(self) -> bool:
        last = self.legs[-1].walk.stop.reason
        return last in ENOUGH

    def _watching(self, seconds: float, remark: str) -> Watch | None:
        if self.watch is None:
            return None
        tell, steps, passes = self.watch, self.steps, self.passes
        return lambda row: tell(_moved(row, steps, passes, seconds, remark))

    def walked(self) -> Walk:
        best = self.best
        rows: list[Row] = []
        steps = passes = 0
        seconds = 0.0
        for leg in self.legs:
            rows += [_moved(row, steps, passes, seconds, leg.remark) for row in leg.walk.trace.rows]
            steps, passes, seconds = steps + leg.walk.steps, passes + leg.walk.passes, seconds + leg.walk.seconds
        return replace(best, trace=Trace(tuple(rows)), steps=self.steps, passes=self.ground.passes,
                       seconds=time.monotonic() - self.began)  # fmt: skip


def _moved(row: Row, steps: int, passes: int, seconds: float, remark: str) -> Row:
    """A row of a leg as a row of the journey; the first one says why the leg began."""
    said = remark if row.step == 0 else row.remark
    return replace(row, step=row.step + steps, passes=row.passes + passes, seconds=row.seconds + seconds, remark=said)
