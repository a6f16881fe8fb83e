"""A design: a formula that knows its columns, and makes the same blocks ``[X y]`` of a table and of a stream.

``design_learning`` makes a design from a formula and a source. The design itself is frozen, can be saved, and makes a
block of any frame, today's rows or next year's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from surefoot.data.factors import Factor, Number, from_state, read_number
from surefoot.data.frame import Frame
from surefoot.data.redundancy import Piece
from surefoot.data.source import Source
from surefoot.data.unusable import missing_sentence, not_finite_sentence
from surefoot.data.weighing import weighed
from surefoot.errors import DataError
from surefoot.problem.grammar import parse
from surefoot.problem.graph import Name, Node, names
from surefoot.problem.twofold import Twofold, evaluate_twofold
from surefoot.problem.writing import to_text


@dataclass(frozen=True)
class Block:
    """Rows ready for the triangle.

    Attributes
    ----------
    matrix : ndarray, shape (m, k)
        The predictors, then a column of ones if the model has no intercept, then the response; column-major.
    weights, frequencies : ndarray, shape (m,), or None
        Both positive.
    frame : Frame
        The rows as read, for a second look at other columns.
    missing : int
        Rows left out because a value was missing.
    """

    matrix: np.ndarray
    weights: np.ndarray | None
    frequencies: np.ndarray | None
    frame: Frame
    missing: int


@dataclass(frozen=True)
class TermColumns:
    """One term: each piece gives every category full coding or contrasts; a product of no factors is the intercept."""

    factors: tuple[Factor, ...]
    pieces: tuple[Piece, ...]

    def names(self) -> list[str]:
        found: list[str] = []
        for piece in self.pieces:
            parts = [factor.names(piece.get(factor.label, False)) for factor in self._in(piece)]
            found += _product_names(parts)
        return found

    def twofold(self, frame: Frame) -> list[Twofold]:
        """The columns in twice the precision."""
        made = []
        for piece in self.pieces:
            block = Twofold.of(np.ones((frame.rows, 1)))
            for factor in self._in(piece):
                values = factor.twofold(frame, piece.get(factor.label, False))
                grown = Twofold(values.high[:, :, None], values.low[:, :, None]) * Twofold(
                    block.high[:, None, :], block.low[:, None, :]
                )
                shape = (frame.rows, values.high.shape[1] * block.high.shape[1])
                block = Twofold(grown.high.reshape(shape), grown.low.reshape(shape))
            made.append(block)
        return made

    def columns(self, frame: Frame) -> list[np.ndarray]:
        made: list[np.ndarray] = []
        for piece in self.pieces:
            block = np.ones((frame.rows, 1))
            for factor in self._in(piece):
                values = factor.columns(frame, piece.get(factor.label, False))
                # The first factor varies fastest, as in R.
                grown = values[:, :, None] * block[:, None, :]
                block = grown.reshape(frame.rows, values.shape[1] * block.shape[1])
            made.append(block)
        return made

    def width(self) -> int:
        """How many columns, without making their names."""
        return sum(
            math.prod(len(factor.names(piece.get(factor.label, False))) for factor in self._in(piece))
            for piece in self.pieces
        )

    def _in(self, piece: Mapping[str, bool]) -> list[Factor]:
        return [factor for factor in self.factors if not factor.is_category or factor.label in piece]


@dataclass(frozen=True)
class Design:
    """A formula that knows its columns.

    Attributes
    ----------
    formula : str
        As typed.
    response : Node
        Expression for the response, and its ``response_label`` as shown.
    terms : tuple of TermColumns
        In the order of the columns.
    names : tuple of str
        One name a coefficient.
    weights, frequencies, offset : Node or None
        Expressions over the columns.
    """

    formula: str
    response: Node
    response_label: str
    terms: tuple[TermColumns, ...]
    names: tuple[str, ...]
    weights: Node | None = None
    frequencies: Node | None = None
    offset: Node | None = None
    missing: str = "drop"
    extra: tuple[str, ...] = ()

    @property
    def has_intercept(self) -> bool:
        return "(Intercept)" in self.names

    @property
    def predictor_variables(self) -> tuple[str, ...]:
        """Columns that a prediction needs."""
        found = [name for term in self.terms for factor in term.factors for name in factor.variables]
        return tuple(dict.fromkeys(found + list(names(self.offset) if self.offset else ())))

    @property
    def variables(self) -> tuple[str, ...]:
        """Columns that a fit reads."""
        rest = [names(node) for node in (self.response, self.weights, self.frequencies) if node is not None]
        return tuple(dict.fromkeys([*names(self.response), *self.predictor_variables, *sum(rest, ()), *self.extra]))

    def block(self, frame: Frame, source: Source | None = None) -> Block:
        """The block of a frame; ``source`` is asked for the place of a value that cannot be used."""
        matrix = self.plain_matrix(frame)
        if matrix is not None and np.all(np.isfinite(matrix)):
            return Block(matrix, None, None, frame, 0)
        absent = frame.missing()
        missing = int(np.count_nonzero(absent))
        if missing and self.missing == "error":
            raise DataError(missing_sentence(frame, source))
        if missing:
            frame = frame.take(~absent)
        frame, weights, frequencies = weighed(frame, self.weights, self.frequencies, source)
        matrix = self._matrix(frame)
        if not np.all(np.isfinite(matrix)):
            raise DataError(self._explain_not_finite(frame, matrix, source))
        return Block(matrix, weights, frequencies, frame, missing)

    def predictors(self, frame: Frame) -> np.ndarray:
        """The predictor columns alone, shape (rows, coefficients); NaN where a value was missing."""
        parts = [part for term in self.terms for part in term.columns(frame)]
        return np.column_stack(parts) if parts else np.zeros((frame.rows, 0))

    def twofold(self, frame: Frame) -> tuple[Twofold, Twofold]:
        """Predictors and response of rows that make a block, in twice the precision."""
        parts = [part for term in self.terms for part in term.twofold(frame)]
        response = evaluate_twofold(self.response, frame.numeric)
        if self.offset is not None:
            response = response - evaluate_twofold(self.offset, frame.numeric)
        empty = np.zeros((frame.rows, 0))
        predictors = Twofold(
            np.column_stack([empty, *(part.high for part in parts)]),
            np.column_stack([empty, *(part.low for part in parts)]),
        )
        shape = (frame.rows,)
        return predictors, Twofold(np.broadcast_to(response.high, shape), np.broadcast_to(response.low, shape))

    def offsets(self, frame: Frame) -> np.ndarray:
        return np.zeros(frame.rows) if self.offset is None else read_number(self.offset, frame)

    @cached_property
    def _plain(self) -> tuple[str, ...] | None:
        """The columns of the block, "" for ones, where they are columns of the data and nothing else; else None."""
        if any((self.weights, self.frequencies, self.offset, self.extra)) or not isinstance(self.response, Name):
            return None
        plain: list[str] = []
        for term in self.terms:
            nodes = [factor.node for factor in term.factors if isinstance(factor, Number)]
            if len(nodes) != len(term.factors) or len(nodes) > 1 or not all(isinstance(n, Name) for n in nodes):
                return None
            plain.append(nodes[0].name if nodes and isinstance(nodes[0], Name) else "")
        return (*plain, *([] if self.has_intercept else [""]), self.response.name)

    def plain_matrix(self, frame: Frame, memory: np.ndarray | None = None) -> np.ndarray | None:
        """The short way, where the model is plain columns only: one copy into place, with what is missing as NaN.

        ``memory``, a vector that is long enough, is used for the entries: fresh memory for each batch would cost more
        than what is written to it.
        """
        if self._plain is None:
            return None
        shape = (frame.rows, len(self._plain))
        if memory is None or len(memory) < shape[0] * shape[1]:
            memory = np.empty(shape[0] * shape[1])
        matrix = memory[: shape[0] * shape[1]].reshape(shape, order="F")
        for j, name in enumerate(self._plain):
            matrix[:, j] = frame.numbers(name) if name else 1.0
        return matrix

    def _matrix(self, frame: Frame) -> np.ndarray:
        parts = [part for term in self.terms for part in term.columns(frame)]
        if not self.has_intercept:
            parts.append(np.ones((frame.rows, 1)))
        parts.append((read_number(self.response, frame) - self.offsets(frame))[:, None])
        matrix = np.empty((frame.rows, sum(part.shape[1] for part in parts)), order="F")
        at = 0
        for part in parts:
            matrix[:, at : at + part.shape[1]] = part
            at += part.shape[1]
        return matrix

    def _explain_not_finite(self, frame: Frame, matrix: np.ndarray, source: Source | None) -> str:
        row, column = (int(k[0]) for k in np.nonzero(~np.isfinite(matrix)))
        for name, values in frame.numeric.items():
            if np.isinf(values[row]):
                place = source.find_infinite(name) if source else None
                where = str(place) if place else f"column {name}, row {frame.row_numbers()[row]}"
                return f"{where}: a fit needs finite numbers. Correct the value, or leave the row out with filter=."
        label = self.names[column] if column < len(self.names) else self.response_label
        return not_finite_sentence(label, matrix[row, column], self._variables_of(column), frame, row, source)

    def _variables_of(self, column: int) -> list[str]:
        """Number columns behind a column of the matrix."""
        if column >= len(self.names):
            return list(dict.fromkeys([*names(self.response), *(names(self.offset) if self.offset else ())]))
        at = 0
        for term in self.terms:
            at += len(term.names())
            if column < at:
                return [name for factor in term.factors if not factor.is_category for name in factor.variables]
        return []

    def state(self) -> dict[str, Any]:
        """Everything needed to make the same columns again, as plain JSON values."""
        return {
            "formula": self.formula,
            "response": to_text(self.response),
            "response_label": self.response_label,
            "terms": [
                {
                    "factors": [factor.state() for factor in term.factors],
                    "pieces": [dict(piece) for piece in term.pieces],
                }
                for term in self.terms
            ],
            "weights": _text(self.weights),
            "frequencies": _text(self.frequencies),
            "offset": _text(self.offset),
        }


def design_from_state(state: Mapping[str, Any]) -> Design:
    """The design that ``Design.state()`` described."""
    terms = tuple(
        TermColumns(tuple(from_state(factor) for factor in term["factors"]), tuple(term["pieces"]))
        for term in state["terms"]
    )
    weights, frequencies, offset = (
        None if state[key] is None else parse(state[key]) for key in ("weights", "frequencies", "offset")
    )
    named = tuple(name for term in terms for name in term.names())
    response = parse(state["response"])
    return Design(state["formula"], response, state["response_label"], terms, named, weights, frequencies, offset)


def _product_names(parts: Sequence[Sequence[str]]) -> list[str]:
    if not parts:
        return ["(Intercept)"]
    found = list(parts[0])
    for part in parts[1:]:
        found = [f"{left}:{right}" for right in part for left in found]
    return found


def _text(node: Node | None) -> str | None:
    return None if node is None else to_text(node)
