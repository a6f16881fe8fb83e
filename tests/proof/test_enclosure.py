"""The enclosure of a least squares solution: no false proof, whatever is thrown at it, and digits where due."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import exact
import nistdata
from surefoot.errors import DataError
from surefoot.proof import enclosure, scaled_rows, slope, spectrum
from surefoot.proof.certificate import Rigour, Verdict
from surefoot.proof.enclosure import certify_least_squares

SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(params=["one block", "many blocks"])
def blocks(request, monkeypatch):
    """Small problems fill one block; short blocks make sums over many."""
    if request.param == "many blocks":
        monkeypatch.setattr(scaled_rows, "_FEWEST", 3)
        monkeypatch.setattr(scaled_rows, "_MOST", 5)


def conditioned(rng, m, n, condition):
    """A matrix of about this condition number, singular values in geometric progression."""
    left = np.linalg.qr(rng.standard_normal((m, n)))[0]
    right = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return (left * np.geomspace(1.0, 1.0 / condition, n)) @ right.T


def augmented(A, b, weights=None, ridge=0.0):
    """Rows, right-hand side and weights of the same problem without penalty."""
    A, b = np.asarray(A), np.asarray(b)
    n = A.shape[1]
    weights = np.ones(len(A)) if weights is None else np.asarray(weights, dtype=float)
    kept = weights > 0
    A, b, weights = A[kept], b[kept], weights[kept]
    if ridge:
        A, b = np.vstack([A, np.eye(n)]), np.concatenate([b, np.zeros(n)])
        weights = np.concatenate([weights, np.full(n, ridge)])
    return A, b, weights


def exactly_dependent(A, weights=None, ridge=0.0):
    rows = augmented(A, np.zeros(len(A)), weights, ridge)[0]
    return exact.matrix(rows.T).rank() < rows.shape[1] if rows.size else rows.shape[1] > 0


def check(found, A, b, x=None, weights=None, ridge=0.0):
    """Whatever the enclosure claims is true, by exact arithmetic; and whether it claims a proof."""
    if exactly_dependent(A, weights, ridge):
        assert not found.rank_proven
        assert not found.proven
        assert found.reason
        assert found.smallest_curvature == 0.0
        return False
    rows, rhs, weight = augmented(A, b, weights, ridge)
    truth = exact.solve(rows, rhs, weight)
    for centre, radius, coef in zip(found.centre, found.radius, truth.coef, strict=True):
        if math.isfinite(radius):
            assert abs(Fraction(float(centre)) - coef) <= Fraction(float(radius))
    if x is not None:
        for start, bound, coef in zip(x, found.error, truth.coef, strict=True):
            assert not math.isfinite(bound) or abs(Fraction(float(start)) - coef) <= Fraction(float(bound))
    lower, upper = found.residual_norm
    assert Fraction(lower) ** 2 <= truth.residual_ss
    assert not math.isfinite(upper) or truth.residual_ss <= Fraction(upper) ** 2
    assert rises_by(rows, weight, found.smallest_curvature)
    assert found.proven == (found.certificate().rigour is Rigour.PROVEN)
    assert not found.proven or (found.rank_proven and np.isfinite(found.radius).all())
    return found.proven


def rises_by(rows, weight, curvature):
    """Whether 2 A'WA - curvature I is positive semidefinite, by its exact leading minors."""
    columns = exact.matrix(rows.T)
    scale = exact.rationals(weight)
    m, n = columns.nrows(), columns.ncols()
    entries = [[columns[i, j] * scale[i] for j in range(n)] for i in range(m)]
    weighted = exact.fmpq_mat(m, n, [value for row in entries for value in row])
    hessian = weighted.transpose() * columns * 2
    shift = exact.rationals([curvature])[0]
    for k in range(1, n + 1):
        part = exact.fmpq_mat(k, k, [hessian[i, j] - (shift if i == j else 0) for i in range(k) for j in range(k)])
        if part.det() < 0:
            return False
    return True


