"""Many starts: every minimum that walks from random points of a box lead to, its share of them, and what was missed.

The starts are independent and uniform over the box, so the share of starts that lead to a minimum estimates the part of
the box that does; and the number of minima that only one start led to estimates the part that leads to minima not yet
seen (Good-Turing), with a limit that holds in 95 of 100 cases.

Reference: Good (1953), "The population frequencies of species and the estimation of population parameters", Biometrika
40, pp. 237-264.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from surefoot.descent.lanes import Ends, lanes_down
from surefoot.errors import ModelError, OptionError
from surefoot.problem.box import Box
from surefoot.problem.objective import Objective
from surefoot.proof.certificate import Verdict
from surefoot.results.minimizing import Wishes, minimise
from surefoot.results.result import Result
from surefoot.wording import counted

SAME = 1e-4
"""Ends of lanes nearer than this part of the box, with values as near, are polished once."""
TWINS = 1e-6
"""Polished points nearer than this part of the box are one point."""
MINIMA = (Verdict.STRICT_LOCAL_MINIMUM, Verdict.LOCAL_MINIMUM, Verdict.GLOBAL_MINIMUM, Verdict.UNIQUE_GLOBAL_MINIMUM)


@dataclass(frozen=True)
class Minimum:
    """One point that starts led to.

    Attributes
    ----------
    x : ndarray, shape (n,)
    value : float
    verdict : Verdict
        Its own; a walk may also end on a plateau or a saddle, and that is said.
    count : int
        Starts that led there.
    share : float
        Of all starts whose lane arrived.
    inside : bool
        Whether it lies in the box of starts.
    """

    x: np.ndarray
    value: float
    verdict: Verdict
    count: int
    share: float
    inside: bool


@dataclass(frozen=True)
class Starts:
    """What many starts found.

    Attributes
    ----------
    minima : tuple of Minimum
        The lowest first.
    count, arrived : int
        Starts, and those whose lane came to rest.
    unseen, unseen_limit : float
        Part of the box that leads to points not seen yet: the estimate, and a limit that holds in 95 of 100 cases.
    names : tuple of str
        Of the variables.
    seconds : float
        In all.
    box : tuple of pairs
        Where the starts lay: the lower and the upper end of each variable.
    """

    minima: tuple[Minimum, ...]
    count: int
    arrived: int
    unseen: float
    unseen_limit: float
    names: tuple[str, ...]
    seconds: float
    box: tuple[tuple[float, float], ...]

    @property
    def sentence(self) -> str:
        """What the numbers say of the rest of the box."""
        lost = "" if self.arrived == self.count else f"; {counted(self.count - self.arrived, 'start')} came to no rest"
        once = sum(one.count == 1 for one in self.minima)
        found = f"{counted(self.count, 'start')} led to {counted(len(self.minima), 'point')}"
        if not once:
            return (
                f"{found}, each of them several times{lost}. At most {100 * self.unseen_limit:.2g}% of the box leads "
                "to points not seen yet (in 95 of 100 cases)."
            )
        return (
            f"{found}, {once} of them only once{lost}. About {100 * self.unseen:.2g}% of the box leads to points not "
            f"seen yet (at most {100 * self.unseen_limit:.2g}%, in 95 of 100 cases)."
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        minima = [
            {"x": one.x.tolist(), "value": one.value, "verdict": one.verdict.name, "count": one.count,
             "share": one.share, "inside": one.inside} for one in self.minima
        ]  # fmt: skip
        return {"minima": minima, "count": self.count, "arrived": self.arrived, "unseen": self.unseen,
                "unseen_limit": self.unseen_limit, "names": list(self.names), "seconds": self.seconds,
                "box": [list(ends) for ends in self.box]}  # fmt: skip

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Starts:
        """What ``to_json`` wrote."""
        minima = tuple(
            Minimum(np.array(one["x"], float), float(one["value"]), Verdict[one["verdict"]], one["count"], one["share"],
                    one["inside"]) for one in state["minima"]
        )  # fmt: skip
        box = tuple((low, high) for low, high in state["box"])
        return cls(minima, state["count"], state["arrived"], state["unseen"], state["unseen_limit"],
                   tuple(state["names"]), state["seconds"], box)  # fmt: skip


def minimise_from_many(objective: Objective, region: Box, count: int, seed: int, wishes: Wishes, title: str) -> Result:
    """Walk from many starts at once; the result is that of the lowest point, with all of them in ``starts``.

    Raises
    ------
    ModelError
        Fewer than one start, or f is finite at none of them.
    """
    if count < 1:
        raise OptionError(f"starts is the number of walks, at least 1, not {count}.")
    began = time.monotonic()
    uniform = np.random.default_rng(seed).random((count, objective.size))
    points = region.lower + uniform * (region.upper - region.lower)
    if wishes.box is not None:
        points = wishes.box.nearest(points)
    ends = lanes_down(objective.lanes, points, region, box=wishes.box)
    if not np.any(np.isfinite(ends.values)):
        raise ModelError(f"f is not finite at any of the {counted(count, 'start')}; choose another box.")
    polished = _polish(objective, ends, region, replace(wishes, watch=None), title)
    return _joined(polished, ends, region, objective.names, began)


def _polish(objective: Objective, ends: Ends, region: Box, wishes: Wishes, title: str) -> list[tuple[Result, int]]:
    """An ordinary walk from each distinct end, the lowest first, and how many lanes came to it."""
    found: list[tuple[Result, int]] = []
    for place, count in _distinct(ends, region):
        result = minimise(objective, ends.points[place], wishes, title)
        twin = next((k for k, (other, _) in enumerate(found) if _are_one(other, result, region)), None)
        if twin is None:
            found.append((result, count))
        else:
            found[twin] = (found[twin][0], found[twin][1] + count)
    return sorted(found, key=lambda pair: pair[0].value)


def _distinct(ends: Ends, region: Box) -> list[tuple[int, int]]:
    """One lane for each group of ends that are near each other, and the size of the group.

    Cells of a grid and their neighbours would miss nothing either, but the groups are few: each end is held against the
    groups so far, all at once.
    """
    came = np.flatnonzero(ends.arrived)
    if not len(came):
        came = np.flatnonzero(np.isfinite(ends.values))
    came = came[np.argsort(ends.values[came], kind="stable")]
    width = np.where(region.upper > region.lower, region.upper - region.lower, 1.0)
    left, groups = came, []
    while len(left):
        first = left[0]
        near = np.max(np.abs((ends.points[left] - ends.points[first]) / width), axis=1) <= SAME
        groups.append((int(first), int(np.sum(near))))
        left = left[~near]
    return groups


def _are_one(one: Result, other: Result, region: Box) -> bool:
    width = np.where(region.upper > region.lower, region.upper - region.lower, 1.0)
    return bool(np.max(np.abs((one.flat - other.flat) / width)) <= TWINS)


def _joined(
    polished: list[tuple[Result, int]], ends: Ends, region: Box, names: tuple[str, ...], began: float
) -> Result:
    arrived = sum(count for _, count in polished)
    minima = tuple(
        Minimum(result.flat, result.value, result.verdict, count, count / arrived, region.contains(result.flat))
        for result, count in polished
    )
    unseen, limit = _unseen([one.count for one in minima], arrived)
    seconds = time.monotonic() - began
    box = tuple(zip(region.lower.tolist(), region.upper.tolist(), strict=True))
    starts = Starts(minima, len(ends.values), arrived, unseen, limit, names, seconds, box)
    best = next((result for result, _ in polished if result.verdict in MINIMA), polished[0][0])
    lowest = polished[0][0]
    chosen = lowest if lowest.value < best.value - 1e-9 * max(1.0, abs(best.value)) else best
    return replace(chosen, starts=starts, seconds=seconds)


def _unseen(counts: list[int], total: int) -> tuple[float, float]:
    """Good-Turing: the part not seen, and its limit in 95 of 100 cases.

    The number of points met once is nearly Poisson, its mean the number of starts times the part not seen: the limit is
    that of a Poisson mean (3 of the starts where no point was met only once).
    """
    from scipy.special import gammaincinv

    once = sum(count == 1 for count in counts)
    return once / total, min(1.0, float(gammaincinv(once + 1, 0.95)) / total)
