"""Infima that are not attained: told from plateaus, from falls without end, and from what rounding cancels."""

from __future__ import annotations

import numpy as np
import pytest

import surefoot as sf
from surefoot.problem.objective import objective_of
from surefoot.proof.certificate import Rigour, Verdict
from surefoot.proof.unattained import judge_unattained

ATTAINED_NOWHERE = [
    ("exp(-x)", 0.0), ("3 + exp(-x)", 3.0), ("exp(-x^2)", 0.0), ("exp(-exp(x/9))", 0.0), ("1/(1+x^2)", 0.0),
    ("-atan(x)", -np.pi / 2),
    ("log(1 + exp(-x))", 0.0), ("1/(1+x)", 0.0), ("1e100*exp(-x/100)", 0.0), ("exp(-x) - 1e6", -1e6),
]  # fmt: skip
OTHERS = [
    "max(0, 1-x)^2", "max(0, 1-x)^20", "where(x<1, exp(-1/(1-x)), 0)", "1 - tanh(x)", "7 + 0*x", "-x", "-log(1+x)",
    "-log(1 + log(1+x^2))", "(1+x)^(-0.001)", "sqrt(1+x^2) - x", "cos(x)*exp(-x)", "x^2", "-(x^2)", "exp(-x) + 1e-9*x",
    "exp(-x)*(1 + 2*sin(x))", "max(exp(-x), 1e-3)", "exp(x)",
]  # fmt: skip


def along_x(text, at=1.0, **more):
    objective, x = objective_of(text, {"x": at})
    return judge_unattained(objective, x, np.ones(1), x, **more)


@pytest.mark.parametrize("text, infimum", ATTAINED_NOWHERE)
@pytest.mark.parametrize("at", [0.3, 2.0, 17.0])
def test_a_value_that_is_approached_and_not_reached(text, infimum, at):
    certificate = along_x(text, at)
    assert certificate.verdict is Verdict.INFIMUM_NOT_ATTAINED, certificate
    assert certificate.rigour is Rigour.NUMERICAL
    assert certificate.evidence["infimum"] == pytest.approx(infimum, abs=1e-140)
    values = [value for value in certificate.evidence["values"] if value is not None]
    assert values == sorted(values, reverse=True) and "nothing is said of values elsewhere" in certificate.claim


@pytest.mark.parametrize("text", OTHERS)
@pytest.mark.parametrize("at", [-0.5, 0.3, 2.0])
def test_everything_else_is_left_open(text, at):
    assert along_x(text, at).verdict is Verdict.INCONCLUSIVE


def test_a_bound_a_lower_value_and_a_slope_across_speak_against_it():
    assert along_x("exp(-x)", bounds=(-np.inf, 100.0)).verdict is Verdict.INCONCLUSIVE
    assert along_x("exp(-x)", lowest=-1.0).verdict is Verdict.INCONCLUSIVE
    assert along_x("exp(-x)", budget=5).verdict is Verdict.INCONCLUSIVE
    objective, x = objective_of("exp(-x) + (y-1)^2", {"x": 0.0, "y": 1.5})
    ray = np.array([1.0, 0.0])
    assert "Across the ray" in judge_unattained(objective, x, ray, x).claim
    there = np.array([0.0, 1.0])
    assert judge_unattained(objective, there, ray, there).verdict is Verdict.INFIMUM_NOT_ATTAINED
    assert judge_unattained(objective, there, 0 * ray, there).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("method", ["auto", "bfgs", "cg"])
@pytest.mark.parametrize("text, start", [
    ("exp(-x)", {"x": 1.0}), ("exp(-x) + (y-1)^2", {"x": 1.0, "y": 4.0}), ("1/(1+x^2) + y^2", {"x": 1.0, "y": 2.0}),
    ("log(1 + exp(-x-2*y))", {"x": 1.0, "y": 2.0}), ("-atan(x)", {"x": 1.0}),
])  # fmt: skip
def test_a_walk_after_such_a_value_says_so(text, start, method):
    result = sf.minimize(text, start, method=method)
    assert result.verdict is Verdict.INFIMUM_NOT_ATTAINED, result.certificate
    assert not result.to_scipy().success or result.stop.reason.name in ("NOISE", "TOLERANCE")


@pytest.mark.parametrize("text", ["max(0, 1-x)^2", "max(0, 1-x)^20", "x^4", "where(x<1, exp(-1/(1-x)), 0)"])
@pytest.mark.parametrize("method", ["auto", "bfgs", "cg"])
def test_a_walk_to_a_plateau_or_to_a_flat_minimum_does_not(text, method):
    assert sf.minimize(text, {"x": -0.5}, method=method).verdict is not Verdict.INFIMUM_NOT_ATTAINED


def test_bounds_end_the_fall():
    assert sf.minimize("exp(-x)", {"x": 1.0}, bounds="x=0..inf").verdict is Verdict.INFIMUM_NOT_ATTAINED
    assert sf.minimize("exp(-x)", {"x": 1.0}, bounds="x=0..5").judged.verdict is Verdict.STRICT_LOCAL_MINIMUM
