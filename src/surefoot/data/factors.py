"""The factors of a formula: each turns a frame into columns, with what it learnt of the whole source inside it.

A factor is one of four things: a number (any expression), a category with its contrasts, an orthogonal polynomial, or
a B-spline. Each is a frozen value that can be saved, so that a prediction next year makes the same columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from surefoot.data.frame import Coded, Frame
from surefoot.errors import ModelError
from surefoot.problem.floating import evaluate
from surefoot.problem.grammar import parse
from surefoot.problem.graph import Name, Node, names
from surefoot.problem.twofold import Twofold, evaluate_twofold
from surefoot.problem.writing import to_text


class Factor(Protocol):
    """What the design asks of a factor."""

    @property
    def label(self) -> str: ...

    @property
    def variables(self) -> tuple[str, ...]: ...

    @property
    def is_category(self) -> bool: ...

    def names(self, full: bool) -> tuple[str, ...]: ...

    def columns(self, frame: Frame, full: bool) -> np.ndarray: ...

    def twofold(self, frame: Frame, full: bool) -> Twofold: ...

    def state(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Number:
    """An expression of number columns: one column."""

    label: str
    node: Node
    is_category = False

    @property
    def variables(self) -> tuple[str, ...]:
        return names(self.node)

    def names(self, full: bool) -> tuple[str, ...]:
        return (self.label,)

    def columns(self, frame: Frame, full: bool) -> np.ndarray:
        return read_number(self.node, frame)[:, None]

    def twofold(self, frame: Frame, full: bool) -> Twofold:
        """The column in twice the precision: a power keeps what rounding to a double would lose."""
        values = evaluate_twofold(self.node, frame.numeric)
        shape = (frame.rows,)
        return Twofold(np.broadcast_to(values.high, shape)[:, None], np.broadcast_to(values.low, shape)[:, None])

    def state(self) -> dict[str, Any]:
        return {"kind": "number", "label": self.label, "expression": to_text(self.node)}


@dataclass(frozen=True)
class Category:
    """A column of levels, coded by a contrast; ``values`` are the numbers behind the levels of a number column."""

    label: str
    column: str
    levels: tuple[str, ...]
    values: tuple[float, ...] | None
    contrast: str
    reference: str | None
    is_category = True

    @property
    def variables(self) -> tuple[str, ...]:
        return (self.column,)

    def names(self, full: bool) -> tuple[str, ...]:
        if full:
            return tuple(f"{self.label}[{level}]" for level in self.levels)
        left_out = self._reference_position()
        letter = {"Treatment": "T", "Sum": "S", "Helmert": "H"}[self.contrast]
        return tuple(f"{self.label}[{letter}.{level}]" for k, level in enumerate(self.levels) if k != left_out)

    def columns(self, frame: Frame, full: bool) -> np.ndarray:
        coding = np.eye(len(self.levels)) if full else self._contrasts()
        return coding[self.positions(frame)]

    def positions(self, frame: Frame) -> np.ndarray:
        """Position of each row's level; -1 for a level that was not there when the model was fitted."""
        values = frame.columns[self.column]
        if isinstance(values, Coded):
            place = {level: k for k, level in enumerate(self.levels)}
            table = np.array([place.get(label, -1) for label in values.labels] + [-1], dtype=np.int64)
            return table[values.codes]
        known = np.asarray(self.values if self.values is not None else [float(level) for level in self.levels])
        place = np.clip(np.searchsorted(known, values), 0, len(known) - 1)
        return np.where(known[place] == values, place, -1)

    def unknown(self, frame: Frame) -> dict[str, int]:
        """Values that are no level of the model, with how often each occurs."""
        absent = self.positions(frame) < 0
        values = frame.columns[self.column]
        if isinstance(values, Coded):
            found = [values.labels[code] for code in values.codes[absent] if code >= 0]
        else:
            found = [f"{value:g}" for value in values[absent] if not np.isnan(value)]
        return {value: found.count(value) for value in dict.fromkeys(found)}

    def twofold(self, frame: Frame, full: bool) -> Twofold:
        return Twofold.of(self.columns(frame, full))

    def state(self) -> dict[str, Any]:
        return {
            "kind": "category",
            "label": self.label,
            "column": self.column,
            "levels": list(self.levels),
            "values": None if self.values is None else list(self.values),
            "contrast": self.contrast,
            "reference": self.reference,
        }

    def _reference_position(self) -> int:
        if self.contrast == "Treatment":
            return self.levels.index(self.reference) if self.reference is not None else 0
        return len(self.levels) - 1 if self.contrast == "Sum" else 0

    def _contrasts(self) -> np.ndarray:
        count, left_out = len(self.levels), self._reference_position()
        if self.contrast == "Treatment":
            return np.delete(np.eye(count), left_out, axis=1)
        if self.contrast == "Sum":
            return np.vstack([np.eye(count - 1), -np.ones(count - 1)])
        # Helmert: each level against the mean of the levels before it.
        steps = np.triu(-np.ones((count, count - 1)))
        steps[np.arange(1, count), np.arange(count - 1)] = np.arange(1, count)
        return steps


