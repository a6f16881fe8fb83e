"""Signs of functions in a tower on an open interval: each irreducible factor by intervals, and by Rolle's argument.

    (p/h)' >= 0 on (a, b),  lim p/h >= 0 at a,  h > 0    =>    p >= 0 on (a, b)

Intervals decide most of the range; where they do not, at an end or around a zero, p is divided by a factor h of known
sign (a power of an exponential, a leading coefficient) such that the derivative is simpler, which is decided in turn.
All functions are analytic on the open interval, so what is nowhere negative and not zero has isolated zeros.

Reference: Strzebonski (2012), "Real root isolation for exp-log-arctan functions", J. Symbolic Computation 47(3), pp.
282-314 (semi-Fourier sequences).
"""

from __future__ import annotations

import math
import time
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from surefoot.problem.domain import outward
from surefoot.proof import interval_functions as functions
from surefoot.proof.bent_intervals import halves, parts_of
from surefoot.proof.exact_doubles import TooMuchError, fraction
from surefoot.proof.interval import Interval
from surefoot.proof.rational_functions import End, negative_point, roots_between
from surefoot.proof.tower_limits import Limits
from surefoot.proof.towers import NUMBERS, POSITIVE, Element, Tower

MOST_DEPTH = 7
MOST_QUESTIONS = 160
_ROUNDS = 7
_MOST_BOXES = 300
_WAYS = 5


class Sign(NamedTuple):
    """1 or -1, and whether there is no zero on the open interval; zeros are isolated anyway."""

    side: int
    strict: bool


