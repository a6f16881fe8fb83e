"""Text -> graph: what a person types means what it says, and is never evaluated as Python.

From loose to tight: ``or |``, ``and &``, ``not``, comparisons, ``+ -``, ``* /``, unary minus, ``^ **``. So
``-x^2`` is ``-(x^2)``, ``2^-1`` is a half, and ``x^2 + 10*y^2`` is a bowl. The grammar is LALR(1) (lark): no
ambiguity, no backtracking, no recursion. Lark is loaded at the first `parse` and the tables are built once.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any, NamedTuple, NoReturn

from surefoot.errors import ExpressionError
from surefoot.problem.graph import ALIASES, FUNCTIONS, OPERATIONS, OPTIONS, Apply, Name, Node, Number, Text
from surefoot.problem.tokens import ENDS_VALUE, MAX_NESTING, Token, tokenize, too_deep, unquote
from surefoot.problem.writing import to_latex, to_text

__all__ = ["MAX_EXPONENT", "parse", "to_latex", "to_text"]

MAX_EXPONENT = 1e6

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
    | LPAR either RPAR -> group
    | FUNCTION LPAR [argument (COMMA argument)*] RPAR -> call
?argument: value | NAME EQUAL value -> keyword
?value: either
    | TEXT -> string
    | CONSTANT -> constant
    | LBRACKET [value (COMMA value)*] RBRACKET -> list
%declare OR AND NOT COMPARE PLUS MINUS TIMES DIVIDE POWER NUMBER NAME FUNCTION TEXT CONSTANT
%declare LPAR RPAR LBRACKET RBRACKET COMMA EQUAL
"""

INFIX = {
    "+": "add", "-": "sub", "*": "mul", "/": "div", "^": "pow", "**": "pow", "&": "and", "and": "and", "|":
    "or", "or": "or", "<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne",
}  # fmt: skip
"""The operation that each infix sign stands for."""

_CALLABLE = {**{name: name for name in FUNCTIONS}, **ALIASES}
_FOLDED = ("minimum", "maximum")  # take two arguments or more: min(a, b, c) is min(min(a, b), c)


