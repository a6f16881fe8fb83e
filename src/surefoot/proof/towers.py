"""Functions of one number in a tower of elementary functions: exact fractions of polynomials, closed under derivatives.

    Q(t, g_1, ..., g_k),    g_i one of exp(w), log(w), w^c, arctan(w), erfc(w), ..., w in Q(t, g_1, ..., g_i-1)
    exp(w)' = w' exp(w),    log(w)' = w'/w,    (w^c)' = c w'/w w^c,    erfc(w)' = -(2/sqrt pi) exp(-w^2) w'

So phi'' is written down exactly, common factors cancel, and `tower_signs` looks at the sign of each factor. Nothing is
assumed of the generators: where two depend on each other, equal functions may be written in two ways, and nothing false
follows.

Reference: Bronstein (2005), "Symbolic Integration I", 2nd ed., Springer, chapter 3; Strzebonski (2012), "Real root
isolation for exp-log-arctan functions", J. Symbolic Computation 47(3), pp. 282-314.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from surefoot.proof.exact_doubles import TooMuchError, rational

MOST_GENERATORS = 14
MOST_TERMS = 400
MOST_POWER = 12
MOST_ROOT = 12
"""Denominators up to which powers of one base share a root."""

NUMBERS = ("bell", "right angle")
"""``2/sqrt(pi)`` and ``pi/2``."""

POSITIVE = ("exp", "root", "erfc", *NUMBERS)
"""Kinds of generators that are positive wherever they are defined, which is shown when they are drawn."""


AT_ZERO = {
    "exp": 1, "arctan": 0, "arcsinh": 0, "arctanh": 0, "arcsin": 0, "erfc": 1, "sin": 0, "cos": 1,
}  # fmt: skip
"""Values at 0."""


@dataclass(frozen=True)
class Element:
    """A fraction of two polynomials without common factors."""

    num: Any
    den: Any

    @property
    def is_zero(self) -> bool:
        return bool(self.num == 0)

    @property
    def number(self) -> Fraction | None:
        """Its value, of a rational number."""
        if not (self.num.is_constant() and self.den.is_constant()):
            return None
        return _fraction(self.num) / _fraction(self.den)

    def used(self) -> tuple[int, ...]:
        """Which generators it holds, t being 0."""
        degrees = zip(self.num.degrees(), self.den.degrees(), strict=True)
        return tuple(k for k, pair in enumerate(degrees) if max(pair) > 0)


def _fraction(p: Any) -> Fraction:
    value = p.leading_coefficient() if p != 0 else 0
    return Fraction(int(value.p), int(value.q)) if value != 0 else Fraction(0)


@dataclass(frozen=True)
class Generator:
    """``kind(arg)``; for roots with the exponent."""

    kind: str
    arg: Element
    exponent: Fraction = Fraction(1)


class Tower:
    """The generators that were met, and arithmetic on fractions in them.

    Examples
    --------
    >>> tower = Tower()
    >>> E = tower.function("exp", tower.t)
    >>> tower.derivative(tower.mul(tower.t, E)) == tower.add(tower.mul(tower.t, E), E)
    True
    """

    def __init__(self) -> None:
        self.ring = _ring()
        self.gens = self.ring.gens()
        self.one = Element(self.ring.constant(1), self.ring.constant(1))
        self.t = Element(self.gens[0], self.one.den)
        self.generators: list[Generator] = []
        self._slopes: list[Element] = []

    def constant(self, value: Any) -> Element:
        """A rational number."""
        return Element(self.ring.constant(rational(value)), self.one.den)

    def of(self, num: Any, den: Any = None) -> Element:
        """A fraction, shortened."""
        den = self.one.den if den is None else den
        if len(num) > MOST_TERMS or len(den) > MOST_TERMS:
            raise TooMuchError("A fraction of many terms.")
        if not den.is_constant():
            shared = num.gcd(den)
            num, den = num / shared, den / shared
        lead = den.leading_coefficient()
        return Element(num / lead, den / lead)

    def polynomial(self, p: Any) -> Element:
        """A polynomial as an element."""
        return Element(p, self.one.den)

    def add(self, u: Element, v: Element) -> Element:
        if u.den == v.den:
            return self.of(u.num + v.num, u.den)
        return self.of(u.num * v.den + v.num * u.den, u.den * v.den)

    def neg(self, u: Element) -> Element:
        return Element(-u.num, u.den)

    def sub(self, u: Element, v: Element) -> Element:
        return self.add(u, self.neg(v))

    def mul(self, u: Element, v: Element) -> Element:
        return self.of(u.num * v.num, u.den * v.den)

    def div(self, u: Element, v: Element) -> Element:
        return self.of(u.num * v.den, u.den * v.num)

    def whole_power(self, u: Element, c: int) -> Element:
        """``u^c`` for a whole number c."""
        if abs(c) * max(u.num.total_degree(), u.den.total_degree(), 1) > 60:
            raise TooMuchError("A power of high degree.")
        return self.of(u.num**c, u.den**c) if c >= 0 else self.of(u.den**-c, u.num**-c)

    # Functions

    def function(self, kind: str, arg: Element, exponent: Fraction = Fraction(1)) -> Element:
        """The generator of a function of an element, drawn if it is new."""
        if arg.is_zero and kind in AT_ZERO:
            return self.constant(AT_ZERO[kind])
        if self.depth(arg) > 5:
            raise TooMuchError("Functions of functions of functions.")
        for k, one in enumerate(self.generators):
            if one.kind == kind and one.exponent == exponent and one.arg == arg:
                return self.polynomial(self.gens[k + 1])
        if len(self.generators) + 1 >= len(self.gens):
            raise TooMuchError("Many different functions.")
        self.generators.append(Generator(kind, arg, exponent))
        place = len(self.generators)
        self._slopes.append(self.constant(0))
        slope = self._slope(kind, arg, exponent, self.polynomial(self.gens[place]))
        self._slopes[place - 1] = slope
        return self.polynomial(self.gens[place])

    def depth(self, u: Element) -> int:
        """How many functions of functions there are."""
        return max((1 + self.depth(self.generators[k - 1].arg) for k in u.used() if k), default=0)

    def exp(self, u: Element) -> Element:
        """``exp(u)``: a power of an exponential that is there, times that of a constant."""
        if u.is_zero:
            return self.one
        for k, one in enumerate(self.generators):
            if one.kind == "exp" and not self.is_constant(one.arg):
                ratio = self._ratio(u, one.arg)
                if ratio is not None and abs(ratio) <= MOST_POWER and ratio.denominator == 1:
                    rest = self.sub(u, self.mul(self.constant(ratio), one.arg))
                    power = self.whole_power(self.polynomial(self.gens[k + 1]), int(ratio))
                    return power if rest.is_zero else self.mul(power, self.exp(rest))
        whole = self._integral_part(u)
        if whole is not None:
            return self.mul(self.exp(whole), self.exp(self.sub(u, whole)))
        return self.function("exp", u)

    def _integral_part(self, u: Element) -> Element | None:
        """``u`` without its constant term, if it has both."""
        if not u.den.is_constant():
            return None
        constant = u.num.coefficient(len(u.num) - 1) if not any(u.num.monoms()[-1]) else 0
        if constant == 0 or len(u.num) == 1:
            return None
        return Element(u.num - constant, u.den)

    def _ratio(self, u: Element, v: Element) -> Fraction | None:
        """A whole number c for which ``u - c v`` is constant."""
        slope, other = self.derivative(u), self.derivative(v)
        if slope.is_zero or other.is_zero:
            return None
        return self.div(slope, other).number

    def log(self, u: Element) -> Element:
        """``log(u)``; of a multiple of what is there a sum."""
        if u == self.one:
            return self.constant(0)
        for k, one in enumerate(self.generators):
            if one.kind == "log" and (self.is_constant(one.arg) == self.is_constant(u)):
                found = self.polynomial(self.gens[k + 1])
                for ratio, sign in ((self.div(u, one.arg), 1), (self.mul(u, one.arg), -1)):
                    c = ratio.number
                    if c is not None and c > 0:
                        return self.add(found if sign > 0 else self.neg(found), self.log(self.constant(c)))
        return self.function("log", u)

    def root(self, u: Element, c: Fraction) -> Element:
        """``u^c`` for u > 0 and any rational c."""
        if c.denominator == 1:
            return self.whole_power(u, int(c))
        base = Fraction(1, c.denominator) if c.denominator <= MOST_ROOT else c
        if base == c or abs(c.numerator) > MOST_POWER:
            whole = c.numerator // c.denominator if abs(c) < MOST_POWER else 0
            rest = self.function("root", u, c - whole)
            return self.mul(rest, self.whole_power(u, whole)) if whole else rest
        whole, left = divmod(c.numerator, c.denominator)
        return self.mul(self.whole_power(self.function("root", u, base), left), self.whole_power(u, whole))

    def is_constant(self, u: Element) -> bool:
        """Whether its derivative is zero."""
        return u.number is not None or self.derivative(u).is_zero

    def derivative(self, u: Element) -> Element:
        """``du/dt``."""
        if u.den.is_constant():
            return self._of_polynomial(u.num)
        top, bottom = self._of_polynomial(u.num), self._of_polynomial(u.den)
        den = self.polynomial(u.den)
        above = self.sub(self.mul(top, den), self.mul(self.polynomial(u.num), bottom))
        return self.div(above, self.mul(den, den))

    def _of_polynomial(self, p: Any) -> Element:
        found = self.polynomial(p.derivative(0))
        degrees = p.degrees()
        for k in range(1, len(self.generators) + 1):
            if degrees[k] > 0:
                found = self.add(found, self.mul(self.polynomial(p.derivative(k)), self._slopes[k - 1]))
        return found

    def _slope(self, kind: str, arg: Element, exponent: Fraction, own: Element) -> Element:
        """The derivative of a generator."""
        if kind in NUMBERS:
            return self.constant(0)
        inner = self.derivative(arg)
        if inner.is_zero:
            return inner
        return _SLOPES[kind](self, arg, inner, own, exponent)

    def _inverse_root(self, u: Element) -> Element:
        return self.root(u, Fraction(-1, 2))


def _slope_of_erfc(tower: Tower, w: Element, inner: Element, own: Element, c: Fraction) -> Element:
    factor = tower.function("bell", tower.one)
    bell = tower.exp(tower.neg(tower.mul(w, w)))
    return tower.neg(tower.mul(tower.mul(factor, bell), inner))


_SLOPES: dict[str, Callable[[Tower, Element, Element, Element, Fraction], Element]] = {
    "exp": lambda tower, w, inner, own, c: tower.mul(inner, own),
    "log": lambda tower, w, inner, own, c: tower.div(inner, w),
    "root": lambda tower, w, inner, own, c: tower.mul(tower.div(tower.mul(tower.constant(c), inner), w), own),
    "arctan": lambda tower, w, inner, own, c: tower.div(inner, tower.add(tower.one, tower.mul(w, w))),
    "arctanh": lambda tower, w, inner, own, c: tower.div(inner, tower.sub(tower.one, tower.mul(w, w))),
    "arcsinh": lambda tower, w, inner, own, c: tower.mul(
        inner, tower._inverse_root(tower.add(tower.one, tower.mul(w, w)))
    ),
    "arcsin": lambda tower, w, inner, own, c: tower.mul(
        inner, tower._inverse_root(tower.sub(tower.one, tower.mul(w, w)))
    ),
    "sin": lambda tower, w, inner, own, c: tower.mul(inner, tower.function("cos", w)),
    "cos": lambda tower, w, inner, own, c: tower.neg(tower.mul(inner, tower.function("sin", w))),
    "erfc": _slope_of_erfc,
}


@cache
def _ring() -> Any:
    from flint import Ordering, fmpq_mpoly_ctx

    return fmpq_mpoly_ctx.get(["t", *(f"g{k}" for k in range(1, MOST_GENERATORS + 1))], Ordering.lex)
