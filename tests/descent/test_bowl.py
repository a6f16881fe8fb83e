"""The bowl as a walk sees it: one pass whatever is asked, the same from every kind of rows, at every scale."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bowls import with_singular_values
from surefoot.descent.bowl import Bowl
from surefoot.errors import DataError

RNG = np.random.default_rng(31)
A = RNG.standard_normal((60, 4)) * [1.0, 10.0, 0.1, 3.0]
B = RNG.standard_normal(60)
W = RNG.uniform(0.2, 5.0, 60)


class Counted:
    """Rows that know how often they were read, in blocks of any size."""

    def __init__(self, A, b, weights=None, rows=7):
        self.A, self.b, self.weights, self.rows = A, b, weights, rows
        self.passes = 0

    def __call__(self):
        self.passes += 1
        for at in range(0, len(self.b), self.rows):
            here = slice(at, at + self.rows)
            yield self.A[here], self.b[here], None if self.weights is None else self.weights[here]


class Hidden:
    """An operator that shows nothing of its entries."""

    def __init__(self, A):
        self.A, self.shape = A, A.shape

    def matvec(self, x):
        return self.A @ x

    def rmatvec(self, y):
        return self.A.T @ y


def exactly(A, b, w, x):
    """Value and gradient in exact rational arithmetic."""
    rows = [[Fraction(float(v)) for v in row] for row in A]
    b, x = [Fraction(float(v)) for v in b], [Fraction(float(v)) for v in x]
    w = [Fraction(1)] * len(b) if w is None else [Fraction(float(v)) for v in w]
    residual = [y - sum(p * q for p, q in zip(row, x, strict=True)) for row, y in zip(rows, b, strict=True)]
    value = sum(s * r * r for s, r in zip(w, residual, strict=True))
    gradient = [-2 * sum(s * r * row[j] for s, r, row in zip(w, residual, rows, strict=True)) for j in range(len(x))]
    return float(value), np.array([float(one) for one in gradient])


@pytest.mark.parametrize("weights", [None, W], ids=["plain", "weighted"])
def test_value_gradient_and_product_against_exact_arithmetic(weights):
    x, p = RNG.standard_normal(4), RNG.standard_normal(4)
    bowl = Bowl.of_arrays(A, B, weights)
    here, bent = bowl.see_along(x, p)
    value, gradient = exactly(A, B, weights, x)
    assert here.value == pytest.approx(value, rel=1e-14)
    assert here.gradient == pytest.approx(gradient, rel=1e-13, abs=1e-13 * np.linalg.norm(gradient))
    difference = exactly(A, B, weights, x + p)[1] - exactly(A, B, weights, x)[1]
    assert bent == pytest.approx(difference, rel=1e-12, abs=1e-12 * np.linalg.norm(difference))
    assert bowl.bend(x, p) == pytest.approx(bent, rel=1e-14)
    assert np.linalg.norm(here.gradient - gradient) <= bowl.floor(here, 0.0).gradient


def test_gradient_at_the_minimiser_is_below_the_floor_of_noise_and_above_it_a_little_away():
    A, b, x = with_singular_values([1, 0.3, 0.05], rows=500, residual=1.0, seed=3)
    bowl = Bowl.of_arrays(A, b)
    here = bowl.see(x)
    assert here.steepness <= bowl.floor(here, 0.0).gradient
    away = bowl.see(x * (1 + 1e-11))
    assert away.steepness > bowl.floor(away, 0.0).gradient


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("rows", [1, 3, 59, 60, 1000])
def test_a_stream_sees_what_arrays_in_memory_see(rows, scaled):
    x, p = RNG.standard_normal(4), RNG.standard_normal(4)
    memory, stream = Bowl.of_arrays(A, B, W, scaled=scaled), Bowl.of_blocks(Counted(A, B, W, rows), 4, scaled=scaled)
    one, other = memory.see_along(x, p), stream.see_along(x, p)
    assert other[0].value == pytest.approx(one[0].value, rel=1e-14)
    assert other[0].gradient == pytest.approx(one[0].gradient, rel=1e-13)
    assert other[1] == pytest.approx(one[1], rel=1e-13)


def test_every_question_is_one_pass():
    rows = Counted(A, B)
    bowl = Bowl.of_blocks(rows, 4)
    x = np.zeros(4)
    for ask in (lambda: bowl.see(x), lambda: bowl.see_along(x, np.ones(4)), lambda: bowl.bend(x, np.ones(4))):
        before = rows.passes
        ask()
        assert rows.passes - before == 1
        assert bowl.passes == rows.passes


def test_sparse_rows_and_operators_are_the_same_bowl():
    from scipy import sparse
    from scipy.sparse.linalg import aslinearoperator

    thin = np.where(RNG.random(A.shape) < 0.3, A, 0.0)
    x, p = RNG.standard_normal(4), RNG.standard_normal(4)
    dense = Bowl.of_arrays(thin, B, W)
    kinds = [
        sparse.csr_matrix(thin),
        sparse.csc_array(thin),
        sparse.coo_array(thin),
        aslinearoperator(thin),
        Hidden(thin),
    ]
    for kind in kinds:
        bowl = Bowl.of_arrays(kind, B, W)
        one, other = dense.see_along(x, p), bowl.see_along(x, p)
        assert other[0].value == pytest.approx(one[0].value, rel=1e-13)
        assert other[0].gradient == pytest.approx(one[0].gradient, rel=1e-12)
        assert other[1] == pytest.approx(one[1], rel=1e-12)
    scaled, both = Bowl.of_arrays(kinds[0], B, W, scaled=True), Bowl.of_arrays(thin, B, W, scaled=True)
    assert scaled.see(x).gradient == pytest.approx(both.see(x).gradient, rel=1e-12)


def test_scaled_is_the_bowl_of_columns_of_length_one():
    root = np.sqrt(W)[:, None]
    unit = A / np.linalg.norm(root * A, axis=0)
    x, p = RNG.standard_normal(4), RNG.standard_normal(4)
    scaled, plain = Bowl.of_arrays(A, B, W, scaled=True), Bowl.of_arrays(unit, B, W)
    assert scaled.see(x).gradient == pytest.approx(plain.see(x).gradient, rel=1e-12)
    assert scaled.bend(x, p) == pytest.approx(plain.bend(x, p), rel=1e-12)
    coef = scaled.to_coefficients(x)
    assert A @ coef == pytest.approx(unit @ x, rel=1e-12)
    assert scaled.from_coefficients(coef) == pytest.approx(x, rel=1e-14)


@given(st.sampled_from([2.0**-900, 2.0**-300, 1.0, 2.0**300, 2.0**900]),
       st.sampled_from([2.0**-900, 1.0, 2.0**900]), st.booleans())  # fmt: skip
def test_powers_of_two_in_the_columns_and_the_response_change_no_bit_of_the_walked_bowl(column, response, scaled):
    assume(2.0**-1000 < response / column < 2.0**1000)
    x, p = np.array([0.3, -1.0, 2.0, 0.1]), np.array([1.0, 0.5, -0.2, 0.7])
    one = Bowl.of_arrays(A, B, scaled=scaled)
    with np.errstate(under="ignore"):
        other = Bowl.of_arrays(A * column, B * response, scaled=scaled)
    # Points of the walk differ by a power of two where the units themselves are walked on.
    ratio = response / other.response_unit * (1.0 if scaled else other.column_unit / column)
    seen, there = one.see_along(x, p), other.see_along(x * ratio, p * ratio)
    assert np.all(np.isfinite(there[0].gradient)) and np.isfinite(there[0].value)
    assert other.to_coefficients(x * ratio) * (column / response) == pytest.approx(one.to_coefficients(x), rel=1e-15)
    slope, other_slope = seen[0].gradient, there[0].gradient
    assert other_slope / np.linalg.norm(other_slope) == pytest.approx(slope / np.linalg.norm(slope), rel=1e-13)


def test_rows_of_weight_zero_and_rows_of_zeros_change_nothing_that_matters():
    x = RNG.standard_normal(4)
    plain = Bowl.of_arrays(A, B, W).see(x)
    more = Bowl.of_arrays(np.vstack([A, A[:3], np.zeros((2, 4))]), np.concatenate([B, B[:3], [0.0, 0.0]]),
                          np.concatenate([W, np.zeros(3), np.ones(2)])).see(x)  # fmt: skip
    assert more.value == pytest.approx(plain.value, rel=1e-14)
    assert more.gradient == pytest.approx(plain.gradient, rel=1e-13)


def test_integers_and_single_precision_are_taken_as_the_numbers_that_they_are():
    whole = np.arange(12).reshape(6, 2)
    x = np.array([0.5, -0.25])
    exact = Bowl.of_arrays(whole.astype(float), np.arange(6.0)).see(x)
    for kind in (np.int8, np.uint16, np.int64, np.float32):
        seen = Bowl.of_arrays(whole.astype(kind), np.arange(6).astype(kind)).see(x)
        assert (seen.value, seen.gradient.tolist()) == (exact.value, exact.gradient.tolist())


BAD = {
    "A has two dimensions": ([1.0, 2.0], [1.0, 2.0], None),
    "b has shape (2,), but A has 3 rows": (np.ones((3, 2)), [1.0, 2.0], None),
    "b, row 2: nan is not a finite number": (np.ones((3, 2)), [1.0, np.nan, 2.0], None),
    "column 2, row 3: inf is not a finite number": ([[1, 1], [1, 1], [1, np.inf]], [1, 2, 3], None),
    "The weight of row 2 is -1": (np.ones((3, 2)), [1.0, 1.0, 2.0], [1, -1, 1]),
    "A holds complex128, not real numbers": (np.ones((3, 2)) * 1j, [1.0, 1.0, 2.0], None),
    "A holds object, not real numbers": (np.array([["a"], [None]], dtype=object), [1.0, 1.0], None),
}


@pytest.mark.parametrize("message", BAD)
def test_rows_that_cannot_be_used_are_refused_in_a_sentence(message):
    with pytest.raises(DataError) as refused:
        Bowl.of_arrays(*BAD[message])
    assert message in str(refused.value)


def test_a_number_that_is_not_finite_in_a_sparse_matrix_is_found():
    from scipy import sparse

    with pytest.raises(DataError, match="column 2, row 3: nan is not a finite number"):
        Bowl.of_arrays(sparse.csr_matrix([[1.0, 0], [0, 1], [1, np.nan]]), [1.0, 2.0, 3.0])


def test_the_columns_of_an_operator_cannot_be_scaled():
    with pytest.raises(DataError, match="cannot be scaled to length one"):
        Bowl.of_arrays(Hidden(A), B, scaled=True)


def test_blocks_larger_than_the_cache_are_cut_without_a_change(monkeypatch):
    x, p = RNG.standard_normal(4), RNG.standard_normal(4)
    whole = Bowl.of_arrays(A, B, W).see_along(x, p)
    for size in (1, 4, 5, 33, 239):
        monkeypatch.setattr("surefoot.descent.bowl.CACHED", size)
        cut = Bowl.of_arrays(A, B, W).see_along(x, p)
        assert cut[0].value == pytest.approx(whole[0].value, rel=1e-14)
        assert cut[1] == pytest.approx(whole[1], rel=1e-13)


@pytest.mark.parametrize(("tall", "order"), list(itertools.product((3, 60), "CF")))
def test_wide_and_tall_in_either_order_of_memory(tall, order):
    rows = np.array(A[:tall], order=order)
    x = np.ones(4)
    assert Bowl.of_arrays(rows, B[:tall]).see(x).gradient == pytest.approx(-2 * A[:tall].T @ (B[:tall] - A[:tall] @ x))
