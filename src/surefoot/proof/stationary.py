"""What a point is, proven: a true stationary point next to it, enclosed, and the signs of curvature there.

1. Where is it? Newton's steps propose; a gradient that is exactly 0, or Krawczyk's operator, proves (`point_found`).
2. How does f curve over the whole enclosure? Signs that all its Hessians share (`ball_matrix`), or exact ones.
3. Is it global? f is nowhere below its value there, or is proven to be convex by whoever asks.

What does not close is said, with the step; then the verdict is INCONCLUSIVE, and nothing is proven. With bounds the
claim is about f on the box: a multiplier of strictly the right sign holds a variable, and curvature counts in the rest.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, theorems 12.5 and 12.6, pp. 330-333;
Neumaier (1990), "Interval Methods for Systems of Equations", Cambridge, section 5.1, pp. 167-178.
"""

from __future__ import annotations

import math
import time
from fractions import Fraction
from typing import Any

import numpy as np

from surefoot.problem.box import Box
from surefoot.problem.real import Graph
from surefoot.proof.ball_matrix import Ball, signs_of
from surefoot.proof.certificate import Certificate, Curvature, Rigour, Verdict
from surefoot.proof.curvature_finding import Finding
from surefoot.proof.exact_signs import exact_inertia
from surefoot.proof.local_reading import Unread, look, values
from surefoot.proof.lower_ground import floor_of, local_floor, lower_point
from surefoot.proof.point_found import DIGITS, Found, enclosed_point, exact_point, multipliers, polished, settled
from surefoot.proof.point_question import Open, Question
from surefoot.proof.rounding import above
from surefoot.proof.stationary_words import claim_of, lines_of

NEAR = 1e-4
"""How far a stationary point may lie from x to be the one that is meant, as a part of max(1, |x|)."""
MINIMA = (Verdict.STRICT_LOCAL_MINIMUM, Verdict.LOCAL_MINIMUM, Verdict.GLOBAL_MINIMUM, Verdict.UNIQUE_GLOBAL_MINIMUM)
STRICT = (Curvature.STRICTLY_CONVEX, Curvature.STRONGLY_CONVEX)

Argument = dict[str, Any]
"""The numbers that a proof leans on, as JSON takes them; claim and lines are words for them."""


def certify(
    graph: Graph,
    x: np.ndarray,
    bounds: Box | tuple[np.ndarray, np.ndarray] | None = None,
    *,
    curvature: Finding | Certificate | None = None,
    near: float = NEAR,
    seconds: float = math.inf,
) -> Certificate:
    """What the point x of a function is, by a proof or not at all.

    Parameters
    ----------
    graph : Graph
        The real function.
    x : ndarray, shape (n,)
        The point, from anyone, within the bounds.
    bounds : Box or pair of arrays, optional
        Lower and upper bounds of the variables.
    curvature : Finding or Certificate, optional
        Proven curvature of f on the box of the bounds (on all of R^n without them): convexity makes a minimum global.
    near : float
        A stationary point further away than this part of max(1, \\|x\\|) is not the one that is meant.
    seconds : float
        Roughly the most time.

    Returns
    -------
    Certificate
        PROVEN, with a verdict on the stationary point next to x, and the numbers of the proof as evidence; or
        INCONCLUSIVE, with the step that did not close.

    Raises
    ------
    ModelError
        x does not fit f, is not finite, or lies outside the bounds.

    References
    ----------
    .. [1] Rump (2010), "Verification methods", Acta Numerica 19, section 13, pp. 396-404.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x", "y"))
    >>> x, y = (build.reshape(build.slice(build.input, (k,), (k + 1,)), ()) for k in range(2))
    >>> saddle = build.graph(build.sub(build.power(x, 2), build.power(y, 2)))
    >>> certificate = certify(saddle, np.array([1e-9, 0.0]))
    >>> certificate.verdict.value, certificate.rigour.value
    ('saddle', 'proven')
    """
    began = time.perf_counter()
    n = graph.size
    box = bounds if isinstance(bounds, Box) else Box(np.full(n, -np.inf), np.full(n, np.inf))
    if bounds is not None and not isinstance(bounds, Box):
        box = Box(*(np.broadcast_to(np.asarray(side, float), (n,)) for side in bounds))
    question = Question(graph, np.array(x, dtype=float), box, near, began + seconds)
    with np.errstate(all="ignore"):
        try:
            argument = _argued(question, curvature)
        except (Open, Unread) as stopped:
            argument = {"kind": "open", "verdict": Verdict.INCONCLUSIVE.name, "reason": _sentence(str(stopped))}
    return _certificate(question, argument, time.perf_counter() - began)


