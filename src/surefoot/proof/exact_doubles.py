"""Arrays of exactly known rational numbers, which stay arrays of doubles for as long as doubles hold them.

    s = fl(a + b),  z = s - a,  (a - (s - z)) + (b - z) = 0      =>      s = a + b exactly

Data are doubles, and most of what is done to them before they are squared (moved about, negated, subtracted from zero)
keeps them so. Where an operation would round, the result is an array of rational numbers of flint instead.

Reference: Knuth (1997), "The Art of Computer Programming", vol. 2, 3rd ed., section 4.2.2, p. 236 (the error of a sum).
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

MOST_RATIONALS = 2_000_000
"""An array of more rational numbers than this is not made: each takes some hundred bytes."""

_NORMAL = 2.0**-960
_LARGE = 2.0**1000


class TooMuchError(Exception):
    """An exact computation would take too long; whoever catches it says that nothing is proven."""


def rational(value: Any) -> Any:
    """A double, a whole number or a fraction as a rational number of flint."""
    from flint import fmpq

    if isinstance(value, fmpq):
        return value
    if isinstance(value, Fraction):
        return fmpq(value.numerator, value.denominator)
    return fmpq(*float(value).as_integer_ratio()) if not isinstance(value, int) else fmpq(value)


def fraction(value: Any) -> Fraction:
    """A rational number of flint as a fraction."""
    return Fraction(int(value.p), int(value.q))


def rationals(array: np.ndarray) -> np.ndarray:
    """The same numbers as an array of rational numbers.

    Raises
    ------
    TooMuchError
        There are more than `MOST_RATIONALS`.
    """
    if array.dtype == object:
        return array
    if array.size > MOST_RATIONALS:
        raise TooMuchError(f"{array.size:,} numbers would be held as fractions.")
    flat = array.ravel()
    if flat.size and np.all(flat == flat[0]):
        return np.full(array.shape, rational(float(flat[0])), dtype=object)
    from flint import fmpq

    found = np.empty(flat.size, dtype=object)
    found[:] = [fmpq(*value.as_integer_ratio()) for value in flat.tolist()]
    return found.reshape(array.shape)


def doubles(array: np.ndarray) -> np.ndarray:
    """The nearest doubles, each off by at most one unit roundoff; infinite where no double is near."""
    if array.dtype != object:
        return array
    found = [nearest(value) for value in array.ravel().tolist()]
    return np.array(found, dtype=float).reshape(array.shape)


def nearest(value: Any) -> float:
    """The double nearest to a rational number; infinite beyond the largest."""
    try:
        return int(value.p) / int(value.q)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def add(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``a + b``, exactly; shapes as in NumPy.

    Examples
    --------
    >>> add(np.array([1.0]), np.array([0.5])).dtype == float, add(np.array([1.0]), np.array([1e-30])).dtype == float
    (True, False)
    """
    if a.dtype != object and b.dtype != object:
        with np.errstate(all="ignore"):
            total = a + b
            back = total - a
            error = (a - (total - back)) + (b - back)
        if np.all(error == 0.0):
            return total
    return rationals(a) + rationals(b)


def mul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``a b`` elementwise, exactly; shapes as in NumPy."""
    if a.dtype != object and b.dtype != object:
        with np.errstate(all="ignore"):
            product = a * b
        size = np.abs(product)
        zero = (a == 0.0) | (b == 0.0)
        one, other = _bits(a), _bits(b)
        short = ((one + other <= 53) | (one == 1) | (other == 1)) & (size > _NORMAL) & (size < _LARGE)
        if np.all(short | zero):
            return product
    return rationals(a) * rationals(b)


def div(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``a / b`` elementwise, exactly.

    Raises
    ------
    ZeroDivisionError
        A divisor is zero.
    """
    if np.any(b == 0):
        raise ZeroDivisionError("A divisor is zero.")
    if b.dtype != object:
        mantissas, exponents = np.frexp(b)
        if np.all(np.abs(mantissas) == 0.5) and np.all(np.abs(exponents) < 1000):
            return mul(a, 1.0 / b)
    return rationals(a) / rationals(b)


def dot(a: np.ndarray, b: np.ndarray, subscripts: str) -> np.ndarray:
    """A contraction of two arrays by `numpy.einsum`, exactly.

    In doubles only where every sum has at most one term and one factor is 0 or +-1: the data times the vector of the
    variables.
    """
    if a.dtype != object and b.dtype != object:
        for one in (a, b):
            if np.all((np.abs(one) == 1.0) | (one == 0.0)):
                terms = np.einsum(subscripts, (a != 0.0).astype(float), (b != 0.0).astype(float))
                if np.all(terms <= 1.0):
                    return np.einsum(subscripts, a, b, optimize=True) + 0.0
    one, other = rationals(a), rationals(b)
    left = subscripts.replace("...", "").partition("->")[0]
    letters = dict(zip(left.replace(",", ""), one.shape + other.shape, strict=True))
    if math.prod(letters.values()) > 3 * MOST_RATIONALS:
        raise TooMuchError(f"A product of arrays of shapes {a.shape} and {b.shape} would be formed in fractions.")
    return np.asarray(np.einsum(subscripts, one, other), dtype=object)


def total(array: np.ndarray, axis: int) -> np.ndarray:
    """The sum along an axis, exactly: in doubles where at most one number of each sum is not zero."""
    if array.dtype != object and np.all(np.count_nonzero(array, axis=axis) <= 1):
        return array.sum(axis=axis)
    return rationals(array).sum(axis=axis)


def _bits(array: np.ndarray) -> np.ndarray:
    """How many bits the mantissa of each double needs."""
    mantissas = np.ldexp(np.frexp(array)[0], 53).astype(np.int64)
    lowest = (mantissas & -mantissas).astype(float)
    return np.where(mantissas == 0, 0, 54 - np.frexp(np.where(lowest == 0, 1.0, lowest))[1])
