"""Rank is decided in the columns' own units, and never by the number of rows."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nistdata import NAMES, load
from surefoot.leastsquares.rank import find_rank
from surefoot.leastsquares.solution import solve
from surefoot.leastsquares.triangle import Triangle

SEEDS = st.integers(0, 2**32 - 1)


def rank_of(X, weights=None, size=None):
    size = size or len(X)
    parts = [
        Triangle.of(X[k : k + size], None if weights is None else weights[k : k + size]) for k in range(0, len(X), size)
    ]
    return find_rank(reduce(Triangle.merge, parts).upper())


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(2, 6), st.integers(1, 50), st.floats(0, 12))
def test_a_combination_is_found_whatever_the_units_the_batches_and_the_weights(seed, columns, size, spread):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((50, columns))
    shares = rng.uniform(0.5, 2, columns) * rng.choice([-1, 1], columns)
    X = np.column_stack([X, X @ shares])
    scale = 10.0 ** rng.uniform(-100, 100, columns + 1)
    weights = 10.0 ** rng.uniform(-spread / 2, spread / 2, 50)
    for found in (rank_of(X * scale, size=size), rank_of(X * scale, weights, size)):
        assert found.kept == tuple(range(columns))
        (alias,) = found.aliased
        assert alias.column == columns
        parts = dict(alias.parts)
        assert sorted(parts) == list(range(columns))
        expected = shares * scale[-1] / scale[:-1]
        assert [parts[j] for j in range(columns)] == pytest.approx(expected, rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 50), st.floats(0, 11))
def test_columns_of_a_condition_that_doubles_can_hold_are_kept(seed, size, log_condition):
    rng = np.random.default_rng(seed)
    left, _ = np.linalg.qr(rng.standard_normal((50, 4)))
    right, _ = np.linalg.qr(rng.standard_normal((4, 4)))
    X = left * np.logspace(0, -log_condition, 4) @ right.T * 10.0 ** rng.uniform(-100, 100, 4)
    found = rank_of(X, size=size)
    assert found.rank == 4
    assert found.aliased == ()


def test_later_columns_give_way_to_earlier_ones():
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 30))
    found = rank_of(np.column_stack([a, a, b, np.zeros(30), b + 2 * a, a - b]))
    assert found.kept == (0, 2)
    assert [(alias.column, alias.parts) for alias in found.aliased] == [
        (1, ((0, 1.0),)),
        (3, ()),
        (4, ((0, 2.0), (2, 1.0))),
        (5, ((0, 1.0), (2, -1.0))),
    ]


@pytest.mark.parametrize("rows", [10, 1000, 100_000])
def test_a_duplicated_column_is_aliased_however_many_rows_there_are(rows):
    rng = np.random.default_rng(rows)
    a, b = rng.standard_normal((2, rows))
    found = rank_of(np.column_stack([np.ones(rows), a, b, a]))
    assert (found.kept, [alias.column for alias in found.aliased]) == ((0, 1, 2), [3])
    # A column that differs by far more than rounding is another column.
    assert rank_of(np.column_stack([np.ones(rows), a, b, a + 1e-9 * b**2])).rank == 4


@pytest.mark.parametrize("compact", [False, True])
def test_a_duplicated_column_is_aliased_in_three_thousand_batches_of_one_row(compact):
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((2, 3000))
    X = np.column_stack([np.ones(3000), a, b, 3 * a - b, a + 1e-9 * b**2])
    parts = [Triangle.of(X[k : k + 1]) for k in range(3000)]
    merged = reduce(lambda p, q: p.merge(q).compact() if compact else p.merge(q), parts)
    found = find_rank(merged.upper())
    assert (found.kept, [alias.column for alias in found.aliased]) == ((0, 1, 2, 4), [3])


@pytest.mark.parametrize("name", NAMES)
def test_no_column_of_nist_is_aliased_in_batches_of_any_size(name):
    design = load(name).design()
    for size in (1, 2, 5, 11, len(design)):
        found = rank_of(design, size=size)
        assert found.rank == design.shape[1]
        assert found.condition < 1e12


def test_no_columns_and_no_rows():
    assert find_rank(np.zeros((0, 0))).condition == 1.0
    found = rank_of(np.zeros((5, 2)))
    assert (found.rank, [alias.parts for alias in found.aliased]) == (0, [(), ()])


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(1, 4))
def test_the_minimum_norm_solution_is_that_of_the_pseudoinverse(seed, rank):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((30, rank)) @ rng.standard_normal((rank, 5))
    y = rng.standard_normal(30)
    found = solve(Triangle.of(np.column_stack([X, y])), 5, minimum_norm=True)
    inverse = np.linalg.pinv(X, rcond=1e-10)
    assert found.reported == pytest.approx(inverse @ y, rel=1e-7, abs=1e-9)
    assert found.reported_spread @ found.reported_spread.T == pytest.approx(inverse @ inverse.T, rel=1e-6, abs=1e-8)
    assert np.abs(X @ found.valley).max() < 1e-7
    assert found.valley.shape == (5, 5 - rank)


def test_the_smallest_curvature_is_that_of_the_hessian():
    X = np.random.default_rng(5).standard_normal((20, 3))
    found = solve(Triangle.of(np.column_stack([X, X[:, 0]])), 3)
    assert found.smallest_curvature() == pytest.approx(np.linalg.eigvalsh(2 * X.T @ X)[0], rel=1e-10)
