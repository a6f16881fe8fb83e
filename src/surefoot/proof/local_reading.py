"""Value, gradient and Hessian of a graph over small boxes, as a proof about a point needs them.

A box with a zero width may meet only one branch of a ``where``, and says nothing of what is next to it. So what is
claimed of a point is claimed of a box around it: smooth means twice continuously differentiable there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.problem.real import Graph
from surefoot.proof.ball_matrix import Ball
from surefoot.proof.interval import Interval, Truth
from surefoot.proof.jets import second_order
from surefoot.proof.replay import enclose, enclose_nodes

LARGEST = 3e7
"""Most numbers that derivatives over one box may take."""

KINKED = {"abs": "abs", "sign": "sign", "floor": "floor", "ceil": "ceil", "round": "round", "cbrt": "cbrt"}


class Unread(Exception):
    """A sentence: why the derivatives of the graph are not to be had."""


@dataclass(frozen=True)
class Local:
    """What is known of f on one box.

    Attributes
    ----------
    value : pair of floats
        Every value of f there.
    gradient : Ball (n,)
    hessian : Ball (n, n)
        Every gradient and Hessian there, if ``smooth``.
    slopes : pair of ndarray (n,)
        Lower and upper ends of the gradient.
    defined, continuous, smooth : bool
        Throughout the box, proven.
    """

    value: tuple[float, float]
    gradient: Ball
    hessian: Ball
    slopes: tuple[np.ndarray, np.ndarray]
    defined: bool
    continuous: bool
    smooth: bool


def cost(graph: Graph) -> float:
    """Numbers that derivatives take: every value by every variable, and a Hessian."""
    return float(sum(node.size for node in graph.nodes)) * graph.size + graph.size**2


def look(graph: Graph, low: np.ndarray, high: np.ndarray, order: int = 2) -> list[Local]:
    """What is known on each of several boxes, whose ends are arrays of shape (B, n); Hessians only in order 2.

    Raises
    ------
    Unread
        An operation has no enclosure, or second derivatives would take too much memory.
    """
    if cost(graph) * len(low) > LARGEST:
        if len(low) > 1:
            return [found for a, b in zip(low, high, strict=True) for found in look(graph, a[None], b[None], order)]
        raise Unread(
            f"derivatives in {graph.size:,} variables would take {cost(graph):.1g} numbers a box, too many here"
        )
    jet = second_order(graph, Interval(low, high), order)
    if jet.lacking:
        raise Unread(f"there is no enclosure of {jet.lacking}")
    value, gradient, hessian = jet.value, jet.gradient, jet.hessian
    return [
        Local(
            (float(value.lo[b]), float(value.hi[b])),
            Ball.between(gradient.lo[b], gradient.hi[b]),
            _symmetric(hessian.lo[b], hessian.hi[b]) if order > 1 else Ball(hessian.lo[b], hessian.hi[b]),
            (np.array(gradient.lo[b]), np.array(gradient.hi[b])),
            bool(jet.defined[b]),
            bool(jet.continuous[b] & jet.defined[b]),
            bool(jet.smooth[b] & jet.defined[b]),
        )
        for b in range(len(low))
    ]


def _symmetric(low: np.ndarray, high: np.ndarray) -> Ball:
    """A Hessian is symmetric: what is known of one of two equal entries is known of the other."""
    return Ball.between(np.maximum(low, low.T), np.minimum(high, high.T))


def values(graph: Graph, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower and upper ends of f on each box, and whether it is defined throughout; what cannot be read is unbounded.

    Raises
    ------
    Unread
        An operation has no enclosure.
    """
    found = enclose(graph, Interval(low, high))
    if found.lacking:
        raise Unread(f"there is no enclosure of {found.lacking}")
    return found.value.lo, found.value.hi, np.asarray(found.defined)


def kink(graph: Graph, low: np.ndarray, high: np.ndarray) -> str:
    """The first operation that is not smooth on a box, in words; empty if none is found.

    A hint for a person: nothing is proven by it.
    """
    try:
        read = enclose_nodes(graph, Interval(low, high))
    except Exception:
        return ""
    for node in graph.nodes:
        ends = [read[j] for j in node.operands]
        numbers = [end for end in ends if isinstance(end, Interval)]
        met = False
        if node.operation in KINKED and numbers:
            met = bool(np.any((numbers[0].lo <= 0) & (numbers[0].hi >= 0)))
            met |= node.operation in ("floor", "ceil", "round") and bool(np.any(numbers[0].lo < numbers[0].hi))
        elif node.operation in ("maximum", "minimum") and len(numbers) == 2:
            one, other = numbers
            met = bool(np.any((one.lo <= other.hi) & (other.lo <= one.hi)))
        elif node.operation == "where" and isinstance(ends[0], Truth):
            met = not bool(np.all(ends[0].decided))
        elif node.operation in ("max", "min"):
            met = True
        elif node.operation == "power" and node["exponent"].denominator != 1 and numbers:
            met = bool(np.any(numbers[0].lo <= 0))
        elif node.operation in ("log", "log1p", "div") and numbers:
            last = numbers[-1]
            edge = -1.0 if node.operation == "log1p" else 0.0
            met = bool(np.any((last.lo <= edge) & (last.hi >= edge)))
        if met:
            return f"{node.operation}{f' in {node.source}' if node.source else ''}"
    return ""
