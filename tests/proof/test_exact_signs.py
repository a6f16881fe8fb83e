"""Exact inertia against matrices that are built with a known one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.proof.exact_signs import Inertia, exact_inertia

SIGNS = st.lists(st.sampled_from([-2, -1, 0, 0, 1, 3]), min_size=1, max_size=6)


@given(SIGNS, st.integers(0, 10**6), st.sampled_from([1.0, 2.0**-900, 2.0**900]))
def test_a_congruent_matrix_of_small_integers_keeps_its_signs(signs, seed, scale):
    """S'DS with a triangular S of ones on the diagonal is exact in doubles, and has the signs of D."""
    n = len(signs)
    S = np.triu(np.random.default_rng(seed).integers(-3, 4, (n, n)), 1) + np.eye(n)
    H = S.T @ np.diag(np.array(signs, float)) @ S * scale
    below, zero, above = (sum(np.sign(s) == k for s in signs) for k in (-1, 0, 1))
    assert exact_inertia(H) == Inertia(below, zero, above)


def test_a_determinant_of_one_rounding_is_told_from_zero():
    one = np.nextafter(1.0, 2.0)
    assert exact_inertia(np.array([[one, 1.0], [1.0, 1.0]])) == Inertia(0, 0, 2)
    assert exact_inertia(np.array([[1.0, one], [one, 1.0]])) == Inertia(1, 0, 1)


@pytest.mark.parametrize("H", [np.array([[np.nan]]), np.array([[1.0, 2.0], [3.0, 1.0]]), np.eye(31)])
def test_what_cannot_be_decided_is_not(H):
    assert exact_inertia(H) is None


def test_no_variable_has_no_sign():
    assert exact_inertia(np.empty((0, 0))) == Inertia(0, 0, 0)
