"""Strict and strong convexity of what the rules have shown to be convex.

    f = sum of parts, all convex, some strictly so along every line on which affine numbers a_e(x) change

If these numbers determine x (their matrix has rank n), f is strictly convex. If the quadratic parts alone are strongly
convex with modulus mu, so is f.

Reference: Boyd, Vandenberghe (2004), "Convex Optimization", Cambridge, sections 3.1.4 and 9.1.2, pp. 71, 459-460.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain

import numpy as np

from surefoot.problem.domain import Domain
from surefoot.problem.real import LINEAR, STRUCTURE, Node
from surefoot.problem.structure import origins
from surefoot.proof.affine_forms import is_injective
from surefoot.proof.chains import affine_nodes, chain_of
from surefoot.proof.curvature import Curvatures
from surefoot.proof.curvature_bits import CONCAVE, CONVEX, is_affine
from surefoot.proof.linear_parts import LinearParts
from surefoot.proof.shapes import EVERYWHERE, SHAPES, Shape, inside, power_shape
from surefoot.proof.univariate import elements_of

MOST_VARIABLES = 200
"""Up to so many variables the rank is looked at, in rational arithmetic."""

MOST_FUSIONS, MOST_FUSED_ENTRIES = 12, 5000
"""Nodes, and entries of one, that are looked at as functions of one affine number."""

Rows = list[tuple[int, np.ndarray]]


def is_strict(known: Curvatures, parts: LinearParts, *, up: bool) -> bool:
    """Whether a function whose parts bend one way, the quadratic ones together, is proven to do so strictly.

    Parameters
    ----------
    known : Curvatures
        Of the function.
    parts : LinearParts
        Of the same.
    """
    if known.graph.size > MOST_VARIABLES:
        return False
    rows: Rows = []
    reading = _Strictness(known)
    quadratic = [part.place for part in parts.parts if is_quadratic(known, part.place)]
    for part in parts.parts:
        if part.place in quadratic:
            continue
        for way, chosen in ((up, part.weight.lo > 0), (not up, part.weight.hi < 0)):
            entries = np.flatnonzero(chosen)
            if len(entries):
                rows += reading.rows(part.place, entries, up=way)
    return is_injective(chain(_hessian_rows(parts, quadratic), _forms(known, rows)), known.graph.size)


def _hessian_rows(parts: LinearParts, places: list[int]) -> Iterator[dict[int, Fraction]]:
    """The rows of the Hessian H of the quadratic parts together: strictly convex along v wherever ``H v`` is not 0."""
    from surefoot.proof.exact_doubles import TooMuchError, fraction
    from surefoot.proof.quadratic import hessian_of
    from surefoot.proof.quadratic_form import read_forms

    if not places:
        return
    graph = parts.only(places)
    read = read_forms(graph)[graph.output]
    if read is None or read.is_affine:
        return
    try:
        hessian = hessian_of(read, graph.size)
    except TooMuchError:
        return
    if hessian.error:
        return
    for row in range(graph.size):
        entries = ((column, fraction(hessian.matrix[row, column])) for column in range(graph.size))
        yield {column: c for column, c in entries if c}


def modulus(known: Curvatures, parts: LinearParts, domain: Domain, *, up: bool) -> Fraction | None:
    """A modulus of strong convexity from the quadratic parts alone, where all bend one way; None if they have none."""
    from surefoot.proof import quadratic

    chosen = [part.place for part in parts.parts if is_quadratic(known, part.place)]
    if not chosen:
        return None
    found = quadratic.prove(parts.only(chosen), domain)
    wanted = "strongly convex" if up else "strongly concave"
    return found.modulus if found is not None and found.curvature.value == wanted else None


def is_quadratic(known: Curvatures, place: int) -> bool:
    """Whether a node is a square or a product of affine numbers."""
    node = known.graph.nodes[place]
    squared = node.operation == "power" and node["exponent"] == 2
    return (squared or node.operation in ("mul", "dot")) and all(
        known.depends[k] and bool(is_affine(known.bits(k)).all()) for k in node.operands
    )


def _forms(known: Curvatures, rows: Rows) -> Iterator[dict[int, Fraction]]:
    """The linear parts of rows, some of each first: few are needed if they are many."""
    enough = 3 * known.graph.size + 20
    rng = np.random.default_rng(0)
    for place, entries in rows:
        for entry in entries if len(entries) <= enough else rng.choice(entries, enough, replace=False):
            form = known.forms.of(place, int(entry))
            if form is not None and form.terms:
                yield form.terms


class _Strictness:
    """Along which affine numbers an entry of a node is strictly convex or concave."""

    def __init__(self, known: Curvatures) -> None:
        self.known, self.graph = known, known.graph
        self._depth, self._fusions = 0, 0
        self._affine: list[bool] | None = None

    def rows(self, place: int, entries: np.ndarray, *, up: bool) -> Rows:
        """Affine nodes with entries; ``up`` for convex, whose bits must say that it is."""
        node = self.graph.nodes[place]
        bits = self.known.bits(place).ravel()[entries]
        entries = entries[(bits & (CONVEX if up else CONCAVE)) > 0]
        if not len(entries) or self._depth > 60 or is_affine(bits).all():
            return []
        self._depth += 1
        try:
            return self._rule(place, node, entries, up) or self._fused(place, node, entries)
        finally:
            self._depth -= 1

    def _fused(self, place: int, node: Node, entries: np.ndarray) -> Rows:
        """Of functions of one affine number each, those that are strictly bent on its range."""
        if self._fusions >= MOST_FUSIONS or node.operation in LINEAR or node.size > MOST_FUSED_ENTRIES:
            return []
        self._fusions += 1
        if self._affine is None:
            self._affine = affine_nodes(self.graph)
        chain = chain_of(self.graph, place, self._affine)
        found = None if chain is None else elements_of(self.graph, chain, self.known.domain)
        if chain is None or found is None or self.graph.nodes[chain.root].size != node.size:
            return []
        return [(chain.root, entries[found.strict[entries]])]

    def _rule(self, place: int, node: Node, entries: np.ndarray, up: bool) -> Rows:
        operation = node.operation
        if place in self.known.strict:
            root, strict = self.known.strict[place]
            return [(root, entries[strict.ravel()[entries]])]
        if operation == "power":
            found = self._elementary(node, power_shape(node["exponent"]), entries, up)
            return found or (self._norm(node, entries) if up else [])
        if operation in SHAPES:
            return self._elementary(node, SHAPES[operation], entries, up)
        if operation in STRUCTURE:
            return self._moved(node, entries, up)
        match operation:
            case "neg":
                return self.rows(node.operands[0], entries, up=not up)
            case "add":
                return self._added(node, entries, (up, up))
            case "sub":
                return self._added(node, entries, (up, not up))
            case "where":
                return self._chosen(place, node, entries, up)
            case "sum":
                inner = self._summed(node, entries)
                whole = len(self._bent(node.operands[0], inner, up=up)) == len(inner)
                return self.rows(node.operands[0], inner, up=up) if whole else []
            case "mul":
                return self._product(node, entries, up)
            case "div":
                return self._quotient(node, entries, up)
        return []

    def _bent(self, place: int, entries: np.ndarray, *, up: bool) -> np.ndarray:
        """Those entries that bend that way: a sum may do so although one of its terms does not."""
        return entries[(self.known.bits(place).ravel()[entries] & (CONVEX if up else CONCAVE)) > 0]

    def _added(self, node: Node, entries: np.ndarray, ways: tuple[bool, bool]) -> Rows:
        """Of a sum, where each term bends as it should: the sum may bend for another reason, and less strictly."""
        for k, up in zip(node.operands, ways, strict=True):
            entries = self._bent(k, entries, up=up)
        return [row for k, up in zip(node.operands, ways, strict=True) for row in self.rows(k, entries, up=up)]

    def _elementary(self, node: Node, shape: Shape, entries: np.ndarray, up: bool) -> Rows:
        """Strictly bent of something affine, or strictly monotone of something strictly bent."""
        if not shape.strict:
            return []
        operand = node.operands[0]
        inner = self.known.bits(operand).ravel()[entries]
        straight = entries[is_affine(inner)]
        regions = shape.convex if up else shape.concave
        found: Rows = [(operand, straight[self._stays(operand, straight, regions)])]
        bent = entries[~is_affine(inner)]
        for direction, way in ((shape.up, up), (shape.down, not up)):
            chosen = bent[self._stays(operand, bent, direction) & self._stays(operand, bent, regions)]
            found += self.rows(operand, chosen, up=way)
        return [row for row in found if len(row[1])]

    def _stays(self, operand: int, entries: np.ndarray, regions: tuple) -> np.ndarray:
        if not regions or regions == EVERYWHERE:
            return np.full(len(entries), bool(regions))
        ends = self.known.bounds.of(operand)
        return inside(regions, ends.lo.ravel()[entries], ends.hi.ravel()[entries])

    def _norm(self, node: Node, entries: np.ndarray) -> Rows:
        """``(c + sum of squares)^(1/2)``, c > 0."""
        if node["exponent"] != Fraction(1, 2):
            return []
        terms, stack = [], [node.operands[0]]
        while stack:
            place = stack.pop()
            if self.graph.nodes[place].operation == "add":
                stack.extend(self.graph.nodes[place].operands)
            else:
                terms.append(place)
        constants = [place for place in terms if not self.known.depends[place]]
        squares = [place for place in terms if self.known.depends[place]]
        positive = [bool(self.known.bounds.of(place).positive.all()) for place in constants]
        if not constants or not all(positive) or not all(map(self._are_squares, squares)):
            return []
        return [row for place in squares for row in self.rows(place, entries, up=True)]

    def _are_squares(self, place: int) -> bool:
        node = self.graph.nodes[place]
        if node.operation == "power":
            return node["exponent"] == 2 and bool(is_affine(self.known.bits(node.operands[0])).all())
        if node.operation in ("sum", "add") or node.operation in STRUCTURE:
            return all(self._are_squares(k) for k in node.operands)
        return False

    def _product(self, node: Node, entries: np.ndarray, up: bool) -> Rows:
        """A constant times something bent; or an entropy ``x log x``."""
        for constant, other in (node.operands, node.operands[::-1]):
            if not self.known.depends[constant]:
                ends = self.known.bounds.of(constant)
                more = entries[ends.positive.ravel()[entries]]
                less = entries[ends.negative.ravel()[entries]]
                return self.rows(other, more, up=up) + self.rows(other, less, up=not up)
        for x, w in (node.operands, node.operands[::-1]):
            logarithm = self.graph.nodes[w]
            if up and logarithm.operation == "log" and logarithm.operands[0] == x and self._is_straight(x):
                return [(x, entries)]
        return []

    def _quotient(self, node: Node, entries: np.ndarray, up: bool) -> Rows:
        """``c/v`` for affine v > 0; something bent over a constant."""
        above, below = node.operands
        if not self.known.depends[below]:
            ends = self.known.bounds.of(below)
            more, less = entries[ends.positive.ravel()[entries]], entries[ends.negative.ravel()[entries]]
            return self.rows(above, more, up=up) + self.rows(above, less, up=not up)
        if self.known.depends[above] or not self._is_straight(below):
            return []
        ends, divisor = self.known.bounds.of(above), self.known.bounds.of(below)
        one = (ends.positive if up else ends.negative) & divisor.positive
        other = (ends.negative if up else ends.positive) & divisor.negative
        return [(below, entries[(one | other).ravel()[entries]])]

    def _chosen(self, place: int, node: Node, entries: np.ndarray, up: bool) -> Rows:
        """Entry by entry the branch that is taken."""
        truth = self.known.bounds.truth(node.operands[0])
        yes, no = truth.surely.ravel()[entries], truth.never.ravel()[entries]
        return self.rows(node.operands[1], entries[yes], up=up) + self.rows(node.operands[2], entries[no & ~yes], up=up)

    def _is_straight(self, place: int) -> bool:
        return bool(is_affine(self.known.bits(place)).all())

    def _moved(self, node: Node, entries: np.ndarray, up: bool) -> Rows:
        starts, whole = origins(self.graph, node)
        source = whole.ravel()[entries]
        found: Rows = []
        for k, start, stop in zip(node.operands, starts[:-1], starts[1:], strict=True):
            own = np.unique(source[(source > start) & (source <= stop)]) - 1 - start
            found += self.rows(k, own, up=up)
        return found

    def _summed(self, node: Node, entries: np.ndarray) -> np.ndarray:
        """The entries of the operand that given sums add."""
        inner = self.graph.nodes[node.operands[0]].shape
        kept = tuple(1 if axis in node["axes"] else n for axis, n in enumerate(inner))
        which = np.broadcast_to(np.arange(node.size).reshape(kept), inner).ravel()
        return np.flatnonzero(np.isin(which, entries)) if len(entries) < node.size else np.arange(len(which))
