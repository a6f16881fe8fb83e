"""Looking around: the order of a change, lower values, kinks, and gradients that are not f's."""

import numpy as np
import pytest

from landscapes import Landscape, single
from surefoot.proof.floors import Floors
from surefoot.proof.inertia import DenseCurvature
from surefoot.proof.nearby import Place, disagreement, downhill, first_change, lower_value
from surefoot.proof.witness import Witness, length_of


def place(function, x, bounds=None):
    x, witness = np.atleast_1d(np.array(x, dtype=float)), Witness(function, bounds)
    value, gradient = witness.see(x)
    tiny = np.full(len(x), 1e-300)
    floor = Floors(tiny, tiny, tiny, 1e-15 * abs(value))
    return Place(witness, x, value, gradient, floor, DenseCurvature(witness, x, np.random.default_rng(0)))


@pytest.mark.parametrize("order", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_the_order_of_the_first_change(order, sign, level):
    function = single(lambda x: level + sign * abs(x) ** order, lambda x: 0.0, lambda x: 0.0)
    change = first_change(place(function, 0.0), np.ones(1))
    assert change is not None
    assert change.order == pytest.approx(order, rel=0.2)
    assert np.sign(change.change) == sign
    assert function.value(np.array([change.length])) == change.value


def test_a_valley_further_away_is_not_the_first_change():
    function = single(lambda x: x**4 - x**6, lambda x: 4 * x**3 - 6 * x**5, lambda x: 12 * x**2 - 30 * x**4)
    change = first_change(place(function, 0.0), np.ones(1))
    assert change is not None
    assert change.change > 0
    assert first_change(place(single(lambda x: 5.0, lambda x: 0.0, lambda x: 0.0), 1.0), np.ones(1)) is None


def test_lower_values_are_evaluated_within_the_bounds():
    function = single(lambda x: -(x**2), lambda x: -2 * x, lambda x: -2.0)
    free = lower_value(place(function, 0.0), np.ones(1), -2.0)
    assert free is not None
    assert free.value == function.value(free.length * free.direction) < 0
    held = lower_value(place(function, 0.0, bounds=(-1e-3, np.inf)), -np.ones(1), -2.0)
    assert held is not None
    assert held.length * held.direction[0] >= -1e-3
    assert lower_value(place(function, 0.0, bounds=(0, 0)), np.ones(1), -2.0) is None
    assert lower_value(place(single(lambda x: x * x, lambda x: 2 * x, lambda x: 2.0), 0.0), np.ones(1), -1.0) is None


def test_whether_f_falls_where_its_gradient_says_so():
    bowl = single(lambda x: 1 + x * x, lambda x: 2 * x, lambda x: 2.0)
    found = downhill(place(bowl, 1.0), -np.ones(1), -2.0, 100.0)
    assert found not in (None, False)
    assert found.value < 2
    assert downhill(place(bowl, 1e-12), -np.ones(1), -2e-12, 1e-12) is None
    kink = single(abs, lambda x: -1.0, lambda x: 0.0)
    assert downhill(place(kink, 0.0), np.ones(1), -1.0, 1.0) is False


@pytest.mark.parametrize(
    "f, slope, curvature, word",
    [
        (lambda x: x * x, lambda x: 2 * x, 2.0, None),
        (lambda x: x * x + 1e6 * x**3, lambda x: 2 * x + 3e6 * x**2, 2.0, None),
        (lambda x: 2 * np.sin(5e4 * x) ** 2, lambda x: 1e5 * np.sin(1e5 * x), 1e10, None),
        (lambda x: x * x + abs(x), lambda x: 2 * x + np.sign(x), 2.0, "slope jumps"),
        (lambda x: x * x + 1e-6 * abs(x), lambda x: 2 * x + 1e-6 * np.sign(x), 2.0, "slope jumps"),
        (lambda x: x * x * (1 + 5 * (x > 0)), lambda x: 2 * x * (1 + 5 * (x > 0)), 2.0, "curvature jumps"),
        (lambda x: -x * x, lambda x: 2 * x, 2.0, "falls like t^2"),
        (lambda x: 3 * x * x, lambda x: 2 * x, 2.0, "add up"),
    ],
)
def test_f_against_its_derivatives(f, slope, curvature, word):
    here = place(single(f, slope, lambda x: curvature), 0.0)
    found = disagreement(here, np.ones(1), np.array([curvature]))
    assert found is None if word is None else word in found


def test_lengths_do_not_overflow():
    assert length_of(np.array([3e200, 4e200])) == pytest.approx(5e200)
    assert length_of(np.array([3e-200, 4e-200])) == pytest.approx(5e-200)
    assert length_of(np.zeros(2)) == 0
    assert length_of(np.array([np.inf])) == np.inf


def test_bounds_are_never_crossed():
    seen = []
    function = Landscape(1, lambda x: seen.append(x[0]) or x[0] ** 4, lambda x: 4 * x**3, lambda x: [[12 * x[0] ** 2]])
    first_change(place(function, 0.0, bounds=(0, 1)), np.ones(1))
    assert min(seen) >= 0
    assert max(seen) <= 1
