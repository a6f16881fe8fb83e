"""The fit that a person holds: coefficients with their spread, questions that it can answer, and its verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.data.design import Design
from surefoot.data.engine import Report
from surefoot.data.source import Source, open_source
from surefoot.errors import DataError, ModelError
from surefoot.leastsquares.solution import Solution
from surefoot.leastsquares.triangle import Triangle
from surefoot.models.base import Fit, checked_level
from surefoot.models.covariance import Covariance, robust
from surefoot.models.hypotheses import Hypothesis, wald
from surefoot.models.look import Look, Residuals, look, residuals_of
from surefoot.models.predict import Prediction, predict_frame
from surefoot.models.ridge import RidgePath, ridge_path, variance_inflation
from surefoot.models.rows import Reader
from surefoot.models.statistics import Statistics
from surefoot.proof.certificate import Certificate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from surefoot.models.exact import Proven
    from surefoot.models.plan import Plan
    from surefoot.models.road import Roads


@dataclass(frozen=True)
class Account:
    """What became of the data.

    Attributes
    ----------
    source : str
        Name of the source.
    rows_read, rows_missing, rows_weightless : int
        Rows after the filter; of these, left out for a missing value; left out for a weight or frequency of zero.
    passes : int
        Scans of the source.
    seconds : float
        From opening the source to the verdict.
    notes : tuple of str
        What was taken for granted when reading.
    """

    source: str
    rows_read: int
    rows_missing: int
    rows_weightless: int
    passes: int
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FormulaFit(Fit):
    """A linear model fitted to data.

    Attributes
    ----------
    names : tuple of str
        Names of the coefficients.
    coef, stderr : ndarray, shape (p,)
        In the order of ``names``; NaN where a column was dropped as aliased.
    digits : ndarray, shape (p,)
        Decimal digits of each coefficient that rounding leaves determined.
    statistics : Statistics
        R2, F, likelihood and so on.
    certificate : Certificate
        What the point is, with the evidence; ``verdict`` is its verdict.
    look : Look or None
        Residual quartiles, Durbin-Watson and so on, where a second pass was taken.
    account : Account
        What became of the rows.
    method, stop : str
        What ran, and why it stopped.
    exact : Proven or None
        The enclosures and proven decimals, where ``exact=True`` was asked for.
    roads : Roads or None
        Normal equations, QR, SVD and walks side by side, where ``compare=True`` asked for them.
    plan : Plan or None
        Candidate methods with their predicted work, where ``explain=True`` asked for them.

    Examples
    --------
    >>> import surefoot as sf
    >>> fit = sf.fit("y ~ x", {"x": [1, 2, 3, 4], "y": [2.1, 3.9, 6.2, 7.8]})
    >>> fit.names, fit.coef.round(3).tolist()
    (('(Intercept)', 'x'), [0.15, 1.94])
    >>> fit.verdict.value
    'unique global minimum'
    """

    design: Design
    triangle: Triangle
    solution: Solution
    statistics: Statistics
    covariance: Covariance
    certificate: Certificate  # pyright: ignore[reportIncompatibleMethodOverride]
    digits: np.ndarray  # pyright: ignore[reportIncompatibleMethodOverride]
    look: Look | None
    account: Account
    method: str
    stop: str
    level: float = 0.95
    exact: Proven | None = None
    source: Source | None = field(default=None, repr=False, compare=False)
    roads: Roads | None = field(default=None, compare=False)
    plan: Plan | None = field(default=None, repr=False, compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        return self.design.names

    @property
    def formula(self) -> str:
        return self.design.formula

    @property
    def coef(self) -> np.ndarray:
        return self.solution.reported

    @property
    def stderr(self) -> np.ndarray:
        if self.exact is not None and self.covariance.kind == "classical":
            return self.exact.stderr.value
        return self.covariance.stderr

    @property
    def has_proven_stderr(self) -> bool:
        """Whether the standard errors are the proven ones, not robust ones beside them."""
        return self.exact is not None and self.covariance.kind == "classical"

    @property
    def covariance_factor(self) -> np.ndarray:
        return self.covariance.factor

    @property
    def df(self) -> float:
        return self.covariance.df

    @property
    def rank(self) -> int:
        return self.solution.rank.rank

    @property
    def condition(self) -> float:
        """Condition number of the kept columns, scaled to length one."""
        return self.solution.rank.condition

    @property
    def sigma(self) -> float:
        """Residual standard deviation."""
        return self.statistics.sigma

    @property
    def r2(self) -> float:
        """Share of the variance explained; about zero instead of the mean where there is no constant."""
        return self.statistics.r2

    @property
    def backward_error(self) -> float | None:
        """Karlson-Walden backward error, where a second pass was taken."""
        return self.look.backward_error if self.look else None

    @property
    def aliased(self) -> dict[str, dict[str, float]]:
        """Dropped coefficients, each with the columns and shares that make it up."""
        return {
            self.names[alias.column]: {self.names[j]: share for j, share in alias.parts}
            for alias in self.solution.rank.aliased
        }

    def test_all(self) -> Hypothesis | None:
        """The test that every coefficient beside the intercept is zero, with this fit's standard errors."""
        s = self.statistics
        if not np.isfinite(s.f):
            return None
        text, df = "all slopes = 0", (float(s.df_model), float(s.df_residual))
        if self.covariance.kind == "classical":
            return Hypothesis(text, np.zeros(0), np.zeros(0), s.f, s.f_p, df)
        if self.solution.has_choice:
            return None
        chosen = [k for k in self.solution.kept if self.names[k] != "(Intercept)"]
        matrix = np.eye(len(self.names))[chosen]
        return wald(text, matrix, np.zeros(len(chosen)), self.coef, self.covariance.factor, self.covariance.df)

    def robust(
        self, kind: str, *, groups: str | None = None, lags: int | None = None, progress: Report | None = None
    ) -> FormulaFit:
        """The same fit with standard errors of another kind, from a second pass over the rows.

        Parameters
        ----------
        kind : {'HC0', 'HC1', 'HC2', 'HC3', 'cluster', 'HAC'}
            What the standard errors are to withstand.
        groups : str
            For 'cluster': the column that names the cluster of a row.
        lags : int
            For 'HAC': how many rows back; ``floor(4 (n/100)^(2/9))`` if not given.

        Examples
        --------
        >>> import surefoot as sf
        >>> fit = sf.fit("y ~ x", {"x": [1, 2, 3, 4], "y": [2.1, 3.9, 6.2, 7.8]})
        >>> round(fit.robust("HC3")["x"].stderr, 4)
        0.1167
        """
        design = replace(self.design, extra=(groups,)) if groups else self.design
        if groups:
            self._opened().column(groups)
        reader = self._reader(progress)
        with reader.interruptible():
            blocks = self._residual_blocks(design, reader)
            covariance = robust(kind, self.solution, self.statistics, blocks, groups=groups, lags=lags)
        return replace(self, covariance=covariance)

    def diagnose(self, progress: Report | None = None) -> FormulaFit:
        """The same fit after a second look at the rows: residual quartiles, leverage, Durbin-Watson, Jarque-Bera."""
        if self.look is not None:
            return self
        from surefoot.models.fitting import with_look

        reader = self._reader(progress)
        with reader.interruptible():
            return with_look(self, look(self.design, self.solution, reader))

    def residual_blocks(self) -> Iterator[Residuals]:
        """The rows as the fit saw them, a block at a time, with fitted values and weighted residuals."""
        return self._residual_blocks(self.design, self._reader())

    def residuals(self) -> np.ndarray:
        """Response minus fitted value for each row used, shape (n,). Reads the data again.

        Examples
        --------
        >>> import surefoot as sf
        >>> sf.fit("y ~ 1", {"y": [1.0, 2.0, 6.0]}).residuals().tolist()
        [-2.0, -1.0, 3.0]
        """
        parts = [
            block.residual if block.block.weights is None else block.residual / np.sqrt(block.block.weights)
            for block in self.residual_blocks()
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def leverage(self) -> np.ndarray:
        """Diagonal of the hat matrix for each row used, shape (n,): how strongly a row pulls the fit to itself.

        Examples
        --------
        >>> import surefoot as sf
        >>> sf.fit("y ~ x", {"x": [1, 2, 3, 10], "y": [1.0, 2.0, 3.5, 9.0]}).leverage().round(2).tolist()
        [0.43, 0.33, 0.27, 0.97]
        """
        parts = [block.leverage for block in self.residual_blocks()]
        return np.concatenate(parts) if parts else np.zeros(0)

    def predict(self, data: Any, interval: str | None = None, level: float | None = None) -> Prediction:
        """Predicted values for new rows, in their order.

        Parameters
        ----------
        data
            Anything that ``sf.fit`` reads, with the predictors' columns; a scalar in a dict stands for one row.
        interval : {'confidence', 'prediction'}, optional
            For the mean, or for a new observation.
        level : float, optional
            Of the interval.

        Returns
        -------
        Prediction
            ``value``, ``stderr``, ``lower``, ``upper``, NaN where a value was missing or a category is new.

        Examples
        --------
        >>> import surefoot as sf
        >>> fit = sf.fit("y ~ x", {"x": [1, 2, 3, 4], "y": [2.1, 3.9, 6.2, 7.8]})
        >>> fit.predict({"x": [5.0, 6.0]}).value.round(2).tolist()
        [9.85, 11.79]
        """
        if isinstance(data, Mapping):
            data = {name: np.atleast_1d(values) for name, values in data.items()}
        source = open_source(data)
        level = checked_level(self.level if level is None else level)
        variables = self.design.predictor_variables or tuple(source.columns)[:1]
        frames = Reader(source, columns=len(self.names)).frames(variables, "prediction")
        return Prediction.join([predict_frame(self, frame, interval, level) for frame in frames])

    def ridge_path(self, penalties: np.ndarray | None = None) -> RidgePath:
        """Ridge coefficients for a path of penalties, columns standardised, the intercept free.

        Examples
        --------
        >>> import surefoot as sf
        >>> fit = sf.fit("y ~ x", {"x": [1, 2, 3, 4], "y": [2.1, 3.9, 6.2, 7.8]})
        >>> fit.ridge_path([0.0, 4.0]).coef[:, 1].round(3).tolist()
        [1.94, 0.97]
        """
        return ridge_path(self.triangle, self.names, self.design.has_intercept, penalties)

    def vif(self) -> dict[str, float]:
        """Variance inflation factors of the kept columns beside the intercept."""
        kept = self.solution.kept
        factors = variance_inflation(self.solution.upper, self.solution.spread[kept], self.design.has_intercept)
        return {self.names[k]: float(v) for k, v in zip(kept, factors, strict=True) if not np.isnan(v)}

    def _need_determined(self, hypothesis: str, matrix: np.ndarray) -> None:
        if self.solution.has_choice and np.any(np.abs(matrix @ self.solution.valley) > 1e-8):
            raise ModelError(f"{hypothesis}: the data do not determine this combination, it varies along the valley.")

    def summary(self) -> str:
        """What ``surefoot fit`` prints."""
        from surefoot.report.text import summary_text

        return summary_text(self)

    __str__ = summary

    def plot(self) -> Figure:
        """Data with line and bands, residuals against fitted values, QQ plot and the error bowl, as one figure."""
        from surefoot.models.picture import gather
        from surefoot.report.figures import overview

        return overview(self, gather(self))

    def to_html(self, path: str | Path | None = None) -> str:
        """The report as one self-contained HTML page; written to ``path`` if one is given."""
        from surefoot.models.picture import gather
        from surefoot.report.html import page, write_text

        text = page(self, gather(self))
        if path is not None:
            write_text(path, text)
        return text

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain values for JSON."""
        from surefoot.models.saved import to_json

        return to_json(self)

    def save(self, path: str | Path) -> None:
        """Write the model as JSON, for ``sf.load`` and ``surefoot predict``."""
        from surefoot.models.saved import save

        save(self, path)

    def _repr_html_(self) -> str:
        from surefoot.report.html import card

        return card(self)

    def _residual_blocks(self, design: Design, reader: Reader) -> Iterator[Residuals]:
        lost = 0
        for frame in reader.frames(design.variables, "second pass"):
            block = design.block(frame, reader.source)
            lost += block.missing
            yield residuals_of(block, self.solution)
        if lost != self.account.rows_missing:
            added = lost - self.account.rows_missing
            raise DataError(
                f"{added} rows used in the fit have no value in {', '.join(design.extra) or 'a column'}: "
                "the second pass would see other rows than the first. Leave them out with filter= and fit again."
            )

    def _reader(self, progress: Report | None = None) -> Reader:
        return Reader(self._opened(), progress, columns=len(self.names) + 2)

    def _opened(self) -> Source:
        if self.source is None:
            raise ModelError(
                "This needs the rows of the data, and a saved model holds only what was learnt from them. "
                "Fit again with sf.fit(), or ask for it before saving."
            )
        return self.source
