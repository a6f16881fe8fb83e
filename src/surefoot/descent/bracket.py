"""An interval of a ray that holds a lowest point, and how it shrinks.

    phi'(a) < 0,  phi(a) <= phi(0) + eps,    phi'(b) >= 0

The slope changes sign from downhill to uphill between a and b, whatever rounding does to the values: that is why slopes
decide here, and values only within their rounding eps.

Reference: Hager, Zhang (2005), "A new conjugate gradient method with guaranteed descent and an efficient line search",
SIAM J. Optim. 16(1), pp. 170-192, section 4 (bracket, update and secant).
"""

from __future__ import annotations

import math

from surefoot.descent.profile import Point, Profile, nearer

DECADES = 100.0
"""Ratio of the ends of an interval beyond which it is halved on a logarithmic scale."""


def bracket(profile: Profile, t: float, blur: float) -> tuple[Point, Point]:
    """The first interval, looking farther ahead from a first length while f falls."""
    a = profile.start
    while True:
        c = profile.look_from(a, t)
        if c.slope >= 0:
            return a, c
        if c.value > profile.start.value + blur:
            return bisected(profile, a, c, blur)
        a, t = c, profile.farther(c)


def updated(profile: Profile, a: Point, b: Point, t: float, blur: float) -> tuple[Point, Point]:
    """The part of an interval that still holds a lowest point, after a look inside it."""
    if not a.t < t < b.t:
        return a, b
    c = profile.look(t)
    if c.slope >= 0:
        return a, c
    if c.is_finite and c.value <= profile.start.value + blur:
        return c, b
    return bisected(profile, a, c, blur)


def bisected(profile: Profile, a: Point, high: Point, blur: float) -> tuple[Point, Point]:
    """Between a point that falls and one that is too high or undefined: f must have turned upwards in between."""
    in_vain = 0
    while True:
        profile.must_differ(a.t, high.t)
        d = profile.look(min(middle(a, high), a.t + (high.t - a.t) * nearer(in_vain)))
        if d.slope >= 0:
            return a, d
        if d.is_finite and d.value <= profile.start.value + blur:
            a, in_vain = d, 0
        else:
            high, in_vain = d, in_vain + 1


def middle(a: Point, b: Point) -> float:
    """The middle of an interval; of one that spans decades, the geometric one."""
    if a.t > 0 and b.t > DECADES * a.t:
        return math.sqrt(a.t) * math.sqrt(b.t)
    return a.t + (b.t - a.t) / 2


def narrowed(profile: Profile, a: Point, b: Point, blur: float) -> tuple[Point, Point]:
    """An interval that does not span decades, after a secant step from the start of the ray."""
    if a.t == 0:
        a, b = updated(profile, a, b, secant(a, b), blur)
    while a.t > 0 and b.t > DECADES * a.t:
        a, b = updated(profile, a, b, middle(a, b), blur)
    return a, b


def secant(a: Point, b: Point) -> float:
    """Where the slope would be zero if it were linear; NaN if it is nowhere."""
    if a.slope == 0 or a.slope == b.slope:
        return a.t if a.slope == 0 else math.nan
    return a.t + (b.t - a.t) / (1 - b.slope / a.slope)
