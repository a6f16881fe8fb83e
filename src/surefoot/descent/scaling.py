"""Units for the variables in which a Hessian has entries of order one.

    d_j = sqrt(|H|_jj),    |H| = V |Lambda| V'

Of a positive semidefinite matrix that is the root of its diagonal. An indefinite one may have a zero on its diagonal
beside large entries, and in a unit from the diagonal alone that variable would run off; the absolute value of the
matrix, whose entries obey ``|H|_jk <= d_j d_k``, knows better.

Reference: Golub, Van Loan (2013), "Matrix Computations", 4th ed., section 8.1, pp. 440-442 (symmetric matrices and
their decomposition).
"""

from __future__ import annotations

import numpy as np

EVEN = 1.5
"""An entry this many times larger than the roots of its diagonal entries shows that the matrix is indefinite."""


def units_of(hessian: np.ndarray) -> np.ndarray:
    """A unit for each variable, shape (n,); ones for a Hessian that is zero.

    Examples
    --------
    >>> units_of(np.array([[4.0, 1.0], [1.0, 100.0]])).tolist()
    [2.0, 10.0]
    >>> units_of(np.array([[0.0, 30.0], [30.0, 9.0]])).round(1).tolist()
    [5.4, 5.6]
    """
    units = np.sqrt(np.abs(hessian.diagonal()))
    if (np.abs(hessian) > EVEN * units[:, None] * units).any():
        values, vectors = np.linalg.eigh(hessian)
        units = np.sqrt((vectors**2) @ np.abs(values))
    return units if (units > 0).any() else np.ones_like(units)
