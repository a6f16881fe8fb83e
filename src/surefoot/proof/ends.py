"""Ends of arrays of real numbers that may be known to be left out, and what operations make of them.

    u > 0 and v >= 1    =>    u + v > 1,  u v > 0,  u/v > 0,  exp(u) > 1

Ends are rounded outward by `interval`; an end that was rounded is left out anyway, which nothing needs to know.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from surefoot.problem.real import Node
from surefoot.problem.structure import subscripts
from surefoot.proof import interval_functions as functions
from surefoot.proof import interval_sums as sums
from surefoot.proof.interval import Interval, Truth

GROWING = (
    "exp", "expm1", "log", "log1p", "cbrt", "sinh", "tanh", "arctan", "arcsinh", "logistic", "softplus", "erf",
    "log_ndtr", "arctanh", "arccosh", "arcsin",
)  # fmt: skip
"""Functions that strictly increase: an end that is left out stays so."""

FALLING = ("neg", "erfc", "arccos")


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


def with_ends_left_out(u: Interval, above: Any, below: Any) -> Ends:
    """An interval, with what is known of its ends."""
    ends = plain(u)
    return Ends(ends.lo, ends.hi, ends.above | above, ends.below | below)


def with_ends(operation: str, u: Ends) -> Ends:
    """A function of one operand by its name: one that strictly grows, or falls, keeps what is known of the ends."""
    value = functions.UNARY[operation](u.interval)
    if operation in GROWING:
        return with_ends_left_out(value, u.above, u.below)
    if operation in FALLING:
        return with_ends_left_out(value, u.below, u.above)
    return plain(value)


def _added(u: Ends, v: Ends) -> Ends:
    return with_ends_left_out(u.interval + v.interval, u.above | v.above, u.below | v.below)


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


def powered(u: Ends, exponent: Fraction) -> Ends:
    """``u^c``."""
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


def chosen(condition: Truth, a: Ends, b: Ends) -> Ends:
    """One of two, by a condition of which not everything need be known."""
    yes, no = condition.surely, condition.never
    hull = Ends(np.minimum(a.lo, b.lo), np.maximum(a.hi, b.hi), *_both(a, b))
    return Ends(*(np.where(yes, a[k], np.where(no, b[k], hull[k])) for k in range(4)))


def _both(a: Ends, b: Ends) -> tuple[np.ndarray, np.ndarray]:
    """Whether the hull leaves its ends out: all that reach them must."""
    above = np.where(a.lo < b.lo, a.above, np.where(a.lo > b.lo, b.above, a.above & b.above))
    below = np.where(a.hi > b.hi, a.below, np.where(a.hi < b.hi, b.below, a.below & b.below))
    return above, below


def _total(u: Ends, axes: tuple[int, ...]) -> Ends:
    return with_ends_left_out(sums.total(u.interval, axes), u.above.any(axis=axes), u.below.any(axis=axes))


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
    return with_ends_left_out(sums.logsumexp(u.interval, axes), u.above.any(axis=axes), u.below.any(axis=axes))


def running(u: Ends, node: Node) -> Ends:
    """Running sums."""
    value = sums.running(u.interval, node["axis"], node["reverse"])
    return with_ends_left_out(value, *(_met_so_far(side, node) for side in (u.above, u.below)))


def _met_so_far(known: Any, node: Node) -> np.ndarray:
    """Whether one of the terms that a running sum has added so far has a property."""
    axis = node["axis"]
    if node["reverse"]:
        return np.flip(np.logical_or.accumulate(np.flip(known, axis), axis=axis), axis)
    return np.logical_or.accumulate(known, axis=axis)


def contracted(u: Ends, v: Ends, node: Node) -> Ends:
    """A contraction; of numbers that are not negative it is not negative either."""
    value = plain(sums.contraction(u.interval, v.interval, node["contract"], node["batch"]))
    if u.lo.size and v.lo.size and u.lo.min() >= 0 and v.lo.min() >= 0:
        lo = np.maximum(value.lo, 0.0)
        # Every entry of which one product is positive.
        text = subscripts(node, u.lo.ndim, v.lo.ndim)
        positive = np.einsum(text, u.positive.astype(float), v.positive.astype(float), optimize=True) > 0
        return Ends(lo, value.hi, (np.isinf(lo) & value.above) | ((lo == 0) & positive), value.below)
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


TRUTHS: dict[str, Callable[..., Truth]] = {
    **{relation: _numbers(_compared(relation)) for relation in ("lt", "le", "eq", "ne")},
    "and": _conditions(lambda a, b: a & b),
    "or": _conditions(lambda a, b: a | b),
    "not": _conditions(lambda a: ~a),
}

ELEMENTWISE: dict[str, Callable[..., Ends]] = {
    "add": _added, "sub": lambda u, v: _added(u, _negated(v)), "neg": _negated, "mul": _multiplied, "div": _divided,
    "abs": _absolute, "maximum": _maximum, "minimum": _minimum,
}  # fmt: skip

REDUCED: dict[str, Callable[..., Ends]] = {
    "sum": _total, "prod": _product, "max": _largest, "min": _smallest, "logsumexp": _logsumexp,
}  # fmt: skip