@settings(max_examples=120, deadline=None)
@given(SEEDS, st.floats(0, 16), st.floats(-8, 3), st.integers(1, 5), st.integers(0, 12))
def test_the_minimiser_is_in_the_enclosure_at_every_condition_and_residual(seed, decades, residual, n, extra):
    rng = np.random.default_rng(seed)
    A = conditioned(rng, n + extra, n, 10.0**decades)
    b = A @ rng.standard_normal(n) + 10.0**residual * rng.standard_normal(n + extra)
    x = np.linalg.lstsq(A, b, rcond=None)[0]
    proven = check(certify_least_squares(A, b, x), A, b, x)
    assert proven or decades > 13


@settings(max_examples=80, deadline=None)
@given(SEEDS, st.integers(-300, 300), st.integers(-300, 300), st.floats(0, 10))
def test_scales_of_columns_and_right_hand_side_do_not_matter(seed, of_columns, of_side, graded):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((9, 3)) * 10.0 ** np.clip(of_columns + graded * np.arange(3), -305, 305)
    b = rng.standard_normal(9) * 10.0**of_side
    with np.errstate(all="ignore"):
        found = certify_least_squares(A, b)
    check(found, A, b)
    assert found.rank_proven
    if abs(of_side - of_columns) + 3 * graded < 280:
        assert found.proven


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(-1074, -1000))
def test_subnormal_numbers(seed, exponent):
    rng = np.random.default_rng(seed)
    A = np.ldexp(rng.standard_normal((8, 3)), [exponent, 0, exponent // 2])
    A[rng.random((8, 3)) < 0.2] *= 2.0**-1000
    b = np.ldexp(rng.standard_normal(8), exponent)
    for side in (b, rng.standard_normal(8)):
        check(certify_least_squares(A, side), A, side)


@settings(max_examples=80, deadline=None)
@given(SEEDS, st.floats(0, 17), st.integers(2, 4))
def test_nearly_equal_columns(seed, decades, n):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((10, n))
    A[:, -1] = A[:, 0] + 10.0**-decades * rng.standard_normal(10)
    b = rng.standard_normal(10)
    check(certify_least_squares(A, b), A, b)


def dependent_matrices():
    rng = np.random.default_rng(5)
    whole = rng.integers(-9, 10, (12, 4)).astype(float)
    nodes = np.array([1.0, 2.0, 3.0, 3.0, 2.0, 1.0, 1.0, 2.0])
    yield "equal columns", whole[:, [0, 1, 2, 1]]
    yield "opposite columns", np.column_stack([whole, -whole[:, 2]])
    yield "a column doubled", np.column_stack([whole, 2 * whole[:, 0]])
    yield "a sum of columns", np.column_stack([whole, whole.sum(axis=1)])
    yield "a combination", np.column_stack([whole, whole @ [1.0, -2.0, 3.0, 7.0]])
    for order in (4, 8, 12):
        yield f"magic square {order}", magic(order)
    yield "Vandermonde with repeated nodes", np.vander(nodes, 4)
    yield "dummy variables and the constant", np.column_stack([np.ones(9), np.kron(np.eye(3), np.ones((3, 1)))])
    yield "counting matrix", np.arange(1.0, 26.0).reshape(5, 5)
    yield "zero column", np.column_stack([whole, np.zeros(12)])
    yield "all zero", np.zeros((6, 2))
    yield "tenths", np.column_stack([np.arange(1, 9) * 0.1, np.arange(1, 9) * 0.2])
    random = rng.standard_normal((30, 3))
    yield "equal random columns", random[:, [0, 1, 2, 0]]
    yield "random columns at other scales", np.column_stack([random, random[:, 0] * 2.0**300, random[:, 1] * 2.0**-300])
    yield "low rank of integers", rng.integers(-99, 100, (40, 6)).astype(float) @ rng.integers(-9, 10, (6, 9))


def magic(order):
    """Of an order divisible by four; its rank is three."""
    square = np.arange(1.0, order**2 + 1).reshape(order, order)
    i, j = np.indices((order, order)) % 4
    kept = (i == j) | (i + j == 3)
    return np.where(kept, order**2 + 1 - square, square)


DEPENDENT = dict(dependent_matrices())


@pytest.mark.parametrize("name", DEPENDENT)
def test_dependent_columns_are_never_proven_independent(name, blocks):
    A = DEPENDENT[name]
    n = A.shape[1]
    b = np.arange(float(len(A)))
    assert exactly_dependent(A)
    rng = np.random.default_rng(1)
    factor = np.linalg.qr(A, mode="r")
    candidates = [None, np.eye(n), rng.standard_normal((n, n)) * 1e8, np.linalg.pinv(factor)]
    candidates += [np.linalg.inv(factor + t * np.eye(n)) for t in (1e-4, 1e-8, 1e-12, 1e-16, 1e-20)]
    candidates += [np.linalg.inv(np.linalg.cholesky(A.T @ A + t * np.eye(n))).T for t in (1e-2, 1e-6, 1e-8)]
    for S in candidates:
        found = certify_least_squares(A, b, np.zeros(n), S)
        assert not found.rank_proven
        assert found.certificate().verdict is Verdict.INCONCLUSIVE
        assert found.certificate().rigour is not Rigour.PROVEN
        assert "rank" in found.reason or "zero" in found.reason or "rows" in found.reason


@settings(max_examples=80, deadline=None)
@given(SEEDS, st.integers(2, 6), st.integers(0, 300))
def test_random_dependence_among_integers_is_never_missed(seed, n, scale):
    rng = np.random.default_rng(seed)
    A = rng.integers(-1000, 1001, (3 * n, n - 1)).astype(float) @ rng.integers(-1000, 1001, (n - 1, n))
    A = A * 2.0 ** rng.integers(-scale, scale + 1, n)
    found = certify_least_squares(A, rng.standard_normal(3 * n))
    assert not found.rank_proven


@settings(max_examples=60, deadline=None)
@given(
    SEEDS, st.sampled_from(["zero", "random", "nan", "inf", "transposed", "huge", "tiny", "singular", "shape", "text"])
)
def test_wrong_candidates_cost_time_and_never_truth(seed, kind):
    rng = np.random.default_rng(seed)
    A, b = conditioned(rng, 12, 4, 1e5), rng.standard_normal(12)
    S = np.linalg.inv(np.linalg.qr(A, mode="r"))
    x = rng.standard_normal(4)
    wrong = {
        "zero": (0 * S, 0 * x),
        "random": (rng.standard_normal((4, 4)), 1e3 * x),
        "nan": (np.where(S.max() == S, np.nan, S), np.array([np.nan, 1, 2, 3])),
        "inf": (np.full((4, 4), np.inf), np.full(4, -np.inf)),
        "transposed": (S.T, x[::-1]),
        "huge": (S * 1e200, x * 1e305),
        "tiny": (S * 1e-300, x * 1e-308),
        "singular": (np.outer(x, x), x),
        "shape": (S[:2], x[:2]),
        "text": (S.astype(str), x.astype(str)),
    }[kind]
    found = certify_least_squares(A, b, wrong[1], wrong[0])
    assert check(found, A, b, wrong[1] if kind not in ("shape", "text") else None)
    assert found.digits > 11


@settings(max_examples=80, deadline=None)
@given(SEEDS, st.floats(0, 12), st.booleans(), st.sampled_from([0.0, 1e-300, 1e-9, 0.3, 5e6, 1e300]))
def test_weights_and_penalty(seed, spread, zeros, ridge):
    rng = np.random.default_rng(seed)
    A, b = rng.standard_normal((14, 3)), rng.standard_normal(14)
    weights = 10.0 ** rng.uniform(-spread, spread, 14)
    if zeros:
        weights[rng.random(14) < 0.4] = 0.0
        A[weights == 0.0] = np.nan
        b[weights == 0.0] = np.inf
    assert check(certify_least_squares(A, b, None, None, weights, ridge), A, b, None, weights, ridge) or (
        np.count_nonzero(weights) < 3 and not ridge
    )


def test_a_weight_of_zero_is_an_absent_row_to_the_last_bit(blocks):
    rng = np.random.default_rng(2)
    A, b, weights = rng.standard_normal((30, 3)), rng.standard_normal(30), rng.random(30)
    weights[::3] = 0.0
    kept = weights > 0
    whole, part = (
        certify_least_squares(A, b, None, None, weights),
        certify_least_squares(A[kept], b[kept], None, None, weights[kept]),
    )
    np.testing.assert_array_equal(np.abs(whole.centre - part.centre) <= whole.radius + part.radius, True)
    assert check(whole, A, b, None, weights)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.floats(0, 12))
def test_short_blocks(seed, decades):
    rng = np.random.default_rng(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scaled_rows, "_FEWEST", 3)
        patch.setattr(scaled_rows, "_MOST", 5)
        A, b = conditioned(rng, 23, 4, 10.0**decades), rng.standard_normal(23)
        weights = 10.0 ** rng.uniform(-3, 3, 23)
        assert check(certify_least_squares(A, b), A, b)
        check(certify_least_squares(A, b, weights=weights, ridge=1e-3), A, b, None, weights, 1e-3)


@pytest.mark.parametrize("name", nistdata.NAMES)
def test_nist_sets_as_doubles(name):
    norm = nistdata.load(name)
    A, b = norm.design(), norm.columns["y"]
    x = np.linalg.lstsq(A, b, rcond=None)[0]
    found = certify_least_squares(A, b, x)
    assert check(found, A, b, x), found.reason
    assert found.digits > (13 if name != "Filip" else 6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.int64, np.uint64, bool, np.longdouble, ">f8"])
