"""The columns of a design without rounding: decimals as they are written, doubles as what they are.

A factor that is an expression is read by ``problem.balls``: rational where it can be, enclosed where not. A category is
a column of whole numbers. What was learnt from the data in floating point (``center``, ``scale``, ``poly``, ``bs``)
cannot be enclosed and is refused before anything is read.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from surefoot.data.design import Design, TermColumns
from surefoot.data.design_learning import Request
from surefoot.data.factors import Factor
from surefoot.data.factors import Number as NumberFactor
from surefoot.data.formula import parse_formula
from surefoot.data.frame import Frame, read_frame
from surefoot.data.source import Source
from surefoot.errors import DataError, ModelError
from surefoot.problem.balls import Balls, Column, NotEnclosed, difference, evaluate_exactly, first_unknown, product
from surefoot.problem.graph import CONSTANTS, Apply, Name, Node, Number, fold, names, walk
from surefoot.problem.rationals import Rationals
from surefoot.problem.writing import to_text

if TYPE_CHECKING:
    import pyarrow as pa

_LEARNT = {
    "center": "Write the plain column: centring changes the intercept only.",
    "scale": "Write the plain column: its coefficient is that of scale() over the standard deviation.",
    "poly": "Write plain powers, as in x + I(x^2): they span the same columns.",
    "bs": "Fit without exact, or use powers and where() instead.",
}
"""Calls whose columns depend on numbers learnt in floating point, and what to do instead."""


_READ_AS = {
    "decimals": "decimals, as written",
    "shortest": "the shortest decimals of JSON's doubles",
    "doubles": "binary doubles, as they are",
}


@dataclass(frozen=True)
class ExactFrame:
    """Some rows: as every fit sees them, and their numbers exactly."""

    frame: Frame
    numbers: dict[str, Rationals]

    def take(self, rows: np.ndarray) -> ExactFrame:
        return ExactFrame(self.frame.take(rows), {name: one.take(rows) for name, one in self.numbers.items()})


@dataclass(frozen=True)
class ExactBlock:
    """Columns of the predictors, of ones if the model has no intercept, and the response; weights; rows."""

    columns: list[Column]
    weights: Column | None
    count: int


def check_enclosable(request: Request, source: Source) -> None:
    """Refuse a formula with a factor that cannot be enclosed, before any work.

    Raises
    ------
    DataError
        A column has lost digits before it came here.
    ModelError
        Names the factor, and what to write instead.
    """
    if source.rounded:
        raise DataError(
            f"Column {source.rounded[0]} of {source.name} holds numbers with more digits than a double, and they were "
            "rounded, so it cannot be read exactly: give all of it as whole numbers below 2^63, as decimal.Decimal, or "
            "as doubles."
        )
    formula = parse_formula(request.formula, list(source.columns))
    factors = [factor for term in formula.terms for factor in term.factors]
    for node in (formula.response, *factors, *formula.offsets):
        for one in walk(node):
            if isinstance(one, Apply) and one.operation in _LEARNT:
                raise ModelError(
                    f"{to_text(one)} cannot be enclosed: it leans on numbers that were learnt from the data with "
                    f"rounding, so exact=True has nothing to prove about it. {_LEARNT[one.operation]}"
                )


class ExactReader:
    """Makes the blocks of a design, again for every precision.

    Parameters
    ----------
    design : Design
        What to make.
    request : Request
        As it was asked, to know whether ``pi`` was typed.
    source : Source
        Where the rows are.
    """

    def __init__(self, design: Design, request: Request, source: Source) -> None:
        self.design = design
        self.source = source
        texts = (request.formula, request.weights, request.frequencies, request.offset)
        self._pi = "pi" not in source.columns and any("pi" in text for text in texts if text)
        self._seen: dict[Node, Node] = {}

    def notes(self) -> list[str]:
        """How the numbers were read, by columns."""
        used = [name for name in self.design.variables if self.source.column(name).kind == "number"]
        found = []
        for kind, words in _READ_AS.items():
            named = [name for name in used if self.source.written(name) == kind]
            if named:
                shown = ", ".join(named[:8]) + (f" and {len(named) - 8} more" if len(named) > 8 else "")
                found.append(f"Exact reading of {shown}: {words}.")
        return found

    def is_rational(self) -> bool:
        """Whether no factor needs more than sums, products, quotients and whole powers."""
        nodes = [self.design.response, self.design.offset, self.design.weights]
        nodes += [one.node for term in self.design.terms for one in term.factors if isinstance(one, NumberFactor)]
        return all(
            not isinstance(one, Apply) or one.operation in _RATIONAL
            for node in nodes
            if node is not None
            for one in walk(node)
        )

    def frames(self, rows: int) -> Generator[ExactFrame, None, None]:
        """A pass over the rows that have every value."""
        wanted = self.design.variables or tuple(self.source.columns)[:1]
        start = 0
        for typed, digits in self.source.batches_as_written(wanted, rows):
            frame = read_frame(typed, start)
            start += frame.rows
            yield self._complete(frame, digits)

    def _complete(self, frame: Frame, digits: pa.RecordBatch) -> ExactFrame:
        import pyarrow as pa

        present = ~frame.missing()
        kept = frame.take(present)
        numbers = {name: Rationals.from_integers(values) for name, values in kept.numeric.items()
                   if name not in digits.schema.names}  # fmt: skip
        for name, column in zip(digits.schema.names, digits.columns, strict=True):
            try:
                if pa.types.is_floating(column.type):
                    numbers[name] = Rationals.from_doubles(kept.numbers(name))
                else:
                    texts = column.to_pylist()
                    numbers[name] = Rationals.from_decimals([texts[row] for row in np.flatnonzero(present).tolist()])
            except DataError as error:
                raise DataError(f"Column {name} of {self.source.name}: {error}") from None
        return ExactFrame(kept, numbers)

    def block(self, rows: ExactFrame) -> ExactBlock:
        """The columns of some rows, balls in the working precision.

        Raises
        ------
        NotEnclosed
            Some value is not finite, or not decided at this precision.
        """
        rows, weights, count = self._weighed(rows)
        columns = [column for term in self.design.terms for column in self._term(term, rows)]
        if not self.design.has_intercept:
            columns.append(Rationals.constant(Fraction(1), rows.frame.rows))
        response = self._value(self.design.response, rows, self.design.response_label)
        if self.design.offset is not None:
            response = difference(response, self._value(self.design.offset, rows, "the offset"))
        return ExactBlock([*columns, response], weights, count)

    def _term(self, term: TermColumns, rows: ExactFrame) -> list[Column]:
        made: list[Column] = []
        for piece in term.pieces:
            block: list[Column] = [Rationals.constant(Fraction(1), rows.frame.rows)]
            for factor in (one for one in term.factors if not one.is_category or one.label in piece):
                values = self._factor(factor, rows, piece.get(factor.label, False))
                block = [product(value, before) for value in values for before in block]
            made += block
        return made

    def _factor(self, factor: Factor, rows: ExactFrame, full: bool) -> Sequence[Column]:
        if isinstance(factor, NumberFactor):
            return [self._value(factor.node, rows, factor.label)]
        # A category: its coding holds whole numbers only.
        return [Rationals.from_integers(column) for column in factor.columns(rows.frame, full).T]

    def _value(self, node: Node, rows: ExactFrame, label: str) -> Column:
        node = self._seen.setdefault(node, _with_pi(node) if self._pi else node)
        column = evaluate_exactly(node, rows.numbers, rows.frame.rows)
        row = first_unknown(column)
        if row is not None:
            raise NotEnclosed(_sentence(label, names(node), rows, row))
        return column

    def _weighed(self, rows: ExactFrame) -> tuple[ExactFrame, Column | None, int]:
        """Rows of positive weight and frequency, the product of both, and how many rows they stand for."""
        if self.design.weights is None and self.design.frequencies is None:
            return rows, None, rows.frame.rows
        total: Column = Rationals.constant(Fraction(1), rows.frame.rows)
        counts: Column = total
        if self.design.weights is not None:
            total = self._value(self.design.weights, rows, "the weight")
        if self.design.frequencies is not None:
            counts = self._value(self.design.frequencies, rows, "the frequency")
        if not isinstance(counts, Rationals) or any(value.denominator != 1 for value in counts.values()):
            raise ModelError("A frequency is a whole number, and exactly these are not: write them as whole numbers.")
        kept = _positive(total, rows) & ~counts.is_zero()
        weights = product(total, counts).take(kept)
        return rows.take(kept), weights, int(sum(counts.take(kept).values()))


_RATIONAL = frozenset({"add", "sub", "mul", "div", "neg", "pow", "abs", "sign", "floor", "ceil", "round", "minimum",
                       "maximum", "lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "where", "I"})  # fmt: skip


def _positive(weights: Column, rows: ExactFrame) -> np.ndarray:
    if isinstance(weights, Rationals):
        return np.asarray(weights.mantissas > 0, dtype=bool)
    assert isinstance(weights, Balls)
    for row, ball in enumerate(weights.values):
        if not (ball > 0 or ball.is_zero()):
            raise NotEnclosed(_sentence("the weight", (), rows, row))
    return np.array([bool(ball > 0) for ball in weights.values], dtype=bool)


def _sentence(label: str, used: Sequence[str], rows: ExactFrame, row: int) -> str:
    values = ", ".join(f"{name} = {rows.frame.numbers(name)[row]:g}" for name in used if name in rows.frame.numeric)
    where = f" where {values}" if values else ""
    return (
        f"{label} cannot be enclosed{where} (row {rows.frame.row_numbers()[row]}): it is undefined there, or so close "
        "to a jump that no precision tried decides it. Leave the row out with filter=, or fit without exact."
    )


def _with_pi(node: Node) -> Node:
    """The design holds pi as the double next to it; in an exact reading it is pi again."""
    text = repr(CONSTANTS["pi"])

    def rule(one: Node, inside: Sequence[Node]) -> Node:
        if isinstance(one, Number) and one.text == text and one.value == math.pi:
            return Name("pi")
        return Apply(one.operation, tuple(inside), one.keywords) if isinstance(one, Apply) else one

    return fold(node, rule)


__all__ = ["ExactBlock", "ExactFrame", "ExactReader", "check_enclosable"]
