"""Functions of one number whose second derivative has the sign of a quotient of polynomials: decided exactly.

    phi = r g,    g = exp(s) q_1^c_1 q_2^c_2 ...,    L = g'/g = s' + sum c_i q_i'/q_i
    phi' = (r' + r L) g,    phi'' = ((r' + r L)' + (r' + r L) L) g,    g > 0

r, s, q are quotients of polynomials with rational coefficients. Logarithms and arcus tangents of such have a slope that
is one. So ``-exp(-t^2/2)``, convex on [-1, 1], ``log(1 + t^2)`` there, ``t exp(t)`` on t >= -2 and ``(1 + t^2)^0.4999``
are decided up to the very point at which their curvature changes its sign.

Reference: Petkovsek, Wilf, Zeilberger (1996), "A = B", A K Peters, section 5.2 (hyperexponential terms); Basu, Pollack,
Roy (2006), "Algorithms in Real Algebraic Geometry", 2nd ed., Springer, theorem 2.50, p. 52 (Sturm).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from surefoot.problem.real import Graph, Node
from surefoot.proof.chains import read_chain
from surefoot.proof.exact_doubles import TooMuchError
from surefoot.proof.rational_bends import Bent, least_value
from surefoot.proof.rational_functions import Rational, negative_point, roots_between
from surefoot.proof.rational_pieces import MOST_POWER, Line


@dataclass(frozen=True)
class Factor:
    """``exp(s)`` times powers of positive quotients, by their tops and bottoms."""

    s: Rational
    powers: tuple[tuple[Rational, Fraction], ...] = ()

    def times(self, other: Factor, sign: int = 1) -> Factor:
        """The product, or for sign -1 the quotient."""
        s = self.s + other.s if sign > 0 else self.s - other.s
        powers = list(self.powers)
        for q, c in other.powers:
            k = next((k for k, (one, _) in enumerate(powers) if (one - q).is_zero), None)
            if k is None:
                powers.append((q, sign * c))
            else:
                powers[k] = (q, powers[k][1] + sign * c)
        return Factor(s, tuple((q, c) for q, c in powers if c != 0))

    def equals(self, other: Factor) -> bool:
        apart = self.times(other, -1)
        return apart.s.is_zero and not apart.powers

    def slope(self) -> Rational:
        """``g'/g``."""
        found = self.s.derivative()
        for q, c in self.powers:
            found = found + Rational.constant(c) * q.derivative() / q
        return found


@dataclass(frozen=True)
class Value:
    """A node: ``r g`` exactly, or with ``known`` False only up to an affine function, its second derivative ``r g``."""

    r: Rational
    g: Factor
    known: bool = True

    @property
    def rational(self) -> Rational:
        """The value, of one that is a quotient of polynomials."""
        if not self.known or not self.g.s.is_zero or self.g.powers:
            raise TooMuchError("It is no quotient of polynomials.")
        return self.r

    def bend(self) -> Value:
        """The second derivative."""
        if not self.known:
            return self
        slope = self.g.slope()
        first = self.r.derivative() + self.r * slope
        return Value(first.derivative() + first * slope, self.g, False)


def bends(graph: Graph, constants: Sequence[Fraction], line: Line) -> tuple[Bent, Bent] | None:
    """What a function of the first variable and its negative are; None if it is not of the kind or not decided.

    Parameters
    ----------
    graph : Graph
        Of t and numbers that are constant, as `chains` draws it.
    constants : sequence of Fraction
        Their values.
    line : Line
        The range of t.
    """
    try:
        reading = _Reading(graph, constants, line)
        second = reading.output().bend()
        up, down = reading.bent(second), reading.bent(replace(second, r=-second.r))
    except (TooMuchError, ZeroDivisionError, OverflowError):
        return None
    return up, down


def second_derivative(graph: Graph, constants: Sequence[Fraction], line: Line) -> Rational | None:
    """The second derivative of such a function, if it is a quotient of polynomials."""
    try:
        second = _Reading(graph, constants, line).output().bend()
    except (TooMuchError, ZeroDivisionError, OverflowError):
        return None
    return second.r if second.g.s.is_zero and not second.g.powers else None


