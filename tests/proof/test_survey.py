"""What would make a survey false, then counts that are known from elsewhere: exact root isolation, the literature."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq, fmpq_poly
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.problem.box import Box
from surefoot.proof.certificate import Verdict
from surefoot.proof.cutting import CUT
from surefoot.proof.search import Budget, Search
from surefoot.proof.survey import entries, survey, survey_minimum
from surefoot.proof.zeros import Place
from surveyed import CAMEL, graph_of, survey_of

MINIMUM, MAXIMUM, SADDLE = Verdict.STRICT_LOCAL_MINIMUM, Verdict.LOCAL_MAXIMUM, Verdict.SADDLE


def count(found, verdict=None):
    return sum(verdict in (None, point.verdict) for point in found.points)


# One variable, where every root is known exactly


def roots_of(coefficients):
    """Real roots of the derivative of a polynomial with whole coefficients, each in balls, with multiplicities."""
    derivative = fmpq_poly([fmpq(c) for c in coefficients]).derivative()
    if derivative.degree() < 1:
        return []
    return [(root.real, times) for root, times in derivative.numer().complex_roots() if root.imag == 0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=3, max_size=9), st.integers(1, 5))
def test_a_random_polynomial_has_as_many_stationary_points_as_its_derivative_has_roots(coefficients, half):
    text = " + ".join(f"({c})*x^{k}" for k, c in enumerate(coefficients))
    derivative = [k * c for k, c in enumerate(coefficients)][1:]
    if not any(derivative):
        return
    low, high = -float(half) - 0.123, float(half) + 0.123
    found = survey_of(text, ["x"], [(low, high)])
    inside = [(root, times) for root, times in roots_of(coefficients) if low < float(root.mid()) < high]
    # Every simple root is found, alone in its enclosure; a multiple one leaves the survey incomplete.
    multiple = any(times > 1 for _, times in inside)
    assert found.complete != multiple
    for point in found.points:
        if point.verdict is not Verdict.DEGENERATE:
            held = [root for root, _ in inside if point.enclosure.lower[0] <= root <= point.enclosure.upper[0]]
            assert len(held) == 1 or any(
                root.overlaps(_ball(point.enclosure.lower[0], point.enclosure.upper[0])) for root, _ in inside
            )
    simple = [root for root, times in inside if times == 1]
    assert sum(point.verdict is not Verdict.DEGENERATE for point in found.points) == len(simple)


def _ball(low, high):
    from flint import arb

    return arb(low).union(arb(high))


@pytest.mark.parametrize("offset", [0.0, CUT, CUT * CUT, 1 - CUT, 0.5, 0.25])
def test_a_root_exactly_where_boxes_are_cut_is_counted_once(offset):
    found = survey_of(f"(x - {offset!r})^2", ["x"], [(0.0 - 1e-3 * (offset == 0), 1.0)])
    assert found.complete
    assert [point.verdict for point in found.points] == [MINIMUM]


def test_a_root_at_the_corner_of_four_boxes_is_counted_once():
    place = -1 + CUT * 2
    found = survey_of(f"(x - ({place!r}))^2 + (y - ({place!r}))^2", ["x", "y"], [(-1, 1), (-1, 1)])
    assert found.complete and count(found) == 1


def test_two_roots_close_to_each_other_are_two():
    # f' = (x - 1/4) (x - 1/4 - 1e-7)
    found = survey_of("(x - 0.25)^3/3 - 1e-7*(x - 0.25)^2/2", ["x"], [(-1, 1)])
    assert found.complete
    assert sorted(point.verdict.name for point in found.points) == ["LOCAL_MAXIMUM", "STRICT_LOCAL_MINIMUM"]
    one, other = sorted(point.flat[0] for point in found.points)
    assert abs((other - one) - 1e-7) < 1e-13


@pytest.mark.parametrize("apart", ["1e-4", "1e-6", "1e-8"])
def test_where_rounding_hides_the_roots_arb_sees_them(apart, monkeypatch):
    """f' = (x - 1)^3 - a (x - 1), written out: three roots that cancellation hides from doubles."""
    monkeypatch.setattr("surefoot.proof.survey.PATIENCE", np.inf)
    found = survey_of(f"x^4/4 - x^3 + (3 - {apart})*x^2/2 - (1 - {apart})*x", ["x"], [(-2, 3)])
    assert found.complete
    assert [point.verdict for point in sorted(found.points, key=lambda p: p.flat[0])] == [MINIMUM, MAXIMUM, MINIMUM]
    assert all(point.width <= 1e-8 for point in found.points)
    one, _, other = sorted(point.flat[0] for point in found.points)
    assert abs(other - one - 2 * float(apart) ** 0.5) < 1e-7


