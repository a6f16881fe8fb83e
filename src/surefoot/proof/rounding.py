"""How far rounding can have carried a result: a-priori bounds, themselves rounded upward.

A sum of products of length k, in any order, with or without fused multiply-add, is computed with an error of at most

    |fl(x'y) - x'y| <= gamma_k |x|'|y|,   gamma_k = k u / (1 - k u),   u = 2^-53.

This holds for every BLAS that forms each entry of a product from the k products of its row and column; it does not hold
for Strassen-like multiplication. Underflow adds an absolute error, covered by ``TINY`` because everything is scaled
to be of order one first.

Reference: Higham (2002), "Accuracy and Stability of Numerical Algorithms", 2nd ed., SIAM, section 3.1, pp. 61-65
(gamma_k, any order of summation), section 3.5, p. 71 (matrix products); Rump (2010), "Verification methods", Acta
Numerica 19, pp. 287-449.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import TypeVar

import numpy as np

UNIT = 2.0**-53
"""Unit roundoff of a double, rounding to nearest."""

TINY = 2.0**-600
"""Above all that underflow can do to numbers of order one, even where subnormal numbers are flushed to zero."""

ASSUMPTION = (
    "Assumed of the machine: IEEE doubles rounded to nearest, and a BLAS that forms each entry of a matrix product as "
    "a sum of products in some order (fused or not), not by Strassen-like multiplication."
)

Value = TypeVar("Value", float, np.ndarray)


def gamma(terms: int) -> float:
    """The bound ``k u / (1 - k u)``, rounded upward; infinite where it says nothing.

    Examples
    --------
    >>> gamma(100) > 100 * UNIT
    True
    """
    share = terms * UNIT
    return above(share / (1.0 - share), 4) if share < 0.01 else float("inf")


def above(value: Value, roundings: int) -> Value:
    """An upper bound of a non-negative expression of sums, products and roots, computed with so many roundings each.

    A relative error of at most gamma_k in the computed value is covered by the factor 1 + 4 (k + 2) u, in which four is
    two more than needed: that pays for the rounding of the factor itself.
    """
    return value * (1.0 + 4.0 * (roundings + 2) * UNIT)


def below(value: Value, roundings: int) -> Value:
    """A lower bound of a non-negative expression, as ``above``."""
    return value * (1.0 - 4.0 * (roundings + 2) * UNIT)


def at_most(bound: float, digits: int = 2) -> str:
    """An upper bound in so many digits, rounded up: what is printed is proven as well.

    Examples
    --------
    >>> at_most(1.41e-16), at_least(1.49e-16)
    ('1.5e-16', '1.4e-16')
    """
    with localcontext(prec=digits, rounding=ROUND_CEILING):
        return f"{float(+Decimal(bound)):.{digits}g}"


def at_least(bound: float, digits: int = 2) -> str:
    """A lower bound in so many digits, rounded down."""
    with localcontext(prec=digits, rounding=ROUND_FLOOR):
        return f"{float(+Decimal(bound)):.{digits}g}"


def spectral_norm(matrix: np.ndarray) -> float:
    """An upper bound of the 2-norm: the smaller of the Frobenius norm and sqrt(|.|_1 |.|_inf); NaN if an entry is.

    Examples
    --------
    >>> 1.0 <= spectral_norm(np.eye(3)) < 1.0 + 1e-14
    True
    """
    if not matrix.size:
        return 0.0
    size = np.abs(matrix)
    largest = float(size.max())
    if not 0.0 < largest < np.inf:
        return largest
    scale = float(np.exp2(-np.frexp(largest)[1])) if 1e-290 < largest < 1e290 else 1.0
    size = size * scale
    frobenius = float(np.sqrt(np.sum(size * size)))
    mixed = float(np.sqrt(size.sum(axis=0).max() * size.sum(axis=1).max()))
    return above(min(frobenius, mixed), matrix.size + 4) / scale + TINY


def rounds_to_nearest() -> bool:
    """Whether this thread rounds to nearest and keeps subnormal numbers, as every bound here assumes."""
    one, half, least = np.float64(1.0), np.float64(UNIT), np.float64(2.0**-1074)
    nearest = one + half == one and one + half * (one + 2.0**-52) > one and -one - half == -one
    return bool(nearest and least * one == least and least > 0.0)
