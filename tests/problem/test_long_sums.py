"""Sums that were typed term by term: grouped by form, with the value and the derivatives of the text."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.problem.floating import evaluate
from surefoot.problem.grammar import parse_function
from surefoot.problem.graph_jax import jax_function
from surefoot.problem.long_sums import long_sums

NAMES = ("x[0]", "x[1]", "x[2]", "y")
TERMS = ["x[0]^2", "x[1]^2", "x[2]^2", "y^2", "3*x[0]", "0.5*x[1]", "4*x[2]", "x[0]*x[0]", "x[0]*x[2]", "x[1]*y"]
TERMS += ["sin(2*y)", "2", "(x[0] - 1)^2", "(x[1] - 2)^2", "(x[2] - 3)^3", "sum(x[i], i=0..2)", "where(y > 0, y, 1)"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("+-"), st.sampled_from(TERMS)), min_size=6, max_size=40))
def test_long_sums_have_the_value_of_the_text(parts):
    node = parse_function("1" + "".join(f" {sign} {term}" for sign, term in parts))
    point = np.array([0.5, -1.25, 2.0, 0.75])
    wanted = float(evaluate(node, {"x": point[:3], "y": point[3]}))
    with jax.enable_x64(True):
        assert float(jax_function(node, NAMES)(point)) == pytest.approx(wanted, rel=1e-13, abs=1e-12)


def test_derivatives_of_a_long_sum():
    text = "-(" + " + ".join(f"{k + 1}*(x[{k}] - {k})^2" for k in range(20)) + ")/2 + x[3]*x[4]"
    point = np.linspace(-1, 1, 20)
    weights = np.arange(1.0, 21)
    with jax.enable_x64(True):
        f = jax_function(parse_function(text), tuple(f"x[{k}]" for k in range(20)))
        gradient, hessian = np.asarray(jax.grad(f)(point)), np.asarray(jax.hessian(f)(point))
    wanted = -weights * (point - np.arange(20))
    wanted[3] += point[4]
    wanted[4] += point[3]
    np.testing.assert_allclose(gradient, wanted, rtol=1e-13)
    second = -np.diag(weights)
    second[3, 4] = second[4, 3] = 1
    np.testing.assert_allclose(hessian, second, rtol=1e-13)


def test_a_long_sum_inside_a_sum_over_an_index():
    text = "sum(" + " + ".join(f"{k}*x[i]^2*y" for k in range(1, 9)) + ", i=0..2)"
    with jax.enable_x64(True):
        found = float(jax_function(parse_function(text), NAMES)(np.array([1.0, 2.0, 3.0, 0.5])))
    assert found == 36 * 14 * 0.5


def test_as_many_operations_whatever_the_number_of_terms():
    sizes = []
    with jax.enable_x64(True):
        for n in (20, 200):
            node = parse_function(" + ".join(f"(x[{k}] - {k})^2" for k in range(n)))
            f = jax_function(node, tuple(f"x[{k}]" for k in range(n)))
            sizes.append(len(jax.make_jaxpr(jax.grad(f))(np.zeros(n)).eqns))
    assert sizes[0] == sizes[1] < 40


def test_exponents_are_part_of_the_form():
    node = parse_function(" + ".join(f"x[{k % 3}]^{k}" for k in range(1, 9)))
    assert long_sums(node, {"y"}) == {}
    with jax.enable_x64(True):
        slope = jax.grad(jax_function(node, NAMES))(np.zeros(4))
    assert slope.tolist() == [0, 1, 0, 0]
