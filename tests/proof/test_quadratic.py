"""Quadratics: decided as exact arithmetic decides, from text, from data, near zero."""

from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.problem.domain import Domain
from surefoot.problem.from_text import real_graph_of_text
from surefoot.problem.real import Builder
from surefoot.problem.typed import typed_function
from surefoot.proof.certificate import Curvature
from surefoot.proof.definite import definiteness
from surefoot.proof.quadratic import prove


def graph_of(text, start="x=1, y=1"):
    typed = typed_function(text, start)
    return real_graph_of_text(typed.node, typed.names)


def found(text, start="x=1, y=1", domain=None):
    graph = graph_of(text, start)
    return prove(graph, Domain.of(domain, graph.names))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x^2 + 2*x*y + 2*y^2", Curvature.STRONGLY_CONVEX),
        ("x^2 + 2*x*y + y^2", Curvature.CONVEX),
        ("x^2 + 2*x*y + (1 + 1e-12)*y^2", Curvature.STRONGLY_CONVEX),
        ("x^2 + 2*x*y + (1 - 1e-12)*y^2", Curvature.NOT_CONVEX),
        ("x^2 - 1e-300*y^2", Curvature.NOT_CONVEX),
        ("x*y", Curvature.NOT_CONVEX),
        ("(x + y)*(x - y) - x^2 + y^2 + 3*x", Curvature.AFFINE),
        ("-(x - y)^2/3", Curvature.CONCAVE),
        ("x*(y - x)/0.1 - y^2/0.1", Curvature.STRONGLY_CONCAVE),
        (
            "0.1*x^2 + 0.2*x^2 - 0.3*x^2 + y",
            Curvature.STRONGLY_CONVEX,
        ),  # 0.1 + 0.2 - 0.3 of the doubles is 2^-54 and more
    ],
)
def test_a_quadratic_is_what_its_exact_hessian_is(text, expected):
    if text.startswith("0.1"):
        decided = found(text.replace("+ y", ""), "x=1")
        assert Fraction(0.1) + Fraction(0.2) - Fraction(0.3) > 0
    else:
        decided = found(text)
    assert decided is not None and decided.curvature is expected


def test_a_third_that_is_a_double_is_not_a_third():
    # (1/3) as a double is a little less than a third: 3*(1/3) x^2 - x^2 is concave.
    decided = found("3*(0.3333333333333333*x^2) - x^2", "x=1")
    assert decided is not None and decided.curvature is Curvature.STRONGLY_CONCAVE
    assert decided.modulus == 2 * (1 - 3 * Fraction(0.3333333333333333))


def test_what_is_no_polynomial_or_of_higher_degree_or_not_defined_everywhere_is_left_alone():
    for text in ("x^3 + y^2", "exp(x) + y^2", "x^2 + 0*log(y)", "x^2/y", "x^2 + y^2 + sqrt(x)"):
        assert found(text) is None


def test_a_variable_that_cannot_move_does_not_count():
    assert found("x*y + y^2", domain=[(2, 2), (0, 1)]).curvature is Curvature.STRONGLY_CONVEX
    assert found("x*y", domain=[(2, 2), (0, 1)]).curvature is Curvature.AFFINE
    assert found("x*y", domain=[(2, 2.5), (0, 1)]).curvature is Curvature.NOT_CONVEX


@pytest.mark.parametrize("domain", [None, "x > 0, y > 0", "x + y <= 1, x >= 0, y >= 0", [(1e6, 1e6 + 1e-3), (-1, 1)]])
def test_the_chord_of_a_witness_lies_in_the_domain_and_below_the_function(domain):
    text, f = "x^2 - y^2 + x*y/3", lambda x, y: x * x - y * y + x * y / 3
    graph = graph_of(text)
    where = Domain.of(domain, graph.names)
    evidence = prove(graph, where).evidence
    p, q, t = evidence["from"], evidence["to"], Fraction(evidence["share"])
    assert where.contains(p) and where.contains(q)
    p, q = ([Fraction(v) for v in end] for end in (p, q))
    middle = [(1 - t) * a + t * b for a, b in zip(p, q, strict=True)]
    assert f(*middle) > (1 - t) * f(*p) + t * f(*q)


coefficients = st.integers(-3, 3).map(float) | st.sampled_from([1e-12, -1e-12, 0.1, 1 / 3, 2.0**-60])


