"""Balls as a person and NumPy see them: the nearest double, a radius rounded outward, and the digits that are proven.

A decimal is proven to ``d`` digits when both ends of the ball, rounded to ``d`` significant digits, are one decimal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

DIGITS = 17
"""Digits printed at most: as many as determine a double."""


@dataclass(frozen=True)
class Enclosed:
    """Numbers with a proof of how well they are known; the arrays have one shape.

    Attributes
    ----------
    value : ndarray of float
        The double nearest to the middle of the ball, or zero if the number may be zero; infinite where it is beyond the
        range of doubles, NaN
        where nothing is known.
    radius : ndarray of float
        The true number is within this distance of ``value``; rounded outward, the rounding of ``value`` included.
    text : ndarray of str
        The number in decimals, proven ones only; empty where none is.
    digits : ndarray of int
        How many significant digits are proven, `DIGITS` at most; as many for a number that is exactly zero.

    Examples
    --------
    >>> from flint import arb
    >>> third = enclosed(arb(1) / 3)  # in the 53 bits that are usual
    >>> str(third.text), float(third.value), int(third.digits)
    ('0.333333333333333', 0.3333333333333333, 15)
    """

    value: np.ndarray
    radius: np.ndarray
    text: np.ndarray
    digits: np.ndarray

    def state(self) -> dict[str, list[Any]]:
        """Plain values for JSON."""
        return {"value": self.value.tolist(), "radius": self.radius.tolist(), "text": self.text.tolist(),
                "digits": self.digits.tolist()}  # fmt: skip

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Enclosed:
        """The inverse of ``state``."""
        return cls(np.array(state["value"], float), np.array(state["radius"], float), np.array(state["text"], str),
                   np.array(state["digits"], int))  # fmt: skip


def enclosed(balls: Any) -> Enclosed:
    """Of a ball, or of (nested) lists of balls; None where nothing is known."""
    array = np.array(balls, dtype=object)
    found = [_seen(ball) for ball in array.ravel().tolist()]
    shape = array.shape

    def gather(place: int, kind: type) -> np.ndarray:
        return np.array([one[place] for one in found], dtype=kind).reshape(shape)

    return Enclosed(gather(0, float), gather(1, float), gather(2, str), gather(3, int))


def ends(ball: Any) -> tuple[Fraction, Fraction]:
    """Both ends of a finite ball, rounded outward."""
    return _fraction(ball.lower()), _fraction(ball.upper())


def root(ball: Any) -> Any:
    """The square root of a number that is not negative, though its ball may reach below zero."""
    return ball.sqrt() if ball > 0 or ball.is_zero() else (ball * 0).union(ball.upper().sqrt())


def proven_digits(ball: Any) -> int:
    """How many significant digits of the number are proven, `DIGITS` at most."""
    return _seen(ball)[3]


def _seen(ball: Any) -> tuple[float, float, str, int]:
    if ball is None or not ball.is_finite():
        return math.nan, math.inf, "", 0
    low, high = ends(ball)
    if low == high == 0:
        return 0.0, 0.0, "0", DIGITS
    value = 0.0 if low <= 0 <= high else nearest((low + high) / 2)
    text, digits = _decimal(low, high)
    return value, _outward(low, high, value), text, digits


def _fraction(point: Any) -> Fraction:
    mantissa, exponent = point.man_exp()
    return int(mantissa) * Fraction(2) ** int(exponent)


def nearest(number: Fraction) -> float:
    """The nearest double, infinite beyond their range."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _outward(low: Fraction, high: Fraction, value: float) -> float:
    """The distance from a double within which the ball lies, rounded up."""
    if math.isinf(value):
        return math.inf
    middle = Fraction(value)
    distance = max(high - middle, middle - low)
    radius = nearest(distance)
    return radius if math.isinf(radius) or Fraction(radius) >= distance else math.nextafter(radius, math.inf)


def _decimal(low: Fraction, high: Fraction) -> tuple[str, int]:
    """The longest decimal, up to `DIGITS`, to which both ends are rounded."""
    if low <= 0 <= high:
        return "", 0
    for digits in range(DIGITS, 0, -1):
        one = _significant(low, digits)
        if one == _significant(high, digits):
            return _written(*one, digits), digits
    return "", 0


def _significant(number: Fraction, digits: int) -> tuple[int, int]:
    """``m, e`` with ``number`` about ``m * 10^e`` and ``m`` of so many digits, rounded to the nearest, ties to even."""
    size = abs(number)
    # The number of digits before the point, from the lengths in bits, is right but for one.
    exponent = int((size.numerator.bit_length() - size.denominator.bit_length()) * math.log10(2)) - digits
    mantissa = round(size / Fraction(10) ** exponent)
    while len(str(mantissa)) > digits:
        exponent += 1
        mantissa = round(size / Fraction(10) ** exponent)
    while len(str(mantissa)) < digits:
        exponent -= 1
        mantissa = round(size / Fraction(10) ** exponent)
    return (mantissa if number > 0 else -mantissa), exponent


def _written(mantissa: int, exponent: int, digits: int) -> str:
    sign, text = "-" if mantissa < 0 else "", str(abs(mantissa))
    first = exponent + digits - 1  # the power of ten of the first digit
    if first < -5 or exponent > 0:
        return f"{sign}{text[0]}{'.' if digits > 1 else ''}{text[1:]}e{first:+03d}"
    if first < 0:
        return f"{sign}0.{'0' * (-first - 1)}{text}"
    point = first + 1
    return f"{sign}{text[:point]}.{text[point:]}" if point < digits else sign + text


def fewest(numbers: Sequence[Enclosed]) -> int:
    """The fewest proven digits of all the numbers."""
    return min((int(one.digits.min()) for one in numbers if one.digits.size), default=DIGITS)
