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
from collections.abc import Callable
from fractions import Fraction
from functools import cache

import numpy as np

from surefoot.plain_json import plain
from surefoot.problem.box import Box
from surefoot.problem.real import Graph
from surefoot.proof.ball_matrix import Ball, signs_of
from surefoot.proof.certificate import Certificate, Curvature, Rigour, Verdict
from surefoot.proof.curvature_finding import Finding
from surefoot.proof.curves import curving
from surefoot.proof.exact_signs import exact_inertia
from surefoot.proof.local_reading import Unread, look
from surefoot.proof.lower_ground import floor_of, local_floor, lower_point
from surefoot.proof.point_found import Found, enclosed_point, exact_point, multipliers, polished, settled
from surefoot.proof.point_otherwise import lowest, moving, receding, strongly
from surefoot.proof.point_question import Argument, Convex, Open, Question, length_above
from surefoot.proof.rounding import above
from surefoot.proof.stationary_words import claim_of, lines_of

ROUNDED = 0.999
"""Part of the proven curvature that is published: room for other arithmetic."""
NEAR = 1e-4
"""How far a stationary point may lie from x to be the one that is meant, as a part of max(1, |x|)."""
MINIMA = (Verdict.STRICT_LOCAL_MINIMUM, Verdict.LOCAL_MINIMUM, Verdict.GLOBAL_MINIMUM, Verdict.UNIQUE_GLOBAL_MINIMUM)
ASIDE = (0.1, 1.0, 1.0, 10.0)
"""How far from x f is looked at before its convexity is asked for, relative to the variables, at least 1."""
STRICT = (Curvature.STRICTLY_CONVEX, Curvature.STRONGLY_CONVEX)

Proven = Finding | Certificate | None


def certify(
    graph: Graph,
    x: np.ndarray,
    bounds: Box | tuple[np.ndarray, np.ndarray] | None = None,
    *,
    curvature: Proven | Callable[[], Proven] = None,
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
    curvature : Finding, Certificate, or callable that gives one, optional
        Proven curvature of f on the box of the bounds (on all of R^n without them): convexity makes a minimum global. A
        callable is asked only where that matters.
    near : float
        A stationary point further away than this part of max(1, norm of x) is not the one that is meant.
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
    Rump (2010), "Verification methods", Acta Numerica 19, section 13, pp. 396-404.

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
                       {"argument": plain(argument), "proof_seconds": seconds}, graph=question.graph)  # fmt: skip


def _sentence(text: str) -> str:
    return f"{text if text.startswith('f ') else text[0].upper() + text[1:]}."


def _argued(question: Question, curvature: Proven | Callable[[], Proven]) -> Argument:
    """The first argument that closes, from the strongest claim to the weakest."""
    start = settled(question, question.x)

    @cache
    def convex() -> Argument | None:
        if callable(curvature) and _bends_down(question):
            return None
        return convexity_of(curvature() if callable(curvature) else curvature)

    stopped: Open | Unread
    m = start
    try:
        m = polished(question, start)
        found = exact_point(question, m) or enclosed_point(question, m)
        away = length_above(np.abs(question.x - found.at) + found.reach)
        if away <= question.near * question.length:
            return _global(question, found, _classified(question, found), convex)
        stopped = Open(f"The stationary point that Newton's steps lead to may be {away:.2g} away, not next to x")
    except (Open, Unread) as refused:
        stopped = refused
    for other in (lowest, strongly, receding, curving, moving):
        argument = other(question, start, m, convex)
        if argument is not None:
            return argument
    raise stopped


def _bends_down(question: Question) -> bool:
    """Whether f is seen to curve downward around x, so that it is in vain to ask for its convexity."""
    rng = np.random.default_rng(0)
    aside = rng.uniform(-1.0, 1.0, (len(ASIDE), question.graph.size)) * np.array(ASIDE)[:, None]
    points = np.clip(question.x + aside * np.maximum(1.0, np.abs(question.x)), question.box.lower, question.box.upper)
    return any(
        local.smooth and (signs := signs_of(local.hessian)) is not None and signs.negative > 0
        for local in look(question.graph, points, points)
    )


def convexity_of(curvature: Proven) -> Argument | None:
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
        argument["least_curvature"] = ROUNDED * signs.least
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
        "distance": length_above(away),
        "value": list(_value(found)),
        "lower_point": None,
        "global": None,
    }


def _value(found: Found) -> tuple[float, float]:
    """The value at the true point: by Taylor's formula about the middle, and by the box."""
    low, high = found.here.value
    if found.exact:
        return low, high
    free = found.free
    reach = found.reach[free]
    H = found.around.hessian.part(free)
    n = len(free)
    spread = float(above(np.sum(found.here.gradient.size[free] * reach) + 0.5 * (reach @ (H.size @ reach)), 2 * n + 6))
    # Half as much again, and some units in the last place: room for whoever proves it with other arithmetic.
    spread = 1.5 * spread + 8 * 2.0**-53 * max(abs(low), abs(high))
    return float(np.nextafter(low - spread, -np.inf)), float(np.nextafter(high + spread, np.inf))


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


def _global(question: Question, found: Found, argument: Argument, known: Convex) -> Argument:
    """The same as a global minimum, where that is proven."""
    verdict = Verdict[argument["verdict"]]
    if verdict not in (*MINIMA, Verdict.DEGENERATE) or (verdict is Verdict.DEGENERATE and argument["negative"]):
        return argument
    convex = known()
    if convex is not None:
        strict = verdict is Verdict.STRICT_LOCAL_MINIMUM or Curvature[convex["curvature"]] in STRICT
        best = Verdict.UNIQUE_GLOBAL_MINIMUM if strict else Verdict.GLOBAL_MINIMUM
        return argument | {"verdict": best.name, "global": {"by": "convexity", **convex}}
    floor = floor_of(question)
    if found.exact and argument["value"][1] <= floor:
        return argument | {"verdict": Verdict.GLOBAL_MINIMUM.name, "global": {"by": "floor", "floor": floor}}
    return argument


__all__ = ["NEAR", "certify"]
