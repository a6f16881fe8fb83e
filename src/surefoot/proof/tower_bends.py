"""Functions of one number built from elementary ones: which way they bend, and how they rise, by signs in a tower.

    phi'' >= 0 on every part between the places where ``abs``, ``max`` or a root meet zero, and slopes in order there

Where phi' has no sign, but all its factors save one have, and that one divided by some positive h is monotone, phi
falls and then rises, or the reverse: it is quasiconvex, or quasiconcave.

Reference: Rockafellar (1970), "Convex Analysis", Princeton, theorem 24.1, p. 227; Boyd, Vandenberghe (2004), "Convex
Optimization", Cambridge, section 3.4.2, p. 99 (functions of one number).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from surefoot.problem.real import Graph
from surefoot.proof.arb_reading import precision
from surefoot.proof.exact_doubles import TooMuchError
from surefoot.proof.interval import Interval
from surefoot.proof.rational_bends import Bent
from surefoot.proof.rational_functions import End
from surefoot.proof.rational_pieces import Line
from surefoot.proof.replay import enclose
from surefoot.proof.tower_limits import BITS, Limits, sign_of
from surefoot.proof.tower_reading import CutError, read_in_tower
from surefoot.proof.tower_signs import Sign, Signs
from surefoot.proof.towers import Element, Tower

MOST_CUTS = 4
_SHARES = (Fraction(1), Fraction(1023, 1024), Fraction(7, 8), Fraction(1, 2), Fraction(1, 16))


@dataclass(frozen=True)
class Shape:
    """What a function of one number is on an interval.

    Attributes
    ----------
    bends : int or None
        1 convex, -1 concave, 0 affine, None neither or not seen.
    strict : bool
        Whether it is strictly so.
    modulus : Fraction
        A lower bound of the size of phi'', 0 if none above it is proven.
    falls_then_rises, rises_then_falls : bool
        Quasiconvex, quasiconcave.
    """

    bends: int | None
    strict: bool = False
    modulus: Fraction = Fraction(0)
    falls_then_rises: bool = False
    rises_then_falls: bool = False

    def bent(self, side: int) -> Bent | None:
        """What it, or for side -1 its negative, is as a convex function; None if it is none."""
        if self.bends is None or self.bends == -side:
            return None
        return Bent(True, self.strict, self.modulus, self.bends == 0, None)


@dataclass(frozen=True)
class _Part:
    """A part of the interval, with the function and its derivatives there."""

    low: End
    high: End
    signs: Signs
    first: Element
    second: Element


def shape_of(graph: Graph, constants: Sequence[Fraction], line: Line, seconds: float = 1.0) -> Shape | None:
    """What a function of the first variable is; None if it is not of the kind, or nothing was decided.

    Parameters
    ----------
    graph : Graph
        Of t and numbers that are constant, as `chains` draws it.
    constants : sequence of Fraction
        Their values.
    line : Line
        The range of t.
    seconds : float
        After which nothing more is decided, for each part.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("t",))
    >>> t = build.reshape(build.input, ())
    >>> graph = build.graph(build.mul(t, build.unary("arctan", t)))
    >>> shape_of(graph, (), Line(None, None)).bends
    1
    """
    with precision(BITS):
        try:
            parts = _parts(graph, constants, line, seconds)
            if not parts or not _holds_at_places(graph, constants, line, parts):
                return None
            return _shape(parts)
        except (TooMuchError, ZeroDivisionError, OverflowError, RecursionError):
            return None


def is_analytic(graph: Graph, constants: Sequence[Fraction], line: Line) -> bool:
    """Whether a function of the first variable is seen to be analytic inside of an interval, and not affine."""
    with precision(BITS):
        try:
            parts = _parts(graph, constants, line, 1.0)
            return parts is not None and len(parts) == 1 and parts[0].signs.is_somewhere_not_zero(parts[0].second)
        except (TooMuchError, ZeroDivisionError, OverflowError, RecursionError):
            return False


def _parts(graph: Graph, constants: Sequence[Fraction], line: Line, seconds: float) -> list[_Part] | None:
    """The interval, cut where the function is not analytic."""
    todo: list[tuple[End, End]] = [(line.low, line.high)]
    found: list[_Part] = []
    while todo:
        low, high = todo.pop()
        if low is not None and low == high:
            return None
        tower = Tower()
        signs = Signs(tower, low, high, seconds)
        try:
            value = read_in_tower(graph, constants, tower, signs)
        except CutError as cut:
            if len(found) + len(todo) >= MOST_CUTS:
                return None
            todo += [(cut.place, high), (low, cut.place)]
            continue
        first = tower.derivative(value)
        found.append(_Part(low, high, signs, first, tower.derivative(first)))
    return found


def _holds_at_places(graph: Graph, constants: Sequence[Fraction], line: Line, parts: list[_Part]) -> bool:
    """Whether it is defined at the cuts, and at the ends that belong to the interval: then it is continuous there."""
    ends = [(line.has_low, line.low), (line.has_high, line.high)]
    places = [part.high for part in parts[:-1]] + [end for has, end in ends if has]
    for place in places:
        assert place is not None
        at = Interval.around(place)
        if float(at.lo) != float(at.hi):
            return False
        row = np.array([[float(place), *(float(c) for c in constants)]])
        if any(Fraction(float(c)) != c for c in constants) or not bool(enclose(graph, Interval.of(row)).defined[0]):
            return False
    return True


def _shape(parts: list[_Part]) -> Shape | None:
    bends = [0 if part.second.is_zero else _side(part.signs.whole(part.second)) for part in parts]
    side = _common(bends)
    if side is not None and len(parts) > 1 and not all(_in_order(a, b, side) for a, b in _pairs(parts)):
        side = None
    if side == 0 and len(parts) > 1:  # straight pieces, of which nothing more is known
        kinks = [side for side in (1, -1) if all(_in_order(a, b, side) for a, b in _pairs(parts))]
        side = kinks[0] if kinks else None
    strict = side is not None and all(b for b in bends)
    modulus = min((_least(part, side) for part in parts), default=Fraction(0)) if side and strict else Fraction(0)
    turns = _turns(parts)
    if side is None and not any(turns):
        return None
    return Shape(side, strict, modulus, *turns)


def _side(sign: Sign | None) -> int | None:
    return None if sign is None else sign.side


def _pairs(parts: list[_Part]) -> list[tuple[_Part, _Part]]:
    return list(itertools.pairwise(parts))


def _common(bends: list[int | None]) -> int | None:
    """The way in which all parts bend; None if there is none."""
    if None in bends:
        return None
    ways = {side for side in bends if side}
    return None if len(ways) > 1 else ways.pop() if ways else 0


def _in_order(before: _Part, after: _Part, side: int) -> bool:
    """Whether the slope does not fall, or for side -1 does not rise, at the place between two parts."""
    place = before.high
    left, right = Limits(before.signs.tower, place, -1), Limits(after.signs.tower, place, 1)
    one, other = left.sign(before.first), right.sign(after.first)
    one = 0 if before.first.is_zero else one
    other = 0 if after.first.is_zero else other
    if one is not None and other is not None and side * one <= 0 <= side * other:
        return True
    values = left.value_at(before.first), right.value_at(after.first)
    if values[0] is None or values[1] is None:
        return False
    gap = values[1] - values[0]
    if isinstance(gap, Fraction):
        return gap * side >= 0
    return sign_of(gap) == side


def _least(part: _Part, side: int) -> Fraction:
    """A lower bound above 0 of the size of the second derivative on a part, or 0."""
    from surefoot.proof.bent_intervals import parts_of

    lo, hi = (-np.inf if part.low is None else float(part.low)), (np.inf if part.high is None else float(part.high))
    left, right = parts_of(lo, hi)
    points = np.unique(np.concatenate([left, right, (left + right) / 2]))
    inner = points[np.isfinite(points) & (points > lo) & (points < hi)]
    near = [end + way * 2.0**-20 for end, way in ((lo, 1), (hi, -1)) if np.isfinite(end)]
    far = [way * 2.0**k for end, way in ((lo, -1), (hi, 1)) if np.isinf(end) for k in (6, 12, 40)]
    points = np.array([*inner, *(p for p in (*near, *far) if lo < p < hi)])
    if not len(points):
        return Fraction(0)
    guess = _guess(part, side, np.sort(points))
    if not 1e-12 < guess < np.inf:
        return Fraction(0)
    tower = part.signs.tower
    for share in _SHARES:
        mu = Fraction(float(f"{guess * float(share):.6g}"))
        signed = part.second if side > 0 else tower.neg(part.second)
        found = part.signs.whole(tower.sub(signed, tower.constant(mu)))
        if found is not None and found.side > 0:
            return mu
    return Fraction(0)


def _guess(part: _Part, side: int, points: np.ndarray) -> float:
    """About the least size of the second derivative: the least at many points, then at more beside it."""
    guess = np.inf
    for _ in range(4):
        size = part.signs.enclosed(part.second, Interval.of(points))
        low, high = (size.lo, size.hi) if side > 0 else (-size.hi, -size.lo)
        seen = np.where(np.isnan(low) | ((low <= 0) & np.isinf(high)), np.inf, low)  # beyond all doubles: nothing
        k = int(np.argmin(seen))
        guess = min(guess, float(seen[k]))
        beside = points[max(k - 1, 0)], points[min(k + 1, len(points) - 1)]
        points = np.linspace(*beside, 17)
    return guess


def _turns(parts: list[_Part]) -> tuple[bool, bool]:
    """Whether it falls and then rises, and whether it rises and then falls; one may not happen at all."""
    if len(parts) > 1:
        ways = [0 if part.first.is_zero else _side(part.signs.whole(part.first)) for part in parts]
        if None in ways:
            return False, False
        falls = [way for way in ways if way]
        return falls == sorted(falls), falls == sorted(falls, reverse=True)  # type: ignore[type-var]
    (part,) = parts
    if part.first.is_zero or part.signs.whole(part.first) is not None:
        return True, True
    side = _single_turn(part)
    return side == 1, side == -1


def _single_turn(part: _Part) -> int | None:
    """1 if the first derivative is negative and then positive, -1 if the reverse; None if that is not seen."""
    signs, tower = part.signs, part.signs.tower
    below = signs.whole(Element(tower.one.num, part.first.den))
    if below is None or not below.strict:
        return None
    unit, factors = part.first.num.factor()
    side, turning = below.side * (1 if unit > 0 else -1), []
    for p, power in factors:
        found = signs.whole(tower.polynomial(p))
        if found is None and power % 2 == 1:
            turning.append(p)
        elif power % 2 == 1:
            assert found is not None
            side *= found.side
    if len(turning) != 1:
        return None
    way = signs.rising(turning[0])
    return None if way is None else side * way
