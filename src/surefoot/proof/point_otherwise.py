"""What is proven of a point next to which no stationary one could be enclosed.

In this order: f is nowhere below its value there (kinks are allowed); f is strongly convex, so a short gradient means a
near minimum; f falls for ever, so it has no minimum; the slope there is not zero.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from surefoot.proof.certificate import Curvature, Verdict
from surefoot.proof.local_reading import Unread, look, values
from surefoot.proof.lower_ground import floor_of, local_floor, lower_point, ray_slope
from surefoot.proof.point_found import DIGITS
from surefoot.proof.point_question import Argument, Convex, Question, length_above
from surefoot.proof.recession import falls
from surefoot.proof.rounding import above

STRICT = (Curvature.STRICTLY_CONVEX, Curvature.STRONGLY_CONVEX)
AXES = 8
"""Variables up to which every axis is tried as a direction of recession."""


def lowest(question: Question, start: np.ndarray, m: np.ndarray, known: Convex) -> Argument | None:
    """A point that f is nowhere below, smooth or not: everywhere, or next to it."""
    rounded = [np.clip(np.round(m, digits), question.box.lower, question.box.upper) for digits in DIGITS]
    points = np.unique([one for one in (question.x, start, m, *rounded) if question.is_near(one)], axis=0)
    try:
        _, high, defined = values(question.graph, points, points)
        floor = floor_of(question)
    except Unread:
        return None
    order = np.argsort([np.linalg.norm(one - question.x) for one in points], kind="stable")
    for k in order:
        if not defined[k] or np.isnan(high[k]):
            continue
        argument = {
            "kind": "floor", "x": question.x.tolist(), "at": points[k].tolist(),
            "lower": question.box.lower.tolist(), "upper": question.box.upper.tolist(),
            "distance": length_above(np.abs(question.x - points[k])), "level": float(high[k]),
        }  # fmt: skip
        if high[k] <= floor:
            return argument | {"verdict": Verdict.GLOBAL_MINIMUM.name, "radius": None}
        radius = local_floor(question, points[k], float(high[k]))
        if radius is not None:
            convex = known()
            return argument | {"verdict": _best(convex).name, "radius": radius.tolist(), "global": convex}
    return None


def _best(convex: Argument | None) -> Verdict:
    """What a local minimum is, of a convex function or any."""
    if convex is None:
        return Verdict.LOCAL_MINIMUM
    strict = Curvature[convex["curvature"]] in STRICT
    return Verdict.UNIQUE_GLOBAL_MINIMUM if strict else Verdict.GLOBAL_MINIMUM


def strongly(question: Question, start: np.ndarray, m: np.ndarray, known: Convex) -> Argument | None:
    """The ball theorem with a modulus that holds everywhere: only the gradient at the point is needed.

    With bounds, ``mu |x - x*|^2 <= (g(x) - g(x*))'(x - x*) <= g(x)'(x - x*)``, where slopes that press a variable
    against its bound only help.
    """
    convex = known()
    if convex is None or convex["modulus"] is None:
        return None
    mu = _below(Fraction(convex["modulus"]))
    best: Argument | None = None
    for at in (start, m):
        try:
            low, high = question.around(at, np.where(question.fixed, 0.0, question.grain(at)))
            local, around = look(question.graph, np.stack([at, low]), np.stack([at, high]), 1)
        except Unread:
            return None
        slopes = np.where(question.fixed, 0.0, local.gradient.size)
        pressed_low = (at == question.box.lower) & (local.slopes[0] >= 0)
        pressed_high = (at == question.box.upper) & (local.slopes[1] <= 0)
        slopes = np.where(pressed_low | pressed_high, 0.0, slopes)
        radius = float(above(length_above(slopes) / mu, 2))
        if not around.smooth or not np.isfinite(radius):
            continue
        distance = float(above(radius + length_above(np.abs(at - question.x)), 2))
        if distance <= question.near * question.length and (best is None or distance < best["distance"]):
            best = {
                "kind": "ball", "verdict": Verdict.UNIQUE_GLOBAL_MINIMUM.name, "x": question.x.tolist(),
                "at": at.tolist(), "radius": radius, "distance": distance, "slope": length_above(slopes),
                "lower": question.box.lower.tolist(), "upper": question.box.upper.tolist(),
                "value": [_fall(local.value[0], length_above(slopes), mu), local.value[1]], "global": convex,
            }  # fmt: skip
    if best is None:
        return None
    at, wide = np.array(best["at"]), np.full(question.graph.size, 2 * best["radius"])
    low, high = question.around(at, np.where(question.fixed, 0.0, np.maximum(wide, question.grain(at))))
    _, _, defined = values(question.graph, low[None], high[None])
    return best if bool(defined[0]) else None


def _fall(value: float, slope: float, mu: float) -> float:
    """A lower bound of ``value - slope^2/(2 mu)``."""
    return float(np.nextafter(value - float(above(slope * slope / (2 * mu), 4)), -np.inf))


def _below(number: Fraction) -> float:
    """A double that is not above."""
    near = float(number)
    return near if Fraction(near) <= number else math.nextafter(near, -math.inf)


def receding(question: Question, start: np.ndarray, m: np.ndarray, known: Convex) -> Argument | None:
    """A direction along which f falls for ever."""
    try:
        slopes = look(question.graph, start[None], start[None], 1)[0].slopes
    except Unread:
        return None
    # Where a slope underflows only one of its ends is 0.
    gradient = np.where(np.abs(slopes[0]) > np.abs(slopes[1]), *slopes)
    low, high = question.box.lower, question.box.upper
    for direction in _directions(start, gradient):
        if np.any((direction > 0) & (high < np.inf)) or np.any((direction < 0) & (low > -np.inf)):
            continue
        common = {"kind": "recession", "direction": direction.tolist(), "x": question.x.tolist(),
                  "lower": low.tolist(), "upper": high.tolist()}  # fmt: skip
        slope = ray_slope(question.graph, start, direction)
        if slope < 0:
            return {**common, "verdict": Verdict.UNBOUNDED_BELOW.name, "start": start.tolist(), "slope": slope}
        floor = floor_of(question)
        if floor > -np.inf and falls(question.graph, low, high, direction):
            return {**common, "verdict": Verdict.INFIMUM_NOT_ATTAINED.name, "floor": floor}
    return None


def _directions(start: np.ndarray, gradient: np.ndarray) -> list[np.ndarray]:
    """Where f may fall for ever: away from 0, down the gradient, along an axis."""
    axes = np.eye(len(start)) if len(start) <= AXES else []
    found = [*(-np.sign(gradient[j]) * axis for j, axis in enumerate(axes)), -np.sign(gradient), start, -gradient]
    kept: list[np.ndarray] = []
    steepest = np.max(np.abs(gradient), initial=0.0)
    slope = np.ldexp(gradient, -math.frexp(steepest)[1]) if 0.0 < steepest < np.inf else gradient
    for one in found:
        top = np.max(np.abs(one), initial=0.0)
        if not 0.0 < top < np.inf:
            continue
        one = np.ldexp(one, 1 - math.frexp(top)[1]) + 0.0  # and no minus zero
        if one @ slope < 0 and not any(np.array_equal(one, other) for other in kept):
            kept.append(one)
    return kept


def moving(question: Question, start: np.ndarray, m: np.ndarray, known: Convex) -> Argument | None:
    """A slope that is proven not to be zero: x itself is not stationary."""
    x = question.x
    low, high = question.around(x, np.where(question.fixed, 0.0, question.grain(x)))
    try:
        here, around = look(question.graph, np.stack([x, low]), np.stack([x, high]), 1)
    except Unread:
        return None
    if not around.continuous:
        return None
    below, above_ = (ends.copy() for ends in around.slopes)
    at_low, at_high = x == question.box.lower, x == question.box.upper
    # Into the box only: at a lower bound a negative slope leads to lower ground, at an upper one a positive.
    size = np.where(below > 0, below, np.where(above_ < 0, -above_, 0.0))
    size = np.where((at_low & (below > 0)) | (at_high & (above_ < 0)) | question.fixed, 0.0, size)
    if not np.any(size > 0):
        return None
    j = int(np.argmax(size))
    argument = {
        "kind": "slope", "verdict": Verdict.NOT_STATIONARY.name, "x": x.tolist(), "variable": j,
        "slope": [float(below[j]), float(above_[j])], "lower": question.box.lower.tolist(),
        "upper": question.box.upper.tolist(), "value": list(here.value), "lower_point": None,
    }  # fmt: skip
    direction = np.where(size > 0, -here.gradient.mid, 0.0)
    lower = lower_point(question, x, direction, here.value[0])
    if lower is not None:
        argument["lower_point"] = {"at": lower.at.tolist(), "value": lower.value}
    return argument
