"""What auto chooses, says and finds; and how it leaves stationary points that are no minima."""

import re

import numpy as np
import pytest

from grounds import Formula
from surefoot.descent.arrival import Arrival, Tolerance
from surefoot.descent.auto import auto
from surefoot.descent.escape import escape, lowest_curvature
from surefoot.descent.ground import Floor
from surefoot.descent.landscape import Landscape
from surefoot.descent.loop import Budget
from surefoot.descent.stop import ENDS, Reason
from surefoot.problem.objective import objective_of

jnp = pytest.importorskip("jax.numpy")


def walked(f, start, **more):
    objective, x0 = objective_of(f, np.asarray(start, float))
    return auto(objective, x0, **more), objective


def rosenbrock(x):
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def test_the_first_answer_takes_one_program():
    found, objective = walked(lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1.5 - x[0]) ** 2, [-1.2, 1.0])
    assert found.x == pytest.approx([1.5, 2.25], abs=1e-10)
    assert objective.counts.compilations <= 1
    assert found.stop.reason in ENDS and found.passes < 100


@pytest.mark.parametrize("shift", [0.0, 1.0, 1e3, 1e6])
def test_the_floor_that_is_printed_is_the_one_that_decided(shift):
    found, _ = walked(lambda x: shift + jnp.sum(jnp.cosh(x - jnp.array([0.3, -2.0]))) + x[0] * x[1], [0.7, 0.2])
    if found.stop.reason is Reason.NOISE:
        assert found.stop.measure <= found.stop.tolerance and "<=" in str(found.stop)
    else:
        assert found.stop.reason is Reason.STALLED and found.stop.measure > found.stop.tolerance


def test_a_floor_far_above_what_was_expected_is_the_one_that_is_printed():
    class Noisy(Formula):
        def measured_floor(self, here, curvature):
            return Floor(1e-3, float("inf"))

    ground = Noisy(1, lambda x: 1.0, lambda x: np.array([1e-4]))
    arrival = Arrival(ground, Tolerance())
    here = ground.see(np.zeros(1))
    assert arrival.begin(here) is None and arrival.limit(here) < 1e-10
    assert arrival.refused(here) is Reason.NOISE and arrival.limit(here) == 1e-3
    assert arrival.limit(ground.see(np.ones(1))) < 1e-10, "it was measured elsewhere"


def test_it_leaves_a_saddle_on_which_it_starts():
    found, _ = walked(lambda x: x[0] ** 2 - x[1] ** 2 + x[1] ** 4, [0.0, 0.0])
    assert abs(found.x[1]) == pytest.approx(np.sqrt(0.5), abs=1e-9) and found.here.value == pytest.approx(-0.25)
    assert any("beside a stationary point" in sentence for sentence in found.story)
    assert any("beside a stationary point" in row.remark for row in found.trace.rows)


def test_it_leaves_a_maximum_on_which_it_starts():
    found, _ = walked(lambda x: jnp.cos(x[0]) + jnp.cos(x[1]), [0.0, 0.0])
    assert found.here.value == pytest.approx(-2)


def test_it_leaves_a_saddle_in_300_dimensions():
    """One direction of 300 leads down, and the walk starts with nothing along it."""

    def f(x):
        return jnp.sum(x[1:] ** 2 * jnp.linspace(1, 10, 299)) - x[0] ** 2 + x[0] ** 4

    found, _ = walked(f, np.r_[0.0, np.ones(299)])
    assert found.here.value == pytest.approx(-0.25, abs=1e-9)


def test_it_prefers_the_lower_side_of_a_saddle():
    """Both sides of x = 0 lead down, the negative one to -16.0, the positive one to -0.06."""
    found, _ = walked(lambda x: x[0] ** 4 + 2 * x[0] ** 3 - 2 * x[0] ** 2, [0.0])
    assert found.x[0] < -1


def test_a_flat_valley_is_walked_along_until_it_curves_downwards():
    """f = y^4 + y^2 (1 - x^2) is 0 all along y = 0, where it curves upwards for |x| < 1 and downwards beyond."""
    ground = Formula(
        2, lambda z: z[1] ** 4 + z[1] ** 2 * (1 - z[0] ** 2), lambda z: np.array(
            [-2 * z[0] * z[1] ** 2, 4 * z[1] ** 3 + 2 * z[1] * (1 - z[0] ** 2)]),
        lambda z: np.array(
            [[-2 * z[1] ** 2, -4 * z[0] * z[1]], [-4 * z[0] * z[1], 12 * z[1] ** 2 + 2 * (1 - z[0] ** 2)]]),
    )  # fmt: skip
    here = ground.see(np.zeros(2))
    lowest = lowest_curvature(ground, here)
    assert lowest.is_flat and not lowest.is_negative
    found = escape(ground, here, lowest)
    assert found is not None and found.there.value < -1e-3 and found.curvature < 0


def test_nothing_is_found_beside_a_minimum():
    ground = Formula(2, lambda z: z @ z, lambda z: 2 * z, lambda z: 2 * np.eye(2))
    here = ground.see(np.zeros(2))
    assert escape(ground, here, lowest_curvature(ground, here)) is None