def _certificate(question: Question, argument: Argument, seconds: float) -> Certificate:
    verdict = Verdict[argument["verdict"]]
    rigour = Rigour.NUMERICAL if verdict is Verdict.INCONCLUSIVE else Rigour.PROVEN
    names, notes = question.names, question.graph.notes
    return Certificate(verdict, rigour, claim_of(argument, names), (*lines_of(argument, names), *notes),
                       {"argument": argument, "proof_seconds": seconds})  # fmt: skip


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _argued(question: Question, curvature: Finding | Certificate | None) -> Argument:
    """The first argument that closes, from the strongest claim to the weakest."""
    start = settled(question, question.x)
    convex = _convexity(curvature)
    stopped: Open | Unread
    m = start
    try:
        m = polished(question, start)
        found = exact_point(question, m) or enclosed_point(question, m)
        if question.is_near(found.at):
            return _global(question, found, _classified(question, found), convex)
        stopped = Open(
            "the stationary point that Newton's steps lead to is "
            f"{float(np.linalg.norm(found.at - question.x)):.2g} away, not next to x"
        )
    except (Open, Unread) as refused:
        stopped = refused
    for other in (_lowest, _strongly, _moving):
        argument = other(question, start, m, convex)
        if argument is not None:
            return argument
    raise stopped


def _convexity(curvature: Finding | Certificate | None) -> Argument | None:
    """What was proven of f as a whole, if it is convexity."""
    if curvature is None:
        return None
    if isinstance(curvature, Finding):
        verdict, lines, modulus = curvature.curvature, curvature.lines, curvature.modulus
    else:
        verdict, lines = curvature.verdict, curvature.lines
        modulus = curvature.evidence.get("modulus")
        if curvature.rigour is not Rigour.PROVEN or not isinstance(verdict, Curvature):
            return None
    if not verdict.is_convex:
        return None
    return {"curvature": verdict.name, "modulus": None if modulus is None else str(Fraction(modulus)),
            "lines": list(lines)}  # fmt: skip


# A stationary point next to x


def _classified(question: Question, found: Found) -> Argument:
    """What the enclosed point is, by the signs of curvature."""
    local = found.here if found.exact else found.around
    H = local.hessian.part(found.free)
    argument = _enclosure(question, found)
    if not len(found.free):
        return argument | {"verdict": Verdict.STRICT_LOCAL_MINIMUM.name, "negative": 0, "positive": 0, "zero": 0}
    signs = signs_of(H)
    exact = exact_inertia(H.mid) if H.is_exact and found.exact and signs is None else None
    if signs is None and exact is None:
        raise Open("The Hessian there may be singular: no signs of curvature could be proven")
    negative = signs.negative if signs is not None else exact.negative if exact is not None else 0
    zero = exact.zero if exact is not None else 0
    argument |= {"negative": negative, "zero": zero, "positive": len(found.free) - negative - zero}
    if signs is not None and negative == 0:
        argument["least_curvature"] = signs.least
    if negative == 0 and zero == 0:
        return argument | {"verdict": Verdict.STRICT_LOCAL_MINIMUM.name}
    if len(found.weak):
        return _weakly_held(question, found, argument)
    if negative == len(found.free) and not found.held:
        argument["verdict"] = Verdict.LOCAL_MAXIMUM.name
    elif negative and (negative < len(found.free) - zero or found.held):
        argument["verdict"] = Verdict.SADDLE.name
    else:
        return _degenerate(question, found, argument)
    direction = np.zeros(question.graph.size)
    direction[found.free] = _downward(H, signs.S[:, signs.signs < 0] if signs is not None else None)
    return _with_lower(question, found, argument, direction)


