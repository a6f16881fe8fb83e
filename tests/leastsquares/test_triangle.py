"""The laws of the triangle: however rows are cut, ordered, scaled or counted, it is the same triangle."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exact import correct, solve
from surefoot.data.engine import reduce_in_tree
from surefoot.errors import DataError
from surefoot.leastsquares.solution import solve as solve_triangle
from surefoot.leastsquares.triangle import HELD, Triangle

SEEDS = st.integers(0, 2**32 - 1)
SHAPES = st.tuples(st.integers(1, 90), st.integers(1, 6))
LAWS = settings(max_examples=60, deadline=None)


def rows_of(seed, shape, spread=3.0):
    """Rows with columns of very different units."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape) * 10.0 ** rng.uniform(-spread, spread, shape[1])


def cut(rows, seed):
    """The rows in batches of random sizes, empty ones among them."""
    rng = np.random.default_rng(seed)
    edges = np.sort(rng.integers(0, len(rows) + 1, rng.integers(0, 12)))
    return np.split(rows, edges)


def assert_same(one, other, units):
    """Equal up to rounding, each column in its own unit."""
    assert one.rows == other.rows
    assert one.weight == pytest.approx(other.weight, rel=1e-13)
    assert one.log_weight == pytest.approx(other.log_weight, rel=1e-12, abs=1e-12)
    gaps = (gram(one) - gram(other)) / np.outer(units, units)
    assert np.abs(gaps).max(initial=0.0) < 1e-13


def gram(triangle):
    return triangle.upper().T @ triangle.upper()


def units_of(rows):
    lengths = np.sqrt((rows**2).sum(axis=0))
    return np.where(lengths > 0, lengths, 1.0)


@LAWS
@given(SEEDS, SHAPES)
def test_the_triangle_holds_the_cross_products(seed, shape):
    rows = rows_of(seed, shape)
    triangle, units = Triangle.of(rows), units_of(rows)
    assert np.abs((gram(triangle) - rows.T @ rows) / np.outer(units, units)).max() < 1e-13
    upper = triangle.upper()
    assert upper.shape == (shape[1], shape[1])
    assert not np.tril(upper, -1).any()
    assert (np.diagonal(upper) >= 0).all()


@LAWS
@given(SEEDS, st.tuples(st.integers(3, 90), st.integers(1, 6)))
def test_merging_is_associative(seed, shape):
    rows = rows_of(seed, shape)
    a, b, c = (Triangle.of(part) for part in np.array_split(rows, 3))
    assert_same(a.merge(b).merge(c), a.merge(b.merge(c)), units_of(rows))


@LAWS
@given(SEEDS, SHAPES, st.booleans())
def test_any_batching_gives_the_same_triangle(seed, shape, factored):
    rows = rows_of(seed, shape)
    parts = [Triangle.of(part) for part in cut(rows, seed)]
    if factored:  # as if every batch were large
        parts = [part.compact() for part in parts]
    whole, units, none = Triangle.of(rows), units_of(rows), Triangle.empty(shape[1])
    assert_same(reduce(Triangle.merge, parts), whole, units)
    assert_same(reduce_in_tree(parts, Triangle.merge, none), whole, units)
    assert_same(reduce(lambda later, earlier: earlier.merge(later), reversed(parts)), whole, units)


@LAWS
@given(SEEDS, SHAPES)
def test_the_order_of_rows_does_not_matter(seed, shape):
    rows = rows_of(seed, shape)
    weights = np.random.default_rng(seed).uniform(0.1, 10, len(rows))
    order = np.random.default_rng(seed + 1).permutation(len(rows))
    assert_same(Triangle.of(rows[order], weights[order]), Triangle.of(rows, weights), units_of(rows) * 10)


@LAWS
@given(SEEDS, st.tuples(st.integers(1, 90), st.integers(1, 6)))
def test_scaling_columns_by_powers_of_two_is_exact(seed, shape):
    rows = rows_of(seed, shape, spread=0.0)
    scale = 2.0 ** np.random.default_rng(seed).integers(-60, 60, shape[1])
    assert np.array_equal(Triangle.of(rows * scale).upper(), Triangle.of(rows).upper() * scale)


@LAWS
@given(SEEDS, SHAPES)
def test_scaling_columns_scales_the_triangle(seed, shape):
    rows = rows_of(seed, shape)
    scale = 10.0 ** np.random.default_rng(seed).uniform(-100, 100, shape[1])
    one, other = Triangle.of(rows).upper(), Triangle.of(rows * scale).upper() / scale
    assert np.abs((one - other) / units_of(rows)).max() < 1e-13