@dataclass(frozen=True)
class Polynomial:
    """Orthonormal polynomials over the rows of the fit, by their three-term recurrence.

    Reference: Kennedy, Gentle (1980), "Statistical Computing", Marcel Dekker, pp. 343-344 (as R's ``poly``).
    """

    label: str
    node: Node
    centres: tuple[float, ...]
    norms: tuple[float, ...]
    is_category = False

    @property
    def variables(self) -> tuple[str, ...]:
        return names(self.node)

    def names(self, full: bool) -> tuple[str, ...]:
        return tuple(f"{self.label}[{k + 1}]" for k in range(len(self.centres)))

    def columns(self, frame: Frame, full: bool) -> np.ndarray:
        x = read_number(self.node, frame)
        before, now, made = np.zeros_like(x), np.ones_like(x), []
        for k, centre in enumerate(self.centres):
            ratio = self.norms[k] / self.norms[k - 1] if k else 0.0
            before, now = now, (x - centre) * now - ratio * before
            made.append(now / np.sqrt(self.norms[k + 1]))
        return np.column_stack(made)

    def twofold(self, frame: Frame, full: bool) -> Twofold:
        return Twofold.of(self.columns(frame, full))

    def state(self) -> dict[str, Any]:
        return {
            "kind": "polynomial",
            "label": self.label,
            "expression": to_text(self.node),
            "centres": list(self.centres),
            "norms": list(self.norms),
        }


@dataclass(frozen=True)
class Spline:
    """A B-spline basis; beyond the outer knots the outermost polynomials go on.

    Reference: de Boor (2001), "A Practical Guide to Splines", revised ed., Springer, chapter IX, pp. 87-90.
    """

    label: str
    node: Node
    knots: tuple[float, ...]
    degree: int
    with_first: bool
    is_category = False

    @property
    def variables(self) -> tuple[str, ...]:
        return names(self.node)

    def names(self, full: bool) -> tuple[str, ...]:
        count = len(self.knots) - self.degree - 1 - (not self.with_first)
        return tuple(f"{self.label}[{k}]" for k in range(count))

    def columns(self, frame: Frame, full: bool) -> np.ndarray:
        from scipy.interpolate import BSpline

        x = read_number(self.node, frame)
        usable = np.where(np.isfinite(x), x, self.knots[0])
        basis = BSpline.design_matrix(usable, np.asarray(self.knots), self.degree, extrapolate=True).toarray()
        basis[~np.isfinite(x)] = np.nan
        return basis if self.with_first else basis[:, 1:]

    def twofold(self, frame: Frame, full: bool) -> Twofold:
        return Twofold.of(self.columns(frame, full))

    def state(self) -> dict[str, Any]:
        return {
            "kind": "spline",
            "label": self.label,
            "expression": to_text(self.node),
            "knots": list(self.knots),
            "degree": self.degree,
            "with_first": self.with_first,
        }


def read_number(node: Node, frame: Frame) -> np.ndarray:
    """An expression over a frame's number columns, one value a row."""
    if isinstance(node, Name):
        return frame.numbers(node.name)
    return np.broadcast_to(evaluate(node, frame.numeric), (frame.rows,))


def from_state(state: dict[str, Any]) -> Factor:
    """The factor that ``state()`` described, as read back from a file."""
    match state["kind"]:
        case "number":
            return Number(state["label"], parse(state["expression"]))
        case "category":
            values = None if state["values"] is None else tuple(state["values"])
            return Category(
                state["label"], state["column"], tuple(state["levels"]), values, state["contrast"], state["reference"]
            )
        case "polynomial":
            node = parse(state["expression"])
            return Polynomial(state["label"], node, tuple(state["centres"]), tuple(state["norms"]))
        case "spline":
            node = parse(state["expression"])
            return Spline(state["label"], node, tuple(state["knots"]), state["degree"], state["with_first"])
        case other:
            raise ModelError(f"The saved model has a factor of kind {other!r}, which this version does not know.")
