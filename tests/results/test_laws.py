"""The laws of minimising as a person meets them: units, rotations, shifts and the order of variables change nothing.

    F(y) = a f(A y + b) + c,    F is least at y with A y + b = x,    a > 0, A invertible

And the two facts about steepest descent that every book proves: exact steps are perpendicular, and from the worst
start each step leaves ((k - 1) / (k + 1))^2 of f.
"""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import surefoot as sf

SEEDS = st.integers(0, 2**32 - 1)
LAWS = settings(max_examples=8, deadline=None)
SIZE = 3
ONE, NONE = np.eye(SIZE), np.zeros(SIZE)
TARGET = np.array([0.7, -1.1, 0.4])


def smooth(x):
    """Convex, not quadratic, and least at ``TARGET`` alone."""
    move = x - TARGET
    return jnp.sum(jnp.cosh(move)) + 3 * (move[0] + 2 * move[1] - move[2]) ** 2 + move[1] ** 4


def valley(x):
    """Rosenbrock's in three variables: curved, not convex, with one minimum at (1, 1, 1)."""
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def moved_smooth(y, A, b, a, c):
    return a * smooth(A @ y + b) + c


def moved_valley(y, A, b, a, c):
    return a * valley(A @ y + b) + c


CASES = {"smooth": (moved_smooth, TARGET), "valley": (moved_valley, np.ones(SIZE))}


def random_map(seed, spread=10.0):
    """An invertible matrix of moderate condition, and a shift."""
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.standard_normal((SIZE, SIZE)))[0] for _ in range(2))
    return left * np.exp(rng.uniform(-0.5, 0.5, SIZE) * np.log(spread)) @ right, rng.uniform(-2, 2, SIZE)


def rotation(seed):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((SIZE, SIZE)))[0]


def go(case, method, start, A=ONE, b=NONE, a=1.0, c=0.0, **more):
    """Minimise ``a f(A y + b) + c`` from the point that is ``start`` before the change; back in the old variables."""
    f, _ = CASES[case]
    result = sf.minimize(f, np.linalg.solve(A, start - b), args=(A, b, a, c), method=method, **more)
    return result, A @ result.flat + b


def start_of(seed):
    return np.random.default_rng([seed, 1]).uniform(-2, 2, SIZE)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("method", ["auto", "newton", "trust-newton", "bfgs", "l-bfgs"])
@LAWS
@given(SEEDS)
def test_an_affine_change_of_variables_changes_neither_verdict_nor_minimum(method, case, seed):
    A, b = random_map(seed)
    plain, x = go(case, method, start_of(seed))
    moved, back = go(case, method, start_of(seed), A, b)
    assert plain.judged.verdict is moved.judged.verdict is sf.Verdict.STRICT_LOCAL_MINIMUM
    assert x == pytest.approx(CASES[case][1], abs=1e-9)
    assert back == pytest.approx(x, abs=1e-9)


@LAWS
@given(SEEDS)
def test_newtons_every_step_is_the_same_in_other_variables(seed):
    """On a convex function his direction is a point of the space, whatever its coordinates."""
    A, b = random_map(seed, 100.0)
    plain, _ = go("smooth", "newton", start_of(seed))
    moved, _ = go("smooth", "newton", start_of(seed), A, b)
    one, other = plain.trace.steps(), moved.trace.steps()
    count = min(len(one), len(other)) - 2  # the last two are rounding
    assume(count >= 3)
    assert one["x"][:count] == pytest.approx(other["x"][:count] @ A.T + b, abs=1e-7)


@pytest.mark.parametrize("method", ["steepest", "cg", "cg-pr", "bfgs", "l-bfgs"])
@LAWS
@given(SEEDS)
def test_a_rotation_turns_the_path_and_nothing_else(method, seed):
    """With exact steps: the searches begin at a length that looks at the largest coordinate."""
    Q = rotation(seed)
    plain, _ = go("smooth", method, start_of(seed), steps="exact", max_steps=5)
    turned, _ = go("smooth", method, start_of(seed), Q, steps="exact", max_steps=5)
    one, other = plain.trace.steps(), turned.trace.steps()
    count = min(len(one), len(other))
    assert count == 6 or "NOISE" in (plain.stop.reason.name, turned.stop.reason.name)  # one arrives a step before
    assert one["x"][:count] == pytest.approx(other["x"][:count] @ Q.T, abs=1e-4)
    assert one["value"][:count] == pytest.approx(other["value"][:count], rel=1e-6)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("method", ["auto", "bfgs", "cg", "newton", "nelder-mead"])
