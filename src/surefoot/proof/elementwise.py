"""What is known of each elementwise function: where it is defined and smooth, and its first two derivatives.

A `Rule` reads intervals. Its derivatives enclose those of the function wherever they exist over the operand: at a kink
both slopes and all between (Clarke's), so that ``f(b) - f(a)`` lies in ``slope * (b - a)`` where f is continuous.

Reference: Moore, Kearfott & Cloud (2009), "Introduction to Interval Analysis", SIAM, chapter 6; the turning points of
second derivatives are those of elementary calculus, written beside them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from surefoot.proof import interval_functions as functions
from surefoot.proof.interval import Array, Interval, square, tight, whole_power
from surefoot.proof.interval_functions import at_ends, power, with_turns

Known = Array | bool
Slope = Callable[[Interval, Interval], Interval]
Test = Callable[[Interval], Known]

FAR = 1e100
"""Beyond, squares begin to overflow."""

_PI = tight("acos", Interval.of(-1.0))
_THIRD = Interval.around(Fraction(1, 3))
_ROOT_THIRD = tight("sqrt", _THIRD)
_ROOT_HALF = tight("sqrt", Interval.of(0.5))
_TWO_OVER_ROOT_PI = Interval.of(2.0) / tight("sqrt", _PI)


def everywhere(_: Interval) -> Known:
    """A property that never fails."""
    return True


def _zero(u: Interval, _: Interval) -> Interval:
    return Interval.of(np.zeros(u.shape))


def _one(u: Interval, _: Interval) -> Interval:
    return Interval.of(np.ones(u.shape))


@dataclass(frozen=True)
class Rule:
    """One function of one operand.

    Attributes
    ----------
    value : callable
        Operand -> enclosure of the values.
    first, second : callable
        Operand and value -> enclosures of the derivatives.
    defined : callable
        Operand -> whether the function is defined on all of it.
    continuous, smooth : callable
        Operand -> whether, on a neighbourhood of it, the function agrees wherever it is defined with a function that
        is continuous, or twice continuously differentiable.
    """

    value: Callable[[Interval], Interval]
    first: Slope
    second: Slope
    defined: Test = everywhere
    continuous: Test = everywhere
    smooth: Test = everywhere


def _positive(u: Interval) -> Known:
    return u.lo > 0.0


def _inside_one(u: Interval) -> Known:
    return (u.lo > -1.0) & (u.hi < 1.0)


def _sign_of(u: Interval, _: Interval) -> Interval:
    """The slopes of abs: -1, 1, or all between where 0 is a member."""
    lo = np.where(u.lo > 0.0, 1.0, -1.0)
    return Interval(lo, np.where(u.hi < 0.0, -1.0, 1.0))


def _steps(name: str) -> Rule:
    """A function of steps: flat between them."""
    value = functions.UNARY[name]

    def flat(u: Interval) -> Known:
        # A step may be at an end, and the value there that of one side: only strictly between steps is it flat.
        found = value(u)
        jump = {"sign": 0.0, "floor": u.lo, "ceil": u.lo, "round": u.lo - 0.5}[name]
        at_step = (u.lo == 0.0) if name == "sign" else (np.floor(jump) == jump)
        other = {"sign": 0.0, "floor": u.hi, "ceil": u.hi, "round": u.hi - 0.5}[name]
        at_step = at_step | ((u.hi == 0.0) if name == "sign" else (np.floor(other) == other))
        return (found.lo == found.hi) & ~at_step

    return Rule(value, _no_slope(flat), _no_slope(flat), continuous=flat, smooth=flat)


def _no_slope(flat: Test) -> Slope:
    """0 where flat; a jump has every slope."""

    def slope(u: Interval, _: Interval) -> Interval:
        size = np.where(flat(u), 0.0, np.inf)
        return Interval(-size, size)

    return slope


def _cosine(u: Interval, _: Interval) -> Interval:
    return tight("cos", u)


def _tan_defined(u: Interval) -> Known:
    """No pole inside: then the values are bounded."""
    return np.isfinite(tight("tan", u).magnitude)


def _tan_first(_: Interval, t: Interval) -> Interval:
    return 1.0 + square(t)


def _tan_second(_: Interval, t: Interval) -> Interval:
    return (t + whole_power(t, 3)) * 2.0


def _tanh_first(u: Interval, _: Interval) -> Interval:
    return square(1.0 / tight("cosh", u))


def _tanh_second(_: Interval, t: Interval) -> Interval:
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


def _arcsin_first(u: Interval, _: Interval) -> Interval:
    return tight("rsqrt", _one_less_square(u))


def _arcsin_second(u: Interval, _: Interval) -> Interval:
    """``u (1 - u^2)^(-3/2)`` grows on (-1, 1)."""
    return _between_poles(lambda t: t * tight("rsqrt", _one_less_square(t)) / _one_less_square(t), u)


def _between_poles(function: Callable[[Interval], Interval], u: Interval) -> Interval:
    """The range of a function that grows from -inf to inf on (-1, 1)."""
    inside = _clipped(u, -1.0, 1.0)
    found = at_ends(function, inside, -np.inf, np.inf)
    pole = (inside.hi == -1.0) | (inside.lo == 1.0)  # where it has no value
    lo = np.where(pole, np.nan, np.where(inside.lo == -1.0, -np.inf, found.lo))
    return Interval(lo, np.where(pole, np.nan, np.where(inside.hi == 1.0, np.inf, found.hi)))


def _arctan_first(u: Interval, _: Interval) -> Interval:
    return 1.0 / (1.0 + square(u))


def _arctan_second(u: Interval, _: Interval) -> Interval:
    """``-2u/(1 + u^2)^2`` turns where u = +-1/sqrt 3, at -+9/(8 sqrt 3)."""
    extreme = _ROOT_THIRD * 9.0 / 8.0
    return with_turns(
        lambda t: t / (1.0 + square(t)) * -2.0 / (1.0 + square(t)),
        u,
        (0.0, 0.0),
        ((_ROOT_THIRD, -extreme), (-_ROOT_THIRD, extreme)),
    )


def _arcsinh_first(u: Interval, _: Interval) -> Interval:
    return tight("rsqrt", 1.0 + square(u))


def _arcsinh_second(u: Interval, _: Interval) -> Interval:
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


def _arccosh_first(u: Interval, _: Interval) -> Interval:
    return tight("rsqrt", _square_less_one(u))


def _arccosh_second(u: Interval, _: Interval) -> Interval:
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


def _arctanh_first(u: Interval, _: Interval) -> Interval:
    return 1.0 / _one_less_square(u)


def _arctanh_second(u: Interval, _: Interval) -> Interval:
    """``2u/(1 - u^2)^2`` grows on (-1, 1)."""
    return _between_poles(lambda t: t * 2.0 / square(_one_less_square(t)), u)


def _logistic_first(u: Interval, _: Interval) -> Interval:
    """``p (1 - p)`` turns at 0, where it is 1/4."""
    return with_turns(
        lambda t: functions.logistic(t) * functions.logistic(-t),
        u,
        (0.0, 0.0),
        ((Interval.of(0.0), Interval.of(0.25)),),
    )


def _logistic_second(u: Interval, _: Interval) -> Interval:
    """``p (1 - p)(1 - 2p)`` turns where ``u = +-log(2 + sqrt 3)``, at -+1/(6 sqrt 3)."""
    place = tight("log", 2.0 + tight("sqrt", Interval.of(3.0)))
    extreme = _ROOT_THIRD / 6.0
    return with_turns(
        lambda t: -(functions.logistic(t) * functions.logistic(-t)) * tight("tanh", t / 2.0), u, (0.0, 0.0),
        ((place, -extreme), (-place, extreme)),
    )  # fmt: skip


def _erf_first(u: Interval, _: Interval) -> Interval:
    return tight("exp", -square(u)) * _TWO_OVER_ROOT_PI


def _erf_second(u: Interval, _: Interval) -> Interval:
    """``-2u`` times the first turns where u = +-1/sqrt 2; beyond 40, it lies between its value there and 0."""
    extreme = _ROOT_HALF * 2.0 * tight("exp", Interval.of(-0.5)) * _TWO_OVER_ROOT_PI

    def at(t: Interval) -> Interval:
        return _beyond(lambda p: p * -2.0 * tight("exp", -square(p)) * _TWO_OVER_ROOT_PI, t, 40.0)

    return with_turns(at, u, (0.0, 0.0), ((_ROOT_HALF, -extreme), (-_ROOT_HALF, extreme)))


def _negated(slope: Slope) -> Slope:
    return lambda u, value: -slope(u, value)


def _log_ndtr_second(u: Interval, _: Interval) -> Interval:
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


def _log1p_first(u: Interval, _: Interval) -> Interval:
    return 1.0 / _from_minus_one(u)


def _from_minus_one(u: Interval) -> Interval:
    found = u + 1.0
    return Interval(
        np.where(found.hi < 0.0, np.nan, np.fmax(found.lo, 0.0)), np.where(found.hi < 0.0, np.nan, found.hi)
    )


def _log_first(u: Interval, _: Interval) -> Interval:
    return 1.0 / _clipped(u, 0.0, np.inf)


def _cbrt_first(_: Interval, root: Interval) -> Interval:
    return _THIRD / square(root)


def _cbrt_second(_: Interval, root: Interval) -> Interval:
    return (_THIRD * _THIRD * -2.0) / whole_power(root, 5)


_EXP: Slope = lambda u, value: value  # noqa: E731
_NOT_ZERO: Test = lambda u: (u.lo > 0.0) | (u.hi < 0.0)  # noqa: E731
_VALUES = functions.UNARY

RULES: dict[str, Rule] = {
    "neg": Rule(_VALUES["neg"], lambda u, value: -_one(u, value), _zero),
    "exp": Rule(_VALUES["exp"], _EXP, _EXP),
    "expm1": Rule(_VALUES["expm1"], lambda u, _: tight("exp", u), lambda u, _: tight("exp", u)),
    "log": Rule(_VALUES["log"], _log_first, lambda u, value: -square(_log_first(u, value)), _positive),
    "log1p": Rule(
        _VALUES["log1p"], _log1p_first, lambda u, value: -square(_log1p_first(u, value)), lambda u: u.lo > -1.0
    ),
    "cbrt": Rule(_VALUES["cbrt"], _cbrt_first, _cbrt_second, smooth=_NOT_ZERO),
    "abs": Rule(abs, _sign_of, _zero, smooth=_NOT_ZERO),
    **{name: _steps(name) for name in ("sign", "floor", "ceil", "round")},
    "sin": Rule(_VALUES["sin"], _cosine, lambda u, value: -value),
    "cos": Rule(_VALUES["cos"], lambda u, _: -tight("sin", u), lambda u, value: -value),
    "tan": Rule(_VALUES["tan"], _tan_first, _tan_second, _tan_defined),
    "arcsin": Rule(
        _VALUES["arcsin"], _arcsin_first, _arcsin_second, lambda u: (u.lo >= -1.0) & (u.hi <= 1.0), smooth=_inside_one
    ),
    "arccos": Rule(
        _VALUES["arccos"], _negated(_arcsin_first), _negated(_arcsin_second),
        lambda u: (u.lo >= -1.0) & (u.hi <= 1.0), smooth=_inside_one,
    ),
    "arctan": Rule(_VALUES["arctan"], _arctan_first, _arctan_second),
    "sinh": Rule(_VALUES["sinh"], lambda u, _: tight("cosh", u), lambda u, value: value),
    "cosh": Rule(_VALUES["cosh"], lambda u, _: tight("sinh", u), lambda u, value: value),
    "tanh": Rule(_VALUES["tanh"], _tanh_first, _tanh_second),
    "arcsinh": Rule(_VALUES["arcsinh"], _arcsinh_first, _arcsinh_second),
    "arccosh": Rule(
        _VALUES["arccosh"], _arccosh_first, _arccosh_second, lambda u: u.lo >= 1.0, smooth=lambda u: u.lo > 1.0
    ),
    "arctanh": Rule(_VALUES["arctanh"], _arctanh_first, _arctanh_second, _inside_one),
    "logistic": Rule(_VALUES["logistic"], _logistic_first, _logistic_second),
    "softplus": Rule(_VALUES["softplus"], lambda u, _: functions.logistic(u), _logistic_first),
    "erf": Rule(_VALUES["erf"], _erf_first, _erf_second),
    "erfc": Rule(_VALUES["erfc"], _negated(_erf_first), _negated(_erf_second)),
    "lgamma": Rule(
        _VALUES["lgamma"], lambda u, _: functions.digamma(u), lambda u, _: functions.trigamma(u),
        functions.away_from_poles,
    ),
    "digamma": Rule(
        _VALUES["digamma"], lambda u, _: functions.trigamma(u), lambda u, _: functions.tetragamma(u),
        functions.away_from_poles,
    ),
    "log_ndtr": Rule(_VALUES["log_ndtr"], lambda u, _: functions.mills(u), _log_ndtr_second),
}  # fmt: skip
"""By the graph's operation."""


@lru_cache(maxsize=256)
def power_rule(exponent: Fraction) -> Rule:
    """The rule of ``u^c`` for a constant exponent; what is constant is exactly so: the second of ``u^2`` is 2."""

    def falling(order: int) -> Slope:
        factor = Fraction(1)
        for k in range(order):
            factor *= exponent - k
        if factor == 0:
            return _zero
        left = exponent - order
        if left == 0:
            return lambda u, _: Interval.of(np.ones(u.shape)) * Interval.around(factor)
        return lambda u, _: power(u, left) * Interval.around(factor)

    def smooth(u: Interval) -> Known:
        if exponent.denominator == 1:
            return True if exponent >= 0 else _NOT_ZERO(u)
        return (u.lo >= 0.0) if exponent > 2 else (u.lo > 0.0)

    def defined(u: Interval) -> Known:
        if exponent.denominator == 1:
            return True if exponent >= 0 else _NOT_ZERO(u)
        return (u.lo >= 0.0) if exponent > 0 else (u.lo > 0.0)

    return Rule(lambda u: power(u, exponent), falling(1), falling(2), defined, smooth=smooth)
