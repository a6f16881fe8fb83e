"""The nearest point of a polytope, by the conditions that make it one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

import surefoot.leastsquares.polytope as module
from surefoot.leastsquares.polytope import Polytope


def polytope(seed, columns, equalities, sparse=False):
    """One with a point in it, some bounds equal, some infinite, the point often at bounds."""
    rng = np.random.default_rng(seed)
    lower = np.where(rng.random(columns) < 0.3, -np.inf, rng.standard_normal(columns) - 1)
    upper = np.where(rng.random(columns) < 0.3, np.inf, lower + rng.integers(0, 3, columns))
    upper = np.where(np.isnan(upper) | (upper == -np.inf), 1.0, upper)
    inside = np.clip(rng.standard_normal(columns), lower, upper)
    matrix = rng.standard_normal((equalities, columns)) * 10.0 ** rng.uniform(-3, 3, (equalities, 1))
    return Polytope(lower, upper, csr_array(matrix) if sparse else matrix, matrix @ inside), inside, rng


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 14), st.integers(0, 10**6), st.booleans())
def test_the_nearest_point_by_its_conditions(columns, seed, sparse):
    equalities = seed % columns
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "DENSE", -1 if sparse else module.DENSE)
        body, inside, rng = polytope(seed, columns, equalities, sparse)
        v = 3 * rng.standard_normal(columns)
        found = body.nearest(v)
    assert body.is_dense != (sparse and equalities >= 0)
    z = found.point
    assert np.all((z >= body.lower) & (z <= body.upper)) and found.miss < 1e3
    np.testing.assert_array_equal(z, body.clipped(v + body.matrix.T @ found.prices))
    # The conditions of a minimum of a strictly convex problem, so nothing else is nearer: try points of the polytope.
    for share in (0.1, 0.5, 1.0):
        other = z + share * (inside - z)
        assert np.sum((z - v) ** 2) <= np.sum((other - v) ** 2) * (1 + 1e-10) + 1e-10 * (
            1 + np.sum(found.prices**2) ** 0.5
        )


@pytest.mark.parametrize("dense", [True, False])
def test_directions_of_a_face_leave_the_equalities(dense, monkeypatch):
    monkeypatch.setattr(module, "DENSE", 10**9 if dense else -1)
    body, _, rng = polytope(5, 12, 4, sparse=True)
    free = np.arange(12) < 9
    along = body.along(free)
    one, other = rng.standard_normal(12), rng.standard_normal(12)
    step = along(one)
    np.testing.assert_allclose(body.matrix @ step, 0, atol=1e-14)
    assert not np.any(step[9:])
    np.testing.assert_allclose(along(step), step, atol=1e-14)
    np.testing.assert_allclose(
        other @ step, one @ along(other), atol=1e-14
    )  # symmetric, so the projection is orthogonal


def test_redundant_rows_and_corners():
    body = Polytope(np.full(3, -np.inf), np.full(3, np.inf), np.array([[1.0, 1, 1], [2, 2, 2]]), np.array([3.0, 6.0]))
    np.testing.assert_allclose(body.nearest(np.array([1.0, 2, 3])).point, [0, 1, 2], atol=1e-13)
    np.testing.assert_allclose(body.along(np.ones(3, bool))(np.array([1.0, 2, 3])), [-1, 0, 1], atol=1e-14)
    corner = body.along(np.array([True, False, False]))
    assert not np.any(corner(np.array([1.0, 1, 1])))


def test_an_empty_polytope_is_missed():
    body = Polytope(np.zeros(2), np.ones(2), np.array([[1.0, 1.0]]), np.array([3.0]))
    assert body.nearest(np.zeros(2)).miss > 1e10
