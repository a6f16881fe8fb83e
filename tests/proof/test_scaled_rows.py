"""Rows of few columns are taken several as one: sizes, squares and scales are those of the columns all the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.proof.scaled_rows import _by_columns, _largest, column_squares


@given(st.integers(0, 1000), st.sampled_from([1, 2, 3, 64, 255, 256, 512]), st.integers(1, 300))
def test_folded_or_not(seed, rows, width):
    rng = np.random.default_rng(seed)
    block = rng.standard_normal((rows, width)) * np.geomspace(1, 1e6, width)
    exponents = rng.integers(-20, 20, width)
    for given_as in (block, np.asfortranarray(block)):
        np.testing.assert_array_equal(_largest(given_as), np.abs(block).max(axis=0))
        np.testing.assert_array_equal(_by_columns(given_as, exponents), np.ldexp(block, exponents))
        np.testing.assert_allclose(column_squares(given_as), np.sum(block**2, axis=0), rtol=1e-13)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_seen_in_its_column(value):
    block = np.zeros((256, 20))
    block[77, 3] = value
    assert not np.isfinite(_largest(block)[3]) and np.all(np.delete(_largest(block), 3) == 0)