def test_numbers_that_are_doubles_are_taken_as_they_are(dtype):
    rng = np.random.default_rng(3)
    A = (rng.integers(0, 100, (10, 3)) % (2 if dtype is bool else 100)).astype(dtype)
    b = np.arange(10.0)
    found = certify_least_squares(A, b)
    assert check(found, A.astype(float), b)


def test_integers_beyond_doubles_are_refused():
    A = np.array([[2**53 + 1, 1], [3, 4], [5, 7]])
    for given_A, given_b in ((A, np.ones(3)), (np.ones((3, 1)), A[:, 0]), (A.astype(np.longdouble), np.ones(3))):
        found = certify_least_squares(given_A, given_b)
        assert not found.proven
        assert "not doubles" in found.reason


def test_several_right_hand_sides():
    rng = np.random.default_rng(4)
    A, b = conditioned(rng, 15, 4, 1e4), rng.standard_normal((15, 3)) * [1e-200, 1.0, 1e150]
    x = np.linalg.lstsq(A, b, rcond=None)[0]
    found = certify_least_squares(A, b, x)
    assert found.centre.shape == found.radius.shape == found.error.shape == (4, 3)
    for k in range(3):
        truth = exact.solve(A, b[:, k])
        assert all(
            abs(Fraction(float(c)) - t) <= Fraction(float(r))
            for c, r, t in zip(found.centre[:, k], found.radius[:, k], truth.coef, strict=True)
        )
        assert Fraction(float(found.residual_norm[0][k])) ** 2 <= truth.residual_ss
        assert truth.residual_ss <= Fraction(float(found.residual_norm[1][k])) ** 2
    assert found.proven
    assert found.digits > 14


