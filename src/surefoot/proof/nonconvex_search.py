"""Where a function may bend downwards: pairs of points, found in floating point, that nobody needs to believe.

Candidates come from the Hessian's lowest eigenvector at many points, from points drawn to where that eigenvalue is
lowest, from chords between random points, and from segments across which a condition changes.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from surefoot.problem.domain import Domain
from surefoot.problem.real import Graph
from surefoot.proof.interval import Interval, Truth
from surefoot.proof.jets import second_order
from surefoot.proof.replay import enclose, read
from surefoot.proof.restricted import on_grid, restricted
from surefoot.proof.segments import segment

MOST_WORK = 20_000_000
"""Numbers that are looked at for one kind of candidates."""


MOST_VARIABLES = 40


_TRIED = 12


_SIZES = (1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10)


_CHANGING = ("lt", "le", "eq", "ne", "maximum", "minimum", "abs", "sign", "floor", "round", "ceil")


Pair = tuple[np.ndarray, np.ndarray]


def candidate_pairs(graph: Graph, domain: Domain, points: np.ndarray, rng: np.random.Generator) -> Iterable[Pair]:
    """Ends of segments of the domain, what is most likely first."""
    for search in (_by_curvature, _by_chords, _by_changes):
        yield from search(graph, domain, points, rng)


def segments_along(domain: Domain, x: np.ndarray, v: np.ndarray) -> Iterable[Pair]:
    """Segments of several lengths through a point, along a direction."""
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
                yield from segments_along(domain, x, v)
                # Through a corner no segment leads in many directions: a little further inside they all do.
                yield from segments_along(domain, x + (points[0] - x) / 16.0, v)
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
        for ends in list(segments_along(domain, points[k], v))[1:3]:
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


def nearly_straight(graph: Graph, domain: Domain, points: np.ndarray, rng: np.random.Generator) -> Iterable[Pair]:
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
            yield from _bulging(graph, list(_across(graph, domain, kept, place, sides, element, rng)))


def _bulging(graph: Graph, pairs: list[Pair]) -> list[Pair]:
    """Those that the function is above in floating point, at a half or near an end, the most bulging first."""
    if not pairs:
        return []
    p, q = (np.array(ends) for ends in zip(*pairs, strict=True))
    shares = (0.0, 1 / 16, 0.5, 15 / 16, 1.0)
    with np.errstate(all="ignore"):
        at = np.concatenate([p + share * (q - p) for share in shares])
        first, *inner, last = enclose(graph, Interval.of(at)).value.mid.reshape(len(shares), -1)
        bulges = [value - (1 - share) * first - share * last for value, share in zip(inner, shares[1:-1], strict=True)]
        most = np.nan_to_num(np.max(bulges, axis=0) / (np.abs(first) + np.abs(last) + 1e-300), nan=-1.0)
    return [pairs[k] for k in np.argsort(-most)[:_TRIED] if most[k] > 0.0]


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
