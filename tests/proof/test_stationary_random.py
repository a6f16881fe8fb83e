"""Random functions: no proof about a point is contradicted by values in Arb, and every one is proven again."""

import numpy as np
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzing import draws
from random_graphs import graphs
from surefoot.plain_json import numbers
from surefoot.proof.arb_reading import arb_jet
from surefoot.proof.certificate import Rigour, Verdict
from surefoot.proof.stationary import certify

V = Verdict
BITS = 300
MINIMA = (V.STRICT_LOCAL_MINIMUM, V.LOCAL_MINIMUM, V.GLOBAL_MINIMUM, V.UNIQUE_GLOBAL_MINIMUM)
POINTS = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.0, 0.5, 1.0, 1.0, 2.0])


def value(graph, point):
    return arb_jet(graph, list(point), order=0, bits=BITS).value


def around(point, scale, rng):
    """Points on a small sphere: doubles."""
    for _ in range(6):
        direction = rng.standard_normal(len(point))
        yield point + scale * direction / np.linalg.norm(direction)


def _far_along(found):
    """Two points of the ray, or of the curve, along which f is said to fall without end."""
    if found["kind"] == "curve":
        path = np.array(found["path"])
        return [np.power(t, np.arange(len(path))) @ path for t in (1e4, 1e6)]
    return [np.array(found["start"]) + t * np.array(found["direction"]) for t in (1.0, 64.0)]


@settings(max_examples=draws(100, 10_000), deadline=None)
@given(graphs(), st.lists(POINTS, min_size=4, max_size=4), st.integers(0, 10**6))
def test_values_never_contradict_a_proof(graph, at, seed):
    x = np.array(at[: graph.size])
    if len(x) < graph.size:
        return
    certificate = certify(graph, x, near=10.0)
    if certificate.rigour is not Rigour.PROVEN:
        return
    found = numbers(certificate.evidence["argument"])
    assert certificate.recheck(), (str(certificate), str(certificate.recheck()))
    rng, verdict = np.random.default_rng(seed), certificate.verdict
    lower = found.get("lower_point")
    if lower is not None:
        assert not value(graph, lower["at"]) > arb(lower["value"])
    if verdict in MINIMA or verdict is V.LOCAL_MAXIMUM:
        middle, sign = np.array(found["at"]), -1 if verdict is V.LOCAL_MAXIMUM else 1
        level = found["value"][0 if sign > 0 else 1] if "value" in found else found["level"]
        wide = found.get("radius") or found.get("floor_radius") or [1e-3]
        scale = min(1e-6, 0.5 * max(wide))
        for point in around(middle, scale, rng):
            there = value(graph, point)
            if there.is_finite():
                assert not sign * (there - arb(level)) < 0, str(certificate)
    if verdict is V.NOT_STATIONARY:
        ball = arb_jet(graph, list(x), order=1, bits=BITS).gradient[found["variable"]]
        if ball.is_finite():
            assert not ball < arb(found["slope"][0]) and not ball > arb(found["slope"][1])
    if verdict is V.UNBOUNDED_BELOW:
        one, other = (value(graph, point) for point in _far_along(found))
        assert not (one.is_finite() and other.is_finite()) or not other > one
    if verdict is V.INFIMUM_NOT_ATTAINED:
        way = np.array(found["direction"])
        one, other = value(graph, x), value(graph, x + way)
        assert not (one.is_finite() and other.is_finite()) or not (other > one or other < arb(found["floor"]))
