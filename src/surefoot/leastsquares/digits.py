"""How many digits of each coefficient are determined: first-order bounds on what rounding can have done to them.

Perturbing each entry of the data by a relative u changes the coefficients by at most, to first order,

    u ( |A+| (|b| + |A||x|) + |(A'A)^-1| |A'||r| ),

which a second pass over the rows evaluates. From the triangle alone the norms of the rows and columns of these
matrices bound it from above (Cauchy-Schwarz), which also covers the rounding of a QR factorisation, column by column;
of k factorisations one after the other, as in a long chain of small batches, sqrt(k) times as much.

Reference: Higham (2002), "Accuracy and Stability of Numerical Algorithms", 2nd ed., SIAM, theorem 20.2, p. 383, and
theorem 20.3, p. 384 (backward error of Householder QR).
"""

from __future__ import annotations

import numpy as np

from surefoot.leastsquares.rank import ROUNDOFF, lengths
from surefoot.leastsquares.solution import Solution

MOST = 15.95
"""Digits of a double."""


def bound_from_triangle(solution: Solution) -> np.ndarray:
    """Upper bound on the error of each kept coefficient, from norms alone, shape (rank,)."""
    spread = solution.spread[solution.kept]
    rows = lengths(spread.T)
    columns = lengths(solution.upper)
    data = solution.response_length() + float(columns @ np.abs(solution.coef[solution.kept]))
    inverse = np.abs(spread @ spread.T)
    rounding = ROUNDOFF * np.sqrt(solution.rounds)
    return rounding * (rows * data + inverse @ columns * solution.residual_length)


def digits_of(solution: Solution, bound: np.ndarray) -> np.ndarray:
    """Digits of each coefficient, NaN where it was dropped or chosen among many, between 0 and what a double holds."""
    digits = np.full(len(solution.coef), np.nan)
    if solution.has_choice:
        return digits
    size = np.abs(solution.coef[solution.kept])
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(bound == 0, 0.0, bound / size)
        found = -np.log10(relative)
    digits[solution.kept] = np.clip(np.nan_to_num(found, nan=0.0, neginf=0.0, posinf=MOST), 0.0, MOST)
    return digits
