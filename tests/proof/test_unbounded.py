"""Unbounded below: only where f falls until numbers end, and never where it only falls far."""

import numpy as np
import pytest

from landscapes import Landscape, quadratic
from surefoot.proof.certificate import Rigour, Verdict
from surefoot.proof.unbounded import judge_unbounded


def line(f):
    return Landscape(1, lambda x: f(x[0]), lambda x: [0.0])


@pytest.mark.parametrize(
    "f, at",
    [
        (lambda x: -x, 0.0),
        (lambda x: -1e-9 * x, 5.0),
        (lambda x: -(x**4), 0.0),
        (lambda x: x**2 - x**4, 0.0),
        (lambda x: -np.exp(x * x), 0.0),
        (lambda x: -np.log(x), 1.0),
        (lambda x: np.sin(x) - x, 0.0),
    ],
)
def test_falls_until_numbers_end(f, at):
    certificate = judge_unbounded(line(f), np.array([at]), np.array([3.0]))
    assert certificate.verdict is Verdict.UNBOUNDED_BELOW
    assert certificate.rigour is Rigour.NUMERICAL
    assert "still falling" in certificate.claim


@pytest.mark.parametrize(
    "f, at",
    [
        (lambda x: x * x, 1.0),
        (lambda x: np.exp(-x), 0.0),
        (lambda x: 1 / x, 1.0),
        (lambda x: -np.log(np.log(x)), 3.0),
        (lambda x: -np.arctan(x), 0.0),
        (lambda x: -1 / (10 - x), 0.0),
        (lambda x: x * x - 1e12 * x, 0.0),
        (lambda x: -x if x < 1e200 else 0.0, 0.0),
        (lambda x: -x if x < 1e6 else np.nan, 0.0),
        (lambda x: -1e301 * np.exp(-((x - 1) ** 2)), 0.0),
        (lambda x: 7.0, 0.0),
        (lambda x: -np.inf, 0.0),
    ],
)
def test_falling_far_is_not_falling_without_end(f, at):
    assert judge_unbounded(line(f), np.array([at]), np.array([1.0])).verdict is Verdict.INCONCLUSIVE


def test_a_ray_that_ends():
    function = quadratic(-np.eye(2))
    assert judge_unbounded(function, np.zeros(2), np.array([1.0, 0])).verdict is Verdict.UNBOUNDED_BELOW
    bounded = judge_unbounded(function, np.zeros(2), np.array([1.0, 0]), bounds=(-1e9, 1e9))
    assert bounded.verdict is Verdict.INCONCLUSIVE
    assert "meets a bound" in bounded.claim
    assert judge_unbounded(function, np.zeros(2), np.zeros(2)).verdict is Verdict.INCONCLUSIVE
    assert judge_unbounded(function, np.zeros(2), np.ones(2), budget=20).verdict is Verdict.INCONCLUSIVE
