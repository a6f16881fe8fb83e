"""The expression graph: what a person typed, as immutable nodes that every reading shares.

A `Node` is a `Number`, a `Name`, a `Text`, an `Index` or an `Apply` (an operation on other nodes). Equal subexpressions
compare and hash equal; that is what *shared* means here. A sum of thousands of terms is a legal expression
and a graph thousands of nodes deep, so nothing in this room recurses: hashes are kept, comparison uses a
stack, and **a reading is a `fold`**, one rule applied to each distinct node after its operands. Floating
point, text and LaTeX are such rules.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

T = TypeVar("T")

ARITHMETIC = {"add": 2, "sub": 2, "mul": 2, "div": 2, "pow": 2, "neg": 1}
COMPARISONS = {"lt": 2, "le": 2, "gt": 2, "ge": 2, "eq": 2, "ne": 2}
LOGICAL = {"and": 2, "or": 2, "not": 1}
FUNCTIONS = {
    **dict.fromkeys(("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt"), 1),
    **dict.fromkeys(("abs", "sign", "floor", "ceil", "round"), 1),
    **dict.fromkeys(("sin", "cos", "tan", "arcsin", "arccos", "arctan"), 1),
    **dict.fromkeys(("sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"), 1),
    **dict.fromkeys(("erf", "erfc", "gammaln", "logit", "expit"), 1),
    **dict.fromkeys(("arctan2", "hypot", "minimum", "maximum"), 2),
    "where": 3,
}

OPERATIONS: dict[str, int] = {**ARITHMETIC, **COMPARISONS, **LOGICAL, **FUNCTIONS}
"""Every numeric operation and the number of its arguments."""

ALIASES = {
    "ln": "log", "lgamma": "gammaln", "min": "minimum", "max": "maximum", "pow": "pow",
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
    "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
}  # fmt: skip
"""Other spellings of functions that a person may type, and the operation that each one means."""

VECTORS = {"element": 2, "sum": 2, "prod": 2}
"""Operations on indices, with the number of their arguments: ``element(x, index)``, written ``x[i]``, and the sum or
the product of ``(term, Index)`` over all values of the index. An `Index` says itself how far it runs, so a term has a
value by itself (an array), and no reading needs to know where it stands."""

WHOLE = {"sum": 1, "prod": 1, "mean": 1, "norm": 1, "dot": 2}
"""Functions of whole vectors, ``sum(x^2)``: `vectors.with_sizes` writes them out once the sizes are known."""

OPTIONS = ("list", "True", "False", "None")
"""Operations that are not functions: a list and bare words, as arguments of extra functions."""

CONSTANTS = {"pi": math.pi}
"""Names that have a value when no variable has that name: a column called ``pi`` wins."""


@dataclass(frozen=True, slots=True)
class Number:
    """A literal, with the text as it was written, so that an exact reading can use the decimal.

    ``0.1`` and ``0.10`` are equal numbers but different literals: they compare unequal and are not shared.

    Examples
    --------
    >>> Number(0.5, ".5").text
    '.5'
    """

    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a column, or a constant such as ``pi``: the reading decides which.

    Examples
    --------
    >>> Name("Sepal.Length")
    Name(name='Sepal.Length')
    """

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """A whole number that runs from ``first`` to ``last``, both included: the ``i`` of ``sum(x[i], i=0..9)``.

    Examples
    --------
    >>> len(Index("i", 0, 9))
    10
    """

    name: str
    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal; it only ever stands as an argument of a call.

    Examples
    --------
    >>> Text("b").value
    'b'
    """

    value: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Apply:
    """An operation on arguments; ``keywords`` keeps the order in which they were written.

    Examples
    --------
    >>> Apply("add", (Name("x"), Number(1.0, "1")))
    Apply('add', (Name(name='x'), Number(value=1.0, text='1')))
    """

    operation: str
    arguments: tuple[Node, ...]
    keywords: tuple[tuple[str, Node], ...] = ()
    _hash: int = field(init=False)

    def __post_init__(self) -> None:
        # Kept because hashing a deep graph afresh would recurse through all of it.
        object.__setattr__(self, "_hash", hash((self.operation, self.arguments, self.keywords)))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Apply):
            return NotImplemented
        return _same(self, other)

    def __repr__(self) -> str:
        return _show(self, depth=8)

    def __reduce__(self):
        # Flat, because the default would recurse; and `_hash` must not travel, as processes hash differently.
        order = walk(self)
        place = {node: index for index, node in enumerate(order)}
        rows = [
            (node.operation, [place[child] for child in children(node)], [key for key, _ in node.keywords])
            if isinstance(node, Apply)
            else node
            for node in order
        ]
        return _rebuild, (rows,)


Node: TypeAlias = Number | Name | Text | Index | Apply


def number(value: float) -> Node:
    """The node for a finite value, with the shortest decimal that gives the value back.

    A literal has no sign, so a negative value is ``neg`` of a `Number`, exactly as the grammar would read it.

    Examples
    --------
    >>> number(0.1)
    Number(value=0.1, text='0.1')
    >>> number(-2)
    Apply('neg', (Number(value=2.0, text='2'),))
    """
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be written as a number in an expression; only finite values can.")
    text = repr(abs(value)).removesuffix(".0")
    literal = Number(abs(value), text)
    return Apply("neg", (literal,)) if math.copysign(1.0, value) < 0 else literal


def children(node: Node) -> tuple[Node, ...]:
    """The operands of a node: the arguments, then the values of the keywords.

    Examples
    --------
    >>> children(Apply("bs", (Name("x"),), (("df", Number(5.0, "5")),)))
    (Name(name='x'), Number(value=5.0, text='5'))
    """
    if not isinstance(node, Apply):
        return ()
    return node.arguments + tuple(value for _, value in node.keywords) if node.keywords else node.arguments


def running(node: Node) -> Index | None:
    """The index that a sum or a product runs over; None for any other node.

    Examples
    --------
    >>> running(Apply("sum", (Name("x"), Index("i", 0, 9))))
    Index(name='i', first=0, last=9)
    """
    if not isinstance(node, Apply) or node.operation not in ("sum", "prod") or len(node.arguments) != 2:
        return None
    index = node.arguments[1]
    return index if isinstance(index, Index) else None


def walk(node: Node, below: Callable[[Node], Sequence[Node]] = children) -> list[Node]:
    """Each distinct node once, operands before the operations that use them, left to right.

    A reading that leaves some operands for later says which ones it wants by ``below``.

    Examples
    --------
    >>> x = Name("x")
    >>> walk(Apply("mul", (x, x)))
    [Name(name='x'), Apply('mul', (Name(name='x'), Name(name='x')))]
    """
    order: dict[Node, None] = {}
    stack = [(node, False)]
    while stack:
        current, ready = stack.pop()
        if current in order:
            continue
        if ready or not isinstance(current, Apply):
            order[current] = None
        else:
            stack.append((current, True))
            stack.extend((child, False) for child in reversed(below(current)))
    return list(order)


def names(node: Node) -> tuple[str, ...]:
    """The free variables in order of first appearance, ``pi`` included, since a column may have that name.

    Examples
    --------
    >>> names(Apply("sub", (Name("y"), Apply("mul", (Name("x"), Name("y"))))))
    ('y', 'x')
    """
    return tuple(leaf.name for leaf in walk(node) if isinstance(leaf, Name))


def fold(node: Node, rule: Callable[[Node, Sequence[T]], T], below: Callable[[Node], Sequence[Node]] = children) -> T:
    """Read a graph: ``rule(node, values of its operands)`` for each distinct node, operands first.

    The values of the operands come in the order of ``below``, which is `children` unless told. A value is let go
    after its last use, so that a sum of a thousand columns does not hold a thousand partial sums.

    Examples
    --------
    >>> fold(Apply("neg", (Name("x"),)), lambda node, values: 1 + sum(values))
    2
    """
    order = walk(node, below)
    uses = Counter(child for parent in order for child in below(parent))
    values: dict[Node, T] = {}
    for current in order:
        operands = below(current)
        values[current] = rule(current, [values[operand] for operand in operands])
        for operand in operands:
            uses[operand] -= 1
            if not uses[operand]:
                del values[operand]
    return values[node]


def _same(one: Apply, other: Apply) -> bool:
    """Structural equality with a stack; each pair is met once, so heavy sharing costs nothing."""
    pairs: list[tuple[Node, Node]] = [(one, other)]
    met: set[tuple[int, int]] = set()
    while pairs:
        a, b = pairs.pop()
        if a is b or (id(a), id(b)) in met:
            continue
        if not (isinstance(a, Apply) and isinstance(b, Apply)):
            if type(a) is not type(b) or a != b:
                return False
            continue
        if (a._hash, a.operation, len(a.arguments)) != (b._hash, b.operation, len(b.arguments)):
            return False
        if [key for key, _ in a.keywords] != [key for key, _ in b.keywords]:
            return False
        met.add((id(a), id(b)))
        pairs.extend(zip(children(a), children(b), strict=True))
    return True


def _show(node: Node, depth: int) -> str:
    """The repr, cut at a depth: it is for reading, and a deep graph in full would not be readable."""
    if not isinstance(node, Apply):
        return repr(node)
    if not depth:
        return f"Apply({node.operation!r}, ...)"
    inside = "".join(f"{_show(argument, depth - 1)}, " for argument in node.arguments)
    inside = inside.removesuffix(" ") if len(node.arguments) == 1 else inside.removesuffix(", ")
    pairs = ", ".join(f"({key!r}, {_show(value, depth - 1)})" for key, value in node.keywords)
    tail = f", ({pairs}{',' if len(node.keywords) == 1 else ''})" if pairs else ""
    return f"Apply({node.operation!r}, ({inside}){tail})"


def _rebuild(rows: list) -> Node:
    """The inverse of `Apply.__reduce__`."""
    made: list[Node] = []
    for row in rows:
        if isinstance(row, tuple):
            operation, places, keys = row
            operands = [made[place] for place in places]
            split = len(operands) - len(keys)
            row = Apply(operation, tuple(operands[:split]), tuple(zip(keys, operands[split:], strict=True)))
        made.append(row)
    return made[-1]
