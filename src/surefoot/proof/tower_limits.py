"""What functions in a tower tend to at an end of an interval: their leading behaviour, in rational numbers and balls.

    f ~ c exp(S) u^a (log u)^b,    u -> infinity,    t = u, t = -u, t = e + 1/u or t = e - 1/u

Where leading terms cancel, or are of no such form, nothing is said.

Reference: Gruntz (1996), "On computing limits in a symbolic manipulation system", ETH Zurich, chapter 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from surefoot.proof.exact_doubles import TooMuchError, fraction, rational
from surefoot.proof.towers import AT_ZERO, Element, Generator, Tower

BITS = 200
Number = Any
"""A `Fraction`, exactly, or a ball."""


@dataclass(frozen=True)
class Leading:
    """``c exp(S) u^a (log u)^b``, c not 0."""

    c: Number
    exponent: Element | None = None
    a: Fraction = Fraction(0)
    b: Fraction = Fraction(0)

    @property
    def is_bare(self) -> bool:
        """Whether it is a number."""
        return self.exponent is None and self.a == 0 and self.b == 0


def ball(value: Number) -> Any:
    """A number as a ball."""
    from flint import arb

    return arb(rational(value)) if isinstance(value, Fraction | int) else value


def sign_of(value: Number) -> int | None:
    """1, -1 or 0 (exactly); None where a ball holds 0."""
    if isinstance(value, Fraction):
        return (value > 0) - (value < 0)
    return 1 if value > 0 else -1 if value < 0 else None


class Limits:
    """Limits at one end of an interval.

    Parameters
    ----------
    tower : Tower
        With its generators.
    end : Fraction or None
        None for infinity.
    side : int
        1: from above, or at plus infinity; -1: from below, or at minus infinity.
    """

    def __init__(self, tower: Tower, end: Fraction | None, side: int) -> None:
        self.tower, self.end, self.side = tower, end, side
        self._known: dict[int, Leading | None] = {}

    def sign(self, u: Element) -> int | None:
        """The sign of the limit, of an infinite one too; 0 if it is exactly 0; None if that is not known."""
        try:
            if self.end is not None:
                value = self.value_at(u)
                if value is not None and (sign := sign_of(value)) is not None:
                    return sign
            return self._sign(u)
        except (TooMuchError, ZeroDivisionError, OverflowError):
            return None

    def value_at(self, u: Element) -> Number | None:
        """The value at a finite end, where all that it holds has one."""
        if self.end is None:
            return None
        values: list[Number] = [self.end]
        used = u.used()
        for k in range(1, max(used, default=0) + 1):
            values.append(self._generator_at(self.tower.generators[k - 1]) if k in used else Fraction(0))
            if values[-1] is None:
                return None
        top, bottom = (_evaluated(p, values) for p in (u.num, u.den))
        if sign_of(bottom) in (0, None):
            return None
        return top / bottom if isinstance(top, Fraction) and isinstance(bottom, Fraction) else ball(top) / ball(bottom)

    def _generator_at(self, one: Generator) -> Number | None:
        if one.kind in _NUMBERS:
            return _NUMBERS[one.kind]()
        w = self.value_at(one.arg)
        if w is None:
            return None
        exact = _exactly(one, w) if isinstance(w, Fraction) else None
        if exact is not None:
            return exact
        value = _in_balls(one, ball(w))
        return value if value is not None and value.is_finite() else None

    # Leading terms

    def _sign(self, u: Element) -> int | None:
        """From the terms of the numerator over the leading term of the denominator."""
        below = self.of_polynomial(u.den)
        if below is None:
            return None
        classes = self._classes(u.num)
        if classes is None:
            return None
        inverse = _inverse(below)
        quotients = [_product(one, inverse) for one in classes]
        tending = [self.tends(one) for one in quotients]
        if None in tending:
            return None
        if "infinite" in tending:
            top = self._greatest(quotients)
            return None if top is None else sign_of(top.c)
        finite: Number = Fraction(0)
        for one, way in zip(quotients, tending, strict=True):
            if way == "finite":
                finite = finite + one.c if _both_exact(finite, one.c) else ball(finite) + ball(one.c)
        return sign_of(finite)

    def of(self, u: Element) -> Leading | None:
        """The leading term of a fraction."""
        if u.is_zero:
            return None
        top, bottom = self.of_polynomial(u.num), self.of_polynomial(u.den)
        return None if top is None or bottom is None else _product(top, _inverse(bottom))

    def of_polynomial(self, p: Any) -> Leading | None:
        """The leading term of a polynomial, whose sum of leading coefficients must not be 0."""
        classes = self._classes(p)
        found = None if classes is None else self._greatest(classes)
        return found if found is not None and sign_of(found.c) in (1, -1) else None

    def _classes(self, p: Any) -> list[Leading] | None:
        """The terms, those with the same generators together: their polynomials in t are exact."""
        grouped: dict[tuple[int, ...], dict[int, Fraction]] = {}
        for powers, coefficient in p.terms():
            part = grouped.setdefault(tuple(powers[1:]), {})
            part[int(powers[0])] = fraction(coefficient)
        found = []
        for powers, part in grouped.items():
            term: Leading | None = self._of_t(part)
            for k, power in enumerate(powers):
                if power and term is not None:
                    own = self.of_generator(k)
                    term = None if own is None else _product(term, _raised(own, Fraction(int(power))))
            if term is None:
                return None
            found.append(term)
        return found

    def _of_t(self, part: dict[int, Fraction]) -> Leading:
        """Of a polynomial in t: exactly."""
        degree = max(part)
        if self.end is None:
            c = part[degree] * (self.side**degree)
            return Leading(c, None, Fraction(degree))
        from flint import fmpq_poly

        p = fmpq_poly([rational(part.get(k, Fraction(0))) for k in range(degree + 1)])
        shifted = p(fmpq_poly([rational(self.end), rational(Fraction(self.side))]))
        order = next(k for k, c in enumerate(shifted.coeffs()) if c != 0)
        return Leading(fraction(shifted[order]), None, Fraction(-order))

    def of_generator(self, k: int) -> Leading | None:
        """The leading term of a generator."""
        if k not in self._known:
            self._known[k] = None
            self._known[k] = self._of_generator(self.tower.generators[k])
        return self._known[k]

    def _of_generator(self, one: Generator) -> Leading | None:
        if one.kind in _NUMBERS:
            return Leading(_NUMBERS[one.kind]())
        w = self.of(one.arg) if not one.arg.is_zero else None
        if w is None:
            return self._of_value(one)
        way = self.tends(w)
        rule = _TENDING.get((one.kind, way or ""))
        if rule is not None:
            return rule(self, one, w)
        if one.kind == "root":
            c = one.exponent
            powered = _raised(w, c)
            return powered
        if way == "finite":
            return self._of_value(one, w.c)
        return None

    def _of_value(self, one: Generator, w: Number | None = None) -> Leading | None:
        """Of one that tends to a number other than 0."""
        if w is None:
            value = self._generator_at(one) if self.end is not None else None
        else:
            exact = _exactly(one, w) if isinstance(w, Fraction) else None
            value = exact if exact is not None else _in_balls(one, ball(w))
        if value is None or (not isinstance(value, Fraction) and not value.is_finite()):
            return None
        if sign_of(value) in (1, -1):
            return Leading(value)
        if sign_of(value) == 0 and one.kind == "log":  # log w ~ w - 1
            return self.of(self.tower.sub(one.arg, self.tower.one))
        return None

    def tends(self, one: Leading) -> str | None:
        """Where to: ``infinite``, ``zero`` or ``finite``."""
        if one.exponent is not None:
            inner = self.of(one.exponent)
            if inner is None or not self._is_fast(inner):
                return None
            return "infinite" if sign_of(inner.c) == 1 else "zero"
        key = (one.a, one.b)  # in this order
        nothing = (Fraction(0), Fraction(0))
        return "infinite" if key > nothing else "zero" if key < nothing else "finite"

    def _is_fast(self, one: Leading) -> bool:
        """Whether its exponential outgrows, or undercuts, all powers."""
        return self.tends(one) == "infinite" and (one.exponent is not None or one.a > 0)

    def _greatest(self, terms: list[Leading]) -> Leading | None:
        """The sum of those that outgrow the others."""
        found = terms[0]
        for one in terms[1:]:
            ratio = _product(one, _inverse(found))
            if ratio.exponent is not None and ratio.exponent.is_zero:
                ratio = replace(ratio, exponent=None)
            if ratio.exponent is not None:
                inner = self.of(ratio.exponent)
                way = None if inner is None else self.tends(inner)
                if way == "zero":
                    ratio = replace(ratio, exponent=None)
                elif way != "infinite" or inner is None or not self._is_fast(inner):
                    return None
            way = self.tends(ratio)
            if way is None:
                return None
            if way == "infinite":
                found = one
            elif way == "finite":
                exact = _both_exact(found.c, one.c)
                total = found.c + one.c if exact else ball(found.c) + ball(one.c)
                found = replace(found, c=total)
                if sign_of(total) not in (1, -1):
                    return None
        return found


def _both_exact(u: Number, v: Number) -> bool:
    return isinstance(u, Fraction) and isinstance(v, Fraction)


def _product(u: Leading, v: Leading) -> Leading:
    c = u.c * v.c if _both_exact(u.c, v.c) else ball(u.c) * ball(v.c)
    if u.exponent is None or v.exponent is None:
        exponent = u.exponent if v.exponent is None else v.exponent
    else:
        from surefoot.proof.towers import Tower as Arithmetic

        exponent = Arithmetic().add(u.exponent, v.exponent)
        exponent = None if exponent.is_zero else exponent
    return Leading(c, exponent, u.a + v.a, u.b + v.b)


def _inverse(u: Leading) -> Leading:
    return _raised(u, Fraction(-1))


def _raised(u: Leading, c: Fraction) -> Leading:
    """``u^c``; u is positive unless c is whole."""
    if c.denominator == 1 and isinstance(u.c, Fraction):
        value: Number = u.c ** int(c)
    elif c.denominator == 1:
        value = u.c ** int(c)
    elif u.c == 1:
        value = Fraction(1)
    else:
        value = ball(u.c) ** ball(c)
    exponent = u.exponent
    if exponent is not None:
        exponent = Element(exponent.num * rational(c), exponent.den)
    return Leading(value, exponent, u.a * c, u.b * c)


def _evaluated(p: Any, values: list[Number]) -> Number:
    """A polynomial at numbers."""
    total: Number = Fraction(0)
    for powers, coefficient in p.terms():
        term: Number = fraction(coefficient)
        for k, power in enumerate(powers):
            if power:
                factor = values[k] ** int(power)
                term = term * factor if _both_exact(term, factor) else ball(term) * ball(factor)
        total = total + term if _both_exact(total, term) else ball(total) + ball(term)
    return total


def _bell() -> Any:
    """``2/sqrt(pi)``."""
    from flint import arb

    return 2 / arb.pi().sqrt()


def _right_angle() -> Any:
    from flint import arb

    return arb.pi() / 2


_NUMBERS: dict[str, Callable[[], Any]] = {"bell": _bell, "right angle": _right_angle}


def _exactly(one: Generator, w: Fraction) -> Fraction | None:
    """The value at a rational number where it is rational."""
    if one.kind in AT_ZERO:
        return Fraction(AT_ZERO[one.kind]) if w == 0 else None
    if one.kind == "log":
        return Fraction(0) if w == 1 else None
    if one.kind == "root":
        if w == 1 or (w == 0 and one.exponent > 0):
            return w
        return _exact_root(w, one.exponent)
    return None


def _exact_root(w: Fraction, c: Fraction) -> Fraction | None:
    if w <= 0 or c.denominator > 12 or c.numerator != 1:
        return None
    n = c.denominator
    top, bottom = round(w.numerator ** (1 / n)), round(w.denominator ** (1 / n))
    return Fraction(top, bottom) if top**n == w.numerator and bottom**n == w.denominator else None


def _in_balls(one: Generator, w: Any) -> Any | None:
    """The value at a ball; None where it may not be defined."""
    match one.kind:
        case "exp":
            return w.exp()
        case "log":
            return w.log() if w > 0 else None
        case "root":
            return w ** ball(one.exponent) if w > 0 else None
        case "arctan":
            return w.atan()
        case "arcsinh":
            return w.asinh()
        case "arctanh":
            return w.atanh() if abs(w) < 1 else None
        case "arcsin":
            return w.asin() if abs(w) < 1 else None
        case "erfc":
            return w.erfc()
        case "sin":
            return w.sin()
        case "cos":
            return w.cos()
    return None


def _exp_at_infinity(limits: Limits, one: Generator, w: Leading) -> Leading | None:
    return Leading(Fraction(1), one.arg) if limits._is_fast(w) else None


def _log_at_infinity(limits: Limits, one: Generator, w: Leading) -> Leading | None:
    if w.exponent is not None:
        return limits.of(w.exponent)
    return Leading(w.a, None, Fraction(0), Fraction(1)) if w.a != 0 else None


def _arcsinh_at_infinity(limits: Limits, one: Generator, w: Leading) -> Leading | None:
    size = _log_at_infinity(limits, one, w)
    return size if size is None or sign_of(w.c) == 1 else replace(size, c=-size.c)


def _erfc_at_infinity(limits: Limits, one: Generator, w: Leading) -> Leading | None:
    """``erfc(w) ~ exp(-w^2) / (w sqrt pi)``, and to 2 on the other side."""
    if sign_of(w.c) == -1:
        return Leading(Fraction(2))
    if w.exponent is not None:
        return None
    square = limits.tower.mul(one.arg, one.arg)
    return _product(Leading(_bell() / 2, limits.tower.neg(square)), _inverse(w))


def _arctan_at_infinity(limits: Limits, one: Generator, w: Leading) -> Leading:
    return Leading(_right_angle() if sign_of(w.c) == 1 else -_right_angle())


def _same(limits: Limits, one: Generator, w: Leading) -> Leading:
    return w


def _is_one(limits: Limits, one: Generator, w: Leading) -> Leading:
    return Leading(Fraction(1))


_TENDING: dict[tuple[str, str], Callable[[Limits, Generator, Leading], Leading | None]] = {
    ("exp", "infinite"): _exp_at_infinity, ("exp", "zero"): _is_one, ("log", "infinite"): _log_at_infinity,
    ("log", "zero"): _log_at_infinity, ("arcsinh", "infinite"): _arcsinh_at_infinity,
    ("arctan", "infinite"): _arctan_at_infinity, ("erfc", "infinite"): _erfc_at_infinity, ("erfc", "zero"): _is_one,
    ("cos", "zero"): _is_one,
    **{(kind, "zero"): _same for kind in ("arctan", "arcsinh", "arctanh", "arcsin", "sin")},
}  # fmt: skip
