"""Elementary functions of Arb balls with their first and second derivatives, for `arb_reading`.

Each is written out by itself from the calculus, and shares nothing with the rules in intervals of doubles.

Reference: NIST Digital Library of Mathematical Functions, chapters 4, 5 and 7; Johansson (2017), "Arb: efficient
arbitrary-precision midpoint-radius interval arithmetic", IEEE Trans. Computers 66(8), pp. 1281-1292.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

Three = tuple[Any, Any, Any]
Six = tuple[Any, Any, Any, Any, Any, Any]


def nan() -> Any:
    """Nothing known."""
    from flint import arb

    return arb.nan()


def unary(name: str) -> Callable[[Any], Three]:
    """Value, first and second derivative of an elementwise function of one operand."""
    function = _UNARY[name]
    # Arb says of some functions what they could be at most, even of what is not a number.
    return lambda u: (u, u, u) if u.is_nan() else function(u)


def binary(name: str) -> Callable[[Any, Any], Six]:
    """Value, derivatives by u and v, and second ones by uu, uv and vv."""
    function = _BINARY[name]

    def at(u: Any, v: Any) -> Six:
        gone = u if u.is_nan() else v
        return (gone,) * 6 if gone.is_nan() else function(u, v)  # type: ignore[return-value]

    return at


def power(exponent: Fraction) -> Callable[[Any], Three]:
    """``u^c`` and its derivatives."""

    def at(u: Any) -> Three:
        value, first, second = (_powered(u, exponent - k) for k in range(3))
        c, d = _ball(exponent), _ball(exponent * (exponent - 1))
        # A factor of 0 ends the derivatives, whatever the power of u would be.
        return value, c * first if exponent else c, d * second if exponent * (exponent - 1) else d

    return at


def _ball(number: Fraction) -> Any:
    from flint import arb, fmpq

    return arb(fmpq(number.numerator, number.denominator))


def _powered(u: Any, exponent: Fraction) -> Any:
    from flint import arb

    if exponent.denominator == 1:
        return u * 0 + 1 if exponent == 0 else u ** int(exponent)  # not defined where u is not
    if u.is_zero():
        return arb(0) if exponent > 0 else nan()
    if exponent == Fraction(1, 2):
        return u.sqrt()
    return u ** _ball(exponent) if u > 0 else nan()


def _exp(u: Any) -> Three:
    e = u.exp()
    return e, e, e


def _expm1(u: Any) -> Three:
    return u.expm1(), u.exp(), u.exp()


def _log(u: Any) -> Three:
    return (u.log(), 1 / u, -1 / (u * u)) if u > 0 else (nan(), nan(), nan())


def _log1p(u: Any) -> Three:
    return (u.log1p(), 1 / (1 + u), -1 / (1 + u) ** 2) if u > -1 else (nan(), nan(), nan())


def _cbrt(u: Any) -> Three:
    if u.is_zero():
        return u, nan(), nan()
    if not (u > 0 or u < 0):
        return nan(), nan(), nan()
    root = u.root(3) if u > 0 else -((-u).root(3))
    return root, root / (3 * u), -2 * root / (9 * u * u)


def _abs(u: Any) -> Three:
    from flint import arb

    return abs(u), arb(1) if u > 0 else arb(-1) if u < 0 else nan(), arb(0) if u > 0 or u < 0 else nan()


def _stepwise(step: Callable[[Any], Any], at_step: Callable[[Any], bool]) -> Callable[[Any], Three]:
    from flint import arb

    def at(u: Any) -> Three:
        value = step(u)
        flat = arb(0) if value.is_exact() and not at_step(u) else nan()
        return value, flat, flat

    return at


def _sign(u: Any) -> Any:
    return u.sgn()


def _round(u: Any) -> Any:
    from flint import arb

    low = (u + arb(0.5)).floor()
    tie = (u + arb(0.5)).is_integer()
    if tie and low.is_exact():
        return low - 1 if int(low.unique_fmpz()) % 2 else low
    return low


def _sin(u: Any) -> Three:
    return u.sin(), u.cos(), -u.sin()


def _cos(u: Any) -> Three:
    return u.cos(), -u.sin(), -u.cos()


def _tan(u: Any) -> Three:
    t, sec = u.tan(), 1 / u.cos() ** 2
    return t, sec, 2 * t * sec


def _arcsin(u: Any) -> Three:
    rest = 1 - u * u
    return u.asin(), rest.rsqrt(), u / (rest * rest.sqrt())


def _arccos(u: Any) -> Three:
    rest = 1 - u * u
    return u.acos(), -rest.rsqrt(), -u / (rest * rest.sqrt())


def _arctan(u: Any) -> Three:
    over = 1 + u * u
    return u.atan(), 1 / over, -2 * u / over**2


def _sinh(u: Any) -> Three:
    return u.sinh(), u.cosh(), u.sinh()


def _cosh(u: Any) -> Three:
    return u.cosh(), u.sinh(), u.cosh()


def _tanh(u: Any) -> Three:
    sech = 1 / u.cosh()
    return u.tanh(), sech * sech, -2 * u.tanh() * sech * sech


def _arcsinh(u: Any) -> Three:
    over = 1 + u * u
    return u.asinh(), over.rsqrt(), -u / (over * over.sqrt())


def _arccosh(u: Any) -> Three:
    rest = u * u - 1
    return (u.acosh(), rest.rsqrt(), -u / (rest * rest.sqrt())) if u >= 1 else (nan(), nan(), nan())


def _arctanh(u: Any) -> Three:
    rest = 1 - u * u
    return (u.atanh(), 1 / rest, 2 * u / rest**2) if abs(u) < 1 else (nan(), nan(), nan())


def _logistic(u: Any) -> Three:
    p, q = 1 / (1 + (-u).exp()), 1 / (1 + u.exp())
    return p, p * q, p * q * (q - p)


def _softplus(u: Any) -> Three:
    p, q = 1 / (1 + (-u).exp()), 1 / (1 + u.exp())
    return u.exp().log1p(), p, p * q


def _erf(u: Any) -> Three:
    first = 2 * (-u * u).exp() / _pi().sqrt()
    return u.erf(), first, -2 * u * first


def _erfc(u: Any) -> Three:
    first = -2 * (-u * u).exp() / _pi().sqrt()
    return u.erfc(), first, -2 * u * first


def _pi() -> Any:
    from flint import arb

    return arb.pi()


def _log_ndtr(u: Any) -> Three:
    from flint import arb

    below = (-u / arb(2).sqrt()).erfc() / 2
    ratio = (-u * u / 2).exp() / (2 * _pi()).sqrt() / below
    return below.log(), ratio, -ratio * (u + ratio)


def _psi(order: int, u: Any) -> Any:
    """Polygamma functions of order 1 and 2: sums of ``1/(u + k)^s``, s = order + 1, with the sign and factorial."""
    from flint import arb

    power_of = order + 1
    shifted, total = u, arb(0)
    for _ in range(2000):
        if shifted > 0:
            break
        total += 1 / shifted**power_of
        shifted = shifted + 1
    else:
        return nan()
    total += arb(power_of).zeta(shifted)
    return total if order == 1 else -2 * total


def _lgamma(u: Any) -> Three:
    value = u.lgamma() if u > 0 else abs(u.gamma()).log()
    return value, u.digamma(), _psi(1, u)


def _digamma(u: Any) -> Three:
    return u.digamma(), _psi(1, u), _psi(2, u)


def _neg(u: Any) -> Three:
    from flint import arb

    return -u, arb(-1), arb(0)


_UNARY: dict[str, Callable[[Any], Three]] = {
    "neg": _neg, "exp": _exp, "expm1": _expm1, "log": _log, "log1p": _log1p, "cbrt": _cbrt, "abs": _abs,
    "sign": lambda u: _stepwise(_sign, lambda t: not (t > 0 or t < 0))(u),
    "floor": lambda u: _stepwise(lambda t: t.floor(), lambda t: t.contains_integer())(u),
    "ceil": lambda u: _stepwise(lambda t: t.ceil(), lambda t: t.contains_integer())(u),
    "round": lambda u: _stepwise(_round, lambda t: (t + 0.5).contains_integer())(u),
    "sin": _sin, "cos": _cos, "tan": _tan, "arcsin": _arcsin, "arccos": _arccos, "arctan": _arctan,
    "sinh": _sinh, "cosh": _cosh, "tanh": _tanh, "arcsinh": _arcsinh, "arccosh": _arccosh, "arctanh": _arctanh,
    "logistic": _logistic, "softplus": _softplus, "erf": _erf, "erfc": _erfc, "lgamma": _lgamma,
    "digamma": _digamma, "log_ndtr": _log_ndtr,
}  # fmt: skip


def _whole(first: int, second: int, cross: int = 0) -> Any:
    from flint import arb

    return arb(first), arb(second), arb(0), arb(cross), arb(0)


def _add(u: Any, v: Any) -> Six:
    return u + v, *_whole(1, 1)


def _sub(u: Any, v: Any) -> Six:
    return u - v, *_whole(1, -1)


def _mul(u: Any, v: Any) -> Six:
    from flint import arb

    return u * v, v, u, arb(0), arb(1), arb(0)


def _div(u: Any, v: Any) -> Six:
    from flint import arb

    return u / v, 1 / v, -u / v**2, arb(0), -1 / v**2, 2 * u / v**3


def _pow(u: Any, v: Any) -> Six:
    from flint import arb

    if v.is_exact() and v.is_integer() and v.is_finite():
        k = int(v.unique_fmpz())
        value, first, second = power(Fraction(k))(u)
        logs = u.log() if u > 0 else nan()
        cross = _powered(u, Fraction(k - 1)) * (1 + k * logs)
        return value, first, value * logs, second, cross, value * logs * logs
    if u.is_zero() and v > 0:
        return arb(0), nan(), nan(), nan(), nan(), nan()
    if not u > 0:
        return nan(), nan(), nan(), nan(), nan(), nan()
    logs, value = u.log(), u**v
    return (
        value,
        v * value / u,
        value * logs,
        v * (v - 1) * value / u**2,
        value / u * (1 + v * logs),
        value * logs * logs,
    )


def _extreme(larger: bool) -> Callable[[Any, Any], Six]:
    def at(u: Any, v: Any) -> Six:
        value = u.max(v) if larger else u.min(v)
        if u > v or u < v:
            first = (u > v) == larger
            return value, *_whole(int(first), int(not first))
        return value, nan(), nan(), nan(), nan(), nan()

    return at


def _arctan2(u: Any, v: Any) -> Six:
    from flint import arb

    squares = u * u + v * v
    value = arb.atan2(u, v) if squares > 0 else nan()  # Arb says +-pi of what is not defined
    cross = 2 * u * v / squares**2
    return value, v / squares, -u / squares, -cross, (u * u - v * v) / squares**2, cross


def _hypot(u: Any, v: Any) -> Six:
    squares = u * u + v * v
    h = squares.sqrt()
    cube = squares * h
    return h, u / h, v / h, v * v / cube, -u * v / cube, u * u / cube


_BINARY: dict[str, Callable[[Any, Any], Six]] = {
    "add": _add, "sub": _sub, "mul": _mul, "div": _div, "pow": _pow, "maximum": _extreme(True),
    "minimum": _extreme(False), "arctan2": _arctan2, "hypot": _hypot,
}  # fmt: skip
