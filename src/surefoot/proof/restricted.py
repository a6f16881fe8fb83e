"""A function on a segment: a graph of one variable, exactly.

g(s) = f(p + s d),    d = q - p exactly,    g''(s) = d'H(p + s d)d
"""

from __future__ import annotations

import numpy as np

from surefoot.problem.real import Builder, Graph

_BITS = 44


def on_grid(p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both points moved to a grid on which their difference is a double; fixed where they are equal.

    Examples
    --------
    >>> p, q = on_grid(np.array([0.1]), np.array([1e9]))
    >>> bool((q - p)[0] == 1e9 - p[0])
    True
    """
    size = np.maximum(np.abs(p), np.abs(q))
    step = np.ldexp(1.0, np.maximum(np.frexp(size)[1] - _BITS, -1000))
    moved = [np.where(p == q, end, np.rint(end / step) * step) for end in (p, q)]
    return moved[0], moved[1]


def restricted(graph: Graph, p: np.ndarray, q: np.ndarray) -> Graph | None:
    """The function on the segment from p (s = 0) to q (s = 1); None where ``q - p`` is not a double.

    Examples
    --------
    >>> build = Builder(("x", "y"))
    >>> graph = build.graph(build.sum(build.power(build.input, 2)))
    >>> restricted(graph, np.zeros(2), np.ones(2)).names
    ('s',)
    """
    d = q - p
    back = d + p
    error = (d - (back - p)) + (p - (back - (back - p)))
    if not np.all(np.isfinite(d)) or np.any(back != q) or np.any(error != 0.0):
        return None
    build = Builder(("s",))
    s = build.broadcast(build.reshape(build.input, ()), (graph.size,), ())
    return composed(graph, build, build.add(build.mul(s, build.constant(d)), build.constant(p)))


def composed(graph: Graph, build: Builder, point: int) -> Graph:
    """The function of what a builder has made of its own variables.

    Parameters
    ----------
    graph : Graph
        Of n variables.
    build : Builder
        Of others.
    point : int
        The place of an array of shape (n,).
    """
    build.constants.update(graph.constants)
    new: list[int] = []
    for _, node in graph:
        if node.operation == "input":
            new.append(point)
            continue
        build.source = node.source
        operands = tuple(new[k] for k in node.operands)
        new.append(build.add_node(node.operation, operands, node.shape, **dict(node.settings)))
    return build.graph(new[graph.output])