@pytest.mark.parametrize("seed", range(20))
def test_lanczos_from_several_starts_sees_a_single_negative_curvature(seed):
    rng = np.random.default_rng(seed)
    n = 120
    basis = np.linalg.qr(rng.standard_normal((n, n)))[0]
    H = (basis * np.r_[-0.05, np.linspace(0.5, 3, n - 1)]) @ basis.T
    ground = Formula(n, lambda x: x @ H @ x / 2, lambda x: H @ x, lambda x: (H + H.T) / 2)
    lowest = lowest_curvature(ground, ground.see(np.zeros(n)), seed)
    assert lowest.is_negative and not lowest.complete
    assert lowest.value >= -0.05 - 1e-12


def test_a_large_quadratic_is_noticed():
    d = np.linspace(1, 100, 300)
    found, objective = walked(lambda x: jnp.sum(d * (x - 1) ** 2) / 2, np.zeros(300))
    assert found.x == pytest.approx(np.ones(300), abs=1e-8)
    assert any("quadratic" in sentence for sentence in found.story)
    assert found.steps < 130 and objective.counts.hessians == 0


def test_a_large_quadratic_that_ends_at_the_origin():
    """Where gradients shrink until their squares leave the doubles."""
    d = np.r_[np.ones(298), 100.0, 100.0]
    found, _ = walked(lambda x: jnp.sum(d * x**2), np.full(300, 3.0))
    assert np.linalg.norm(found.x) <= 1e-12 and found.stop.reason in ENDS


def test_a_second_look_keeps_the_lower_minimum_and_says_so():
    def f(x):
        return jnp.sin(3 * x[0]) + 0.1 * (x[0] - 2) ** 2 + jnp.cos(2 * x[1]) + 0.1 * x[1] ** 2

    for start in np.random.default_rng(1).uniform(-3, 3, (6, 2)):
        found, _ = walked(f, start)
        assert found.here.value <= np.min(found.trace["value"]) + 1e-14
        if any("second look" in sentence for sentence in found.story):
            break
    else:
        raise AssertionError("no walk from six starts looked twice")


def test_budgets_hold_for_all_legs_together():
    for budget in (Budget(7), Budget(evaluations=9), Budget(10**6, 0.3)):
        found, _ = walked(rosenbrock, np.full(30, -1.0), budget=budget)
        assert found.steps <= 7 or budget.steps > 7
        assert found.passes <= 9 or budget.evaluations > 9
        assert found.seconds < 0.3 + 1.0 or budget.seconds > 1
        assert np.isfinite(found.here.value)


@pytest.mark.parametrize("budget, words", [
    (Budget(1500), r"the budget of steps is spent: 1,500 steps taken in \d legs, "),
    (Budget(evaluations=2600), r"the budget of evaluations is spent: 2,6\d\d evaluations in [\d,]+ steps in \d legs, "),
    (Budget(10**6, 0.7), r"the budget of time is spent: [\d.]+ s and [\d,]+ steps in \d+ legs, "),
])  # fmt: skip
def test_the_budget_in_the_stop_is_that_of_the_caller_not_of_a_leg(budget, words):
    def winding(x):
        return jnp.sum(1e6 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    found, _ = walked(winding, np.linspace(-1, 3, 300), budget=budget)
    assert re.match(words, str(found.stop)), found.stop
    assert f"{found.steps:,} steps" in str(found.stop)


def test_without_exact_curvature_it_walks_by_quasi_newton():
    def f(x):
        return float(np.sin(x[0]) + (x[0] - 1) ** 2 + abs(float(x[1])) ** 3)

    found, objective = walked(f, [2.0, 1.0])
    assert not objective.exact_gradient
    assert found.here.value == pytest.approx(0.5386, abs=0.3)
    assert objective.counts.hessians == 0


def test_unbounded_below_is_said():
    found, _ = walked(lambda x: x[0] ** 3 + x[1] ** 2, [-1.0, 1.0])
    assert found.stop.reason is Reason.UNBOUNDED


def test_a_start_where_f_is_not_finite_is_said():
    found, _ = walked(lambda x: jnp.log(x[0]), [-1.0])
    assert found.stop.reason is Reason.NOT_FINITE and len(found.trace) >= 1


def test_the_watch_sees_every_row_of_every_leg_in_order():
    rows = []
    found, _ = walked(lambda x: x[0] ** 2 - x[1] ** 2 + x[1] ** 4, [0.0, 0.0], watch=rows.append)
    assert len({row.step for row in rows}) == len({row.step for row in found.trace.rows})
    assert np.all(np.diff(found.trace["passes"]) >= 0) and np.all(np.diff(found.trace["step"]) >= 0)


def test_a_watch_can_end_all_legs():
    def stop(row):
        if row.step >= 3:
            raise StopIteration

    found, _ = walked(rosenbrock, np.full(6, -1.2), watch=stop)
    assert found.stop.reason is Reason.ASKED and found.steps <= 3


def test_the_value_noise_is_measured_where_it_matters():
    objective, x0 = objective_of(lambda x: ((1e4 + jnp.sum(x)) ** 2 - 1e8) / 2e4, np.array([0.3, 0.2]))
    ground = Landscape(objective)
    here = ground.see(x0)
    assert ground.blur(here) < 1e-15 < 1e-13 < ground.measured_blur(here) < 1e-10
    assert ground.blur(here) == ground.measured_blur(here)
