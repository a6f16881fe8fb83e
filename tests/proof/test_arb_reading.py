"""The second opinion is itself checked: its derivatives against differences of its values at a thousand bits."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from flint import arb

from fuzzing import draws
from interval_graphs import random_graph
from surefoot.problem.real import Builder, Graph
from surefoot.proof.arb_elementary import binary, power, unary
from surefoot.proof.arb_reading import arb_jet, ball, ends, precision

pytestmark = pytest.mark.fuzz

STEP = Fraction(1, 2**200)
BITS = 1200


def close(found: object, differences: object) -> bool:
    """Equal to some thirty digits: a difference of step 2^-200 has an error of its size."""
    if not found.is_finite() or not differences.is_finite():  # type: ignore[attr-defined]
        return True
    with precision(BITS):
        return bool(abs(found - differences) < (1 + abs(found)) * arb(2) ** -100)  # type: ignore[operator]


@pytest.mark.parametrize("seed", range(draws(25, 600)))
def test_derivatives_are_those_of_the_values(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 4))
    graph = random_graph(rng, n, int(rng.integers(2, 9)))
    point = [Fraction(float(number)) for number in rng.normal(size=n)]
    jet = arb_jet(graph, point, bits=BITS)

    def value(*moved: int) -> object:
        at = list(point)
        for k in moved:
            at[abs(k) - 1] += STEP if k > 0 else -STEP
        return arb_jet(graph, at, order=0, bits=BITS).value

    with precision(BITS):
        step = ball(STEP)
        for i in range(1, n + 1):
            assert close(jet.gradient[i - 1], (value(i) - value(-i)) / (2 * step))  # type: ignore[operator]
            for j in range(1, n + 1):
                mixed = value(i, j) - value(i, -j) - value(-i, j) + value(-i, -j)  # type: ignore[operator]
                assert close(jet.hessian[i - 1, j - 1], mixed / (4 * step * step))


@pytest.mark.parametrize("name", ["div", "pow", "arctan2", "hypot", "mul", "maximum", "minimum"])
def test_functions_of_two_have_their_derivatives(name: str) -> None:
    rng = np.random.default_rng(1)
    function = binary(name)
    with precision(BITS):
        h = ball(STEP)
        for _ in range(20):
            u, v = (arb(float(number)) for number in rng.uniform(0.2, 3.0, 2))
            value, by_u, by_v, uu, uv, vv = function(u, v)
            f = lambda a, b: function(a, b)[0]  # noqa: E731
            assert close(by_u, (f(u + h, v) - f(u - h, v)) / (2 * h))
            assert close(by_v, (f(u, v + h) - f(u, v - h)) / (2 * h))
            assert close(uu, (f(u + h, v) - 2 * value + f(u - h, v)) / h**2)
            assert close(vv, (f(u, v + h) - 2 * value + f(u, v - h)) / h**2)
            cross = f(u + h, v + h) - f(u + h, v - h) - f(u - h, v + h) + f(u - h, v - h)
            assert close(uv, cross / (4 * h**2))


@pytest.mark.parametrize(
    "name",
    ["exp", "expm1", "log", "log1p", "cbrt", "abs", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh",
     "tanh", "arcsinh", "arctanh", "logistic", "softplus", "erf", "erfc", "lgamma", "digamma", "log_ndtr"],
)  # fmt: skip
def test_functions_of_one_have_their_derivatives(name: str) -> None:
    function = unary(name)
    with precision(BITS):
        h = ball(STEP)
        for number in (0.1, 0.35, 0.8, -0.3, -0.75):
            if number < 0 and name in ("log",):
                continue
            u = arb(number)
            value, first, second = function(u)
            assert close(first, (function(u + h)[0] - function(u - h)[0]) / (2 * h))
            assert close(second, (function(u + h)[0] - 2 * value + function(u - h)[0]) / h**2)


@pytest.mark.parametrize("exponent", ["2", "-3", "1/2", "-1/3", "5/2", "0", "1"])
def test_powers_have_their_derivatives(exponent: str) -> None:
    function = power(Fraction(exponent))
    with precision(BITS):
        h, u = ball(STEP), arb(0.7)
        value, first, second = function(u)
        assert close(first, (function(u + h)[0] - function(u - h)[0]) / (2 * h))
        assert close(second, (function(u + h)[0] - 2 * value + function(u - h)[0]) / h**2)


def of_one(name: str) -> Graph:
    build = Builder(("x",))
    return build.graph(build.sum(build.unary(name, build.input)))


def test_known_values() -> None:
    root = arb_jet(of_one("digamma"), [1.0]).value
    with precision(128):
        assert bool(abs(root + arb.const_euler()) < arb(2) ** -100)
        assert bool(abs(arb_jet(of_one("lgamma"), [0.5]).value - arb.pi().sqrt().log()) < arb(2) ** -100)
        assert bool(abs(arb_jet(of_one("log_ndtr"), [0.0]).value + arb(2).log()) < arb(2) ** -100)
        assert bool(abs(arb_jet(of_one("erf"), [1.0]).value - arb(1).erf()) < arb(2) ** -100)


def test_nothing_is_said_where_nothing_is_known() -> None:
    for name, at in (
        ("log", -1.0),
        ("log", 0.0),
        ("arccosh", 0.5),
        ("arctanh", 2.0),
        ("lgamma", -1.0),
        ("arcsin", 2.0),
    ):
        assert not arb_jet(of_one(name), [at]).value.is_finite()
    for name in ("abs", "floor", "sign", "cbrt"):
        jet = arb_jet(of_one(name), [0.0])
        assert jet.value == 0 and not jet.gradient[0].is_finite()
    build = Builder(("x",))
    graph = build.graph(build.unknown("bessel", (build.input,), ()))
    jet = arb_jet(graph, [1.0])
    assert not jet.value.is_finite() and not jet.gradient[0].is_finite() and not jet.hessian[0, 0].is_finite()


def test_choices() -> None:
    build = Builder(("x",))
    x = build.sum(build.input)
    graph = build.graph(
        build.where(build.condition("lt", x, build.constant(0.0)), build.power(x, 2), build.unary("log", x))
    )
    assert arb_jet(graph, [-3.0]).hessian[0, 0] == 2
    assert arb_jet(graph, [2.0]).gradient[0] == ball(0.5)
    assert not arb_jet(graph, [ball(-1.0, 1.0)]).value.is_finite()
    assert not arb_jet(graph, [0.0]).value.is_finite()


def test_over_a_box_a_ball_contains_the_values() -> None:
    graph = of_one("sin")
    jet = arb_jet(graph, [ball(0.5, 1.0)])
    for number in np.linspace(0.5, 1.0, 7):
        assert jet.value.contains(arb(float(number)).sin()) and jet.gradient[0].contains(arb(float(number)).cos())
    assert not jet.value.contains(arb(2))


def test_ends_are_doubles_around() -> None:
    for number in (Fraction(1, 3), Fraction(-(10**30) - 1), Fraction(1, 10**320), Fraction(2)):
        with precision(300):
            lo, hi = ends(ball(number))
        assert Fraction(lo) <= number <= Fraction(hi) and hi <= math.nextafter(math.nextafter(lo, math.inf), math.inf)
    assert ends(arb.nan()) == (-math.inf, math.inf)
    assert ends(arb(2)) == (2.0, 2.0)
