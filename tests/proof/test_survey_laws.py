"""Laws of surveys on random functions: no root that anybody finds is missing, no value lies below the minimum."""

from __future__ import annotations

import numpy as np
from flint import arb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzzing import draws
from random_graphs import boxes, graphs, points
from surefoot.problem.box import Box
from surefoot.problem.real_floating import value
from surefoot.proof.arb_reading import arb_jet, ball
from surefoot.proof.certificate import Verdict
from surefoot.proof.interval import Interval
from surefoot.proof.jets import second_order
from surefoot.proof.search import Budget
from surefoot.proof.sharper import second_opinion
from surefoot.proof.survey import survey

AWAY = 1e-6


@st.composite
def questions(draw):
    graph = draw(graphs(sizes=(1, 2), most=6))
    lower, upper = draw(boxes(graph.size))
    return graph, Box(lower, upper)


def newton(graph, at):
    """Where Newton's method in doubles ends from many points; it believes nothing and finds most."""
    for _ in range(40):
        seen = second_order(graph, Interval.of(at), 2)
        bend = np.nan_to_num(seen.hessian.mid, nan=0.0, posinf=0.0, neginf=0.0)
        slope = np.nan_to_num(seen.gradient.mid, nan=0.0, posinf=0.0, neginf=0.0)
        with np.errstate(all="ignore"):
            at = at - (np.linalg.pinv(bend) @ slope[..., None])[..., 0]
        at = np.where(np.isfinite(at), at, 0.0)
    return at


@settings(max_examples=draws(40, 3000), deadline=None, suppress_health_check=list(HealthCheck))
@given(questions(), st.integers(0, 2**31))
def test_a_survey_is_true_of_a_random_function(question, seed):
    graph, box = question
    found = survey(graph, box, budget=Budget(boxes=3000, seconds=10))
    _each_point_is_one(graph, box, found)
    _no_root_is_missing(graph, box, found, seed)
    _nothing_is_lower(graph, box, found, seed)


def _each_point_is_one(graph, box, found):
    """Arb finds the gradient zero in every enclosure, the value in its bounds, and as many negative eigenvalues."""
    for point in found.points[:12]:
        held = [ball(float(a), float(b)) for a, b in zip(point.enclosure.lower, point.enclosure.upper, strict=True)]
        seen = arb_jet(graph, held, 2, 200)
        assert all(entry.contains(0) for entry in seen.gradient if entry.is_finite())
        low, high = point.values
        if seen.value.is_finite():
            assert seen.value.overlaps(arb(low).union(arb(high)))
        assert np.all(point.enclosure.upper >= box.lower) and np.all(point.enclosure.lower <= box.upper)
        if point.verdict in (Verdict.STRICT_LOCAL_MINIMUM, Verdict.LOCAL_MAXIMUM, Verdict.SADDLE):
            middle = np.array([[float(entry.mid()) for entry in row] for row in seen.hessian])
            if np.all(np.isfinite(middle)):
                values = np.linalg.eigvalsh((middle + middle.T) / 2)
                if np.min(np.abs(values)) > 1e-9 * np.max(np.abs(values)):
                    assert int(np.sum(values < 0)) == point.falling


def _no_root_is_missing(graph, box, found, seed):
    ends = newton(graph, points(box.lower, box.upper, 24, seed))
    inside = np.all((ends > box.lower + AWAY) & (ends < box.upper - AWAY), axis=1)
    ends = np.unique(np.round(ends[inside], 9), axis=0)
    if not len(ends):
        return

    def smooth(around):
        seen = second_order(graph, around, 1)
        return seen.defined & seen.smooth

    said = second_opinion(graph, Interval(ends - 1e-8, ends + 1e-8), smooth)
    for k in np.flatnonzero(said.one):
        zero = said.zero[k]
        listed = any(
            np.all((zero.lo <= point.enclosure.upper) & (point.enclosure.lower <= zero.hi)) for point in found.points
        )
        left = any(np.all((zero.hi >= part.lower) & (zero.lo <= part.upper)) for part in found.undecided)
        assert listed or left


def _nothing_is_lower(graph, box, found, seed):
    low, high = found.minimum.values
    assert low <= high
    at = points(box.lower, box.upper, 400, seed)
    sampled = value(graph, at)
    # A condition on what is not defined is not defined either; in floating point it is false.
    sampled = sampled[np.isfinite(sampled) & second_order(graph, Interval.of(at), 0).defined]
    if len(sampled):
        assert low <= np.min(sampled) + 1e-9 * max(1.0, abs(float(np.min(sampled))))
