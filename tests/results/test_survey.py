"""``sf.survey``: what a caller gives and gets, files, and going on."""

from __future__ import annotations

import json

import numpy as np
import pytest

import surefoot as sf
from surefoot.errors import DataError, ExpressionError, ModelError, OptionError
from surefoot.proof.certificate import Verdict
from surveyed import CAMEL

BOX = {"x": (-3, 3), "y": (-2, 2)}


def test_the_boxes_that_a_caller_can_give_are_one():
    given = ["x=-3..3, y=-2..2", BOX, [(-3, 3), (-2, 2)], sf.Box(np.array([-3.0, -2.0]), np.array([3.0, 2.0]))]
    found = [sf.survey(CAMEL, box) for box in given]
    assert all(one.counts == found[0].counts and one.complete for one in found)
    assert found[0].counts == {Verdict.STRICT_LOCAL_MINIMUM: 6, Verdict.SADDLE: 7, Verdict.LOCAL_MAXIMUM: 2}
    point = found[0].points[0]
    assert set(point.x) == {"x", "y"} and point.verdict is Verdict.STRICT_LOCAL_MINIMUM
    assert abs(point.x["x"]) == pytest.approx(0.08984201310031806, abs=1e-15)


def test_points_have_the_shape_of_what_jax_was_given():
    import jax.numpy as jnp

    vector = sf.survey(lambda x: jnp.sum(x**4 - x**2), [(-2, 2)] * 2)
    assert len(vector.points) == 9 and vector.points[0].x.shape == (2,)
    number = sf.survey(lambda x: x**4 - x**2, (-2, 2))
    assert len(number.points) == 3 and np.ndim(number.points[0].x) == 0
    tree = sf.survey(lambda p: p["a"] ** 2 + jnp.sum((p["b"] - p["a"]) ** 2), {"a": (-1, 2), "b": [(-1, 2), (-2, 3)]})
    assert tree.complete and tree.points[0].x["b"].shape == (2,)
    scaled = sf.survey(lambda x, a: (x - a) ** 2, (-2, 2), args=(0.5,))
    assert scaled.points[0].x == 0.5


def test_a_derivative_that_lies_is_not_asked():
    import jax

    @jax.custom_jvp
    def f(x):
        return x**2

    f.defjvp(lambda primals, tangents: (f(primals[0]), 1.0 + tangents[0] * 0))
    found = sf.survey(f, (-1.5, 2))
    assert found.complete and len(found.points) == 1
    stopped = sf.survey(lambda x: x * jax.lax.stop_gradient(x), (-1.5, 2))
    assert stopped.complete and stopped.points[0].verdict is Verdict.STRICT_LOCAL_MINIMUM


def test_an_objective_is_surveyed_as_what_it_was_made_of():
    from surefoot.problem.objective import objective_of

    objective, _ = objective_of(CAMEL, {"x": 0, "y": 0})
    found = sf.survey(objective, BOX)
    assert found.complete and len(found.points) == 15


@pytest.mark.parametrize(
    ("f", "box", "kind", "words"),
    [
        ("x^2", "x=1..1", ExpressionError, "single point"),
        ("x^2", [(0, np.inf)], OptionError, "open along x"),
        ("x^2", [(2, 1)], ModelError, "cross"),
        ("x^2", [(1, 1)], OptionError, "no extent"),
        ("x^2 + y", "x=0..1", OptionError, "no interval for y"),
        ("x^2 +", "x=0..1", ExpressionError, ""),
        ("x^2", "z=0..1", ExpressionError, "z"),
        (3.0, [(0, 1)], ModelError, "a function"),
        (np.sin, (0, 1), ModelError, ""),
        (lambda x: x**2, "x=0..1", OptionError, "typed text"),
        (lambda x: x**2, [(0, 1, 2)], OptionError, "pairs"),
        (lambda x: x**2, 7, OptionError, "pairs"),
    ],
)
def test_what_cannot_be_surveyed_is_refused_in_a_sentence(f, box, kind, words):
    with pytest.raises(kind) as refused:
        sf.survey(f, box)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("wish", "words"),
    [({"only": "maximum"}, "minimum"), ({"max_boxes": -1}, "max_boxes"), ({"max_seconds": "a"}, "max_seconds"),
     ({"resolution": 0}, "resolution"), ({"progress": 3}, "progress"), ({"resume": 3}, "resume")],
)  # fmt: skip
def test_wishes_that_mean_nothing_are_refused(wish, words):
    with pytest.raises(OptionError) as refused:
        sf.survey("x^2", "x=-1..1", **wish)
    assert words in str(refused.value)


