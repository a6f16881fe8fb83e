"""A question about a point, and what stops a proof: shared by the steps that answer it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from surefoot.errors import ModelError
from surefoot.problem.box import Box
from surefoot.problem.real import Graph
from surefoot.proof.rounding import above
from surefoot.wording import counted

GRAIN = 2.0**-50
"""Half width of the smallest neighbourhood that is looked at, relative to the size of a variable."""
LEAST = 2.0**-900
"""The same where a variable is 0."""


Argument = dict[str, Any]
"""The numbers that a proof leans on, as JSON takes them; claim and lines are words for them."""

Convex = Callable[[], Argument | None]
"""Asked for it, tells what was proven of f as a whole, if it is convexity."""


class Open(Exception):
    """A sentence: the step of the proof that did not close."""


@dataclass(frozen=True)
class Question:
    """Whether there is a stationary point next to x, and what it is.

    Attributes
    ----------
    graph : Graph
        The function.
    x : ndarray (n,)
        The point, within the bounds.
    box : Box
        Bounds, infinite where there are none.
    near : float
        A stationary point is next to x up to this part of max(1, |x|).
    until : float
        When ``time.perf_counter`` says that the time is up.
    """

    graph: Graph
    x: np.ndarray
    box: Box
    near: float
    until: float = math.inf
    _scale: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.x.shape != (self.graph.size,):
            raise ModelError(f"The point has shape {self.x.shape}, where f has {counted(self.graph.size, 'variable')}.")
        if not np.all(np.isfinite(self.x)):
            j = int(np.flatnonzero(~np.isfinite(self.x))[0])
            raise ModelError(f"The point is not finite: {self.graph.names[j]} = {self.x[j]}.")
        if not self.box.contains(self.x):
            j = int(np.flatnonzero((self.x < self.box.lower) | (self.x > self.box.upper))[0])
            raise ModelError(f"The point lies outside its bounds: {self.graph.names[j]} = {self.x[j]:.17g}.")
        object.__setattr__(self, "_scale", np.maximum(1.0, np.abs(self.x)))

    @property
    def names(self) -> tuple[str, ...]:
        return self.graph.names

    @property
    def fixed(self) -> np.ndarray:
        """Which variables have one value only."""
        return self.box.lower == self.box.upper

    @property
    def length(self) -> float:
        """The size of x, at least 1."""
        return max(1.0, math.hypot(*self.x.tolist()))

    def is_near(self, point: np.ndarray) -> bool:
        """Whether a point is next to x."""
        away = math.hypot(*(point - self.x).tolist())  # which no square overflows
        return away == 0.0 or away <= self.near * self.length

    def grain(self, point: np.ndarray) -> np.ndarray:
        """Half widths of the smallest box around a point."""
        return GRAIN * np.abs(point) + LEAST

    def around(self, point: np.ndarray, reach: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The part within the bounds of the box ``point +- reach``, rounded outward."""
        low = np.where(reach > 0, np.nextafter(point - reach, -np.inf), point)
        high = np.where(reach > 0, np.nextafter(point + reach, np.inf), point)
        return np.maximum(low, self.box.lower), np.minimum(high, self.box.upper)

    def check_time(self, stage: str) -> None:
        """Stop where the time is up.

        Raises
        ------
        Open
            The stage that was not reached.
        """
        if time.perf_counter() > self.until:
            raise Open(f"The time for the proof ended before {stage}")


def length_above(vector: np.ndarray) -> float:
    """An upper bound of the length, whatever the scale."""
    top = float(np.max(vector, initial=0.0))
    if not 0.0 < top < math.inf:
        return top
    scale = 2.0 ** -math.frexp(top)[1] if 1e-290 < top < 1e290 else 1.0
    scaled = vector * scale
    return float(above(float(np.sqrt(np.sum(scaled * scaled))), len(vector) + 4)) / scale + (top * 2.0**-50)
