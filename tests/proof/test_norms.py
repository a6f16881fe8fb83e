"""Roots of quadratics: convex exactly where the quadratic is a sum of squares."""

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.problem.domain import Domain
from surefoot.problem.from_text import real_graph_of_text
from surefoot.problem.real import Builder
from surefoot.problem.typed import typed_function
from surefoot.proof.definite import definiteness
from surefoot.proof.norms import is_sum_of_squares, prove
from surefoot.proof.quadratic_form import read_forms


def decided(text, domain=None):
    typed = typed_function(text, "x=1, y=1")
    graph = real_graph_of_text(typed.node, typed.names)
    found = prove(graph, Domain.of(domain, graph.names))
    return None if found is None else found.curvature.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sqrt(x^2 + x*y + y^2)", "convex"),
        ("sqrt(x^2 + 2*x*y + y^2)", "convex"),
        ("sqrt(x^2 + 2*x*y + y^2 - 1e-12*y^2)", None),
        ("sqrt(x^2 + y^2 + 2*x*y + 1)", "convex"),
        ("sqrt((x - 1)^2 + (y + 2)^2 + (x - 1)*(y + 2))", "convex"),
        ("sqrt(x^2 - 2*x + 1 + y^2)", "convex"),
        ("sqrt(x^2 - 2*x + 1 - 1e-12 + y^2)", None),
        ("sqrt(x^2 - 2*x + 1 + 1e-12 + y^2)", "convex"),
        ("-2*sqrt(x^2 + x*y + y^2) - exp(x + y)", "concave"),
        ("sqrt(x^2 + x*y + y^2) - exp(x + y)", None),
        ("(x^2 + x*y + y^2)^0.75 + x*y + 2*x^2 + y^2", "convex"),
        ("(x^2 + x*y + y^2)^0.49 + y", None),
        ("sqrt(x^2 + x*y + y^2) + x*y", None),
        ("sqrt(x)+ y^2", None),
    ],
)
def test_a_root_of_a_quadratic_is_convex_if_that_is_a_sum_of_squares(text, expected):
    assert decided(text) == expected


whole = st.integers(-3, 3)


@given(st.lists(st.tuples(whole, whole, whole, whole, whole, whole), min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_random_products_are_sums_of_squares_if_their_matrix_is_semidefinite(products):
    """Sums of (a x + b y + c)(d x + e y + f)."""
    build = Builder(("x", "y"))
    total = build.constant(0.0)
    matrix = fmpq_mat(3, 3)
    for product in products:
        left, right = ([float(v) for v in half] for half in (product[:3], product[3:]))
        factors = [
            build.add(build.dot(build.constant(np.array(half[:2])), build.input, ((0,), (0,))), build.constant(half[2]))
            for half in (left, right)
        ]
        total = build.add(total, build.mul(*factors))
        for i in range(3):
            for j in range(3):
                matrix[i, j] += fmpq(product[i]) * product[3 + j] / 2
                matrix[j, i] += fmpq(product[i]) * product[3 + j] / 2
    graph = build.graph(total)
    form = read_forms(graph)[graph.output]
    assert is_sum_of_squares(form, 0, 2) == definiteness(matrix).is_positive_semidefinite
