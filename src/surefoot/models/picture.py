"""The numbers behind the pictures of a fit: a bounded sample of its rows, its line with both bands, its bowl.

One pass over the rows, whatever their number. The sample is uniform (the rows with the smallest of pseudo-random
priorities from a fixed seed, so the batches do not matter), and the rows with the largest residuals are always in it.

    internally studentised residual   w^(1/2) r / (sigma (1 - h)^(1/2))
    profiled sum of squares           RSS(b) - RSS = (b - b0)' [(T T')_bb]^-1 (b - b0)

References: Vitter (1985), ACM Trans. Math. Software 11, pp. 37-57 (sampling); Draper, Smith (1998), "Applied Regression
Analysis", 3rd ed., Wiley, section 5.4, pp. 142-145 (joint regions), section 8.1, pp. 207-208 (studentised residuals).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from surefoot.leastsquares.rank import lengths
from surefoot.models.perpendicular import Perpendicular, perpendicular
from surefoot.models.statistics import constant_direction, t_quantile
from surefoot.models.walked import Descent, WalkedBowl, descents, walked_bowl

if TYPE_CHECKING:
    from surefoot.models.fit import FormulaFit
    from surefoot.models.look import Residuals

EXTREMES = 25
"""Rows kept at either end of the residuals, whatever the sample."""

REGIONS = (0.68, 0.95)
"""Levels of the joint confidence regions over the bowl."""

GRID = 201
FULL_LEVERAGE = 1 - 1e-9
"""From here on a row fits itself: its residual is rounding, and has no standardised form."""


@dataclass(frozen=True)
class Sample:
    """Rows to draw, in the order of the data. Every array has one entry a row.

    Attributes
    ----------
    total : int
        Rows that the fit used, of which these are a sample.
    row : ndarray
        One-based position in the source.
    observed, fitted, residual : ndarray
        In the units of the response, the offset included in the first two.
    studentised : ndarray
        Internally studentised residuals; NaN where a row fits itself, or where there is no residual deviation.
    leverage : ndarray
        Diagonal of the hat matrix.
    quantile : ndarray
        Normal quantile at the plotting position of the row's studentised residual among all rows.
    band : ndarray, shape (2, m)
        Where 95% of the residuals at this position would lie, were the errors normal and independent.
    predictor : ndarray or None
        The one number column behind the predictors (the row number if there is none at all).
    beyond_two : int
        How many of all rows have a studentised residual beyond 2 in size.
    usable : int
        How many of all rows have a studentised residual.
    trend : ndarray, shape (2, k)
        Median fitted value and median studentised residual of groups of equal size; k = 0 for few rows.
    mean_stderr : float
        Root mean square over the rows of the standard error of the fitted value.
    """

    total: int
    row: np.ndarray
    observed: np.ndarray
    fitted: np.ndarray
    residual: np.ndarray
    studentised: np.ndarray
    leverage: np.ndarray
    quantile: np.ndarray
    band: np.ndarray
    predictor: np.ndarray | None
    beyond_two: int
    usable: int
    trend: np.ndarray
    mean_stderr: float


@dataclass(frozen=True)
class Curve:
    """The fitted line over its one predictor; bands of shape (2, k) are None without residual degrees of freedom."""

    name: str
    x: np.ndarray
    value: np.ndarray
    confidence: np.ndarray | None
    prediction: np.ndarray | None


@dataclass(frozen=True)
class Bowl:
    """The sum of squares over one or two coefficients, minimised over the others.

    Attributes
    ----------
    names : tuple of str
        Of the coefficients.
    centre, unit : ndarray, shape (k,)
        Their values at the minimum, and the lengths in which ``contours`` and ``regions`` are measured from there: the
        classical standard errors.
    window : float
        How many units the picture reaches to either side.
    rises : ndarray
        Rise of the sum of squares along each contour, in units of sigma squared.
    contours : tuple of ndarray, shape (2, m) each
        Empty for one coefficient: its parabola rises by the square of the distance.
    regions : tuple of (level, ndarray)
        Joint confidence regions with the standard errors of the fit; for one coefficient the ends of its interval.
    correlation : float
        Of the two coefficients, classical; NaN for one.
    scaled : bool
        Whether ``unit`` is a standard error; without a residual deviation it is what one hundredth of the response's
        length would make of one.
    """

    names: tuple[str, ...]
    centre: np.ndarray
    unit: np.ndarray
    window: float
    rises: np.ndarray
    contours: tuple[np.ndarray, ...]
    regions: tuple[tuple[float, np.ndarray], ...]
    correlation: float
    scaled: bool


@dataclass(frozen=True)
class Picture:
    """All that the figures of a fit draw; ``sample`` and ``curve`` are None where they cannot be had.

    Attributes
    ----------
    half : float
        Half-width of the fit's intervals in standard errors; NaN without degrees of freedom.
    perpendicular : Perpendicular or None
        Response, fitted values and residual as a triangle; None where there is none.
    walked : WalkedBowl or None
        The walks of compared roads on the bowl, for two coefficients.
    descents : tuple of Descent
        The same walks as slopes, for any number of coefficients.
    """

    sample: Sample | None
    curve: Curve | None
    bowl: Bowl | None
    half: float
    perpendicular: Perpendicular | None = None
    walked: WalkedBowl | None = None
    descents: tuple[Descent, ...] = ()


def gather(fit: FormulaFit, rows: int = 4000) -> Picture:
    """Collect the numbers for the pictures in one pass over the rows; a fit without rows has its bowl only.

    Parameters
    ----------
    fit : FormulaFit
        A fit; one that was loaded from a file has no rows any more.
    rows : int
        The most rows to keep.

    Examples
    --------
    >>> import surefoot as sf
    >>> fit = sf.fit("y ~ x", {"x": [1, 2, 3, 4], "y": [2.1, 3.9, 6.2, 7.8]})
    >>> picture = gather(fit)
    >>> picture.sample.total, picture.curve.name, picture.bowl.names
    (4, 'x', ('(Intercept)', 'x'))
    """
    half = t_quantile(fit.level, fit.covariance.df)
    with np.errstate(all="ignore"):
        chosen = None if fit.source is None else _choose(fit, rows)
        return Picture(
            None if chosen is None else _sample(chosen), None if chosen is None else _curve(fit, chosen), _bowl(fit),
            half, _perpendicular(fit),
            walked_bowl(fit.roads, fit.solution, fit.names) if fit.roads else None,
            descents(fit.roads) if fit.roads else (),
        )  # fmt: skip


_FIELDS = ("row", "observed", "fitted", "residual", "studentised", "leverage", "stderr", "frequency", "predictor")


class _Chosen:
    """The rows kept so far: a matrix with one column a field, and a priority for each row."""

    def __init__(self, rows: int, variable: str | None) -> None:
        self.most, self.variable = max(rows, 4 * EXTREMES), variable
        self.table = np.zeros((0, len(_FIELDS)))
        self.priority = np.zeros(0)
        self.total, self.beyond_two, self.usable = 0, 0, 0.0
        self.stderr = 0.0
        self.low, self.high = np.inf, -np.inf
        self._random = np.random.default_rng(20)

    def field(self, name: str) -> np.ndarray:
        return self.table[:, _FIELDS.index(name)]

    @property
    def sampled(self) -> bool:
        return self.total > self.most

    def add(self, table: np.ndarray) -> None:
        """Add the rows of a block, then let go of what is neither extreme nor of low priority."""
        if not len(table):
            return
        named = dict(zip(_FIELDS, table.T, strict=True))
        finite, frequency = np.isfinite(named["studentised"]), named["frequency"]
        self.beyond_two += int(frequency[np.abs(named["studentised"]) > 2].sum())
        self.usable += float(frequency[finite].sum())
        before = self.total
        self.total += len(table)
        # Root mean squares from lengths: the squares themselves would overflow in large units.
        length = float(lengths(named["stderr"][:, None])[0])
        self.stderr = float(np.hypot(self.stderr * np.sqrt(before), length) / np.sqrt(self.total))
        self.low = min(self.low, float(named["predictor"].min()))
        self.high = max(self.high, float(named["predictor"].max()))
        self.table = np.vstack([self.table, table])
        self.priority = np.concatenate([self.priority, self._random.random(len(table))])
        if len(self.table) > self.most:
            kept = self.extreme() | self.uniform()
            self.table, self.priority = self.table[kept], self.priority[kept]

    def extreme(self) -> np.ndarray:
        """A mask of the rows with the largest and smallest residuals."""
        key = self.field("studentised")
        key = self.field("residual") if np.all(np.isnan(key)) else np.nan_to_num(key, nan=0.0)
        order = np.argsort(key, kind="stable")
        mask = np.zeros(len(key), dtype=bool)
        mask[order[:EXTREMES]] = mask[order[-EXTREMES:]] = True
        return mask

    def uniform(self) -> np.ndarray:
        """A mask of the uniform sample."""
        count = self.most - 2 * EXTREMES if self.sampled else self.most
        if len(self.priority) <= count:
            return np.ones(len(self.priority), dtype=bool)
        return self.priority <= np.partition(self.priority, count - 1)[count - 1]


def _choose(fit: FormulaFit, rows: int) -> _Chosen:
    chosen = _Chosen(rows, _only_variable(fit))
    for seen in fit.residual_blocks():
        chosen.add(_rows_of(fit, seen, chosen.variable))
    return chosen


def _only_variable(fit: FormulaFit) -> str | None:
    """The one number column behind all predictors; '' if there are no predictors; None if there are more."""
    variables = fit.design.predictor_variables
    if any(factor.is_category for term in fit.design.terms for factor in term.factors) or len(variables) > 1:
        return None
    return variables[0] if variables else ""


def _rows_of(fit: FormulaFit, seen: Residuals, variable: str | None) -> np.ndarray:
    """The fields of the rows of a block, one column a field."""
    block, sigma = seen.block, fit.statistics.sigma
    known = np.flatnonzero(~np.isnan(fit.coef))
    weights = np.ones(len(block.matrix)) if block.weights is None else block.weights
    offset = fit.design.offsets(block.frame)
    fitted = block.matrix[:, known] @ fit.coef[known]
    residual = block.matrix[:, -1] - fitted
    leverage = np.clip(seen.leverage, 0.0, 1.0)
    spread = sigma * np.sqrt(1 - leverage) if sigma > 0 else np.full(len(residual), np.nan)
    studentised = np.where(leverage < FULL_LEVERAGE, np.sqrt(weights) * residual / spread, np.nan)
    stderr = lengths((block.matrix[:, known] @ fit.covariance.factor[known]).T)
    row = block.frame.row_numbers().astype(float)
    predictor = block.frame.numbers(variable) if variable else row
    return np.column_stack(
        [row, block.matrix[:, -1] + offset, fitted + offset, residual, studentised, leverage, stderr,
         seen.frequencies, predictor]
    )  # fmt: skip


def _sample(chosen: _Chosen) -> Sample:
    quantile, band = _normal_positions(chosen)
    order = np.argsort(chosen.field("row"), kind="stable")
    field = {name: chosen.field(name)[order] for name in _FIELDS}
    return Sample(
        chosen.total, field["row"].astype(int), field["observed"], field["fitted"], field["residual"],
        field["studentised"], field["leverage"], quantile[order], band[:, order],
        None if chosen.variable is None else field["predictor"],
        chosen.beyond_two, int(chosen.usable), _trend(chosen), chosen.stderr,
    )  # fmt: skip


def _normal_positions(chosen: _Chosen) -> tuple[np.ndarray, np.ndarray]:
    """Normal quantiles of the rows at their places among all rows, with the pointwise band of normal order statistics.

    The extreme rows stand at their true places. The others of a sample share evenly what lies between.
    """
    from scipy.special import betaincinv, ndtri

    residual, frequency = chosen.field("studentised"), chosen.field("frequency")
    quantile, band = np.full(len(residual), np.nan), np.full((2, len(residual)), np.nan)
    order = np.argsort(residual, kind="stable")
    order = order[np.isfinite(residual[order])]
    if not len(order):
        return quantile, band
    mass = np.array(frequency)
    if chosen.sampled:
        inner = order[~chosen.extreme()[order]]
        outer = float(mass[order].sum() - mass[inner].sum())
        mass[inner] *= (chosen.usable - outer) / mass[inner].sum()
    count = mass[order].sum()
    position = (np.cumsum(mass[order]) - mass[order] / 2) / count
    quantile[order] = ndtri(position)
    place = count * position + 0.5
    band[:, order] = [ndtri(betaincinv(place, count + 1 - place, p)) for p in (0.025, 0.975)]
    return quantile, band


def _trend(chosen: _Chosen) -> np.ndarray:
    """Medians of groups of equal size along the fitted values, from the uniform part of the sample."""
    usable = chosen.uniform() & np.isfinite(chosen.field("studentised"))
    fitted, residual = chosen.field("fitted")[usable], chosen.field("studentised")[usable]
    groups = min(15, len(fitted) // 40)
    if groups < 5 or len(np.unique(fitted)) < 4 * groups:
        return np.zeros((2, 0))
    parts = np.array_split(np.argsort(fitted, kind="stable"), groups)
    return np.array([[np.median(values[part]) for part in parts] for values in (fitted, residual)])


def _curve(fit: FormulaFit, chosen: _Chosen) -> Curve | None:
    if chosen.variable is None or not chosen.low < chosen.high:
        return None
    middle = chosen.low / 2 + chosen.high / 2
    reach = chosen.high / 2 - chosen.low / 2
    x = np.clip(middle + reach * np.linspace(-1, 1, GRID), chosen.low, chosen.high)
    name = chosen.variable or "row"
    mean = fit.predict({name: x}, interval="confidence")
    new = fit.predict({name: x}, interval="prediction")
    bands = [
        None if one.lower is None or one.upper is None or not np.any(np.isfinite(one.lower))
        else np.array([one.lower, one.upper])
        for one in (mean, new)
    ]  # fmt: skip
    return Curve(name, x, mean.value, *bands)


def _perpendicular(fit: FormulaFit) -> Perpendicular | None:
    constant = constant_direction(fit.triangle, fit.solution, fit.design.has_intercept)
    return perpendicular(fit.solution, fit.names, constant)


def _bowl(fit: FormulaFit) -> Bowl | None:
    """The bowl over the last two coefficients that the data determine."""
    solution, sigma = fit.solution, fit.statistics.sigma
    chosen = [k for k in solution.kept if not (solution.has_choice and np.any(solution.valley[k]))][-2:]
    if not chosen:
        return None
    sizes = solution.scaled_spread()[chosen]
    scaled = bool(sigma > 0 and np.isfinite(sigma))
    response = solution.response_length()
    unit = sizes * (sigma if scaled else 0.01 * response or 1.0)
    rows = solution.spread[chosen] / sizes[:, None]
    factor = _lower(rows)
    errors = fit.covariance.factor[chosen] / unit[:, None]
    regions = _regions(fit, errors) if scaled else ()
    window = max([3.0, *(1.1 * float(np.max(np.abs(points))) for _, points in regions)])
    rises = (window / 6 * np.arange(1, 13)) ** 2
    contours = tuple(factor @ (np.sqrt(rise) * _circle()) for rise in rises) if len(chosen) == 2 else ()
    return Bowl(
        tuple(fit.names[k] for k in chosen), fit.coef[chosen], unit, window, rises, contours, regions,
        float(rows[0] @ rows[1]) if len(chosen) == 2 else float("nan"), scaled,
    )  # fmt: skip


def _regions(fit: FormulaFit, errors: np.ndarray) -> tuple[tuple[float, np.ndarray], ...]:
    """Where the coefficients may jointly lie: ellipses by F, or the interval of the only one by t."""
    from scipy.special import fdtri

    df = fit.covariance.df
    if not df > 0:
        return ()
    if len(errors) == 1:
        size = float(lengths(errors.T)[0])
        return tuple((level, t_quantile(level, df) * size * np.array([[-1.0, 1.0]])) for level in REGIONS)
    factor = _lower(errors)
    return tuple((level, factor @ (np.sqrt(2 * fdtri(2, df, level)) * _circle())) for level in REGIONS)


def _lower(rows: np.ndarray) -> np.ndarray:
    """A lower triangle ``L`` with ``L L' = rows rows'``: for two coefficients, the axes of the ellipse."""
    size = len(rows)
    padded = np.column_stack([rows, np.zeros((size, size))])
    return np.linalg.qr(padded.T)[1].T


def _circle(points: int = 181) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, points)
    return np.array([np.cos(angle), np.sin(angle)])


__all__: Sequence[str] = ["Bowl", "Curve", "Picture", "Sample", "gather"]
