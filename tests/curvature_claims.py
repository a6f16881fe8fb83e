"""What a proven curvature says about chords, looked at in Arb: a claim that is false is contradicted somewhere."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from surefoot.problem.domain import Domain
from surefoot.problem.real import Graph
from surefoot.proof.arb_reading import arb_jet, precision
from surefoot.proof.certificate import Curvature

SHARES = (Fraction(1, 2), Fraction(1, 4), Fraction(15, 16))


def value(graph: Graph, point):
    """The value in balls of 200 bits; None where it is not known to be defined."""
    found = arb_jet(graph, point, order=0, bits=200).value
    return found if found.is_finite() else None


def contradiction(
    graph: Graph, domain: Domain, verdict: Curvature, points: np.ndarray, mu: Fraction = Fraction(0), inside=None
) -> str | None:
    """A chord that shows a claim to be false, in words; None if none of these does.

    ``inside`` says of a point whether the claim is about it; it defaults to membership of the domain.
    """
    with precision(200):
        return _contradiction(graph, domain, verdict, points, mu, inside)


def _contradiction(graph: Graph, domain: Domain, verdict: Curvature, points: np.ndarray, mu: Fraction, inside):
    about = (lambda x: True) if inside is None else inside
    chosen = [x for x in points if domain.contains(x) and about(x)]
    values = [value(graph, x) for x in chosen]
    for x, found in zip(chosen, values, strict=True):
        if found is None:
            return f"undefined at {x.tolist()}"
    up = verdict in (Curvature.AFFINE, Curvature.CONVEX, Curvature.STRICTLY_CONVEX, Curvature.STRONGLY_CONVEX)
    down = verdict in (Curvature.AFFINE, Curvature.CONCAVE, Curvature.STRICTLY_CONCAVE, Curvature.STRONGLY_CONCAVE)
    for (p, low), (q, high) in zip(zip(chosen, values, strict=True), zip(chosen[1:], values[1:], strict=False),
                                   strict=False):  # fmt: skip
        exact = [(Fraction(float(a)), Fraction(float(b))) for a, b in zip(p, q, strict=True)]
        length = sum(((b - a) ** 2 for a, b in exact), Fraction(0))
        for share in SHARES:
            middle = value(graph, [(1 - share) * a + share * b for a, b in exact])
            if middle is None:
                continue
            chord = _times(low, 1 - share) + _times(high, share)
            bend = _ball(mu / 2 * share * (1 - share) * length)
            if up and middle > chord - bend:
                return f"not convex between {p.tolist()} and {q.tolist()}: {middle} > {chord} - {bend}"
            if down and middle < chord + bend:
                return f"not concave between {p.tolist()} and {q.tolist()}: {middle} < {chord} + {bend}"
            if verdict is Curvature.QUASICONVEX and middle > low and middle > high:
                return f"not quasiconvex between {p.tolist()} and {q.tolist()}"
    return None


def _ball(number: Fraction):
    from flint import arb, fmpq

    return arb(fmpq(number.numerator, number.denominator))


def _times(ball, share: Fraction):
    return ball * _ball(share)
