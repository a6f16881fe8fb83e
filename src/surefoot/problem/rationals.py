"""Columns of exactly known numbers: integers of any size in units of one positive rational number.

    value_i = mantissa_i * unit

Decimals as written have a power of ten as their unit, doubles a power of two, so sums, products and whole powers of
them stay integer arithmetic, and a Gram matrix of such columns is one product of integer matrices. A quotient of two
columns is exact as well, as long as the denominators have a common multiple of reasonable size.

Reference: Knuth (1997), "The Art of Computer Programming", vol. 2, 3rd ed., section 4.5.1, pp. 330-333 (fractions).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from surefoot.errors import DataError

MOST_BITS = 1 << 16
"""A unit or a power of more bits than this is not formed exactly: enclosures do for less."""

MOST_EXPONENT = 10_000
"""Powers of ten up to this are read; a text such as 1e-999999999 would fill the memory with zeros."""

MOST_DIGITS = 4000
"""Digits of one number; Python itself reads few more."""

_PLAIN = frozenset("0123456789.+-")
_DECIMAL = re.compile(r"([+-]?)(\d[\d_]*)?(?:\.([\d_]*))?(?:[eE]([+-]?\d+))?", re.ASCII)


@dataclass(frozen=True)
class Rationals:
    """A column of rational numbers.

    Attributes
    ----------
    mantissas : ndarray of object, shape (m,)
        Python integers.
    unit : Fraction
        Positive.

    Examples
    --------
    >>> tenth = Rationals.from_decimals(["0.1", "2"])
    >>> (tenth * tenth).values()
    [Fraction(1, 100), Fraction(4, 1)]
    """

    mantissas: np.ndarray
    unit: Fraction

    @classmethod
    def from_integers(cls, values: Sequence[int] | np.ndarray) -> Rationals:
        """Whole numbers: Python integers, or an array of integers, booleans, or doubles that are whole."""
        return cls(_objects([int(value) for value in values]), Fraction(1))

    @classmethod
    def constant(cls, value: Fraction, rows: int) -> Rationals:
        """The same number in every row."""
        sign = (value > 0) - (value < 0)
        return cls(_objects([sign] * rows), abs(value) or Fraction(1))

    @classmethod
    def from_fractions(cls, values: Sequence[Fraction]) -> Rationals:
        """Fractions over their common denominator."""
        bottom = math.lcm(*(value.denominator for value in values)) if values else 1
        return cls(_objects([v.numerator * (bottom // v.denominator) for v in values]), Fraction(1, bottom))

    @classmethod
    def from_doubles(cls, values: np.ndarray) -> Rationals:
        """Doubles as the binary fractions that they are.

        Raises
        ------
        DataError
            A value is infinite or NaN.

        Examples
        --------
        >>> Rationals.from_doubles(np.array([0.5, 3.0])).values()
        [Fraction(1, 2), Fraction(3, 1)]
        """
        values = np.asarray(values, dtype=np.float64)
        if not np.all(np.isfinite(values)):
            row = int(np.argmin(np.isfinite(values)))
            raise DataError(f"Row {row + 1} holds {values[row]}: exact arithmetic needs finite numbers.")
        fractions, exponents = np.frexp(values)
        mantissas = np.ldexp(fractions, 53).astype(np.int64)
        lowest = mantissas & -mantissas  # the last bit that is set
        zeros = np.where(mantissas == 0, 0, np.frexp(lowest.astype(np.float64))[1] - 1)
        mantissas, exponents = mantissas >> zeros, exponents - 53 + zeros
        used = exponents[mantissas != 0]
        least = int(used.min()) if len(used) else 0
        shifts = np.where(mantissas == 0, 0, exponents - least).tolist()
        unit = Fraction(2) ** least
        return cls(_objects([m << s for m, s in zip(mantissas.tolist(), shifts, strict=True)]), unit)

    @classmethod
    def from_decimals(cls, texts: Sequence[str]) -> Rationals:
        """Numbers as they are written: ``12``, ``-0.10``, ``.5``, ``1.5e-3``.

        Raises
        ------
        DataError
            A text is no finite decimal number, or its exponent is beyond `MOST_EXPONENT`.

        Examples
        --------
        >>> Rationals.from_decimals(["1.5e-3", "-2"]).values()
        [Fraction(3, 2000), Fraction(-2, 1)]
        """
        try:
            return cls._from_plain(texts)
        except ValueError:
            parts = [_decimal(text) for text in texts]
        least = min((exponent for mantissa, exponent in parts if mantissa), default=0)
        mantissas = [mantissa * 10 ** (exponent - least) if mantissa else 0 for mantissa, exponent in parts]
        return cls(_objects(mantissas), Fraction(10) ** least)

    @classmethod
    def _from_plain(cls, texts: Sequence[str]) -> Rationals:
        """The short way, for digits with at most a point and a sign; ValueError for anything else."""
        parts = [text.partition(".") for text in texts]
        if not _PLAIN.issuperset("".join(texts)) or any(after[:1] in ("+", "-") for _, _, after in parts if after):
            raise ValueError("not digits alone")  # int() would read blanks, underscores and digits of other scripts
        decimals = max((len(after) for _, _, after in parts), default=0)
        if decimals > 40:
            raise ValueError("one long text would make every mantissa long")
        power = [10**k for k in range(decimals, -1, -1)]
        mantissas = [int(before + after) * power[len(after)] for before, _, after in parts]
        return cls(_objects(mantissas), Fraction(1, 10**decimals))

    def __len__(self) -> int:
        return len(self.mantissas)

    def values(self) -> list[Fraction]:
        """Every value as a fraction."""
        return [mantissa * self.unit for mantissa in self.mantissas]

    def take(self, rows: np.ndarray) -> Rationals:
        return Rationals(self.mantissas[rows], self.unit)

    def bits(self) -> int:
        """Length of the longest mantissa."""
        return max((int(m).bit_length() for m in self.mantissas), default=0)

    def is_zero(self) -> np.ndarray:
        """A mask of the rows that are exactly zero."""
        return (self.mantissas == 0).astype(bool)

    def __neg__(self) -> Rationals:
        return Rationals(-self.mantissas, self.unit)

    def __abs__(self) -> Rationals:
        return Rationals(np.abs(self.mantissas), self.unit)

    def __add__(self, other: Rationals) -> Rationals:
        left, right, unit = self.alike(other)
        return Rationals(left + right, unit)

    def __sub__(self, other: Rationals) -> Rationals:
        left, right, unit = self.alike(other)
        return Rationals(left - right, unit)

    def __mul__(self, other: Rationals) -> Rationals:
        return Rationals(self.mantissas * other.mantissas, self.unit * other.unit)

    def over(self, other: Rationals) -> Rationals | None:
        """The quotient; None where a divisor is zero or the common denominator would be too long."""
        bottom = 1
        for divisor in {abs(int(m)) for m in other.mantissas}:
            bottom = math.lcm(bottom, divisor)
            if divisor == 0 or bottom.bit_length() > 2048:
                return None
        pairs = zip(self.mantissas.tolist(), other.mantissas.tolist(), strict=True)
        return Rationals(_objects([a * (bottom // b) for a, b in pairs]), self.unit / other.unit / bottom)

    def power(self, exponent: int) -> Rationals | None:
        """A whole power; None for a negative power of zero, and where the digits would be too many."""
        size = max(self.bits(), self.unit.numerator.bit_length(), self.unit.denominator.bit_length())
        if size * abs(exponent) > MOST_BITS:
            return None
        if exponent < 0:
            positive = self.power(-exponent)
            return None if positive is None else Rationals.constant(Fraction(1), len(self)).over(positive)
        return Rationals(_objects([m**exponent for m in self.mantissas.tolist()]), self.unit**exponent)

    def map(self, rule: Callable[[Fraction], Fraction | int]) -> Rationals:
        """A rational function of each value."""
        return Rationals.from_fractions([Fraction(rule(value)) for value in self.values()])

    def alike(self, other: Rationals) -> tuple[np.ndarray, np.ndarray, Fraction]:
        """Both mantissas in a common unit."""
        if self.unit == other.unit:
            return self.mantissas, other.mantissas, self.unit
        (a, b), (c, d) = self.unit.as_integer_ratio(), other.unit.as_integer_ratio()
        unit = Fraction(math.gcd(a * d, c * b), b * d)
        return self.mantissas * int(self.unit / unit), other.mantissas * int(other.unit / unit), unit


def decimal(text: str) -> Fraction:
    """The number that a literal writes.

    Examples
    --------
    >>> decimal("0.1")
    Fraction(1, 10)
    """
    mantissa, exponent = _decimal(text)
    return mantissa * Fraction(10) ** exponent


def _decimal(text: str) -> tuple[int, int]:
    """Mantissa and power of ten of one number as written."""
    match = _DECIMAL.fullmatch(text.strip())
    if match is None or not (match[2] or match[3]):
        raise DataError(f"{text[:40]!r} is not a finite decimal number, so it cannot be read exactly.")
    sign, before, after, power = match.groups()
    digits, after = (before or "").replace("_", ""), (after or "").replace("_", "")
    if len(digits) + len(after) > MOST_DIGITS:
        raise DataError(f"{text[:40]!r}... has more than {MOST_DIGITS:,} digits: it cannot be read exactly.")
    if len((power or "").lstrip("+-0")) > 9 or abs(int(power or 0)) > MOST_EXPONENT:
        raise DataError(
            f"{text[:40]!r} has an exponent beyond {MOST_EXPONENT:,}: it cannot be read exactly. "
            "Correct the value, or leave the row out with filter=."
        )
    exponent = int(power or 0)
    return int(sign + (digits + after or "0")), exponent - len(after)


def _objects(values: list[int]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
