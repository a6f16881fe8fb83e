"""A graph of one number t as an element of a tower, what must hold for that shown on an open interval.

Operands of logarithms and roots are positive, divisors not zero, and so on, everywhere inside: then the function is
analytic there. Where an operand of ``abs``, ``max`` or a root is zero at a rational number, the interval is to be cut.

Reference: Bronstein (2005), "Symbolic Integration I", 2nd ed., Springer, chapter 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from surefoot.problem.real import Graph, Node
from surefoot.proof.chains import read_chain
from surefoot.proof.exact_doubles import TooMuchError
from surefoot.proof.rational_functions import roots_between
from surefoot.proof.tower_limits import Limits
from surefoot.proof.tower_signs import Signs
from surefoot.proof.towers import Element, Tower


class CutError(Exception):
    """A place at which the interval is to be cut."""

    def __init__(self, place: Fraction) -> None:
        super().__init__(f"Cut at {place}.")
        self.place = place


def read_in_tower(graph: Graph, constants: Sequence[Fraction], tower: Tower, signs: Signs) -> Element:
    """The function of the first variable, the others being constants.

    Parameters
    ----------
    graph : Graph
        Of t and numbers that are constant, as `chains` draws it.
    constants : sequence of Fraction
        Their values.
    tower, signs
        An empty tower, and its signs on the interval.

    Raises
    ------
    TooMuchError
        It is of no such kind, or is not seen to be defined everywhere inside.
    CutError
        It is so on parts of the interval.
    """
    leaves = [tower.t, *(tower.constant(c) for c in constants)]
    return read_chain(graph, leaves, tower.constant, _Reading(graph, tower, signs).read)


class _Reading:
    """What the nodes of a graph are in the tower."""

    def __init__(self, graph: Graph, tower: Tower, signs: Signs) -> None:
        self.graph, self.tower, self.signs = graph, tower, signs

    def read(self, node: Node, found: Sequence[Element]) -> Element:
        operands = [found[k] for k in node.operands]
        if node.operation == "power":
            return self.power(operands[0], node["exponent"])
        if node.operation == "add" and (kept := self._one_and_erf(node, found)) is not None:
            return kept
        rule = _RULES.get(node.operation)
        if rule is None:
            raise TooMuchError(f"{node.operation} is not of the kind.")
        return rule(self, *operands)

    def _one_and_erf(self, node: Node, found: Sequence[Element]) -> Element | None:
        """``1 + erf(w) = erfc(-w)``, which does not cancel far to the left."""
        for one, other in (node.operands, node.operands[::-1]):
            value, inner = self.graph.value(one), self.graph.nodes[other]
            if value is not None and inner.operation == "erf" and np.all(value == 1.0):
                return self.tower.function("erfc", self.tower.neg(found[inner.operands[0]]))
        return None

    # What must hold

    def side(self, u: Element) -> int:
        """The sign of what is nowhere zero inside.

        Raises
        ------
        CutError
            It is zero at a rational number.
        TooMuchError
            It is not seen to have one.
        """
        found = self.signs.whole(u)
        if found is not None and found.strict:
            return found.side
        place = self._zero(u)
        if place is not None:
            raise CutError(place)
        raise TooMuchError("An operand has no sign that is seen.")

    def _zero(self, u: Element) -> Fraction | None:
        """A rational zero inside."""
        low, high = self.signs.low, self.signs.high
        for p, _ in u.num.factor()[1]:
            if all(degree == 0 for degree in p.degrees()[1:]):
                from surefoot.proof.tower_signs import of_t

                roots = roots_between(of_t(p), low, high)
                if roots:
                    return roots[0]
        for place in (Fraction(0), Fraction(1), Fraction(-1)):
            inside = (low is None or low < place) and (high is None or place < high)
            if inside and Limits(self.tower, place, 1).value_at(u) == Fraction(0):
                return place
        return None

    def positive(self, u: Element) -> Element:
        """An operand that must be positive."""
        if self.side(u) < 0:
            raise TooMuchError("An operand is negative.")
        return u

    def below_one(self, u: Element) -> Element:
        """An operand that must lie between -1 and 1."""
        self.positive(self.tower.sub(self.tower.one, u))
        self.positive(self.tower.add(self.tower.one, u))
        return u

    # The rules

    def div(self, u: Element, v: Element) -> Element:
        if v.is_zero:
            raise TooMuchError("A divisor is zero.")
        if v.number is None:
            self.side(v)
        return self.tower.div(u, v)

    def power(self, u: Element, c: Fraction) -> Element:
        if c.denominator == 1:
            if c < 0:
                return self.div(self.tower.one, self.tower.whole_power(u, -int(c)))
            return self.tower.whole_power(u, int(c))
        return self.tower.root(self.positive(u), c)

    def sqrt(self, u: Element) -> Element:
        return self.power(u, Fraction(1, 2))

    def exp(self, u: Element) -> Element:
        return self.tower.exp(u)

    def log(self, u: Element) -> Element:
        if u.is_zero:
            raise TooMuchError("A logarithm of zero.")
        return self.tower.log(self.positive(u))

    def exp_pair(self, u: Element) -> tuple[Element, Element]:
        """``exp(u)`` and ``exp(-u)``."""
        grown = self.exp(u)
        return grown, self.tower.div(self.tower.one, grown)

    def sinh(self, u: Element) -> Element:
        return self.tower.mul(self.tower.constant(Fraction(1, 2)), self.tower.sub(*self.exp_pair(u)))

    def cosh(self, u: Element) -> Element:
        return self.tower.mul(self.tower.constant(Fraction(1, 2)), self.tower.add(*self.exp_pair(u)))

    def tanh(self, u: Element) -> Element:
        return self.tower.div(self.sinh(u), self.cosh(u))

    def one_and(self, u: Element) -> Element:
        return self.tower.add(self.tower.one, u)

    def logistic(self, u: Element) -> Element:
        return self.tower.div(self.exp(u), self.one_and(self.exp(u)))

    def arccosh(self, u: Element) -> Element:
        self.positive(self.tower.sub(u, self.tower.one))
        square = self.tower.sub(self.tower.mul(u, u), self.tower.one)
        return self.log(self.tower.add(u, self.sqrt(square)))

    def arccos(self, u: Element) -> Element:
        angle = self.tower.function("right angle", self.tower.one)
        return self.tower.sub(angle, self.tower.function("arcsin", self.below_one(u)))

    def erf(self, u: Element) -> Element:
        return self.tower.sub(self.tower.one, self.tower.function("erfc", u))

    def log_ndtr(self, u: Element) -> Element:
        root = self.tower.root(self.tower.constant(2), Fraction(1, 2))
        tail = self.tower.function("erfc", self.tower.neg(self.tower.div(u, root)))
        return self.tower.log(self.tower.mul(self.tower.constant(Fraction(1, 2)), tail))

    def cbrt(self, u: Element) -> Element:
        if u.is_zero:
            return u
        if self.side(u) > 0:
            return self.tower.root(u, Fraction(1, 3))
        return self.tower.neg(self.tower.root(self.tower.neg(u), Fraction(1, 3)))

    def abs(self, u: Element) -> Element:
        return u if u.is_zero or self.side(u) > 0 else self.tower.neg(u)

    def maximum(self, u: Element, v: Element) -> Element:
        gap = self.tower.sub(u, v)
        return u if gap.is_zero or self.side(gap) > 0 else v

    def minimum(self, u: Element, v: Element) -> Element:
        gap = self.tower.sub(u, v)
        return v if gap.is_zero or self.side(gap) > 0 else u

    def hypot(self, u: Element, v: Element) -> Element:
        return self.sqrt(self.tower.add(self.tower.mul(u, u), self.tower.mul(v, v)))

    def pow(self, u: Element, v: Element) -> Element:
        return self.exp(self.tower.mul(v, self.log(u)))

    def tan(self, u: Element) -> Element:
        return self.div(self.tower.function("sin", u), self.tower.function("cos", u))


def _drawn(kind: str) -> Callable[[_Reading, Element], Element]:
    return lambda reading, u: reading.tower.function(kind, u)


_RULES: dict[str, Callable[..., Element]] = {
    "add": lambda reading, u, v: reading.tower.add(u, v), "sub": lambda reading, u, v: reading.tower.sub(u, v),
    "neg": lambda reading, u: reading.tower.neg(u), "mul": lambda reading, u, v: reading.tower.mul(u, v),
    "div": _Reading.div, "exp": _Reading.exp, "log": _Reading.log, "tan": _Reading.tan, "pow": _Reading.pow,
    "expm1": lambda reading, u: reading.tower.sub(reading.exp(u), reading.tower.one),
    "log1p": lambda reading, u: reading.log(reading.one_and(u)),
    "softplus": lambda reading, u: reading.tower.log(reading.one_and(reading.exp(u))),
    "sinh": _Reading.sinh, "cosh": _Reading.cosh, "tanh": _Reading.tanh, "logistic": _Reading.logistic,
    "arccosh": _Reading.arccosh, "arccos": _Reading.arccos, "cbrt": _Reading.cbrt, "hypot": _Reading.hypot,
    "erf": _Reading.erf, "log_ndtr": _Reading.log_ndtr,
    "abs": _Reading.abs, "maximum": _Reading.maximum, "minimum": _Reading.minimum,
    "arcsin": lambda reading, u: reading.tower.function("arcsin", reading.below_one(u)),
    "arctanh": lambda reading, u: reading.tower.function("arctanh", reading.below_one(u)),
    **{kind: _drawn(kind) for kind in ("arctan", "arcsinh", "erfc", "sin", "cos")},
}  # fmt: skip
"""Operations that are continuous wherever they are defined, and analytic inside."""
