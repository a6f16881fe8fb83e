"""Each picture of a fit in words, with its numbers: for captions, and for readers who cannot see the pictures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from surefoot.report.numbers import plain, probability, square
from surefoot.wording import counted

if TYPE_CHECKING:
    from surefoot.models.fit import FormulaFit
    from surefoot.models.picture import Bowl, Picture, Sample

NO_ROWS = (
    "The rows are not available: this model was loaded from a file, which holds what was learnt from the rows and "
    "not the rows themselves. Pictures of the data and of the residuals need a fit to the data."
)


def data_caption(fit: FormulaFit, picture: Picture) -> str:
    """The data with the line and both bands, or observed against fitted values."""
    assert picture.sample is not None
    response, curve, level = fit.design.response_label, picture.curve, f"{100 * fit.level:g}%"
    if curve is None:
        return " ".join(
            [
                f"{response}, observed against fitted; on the diagonal they are equal. {_shown(picture.sample)}",
                _diagonal_bands(fit, picture, level),
            ]
        )
    where = (
        f"against {curve.name}" if curve.name != "row" or fit.design.predictor_variables else "in the order of the rows"
    )
    ends = (
        f"The line goes from {plain(curve.value[0])} at {curve.name} = {plain(curve.x[0])} "
        f"to {plain(curve.value[-1])} at {curve.name} = {plain(curve.x[-1])}."
    )
    if curve.confidence is None or curve.prediction is None:
        bands = "There are no bands: no degrees of freedom are left to estimate the scatter."
    else:
        middle = len(curve.x) // 2
        inner, outer = (np.ptp(band[:, middle]) / 2 for band in (curve.confidence, curve.prediction))
        weight = " of weight 1" if fit.design.weights is not None else ""
        bands = (
            f"Bands at {level}: the inner one for the mean (±{plain(inner, 3)} in the middle), the outer one for a new "
            f"observation{weight} (±{plain(outer, 3)} there)."
        )
        if outer < 0.01 * np.ptp(picture.sample.observed):
            bands += " Both are too narrow to be seen beside the range of the data; the residuals show the scatter."
    return f"{response} {where}, with the fitted line. {_shown(picture.sample)} {ends} {bands}"


def residual_caption(fit: FormulaFit, picture: Picture) -> str:
    """Residuals against fitted values."""
    sample = picture.sample
    assert sample is not None
    if not sample.usable:
        return f"Residuals against fitted values. {_shown(sample)} {no_studentised(fit)}"
    share = 100 * sample.beyond_two / sample.usable
    top = int(np.nanargmax(np.abs(sample.studentised)))
    lines = [
        f"Residuals in units of their own standard deviation against fitted values. {_shown(sample)}",
        f"{sample.beyond_two:,} of {counted(sample.usable, 'residual')} ({share:.2g}%) lie beyond ±2, where about 5% "
        f"of normal ones would; the largest is {plain(sample.studentised[top], 3)}, in row {sample.row[top]:,}.",
        "Around zero without a pattern, they speak for the model; a bend or a funnel speaks against it.",
    ]
    if sample.trend.shape[1]:
        lines.append(
            f"The line joins the medians of {sample.trend.shape[1]} groups; they run from "
            f"{plain(sample.trend[1].min(), 2)} to {plain(sample.trend[1].max(), 2)}."
        )
    return " ".join(lines + _left_out(sample))


def normal_caption(fit: FormulaFit, picture: Picture) -> str:
    """Normal quantile plot."""
    sample, look = picture.sample, fit.look
    assert sample is not None
    if not sample.usable:
        return f"Normal quantile plot of the residuals. {no_studentised(fit)}"
    inside = (sample.studentised >= sample.band[0]) & (sample.studentised <= sample.band[1])
    placed = np.isfinite(sample.studentised)
    lines = [
        f"Quantiles of the residuals against those of a normal distribution. {_shown(sample)}",
        f"On the diagonal they would be equal; the shaded band holds 95% of normal samples at each place, and "
        f"{inside[placed].sum():,} of {placed.sum():,} points lie in it.",
    ]
    if look is not None and math.isfinite(look.skew):
        lines.append(
            f"Skew {plain(look.skew, 3)} and kurtosis {plain(look.kurtosis, 3)} (normal: 0 and 3); "
            f"Jarque-Bera p {probability(look.jarque_bera_p)}."
        )
    return " ".join(lines + _left_out(sample))


def bowl_caption(fit: FormulaFit, bowl: Bowl) -> str:
    """The error bowl."""
    least = square(fit.statistics.residual_length)
    place = " and ".join(f"{name} = {plain(at)}" for name, at in zip(bowl.names, bowl.centre, strict=True))
    others = fit.rank - len(bowl.names)
    profile = f", minimised over the other {counted(others, 'coefficient')} at every point" if others else ""
    opening = f"The sum of squares over {' and '.join(bowl.names)}{profile}. Its minimum, {least}, is at {place}."
    return " ".join([opening, _height(bowl), *_region_words(fit, bowl)])


def _height(bowl: Bowl) -> str:
    if not bowl.scaled:
        return (
            "There is no residual deviation to measure it by: a unit is the change of a coefficient that makes a "
            "residual as long as 1% of the response, the other coefficients following as well as they can."
        )
    if len(bowl.names) == 1:
        return "It rises by one σ² one standard error away, and by the square of the distance beyond."
    step = plain(bowl.window / 6, 2)
    tilt = f" The estimates are correlated by {plain(bowl.correlation, 3)}."
    second = plain(bowl.window / 3, 2)
    reach = f"Its contours reach {step}, {second}, ... standard errors to either side"
    return f"{reach}: rises of as many squared, in σ².{tilt}"


def _region_words(fit: FormulaFit, bowl: Bowl) -> list[str]:
    if not bowl.regions:
        return []
    levels = " and ".join(f"{100 * level:g}%" for level, _ in bowl.regions)
    robust = "" if fit.covariance.kind == "classical" else f" with {fit.covariance.kind} standard errors"
    if len(bowl.names) == 1:
        return [f"Marked: the {levels} confidence intervals by t{robust}."]
    # Only the classical region is a level set of the bowl itself.
    regions = f"Ellipses: {levels} joint confidence regions by F{robust}"
    return [f"{regions}, which reach further than the intervals of single coefficients."]


def no_studentised(fit: FormulaFit) -> str:
    """Why there are no standardised residuals."""
    if fit.statistics.df_residual <= 0:
        return "There are as many coefficients as rows, so no residual deviation can be estimated."
    if fit.statistics.residual_length == 0:
        return "Every residual is zero: the fit goes through every point."
    return "Every row has a leverage of one: each is fitted by a coefficient of its own."


def shown_short(sample: Sample) -> str:
    """For a corner of a plot; empty if all rows are shown."""
    count = len(sample.row)
    return "" if count == sample.total else f"{count:,} of {sample.total:,} rows"


def _shown(sample: Sample) -> str:
    count = len(sample.row)
    if count == sample.total:
        return f"All {counted(count, 'row')} are shown." if count != 1 else "The only row is shown."
    return f"Shown are {count:,} of {sample.total:,} rows: a uniform sample, and the rows with the largest residuals."


def _left_out(sample: Sample) -> list[str]:
    count = int(np.isnan(sample.studentised).sum())
    if not count:
        return []
    verb, them = ("is", "it") if count == 1 else ("are", "them")
    return [
        f"{counted(count, 'row')} {verb} not shown: of leverage one, so that the fit goes through {them} in any case."
    ]


def _diagonal_bands(fit: FormulaFit, picture: Picture, level: str) -> str:
    assert picture.sample is not None
    if not math.isfinite(picture.half * fit.sigma):
        return "There are no bands: no degrees of freedom are left to estimate the scatter."
    inner, outer = diagonal_bands(fit, picture)
    weight = " and weight 1" if fit.design.weights is not None else ""
    return (
        f"Bands at {level} for a row of average leverage{weight}: the inner one for the mean (±{plain(inner, 3)}), "
        f"the outer one for a new observation (±{plain(outer, 3)})."
    )


def diagonal_bands(fit: FormulaFit, picture: Picture) -> tuple[float, float]:
    """Half-widths of the bands about the diagonal, for a row of average leverage."""
    assert picture.sample is not None
    error = picture.sample.mean_stderr
    return picture.half * error, picture.half * math.hypot(error, fit.sigma)
