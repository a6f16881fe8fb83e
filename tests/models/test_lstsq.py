"""``sf.lstsq`` as a person uses it: what may be given, what comes back, what is refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear
from scipy.sparse import csr_array

import surefoot as sf
from leastsquares.matrices import exact, of_condition
from nistdata import digits, load
from surefoot.errors import DataError, ModelError

NIST = ("Norris", "Pontius", "NoInt1", "NoInt2", "Filip", "Longley", "Wampler1", "Wampler5")


def problem(seed=0, rows=200, columns=4):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((rows, columns))
    return A, A @ np.arange(1.0, columns + 1) + rng.standard_normal(rows)


def test_the_numbers_of_statsmodels():
    A, b = problem()
    A[:, 0] = 1.0
    fit, peer = sf.lstsq(A, b), sm.OLS(b, A).fit()
    np.testing.assert_allclose(fit.coef, peer.params, rtol=1e-12)
    np.testing.assert_allclose(fit.stderr, peer.bse, rtol=1e-12)
    np.testing.assert_allclose(fit.interval(0.9), peer.conf_int(0.1), rtol=1e-10)
    np.testing.assert_allclose(fit.p, peer.pvalues, rtol=1e-8, atol=1e-300)
    assert fit.r2 == pytest.approx(peer.rsquared, rel=1e-12)
    assert fit.sigma == pytest.approx(np.sqrt(peer.scale), rel=1e-12)
    np.testing.assert_allclose(fit.residuals(), peer.resid, atol=1e-12)


def test_weights_and_rows_of_no_weight():
    A, b = problem()
    rng = np.random.default_rng(1)
    w = rng.integers(0, 4, len(b)).astype(float)
    fit, peer = sf.lstsq(A, b, weights=w), sm.WLS(b[w > 0], A[w > 0], w[w > 0]).fit()
    np.testing.assert_allclose(fit.coef, peer.params, rtol=1e-12)
    np.testing.assert_allclose(fit.stderr, peer.bse, rtol=1e-12)
    assert fit.r2 == pytest.approx(peer.rsquared, rel=1e-11)
    spoilt = A.copy()
    spoilt[w == 0] = np.nan
    np.testing.assert_array_equal(sf.lstsq(spoilt, b, weights=w, prove=False).coef, fit.coef)


def test_weights_that_differ_wildly_keep_their_rows():
    """Rows of weight 1e24 are all but equalities: plain scaling by the root of the weight loses the others."""
    rng = np.random.default_rng(2)
    A, b = rng.standard_normal((60, 4)), rng.standard_normal(60)
    w = np.where(np.arange(60) % 30 == 7, 1e24, 1.0)
    fit = sf.lstsq(A, b, weights=w)
    heavy = w > 1
    held = sf.lstsq(A[~heavy], b[~heavy], equalities=(A[heavy], b[heavy]))
    np.testing.assert_allclose(fit.coef, held.coef, rtol=1e-9)


def test_ridge_against_its_formula():
    A, b = problem()
    fit = sf.lstsq(A, b, ridge=7.5)
    np.testing.assert_allclose(fit.coef, np.linalg.solve(A.T @ A + 7.5 * np.eye(4), A.T @ b), rtol=1e-12)
    inverse = np.linalg.inv(A.T @ A + 7.5 * np.eye(4))
    residual = b - A @ fit.coef
    df = len(b) - np.trace(inverse @ A.T @ A)
    assert fit.df_residual == pytest.approx(df, rel=1e-12)
    sigma = np.sqrt(residual @ residual / df)
    assert fit.sigma == pytest.approx(sigma, rel=1e-10)
    np.testing.assert_allclose(fit.stderr, sigma * np.sqrt(np.diag(inverse @ A.T @ A @ inverse)), rtol=1e-10)
    wide = sf.lstsq(A[:2], b[:2], ridge=1e-3)
    assert wide.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM


@pytest.mark.parametrize("name", NIST)
def test_proven_on_nists_columns_and_beside_the_exact_answer(name):
    case = load(name)
    fit = sf.fit(case.formula, str(case.path), refine=False, diagnostics=False)
    rows = np.vstack([block.block.matrix for block in fit.residual_blocks()])
    A, b = rows[:, : len(fit.names)], rows[:, -1]
    found = sf.lstsq(A, b, prove=True)
    proof, truth = found.certificate, exact(A, b)
    if found.certificate.rigour is sf.Rigour.PROVEN:
        centre, radius = np.array(proof.evidence["centre"]), np.array(proof.evidence["radius"])
        assert np.all(np.abs(centre - truth) <= radius + np.spacing(np.abs(truth)))
        assert found.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM
    else:
        assert name == "Filip" and proof.lines[-1]
    best = min(digits(float(c), e) for c, e in zip(found.coef, case.coefficients, strict=True))
    peer = min(
        digits(float(c), e) for c, e in zip(np.linalg.lstsq(A, b, rcond=None)[0], case.coefficients, strict=True)
    )
    assert best >= peer - 0.3


def test_exact_takes_doubles_as_fractions():
    A, b = problem(3, 40, 3)
    fit = sf.lstsq(A, b, exact=True)
    np.testing.assert_array_equal(fit.coef, exact(A, b))
    assert fit.certificate.rigour is sf.Rigour.PROVEN and np.all(fit.digits >= 14)
    assert "proven digits" in fit.summary()
    many = sf.lstsq(A, np.column_stack([b, 2 * b]), exact=True)
    np.testing.assert_array_equal(many.coef[:, 1], 2 * many.coef[:, 0])


def test_the_proof_says_why_where_it_does_not_close():
    A, b = problem()
    fit = sf.lstsq(np.column_stack([A, A[:, 0]]), b, prove=True)
    assert fit.verdict is sf.Verdict.GLOBAL_MINIMUM and fit.certificate.rigour is sf.Rigour.NUMERICAL
    assert "proven" in fit.certificate.lines[-1]


def test_a_proof_about_the_minimum_is_no_verdict_on_a_point_elsewhere():
    """A walk that diverged stands at zero; that the bowl has a proven bottom says nothing of where it stands."""
    A, b = problem()
    fit = sf.lstsq(A, b, method="gradient", rate=0.05, prove=True)
    assert fit.verdict is sf.Verdict.NOT_STATIONARY and fit.certificate.rigour is sf.Rigour.NUMERICAL
    assert "within" in fit.certificate.lines[-1]
    hard, c = of_condition(np.random.default_rng(0), 300, 8, 1e7, 0.0)
    raw = sf.lstsq(hard, c, method="normal", prove=True)
    away = np.abs(raw.coef - exact(hard, c))
    assert np.max(away) > 1e-8 and np.all(raw.digits <= -np.log10(away / np.abs(raw.coef)) + 1e-6)


def test_a_rate_above_its_limit_is_explained_with_the_curvature_measured():
    A, b = problem()
    largest = 2 * np.linalg.norm(A, 2) ** 2
    fit = sf.lstsq(A, b, method="gradient", rate=2.1 / largest)
    assert f"is above 2/L = {2 / largest:.4g}"[:20] in fit.stop and "largest curvature measured is L" in fit.stop
    below = sf.lstsq(A, b, method="gradient", rate=1.9 / largest, prove=True)
    assert below.certificate.rigour is sf.Rigour.PROVEN
    np.testing.assert_allclose(below.coef, sf.lstsq(A, b).coef, rtol=1e-12)
    assert len(below.trace) == below.answer.steps + 1


@pytest.mark.parametrize("method", ["lsmr", "cg", "sketch", "gradient", "steepest"])
def test_every_road_leads_to_the_valley(method):
    A, b = problem(11, 2000, 20)
    fit = sf.lstsq(A, b, method=method)
    np.testing.assert_allclose(fit.coef, sf.lstsq(A, b).coef, rtol=1e-11)
    assert fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM
    assert fit.backward_error < (1e-13 if method in ("gradient", "steepest") else 1e-15)  # a walk ends at its noise


def test_sparse_matrices_and_operators():
    import scipy.sparse as sp
    from scipy.sparse.linalg import aslinearoperator

    rng = np.random.default_rng(12)
    dense = np.where(rng.random((800, 60)) < 0.05, rng.standard_normal((800, 60)), 0.0)
    b, w = rng.standard_normal(800), rng.uniform(0, 2, 800)
    wanted = sf.lstsq(dense, b, prove=False)
    for A in (sp.csr_array(dense), sp.coo_matrix(dense), sp.csc_array(dense), aslinearoperator(sp.csr_array(dense))):
        fit = sf.lstsq(A, b)
        np.testing.assert_allclose(fit.coef, wanted.coef, atol=1e-12)
        assert fit.verdict is sf.Verdict.GLOBAL_MINIMUM and fit.rank is None and "not known" in fit.certificate.claim
        assert "Stewart" in fit.backward_error_kind or "Karlson" in fit.backward_error_kind
    weighted = sf.lstsq(sp.csr_array(dense), b, weights=w, ridge=0.3)
    np.testing.assert_allclose(weighted.coef, sf.lstsq(dense, b, weights=w, ridge=0.3).coef, atol=1e-12)
    np.testing.assert_allclose(weighted.residual_length, sf.lstsq(dense, b, weights=w, ridge=0.3).residual_length)
    assert sf.lstsq(sp.csr_array(dense), np.column_stack([b, -b])).coef.shape == (60, 2)
    for call in (
        {"method": "qr"},
        {"prove": True},
        {"rank_deficient": "drop"},
        {"bounds": (0, 1), "method": "steepest"},
    ):
        with pytest.raises(ModelError):
            sf.lstsq(sp.csr_array(dense), b, **call)


def test_bounds_as_scipy_has_them_and_multipliers():
    rng = np.random.default_rng(4)
    A, b = problem(4, 300, 12)
    low, high = np.zeros(12), rng.uniform(1, 8, 12)
    fit, peer = sf.lstsq(A, b, bounds=(low, high)), lsq_linear(A, b, (low, high), method="bvls", tol=1e-14)
    np.testing.assert_allclose(fit.coef, peer.x, atol=1e-9)
    held = fit.multipliers
    slope = -2 * A.T @ (b - A @ fit.coef)
    np.testing.assert_allclose(held.bounds, np.where(held.at_lower | held.at_upper, slope, 0.0), atol=1e-9)
    assert fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM and "constraints" in fit.certificate.claim
    assert fit.backward_error < 1e-15


@pytest.mark.parametrize("call", [{}, {"weights": True}, {"ridge": 3.0}, {"weights": True, "ridge": 3.0}])
def test_bounds_and_equalities_of_sparse_matrices_and_operators(call):
    import scipy.sparse as sp
    from scipy.sparse.linalg import aslinearoperator

    A, b = problem(14, 300, 12)
    rng = np.random.default_rng(14)
    if "weights" in call:
        call = {**call, "weights": np.where(rng.random(300) < 0.1, 0.0, rng.uniform(0.5, 2, 300))}
    C, d = rng.standard_normal((2, 12)), np.array([2.0, -1.0])
    wanted = sf.lstsq(A, b, bounds=(-1, 2), equalities=(C, d), **call)
    assert (wanted.multipliers.at_lower | wanted.multipliers.at_upper).any()
    matrices = (sp.csr_array(A), sp.csc_matrix(A), aslinearoperator(A))
    for matrix, equalities in zip(matrices, (C, sp.csr_matrix(C), sp.coo_array(C)), strict=True):
        fit = sf.lstsq(matrix, b, bounds=(-1, 2), equalities=(equalities, d), **call)
        np.testing.assert_allclose(fit.coef, wanted.coef, atol=1e-13)
        np.testing.assert_allclose(C @ fit.coef, d, atol=1e-14)
        for name in ("bounds", "equalities", "at_lower", "at_upper"):
            np.testing.assert_allclose(getattr(fit.multipliers, name), getattr(wanted.multipliers, name), atol=1e-9)
        np.testing.assert_allclose([fit.residual_length[0], fit.r2], [wanted.residual_length[0], wanted.r2], rtol=1e-13)
        assert fit.verdict is sf.Verdict.GLOBAL_MINIMUM and fit.backward_error < 2e-15
        assert (
            "sign of a minimum" in fit.stop
            and "of bounds and equalities" in fit.method
            and "At a bound" in fit.summary()
        )
    by_name = sf.lstsq(A, b, method="sketch", bounds=(-1, 2), equalities=(sp.csr_array(C), d), **call)
    np.testing.assert_allclose(by_name.coef, wanted.coef, atol=1e-13)
    dense = sf.lstsq(A, b, bounds=(-1, 2), equalities=(sp.csr_array(C), d), **call)
    np.testing.assert_allclose(dense.coef, wanted.coef, rtol=0)


def test_working_sets_that_go_in_circles_are_left_for_projections():
    from surefoot.errors import BreakdownError
    from surefoot.leastsquares.constrained import Constraints, minimise_on

    rng = np.random.default_rng(4556)
    n = int(rng.integers(2, 13))
    A, b = rng.standard_normal((2 * n, n)), 3 * rng.standard_normal(2 * n)
    low = rng.standard_normal(n) - 1
    high = low + rng.integers(0, 3, n)
    C = rng.standard_normal((int(rng.integers(1, n)), n))
    d = C @ np.clip(rng.standard_normal(n), low, high)
    with pytest.raises(BreakdownError, match="did not settle"):
        minimise_on(np.linalg.qr(A, mode="r"), np.linalg.lstsq(A, b)[0], Constraints(low, high, C, d))
    fit = sf.lstsq(A, b, bounds=(low, high), equalities=(C, d))
    rest = -2 * A.T @ (b - A @ fit.coef) - C.T @ fit.multipliers.equalities
    held = fit.multipliers
    np.testing.assert_allclose(rest, held.bounds, atol=1e-11)
    np.testing.assert_allclose(C @ fit.coef, d, atol=1e-13)
    fixed = low == high
    assert np.all(held.bounds[held.at_lower & ~fixed] >= -1e-11) and np.all(
        held.bounds[held.at_upper & ~fixed] <= 1e-11
    )
    assert fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM


def test_equal_bounds_hold_from_either_side():
    A, b = problem(16, 60, 4)
    for matrix in (A, csr_array(A)):
        for value in (-5.0, 50.0):
            fit = sf.lstsq(matrix, b, bounds=([value, 0, 0, 0], [value, 9, 9, 9]))
            assert "inconclusive" not in fit.verdict.value and fit.coef[0] == value and fit.multipliers.bounds[0] != 0


@pytest.mark.parametrize("power", [-990, -500, 500, 990])
@pytest.mark.parametrize("held", [{"bounds": 1.0}, {"equalities": 2.0}, {"bounds": 1.0, "equalities": 2.0}])
def test_constraints_in_any_unit(power, held):
    A, _ = problem(17, 80, 6)
    b = A @ [2.0, -1.0, 0.5, 0.0, 1.0, 3.0] + 0.3 * A[:, ::-1].sum(axis=1) ** 2

    def fit(matrix, unit):
        given = {"bounds": (-0.5 * unit, 1.5 * unit)} if "bounds" in held else {}
        given |= {"equalities": (np.ones((1, 6)), [2.0 * unit])} if "equalities" in held else {}
        return sf.lstsq(matrix, b * unit, **given)

    for matrix in (A, csr_array(A)):
        plain, other = fit(matrix, 1.0), fit(matrix, 2.0**power)
        np.testing.assert_allclose(other.coef / 2.0**power, plain.coef, atol=1e-14)
        np.testing.assert_array_equal(other.multipliers.at_lower, plain.multipliers.at_lower)
        np.testing.assert_allclose(other.multipliers.bounds / 2.0**power, plain.multipliers.bounds, atol=1e-10)
        np.testing.assert_allclose(other.multipliers.equalities / 2.0**power, plain.multipliers.equalities, atol=1e-10)
        assert other.verdict is plain.verdict and "inconclusive" not in plain.verdict.value


def test_a_perfect_fit_at_a_bound_has_multipliers_of_rounding():
    import scipy.sparse as sp

    A, _ = problem(15, 40, 5)
    b = A @ np.array([0.0, 1.0, 0.5, 0.0, 1.0])
    for matrix in (A, sp.csr_array(A)):
        fit = sf.lstsq(matrix, b, bounds=(0, 1))
        assert fit.verdict in (sf.Verdict.UNIQUE_GLOBAL_MINIMUM, sf.Verdict.GLOBAL_MINIMUM), str(fit.certificate)
        np.testing.assert_allclose(fit.coef, [0, 1, 0.5, 0, 1], atol=1e-14)


def test_equalities_hold_to_rounding():
    A, b = problem(5, 100, 6)
    C, d = np.array([[1.0, 1, 1, 0, 0, 0], [0, 0, 1, -1, 0, 0]]), np.array([4.0, 0.0])
    fit = sf.lstsq(A, b, equalities=(C, d))
    np.testing.assert_allclose(C @ fit.coef, d, atol=1e-13)
    kkt = np.block([[2 * A.T @ A, C.T], [C, np.zeros((2, 2))]])
    wanted = np.linalg.solve(kkt, np.concatenate([2 * A.T @ b, d]))
    np.testing.assert_allclose(fit.coef, wanted[:6], rtol=1e-9)
    np.testing.assert_allclose(fit.multipliers.equalities, -wanted[6:], rtol=1e-8)


def test_tables_give_their_names_and_numbers_of_every_kind():
    import pandas as pd
    import polars as pl

    A, b = problem(6, 50, 2)
    for table in (pd.DataFrame(A, columns=["u", "v"]), pl.DataFrame({"u": A[:, 0], "v": A[:, 1]})):
        fit = sf.lstsq(table, pd.Series(b))
        assert fit.names == ("u", "v")
        np.testing.assert_allclose(fit.coef, sf.lstsq(A, b).coef, rtol=1e-14)
    whole = np.array([[1, 0], [1, 1], [1, 2]], dtype=np.int8)
    for numbers in (whole, whole.astype(np.uint16), whole.astype(bool) * 1, whole.tolist(), whole.astype(np.float16)):
        fit = sf.lstsq(numbers, [1, 2, 3])
        assert fit.coef.shape == (2,) and fit.coef.dtype == np.float64


def test_several_right_hand_sides_come_in_their_shape():
    A, b = problem(7)
    B = np.column_stack([b, -b, np.zeros_like(b)])
    fit = sf.lstsq(A, B)
    assert fit.coef.shape == fit.stderr.shape == fit.digits.shape == (4, 3) and fit.sigma.shape == (3,)
    np.testing.assert_allclose(fit.coef[:, 1], -fit.coef[:, 0], rtol=1e-13)
    assert fit.certificate.rigour is sf.Rigour.PROVEN and "shape (4, 3)" in fit.summary()
    assert sf.lstsq(A, b[:, None]).coef.shape == (4, 1)


def test_what_ran_is_said():
    A, b = of_condition(np.random.default_rng(8), 2200, 30, 1e9, 1.0)
    fit = sf.lstsq(A, b)
    assert fit.method.startswith("preconditioned Cholesky") and "before it, corrected seminormal" in fit.method
    assert sf.lstsq(A, b, method="qr").method.startswith("QR")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda A, b: sf.lstsq(A, b[:-1]), "b has shape (199,) for 200 rows"),
        (lambda A, b: sf.lstsq(A[:, 0], b), "A has 1 dimensions"),
        (lambda A, b: sf.lstsq(A.astype(complex), b), "complex128, not real numbers"),
        (lambda A, b: sf.lstsq(A.astype(str), b), "not real numbers"),
        (lambda A, b: sf.lstsq([[1, 2], [3]], [1, 2]), "rows of equal length"),
        (lambda A, b: sf.lstsq(np.full((2, 1), 2**60 + 1), [1, 2]), "beyond 2^53"),
        (lambda A, b: sf.lstsq(np.ma.masked_greater(A, 1), b), "masked value at"),
        (lambda A, b: sf.lstsq(A, b, method="magic"), "There is no method 'magic'"),
        (lambda A, b: sf.lstsq(A, b, weights=-np.ones(200)), "The weight of row 0"),
        (lambda A, b: sf.lstsq(A, b, weights=np.ones(3)), "one for each of the 200 rows"),
        (lambda A, b: sf.lstsq(A, b, weights=np.full(200, np.nan)), "weights has a value"),
        (lambda A, b: sf.lstsq(A, b, ridge=-1), "penalty is -1"),
        (lambda A, b: sf.lstsq(A, b, bounds=(1, 0)), "allow nothing: 1 to 0"),
        (lambda A, b: sf.lstsq(A, b, bounds=5), "bounds is a pair"),
        (lambda A, b: sf.lstsq(A, b, bounds=([0, 0], 1)), "each a number or one for each of the 4"),
        (lambda A, b: sf.lstsq(A, b, equalities=([[1, 1]], [0])), "C has shape (1, 2)"),
        (lambda A, b: sf.lstsq(A, b, equalities=([[0, 0, 0, 0]], [1])), "No coefficients satisfy"),
        (lambda A, b: sf.lstsq(csr_array(A), b, equalities=([[0, 0, 0, 0]], [1])), "No coefficients satisfy"),
        (lambda A, b: sf.lstsq(csr_array(A), b, equalities=(csr_array([[1.0, 1]]), [0])), "C has shape (1, 2)"),
        (lambda A, b: sf.lstsq(csr_array(A), b, equalities=(csr_array([[np.nan, 0, 0, 0]]), [0])), "no finite number"),
        (lambda A, b: sf.lstsq(csr_array(A), np.column_stack([b, b]), bounds=(0, 1)), "one right-hand side"),
        (lambda A, b: sf.lstsq(A, b, method="gradient", bounds=(0, 1)), "takes no bounds and no equalities"),
        (lambda A, b: sf.lstsq(A, np.column_stack([b, b]), bounds=(0, 1)), "one right-hand side"),
        (lambda A, b: sf.lstsq(A, b, names=["a"]), "one name a column"),
        (lambda A, b: sf.lstsq(A, b, names=["a", "a", "b", "c"]), "different names"),
        (lambda A, b: sf.lstsq(A, b, level=95), "A confidence level lies between 0 and 1"),
        (lambda A, b: sf.lstsq(A, b, rank_deficient="x"), "rank_deficient is one of"),
        (lambda A, b: sf.lstsq(np.ones((5, 2)), np.ones(5), rank_deficient="error"), "Only 1 of the 2 columns"),
        (lambda A, b: sf.lstsq(A, b, exact=True, bounds=(0, 1)), "not offered with bounds"),
        (lambda A, b: sf.lstsq(A, b, compare=True, ridge=1), "not offered with a ridge"),
        (lambda A, b: sf.lstsq(np.column_stack([A, A]), b, exact=True), "depend on each other exactly"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_a_sentence(call, words):
    with pytest.raises((DataError, ModelError)) as caught:
        call(*problem())
    assert words in str(caught.value)


def test_other_roads_beside():
    A, b = problem()
    fit = sf.lstsq(A, b, compare=True)
    assert fit.roads is not None and "conjugate gradients" in fit.summary()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([20, 3000]))
def test_laws(seed, rows):
    """Units of columns, order of rows and columns, and doubled rows for weights of two do not matter."""
    rng = np.random.default_rng(seed)
    A, b = rng.standard_normal((rows, 25 if rows > 25 else 5)), rng.standard_normal(rows)
    columns = A.shape[1]
    fit = sf.lstsq(A, b, prove=False)
    units = np.exp2(rng.integers(-60, 60, columns).astype(float))
    np.testing.assert_allclose(sf.lstsq(A * units, b, prove=False).coef * units, fit.coef, rtol=1e-11, atol=1e-14)
    order, turn = rng.permutation(rows), rng.permutation(columns)
    moved = sf.lstsq(A[order][:, turn], b[order], prove=False)
    np.testing.assert_allclose(moved.coef, fit.coef[turn], rtol=1e-10, atol=1e-13)
    twice = rng.integers(1, 3, rows)
    doubled = sf.lstsq(np.repeat(A, twice, axis=0), np.repeat(b, twice), prove=False)
    np.testing.assert_allclose(
        sf.lstsq(A, b, weights=twice.astype(float), prove=False).coef, doubled.coef, rtol=1e-10, atol=1e-13
    )


def test_the_pieces_of_an_empty_problem():
    fit = sf.lstsq(np.zeros((3, 0)), [1.0, 2.0, 3.0])
    assert fit.coef.shape == (0,) and fit.residuals().tolist() == [1.0, 2.0, 3.0]
    assert "3 rows, 0 columns" in fit.summary()
    none = sf.lstsq(np.zeros((0, 2)), np.zeros(0))
    assert none.verdict is sf.Verdict.GLOBAL_MINIMUM and none.rank == 0


def test_both_kinds_of_fit_answer_the_same_questions():
    """A fit of arrays and one of a formula are both ``sf.Fit``: by name, tested, as a table."""
    A, b = problem()
    arrays = sf.lstsq(A, b, names=["p", "q", "r", "s"])
    formula = sf.fit("b ~ 0 + p + q + r + s", dict(zip("pqrs", A.T, strict=True)) | {"b": b})
    assert isinstance(arrays, sf.Fit) and isinstance(formula, sf.Fit)
    for fit in (arrays, formula):
        assert fit["q"].value == pytest.approx(2.02, abs=0.01) and fit["q"].interval[0] < 2 < fit["q"].interval[1]
    assert arrays.test("p = q").p == pytest.approx(formula.test("p = q").p, rel=1e-9)
    assert arrays.test("p + q = 3, s = 4").f == pytest.approx(formula.test("p + q = 3, s = 4").f, rel=1e-9)
    assert arrays.table().column_names == formula.table().column_names
    with pytest.raises(KeyError, match="no coefficient named 'z'"):
        arrays["z"]
    with pytest.raises(ModelError, match="one right-hand side"):
        sf.lstsq(A, np.column_stack([b, b]))["x0"]
    flat = sf.lstsq(np.column_stack([A, A[:, 0]]), b, names=["p", "q", "r", "s", "t"])
    assert flat.test("p + t = 0").p < 0.01
    with pytest.raises(ModelError, match="do not determine"):
        flat.test("p = 0")
    ridge = sf.lstsq(A, b, ridge=7.5)
    assert np.sqrt(np.diag(ridge.covariance_factor @ ridge.covariance_factor.T)) == pytest.approx(ridge.stderr)


def test_fits_of_arrays_are_not_compared_with_fits_of_formulas():
    A, b = problem()
    with pytest.raises(ModelError, match="takes fits of formulas"):
        sf.compare(sf.lstsq(A, b), sf.lstsq(A[:, :2], b))


@pytest.mark.parametrize(
    "wide",
    [
        [Fraction(1, 3), 1, 2],
        [Decimal("0.1"), 1, 2],
        [2**70 + 1, 1.5, 2],
        np.array([1, 2, 3], dtype=np.longdouble) / 3,
    ],
)
def test_nothing_is_proven_of_numbers_that_no_double_holds(wide):
    ones = np.ones((3, 1))
    for A, b, weights in ((ones, wide, None), (np.array(wide)[:, None], ones[:, 0], None), (ones, ones[:, 0], wide)):
        fit = sf.lstsq(A, b, weights=weights)
        assert fit.certificate.rigour.value != "proven" and "more digits than a double" in fit.certificate.lines[-1]
        with pytest.raises(ModelError, match="more digits than a double"):
            sf.lstsq(A, b, weights=weights, exact=True)


def test_whole_numbers_just_beyond_doubles_are_refused():
    for wide in (np.array([2**53 + 1, 1]), np.array([-(2**53) - 1, 1]), np.array([2**64 - 1, 1], dtype=np.uint64)):
        with pytest.raises(DataError, match="beyond 2\\^53"):
            sf.lstsq(np.ones((2, 1)), wide)
    assert sf.lstsq(np.ones((2, 1)), np.array([2**53, 2**53])).certificate.rigour.value == "proven"


def test_tables_with_numbers_that_no_double_holds_are_not_proven():
    for column in ([2**53 + 1, 1, 3], [Decimal("0.1"), Decimal("0.2"), Decimal("0.7")]):
        fit = sf.lstsq(pa.table({"a": column}), [1.0, 2.0, 4.0])
        assert fit.certificate.rigour.value != "proven"
    assert sf.lstsq(pa.table({"a": [2**50, 1, 3]}), [1.0, 2.0, 4.0]).certificate.rigour.value == "proven"


def test_proven_statistics_are_those_of_the_proof():
    rng = np.random.default_rng(0)
    x = rng.normal(size=50)
    sides = np.column_stack([1e15 + 30 * np.round(x, 1) + rng.integers(-9, 9, 50), x + rng.normal(size=50)])
    A = np.column_stack([np.ones(50), x])
    many = sf.lstsq(A, sides, exact=True)
    assert np.array_equal(many.r2, many.exact.r2.value) and np.array_equal(many.sigma, many.exact.sigma.value)
    one = sf.lstsq(A, sides[:, 0], exact=True)
    assert one.r2 == many.r2[0] and one.sigma == many.sigma[0]


def test_columns_that_only_exact_arithmetic_tells_apart_all_count():
    rng = np.random.default_rng(1)
    x, b = rng.normal(size=20), rng.normal(size=20)
    near = x.copy()
    near[3] = np.nextafter(near[3], 9)
    A = np.column_stack([np.ones(20), x, near])
    for how in ("drop", "minimum-norm"):
        fit = sf.lstsq(A, b, exact=True, rank_deficient=how)
        assert (fit.rank, fit.df_residual, fit.aliased) == (3, fit.exact.df_residual, {})
        assert fit.condition > 1e15 and "aliased" not in fit.summary() and "on 17 df" in fit.summary()