def test_layouts_agree():
    rng = np.random.default_rng(5)
    A, b = rng.standard_normal((600, 5)), rng.standard_normal(600)
    for other in (np.asfortranarray(A), np.repeat(A, 2, axis=0)[::2], A[:, ::-1][:, ::-1]):
        assert check(certify_least_squares(other, b), A, b)


@pytest.mark.parametrize(("m", "n"), [(0, 0), (3, 0), (0, 2), (1, 1), (2, 3), (1, 4)])
def test_degenerate_shapes(m, n):
    found = certify_least_squares(np.ones((m, n)), np.arange(float(m)))
    assert found.rank_proven == (m >= n)
    assert found.proven == (m >= n)
    if m < n:
        assert f"{m} rows cannot determine {n} coefficients" in found.reason
    with_penalty = certify_least_squares(np.ones((m, n)), np.arange(float(m)), ridge=0.5)
    assert with_penalty.proven
    json.dumps(with_penalty.certificate().to_json(), allow_nan=False)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_give_a_reason(value):
    A, b = np.eye(4, 2) + 1.0, np.ones(4)
    A[2, 1] = value
    for given_A, given_b in ((A, b), (np.eye(4, 2), A[:, 1])):
        found = certify_least_squares(given_A, given_b)
        assert not found.rank_proven
        assert "not finite" in found.reason
        json.dumps(found.certificate().to_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"b": np.ones(3)}, "A has shape"),
        ({"A": np.ones(4)}, "A has shape"),
        ({"A": np.ones((4, 2), dtype=complex)}, "give real numbers"),
        ({"A": np.full((4, 2), "1")}, "give real numbers"),
        ({"weights": np.ones(3)}, "one for each of the 4 rows"),
        ({"weights": np.array([1.0, -1.0, 1.0, 1.0])}, "weight of row 1"),
        ({"weights": np.array([1.0, 1.0, np.nan, 1.0])}, "weight of row 2"),
        ({"ridge": -1.0}, "penalty"),
        ({"ridge": math.nan}, "penalty"),
        ({"ridge": 2**53 + 1}, "penalty"),
    ],
)
def test_wrong_calls_are_sentences(change, sentence):
    with pytest.raises(DataError, match=sentence):
        certify_least_squares(**({"A": np.ones((4, 2)), "b": np.ones(4)} | change))


