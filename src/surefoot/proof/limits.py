"""Where a function of one number goes as it grows beyond all bounds: to infinity, to minus infinity, or not known.

    u -> inf,  v >= c          =>  u + v -> inf            u -> inf,  v >= c > 0     =>  u v -> inf
    u -> inf                   =>  exp u, log u, |u|, u^c (c > 0), max(u, v) -> inf
    p(t) = a t^k + ...,  k > 0 =>  p(t) -> inf, if a > 0   (exactly: 'infinity minus infinity' is none for polynomials)

Bounds such as ``v >= c`` hold for all t >= T, in intervals rounded outward.

Reference: Hardy (1924), "Orders of Infinity", 2nd ed., Cambridge, chapter 1, pp. 1-8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.problem.real import STRUCTURE, Graph, Node
from surefoot.problem.structure import move
from surefoot.proof.interval import Interval, Truth
from surefoot.proof.polynomials import Polynomial, read_polynomials
from surefoot.proof.replay import enclose, enclose_nodes

KEEPS = ("log", "log1p", "exp", "expm1", "softplus", "lgamma", "digamma")
"""Functions that go to infinity with their argument."""
ODD = ("cbrt", "sinh", "arcsinh", "floor", "ceil", "round")
"""Functions that go to either infinity with their argument."""
EVEN = ("abs", "cosh")

Array = np.ndarray


@dataclass(frozen=True)
class Limit:
    """Which entries of an array go to infinity, and which to minus infinity, for certain."""

    up: Array
    down: Array

    @classmethod
    def none(cls, shape: tuple[int, ...]) -> Limit:
        return cls(np.zeros(shape, bool), np.zeros(shape, bool))

    def __neg__(self) -> Limit:
        return Limit(self.down, self.up)

    def __or__(self, other: Limit) -> Limit:
        return Limit(self.up | other.up, self.down | other.down)

    def __and__(self, other: Limit) -> Limit:
        return Limit(self.up & other.up, self.down & other.down)


def falls_without_end(line: Graph, begin: float) -> bool:
    """Whether a function of one number is defined from a number on, and goes to minus infinity.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("t",))
    >>> t = build.reshape(build.input, ())
    >>> falls_without_end(build.graph(build.unary("neg", build.unary("log", t))), 1.0)
    True
    >>> falls_without_end(build.graph(build.unary("exp", build.unary("neg", t))), 1.0)
    False
    """
    low, high = np.array([begin]), np.array([np.inf])
    here = enclose(line, Interval(low[None], high[None]))
    if here.lacking or not bool(here.defined[0]):
        return False
    values, exact = enclose_nodes(line, Interval(low, high)), read_polynomials(line)
    found: list[Limit] = []
    for place, node in line:
        limit = _limit(line, node, values, found)
        found.append(limit if exact[place] is None else limit | _of_polynomials(exact[place], node.shape))
    return bool(found[line.output].down)


def _of_polynomials(read: Array | None, shape: tuple[int, ...]) -> Limit:
    leads = [_lead(one) for one in np.asarray(read, dtype=object).ravel().tolist()]
    signs = np.array(leads, dtype=int).reshape(shape)
    return Limit(signs > 0, signs < 0)


def _lead(one: Polynomial) -> int:
    """The sign of the leading coefficient of a polynomial in one variable that is not constant; else 0."""
    terms = one.terms.to_dict()
    degree = max((key[0] for key in terms), default=0)
    return 0 if degree < 1 else 1 if terms[(degree,)] > 0 else -1


def _limit(line: Graph, node: Node, values: list, found: list[Limit]) -> Limit:
    operation = node.operation
    parts = [found[k] for k in node.operands]
    if operation == "input":
        return Limit(np.ones(1, bool), np.zeros(1, bool))
    if operation in STRUCTURE:
        places = line.constants[node["digest"]] if operation == "take" else None
        up, down = (move(node, [getattr(part, side) for part in parts], places) for side in ("up", "down"))
        return Limit(np.asarray(up, bool), np.asarray(down, bool))
    if operation == "where":
        return _chosen(values[node.operands[0]], parts)
    ends = [values[k] for k in node.operands]
    if not ends or any(isinstance(one, Truth) for one in ends):
        return Limit.none(node.shape)
    if operation in ("add", "sub"):
        return _sum(ends, [parts[0], parts[1] if operation == "add" else -parts[1]], minus=operation == "sub")
    if operation == "mul":
        one, other = parts
        return _scaled(one, ends[1]) | _scaled(other, ends[0]) | _product(one, other)
    if operation == "div":
        bounded = np.isfinite(ends[1].lo) & np.isfinite(ends[1].hi)
        found_one = _scaled(parts[0], ends[1])
        return Limit(found_one.up & bounded, found_one.down & bounded)
    return _of_one(node, parts, ends)


def _of_one(node: Node, parts: list[Limit], ends: list[Interval]) -> Limit:
    operation, none = node.operation, Limit.none(node.shape)
    if operation == "neg":
        return -parts[0]
    if operation in KEEPS:
        return Limit(parts[0].up, none.down)
    if operation in ODD:
        return parts[0]
    if operation in EVEN:
        return Limit(parts[0].up | parts[0].down, none.down)
    if operation == "hypot":
        return Limit(parts[0].up | parts[0].down | parts[1].up | parts[1].down, none.down)
    if operation == "log_ndtr":
        return Limit(none.up, parts[0].down)
    if operation == "power" and node["exponent"] > 0:
        exponent = node["exponent"]
        if exponent.denominator != 1:
            return Limit(parts[0].up, none.down)
        return Limit(parts[0].up | parts[0].down, none.down) if exponent % 2 == 0 else parts[0]
    if operation in ("maximum", "minimum"):
        one, other = parts
        if operation == "maximum":
            return Limit(one.up | other.up, one.down & other.down)
        return Limit(one.up & other.up, one.down | other.down)
    if operation in ("sum", "max", "min", "logsumexp"):
        return _over_axes(node, parts[0], ends[0])
    return none


def _chosen(condition: Truth, parts: list[Limit]) -> Limit:
    """The branch that is taken from the beginning on; where that is not settled, what both do."""
    yes, no = parts[1:]
    surely, never = condition.surely, condition.decided & ~condition.surely
    both = yes & no
    return Limit(
        np.where(surely, yes.up, np.where(never, no.up, both.up)),
        np.where(surely, yes.down, np.where(never, no.down, both.down)),
    )


def _sum(ends: list[Interval], parts: list[Limit], *, minus: bool) -> Limit:
    low = [ends[0].lo, -ends[1].hi if minus else ends[1].lo]
    high = [ends[0].hi, -ends[1].lo if minus else ends[1].hi]
    up = (parts[0].up & (parts[1].up | (low[1] > -np.inf))) | (parts[1].up & (low[0] > -np.inf))
    down = (parts[0].down & (parts[1].down | (high[1] < np.inf))) | (parts[1].down & (high[0] < np.inf))
    return Limit(up, down)


def _scaled(one: Limit, factor: Interval) -> Limit:
    """Times a factor that is bounded away from 0."""
    positive, negative = factor.lo > 0.0, factor.hi < 0.0
    return Limit((one.up & positive) | (one.down & negative), (one.up & negative) | (one.down & positive))


def _product(one: Limit, other: Limit) -> Limit:
    return Limit(
        (one.up & other.up) | (one.down & other.down),
        (one.up & other.down) | (one.down & other.up),
    )


def _over_axes(node: Node, one: Limit, ends: Interval) -> Limit:
    axes, operation = node["axes"], node.operation
    any_up, any_down = np.asarray(one.up.any(axis=axes)), np.asarray(one.down.any(axis=axes))
    all_up, all_down = np.asarray(one.up.all(axis=axes)), np.asarray(one.down.all(axis=axes))
    if operation in ("max", "logsumexp"):
        return Limit(any_up, all_down)
    if operation == "min":
        return Limit(all_up, any_down)
    held = np.asarray((one.up | (ends.lo > -np.inf)).all(axis=axes))
    kept = np.asarray((one.down | (ends.hi < np.inf)).all(axis=axes))
    return Limit(any_up & held, any_down & kept)
