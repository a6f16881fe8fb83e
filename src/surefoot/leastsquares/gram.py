"""The Gram matrix of the columns and its Cholesky factor: the normal equations, and the preconditioner of better ways.

    G = A'A,    G + s I = R'R,

for columns whose lengths are one up to a power of two, so that scaling rounds nothing. Forming G squares the condition
number: where cond^2 u reaches one, Cholesky breaks down, and the shift ``s`` lets it go through all the same. R then
is no factor of A any more, but still a preconditioner that takes all but the smallest singular values to about one.

Reference: Fukaya, Kannan, Nakatsukasa, Yamamoto, Yanagisawa (2020), "Shifted Cholesky QR for computing the QR
factorization of ill-conditioned matrices", SIAM J. Sci. Comput. 42(1), pp. A477-A503 (the shift, p. A483).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.leastsquares.rank import ROUNDOFF

SHIFT = 2
"""The first shift that is tried, in units of rounding times the square root of the number of columns."""

PANEL = 32
"""Columns that the QR of two triangles takes at a time."""


@dataclass(frozen=True)
class Cholesky:
    """``G + shift I = R'R`` for a matrix of unit diagonal.

    Attributes
    ----------
    upper : ndarray, shape (n, n)
    shift : float
        Zero where Cholesky went through without.
    condition : float
        Estimate of the condition number of ``R``, in the one-norm of ``R'R``, square root taken.
    """

    upper: np.ndarray
    shift: float
    condition: float

    def solve(self, right: np.ndarray) -> np.ndarray:
        """``(R'R)^-1 right``."""
        from scipy.linalg import lapack

        if not self.upper.size:
            return np.zeros_like(right)
        return lapack.dpotrs(self.upper, right)[0]  # pyright: ignore[reportAttributeAccessIssue]

    def substitute(self, right: np.ndarray) -> np.ndarray:
        """``R^-1 right``."""
        from scipy.linalg import solve_triangular

        return solve_triangular(self.upper, right, check_finite=False) if self.upper.size else np.zeros_like(right)


def cholesky(gram: np.ndarray) -> Cholesky | None:
    """Factor without a shift; None where a pivot is not positive."""
    return _factored(gram, 0.0)


def shifted_cholesky(gram: np.ndarray, roundoff: float = ROUNDOFF) -> Cholesky | None:
    """Factor with the smallest shift that goes through, zero if possible; None if nothing does (not finite).

    ``roundoff`` is that of the precision in which the Gram matrix was added up.
    """
    shift = 0.0
    for _ in range(12):
        found = _factored(gram, shift)
        if found is not None:
            return found
        largest = float(np.max(np.diagonal(gram)))
        shift = 8 * shift if shift else SHIFT * roundoff * np.sqrt(len(gram)) * largest
    return None


def _factored(gram: np.ndarray, shift: float) -> Cholesky | None:
    from scipy.linalg import lapack

    if not gram.size:
        return Cholesky(gram, 0.0, 1.0)
    moved = gram + shift * np.eye(len(gram)) if shift else gram
    upper, failed = lapack.dpotrf(moved, lower=0, clean=1)  # pyright: ignore[reportAttributeAccessIssue]
    if failed or not np.all(np.isfinite(np.diagonal(upper))):
        return None
    size = float(np.max(np.sum(np.abs(moved), axis=0)))
    reciprocal, _ = lapack.dpocon(upper, size)  # pyright: ignore[reportAttributeAccessIssue]
    return Cholesky(upper, shift, float(1 / np.sqrt(reciprocal)) if reciprocal > 0 else float("inf"))


def triangular_factor(rows: np.ndarray) -> np.ndarray:
    """R of the QR factorisation of some rows, with a positive diagonal."""
    upper = np.asarray(np.linalg.qr(rows, mode="r"))
    return upper * np.where(np.diagonal(upper) < 0, -1.0, 1.0)[:, None]


def damped(upper: np.ndarray, omega: float) -> np.ndarray:
    """M with ``M'M = R'R + omega^2 I``, by QR: squaring would lose the singular values below ``sqrt(u)``."""
    from scipy.linalg import lapack

    count = upper.shape[1]
    below = omega * np.eye(count)
    if len(upper) != count or np.any(np.tril(upper, -1)):
        return np.asarray(np.linalg.qr(np.vstack([upper, below]), mode="r"))
    # Of two triangles, far less work than of a square on a square.
    return lapack.dtpqrt(count, min(count, PANEL), upper, below)[0]  # pyright: ignore[reportAttributeAccessIssue]
