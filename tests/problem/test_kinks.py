"""Jumps of the slope: seen at kinks and cusps wherever they are, and never in what is smooth, noisy or a step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.problem.kinks import jump_along, jump_at, jump_of_values, sizes

UNIT = 2.0**-53
RNG = np.random.default_rng(0)


def one(f, g):
    return lambda x: (float(f(x[0])), np.array([float(g(x[0]))]))


def jump(f, g, x, size=1.0, seed=0):
    return jump_at(one(f, g), np.array([x]), np.array([size]), UNIT, np.random.default_rng(seed))


@given(
    st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(-1e6, 1e6), st.floats(-2.0, 2.0), st.integers(-12, 12)
)  # fmt: skip
def test_slopes_on_both_sides_are_read_off(before, after, at, off, power):
    """Whatever the slopes, the units, and where x lies within a few roundings of the kink."""
    if abs(after - before) < 1e-3 * max(abs(before), abs(after), 1e-3):
        return
    size = max(abs(at), 1.0) * 10.0**power
    at = at * 10.0**power
    found = jump(
        lambda x: after * (x - at) if x > at else before * (x - at),
        lambda x: after if x > at else before,
        at + off * UNIT * size, size,
    )  # fmt: skip
    assert found is not None and not found.is_cusp
    assert (found.before[0], found.after[0]) == (before, after)
    assert found.apart < 1e-12 * size


@pytest.mark.parametrize(
    "f, g",
    [
        (lambda x: x**2, lambda x: 2 * x),
        (lambda x: 1e12 * x**2, lambda x: 2e12 * x),
        (lambda x: x**4, lambda x: 4 * x**3),
        (lambda x: np.sqrt(1e-8 + x**2), lambda x: x / np.sqrt(1e-8 + x**2)),
        (lambda x: abs(x) ** 1.5, lambda x: 1.5 * np.sign(x) * np.sqrt(abs(x))),
        (lambda x: np.exp(x) - x, lambda x: np.exp(x) - 1),
        (lambda x: x * abs(x), lambda x: 2 * abs(x)),
        (lambda x: float(np.float32(x) ** 2), lambda x: float(2 * np.float32(x))),
        (lambda x: 7.0, lambda x: 0.0),
        (lambda x: 1.0 if x > 0 else 0.0, lambda x: 0.0),  # a step has no slope
        (lambda x: 1.0 + x if x > 0 else -x, lambda x: 1.0 if x > 0 else -1.0),  # nor is its foot a kink
        (lambda x: np.log(abs(x)), lambda x: 1 / x if x else np.inf),  # a pole
    ],
)
@pytest.mark.parametrize("x", [0.0, 1e-17, 1e-12, 3e-9, 0.3])
def test_no_jump_is_seen_where_there_is_none(f, g, x):
    with np.errstate(all="ignore"):
        assert jump(f, g, x) is None


@given(st.integers(0, 10**6))
def test_noise_in_the_gradient_is_no_jump(seed):
    noisy = np.random.default_rng(seed)
    assert jump(lambda x: x**2, lambda x: 2 * x + 1e-3 * noisy.standard_normal(), 0.0, seed=seed) is None


def test_a_cusp_is_told_from_a_kink():
    with np.errstate(all="ignore"):
        found = jump(
            lambda x: np.sqrt(abs(x - 1)), lambda x: np.sign(x - 1) / (2 * np.sqrt(abs(x - 1))), 1.0 + 3 * UNIT
        )
    assert found is not None and found.is_cusp and found.before[0] < -1e6 and found.after[0] > 1e6
    assert "grows from either side" in found.words(("x",))


def test_of_many_variables_the_one_with_the_jump_is_named():
    def see(x):
        return float(np.sum(x**2) + 3 * abs(x[2] - 1)), 2 * x + 3 * np.sign(x[2] - 1) * np.eye(5)[2]

    found = jump_at(see, np.array([0.3, -2.0, 1.0, 0.0, 5.0]), np.ones(5), UNIT, RNG)
    assert found is not None and found.worst == 2
    assert found.after[2] - found.before[2] == pytest.approx(6)
    assert jump_along(see, np.array([0.3, -2.0, 1.0, 0.0, 5.0]), np.eye(5)[0], UNIT) is None


@pytest.mark.parametrize("f, kinked", [(abs, True), (lambda x: x**2, False), (lambda x: np.sqrt(abs(x)), True),
                                       (lambda x: 1e9 + 1e-4 * abs(x), False)])  # fmt: skip
def test_values_alone_show_it_where_rounding_lets_them(f, kinked):
    found = jump_of_values(lambda x: float(f(x[0])), np.array([1e-13]), 0, 1.0, UNIT)
    assert (found is not None) is kinked


def test_sizes_have_no_zeros():
    assert sizes(np.array([0.0, 0.0])).tolist() == [1.0, 1.0]
    assert sizes(np.array([1e-300, 0.0, 2.0]), 0.5).tolist() == [0.5, 0.5, 2.0]
