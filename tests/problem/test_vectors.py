"""Whole vectors written out, and sums written out as terms, against the reading over arrays."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from surefoot.problem.balls import evaluate_exactly
from surefoot.problem.floating import evaluate
from surefoot.problem.grammar import parse_function, to_text
from surefoot.problem.graph import Name, walk
from surefoot.problem.rationals import Rationals
from surefoot.problem.vectors import VectorError, elements_used, expanded, with_sizes

X, Y = np.array([0.5, -1.5, 2.0]), np.array([1.0, 4.0, -2.0])


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("sum(x)", "sum(x[i], i=0..2)"),
        ("sum(x^2 + 1)", "sum(x[i]^2 + 1, i=0..2)"),
        ("prod(x)", "prod(x[i], i=0..2)"),
        ("mean(x)", "sum(x[i], i=0..2)/3"),
        ("norm(x - y)", "sqrt(sum((x[i] - y[i])^2, i=0..2))"),
        ("dot(x, y*t)", "sum(x[i]*(y[i]*t), i=0..2)"),
        ("sum(x*sum(y))", "sum(x[i]*sum(y[i], i=0..2), i=0..2)"),
        ("sum(x[i], i=0..2) + sum(x)", "sum(x[i], i=0..2) + sum(x[j], j=0..2)"),
        ("sum((x - mean(x))^2)", "sum((x[i] - sum(x[i], i=0..2)/3)^2, i=0..2)"),
        ("sum(where(x > 0, x, 0))", "sum(where(x[i] > 0, x[i], 0), i=0..2)"),
        ("norm(sum(x^k, k=1..2))", "sqrt(sum(sum(x[i]^k, k=1..2)^2, i=0..2))"),
        ("sum(x*j) + i + k", "sum(x[l]*j, l=0..2) + i + k"),
        ("pi*t + x[0]", "pi*t + x[0]"),
    ],
)
def test_whole_vectors_are_written_out(text, written):
    sizes = {"x": 3, "y": 3, "t": None}
    assert to_text(with_sizes(parse_function(text), sizes)) == written
    assert with_sizes(parse_function(written), sizes) == parse_function(written)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("sum((x - mean(x))^2)", np.sum((X - X.mean()) ** 2)),
        ("norm(x)*norm(y) - dot(x, y)", np.linalg.norm(X) * np.linalg.norm(Y) - X @ Y),
        ("sum(sum(x*sum(y))*j, j=0..3)", np.sum(X) * np.sum(Y) * 6),
        ("prod(x + y)", np.prod(X + Y)),
        ("norm(sum(x^k, k=1..2))", np.linalg.norm(X + X**2)),
    ],
)
def test_their_values(text, value):
    node = with_sizes(parse_function(text), {"x": 3, "y": 3})
    assert float(evaluate(node, {"x": X, "y": Y})) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("t + x", "x", "vector of 3"),
        ("x < y", "x", "vector of 3|meets"),
        ("sum(t)", "t", "takes whole vectors"),
        ("sum(2)", "", "takes whole vectors"),
        ("dot(x, z)", "x", "3 numbers meets one of 4"),
        ("x[3]", "x", "beyond the end"),
        ("t[0]", "t", "single number"),
        ("sum(x[i], i=0..5)", "x", r"x\[5\] is beyond"),
    ],
)
def test_sizes_that_do_not_fit(text, name, says):
    with pytest.raises(VectorError, match=says) as caught:
        with_sizes(parse_function(text), {"x": 3, "y": 3, "z": 4, "t": None})
    assert caught.value.name == name


def test_elements_used():
    found = elements_used(parse_function("t*sum(x[2*i + j], i=0..2, j=0..0) + x[1] + pi"))
    assert found == {"t": None, "x": frozenset({0, 1, 2, 4}), "pi": None}


LEAVES = st.sampled_from(["x[i]", "x[j]", "x[2-i]", "y[j]", "t", "i", "2", "0.5"])
TEXTS = st.recursive(
    LEAVES,
    lambda inner: (
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda parts: f"({''.join(parts)})")
        | inner.map(lambda text: f"sum({text}, i=0..2)")
        | inner.map(lambda text: f"prod({text}, j=0..1)")
        | inner.map(lambda text: f"({text})^2")
        | inner.map(lambda text: f"min({text}, 1)")
    ),
    max_leaves=6,
).map(lambda text: f"sum({text}, i=0..2, j=0..1)")


@given(TEXTS)
def test_terms_written_out_have_the_same_value_exactly(text):
    node = parse_function(text)
    flat = expanded(node)
    columns = {f"{name}[{k}]": v for name, vector in (("x", X), ("y", Y)) for k, v in enumerate(vector)} | {"t": 0.25}
    wanted = float(evaluate(node, {"x": X, "y": Y, "t": np.asarray(0.25)}))
    assert float(evaluate(flat, columns)) == pytest.approx(wanted, rel=1e-12, abs=1e-12)
    exact = evaluate_exactly(flat, {name: Rationals.from_doubles(np.array([v])) for name, v in columns.items()}, 1)
    assert isinstance(exact, Rationals) and float(exact.values()[0]) == pytest.approx(wanted, rel=1e-12, abs=1e-12)


def test_written_out_terms_can_be_enclosed():
    flat = expanded(with_sizes(parse_function("norm(x) + prod(exp(x))"), {"x": 2}))
    assert [leaf.name for leaf in walk(flat) if isinstance(leaf, Name)] == ["x[0]", "x[1]"]
    columns = {f"x[{k}]": Rationals.from_integers([k + 3]) for k in range(2)}
    (ball,) = evaluate_exactly(flat, columns, 1).values
    assert ball.contains(arb(5) + arb(7).exp()) and ball.rel_accuracy_bits() > 40
