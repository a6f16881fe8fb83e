"""Residuals and gradients in twice the precision: their errors, by exact arithmetic, are below their bounds."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import exact
from surefoot.proof import scaled_rows
from surefoot.proof.rounding import UNIT
from surefoot.proof.scaled_rows import scale_rows
from surefoot.proof.slope import Centre, _cut, _gradient, _residual, enclose_slope, residual_error, slope_bits
from surefoot.proof.spectrum import prove_spectrum

SEEDS = st.integers(0, 2**32 - 1)
BITS = st.sampled_from([2, 4, 8, 14, 20])


def fractions(matrix):
    return [[exact._fraction(matrix[i, j]) for j in range(matrix.ncols())] for i in range(matrix.nrows())]


def cancelling(rng, m, n):
    """Rows for which b - Az is mostly cancellation."""
    A = rng.uniform(-1, 1, (m, n)) * 10.0 ** rng.uniform(-6, 0, (m, n))
    z = rng.standard_normal((n, 1)) * 10.0 ** rng.uniform(-3, 3)
    b = np.clip(A @ z / np.abs(A @ z).max(), -0.99, 0.99)
    return A, z / np.abs(A @ z).max(), b


@settings(max_examples=150, deadline=None)
@given(SEEDS, BITS, st.integers(1, 9))
def test_a_residual_is_within_its_error(seed, bits, n):
    rng = np.random.default_rng(seed)
    A, z, b = cancelling(rng, 7, n)
    centre = Centre.near(z, z * UNIT * rng.uniform(-1, 1, z.shape), bits)
    high, low = _residual(_cut(A, bits), b, centre)
    left = exact.matrix(A.T)
    fitted = left * (exact.matrix(centre.head.T) + exact.matrix(centre.third.T))
    wrong = exact.matrix(b.T) - fitted - exact.matrix(high.T) - exact.matrix(low.T)
    bound = Fraction(float(residual_error(centre, n, bits)[0]))
    assert max(abs(value) for (value,) in fractions(wrong)) <= bound


@settings(max_examples=150, deadline=None)
@given(SEEDS, BITS, st.integers(1, 4), st.booleans())
def test_a_gradient_is_within_its_error(seed, bits, n, weighted):
    rng = np.random.default_rng(seed)
    A = rng.uniform(-1, 1, (11, n)) * 10.0 ** rng.uniform(-6, 0, (11, n))
    high = rng.standard_normal((11, 1)) * 10.0 ** rng.uniform(-9, 3)
    high -= A @ np.linalg.lstsq(A, high, rcond=None)[0]  # perpendicular to the columns, but for rounding
    low = high * UNIT * rng.uniform(-1, 1, (11, 1))
    omega = rng.uniform(1.0, 4.0, 11) if weighted else None
    exact_parts, small, rounded, lengths = _gradient(_cut(A, bits), omega, (high, low), bits)
    scale = np.ones(11) if omega is None else omega
    side = exact.matrix(high.T) + exact.matrix(low.T)
    weighted_side = exact.fmpq_mat(11, 1, [side[i, 0] * exact.rationals(scale)[i] for i in range(11)])
    truth = exact.matrix(A.T).transpose() * weighted_side
    for part in (*exact_parts, small):
        truth = truth - exact.matrix(part.T)
    assert max(abs(value) for (value,) in fractions(truth)) <= Fraction(float(rounded[0]))
    assert lengths[0] == pytest.approx(float(np.sum(scale * high[:, 0] ** 2)), rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 4), st.floats(0, 8), st.booleans())
def test_the_slope_is_within_its_error(seed, n, decades, short):
    rng = np.random.default_rng(seed)
    A = rng.uniform(-0.9, 0.9, (12, n)) * np.geomspace(1.0, 10.0**-decades, n)
    b = rng.uniform(-0.9, 0.9, (12, 1))
    with pytest.MonkeyPatch.context() as patch:
        if short:
            patch.setattr(scaled_rows, "_FEWEST", 3)
            patch.setattr(scaled_rows, "_MOST", 4)
        rows = scale_rows(A, b, None, 0.0)
        spectrum = prove_spectrum(rows, None)
        z = np.linalg.lstsq(A, b, rcond=None)[0] * 2.0 ** (rows.column_exponents - rows.rhs_exponents)[:, None]
        centre = Centre.near(z, 0.0 * z, slope_bits(rows))
        slope = enclose_slope(rows, spectrum, centre)
        scaled = np.vstack([block[0] for block in rows.blocks()])
        side = np.vstack([block[1] for block in rows.blocks()])
    left, S = exact.matrix(scaled.T), exact.matrix(spectrum.S.T)
    residual = exact.matrix(side.T) - left * (exact.matrix(centre.head.T) + exact.matrix(centre.third.T))
    wrong = S.transpose() * (left.transpose() * residual) - exact.matrix(slope.value.T)
    assert sum(value**2 for (value,) in fractions(wrong)) <= Fraction(float(slope.error[0])) ** 2
    squares = sum(value**2 for (value,) in fractions(residual))
    lower, upper = (Fraction(float(bound[0])) for bound in slope.residual)
    assert lower**2 <= squares <= upper**2


def test_candidates_that_are_no_numbers_become_zero():
    high = np.array([[np.nan, 1.0, np.inf, 1e300], [0.5, 0.5, 0.5, 0.5]])
    centre = Centre.near(high, np.full((2, 4), np.nan), 20)
    np.testing.assert_array_equal(centre.head + centre.third, [[0.0, 1.0, 0.0, 0.0], [0.0, 0.5, 0.0, 0.0]])
