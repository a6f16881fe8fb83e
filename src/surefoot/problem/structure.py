"""Moving numbers about: one home for what every reading of a real graph does with its `STRUCTURE` and its axes.

Arrays may have more axes in front than their node says (boxes, derivatives); those stay where they are. It works on
arrays of any kind: doubles, truth values, Python objects such as Arb balls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from surefoot.problem.real import Graph, Node


def move(node: Node, arrays: Sequence[np.ndarray], places: np.ndarray | None = None, lead: int = 0) -> np.ndarray:
    """The value of a node of `real.STRUCTURE`.

    Parameters
    ----------
    node : Node
        What to do.
    arrays : sequence of ndarray
        Values of the operands, each of shape lead axes + shape of the operand.
    places : ndarray of int, optional
        The places of a ``take`` (the constant of its digest).
    lead : int
        How many axes in front belong to nobody here.

    Returns
    -------
    ndarray, shape lead axes + node.shape
        A view where NumPy has one.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("a", "b", "c"))
    >>> node = build.nodes[build.reverse(build.input, (0,))]
    >>> move(node, [np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])], lead=1).tolist()
    [[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]
    """
    first = arrays[0]
    ahead = first.shape[:lead]
    match node.operation:
        case "reshape":
            return first.reshape(ahead + node.shape)
        case "transpose":
            return first.transpose(*range(lead), *(lead + axis for axis in node["axes"]))
        case "broadcast":
            wide = [1] * len(node.shape)
            for axis, length in zip(node["axes"], first.shape[lead:], strict=True):
                wide[axis] = length
            return np.broadcast_to(first.reshape(ahead + tuple(wide)), ahead + node.shape)
        case "slice":
            return first[(..., *(slice(*cut) for cut in node["cuts"]))] if node["cuts"] else first
        case "reverse":
            return np.flip(first, axis=tuple(lead + axis for axis in node["axes"]))
        case "concatenate":
            return np.concatenate(arrays, axis=lead + node["axis"])
        case "pad":
            return _padded(first, node, lead)
        case "take":
            assert places is not None
            flat = first.reshape((*ahead, math.prod(first.shape[lead:])))
            found = flat[..., np.maximum(places, 0)]
            return np.where(places < 0, _zero(first), found) if np.any(places < 0) else found
    raise ValueError(f"{node.operation} does more than move numbers.")


def origins(graph: Graph, node: Node) -> tuple[np.ndarray, np.ndarray]:
    """From where each entry of a node of `real.STRUCTURE` was moved.

    Parameters
    ----------
    graph : Graph
        Where the node and its operands stand.
    node : Node
        What moves numbers.

    Returns
    -------
    starts : ndarray of int, shape (number of operands + 1,)
        Where the entries of each operand begin if all are counted one after the other in row-major order.
    source : ndarray of int, in the node's shape
        Which of all those entries, counted from 1, each entry is; 0 for a zero that comes from nowhere.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("a", "b"))
    >>> twice = build.concatenate((build.input, build.reverse(build.input, (0,))), 0)
    >>> graph = build.graph(build.sum(twice))
    >>> origins(graph, graph.nodes[2])
    (array([0, 2, 4]), array([1, 2, 3, 4]))
    """
    sizes = [graph.nodes[k].size for k in node.operands]
    starts = np.cumsum([0, *sizes])
    numbered = [
        (1 + start + np.arange(size)).reshape(graph.nodes[k].shape)
        for k, start, size in zip(node.operands, starts[:-1], sizes, strict=True)
    ]
    places = graph.constants[node["digest"]] if node.operation == "take" else None
    return starts, np.asarray(move(node, numbered, places)).astype(np.int64)


def subscripts(node: Node, left: int, right: int) -> str:
    """What a ``dot`` node means to `numpy.einsum`, with ``...`` for the axes in front of both.

    Parameters
    ----------
    node : Node
        The contraction.
    left, right : int
        Numbers of axes of its operands.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("a", "b"))
    >>> product = build.dot(build.constant(np.eye(2)), build.input, ((1,), (0,)))
    >>> subscripts(build.nodes[product], 2, 1)
    '...ab,...b->...a'
    """
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    one = [next(letters) for _ in range(left)]
    other = [""] * right
    for mine, its in (node["contract"], node["batch"]):
        for a, b in zip(mine, its, strict=True):
            other[b] = one[a]
    other = [letter or next(letters) for letter in other]
    batch = [one[axis] for axis in node["batch"][0]]
    gone = {one[axis] for axis in node["contract"][0]} | set(batch)
    kept = [letter for letter in one if letter not in gone] + [letter for letter in other if letter not in gone]
    return f"...{''.join(one)},...{''.join(other)}->...{''.join(batch + kept)}"


def _padded(array: np.ndarray, node: Node, lead: int) -> np.ndarray:
    out = np.full(array.shape[:lead] + node.shape, _zero(array), dtype=array.dtype)
    cuts = tuple(
        slice(low, low + (length - 1) * (inner + 1) + 1 if length else low, inner + 1)
        for length, (low, _, inner) in zip(array.shape[lead:], node["widths"], strict=True)
    )
    out[(..., *cuts)] = array
    return out


def _zero(array: np.ndarray) -> Any:
    return False if array.dtype == bool else 0 if array.dtype == object else 0.0
