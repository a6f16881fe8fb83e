"""One front door: which kind a function is run as, what is refused, and what every kind keeps."""

from __future__ import annotations

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.errors import ModelError
from surefoot.problem.objective import Counts, objective_of

COMPILED = []
"""Every program that XLA compiles in this process, ours or not."""

jax.monitoring.register_event_duration_secs_listener(
    lambda name, *_, **__: COMPILED.append(name) if "backend_compile" in name else None
)


@pytest.fixture
def compilations():
    """Those of one test."""
    COMPILED.clear()
    return COMPILED


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def rosenbrock_gradient(x):
    return [-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)]


def rosenbrock_hessian(x):
    return [[1200 * x[0] ** 2 - 400 * x[1] + 2, -400 * x[0]], [-400 * x[0], 200]]


def test_rosenbrock_compiles_exactly_one_program(compilations):
    # A constant of its own, so that no other test has compiled it.
    objective, x = objective_of(lambda x: rosenbrock(x) + 0.123456, [-1.2, 1.0])
    value, gradient, hessian = objective.look(x)
    objective.value(x), objective.see(x + 1), objective.hessian(x + 2), objective.bend(x, x)
    assert objective.counts.compilations == 1 == len(compilations)
    assert value == pytest.approx(24.2 + 0.123456, rel=1e-15)
    np.testing.assert_allclose(gradient, rosenbrock_gradient([-1.2, 1.0]), rtol=1e-14)
    np.testing.assert_allclose(hessian, rosenbrock_hessian([-1.2, 1.0]), rtol=1e-14)


def test_a_second_call_compiles_nothing(compilations):
    def f(x, data, rate):
        return jnp.sum(jax.nn.softplus(data @ x)) + rate * jnp.sum(jnp.abs(x) ** 3)

    data = np.arange(6.0).reshape(3, 2)
    first, x = objective_of(f, [1.0, 2.0], args=(data, 0.5))
    first.look(x)
    before = len(compilations)
    again, x = objective_of(f, [3, 4], args=(data + 1, 0.25))
    found = again.look(x)[0]
    assert len(compilations) == before and again.counts.compilations == 0
    assert found == pytest.approx(np.sum(np.logaddexp(0, (data + 1) @ x)) + 0.25 * (27 + 64), rel=1e-14)


def test_what_is_the_same_program_is_compiled_once(compilations):
    class Problem:
        def __init__(self, data):
            self.data = data

        def loss(self, x):
            return jnp.sum((x - self.data) ** 4)

        def scaled(self, x, by):
            return by * self.loss(x)

    def make(data):
        return lambda x: jnp.sum((x - data) ** 4)

    one, other = np.array([1.0, 2.0]), np.array([5.0, 6.0])
    objective_of(make(one), [0.0, 0.0])
    before = len(compilations)
    for f, data in [(make(other), other), (Problem(one).loss, one), (Problem(other).loss, other),
                    (functools.partial(Problem.loss, Problem(other)), other)]:  # fmt: skip
        objective, x = objective_of(f, [0.0, 0.0])
        assert objective.value(x) == np.sum(data**4)
    assert len(compilations) == before


def test_a_function_whose_surroundings_changed_is_read_anew():
    surroundings = {"shift": 1.0, "data": np.array([1.0, 2.0]), "squared": True}

    def f(x):
        r = x - surroundings["data"] * surroundings["shift"]
        return jnp.sum(r**2) if surroundings["squared"] else jnp.sum(r**4)

    assert objective_of(f, [0.0, 0.0])[0].value(np.zeros(2)) == 5.0
    surroundings["shift"] = 2.0
    assert objective_of(f, [0.0, 0.0])[0].value(np.zeros(2)) == 20.0
    surroundings["data"] = np.array([0.0, 1.0])
    assert objective_of(f, [0.0, 0.0])[0].value(np.zeros(2)) == 4.0
    surroundings["squared"] = False
    assert objective_of(f, [0.0, 0.0])[0].value(np.zeros(2)) == 16.0
    surroundings["data"][1] = 2.0  # the same array, changed in place
    assert objective_of(f, [0.0, 0.0])[0].value(np.zeros(2)) == 256.0


def test_custom_derivatives_that_differ_are_not_confused():
    def make(slope):
        @jax.custom_jvp
        def odd(x):
            return x * 1.0

        odd.defjvp(lambda primals, tangents: (odd(primals[0]), slope * tangents[0]))
        return lambda x: odd(x)

    for slope in (1.0, 2.0, 3.0):
        assert objective_of(make(slope), 1.0)[0].see(np.ones(1))[1].tolist() == [slope]


