"""Trust-region Newton and modified Newton: saddles, maxima, singular minima, scaling, undefined regions, quadratics."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grounds import Formula
from surefoot.descent.directions import SteepestDescent
from surefoot.descent.hager_zhang import HagerZhang
from surefoot.descent.line_search import Armijo, StrongWolfe
from surefoot.descent.loop import Budget, walk
from surefoot.descent.newton import Newton
from surefoot.descent.stop import ENDS
from surefoot.descent.trust_region import TrustRegion, TrustRegionNewton, TrustRegionProducts
from surefoot.errors import ModelError

WAYS = [TrustRegionNewton, lambda: TrustRegionNewton("unscaled", scaled=False), TrustRegionProducts]


def quadratic(H, centre):
    return Formula(
        len(centre), lambda x: 0.5 * (x - centre) @ H @ (x - centre), lambda x: H @ (x - centre), lambda x: H
    )  # fmt: skip


def rosenbrock(scale=(1.0, 1.0)):
    s = np.asarray(scale)

    def value(z):
        x, y = z * s
        return 100 * (y - x * x) ** 2 + (1 - x) ** 2

    def gradient(z):
        x, y = z * s
        return s * np.array([-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)])

    def hessian(z):
        x, y = z * s
        return np.outer(s, s) * np.array([[1200 * x * x - 400 * y + 2, -400 * x], [-400 * x, 200.0]])

    return Formula(2, value, gradient, hessian)


@pytest.mark.parametrize("way", WAYS[:2])
@settings(deadline=None, max_examples=30)
@given(st.integers(1, 12), st.floats(1, 1e4), st.integers(0, 2**32 - 1))
def test_a_quadratic_is_solved_in_one_step_however_far_it_is(way, n, condition, seed):
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((n, n)))[0]
    H = (basis * np.geomspace(1, 1 / condition, n)) @ basis.T
    centre = 1e3 * rng.standard_normal(n)
    walked = walk(quadratic((H + H.T) / 2, centre), way(), TrustRegion())
    assert np.linalg.norm(walked.trace.steps()["x"][1] - centre) <= 1e-12 * condition * np.linalg.norm(centre)
    assert walked.stop.reason in ENDS and walked.steps <= 4


@pytest.mark.parametrize("way", WAYS)
def test_it_walks_down_the_valley_of_rosenbrock(way):
    walked = walk(rosenbrock(), way(), TrustRegion(), start=np.array([-1.2, 1.0]))
    assert walked.x == pytest.approx([1, 1], abs=1e-10)
    assert walked.stop.reason in ENDS and walked.passes < 70
    values = walked.trace.steps()["value"]
    assert np.all(np.diff(values) <= 0)


@settings(deadline=None, max_examples=40)
@given(st.integers(-12, 12), st.integers(-12, 12))
def test_a_scaled_region_does_not_know_the_units_of_the_variables(a, b):
    """Powers of two round nothing, so the walks are the same to the last bit."""
    scale = 2.0 ** np.array([a, b])
    start = np.array([-1.2, 1.0])
    plain = walk(rosenbrock(), TrustRegionNewton(), TrustRegion(), start=start, budget=Budget(15))
    scaled = walk(rosenbrock(scale), TrustRegionNewton(), TrustRegion(), start=start / scale, budget=Budget(15))
    assert np.array_equal(scaled.trace["value"], plain.trace["value"])
    assert np.array_equal(scaled.trace["x"] * scale, plain.trace["x"])


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(1, 100))
def test_newton_does_not_know_the_coordinates(seed, condition):
    """Of an affine change of variables, where f curves upwards: f = sum of cosh."""
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.standard_normal((3, 3)))[0] for _ in range(2))
    A = left @ np.diag(np.geomspace(1, 1 / condition, 3)) @ right

    def ground(A):
        return Formula(
            3, lambda z: np.sum(np.cosh(A @ z)), lambda z: A.T @ np.sinh(A @ z),
            lambda z: A.T @ (np.cosh(A @ z)[:, None] * A),
        )  # fmt: skip

    x = rng.uniform(-2, 2, 3)
    one, other = ground(np.eye(3)), ground(A)
    step = Newton().choose(one, one.see(x), None).vector
    there = np.linalg.solve(A, x)
    changed = Newton().choose(other, other.see(there), None).vector
    assert A @ changed == pytest.approx(step, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("way", WAYS)
def test_negative_curvature_is_used(way):
    """f = (x^2 - 1)^2 / 4 + y^2 from near the ridge x = 0, where Newton's own step leads to the saddle."""
    ground = Formula(
        2, lambda z: (z[0] ** 2 - 1) ** 2 / 4 + z[1] ** 2, lambda z: np.array([z[0] * (z[0] ** 2 - 1), 2 * z[1]]),
        lambda z: np.diag([3 * z[0] ** 2 - 1, 2.0]),
    )  # fmt: skip
    direction = way()
    walked = walk(ground, direction, TrustRegion(), start=np.array([1e-3, 1.0]))
    assert abs(walked.x[0]) == pytest.approx(1, abs=1e-9) and walked.x[1] == pytest.approx(0, abs=1e-9)
    assert not direction.convex


