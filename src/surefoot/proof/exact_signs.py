"""The signs of the eigenvalues of a symmetric matrix of doubles, exactly, singular ones too.

    det(t I - H) = sum c_k t^k:   as many positive eigenvalues as its coefficients change sign,
                                  as many zero ones as lowest coefficients vanish.

Descartes' rule only bounds the number of positive roots, but it is exact where all roots are real, as they are here.
Doubles are integers times powers of two, so the polynomial is one of integers.

Reference: Horn, Johnson (2013), "Matrix Analysis", 2nd ed., Cambridge, section 4.1, pp. 225-234 (real eigenvalues);
Basu, Pollack, Roy (2006), "Algorithms in Real Algebraic Geometry", 2nd ed., Springer, section 8.1, proposition 8.4.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

LARGEST = 30
"""Most rows of a matrix whose polynomial is computed."""


class Inertia(NamedTuple):
    """How many eigenvalues are negative, zero and positive."""

    negative: int
    zero: int
    positive: int


def exact_inertia(H: np.ndarray) -> Inertia | None:
    """The inertia of a finite symmetric matrix; None if it is too large, or not symmetric.

    Examples
    --------
    >>> exact_inertia(np.array([[1.0, 1.0], [1.0, 1.0]]))
    Inertia(negative=0, zero=1, positive=1)
    >>> exact_inertia(np.diag([1e-300, -1e300]))
    Inertia(negative=1, zero=0, positive=1)
    """
    n = len(H)
    if n > LARGEST or not np.all(np.isfinite(H)) or not np.array_equal(H, H.T):
        return None
    if n == 0:
        return Inertia(0, 0, 0)
    from flint import fmpz_mat

    pairs = [[float(entry).as_integer_ratio() for entry in row] for row in H]
    common = max(below for row in pairs for _, below in row)  # powers of two: the largest is a multiple of all
    whole = fmpz_mat([[above * (common // below) for above, below in row] for row in pairs])
    coefficients = [int(c) for c in whole.charpoly().coeffs()]
    zero = next(k for k, c in enumerate(coefficients) if c)
    nonzero = [c for c in coefficients if c]
    positive = sum((one > 0) != (other > 0) for one, other in pairwise(nonzero))
    return Inertia(n - zero - positive, zero, positive)
