"""Text -> graph: what a person types means what it says, and is never evaluated as Python.

From loose to tight: ``or |``, ``and &``, ``not``, comparisons, ``+ -``, ``* /``, unary minus, ``^ **``. So
``-x^2`` is ``-(x^2)``, ``2^-1`` is a half, and ``x^2 + 10*y^2`` is a bowl. The grammar is LALR(1) (lark): no
ambiguity, no backtracking, no recursion. Lark is loaded at the first `parse` and the tables are built once.

Three things are read: an expression in columns (`parse`), a function of variables, which has vectors and sums
besides (`parse_function`), and places (`parse_places`): ``x=1, y=[2, 3]`` or ``x=-5..5``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import cache
from typing import Any

from surefoot.errors import ExpressionError
from surefoot.problem.building import CALLABLE, MAX_EXPONENT, MAX_TERMS, Builder, Dialect, Part, Place
from surefoot.problem.graph import OPERATIONS, OPTIONS, WHOLE, Node
from surefoot.problem.misplaced import misplaced, unknown_function
from surefoot.problem.tokens import ENDS_VALUE, Token, tokenize
from surefoot.problem.writing import to_latex, to_text

__all__ = ["MAX_EXPONENT", "MAX_TERMS", "Place", "parse", "parse_function", "parse_places", "to_latex", "to_text"]

_GRAMMAR = r"""
?start: either
?either: both | either OR both -> infix
?both: negation | both AND negation -> infix
?negation: comparison | NOT negation -> prefix
?comparison: sum | sum COMPARE sum -> infix
?sum: product | sum (PLUS | MINUS) product -> infix
?product: unary | product (TIMES | DIVIDE) unary -> infix
?unary: power | (PLUS | MINUS) unary -> prefix
?power: atom | atom POWER unary -> infix
?atom: NUMBER -> number
    | NAME -> name
    | NAME LBRACKET sum RBRACKET -> element
    | LPAR either RPAR -> group
    | FUNCTION LPAR [argument (COMMA argument)*] RPAR -> call
?argument: value | NAME EQUAL value -> keyword | NAME EQUAL sum DOTS sum -> range
?value: either
    | TEXT -> string
    | CONSTANT -> constant
    | LBRACKET [value (COMMA value)*] RBRACKET -> list
