"""From a formula and a source to blocks of named columns ``[X y]``: the same columns for a table and for a stream.

``learn_design`` parses the formula, checks every column, learns what the factors must know of the whole source, and
returns a frozen ``Design``. A design makes a block of any frame, today's rows or next year's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from surefoot.data.factor_learning import (
    CATEGORY_CALLS,
    ColumnInfo,
    NotFinite,
    factor_variables,
    learn_expression,
    learn_factor,
    one_each,
)
from surefoot.data.factors import Factor, Number, from_state, read_number
from surefoot.data.formula import DESIGN_FUNCTIONS, Formula, parse_factor, parse_formula
from surefoot.data.frame import Frame
from surefoot.data.learning import learn
from surefoot.data.redundancy import Piece, code_terms
from surefoot.data.source import Place, Source
from surefoot.errors import DataError, ModelError
from surefoot.problem.grammar import parse
from surefoot.problem.graph import CONSTANTS, Apply, Name, Node, fold, names, number
from surefoot.problem.twofold import Twofold, evaluate_twofold
from surefoot.problem.writing import to_text

MOST_COLUMNS = 10_000
"""A triangle of more columns would fill the memory of most machines (800 MB at this size)."""


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
    pieces: tuple[Mapping[str, bool], ...]

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
    _plain: tuple[str, ...] | None = field(default=None, compare=False, repr=False)

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
            raise DataError(_missing_sentence(frame, source))
        if missing:
            frame = frame.take(~absent)
        frame, weights, frequencies = self._weigh(frame, source)
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
        numeric = {name: values for name, values in frame.columns.items() if isinstance(values, np.ndarray)}
        response = evaluate_twofold(self.response, numeric)
        if self.offset is not None:
            response = response - evaluate_twofold(self.offset, numeric)
        empty = np.zeros((frame.rows, 0))
        predictors = Twofold(
            np.column_stack([empty, *(part.high for part in parts)]),
            np.column_stack([empty, *(part.low for part in parts)]),
        )
        shape = (frame.rows,)
        return predictors, Twofold(np.broadcast_to(response.high, shape), np.broadcast_to(response.low, shape))

    def offsets(self, frame: Frame) -> np.ndarray:
        return np.zeros(frame.rows) if self.offset is None else read_number(self.offset, frame)

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

    def _weigh(self, frame: Frame, source: Source | None) -> tuple[Frame, np.ndarray | None, np.ndarray | None]:
        """Weights and frequencies of the rows, checked; a row of weight zero is left out as if it were not there."""
        return _weighed(frame, self.weights, self.frequencies, source)

    def _explain_not_finite(self, frame: Frame, matrix: np.ndarray, source: Source | None) -> str:
        row, column = (int(k[0]) for k in np.nonzero(~np.isfinite(matrix)))
        for name, values in frame.columns.items():
            if isinstance(values, np.ndarray) and np.isinf(values[row]):
                place = source.find_infinite(name) if source else None
                where = str(place) if place else f"column {name}, row {frame.row_numbers()[row]}"
                return f"{where}: a fit needs finite numbers. Correct the value, or leave the row out with filter=."
        label = self.names[column] if column < len(self.names) else self.response_label
        return _not_finite_sentence(label, matrix[row, column], self._variables_of(column), frame, row, source)

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
    return _finished(
        Design(state["formula"], response, state["response_label"], terms, named, weights, frequencies, offset)
    )


@dataclass(frozen=True)
class Request:
    """What a caller asks of a design beside the formula: expressions as text, over the source's columns."""

    formula: str
    weights: str | None = None
    frequencies: str | None = None
    offset: str | None = None
    missing: str = "drop"
    extra: tuple[str, ...] = ()


