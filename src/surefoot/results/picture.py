"""The numbers behind the pictures of a walk: the map around it, its path, and how fast it came down.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, theorem 3.4, p. 44 (steepest descent
near a minimiser converges at the rate of the quadratic there).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from surefoot.descent.stop import ENDS
from surefoot.errors import OptionError
from surefoot.problem.objective import Objective
from surefoot.results.advice import curvatures_at

if TYPE_CHECKING:
    from surefoot.problem.box import Box
    from surefoot.problem.real import Graph as RealGraph
    from surefoot.results.compass import Compass
    from surefoot.results.result import Result
    from surefoot.results.starts import Starts

CELLS = 240
"""Points of the map along each side."""
CONTOURS = 14
MARGIN = 0.16
"""Of the extent of the path, left free around it."""
LONG = 2.6
"""A map is at most so many times longer than wide: the narrow side is widened, so that right angles look right."""
UNLIKE = 20.0
"""Where a path is this many times longer than wide, the variables have units of their own."""


@dataclass(frozen=True)
class Chart:
    """A contour map of two variables.

    Attributes
    ----------
    names : tuple of str
        Of the variables.
    across, up : ndarray, shape (k,)
        Where it was evaluated.
    heights : ndarray, shape (k, k)
        f, a row for each value of ``up``; NaN where it is not finite.
    levels : ndarray, shape (m,)
        Of the contours: around the lowest point of a quadratic they are equally far apart.
    alike : bool
        Whether both variables are drawn in the same units.
    """

    names: tuple[str, ...]
    across: np.ndarray
    up: np.ndarray
    heights: np.ndarray
    levels: np.ndarray
    alike: bool


@dataclass(frozen=True)
class Graph:
    """A function of one variable: ``across`` and ``heights`` of shape (k,), NaN where f is not finite."""

    name: str
    across: np.ndarray
    heights: np.ndarray


@dataclass(frozen=True)
class Profile:
    """How fast a walk came down.

    Attributes
    ----------
    steps : ndarray, shape (k,)
        Of the accepted rows.
    gap : ndarray, shape (k,)
        f less the lowest value seen; NaN where that is zero, between two legs, and throughout a walk that did not
        arrive, whose lowest value says nothing.
    steepness : ndarray, shape (k,)
        Length of the gradient.
    theory : ndarray, shape (k,), or None
        The gap that theory allows a walk of this kind on the quadratic at its end; None where there is no such line.
    law : str
        The theory in a few letters.
    """

    steps: np.ndarray
    gap: np.ndarray
    steepness: np.ndarray
    theory: np.ndarray | None
    law: str


@dataclass(frozen=True)
class Track:
    """A walk to draw.

    Attributes
    ----------
    label : str
        What to call it.
    legs : tuple of ndarray, each of shape (k, n)
        The accepted points. A new leg begins where a method was changed and began anew elsewhere, without a step.
    values : tuple of ndarray, each of shape (k,)
        f at these points.
    jumps : tuple of ndarray, each of shape (2, 2)
        From the end of a leg to the beginning of the next, where that is not the start again; of two variables.
    end : ndarray, shape (n,)
        The point that came back, which is not the last one of a walk that diverged.
    value : float
        f there.
    verdict : str
        What that point is.
    profile : Profile
        How fast it came down.
    """

    label: str
    legs: tuple[np.ndarray, ...]
    values: tuple[np.ndarray, ...]
    jumps: tuple[np.ndarray, ...]
    end: np.ndarray
    value: float
    verdict: str
    profile: Profile


@dataclass(frozen=True)
class WalkPicture:
    """Everything that the picture of one walk or several shows."""

    ground: Chart | Graph | None
    tracks: tuple[Track, ...]
    starts: Starts | None = None


def gather(result: Result) -> WalkPicture:
    """The picture of a result; with a map where there are one or two variables and the function is at hand."""
    if result.starts is not None:
        return _gather_starts(result, result.starts)
    return gather_walks({result.method: result})


def gather_walks(walks: Mapping[str, Result] | Sequence[Result]) -> WalkPicture:
    """The picture of several walks on the same ground."""
    results = _by_name(walks)
    tracks = tuple(_track(label, result) for label, result in results.items())
    first = next(iter(results.values()))
    seen = [leg for track in tracks for leg in track.legs if leg.shape[1] == len(first.names)]
    points = np.concatenate([*seen, first.flat[None, :]])
    return WalkPicture(_ground(first.objective, points[np.all(np.isfinite(points), axis=1)]), tracks)


def _by_name(walks: Mapping[str, Result] | Sequence[Result] | Result) -> dict[str, Result]:
    """Walks on one function by the names to call them; of a sequence by their methods, numbered where they repeat.

    Raises
    ------
    OptionError
        There is none, one is no result of a minimisation, or one has other variables than the first.
    """
    from surefoot.results.result import Result

    if isinstance(walks, Mapping):
        named = dict(walks)
    else:
        given = [walks] if isinstance(walks, Result) else list(walks)
        methods = [getattr(one, "method", "") for one in given]
        named = {f"{k}. {name}" if methods.count(name) > 1 else name: one
                 for k, (name, one) in enumerate(zip(methods, given, strict=True), start=1)}  # fmt: skip
    for one in named.values():
        if not isinstance(one, Result):
            raise OptionError(f"A walk is a result of minimize, not {one!r:.60}.")
    if not named:
        raise OptionError("There is no walk to draw: give results of minimize.")
    first = next(iter(named.values()))
    for name, one in named.items():
        if one.names != first.names:
            raise OptionError(
                f"Walks on one map have the same variables: {name!r} has {', '.join(one.names[:6])}, the first one has "
                f"{', '.join(first.names[:6])}."
            )
    return named


def around(compass: Compass) -> Chart:
    """The map around a point, wide enough to show the origin."""
    reach = 1.15 * max(1.0, float(np.max(np.abs(compass.flat))))
    return map_of(compass.objective, compass.flat + reach * np.array([[-1.0, -1.0], [1.0, 1.0]]), margin=0.0)


def map_of(objective: Objective, points: np.ndarray, margin: float = MARGIN) -> Chart:
    """A map that shows every point given, shape (m, 2)."""
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    extent = np.maximum(high - low, 1e-3 * np.maximum(np.abs(low), np.abs(high)))
    alike = float(np.max(extent)) <= UNLIKE * float(np.min(extent)) or float(np.min(high - low)) == 0
    least = float(np.max(extent)) / LONG if alike else 0.0
    wide = np.maximum(np.maximum(extent, least), 1e-12) * (1 + 2 * margin)
    middle = (low + high) / 2
    across, up = (np.linspace(middle[k] - wide[k] / 2, middle[k] + wide[k] / 2, CELLS) for k in (0, 1))
    grid = np.stack([axis.ravel() for axis in np.meshgrid(across, up)], axis=1)
    heights = _heights(objective, grid).reshape(CELLS, CELLS)
    return Chart(objective.names, across, up, heights, _levels(heights), alike)


def map_of_box(graph: RealGraph, box: Box) -> Chart | Graph:
    """The map of a real function of two variables over a box, or its graph over an interval."""
    from surefoot.problem.real_floating import value

    def heights(grid: np.ndarray) -> np.ndarray:
        found = np.asarray(value(graph, grid), float)
        return np.where(np.isfinite(found), found, np.nan)

    if graph.size == 1:
        across = np.linspace(box.lower[0], box.upper[0], 2 * CELLS)
        return Graph(graph.names[0], across, heights(across[:, None]))
    across, up = (np.linspace(box.lower[k], box.upper[k], CELLS) for k in (0, 1))
    grid = np.stack([axis.ravel() for axis in np.meshgrid(across, up)], axis=1)
    extent = box.upper - box.lower
    found = heights(grid).reshape(CELLS, CELLS)
    return Chart(graph.names, across, up, found, _levels(found), float(np.max(extent)) <= LONG * float(np.min(extent)))


def _ground(objective: Objective | None, points: np.ndarray, margin: float = MARGIN) -> Chart | Graph | None:
    """The map or the graph around points, shape (m, n), where n is 2 or 1."""
    if objective is None or objective.size > 2 or points.shape[1] != objective.size or not len(points):
        return None
    if objective.size == 2:
        return map_of(objective, points, margin)
    low, high = float(np.min(points)), float(np.max(points))
    edge = margin * max(high - low, 1e-3 * max(abs(low), abs(high)), 1e-12)
    across = np.linspace(low - edge, high + edge, 2 * CELLS)
    return Graph(objective.names[0], across, _heights(objective, across[:, None]))


def _heights(objective: Objective, grid: np.ndarray) -> np.ndarray:
    heights = np.asarray(objective.lane_values(grid), float)
    return np.where(np.isfinite(heights), heights, np.nan)


def _gather_starts(result: Result, starts: Starts) -> WalkPicture:
    """The box of the starts, and the points that they led to; of more variables the last walk alone."""
    points = np.concatenate([np.array(starts.box).T, [one.x for one in starts.minima]])
    ground = _ground(result.objective, points, margin=0.02)
    return WalkPicture(ground, () if ground is not None else (_track(result.method, result),), starts)


def _track(label: str, result: Result) -> Track:
    steps = result.trace.steps()
    path, breaks = steps.points(), 1 + np.flatnonzero(steps["length"][1:] == 0)
    legs, values = (tuple(np.split(one, breaks)) for one in (path, steps["value"]))
    jumps = tuple(
        np.array([leg[-1], after[0]]) for leg, after in pairwise(legs)
        if after.shape[1] == 2 and not np.array_equal(after[0], path[0])
    )  # fmt: skip
    return Track(label, legs, values, jumps, result.flat, result.value, result.verdict.value, _profile(result, breaks))


def _levels(heights: np.ndarray) -> np.ndarray:
    """Levels whose insides have areas like 1, 4, 9, ...: equally far apart around the lowest point of a quadratic."""
    known = heights[np.isfinite(heights)]
    if not len(known) or not np.max(known) > np.min(known):
        return np.array([])
    return np.unique(np.quantile(known, (np.arange(1, CONTOURS + 1) / (CONTOURS + 1)) ** 2))


def _profile(result: Result, breaks: np.ndarray) -> Profile:
    steps = result.trace.steps()
    value = steps["value"]
    finite = value[np.isfinite(value)]
    lowest = min([result.value, *finite.tolist()])
    gap = np.where(value > lowest, value - lowest, np.nan)
    if result.stop.reason not in ENDS:
        gap = np.full(len(value), np.nan)
    law, factor, times = _law(result)
    count = np.arange(len(value))
    theory = None
    if factor is not None and len(gap) and np.isfinite(gap[0]) and not len(breaks):
        with np.errstate(under="ignore"):
            theory = gap[0] * np.minimum(1.0, times * factor**count)
    cut = [np.insert(one.astype(float), breaks, np.nan) for one in (count, gap, steps["steepness"])]
    return Profile(cut[0], cut[1], cut[2], theory, law)


def _law(result: Result) -> tuple[str, float | None, float]:
    """What theory says of exact steps on a quadratic: the factor of the gap in a step, and its constant."""
    if "exact line search" not in result.method or result.objective is None:
        return "", None, 1.0
    ends = curvatures_at(result.objective, result.flat)
    if ends is None or not ends[0] > 0:
        return "", None, 1.0
    condition = ends[1] / ends[0]
    if result.method.startswith("steepest descent"):
        return "theory: ((k − 1)/(k + 1))² a step", float(((condition - 1) / (condition + 1)) ** 2), 1.0
    if "conjugate gradients" in result.method:
        root = np.sqrt(condition)
        return "theory: 4 ((√k − 1)/(√k + 1))² a step", float(((root - 1) / (root + 1)) ** 2), 4.0
    return "", None, 1.0
