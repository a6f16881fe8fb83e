"""Measured noise against errors known from exact arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.problem.noise import difference_noise, noise_near, noise_of_gradient, noise_of_value
from surefoot.problem.objective import objective_of

U = 2.0**-53


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def exact_gradient(x):
    a, b = map(Fraction, x)
    return [-400 * a * (b - a * a) - 2 * (1 - a), 200 * (b - a * a)]


def exact_value(x):
    a, b = map(Fraction, x)
    return 100 * (b - a * a) ** 2 + (1 - a) ** 2


def neighbours(x, count=60):
    random = np.random.default_rng(1)
    for _ in range(count):
        yield np.array([v * (1 + 2 * U * random.integers(-40, 41)) for v in x])


PLACES = [[1.0, 1.0], [0.999, 0.998], [-1.2, 1.0], [0.3, 0.09], [3e4, 9e8], [1e-9, 1e-8]]


@pytest.mark.parametrize("x", PLACES[1:])  # at the minimiser itself, values and their noise are squares of roundings
def test_the_noise_of_a_value_is_its_rounding(x):
    objective, x = objective_of(rosenbrock, x)
    true = math.sqrt(np.mean([float(Fraction(objective.value(p)) - exact_value(p)) ** 2 for p in neighbours(x)]))
    assert true / 4 <= noise_of_value(objective, x) <= 12 * max(true, U * abs(objective.value(x)))


@pytest.mark.parametrize("x", PLACES)
def test_the_noise_of_a_gradient_is_its_rounding_and_the_resolution_of_x(x):
    objective, x = objective_of(rosenbrock, x)
    squares = []
    for p in neighbours(x):
        error = [float(Fraction(float(one)) - other) for one, other in
                 zip(objective.see(p)[1], exact_gradient(p), strict=True)]  # fmt: skip
        squares.append(np.sum(np.square(error)))
    rounding, hessian = math.sqrt(np.mean(squares)), objective.hessian(x)
    resolution = U * np.linalg.norm(hessian * x)  # each variable moved by a part of its last place
    found = noise_of_gradient(objective, x)
    assert max(rounding, resolution / 2) / 4 <= found
    assert found <= 8 * (rounding + resolution + U * np.linalg.norm(objective.see(x)[1]))


def test_a_gradient_without_rounding_still_has_the_resolution_of_x():
    objective, x = objective_of(lambda x: 0.5 * 1e6 * (x - math.pi) ** 2, math.pi)
    assert objective.see(x)[1][0] == 0.0  # nothing to see from here, but the next double has a gradient of 4e-10
    assert 1e6 * U * math.pi / 4 <= noise_of_gradient(objective, x) <= 1e6 * U * math.pi * 4


@pytest.mark.parametrize(
    ("f", "x", "scale"),
    [
        (lambda x: jnp.cosh(x), 0.0, 1.0), (lambda x: (x - 1) ** 2, 0.0, 1.0), (lambda x: 1e8 + x**2, 0.0, 1.0),
        (lambda x: (x * 1e-9 - 3) ** 2, 1e9, 1e-9), (lambda x: (x * 1e150 - 3) ** 2, 1e-150, 1e150),
        (lambda x: 1e200 * (x - 1) ** 2, 1.0, 1e200), (lambda x: 1e-200 * (x - 3) ** 2, 3.0, 1e-200),
    ],
)  # fmt: skip
def test_at_zero_and_at_extreme_scales(f, x, scale):
    """The gradient is of size scale near x, and so its noise is a few units of its last place."""
    objective, x = objective_of(f, x)
    assert noise_of_gradient(objective, x) <= 64 * U * scale
    if x[0] != 0:
        assert noise_of_gradient(objective, x) >= U * scale / 8
    assert noise_of_value(objective, x) >= U * abs(objective.value(x))
    assert noise_of_value(objective, x) <= 64 * U * max(abs(objective.value(x)), scale)


def test_single_precision():
    objective, x = objective_of(lambda x: jnp.sum((x.astype(jnp.float32) - 1) ** 2), [1.5, 0.7])
    assert 2.0**-30 <= noise_of_gradient(objective, x) <= 2.0**-20
    assert 2.0**-30 <= noise_of_value(objective, x) <= 2.0**-20


def test_a_constant_has_no_noise_but_its_rounding():
    objective, x = objective_of(lambda x: 3.0 + 0 * x, 1.0)
    assert noise_of_gradient(objective, x) == 0.0
    assert noise_of_value(objective, x) == 3 * U


def test_what_is_not_finite_has_none():
    objective, x = objective_of(lambda x: jnp.log(x), 1.0)
    assert math.isnan(noise_of_gradient(objective, np.array([-1.0])))
    assert math.isnan(noise_of_value(objective, np.zeros(1)))
    beside, x = objective_of(lambda x: jnp.sqrt(1 - x), 1.0)  # finite here, not on one side
    assert noise_of_value(beside, x) >= 0


@pytest.mark.parametrize("level", [1e-2, 1e-6, 1e-10])
def test_noise_of_another_kind(level):
    random = np.random.default_rng(3)
    found = [
        noise_near(lambda x: float(np.sin(x[0]) + level * random.standard_normal()), np.array([0.7]), U)
        for _ in range(20)
    ]
    assert level / 3 <= np.median(found) <= 3 * level


@settings(max_examples=50)
@given(st.integers(-900, 900))
def test_units_do_not_matter(power):
    table = np.array([[1.0, 2.0, 0.5, 3.0, 1.5, 2.5, 0.25, 1.75]]).T
    assert difference_noise(np.ldexp(table, power))[0] == np.ldexp(difference_noise(table)[0], power)


def test_smooth_parts_are_no_noise():
    k = np.arange(8.0)
    random = np.random.default_rng(0)
    for smooth in (k, k**2, np.exp(k / 100)):
        found = [difference_noise((smooth + 1e-9 * random.standard_normal(8))[:, None])[0] for _ in range(50)]
        assert 3e-10 <= np.median(found) <= 3e-9


def test_measuring_is_cheap():
    objective, x = objective_of(rosenbrock, [-1.2, 1.0])
    before = objective.counts.gradients
    noise_of_gradient(objective, x)
    assert objective.counts.gradients - before <= 9
