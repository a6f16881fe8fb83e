"""Equal keys mean equal programs, and the memory forgets."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from surefoot.problem import programs
from surefoot.problem.programs import NotComparable, Program, double, structure


def key_of(f, *examples):
    with double():
        return structure(jax.jit(lambda *inputs: f(*inputs)).trace(*examples).jaxpr.jaxpr)


X = np.ones(3)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda x: x * 2.0, lambda x: x * 3.0), (lambda x: x * 0.0, lambda x: x * -0.0),
        (lambda x: x[0] + x[1], lambda x: x[0] + x[2]), (lambda x: x - x[0], lambda x: x[0] - x),
        (lambda x: jnp.sum(x), lambda x: jnp.prod(x)), (lambda x: x**2, lambda x: x**3),
        (lambda x: jax.lax.cond(x[0] > 0, lambda: 1.0, lambda: 2.0), lambda x: jax.lax.cond(x[0] > 0, lambda: 1.0,
                                                                                           lambda: 3.0)),
        (lambda x: jax.lax.fori_loop(0, 3, lambda i, c: c * x[0], 1.0),
         lambda x: jax.lax.fori_loop(0, 3, lambda i, c: c * x[1], 1.0)),
        (lambda x: jnp.where(x > 0, x, 1.0), lambda x: jnp.where(x > 0, 1.0, x)),
        (lambda x: x.astype(jnp.float32), lambda x: x),
    ],
)  # fmt: skip
def test_other_functions_have_other_keys(one, other):
    assert key_of(one, X) != key_of(other, X)
    assert key_of(one, X) == key_of(one, X) and hash(key_of(other, X)) == hash(key_of(other, X))


def test_shapes_and_types_count_but_not_the_values_of_constants():
    a, b = np.arange(3.0), np.arange(3.0) + 1
    assert key_of(lambda x: x @ a, X) == key_of(lambda x: x @ b, X)
    assert key_of(lambda x: x + 1, X) != key_of(lambda x: x + 1, np.ones(4))
    assert key_of(lambda x: x @ a, X) != key_of(lambda x: x @ a.astype(np.float32), X)


def test_custom_derivatives_cannot_be_compared():
    with pytest.raises(NotComparable):
        key_of(jax.nn.softplus, X)


def test_callbacks_are_told_apart():
    def calling(f):
        return lambda x: jax.pure_callback(f, jax.ShapeDtypeStruct((3,), np.float64), x)

    assert key_of(calling(np.sin), X) != key_of(calling(np.cos), X)
    one, other = (Program(calling(f), (X,), None) for f in (np.sin, np.cos))
    assert one(X).tolist() == np.sin(X).tolist() and other(X).tolist() == np.cos(X).tolist()


def test_the_memory_forgets_what_was_unused_for_longest(monkeypatch):
    monkeypatch.setattr(programs, "REMEMBERED", 2)
    programs._memory.clear()

    def compiled(number):
        return Program(lambda x: x + number, (X,), None).compiled

    assert [compiled(k) for k in (1.5, 2.5, 1.5, 3.5, 1.5, 2.5)] == [True, True, False, True, False, True]
    assert len(programs._memory) == 2


def test_a_program_reports_what_it_cost():
    program = Program(lambda x: x * 7.25, (X,), None)
    assert program.compiled and program.compile_seconds > 0
    again = Program(lambda x: x * 7.25, (X,), None)
    assert not again.compiled and again.compile_seconds == 0
    assert again(X).tolist() == [7.25] * 3 and again(X).dtype == np.float64