def test_full_precision_where_the_condition_allows_it():
    """Radii of a few units in the last place, however poor the candidate."""
    rng = np.random.default_rng(6)
    A = conditioned(rng, 300, 8, 1e3)
    b = A @ np.ones(8) + 1e-2 * rng.standard_normal(300)
    for x in (None, np.linalg.lstsq(A, b, rcond=None)[0], 1e6 * np.ones(8)):
        found = certify_least_squares(A, b, x)
        assert np.all(found.radius <= 4 * np.spacing(np.abs(found.centre)))


@pytest.mark.parametrize(("decades", "digits"), [(6, 13), (10, 9), (12, 7)])
def test_digits_at_high_condition(decades, digits):
    rng = np.random.default_rng(7)
    A = conditioned(rng, 400, 10, 10.0**decades)
    b = A @ np.ones(10) + 1e-4 * rng.standard_normal(400)
    found = certify_least_squares(A, b)
    assert check(found, A, b)
    assert found.digits > digits


def test_the_smallest_singular_value_is_not_underestimated_by_much():
    A = conditioned(np.random.default_rng(8), 200, 6, 1e8)
    found = certify_least_squares(A, np.ones(200))
    scaled = A / np.linalg.norm(A, axis=0)
    value = np.linalg.svd(scaled, compute_uv=False)[-1]
    assert 0.3 * value < found.smallest_singular_value <= value * (1 + 1e-6)
    assert 0.3 * 2e-16 < found.smallest_curvature <= 2e-16 * (1 + 1e-6)


def test_the_certificate_says_how_it_knows():
    A = np.column_stack([np.ones(9), np.arange(9.0)])
    certificate = certify_least_squares(A, np.sqrt(np.arange(9.0))).certificate()
    assert certificate.verdict is Verdict.UNIQUE_GLOBAL_MINIMUM
    assert certificate.rigour is Rigour.PROVEN
    assert "Strassen" in certificate.evidence["assumption"]
    assert "Strassen" in str(certificate)
    assert certificate.evidence["alpha"] < 1e-12
    assert len(certificate.evidence["radius"]) == 2
    json.dumps(certificate.to_json(), allow_nan=False)


