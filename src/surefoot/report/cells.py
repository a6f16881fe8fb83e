"""Numbers as a table shows them, in plain letters: as many digits as mean something, a dash where there is none."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Decimal, localcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surefoot.models.array_fit import ArrayFit
    from surefoot.models.fit import FormulaFit
    from surefoot.proof.enclosed import Enclosed


def fixed(value: float, decimals: int | None) -> str:
    """So many decimals, or an exponent where that would be long; without decimals five digits, the narrowest way."""
    if math.isnan(value):
        return "-"
    if decimals is None:
        return f"{value:.5g}"
    if decimals > 10 or (value != 0 and abs(value) >= 1e9):
        return f"{value:.6e}"
    return f"{value:.{decimals}f}"


def decimals_of(fit: FormulaFit | ArrayFit) -> list[int]:
    """Decimals for each coefficient, so that its standard error shows about three digits."""
    found = []
    for value, error in zip(fit.coef, fit.stderr, strict=True):
        scale = error if error > 0 and math.isfinite(error) else abs(value)
        found.append(max(0, 2 - math.floor(math.log10(scale))) if scale > 0 and math.isfinite(scale) else 6)
    usual = all(decimals <= 8 for decimals in found)
    return [max(6, decimals) if usual else decimals for decimals in found]


def probability(p: float) -> str:
    """A probability with three digits; below the rounding of one, only that it is."""
    if math.isnan(p):
        return "-"
    if p < 1e-16:
        return "<1e-16"
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1e}"


def t_value(value: float) -> str:
    """A t statistic."""
    if math.isnan(value):
        return "-"
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:.5g}"


def r_squared(value: float) -> str:
    """Six digits, more where they would all be nines."""
    if math.isnan(value):
        return "-"
    digits = 6
    while digits < 15 and value < 1 and f"{value:.{digits}f}" == f"{1:.{digits}f}":
        digits += 1
    return f"{value if abs(value) > 5e-7 else 0:.{digits}f}"


def proven(numbers: Enclosed, k: int) -> str:
    """The proven decimals of one number; of a number without any, what it is smaller than."""
    text = str(numbers.text[k])
    if text:
        return text
    if math.isnan(numbers.value[k]):
        return "-"
    with localcontext(prec=2, rounding=ROUND_CEILING):  # a bound is rounded outward
        return f"0 +/- {Decimal(abs(float(numbers.value[k]))) + Decimal(float(numbers.radius[k])):.1e}"


def time_text(seconds: float) -> str:
    """So many seconds, or minutes."""
    whole = round(seconds)
    return f"{seconds:.2f} s" if seconds < 60 else f"{whole // 60} min {whole % 60} s"
