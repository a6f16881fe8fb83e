"""Functions that fall for ever: along one direction, from every point, strictly.

    d/dt f(x + t d) < 0 for all x, and f >= L      =>   f has an infimum, and no point attains it
    d/dt f(x + t d) <= -c < 0 on a ray             =>   f is unbounded below

``exp(-x)`` falls everywhere, but its slope over all of R is ``[-inf, 0]`` to intervals, which are closed. So signs are
carried beside them: which of negative, zero and positive a value can be. ``exp`` cannot be zero.

Reference: Rockafellar (1970), "Convex Analysis", Princeton, section 8, pp. 60-71 (directions of recession).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surefoot.problem.real import LINEAR, STRUCTURE, Graph, Node
from surefoot.problem.structure import move, subscripts
from surefoot.proof.interval import Interval, Truth
from surefoot.proof.interval_sums import contraction, running, total
from surefoot.proof.replay import enclose, enclose_nodes

POSITIVE = ("exp", "softplus", "logistic", "cosh", "erfc")
"""Functions whose values are positive, never 0."""
RISING = (
    "exp", "expm1", "log", "log1p", "softplus", "logistic", "tanh", "arctan", "sinh", "arcsinh", "arctanh", "arcsin",
    "erf", "log_ndtr",
)  # fmt: skip
"""Functions whose derivative is positive, never 0, wherever they are differentiable."""
FALLING = ("erfc", "arccos")

Array = np.ndarray


@dataclass(frozen=True)
class Sign:
    """Which signs the entries of an array can have."""

    negative: Array
    zero: Array
    positive: Array

    @classmethod
    def of(cls, u: Interval) -> Sign:
        return cls(u.lo < 0.0, (u.lo <= 0.0) & (u.hi >= 0.0), u.hi > 0.0)

    @classmethod
    def any(cls, shape: tuple[int, ...]) -> Sign:
        yes = np.ones(shape, bool)
        return cls(yes, yes, yes)

    def __and__(self, other: Sign) -> Sign:
        return Sign(self.negative & other.negative, self.zero & other.zero, self.positive & other.positive)

    def __or__(self, other: Sign) -> Sign:
        return Sign(self.negative | other.negative, self.zero | other.zero, self.positive | other.positive)

    def __neg__(self) -> Sign:
        return Sign(self.positive, self.zero, self.negative)

    def __add__(self, other: Sign) -> Sign:
        negative, positive = self.negative | other.negative, self.positive | other.positive
        return Sign(negative, (negative & positive) | (self.zero & other.zero), positive)

    def __mul__(self, other: Sign) -> Sign:
        return Sign(
            (self.negative & other.positive) | (self.positive & other.negative),
            self.zero | other.zero,
            (self.negative & other.negative) | (self.positive & other.positive),
        )

    def moved(self, node: Node, others: Sequence[Sign], places: Array | None) -> Sign:
        """Structure: what is filled in is zero."""
        parts = (self, *others)
        negative = move(node, [part.negative for part in parts], places)
        nonzero = move(node, [~part.zero for part in parts], places)
        return Sign(negative, ~nonzero, move(node, [part.positive for part in parts], places))

    def total(self, axes: tuple[int, ...]) -> Sign:
        negative, positive = np.asarray(self.negative.any(axis=axes)), np.asarray(self.positive.any(axis=axes))
        return Sign(negative, (negative & positive) | np.asarray(self.zero.all(axis=axes)), positive)


@dataclass(frozen=True)
class Motion:
    """A value, and how it changes along the direction: what is known of signs and of numbers."""

    value: Interval
    sign: Sign
    slope: Interval
    turn: Sign


def falls(graph: Graph, low: Array, high: Array, direction: Array) -> bool:
    """Whether f is continuous on a box, which may be unbounded, and falls strictly along a direction, everywhere there.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x",))
    >>> graph = build.graph(build.sum(build.unary("exp", build.unary("neg", build.input))))
    >>> whole = np.array([-np.inf]), np.array([np.inf])
    >>> falls(graph, *whole, np.array([1.0])), falls(graph, *whole, np.array([-1.0]))
    (True, False)
    """
    here = enclose(graph, Interval(low[None], high[None]))
    if not (bool(here.defined[0]) and bool(here.continuous[0])):
        return False
    values = enclose_nodes(graph, Interval(low, high))
    motions: list[Motion | None] = []
    with np.errstate(all="ignore"):
        for k, node in graph:
            value = values[k]
            if isinstance(value, Truth):
                motions.append(None)
                continue
            motions.append(_motion(graph, node, value, [motions[j] for j in node.operands], direction))
    end = motions[graph.output]
    return end is not None and bool(end.turn.negative) and not bool(end.turn.zero) and not bool(end.turn.positive)


def _motion(graph: Graph, node: Node, value: Interval, operands: list[Motion | None], direction: Array) -> Motion:
    if node.operation == "input":
        slope = Interval.of(direction)
        return Motion(value, Sign.of(value), slope, Sign.of(slope))
    if not node.operands:
        slope = Interval.of(np.zeros(node.shape))
        return Motion(value, Sign.of(value), slope, Sign.of(slope))
    known = [one for one in operands if one is not None]
    slope = _slope(graph, node, known)
    turn = _turn(graph, node, known) & Sign.of(slope)
    return Motion(value, _sign(graph, node, known) & Sign.of(value), slope, turn)


def _slope(graph: Graph, node: Node, parts: list[Motion]) -> Interval:
    """The derivative as an interval where the operation is linear in what moves; else anything."""
    operation = node.operation
    if operation in LINEAR:
        return _linear(graph, node, [part.slope for part in parts])
    still = [not np.any(part.turn.negative | part.turn.positive) for part in parts]
    if operation in ("mul", "div", "dot") and len(parts) == 2 and still[1]:
        return _bilinear(node, parts[0].slope, parts[1].value)
    if operation in ("mul", "dot") and len(parts) == 2 and still[0]:
        return _bilinear(node, parts[0].value, parts[1].slope)
    return Interval.of(np.zeros(node.shape)) if all(still) and parts else Interval.entire(node.shape)


def _linear(graph: Graph, node: Node, slopes: list[Interval]) -> Interval:
    match node.operation:
        case "neg":
            return -slopes[0]
        case "add":
            return slopes[0] + slopes[1]
        case "sub":
            return slopes[0] - slopes[1]
        case "sum":
            return total(slopes[0], node["axes"])
        case "cumsum":
            return running(slopes[0], node["axis"], node["reverse"])
    places = graph.constants[node["digest"]] if node.operation == "take" else None
    return Interval(move(node, [one.lo for one in slopes], places), move(node, [one.hi for one in slopes], places))


def _bilinear(node: Node, u: Interval, v: Interval) -> Interval:
    if node.operation == "mul":
        return u * v
    return u / v if node.operation == "div" else contraction(u, v, node["contract"], node["batch"])


def _sign(graph: Graph, node: Node, parts: list[Motion]) -> Sign:
    """The signs of a value, from those of its operands."""
    if node.operation in POSITIVE:
        no = np.zeros(node.shape, bool)
        return Sign(no, no, ~no)
    found = _by_rule(graph, node, [part.sign for part in parts])
    return Sign.any(node.shape) if found is None else found


def _by_rule(graph: Graph, node: Node, signs: list[Sign]) -> Sign | None:
    match node.operation:
        case "neg":
            return -signs[0]
        case "add":
            return signs[0] + signs[1]
        case "sub":
            return signs[0] + -signs[1]
        case "mul":
            return signs[0] * signs[1]
        case "div":
            return signs[0] * signs[1]
        case "dot":
            return _contracted(node, signs[0], signs[1])
        case "sum":
            return signs[0].total(node["axes"])
        case "maximum" | "minimum" | "where":
            return signs[-2] | signs[-1]
        case "power":
            return _powered(signs[0], node["exponent"])
    if node.operation in STRUCTURE:
        places = graph.constants[node["digest"]] if node.operation == "take" else None
        return signs[0].moved(node, signs[1:], places)
    return None


def _powered(sign: Sign, exponent) -> Sign:
    """Signs of ``u^c`` wherever it is defined."""
    if exponent == 0:
        no = np.zeros_like(sign.zero)
        return Sign(no, no, ~no)
    zero = sign.zero if exponent > 0 else np.zeros_like(sign.zero)
    if exponent.denominator != 1:
        return Sign(np.zeros_like(sign.zero), zero, sign.positive)
    if exponent % 2 == 0:
        return Sign(np.zeros_like(sign.zero), zero, sign.positive | sign.negative)
    return Sign(sign.negative, zero, sign.positive)


def _contracted(node: Node, u: Sign, v: Sign) -> Sign:
    formula = subscripts(node, u.zero.ndim, v.zero.ndim)

    def met(a: Array, b: Array) -> Array:
        return np.einsum(formula, a.astype(np.int64), b.astype(np.int64)) > 0

    negative = met(u.negative, v.positive) | met(u.positive, v.negative)
    positive = met(u.negative, v.negative) | met(u.positive, v.positive)
    return Sign(negative, (negative & positive) | ~met(~u.zero, ~v.zero), positive)


def _turn(graph: Graph, node: Node, parts: list[Motion]) -> Sign:
    """The signs of the derivative, generalised where there is a kink."""
    operation, turns, signs = node.operation, [part.turn for part in parts], [part.sign for part in parts]
    if operation in LINEAR and operation != "cumsum":
        found = _by_rule(graph, node, turns)
        return Sign.any(node.shape) if found is None else found
    if operation in RISING:
        return turns[0]
    if operation in FALLING:
        return -turns[0]
    match operation:
        case "cosh" | "abs":
            return (signs[0] if operation == "cosh" else _or_both(signs[0])) * turns[0]
        case "power":
            exponent = node["exponent"]
            slope = _powered(signs[0], exponent - 1)
            if exponent == 0:
                return Sign.of(Interval.of(np.zeros(node.shape)))
            return (slope if exponent > 0 else -slope) * turns[0]
        case "mul":
            return turns[0] * signs[1] + signs[0] * turns[1]
        case "div":
            return (turns[0] * signs[1] + -(signs[0] * turns[1])) if np.any(turns[1].negative | turns[1].positive) \
                else turns[0] * signs[1]  # fmt: skip
        case "dot":
            return _contracted(node, turns[0], signs[1]) + _contracted(node, signs[0], turns[1])
        case "maximum" | "minimum" | "where":
            return turns[-2] | turns[-1]
        case "logsumexp":
            return turns[0].total(node["axes"])
    still = all(not np.any(turn.negative | turn.positive) for turn in turns)
    return Sign.of(Interval.of(np.zeros(node.shape))) if still else Sign.any(node.shape)


def _or_both(sign: Sign) -> Sign:
    """The slope of ``abs``: at 0 it is anything between."""
    return Sign(sign.negative | sign.zero, sign.zero, sign.positive | sign.zero)