def test_a_saved_survey_comes_back_and_goes_on(tmp_path):
    part = sf.survey(CAMEL, BOX, max_boxes=150)
    assert not part.complete and part.undecided
    part.save(tmp_path / "part.json")
    again = sf.load(tmp_path / "part.json")
    assert str(again) == str(part) and again.to_json() == part.to_json()
    whole = sf.survey(CAMEL, BOX, resume=tmp_path / "part.json")
    assert whole.complete and len(whole.points) == 15 and whole.examined > 150
    whole.save(tmp_path / "whole.json")
    loaded = sf.load(tmp_path / "whole.json")
    assert [one.verdict for one in loaded.points] == [one.verdict for one in whole.points]
    assert np.array_equal(loaded.points[3].enclosure.lower, whole.points[3].enclosure.lower)
    with pytest.raises(ModelError, match="loaded survey"):
        loaded.plot()


def test_only_the_same_question_is_gone_on_with(tmp_path):
    part = sf.survey(CAMEL, BOX, max_boxes=100)
    for f, box, only, words in [
        (CAMEL + " + x", BOX, None, "another function"),
        (CAMEL, "x=-3..3, y=-2..1", None, "another box"),
        (CAMEL, BOX, "minimum", "something else"),
    ]:
        with pytest.raises(ModelError, match=words):
            sf.survey(f, box, only=only, resume=part)


def test_the_minimum_alone_goes_on_too(tmp_path):
    part = sf.survey(CAMEL, BOX, only="minimum", max_boxes=40)
    part.save(tmp_path / "minimum.json")
    whole = sf.survey(CAMEL, BOX, only="minimum", resume=tmp_path / "minimum.json")
    assert whole.global_minimum.verdict is Verdict.GLOBAL_MINIMUM and len(whole.global_minimum.points) == 2
    low, high = whole.global_minimum.values
    assert low <= -1.0316284534898770 <= high and high - low < 1e-14
    assert not whole.points and not whole.complete


def test_a_damaged_file_is_refused(tmp_path):
    survey = sf.survey("x^2", "x=-1..1")
    state = json.loads(json.dumps(survey.to_json()))
    del state["points"]
    (tmp_path / "damaged.json").write_text(json.dumps(state))
    with pytest.raises(DataError, match="damaged"):
        sf.load(tmp_path / "damaged.json")


def test_progress_is_told():
    seen = []
    sf.survey(CAMEL, BOX, progress=seen.append)
    assert seen[-1].waiting == 0 and seen[-1].left == 0 and seen[-1].found == 15
    assert [one.examined for one in seen] == sorted(one.examined for one in seen)


def test_the_text_says_what_was_proven_and_no_more():
    text = str(sf.survey(CAMEL, BOX))
    assert "15 stationary points, proven to be there, and to be all" in text
    assert "6 strict local minima, 7 saddles, 2 local" in text
    assert "Global minimum of the box (proven): value -1.03162845349" in text
    assert max(map(len, text.splitlines())) <= 100
    partial = str(sf.survey("x^2*y^2", "x=-1..1, y=-1..1", max_boxes=500))
    assert "proven to be all" not in partial and "budget of 500 boxes" in partial and "Undecided" in partial
    none = str(sf.survey("x + y^3 + y", "x=-1..1, y=-1..1"))
    assert "No stationary point: proven." in none and "x = -1 (on the boundary)" in none


def test_a_function_without_values_has_neither_points_nor_a_minimum():
    survey = sf.survey("log(x)", "x=-3..-1")
    assert not survey.points and survey.global_minimum.values == (np.inf, np.inf)
    assert "f is defined nowhere in the box." in str(survey)


def test_pictures_mark_every_class(tmp_path):
    survey = sf.survey(CAMEL, BOX)
    figure = survey.plot(tmp_path / "camel.png")
    assert (tmp_path / "camel.png").stat().st_size > 10_000
    labels = {text.get_text() for text in figure.legends[0].get_texts()}
    assert labels == {"6 strict local minima", "7 saddles", "2 local maxima", "global minimum of the box"}
    line = sf.survey("x^3 - x", "x=-2..2").plot()
    assert {text.get_text() for text in line.legends[0].get_texts()} >= {"1 strict local minimum", "1 local maximum"}
    left = sf.survey("x^2*y^2", "x=-1..1, y=-1..1", max_boxes=500).plot()
    assert "undecided" in {text.get_text() for text in left.legends[0].get_texts()}
    with pytest.raises(ModelError, match="one or two variables"):
        sf.survey("x^2 + y^2 + z^2", "x=-1..1, y=-1..1, z=-1..1").plot()
