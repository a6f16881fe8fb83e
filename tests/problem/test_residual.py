"""Residual functions: Jacobians against JAX's own, against exact ones, sparse against dense, NumPy against JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.sparse import csc_matrix

from surefoot.errors import ModelError
from surefoot.problem.losses import loss_of
from surefoot.problem.residual import residuals_of

T = np.linspace(0, 2, 9)


def decay(x):
    return x[0] * jnp.exp(-x[1] * T) - 1


def chain(x):
    return jnp.concatenate([10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1]])


def truth(f, x):
    with jax.enable_x64(True):
        return np.asarray(jax.jacfwd(f)(jnp.asarray(x)))


def test_residual_and_jacobian_are_those_of_jax():
    residuals, x = residuals_of(decay, [1.0, 0.5])
    r, jacobian = residuals.see(x)
    assert (residuals.rows, residuals.size, residuals.source) == (9, 2, "JAX")
    assert r == pytest.approx(np.exp(-0.5 * T) - 1, rel=1e-15, abs=1e-15)
    assert jacobian == pytest.approx(truth(decay, x), rel=1e-14)


def test_fewer_residuals_than_variables_go_backwards():
    def f(x):
        return jnp.array([jnp.sum(x**2), jnp.prod(x)])

    residuals, x = residuals_of(f, np.arange(1.0, 8.0))
    assert residuals.see(x)[1] == pytest.approx(truth(f, x), rel=1e-14)


@pytest.mark.parametrize("n", [60, 130])
def test_many_variables_go_in_batches(n):
    weights = np.random.default_rng(0).standard_normal((n + 5, n))
    residuals, x = residuals_of(lambda x: jnp.sin(weights @ x), np.linspace(0, 1, n))
    assert not residuals.is_sparse
    assert residuals.see(x)[1] == pytest.approx(np.cos(weights @ x)[:, None] * weights, rel=1e-12, abs=1e-12)


def test_trees_go_in_and_come_out():
    residuals, x = residuals_of(
        lambda p: {"far": p["b"] ** 2, "near": [p["a"] * 2, jnp.ones(2) * p["b"]]}, {"b": 3.0, "a": 1.0}
    )
    assert residuals.names == ("b", "a")
    r, jacobian = residuals.see(x)
    assert r.tolist() == [9, 2, 3, 3]
    assert jacobian.tolist() == [[6, 0], [0, 2], [1, 0], [1, 0]]


def test_second_derivatives():
    residuals, x = residuals_of(decay, [1.3, 0.5])
    v, w = np.array([0.3, -0.7]), np.arange(9.0)
    with jax.enable_x64(True):
        whole = np.asarray(jax.hessian(decay)(jnp.asarray(x)))
    assert residuals.along(x, v) == pytest.approx(whole @ v @ v, rel=1e-13)
    assert residuals.bends(x, w) == pytest.approx(np.tensordot(w, whole, 1), rel=1e-13)
    assert residuals.bend(x, w, v) == pytest.approx(np.tensordot(w, whole, 1) @ v, rel=1e-13)


def test_a_loop_of_unknown_length_goes_forward():
    def f(x):
        return jax.lax.while_loop(lambda s: s[1] < 2.5, lambda s: (s[0] * x, s[1] + 1), (x, 0.0))[0]

    residuals, x = residuals_of(f, 2.0)
    assert residuals.see(x)[1].tolist() == [[32.0]]  # of x^4
    assert residuals.bends(x, np.ones(1)).tolist() == [[48.0]]


def test_the_same_function_again_compiles_nothing():
    def make():
        residuals, x = residuals_of(lambda x: jnp.sinh(x) * T[:3] - 0.123, [0.4, 0.1, 0.2])
        residuals.see(x)
        return residuals.counts.compilations

    first, again = make(), make()
    assert first > 0
    assert again == 0


def test_new_data_of_the_same_shape_compile_nothing():
    def make(data):
        residuals, x = residuals_of(lambda x, d: jnp.cosh(x[0] * d) - 0.321, [0.4], args=(data,))
        return residuals.see(x)[0], residuals.counts.compilations

    make(np.arange(5.0))
    r, compiled = make(np.arange(5.0) + 1)
    assert compiled == 0
    assert r == pytest.approx(np.cosh(0.4 * (np.arange(5.0) + 1)) - 0.321)


@pytest.mark.parametrize("n", [200, 1111])
def test_a_sparse_jacobian_is_found_and_exact(n):
    residuals, x = residuals_of(chain, np.linspace(-1.2, 1.0, n))
    assert residuals.is_sparse
    assert residuals.compression.count == 2
    for at in (x, x + 0.3):
        assert np.array_equal(residuals.see(at)[1].toarray(), truth(chain, at))


def hidden(x):
    return jnp.concatenate([chain(x), jnp.where(x[:1] > 5, x[0] * x[150] * x[77], x[0])])


def test_an_entry_that_appears_later_widens_the_pattern():
    residuals, _ = residuals_of(hidden, np.ones(200))
    x = np.full(200, 6.0)
    assert np.array_equal(residuals.see(x)[1].toarray(), truth(hidden, x))
    assert "missed 2 of its entries, as in residual 398" in residuals.notes[-1]


@pytest.mark.parametrize("numpy", [False, True])
def test_a_pattern_that_is_wrong_never_gives_a_wrong_jacobian(numpy):
    def f(x):
        x = np.asarray(x) if numpy else x
        return x**2 - 3 * x[::-1]

    n = 6
    residuals, x = residuals_of(f, np.arange(1.0, n + 1), jac_sparsity=np.eye(n))
    assert residuals.source == ("NumPy" if numpy else "JAX")
    right = np.diag(2 * x) - 3 * np.eye(n)[::-1]
    assert residuals.see(x)[1].toarray() == pytest.approx(right, rel=1e-7)
    assert "missed" in residuals.notes[-1]


def test_a_row_that_turns_dense_is_taken_whole():
    def f(x):
        return jnp.concatenate([chain(x), jnp.where(x[:1] > 5, jnp.sum(x**2), x[:1])])

    residuals, _ = residuals_of(f, np.ones(200))
    assert residuals.is_sparse
    x = np.full(200, 6.0) + np.arange(200) / 100
    assert residuals.see(x)[1].toarray() == pytest.approx(truth(f, x), rel=1e-12)


def test_a_pattern_that_was_given_is_used():
    n = 50
    pattern = np.vstack([np.eye(n, k=0)[:-1] + np.eye(n, k=1)[:-1], np.eye(n)[:-1]])
    residuals, x = residuals_of(chain, np.linspace(0, 1, n), jac_sparsity=csc_matrix(pattern))
    assert np.array_equal(residuals.see(x)[1].toarray(), truth(chain, x))
    with pytest.raises(ModelError, match=r"has shape \(3, 3\); the Jacobian has 98 rows"):
        residuals_of(chain, np.linspace(0, 1, n), jac_sparsity=np.eye(3))


def test_numpy_by_differences_agrees_with_jax():
    plain, x = residuals_of(lambda x: x[0] * np.exp(-float(x[1]) * T) - 1, [1.0, 0.5])
    exact, _ = residuals_of(decay, [1.0, 0.5])
    assert (plain.source, plain.exact) == ("NumPy", False)
    assert "it runs as NumPy, with the Jacobian by differences" in plain.notes[0]
    assert plain.see(x)[1] == pytest.approx(exact.see(x)[1], rel=1e-8, abs=1e-9)


def test_differences_step_to_the_side_where_the_function_ends():
    residuals, x = residuals_of(lambda x: np.sqrt(np.asarray(x)) ** 3, [0.0])
    assert abs(residuals.see(x)[1][0, 0]) < 1e-2  # x^1.5, not defined below 0


def test_noise_makes_steps_longer():
    random = np.random.default_rng(0)

    def noisy(x):
        return np.array([3 * float(x[0]), float(x[0])]) * (1 + 1e-6 * random.standard_normal(2))

    residuals, x = residuals_of(noisy, [1.0])
    assert residuals.see(x)[1].ravel() == pytest.approx([3, 1], rel=1e-3)


def test_a_jacobian_that_is_given_is_believed():
    residuals, x = residuals_of(lambda x: np.sin(x), [0.3, 0.4], jac=lambda x: np.diag([7.0, 8.0]))
    assert residuals.see(x)[1].tolist() == [[7, 0], [0, 8]]
    sparse, x = residuals_of(lambda x: np.sin(x), [0.3, 0.4], jac=lambda x: csc_matrix(np.diag([7.0, 8.0])))
    assert sparse.see(x)[1].toarray().tolist() == [[7, 0], [0, 8]]
    traced, x = residuals_of(lambda x: jnp.sin(x), [0.3, 0.4], jac=lambda x: jnp.diag(jnp.array([7.0, 8.0])))
    assert (traced.source, traced.see(x)[1].tolist()) == ("JAX", [[7, 0], [0, 8]])


@pytest.mark.parametrize("loss", ["linear", "cauchy"])
@pytest.mark.parametrize("n", [2, 70])
def test_the_objective_is_the_sum_of_losses(loss, n):
    start = np.linspace(0.2, 0.9, n)
    residuals, x = residuals_of(chain, start)
    rule = loss_of(loss, 0.7)
    objective = residuals.objective(rule)

    def total(x):
        return rule.total(chain(x), jnp)

    with jax.enable_x64(True):
        expected = [np.asarray(d(total)(jnp.asarray(x))) for d in (lambda f: f, jax.grad, jax.hessian)]
    value, gradient, hessian = objective.look(x)
    assert value == pytest.approx(float(expected[0]), rel=1e-13)
    assert gradient == pytest.approx(expected[1], rel=1e-10, abs=1e-12)
    assert hessian == pytest.approx(expected[2], rel=1e-10, abs=1e-10)


def test_nan_and_infinity_come_back_as_they_are():
    residuals, _ = residuals_of(lambda x: jnp.log(x), [1.0, 2.0])
    r, _ = residuals.see(np.array([-1.0, 0.0]))
    assert np.isnan(r[0])
    assert r[1] == -np.inf


@pytest.mark.parametrize(
    ("residual", "words"),
    [
        (lambda x: None, "did it forget `return`"),
        (lambda x: [], "no residuals"),
        (lambda x: x * 1j, "complex numbers"),
        (lambda x: "three", "residuals are real numbers"),
        (lambda x: np.array([]), "an empty array"),
        (3.0, "A residual function is needed"),
    ],
)
def test_bad_functions_are_sentences(residual, words):
    with pytest.raises(ModelError, match=words):
        residuals_of(residual, [1.0])


def test_a_jacobian_of_another_size_is_a_sentence():
    with pytest.raises(ModelError, match=r"has shape \(3, 1\); 1 residuals of 1"):
        residuals_of(lambda x: jnp.sin(x), [1.0], jac=lambda x: jnp.ones((3, 1)))
    residuals, x = residuals_of(lambda x: np.sin(x), [1.0], jac=lambda x: np.ones((3, 1)))
    with pytest.raises(ModelError, match=r"has shape \(3, 1\); 1 residuals of 1"):
        residuals.see(x)


def test_what_the_function_raises_passes_through():
    def f(x):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        residuals_of(f, [1.0])
