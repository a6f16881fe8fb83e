"""Plain writing keeps the function, and where it is defined."""

from __future__ import annotations

import pytest

from surefoot.problem.domain import Domain
from surefoot.problem.from_text import real_graph_of_text
from surefoot.problem.grammar import parse_function
from surefoot.problem.typed import variables_of
from surefoot.proof.curvature import Curvatures
from surefoot.proof.rewrites import plainly


def plain(text: str):
    names = variables_of(text).names
    return plainly(real_graph_of_text(parse_function(text), names))


def operations(text: str) -> list[str]:
    return [node.operation for node in plain(text).nodes if node.operation not in ("input", "slice", "reshape")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("log(1 + exp(x))", ["softplus"]),
        ("log1p(exp(x))", ["softplus"]),
        ("max(x, 0) + log1p(exp(-abs(x)))", ["softplus"]),
        ("-log(1/(1 + exp(-x)))", ["neg", "softplus"]),
        ("-log(1 - 1/(1 + exp(-x)))", ["softplus"]),
        ("log(exp(x)/(1 + exp(x)))", ["neg", "softplus", "neg"]),
        ("exp(x)/(1 + exp(x))", ["logistic"]),
        ("sqrt(x^2)", ["abs"]),
        ("(x^4)^0.25", ["abs"]),
        ("where(x > 0, x, -x)", ["abs"]),
        ("where(x < y, x, y)", ["minimum"]),
        ("where(x - y > 0, 2*x + 1, x + y + 1)", ["maximum", "add", "mul"]),
        ("log(exp(x))", []),
        ("x*x/y", ["power", "div"]),
        ("x*(x/y)", ["power", "div"]),
        ("x + y - x", []),
        ("(x + 1)*y^(-2)", ["constant", "add", "power", "div"]),
    ],
)
def test_spellings_become_one(text, found):
    assert sorted(set(operations(text)) - {"constant"}) == sorted(set(found) - {"constant"}), operations(text)


@pytest.mark.parametrize(
    ("text", "domain"),
    [("log(x) - log(x)", "x > 0"), ("0*log(x)", "x > 0"), ("exp(log(x))", "x > 0"), ("sqrt(x)^2", "x >= 0"),
     ("log(x) + y - log(x)", "x > 0"), ("max(log(x), log(x))", "x > 0")],
)  # fmt: skip
def test_a_condition_that_cancels_is_kept(text, domain):
    graph = plain(text)
    known = Curvatures(graph, Domain.of(None, graph.names))
    assert str(known.domain) == domain and not known.undefined


@pytest.mark.parametrize(
    "text", ["x/x", "(x^-2)^(-0.5)", "1/(1/x)", "x^-1*x", "x^0.5/x^0.5", "where(x > 0, log(x), x)"]
)
def test_a_hole_is_not_filled(text):
    graph = plain(text)
    known = Curvatures(graph, Domain.of(None, graph.names))
    assert known.undefined or not int(known.bits(graph.output)) & 3
    inside = Curvatures(graph, Domain.of("x > 0", graph.names))
    assert not inside.undefined
