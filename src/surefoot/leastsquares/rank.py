"""Which columns of a triangle are independent, and how the others follow from them.

Columns are scaled to length one before any decision, so the units of a column cannot decide its fate. A column is
*aliased* when changing it and the kept columns before it by no more than rounding would make it a combination of them:

    |a_j - A_kept c| <= tolerance (|a_j| + sum |c_k| |a_k|).

For a triangle R of columns of length one that is: the entries of column j of R^-1 have a sum of sizes of at least
1 / tolerance.

The tolerance depends on the number of columns only, never on the number of rows or on the size of the entries.

Reference: Bjorck (1996), "Numerical Methods for Least Squares Problems", SIAM, section 2.7.1, pp. 103-104 (numerical
rank and scaling); the order of the columns is kept as in LINPACK's dqrdc2 of R: later columns give way to earlier ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROUNDOFF = np.finfo(float).eps / 2


@dataclass(frozen=True)
class Alias:
    """A column that is a combination of others: ``column = sum(coefficient * other)``, by position."""

    column: int
    parts: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Rank:
    """The columns that are kept, the aliased ones, and the condition of the kept ones.

    Attributes
    ----------
    kept : tuple of int
        Positions of the independent columns, in order.
    aliased : tuple of Alias
        The others, each with the kept columns that it depends on.
    singular_values : ndarray, shape (rank,)
        Of the kept columns scaled to length one, falling.
    tolerance : float
        What was used: relative changes of the columns up to it count as rounding.
    """

    kept: tuple[int, ...]
    aliased: tuple[Alias, ...]
    singular_values: np.ndarray
    tolerance: float

    @property
    def rank(self) -> int:
        return len(self.kept)

    @property
    def condition(self) -> float:
        """Condition number of the kept columns scaled to length one; 1 when there is no column."""
        if self.rank == 0:
            return 1.0
        smallest = self.singular_values[-1]
        return float(self.singular_values[0] / smallest) if smallest > 0 else float("inf")


def lengths(matrix: np.ndarray) -> np.ndarray:
    """Euclidean length of each column, without overflow or underflow for entries from 1e-300 to 1e300."""
    largest = np.max(np.abs(matrix), axis=0, initial=0.0)
    divisor = np.where(largest > 0, largest, 1.0)
    return largest * np.sqrt(np.sum((matrix / divisor) ** 2, axis=0))


def length(vector: np.ndarray) -> float:
    """Euclidean length of a vector, as safe as ``lengths``."""
    return float(lengths(vector.reshape(-1, 1))[0])


def find_rank(upper: np.ndarray) -> Rank:
    """Decide the rank of the columns of an upper triangle (the response left out).

    Parameters
    ----------
    upper : ndarray, shape (k, p)
        The leading ``p`` columns of the triangle.
    """
    columns = upper.shape[1]
    tolerance = tolerance_for(columns)
    sizes = lengths(upper)
    unit = upper / np.where(sizes > 0, sizes, 1.0)
    if columns and np.all(sizes > 0) and _all_independent(unit[:columns], tolerance):
        kept = list(range(columns))
    else:
        kept = _independent(unit, sizes > 0, tolerance)
    return Rank(
        tuple(kept),
        _aliases(unit, sizes, kept, tolerance),
        np.linalg.svd(unit[:, kept], compute_uv=False) if kept else np.zeros(0),
        tolerance,
    )


def tolerance_for(columns: int) -> float:
    """The relative change of columns that counts as rounding."""
    return 64 * ROUNDOFF * max(1.0, np.sqrt(columns))


def has_full_rank(upper: np.ndarray) -> bool:
    """Whether ``find_rank`` would keep every column of a square upper triangle; no singular value is computed."""
    sizes = lengths(upper)
    if not np.all(sizes > 0):
        return False
    if not len(upper):
        return True
    unit, tolerance = upper / sizes, tolerance_for(upper.shape[1])
    # The columns of R^-1 have sums of at most its one-norm, which the estimated condition is within a few times of.
    return triangular_condition(unit) < 0.01 / tolerance or _all_independent(unit, tolerance)


def triangular_condition(upper: np.ndarray) -> float:
    """Estimate of the condition number of a triangle in the one-norm; infinite where it is singular."""
    from scipy.linalg import lapack

    if not upper.size:
        return 1.0
    reciprocal, _ = lapack.dtrcon(upper, norm="1", uplo="U")  # pyright: ignore[reportAttributeAccessIssue]
    return float(1 / reciprocal) if reciprocal > 0 else float("inf")


def _all_independent(unit: np.ndarray, tolerance: float) -> bool:
    """Whether every column of a square upper triangle is kept."""
    if not np.all(np.abs(np.diagonal(unit)) > tolerance):
        return False
    from scipy.linalg import lapack

    inverse = np.triu(lapack.dtrtri(unit)[0])  # pyright: ignore[reportAttributeAccessIssue]
    return bool(np.all(np.sum(np.abs(inverse), axis=0) < 1 / tolerance))


def _independent(unit: np.ndarray, nonzero: np.ndarray, tolerance: float) -> list[int]:
    """Positions kept, by orthogonalising column after column, twice for good measure (Bjorck 1996, p. 70)."""
    from scipy.linalg import solve_triangular

    height, width = unit.shape
    basis, upper = np.zeros((height, min(height, width))), np.zeros((width, width))
    kept: list[int] = []
    for j in np.flatnonzero(nonzero):
        count = len(kept)
        rest, inside = unit[:, j], np.zeros(count)
        for _ in range(2):
            along = basis[:, :count].T @ rest
            rest, inside = rest - basis[:, :count] @ along, inside + along
        size = float(np.linalg.norm(rest))
        shares = solve_triangular(upper[:count, :count], inside, check_finite=False) if count else inside
        if size > tolerance * (1 + float(np.sum(np.abs(shares)))):
            basis[:, count] = rest / size
            upper[:count, count], upper[count, count] = inside, size
            kept.append(int(j))
    return kept


def _aliases(unit: np.ndarray, sizes: np.ndarray, kept: list[int], tolerance: float) -> tuple[Alias, ...]:
    """How each dropped column follows from the kept ones, in the columns' own units."""
    dropped = [j for j in range(unit.shape[1]) if j not in set(kept)]
    if not dropped:
        return ()
    shares = np.linalg.lstsq(unit[:, kept], unit[:, dropped], rcond=None)[0] if kept else np.zeros((0, len(dropped)))
    # A share that moves the column by less than the square root of rounding is noise of the solve, not a dependence.
    shares[np.abs(shares) < np.sqrt(ROUNDOFF)] = 0.0
    found = []
    for column, share in zip(dropped, shares.T, strict=True):
        parts = [(j, _tidy(s * (sizes[column] / sizes[j]))) for j, s in zip(kept, share, strict=True) if s]
        found.append(Alias(column, tuple(parts)))
    return tuple(found)


def _tidy(coefficient: float) -> float:
    """A whole number where the coefficient is one up to the rounding of the solve."""
    nearest = round(coefficient) if abs(coefficient) < 1e6 else coefficient
    return float(nearest) if abs(coefficient - nearest) < 1e-9 * abs(nearest) else float(coefficient)