class Signs:
    """Signs of the elements of a tower on an open interval.

    Parameters
    ----------
    tower : Tower
        What has been drawn of it is analytic on the interval.
    low, high : Fraction or None
        The ends of the interval; None for infinity.
    seconds : float
        After which nothing more is decided.
    """

    def __init__(self, tower: Tower, low: End, high: End, seconds: float = 1.0) -> None:
        self.tower, self.low, self.high = tower, low, high
        self.until = time.monotonic() + seconds
        self.asked = 0
        self._known: dict[Any, Sign | None] = {}
        self._boxes: dict[tuple[End, End], tuple[np.ndarray, np.ndarray]] = {}
        self._limits: dict[tuple[End, int], Limits] = {}

    def of(self, u: Element, low: End, high: End, depth: int = MOST_DEPTH) -> Sign | None:
        """The sign of an element that is not 0; None if it has none, or it was not seen."""
        if u.is_zero:
            return None
        try:
            below = self._of_product(u.den, low, high, depth, strictly=True)
            if below is None or not below.strict:
                return None
            above = self._of_product(u.num, low, high, depth)
        except (TooMuchError, ZeroDivisionError, OverflowError):
            return None
        return None if above is None else Sign(above.side * below.side, above.strict)

    def whole(self, u: Element) -> Sign | None:
        """The sign on all of the interval."""
        return self.of(u, self.low, self.high)

    def _of_product(self, p: Any, low: End, high: End, depth: int, *, strictly: bool = False) -> Sign | None:
        unit, factors = p.factor()
        side, strict = (1 if unit > 0 else -1), True
        for q, power in factors:
            found = self._factor(q, low, high, depth)
            if found is None and power % 2 == 0 and not strictly and self._sampled(q, low, high):
                strict = False
                continue
            if found is None:
                return None
            side *= found.side if power % 2 else 1
            strict = strict and found.strict
        return Sign(side, strict)

    def _factor(self, p: Any, low: End, high: End, depth: int) -> Sign | None:
        key = (tuple(p.to_dict().items()), low, high)
        if key not in self._known:
            if self.asked > MOST_QUESTIONS or time.monotonic() > self.until or depth < 0:
                return None
            self.asked += 1
            self._known[key] = None  # meanwhile
            self._known[key] = self._decided(p, low, high, depth)
        return self._known[key]

    def _decided(self, p: Any, low: End, high: End, depth: int) -> Sign | None:
        degrees = p.degrees()
        used = [k for k, degree in enumerate(degrees) if degree > 0]
        if used == [0]:
            return _of_polynomial(p, low, high)
        if self._is_positive(p, used, low):
            return Sign(1, True)
        seen = self._in_intervals(p, low, high)
        if seen is None:
            return None
        side, left = seen
        if not left and side:
            return Sign(side, True)
        if not side:
            side = self._sampled(p, low, high)
            if not side:
                return None
        if self._by_discriminant(p, used, low, high, depth) == side:
            return Sign(side, True)
        strict = True
        for a, b in left:
            found = self._by_slope(p, side, a, b, (a != low, b != high), depth) or self._around_zero(
                p, side, a, b, depth, (low, high)
            )
            if found is None:
                return None
            strict = strict and found.strict
        return Sign(side, strict)

    def _is_positive(self, p: Any, used: list[int], low: End) -> bool:
        """A sum of products of what is positive with positive coefficients."""
        generators = self.tower.generators
        fine = all((low is not None and low >= 0) if k == 0 else generators[k - 1].kind in POSITIVE for k in used)
        return fine and all(c > 0 for c in p.coeffs())

    # Intervals

    def _in_intervals(self, p: Any, low: End, high: End) -> tuple[int, list[tuple[End, End]]] | None:
        """The sign that is seen, 0 if none is, and the parts where it is not; None if both signs are."""
        lo = -np.inf if low is None else outward(low, up=False)
        hi = np.inf if high is None else outward(high, up=True)
        left, right = parts_of(lo, hi)
        side, used = 0, 0
        for _ in range(_ROUNDS):
            used += len(left)
            value = self.enclosed(self.tower.polynomial(p), Interval(left, right))
            for way, good in ((1, value.lo > 0), (-1, value.hi < 0)):
                if np.any(good):
                    if side == -way:
                        return None
                    side = way
            open_ = ~((value.lo > 0) | (value.hi < 0))
            left, right = left[open_], right[open_]
            if not len(left) or used > _MOST_BOXES:
                break
            middle = halves(left, right)
            with np.errstate(invalid="ignore"):
                fine = (middle > left) & (middle < right)
            rest = (left[~fine], right[~fine])
            left, middle, right = left[fine], middle[fine], right[fine]
            left, right = np.concatenate([left, middle, rest[0]]), np.concatenate([middle, right, rest[1]])
        return side, _joined(left, right, (lo, hi), (low, high))

    def enclosed(self, u: Element, t: Interval) -> Interval:
        """An element on boxes of t."""
        with np.errstate(all="ignore"):
            powers: dict[tuple[int, int], Interval] = {}
            values: dict[int, Interval] = {0: t}
            top = self._sum(u.num, values, powers, t)
            return top if u.den.is_constant() else top / self._sum(u.den, values, powers, t)

    def _sum(self, p: Any, values: dict[int, Interval], powers: dict, t: Interval) -> Interval:
        total: Interval | None = None
        for exponents, coefficient in p.terms():
            term = Interval.around(fraction(coefficient))
            for k, power in enumerate(exponents):
                power = int(power)
                if not power:
                    continue
                if (k, power) not in powers:
                    powers[k, power] = functions.power(self._generator(k, values, powers, t), Fraction(power))
                term = term * powers[k, power]
            total = term if total is None else total + term
        total = Interval.of(0.0) if total is None else total
        return Interval(np.broadcast_to(total.lo, t.shape), np.broadcast_to(total.hi, t.shape))

    def _generator(self, k: int, values: dict[int, Interval], powers: dict, t: Interval) -> Interval:
        if k not in values:
            one = self.tower.generators[k - 1]
            top = self._sum(one.arg.num, values, powers, t)
            if not one.arg.den.is_constant():
                top = top / self._sum(one.arg.den, values, powers, t)
            if one.kind in NUMBERS:
                values[k] = _numbers()[one.kind].each(lambda end: np.full(t.shape, end))
            elif one.kind == "root":
                values[k] = functions.power(top, one.exponent)
            else:
                values[k] = functions.UNARY[one.kind](top)
            if one.kind in POSITIVE:
                lo = np.where(values[k].lo < 0, 0.0, values[k].lo)
                values[k] = Interval(lo, values[k].hi)
        return values[k]

    def _sampled(self, p: Any, low: End, high: End) -> int:
        """The sign at a point inside, in balls; 0 if it is not seen."""
        from surefoot.proof.tower_limits import sign_of

        for share in (Fraction(1, 2), Fraction(1, 3)):
            value = Limits(self.tower, _inside(low, high, share), 1).value_at(self.tower.polynomial(p))
            sign = None if value is None else sign_of(value)
            if sign:
                return sign
        return 0

    def is_somewhere_not_zero(self, u: Element) -> bool:
        """Whether an element is not zero at some point inside."""
        return not u.is_zero and self._sampled(u.num, self.low, self.high) != 0

    # What intervals do not see

    def _by_discriminant(self, p: Any, used: list[int], low: End, high: End, depth: int) -> int | None:
        """The sign of ``a g^2 + b g + c`` with ``b^2 < 4 a c``."""
        degrees = p.degrees()
        for k in used:
            if degrees[k] != 2:
                continue
            parts = _coefficients(p, k)
            a, b, c = (parts.get(j, p * 0) for j in (2, 1, 0))
            gap = self.tower.polynomial(4 * a * c - b * b)
            if gap.is_zero:
                continue
            found = self.of(gap, low, high, depth - 2)
            if found is None or found.side < 0 or not found.strict:
                continue
            lead = self.of(self.tower.polynomial(a), low, high, depth - 2)
            if lead is not None and lead.strict:
                return lead.side
        return None

    def _by_slope(
        self, p: Any, side: int, low: End, high: End, proven: tuple[bool, bool], depth: int
    ) -> Sign | None:  # fmt: skip
        """By the derivative of p/h, the simplest first; ``proven`` says at which ends the sign is known."""
        if depth <= 0:
            return None
        for h, slope in self._ways(p, low, high):
            if slope.is_zero:
                continue
            factor = self.of(self.tower.polynomial(h), low, high, depth - 2) if not h.is_constant() else Sign(1, True)
            if factor is None or not factor.strict:
                continue
            rise = self.of(slope, low, high, depth - 1)
            if rise is None:
                continue
            up = rise.side * factor.side * side > 0  # of |h|^-1 side p
            at, is_proven = (low, proven[0]) if up else (high, proven[1])
            if is_proven or self._limit(p, h, at, 1 if up else -1) in (0, side * factor.side):
                return Sign(side, True)
        return None

    def rising(self, p: Any) -> int | None:
        """1 if p/h rises throughout for a positive h, -1 if it falls: then p changes its sign once at most."""
        for h, slope in self._ways(p, self.low, self.high):
            factor = self.whole(self.tower.polynomial(h)) if not h.is_constant() else Sign(1, True)
            rise = self.whole(slope)
            if factor is not None and factor.strict and rise is not None:
                return rise.side * factor.side
        return None

    def _limit(self, p: Any, h: Any, end: End, side: int) -> int | None:
        """The sign of the limit of p/h at an end of an interval: from above at a lower end."""
        way = side if end is not None else -side
        if (end, way) not in self._limits:
            self._limits[end, way] = Limits(self.tower, end, way)
        return self._limits[end, way].sign(self.tower.of(p, h))

    def _ways(self, p: Any, low: End, high: End) -> list[tuple[Any, Element]]:
        """Divisors h, and the derivatives of p/h, the simplest first."""
        one = p * 0 + 1
        divisors = [one]
        degrees = p.degrees()
        for k in range(len(degrees) - 1, -1, -1):
            if not degrees[k]:
                continue
            parts = _coefficients(p, k)
            generator = self.tower.gens[k]
            chosen = [parts[max(parts)]]
            if (k and self.tower.generators[k - 1].kind in POSITIVE) or (k == 0 and self._keeps_from_zero(low, high)):
                chosen += [generator**power for power in parts if power]
                chosen += [parts[power] * generator**power for power in parts]
            divisors += [h for h in chosen if not h.is_constant()]
        found = []
        for h in dict((tuple(h.to_dict().items()), h) for h in divisors).values():
            try:
                slope = self.tower.derivative(self.tower.of(p, h))
            except TooMuchError:
                continue
            found.append((_cost(slope), len(found), h, slope))
        found.sort(key=lambda one: one[:2])
        return [(h, slope) for _, _, h, slope in found[:_WAYS]]

    def _keeps_from_zero(self, low: End, high: End) -> bool:
        return (low is not None and low >= 0) or (high is not None and high <= 0)

    def _around_zero(
        self, p: Any, side: int, low: End, high: End, depth: int, whole: tuple[End, End]
    ) -> Sign | None:  # fmt: skip
        """On both sides of a rational point inside at which it is exactly 0."""
        if low is None or high is None or depth <= 1:
            return None
        for point in dict.fromkeys((_simplest(low, high), (low + high) / 2)):
            value = Limits(self.tower, point, 1).value_at(self.tower.polynomial(p))
            if not isinstance(value, Fraction) or value != 0:
                continue
            ends = ((low, point, (low != whole[0], False)), (point, high, (False, high != whole[1])))
            halves_ = [self._by_slope(p, side, a, b, proven, depth - 1) for a, b, proven in ends]
            if all(one is not None for one in halves_):
                return Sign(side, False)
        return None


