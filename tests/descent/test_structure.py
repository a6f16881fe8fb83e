"""What products with the Hessian tell before a walk."""

import numpy as np
import pytest

from grounds import Formula
from surefoot.descent.structure import is_quadratic, spread_of_curvatures


def quartic(power, scale):
    scale = np.asarray(scale, float)
    return Formula(
        len(scale), lambda x: np.sum(scale * x**power), lambda x: power * scale * x ** (power - 1),
        lambda x: np.diag(power * (power - 1) * scale * x ** (power - 2)),
    )  # fmt: skip


def test_a_quadratic_is_told_from_what_only_looks_like_one():
    start = np.array([1.0, -2.0, 3.0])
    assert is_quadratic(quartic(2, [1, 2, 3]), start)
    assert not is_quadratic(quartic(4, [1, 2, 3]), start)
    nearly = Formula(1, lambda x: x @ x + 1e-6 * np.sin(x[0]), lambda x: 2 * x + 1e-6 * np.cos(x),
                     lambda x: np.diag(2 - 1e-6 * np.sin(x)))  # fmt: skip
    assert not is_quadratic(nearly, np.array([1.0]))
    flat = Formula(1, lambda x: x[0], lambda x: np.ones(1), lambda x: np.zeros((1, 1)))
    assert not is_quadratic(flat, np.ones(1))
    broken = Formula(1, lambda x: np.nan, lambda x: x * np.nan, lambda x: np.full((1, 1), np.nan))
    assert not is_quadratic(broken, np.ones(1))


@pytest.mark.parametrize("factor", [1.0, 1e3, 1e12])
def test_the_spread_is_that_of_the_diagonal(factor):
    assert spread_of_curvatures(quartic(2, [1.0, factor, 0.0]), np.ones(3)) == pytest.approx(factor)


def test_without_curvature_nothing_is_spread():
    assert spread_of_curvatures(quartic(2, [0.0, 0.0]), np.ones(2)) == 1