@pytest.mark.parametrize("text", ["x^4", "x^3", "(x - 0.3)^4", "(x^2 - 0.25)^3", "x^2*(x - 1)^4"])
def test_a_multiple_root_is_never_called_complete(text):
    found = survey_of(text, ["x"], [(-2, 2)])
    assert not found.complete
    assert found.undecided or any(point.verdict is Verdict.DEGENERATE for point in found.points)


@pytest.mark.parametrize("text", ["x^4 + y^4", "x^2*y^2", "(x - y)^2", "x^3 - 3*x*y^2", "(x^2 + y^2 - 1)^2"])
def test_degenerate_points_and_lines_are_degenerate_or_undecided(text):
    found = survey_of(text, ["x", "y"], [(-1.5, 1.5), (-1.5, 1.5)], budget=Budget(boxes=4000))
    assert not found.complete
    assert not any(point.verdict in (MINIMUM, MAXIMUM) and abs(point.value) < 1e-9 for point in found.points
                   if text not in ("(x^2 + y^2 - 1)^2",))  # fmt: skip
    wanted = {"(x - y)^2": [[0.3, 0.3]], "(x^2 + y^2 - 1)^2": [[1.0, 0.0], [0.6, 0.8]]}.get(text, [[0.0, 0.0]])
    for place in wanted:  # what is not decided holds the points that are not
        assert any(box.contains(np.array(place)) for box in found.undecided)


def test_the_origin_of_two_fourth_powers_is_proven_degenerate():
    found = survey_of("x^4 + y^4", ["x", "y"], [(-1, 1), (-1, 1)])
    (point,) = found.points
    assert point.verdict is Verdict.DEGENERATE and point.flat.tolist() == [0, 0]
    assert not found.complete
    assert found.minimum.values == (0.0, 0.0)


# The boundary


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 0.0)])
def test_a_root_on_the_boundary_is_found_and_said_to_be_there(low, high):
    found = survey_of("x^2", ["x"], [(low, high)])
    assert found.complete
    assert [(point.verdict, point.place) for point in found.points] == [(MINIMUM, Place.BOUNDARY)]


@pytest.mark.parametrize("box", list(itertools.product([(0.0, 0.5), (-0.5, 0.0), (-0.5, 0.5)], repeat=2)))
def test_a_root_on_an_edge_or_at_a_corner_is_found_and_said_to_be_there(box):
    found = survey_of("x^2 + x*y*exp(x) + 3*y^2", ["x", "y"], list(box))
    assert found.complete and count(found) == 1
    inside = box == ((-0.5, 0.5), (-0.5, 0.5))
    assert found.points[0].place is (Place.INSIDE if inside else Place.BOUNDARY)


def test_a_root_next_to_the_boundary_is_inside_or_outside():
    # The double pi is less than pi: its cosine is not at its least.
    assert count(survey_of("cos(x)", ["x"], [(1.0, float(np.pi))])) == 0
    assert count(survey_of("cos(x)", ["x"], [(1.0, float(np.nextafter(np.pi, 4)))])) == 1
    assert survey_of("cos(x)", ["x"], [(1.0, float(np.pi))]).complete


def test_a_root_outside_is_not_reported():
    found = survey_of("(x - 1.0001)^2", ["x"], [(0.0, 1.0)])
    assert found.complete and not found.points
    assert found.minimum.points[0].sides == (1,)


# Where f is not smooth, or not defined


def test_a_kink_is_not_decided_where_it_could_be_an_extremum():
    found = survey_of("abs(x - 0.3)", ["x"], [(-1, 1)])
    assert not found.complete and not found.points
    assert any(box.contains(np.array([0.3])) for box in found.undecided)
    assert found.minimum.values[0] <= 0 <= found.minimum.values[1] < 1e-9


@pytest.mark.parametrize("place", [0.0, CUT, -1 + 2 * CUT])
def test_a_kink_where_boxes_are_cut_is_not_lost(place):
    found = survey_of(f"abs(x - ({place!r})) + x/2", ["x"], [(-1, 1)])
    assert not found.complete
    assert any(box.contains(np.array([place])) for box in found.undecided)


def test_a_kink_that_f_only_passes_is_no_obstacle():
    found = survey_of("abs(x) + 3*x + 0*y + y^2", ["x", "y"], [(-1, 1), (-1, 1)])
    assert found.complete and not found.points


def test_a_jump_is_not_decided():
    found = survey_of("floor(x) + x", ["x"], [(-0.5, 1.5)])
    assert not found.complete
    for place in (0.0, 1.0):
        assert any(box.contains(np.array([place])) for box in found.undecided)


