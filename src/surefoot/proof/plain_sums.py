"""Sums as they are written: what is plainly known of a node, and which multiples of which terms a sum is made of.

3 u - (u + v)/2    is    { u: 5/2,  v: -1/2 },     in rational numbers
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

import numpy as np

from surefoot.problem.real import BINARY, CONDITIONS, REDUCTIONS, STRUCTURE, UNARY, Builder, Node

MOST_TERMS = 40
"""Longest sum that is looked through for terms that belong together."""

_EVERYWHERE = {
    "input", "constant", *STRUCTURE, "sum", "prod", "max", "min", "logsumexp", "cumsum", "dot", "neg", "exp", "expm1",
    "cbrt", "abs", "sign", "floor", "ceil", "round", "sin", "cos", "arctan", "sinh", "cosh", "tanh", "arcsinh",
    "logistic", "softplus", "erf", "erfc", "log_ndtr", "add", "sub", "mul", "maximum", "minimum", "hypot",
    "lt", "le", "eq", "ne", "and", "or", "not", "where",
}  # fmt: skip
"""Operations that are defined for all operands."""


def added_again(
    build: Builder, node: Node, operands: Sequence[int], constants: Mapping[str, np.ndarray]
) -> int:  # fmt: skip
    """The same operation on other operands, in a builder."""
    operation = node.operation
    if operation == "constant":
        build.constants.setdefault(node["digest"], constants[node["digest"]])
        return build.add_node("constant", (), node.shape, digest=node["digest"])
    if operation == "take":
        return build.take(operands[0], constants[node["digest"]])
    if operation in _AGAIN:
        return _AGAIN[operation](build, node, operands)
    if operation in UNARY:
        return build.unary(operation, operands[0])
    if operation in BINARY:
        return build.binary(operation, *operands)
    if operation in CONDITIONS:
        return build.condition(operation, *operands)
    if operation in REDUCTIONS:
        return build.reduce(operation, operands[0], node["axes"])
    return build.add_node(operation, operands, node.shape, **dict(node.settings))


_AGAIN: dict[str, Callable[[Builder, Node, Sequence[int]], int]] = {
    "input": lambda build, node, u: build.input,
    "power": lambda build, node, u: build.power(u[0], node["exponent"]),
    "where": lambda build, node, u: build.where(*u),
    "cumsum": lambda build, node, u: build.cumsum(u[0], node["axis"], node["reverse"]),
    "dot": lambda build, node, u: build.dot(u[0], u[1], node["contract"], node["batch"]),
    "reshape": lambda build, node, u: build.reshape(u[0], node.shape),
    "transpose": lambda build, node, u: build.transpose(u[0], node["axes"]),
    "broadcast": lambda build, node, u: build.broadcast(u[0], node.shape, node["axes"]),
    "slice": lambda build, node, u: build.slice(u[0], *zip(*node["cuts"], strict=True)),
    "reverse": lambda build, node, u: build.reverse(u[0], node["axes"]),
    "concatenate": lambda build, node, u: build.concatenate(u, node["axis"]),
    "pad": lambda build, node, u: build.pad(u[0], node["widths"]),
}


class PlainSums:
    """What is known of nodes in a builder by looking at them.

    Parameters
    ----------
    build : Builder
        It grows where terms are taken out of what repeats or reshapes a sum.
    """

    def __init__(self, build: Builder) -> None:
        self.build = build
        self._total: dict[int, bool] = {}
        self._positive: dict[int, bool] = {}

    # What is known of new nodes

    def is_total(self, place: int) -> bool:
        """Whether a node is defined at every x."""
        if place not in self._total:
            node = self.build.nodes[place]
            value = self.build.value(place)
            fine = node.operation in _EVERYWHERE or (node.operation == "power" and is_natural(node["exponent"]))
            if node.operation == "div":
                divisor = self.build.value(node.operands[1])
                fine = (divisor is not None and bool(np.all(divisor != 0))) or self.is_positive(node.operands[1])
            if node.operation == "log" or node.operation == "power":
                fine = fine or self.is_positive(node.operands[0])
            if value is not None:
                fine = value.dtype == bool or bool(np.all(np.isfinite(value)))
            self._total[place] = fine and all(self.is_total(k) for k in node.operands)
        return self._total[place]

    def is_positive(self, place: int) -> bool:
        """Whether a node is plainly > 0 wherever it is defined."""
        if place not in self._positive:
            node, value = self.build.nodes[place], self.build.value(place)
            self._positive[place] = False
            if value is not None:
                found = value.dtype != bool and value.size > 0 and bool(np.all(value > 0))
            elif node.operation in ("exp", "cosh", "logistic", "softplus", "erfc"):
                found = True
            elif node.operation in ("sum", "prod", "max", "min", "cumsum"):
                found = self.is_positive(node.operands[0]) and self.build.nodes[node.operands[0]].size > 0
                found = found or (node.operation == "sum" and self._has_positive_terms(node))
            elif node.operation == "dot":
                found = self._has_positive_products(node)
            elif node.operation == "where":
                found = all(map(self.is_positive, node.operands[1:]))
            elif node.operation == "add":
                found = any(self.is_positive(k) for k in node.operands) and all(
                    map(self.is_not_negative, node.operands)
                )
            elif node.operation in ("mul", "div", "maximum", "minimum", "abs", "power") or (
                node.operation in STRUCTURE and node.operation not in ("pad", "take")
            ):
                found = all(self.is_positive(k) for k in node.operands)
            else:
                found = False
            self._positive[place] = found
        return self._positive[place]

    def _has_positive_terms(self, node: Node) -> bool:
        """Whether each sum has terms that are positive, where others may be 0: ``c u`` with c >= 0, or choices of 0."""
        chosen = self.chosen_terms(node.operands[0])
        if chosen is None or not self.is_positive(chosen[0]):
            return False
        return bool(np.all(np.any(chosen[1] > 0, axis=node["axes"]))) and bool(np.all(chosen[1] >= 0))

    def chosen_terms(self, place: int) -> tuple[int, np.ndarray] | None:
        """The u and the constants c of a node that is ``c u``, or u where a constant condition holds, else 0."""
        node = self.build.nodes[place]
        if node.operation == "mul":
            for constant, other in (node.operands, node.operands[::-1]):
                value = self.build.value(constant)
                if value is not None and value.dtype != bool and not self.is_constant(other):
                    return other, value
        if node.operation == "where":
            condition, yes, no = node.operands
            known = self.build.value(condition)
            for u, other, taken in ((yes, no, known), (no, yes, None if known is None else ~known)):
                if taken is not None and self.filled(other) == 0.0:
                    return u, taken.astype(float)
        return None

    def _has_positive_products(self, node: Node) -> bool:
        """Whether each entry of a contraction with constants >= 0 has a positive one among them, and u > 0."""
        for k, constant in enumerate(node.operands):
            value = self.build.value(constant)
            if value is None or value.dtype == bool or not np.all(value >= 0):
                continue
            if self.is_positive(node.operands[1 - k]):
                return bool(np.all(np.any(value > 0, axis=node["contract"][k])))
        return False

    def is_not_negative(self, place: int) -> bool:
        """Whether a node is plainly >= 0 wherever it is defined."""
        node, value = self.build.nodes[place], self.build.value(place)
        if self.is_positive(place) or node.operation == "abs":
            return True
        if value is not None:
            return value.dtype != bool and bool(np.all(value >= 0))
        if node.operation == "power":
            return is_even(node["exponent"]) or self.is_not_negative(node.operands[0])
        if node.operation in ("add", "sum", "cumsum", "mul", "dot", "max", "maximum", *STRUCTURE):
            return all(self.is_not_negative(k) for k in node.operands)
        if node.operation == "where":
            return all(self.is_not_negative(k) for k in node.operands[1:])
        return False

    def filled(self, place: int) -> float | None:
        """The one number of a constant."""
        value = self.build.value(place)
        if value is None or value.dtype == bool or not value.size or not np.all(value == value.flat[0]):
            return None
        return float(value.flat[0])

    def is_constant(self, place: int) -> bool:
        """Whether a node is a known array."""
        return self.build.value(place) is not None

    def like(self, number: float, place: int) -> int:
        """A number, in the shape of a node."""
        return self.build.broadcast(self.build.constant(number), self.build.shape(place), ())

    def split(self, place: int, operation: str) -> tuple[int, ...] | None:
        """The operands of a node, if it is of an operation."""
        node = self.build.nodes[place]
        return node.operands if node.operation == operation else None

    def count(self, place: int) -> int:
        """How many terms were written down."""
        count, stack = 0, [place]
        while stack and count <= 2 * MOST_TERMS:
            node = self.build.nodes[stack.pop()]
            if node.operation in ("add", "sub", "neg"):
                stack.extend(node.operands)
            else:
                count += 1
        return count

    def terms(self, place: int) -> dict[int, Fraction]:
        """A sum as multiples of nodes of its shape: numbers times nodes, through repetitions and reshaping."""
        found: dict[int, Fraction] = {}
        stack = [(place, Fraction(1))]
        while stack:
            k, c = stack.pop()
            node = self.build.nodes[k]
            if self.is_constant(k) or len(found) > MOST_TERMS:
                found[k] = found.get(k, Fraction(0)) + c
            elif node.operation in ("add", "sub"):
                stack += [(node.operands[1], c if node.operation == "add" else -c), (node.operands[0], c)]
            elif node.operation == "neg":
                stack.append((node.operands[0], -c))
            elif node.operation in ("broadcast", "reshape") and self._is_sum(node.operands[0]):
                for inner, times in self.terms(node.operands[0]).items():
                    moved = added_again(self.build, node, [inner], self.build.constants)
                    stack.append((moved, c * times))
            elif (scaled := self._scaled(node)) is not None:
                stack.append((scaled[0], c * scaled[1]))
            else:
                found[k] = found.get(k, Fraction(0)) + c
        return found

    def _is_sum(self, place: int) -> bool:
        node = self.build.nodes[place]
        if node.operation in ("broadcast", "reshape"):
            return self._is_sum(node.operands[0])
        return node.operation in ("add", "sub", "neg")

    def _scaled(self, node: Node) -> tuple[int, Fraction] | None:
        """A node times a number."""
        if node.operation == "mul":
            for constant, other in (node.operands, node.operands[::-1]):
                if (c := self.filled(constant)) is not None and np.isfinite(c) and c:
                    return other, Fraction(c)
        if node.operation == "div":
            c = self.filled(node.operands[1])
            if c and np.isfinite(c) and np.frexp(c)[0] in (0.5, -0.5):
                return node.operands[0], 1 / Fraction(c)
        return None

    def combined(self, terms: Mapping[int, Fraction], shape: Sequence[int]) -> int:
        """The node of a sum of multiples that doubles hold: what is added first, then what is taken away."""
        build, total = self.build, None
        if not all(map(is_double, terms.values())):
            raise ValueError("A coefficient that no double holds would be rounded.")
        ordered = sorted(terms.items(), key=lambda item: (item[1] < 0, item[0]))
        for place, c in ordered:
            size = abs(c)
            term = place if size == 1 else build.mul(self.like(float(size), place), place)
            if total is None:
                total = term if c >= 0 else build.unary("neg", term)
            else:
                total = build.add(total, term) if c >= 0 else build.sub(total, term)
        return build.broadcast(build.constant(0.0), shape, ()) if total is None else total

    def difference(self, a: int, b: int) -> dict[int, Fraction]:
        """The terms of ``a - b``, without what cancels."""
        found = dict(self.terms(a))
        for k, c in self.terms(b).items():
            found[k] = found.get(k, Fraction(0)) - c
        return {k: c for k, c in found.items() if c and self.filled(k) != 0.0}

    def ratio(self, a: int, b: int) -> Fraction | None:
        """The k with ``a = k b`` by their terms."""
        return multiple(*({k: c for k, c in self.terms(u).items() if c and self.filled(k) != 0.0} for u in (a, b)))


def multiple(one: Mapping[int, Fraction], other: Mapping[int, Fraction]) -> Fraction | None:
    """The k, if the terms of one sum are k times those of another, which is not 0."""
    if not other or set(one) != set(other):
        return None
    place = next(iter(other))
    k = one[place] / other[place]
    return k if all(one[term] == k * c for term, c in other.items()) else None


def is_natural(exponent: Fraction) -> bool:
    """A whole number from 1 up."""
    return exponent.denominator == 1 and exponent > 0


def is_even(exponent: Fraction) -> bool:
    """A multiple of 2, 0 and negative ones included."""
    return exponent.denominator == 1 and exponent % 2 == 0


def is_double(c: Fraction) -> bool:
    """Whether a double holds it."""
    try:
        return Fraction(float(c)) == c
    except OverflowError:
        return False
