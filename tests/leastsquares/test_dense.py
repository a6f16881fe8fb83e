"""The ladder of dense methods, at every condition, shape and scale, beside LAPACK and exact arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leastsquares.matrices import error, exact, of_condition
from surefoot.errors import BreakdownError, DataError
from surefoot.leastsquares.dense import METHODS, ROUNDING_LEVEL, solve_dense
from surefoot.leastsquares.passes import SMALL

STURDY = ("cholesky-qr", "qr", "svd")


def one(matrix, b, method="auto", **wishes):
    return solve_dense(np.asarray(matrix), np.asarray(b, dtype=float)[:, None], method, **wishes)


@pytest.mark.parametrize("residual", [0.0, 1e-8, 1.0, 1e3])
@pytest.mark.parametrize("condition", [1.0, 1e2, 1e4, 1e6, 1e7, 1e8, 1e10, 1e12, 1e13])
def test_as_good_as_lapack_at_every_condition(condition, residual):
    """Coefficients within 4 times lstsq's error, gradients within 4 times its, or 50 u |A||x|; measured: far better."""
    rng = np.random.default_rng(7)
    matrix, b = of_condition(rng, 2200, 30, condition, residual)
    assert matrix.size > SMALL, "so that the ladder starts with the Gram matrix"
    truth = exact(matrix, b)
    peer = np.linalg.lstsq(matrix, b, rcond=None)[0]
    for method in ("auto", "qr"):
        found = one(matrix, b, method)
        coef = found.coef[:, 0]
        assert error(coef, truth) <= max(4 * error(peer, truth), 4e-16)
        slope, its = (np.linalg.norm(matrix.T @ (b - matrix @ x)) for x in (coef, peer))
        assert slope <= max(4 * its, 50 * 1.2e-16 * np.linalg.norm(matrix, 2) * np.linalg.norm(coef))
        assert found.backward_error[0] <= ROUNDING_LEVEL


@pytest.mark.parametrize(("condition", "gain"), [(1e2, 1e2), (1e5, 1e3), (1e7, 1e3), (1e9, 1e2)])
def test_residuals_in_more_digits_give_digits_that_lapack_does_not_have(condition, gain):
    ours, theirs = [], []
    for seed in range(3):
        matrix, b = of_condition(np.random.default_rng(seed), 2200, 30, condition, 10.0)
        truth = exact(matrix, b)
        ours.append(max(error(one(matrix, b).coef[:, 0], truth), 1e-17))
        theirs.append(error(np.linalg.lstsq(matrix, b, rcond=None)[0], truth))
    assert np.median(theirs) / np.median(ours) > gain


def test_the_ladder_climbs_only_as_far_as_the_condition_asks():
    rng = np.random.default_rng(2)
    reached = [one(*of_condition(rng, 2200, 30, 10.0**k, 1.0)).method for k in (0, 3, 6, 9, 12)]
    assert reached == ["seminormal", "seminormal", "seminormal", "cholesky-qr", "cholesky-qr"]
    tried = one(*of_condition(rng, 2200, 30, 1e9, 1.0)).tried
    assert len(tried) == 1 and "corrected seminormal equations" in tried[0]


def test_the_raw_normal_equations_lose_digits_and_say_so():
    matrix, b = of_condition(np.random.default_rng(3), 500, 10, 1e6, 0.0)
    raw, corrected = one(matrix, b, "normal"), one(matrix, b, "seminormal")
    truth = exact(matrix, b)
    assert error(raw.coef[:, 0], truth) > 1e3 * error(corrected.coef[:, 0], truth)
    assert raw.backward_error[0] > ROUNDING_LEVEL > corrected.backward_error[0]
    with pytest.raises(BreakdownError, match="pivot"):
        one(*of_condition(np.random.default_rng(3), 500, 10, 1e12, 0.0), "normal")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rows_unit", [1e-300, 1e-160, 1.0, 1e155, 1e300])
@pytest.mark.parametrize("right_unit", [1e-300, 1.0, 1e300])
def test_units_do_not_matter(method, rows_unit, right_unit):
    rng = np.random.default_rng(4)
    matrix, x = rng.standard_normal((60, 3)), np.array([1.0, -2.0, 3.0])
    b = matrix @ x
    with np.errstate(over="ignore", under="ignore"):
        wanted = x * np.float64(right_unit) / np.float64(rows_unit)
    if not np.all(np.isfinite(wanted)):
        with pytest.raises(DataError, match="too large for a double"):
            one(matrix * rows_unit, b * right_unit, method)
        return
    found = one(matrix * rows_unit, b * right_unit, method)
    np.testing.assert_allclose(found.coef[:, 0], wanted, rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_graded_columns(method):
    rng = np.random.default_rng(5)
    units = 10.0 ** np.arange(-120, 121, 40)
    matrix = rng.standard_normal((400, 7)) * units
    b = matrix @ (np.arange(1.0, 8) / units) + rng.standard_normal(400)
    found = one(matrix, b, method).coef[:, 0] * units
    wanted = one(matrix / units, b, "qr").coef[:, 0]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1), (3, 7), (0, 3), (5, 0), (0, 0)])
