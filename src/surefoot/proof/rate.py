"""A learning rate that is proven to be safe: 1/L with L an upper bound of |H| wherever the walk can come.

    x_new = x - t grad f(x),    0 < t <= 1/L

1. |H| <= L on all of R^n: every step lowers f by at least ``t/2 |grad f|^2``, from anywhere.
2. H >= 0 and |H| <= L on the ball around a true minimum x* that reaches to x0. As ``x_new - x* = (I - t M)(x - x*)``
   with M a mean of Hessians between x and x*, no step leads away from x*: the walk stays in the ball.
3. f > f(x0) on all faces of a box around x0, and |H| <= L in it: on the way down f never rises, so the walk stays
   inside.

L comes from interval Hessians on boxes that are cut where the bound is largest, so it is no estimate. Steps are taken
in exact arithmetic here; rounding is not part of the claim.

Reference: Nesterov (2018), "Lectures on Convex Optimization", 2nd ed., Springer, theorem 2.1.14, p. 80.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from surefoot.errors import ModelError
from surefoot.problem.box import Box
from surefoot.problem.real import Graph
from surefoot.proof.ball_matrix import Ball, signs_of
from surefoot.proof.certificate import Certificate
from surefoot.proof.curvature_finding import Finding
from surefoot.proof.local_reading import Unread, look, values
from surefoot.proof.point_found import enclosed_point, exact_point, polished
from surefoot.proof.point_question import Open, Question, length_above
from surefoot.proof.rewrites import plainly
from surefoot.proof.rounding import above, at_most

CUTS = 200
"""Most boxes that are cut to make a bound smaller."""
TOGETHER = 8
"""Boxes that are cut at once."""
PATIENCE = 6
"""Rounds without a bound that is smaller by a hundredth, after which it is left."""
FACED = 4
"""Most variables of a box whose faces are looked at."""
GROWTHS = 30
"""Times that the faces of such a box are moved outward."""


@dataclass(frozen=True)
class SafeRate:
    """A learning rate with its proof; ``float(rate)`` is the number.

    Attributes
    ----------
    rate : float
        At most 1/L.
    curvature : float
        L, an upper bound of the size of the Hessian where the walk can come.
    region : pair of ndarray (n,)
        Lower and upper ends of a box around that.
    lines : tuple of str
        What is proven, and what it says.
    """

    rate: float
    curvature: float
    region: tuple[np.ndarray, np.ndarray]
    lines: tuple[str, ...]

    def __float__(self) -> float:
        return self.rate

    def __str__(self) -> str:
        head = f"learning rate {self.rate:.6g} (proven)"
        return "\n".join([head, *(f"  {k}. {line}" for k, line in enumerate(self.lines, start=1))])

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        from surefoot.plain_json import plain

        return plain({"rate": self.rate, "curvature": self.curvature, "region": [*self.region],
                      "lines": list(self.lines)})  # fmt: skip


def safe_rate(
    graph: Graph, x0: np.ndarray, *, minimum: np.ndarray | None = None,
    curvature: Callable[[], Finding | Certificate | None] | None = None,
) -> SafeRate:  # fmt: skip
    """The largest learning rate that one of the three arguments proves.

    Parameters
    ----------
    graph : Graph
        The function.
    x0 : ndarray, shape (n,)
        Where the walk starts.
    minimum : ndarray, shape (n,), optional
        About where it leads, from anyone, not believed; by default where Newton's steps lead.
    curvature : callable, optional
        Gives proven curvature of f on all of R^n.

    Raises
    ------
    ModelError
        None can be proven; the sentence says why.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x",))
    >>> graph = build.graph(build.sum(build.unary("softplus", build.input)))
    >>> safe_rate(graph, np.array([3.0])).rate > 3.99  # the second derivative is at most 1/4
    True
    """
    n = graph.size
    question = Question(
        plainly(graph), np.array(x0, dtype=float), Box(np.full(n, -np.inf), np.full(n, np.inf)), math.inf
    )
    found, reasons = [], []
    with np.errstate(all="ignore"):
        for argument in (_everywhere, _ball, _level):
            try:
                found.append(argument(question, minimum, curvature))
                if found[-1].curvature <= 1.01 * _least(question):
                    break
            except (Open, Unread) as stopped:
                reasons.append(str(stopped))
    if not found:
        told = "; ".join(dict.fromkeys(reason[0].lower() + reason[1:] for reason in reasons))
        raise ModelError(f"No learning rate can be proven to be safe from here: {told}.")
    return max(found, key=lambda one: one.rate)


def _least(question: Question) -> float:
    """What no bound can be less than, about: the size of the Hessian at the start."""
    H = look(question.graph, question.x[None], question.x[None])[0].hessian.mid
    return float(np.max(np.abs(np.linalg.eigvalsh(H)))) if np.all(np.isfinite(H)) else 0.0


def _made(bound: float, region: tuple[np.ndarray, np.ndarray], *lines: str) -> SafeRate:
    if not 0.0 < bound < math.inf:
        raise Open("the Hessian is zero there, so every rate is safe" if bound == 0.0 else "the Hessian has no bound")
    rate = math.nextafter(1.0 / bound, 0.0)
    return SafeRate(rate, bound, region, lines)


def _everywhere(question: Question, minimum: Any, curvature: Any) -> SafeRate:
    low, high = question.box.lower, question.box.upper
    bound = hessian_bound(question, low, high, cut=False)
    return _made(
        bound, (low, high), f"The Hessian is at most {at_most(bound, 6)} in size on all of R^n, in intervals.",
        "Every step lowers f by at least half the rate times the square of the gradient, wherever it starts.",
    )  # fmt: skip


def _ball(question: Question, minimum: np.ndarray | None, curvature: Any) -> SafeRate:
    start = question.x if minimum is None else np.array(minimum, dtype=float)
    near = Question(question.graph, start, question.box, math.inf)
    m = polished(near, start)
    found = exact_point(near, m) or enclosed_point(near, m)
    radius = length_above(np.abs(question.x - found.at) + found.reach)
    reach = np.full(len(start), radius) + found.reach
    low, high = question.around(found.at, np.where(reach > 0, reach, question.grain(found.at)))
    bound = hessian_bound(question, low, high)
    why = _convex(question, low, high, curvature)
    at = ", ".join(f"{name} = {value:.6g}" for name, value in zip(question.names[:4], found.at, strict=False))
    return _made(
        bound, (low, high), f"A true minimum lies at {at}, and the start is at most {at_most(radius, 6)} away.", why,
        f"In the ball around it that reaches to the start the Hessian is at most {at_most(bound, 6)} in size, in "
        "intervals.", "No step leads away from the minimum, so the walk stays in the ball.",
    )  # fmt: skip


def _convex(question: Question, low: np.ndarray, high: np.ndarray, curvature: Any) -> str:
    """Why f is convex where the walk can come."""
    from surefoot.proof.stationary import convexity_of

    known = None if curvature is None else convexity_of(curvature())
    if known is not None:
        return "f is proven to be convex."
    pieces = [(low, high)]
    for _ in range(CUTS):
        if not pieces:
            return "The Hessian is positive definite there, in intervals."
        one, other = pieces.pop()
        signs = signs_of(look(question.graph, one[None], other[None])[0].hessian)
        if signs is not None and signs.negative == 0:
            continue
        if len(pieces) + 2 > CUTS:
            break
        pieces.extend(_halves(one, other))
    raise Open("f could not be proven to be convex on the ball around its minimum that reaches to the start")


def _level(question: Question, minimum: np.ndarray | None, curvature: Any) -> SafeRate:
    n = question.graph.size
    if n > FACED:
        raise Open(f"the faces of a box in {n} variables are too many to look at")
    x0 = question.x
    start = x0 if minimum is None else np.array(minimum, dtype=float)
    m = polished(Question(question.graph, start, question.box, math.inf), start)
    top = float(values(question.graph, x0[None], x0[None])[1][0])
    wide = 0.1 * np.maximum(1.0, np.abs(x0 - m))
    low, high = np.minimum(x0, m) - wide, np.maximum(x0, m) + wide
    for _ in range(GROWTHS):
        higher = [[_is_higher(question, low, high, j, side, top) for side in (low, high)] for j in range(n)]
        if np.all(higher):
            bound = hessian_bound(question, low, high)
            shown = ", ".join(f"{a:.4g} <= {name} <= {b:.4g}"
                              for name, a, b in zip(question.names, low, high, strict=True))  # fmt: skip
            return _made(
                bound, (low, high), f"On all faces of the box {shown} f is proven to be above its value at the start.",
                f"In the box the Hessian is at most {at_most(bound, 6)} in size, in intervals.",
                "On its way down f never rises, so the walk stays in the box.",
            )  # fmt: skip
        width = high - low
        low = low - 0.2 * width * ~np.array([pair[0] for pair in higher])
        high = high + 0.2 * width * ~np.array([pair[1] for pair in higher])
    raise Open("no box around the start was found on whose faces f is proven to be higher")


def _is_higher(question: Question, low: np.ndarray, high: np.ndarray, j: int, side: np.ndarray, top: float) -> bool:
    """Whether f is above a level on the face of a box across x_j."""
    one, other = low.copy(), high.copy()
    one[j] = other[j] = side[j]
    pieces = [(one, other)]
    for _ in range(CUTS):
        if not pieces:
            return True
        lows, highs = map(np.array, zip(*pieces, strict=True))
        least, _, defined = values(question.graph, lows, highs)
        if not np.all(defined):
            return False
        pieces = [half for k in np.flatnonzero(~(least > top)) for half in _halves(*pieces[k])]
        if len(pieces) > CUTS or any(np.array_equal(*piece) for piece in pieces):
            return False
    return False


def _halves(low: np.ndarray, high: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """A box cut in two across its widest side."""
    j = int(np.argmax(high - low))
    middle = 0.5 * low[j] + 0.5 * high[j]
    first, second = high.copy(), low.copy()
    first[j] = second[j] = middle
    return [(low, first), (second, high)]


def hessian_bound(question: Question, low: np.ndarray, high: np.ndarray, cut: bool = True) -> float:
    """An upper bound of ``|H|`` over a box, cut where it is largest.

    Raises
    ------
    Open
        The Hessian could not be bounded, or f not be proven to be twice differentiable there.
    """
    numbered = count()

    def bounded(boxes: list[tuple[np.ndarray, np.ndarray]]) -> list[tuple[float, int, tuple[np.ndarray, np.ndarray]]]:
        lows, highs = map(np.array, zip(*boxes, strict=True))
        found = look(question.graph, lows, highs)
        sizes = [norm_bound(local.hessian) if local.smooth else math.inf for local in found]
        return [(-size, next(numbered), box) for size, box in zip(sizes, boxes, strict=True)]

    heap = bounded([(low, high)])
    best, waited = -heap[0][0], 0
    while cut and waited < PATIENCE and len(heap) < CUTS:
        largest = [heapq.heappop(heap)[2] for _ in range(min(TOGETHER, len(heap)))]
        for one in bounded([half for box in largest for half in _halves(*box)]):
            heapq.heappush(heap, one)
        now = -heap[0][0]
        waited = waited + 1 if not now < 0.99 * best else 0
        best = min(best, now)
    if not -heap[0][0] < math.inf:
        raise Open(
            f"the Hessian could not be bounded on {'all of R^n' if not cut else 'the box that the walk can reach'}"
        )
    return -heap[0][0]


def norm_bound(H: Ball) -> float:
    """An upper bound of the largest absolute eigenvalue of every symmetric matrix in a ball; infinite if unknown.

    ``|mid|`` is proven by the signs of ``t I - mid`` and ``t I + mid``; a nonnegative matrix M is at most
    ``max (M v)_i / v_i`` for any v > 0 (Collatz).

    Examples
    --------
    >>> round(norm_bound(Ball.exactly(np.array([[2.0, 1.0], [1.0, 2.0]]))), 6)
    3.0
    """
    if not (np.all(np.isfinite(H.mid)) and np.all(np.isfinite(H.rad))):
        return math.inf
    whole = _collatz(H.size)
    values = np.linalg.eigvalsh(0.5 * (H.mid + H.mid.T))
    top = float(np.max(np.abs(values), initial=0.0)) * (1 + 1e-9) + 2.0**-900
    identity = np.eye(len(H.mid))
    both = [Ball.exactly(top * identity) - Ball.exactly(sign * 0.5 * (H.mid + H.mid.T)) for sign in (1.0, -1.0)]
    if all((found := signs_of(one)) is not None and found.negative == 0 for one in both):
        return min(whole, float(above(top + _collatz(H.rad), 2)))
    return whole


def _collatz(M: np.ndarray) -> float:
    v = np.ones(len(M))
    for _ in range(10):
        v = M @ v
        largest = np.max(v, initial=0.0)
        if not 0 < largest < np.inf:
            break
        v = np.maximum(v / largest, 1e-3)
    best = np.inf
    for weights in (v, np.ones(len(M))):
        if np.all(np.isfinite(weights)) and np.all(weights > 0):
            best = min(best, float(above(np.max(above(M @ weights, len(M) + 1) / weights, initial=0.0), 2)))
    return best
