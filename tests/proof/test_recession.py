"""Signs of slopes over all of space: what falls for ever, and what only seems to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.problem.denoted import denoted
from surefoot.problem.real import Builder
from surefoot.proof.interval import Interval
from surefoot.proof.recession import Sign, falls


def falling(text, at, direction):
    asked = denoted(text, at)
    n = asked.graph.size
    return falls(asked.graph, np.full(n, -np.inf), np.full(n, np.inf), np.array(direction, float))


@pytest.mark.parametrize(
    ("text", "direction"),
    [("exp(-x)", [1]), ("log1p(exp(-x))", [1]), ("-atan(x)", [1]), ("1/(1 + exp(x))", [1]), ("-x", [2]),
     ("erfc(x)", [1]), ("exp(-x) - x^3/1e3", [1]), ("-sinh(x)", [1]), ("sum(exp(-2*x) + exp(-x), i=0..3)", [1])],
)  # fmt: skip
def test_what_falls_for_ever(text, direction):
    assert falling(text, "x=0", direction)
    assert not falling(text, "x=0", [-one for one in direction])


@pytest.mark.parametrize(
    ("text", "direction"),
    [("exp(-x) + x^2", [1]), ("-x^3", [1]), ("x^2", [1]), ("exp(-x^2)", [1]), ("-max(x, 0)", [1]), ("log(x)", [-1]),
     ("-floor(x)", [1]), ("1/x", [1]), ("where(x < 1, -x, -2*x)", [1]), ("exp(-x)*0", [1]), ("sqrt(x)*-1", [1]),
     ("-abs(x)", [1]), ("-cosh(x)", [1]), ("sin(x) - x", [1])],
)  # fmt: skip
def test_what_does_not_or_may_not(text, direction):
    assert not falling(text, "x=0", direction)


def test_separable_logistic_loss_of_arrays():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 3))
    w = np.array([1.0, -2.0, 0.5])
    signed = X * np.sign(X @ w)[:, None]
    build = Builder(("a", "b", "c"))
    margin = build.dot(build.constant(-signed), build.input, ((1,), (0,)))
    graph = build.graph(build.sum(build.unary("softplus", margin)))
    everywhere = np.full(3, -np.inf), np.full(3, np.inf)
    assert falls(graph, *everywhere, w) and not falls(graph, *everywhere, np.array([-1.0, 0.0, 0.0]))


ends = st.tuples(st.integers(-2, 2), st.integers(-2, 2)).map(sorted)


@given(ends, ends)
def test_signs_of_sums_and_products_are_those_of_all_members(u, v):
    one, other = (Sign.of(Interval(np.array(float(a)), np.array(float(b)))) for a, b in (u, v))

    def holds(sign, value):
        return bool((sign.negative, sign.zero, sign.positive)[int(np.sign(value)) + 1])

    for a in np.linspace(*u, 9):
        for b in np.linspace(*v, 9):
            assert holds(one + other, a + b) and holds(one * other, a * b) and holds(-one, -a) and holds(one | other, b)
