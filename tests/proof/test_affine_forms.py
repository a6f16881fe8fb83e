"""Affine entries in rational numbers, and full rank modulo primes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzing import draws
from surefoot.problem.real import Builder, Graph
from surefoot.problem.real_floating import value
from surefoot.proof.affine_forms import PRIMES, AffineForms, is_injective


def _step(build: Builder, u: int, kind: int, rng: np.random.Generator) -> int:
    (n,) = build.shape(u)

    def numbers(*shape: int) -> int:
        return build.constant(rng.integers(-3, 4, shape).astype(float))

    steps = (
        lambda: build.mul(u, numbers(n)),
        lambda: build.add(u, build.reverse(u, (0,))),
        lambda: build.sub(u, numbers(n)),
        lambda: build.dot(numbers(4, n), u, ((1,), (0,))),
        lambda: build.dot(u, numbers(n, 2), ((0,), (0,))),
        lambda: build.cumsum(u, 0, reverse=bool(rng.integers(2))),
        lambda: build.concatenate([u, build.unary("neg", u)], 0) if n < 9 else u,
        lambda: build.pad(u, ((1, 0, 1),)) if n < 9 else u,
        lambda: build.take(u, rng.integers(-1, n, 3)),
        lambda: build.reduce("sum", build.broadcast(u, (2, n), (1,)), (0,)),
    )
    return steps[kind]()


@st.composite
def affine_graphs(draw) -> Graph:
    """Sums of what structure, sums and products with small whole numbers make of x: doubles hold all of it."""
    build = Builder(("a", "b", "c"))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    u = build.input
    for kind in draw(st.lists(st.integers(0, 9), min_size=1, max_size=6)):
        u = _step(build, u, kind, rng)
    return build.graph(build.sum(build.div(u, build.constant(2.0 * np.ones(build.shape(u))))))


@settings(max_examples=draws(150, 5_000), deadline=None)
@given(affine_graphs(), st.lists(st.integers(-8, 8), min_size=3, max_size=3))
def test_a_form_has_the_value_of_the_graph(graph, x):
    form = AffineForms(graph).of(graph.output, 0)
    assert form is not None and form.rest is not None
    at = form.rest + sum(c * x[place] for place, c in form.terms.items())
    assert at == Fraction(float(value(graph, np.array(x, dtype=float))))
    assert all(form.terms.values())


def test_what_is_not_affine_has_no_form_and_irrational_constants_have_no_rest():
    build = Builder(("x",))
    x = build.reshape(build.input, ())
    product = build.graph(build.mul(x, build.unary("exp", x)))
    assert AffineForms(product).of(product.output, 0) is None
    shifted = build.graph(build.add(x, build.unary("log", build.constant(2.0))))
    assert AffineForms(shifted).of(shifted.output, 0) == ({0: Fraction(1)}, None)
    scaled = build.graph(build.mul(x, build.unary("log", build.constant(2.0))))
    assert AffineForms(scaled).of(scaled.output, 0) is None


@settings(max_examples=draws(100, 3_000), deadline=None)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 10_000))
def test_injective_is_what_rational_rank_says(n, count, seed):
    from flint import fmpq, fmpq_mat

    rng = np.random.default_rng(seed)
    matrix = rng.integers(-2, 3, (count, n))
    rows = [{k: Fraction(int(v), 3) for k, v in enumerate(row) if v} for row in matrix]
    exact = fmpq_mat(count, n, [fmpq(int(v), 3) for v in matrix.ravel()]).rank() == n
    assert is_injective(rows, n) == exact


def test_a_prime_in_a_denominator_or_a_determinant_proves_nothing_false():
    p, q = PRIMES
    assert is_injective([{0: Fraction(p)}], 1)  # singular modulo the first prime, not modulo the second
    assert not is_injective([{0: Fraction(p * q)}], 1)  # not seen, and not claimed
    assert is_injective([{0: Fraction(1, p)}], 1)
    assert not is_injective([{0: Fraction(1)}, {0: Fraction(2)}], 2)
