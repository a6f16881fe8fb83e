"""Typed text as a real graph means what the NumPy reading of the same text means."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.errors import DataError
from surefoot.problem.floating import evaluate
from surefoot.problem.from_text import real_graph_of_text
from surefoot.problem.grammar import parse_function
from surefoot.problem.real_floating import value
from surefoot.problem.typed import typed_function

POINT = {"x": 0.7, "y": -1.3, "z": [0.4, 1.1, 2.5]}
TEXTS = [
    "x^2 + 2*x*y - y/3", "exp(-x) * sin(y)", "sqrt(x) + cbrt(y) + abs(y)", "log2(x) + log10(x) + ln(x) + log1p(x)",
    "x^-2 + x^0.5 + x^(1/3) + 2^y + exp2(x)", "x^y", "min(x, y) + max(x, y) - hypot(x, y) + atan2(y, x)",
    "where(x > y, x^2, y^3) + where(x <= y or not x == y, 1, 2)", "(x > 0) + (y >= 0)*3", "logit(x) + expit(y)",
    "erf(x) + erfc(y) + gammaln(x) + sinh(x) - tanh(y) + acosh(1 + x) + asinh(y) + atanh(x) + cosh(y)",
    "sum((z[i] - i)^2, i=0..2)", "sum(z[i]*z[j]/(1 + i + j), i=0..2, j=0..2)",
    "prod(z[i] + 1, i=0..2) - sum(x, i=0..4)",
    "sum(x^i, i=0..5)", "sum((-1)^i * z[i]^(i + 1), i=0..2)", "sum(z^2) + norm(z) + mean(z) + dot(z, z) + prod(z)",
    "sum((z[i+1] - z[i])^2, i=0..1)", "z[2] - z[0] + z[1]^2", "round(2.5*x) + floor(y) + ceil(y) + sign(y)",
    "sqrt(2)*x + pi",
    "sum(i*x, i=1..3)", "sum(sum(z[i]*z[j], j=0..2)^2, i=0..2)", "prod(2*x, i=1..3)", "sum(z[2*i], i=0..1) - z[1]",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_the_graph_has_the_value_of_the_text(text):
    node = parse_function(text)
    used = {name for name in POINT if any(part in text for part in (name,))}
    start = {name: POINT[name] for name in POINT if name in _names(node)}
    assert start.keys() <= used
    typed = typed_function(text, start)
    graph = real_graph_of_text(typed.node, typed.names)
    rng = np.random.default_rng(1)
    for x in (typed.start, typed.start * rng.uniform(0.9, 1.1, typed.start.shape)):
        columns = typed.variables.shaped(x)
        expected = float(evaluate(typed.node, {name: np.asarray(part) for name, part in columns.items()}))
        assert float(value(graph, x)) == pytest.approx(expected, rel=1e-13)


def _names(node):
    from surefoot.problem.graph import names

    return names(node)


def test_a_long_sum_is_a_few_nodes():
    typed = typed_function("sum(log(1 + exp(z[i])), i=0..9999)", {"z": np.zeros(10_000)})
    assert len(real_graph_of_text(typed.node, typed.names).nodes) < 8


def test_quotients_of_literals_are_doubles_and_functions_of_them_are_real_numbers():
    typed = typed_function("x^(1/3) + sqrt(2)*x", "x=1")
    nodes = real_graph_of_text(typed.node, typed.names).nodes
    exponents = [node["exponent"] for node in nodes if node.operation == "power"]
    assert Fraction(1 / 3) in exponents and Fraction(1, 2) in exponents


def test_equal_parts_are_one_node_and_say_where_they_stand():
    typed = typed_function("exp(x - y)^2 + exp(x - y)", "x=1, y=2")
    nodes = real_graph_of_text(typed.node, typed.names).nodes
    exponentials = [node for node in nodes if node.operation == "exp"]
    assert len(exponentials) == 1 and exponentials[0].source == "exp(x - y)"


def test_an_unknown_name_is_refused():
    with pytest.raises(DataError, match="no variable named y"):
        real_graph_of_text(parse_function("x[0] + y[1]"), ("x[0]",))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.floats(0.1, 3))
def test_powers_over_an_index_keep_their_order(exponents, x):
    text = " + ".join(f"{k + 2}*x^{power}" for k, power in enumerate(exponents)) + " + 0*x"
    typed = typed_function(text, {"x": x})
    graph = real_graph_of_text(typed.node, typed.names)
    assert float(value(graph, typed.start)) == pytest.approx(
        sum((k + 2) * x**power for k, power in enumerate(exponents)), rel=1e-12
    )
