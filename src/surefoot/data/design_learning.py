"""From a formula and a source to a design: parse, check every column, learn what factors must know of whole columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from surefoot.data.design import Design, TermColumns
from surefoot.data.factor_learning import (
    CATEGORY_CALLS,
    ColumnInfo,
    NotFinite,
    factor_variables,
    learn_expression,
    learn_factor,
    one_each,
)
from surefoot.data.factors import Factor, read_number
from surefoot.data.formula import DESIGN_FUNCTIONS, Formula, parse_factor, parse_formula
from surefoot.data.frame import Frame
from surefoot.data.learning import learn
from surefoot.data.redundancy import code_terms
from surefoot.data.source import Source
from surefoot.data.unusable import not_finite_sentence
from surefoot.data.weighing import weighed
from surefoot.errors import DataError, ModelError
from surefoot.problem.graph import CONSTANTS, Apply, Name, Node, fold, names, number
from surefoot.problem.writing import to_text

MOST_COLUMNS = 10_000
"""A triangle of more columns would fill the memory of most machines (800 MB at this size)."""


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
        sentence = not_finite_sentence(to_text(found.node), found.value, used, found.frame, found.row, source)
        raise DataError(sentence) from None
    expressions, made = dict(zip(plain, learnt, strict=False)), dict(zip(factors, learnt[len(plain) :], strict=True))
    terms = _coded_terms(formula, made)
    if (width := sum(term.width() for term in terms)) > MOST_COLUMNS:
        raise ModelError(
            f"The formula makes {width:,} columns, and at most {MOST_COLUMNS:,} can be fitted at once. "
            "Leave a category of many levels out, or group its levels with query=."
        )
    named = tuple(name for term in terms for name in term.names())
    weights, frequencies, offset = (
        None if node is None else expressions[node] for node in (side["weights"], side["frequencies"], offset)
    )
    response, label = expressions[formula.response], to_text(formula.response)
    return Design(
        request.formula, response, label, terms, named, weights, frequencies, offset, request.missing, request.extra
    )


def _spoken_for(request: Request) -> set[str]:
    """Columns with a part of their own, which ``.`` does not mean."""
    texts = (request.weights, request.frequencies, request.offset)
    return {name for text in texts if text for name in names(parse_factor(text, text, 0))} | set(request.extra)


def _coded_terms(formula: Formula, made: Mapping[Node, Factor]) -> tuple[TermColumns, ...]:
    described = []
    for term in formula.terms:
        factors = [made[node] for node in term.factors]
        numeric = frozenset(factor.label for factor in factors if not factor.is_category)
        described.append((numeric, tuple(factor.label for factor in factors if factor.is_category)))
    return tuple(
        TermColumns(tuple(made[node] for node in term.factors), tuple(coded))
        for term, coded in zip(formula.terms, code_terms(described), strict=True)
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
        yield weighed(kept, weights, frequencies, source)[0]


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
