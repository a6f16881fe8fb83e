"""The numbers behind the pictures of a walk: the map around it, its path, and how fast it came down.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, theorem 3.4, p. 44 (steepest descent
near a minimiser converges at the rate of the quadratic there).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from surefoot.problem.objective import Objective
from surefoot.results.advice import curvatures_at

if TYPE_CHECKING:
    from surefoot.results.compass import Compass
    from surefoot.results.result import Result

CELLS = 160
"""Points of the map along each side."""
CONTOURS = 16
MARGIN = 0.18
"""Of the extent of the path, left free around it."""
LONGEST = 12.0
"""A map this many times longer than wide is widened."""


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
        Of the contours, denser near the lowest.
    """

    names: tuple[str, ...]
    across: np.ndarray
    up: np.ndarray
    heights: np.ndarray
    levels: np.ndarray


@dataclass(frozen=True)
class Profile:
    """How fast a walk came down.

    Attributes
    ----------
    steps : ndarray, shape (k,)
        Of the accepted rows.
    gap : ndarray, shape (k,)
        f less the lowest value seen; NaN where that is zero.
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
class WalkPicture:
    """Everything that the picture of a result shows."""

    chart: Chart | None
    legs: tuple[np.ndarray, ...]
    profile: Profile


def gather(result: Result) -> WalkPicture:
    """The picture of a walk; with a map where there are two variables and the function is at hand."""
    steps = result.trace.steps()
    path, chart = steps.points(), None
    if len(result.names) == 2 and result.objective is not None:
        chart = map_of(result.objective, path if len(path) else result.flat[None, :])
    return WalkPicture(chart, _legs(path, steps["length"]), _profile(result))


def _legs(path: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, ...]:
    """The path in pieces: where a method was changed it may have begun anew elsewhere, without a step."""
    if not len(path):
        return ()
    return tuple(np.split(path, 1 + np.flatnonzero(lengths[1:] == 0)))


def around(compass: Compass) -> Chart:
    """The map around a point, as wide as f takes to change by its own size there."""
    size = max(1.0, float(np.max(np.abs(compass.flat))))
    reach = 0.75 * size
    corners = compass.flat + reach * np.array([[-1.0, -1.0], [1.0, 1.0]])
    return map_of(compass.objective, corners)


def map_of(objective: Objective, points: np.ndarray) -> Chart:
    """A map that shows every point given, shape (m, 2)."""
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    extent = high - low
    least = max(float(np.max(extent)) / LONGEST, 1e-3 * max(1e-12, float(np.max(np.abs(points)))), 1e-12)
    wide = np.maximum(extent, least) * (1 + 2 * MARGIN)
    middle = (low + high) / 2
    across, up = (np.linspace(middle[k] - wide[k] / 2, middle[k] + wide[k] / 2, CELLS) for k in (0, 1))
    grid = np.stack([axis.ravel() for axis in np.meshgrid(across, up)], axis=1)
    heights = np.asarray(objective.lane_values(grid), float).reshape(CELLS, CELLS)
    heights = np.where(np.isfinite(heights), heights, np.nan)
    return Chart(objective.names, across, up, heights, _levels(heights))


def _levels(heights: np.ndarray) -> np.ndarray:
    """Levels in geometric progression above the lowest value of the map."""
    known = heights[np.isfinite(heights)]
    if not len(known) or not np.max(known) > np.min(known):
        return np.array([])
    low, high = float(np.min(known)), float(np.percentile(known, 98))
    if not high > low:
        high = float(np.max(known))
    return low + np.geomspace(1e-4, 1.0, CONTOURS) * (high - low)


def _profile(result: Result) -> Profile:
    steps = result.trace.steps()
    value = steps["value"]
    finite = value[np.isfinite(value)]
    lowest = min([result.value, *finite.tolist()])
    gap = np.where(value > lowest, value - lowest, np.nan)
    law, factor = _law(result)
    count = np.arange(len(value))
    theory = None
    if factor is not None and len(gap) and np.isfinite(gap[0]):
        with np.errstate(under="ignore"):
            theory = gap[0] * factor**count
    return Profile(count, gap, steps["steepness"], theory, law)


def _law(result: Result) -> tuple[str, float | None]:
    """The factor by which theory shrinks the gap in a step of this method, from the curvatures at the end."""
    ends = None if result.objective is None else curvatures_at(result.objective, result.flat)
    if ends is None or not ends[0] > 0:
        return "", None
    condition = ends[1] / ends[0]
    if result.method.startswith("steepest descent, exact"):
        return "((k − 1)/(k + 1))² a step", float(((condition - 1) / (condition + 1)) ** 2)
    if "conjugate gradients" in result.method:
        root = np.sqrt(condition)
        return "((√k − 1)/(√k + 1))² a step", float(((root - 1) / (root + 1)) ** 2)
    return "", None
