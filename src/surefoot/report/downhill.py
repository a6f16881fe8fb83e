"""Pictures of walks and points on a map: contours, the path, how fast it came down. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from surefoot.errors import DataError
from surefoot.files import whole_file
from surefoot.report.figures import styled
from surefoot.report.panels import DEPTHS, LINE, MUTED, POINT, short
from surefoot.wording import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from surefoot.results.compass import Compass
    from surefoot.results.picture import Chart, Graph, Profile, Track, WalkPicture
    from surefoot.results.result import Result
    from surefoot.results.starts import Starts

ENDINGS = (".png", ".svg", ".pdf")
WIDE = 0.62
"""A map flatter than this stands above the profile instead of beside it."""
COLOURS = (LINE, POINT, "#AA4499", "#009E73", "#B8860B", "#555555")
"""Of the walks on one map, in their order."""
MARKS = {"saddle": "X", "local maximum": "^", "degenerate": "D", "not stationary": "o", "inconclusive": "o"}
"""What a point is; a star for any kind of minimum."""
DECADES = 30.0
"""What spans less than this factor is not drawn on a logarithmic scale."""
FEW = 25
"""Minima that are drawn with their shares."""
MANY = 60
"""From here on the points of a walk run into each other and are left out."""


def draw_result(result: Result, picture: WalkPicture) -> Figure:
    """The ground with the path, where it can be drawn, beside how fast the walk came down."""
    title = f"{counted(result.steps, 'step')}: {result.verdict.value}"
    if picture.starts is not None:
        title = f"{counted(picture.starts.count, 'start')}: {counted(len(picture.starts.minima), 'point')}"
    return _drawn(picture, title)


def draw_walks(picture: WalkPicture) -> Figure:
    """Several walks on one ground, beside how fast each came down."""
    return _drawn(picture, counted(len(picture.tracks), "walk"))


def _drawn(picture: WalkPicture, title: str) -> Figure:
    with styled():
        figure, panels = _panels(picture)
        one = len(picture.tracks) == 1
        if picture.ground is not None:
            axes = panels.pop(0)
            (draw_map if hasattr(picture.ground, "levels") else draw_graph)(axes, picture.ground)  # type: ignore[arg-type]
            for track, colour in zip(picture.tracks, COLOURS * len(picture.tracks), strict=False):
                draw_path(axes, track, colour, "" if one else short(track.label, 40))
            if picture.starts is not None:
                _draw_minima(axes, picture.starts)
            axes.set_title(title, loc="left", fontweight="bold")
            if not one and picture.tracks:
                figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False,
                              fontsize=7.5)  # fmt: skip
        for axes in panels:
            axes.set_title("How it came down" if one else "How they came down", loc="left", fontweight="bold")
            if one:
                draw_profile(axes, picture.tracks[0].profile)
            else:
                draw_profiles(axes, picture.tracks, labelled=picture.ground is None)
        return figure


def _panels(picture: WalkPicture) -> tuple[Figure, list[Axes]]:
    """The ground and the profile, in a figure of the shape of the map."""
    from surefoot.report.shown import ShownFigure

    ground, flatness = picture.ground, 0.85
    if ground is not None and hasattr(ground, "levels") and ground.alike:  # type: ignore[union-attr]
        flatness = float(np.ptp(ground.up) / np.ptp(ground.across))  # type: ignore[union-attr]
    count = (ground is not None) + bool(picture.tracks)
    legend = 0.22 * ((len(picture.tracks) + 1) // 2) if len(picture.tracks) > 1 else 0.0
    if count == 2 and flatness < WIDE:
        figure = ShownFigure(figsize=(5.6, 5.0 * flatness + 3.0 + legend), layout="constrained")
        panels = figure.subplots(2, 1, height_ratios=[5.0 * flatness + 0.5, 2.5])
    else:
        figure = ShownFigure(figsize=(3.7 * count + 0.4, min(max(3.2 * flatness + 0.6, 3.2), 4.6) + legend),
                             layout="constrained")  # fmt: skip
        panels = figure.subplots(1, count, squeeze=False)
    return figure, list(np.ravel(panels))


def draw_compass(compass: Compass, chart: Chart) -> Figure:
    """The map around a point with the gradient, the steepest way down, the level line and the direction asked about."""
    from surefoot.report.shown import ShownFigure

    with styled():
        figure = ShownFigure(figsize=(4.4, 4.9), layout="constrained")
        axes = figure.subplots()
        draw_map(axes, chart)
        reach = 0.3 * min(np.ptp(chart.across), np.ptp(chart.up))
        here = (float(compass.flat[0]), float(compass.flat[1]))
        if compass.tangent is not None and compass.steepest is not None:
            ends = compass.flat[:, None] + np.outer(compass.tangent, [-reach, reach])
            axes.plot(*ends, color="black", linewidth=1.3, linestyle=(0, (4, 2)), label="tangent of the level set",
                      zorder=5)  # fmt: skip
            corner = 0.09 * reach * np.array([compass.steepest, compass.steepest + compass.tangent, compass.tangent])
            axes.plot(*(compass.flat + corner).T, color="black", linewidth=0.9, zorder=5)
            _arrow(axes, *here, -compass.steepest * reach, POINT, "gradient: steepest way up")
            _arrow(axes, *here, compass.steepest * reach, LINE, "steepest way down")
            axes.contour(chart.across, chart.up, chart.heights, levels=[compass.value], colors="black",
                         linewidths=0.9, linestyles="solid")  # fmt: skip
        if compass.direction is not None:
            _arrow(axes, *here, compass.direction * reach, "#AA4499", f"asked: slope {compass.slope_along:.4g}")
        axes.plot(*here, "o", color="black", markersize=4, zorder=7)
        axes.set_title(f"value {compass.value:.4g}, |gradient| {compass.length:.4g}", loc="left", fontweight="bold")
        if axes.get_legend_handles_labels()[0]:
            figure.legend(loc="outside lower center", ncols=2, fontsize=7.5, frameon=False)
        return figure


def draw_map(axes: Axes, chart: Chart) -> None:
    """Filled contours with lines between them, darker where it is lower."""
    from matplotlib.colors import LinearSegmentedColormap

    axes.set_facecolor("#EEEEEE")  # where f is not finite
    if len(chart.levels):
        fill = np.unique([np.nanmin(chart.heights), *chart.levels, np.nanmax(chart.heights)])
        depths = LinearSegmentedColormap.from_list("depths", DEPTHS[::-1])(np.linspace(0, 1, len(fill) - 1))
        axes.contourf(chart.across, chart.up, chart.heights, levels=fill, colors=depths)
        axes.contour(chart.across, chart.up, chart.heights, levels=chart.levels, colors="#7FA8C4",
                     linewidths=0.5, linestyles="solid")  # fmt: skip
    axes.set_xlim(chart.across[0], chart.across[-1])
    axes.set_ylim(chart.up[0], chart.up[-1])
    axes.set_xlabel(chart.names[0])
    axes.set_ylabel(chart.names[1])
    axes.grid(False)
    if chart.alike:
        axes.set_aspect("equal", adjustable="box")  # right angles are right angles


def draw_graph(axes: Axes, graph: Graph) -> None:
    """The graph of a function of one variable."""
    axes.plot(graph.across, graph.heights, color="#7FA8C4", linewidth=1.4)
    axes.set_xlabel(graph.name)
    axes.set_ylabel("f")


def draw_path(axes: Axes, track: Track, colour: str, label: str) -> None:
    """The accepted points, joined in their order, and a sign for what the end is."""
    if not track.legs or track.legs[0].shape[1] not in (1, 2):
        return
    place = axes.get_xlim(), axes.get_ylim()
    for leg, values in zip(track.legs, track.values, strict=True):
        across, up = (leg[:, 0], values) if leg.shape[1] == 1 else leg.T
        size = 2.8 if len(leg) <= MANY else 0
        text = f"{label}, {counted(sum(map(len, track.legs)) - len(track.legs), 'step')}" if label else ""
        axes.plot(across, up, color=colour, linewidth=1.2, marker="o", markersize=size, markeredgewidth=0, zorder=5,
                  label=text if leg is track.legs[0] and label else "_")  # fmt: skip
        if leg is track.legs[0]:
            axes.plot(across[:1], up[:1], "s", color="white", markeredgecolor="black", markersize=5, zorder=6)
    for jump in track.jumps:
        axes.plot(*jump.T, color=colour, linewidth=1.2, linestyle=(0, (1, 1.5)), zorder=5)
    end = track.end if len(track.end) == 2 else np.array([track.end[0], track.value])
    mark(axes, end, track.verdict)
    if len(track.end) == 2:
        axes.set_xlim(*place[0])
        axes.set_ylim(*place[1])


def _draw_minima(axes: Axes, starts: Starts) -> None:
    """Each point that starts led to; with its share of them, where there is room for it."""
    few = len(starts.minima) <= FEW
    for one in starts.minima:
        across, up = (one.x[0], one.x[1]) if len(one.x) == 2 else (one.x[0], one.value)
        mark(axes, np.array([across, up]), one.verdict.value, 1.0 if few else 0.55)
        if few:
            axes.annotate(f"{100 * one.share:.2g}%", (across, up), xytext=(0, -6), textcoords="offset points",
                          fontsize=7, ha="center", va="top", zorder=8)  # fmt: skip


def draw_profile(axes: Axes, profile: Profile) -> None:
    """The gap to the lowest value and the gradient against the steps, with theory's line."""
    positive = np.where(profile.steepness > 0, profile.steepness, np.nan)
    if np.any(np.isfinite(positive)):
        axes.plot(profile.steps, positive, color=MUTED, linewidth=1.0, label="|gradient|")
    if np.any(profile.gap > 0):
        size = 2.4 if len(profile.steps) <= MANY else 0
        axes.plot(profile.steps, profile.gap, color=LINE, linewidth=1.5, marker="o", markersize=size,
                  label="f less its lowest")  # fmt: skip
    if profile.theory is not None:
        shown = np.where(profile.theory > 1e-300, profile.theory, np.nan)
        axes.plot(np.arange(len(shown)), shown, color="black", linewidth=0.9, linestyle=(0, (4, 2)), label=profile.law)
    _name_profile(axes)


def draw_profiles(axes: Axes, tracks: Sequence[Track], labelled: bool) -> None:
    """The length of the gradient of each walk against its steps."""
    for track, colour in zip(tracks, COLOURS * len(tracks), strict=False):
        profile = track.profile
        positive = np.where(profile.steepness > 0, profile.steepness, np.nan)
        axes.plot(profile.steps, positive, color=colour, linewidth=1.4,
                  label=short(track.label, 40) if labelled else "_")  # fmt: skip
    axes.set_ylabel("|gradient|")
    _name_profile(axes)


def _name_profile(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    bottom, top = axes.dataLim.y0, axes.dataLim.y1
    if top > DECADES * bottom:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set_xlabel("step")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
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


def mark(axes: Axes, point: Sequence | np.ndarray, verdict: str, size: float = 1.0, label: str | None = None) -> None:
    """The sign of what a point is."""
    sign = MARKS.get(verdict, "*")
    face = "white" if verdict in ("not stationary", "inconclusive") else "black"
    axes.plot(*point, sign, color=face, markeredgecolor="black", markersize=size * (9 if sign == "*" else 6),
              markeredgewidth=size, zorder=7, linestyle="none", label=label)  # fmt: skip
