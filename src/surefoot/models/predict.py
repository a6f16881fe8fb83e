"""Predictions with intervals, for a frame of new rows.

For a row ``a`` the mean ``a'b`` has variance ``a' Cov(b) a``; a new observation has ``sigma^2`` more.

Reference: Draper, Smith (1998), "Applied Regression Analysis", 3rd ed., Wiley, section 3.1, pp. 79-83.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from surefoot.data.factors import Category
from surefoot.data.frame import Frame
from surefoot.errors import ModelError
from surefoot.leastsquares.rank import lengths
from surefoot.models.statistics import t_quantile
from surefoot.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa

    from surefoot.models.fit import FormulaFit


@dataclass(frozen=True)
class Prediction:
    """Predicted values, one a row of the new data.

    Attributes
    ----------
    value : ndarray, shape (m,)
        NaN where a predictor was missing, a category is new, or aliased columns no longer agree.
    stderr : ndarray, shape (m,)
        Of the mean.
    lower, upper : ndarray, shape (m,), or None
        The interval that was asked for.
    missing : int
        Rows without a value for some predictor.
    unknown : mapping of str to int
        New categories, as ``column = value``, with the number of rows.
    undefined : int
        Rows where the model has no finite value: log(x) of a negative x, or a power that overflows.
    not_estimable : int
        Rows where a column that was dropped as aliased is no longer the combination that it was in the fit.
    """

    value: np.ndarray
    stderr: np.ndarray
    lower: np.ndarray | None
    upper: np.ndarray | None
    missing: int
    unknown: dict[str, int]
    not_estimable: int
    undefined: int = 0

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.value, dtype=dtype, copy=copy)  # type: ignore[call-overload]

    def __len__(self) -> int:
        return len(self.value)

    @classmethod
    def join(cls, parts: Sequence[Prediction]) -> Prediction:
        """The predictions of several frames as one."""
        if not parts:
            empty = np.zeros(0)
            return cls(empty, empty, None, None, 0, {}, 0, 0)
        unknown: Counter[str] = Counter()
        for part in parts:
            unknown.update(part.unknown)

        def joined(name: str) -> np.ndarray | None:
            found = [getattr(part, name) for part in parts]
            return None if found[0] is None else np.concatenate(found)

        value, stderr = joined("value"), joined("stderr")
        assert value is not None and stderr is not None
        return cls(
            value, stderr, joined("lower"), joined("upper"), sum(part.missing for part in parts), dict(unknown),
            sum(part.not_estimable for part in parts), sum(part.undefined for part in parts),
        )  # fmt: skip

    def table(self) -> pa.Table:
        """As Arrow columns: prediction, stderr and, where asked for, lower and upper."""
        import pyarrow as pa

        columns = {"prediction": self.value, "stderr": self.stderr, "lower": self.lower, "upper": self.upper}
        return pa.table({name: values for name, values in columns.items() if values is not None})

    def remarks(self) -> list[str]:
        """Sentences on rows that could not be predicted."""
        found = []
        if self.missing:
            found.append(f"No prediction for {counted(self.missing, 'row')}: a value is missing.")
        if self.unknown:
            several = [f"{value} ({counted(count, 'row')})" for value, count in self.unknown.items()]
            more = f" and {len(several) - 5} more" if len(several) > 5 else ""
            found.append(f"No prediction for categories that the model never saw: {', '.join(several[:5])}{more}.")
        if self.undefined:
            found.append(
                f"No prediction for {counted(self.undefined, 'row')}: the model has no finite value there, as log(x) "
                "has none for a negative x."
            )
        if self.not_estimable:
            found.append(
                f"No prediction for {counted(self.not_estimable, 'row')}: columns that depended on each other in the "
                "fit no longer do."
            )
        return found


def predict_frame(fit: FormulaFit, frame: Frame, interval: str | None, level: float) -> Prediction:
    """Predict the rows of one frame."""
    if interval not in (None, "confidence", "prediction"):
        raise ModelError(
            f"interval is 'confidence' (for the mean) or 'prediction' (for a new value), not {interval!r}."
        )
    design, solution = fit.design, fit.solution
    unknown = _unknown(fit, frame)
    absent = frame.missing() if frame.columns else np.zeros(frame.rows, bool)
    with np.errstate(all="ignore"):
        rows, offset = design.predictors(frame), design.offsets(frame)
    new = _new_categories(fit, frame)
    undefined = ~(np.all(np.isfinite(rows), axis=1) & np.isfinite(offset)) & ~absent & ~new
    rows = np.where(undefined[:, None], 0.0, rows)
    not_estimable = _off_valley(rows, solution.valley, absent | new | undefined)
    hidden = absent | new | undefined | not_estimable
    # Rows that leave the valley are hidden; for the others every minimiser predicts the same.
    used = np.flatnonzero(~np.isnan(fit.coef))
    value = rows[:, used] @ fit.coef[used] + offset
    stderr = lengths((rows[:, used] @ fit.covariance.factor[used]).T)
    value[hidden], stderr[hidden] = np.nan, np.nan
    lower = upper = None
    if interval is not None:
        noise = fit.statistics.sigma if interval == "prediction" else 0.0
        half = t_quantile(level, fit.covariance.df) * np.hypot(stderr, noise)
        lower, upper = value - half, value + half
    counts = int(not_estimable.sum()), int(undefined.sum())
    return Prediction(value, stderr, lower, upper, int(absent.sum()), unknown, *counts)


def _categories(fit: FormulaFit) -> list[Category]:
    found = {f.label: f for term in fit.design.terms for f in term.factors if isinstance(f, Category)}
    return list(found.values())


def _unknown(fit: FormulaFit, frame: Frame) -> dict[str, int]:
    return {
        f"{factor.column} = {value!r}": count
        for factor in _categories(fit)
        for value, count in factor.unknown(frame).items()
    }


def _new_categories(fit: FormulaFit, frame: Frame) -> np.ndarray:
    """Rows with a level that the fit did not have (a missing one is counted elsewhere)."""
    new = np.zeros(frame.rows, dtype=bool)
    for factor in _categories(fit):
        new |= factor.positions(frame) < 0
    return new & ~frame.missing()


def _off_valley(rows: np.ndarray, valley: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Rows that can tell apart the minimisers of a flat valley: their prediction depends on which one is taken."""
    if not valley.shape[1]:
        return np.zeros(len(rows), dtype=bool)
    sizes = np.abs(rows) @ np.abs(valley)
    return np.any(np.abs(rows @ valley) > 1e-8 * np.maximum(sizes, np.finfo(float).tiny), axis=1) & ~hidden
