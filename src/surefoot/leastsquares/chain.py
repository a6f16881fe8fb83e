"""Triangles one after the other that make columns orthonormal: preconditioned Cholesky, CholeskyQR2 and its kin.

    A R_1^-1 ... R_k^-1 = Q,    A = Q R with R = R_k ... R_1.

R_1 comes from a few rows by QR, or from the Gram matrix of all by a shifted Cholesky; each further one from the Gram
matrix of the columns as the ones before it left them. A first triangle that leaves a condition of a few units lets the
next Gram matrix be added up in single precision: what its rounding costs is a part of a correction, not of the answer.

Reference: Yamamoto, Nakatsukasa, Yanagisawa, Fukaya (2015), "Roundoff error analysis of the CholeskyQR2 algorithm",
Electron. Trans. Numer. Anal. 44, pp. 306-326; Fukaya et al. (2020), SIAM J. Sci. Comput. 42(1), pp. A477-A503.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from surefoot.errors import BreakdownError
from surefoot.leastsquares.gram import Cholesky, shifted_cholesky
from surefoot.leastsquares.passes import Rows

SQUARED_TOO_FAR = 1e7
"""Condition from which the Gram matrix no longer corrects itself in a few steps."""

SINGLE_TOO_FAR = 1e3
"""The same for a Gram matrix in single precision."""

PART = 100
"""Columns of a block in a product of two triangles, of which the zeros are not multiplied."""


def shifted(gram: np.ndarray, precision: type = np.float64) -> Cholesky:
    """With the smallest shift, in units of rounding of that precision, that goes through."""
    found = shifted_cholesky(gram, float(np.finfo(precision).eps) / 2)
    if found is None:
        raise BreakdownError("Cholesky went through with no shift.")
    return found


def is_plain(factor: Cholesky) -> bool:
    """Whether a factor took no shift, and corrects itself."""
    return factor.shift == 0 and factor.condition < SQUARED_TOO_FAR


def is_plain_in_single(factor: Cholesky) -> bool:
    """The same for a factor of a Gram matrix in single precision."""
    return factor.shift == 0 and factor.condition < SINGLE_TOO_FAR


def preconditioned(rows: Rows, scale: np.ndarray, chain: list[Cholesky], precision: type) -> np.ndarray:
    """The Gram matrix of ``A R_1^-1 ... R_k^-1``, one pass over the rows."""
    inverse = _inverse(chain[0].upper)
    for factor in chain[1:]:
        inverse = upper_times_upper(inverse, _inverse(factor.upper))
    return rows.preconditioned_gram(inverse / scale[:, None], precision)


def product(chain: list[Cholesky]) -> np.ndarray:
    """``R_k ... R_1``."""
    upper = chain[0].upper
    for factor in chain[1:]:
        upper = upper_times_upper(factor.upper, upper)
    return upper


def forth(chain: list[Cholesky], gradient: np.ndarray) -> np.ndarray:
    """``R_k^-T ... R_1^-T g``."""
    from scipy.linalg import solve_triangular

    for factor in chain:
        gradient = solve_triangular(factor.upper, gradient, trans=1, check_finite=False)
    return gradient


def back(chain: list[Cholesky], values: np.ndarray) -> np.ndarray:
    """``R_1^-1 ... R_k^-1 v``."""
    for factor in reversed(chain):
        values = factor.substitute(values)
    return values


def upper_times_upper(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Product of two upper triangles, block by block: a third of the work of a product of matrices."""
    count = len(left)
    edges = np.unique(np.linspace(0, count, 1 + max(1, count // PART), dtype=int))
    out = np.zeros_like(right)
    for top, bottom in pairwise(edges):
        for start, end in pairwise(edges[edges >= top]):
            np.matmul(left[top:bottom, top:end], right[top:end, start:end], out=out[top:bottom, start:end])
    return out


def _inverse(upper: np.ndarray) -> np.ndarray:
    from scipy.linalg import lapack

    return lapack.dtrtri(upper)[0]  # pyright: ignore[reportAttributeAccessIssue]
