"""What can be known of a graph before any box: a form that derivatives are read from, and which variables matter where.

Products and extremes over axes become trees of those of two operands, so that every derivative is one of at most two
operands. The plan of a graph is kept, as a search reads the same graph thousands of times.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from surefoot.problem.real import CONDITIONS, LINEAR, STRUCTURE, Builder, Graph, Node
from surefoot.problem.structure import origins

Array = np.ndarray

KEPT = 32
"""Plans that are kept."""

_PAIRS = {"prod": "mul", "max": "maximum", "min": "minimum"}


@dataclass(frozen=True, eq=False)
class Uses:
    """Which elements of a moved array came from an operand, in the order of their places there.

    Attributes
    ----------
    elements, places : ndarray of int, shape (uses,)
        Elements of the result, and where in the operand each came from; places may repeat.
    ranks : ndarray of int, shape (uses,)
        How many came from the same place before.
    """

    elements: Array
    places: Array
    ranks: Array

    @classmethod
    def of(cls, came: Array) -> Uses:
        """From where each element came from, -1 for nowhere."""
        flat = came.reshape(-1)
        used = np.flatnonzero(flat >= 0)
        elements = used[np.argsort(flat[used], kind="stable")]
        places = flat[elements]
        first = np.searchsorted(places, places, side="left")
        return cls(elements, places, np.arange(len(places)) - first)


@dataclass(frozen=True, eq=False)
class Plan:
    """A graph for derivatives.

    Attributes
    ----------
    source, graph : Graph
        What was asked for, and the same function without products and extremes over axes.
    depends : tuple of bool
        Whether each node depends on the variables.
    support : tuple of ndarray of int
        The variables that each node depends on.
    needed : tuple of bool
        Whether its derivatives by the variables are needed: something that bends is made of it.
    bent : tuple of bool
        Whether each node has second derivatives by its operands.
    uses : tuple of tuple of Uses
        For nodes of `STRUCTURE`, for each operand: what its elements are used for.
    unpacked : ndarray of int, shape (n, n)
        Place of each entry of a symmetric matrix in its packed upper triangle.
    """

    source: Graph
    graph: Graph
    depends: tuple[bool, ...]
    support: tuple[Array, ...]
    needed: tuple[bool, ...]
    bent: tuple[bool, ...]
    uses: tuple[tuple[Uses, ...], ...]
    unpacked: Array


_PLANS: OrderedDict[int, Plan] = OrderedDict()


def plan_of(graph: Graph) -> Plan:
    """The plan of a graph, made once."""
    found = _PLANS.get(id(graph))
    if found is None or found.source is not graph:
        found = _planned(graph)
        _PLANS[id(graph)] = found
        while len(_PLANS) > KEPT:
            _PLANS.popitem(last=False)
    return found


def _planned(source: Graph) -> Plan:
    graph = in_pairs(source)
    support: list[Array] = []
    for _, node in graph:
        support.append(_support(graph, node, support))
    depends = [len(variables) > 0 for variables in support]  # zeros taken of what varies do not
    return Plan(
        source, graph, tuple(depends), tuple(support), tuple(_needed(graph, depends)),
        tuple(is_bent(node, depends) for node in graph.nodes),
        tuple(
            tuple(map(Uses.of, _origins(graph, node))) if node.operation in STRUCTURE else () for node in graph.nodes
        ),
        _packing(graph.size),
    )  # fmt: skip


def in_pairs(graph: Graph) -> Graph:
    """The same function with products and extremes over axes as trees of pairs."""
    if not any(node.operation in _PAIRS for node in graph.nodes):
        return graph
    build = Builder(graph.names)
    new: list[int] = []
    for node in graph.nodes:
        build.source = node.source
        operands = tuple(new[k] for k in node.operands)
        if node.operation == "input":
            new.append(build.input)
        elif node.operation in _PAIRS:
            new.append(_tree(build, node, operands[0]))
        else:
            new.append(build.add_node(node.operation, operands, node.shape, **dict(node.settings)))
    build.constants.update(graph.constants)
    build.notes.extend(graph.notes)
    return build.graph(new[graph.output])


def _tree(build: Builder, node: Node, u: int) -> int:
    """Pairs of halves along each axis in turn."""
    shape = list(build.shape(u))
    for axis in node["axes"]:
        if shape[axis] == 0:
            return build.constant(np.ones(node.shape))  # only an empty product has a value
        while shape[axis] > 1:
            half = shape[axis] // 2
            first, second = (_part(build, u, axis, k * half, (k + 1) * half) for k in range(2))
            joined = build.binary(_PAIRS[node.operation], first, second)
            if shape[axis] % 2:
                joined = build.concatenate([joined, _part(build, u, axis, 2 * half, shape[axis])], axis)
            u = joined
            shape = list(build.shape(u))
    return build.reshape(u, node.shape)


def _part(build: Builder, u: int, axis: int, start: int, stop: int) -> int:
    shape = build.shape(u)
    starts = [0] * len(shape)
    stops = list(shape)
    starts[axis], stops[axis] = start, stop
    return build.slice(u, starts, stops)


def _support(graph: Graph, node: Node, before: list[Array]) -> Array:
    if node.operation == "input":
        return np.arange(graph.size)
    if not node.operands:
        return np.arange(0)
    if node.operation in STRUCTURE and node.operation != "broadcast" and node.operands == (0,):
        came = _origins(graph, node)[0]
        return np.unique(came[came >= 0])
    found = before[node.operands[0]]
    for k in node.operands[1:]:
        if before[k] is not found and not np.array_equal(before[k], found):
            found = np.union1d(found, before[k])
    return found


FLAT = ("abs", "sign", "floor", "ceil", "round", "maximum", "minimum", "where", "unknown")
"""Operations whose own second derivatives are 0 where they have any."""


def is_bent(node: Node, depends: Sequence[bool]) -> bool:
    """Whether an operation has second derivatives by operands that depend on the variables."""
    if node.operation in LINEAR or node.operation in FLAT or node.operation in CONDITIONS or not node.operands:
        return False
    if node.operation in ("mul", "dot"):
        return depends[node.operands[0]] and depends[node.operands[1]]
    if node.operation == "div":
        return depends[node.operands[1]]
    return any(depends[k] for k in node.operands)


def _needed(graph: Graph, depends: Sequence[bool]) -> list[bool]:
    needed = [False] * len(graph.nodes)
    for place in range(len(graph.nodes) - 1, -1, -1):
        node = graph.nodes[place]
        if node.operation in CONDITIONS:
            continue
        if is_bent(node, depends) or needed[place]:
            for k in node.operands:
                needed[k] = needed[k] or depends[k]
        if node.operation == "logsumexp":
            needed[place] = depends[place]
    return needed


def _origins(graph: Graph, node: Node) -> tuple[Array, ...]:
    """Where in each operand, counted in row-major order, each element of a moved array came from."""
    if node.operation == "broadcast":
        return ()
    starts, source = origins(graph, node)
    return tuple(
        np.where((source > start) & (source <= stop), source - 1 - start, -1) for start, stop in pairwise(starts)
    )


def _packing(n: int) -> Array:
    rows, columns = np.triu_indices(n)
    found = np.zeros((n, n), dtype=int)
    found[rows, columns] = found[columns, rows] = np.arange(len(rows))
    return found
