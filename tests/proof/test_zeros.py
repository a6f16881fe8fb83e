"""One zero is one point, two are two, and what is not proven is in doubt."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.proof.interval import Interval
from surefoot.proof.zeros import distinct


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 3), st.integers(1, 12), st.integers(1, 5), st.integers(0, 10**6))
def test_findings_of_the_same_zero_become_one(size, count, times, seed):
    """Zeros on a grid of distance 1, each found several times, with regions that hold no other."""
    rng = np.random.default_rng(seed)
    spots = rng.permutation(np.stack(np.meshgrid(*[np.arange(4.0)] * size), axis=-1).reshape(-1, size))[:count]
    which = np.concatenate([np.arange(len(spots)), rng.integers(0, len(spots), len(spots) * (times - 1))])
    true = spots[which]
    low, high = (rng.uniform(0, 1e-9, true.shape) for _ in range(2))
    wide = rng.uniform(1e-8, 0.4, true.shape)
    once, regions, doubtful = distinct(Interval(true - low, true + high), Interval(true - wide, true + wide))
    assert len(once) == len(spots) and not doubtful.any()
    for spot in spots:
        held = np.all((once.lo <= spot) & (spot <= once.hi), axis=1)
        assert held.sum() == 1
    assert once.within(regions).all()


def test_overlap_without_a_common_region_is_doubt():
    zeros = Interval([[0.0], [0.1]], [[0.2], [0.3]])
    regions = Interval([[-0.05], [0.05]], [[0.25], [0.35]])
    _, _, doubtful = distinct(zeros, regions)
    assert doubtful.tolist() == [True, True]


def test_neighbours_without_a_common_number_are_two():
    zeros = Interval([[0.0], [0.2 + 1e-15]], [[0.2], [0.3]])
    once, _, doubtful = distinct(zeros, Interval([[-1.0], [-1.0]], [[0.21], [1.0]]))
    assert len(once) == 2 and not doubtful.any()


def test_no_findings_are_no_points():
    none = Interval.of(np.zeros((0, 2)))
    once, _, doubtful = distinct(none, none)
    assert len(once) == 0 and len(doubtful) == 0
