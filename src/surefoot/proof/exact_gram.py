"""The Gram matrix of columns that are exactly known, or enclosed.

    G = sum over the rows of w (x, y)' (x, y)

Rational columns are integers in a unit, so their part of ``G`` is a product of integer matrices: nothing is rounded,
and blocks of rows are merged by exact addition. Where a column is enclosed in balls, its products are balls too.

Reference: Golub, Van Loan (2013), "Matrix Computations", 4th ed., section 5.3.2, pp. 262-263 (the normal equations).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from surefoot.problem.balls import Column, as_balls
from surefoot.problem.rationals import Rationals


@dataclass(frozen=True)
class ExactRows:
    """Some rows of a least squares problem.

    Attributes
    ----------
    columns : sequence of Rationals or Balls
        Predictors, further columns, responses: the same in every block.
    weights : Rationals or Balls, optional
        Positive: weight times frequency of each row.
    count : int
        How many rows these are: the sum of the frequencies.
    """

    columns: Sequence[Column]
    weights: Column | None
    count: int


@dataclass(frozen=True)
class Gram:
    """Sums of products of columns.

    Attributes
    ----------
    size : int
        Number of columns.
    known : tuple of int
        The columns whose products with each other are exact.
    exact : flint.fmpq_mat
        Those products.
    balls : flint.arb_mat or None
        All products as balls; None where all are exact.
    count : int
        Rows.
    """

    size: int
    known: tuple[int, ...]
    exact: Any
    balls: Any
    count: int

    @classmethod
    def empty(cls, size: int) -> Gram:
        from flint import fmpq_mat

        return cls(size, tuple(range(size)), fmpq_mat(size, size), None, 0)

    @classmethod
    def of(cls, rows: ExactRows) -> Gram:
        """The Gram matrix of a block, balls in the working precision."""
        weighed = rows.weights is None or isinstance(rows.weights, Rationals)
        rational = [column for column in rows.columns if isinstance(column, Rationals)] if weighed else []
        known = tuple(j for j, column in enumerate(rows.columns) if isinstance(column, Rationals)) if weighed else ()
        size = len(rows.columns)
        weights = rows.weights if isinstance(rows.weights, Rationals) else None
        balls = None if len(known) == size else _ball_products(rows.columns, rows.weights)
        return cls(size, known, _exact_products(rational, weights), balls, rows.count)

    def merge(self, other: Gram) -> Gram:
        """The Gram matrix of both blocks of rows."""
        known = tuple(j for j in self.known if j in other.known)
        balls = None if self.balls is None and other.balls is None else self.enclosed() + other.enclosed()
        exact = self.among(known) + other.among(known)
        return Gram(self.size, known, exact, balls, self.count + other.count)

    @property
    def is_exact(self) -> bool:
        return self.balls is None

    def knows(self, columns: Sequence[int]) -> bool:
        """Whether the products of these columns are exact."""
        return set(columns) <= set(self.known)

    def among(self, columns: Sequence[int]) -> Any:
        """The exact products of some of the known columns, as a matrix of rationals."""
        from flint import fmpq_mat

        if tuple(columns) == self.known:
            return self.exact
        place = {j: k for k, j in enumerate(self.known)}
        entries = [self.exact[place[i], place[j]] for i in columns for j in columns]
        return fmpq_mat(len(columns), len(columns), entries)

    def enclosed(self) -> Any:
        """All products as balls in the working precision, the exact ones as narrow as it allows."""
        from flint import arb, arb_mat

        total = arb_mat(self.size, self.size) if self.balls is None else arb_mat(self.balls)
        for a, i in enumerate(self.known):
            for b, j in enumerate(self.known):
                total[i, j] = arb(self.exact[a, b])
        return total


def _exact_products(columns: Sequence[Rationals], weights: Rationals | None) -> Any:
    from flint import fmpq, fmpq_mat, fmpz_mat

    count = len(columns)
    if not count:
        return fmpq_mat(0, 0)
    height = len(columns[0])
    right = fmpz_mat(count, height, [m for column in columns for m in column.mantissas.tolist()])
    left = right
    if weights is not None:
        scaled = [m for column in columns for m in (column.mantissas * weights.mantissas).tolist()]
        left = fmpz_mat(count, height, scaled)
    products = left * right.transpose()
    units = [fmpq(*column.unit.as_integer_ratio()) for column in columns]
    scale = fmpq(1) if weights is None else fmpq(*weights.unit.as_integer_ratio())
    entries = [products[i, j] * (units[i] * units[j] * scale) for i in range(count) for j in range(count)]
    return fmpq_mat(count, count, entries)


def _ball_products(columns: Sequence[Column], weights: Column | None) -> Any:
    from flint import arb_mat

    made = [as_balls(column) for column in columns]
    right = arb_mat(len(made), len(made[0]), [ball for values in made for ball in values])
    left = right
    if weights is not None:
        scale = as_balls(weights)
        scaled = [ball * weight for values in made for ball, weight in zip(values, scale, strict=True)]
        left = arb_mat(len(made), len(made[0]), scaled)
    return left * right.transpose()
