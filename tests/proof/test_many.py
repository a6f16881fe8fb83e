"""Many points at once: what is said to be clear is what one hearing after the other says too, and never more."""

import jax.numpy as jnp
import numpy as np
import pytest

from surefoot.problem.objective import objective_of
from surefoot.proof.certificate import Verdict
from surefoot.proof.many import clear_minima
from surefoot.proof.points import judge_point

STRICT = Verdict.STRICT_LOCAL_MINIMUM


def himmelblau(x):
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def rastrigin(x):
    return 10 * x.size + jnp.sum(x**2 - 10 * jnp.cos(2 * jnp.pi * x))


def newton(objective, x, steps=6):
    for _ in range(steps):
        _, gradient, hessian = objective.look(x)
        x = x - np.linalg.solve(hessian, gradient)
    return x


def agrees(objective, points, **wishes):
    """Clear points, each of which has the same verdict by itself; the others are open."""
    clear = clear_minima(objective, points, **wishes)
    for x in points[clear]:
        assert judge_point(objective, x, bounds=wishes.get("bounds")).verdict is STRICT
    return clear


def test_the_minima_of_rastrigin_are_clear_and_its_saddles_and_maxima_are_not():
    objective, _ = objective_of(rastrigin, np.zeros(2))
    axis = [newton(objective, np.array([k / 2, k / 2]))[0] for k in range(-6, 7)]
    points = np.array([[a, b] for a in axis for b in axis])
    minima = np.array([[k % 2 == 0 and j % 2 == 0 for j in range(-6, 7)] for k in range(-6, 7)]).ravel()
    assert agrees(objective, points).tolist() == minima.tolist()


def test_units_of_x_and_f_and_a_shift_of_f_make_nothing_clear_that_is_not():
    """And nearly every minimum with a regular Hessian is clear, so that few need a hearing of their own."""
    found = []
    for seed in range(24):
        draw, n = np.random.default_rng(seed), 1 + seed % 3
        root = draw.normal(size=(n, n)) + 3 * np.eye(n)
        size, height, shift = 10.0 ** draw.uniform(-4, 4), 10.0 ** draw.uniform(-6, 6), draw.uniform(-8, 8)
        at, H = draw.normal(size=n), root @ root.T

        def f(x, H, size, at, height, shift):
            z = x / size - at
            return height * (z @ H @ z / 2 + jnp.sum(z**3) / 10 + shift)

        objective, _ = objective_of(f, at * size, args=(H, size, at, height, shift))
        minimum = newton(objective, at * size)
        clear = agrees(objective, np.array([minimum, minimum + 1e-3 * size]))
        assert not clear[1]
        found.append(clear[0])
    assert sum(found) >= 22


NEGATIVES = {
    "a saddle": (lambda x: x[0] ** 2 - x[1] ** 2, [0.0, 0.0]),
    "a maximum": (lambda x: -jnp.sum(x**2), [0.0, 0.0]),
    "flat to fourth order": (lambda x: x[0] ** 4 + x[1] ** 2, [0.0, 0.0]),
    "a valley": (lambda x: (x[0] + x[1] - 1) ** 2, [0.25, 0.75]),
    "a slope": (lambda x: x[0] ** 2 + x[1] ** 2, [1e-3, 0.0]),
    "a monkey saddle": (lambda x: x[0] ** 3 - 3 * x[0] * x[1] ** 2, [0.0, 0.0]),
    "a kink": (lambda x: x[0] ** 2 + jnp.abs(x[1]), [0.0, 0.0]),
    "a plateau": (lambda x: jnp.round(x[0]) + 0 * x[1], [0.1, 0.1]),
    "undefined": (lambda x: jnp.log(x[0]) + x[1] ** 2, [-1.0, 0.0]),
    "noise": (lambda x: jnp.sum(x**2) + 1e-3 * jnp.sin(1e9 * x[0] + 3e9 * x[1]), [0.0, 0.0]),
    "single precision": (lambda x: jnp.sum((x.astype(jnp.float32) - 1) ** 2).astype(jnp.float64), [1.2, 1.0]),
}


@pytest.mark.parametrize("name", NEGATIVES)
def test_what_is_no_clear_minimum_is_left_open(name):
    f, point = NEGATIVES[name]
    objective, _ = objective_of(f, np.ones(2))
    around = np.array(point) * (1 + 2.0**-52 * np.arange(-2, 3))[:, None]
    assert not np.any(clear_minima(objective, np.vstack([around, point])))


LIES = {
    "a kink that the gradient hides": (lambda x: np.abs(x[0]) + x[0] ** 2, lambda x: 2 * x, lambda x: [[2.0]]),
    "a fall that the Hessian hides": (lambda x: -(x[0] ** 2), lambda x: -2 * x, lambda x: [[2.0]]),
    "a gradient twice as long": (lambda x: x[0] ** 2, lambda x: 4 * x, lambda x: [[4.0]]),
    "a cliff beside it": (lambda x: x[0] ** 2 - (x[0] > 1e-13), lambda x: 2 * x, lambda x: [[2.0]]),
    "a gradient with a jump": (lambda x: x[0] ** 2, lambda x: 2 * x + (x > 0), lambda x: [[2.0]]),
}


@pytest.mark.parametrize("name", LIES)
def test_a_function_that_contradicts_its_derivatives_is_left_open(name):
    f, jac, hess = LIES[name]
    objective, _ = objective_of(lambda x: float(f(np.asarray(x))), np.ones(1), jac=jac, hess=hess)
    assert objective.exact_gradient and objective.exact_curvature
    assert not clear_minima(objective, np.zeros((1, 1)))[0]
    honest, _ = objective_of(
        lambda x: float(np.cosh(x[0])), np.ones(1), jac=lambda x: np.sinh(x), hess=lambda x: [np.cosh(x)]
    )
    assert clear_minima(honest, np.zeros((1, 1)))[0]


def test_points_at_bounds_are_left_open_and_nothing_beyond_them_is_asked():
    asked = []

    def f(x):
        asked.append(float(x[0]))
        return float(np.cosh(x[0] - 1))

    objective, _ = objective_of(f, np.ones(1), jac=lambda x: np.sinh(x - 1), hess=lambda x: [np.cosh(x - 1)])
    asked.clear()
    assert not clear_minima(objective, np.ones((1, 1)), bounds=(-np.inf, 1.0))[0]
    assert not clear_minima(objective, np.ones((1, 1)), bounds=(-np.inf, 1 + 1e-9))[0]
    assert max(asked) <= 1 + 1e-9
    assert clear_minima(objective, np.ones((1, 1)), bounds=(0.0, 2.0))[0]


def test_derivatives_by_differences_make_nothing_clear():
    objective, _ = objective_of(lambda x: float(np.sum(np.asarray(x) ** 2)), np.ones(2))
    assert not clear_minima(objective, np.zeros((1, 2)))[0]


def test_the_point_beside_which_values_do_not_change_is_heard_to_the_end():
    """At x = 0 the cosine is 1 for a long way: rounding of f is only seen farther off."""
    objective, _ = objective_of(rastrigin, np.zeros(2))
    assert agrees(objective, np.array([[0.0, 0.0], [newton(objective, np.ones(2))[0], 0.0]])).all()


def test_no_points_are_no_trouble():
    objective, _ = objective_of(himmelblau, np.zeros(2))
    assert clear_minima(objective, np.zeros((0, 2))).shape == (0,)
