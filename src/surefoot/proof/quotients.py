"""Functions as quotients of polynomials in x and in a few elementary functions of it, with exact derivatives.

    f = P(x, g)/Q(x, g),    g one of  log|u|,  exp(u),  |u|^c      with    D log|u| = Du/u,   D exp(u) = exp(u) Du,  ...

The second derivatives of such an f are quotients again. Logarithms and powers are taken of irreducible factors, so that
what is the same is seen to be; a root of u knows that its power is u.

Reference: Geddes, Czapor, Labahn (1992), "Algorithms for Computer Algebra", Kluwer, section 12.2, pp. 522-524
(elementary extensions of a differential field).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from surefoot.proof.exact_doubles import TooMuchError, fraction, rational
from surefoot.proof.quotient_signs import plain_sign

MOST_TERMS = 250
MOST_DEGREE = 40
MOST_ATOMS = 12
MOST_ROOTS = 6
"""Roots up to the sixth know their power; higher ones, such as the double 0.3, are powers of a kind of their own."""


@dataclass(frozen=True)
class Atom:
    """An elementary function that polynomials are made of.

    Attributes
    ----------
    slopes : tuple of Quotient
        Its derivatives.
    positive : bool
        Whether it is > 0.
    root, base : int, polynomial or None
        Of the root of a base: ``atom^root = base``, which is positive.
    """

    slopes: tuple[Quotient, ...]
    positive: bool
    root: int = 0
    base: Any = None


class Quotient:
    """``above/below``, in lowest terms.

    Parameters
    ----------
    field : Field
    above, below : flint.fmpq_mpoly
    """

    __slots__ = ("above", "below", "field")

    def __init__(self, field: Field, above: Any, below: Any) -> None:
        shared = above.gcd(below)
        self.field, self.above, self.below = field, above / shared, below / shared
        for part in (self.above, self.below):
            if len(part) > MOST_TERMS or (len(part) and part.total_degree() > MOST_DEGREE):
                raise TooMuchError("A quotient of long polynomials.")

    def __add__(self, other: Quotient) -> Quotient:
        return Quotient(self.field, self.above * other.below + other.above * self.below, self.below * other.below)

    def __radd__(self, zero: int) -> Quotient:
        return self  # sums of NumPy begin with the number 0

    def __sub__(self, other: Quotient) -> Quotient:
        return Quotient(self.field, self.above * other.below - other.above * self.below, self.below * other.below)

    def __neg__(self) -> Quotient:
        return Quotient(self.field, -self.above, self.below)

    def __mul__(self, other: Quotient) -> Quotient:
        return Quotient(self.field, self.above * other.above, self.below * other.below)

    def __truediv__(self, other: Quotient) -> Quotient:
        if not len(other.above):
            raise ZeroDivisionError("A quotient by 0.")
        return Quotient(self.field, self.above * other.below, self.below * other.above)

    def power(self, exponent: int) -> Quotient:
        """A whole power."""
        if abs(exponent) > MOST_DEGREE:
            raise TooMuchError("A high power.")
        if exponent < 0:
            return self.field.number(1) / self.power(-exponent)
        return Quotient(self.field, self.above**exponent, self.below**exponent)

    @property
    def is_zero(self) -> bool:
        return not len(self.above)

    def derivative(self, k: int) -> Quotient:
        """By the k-th variable."""
        above, below = self.field.slope(self.above, k), self.field.slope(self.below, k)
        whole = Quotient(self.field, self.below, self.field.one)
        return (above * whole - below * Quotient(self.field, self.above, self.field.one)) / (whole * whole)


class Field:
    """Quotients of n variables, with atoms as they are asked for.

    Parameters
    ----------
    lower, upper : sequence of float
        Bounds of the variables, infinite where there are none; a point on a bound is of no interest.

    Examples
    --------
    >>> field = Field([0.0], [float("inf")])
    >>> x = field.variable(0)
    >>> entropy = x * field.log(x)
    >>> second = entropy.derivative(0).derivative(0)
    >>> str(second.above), str(second.below)
    ('1', 'x0')
    """

    def __init__(self, lower: Sequence[float], upper: Sequence[float]) -> None:
        from flint import Ordering, fmpq_mpoly_ctx

        size = len(lower)
        self.lower, self.upper = tuple(map(float, lower)), tuple(map(float, upper))
        names = (*(f"x{k}" for k in range(size)), *(f"g{k}" for k in range(MOST_ATOMS)))
        self.size, self.ring = size, fmpq_mpoly_ctx.get(names, Ordering.lex)
        self.gens, self.one = self.ring.gens(), self.ring.constant(1)
        self.atoms: list[Atom] = []
        self._places: dict[tuple[Any, ...], int] = {}

    def number(self, value: Any) -> Quotient:
        """A rational number."""
        return Quotient(self, self.ring.constant(rational(value)), self.one)

    def variable(self, k: int) -> Quotient:
        return Quotient(self, self.gens[k], self.one)

    def slope(self, polynomial: Any, k: int) -> Quotient:
        """The derivative of a polynomial by the k-th variable, through its atoms."""
        found = Quotient(self, polynomial.derivative(k), self.one)
        for j, atom in enumerate(self.atoms):
            outer = polynomial.derivative(self.size + j)
            if len(outer):
                found = found + Quotient(self, outer, self.one) * atom.slopes[k]
        return found

    def slopes(self, u: Quotient) -> tuple[Quotient, ...]:
        return tuple(u.derivative(k) for k in range(self.size))

    def log(self, u: Quotient) -> Quotient:
        """``log u`` for u > 0, as the logarithms of the sizes of its factors."""
        total = self.number(0)
        for factor, times in self._factors(u):
            whole = Quotient(self, factor, self.one)
            slopes = [slope / whole for slope in self.slopes(whole)]
            total = total + self._atom(("log", str(factor)), slopes, False) * self.number(times)
        return total

    def exp(self, u: Quotient) -> Quotient:
        """``exp u``; that of ``-u`` is one over it."""
        if u.is_zero:
            return self.number(1)
        key, turned = (str(u.above), str(u.below)), (str(-u.above), str(u.below))
        if ("exp", *turned) in self._places:
            return self.number(1) / self.exp(-u)
        name = ("exp", *key)
        if name in self._places:
            return self.variable(self._places[name])
        place = self._new()
        itself = self.variable(place)
        self.atoms.append(Atom(tuple(itself * slope for slope in self.slopes(u)), True))
        self._places[name] = place
        return itself

    def power(self, u: Quotient, exponent: Fraction) -> Quotient:
        """``u^c`` for u > 0, as powers of the sizes of its factors."""
        total = self.number(1)
        for factor, times in self._factors(u):
            c, sign = exponent * times, plain_sign(self, factor)
            whole = Quotient(self, factor, self.one)
            if c.denominator == 1:
                if sign is None and c % 2:
                    raise TooMuchError("A power of a factor of unknown sign.")
                total = total * whole.power(int(c)) * self.number((sign or 1) ** int(c % 2))
                continue
            root = c.denominator if c.denominator <= MOST_ROOTS else 0
            share = Fraction(1, root) if root else c
            name = ("power", str(factor), share)
            if name not in self._places:
                place = self._new()
                rate = self.number(share) * self.variable(place) / whole
                slopes = tuple(rate * slope for slope in self.slopes(whole))
                base = factor * sign if root and sign else None
                self.atoms.append(Atom(slopes, True, root, base))
                self._places[name] = place
            total = total * self.variable(self._places[name]).power(int(c * root) if root else 1)
        return total

    def _factors(self, u: Quotient) -> list[tuple[Any, int]]:
        """Irreducible factors of u > 0 and how often they occur, its constant among them."""
        found: list[tuple[Any, int]] = []
        constant = Fraction(1)
        for part, sign in ((u.above, 1), (u.below, -1)):
            number, factors = part.factor()
            constant = constant * fraction(number) ** sign
            found += [(factor, sign * times) for factor, times in factors]
        if abs(constant) != 1:
            found.append((self.ring.constant(rational(abs(constant))), 1))
        return found

    def _atom(self, name: tuple[Any, ...], slopes: list[Quotient], positive: bool) -> Quotient:
        if name not in self._places:
            place = self._new()
            self.atoms.append(Atom(tuple(slopes), positive))
            self._places[name] = place
        return self.variable(self._places[name])

    def _new(self) -> int:
        if len(self.atoms) >= MOST_ATOMS:
            raise TooMuchError("Many elementary functions.")
        return self.size + len(self.atoms)