def test_the_callers_configuration_is_untouched():
    states = []

    def f(x):
        states.append(jax.config.jax_enable_x64)
        return x**2

    def broken(x):
        raise ZeroDivisionError("mine")

    before = jax.config.jax_enable_x64
    assert not before
    objective, x = objective_of(f, 1.0)
    assert states[0] is True and not jax.config.jax_enable_x64
    objective.look(x), objective.lanes(np.ones((3, 1)))
    assert not jax.config.jax_enable_x64 and jnp.ones(2).dtype == jnp.float32
    with pytest.raises(ZeroDivisionError, match="mine"):
        objective_of(broken, 1.0)
    assert not jax.config.jax_enable_x64


def test_double_precision_whatever_the_caller_has():
    third, x = objective_of(lambda x: x / 3, 1)
    assert third.value(x) == 1 / 3 and third.roundoff == 2.0**-53
    with jax.enable_x64(True):
        assert objective_of(lambda x: x / 3, np.float32(1))[0].value(np.ones(1)) == 1 / 3


@pytest.mark.parametrize(
    ("f", "why"),
    [
        (lambda x: np.sum(np.sin(x)), "NumPy or to another library"),
        (lambda x: float(np.dot(x, x)), "NumPy or to another library"),
        (lambda x: math.sin(x[0]) + x[1] ** 2, "a Python number"),
        (lambda x: x[0] ** 2 if x[1] > 0 else x[0], "decides in Python"),
        (lambda x: sum(x[x > 0]), "mask"),
        (lambda x: np.linalg.norm(x) ** 2, "NumPy or to another library"),
        (lambda x: [1.0, 4.0][int(x[0])] + x[0], "Python number|an index"),
        (lambda x: x.tolist()[0] ** 2, "cannot be traced"),
    ],
)
def test_a_function_that_jax_cannot_trace_runs_as_numpy(f, why):
    objective, x = objective_of(f, [1.0, 2.0])
    assert objective.source == "NumPy" and not objective.exact_gradient and not objective.exact_curvature
    (note,) = objective.notes
    assert "f cannot be traced by JAX" in note and note.endswith("it runs as NumPy, with gradients by differences.")
    assert "\n" not in note and (__import__("re").search(why, note))
    assert objective.value(x) == f(x)


def test_a_change_in_place_runs_as_numpy_and_spoils_nothing():
    def f(x):
        x[0] = x[0] - 1
        x *= 2
        return float(x @ x)

    start = np.array([3.0, 4.0])
    objective, x = objective_of(f, start)
    assert "changes an array in place" in objective.notes[0]
    assert objective.value(x) == 4 * (4 + 16) and start.tolist() == [3.0, 4.0] and x.tolist() == [3.0, 4.0]
    np.testing.assert_allclose(objective.see(x)[1], [16, 32], rtol=1e-7)


def test_a_reading_that_disagrees_with_a_plain_call_is_not_believed():
    def swallows(x):
        try:
            return float(np.sum(np.sin(x)))
        except Exception:
            return 1e10

    objective, x = objective_of(swallows, [1.0, 2.0])
    assert objective.source == "NumPy" and "1e+10 as JAX reads it" in objective.notes[0]
    assert objective.value(x) == np.sum(np.sin(x))

    random = np.random.default_rng(0)
    objective, x = objective_of(lambda x: x[0] ** 2 + 1e-3 * random.standard_normal(), [1.0])
    assert objective.source == "NumPy" and "as JAX reads it" in objective.notes[0]


def test_a_reading_that_agrees_up_to_rounding_is_believed():
    """At a minimiser with value zero, two roundings share no digit."""
    objective, _ = objective_of(lambda x: ((x * 0.1 + 0.2) - 0.3 * x) ** 2, 1.0)
    assert objective.source == "JAX"


