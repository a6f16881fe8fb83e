"""Affine parts of a graph in rational numbers: entry by entry ``a'x + c``, and when a map is injective.

    u_e(x) = sum_j a_ej x_j + c_e

Doubles are rational numbers, so nothing is rounded. Only the entries that are asked for are computed, each once. That a
map has full column rank is shown modulo a prime: every denominator is turned into a number modulo p, a minor that is
not 0 modulo p is not 0, so the rank modulo p is a lower bound of the rank.

Reference: von zur Gathen, Gerhard (2013), "Modern Computer Algebra", 3rd ed., Cambridge, section 5.5, pp. 110-113
(determinants modulo primes).
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import product
from typing import NamedTuple

import numpy as np

from surefoot.problem.real import STRUCTURE, Graph, Node
from surefoot.problem.structure import origins

DEEPEST = 300
"""How many operations deep a form is followed."""

PRIMES = (2147483647, 2147483629)


class Form(NamedTuple):
    """``sum of terms[j] x_j + rest``; no coefficient is 0. A rest of None is a number that is not known exactly."""

    terms: dict[int, Fraction]
    rest: Fraction | None

    def plus(self, other: Form, c: Fraction) -> Form:
        """``self + c other``."""
        if not c:
            return self
        terms = dict(self.terms)
        for place, value in other.terms.items():
            total = terms.get(place, 0) + c * value
            if total:
                terms[place] = Fraction(total)
            else:
                terms.pop(place, None)
        rest = None if self.rest is None or other.rest is None else self.rest + c * other.rest
        return Form(terms, rest)

    def times(self, c: Fraction) -> Form:
        """``c self``."""
        if not c:
            return ZERO
        return Form({place: c * v for place, v in self.terms.items()}, None if self.rest is None else c * self.rest)


ZERO = Form({}, Fraction(0))


class AffineForms:
    """The affine entries of the nodes of a graph.

    Parameters
    ----------
    graph : Graph
        Any; of entries that are not affine, or whose coefficients are not rational, nothing is known.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x", "y"))
    >>> u = build.dot(build.constant([[1.0, 2.0], [0.0, -1.0]]), build.input, ((1,), (0,)))
    >>> forms = AffineForms(build.graph(build.sum(u)))
    >>> forms.of(2, 0).terms
    {0: Fraction(1, 1), 1: Fraction(2, 1)}
    """

    def __init__(self, graph: Graph) -> None:
        self.graph, self.depends = graph, graph.depends()
        self._known: dict[tuple[int, int], Form | None] = {}
        self._sources: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._depth = 0

    def of(self, place: int, entry: int) -> Form | None:
        """The form of an entry of a node, by its number in row-major order; None if it is not known to have one."""
        key = (place, entry)
        if key not in self._known:
            if self._depth > DEEPEST:
                return None
            self._depth += 1
            try:
                self._known[key] = self._rule(place, self.graph.nodes[place], entry)
            finally:
                self._depth -= 1
        return self._known[key]

    def _rule(self, place: int, node: Node, entry: int) -> Form | None:
        match node.operation:
            case "input":
                return Form({entry: Fraction(1)}, Fraction(0))
            case "constant":
                value = float(self.graph.constants[node["digest"]].flat[entry])
                return Form({}, Fraction(value)) if np.isfinite(value) else None
            case "neg":
                return self._sum([(node.operands[0], entry, -1)])
            case "add":
                return self._sum([(k, entry, 1) for k in node.operands])
            case "sub":
                return self._sum([(node.operands[0], entry, 1), (node.operands[1], entry, -1)])
            case "mul" | "div":
                return self._product(node, entry)
            case "sum":
                return self._sum([(node.operands[0], e, 1) for e in self._summed(node, entry)])
            case "cumsum":
                return self._sum([(node.operands[0], e, 1) for e in self._run(node, entry)])
            case "dot":
                return self._dot(node, entry)
        if node.operation in STRUCTURE:
            which, where = self._source(place, node)
            return ZERO if which[entry] < 0 else self.of(node.operands[which[entry]], int(where[entry]))
        return None if self.depends[place] or node.operation == "unknown" else Form({}, None)

    def _sum(self, parts: Iterable[tuple[int, int, int]]) -> Form | None:
        total = ZERO
        for k, entry, sign in parts:
            form = self.of(k, entry)
            if form is None:
                return None
            total = total.plus(form, Fraction(sign))
        return total

    def _product(self, node: Node, entry: int) -> Form | None:
        u, v = (self.of(k, entry) for k in node.operands)
        if v is None or u is None:
            return None
        if not u.terms and not v.terms and (u.rest is None or v.rest is None):
            return Form({}, None)
        if node.operation == "div":
            return None if v.terms or not v.rest else u.times(1 / v.rest)
        factor, other = (u, v) if not u.terms else (v, u)
        return None if factor.terms or factor.rest is None else other.times(factor.rest)

    def _summed(self, node: Node, entry: int) -> np.ndarray:
        shape, axes = self.graph.nodes[node.operands[0]].shape, node["axes"]
        index = list(np.unravel_index(entry, node.shape)) if node.shape else []
        key = tuple(slice(None) if axis in axes else int(index.pop(0)) for axis in range(len(shape)))
        return np.arange(int(np.prod(shape))).reshape(shape)[key].ravel()

    def _run(self, node: Node, entry: int) -> np.ndarray:
        index, axis = [int(k) for k in np.unravel_index(entry, node.shape)], node["axis"]
        steps = range(index[axis], node.shape[axis]) if node["reverse"] else range(index[axis] + 1)
        return np.array([np.ravel_multi_index([*index[:axis], step, *index[axis + 1 :]], node.shape) for step in steps])

    def _dot(self, node: Node, entry: int) -> Form | None:
        left, right = (self.graph.nodes[k].shape for k in node.operands)
        (cu, cv), (bu, bv) = node["contract"], node["batch"]
        index = [int(k) for k in np.unravel_index(entry, node.shape)] if node.shape else []
        one, other = dict(zip(bu, index, strict=False)), dict(zip(bv, index, strict=False))
        rest = index[len(bu) :]
        for axis in (axis for axis in range(len(left)) if axis not in cu + bu):
            one[axis] = rest.pop(0)
        for axis in (axis for axis in range(len(right)) if axis not in cv + bv):
            other[axis] = rest.pop(0)
        total = ZERO
        for inner in product(*(range(left[axis]) for axis in cu)):
            one.update(zip(cu, inner, strict=True))
            other.update(zip(cv, inner, strict=True))
            u, v = (
                self.of(k, int(np.ravel_multi_index([at[axis] for axis in range(len(shape))], shape)) if shape else 0)
                for k, at, shape in zip(node.operands, (one, other), (left, right), strict=True)
            )
            if u is None or v is None:
                return None
            factor, form = (u, v) if not u.terms else (v, u)
            if factor.terms or factor.rest is None:
                return None
            total = total.plus(form, factor.rest)
        return total

    def _source(self, place: int, node: Node) -> tuple[np.ndarray, np.ndarray]:
        """For each entry which operand it comes from, -1 for none, and from which entry of it."""
        if place not in self._sources:
            starts, source = origins(self.graph, node)
            flat = source.ravel() - 1
            which = np.searchsorted(starts, flat, side="right") - 1
            self._sources[place] = (np.where(flat < 0, -1, which), flat - starts[np.maximum(which, 0)])
        return self._sources[place]


def is_injective(forms: Iterable[dict[int, Fraction]], size: int) -> bool:
    """Whether linear forms are proven to determine x: their matrix has rank n.

    Parameters
    ----------
    forms : iterable of mapping
        Coefficients by place; it is read only until the rank is full.
    size : int
        n.

    Examples
    --------
    >>> one, two = {0: Fraction(1), 1: Fraction(1, 3)}, {0: Fraction(3), 1: Fraction(1)}
    >>> is_injective([one, two], 2), is_injective([one, two, {1: Fraction(5)}], 2)
    (False, True)
    """
    seen = []

    def listed():
        for form in forms:
            seen.append(form)
            yield form

    return any(_full_rank(listed() if k == 0 else seen, size, prime) for k, prime in enumerate(PRIMES))


def _full_rank(forms: Iterable[dict[int, Fraction]], size: int, prime: int) -> bool:
    pivots: dict[int, np.ndarray] = {}
    for form in forms:
        row = np.zeros(size, dtype=np.int64)
        for place, c in form.items():
            if c.denominator % prime == 0:
                break
            row[place] = c.numerator * pow(c.denominator, -1, prime) % prime
        else:
            for column in range(size):
                if not row[column]:
                    continue
                if column not in pivots:
                    pivots[column] = row * pow(int(row[column]), -1, prime) % prime
                    break
                row = (row - row[column] * pivots[column]) % prime
            if len(pivots) == size:
                return True
    return len(pivots) == size
