"""Intervals of doubles in arrays: the one interval type, and the only file that touches the library behind it.

An interval ``[lo, hi]`` is the set of *real* numbers between its ends; an end of +-inf says that there is no bound, and
infinity is never a member. Every operation gives the tightest doubles around its exact range over the operands,

    X op Y  =  hull { x op y : x in X, y in Y, x op y defined },        empty, [nan, nan], if it is defined nowhere,

with functions that are correctly rounded in the direction needed. So ``log([-1, 2])`` is ``[-inf, log 2]``: whether a
function is defined on all of an interval is a question for `replay`, not for the value. ``0 * [-inf, inf]`` is 0.

Reference: IEEE 1788.1-2017, "IEEE Standard for Interval Arithmetic (Simplified)"; Rump (2010), "Verification methods",
Acta Numerica 19, pp. 287-449.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import ival
import numpy as np

Array = np.ndarray


@dataclass(frozen=True, eq=False, slots=True)
class Interval:
    """An array of intervals.

    Attributes
    ----------
    lo, hi : ndarray of float64
        Ends, ``lo <= hi``, in one shape; NaN in both is the empty interval. One and the same array means numbers: that
        is looked for, and makes them cheaper.

    Examples
    --------
    >>> x = Interval([-1.0, 2.0], [2.0, 3.0])
    >>> (x * x).lo.tolist(), square(x).lo.tolist()
    ([-2.0, 4.0], [0.0, 4.0])
    >>> bool((Interval.of(1.0) / Interval.of(3.0)).contains(1 / 3))
    True
    """

    lo: Array
    hi: Array

    __array_ufunc__ = None  # an array leaves ``array + interval`` to `__radd__`

    def __post_init__(self) -> None:
        if type(self.lo) is not np.ndarray or self.lo.dtype != np.float64:
            object.__setattr__(self, "lo", np.asarray(self.lo, dtype=float))
        if type(self.hi) is not np.ndarray or self.hi.dtype != np.float64:
            object.__setattr__(self, "hi", np.asarray(self.hi, dtype=float))

    @classmethod
    def of(cls, numbers: Any) -> Interval:
        """Numbers, each a double, as intervals of no width."""
        array = np.asarray(numbers, dtype=float)
        return cls(array, array)

    @classmethod
    def around(cls, number: Fraction | int) -> Interval:
        """The two doubles around an exact number.

        Examples
        --------
        >>> third = Interval.around(Fraction(1, 3))
        >>> Fraction(float(third.lo)) < Fraction(1, 3) < Fraction(float(third.hi))
        True
        """
        return _ours(ival.Interval(number))

    @classmethod
    def entire(cls, shape: Sequence[int] = ()) -> Interval:
        """All real numbers."""
        return cls(np.full(tuple(shape), -np.inf), np.full(tuple(shape), np.inf))

    @classmethod
    def empty(cls, shape: Sequence[int] = ()) -> Interval:
        """No number."""
        return cls.of(np.full(tuple(shape), np.nan))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the arrays of ends."""
        return self.lo.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.lo.ndim

    @property
    def size(self) -> int:
        """How many intervals."""
        return self.lo.size

    @property
    def are_numbers(self) -> bool:
        """Whether these are numbers, known by both ends being one array."""
        return self.lo is self.hi

    @property
    def mid(self) -> Array:
        """A double inside, about the middle; finite whatever the ends."""
        return self.lo if self.are_numbers else np.asarray(ival.Interval.mid.fget(_its(self)))  # type: ignore[union-attr]

    @property
    def rad(self) -> Array:
        """The least double with ``[mid - rad, mid + rad]`` around the interval."""
        return np.asarray(ival.Interval.rad.fget(_its(self)))  # type: ignore[union-attr]

    @property
    def width(self) -> Array:
        """``hi - lo``, rounded upward."""
        return np.asarray(ival.Interval.wid.fget(_its(self)))  # type: ignore[union-attr]

    @property
    def magnitude(self) -> Array:
        """The largest absolute value."""
        return np.maximum(np.abs(self.lo), np.abs(self.hi))

    @property
    def mignitude(self) -> Array:
        """The smallest absolute value."""
        return np.where(
            (self.lo <= 0.0) & (self.hi >= 0.0), 0.0, np.minimum(np.abs(self.lo), np.abs(self.hi))
        )  # a NaN stays one: it compares as false

    @property
    def is_empty(self) -> Array:
        """Which have no member."""
        return np.isnan(self.lo)

    def contains(self, numbers: Any) -> Array:
        """Whether numbers, doubles each, are members."""
        return (self.lo <= numbers) & (numbers <= self.hi) & np.isfinite(numbers)

    def within(self, other: Interval) -> Array:
        """Whether these are subsets; the empty one always is."""
        return self.is_empty | ((other.lo <= self.lo) & (self.hi <= other.hi))

    def inside(self, other: Interval) -> Array:
        """Whether these lie in the interiors of others; of all real numbers, every interval does."""
        low = (other.lo < self.lo) | (other.lo == -np.inf)
        high = (self.hi < other.hi) | (other.hi == np.inf)
        return self.is_empty | (low & high)

    def hull(self, other: Interval) -> Interval:
        """The least intervals around both."""
        return Interval(np.fmin(self.lo, other.lo), np.fmax(self.hi, other.hi))

    def meet(self, other: Interval) -> Interval:
        """What both have in common."""
        lo, hi = np.maximum(self.lo, other.lo), np.minimum(self.hi, other.hi)
        apart = ~(lo <= hi)
        if apart.any():
            lo, hi = np.where(apart, np.nan, lo), np.where(apart, np.nan, hi)
        return Interval(lo, hi)

    def each(self, move: Callable[[Array], Array]) -> Interval:
        """The same movement of both ends: reshaping, picking, joining."""
        lo = move(self.lo)
        return Interval(lo, lo if self.are_numbers else move(self.hi))

    def __getitem__(self, key: Any) -> Interval:
        return self.each(lambda ends: ends[key])

    def __len__(self) -> int:
        return len(self.lo)

    def __neg__(self) -> Interval:
        lo = -self.hi
        return Interval(lo, lo if self.are_numbers else -self.lo)

    def __abs__(self) -> Interval:
        return Interval(self.mignitude, self.magnitude)

    def __add__(self, other: Interval | Array | float) -> Interval:
        return _of_two(_ADD, self, _interval(other))

    def __sub__(self, other: Interval | Array | float) -> Interval:
        return _of_two(_SUB, self, _interval(other))

    def __mul__(self, other: Interval | Array | float) -> Interval:
        return _of_two(_MUL, self, _interval(other))

    def __truediv__(self, other: Interval | Array | float) -> Interval:
        return _of_two(_DIV, self, _interval(other))

    def __radd__(self, other: Array | float) -> Interval:
        return _of_two(_ADD, _interval(other), self)

    def __rsub__(self, other: Array | float) -> Interval:
        return _of_two(_SUB, _interval(other), self)

    def __rmul__(self, other: Array | float) -> Interval:
        return _of_two(_MUL, _interval(other), self)

    def __rtruediv__(self, other: Array | float) -> Interval:
        return _of_two(_DIV, _interval(other), self)

    def __repr__(self) -> str:
        return f"Interval({self.lo.tolist()}, {self.hi.tolist()})"


