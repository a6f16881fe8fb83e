"""Advice: said where there is evidence for it, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

import surefoot as sf

AWAY = "it may have no minimum, only a value"


def said(result: sf.Result) -> str:
    return "\n".join(result.advice)


@pytest.mark.parametrize("f", ["exp(-x)", "1/(1 + x^2)", "1/x", "x*exp(-x)", "atan(-x)"])
def test_a_value_that_is_only_approached(f):
    result = sf.minimize(f, {"x": 2.0})
    assert AWAY in said(result) or result.verdict is sf.Verdict.INFIMUM_NOT_ATTAINED
    assert result.verdict not in (sf.Verdict.STRICT_LOCAL_MINIMUM, sf.Verdict.LOCAL_MINIMUM)


@pytest.mark.parametrize("f", ["x^4", "(x - 3)^2", "(x*y - 1)^2", "x^4 + y^2", "x^2*y^2"])
def test_flat_minima_are_not_run_away_from(f):
    names = {"x": 2.0} | ({"y": 0.7} if "y" in f else {})
    assert AWAY not in said(sf.minimize(f, names))


def test_a_start_on_a_saddle_is_said_and_one_beside_it_is_not():
    on = sf.minimize("x^2 - y^2 + y^4/4", {"x": 0.0, "y": 0.0})
    assert "The start was a stationary point" in said(on)
    assert "where the curvature is -2" in said(on)
    beside = sf.minimize("x^2 - y^2 + y^4/4", {"x": 0.0, "y": 1e-3})
    assert "stationary point" not in said(beside)


def test_a_start_at_a_minimum_or_where_f_is_infinite_is_no_stationary_point_that_was_left():
    assert "stationary" not in said(sf.minimize("(x - 3)^2 + (y - 2)^2", {"x": 3.0, "y": 2.0}))
    assert "stationary" not in said(sf.minimize("1/x", {"x": 0.0}))


def test_the_lowest_of_many_starts_was_not_left():
    result = sf.minimize("(x^2 + y - 11)^2 + (x + y^2 - 7)^2", None, starts=100, box="x=-5..5, y=-5..5")
    assert "stationary" not in said(result)


def test_the_zigzag_is_named_with_the_condition_it_comes_from():
    text = said(sf.minimize("x^2 + 25*y^2", {"x": 25, "y": 1}, method="steepest", steps="exact"))
    assert "turn by 90.0 degrees" in text
    assert "5 times longer than wide (condition 25)" in text
    assert "zigzag" not in said(sf.minimize("x^2 + 25*y^2", {"x": 25, "y": 1}, method="cg"))


def test_a_rate_that_is_far_too_small_is_told_one_that_settles():
    f, start = "x^2 + 10*y^2", {"x": 10, "y": 0.01}  # the way down hardly shows the steep sides
    timid = sf.minimize(f, start, method="steepest", steps=1e-5, max_steps=200)
    assert "for which 1/L = 0.05 would do" in said(timid)
    assert sf.minimize(f, start, method="steepest", steps=0.05).to_scipy().success
    assert "too small" not in said(sf.minimize(f, start, method="steepest", steps=0.02, max_steps=20))


def test_a_function_without_a_name_is_called_f():
    result = sf.minimize(lambda x: np.sum(x**2), np.ones(2))
    assert result.summary().startswith("f ")