@cache
def _numbers() -> dict[str, Interval]:
    angle = Interval(np.array(math.pi), np.array(math.nextafter(math.pi, 4.0)))  # the double is below pi
    return {"bell": 2.0 / functions.power(angle, Fraction(1, 2)), "right angle": angle / 2.0}


def _coefficients(p: Any, k: int) -> dict[int, Any]:
    """By powers of one generator."""
    found: dict[int, Any] = {}
    for powers, coefficient in p.terms():
        power = int(powers[k])
        rest = tuple(0 if j == k else int(e) for j, e in enumerate(powers))
        term = p.context().from_dict({rest: coefficient})
        found[power] = found[power] + term if power in found else term
    return found


def _cost(u: Element) -> int:
    """How simple the numerator of an element is: the terms of its factors, and their generators."""
    if u.is_zero:
        return 0
    _, factors = u.num.factor()
    worst = 0
    for q, _ in factors:
        used = sum(1 for degree in q.degrees()[1:] if degree)
        worst = max(worst, (len(q) + q.total_degree()) * (1 + 3 * used) if used else 1)
    return worst + len(u.den) // 2


def _of_polynomial(p: Any, low: End, high: End) -> Sign | None:
    """Of a polynomial in t: exactly."""
    q = of_t(p)
    for side, one in ((1, q), (-1, -q)):
        if negative_point(one, low, high) is None:
            try:
                strict = not roots_between(one, low, high)
            except TooMuchError:
                strict = False
            return Sign(side, strict)
    return None


