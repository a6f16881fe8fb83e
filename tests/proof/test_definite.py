"""Definiteness of rational matrices, against exact characteristic polynomials and made-up spectra."""

from fractions import Fraction

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.proof.definite import definiteness, form, is_positive_definite, smallest_eigenvalue

entries = st.integers(-4, 4).map(lambda k: fmpq(k)) | st.integers(-9, 9).map(lambda k: fmpq(k, 7))


def symmetric(size, values):
    rows = [[fmpq(0)] * size for _ in range(size)]
    places = [(i, j) for i in range(size) for j in range(i + 1)]
    for (i, j), value in zip(places, values, strict=True):
        rows[i][j] = rows[j][i] = value
    return fmpq_mat(rows)


matrices = st.integers(1, 5).flatmap(
    lambda n: st.lists(entries, min_size=n * (n + 1) // 2, max_size=n * (n + 1) // 2).map(lambda v: symmetric(n, v))
)


def is_semidefinite_by_minors(matrix):
    """Every principal minor is at least 0: slow, and sure."""
    n = matrix.nrows()
    for chosen in range(1, 2**n):
        places = [k for k in range(n) if chosen >> k & 1]
        block = fmpq_mat(len(places), len(places), [matrix[i, j] for i in places for j in places])
        if block.det() < 0:
            return False
    return True


@given(matrices)
@settings(max_examples=300, deadline=None)
def test_every_matrix_is_decided_as_its_principal_minors_decide(matrix):
    decided = definiteness(matrix)
    assert decided.is_positive_semidefinite == is_semidefinite_by_minors(matrix)
    assert decided.rank == matrix.rank()
    assert decided.is_positive_definite == is_positive_definite(matrix)
    if decided.down is not None:
        assert form(matrix, decided.down) < 0
    if decided.is_positive_definite:
        mu = smallest_eigenvalue(matrix)
        n = matrix.nrows()
        step = fmpq(mu.numerator, mu.denominator)
        lowered = matrix - fmpq_mat(n, n, [step * (i == j) for i in range(n) for j in range(n)])
        assert mu > 0 and is_semidefinite_by_minors(lowered)


@given(matrices)
@settings(max_examples=100, deadline=None)
def test_a_gram_matrix_is_semidefinite_and_a_little_less_of_a_singular_one_is_not(matrix):
    n = matrix.nrows()
    gram = matrix.transpose() * matrix
    assert definiteness(gram).is_positive_semidefinite
    if gram.rank() < n:
        tiny = fmpq(1, 10**40)
        lowered = gram - fmpq_mat(n, n, [tiny * (i == j) for i in range(n) for j in range(n)])
        decided = definiteness(lowered)
        assert decided.down is not None and form(lowered, decided.down) < 0


@pytest.mark.parametrize("digits", [5, 12, 30, 100])
def test_an_eigenvalue_next_to_zero_is_seen_on_its_side(digits):
    for sign in (1, -1):
        tiny = sign * fmpq(1, 10**digits)
        # Congruent to diag(1, tiny, 10^6): the smallest eigenvalue has the sign of tiny.
        T = fmpq_mat([[1, 2, 3], [4, 5, 7], [2, 9, 1]])
        matrix = T.transpose() * fmpq_mat([[1, 0, 0], [0, tiny, 0], [0, 0, 10**6]]) * T
        assert definiteness(matrix).is_positive_definite == (sign > 0)


def test_a_zero_diagonal_with_something_beside_it_is_indefinite():
    assert definiteness(fmpq_mat([[0, 1], [1, 0]])).down is not None
    assert definiteness(fmpq_mat([[0, 0], [0, 0]])).is_positive_semidefinite
    assert definiteness(fmpq_mat([[1, 1, 0], [1, 1, 1], [0, 1, 1]])).down is not None


def test_the_hilbert_matrix_is_positive_definite_and_its_eigenvalue_is_bounded_from_below():
    n = 12
    hilbert = fmpq_mat(n, n, [fmpq(1, i + j + 1) for i in range(n) for j in range(n)])
    # trace(H^-1) lies between the largest eigenvalue of the inverse and n times it; it is a whole number here.
    trace = Fraction(int(sum((hilbert.inv()[k, k] for k in range(n)), fmpq(0)).p))
    assert 1 / trace <= smallest_eigenvalue(hilbert) <= n / trace
