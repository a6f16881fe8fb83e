"""Whether a function in pieces of quotients of polynomials is convex: its pieces, its joints, its ends.

    r_k'' >= 0 on every piece,    no jump at a joint (at an end of the interval, none downward),    slopes in order

Reference: Rockafellar (1970), "Convex Analysis", Princeton, theorem 24.1, p. 227 (one-sided derivatives), theorem 10.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from surefoot.proof.rational_functions import End, Rational, negative_point
from surefoot.proof.rational_pieces import Line, Pieces, bounds_of


@dataclass(frozen=True)
class Bent:
    """What a function in pieces is.

    Attributes
    ----------
    convex, strict : bool
    modulus : Fraction
        A lower bound of the second derivative, 0 if none above it is proven.
    affine : bool
    against : Fraction or None
        A place near which it is not convex.
    """

    convex: bool
    strict: bool
    modulus: Fraction
    affine: bool
    against: Fraction | None


def bent(one: Pieces, line: Line) -> Bent | None:
    """Whether a function in pieces is convex; None if it is not defined on all of the interval."""
    inside = [*one.values, *([one.ends[0]] if line.has_low else []), *([one.ends[1]] if line.has_high else [])]
    if any(value is None for value in inside):
        return None
    seconds = [part.derivative().derivative() for part in one.parts]
    bounds = bounds_of(one, line)
    for second, (low, high) in zip(seconds, bounds, strict=True):
        point = None if second.is_zero else negative_point(second.top * second.bottom, low, high)
        if point is not None:
            return Bent(False, False, Fraction(0), False, point)
    place = _broken(one, line)
    if place is not None:
        return Bent(False, False, Fraction(0), False, place)
    affine = all(second.is_zero for second in seconds) and _is_one_line(one)
    flat = any(second.is_zero for second in seconds)
    modulus = (
        Fraction(0) if flat else min(least_value(s, low, high) for s, (low, high) in zip(seconds, bounds, strict=True))
    )
    return Bent(True, not flat, modulus, affine and not _jumps_at_ends(one, line), None)


def _broken(one: Pieces, line: Line) -> Fraction | None:
    """A joint, or an end, at which convex pieces do not make a convex function; None if there is none."""
    for k, joint in enumerate(one.joints):
        left, right = one.parts[k], one.parts[k + 1]
        if not left.at(joint) == one.values[k] == right.at(joint):
            return joint
        before, after = left.derivative().at(joint), right.derivative().at(joint)
        assert before is not None and after is not None  # no pole where the value is finite
        if before > after:
            return joint
    for has, end, part, value in (
        (line.has_low, line.low, one.parts[0], one.ends[0]), (line.has_high, line.high, one.parts[-1], one.ends[1]),
    ):  # fmt: skip
        if has and end is not None:
            limit = part.at(end)
            if limit is None or value is None or value < limit:
                return end
    return None


def _jumps_at_ends(one: Pieces, line: Line) -> bool:
    ends = ((line.has_low, line.low, one.parts[0], one.ends[0]), (line.has_high, line.high, one.parts[-1], one.ends[1]))
    return any(has and end is not None and part.at(end) != value for has, end, part, value in ends)


def _is_one_line(one: Pieces) -> bool:
    return all((part - one.parts[0]).is_zero for part in one.parts)


def least_value(second: Rational, low: End, high: End) -> Fraction:
    """A lower bound above 0 of a quotient that is never negative on an open interval, or 0."""
    guess = _sampled(second, low, high)
    for share in (Fraction(1), Fraction(1023, 1024), Fraction(1, 2), Fraction(1, 16)):
        mu = guess * share
        if mu > 0 and (second - Rational.constant(mu)).is_never_negative(low, high):
            return mu
    return Fraction(0)


def lower_bound(quotient: Rational, line: Line) -> Fraction | None:
    """A lower bound of any sign of a quotient on an interval without a pole; None if none near the least was proven."""
    guess = _sampled(quotient, line.low, line.high)
    for below in (Fraction(0), abs(guess) / 1024, abs(guess) / 8, abs(guess), 3 * abs(guess)):
        if (quotient - Rational.constant(guess - below)).is_never_negative(line.low, line.high):
            return guess - below
    return Fraction(0) if quotient.is_never_negative(line.low, line.high) else None


def _sampled(quotient: Rational, low: End, high: End) -> Fraction:
    """About the least value on an interval: the least of many, then of many beside it."""
    width = high - low if low is not None and high is not None else Fraction(64)
    start = low if low is not None else (high - width if high is not None else -width / 2)
    least = Fraction(0)
    for _ in range(3):
        points = [start + width * Fraction(k, 64) for k in range(65)]
        values = [(value, point) for point in points if (value := quotient.at(point)) is not None]
        if not values:
            return least
        least, place = min(values)
        stop = min(place + width / 64, start + width)
        start = max(place - width / 64, start)
        width = stop - start
    return least
