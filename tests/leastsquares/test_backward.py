"""Backward errors against their definition: the smallest change of A that makes x exact, from an SVD."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.leastsquares.backward import karlson_walden, stewart


def optimal(matrix, b, x):
    """Walden, Karlson, Sun (1995): the optimal backward error in the Frobenius norm, changes of A and b alike.

    With theta = |A|_F / |b| weighing changes of b as in the estimate: min of phi and the smallest singular value of
    [A, phi (I - r r+)], phi = theta |r| / sqrt(1 + theta^2 |x|^2).
    """
    residual = b - matrix @ x
    theta = np.linalg.norm(matrix) / np.linalg.norm(b)
    phi = theta * np.linalg.norm(residual) / np.sqrt(1 + theta**2 * (x @ x))
    direction = residual / np.linalg.norm(residual)
    wide = np.hstack([matrix, phi * (np.eye(len(b)) - np.outer(direction, direction))])
    return min(phi, np.linalg.svd(wide, compute_uv=False)[-1]) / np.linalg.norm(matrix)


@pytest.mark.parametrize("size", [1e-2, 1e-6, 1e-9])
@pytest.mark.parametrize("seed", range(5))
def test_karlson_walden_is_within_its_factor_of_the_optimal_one(seed, size):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((30, 4)) @ np.diag([1, 0.1, 0.01, 1e-3])
    matrix /= np.linalg.norm(matrix, axis=0)
    b = rng.standard_normal(30)
    x = np.linalg.lstsq(matrix, b, rcond=None)[0]
    x = x * (1 + size * rng.standard_normal(4))
    residual = b - matrix @ x
    upper = np.linalg.qr(matrix, mode="r")
    found = karlson_walden(
        upper, x[:, None], (matrix.T @ residual / np.linalg.norm(matrix, axis=0))[:, None],
        np.array([np.linalg.norm(residual)]), np.array([np.linalg.norm(b)]),
    )[0]  # fmt: skip
    truth = optimal(matrix, b, x)
    assert 0.65 * truth <= found <= 1.5 * truth
    bound = stewart((matrix.T @ residual)[:, None], float(np.linalg.norm(matrix)), np.array([np.linalg.norm(residual)]))
    assert bound[0] >= 0.99 * min(truth, found)


def test_an_exact_answer_has_none_and_units_do_not_matter():
    upper = np.array([[2.0, 1.0], [0.0, 3.0]])
    x, zero, one = np.ones((2, 1)), np.zeros((2, 1)), np.ones(1)
    assert karlson_walden(upper, x, zero, one, one)[0] == 0
    gradient = np.array([[1e-9], [2e-9]])
    plain = karlson_walden(upper, x, gradient, one, one)[0]
    units = np.array([1e-100, 1e100])
    scaled = karlson_walden(upper * units, x / units[:, None], gradient, one, one)[0]
    assert plain == pytest.approx(scaled, rel=1e-12) and plain > 0
    assert karlson_walden(np.zeros((0, 0)), np.zeros((0, 1)), np.zeros((0, 1)), one, one).tolist() == [0.0]
