"""Chains: arrays whose every element is a function of one affine number, phi_i(t_i), t_i = a_i'x + b_i.

What lies between an affine node and a later one, elementwise, is fused to a small graph of its own with the variables
(t, c_1, ..., c_k): c are the constants that differ from element to element, such as responses in a loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np

from surefoot.problem.real import BINARY, CONDITIONS, LINEAR, POWER, UNARY, Builder, Graph, Node
from surefoot.proof.exact_doubles import TooMuchError

Read = TypeVar("Read")

_IDENTITIES = ("reshape", "broadcast", "transpose", "sum", "prod", "max", "min", "logsumexp", "reverse", "cumsum")
"""What does nothing to a single number."""


@dataclass(frozen=True)
class Chain:
    """A fused array.

    Attributes
    ----------
    graph : Graph
        Of the variables t, c_1, ..., c_k: a number.
    root : int
        The affine node in the graph that it was taken from.
    constants : ndarray, shape (size of the array, k)
        The values of c for every element.
    """

    graph: Graph
    root: int
    constants: np.ndarray


def affine_nodes(graph: Graph) -> list[bool]:
    """Which nodes are affine, or constant, by what they are made of; defined everywhere, with finite numbers."""
    found: list[bool] = []
    values = [graph.value(place) for place in range(len(graph.nodes))]
    for place, node in graph:
        value = values[place]
        if value is not None:
            found.append(value.dtype != bool and bool(np.all(np.isfinite(value))))
        elif node.operation == "div":
            divisor = values[node.operands[1]]
            proper = divisor is not None and bool(np.all(np.isfinite(divisor) & (divisor != 0)))
            found.append(found[node.operands[0]] and proper)
        elif node.operation in ("mul", "dot"):
            constant = any(values[k] is not None for k in node.operands)
            found.append(constant and all(found[k] for k in node.operands))
        else:
            linear = node.operation == "input" or node.operation in LINEAR
            found.append(linear and all(found[k] for k in node.operands))
    return found


def chain_of(graph: Graph, place: int, affine: list[bool]) -> Chain | None:
    """The chain that ends at a node; None if it depends on more than one affine number, or on none."""
    for stop in (lambda k: affine[k], lambda k: False):
        found = _fused(graph, place, affine, stop)
        if found is not None:
            return found
    return None


def _fused(graph: Graph, place: int, affine: list[bool], stop: Callable[[int], bool]) -> Chain | None:
    size = graph.nodes[place].size
    inner: set[int] = set()
    leaves: set[int] = set()
    todo = [place]
    while todo:
        k = todo.pop()
        if k in inner or k in leaves or graph.value(k) is not None:
            continue
        node = graph.nodes[k]
        if node.size == size and not stop(k) and _is_elementwise(graph, node, graph.nodes[place].shape):
            inner.add(k)
            todo += node.operands
        else:
            leaves.add(k)
    if len(leaves) != 1:
        return None
    (root,) = leaves
    if not affine[root] or graph.nodes[root].size != size or root == place:
        return None
    return _drawn(graph, place, root, inner)


def _is_elementwise(graph: Graph, node: Node, shape: tuple[int, ...]) -> bool:
    if node.size == 1 and node.operation in _IDENTITIES:
        return graph.nodes[node.operands[0]].size == 1
    elementwise = node.operation in (*UNARY, *BINARY, POWER, *CONDITIONS, "where")
    return elementwise and (node.shape == shape or node.size == 1)


def _drawn(graph: Graph, place: int, root: int, inner: set[int]) -> Chain | None:
    """The small graph."""
    size = graph.nodes[place].size
    needed = {k for one in inner for k in graph.nodes[one].operands if graph.value(k) is not None}
    columns: list[np.ndarray] = []
    varying: dict[int, int] = {}
    for k in sorted(needed):
        value = graph.value(k)
        assert value is not None
        if value.size != size and value.size != 1:
            return None
        if value.dtype != bool and not np.all(np.isfinite(value)):
            return None
        if not np.all(value == value.ravel()[0]):
            varying[k] = len(columns)
            columns.append(value.ravel().astype(float))
    build = Builder(("t", *(f"c{j + 1}" for j in range(len(columns)))))
    t, *others = (build.reshape(build.slice(build.input, (j,), (j + 1,)), ()) for j in range(1 + len(columns)))
    new: dict[int, int] = {root: t}
    for k in sorted(needed | inner):
        value = graph.value(k)
        node = graph.nodes[k]
        build.source = node.source
        if k in varying:
            column = others[varying[k]]
            bool_column = value is not None and value.dtype == bool
            new[k] = build.condition("ne", column, build.constant(0.0)) if bool_column else column
        elif value is not None:
            new[k] = build.constant(value.ravel()[0])
        else:
            new[k] = redraw(build, node, [new[j] for j in node.operands])
    constants = np.stack(columns, axis=1) if columns else np.zeros((size, 0))
    return Chain(build.graph(new[place]), root, constants)


def read_chain(
    graph: Graph,
    leaves: Sequence[Read],
    constant: Callable[[Fraction], Read],
    rule: Callable[[Node, Sequence[Read]], Read],
) -> Read:
    """What the graph of a chain is in some algebra.

    Parameters
    ----------
    graph : Graph
        Of t and numbers that are constant.
    leaves : sequence
        What t and each of these numbers are.
    constant : callable
        What a number is that stands in the graph.
    rule : callable
        What a node is, of all that was read before it, by place.

    Raises
    ------
    TooMuchError
        A constant is no number.

    Examples
    --------
    >>> build = Builder(("t",))
    >>> t = build.reshape(build.slice(build.input, (0,), (1,)), ())
    >>> graph = build.graph(build.add(t, build.constant(2.0)))
    >>> read_chain(graph, ["t"], str, lambda node, found: " + ".join(found[k] for k in node.operands))
    't + 2'
    """
    found: list[Read] = []
    for place, node in graph:
        if node.operation == "input":
            found.append(leaves[0])
        elif node.operation == "slice":  # of the input
            found.append(leaves[node["cuts"][0][0]])
        elif node.operation == "constant":
            value = graph.value(place)
            if value is None or value.dtype == bool or not np.isfinite(value.ravel()[0]):
                raise TooMuchError("A constant that is no number.")
            found.append(constant(Fraction(float(value.ravel()[0]))))
        elif node.operation in ("reshape", "broadcast"):
            found.append(found[node.operands[0]])
        else:
            found.append(rule(node, found))
    return found[graph.output]


def redraw(build: Builder, node: Node, operands: list[int]) -> int:
    """An elementwise node again, of numbers."""
    if node.operation in UNARY:
        return build.unary(node.operation, *operands)
    if node.operation == POWER:
        return build.power(operands[0], node["exponent"])
    if node.operation in BINARY:
        return build.binary(node.operation, *operands)
    if node.operation in CONDITIONS:
        return build.condition(node.operation, *operands)
    if node.operation == "where":
        return build.where(*operands)
    return operands[0]