def test_a_thread_that_does_not_round_to_nearest_proves_nothing(monkeypatch):
    monkeypatch.setattr(enclosure, "rounds_to_nearest", lambda: False)
    found = certify_least_squares(np.ones((3, 1)), np.ones(3))
    assert not found.rank_proven
    assert "round to nearest" in found.reason


# Errors as large as the analysis allows, in the worst direction: what a BLAS could do, and the bounds must bear.


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.floats(0, 7))
def test_residuals_that_err_as_much_as_they_may(seed, decades):
    rng = np.random.default_rng(seed)
    A = conditioned(rng, 12, 3, 10.0**decades)
    b = A @ rng.standard_normal(3) + rng.standard_normal(12)
    true = slope._residual
    pull = np.sign(np.linalg.pinv(A)[0])[:, None]

    def erring(cut, rhs, centre):
        high, low = true(cut, rhs, centre)
        return high, low + 0.99 * slope.residual_error(centre, 3, 10) * pull

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slope, "slope_bits", lambda rows: 10)
        patch.setattr(enclosure, "slope_bits", lambda rows: 10)
        patch.setattr(slope, "_residual", erring)
        found = certify_least_squares(A, b)
    assert check(found, A, b)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.floats(0, 7))
def test_gradients_that_err_as_much_as_they_may(seed, decades):
    rng = np.random.default_rng(seed)
    A = conditioned(rng, 12, 3, 10.0**decades)
    b = A @ rng.standard_normal(3) + rng.standard_normal(12)
    true = slope._gradient
    pull = np.sign(np.linalg.inv(A.T @ A)[0])[:, None]

    def erring(*arguments):
        exact_parts, small, rounded, lengths = true(*arguments)
        return exact_parts, small + 0.99 * rounded * pull, rounded, lengths

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slope, "slope_bits", lambda rows: 6)
        patch.setattr(enclosure, "slope_bits", lambda rows: 6)
        patch.setattr(slope, "_gradient", erring)
        found = certify_least_squares(A, b)
    assert check(found, A, b)


def test_an_S_that_is_far_from_the_inverse_factor_needs_the_whole_radius():
    """With G = 1 - alpha in one dimension, the step falls short by just what the radius adds."""
    A, b = np.full((3, 1), 1.0), np.full(3, 1.0)
    for share in (0.95, 0.92):
        S = np.array([[math.sqrt(share / 3.0)]])
        found = certify_least_squares(A, b, np.array([0.0]), S, passes=1)
        assert check(found, A, b)
        assert found.radius[0] == pytest.approx(1.0 - share, rel=1e-6)


def test_the_road_is_chosen_by_condition():
    rng = np.random.default_rng(9)
    roads = [certify_least_squares(conditioned(rng, 200, 5, 10.0**k), np.ones(200)).road for k in (2, 9, 15)]
    assert roads == ["gram", "product", "sliced product"]
    assert set(roads) == set(enclosure._ROADS)
    assert spectrum.Plain.road in roads


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_every_bound_that_is_printed_is_proven_too(seed):
    rng = np.random.default_rng(seed)
    A, b = rng.normal(size=(8, 2)), rng.normal(size=8)
    found = certify_least_squares(A, b, np.linalg.lstsq(A, b, rcond=None)[0])
    said = dict(zip(("alpha", "curvature", "radius", "error"), _bounds(found.lines), strict=True))
    assert found.alpha <= said["alpha"] and found.smallest_curvature >= said["curvature"]
    assert float(found.radius.max()) <= said["radius"] and float(found.error.max()) <= said["error"]


def _bounds(lines):
    text = " ".join(lines)
    patterns = (r"least 1 - (\S+) ", r"curvature is at least (\S+)\.", r"at most (\S+)\.")
    return [Fraction(Decimal(one)) for pattern in patterns for one in re.findall(pattern, text)]
