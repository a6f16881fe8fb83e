"""Values on a grid: where large terms cancel, f is constant next to its minimum, but for now and then a grain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.problem.objective import objective_of
from surefoot.proof.certificate import Verdict
from surefoot.proof.points import judge_point

STRICT = Verdict.STRICT_LOCAL_MINIMUM
RASTRIGIN = "20 + x^2 - 10*cos(2*pi*x) + y^2 - 10*cos(2*pi*y)"


@given(
    st.tuples(st.integers(1, 20), st.integers(1, 20)),
    st.tuples(st.integers(-9, 9), st.integers(-9, 9)),
    st.integers(-100, 100),
)
@settings(max_examples=60, deadline=None)
def test_a_square_that_was_multiplied_out_is_a_strict_minimum(curved, at, lowest):
    def f(x, a, b, c):
        return a[0] * x[0] ** 2 + a[1] * x[1] ** 2 - b[0] * x[0] - b[1] * x[1] + c

    a, z = np.array(curved, float), np.array(at, float)
    objective, _ = objective_of(f, z + 1.5, args=(a, 2 * a * z, float(a @ z**2) + lowest))
    assert judge_point(objective, z, span=np.abs(z) + 1.5).verdict is STRICT


@pytest.mark.parametrize("rng", range(20))
def test_wherever_the_judge_looks_for_the_grain(rng):
    objective, _ = objective_of("x^2 + 10*y^2 - 6*x - 40*y + 49", {"x": 1.0, "y": 1.0})
    certificate = judge_point(objective, np.array([3.0, 2.0]), span=np.array([13.0, 3.0]), rng=rng)
    assert certificate.verdict is STRICT, certificate
    assert certificate.evidence["value_floor"] >= 2.0**-48  # half a grain of values around 49


@pytest.mark.parametrize("near", [0.0, 1e-43, 5.9e-21, 1e-16])
def test_terms_that_cancel_at_the_origin_do_not_look_like_a_contradiction(near):
    objective, _ = objective_of(RASTRIGIN, {"x": 1.0, "y": 1.0})
    assert judge_point(objective, np.array([near, -near]), tolerance=1e-12).verdict is STRICT


@pytest.mark.parametrize("x", [2.2e-16, -1e-16, 3e-17, 1e-200])
def test_a_point_beside_the_minimum_that_rounding_of_the_way_allows_is_no_contradiction(x):
    objective, _ = objective_of("x^2 + 10*y^2", {"x": 1.0, "y": 1.0})
    assert judge_point(objective, np.array([x, -x / 7]), tolerance=1e-13).verdict is STRICT


def test_a_kink_beside_such_a_point_is_still_seen():
    objective, _ = objective_of("x^2 - 6*x + 9 + 1e-3*abs(x - 3)", {"x": 1.0})
    assert judge_point(objective, np.array([3.0]), span=np.ones(1)).verdict is not Verdict.SADDLE
    falling, _ = objective_of("x^2 - 6*x + 9 - 1e-3*abs(x - 3)", {"x": 1.0})
    assert judge_point(falling, np.array([3.0]), span=np.ones(1)).verdict is not STRICT
