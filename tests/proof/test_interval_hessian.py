"""Interval Hessians: interval matrices against their vertices, boxes against the true extent of convexity."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.problem.domain import Domain
from surefoot.problem.from_text import real_graph_of_text
from surefoot.problem.typed import typed_function
from surefoot.proof.certificate import Curvature
from surefoot.proof.interval_hessian import prove, smallest_eigenvalue


def decided(text, start, domain):
    typed = typed_function(text, start)
    graph = real_graph_of_text(typed.node, typed.names)
    return prove(graph, Domain.of(domain, graph.names))


def vertices(low, high):
    """All symmetric matrices whose entries are ends."""
    n = len(low)
    places = [(i, j) for i in range(n) for j in range(i + 1)]
    for chosen in itertools.product((0, 1), repeat=len(places)):
        matrix = np.zeros((n, n))
        for (i, j), which in zip(places, chosen, strict=True):
            matrix[i, j] = matrix[j, i] = (low, high)[which][i, j]
        yield matrix


@given(st.integers(1, 4), st.integers(0, 10_000), st.floats(0.0, 1.5))
@settings(max_examples=200, deadline=None)
def test_the_bound_is_below_the_smallest_eigenvalue_of_every_vertex_and_reached_where_it_matters(n, seed, wide):
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((n, n))
    centre = root @ root.T + 0.3 * np.eye(n)
    radius = wide * np.abs(rng.standard_normal((n, n))) * 0.3
    radius = (radius + radius.T) / 2
    low, high = centre - radius, centre + radius
    bound = smallest_eigenvalue(low, high)
    truth = min(np.linalg.eigvalsh(matrix)[0] for matrix in vertices(low, high))
    if bound > 0.0:
        assert bound <= truth * (1 + 1e-9) + 1e-12
    else:
        assert truth < 1e-6 * np.abs(centre).max()  # up to eight variables the vertices decide


def test_the_bound_is_zero_for_what_is_singular_or_unknown():
    assert smallest_eigenvalue(np.zeros((2, 2)), np.zeros((2, 2))) == 0.0
    assert smallest_eigenvalue(np.ones((2, 2)), np.ones((2, 2))) == 0.0
    assert smallest_eigenvalue(np.array([[1.0]]), np.array([[np.inf]])) == 1.0  # larger diagonals do no harm
    assert smallest_eigenvalue(np.eye(2), np.array([[1.0, np.inf], [np.inf, 1.0]])) == 0.0
    assert smallest_eigenvalue(np.array([[np.nan]]), np.array([[np.nan]])) == 0.0
    assert smallest_eigenvalue(np.array([[1.0, 0.0], [0.0, -1e-12]]), np.eye(2)) == 0.0
    assert 0.0 < smallest_eigenvalue(np.diag([1.0, 1e-12]), np.diag([1.0, 1e-12])) <= 1e-12


@pytest.mark.parametrize(
    ("text", "start", "domain", "expected"),
    [
        ("exp(x*y)+x^2+y^2", "x=1, y=1", [(-0.5, 0.5), (-0.5, 0.5)], Curvature.STRONGLY_CONVEX),
        ("-exp(-(x^2+y^2)/2)", "x=0, y=0", [(-0.6, 0.6), (-0.6, 0.6)], Curvature.STRONGLY_CONVEX),
        ("-exp(-(x^2+y^2)/2)", "x=0, y=0", [(-0.8, 0.8), (-0.8, 0.8)], None),
        ("x^3 + y^2", "x=1, y=1", [(0, 1), (0, 1)], None),  # singular at 0
        ("x^3 + y^2", "x=1, y=1", [(1e-3, 1), (0, 1)], Curvature.STRONGLY_CONVEX),
        ("x^3 + y^2", "x=1, y=1", [(-1e-3, 1), (0, 1)], None),
        ("cos(x) + cos(y)", "x=1, y=1", [(-1, 1), (-1.5, 1)], Curvature.STRONGLY_CONCAVE),
        ("(1-x)^2 + 100*(y-x^2)^2", "x=1, y=1", [(0.9, 1.1), (0.7, 0.8)], Curvature.STRONGLY_CONVEX),
        ("(1-x)^2 + 100*(y-x^2)^2", "x=1, y=1", [(0.9, 1.1), (0.9, 1.1)], None),
        ("x^2 + y^2 + sin(x + y)/2", "x=1, y=1", None, Curvature.STRONGLY_CONVEX),
        ("x^3 + x*y + y^3", "x=1, y=1", "x >= 1, y >= 1", Curvature.STRONGLY_CONVEX),
        ("x^3 + 7*x*y + y^3", "x=1, y=1", "x >= 1, y >= 1", None),
        ("x^2 + y^2 - 0.1*abs(x)", "x=1, y=1", [(-1, 1), (-1, 1)], None),
        ("where(x < 0, x^2 + 1e-9, x^2) + y^2", "x=1, y=1", [(-1, 1), (-1, 1)], None),
        ("where(x >= 0, x^2 - 1e-9, x^2) + y^2", "x=1, y=1", [(-1, 1), (-1, 1)], None),
        ("x^2 + y^2 - max(x, y)/9", "x=1, y=1", [(-1, 1), (-1, 1)], None),
        ("x^2 - y + floor(y) + y^2", "x=1, y=1", [(-1, 1), (-1, 1)], None),
        ("x^2 + y^2 + x^2.5", "x=1, y=1", [(0, 1), (0, 1)], Curvature.STRONGLY_CONVEX),
        ("x^2 + y^2 + 1/(x*y)", "x=1, y=1", [(0, 1), (1, 2)], None),
    ],
)  # fmt: skip
def test_a_box_is_decided_as_far_as_the_function_bends_strictly(text, start, domain, expected):
    found = decided(text, start, domain)
    assert (None if found is None else found.curvature) is expected


def test_the_modulus_is_a_lower_bound_and_near_the_truth_after_halving():
    found = decided("exp(x) + exp(2*y) + x*y/5", "x=0, y=0", [(-1, 1), (-1, 1)])
    grid = np.linspace(-1, 1, 41)
    truth = min(np.linalg.eigvalsh([[np.exp(x), 0.2], [0.2, 4 * np.exp(2 * y)]])[0] for x in grid for y in grid)
    assert 0.0 < float(found.modulus) <= truth


def test_a_side_that_cannot_move_is_left_out():
    assert decided("x^2 - y^2 + exp(x*y)", "x=1, y=1", [(-1, 1), (0.5, 0.5)]).curvature is Curvature.STRONGLY_CONVEX
