"""Cutting loses nothing, and joining adds nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.proof.cutting import cut_in_two, cut_up, fused, grid, simple_point
from surefoot.proof.interval import Interval


def volume(boxes):
    return float(np.sum(np.prod(boxes.hi - boxes.lo, axis=1)))


def covered(boxes, point):
    return bool(np.any(np.all((boxes.lo <= point) & (point <= boxes.hi), axis=1)))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(1, 300), st.integers(0, 10**6))
def test_a_grid_covers_its_box(size, count, seed):
    rng = np.random.default_rng(seed)
    low = rng.uniform(-3, 0, size)
    high = low + rng.uniform(0.1, 3, size)
    parts = grid(low, high, count)
    assert len(parts) >= count
    assert np.isclose(volume(parts), float(np.prod(high - low)))
    for point in [low, high, *rng.uniform(low, high, (40, size))]:
        assert covered(parts, point)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(0, 10**6))
def test_cuts_meet_without_a_gap_and_join_again(size, seed):
    rng = np.random.default_rng(seed)
    parts = whole = Interval(np.zeros((1, size)), np.ones((1, size)))
    for _ in range(6):
        chosen = int(rng.integers(len(parts)))
        cut = cut_up(parts[chosen : chosen + 1], rng.uniform(0, 1, (1, size)), np.ones(size), 2)
        parts = Interval(np.delete(parts.lo, chosen, 0), np.delete(parts.hi, chosen, 0))
        parts = Interval(np.concatenate([parts.lo, cut.lo]), np.concatenate([parts.hi, cut.hi]))
    for point in rng.uniform(0, 1, (60, size)):
        assert covered(parts, point)
    again = fused(parts)
    assert np.isclose(volume(again), 1.0) and len(again) <= len(parts)
    for point in rng.uniform(0, 1, (60, size)):
        assert covered(again, point)
    assert volume(whole) == 1.0


def test_the_largest_smear_is_cut_unless_a_side_is_starved():
    box = Interval([[0.0, 0.0]], [[1.0, 1e-3]])
    cut = cut_in_two(box, np.array([[1.0, 100.0]]), np.ones(2))
    assert cut.hi[0, 0] < 1 and cut.hi[0, 1] == 1e-3
    cut = cut_in_two(box, np.array([[np.nan, 100.0]]), np.ones(2))
    assert cut.hi[0, 0] < 1


def test_none_joined_is_none():
    assert len(fused(Interval(np.zeros((0, 2)), np.zeros((0, 2))))) == 0


@settings(max_examples=100, deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-12, 10))
def test_the_simple_point_lies_in_its_box(low, width):
    point = simple_point(np.array([low]), np.array([low + width]))[0]
    assert low <= point <= low + width
