"""Functions of one affine number: near misses, joints, ends of the domain, sums over rows."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.problem.domain import Domain
from surefoot.problem.from_text import real_graph_of_text
from surefoot.problem.real import Builder
from surefoot.problem.typed import typed_function
from surefoot.proof.certificate import Curvature
from surefoot.proof.chains import affine_nodes, chain_of
from surefoot.proof.signs import weights_of
from surefoot.proof.univariate import elements, prove

CONVEX, STRICT, STRONG = Curvature.CONVEX, Curvature.STRICTLY_CONVEX, Curvature.STRONGLY_CONVEX
NOT = Curvature.NOT_CONVEX


def graph_of(text, start="x=1"):
    typed = typed_function(text, start)
    return real_graph_of_text(typed.node, typed.names)


def decided(text, domain=None, start="x=1"):
    graph = graph_of(text, start)
    found = prove(graph, Domain.of(domain, graph.names))
    return None if found is None else found.curvature


@pytest.mark.parametrize(
    ("text", "domain", "expected"),
    [
        ("x^4 - 1e-9*x^2", None, NOT),
        ("x^4 + 1e-9*x^2", None, STRONG),
        ("x^4", None, STRICT),
        ("-x^4", None, Curvature.STRICTLY_CONCAVE),
        ("(1 + x^2)^(-2)", None, NOT),
        ("(1 + x^2)^(-2)", "x >= 1", STRICT),
        ("(1 + x^2)^(-2)", "x >= 0.4", NOT),
        ("x^3", "0 <= x <= 1", STRICT),
        ("x^3", "-1e-12 <= x <= 1", NOT),
        ("x^4 - x^3*1.6 + x^2", None, STRONG),
        ("x^4 - x^3*1.7 + x^2", None, NOT),
        ("1/x", "x > 0", STRICT),
        ("1/x", "x >= 0", None),
        ("1/x", None, None),
        ("x^2/x", "x > 0", Curvature.AFFINE),
        ("x^2/x", None, None),
        ("where(abs(x) <= 1, x^2/2, abs(x) - 0.5)", None, CONVEX),
        ("where(abs(x) <= 1, x^2/2, abs(x) - 0.5000000001)", None, NOT),
        ("where(abs(x) <= 1, x^2/2, abs(x) - 0.4999999999)", None, NOT),
        ("where(x > 0, x^2 + 1e-9, x^2)", None, NOT),
        ("where(x > 0, x^2 - 1e-9, x^2)", None, NOT),
        ("where(x > 1, 1.999999999*x - 0.999999999, x^2)", None, NOT),
        ("where(x > 1, 2*x - 1, x^2)", None, CONVEX),
        ("where(x > 0, x^2, x^2 + 1e-9)", "x >= 0", STRONG),  # up at an end of the domain
        ("where(x > 0, x^2, x^2 - 1e-9)", "x >= 0", NOT),
        ("where(x == 0, 1e-9, x^2)", None, NOT),
        ("where(x == 0, 0, x^2)", None, STRONG),
        ("max(x, 0)^2", None, CONVEX),
        ("min(x^2, 1)", None, NOT),
        ("max(x - 1, 0) + max(-x - 1, 0)", None, CONVEX),
        ("abs(x) - 1e-9*x^2", "-1 <= x <= 1", NOT),
        ("abs(x) + x^2", None, STRONG),
        ("cos(x)", "-1 <= x <= 1", Curvature.STRONGLY_CONCAVE),
        ("cos(x)", "-1.58 <= x <= 0", None),
        ("exp(x) + x^2", None, STRONG),
        ("tanh(x)", "x <= 0", STRICT),
        ("where(x < 0, expm1(x), x)", None, CONVEX),
        ("where(x < 0, expm1(x), 1.000000001*x)", None, CONVEX),
        ("where(x < 0, expm1(x), 0.999999999*x)", None, None),
        ("where(x < 0, expm1(x) + 1e-9, x)", None, None),
        ("where(x <= 0, exp(x), 1 + x)", "x >= 0", CONVEX),
        ("where(x > 0, exp(x), 0)", "x >= 0", None),
        ("abs(expm1(x))", None, None),
        ("exp(abs(x)) - abs(x)", None, STRONG),
        ("exp(abs(x)) - 1.0000001*abs(x)", None, None),
    ],
)  # fmt: skip
def test_a_function_of_one_number_is_what_it_is_or_left_alone(text, domain, expected):
    assert decided(text, domain) is expected


def test_moduli_are_lower_bounds_of_the_second_derivative():
    graph = graph_of("cosh(x) + x^2/2")
    found = prove(graph, Domain.of("-1 <= x <= 2", graph.names))
    assert Fraction(199, 100) < found.modulus <= 2
    graph = graph_of("(2*x - 1)^2 + (2*x - 1)^4")
    assert prove(graph, Domain.of(None, graph.names)).modulus == 8


@given(st.lists(st.integers(-4, 4), min_size=3, max_size=7), st.sampled_from([None, (-1, 1), (0, 2)]))
@settings(max_examples=150, deadline=None)
def test_random_polynomials_are_convex_where_their_second_derivative_is(coefficients, ends):
    build = Builder(("x",))
    x = build.reshape(build.input, ())
    total = build.constant(float(coefficients[0]))
    for k, c in enumerate(coefficients[1:], start=1):
        total = build.add(total, build.mul(build.constant(float(c)), build.power(x, k)))
    graph = build.graph(total)
    found = prove(graph, Domain.of(None if ends is None else [ends], ("x",)))

    def bend(t):
        return sum(k * (k - 1) * c * t ** (k - 2) for k, c in enumerate(coefficients) if k >= 2)

    grid = [Fraction(k, 64) for k in range(-640, 641)]
    values = [bend(t) for t in grid if ends is None or ends[0] <= t <= ends[1]]
    if found is None:
        assert all(c == 0 for c in coefficients[2:])  # affine by what it is made of
    elif found.curvature.is_convex:
        assert min(values) >= (found.modulus or 0)
    elif found.curvature is NOT:
        p, q = (Fraction(found.evidence[key][0]) for key in ("from", "to"))
        t = Fraction(found.evidence["share"])
        f = [sum(c * point**k for k, c in enumerate(coefficients)) for point in (p, (1 - t) * p + t * q, q)]
        assert f[1] > (1 - t) * f[0] + t * f[2]
    else:
        assert max(values) <= 0 and found.curvature.value.endswith("concave")


def test_one_affine_number_of_several_variables_is_never_strict():
    assert decided("(x + 2*y)^4 - x", None, "x=1, y=1") is CONVEX
    assert decided("(x + 2*y)^3", None, "x=1, y=1") is NOT
    assert decided("(x + 2*y)^4 + (x - y)^4", None, "x=1, y=1") is STRICT
    assert decided("(x + 2*y)^4 + (2*x + 4*y)^4", None, "x=1, y=1") is CONVEX
    assert decided("(x + 2*y)^4 - (x - y)^4", None, "x=1, y=1") is None


def test_a_term_of_weight_zero_is_to_be_defined_all_the_same():
    assert decided("(x + y)^4 + 0*exp(x - y)", None, "x=1, y=1") is not None
    assert decided("(x + y)^4 + 0/(x - y)", None, "x=1, y=1") is None


@pytest.mark.parametrize(("operation", "number"), [("div", 0.0), ("add", np.inf), ("mul", np.nan), ("div", np.inf)])
def test_nothing_is_said_of_what_divides_by_zero_or_holds_what_is_no_number(operation, number):
    build = Builder(("x", "y"))
    x, y = (build.reshape(build.slice(build.input, (k,), (k + 1,)), ()) for k in range(2))
    broken = build.add_node(operation, (y, build.constant(number)), ())
    graph = build.graph(build.add(build.power(x, 4), broken))
    assert prove(graph, Domain.everything(("x", "y"))) is None
    alone = build.graph(build.power(build.add_node(operation, (x, build.constant(number)), ()), 4))
    assert prove(alone, Domain.everything(("x", "y"))) is None


def huber(slope):
    """Huber's loss of the residuals of data, with a slope beyond 1."""
    rng = np.random.default_rng(5)
    A, y = rng.standard_normal((40, 3)), rng.standard_normal(40)
    build = Builder(("a", "b", "c"))
    r = build.sub(build.dot(build.constant(A), build.input, ((1,), (0,))), build.constant(y))
    size = build.unary("abs", r)
    one = build.constant(1.0)
    inside = build.mul(build.constant(0.5), build.power(r, 2))
    outside = build.mul(build.constant(slope), build.sub(size, build.constant(0.5)))
    return build.graph(build.sum(build.where(build.condition("le", size, one), inside, outside)))


