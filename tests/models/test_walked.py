"""The walks as pictures: on true contours, from the start to the formula's answer."""

from __future__ import annotations

import numpy as np
import pytest

import nistdata
import surefoot as sf
from surefoot.models.picture import gather


def walked(formula: str, data: dict, **options):
    fit = sf.fit(formula, data, compare=True, **options)
    return fit, gather(fit)


def line(scale: float = 1.0, offset: float = 1.0) -> dict:
    random = np.random.default_rng(8)
    x = random.uniform(0, 3, 40)
    return {"x": x, "y": scale * (offset - x + 0.1 * random.normal(size=40))}


def test_contours_are_level_sets_and_tracks_end_at_the_answer():
    data = line()
    fit, picture = walked("y ~ x", data)
    bowl = picture.walked

    def rise(b):
        return (
            np.sum((data["y"][:, None] - b[0] - np.outer(data["x"], b[1])) ** 2, axis=0)
            - fit.statistics.residual_length**2
        )

    start = rise(np.zeros((2, 1)))[0]
    for j, contour in enumerate(bowl.contours, start=1):
        np.testing.assert_allclose(rise(contour), (j / 6) ** 2 * start, rtol=1e-9)
    reach = np.array([high - low for low, high in bowl.window])
    for track in bowl.tracks:
        assert not np.any(track.points[:, 0])
        assert track.points.shape[1] == track.shown + 1 <= track.steps + 1
        np.testing.assert_allclose(track.points.T, fit.roads[track.name].path[: track.shown + 1])
        if track.shown < track.steps and track.name != "gradient descent":
            assert np.all(np.abs(track.points[:, -1] - fit.coef) < 0.003 * reach)
    np.testing.assert_allclose(bowl.place, fit.coef)
    for low, high in bowl.window:
        assert low < high
    everything = np.hstack([track.points for track in bowl.tracks])
    for (low, high), values in zip(bowl.window, everything, strict=True):
        assert low < values.min() and values.max() < high


def test_the_shape_of_the_picture_makes_right_angles_right():
    data = line()
    _, picture = walked("y ~ x", data)
    bowl = picture.walked
    (track,) = [one for one in bowl.tracks if one.name == "steepest descent"]
    drawn = track.points * np.array([[1.0], [bowl.aspect]])
    steps = np.diff(drawn, axis=1)
    sizes = np.linalg.norm(steps, axis=0)
    cosines = np.sum(steps[:, 1:] * steps[:, :-1], axis=0) / sizes[1:] / sizes[:-1]
    assert len(cosines) > 2 and np.max(np.abs(cosines[:6])) < 1e-6
    assert bowl.aspect == pytest.approx(np.linalg.norm(data["x"]) / np.sqrt(40))


@pytest.mark.parametrize("scale", [1e-290, 1e-150, 1e150, 1e290])
@pytest.mark.parametrize("across", [1e-120, 1.0, 1e120])
def test_units_change_nothing_but_the_numbers_on_the_axes(scale, across):
    if not (1e-305 < scale / across < 1e305 and 1e-305 < scale * across < 1e305):
        pytest.skip("the slope, or the gradient of the second look, would leave the doubles")
    _, plain = walked("y ~ x", line())
    data = line(scale)
    _, far = walked("y ~ x", data | {"x": across * data["x"]})
    first, second = plain.walked.tracks[1], far.walked.tracks[1]
    assert first.shown == second.shown
    np.testing.assert_allclose(second.points[0] / scale, first.points[0], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(second.points[1] / scale * across, first.points[1], rtol=1e-6, atol=1e-9)


def test_a_narrow_valley_is_stretched_so_that_its_turns_are_seen():
    random = np.random.default_rng(4)
    x, z = random.normal(size=(2, 40))
    near = x + 0.02 * z
    data = {"x": x, "near": near, "y": 0.02 * z + 0.0007 * x + 0.001 * random.normal(size=40)}
    fit, picture = walked("y ~ 0 + x + near", data)
    bowl = picture.walked
    assert bowl.stretch > 12 and np.isnan(bowl.aspect)
    np.testing.assert_allclose(bowl.place, 0)
    # Along the valley and across it: turning back gives the coefficients of the walk.
    axes = np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2)
    lengths = np.array([np.linalg.norm(x), np.linalg.norm(near)])
    (track,) = [one for one in bowl.tracks if one.name == "steepest descent"]
    back = (axes.T @ track.points * np.linalg.norm(data["y"]) / lengths[:, None]).T + fit.coef
    np.testing.assert_allclose(back, fit.roads["steepest descent"].path[: track.shown + 1], rtol=1e-6, atol=1e-9)


def test_no_walk_is_drawn_that_was_not_taken(tmp_path):
    data = line() | {"z": np.arange(40.0)}
    assert gather(sf.fit("y ~ x", data)).walked is None
    assert gather(sf.fit("y ~ x", data)).descents == ()
    fit, picture = walked("y ~ x + z", data)
    assert picture.walked is None and len(picture.descents) == 3
    fit.save(tmp_path / "model.json")
    loaded = gather(sf.load(tmp_path / "model.json"))
    assert loaded.walked is None and loaded.descents == () and loaded.perpendicular == picture.perpendicular


def test_descents_are_the_slopes_of_the_traces():
    filip = nistdata.load("Longley")
    fit = sf.fit(filip.formula, filip.path, compare=True)
    for one in gather(fit).descents:
        slope = fit.roads[one.name].trace["steepness"]
        np.testing.assert_array_equal(one.slope, slope[one.step] / slope[0])
        assert one.step[0] == 0 and len(one.step) <= 402
        assert one.step[-1] == len(slope) - 1
        assert one.steps == fit.roads[one.name].steps
