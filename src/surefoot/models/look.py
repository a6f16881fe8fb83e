"""A second look at the rows once the coefficients are known: residuals, leverage, and how well rounding was kept out.

One pass gives everything but the residual quartiles, which need the range first. Weighted fits look at weighted
residuals ``w^(1/2) r``, as R and statsmodels do; a row of frequency f is f rows that follow each other.

References: Durbin, Watson (1950), Biometrika 37, pp. 409-428; Jarque, Bera (1987), Int. Stat. Review 55, pp. 163-172;
Karlson, Walden (1997), BIT 37, pp. 862-869 (backward error); Higham (2002), "Accuracy and Stability of Numerical
Algorithms", 2nd ed., SIAM, section 20.1, p. 383 (componentwise bound on the coefficients).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from surefoot.data.design import Block, Design
from surefoot.data.frame import Frame
from surefoot.data.learning import Learner, learn, learn_quantiles
from surefoot.leastsquares.backward import karlson_walden
from surefoot.leastsquares.rank import ROUNDOFF, lengths
from surefoot.leastsquares.solution import Solution
from surefoot.models.rows import Reader


@dataclass(frozen=True)
class Look:
    """What a second pass found.

    Attributes
    ----------
    quartiles : tuple of five floats
        Smallest, lower quartile, median, upper quartile and largest residual.
    durbin_watson, skew, kurtosis, jarque_bera, jarque_bera_p : float
        Of the residuals; kurtosis is 3 for a normal distribution.
    largest_leverage : float
        Largest diagonal element of the hat matrix, at the row ``largest_leverage_row`` (1-based, in the source's
        order).
    orthogonality : float
        Largest cosine between the residual and a column.
    residual_units : float
        Length of the residual in units of its own rounding ``u (|y| + |A||x|)``: a few units or less are no residual
        at all, and its direction then means nothing.
    backward_error : float
        Karlson-Walden estimate, relative to the matrix with columns of length one.
    bound : ndarray, shape (rank,)
        Componentwise first-order bound on the error of each kept coefficient from rounding data and columns once.
    """

    quartiles: tuple[float, ...]
    durbin_watson: float
    skew: float
    kurtosis: float
    jarque_bera: float
    jarque_bera_p: float
    largest_leverage: float
    largest_leverage_row: int
    orthogonality: float
    residual_units: float
    backward_error: float
    bound: np.ndarray


@dataclass(frozen=True)
class Residuals:
    """One block seen from the solution. Everything is weighted: rows are multiplied by ``w^(1/2)``."""

    block: Block
    predictors: np.ndarray
    response: np.ndarray
    fitted: np.ndarray
    residual: np.ndarray
    rotated: np.ndarray
    frequencies: np.ndarray

    @property
    def leverage(self) -> np.ndarray:
        """Diagonal of the hat matrix, of one row of each frequency."""
        return np.sum(self.rotated**2, axis=1)


def residuals_of(block: Block, solution: Solution) -> Residuals:
    """Residuals and orthonormal coordinates of the rows of a block."""
    root = np.ones(len(block.matrix)) if block.weights is None else np.sqrt(block.weights)
    kept = solution.kept
    predictors = block.matrix[:, kept] * root[:, None]
    response = block.matrix[:, -1] * root
    fitted = predictors @ solution.coef[kept]
    frequencies = np.ones(len(root)) if block.frequencies is None else block.frequencies
    return Residuals(
        block, predictors, response, fitted, response - fitted, predictors @ solution.spread[kept], frequencies
    )


@dataclass
class _Sums:
    """What the pass adds up; residuals in units of their own size, so that fourth powers stay finite."""

    columns: int
    unit: float
    count: float = 0.0
    moments: np.ndarray = field(default_factory=lambda: np.zeros(5))
    differences: float = 0.0
    last: float | None = None
    leverage: float = 0.0
    leverage_row: int = 0
    data: float = 0.0

    def __post_init__(self) -> None:
        self.gradient = np.zeros(self.columns)
        self.first = np.zeros(self.columns)
        self.second = np.zeros(self.columns)

    def add(self, seen: Residuals, solution: Solution) -> None:
        """Add a block."""
        if not len(seen.residual):
            return
        e, f = seen.residual, seen.frequencies
        scaled = e / self.unit
        self.count += float(f.sum())
        self.moments += np.array([float(f @ scaled**k) for k in range(5)])
        before = scaled[:1] if self.last is None else np.array([self.last])
        self.differences += float(np.sum(np.diff(np.concatenate([before, scaled])) ** 2))
        self.last = float(scaled[-1])
        leverage = seen.leverage
        top = int(np.argmax(leverage))
        if leverage[top] > self.leverage:
            self.leverage, self.leverage_row = float(leverage[top]), seen.block.frame.row_numbers()[top]
        self.gradient += seen.predictors.T @ (f * e)
        spread, size = solution.spread[solution.kept], np.abs(seen.predictors)
        data = np.abs(seen.response) + size @ np.abs(solution.coef[solution.kept])
        self.data = float(np.hypot(self.data, lengths((np.sqrt(f) * data)[:, None])[0]))
        self.first += np.abs(seen.rotated @ spread.T).T @ (f * data)
        self.second += size.T @ (f * np.abs(e))


def look(design: Design, solution: Solution, reader: Reader) -> Look:
    """Take the second pass (and two more for the quartiles; a small source is in memory by now)."""
    sums = _Sums(len(solution.kept), solution.residual_length or 1.0)

    def each(frame: Frame) -> Residuals:
        return residuals_of(design.block(frame, reader.source), solution)

    def add_up() -> Learner[None]:
        yield lambda frame: sums.add(each(frame), solution)

    def weighted_residuals(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
        seen = each(frame)
        return seen.residual, seen.frequencies

    learners = [add_up(), learn_quantiles(weighted_residuals, (0, 0.25, 0.5, 0.75, 1))]
    _, quartiles = learn(learners, lambda: reader.frames(design.variables, "residuals"))
    return _conclude(sums, solution, tuple(float(quartile) for quartile in quartiles))


def _conclude(sums: _Sums, solution: Solution, quartiles: tuple[float, ...]) -> Look:
    skew, kurtosis = _shape(sums.moments / sums.count)
    score = sums.count / 6 * (skew**2 + (kurtosis - 3) ** 2 / 4)
    squares = sums.moments[2]
    column_lengths, residual = lengths(solution.upper), float(np.sqrt(squares) * sums.unit)
    scaled_gradient = np.divide(sums.gradient, column_lengths)
    spread = solution.spread[solution.kept]
    return Look(
        quartiles, float(sums.differences / squares) if squares > 0 else float("nan"), skew, kurtosis, score,
        float(np.exp(-score / 2)), sums.leverage, sums.leverage_row,
        float(np.max(np.abs(scaled_gradient), initial=0.0) / residual) if residual > 0 else 0.0,
        residual / (ROUNDOFF * sums.data) if residual > 0 else 0.0,
        _backward_error(solution, scaled_gradient, residual),
        ROUNDOFF * (sums.first + np.abs(spread @ spread.T) @ sums.second),
    )  # fmt: skip


def _shape(moments: np.ndarray) -> tuple[float, float]:
    """Skew and kurtosis from raw moments; residuals of a fit with a constant have mean zero up to rounding."""
    _, mean, second, third, fourth = moments
    variance = second - mean**2
    if variance <= 0:
        return float("nan"), float("nan")
    third_central = third - 3 * mean * second + 2 * mean**3
    fourth_central = fourth - 4 * mean * third + 6 * mean**2 * second - 3 * mean**4
    return float(third_central / variance**1.5), float(fourth_central / variance**2)


def _backward_error(solution: Solution, slope: np.ndarray, residual: float) -> float:
    coef, response = solution.coef[solution.kept], solution.response_length()
    found = karlson_walden(solution.upper, coef[:, None], slope[:, None], np.array([residual]), np.array([response]))
    return float(found[0])