def _enclosure(question: Question, found: Found) -> Argument:
    """Where the point is, and what f is there."""
    away = np.abs(question.x - found.at) + found.reach
    return {
        "kind": "point",
        "x": question.x.tolist(),
        "at": found.at.tolist(),
        "reach": found.reach.tolist(),
        "radius": found.radius.tolist(),
        "exact": found.exact,
        "lower": question.box.lower.tolist(),
        "upper": question.box.upper.tolist(),
        "free": found.free.tolist(),
        "weak": found.weak.tolist(),
        "held": {str(j): side for j, side in found.held.items()},
        "multipliers": {str(j): slope for j, slope in multipliers(found.around, found.held).items()},
        "distance": _length_above(away),
        "value": list(_value(found)),
        "lower_point": None,
        "global": None,
    }


def _length_above(vector: np.ndarray) -> float:
    """An upper bound of the length, whatever the scale."""
    top = float(np.max(vector, initial=0.0))
    if not 0.0 < top < math.inf:
        return top
    scale = 2.0 ** -math.frexp(top)[1] if 1e-290 < top < 1e290 else 1.0
    scaled = vector * scale
    return float(above(float(np.sqrt(np.sum(scaled * scaled))), len(vector) + 4)) / scale + (top * 2.0**-50)


def _value(found: Found) -> tuple[float, float]:
    """f at the true point: by Taylor's formula about the middle, and by the box."""
    low, high = found.here.value
    if found.exact:
        return low, high
    free = found.free
    reach = found.reach[free]
    H = found.around.hessian.part(free)
    n = len(free)
    spread = float(above(np.sum(found.here.gradient.size[free] * reach) + 0.5 * (reach @ (H.size @ reach)), 2 * n + 6))
    low, high = np.nextafter(low - spread, -np.inf), np.nextafter(high + spread, np.inf)
    return float(max(low, found.around.value[0])), float(min(high, found.around.value[1]))


def _downward(H: Ball, columns: np.ndarray | None) -> np.ndarray:
    """A direction of negative curvature, a proposal."""
    if columns is not None:
        bends = np.einsum("ij,ik,kj->j", columns, H.mid, columns) / np.sum(columns * columns, axis=0)
        return columns[:, int(np.argmin(bends))]
    return np.linalg.eigh(H.mid)[1][:, 0]


def _with_lower(question: Question, found: Found, argument: Argument, direction: np.ndarray) -> Argument:
    lower = lower_point(question, found.at, direction, argument["value"][0])
    if lower is not None:
        argument["lower_point"] = {"at": lower.at.tolist(), "value": lower.value}
    return argument


def _weakly_held(question: Question, found: Found, argument: Argument) -> Argument:
    raise Open(
        f"The multiplier of the bound of {question.names[found.weak[0]]} is zero, and f does not curve upward in every "
        "direction: second derivatives do not decide"
    )


def _degenerate(question: Question, found: Found, argument: Argument) -> Argument:
    """A singular Hessian: still a minimum if f is nowhere lower around it."""
    level = found.here.value[1]
    if argument["negative"] == 0:
        radius = local_floor(question, found.at, level)
        if radius is not None:
            return argument | {"verdict": Verdict.LOCAL_MINIMUM.name, "floor_radius": radius.tolist(), "level": level}
    return argument | {"verdict": Verdict.DEGENERATE.name}