def test_where_f_is_nowhere_defined_there_is_nothing_and_its_edge_is_not_decided():
    found = survey_of("x*log(x)", ["x"], [(-1, 1)])
    assert [point.verdict for point in found.points] == [MINIMUM]
    assert not found.complete
    assert all(abs(end) < 1e-8 for box in found.undecided for end in (box.lower[0], box.upper[0]))


def test_a_part_of_several_variables_without_values_ends():
    found = survey_of("sqrt(x) + y^2", ["x", "y"], [(-1, 1), (-1, 1)])
    assert not found.complete and not found.search.stop
    assert any(box.contains(np.array([0.0, 0.0])) for box in found.undecided)


def test_an_operation_without_an_enclosure_is_named():
    from surefoot.problem.real import Builder

    build = Builder(("x",))
    build.source = "line 3"
    graph = build.graph(build.sum(build.unknown("bessel_j0", [build.input], (1,))))
    found = survey(graph, Box(np.array([-1.0]), np.array([1.0])))
    assert not found.complete and "bessel_j0 (line 3)" in found.reasons[0]
    assert found.undecided[0].contains(np.array([0.5]))


# Counts that are known


@pytest.mark.parametrize(
    ("text", "names", "box", "minima", "maxima", "saddles", "lowest"),
    [
        (CAMEL, "xy", [(-3, 3), (-2, 2)], 6, 2, 7, -1.031628453489877),
        ("(x^2 + y - 11)^2 + (x + y^2 - 7)^2", "xy", [(-6, 6), (-6, 6)], 4, 1, 4, 0.0),
        ("(y - 5.1/(4*pi^2)*x^2 + 5/pi*x - 6)^2 + 10*(1 - 1/(8*pi))*cos(x) + 10", "xy", [(-5, 10), (0, 15)], 3, 0, 2,
         0.39788735772973816),
        ("(x^4 - 16*x^2 + 5*x + y^4 - 16*y^2 + 5*y)/2", "xy", [(-5, 5), (-5, 5)], 4, 1, 4, -78.33233140754282),
        ("(1 - x)^2 + 100*(y - x^2)^2", "xy", [(-2, 2), (-1, 3)], 1, 0, 0, 0.0),
        ("sin(x)", "x", [(0.1, 31)], 5, 5, 0, -1.0),
    ],
)  # fmt: skip
def test_counts_of_the_literature(text, names, box, minima, maxima, saddles, lowest):
    found = survey_of(text, list(names), box)
    assert found.complete
    assert (count(found, MINIMUM), count(found, MAXIMUM), count(found, SADDLE)) == (minima, maxima, saddles)
    assert count(found) == minima + maxima + saddles
    low, high = found.minimum.values
    assert low - 1e-12 <= lowest <= high + 1e-12 and high - low < 1e-9
    assert all(point.width <= 1e-8 for point in found.points)


def test_rastrigin_has_a_grid_of_points():
    found = survey_of("20 + x^2 - 10*cos(2*pi*x) + y^2 - 10*cos(2*pi*y)", ["x", "y"], [(-5.12, 5.12)] * 2)
    assert found.complete
    assert (count(found, MINIMUM), count(found, MAXIMUM), count(found, SADDLE)) == (121, 100, 220)


def test_four_variables():
    text = "+".join(f"({v}^4 - 16*{v}^2 + 5*{v})/2" for v in "abcd")
    found = survey_of(text, list("abcd"), [(-5, 5)] * 4)
    assert found.complete
    assert (count(found, MINIMUM), count(found, MAXIMUM), count(found, SADDLE)) == (16, 1, 64)


def test_values_are_enclosed():
    """Values in rational numbers at the exact roots of 3 x^2 - 1/3."""
    found = survey_of("x^3 - x/3", ["x"], [(-1, 1)])
    exact = Fraction(-2, 27)
    lows = [point.values for point in found.points if point.verdict is MINIMUM]
    # x = 1/3 up to the double 1/3 in the slope: the value differs by less than 1e-16.
    assert lows[0][0] - 1e-15 <= float(exact) <= lows[0][1] + 1e-15


# Going on


