"""The rounds of one right-hand side: which road is taken, when it is left for another, and why the walk ends.

Every road is a sequence of rounds. A round walks from the residual ``r = b - A x``, computed anew in double precision,
to a correction ``d``; ``x <- x + d``. What a round says by recurrence is not believed: the backward error of the
new point is computed, and the walk ends when that is at the target, or no longer falls.

Reference: Bjorck (1996), "Numerical Methods for Least Squares Problems", SIAM, section 2.9.2, pp. 121-124 (refinement).
"""

from __future__ import annotations

import math

import numpy as np

from surefoot.errors import DataError
from surefoot.leastsquares.budget import Budget
from surefoot.leastsquares.conjugate import cg_round, cg_rounds
from surefoot.leastsquares.krylov_cost import lsmr_cost, sketch_cost
from surefoot.leastsquares.lsmr import Round, lsmr_round
from surefoot.leastsquares.operators import Rows
from surefoot.leastsquares.preconditioning import Preconditioner, Toolbox, gram_products, no_preconditioner
from surefoot.leastsquares.stewart import Judge

TRIAL = 40
"""Steps of conjugate gradients after which "auto" knows enough of the condition to choose."""

SLOW = 10.0
"""Condition from which on a factor of A'A is looked into; what a few steps have seen of it may be far too little."""

GRAM_RATE = 1e8
"""Products of two entries in a second, in sparse A'A."""

SQUARED = 1e7
"""Condition from which on a factor of A'A has lost more than half of its digits; a sketch loses none."""

IDLE = 2
"""Rounds in succession that do not halve the backward error, after which it is said to stay where it is."""

GENTLE = 1000.0
"""Condition from which on single precision gains too little in a round."""

MOST_SKETCHED = 4000
"""Columns for which the QR of a sketch is still affordable."""


def _needs(method: str) -> str:
    if method == "gram":
        return "a sparse matrix with at least as many rows as columns whose A'A has a factor that fits in memory"
    return "a matrix whose entries are at hand, with at least as many rows as columns"


def share_trials(walks: list[Walk]) -> None:
    """The rounds in single precision with which "auto" begins, of several right-hand sides of one problem at a time."""
    narrow = walks[0].tools.single
    while narrow is not None and len(together := [walk for walk in walks if walk.shares_trial]) > 1:
        for walk in together:
            walk.budget.level = walk.point.backward_error
        rounds = cg_rounds(
            narrow,
            np.column_stack([walk.point.slope for walk in together]),
            walks[0].preconditioner.solve,
            np.array([walk.reduction() for walk in together]),
            "single",
            [walk.budget for walk in together],
            TRIAL,
        )
        for walk, done in zip(together, rounds, strict=True):
            walk.take_trial(done)


