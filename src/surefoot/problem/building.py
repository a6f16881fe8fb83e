"""A parse tree -> a graph: one rule for each rule of the grammar, and what the grammar alone cannot refuse.

The grammar knows which tokens may follow each other. How many arguments a function takes, which exponents are too
large, and what an index may be is checked here, where the position in the text is still known.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import numpy as np

from surefoot.errors import ExpressionError
from surefoot.problem.graph import (
    ALIASES,
    FUNCTIONS,
    OPERATIONS,
    OPTIONS,
    VECTORS,
    WHOLE,
    Apply,
    Index,
    Name,
    Node,
    Number,
    Text,
    fold,
    names,
    running,
    walk,
)
from surefoot.problem.tokens import MAX_NESTING, too_deep, unquote

MAX_EXPONENT = 1e6
MAX_TERMS = 1_000_000

INFIX = {
    "+": "add", "-": "sub", "*": "mul", "/": "div", "^": "pow", "**": "pow", "&": "and", "and": "and", "|":
    "or", "or": "or", "<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne",
}  # fmt: skip
"""The operation that each infix sign stands for."""

CALLABLE = {**{name: name for name in FUNCTIONS}, **ALIASES}
"""The functions that a person may call, and the operation that each one means."""

_FOLDED = ("minimum", "maximum")  # take two arguments or more: min(a, b, c) is min(min(a, b), c)
_OF_INDICES = ("add", "sub", "mul", "neg")


class Dialect(NamedTuple):
    """What may be called: numeric functions, and ``extra`` ones, which take options."""

    functions: Mapping[str, str]
    extra: Collection[str]

    @property
    def vectors(self) -> bool:
        """Whether names have elements and sums run over indices."""
        return "sum" in self.functions


@dataclass(frozen=True)
class Place:
    """One part of ``x=1, y[0]=2, z=[3, 4], u=-5..5``: whose, which element, and where to."""

    name: str
    index: int | None
    values: tuple[Node, ...]
    form: str
    """``value``, ``list`` or ``interval``."""
    start: int


class Part(NamedTuple):
    """What a branch of the parse tree has become."""

    node: Node
    start: int
    nesting: int = 0
    keyword: str = ""
    range: tuple[Node, Node] | None = None


class Builder:
    """One method for each rule of the grammar: the children of a branch, themselves built -> its part.

    `nesting` counts brackets, arguments, signs and exponents, but not the left operands, so that a chain is
    flat.
    """

    def __init__(self, source: str, dialect: Dialect) -> None:
        self.source = source
        self.dialect = dialect
        self.shared: dict[Node, Node] = {}  # equal subexpressions become one object: comparing is free
        self.standing: dict[Node, int] = {}  # where elements and sums stand, for what only the whole can tell

    def number(self, children: list[Any]) -> Part:
        (token,) = children
        value = float(token)
        if math.isinf(value) or (value == 0 and re.match(r"[0.]*[1-9]", token)):
            size = "large" if value else "small"
            self._refuse(f"The number {token[:40]} is too {size} for double precision.", token.start_pos)
        return self._part(Number(value, str(token)), token.start_pos)

    def name(self, children: list[Any]) -> Part:
        (token,) = children
        return self._part(Name(unquote(str(token))), token.start_pos)

    def element(self, children: list[Any]) -> Part:
        token, bracket, index, _ = children
        if not self.dialect.vectors:
            reason = "Square brackets only make a list as an argument of a function; group with ( and )."
            self._refuse(f"{reason} (A column of that name goes in backticks.)", bracket.start_pos)
        node = Apply("element", (Name(unquote(str(token))), index.node))
        self.standing.setdefault(node, token.start_pos)
        return self._part(node, token.start_pos, index.nesting + 1)

    def string(self, children: list[Any]) -> Part:
        (token,) = children
        return self._part(Text(re.sub(r"""\\(['"\\])""", r"\1", token[1:-1])), token.start_pos)

    def constant(self, children: list[Any]) -> Part:
        (token,) = children
        return self._part(Apply(str(token), ()), token.start_pos)

    def group(self, children: list[Any]) -> Part:
        bracket, inside, _ = children
        return self._part(inside.node, bracket.start_pos, inside.nesting + 1)

    def prefix(self, children: list[Any]) -> Part:
        sign, operand = children
        operation = {"-": "neg", "not": "not"}.get(sign)
        node = Apply(operation, (operand.node,)) if operation else operand.node
        return self._part(node, sign.start_pos, operand.nesting + 1)

    def infix(self, children: list[Any]) -> Part:
        left, sign, right = children
        operation = INFIX[sign]
        if operation == "pow":
            self._check_exponent(right)
        nesting = max(left.nesting, right.nesting + (operation == "pow"))
        return self._part(Apply(operation, (left.node, right.node)), left.start, nesting)

    def keyword(self, children: list[Any]) -> Part:
        key, _, value = children
        return value._replace(start=key.start_pos, keyword=unquote(str(key)))

    def range(self, children: list[Any]) -> Part:
        key, _, first, _, last = children
        return first._replace(start=key.start_pos, keyword=unquote(str(key)), range=(first.node, last.node))

    def interval(self, children: list[Any]) -> tuple[Node, ...]:
        first, _, last = children
        return (first.node, last.node)

    def place(self, children: list[Any]) -> Place:
        name, where = children[0], children[-1]
        index = int(children[2]) if len(children) > 3 and str(children[2]).isdigit() else None
        if len(children) > 3 and (index is None or index >= MAX_TERMS):
            self._refuse(f"An index is a whole number from 0 to {MAX_TERMS - 1:,}.", children[2].start_pos)
        if isinstance(where, tuple) and not isinstance(where, Part):
            values, form = where, "interval"
        elif isinstance(where.node, Apply) and where.node.operation == "list":
            values, form = where.node.arguments, "list"
        else:
            values, form = (where.node,), "value"
        return Place(unquote(str(name)), index, values, form, name.start_pos)

    def places(self, children: list[Any]) -> list[Place]:
        return [child for child in children if isinstance(child, Place)]

    def list(self, children: list[Any]) -> Part:
        items = [child for child in children if isinstance(child, Part)]
        nesting = 1 + max((item.nesting for item in items), default=0)
        return self._part(Apply("list", tuple(item.node for item in items)), children[0].start_pos, nesting)

    def call(self, children: list[Any]) -> Part:
        function = children[0]
        arguments = [child for child in children if isinstance(child, Part)]
        nesting = 1 + max((argument.nesting for argument in arguments), default=0)
        start = function.start_pos
        if function in self.dialect.extra:
            make = self._extra_call
        elif self.dialect.functions[function] in WHOLE:
            make = self._vector_call
        else:
            make = self._numeric_call
        return self._part(make(str(function), arguments, start), start, nesting)

    def _extra_call(self, function: str, arguments: Sequence[Part], start: int) -> Node:
        plain = [part for part in arguments if not part.keyword]
        named = [part for part in arguments if part.keyword]
        seen: set[str] = set()
        for part in arguments:
            self._refuse_range(part)
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

    def _numeric_call(self, function: str, arguments: Sequence[Part], start: int) -> Node:
        operation = self.dialect.functions[function]
        self._check_numeric(function, arguments)
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

    def _vector_call(self, function: str, arguments: Sequence[Part], start: int) -> Node:
        """A sum or product over indices, or a function of whole vectors."""
        operation = self.dialect.functions[function]
        terms = [part for part in arguments if part.range is None]
        self._check_numeric(function, terms)
        ranges = [(part, part.keyword, *part.range) for part in arguments if part.range is not None]
        if operation in VECTORS and len(terms) == 4 and not ranges:  # sum(x[i]^2, i, 0, 9)
            term, index, first, last = terms
            if not isinstance(index.node, Name):
                self._refuse(f"The index of {function}(...) is a name, as in {function}(x[i]^2, i=0..9).", index.start)
            terms, ranges = [term], [(index, index.node.name, first.node, last.node)]
        if ranges and operation not in VECTORS:
            self._refuse(f"{function}(...) runs over no index; sum and prod do.", ranges[0][0].start)
        arity = WHOLE[operation]
        if len(terms) != arity:
            wanted = {"dot": "two vectors, as in dot(x, y)"}.get(operation, f"one vector, as in {function}(x)")
            if operation in VECTORS:
                wanted = f"one term and its index, as in {function}(x[i]^2, i=0..9), or one vector, as in {function}(x)"
            self._refuse(f"{function}(...) takes {wanted}.", terms[arity].start if len(terms) > arity else start)
        node: Node = terms[0].node
        for part, name, first, last in reversed(ranges):  # the first one is the outermost
            node = self._over(operation, node, self._index(name, first, last, part.start), start)
        return node if ranges else Apply(operation, tuple(term.node for term in terms))

    def _check_numeric(self, function: str, arguments: Sequence[Part]) -> None:
        for part in arguments:
            self._refuse_range(part)
            if part.keyword and self.dialect.functions[function] in VECTORS:
                self._refuse(f"An index needs both ends, as in {part.keyword}=0..9.", part.start)
            if part.keyword:
                reason = f"{function}(...) takes no named arguments; to compare, write == and not a single =."
                self._refuse(reason, part.start)
            if _is_option(part.node):
                reason = f"{function}(...) takes numbers; text, lists, True, False and None do not fit."
                self._refuse(reason, part.start)

    def _refuse_range(self, part: Part) -> None:
        if part.range is not None:
            where = "sum and prod" if self.dialect.vectors else "sums of functions to minimise"
            self._refuse(f"A range such as {part.keyword}=0..9 has a meaning only in {where}.", part.start)

    def _index(self, name: str, first: Node, last: Node, start: int) -> Index:
        ends = [_whole(first), _whole(last)]
        if ends[0] is None or ends[1] is None:
            self._refuse(f"The ends of {name} are whole numbers, as in {name}=0..9.", start)
        index = Index(name, ends[0], ends[1])
        if index.last < index.first:
            self._refuse(f"The range of {name} is empty: it runs upwards from {index.first} to {index.last}.", start)
        if index.last - index.first >= MAX_TERMS:
            terms = index.last - index.first + 1
            self._refuse(f"The index {name} takes {terms:,} values; at most {MAX_TERMS:,} terms are added.", start)
        return index

    def _over(self, operation: str, term: Node, index: Index, start: int) -> Node:
        """The sum or product of a term in which the name of the index is now the index."""

        def bound(current: Node, operands: Sequence[Node]) -> Node:
            if isinstance(current, Name) and current.name == index.name:
                return index
            if not isinstance(current, Apply):
                return current
            name = current.arguments[:1] if current.operation == "element" else ()  # x[x] has two kinds of x
            made = Apply(current.operation, (*name, *operands[len(name) :]))
            made = self.shared.setdefault(made, made)
            if current in self.standing:
                self.standing.setdefault(made, self.standing[current])
            return made

        node = Apply(operation, (fold(term, bound), index))
        self.standing.setdefault(node, start)
        return node

    def check_indices(self, node: Node) -> None:
        """Every index is a whole number from 0 on, and no place has more than `MAX_TERMS` terms."""

        def rule(current: Node, operands: Sequence[frozenset[Index]]) -> frozenset[Index]:
            if isinstance(current, Index):
                return frozenset({current})
            free = frozenset[Index]().union(*operands)
            if not isinstance(current, Apply) or current.operation not in VECTORS:
                return free
            start = self.standing.get(current, 0)
            terms = math.prod(len(index) for index in free)
            if terms > MAX_TERMS:
                self._refuse(f"Here are {terms:,} terms; at most {MAX_TERMS:,} are added.", start)
            if current.operation != "element":
                return free - {running(current)}
            self._check_index(current.arguments[1], start)
            self._check_reach(current.arguments[1], start)
            return free

        fold(node, rule)

    def _check_index(self, index: Node, start: int) -> None:
        for part in walk(index):
            if isinstance(part, Name):
                reason = f"{part.name} is the index of no sum here; write sum(..., {part.name}=0..9) around it."
                self._refuse(f"An index is a whole number or the index of a sum: {reason}", start)
            whole = isinstance(part, Index) or (isinstance(part, Number) and _whole(part) is not None)
            if not whole and not (isinstance(part, Apply) and part.operation in _OF_INDICES):
                self._refuse("An index is made of whole numbers and indices of sums by + - and *.", start)

    def _check_reach(self, index: Node, start: int) -> None:
        from surefoot.problem.indices import positions

        try:
            found = positions(index)
        except OverflowError:
            found = np.array([MAX_TERMS])
        if found.min() < 0:
            self._refuse("This index goes below 0; elements are counted from 0.", start)
        if found.max() >= MAX_TERMS:
            self._refuse(f"This index goes beyond {MAX_TERMS - 1:,}.", start)

    def _check_exponent(self, exponent: Part) -> None:
        node = exponent.node
        while isinstance(node, Apply) and node.operation == "neg":
            node = node.arguments[0]
        if isinstance(node, Number) and node.value > MAX_EXPONENT:
            reason = f"The exponent is larger than {MAX_EXPONENT:,.0f}; write exp(a*log(x)) if you mean it."
            self._refuse(reason, exponent.start)

    def _part(self, node: Node, start: int, nesting: int = 0) -> Part:
        if nesting > MAX_NESTING:
            self._refuse(too_deep(), start)
        return Part(self.shared.setdefault(node, node), start, nesting)

    def _refuse(self, reason: str, position: int) -> NoReturn:
        raise ExpressionError(reason, self.source, position)


def _whole(node: Node) -> int | None:
    """The whole number that an expression without names stands for, such as the 9 of 10 - 1."""
    from surefoot.problem.floating import evaluate

    known = all(
        isinstance(part, Number) or (isinstance(part, Apply) and part.operation in OPERATIONS) for part in walk(node)
    )
    value = float(evaluate(node, {})) if known and not names(node) else math.nan
    return int(value) if value.is_integer() and abs(value) < 2**53 else None


def _is_option(node: Node) -> bool:
    """Text, a list or a bare True, False, None: an option of an extra function, not a number."""
    return isinstance(node, Text) or (isinstance(node, Apply) and node.operation in OPTIONS)
