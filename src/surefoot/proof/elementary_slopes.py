"""First and second derivatives of the elementary functions over intervals, each tight but for a few roundings.

Where a derivative is monotone, it is evaluated at both ends; where it turns, at the places where it does as well:

    f'' of tanh in t = tanh u:  2 t (t^2 - 1),  turns where t = +-1/sqrt 3        arctan:  where u = +-1/sqrt 3
    arcsinh, erf:  where u = +-1/sqrt 2                                           logistic: where u = +-log(2 + sqrt 3)

All get the operand and the value of the function there.

Reference: NIST Digital Library of Mathematical Functions, sections 4.20, 4.34, 4.38 and 7.10; Sampford (1953), "Some
inequalities on Mill's ratio", Ann. Math. Stat. 24(1), pp. 130-132 (the curvature of log_ndtr grows from -1 to 0).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from surefoot.proof import interval_functions as functions
from surefoot.proof.interval import Interval, square, tight, whole_power
from surefoot.proof.interval_functions import at_ends, with_turns

FAR = 1e100
"""Beyond, squares begin to overflow."""

_PI = tight("acos", Interval.of(-1.0))
_THIRD = Interval.around(Fraction(1, 3))
_ROOT_THIRD = tight("sqrt", _THIRD)
_ROOT_HALF = tight("sqrt", Interval.of(0.5))
_TWO_OVER_ROOT_PI = Interval.of(2.0) / tight("sqrt", _PI)


def tan_first(_: Interval, t: Interval) -> Interval:
    """``1 + tan^2``."""
    return 1.0 + square(t)


def tan_second(_: Interval, t: Interval) -> Interval:
    """``2 tan + 2 tan^3``."""
    return (t + whole_power(t, 3)) * 2.0


def tanh_first(u: Interval, _: Interval) -> Interval:
    """``1/cosh^2``."""
    return square(1.0 / tight("cosh", u))


def tanh_second(_: Interval, t: Interval) -> Interval:
    """``2 t (t^2 - 1)`` turns where t = +-1/sqrt 3, at -+4/(3 sqrt 3)."""
    extreme = _ROOT_THIRD * 4.0 / 3.0
    return with_turns(
        lambda p: p * 2.0 * ((p + 1.0) * (p - 1.0)), t, (0.0, 0.0), ((_ROOT_THIRD, -extreme), (-_ROOT_THIRD, extreme))
    )


def _clipped(u: Interval, low: float, high: float) -> Interval:
    """What lies between two bounds."""
    gone = ~((u.hi >= low) & (u.lo <= high))
    return Interval(np.where(gone, np.nan, np.fmax(u.lo, low)), np.where(gone, np.nan, np.fmin(u.hi, high)))


def _one_less_square(u: Interval) -> Interval:
    """``1 - u^2 = (1 - |u|)(1 + |u|)`` on [-1, 1], which keeps its digits near 1 and falls with ``|u|``."""
    size = abs(_clipped(u, -1.0, 1.0))
    far, near = Interval.of(size.hi), Interval.of(size.lo)
    return Interval(((1.0 - far) * (1.0 + far)).lo, ((1.0 - near) * (1.0 + near)).hi)


def arcsin_first(u: Interval, _: Interval) -> Interval:
    """``(1 - u^2)^(-1/2)``."""
    return tight("rsqrt", _one_less_square(u))


def arcsin_second(u: Interval, _: Interval) -> Interval:
    """``u (1 - u^2)^(-3/2)`` grows on (-1, 1)."""
    return _between_poles(lambda t: t * tight("rsqrt", _one_less_square(t)) / _one_less_square(t), u)


def _between_poles(function: Callable[[Interval], Interval], u: Interval) -> Interval:
    """The range of a function that grows from -inf to inf on (-1, 1)."""
    inside = _clipped(u, -1.0, 1.0)
    found = at_ends(function, inside, -np.inf, np.inf)
    pole = (inside.hi == -1.0) | (inside.lo == 1.0)  # where it has no value
    lo = np.where(pole, np.nan, np.where(inside.lo == -1.0, -np.inf, found.lo))
    return Interval(lo, np.where(pole, np.nan, np.where(inside.hi == 1.0, np.inf, found.hi)))


def arctan_first(u: Interval, _: Interval) -> Interval:
    """``1/(1 + u^2)``."""
    return 1.0 / (1.0 + square(u))


def arctan_second(u: Interval, _: Interval) -> Interval:
    """``-2u/(1 + u^2)^2`` turns where u = +-1/sqrt 3, at -+9/(8 sqrt 3)."""
    extreme = _ROOT_THIRD * 9.0 / 8.0
    return with_turns(
        lambda t: t / (1.0 + square(t)) * -2.0 / (1.0 + square(t)),
        u,
        (0.0, 0.0),
        ((_ROOT_THIRD, -extreme), (-_ROOT_THIRD, extreme)),
    )


def arcsinh_first(u: Interval, _: Interval) -> Interval:
    """``(1 + u^2)^(-1/2)``."""
    return tight("rsqrt", 1.0 + square(u))


def arcsinh_second(u: Interval, _: Interval) -> Interval:
    """``-u (1 + u^2)^(-3/2)`` turns where u = +-1/sqrt 2, at -+2/(3 sqrt 3)."""
    extreme = _ROOT_THIRD * 2.0 / 3.0
    return with_turns(
        lambda t: _beyond(lambda p: -p * tight("rsqrt", 1.0 + square(p)) / (1.0 + square(p)), t, FAR), u, (0.0, 0.0),
        ((_ROOT_HALF, -extreme), (-_ROOT_HALF, extreme)),
    )  # fmt: skip


def _square_less_one(u: Interval) -> Interval:
    """``u^2 - 1`` where u >= 1."""
    inside = _clipped(u, 1.0, np.inf)
    return (inside - 1.0) * (inside + 1.0)


def arccosh_first(u: Interval, _: Interval) -> Interval:
    """``(u^2 - 1)^(-1/2)``."""
    return tight("rsqrt", _square_less_one(u))


def arccosh_second(u: Interval, _: Interval) -> Interval:
    """``-u (u^2 - 1)^(-3/2)`` grows from -inf to 0 on u > 1."""
    inside = _clipped(u, 1.0, np.inf)
    found = at_ends(
        lambda t: _beyond(lambda p: -p * tight("rsqrt", _square_less_one(p)) / _square_less_one(p), t, FAR),
        inside, -np.inf, 0.0,
    )  # fmt: skip
    pole = inside.hi == 1.0
    lo = np.where(pole, np.nan, np.where(inside.lo == 1.0, -np.inf, found.lo))
    return Interval(lo, np.where(pole, np.nan, found.hi))


def _beyond(function: Callable[[Interval], Interval], t: Interval, far: float) -> Interval:
    """A function at numbers; beyond ``far``, where it goes to 0 without turning, between its value there and 0."""
    found = function(Interval.of(np.clip(t.lo, -far, far)))
    past = np.abs(t.lo) > far
    return Interval(np.where(past, np.fmin(found.lo, 0.0), found.lo), np.where(past, np.fmax(found.hi, 0.0), found.hi))


def arctanh_first(u: Interval, _: Interval) -> Interval:
    """``1/(1 - u^2)``."""
    return 1.0 / _one_less_square(u)


def arctanh_second(u: Interval, _: Interval) -> Interval:
    """``2u/(1 - u^2)^2`` grows on (-1, 1)."""
    return _between_poles(lambda t: t * 2.0 / square(_one_less_square(t)), u)


def logistic_first(u: Interval, _: Interval) -> Interval:
    """``p (1 - p)`` turns at 0, where it is 1/4."""
    return with_turns(
        lambda t: functions.logistic(t) * functions.logistic(-t),
        u,
        (0.0, 0.0),
        ((Interval.of(0.0), Interval.of(0.25)),),
    )


def logistic_second(u: Interval, _: Interval) -> Interval:
    """``p (1 - p)(1 - 2p)`` turns where ``u = +-log(2 + sqrt 3)``, at -+1/(6 sqrt 3)."""
    place = tight("log", 2.0 + tight("sqrt", Interval.of(3.0)))
    extreme = _ROOT_THIRD / 6.0
    return with_turns(
        lambda t: -(functions.logistic(t) * functions.logistic(-t)) * tight("tanh", t / 2.0), u, (0.0, 0.0),
        ((place, -extreme), (-place, extreme)),
    )  # fmt: skip


def erf_first(u: Interval, _: Interval) -> Interval:
    """``2/sqrt(pi) exp(-u^2)``."""
    return tight("exp", -square(u)) * _TWO_OVER_ROOT_PI


def erf_second(u: Interval, _: Interval) -> Interval:
    """``-2u`` times the first turns where u = +-1/sqrt 2; beyond 40, it lies between its value there and 0."""
    extreme = _ROOT_HALF * 2.0 * tight("exp", Interval.of(-0.5)) * _TWO_OVER_ROOT_PI

    def at(t: Interval) -> Interval:
        return _beyond(lambda p: p * -2.0 * tight("exp", -square(p)) * _TWO_OVER_ROOT_PI, t, 40.0)

    return with_turns(at, u, (0.0, 0.0), ((_ROOT_HALF, -extreme), (-_ROOT_HALF, extreme)))


def log_ndtr_second(u: Interval, _: Interval) -> Interval:
    """``-m (u + m)`` with m the first: it grows from -1 to 0 (Sampford 1953); far out by what it is nearer."""

    def at(t: Interval) -> Interval:
        near = Interval.of(np.clip(t.lo, -8.0, 40.0))
        ratio = functions.mills(near)
        found = (-ratio * (near + ratio)).meet(Interval(-np.ones(()), np.zeros(())))
        lo, hi = found.lo, np.where(t.lo > 40.0, 0.0, found.hi)
        if np.any(far := t.lo < -8.0):
            tail = functions.by_arb("log_ndtr_second", np.maximum(t.lo[far], -1e8))
            lo, hi = lo.copy(), hi.copy()
            lo[far], hi[far] = np.where(t.lo[far] < -1e8, -1.0, tail.lo), tail.hi
        return Interval(lo, hi)

    return at_ends(at, u, -1.0, 0.0)


def log1p_first(u: Interval, _: Interval) -> Interval:
    """``1/(1 + u)``."""
    return 1.0 / _from_minus_one(u)


def _from_minus_one(u: Interval) -> Interval:
    found = u + 1.0
    return Interval(
        np.where(found.hi < 0.0, np.nan, np.fmax(found.lo, 0.0)), np.where(found.hi < 0.0, np.nan, found.hi)
    )


def log_first(u: Interval, _: Interval) -> Interval:
    """``1/u``."""
    return 1.0 / _clipped(u, 0.0, np.inf)


def cbrt_first(_: Interval, root: Interval) -> Interval:
    """``1/(3 r^2)`` of the root r."""
    return _THIRD / square(root)


def cbrt_second(_: Interval, root: Interval) -> Interval:
    """``-2/(9 r^5)`` of the root r."""
    return (_THIRD * _THIRD * -2.0) / whole_power(root, 5)