places: place (COMMA place)*
place: NAME EQUAL where_to | NAME LBRACKET NUMBER RBRACKET EQUAL where_to
?where_to: sum | sum DOTS sum -> interval | LBRACKET sum (COMMA sum)* RBRACKET -> list
%declare OR AND NOT COMPARE PLUS MINUS TIMES DIVIDE POWER NUMBER NAME FUNCTION TEXT CONSTANT
%declare LPAR RPAR LBRACKET RBRACKET COMMA EQUAL DOTS
"""

_FUNCTIONS = {**CALLABLE, **{name: name for name in WHOLE}, "product": "prod"}
_LISTS = "Square brackets only make a list as an argument of a function; group with ( and )."
_INDEX = "Square brackets hold the index of a name, as in x[0]; group with ( and )."
_AFTER_EQUAL = "Square brackets hold an index, as in x[0]=1, or a vector after =, as in x=[1, 2]."


def parse(text: str, *, extra: Collection[str] = ()) -> Node:
    """Read an expression in columns, as formulas, weights and filters have them.

    Parameters
    ----------
    text : str
        What was typed, at most 10,000 characters and nested at most 100 deep. A chain such as ``1 + 1 + ...``
        is not nested.
    extra : collection of str
        Names of functions besides the numeric ones. A call of one becomes an `Apply` of that name with any
        number of arguments, and only there may arguments have names (``df=5``) or be text (``'b'``), a list
        (``Apply("list", ...)``) or ``True``, ``False``, ``None`` (``Apply("True", ())`` and so on).

    Raises
    ------
    ExpressionError
        With a sentence and the position, whatever the text.
    ValueError
        If a name in ``extra`` is already a numeric function.

    Examples
    --------
    >>> parse("-x^2")
    Apply('neg', (Apply('pow', (Name(name='x'), Number(value=2.0, text='2'))),))
    >>> parse("poly(x, 3)", extra={"poly"})
    Apply('poly', (Name(name='x'), Number(value=3.0, text='3')))
    """
    clash = sorted(set(extra) & {*CALLABLE, *OPERATIONS, *OPTIONS})
    if clash:
        raise ValueError(f"{clash[0]} already has a meaning in an expression and cannot be extra.")
    return _read(tokenize(text), text, Builder(text, Dialect(CALLABLE, extra)), "start", _LISTS).node


def parse_function(text: str) -> Node:
    """Read a function of variables: an expression with elements of vectors, sums and products.

    ``x[0]`` is an element, counted from 0; ``sum(x[i]^2, i=0..9)`` and ``prod`` run over an index with both ends
    included, several indices (``i=0..9, j=0..9``) one inside the other, and ``x[i+1]`` takes what ``+ - *`` make of
    indices and whole numbers. ``sum(x^2)``, ``prod``, ``mean``, ``norm`` and ``dot(x, y)`` take whole vectors; they
    stay as they are until `vectors.with_sizes` knows how long these are. ``sum(x[i]^2, i, 0, 9)`` is read as well.

    Parameters
    ----------
    text : str
        As for `parse`; at most 1,000,000 terms in all the indices around a place.

    Raises
    ------
    ExpressionError
        With a sentence and the position, whatever the text.

    Examples
    --------
    >>> parse_function("sum(x[i]^2, i=0..9)").arguments[1]
    Index(name='i', first=0, last=9)
    >>> to_text(parse_function("sum((x[i+1] - x[i]^2)^2, i, 0, 3*2)"))
    'sum((x[i + 1] - x[i]^2)^2, i=0..6)'
    """
    builder = Builder(text, Dialect(_FUNCTIONS, ()))
    part = _read(tokenize(text), text, builder, "start", _INDEX)
    builder.check_indices(part.node)
    return part.node


def parse_places(text: str) -> list[Place]:
    """Read places, ``x=-1.2, y=[1, 2], z[0]=2^-3``, or intervals, ``x=-5..5``, in the order in which they stand.

    Raises
    ------
    ExpressionError
        With a sentence and the position, whatever the text.

    Examples
    --------
    >>> [(place.name, place.index, len(place.values)) for place in parse_places("x=1, y[2]=-5..5")]
    [('x', None, 1), ('y', 2, 2)]
    """
    tokens = _divided(tokenize(text))
    return _read(tokens, text, Builder(text, Dialect(CALLABLE, ())), "places", _AFTER_EQUAL)


def _read(tokens: list[Token], text: str, builder: Builder, start: str, brackets: str) -> Any:
    known = {*builder.dialect.functions, *builder.dialect.extra}
    for token in tokens:
        if token.kind == "FUNCTION" and token.text not in known:
            raise ExpressionError(unknown_function(token.text, known), text, token.start)
    tree = _tree(tokens, text, start, brackets)
    parts: dict[int, Any] = {}
    for branch in tree.iter_subtrees():  # operands first, without recursion
        rule: Callable[[list[Any]], Part] = getattr(builder, branch.data)
        parts[id(branch)] = rule([parts.get(id(child), child) for child in branch.children])
    return parts[id(tree)]


@cache
def _parser() -> Any:
    """The LALR tables, built at the first use (about 20 ms, and the import of lark)."""
    from lark import Lark
    from lark import Token as Leaf
    from lark.lexer import Lexer

    class Ready(Lexer):
        """Hands lark the tokens that `tokenize` found."""

        def __init__(self, configuration: Any) -> None:
            pass

        def lex(self, data: list[Token]):  # pyright: ignore[reportIncompatibleMethodOverride]
            return (Leaf(token.kind, token.text, start_pos=token.start) for token in data)

    return Lark(_GRAMMAR, parser="lalr", lexer=Ready, maybe_placeholders=False, start=["start", "places"])


def _tree(tokens: list[Token], text: str, start: str, brackets: str) -> Any:
    parser = _parser()
    from lark.exceptions import UnexpectedToken

    try:
        return parser.parse(tokens, start=start)
    except UnexpectedToken as error:
        at_end = error.token.type == "$END"
        starts = [token.start for token in tokens]
        place = len(tokens) if at_end else starts.index(error.token.start_pos)
    # Outside the handler, so that no lark exception is chained to ours.
    position = len(text.rstrip()) if place == len(tokens) else tokens[place].start
    if start == "places":
        raise ExpressionError(_no_place(tokens, place, brackets), text, position)
    raise ExpressionError(misplaced(tokens, place, brackets), text, position)


def _no_place(tokens: list[Token], place: int, brackets: str) -> str:
    """Why the token at this place ends no place: mostly a name or its sign of equality is missing."""
    here = tokens[place] if place < len(tokens) else None
    before = tokens[place - 1].kind if place else "COMMA"
    separators = [token.kind for token in tokens[:place] if token.kind in ("COMMA", "EQUAL")]
    if here is not None and here.kind == "COMPARE":
        return "A value is given by a single =, as in x=1, and an interval by two dots, as in x=-5..5."
    value_is_missing = before not in ENDS_VALUE and before not in ("COMMA", "LBRACKET")
    in_value = "EQUAL" in separators[-1:] and here is not None and here.kind not in ("EQUAL", "LBRACKET")
    if value_is_missing or in_value:
        return misplaced(tokens, place, brackets)
    if before == "LBRACKET" and "EQUAL" not in separators[-1:]:
        return "An index is a whole number from 0 on, as in x[0]=1."
    if here is not None and here.kind == "LBRACKET":
        return brackets
    return "Name each value and put commas between them, as in x=1, y=[2, 3]."


def _divided(tokens: list[Token]) -> list[Token]:
    """A name may hold dots, but the ``pi..pi`` of ``x=-pi..pi`` is an interval."""
    divided: list[Token] = []
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        match = re.fullmatch(r"([^`.]+)\.\.([^`.]+)", token.text) if token.kind == "NAME" else None
        if match is None or (after is not None and after.kind in ("EQUAL", "LBRACKET")):
            divided.append(token)
            continue
        middle = token.start + match.end(1)
        right = "NUMBER" if match[2].isdigit() else "NAME"
        divided += [
            Token("NAME", match[1], token.start),
            Token("DOTS", "..", middle),
            Token(right, match[2], middle + 2),
        ]
    return divided
