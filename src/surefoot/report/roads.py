"""Roads to one valley as text: a row a road, then how far they agree, in sentences. Nothing is computed here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from surefoot.wording import counted

if TYPE_CHECKING:
    from surefoot.models.road import Road, Roads

FEW_DIGITS = 6
"""Agreement worth saying that it is missing."""


@dataclass(frozen=True)
class RoadTable:
    """The comparison as text: a head of two lines, a row for each road, and sentences."""

    head: tuple[tuple[str, ...], tuple[str, ...]]
    rows: tuple[tuple[str, ...], ...]
    sentences: tuple[str, ...]

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Both lines of the head, a column at a time."""
        return tuple(zip(*self.head, strict=True))


def road_table(roads: Roads) -> RoadTable:
    """The cells of the table; correct digits only where the exact coefficients are known."""
    reference = _reference(roads)
    known = any(road.exact_digits is not None for road in roads.roads)
    head = ["", "digits as", "exact", "backward", "passes", "seconds", "steps", "steps in"]
    second = ["", reference.name, "digits", "error", "", "", "taken", "theory"]
    rows = [head, second, *([road.name, *_cells(roads, road, reference)] for road in roads.roads)]
    shown = [tuple(row if known else row[:2] + row[3:]) for row in rows]
    return RoadTable((shown[0], shown[1]), tuple(shown[2:]), tuple(sentences(roads)))


def roads_text(roads: Roads, width: int) -> list[str]:
    """The table and the sentences below it."""
    table = road_table(roads)
    shown = [*table.head, *table.rows]
    widths = [max(len(row[c]) for row in shown) for c in range(len(shown[0]))]
    lines = [
        "   ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in shown
    ]
    return [line.rstrip() for line in lines] + ["", *_wrapped(" ".join(table.sentences), width)]


def sentences(roads: Roads) -> list[str]:
    """What the comparison showed, in full sentences."""
    walker, said = roads["conjugate gradients"], []
    formula = _reference(roads)
    digits = roads.agreement[roads.names.index(formula.name), roads.names.index(walker.name)]
    if math.isnan(digits):
        return [_unfinished(road) for road in roads.roads if road.refused or not road.arrived]
    steps, agreed = counted(walker.steps or 0, "step"), counted(math.floor(digits), "digit")
    pair = f"{formula.name} and {walker.name}"
    if digits < FEW_DIGITS:
        said.append(
            f"{pair} ({steps}) agree to {agreed} only: the condition {roads.condition:.1e} of the columns is "
            f"{roads.condition_on_foot:.1e} for a walk."
        )
    elif walker.arrived:
        said.append(f"Two roads, one valley: {pair} over the rows ({steps}) agree to {agreed}.")
    else:
        said.append(f"{pair} agree to {agreed} after {steps}, where the walk had to end.")
    return said + [_unfinished(road) for road in roads.roads if road.refused or not road.arrived]


def _unfinished(road: Road) -> str:
    """Why a road did not arrive, or could not be taken."""
    if road.refused:
        return f"{_capital(road.name)} {road.stop}."
    theory = "" if road.predicted is None else f" (in theory, {_count(road.predicted)} steps in exact arithmetic)"
    return f"{_capital(road.name)} did not arrive{theory}: {road.stop}."


def _reference(roads: Roads) -> Road:
    """What the others are held against: the road that the fit reports."""
    return roads["QR, refined"] if "QR, refined" in roads.names else roads["QR"]


def _cells(roads: Roads, road: Road, reference: Road) -> list[str]:
    agreed = roads.agreement[roads.names.index(reference.name), roads.names.index(road.name)]
    return [
        "" if road is reference else _digits(None if math.isnan(agreed) else agreed),
        _digits(road.exact_digits),
        "-" if road.backward_error is None else f"{road.backward_error:.0e}",
        str(road.passes),
        "-" if road.seconds is None else f"{road.seconds:.3f}",
        "" if road.steps is None else f"{road.steps:,}",
        "" if road.predicted is None else _count(road.predicted),
    ]


def _digits(value: float | None) -> str:
    return "-" if value is None else f"{math.floor(value)}"


def _count(steps: int) -> str:
    return f"{steps:,}" if steps < 10_000_000 else f"{steps:.1e}"


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _wrapped(text: str, width: int) -> list[str]:
    from textwrap import wrap

    return wrap(text, width, subsequent_indent="  ", break_on_hyphens=False)
