"""The shortest of all minimisers, by the singular value decomposition: for wide and for rank-deficient matrices.

With columns of length one, ``A D^-1 = U S V'``; singular values up to the tolerance count as zero, which leaves
``A_r = U_r S_r V_r' D``. The minimisers are ``D^-1 V_r S_r^-1 U_r' b`` and anything that ``A_r`` maps to zero; the
shortest of them lies in the row space, the span of the columns of ``D V_r``.

Reference: Golub, Van Loan (2013), "Matrix Computations", 4th ed., section 5.5.1-5.5.3, pp. 288-292.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from surefoot.leastsquares.rank import lengths, tolerance_for


@dataclass(frozen=True)
class Spectrum:
    """The singular value decomposition of a matrix with columns of length one, cut off at rounding.

    Attributes
    ----------
    left, right : ndarray, shapes (m, q) and (n, q), q = min(m, n)
    values : ndarray, shape (q,)
        All singular values, falling.
    sizes : ndarray, shape (n,)
        Lengths of the columns; one for a column of zeros.
    rank : int
        How many singular values are not rounding.
    """

    left: np.ndarray
    right: np.ndarray
    values: np.ndarray
    sizes: np.ndarray
    rank: int

    @property
    def condition(self) -> float:
        """Of the singular values that count; 1 if none does."""
        return float(self.values[0] / self.values[self.rank - 1]) if self.rank else 1.0

    def apply(self, right: np.ndarray) -> np.ndarray:
        """The shortest minimiser of ``|A_r x - b|``, shape (n, k)."""
        return self._shortest((self.left[:, : self.rank].T @ right) / self._kept)

    def solve(self, gradient: np.ndarray) -> np.ndarray:
        """The shortest solution of ``A_r'A_r x = g``, shape (n, k)."""
        return self._shortest(self._inside(gradient) / self._kept**2)

    def size(self, gradient: np.ndarray) -> np.ndarray:
        """``|A_r solve(g)|``, shape (k,)."""
        return lengths(self._inside(gradient) / self._kept) if self.rank else np.zeros(gradient.shape[1])

    def spread(self) -> np.ndarray:
        """``T`` with ``T T'`` the generalised inverse of ``A_r'A_r`` that belongs to ``solve``, shape (n, r)."""
        return self._shortest(np.diag(1 / self.values[: self.rank]))

    def root(self) -> np.ndarray:
        """``S V' D``, shape (q, n): a matrix with the same Gram matrix as A."""
        return self.values[:, None] * self.right.T * self.sizes

    @property
    def _kept(self) -> np.ndarray:
        return self.values[: self.rank, None]

    def _inside(self, gradient: np.ndarray) -> np.ndarray:
        return self.right[:, : self.rank].T @ (gradient / self.sizes[:, None])

    def _shortest(self, inside: np.ndarray) -> np.ndarray:
        x = (self.right[:, : self.rank] @ inside) / self.sizes[:, None]
        if self.rank in (0, len(self.sizes)):
            return x
        across = self.row_space
        return across @ (across.T @ x)

    @cached_property
    def row_space(self) -> np.ndarray:
        """An orthonormal basis of what the rows determine, shape (n, r)."""
        return np.linalg.qr(self.right[:, : self.rank] * self.sizes[:, None])[0]


def spectrum(matrix: np.ndarray) -> Spectrum:
    """Decompose a matrix; tall ones should come as their triangle."""
    sizes = lengths(matrix)
    sizes = np.where(sizes > 0, sizes, 1.0)
    left, values, across = np.linalg.svd(matrix / sizes, full_matrices=False)
    largest = float(values[0]) if values.size else 0.0
    rank = int(np.count_nonzero(values > tolerance_for(min(matrix.shape)) * largest))
    return Spectrum(left, across.T, values, sizes, rank)
