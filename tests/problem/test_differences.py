"""Differences whose error is what they say, with noise and without."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.problem.differences import (
    central,
    clipped,
    forward,
    product_by_gradients,
    second,
    sizes_of,
    steps_for_second,
)

U = 2.0**-53


def f(x):
    return float(np.exp(x[0]) + np.sin(3 * x[1]) + x[0] * x[1])


def gradient(x):
    return np.array([np.exp(x[0]) + x[1], 3 * np.cos(3 * x[1]) + x[0]])


def curves(x):
    return np.abs([np.exp(x[0]), 9 * np.sin(3 * x[1])])


X = np.array([0.7, -1.3])


@pytest.mark.parametrize("level", [U, 1e-10, 1e-5])
def test_errors_are_as_large_as_they_say(level):
    random = np.random.default_rng(0)
    seen = []
    for _ in range(30):
        ones = {"central": central(lambda x: f(x) + level * random.standard_normal(), X, f(X), level, np.ones(2)),
                "forward": forward(lambda x: f(x) + level * random.standard_normal(), X, f(X), level, np.ones(2),
                                   curves(X))}  # fmt: skip
        seen.append([np.abs(one.gradient - gradient(X)) / one.error for one in ones.values()])
    assert 0.02 < np.median(seen) < 2 and np.max(seen) < 8


def test_central_differences_see_the_curvature():
    found = central(f, X, f(X), U, np.ones(2))
    np.testing.assert_allclose(found.curves, curves(X), rtol=1e-3)
    assert found.evaluations == 4


def test_one_side_is_enough():
    def half(x):
        return float(np.sqrt(x[0] - 1)) if x[0] >= 1 else float("nan")

    at = np.array([1.0 + 1e-13])
    for found in (central(half, at, half(at), U, np.ones(1)), forward(half, at, half(at), U, np.ones(1), np.ones(1))):
        assert np.isfinite(found.gradient[0]) and found.gradient[0] > 0
    left = forward(lambda x: half(2 - x), np.array([1.0]), 0.0, U, np.ones(1), np.ones(1))
    assert left.gradient[0] < 0


def test_second_differences():
    steps = steps_for_second(X, U, np.ones(2), curves(X))
    one, other = np.diag(steps)
    assert second(f, X, one, other) / (steps[0] * steps[1]) == pytest.approx(1.0, abs=1e-6)
    assert second(f, X, one, one) / steps[0] ** 2 == pytest.approx(np.exp(0.7), rel=1e-6)


@pytest.mark.parametrize("length", [1e-150, 1e-8, 1.0, 1e8, 1e150])
def test_products_are_linear_in_the_direction(length):
    v = np.array([1.0, -2.0])
    expected = np.array([np.exp(0.7) * 1 - 2, 1 + 9 * np.sin(3 * 1.3) * -2 * -1 * -1])
    expected[1] = 1 + (-9 * np.sin(3 * X[1])) * -2
    found = product_by_gradients(gradient, X, length * v, U)
    np.testing.assert_allclose(found / length, expected, rtol=1e-8)
    assert product_by_gradients(gradient, X, 0 * v, U).tolist() == [0.0, 0.0]


def test_sizes():
    assert sizes_of(np.array([0.0, 3.0])).tolist() == [1.0, 3.0]
    assert sizes_of(np.array([0.0, 1e-9])).tolist() == [1e-9, 1e-9]
    assert sizes_of(np.array([0.0, 1e-300])).tolist() == [1.0, 1.0]
    assert sizes_of(np.zeros(2)).tolist() == [1.0, 1.0]
    assert sizes_of(np.array([1e5, 1e-3, 1.0])).tolist() == [1e5, 1.0, 1.0]


def test_steps_are_within_reason_and_exact():
    x = np.array([1e6, 0.1, 0.0])
    steps = clipped(np.array([1e-30, 0.0, np.inf]), np.array([1e6, 1.0, 1.0]), x)
    assert np.all(steps > 0) and steps[2] == 0.05 and np.all((np.abs(x) + steps) - np.abs(x) == steps)
