"""Typed text to the real graph: what a person wrote, as operations on arrays that proofs are read from.

A sum over an index is one node on one array, however long it is: the term has an axis for each index that is free in it
(see `indices`). A quotient or power of literals is the double that it is in a program (``1/3``); functions of them
(``sqrt(2)``) are the real numbers that they denote. Other spellings become the few operations of `real`:

    sqrt(u) = u^(1/2)    2^u = exp(u log 2)    log10(u) = log(u)/log(10)    hypot(u, v) = (u^2 + v^2)^(1/2)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from surefoot.errors import SurefootError
from surefoot.problem import indices
from surefoot.problem.elements import Elements
from surefoot.problem.floating import operate
from surefoot.problem.graph import ARITHMETIC, CONSTANTS, Apply, Index, Name, Node, Number, children, fold, running
from surefoot.problem.real import CONDITIONS, UNARY, Builder, Graph
from surefoot.problem.writing import to_text

SHOWN = 60
"""Longest text of a part that is kept to say where something was written."""


def real_graph_of_text(node: Node, names: Sequence[str]) -> Graph:
    """The real function that a typed expression denotes.

    Parameters
    ----------
    node : Node
        As `typed.TypedFunction` holds it: whole vectors written out.
    names : sequence of str
        The variable at each position of the flat vector, ``("x", "y")`` or ``("x[0]", "x[1]")``.

    Raises
    ------
    DataError
        The expression has a variable that ``names`` has not.
    SurefootError
        It has text or an operation without a numeric value.

    Examples
    --------
    >>> from surefoot.problem.typed import typed_function
    >>> typed = typed_function("sum(x[i]^2, i=0..2) + sqrt(2)", "x=[1, 2, 3]")
    >>> [node.operation for node in real_graph_of_text(typed.node, typed.names).nodes]
    ['input', 'constant', 'power', 'sum', 'power', 'add']
    """
    read = _Reading(node, Builder(names), Known((), np.zeros(0)))
    value = read.number(fold(node, read.rule, _below))
    return read.build.graph(read.build.reshape(value, ()))


class Known(NamedTuple):
    """Names whose numbers do not vary."""

    names: tuple[str, ...]
    numbers: np.ndarray


def terms_of_text(build: Builder, node: Node, depth: int, known: Known) -> int:
    """The terms of a sum over indices, not added, as an array that has an axis for each of its ``depth`` outer indices.

    Parameters
    ----------
    build : Builder
        Of the variables, where the array goes.
    node : Node
        As for `real_graph_of_text`; with depth 0 any node, which is one term.
    depth : int
        How many sums around the term are not to be taken.
    known : Known
        Numbers that the expression uses and that do not vary.

    Returns
    -------
    int
        The place of the array.

    Examples
    --------
    >>> from surefoot.problem.grammar import parse_function
    >>> build = Builder(("x",))
    >>> data = Known(("y[0]", "y[1]", "y[2]"), np.ones(3))
    >>> build.shape(terms_of_text(build, parse_function("sum(i*x - y[i], i=0..2)"), 1, data))
    (3,)
    """
    read, term, over = _Reading(node, build, known), node, []
    for _ in range(depth):
        index = running(term)
        assert index is not None and isinstance(term, Apply)
        over.append(index)
        term = term.arguments[0]
    value = read.number(fold(term, read.rule, _below))
    shape = [1] * max([len(build.shape(value)), *(read.axis[index] + 1 for index in over)])
    for index in over:  # a term without the index is the same each time
        shape[-1 - read.axis[index]] = len(index)
    return read.spread(value, tuple(shape))


class _Reading:
    """One expression on its way into a builder."""

    def __init__(self, node: Node, build: Builder, known: Known) -> None:
        self.build, self.known, self.own = build, known.numbers, len(build.names)
        self.wanted = Elements.of((*build.names, *known.names))
        self.axis = indices.axes(node)
        self.sizes: dict[Node, int] = {}

    def rule(self, node: Node, operands: Sequence[int]) -> int:
        self.build.source = self._shown(node)
        if isinstance(node, Number):
            return self.build.constant(node.value)
        if isinstance(node, Name):
            return self._variable(node.name)
        if isinstance(node, Index):
            return self.build.constant(indices.values(node, self.axis[node]))
        if not isinstance(node, Apply) or node.keywords:
            raise SurefootError(f"{node!r} has no numeric value; only numeric functions do.")
        if node.operation == "element":
            return self._taken(self.wanted.positions(node, self.axis))
        index = running(node)
        if index is not None:
            return self._over(node.operation, self.number(operands[0]), len(index), self.axis[index])
        return self._operation(node, operands)

    def _shown(self, node: Node) -> str:
        """The text of a small part, to say where something was written."""
        self.sizes[node] = 1 + sum(self.sizes.get(child, SHOWN) for child in _below(node))
        if self.sizes[node] > SHOWN:
            return ""
        text = to_text(node)
        return text if len(text) <= SHOWN else ""

    def _variable(self, name: str) -> int:
        place = self.wanted.single.get(name)
        if place is None:
            return self.build.constant(CONSTANTS[name])
        if place >= self.own:
            return self.build.constant(self.known[place - self.own])
        return self.build.reshape(self.build.slice(self.build.input, (place,), (place + 1,)), ())

    def _taken(self, places: np.ndarray) -> int:
        """Elements: a slice where they are equally spaced, which rules read more easily."""
        build, flat = self.build, places.ravel()
        if np.all(flat >= self.own):  # the elements of a vector vary all or none
            return build.constant(self.known[places - self.own])
        steps = np.diff(flat)
        step = int(steps[0]) if len(steps) else 1
        if step > 0 and np.all(steps == step):
            cut = build.slice(build.input, (int(flat[0]),), (int(flat[-1]) + 1,), (step,))
            return build.reshape(cut, places.shape)
        return build.take(build.input, places)

    def _over(self, operation: str, term: int, count: int, axis: int) -> int:
        """The sum or product along the axis of an index; a term without the index is the same each time."""
        build, shape = self.build, self.build.shape(term)
        if len(shape) > axis and shape[-1 - axis] == count:
            reduced = build.reduce(operation, term, (len(shape) - 1 - axis,))
            kept = (*shape[: len(shape) - 1 - axis], 1, *shape[len(shape) - axis :])
            return build.reshape(reduced, kept if len(shape) > axis + 1 else build.shape(reduced))
        if operation == "sum":
            return build.mul(build.constant(float(count)), term)
        return build.power(term, count)

    def _operation(self, node: Apply, operands: Sequence[int]) -> int:
        build, operation = self.build, node.operation
        if operation == "where":
            condition, yes, no = self._aligned([self.truth(operands[0]), *map(self.number, operands[1:])])
            return build.where(condition, yes, no)
        if operation in ("and", "or", "not"):
            return build.condition(operation, *self._aligned([self.truth(operand) for operand in operands]))
        numbers = [self.number(operand) for operand in operands]
        known = [build.value(place) for place in numbers]
        if operation in ARITHMETIC and all(value is not None for value in known):
            with np.errstate(all="ignore"):
                value = np.asarray(operate(node, [value for value in known if value is not None]), dtype=float)
            if np.all(np.isfinite(value)):
                return build.constant(value)
        if operation == "pow":
            return self._power(*numbers)
        aligned = self._aligned(numbers)
        if operation in _CONDITIONS:
            return _CONDITIONS[operation](build, *aligned)
        if operation in _REWRITTEN:
            return _REWRITTEN[operation](build, *aligned)
        if operation in UNARY:
            return build.unary(operation, *aligned)
        return build.binary(operation, *aligned)

    def _power(self, base: int, exponent: int) -> int:
        """Powers with known exponents are powers; a known positive base is an exponential function."""
        build = self.build
        known, fixed = build.value(exponent), build.value(base)
        if known is not None and known.size and np.all(known == known.flat[0]):
            powered = build.power(base, Fraction(float(known.flat[0])))
            return self._aligned([powered, exponent])[0]
        if fixed is not None and np.all(fixed > 0):
            return build.unary("exp", build.mul(*self._aligned([exponent, build.unary("log", base)])))
        base, exponent = self._aligned([base, exponent])
        return build.binary("pow", base, exponent) if known is None else self._powers(base, known)

    def _powers(self, base: int, exponents: np.ndarray) -> int:
        """Each entry to a known power of its own."""
        build = self.build
        exponents = np.broadcast_to(exponents, build.shape(base))
        flat = build.reshape(base, (exponents.size,))
        values = np.unique(exponents)
        groups = [np.flatnonzero(exponents.ravel() == value) for value in values]
        parts = [
            build.power(build.take(flat, group), Fraction(float(value)))
            for group, value in zip(groups, values, strict=True)
        ]
        back = np.argsort(np.concatenate(groups)).reshape(exponents.shape)
        return build.take(build.concatenate(parts, 0), back)

    def _aligned(self, places: Sequence[int]) -> list[int]:
        """All of one shape, as NumPy aligns them from the last axis."""
        shape = np.broadcast_shapes(*(self.build.shape(place) for place in places))
        return [self.spread(place, shape) for place in places]

    def spread(self, place: int, shape: tuple[int, ...]) -> int:
        """A value in a larger shape, aligned from the last axis."""
        return self.build.broadcast(place, shape, range(len(shape) - len(self.build.shape(place)), len(shape)))

    def is_truth(self, place: int) -> bool:
        """Whether a node is a condition."""
        node = self.build.nodes[place]
        if node.operation in ("broadcast", "reshape", "take"):
            return self.is_truth(node.operands[0])
        value = self.build.value(place)
        return node.operation in CONDITIONS or (value is not None and value.dtype == bool)

    def number(self, place: int) -> int:
        """A condition as 1 or 0."""
        if not self.is_truth(place):
            return place
        return self.build.where(place, self.build.constant(1.0), self.build.constant(0.0))

    def truth(self, place: int) -> int:
        """A number as the condition that it is not 0."""
        if self.is_truth(place):
            return place
        return self.build.condition("ne", place, self.build.constant(0.0))


def _below(node: Node) -> Sequence[Node]:
    """An element is taken at once: its index is no number of the function."""
    if isinstance(node, Apply) and node.operation == "element":
        return ()
    if running(node) is not None:
        return children(node)[:1]
    return children(node)


def _exp2(build: Builder, u: int) -> int:
    return build.unary("exp", build.mul(u, build.unary("log", build.constant(2.0))))


def _log_to_base(base: float) -> Callable[[Builder, int], int]:
    return lambda build, u: build.div(build.unary("log", u), build.unary("log", build.constant(base)))


def _hypot(build: Builder, u: int, v: int) -> int:
    return build.power(build.add(build.power(u, 2), build.power(v, 2)), Fraction(1, 2))


def _logit(build: Builder, u: int) -> int:
    return build.sub(build.unary("log", u), build.unary("log1p", build.unary("neg", u)))


_REWRITTEN: dict[str, Callable[..., int]] = {
    "sqrt": lambda build, u: build.power(u, Fraction(1, 2)),
    "exp2": _exp2, "log2": _log_to_base(2.0), "log10": _log_to_base(10.0), "hypot": _hypot, "logit": _logit,
    "gammaln": lambda build, u: build.unary("lgamma", u),
    "expit": lambda build, u: build.unary("logistic", u),
}  # fmt: skip
"""Operations of the text in terms of those of `real`."""

_CONDITIONS: dict[str, Callable[..., int]] = {
    **{name: lambda build, u, v, name=name: build.condition(name, u, v) for name in ("lt", "le", "eq", "ne")},
    "gt": lambda build, u, v: build.condition("lt", v, u),
    "ge": lambda build, u, v: build.condition("le", v, u),
}
