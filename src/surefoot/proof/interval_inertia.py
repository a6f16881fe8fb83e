"""How many eigenvalues of symmetric interval matrices are negative: proven, for many matrices at once.

    T = V' H V,   V about the eigenvectors of the middle, each divided by the root of its |eigenvalue|

T is about diag(+-1). Where each diagonal entry is larger than the sum of the others in its row (Gershgorin), every
matrix in T is regular, so V is, and by Sylvester's law of inertia the signs on the diagonal are those of the
eigenvalues of every symmetric matrix in H. V is taken as the doubles it is.

Reference: Horn, Johnson (2013), "Matrix Analysis", 2nd ed., Cambridge, theorem 4.5.8, p. 282 (Sylvester), and theorem
6.1.1, p. 388 (Gershgorin).
"""

from __future__ import annotations

import numpy as np

from surefoot.proof.interval import Interval
from surefoot.proof.interval_sums import matrix_product

LEAST = 1e-280
"""Smaller eigenvalues are not divided by: of those nothing is proven."""


def signs(matrices: Interval) -> np.ndarray:
    """The inertia of symmetric interval matrices.

    Parameters
    ----------
    matrices : Interval (B, n, n)
        Each stands for all symmetric matrices in it.

    Returns
    -------
    ndarray of int (B,)
        How many eigenvalues are negative; -1 where it is not proven that the other ones are all positive.

    References
    ----------
    Horn, Johnson (2013), "Matrix Analysis", 2nd ed., Cambridge, theorems 4.5.8, p. 282, and 6.1.1, p. 388.

    Examples
    --------
    >>> signs(Interval.of([[[2.0, 1.0], [1.0, -3.0]], [[1.0, 1.0], [1.0, 1.0]]])).tolist()
    [1, -1]
    """
    size = matrices.shape[1]
    middle = np.where(np.isfinite(matrices.mid), matrices.mid, 0.0)
    values, vectors = np.linalg.eigh((middle + np.swapaxes(middle, 1, 2)) / 2)
    roots = np.sqrt(np.where(np.abs(values) > LEAST, np.abs(values), 1.0))
    scaled = vectors / roots[:, None, :]
    turned = matrix_product(matrix_product(Interval.of(np.swapaxes(scaled, 1, 2)), matrices), Interval.of(scaled))
    diagonal = np.arange(size)
    low, high = turned.lo[:, diagonal, diagonal], turned.hi[:, diagonal, diagonal]
    others = turned.magnitude
    others[:, diagonal, diagonal] = 0.0
    # The sum of n numbers that are not negative, rounded upward.
    radius = np.sum(others, axis=2) * (1.0 + 4 * (size + 2) * 2.0**-53)
    proven = np.all((low > radius) | (high < -radius), axis=1) & np.all(np.isfinite(radius), axis=1)
    return np.where(proven, np.sum(high < 0, axis=1), -1)
