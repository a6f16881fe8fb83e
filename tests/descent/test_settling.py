"""Newton's steps for many points: those near minima settle to the last digits, others stay where they were."""

import numpy as np
import pytest

from surefoot.descent.settling import settle
from surefoot.problem.objective import objective_of

HIMMELBLAU = np.array(
    [[3.0, 2.0], [-2.805118086952745, 3.131312518250573], [-3.779310253377747, -3.283185991286170],
     [3.584428340330492, -1.848126526964404]]
)  # fmt: skip


def himmelblau(x):
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


@pytest.mark.parametrize("away", [1e-3, 1e-6, 1e-10, 0.0])
def test_every_point_beside_a_minimum_settles_to_the_last_digits(away):
    objective, _ = objective_of(himmelblau, np.ones(2))
    found, settled = settle(objective, HIMMELBLAU + away * np.array([1.0, -1.0]), np.full(2, 0.01))
    assert np.all(settled) and np.max(np.abs(found - HIMMELBLAU)) < 4e-15


def test_saddles_slopes_and_what_would_move_too_far_stay():
    objective, _ = objective_of(himmelblau, np.ones(2))
    points = np.array([[-0.270845, -0.923039], [0.0, 0.0], [3.2, 2.2], [3.001, 2.0]])
    found, settled = settle(objective, points, np.full(2, 0.05))
    assert settled.tolist() == [False, False, False, True]
    assert np.array_equal(found[:3], points[:3])


def test_slow_convergence_at_a_singular_hessian_is_no_settling():
    objective, _ = objective_of("x^4", {"x": 1.0})
    _, settled = settle(objective, np.array([[0.01]]), np.array([1.0]))
    assert not settled[0]


def test_undefined_ground_is_no_trouble():
    objective, _ = objective_of("x - log(x)", {"x": 1.0})
    found, settled = settle(objective, np.array([[-1.0], [1.01]]), np.array([0.1]))
    assert settled.tolist() == [False, True] and found[1, 0] == pytest.approx(1.0, abs=1e-15)
