"""What falls without end along a curve, and what must not be said to."""

import numpy as np
import pytest

import surefoot as sf
from surefoot.problem.denoted import denoted
from surefoot.proof.curves import along, falls_by, stays_inside

FALLS = [
    ("(y - x^2)^2 - x", [[0, 0], [1, 0], [0, 1]]),
    ("x^2 - 3*x*y + y^2", [[0, 0], [1, 1]]),
    ("-log(x) + 0*y", [[1, 0], [1, 0]]),
    ("-sqrt(1 + x^2) + sin(y)", [[0, 0], [1, 1]]),
    ("x^2 - 2*exp(x) + 0*y", [[0, 0], [1, 0]]),
    ("(x - y)^2 - x", [[0, 0], [1, 1]]),
    ("min(x, -y) + cos(x)", [[0, 0], [0, 1]]),
]  # fmt: skip
HOLDS = [
    ("exp(-x) + 0*y", [[0, 0], [1, 0]]),
    ("(y - x^2)^2 - x", [[0, 0], [1, 1]]),
    ("x^2 - x + 0*y", [[0, 0], [1, 0]]),
    ("-atan(x) + 0*y", [[0, 0], [1, 0]]),
    ("-x/(1 + x^2) + 0*y", [[0, 0], [1, 0]]),
    ("x*sin(x) + 0*y", [[0, 0], [1, 0]]),
    ("x^2*exp(-x) - x^2*exp(-x) + 0*y", [[0, 0], [1, 0]]),
    ("log(1 - x) + 0*y", [[0, 0], [1, 0]]),
    ("x - x + 0*y", [[0, 0], [1, 0]]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "path"), FALLS)
def test_what_falls(text, path):
    assert falls_by(along(denoted(text, "x=1, y=1").graph, np.array(path, float)), 16.0)


@pytest.mark.parametrize(("text", "path"), HOLDS)
def test_what_does_not(text, path):
    assert not falls_by(along(denoted(text, "x=1, y=1").graph, np.array(path, float)), 16.0)


def test_bounds_hold_a_curve():
    path = np.array([[1.0, 0.0], [2.0, 0.0]])
    assert stays_inside(path, np.array([1.0, 0.0]), np.array([np.inf, 0.0]))
    assert not stays_inside(path, np.array([2.0, 0.0]), np.array([np.inf, 0.0]))
    assert not stays_inside(path, np.array([-1.0, 0.0]), np.array([1e300, 0.0]))


def test_verdicts_and_their_recheck():
    found = sf.certify("(y - x^2)^2 - x", "x=3537, y=12510369")
    assert found.verdict is sf.Verdict.UNBOUNDED_BELOW and found.recheck(), str(found)
    for field, value in (("how", "bends"), ("begin", -1.0), ("path", [[0, 0], [1, 1]]), ("path", [[0, 0]])):
        state = found.to_json()
        state["evidence"]["argument"][field] = value
        state.pop("seal")
        from surefoot.proof.certificate_file import seal

        assert not sf.recheck({**state, "seal": seal(state)})
    minimum = sf.minimize("x^5 - x^2 + y^4", "x=1, y=1")  # a local minimum of what is unbounded
    assert minimum.verdict is not sf.Verdict.UNBOUNDED_BELOW
