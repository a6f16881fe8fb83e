"""The NumPy reading of a real graph: floating-point values at many points at once, for sampling. It proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from surefoot.problem.real import POWER, STRUCTURE, Graph, Node
from surefoot.problem.structure import move, subscripts

Array = np.ndarray


def value(graph: Graph, x: Array) -> Array:
    """The function at points.

    Parameters
    ----------
    graph : Graph
    x : ndarray, shape (..., n)
        Points.

    Returns
    -------
    ndarray, shape (...)
        NaN or infinite where the function is not defined, NaN where it meets what is unknown.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("a", "b"))
    >>> graph = build.graph(build.sum(build.power(build.input, 2)))
    >>> value(graph, np.array([[3.0, 4.0], [0.0, 1.0]]))
    array([25.,  1.])
    """
    return values(graph, x)[graph.output]


def values(graph: Graph, x: Array) -> list[Array]:
    """The value of each node at points: arrays of shape (..., shape of the node), constants without the first axes."""
    x = np.asarray(x, dtype=float)
    lead = x.ndim - 1
    depends = graph.depends()
    found: list[Array] = []
    with np.errstate(all="ignore"):
        for place, node in graph:
            ahead = lead if depends[place] else 0
            operands = [found[k] for k in node.operands]
            if ahead:  # what does not depend on the points joins in with axes of length 1
                operands = [
                    one if depends[k] else one.reshape((1,) * lead + one.shape)
                    for k, one in zip(node.operands, operands, strict=True)
                ]
            found.append(_node(graph, place, node, operands, x, ahead))
    if not depends[graph.output]:
        found[graph.output] = np.broadcast_to(found[graph.output], x.shape[:-1])
    return found


def _node(graph: Graph, place: int, node: Node, operands: Sequence[Array], x: Array, lead: int) -> Array:
    operation = node.operation
    if operation == "input":
        return x
    if operation == "constant":
        return graph.constants[node["digest"]]
    if operation in STRUCTURE:
        if operation == "concatenate" and lead:
            ahead = np.broadcast_shapes(*(one.shape[:lead] for one in operands))
            operands = [np.broadcast_to(one, ahead + one.shape[lead:]) for one in operands]
        places = graph.constants[node["digest"]] if operation == "take" else None
        return move(node, operands, places, lead)
    if operation == POWER:
        return _power(operands[0], node["exponent"])
    if operation == "dot":
        left, right = (len(graph.nodes[k].shape) for k in node.operands)
        return np.einsum(subscripts(node, left, right), *operands, optimize=True)
    if operation == "cumsum":
        return _cumsum(operands[0], lead + node["axis"], node["reverse"])
    if operation in _OVER:
        return _OVER[operation](operands[0], tuple(lead + axis for axis in node["axes"]))
    if operation == "where":
        return np.where(*operands)
    if operation == "unknown":
        return np.full((1,) * lead + node.shape, np.nan)
    rule = _NUMPY.get(operation)
    return rule(*operands) if rule is not None else getattr(np, operation)(*operands)


def _power(u: Array, exponent: Any) -> Array:
    if exponent.denominator == 1 and abs(exponent) <= 2:
        return {0: np.ones_like, 1: np.asarray, 2: np.square, -1: np.reciprocal, -2: lambda u: 1 / (u * u)}[
            int(exponent)
        ](u)
    return np.sqrt(u) if exponent * 2 == 1 else np.power(u, float(exponent))


def _cumsum(u: Array, axis: int, reverse: bool) -> Array:
    return np.flip(np.cumsum(np.flip(u, axis), axis), axis) if reverse else np.cumsum(u, axis)


def _logsumexp(u: Array, axes: tuple[int, ...]) -> Array:
    top = np.max(u, axis=axes, keepdims=True)
    return np.squeeze(top + np.log(np.sum(np.exp(u - top), axis=axes, keepdims=True)), axis=axes)


_OVER: dict[str, Callable[..., Array]] = {
    "sum": lambda u, axes: np.sum(u, axis=axes), "prod": lambda u, axes: np.prod(u, axis=axes),
    "max": lambda u, axes: np.max(u, axis=axes), "min": lambda u, axes: np.min(u, axis=axes), "logsumexp": _logsumexp,
}  # fmt: skip


def _special(name: str) -> Callable[..., Array]:
    def read(u: Array) -> Array:
        from scipy import special

        return getattr(special, name)(u)

    return read


_NUMPY: dict[str, Callable[..., Array]] = {
    "neg": np.negative, "round": np.rint, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "pow": np.power,
    "lt": np.less, "le": np.less_equal, "eq": np.equal, "ne": np.not_equal, "and": np.logical_and,
    "or": np.logical_or, "not": np.logical_not, "softplus": lambda u: np.logaddexp(u, 0.0),
    "logistic": _special("expit"), "erf": _special("erf"), "erfc": _special("erfc"), "lgamma": _special("gammaln"),
    "digamma": _special("digamma"), "log_ndtr": _special("log_ndtr"),
}  # fmt: skip
