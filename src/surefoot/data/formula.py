"""The algebra of a model formula: ``y ~ a*b + log(x)`` becomes a response and a list of terms.

A term is a product of factors; each factor is an expression of the project's own grammar, and nothing is evaluated
here. The algebra (``*``, ``:``, ``/``, ``(a + b)^2``, ``-``, ``.``) is formulaic's parser; a plain sum of factors,
which
most formulas are, needs no algebra and so does not pay for importing it.

Reference: Wilkinson, Rogers (1973), "Symbolic description of factorial models for analysis of variance",
Applied Statistics 22(3), pp. 392-399.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from surefoot.errors import ExpressionError, FormulaError, ModelError
from surefoot.problem.grammar import parse
from surefoot.problem.graph import Apply, Name, Node
from surefoot.problem.writing import to_text

DESIGN_FUNCTIONS = frozenset(
    {"I", "C", "factor", "poly", "bs", "center", "scale", "offset", "Treatment", "Sum", "Helmert"}
)
"""What a formula may call beyond mathematics."""

_OPENERS, _CLOSERS = "([{", ")]}"
_FACTOR = re.compile(r"(?:[^\W\d][\w.]*|`(?:[^`]|``)+`)\Z|[^\W\d][\w.]*\(", re.UNICODE)


@dataclass(frozen=True)
class Term:
    """A product of factors; no factor at all is the intercept."""

    factors: tuple[Node, ...]

    @property
    def label(self) -> str:
        return ":".join(to_text(factor) for factor in self.factors) or "(Intercept)"


@dataclass(frozen=True)
class Formula:
    """A parsed formula.

    Attributes
    ----------
    text : str
        As typed.
    response : Node or None
        The left side, an expression; None when only the right side was asked for.
    terms : tuple of Term
        The right side in the order in which columns are made: the intercept first, then by degree.
    offsets : tuple of Node
        Expressions inside ``offset(...)``.
    """

    text: str
    response: Node
    terms: tuple[Term, ...]
    offsets: tuple[Node, ...]


def parse_formula(text: str, columns: Sequence[str]) -> Formula:
    """Read a formula; ``columns`` are the data's column names, which ``.`` stands for.

    Raises
    ------
    FormulaError
        With the position of what could not be understood.

    Examples
    --------
    >>> [term.label for term in parse_formula("y ~ x + I(x^2)", ["x", "y"]).terms]
    ['(Intercept)', 'x', 'I(x^2)']
    """
    _check_brackets(text)
    left, right, start = _split_sides(text)
    response = parse_factor(left, text, text.index(left) if left else 0)
    _refuse_lonely_powers(right, text, start)
    others = [name for name in columns if name not in _names_of(response)]
    terms = _sum_of_factors(right, text, start, others)
    if terms is None:
        terms = _algebra(right, text, start, others)
    offsets = [_offset_argument(term.factors[0]) for term in terms if _is_offset(term)]
    unique = dict.fromkeys(term for term in terms if not _is_offset(term))
    return Formula(text, response, tuple(sorted(unique, key=lambda term: len(term.factors))), tuple(offsets))


def parse_factor(text: str, formula: str, start: int) -> Node:
    """One factor through the expression grammar, its errors moved to their place in the whole formula."""
    try:
        return parse(text, extra=DESIGN_FUNCTIONS)
    except ExpressionError as error:
        raise FormulaError(error.reason, formula, start + error.position) from None


def _split_sides(text: str) -> tuple[str, str, int]:
    """Response, right side, and where the right side starts."""
    tildes = [at for at, symbol, depth in _symbols(text) if symbol == "~" and depth == 0]
    if not tildes:
        raise FormulaError(
            "A formula needs a '~' between the response and the predictors, as in 'y ~ x'.", text, len(text)
        )
    if len(tildes) > 1:
        raise FormulaError("A formula has one '~' only; this one has another here.", text, tildes[1])
    left, right = text[: tildes[0]].strip(), text[tildes[0] + 1 :]
    if not left:
        raise FormulaError(
            "The response is missing on the left of '~': write 'y ~ x' with the column to explain.", text, 0
        )
    if not right.strip():
        raise FormulaError(
            "There is nothing on the right of '~': write 'y ~ x', or 'y ~ 1' for the mean.", text, len(text)
        )
    return left, right, tildes[0] + 1


def _check_brackets(text: str) -> None:
    """Every bracket and quote has its partner."""
    waiting: list[int] = []
    for at, symbol, _ in _symbols(text):
        if symbol in _OPENERS:
            waiting.append(at)
        elif symbol in _CLOSERS and (not waiting or _OPENERS.index(text[waiting.pop()]) != _CLOSERS.index(symbol)):
            raise FormulaError(f"This {symbol!r} closes nothing that was opened.", text, at)
    if waiting:
        raise FormulaError(f"This {text[waiting[-1]]!r} is never closed.", text, waiting[-1])
    for quote in "'\"`":
        if text.count(quote) % 2 and not any(text.count(other) for other in "'\"`" if other != quote):
            raise FormulaError("This quote is never closed.", text, text.rindex(quote))


def _symbols(text: str) -> Iterator[tuple[int, str, int]]:
    """Each character outside quotes, with its position and its depth of brackets."""
    depth, quote = 0, ""
    for at, symbol in enumerate(text):
        if quote:
            quote = "" if symbol == quote else quote
            continue
        if symbol in "'\"`":
            quote = symbol
        if symbol in _CLOSERS:
            depth -= 1
        yield at, symbol, depth
        if symbol in _OPENERS:
            depth += 1


def _refuse_lonely_powers(right: str, formula: str, start: int) -> None:
    """``x^2`` outside brackets crosses x with itself, which is x: whoever writes it wants the square."""
    for at, symbol, depth in _symbols(right):
        base = right[:at].rstrip()
        if depth or symbol not in "^*" or (symbol == "*" and right[at : at + 2] != "**") or not base:
            continue
        if base[-1] != ")" or _closes_a_call(base):
            raise FormulaError(
                "A power of a single factor crosses it with itself, which changes nothing: write I(x^2) for the "
                "square, or (a + b)^2 for all products of two.",
                formula,
                start + at,
            )


def _closes_a_call(text: str) -> bool:
    """Whether the bracket at the end of the text belongs to a function, not to a group of terms."""
    opened = [at for at, symbol, depth in _symbols(text) if depth == 0 and symbol in _OPENERS]
    before = text[: opened[-1]].rstrip() if opened else ""
    return bool(before) and (before[-1].isalnum() or before[-1] in "_.`")


def _sum_of_factors(right: str, formula: str, start: int, others: Sequence[str]) -> list[Term] | None:
    """The short way: terms of ``. + log(b) - 1``; None when the formula needs algebra."""
    cuts = [at for at, symbol, depth in _symbols(right) if symbol in "+-" and depth == 0]
    edges = [-1, *cuts, len(right)]
    intercept, terms = True, []
    for a, b in pairwise(edges):
        word, taken_away = right[a + 1 : b].strip(), a >= 0 and right[a] == "-"
        if word in ("0", "1"):
            intercept = (word == "1") != taken_away
        elif taken_away or (not word and a != -1):
            return None
        elif word == ".":
            terms += [Term((Name(name),)) for name in others]
        elif _is_single_factor(word):
            terms.append(Term((parse_factor(word, formula, start + right.index(word, a + 1)),)))
        elif word:
            return None
    return [Term(())] * intercept + terms


def _is_single_factor(word: str) -> bool:
    """A name, a quoted name, or one call whose bracket closes at the very end."""
    if not (found := _FACTOR.match(word)):
        return False
    if not found.group().endswith("("):
        return True
    # The character that closes the call is the only one after the name that stands at depth zero.
    outside = [at for at, _, depth in _symbols(word) if depth == 0 and at >= found.end()]
    return outside == [len(word) - 1]


def _algebra(right: str, formula: str, start: int, others: list[str]) -> list[Term]:
    """The long way, through formulaic, which hands each factor back as text."""
    from formulaic.errors import FormulaParsingError, FormulaSyntaxError
    from formulaic.parser import DefaultFormulaParser

    try:
        parsed = DefaultFormulaParser().get_terms(f"~ {right}", context={"__formulaic_variables_available__": others})
        found = list(parsed.root)
        if any(not hasattr(term, "factors") for term in found):
            raise TypeError("it has several parts, as '|' makes them, and a linear model has one")
    except FormulaSyntaxError as error:
        raise FormulaError(*_explain(str(error), right, formula, start)) from None
    except (FormulaParsingError, AttributeError, TypeError, ValueError, SyntaxError) as error:
        # Its parser has no rule for a product with nothing, such as (a - a):b.
        reason = "a part of it is empty, as its terms cancel" if "empty" in str(error) else _first_line(str(error))
        raise FormulaError(f"The right side could not be understood ({reason}).", formula, start) from None
    return [_term([(f.expr, f.eval_method.value) for f in term.factors], formula, start) for term in found]


def _term(factors: list[tuple[str, str]], formula: str, start: int) -> Term:
    nodes = []
    for text, how in factors:
        if how == "literal":
            if text != "1":
                raise FormulaError(
                    f"The number {text} cannot scale a term: write I({text}*x) for a scaled column.", formula,
                    max(start, formula.find(text, start)),
                )  # fmt: skip
        elif how == "lookup":
            nodes.append(Name(text))
        else:
            nodes.append(parse_factor(text, formula, max(start, formula.find(text.split("(")[0], start))))
    return Term(tuple(dict.fromkeys(nodes)))


def _explain(message: str, right: str, formula: str, start: int) -> tuple[str, str, int]:
    """The parser marks the faulty piece with terminal colours: turn that into a position."""
    reason, _, shown = message.partition("\n\n")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    offset = plain.find("⧛") - len("~ ") if "⧛" in plain else 0
    reason = _first_line(reason).replace("insuffient", "insufficient").split(" (tip:")[0].rstrip(".")
    if reason.startswith("Numeric literals"):
        reason = "A number cannot be a term or scale one: write I(2*x) for a scaled column, 1 or 0 for the intercept"
    return f"{reason}.", formula, start + max(0, min(offset, len(right)))


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].rstrip(".") if text.strip() else "no reason was given"


def _is_offset(term: Term) -> bool:
    return len(term.factors) == 1 and isinstance(term.factors[0], Apply) and term.factors[0].operation == "offset"


def _offset_argument(node: Node) -> Node:
    assert isinstance(node, Apply)
    if len(node.arguments) != 1 or node.keywords:
        raise ModelError(f"{to_text(node)}: offset takes one expression, as in offset(log(exposure)).")
    return node.arguments[0]


def _names_of(node: Node) -> tuple[str, ...]:
    from surefoot.problem.graph import names

    return names(node)
