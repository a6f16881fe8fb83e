"""Lanes: every basin is found, each lane arrives where an ordinary walk would, and odd ground stops no other lane."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from surefoot.descent.lanes import lanes_down
from surefoot.descent.loop import Budget
from surefoot.descent.stop import Reason
from surefoot.problem.box import Box

HIMMELBLAU = np.array(
    [[3.0, 2.0], [-2.805118086952745, 3.131312518250573], [-3.779310253377747, -3.283185991286170],
     [3.584428340330492, -1.848126526964404]]
)  # fmt: skip


def himmelblau(X):
    x, y = X.T
    a, b = x * x + y - 11, x + y * y - 7
    return a * a + b * b, np.stack([4 * x * a + 2 * b, 2 * a + 4 * y * b], axis=1)


def rastrigin(X):
    value = 10 * X.shape[1] + (X * X - 10 * np.cos(2 * np.pi * X)).sum(1)
    return value, 2 * X + 20 * np.pi * np.sin(2 * np.pi * X)


def uniform(low, high, count, size=2, seed=0):
    box = Box(np.full(size, float(low)), np.full(size, float(high)))
    return box, np.random.default_rng(seed).uniform(low, high, (count, size))


def test_every_start_on_himmelblau_arrives_at_one_of_the_four_minima():
    box, starts = uniform(-5, 5, 500)
    ends = lanes_down(himmelblau, starts, box)
    distance = np.linalg.norm(ends.points[:, None] - HIMMELBLAU[None], axis=2)
    assert np.all(ends.arrived) and np.max(np.min(distance, axis=1)) < 1e-5
    assert set(np.argmin(distance, axis=1)) == {0, 1, 2, 3}


def test_all_121_minima_of_rastrigin_are_found():
    box, starts = uniform(-5.12, 5.12, 1500)
    ends = lanes_down(rastrigin, starts, box)
    assert len(np.unique(np.round(ends.points[ends.arrived], 3), axis=0)) == 121


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6), st.floats(-3, 3), st.floats(-3, 3), st.integers(0, 2**32 - 1))
def test_units_of_variables_and_of_f_change_nothing(size, power, height, seed):
    """A quadratic seen in other units: the same lanes, up to rounding."""
    draw = np.random.default_rng(seed)
    root = draw.normal(size=(size, size)) + 3 * np.eye(size)
    assume(np.linalg.cond(root) < 1e2)  # else the valley is flat, and what is left along it no promise
    H, units, scale = root @ root.T, 10.0 ** (power * np.arange(size)), 10.0**height

    def quadratic(X):
        return 0.5 * np.einsum("mi,ij,mj->m", X, H, X), X @ H

    def in_units(X):
        value, gradient = quadratic(X / units)
        return scale * value, scale * gradient / units

    starts = draw.uniform(-1, 1, (7, size))
    ends = lanes_down(in_units, starts * units, Box(-units, units))
    assert np.all(ends.arrived) and np.max(np.abs(ends.points / units)) < 1e-4
    assert np.max(np.abs(lanes_down(quadratic, starts, Box(-np.ones(size), np.ones(size))).points)) < 1e-4


def test_lanes_on_undefined_ground_are_left_out_and_the_others_arrive():
    def root(X):
        with np.errstate(invalid="ignore", divide="ignore"):
            value = np.sqrt(X[:, 0]) + 1 / np.sqrt(X[:, 0]) + X[:, 1] ** 2
            slope = 0.5 / np.sqrt(X[:, 0]) - 0.5 * X[:, 0] ** -1.5
        return value, np.stack([slope, 2 * X[:, 1]], axis=1)

    starts = np.array([[-1.0, 0.0], [4.0, 1.0], [0.01, -1.0], [0.0, 0.5]])
    ends = lanes_down(root, starts, Box(np.full(2, -5.0), np.full(2, 5.0)))
    assert ends.arrived.tolist() == [False, True, True, False]
    assert np.isnan(ends.values[[0, 3]]).all() and ends.points[1:3] == pytest.approx(
        np.array([[1, 0], [1, 0]]), abs=1e-4
    )


def test_no_lane_leaves_its_bounds_and_a_minimum_on_a_face_is_found():
    box, starts = uniform(-5, 5, 200)
    fence = Box(np.array([-5.0, -5.0]), np.array([2.0, 5.0]))
    seen = []

    def watched(X):
        seen.append(X.copy())
        return himmelblau(X)

    ends = lanes_down(watched, fence.nearest(starts), box, box=fence)
    assert max(X[:, 0].max() for X in seen) <= 2.0
    on_the_face = ends.points[:, 0] == 2.0
    assert np.any(on_the_face)
    _, slope = himmelblau(ends.points[on_the_face & ends.arrived])
    assert np.all(slope[:, 0] < 0) and np.max(np.abs(slope[:, 1])) < 1e-2


def test_steps_spent_are_no_arrival():
    box, starts = uniform(-5, 5, 20)
    ends = lanes_down(himmelblau, starts, box, budget=Budget(steps=2))
    assert not np.any(ends.arrived) and ends.steps == 2 and np.all(np.isfinite(ends.values))


def test_a_flat_function_ends_at_once():
    box, starts = uniform(-1, 1, 9)
    ends = lanes_down(lambda X: (np.full(len(X), 3.0), np.zeros_like(X)), starts, box)
    assert np.all(ends.arrived) and ends.points == pytest.approx(starts) and ends.steps == 1


def test_evaluations_over_all_lanes_are_a_budget():
    box, starts = uniform(-5, 5, 50)
    calls = []

    def counted(X):
        calls.append(len(X))
        return himmelblau(X)

    ends = lanes_down(counted, starts, box, budget=Budget(evaluations=170))
    assert ends.ended is Reason.EVALUATIONS and sum(calls) == ends.evaluations == 150 and ends.steps == 2
    few = lanes_down(himmelblau, starts, box, budget=Budget(evaluations=20))
    assert few.evaluations == 20 and np.isnan(few.values[20:]).all() and np.isfinite(few.values[:20]).all()


def test_a_watcher_sees_the_lowest_point_and_may_end_the_walks():
    box, starts = uniform(-5, 5, 50)
    rows = []

    def watch(row):
        rows.append(row)
        if row.step == 4:
            raise StopIteration

    ends = lanes_down(himmelblau, starts, box, watch=watch)
    assert ends.ended is Reason.ASKED and ends.steps == 4 and [row.step for row in rows] == [0, 1, 2, 3, 4]
    values = [row.value for row in rows]
    assert values == sorted(values, reverse=True) and values[-1] == np.min(ends.values)
    value, slope = himmelblau(rows[-1].there[None])
    assert value[0] == pytest.approx(values[-1]) and np.linalg.norm(slope) == pytest.approx(rows[-1].steepness)
    assert [row.passes for row in rows] == [50, 100, 150, 200, 250]


def test_ground_that_curves_downwards_is_left_quickly():
    """Near the top of a hill no step tells of curvature upwards: steps grow instead of creeping."""

    def wave(X):
        return np.cos(X[:, 0]), -np.sin(X[:, :1])

    box = Box(np.array([-4.0]), np.array([4.0]))
    ends = lanes_down(wave, np.array([[1e-6], [-1e-3], [2.0]]), box)
    assert np.all(ends.arrived) and np.abs(ends.points[:, 0]) == pytest.approx(np.pi, abs=1e-4)
    assert ends.steps < 25
