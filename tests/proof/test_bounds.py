"""Bounds of nodes: no point of the domain lies outside, and an end that is left out is not met."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curvature_claims import value
from fuzzing import draws
from random_graphs import boxes, graphs, points
from surefoot.problem.domain import Domain
from surefoot.problem.from_text import real_graph_of_text
from surefoot.problem.grammar import parse_function
from surefoot.problem.typed import variables_of
from surefoot.proof.affine_forms import AffineForms, Form
from surefoot.proof.affine_ranges import affine_range
from surefoot.proof.bounds import Bounds
from surefoot.proof.ends import Ends


def bounds_of(text: str, domain: str):
    node = parse_function(text)
    names = variables_of(text).names
    graph = real_graph_of_text(node, names)
    ends = Bounds(graph, Domain.of(domain, names), AffineForms(graph)).of(graph.output)
    return ends.lo.item(), ends.hi.item(), bool(ends.above.item()), bool(ends.below.item())


@pytest.mark.parametrize(
    ("text", "domain", "lo", "hi", "above", "below"),
    [
        ("exp(x)", "x >= 0", 1.0, np.inf, False, True),
        ("exp(x)", "x <= 0", 0.0, 1.0, True, False),
        ("1/x", "x > 0", 0.0, np.inf, True, True),
        ("1/x", "x > 1", 0.0, 1.0, True, True),
        ("-1/x", "x < -2", 0.0, 0.5, True, True),
        ("x^2", "x > 0", 0.0, np.inf, True, True),
        ("x^2", "x >= -1, x < 3", 0.0, 9.0, False, False),
        ("x^3", "x > -1", -1.0, np.inf, True, True),
        ("abs(x)", "x < 0", 0.0, np.inf, True, True),
        ("max(x, y)", "x > 1, y >= 0", 1.0, np.inf, True, True),
        ("min(x, y)", "x > 1, y >= 0", 0.0, np.inf, False, True),
        ("x*y", "x > 0, y > 0", 0.0, np.inf, True, True),
        ("x + y", "x > 0, y >= 1", 1.0, np.inf, True, True),
        ("sqrt(x)", "x > 4", 2.0, np.inf, True, True),
        ("x^-2", "x >= 1", 0.0, 1.0, True, False),
        ("tanh(x)", "x >= 0", 0.0, 1.0, False, True),
        ("x/y", "1 <= x < 2, 1 <= y < 4", 0.25, 2.0, True, True),
        ("x/y", "1 < x <= 2, 1 < y <= 4", 0.25, 2.0, True, True),
        ("x/y", "1 <= x <= 2, 1 <= y <= 4", 0.25, 2.0, False, False),
        ("x/y", "1 <= x <= 2, 1 < y < 4", 0.25, 2.0, True, True),
        ("x/y", "1 < x < 2, 1 <= y <= 4", 0.25, 2.0, True, True),
        ("x*y", "1 <= x < 2, 1 < y <= 4", 1.0, 8.0, True, True),
        ("x*y", "-2 < x <= -1, 1 < y <= 4", -8.0, -1.0, True, True),
        ("where(x > 0, x, 1)", "x >= 0", 0.0, np.inf, True, True),
        ("where(x <= 0, 1, x)", "x >= -5", 0.0, np.inf, True, True),
    ],
)
def test_ends_are_tight_and_strict_where_they_are(text, domain, lo, hi, above, below):
    assert bounds_of(text, domain) == (lo, hi, above, below)


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("other", [-1.0, 0.0, 1.0])
def test_what_both_say_is_as_strict_as_the_tighter_or_either_of_two_alike(strict, other):
    def ends(lo, hi, open_ends):
        return Ends(np.array(lo), np.array(hi), np.array(open_ends), np.array(open_ends))

    both = ends(0.0, 5.0, strict).meet(ends(other, 5.0 - other, not strict))
    assert both.lo == max(0.0, other) and both.hi == min(5.0, 5.0 - other)
    wanted = {-1.0: strict, 1.0: not strict, 0.0: True}[other]
    assert bool(both.above) == wanted and bool(both.below) == wanted


@settings(max_examples=draws(150, 10_000), deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs(most=6), st.data())
def test_no_value_is_outside(graph, data):
    lower, upper = data.draw(boxes(graph.size))
    strict = data.draw(st.booleans())
    domain = Domain.of(list(zip(lower, upper, strict=True)), graph.names)
    if strict:
        ends = np.full(graph.size, True)
        domain = Domain(domain.names, domain.lower, domain.upper, ends, ends)
    bounds = Bounds(graph, domain, AffineForms(graph))
    ends = bounds.of(graph.output)
    for x in points(lower, upper, 12, data.draw(st.integers(0, 10_000))):
        found = value(graph, x) if domain.contains(x) else None
        if found is None:
            continue
        assert not found < ends.lo.item() and not found > ends.hi.item()
        assert not (ends.above.item() and found == ends.lo.item())
        assert not (ends.below.item() and found == ends.hi.item())


@settings(max_examples=draws(150, 5_000), deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=2, max_size=2), st.lists(st.integers(-4, 4), min_size=4, max_size=4))
def test_the_range_of_an_affine_form_on_inequalities_holds_every_point(c, row):
    names = ("x", "y")
    domain = Domain.of(f"x >= 0, y <= 4, {row[0]}*x + {row[1]}*y + 0*x <= 9", names) if any(row[:2]) else None
    if domain is None:
        return
    form = Form({k: Fraction(v) for k, v in enumerate(c) if v}, Fraction(row[2]))
    found = affine_range(form, domain)
    for x in points(np.array([0.0, -9.0]), np.array([9.0, 4.0]), 60, 3):
        if domain.contains(np.round(x)):
            at = float(np.round(x) @ c + row[2])
            assert found.lo <= at <= found.hi
            assert not (found.above and at == found.lo) and not (found.below and at == found.hi)


def test_a_bound_from_two_inequalities():
    domain = Domain.of("x + y >= 1, x - y >= 0", ("x", "y"))
    assert affine_range(Form({0: Fraction(1)}, Fraction(0)), domain) == (0.5, np.inf, False, True)
    strict = Domain.of("x + y > 1, x - y >= 0", ("x", "y"))
    assert affine_range(Form({0: Fraction(1)}, Fraction(0)), strict) == (0.5, np.inf, True, True)
