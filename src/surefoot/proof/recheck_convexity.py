"""Convexity that a proof about a point leans on: derived again from the graph of the certificate, and looked at.

The rules are those of `convexity`: nothing that the certificate says of their outcome is believed. Beside them, f is
looked at along chords between random points, in intervals: one chord that is proven to lie below f refutes them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from surefoot.plain_json import plain
from surefoot.problem.box import Box
from surefoot.problem.domain import Domain
from surefoot.problem.real import Graph
from surefoot.proof.certificate import Curvature, Rigour
from surefoot.proof.convexity import decide
from surefoot.proof.interval import Interval
from surefoot.proof.nonconvex import confirm, confirm_in_balls
from surefoot.proof.recheck_point import Refuted, require
from surefoot.proof.replay import enclose

CHORDS = 64
"""Random chords that are looked at."""
ORDER = (Curvature.CONVEX, Curvature.STRICTLY_CONVEX, Curvature.STRONGLY_CONVEX)
"""From the weakest to the strongest."""


def derived(graph: Graph, found: Mapping[str, Any], low: np.ndarray, high: np.ndarray) -> Curvature:
    """The claimed curvature, if it is proven again on the box.

    Raises
    ------
    Refuted
        It is not.
    """
    claimed = Curvature[found["curvature"]]
    certificate = decide(graph, Domain.of(Box(low, high), graph.names))
    proven = certificate.verdict
    require(certificate.rigour is Rigour.PROVEN and isinstance(proven, Curvature), "f is not proven to be convex.")
    if claimed is Curvature.AFFINE:
        require(proven is Curvature.AFFINE, "f is not proven to be affine.")
    else:
        known = ORDER if proven in ORDER else (Curvature.AFFINE, Curvature.CONVEX)
        require(claimed in ORDER and proven in known, "f is not proven to be convex.")
        rank = ORDER.index(proven) if proven in ORDER else 0
        require(rank >= ORDER.index(claimed), f"f is not proven to be {claimed.value}.")
    if found["modulus"] is not None:
        modulus = certificate.evidence.get("modulus")
        require(claimed is Curvature.STRONGLY_CONVEX, "Only strong convexity has a modulus.")
        require(modulus is not None and 0 < Fraction(found["modulus"]) <= Fraction(modulus), "The modulus is smaller.")
    require(tuple(found["lines"]) == certificate.lines, "The argument for convexity is another.")
    _look(graph, low, high)
    return claimed


def check_curvature(graph: Graph, state: Mapping[str, Any]) -> None:
    """A certificate of a whole function: decided again, and its witness or its chords looked at.

    Raises
    ------
    Refuted
        It does not hold.
    """
    evidence = state["evidence"]
    domain = Domain.from_json(evidence["argument"]["domain"])
    claimed = Curvature[state["verdict"]]
    require(state["rigour"] == Rigour.PROVEN.name and claimed is not Curvature.UNDECIDED, "It proves nothing.")
    if claimed is Curvature.NOT_CONVEX and "from" in evidence:
        ends = (np.array(evidence[name], dtype=float) for name in ("from", "to"))
        p, q = ends
        require(confirm(graph, domain, p, q) or confirm_in_balls(graph, domain, p, q),
                "f is not proven to lie above that chord.")  # fmt: skip
    again = decide(graph, domain)
    require(again.rigour is Rigour.PROVEN and again.verdict is claimed, f"f is not proven to be {claimed.value}.")
    said = (state["claim"], tuple(state["lines"]), state.get("domain", ""))
    require(said == (again.claim, again.lines, again.domain), "The words of the claim are not those for its proof.")
    rest = {key: value for key, value in evidence.items() if key != "argument"}
    require(plain(rest) == plain(dict(again.evidence)), "The numbers of the claim are not those of its proof.")
    if claimed.is_convex:
        _look(graph, domain.lower, domain.upper, domain)


def _look(graph: Graph, low: np.ndarray, high: np.ndarray, domain: Domain | None = None) -> None:
    """Random chords: f in their middle is not proven to lie above them."""
    rng = np.random.default_rng(0)
    wide = np.where(np.isfinite(high - low), high - low, 0.0)
    inner = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high - 4.0, -2.0))
    outer = np.where(np.isfinite(high), high, inner + 4.0)
    scales = 10.0 ** rng.uniform(-3, 1, (2 * CHORDS, 1))
    points = np.where(wide > 0, inner + wide * rng.uniform(0, 1, (2 * CHORDS, len(low))),
                      0.5 * (inner + outer) + scales * rng.uniform(-2, 2, (2 * CHORDS, len(low))))  # fmt: skip
    points = np.clip(points, low, high)
    if domain is not None:
        inside = np.array([domain.contains(point) for point in points])
        points = points[np.concatenate([inside[:CHORDS] & inside[CHORDS:]] * 2)]
        if not len(points):
            return
    half = len(points) // 2
    one, other = Interval.of(points[:half]), Interval.of(points[half:])
    middle = enclose(graph, (one + other) * 0.5)
    ends = [enclose(graph, end) for end in (one, other)]
    chord = (ends[0].value + ends[1].value) * 0.5
    defined = middle.defined & ends[0].defined & ends[1].defined
    if np.any(defined & (middle.value.lo > chord.hi)):
        raise Refuted("f lies above one of its chords, so it is not convex.")
