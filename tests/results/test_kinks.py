"""Functions with kinks, from the call to the verdict: the walk says that it came to one, and what it is."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import surefoot as sf
from surefoot.descent.stop import Reason
from surefoot.proof.certificate import Verdict

MINIMA = (Verdict.STRICT_LOCAL_MINIMUM, Verdict.LOCAL_MINIMUM)
GLOBAL = (Verdict.GLOBAL_MINIMUM, Verdict.UNIQUE_GLOBAL_MINIMUM)

KINKED = [
    ("abs(x) + abs(y-1)", {"x": 3.3, "y": -2.1}, (0, 1)),
    ("abs(x - 7)", {"x": 3.3}, (7,)),
    ("max(x, -2*x)", {"x": 3.3}, (0,)),
    ("abs(x - 1/3) + 10*abs(y-x^2)", {"x": 3.3, "y": -2.1}, (1 / 3, 1 / 9)),
    ("abs(x-1/3) + (y-1)^2", {"x": 3.3, "y": -2.1}, (1 / 3, 1)),
    ("max(x^2+y^2, (x-2)^2+(y-1)^2)", {"x": 3.3, "y": -2.1}, (1, 0.5)),
    ("sqrt(x^2+y^2)", {"x": 3.3, "y": 1.0}, (0, 0)),
    ("sqrt(abs(x-1))", {"x": 3.3}, (1,)),
]


@pytest.mark.parametrize("method", ["auto", "bfgs"])
@pytest.mark.parametrize("text, start, truth", KINKED)
def test_the_walk_ends_at_the_kink_and_both_answers_say_so(text, start, truth, method):
    result = sf.minimize(text, start, method=method)
    assert result.flat == pytest.approx(truth, abs=1e-7)
    assert result.stop.reason is Reason.KINK
    assert "f has a kink here: the slope in" in str(result.stop) and "between two points" in str(result.stop)
    assert result.judged.verdict in MINIMA and "kink" in result.judged.claim and result.verdict in (*MINIMA, *GLOBAL)
    assert result.to_scipy().success
    assert result.value == pytest.approx(min(row.value for row in result.trace.rows), abs=1e-12)


@pytest.mark.parametrize("text, start, truth", KINKED)
@pytest.mark.parametrize("method", ["cg", "steepest", "l-bfgs", "newton", "trust-newton"])
def test_no_method_claims_a_minimum_elsewhere(text, start, truth, method):
    result = sf.minimize(text, start, method=method, max_steps=2000)
    if result.verdict in MINIMA:
        assert result.flat == pytest.approx(truth, abs=1e-6)


@pytest.mark.parametrize(
    "f, options",
    [
        (lambda x: jnp.sum(jnp.abs(x - jnp.array([0.3, 1.0]))), {}),
        (lambda x: float(np.sum(np.abs(np.asarray(x) - [0.3, 1.0]))), {}),
        (lambda x: float(np.sum(np.abs(np.asarray(x) - [0.3, 1.0]))), {"jac": lambda x: np.sign(x - [0.3, 1.0])}),
    ],
)
def test_the_same_in_jax_and_numpy(f, options):
    result = sf.minimize(f, np.array([3.0, -2.0]), **options)
    assert result.flat == pytest.approx([0.3, 1.0], abs=1e-7)
    assert result.stop.reason is Reason.KINK
    judged = result.judged
    assert judged.verdict in (Verdict.LOCAL_MINIMUM, Verdict.INCONCLUSIVE) and "kink" in judged.claim


def test_a_kink_that_is_no_minimum_is_not_called_one():
    result = sf.minimize("abs(x - 1/3) + (y-1)^2", {"x": 3.3, "y": -2.1}, method="trust-newton")
    assert result.stop.reason is Reason.KINK and result.x["y"] != pytest.approx(1, abs=1e-3)
    assert result.verdict is Verdict.NOT_STATIONARY


def test_a_walk_that_comes_to_a_kink_begins_anew_by_another_method():
    result = sf.minimize("abs(x-1/3) + (y-1)^2", {"x": 3.3, "y": -2.1})
    assert any("switched to BFGS" in line and "came to a kink" in line for line in result.story)


@pytest.mark.parametrize(
    "text", ["(x-1)^4 + y^2", "sqrt(1 + x^2) + y^2", "exp(100*(x^2 + y^2))", "x^2*abs(x) + y^2", "1e10*x^2 + 1e-4*y^2"]
)
def test_smooth_functions_never_stop_at_a_kink(text):
    for method in ("auto", "bfgs", "cg", "newton"):
        assert sf.minimize(text, {"x": 1.1, "y": 0.7}, method=method).stop.reason is not Reason.KINK
