"""Special functions of doubles from Arb, as the two doubles around each: what the interval library does not have.

    trigamma(x) = zeta(2, x),   tetragamma(x) = -2 zeta(3, x)      (Hurwitz's zeta, shifted to the right where x < 0)
    log_ndtr(x) = log(erfc(-x / sqrt 2) / 2),   mills(x) = exp(-x^2/2 - log_ndtr(x)) / sqrt(2 pi)
                = -x^2/2 + log(U / (2 sqrt pi))          = sqrt 2 / U,    U = U(1/2, 1/2, x^2/2)    (far left)

Reference: Johansson (2017), "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic", IEEE Trans.
Computers 66(8), pp. 1281-1292; NIST DLMF 25.11.12 (polygamma functions by zeta), 7.8.1 (Mills' ratio),
7.11.2 (erfc by Kummer's function U).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

PRECISIONS = (80, 160, 640)
"""Bits; the next where the last left more than a few units in the last place."""

FURTHEST_LEFT = -1000.0
"""Polygamma functions left of here are not evaluated."""


def enclosures(name: str, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bounds of a function at doubles; -inf and inf where nothing is known.

    Parameters
    ----------
    name : str
        One of `FUNCTIONS`.
    numbers : ndarray, shape (n,)
        Doubles; infinite ones give no bounds.

    Examples
    --------
    >>> lo, hi = enclosures("lgamma", np.array([3.0]))
    >>> bool(lo[0] <= np.log(2.0) <= hi[0]), bool(hi[0] - lo[0] < 1e-15)
    (True, True)
    """
    from flint import arb, ctx

    function = FUNCTIONS[name]
    lo, hi = np.full(len(numbers), -np.inf), np.full(len(numbers), np.inf)
    before = ctx.prec
    try:
        for k, number in enumerate(numbers.tolist()):
            if not math.isfinite(number):
                continue
            for bits in PRECISIONS:
                ctx.prec = bits
                value = function(arb(number))
                if value.is_finite():
                    lo[k], hi[k] = _below(value), _above(value)
                    if hi[k] - lo[k] <= 1e-14 * max(abs(lo[k]), abs(hi[k])):
                        break
    finally:
        ctx.prec = before
    return lo, hi


def _below(value: Any) -> float:
    """A double below a ball: the nearest to its lower end may lie above that."""
    from flint import arb

    end = value.lower()
    nearest = float(end)
    return nearest if arb(nearest) <= end else math.nextafter(nearest, -math.inf)


def _above(value: Any) -> float:
    return -_below(-value)


def _log_gamma(x: Any) -> Any:
    return x.lgamma() if x > 0 else abs(x.gamma()).log()


def _polygamma(order: int) -> Callable[[Any], Any]:
    """``(-1)^(m+1) m! zeta(m + 1, x)`` for m = 1, 2."""

    def at(x: Any) -> Any:
        from flint import arb

        if x < FURTHEST_LEFT or (x <= 0 and x.is_integer()):
            return arb.nan()
        left = arb(0)
        while not x > 0:
            left += 1 / x ** (order + 1)
            x = x + 1
        sums = left + arb(order + 1).zeta(x)
        return sums if order == 1 else -2 * sums

    return at


def _tail(x: Any) -> Any:
    """``U(1/2, 1/2, x^2/2)``, which is ``sqrt(pi) exp(x^2/2) erfc(|x|/sqrt 2)`` without its exponent."""
    from flint import arb

    half = arb(1) / 2
    return (x * x / 2).hypgeom_u(half, half)


def _log_normal(x: Any) -> Any:
    from flint import arb

    if x < -8:
        return -x * x / 2 + (_tail(x) / (2 * arb.pi().sqrt())).log()
    return ((-x / arb(2).sqrt()).erfc() / 2).log()


def _mills(x: Any) -> Any:
    from flint import arb

    if x < -8:
        return arb(2).sqrt() / _tail(x)
    return (-x * x / 2 - _log_normal(x)).exp() / (2 * arb.pi()).sqrt()


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "lgamma": _log_gamma,
    "digamma": lambda x: x.digamma(),
    "trigamma": _polygamma(1),
    "tetragamma": _polygamma(2),
    "log_ndtr": _log_normal,
    "mills": _mills,
    "log_ndtr_second": lambda x: -_mills(x) * (x + _mills(x)),
}
"""By name."""
