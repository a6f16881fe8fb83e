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
from surefoot.results.basins import Basins, basins_of
from surefoot.results.minimizing import Wishes
from surefoot.results.result import Result
from surefoot.wording import counted


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
    seconds, walk_seconds, proof_seconds : float
        In all; of the lanes alone; of judging.
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
    walk_seconds: float = float("nan")
    proof_seconds: float = float("nan")

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
            f"{found}, {once} of them only once{lost}. About {_percent(self.unseen)} of the box leads to points not "
            f"seen yet (at most {_percent(self.unseen_limit)}, in 95 of 100 cases)."
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        minima = [
            {"x": one.x.tolist(), "value": one.value, "verdict": one.verdict.name, "count": one.count,
             "share": one.share, "inside": one.inside} for one in self.minima
        ]  # fmt: skip
        return {"minima": minima, "count": self.count, "arrived": self.arrived, "unseen": self.unseen,
                "unseen_limit": self.unseen_limit, "names": list(self.names), "seconds": self.seconds,
                "walk_seconds": self.walk_seconds, "proof_seconds": self.proof_seconds,
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
                   tuple(state["names"]), state["seconds"], box, *_seconds(state))  # fmt: skip


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
    until = began + wishes.budget.seconds
    before, budget = objective.counts.values, wishes.budget
    ends = lanes_down(objective.lanes, points, region, box=wishes.box, budget=budget, watch=wishes.watch)
    if not np.any(np.isfinite(ends.values)):
        raise ModelError(f"f is not finite at any of the {counted(count, 'start')}; choose another box.")
    left = replace(budget, evaluations=budget.evaluations - (objective.counts.values - before))
    basins = basins_of(objective, ends, region, replace(wishes, budget=left), title, until)
    return _joined(basins, ends, region, objective.names, began)


def _joined(basins: Basins, ends: Ends, region: Box, names: tuple[str, ...], began: float) -> Result:
    arrived = sum(one.count for one in basins.points)
    minima = tuple(
        Minimum(one.x, one.value, one.verdict, one.count, one.count / arrived, region.contains(one.x))
        for one in basins.points
    )
    unseen, limit = _unseen([one.count for one in minima], arrived)
    seconds = time.monotonic() - began
    box = tuple(zip(region.lower.tolist(), region.upper.tolist(), strict=True))
    starts = Starts(minima, len(ends.values), arrived, unseen, limit, names, seconds, box, ends.seconds,
                    basins.proof_seconds)  # fmt: skip
    return replace(basins.best, starts=starts, seconds=seconds, proof_seconds=basins.proof_seconds)


def _seconds(state: Mapping[str, Any]) -> tuple[float, float]:
    """Of the lanes and of judging; older files have neither."""
    return state.get("walk_seconds", float("nan")), state.get("proof_seconds", float("nan"))


def _unseen(counts: list[int], total: int) -> tuple[float, float]:
    """Good-Turing: the part not seen, and its limit in 95 of 100 cases.

    The number of points met once is nearly Poisson, its mean the number of starts times the part not seen: the limit is
    that of a Poisson mean (3 of the starts where no point was met only once).
    """
    from scipy.special import gammaincinv

    once = sum(count == 1 for count in counts)
    return once / total, min(1.0, float(gammaincinv(once + 1, 0.95)) / total)


def _percent(part: float) -> str:
    """Two digits.

    Examples
    --------
    >>> _percent(0.0312), _percent(1.0)
    ('3.1%', '100%')
    """
    return f"{100 * part:.2g}%" if part < 0.995 else f"{100 * part:.0f}%"
