"""One picture each, drawn on the axes that it is given: data, residuals, normal quantiles, error bowl."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from surefoot.report.captions import NO_ROWS, diagonal_bands, no_studentised, shown_short
from surefoot.report.numbers import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from surefoot.models.fit import FormulaFit
    from surefoot.models.picture import Bowl, Picture, Sample

# Okabe and Ito's colours, which remain distinct for colour-blind readers.
POINT, LINE, ACCENT, MUTED = "#0072B2", "#D55E00", "#CC3311", "#666666"
INNER, OUTER = "#F2B48C", "#FBE6D6"
DEPTHS = ("#FFFFFF", "#F2F7FB", "#E4EFF6", "#D5E6F1", "#C6DDEC", "#B7D4E6", "#A8CBE1")
MANY = 1200
"""From here on points are drawn as an image, so that a page stays small."""

MOST_LETTERS = 44


def draw_data(axes: Axes, fit: FormulaFit, picture: Picture) -> None:
    """The data with the line and both bands, or observed against fitted values."""
    sample, curve = picture.sample, picture.curve
    if sample is None:
        return message(axes, NO_ROWS)
    response = fit.design.response_label
    if curve is None or sample.predictor is None:
        return _draw_diagonal(axes, fit, picture, sample)
    across, down = Scale.of(sample.predictor), Scale.of(sample.observed, curve.value)
    x = across(curve.x)
    for band, colour, name in ((curve.prediction, OUTER, "new observation"), (curve.confidence, INNER, "mean")):
        if band is not None:
            _band(axes, x, down(band), colour, f"{100 * fit.level:g}%, {name}")
    _points(axes, across(sample.predictor), down(sample.observed))
    axes.plot(x, down(curve.value), color=LINE, linewidth=1.4, zorder=_line_order(sample), label="fit")
    name_axes(axes, across.label(curve.name), down.label(response))
    # Far from the data a polynomial's band may explode; the data decide what is seen.
    axes.set_ylim(*_limits(down(sample.observed), down(curve.value), *map(down, _finite(curve.prediction))))
    _finish(axes, sample, legend=True)


def _draw_diagonal(axes: Axes, fit: FormulaFit, picture: Picture, sample: Sample) -> None:
    both = Scale.of(sample.observed, sample.fitted)
    fitted, observed = both(sample.fitted), both(sample.observed)
    x = np.array(_limits(fitted))
    inner, outer = diagonal_bands(fit, picture)
    if math.isfinite(inner) and math.isfinite(outer):
        for half, colour, name in ((outer, OUTER, "new observation"), (inner, INNER, "mean")):
            reach = float(both(np.array([half]))[0])
            _band(axes, x, np.array([x - reach, x + reach]), colour, f"{100 * fit.level:g}%, {name}")
    _points(axes, fitted, observed)
    axes.plot(x, x, color=LINE, linewidth=1.4, zorder=_line_order(sample), label="observed = fitted")
    axes.set_xlim(*x)
    response = fit.design.response_label
    name_axes(axes, both.label(f"fitted {response}"), both.label(f"observed {response}"))
    axes.set_ylim(*_limits(observed, x))
    _finish(axes, sample, legend=True)


def draw_residuals(axes: Axes, fit: FormulaFit, picture: Picture) -> None:
    """Studentised residuals against fitted values; plain ones where there is nothing to measure them by."""
    sample = picture.sample
    if sample is None:
        return message(axes, NO_ROWS)
    across = Scale.of(sample.fitted)
    fitted = across(sample.fitted)
    name = "weighted residual" if fit.design.weights is not None else "residual"
    axes.axhline(0, color=MUTED, linewidth=0.9, zorder=2)
    if sample.usable:
        residual = sample.studentised
        _points(axes, fitted, residual)
        for edge in (-2, 2):
            axes.axhline(edge, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=2)
        if sample.trend.shape[1]:
            axes.plot(across(sample.trend[0]), sample.trend[1], color=LINE, linewidth=1.4, zorder=4)
        _label_largest(axes, fitted, residual, sample)
        axes.set_ylim(*_limits(residual, np.array([-2.6, 2.6])))
        name_axes(axes, across.label("fitted value"), f"studentised {name}")
    else:
        down = Scale.of(sample.residual)
        _points(axes, fitted, down(sample.residual))
        axes.set_ylim(*_limits(down(sample.residual)))
        name_axes(axes, across.label("fitted value"), down.label(name))
    axes.set_xlim(*_limits(fitted))
    _finish(axes, sample)


def draw_normal(axes: Axes, fit: FormulaFit, picture: Picture) -> None:
    """Quantiles of the residuals against normal ones."""
    sample = picture.sample
    if sample is None or not sample.usable:
        return message(axes, NO_ROWS if sample is None else no_studentised(fit))
    order = np.argsort(sample.quantile, kind="stable")
    order = order[np.isfinite(sample.quantile[order])]
    x, y = sample.quantile[order], sample.studentised[order]
    if len(x) > 1:
        _band(axes, x, sample.band[:, order], OUTER, "95% of normal samples")
    reach = np.array(_limits(x, np.array([-1.0, 1.0])))
    axes.plot(reach, reach, color=LINE, linewidth=1.2, zorder=2)
    _points(axes, x, y)
    _label_largest(axes, sample.quantile, sample.studentised, sample)
    axes.set_xlim(*reach)
    axes.set_ylim(*_limits(y, reach))
    name_axes(axes, "normal quantile", "studentised residual")
    _finish(axes, sample, legend=len(x) > 1)


def draw_bowl(axes: Axes, fit: FormulaFit, picture: Picture) -> None:
    """The sum of squares over one or two coefficients."""
    bowl = picture.bowl
    if bowl is None:
        return message(axes, "There is no coefficient whose value the data determine, so there is no bowl to draw.")
    if len(bowl.names) == 1:
        return _draw_parabola(axes, bowl)
    axes.set_facecolor(DEPTHS[-1])
    for k in range(len(bowl.contours) - 1, -1, -1):
        x, y = _placed(bowl, bowl.contours[k])
        shade = DEPTHS[min(k // 2, len(DEPTHS) - 1)]
        axes.fill(x, y, facecolor=shade, edgecolor="#7FA8C4", linewidth=0.5, zorder=1 + 0.01 * (12 - k))
    styles = ((0, (4, 2)), "solid")
    for (level, points), style in zip(bowl.regions, styles, strict=False):
        x, y = _placed(bowl, points)
        axes.plot(x, y, color=LINE, linewidth=1.3, linestyle=style, zorder=4, label=f"{100 * level:g}% region")
    x, y = _placed(bowl, np.zeros((2, 1)))
    _mark_minimum(axes, x, y)
    edge = bowl.window * np.array([[-1.0, 1.0], [-1.0, 1.0]])
    (left, right), (bottom, top) = _placed(bowl, edge)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.grid(False)
    name_axes(axes, _axis_name(bowl, 0), _axis_name(bowl, 1))
    show_legend(axes)


def _mark_minimum(axes: Axes, x: ArrayLike, y: ArrayLike) -> None:
    axes.plot(x, y, "+", color="black", markersize=8, markeredgewidth=1.4, zorder=5, label="minimum", linestyle="none")


def _draw_parabola(axes: Axes, bowl: Bowl) -> None:
    offset = np.linspace(-bowl.window, bowl.window, 121)
    (x,) = _placed(bowl, offset[None, :])
    axes.plot(x, offset**2, color=POINT, linewidth=1.4, zorder=3)
    for (level, points), style in zip(bowl.regions, ((0, (4, 2)), "solid"), strict=False):
        (ends,) = _placed(bowl, points)
        for k, end in enumerate(ends):
            label = f"{100 * level:g}% interval" if k == 0 else None
            axes.plot(
                [end, end], [0, points[0, k] ** 2], color=LINE, linewidth=1.3, linestyle=style, label=label, zorder=2
            )
    (lowest,) = _placed(bowl, np.zeros((1, 1)))
    _mark_minimum(axes, lowest, [0])
    axes.set_ylim(-0.04 * bowl.window**2, 1.02 * bowl.window**2)
    name_axes(axes, _axis_name(bowl, 0), "rise of the sum of squares" + (" / σ²" if bowl.scaled else ""))
    show_legend(axes)


class Scale:
    """A power of ten taken out of large and small numbers, and named on the axis."""

    def __init__(self, exponent: int) -> None:
        self.exponent = exponent

    @classmethod
    def of(cls, *values: np.ndarray) -> Scale:
        """The scale for all these values together."""
        sizes = [float(np.max(np.abs(part[np.isfinite(part)]), initial=0.0)) for part in values]
        largest = max(sizes)
        exponent = math.floor(math.log10(largest)) if largest > 0 else 0
        return cls(0 if -4 < exponent < 6 else exponent)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        if not self.exponent:
            return values
        # In two steps: a power of ten beyond 1e308 is no number.
        half = self.exponent // 2
        return values / 10.0**half / 10.0 ** (self.exponent - half)

    def label(self, name: str) -> str:
        """The name of the axis with the power of ten."""
        shown = short(name)
        return shown if not self.exponent else f"{shown}  (×1e{self.exponent})"


def short(name: str, letters: int = MOST_LETTERS) -> str:
    """A name that fits an axis, on one line."""
    tidy = "".join(one if one.isprintable() else " " for one in name)
    return tidy if len(tidy) <= letters else tidy[: letters - 1] + "…"


def message(axes: Axes, text: str) -> None:
    """Words in place of a picture."""
    import textwrap

    axes.set_axis_off()
    axes.text(
        0.5,
        0.5,
        "\n".join(textwrap.wrap(text, 44)),
        ha="center",
        va="center",
        transform=axes.transAxes,
        color=MUTED,
        parse_math=False,
    )


def _in_own_units(bowl: Bowl, k: int) -> bool:
    """Whether tick labels can tell the values of a coefficient apart."""
    size = max(abs(float(bowl.centre[k])), float(bowl.unit[k]))
    return 1e-5 < size < 1e6 and float(bowl.unit[k]) > 1e-7 * size


def _placed(bowl: Bowl, offsets: np.ndarray) -> list[np.ndarray]:
    """Points of the bowl in the coordinates of the axes."""
    return [
        bowl.centre[k] + bowl.unit[k] * offset if _in_own_units(bowl, k) else offset for k, offset in enumerate(offsets)
    ]


def _axis_name(bowl: Bowl, k: int) -> str:
    if _in_own_units(bowl, k):
        return short(bowl.names[k])
    value = float(bowl.centre[k])
    away = f"{short(bowl.names[k], 20)} {'+' if value < 0 else '−'} {plain(abs(value))}"
    return f"({away}) / {'std.err' if bowl.scaled else plain(float(bowl.unit[k]), 2)}"


def _line_order(sample: Sample) -> float:
    """A few points stand before the line, a cloud of them behind it."""
    return 2.5 if len(sample.row) <= 400 else 4.0


def _points(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    count = len(x)
    size = 4.6 if count <= 60 else 3.4 if count <= 400 else 2.4
    axes.plot(
        x, y, linestyle="none", marker="o", markersize=size, markerfacecolor=POINT, markeredgecolor="white",
        markeredgewidth=0.4 if count <= 400 else 0.0, alpha=0.9 if count <= 400 else 0.35, zorder=3,
        rasterized=count > MANY,
    )  # fmt: skip


def _band(axes: Axes, x: np.ndarray, band: np.ndarray, colour: str, label: str) -> None:
    axes.fill_between(x, band[0], band[1], facecolor=colour, edgecolor="none", zorder=1, label=label)


def _label_largest(axes: Axes, x: np.ndarray, y: np.ndarray, sample: Sample) -> None:
    """Row numbers beside up to three residuals far out, as far as there is room."""
    size = np.nan_to_num(np.abs(y), nan=0.0)
    room_x, room_y = 0.2 * np.ptp(x[np.isfinite(x)]), 0.06 * np.ptp(y[np.isfinite(y)])
    labelled: list[int] = []
    for k in np.argsort(-size, kind="stable")[:3]:
        free = all(abs(x[k] - x[j]) > room_x or abs(y[k] - y[j]) > room_y for j in labelled)
        if size[k] > (2.5 if sample.total <= 50 else 3.0) and free:
            labelled.append(k)
            left = x[k] > np.nanmean(x)
            axes.annotate(
                f"row {sample.row[k]:,}", (x[k], y[k]), xytext=(-5 if left else 5, 0), textcoords="offset points",
                fontsize=7, color=MUTED, ha="right" if left else "left", va="center", zorder=5,
            )  # fmt: skip


def _limits(*values: np.ndarray) -> tuple[float, float]:
    """Limits with a margin around finite values, apart even where all are equal."""
    finite = np.concatenate([part[np.isfinite(part)] for part in values])
    if not len(finite):
        return -1.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    margin = 0.06 * (high - low)
    if margin <= 1e-9 * max(abs(low), abs(high)):
        margin = 0.1 * max(abs(low), abs(high)) or 1.0
    return low - margin, high + margin


def _finite(band: np.ndarray | None) -> tuple[np.ndarray, ...]:
    return () if band is None else (band,)


def name_axes(axes: Axes, across: str, down: str) -> None:
    """Name both axes as they are written, never as mathematics."""
    axes.set_xlabel(across, parse_math=False)
    axes.set_ylabel(down, parse_math=False)


def _finish(axes: Axes, sample: Sample, legend: bool = False) -> None:
    if text := shown_short(sample):
        axes.set_title(text, loc="right", fontsize=7, color=MUTED)
    if legend:
        show_legend(axes)


def show_legend(axes: Axes) -> None:
    """A legend where it hides least."""
    axes.legend(
        loc="best",
        fontsize=7,
        frameon=True,
        framealpha=0.85,
        edgecolor="none",
        borderpad=0.3,
        handlelength=1.6,
        reverse=True,
    )
