"""Towers of elementary functions: derivatives against Arb, signs that are right, and shapes that are never wrong."""

from fractions import Fraction

import numpy as np
import pytest

from surefoot.proof.rational_pieces import Line
from surefoot.proof.tower_bends import shape_of
from surefoot.proof.tower_limits import Limits
from surefoot.proof.tower_signs import Signs
from surefoot.proof.towers import Tower
from surefoot.verbs.convexity import _graph, convexity


def drawn(text):
    from surefoot.proof.chains import affine_nodes, chain_of

    graph = _graph(text, None, ())
    chain = chain_of(graph, graph.output, affine_nodes(graph))
    return chain.graph, [Fraction(float(c)) for c in chain.constants[0]]


def line_of(low, high):
    return Line(*(None if end is None else Fraction(end) for end in (low, high)))


@pytest.mark.parametrize(
    ("text", "low", "high", "bends", "turns"),
    [
        ("x*arctan(x)", None, None, 1, (True, False)),
        ("log(x)^2", 0, 2.718, 1, (True, False)),
        ("log(x)^2", 0, 2.7183, None, (True, False)),  # e is between
        ("x*log(x)^2", 0, None, None, (False, False)),
        ("x^x", 0, None, 1, (True, False)),
        ("x/tanh(x)", 0, None, 1, (True, True)),  # phi'' by three derivatives, all 0 at the left end
        ("log(sinh(x)/x)", 0, None, 1, (True, True)),
        ("x*log(1 + 1/x)", 0, None, -1, (True, True)),
        ("log(1 - exp(-exp(x)))", None, None, -1, (True, True)),
        ("log(1 + erf(x))", None, None, -1, (True, True)),
        ("x*exp(x)", None, None, None, (True, False)),
        ("exp(-x^2)", None, None, None, (False, True)),
        ("abs(x)^1.5", None, None, 1, (True, False)),
        ("abs(x)^1.5 - 1e-9*abs(x)", None, None, None, (False, False)),
        ("x^2*log(x)", 0.2232, None, 1, (True, False)),  # exp(-3/2) is 0.22313
        ("x^2*log(x)", 0.2231, None, None, (True, False)),
        ("exp(x) - x - 1 - 0.50000001*x^2", 0, None, None, None),
        ("exp(x) - x - 1 - 0.5*x^2", 0, None, 1, (True, True)),
        ("log(x)/x", 4.4817, None, 1, (True, True)),  # exp(3/2) is 4.48169
        ("log(x)/x", 4.4816, None, None, (True, True)),
        ("sin(x)", 0, 3.1415, -1, None),
        ("sin(x)", 0, 3.1416, None, None),
        ("x*(1 + erf(x/sqrt(2)))/2", -1.4142, 1.4142, 1, None),
        ("x*(1 + erf(x/sqrt(2)))/2", -1.4143, 1.4142, None, None),
    ],
)  # fmt: skip
def test_a_function_is_decided_up_to_where_its_curvature_changes(text, low, high, bends, turns):
    shape = shape_of(*drawn(text), line_of(low, high))
    assert (shape.bends if shape is not None else None) == bends
    if turns is not None:
        assert (shape is not None and shape.falls_then_rises, shape is not None and shape.rises_then_falls) == turns


@pytest.mark.parametrize(
    ("text", "low", "high", "least"),
    [
        ("cosh(x)", None, None, 1),
        ("x*log(x)", 0, 1, 1),
        ("x^2 + sin(x)", None, None, 1),
        ("exp(x^2)", None, None, 2),
        ("log(1 + exp(x))", -1, 1, 0.19661193),
        ("abs(x) + x^2", None, None, 2),
        ("x^x", 0, None, 1.4014),
    ],
)
def test_a_modulus_is_below_the_least_second_derivative_and_near_it(text, low, high, least):
    shape = shape_of(*drawn(text), line_of(low, high))
    assert 0.8 * least < float(shape.modulus) <= least


@pytest.mark.parametrize(
    ("draw", "end", "side", "sign"),
    [
        (lambda tower: tower.mul(tower.t, tower.log(tower.t)), Fraction(0), 1, 0),
        (lambda tower: tower.sub(tower.exp(tower.t), tower.whole_power(tower.t, 9)), None, 1, 1),
        (lambda tower: tower.sub(tower.one, tower.exp(tower.t)), None, -1, 1),
        (lambda tower: tower.mul(tower.t, tower.function("erfc", tower.t)), None, 1, 0),
        (lambda tower: tower.sub(tower.log(tower.t), tower.root(tower.t, Fraction(1, 9))), None, 1, -1),
        (lambda tower: tower.function("arctan", tower.t), None, -1, -1),
        # Leading terms that cancel, and what is only known up to them: nothing is said.
        (lambda tower: tower.sub(tower.function("arcsinh", tower.t), tower.log(tower.t)), None, 1, None),
        (lambda tower: tower.exp(tower.log(tower.log(tower.t))), None, 1, None),
        (lambda tower: tower.function("sin", tower.t), None, 1, None),
    ],
)
def test_limits(draw, end, side, sign):
    tower = Tower()
    assert Limits(tower, end, side).sign(draw(tower)) == sign


