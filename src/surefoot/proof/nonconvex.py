"""Witnesses against convexity: found in floating point, from anyone, and believed only after interval arithmetic.

    f((1 - t) p + t q)  >  (1 - t) f(p) + t f(q),    p, q in the domain        (a chord that runs below the function)

Where the function is smooth, ``g''(s) < 0`` on all of a short segment ``g(s) = f(p + s (q - p))`` proves it, however
flat it is; elsewhere, and at jumps, the three values do. Candidates come from the Hessian's lowest eigenvector at many
points, from points drawn to where that eigenvalue is lowest, and from segments across which a condition changes.

Reference: Boyd, Vandenberghe (2004), "Convex Optimization", Cambridge, section 3.1, pp. 67-71.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from surefoot.problem.domain import Domain
from surefoot.problem.real import Graph
from surefoot.proof.certificate import Curvature
from surefoot.proof.curvature_finding import Finding
from surefoot.proof.interval import Interval
from surefoot.proof.jets import second_order
from surefoot.proof.nonconvex_search import Pair, candidate_pairs, nearly_straight, segments_along
from surefoot.proof.quadratic import chord
from surefoot.proof.replay import enclose
from surefoot.proof.restricted import on_grid, restricted
from surefoot.proof.rounding import at_least
from surefoot.proof.segments import inner_points

MOST_IN_BALLS = 3000
"""Entries of all nodes of a graph that is read in balls."""

_POINTS = 64
_BITS = 266
_HALVINGS = 24


_SHARES = (Fraction(1, 2), Fraction(1, 16), Fraction(15, 16))

SECONDS = 3.0
"""After which nothing more is tried."""


def prove(
    graph: Graph, domain: Domain, candidates: Sequence[Pair] = (), seed: int = 0, seconds: float = SECONDS
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
    for ends in candidate_pairs(graph, domain, points, rng):
        found = confirm(graph, domain, *ends)
        if found is not None:
            return found
        if time.monotonic() > until:
            break
    for ends in _near_ends(domain):
        found = confirm(graph, domain, *ends)
        if found is not None:
            return found
    if sum(node.size for node in graph.nodes) <= MOST_IN_BALLS:
        for ends in nearly_straight(graph, domain, points, rng):
            found = confirm_in_balls(graph, domain, *ends)
            if found is not None:
                return found
    return None


def _near_ends(domain: Domain) -> Iterator[Pair]:
    """Short segments at both ends of an interval, each half as long as the last: what bends there only at the end."""
    low, high = float(domain.lower[0]), float(domain.upper[0])
    if domain.size > 1 or not np.isfinite([low, high]).all():
        return
    for k in range(2, _HALVINGS):
        width = (high - low) * 2.0**-k
        for one, other in ((high - width, high - width / 16), (low + width / 16, low + width)):
            yield np.array([one]), np.array([other])


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
    for ends in segments_along(domain, x, v):
        found = confirm(graph, domain, *ends)
        if found is not None:
            return found
    return None


def _point(x: np.ndarray) -> str:
    shown = ", ".join(f"{value:.6g}" for value in x[:8])
    return f"({shown}{', ...' if len(x) > 8 else ''})"


def _share(share: Fraction) -> str:
    return "Half" if share == Fraction(1, 2) else f"{share.numerator}/{share.denominator}"
