"""Derivatives of what JAX read, few variables and many, against derivatives worked out by hand."""

from __future__ import annotations

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.problem import lane_programs, traced
from surefoot.problem.objective import objective_of


def chained(x):
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def chained_hessian(x):
    n = len(x)
    found = np.zeros((n, n))
    i = np.arange(n - 1)
    found[i, i] += 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    found[i + 1, i + 1] += 200
    found[i, i + 1] = found[i + 1, i] = -400 * x[:-1]
    return found


def chained_gradient(x):
    found = np.zeros(len(x))
    inner = x[1:] - x[:-1] ** 2
    found[:-1] += -400 * x[:-1] * inner - 2 * (1 - x[:-1])
    found[1:] += 200 * inner
    return found


@pytest.mark.parametrize("n", [2, 3, 50, 51, 130, 300])
def test_gradient_hessian_and_product_for_few_variables_and_many(n):
    x = np.random.default_rng(n).standard_normal(n)
    objective, _ = objective_of(chained, x)
    value, gradient, hessian = objective.look(x)
    np.testing.assert_allclose(gradient, chained_gradient(x), rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(hessian, chained_hessian(x), rtol=1e-12, atol=1e-9)
    assert np.array_equal(hessian, hessian.T)
    v = np.cos(np.arange(n))
    fresh, _ = objective_of(chained, x)
    for one in (objective, fresh):  # with the Hessian at hand, and without
        np.testing.assert_allclose(one.bend(x, v), chained_hessian(x) @ v, rtol=1e-11, atol=1e-8)
    assert objective.counts.compilations <= (1 if n <= traced.FEW else 3)
    assert objective.value(x) == value


def test_a_thousand_variables():
    x = np.random.default_rng(0).standard_normal(1000)
    objective, _ = objective_of(chained, x)
    np.testing.assert_allclose(objective.hessian(x), chained_hessian(x), rtol=1e-12, atol=1e-9)


def test_hessians_that_nobody_asks_for_are_given_up(monkeypatch):
    objective, x = objective_of(lambda x: chained(x) + 0.25, np.linspace(-1, 1, 20))
    objective.look(x), objective.see(x + 1), objective.see(x + 2)
    assert list(objective._programs) == ["look"]
    monkeypatch.setattr(traced, "CHEAP", -1.0)  # as if each had cost a second
    objective.see(x + 3)
    assert list(objective._programs) == ["look", "see"]
    np.testing.assert_allclose(objective.see(x)[1], chained_gradient(x), rtol=1e-12)


def test_a_loop_of_unknown_length_is_differentiated_forwards():
    def f(x):
        return jax.lax.while_loop(lambda c: c[1] < 5, lambda c: (c[0] * x[0] + x[1], c[1] + 1), (x[0], 0))[0]

    objective, x = objective_of(f, [1.5, 2.0])
    assert objective.source == "JAX" and objective.exact_gradient and objective.exact_curvature
    a, b = 1.5, 2.0
    np.testing.assert_allclose(objective.value(x), a**6 + b * (a**4 + a**3 + a**2 + a + 1))
    np.testing.assert_allclose(
        objective.see(x)[1], [6 * a**5 + b * (4 * a**3 + 3 * a**2 + 2 * a + 1), a**4 + a**3 + a**2 + a + 1]
    )
    np.testing.assert_allclose(objective.hessian(x)[1], [4 * a**3 + 3 * a**2 + 2 * a + 1, 0])


@pytest.mark.parametrize("n", [2, 60])
def test_where_jax_differentiates_once_curvature_comes_from_gradients(n):
    def outside(x):
        return np.sum(np.sin(x)), np.cos(x)

    @jax.custom_vjp
    def f(x):
        return forwards(x)[0]

    def forwards(x):
        shapes = (jax.ShapeDtypeStruct((), np.float64), jax.ShapeDtypeStruct((n,), np.float64))
        return jax.pure_callback(outside, shapes, x)

    f.defvjp(forwards, lambda slopes, g: (g * slopes,))
    x = np.linspace(0.5, 2.0, n)
    objective, _ = objective_of(f, x)
    np.testing.assert_allclose(objective.see(x)[1], np.cos(x), rtol=1e-14)
    np.testing.assert_allclose(objective.hessian(x), np.diag(-np.sin(x)), atol=1e-8)
    np.testing.assert_allclose(objective.bend(x + 1, np.ones(n)), -np.sin(x + 1), atol=1e-8)
    assert objective.source == "JAX" and objective.exact_gradient and not objective.exact_curvature
    (note,) = objective.notes
    assert "differentiated twice" in note and "differences of gradients" in note


def test_float32_inside_is_noticed():
    plain, _ = objective_of(lambda x: jnp.sum(x**2), [1.0, 2.0])
    assert plain.roundoff == 2.0**-53 and plain.notes == ()
    for f in (lambda x: jnp.sum(x.astype(jnp.float32) ** 2), lambda x: jnp.float32(x[0]) * x[1],
              lambda x: jax.lax.fori_loop(0, 3, lambda i, c: c * x[0].astype(jnp.float32), jnp.float32(1)),
              lambda x: jax.jit(lambda y: y.astype(jnp.bfloat16).sum())(x)):  # fmt: skip
        low, _ = objective_of(f, [1.0, 2.0])
        assert low.roundoff == 2.0**-24 and "inside, which carries 7 digits" in low.notes[0]
    data = jnp.ones(2)
    assert data.dtype == jnp.float32
    closed, _ = objective_of(lambda x: jnp.sum(data * x**2), [1.0, 2.0])
    assert closed.roundoff == 2.0**-53 and "float32 data" in closed.notes[0]
    passed, _ = objective_of(lambda x, data: jnp.sum(data * x**2), [1.0, 2.0], args=(data,))
    assert passed.roundoff == 2.0**-53 and "float32 data" in passed.notes[0]
    together, _ = objective_of(lambda x, data: jnp.sum(data * x.astype(data.dtype)), [1.0, 2.0], args=(data,))
    assert together.roundoff == 2.0**-24


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 40), st.integers(1, 3))
def test_lanes_are_the_points_one_by_one(m, n):
    def f(x):
        return jnp.sum(x**4) - jnp.prod(x) + 1

    X = np.random.default_rng(m).standard_normal((m, n))
    objective, _ = objective_of(f, np.ones(n))
    values, gradients = objective.lanes(X)
    assert values.shape == (m,) and gradients.shape == (m, n)
    for k in range(m):
        value, gradient = objective.see(X[k])
        assert values[k] == pytest.approx(value, rel=1e-14)
        np.testing.assert_allclose(gradients[k], gradient, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(objective.lane_values(X), values, rtol=1e-14)


def test_lanes_are_compiled_for_powers_of_two_only():
    objective, _ = objective_of(lambda x: jnp.sum(x**2) * 1.75, np.ones(2))
    before = objective.counts.compilations
    for m in (5, 6, 7, 8):
        objective.lanes(np.ones((m, 2)))
    assert objective.counts.compilations == before + 1


def test_more_lanes_than_fit_run_in_parts(monkeypatch):
    monkeypatch.setattr(lane_programs, "MOST_ENTRIES", 64)
    X = np.random.default_rng(0).standard_normal((100, 3))
    objective, _ = objective_of(lambda x: jnp.sum(x**2), np.ones(3))
    values, gradients = objective.lanes(X)
    np.testing.assert_allclose(values, np.sum(X**2, axis=1))
    np.testing.assert_allclose(gradients, 2 * X)


def test_large_arrays_inside_are_not_multiplied_by_the_number_of_variables(monkeypatch):
    for module in (traced, lane_programs):
        monkeypatch.setattr(module, "MOST_ENTRIES", 4 * 1000)
    data = np.random.default_rng(0).standard_normal((1000, 10))

    def f(x, data):
        return jnp.sum(jnp.logaddexp(0, data @ x))

    x = np.linspace(-1, 1, 10)
    objective, _ = objective_of(f, x, args=(data,))
    share = 1 / (1 + np.exp(-data @ x))
    np.testing.assert_allclose(objective.hessian(x), data.T @ (data * (share * (1 - share))[:, None]), rtol=1e-10)
    assert objective._programs["columns"] is not None and "look" not in objective._programs
    values, gradients = objective.lanes(np.array([x] * 9))
    np.testing.assert_allclose(gradients, [data.T @ share] * 9, rtol=1e-10, atol=1e-10)
    assert len(values) == 9 and ("lanes", 4) in objective._programs and ("lanes", 16) not in objective._programs


def himmelblau(x):
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def best(function, times, rounds=9):
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(times):
            function()
        found.append((time.perf_counter() - began) / times)
    return min(found)


@pytest.mark.alone
def test_a_call_costs_little_more_than_that_of_a_compiled_function():
    """The call of a jitted value and gradient, with its two results as NumPy."""
    objective, x = objective_of(himmelblau, [1.0, 2.0])
    with jax.enable_x64(True):
        peer = jax.jit(jax.value_and_grad(himmelblau))
        peer(x)

        def theirs():
            value, gradient = peer(x)
            return float(value), np.asarray(gradient)

        their = best(theirs, 500)

    def ours():
        x[0] += 1e-9
        return objective.see(x)

    assert best(ours, 500) < 1.5 * their + 5e-6


@pytest.mark.alone
def test_a_thousand_lanes_cost_little_more_than_the_mapped_function():
    objective, _ = objective_of(himmelblau, [1.0, 2.0])
    X = np.random.default_rng(0).standard_normal((1000, 2))
    with jax.enable_x64(True):
        peer = jax.jit(jax.vmap(jax.value_and_grad(himmelblau)))
        peer(X), objective.lanes(X), objective.lane_values(X)

        # In turn, again and again: a core that sleeps or is lent to others for a while must not decide.
        def theirs():
            return [np.asarray(one) for one in peer(X)]

        ways = (theirs, lambda: objective.lanes(X), lambda: objective.lane_values(X))
        rounds = [[best(way, 20, rounds=3) for way in ways] for _ in range(60)]
    their, lanes, values = np.min(rounds, axis=0)
    assert lanes < 2 * their + 20e-6 and values < 2 * their + 20e-6


@pytest.mark.alone
def test_the_first_answer_costs_less_than_the_three_compiled_by_hand():
    def seconds(make):
        began = time.perf_counter()
        make()
        return time.perf_counter() - began

    def by_hand(shift):
        def f(x):
            return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2 + shift

        with jax.enable_x64(True):
            whole = jax.jit(lambda x: (f(x), jax.grad(f)(x), jax.hessian(f)(x)))
            return [np.asarray(one) for one in whole(np.array([-1.2, 1.0]))]

    def ours(shift):
        objective, x = objective_of(lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2 + shift, [-1.2, 1.0])
        return objective.look(x)

    by_hand(0.5), ours(0.5)
    their = min(seconds(lambda k=k: by_hand(1.5 + k)) for k in range(5))
    our = min(seconds(lambda k=k: ours(10.5 + k)) for k in range(5))
    assert our < 1.1 * their
