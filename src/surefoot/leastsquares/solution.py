"""The bottom of the bowl from its triangle: coefficients, their spread, the residual length.

With the kept columns of the triangle split as ``R = [[R_x, c], [0, rho]]`` the minimiser of ``|y - X b|`` solves
``R_x b = c``, its residual has length ``|rho|``, and ``(X'X)^-1 = T T'`` with ``T = R_x^-1``.

Reference: Golub, Van Loan (2013), "Matrix Computations", 4th ed., section 5.3.2, pp. 263-264.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.leastsquares.rank import ROUNDOFF, Rank, find_rank, length, lengths
from surefoot.leastsquares.triangle import Triangle


@dataclass(frozen=True)
class Solution:
    """The minimiser and everything that the statistics need of it.

    Where columns are aliased there is a valley of minimisers. ``coef`` and ``spread`` are the basic one, with nothing
    for the dropped columns: fitted values and residuals are the same all along the valley. ``reported`` is the one
    asked for.

    Attributes
    ----------
    coef : ndarray, shape (p,)
        One coefficient a column; NaN where a column was dropped as aliased.
    spread : ndarray, shape (p, rank)
        ``T`` with ``T T' = (X'WX)^-1`` (a generalised inverse where columns are aliased); rows of dropped columns are
        NaN. Kept as a factor, because its square could overflow where the factor does not.
    effects : ndarray, shape (rank,)
        ``Q'y``: the response in the orthonormal coordinates of the columns.
    residual_length : float
        ``|W^(1/2)(y - Xb)|``.
    upper : ndarray, shape (rank, rank)
        ``R_x`` of the kept columns.
    rank : Rank
        Which columns were kept, and their condition.
    valley : ndarray, shape (p, p - rank)
        Directions along which the bowl is flat, one a column.
    rounds : int
        Factorisations that some row went through, one after the other, on the way here.
    minimum_norm : bool
        Whether the shortest minimiser is reported instead of the basic one.
    refined : bool
        Whether a second pass in twice the precision has taken the rounding of the factorisation out.
    """

    coef: np.ndarray
    spread: np.ndarray
    effects: np.ndarray
    residual_length: float
    upper: np.ndarray
    rank: Rank
    valley: np.ndarray
    rounds: int = 1
    minimum_norm: bool = False
    refined: bool = False

    @property
    def kept(self) -> list[int]:
        """Positions of the columns that have a coefficient."""
        return list(self.rank.kept)

    @property
    def has_choice(self) -> bool:
        """Whether the reported minimiser is another than the basic one."""
        return self.minimum_norm and self.valley.shape[1] > 0

    @property
    def reported(self) -> np.ndarray:
        """The coefficients to report, shape (p,)."""
        return _shortest(self.coef, self.valley) if self.has_choice else self.coef

    @property
    def reported_spread(self) -> np.ndarray:
        """The factor of the covariance of ``reported``, shape (p, rank)."""
        return _shortest(self.spread, self.valley) if self.has_choice else self.spread

    def response_length(self) -> float:
        """``|W^(1/2) y|``."""
        return float(np.hypot(length(self.effects), self.residual_length))

    def scaled_spread(self) -> np.ndarray:
        """Length of each row of ``spread``: the standard error for a residual standard deviation of one."""
        return lengths(self.spread.T)

    def smallest_curvature(self) -> float:
        """Smallest eigenvalue of the Hessian ``2 X'WX`` over the kept columns: the rise where the bowl is flattest."""
        if not self.upper.size:
            return float("nan")
        return float(np.linalg.svd(self.upper, compute_uv=False)[-1]) ** 2 * 2


def solve(triangle: Triangle, predictors: int, *, minimum_norm: bool = False) -> Solution:
    """Solve the least squares problem that a triangle holds.

    Parameters
    ----------
    triangle : Triangle
        Of rows whose first columns are the predictors and whose last is the response; columns between (a constant
        that the model leaves out) are ignored here.
    predictors : int
        Number of leading columns.
    minimum_norm : bool
        Where columns are aliased: the shortest of all minimisers, instead of zero for the dropped columns.
    """
    upper = triangle.upper()
    rank = find_rank(upper[:, :predictors])
    kept = list(rank.kept)
    if len(kept) < predictors:
        upper = triangle.selected([*kept, triangle.columns - 1]).upper()
    count = len(kept)
    factor, effects = upper[:count, :count], upper[:count, -1]
    inverse = inverse_of_upper(factor)
    coef, spread = np.full(predictors, np.nan), np.full((predictors, count), np.nan)
    coef[kept] = solve_upper(factor, effects)
    spread[kept] = inverse
    valley = _valley(rank, predictors)
    residual = float(lengths(upper[count:, -1:])[0])
    return Solution(coef, spread, effects, residual, factor, rank, valley, max(1, triangle.rounds), minimum_norm)


def solve_upper(upper: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Back substitution on columns scaled by powers of two, so that scaling itself rounds nothing."""
    if not upper.size:
        return np.zeros(upper.shape[1:] + right.shape[1:])
    from scipy.linalg import solve_triangular

    scale = power_of_two(upper)
    solved = solve_triangular(upper / scale, right, check_finite=False)
    return (solved.T / scale).T


def inverse_of_upper(upper: np.ndarray) -> np.ndarray:
    """``R^-1`` of an upper triangle, columns of very different units allowed."""
    return solve_upper(upper, np.eye(len(upper)))


def power_of_two(upper: np.ndarray) -> np.ndarray:
    """For each column the power of two nearest to its length."""
    sizes = lengths(upper)
    return np.exp2(np.round(np.log2(np.where(sizes > 0, sizes, 1.0))))


def _valley(rank: Rank, columns: int) -> np.ndarray:
    """Null directions: one more of the aliased column, and less of the columns that make it up."""
    valley = np.zeros((columns, len(rank.aliased)))
    for k, alias in enumerate(rank.aliased):
        valley[alias.column, k] = 1.0
        for j, coefficient in alias.parts:
            valley[j, k] = -coefficient
    return valley


def _shortest(basic: np.ndarray, valley: np.ndarray) -> np.ndarray:
    """Move along the valley to the point nearest the origin: project the valley out of the basic solution."""
    filled = np.nan_to_num(basic, nan=0.0)
    across, _ = np.linalg.qr(valley)
    return filled - across @ (across.T @ filled)


__all__ = ["ROUNDOFF", "Solution", "inverse_of_upper", "power_of_two", "solve", "solve_upper"]