def test_plain_python_is_traced_without_notes():
    objective, _ = objective_of(rosenbrock, [-1.2, 1.0])
    assert objective.source == "JAX" and objective.notes == () and objective.exact_gradient
    assert objective.exact_curvature


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (lambda x: undefined_name, NameError, "undefined_name"),  # noqa: F821
        (lambda x: x.nothing, AttributeError, "nothing"),
        (lambda x: x["a"], IndexError, "only integers"),
        (lambda x: jnp.ones(3) @ x, TypeError, "dot_general"),
        (lambda x, y: x, TypeError, "missing 1 required positional argument"),
        (lambda x: 1 / 0, ZeroDivisionError, "division by zero"),
    ],
)
def test_errors_of_the_function_come_through_as_themselves(f, error, message):
    with pytest.raises(error, match=message) as caught:
        objective_of(f, [1.0, 2.0])
    assert "racer" not in str(caught.value)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda x: None, "returns nothing"), (lambda x: x, r"shape \(2,\)"), (lambda x: x[0] * 1j, "complex"),
        (lambda x: "text", "returns str 'text'"), (lambda x: x.reshape(1, 2)[:, :1], r"shape \(1, 1\)"),
        (lambda x: (x[0], x[1]), r"shape \(2,\)"), (lambda x: x[0] > 0, "a real number is needed"),
        (lambda x: {"loss": x[0]}, "returns dict {'loss': np.float64.1.0.}"),
    ],
)  # fmt: skip
def test_what_is_no_real_number_is_said_in_a_sentence(result, message):
    with pytest.raises(ModelError, match=message) as caught:
        objective_of(result, [1.0, 2.0])
    assert "racer" not in str(caught.value)
    with pytest.raises(ModelError, match=message):  # and where f runs as NumPy
        objective_of(lambda x: result(np.asarray(x)), [1.0, 2.0])


def test_a_single_entry_and_whole_numbers_are_values():
    assert objective_of(lambda x: x[:1] * 2, [3.0])[0].value(np.array([3.0])) == 6.0
    assert objective_of(lambda x: 7, [3.0])[0].see(np.array([3.0]))[1].tolist() == [0.0]
    assert objective_of(lambda x: jnp.round(x[0]).astype(int), [3.2])[0].value(np.array([3.2])) == 3.0
    assert objective_of(lambda x: np.sin(x)[:1], [0.0])[0].value(np.array([0.0])) == 0.0


def test_values_that_are_not_finite_are_returned():
    objective, _ = objective_of(lambda x: jnp.log(x), 1.0)
    assert math.isnan(objective.value(np.array([-1.0]))) and objective.value(np.zeros(1)) == -math.inf
    assert math.isnan(objective.look(np.array([-1.0]))[0])
    values, _ = objective.lanes(np.array([[-1.0], [1.0]]))
    assert math.isnan(values[0]) and values[1] == 0.0
    plain, _ = objective_of(lambda x: float(np.log(x)), 1.0)
    value, gradient = plain.see(np.array([-1.0]))
    assert math.isnan(value) and np.all(np.isnan(gradient))
    assert plain.value(np.zeros(1)) == -math.inf


def test_trees_in_and_out():
    def f(p, data):
        return jnp.sum((data["a"] @ p["w"] + p["b"] - data["y"]) ** 2)

    data = {"a": np.arange(6.0).reshape(3, 2), "y": np.ones(3)}
    objective, x = objective_of(f, {"w": [1, 2], "b": 3}, args=(data,))
    assert objective.names == ("w[0]", "w[1]", "b") and objective.size == 3
    gradient = objective.see(x)[1]
    residual = data["a"] @ [1, 2] + 3 - 1
    np.testing.assert_allclose(gradient, [*(2 * data["a"].T @ residual), 2 * residual.sum()], rtol=1e-14)
    back = objective.shaped(x)
    assert list(back) == ["w", "b"] and back["b"] == 3.0
    assert np.array_equal(objective.flat(back), x)


def test_arguments_that_are_not_data_are_part_of_the_function():
    def f(x, power, name, flags):
        return jnp.sum(x**power) if name == "sum" and flags["on"] else jnp.prod(x)

    assert objective_of(f, [2.0, 3.0], args=(2, "sum", {"on": True}))[0].value(np.array([2.0, 3.0])) == 13.0
    assert objective_of(f, [2.0, 3.0], args=(3, "sum", {"on": True}))[0].value(np.array([2.0, 3.0])) == 35.0
    assert objective_of(f, [2.0, 3.0], args=(3, "prod", {"on": True}))[0].value(np.array([2.0, 3.0])) == 6.0


@pytest.mark.parametrize("source", ["JAX", "NumPy"])
def test_derivatives_that_are_given_are_believed(source):
    """They lie here, so that one sees whose they are."""
    sine = jnp.sin if source == "JAX" else np.sin

    def f(x, a):
        return a * sine(x).sum()

    lies = objective_of(f, [1.0, 2.0], args=(2.0,), jac=lambda x, a: a * x, hess=lambda x, a: [[a, 1], [3, a]])[0]
    x = np.array([1.0, 2.0])
    assert lies.source == source and lies.exact_gradient and lies.exact_curvature
    assert lies.see(x)[1].tolist() == [2.0, 4.0]
    assert lies.hessian(x).tolist() == [[2.0, 2.0], [2.0, 2.0]]
    assert lies.bend(x, np.array([1.0, 0.0])).tolist() == [2.0, 2.0]
    assert lies.lanes(x[None])[1].tolist() == [[2.0, 4.0]]
    both = objective_of(lambda x: (sine(x).sum(), 3 * x), [1.0, 2.0], jac=True)[0]
    assert both.source == source and both.see(x)[1].tolist() == [3.0, 6.0] and both.value(x) == np.sin(x).sum()
    np.testing.assert_allclose(both.hessian(x), 3 * np.eye(2), atol=1e-8)


