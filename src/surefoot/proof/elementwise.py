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

from surefoot.proof import elementary_slopes as slopes
from surefoot.proof import interval_functions as functions
from surefoot.proof.interval import Array, Interval, square, tight
from surefoot.proof.interval_functions import power

Known = Array | bool
Slope = Callable[[Interval, Interval], Interval]
Test = Callable[[Interval], Known]


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


def _negated(slope: Slope) -> Slope:
    return lambda u, value: -slope(u, value)


_EXP: Slope = lambda u, value: value  # noqa: E731
_NOT_ZERO: Test = lambda u: (u.lo > 0.0) | (u.hi < 0.0)  # noqa: E731
_VALUES = functions.UNARY

RULES: dict[str, Rule] = {
    "neg": Rule(_VALUES["neg"], lambda u, value: -_one(u, value), _zero),
    "exp": Rule(_VALUES["exp"], _EXP, _EXP),
    "expm1": Rule(_VALUES["expm1"], lambda u, _: tight("exp", u), lambda u, _: tight("exp", u)),
    "log": Rule(_VALUES["log"], slopes.log_first, lambda u, value: -square(slopes.log_first(u, value)), _positive),
    "log1p": Rule(
        _VALUES["log1p"], slopes.log1p_first, lambda u, value: -square(slopes.log1p_first(u, value)),
        lambda u: u.lo > -1.0,
    ),
    "cbrt": Rule(_VALUES["cbrt"], slopes.cbrt_first, slopes.cbrt_second, smooth=_NOT_ZERO),
    "abs": Rule(abs, _sign_of, _zero, smooth=_NOT_ZERO),
    **{name: _steps(name) for name in ("sign", "floor", "ceil", "round")},
    "sin": Rule(_VALUES["sin"], _cosine, lambda u, value: -value),
    "cos": Rule(_VALUES["cos"], lambda u, _: -tight("sin", u), lambda u, value: -value),
    "tan": Rule(_VALUES["tan"], slopes.tan_first, slopes.tan_second, _tan_defined),
    "arcsin": Rule(
        _VALUES["arcsin"], slopes.arcsin_first, slopes.arcsin_second,
        lambda u: (u.lo >= -1.0) & (u.hi <= 1.0), smooth=_inside_one,
    ),
    "arccos": Rule(
        _VALUES["arccos"], _negated(slopes.arcsin_first), _negated(slopes.arcsin_second),
        lambda u: (u.lo >= -1.0) & (u.hi <= 1.0), smooth=_inside_one,
    ),
    "arctan": Rule(_VALUES["arctan"], slopes.arctan_first, slopes.arctan_second),
    "sinh": Rule(_VALUES["sinh"], lambda u, _: tight("cosh", u), lambda u, value: value),
    "cosh": Rule(_VALUES["cosh"], lambda u, _: tight("sinh", u), lambda u, value: value),
    "tanh": Rule(_VALUES["tanh"], slopes.tanh_first, slopes.tanh_second),
    "arcsinh": Rule(_VALUES["arcsinh"], slopes.arcsinh_first, slopes.arcsinh_second),
    "arccosh": Rule(
        _VALUES["arccosh"], slopes.arccosh_first, slopes.arccosh_second,
        lambda u: u.lo >= 1.0, smooth=lambda u: u.lo > 1.0,
    ),
    "arctanh": Rule(_VALUES["arctanh"], slopes.arctanh_first, slopes.arctanh_second, _inside_one),
    "logistic": Rule(_VALUES["logistic"], slopes.logistic_first, slopes.logistic_second),
    "softplus": Rule(_VALUES["softplus"], lambda u, _: functions.logistic(u), slopes.logistic_first),
    "erf": Rule(_VALUES["erf"], slopes.erf_first, slopes.erf_second),
    "erfc": Rule(_VALUES["erfc"], _negated(slopes.erf_first), _negated(slopes.erf_second)),
    "lgamma": Rule(
        _VALUES["lgamma"], lambda u, _: functions.digamma(u), lambda u, _: functions.trigamma(u),
        functions.away_from_poles,
    ),
    "digamma": Rule(
        _VALUES["digamma"], lambda u, _: functions.trigamma(u), lambda u, _: functions.tetragamma(u),
        functions.away_from_poles,
    ),
    "log_ndtr": Rule(_VALUES["log_ndtr"], lambda u, _: functions.mills(u), slopes.log_ndtr_second),
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
