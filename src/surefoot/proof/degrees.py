"""Powers and products: what composition rules alone cannot see, by how far a root or a logarithm of u still bends.

    degree p:    u >= 0 and u^(1/p) is convex         (|x|^p; sums of them, by Minkowski; infinite for exp(convex))
    order r:     u >= 0 and u^(1/r) is concave        (products of r concave factors; sqrt(x y) has order 1)
    falling q:   u > 0 and u^(-1/q) is concave        (1/x; sums of them; the harmonic mean is a power -1 of them)
    log u convex or concave

So ``(sum |x_i|^4)^(1/4)`` has degree ``4/4 = 1`` and is convex; ``x^2/y`` has degree ``2 - 1 = 1``; products of
exponentials are log-convex, and so are their sums. Exponents are rational numbers: the double 1/3 is less than a third,
and ``(sum |x_i|^3)^(1/3)`` with it has a degree less than 1, which is no proof, for it is not convex.

References: Boyd, Vandenberghe (2004), "Convex Optimization", Cambridge, sections 3.1.5, 3.2.6, 3.5, pp. 71-74, 89,
104-107; Hardy, Littlewood, Polya (1952), "Inequalities", 2nd ed., Cambridge, section 2.11, pp. 30-32 (Minkowski).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from surefoot.problem.real import STRUCTURE, Node
from surefoot.problem.structure import move
from surefoot.proof import curvature_bits as facts
from surefoot.proof.curvature_bits import CONCAVE, CONSTANT, CONVEX, EVERYTHING, UNKNOWN, filled, is_affine

if TYPE_CHECKING:
    from surefoot.proof.curvature import Curvatures

T = TypeVar("T")
Degree = Fraction | float

NONE = Fraction(0)
"""No degree is known."""

DEEPEST = 100
"""How far products of products are followed."""

_WEIGHED = ("mul", "div", "power", "prod", "log", "pow", "dot", "exp")


class Degrees:
    """Degrees, orders and logarithms of the nodes of a graph, computed when asked for.

    Parameters
    ----------
    known : Curvatures
        The rules' reading so far; operands come first.
    """

    def __init__(self, known: Curvatures) -> None:
        self.known = known
        self._logs: dict[int, np.ndarray] = {}
        self._degrees: dict[int, Degree] = {}
        self._orders: dict[int, Fraction | None] = {}
        self._depth = 0

    def curvature(self, place: int) -> np.ndarray:
        """What follows for the curvature of a node."""
        node = self.known.graph.nodes[place]
        if node.operation not in _WEIGHED:
            return filled(UNKNOWN, node.shape)
        if node.operation == "log":
            return self.log(node.operands[0]) & (CONVEX | CONCAVE)
        if node.operation == "dot" and not self._is_product(node):
            return filled(UNKNOWN, node.shape)
        logs, degree, order = self.log(place), self.degree(place), self.order(place)
        for memory in (self._logs, self._degrees, self._orders):
            memory.pop(place, None)  # of the node itself the curvature was not known yet
        found = np.where(logs & CONVEX, CONVEX, UNKNOWN) | np.where(logs & CONCAVE, facts.QUASICONCAVE, UNKNOWN)
        if degree >= 1:
            found = found | CONVEX
        if order is not None:
            found = found | (CONCAVE if order <= 1 else facts.QUASICONCAVE)
        return facts.closed((found | self._ratio(node)).astype(np.uint8))

    def _is_product(self, node: Node) -> bool:
        return all(self.known.depends[k] for k in node.operands)

    def _ratio(self, node: Node) -> np.ndarray:
        """Ratios: convex, if not negative, over positive concave is quasiconvex; affine over affine is so anyway."""
        if node.operation != "div":
            return filled(UNKNOWN, node.shape)
        u, v = node.operands
        above, below = self.known.bits(u), self.known.bits(v)
        ends, positive = self.known.bounds.of(u), self.known.bounds.of(v).positive
        sign = ends.lo >= 0
        straight = is_affine(below)
        low = ((above & CONVEX) > 0) & (straight | (((below & CONCAVE) > 0) & sign))
        high = ((above & CONCAVE) > 0) & (straight | (((below & CONVEX) > 0) & sign))
        # Where v is affine and u convex: u <= a v is a convex set for every a, whatever its sign.
        found = low * facts.QUASICONVEX | high * facts.QUASICONCAVE
        return np.where(positive, found, UNKNOWN).astype(np.uint8)

    # Logarithms

    def log(self, place: int) -> np.ndarray:
        """The curvature of log u, where u is known to be positive."""
        return self._remembered(self._logs, place, self._log, filled(UNKNOWN, self.known.graph.nodes[place].shape))

    def _log(self, place: int, node: Node) -> np.ndarray:
        known = self.known
        if not known.depends[place]:
            found = known.bits(place) & EVERYTHING
        else:
            found = self._log_rule(place, node) | np.where(known.bits(place) & CONCAVE, CONCAVE, UNKNOWN)
        if not found.any():
            return filled(UNKNOWN, node.shape)
        ends, found = known.bounds.of(place), facts.closed(found.astype(np.uint8))
        # A number that may be 0 is so throughout: what is here convex is made of exponentials and of constants.
        return np.where(ends.positive, found, np.where(ends.lo >= 0, found & CONVEX, UNKNOWN)).astype(np.uint8)

    def _log_rule(self, place: int, node: Node) -> np.ndarray:
        known, operation = self.known, node.operation
        if not node.operands:
            return filled(UNKNOWN, node.shape)
        u = node.operands[0]
        if operation in STRUCTURE:
            places = known.graph.constants[node["digest"]] if operation == "take" else None
            return np.asarray(move(node, [self.log(k) for k in node.operands], places), dtype=np.uint8)
        match operation:
            case "exp":
                return known.bits(u)
            case "mul":
                return facts.added(self.log(u), self.log(node.operands[1]))
            case "div":
                return facts.added(self.log(u), facts.mirrored(self.log(node.operands[1])))
            case "power":
                positive = known.bounds.of(u).positive
                bits = self.log(u) if node["exponent"] > 0 else facts.mirrored(self.log(u))
                return np.where(positive, bits, UNKNOWN).astype(np.uint8)
            case "add" | "maximum":
                return self.log(u) & self.log(node.operands[1]) & (CONVEX | CONSTANT)
            case "minimum":
                return self.log(u) & self.log(node.operands[1]) & (CONCAVE | CONSTANT)
            case "sum" | "max":
                kept = CONVEX | CONSTANT
                return np.bitwise_and.reduce(self.log(u) & kept, axis=node["axes"], initial=kept, dtype=np.uint8)
            case "cumsum":
                kept = CONVEX | CONSTANT
                axis = node["axis"]
                each = np.bitwise_and.reduce(self.log(u) & kept, axis=axis, keepdims=True, initial=kept, dtype=np.uint8)
                return np.broadcast_to(each, node.shape)
            case "min":
                kept = CONCAVE | CONSTANT
                return np.bitwise_and.reduce(self.log(u) & kept, axis=node["axes"], initial=kept, dtype=np.uint8)
            case "prod":
                return facts.summed(self.log(u), node["axes"])
            case "dot":
                return self._log_of_dot(node)
            case "cosh":
                return np.where(is_affine(known.bits(u)), CONVEX, UNKNOWN)
            case "logistic" | "softplus":
                return known.bits(u) & CONCAVE
            case "erfc":
                return facts.mirrored(known.bits(u) & CONVEX)
            case "where":
                branch = known.branch(place)
                if branch is None and known.is_mixed(place):
                    yes, no = (self.log(k) for k in node.operands[1:])
                    return np.where(known.bounds.truth(u).surely, yes, no).astype(np.uint8)
                return self.log(branch) if branch is not None else filled(UNKNOWN, node.shape)
        return filled(UNKNOWN, node.shape)

    def _log_of_dot(self, node: Node) -> np.ndarray:
        """A sum of positive multiples of log-convex numbers."""
        known = self.known
        for constant, other in (node.operands, node.operands[::-1]):
            positive = not known.depends[constant] and bool(np.all(known.bounds.of(constant).lo >= 0))
            if positive and bool(np.all(self.log(other) & CONVEX)):
                return filled(CONVEX, node.shape)
        return filled(UNKNOWN, node.shape)

    # Degrees

    def degree(self, place: int) -> Degree:
        """The largest p known with ``u^(1/p)`` convex and not negative, for all entries; 0 if there is none."""
        return self._remembered(self._degrees, place, self._degree, NONE)

    def _degree(self, place: int, node: Node) -> Degree:
        known = self.known
        if not bool(np.all(known.bounds.of(place).lo >= 0)):
            return NONE
        if not known.depends[place]:
            return math.inf if known.has(place, CONSTANT) else NONE
        if bool(np.all(self.log(place) & CONVEX)):
            return math.inf
        least: Degree = Fraction(1) if known.has(place, CONVEX) else NONE
        return max(least, self._degree_rule(node))

    def _degree_rule(self, node: Node) -> Degree:
        known, operation = self.known, node.operation
        if not node.operands:
            return NONE
        u = node.operands[0]
        if operation in STRUCTURE or operation in ("maximum", "max"):
            return min(self.degree(k) for k in node.operands)
        match operation:
            case "power" if node["exponent"] > 0:
                return self._size(u, node["exponent"]) * node["exponent"]
            case "abs":
                return Fraction(1) if bool(is_affine(known.bits(u)).all()) else NONE
            case "mul":
                for constant, other in (node.operands, node.operands[::-1]):
                    if not known.depends[constant] and bool(np.all(known.bounds.of(constant).lo >= 0)):
                        return self.degree(other)
            case "div":
                return self._quotient(*node.operands)
            case "add" | "sum":
                least = min(self.degree(k) for k in node.operands)
                return least if least >= 1 else NONE
            case "dot":
                for constant, other in (node.operands, node.operands[::-1]):
                    if not known.depends[constant] and bool(np.all(known.bounds.of(constant).lo >= 0)):
                        return self.degree(other) if self.degree(other) >= 1 else NONE
        return NONE

    def _size(self, place: int, exponent: Fraction) -> Degree:
        """The degree of ``|u|``, if the exponent is even, or of u."""
        bits = self.known.bits(place)
        best = self.degree(place)
        if exponent.denominator == 1 and exponent % 2 == 0:
            ends = self.known.bounds.of(place)
            straight = is_affine(bits)
            low = ((bits & CONCAVE) > 0) & (ends.hi <= 0)
            high = ((bits & CONVEX) > 0) & (ends.lo >= 0)
            if bool(np.all(straight | low | high)):
                best = max(best, Fraction(1))
        return best

    def _quotient(self, u: int, v: int) -> Degree:
        """``g^p / h^r`` is the power ``p - r`` of a convex function: convex in g, and falling in the concave h."""
        known = self.known
        if not bool(np.all(known.bounds.of(v).positive)):
            return NONE
        above, below = self.degree(u), self.order(v)
        if below is None or above == math.inf:
            return NONE
        return max(above - below, NONE)

    # Orders

    def order(self, place: int) -> Fraction | None:
        """The least r known with ``u^(1/r)`` concave and not negative, for all entries; 0 for constants."""
        return self._remembered(self._orders, place, self._order, None)

    def _order(self, place: int, node: Node) -> Fraction | None:
        known = self.known
        if not bool(np.all(known.bounds.of(place).lo >= 0)):
            return None
        if not known.depends[place]:
            return Fraction(0) if known.has(place, CONSTANT) else None
        found = self._order_rule(node)
        if known.has(place, CONCAVE):
            return Fraction(1) if found is None else min(found, Fraction(1))
        return found

    def _order_rule(self, node: Node) -> Fraction | None:
        known, operation = self.known, node.operation
        if not node.operands:
            return None
        u = node.operands[0]
        if operation == "power" and node["exponent"] > 0:
            return _times(self.order(u), node["exponent"])
        if operation == "power" and node["exponent"] < 0:
            return _times(self._falling(u, 0), -node["exponent"])
        if operation == "div" and not known.depends[u]:
            return self._falling(node.operands[1], 0)
        if operation == "exp":
            return self._exponent(u)
        if operation == "prod":
            shape = known.graph.nodes[u].shape
            return _times(self.order(u), Fraction(math.prod(shape[axis] for axis in node["axes"])))
        if operation == "div":
            v = node.operands[1]
            return self.order(u) if not known.depends[v] and np.all(known.bounds.of(v).positive) else None
        orders = [self.order(k) for k in node.operands]
        if any(one is None for one in orders):
            return None
        listed = [one for one in orders if one is not None]
        if operation == "mul":
            return sum(listed, Fraction(0))
        if operation in STRUCTURE or operation in ("minimum", "min"):
            return max(listed)
        if operation in ("add", "sum"):
            return max(listed) if max(listed) <= 1 else None
        return None

    def _falling(self, place: int, depth: int) -> Fraction | None:
        """The least q known with ``u^(-1/q)`` concave and positive, for all entries."""
        known, node = self.known, self.known.graph.nodes[place]
        if depth > DEEPEST or not bool(np.all(known.bounds.of(place).positive)) or not node.operands:
            return None
        u = node.operands[0]
        if node.operation == "power" and node["exponent"] < 0 and bool(np.all(known.bounds.of(u).positive)):
            return _times(self.order(u), -node["exponent"])
        if node.operation == "div" and not known.depends[u] and bool(np.all(known.bounds.of(u).positive)):
            return self.order(node.operands[1])
        if node.operation in ("add", "sum") or node.operation in STRUCTURE:
            found = [self._falling(k, depth + 1) for k in node.operands]
            listed = [one for one in found if one is not None]
            return max(listed) if len(listed) == len(found) else None
        if node.operation in ("mul", "div"):
            for factor, other in (node.operands, node.operands[::-1]):
                if not known.depends[factor] and (node.operation == "mul" or factor == node.operands[1]):
                    return self._falling(other, depth + 1) if np.all(known.bounds.of(factor).positive) else None
        return None

    def _exponent(self, place: int) -> Fraction | None:
        """r, if the node is ``sum of c_i log h_i``, c_i >= 0, with orders of ``h_i^c_i`` that add up to at most r."""
        known, node = self.known, self.known.graph.nodes[place]
        if not known.depends[place]:
            return Fraction(0)
        match node.operation:
            case "log":
                return self.order(node.operands[0])
            case "sum":
                shape = known.graph.nodes[node.operands[0]].shape
                return _times(self._exponent(node.operands[0]), Fraction(math.prod(shape[k] for k in node["axes"])))
            case "add":
                orders = [self._exponent(k) for k in node.operands]
                listed = [one for one in orders if one is not None]
                return sum(listed, Fraction(0)) if len(listed) == len(orders) else None
            case "mul" | "div":
                for k, factor in enumerate(node.operands):
                    value = known.graph.value(factor)
                    if value is None or value.dtype == bool or (node.operation == "div" and k == 0):
                        continue
                    if not np.all(np.isfinite(value)) or not np.all(value > 0):
                        return None
                    sizes = [Fraction(float(c)) for c in np.unique(value)]
                    times = max(sizes) if node.operation == "mul" else 1 / min(sizes)
                    return _times(self._exponent(node.operands[1 - k]), times)
        return None

    def _remembered(self, memory: dict[int, T], place: int, rule: Callable[[int, Node], T], nothing: T) -> T:
        if place not in memory:
            if self._depth > DEEPEST:
                return nothing
            self._depth += 1
            try:
                memory[place] = rule(place, self.known.graph.nodes[place])
            finally:
                self._depth -= 1
        return memory[place]


def _times(order: Fraction | None, c: Fraction) -> Fraction | None:
    return None if order is None else order * c
