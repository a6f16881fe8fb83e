"""Functions that run as NumPy: given derivatives, noise, and how many values they take."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from surefoot.errors import ModelError
from surefoot.problem.differenced import Differenced
from surefoot.problem.noise import noise_of_gradient
from surefoot.problem.points import Points


def f(x):
    return float(np.sum(np.sin(x)) + x[0] * x[-1])


def gradient(x):
    found = np.cos(x)
    found[0] += x[-1]
    found[-1] += x[0]
    return found


def hessian(x):
    found = np.diag(-np.sin(x))
    found[0, -1] += 1
    found[-1, 0] += 1
    return found


X = np.array([0.5, 1.0, -2.0])


def test_without_derivatives():
    objective = Differenced(f, Points(X))
    assert not objective.exact_gradient and not objective.exact_curvature and objective.notes == ()
    value, slope, curvature = objective.look(X)
    assert value == f(X)
    np.testing.assert_allclose(slope, gradient(X), atol=1e-8)
    np.testing.assert_allclose(curvature, hessian(X), atol=1e-5)
    assert np.array_equal(curvature, curvature.T)
    fresh = Differenced(f, Points(X))
    np.testing.assert_allclose(fresh.bend(X, np.array([1.0, 2.0, 3.0])), hessian(X) @ [1, 2, 3], atol=1e-5)
    assert fresh.bend(X, np.zeros(3)).tolist() == [0.0] * 3


def test_the_error_of_a_gradient_is_known():
    objective = Differenced(f, Points(X))
    for x in (X, X + 0.1, X + 0.2):
        error = np.linalg.norm(objective.see(x)[1] - gradient(x))
        assert error <= 10 * objective.gradient_error(x) <= 1e-4
        assert noise_of_gradient(objective, x) == objective.gradient_error(x)


def test_with_the_gradient():
    calls = []
    objective = Differenced(f, Points(X), jac=lambda x: calls.append(1) or gradient(x))
    assert objective.exact_gradient and not objective.exact_curvature and objective.gradient_error(X) == 0.0
    np.testing.assert_array_equal(objective.see(X)[1], gradient(X))
    np.testing.assert_allclose(objective.hessian(X), hessian(X), atol=1e-9)
    np.testing.assert_allclose(objective.bend(X + 1, np.ones(3)), hessian(X + 1) @ np.ones(3), atol=1e-9)
    assert objective.counts.gradients == len(calls)


def test_with_both_and_with_the_hessian_of_a_tree():
    objective = Differenced(f, Points(X), jac=gradient, hess=hessian)
    np.testing.assert_array_equal(objective.hessian(X), hessian(X))
    np.testing.assert_array_equal(objective.bend(X, X), hessian(X) @ X)
    with pytest.raises(ModelError, match=r"shape \(2, 2\); \(3, 3\) is needed"):
        Differenced(f, Points(X), jac=gradient, hess=lambda x: np.eye(2)).hessian(X)
    tree = Differenced(lambda p: p["a"] ** 2 + f(p["x"]), Points({"a": 2.0, "x": X}),
                       jac=lambda p: {"x": gradient(p["x"]), "a": 2 * p["a"]})  # fmt: skip
    np.testing.assert_array_equal(tree.see(np.array([2.0, *X]))[1], [4.0, *gradient(X)])


def test_value_and_gradient_together_are_one_call():
    calls = []

    def both(x):
        calls.append(1)
        return f(x), gradient(x)

    objective = Differenced(both, Points(X), jac=True)
    before = len(calls)
    objective.value(X + 1), objective.see(X + 1)
    assert len(calls) == before + 1
    with pytest.raises(ModelError, match="returns no pair"):
        Differenced(f, Points(X), jac=True)


def test_forward_differences_far_from_a_minimum_and_central_ones_near():
    objective = Differenced(lambda x: float(1 + np.sum((x - 1) ** 4 + (x - 1) ** 2)), Points(X))
    objective.see(X)
    before = objective.counts.values
    objective.see(X + 0.01)
    assert objective.counts.values - before == 1 + 3  # forward
    near = np.ones(3) + 1e-9
    objective.see(near)
    before = objective.counts.values
    slope = objective.see(near + 1e-9)[1]
    assert objective.counts.values - before >= 1 + 3 + 6  # forward was no good, so central
    np.testing.assert_allclose(slope, 2 * (near + 1e-9 - 1), atol=1e-8)


@pytest.mark.parametrize("level", [1e-3, 1e-6])
def test_noise_is_measured_and_steps_suit_it(level):
    random = np.random.default_rng(0)
    objective = Differenced(lambda x: float(np.sum((x - 1) ** 2)) + level * random.standard_normal(), Points(X))
    error = np.linalg.norm(objective.see(X)[1] - 2 * (X - 1))
    assert error <= 10 * objective.gradient_error(X)
    assert error <= 60 * level**0.5  # tiny steps would give an error of 1e5 times that
    np.testing.assert_allclose(objective.hessian(X), 2 * np.eye(3), atol=20 * level**0.5)


def test_a_variable_that_comes_near_zero_keeps_its_size():
    objective = Differenced(lambda x: float(1 + np.sum(x**2)), Points([1.0, 1.0]))
    objective.see(np.ones(2))
    slope = objective.see(np.array([1e-12, -1e-12]))[1]
    np.testing.assert_allclose(slope, 0.0, atol=1e-7)


def test_warnings_of_numpy_stay_inside_and_errors_come_out():
    objective = Differenced(lambda x: float(np.log(x[0]) + 1 / x[1]), Points([1.0, 1.0]))
    assert np.isnan(objective.value(np.array([-1.0, 0.0])))

    def fails(x):
        if x[0] < 0:
            raise OverflowError("mine")
        return float(x[0])

    with pytest.raises(OverflowError, match="mine"):
        Differenced(fails, Points([1.0])).value(np.array([-1.0]))


def test_jax_inside_a_function_that_it_cannot_trace_runs_in_double_precision():
    def third(x):
        return jnp.asarray(1.0) / 3 * x[0] if x[0] > 0 else 0.0

    objective = Differenced(third, Points([1.0]))
    assert objective.value(np.array([1.0])) == 1 / 3


def test_float32_values_are_noticed():
    objective = Differenced(lambda x: np.sum(x.astype(np.float32) ** 2), Points([1.0, 2.0]))
    assert objective.roundoff == 2.0**-24 and "float32" in objective.notes[0]
    np.testing.assert_allclose(objective.see(np.array([1.0, 2.0]))[1], [2.0, 4.0], atol=0.01)


def test_lanes_are_a_loop():
    objective = Differenced(f, Points(X))
    lanes = np.array([X, X + 1])
    values, gradients = objective.lanes(lanes)
    assert values.tolist() == [f(X), f(X + 1)] == objective.lane_values(lanes).tolist()
    np.testing.assert_allclose(gradients, [gradient(X), gradient(X + 1)], atol=1e-6)
