"""Second derivatives with the sign of a quotient of polynomials: exact to the point where curvature changes."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.problem.domain import Domain
from surefoot.problem.from_text import real_graph_of_text
from surefoot.problem.real import Builder
from surefoot.problem.typed import typed_function
from surefoot.proof.affine_lines import lines_of
from surefoot.proof.arb_reading import arb_jet, ball, precision
from surefoot.proof.forms import Affine
from surefoot.proof.hyperexponential import bends
from surefoot.proof.rational_pieces import Line
from surefoot.proof.univariate import prove


def graph_of(text):
    typed = typed_function(text, "x=1")
    return real_graph_of_text(typed.node, typed.names)


def decided(text, domain):
    graph = graph_of(text)
    found = prove(graph, Domain.of(domain, graph.names))
    return None if found is None else found.curvature.value


@pytest.mark.parametrize(
    ("text", "domain", "expected"),
    [
        ("x*exp(x)", "x >= -2", "strictly convex"),
        ("x*exp(x)", "x >= -2.0000000001", None),
        ("x*exp(x)", "x <= -2", "strictly concave"),
        ("-exp(-x^2/2)", "-1 <= x <= 1", "strictly convex"),
        ("-exp(-x^2/2)", "-1 <= x <= 1.0000000001", None),
        ("log(1 + x^2)", "-1 <= x <= 1", "strictly convex"),
        ("log(1 + x^2)", "-1 <= x <= 1.0000000001", None),
        ("log(1 + x^2)", "x >= 1", "strictly concave"),
        ("(x^2 + 1)^0.5", None, "strictly convex"),
        ("(x^2 + 1)^0.4999999", None, None),
        ("(x^2 + 1)^0.4999999", "-1 <= x <= 1", "strongly convex"),
        ("sqrt(x)", "x >= 0", "strictly concave"),
        ("1/sqrt(x)", "x > 0", "strictly convex"),
        ("1/sqrt(x)", "x >= 0", None),
        ("x/sqrt(x)", "x >= 0", None),
        ("log(sqrt(x))", "x >= 0", None),
        ("log(sqrt(x))", "x > 0", "strictly concave"),
        ("(sqrt(x)*exp(x))^(-0.5)", "x >= 0", None),
        ("(sqrt(x)*exp(x))^(-0.5)", "x > 0", "strictly convex"),
        ("exp(1/x)", "x > 0", "strictly convex"),
        ("exp(1/x)", "x >= 0", None),
        ("x^2 - log(1 + x^2)", None, "strictly convex"),
        ("x^2 - 1.0000001*log(1 + x^2)", None, None),
        ("-log(1 - x^2)", "-1 < x < 1", "strongly convex"),
        ("-log(1 - x^2)", "-1 <= x < 1", None),
        ("atan(x)", "x <= 0", "strictly convex"),
        ("atan(x)", "x <= 1e-12", None),
        ("exp(-x)*x^2", "0 <= x <= 0.5857", "strongly convex"),
        ("exp(-x)*x^2", "0 <= x <= 0.5858", None),
        ("exp(x)/x", "x > 0", "strongly convex"),
        ("0*log(x) + x^2", "x >= 0", None),
        ("0*log(x) + x^2", "x > 0", "strongly convex"),
        ("abs(x)^1.5", "x >= 0", "strictly convex"),
    ],
)
def test_a_function_is_decided_up_to_where_its_curvature_changes(text, domain, expected):
    assert decided(text, domain) == expected


small = st.integers(-3, 3)
QUOTIENTS = ("1", "x", "x + 2", "1 - x", "x^2 + 1", "x/(x^2 + 2)", "2 - x^2/4", "1/(x + 3)")


@given(
    st.sampled_from(QUOTIENTS), st.sampled_from(QUOTIENTS), st.sampled_from(QUOTIENTS),
    st.sampled_from(["0.5", "1.5", "-0.5", "-2", "0.3"]), small,
    st.sampled_from(["", "+ x", "+ x^2", "+ log(x^2 + 3)"]),
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_whatever_is_said_agrees_with_second_derivatives_in_arb(r, s, q, c, scale, more):
    graph = graph_of(f"{scale}*({r})*exp({s})*(({q})^2 + 0.1)^({c}) {more} + 0*x")
    line = Line(Fraction(-1), Fraction(3, 2), True, True)
    found = bends(chain(graph), [], line)
    if found is None:
        return
    with precision(200):
        second = [arb_jet(graph, [Fraction(k, 32)], bits=200).hessian[0, 0] for k in range(-32, 49)]
        for one, sign in zip(found, (1, -1), strict=True):
            if one.convex:
                assert not any(sign * value < ball(one.modulus) for value in second)
            else:
                at = arb_jet(graph, [one.against], bits=200).hessian[0, 0]
                assert sign * at < 0


def chain(graph):
    """The same function of t, as chains are drawn."""
    from surefoot.proof.chains import affine_nodes, chain_of

    found = chain_of(graph, graph.output, affine_nodes(graph))
    assert found is not None
    return found.graph


def test_ranges_of_affine_rows_are_exact_and_know_their_ends():
    rows = Affine(np.ones(2), np.array([[0.1, -1.0], [0.0, 2.0]]), np.array([0.3, 0.0]))
    domain = Domain.of("0 < x <= 1, y >= -2", ("x", "y"))
    first, second = lines_of(rows, domain)
    assert first.low is None and first.high == Fraction(0.1) + Fraction(0.3) + 2 and first.has_high
    assert second == Line(Fraction(-4), None, True, False)
    assert Builder(("x",)).input == 0
