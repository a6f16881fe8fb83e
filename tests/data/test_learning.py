"""Moments and quantiles over batches against NumPy over the whole, and passes that learners share."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from surefoot.data import learning
from surefoot.data.frame import Frame
from surefoot.data.learning import Moments, learn, learn_levels, learn_moments, learn_quantiles

VALUES = st.one_of(
    st.floats(-1e6, 1e6),
    st.integers(-3, 3).map(float),  # ties
    st.floats(allow_nan=False, allow_infinity=False, width=64),  # tails as heavy as can be
)
COLUMN = st.lists(VALUES, min_size=1, max_size=60)


def read(frame):
    return frame.columns["x"], frame.columns.get("n", np.ones(frame.rows))


def frames(values, counts=None, rows=7):
    values = np.asarray(values, float)
    counts = np.ones(len(values)) if counts is None else np.asarray(counts, float)
    for start in range(0, len(values), rows):
        part = slice(start, start + rows)
        yield Frame({"x": values[part], "n": counts[part]}, len(values[part]), start)


def quantiles(values, probabilities, counts=None, rows=7):
    return learn([learn_quantiles(read, probabilities)], lambda: frames(values, counts, rows))[0]


@given(COLUMN, st.lists(st.floats(0, 1), min_size=1, max_size=5), st.sampled_from([1, 7, 1000]))
def test_quantiles_are_those_of_numpy(values, probabilities, rows):
    assume(max(values) - min(values) < 1e308)  # NumPy's own interpolation overflows beyond
    found = quantiles(values, probabilities, rows=rows)
    expected = np.quantile(values, probabilities)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=4e-16 * max(map(abs, values)))


@given(COLUMN, st.sampled_from([1, 7, 1000]))
def test_order_statistics_are_exact(values, rows):
    """Where no interpolation is needed, the quantile is the value itself, to the last bit."""
    assume(len(values) > 1)
    ranks = np.arange(len(values))
    found = quantiles(values, ranks / (len(values) - 1), rows=rows)
    wanted = np.sort(values)
    # k/(n-1)*(n-1) may miss k by rounding; these are interpolated, all others are exact.
    exact = ranks / (len(values) - 1) * (len(values) - 1) == ranks
    assert exact[0] and exact[-1]
    np.testing.assert_array_equal(found[exact], wanted[exact])


@given(st.lists(st.tuples(VALUES, st.integers(0, 4)), min_size=1, max_size=40), st.sampled_from([1, 3, 100]))
def test_a_count_is_so_many_values(pairs, rows):
    values, counts = (np.array(one) for one in zip(*pairs, strict=True))
    assume(counts.sum() > 0)
    used = counts > 0
    repeated = np.repeat(values, counts)
    assume(np.ptp(repeated / 2) < 1e307)
    probabilities = (0, 0.25, 0.5, 0.9, 1)
    found = quantiles(values[used], probabilities, counts[used], rows)
    np.testing.assert_allclose(
        found, np.quantile(repeated, probabilities), rtol=1e-13, atol=4e-16 * np.abs(values).max()
    )


def test_quantiles_of_the_widest_range():
    with np.errstate(all="raise"):
        assert quantiles([-1.7e308, 0.0, 1.7e308], (0, 0.5, 1)).tolist() == [-1.7e308, 0.0, 1.7e308]


def test_quantiles_of_heavy_tails():
    values = np.random.default_rng(3).standard_cauchy(50_000) ** 3
    found = quantiles(values, np.linspace(0, 1, 9), rows=4096)
    np.testing.assert_allclose(found, np.quantile(values, np.linspace(0, 1, 9)), rtol=1e-13)


def test_quantiles_of_nothing_and_of_a_constant():
    assert np.isnan(quantiles([], (0.5,))).all()
    assert quantiles([4.0] * 9, (0, 0.3, 1)).tolist() == [4.0, 4.0, 4.0]


def test_quantiles_hold_little_of_a_long_column():
    """Only what shares a bin with a wanted value is kept: a hundredth of the column here."""
    rng = np.random.default_rng(2)
    blocks = [rng.normal(size=20_000) for _ in range(50)]

    def scan():
        return (Frame({"x": block}, len(block)) for block in blocks)

    tracemalloc.start()
    (found,) = learn([learn_quantiles(read, (0.25, 0.5, 0.75))], scan)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(found, np.quantile(np.concatenate(blocks), (0.25, 0.5, 0.75)), rtol=1e-13)
    assert peak < 4_000_000


def test_a_long_tie_stays_small():
    values = np.zeros(400_000)
    values[-1] = 1.0
    assert quantiles(values, (0, 0.5, 1), rows=5000).tolist() == [0.0, 0.0, 1.0]


# Moments -----------------------------------------------------------------------------------------------------------

TAME = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=60)


@given(TAME, st.sampled_from([0.0, 1e8]), st.sampled_from([1, 2, 7, 100]))
def test_moments_do_not_depend_on_the_batches(values, shift, rows):
    column = np.asarray(values) + shift
    (found,) = learn([learn_moments(read)], lambda: frames(column, rows=rows))
    assert (found.count, found.low, found.high) == (len(column), column.min(), column.max())
    size = np.abs(column).max()
    np.testing.assert_allclose(found.mean, column.mean(), rtol=1e-14, atol=1e-14 * size)
    # About the exact mean: the shift of 1e8 costs no digits of the spread.
    exact = np.std(column - column[0], ddof=1)
    np.testing.assert_allclose(found.deviation, exact, rtol=1e-7, atol=1e-7 * size * 2.0**-26)


@given(
    st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(1, 4)), min_size=1, max_size=30), st.sampled_from([1, 4, 99])
)
def test_moments_of_counted_values(pairs, rows):
    values, counts = (np.array(one, float) for one in zip(*pairs, strict=True))
    (found,) = learn([learn_moments(read)], lambda: frames(values, counts, rows))
    repeated = np.repeat(values, counts.astype(int))
    assert found.count == len(repeated)
    np.testing.assert_allclose(found.mean, repeated.mean(), rtol=1e-12, atol=1e-12)
    if len(repeated) > 1:
        np.testing.assert_allclose(found.deviation, repeated.std(ddof=1), rtol=1e-9, atol=1e-10)


def test_moments_of_nothing_and_of_one_value():
    moments = Moments()
    moments.see(np.zeros(0))
    assert (moments.count, moments.deviation) == (0, 0.0)
    moments.see(np.array([5.0]))
    assert (moments.count, moments.mean, moments.deviation) == (1, 5.0, 0.0)


# Passes ------------------------------------------------------------------------------------------------------------


def test_learners_share_their_passes():
    scans = []

    def scan():
        scans.append(1)
        return frames(np.arange(10.0))

    def immediate():
        return 42
        yield

    levels = learn_levels(lambda frame: set(frame.columns["x"].tolist()))
    found = learn([learn_quantiles(read, (0.5,)), immediate(), levels, learn_moments(read)], scan)
    assert found[0].tolist() == [4.5]
    assert found[1:3] == [42, set(np.arange(10.0))]
    assert found[3].mean == 4.5
    assert len(scans) == 3


def test_no_pass_is_made_when_nothing_must_be_learnt():
    def never():
        raise AssertionError("the source was read")

    assert learn([], never) == []


@settings(max_examples=20)
@given(st.permutations(range(12)))
def test_quantiles_do_not_depend_on_the_order_of_the_rows(order):
    values = np.array([3.0, 1, 1, 1, 9, -2, 7, 7, 0, 1e9, -1e-9, 4])
    probabilities = (0.1, 0.25, 0.5, 0.8)
    np.testing.assert_array_equal(quantiles(values[list(order)], probabilities), quantiles(values, probabilities))


def test_a_learner_that_fails_stops_the_pass():
    def failing():
        yield lambda frame: (_ for _ in ()).throw(ValueError("seen"))

    with pytest.raises(ValueError, match="seen"):
        learn([failing()], lambda: frames([1.0]))


def test_an_outlier_does_not_put_all_values_into_memory(monkeypatch):
    """One huge value makes a single bin of all others: they are counted again, more finely, before any is held."""
    values = np.concatenate([np.random.default_rng(3).normal(size=20_000), [1e200]])
    monkeypatch.setattr(learning, "MOST_HELD", 100)
    passes, most = 0, 0
    keep = learning._Tally.add

    def counted(self, *given):
        nonlocal most
        keep(self, *given)
        most = max(most, sum(len(one) for one, _ in self.waiting) + len(self.values))

    monkeypatch.setattr(learning._Tally, "add", counted)

    def scan():
        nonlocal passes
        passes += 1
        return [Frame({"v": part}, len(part)) for part in np.array_split(values, 7)]

    read = lambda frame: (frame.numbers("v"), np.ones(frame.rows))  # noqa: E731
    (found,) = learn([learn_quantiles(read, (0, 0.25, 0.5, 0.75, 1))], scan)
    assert found == pytest.approx(np.quantile(values, (0, 0.25, 0.5, 0.75, 1)), rel=1e-15)
    assert most <= 100
    assert passes > 3


def test_values_that_are_all_alike_end_the_search(monkeypatch):
    monkeypatch.setattr(learning, "MOST_HELD", 10)
    frame = Frame({"v": np.full(1000, 0.1)}, 1000)
    (found,) = learn([learn_quantiles(lambda f: (f.numbers("v"), np.ones(f.rows)), (0.5,))], lambda: [frame])
    assert found.tolist() == [0.1]