def _global(question: Question, found: Found, argument: Argument, convex: Argument | None) -> Argument:
    """The same as a global minimum, where that is proven."""
    verdict = Verdict[argument["verdict"]]
    if verdict not in (*MINIMA, Verdict.DEGENERATE) or (verdict is Verdict.DEGENERATE and argument["negative"]):
        return argument
    if convex is not None:
        strict = verdict is Verdict.STRICT_LOCAL_MINIMUM or Curvature[convex["curvature"]] in STRICT
        best = Verdict.UNIQUE_GLOBAL_MINIMUM if strict else Verdict.GLOBAL_MINIMUM
        return argument | {"verdict": best.name, "global": {"by": "convexity", **convex}}
    floor = floor_of(question)
    if found.exact and argument["value"][1] <= floor:
        return argument | {"verdict": Verdict.GLOBAL_MINIMUM.name, "global": {"by": "floor", "floor": floor}}
    return argument


# No stationary point could be enclosed


def _lowest(question: Question, start: np.ndarray, m: np.ndarray, convex: Argument | None) -> Argument | None:
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
            "distance": _length_above(np.abs(question.x - points[k])), "level": float(high[k]),
        }  # fmt: skip
        if high[k] <= floor:
            return argument | {"verdict": Verdict.GLOBAL_MINIMUM.name, "radius": None}
        radius = local_floor(question, points[k], float(high[k]))
        if radius is not None:
            verdict = Verdict.GLOBAL_MINIMUM if convex is not None else Verdict.LOCAL_MINIMUM
            return argument | {"verdict": verdict.name, "radius": radius.tolist(), "global": convex}
    return None


def _strongly(question: Question, start: np.ndarray, m: np.ndarray, convex: Argument | None) -> Argument | None:
    """The ball theorem with a modulus that holds everywhere: only the gradient at the point is needed.

    With bounds, ``mu |x - x*|^2 <= (g(x) - g(x*))'(x - x*) <= g(x)'(x - x*)``, where slopes that press a variable
    against its bound only help.
    """
    if convex is None or convex["modulus"] is None:
        return None
    mu = _below(Fraction(convex["modulus"]))
    best: Argument | None = None
    for at in (start, m):
        try:
            low, high = question.around(at, np.where(question.fixed, 0.0, question.grain(at)))
            local, around = look(question.graph, np.stack([at, low]), np.stack([at, high]))
        except Unread:
            return None
        slopes = np.where(question.fixed, 0.0, local.gradient.size)
        pressed_low = (at == question.box.lower) & (local.slopes[0] >= 0)
        pressed_high = (at == question.box.upper) & (local.slopes[1] <= 0)
        slopes = np.where(pressed_low | pressed_high, 0.0, slopes)
        radius = float(above(_length_above(slopes) / mu, 2))
        if not around.smooth or not np.isfinite(radius):
            continue
        distance = float(above(radius + _length_above(np.abs(at - question.x)), 2))
        if distance <= question.near * question.length and (best is None or distance < best["distance"]):
            best = {
                "kind": "ball", "verdict": Verdict.UNIQUE_GLOBAL_MINIMUM.name, "x": question.x.tolist(),
                "at": at.tolist(), "radius": radius, "distance": distance, "slope": _length_above(slopes),
                "lower": question.box.lower.tolist(), "upper": question.box.upper.tolist(),
                "value": [_fall(local.value[0], _length_above(slopes), mu), local.value[1]], "global": convex,
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


def _moving(question: Question, start: np.ndarray, m: np.ndarray, convex: Argument | None) -> Argument | None:
    """A slope that is proven not to be zero: x itself is not stationary."""
    x = question.x
    low, high = question.around(x, np.where(question.fixed, 0.0, question.grain(x)))
    try:
        here, around = look(question.graph, np.stack([x, low]), np.stack([x, high]))
    except Unread:
        return None
    if not around.smooth:
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


__all__ = ["NEAR", "certify"]
