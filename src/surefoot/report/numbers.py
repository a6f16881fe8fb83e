"""Numbers as a page shows them: as many digits as mean something, a dash where there is none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surefoot.models.fit import Fit

DASH = "—"


def plain(value: float, digits: int = 6) -> str:
    """A number with so many significant digits, with a true minus sign."""
    if math.isnan(value):
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return signed(f"{value:.{digits}g}")


def signed(text: str) -> str:
    """The same with a minus sign as wide as a plus sign."""
    return text.replace("-", "−")


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals; with an exponent where that would be long."""
    if not math.isfinite(value):
        return plain(value)
    if decimals > 10 or (value != 0 and abs(value) >= 1e9):
        return signed(f"{value:.6e}")
    return signed(f"{value:.{decimals}f}")


def probability(p: float) -> str:
    """A probability with three digits; below the rounding of one, only that it is."""
    if math.isnan(p):
        return DASH
    if p < 1e-16:
        return "<1e−16"
    return signed(f"{p:.3f}" if p >= 0.001 else f"{p:.1e}")


def t_value(value: float) -> str:
    """A t statistic."""
    if not math.isfinite(value):
        return plain(value)
    return signed(f"{value:.3f}" if abs(value) < 1000 else f"{value:.5g}")


def r_squared(value: float) -> str:
    """Six digits, more where they would all be nines."""
    if math.isnan(value):
        return DASH
    digits = 6
    while digits < 15 and value < 1 and f"{value:.{digits}f}" == f"{1:.{digits}f}":
        digits += 1
    return signed(f"{value if abs(value) > 5e-7 else 0:.{digits}f}")


def decimals(fit: Fit) -> list[int]:
    """Decimals for each coefficient, so that its standard error shows about three digits."""
    found = []
    for value, error in zip(fit.coef, fit.stderr, strict=True):
        scale = error if error > 0 and math.isfinite(error) else abs(value)
        found.append(max(0, 2 - math.floor(math.log10(scale))) if scale > 0 and math.isfinite(scale) else 6)
    usual = all(d <= 8 for d in found)
    return [max(6, d) if usual else d for d in found]


def square(length: float) -> str:
    """The square of a length, also where it lies beyond the range of a double."""
    if math.isnan(length):
        return DASH
    if length == 0 or 1e-150 < abs(length) < 1e150:
        return plain(length * length)
    whole, rest = divmod(2 * math.log10(abs(length)), 1)
    return f"{10**rest:.5g}e{signed(f'{int(whole):+d}')}"


def counted(count: int, word: str) -> str:
    """A count with its noun: 1 row, 2,000 rows."""
    return f"{count:,} {word}{'s' * (count != 1)}"
