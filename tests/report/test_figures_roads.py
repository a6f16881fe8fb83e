"""Pictures of roads and of the right-angled residual: what they say, and that every kind of fit has them."""

from __future__ import annotations

import logging
import re

import numpy as np
import pytest

import surefoot as sf
from surefoot.models.picture import gather
from surefoot.report.captions_roads import drawn_angle, perpendicular_caption, walks_caption


def table(noise: float = 1.0, rows: int = 40) -> dict:
    random = np.random.default_rng(5)
    x, z = random.normal(size=(2, rows))
    return {"x": x, "z": z, "y": 1 + x - z + noise * random.normal(size=rows), "twice": 2 * x, "one": np.ones(rows)}


def words_of(formula: str, data: dict, **options) -> str:
    return perpendicular_caption(gather(sf.fit(formula, data, **options)).perpendicular)


def test_the_caption_says_the_lengths_and_r2():
    fit = sf.fit("y ~ x + z", table())
    words = perpendicular_caption(gather(fit).perpendicular)
    assert f"residual {fit.statistics.residual_length:.6g}" in words
    assert f"response {fit.statistics.total_length:.6g}" in words
    assert f"its cosine squared, {fit.r2:.6f}, is R²" in words
    assert "drawn true" in words and "The plane is that of x and z" in words


def test_what_could_not_be_seen_is_drawn_larger_and_said():
    thin = gather(sf.fit("y ~ x + z", table(1e-4))).perpendicular
    times = float(re.search(r"residual is drawn (\S+) times", perpendicular_caption(thin)).group(1))
    assert times == pytest.approx(np.tan(np.radians(drawn_angle(thin))) * thin.fitted / thin.residual, rel=1e-2)
    steep = gather(sf.fit("y ~ x", table(100))).perpendicular
    assert drawn_angle(steep) < steep.angle
    assert "the fitted values are drawn" in perpendicular_caption(steep)


def test_sides_that_are_rounding_are_not_drawn():
    data = table(0.0)
    assert "no more than rounding" in words_of("y ~ x + z", data)
    flat = {"x": [1.0, 1.0, 1.0, 1.0], "y": [1.0, -1.0, 1.0, -1.0]}
    assert "nothing but rounding is explained" in words_of("y ~ 0 + x", flat)


KINDS = [
    ("y ~ x", {}), ("y ~ x + z", {}), ("y ~ 0 + x", {}), ("y ~ 1", {}), ("one ~ x", {}), ("y ~ x + twice", {}),
    ("y ~ 0 + x + twice", {"rank_deficient": "minimum-norm"}), ("y ~ x + z", {"exact": True}), ("y ~ 0", {}),
]  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
@pytest.mark.parametrize(("formula", "options"), KINDS)
def test_every_kind_of_fit_has_pictures_without_a_warning(formula, options, scale, caplog):
    data = table()
    data = data | {"y": scale * data["y"], "one": scale * data["one"]}
    fit = sf.fit(formula, data, compare=True, **options)
    with caplog.at_level(logging.WARNING):
        text = fit.to_html()
        fit.plot().savefig("/dev/null", format="png")
    assert caplog.records == []
    assert not re.search(r"\bnan\b|\binf\b", re.sub(r"<svg.*?</svg>|<pre>.*?</pre>", "", text, flags=re.DOTALL))
    # A constant response has nothing about its mean, and a model without columns no space to stand on.
    assert ("The residual at a right angle" in text) == (formula not in ("one ~ x", "y ~ 0"))


def test_the_page_of_compared_roads_has_walks_table_and_plan():
    fit = sf.fit("y ~ x", table(), compare=True, explain=True)
    text = fit.to_html()
    for title in ("Two roads, one valley", "How the walks came down", "Two roads, side by side", "The plan"):
        assert title in text
    for road in fit.roads.roads:
        row = re.search(rf'<tr><th scope="row">{road.name}</th>(.*?)</tr>', text)
        assert row is not None
        if road.steps is not None:
            assert f"<td>{road.steps:,}</td>" in row.group(1)
        assert f"<td>{road.backward_error:.0e}</td>".replace("-", "−") in row.group(1)
    for candidate in fit.plan.candidates:
        assert f"{candidate.method}" in text
    assert f"<b>{fit.plan.chosen}</b> (chosen)" in text
    assert "compare=True, explain=True)" in text
    words = walks_caption(gather(fit).walked)
    for name in ("conjugate gradients", "steepest descent", "gradient descent"):
        assert f"{name} took {fit.roads[name].steps} steps" in words.lower()
    plain = sf.fit("y ~ x", table()).to_html()
    assert "Two roads" not in plain and "<h2>The plan" not in plain


def test_the_command_says_its_switches():
    from pathlib import Path

    ozone = Path(__file__).parents[2] / "examples" / "ozone.csv"
    text = sf.fit("customer ~ nist", ozone, compare=True).to_html()
    assert "ozone.csv --compare</pre>" in text


def test_plot_has_a_third_row_where_roads_were_compared():
    titles = [axes.get_title(loc="left") for axes in sf.fit("y ~ x", table(), compare=True).plot().axes]
    assert [title[0] for title in titles] == list("abcdef")
    assert titles[5].endswith("Two roads, one valley")
    titles = [axes.get_title(loc="left") for axes in sf.fit("y ~ x + z", table(), compare=True).plot().axes]
    assert titles[5].endswith("How the walks came down")


def test_names_are_shown_as_typed():
    random = np.random.default_rng(1)
    data = {"$a$<b>": random.normal(size=30), "y": random.normal(size=30)}
    text = sf.fit("y ~ `$a$<b>`", data, compare=True).to_html()
    assert "$a$&lt;b&gt;" in text and "<b>`" not in text
