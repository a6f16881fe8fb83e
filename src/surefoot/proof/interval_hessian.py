"""Convexity on a box, from an enclosure [H] of the Hessian that is proven definite, on parts of the box if need be.

    C = V Lambda^-1/2 of the middle:    C' H C >= I - |C' Hc C - I| - |C'| D |C|  > 0        (congruence)
    n <= 8:    every vertex matrix Hc + S D S with S = diag(+-1) positive definite            (Hertz)
    else       the box is halved where the Hessian is widest

Only strict definiteness can be seen so: a Hessian that is singular somewhere on the box needs another argument.

A kink on the face between two parts is seen: the face belongs to both, and conditions are decided with it.

Reference: Rohn (1994), "Positive definiteness and stability of interval matrices", SIAM J. Matrix Anal. Appl. 15(1),
pp. 175-184; Hertz (1992), "The extreme eigenvalues and stability of real symmetric interval matrices", IEEE Trans.
Automat. Control 37(4), pp. 532-535; Rump (2010), "Verification methods", Acta Numerica 19, section 10.8.
"""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np

from surefoot.problem.domain import Domain
from surefoot.problem.real import Graph
from surefoot.proof.certificate import Curvature
from surefoot.proof.curvature_finding import Finding
from surefoot.proof.interval import Interval
from surefoot.proof.jets import second_order
from surefoot.proof.rounding import UNIT, above, gamma
from surefoot.proof.segments import inner_points, is_free

MOST_VARIABLES = 60
MOST_HERTZ = 8
MOST_BOXES = 20_000
MOST_NUMBERS = 4_000_000
"""Numbers of the Hessians of one batch of boxes."""

_KINK = 2.0**-7

SECONDS = 5.0
"""After which nothing more is tried."""


