"""Witnesses against convexity: found where there are any, never where there is none, true in Arb."""

from fractions import Fraction

import numpy as np
import pytest

from surefoot.problem.domain import Domain
from surefoot.problem.from_text import real_graph_of_text
from surefoot.problem.real import Builder
from surefoot.problem.typed import typed_function
from surefoot.proof.arb_reading import arb_jet, ball, precision
from surefoot.proof.certificate import Curvature
from surefoot.proof.nonconvex import confirm, prove
from surefoot.proof.restricted import on_grid, restricted
from surefoot.proof.segments import inner_points, segment


def graph_of(text, start="x=1"):
    typed = typed_function(text, start)
    return real_graph_of_text(typed.node, typed.names)


def is_true(graph, evidence):
    """Whether the chord of a witness runs below the function, in 400 bits."""
    p, q = ([Fraction(v) for v in evidence[key]] for key in ("from", "to"))
    t = Fraction(evidence["share"])
    middle = [(1 - t) * a + t * b for a, b in zip(p, q, strict=True)]
    with precision(400):
        first, between, last = (arb_jet(graph, point, order=0, bits=400).value for point in (p, middle, q))
        weight = ball(t)
        return bool(between > (1 - weight) * first + weight * last)


@pytest.mark.parametrize(
    ("text", "start", "domain"),
    [
        ("cos(x)", "x=1", "-1 <= x <= 1"),
        ("-x^2*1e-12 + x", "x=1", None),
        ("x^4 - 1e-9*x^2", "x=1", None),
        ("(1 + x^2)^(-2)", "x=1", None),
        ("(1 + x^2)^(-2)", "x=1", "x >= 0.4"),
        ("where(x < 0, exp(x), exp(x) + 1e-9)", "x=1", None),
        ("where(x < 0, exp(x) + 1e-9, exp(x))", "x=1", None),
        ("where(x < 0, expm1(x), 0.999999*x)", "x=1", None),
        ("min(exp(x), 5)", "x=1", None),
        ("log(x) + y^2", "x=1, y=1", "x > 0"),
        ("sqrt(x*y)", "x=1, y=1", "x > 0, y > 0"),
        ("x*exp(y)", "x=1, y=1", "x + y <= 1, x >= 0, y >= 0"),
        ("exp(x)*(y - 1)^2 - 1e-6*x^2", "x=1, y=1", [(-1, 1), (0, 2)]),
        ("abs(x)^0.999999999", "x=1", None),
        ("(abs(x)^3 + abs(y)^3)^0.3333333333333333", "x=1, y=2", None),
        ("max(x, y) - 1e-3*abs(x)", "x=1, y=2", None),
    ],
)
def test_a_function_that_is_not_convex_gets_a_witness_that_is_true(text, start, domain):
    graph = graph_of(text, start)
    where = Domain.of(domain, graph.names)
    found = prove(graph, where)
    assert found is not None and found.curvature is Curvature.NOT_CONVEX
    assert is_true(graph, found.evidence)
    assert where.contains(found.evidence["from"]) and where.contains(found.evidence["to"])


@pytest.mark.parametrize(
    ("text", "start", "domain"),
    [
        ("cos(x)", "x=1", "2 <= x <= 4"),
        ("x^3", "x=1", "0 <= x <= 1"),
        ("abs(x)^1.0000001", "x=1", None),
        ("where(x == 1, -(x - 1)^2, 0)", "x=1", None),
        ("where(x < 0, expm1(x), x)", "x=1", None),
        ("log(exp(x) + exp(y)) - x/3", "x=1, y=1", None),
        ("sqrt(x^2 + y^2)", "x=1, y=1", None),
        ("x^2/y", "x=1, y=1", "y > 0"),
        ("x - y", "x=1, y=1", None),
        ("floor(x)", "x=0.5", "0.1 <= x <= 0.9"),
    ],
)
def test_a_convex_function_gets_none(text, start, domain):
    graph = graph_of(text, start)
    assert prove(graph, Domain.of(domain, graph.names), seconds=2.0) is None


def test_a_candidate_from_outside_is_tried_first_and_not_believed():
    # Concave only within 1e-3 of (3, 4): no sampling finds that.
    text = "x^2 + y^2 + 1e-5*exp(-1e6*((x - 3)^2 + (y - 4)^2))"
    graph = graph_of(text, "x=1, y=1")
    everywhere = Domain.everything(graph.names)
    candidate = (np.array([3.0, 4.0]), np.array([1.0, 0.0]))
    found = prove(graph, everywhere, [candidate])
    assert found is not None and is_true(graph, found.evidence)
    convex = graph_of("x^2 + y^2", "x=1, y=1")
    assert prove(convex, everywhere, [candidate], seconds=1.0) is None


def test_ends_outside_the_domain_are_refused():
    graph = graph_of("-x^2")
    p, q = np.array([-1.0]), np.array([1.0])
    assert confirm(graph, Domain.everything(("x",)), p, q) is not None
    assert confirm(graph, Domain.of("x > -1", ("x",)), p, q) is None
    assert confirm(graph, Domain.of("x >= -1", ("x",)), p, q) is not None


def test_nothing_is_claimed_where_the_function_is_not_defined_between():
    graph = graph_of("-1/x^2")
    assert confirm(graph, Domain.everything(("x",)), np.array([-1.0]), np.array([1.0])) is None
    assert confirm(graph, Domain.everything(("x",)), np.array([1.0]), np.array([2.0])) is not None


def test_many_variables_and_much_data_are_looked_at_along_lines():
    rng = np.random.default_rng(8)
    A = rng.standard_normal((2000, 60))
    build = Builder(tuple(f"w[{k}]" for k in range(60)))
    scores = build.dot(build.constant(A), build.input, ((1,), (0,)))
    graph = build.graph(build.sum(build.unary("tanh", scores)))
    found = prove(graph, Domain.everything(graph.names), seconds=10.0)
    assert found is not None and found.curvature is Curvature.NOT_CONVEX


def test_the_function_on_a_segment_is_the_function_there_exactly():
    rng = np.random.default_rng(9)
    graph = graph_of("exp(x*y) + abs(x - y)", "x=1, y=2")
    for _ in range(20):
        p, q = on_grid(rng.standard_normal(2) * 10.0 ** rng.uniform(-8, 2), rng.standard_normal(2))
        line = restricted(graph, p, q)
        assert line is not None
        share = Fraction(3, 8)
        point = [(1 - share) * Fraction(a) + share * Fraction(b) for a, b in zip(p, q, strict=True)]
        one, other = arb_jet(line, [share], order=0).value, arb_jet(graph, point, order=0).value
        assert one.overlaps(other) and one.rad() < 1e-20
    assert restricted(graph, np.array([0.1, 0.0]), np.array([1e20, 1.0])) is None


def test_points_and_segments_lie_in_the_domain():
    rng = np.random.default_rng(10)
    for given in (None, "x > 0, y < 1", "x + y <= 1, x - y >= -1, y >= 0", [(0, 0), (1, 2)], "x + 3*y > 100"):
        domain = Domain.of(given, ("x", "y"))
        points = inner_points(domain, 20, rng)
        assert len(points) and all(domain.contains(x) for x in points)
        ends = segment(domain, points[-1], np.array([0.0, 1.0]))
        assert ends is None or all(domain.contains(end) for end in ends)