@pytest.mark.parametrize("sine", [jnp.sin, np.sin])
def test_a_gradient_of_another_shape_is_refused(sine):
    with pytest.raises(ModelError, match=r"gradient that was given does not fit.*\(3,\)"):
        objective_of(lambda x: sine(x).sum(), [1.0, 2.0], jac=lambda x: sine(np.ones(3)))[0].see(np.ones(2))


@pytest.mark.parametrize("f", [3, None, [1, 2], {"x": 1}])
def test_what_is_no_function_is_refused(f):
    with pytest.raises(ModelError, match="a function, or the text of an expression"):
        objective_of(f, [1.0, 2.0])


def test_points_of_another_shape_are_refused():
    objective, _ = objective_of(rosenbrock, [1.0, 2.0])
    for wrong in (np.ones(3), np.ones((2, 1)), np.ones(())):
        with pytest.raises(ModelError, match="a vector of 2 variables is needed"):
            objective.value(wrong)
    with pytest.raises(ModelError, match=r"\(m, 2\) is needed"):
        objective.lanes(np.ones((4, 3)))
    with pytest.raises(ModelError, match="a vector of 2 entries"):
        objective.bend(np.ones(2), np.ones(3))


@pytest.mark.parametrize("f", [rosenbrock, lambda x: rosenbrock(np.asarray(x))], ids=["JAX", "NumPy"])
def test_what_is_known_of_the_last_point_is_not_computed_again(f):
    objective, x = objective_of(f, [-1.2, 1.0])
    objective.see(x)
    before = objective.counts
    value, gradient = objective.see(x)
    assert objective.value(x.copy()) == value and objective.see(x)[1] is gradient
    assert objective.counts == before
    with pytest.raises(ValueError, match="read-only"):
        gradient[0] = 0.0
    x[0] = 5.0  # the caller's own array may change
    assert objective.value(x) == rosenbrock(x)


def test_counts():
    objective, x = objective_of(rosenbrock, [-1.2, 1.0])
    assert objective.counts == Counts(1, 1, 0, 0, objective.counts.compilations, objective.counts.compile_seconds)
    objective.value(x + 1), objective.look(x + 2), objective.bend(x + 2, x)
    assert (objective.counts.values, objective.counts.gradients) == (3, 2)
    assert (objective.counts.hessians, objective.counts.products) == (1, 1)
    objective.lanes(np.ones((5, 2)))
    assert (objective.counts.values, objective.counts.gradients) == (8, 7)


def test_a_function_is_called_once_to_be_read_and_once_to_be_believed():
    calls = []

    def f(x):
        calls.append(type(x).__name__)
        return x[0] ** 2 + 2.5 * x[0]

    objective, x = objective_of(f, [1.0])
    assert len(calls) == 2 and calls[1] == "ndarray"
    objective.look(x + 1), objective.lanes(np.ones((3, 1))), objective.bend(x, x)
    assert len(calls) == 2


SMOOTH = {
    "quadratic": lambda x: 3 * x[0] ** 2 + x[0] * x[1] + x[1] ** 2,
    "mixed": lambda x: x[0] ** 4 + 2 * x[1] ** 2 + 0.5 * x[0] * x[1] ** 3,
}


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(SMOOTH)), st.lists(st.floats(-2, 2), min_size=2, max_size=2))
def test_numpy_and_jax_agree(name, start):
    f = SMOOTH[name]
    x = np.array(start)
    traced, _ = objective_of(f, x)
    plain, _ = objective_of(lambda x: float(f(np.asarray(x))), x)
    assert (traced.source, plain.source) == ("JAX", "NumPy")
    assert plain.value(x) == pytest.approx(traced.value(x), rel=1e-14, abs=1e-300)
    np.testing.assert_allclose(plain.see(x)[1], traced.see(x)[1], atol=1e-6)
    np.testing.assert_allclose(plain.hessian(x), traced.hessian(x), atol=1e-3)
    np.testing.assert_allclose(plain.bend(x, np.array([1.0, -2.0])), traced.bend(x, np.array([1.0, -2.0])), atol=5e-3)
    assert np.array_equal(plain.hessian(x), plain.hessian(x).T)
