"""Walks among bounds: no look outside, the right variables held, and the same answer as an exact active-set search."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grounds import Formula
from surefoot.descent.bounded import Fenced, PathStep, Within
from surefoot.descent.directions import SteepestDescent
from surefoot.descent.exact_step import ExactStep
from surefoot.descent.hager_zhang import HagerZhang
from surefoot.descent.line_search import StrongWolfe
from surefoot.descent.loop import Budget, walk
from surefoot.descent.newton import Newton
from surefoot.descent.quasi_newton import LBFGS
from surefoot.descent.segment import UpToBound
from surefoot.descent.steps import FixedRate
from surefoot.descent.stop import Reason
from surefoot.problem.box import Box

DIRECTIONS = {"newton": Newton, "l-bfgs": LBFGS, "steepest": SteepestDescent}


def quadratic(curvatures):
    diagonal = np.array(curvatures)
    return Formula(len(diagonal), lambda x: diagonal @ x**2 / 2, lambda x: diagonal * x, lambda x: np.diag(diagonal))


def go(ground, start, box, direction="newton", step=None, **more):
    fenced = Fenced(ground, box)
    return fenced, walk(fenced, Within(DIRECTIONS[direction](), fenced), step or PathStep(), start=start, **more)


def by_trying_all(H, c, box):
    """The minimiser of x'Hx/2 - c'x in a box: each variable at its lower bound, at its upper, or free."""
    best, where = np.inf, None
    n = len(c)
    for sides in product((-1, 0, 1), repeat=n):
        x = np.where(np.array(sides) < 0, box.lower, np.where(np.array(sides) > 0, box.upper, 0.0))
        free = np.array(sides) == 0
        if free.any():
            x[free] = np.linalg.solve(H[np.ix_(free, free)], c[free] - H[np.ix_(free, ~free)] @ x[~free])
        value = x @ H @ x / 2 - c @ x
        if box.contains(x) and value < best:
            best, where = value, x
    return where


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 4), st.integers(0, 2**32 - 1), st.sampled_from(sorted(DIRECTIONS)))
def test_convex_quadratics_in_boxes_have_the_minimiser_of_an_exhaustive_search(n, seed, direction):
    draw = np.random.default_rng(seed)
    root = draw.normal(size=(n, n))
    H, c = root @ root.T + 0.3 * np.eye(n), 3 * draw.normal(size=n)
    lower = -draw.exponential(size=n)
    box = Box(lower, lower + draw.exponential(size=n) + 0.1)
    ground = Formula(n, lambda x: x @ H @ x / 2 - c @ x, lambda x: H @ x - c, lambda x: H)
    _, walked = go(ground, box.nearest(draw.normal(size=n)), box, direction)
    truth = by_trying_all(H, c, box)
    assert walked.x == pytest.approx(truth, abs=1e-6 * (1 + np.abs(truth).max()))
    assert walked.stop.reason in (Reason.NOISE, Reason.STALLED)


SEARCHES = {"hager-zhang": HagerZhang(), "wolfe": StrongWolfe(), "exact": ExactStep()}


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 4), st.integers(0, 2**32 - 1), st.sampled_from(sorted(DIRECTIONS)), st.sampled_from(sorted(SEARCHES))
)  # fmt: skip
def test_so_they_have_by_line_searches_up_to_the_first_bound(n, seed, direction, search):
    draw = np.random.default_rng(seed)
    root = draw.normal(size=(n, n))
    H, c = root @ root.T + 0.3 * np.eye(n), 3 * draw.normal(size=n)
    lower = -draw.exponential(size=n)
    box = Box(lower, np.where(draw.random(n) < 0.2, np.inf, lower + draw.exponential(size=n) + 0.1))
    seen = []
    ground = Formula(n, lambda x: seen.append(x) or x @ H @ x / 2 - c @ x, lambda x: H @ x - c, lambda x: H)
    fenced = Fenced(ground, box)
    walked = walk(
        fenced, Within(DIRECTIONS[direction](), fenced), UpToBound(SEARCHES[search], fenced),
        start=box.nearest(draw.normal(size=n)),
    )  # fmt: skip
    finite = Box(box.lower, np.minimum(box.upper, 1e6))
    truth = by_trying_all(H, c, finite)
    assert walked.x == pytest.approx(truth, abs=1e-6 * (1 + np.abs(truth).max()))
    assert all(box.contains(x) for x in seen)
    assert not any("not finite" in row.remark for row in walked.trace.rows)


@pytest.mark.parametrize("direction", sorted(DIRECTIONS))
def test_no_look_is_outside(direction):
    seen = []
    ground = quadratic([1.0, 30.0, 900.0])
    inner = ground.see
    ground.see = lambda x: seen.append(np.array(x)) or inner(x)
    box = Box(np.array([0.5, -1.0, 0.25]), np.array([4.0, 2.0, 3.0]))
    go(ground, np.array([3.0, 2.0, 3.0]), box, direction)
    assert len(seen) >= 2 and all(box.contains(x) for x in seen)


def test_the_gradient_that_counts_is_that_along_free_variables():
    ground = quadratic([1.0, 2.0])
    fenced, walked = go(ground, np.array([3.0, 3.0]), Box(np.array([1.0, -5.0]), np.array([9.0, 9.0])))
    assert walked.x.tolist() == [1.0, 0.0] and walked.here.gradient.tolist() == [0.0, 0.0]
    assert walked.here.whole[0] > 0 and fenced.held(walked.here).tolist() == [True, False]


def test_all_variables_held_end_at_once():
    _, walked = go(quadratic([1.0, 1.0]), np.array([2.0, 2.0]), Box(np.full(2, 2.0), np.full(2, 3.0)))
    assert walked.steps == 0 and walked.stop.reason is Reason.NOISE


def test_a_variable_with_equal_bounds_is_a_constant():
    _, walked = go(quadratic([1.0, 5.0]), np.array([2.0, 2.0]), Box(np.array([2.0, -9.0]), np.array([2.0, 9.0])))
    assert walked.x == pytest.approx([2.0, 0.0])


def test_a_fixed_rate_is_projected_gradient_descent():
    box = Box(np.array([1.0, -5.0]), np.array([9.0, 9.0]))
    _, walked = go(quadratic([1.0, 2.0]), np.array([3.0, 3.0]), box, "steepest", FixedRate(0.4), budget=Budget(400))
    assert walked.x == pytest.approx([1.0, 0.0], abs=1e-12)


def test_bounds_that_do_not_matter_change_nothing_of_the_answer():
    rosenbrock = Formula(
        2, lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2,
        lambda x: np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)]),
    )  # fmt: skip
    _, walked = go(rosenbrock, np.array([-1.2, 1.0]), Box(np.full(2, -1e3), np.full(2, 1e3)))
    assert walked.x == pytest.approx([1.0, 1.0], abs=1e-9)


def test_undefined_ground_beyond_a_bound_is_never_asked_for():
    def log_value(x):
        assert x[0] >= 0.5
        return x[0] - 2 * np.log(x[0])

    ground = Formula(1, log_value, lambda x: 1 - 2 / x, lambda x: np.diag(2 / x**2))
    _, walked = go(ground, np.array([0.5]), Box(np.array([0.5]), np.array([np.inf])))
    assert walked.x == pytest.approx([2.0])
