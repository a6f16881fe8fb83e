"""First-order methods: their rates on bowls, and what they need to know."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bowls import diagonal
from grounds import CASES, SINGULAR, SOFT, Formula, log_sum_exp, quadratic
from surefoot.descent.adaptive import Adaptive
from surefoot.descent.bowl import Bowl
from surefoot.descent.directions import Nesterov, SteepestDescent
from surefoot.descent.exact_step import ExactStep
from surefoot.descent.loop import Budget, walk
from surefoot.descent.schedules import Polyak, Silver
from surefoot.descent.steps import FixedRate
from surefoot.descent.stop import Reason
from surefoot.descent.theory import worst_start
from surefoot.errors import ModelError

STEEPEST = SteepestDescent()


def bowl_of(condition, n, seed=0):
    curvatures = np.geomspace(1 / condition, 1.0, n)
    start = np.random.default_rng(seed).standard_normal(n)
    return Bowl.of_arrays(*diagonal(curvatures, start)), curvatures


@pytest.mark.parametrize("condition", [100.0, 1e4, 1e6])
def test_nesterov_with_restart_needs_about_root_of_condition_steps(condition):
    """Its asymptotic rate on a bowl is about exp(-1/sqrt k); a fixed rate needs sqrt k times as many steps."""
    bowl, _ = bowl_of(condition, 30)
    walked = walk(bowl, Nesterov(), FixedRate(1.0), budget=Budget(100_000), tolerance=1e-8)
    assert walked.stop.reason in (Reason.TOLERANCE, Reason.NOISE)
    assert walked.steps <= 2.5 * math.sqrt(condition) * math.log(1e8)
    plain = walk(bowl_of(condition, 30)[0], STEEPEST, FixedRate(1.0), budget=Budget(3 * walked.steps), tolerance=1e-8)
    assert plain.stop.reason is Reason.STEPS or walked.steps < plain.steps / 2


def test_nesterov_is_what_the_papers_recursion_is():
    """In x and y with the momentum of FISTA and the gradient restart, written out separately."""
    ground = quadratic(np.diag([1.0, 25.0, 400.0]), [1.0, -2.0, 3.0])
    rate, points = 1 / 400, []
    y, x_last, t = np.zeros(3), None, 1.0
    for _ in range(300):
        points.append(y)
        g = ground._gradient(y)
        x = y - rate * g
        if x_last is not None and g @ (x - x_last) > 0:
            t = 1.0
            y_new = x
        elif x_last is None:
            y_new = x
        else:
            t_new = (1 + math.sqrt(1 + 4 * t * t)) / 2
            y_new = x + (t - 1) / t_new * (x - x_last)
            t = t_new
        x_last, y = x, y_new
    walked = walk(ground, Nesterov(), FixedRate(rate), start=np.zeros(3), budget=Budget(299))
    ours = walked.trace.points()
    assert np.abs(ours[:40] - np.array(points[: len(ours)][:40])).max() < 1e-12


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 8), st.floats(2, 1e4), st.integers(0, 2**32 - 1), st.floats(0.05, 1.0))
def test_nesterov_points_downhill_and_settles_for_every_rate_up_to_one_over_l(n, condition, seed, rate):
    bowl, _ = bowl_of(condition, n, seed)
    walked = walk(bowl, Nesterov(), FixedRate(rate), budget=Budget(60_000), tolerance=1e-7)
    slopes = [row.slope for row in walked.trace.rows]
    assert walked.stop.reason in (Reason.TOLERANCE, Reason.NOISE), slopes[-1]


def test_nesterov_far_beyond_two_over_l_is_said_to_diverge():
    bowl, _ = bowl_of(100.0, 5)
    walked = walk(bowl, Nesterov(), FixedRate(2.2), budget=Budget(5000))
    assert walked.stop.reason is Reason.DIVERGED and "above 2/L" in walked.stop.explanation


@pytest.mark.parametrize("condition", [3.0, 30.0, 300.0])
def test_exact_steps_contract_as_the_theory_says_from_the_worst_start(condition):
    """On a ground that does not say that it is a bowl, so that the root of the slope is searched for."""
    curvatures = np.geomspace(1.0, condition, 5)
    ground = quadratic(np.diag(curvatures), np.zeros(5))
    walked = walk(ground, STEEPEST, ExactStep(), start=worst_start(curvatures), budget=Budget(25))
    values = walked.trace.steps()["value"]
    above = values > 1e-12 * values[0]
    ratios = (values[1:] / values[:-1])[above[1:]]
    assert ratios == pytest.approx(((condition - 1) / (condition + 1)) ** 2, rel=1e-7)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_exact_steps_end_where_the_next_one_is_perpendicular(case):
    walked = walk(case.make(), STEEPEST, ExactStep(), start=np.array(case.start), budget=Budget(60))
    steps = walked.trace.steps()
    above = steps["steepness"][1:-1] > 1e6 * walked.stop.tolerance
    cosines = np.abs(np.cos(np.radians(steps["angle"][2:][above[: len(steps) - 2]])))
    assert len(cosines) > 3 and np.all(cosines <= 1e-6)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_exact_steps_are_perpendicular_from_any_start(seed):
    start = np.random.default_rng(seed).uniform(-3, 3, 3)
    walked = walk(log_sum_exp(), STEEPEST, ExactStep(), start=start, budget=Budget(20))
    steps = walked.trace.steps()
    above = steps["steepness"][1:] > 1e-7
    angles = steps["angle"][1:][above][1:]
    assert np.all(np.abs(np.cos(np.radians(angles))) <= 1e-6)


@pytest.mark.parametrize("condition", [10.0, 1000.0])
def test_polyaks_step_reaches_the_value_it_was_given(condition):
    bowl, _ = bowl_of(condition, 6)
    walked = walk(bowl, STEEPEST, Polyak(0.0), budget=Budget(50_000))
    assert walked.here.value <= 1e-20


def test_polyaks_step_never_leads_away_from_the_minimiser_of_a_convex_function():
    walked = walk(log_sum_exp(), STEEPEST, Polyak(SOFT.lowest), start=np.array(SOFT.start), budget=Budget(200))
    away = np.linalg.norm(walked.trace.points() - walked.x, axis=1)
    assert np.all(np.diff(away) <= 1e-7)


def test_polyaks_step_with_a_lowest_value_that_is_not_says_so():
    with pytest.raises(ModelError, match="give a lower one"):
        walk(quadratic(np.eye(2), [0.0, 0.0]), STEEPEST, Polyak(1.0), start=np.array([0.5, 0.5]), budget=Budget(500))
    with pytest.raises(ModelError, match="a finite number"):
        Polyak(-math.inf)


def test_polyaks_step_ends_at_a_value_above_the_lowest_if_that_was_asked_for():
    ground = quadratic(np.eye(2), [0.0, 0.0], offset=0.0)
    walked = walk(ground, STEEPEST, Polyak(1.0), start=np.array([3.0, 1.0]), budget=Budget(500))
    assert walked.here.value == pytest.approx(1.0, rel=1e-12)
    assert str(walked.stop).startswith("the tolerance is met: f is at the lowest value that was given")


@pytest.mark.parametrize("m", [1, 2, 3, 5, 7, 9])
@pytest.mark.parametrize("seed", range(3))
def test_silver_steps_keep_their_promise(m, seed):
    """Theorem 1.1: after 2^m - 1 steps ``f - f* <= L |x0 - x*|^2 / (1 + sqrt(4 (1 + sqrt 2)^(2m) - 3))``."""
    rng = np.random.default_rng(seed)
    curvatures, start = 10.0 ** rng.uniform(-6, 0, 8), rng.standard_normal(8)
    ground = quadratic(np.diag(curvatures), np.zeros(8))
    n = 2**m - 1
    walked = walk(ground, STEEPEST, Silver(1.0), start=start, budget=Budget(n), tolerance=0.0)
    bound = float(start @ start) / (1 + math.sqrt(4 * (1 + math.sqrt(2)) ** (2 * m) - 3))
    assert walked.trace["value"][n] <= bound


def test_silver_steps_want_a_curvature():
    with pytest.raises(ModelError, match="the largest curvature"):
        Silver(0.0)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 8), st.floats(1, 300), st.integers(0, 2**32 - 1), st.integers(-40, 40))
def test_the_adaptive_step_needs_no_scale(n, condition, seed, power):
    curvatures = 2.0**power * np.geomspace(1, condition, n)
    centre = np.random.default_rng(seed).standard_normal(n)
    ground = quadratic(np.diag(curvatures), centre)
    walked = walk(ground, STEEPEST, Adaptive(), start=np.zeros(n), budget=Budget(20_000))
    assert np.linalg.norm(walked.x - centre) <= 1e-9 * np.linalg.norm(centre)


def test_the_adaptive_step_costs_one_gradient_and_no_value_more():
    walked = walk(log_sum_exp(), STEEPEST, Adaptive(), start=np.array(SOFT.start), budget=Budget(40))
    assert walked.passes <= 1 + walked.steps + 8  # the start, one a step, and the search for the first length
    assert walked.here.value - SOFT.lowest < 1e-6


def test_the_adaptive_step_follows_its_formula():
    walked = walk(log_sum_exp(), STEEPEST, Adaptive(), start=np.array(SOFT.start), budget=Budget(30))
    steps, ground = walked.trace.steps(), log_sum_exp()
    points, lengths = steps.points(), steps["length"]
    gradients = np.array([ground._gradient(x) for x in points])
    ratio = 1 / 3
    for k in range(2, len(points)):
        curved = np.linalg.norm(gradients[k - 1] - gradients[k - 2]) / np.linalg.norm(points[k - 1] - points[k - 2])
        last = lengths[k - 1]
        spare = 2 * last**2 * curved**2 - 1
        wanted = min(math.sqrt(2 / 3 + ratio) * last, last / math.sqrt(spare) if spare > 0 else math.inf)
        assert lengths[k] == pytest.approx(wanted, rel=1e-6)
        ratio = lengths[k] / last


def test_the_adaptive_step_comes_back_from_undefined_ground():
    ground = Formula(
        1,
        lambda x: x[0] - math.log(x[0]) if x[0] > 0 else math.nan,
        lambda x: np.array([1 - 1 / x[0] if x[0] > 0 else math.nan]),
    )
    walked = walk(ground, STEEPEST, Adaptive(), start=np.array([1e-3]), budget=Budget(20_000))
    assert walked.x == pytest.approx([1.0], abs=1e-7)


def test_the_adaptive_step_on_a_slope_without_curvature_falls_as_far_as_it_may():
    ground = Formula(1, lambda x: -2 * x[0], lambda x: np.array([-2.0]))
    walked = walk(ground, STEEPEST, Adaptive(), start=np.zeros(1), budget=Budget(2000))
    assert walked.stop.reason is Reason.UNBOUNDED


@pytest.mark.parametrize("steps", [Adaptive, lambda: Polyak(0.0)])
def test_on_a_degenerate_minimum_the_walk_goes_on_to_its_budget_and_says_so(steps):
    walked = walk(SINGULAR.make(), STEEPEST, steps(), start=np.array(SINGULAR.start), budget=Budget(1500))
    assert walked.here.value < 1e-3
    assert walked.stop.reason is Reason.STEPS and "1,500 steps taken" in walked.stop.explanation
