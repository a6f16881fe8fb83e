"""Functions of one or two intervals by the names of the real graph's operations, each an enclosure of its exact range.

Most are the library's own: the tightest doubles. The others are built from those, or from Arb, so that

- each operand appears once, and the result is tight but for a few roundings (``logistic``), or
- a function that only grows (or only falls) is evaluated at both ends, with its limit at an end without bound:
  ``softplus(t) = max(t, 0) + log(1 + exp(-|t|))``, ``log_ndtr``, ``digamma`` and its derivatives where x > 0;
- the logarithm of |Gamma| is convex between its poles, as ``digamma`` grows there: its greatest value is at an end, and
  its tangents at both ends bound it from below.

Reference: NIST Digital Library of Mathematical Functions, sections 5.15 (polygamma functions are sums over the poles)
and 7.8 (Mills' ratio); Sampford (1953), "Some inequalities on Mill's ratio", Ann. Math. Stat. 24(1), pp. 130-132.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from surefoot.proof.interval import Array, Interval, square, tight, whole_power

Range = Callable[[Interval], Interval]

LARGEST_WHOLE = 2**31 - 1
"""Whole exponents up to here have their own function; others are not enclosed."""

_ROOT_HALF = Interval.around(1) / Interval.of(2.0)
_ROOT_HALF = tight("sqrt", _ROOT_HALF)
_ROOT_TWO_OVER_PI = tight("sqrt", Interval.of(2.0) / tight("acos", Interval.of(-1.0)))


def at_ends(function: Range, u: Interval, low: float, high: float) -> Interval:
    """The range of a function that never falls, from its values at the ends; ``low`` and ``high`` are its limits."""
    if u.are_numbers:
        return function(u)
    ends = function(Interval.of(np.stack([u.lo, u.hi])))
    lo = np.where(u.lo == -np.inf, low, ends.lo[0])
    hi = np.where(u.hi == np.inf, high, ends.hi[1])
    return Interval(lo, hi)


def falling_at_ends(function: Range, u: Interval, low: float, high: float) -> Interval:
    """The same for a function that never grows."""
    return -at_ends(lambda t: -function(t), u, -low, -high)


def with_turns(
    function: Range, u: Interval, limits: tuple[float, float], turns: tuple[tuple[Interval, Interval], ...]
) -> Interval:
    """The range of a function that is monotone between places where it turns.

    Parameters
    ----------
    function : callable
        Gives enclosures at numbers.
    limits : tuple of float
        What it tends to at -inf and inf.
    turns : tuple of (Interval, Interval)
        Enclosures of each place and of the value there.
    """
    ends = function(Interval.of(np.stack([u.lo, u.hi])))
    lo = np.where(np.isinf([u.lo, u.hi]), np.reshape(limits, (2, *[1] * u.ndim)), ends.lo)
    hi = np.where(np.isinf([u.lo, u.hi]), np.reshape(limits, (2, *[1] * u.ndim)), ends.hi)
    low, high = np.minimum(lo[0], lo[1]), np.maximum(hi[0], hi[1])
    for place, value in turns:
        met = (u.lo <= place.hi) & (place.lo <= u.hi)
        low = np.where(met, np.minimum(low, value.lo), low)
        high = np.where(met, np.maximum(high, value.hi), high)
    return Interval(low, high)


def logistic(u: Interval) -> Interval:
    """``1/(1 + exp(-u))``."""
    return 1.0 / (1.0 + tight("exp", -u))


def softplus(u: Interval) -> Interval:
    """``log(1 + exp(u))``."""

    def at(t: Interval) -> Interval:
        rest = tight("log1p", tight("exp", Interval.of(-np.abs(t.lo))))
        return Interval.of(np.maximum(t.lo, 0.0)) + rest

    return at_ends(at, u, 0.0, np.inf)


def log_ndtr(u: Interval) -> Interval:
    """The logarithm of the normal distribution function: by erfc from -35 up, by Arb below."""

    def at(t: Interval) -> Interval:
        upper = tight("erfc", t * _ROOT_HALF) / 2.0
        lower = tight("erfc", -(t * _ROOT_HALF)) / 2.0
        right, left = tight("log1p", -upper), tight("log", lower)
        positive, far = t.lo > 0.0, t.lo < -35.0
        lo, hi = np.where(positive, right.lo, left.lo), np.where(positive, right.hi, left.hi)
        if np.any(far):
            tail = by_arb("log_ndtr", t.lo[far])
            # Phi(t) is at most exp(-t^2/2)/2 there, which holds where Arb's exponents end, too.
            bound = -(square(Interval.of(t.lo[far])) / 2.0)
            lo[far], hi[far] = tail.lo, np.fmin(tail.hi, bound.hi)
        return Interval(lo, np.minimum(hi, 0.0))

    return at_ends(at, u, -np.inf, 0.0)


def mills(u: Interval) -> Interval:
    """``phi(u)/Phi(u)``, the derivative of ``log_ndtr``: positive and falling; between -u and -u - 1/u where u < 0."""

    def at(t: Interval) -> Interval:
        near = tight("exp", -(square(t) / 2.0) - log_ndtr(t)) * (_ROOT_TWO_OVER_PI / 2.0)
        far = t.lo < -35.0
        if not np.any(far):
            return near
        lo, hi = near.lo.copy(), near.hi.copy()
        tail, distance = by_arb("mills", t.lo[far]), Interval.of(-t.lo[far])
        lo[far], hi[far] = np.fmax(tail.lo, distance.lo), np.fmin(tail.hi, (distance + 1.0 / distance).hi)
        return Interval(np.maximum(lo, 0.0), hi)

    return falling_at_ends(at, u, np.inf, 0.0)


def lgamma(u: Interval) -> Interval:
    """``log |Gamma(u)|``: convex between its poles."""
    return _between_poles(u, "lgamma", lambda part: _convex(part, "lgamma", "digamma", np.inf))


def digamma(u: Interval) -> Interval:
    """The derivative of ``lgamma``: growing between its poles."""
    return _between_poles(u, "digamma", lambda part: at_ends(_by_arb("digamma"), part, -np.inf, np.inf))


def trigamma(u: Interval) -> Interval:
    """The second derivative of ``lgamma``: positive and convex between its poles, falling where u > 0."""

    def value(part: Interval) -> Interval:
        right = falling_at_ends(_by_arb("trigamma"), part, np.inf, 0.0)
        left = _convex(part, "trigamma", "tetragamma", 0.0) if np.any(part.lo <= 0.0) else right
        positive = part.lo > 0.0
        return Interval(np.where(positive, right.lo, np.maximum(left.lo, 0.0)), np.where(positive, right.hi, left.hi))

    return _between_poles(u, "trigamma", value)


def tetragamma(u: Interval) -> Interval:
    """The third derivative of ``lgamma``: growing between its poles."""
    return _between_poles(u, "tetragamma", lambda part: at_ends(_by_arb("tetragamma"), part, -np.inf, 0.0))


def away_from_poles(u: Interval) -> Array:
    """Where Gamma has no pole: at 0, -1, -2, ..."""
    return (u.lo > 0.0) | ((np.floor(u.lo) == np.floor(u.hi)) & (np.floor(u.lo) < u.lo))


def _between_poles(u: Interval, name: str, value: Range) -> Interval:
    """A function with poles at 0, -1, ...: all of the reals, or all from a bound up, where there is a pole inside."""
    clear = away_from_poles(u)
    lowest = {"trigamma": 0.0}.get(name, -np.inf)
    lo, hi = np.full(u.shape, lowest), np.full(u.shape, np.inf)
    if np.any(clear):
        found = value(Interval(u.lo[clear], u.hi[clear]))
        lo[clear], hi[clear] = found.lo, found.hi
    lo[u.is_empty] = hi[u.is_empty] = np.nan
    return Interval(lo, hi)


def _convex(u: Interval, name: str, slope: str, limit: float) -> Interval:
    """The range of a convex function: the larger end, and the best of what the tangents at the ends say."""
    ends = Interval.of(np.stack([u.lo, u.hi]))
    values, slopes = _by_arb(name)(ends), _by_arb(slope)(ends)
    endless = u.hi == np.inf
    hi = np.maximum(values.hi[0], np.where(endless, limit, values.hi[1]))
    grows, falls = slopes.lo[0] >= 0.0, ~endless & (slopes.hi[1] <= 0.0)
    drop = Interval.of(u.hi) - Interval.of(u.lo)
    # Below its tangents a convex function never is: f >= f(a) + f'(a) (x - a), and the same from the other end.
    from_low = (values[0] + slopes[0] * Interval(np.zeros(u.shape), drop.hi)).lo
    from_high = (values[1] - slopes[1] * Interval(np.zeros(u.shape), drop.hi)).lo
    between = np.where(endless, from_low, np.fmax(from_low, from_high))
    lo = np.where(grows, values.lo[0], np.where(falls, values.lo[1], between))
    if name == "lgamma":
        lo = np.where(u.lo > 0.0, np.fmax(lo, -0.1214862905358497), lo)  # its minimum is -0.12148629053584961
    return Interval(lo, hi)


def _by_arb(name: str) -> Range:
    return lambda t: by_arb(name, t.lo)


def by_arb(name: str, numbers: Array) -> Interval:
    """A function of numbers from Arb, rounded outward; each distinct number once."""
    from surefoot.proof.arb_functions import enclosures

    distinct, where = np.unique(numbers, return_inverse=True)
    lo, hi = enclosures(name, distinct)
    back = where.reshape(np.shape(numbers))
    return Interval(lo[back], hi[back])


def power(u: Interval, exponent: Fraction) -> Interval:
    """``u^c``: for whole c on all of R, else where u >= 0; the exponent itself enclosed if it is no double."""
    if exponent.denominator == 1:
        return whole_power(u, int(exponent))
    named = {Fraction(1, 2): "sqrt", Fraction(-1, 2): "rsqrt"}.get(exponent)
    if named:
        return tight(named, u)
    if abs(exponent) == Fraction(1, 3):
        root = tight(
            "cbrt", Interval(np.where(u.hi < 0.0, np.nan, np.fmax(u.lo, 0.0)), np.where(u.hi < 0.0, np.nan, u.hi))
        )
        return root if exponent > 0 else 1.0 / root
    return pow_interval(u, Interval.around(exponent))


def pow_interval(u: Interval, exponent: Interval) -> Interval:
    """``u^v`` where u > 0, or u = 0 and v > 0."""
    return tight("pow", u, exponent)


def pow_general(u: Interval, exponent: Interval, whole: Array) -> Interval:
    """``u^v``, on all of R where v is a whole number (``whole``)."""
    if not np.any(whole):
        return pow_interval(u, exponent)
    powers = np.where(whole, exponent.lo, 1.0)
    exact = whole_power(u, powers.astype(int))
    if np.all(whole):
        return exact
    other = pow_interval(u, exponent)
    return Interval(np.where(whole, exact.lo, other.lo), np.where(whole, exact.hi, other.hi))


def maximum(u: Interval, v: Interval) -> Interval:
    """The larger of both."""
    gone = u.is_empty | v.is_empty
    lo, hi = np.maximum(u.lo, v.lo), np.maximum(u.hi, v.hi)
    return Interval(np.where(gone, np.nan, lo), np.where(gone, np.nan, hi))


def minimum(u: Interval, v: Interval) -> Interval:
    """The smaller of both."""
    return -maximum(-u, -v)


def _library(name: str) -> Range:
    return lambda u: tight(name, u)


UNARY: dict[str, Range] = {
    "neg": lambda u: -u,
    "abs": abs,
    "round": _library("roundeven"),
    "arcsin": _library("asin"),
    "arccos": _library("acos"),
    "arctan": _library("atan"),
    "arcsinh": _library("asinh"),
    "arccosh": _library("acosh"),
    "arctanh": _library("atanh"),
    "logistic": logistic,
    "softplus": softplus,
    "log_ndtr": log_ndtr,
    "lgamma": lgamma,
    "digamma": digamma,
    **{
        name: _library(name)
        for name in (
            "exp", "expm1", "log", "log1p", "cbrt", "sign", "floor", "ceil", "sin", "cos", "tan", "sinh", "cosh",
            "tanh", "erf", "erfc",
        )
    },
}  # fmt: skip
"""The graph's elementwise functions of one operand."""

BINARY: dict[str, Callable[[Interval, Interval], Interval]] = {
    "add": lambda u, v: u + v,
    "sub": lambda u, v: u - v,
    "mul": lambda u, v: u * v,
    "div": lambda u, v: u / v,
    "pow": pow_interval,
    "maximum": maximum,
    "minimum": minimum,
    "arctan2": lambda u, v: tight("atan2", u, v),
    "hypot": lambda u, v: tight("hypot", u, v),
}
"""Those of two operands of one shape."""
