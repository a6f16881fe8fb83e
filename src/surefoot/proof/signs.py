"""Which signs the weights have with which the elements of a graph enter its value, as far as it is linear in them.

Backward from the value through linear operations: ``f = sum of w_k u_k``; only whether a weight can be positive, or
negative, is followed. The operations at which it stops are those that are not linear.
"""

from __future__ import annotations

import numpy as np

from surefoot.problem.real import STRUCTURE, Graph, Node
from surefoot.problem.structure import origins, subscripts

Weights = tuple[np.ndarray, np.ndarray]
"""Where a weight can be positive, and where it can be negative: arrays of bool in the shape of the node."""


def weights_of(graph: Graph, affine: list[bool]) -> dict[int, Weights]:
    """The nodes that are not linear, not affine, and enter the value: with the signs of their weights.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x", "y"))
    >>> value = build.unary("neg", build.sum(build.unary("exp", build.input)))
    >>> found = weights_of(build.graph(value), [True, False, False, False])
    >>> [(up.tolist(), down.tolist()) for up, down in found.values()]
    [([False, False], [True, True])]
    """
    found: dict[int, Weights] = {graph.output: (np.array(True), np.array(False))}
    atoms: dict[int, Weights] = {}
    for place in range(graph.output, -1, -1):
        if place not in found or affine[place]:
            continue
        passed = _passed(graph, graph.nodes[place], found[place])
        if passed is None:
            atoms[place] = found[place]
            continue
        for k, weights in passed:
            if k in found:
                weights = (found[k][0] | weights[0], found[k][1] | weights[1])
            found[k] = weights
    return atoms


def _passed(graph: Graph, node: Node, weights: Weights) -> list[tuple[int, Weights]] | None:
    """What the operands of a linear operation get; None if it is not linear."""
    up, down = weights
    operation, operands = node.operation, node.operands
    if operation == "neg":
        return [(operands[0], (down, up))]
    if operation == "add":
        return [(operands[0], weights), (operands[1], weights)]
    if operation == "sub":
        return [(operands[0], weights), (operands[1], (down, up))]
    if operation == "sum":
        shape = graph.nodes[operands[0]].shape
        wide = [np.broadcast_to(np.expand_dims(one, node["axes"]), shape) for one in weights]
        return [(operands[0], (wide[0], wide[1]))]
    if operation in STRUCTURE:
        return _back(graph, node, weights)
    for k in (0, 1) if operation in ("mul", "div", "dot") else ():
        value = graph.value(operands[k])
        if value is None or (operation == "div" and k == 0) or value.dtype == bool:
            continue
        if not np.all(np.isfinite(value)) or (operation == "div" and np.any(value == 0)):
            return None
        if operation in ("mul", "div"):
            return [
                (
                    operands[1 - k],
                    ((up & (value > 0)) | (down & (value < 0)), (down & (value > 0)) | (up & (value < 0))),
                )
            ]
        return [(operands[1 - k], _contracted(graph, node, k, value, weights))]
    return None


def _back(graph: Graph, node: Node, weights: Weights) -> list[tuple[int, Weights]]:
    """Numbers that were moved about, moved back."""
    starts, source = origins(graph, node)
    where, back = source.ravel(), []
    for one in weights:
        flat = np.zeros(1 + int(starts[-1]), dtype=bool)
        flat[where[np.ravel(one)]] = True
        back.append(flat[1:])
    return [
        (k, (back[0][start:stop].reshape(graph.nodes[k].shape), back[1][start:stop].reshape(graph.nodes[k].shape)))
        for k, start, stop in zip(node.operands, starts[:-1], starts[1:], strict=True)
    ]


def _contracted(graph: Graph, node: Node, k: int, value: np.ndarray, weights: Weights) -> Weights:
    shapes = [graph.nodes[j].shape for j in node.operands]
    left, result = subscripts(node, len(shapes[0]), len(shapes[1])).replace("...", "").split("->")
    one, other = left.split(",")
    mine, its = (one, other) if k == 0 else (other, one)

    def any_of(factor: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return np.einsum(f"{mine},{result}->{its}", factor.astype(float), weight.astype(float), optimize=True) > 0

    up, down = weights
    return (
        any_of(value > 0, up) | any_of(value < 0, down),
        any_of(value > 0, down) | any_of(value < 0, up),
    )
