"""Numbers given to names, ``x=-1.2, y=[1, 2], z[0]=3`` or ``{"x": -1.2, "y": [1, 2]}``, checked one by one.

Text and mappings come to the same list of `Given`, so that what follows need not know which it was; whoever finds a
mistake later can still point at the place in the text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from surefoot.errors import DataError, ExpressionError
from surefoot.problem.building import MAX_TERMS, Place
from surefoot.problem.floating import evaluate
from surefoot.problem.grammar import parse_places
from surefoot.problem.graph import Node
from surefoot.problem.graph import names as names_of


@dataclass(frozen=True)
class Given:
    """What one part gives: to which variable, to which element of it (None for all of it), and which numbers."""

    name: str
    index: int | None
    values: np.ndarray
    """Shape () for a number, (k,) for a vector, (2,) or (k, 2) for intervals."""
    form: str
    """``value``, ``list`` or ``interval``."""
    text: str | None = None
    start: int = 0

    def refuse(self, reason: str) -> NoReturn:
        """Raise the error that says so, at the place in the text if there is one."""
        if self.text is None:
            raise DataError(reason)
        raise ExpressionError(reason, self.text, self.start)

    @property
    def shown(self) -> str:
        return self.name if self.index is None else f"{self.name}[{self.index}]"


def given(places: str | Mapping[str, Any], what: str) -> list[Given]:
    """What text or a mapping gives; ``what`` is its name in sentences: a start, a direction, a box.

    Raises
    ------
    ExpressionError
        The text cannot be read, or gives a number that is none.
    DataError
        The mapping has keys that are no names or values that are no numbers.

    Examples
    --------
    >>> [(part.shown, part.values.tolist()) for part in given("x=-1.2, y=[1, pi/2], z[3]=2^-1", "start")]
    [('x', -1.2), ('y', [1.0, 1.5707963267948966]), ('z[3]', 0.5)]
    >>> [(part.shown, part.values.tolist()) for part in given({"x": (-5, 5)}, "box")]
    [('x', [-5.0, 5.0])]
    """
    if isinstance(places, str):
        found = [_typed(place, places) for place in parse_places(places)]
    elif isinstance(places, Mapping):
        found = [_of_mapping(name, value, what) for name, value in places.items()]
    else:
        reason = f"A {what} for typed text names its numbers, as in 'x=1, y=2' or {{'x': 1, 'y': 2}}"
        raise DataError(f"{reason}; this one is of type {type(places).__name__}.")
    if not found:
        raise DataError(f"The {what} is empty; give each variable a value, as in x=1.")
    seen: set[str] = set()
    for part in found:
        if part.shown in seen:
            part.refuse(f"The {what} gives {part.shown} twice; keep one.")
        seen.add(part.shown)
    return found


def _typed(place: Place, text: str) -> Given:
    values = np.array([_number(node, place, text) for node in place.values])
    shape = values[0] if place.form == "value" else values
    return Given(place.name, place.index, np.asarray(shape), place.form, text, place.start)


def _number(node: Node, place: Place, text: str) -> float:
    unknown = [name for name in names_of(node) if name not in ("pi", "inf")]
    if unknown:
        raise ExpressionError(f"{place.name} is given a number, and {unknown[0]} is none.", text, place.start)
    value = float(evaluate(node, {"inf": np.asarray(math.inf)}))
    if math.isnan(value) or (math.isinf(value) and "inf" not in names_of(node)):
        raise ExpressionError(f"What {place.name} is given is no finite number.", text, place.start)
    return value


def _of_mapping(name: Any, value: Any, what: str) -> Given:
    if not isinstance(name, str) or not name:
        raise DataError(f"The keys of a {what} are names of variables in quotes; {name!r} is none.")
    match = re.fullmatch(r"(.+)\[([0-9]{1,6})\]", name, re.DOTALL)
    try:
        values = np.asarray(value)
        if values.dtype.kind not in "biufO" or any(part is None for part in values.ravel().tolist()):
            raise TypeError
        values = values.astype(np.float64)
    except (TypeError, ValueError):
        raise DataError(f"The {what} gives {name} something that is no number: {value!r:.60}.") from None
    if np.isnan(values).any():
        raise DataError(f"The {what} gives {name} a NaN; give it a number.")
    if values.size >= MAX_TERMS or values.ndim > 2 or not values.size:
        shape = "x".join(map(str, values.shape))
        raise DataError(f"The {what} gives {name} an array of {shape} numbers; it takes a number or a vector.")
    form = "value" if values.ndim == 0 else "list"
    return Given(match[1], int(match[2]), values, form) if match else Given(name, None, values, form)