def test_a_survey_that_was_cut_short_goes_on_to_the_same_points():
    graph, box = graph_of(CAMEL, ["x", "y"]), Box(np.array([-3.0, -2.0]), np.array([3.0, 2.0]))
    whole = survey(graph, box)
    part = survey(graph, box, budget=Budget(boxes=100))
    assert not part.complete and part.search.examined == 100
    assert all(any(b.contains(point.flat) for b in part.undecided) or
               any(np.allclose(point.flat, one.flat, atol=1e-12) for one in part.points)
               for point in whole.points)  # fmt: skip
    rest = part
    while not rest.complete:
        rest = survey(graph, box, budget=Budget(boxes=100), before=rest.search)
    assert len(rest.points) == 15
    assert np.allclose([p.flat for p in rest.points], [p.flat for p in whole.points], atol=1e-12)


def test_an_interrupted_survey_keeps_what_is_known():
    graph, box = graph_of(CAMEL, ["x", "y"]), Box(np.array([-3.0, -2.0]), np.array([3.0, 2.0]))

    def stop(seen):
        if seen.examined >= 192:
            raise KeyboardInterrupt

    found = survey(graph, box, progress=stop)
    assert not found.complete and "Ctrl-C" in found.reasons[0]
    again = survey(graph, box, before=found.search)
    assert again.complete and len(again.points) == 15


def test_the_budget_of_seconds_is_kept():
    found = survey_of("x^2*y^2", ["x", "y"], [(-1, 1), (-1, 1)], budget=Budget(seconds=0.0))
    assert "0 seconds" in found.reasons[0] and found.search.examined == 0


# Branch and bound alone


def test_the_minimum_alone_of_hartmann_6():
    from surveyed import hartmann_6

    box = Box(np.zeros(6), np.ones(6))
    minimum, _ = survey_minimum(hartmann_6(), box)
    assert minimum.verdict is Verdict.UNIQUE_GLOBAL_MINIMUM
    low, high = minimum.values
    assert low <= high and high - low < 1e-12 and abs(high + 3.32236801141551) < 1e-12
    assert np.allclose(minimum.points[0].flat, [0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.657301], atol=1e-6)


@pytest.mark.parametrize(
    ("text", "box", "value", "place", "sides"),
    [
        ("x + 2*y + x*y", [(0, 1), (0, 1)], 0.0, [0, 0], (-1, -1)),
        ("-x - 2*y", [(0, 1), (0, 1)], -3.0, [1, 1], (1, 1)),
        ("(x - 0.25)^2 - y", [(-1, 1), (0, 1)], -1.0, [0.25, 1], (0, 1)),
        ("-(x - 0.1)^2 - (y + 0.2)^2", [(-1, 1), (-1, 1)], -2.65, [-1, 1], (-1, 1)),
        ("x^2 + y^2", [(0, 1), (-1, 1)], 0.0, [0, 0], (-1, 0)),
        ("(x - 2)^2 + (y - x)^2", [(-1, 1), (-1, 3)], 1.0, [1, 1], (1, 0)),
    ],
)
def test_the_minimum_on_a_face_or_at_a_corner(text, box, value, place, sides):
    whole = survey_of(text, ["x", "y"], box).minimum
    alone, _ = survey_minimum(graph_of(text, ["x", "y"]), Box(*np.array(box, float).T))
    for minimum in (whole, alone):
        assert minimum.verdict is Verdict.UNIQUE_GLOBAL_MINIMUM
        assert np.allclose(minimum.points[0].flat, place) and minimum.points[0].sides == sides
        assert minimum.values[0] <= value <= minimum.values[1] + 1e-15


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=8, max_size=8), st.integers(0, 2**31))
def test_no_sample_lies_below_the_proven_minimum(numbers, seed):
    a, b, c, d, e, g, h, k = numbers
    text = f"{a}*x^3 + ({b})*x^2*y + ({c})*x*y^2 + ({d})*y^3 + ({e})*x*y + ({g})*x + ({h})*y + ({k})*sin(3*x + y)"
    found = survey_of(text, ["x", "y"], [(-1, 1), (-1, 2)], budget=Budget(boxes=20_000))
    rng = np.random.default_rng(seed)
    from surefoot.problem.real_floating import value

    samples = np.stack([rng.uniform(-1, 1, 4000), rng.uniform(-1, 2, 4000)], axis=1)
    corners = np.array(list(itertools.product([-1.0, 1.0], [-1.0, 2.0])))
    graph = graph_of(text, ["x", "y"])
    lowest = min(float(np.min(value(graph, samples))), float(np.min(value(graph, corners))))
    low, high = found.minimum.values
    assert low <= high and low <= lowest + 1e-9
    assert float(value(graph, found.minimum.best)) <= high + 1e-9


def test_the_memory_of_a_look_is_bounded_by_the_largest_value():
    from surveyed import hartmann_6

    assert entries(hartmann_6()) == 24
    assert len(Search.of(Box(np.zeros(3), np.ones(3))).waiting) >= 192
