"""Directions that learn from step to step: conjugate gradients and quasi-Newton."""

import time
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grounds import ROSENBROCK, Formula, double_well, log_sum_exp, quadratic, rosenbrock
from surefoot.descent.conjugate import BETAS, NonlinearConjugateGradients
from surefoot.descent.exact_step import ExactStep
from surefoot.descent.ground import Here
from surefoot.descent.hager_zhang import HagerZhang
from surefoot.descent.line_search import Armijo, StrongWolfe
from surefoot.descent.loop import Budget, walk
from surefoot.descent.quasi_newton import BFGS, LBFGS
from surefoot.descent.ray import Taken
from surefoot.descent.stop import ENDS

EVERY = list(BETAS)


def random_bowl(n, condition, seed):
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    return quadratic((Q * np.geomspace(1, condition, n)) @ Q.T, rng.standard_normal(n)), rng.standard_normal(n)


@pytest.mark.parametrize("beta", EVERY)
@settings(deadline=None, max_examples=25)
@given(st.integers(2, 8), st.floats(1.5, 30), st.integers(0, 2**32 - 1))
def test_on_a_bowl_with_exact_steps_every_beta_ends_after_n_steps(beta, n, condition, seed):
    ground, start = random_bowl(n, condition, seed)
    walked = walk(ground, NonlinearConjugateGradients.named(beta), ExactStep(), start=start, budget=Budget(n))
    first = float(ground._value(start))
    assert walked.here.value <= 1e-9 * first


def test_on_a_bowl_with_exact_steps_all_betas_are_one():
    ground, start = random_bowl(6, 10.0, 5)
    walks = [
        walk(ground, NonlinearConjugateGradients.named(beta), ExactStep(), start=start, budget=Budget(5))
        for beta in EVERY
    ]
    for walked in walks[1:]:
        assert walked.trace.steps().points() == pytest.approx(walks[0].trace.steps().points(), abs=1e-7)


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_hager_zhang_points_downhill_whatever_the_last_step_was(n, seed):
    """``g'p <= -7/8 |g|^2`` after any step downhill, exact or not, along curvature of either sign."""
    rng = np.random.default_rng(seed)
    x, g, last_g, p = rng.standard_normal((4, n)) * 10.0 ** rng.uniform(-6, 6, (4, 1))
    p = p if float(last_g @ p) < 0 else -p
    origin, here = Here(x, 1.0, last_g), Here(x + p, 0.5, g)
    way = NonlinearConjugateGradients().choose(None, here, Taken(origin, 1.0, p, 1.0, g - last_g, 1.0, here))
    assert float(way.vector @ g) <= -(7 / 8) * float(g @ g) * (1 - 1e-6)


@pytest.mark.parametrize("make", [*(lambda b=b: NonlinearConjugateGradients.named(b) for b in EVERY), BFGS, LBFGS])
def test_what_was_learnt_is_forgotten_once(make):
    direction, ground = make(), rosenbrock()
    walked = walk(ground, direction, HagerZhang(flattening=0.1), start=np.array([-1.2, 1.0]), budget=Budget(1))
    there = ground.see(walked.x)
    last = Taken(ground.see(np.array([-1.2, 1.0])), 24.2, walked.x - [-1.2, 1.0], 1.0,
                 there.gradient - ground._gradient(np.array([-1.2, 1.0])), 1.0, there)  # fmt: skip
    direction.choose(ground, there, last)
    learnt = direction.forget()
    assert not direction.forget()
    assert np.array_equal(direction.choose(ground, there, None).vector, -there.gradient)
    assert learnt or isinstance(direction, NonlinearConjugateGradients)


def test_bfgs_is_the_formula_of_the_book():
    """H after each step against ``(I - rho s y') H (I - rho y s') + rho s s'`` written out; it stays symmetric."""
    direction, ground = BFGS(), rosenbrock(4)
    start = np.array([-1.2, 1.0, 0.5, 2.0])
    walked = walk(ground, direction, StrongWolfe(), start=start, budget=Budget(12))
    points = walked.trace.steps().points()
    gradients = np.array([ground._gradient(x) for x in points])
    s, y = np.diff(points, axis=0), np.diff(gradients, axis=0)
    H = float(s[0] @ y[0]) / float(y[0] @ y[0]) * np.eye(4)
    for k in range(len(s) - 1):  # the last step is not learnt from before another direction is asked for
        rho = 1 / float(s[k] @ y[k])
        left = np.eye(4) - rho * np.outer(s[k], y[k])
        H = left @ H @ left.T + rho * np.outer(s[k], s[k])
    assert direction._inverse == pytest.approx(H, rel=1e-6, abs=1e-9)
    assert np.array_equal(direction._inverse, direction._inverse.T)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 7), st.integers(0, 2**32 - 1))
