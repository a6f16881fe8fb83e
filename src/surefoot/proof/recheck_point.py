"""The numbers of a proof about a point, checked one by one in interval arithmetic; used by `recheck` alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from surefoot.problem.real import Graph
from surefoot.proof.arb_reading import arb_jet, ends
from surefoot.proof.certificate import Curvature, Verdict
from surefoot.proof.curves import along, falls_by, stays_inside
from surefoot.proof.interval import Interval
from surefoot.proof.interval_sums import matrix_product
from surefoot.proof.jets import Jet, second_order
from surefoot.proof.recession import falls
from surefoot.proof.replay import enclose

Argument = Mapping[str, Any]
Array = np.ndarray

BITS = 160
"""Of Arb's balls."""
MOST_IN_ARB = 20_000
"""Numbers in a graph that is read in Arb too."""
STRICT = (Curvature.STRICTLY_CONVEX, Curvature.STRONGLY_CONVEX)


class Refuted(Exception):
    """A sentence: what does not hold."""


def require(condition: Any, sentence: str) -> None:
    """Stop at what does not hold.

    Raises
    ------
    Refuted
        With the sentence.
    """
    if not bool(np.all(condition)):
        raise Refuted(sentence)


def check_point(graph: Graph, a: Argument) -> Verdict:
    """A stationary point in an enclosure, and what it is."""
    x, at, low, high = _places(graph, a)
    reach, radius = _vector(graph, a["reach"]), _vector(graph, a["radius"])
    free, held = _parts(graph, a, at, low, high)
    require((reach >= 0) & (radius >= 0) & np.isfinite(radius), "A radius is no radius.")
    require((radius > 0) | (low == high), "The verified box has no width.")
    require(reach <= radius, "The enclosure is wider than the verified box.")
    _check_distance(x, at, reach, a["distance"])
    box = _jet(graph, *_around(at, radius, low, high))
    require(box.defined & box.smooth, "f is not proven to be twice differentiable on the verified box.")
    near_low, near_high = _around(at, np.where(reach > 0, reach, 0.0), low, high)
    tight, here = _jet(graph, near_low, near_high), _jet(graph, at, at)
    _check_in_arb(graph, at, here)
    _check_held(a, tight, box, held)
    if a["exact"] is True:
        require(reach == 0, "A point that is exact has no reach.")
        require(here.gradient.lo[0][free] == 0, "The gradient is not exactly 0.")
        require(here.gradient.hi[0][free] == 0, "The gradient is not exactly 0.")
    else:
        require(a["exact"] is False and not a["weak"], "A variable at its bound has no multiplier.")
        _check_root(at, reach, here, tight, free, (near_low > low) & (near_high < high))
        _check_single(radius, tight, box, free)
    H = tight.hessian[0][np.ix_(free, free)]
    _check_signs(a, H, len(free))
    _check_value(a, here, tight, at, reach, free)
    verdict = _verdict(graph, a, at, low, high, len(free))
    _check_lower(graph, a, low, high, a["value"][0])
    require(
        a["lower_point"] is None or verdict in (Verdict.SADDLE, Verdict.LOCAL_MAXIMUM), "A minimum has lower points."
    )
    return _global(graph, a, verdict, low, high)


def _places(graph: Graph, a: Argument) -> tuple[Array, Array, Array, Array]:
    x, low, high = (_vector(graph, a[name]) for name in ("x", "lower", "upper"))
    at = _vector(graph, a["at"]) if "at" in a else x
    require(~np.isnan(low) & ~np.isnan(high) & (low <= high), "The bounds are no bounds.")
    for point in (x, at):
        require(np.isfinite(point) & (low <= point) & (point <= high), "A point lies outside the bounds.")
    return x, at, low, high


def _vector(graph: Graph, values: Any) -> Array:
    found = np.array(values, dtype=float)
    require(found.shape == (graph.size,), "A point has another number of variables than f.")
    return found


