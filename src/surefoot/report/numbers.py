"""Numbers as a page shows them: the cells of the summary with typographic signs, and a few of its own."""

from __future__ import annotations

import math

from surefoot.report import cells

DASH = "—"


def signed(text: str) -> str:
    """The same with a minus sign as wide as a plus sign, and a dash for a number that is not there."""
    return DASH if text == "-" else text.replace("-", "−").replace("inf", "∞")


def plain(value: float, digits: int = 6) -> str:
    """A number with so many significant digits."""
    return DASH if math.isnan(value) else signed(f"{value:.{digits}g}")


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals; with an exponent where that would be long."""
    return signed(cells.fixed(value, decimals))


def probability(p: float) -> str:
    """A probability with three digits."""
    return signed(cells.probability(p))


def t_value(value: float) -> str:
    """A t statistic."""
    return signed(cells.t_value(value))


def r_squared(value: float) -> str:
    """Six digits, more where they would all be nines."""
    return signed(cells.r_squared(value))


def square(length: float) -> str:
    """The square of a length, also where it lies beyond the range of a double."""
    if math.isnan(length):
        return DASH
    if length == 0 or 1e-150 < abs(length) < 1e150:
        return plain(length * length)
    whole, rest = divmod(2 * math.log10(abs(length)), 1)
    return f"{10**rest:.5g}e{signed(f'{int(whole):+d}')}"
