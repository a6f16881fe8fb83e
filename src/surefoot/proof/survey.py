"""A survey of a box: every stationary point in it, what each of them is, and the global minimum, proven.

1. `search` finds zeros of the gradient, each proven to be the only one in a region, and proves that there are no others
   but in the boxes that it could not decide.
2. `zeros` makes stationary points of them: each once, tight, with its class, its value and its place.
3. `global_minimum` looks at the faces of the box, and at what is undecided, for values below those of the points.

Reference: Hansen, Walster (2004), "Global Optimization Using Interval Analysis", 2nd ed., Dekker, chapters 11 and 12,
pp. 237-308.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from surefoot.problem.box import Box
from surefoot.problem.real import Graph
from surefoot.proof.certificate import Verdict
from surefoot.proof.cutting import fused, joined, simple_point
from surefoot.proof.degenerate import degenerate_points
from surefoot.proof.global_minimum import Minimising, faces, minimise
from surefoot.proof.interval import Interval
from surefoot.proof.jets import second_order
from surefoot.proof.krawczyk import Differentiate
from surefoot.proof.lowest import GlobalMinimum, lowest_of
from surefoot.proof.search import RESOLUTION, STOPPED, Budget, Progress, Search, search
from surefoot.proof.sharper import LARGEST, second_opinion, sharpened
from surefoot.proof.zeros import Place, Sharpen, StationaryPoint, points_of

WIDEST = 1e-8
"""An enclosure wider than this, in units of max(1, |x|), is no answer."""

BRIEF = 1.0
"""Seconds that the global minimum is given at least, and after Ctrl-C at most."""
FIRST = 32
"""Points, the lowest ones, of which f is also evaluated at the simplest double of the enclosure."""
OPINIONS, PATIENCE = 5000, 5.0
"""Undecided boxes that are asked about in Arb, and for how many seconds."""

Watch = Callable[[Progress], object]


@dataclass(frozen=True)
class Surveyed:
    """What a survey found.

    Attributes
    ----------
    points : tuple of StationaryPoint
        The lowest first.
    undecided : tuple of Box
        Parts of the box of which nothing is proven: there may be stationary points, or none.
    complete : bool
        Proven: ``points`` are all stationary points of the box, and what each of them is.
    reasons : tuple of str
        Why it is not complete, in sentences.
    minimum : GlobalMinimum
        What is known of the lowest value in the box.
    search : Search
        To go on from.
    """

    points: tuple[StationaryPoint, ...]
    undecided: tuple[Box, ...]
    complete: bool
    reasons: tuple[str, ...]
    minimum: GlobalMinimum
    search: Search


def survey(
    graph: Graph, box: Box, *, budget: Budget | None = None, resolution: float = RESOLUTION,
    progress: Watch | None = None, before: Search | None = None,
) -> Surveyed:  # fmt: skip
    """Every stationary point of a function in a box.

    Parameters
    ----------
    graph : Graph
        The function.
    box : Box
        Bounded, with an inside.
    budget : Budget, optional
        Boxes and seconds.
    resolution : float
        Width, in units of max(1, |x|), below which boxes are not cut.
    progress : callable, optional
        Given a `Progress` after each look.
    before : Search, optional
        What an earlier survey of the same box knew.

    Returns
    -------
    Surveyed
        Also after Ctrl-C, with what is known by then.

    References
    ----------
    Hansen, Walster (2004), "Global Optimization Using Interval Analysis", 2nd ed., Dekker, chapter 11, pp. 237-276.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x",))
    >>> f = build.graph(build.sum(build.sub(build.power(build.input, 4), build.power(build.input, 2))))
    >>> found = survey(f, Box(np.array([-2.0]), np.array([2.0])))
    >>> found.complete, [point.verdict.value for point in found.points]
    (True, ['strict local minimum', 'strict local minimum', 'local maximum'])
    """
    derivatives, sharpen = partial(second_order, graph), partial(sharpened, graph)
    budget = budget or Budget()
    begun = before or Search.of(box)
    lacking = second_order(graph, Interval(box.lower[None], box.upper[None]), 0).lacking
    if lacking:
        stopped = replace(begun, stop=f"there is no enclosure of {lacking}")
        return _outcome(derivatives, stopped, lowest_of(derivatives, box, Minimising.of(box), (), sharpen))
    found = search(derivatives, begun, budget, resolution, numbers=entries(graph), progress=progress)
    if not found.stop and 0 < len(found.undecided) <= OPINIONS and graph.size <= LARGEST:
        found = _second_opinion(graph, derivatives, found, min(PATIENCE, budget.seconds))
    seconds = BRIEF if found.stop == STOPPED else max(BRIEF, budget.seconds - (found.seconds - begun.seconds))
    points, doubtful = _points(derivatives, box, found, sharpen)
    start, sides = faces(box)
    rest = joined(found.undecided, found.waiting, doubtful)
    started = Minimising.among(joined(start, rest), np.concatenate([sides, np.zeros(rest.shape, np.int8)]))
    lower = replace(budget, seconds=seconds)
    lowest = minimise(derivatives, box, _knowing(derivatives, box, started, points), lower, resolution, batch_of(graph))
    return _outcome(derivatives, found, lowest_of(derivatives, box, lowest, points, sharpen), points, doubtful)


def survey_minimum(
    graph: Graph, box: Box, *, budget: Budget | None = None, resolution: float = RESOLUTION,
    progress: Watch | None = None, before: Minimising | None = None,
) -> tuple[GlobalMinimum, Minimising]:  # fmt: skip
    """The global minimum of a box alone: whatever lies higher is discarded, and much sooner.

    Parameters
    ----------
    graph, box, budget, resolution, progress
        As for `survey`.
    before : Minimising, optional
        What an earlier call for the same box knew.

    Returns
    -------
    GlobalMinimum
    Minimising
        To go on from.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x",))
    >>> f = build.graph(build.sum(build.power(build.sub(build.input, build.constant([3.0])), 2)))
    >>> minimum, _ = survey_minimum(f, Box(np.array([0.0]), np.array([2.0])))
    >>> minimum.value, minimum.points[0].flat.tolist(), minimum.points[0].sides
    (1.0, [2.0], (1,))
    """
    derivatives = partial(second_order, graph)
    begun = before or Minimising.of(box)
    lacking = second_order(graph, Interval(box.lower[None], box.upper[None]), 0).lacking
    if lacking:
        known = replace(begun, stop=f"there is no enclosure of {lacking}")
    else:
        known = minimise(derivatives, box, begun, budget or Budget(), resolution, batch_of(graph), progress)
    return lowest_of(derivatives, box, known, (), partial(sharpened, graph)), known


def entries(graph: Graph) -> int:
    """The largest number of entries of a value of a graph."""
    return max(node.size for node in graph.nodes)


def batch_of(graph: Graph) -> int:
    """Boxes that branch and bound looks at together: fewer where each takes long."""
    return int(np.clip(400_000 // (entries(graph) * graph.size**2), 16, 512))


def _points(
    derivatives: Differentiate, box: Box, found: Search, sharpen: Sharpen
) -> tuple[tuple[StationaryPoint, ...], Interval]:
    points, doubtful = points_of(derivatives, box, found.zeros, found.regions, sharpen)
    if len(found.undecided):
        points = points + degenerate_points(derivatives, box, fused(found.undecided), points)
    return tuple(sorted(points, key=lambda point: (point.value, *point.flat))), doubtful


def _second_opinion(graph: Graph, derivatives: Differentiate, found: Search, seconds: float) -> Search:
    """What doubles left undecided, asked again in Arb."""

    def smooth(boxes: Interval) -> np.ndarray:
        seen = derivatives(boxes, 1)
        return seen.defined & seen.smooth

    said = second_opinion(graph, found.undecided, smooth, seconds)
    return replace(
        found, undecided=found.undecided[~(said.one | said.none)], zeros=joined(found.zeros, said.zero[said.one]),
        regions=joined(found.regions, said.region[said.one]),
    )  # fmt: skip


def _knowing(
    derivatives: Differentiate, box: Box, begun: Minimising, points: tuple[StationaryPoint, ...]
) -> Minimising:
    """Values that f takes at points of the box are upper bounds from the beginning."""
    within = sorted((point for point in points if point.place is not Place.EITHER), key=lambda one: one.values[1])
    if not within:
        return begun
    top, best = within[0].values[1], within[0].flat
    simple = np.array([simple_point(one.enclosure.lower, one.enclosure.upper) for one in within[:FIRST]])
    simple = np.clip(simple, box.lower, box.upper)
    there = derivatives(Interval.of(simple), 0)
    high = np.where(there.defined & ~np.isnan(there.value.hi), there.value.hi, np.inf)
    k = int(np.argmin(high))
    return replace(begun, top=float(high[k]), best=simple[k]) if high[k] < top else replace(begun, top=top, best=best)


def _outcome(
    derivatives: Differentiate, found: Search, minimum: GlobalMinimum, points: tuple[StationaryPoint, ...] = (),
    doubtful: Interval | None = None,
) -> Surveyed:  # fmt: skip
    parts = [found.undecided, found.waiting, *([] if doubtful is None else [doubtful])]
    left = fused(joined(*parts))
    boxes = tuple(Box(low, high) for low, high in zip(left.lo, left.hi, strict=True))
    reasons = tuple(_reasons(found, points, 0 if doubtful is None else len(doubtful)))
    return Surveyed(points, boxes, not reasons and not boxes, reasons, minimum, found)


def _reasons(found: Search, points: tuple[StationaryPoint, ...], doubtful: int) -> list[str]:
    """Why the list is not complete."""
    said = []
    if found.stop:
        said.append(f"The search ended early: {found.stop}.")
    if len(found.undecided):
        said.append(
            "In the boxes that are left it could neither be proven that there is exactly one stationary point nor that "
            "there is none, as where the Hessian is singular or f is not smooth."
        )
    if doubtful:
        said.append("Enclosures of stationary points overlap, and it is not proven that they hold the same one.")
    if any(point.place is Place.EITHER for point in points):
        said.append("A stationary point lies so near to the boundary that it is not proven on which side it is.")
    if any(point.verdict is Verdict.INCONCLUSIVE for point in points):
        said.append("The signs of the eigenvalues of a Hessian are not proven.")
    wide = [point for point in points if point.width > WIDEST * max(1.0, float(np.max(np.abs(point.flat))))]
    if wide:
        said.append(f"An enclosure is {max(point.width for point in wide):.1e} wide: more is not to be had in doubles.")
    return said
