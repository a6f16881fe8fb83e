"""Patterns and colourings: laws over random matrices, and that few products do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_matrix, diags_array, random_array

from surefoot.problem.colouring import Compression, colours_of, find_pattern


def matrix_of(seed, rows=40, columns=30, density=0.08):
    return csc_matrix(random_array((rows, columns), density=density, rng=np.random.default_rng(seed)))


@given(st.integers(0, 10_000), st.floats(0.0, 0.3))
@settings(max_examples=40, deadline=None)
def test_columns_of_one_colour_share_no_row(seed, density):
    pattern = matrix_of(seed, density=density)
    colours = colours_of(pattern)
    dense = pattern.toarray() != 0
    for colour in range(colours.max() + 1):
        assert np.max(dense[:, colours == colour].sum(axis=1), initial=0) <= 1


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_compressed_products_give_the_matrix_back_exactly(seed):
    matrix = matrix_of(seed)
    compression = Compression.of(matrix)
    images = compression.seeds() @ matrix.toarray().T
    assert np.array_equal(compression.spread(images).toarray(), matrix.toarray())


@given(st.integers(0, 10_000), st.integers(1, 90))
@settings(max_examples=40, deadline=None)
def test_halving_finds_every_entry_and_nothing_else(seed, columns):
    matrix = matrix_of(seed, columns=columns, density=0.05).toarray()
    found = find_pattern(lambda V: V @ matrix.T, *matrix.shape, 10**6, np.random.default_rng(seed))
    assert np.array_equal(found.toarray(), matrix != 0)


def test_a_band_takes_few_products_however_large():
    n, made = 4096, []
    band = diags_array([1.0, 2.0, 3.0], offsets=[-1, 0, 1], shape=(n, n)).tocsr()

    def products(V):
        made.append(len(V))
        return (band @ V.T).T

    found = find_pattern(products, n, n, n // 4, np.random.default_rng(0))
    assert found.nnz == band.nnz
    assert Compression.of(found).count == 3
    assert sum(made) < 100


def test_a_full_matrix_is_given_up():
    full = np.ones((50, 400))
    assert find_pattern(lambda V: V @ full.T, 50, 400, 100, np.random.default_rng(0)) is None


@pytest.mark.parametrize("rows", [1, 5])
def test_a_single_column(rows):
    found = find_pattern(lambda V: V @ np.ones((1, rows)), rows, 1, 4, np.random.default_rng(0))
    assert found.shape == (rows, 1)
    assert found.nnz == rows