class Walk:
    """The rounds of one right-hand side.

    Attributes
    ----------
    point : stewart.Point
        Where the walk stands.
    stop : str
        Why it ended.
    roads : list of str
        What ran, in order.
    preconditioner : Preconditioner
        The last one.
    condition : float
        Of the columns at length one, as far as it was seen; NaN where nothing was walked.
    shortest : bool
        Whether the walk stays in the row space of the columns in safe units.
    """

    def __init__(self, tools: Toolbox, right: np.ndarray, budget: Budget, target: float, minimum_norm: bool) -> None:
        system = tools.system
        self.tools, self.system, self.budget, self.target = tools, system, budget, target
        self.judge = Judge(system, right)
        self.point = self.judge.origin()
        budget.products += 1
        self.rounds, self.condition, self.stop, self.on_trial = 0, math.nan, "", True
        self.suspected = 1.0
        self.roads: list[str] = []
        rows, columns = system.rows.shape
        self.shortest = (minimum_norm or rows < columns) and system.root_penalty is None
        self.preconditioner = no_preconditioner() if self.shortest else tools.lengths
        self.size = self.point.length

    def run(self, method: str) -> None:
        """From 0 to where the walk ends."""
        if self.point.backward_error == 0:
            self.stop = "A'b is zero, so 0 is the minimiser: nothing to walk"
            return
        try:
            self._along(method)
        except KeyboardInterrupt:
            self.budget.broken_off = True
            self._ended()

    def _along(self, method: str) -> None:
        if method == "cg":
            self._by_cg()
        elif method == "auto":
            self._by_choice()
        else:
            self.preconditioner = self._asked(method)
            self._by_lsmr()

    def leave_valley(self) -> None:
        """Along the valley to the point nearest the origin, where the valley is known."""
        valley = self.preconditioner.valley
        if valley is not None and not self.budget.broken_off:
            there = self.judge.at(self.point.x - valley @ (valley.T @ self.point.x))
            self.point = self.judge.with_factor(there, self.preconditioner)
            self.budget.products += 2
            if not self._ended():
                self._stagnated()

    def _asked(self, method: str) -> Preconditioner:
        if method == "lsmr":
            return self.preconditioner
        found = self.tools.gram if method == "gram" else self.tools.sketch
        if found is None:
            raise DataError(f"method={method!r} needs {_needs(method)}. Use 'lsmr', or 'auto', which chooses.")
        if method == "gram" and not (found.condition or 0.0) < SQUARED:
            raise DataError(
                f"A'A is singular or nearly so (columns at length one have a condition of {found.condition:.1e}): "
                "a walk with its factor could end anywhere along a flat valley. Use 'sketch', 'lsmr' or 'auto'."
            )
        return found

    def _by_choice(self) -> None:
        """Some steps of conjugate gradients measure the condition; then what is cheapest for it."""
        columns = self.system.rows.shape[1]
        entries = self.tools.entries is not None
        if self.shortest and entries and columns <= MOST_SKETCHED and self.tools.sketch is not None:
            self.preconditioner = self.tools.sketch
        if self.shortest or not entries:
            self._by_lsmr()
            return
        self._try_cg()
        if self.stop:
            return
        plain = self.preconditioner
        found = self.tools.gram if self._gram_pays() else None
        if found is not None and found.condition is not None:
            self.suspected = max(self.suspected, found.condition)
            found = found if found.condition < SQUARED else None
        if found is None and self._sketch_pays():
            found = self.tools.sketch
        self.preconditioner = found or plain
        self._by_lsmr()
        if self.reached or self.budget.is_over() or columns > MOST_SKETCHED or "sketch" in self.preconditioner.words:
            return
        if self.tools.sketch is not None:
            self.preconditioner, self.stop = self.tools.sketch, ""
            self._by_lsmr()

    @property
    def reached(self) -> bool:
        return self.point.backward_error <= self.target

    def _try_cg(self) -> None:
        """Rounds in single precision as long as each is short and gains what it should."""
        narrow = self.tools.single
        while self.on_trial and narrow is not None and not self._ended():
            done = self._cg_round(narrow, "single", TRIAL)
            self.on_trial = self._move(done) <= 0.1 and done.reached

    @property
    def shares_trial(self) -> bool:
        """Whether the next round of "auto" is one in single precision, which others may share."""
        at_hand = self.tools.entries is not None and not self.shortest
        return at_hand and self.on_trial and self.point.backward_error > 0 and not self._ended()

    def _by_cg(self) -> None:
        """Conjugate gradients to the end: in single precision as long as that gains, then in double."""
        # The rows in single precision span a slightly other space: the smallest length would have six digits only.
        narrow = None if self.shortest else self.tools.single
        while not self._ended():
            if narrow is not None:
                left = self._move(self._cg_round(narrow, "single", 4 * TRIAL))
                if left > 0.1 or self.suspected > GENTLE:
                    narrow = None
                continue
            done = self._cg_round(self.system.rows, "double", self.budget.max_steps)
            if self._move(done) > 0.5 and not self._ended():
                # A'A in double precision does not see singular values below the root of rounding: LSMR does.
                self._by_lsmr()
                return

    def _cg_round(self, rows: Rows, precision: str, most: int) -> Round:
        self._note(f"conjugate gradients in {precision} precision")
        solve = self.preconditioner.solve
        done = cg_round(rows, self.point.slope, solve, self.reduction(), precision, self.budget, most)
        self._learn(done)
        return done

    def take_trial(self, done: Round) -> None:
        """A round in single precision that was shared with others."""
        self._note("conjugate gradients in single precision")
        self._learn(done)
        self.on_trial = self._move(done) <= 0.1 and done.reached

    def _by_lsmr(self) -> None:
        idle = 0
        while not self._ended():
            deep = idle > 0
            self._note(f"LSMR ({self.preconditioner.words})")
            done = lsmr_round(
                self.system.rows,
                self.point.residual,
                self.point.slope,
                self.preconditioner.solve,
                0.0 if deep else self.reduction(),
                0.0 if deep else 0.25 * self.target * self.size,
                self.budget,
            )
            self._learn(done)
            idle = idle + 1 if self._move(done, deep) > 0.5 else 0
            if idle and self.preconditioner.exact:
                self.point = self.judge.with_factor(self.point, self.preconditioner)
            if idle == IDLE and not self.budget.is_over():
                self._stagnated()
                return

    def _gram_pays(self) -> bool:
        """Whether making A'A costs less than the walk without it."""
        (rows, columns), entries = self.system.rows.shape, self.system.rows.entries
        data = self.tools.entries
        if data is None or not data.sparse or self.suspected < SLOW:
            return False
        walking = lsmr_cost(rows, columns, entries, min(self.suspected, 1e16), self.reduction()).seconds()
        return gram_products(data) / GRAM_RATE < walking

    def _sketch_pays(self) -> bool:
        (rows, columns), entries = self.system.rows.shape, self.system.rows.entries
        if columns > MOST_SKETCHED:
            return False
        walking = lsmr_cost(rows, columns, entries, min(self.suspected, 1e16), self.reduction()).seconds()
        return sketch_cost(rows, columns, entries, self.reduction()).seconds() < walking

    def reduction(self) -> float:
        """By how much ``|A'r| / |r|`` has to fall, with some to spare for what the recurrence does not see."""
        return 0.3 * self.target / self.point.backward_error

    def _move(self, done: Round, deep: bool = False) -> float:
        """To the corrected point, if it is better; how much of the backward error is left.

        ``deep`` says whether the round walked until nothing was left that it could see: its correction is then all
        that the point is off, up to ``gain`` times the condition.
        """
        if done.steps == 0 or not np.all(np.isfinite(done.correction)):
            return 1.0
        before, after = self.point, self.judge.at(self.point.x + done.correction)
        self.rounds += 1
        self.budget.products += 2
        self.point = after if after.backward_error <= before.backward_error else before
        left = self.point.backward_error / before.backward_error
        if left > 0.5 and deep and done.reached and done.gain * done.condition < 0.1:
            # The correction changed nothing: what it took away is what the point was off.
            self.point = self.judge.corrected(before, after)
        return left

    def _learn(self, done: Round) -> None:
        """The condition of the columns at length one: what the walk saw, or what the factor says."""
        seen = self.preconditioner.condition if self.preconditioner.exact else done.condition
        if seen is not None and math.isfinite(seen) and done.steps > 1:
            self.condition = seen if math.isnan(self.condition) else max(self.condition, seen)
        if not self.preconditioner.exact:
            self.suspected = max(self.suspected, done.apparent_condition())

    def _ended(self) -> bool:
        """Whether the target is reached or the budget is used up; says so."""
        if self.point.backward_error <= self.target:
            self.stop = f"the backward error, {self.point.backward_error:.1e}, is at the target of {self.target:.1e}"
            return True
        if self.budget.is_over():
            self.stop = f"{self.budget.sentence()}, with a backward error of {self.point.backward_error:.1e}"
            return True
        return False

    def _stagnated(self) -> None:
        if not self._ended():
            self.stop = (
                f"the backward error stays at {self.point.backward_error:.1e}, above the target of {self.target:.1e}: "
                "walking again from a new residual did not halve it"
            )

    def _note(self, road: str) -> None:
        self.budget.level = self.point.backward_error
        if not self.roads or self.roads[-1] != road:
            self.roads.append(road)
