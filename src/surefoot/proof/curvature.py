"""Curvature by rules: which nodes of a graph are convex, concave or affine in x, entry by entry.

    phi(u) is convex if phi is convex on the range of u, and u is affine, or convex where phi rises, or concave where it
    falls; sums of convex functions are convex, and so on

The rules read arrays, so a hundred thousand rows cost as little as NumPy does. They hold where the function is defined.
That set need not be all of the domain: where the operand of a logarithm must be positive and is concave, the set where
it is positive is convex, and the domain is narrowed to it (`Curvatures.domain`, `Curvatures.narrowed`); where no such
argument holds, nothing is claimed (`Curvatures.undefined`).

Reference: Grant, Boyd, Ye (2006), "Disciplined convex programming", in: Global Optimization, Springer, pp. 155-210;
Boyd, Vandenberghe (2004), "Convex Optimization", Cambridge, section 3.2, pp. 79-90.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from surefoot.errors import ModelError
from surefoot.problem.domain import Domain, Inequality
from surefoot.problem.real import Graph, Node
from surefoot.proof import curvature_bits as facts
from surefoot.proof.affine_forms import AffineForms
from surefoot.proof.bounds import Bounds
from surefoot.proof.curvature_bits import CONCAVE, CONSTANT, CONVEX, EVERYTHING, UNKNOWN, filled, is_affine
from surefoot.proof.curvature_rules import bits_by_rule
from surefoot.proof.degrees import Degrees
from surefoot.proof.ends import Ends
from surefoot.proof.patterns import pattern_bits
from surefoot.proof.shapes import HALF_PI, SHAPES, Need, power_shape

MOST_PASSES = 8
"""Rounds in which the domain may be narrowed; each says something new about where the function is defined."""

MOST_CONDITIONS = 50
"""Entries of one operand whose conditions become inequalities of the domain; more are kept as what they are."""

_HALF_LINES = {">": (0, True), ">=": (0, False), "<": (1, True), "<=": (1, False)}


class Gap(NamedTuple):
    """A condition that could not be shown: at a node, its operand must be in a relation to a number."""

    place: int
    operand: int
    need: Need


class Curvatures:
    """The curvature of every node that matters for the output of a graph.

    Parameters
    ----------
    graph : Graph
        The function.
    domain : Domain
        Where it is considered.

    Attributes
    ----------
    domain : Domain
        The part of it where the function is defined, as far as bounds and linear inequalities say it.
    narrowed : list of (int, Need)
        What that part is besides: nodes that are concave and must be positive, and so on.
    undefined : list of Gap
        Where the function may be undefined, on a set of unknown form. If there is one, nothing is proven.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x",))
    >>> x = build.reshape(build.input, ())
    >>> graph = build.graph(build.sub(build.power(x, 2), build.unary("log", x)))
    >>> known = Curvatures(graph, Domain.everything(("x",)))
    >>> bool(known.bits(graph.output) & CONVEX), str(known.domain)
    (True, 'x > 0')
    """

    def __init__(self, graph: Graph, domain: Domain) -> None:
        self.graph, self.domain, self.asked = graph, domain, domain
        self.depends = graph.depends()
        self.forms = AffineForms(graph)
        self.bounds = Bounds(graph, domain, self.forms)
        self.narrowed: list[tuple[int, Need]] = []
        self.undefined: list[Gap] = []
        self.added: dict[int, np.ndarray] = {}
        self.strict: dict[int, tuple[int, np.ndarray]] = {}
        self.patterns: set[int] = set()
        self.empty = False
        self.ratios: dict[int, list[int]] = {}
        for place, node in graph:
            if node.operation == "div":
                self.ratios.setdefault(node.operands[1], []).append(place)
        self._settle()

    def bits(self, place: int) -> np.ndarray:
        """What is known of a node, in its shape; nothing of one that does not matter."""
        if place not in self._bits:
            return filled(UNKNOWN, self.graph.nodes[place].shape)
        return self._bits[place]

    def has(self, place: int, bit: int) -> bool:
        """Whether all entries of a node are so."""
        return bool(np.all(self.bits(place) & bit))

    def know(self, place: int, bits: np.ndarray, strict: tuple[int, np.ndarray] | None = None) -> None:
        """Somebody else has proven what a node is, entry by entry; read the rest anew.

        ``strict`` names an affine node of the same shape along which given entries bend strictly.
        """
        self.added[place] = facts.closed(bits.astype(np.uint8).reshape(self.graph.nodes[place].shape))
        if strict is not None:
            self.strict[place] = strict
        self._settle()

    def _settle(self) -> None:
        """Read the graph until nothing more is learned about where it is defined."""
        for _ in range(MOST_PASSES):
            self._bits: dict[int, np.ndarray] = {}
            self.degrees = Degrees(self)
            self.undefined, changed = [], False
            self.bounds.affine.clear()
            self.bounds.forget()
            for place in self._live():
                node = self.graph.nodes[place]
                if not self._is_known(node):
                    self.undefined.append(Gap(place, place, Need("!=")))
                for operand, need in self._needs(place, node):
                    changed |= self._check(place, operand, need)
                found = self._rule(place, node)
                if place in self.added:
                    found = facts.closed(found | self.added[place])
                self._bits[place] = found
                moves = self.depends[place] and node.size and not bool(np.all(found & CONSTANT))
                if moves and bool(is_affine(found).all()):
                    self.bounds.affine.add(place)
            if not changed:
                return

    def _live(self) -> list[int]:
        """Nodes that must be defined wherever the output is: not the branches of a choice that is open."""
        whole = self._reached([self.graph.output])
        mixed = [k for place in whole if self.is_mixed(place) for k in self.graph.nodes[place].operands[1:]]
        found = self._reached([self.graph.output, *mixed], into_mixed=True)
        self._partly = found - whole
        return sorted(found)

    def _reached(self, starts: Sequence[int], *, into_mixed: bool = False) -> set[int]:
        wanted, stack = set(), list(starts)
        while stack:
            place = stack.pop()
            if place in wanted:
                continue
            wanted.add(place)
            node = self.graph.nodes[place]
            if node.operation != "where" or (into_mixed and self.is_mixed(place)):
                stack.extend(node.operands)
            else:
                branch = self.branch(place)
                stack.extend(node.operands[:1] if branch is None else (node.operands[0], branch))
        return wanted

    def is_mixed(self, place: int) -> bool:
        """Whether it is known of each entry of a choice which branch is taken, but not the same one for all."""
        node = self.graph.nodes[place]
        return (
            node.operation == "where"
            and self.branch(place) is None
            and bool(self.bounds.truth(node.operands[0]).decided.all())
        )

    def branch(self, place: int) -> int | None:
        """The branch of a choice that is taken throughout the domain, if one is."""
        condition, yes, no = self.graph.nodes[place].operands
        truth = self.bounds.truth(condition)
        if truth.surely.all():
            return yes
        return no if truth.never.all() else None

    # Where it is defined

    def _is_known(self, node: Node) -> bool:
        """Whether it is known what a node is at all: numbers, and by operations that are understood."""
        if node.operation != "constant":
            return node.operation != "unknown"
        value = self.graph.constants[node["digest"]]
        return value.dtype == bool or bool(np.isfinite(value).all())

    def _needs(self, place: int, node: Node) -> list[tuple[int, Need]]:
        """What operands must be."""
        match node.operation:
            case "power":
                return [(node.operands[0], need) for need in power_shape(node["exponent"]).needs]
            case "div":
                return [(node.operands[1], Need("!="))]
            case "pow":
                return [(node.operands[0], Need(">", exactly=False))]
            case "tan":
                sides = (Need(">=", -HALF_PI, exactly=False), Need("<=", HALF_PI, exactly=False))
                return [(node.operands[0], need) for need in sides]
        shape = SHAPES.get(node.operation)
        return [(node.operands[0], need) for need in shape.needs] if shape else []

    def _check(self, place: int, operand: int, need: Need) -> bool:
        """Whether the domain was narrowed so that a condition holds; a gap is noted where that cannot be."""
        ends = self.bounds.of(operand)
        missing = ~ends.satisfies(need.relation, need.bound)
        if not missing.any():
            return False
        if need.exactly and place not in self._partly and _never(ends, need).any():
            self.empty = True
        if not need.exactly or need.relation not in _HALF_LINES or not self.depends[operand] or place in self._partly:
            self.undefined.append(Gap(place, operand, need))
            return False
        side, strict = _HALF_LINES[need.relation]
        bits = self.bits(operand)
        wanted = CONVEX if side else CONCAVE
        if not np.all((bits & wanted)[missing]) or self.undefined:
            self.undefined.append(Gap(place, operand, need))
            return False
        return self._narrow(operand, need, np.flatnonzero(missing), side, strict)

    def _narrow(self, operand: int, need: Need, entries: np.ndarray, side: int, strict: bool) -> bool:
        """The part of the domain where entries of a node are on one side of a number, which is convex."""
        before, sign = self.domain, -1 if side else 1
        conditions: list[Inequality] = []
        if len(entries) <= MOST_CONDITIONS:
            for entry in entries:
                form = self.forms.of(operand, int(entry))
                if form is None or not form.terms or form.rest is None:
                    conditions = []
                    break
                terms = tuple((k, sign * c) for k, c in sorted(form.terms.items()))
                conditions.append(Inequality(terms, sign * (Fraction(need.bound) - form.rest), strict))
        if conditions:
            try:
                self.domain = self.domain.within(conditions)
            except ModelError:
                self.empty = True
        elif (operand, need) not in self.narrowed:
            self.narrowed.append((operand, need))
        known = self.bounds.learned.get(operand)
        fact = _half_line(self.graph.nodes[operand].shape, need.bound, side, strict)
        self.bounds.learned[operand] = fact if known is None else known.meet(fact)
        self.bounds.domain = self.domain
        return self.domain is not before or known is None

    # The rules

    def _rule(self, place: int, node: Node) -> np.ndarray:
        if not self.depends[place]:
            return filled(EVERYTHING if self._is_number(place, node) else UNKNOWN, node.shape)
        found = bits_by_rule(self, place, node)
        if not is_affine(found).all():
            found = facts.closed(found | self.degrees.curvature(place))
            pattern = pattern_bits(self, place, node)
            if np.any(pattern & ~found & 3):
                self.patterns.add(place)
                found = facts.closed(found | pattern)
        return found

    def _is_number(self, place: int, node: Node) -> bool:
        """Whether a node that does not depend on x is a finite number or a condition."""
        if node.operation in ("unknown", "arctan2"):  # the angle of the origin is none
            return False
        if node.operation == "constant":
            return bool(np.isfinite(self.graph.constants[node["digest"]]).all())
        return all(k not in self._bits or bool(np.all(self._bits[k] & CONSTANT)) for k in node.operands)

    def operands(self, node: Node) -> list[np.ndarray]:
        """The bits of the operands of a node."""
        return [self.bits(k) for k in node.operands]


def _never(ends: Ends, need: Need) -> np.ndarray:
    """Where a condition holds at no point of the domain."""
    opposite = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}.get(need.relation)
    if opposite is None:
        return (ends.lo == 0) & (ends.hi == 0)
    return ends.satisfies(opposite, need.bound)


def _half_line(shape: tuple[int, ...], bound: float, side: int, strict: bool) -> Ends:
    """The numbers on one side of a bound, as ends."""
    full, yes = (lambda value: np.full(shape, value)), np.full(shape, True)
    if side:
        return Ends(full(-np.inf), full(bound), yes, np.full(shape, strict))
    return Ends(full(bound), full(np.inf), np.full(shape, strict), yes)