@given(st.lists(coefficients, min_size=6, max_size=6))
@settings(max_examples=100, deadline=None)
def test_random_forms_in_products_are_decided_as_their_matrices_in_fractions(c):
    build = Builder(("x", "y", "z"))
    x = [build.reshape(build.slice(build.input, (k,), (k + 1,)), ()) for k in range(3)]
    pairs = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]
    total = build.constant(0.0)
    for value, (i, j) in zip(c, pairs, strict=True):
        total = build.add(total, build.mul(build.constant(value), build.mul(x[i], x[j])))
    decided = prove(build.graph(total), Domain.everything(("x", "y", "z")))
    matrix = fmpq_mat(3, 3)
    for value, (i, j) in zip(c, pairs, strict=True):
        share = fmpq(*Fraction(value).as_integer_ratio())
        matrix[i, j] += share
        matrix[j, i] += share
    up, down = definiteness(matrix), definiteness(-1 * matrix)
    if up.is_positive_semidefinite and down.is_positive_semidefinite:
        assert decided.curvature is Curvature.AFFINE
    elif up.is_positive_semidefinite:
        assert decided.curvature.is_convex and (decided.modulus is not None) == up.is_positive_definite
    elif down.is_positive_semidefinite:
        assert decided.curvature.value.endswith("concave")
    else:
        assert decided.curvature is Curvature.NOT_CONVEX


def least_squares(rows, columns, divided):
    rng = np.random.default_rng(3)
    A, b = rng.standard_normal((rows, columns)), rng.standard_normal(rows)
    build = Builder(tuple(f"x[{k}]" for k in range(columns)))
    residual = build.sub(build.dot(build.constant(A), build.input, ((1,), (0,))), build.constant(b))
    value = build.sum(build.power(residual, 2))
    return A, build.graph(build.div(value, build.constant(float(rows))) if divided else value)


@pytest.mark.parametrize(("rows", "columns"), [(20, 4), (30_000, 20)])
@pytest.mark.parametrize("divided", [False, True])
def test_least_squares_of_data_is_strongly_convex_with_its_smallest_eigenvalue(rows, columns, divided):
    A, graph = least_squares(rows, columns, divided)
    decided = prove(graph, Domain.everything(graph.names))
    truth = np.linalg.eigvalsh(2 * A.T @ A)[0] / (rows if divided else 1)
    assert decided.curvature is Curvature.STRONGLY_CONVEX
    assert (1 - 1e-9) * truth < float(decided.modulus) <= (1 + 1e-13) * truth


def test_more_variables_than_rows_is_convex_and_not_strictly():
    _, graph = least_squares(3, 5, False)
    decided = prove(graph, Domain.everything(graph.names))
    assert decided.curvature is Curvature.CONVEX and decided.evidence["rank"] == 3


def test_two_hundred_variables_with_a_tiny_eigenvalue_on_either_side_of_zero():
    rng = np.random.default_rng(4)
    n = 60
    root = np.round(rng.standard_normal((n, n - 1)) * 2**8) / 2**8  # its square is exact in doubles
    gram = root @ root.T
    for shift, expected in ((0.0, Curvature.CONVEX), (1e-9, Curvature.STRONGLY_CONVEX), (-1e-9, Curvature.NOT_CONVEX)):
        build = Builder(tuple(f"x[{k}]" for k in range(n)))
        x = build.input
        value = build.dot(x, build.dot(build.constant(gram), x, ((1,), (0,))), ((0,), (0,)))
        value = build.add(value, build.mul(build.constant(shift), build.sum(build.power(x, 2))))
        assert prove(build.graph(value), Domain.everything(build.names)).curvature is expected


def test_structure_moves_forms_as_it_moves_numbers():
    build = Builder(("a", "b", "c", "d"))
    M = build.reshape(build.input, (2, 2))
    square = build.power(build.sub(M, build.transpose(M, (1, 0))), 2)  # 2 (b - c)^2 in all
    padded = build.pad(build.reverse(build.reshape(square, (4,)), (0,)), [(1, 1, 1)])
    value = build.sum(build.take(padded, np.array([1, 3, 5, 7, -1])))
    decided = prove(build.graph(value), Domain.everything(build.names))
    assert decided.curvature is Curvature.CONVEX and decided.evidence["rank"] == 1
    weights = np.array([1.0, 2.0, 0.0, -2.0])
    weighed = build.dot(build.constant(weights), build.reshape(square, (4,)), ((0,), (0,)))
    assert prove(build.graph(weighed), Domain.everything(build.names)).curvature is Curvature.CONVEX  # 2 (b - c)^2
