"""One picture each, drawn on the axes that it is given: walks on the bowl, their slopes, the residual standing up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from surefoot.report.captions_roads import NO_TRIANGLE, drawn_angle, side_names
from surefoot.report.numbers import plain
from surefoot.report.panels import (
    ACCENT,
    DEPTHS,
    LINE,
    MUTED,
    POINT,
    Scale,
    message,
    name_axes,
    short,
    show_legend,
)
from surefoot.wording import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from surefoot.models.perpendicular import Perpendicular
    from surefoot.models.picture import Picture
    from surefoot.models.walked import WalkedBowl

VIOLET = "#AA4499"
EDGE = "#7FA8C4"
STYLES = {
    "conjugate gradients": {"color": LINE, "linewidth": 1.8, "marker": "o", "markersize": 4.0, "zorder": 6},
    "steepest descent": {"color": POINT, "linewidth": 1.1, "marker": "o", "markersize": 2.4, "zorder": 5},
    "gradient descent": {"color": VIOLET, "linewidth": 0.8, "linestyle": (0, (3, 1.5)), "marker": "o",
                         "markersize": 1.8, "zorder": 4},
}  # fmt: skip

TURN, HEIGHT = math.radians(28.0), math.radians(24.0)
"""The view of the plane: turned, and seen from above the horizon."""


def draw_walks(axes: Axes, fit: object, picture: Picture) -> None:
    """The walks on the contours of the true sum of squares, from their start to the formula's answer."""
    bowl = picture.walked
    if bowl is None:
        return message(axes, "There are no walks of two coefficients to draw.")
    across = Scale.of(np.array(bowl.window[0]))
    down = Scale.of(np.array(bowl.window[1]))
    axes.set_facecolor(DEPTHS[-1])
    for k in range(len(bowl.contours) - 1, -1, -1):
        x, y = bowl.contours[k]
        shade = DEPTHS[min(k // 2, len(DEPTHS) - 1)]
        order = 1 + 0.01 * (len(bowl.contours) - k)
        axes.fill(across(x), down(y), facecolor=shade, edgecolor=EDGE, linewidth=0.5, zorder=order)
    for track in bowl.tracks:
        x, y = track.points
        style = STYLES.get(track.name, {})
        many = {"markersize": 0} if track.shown > 60 else {}
        label = f"{track.name}, {counted(track.steps, 'step')}"
        axes.plot(across(x), down(y), markeredgewidth=0, label=label, **{**style, **many})
    place, start = bowl.place[:, None], bowl.start[:, None]
    axes.plot(across(start[0]), down(start[1]), "s", color="white", markeredgecolor="black", markersize=5.5,
              markeredgewidth=1.1, zorder=7, label="start")  # fmt: skip
    axes.plot(across(place[0]), down(place[1]), "+", color="black", markersize=10, markeredgewidth=1.6, zorder=8,
              label="the formula's answer", linestyle="none")  # fmt: skip
    _frame_walks(axes, bowl, across, down)


def _frame_walks(axes: Axes, bowl: WalkedBowl, across: Scale, down: Scale) -> None:
    (left, right), (bottom, top) = (across(np.array(bowl.window[0])), down(np.array(bowl.window[1])))
    # These limits may grow where that keeps the aspect.
    axes.set_xlim(left, right, auto=True)
    axes.set_ylim(bottom, top, auto=True)
    axes.grid(False)
    if bowl.stretch:
        name_axes(axes, across.label("along the valley"), down.label(f"across, {plain(bowl.stretch, 3)} times wider"))
    else:
        # Equal lengths of scaled coordinates are equal lengths on paper.
        axes.set_aspect(abs(right - left) / abs(top - bottom), adjustable="datalim")
        name_axes(axes, across.label(bowl.names[0]), down.label(bowl.names[1]))
    axes.legend(loc="upper center", bbox_to_anchor=(0.45, -0.2), ncols=2, fontsize=7, frameon=False, handlelength=2.0,
                borderaxespad=0.0, columnspacing=1.5)  # fmt: skip


def draw_descents(axes: Axes, fit: object, picture: Picture) -> None:
    """Length of the gradient against steps, both on logarithmic scales."""
    if not picture.descents:
        return message(axes, "There are no walks to draw.")
    for one in picture.descents:
        style = dict(STYLES.get(one.name, {}))
        style.update({} if len(one.step) <= 40 else {"marker": None})
        axes.plot(one.step + 1, one.slope, markeredgewidth=0, label=one.name, **style)
        axes.plot(one.step[-1:] + 1, one.slope[-1:], linestyle="none", color=style.get("color"), markersize=6,
                  marker="v" if one.arrived else "x", zorder=7)  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    name_axes(axes, "steps + 1", "gradient, relative to the first")
    show_legend(axes)


def draw_perpendicular(axes: Axes, fit: object, picture: Picture) -> None:
    """Response, fitted values and residual as a right-angled triangle on the plane of the columns."""
    found = picture.perpendicular
    if found is None:
        return message(axes, NO_TRIANGLE)
    angle = math.radians(drawn_angle(found))
    foot, height = math.cos(angle), math.sin(angle)
    reach = max(foot, 0.55)
    _draw_plane(axes, found, reach)
    origin, tip, top = _seen(0, 0, 0), _seen(foot, 0, 0), _seen(foot, 0, height)
    names = side_names(found)
    if found.fitted and found.residual:
        _mark_right_angle(axes, foot, min(0.09, 0.4 * height, 0.4 * foot), found.dimension > 1)
    if found.fitted:
        _arrow(axes, origin, tip, LINE, 1.8)
        middle = _between(origin, tip, 0.45)
        _label(axes, middle, f"{names[1]}\n{plain(found.fitted, 4)}", LINE, (0, -5), "center", "top")
    if found.residual:
        _arrow(axes, tip, top, ACCENT, 1.8)
        _label(axes, _between(tip, top), f"{names[2]}\n{plain(found.residual, 4)}", ACCENT, (6, 0), "left", "center")
    if found.fitted and found.residual:
        _arrow(axes, origin, top, "black", 1.6)
    _label(axes, top, f"{names[0]}  {plain(found.response, 4)}", "black", (-26, 5), "left", "bottom")
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_axis_off()
    axes.margins(0.03, 0.08)


def _draw_plane(axes: Axes, found: Perpendicular, reach: float) -> None:
    """The plane with lines of a grid, or the line of a single column; and the columns as directions in it."""
    if found.dimension > 1:
        low, high, side = -0.32 * reach, 1.32 * reach, 0.85 * reach
        corners = [_seen(low, -side, 0), _seen(high, -side, 0), _seen(high, side, 0), _seen(low, side, 0)]
        axes.fill(*zip(*corners, strict=True), facecolor=DEPTHS[2], edgecolor=EDGE, linewidth=0.8, zorder=1)
        for share in np.linspace(0, 1, 9)[1:-1]:
            across, along = side * (2 * share - 1), low + share * (high - low)
            for start, end in (((low, across), (high, across)), ((along, -side), (along, side))):
                line = zip(_seen(*start, 0), _seen(*end, 0), strict=True)
                axes.plot(*line, color="white", linewidth=0.8, zorder=1.1)
    else:
        ends = (_seen(-0.3 * reach, 0, 0), _seen(1.35 * reach, 0, 0))
        axes.plot(*zip(*ends, strict=True), color=EDGE, linewidth=1.2, zorder=1.1)
    _draw_columns(axes, found, 0.5 * reach)


def _draw_columns(axes: Axes, found: Perpendicular, size: float) -> None:
    """Directions of columns; those that can hardly be told apart share a label."""
    labels: list[tuple[tuple[float, float], list[str]]] = []
    for name, (along, across) in found.columns:
        if abs(across) < 0.02 and along > 0:  # under the arrow of the fitted values
            _label(axes, _seen(2.6 * size, 0, 0), short(name, 18), MUTED, (2, -4), "center", "top")
            continue
        tip = _seen(size * along, size * across, 0)
        _arrow(axes, _seen(0, 0, 0), tip, MUTED, 1.1)
        near = next((names for at, names in labels if math.dist(at, tip) < 0.3 * size), None)
        if near is None:
            labels.append((tip, [short(name, 18)]))
        else:
            near.append(short(name, 18))
    for tip, names in labels:
        up = tip[1] > 0
        _label(axes, tip, ", ".join(names), MUTED, (0, 3 if up else -3), "center", "bottom" if up else "top")


def _mark_right_angle(axes: Axes, foot: float, size: float, on_plane: bool) -> None:
    """Between the residual and the fitted values, and where there is a plane a direction across them too."""
    for along, across in ((-size, 0.0), (0.0, size))[: 1 + on_plane]:
        corner = [_seen(foot + along, across, 0), _seen(foot + along, across, size), _seen(foot, 0, size)]
        axes.plot(*zip(*corner, strict=True), color="black", linewidth=0.8, zorder=4)
    if on_plane:
        axes.plot(*zip(_seen(foot, 0, 0), _seen(foot, size, 0), strict=True), color="black", linewidth=0.8, zorder=4)


def _seen(along: float, across: float, up: float) -> tuple[float, float]:
    """A point in space on paper: a parallel projection."""
    right = along * math.cos(TURN) + across * math.sin(TURN)
    away = -along * math.sin(TURN) + across * math.cos(TURN)
    return right, away * math.sin(HEIGHT) + up * math.cos(HEIGHT)


def _between(one: tuple[float, float], other: tuple[float, float], share: float = 0.5) -> tuple[float, float]:
    return one[0] + share * (other[0] - one[0]), one[1] + share * (other[1] - one[1])


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str, width: float) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>,head_width=0.22,head_length=0.5", "color": colour,
                  "linewidth": width, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 11}, zorder=5)  # fmt: skip
    axes.plot(*zip(start, end, strict=True), alpha=0)  # an annotation does not count for the limits


def _label(
    axes: Axes, at: tuple[float, float], text: str, colour: str, away: tuple[float, float], side: str, stand: str
) -> None:
    axes.annotate(text, at, xytext=away, textcoords="offset points", fontsize=7.5, color=colour, ha=side, va=stand,
                  zorder=6, parse_math=False)  # fmt: skip


__all__ = ["draw_descents", "draw_perpendicular", "draw_walks"]
