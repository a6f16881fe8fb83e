"""The shortest of all minimisers, for wide and for rank-deficient matrices.

With columns of length one, ``A D^-1 = U S V'``; singular values up to the tolerance count as zero, which leaves
``A_r = U_r S_r V_r' D``. The minimisers are ``D^-1 V_r S_r^-1 U_r' b`` and anything that ``A_r`` maps to zero; the
shortest of them lies in the row space, the span of the columns of ``D V_r``.

Of a triangle ``A'A = R'R`` that a double can invert, the flat directions N (the rest of V) are enough. They are the
eigenvectors of ``R^-1 R^-T`` with large eigenvalues, which squaring does not hurt, since it is the small ones that it
loses. With ``P = I - N N'`` and a triangle L that is lifted along them, so that it is no longer nearly singular,

    L'L = R'R + N N',    (A_r'A_r)^-1 = D^-1 P L^-1 L^-T P D^-1,    the row space is orthogonal to D^-1 N.

Half a symmetric eigenproblem takes a third of the time of the singular value decomposition, which is made when it is
asked for.

Reference: Golub, Van Loan (2013), "Matrix Computations", 4th ed., section 5.5.1-5.5.3, pp. 288-292.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from surefoot.leastsquares.gram import PANEL
from surefoot.leastsquares.rank import ROUNDOFF, lengths, tolerance_for

SQUARED_LOSES = 1e-3
"""Relative error of an eigenvalue of ``R^-1 R^-T`` at the tolerance from which singular values are computed instead."""

GUESSES, LOOKS = 8, 6
"""Vectors and products for the largest singular value, of which two digits are wanted."""


EVEN = 100.0
"""Longest over shortest column up to which directions may be divided by the lengths."""


@dataclass(frozen=True)
class Spectrum:
    """The singular values of a matrix with columns of length one, cut off at rounding.

    Attributes
    ----------
    unit : ndarray, shape (m, n)
        The matrix, columns of length one.
    sizes : ndarray, shape (n,)
        Lengths of the columns as they were; one for a column of zeros.
    rank : int
        How many singular values are not rounding.
    known : tuple of ndarray, or None
        Left vectors (m, q), values (q,) and right vectors (q, n), q = min(m, n), where they were computed.
    flat : ndarray, shape (n, n - rank), or None
        Orthonormal directions of the singular values that are rounding, where ``unit`` is an upper triangle.
    lifted : ndarray, shape (n, n), or None
        The triangle L, with ``flat``.
    """

    unit: np.ndarray
    sizes: np.ndarray
    rank: int
    known: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    flat: np.ndarray | None = None
    lifted: np.ndarray | None = None

    @property
    def left(self) -> np.ndarray:
        """Left singular vectors, shape (m, q)."""
        return self._decomposed[0]

    @property
    def values(self) -> np.ndarray:
        """All singular values, falling, shape (q,)."""
        return self._decomposed[1]

    @property
    def right(self) -> np.ndarray:
        """Right singular vectors, shape (n, q)."""
        return self._decomposed[2].T

    @property
    def condition(self) -> float:
        """Of the singular values that count; 1 if none does."""
        return float(self.values[0] / self.values[self.rank - 1]) if self.rank else 1.0

    def apply(self, right: np.ndarray) -> np.ndarray:
        """The shortest minimiser of ``|A_r x - b|``, shape (n, k)."""
        inside = (self.left[:, : self.rank].T @ right) / self._kept
        return self._shortest(self.right[:, : self.rank] @ inside)

    def solve(self, gradient: np.ndarray) -> np.ndarray:
        """The shortest solution of ``A_r'A_r x = g``, shape (n, k)."""
        if self.flat is None or self.lifted is None:
            return self._shortest(self.right[:, : self.rank] @ (self._inside(gradient) / self._kept**2))
        solved = _substituted(self.lifted, self._halfway(gradient), 0)
        return self._shortest(solved - self.flat @ (self.flat.T @ solved))

    def size(self, gradient: np.ndarray) -> np.ndarray:
        """``|A_r solve(g)|``, shape (k,)."""
        if self.flat is not None:
            return lengths(self._halfway(gradient))
        return lengths(self._inside(gradient) / self._kept) if self.rank else np.zeros(gradient.shape[1])

    def spread(self) -> np.ndarray:
        """``T`` with ``T T'`` the generalised inverse of ``A_r'A_r`` that belongs to ``solve``, shape (n, r)."""
        return self._shortest(self.right[:, : self.rank] / self.values[: self.rank])

    def root(self) -> np.ndarray:
        """``S V' D``, shape (q, n): a matrix with the same Gram matrix as A."""
        return self.values[:, None] * self.right.T * self.sizes

    @cached_property
    def row_space(self) -> np.ndarray:
        """An orthonormal basis of what the rows determine, shape (n, r)."""
        if self.flat is None:
            return np.linalg.qr(self.right[:, : self.rank] * self.sizes[:, None])[0]
        across = np.linalg.qr(self.flat, mode="complete")[0][:, self.flat.shape[1] :]
        return np.linalg.qr(across * self.sizes[:, None])[0]

    @cached_property
    def _decomposed(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.known or np.linalg.svd(self.unit, full_matrices=False)

    @property
    def _kept(self) -> np.ndarray:
        return self.values[: self.rank, None]

    def _inside(self, gradient: np.ndarray) -> np.ndarray:
        return self.right[:, : self.rank].T @ (gradient / self.sizes[:, None])

    def _halfway(self, gradient: np.ndarray) -> np.ndarray:
        """``L^-T P D^-1 g``."""
        assert self.flat is not None and self.lifted is not None
        scaled = gradient / self.sizes[:, None]
        return _substituted(self.lifted, scaled - self.flat @ (self.flat.T @ scaled), 1)

    def _shortest(self, x: np.ndarray) -> np.ndarray:
        """Of the minimisers that differ from x along the valley, all in columns of length one, the shortest."""
        x = x / self.sizes[:, None]
        if self.rank in (0, len(self.sizes)):
            return x
        if self._valley is not None:
            return x - self._valley @ (self._valley.T @ x)
        return self.row_space @ (self.row_space.T @ x)

    @cached_property
    def _valley(self) -> np.ndarray | None:
        """An orthonormal basis of what the rows do not determine, shape (n, n - r).

        None where units differ so much that rounding in a direction would be most of it after dividing by them.
        """
        if self.flat is None or not float(np.max(self.sizes)) < EVEN * float(np.min(self.sizes)):
            return None
        return np.linalg.qr(self.flat / self.sizes[:, None])[0]


def spectrum(matrix: np.ndarray) -> Spectrum:
    """Decompose a matrix; tall ones should come as their triangle."""
    unit, sizes = _at_length_one(matrix)
    known = np.linalg.svd(unit, full_matrices=False)
    largest = float(known[1][0]) if known[1].size else 0.0
    rank = int(np.count_nonzero(known[1] > tolerance_for(min(matrix.shape)) * largest))
    return Spectrum(unit, sizes, rank, known)


def spectrum_of_triangle(upper: np.ndarray) -> Spectrum:
    """The same for a square upper triangle, of which only the flat directions are computed if those are certain."""
    from scipy.linalg import eigh, lapack

    unit, sizes = _at_length_one(upper)
    inverse, singular = lapack.dtrtri(np.asfortranarray(unit))  # pyright: ignore[reportAttributeAccessIssue]
    if singular or not len(unit) or not np.all(np.isfinite(inverse)):
        return spectrum(upper)
    product = lapack.dlauum(inverse)[0]  # pyright: ignore[reportAttributeAccessIssue]
    edge = (tolerance_for(len(unit)) * _largest(unit)) ** -2
    # The trace is as much as the largest eigenvalue, and rounding is in units of that.
    if not float(np.trace(product)) * ROUNDOFF * np.sqrt(len(unit)) < SQUARED_LOSES * edge:
        return spectrum(upper)
    flat = eigh(product, lower=False, subset_by_value=(edge, np.inf), overwrite_a=True, check_finite=False)[1]
    lifted = lapack.dtpqrt(0, min(PANEL, len(unit)), unit, flat.T)[0] if flat.size else unit  # pyright: ignore[reportAttributeAccessIssue]
    return Spectrum(unit, sizes, len(unit) - flat.shape[1], flat=flat, lifted=np.asfortranarray(lifted))


def _at_length_one(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sizes = lengths(matrix)
    sizes = np.where(sizes > 0, sizes, 1.0)
    return matrix / sizes, sizes


def _largest(upper: np.ndarray) -> float:
    """The largest singular value, from a few powers of ``R'R`` on random vectors; at most so much."""
    block = np.random.default_rng(0).standard_normal((len(upper), min(GUESSES, len(upper))))
    for _ in range(LOOKS):
        block = upper.T @ (upper @ np.linalg.qr(block)[0])
    return float(np.sqrt(np.linalg.norm(block, 2)))


def _substituted(upper: np.ndarray, right: np.ndarray, trans: int) -> np.ndarray:
    from scipy.linalg import solve_triangular

    return solve_triangular(upper, right, trans=trans, check_finite=False)