class _Reading:
    """What the nodes of a graph are as such functions."""

    def __init__(self, graph: Graph, constants: Sequence[Fraction], line: Line) -> None:
        self.graph, self.line = graph, line
        self.one = Factor(Rational.constant(0))
        self.leaves = [self._of(Rational.variable()), *(self._of(Rational.constant(c)) for c in constants)]

    def output(self) -> Value:
        return read_chain(self.graph, self.leaves, lambda c: self._of(Rational.constant(c)), self._read)

    def bent(self, second: Value) -> Bent:
        """Whether a function with this second derivative is convex."""
        line = self.line
        point = negative_point(second.r.top * second.r.bottom, line.low, line.high)
        if point is not None:
            return Bent(False, False, Fraction(0), False, point)
        flat = second.r.is_zero
        plain = second.g.s.is_zero and not second.g.powers
        modulus = least_value(second.r, line.low, line.high) if plain and not flat else Fraction(0)
        return Bent(True, not flat, modulus, flat, None)

    def _of(self, r: Rational) -> Value:
        return Value(r, self.one)

    def _read(self, node: Node, found: Sequence[Value]) -> Value:
        read = [found[k] for k in node.operands]
        if node.operation == "power":
            return self._power(read[0], node["exponent"])
        rule = _RULES.get(node.operation)
        if rule is None:
            raise TooMuchError(f"{node.operation} is not of the kind.")
        return rule(self, *read)

    # What must hold on the interval

    def _positive(self, q: Rational, *, at_ends: bool) -> None:
        """Refuse what is not positive on the interval; at ends that belong to it 0 is allowed if so said."""
        line = self.line
        if q.is_zero or negative_point(q.top * q.bottom, line.low, line.high) is not None:
            raise TooMuchError("An operand is not positive.")
        if self._has_root(q.top):
            raise TooMuchError("An operand is zero somewhere.")
        for has, end in ((line.has_low, line.low), (line.has_high, line.high)):
            if has and end is not None:
                value = q.at(end)
                if value is None or value < 0 or (value == 0 and not at_ends):
                    raise TooMuchError("An operand is not positive at an end.")

    def _has_root(self, p: object) -> bool:
        try:
            return bool(roots_between(p, self.line.low, self.line.high))
        except TooMuchError:
            return True

    def _defined(self, bottom: Rational) -> None:
        """Refuse a divisor that is zero somewhere on the interval."""
        line = self.line
        ends = [end for has, end in ((line.has_low, line.low), (line.has_high, line.high)) if has and end is not None]
        if self._has_root(bottom.top) or any(bottom.at(end) == 0 for end in ends):
            raise TooMuchError("A divisor is zero somewhere.")

    def _never_zero(self, g: Factor) -> None:
        """Refuse a factor that is zero at an end of the interval, as ``sqrt(t)`` is at 0."""
        for q, _ in g.powers:
            self._positive(q, at_ends=False)

    # The rules

    def _add(self, u: Value, v: Value) -> Value:
        if u.known and v.known and u.g.equals(v.g):
            return Value(u.r + v.r, u.g)
        one, other = u.bend(), v.bend()
        if one.r.is_zero or other.r.is_zero:
            return other if one.r.is_zero else one
        if one.g.equals(other.g):
            return Value(one.r + other.r, one.g, False)
        raise TooMuchError("A sum of different factors.")

    def _neg(self, u: Value) -> Value:
        return replace(u, r=-u.r)

    def _sub(self, u: Value, v: Value) -> Value:
        return self._add(u, self._neg(v))

    def _mul(self, u: Value, v: Value) -> Value:
        if u.known and v.known:
            return Value(u.r * v.r, u.g.times(v.g))
        for one, other in ((u, v), (v, u)):
            if one.known and one.rational.derivative().is_zero:
                return replace(other, r=other.r * one.r)
        raise TooMuchError("A product with what is known up to affine functions only.")

    def _div(self, u: Value, v: Value) -> Value:
        if not v.known or v.r.is_zero:
            raise TooMuchError("A divisor of which too little is known.")
        self._defined(v.r)
        self._never_zero(v.g)
        inverse = Value(Rational.constant(1) / v.r, self.one.times(v.g, -1))
        return self._mul(u, inverse)

    def _power(self, u: Value, c: Fraction) -> Value:
        if not u.known:
            raise TooMuchError("A power of what is known up to affine functions only.")
        if c.denominator == 1 and abs(c) <= MOST_POWER:
            found = self._of(Rational.constant(1))
            for _ in range(abs(int(c))):
                found = self._mul(found, u)
            return found if c >= 0 else self._div(self._of(Rational.constant(1)), found)
        self._positive(u.r, at_ends=c > 0)
        if c < 0:
            self._never_zero(u.g)
        powers = tuple((q, c * d) for q, d in u.g.powers)
        return Value(Rational.constant(1), Factor(Rational.constant(c) * u.g.s, powers).times(self._raised(u.r, c)))

    def _raised(self, q: Rational, c: Fraction) -> Factor:
        return Factor(Rational.constant(0), ((q, c),))

    def _exp(self, u: Value) -> Value:
        return Value(Rational.constant(1), Factor(u.rational))

    def _expm1(self, u: Value) -> Value:
        return self._sub(self._exp(u), self._of(Rational.constant(1)))

    def _log(self, u: Value) -> Value:
        if not u.known:
            raise TooMuchError("A logarithm of what is known up to affine functions only.")
        self._positive(u.r, at_ends=False)
        self._never_zero(u.g)
        slope = u.r.derivative() / u.r + u.g.slope()
        return Value(slope.derivative(), self.one, False)

    def _log1p(self, u: Value) -> Value:
        return self._log(self._of(u.rational + Rational.constant(1)))

    def _arctan(self, u: Value) -> Value:
        t = u.rational
        slope = t.derivative() / (Rational.constant(1) + t * t)
        return Value(slope.derivative(), self.one, False)

    def _abs(self, u: Value) -> Value:
        sign = 1 if negative_point(u.rational.top * u.r.bottom, self.line.low, self.line.high) is None else -1
        one = u if sign > 0 else self._neg(u)
        if negative_point(one.r.top * one.r.bottom, self.line.low, self.line.high) is not None:
            raise TooMuchError("An operand of two signs.")
        return one


_RULES: dict[str, Callable[..., Value]] = {
    "add": _Reading._add, "sub": _Reading._sub, "neg": _Reading._neg, "mul": _Reading._mul, "div": _Reading._div,
    "exp": _Reading._exp, "expm1": _Reading._expm1, "log": _Reading._log, "log1p": _Reading._log1p,
    "arctan": _Reading._arctan, "abs": _Reading._abs,
}  # fmt: skip
