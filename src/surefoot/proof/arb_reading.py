"""Reads a real graph in Arb balls of any precision, with first and second derivatives: the second opinion.

It shares nothing with the reading in intervals of doubles: derivatives go forward, each node carrying its own,

    value, g, H of a node  =  the chain rule to second order over those of its operands        (`arb_operations`)

so it is slow where there are many variables, and tight at points. A ball that is NaN says that nothing is known: the
function is not defined there, a condition is not decided, or a derivative is asked for at a kink.

Reference: Johansson (2017), "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic", IEEE Trans.
Computers 66(8), pp. 1281-1292; Griewank & Walther (2008), "Evaluating Derivatives", 2nd ed., SIAM, section 13.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from surefoot.problem.real import Graph
from surefoot.proof.arb_operations import Balls, Known, constant_balls, input_balls, node_balls


@dataclass(frozen=True)
class ArbJet:
    """A function and its derivatives at a point or over a box.

    Attributes
    ----------
    value : arb
    gradient : ndarray of arb, shape (n,)
    hessian : ndarray of arb, shape (n, n)
        Empty where they were not asked for; NaN where nothing is known.
    """

    value: Any
    gradient: Balls
    hessian: Balls


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Arb's working precision, put back afterwards."""
    from flint import ctx

    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def ball(lo: float | Fraction, hi: float | Fraction | None = None) -> Any:
    """A ball around a number, exact if that is a double, or around an interval.

    Examples
    --------
    >>> bool(ball(0.0, 1.0).contains(ball(Fraction(1, 3))))
    True
    """
    from flint import arb, fmpq

    one, other = (
        arb(fmpq(end.numerator, end.denominator)) if isinstance(end, Fraction) else arb(end)
        for end in (lo, lo if hi is None else hi)
    )
    return one if hi is None else one.union(other)


def ends(number: Any) -> tuple[float, float]:
    """The doubles around a ball; -inf and inf where nothing is known.

    Examples
    --------
    >>> lo, hi = ends(ball(Fraction(1, 3)))
    >>> Fraction(lo) < Fraction(1, 3) < Fraction(hi)
    True
    """
    from flint import arb

    if not number.is_finite():
        return -math.inf, math.inf
    with precision(256):
        low, high = number.lower(), number.upper()
        lo, hi = float(low), float(high)
        lo = lo if arb(lo) <= low else math.nextafter(lo, -math.inf)
        return lo, hi if arb(hi) >= high else math.nextafter(hi, math.inf)


def arb_jet(graph: Graph, point: Sequence[Any], order: int = 2, bits: int = 128) -> ArbJet:
    """Value, gradient and Hessian in balls.

    Parameters
    ----------
    graph : Graph
        The function of n variables.
    point : sequence of n numbers or balls
        Doubles and fractions as they are; a ball for a box.
    order : int
        The highest derivative, 0, 1 or 2.
    bits : int
        Working precision.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x",))
    >>> graph = build.graph(build.sum(build.unary("exp", build.input)))
    >>> jet = arb_jet(graph, [1.0])
    >>> jet.hessian[0, 0].str(20, radius=False)
    '2.7182818284590452354'
    """
    from flint import arb

    with precision(bits):
        x = np.array([entry if isinstance(entry, arb) else ball(entry) for entry in point], dtype=object)
        found: list[Known] = []
        for node in graph.nodes:
            if node.operation == "input":
                found.append(input_balls(x, order))
            elif node.operation == "constant":
                found.append(constant_balls(graph.constants[node["digest"]], len(x), order))
            else:
                # An unknown value may have no operands; the input's derivatives have the axes that its own need.
                found.append(node_balls(graph, node, [found[k] for k in node.operands] or found[:1]))
        end = found[graph.output]
        return ArbJet(end.value[()], end.gradient, end.hessian)
