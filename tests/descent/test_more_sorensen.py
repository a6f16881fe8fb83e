"""The lowest point of a quadratic within a radius: optimality conditions, brute force, and the hard case."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from surefoot.descent.models import DenseModel, ProductModel
from surefoot.descent.more_sorensen import NEARLY, Factors, Spectrum


def quadratic(n, seed, lowest, highest, missing=0):
    """g and H with eigenvalues between two bounds; g has nothing along the ``missing`` lowest eigenvectors."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((n, n)))[0]
    values = np.sort(rng.uniform(lowest, highest, n))
    values[0] = lowest
    along = rng.standard_normal(n)
    along[:missing] = 0
    H = (basis * values) @ basis.T
    return basis @ along, (H + H.T) / 2


def value(g, H, p):
    return g @ p + p @ H @ p / 2


def brute_force(g, H, radius, seed):
    """The lowest of many descents projected on the ball."""
    rng = np.random.default_rng(seed)
    P = rng.standard_normal((400, len(g)))
    P *= radius * rng.uniform(0, 1, (400, 1)) / np.linalg.norm(P, axis=1, keepdims=True)
    rate = 1 / np.linalg.norm(H, 2) if np.any(H) else radius / np.linalg.norm(g)
    for _ in range(3000):
        P = P - rate * (g + P @ H)
        size = np.linalg.norm(P, axis=1, keepdims=True)
        P = np.where(size > radius, P * (radius / np.maximum(size, 1e-300)), P)
    return min(value(g, H, p) for p in P)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 12), st.integers(0, 2**32 - 1), st.floats(-5, 5), st.floats(1e-3, 50),
    st.sampled_from([0, 0, 1]),
)  # fmt: skip
@pytest.mark.parametrize("solver", [Spectrum, Factors])
def test_no_point_of_the_ball_is_lower(solver, n, seed, lowest, radius, missing):
    g, H = quadratic(n, seed, lowest, 6.0, min(missing, n - 1))
    p = solver(g, H).within(radius)
    size = np.linalg.norm(p)
    assert size <= radius * (1 + 1e-12)
    found, best = value(g, H, p), exact(g, H, radius)
    # Factors stop within 5 % of the radius, which costs at most twice that share of the decrease.
    assert found <= (1 - (1e-6 if solver is Spectrum else 2.2 * NEARLY)) * best + 1e-9


def exact(g, H, radius):
    """The lowest value, by bisection on the shift in the coordinates of the eigenvectors."""
    values, vectors = np.linalg.eigh(H)
    along = vectors.T @ g

    def length(shift):
        with np.errstate(all="ignore"):
            return np.linalg.norm(np.where(along == 0, 0.0, along / (values + shift)))

    low = max(0.0, -values[0])
    if values[0] > 0 and length(0.0) <= radius:
        return value(g, H, -vectors @ (along / values))
    high = low + np.linalg.norm(g) / radius + 1
    along = np.where(np.abs(along) < 1e-13, 0.0, along)
    if length(low + 1e-14) < radius:  # hard case
        inner = np.where(along == 0, 0.0, -along / np.maximum(values + low, 1e-300))
        inner[0] = np.sqrt(max(radius**2 - inner @ inner, 0.0))
        return value(g, H, vectors @ inner)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if length(middle) > radius else (low, middle)
    return value(g, H, -vectors @ (along / (values + high)))


@pytest.mark.parametrize("seed", range(6))
def test_the_oracle_itself_agrees_with_brute_force(seed):
    g, H = quadratic(4, seed, -2.0, 3.0, seed % 2)
    for radius in (0.1, 1.0, 10.0):
        assert exact(g, H, radius) == pytest.approx(brute_force(g, H, radius, seed), rel=1e-6)


@pytest.mark.parametrize("solver", [Spectrum, Factors])
@pytest.mark.parametrize("n", [2, 5, 40, 150])
def test_the_hard_case_goes_to_the_radius_along_the_lowest_curvature(solver, n):
    g, H = quadratic(n, n, -1.0, 4.0, missing=1)
    radius = 10 * np.linalg.norm(g)
    p = solver(g, H).within(radius)
    assert np.linalg.norm(p) == pytest.approx(radius, rel=NEARLY)
    assert value(g, H, p) <= 0.9 * exact(g, H, radius)


@pytest.mark.parametrize("solver", [Spectrum, Factors])
@pytest.mark.parametrize("n", [1, 3, 120])
def test_from_a_stationary_point_with_negative_curvature_it_moves(solver, n):
    H = np.diag(np.linspace(-2.0, 5.0, n)) if n > 1 else np.array([[-2.0]])
    p = solver(np.zeros(n), H).within(3.0)
    assert np.linalg.norm(p) == pytest.approx(3.0, rel=NEARLY)
    assert value(np.zeros(n), H, p) == pytest.approx(-9.0, rel=0.1)


@pytest.mark.parametrize("solver", [Spectrum, Factors])
def test_without_curvature_it_goes_straight_to_the_radius(solver):
    p = solver(np.array([3.0, 4.0]), np.zeros((2, 2))).within(5.0)
    assert p == pytest.approx([-3.0, -4.0], rel=NEARLY)


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 30), st.integers(0, 2**32 - 1), st.floats(-3, 3), st.floats(0.01, 100))
def test_products_find_what_the_matrix_finds(n, seed, lowest, radius):
    g, H = quadratic(n, seed, lowest, 4.0)
    dense = DenseModel(g, H).within(radius)
    model = ProductModel(g, lambda v: H @ v, 1e-12)
    p, decrease = model.within(radius)
    assert np.linalg.norm(p) <= radius * (1 + 1e-9)
    assert decrease == pytest.approx(-value(g, H, p), rel=1e-7, abs=1e-12)
    assert decrease == pytest.approx(dense[1], rel=1e-6)
    # A smaller radius asks for no further product.
    before = model.products
    smaller = model.within(radius / 3)
    assert model.products == before
    assert smaller[1] == pytest.approx(DenseModel(g, H).within(radius / 3)[1], rel=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 10), st.integers(0, 2**32 - 1), st.floats(-3, 3), st.floats(0.01, 100))
def test_a_scaled_ball_is_a_ball_in_scaled_variables(n, seed, lowest, radius):
    g, H = quadratic(n, seed, lowest, 4.0)
    scale = 2.0 ** np.random.default_rng(seed).integers(-8, 8, n)
    plain, scaled = DenseModel(g, H), DenseModel(g * scale, H * np.outer(scale, scale), scale)
    assume(np.all(np.isfinite(scale)))
    p, decrease = plain.within(radius)
    q, other = scaled.within(radius)
    # Powers of two round nothing, so the same numbers come out.
    assert np.array_equal(q * scale, p) and other == pytest.approx(decrease, rel=1e-12)
    assert scaled.length(q) == plain.length(p)


@pytest.mark.parametrize("solver", [Spectrum, Factors])
@pytest.mark.parametrize("unit", [2.0**-600, 2.0**600])
def test_gradients_whose_squares_leave_the_doubles(solver, unit):
    g, H = quadratic(5, 3, -1.0, 4.0)
    p, scaled = solver(g, H).within(2.0), solver(g * unit, H).within(2.0 * unit)
    assert scaled / unit == pytest.approx(p, rel=1e-9)
