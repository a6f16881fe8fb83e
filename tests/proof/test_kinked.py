"""Kinks before the judge: minima where slopes and values say so, lower values where there are some, else no claim."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.problem.objective import objective_of
from surefoot.proof.certificate import Verdict
from surefoot.proof.points import judge_point

MINIMA = (Verdict.STRICT_LOCAL_MINIMUM, Verdict.LOCAL_MINIMUM, Verdict.GLOBAL_MINIMUM)


def typed(text, **x):
    objective, start = objective_of(text, x)
    return judge_point(objective, start, span=1.0)


@pytest.mark.parametrize(
    "text, x, verdict",
    [
        ("abs(x)", {"x": 0}, Verdict.STRICT_LOCAL_MINIMUM),
        ("abs(x - 1/3)", {"x": 1 / 3}, Verdict.STRICT_LOCAL_MINIMUM),
        ("max(x, -2*x) + 1e3", {"x": 1e-17}, Verdict.STRICT_LOCAL_MINIMUM),
        ("sqrt(abs(x - 1))", {"x": 1}, Verdict.STRICT_LOCAL_MINIMUM),
        ("abs(x) + abs(y-1)", {"x": 0, "y": 1}, Verdict.LOCAL_MINIMUM),
        ("abs(x - 1/3) + (y-1)^2", {"x": 1 / 3, "y": 1}, Verdict.LOCAL_MINIMUM),
        ("abs(x - 1/3) + 10*abs(y-x^2)", {"x": 1 / 3, "y": 1 / 9}, Verdict.LOCAL_MINIMUM),
        ("max(x^2+y^2, (x-2)^2+(y-1)^2)", {"x": 1, "y": 0.5}, Verdict.LOCAL_MINIMUM),
        ("sqrt(x^2+y^2)", {"x": 1e-30, "y": 1e-30}, Verdict.LOCAL_MINIMUM),
        ("abs(x) + abs(y) + z^2", {"x": 0, "y": 0, "z": 0}, Verdict.LOCAL_MINIMUM),
        # not minima
        ("-abs(x)", {"x": 0}, Verdict.NOT_STATIONARY),
        ("x + abs(x)/2", {"x": 0}, Verdict.NOT_STATIONARY),
        ("abs(x - 1/3) + (y-1)^2", {"x": 1 / 3, "y": -2.1}, Verdict.NOT_STATIONARY),
        ("abs(x) - abs(y)", {"x": 0, "y": 0}, Verdict.NOT_STATIONARY),
        ("abs(x) + y/100", {"x": 0, "y": 0}, Verdict.NOT_STATIONARY),
        ("max(x^2+y^2, (x-2)^2+(y-1)^2)", {"x": 1.1, "y": 0.3}, Verdict.NOT_STATIONARY),
    ],
)
def test_what_a_kink_is(text, x, verdict):
    certificate = typed(text, **x)
    assert certificate.verdict is verdict, certificate
    if verdict is Verdict.NOT_STATIONARY and "fall" in certificate.evidence:
        objective, _ = objective_of(text, x)
        there = np.array(certificate.evidence["lower_at"])
        assert objective.value(there) == certificate.evidence["lower_value"] < certificate.evidence["value"]
    if verdict in MINIMA:
        assert "kink" in certificate.claim and "jumps from" in certificate.claim


@pytest.mark.parametrize(
    "text, x",
    [
        ("abs(x) - y^2/100", {"x": 0, "y": 0}),  # curves downwards along the kink
        ("abs(x - y^2) - y^2/100", {"x": 0, "y": 0}),  # and along a bent one
        ("abs(x) + y^3", {"x": 0, "y": 0}),
        ("abs(x) - abs(y)^1.5", {"x": 0, "y": 0}),
        ("sqrt(abs(x)) - sqrt(abs(y))", {"x": 0, "y": 0}),
    ],
)
def test_no_minimum_is_claimed_where_there_is_none(text, x):
    assert typed(text, **x).verdict not in MINIMA


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5), st.integers(-3, 3)), min_size=1, max_size=5))
def test_sums_of_kinks_of_either_sign_are_judged_by_their_true_slopes(terms):
    """f = sum w |a x + b y| is linear between the lines a x + b y = 0: it has a minimum at 0 iff it is nowhere negative
    on them, or on an axis, which is exact in integers."""
    A = np.array([term[:2] for term in terms], float)
    w = np.array([term[2] for term in terms], float)
    rays = np.vstack([np.column_stack([-A[:, 1], A[:, 0]]), np.eye(2)])
    lowest = min(float(w @ np.abs(A @ ray)) for ray in rays)
    function = SimpleNamespace(
        size=2, names=("x", "y"), roundoff=2.0**-53, exact_gradient=True, exact_curvature=True,
        value=lambda x: float(w @ np.abs(A @ x)),
        see=lambda x: (float(w @ np.abs(A @ x)), A.T @ (w * np.sign(A @ x))),
        look=lambda x: (float(w @ np.abs(A @ x)), A.T @ (w * np.sign(A @ x)), np.zeros((2, 2))),
        bend=lambda x, v: np.zeros(2),
    )  # fmt: skip
    verdict = judge_point(function, np.zeros(2), span=1.0).verdict
    if lowest < 0:
        assert verdict not in MINIMA
    if all(w > 0) and np.linalg.matrix_rank(A) == 2:
        # Slopes of a narrow cone may have escaped the samples: then nothing is claimed, which is no fault.
        assert verdict in (*MINIMA, Verdict.INCONCLUSIVE)


def test_a_bound_beside_a_kink_leaves_it_open():
    objective, _ = objective_of("abs(x) + abs(y)", {"x": 0.0, "y": 1.0})
    bounds = (np.array([-1.0, 1.0]), np.array([1.0, 2.0]))
    certificate = judge_point(objective, np.array([0.0, 1.0]), bounds=bounds, span=1.0)
    assert certificate.verdict is Verdict.INCONCLUSIVE and "has a kink here" in certificate.claim


def test_differences_see_a_kink_and_claim_only_what_two_sides_show():
    objective, _ = objective_of(lambda x: float(np.abs(np.asarray(x)).sum()), np.zeros(2))
    assert judge_point(objective, np.zeros(2), span=1.0).verdict is Verdict.INCONCLUSIVE
    single, _ = objective_of(lambda x: float(np.abs(np.sin(float(x)))), 0.0)
    assert judge_point(single, np.zeros(1), span=1.0).verdict is Verdict.STRICT_LOCAL_MINIMUM
