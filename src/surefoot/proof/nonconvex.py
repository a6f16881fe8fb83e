"""Witnesses against convexity: found in floating point, from anyone, and believed only after interval arithmetic.

    f((1 - t) p + t q)  >  (1 - t) f(p) + t f(q),    p, q in the domain        (a chord that runs below the function)

Where the function is smooth, ``g''(s) < 0`` on all of a short segment ``g(s) = f(p + s (q - p))`` proves it, however
flat it is; elsewhere, and at jumps, the three values do. Candidates come from the Hessian's lowest eigenvector at many
points, from points drawn to where that eigenvalue is lowest, and from segments across which a condition changes.

Reference: Boyd, Vandenberghe (2004), "Convex Optimization", Cambridge, section 3.1, pp. 67-71.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

from surefoot.problem.domain import Domain
from surefoot.problem.real import Graph
from surefoot.proof.certificate import Curvature
from surefoot.proof.curvature_finding import Finding
from surefoot.proof.interval import Interval, Truth
from surefoot.proof.jets import second_order
from surefoot.proof.quadratic import chord
from surefoot.proof.replay import enclose, read
from surefoot.proof.restricted import on_grid, restricted
from surefoot.proof.rounding import at_least
from surefoot.proof.segments import inner_points, segment

MOST_WORK = 20_000_000
"""Numbers that are looked at for one kind of candidates."""

MOST_VARIABLES = 40
MOST_IN_BALLS = 3000
"""Entries of all nodes of a graph that is read in balls."""

_POINTS = 64
_BITS = 266
_TRIED = 12
_SIZES = (1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-6)
_SHARES = (Fraction(1, 2), Fraction(1, 16), Fraction(15, 16))

_CHANGING = ("lt", "le", "eq", "ne", "maximum", "minimum", "abs", "sign", "floor", "round", "ceil")

Pair = tuple[np.ndarray, np.ndarray]


def prove(
    graph: Graph, domain: Domain, candidates: Sequence[Pair] = (), seed: int = 0, seconds: float = 3.0
) -> Finding | None:
    """A proof that a function is not convex; None if none was found.

    Parameters
    ----------
    graph : Graph
        The function.
    domain : Domain
        Where it is considered.
    candidates : sequence of (x, v)
        Points and directions where the curvature may be negative, from anyone; tried first.
    seed : int
        For the points that are tried.
    seconds : float
        After which nothing more is tried.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x",))
    >>> graph = build.graph(build.sum(build.unary("cos", build.input)))
    >>> prove(graph, Domain.everything(("x",))).curvature.value
    'not convex'
    """
    rng, until = np.random.default_rng(seed), time.monotonic() + seconds
    for x, v in candidates:
        found = _along(graph, domain, np.asarray(x, dtype=float), np.asarray(v, dtype=float))
        if found is not None:
            return found
    points = inner_points(domain, _POINTS, rng)
    if not len(points):
        return None
    for ends in _candidates(graph, domain, points, rng):
        found = confirm(graph, domain, *ends)
        if found is not None:
            return found
        if time.monotonic() > until:
            break
    if sum(node.size for node in graph.nodes) <= MOST_IN_BALLS:
        for ends in _nearly_straight(graph, domain, points, rng):
            found = confirm_in_balls(graph, domain, *ends)
            if found is not None:
                return found
    return None


def _candidates(graph: Graph, domain: Domain, points: np.ndarray, rng: np.random.Generator) -> Iterable[Pair]:
    for search in (_by_curvature, _by_chords, _by_changes):
        yield from search(graph, domain, points, rng)


def confirm(graph: Graph, domain: Domain, p: np.ndarray, q: np.ndarray) -> Finding | None:
    """The proof that a function is above its chord somewhere between two points; None if that is not seen.

    Parameters
    ----------
    graph : Graph
        The function.
    domain : Domain
        Where it is considered; both points are to lie in it.
    p, q : ndarray, shape (n,)
        The ends of the chord.
    """
    p, q = on_grid(p, q)
    if not (domain.contains(p) and domain.contains(q)) or not np.any(p != q):
        return None
    line = restricted(graph, p, q)
    if line is None:
        return None
    jet = second_order(line, Interval(np.zeros((1, 1)), np.ones((1, 1))))
    if bool(jet.smooth[0]) and float(jet.hessian.hi[0, 0, 0]) < 0.0:
        bend = -float(jet.hessian.hi[0, 0, 0]) / float(np.sum((q - p) ** 2))
        told = (
            f"Between {_point(p)} and {_point(q)} its second derivative along the segment is negative throughout, "
            f"at most about -{at_least(bend, 3)} a unit of length squared."
        )
        return Finding(Curvature.NOT_CONVEX, (told,), chord(p, q, Fraction(1, 2)))
    for share in _SHARES:
        bulge = _bulge(line, share)
        if bulge > 0.0:
            told = (
                f"{_share(share)} of the way from {_point(p)} to {_point(q)} it is above its chord by at least "
                f"{at_least(bulge, 3)}."
            )
            return Finding(Curvature.NOT_CONVEX, (told,), chord(p, q, share))
    return None


def confirm_in_balls(graph: Graph, domain: Domain, p: np.ndarray, q: np.ndarray) -> Finding | None:
    """As `confirm`, by chords alone, with 80 digits: for functions that are straight to all digits of a double."""
    from surefoot.proof.arb_reading import arb_jet, precision

    p, q = on_grid(p, q)
    line = restricted(graph, p, q)
    if line is None or not (domain.contains(p) and domain.contains(q)) or not np.any(p != q):
        return None
    with precision(_BITS):
        first, last = (arb_jet(line, [end], order=0, bits=_BITS).value for end in (0.0, 1.0))
        for share in _SHARES:
            weight = float(share)  # a sixteenth, exactly
            bulge = arb_jet(line, [weight], order=0, bits=_BITS).value - (1.0 - weight) * first - weight * last
            if bulge.is_finite() and bulge > 0:
                told = (
                    f"{_share(share)} of the way from {_point(p)} to {_point(q)} it is above its chord, by "
                    f"{bulge.str(3, radius=False)} in balls of {_BITS} bits."
                )
                return Finding(Curvature.NOT_CONVEX, (told,), chord(p, q, share))
    return None


def _bulge(line: Graph, share: Fraction) -> float:
    """A lower bound of how far a function on [0, 1] is above its chord; minus infinity where nothing is known."""
    at = enclose(line, Interval.of(np.array([[0.0], [float(share)], [1.0]])))
    if not at.defined.all():
        return -np.inf
    one, middle, other = (at.value[k] for k in range(3))
    weight = Interval.of(float(share))
    rest = Interval.of(float(1 - share))  # shares are sixteenths
    return float((middle - (rest * one + weight * other)).lo)


def _along(graph: Graph, domain: Domain, x: np.ndarray, v: np.ndarray) -> Finding | None:
    """Segments of several lengths through a point."""
    for ends in _segments(domain, x, v):
        found = confirm(graph, domain, *ends)
        if found is not None:
            return found
    return None


def _segments(domain: Domain, x: np.ndarray, v: np.ndarray) -> Iterable[Pair]:
    length = float(np.abs(v).max(initial=0.0))
    if not length > 0.0 or not np.isfinite(length):
        return
    scale = max(1.0, float(np.abs(x).max()))
    for size in _SIZES:
        ends = segment(domain, x, v / length * size * scale)
        if ends is not None:
            yield ends


def _by_curvature(graph: Graph, domain: Domain, points: np.ndarray, rng: np.random.Generator) -> Iterable[Pair]:
    """Along the lowest eigenvectors of Hessians."""
    n = graph.size
    work = sum(node.size for node in graph.nodes) * max(n, 1)
    if n > MOST_VARIABLES or work * 4 > MOST_WORK:
        yield from _by_lines(graph, domain, points, rng, work // max(n, 1))
        return
    kept = points[: max(4, MOST_WORK // (4 * work))]
    free = domain.lower < domain.upper
    scored: list[tuple[float, np.ndarray, np.ndarray]] = []
    for round_ in range(5):
        scored = sorted([*scored, *_lowest(graph, kept, free)], key=lambda one: one[0])[:_TRIED]
        # What rounding alone may have made negative is tried once, at the end.
        for score, x, v in scored[:4]:
            if score < -1e-10 or (score < 0.0 and round_ == 4):
                yield from _segments(domain, x, v)
                # Through a corner no segment leads in many directions: a little further inside they all do.
                yield from _segments(domain, x + (points[0] - x) / 16.0, v)
        if not scored:
            return
        spread = 10.0 ** -rng.uniform(0, 3, (len(kept), 1)) * np.maximum(1.0, np.abs(kept).max())
        chosen = [scored[k][1] for k in rng.integers(0, len(scored), len(kept))]
        moved = np.array(chosen) + spread * rng.standard_normal((len(kept), n))
        moved = np.clip(moved, domain.lower, domain.upper)
        kept = np.array([x for x in moved if domain.contains(x)]).reshape(-1, n)
        if not len(kept):
            return


def _lowest(graph: Graph, points: np.ndarray, free: np.ndarray) -> list[tuple[float, np.ndarray, np.ndarray]]:
    """The lowest eigenvalue of the Hessian, relative to its size, at points; its eigenvector."""
    if not len(points):
        return []
    jet = second_order(graph, Interval.of(points))
    hessians = jet.hessian.mid
    found = []
    for x, H in zip(points, hessians, strict=True):
        part = H[np.ix_(free, free)]
        size = np.abs(part).max(initial=0.0)
        if not np.isfinite(size) or size == 0.0:
            continue
        values, vectors = np.linalg.eigh(part / size)
        v = np.zeros(len(x))
        v[free] = vectors[:, 0]
        found.append((float(values[0]), x, v))
    return found


def _by_lines(graph: Graph, domain: Domain, points: np.ndarray, rng: np.random.Generator, work: int) -> Iterable[Pair]:
    """Random directions, of which the curvature is looked at by itself: for many variables or much data."""
    for k in range(min(len(points), max(3, min(24, MOST_WORK // (8 * max(work, 1)))))):
        v = rng.standard_normal(graph.size)
        if k % 2:
            v *= rng.random(graph.size) < 2.0 / graph.size
        for ends in list(_segments(domain, points[k], v))[1:3]:
            p, q = on_grid(*ends)
            line = restricted(graph, p, q)
            if line is not None and second_order(line, Interval.of([[0.5]])).hessian.mid[0, 0, 0] < 0.0:
                yield ends


def _by_chords(graph: Graph, domain: Domain, points: np.ndarray, rng: np.random.Generator) -> Iterable[Pair]:
    """Between pairs of points far and near, the most bulging first."""
    work = sum(node.size for node in graph.nodes)
    count = min(512, MOST_WORK // (16 * work))
    if count < 4 or len(points) < 2:
        return
    one = points[rng.integers(0, len(points), count)]
    other = points[rng.integers(0, len(points), count)]
    near = rng.random((count, 1)) < 0.5
    axis = rng.random((count, graph.size)) < np.where(rng.random((count, 1)) < 0.5, 1.5 / graph.size, 1.0)
    other = np.where(axis, other, one)
    other = np.where(near, one + (other - one) * 10.0 ** -rng.uniform(0.5, 3, (count, 1)), other)
    middle = (one + other) / 2.0
    values = enclose(graph, Interval.of(np.concatenate([one, middle, other]))).value.mid.reshape(3, count)
    with np.errstate(all="ignore"):
        bulges = values[1] - (values[0] + values[2]) / 2.0
        bulges = bulges / (np.abs(values).max(axis=0) + 1e-300)
    for k in np.argsort(-np.nan_to_num(bulges, nan=-1.0))[:_TRIED]:
        if bulges[k] > 1e-15 and domain.contains(one[k]) and domain.contains(other[k]):
            yield one[k], other[k]


def _nearly_straight(graph: Graph, domain: Domain, points: np.ndarray, rng: np.random.Generator) -> Iterable[Pair]:
    """Rays from the origin, on which norms are straight, and pairs without a bulge that doubles would show."""
    yield from ((x, 2.0 * x) for x in points[1:4])
    one, other = points[rng.integers(0, len(points), (2, 32))]
    values = enclose(graph, Interval.of(np.concatenate([one, (one + other) / 2.0, other]))).value.mid.reshape(3, -1)
    with np.errstate(all="ignore"):
        bulges = np.abs(values[1] - (values[0] + values[2]) / 2.0) / np.abs(values).max(axis=0)
    for k in np.flatnonzero(bulges < 1e-14)[:4]:
        yield one[k], other[k]


def _by_changes(graph: Graph, domain: Domain, points: np.ndarray, rng: np.random.Generator) -> Iterable[Pair]:
    """Short segments across the places where a condition changes: jumps and concave corners."""
    changing = [place for place, node in graph if node.operation in _CHANGING]
    work = sum(node.size for node in graph.nodes)
    if not changing or work * 64 > MOST_WORK:
        return
    kept = points[:32]
    states = read(graph, Interval.of(kept))
    for place in changing[:16]:
        sides = _sides(graph, states, place, len(kept))
        if sides is None:
            continue
        for element in range(min(sides.shape[1], 4)):
            yield from _across(graph, domain, kept, place, sides, element, rng)


def _sides(graph: Graph, states: list, place: int, count: int) -> np.ndarray | None:
    """On which side of a change points are: an array of shape (points, elements); None if it cannot be told."""
    node = graph.nodes[place]
    value = states[place].value
    if node.operation in ("maximum", "minimum"):
        u, v = (states[k].value for k in node.operands)
        found = u.mid < v.mid
    elif node.operation in ("abs", "sign"):
        found = states[node.operands[0]].value.mid < 0.0
    elif isinstance(value, Truth):
        found = value.can_hold
    else:
        found = value.mid
    found = np.asarray(found).reshape(np.shape(found)[0], -1)
    return np.broadcast_to(found, (count, found.shape[1])) if found.shape[1] else None


def _across(
    graph: Graph, domain: Domain, points: np.ndarray, place: int, sides: np.ndarray, element: int,
    rng: np.random.Generator,
) -> Iterable[Pair]:  # fmt: skip
    """Segments of several lengths around the place where the line between two points changes sides."""
    side = sides[:, element]
    other = np.flatnonzero(side != side[0])
    if not len(other):
        return
    for k in other[:2]:
        a, b = points[0], points[k]
        for _ in range(50):
            middle = (a + b) / 2.0
            found = _sides(graph, read(graph, Interval.of(middle[None])), place, 1)
            assert found is not None
            a, b = (middle, b) if found[0, element] == side[0] else (a, middle)
        direction = points[k] - points[0]
        length = np.abs(direction).max()
        for size in (1e-2, 1e-4, 1e-6, 1e-8, 1e-10):
            for middle in (a, b):
                step = direction / length * size
                near = (middle - step, middle + step), (middle - step / 8, middle + step)
                for ends in (*near, (a, b + step), (a - step, b)):
                    if domain.contains(ends[0]) and domain.contains(ends[1]):
                        yield ends


def _point(x: np.ndarray) -> str:
    shown = ", ".join(f"{value:.6g}" for value in x[:8])
    return f"({shown}{', ...' if len(x) > 8 else ''})"


def _share(share: Fraction) -> str:
    return "Half" if share == Fraction(1, 2) else f"{share.numerator}/{share.denominator}"