@pytest.mark.parametrize("policy", ["minimum-norm", "drop"])
def test_every_shape(shape, policy):
    rng = np.random.default_rng(6)
    matrix, b = rng.standard_normal(shape), rng.standard_normal(shape[0])
    found = one(matrix, b, rank_deficient=policy)
    peer = np.linalg.lstsq(matrix, b, rcond=None)[0] if matrix.size else np.zeros(shape[1])
    known = np.nan_to_num(found.coef[:, 0])
    assert found.rank == min(shape)
    np.testing.assert_allclose(matrix @ known, matrix @ peer, atol=1e-13)
    if policy == "minimum-norm":
        np.testing.assert_allclose(known, peer, atol=1e-13)


@pytest.mark.parametrize("rows", [40, 9000])
def test_columns_that_depend_on_each_other(rows):
    """Equal columns, a sum of others, a column of zeros: the shortest minimiser, or the later ones left out."""
    rng = np.random.default_rng(8)
    base = rng.standard_normal((rows, 4))
    matrix = np.column_stack([base, base[:, 1], base[:, 0] - 2 * base[:, 2], np.zeros(rows), 1e-30 * base[:, 3]])
    b = rng.standard_normal(rows)
    shortest, basic = one(matrix, b), one(matrix, b, rank_deficient="drop")
    assert shortest.rank == basic.rank == 4 and basic.kept == (0, 1, 2, 3)
    np.testing.assert_allclose(matrix @ shortest.coef[:, 0], matrix[:, :4] @ basic.coef[:4, 0], atol=1e-12)
    assert np.all(np.isnan(basic.coef[4:]))
    made = {alias.column: dict(alias.parts) for alias in basic.aliased}
    assert made[4] == {1: 1.0} and made[6] == {} and made[7] == pytest.approx({3: 1e-30})
    assert made[5] == pytest.approx({0: 1.0, 2: -2.0})
    # Nothing shorter: no part of the answer lies along the valley.
    np.testing.assert_allclose(shortest.coef[4, 0], shortest.coef[1, 0], rtol=1e-9)
    assert shortest.coef[6, 0] == 0
    assert np.linalg.norm(shortest.coef) <= np.linalg.norm(np.nan_to_num(basic.coef)) * (1 + 1e-12)


def test_several_right_hand_sides_are_each_their_own():
    rng = np.random.default_rng(9)
    matrix = of_condition(rng, 2500, 30, 1e5, 0.0)[0]
    sides = np.column_stack([rng.standard_normal((2500, 3)), np.zeros(2500), matrix[:, 0]])
    together = solve_dense(matrix, sides)
    for k in range(sides.shape[1]):
        alone = one(matrix, sides[:, k])
        np.testing.assert_allclose(together.coef[:, k], alone.coef[:, 0], rtol=1e-9, atol=1e-14)
    assert np.all(together.coef[:, 3] == 0) and together.backward_error.shape == (5,)


def test_single_precision_is_factored_single_and_corrected_double():
    rng = np.random.default_rng(10)
    matrix, b = of_condition(rng, 3000, 30, 30.0, 1.0)
    single = matrix.astype(np.float32)
    found = one(single, b)
    assert "single precision" in found.detail and found.method == "seminormal"
    assert error(found.coef[:, 0], exact(single.astype(float), b)) < 1e-14
    hard = of_condition(rng, 3000, 30, 1e6, 1.0)[0].astype(np.float32)
    found = one(hard, b)
    assert "single precision" not in found.detail
    assert error(found.coef[:, 0], exact(hard.astype(float), b)) < 1e-9


@pytest.mark.parametrize(("row", "column", "value"), [(0, 0, np.nan), (2100, 29, np.inf), (17, 3, -np.inf)])
def test_values_that_are_no_numbers_are_named(row, column, value):
    rng = np.random.default_rng(11)
    for rows, columns in ((2200, 30), (2200, 5)):
        matrix, b = rng.standard_normal((rows, columns)), rng.standard_normal(rows)
        spoilt = matrix.copy()
        spoilt[row, column % columns] = value
        with pytest.raises(DataError, match=f"A has a value .* row {row}, column {column % columns}"):
            one(spoilt, b)
        b[row] = value
        with pytest.raises(DataError, match=f"b has a value .* row {row} "):
            one(matrix, b)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("method", METHODS)
