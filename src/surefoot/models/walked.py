"""The walks of compared roads as pictures: on the bowl of two coefficients, and their slope against the steps.

The walks were taken on columns scaled to length one. In those coordinates ``z = |a| b`` the bowl is

    f(z) - f* = (z - z*)' C (z - z*),    C = [[1, c], [c, 1]],    c = a1'a2 / (|a1| |a2|)

so its contours are ellipses at 45 degrees whose axes are as the condition number of the scaled columns. The picture has
the coefficients on its axes and the shape of those coordinates, so the right angles of an exact line search are right
angles on paper. Where the walk keeps so close to the floor of the valley that its turns could not be seen, the picture
is turned along the valley and stretched across it.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, section 3.3, pp. 42-44 (the zigzag).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.leastsquares.rank import lengths
from surefoot.leastsquares.solution import Solution
from surefoot.models.road import Road, Roads

MOST_POINTS, MOST_OF_FIXED_RATE = 600, 100
"""Of a walk on the bowl; the rest would be drawn on top of each other, those of a fixed rate soonest."""
CLOSE = 0.002
"""A walk this near to the answer, in widths of the picture, has arrived for the eye."""
NARROW = 12.0
"""So many times longer than wide, a walk is drawn stretched."""
CONTOURS = 12
CURVE_POINTS = 400


@dataclass(frozen=True)
class Track:
    """One walk on the bowl: its points, shape (2, m), and how many steps of how many they are."""

    name: str
    points: np.ndarray
    shown: int
    steps: int


@dataclass(frozen=True)
class WalkedBowl:
    """The walks on the bowl of two coefficients.

    Attributes
    ----------
    names : tuple of str
        Of the two coefficients.
    answer : ndarray, shape (2,)
        The formula's answer: their values.
    place, start : ndarray, shape (2,)
        The answer and the start as they are drawn.
    tracks : tuple of Track
        Conjugate gradients first.
    contours : tuple of ndarray, shape (2, k) each
        Where the sum of squares has risen by ``(j/6)^2`` of the rise at the start, j = 1, 2, ...
    window : tuple of two (low, high)
    aspect : float
        Length of a unit upward over a unit across; NaN if the picture is stretched to fill its frame.
    stretch : float
        0 if the axes are the two coefficients. Otherwise they run along the valley and across it, measured from the
        answer in units of the response's length, and the picture is so many times wider across than it should be.
    condition : float
        Of the scaled columns: how many times longer than wide the contours are.
    """

    names: tuple[str, ...]
    answer: np.ndarray
    place: np.ndarray
    start: np.ndarray
    tracks: tuple[Track, ...]
    contours: tuple[np.ndarray, ...]
    window: tuple[tuple[float, float], tuple[float, float]]
    aspect: float
    stretch: float
    condition: float


@dataclass(frozen=True)
class Descent:
    """How one walk came down.

    Attributes
    ----------
    name : str
    step, slope : ndarray, shape (k,)
        The length of the gradient at these steps, relative to the first one.
    steps : int
        Taken in all.
    predicted : int or None
        Steps that theory allows to reach rounding, in exact arithmetic.
    arrived : bool
    """

    name: str
    step: np.ndarray
    slope: np.ndarray
    steps: int
    predicted: int | None
    arrived: bool


def walked_bowl(roads: Roads, solution: Solution, names: tuple[str, ...]) -> WalkedBowl | None:
    """The walks of a fit with two coefficients; None for more, and where the walks are not at hand (a loaded fit)."""
    walks = [road for road in roads.roads if road.path is not None and len(road.path) > 1]
    kept, response = solution.kept, solution.response_length()
    if len(kept) != 2 or not walks or not response > 0 or not np.all(np.isfinite(solution.upper)):
        return None
    sizes = lengths(solution.upper)
    answer = solution.coef[kept]
    root = solution.upper / sizes
    frame = _Frame(sizes, response, root)
    goal = frame.scaled(answer[:, None])
    paths = [frame.scaled(road.path.T) for road in walks if road.path is not None]
    paths = [path[:, np.all(np.isfinite(path), axis=0)] for path in paths]
    rises = np.linalg.norm(root @ goal) * np.arange(1, CONTOURS + 1) / 6
    circle = np.linalg.solve(root, _circle())
    contours = [goal + rise * circle for rise in rises]
    everything = np.hstack([goal, *paths]) - goal
    along, across = (float(np.max(np.abs(one @ everything))) for one in frame.axes)
    stretched = along > NARROW * across > 0
    place = frame.turned(goal) if stretched else frame.to_coefficients
    drawn = [place(path) for path in paths]
    window = _window(everything, goal, frame, stretched)
    reach = [high - low for low, high in window]
    tracks = tuple(_track(road, path, place(goal), reach) for road, path in zip(walks, drawn, strict=True))
    aspect = float("nan") if stretched else float(sizes[1] / sizes[0])
    return WalkedBowl(
        tuple(names[k] for k in kept), answer, place(goal)[:, 0], place(np.zeros((2, 1)))[:, 0], tracks,
        tuple(place(contour) for contour in contours), window, aspect,
        reach[0] / reach[1] if stretched else 0.0, roads.condition,
    )  # fmt: skip


def descents(roads: Roads) -> tuple[Descent, ...]:
    """How the walks came down, step by step, where their traces are at hand."""
    found = []
    for road in roads.roads:
        if road.trace is None or len(road.trace) < 2:
            continue
        slope = road.trace["steepness"]
        usable = np.isfinite(slope) & (slope > 0)
        if not usable[0]:
            continue
        step = np.flatnonzero(usable)
        if len(step) > CURVE_POINTS:
            # In pairs, because an exact line search goes up and down at every other step.
            first = np.geomspace(1, len(step) - 1, CURVE_POINTS // 2).astype(int) - 1
            step = step[np.unique([first, first + 1])]
        found.append(Descent(road.name, step, slope[step] / slope[0], road.steps or 0, road.predicted, road.arrived))
    return tuple(found)


class _Frame:
    """From coefficients to the coordinates of the walk, ``|a| b / |y|``, and back, without overflow on the way."""

    def __init__(self, sizes: np.ndarray, response: float, root: np.ndarray) -> None:
        self.sizes, self.response = sizes[:, None], response
        cosine = float(root[:, 0] @ root[:, 1])
        sign = 1.0 if cosine >= 0 else -1.0
        self.axes = np.array([[1.0, -sign], [1.0, sign]]) / np.sqrt(2)

    def scaled(self, coef: np.ndarray) -> np.ndarray:
        return _times_over(coef, self.sizes, self.response)

    def to_coefficients(self, scaled: np.ndarray) -> np.ndarray:
        return _times_over(scaled, np.array(self.response), self.sizes)

    def turned(self, goal: np.ndarray):
        return lambda scaled: self.axes @ (scaled - goal)


def _times_over(one: np.ndarray, other: np.ndarray, divisor: np.ndarray | float) -> np.ndarray:
    """``one * other / divisor`` where only the result need be in the range of a double."""
    (m1, e1), (m2, e2), (m3, e3) = np.frexp(one), np.frexp(other), np.frexp(divisor)
    return np.ldexp(m1 * m2 / m3, e1 + e2 - e3)


def _window(
    everything: np.ndarray, goal: np.ndarray, frame: _Frame, stretched: bool
) -> tuple[tuple[float, float], tuple[float, float]]:
    """All points of all walks with a margin: a square in the coordinates of the walk, or what a stretched one needs."""
    points = frame.axes @ everything if stretched else everything + goal
    low, high = points.min(axis=1), points.max(axis=1)
    middle, half = (low + high) / 2, (high - low) / 2
    half = 1.12 * half if stretched else np.full(2, 1.12 * float(half.max()))
    edges = np.array([middle - half, middle + half]).T
    if not stretched:
        edges = frame.to_coefficients(edges)
    (left, right), (bottom, top) = edges.tolist()
    return (left, right), (bottom, top)


def _track(road: Road, path: np.ndarray, goal: np.ndarray, reach: list[float]) -> Track:
    away = np.max(np.abs(path - goal) / np.array(reach)[:, None], axis=0)
    far = np.flatnonzero(away > CLOSE)
    most = MOST_OF_FIXED_RATE if road.name == "gradient descent" else MOST_POINTS
    count = min(most + 1, int(far[-1]) + 2 if len(far) else 1, path.shape[1])
    return Track(road.name, path[:, :count], count - 1, road.steps or 0)


def _circle(points: int = 361) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, points)
    return np.array([np.cos(angle), np.sin(angle)])


__all__ = ["Descent", "Track", "WalkedBowl", "descents", "walked_bowl"]
