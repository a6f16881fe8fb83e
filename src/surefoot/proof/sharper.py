"""The last step where doubles end: an enclosure of one zero of the gradient, contracted in Arb to any width.

    K(X) = m - C g(m) + (I - C H(X)) (X - m)        as in `krawczyk`, in balls of many bits

What goes in is an enclosure of a zero that is proven to be the only one there. What comes out is used where an
enclosure is too wide, and where it must be told on which side of a face of the box the zero is.

Reference: Johansson (2017), "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic", IEEE Trans.
Computers 66(8), pp. 1281-1292.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.problem.real import Graph
from surefoot.proof.arb_reading import arb_jet, ball, ends, precision
from surefoot.proof.interval import Interval
from surefoot.proof.krawczyk import inflated

BITS = (128, 320)
"""Working precisions, tried in turn."""
ROUNDS = 12
"""Most contractions at one precision."""
LARGEST = 16
"""Variables up to which this is done."""


def sharpened(graph: Graph, zero: Interval) -> list[Any] | None:
    """Balls around a zero of the gradient, one for each variable; None where nothing better is known.

    Parameters
    ----------
    graph : Graph
        The function.
    zero : Interval (n,)
        An enclosure of a zero of its gradient, which is the only one there.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x",))
    >>> f = build.graph(build.sum(build.unary("cos", build.input)))
    >>> sharpened(f, Interval([3.1], [3.2]))[0].str(30, radius=False)
    '3.14159265358979323846264338328'
    """
    if graph.size > LARGEST:
        return None
    now = _balls(zero)
    better = False
    for bits in BITS:
        with precision(bits):
            for _ in range(ROUNDS):
                image = _image(graph, now, bits)
                if image is None:
                    break
                met = [one.intersection(other) for one, other in zip(now, image, strict=True)]
                shrunk = any(2 * new.rad() < old.rad() for new, old in zip(met, now, strict=True))
                now, better = met, True
                if not shrunk:
                    break
    return now if better else None


@dataclass(frozen=True)
class Opinion:
    """What Arb says of boxes that doubles could not decide.

    Attributes
    ----------
    one, none : ndarray of bool (B,)
        Proven: the larger box ``region`` holds exactly one zero, in ``zero``; the box holds none.
    zero, region : Interval (B, n)
    """

    one: np.ndarray
    none: np.ndarray
    zero: Interval
    region: Interval


def second_opinion(
    graph: Graph, boxes: Interval, smooth: Callable[[Interval], np.ndarray], seconds: float = np.inf
) -> Opinion:
    """Krawczyk's operator in Arb on small boxes, where rounding is what doubles could not see through.

    Parameters
    ----------
    graph : Graph
        The function.
    boxes : Interval (B, n)
        Each is made three times as wide first.
    smooth : callable
        Whether f is proven to be defined and twice continuously differentiable on boxes.
    seconds : float
        After so many, or Ctrl-C, nothing is said of the boxes that are left.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x",))
    >>> f = build.graph(build.sum(build.unary("cos", build.input)))
    >>> found = second_opinion(f, Interval([[3.1], [0.5]], [[3.2], [0.6]]), lambda boxes: np.ones(2, dtype=bool))
    >>> found.one.tolist(), found.none.tolist()
    ([True, False], [False, True])
    """
    region = inflated(boxes, 1.0)
    one, none = np.zeros(len(boxes), dtype=bool), np.zeros(len(boxes), dtype=bool)
    lo, hi = region.lo.copy(), region.hi.copy()
    began = time.monotonic()
    with suppress(KeyboardInterrupt), precision(BITS[-1]):
        for k in np.flatnonzero(smooth(region)):
            if time.monotonic() - began > seconds:
                break
            image = _image(graph, _balls(region[k]), BITS[-1])
            if image is None:
                continue
            none[k] = any(not it.overlaps(box) for it, box in zip(image, _balls(boxes[k]), strict=True))
            ends = zip(image, region.lo[k], region.hi[k], strict=True)
            if all(ball(float(a)) < it and it < ball(float(b)) for it, a, b in ends):
                zero = as_doubles(image).meet(region[k])
                lo[k], hi[k], one[k] = zero.lo, zero.hi, True
    return Opinion(one, none, Interval(lo, hi), region)


def _balls(box: Interval) -> list[Any]:
    return [ball(float(a), float(b)) for a, b in zip(box.lo, box.hi, strict=True)]


def as_doubles(balls: list[Any]) -> Interval:
    """The doubles around balls."""
    pairs = [ends(one) for one in balls]
    return Interval(np.array([low for low, _ in pairs]), np.array([high for _, high in pairs]))


def side_of(one: Any, place: float) -> int:
    """-1 if a ball lies below a double, 1 if above, 0 if neither is proven."""
    there = ball(place)
    return -1 if one < there else 1 if one > there else 0


def _image(graph: Graph, now: list[Any], bits: int) -> list[Any] | None:
    from flint import arb, arb_mat

    middle = [arb(one.mid()) for one in now]
    over, at = arb_jet(graph, now, 2, bits), arb_jet(graph, middle, 1, bits)
    known = [*over.hessian.ravel(), *at.gradient]
    if not all(entry.is_finite() for entry in known):
        return None
    size = len(now)
    bend = arb_mat([[over.hessian[i, j] for j in range(size)] for i in range(size)])
    rough = np.array([[float(over.hessian[i, j].mid()) for j in range(size)] for i in range(size)])
    try:
        inverse = np.linalg.inv(rough)
    except np.linalg.LinAlgError:
        return None
    if not np.all(np.isfinite(inverse)):
        return None
    about = arb_mat(inverse.tolist())
    unit = arb_mat([[int(i == j) for j in range(size)] for i in range(size)])
    slope = arb_mat([[entry] for entry in at.gradient])
    apart = arb_mat([[one - center] for one, center in zip(now, middle, strict=True)])
    image = arb_mat([[center] for center in middle]) - about * slope + (unit - about * bend) * apart
    return [image[k, 0] for k in range(size)]
