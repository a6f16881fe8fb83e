"""Pictures of walks: what is drawn is where it is, and right angles are right angles on paper."""

from __future__ import annotations

import numpy as np
import pytest

import surefoot as sf
from surefoot.errors import DataError

VALLEY, START = "x^2 + 10*y^2", {"x": 10, "y": 1}


@pytest.fixture(scope="module")
def zigzag():
    return sf.minimize(VALLEY, START, method="steepest", steps="exact")


def on_paper(axes, points):
    """Points in the units of the paper."""
    axes.figure.draw_without_rendering()
    return axes.transData.transform(points)


def test_the_zigzag_turns_right_angles_on_paper(zigzag):
    axes = zigzag.plot().axes[0]
    path = on_paper(axes, zigzag.trace.steps().points()[:12])
    steps = np.diff(path, axis=0)
    cosines = np.sum(steps[1:] * steps[:-1], axis=1) / np.prod(np.linalg.norm([steps[1:], steps[:-1]], axis=2), axis=0)
    assert np.max(np.abs(cosines)) < 1e-6


def test_a_map_shows_the_whole_path(zigzag):
    axes = zigzag.plot().axes[0]
    points = zigzag.trace.steps().points()
    for axis, (low, high) in enumerate((axes.get_xlim(), axes.get_ylim())):
        assert low < points[:, axis].min()
        assert points[:, axis].max() < high


def test_the_compass_draws_the_gradient_at_a_right_angle_to_the_level_set():
    compass = sf.compass(VALLEY, {"x": 3, "y": 1})
    axes = compass.plot().axes[0]
    tangent = next(line for line in axes.lines if line.get_label() == "tangent of the level set")
    ends = on_paper(axes, tangent.get_xydata())
    down = on_paper(axes, [compass.flat, compass.flat + compass.steepest])
    assert abs(np.dot(ends[1] - ends[0], down[1] - down[0])) < 1e-6 * np.linalg.norm(ends[1] - ends[0])


def test_the_compass_on_flat_ground_has_nothing_to_draw_but_the_point():
    axes = sf.compass(VALLEY, {"x": 0, "y": 0}).plot().axes[0]
    assert len(axes.lines) == 1


def test_several_walks_share_a_map_and_a_legend(zigzag):
    walks = {"one": zigzag, "two": sf.minimize(VALLEY, START, method="newton")}
    figure = sf.draw_walks(walks)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [f"one, {zigzag.steps} steps", f"two, {walks['two'].steps} step"]
    assert len(figure.axes) == 2


def test_a_function_of_one_variable_is_drawn_as_its_graph():
    walked = sf.minimize("x^2", {"x": 1}, method="steepest", steps=0.9, max_steps=6)
    axes = walked.plot().axes[0]
    path = axes.lines[1].get_xydata()
    np.testing.assert_allclose(path[:, 1], path[:, 0] ** 2)


def test_a_function_of_many_variables_has_no_map_but_is_shown_coming_down():
    walked = sf.minimize(lambda x: sum((x - 1) ** 2), np.zeros(5))
    assert len(walked.plot().axes) == 1
    figure = sf.draw_walks([walked, sf.minimize(lambda x: sum((x - 1) ** 2), np.zeros(5), method="cg")])
    assert len(figure.axes) == 1
    assert len(figure.axes[0].get_legend().get_texts()) == 2


def test_every_minimum_of_many_starts_is_marked_with_its_share():
    many = sf.minimize("(x^2 - 1)^2 + y^2", None, starts=50, box="x=-2..2, y=-1..1")
    axes = many.plot().axes[0]
    shares = {f"{100 * one.share:.2g}%" for one in many.starts.minima}
    assert {text.get_text() for text in axes.texts} == shares


@pytest.mark.parametrize(
    ("f", "start", "sign"),
    [("x^2 + y^2", {"x": 1, "y": 1}, "*"), ("x^2 - y^2", {"x": 0, "y": 0}, "X")],
)
def test_the_end_has_the_sign_of_what_it_is(f, start, sign):
    walked = sf.minimize(f, start, method="newton" if sign == "*" else "steepest", steps="armijo")
    assert walked.verdict.value == {"*": "unique global minimum", "X": "saddle"}[sign]
    assert sign in [line.get_marker() for line in walked.plot().axes[0].lines]


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_a_picture_is_written_by_its_ending(zigzag, tmp_path, ending):
    path = tmp_path / f"walk.{ending}"
    zigzag.plot(path)
    assert path.read_bytes()[:5] in (b"\x89PNG\r", b"<?xml", b"%PDF-")


def test_another_ending_is_refused(zigzag, tmp_path):
    with pytest.raises(DataError, match=r"not as \.gif"):
        zigzag.plot(tmp_path / "walk.gif")
    assert not list(tmp_path.iterdir())
