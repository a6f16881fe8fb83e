"""Bounds and equalities on many variables: the nearest point that satisfies both, and the directions within a face.

    nearest(v) = argmin |z - v|  subject to  l <= z <= u,  C z = d;    it is  z = clip(v + C'm)  where  C z = d.

The multipliers ``m`` maximise the concave dual, whose gradient ``d - C clip(v + C'm)`` is piecewise linear: Newton's
method with a shift that vanishes with the residual, and a line search. ``C`` has few rows (dense), or is sparse.

References: Calamai, More (1987), "Projected gradient methods for linearly constrained problems", Math. Programming 39,
pp. 93-116; Dai, Fletcher (2006), "New algorithms for singly linearly constrained quadratic programs subject to lower
and upper bounds", Math. Programming 106, pp. 403-421 (section 2, the multiplier of one equality).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.leastsquares.vectors import dot, norm

Map = Callable[[np.ndarray], np.ndarray]

NEWTON = 200
"""Steps of Newton's method on the multipliers; the pieces of the dual are finite in number, and few are met."""

LINE = 60
"""Halvings of an interval of steps."""

DENSE = 20_000_000
"""Numbers in a matrix of equalities that is still taken as dense."""

FEW_UNITS = 64 * np.finfo(float).eps

NEAR = 16 * np.finfo(float).eps
"""Of a variable: so far from a bound is at it, as its equalities do not determine it better."""

SHIFT = 1e-12
"""Of the Gram matrix of sparse equalities, whose rows have length one; refinement takes its effect away again."""


@dataclass(frozen=True)
class Nearest:
    """The nearest point of the polytope.

    Attributes
    ----------
    point : ndarray, shape (n,)
        Within the bounds; at a bound exactly where one holds it.
    prices : ndarray, shape (p,)
        Multipliers of the equalities: ``point = clip(v + C' prices)``.
    miss : float
        ``|C point - d|``, rows of C at length one, in units of the rounding of its terms.
    """

    point: np.ndarray
    prices: np.ndarray
    miss: float