def learn_design(request: Request, source: Source, scan: Callable[[Sequence[str]], Iterable[Frame]]) -> Design:
    """Parse a formula against a source and learn its factors.

    Parameters
    ----------
    request : Request
        Formula, and expressions for weights, frequencies and offset.
    source : Rows
        Whose columns the formula names.
    scan : callable
        ``scan(names)`` starts a pass over these columns.

    Raises
    ------
    FormulaError
        The formula cannot be understood.
    DataError
        A column is missing or holds what it cannot be used for.
    """
    formula = parse_formula(request.formula, [name for name in source.columns if name not in _spoken_for(request)])
    constants = frozenset(name for name in CONSTANTS if name not in source.columns)
    asked = {"weights": request.weights, "frequencies": request.frequencies}
    side = {word: _without_wrapper(_side_expression(text), word, constants) for word, text in asked.items()}
    offsets = [*formula.offsets, *([_side_expression(request.offset)] if request.offset else [])]
    offset = offsets[0] if len(offsets) == 1 else Apply("add", tuple(offsets)) if offsets else None
    factors = list(dict.fromkeys(factor for term in formula.terms for factor in term.factors))
    plain = [node for node in (formula.response, *side.values(), offset) if node is not None]
    info = _check_columns(source, factors, plain, request.extra, constants)

    def counts(frame: Frame) -> np.ndarray:
        return one_each(frame) if side["frequencies"] is None else read_number(side["frequencies"], frame)

    learners = [learn_expression(node, counts, constants) for node in plain]
    learners += [learn_factor(node, info, counts, constants) for node in factors]
    read = [*(n for f in factors for n in factor_variables(f)), *(n for p in plain for n in names(p)), *request.extra]
    everything = tuple(name for name in dict.fromkeys(read) if name not in constants)
    try:
        learnt = learn(learners, lambda: _complete(scan(everything), side["weights"], side["frequencies"], source))
    except NotFinite as found:
        used = names(found.node)
        sentence = _not_finite_sentence(to_text(found.node), found.value, used, found.frame, found.row, source)
        raise DataError(sentence) from None
    expressions, made = dict(zip(plain, learnt, strict=False)), dict(zip(factors, learnt[len(plain) :], strict=True))
    terms = _coded_terms(formula, made)
    if (width := sum(term.width() for term in terms)) > MOST_COLUMNS:
        raise ModelError(
            f"The formula makes {width:,} columns, and at most {MOST_COLUMNS:,} can be fitted at once. "
            "Leave a category of many levels out, or group its levels with query=."
        )
    named = tuple(name for term in terms for name in term.names())
    return _finished(
        Design(
            request.formula, expressions[formula.response], to_text(formula.response), terms, named,
            *(expressions.get(node) if node is not None else None for node in (side["weights"], side["frequencies"],
            offset)),
            missing=request.missing, extra=request.extra,
        )
    )  # fmt: skip


def _spoken_for(request: Request) -> set[str]:
    """Columns with a part of their own, which ``.`` does not mean."""
    texts = (request.weights, request.frequencies, request.offset)
    return {name for text in texts if text for name in names(parse_factor(text, text, 0))} | set(request.extra)


def _finished(design: Design) -> Design:
    """The same design with its short way worked out: plain columns only, or none."""
    plain: list[str] = []
    for term in design.terms:
        if not term.factors:
            plain.append("")
        elif len(term.factors) == 1 and isinstance(term.factors[0], Number) and isinstance(term.factors[0].node, Name):
            plain.append(term.factors[0].node.name)
        else:
            return design
    if (
        any((design.weights, design.frequencies, design.offset))
        or not isinstance(design.response, Name)
        or design.extra
    ):
        return design
    tail = [] if design.has_intercept else [""]
    from dataclasses import replace

    return replace(design, _plain=(*plain, *tail, design.response.name))


def _coded_terms(formula: Formula, made: Mapping[Node, Factor]) -> tuple[TermColumns, ...]:
    described = []
    for term in formula.terms:
        factors = [made[node] for node in term.factors]
        numeric = frozenset(factor.label for factor in factors if not factor.is_category)
        described.append((numeric, tuple(factor.label for factor in factors if factor.is_category)))
    pieces: list[list[Piece]] = code_terms(described)
    return tuple(
        TermColumns(tuple(made[node] for node in term.factors), tuple(coded))  # type: ignore[arg-type]
        for term, coded in zip(formula.terms, pieces, strict=True)
    )


def _check_columns(
    source: Source, factors: Sequence[Node], plain: Sequence[Node], extra: Sequence[str], constants: Collection[str]
) -> dict[str, ColumnInfo]:
    """Every column is there, and of a kind that can be used as the formula uses it."""
    info: dict[str, ColumnInfo] = {}
    categories: set[str] = set()
    for factor in factors:
        used = [name for name in factor_variables(factor) if name not in constants]
        for name in used:
            column = source.column(name)
            info[name] = ColumnInfo(column.kind, column.levels)
        bare = isinstance(factor, Name) or (isinstance(factor, Apply) and factor.operation in CATEGORY_CALLS)
        if bare:
            categories.update(used)
            if isinstance(factor, Name) and used and info[factor.name].kind == "category":
                _refuse_unparsable(source, factor.name)
        else:
            _demand_numbers(source, used, to_text(factor))
    for node in plain:
        _demand_numbers(source, [name for name in names(node) if name not in constants], to_text(node))
    for name in (*categories, *extra):
        if source.column(name).kind in ("time", "other"):
            raise DataError(
                f"Column {name} of {source.name} is of type {source.column(name).type}, which a formula cannot use. "
                "Turn it into a number or a text first, with query=."
            )
    return info


