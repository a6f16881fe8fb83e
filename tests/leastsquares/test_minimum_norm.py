"""The shortest minimiser from flat directions alone, beside the singular value decomposition."""

from __future__ import annotations

import numpy as np
import pytest

from leastsquares.matrices import of_condition
from surefoot.leastsquares.chain import upper_times_upper
from surefoot.leastsquares.minimum_norm import spectrum, spectrum_of_triangle


def triangles():
    rng = np.random.default_rng(3)
    dependent = rng.standard_normal((400, 20))
    dependent[:, 7], dependent[:, 19] = dependent[:, 3] - 2 * dependent[:, 1], dependent[:, 0]
    yield "dependent", dependent
    yield "in units from 1 to 50", dependent * np.geomspace(1, 50, 20)
    yield "in units far apart", dependent * np.geomspace(1, 1e4, 20)
    yield (
        "nearly dependent",
        of_condition(rng, 400, 30, 1e14, 0.0)[0],
    )
    yield "independent", rng.standard_normal((400, 20))
    yield "one column", rng.standard_normal((400, 1))


@pytest.mark.parametrize(("name", "matrix"), list(triangles()), ids=lambda one: one if isinstance(one, str) else "")
def test_flat_directions_give_the_steps_that_singular_values_give(name, matrix):
    upper = np.linalg.qr(matrix, mode="r")
    gradient = matrix.T @ np.random.default_rng(4).standard_normal((400, 2))
    whole, flat = spectrum(upper), spectrum_of_triangle(upper)
    assert flat.known is None and flat.flat is not None, "nothing was decomposed"
    assert flat.rank == whole.rank
    # Rounding moves the steps of what is nearly dependent by u over the tolerance.
    units, close = whole.sizes[:, None], 1e-2 if "nearly" in name else 1e-9
    wanted = whole.solve(gradient) * units
    np.testing.assert_allclose(flat.solve(gradient) * units, wanted, rtol=0, atol=close * np.abs(wanted).max())
    np.testing.assert_allclose(flat.size(gradient), whole.size(gradient), rtol=close)
    np.testing.assert_allclose(flat.values, whole.values)
    for one in (whole, flat):
        across = one.row_space
        np.testing.assert_allclose(across.T @ across, np.eye(one.rank), atol=1e-12)
    np.testing.assert_allclose(flat.row_space @ flat.row_space.T, whole.row_space @ whole.row_space.T, atol=close)


@pytest.mark.parametrize("upper", [np.zeros((3, 3)), np.diag([1.0, 0.0, 2.0]), np.zeros((0, 0))])
def test_a_triangle_that_has_no_inverse_is_decomposed(upper):
    found = spectrum_of_triangle(upper)
    assert found.known is not None and found.rank == np.count_nonzero(np.diagonal(upper))


@pytest.mark.parametrize("count", [0, 1, 99, 250])
def test_a_product_of_triangles_is_that_of_matrices(count):
    rng = np.random.default_rng(count)
    left, right = (np.triu(rng.standard_normal((count, count))) for _ in range(2))
    np.testing.assert_allclose(upper_times_upper(left, right), left @ right, atol=1e-11)
