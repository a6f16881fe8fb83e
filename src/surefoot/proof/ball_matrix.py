"""Matrices known to within a radius, entry by entry, and the signs of curvature that all of them share.

    A = mid +- rad,    |fl(XY) - XY| <= gamma_k |X||Y| + k 2^-1020    (k terms, any order, underflow flushed or not)

A symmetric matrix H has as many negative eigenvalues as S'HS for any nonsingular S (Sylvester). Where S'HS is strictly
diagonally dominant, row by row, its signs are those of its diagonal (Gershgorin), and S must be nonsingular. So S comes
from anyone, here from the eigenvectors of the middle in floating point, and is not believed.

Reference: Rump (1999), "Fast and parallel interval arithmetic", BIT 39, pp. 534-554 (midpoints and radii); Horn and
Johnson (2013), "Matrix Analysis", 2nd ed., Cambridge, theorem 4.5.8, p. 282 (inertia), theorem 6.1.10, p. 392
(dominance).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.proof.rounding import above, below, gamma, spectral_norm

FLUSHED = 2.0**-1020
"""Above what one product can lose by underflow, twice over."""
EQUILIBRATED = 12
"""Most rounds that bring the rows of a matrix to one size."""
ROUNDS = 2
"""Times that a transformation is improved."""


@dataclass(frozen=True)
class Ball:
    """A matrix or vector to within a radius.

    Attributes
    ----------
    mid, rad : ndarray
        Every entry lies within ``rad`` of ``mid``. A radius that is NaN or infinite says nothing.

    Examples
    --------
    >>> one = Ball.between(np.array([[1.0]]), np.array([[3.0]]))
    >>> float(one.mid[0, 0]), bool(1.0 <= one.rad[0, 0] < 1.0 + 1e-15)
    (2.0, True)
    """

    mid: np.ndarray
    rad: np.ndarray

    @classmethod
    def exactly(cls, matrix: np.ndarray) -> Ball:
        """A matrix of doubles as it is."""
        return cls(matrix, np.zeros_like(matrix))

    @classmethod
    def between(cls, low: np.ndarray, high: np.ndarray) -> Ball:
        """From lower and upper ends."""
        with np.errstate(all="ignore"):
            mid = np.where(low == high, low, 0.5 * low + 0.5 * high)  # half of a subnormal number is rounded
            wide = np.maximum(np.nextafter(high - mid, np.inf), np.nextafter(mid - low, np.inf))
        return cls(mid, np.where(low == high, 0.0, wide))

    @property
    def size(self) -> np.ndarray:
        """Upper bounds of the absolute values."""
        return above(np.abs(self.mid) + self.rad, 1)

    @property
    def T(self) -> Ball:
        return Ball(self.mid.T, self.rad.T)

    def __matmul__(self, other: Ball) -> Ball:
        """The product, with what rounding and both radii do to it."""
        terms = self.mid.shape[-1]
        with np.errstate(all="ignore"):
            mid = self.mid @ other.mid
            reach = gamma(terms) * (np.abs(self.mid) @ np.abs(other.mid))
            spread = np.abs(self.mid) @ other.rad + self.rad @ other.size
            return Ball(mid, above(reach + spread, terms + 8) + terms * FLUSHED)

    def __sub__(self, other: Ball) -> Ball:
        with np.errstate(all="ignore"):
            mid = self.mid - other.mid
            return Ball(mid, above(self.rad + other.rad + np.abs(mid) * 2.0**-53, 3) + FLUSHED)

    def part(self, rows: np.ndarray) -> Ball:
        """The principal part of these rows and columns."""
        return Ball(self.mid[np.ix_(rows, rows)], self.rad[np.ix_(rows, rows)])

    @property
    def is_exact(self) -> bool:
        """Whether it is one matrix of doubles."""
        return bool(np.all(self.rad == 0.0) and np.all(np.isfinite(self.mid)))


@dataclass(frozen=True)
class Signs:
    """The signs of curvature of every symmetric matrix in a ball.

    Attributes
    ----------
    S : ndarray (n, n)
        S'HS is diagonally dominant; columns are directions.
    signs : ndarray (n,) of +-1
        Of its diagonal.
    least : float
        Lower bound of ``|H v|/|v|`` over all v: the smallest absolute eigenvalue is at least that.
    """

    S: np.ndarray
    signs: np.ndarray
    least: float

    @property
    def negative(self) -> int:
        """How many eigenvalues are negative."""
        return int(np.sum(self.signs < 0))

    @property
    def inverse(self) -> np.ndarray:
        """Nearly the inverse of the middle, not believed."""
        return (self.S * self.signs) @ self.S.T


def signs_of(H: Ball) -> Signs | None:
    """The proven signs of curvature; None if some matrix in the ball may be singular, or it could not be shown.

    Examples
    --------
    >>> signs_of(Ball.exactly(np.array([[1e8, 1.0], [1.0, -1e-8]]))).signs.tolist()
    [-1.0, 1.0]
    >>> signs_of(Ball.exactly(np.ones((2, 2)))) is None
    True
    """
    if not (np.all(np.isfinite(H.mid)) and np.all(np.isfinite(H.rad))):
        return None
    S = _candidate(H.mid)
    for _ in range(ROUNDS):
        if S is None:
            return None
        G = Ball.exactly(S.T) @ (H @ Ball.exactly(S))
        found = _dominant(G, S)
        if found is not None:
            return found
        better = _candidate(G.mid)
        S = None if better is None else S @ better
    return None


def _dominant(G: Ball, S: np.ndarray) -> Signs | None:
    n = len(S)
    diagonal = np.abs(np.diag(G.mid))
    with np.errstate(all="ignore"):
        off = G.size.copy()
        np.fill_diagonal(off, np.diag(G.rad))
        left = diagonal - above(np.sum(off, axis=1), n)
        left = np.where(left > 0, below(left, 2) - FLUSHED - 2.0**-52 * diagonal, left)
    if not np.all(left > 0):
        return None
    # |v'Hv'| with v = S w: the eigenvalues of S'HS are at least min(left) in size, those of H at least that over |S|^2.
    norm = spectral_norm(S)
    least = below(float(np.min(left)) / above(norm * norm, 2), 3)
    return Signs(S, np.sign(np.diag(G.mid)), least if np.isfinite(least) and least > 0 else 0.0)


def _candidate(H: np.ndarray) -> np.ndarray | None:
    """Scaled eigenvectors: S with S'HS nearly +-1 on the diagonal. Scales are powers of two, so they round nothing."""
    symmetric = 0.5 * (H + H.T)
    with np.errstate(all="ignore"):
        scale = units(symmetric)
        scaled = symmetric * scale * scale[:, None]
        if not np.all(np.isfinite(scaled)):
            return None
        try:
            values, vectors = np.linalg.eigh(scaled)
        except np.linalg.LinAlgError:
            return None
        if np.any(values == 0.0):
            return None
        S = scale[:, None] * vectors / np.sqrt(np.abs(values))
    return S if np.all(np.isfinite(S)) else None


