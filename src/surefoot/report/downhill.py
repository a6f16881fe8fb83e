"""Pictures of walks and points on a map: contours, the path, how fast it came down. Nothing is computed here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from surefoot.errors import DataError
from surefoot.files import whole_file
from surefoot.report.figures import styled
from surefoot.report.panels import ACCENT, LINE, MUTED, POINT
from surefoot.wording import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from surefoot.results.compass import Compass
    from surefoot.results.picture import Chart, Profile, WalkPicture
    from surefoot.results.result import Result

LONG = 3.0
"""A map up to this many times longer than wide is drawn with equal units."""
ENDINGS = (".png", ".svg", ".pdf")


def draw_result(result: Result, picture: WalkPicture) -> Figure:
    """The map with the path, where there is one, beside how fast the walk came down."""
    from surefoot.report.shown import ShownFigure

    with styled():
        count = 1 + (picture.chart is not None)
        figure = ShownFigure(figsize=(3.7 * count + 0.4, 3.4), layout="constrained")
        panels = list(figure.subplots(1, count, squeeze=False).flat)
        if picture.chart is not None:
            draw_map(panels[0], picture.chart)
            for leg in picture.legs:
                draw_path(panels[0], leg)
            _mark(panels[0], result)
            panels[0].set_title(f"{counted(result.steps, 'step')}: {result.verdict.value}", loc="left",
                                fontweight="bold")  # fmt: skip
        draw_profile(panels[-1], picture.profile)
        panels[-1].set_title("How it came down", loc="left", fontweight="bold")
        return figure


def draw_compass(compass: Compass, chart: Chart) -> Figure:
    """The map around a point with the gradient, the steepest way down, the level line and the direction asked about."""
    from surefoot.report.shown import ShownFigure

    with styled():
        figure = ShownFigure(figsize=(4.6, 4.0), layout="constrained")
        axes = figure.subplots()
        draw_map(axes, chart)
        reach = 0.3 * min(np.ptp(chart.across), np.ptp(chart.up))
        x, y = compass.flat
        if compass.steepest is not None:
            _arrow(axes, x, y, -compass.steepest * reach, POINT, "gradient: uphill")
            _arrow(axes, x, y, compass.steepest * reach, LINE, "steepest way down")
        if compass.tangent is not None:
            ends = np.array([[x, y]]).T + np.outer(compass.tangent, [-reach, reach])
            axes.plot(*ends, color=ACCENT, linewidth=1.4, linestyle=(0, (4, 2)), label="level set", zorder=5)
        if compass.direction is not None:
            _arrow(axes, x, y, compass.direction * reach, "#AA4499", f"asked: slope {compass.slope_along:.4g}")
        axes.plot([x], [y], "o", color="black", markersize=4, zorder=7)
        axes.set_title(f"|gradient| = {compass.length:.4g}", loc="left", fontweight="bold")
        axes.legend(loc="best", fontsize=7, framealpha=0.9)
        return figure


def draw_map(axes: Axes, chart: Chart) -> None:
    """Filled contours with lines between them."""
    if len(chart.levels):
        fill = np.concatenate([[np.nanmin(chart.heights)], chart.levels])
        fill = np.unique(fill)
        axes.contourf(chart.across, chart.up, chart.heights, levels=fill, cmap="Blues_r", alpha=0.55, extend="max")
        axes.contour(chart.across, chart.up, chart.heights, levels=chart.levels, colors="#7FA8C4", linewidths=0.5)
    axes.set_xlim(chart.across[0], chart.across[-1])
    axes.set_ylim(chart.up[0], chart.up[-1])
    axes.set_xlabel(chart.names[0])
    axes.set_ylabel(chart.names[1])
    axes.grid(False)
    if 1 / LONG <= np.ptp(chart.up) / np.ptp(chart.across) <= LONG:
        axes.set_aspect("equal", adjustable="box")  # right angles are right angles


def draw_path(axes: Axes, path: np.ndarray) -> None:
    """The accepted points, joined in their order."""
    if len(path) and path.shape[1] == 2:
        axes.plot(path[:, 0], path[:, 1], color=POINT, linewidth=1.0, marker="o", markersize=2.6, zorder=5)
        axes.plot(*path[0], "s", color=POINT, markersize=5, zorder=6)


def draw_profile(axes: Axes, profile: Profile) -> None:
    """The gap to the lowest value and the gradient against the steps, with theory's line."""
    axes.set_yscale("log")
    if np.any(profile.gap > 0):
        axes.plot(profile.steps, profile.gap, color=LINE, linewidth=1.5, marker="o", markersize=2.4,
                  label="f less its lowest")  # fmt: skip
    positive = np.where(profile.steepness > 0, profile.steepness, np.nan)
    if np.any(np.isfinite(positive)):
        axes.plot(profile.steps, positive, color=MUTED, linewidth=1.0, label="|gradient|")
    if profile.theory is not None:
        shown = np.where(profile.theory > 1e-300, profile.theory, np.nan)
        axes.plot(profile.steps, shown, color=ACCENT, linewidth=1.0, linestyle=(0, (4, 2)), label=profile.law)
    axes.set_xlabel("step")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="best", fontsize=7)


def written(figure: Figure, path: str | Path) -> Figure:
    """The figure, also as a file.

    Raises
    ------
    DataError
        The ending is unknown, or the file cannot be written.
    """
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise DataError(f"A picture is written as {', '.join(ENDINGS)}, not as {ending or 'a file without ending'}.")
    with whole_file(path, "picture") as neighbour:
        figure.savefig(neighbour, format=ending[1:])
    return figure


def _arrow(axes: Axes, x: float, y: float, way: np.ndarray, color: str, label: str) -> None:
    axes.annotate("", (x + way[0], y + way[1]), (x, y), zorder=6,
                  arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.6, "shrinkA": 0, "shrinkB": 0})  # fmt: skip
    axes.plot([], [], color=color, linewidth=1.6, label=label)


def _mark(axes: Axes, result: Result) -> None:
    """The end point, with a sign for what it is."""
    saddle = result.verdict.value == "saddle"
    axes.plot(*result.flat, "X" if saddle else "*", color="black", markersize=7 if saddle else 9, zorder=7)
