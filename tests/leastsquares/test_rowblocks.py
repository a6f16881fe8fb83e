"""Blocks and threads give the products of the whole matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from krylov_cases import sparse
from surefoot.leastsquares import rowblocks
from surefoot.leastsquares.rowblocks import RowBlocks
from surefoot.parallel import cores

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(1, 200), st.integers(1, 9), st.integers(1, 4), st.booleans(), st.integers(1, 300))
def test_products_do_not_depend_on_blocks_or_threads(seed, rows, columns, threads, dense, block):
    A, rng = sparse(seed, rows, columns), np.random.default_rng(seed)
    before = rowblocks.BLOCK
    rowblocks.BLOCK = block
    try:
        made = RowBlocks(A.toarray() if dense else A, threads)
    finally:
        rowblocks.BLOCK = before
    full, x, u = A.toarray(), rng.standard_normal(columns), rng.standard_normal(rows)
    size = np.abs(full).sum() * 20
    assert np.abs(made.forward(x) - full @ x).max() < 1e-14 * size
    assert np.abs(made.adjoint(u) - full.T @ u).max() < 1e-14 * size
    assert np.abs(made.gram(x) - full.T @ (full @ x)).max() < 1e-14 * size**2
    assert made.column_squares() == pytest.approx((full**2).sum(axis=0), rel=1e-13)
    moved = u.copy()
    back, squares = made.sweep(x, moved, -1.5)
    assert np.abs(moved - (full @ x + 1.5 * u)).max() < 1e-14 * size
    assert np.abs(back - full.T @ moved).max() < 1e-13 * size**2
    assert squares == pytest.approx(moved @ moved, rel=1e-12)
    narrow = made.single()
    assert narrow is not None
    assert np.abs(narrow.gram(x) - full.T @ (full @ x)).max() < 1e-5 * size**2


def test_threads_give_the_same_digits_every_time():
    A = sparse(3, 20_000, 50, 0.3)
    made, x = RowBlocks(A, 2), np.random.default_rng(3).standard_normal(50)
    assert made.threads == 2
    first = made.gram(x)
    assert all(np.array_equal(made.gram(x), first) for _ in range(5))


def test_a_matrix_of_some_size_has_threads_and_a_small_one_has_none():
    large = csr_array(np.ones((40_000, 10)))
    assert RowBlocks(large).threads == min(cores(), rowblocks.MOST_THREADS)
    assert RowBlocks(large[:100]).threads == 1


def test_a_fault_in_one_thread_is_heard():
    A = sparse(4, 20_000, 50, 0.3)
    with pytest.raises(ValueError, match=r"mismatch|core dimension|shapes"):
        RowBlocks(A, 2).forward(np.ones(49))


@pytest.mark.parametrize("size", [1e-200, 1e-31, 1e31, 1e200])
def test_single_precision_is_refused_where_it_would_overflow_or_vanish(size):
    assert RowBlocks(sparse(5, 20, 4) * size).single() is None
    assert RowBlocks(sparse(5, 20, 4)).single() is not None
