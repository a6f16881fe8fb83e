"""Random functions on random domains: whatever is proven of their curvature is held against chords and slopes in Arb.

A claim that is false is contradicted somewhere: by a chord that the function is above, or below; by a chord that bends
less than the modulus says; by a Hessian with an eigenvalue of the wrong sign; by a point where the function is not
defined although the claim is about it; or by a witness that is none.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curvature_claims import contradiction, value
from fuzzing import draws
from random_graphs import boxes, graphs, points
from surefoot.problem.domain import Domain
from surefoot.problem.real import Builder, Graph
from surefoot.proof import interval_hessian, nonconvex
from surefoot.proof.arb_reading import arb_jet, ball, precision
from surefoot.proof.certificate import Certificate, Curvature, Rigour
from surefoot.proof.convexity import decide

pytestmark = pytest.mark.fuzz

BITS = 200


@pytest.fixture(autouse=True)
def _in_little_time(monkeypatch):
    """Searches that are given up earlier prove less, and nothing else."""
    monkeypatch.setattr(nonconvex, "prove", partial(nonconvex.prove, seconds=0.05))
    monkeypatch.setattr(interval_hessian, "prove", partial(interval_hessian.prove, seconds=0.1))


@st.composite
def composed(draw) -> Graph:
    """What rules of curvature are made for, and what is next to it: perspectives, quotients, sums of the same terms."""
    size = draw(st.integers(1, 2))
    build = Builder(tuple(f"x[{k}]" for k in range(size)))
    pool = [build.reshape(build.slice(build.input, (k,), (k + 1,)), ()) for k in range(size)]
    numbers = st.sampled_from((-2.0, -1.0, -0.5, 0.1, 0.5, 1.0, 2.0, 3.0, -1e-9))

    def one() -> int:
        return draw(st.sampled_from(pool[-3:] + pool))

    def affine() -> int:
        total = build.mul(build.constant(draw(numbers)), pool[0])
        total = build.add(total, build.mul(build.constant(draw(numbers)), pool[size - 1]))
        return build.add(total, build.constant(draw(numbers)))

    def perspective() -> int:
        below = affine()
        shape = draw(st.sampled_from(("exp", "abs", "softplus", "cosh", "log")))
        return build.mul(below, build.unary(shape, build.div(affine(), below)))

    def entropy() -> int:
        x = draw(st.sampled_from(pool[:size]))
        inside = draw(st.sampled_from((x, affine(), build.div(x, affine()))))
        return build.mul(x, build.unary("log", inside))

    def power() -> int:
        exponents = (2, 2, 3, -1, -2, Fraction(1, 2), Fraction(3, 2), Fraction(-1, 2), Fraction(1 / 3))
        return build.power(one(), draw(st.sampled_from(exponents)))

    def joined() -> int:
        operation = draw(st.sampled_from(("add", "sub", "mul", "div", "maximum", "minimum", "hypot")))
        return build.binary(operation, one(), one())

    def bent() -> int:
        shapes = ("exp", "log", "softplus", "logistic", "log_ndtr", "cos", "abs", "erf", "cosh", "tanh", "lgamma")
        return build.unary(draw(st.sampled_from(shapes)), one())

    def chosen() -> int:
        low = draw(st.sampled_from((one(), build.constant(0.0), build.constant(1.0))))
        return build.where(build.condition(draw(st.sampled_from(("lt", "le", "eq"))), low, one()), one(), one())

    kinds = (affine, perspective, entropy, power, power, joined, joined, bent, bent, chosen)
    for _ in range(draw(st.integers(1, 5))):
        pool.append(draw(st.sampled_from(kinds))())
    total = pool[-1]
    for _ in range(draw(st.integers(0, 2))):
        other = draw(st.sampled_from((one(), build.power(pool[0], 2))))
        total = build.binary(draw(st.sampled_from(("add", "add", "sub"))), total, other)
    return build.graph(total)


@st.composite
def domains(draw, names: tuple[str, ...]) -> Domain:
    """All of R^n, boxes, half-lines open or closed, and a linear inequality."""
    kind = draw(st.sampled_from(("everything", "box", "half", "cut")))
    if kind == "everything":
        return Domain.everything(names)
    if kind == "box":
        lower, upper = draw(boxes(len(names)))
        return Domain.of(list(zip(lower, upper, strict=True)), names)
    parts = [
        f"{name} {draw(st.sampled_from(('>', '>=', '<', '<=')))} {draw(st.sampled_from((-1, 0, 0, 1)))}"
        for name in names
    ]
    if kind == "half" or len(names) < 2:
        return Domain.of(", ".join(parts), names)
    first, second = names[:2]
    signs = [side.partition(" ")[2][0] for side in parts[:2]]
    # Away from the corner, so that there are points.
    low = f"{'' if signs[0] == '>' else '-'}{first} {'+' if signs[1] == '>' else '-'} {second}"
    return Domain.of(", ".join([*parts, f"{low} > {draw(st.sampled_from((-1, 0, 1)))}"]), names)


def chosen_points(domain: Domain, seed: int, count: int) -> np.ndarray:
    """Points of a domain, near its ends and away from them."""
    with np.errstate(invalid="ignore"):
        low = np.where(
            np.isfinite(domain.lower), domain.lower, np.where(np.isfinite(domain.upper), domain.upper - 6, -3)
        )
        high = np.where(np.isfinite(domain.upper), domain.upper, low + 6)
    near = points(low, low + (high - low) * 1e-3, count // 4, seed + 1)
    found = np.concatenate([points(low, high, count, seed), near])
    return np.array([x for x in found if domain.contains(x)]).reshape(-1, domain.size)


def is_defined(graph: Graph, x: np.ndarray) -> bool:
    return value(graph, x) is not None


def is_surely_undefined(graph: Graph, x: np.ndarray) -> bool:
    """Whether the operand of a logarithm, or of a root, is negative; balls alone may just not see that it is not."""
    for place, node in graph:
        root = node.operation == "power" and node["exponent"].denominator != 1
        if (root or node.operation == "log") and not graph.nodes[place].shape:
            operand = node.operands[0]
            inner = value(Graph(graph.nodes[: operand + 1], operand, graph.names, graph.constants), x)
            if inner is not None and inner < 0:
                return True
    return False


def disproof(graph: Graph, domain: Domain, found: Certificate, seed: int) -> str | None:
    """Why what is proven is false, in words; None if nothing is seen."""
    evidence = found.evidence
    if found.verdict is Curvature.NOT_CONVEX or evidence.get("convex") is False:
        wrong = false_witness(graph, domain, evidence)
        if wrong is not None or found.verdict is Curvature.NOT_CONVEX:
            return wrong
    chosen = chosen_points(domain, seed, 10)
    branches = any(node.operation == "where" for _, node in graph)
    if found.domain == str(domain) and not branches:  # else a branch that is not taken need not be defined
        for x in chosen:
            if not is_defined(graph, x) and is_surely_undefined(graph, x):
                return f"it is not defined at {x.tolist()}"
    mu = Fraction(evidence.get("modulus", 0))
    return contradiction(graph, domain, found.verdict, chosen, mu, partial(is_defined, graph)) or wrong_bend(
        graph, found.verdict, [x for x in chosen if is_defined(graph, x)], mu
    )


def false_witness(graph: Graph, domain: Domain, evidence: dict) -> str | None:
    share = Fraction(evidence["share"])
    ends = [np.array(evidence[name], dtype=float) for name in ("from", "to")]
    if not all(domain.contains(end) for end in ends):
        return "a witness outside of the domain"
    p, q = ([Fraction(float(v)) for v in end] for end in ends)
    middle = [(1 - share) * a + share * b for a, b in zip(p, q, strict=True)]
    with precision(2 * BITS):
        one, between, other = (arb_jet(graph, x, order=0, bits=2 * BITS).value for x in (p, middle, q))
        chord = ball(1 - share) * one + ball(share) * other
        return f"a witness on which f is below its chord: {between} <= {chord}" if between < chord else None


def wrong_bend(graph: Graph, verdict: Curvature, chosen: list[np.ndarray], mu: Fraction) -> str | None:
    """A direction in which a Hessian has the wrong sign."""
    sign = {"convex": 1, "concave": -1}.get(verdict.value.split()[-1])
    if sign is None or verdict.value == "quasiconvex":
        return None
    rng = np.random.default_rng(1)
    with precision(BITS):
        for x in chosen[:4]:
            H = arb_jet(graph, [Fraction(float(v)) for v in x], bits=BITS).hessian
            v = rng.integers(-3, 4, len(x)).tolist()
            bend = sum(a * b * H[i, j] for i, a in enumerate(v) for j, b in enumerate(v))
            if sign * bend < ball(mu) * sum(a * a for a in v):
                return f"its second derivative at {x.tolist()} along {v} is {bend}, with modulus {mu}"
    return None


def check(graph: Graph, data) -> None:
    domain = data.draw(domains(graph.names))
    found = decide(graph, domain)
    if found.rigour is not Rigour.PROVEN or found.verdict is Curvature.UNDECIDED:
        return
    wrong = disproof(graph, domain, found, data.draw(st.integers(0, 10_000)))
    assert wrong is None, f"{found.claim} {wrong}"


@settings(max_examples=draws(150, 5_000), deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs(sizes=(1, 2), most=5), st.data())
def test_nothing_proven_of_any_function_is_contradicted(graph, data):
    check(graph, data)


@settings(max_examples=draws(150, 5_000), deadline=None, suppress_health_check=list(HealthCheck))
@given(composed(), st.data())
def test_nothing_proven_of_what_the_rules_are_for_is_contradicted(graph, data):
    check(graph, data)


def test_what_is_false_is_contradicted():
    """The test of the test: claims that are wrong by little."""
    build = Builder(("x",))
    x = build.reshape(build.input, ())
    graph = build.graph(build.add(build.power(x, 2), build.unary("cos", x)))
    domain = Domain.everything(("x",))
    right = decide(graph, domain)
    assert right.verdict is Curvature.STRONGLY_CONVEX and disproof(graph, domain, right, 0) is None

    def claim(verdict: Curvature, **evidence) -> Certificate:
        return Certificate(verdict, Rigour.PROVEN, "", (), evidence, str(domain))

    assert disproof(graph, domain, claim(Curvature.STRONGLY_CONVEX, modulus="2"), 0) is not None
    assert disproof(graph, domain, claim(Curvature.AFFINE), 0) is not None
    assert disproof(graph, domain, claim(Curvature.CONCAVE), 0) is not None
    witness = {"from": [0.0], "to": [1.0], "share": "1/2"}
    assert disproof(graph, domain, claim(Curvature.NOT_CONVEX, **witness), 0) is not None
    logarithm = build.graph(build.unary("neg", build.unary("log", x)))
    assert "not defined" in str(disproof(logarithm, domain, claim(Curvature.CONVEX), 0))
