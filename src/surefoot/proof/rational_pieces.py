"""Functions of one number that are quotients of polynomials, piece by piece: followed through a graph exactly.

    phi(t) = r_0(t) for t < b_1,  v_1 at b_1,  r_1(t) for b_1 < t < b_2,  ...        on an interval of t

``abs``, ``max``, ``clip`` and ``where`` cut where their arguments meet. Convex is: every piece has r'' >= 0, no jump at
a joint (at an end of the interval, none downward), and slopes that do not fall there.

Reference: Rockafellar (1970), "Convex Analysis", Princeton, theorem 24.1, p. 227 (one-sided derivatives), theorem 10.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from surefoot.problem.real import Graph, Node
from surefoot.proof.exact_doubles import TooMuchError
from surefoot.proof.rational_functions import End, Rational, negative_point, roots_between

MOST_PIECES = 64
MOST_POWER = 24

Value = Fraction | bool | None
Part = Rational | bool


@dataclass(frozen=True)
class Line:
    """The interval of t: its ends, and whether they belong to it."""

    low: End
    high: End
    has_low: bool = False
    has_high: bool = False


@dataclass(frozen=True)
class Pieces:
    """A function, or a condition, on an open interval and at its ends as far as they are inside.

    Attributes
    ----------
    joints : tuple of Fraction
        Inner places in order.
    parts : tuple of Rational or bool
        One more than joints; no pole inside a part.
    values : tuple
        At the joints; None where it is not defined.
    ends : (value, value)
        At the two ends, as `values`; of no meaning where an end is not in the interval.
    """

    joints: tuple[Fraction, ...]
    parts: tuple[Any, ...]
    values: tuple[Value, ...]
    ends: tuple[Value, Value]


def read_pieces(graph: Graph, constants: Sequence[Fraction], line: Line) -> Pieces:
    """The function of the first variable, the others being constants.

    Raises
    ------
    TooMuchError
        It is not of the kind, or changes its form at places that are not rational.
    """
    found = _Reading(graph, constants, line)
    for place, node in graph:
        found.nodes.append(found.read(place, node))
    output = found.nodes[graph.output]
    assert output is not None
    return output


def read_nodes(graph: Graph, constants: Sequence[Fraction], line: Line) -> list[Pieces | None]:
    """As `read_pieces`, of every node; None for those that are not of the kind."""
    found = _Reading(graph, constants, line)
    for place, node in graph:
        try:
            found.nodes.append(found.read(place, node))
        except (TooMuchError, OverflowError):
            found.nodes.append(None)
    return found.nodes


class _Reading:
    """One loop over the nodes."""

    def __init__(self, graph: Graph, constants: Sequence[Fraction], line: Line) -> None:
        self.graph, self.line = graph, line
        self.nodes: list[Pieces | None] = []
        variable = _everywhere(Rational.variable(), line)
        self.leaves = [variable, *(_everywhere(Rational.constant(c), line) for c in constants)]

    def read(self, place: int, node: Node) -> Pieces | None:
        return _read(self.graph, place, node, self.nodes, self.leaves, self.line)


def _read(
    graph: Graph, place: int, node: Node, found: list[Pieces | None], leaves: list[Pieces], line: Line
) -> Pieces | None:
    operation = node.operation
    if operation == "input":
        return None
    if operation == "slice":  # of the input: see `chains`
        return leaves[node["cuts"][0][0]]
    if operation == "constant":
        value = graph.value(place)
        assert value is not None
        if value.dtype == bool:
            holds = bool(value.ravel()[0])
            return Pieces((), (holds,), (), (holds, holds))
        if not np.isfinite(value.ravel()[0]):
            raise TooMuchError("A constant is not finite.")
        return _everywhere(Rational.constant(Fraction(float(value.ravel()[0]))), line)
    operands = [found[k] for k in node.operands]
    if any(found[k] is None and graph.nodes[k].operation != "input" for k in node.operands):
        raise TooMuchError("An operand is no quotient of polynomials.")
    read = [operand for operand in operands if operand is not None]
    if operation in ("reshape", "broadcast"):
        return read[0] if read else leaves[0]
    if operation == "power":
        exponent: Fraction = node["exponent"]
        if exponent.denominator != 1 or abs(exponent) > MOST_POWER:
            raise TooMuchError("A power that is not whole.")
        return _powered(read[0], int(exponent), line)
    rule = _RULES.get(operation)
    conditions = any(isinstance(part, bool) for one in read for part in one.parts)
    if rule is None or len(read) != len(node.operands) or (conditions and operation not in _ON_CONDITIONS):
        raise TooMuchError(f"{operation} is no quotient of polynomials.")
    return rule(read, line)


def _everywhere(part: Rational, line: Line) -> Pieces:
    at = [part.at(end) if end is not None else None for end in (line.low, line.high)]
    return Pieces((), (part,), (), (at[0], at[1]))


def _cut(pieces: Sequence[Pieces], more: Sequence[Fraction] = ()) -> list[Pieces]:
    """The same functions with the joints of all of them."""
    joints = sorted({*more, *(joint for one in pieces for joint in one.joints)})
    if len(joints) > MOST_PIECES:
        raise TooMuchError("A function of too many pieces.")
    found = []
    for one in pieces:
        parts, values = [], []
        for k in range(len(joints) + 1):
            parts.append(one.parts[sum(joint <= joints[k - 1] for joint in one.joints) if k else 0])
        for k, joint in enumerate(joints):
            if joint in one.joints:
                values.append(one.values[one.joints.index(joint)])
            else:
                part = parts[k]
                values.append(part if isinstance(part, bool) else part.at(joint))
        found.append(Pieces(tuple(joints), tuple(parts), tuple(values), one.ends))
    return found


def _pointwise(pieces: Sequence[Pieces], on_parts: Callable[..., Any], on_values: Callable[..., Value]) -> Pieces:
    """An operation on functions with the same joints; a value that needs an undefined one is undefined."""

    def at(*values: Value) -> Value:
        return None if any(value is None for value in values) else on_values(*values)

    first = pieces[0]
    parts = tuple(on_parts(*parts) for parts in zip(*(one.parts for one in pieces), strict=True))
    values = tuple(at(*values) for values in zip(*(one.values for one in pieces), strict=True))
    ends = tuple(at(*values) for values in zip(*(one.ends for one in pieces), strict=True))
    return Pieces(first.joints, parts, values, (ends[0], ends[1]))


def bounds_of(one: Pieces, line: Line) -> list[tuple[End, End]]:
    """The open intervals of the parts."""
    ends = [line.low, *one.joints, line.high]
    return list(pairwise(ends))


def _split_at_roots(pieces: Sequence[Pieces], what: Callable[..., Rational], line: Line) -> list[Pieces]:
    """Cut where a quotient of polynomials formed of the parts is zero."""
    cut = _cut(pieces)
    roots: list[Fraction] = []
    for k, (low, high) in enumerate(bounds_of(cut[0], line)):
        roots += roots_between(what(*(one.parts[k] for one in cut)).top, low, high)
    return _cut(cut, roots)


def _sign_on(part: Rational, low: End, high: End) -> int:
    """The sign of a quotient without roots or poles in an open interval."""
    if part.is_zero:
        return 0
    return -1 if negative_point(part.top * part.bottom, low, high) is not None else 1


def _signs(one: Pieces, line: Line) -> list[int]:
    return [_sign_on(part, low, high) for part, (low, high) in zip(one.parts, bounds_of(one, line), strict=True)]


def _added(operands: Sequence[Pieces], line: Line) -> Pieces:
    return _pointwise(_cut(operands), lambda a, b: a + b, lambda a, b: a + b)  # type: ignore[operator]


def _subtracted(operands: Sequence[Pieces], line: Line) -> Pieces:
    return _pointwise(_cut(operands), lambda a, b: a - b, lambda a, b: a - b)  # type: ignore[operator]


def _multiplied(operands: Sequence[Pieces], line: Line) -> Pieces:
    return _pointwise(_cut(operands), lambda a, b: a * b, lambda a, b: a * b)  # type: ignore[operator]


def _divided(operands: Sequence[Pieces], line: Line) -> Pieces:
    u, v = operands
    if any(part.is_zero for part in v.parts):
        raise TooMuchError("A divisor is zero on an interval.")
    v, _ = _split_at_roots([v, v], lambda a, _: a, line)
    return _pointwise(_cut([u, v]), lambda a, b: a / b, lambda a, b: None if b == 0 else a / b)


def _negated(operands: Sequence[Pieces], line: Line) -> Pieces:
    return _pointwise(operands, lambda a: -a, lambda a: -a)  # type: ignore[operator]


def _powered(one: Pieces, exponent: int, line: Line) -> Pieces:
    found = _multiplied([one, _everywhere(Rational.constant(0), line)], line)
    found = _added([found, _everywhere(Rational.constant(1), line)], line)  # undefined where it is
    for _ in range(abs(exponent)):
        found = _multiplied([found, one], line)
    return found if exponent >= 0 else _divided([_everywhere(Rational.constant(1), line), found], line)


def _chosen(condition: Pieces, a: Pieces, b: Pieces) -> Pieces:
    condition, a, b = _cut([condition, a, b])
    parts = tuple(x if yes else y for yes, x, y in zip(condition.parts, a.parts, b.parts, strict=True))

    def at(yes: Value, x: Value, y: Value) -> Value:
        return None if yes is None else x if yes else y

    values = tuple(at(*three) for three in zip(condition.values, a.values, b.values, strict=True))
    ends = tuple(at(*three) for three in zip(condition.ends, a.ends, b.ends, strict=True))
    return Pieces(a.joints, parts, values, (ends[0], ends[1]))


def _compared(holds: Callable[[int], bool]) -> Callable[[Sequence[Pieces], Line], Pieces]:
    """A condition on the sign of the difference of two functions."""

    def rule(operands: Sequence[Pieces], line: Line) -> Pieces:
        u, v = _split_at_roots(operands, lambda a, b: a - b, line)
        difference = _subtracted([u, v], line)
        parts = tuple(holds(sign) for sign in _signs(difference, line))

        def at(value: Value) -> Value:
            return None if value is None else holds((value > 0) - (value < 0))

        values = tuple(at(value) for value in difference.values)
        return Pieces(difference.joints, parts, values, (at(difference.ends[0]), at(difference.ends[1])))

    return rule


_LESS = _compared(lambda sign: sign < 0)
_POSITIVE = _compared(lambda sign: sign > 0)


def _maximum(operands: Sequence[Pieces], line: Line) -> Pieces:
    u, v = operands
    return _chosen(_LESS(operands, line), v, u)


def _minimum(operands: Sequence[Pieces], line: Line) -> Pieces:
    u, v = operands
    return _chosen(_LESS(operands, line), u, v)


def _abs(operands: Sequence[Pieces], line: Line) -> Pieces:
    return _maximum([operands[0], _negated(operands, line)], line)


def _sign(operands: Sequence[Pieces], line: Line) -> Pieces:
    zero, one = (_everywhere(Rational.constant(c), line) for c in (0, 1))
    up, down = _POSITIVE([operands[0], zero], line), _LESS([operands[0], zero], line)
    return _chosen(up, one, _chosen(down, _negated([one], line), zero))


def _logical(join: Callable[..., bool]) -> Callable[[Sequence[Pieces], Line], Pieces]:
    return lambda operands, line: _pointwise(_cut(operands), join, join)


_RULES: dict[str, Callable[[Sequence[Pieces], Line], Pieces]] = {
    "add": _added, "sub": _subtracted, "mul": _multiplied, "div": _divided, "neg": _negated, "abs": _abs,
    "sign": _sign, "maximum": _maximum, "minimum": _minimum, "lt": _LESS, "le": _compared(lambda sign: sign <= 0),
    "eq": _compared(lambda sign: sign == 0), "ne": _compared(lambda sign: sign != 0),
    "and": _logical(lambda a, b: a and b), "or": _logical(lambda a, b: a or b), "not": _logical(lambda a: not a),
    "where": lambda operands, line: _chosen(*operands),
}  # fmt: skip


_ON_CONDITIONS = ("and", "or", "not", "where")


def value_at(pieces: Pieces, line: Line, t: Fraction) -> Fraction | None:
    """The value of a function in pieces; None where it is not defined, or outside the interval."""
    for end, value in ((line.low, pieces.ends[0]), (line.high, pieces.ends[1])):
        if end is not None and t == end:
            return None if value is None else Fraction(value)
    if (line.low is not None and t < line.low) or (line.high is not None and t > line.high):
        return None
    for joint, value in zip(pieces.joints, pieces.values, strict=True):
        if t == joint:
            return None if value is None else Fraction(value)
    return pieces.parts[sum(joint < t for joint in pieces.joints)].at(t)
