"""Signs of curvature from balls: what is claimed holds for exact members of the ball; nothing is claimed too boldly."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from surefoot.proof.ball_matrix import Ball, krawczyk_reach, signs_of
from surefoot.proof.exact_signs import exact_inertia


def matrices(largest=5):
    return st.builds(
        lambda n, seed, spread: _random(n, seed, spread),
        st.integers(1, largest), st.integers(0, 10**6), st.sampled_from([0.0, 3.0, 8.0, 14.0]),
    )  # fmt: skip


def _random(n, seed, spread):
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    values = 10.0 ** rng.uniform(-spread, 0.0, n) * rng.choice([-1.0, 1.0], n)
    H = (Q * values) @ Q.T
    return 0.5 * (H + H.T)


@given(matrices(), st.floats(0, 1e-3), st.integers(0, 10**6))
def test_signs_hold_for_exact_members_of_the_ball(H, radius, seed):
    rad = np.full_like(H, radius * np.max(np.abs(H)))
    found = signs_of(Ball(H, rad))
    if found is None:
        return
    rng = np.random.default_rng(seed)
    for _ in range(3):
        shift = rng.choice([-1.0, 1.0], H.shape)
        member = H + np.where(np.abs(np.triu(shift)) + 0 * H > 0, np.triu(shift) + np.triu(shift, 1).T, 0) * rad * 0.999
        exact = exact_inertia(0.5 * (member + member.T))
        assert exact.negative == found.negative and exact.zero == 0
        assert found.least <= np.min(np.abs(np.linalg.eigvalsh(member))) + 1e-12 * np.max(np.abs(member))


@given(matrices())
def test_signs_of_well_conditioned_matrices_are_found(H):
    values = np.linalg.eigvalsh(H)
    if np.max(np.abs(values)) < 1e10 * np.min(np.abs(values)):
        assert signs_of(Ball.exactly(H)).negative == np.sum(values < 0)


@pytest.mark.parametrize("n", [2, 5, 9])
def test_a_singular_matrix_has_no_signs(n):
    B = np.random.default_rng(n).integers(-3, 4, (n, n - 1)).astype(float)
    assert signs_of(Ball.exactly(B @ B.T)) is None
    assert signs_of(Ball.exactly(np.zeros((n, n)))) is None


def test_a_radius_that_reaches_a_singular_matrix_is_refused():
    H = np.array([[1.0, 0.5], [0.5, 1.0]])
    assert signs_of(Ball(H, np.full((2, 2), 0.1))) is not None
    assert signs_of(Ball(H, np.full((2, 2), 0.25))) is None
    for bad in (np.nan, np.inf):
        assert signs_of(Ball(H, np.full((2, 2), bad))) is None


def test_a_diagonal_that_is_nearly_zero_is_no_unit():
    for small in (1e-18, -1e-300, 0.0):
        assert signs_of(Ball.exactly(np.array([[small, 2.0], [2.0, 0.0]]))).negative == 1


@pytest.mark.parametrize("units", [[1e8, 1.0, 1e-8], [1e-150, 1.0, 1e150], [1e150, 1e150, 1e150]])
def test_units_of_the_variables_do_not_matter(units):
    H = np.array([[2.0, 1.0, 0.0], [1.0, -2.0, 1.0], [0.0, 1.0, 2.0]])
    scaled = H * np.array(units)[:, None] * np.array(units)
    assert signs_of(Ball.exactly(scaled)).negative == 1


def test_near_singular_curvature_is_resolved_to_the_last_digits():
    rotated = np.array([[1.0, 1.0], [1.0, 1.0 + 2e-12]])
    assert signs_of(Ball.exactly(rotated)).negative == 0
    assert signs_of(Ball.exactly(rotated - np.diag([0.0, 4e-12]))).negative == 1


@given(st.integers(1, 12), st.integers(0, 10**6))
def test_products_hold_the_exact_ones(n, seed):
    rng = np.random.default_rng(seed)
    A, B = (rng.standard_normal((n, n)) * 10.0 ** rng.integers(-200, 100) for _ in range(2))
    product = Ball.exactly(A) @ Ball.exactly(B)
    i, j = rng.integers(0, n, 2)
    exact = sum(Fraction(A[i, k]) * Fraction(B[k, j]) for k in range(n))
    assert abs(exact - Fraction(product.mid[i, j])) <= Fraction(product.rad[i, j])


@example(4.298154991204192e-308, 4.298154991204192e-308)
@example(5e-324, 5e-324)
@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_a_ball_between_two_ends_reaches_both(one, other):
    low, high = sorted((one, other))
    ball = Ball.between(np.array([low]), np.array([high]))
    mid, rad = Fraction(ball.mid[0]), Fraction(ball.rad[0]) if np.isfinite(ball.rad[0]) else None
    assert rad is None or (mid - rad <= Fraction(low) and Fraction(high) <= mid + rad)


def test_krawczyk_reaches_the_root_of_a_linear_gradient():
    H, root = np.array([[3.0, 1.0], [1.0, -2.0]]), np.array([0.1, -0.2])
    reach = krawczyk_reach(np.linalg.inv(H), Ball.exactly(-H @ root), Ball(H, np.full((2, 2), 1e-3)), np.ones(2))
    assert np.all(reach >= np.abs(root)) and np.all(reach < np.abs(root) + 2e-3)


def test_krawczyk_pays_for_what_the_hessian_may_be():
    reach = krawczyk_reach(
        np.array([[0.5]]), Ball.exactly(np.array([0.2])), Ball(np.array([[2.0]]), np.array([[0.5]])), np.ones(1)
    )
    assert 0.35 <= reach[0] < 0.35 + 1e-12