@pytest.mark.parametrize("step", [HagerZhang(), Armijo(), StrongWolfe()], ids=lambda step: step.name)
def test_newton_goes_down_with_any_line_search(step):
    for start in ([-1.2, 1.0], [0.0, 5.0]):
        walked = walk(rosenbrock(), Newton(), step, start=np.array(start), budget=Budget(300))
        assert walked.x == pytest.approx([1, 1], abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 130), st.integers(0, 2**32 - 1))
def test_newton_points_downhill_whatever_the_hessian(n, seed):
    rng = np.random.default_rng(seed)
    H = rng.standard_normal((n, n))
    H, g = H + H.T, rng.standard_normal(n)
    ground = Formula(n, lambda x: 0.0, lambda x: g, lambda x: H)
    assert g @ Newton().choose(ground, ground.see(np.zeros(n)), None).vector < 0


def test_indefinite_in_300_dimensions():
    """f = sum of (x_i^2 - 1)^2 / 4, each coordinate with a maximum between two minima, in turned coordinates."""
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.standard_normal((300, 300)))[0]
    scale = np.geomspace(1, 30, 300)

    def gradient(z):
        x = Q @ z
        return Q.T @ (scale * x * (x**2 - 1))

    ground = Formula(
        300, lambda z: np.sum(scale * ((Q @ z) ** 2 - 1) ** 2) / 4, gradient,
        lambda z: Q.T @ ((scale * (3 * (Q @ z) ** 2 - 1))[:, None] * Q),
    )  # fmt: skip
    start = 0.05 * rng.standard_normal(300)
    for way in (TrustRegionNewton, TrustRegionProducts):
        walked = walk(ground, way(), TrustRegion(), start=start, budget=Budget(200))
        assert np.abs(Q @ walked.x) == pytest.approx(np.ones(300), abs=1e-7), walked.stop


@pytest.mark.parametrize("way", WAYS)
def test_a_minimum_whose_hessian_vanishes_is_approached_until_nothing_is_gained(way):
    ground = Formula(
        2, lambda z: (z[0] - 1) ** 4 + (z[1] + 2) ** 2, lambda z: np.array([4 * (z[0] - 1) ** 3, 2 * (z[1] + 2)]),
        lambda z: np.diag([12 * (z[0] - 1) ** 2, 2.0]),
    )  # fmt: skip
    walked = walk(ground, way(), TrustRegion(), start=np.array([3.0, 3.0]), budget=Budget(500))
    assert walked.x == pytest.approx([1, -2], abs=1e-4)
    assert walked.stop.reason in ENDS and walked.steps < 200


@pytest.mark.parametrize("way", WAYS)
def test_it_steps_back_from_where_f_is_not_a_number(way):
    def value(z):
        return z[0] - np.log(z[0])

    ground = Formula(1, value, lambda z: 1 - 1 / z, lambda z: np.diag(1 / z**2))
    with np.errstate(all="ignore"):
        walked = walk(ground, way(), TrustRegion(), start=np.array([3.0]))
    assert walked.x == pytest.approx([1], abs=1e-12)
    assert not np.all(np.isfinite(walked.trace["value"])), "the walk never left where f is defined"
    assert any("stepped back" in row.remark for row in walked.trace.rows) or len(walked.trace) > len(
        walked.trace.steps()
    )


def test_a_hessian_that_is_not_finite_leaves_the_gradient_to_go_by():
    """f = |x|^1.5 + y^2 has no second derivative at x = 0, where it starts."""
    ground = Formula(
        2, lambda z: (z[0] - 1) ** 2 + z[1] ** 2, lambda z: 2 * (z - [1, 0]),
        lambda z: np.diag([2.0, 2.0]) if z[0] else np.full((2, 2), np.nan),
    )  # fmt: skip
    walked = walk(ground, TrustRegionNewton(), TrustRegion(), start=np.array([0.0, 1.0]))
    assert walked.x == pytest.approx([1, 0], abs=1e-10)
    assert walk(ground, Newton(), HagerZhang(), start=np.array([0.0, 1.0])).x == pytest.approx([1, 0], abs=1e-10)


def test_values_that_rounding_hides_do_not_stop_the_walk():
    """A bowl a million high: values stand still when x is right to 5 digits, slopes show the way to 13."""
    H = np.array([[2.0, 1.0], [1.0, 3.0]])
    ground = Formula(
        2, lambda x: 1e6 + x @ H @ x / 2 + np.sum(x**4), lambda x: H @ x + 4 * x**3, lambda x: H + np.diag(12 * x**2)
    )  # fmt: skip
    walked = walk(ground, TrustRegionNewton(), TrustRegion(), start=np.array([1.0, -0.7]))
    assert np.linalg.norm(walked.x) <= 1e-13


def test_a_direction_without_a_model_is_refused_in_a_sentence():
    with pytest.raises(ModelError, match="needs a direction with a quadratic model"):
        walk(rosenbrock(), SteepestDescent(), TrustRegion(), start=np.ones(2) * 2)
    with pytest.raises(ModelError, match="finite radius above 0"):
        TrustRegion(-1.0)


def test_products_stop_at_a_deadline():
    rng = np.random.default_rng(0)
    H = np.diag(np.geomspace(1, 1e8, 200))
    ground = quadratic(H, rng.standard_normal(200))
    late = TrustRegionProducts(deadline=0.0)
    late.choose(ground, ground.see(np.zeros(200)), None)
    model = late.choose(ground, ground.see(np.zeros(200)), None).model
    model.within(1e6)
    assert model.products <= 2