def units(H: np.ndarray) -> np.ndarray:
    """Powers of two that make the largest entry of every row of a symmetric matrix about 1, as units of variables.

    Reference: Ruiz (2001), "A scaling algorithm to equilibrate both rows and columns norms in matrices", report
    RAL-TR-2001-034.

    Examples
    --------
    >>> bool(units(np.array([[1e-40, 2.0**60], [2.0**60, 0.0]])).prod() == 2.0**-60)
    True
    """
    scale = np.ones(len(H))
    with np.errstate(all="ignore"):
        for _ in range(EQUILIBRATED):
            largest = np.max(np.abs(H) * scale * scale[:, None], axis=1, initial=0.0)
            step = np.exp2(-np.rint(0.5 * np.log2(np.where(largest > 0, largest, 1.0))))
            scale = scale * step
            if np.all(step == 1.0):
                break
    return scale


def krawczyk_reach(C: np.ndarray, gradient: Ball, H: Ball, r: np.ndarray) -> np.ndarray:
    """How far from m the operator of Krawczyk maps the box m +- r: ``|C g(m)| + |I - C H(X)| r``, upper bounds.

    Where that is less than r in every component, and H holds every Hessian on the box, the gradient has exactly one
    zero in the box, and it lies within the reach.

    Reference: Neumaier (1990), "Interval Methods for Systems of Equations", Cambridge, theorem 5.1.8, p. 177.

    Examples
    --------
    >>> H = Ball.exactly(np.array([[2.0]]))
    >>> reach = krawczyk_reach(np.array([[0.5]]), Ball.exactly(np.array([0.2])), H, np.array([1.0]))
    >>> bool(0.1 <= reach[0] < 0.1 + 1e-12)
    True
    """
    n = len(r)
    first = Ball.exactly(C) @ Ball(gradient.mid[:, None], gradient.rad[:, None])
    second = Ball.exactly(np.eye(n)) - Ball.exactly(C) @ H
    with np.errstate(all="ignore"):
        return above(first.size[:, 0] + second.size @ r, n + 3) + n * FLUSHED
