"""From the ends of many lanes to the points that they mean: each distinct end polished, and judged.

Where f is one compiled program, all ends settle together by Newton's steps, and those that are strict local minima by
every test of the judge are said to be so at once; a thousand starts may have found a hundred. An end that is anything
else, or that no such test can be made of, is walked on from and judged by itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from surefoot.descent.lanes import Ends
from surefoot.descent.settling import settle
from surefoot.descent.stop import Reason
from surefoot.problem.box import Box
from surefoot.problem.objective import Objective
from surefoot.proof.certificate import Verdict
from surefoot.proof.many import clear_minima
from surefoot.results.minimizing import Wishes, minimise
from surefoot.results.result import Result

SAME = 1e-4
"""Ends of lanes nearer than this part of the box, with values as near, are polished once."""
TWINS = 1e-6
"""Polished points nearer than this part of the box are one point."""
COMPILED = ("JAX", "text")
"""Kinds of functions of which all lanes are one program."""
LOOKS = 10
"""Evaluations for each end that settling may take."""
MINIMA = (Verdict.STRICT_LOCAL_MINIMUM, Verdict.LOCAL_MINIMUM, Verdict.GLOBAL_MINIMUM, Verdict.UNIQUE_GLOBAL_MINIMUM)


@dataclass(frozen=True)
class Basin:
    """A point that lanes led to.

    Attributes
    ----------
    x : ndarray, shape (n,)
    value : float
    verdict : Verdict
    count : int
        Lanes.
    result : Result or None
        Of the walk that led to it from where the lowest of them ended, where there was one.
    """

    x: np.ndarray
    value: float
    verdict: Verdict
    count: int
    result: Result | None = None


@dataclass(frozen=True)
class Basins:
    """All of them, the lowest first.

    Attributes
    ----------
    points : tuple of Basin
    best : Result
        Of the lowest; of a minimum where rounding cannot tell it from the lowest.
    proof_seconds : float
        Of judging.
    """

    points: tuple[Basin, ...]
    best: Result
    proof_seconds: float


def basins_of(objective: Objective, ends: Ends, region: Box, wishes: Wishes, title: str, until: float) -> Basins:
    """Polish and judge the distinct ends.

    Parameters
    ----------
    objective : Objective
    ends : Ends
        One of which has a finite value at least.
    region : Box
        Whose width is the unit of what is near.
    wishes : Wishes
        With the evaluations that are left.
    title : str
    until : float
        Time by ``time.monotonic()`` after which no walk is begun but that from the lowest end.
    """
    gathered = _Gathered(objective, ends, region, wishes, title, until)
    groups = _distinct(ends, region)
    for basin in gathered.settled(groups):
        gathered.add(basin)
    for place, count in gathered.left:
        if not gathered.walked(place, count):
            break
    return gathered.basins()


class _Gathered:
    """The points so far."""

    def __init__(self, objective: Objective, ends: Ends, region: Box, wishes: Wishes, title: str, until: float) -> None:
        self.objective, self.ends, self.title, self.until = objective, ends, title, until
        self.wishes, self.box = replace(wishes, watch=None), wishes.box
        self.width = np.where(region.upper > region.lower, region.upper - region.lower, 1.0)
        self.points: list[Basin] = []
        self.left: list[tuple[int, int]] = []
        self.proof_seconds = 0.0
        self._before = objective.counts.values

    @property
    def evaluations_left(self) -> float:
        return self.wishes.budget.evaluations - (self.objective.counts.values - self._before)

    def settled(self, groups: list[tuple[int, int]]) -> Iterator[Basin]:
        """Those that all tests call strict local minima; the others are ``left``."""
        self.left = groups
        chosen = self.wishes.method == "auto" and self.wishes.steps is None and self.wishes.tolerance is None
        usable = chosen and self.objective.source in COMPILED and self.objective.exact_curvature
        if self.ends.ended or not usable or self.evaluations_left < LOOKS * len(groups):
            return
        places, allowed = np.array([place for place, _ in groups]), SAME * self.width
        begun = self.ends.points[places]
        found, good = settle(self.objective, begun, allowed)
        bounds = None
        if self.box is not None:
            bounds = self.box.lower, self.box.upper
            good &= np.all((begun - allowed > bounds[0]) & (begun + allowed < bounds[1]), axis=1)
        began = time.monotonic()
        good[good] = clear_minima(self.objective, found[good], bounds=bounds, span=np.abs(begun[good]))
        values = self.objective.lanes(found[good])[0] if np.any(good) else np.zeros(0)
        self.proof_seconds += time.monotonic() - began
        self.left = [group for group, clear in zip(groups, good, strict=True) if not clear]
        sure = [group for group, clear in zip(groups, good, strict=True) if clear]
        for (_, count), x, value in zip(sure, found[good], values, strict=True):
            yield Basin(x, float(value), Verdict.STRICT_LOCAL_MINIMUM, count)

    def walked(self, place: int, count: int) -> bool:
        """Walk on from an end by itself; False where nothing more may be tried."""
        ended = self.ends.ended
        seconds = 0.0 if ended else max(0.0, self.until - time.monotonic())
        if self.points and (seconds == 0 or self.evaluations_left <= 0):
            return False
        result = self._walk(self.ends.points[place], seconds)
        if ended:
            stop = replace(result.stop, reason=ended, explanation=_kept(self.ends))
            result = replace(result, stop=stop)
        self.add(Basin(result.flat, result.value, result.verdict, count, result))
        return not ended and result.stop.reason is not Reason.INTERRUPTED

    def add(self, basin: Basin) -> None:
        """A point, or more lanes of one that is there."""
        if self.points:
            others = np.array([one.x for one in self.points])
            near = np.flatnonzero(np.max(np.abs((others - basin.x) / self.width), axis=1) <= TWINS)
            if len(near):
                twin = self.points[near[0]]
                self.points[near[0]] = replace(twin, count=twin.count + basin.count)
                return
        self.points.append(basin)

    def basins(self) -> Basins:
        """Sorted, and with the result of a walk that begins at the best, and may find that it can go no lower."""
        points = sorted(self.points, key=lambda one: one.value)
        lowest = points[0]
        best = next((one for one in points if one.verdict in MINIMA), lowest)
        if lowest.value < best.value - 1e-9 * max(1.0, abs(best.value)):
            best = lowest
        if best.result is None:
            place = next(k for k, one in enumerate(points) if one is best)
            result = self._walk(best.x, max(0.0, self.until - time.monotonic()))
            best = Basin(result.flat, result.value, result.verdict, best.count, result)
            points[place] = best
            points.sort(key=lambda one: one.value)
        assert best.result is not None
        return Basins(tuple(points), best.result, self.proof_seconds)

    def _walk(self, start: np.ndarray, seconds: float) -> Result:
        budget = replace(self.wishes.budget, seconds=seconds, evaluations=max(self.evaluations_left, 1.0))
        result = minimise(self.objective, start, replace(self.wishes, budget=budget), self.title)
        self.proof_seconds += result.proof_seconds
        return result


def _kept(ends: Ends) -> str:
    if ends.ended is Reason.EVALUATIONS:
        return f"{ends.evaluations:,} in {ends.steps:,} steps of all lanes; the lowest point of all is kept"
    return "the lowest point of all lanes is kept"


def _distinct(ends: Ends, region: Box) -> list[tuple[int, int]]:
    """One lane for each group of ends that are near each other, and the size of the group; the lowest first.

    Cells of a grid and their neighbours would miss nothing either, but the groups are few: each end is held against the
    groups so far, all at once.
    """
    came = np.flatnonzero(ends.arrived)
    if not len(came):
        came = np.flatnonzero(np.isfinite(ends.values))
    came = came[np.argsort(ends.values[came], kind="stable")]
    width = np.where(region.upper > region.lower, region.upper - region.lower, 1.0)
    left, points, groups = came, ends.points[came] / width, []
    while len(left):
        near = np.max(np.abs(points - points[0]), axis=1) <= SAME
        groups.append((int(left[0]), int(np.sum(near))))
        left, points = left[~near], points[~near]
    return groups
