"""The statistics of a linear fit, from the triangle alone.

With the residual length ``rho``, ``n`` rows and rank ``r``: ``sigma^2 = rho^2 / (n - r)``, ``Cov(b) = sigma^2 T T'``,
and with the response split by the orthonormal columns into effects ``e = Q'y``, ``|y|^2 = |e|^2 + rho^2``. Lengths are
kept instead of their squares until the last, so that columns of any unit stay clear of overflow.

Reference: Draper, Smith (1998), "Applied Regression Analysis", 3rd ed., Wiley, chapters 1, 5 and 6, pp. 28-46, 135-150;
the likelihood and the criteria as in Venables, Ripley (2002), "Modern Applied Statistics with S", p. 174, with the
number of coefficients as the number of parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.leastsquares.rank import length
from surefoot.leastsquares.solution import Solution
from surefoot.leastsquares.triangle import Triangle


@dataclass(frozen=True)
class Statistics:
    """What a summary prints of a whole fit.

    Attributes
    ----------
    rows : int
        Rows that count (the sum of the frequencies; rows of weight zero do not).
    df_model, df_residual : int
        Degrees of freedom; ``df_model`` leaves the constant out.
    sigma : float
        Residual standard deviation; NaN without degrees of freedom.
    residual_length, total_length : float
        Square roots of the residual and total sums of squares, the latter about the mean if there is a constant.
    has_constant : bool
        Whether a constant lies in the space of the columns, written as an intercept or not.
    r2, r2_adjusted, f, f_p : float
        NaN where they are not defined.
    log_likelihood, aic, bic : float
        Gaussian, at the maximum likelihood variance.
    """

    rows: int
    df_model: int
    df_residual: int
    sigma: float
    residual_length: float
    total_length: float
    has_constant: bool
    r2: float
    r2_adjusted: float
    f: float
    f_p: float
    log_likelihood: float
    aic: float
    bic: float


def describe(triangle: Triangle, solution: Solution, has_intercept: bool) -> Statistics:
    """All of it, from a triangle ``[X y]`` or ``[X 1 y]`` (no intercept) and its solution."""
    rows, rank, rho = triangle.rows, solution.rank.rank, solution.residual_length
    has_constant, explained = _explained(triangle, solution, has_intercept)
    df_model, df_residual = rank - has_constant, rows - rank
    total = float(np.hypot(length(explained), rho))
    varies = total > 64 * np.finfo(float).eps * solution.response_length()
    sigma = rho / np.sqrt(df_residual) if df_residual > 0 else float("nan")
    unexplained = (rho / total) ** 2 if varies else float("nan")
    r2 = 1 - unexplained
    tested = df_residual > 0 and df_model > 0 and varies
    with np.errstate(all="ignore"):
        f = (
            float(np.float64(length(explained) / np.sqrt(max(df_model, 1)) / np.float64(sigma)) ** 2)
            if tested
            else float("nan")
        )
    likelihood = _log_likelihood(triangle, rho)
    return Statistics(
        rows, df_model, df_residual, float(sigma), rho, total, has_constant, float(r2),
        float(1 - unexplained * (rows - has_constant) / df_residual) if df_residual > 0 else float("nan"),
        f, f_tail(f, df_model, df_residual) if tested else float("nan"),
        likelihood, -2 * likelihood + 2 * rank, float(-2 * likelihood + np.log(rows) * rank) if rows else float("nan"),
    )  # fmt: skip


def _explained(triangle: Triangle, solution: Solution, has_intercept: bool) -> tuple[bool, np.ndarray]:
    """Effects about the mean, where the columns span a constant; the effects as they are, where not."""
    effects = solution.effects
    if has_intercept:
        return True, effects[1:]
    direction = constant_direction(triangle, solution, has_intercept)
    return (False, effects) if direction is None else (True, effects - direction * (direction @ effects))


def constant_direction(triangle: Triangle, solution: Solution, has_intercept: bool) -> np.ndarray | None:
    """The constant as a unit vector in the orthonormal coordinates of the columns; None where they do not span it."""
    kept, ones = solution.kept, triangle.columns - 2
    if not len(kept):
        return None
    if has_intercept:
        return np.eye(len(kept))[0]
    column = triangle.selected([*kept, ones]).upper()[:, -1]
    inside, outside = column[: len(kept)], float(np.linalg.norm(column[len(kept) :]))
    if outside > solution.rank.tolerance * np.linalg.norm(column):
        return None
    # The signs of the triangle's rows are fixed, so these coordinates are those of the effects.
    return inside / np.linalg.norm(inside)


def _log_likelihood(triangle: Triangle, rho: float) -> float:
    rows = triangle.rows
    if rows == 0 or rho == 0:
        return float("inf") if rows else float("nan")
    return float(0.5 * (triangle.log_weight - rows * (np.log(2 * np.pi / rows) + 2 * np.log(rho) + 1)))


def t_two_sided(t: np.ndarray | float, df: float) -> np.ndarray:
    """Probability of a larger absolute t."""
    from scipy.special import stdtr

    return 2 * stdtr(df, -np.abs(t))


def t_quantile(level: float, df: float) -> float:
    """Half-width, in standard errors, of a two-sided interval."""
    from scipy.special import stdtrit

    return float(stdtrit(df, 0.5 + level / 2)) if df > 0 else float("nan")


def f_tail(f: float, df_numerator: float, df_denominator: float) -> float:
    """Probability of a larger F."""
    from scipy.special import fdtrc

    return float(fdtrc(df_numerator, df_denominator, f))


def chi2_tail(value: float, df: float) -> float:
    """Probability of a larger chi-square."""
    from scipy.special import chdtrc

    return float(chdtrc(df, value))
