"""Functions with derivatives written by hand, and their changes of variables: what the judge of points is tried on."""

from __future__ import annotations

import numpy as np

UNIT = 2.0**-53


class Landscape:
    """f with gradient and Hessian, or Hessian-vector product, as an objective."""

    source = "NumPy"
    notes = ()
    exact_gradient = exact_curvature = True

    def __init__(self, size, value, gradient, hessian=None, product=None, roundoff=UNIT):
        self.size, self.roundoff = size, roundoff
        self.names = tuple(f"x[{j}]" for j in range(size))
        self._value, self._gradient, self._hessian, self._product = value, gradient, hessian, product
        self.hessians = 0

    def value(self, x):
        return float(self._value(x))

    def see(self, x):
        return self.value(x), np.asarray(self._gradient(x), dtype=float)

    def look(self, x):
        return *self.see(x), self.hessian(x)

    def hessian(self, x):
        self.hessians += 1
        return np.asarray(self._hessian(x), dtype=float)

    def bend(self, x, v):
        return self._product(x, v) if self._product is not None else self.hessian(x) @ v


class Differenced(Landscape):
    """Values alone: gradients by central differences, Hessians by differences of those."""

    exact_gradient = exact_curvature = False

    def __init__(self, size, value, roundoff=UNIT):
        super().__init__(size, value, None, roundoff=roundoff)

    def see(self, x):
        return self.value(x), self._slopes(x)

    def _slopes(self, x):
        steps = self.roundoff ** (1 / 3) * np.maximum(np.abs(x), 1.0)
        return np.array(
            [
                (self.value(x + h * e) - self.value(x - h * e)) / (2 * h)
                for h, e in zip(steps, np.eye(self.size), strict=True)
            ]
        )

    def hessian(self, x):
        steps = self.roundoff**0.25 * np.maximum(np.abs(x), 1.0)
        columns = [
            (self._slopes(x + h * e) - self._slopes(x - h * e)) / (2 * h)
            for h, e in zip(steps, np.eye(self.size), strict=True)
        ]
        return (np.array(columns) + np.array(columns).T) / 2

    def bend(self, x, v):
        return self.hessian(x) @ v


def moved(base, A=None, shift=None, times=1.0, plus=0.0):
    """``F(y) = times f(A y + shift) + plus`` by the chain rule."""
    A = np.eye(base.size) if A is None else np.asarray(A, dtype=float)
    b = np.zeros(base.size) if shift is None else np.asarray(shift, dtype=float)
    return Landscape(
        base.size,
        lambda y: times * base.value(A @ y + b) + plus,
        lambda y: times * (A.T @ base.see(A @ y + b)[1]),
        lambda y: times * (A.T @ base.hessian(A @ y + b) @ A),
        roundoff=base.roundoff,
    )


def quadratic(H, at=None):
    """``(x - at)'H(x - at)/2``."""
    H = np.asarray(H, dtype=float)
    at = np.zeros(len(H)) if at is None else np.asarray(at, dtype=float)
    return Landscape(
        len(H), lambda x: (x - at) @ H @ (x - at) / 2, lambda x: H @ (x - at), lambda x: H, lambda x, v: H @ v
    )


def single(f, df, d2f):
    """A function of one variable."""
    return Landscape(1, lambda x: f(x[0]), lambda x: [df(x[0])], lambda x: [[d2f(x[0])]])


def rosenbrock():
    return Landscape(
        2,
        lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2,
        lambda x: [-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)],
        lambda x: [[1200 * x[0] ** 2 - 400 * x[1] + 2, -400 * x[0]], [-400 * x[0], 200.0]],
    )


def power(p):
    """``sum x_j^p``."""
    return Landscape(
        1, lambda x: np.sum(x**p), lambda x: p * x ** (p - 1), lambda x: np.diag(p * (p - 1) * x ** (p - 2))
    )


def monkey_saddle():
    """``x^3 - 3 x y^2``: three valleys, and no curvature at the origin."""
    return Landscape(
        2,
        lambda x: x[0] ** 3 - 3 * x[0] * x[1] ** 2,
        lambda x: [3 * x[0] ** 2 - 3 * x[1] ** 2, -6 * x[0] * x[1]],
        lambda x: [[6 * x[0], -6 * x[1]], [-6 * x[1], -6 * x[0]]],
    )


def polynomial(*terms):
    """A sum of monomials in two variables, each (coefficient, power of x, power of y)."""

    def part(x, c, p, q, dp=0, dq=0):
        for _ in range(dp):
            c, p = c * p, p - 1
        for _ in range(dq):
            c, q = c * q, q - 1
        return 0.0 if c == 0 else c * x[0] ** p * x[1] ** q

    def total(x, dp=0, dq=0):
        return sum(part(x, *term, dp, dq) for term in terms)

    return Landscape(
        2,
        lambda x: total(x),
        lambda x: [total(x, 1), total(x, 0, 1)],
        lambda x: [[total(x, 2), total(x, 1, 1)], [total(x, 1, 1), total(x, 0, 2)]],
    )


def one_fall_in(n, fall=-1.0, largest=100.0, seed=0):
    """A quadratic in n variables by products only, with one negative eigenvalue in a hidden direction."""
    rng = np.random.default_rng(seed)
    u = rng.standard_normal(n)
    u /= np.linalg.norm(u)
    d = np.exp(rng.uniform(0, np.log(largest), n))
    bottom = fall - u @ (d * u)

    def times(x, v):
        # P D P + fall u u', with P = I - u u'
        w = v - u * (u @ v)
        w = d * w
        return w - u * (u @ w) + fall * u * (u @ v)

    assert bottom < 0
    return Landscape(n, lambda x: x @ times(x, x) / 2, lambda x: times(x, x), product=times), u
