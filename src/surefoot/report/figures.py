"""The pictures of a fit: one figure for a paper, or each as SVG for a page. No pyplot, no window, no state left."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from surefoot.report.panels import draw_bowl, draw_data, draw_normal, draw_residuals
from surefoot.report.panels_roads import draw_descents, draw_perpendicular, draw_walks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from surefoot.models.array_fit import ArrayFit
    from surefoot.models.fit import FormulaFit
    from surefoot.models.picture import Picture

Draw = Callable[["Axes", "FormulaFit", "Picture"], None]

STYLE = {
    "font.size": 8.5,
    "axes.labelsize": 8.5,
    "axes.titlesize": 9,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.8,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "xtick.labelcolor": "black",
    "ytick.labelcolor": "black",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.6,
    "axes.unicode_minus": True,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "surefoot",
    "figure.dpi": 150,
    "savefig.dpi": 200,
}

TITLES = ("Data and fit", "Residuals against fitted", "Normal quantiles", "Error bowl")
RIGHT_ANGLE, WALKS, DESCENTS = "The residual at a right angle", "Two roads, one valley", "How the walks came down"


def overview(fit: FormulaFit, picture: Picture) -> Figure:
    """Data with line and bands, residuals, normal quantiles and the error bowl, for a page 180 mm wide.

    Where roads were compared a third row has the residual at a right angle, and the walks.

    Parameters
    ----------
    fit : FormulaFit
        What was fitted.
    picture : Picture
        Its numbers, from ``surefoot.models.picture.gather``.
    """
    with styled():
        from surefoot.report.shown import ShownFigure

        draws: list[Draw] = [draw_data, draw_residuals, draw_normal, draw_bowl]
        titles = list(TITLES)
        if picture.descents:
            draws += [draw_perpendicular, draw_walks if picture.walked else draw_descents]
            titles += [RIGHT_ANGLE, WALKS if picture.walked else DESCENTS]
        rows = len(draws) // 2
        figure = ShownFigure(figsize=(7.1, 3.0 * rows), layout="constrained")
        for axes, draw, title, letter in zip(figure.subplots(rows, 2).flat, draws, titles, "abcdef", strict=False):
            draw(axes, fit, picture)
            axes.set_title(f"{letter}   {title}", loc="left", fontweight="bold")
        figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)  # type: ignore[union-attr]
        return figure


def array_overview(fit: ArrayFit, picture: Picture) -> Figure:
    """The residual at a right angle, and the walks where roads were compared."""
    panels: list[tuple[Draw, str]] = [(draw_perpendicular, RIGHT_ANGLE)]
    if picture.walked is not None:
        panels.append((draw_walks, WALKS))
    if picture.descents:
        panels.append((draw_descents, DESCENTS))
    with styled():
        from surefoot.report.shown import ShownFigure

        figure = ShownFigure(figsize=(3.55 * len(panels), 3.2), layout="constrained")
        for axes, (draw, title) in zip(figure.subplots(1, len(panels), squeeze=False).flat, panels, strict=True):
            draw(axes, fit, picture)  # pyright: ignore[reportArgumentType]
            axes.set_title(title, loc="left", fontweight="bold")
        return figure


def svg(draw: Draw, fit: FormulaFit, picture: Picture, name: str) -> str:
    """One picture as an SVG element to stand within a page; ``name`` makes its ids its own."""
    with styled(), warnings.catch_warnings():
        # The reader's browser has letters that the font used for measuring lacks.
        warnings.filterwarnings("ignore", message="Glyph")
        from matplotlib.figure import Figure

        figure = Figure(figsize=(4.7, 3.5), layout="constrained")
        draw(figure.subplots(), fit, picture)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _inline(stream.getvalue(), name)


@contextmanager
def styled() -> Iterator[None]:
    """Our style and nothing of the user's, for as long as a figure is made."""
    from matplotlib import style

    with style.context(STYLE, after_reset=True):
        yield


def _inline(text: str, name: str) -> str:
    """The SVG element alone: no prolog, no rules for the page around it, ids that no other picture has."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r"<[a-z][^>]*>", lambda tag: _own_ids(tag.group(), name), text)
    return (
        re.sub(r' width="[^"]*" height="[^"]*"', "", text, count=1) if ' width="' in text[: text.index(">")] else text
    )


def _own_ids(tag: str, name: str) -> str:
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", tag)


__all__ = ["array_overview", "overview", "svg"]
