"""Random functions: whatever a layer of the convexity proof says is held against Arb at points, chords and Hessians."""

from fractions import Fraction
from importlib import import_module
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzzing import draws
from random_graphs import boxes, graphs, points
from surefoot.problem.box import Box
from surefoot.problem.domain import Domain
from surefoot.problem.from_text import real_graph_of_text
from surefoot.problem.typed import typed_function
from surefoot.proof.arb_reading import arb_jet, ball, precision
from surefoot.proof.certificate import Curvature, Rigour
from surefoot.proof.convexity import decide
from surefoot.proof.curvature_finding import Finding

LAYERS = ("quadratic", "univariate", "hessian_rules", "interval_hessian", "nonconvex")
BITS = 160


def value(graph, point):
    return arb_jet(graph, point, order=0, bits=BITS).value


def bulge(graph, p, q, share):
    """How far the function is above its chord; NaN where that is not known."""
    p, q = ([Fraction(float(v)) for v in end] for end in (p, q))
    middle = [(1 - share) * a + share * b for a, b in zip(p, q, strict=True)]
    return value(graph, middle) - ball(1 - share) * value(graph, p) - ball(share) * value(graph, q)


def check(graph, domain, found, sample):
    """No chord and no Hessian contradicts a finding."""
    if found.curvature is Curvature.NOT_CONVEX:
        p, q = found.evidence["from"], found.evidence["to"]
        assert domain.contains(p) and domain.contains(q)
        assert bulge(graph, p, q, Fraction(found.evidence["share"])) > 0
        return
    sign = -1 if found.curvature.value.endswith("concave") else 1
    affine = found.curvature is Curvature.AFFINE
    mu = ball(found.modulus or Fraction(0))
    rng = np.random.default_rng(1)
    for p, q in pairwise(sample):
        above = bulge(graph, p, q, Fraction(1, 4))
        length = sum((ball(Fraction(a)) - ball(Fraction(b))) ** 2 for a, b in zip(p.tolist(), q.tolist(), strict=True))
        # Strongly convex: f is below its chord by at least mu t (1 - t)/2 |q - p|^2.
        assert not sign * above + mu * length * 3 / 32 > 0
        assert not (affine and above < 0)
        jet = arb_jet(graph, [Fraction(v) for v in p.tolist()], bits=BITS)
        v = rng.integers(-3, 4, len(p)).tolist()
        bend = sum(a * b * jet.hessian[i, j] for i, a in enumerate(v) for j, b in enumerate(v))
        assert not sign * bend < mu * sum(a * a for a in v)


@pytest.mark.parametrize("layer", LAYERS)
@given(graphs(sizes=(1, 3)), st.data())
@settings(
    max_examples=draws(30, 2000), deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
def test_no_finding_on_a_box_is_contradicted(layer, graph, data):
    lower, upper = data.draw(boxes(graph.size))
    domain = Domain.of(Box(lower, upper), graph.names)
    seconds = {"seconds": 0.3} if layer in ("interval_hessian", "nonconvex") else {}
    found = import_module(f"surefoot.proof.{layer}").prove(graph, domain, **seconds)
    if found is not None:
        with precision(BITS):
            check(graph, domain, found, points(lower, upper, 8, 3))


@pytest.mark.parametrize("layer", LAYERS)
@given(graphs(sizes=(1, 2), most=5))
@settings(max_examples=draws(25, 1000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_finding_on_all_of_space_is_contradicted(layer, graph):
    domain = Domain.everything(graph.names)
    seconds = {"seconds": 0.3} if layer in ("interval_hessian", "nonconvex") else {}
    found = import_module(f"surefoot.proof.{layer}").prove(graph, domain, **seconds)
    if found is not None:
        with precision(BITS):
            check(graph, domain, found, points(np.full(graph.size, -6.0), np.full(graph.size, 6.0), 8, 4))


@given(graphs(sizes=(1, 2), most=6), st.data())
@settings(
    max_examples=draws(30, 2000), deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
def test_no_decision_of_all_layers_together_is_contradicted(graph, data):
    lower, upper = data.draw(boxes(graph.size))
    domain = Domain.of(Box(lower, upper), graph.names)
    found = decide(graph, domain)
    if found.rigour is Rigour.PROVEN and found.verdict not in (Curvature.UNDECIDED, Curvature.QUASICONVEX):
        modulus = found.evidence.get("modulus")
        claimed = Finding(found.verdict, found.lines, found.evidence, modulus and Fraction(modulus))
        with precision(BITS):
            check(graph, domain, claimed, points(lower, upper, 8, 5))


@pytest.mark.parametrize(
    ("text", "modulus"),
    [
        ("x^2 - log(1 + x^2)", 0),  # x^2 is what outweighs the logarithm: nothing of it is left
        ("x^2 + cos(x)", 1),
        ("x^2 + exp(x)", 2),
        ("2*x^2 - x^2 + abs(x)", 2),
    ],
)
def test_a_modulus_is_not_counted_twice(text, modulus):
    typed = typed_function(text, "x=1")
    graph = real_graph_of_text(typed.node, typed.names)
    found = decide(graph, Domain.everything(graph.names))
    assert found.verdict.is_convex
    assert Fraction(found.evidence.get("modulus", 0)) <= modulus
