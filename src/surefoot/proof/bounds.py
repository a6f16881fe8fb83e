"""Bounds of every node of a graph on a domain, with ends that may be known to be left out.

    lo <= u(x) <= hi  for all x of the domain where u is defined,   strict where `above`, `below` say so

Most rules of curvature need a sign: ``exp(u) > 0``, ``x > 0``. Bounds are computed when they are asked for, so that a
graph whose rules need none costs nothing; ends are rounded outward. A strict bound matters at borders: on ``x > 0``,
``1/x`` is defined. What is learned on the way (that the operand of a logarithm is positive) narrows them.

Reference: Moore, Kearfott, Cloud (2009), "Introduction to Interval Analysis", SIAM, section 5.2, pp. 47-51.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from surefoot.problem.domain import Domain
from surefoot.problem.real import STRUCTURE, Graph, Node
from surefoot.problem.structure import move
from surefoot.proof import interval_functions as functions
from surefoot.proof import interval_sums as sums
from surefoot.proof.affine_forms import AffineForms
from surefoot.proof.affine_ranges import Range, affine_range
from surefoot.proof.interval import Interval, Truth

GROWING = (
    "exp", "expm1", "log", "log1p", "cbrt", "sinh", "tanh", "arctan", "arcsinh", "logistic", "softplus", "erf",
    "log_ndtr", "arctanh", "arccosh", "arcsin",
)  # fmt: skip
"""Functions that strictly increase: an end that is left out stays so."""

FALLING = ("neg", "erfc", "arccos")

MOST_FORMS = 64
"""Entries of affine nodes, and variables, up to which the range is taken from the affine form itself."""


class Ends(NamedTuple):
    """Bounds of an array: two arrays of doubles, and whether each end is known to be left out."""

    lo: np.ndarray
    hi: np.ndarray
    above: Any
    below: Any

    @property
    def positive(self) -> np.ndarray:
        """Which are known to be > 0."""
        return (self.lo > 0) | ((self.lo == 0) & self.above)

    @property
    def negative(self) -> np.ndarray:
        """Which are known to be < 0."""
        return (self.hi < 0) | ((self.hi == 0) & self.below)

    @property
    def interval(self) -> Interval:
        """Without what is known of the ends."""
        return Interval(self.lo, self.hi)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.lo.shape

    def exceeds(self, bound: float) -> np.ndarray:
        """Which are known to be > a number."""
        return (self.lo > bound) | ((self.lo == bound) & self.above)

    def stays_below(self, bound: float) -> np.ndarray:
        """Which are known to be < a number."""
        return (self.hi < bound) | ((self.hi == bound) & self.below)

    def satisfies(self, relation: str, bound: float) -> np.ndarray:
        """Which are known to be in a relation to a number: ``>``, ``>=``, ``<``, ``<=``, ``!=``."""
        match relation:
            case ">":
                return self.exceeds(bound)
            case ">=":
                return self.lo >= bound
            case "<":
                return self.stays_below(bound)
            case "<=":
                return self.hi <= bound
        return self.exceeds(bound) | self.stays_below(bound)

    def meet(self, other: Ends) -> Ends:
        """What both say."""
        above = np.where(
            self.lo > other.lo, self.above, np.where(self.lo < other.lo, other.above, self.above | other.above)
        )
        below = np.where(
            self.hi < other.hi, self.below, np.where(self.hi > other.hi, other.below, self.below | other.below)
        )
        return Ends(np.maximum(self.lo, other.lo), np.minimum(self.hi, other.hi), above, below)


def _no(u: Interval) -> np.ndarray:
    return np.broadcast_to(np.array(False), u.shape)


def plain(u: Interval) -> Ends:
    """Ends of which only those without bound are known to be left out; of an empty interval, nothing known."""
    nothing = np.isnan(u.lo) | np.isnan(u.hi)
    lo, hi = (np.where(nothing, -np.inf, u.lo), np.where(nothing, np.inf, u.hi)) if nothing.any() else (u.lo, u.hi)
    return Ends(lo, hi, np.isinf(lo), np.isinf(hi))


def _with(u: Interval, above: Any, below: Any) -> Ends:
    ends = plain(u)
    return Ends(ends.lo, ends.hi, ends.above | above, ends.below | below)


class Bounds:
    """Bounds of the nodes of a graph on a domain.

    Parameters
    ----------
    graph : Graph
        The function.
    domain : Domain
        Where it is considered.
    forms : AffineForms
        Of the same graph.

    Attributes
    ----------
    affine : set of int
        Nodes that somebody knows to be affine; their ranges are taken from their forms if they are small.
    learned : dict of int to Ends
        What holds besides.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x",))
    >>> x = build.reshape(build.input, ())
    >>> graph = build.graph(build.add(build.unary("exp", x), build.power(x, 2)))
    >>> ends = Bounds(graph, Domain.everything(("x",)), AffineForms(graph)).of(graph.output)
    >>> ends.lo.item(), ends.above.item()
    (0.0, True)
    """

    def __init__(self, graph: Graph, domain: Domain, forms: AffineForms) -> None:
        self.graph, self.domain, self.forms = graph, domain, forms
        self.affine: set[int] = set()
        self.learned: dict[int, Ends] = {}
        self._known: dict[int, Ends | Truth] = {}

    def forget(self) -> None:
        """Compute anew what is asked for: something was learned."""
        self._known.clear()

    def of(self, place: int) -> Ends:
        """The bounds of a node that is no condition."""
        found = self._found(place)
        return found if isinstance(found, Ends) else plain(Interval.entire(found.shape))

    def truth(self, place: int) -> Truth:
        """What is known of a condition."""
        found = self._found(place)
        if isinstance(found, Truth):
            return found
        yes = np.broadcast_to(np.array(True), found.shape)
        return Truth(yes, yes)

    def _found(self, place: int) -> Ends | Truth:
        if place not in self._known:
            wanted, stack = set(), [place]
            while stack:
                k = stack.pop()
                if k in wanted or k in self._known:
                    continue
                wanted.add(k)
                if not self._is_shortcut(k):
                    stack.extend(self.graph.nodes[k].operands)
            for k in sorted(wanted):
                with np.errstate(all="ignore"):
                    self._known[k] = self._computed(k)
        return self._known[place]

    def _is_shortcut(self, place: int) -> bool:
        return place in self.affine and (self.domain.is_everything or self._is_small(place))

    def _is_small(self, place: int) -> bool:
        return self.graph.nodes[place].size <= MOST_FORMS and self.graph.size <= MOST_FORMS

    def _computed(self, place: int) -> Ends | Truth:
        node = self.graph.nodes[place]
        found: Ends | Truth | None = None
        if self._is_shortcut(place) and node.operation not in ("input", "constant"):
            found = self._from_forms(place, node)
        if found is None:
            if any(k not in self._known for k in node.operands):
                found = plain(Interval.entire(node.shape))
            else:
                found = self._rule(place, node)
        if isinstance(found, Ends) and place in self.learned:
            found = found.meet(self.learned[place])
        return found

    def _from_forms(self, place: int, node: Node) -> Ends | None:
        if not self._is_small(place):
            return plain(Interval.entire(node.shape))
        ranges: list[Range] = []
        for entry in range(node.size):
            form = self.forms.of(place, entry)
            if form is None or form.rest is None:
                return plain(Interval.entire(node.shape)) if self.domain.is_everything else self._later(place)
            ranges.append(affine_range(form, self.domain))
        columns = [np.array(column).reshape(node.shape) for column in zip(*ranges, strict=True)]
        return Ends(
            columns[0].astype(float), columns[1].astype(float), columns[2].astype(bool), columns[3].astype(bool)
        )

    def _later(self, place: int) -> None:
        """Its form is not to be had: the operands must do."""
        self.affine.discard(place)
        for k in self.graph.nodes[place].operands:
            self._found(k)

    def _rule(self, place: int, node: Node) -> Ends | Truth:
        operation = node.operation
        if operation == "input":
            return Ends(self.domain.lower, self.domain.upper, self.domain.above, self.domain.below)
        if operation == "constant":
            return self._constant(self.graph.constants[node["digest"]])
        operands = [self._known[k] for k in node.operands]
        if operation in STRUCTURE:
            return self._moved(node, operands)
        if operation in _TRUTHS:
            return _TRUTHS[operation](*operands)
        numbers = [one if isinstance(one, Ends) else plain(Interval.entire(one.shape)) for one in operands]
        if operation == "where":
            condition = operands[0]
            if not isinstance(condition, Truth):
                return plain(Interval.entire(node.shape))
            return _chosen(condition, *self._within_branches(node, numbers))
        return self._number_rule(node, numbers)

    def _within_branches(self, node: Node, numbers: list[Ends]) -> tuple[Ends, Ends]:
        """Branches where they are taken: ``where(x > 0, x, 1)`` is positive."""
        test = self.graph.nodes[node.operands[0]]
        a, b = numbers[1:]
        if test.operation not in ("lt", "le"):
            return a, b
        u, v = (self._known[k] for k in test.operands)
        if not isinstance(u, Ends) or not isinstance(v, Ends):
            return a, b
        strict = np.full(node.shape, test.operation == "lt")
        yes = np.full(node.shape, True)
        over, under = np.full(node.shape, np.inf), np.full(node.shape, -np.inf)
        above_u, below_v = Ends(u.lo, over, u.above | strict, yes), Ends(under, v.hi, yes, v.below | strict)
        # Where the condition fails, the other comparison holds: strictly if this one is not strict.
        below_u, above_v = Ends(under, u.hi, yes, u.below | ~strict), Ends(v.lo, over, v.above | ~strict, yes)
        for branch, low, high in ((node.operands[1], below_v, above_u), (node.operands[2], above_v, below_u)):
            for operand, side in zip(test.operands, (low, high), strict=True):
                if branch == operand and branch == node.operands[1]:
                    a = a.meet(side)
                elif branch == operand:
                    b = b.meet(side)
        return a, b

    @staticmethod
    def _number_rule(node: Node, operands: list[Ends]) -> Ends:
        operation = node.operation
        if operation in _REDUCED:
            return _REDUCED[operation](operands[0], node["axes"])
        if operation == "cumsum":
            return _running(operands[0], node)
        if operation == "dot":
            return _contracted(operands[0], operands[1], node)
        if operation == "power":
            return _powered(operands[0], node["exponent"])
        rule = _ELEMENTWISE.get(operation)
        if rule is not None:
            return rule(*operands)
        if operation in functions.UNARY:
            return _with_ends(operation, operands[0])
        if operation == "pow" and not (operands[0].lo >= 0).all():
            return plain(Interval.entire(node.shape))
        if operation in functions.BINARY:
            return plain(functions.BINARY[operation](*(one.interval for one in operands)))
        return plain(Interval.entire(node.shape))

    @staticmethod
    def _constant(value: np.ndarray) -> Ends | Truth:
        if value.dtype == bool:
            return Truth(value, ~value)
        finite = np.isfinite(value)
        if finite.all():
            return _with(Interval.of(value), np.False_, np.False_)
        return plain(Interval(np.where(finite, value, -np.inf), np.where(finite, value, np.inf)))

    def _moved(self, node: Node, operands: list) -> Ends | Truth:
        places = self.graph.constants[node["digest"]] if node.operation == "take" else None
        if isinstance(operands[0], Truth):
            return Truth(
                move(node, [one.can_hold for one in operands], places),
                ~move(node, [~one.can_fail for one in operands], places) if node.operation != "pad" else
                move(node, [one.can_fail for one in operands], places) | ~_kept(node, operands[0].shape),
            )  # fmt: skip
        return Ends(*(move(node, [one[side] for one in operands], places) for side in range(4)))


def _kept(node: Node, shape: tuple[int, ...]) -> np.ndarray:
    return move(node, [np.ones(shape, dtype=bool)])


def _with_ends(operation: str, u: Ends) -> Ends:
    value = functions.UNARY[operation](u.interval)
    if operation in GROWING:
        return _with(value, u.above, u.below)
    if operation in FALLING:
        return _with(value, u.below, u.above)
    return plain(value)


def _added(u: Ends, v: Ends) -> Ends:
    return _with(u.interval + v.interval, u.above | v.above, u.below | v.below)


def _negated(u: Ends) -> Ends:
    return Ends(-u.hi, -u.lo, u.below, u.above)


def _multiplied(u: Ends, v: Ends) -> Ends:
    return _by_signs(u, v, u.interval * v.interval, _positive_product)


def _divided(u: Ends, v: Ends) -> Ends:
    return _by_signs(u, v, u.interval / v.interval, _positive_quotient)


def _positive_product(u: Ends, v: Ends) -> tuple[Any, Any]:
    """Whether the ends of a product of positive numbers are left out."""
    return u.above | v.above, u.below | v.below


def _positive_quotient(u: Ends, v: Ends) -> tuple[Any, Any]:
    return u.above | v.below, u.below | v.above


def _by_signs(u: Ends, v: Ends, value: Interval, ends_left_out: Callable[[Ends, Ends], tuple[Any, Any]]) -> Ends:
    """A product or quotient, sharpened where both signs are known: there it is that of sizes, with a sign."""
    found = plain(value)
    for one, left in ((u, u.positive), (_negated(u), u.negative)):
        for other, right in ((v, v.positive), (_negated(v), v.negative)):
            both = left & right
            if not np.any(both):
                continue
            above, below = ends_left_out(one, other)
            same = (one is u) == (other is v)
            size = found if same else _negated(found)
            lo = np.maximum(size.lo, 0.0)
            sharper = Ends(lo, size.hi, above | (lo == 0) | np.isinf(lo), below | np.isinf(size.hi))
            sharper = sharper if same else _negated(sharper)
            found = Ends(*(np.where(both, new, old) for new, old in zip(sharper, found, strict=True)))
    return found


def _absolute(u: Ends) -> Ends:
    right, left = u.lo >= 0, u.hi <= 0
    value = plain(abs(u.interval))
    return Ends(
        value.lo, value.hi, value.above | (right & u.above) | (left & u.below),
        value.below | (right & u.below) | (left & u.above),
    )  # fmt: skip


def _powered(u: Ends, exponent: Fraction) -> Ends:
    value = plain(functions.power(u.interval, exponent))
    if exponent == 0:
        return value
    right, left = u.lo >= 0, u.hi <= 0
    symmetric = exponent.denominator == 1 and exponent % 2 == 0
    rising = exponent > 0
    # On u >= 0 a power rises or falls throughout; on u <= 0 an odd one goes the same way, an even one the other way.
    above, below = (u.above, u.below) if rising else (u.below, u.above)
    if symmetric:
        above, below = (right & above) | (left & below), (right & below) | (left & above)
    elif not (rising and exponent.denominator == 1):
        above, below = (right | left) & above, (right | left) & below
    lo = value.lo
    if not rising:
        positive = u.positive | symmetric | (exponent.denominator != 1)
        lo = np.where(positive, np.maximum(lo, 0.0), lo)
        above = above | ((lo == 0) & positive)
        below = below | ((value.hi == 0) & u.negative)
    return Ends(lo, value.hi, np.isinf(lo) | above, np.isinf(value.hi) | below)


def _maximum(u: Ends, v: Ends) -> Ends:
    above = np.where(u.lo > v.lo, u.above, np.where(u.lo < v.lo, v.above, u.above | v.above))
    below = np.where(u.hi > v.hi, u.below, np.where(u.hi < v.hi, v.below, u.below & v.below))
    return Ends(np.maximum(u.lo, v.lo), np.maximum(u.hi, v.hi), above, below)


def _minimum(u: Ends, v: Ends) -> Ends:
    return _negated(_maximum(_negated(u), _negated(v)))


def _chosen(condition: Truth, a: Ends, b: Ends) -> Ends:
    yes, no = condition.surely, condition.never
    hull = Ends(np.minimum(a.lo, b.lo), np.maximum(a.hi, b.hi), *_both(a, b))
    return Ends(*(np.where(yes, a[k], np.where(no, b[k], hull[k])) for k in range(4)))


def _both(a: Ends, b: Ends) -> tuple[np.ndarray, np.ndarray]:
    """Whether the hull leaves its ends out: all that reach them must."""
    above = np.where(a.lo < b.lo, a.above, np.where(a.lo > b.lo, b.above, a.above & b.above))
    below = np.where(a.hi > b.hi, a.below, np.where(a.hi < b.hi, b.below, a.below & b.below))
    return above, below


def _total(u: Ends, axes: tuple[int, ...]) -> Ends:
    return _with(sums.total(u.interval, axes), u.above.any(axis=axes), u.below.any(axis=axes))


def _largest(u: Ends, axes: tuple[int, ...]) -> Ends:
    lo, hi = u.lo.max(axis=axes, keepdims=True), u.hi.max(axis=axes, keepdims=True)
    above, below = ((u.lo == lo) & u.above).any(axis=axes), ((u.hi < hi) | u.below).all(axis=axes)
    return Ends(lo.reshape(above.shape), hi.reshape(above.shape), above, below)


def _smallest(u: Ends, axes: tuple[int, ...]) -> Ends:
    return _negated(_largest(_negated(u), axes))


def _product(u: Ends, axes: tuple[int, ...]) -> Ends:
    value = plain(sums.product(u.interval, axes))
    positive = u.positive.all(axis=axes)
    lo = np.where(positive, np.maximum(value.lo, 0.0), value.lo)
    return Ends(lo, value.hi, np.isinf(lo) | ((lo == 0) & positive), value.below)


def _logsumexp(u: Ends, axes: tuple[int, ...]) -> Ends:
    return _with(sums.logsumexp(u.interval, axes), u.above.any(axis=axes), u.below.any(axis=axes))


def _running(u: Ends, node: Node) -> Ends:
    value = sums.running(u.interval, node["axis"], node["reverse"])
    return _with(value, *(_met_so_far(side, node) for side in (u.above, u.below)))


def _met_so_far(known: Any, node: Node) -> np.ndarray:
    """Whether one of the terms that a running sum has added so far has a property."""
    axis = node["axis"]
    if node["reverse"]:
        return np.flip(np.logical_or.accumulate(np.flip(known, axis), axis=axis), axis)
    return np.logical_or.accumulate(known, axis=axis)


def _contracted(u: Ends, v: Ends, node: Node) -> Ends:
    value = plain(sums.contraction(u.interval, v.interval, node["contract"], node["batch"]))
    if u.lo.size and v.lo.size and u.lo.min() >= 0 and v.lo.min() >= 0:
        lo = np.maximum(value.lo, 0.0)
        return Ends(lo, value.hi, np.isinf(lo) & value.above, value.below)
    return value


def _compared(relation: str) -> Callable[[Ends, Ends], Truth]:
    def rule(u: Ends, v: Ends) -> Truth:
        surely_less = (u.hi < v.lo) | ((u.hi == v.lo) & (u.below | v.above))
        surely_not_more = u.hi <= v.lo
        surely_more = (u.lo > v.hi) | ((u.lo == v.hi) & (u.above | v.below))
        surely_not_less = u.lo >= v.hi
        if relation == "lt":
            return Truth(~surely_not_less, ~surely_less)
        if relation == "le":
            return Truth(~surely_more, ~surely_not_more)
        apart = surely_less | surely_more
        same = (u.lo == u.hi) & (v.lo == v.hi) & (u.lo == v.lo)
        return Truth(~apart, ~same) if relation == "eq" else Truth(~same, ~apart)

    return rule


def _conditions(rule: Callable[..., Truth]) -> Callable[..., Truth]:
    def checked(*operands: Ends | Truth) -> Truth:
        shape = operands[0].shape
        yes = np.broadcast_to(np.array(True), shape)
        return rule(*(one if isinstance(one, Truth) else Truth(yes, yes) for one in operands))

    return checked


def _numbers(rule: Callable[..., Truth]) -> Callable[..., Truth]:
    def checked(*operands: Ends | Truth) -> Truth:
        return rule(*(one if isinstance(one, Ends) else plain(Interval.entire(one.shape)) for one in operands))

    return checked


_TRUTHS: dict[str, Callable[..., Truth]] = {
    **{relation: _numbers(_compared(relation)) for relation in ("lt", "le", "eq", "ne")},
    "and": _conditions(lambda a, b: a & b),
    "or": _conditions(lambda a, b: a | b),
    "not": _conditions(lambda a: ~a),
}

_ELEMENTWISE: dict[str, Callable[..., Ends]] = {
    "add": _added, "sub": lambda u, v: _added(u, _negated(v)), "neg": _negated, "mul": _multiplied, "div": _divided,
    "abs": _absolute, "maximum": _maximum, "minimum": _minimum,
}  # fmt: skip

_REDUCED: dict[str, Callable[..., Ends]] = {
    "sum": _total, "prod": _product, "max": _largest, "min": _smallest, "logsumexp": _logsumexp,
}  # fmt: skip
