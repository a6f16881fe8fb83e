"""Bounds and equalities by products with A alone: beside the dense active set, beside SciPy, and where it is hard."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear
from scipy.sparse import csr_array, random_array
from scipy.sparse.linalg import aslinearoperator

from krylov_cases import sparse, with_condition
from surefoot.errors import DataError, ModelError
from surefoot.leastsquares.constrained import Constraints, minimise_on
from surefoot.leastsquares.system import prepare
from surefoot.leastsquares.within import solve_within


def within(columns, lower=-np.inf, upper=np.inf, matrix=None, right=None):
    low, high = (np.array(np.broadcast_to(np.asarray(end, float), (columns,))) for end in (lower, upper))
    matrix = np.zeros((0, columns)) if matrix is None else matrix
    return Constraints(low, high, matrix, np.zeros(0) if right is None else np.asarray(right, float))


def solved(A, b, held, weights=None, ridge=0.0, **choices):
    return solve_within(prepare(A, weights, ridge), b, held, **choices)


def assert_minimum(A, b, held, found):
    """Feasible, stationary on the free coefficients, every sign that of a minimum: enough where all is convex."""
    x, C = found.coef, held.matrix.toarray() if hasattr(held.matrix, "toarray") else held.matrix
    sizes = np.linalg.norm(A, axis=0)
    unit = 1e-11 * (np.linalg.norm(b) + np.linalg.norm(A * x)) * np.where(sizes > 0, sizes, 1.0)
    assert found.reached, found.stop
    assert np.all((x >= held.lower) & (x <= held.upper))
    assert np.all(x[found.at_lower] == held.lower[found.at_lower])
    assert np.all(x[found.at_upper] == held.upper[found.at_upper])
    np.testing.assert_allclose(C @ x, held.right, atol=1e-12 * (1 + np.abs(C) @ np.abs(x)).max(initial=0.0))
    rest = -2 * A.T @ (b - A @ x) - C.T @ found.prices
    prices = 1e-11 * np.abs(C).T @ np.abs(found.prices)
    free = ~(found.at_lower | found.at_upper)
    assert np.all(np.abs(rest[free]) <= (unit + prices)[free])
    np.testing.assert_array_less(np.abs(rest - found.bounds)[~free], (unit + prices)[~free])
    assert np.all(found.bounds[found.at_lower & ~found.at_upper] >= -unit[found.at_lower & ~found.at_upper])
    assert np.all(found.bounds[found.at_upper & ~found.at_lower] <= unit[found.at_upper & ~found.at_lower])


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 14), st.integers(0, 10**6), st.sampled_from(["sparse", "operator", "dense"]), st.booleans())
def test_as_the_active_set_of_dense_arrays(columns, seed, kind, equal):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((columns + seed % 30, columns)) * (rng.random((columns + seed % 30, columns)) < 0.6)
    A[:columns] += 0.5 * np.eye(columns)
    b = 3 * rng.standard_normal(len(A))
    low = np.where(rng.random(columns) < 0.3, -np.inf, rng.standard_normal(columns) - 1)
    high = np.where(rng.random(columns) < 0.3, np.inf, low + rng.integers(0, 3, columns))
    high = np.where(np.isfinite(high) | np.isposinf(high), high, 1.0)
    matrix = right = None
    if equal and columns > 1:
        matrix = rng.standard_normal((int(rng.integers(1, columns)), columns))
        right = matrix @ np.clip(rng.standard_normal(columns), low, high)
    held = within(columns, low, high, matrix, right)
    given_as = {"sparse": csr_array, "operator": lambda A: aslinearoperator(A), "dense": lambda A: A}[kind]
    found = solved(given_as(A), b, held)
    assert_minimum(A, b, held, found)
    root, centre = np.linalg.qr(A, mode="r"), np.linalg.lstsq(A, b, rcond=None)[0]
    ours, its = (np.linalg.norm(b - A @ x) for x in (found.coef, minimise_on(root, centre, held).x))
    assert ours <= its * (1 + 1e-9) + 1e-10


def test_many_columns_beside_scipy():
    A = random_array((6000, 900), density=0.01, rng=3, format="csr")
    A.data -= 0.5
    rng = np.random.default_rng(3)
    b = A @ rng.standard_normal(900) + rng.standard_normal(6000)
    for held in (within(900, 0.0), within(900, -0.3, 0.2)):
        found, peer = solved(A, b, held), lsq_linear(A, b, (held.lower, held.upper), tol=1e-13, lsmr_tol="auto").x
        assert_minimum(A.toarray(), b, held, found)
        assert np.linalg.norm(b - A @ found.coef) <= np.linalg.norm(b - A @ peer) * (1 + 1e-13)
        assert np.count_nonzero(found.at_lower | found.at_upper) > 300


@pytest.mark.parametrize("many", [2, 150])
def test_sparse_equalities(many):
    A, rng = sparse(4, 900, 300, 0.05), np.random.default_rng(4)
    b = A @ rng.standard_normal(300) + rng.standard_normal(900)
    C = sparse(5, many, 300, 0.03)
    held = within(300, 0.0, 2.0, C, C @ np.full(300, 0.3))
    found = solved(A, b, held)
    assert_minimum(A.toarray(), b, held, found)
    dense = solved(A, b, within(300, 0.0, 2.0, C.toarray(), held.right))
    np.testing.assert_allclose(found.coef, dense.coef, atol=1e-12)


@pytest.mark.parametrize("condition", [1e3, 1e6, 1e8])
@pytest.mark.parametrize("equalities", [0, 3])
def test_columns_that_are_nearly_dependent(condition, equalities):
    A, rng = with_condition(6, 300, 30, condition), np.random.default_rng(6)
    b = A @ rng.standard_normal(30) + 0.1 * rng.standard_normal(300)
    C = rng.standard_normal((equalities, 30))
    held = within(30, -0.5, 0.5, C, C @ np.full(30, 0.1))
    found = solved(csr_array(A), b, held)
    assert_minimum(A, b, held, found)
    its = minimise_on(np.linalg.qr(A, mode="r"), np.linalg.lstsq(A, b, rcond=None)[0], held).x
    assert np.linalg.norm(b - A @ found.coef) <= np.linalg.norm(b - A @ its) * (1 + 1e-12)


@pytest.mark.parametrize("method", ["lsmr", "cg", "gram", "sketch"])
def test_every_method_on_its_faces(method):
    A, rng = sparse(8, 400, 40), np.random.default_rng(8)
    b, C = 3 * rng.standard_normal(400), np.ones((1, 40))
    held = within(40, 0.0, 0.2, C, [1.0])
    found = solved(A, b, held, method=method)
    assert_minimum(A.toarray(), b, held, found)
    assert "on the equalities" in found.preconditioner


def test_weights_and_penalties():
    rng = np.random.default_rng(9)
    A, b, w = sparse(9, 200, 20), rng.standard_normal(200), rng.uniform(0, 2, 200)
    w[:9] = 0.0
    for C in (None, np.ones((1, 20))):
        held = within(20, -0.05, 0.05, C, None if C is None else [0.2])
        found = solved(A, b, held, w, 3.0)
        rows = np.vstack([A.toarray() * np.sqrt(w)[:, None], np.sqrt(3.0) * np.eye(20)])
        assert_minimum(rows, np.concatenate([b * np.sqrt(w), np.zeros(20)]), held, found)


def test_where_bounds_and_columns_leave_no_choice_or_too_much():
    rng = np.random.default_rng(10)
    A, b = rng.standard_normal((40, 5)), rng.standard_normal(40)
    all_held = solved(csr_array(A), A @ np.full(5, 10.0), within(5, 0.0, 1.0))
    assert all_held.at_upper.all() and all_held.reached and np.all(all_held.coef == 1.0)
    fixed = solved(csr_array(A), b, within(5, 2.0, 2.0))
    assert fixed.at_lower.all() and fixed.at_upper.all() and np.all(fixed.coef == 2.0) and fixed.reached
    one = within(5, 0.0, [0.0, 1, 1, 1, 1])
    assert_minimum(A, b, one, solved(csr_array(A), b, one))
    # The minimiser without bounds lies on them: multipliers of zero.
    at = np.array([0.0, 1.0, 0.5, 0.0, 1.0])
    found = solved(csr_array(A), A @ at, within(5, 0.0, 1.0))
    assert found.reached and found.wrong <= 1e-6
    np.testing.assert_allclose(found.coef, at, atol=1e-13)
    twice = np.hstack([A, A])
    valley = within(10, -0.05, 0.1)
    assert_minimum(twice, b, valley, solved(csr_array(twice), b, valley))
    wide = rng.standard_normal((20, 60))
    assert_minimum(wide, b[:20], within(60, 0.0, 0.1), solved(csr_array(wide), b[:20], within(60, 0.0, 0.1)))


def test_no_rows_and_no_entries():
    found = solved(csr_array((0, 3)), np.zeros(0), within(3, 1.0, 2.0))
    assert found.reached and np.all((found.coef >= 1) & (found.coef <= 2))
    found = solved(csr_array((7, 5)), np.ones(7), within(5, 1.0, 2.0, np.ones((1, 5)), [7.0]))
    np.testing.assert_allclose(found.coef.sum(), 7.0, rtol=1e-15)
    assert found.reached


def test_columns_of_other_units():
    A, rng = sparse(11, 100, 6), np.random.default_rng(11)
    b, units = rng.standard_normal(100), 10.0 ** np.array([-140, -80.0, 0, 3, 90, 140])
    plain = solved(A, b, within(6, -0.02, 0.02, np.ones((1, 6)), [0.01]))
    found = solved(csr_array(A.toarray() * units), b, within(6, -0.02 / units, 0.02 / units, units[None], [0.01]))
    np.testing.assert_allclose(found.coef * units, plain.coef, rtol=1e-10)
    np.testing.assert_allclose(found.bounds / units, plain.bounds, atol=1e-10)


def test_multipliers_are_how_fast_the_minimum_changes():
    A, rng = sparse(12, 60, 5), np.random.default_rng(12)
    b = A @ np.array([2.0, -1, 1, 3, 1]) + 0.1 * rng.standard_normal(60)

    def least(high, right):
        held = within(5, -9.0, [high, 9, 9, 9, 9], csr_array([[1.0, 1, 0, 1, 0]]), [right])
        found = solved(A, b, held)
        return found, found.residual_length**2

    found, _ = least(1.5, 5.0)
    assert found.at_upper[0]
    step = 1e-5
    assert found.bounds[0] == pytest.approx(
        (least(1.5 + step, 5.0)[1] - least(1.5 - step, 5.0)[1]) / (2 * step), rel=1e-5
    )
    assert found.prices[0] == pytest.approx((least(1.5, 5 + step)[1] - least(1.5, 5 - step)[1]) / (2 * step), rel=1e-5)


def test_what_cannot_be_satisfied_is_refused():
    A, b = sparse(13, 30, 4), np.ones(30)
    for held in (
        within(4, 0.0, 1.0, np.ones((1, 4)), [9.0]),
        within(4, matrix=np.array([[1.0, 1, 0, 0], [2.0, 2, 0, 0]]), right=[1.0, 3.0]),
        within(4, matrix=csr_array(np.zeros((1, 4))), right=[1.0]),
    ):
        with pytest.raises(ModelError, match=r"satisfied|satisfy"):
            solved(A, b, held)
    with pytest.raises(DataError, match="There is no method 'qr'"):
        solved(A, b, within(4, 0.0), method="qr")


def test_a_budget_that_is_used_up_is_said():
    A, rng = csr_array(with_condition(14, 200, 40, 1e5)), np.random.default_rng(14)
    found = solved(A, A @ rng.uniform(-1, 1, 40) + rng.standard_normal(200), within(40, -1.0, 1.0), max_steps=2)
    assert not found.reached and "used up" in found.stop
    assert np.all(np.abs(found.coef) <= 1)