def parse(text: str, *, extra: Collection[str] = ()) -> Node:
    """Read an expression.

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
    clash = sorted(set(extra) & {*_CALLABLE, *OPERATIONS, *OPTIONS})
    if clash:
        raise ValueError(f"{clash[0]} already has a meaning in an expression and cannot be extra.")
    tokens = tokenize(text)
    for token in tokens:
        if token.kind == "FUNCTION" and token.text not in _CALLABLE and token.text not in extra:
            raise ExpressionError(_unknown_function(token.text, extra), text, token.start)
    tree = _tree(tokens, text)
    build = _Builder(text, extra)
    parts: dict[int, _Part] = {}
    for branch in tree.iter_subtrees():  # operands first, without recursion
        rule: Callable[[list[Any]], _Part] = getattr(build, branch.data)
        parts[id(branch)] = rule([parts.get(id(child), child) for child in branch.children])
    return parts[id(tree)].node


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

    return Lark(_GRAMMAR, parser="lalr", lexer=Ready, maybe_placeholders=False)


def _tree(tokens: list[Token], text: str) -> Any:
    parser = _parser()
    from lark.exceptions import UnexpectedToken

    try:
        return parser.parse(tokens)
    except UnexpectedToken as error:
        at_end = error.token.type == "$END"
        starts = [token.start for token in tokens]
        place = len(tokens) if at_end else starts.index(error.token.start_pos)
    # Outside the handler, so that no lark exception is chained to ours.
    position = len(text.rstrip()) if place == len(tokens) else tokens[place].start
    raise ExpressionError(_misplaced(tokens, place), text, position)


def _misplaced(tokens: list[Token], place: int) -> str:
    """Why the token at this place cannot stand there; the place after the last token is the end."""
    before = tokens[place - 1] if place else None
    here = tokens[place] if place < len(tokens) else None
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    expects_value = before is None or before.kind not in ENDS_VALUE
    if here is not None and here.kind in _OUT_OF_PLACE:
        return _OUT_OF_PLACE[here.kind]
    if expects_value and (here is None or here.kind not in ("NOT", "LBRACKET")):
        return _missing(before, here)
    if here is None:
        return f"The expression cannot end after {before.text if before else 'nothing'}."
    if here.kind == "COMPARE":
        return "Comparisons do not chain; write a < b and b < c for a < b < c."
    if here.kind == "EQUAL" and after is not None and after.kind == "COMPARE":
        return _COMPARING
    if here.kind == "EQUAL":
        return "A single = does not compare; write == for that. (It names an argument: bs(x, df=5).)"
    if here.kind == "COMMA":
        decimals = "; decimals take a point" if before is not None and before.kind == "NUMBER" else ""
        return f"A comma only separates the arguments of a function{decimals}."
    if here.kind == "NOT" and before is not None and not expects_value:
        return f"There is no operator between {before.text} and not; write and not, or or not."
    if here.kind == "NOT":
        return "A not here needs parentheses around it, as in a == (not b)."
    return f"{here.text} cannot stand here; an operator is missing before it, or it is one too many."


_COMPARING = "The signs for comparing are < <= > >= == and !=; write one of them."
_OUT_OF_PLACE = {
    "TEXT": "Text in quotes can only be an argument of a function.",
    "CONSTANT": "True, False and None can only be arguments; a column of that name goes in backticks.",
    "LBRACKET": "Square brackets only make a list as an argument of a function; group with ( and ).",
}


def _missing(before: Token | None, here: Token | None) -> str:
    """The sentence for a place where a value should stand and none does."""
    pair = (before.kind if before else "", here.kind if here else "")
    if pair == ("COMPARE", "EQUAL"):
        return _COMPARING
    if before is None:
        return f"A value is missing before {here.text if here else 'the end'}."
    if pair == ("LPAR", "RPAR"):
        return "There is nothing between the parentheses; write a value there or remove them."
    if here is None:
        return f"A value is missing after {before.text}."
    return f"A value is missing between {before.text} and {here.text}."


def _unknown_function(name: str, extra: Collection[str]) -> str:
    known = [*_CALLABLE, *extra]
    near = difflib.get_close_matches(name, known, n=3) or difflib.get_close_matches(name.lower(), known, n=3)
    guess = f"did you mean {' or '.join(near)}?" if near else "check its spelling."
    return f"There is no function {name}; {guess} (If {name} is a variable, write {name}*(...).)"


class _Part(NamedTuple):
    """What a branch of the parse tree has become."""

    node: Node
    start: int
    nesting: int = 0
    keyword: str = ""


class _Builder:
    """One method for each rule of the grammar: the children of a branch, themselves built -> its part.

    `nesting` counts brackets, arguments, signs and exponents, but not the left operands, so that a chain is
    flat.
    """

    def __init__(self, source: str, extra: Collection[str]) -> None:
        self.source = source
        self.extra = extra
        self.shared: dict[Node, Node] = {}  # equal subexpressions become one object: comparing is free

    def number(self, children: list[Any]) -> _Part:
        (token,) = children
        value = float(token)
        if math.isinf(value) or (value == 0 and re.match(r"[0.]*[1-9]", token)):
            size = "large" if value else "small"
            self._refuse(f"The number {token[:40]} is too {size} for double precision.", token.start_pos)
        return self._part(Number(value, str(token)), token.start_pos)

    def name(self, children: list[Any]) -> _Part:
        (token,) = children
        return self._part(Name(unquote(str(token))), token.start_pos)

    def string(self, children: list[Any]) -> _Part:
        (token,) = children
        return self._part(Text(re.sub(r"""\\(['"\\])""", r"\1", token[1:-1])), token.start_pos)

    def constant(self, children: list[Any]) -> _Part:
        (token,) = children
        return self._part(Apply(str(token), ()), token.start_pos)

    def group(self, children: list[Any]) -> _Part:
        bracket, inside, _ = children
        return self._part(inside.node, bracket.start_pos, inside.nesting + 1)

    def prefix(self, children: list[Any]) -> _Part:
        sign, operand = children
        operation = {"-": "neg", "not": "not"}.get(sign)
        node = Apply(operation, (operand.node,)) if operation else operand.node
        return self._part(node, sign.start_pos, operand.nesting + 1)

    def infix(self, children: list[Any]) -> _Part:
        left, sign, right = children
        operation = INFIX[sign]
        if operation == "pow":
            self._check_exponent(right)
        nesting = max(left.nesting, right.nesting + (operation == "pow"))
        return self._part(Apply(operation, (left.node, right.node)), left.start, nesting)

    def keyword(self, children: list[Any]) -> _Part:
        key, _, value = children
        return value._replace(start=key.start_pos, keyword=unquote(str(key)))

    def list(self, children: list[Any]) -> _Part:
        items = [child for child in children if isinstance(child, _Part)]
        nesting = 1 + max((item.nesting for item in items), default=0)
        return self._part(Apply("list", tuple(item.node for item in items)), children[0].start_pos, nesting)

    def call(self, children: list[Any]) -> _Part:
        function = children[0]
        arguments = [child for child in children if isinstance(child, _Part)]
        nesting = 1 + max((argument.nesting for argument in arguments), default=0)
        make = self._extra_call if function in self.extra else self._numeric_call
        return self._part(make(str(function), arguments, function.start_pos), function.start_pos, nesting)

    def _extra_call(self, function: str, arguments: Sequence[_Part], start: int) -> Node:
        plain = [part for part in arguments if not part.keyword]
        named = [part for part in arguments if part.keyword]
        seen: set[str] = set()
        for part in arguments:
            if seen and not part.keyword:
                self._refuse(f"In {function}(...), put the arguments without a name first.", part.start)
            if part.keyword in seen:
                self._refuse(f"{function}(...) is given {part.keyword}= twice; keep one.", part.start)
            seen |= {part.keyword} - {""}
        return Apply(
            function,
            tuple(part.node for part in plain),
            tuple((part.keyword, part.node) for part in named),
        )

    def _numeric_call(self, function: str, arguments: Sequence[_Part], start: int) -> Node:
        operation = _CALLABLE[function]
        for part in arguments:
            if part.keyword:
                reason = f"{function}(...) takes no named arguments; to compare, write == and not a single =."
                self._refuse(reason, part.start)
            if _is_option(part.node):
                reason = f"{function}(...) takes numbers; text, lists, True, False and None do not fit."
                self._refuse(reason, part.start)
        arity, count = OPERATIONS[operation], len(arguments)
        folded = operation in _FOLDED
        if count < arity or (count > arity and not folded):
            wanted = f"{arity} argument{'s' if arity > 1 else ''}{' or more' if folded else ''}"
            where = arguments[arity].start if count > arity else start
            given = "1 is given" if count == 1 else f"{count} are given"
            self._refuse(f"{function}(...) takes {wanted}; {given}.", where)
        if operation == "pow":
            self._check_exponent(arguments[1])
        nodes = [part.node for part in arguments]
        if not folded:
            return Apply(operation, tuple(nodes))
        node = nodes[0]
        for other in nodes[1:]:
            node = Apply(operation, (node, other))
        return node

    def _check_exponent(self, exponent: _Part) -> None:
        node = exponent.node
        while isinstance(node, Apply) and node.operation == "neg":
            node = node.arguments[0]
        if isinstance(node, Number) and node.value > MAX_EXPONENT:
            reason = f"The exponent is larger than {MAX_EXPONENT:,.0f}; write exp(a*log(x)) if you mean it."
            self._refuse(reason, exponent.start)

    def _part(self, node: Node, start: int, nesting: int = 0) -> _Part:
        if nesting > MAX_NESTING:
            self._refuse(too_deep(), start)
        return _Part(self.shared.setdefault(node, node), start, nesting)

    def _refuse(self, reason: str, position: int) -> NoReturn:
        raise ExpressionError(reason, self.source, position)


def _is_option(node: Node) -> bool:
    """Text, a list or a bare True, False, None: an option of an extra function, not a number."""
    return isinstance(node, Text) or (isinstance(node, Apply) and node.operation in OPTIONS)
