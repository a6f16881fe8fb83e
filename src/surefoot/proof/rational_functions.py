"""Quotients of polynomials with rational coefficients: their signs on an interval, decided by Sturm's theorem.

    roots of p in (a, b)  =  V(a) - V(b),    V the changes of sign along p, p', -rem(p, p'), ...

Reference: Basu, Pollack, Roy (2006), "Algorithms in Real Algebraic Geometry", 2nd ed., Springer, theorem 2.50, p. 52.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from surefoot.proof.exact_doubles import TooMuchError, fraction, nearest, rational

MOST_DEGREE = 60
End = Fraction | None
"""An end of an open interval, None for infinity."""


@dataclass(frozen=True)
class Rational:
    """``top / bottom``, without common factors.

    Attributes
    ----------
    top, bottom : flint.fmpq_poly
        ``bottom`` is monic.
    """

    top: Any
    bottom: Any

    @classmethod
    def of(cls, top: Any, bottom: Any = None) -> Rational:
        from flint import fmpq_poly

        if bottom is None:
            return cls(top, fmpq_poly([1]))
        shared = top.gcd(bottom)
        top, bottom = top // shared, bottom // shared
        lead = bottom.leading_coefficient()
        if max(top.degree(), bottom.degree()) > MOST_DEGREE:
            raise TooMuchError("A polynomial of high degree.")
        return cls(top / lead, bottom / lead)

    @classmethod
    def constant(cls, value: Any) -> Rational:
        from flint import fmpq_poly

        return cls.of(fmpq_poly([rational(value)]))

    @classmethod
    def variable(cls) -> Rational:
        from flint import fmpq_poly

        return cls.of(fmpq_poly([0, 1]))

    @property
    def is_zero(self) -> bool:
        return self.top.is_zero()

    def __add__(self, other: Rational) -> Rational:
        return Rational.of(self.top * other.bottom + other.top * self.bottom, self.bottom * other.bottom)

    def __neg__(self) -> Rational:
        return Rational(-self.top, self.bottom)

    def __sub__(self, other: Rational) -> Rational:
        return self + (-other)

    def __mul__(self, other: Rational) -> Rational:
        return Rational.of(self.top * other.top, self.bottom * other.bottom)

    def __truediv__(self, other: Rational) -> Rational:
        return Rational.of(self.top * other.bottom, self.bottom * other.top)

    def derivative(self) -> Rational:
        top = self.top.derivative() * self.bottom - self.top * self.bottom.derivative()
        return Rational.of(top, self.bottom * self.bottom)

    def at(self, point: Fraction) -> Fraction | None:
        """The value; None at a pole."""
        t = rational(point)
        low = self.bottom(t)
        return None if low == 0 else fraction(self.top(t) / low)

    def is_never_negative(self, low: End, high: End) -> bool:
        """Whether it is at least 0 on an open interval that holds no pole."""
        return self.is_zero or negative_point(self.top * self.bottom, low, high) is None


def negative_point(p: Any, low: End, high: End) -> Fraction | None:
    """A point of an open interval where a polynomial is negative; None: there is none."""
    if p.is_zero():
        return None
    # All roots are kept apart, also those without a change of sign: a sample at one of them would say nothing.
    for point in _between(_separated(_squarefree(p), low, high), low, high):
        if p(rational(point)) < 0:
            return point
    return None


def roots_between(p: Any, low: End, high: End) -> list[Fraction]:
    """The roots in an open interval, in order, if all of them are rational.

    Raises
    ------
    TooMuchError
        One of them is not rational.
    """
    if p.is_zero() or p.degree() == 0:
        return []
    found = sorted({fraction(root) for root, _ in p.roots()})
    found = [root for root in found if (low is None or root > low) and (high is None or root < high)]
    if len(found) != _count(_squarefree(p), low, high):
        raise TooMuchError("A function changes its form at a number that is not rational.")
    return found


def _squarefree(p: Any) -> Any:
    return p // p.gcd(p.derivative()) if p.degree() > 0 else p


def _sturm(p: Any) -> list[Any]:
    chain = [p, p.derivative()]
    while not chain[-1].is_zero():
        chain.append(-(chain[-2] % chain[-1]))
    return chain[:-1]


def _changes(chain: list[Any], point: End, side: int) -> int:
    """Changes of sign at a point, or at infinity on a side (-1 or 1)."""
    if point is None:
        values = [q.leading_coefficient() * (side if q.degree() % 2 else 1) for q in chain]
    else:
        values = [q(rational(point)) for q in chain]
    signs = [value > 0 for value in values if value != 0]
    return sum(a != b for a, b in pairwise(signs))


def _count(p: Any, low: End, high: End) -> int:
    """Roots of a squarefree polynomial in an open interval."""
    if p.degree() < 1:
        return 0
    chain = _sturm(p)
    found = _changes(chain, low, -1) - _changes(chain, high, 1)  # in (low, high]
    return found - (high is not None and p(rational(high)) == 0)


def _separated(p: Any, low: End, high: End) -> list[tuple[Fraction, Fraction]]:
    """Disjoint closed intervals, in order, each with one root of a squarefree polynomial in an open interval."""
    if p.degree() < 1:
        return []
    bound = 2 + max(abs(fraction(c / p.leading_coefficient())) for c in p.coeffs())
    chain = _sturm(p)
    start, stop = (-bound if low is None else low), (bound if high is None else high)
    if start >= stop:
        return []
    todo, found = [(start, stop)], []
    while todo:
        a, b = todo.pop()
        count = _changes(chain, a, -1) - _changes(chain, b, 1) - (p(rational(b)) == 0)  # in (a, b)
        if count == 0:
            continue
        middle = (a + b) / 2
        if count == 1 and a != start and b != stop and p(rational(a)) != 0 != p(rational(b)):
            found.append((a, b))
            continue
        if p(rational(middle)) == 0:
            found.append((middle, middle))
        todo += [(middle, b), (a, middle)]
        if len(found) + len(todo) > 4 * MOST_DEGREE or middle.denominator.bit_length() > 4000:
            raise TooMuchError("Roots of a polynomial are too near to each other.")
    return sorted(found)


def _between(roots: list[tuple[Fraction, Fraction]], low: End, high: End) -> list[Fraction]:
    """A point of every part into which roots cut an open interval."""
    ends = [(low, low), *roots, (high, high)]
    points = []
    for (_, a), (b, _) in pairwise(ends):
        if a is None and b is None:
            points.append(Fraction(0))
        elif a is None or b is None:
            points.append(b - 1 if b is not None else a + 1)  # type: ignore[operator]
        else:
            points.append(_short((a + b) / 2, a, b))
    return points


def _short(point: Fraction, low: Fraction, high: Fraction) -> Fraction:
    """A double near a point if one lies between."""
    near = nearest(rational(point))
    try:
        short = Fraction(near)
    except OverflowError:
        return point
    return short if low < short < high else point
