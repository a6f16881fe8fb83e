"""Quadratics that outweigh what bends the other way: near misses, data, moduli against Hessians."""

from fractions import Fraction

import numpy as np
import pytest

from surefoot.problem.domain import Domain
from surefoot.problem.from_text import real_graph_of_text
from surefoot.problem.real import Builder
from surefoot.problem.typed import typed_function
from surefoot.proof.arb_reading import arb_jet, ends
from surefoot.proof.chains import affine_nodes, chain_of
from surefoot.proof.outweighed import bend_range, prove
from surefoot.proof.rational_pieces import Line


def graph_of(text, start="x=1, y=1"):
    typed = typed_function(text, start)
    return real_graph_of_text(typed.node, typed.names)


@pytest.mark.parametrize(
    ("text", "domain", "expected"),
    [
        ("cos(x + y) + x^2 + y^2", None, "convex"),
        ("1.0000001*cos(x + y) + x^2 + y^2", None, None),
        ("0.9999999*cos(x + y) + x^2 + y^2", None, "strongly convex"),
        ("sin(x + y) - x^2 - y^2", None, "concave"),
        ("log(1 + (x - 1)^2) + log(1 + (x + y)^2) + x^2 + y^2", None, "strongly convex"),
        ("log(1 + (x - 1)^2) + log(1 + (x + y)^2) + (x^2 + y^2)/16", None, None),
        ("x^2 + y^2 - tanh(x - y)/2 + abs(x)", None, "strongly convex"),
        ("x^2 + y^2 - x^3", [(-0.3, 0.3), (-1, 1)], "strongly convex"),
        ("x^2 + y^2 - x^3", [(-0.3, 0.34), (-1, 1)], None),
        ("x^2 + y^2 - abs(x)", None, None),
        ("x^2 + y^2 + sqrt(x + y)", "x + y >= 0", None),
        ("x^2 + y^2 + log(x)", "x >= 0.8", "strongly convex"),
        ("x^2 + y^2 + log(x)", "x >= 0.7", None),
        ("x^2 + y^2 + x*cos(y)", None, None),
        ("exp(x) + cos(y)", None, None),
    ],
)
def test_what_bends_down_is_outweighed_or_nothing_is_said(text, domain, expected):
    graph = graph_of(text)
    found = prove(graph, Domain.of(domain, graph.names))
    assert (None if found is None else found.curvature.value) == expected


def robust(ridge):
    """Cauchy's loss of residuals, with a ridge."""
    rng = np.random.default_rng(7)
    A, y = rng.standard_normal((60, 4)), rng.standard_normal(60)
    build = Builder(tuple(f"w[{k}]" for k in range(4)))
    residual = build.sub(build.dot(build.constant(A), build.input, ((1,), (0,))), build.constant(y))
    loss = build.sum(build.unary("log1p", build.power(residual, 2)))
    total = build.add(loss, build.mul(build.constant(ridge), build.sum(build.power(build.input, 2))))
    return A, build.graph(total)


def test_a_robust_loss_of_data_is_convex_with_enough_of_a_ridge():
    A, _ = robust(0.0)
    needed = float(np.linalg.eigvalsh(A.T @ A)[-1]) / 8  # log(1 + r^2) bends by -1/4 at least
    _, graph = robust(1.01 * needed)
    found = prove(graph, Domain.everything(graph.names))
    assert found.curvature.value == "strongly convex" and float(found.modulus) <= 0.0201 * needed
    _, graph = robust(0.9 * needed)
    assert prove(graph, Domain.everything(graph.names)) is None


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("cos(x)", None, None), ("log(1 + x^2)", None, None), ("sin(3*x)*x", -2, 3), ("exp(x)/(1 + exp(x))", -5, 5)],
)
def test_the_range_of_a_second_derivative_holds_it_and_is_near(text, low, high):
    graph = graph_of(text, "x=1")
    chain = chain_of(graph, graph.output, affine_nodes(graph))
    line = Line(low and Fraction(low), high and Fraction(high), low is not None, high is not None)
    least, most = bend_range(chain.graph, chain.constants[0], line)
    points = np.linspace(-20 if low is None else low, 20 if high is None else high, 400)
    values = [ends(arb_jet(graph, [float(x)]).hessian[0, 0]) for x in points]
    assert least <= min(low for low, _ in values) and max(high for _, high in values) <= most
    width = max(high for _, high in values) - min(low for low, _ in values)
    assert most - least <= 2.0 * width


def test_on_one_point_nothing_bends_and_nothing_is_said():
    typed = typed_function("x^2 + cos(x)", "x=1")
    point = Domain.of({"x": (1, 1)}, typed.names)
    assert prove(real_graph_of_text(typed.node, typed.names), point) is None
