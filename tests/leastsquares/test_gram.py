"""Triangles with a floor under them."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.leastsquares.gram import damped


@pytest.mark.parametrize("rows", [3, 40])
@pytest.mark.parametrize("omega", [1.0, 1e-9, 1e-14])
def test_the_floor_comes_without_squaring(rows, omega):
    """Singular values of sqrt(s^2 + omega^2) to rounding of the largest, for triangles and for any other root."""
    rng = np.random.default_rng(1)
    upper = np.triu(rng.standard_normal((40, 40)))
    upper[5, 5], upper[:, 9] = 0.0, upper[:, 8]
    root = np.triu(upper) if rows == 40 else rng.standard_normal((rows, 40))
    values = np.zeros(40)
    values[: len(root)] = np.linalg.svd(root, compute_uv=False)
    found = np.linalg.svd(damped(root, omega), compute_uv=False)
    np.testing.assert_allclose(found, np.hypot(values, omega), rtol=0, atol=1e-14 * values[0])
    assert found[-1] >= 0.99 * omega - 1e-15 * values[0]
