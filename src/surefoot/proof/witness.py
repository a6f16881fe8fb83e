"""The witness: what the judge asks of a function, and what it has asked so far.

The judge evaluates everything itself, at points of its own choice. It asks for a value, a gradient, a Hessian or a
Hessian times a vector, and knows of no walk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from surefoot.errors import ModelError

Bounds = tuple[np.ndarray | float, np.ndarray | float]
"""Lower and upper bounds, each of shape (n,) or a number; infinite where there is none."""


class Function(Protocol):
    """The part of an `Objective` that a judge needs."""

    @property
    def size(self) -> int:
        """Number of variables."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """A name for each variable."""
        ...

    @property
    def roundoff(self) -> float:
        """Unit roundoff of the arithmetic inside f: 2^-53, or 2^-24 in single precision."""
        ...

    @property
    def exact_gradient(self) -> bool:
        """Whether gradients come from a formula or autodiff; else from differences of f."""
        ...

    @property
    def exact_curvature(self) -> bool:
        """Whether Hessians come from a formula or autodiff; else from differences of gradients."""
        ...

    def value(self, x: np.ndarray) -> float: ...

    def see(self, x: np.ndarray) -> tuple[float, np.ndarray]: ...

    def look(self, x: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]: ...

    def bend(self, x: np.ndarray, v: np.ndarray) -> np.ndarray: ...


def length_of(v: np.ndarray) -> float:
    """Euclidean length, without overflow or underflow on the way."""
    top = float(np.max(np.abs(v), initial=0.0))
    return top * float(np.linalg.norm(v / top)) if 0 < top < np.inf else top


class Spent(Exception):
    """The budget of evaluations is used up; the judge says what was left out."""


class Witness:
    """A function under oath: evaluations are counted, and points stay within the bounds.

    It remembers only what it was told to look at ahead, so that one call may answer many questions.

    Parameters
    ----------
    function : Function
        What is asked.
    bounds : pair of arrays, optional
        Points outside are never asked for.
    budget : int, optional
        Most evaluations: a value or a gradient counts 1 (by differences 1 and 2n), a product 2, a Hessian n.
    """

    def __init__(self, function: Function, bounds: Bounds | None = None, budget: int | None = None) -> None:
        self.function = function
        self.size = function.size
        self.unit = float(function.roundoff)
        low, high = bounds if bounds is not None else (-np.inf, np.inf)
        self.lower = np.array(np.broadcast_to(np.asarray(low, dtype=float), self.size))
        self.upper = np.array(np.broadcast_to(np.asarray(high, dtype=float), self.size))
        if not np.all(self.lower <= self.upper):
            j = int(np.flatnonzero(~(self.lower <= self.upper))[0])
            raise ModelError(
                f"The bounds of {function.names[j]} leave nothing: {self.lower[j]:.6g} to {self.upper[j]:.6g}. "
                "Give the lower bound first, and -inf or inf where there is none."
            )
        self.budget = budget
        self.spent = 0
        self._ahead: dict[bytes, tuple[float, np.ndarray]] = {}
        self._gradient_costs = 1 if function.exact_gradient else 2 * self.size

    def holds(self, x: np.ndarray) -> bool:
        """Whether a point lies within the bounds."""
        return bool(np.all((self.lower <= x) & (x <= self.upper)))

    def height(self, x: np.ndarray) -> float:
        """f(x). Where gradients cost no more, the program that is compiled already gives it."""
        if self.function.exact_gradient:
            return self.see(x)[0]
        self._pay(1)
        return float(self.function.value(x))

    def see(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient."""
        known = self._ahead.get(x.tobytes()) if self._ahead else None
        if known is not None:
            return known
        self._pay(self._gradient_costs)
        value, gradient = self.function.see(x)
        return float(value), np.array(gradient, dtype=float)

    def sees(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values (m,) and gradients (m, n) at the rows of points (m, n), in one call where the function has one."""
        together = getattr(self.function, "sees", None)
        if together is None:
            found = [self.see(x) for x in points]
            return np.array([value for value, _ in found]), np.array([gradient for _, gradient in found])
        self._pay(len(points) * self._gradient_costs)
        return together(points)

    def foresee(self, points: list[np.ndarray]) -> None:
        """Values and gradients at points that will be asked for next; those outside the bounds never are."""
        within = {x.tobytes(): x for x in points if self.holds(x)}
        self._ahead = {}
        affordable = self.budget is None or self.spent + len(within) * self._gradient_costs <= self.budget
        if within and affordable and self.function.exact_gradient:
            values, gradients = self.sees(np.array(list(within.values())))
            self._ahead = dict(zip(within, zip(values.tolist(), gradients, strict=True), strict=True))

    def hessian(self, x: np.ndarray) -> np.ndarray:
        """The Hessian, of shape (n, n)."""
        self._pay(self.size * self._gradient_costs)
        matrix = np.array(self.function.look(x)[2], dtype=float)
        return 0.5 * matrix + 0.5 * matrix.T

    def bend(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The Hessian times a vector."""
        self._pay(2 * self._gradient_costs)
        return np.array(self.function.bend(x, v), dtype=float)

    def _pay(self, evaluations: int) -> None:
        if self.budget is not None and self.spent + evaluations > self.budget:
            raise Spent
        self.spent += evaluations
