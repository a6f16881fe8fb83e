"""The zoo of curvature: every function can be read, its graph has its value, and what is decided of it is right."""

import jax
import numpy as np
import pytest
from benchmarks.convexity import BY_HAND

from convexity_zoo import ZOO
from surefoot.problem.from_jax import real_graph
from surefoot.problem.real_floating import value
from surefoot.proof.certificate import Rigour
from surefoot.verbs.convexity import convexity


@pytest.mark.parametrize("name", ZOO)
def test_the_graph_of_a_function_has_its_value(name):
    case = ZOO[name]
    graph = real_graph(case.f, np.asarray(case.example))
    assert not [node for node in graph.nodes if node.operation == "unknown"]
    rng = np.random.default_rng(3)
    with jax.enable_x64(True):
        f = jax.jit(case.f)
        for _ in range(5):
            x = np.asarray(case.example) * rng.uniform(0.8, 1.2, np.shape(case.example))
            assert float(value(graph, x.ravel())) == pytest.approx(float(f(x)), rel=1e-11, abs=1e-13)


def test_half_of_the_zoo_is_convex_and_no_name_stands_twice():
    convex = [case for case in ZOO.values() if case.convex]
    assert len(ZOO) >= 80 and 0.4 < len(convex) / len(ZOO) < 0.6


def test_curvature_is_decided_and_never_wrong():
    """One of these would be a false proof; many undecided, a prover that has lost its reach."""
    decided, wrong = [], []
    for name, case in ZOO.items():
        found = convexity(case.f, np.asarray(case.example), case.domain)
        if found.convex is None:
            continue
        decided.append(name)
        if found.convex is not case.convex or found.rigour is not Rigour.PROVEN:
            wrong.append(name)
    assert wrong == []
    assert len(decided) >= 0.95 * len(ZOO), f"undecided: {', '.join(set(ZOO) - set(decided))}"


@pytest.mark.parametrize("name", [name for name, case in ZOO.items() if case.cvxpy is not None])
def test_what_the_rules_of_disciplined_convex_programming_show_is_shown(name):
    """These have an expression in CVXPY's atoms, which its rules accept (`benchmarks.convexity`)."""
    case = ZOO[name]
    assert convexity(case.f, np.asarray(case.example), case.domain).convex is True


@pytest.mark.parametrize("case", BY_HAND, ids=lambda case: case.name)
def test_what_these_rules_reject_or_take_for_convex_is_decided(case):
    found = convexity(case.f, case.example, case.domain)
    assert found.convex is case.convex and found.rigour is Rigour.PROVEN
