"""The global minimum of a box by branch and bound, its faces included: what is proven to lie higher is discarded.

    f(x) >= f(m) + g(m)'(x - m) + 1/2 (x - m)' H(X) (x - m),    g(X)'(x - m) + f(m),    f(X)

A box whose lower bound exceeds a value that f takes holds no global minimum. In another one a minimum is a zero of the
derivatives by all variables, or it lies on a face of the whole box: at the lower end of x_k where d_k f >= 0, at the
upper one where d_k f <= 0. So a box that touches a face leaves its part of that face behind, a box in which x_k does
not vary, when it is itself proven to hold no zero or one.

References: Hansen, Walster (2004), "Global Optimization Using Interval Analysis", 2nd ed., Dekker, chapter 12, pp.
277-308; Kearfott (1996), "Rigorous Global Search: Continuous Problems", Kluwer, section 5.2 (faces).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from surefoot.interruption import listening
from surefoot.problem.box import Box
from surefoot.proof.cutting import cut_in_two, joined, simple_point
from surefoot.proof.interval import Interval
from surefoot.proof.interval_sums import matrix_product
from surefoot.proof.krawczyk import contract, tightened
from surefoot.proof.looking import Differentiate, Look, look_within
from surefoot.proof.minimising import Candidates, Minimising, values_at
from surefoot.proof.search import COARSE, RESOLUTION, STOPPED, Budget, Progress
from surefoot.proof.zeros import distinct

BATCH = 512
"""Boxes looked at together, those with the lowest bounds first."""
POLISHED = 8
"""Middles of each batch, the lowest ones, from which a lower value is looked for by Newton's method."""
GAP = 1e-12
"""Bounds this near to each other, in units of max(1, |f|), are one number; the search then ends."""
FLAT = 1e-12
"""Curvatures below this tell no step."""
SIMPLE = 200
"""Boxes that are left in which f is evaluated at the point with the fewest decimals."""
CROWD = 4096
"""As long as no more boxes wait than this, their places are narrowed down even so."""