@LAWS
@given(SEEDS, st.integers(-60, 60), st.floats(-1e3, 1e3))
def test_units_of_f_and_a_constant_change_neither_verdict_nor_minimum(method, case, seed, power, constant):
    """A constant hides digits of f: x comes out to half of what is left, where only values lead."""
    scale = 2.0**power
    scaled, x = go(case, method, start_of(seed), a=scale)
    shifted, y = go(case, method, start_of(seed), c=constant)
    assert scaled.judged.verdict is sf.Verdict.STRICT_LOCAL_MINIMUM
    assert x == pytest.approx(CASES[case][1], abs=1e-9 if method != "nelder-mead" else 1e-6)
    if method != "nelder-mead":
        assert shifted.judged.verdict is sf.Verdict.STRICT_LOCAL_MINIMUM
    assert y == pytest.approx(CASES[case][1], abs=1e-7 if method != "nelder-mead" else 1e-4)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("method", ["auto", "bfgs", "cg", "newton", "trust-newton", "steepest", "nelder-mead"])
@LAWS
@given(SEEDS)
def test_the_order_of_variables_changes_nothing(method, case, seed):
    order = np.random.default_rng(seed).permutation(SIZE)
    P = np.eye(SIZE)[order]
    plain, x = go(case, method, start_of(seed), max_steps=40)
    turned, y = go(case, method, start_of(seed), P, max_steps=40)
    if method != "nelder-mead":  # its simplex has corners along the axes, in their order
        early = min(3, len(plain.trace.steps()), len(turned.trace.steps()))
        assert plain.trace.steps()["value"][:early] == pytest.approx(turned.trace.steps()["value"][:early], rel=1e-6)
    if {plain.stop.reason.name, turned.stop.reason.name} == {"NOISE"}:
        assert y == pytest.approx(x, abs=1e-8)
        assert plain.verdict is turned.verdict


def bowl(x, H):
    return 0.5 * x @ H @ x


@pytest.mark.parametrize("size", [2, 3, 6])
@LAWS
@given(seed=SEEDS, condition=st.floats(1.5, 1e4))
def test_exact_steps_are_perpendicular(size, seed, condition):
    """To 1e-6, for as long as the gradient is more than rounding."""
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((size, size)))[0]
    H = Q * np.geomspace(1, condition, size) @ Q.T
    result = sf.minimize(bowl, rng.standard_normal(size), args=((H + H.T) / 2,), method="steepest", steps="exact",
                         max_steps=60)  # fmt: skip
    steps = result.trace.steps()
    clear = steps["steepness"][1:-1] > 1e-7 * steps["steepness"][0]
    assert np.cos(np.radians(steps["angle"][2:][clear])) == pytest.approx(0, abs=1e-6)
    path = np.diff(steps["x"], axis=0)
    path /= np.linalg.norm(path, axis=1, keepdims=True)
    turns = np.sum(path[1:] * path[:-1], axis=1)
    assert turns[clear] == pytest.approx(0, abs=1e-6)


@LAWS
@given(seed=SEEDS, condition=st.floats(1.2, 1e6))
def test_from_the_worst_start_each_step_leaves_the_share_of_theory(seed, condition):
    """Akaike's worst case: (k, 1) in the axes of x^2 + k y^2, whatever way these point."""
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi)
    Q = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    H = Q * [1.0, condition] @ Q.T
    result = sf.minimize(bowl, Q @ [condition, 1.0], args=((H + H.T) / 2,), method="steepest", steps="exact",
                         max_steps=25)  # fmt: skip
    value = result.trace.steps()["value"]
    value = value[value > 1e-18 * value[0]]
    share = ((condition - 1) / (condition + 1)) ** 2
    assert len(value) >= 3
    assert value[1:] / value[:-1] == pytest.approx(share, rel=1e-6, abs=1e-12)


def test_and_the_picture_shows_that_line():
    """The theory in the picture is the same number, for a walk that lives up to it."""
    from surefoot.results.picture import gather

    result = sf.minimize("x^2 + 100*y^2", {"x": 100, "y": 1}, method="steepest", steps="exact")
    profile = gather(result).tracks[0].profile
    assert profile.law == "theory: ((k − 1)/(k + 1))² a step"
    fall = profile.gap[1:20] / profile.gap[:19]
    assert profile.theory is not None
    assert profile.theory[1:20] / profile.theory[:19] == pytest.approx((99 / 101) ** 2)
    assert fall == pytest.approx((99 / 101) ** 2, rel=1e-6)
