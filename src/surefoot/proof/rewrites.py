"""Identities of the real numbers that make a graph readable for rules of curvature: the same function, said plainly.

    log(1 + exp(u)) = softplus(u)              max(a, b) + log(1 + exp(-|a - b|)) = log(exp(a) + exp(b))
    log sum exp(u - m) = log sum exp(u) - m    -log(1/(1 + exp(-u))) = softplus(-u)       (u^2)^(1/2) = |u|

Each holds wherever either side is defined, and both sides are defined at the same points; what would lose a condition
(``u - u = 0`` where u need not be defined) is done only where the lost part is defined everywhere. Library functions
are written out again (``log1p(u) = log(1 + u)``): rounding is no question here. The graph that comes back is read by
rules only; intervals are better off with the original.

Reference: Blanchard, Higham, Higham (2021), "Accurately computing the log-sum-exp and softmax functions", IMA Journal
of Numerical Analysis 41(4), pp. 2311-2330 (the spellings with a shift).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from surefoot.problem.real import STRUCTURE, Builder, Graph, Node
from surefoot.proof.plain_sums import MOST_TERMS, PlainSums, added_again, is_double, is_even, is_natural


def plainly(graph: Graph) -> Graph:
    """The same function, rewritten.

    Examples
    --------
    >>> build = Builder(("x",))
    >>> x = build.reshape(build.input, ())
    >>> soft = build.unary("log1p", build.unary("exp", build.unary("neg", build.unary("abs", x))))
    >>> graph = build.graph(build.add(build.binary("maximum", x, build.constant(0.0)), soft))
    >>> [node.operation for node in plainly(graph).nodes]
    ['input', 'reshape', 'softplus']
    """
    return _Rewriter(graph).graph()


class _Rewriter(PlainSums):
    """One graph on its way into a new builder, operands first."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(Builder(graph.names))
        self.old = graph
        self.build.notes = list(graph.notes)

    def graph(self) -> Graph:
        new: list[int] = []
        for node in self.old.nodes:
            self.build.source = node.source
            new.append(self._again(node, [new[k] for k in node.operands]))
        return self.build.graph(new[self.old.output])

    def _again(self, node: Node, u: list[int]) -> int:
        rule = _RULES.get(node.operation)
        found = rule(self, u, node) if rule is not None else None
        return added_again(self.build, node, u, self.old.constants) if found is None else found

    # Rules by operation

    def log1p(self, u: list[int], node: Node) -> int:
        return self.log([self.plus([self.like(1.0, u[0]), u[0]])], node)

    def expm1(self, u: list[int], node: Node) -> int:
        return self.minus([self.build.unary("exp", u[0]), self.like(1.0, u[0])])

    def log(self, u: list[int], node: Node | None) -> int:
        """Logarithms of exponentials, of their sums, products and shares."""
        build, (place,) = self.build, u
        if inner := self.split(place, "exp"):
            return inner[0]
        if inner := self.split(place, "logistic"):
            return build.unary("neg", build.unary("softplus", build.unary("neg", inner[0])))
        if (inner := self.split(place, "abs")) and self.is_positive(inner[0]):
            return self.log([inner[0]], None)
        if parts := self.split(place, "add"):
            for one, other in (parts, parts[::-1]):
                found = self._log_of_one_and(one, other)
                if found is not None:
                    return found
        if self.is_positive(place) and (found := self._log_of_positive(place)) is not None:
            return found
        return build.unary("log", place)

    def _log_of_one_and(self, one: int, other: int) -> int | None:
        """``log(1 + c exp(u)) = softplus(u + log c)`` for a number c > 0."""
        if self.filled(one) != 1.0:
            return None
        if power := self.split(other, "exp"):
            return self.build.unary("softplus", power[0])
        for operation, sign in (("mul", 1), ("div", -1)):
            parts = self.split(other, operation)
            if parts is None:
                continue
            for c, rest in (parts, parts[::-1]):
                power = self.split(rest, "exp")
                if power and self.is_constant(c) and self.is_positive(c) and (sign > 0 or c == parts[-1]):
                    shift = self.build.unary("log", c)
                    moved = self.build.add(power[0], shift) if sign > 0 else self.build.sub(power[0], shift)
                    return self.build.unary("softplus", moved)
        return None

    def _log_of_positive(self, place: int) -> int | None:
        build, node = self.build, self.build.nodes[place]
        if node.operation == "sum" and (power := self.split(node.operands[0], "exp")):
            return self.logsumexp([power[0]], build.nodes[place])
        if node.operation in ("mul", "div") and all(map(self.is_positive, node.operands)):
            one, other = (self.log([k], None) for k in node.operands)
            return self.plus([one, other]) if node.operation == "mul" else self.minus([one, other])
        moves = node.operation in STRUCTURE and node.operation not in ("pad", "take")
        if moves and all(map(self.is_positive, node.operands)) and not self.is_constant(place):
            return added_again(build, node, [self.log([k], None) for k in node.operands], build.constants)
        return None

    def logsumexp(self, u: list[int], node: Node) -> int:
        """A shift that is the same along the axes of the sum comes out of it."""
        build, axes = self.build, node["axes"]
        kept, shifts = [], []
        for place, c in self.terms(u[0]).items():
            moved = None if self.is_constant(place) else self._same_along(place, axes)
            (kept if moved is None else shifts).append((place if moved is None else moved, c))
        if not shifts or not kept or not all(is_double(c) for _, c in (*kept, *shifts)):
            return build.reduce("logsumexp", u[0], axes)
        inner = build.reduce("logsumexp", self.combined(dict(kept), build.shape(u[0])), axes)
        total = {inner: Fraction(1)}
        for place, c in shifts:
            total[place] = total.get(place, Fraction(0)) + c
        return self.combined(total, build.shape(inner))

    def _same_along(self, place: int, axes: Sequence[int]) -> int | None:
        """What a node repeats along axes, in the shape without them; None if it is not the same along all of them."""
        node = self.build.nodes[place]
        if node.operation != "broadcast":
            return None
        inner, where = node.operands[0], node["axes"]
        shape = self.build.shape(inner)
        if any(axis in axes and n != 1 for axis, n in zip(where, shape, strict=True)):
            return None
        left = [n for axis, n in zip(where, shape, strict=True) if axis not in axes]
        rest = [axis for axis in range(len(node.shape)) if axis not in axes]
        spread = tuple(rest.index(axis) for axis in where if axis not in axes)
        return self.build.broadcast(self.build.reshape(inner, left), [node.shape[axis] for axis in rest], spread)

    def absolute(self, u: list[int], node: Node | None) -> int | None:
        return u[0] if self.is_not_negative(u[0]) else None

    def power(self, u: list[int], node: Node) -> int | None:
        """``(u^2)^(1/2) = |u|``; an even power is one of the size."""
        build, exponent = self.build, node["exponent"]
        inner = build.nodes[u[0]]
        even = inner.operation == "power" and is_even(inner["exponent"]) and inner["exponent"] > 0
        if even and not is_natural(exponent):
            size = inner.operands[0]
            size = size if self.is_not_negative(size) else build.unary("abs", size)
            return build.power(size, exponent * inner["exponent"])
        if inner.operation == "add" and exponent == -1:
            return self.div([self.like(1.0, u[0]), u[0]], node)
        return None

    def where(self, u: list[int], node: Node) -> int | None:
        """Choices by a comparison of what is chosen from."""
        build, (condition, a, b) = self.build, u
        if inner := self.split(condition, "not"):
            return self.where([inner[0], b, a], node) or build.where(inner[0], b, a)
        test = build.nodes[condition]
        if test.operation not in ("lt", "le"):
            return None
        low, high = test.operands
        for (first, second), operation in (((high, low), "maximum"), ((low, high), "minimum")):
            if self._same(a, first) and self._same(b, second):
                return self.larger([a, b], operation)
        return self._by_difference(a, b, low, high)

    def _by_difference(self, a: int, b: int, low: int, high: int) -> int | None:
        """``where(low < high, a, b) = max(a, b)`` if ``a - b = k (high - low)``, k > 0; for k < 0 it is the smaller."""
        if not (self.is_total(a) and self.is_total(b)):
            return None
        ahead, apart = self.difference(high, low), self.difference(a, b)
        if not ahead or set(ahead) != set(apart):
            return None
        place = next(iter(ahead))
        k = apart[place] / ahead[place]
        if any(apart[one] != k * c for one, c in ahead.items()):
            return None
        return self.larger([a, b], "maximum" if k > 0 else "minimum")

    def _same(self, u: int, v: int) -> bool:
        if u == v:
            return True
        one, other = self.build.value(u), self.build.value(v)
        return one is not None and other is not None and one.dtype == other.dtype and bool(np.array_equal(one, other))

    def larger(self, u: list[int], operation: str) -> int:
        """``max(u, -u) = |u|``."""
        build = self.build
        if operation == "maximum" and build.unary("neg", u[0]) == u[1]:
            return self.absolute(u, None) or build.unary("abs", u[0])
        return build.binary(operation, *u)

    def mul(self, u: list[int], node: Node) -> int | None:
        """Signs, constants and divisors come out of products; powers of one thing join."""
        build = self.build
        for one, other in (u, u[::-1]):
            if inner := self.split(one, "neg"):
                return self._negative(self.times(inner[0], other))
            if self.is_constant(other):
                continue
            if (parts := self.split(one, "mul")) and not self.is_constant(one):
                for c, rest in (parts, parts[::-1]):
                    if self.is_constant(c):
                        return self.times(c, self.times(rest, other))
            if (parts := self.split(one, "div")) and not self.is_constant(one):
                return self.div([self.times(parts[0], other), parts[1]], node)
            base, exponent = self._base(one)
            if exponent < 0:
                return self.div([other, build.power(base, -exponent)], node)
            base_other, exponent_other = self._base(other)
            if base == base_other and is_natural(exponent) and is_natural(exponent_other):
                return build.power(base, exponent + exponent_other)
        return None

    def _base(self, place: int) -> tuple[int, Fraction]:
        node = self.build.nodes[place]
        return (node.operands[0], node["exponent"]) if node.operation == "power" else (place, Fraction(1))

    def times(self, u: int, v: int) -> int:
        """A product, rewritten."""
        found = self.mul([u, v], self.build.nodes[u])
        return self.build.mul(u, v) if found is None else found

    def _negative(self, place: int) -> int:
        return self.build.unary("neg", place)

    def div(self, u: list[int], node: Node) -> int:
        """The logistic function in its spellings; quotients of quotients; signs."""
        build, (above, below) = self.build, u
        if inner := self.split(above, "neg"):
            return self._negative(self.div([inner[0], below], node))
        if inner := self.split(below, "neg"):
            return self._negative(self.div([above, inner[0]], node))
        if parts := self.split(above, "div"):
            return self.div([parts[0], self.times(parts[1], below)], node)
        if parts := self.split(below, "add"):
            for one, other in (parts, parts[::-1]):
                power = self.split(other, "exp")
                if self.filled(one) == 1.0 and power:
                    if above == other:
                        return build.unary("logistic", power[0])
                    if self.is_constant(above):
                        return self.times(above, build.unary("logistic", build.unary("neg", power[0])))
        return build.div(above, below)

    def dot(self, u: list[int], node: Node) -> int | None:
        """An inner product of two vectors is a sum of products."""
        if node.shape or len(self.build.shape(u[0])) != 1 or any(map(self.is_constant, u)):
            return None
        return self.build.reduce("sum", self.times(*u), (0,))

    # Sums

    def plus(self, u: list[int], node: Node | None = None) -> int:
        for one, other in (u, u[::-1]):
            if inner := self.split(other, "neg"):
                return self.minus([one, inner[0]])
        return self._joined(self.build.add(*u))

    def minus(self, u: list[int], node: Node | None = None) -> int:
        if inner := self.split(u[1], "neg"):
            return self.plus([u[0], inner[0]])
        if self.filled(u[0]) == 0.0:
            return self._negative(u[1])
        if self.filled(u[0]) == 1.0 and (inner := self.split(u[1], "logistic")):
            return self.build.unary("logistic", self.build.unary("neg", inner[0]))
        return self._joined(self.build.sub(*u))

    def _joined(self, place: int) -> int:
        """A sum whose terms cancel, join, or are a log-sum-exp in pieces."""
        terms = self.terms(place)
        if len(terms) > MOST_TERMS:
            return place
        found = self._with_pairs(self._with_extremes(dict(terms)))
        found = {term: c for term, c in found.items() if c or not self.is_total(term)}
        if found == terms and self.count(place) <= len(terms):
            return place
        if not all(is_double(c) for c in found.values()):
            return place
        return self.combined(found, self.build.shape(place))

    def _with_extremes(self, terms: dict[int, Fraction]) -> dict[int, Fraction]:
        """``c max(a, b) + c min(a, b) = c a + c b``."""
        pairs = {place: self.split(place, "maximum") for place in terms}
        for larger, pair in pairs.items():
            if pair is None or not terms[larger]:
                continue
            for smaller in list(terms):
                if self.split(smaller, "minimum") == pair and terms[smaller] == terms[larger]:
                    c = terms[larger]
                    terms[larger] = terms[smaller] = Fraction(0)
                    for one in pair:
                        terms[one] = terms.get(one, Fraction(0)) + c
                    break
        return terms

    def _with_pairs(self, terms: dict[int, Fraction]) -> dict[int, Fraction]:
        """``c max(a, b) + c softplus(-|a - b|) = c log(exp a + exp b)``."""
        for soft, c in list(terms.items()):
            inner = self.split(soft, "softplus")
            negative = self.split(inner[0], "neg") if inner else None
            size = self.split(negative[0], "abs") if negative else None
            if not size or not c:
                continue
            gap = {k: v for k, v in self.terms(size[0]).items() if v and self.filled(k) != 0.0}
            for larger, other in list(terms.items()):
                pair = self.split(larger, "maximum")
                if pair is None or other * c <= 0 or larger == soft:
                    continue
                between = self.difference(*pair)
                if gap not in (between, {k: -v for k, v in between.items()}):
                    continue
                shared = min(c, other, key=abs)
                joint = self._log_of_two(*pair)
                terms[soft], terms[larger] = c - shared, other - shared
                terms[joint] = terms.get(joint, Fraction(0)) + shared
                terms = {k: v for k, v in terms.items() if v or k not in (soft, larger)}
                break
        return terms

    def _log_of_two(self, a: int, b: int) -> int:
        """``log(exp(a) + exp(b))``."""
        build = self.build
        for one, other in ((a, b), (b, a)):
            if self.filled(one) == 0.0:
                return build.unary("softplus", other)
        shape = build.shape(a)
        return build.reduce(
            "logsumexp", build.concatenate([build.reshape(one, (1, *shape)) for one in (a, b)], 0), (0,)
        )


_RULES: dict[str, Callable[[_Rewriter, list[int], Node], int | None]] = {
    "log1p": _Rewriter.log1p, "expm1": _Rewriter.expm1, "log": _Rewriter.log, "logsumexp": _Rewriter.logsumexp,
    "abs": _Rewriter.absolute, "power": _Rewriter.power, "where": _Rewriter.where, "mul": _Rewriter.mul,
    "div": _Rewriter.div, "dot": _Rewriter.dot, "add": _Rewriter.plus, "sub": _Rewriter.minus,
    "maximum": lambda self, u, node: self.larger(u, "maximum"),
}  # fmt: skip