def test_derivatives_are_those_of_the_graph():
    from surefoot.proof.arb_reading import arb_jet, precision
    from surefoot.proof.tower_reading import read_in_tower

    texts = (
        "log(x)^2/(1 + arctan(x))", "x^x*exp(-x)", "erf(x)*tanh(x)", "cbrt(x + 1)*arcsinh(x)", "sin(x)^2*x^0.3",
        "log(0.5*(1 + erf(x/sqrt(2))))", "arccos(x/9)*arctanh(x/8)", "log1p(x)*expm1(-x)", "arccosh(x + 2) + 2^x",
    )  # fmt: skip
    with precision(200):
        for text in texts:
            graph, constants = drawn(text)
            tower = Tower()
            value = read_in_tower(graph, constants, tower, Signs(tower, Fraction(1, 8), Fraction(3)))
            second = tower.derivative(tower.derivative(value))
            for place in (Fraction(1, 2), Fraction(2)):
                jet = arb_jet(graph, [float(place), *map(float, constants)], bits=200)
                for ours, own in ((value, jet.value), (second, jet.hessian[0][0])):
                    found = Limits(tower, place, 1).value_at(ours)
                    assert (found - own).contains(0) and abs(found - own) < 1e-30 * (1 + abs(own)), text


def test_what_is_not_defined_everywhere_is_left_alone():
    for text, low, high in (("log(x)", -1, 1), ("x^2/x", -1, 1), ("1/(exp(x) - 2)", 0, 1), ("arcsin(x)", 0, 2)):
        assert shape_of(*drawn(text), line_of(low, high)) is None
    # Continuous inside, but with an end that the function does not reach.
    ends = Line(Fraction(0), Fraction(1), True, True)
    assert shape_of(*drawn("x*log(x)"), ends) is None
    assert shape_of(*drawn("x*log(x)"), Line(Fraction(0), Fraction(1), False, True)).bends == 1


@pytest.mark.parametrize(
    "text", ["log(x)^2", "x*log(1 + 1/x)", "x/tanh(x)", "exp(sqrt(x))", "x*exp(-x)", "sqrt(x)*log(x)"]
)
def test_intervals_that_are_drawn_agree_with_second_differences(text):
    """What is claimed on an interval, seen at many points of it."""
    rng = np.random.default_rng(7)
    graph, constants = drawn(text)
    from surefoot.problem.real_floating import value

    for _ in range(12):
        low, high = np.sort(rng.uniform(0.05, 6.0, 2))
        shape = shape_of(graph, constants, line_of(low, high))
        t = np.linspace(low, high, 41)
        f = np.array([float(value(graph, np.array([one, *map(float, constants)]))) for one in t])
        second = np.diff(f, 2) / (t[1] - t[0]) ** 2
        slack = 1e-13 * np.abs(f).max() / (t[1] - t[0]) ** 2
        if shape is not None and shape.bends:
            assert np.all(shape.bends * second >= float(shape.modulus) - slack)
        else:
            assert second.min() < slack and second.max() > -slack


@pytest.mark.parametrize(
    ("text", "domain", "verdict", "quasi"),
    [
        ("x^2 + cos(x) + y^2", None, "strongly convex", ""),
        ("(x + y)^2*exp(x + y)", "x + y >= 0", "convex", ""),
        ("x^x + y^2", "x > 0", "strongly convex", ""),
        ("log(cosh(x)) + log(cosh(y))", "-1 <= x <= 1, -1 <= y <= 1", "strongly convex", ""),
        ("x^2/2 + sin(x)", None, "strictly convex", ""),
        ("x/(1 + exp(-x))", None, "not convex", "quasiconvex"),
        ("log(x)/x", "x > 0", "not convex", "quasiconcave"),
        ("sin(x)", "0 <= x <= 3.14", "strictly concave", ""),
        ("exp(x) + exp(-x)", None, "strongly convex", ""),
        ("max(x, y) + min(x, y)", None, "affine", ""),
        ("sin(x - x)*(expit(x) + x)", "x <= 0", "affine", ""),
    ],
)
def test_verdicts(text, domain, verdict, quasi):
    found = convexity(text, domain=domain)
    assert found.verdict.value == verdict
    assert not quasi or any(f"It is {quasi}" in line for line in found.lines)
