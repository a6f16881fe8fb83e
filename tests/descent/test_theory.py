"""Predicted numbers of steps, held against the walks themselves."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bowls import diagonal
from surefoot.descent.bowl import Bowl
from surefoot.descent.directions import ConjugateGradients, HeavyBall, SteepestDescent
from surefoot.descent.exact_step import ExactStep
from surefoot.descent.loop import Budget, walk
from surefoot.descent.steps import FixedRate
from surefoot.descent.theory import Method, predicted_steps, worst_start


def bowl_of(curvatures, start):
    return Bowl.of_arrays(*diagonal(curvatures, start))


@pytest.mark.parametrize("condition", [1.5, 10.0, 100.0, 1e4])
def test_steepest_descent_from_its_worst_start_loses_exactly_what_the_theory_allows(condition):
    curvatures = np.geomspace(1, condition, 5)
    walked = walk(bowl_of(curvatures, worst_start(curvatures)), SteepestDescent(), ExactStep(), budget=Budget(12))
    ratio = walked.trace["value"][1:] / walked.trace["value"][:-1]
    seen = walked.trace["value"][1:] > 1e-12 * walked.trace["value"][0]
    assert ratio[seen] == pytest.approx(((condition - 1) / (condition + 1)) ** 2, rel=1e-9)


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 8), st.floats(1.1, 1e4), st.integers(0, 2**32 - 1))
def test_steepest_descent_is_never_slower_than_that(n, condition, seed):
    rng = np.random.default_rng(seed)
    curvatures = np.concatenate([[1.0, condition], rng.uniform(1, condition, n - 2)])
    walked = walk(bowl_of(curvatures, rng.standard_normal(n)), SteepestDescent(), ExactStep(), budget=Budget(30))
    value = walked.trace["value"]
    above = value[1:] > 1e-20 * value[0]
    # The gradient is rounded to u of the first one: the smaller it has become, the less is its direction the true one.
    rounding = 1e-9 + 16 * 2.0**-53 * np.sqrt(value[0] / value[1:][above])
    allowed = ((condition - 1) / (condition + 1)) ** 2 * (1 + rounding)
    assert np.all(value[1:][above] <= value[:-1][above] * allowed)


@pytest.mark.parametrize("condition", [2.0, 30.0, 1000.0])
@pytest.mark.parametrize("method", [Method.SAFE_RATE, Method.BEST_RATE, Method.STEEPEST, Method.CONJUGATE_GRADIENTS])
def test_the_predicted_steps_suffice_and_for_fixed_rates_one_step_less_does_not(condition, method):
    curvatures = np.geomspace(1, condition, 6)
    start = worst_start(curvatures)
    reduction = 1e-5
    steps = predicted_steps(method, condition, reduction, columns=6)
    rate = {Method.SAFE_RATE: 1 / condition, Method.BEST_RATE: 2 / (1 + condition)}.get(method)
    direction = ConjugateGradients() if method is Method.CONJUGATE_GRADIENTS else SteepestDescent()
    step = ExactStep() if rate is None else FixedRate(rate)
    walked = walk(bowl_of(curvatures, start), direction, step, budget=Budget(steps))
    if rate is None:
        assert walked.trace["value"][-1] >= 0
        assert math.sqrt(walked.trace["value"][-1] / walked.trace["value"][0]) <= reduction * (1 + 1e-9)
        return
    # The flattest direction alone shrinks by the factor of the theory, so the prediction is sharp.
    lazy = bowl_of(curvatures, np.eye(6)[0])
    errors = np.abs(walk(lazy, direction, step, budget=Budget(steps)).trace["x"][:, 0] + 1.0)
    assert errors[-1] <= reduction * (1 + 1e-9)
    assert len(errors) < 3 or errors[-2] > reduction * (1 - 1e-9)


def test_a_tuned_heavy_ball_needs_the_root_of_the_steps():
    condition = 1e4
    curvatures = np.geomspace(1, condition, 20)
    start = np.random.default_rng(5).standard_normal(20) / curvatures
    ball, rate = HeavyBall.tuned(condition, 1.0)
    wanted = 1e-6
    heavy = walk(bowl_of(curvatures, start), ball, FixedRate(rate), tolerance=wanted).steps
    plain = walk(bowl_of(curvatures, start), SteepestDescent(), FixedRate(2 / (condition + 1)), tolerance=wanted,
                 budget=Budget(200_000)).steps  # fmt: skip
    assert heavy <= 3 * predicted_steps(Method.HEAVY_BALL, condition, wanted)
    assert plain >= 10 * heavy


def test_the_formulas():
    assert predicted_steps(Method.SAFE_RATE, 10.0, 0.9 * (1 + 1e-12)) == 1
    assert predicted_steps(Method.SAFE_RATE, 10.0, 0.9 * (1 - 1e-12)) == 2
    assert predicted_steps(Method.BEST_RATE, 3.0, 0.25) == 2
    assert predicted_steps(Method.CONJUGATE_GRADIENTS, 9.0, 2 * 0.5**7 * (1 + 1e-12)) == 7
    assert predicted_steps(Method.CONJUGATE_GRADIENTS, 9.0, 2 * 0.5**7, columns=4) == 4
    assert predicted_steps(Method.STEEPEST, 1.0, 1e-16) == 1
    # Large conditions keep their digits: the logarithm of 1 - 2/k is -2/k to first order.
    assert predicted_steps(Method.BEST_RATE, 1e20, math.exp(-1)) == pytest.approx(5e19, rel=1e-9)
    assert predicted_steps(Method.BEST_RATE, float("inf"), 0.1) is None
    assert predicted_steps(Method.CONJUGATE_GRADIENTS, float("inf"), 0.1, columns=7) == 7


@pytest.mark.parametrize(("condition", "reduction"), [(0.5, 0.1), (float("nan"), 0.1), (10.0, 0.0), (10.0, 1.0)])
def test_what_is_no_condition_or_no_reduction_is_refused(condition, reduction):
    with pytest.raises(ValueError, match=r"at least 1|between 0 and 1"):
        predicted_steps(Method.STEEPEST, condition, reduction)