def minimise(
    derivatives: Differentiate, box: Box, before: Minimising, budget: Budget, resolution: float = RESOLUTION,
    batch: int = BATCH, progress: Callable[[Progress], object] | None = None,
) -> Minimising:  # fmt: skip
    """Go on with branch and bound until the minimum is known, the budget is used up, or Ctrl-C is pressed.

    Parameters
    ----------
    derivatives : callable
        ``derivatives(boxes, order)``.
    box : Box
        The whole box.
    before : Minimising
        What is known already.
    budget : Budget
    resolution : float
        Width, in units of max(1, |x|), below which boxes are not cut.
    batch : int
        Boxes looked at together.
    progress : callable, optional
        Given a `Progress` after each look.
    """
    run = _Run(derivatives, box, before, resolution)
    began = time.monotonic()
    stop = ""
    with listening() as interruption:
        try:
            while not run.is_known():
                interruption.check()
                if run.now.examined - before.examined >= budget.boxes:
                    stop = f"the budget of {budget.boxes:,} boxes is used up"
                    break
                if time.monotonic() - began >= budget.seconds:
                    stop = f"the budget of {budget.seconds:g} seconds is used up"
                    break
                run.step(max(batch, len(run.now.bounds) // 8))
                if progress is not None:
                    progress(Progress(run.now.examined, int(np.sum(~run.now.small)), len(run.now.zeros), run.left(),
                                      before.seconds + time.monotonic() - began))  # fmt: skip
        except KeyboardInterrupt:
            stop = STOPPED
    return run.known(before.seconds + time.monotonic() - began, stop)


@dataclass(frozen=True)
class _Now:
    """The boxes that wait, those of them that are too small to be cut, and what was found."""

    boxes: Interval
    sides: np.ndarray
    bounds: np.ndarray
    small: np.ndarray
    zeros: Interval
    regions: Interval
    fixed: np.ndarray
    top: float
    best: np.ndarray
    examined: int


class _Run:
    """A search on its way."""

    def __init__(self, derivatives: Differentiate, box: Box, before: Minimising, resolution: float) -> None:
        self.derivatives, self.box, self.resolution = derivatives, box, resolution
        self.domain = Interval(box.lower, box.upper)
        self.whole = box.upper - box.lower
        known = before.candidates
        self.now = _Now(
            before.waiting, before.sides, before.bounds, np.zeros(len(before.waiting), dtype=bool), known.zeros,
            known.regions, known.sides, before.top, before.best, before.examined,
        )  # fmt: skip

    def is_known(self) -> bool:
        """Whether nothing is left to cut, or only places of one and the same value, too many to tell apart."""
        open_ones = ~self.now.small
        if not np.any(open_ones):
            return True
        if not np.isfinite(self.now.top) or len(self.now.bounds) <= CROWD:
            return False
        return self.now.top - float(np.min(self.now.bounds[open_ones])) <= GAP * max(1.0, abs(self.now.top))

    def left(self) -> float:
        """Part of the volume that waits."""
        width = np.where(self.now.sides == 0, (self.now.boxes.hi - self.now.boxes.lo) / self.whole, 0.0)
        return float(np.sum(np.prod(width, axis=1)))

    def step(self, batch: int) -> None:
        """Look at the boxes with the lowest bounds. What was known before stays as it is until all is found."""
        able = np.flatnonzero(~self.now.small)
        if len(able) > batch:
            able = able[np.argpartition(self.now.bounds[able], batch)[:batch]]
        boxes, sides = self.now.boxes[able], self.now.sides[able]
        free = sides == 0
        seen = look_within(self.derivatives, boxes, self.domain, free)
        top, best = self._lower(seen, boxes, free)
        bounds = np.maximum(self.now.bounds[able], _bounds(seen, boxes, free))
        result = contract(seen, boxes, free)
        nowhere = seen.over.value.is_empty
        alive = ~(nowhere | (bounds > top))
        one, gone = result.one & alive, (result.one | result.none) & alive
        kept = np.flatnonzero(alive & ~gone)
        parts = [faces_left(seen, boxes, sides, bounds, gone, self.box)]
        small = self._is_small(boxes, free, seen)[kept]
        stay = kept[small]
        cut = kept[~small]
        # A minimum on a face need not be a zero: only boxes inside may be narrowed down to where zeros are.
        whole = ~free | np.any(free & ((boxes.lo <= self.box.lower) | (boxes.hi >= self.box.upper)), axis=1)[:, None]
        narrow = Interval(np.where(whole, boxes.lo, result.box.lo), np.where(whole, boxes.hi, result.box.hi))
        parts.append(self._cut(narrow[cut], sides[cut], bounds[cut], seen.over.hessian.magnitude[cut], free[cut]))
        rest = np.ones(len(self.now.bounds), dtype=bool)
        rest[able] = False
        added = [(self.now.boxes[rest], self.now.sides[rest], self.now.bounds[rest], self.now.small[rest])]
        added.append((boxes[stay], sides[stay], bounds[stay], np.ones(len(stay), dtype=bool)))
        added += [(one_, two, three, np.zeros(len(three), dtype=bool)) for one_, two, three in parts]
        every = joined(*(part[0] for part in added))
        all_sides = np.concatenate([part[1] for part in added])
        all_bounds = np.concatenate([part[2] for part in added])
        all_small = np.concatenate([part[3] for part in added])
        under = all_bounds <= top
        found = (every[under], all_sides[under], all_bounds[under], all_small[under])
        zeros, regions = joined(self.now.zeros, result.zero[one]), joined(self.now.regions, result.region[one])
        fixed = np.concatenate([self.now.fixed, sides[one]])
        # One assignment: an interruption finds the old state or the new one.
        self.now = _Now(*found, zeros, regions, fixed, top, best, self.now.examined + len(able))

    def _lower(self, seen: Look, boxes: Interval, free: np.ndarray) -> tuple[float, np.ndarray]:
        """The least value seen so far: at the middles, and where Newton's method leads from the lowest of them."""
        top, best = self._least(seen.at.value, seen.at.defined, seen.middle)
        order = np.argsort(np.where(np.isnan(seen.at.value.hi), np.inf, seen.at.value.hi), kind="stable")[:POLISHED]
        points = seen.middle[order]
        slope = np.where(free[order], seen.at.gradient.mid[order], 0.0)
        both = free[order][:, :, None] & free[order][:, None, :]
        trial = points + _downhill(slope, np.where(both, seen.over.hessian.mid[order], np.eye(len(self.whole))))
        trial = np.where(np.isfinite(trial), trial, points)
        trial = np.minimum(np.maximum(trial, self.box.lower), self.box.upper)
        there = self.derivatives(Interval.of(trial), 0)
        lower, where = self._least(there.value, there.defined, trial)
        return (lower, where) if lower < top else (top, best)

    def _least(self, value: Interval, defined: np.ndarray, points: np.ndarray) -> tuple[float, np.ndarray]:
        high = np.where(defined & ~np.isnan(value.hi), value.hi, np.inf)
        k = int(np.argmin(high))
        return (float(high[k]), points[k].copy()) if high[k] < self.now.top else (self.now.top, self.now.best)

    def _is_small(self, boxes: Interval, free: np.ndarray, seen: Look) -> np.ndarray:
        width = np.where(free, boxes.hi - boxes.lo, 0.0)
        small = np.max(width / np.maximum(1.0, boxes.magnitude), axis=1) <= self.resolution
        if len(self.whole) > 1:
            small |= ~seen.steady & np.all(width <= COARSE * self.whole, axis=1)
        return small

    def _cut(
        self, boxes: Interval, sides: np.ndarray, bounds: np.ndarray, bend: np.ndarray, free: np.ndarray
    ) -> tuple[Interval, np.ndarray, np.ndarray]:
        if not len(boxes):
            return boxes, sides, bounds
        width = np.where(free, boxes.hi - boxes.lo, 0.0)
        with np.errstate(all="ignore"):
            smear = np.max(np.where(free[:, :, None], bend, 0.0), axis=1) * width
        parts = cut_in_two(boxes, np.where(free, smear, 0.0), self.whole)
        return parts, np.concatenate([sides] * 2), np.concatenate([bounds] * 2)

    def known(self, seconds: float, stop: str) -> Minimising:
        """The outcome, with each candidate once and those above the best left out."""
        if np.any(self.now.small):
            some = np.flatnonzero(self.now.small)[:SIMPLE]
            low, high = self.now.boxes.lo[some], self.now.boxes.hi[some]
            self._improve(np.array([simple_point(a, b) for a, b in zip(low, high, strict=True)]))
        kept = self._candidates()
        if len(kept):
            values, slope = values_at(self.derivatives, kept), self.derivatives(kept.zeros, 1).gradient
            # Where f falls on the way into the box, a point of a face is no minimum.
            low, high = (kept.sides < 0) & (slope.hi < 0), (kept.sides > 0) & (slope.lo > 0)
            kept = kept[(values.lo <= self.now.top) & ~np.any(low | high, axis=1)]
        under = self.now.bounds <= self.now.top
        now = self.now
        return Minimising(now.boxes[under], now.sides[under], now.bounds[under], kept, now.top, now.best, now.examined,
                          seconds, stop)  # fmt: skip

    def _candidates(self) -> Candidates:
        found = Candidates(self.now.zeros[:0], self.now.regions[:0], self.now.fixed[:0])
        for kind in np.unique(self.now.fixed, axis=0):
            chosen = np.all(self.now.fixed == kind, axis=1)
            free = np.broadcast_to(kind == 0, (int(np.sum(chosen)), len(kind)))
            zeros, regions, _ = distinct(
                tightened(self.derivatives, self.now.zeros[chosen], free), self.now.regions[chosen]
            )
            inside = np.all((zeros.hi >= self.box.lower) & (zeros.lo <= self.box.upper), axis=1)
            zeros, regions = zeros[inside], regions[inside]
            if len(zeros):
                self._improve(zeros.mid)
                found = found.with_others(Candidates(zeros, regions, np.tile(kind, (len(zeros), 1))))
        return found

    def _improve(self, points: np.ndarray) -> None:
        points = np.minimum(np.maximum(points, self.box.lower), self.box.upper)
        there = self.derivatives(Interval.of(points), 0)
        top, best = self._least(there.value, there.defined, points)
        self.now = replace(self.now, top=top, best=best)


def _downhill(slope: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Newton's steps, downhill also where f bends down."""
    with np.errstate(all="ignore"):
        even = bend / 2 + np.swapaxes(bend, 1, 2) / 2
        values, vectors = np.linalg.eigh(np.where(np.isfinite(even), even, 0.0))
        size = np.where(np.abs(values) > FLAT, np.abs(values), np.inf)
        return -np.einsum("bij,bj->bi", vectors, np.einsum("bji,bj->bi", vectors, slope) / size)


def _bounds(seen: Look, boxes: Interval, free: np.ndarray) -> np.ndarray:
    """The best of three lower bounds of f on each box."""
    apart = boxes - Interval.of(seen.middle)
    here, slope = seen.at.gradient, seen.over.gradient
    first = matrix_product(slope[:, None, :], apart[..., None])[:, 0, 0]
    start = matrix_product(here[:, None, :], apart[..., None])[:, 0, 0]
    bent = matrix_product(seen.over.hessian, apart[..., None])
    rest = matrix_product(apart[:, None, :], bent)[:, 0, 0]
    mean, second = seen.at.value + first, seen.at.value + (start + Interval.of(np.full(len(boxes), 0.5)) * rest)
    low = np.fmax(seen.over.value.lo, np.where(seen.steady, mean.lo, -np.inf))
    return np.fmax(low, np.where(seen.known, second.lo, -np.inf))


def faces_left(
    seen: Look, boxes: Interval, sides: np.ndarray, bounds: np.ndarray, gone: np.ndarray, box: Box
) -> tuple[Interval, np.ndarray, np.ndarray]:
    """The parts of faces of the whole box where a box that is gone can still have its minimum."""
    slope = seen.over.gradient
    free = sides == 0
    lower = free & (boxes.lo <= box.lower) & (slope.hi >= 0)
    upper = free & (boxes.hi >= box.upper) & (slope.lo <= 0)
    # Where a derivative has one sign, the minimum is at that end, or there is none.
    rises, falls = free & (slope.lo > 0), free & (slope.hi < 0)
    steep = np.any(rises | falls, axis=1)
    first = np.argmax(rises | falls, axis=1)
    only = np.zeros(free.shape, dtype=bool)
    only[np.arange(len(first)), first] = True
    keep = gone[:, None] & (~steep[:, None] | only)
    rows, variables, ends = [], [], []
    for at, end in ((lower & keep, -1), (upper & keep, 1)):
        row, variable = np.nonzero(at)
        rows.append(row)
        variables.append(variable)
        ends.append(np.full(len(row), end, dtype=np.int8))
    row, variable, end = np.concatenate(rows), np.concatenate(variables), np.concatenate(ends)
    lo, hi, fixed = boxes.lo[row].copy(), boxes.hi[row].copy(), sides[row].copy()
    count = np.arange(len(row))
    place = np.where(end < 0, box.lower[variable], box.upper[variable])
    lo[count, variable] = hi[count, variable] = place
    fixed[count, variable] = end
    return Interval(lo, hi), fixed, bounds[row]
