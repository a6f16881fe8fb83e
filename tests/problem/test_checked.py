"""Wrong gradients are found; noise, kinks and scales do not make right ones wrong."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.errors import ModelError
from surefoot.problem.checked import MOST, check_gradient


def f(x):
    return float(np.sum(np.sin(x)) + x[0] ** 2 * x[1])


def gradient(x):
    found = np.cos(x)
    found[0] += 2 * x[0] * x[1]
    found[1] += x[0] ** 2
    return found


X = np.array([0.5, 1.5, -2.0])


def test_a_right_gradient():
    found = check_gradient(f, X, jac=gradient)
    assert found.ok and found.wrong == () and found.kinks == () and found.unseen == ()
    assert str(found).startswith("The gradient agrees with differences. They are furthest apart in x[")
    np.testing.assert_allclose(found.differences, gradient(X), rtol=1e-9)
    assert np.all(np.abs(found.differences - gradient(X)) <= 10 * found.errors)


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("change", [1e-4, -1e-4, 1.0, -2.0, np.nan, np.inf])
def test_one_wrong_component_is_found_by_its_name(which, change):
    def wrong(p):
        found = gradient(p["w"])
        found[which] += change
        return {"w": found, "b": 2 * p["b"]}

    found = check_gradient(lambda p: f(p["w"]) + p["b"] ** 2, {"b": 3.0, "w": X}, jac=wrong)
    assert not found.ok and found.wrong == (f"w[{which}]",) and found.names[found.worst] == f"w[{which}]"
    assert f"wrong in 1 of 4 variables. Worst in w[{which}]" in found.sentence


def test_a_factor_common_to_all_is_said():
    found = check_gradient(f, X, jac=lambda x: -0.5 * gradient(x))
    assert "Everywhere it is -0.5 times what it should be." in found.sentence


def test_custom_derivatives_that_lie_are_found():
    assert not check_gradient(lambda x: jnp.sum(jax.lax.stop_gradient(x) * x), [1.0, 2.0]).ok
    assert check_gradient(lambda x: jnp.sum(x * x), [1.0, 2.0]).ok


@settings(max_examples=40, deadline=None)
@given(st.integers(-12, 12), st.integers(-8, 8), st.floats(0.1, 3))
def test_units_make_no_right_gradient_wrong(size, shift, at):
    """x in units of 10^size, f with a constant added that hides digits."""
    scale = 10.0**size

    def scaled(x):
        return float(np.exp(x[0] / scale) + np.cos(x[1])) + 10.0**shift

    x = [at * scale, at]
    right = check_gradient(scaled, x, jac=lambda x: [np.exp(x[0] / scale) / scale, -np.sin(x[1])])
    assert right.ok, right.sentence
    wrong = check_gradient(scaled, x, jac=lambda x: [1.3 * np.exp(x[0] / scale) / scale, -np.sin(x[1])])
    assert not wrong.ok and wrong.wrong == ("x[0]",), wrong.sentence


@pytest.mark.parametrize("level", [1e-3, 1e-6, 1e-9])
def test_noise_makes_no_right_gradient_wrong(level):
    random = np.random.default_rng(0)

    def noisy(x):
        return f(x) + level * random.standard_normal()

    for shift in np.linspace(0, 1, 15):
        assert check_gradient(noisy, X + shift, jac=gradient).ok
    assert not check_gradient(noisy, X, jac=lambda x: 2 * gradient(x)).ok


def test_kinks_are_said_and_not_judged():
    found = check_gradient(lambda x: jnp.sum(jnp.abs(x)), [0.0, 1.0, -1e-9])
    assert found.ok and "x[0]" in found.kinks and "f has a kink in x[0]" in found.sentence
    near = check_gradient(lambda x: jnp.sum(jnp.maximum(x, 0) ** 2), [0.0, 1e-7])
    assert near.ok and near.kinks == ()
    beside = check_gradient(lambda x: jnp.sum(jnp.abs(x)), [1e-3, 0.5])
    assert beside.ok and beside.kinks == ()
    outside = check_gradient(lambda x: float(np.sum(np.abs(x))), [0.0, 1.0], jac=lambda x: [3.0, 1.0])
    assert not outside.ok and outside.wrong == ("x[0]",)


def test_edges_of_the_domain():
    found = check_gradient(lambda x: jnp.sqrt(x[0]) + x[1], [0.0, 2.0])
    assert found.ok and found.unseen == ("x[0]",) and "that is left open" in found.sentence
    one_sided = check_gradient(lambda x: jnp.where(x[0] >= 1, x[0] ** 2, jnp.nan) + x[1], [1.0, 2.0])
    assert one_sided.ok, one_sided.sentence
    with pytest.raises(ModelError, match="take another point"):
        check_gradient(lambda x: jnp.log(x), -1.0)


def test_without_a_gradient_there_is_nothing_to_check():
    with pytest.raises(ModelError, match=r"give jac=.*NumPy"):
        check_gradient(f, X)


def test_float32_is_taken_for_what_it_is():
    assert check_gradient(lambda x: jnp.sum(x.astype(jnp.float32) ** 3), [1.0, 2.0]).ok
    assert not check_gradient(lambda x: jnp.sum(jax.lax.stop_gradient(x) * x.astype(jnp.float32)), [1.0, 2.0]).ok


def test_of_very_many_variables_some_are_checked():
    found = check_gradient(lambda x: jnp.sum(x**2), np.ones(MOST + 500))
    assert found.ok and len(found.names) == MOST and f"{MOST:,} variables of {MOST + 500:,}" in found.sentence


def test_at_a_stationary_point_a_wrong_factor_cannot_be_seen_but_a_wrong_constant_can():
    assert check_gradient(lambda x: float(np.sum(x**2)), [0.0, 0.0], jac=lambda x: 2 * x).ok
    assert not check_gradient(lambda x: float(np.sum(np.cos(x))), [0.0, 0.0], jac=lambda x: x + 0.1).ok
