"""Standard errors: classical from the triangle alone; robust, clustered and serially correlated from a second pass.

In the orthonormal coordinates ``q_i = T' x_i`` of the fit every one of them is a sandwich ``T M T'`` with its own meat:

    classical  M = sigma^2 I                           HC0  M = sum e_i^2 q_i q_i'
    HC1  HC0 times n / (n - r)                         HC2, HC3  e_i^2 / (1 - h_i), e_i^2 / (1 - h_i)^2
    cluster  M = sum_g s_g s_g', s_g = sum e_i q_i     HAC  Bartlett weights over the lags

References: MacKinnon, White (1985), J. Econometrics 29, pp. 305-325 (HC); Cameron, Miller (2015), J. Human Resources
50,
pp. 317-372 (clusters); Newey, West (1987), Econometrica 55, pp. 703-708 (HAC).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from surefoot.data.frame import Coded
from surefoot.errors import ModelError
from surefoot.leastsquares.rank import lengths
from surefoot.leastsquares.solution import Solution
from surefoot.models.look import Residuals
from surefoot.models.statistics import Statistics

KINDS = ("HC0", "HC1", "HC2", "HC3", "cluster", "HAC")


@dataclass(frozen=True)
class Covariance:
    """The covariance matrix of the coefficients, kept as a factor.

    Attributes
    ----------
    kind : str
        'classical', 'HC0' to 'HC3', 'cluster' or 'HAC'.
    factor : ndarray, shape (p, r)
        ``factor @ factor.T`` is the covariance matrix; rows of dropped coefficients are NaN.
    df : float
        Degrees of freedom of the t distribution that goes with it.
    detail : str
        What else was decided: the groups, the lags.
    """

    kind: str
    factor: np.ndarray
    df: float
    detail: str = ""

    @property
    def stderr(self) -> np.ndarray:
        """Standard errors, shape (p,)."""
        return lengths(self.factor.T) if self.factor.shape[1] else np.full(len(self.factor), np.nan)

    def matrix(self) -> np.ndarray:
        """The covariance matrix, shape (p, p)."""
        return self.factor @ self.factor.T


def classical(solution: Solution, statistics: Statistics) -> Covariance:
    """``sigma^2 (X'WX)^-1``."""
    return Covariance("classical", solution.reported_spread * statistics.sigma, float(statistics.df_residual))


def robust(
    kind: str,
    solution: Solution,
    statistics: Statistics,
    blocks: Iterable[Residuals],
    *,
    groups: str | None = None,
    lags: int | None = None,
) -> Covariance:
    """Standard errors that do not lean on equal variances or on independence.

    Parameters
    ----------
    kind : str
        'HC0', 'HC1', 'HC2', 'HC3', 'cluster' (with ``groups``) or 'HAC' (with ``lags``).
    solution, statistics
        Of the fit.
    blocks : iterable of Residuals
        A second pass over the rows.
    groups : str
        The column that names the cluster of each row.
    lags : int
        How many rows back residuals may be correlated.
    """
    if statistics.df_residual <= 0:
        raise ModelError(f"{kind} standard errors need more rows than coefficients; this fit has none to spare.")
    # Residuals in units of their own size: squares of very large or small ones would overflow or vanish.
    unit = statistics.sigma or 1.0
    blocks = (replace(seen, residual=seen.residual / unit) for seen in blocks)
    if kind == "cluster":
        meat, df, detail = _cluster(blocks, solution, statistics, groups)
    elif kind == "HAC":
        meat, df, detail = _hac(blocks, solution, statistics, lags)
    elif kind in KINDS:
        meat, df, detail = _heteroskedastic(kind, blocks, solution, statistics), float(statistics.df_residual), ""
    else:
        raise ModelError(f"Standard errors of kind {kind!r} are not known: choose one of {', '.join(KINDS)}.")
    return Covariance(kind, solution.reported_spread @ _root(meat) * unit, df, detail)


def _heteroskedastic(kind: str, blocks: Iterable[Residuals], solution: Solution, statistics: Statistics) -> np.ndarray:
    power = {"HC2": 1, "HC3": 2}.get(kind, 0)
    meat = _empty(solution)
    for seen in blocks:
        squares = seen.frequencies * seen.residual**2
        if power:
            alone = np.maximum(1 - seen.leverage, np.finfo(float).eps)
            squares = squares / alone**power
        meat += (seen.rotated * squares[:, None]).T @ seen.rotated
    return meat * (statistics.rows / statistics.df_residual if kind == "HC1" else 1.0)


def _cluster(
    blocks: Iterable[Residuals], solution: Solution, statistics: Statistics, groups: str | None
) -> tuple[np.ndarray, float, str]:
    if groups is None:
        raise ModelError("Clustered standard errors need the column of the clusters: groups='firm'.")
    scores: dict[Any, np.ndarray] = {}
    for seen in blocks:
        for label, score in _by_group(seen, groups):
            scores[label] = scores.get(label, 0.0) + score
    count = len(scores)
    if count < 2:
        raise ModelError(
            f"All rows are of one cluster in column {groups}: clustered standard errors need at least two."
        )
    stacked = np.array(list(scores.values()))
    small_sample = count / (count - 1) * (statistics.rows - 1) / statistics.df_residual
    return stacked.T @ stacked * small_sample, float(count - 1), f"{count} clusters of {groups}"


def _by_group(seen: Residuals, groups: str) -> Iterable[tuple[Any, np.ndarray]]:
    """The sum of the scores of each group within a block."""
    values = seen.block.frame.columns[groups]
    if isinstance(values, Coded):
        present, place = np.unique(values.codes, return_inverse=True)
        labels: list[Any] = [values.labels[code] for code in present]
    else:
        present, place = np.unique(values, return_inverse=True)
        labels = present.tolist()
    score = seen.rotated * (seen.frequencies * seen.residual)[:, None]
    sums = np.zeros((len(labels), score.shape[1]))
    np.add.at(sums, place, score)
    return zip(labels, sums, strict=True)


def _hac(
    blocks: Iterable[Residuals], solution: Solution, statistics: Statistics, lags: int | None
) -> tuple[np.ndarray, float, str]:
    if lags is None:
        lags = int(np.floor(4 * (statistics.rows / 100) ** (2 / 9)))
    if lags < 0:
        raise ModelError(f"lags={lags}: the number of lags is a whole number, zero or more.")
    meat, tail = _empty(solution), np.zeros((0, solution.rank.rank))
    for seen in blocks:
        if seen.block.frequencies is not None:
            raise ModelError("HAC standard errors follow the order of single rows; rows with frequencies have none.")
        score = np.vstack([tail, seen.rotated * seen.residual[:, None]])
        fresh = len(tail)
        meat += score[fresh:].T @ score[fresh:]
        for lag in range(1, min(lags, len(score) - 1) + 1):
            later = score[max(fresh, lag) :]
            earlier = score[max(fresh, lag) - lag : len(score) - lag]
            crossed = later.T @ earlier
            meat += (1 - lag / (lags + 1)) * (crossed + crossed.T)
        tail = score[max(0, len(score) - lags) :] if lags else tail
    return meat, float(statistics.df_residual), f"{lags} lags, Bartlett weights"


def _empty(solution: Solution) -> np.ndarray:
    return np.zeros((solution.rank.rank, solution.rank.rank))


def _root(meat: np.ndarray) -> np.ndarray:
    """A factor ``F`` with ``F F' = M`` of a positive semidefinite matrix."""
    values, vectors = np.linalg.eigh((meat + meat.T) / 2)
    return vectors * np.sqrt(np.maximum(values, 0.0))


__all__ = ["KINDS", "Covariance", "classical", "robust"]
