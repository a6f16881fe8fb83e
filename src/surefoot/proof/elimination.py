"""Elimination on a Gram matrix in balls, and the questions that only exact arithmetic can answer.

Step ``j`` of ``LDL'`` takes the pivot ``d_j`` and leaves ``G_ik - G_ij G_jk / d_j`` for the rest. If every pivot is a
ball right of zero, the matrix is positive definite. What is left of a further column is the sum of squares of its
residual.

Reference: Golub, Van Loan (2013), "Matrix Computations", 4th ed., section 4.2.3, pp. 163-165 (outer product Cholesky).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from surefoot.proof.enclosed import ends, nearest
from surefoot.proof.exact_gram import Gram


@dataclass(frozen=True)
class Dependence:
    """A column that is exactly ``sum(share * other)`` of columns before it, by position; of none if it is zero."""

    column: int
    parts: tuple[tuple[int, Fraction], ...]


@dataclass(frozen=True)
class Facts:
    """Evidence that a Gram matrix is positive definite.

    Attributes
    ----------
    smallest_pivot : float
        Lower bound of every pivot, each relative to its column's own square: the squared sine of the angle between a
        column and the columns before it.
    smallest_eigenvalue : float
        Lower bound of the eigenvalues of ``X'WX``, in the units of the data.
    """

    smallest_pivot: float
    smallest_eigenvalue: float


@dataclass(frozen=True)
class Eliminated:
    """A Gram matrix after the kept columns were eliminated.

    Attributes
    ----------
    matrix : flint.arb_mat
        As it was.
    kept : tuple of int
        The eliminated columns, in order.
    upper : ndarray of flint.arb, shape (r, columns)
        Rows of ``R`` with ``R'R`` the Gram matrix, as far as the kept columns reach.
    left : ndarray of flint.arb, shape (columns, columns)
        What is left.
    inverse : flint.arb_mat
        Of the square part of ``upper``.
    """

    matrix: Any
    kept: tuple[int, ...]
    upper: np.ndarray
    left: np.ndarray
    inverse: Any

    def rest(self, column: int) -> Any:
        """The sum of squares of a column's residual after regression on the kept ones."""
        return self.left[column, column]

    def coefficients(self, column: int) -> list[Any]:
        """The regression of a column on the kept ones."""
        from flint import arb_mat

        count = len(self.kept)
        found = self.inverse * arb_mat(count, 1, self.upper[:, column].tolist())
        return [found[k, 0] for k in range(count)]

    def bread(self) -> list[Any]:
        """The diagonal of the inverse of ``X'WX``."""
        count = len(self.kept)
        squares = [[self.inverse[i, j] * self.inverse[i, j] for j in range(i, count)] for i in range(count)]
        return [sum(row[1:], row[0]) for row in squares]

    def facts(self) -> Facts:
        """What proves that the kept columns are independent."""
        from flint import arb

        pivots = [self.upper[k, j] ** 2 / self.matrix[j, j] for k, j in enumerate(self.kept)]
        trace = sum(self.bread(), arb(0))
        return Facts(min((_down(pivot) for pivot in pivots), default=1.0), _down(1 / trace) if self.kept else 0.0)

    def doubles(self, responses: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``R``, its inverse and the effects of the responses, as doubles."""
        count, size = len(self.kept), self.matrix.nrows()
        upper = _doubles(self.upper[:, list(self.kept)])
        inverse = np.array(self.inverse.entries(), dtype=object).reshape(count, count)
        effects = _doubles(self.upper[:, size - responses :])
        return upper, _doubles(inverse), effects[:, 0] if responses == 1 else effects


def eliminate(matrix: Any, kept: Sequence[int]) -> Eliminated | None:
    """Eliminate columns in order; None where a pivot may be zero at this precision.

    Parameters
    ----------
    matrix : flint.arb_mat
        Encloses a Gram matrix.
    kept : sequence of int
        Columns to eliminate.
    """
    from flint import arb, arb_mat

    size, count = matrix.nrows(), len(kept)
    left = np.array(matrix.entries(), dtype=object).reshape(size, size)
    upper = np.full((count, size), arb(0), dtype=object)
    for k, j in enumerate(kept):
        pivot = left[j, j]
        if not pivot > 0:
            return None
        rest = [i for i in range(size) if i not in kept[: k + 1]]
        row = left[j, rest]
        upper[k, j], upper[k, rest] = pivot.sqrt(), row / pivot.sqrt()
        left[np.ix_(rest, rest)] -= np.multiply.outer(row / pivot, row)
    square = arb_mat(count, count, upper[:, list(kept)].ravel().tolist())
    try:
        inverse = square.inv() if count else square
    except ZeroDivisionError:
        return None
    return Eliminated(matrix, tuple(kept), upper, left, inverse)


def dependences(exact: Any, columns: Sequence[int]) -> tuple[Dependence, ...]:
    """Which of the columns are combinations of those before them, from their exact Gram matrix.

    The null space of ``X'WX`` is that of ``X``, so the reduced row echelon form of the one tells of the other.

    Parameters
    ----------
    exact : flint.fmpq_mat
        Gram matrix.
    columns : sequence of int
        Positions to speak of.
    """
    reduced, rank = exact.rref()
    if rank == len(columns):
        return ()
    pivots: list[int] = []
    found = []
    for j in range(len(columns)):
        if len(pivots) < rank and reduced[len(pivots), j] != 0:
            pivots.append(j)
            continue
        shares = [(columns[p], _fraction(reduced[k, j])) for k, p in enumerate(pivots)]
        found.append(Dependence(columns[j], tuple((p, share) for p, share in shares if share)))
    return tuple(found)


def exact_solution(gram: Gram, kept: Sequence[int], response: int) -> list[Any]:
    """Coefficients as rational numbers, in the narrowest balls: those that are zero are zero."""
    from flint import arb

    return [arb(value) for value in _rational_solution(gram, kept, response)]


def exact_residual(gram: Gram, kept: Sequence[int], response: int) -> Any:
    """The residual sum of squares as a rational number: exactly zero where it is zero."""
    matrix = gram.among([*kept, response])
    count = len(kept)
    total = matrix[count, count]
    for k, value in enumerate(_rational_solution(gram, kept, response)):
        total -= value * matrix[k, count]
    return total


def _rational_solution(gram: Gram, kept: Sequence[int], response: int) -> list[Any]:
    from flint import fmpq_mat

    count = len(kept)
    if not count:
        return []
    matrix = gram.among([*kept, response])
    left = fmpq_mat(count, count, [matrix[i, j] for i in range(count) for j in range(count)])
    right = fmpq_mat(count, 1, [matrix[i, count] for i in range(count)])
    solution = left.solve(right)
    return [solution[k, 0] for k in range(count)]


def _fraction(value: Any) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def _down(ball: Any) -> float:
    """A double at or below a positive number in the ball, however wide the ball is."""
    if not ball.is_finite():
        return 0.0
    low = ends(ball)[0]
    value = max(nearest(low), 0.0)
    if np.isinf(value):
        return float(np.finfo(float).max)
    return value if value == 0 or Fraction(value) <= low else float(np.nextafter(value, -np.inf))


def _doubles(balls: np.ndarray) -> np.ndarray:
    """The middles of balls as doubles."""
    return np.array([float(ball) for ball in balls.ravel().tolist()], dtype=float).reshape(balls.shape)