def prove(graph: Graph, domain: Domain, seconds: float = SECONDS) -> Finding | None:
    """Whether the Hessian is definite all over the bounds of a domain; None if that is not seen.

    Parameters
    ----------
    graph : Graph
        The function, proven to be twice continuously differentiable on the way.
    domain : Domain
        Its bounds may be infinite; linear inequalities beside them are not made use of.
    seconds : float
        After which nothing more is tried.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x",))
    >>> graph = build.graph(build.sum(build.unary("cosh", build.input)))
    >>> found = prove(graph, Domain.of([(-1, 2)], ("x",)))
    >>> found.curvature.value, float(found.modulus)
    ('strongly convex', 1.0)
    """
    free = np.flatnonzero(is_free(domain))
    if not len(free) or len(free) > MOST_VARIABLES:
        return None
    work = len(free) * sum(node.size for node in graph.nodes)
    if work > MOST_NUMBERS:
        return None
    until = time.monotonic() + seconds
    lowest = _sampled(graph, domain, free)
    for sign, side in ((1, "convex"), (-1, "concave")):
        if not lowest[sign] > 1e-12:
            continue
        found = _least_eigenvalue(graph, domain, free, sign, max(1, MOST_NUMBERS // (8 * work)), until)
        if found is not None and found[0] > 0.0:
            mu, boxes = found
            word = "positive" if sign > 0 else "negative"
            where = "the box" if boxes == 1 else f"each of {boxes:,} parts of the box"
            line = (
                f"On {where} the enclosure of the Hessian is {word} definite: no eigenvalue is nearer to 0 than "
                f"{float(mu):.6g} (interval arithmetic)."
            )
            return Finding(Curvature(f"strongly {side}"), (line,), {"modulus": str(mu), "parts": boxes}, mu)
    return None


def _sampled(graph: Graph, domain: Domain, free: np.ndarray) -> dict[int, float]:
    """The lowest eigenvalues of H and of -H at a few points, relative to their size: is there any hope."""
    points = inner_points(domain, 12, np.random.default_rng(0))
    if not len(points):
        return {1: 1.0, -1: 1.0}
    H = second_order(graph, Interval.of(points)).hessian.mid[:, free[:, None], free]
    size = np.abs(H).max(axis=(1, 2), keepdims=True)
    usable = np.isfinite(size).ravel() & (size > 0.0).ravel()
    values = np.linalg.eigvalsh(H[usable] / size[usable])
    return {1: float(values[:, 0].min(initial=1.0)), -1: float(-values[:, -1].max(initial=-1.0))}


def _least_eigenvalue(
    graph: Graph, domain: Domain, free: np.ndarray, sign: int, batch: int, until: float
) -> tuple[Fraction, int] | None:
    """A lower bound above 0 of the eigenvalues of ``sign H`` over the box, and in how many parts; None if none."""
    todo = [(domain.lower.copy(), domain.upper.copy())]
    least, done = np.inf, 0
    while todo:
        if time.monotonic() > until or done + len(todo) > MOST_BOXES:
            return None
        todo, now = todo[:-batch], todo[-batch:]
        lower, upper = np.array([a for a, _ in now]), np.array([b for _, b in now])
        jet = second_order(graph, Interval(lower, upper))
        low, high = jet.hessian.lo[:, free[:, None], free], jet.hessian.hi[:, free[:, None], free]
        if sign < 0:
            low, high = -high, -low
        diagonal = np.arange(len(free))
        if np.any(high[:, diagonal, diagonal] < 0.0):  # NaN where it is empty compares as false
            return None
        for k in range(len(now)):
            bound = smallest_eigenvalue(low[k], high[k]) if jet.smooth[k] else 0.0
            if bound > 0.0:
                least, done = min(least, bound), done + 1
                continue
            halves = _halves(lower[k], upper[k], free, high[k] - low[k])
            if halves is None or (not jet.smooth[k] and _is_small(domain, lower[k], upper[k], free)):
                return None
            todo += halves
    return (Fraction(float(least)), done) if np.isfinite(least) else None


def _is_small(domain: Domain, lower: np.ndarray, upper: np.ndarray, free: np.ndarray) -> bool:
    """Whether a part is so small that a kink in it is there to stay."""
    whole = domain.upper[free] - domain.lower[free]
    return bool(np.all(upper[free] - lower[free] <= whole * _KINK))


def _halves(
    lower: np.ndarray, upper: np.ndarray, free: np.ndarray, width: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]] | None:
    """Both halves along the side that is longest, weighed by how wide the Hessian's entries of its variable are."""
    sides = upper[free] - lower[free]
    if not np.all(np.isfinite(sides)):
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        spread = np.nan_to_num(width, nan=np.inf, posinf=1e300).sum(axis=1)
        spread = np.where(np.isfinite(spread), spread, 1e300)
    relative = sides / sides.max()
    weight = relative * np.sqrt(relative) * (0.1 + spread / max(spread.max(), 1e-300))
    j = free[int(np.argmax(weight))]
    middle = lower[j] + (upper[j] - lower[j]) / 2.0
    if not lower[j] < middle < upper[j] or sides.max() < 1e-6 * max(1.0, float(np.abs(upper[free]).max())):
        return None
    first, second = upper.copy(), lower.copy()
    first[j] = second[j] = middle
    return [(lower, first), (second, upper)]


def smallest_eigenvalue(low: np.ndarray, high: np.ndarray) -> float:
    """A lower bound of the eigenvalues of all symmetric matrices between two; 0 if none above it is proven.

    Parameters
    ----------
    low, high : ndarray, shape (n, n)
        Symmetric.

    Examples
    --------
    >>> low = np.array([[2.0, -1.0], [-1.0, 2.0]])
    >>> 0.9 < smallest_eigenvalue(low, low + 0.05) <= 1.0
    True
    """
    # A larger diagonal only raises the eigenvalues: its lower ends alone matter, and its upper ones may be infinite.
    high = np.where(np.eye(len(low), dtype=bool), low, high)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        return 0.0
    if len(low) == 1:
        return max(float(low[0, 0]), 0.0)
    centre = low + (high - low) / 2.0
    # Above the distance of both ends from the centre, whatever the rounding.
    radius = above(np.maximum(np.abs(high - centre), np.abs(centre - low)), 4) + 2.0**-1070
    values, vectors = np.linalg.eigh(centre)
    if not values[0] > 0.0:
        return 0.0
    by_sum = float(values[0]) - float(np.linalg.norm(radius, 2))
    for guess in (by_sum * (1.0 - 1e-9), 0.5 * float(values[0]), 0.1 * float(values[0]), 0.01 * float(values[0]), 0.0):
        if guess >= 0.0 and _is_definite(centre, radius, values, vectors, guess):
            return _at_least(guess, low, high)
    return 0.0


def _at_least(guess: float, low: np.ndarray, high: np.ndarray) -> float:
    """A number above 0 for a family of matrices that are all positive definite after a shift by ``guess``."""
    if guess > 0.0:
        return guess
    # Definite without a shift: some tiny shift is possible too, and found here.
    centre = low + (high - low) / 2.0
    radius = above(np.maximum(np.abs(high - centre), np.abs(centre - low)), 4) + 2.0**-1070
    values, vectors = np.linalg.eigh(centre)
    for power in range(1, 40, 3):
        shift = float(values[0]) * 2.0**-power
        if shift > 0.0 and _is_definite(centre, radius, values, vectors, shift):
            return shift
    return 0.0


def _is_definite(centre: np.ndarray, radius: np.ndarray, values: np.ndarray, vectors: np.ndarray, shift: float) -> bool:
    """Whether all matrices within a radius of the centre, less a shift, are positive definite."""
    if not values[0] > shift:
        return False
    if _by_congruence(centre, radius, values - shift, vectors, shift):
        return True
    return len(centre) <= MOST_HERTZ and _by_vertices(centre, radius, shift)


def _by_congruence(
    centre: np.ndarray, radius: np.ndarray, values: np.ndarray, vectors: np.ndarray, shift: float
) -> bool:
    """``|C'(Hc - shift)C - I| + |C'| D |C|``, rounded up, has row sums below 1. Any C whatever will do."""
    n = len(centre)
    C = vectors / np.sqrt(values)
    size = np.abs(C)
    if not np.isfinite(C).all() or size.max() > 2.0**300 or np.abs(centre).max() > 2.0**300:
        return False
    shifted = centre - shift * np.eye(n)
    product = C.T @ (shifted @ C)
    # Two products of length n and the rounding of the shift: an error of at most gamma_(2n + 4) |C'||Hc - shift||C|.
    sizes = size.T @ ((np.abs(centre) + shift * np.eye(n)) @ size)
    error = above(gamma(2 * n + 6) * sizes, 2 * n + 6)
    spread = above(size.T @ (radius @ size), 2 * n + 4)
    rest = above(np.abs(product - np.eye(n)), 2) + error + spread + 2.0**-700
    return bool(np.all(above(rest.sum(axis=1), n + 6) < 1.0))


def _by_vertices(centre: np.ndarray, radius: np.ndarray, shift: float) -> bool:
    """Hertz: the least eigenvalue of the family is that of a vertex ``Hc - S D S``, S a diagonal of signs."""
    n = len(centre)
    for k in range(2 ** (n - 1)):
        signs = np.array([1.0, *(-1.0 if k >> j & 1 else 1.0 for j in range(n - 1))])
        vertex = centre - np.outer(signs, signs) * radius
        # The rounding of the vertex is a radius again.
        rounded = 4.0 * UNIT * (np.abs(centre) + radius)
        values, vectors = np.linalg.eigh(vertex)
        if not values[0] > shift or not _by_congruence(vertex, rounded, values - shift, vectors, shift):
            return False
    return True
