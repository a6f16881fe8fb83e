"""Bounds and equalities: the conditions of a minimum, and SciPy's bounded least squares beside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from surefoot.errors import ModelError
from surefoot.leastsquares.constrained import Constraints, minimise_on, multipliers, null_space


def constraints(lower, upper, matrix=None, right=None):
    n = len(lower)
    return Constraints(
        np.asarray(lower, float), np.asarray(upper, float),
        np.zeros((0, n)) if matrix is None else np.asarray(matrix, float),
        np.zeros(0) if right is None else np.asarray(right, float),
    )  # fmt: skip


def assert_minimum(upper, centre, held, found):
    """Feasible, stationary on the free variables, multipliers of the right sign: enough for a convex problem."""
    x = found.x
    gradient = 2 * upper.T @ (upper @ (x - centre))
    unit = 1e-9 * (1 + np.abs(upper).max() ** 2 * (1 + np.abs(x).max() + np.abs(centre).max()))
    bound, prices = multipliers(gradient, found, held.matrix)
    assert np.all(x >= held.lower) and np.all(x <= held.upper)
    np.testing.assert_allclose(held.matrix @ x, held.right, atol=1e-9 * (1 + np.abs(x).max()))
    np.testing.assert_allclose((gradient - held.matrix.T @ prices)[found.free], 0, atol=unit)
    fixed = held.lower == held.upper
    assert np.all(bound[found.at_lower & ~fixed] >= -unit) and np.all(bound[found.at_upper & ~fixed] <= unit)


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 12), st.integers(0, 10**6), st.booleans())
def test_the_conditions_of_a_minimum(columns, seed, some_equal):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.standard_normal((columns, columns))) + 0.5 * np.eye(columns)
    centre = 3 * rng.standard_normal(columns)
    low = np.where(rng.random(columns) < 0.3, -np.inf, rng.standard_normal(columns) - 1)
    high = np.where(rng.random(columns) < 0.3, np.inf, low + rng.integers(0, 3, columns))
    high = np.where(np.isfinite(high) | np.isposinf(high), high, 1.0)
    matrix = right = None
    if some_equal and columns > 1:
        inside = np.clip(rng.standard_normal(columns), low, high)
        matrix = rng.standard_normal((int(rng.integers(1, columns)), columns))
        right = matrix @ inside
    held = constraints(low, high, matrix, right)
    found = minimise_on(upper, centre, held)
    assert_minimum(upper, centre, held, found)
    if matrix is None:
        peer = lsq_linear(upper, upper @ centre, (low, high + 1e-300 * (low == high)), method="bvls", tol=1e-14) \
            if np.all(low < high) else None  # fmt: skip
        if peer is not None:
            ours, its = (np.sum((upper @ (x - centre)) ** 2) for x in (found.x, peer.x))
            assert ours <= its * (1 + 1e-9) + 1e-12


def test_redundant_equalities_do_no_harm():
    held = constraints([-np.inf] * 3, [np.inf] * 3, [[1, 1, 1], [2, 2, 2]], [3, 6])
    found = minimise_on(np.eye(3), np.array([1.0, 2.0, 3.0]), held)
    np.testing.assert_allclose(found.x, [0, 1, 2], atol=1e-12)


def test_constraints_that_exclude_each_other_are_refused():
    held = constraints([0, 0], [1, 1], [[1, 1]], [3])
    with pytest.raises(ModelError, match="No coefficients satisfy"):
        minimise_on(np.eye(2), np.zeros(2), held)


def test_columns_of_other_units():
    units = np.array([1e-120, 1e120])
    held = constraints(np.array([0.0, 0.0]), np.array([1.0, 9.0]) / units)
    found = minimise_on(np.array([[1.0, 0.5], [0.0, 1.0]]) * units, np.array([3.0, -1.0]) / units, held)
    plain = minimise_on(np.array([[1.0, 0.5], [0.0, 1.0]]), np.array([3.0, -1.0]), constraints([0, 0], [1, 9]))
    np.testing.assert_allclose(found.x * units, plain.x, rtol=1e-12)


def test_multipliers_are_how_fast_the_minimum_changes():
    rng = np.random.default_rng(1)
    upper, centre = np.triu(rng.standard_normal((4, 4))) + np.eye(4), 2 * rng.standard_normal(4)

    def least(high, right):
        held = constraints([-9] * 4, [high, 9, 9, 9], [[1, 1, 0, 1]], [right])
        found = minimise_on(upper, centre, held)
        return found, held, float(np.sum((upper @ (found.x - centre)) ** 2))

    high, right, step = centre[0] - 0.5, float(centre[:2].sum() + centre[3]) + 1, 1e-5
    found, held, _ = least(high, right)
    assert found.at_upper[0]
    bound, price = multipliers(2 * upper.T @ (upper @ (found.x - centre)), found, held.matrix)
    along_bound = (least(high + step, right)[2] - least(high - step, right)[2]) / (2 * step)
    along_right = (least(high, right + step)[2] - least(high, right - step)[2]) / (2 * step)
    assert bound[0] == pytest.approx(along_bound, rel=1e-5)
    assert price[0] == pytest.approx(along_right, rel=1e-5)


def test_null_space():
    basis = null_space(np.array([[1.0, 1.0, 0.0], [2.0, 2.0, 0.0]]))
    assert basis.shape == (3, 2)
    np.testing.assert_allclose(np.array([1.0, 1.0, 0.0]) @ basis, 0, atol=1e-15)