def test_layout_does_not_matter(order, method):
    rng = np.random.default_rng(12)
    matrix, b = of_condition(rng, 3000, 25, 100.0, 1.0)
    wide = np.asarray(np.repeat(matrix, 2, axis=1), order=order)
    for laid in (np.asarray(matrix, order=order), wide[:, ::2], matrix[::-1][::-1]):
        np.testing.assert_allclose(one(laid, b, method).coef, one(matrix, b, method).coef, rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 10**6), st.sampled_from(STURDY))
def test_small_integers_have_the_exact_answer(rows, columns, seed, method):
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-3, 4, (rows + columns, columns)).astype(float)
    b = rng.integers(-9, 10, rows + columns).astype(float)
    try:
        found = one(matrix, b, method)
    except BreakdownError as broken:
        assert method == "cholesky-qr" and "zero" in str(broken)
        return
    if found.rank == columns:
        np.testing.assert_allclose(found.coef[:, 0], exact(matrix, b), rtol=1e-13, atol=1e-13)
    else:
        np.testing.assert_allclose(found.coef[:, 0], np.linalg.lstsq(matrix, b, rcond=None)[0], atol=1e-11)


@pytest.mark.parametrize("kind", ["equal columns", "small integers", "groups and a constant", "1e14", "1e17"])
def test_a_sample_of_dependent_columns_serves_as_well_as_the_singular_values(kind):
    """The floor under the sample keeps its inverse usable; rank and fit are those of Householder QR and the SVD."""
    rng = np.random.default_rng(15)
    rows, columns = 9000, 30
    matrix = rng.standard_normal((rows, columns))
    if kind in ("equal columns", "small integers"):
        matrix = matrix if kind == "equal columns" else rng.integers(-5, 6, (rows, columns)).astype(float)
        matrix[:, 7], matrix[:, 20] = matrix[:, 3], matrix[:, 0] + matrix[:, 1]
    elif kind == "groups and a constant":
        matrix = np.zeros((rows, columns))
        matrix[:, 0] = 1.0
        matrix[np.arange(rows), rng.integers(1, columns, rows)] = 1.0
    else:
        matrix = of_condition(rng, rows, columns, float(kind), 0.0)[0]
    b = rng.standard_normal(rows)
    found, peer = one(matrix, b, "cholesky-qr"), one(matrix, b, "svd")
    assert found.rank == peer.rank < columns
    assert found.backward_error[0] <= max(1.1 * peer.backward_error[0], 2.0**-53)
    along = [np.linalg.norm(matrix.T @ (b - matrix @ one.coef[:, 0])) for one in (found, peer)]
    assert along[0] <= max(4 * along[1], 50 * 2.0**-53 * np.linalg.norm(matrix, 2) * np.linalg.norm(found.coef))
    if not kind.startswith("1e"):
        np.testing.assert_allclose(found.coef, peer.coef, rtol=0, atol=1e-12 * np.abs(peer.coef).max())


def test_nothing_is_written_to_the_arrays():
    rng = np.random.default_rng(13)
    matrix, b = rng.standard_normal((2500, 30)), rng.standard_normal((2500, 1))
    for array in (matrix, b):
        array.flags.writeable = False
    for method in METHODS:
        solve_dense(matrix, b, method)


@pytest.mark.parametrize("kind", ["one heavy row", "columns in few rows", "heavy and ill"])
def test_rows_of_high_leverage_that_no_sample_shows(kind):
    """A sample of evenly spaced rows says nothing of the one row, or the few, that decide a coefficient."""
    rng = np.random.default_rng(14)
    matrix = rng.standard_normal((9000, 20))
    if kind == "columns in few rows":
        matrix[:, 15:] = 0.0
        matrix[1001:1011, 15:] = rng.standard_normal((10, 5))
    if kind == "heavy and ill":
        matrix = of_condition(rng, 9000, 20, 1e10, 0.0)[0]
    if kind != "columns in few rows":
        matrix[4321] = 0.0
        matrix[4321, 3] = 1e8
    b = rng.standard_normal(9000)
    truth, found = exact(matrix, b), one(matrix, b)
    assert found.rank == 20 and found.backward_error[0] <= ROUNDING_LEVEL
    peer = np.linalg.lstsq(matrix, b, rcond=None)[0]
    assert error(found.coef[:, 0], truth) <= max(4 * error(peer, truth), 1e-14)
