"""The zoo of curvature, read as graphs: every function can be read, and the graph has the function's value."""

import jax
import numpy as np
import pytest

from convexity_zoo import ZOO
from surefoot.problem.from_jax import real_graph
from surefoot.problem.real_floating import value


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