class Polytope:
    """``l <= z <= u`` and ``C z = d``.

    Parameters
    ----------
    lower, upper : ndarray, shape (n,)
        Infinite where there is none.
    matrix : ndarray or sparse matrix, shape (p, n)
    right : ndarray, shape (p,)
    """

    def __init__(self, lower: np.ndarray, upper: np.ndarray, matrix: Any, right: np.ndarray) -> None:
        from scipy.sparse import csr_array, issparse

        self.lower, self.upper = lower, upper
        if issparse(matrix) and matrix.shape[0] * matrix.shape[1] <= DENSE:
            matrix = matrix.toarray()
        self.is_dense = not issparse(matrix)
        self.row_scale = 1.0 / _row_lengths(matrix)
        scale = self.row_scale[:, None]
        self.matrix: Any = np.asarray(matrix * scale) if self.is_dense else csr_array(matrix.multiply(scale))
        self.right = right * self.row_scale
        self._prices = np.zeros(len(right))

    @property
    def has_equalities(self) -> bool:
        return len(self.right) > 0

    def clipped(self, z: np.ndarray) -> np.ndarray:
        return np.clip(z, self.lower, self.upper)

    def snapped(self, z: np.ndarray) -> np.ndarray:
        """The point with variables that are at a bound but for rounding exactly there."""
        rounding = NEAR * np.maximum(np.abs(z), norm(z) / max(1, len(z)) ** 0.5)
        with np.errstate(invalid="ignore"):
            near = np.minimum(rounding, 1e-3 * (self.upper - self.lower))
        return np.where(z - self.lower <= near, self.lower, np.where(self.upper - z <= near, self.upper, z))

    def held(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which variables stand at their lower and at their upper bound."""
        return z <= self.lower, z >= self.upper

    def miss(self, z: np.ndarray) -> float:
        """``|C z - d|`` in units of the rounding of its terms."""
        terms = norm(z) + float(np.max(np.abs(self.right), initial=0.0))
        gap = float(np.max(np.abs(self.matrix @ z - self.right), initial=0.0))
        return gap / (FEW_UNITS * terms) if terms > 0 else 0.0

    def nearest(self, v: np.ndarray) -> Nearest:
        """The nearest point, as near to the equalities as Newton's method comes (see ``miss``)."""
        if not self.has_equalities:
            return Nearest(self.clipped(v), np.zeros(0), 0.0)
        prices = self._prices
        z, gap = self._dual(v, prices)
        for _ in range(NEWTON):
            if self.miss(z) <= 1:
                break
            free = (z > self.lower) & (z < self.upper)
            size = norm(gap) / (1 + norm(z) + norm(self.right))
            step = self._gram_solver(free, max(1e-14, min(1e-3, size)))(gap)
            share = self._share(v, prices, step, dot(gap, step))
            prices = prices + share * step
            z, gap = self._dual(v, prices)
        self._prices = prices
        return Nearest(z, prices, self.miss(z))

    def _share(self, v: np.ndarray, prices: np.ndarray, step: np.ndarray, rise: float) -> float:
        """How much of a step: about to the top of the concave dual along it, where its slope is half of what it was.

        A step that goes far beyond the top would come back as far, and so on.
        """
        low, high, share = 0.0, np.inf, 1.0
        for _ in range(LINE):
            slope = dot(self._dual(v, prices + share * step)[1], step)
            if slope < -0.5 * rise:
                high = share
            elif slope > 0.9 * rise:
                low = share
            else:
                break
            share = 4 * share if np.isinf(high) else 0.5 * (low + high)
        return share

    def corrected(self, z: np.ndarray, free: np.ndarray) -> np.ndarray:
        """The point with what it misses of the equalities taken away by the free variables, within the bounds."""
        if not self.has_equalities or not np.any(free):
            return z
        part, ahead = self.matrix[:, free], z.copy()
        ahead[free] += part.T @ self._gram_solver(free, SHIFT)(self.right - self.matrix @ z)
        ahead = self.clipped(ahead)
        return ahead if self.miss(ahead) < self.miss(z) else z

    def along(self, free: np.ndarray) -> Map:
        """The orthogonal projection on the directions that leave the other variables and ``C z`` where they are."""
        if not self.has_equalities or not np.any(free):
            return lambda v: np.where(free, v, 0.0)
        part = self.matrix[:, free]
        if self.is_dense:
            basis = _row_space(part)
            if len(basis) == basis.shape[1]:  # a corner: what is left of a vector would be rounding
                return lambda v: np.zeros(len(v))

            def inside(w: np.ndarray) -> np.ndarray:
                return w - basis @ (basis.T @ w)
        else:
            from scipy.sparse import csr_array

            solve, turned = self._gram_solver(free, SHIFT), csr_array(part.T)

            def inside(w: np.ndarray) -> np.ndarray:
                for _ in range(3):  # each takes away what the shift left
                    w = w - turned @ solve(part @ w)
                return w

        def along(v: np.ndarray) -> np.ndarray:
            out = np.zeros(len(v))
            out[free] = inside(v[free])
            return out

        return along

    def prices_of(self, gradient: np.ndarray, free: np.ndarray) -> np.ndarray:
        """Multipliers of the equalities that explain most of a gradient on the free variables."""
        if not self.has_equalities or not np.any(free):
            return np.zeros(len(self.right))
        part = self.matrix[:, free]
        if self.is_dense:
            return np.linalg.lstsq(part.T, gradient[free], rcond=None)[0]
        solve, prices = self._gram_solver(free, SHIFT), np.zeros(len(self.right))
        for _ in range(3):
            prices = prices + solve(part @ (gradient[free] - part.T @ prices))
        return prices

    def _dual(self, v: np.ndarray, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The point of some multipliers and the gradient of the dual there, ``d - C z``."""
        z = self.clipped(v + self.matrix.T @ prices)
        return z, self.right - self.matrix @ z

    def _gram_solver(self, free: np.ndarray, shift: float) -> Map:
        """The inverse of ``C_F C_F' + shift``."""
        part = self.matrix[:, free]
        gram = part @ part.T
        if self.is_dense:
            from scipy.linalg import cho_factor, cho_solve

            factor = cho_factor(gram + shift * np.eye(len(gram)))
            return lambda s: cho_solve(factor, s)
        from scipy.sparse import csc_array, eye_array
        from scipy.sparse.linalg import splu

        return splu(csc_array(gram + shift * eye_array(gram.shape[0], format="csr"))).solve


def _row_lengths(matrix: Any) -> np.ndarray:
    """Of rows whose squares may overflow or vanish; 1 for a row of zeros."""
    from scipy.sparse import csr_array, issparse

    rows = csr_array(matrix)
    largest = np.asarray(
        abs(rows).max(axis=1).toarray() if issparse(matrix) else np.abs(matrix).max(axis=1, initial=0.0)
    )
    largest = np.where(largest > 0, largest, 1.0).ravel()
    squares = (rows.multiply(1 / largest[:, None])).power(2).sum(axis=1)
    lengths = np.sqrt(np.asarray(squares, dtype=float).ravel())
    return largest * np.where(lengths > 0, lengths, 1.0)


def _row_space(matrix: np.ndarray) -> np.ndarray:
    """An orthonormal basis of what the rows span, one a column."""
    from scipy.linalg import qr

    basis, upper, _ = qr(matrix.T, mode="economic", pivoting=True, check_finite=False)  # pyright: ignore[reportAssignmentType]
    sizes = np.abs(np.diag(upper))
    rank = int(np.count_nonzero(sizes > FEW_UNITS * max(matrix.shape) ** 0.5 * sizes.max(initial=0.0)))
    return np.ascontiguousarray(np.asarray(basis)[:, :rank])
