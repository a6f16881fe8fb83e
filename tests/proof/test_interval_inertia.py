"""Proven signs of eigenvalues against exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from surefoot.proof.interval import Interval
from surefoot.proof.interval_inertia import signs


def negative_exactly(matrix):
    """Negative roots of the characteristic polynomial with multiplicity, by Descartes: all roots are real."""
    rows = [[fmpq(*Fraction(float(entry)).as_integer_ratio()) for entry in row] for row in matrix]
    coefficients = [int(c.p) * (1 if c.q > 0 else -1) for c in fmpq_mat(rows).charpoly().coeffs()]
    flipped = [c * (-1) ** k for k, c in enumerate(coefficients) if c]
    changes = [a * b < 0 for a, b in pairwise(flipped)]
    return sum(changes), coefficients[0] == 0


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 5).flatmap(lambda n: arrays(float, (n, n), elements=st.integers(-4, 4).map(float))))
def test_signs_of_a_matrix_are_those_of_exact_arithmetic(half):
    matrix = half + half.T
    found = int(signs(Interval.of(matrix[None]))[0])
    negative, singular = negative_exactly(matrix)
    assert found == (-1 if singular else negative)


@settings(max_examples=100, deadline=None)
@given(arrays(float, (3, 3), elements=st.floats(-4, 4)), st.floats(1e-3, 1), st.integers(0, 1000))
def test_every_symmetric_matrix_inside_has_these_signs(half, radius, seed):
    middle = half + half.T
    found = int(signs(Interval(middle[None] - radius, middle[None] + radius))[0])
    if found >= 0:
        rng = np.random.default_rng(seed)
        for _ in range(20):
            change = rng.choice([-1.0, 1.0], size=(3, 3)) * radius
            change = np.triu(change) + np.triu(change, 1).T
            assert int(np.sum(np.linalg.eigvalsh(middle + change) < 0)) == found


def test_tiny_and_huge_matrices_are_no_obstacle():
    matrix = np.array([[2.0, 1.0], [1.0, -3.0]])
    assert signs(Interval.of(np.stack([matrix * 1e-250, matrix * 1e250]))).tolist() == [1, 1]
    assert signs(Interval.of(matrix[None] * 5e-324)).tolist() in ([1], [-1])


def test_what_is_infinite_or_empty_proves_nothing():
    wild = np.array([[[np.inf, 0], [0, 1.0]], [[np.nan, np.nan], [np.nan, np.nan]]])
    low = np.where(np.isinf(wild), -np.inf, wild)
    assert signs(Interval(low, wild)).tolist() == [-1, -1]
