"""Least squares in exact rational arithmetic on doubles: what every answer in floating point is held against.

truth = solve(X, y)          # a double is a rational number, and so is the solution of the normal equations
correct(estimate, truth.coef[0])
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
from flint import fmpq, fmpq_mat


@dataclass(frozen=True)
class Exact:
    """The exact minimiser of the weighted sum of squares.

    ``coef`` and ``residual_ss`` are rational, ``inverse`` is that of ``X'WX`` and ``bread`` its diagonal.
    """

    coef: list[Fraction]
    residual_ss: Fraction
    bread: list[Fraction]
    rows: int
    inverse: fmpq_mat

    @property
    def variance(self) -> Fraction:
        return self.residual_ss / (self.rows - len(self.coef))

    @property
    def stderr(self) -> list[float]:
        """Rounded once, at the end."""
        return [root(self.variance * b) for b in self.bread]

    def mean(self, row) -> tuple[float, float]:
        """The fitted mean at a row of predictors and its standard error, each rounded once."""
        at = matrix([row])
        value = sum((b * Fraction(float(x)) for b, x in zip(self.coef, row, strict=True)), Fraction(0))
        return float(value), root(self.variance * _fraction((at.transpose() * self.inverse * at)[0, 0]))


def rationals(values) -> list[fmpq]:
    """Doubles, integers or fractions as rationals of flint."""
    return [_rational(value) for value in values]


def _rational(value) -> fmpq:
    fraction = value if isinstance(value, Fraction) else Fraction(float(value))
    return fmpq(fraction.numerator, fraction.denominator)


def matrix(columns) -> fmpq_mat:
    """A matrix from its columns, each a sequence of numbers; a NumPy matrix goes in transposed."""
    columns = [rationals(column) for column in columns]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return fmpq_mat(len(rows), len(columns), [value for row in rows for value in row])


def solve(X, y, weights=None) -> Exact:
    """Minimise ``sum w (y - X b)^2`` exactly; ``X`` is a NumPy matrix or a list of columns, of full rank."""
    columns = X.T if isinstance(X, np.ndarray) else X
    design, response = matrix(columns), matrix([y])
    rows = design.nrows()
    weighted = design
    if weights is not None:
        scale = rationals(weights)
        entries = [design[i, j] * scale[i] for i in range(rows) for j in range(design.ncols())]
        weighted = fmpq_mat(rows, design.ncols(), entries)
    inverse = (weighted.transpose() * design).inv()
    coef = inverse * (weighted.transpose() * response)
    residual = response - design * coef
    squares = sum(
        (residual[i, 0] ** 2 * (1 if weights is None else scale[i]) for i in range(rows)),
        fmpq(0),
    )
    return Exact(
        [_fraction(coef[j, 0]) for j in range(design.ncols())],
        _fraction(squares),
        [_fraction(inverse[j, j]) for j in range(design.ncols())],
        rows,
        inverse,
    )


def _fraction(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def root(value: Fraction) -> float:
    """Square root of an exact number, rounded once."""
    with localcontext(prec=60):
        return float((Decimal(value.numerator) / Decimal(value.denominator)).sqrt())


def correct(estimate, truth: Fraction) -> float:
    """Correct digits, unlimited: -log10 of the exact relative error; infinite if exact, 0 at least."""
    estimate = float(estimate)
    if not math.isfinite(estimate):
        return 0.0
    error = abs(Fraction(estimate) - truth)
    if error == 0:
        return math.inf
    if truth == 0:
        return 0.0
    relative = error / abs(truth)
    with localcontext(prec=40):
        return max(0.0, -float((Decimal(relative.numerator) / Decimal(relative.denominator)).log10()))
