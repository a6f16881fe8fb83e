"""What every kind of objective shares: shapes, counts, and a memory of the last point.

A walk asks for the value at a point and then for its gradient, a judge for the Hessian where the walk ended: what is
asked twice at the same point is computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.errors import ModelError
from surefoot.problem.points import Points

ROUNDOFF = 2.0**-53
"""Unit roundoff of double precision."""


@dataclass(frozen=True)
class Counts:
    """How often an objective was evaluated; what was remembered from the same point does not count.

    Attributes
    ----------
    values : int
        Points at which f was evaluated; with differences, those that a gradient took as well.
    gradients : int
        Points at which the gradient was asked.
    products : int
        Hessian-vector products.
    hessians : int
        Points at which the Hessian was asked.
    compilations : int
        Programs compiled.
    compile_seconds : float
        Time that tracing and compiling them took.
    """

    values: int = 0
    gradients: int = 0
    products: int = 0
    hessians: int = 0
    compilations: int = 0
    compile_seconds: float = 0.0


class Remembering:
    """What every kind of objective shares: shapes, counts, and the last point.

    A kind has to say how things are found: `_find_value`, `_find_gradient` and `_find_hessian` write to the point that
    they are given (and may write more than they were asked), `_product` returns H v.
    """

    source = "NumPy"
    exact_gradient = True
    exact_curvature = True

    def __init__(self, points: Points, *, roundoff: float = ROUNDOFF, notes: Sequence[str] = ()) -> None:
        self._points = points
        self.size = points.size
        self.roundoff = roundoff
        self.notes = tuple(notes)
        self._last = Seen(b"", np.empty(0))
        self._values = self._gradients = self._products = self._hessians = self._compilations = 0
        self._compile_seconds = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        return self._points.names

    @property
    def counts(self) -> Counts:
        return Counts(
            self._values, self._gradients, self._products, self._hessians, self._compilations, self._compile_seconds
        )

    def value(self, x: np.ndarray) -> float:
        here = self._here(x)
        if not here.asked_value:
            self._values += 1
            if here.value is None:
                self._find_value(here)
            here.asked_value = True  # not before: f may raise, and be asked again
        return here.value  # type: ignore[return-value]

    def see(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        here = self._here(x)
        if not here.asked_gradient:
            self._gradients += 1
            if here.gradient is None:
                self._find_gradient(here)
            here.asked_gradient = True
        return self.value(x) if here.value is None else self._count_value(here), here.gradient  # type: ignore

    def hessian(self, x: np.ndarray) -> np.ndarray:
        here = self._here(x)
        if not here.asked_hessian:
            self._hessians += 1
            if here.hessian is None:
                self._find_hessian(here)
            here.asked_hessian = True
        return here.hessian  # type: ignore[return-value]

    def look(self, x: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        hessian = self.hessian(x)  # first: for few variables it brings the others along
        return *self.see(x), hessian

    def bend(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        here, v = self._here(x), np.ascontiguousarray(v, dtype=np.float64)
        self._products += 1
        return self._product(here, v)

    def sees(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, gradients = np.empty(len(X)), np.empty((len(X), self.size))
        for row, x in enumerate(X):
            values[row], gradients[row] = self.see(x)
        return values, gradients

    def lanes(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.sees(X)

    def lane_values(self, X: np.ndarray) -> np.ndarray:
        return np.array([self.value(x) for x in X])

    def hessians(self, X: np.ndarray) -> np.ndarray:
        return np.array([self.hessian(x) for x in X]).reshape(len(X), self.size, self.size)

    def shaped(self, x: np.ndarray) -> Any:
        return self._points.shaped(x)

    def flat(self, point: Any) -> np.ndarray:
        return self._points.flat(point)

    def _here(self, x: np.ndarray) -> Seen:
        """What is known of a point; only the last one is remembered."""
        x = np.ascontiguousarray(x, dtype=np.float64)
        key = x.tobytes()
        if self._last.key != key:
            if x.shape != (self.size,):
                raise ModelError(f"A point of shape {x.shape} was given; a vector of {self.size} variables is needed.")
            self._last = Seen(key, x.copy())
        return self._last

    def _count_value(self, here: Seen) -> float:
        if not here.asked_value:
            here.asked_value = True
            self._values += 1
        return here.value  # type: ignore[return-value]

    def _find_value(self, here: Seen) -> None:
        raise NotImplementedError

    def _find_gradient(self, here: Seen) -> None:
        raise NotImplementedError

    def _find_hessian(self, here: Seen) -> None:
        raise NotImplementedError

    def _product(self, here: Seen, v: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class Seen:
    """A point and what is known of it."""

    __slots__ = (
        "asked_gradient", "asked_hessian", "asked_value", "columns", "gradient", "hessian", "key", "value", "x",
    )  # fmt: skip

    def __init__(self, key: bytes, x: np.ndarray) -> None:
        self.key, self.x = key, x
        self.value: float | None = None
        self.gradient: np.ndarray | None = None
        self.hessian: np.ndarray | None = None
        self.columns: np.ndarray | None = None  # of the Hessian as they were computed, not yet made symmetric
        self.asked_value = self.asked_gradient = self.asked_hessian = False
