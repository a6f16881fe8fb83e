"""Vectors in a graph: how long they are, whole vectors written out as sums, and sums written out as terms.

``sum(x^2)`` says what is added once ``x`` is known to have ten numbers: ``sum(x[i]^2, i=0..9)``. After `with_sizes` a
graph has elements and sums over indices only, so that every reading needs to know just these. A reading that knows no
arrays can take `expanded`, where ``x[3]`` is a variable of that name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from surefoot.errors import SurefootError
from surefoot.problem import indices
from surefoot.problem.graph import WHOLE, Apply, Index, Name, Node, Number, fold, number, running, walk


class VectorError(SurefootError, ValueError):
    """A vector stands where a number should, or the other way round; `name` is the variable to blame."""

    def __init__(self, reason: str, name: str = "") -> None:
        self.name = name
        super().__init__(reason)


def elements_used(node: Node) -> dict[str, frozenset[int] | None]:
    """The variables in order of first appearance: which elements of it are used, None for one used without an index.

    Raises
    ------
    VectorError
        A name is used with an index in one place and without in another, which only sizes could make sense of.

    Examples
    --------
    >>> from surefoot.problem.grammar import parse_function
    >>> elements_used(parse_function("y + sum(x[i], i=1..3)"))
    {'y': None, 'x': frozenset({1, 2, 3})}
    """
    found: dict[str, set[int] | None] = {}
    inside = {}
    for part in walk(node):
        if isinstance(part, Apply) and part.operation == "element" and isinstance(part.arguments[0], Name):
            inside.setdefault(part.arguments[0].name, set()).update(
                indices.positions(part.arguments[1]).ravel().tolist()
            )
    for part in walk(node):
        if isinstance(part, Name):
            found[part.name] = inside.get(part.name)
    alone = {part.name for part in _outside(node)} & set(inside)
    if alone:
        name = min(alone)
        raise VectorError(f"{name} stands with an index in one place and without in another.", name)
    return {name: None if used is None else frozenset(used) for name, used in found.items()}


class _Sized(NamedTuple):
    node: Node
    size: int | None  # how many numbers, None for one that is no vector


def with_sizes(node: Node, sizes: Mapping[str, int | None]) -> Node:
    """The same function with every whole vector written out over an index.

    Parameters
    ----------
    node : Node
        As `parse_function` gives it.
    sizes : mapping of str to int or None
        How many numbers a variable has; None for a single number. A name that is not here is a constant.

    Raises
    ------
    VectorError
        Vectors of different sizes meet, a single number is used as a vector, a vector as a single number, or an index
        is beyond the end.

    Examples
    --------
    >>> from surefoot.problem.grammar import parse_function, to_text
    >>> to_text(with_sizes(parse_function("norm(x) + dot(x, y)"), {"x": 3, "y": 3}))
    'sqrt(sum(x[i]^2, i=0..2)) + sum(x[i]*y[i], i=0..2)'
    """
    taken = {part.name for part in walk(node) if isinstance(part, Name | Index)}
    index_name = next(name for name in (*"ijkl", *(f"i{k}" for k in range(len(taken) + 1))) if name not in taken)

    def rule(current: Node, operands: Sequence[_Sized]) -> _Sized:
        if isinstance(current, Name):
            size = sizes.get(current.name)
            if size is None:
                return _Sized(current, None)
            return _Sized(Apply("element", (current, Index(index_name, 0, size - 1))), size)
        if not isinstance(current, Apply):
            return _Sized(current, None)
        if current.operation == "element":
            return _Sized(_checked_element(current, sizes), None)
        size = _common_size(current, [operand.size for operand in operands])
        nodes = tuple(operand.node for operand in operands)
        if current.operation in WHOLE and running(current) is None:
            if size is None:
                raise VectorError(
                    f"{current.operation}(...) takes whole vectors, and there is none in it.", _first(current)
                )
            return _Sized(_written_out(current.operation, nodes, Index(index_name, 0, size - 1)), None)
        return _Sized(Apply(current.operation, nodes), size)

    found = fold(node, rule)
    if found.size is not None:
        name = next((part.name for part in walk(node) if isinstance(part, Name) and sizes.get(part.name)), "")
        reason = f"{name} is a vector of {found.size} numbers, so this is no single value"
        raise VectorError(f"{reason}; write {name}[0] or put it into sum(...), mean(...) or norm(...).", name)
    return found.node


def expanded(node: Node) -> Node:
    """The same function without indices: sums as chains of terms, and ``x[3]`` as a variable of that name.

    Examples
    --------
    >>> from surefoot.problem.grammar import parse_function, to_text
    >>> to_text(expanded(parse_function("sum(i*x[i]^2, i=1..2)")))
    '1*`x[1]`^2 + 2*`x[2]`^2'
    """
    axis = indices.axes(node)

    def rule(current: Node, operands: Sequence[Any]) -> Any:
        if isinstance(current, Index):
            return _nodes([number(value) for value in range(current.first, current.last + 1)], axis[current])
        if isinstance(current, Apply) and current.operation == "element":
            name = current.arguments[0].name if isinstance(current.arguments[0], Name) else ""
            return np.frompyfunc(lambda k: Name(f"{name}[{k}]"), 1, 1)(indices.positions(current.arguments[1], axis))
        index = running(current)
        if index is not None and isinstance(current, Apply):
            return _chain("add" if current.operation == "sum" else "mul", operands[0], len(index), axis[index])
        if isinstance(current, Apply) and operands:
            return np.frompyfunc(lambda *parts: Apply(current.operation, parts), len(operands), 1)(*operands)
        return current

    found = fold(node, rule)
    return found.item() if isinstance(found, np.ndarray) else found


def _chain(operation: str, term: Any, count: int, axis: int) -> Any:
    """The terms along an axis joined from left to right."""
    join = np.frompyfunc(lambda one, other: Apply(operation, (one, other)), 2, 1)
    varies = isinstance(term, np.ndarray) and term.ndim > axis and term.shape[-1 - axis] == count
    terms = np.split(term, count, axis=-1 - axis) if varies else [term] * count
    total = terms[0]
    for other in terms[1:]:
        total = join(total, other)
    return total


def _nodes(nodes: Sequence[Node], axis: int) -> np.ndarray:
    array = np.empty(len(nodes), dtype=object)
    array[:] = nodes
    return array.reshape(-1, *[1] * axis)


def _written_out(operation: str, nodes: tuple[Node, ...], index: Index) -> Node:
    two = Number(2.0, "2")
    if operation == "dot":
        return Apply("sum", (Apply("mul", nodes), index))
    if operation == "norm":
        return Apply("sqrt", (Apply("sum", (Apply("pow", (nodes[0], two)), index)),))
    if operation == "mean":
        return Apply("div", (Apply("sum", (nodes[0], index)), number(len(index))))
    return Apply(operation, (nodes[0], index))


def _checked_element(node: Apply, sizes: Mapping[str, int | None]) -> Node:
    vector = node.arguments[0]
    name = vector.name if isinstance(vector, Name) else ""
    size = sizes.get(name)
    if size is None:
        raise VectorError(f"{name} is a single number, so {name}[...] has no meaning; write {name}.", name)
    furthest = int(indices.positions(node.arguments[1]).max())
    if furthest >= size:
        reason = f"{name}[{furthest}] is beyond the end: {name} has {size} numbers, {name}[0] to {name}[{size - 1}]."
        raise VectorError(reason, name)
    return node


def _common_size(node: Apply, found: Sequence[int | None]) -> int | None:
    different = sorted({size for size in found if size is not None})
    if len(different) > 1:
        reason = f"A vector of {different[0]} numbers meets one of {different[1]}; they must have the same length."
        raise VectorError(reason, _first(node))
    return different[0] if different else None


def _first(node: Node) -> str:
    return next((part.name for part in walk(node) if isinstance(part, Name)), "")


def _outside(node: Node) -> list[Name]:
    """The names that stand without an index somewhere."""

    def below(current: Node) -> Sequence[Node]:
        if not isinstance(current, Apply):
            return ()
        return current.arguments[1:] if current.operation == "element" else current.arguments

    return [part for part in walk(node, below) if isinstance(part, Name)]