def _demand_numbers(source: Source, used: Iterable[str], label: str) -> None:
    for name in used:
        column = source.column(name)
        if column.kind in ("number", "boolean"):
            continue
        _refuse_unparsable(source, name)
        example = "a text" if column.kind == "category" else f"of type {column.type}"
        raise DataError(f"Column {name} of {source.name} is {example}, and {label} needs numbers.")


def _refuse_unparsable(source: Source, name: str) -> None:
    """A text column that is numbers all but for a few entries is a mistake in the file, not a category."""
    if (place := source.find_unparsable(name)) is not None:
        raise DataError(
            f"{place} is not a number, while most of that column is. Correct it, leave the row out with filter=, "
            f"or write C({name}) to use the column as a category."
        )


def _complete(
    frames: Iterable[Frame], weights: Node | None, frequencies: Node | None, source: Source
) -> Iterator[Frame]:
    """Only rows that the fit will use: nothing missing, nothing of weight zero."""
    for frame in frames:
        absent = frame.missing()
        kept = frame.take(~absent) if np.any(absent) else frame
        yield _weighed(kept, weights, frequencies, source)[0]


def _weighed(
    frame: Frame, weights: Node | None, frequencies: Node | None, source: Source | None
) -> tuple[Frame, np.ndarray | None, np.ndarray | None]:
    """The rows of positive weight and frequency, with both, checked."""
    if weights is None and frequencies is None:
        return frame, None, None
    found: list[np.ndarray | None] = []
    counted = np.ones(frame.rows, dtype=bool)
    for word, node in (("weight", weights), ("frequency", frequencies)):
        if node is None:
            found.append(None)
            continue
        values = read_number(node, frame)
        bad = (values < 0) | ~np.isfinite(values)
        if word == "frequency":
            bad |= values != np.floor(values)
        if np.any(bad):
            raise DataError(_weight_sentence(word, node, values, frame, int(np.argmax(bad)), source))
        counted &= values > 0
        found.append(values)
    kept = [None if values is None else values[counted] for values in found]
    return frame.take(counted), kept[0], kept[1]


def _side_expression(text: str | None) -> Node | None:
    return None if text is None else parse_factor(text, text, 0)


def _without_wrapper(node: Node | None, word: str, constants: Collection[str]) -> Node | None:
    """Weights are plain mathematics: ``I`` is taken off, and nothing in them is learnt from the rows they weigh."""

    def rule(one: Node, inside: Sequence[Node]) -> Node:
        if isinstance(one, Name) and one.name in constants:
            return number(CONSTANTS[one.name])
        if not isinstance(one, Apply):
            return one
        if one.operation == "I" and len(inside) == 1:
            return inside[0]
        if one.operation in DESIGN_FUNCTIONS:
            raise ModelError(f"{word}: {one.operation}() cannot be used here. Write plain mathematics, as in '1/v^2'.")
        return Apply(one.operation, tuple(inside), one.keywords)

    return None if node is None else fold(node, rule)


def _product_names(parts: Sequence[Sequence[str]]) -> list[str]:
    if not parts:
        return ["(Intercept)"]
    found = list(parts[0])
    for part in parts[1:]:
        found = [f"{left}:{right}" for right in part for left in found]
    return found


def _missing_sentence(frame: Frame, source: Source | None) -> str:
    for name in frame.columns:
        place = source.find_missing(name) if source else None
        if place is not None:
            return f"{place}, and missing='error' was asked for. Fill it in, or use missing='drop'."
    return "A row has a missing value, and missing='error' was asked for. Use missing='drop' to leave such rows out."


def _not_finite_sentence(
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


def _place_of(frame: Frame, row: int, used: Sequence[str], source: Source | None) -> Place | None:
    """Where the first row stands that has these values in these columns."""
    if source is None or not used:
        return None
    same = [f"cast({_quoted(n)} as double) = cast('{float(frame.numbers(n)[row])!r}' as double)" for n in used]
    return source.find(" and ".join(same), used[0])


def _values_of(frame: Frame, row: int, used: Sequence[str]) -> str:
    return ", ".join(f"{name} = {frame.numbers(name)[row]:g}" for name in used)


def _weight_sentence(word: str, node: Node, values: np.ndarray, frame: Frame, row: int, source: Source | None) -> str:
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


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(node: Node | None) -> str | None:
    return None if node is None else to_text(node)


__all__ = ["Block", "Design", "ModelError", "Request", "design_from_state", "learn_design"]