@LAWS
@given(SEEDS, SHAPES)
def test_a_weight_of_zero_is_a_dropped_row(seed, shape):
    rows = rows_of(seed, shape)
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.1, 10, len(rows)) * rng.integers(0, 2, len(rows))
    frequencies = rng.integers(0, 3, len(rows)).astype(float)
    kept = (weights > 0) & (frequencies > 0)
    one, other = Triangle.of(rows, weights, frequencies), Triangle.of(rows[kept], weights[kept], frequencies[kept])
    assert np.array_equal(one.factor, other.factor)
    assert (one.rows, one.weight, one.log_weight) == (other.rows, other.weight, other.log_weight)


@LAWS
@given(SEEDS, SHAPES)
def test_frequencies_are_repeated_rows(seed, shape):
    rows = rows_of(seed, shape)
    rng = np.random.default_rng(seed)
    weights, frequencies = rng.uniform(0.1, 10, len(rows)), rng.integers(0, 4, len(rows))
    expanded = Triangle.of(np.repeat(rows, frequencies, axis=0), np.repeat(weights, frequencies))
    counted = Triangle.of(rows, weights, frequencies.astype(float))
    assert_same(counted, expanded, units_of(rows) * 10)


@LAWS
@given(SEEDS, SHAPES)
def test_weights_of_one_are_no_weights(seed, shape):
    rows = rows_of(seed, shape)
    ones = np.ones(len(rows))
    assert_same(Triangle.of(rows, ones, ones), Triangle.of(rows), units_of(rows))


@LAWS
@given(SEEDS, SHAPES)
def test_the_empty_triangle_is_neutral(seed, shape):
    triangle, none = Triangle.of(rows_of(seed, shape)), Triangle.empty(shape[1])
    for merged in (triangle.merge(none), none.merge(triangle), none.merge(triangle.merge(none))):
        assert np.array_equal(merged.factor, triangle.factor)
        assert merged.rows == triangle.rows
    assert none.merge(none).rows == 0
    assert not none.upper().any()


@LAWS
@given(SEEDS, SHAPES)
def test_selecting_columns_is_the_triangle_of_those_columns(seed, shape):
    rows = rows_of(seed, shape)
    chosen = np.random.default_rng(seed).permutation(shape[1])[: (shape[1] + 1) // 2].tolist()
    assert_same(Triangle.of(rows).selected(chosen), Triangle.of(rows[:, chosen]), units_of(rows)[chosen])


def test_a_triangle_stays_small_however_many_rows_it_has_seen():
    rows = rows_of(1, (5000, 4))
    grown = reduce(Triangle.merge, (Triangle.of(rows[k : k + 1]) for k in range(len(rows))))
    assert grown.rows == 5000
    assert len(grown.factor) <= HELD * 4
    assert_same(grown, Triangle.of(rows), units_of(rows))
    assert grown.compact().factor.shape == (4, 4)


def test_many_rows_are_factored_in_chunks():
    rows = rows_of(2, (200_000, 3))
    assert_same(Triangle.of(rows), Triangle.of(rows[:70_001]).merge(Triangle.of(rows[70_001:])), units_of(rows))


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(1, 40), st.booleans())
def test_wildly_varying_weights_against_the_exact_solution(seed, size, sort):
    """Weights from 1e-12 to 1e12: plain Householder QR on rows scaled by sqrt(w) can lose all digits here."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(40), rng.standard_normal(40), rng.uniform(0, 10, 40)])
    y = X @ [1.0, -2.0, 0.5] + rng.standard_normal(40)
    weights = 10.0 ** rng.uniform(-12, 12, 40)
    if sort:  # the heavy rows come last, where they do most harm
        weights.sort()
    rows = np.column_stack([X, y])
    parts = [Triangle.of(rows[k : k + size], weights[k : k + size]) for k in range(0, 40, size)]
    truth = solve(X, y, weights)
    for triangle in (reduce(Triangle.merge, parts), reduce(Triangle.merge, [part.compact() for part in parts])):
        found = solve_triangle(triangle, 3)
        assert min(correct(a, b) for a, b in zip(found.coef, truth.coef, strict=True)) > 10
        assert found.residual_length**2 == pytest.approx(float(truth.residual_ss), rel=1e-9)
        assert found.scaled_spread() ** 2 == pytest.approx([float(b) for b in truth.bread], rel=1e-9)


def test_values_whose_squares_overflow_are_fine_and_larger_ones_a_sentence():
    huge = Triangle.of(np.array([[1e200, 1.0]] * 40))
    assert huge.upper()[0, 0] == pytest.approx(1e200 * np.sqrt(40), rel=1e-14)
    with pytest.raises(DataError, match="larger units"):
        Triangle.of(np.full((40, 2), 1.7e308)).upper()
