"""Random real graphs for laws that hold for every function: a hypothesis strategy, and points of a domain."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from surefoot.problem.real import Builder, Graph

NUMBERS = (-2.0, -1.0, -0.5, 0.1, 0.5, 1.0, 1.5, 2.0, 3.0, 1e-3, -1e-9)
UNARY = (
    "exp", "expm1", "log", "log1p", "abs", "sin", "cos", "arctan", "sinh", "cosh", "tanh", "logistic", "softplus",
    "erf", "cbrt", "lgamma", "log_ndtr", "neg",
)  # fmt: skip
EXPONENTS = (2, 2, 2, 3, 4, -1, -2, Fraction(1, 2), Fraction(3, 2), Fraction(-1, 2), Fraction(1 / 3))
BINARY = ("add", "sub", "mul", "div", "maximum", "minimum", "add")


class Growing:
    """A graph under construction: a pool of numbers that later operations choose from."""

    def __init__(self, draw, size: int) -> None:
        self.draw = draw
        self.build = Builder(tuple(f"x[{k}]" for k in range(size)))
        self.pool = [self.build.reshape(self.build.slice(self.build.input, (k,), (k + 1,)), ()) for k in range(size)]

    def one(self) -> int:
        """A number of the pool, later ones more often."""
        return self.draw(st.sampled_from(self.pool[-3:] + self.pool))

    def constant(self) -> int:
        return self.build.constant(self.draw(st.sampled_from(NUMBERS)))

    def affine(self) -> int:
        build = self.build
        total = build.mul(self.constant(), self.one())
        if self.draw(st.booleans()):
            total = build.add(total, build.mul(self.constant(), self.one()))
        return build.add(total, self.constant())

    def unary(self) -> int:
        return self.build.unary(self.draw(st.sampled_from(UNARY)), self.one())

    def power(self) -> int:
        return self.build.power(self.one(), self.draw(st.sampled_from(EXPONENTS)))

    def binary(self) -> int:
        return self.build.binary(self.draw(st.sampled_from(BINARY)), self.one(), self.one())

    def where(self) -> int:
        build = self.build
        condition = build.condition(self.draw(st.sampled_from(("lt", "le"))), self.one(), self.constant())
        return build.where(condition, self.one(), self.one())

    def rows(self) -> int:
        """A reduction of an elementwise function of an affine map of the input."""
        build, size = self.build, len(self.build.names)
        count = self.draw(st.integers(2, 4))
        entries = st.lists(st.sampled_from(NUMBERS), min_size=count * size, max_size=count * size)
        scores = build.dot(build.constant(np.array(self.draw(entries)).reshape(count, size)), build.input, ((1,), (0,)))
        inside = self.draw(st.sampled_from(("", "exp", "softplus", "abs", "square", "tanh")))
        if inside == "square":
            scores = build.power(scores, 2)
        elif inside:
            scores = build.unary(inside, scores)
        over = self.draw(st.sampled_from(("sum", "sum", "max", "min", "logsumexp")))
        return build.reduce(over, scores, (0,))

    def stacked(self) -> int:
        """A reduction of some numbers of the pool."""
        build = self.build
        parts = [build.reshape(self.one(), (1,)) for _ in range(self.draw(st.integers(2, 3)))]
        return build.reduce(
            self.draw(st.sampled_from(("sum", "prod", "max", "logsumexp"))), build.concatenate(parts, 0), (0,)
        )


@st.composite
def graphs(draw, sizes=(1, 3), most: int = 8) -> Graph:
    """A function of a few variables by up to ``most`` operations; it may be undefined in places."""
    growing = Growing(draw, draw(st.integers(*sizes)))
    kinds = (
        growing.affine, growing.unary, growing.unary, growing.power, growing.power, growing.binary, growing.binary,
        growing.where, growing.rows, growing.stacked,
    )  # fmt: skip
    for _ in range(draw(st.integers(1, most))):
        growing.pool.append(draw(st.sampled_from(kinds))())
    last = growing.pool[-1]
    if draw(st.booleans()):
        last = growing.build.add(last, growing.one())
    return growing.build.graph(last)


@st.composite
def boxes(draw, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends of a bounded box, some of them touching 0."""
    ends = st.sampled_from((-3.0, -1.0, -0.5, 0.0, 0.25, 1.0, 2.0, 4.0))
    pairs = [sorted(draw(st.tuples(ends, ends))) for _ in range(size)]
    lower = np.array([low for low, _ in pairs])
    return lower, np.array([high if high > low else low + 0.5 for low, high in pairs])


def points(lower: np.ndarray, upper: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Points of a box, corners among them, shape (count, n)."""
    rng = np.random.default_rng(seed)
    shares = rng.uniform(size=(count, len(lower)))
    corners = rng.uniform(size=shares.shape) < 0.2
    shares = np.where(corners, np.round(shares), shares)
    return lower + shares * (upper - lower)
