"""The search behind a survey: boxes are discarded, proven to hold one stationary point, or cut up.

    X -> nothing    if 0 is not in the gradient over X, or K(X) and X have nothing in common
    X -> one zero   if K(X') is inside X', the box made a little larger
    X -> K(X) cut in two otherwise, down to a resolution; what is left then is undecided

Boxes wait in one queue and are looked at many at a time, the oldest first: whatever ends the search, a budget or
Ctrl-C, what is left of the box is known, and the search can go on from there.

Reference: Hansen, Walster (2004), "Global Optimization Using Interval Analysis", 2nd ed., Dekker, chapter 11, pp.
237-276.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from surefoot.interruption import listening
from surefoot.problem.box import Box
from surefoot.proof.cutting import cut_up, grid, joined
from surefoot.proof.interval import Interval
from surefoot.proof.krawczyk import Contracted, contract
from surefoot.proof.looking import Differentiate, Look, look_within

RESOLUTION = 1e-10
"""Boxes of this width, in units of max(1, |x|), are not cut any more."""
STOPPED = "it was stopped by Ctrl-C"
COARSE = 2.0**-9
"""Of several variables: boxes of this part of the whole on which f is not proven to be continuous are not cut any more,
as those along the edge of where it is defined would have no end."""
FEW = 192
"""As many boxes as are looked at for the price of one, about: with fewer, boxes are cut more often."""
NUMBERS = 4_000_000
"""Doubles that one node of the graph takes, at most, in one look."""
NEEDED = 0.6
"""A box that lost more than the rest of its volume is not cut, but looked at again."""


@dataclass(frozen=True)
class Progress:
    """How far a search has come.

    Attributes
    ----------
    examined, waiting : int
        Boxes.
    found : int
        Stationary points proven so far; one that lies between two boxes may be counted twice here.
    left : float
        Part of the volume that is not decided yet.
    seconds : float
    """

    examined: int
    waiting: int
    found: int
    left: float
    seconds: float


@dataclass(frozen=True)
class Budget:
    """How much a search may take, more than it took before."""

    boxes: int = 300_000
    seconds: float = float("inf")


@dataclass(frozen=True)
class Search:
    """What is known of a box so far.

    Attributes
    ----------
    box : Box
        All of it.
    waiting, undecided : Interval (k, n)
        Not looked at, and given up at the resolution.
    zeros, regions : Interval (m, n)
        Each zero of the gradient that is proven, and a box in which it is the only one. The same zero may be there
        more than once.
    examined : int
        Boxes looked at.
    seconds : float
        In all.
    stop : str
        Why it ended before the boxes did; empty where it did not.
    """

    box: Box
    waiting: Interval
    undecided: Interval
    zeros: Interval
    regions: Interval
    examined: int = 0
    seconds: float = 0.0
    stop: str = ""

    @classmethod
    def of(cls, box: Box) -> Search:
        """The beginning."""
        none = Interval.of(np.zeros((0, len(box.lower))))
        return cls(box, grid(box.lower, box.upper, FEW), none, none, none)


class _Boxes:
    """The parts of an array of boxes, as they are found."""

    def __init__(self, first: Interval) -> None:
        self.parts = [first]
        self.nothing = first[:0]

    def add(self, boxes: Interval) -> None:
        if len(boxes):
            self.parts.append(boxes)

    @property
    def all(self) -> Interval:
        self.parts = [joined(self.nothing, *self.parts)]
        return self.parts[0]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def take(self, count: int) -> Interval:
        """The oldest ones, which are gone afterwards."""
        taken, number = [], 0
        while self.parts and number < count:
            first = self.parts.pop(0)
            if number + len(first) > count:
                self.parts.insert(0, first[count - number :])
                first = first[: count - number]
            taken.append(first)
            number += len(first)
        return joined(self.nothing, *taken)


def search(
    derivatives: Differentiate, before: Search, budget: Budget, resolution: float = RESOLUTION,
    numbers: int = 1, progress: Callable[[Progress], object] | None = None,
) -> Search:  # fmt: skip
    """Go on with a search until all is decided, the budget is used up, or Ctrl-C is pressed.

    Parameters
    ----------
    derivatives : callable
        ``derivatives(boxes, order)``.
    before : Search
        What is known already; `Search.of` a box at the beginning.
    budget : Budget
    resolution : float
        Width, in units of max(1, |x|), below which boxes are not cut.
    numbers : int
        The largest number of entries of a value of the graph: with it goes the memory of a look.
    progress : callable, optional
        Given a `Progress` after each look.

    Returns
    -------
    Search
    """
    began = time.monotonic()
    whole = before.box.upper - before.box.lower
    domain = Interval(before.box.lower, before.box.upper)
    waiting, undecided, zeros, regions = (
        _Boxes(part) for part in (before.waiting, before.undecided, before.zeros, before.regions)
    )
    stores = (waiting, undecided, zeros, regions)
    batch = max(1, NUMBERS // (numbers * len(whole) ** 2))
    examined, stop, safe = 0, "", [list(store.parts) for store in stores]
    with listening() as interruption:
        try:
            while len(waiting):
                interruption.check()
                # What an interruption goes back to: a box is never lost, nor a zero without its region.
                safe = [list(store.parts) for store in stores]
                if examined >= budget.boxes:
                    stop = f"the budget of {budget.boxes:,} boxes is used up"
                    break
                if time.monotonic() - began >= budget.seconds:
                    stop = f"the budget of {budget.seconds:g} seconds is used up"
                    break
                now = waiting.take(min(batch, budget.boxes - examined))
                seen = look_within(derivatives, now, domain)
                result = contract(seen, now)
                left, small = _left(seen, now, result, whole, resolution, FEW if len(waiting) < FEW else 0)
                zeros.add(result.zero[result.one])
                regions.add(result.region[result.one])
                undecided.add(small)
                waiting.add(left)
                examined += len(now)
                if progress is not None:
                    rest = float(np.sum(np.prod((waiting.all.hi - waiting.all.lo) / whole, axis=1)))
                    progress(Progress(before.examined + examined, len(waiting), len(zeros), rest,
                                      before.seconds + time.monotonic() - began))  # fmt: skip
            safe = [list(store.parts) for store in stores]
        except KeyboardInterrupt:
            stop = STOPPED
    left, open_ones, found, around = (joined(one.nothing, *kept) for one, kept in zip(stores, safe, strict=True))
    seconds = before.seconds + time.monotonic() - began
    return Search(before.box, left, open_ones, found, around, before.examined + examined, seconds, stop)


def _left(
    seen: Look, boxes: Interval, result: Contracted, whole: np.ndarray, resolution: float, wanted: int
) -> tuple[Interval, Interval]:
    """What must be looked at again, cut up, and what is too small for that."""
    kept = np.flatnonzero(~(result.one | result.none | seen.over.value.is_empty))
    now, old = result.box[kept], boxes[kept]
    width = now.hi - now.lo
    size = np.maximum(1.0, np.maximum(np.abs(now.lo), np.abs(now.hi)))
    small = np.max(width / size, axis=1) <= resolution
    if len(whole) > 1:
        small |= ~seen.steady[kept] & np.all(width <= COARSE * whole, axis=1)
    with np.errstate(all="ignore"):
        lost = np.prod(width / (old.hi - old.lo), axis=1) < NEEDED
        smear = np.max(seen.over.hessian.magnitude[kept], axis=1) * width
    again, cut = now[~small & lost], ~small & ~lost
    parts = now[cut]
    if len(parts):
        parts = cut_up(parts, smear[cut], whole, wanted)
    return joined(again, parts), now[small]
