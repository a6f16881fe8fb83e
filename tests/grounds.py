"""Grounds written by hand, for walks to be tested on: value, gradient and Hessian as formulas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from surefoot.descent.ground import Floor, Here

U = np.finfo(float).eps / 2


class Formula:
    """A function of n variables by its formulas; where no Hessian is given, products with it are differences."""

    lowest = -float("inf")
    is_quadratic = False

    def __init__(self, size: int, value: Callable, gradient: Callable, hessian: Callable | None = None) -> None:
        self.size, self.passes = size, 0
        self._value, self._gradient, self._hessian = value, gradient, hessian

    def height(self, x):
        self.passes += 1
        return float(self._value(x))

    def see(self, x):
        self.passes += 1
        with np.errstate(all="ignore"):
            return Here(x, float(self._value(x)), np.asarray(self._gradient(x), float))

    def see_along(self, x, direction):
        return self.see(x), self.bend(x, direction)

    def hessian(self, x):
        with np.errstate(all="ignore"):
            if self._hessian is not None:
                return np.asarray(self._hessian(x), float)
            columns = []
            for j in range(self.size):
                h = np.zeros(self.size)
                h[j] = 1e-6 * max(1.0, abs(x[j]))
                columns.append((self._gradient(x + h) - self._gradient(x - h)) / (2 * h[j]))
            H = np.array(columns)
            return (H + H.T) / 2

    def bend(self, x, direction):
        return self.hessian(x) @ direction

    def floor(self, here, curvature):
        return Floor(64 * U * (curvature * float(np.linalg.norm(here.x)) + here.steepness), float("inf"))

    def measured_floor(self, here, curvature):
        H = np.abs(self.hessian(here.x))
        return Floor(16 * U * float(np.linalg.norm(H @ np.abs(here.x))), float("inf"))

    def blur(self, here):
        return 8 * U * abs(here.value)

    def measured_blur(self, here):
        return self.blur(here)

    def kink(self, here):
        return ""


@dataclass(frozen=True)
class Case:
    """A ground, where walks on it begin, and the lowest value."""

    name: str
    make: Callable[[], Formula]
    start: tuple[float, ...]
    lowest: float

    def __str__(self) -> str:
        return self.name


def quadratic(H, centre, offset=0.0):
    H, c = np.asarray(H, float), np.asarray(centre, float)
    return Formula(len(c), lambda x: offset + 0.5 * (x - c) @ H @ (x - c), lambda x: H @ (x - c), lambda x: H)


def rosenbrock(n=2):
    def value(x):
        return float(np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))

    def gradient(x):
        g, t = np.zeros_like(x), x[1:] - x[:-1] ** 2
        g[:-1] = -400 * x[:-1] * t - 2 * (1 - x[:-1])
        g[1:] += 200 * t
        return g

    def hessian(x):
        from scipy.optimize import rosen_hess

        return rosen_hess(x)

    return Formula(n, value, gradient, hessian)


def powell_singular():
    def value(x):
        a, b, c, d = x
        return (a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4

    def gradient(x):
        a, b, c, d = x
        p, q, r, s = 2 * (a + 10 * b), 10 * (c - d), 4 * (b - 2 * c) ** 3, 40 * (a - d) ** 3
        return np.array([p + s, 10 * p + r, q - 2 * r, -q - s])

    return Formula(4, value, gradient)


def beale():
    constants, powers = np.array([1.5, 2.25, 2.625]), np.array([1, 2, 3])

    def residual(x):
        return constants - x[0] * (1 - x[1] ** powers)

    def gradient(x):
        r = residual(x)
        return 2 * np.array([-r @ (1 - x[1] ** powers), r @ (x[0] * powers * x[1] ** (powers - 1))])

    return Formula(2, lambda x: float(residual(x) @ residual(x)), gradient)


def log_sum_exp():
    """log of a sum of exponentials of affine functions: convex, smooth, no quadratic."""
    A = np.array([[1.0, 3.0, -0.1], [1.0, -3.0, -0.1], [-1.0, 0.0, -0.1], [0.0, 0.5, 1.0], [0.3, 0.0, -1.0]])

    def parts(x):
        z = A @ x - 0.1
        top = z.max()
        e = np.exp(z - top)
        return top + np.log(e.sum()), e / e.sum()

    def hessian(x):
        w = parts(x)[1]
        mean = A.T @ w
        return A.T @ (w[:, None] * A) - np.outer(mean, mean)

    return Formula(3, lambda x: parts(x)[0], lambda x: A.T @ parts(x)[1], hessian)


def double_well():
    """``(x^2 - 1)^2 + (y - x)^2``: curves downwards near the start (0.1, 0)."""
    return Formula(
        2,
        lambda x: (x[0] ** 2 - 1) ** 2 + (x[1] - x[0]) ** 2,
        lambda x: np.array([4 * x[0] * (x[0] ** 2 - 1) - 2 * (x[1] - x[0]), 2 * (x[1] - x[0])]),
        lambda x: np.array([[12 * x[0] ** 2 - 2, -2.0], [-2.0, 2.0]]),
    )


def lowest_log_sum_exp():
    from scipy.optimize import minimize

    ground = log_sum_exp()
    return minimize(ground._value, np.ones(3), jac=ground._gradient, method="BFGS", options={"gtol": 1e-12}).fun


ROUND = Case("round bowl", lambda: quadratic(np.diag([1.0, 2.0, 3.0]), [1.0, -2.0, 0.5]), (4.0, 4.0, 4.0), 0.0)
NARROW = Case("narrow bowl", lambda: quadratic(np.diag([1.0, 30.0, 100.0]), [1.0, -2.0, 0.5]), (4.0, 4.0, 4.0), 0.0)
ROSENBROCK = Case("Rosenbrock", rosenbrock, (-1.2, 1.0), 0.0)
SINGULAR = Case("Powell singular", powell_singular, (3.0, -1.0, 0.0, 1.0), 0.0)
BEALE = Case("Beale", beale, (1.0, 1.0), 0.0)
SOFT = Case("log-sum-exp", log_sum_exp, (2.0, -1.0, 3.0), lowest_log_sum_exp())
WELLS = Case("two wells", double_well, (0.1, 0.0), 0.0)
CASES = (ROUND, NARROW, ROSENBROCK, SINGULAR, BEALE, SOFT, WELLS)