def test_a_loss_over_rows_is_decided_once_for_all_rows():
    graph = huber(1.0)
    assert prove(graph, Domain.everything(graph.names)).curvature is CONVEX
    graph = huber(1.0 - 2.0**-40)
    assert prove(graph, Domain.everything(graph.names)) is None


def test_chains_hold_what_differs_from_row_to_row_as_variables():
    rng = np.random.default_rng(6)
    A, y = rng.standard_normal((5, 2)), rng.standard_normal(5)
    build = Builder(("a", "b"))
    t = build.dot(build.constant(A), build.input, ((1,), (0,)))
    u = build.mul(build.constant(y), build.unary("exp", t))
    graph = build.graph(build.sum(build.add(u, build.power(t, 2))))
    (place,) = [k for k, node in graph if node.operation == "add"]
    chain = chain_of(graph, place, affine_nodes(graph))
    assert chain.graph.names == ("t", "c1") and np.array_equal(chain.constants[:, 0], y)
    found = elements(graph, place, Domain.of([(-1, 1), (-1, 1)], graph.names))
    assert np.all(found.convex[y > 0]) and not np.any(found.concave[y > 0])


def test_weights_are_followed_backward_through_what_is_linear():
    build = Builder(("a", "b"))
    square = build.power(build.input, 2)
    C = build.constant([[1.0, 0.0], [1.0, -1.0]])
    value = build.sum(build.slice(build.dot(C, square, ((1,), (0,))), (1,), (2,)))
    graph = build.graph(build.div(value, build.constant(-2.0)))
    atoms = weights_of(graph, affine_nodes(graph))
    ((up, down),) = atoms.values()
    assert up.tolist() == [False, True] and down.tolist() == [True, False]
