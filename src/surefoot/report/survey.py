"""A survey as text and as a picture. Nothing is computed here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from surefoot.report.cells import time_text
from surefoot.report.downhill import draw_graph, draw_map, mark
from surefoot.report.figures import styled
from surefoot.report.minima import aligned
from surefoot.report.text import WIDTH, in_lines, packed
from surefoot.wording import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from surefoot.results.picture import Chart, Graph
    from surefoot.results.survey import Survey

MOST = 20
"""Points that are shown one by one."""
COLUMNS = 4
"""Variables that are shown."""
BOXES = 6
"""Undecided boxes that are shown."""
MANY = 60
"""From here on the marks of points are drawn small."""

PLURALS = {
    "strict local minimum": "strict local minima", "local minimum": "local minima", "saddle": "saddles",
    "local maximum": "local maxima", "degenerate": "degenerate points", "inconclusive": "points not classified",
}  # fmt: skip
ALONE = {"degenerate": "degenerate point", "inconclusive": "point not classified"}


def survey_text(survey: Survey) -> str:
    """Where, what was found, whether that is all, each point, the global minimum, and what is not decided."""
    parts = [_heading(survey)]
    if not survey.only:
        parts += [_found(survey), _rows(survey)]
    parts += [_lowest(survey), _left(survey), [line for note in survey.notes for line in in_lines(note)]]
    return "\n\n".join("\n".join(part) for part in parts if part)


def counts_text(survey: Survey) -> str:
    """So many of each class, the classes in the order in which points are told apart."""
    return ", ".join(f"{count:,} {_named(verdict.value, count)}" for verdict, count in survey.counts.items())


def _named(verdict: str, count: int) -> str:
    return ALONE.get(verdict, verdict) if count == 1 else PLURALS.get(verdict, verdict)


def draw_survey(survey: Survey, ground: Chart | Graph) -> Figure:
    """The map with every point marked by its class, undecided boxes hatched, and the global minimum ringed."""
    from surefoot.report.shown import ShownFigure

    with styled():
        flat = hasattr(ground, "levels")
        figure = ShownFigure(figsize=(5.4, _height(ground) + 1.2), layout="constrained")
        axes = figure.subplots()
        (draw_map if flat else draw_graph)(axes, ground)  # type: ignore[arg-type]
        place = axes.get_xlim(), axes.get_ylim()
        size = 1.0 if len(survey.points) <= MANY else 0.5
        for point in survey.points:
            up = point.flat[1] if flat else point.value
            mark(axes, (point.flat[0], up), point.verdict.value, size)
        for lowest in survey.global_minimum.points:
            up = lowest.flat[1] if flat else lowest.values[1]
            axes.plot(lowest.flat[0], up, "o", markerfacecolor="none", markeredgecolor="#D55E00", markersize=13,
                      markeredgewidth=1.6, zorder=8, clip_on=False)  # fmt: skip
        for box in survey.undecided:
            if flat:
                _hatch(axes, box)
            else:
                axes.axvspan(box.lower[0], box.upper[0], facecolor="none", edgecolor="#AA4499", hatch="///")
        if flat:
            axes.set_xlim(*place[0])
            axes.set_ylim(*place[1])
        _legend(figure, axes, survey)
        title = counted(len(survey.points), "stationary point")
        axes.set_title(f"{title}, proven to be all" if survey.complete else title, loc="left", fontweight="bold")
        return figure


def _height(ground: Chart | Graph) -> float:
    """Of the panel, in inches: a map in equal units is as flat as its box."""
    if not getattr(ground, "alike", False):
        return 3.4
    long, tall = ground.across[-1] - ground.across[0], ground.up[-1] - ground.up[0]  # type: ignore[union-attr]
    return min(max(4.6 * float(tall / long), 1.8), 5.4)


def _hatch(axes, box) -> None:
    from matplotlib.patches import Rectangle

    wide, tall = box.upper - box.lower
    axes.add_patch(Rectangle(box.lower, wide, tall, facecolor="none", edgecolor="#AA4499", hatch="///", zorder=6))


def _legend(figure, axes, survey: Survey) -> None:
    """A sign for each class that is there, named and counted."""
    for verdict, count in survey.counts.items():
        mark(axes, ([], []), verdict.value, 1.0, label=f"{count:,} {_named(verdict.value, count)}")
    if survey.global_minimum.points:
        axes.plot([], [], "o", markerfacecolor="none", markeredgecolor="#D55E00", markersize=9, markeredgewidth=1.6,
                  linestyle="none", label="global minimum of the box")  # fmt: skip
    if survey.undecided:
        axes.fill_between([], [], [], facecolor="none", edgecolor="#AA4499", hatch="///", label="undecided")
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower center", ncols=3, fontsize=7.5, frameon=False)


def _heading(survey: Survey) -> list[str]:
    right = f"{_boxes(survey.examined)}, {time_text(survey.seconds)}"
    ends = zip(survey.names, survey.box.lower, survey.box.upper, strict=True)
    shown = [f"{name} in [{low:g}, {high:g}]" for name, low, high in list(ends)[:6]]
    where = in_lines("in the box " + ", ".join(shown) + (", ..." if len(survey.names) > 6 else ""))
    if len(survey.title) + len(right) + 2 > WIDTH:
        return [*in_lines(survey.title), right.rjust(WIDTH), *where]
    return [survey.title + right.rjust(WIDTH - len(survey.title)), *where]


def _found(survey: Survey) -> list[str]:
    number = len(survey.points)
    if not number:
        return ["No stationary point: proven." if survey.complete else "No stationary point is proven."]
    head = counted(number, "stationary point")
    proven = "proven to be there, and to be all" if survey.complete else "proven to be there; there may be others"
    return in_lines(f"{head}, {proven}: {counts_text(survey)}.")


def _rows(survey: Survey) -> list[str]:
    if not survey.points:
        return []
    names = survey.names[:COLUMNS]
    places = any(point.place.name != "INSIDE" for point in survey.points)
    head = ["", "verdict", "value", *names, *["..."] * (len(survey.names) > COLUMNS), *["where"] * places]
    rows = [head]
    for k, point in enumerate(survey.points[:MOST], start=1):
        more = ["..."] * (len(survey.names) > COLUMNS) + [point.place.value] * places
        spot = [_short(float(entry)) for entry in point.flat[:COLUMNS]]
        rows.append([str(k), point.verdict.value, _short(point.value), *spot, *more])
    lines = aligned(rows, right=(0, *range(2, 3 + len(names))))
    if len(survey.points) > MOST:
        lines.append(f"... and {counted(len(survey.points) - MOST, 'more point')}")
    widest = max(point.width for point in survey.points)
    if widest:
        lines += in_lines(
            f"Each lies in an enclosure at most {widest:.1e} wide; its class is the inertia of the Hessian all over it."
        )
    return lines


def _short(value: float) -> str:
    text = f"{value:.10g}"
    return "0" if text == "-0" else text if abs(value) > 1e-14 else "0" if value == 0 else f"{value:.1e}"


def _lowest(survey: Survey) -> list[str]:
    minimum = survey.global_minimum
    low, high = minimum.values
    if low == math.inf:
        return in_lines(minimum.reason)
    verdict = minimum.verdict.value
    if verdict == "inconclusive" and minimum.is_known:
        lines = in_lines(f"Global minimum of the box (proven): value {high:.12g}, within {high - low:.1e}")
        return lines + in_lines(
            f"  where it is taken is not decided: in {_boxes(len(minimum.undecided))} that are left"
        )
    if verdict == "inconclusive":
        said = f"The global minimum of the box is not known better than from {low:.10g} to {high:.10g}."
        return in_lines(f"{said} {minimum.reason}".strip())
    if low == high:
        facts = f"{verdict} of the box (proven): value {high:.12g}, exactly"
    else:
        facts = f"{verdict} of the box (proven): value {minimum.value:.12g}, within {high - low:.1e}"
    lines = packed([facts[0].upper() + facts[1:]])
    for point in minimum.points[:BOXES]:
        lines += in_lines("  at " + _spot(survey, point))
    if len(minimum.points) > BOXES:
        lines.append(f"  ... and {counted(len(minimum.points) - BOXES, 'more point')}")
    if len(minimum.points) > 1 and all(point.values[1] <= low for point in minimum.points):
        lines += in_lines("f takes it at each of them.")
    elif len(minimum.points) > 1:
        lines += in_lines("Their values cannot be told apart: it is at one of them, or at several.")
    if minimum.points and minimum.undecided:
        lines += in_lines(f"There may be other places, in {_boxes(len(minimum.undecided))}.")
    if not minimum.points and low == high:
        at = ", ".join(f"{name} = {x:.10g}" for name, x in zip(survey.names[:6], minimum.best[:6], strict=True))
        lines += in_lines(f"  at {at}; there may be other places.")
    return lines


def _spot(survey: Survey, point) -> str:
    said = []
    for name, x, side in list(zip(survey.names, point.flat, point.sides, strict=True))[:6]:
        said.append(f"{name} = {_short(float(x))}{' (on the boundary)' if side else ''}")
    return ", ".join(said) + (", ..." if len(survey.names) > 6 else "")


def _left(survey: Survey) -> list[str]:
    """What is not decided, and why."""
    lines = [line for reason in survey.reasons for line in in_lines(reason)]
    if not survey.undecided:
        return lines
    lines += in_lines(
        f"Undecided: {_boxes(len(survey.undecided))}" + (", among them" if len(survey.undecided) > BOXES else "")
    )
    for box in survey.undecided[:BOXES]:
        ends = list(zip(survey.names, box.lower, box.upper, strict=True))[:COLUMNS]
        lines.append("  " + ", ".join(f"{name} in [{low:.6g}, {high:.6g}]" for name, low, high in ends))
    return lines


def _boxes(number: int) -> str:
    return f"{number:,} box{'' if number == 1 else 'es'}"