@dataclass(frozen=True, eq=False, slots=True)
class Truth:
    """What is known of conditions: each may hold somewhere, may fail somewhere, or both.

    Examples
    --------
    >>> below = less(Interval.of(0.0), Interval([1.0, -1.0], [2.0, 1.0]))
    >>> below.surely.tolist(), below.never.tolist()
    ([True, False], [False, False])
    """

    can_hold: Array
    can_fail: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the conditions."""
        return self.can_hold.shape

    @property
    def surely(self) -> Array:
        """Which hold wherever they are defined."""
        return ~self.can_fail

    @property
    def never(self) -> Array:
        """Which hold nowhere."""
        return ~self.can_hold

    @property
    def decided(self) -> Array:
        """Which are one or the other throughout."""
        return ~(self.can_hold & self.can_fail)

    def each(self, move: Callable[[Array], Array]) -> Truth:
        """The same movement of both."""
        return Truth(move(self.can_hold), move(self.can_fail))

    def __invert__(self) -> Truth:
        return Truth(self.can_fail, self.can_hold)

    def __and__(self, other: Truth) -> Truth:
        return Truth(self.can_hold & other.can_hold, self.can_fail | other.can_fail)

    def __or__(self, other: Truth) -> Truth:
        return Truth(self.can_hold | other.can_hold, self.can_fail & other.can_fail)


def less(u: Interval, v: Interval) -> Truth:
    """``u < v``."""
    return Truth(u.lo < v.hi, u.hi >= v.lo)


def less_or_equal(u: Interval, v: Interval) -> Truth:
    """``u <= v``."""
    return Truth(u.lo <= v.hi, u.hi > v.lo)


def equal(u: Interval, v: Interval) -> Truth:
    """``u == v``."""
    return Truth((u.lo <= v.hi) & (v.lo <= u.hi), ~((u.lo == u.hi) & (v.lo == v.hi) & (u.lo == v.lo)))


def chosen(condition: Truth, a: Interval, b: Interval) -> Interval:
    """``a`` where the condition surely holds, ``b`` where it never does, else the hull of both."""
    yes, no = condition.surely, condition.never
    either = a.hull(b)
    lo = np.where(yes, a.lo, np.where(no, b.lo, either.lo))
    return Interval(lo, np.where(yes, a.hi, np.where(no, b.hi, either.hi)))


def tight(name: str, *operands: Interval) -> Interval:
    """The tightest intervals around a function of the library, by the library's name: ``exp``, ``atan2``, ..."""
    if len(operands) == 1:
        return _of_one(_function(f"ival_{name}", 4), operands[0])
    return _of_two(_function(f"ival_{name}", 6), *operands)