def _around(at: Array, radius: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """The box of all points within the radius and the bounds, rounded outward."""
    lower = np.where(radius > 0, np.nextafter(at - radius, -np.inf), at)
    upper = np.where(radius > 0, np.nextafter(at + radius, np.inf), at)
    return np.maximum(lower, low), np.minimum(upper, high)


def _jet(graph: Graph, low: Array, high: Array, order: int = 2) -> Jet:
    return second_order(graph, Interval(low[None], high[None]), order=order)


def _check_in_arb(graph: Graph, at: Array, here: Jet) -> None:
    """The value and the gradient at the middle once more, by a reading that shares no code with the intervals."""
    if sum(node.size for node in graph.nodes) > MOST_IN_ARB:
        return
    found = arb_jet(graph, at.tolist(), order=1, bits=BITS)
    for ball, low, high in zip(
        (found.value, *found.gradient), (here.value.lo[0], *here.gradient.lo[0]),
        (here.value.hi[0], *here.gradient.hi[0]), strict=True,
    ):  # fmt: skip
        if ball.is_finite():
            least, most = ends(ball)
            require(least <= high and low <= most, "Arb's balls contradict the intervals.")


def _parts(graph: Graph, a: Argument, at: Array, low: Array, high: Array) -> tuple[Array, dict[int, str]]:
    """Variables that move, and those that a bound holds: every variable is one of them, or has one value only."""
    free = np.array(a["free"], dtype=int)
    held = {int(j): side for j, side in a["held"].items()}
    fixed = np.flatnonzero(low == high).tolist()
    require(
        sorted([*free.tolist(), *held, *fixed]) == list(range(graph.size)), "A variable is missing, or twice there."
    )
    for j, side in held.items():
        require(side in ("lower", "upper") and at[j] == (low if side == "lower" else high)[j],
                "A held variable is not at its bound.")  # fmt: skip
    weak = [j for j in free.tolist() if at[j] in (low[j], high[j])]
    require(a["weak"] == weak, "The variables at bounds without a multiplier are others.")
    return free, held


def _check_distance(x: Array, at: Array, reach: Array, distance: Any) -> None:
    exact = sum(
        ((abs(Fraction(p) - Fraction(q)) + Fraction(r)) ** 2
         for p, q, r in zip(x.tolist(), at.tolist(), reach.tolist(), strict=True)), Fraction(0)
    )  # fmt: skip
    require(math.isfinite(distance) and distance >= 0 and exact <= Fraction(distance) ** 2,
            "The distance from the point is not as small as it says.")  # fmt: skip


def _check_held(a: Argument, tight: Jet, box: Jet, held: dict[int, str]) -> None:
    require(set(a["multipliers"]) == {str(j) for j in held}, "The multipliers are those of other variables.")
    for j, side in held.items():
        sign = 1.0 if side == "lower" else -1.0
        inward = [jet.gradient[0][j] if sign > 0 else -jet.gradient[0][j] for jet in (tight, box)]
        require(inward[1].lo > 0, "A multiplier has not the right sign.")
        require(0 < a["multipliers"][str(j)] <= max(float(one.lo) for one in inward), "A multiplier is smaller.")


def _check_root(at: Array, reach: Array, here: Jet, tight: Jet, free: Array, inside: Array) -> None:
    """Krawczyk's operator on the published enclosure itself."""
    require(inside[free], "The enclosure reaches a bound.")
    if not len(free):
        return
    H = tight.hessian[0][np.ix_(free, free)]
    C = Interval.of(np.linalg.inv(0.5 * H.lo + 0.5 * H.hi))
    width = Interval(-reach[free], reach[free])
    identity = Interval.of(np.eye(len(free)))
    moved = matrix_product(identity - matrix_product(C, H), width[:, None])[:, 0]
    step = moved - matrix_product(C, here.gradient[0][free][:, None])[:, 0]
    require((step.lo > -reach[free]) & (step.hi < reach[free]), "The enclosure is not mapped into itself.")


def _check_single(radius: Array, tight: Jet, box: Jet, free: Array) -> None:
    """No other zero in the verified box: every matrix of slopes there is regular, as ``|I - C H| r < r``."""
    if not len(free):
        return
    H, around = (jet.hessian[0][np.ix_(free, free)] for jet in (tight, box))
    C = Interval.of(np.linalg.inv(0.5 * H.lo + 0.5 * H.hi))
    width = Interval(-radius[free], radius[free])
    moved = matrix_product(Interval.of(np.eye(len(free))) - matrix_product(C, around), width[:, None])[:, 0]
    require((moved.lo > -radius[free]) & (moved.hi < radius[free]), "The verified box may hold another zero.")


def _check_signs(a: Argument, H: Interval, n: int) -> None:
    """Numbers of negative, zero and positive eigenvalues, and the smallest one."""
    counts = (a["negative"], a["zero"], a["positive"])
    require(
        all(type(k) is int and k >= 0 for k in counts) and sum(counts) == n, "The signs of curvature do not add up."
    )
    if a["zero"]:
        require(a["exact"] is True and np.array_equal(H.lo, H.hi), "A zero eigenvalue needs an exact Hessian.")
        require(_exact_signs(H.lo) == counts, "The Hessian has not these signs.")
    elif n:
        found = _signs(H)
        if found is None and a["exact"] is True and np.array_equal(H.lo, H.hi):
            found = _exact_signs(H.lo)[::2]
        require(found == counts[::2], "The Hessian has not these signs.")
    least = a.get("least_curvature")
    if least is not None and least != 0:
        shifted = H - Interval.of(least * np.eye(n))
        require(least > 0 and _signs(shifted) == (0, n), "The smallest eigenvalue is smaller.")


def _signs(H: Interval) -> tuple[int, int] | None:
    """How many eigenvalues every symmetric matrix has on either side of 0, by disks of V'HV."""
    middle = 0.5 * H.lo + 0.5 * H.hi
    if not np.all(np.isfinite(middle)):
        return None
    scale = np.ones(len(middle))
    for _ in range(12):  # units in which the largest entry of every row is about 1
        size = np.max(np.abs(middle) * np.outer(scale, scale), axis=1)
        scale = scale * np.exp2(np.rint(-0.5 * np.log2(np.where(size > 0, size, 1.0))))
    values, vectors = np.linalg.eigh((middle + middle.T) / 2 * scale * scale[:, None])
    if np.any(values == 0):
        return None
    V = scale[:, None] * vectors / np.sqrt(np.abs(values))
    G = matrix_product(matrix_product(Interval.of(V.T), H), Interval.of(V))
    sizes = G.magnitude.copy()
    np.fill_diagonal(sizes, 0.0)
    apart = Interval.of(sizes)
    disks = apart[:, 0]
    for k in range(1, len(V)):
        disks = disks + apart[:, k]
    middle_low, middle_high = np.diag(G.lo), np.diag(G.hi)
    above, below = middle_low > disks.hi, middle_high < -disks.hi
    if not np.all(above | below):
        return None
    return int(np.sum(below)), int(np.sum(above))


def _exact_signs(H: Array) -> tuple[int, int, int]:
    """Negative, zero and positive pivots of an exact congruence to a diagonal matrix."""
    rows = [[Fraction(entry) for entry in row] for row in H.tolist()]
    require(rows == [list(column) for column in zip(*rows, strict=True)], "The Hessian is not symmetric.")
    found = [0, 0, 0]
    left = list(range(len(rows)))
    while left:
        pivot = next((j for j in left if rows[j][j]), None)
        if pivot is None:
            pair = next(((i, j) for i in left for j in left if rows[i][j]), None)
            if pair is None:
                found[1] += len(left)
                break
            i, pivot = pair  # adding one row and column to the other makes a pivot
            for k in left:
                rows[pivot][k] += rows[i][k]
            for k in left:
                rows[k][pivot] += rows[k][i]
        value = rows[pivot][pivot]
        found[2 if value > 0 else 0] += 1
        left.remove(pivot)
        for i in left:
            share = rows[i][pivot] / value
            for j in left:
                rows[i][j] -= share * rows[pivot][j]
    return found[0], found[1], found[2]


def _check_value(a: Argument, here: Jet, tight: Jet, at: Array, reach: Array, free: Array) -> None:
    """The value there: by Taylor's formula in intervals."""
    low, high = a["value"]
    value = here.value[0]
    if a["exact"] is not True and len(free):
        width = Interval(-reach[free], reach[free])
        first = matrix_product(here.gradient[0][free][None, :], width[:, None])[0, 0]
        bent = matrix_product(tight.hessian[0][np.ix_(free, free)], width[:, None])
        value = value + first + matrix_product(width[None, :], bent)[0, 0] * 0.5
    require(low <= value.lo and value.hi <= high, "The value at the point is another.")


def _check_lower(graph: Graph, a: Argument, low: Array, high: Array, level: float) -> None:
    lower = a["lower_point"]
    if lower is None:
        return
    point = _vector(graph, lower["at"])
    require(np.isfinite(point) & (low <= point) & (point <= high), "The lower point lies outside the bounds.")
    found = enclose(graph, Interval.of(point[None]))
    require(found.defined, "f is not proven to be defined at the lower point.")
    require(found.value.hi[0] <= lower["value"] < level, "The lower point is not lower.")


def _verdict(graph: Graph, a: Argument, at: Array, low: Array, high: Array, n: int) -> Verdict:
    """What the signs say, before anything is known of the rest of f."""
    negative, zero, positive = a["negative"], a["zero"], a["positive"]
    if not negative and not zero:
        return Verdict.STRICT_LOCAL_MINIMUM
    require(not a["weak"], "A multiplier is zero, so these signs do not decide.")
    if negative == n and not a["held"]:
        return Verdict.LOCAL_MAXIMUM
    if negative and (positive or a["held"]):
        return Verdict.SADDLE
    if a.get("floor_radius") is not None:
        require(not negative and a["exact"] is True, "A minimum does not curve down.")
        radius = _vector(graph, a["floor_radius"])
        _check_nowhere_below(graph, a["level"], _around(at, radius, low, high))
        require((radius > 0) | (low == high), "The neighbourhood has no width.")
        require(a["value"][1] <= a["level"], "The value at the point is above the level.")
        return Verdict.LOCAL_MINIMUM
    return Verdict.DEGENERATE


def _check_nowhere_below(graph: Graph, level: float, box: tuple[Array, Array], throughout: bool = True) -> None:
    found = enclose(graph, Interval(box[0][None], box[1][None]))
    require(not throughout or found.defined, "f is not proven to be defined next to the point.")
    require(not found.lacking and found.value.lo[0] >= level, "f is not proven to be nowhere below that level.")


def _global(graph: Graph, a: Argument, local: Verdict, low: Array, high: Array) -> Verdict:
    """The verdict with what is known of all of f."""
    found = a["global"]
    if found is None:
        return local
    minima = (Verdict.STRICT_LOCAL_MINIMUM, Verdict.LOCAL_MINIMUM)
    degenerate = local is Verdict.DEGENERATE and a["negative"] == 0
    require(local in minima or degenerate, "A point that is no minimum is no global one.")
    if found["by"] == "floor":
        require(a["exact"] is True and a["value"][1] <= found["floor"], "The value is above the level.")
        _check_nowhere_below(graph, found["floor"], (low, high), throughout=False)
        return Verdict.GLOBAL_MINIMUM
    curvature = check_convexity(graph, found, low, high)
    strict = local is Verdict.STRICT_LOCAL_MINIMUM or curvature in STRICT
    return Verdict.UNIQUE_GLOBAL_MINIMUM if strict else Verdict.GLOBAL_MINIMUM


def check_convexity(graph: Graph, found: Argument, low: Array, high: Array) -> Curvature:
    """Convexity, derived from the graph again by its rules."""
    from surefoot.proof.recheck_convexity import derived

    return derived(graph, found, low, high)


def check_floor(graph: Graph, a: Argument) -> Verdict:
    """A point that f is nowhere below."""
    x, at, low, high = _places(graph, a)
    _check_distance(x, at, np.zeros_like(x), a["distance"])
    here = enclose(graph, Interval.of(at[None]))
    require(here.defined, "f is not proven to be defined at the point.")
    require(here.value.hi[0] <= a["level"], "The value at the point is above the level.")
    if a["radius"] is None:
        _check_nowhere_below(graph, a["level"], (low, high), throughout=False)
        return Verdict.GLOBAL_MINIMUM
    radius = _vector(graph, a["radius"])
    require((radius > 0) | (low == high), "The neighbourhood has no width.")
    _check_nowhere_below(graph, a["level"], _around(at, radius, low, high))
    if a["global"] is None:
        return Verdict.LOCAL_MINIMUM
    strict = check_convexity(graph, a["global"], low, high) in STRICT
    return Verdict.UNIQUE_GLOBAL_MINIMUM if strict else Verdict.GLOBAL_MINIMUM


def check_ball(graph: Graph, a: Argument) -> Verdict:
    """A short gradient of a strongly convex function."""
    x, at, low, high = _places(graph, a)
    require(check_convexity(graph, a["global"], low, high) is Curvature.STRONGLY_CONVEX, "f is not strongly convex.")
    mu, moves = Fraction(a["global"]["modulus"]), low < high
    here = _jet(graph, at, at, order=1)
    tiny = np.where(moves, 2.0**-50 * np.abs(at) + 2.0**-900, 0.0)
    around = _jet(graph, *_around(at, tiny, low, high))
    require(around.defined & around.smooth, "f is not proven to be differentiable at the point.")
    gradient = here.gradient[0]
    pressed = ((at == low) & (gradient.lo >= 0)) | ((at == high) & (gradient.hi <= 0)) | ~moves
    square = sum((Fraction(float(size)) ** 2 for size in gradient.magnitude[~pressed]), Fraction(0))
    slope, radius = Fraction(a["slope"]), Fraction(a["radius"])
    require(slope >= 0 and square <= slope**2 and slope <= mu * radius, "The gradient is longer.")
    apart = sum(((Fraction(p) - Fraction(q)) ** 2 for p, q in zip(x.tolist(), at.tolist(), strict=True)), Fraction(0))
    rest = Fraction(a["distance"]) - radius
    require(rest >= 0 and apart <= rest**2, "The distance from the point is not as small as it says.")
    wide = np.where(moves, np.maximum(np.nextafter(2 * a["radius"], np.inf), tiny), 0.0)
    ball = enclose(graph, Interval(*(one[None] for one in _around(at, wide, low, high))))
    require(ball.defined & ball.continuous, "f is not proven to be continuous around the point.")
    value = here.value[0]
    bottom = Fraction(float(value.lo)) - slope**2 / (2 * mu)
    require(Fraction(a["value"][0]) <= bottom and value.hi <= a["value"][1], "The value at the point is another.")
    return Verdict.UNIQUE_GLOBAL_MINIMUM


def check_slope(graph: Graph, a: Argument) -> Verdict:
    """A slope that is not 0."""
    x, _, low, high = _places(graph, a)
    j = a["variable"]
    require(type(j) is int and 0 <= j < graph.size and low[j] < high[j], "There is no such variable.")
    tiny = np.where(low < high, 2.0**-50 * np.abs(x) + 2.0**-900, 0.0)
    jet = _jet(graph, *_around(x, tiny, low, high), order=1)
    require(jet.defined & jet.continuous, "f is not proven to be continuous at the point.")
    slope = jet.gradient[0][j]
    require(a["slope"][0] <= slope.lo and slope.hi <= a["slope"][1], "The slope is another.")
    rises, sinks = slope.lo > 0, slope.hi < 0
    require((rises and x[j] > low[j]) or (sinks and x[j] < high[j]), "The slope leads to no lower point.")
    value = enclose(graph, Interval.of(x[None])).value
    require(a["value"][0] <= value.lo[0] and value.hi[0] <= a["value"][1], "The value at the point is another.")
    _check_lower(graph, a, low, high, a["value"][0])
    return Verdict.NOT_STATIONARY


def check_recession(graph: Graph, a: Argument) -> Verdict:
    """A direction along which f falls for ever."""
    _, _, low, high = _places(graph, a)
    direction = _vector(graph, a["direction"])
    blocked = ((direction > 0) & (high < np.inf)) | ((direction < 0) & (low > -np.inf))
    require(np.isfinite(direction) & ~blocked & np.any(direction != 0), "The direction leads out of the bounds.")
    if "start" in a:
        start = _vector(graph, a["start"])
        require(np.isfinite(start) & (low <= start) & (start <= high), "The ray begins outside the bounds.")
        ends = np.where(direction < 0, -np.inf, start), np.where(direction > 0, np.inf, start)
        jet = _jet(graph, *ends, order=1)
        require(jet.defined & jet.continuous, "f is not proven to be continuous on the ray.")
        moved = np.flatnonzero(direction)
        slope = Interval.of(0.0)
        for j in moved:
            slope = slope + jet.gradient[0][j] * float(direction[j])
        require(slope.hi <= a["slope"] < 0, "f does not fall as fast as it says.")
        return Verdict.UNBOUNDED_BELOW
    require(falls(graph, low, high, direction), "f does not fall everywhere.")
    require(math.isfinite(a["floor"]), "The level is none.")
    _check_nowhere_below(graph, a["floor"], (low, high), throughout=False)
    return Verdict.INFIMUM_NOT_ATTAINED


def check_curve(graph: Graph, a: Argument) -> Verdict:
    """A curve along which f falls without end."""
    _, _, low, high = _places(graph, a)
    path = np.array(a["path"], dtype=float)
    require(path.ndim == 2 and len(path) > 1 and path.shape[1] == graph.size, "The curve has other variables than f.")
    require(np.isfinite(path) & np.any(path[1:] != 0), "The curve goes nowhere.")
    require(stays_inside(path, low, high), "The curve leaves the bounds.")
    begin = a["begin"]
    require(math.isfinite(begin) and begin >= 0, "The curve has no beginning.")
    line = along(graph, path)
    require(a["how"] != "" and falls_by(line, begin) == a["how"], "f is not proven to fall without end on the curve.")
    for at in (begin, 2.0**20 * begin):
        _check_in_arb(line, np.array([at]), _jet(line, np.array([at]), np.array([at]), order=1))
    return Verdict.UNBOUNDED_BELOW
