"""The floor of a gradient: high enough for rounding, and never so high that a slope disappears."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landscapes import Landscape, moved, quadratic, rosenbrock, single
from surefoot.proof.floors import floors
from surefoot.proof.inertia import DenseCurvature
from surefoot.proof.witness import Witness


def at(function, x, noise=None, seed=0, bounds=None):
    x, rng = np.atleast_1d(np.array(x, dtype=float)), np.random.default_rng(seed)
    witness = Witness(function, bounds)
    with np.errstate(all="ignore"):
        return floors(witness, x, witness.see(x), DenseCurvature(witness, x, rng), noise, rng)


@pytest.mark.parametrize("grid", [1e-12, 1e-9, 1e-6])
@pytest.mark.parametrize("x", [1.0, 1e-3, 0.0])
def test_rounding_to_a_grid_is_measured(grid, x):
    function = Landscape(
        3, lambda x: x @ x, lambda x: np.round(2 * x * np.pi / grid * 1e3) * grid / 1e3, lambda x: 2 * np.eye(3)
    )
    random = np.random.default_rng(1)
    shaken = Landscape(3, lambda x: x @ x, lambda x: 2 * x + grid * random.uniform(-1, 1, 3), lambda x: 2 * np.eye(3))
    if x:
        found = [at(shaken, np.full(3, x), seed=seed).noise for seed in range(20)]
        assert np.all(np.array(found) > grid / 20)
        assert 0.3 < np.mean(found) / (grid / np.sqrt(3)) < 3
    assert np.all(at(function, np.full(3, x)).noise < grid)


def test_cancellation_near_the_origin_is_measured():
    function = single(lambda x: (x + 1) ** 2 - 2 * x, lambda x: 2 * (x + 1) - 2, lambda x: 2.0)
    for x in (0.0, 1e-30, 2e-16):
        for seed in range(20):
            assert 2**-53 < at(function, x, seed=seed).gradient[0] < 1e-14


@given(
    exponent=st.integers(-300, 300),
    units=st.lists(st.integers(-40, 40), min_size=2, max_size=2),
    seed=st.integers(0, 99),
)
@settings(max_examples=100, deadline=None)
def test_floors_scale_with_f_and_with_the_variables(exponent, units, seed):
    x, D, times = np.array([1.0, 1.0 + 2.0**-40]), 2.0 ** np.array(units, dtype=float), 2.0**exponent
    found = at(moved(rosenbrock(), np.diag(D), times=times), x / D, seed=seed)
    plain = at(rosenbrock(), x, seed=seed)
    np.testing.assert_allclose(found.resolution / (D * times), plain.resolution, rtol=1e-12)
    assert np.all(found.gradient / (D * times) < 10 * plain.gradient)
    assert np.all(plain.gradient < 10 * found.gradient / (D * times))


@given(frequency=st.floats(0, 25), x=st.sampled_from([0.0, 1e-12, 1e-3, 1.0]), phase=st.floats(0, 6))
@settings(max_examples=300, deadline=None)
def test_oscillation_is_not_noise_at_the_origin(frequency, x, phase):
    w = 10.0**frequency
    function = single(
        lambda x: np.sin(w * x + phase), lambda x: w * np.cos(w * x + phase), lambda x: -w * w * np.sin(w * x + phase)
    )
    slope = abs(function.see(np.array([x]))[1][0])
    if slope > 0.1 * w and w * x < 1e9:
        assert at(function, x).gradient[0] < slope


@pytest.mark.parametrize("x", [1e-3, 1e-20, 1e-80])
def test_a_vanishing_hessian_leaves_no_floor(x):
    quartic = single(lambda x: x**4, lambda x: 4 * x**3, lambda x: 12 * x**2)
    assert at(quartic, x).gradient[0] < 1e-12 * quartic.see(np.array([x]))[1][0]


def test_a_known_noise_is_taken_at_its_word():
    found = at(quadratic(np.eye(2)), [0, 0], noise=1e-3)
    np.testing.assert_array_equal(found.noise, 1e-3)
    np.testing.assert_allclose(found.gradient, 8e-3)