def test_lbfgs_that_forgets_nothing_is_bfgs_begun_from_the_newest_scaling(n, seed):
    ground, start = random_bowl(n, 20.0, seed)
    direction = LBFGS(50)
    walked = walk(ground, direction, StrongWolfe(), start=start, budget=Budget(n))
    pairs = list(direction._pairs)
    H = direction._first * np.eye(n)
    for s, y, bent in pairs:
        left = np.eye(n) - np.outer(s, y) / bent
        H = left @ H @ left.T + np.outer(s, s) / bent
    q = np.random.default_rng(seed).standard_normal(n)
    assert direction._two_loops(q) == pytest.approx(H @ q, rel=1e-8, abs=1e-10)
    assert walked.steps > 0


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([log_sum_exp, lambda: rosenbrock(3)]), st.integers(0, 2**32 - 1), st.floats(1.0, 30.0))
def test_bfgs_does_not_see_an_affine_change_of_variables(make, seed, condition):
    """From an inverse Hessian that is changed along, the same points come, up to rounding that grows with the steps."""
    rng = np.random.default_rng(seed)
    plain = make()
    left, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    right, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    T = (left * np.geomspace(1, condition, 3)) @ right
    shift, start = rng.standard_normal(3), rng.uniform(-1, 1, 3)
    moved = Formula(3, lambda z: plain._value(T @ z + shift), lambda z: T.T @ plain._gradient(T @ z + shift))
    inverse = np.linalg.inv(T)
    one, other = BFGS(), BFGS()
    one._inverse, other._inverse = 0.1 * np.eye(3), 0.1 * inverse @ inverse.T
    first = walk(plain, one, StrongWolfe(), start=start, budget=Budget(6))
    second = walk(moved, other, StrongWolfe(), start=inverse @ (start - shift), budget=Budget(6))
    points, mapped = first.trace.points(), second.trace.points() @ T.T + shift
    both = min(len(points), len(mapped), 7)
    assert mapped[:both] == pytest.approx(points[:both], rel=1e-6, abs=1e-6 * (1 + np.abs(points[:both]).max()))


@pytest.mark.parametrize("make", [BFGS, LBFGS])
@pytest.mark.parametrize("step", [Armijo(), HagerZhang(), StrongWolfe()], ids=lambda step: step.name)
def test_negative_curvature_leaves_no_indefinite_matrix(make, step):
    direction, ground = make(), double_well()
    walked = walk(ground, direction, step, start=np.array([0.05, -0.4]), budget=Budget(200))
    assert walked.stop.reason in ENDS and abs(abs(walked.x[0]) - 1) < 1e-7
    if isinstance(direction, BFGS):
        assert np.linalg.eigvalsh(direction._inverse)[0] > 0


@pytest.mark.parametrize("make", [BFGS, LBFGS])
def test_a_floor_of_rounding_is_arrived_at_where_scipy_loses_precision(make):
    """With a constant of 1e6 added, values near the minimum are equal: slopes still lead to the noise floor."""
    plain = rosenbrock()
    ground = Formula(2, lambda x: 1e6 + plain._value(x), plain._gradient, plain._hessian)
    walked = walk(ground, make(), HagerZhang(), start=np.array([-1.2, 1.0]), budget=Budget(300))
    assert walked.x == pytest.approx([1.0, 1.0], abs=1e-10)


def test_fewer_evaluations_than_scipy_on_rosenbrock_to_the_same_gradient():
    from scipy.optimize import minimize

    ground = rosenbrock()
    for make, name, most in ((BFGS, "BFGS", 1.3), (LBFGS, "L-BFGS-B", 1.4), (NonlinearConjugateGradients, "CG", 1.4)):
        found = minimize(ground._value, ROSENBROCK.start, jac=ground._gradient, method=name, tol=1e-8)
        step = HagerZhang(flattening=0.4 if name == "CG" else 0.9)
        walked = walk(ground, make(), step, start=np.array(ROSENBROCK.start), tolerance=1e-8 / 232)
        assert walked.here.value <= 1e-14 and walked.passes <= most * found.nfev, (name, walked.passes, found.nfev)


@pytest.mark.alone
def test_an_iteration_costs_less_beside_f_than_scipys():
    from scipy.optimize import minimize

    curvatures, start = np.geomspace(1, 1e6, 10), np.ones(10)

    def value_and_gradient(x):
        g = curvatures * x
        return 0.5 * float(x @ g), g

    class Plain(Formula):
        def see(self, x):
            self.passes += 1
            return Here(x, *value_and_gradient(x))

    def ours():
        ground = Plain(10, lambda x: value_and_gradient(x)[0], lambda x: curvatures * x)
        return walk(ground, BFGS(), HagerZhang(), start=start, budget=Budget(20)).steps

    def theirs():
        return minimize(value_and_gradient, start, jac=True, method="BFGS", options={"maxiter": 20, "gtol": 0.0}).nit

    best = {}
    for run in (ours, theirs):
        times = []
        for _ in range(30):
            began = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                steps = run()
            times.append((time.perf_counter() - began) / steps)
        best[run] = min(times)
    assert best[ours] < best[theirs], best