def square(u: Interval) -> Interval:
    """``u^2``, never negative."""
    return tight("sqr", u)


def whole_power(u: Interval, exponent: int | Array) -> Interval:
    """``u^k`` for whole numbers k of at most 31 bits; ``u^0`` is 1 everywhere."""
    return _ours(ival.pown(_its(u), exponent))


# The library's functions take the addresses of arrays: called so, they cost a third of what they do by its own classes,
# which matters where there are few boxes.


@cache
def _function(name: str, addresses: int) -> Callable[..., None]:
    """A function of the library on so many arrays of doubles, and their length."""
    prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * addresses, ctypes.c_size_t)
    return prototype((name, ctypes.CDLL(ival.library_path)))


_ADD, _SUB, _MUL, _DIV = (_function(f"ival_{name}", 6) for name in ("add", "sub", "mul", "div"))


def _address(array: Array) -> int:
    return array.__array_interface__["data"][0]


def _of_one(function: Callable[..., None], u: Interval) -> Interval:
    lo, hi = _in_order(u.lo), _in_order(u.hi)
    low, high = np.empty(lo.shape), np.empty(lo.shape)
    function(_address(lo), _address(hi), _address(low), _address(high), lo.size)
    return Interval(low, high)


def _of_two(function: Callable[..., None], u: Interval, v: Interval) -> Interval:
    if u.lo.shape != v.lo.shape:
        shape = np.broadcast_shapes(u.lo.shape, v.lo.shape)
        u, v = _spread(u, shape), _spread(v, shape)
    a, b, c, d = _in_order(u.lo), _in_order(u.hi), _in_order(v.lo), _in_order(v.hi)
    low, high = np.empty(a.shape), np.empty(a.shape)
    function(_address(a), _address(b), _address(c), _address(d), _address(low), _address(high), a.size)
    return Interval(low, high)


def _in_order(array: Array) -> Array:
    """Doubles one after the other, aligned, as C has them."""
    flags = array.flags
    return array if flags.c_contiguous and flags.aligned else np.require(array, dtype=float, requirements=["C", "A"])


def _interval(other: Interval | Array | float) -> Interval:
    return other if isinstance(other, Interval) else Interval.of(other)


def _spread(u: Interval, shape: tuple[int, ...]) -> Interval:
    """The same in every place of a larger shape."""
    if u.lo.shape == shape:
        return u
    lo = np.empty(shape)
    lo[...] = u.lo
    if u.are_numbers:
        return Interval(lo, lo)
    hi = np.empty(shape)
    hi[...] = u.hi
    return Interval(lo, hi)


def _its(u: Interval) -> ival.Interval:
    """As the library's type, without its look at every end: ours are in order already."""
    made = object.__new__(ival.Interval)
    made.lo, made.hi = u.lo, u.hi
    return made


def _ours(u: ival.Interval) -> Interval:
    return Interval(u.lo, u.hi)  # type: ignore[arg-type]
