"""A function taken apart into weighted nodes is the function; weights are rounded outward."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzzing import draws
from random_graphs import graphs, points
from surefoot.problem.domain import Domain
from surefoot.problem.real import Builder
from surefoot.problem.real_floating import value
from surefoot.proof.curvature import Curvatures
from surefoot.proof.linear_parts import LinearParts


@settings(max_examples=draws(100, 3_000), deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs(most=6), st.integers(0, 10_000))
def test_the_function_is_the_sum_of_its_parts(graph, seed):
    parts = LinearParts(Curvatures(graph, Domain.everything(graph.names)))
    nothing = parts.only([])
    alone = [parts.only([part.place]) for part in parts.parts]
    for x in points(np.full(graph.size, -2.0), np.full(graph.size, 2.0), 4, seed):
        with np.errstate(all="ignore"):
            whole, rest = float(value(graph, x)), float(value(nothing, x))
            each = [float(value(one, x)) for one in alone]
        if not np.all(np.isfinite([whole, rest, *each])) or max(map(abs, [whole, *each]), default=0) > 1e8:
            continue
        assert rest + sum(one - rest for one in each) == pytest.approx(whole, rel=1e-8, abs=1e-8)


def test_weights_of_what_is_met_twice_are_added_in_intervals():
    build = Builder(("x", "y"))
    u = build.unary("exp", build.input)
    three = build.mul(build.constant(0.1), build.sum(u))
    six = build.sub(build.mul(build.constant(0.2), build.sum(u)), build.mul(build.constant(0.3), build.sum(u)))
    graph = build.graph(build.add(three, six))
    (part,) = LinearParts(Curvatures(graph, Domain.everything(("x", "y")))).parts
    # 0.1 + 0.2 - 0.3 in the doubles that they are is 2.8e-17: the interval must hold it.
    assert np.all(part.weight.lo <= 2.7755575615628914e-17) and np.all(part.weight.hi >= 2.7755575615628914e-17)


def test_weights_go_through_what_moves_numbers():
    build = Builder(("x", "y", "z"))
    u = build.power(build.input, 2)
    taken = build.take(u, np.array([0, 0, 2, -1]))
    graph = build.graph(build.sum(build.mul(taken, build.constant([1.0, 2.0, -4.0, 5.0]))))
    (part,) = LinearParts(Curvatures(graph, Domain.everything(("x", "y", "z")))).parts
    weights = np.array([3.0, 0.0, -4.0])
    assert np.allclose(part.weight.lo, weights) and np.allclose(part.weight.hi, weights)
    assert np.all(part.weight.lo <= weights) and np.all(part.weight.hi >= weights)
    assert part.bends(np.full(3, 1, dtype=np.uint8), up=True).tolist() == [True, True, False]


def test_what_is_replaced_by_0_is_so_beside_a_kept_part_and_not_inside_of_it():
    build = Builder(("x",))
    x = build.reshape(build.input, ())
    t = build.add(x, build.constant(1.0))
    graph = build.graph(build.add(t, build.unary("sin", t)))
    parts = LinearParts(Curvatures(graph, Domain.everything(("x",))))
    alone = parts.only([part.place for part in parts.parts if graph.nodes[part.place].operation == "sin"])
    assert float(value(alone, np.array([0.5]))) == pytest.approx(np.sin(1.5))
