"""Learning rates: below 2/L the walk settles, above it diverges and is told so, with the L that was measured."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bowls import largest_curvature, with_singular_values
from surefoot.descent.bowl import Bowl
from surefoot.descent.curvatures import from_conjugate_gradients, measure
from surefoot.descent.directions import ConjugateGradients, HeavyBall, SteepestDescent
from surefoot.descent.exact_step import ExactStep
from surefoot.descent.loop import Budget, walk
from surefoot.descent.steps import FixedRate
from surefoot.descent.stop import Reason
from surefoot.errors import ModelError

SENTENCE = re.compile(
    r"the walk diverges: rate (\S+) is above 2/L = (\S+): the largest curvature measured is L = (\S+) "
    r"\((by \d+ products? with the Hessian|along the last step)\), so every step overshoots more than the last"
)

singulars = st.lists(st.floats(0.05, 20.0), min_size=1, max_size=12)
seeds = st.integers(0, 2**32 - 1)


@settings(deadline=None, max_examples=80)
@given(singulars, seeds, st.floats(1e-6, 1e-2), st.floats(0, 2))
def test_just_below_two_over_l_it_converges(singular, seed, below, residual):
    A, b, _ = with_singular_values(singular, residual=residual, seed=seed)
    rate = 2 / largest_curvature(A) * (1 - below)
    walked = walk(Bowl.of_arrays(A, b), SteepestDescent(), FixedRate(rate), budget=Budget(300))
    assert walked.stop.reason in (Reason.NOISE, Reason.STALLED, Reason.STEPS)
    value = walked.trace["value"]
    assert np.all(value[1:] <= value[:-1] * (1 + 1e-12) + 1e-28 * value[0])


@settings(deadline=None, max_examples=150)
@given(singulars, seeds, st.floats(1e-6, 100.0), st.floats(0, 2), st.booleans())
def test_just_above_it_diverges_and_the_sentence_holds_the_measured_curvature(singular, seed, above, residual, scaled):
    A, b, _ = with_singular_values(singular, residual=residual, seed=seed)
    if scaled:
        A = A / np.linalg.norm(A, axis=0)
    truth = largest_curvature(A)
    rate = 2 / truth * (1 + above)
    walked = walk(Bowl.of_arrays(A, b, scaled=scaled), SteepestDescent(), FixedRate(rate), budget=Budget(10**7))
    assert walked.stop.reason is Reason.DIVERGED
    found = SENTENCE.fullmatch(str(walked.stop))
    assert found, str(walked.stop)
    assert float(found[1]) == pytest.approx(rate, rel=1e-5)
    assert float(found[2]) == pytest.approx(2 / float(found[3]), rel=1e-5)
    measured = walked.curvatures.largest
    assert measured == pytest.approx(float(found[3]), rel=1e-5)
    assert truth * (1 - 1e-2) <= measured <= truth * (1 + 1e-12)
    assert rate > 2 / measured
    # The best point is kept, not the one that was flung away.
    assert walked.here.value == min(walked.trace["value"])


def test_a_rate_far_beyond_the_range_of_a_double_is_told_the_same():
    A, b, _ = with_singular_values([3.0, 1.0, 0.2], residual=0.1)
    for rate in (1e5, 1e160, 1e308):
        walked = walk(Bowl.of_arrays(A, b), SteepestDescent(), FixedRate(rate))
        assert walked.stop.reason is Reason.DIVERGED and SENTENCE.fullmatch(str(walked.stop))
        assert walked.curvatures.largest == pytest.approx(18.0, rel=1e-12)


def test_a_walk_that_cannot_see_the_steep_direction_is_not_accused():
    """The gradient has no part along the steepest direction, so the walk settles whatever L is."""
    A, b = np.diag([10.0, 1.0]), np.array([0.0, 1.0])
    walked = walk(Bowl.of_arrays(A, b), SteepestDescent(), FixedRate(0.4))
    assert walked.stop.reason is Reason.NOISE and walked.x == pytest.approx([0, 1])


def test_a_stream_is_told_with_the_passes_that_it_took():
    A, b, _ = with_singular_values([2.0, 1.0, 0.5, 0.1], residual=0.5)
    count = 0

    def rows():
        nonlocal count
        count += 1
        yield A, b, None

    bowl = Bowl.of_blocks(rows, 4)
    before = count
    walked = walk(bowl, SteepestDescent(), FixedRate(0.3))
    assert walked.stop.reason is Reason.DIVERGED
    assert walked.passes == count - before <= 1 + walked.steps + 4


@pytest.mark.parametrize("momentum", [0.3, 0.9])
def test_momentum_allows_a_larger_rate(momentum):
    A, b, _ = with_singular_values([1.5, 1.0, 0.5], residual=0.5)
    limit = 2 * (1 + momentum) / largest_curvature(A)
    fine = walk(Bowl.of_arrays(A, b), HeavyBall(momentum), FixedRate(0.99 * limit), budget=Budget(10_000))
    assert fine.stop.reason in (Reason.NOISE, Reason.STALLED)
    wild = walk(Bowl.of_arrays(A, b), HeavyBall(momentum), FixedRate(1.01 * limit), budget=Budget(10_000))
    assert wild.stop.reason is Reason.DIVERGED
    assert f"is above 2 (1 + {momentum})/L = " in str(wild.stop) and "L = 4.5 " in str(wild.stop)


@settings(deadline=None, max_examples=50)
@given(singulars, seeds, st.floats(0, 2))
def test_a_measured_rate_settles(singular, seed, residual):
    A, b, _ = with_singular_values(singular, residual=residual, seed=seed)
    bowl = Bowl.of_arrays(A, b)
    step = FixedRate.measured(bowl, bowl.see(np.zeros(bowl.size)))
    assert 1 / largest_curvature(A) * (1 - 1e-12) <= step.rate < 2 / largest_curvature(A)
    assert ("1/L" in step.name and "products with the Hessian" in step.name) or "1 product" in step.name
    walked = walk(bowl, SteepestDescent(), step, budget=Budget(200))
    assert walked.stop.reason in (Reason.NOISE, Reason.STALLED, Reason.STEPS)


def test_curvatures_are_measured_from_below_and_above():
    for n in (1, 2, 5, 28):
        A, b, _ = with_singular_values(np.geomspace(3, 0.5, n), residual=0.3, seed=n)
        bowl = Bowl.of_arrays(A, b)
        x = np.zeros(n)
        found = measure(bowl, x, bowl.see(x).gradient)
        assert found.complete and found.products == n
        assert found.largest == pytest.approx(18.0, rel=1e-11)
        assert found.smallest == pytest.approx(18.0 if n == 1 else 0.5, rel=1e-9)
    A, b, _ = with_singular_values(np.geomspace(3, 0.01, 200), residual=0.3)
    bowl = Bowl.of_arrays(A, b)
    found = measure(bowl, np.zeros(200), bowl.see(np.zeros(200)).gradient)
    assert not found.complete and found.products <= 30
    assert 18 * 0.99 <= found.largest <= 18 * (1 + 1e-12) and found.smallest >= 2e-4


def test_curvature_below_the_rounding_of_the_largest_is_not_called_known():
    bowl = Bowl.of_arrays(*with_singular_values([1.0, 1e-3, 1e-9], residual=0.3)[:2])
    found = measure(bowl, np.zeros(3), bowl.see(np.zeros(3)).gradient)
    assert found.smallest is None or not found.complete


def test_conjugate_gradients_measure_on_their_way():
    A, b, _ = with_singular_values([3.0, 2.0, 1.0, 0.5], residual=0.3)
    walked = walk(Bowl.of_arrays(A, b), ConjugateGradients(), ExactStep(), budget=Budget(4))
    found = from_conjugate_gradients(walked.trace["length"][1:], walked.trace["steepness"])
    assert found == walked.curvatures
    assert (found.largest, found.smallest) == (pytest.approx(18, rel=1e-9), pytest.approx(0.5, rel=1e-9))


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(ModelError, match="A learning rate is a finite number above 0"):
        FixedRate(rate)
