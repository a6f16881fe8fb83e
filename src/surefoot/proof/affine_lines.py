"""Exact ranges of affine numbers over the bounds of a domain.

low = d + sum over c_j > 0 of c_j lower_j + sum over c_j < 0 of c_j upper_j,    left out if one of its ends is
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from surefoot.problem.domain import Domain
from surefoot.proof.exact_doubles import TooMuchError, fraction, rational
from surefoot.proof.forms import Affine
from surefoot.proof.rational_functions import End
from surefoot.proof.rational_pieces import Line


def lines_of(rows: Affine, domain: Domain) -> list[Line]:
    """The exact ranges of affine rows over the bounds of a domain, and over what its inequalities say of each alone."""
    plain = rows.plain()
    matrix = plain.dense(domain.size)
    if matrix.size > 200_000:
        raise TooMuchError("The ranges of many affine numbers would be formed in fractions.")
    return [_range(matrix[k], plain.offset[k], domain) for k in range(plain.rows)]


def _range(row: np.ndarray, offset: object, domain: Domain) -> Line:
    low: Fraction | None = fraction(rational(offset))
    high, has_low, has_high = low, True, True
    for j in np.flatnonzero(row != 0).tolist():
        c = fraction(rational(row[j]))
        ends: list[tuple[End, bool]] = [
            (Fraction(float(domain.lower[j])) if np.isfinite(domain.lower[j]) else None, bool(domain.above[j])),
            (Fraction(float(domain.upper[j])) if np.isfinite(domain.upper[j]) else None, bool(domain.below[j])),
        ]
        (least, no_low), (most, no_high) = ends if c > 0 else ends[::-1]
        low = None if low is None or least is None else low + c * least
        high = None if high is None or most is None else high + c * most
        has_low, has_high = has_low and not no_low, has_high and not no_high
    return _cut(Line(low, high, has_low and low is not None, has_high and high is not None), row, offset, domain)


def _cut(line: Line, row: np.ndarray, offset: object, domain: Domain) -> Line:
    """What linear inequalities say of multiples of the same row."""
    own = {int(j): fraction(rational(row[j])) for j in np.flatnonzero(row != 0)}
    for one in domain.inequalities:
        terms = {k: c for k, c in one.terms if c}
        if terms.keys() != own.keys() or not own:
            continue
        first = next(iter(own))
        factor = own[first] / terms[first]
        if any(factor * terms[k] != own[k] for k in own):
            continue
        end = factor * one.bound + fraction(rational(offset))
        if factor > 0 and (line.low is None or end > line.low or (end == line.low and one.strict)):
            line = Line(end, line.high, not one.strict, line.has_high)
        if factor < 0 and (line.high is None or end < line.high or (end == line.high and one.strict)):
            line = Line(line.low, end, line.has_low, not one.strict)
    return line


def hull(lines: list[Line]) -> Line:
    """The least interval around several."""
    low = None if any(line.low is None for line in lines) else min(line.low for line in lines if line.low is not None)
    high = (
        None if any(line.high is None for line in lines) else max(line.high for line in lines if line.high is not None)
    )
    return Line(
        low, high, any(line.low == low and line.has_low for line in lines),
        any(line.high == high and line.has_high for line in lines),
    )  # fmt: skip


def told(line: Line) -> str:
    """In words: ``in [0, inf)``."""
    low = "-inf" if line.low is None else f"{float(line.low):.6g}"
    high = "inf" if line.high is None else f"{float(line.high):.6g}"
    return f"in {'[' if line.has_low else '('}{low}, {high}{']' if line.has_high else ')'}"
