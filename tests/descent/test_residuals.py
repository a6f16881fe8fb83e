"""Gauss-Newton and Levenberg-Marquardt: what breaks such codes, first of all."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_matrix

from nist_curves import CURVES
from nistdata import digits
from surefoot.descent.linearised import linearised
from surefoot.descent.log_variables import LogVariables
from surefoot.descent.loop import Budget, walk
from surefoot.descent.methods import step_class
from surefoot.descent.misfit import Misfit
from surefoot.descent.residual_walk import descend
from surefoot.descent.residuals import Damping, GaussNewton
from surefoot.descent.stop import Reason
from surefoot.errors import ModelError
from surefoot.problem.losses import loss_of
from surefoot.problem.residual import residuals_of

LINEAR = loss_of("linear")


def down(residual, x0, **wishes):
    residuals, start = residuals_of(residual, x0)
    return descend(residuals, wishes.pop("loss", LINEAR), start, **wishes)


def rosenbrock(x):
    return jnp.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def powell_singular(x):  # More, Garbow, Hillstrom (1981), ACM TOMS 7(1), problem 13
    return jnp.stack([x[0] + 10 * x[1], 5**0.5 * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2, 10**0.5 * (x[0] - x[3]) ** 2])


def powell_badly_scaled(x):  # problem 3
    return jnp.stack([1e4 * x[0] * x[1] - 1, jnp.exp(-x[0]) + jnp.exp(-x[1]) - 1.0001])


def brown_badly_scaled(x):  # problem 4
    return jnp.stack([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2])


def helix(x):  # problem 7
    angle = jnp.arctan2(x[1], x[0]) / (2 * jnp.pi)
    return jnp.stack([10 * (x[2] - 10 * angle), 10 * (jnp.hypot(x[0], x[1]) - 1), x[2]])


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", CURVES)
def test_nist_to_nearly_every_printed_digit(name, start):
    curve = CURVES[name]
    found = down(curve.residual, curve.starts[start])
    least = min(digits(x, text) for x, text in zip(found.walk.x, curve.coefficients, strict=True))
    assert least >= 10
    assert digits(found.walk.here.value, curve.sum_of_squares) >= 10
    assert found.walk.stop.reason in (Reason.NOISE, Reason.STALLED)
    assert not found.runaway


@pytest.mark.parametrize("name", ["MGH10", "MGH17"])
def test_a_parameter_that_runs_away_is_said_or_mended(name):
    curve = CURVES[name]
    found = down(curve.residual, curve.starts[0], budget=Budget(steps=20))
    # Twenty steps are too few: then the point must not be sold as one that was found.
    assert found.walk.stop.reason is Reason.STEPS


@pytest.mark.parametrize(
    ("residual", "start", "least"),
    [
        (rosenbrock, [-1.2, 1.0], [1, 1]),
        (powell_badly_scaled, [0.0, 1.0], [1.098159329699759e-5, 9.106146739867318]),
        (brown_badly_scaled, [1.0, 1.0], [1e6, 2e-6]),
        (helix, [-1.0, 0.0, 0.0], [1, 0, 0]),
    ],
)
def test_zero_residuals_are_found_to_the_last_digit(residual, start, least):
    found = down(residual, start)
    assert found.walk.x == pytest.approx(least, rel=1e-13, abs=1e-13)
    assert found.walk.here.value <= 1e-25
    assert found.walk.steps < 100


def test_a_singular_root_ends_without_a_thousand_steps():
    found = down(powell_singular, [3.0, -1.0, 0.0, 1.0])
    assert found.walk.here.value < 1e-30
    assert found.walk.steps < 300


def test_columns_that_depend_on_each_other():
    found = down(lambda x: jnp.stack([x[0] + x[1] - 1, 2 * (x[0] + x[1]) - 2.5, x[2] - 3]), [5.0, 0.0, 0.0])
    x = found.walk.x
    assert x[0] + x[1] == pytest.approx(1.2, rel=1e-14)
    assert x[2] == pytest.approx(3, rel=1e-14)
    assert np.all(np.abs(x) < 10)  # the shortest step, not a wild one along the valley


def test_fewer_residuals_than_variables():
    found = down(lambda x: jnp.stack([x[0] * x[1] * x[2] - 1, jnp.sum(x) - 3.5]), [2.0, 3.0, 0.4])
    assert found.walk.here.value < 1e-28
    assert np.all(np.abs(found.walk.x) < 20)


def test_no_slope_at_the_start_is_left_by_curvature():
    found = down(lambda x: jnp.stack([x[0] ** 2 - 1, x[1] - 2]), [0.0, 2.0])
    assert np.abs(found.walk.x) == pytest.approx([1, 2], rel=1e-14)
    assert "saddle" in found.walk.story[0]


def test_a_residual_that_does_not_depend_on_anything():
    found = down(lambda x: 2.0 + 0 * x, [1.0, 2.0])
    assert found.walk.x.tolist() == [1, 2]
    assert found.walk.stop.reason is Reason.NOISE


def test_ground_that_is_not_defined_is_stepped_back_from():
    found = down(lambda x: jnp.stack([jnp.log(x[0]) - 1, x[1] - x[0]]), [10.0, 0.0])
    assert found.walk.x == pytest.approx([np.e, np.e], rel=1e-14)
    edge = down(lambda x: jnp.stack([jnp.sqrt(x[0] - 1) - 0.01, x[0] * 1e-3]), [30.0])
    assert edge.walk.x[0] == pytest.approx(1.0001, rel=1e-6)


def test_not_finite_at_the_start():
    found = down(lambda x: jnp.log(x), [-1.0])
    assert found.walk.stop.reason is Reason.NOT_FINITE
    assert found.walk.x.tolist() == [-1]


def test_an_infimum_at_infinity_is_called_so():
    found = down(lambda x: jnp.exp(-x), [1.0])
    assert found.runaway == (0,)


def test_budgets_keep_the_best_point():
    for budget in (Budget(steps=3), Budget(evaluations=4), Budget(seconds=0.0)):
        found = down(rosenbrock, [-1.2, 1.0], budget=budget)
        assert found.walk.stop.reason in (Reason.STEPS, Reason.EVALUATIONS, Reason.TIME)
        values = found.walk.trace["value"]
        assert found.walk.here.value == np.nanmin(values)
        assert found.walk.passes <= 12


@pytest.mark.parametrize("steps", ["armijo", "wolfe", "hager-zhang", "exact", "trust-region"])
def test_gauss_newton_goes_with_any_step(steps):
    for residual, start in ((rosenbrock, [-1.2, 1.0]), (helix, [-1.0, 0.2, 0.0])):
        found = down(residual, start, direction=GaussNewton(), step=step_class(steps)())
        assert found.walk.here.value < 1e-25, steps


def test_full_gauss_newton_steps_solve_rosenbrock_in_two_and_one_for_rounding():
    residuals, start = residuals_of(rosenbrock, [-1.2, 1.0])
    walked = walk(Misfit(residuals, LINEAR), GaussNewton(), step_class("full")(), start=start)
    assert walked.steps <= 3
    assert walked.x.tolist() == [1, 1]


def test_directions_need_residuals_and_damping_a_model():
    from surefoot.descent.bowl import Bowl
    from surefoot.descent.directions import SteepestDescent

    bowl = Bowl.of_arrays(np.eye(2), np.ones(2))
    with pytest.raises(ModelError, match=r"call sf\.least_squares"):
        walk(bowl, GaussNewton(), Damping())
    with pytest.raises(ModelError, match="linear model of residuals"):
        walk(bowl, SteepestDescent(), Damping())


@given(st.integers(0, 10_000), st.floats(-6, 3))
@settings(max_examples=30, deadline=None)
def test_damped_steps_solve_their_equations_dense_and_sparse(seed, power):
    random = np.random.default_rng(seed)
    J, r, mu = (
        random.standard_normal((7, 4)) * 10.0 ** random.integers(-4, 5, 4),
        random.standard_normal(7),
        10.0**power,
    )
    D = np.linalg.norm(J, axis=0)
    for jacobian in (J, csc_matrix(J)):
        model = linearised(r, jacobian, None, None)
        step, predicted = model.damped(mu)
        expected = -np.linalg.solve((J / D).T @ (J / D) + mu * np.eye(4), (J / D).T @ r) / D
        assert step * D == pytest.approx(expected * D, rel=1e-8, abs=1e-10)
        assert predicted == pytest.approx(r @ r - np.sum((r + J @ step) ** 2), rel=1e-8, abs=1e-12)


@given(st.integers(0, 10_000), st.floats(1e-3, 10))
@settings(max_examples=30, deadline=None)
def test_a_radius_is_kept(seed, radius):
    random = np.random.default_rng(seed)
    model = linearised(random.standard_normal(7), random.standard_normal((7, 4)), None, None)
    step, predicted = model.within(radius)
    assert model.length(step) <= 1.1 * radius + 1e-12
    assert predicted >= 0


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_units_of_the_variables_do_not_matter(seed):
    units = 10.0 ** np.random.default_rng(seed).integers(-6, 7, 2)
    curve = CURVES["Misra1a"]
    plain = down(curve.residual, curve.starts[1])
    scaled = down(lambda b: curve.residual(b * units), np.array(curve.starts[1]) / units)
    assert scaled.walk.x * units == pytest.approx(plain.walk.x, rel=1e-11)
    assert abs(scaled.walk.passes - plain.walk.passes) <= 6


@pytest.mark.parametrize("logged", [[True, True], [True, False]])
def test_logarithms_have_the_right_derivatives(logged):
    residuals, x = residuals_of(lambda x: jnp.stack([x[0] * x[1] ** 2, jnp.exp(-x[0]), x[1]]), [0.7, 1.3])
    logs = LogVariables(residuals, np.array(logged))
    u, v, h = logs.inner(x), np.array([0.4, -0.3]), 1e-5
    first = (logs.at(u + h * v) - logs.at(u - h * v)) / (2 * h)
    second = (logs.at(u + 1e-3 * v) - 2 * logs.at(u) + logs.at(u - 1e-3 * v)) / 1e-6
    assert logs.see(u)[1] @ v == pytest.approx(first, rel=1e-8)
    assert logs.along(u, v) == pytest.approx(second, rel=1e-4)


def test_the_trace_tells_every_trial_and_why_legs_began():
    curve = CURVES["MGH10"]
    found = down(curve.residual, curve.starts[0])
    trace = found.walk.trace
    assert len(trace.steps()) <= len(trace)
    assert any("in logarithms" in row.remark for row in trace.rows)
    assert trace.rows[-1].remark == "the last digits" or any(row.remark == "the last digits" for row in trace.rows)
    assert np.all(np.diff(trace["passes"]) >= 0)
    assert np.all(np.diff(trace["step"]) >= 0)
