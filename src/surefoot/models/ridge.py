"""Ridge regression for every penalty at once, and variance inflation, both from the triangle alone.

The bowl ``|y - Xb|^2 + penalty |D b|^2`` with the columns centred and ``D`` their standard deviations is, in the
singular
vectors of the centred and scaled triangle ``U S V'``, a shrinkage by ``s^2 / (s^2 + penalty)``: one SVD serves the
whole path.

Reference: Hoerl, Kennard (1970), "Ridge regression", Technometrics 12(1), pp. 55-67; Hastie, Tibshirani, Friedman
(2009),
"The Elements of Statistical Learning", 2nd ed., pp. 64-68.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.errors import ModelError
from surefoot.leastsquares.rank import ROUNDOFF, lengths
from surefoot.leastsquares.triangle import Triangle


@dataclass(frozen=True)
class RidgePath:
    """Coefficients along a path of penalties.

    Attributes
    ----------
    penalties : ndarray, shape (k,)
        In units of squared standard deviations times rows: the same for any units of the columns.
    coef : ndarray, shape (k, p)
        In the columns' own units, the intercept included and never penalised.
    names : tuple of str
        Names of the coefficients.
    df : ndarray, shape (k,)
        Effective degrees of freedom, the intercept included.
    gcv : ndarray, shape (k,)
        Generalised cross-validation; smaller is better.
    """

    penalties: np.ndarray
    coef: np.ndarray
    names: tuple[str, ...]
    df: np.ndarray
    gcv: np.ndarray

    @property
    def best(self) -> int:
        """Position of the penalty with the smallest GCV."""
        return int(np.argmin(self.gcv))


def ridge_path(
    triangle: Triangle, names: tuple[str, ...], has_intercept: bool, penalties: np.ndarray | None
) -> RidgePath:
    """The path, from the triangle of ``[X y]`` or ``[X 1 y]``.

    Parameters
    ----------
    penalties : ndarray, optional
        Not negative; by default fifty from 1e-6 to 1e2 times the number of rows, evenly spaced in the logarithm.
    """
    penalties = (
        triangle.weight * np.logspace(-6, 2, 50) if penalties is None else np.atleast_1d(np.asarray(penalties, float))
    )
    if np.any(penalties < 0) or not np.all(np.isfinite(penalties)):
        raise ModelError("A ridge penalty is a finite number that is not negative.")
    upper, first, count = triangle.upper(), int(has_intercept), len(names)
    if count == first:
        raise ModelError("There is no coefficient beside the intercept, so there is nothing to penalise.")
    # Below the intercept's row the triangle is that of the centred columns; without an intercept nothing is centred.
    inner, response = upper[first:, first:count], upper[first:, -1]
    deviations = lengths(inner) / np.sqrt(triangle.weight)
    constant = lengths(inner) <= 64 * ROUNDOFF * lengths(upper[:, first:count])
    if np.any(constant):
        name = names[first + int(np.argmax(constant))]
        raise ModelError(f"Column {name} is constant: leave it out for a ridge path.")
    left, singular, right = np.linalg.svd(inner / deviations, full_matrices=False)
    shrink = singular / (singular**2 + penalties[:, None])
    slopes = ((shrink * (left.T @ response)) @ right) / deviations
    coef = slopes
    if has_intercept:
        intercept = (upper[0, -1] - slopes @ upper[0, 1:count]) / upper[0, 0]
        coef = np.column_stack([intercept, slopes])
    df = np.sum(shrink * singular, axis=1) + first
    residual = np.linalg.norm(response[:, None] - inner @ slopes.T, axis=0) ** 2
    gcv = triangle.rows * residual / np.maximum(triangle.rows - df, np.finfo(float).tiny) ** 2
    return RidgePath(penalties, coef, names, df, gcv)


def variance_inflation(upper: np.ndarray, spread: np.ndarray, has_intercept: bool) -> np.ndarray:
    """How much of each squared standard error is due to the other columns; NaN for the intercept.

    Parameters
    ----------
    upper : ndarray, shape (r, r)
        Triangle of the kept columns.
    spread : ndarray, shape (r, r)
        ``T`` with ``T T'`` the inverse cross product.
    """
    first = int(has_intercept)
    alone = lengths(upper[first:, first:])
    return np.concatenate([np.full(first, np.nan), (alone * lengths(spread[first:].T)) ** 2])
