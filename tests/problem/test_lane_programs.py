"""Many points at once are the points one by one, by as few programs as can be."""

import jax.numpy as jnp
import numpy as np
import pytest

from surefoot.problem import lane_programs, traced
from surefoot.problem.objective import objective_of
from surefoot.problem.programs import Program


def waves(x):
    return jnp.sum(jnp.sin(x) * x**2) + jnp.prod(jnp.cos(x))


@pytest.mark.parametrize("n", [1, 2, 4, 5, 60])
@pytest.mark.parametrize("lanes", [0, 100])
def test_values_gradients_and_hessians_of_many_points_are_those_of_each(n, lanes):
    X = np.random.default_rng(n).standard_normal((37, n))
    many, _ = objective_of(waves, np.ones(n), lanes=lanes)
    alone, _ = objective_of(waves, np.ones(n))
    values, gradients = many.lanes(X)
    few = many.sees(X[:5])
    hessians = many.hessians(X[:9])
    for k in range(9):
        value, gradient, hessian = alone.look(X[k])
        assert values[k] == pytest.approx(value, rel=1e-12, abs=1e-12)
        np.testing.assert_allclose(gradients[k], gradient, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(hessians[k], hessian, rtol=1e-11, atol=1e-11)
        assert np.array_equal(hessians[k], hessians[k].T)
    np.testing.assert_allclose(few[0], values[:5], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(few[1], gradients[:5], rtol=1e-11, atol=1e-11)
    assert many.hessians(X[:0]).shape == (0, n, n) and many.lanes(X[:0])[1].shape == (0, n)


def test_for_few_variables_one_program_serves_lanes_and_single_points():
    objective, _ = objective_of(lambda x: jnp.sum(x**4) * 1.37, np.ones(2), lanes=300)
    objective.lanes(np.ones((300, 2)))
    objective.lanes(np.ones((17, 2)))
    objective.hessians(np.ones((121, 2)))
    assert objective.look(np.full(2, 2.0))[2].tolist() == [[48 * 1.37, 0.0], [0.0, 48 * 1.37]]
    assert objective.counts.compilations == 1


def test_single_points_get_a_program_of_their_own_once_they_have_paid_for_it(monkeypatch):
    monkeypatch.setattr(traced, "COMPILING", 1e-4)
    objective, _ = objective_of(lambda x: jnp.sum(x**4) * 1.38, np.ones(2), lanes=300)
    for k in range(200):
        assert objective.value(np.array([k, 1.0])) == pytest.approx(1.38 * (k**4 + 1.0))
    assert "look" in objective._programs and objective.counts.compilations >= 2


def test_more_lanes_than_a_program_has_go_in_several_calls(monkeypatch):
    monkeypatch.setattr(lane_programs, "MOST", 512)
    X = np.random.default_rng(0).standard_normal((1300, 3))
    objective, _ = objective_of(lambda x: jnp.sum(x**2) * 1.39, np.ones(3), lanes=1300)
    before = objective.counts.compilations
    np.testing.assert_allclose(objective.lanes(X)[0], 1.39 * np.sum(X**2, axis=1))
    np.testing.assert_allclose(objective.hessians(X), np.broadcast_to(2.78 * np.eye(3), (1300, 3, 3)))
    assert objective.counts.compilations <= before + 1


def test_what_cannot_be_differentiated_twice_has_lanes_all_the_same():
    import jax

    @jax.custom_vjp
    def square(x):
        return x * x

    def backward(x, g):
        return (2 * g * jax.pure_callback(lambda a: a, x, x, vmap_method="sequential"),)

    square.defvjp(lambda x: (x * x, x), backward)
    objective, _ = objective_of(lambda x: jnp.sum(square(x)), np.ones(2), lanes=40)
    assert not objective.exact_curvature
    values, gradients = objective.lanes(np.array([[1.0, 2.0]] * 40))
    assert values[0] == 5.0 and gradients[39].tolist() == [2.0, 4.0]


def test_a_program_compiled_beside_other_work_is_the_same():
    program = Program(lambda x: x**2 + 1.125, (np.ones(3),), None, beside=True)
    assert program.compiled and program(np.arange(3.0)).tolist() == [1.125, 2.125, 5.125]
    assert program(np.arange(3.0)).tolist() == [1.125, 2.125, 5.125]


def test_what_cannot_be_traced_is_said_at_once_also_beside_other_work():
    with pytest.raises(Exception, match="float"):
        Program(lambda x: float(x[0]), (np.ones(3),), None, beside=True)
