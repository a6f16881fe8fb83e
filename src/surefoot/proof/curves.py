"""Functions that fall without end along a curve, ``x(t) = c_0 + c_1 t + c_2 t^2 + ...`` as t goes to infinity.

f(x(t)) is a function of one number, whose limit is minus infinity

    by its operations, polynomials in t exactly            (`limits`)
    or as  g'' <= 0 on [T, inf) and g'(T) < 0              (in intervals)

Curves are proposals: axes and diagonals through the point and through 0, and the powers by which the variables at a
point that has gone far are related. A point that is not on them does not matter, for what is unbounded is f.

Reference: Rockafellar (1970), "Convex Analysis", Princeton, section 27, pp. 264-272 (minima and recession; without
convexity lines do not suffice: ``(y - x^2)^2 - x`` is bounded below on every line).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from surefoot.problem.real import Builder, Graph
from surefoot.problem.real_floating import value
from surefoot.proof.certificate import Verdict
from surefoot.proof.interval import Interval
from surefoot.proof.jets import second_order
from surefoot.proof.limits import falls_without_end
from surefoot.proof.point_otherwise import moving
from surefoot.proof.point_question import Argument, Convex, Question
from surefoot.proof.restricted import composed

BEGINS = (1.0, 16.0, 1024.0)
"""From where on f is looked at along a curve."""
SEEN = (1e2, 1e4, 1e6)
"""Where f must be seen to fall, in doubles, before anything is proven."""
MOST_NUMBERS = 3000
MOST_CURVES = 80
DIAGONAL = 3
"""Variables up to which all diagonals are tried."""
AXES = 8
FAR = 30.0
"""A variable beyond this has gone far."""
MOST_POWER = 4

Array = np.ndarray


def curving(question: Question, start: Array, m: Array, known: Convex) -> Argument | None:
    """A curve along which f falls without end, asked for where x itself is no candidate for anything else."""
    graph, box = question.graph, question.box
    if sum(node.size for node in graph.nodes) > MOST_NUMBERS or moving(question, start, m, known) is None:
        return None
    for path in itertools.islice(_paths(start), MOST_CURVES):
        if not stays_inside(path, box.lower, box.upper) or not _is_seen_to_fall(graph, path):
            continue
        question.check_time("a curve had been found along which f falls without end")
        line = along(graph, path)
        for begin in BEGINS:
            how = falls_by(line, begin)
            if how:
                return {
                    "kind": "curve", "verdict": Verdict.UNBOUNDED_BELOW.name, "path": path.tolist(), "begin": begin,
                    "how": how, "x": question.x.tolist(), "lower": box.lower.tolist(), "upper": box.upper.tolist(),
                }  # fmt: skip
    return None


def along(graph: Graph, path: Array) -> Graph:
    """The function of t on a curve, whose coefficients are an array of shape (degree + 1, n).

    Examples
    --------
    >>> build = Builder(("x", "y"))
    >>> graph = build.graph(build.sum(build.power(build.input, 2)))
    >>> line = along(graph, np.array([[0.0, 1.0], [2.0, 0.0], [0.0, 3.0]]))
    >>> line.names, float(value(line, np.array([2.0])))  # 4^2 + 13^2
    (('t',), 185.0)
    """
    build = Builder(("t",))
    t = build.reshape(build.input, ())
    point = build.constant(path[0])
    for power, row in enumerate(path[1:], start=1):
        if np.any(row):
            point = build.add(point, build.mul(build.power(t, power), build.constant(row)))
    return composed(graph, build, point)


def falls_by(line: Graph, begin: float) -> str:
    """How a function of one number is proven to go to minus infinity: ``"limits"``, ``"bends"``, or not at all.

    Parameters
    ----------
    line : Graph
        Of one variable.
    begin : float
        From where on it is looked at.
    """
    if falls_without_end(line, begin):
        return "limits"
    low, high = np.array([[begin], [begin]]), np.array([[begin], [np.inf]])
    jet = second_order(line, Interval(low, high))
    sound = not jet.lacking and bool(np.all(jet.defined) and np.all(jet.smooth))
    falls = float(jet.gradient.hi[0, 0]) < 0.0 and float(jet.hessian.hi[1, 0, 0]) <= 0.0
    return "bends" if sound and falls else ""


def stays_inside(path: Array, lower: Array, upper: Array) -> bool:
    """Whether a curve is within bounds for all t >= 0, by the signs of its coefficients."""
    rising, falling = np.all(path[1:] >= 0, axis=0), np.all(path[1:] <= 0, axis=0)
    above = (lower == -np.inf) | (rising & (path[0] >= lower))
    below = (upper == np.inf) | (falling & (path[0] <= upper))
    return bool(np.all(np.isfinite(path)) and np.all(above & below))


def _is_seen_to_fall(graph: Graph, path: Array) -> bool:
    times = np.array(SEEN)
    with np.errstate(all="ignore"):
        points = np.sum([times[:, None] ** k * row for k, row in enumerate(path)], axis=0)
        seen = value(graph, points)
    return bool(np.all(seen[1:] < seen[:-1]))


def _paths(x: Array) -> Iterator[Array]:
    """Curves to be tried, shape (degree + 1, n), the simple ones first."""
    middles = [np.round(x) + 0.0, np.zeros_like(x), x] if np.max(np.abs(x), initial=0.0) <= FAR else [np.zeros_like(x)]
    related = list(_related(x))
    for way in _ways(x):
        for middle in middles:
            yield np.array([np.where(way, 0.0, middle), way])
    yield from related


def _ways(x: Array) -> Iterator[Array]:
    """Directions: where x itself has gone, axes, diagonals."""
    n, top = len(x), float(np.max(np.abs(x), initial=0.0))
    if 0.0 < top < math.inf:
        gone = np.round(x / top, 3) + 0.0
        yield gone
        yield np.sign(gone) + 0.0
    if n <= DIAGONAL:
        yield from (np.array(way, float) for way in itertools.product((0.0, 1.0, -1.0), repeat=n) if any(way))
    elif n <= AXES:
        yield from (sign * axis for axis in np.eye(n) for sign in (1.0, -1.0))


def _related(x: Array) -> Iterator[Array]:
    """Powers of each other that the variables are that have gone far: ``x_j = c |x_i|^p``, the smallest being t^q."""
    far = np.flatnonzero(np.abs(x) > FAR)
    if len(far) < 2 or not np.all(np.isfinite(x)):
        return
    slowest = far[np.argmin(np.abs(x[far]))]
    for root in (1, 2):
        t = abs(float(x[slowest])) ** (1 / root)
        powers = np.round(np.log(np.abs(x[far])) / math.log(t)).astype(int)
        if np.any(powers < 1) or np.any(powers > MOST_POWER):
            continue
        sizes = x[far] / t ** powers.astype(float)
        for digits in (0, 1, 3):
            path = np.zeros((int(powers.max()) + 1, len(x)))
            path[powers, far] = np.round(sizes, digits)
            yield path + 0.0
