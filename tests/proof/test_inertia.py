"""Signs of curvature against exact integer arithmetic, and by products against the matrix."""

import itertools

import numpy as np
import pytest
from flint import fmpz_mat
from hypothesis import given, settings
from hypothesis import strategies as st

from landscapes import Landscape, quadratic
from surefoot.proof.inertia import DenseCurvature, scaling
from surefoot.proof.krylov_inertia import ProductCurvature
from surefoot.proof.witness import Witness


def exact_inertia(H):
    """(negative, zero, positive) eigenvalues of an integer symmetric matrix, by Descartes' rule: every root is real."""
    n = len(H)
    coefficients = [int(c) for c in fmpz_mat([[int(v) for v in row] for row in H]).charpoly().coeffs()]
    zero = next(k for k, c in enumerate(coefficients) if c != 0)
    signs = [c > 0 for c in coefficients if c != 0]
    positive = sum(a != b for a, b in itertools.pairwise(signs))
    return n - zero - positive, zero, positive


def dense(H, x=None):
    x = np.zeros(len(H)) if x is None else x
    curvature = DenseCurvature(Witness(quadratic(H)), x, np.random.default_rng(0))
    curvature.measure()
    return curvature.inertia(np.arange(len(H)), np.zeros(len(H)))


def products(function, seed=0):
    curvature = ProductCurvature(Witness(function), np.zeros(function.size), np.random.default_rng(seed))
    curvature.measure()
    return curvature.inertia(np.arange(function.size), np.zeros(function.size))


@given(
    n=st.integers(1, 7),
    rank=st.integers(0, 7),
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from([1, 3, 50]),
    exponents=st.lists(st.integers(-10, 10), min_size=7, max_size=7)
    | st.lists(st.integers(-60, 60), min_size=7, max_size=7),
)
@settings(max_examples=300, deadline=None)
def test_the_inertia_of_integer_matrices_in_any_units(n, rank, seed, size, exponents):
    rng = np.random.default_rng(seed)
    B = rng.integers(-size, size + 1, (n, min(rank, n)))
    H = B @ np.diag(rng.choice([-1, 1], B.shape[1])) @ B.T
    units = 2.0 ** np.array(exponents[:n])
    found = dense(H * units[:, None] * units)
    negative, zero, positive = exact_inertia(H)
    if max(map(abs, exponents)) <= 10:
        assert (found.negative, found.zero, found.positive) == (negative, zero, positive)
    assert found.negative <= negative  # of very unequal units some may drown, but none is made up
    assert found.positive <= positive
    assert found.rises == (found.positive == n)
    assert found.falls == (found.negative == n)
    assert found.firm


def test_directions_are_evidence_by_themselves():
    H = np.diag([1e8, -1e-8, 0.0, 3.0])
    found = dense(H)
    assert found.down @ H @ found.down < 0 < found.up @ H @ found.up
    assert len(found.null) == 1
    np.testing.assert_array_equal(H @ found.null[0], 0)
    for direction in (found.down, found.up, found.weakest, *found.null):
        assert np.linalg.norm(direction) == pytest.approx(1)


def test_rows_of_noise_do_not_drown_the_others():
    H, noise = np.diag([1.0, -1.0, 0.0]), np.full((3, 3), 1e-14)
    H += np.random.default_rng(0).uniform(-1, 1, (3, 3)) * 1e-15
    scale = scaling((H + H.T) / 2, noise)
    assert np.linalg.norm(noise * scale[:, None] * scale) < 1e-12


def test_a_hessian_that_changes_within_reach_of_the_point_has_no_sign():
    quartic = Landscape(1, lambda x: x[0] ** 4, lambda x: 4 * x**3, lambda x: [[12 * x[0] ** 2]])
    x = np.array([1e-6])
    curvature = DenseCurvature(Witness(quartic), x, np.random.default_rng(0))
    curvature.measure()
    assert curvature.inertia(np.arange(1), np.array([1e-25])).rises
    assert not curvature.inertia(np.arange(1), 12 * x**3).rises


@pytest.mark.parametrize("signs", [(1, 1), (-1, 1), (-1, -1)])
@pytest.mark.parametrize("seed", range(5))
def test_products_agree_with_the_matrix(signs, seed):
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((60, 60)))[0]
    d = np.exp(rng.uniform(-3, 3, 60)) * signs[1]
    d[0] *= signs[0] * signs[1]
    H = (Q * d) @ Q.T
    a, b = dense(H), products(quadratic(H), seed)
    assert (a.rises, a.falls, a.down is None, a.up is None) == (b.rises, b.falls, b.down is None, b.up is None)
    if b.down is not None:
        assert b.down @ H @ b.down < 0
    if b.rises or b.falls:
        assert b.firm


def test_a_spectrum_that_the_steps_cannot_resolve_is_not_called_firm():
    d = np.exp(np.linspace(-np.log(1e9), 0, 3000))
    found = products(Landscape(3000, lambda x: x @ (d * x) / 2, lambda x: d * x, product=lambda x, v: _turned(d, v)))
    assert found.down is None
    assert not (found.rises and found.firm)


class _Diagonal:
    """A diagonal matrix that no equilibration can level: a rotation in pairs keeps every row of the same size."""

    def __init__(self, values):
        self.half = len(values) // 2
        self.values, self.size = values, len(values)
        self.roundoff, self.exact_gradient, self.exact_curvature = 2.0**-53, True, True
        self.names = tuple(f"x[{j}]" for j in range(len(values)))

    def _turn(self, v):
        a, b = v[: self.half], v[self.half :]
        return np.concatenate([a + b, a - b]) / np.sqrt(2)

    def bend(self, x, v):
        return self._turn(self.values * self._turn(v))


@pytest.mark.parametrize(("lowest", "rises"), [(0.5, True), (-0.5, False)])
def test_a_dense_spectrum_far_from_zero_is_firm_before_its_ends_have_converged(lowest, rises):
    """The chance to miss what is left above zero is enough; Ritz values of a dense spectrum converge slowly."""
    half = np.linspace(0.5, 2.0, 1000)
    half[0] = lowest
    found = products(_Diagonal(np.concatenate([half, 2.5 - half])))
    assert (found.rises, found.rises and found.firm) == (rises, rises)


def _turned(d, v):
    """``P D P v`` with a reflection P, so that no coordinate is an eigenvector."""
    w = np.cos(np.arange(len(v)) ** 2)
    w /= np.linalg.norm(w)
    v = v - 2 * w * (w @ v)
    v = d * v
    return v - 2 * w * (w @ v)
