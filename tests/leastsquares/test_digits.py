"""The digits that a fit claims, against those that it has: the truth is the exact solution of the doubles."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import surefoot as sf
from exact import correct, solve
from nistdata import NAMES, digits, load
from surefoot.leastsquares.digits import MOST, bound_from_triangle, digits_of
from surefoot.leastsquares.solution import solve as solve_triangle
from surefoot.leastsquares.triangle import Triangle

SEEDS = st.integers(0, 2**32 - 1)
WAYS = [{"refine": refine, "diagnostics": diagnostics} for refine in (False, True) for diagnostics in (False, True)]


def true_digits(coef, truth):
    return np.array([min(MOST, correct(a, b)) for a, b in zip(coef, truth.coef, strict=True)])


def random_problem(seed, log_condition, log_residual, ragged=False):
    """Columns of a given condition in units of their own; rows too, if ragged."""
    rng = np.random.default_rng(seed)
    columns = int(rng.integers(1, 5))
    rows = int(rng.integers(columns + 1, 40))
    left, _ = np.linalg.qr(rng.standard_normal((rows, columns)))
    right, _ = np.linalg.qr(rng.standard_normal((columns, columns)))
    X = left * np.logspace(0, -log_condition, columns) @ right.T
    X = X * 10.0 ** rng.uniform(-5, 5, columns)
    if ragged:
        X = X * 10.0 ** rng.uniform(-4, 4, (rows, 1))
    y = X @ (rng.standard_normal(columns) / np.linalg.norm(X, axis=0))
    noise = rng.standard_normal(rows) * np.linalg.norm(y) / np.sqrt(rows)
    return X, y + (0.0 if log_residual is None else 10.0**log_residual) * noise


def fitted(X, y, **options):
    names = [f"x{j}" for j in range(X.shape[1])]
    data = dict(zip(names, X.T, strict=True)) | {"y": y}
    return sf.fit("y ~ 0 + " + " + ".join(names), data, **options)


@settings(max_examples=25, deadline=None)
@given(
    SEEDS,
    st.floats(0, 12),
    st.none() | st.floats(-16, 3),
    st.booleans(),
    st.integers(1, 40),
)
def test_never_more_than_one_digit_too_many(seed, log_condition, log_residual, ragged, size):
    X, y = random_problem(seed, log_condition, log_residual, ragged)
    truth = solve(X, y)
    for way in WAYS:
        fit = fitted(X, y, batch_rows=size, **way)
        kept = fit.solution.kept
        if len(kept) < X.shape[1]:  # a ragged problem can be beyond rounding: then nothing is claimed of all columns
            assert np.isnan(fit.digits).any()
            continue
        assert np.all(fit.digits <= true_digits(fit.coef, truth) + 1), way


@settings(max_examples=12, deadline=None)
@given(SEEDS, st.floats(0, 1), st.floats(-3, 1))
def test_not_absurdly_low_where_the_problem_is_easy(seed, log_condition, log_residual):
    rng = np.random.default_rng(seed)
    X, y = random_problem(seed, log_condition, log_residual)
    # Coefficients of one size: what cancels to nearly zero has few digits, and truly so.
    y = y + X @ (rng.uniform(1, 2, X.shape[1]) * np.linalg.norm(y) / np.linalg.norm(X, axis=0))
    truth = solve(X, y)
    large = np.array([abs(float(b)) * n for b, n in zip(truth.coef, np.linalg.norm(X, axis=0), strict=True)])
    sizeable = large > 0.1 * np.linalg.norm(y)
    for way in WAYS:
        fit = fitted(X, y, **way)
        assert np.all(fit.digits[sizeable] >= true_digits(fit.coef, truth)[sizeable] - 4), way
        assert np.all(fit.digits[sizeable] >= 11), way


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_nist_never_more_than_one_digit_too_many(name, way):
    nist = load(name)
    fit = sf.fit(nist.formula, str(nist.path), **way)
    of_rounded_powers = true_digits(fit.coef, solve(nist.design(), nist.columns["y"]))
    certified = [min(MOST, digits(a, b)) for a, b in zip(fit.coef, nist.coefficients, strict=True)]
    # NIST certifies 15 digits, so nothing beyond 14 can be held against it.
    assert np.all(np.minimum(fit.digits, 14.0) <= np.array(certified) + 1)
    assert np.all(fit.digits <= of_rounded_powers + 1)
    assert np.all(fit.digits >= {"Filip": 5, "Wampler5": 4, "Wampler4": 6}.get(name, 8))


@pytest.mark.parametrize("rows", [100, 3000])
@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_a_long_chain_of_small_batches_claims_less(rows, columns, noise):
    """Each factorisation rounds; a chain of thousands of them loses a digit or two, and says so."""
    rng = np.random.default_rng(rows + columns)
    X = rng.standard_normal((rows, columns))
    y = X @ rng.standard_normal(columns) + noise * rng.standard_normal(rows)
    truth, table = solve(X, y), np.column_stack([X, y])
    parts = [Triangle.of(table[k : k + 1]) for k in range(rows)]
    for merged in (
        reduce(Triangle.merge, parts),
        reduce(lambda a, b: a.merge(b).compact(), parts),
        Triangle.of(table),
    ):
        found = solve_triangle(merged, columns)
        claimed = digits_of(found, bound_from_triangle(found))
        assert np.all(claimed <= true_digits(found.coef, truth) + 1)
        assert np.all(claimed >= 11)


def test_the_second_look_sharpens_the_bound_of_a_refined_fit():
    nist = load("Wampler2")
    without = sf.fit(nist.formula, str(nist.path), refine=True, diagnostics=False)
    assert np.all(without.diagnose().digits >= without.digits)
    assert without.diagnose().digits.min() > without.digits.min()


def test_a_coefficient_of_exactly_zero_has_all_its_digits_or_none():
    fit = sf.fit("y ~ x", {"x": [1.0, 2.0, 3.0, 4.0], "y": [0.0, 0.0, 0.0, 0.0]})
    assert fit.coef.tolist() == [0.0, 0.0]
    assert fit.digits.tolist() == [MOST, MOST]  # the bound is zero: no rounding took place
    fit = sf.fit("y ~ x", {"x": [-1.0, 0.0, 1.0], "y": [1.0, -2.0, 1.0]})
    assert abs(fit.coef[1]) < 1e-15
    assert fit.digits[1] == 0.0  # not one digit of what cancels is determined


def test_dropped_coefficients_have_no_digits():
    fit = sf.fit("y ~ x + z", {"x": [1.0, 2.0, 3.0, 5.0], "z": [2.0, 4.0, 6.0, 10.0], "y": [1.0, 2.0, 3.0, 4.0]})
    assert np.isnan(fit.digits).tolist() == [False, False, True]