def of_t(p: Any) -> Any:
    """A polynomial in t alone, as one of one variable."""
    from flint import fmpq_poly

    coefficients: list[Any] = [0] * (int(p.degrees()[0]) + 1)
    for powers, c in p.terms():
        coefficients[int(powers[0])] = c
    return fmpq_poly(coefficients)


def _joined(
    left: np.ndarray, right: np.ndarray, ends: tuple[float, float], exact: tuple[End, End]
) -> list[tuple[End, End]]:  # fmt: skip
    """Boxes that touch as one, their ends as rational numbers."""
    found: list[tuple[float, float]] = []
    for k in np.argsort(left):
        if found and found[-1][1] >= left[k]:
            found[-1] = (found[-1][0], max(found[-1][1], float(right[k])))
        else:
            found.append((float(left[k]), float(right[k])))

    def number(value: float, is_low: bool) -> End:
        if value == ends[0]:
            return exact[0]
        if value == ends[1]:
            return exact[1]
        return Fraction(value)

    return [(number(a, True), number(b, False)) for a, b in found]


def _inside(low: End, high: End, share: Fraction) -> Fraction:
    if low is None or high is None:
        return share if low is None and high is None else (low + share if low is not None else high - share)  # type: ignore[operator]
    return low + (high - low) * share


def _simplest(low: Fraction, high: Fraction) -> Fraction:
    """The rational number with the least denominator in an interval."""
    return ((low + high) / 2).limit_denominator(max(1, int(1 / (high - low)))) if high > low else low
