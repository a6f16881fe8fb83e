"""Nelder and Mead's simplex in the one loop: values alone lead, a gradient only ends the walk."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grounds import CASES, Formula, quadratic, rosenbrock
from surefoot.descent.directions import SteepestDescent
from surefoot.descent.loop import Budget, walk
from surefoot.descent.simplex import NelderMead
from surefoot.descent.stop import ENDS, Reason

STEEPEST = SteepestDescent()


def go(ground, start, **more):
    return walk(ground, STEEPEST, NelderMead(), start=np.asarray(start, float), **more)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_zoo_is_solved_by_values_alone(case):
    walked = go(case.make(), case.start, budget=Budget(evaluations=10_000))
    assert walked.stop.reason in ENDS and walked.here.value - case.lowest <= 1e-10 * (1 + abs(case.lowest))


def test_a_gradient_that_lies_leads_nowhere_else():
    """Directions come from values: with the gradient turned round the same points are visited."""
    plain = rosenbrock()
    honest = Formula(2, plain._value, lambda x: np.ones(2))
    lying = Formula(2, plain._value, lambda x: np.array([1.0, 1.0]) * (2 if x[0] != -1.2 else 1))
    one, other = (go(ground, [-1.2, 1.0], budget=Budget(15)) for ground in (honest, lying))
    assert np.array_equal(one.trace.points(), other.trace.points())


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_bowls_of_any_size_are_found(n, seed):
    rng = np.random.default_rng(seed)
    centre = rng.standard_normal(n)
    walked = go(quadratic(np.diag(np.geomspace(1, 10, n)), centre), rng.standard_normal(n))
    assert walked.x == pytest.approx(centre, abs=1e-6)


def test_many_variables_do_not_collapse_it():
    """Where the parameters of Nelder and Mead themselves stall: 24 variables."""
    n = 24
    walked = go(quadratic(np.eye(n), np.ones(n)), np.zeros(n), budget=Budget(evaluations=60_000))
    assert walked.here.value < 1e-8


def test_a_function_with_jumps_is_followed_to_its_lowest_plateau():
    ground = Formula(2, lambda x: float(np.sum(np.floor(4 * np.abs(x)))), lambda x: np.ones(2))
    walked = go(ground, [3.3, -2.2], budget=Budget(300))
    assert walked.here.value == 0
    assert walked.stop.reason not in (Reason.NOISE, Reason.TOLERANCE)


def test_undefined_values_are_worse_than_any():
    ground = Formula(
        2,
        lambda x: (x[0] - 1) ** 2 + x[1] ** 2 if x[0] > 0.5 else math.nan,
        lambda x: 2 * (x - [1.0, 0.0]) if x[0] > 0.5 else np.full(2, math.nan),
    )
    assert go(ground, [0.6, 2.0]).x == pytest.approx([1.0, 0.0], abs=1e-6)


def test_every_look_is_in_the_trace_and_a_budget_keeps_the_lowest():
    walked = go(rosenbrock(), [-1.2, 1.0], budget=Budget(evaluations=60))
    assert walked.stop.reason is Reason.EVALUATIONS and walked.passes <= 61
    values = walked.trace["value"]
    assert walked.here.value == values.min() and math.isfinite(walked.here.steepness)
    assert len(walked.trace) >= 60 and not walked.trace.rows[2].accepted


def test_minus_infinity_is_unbounded():
    ground = Formula(1, lambda x: math.log(x[0]) if x[0] > 0 else -math.inf, lambda x: 1 / np.maximum(x, 1e-300))
    walked = go(ground, [2.0], budget=Budget(500))
    assert walked.stop.reason is Reason.UNBOUNDED
