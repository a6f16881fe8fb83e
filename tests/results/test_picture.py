"""The numbers behind the pictures of walks: contours, windows, theory's line, legs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import surefoot as sf
from surefoot.errors import OptionError
from surefoot.problem.objective import objective_of
from surefoot.results.picture import LONG, MARGIN, _levels, gather, gather_walks, map_of


@given(st.floats(0.2, 5), st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
@settings(max_examples=25, deadline=None)
def test_contours_of_a_bowl_are_equally_far_apart_whatever_its_units(flatness, lowest, scale):
    across, up = np.meshgrid(np.linspace(-1, 1, 301), np.linspace(-1, 1, 301))
    heights = lowest + scale * (flatness * across**2 + up**2)
    levels = _levels(heights)
    reach = np.sqrt((levels - lowest) / scale)
    inside = reach < 0.98 * min(1.0, np.sqrt(flatness))  # beyond, the edge of the map cuts the ellipses
    apart = np.diff(reach[inside])
    assert np.sum(inside) >= 3
    assert np.ptp(apart) < 0.06 * np.mean(apart)


def test_a_plateau_has_no_contours_and_undefined_ground_none_of_its_own():
    assert len(_levels(np.full((5, 5), 2.0))) == 0
    assert len(_levels(np.full((5, 5), np.nan))) == 0
    half = np.where(np.arange(10) < 5, np.nan, np.arange(10.0))[:, None] * np.ones(10)
    assert np.all(np.isfinite(_levels(half)))


@given(st.floats(1.1, 300), st.floats(-1.5, 1.5))
@settings(max_examples=10, deadline=None)
def test_no_exact_step_on_a_quadratic_does_worse_than_theory(condition, slant):
    f = lambda x, c: 0.5 * (x[0] ** 2 + c * x[1] ** 2)  # noqa: E731
    start = np.array([1.0, np.exp(slant) / condition])
    for method in ("steepest", "cg"):
        walked = sf.minimize(f, start, args=(condition,), method=method, steps="exact", max_steps=400, tol=1e-9)
        profile = gather(walked).tracks[0].profile
        if profile.theory is None:  # the budget was spent before it arrived
            assert not walked.to_scipy().success
            continue
        seen = np.isfinite(profile.gap)
        floor = 1e-15 * profile.gap[0]
        assert np.all(profile.gap[seen] <= profile.theory[seen] * (1 + 1e-6) + floor), (method, condition)


def test_theory_is_silent_where_steps_are_not_exact():
    for method, steps in (("cg", "hager-zhang"), ("steepest", 0.05), ("newton", "exact")):
        walked = sf.minimize("x^2 + 10*y^2", {"x": 10, "y": 1}, method=method, steps=steps)
        assert gather(walked).tracks[0].profile.theory is None


def test_leaving_a_saddle_is_a_jump_and_no_step():
    left = sf.minimize("x^2 - y^2 + y^4/4", {"x": 1, "y": 0})
    track = gather(left).tracks[0]
    assert len(track.legs) >= 2
    jump = track.jumps[0]
    np.testing.assert_allclose(jump[0], 0, atol=1e-12)
    assert abs(jump[1][1]) > 0
    assert sum(len(leg) for leg in track.legs) == len(left.trace.steps())
    assert np.sum(np.isnan(track.profile.steps)) == len(track.legs) - 1


def test_a_walk_that_diverged_shows_no_gap_and_ends_at_the_lowest_point():
    walked = sf.minimize("x^2 + 10*y^2", {"x": 10, "y": 1}, method="steepest", steps=0.102)
    track = gather(walked).tracks[0]
    assert np.all(np.isnan(track.profile.gap))
    assert track.value == walked.value < track.values[0][-1]


def test_a_narrow_walk_gets_a_wider_map_and_other_units_another_scale():
    objective, _ = objective_of("x^2 + y^2", {"x": 1, "y": 1})
    chart = map_of(objective, np.array([[0.0, 0.0], [10.0, 1.0]]))
    assert chart.alike
    assert np.ptp(chart.across) == pytest.approx(10 * (1 + 2 * MARGIN))
    assert np.ptp(chart.up) == pytest.approx(np.ptp(chart.across) / LONG)
    assert not map_of(objective, np.array([[0.0, 0.0], [1000.0, 1.0]])).alike
    still = map_of(objective, np.array([[3.0, 4.0]]))
    assert np.ptp(still.across) > 0
    assert np.ptp(still.up) > 0


def test_undefined_ground_is_left_white():
    chart = gather(sf.minimize("x - log(x) + y^2", {"x": 3, "y": 1})).ground
    assert np.all(np.isfinite(chart.heights) == (chart.across > 0)[None, :])


def test_walks_are_called_by_their_names_and_belong_together():
    one = sf.minimize("x^2", {"x": 1}, method="steepest", steps=0.1, max_steps=3)
    two = sf.minimize("x^2", {"x": 1}, method="steepest", steps=0.2, max_steps=3)
    assert [track.label for track in gather_walks({"slow": one, "fast": two}).tracks] == ["slow", "fast"]
    assert [track.label[:2] for track in gather_walks([one, two]).tracks] == ["1.", "2."]
    with pytest.raises(OptionError, match="no walk"):
        sf.draw_walks([])
    with pytest.raises(OptionError, match="not 'steepest'"):
        sf.draw_walks({"one": one, "two": "steepest"})
    assert len(sf.draw_walks(one).axes) == 2
    other = sf.minimize("y^2", {"y": 1})
    with pytest.raises(OptionError, match="'other' has y, the first one has x"):
        sf.draw_walks({"first": one, "other": other})


def test_many_starts_are_drawn_in_their_box():
    many = sf.minimize("(x^2 - 1)^2 + y^2", None, starts=40, box="x=-2..2, y=-1..1")
    picture = gather(many)
    assert picture.starts is many.starts
    assert many.starts.box == ((-2.0, 2.0), (-1.0, 1.0))
    assert picture.ground.across[0] <= -2
    assert picture.ground.across[-1] >= 2
    again = type(many.starts).from_json(many.starts.to_json())
    assert again.box == many.starts.box
