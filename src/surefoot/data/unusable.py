"""Sentences for values that cannot be used: what is wrong, in which file, row and column, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surefoot.data.frame import Frame
from surefoot.data.source import Place, Source
from surefoot.data.source_scan import quoted
from surefoot.problem.graph import Name, Node, names
from surefoot.problem.writing import to_text


def missing_sentence(frame: Frame, source: Source | None) -> str:
    """For ``missing='error'``: the first row without a value."""
    for name in frame.columns:
        place = source.find_missing(name) if source else None
        if place is not None:
            return f"{place}, and missing='error' was asked for. Fill it in, or use missing='drop'."
    return "A row has a missing value, and missing='error' was asked for. Use missing='drop' to leave such rows out."


def not_finite_sentence(
    label: str, value: float, used: Sequence[str], frame: Frame, row: int, source: Source | None
) -> str:
    """Which expression is not finite, where, and for which values of its columns."""
    place = _place_of(frame, row, used, source)
    if list(used) == [label] and place:
        return f"{place}: a fit needs finite numbers. Correct the value, or leave the row out with filter=."
    where = f" ({place})" if place else f" (row {frame.row_numbers()[row]})"
    return (
        f"{label} is {value} where {_values_of(frame, row, used)}{where}: a fit needs finite numbers. "
        "Leave such rows out with filter=, or transform the column differently."
    )


def weight_sentence(word: str, node: Node, values: np.ndarray, frame: Frame, row: int, source: Source | None) -> str:
    """A weight or frequency that is none."""
    place = _place_of(frame, row, names(node), source)
    where = str(place or f"row {frame.row_numbers()[row]}")
    if not isinstance(node, Name):
        where = f"{to_text(node)} = {values[row]:g} ({where})"
    rule = (
        "a weight is a finite number that is not negative"
        if word == "weight"
        else "a frequency is a whole number, zero or more"
    )
    return f"{where}: {rule}. Correct it, or leave the row out with filter=."


def _place_of(frame: Frame, row: int, used: Sequence[str], source: Source | None) -> Place | None:
    """Where the first row stands that has these values in these columns."""
    if source is None or not used:
        return None
    same = [f"cast({quoted(n)} as double) = cast('{float(frame.numbers(n)[row])!r}' as double)" for n in used]
    return source.find(" and ".join(same), used[0])


def _values_of(frame: Frame, row: int, used: Sequence[str]) -> str:
    return ", ".join(f"{name} = {frame.numbers(name)[row]:g}" for name in used)
