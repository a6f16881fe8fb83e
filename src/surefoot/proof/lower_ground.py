"""Is there lower ground? A point that is proven to be lower, or a level that f is proven to be nowhere below.

f(x + t d) < f(x):    upper end at the one, lower end at the other
f >= L:               lower end of f over the whole region, at once
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.problem.real import Graph
from surefoot.proof.interval import Interval
from surefoot.proof.interval_sums import total
from surefoot.proof.jets import second_order
from surefoot.proof.local_reading import values
from surefoot.proof.point_question import Question

LENGTHS = np.exp2(-np.arange(0, 44, 2.0))
"""Lengths of steps that are tried, relative to the size of x, at least 1."""
NEIGHBOURHOODS = (1.0, 0.1, 1e-2, 1e-3, 1e-4)
"""Half widths of boxes on which f is proven to be nowhere lower, likewise."""


@dataclass(frozen=True)
class Lower:
    """A point where f is proven to be lower.

    Attributes
    ----------
    at : ndarray (n,)
    value : float
        Upper bound of f there.
    """

    at: np.ndarray
    value: float


def lower_point(question: Question, start: np.ndarray, direction: np.ndarray, level: float) -> Lower | None:
    """The lowest of some points along a direction, both ways, whose value is proven to be less than a level."""
    if not np.all(np.isfinite(direction)) or not np.any(direction):
        return None
    unit = direction / np.linalg.norm(direction)
    steps = np.concatenate([LENGTHS, -LENGTHS]) * question.length
    points = np.clip(start + steps[:, None] * unit, question.box.lower, question.box.upper)
    points[:, question.fixed] = start[question.fixed]
    _, high, defined = values(question.graph, points, points)
    high = np.where(defined & ~np.isnan(high), high, np.inf)
    best = int(np.argmin(high))
    return Lower(points[best], float(high[best])) if high[best] < level else None


def floor_of(question: Question) -> float:
    """A level that f is nowhere below, within the bounds; minus infinity if none is known."""
    low, _, _ = values(question.graph, question.box.lower[None], question.box.upper[None])
    return float(low[0]) if not np.isnan(low[0]) else -np.inf


def local_floor(question: Question, at: np.ndarray, level: float) -> np.ndarray | None:
    """Half widths of a box around a point on which f is nowhere below a level, and defined."""
    scale = np.where(question.fixed, 0.0, np.maximum(1.0, np.abs(at)))
    radii = np.array([size * scale for size in NEIGHBOURHOODS])
    low, high = map(np.array, zip(*(question.around(at, radius) for radius in radii), strict=True))
    least, _, defined = values(question.graph, low, high)
    good = np.flatnonzero(defined & (least >= level))
    return radii[good[0]] if len(good) else None


def ray_slope(graph: Graph, start: np.ndarray, direction: np.ndarray) -> float:
    """An upper bound of the slope of f along a direction, on a box around the ray from a point; infinite if unknown."""
    low = np.where(direction < 0, -np.inf, start)
    high = np.where(direction > 0, np.inf, start)
    jet = second_order(graph, Interval(low[None], high[None]), order=1)
    if not (bool(jet.defined[0]) and bool(jet.continuous[0])):
        return np.inf
    moved = np.flatnonzero(direction)
    slope = total(jet.gradient[0][moved] * Interval.of(direction[moved]), (0,))
    return float(slope.hi) if np.isfinite(slope.hi) else np.inf
