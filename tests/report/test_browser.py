"""The report in a real browser: nothing asked of the network, nothing complained about, everything to be seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import surefoot as sf

pytestmark = pytest.mark.browser

OZONE = Path(__file__).parents[2] / "examples" / "ozone.csv"
PARTS = {"ozone": 5, "many": 5, "awkward": 5, "loaded": 2, "roads": 7, "arrays": 3}


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> Path:
    """Reports of several kinds, each written as a person would."""
    folder = tmp_path_factory.mktemp("reports")
    ozone = sf.fit("customer ~ nist", OZONE)
    ozone.to_html(folder / "ozone.html")
    sf.fit("customer ~ nist", OZONE, compare=True, explain=True).to_html(folder / "roads.html")
    ozone.save(folder / "model.json")
    sf.load(folder / "model.json").to_html(folder / "loaded.html")
    (folder / "card.html").write_text(f"<!DOCTYPE html><title>card</title>{ozone._repr_html_()}", encoding="utf-8")
    random = np.random.default_rng(7)
    x = random.normal(size=20_000)
    sf.fit("y ~ x", {"x": x, "y": 2 * x + random.standard_t(5, x.size)}).to_html(folder / "many.html")
    names = {"<b>x</b>": x[:40], 'a "quoted" $name$ \u5206' + " that goes on and on" * 8: x[40:80] ** 2}
    columns = np.column_stack([np.ones(30), x[:30]])
    sf.lstsq(columns, columns @ [1.0, 2.0] + random.normal(size=30), compare=True).to_html(folder / "arrays.html")
    formula = "y ~ " + " + ".join(f"`{name}`" for name in names)
    sf.fit(formula, {**names, "y": random.normal(size=40)}).to_html(folder / "awkward.html")
    return folder


@pytest.mark.parametrize("width", [1200, 400])
@pytest.mark.parametrize("name", PARTS)
def test_opens_without_errors_or_requests(visit, reports, name, width):
    path = reports / f"{name}.html"
    seen = visit(path, width)
    assert seen.complaints == []
    assert [url for url in seen.requests if not url.startswith("data:")] == [path.resolve().as_uri()]
    assert seen.overflow() <= 0
    pictures = seen.page.locator("figure svg")
    assert pictures.count() == PARTS[name]
    for k in range(pictures.count()):
        box = pictures.nth(k).bounding_box()
        assert box is not None and box["width"] > 250 and box["height"] > 180
        assert pictures.nth(k).is_visible()
    assert seen.page.get_by_text("unique global minimum").first.is_visible()


def test_table_has_the_certified_numbers(visit, reports):
    page = visit(reports / "ozone.html").page
    rows = [row.split("\t") for row in page.locator("table.coefficients tbody").inner_text().splitlines()]
    assert rows[0][:5] == ["(Intercept)", "−0.262323", "0.232818", "−1.127", "0.268"]
    assert rows[1][:3] == ["nist", "1.002117", "0.000430"]
    assert rows[1][5].replace("\u2007", "") == "[1.001243, 1.002990]"
    align = page.locator("table.coefficients td").first.evaluate("e => getComputedStyle(e).textAlign")
    assert align == "right"


def test_pictures_have_words_and_their_own_ids(visit, reports):
    page = visit(reports / "ozone.html").page
    captions = page.locator("figcaption").all_inner_texts()
    assert "36 rows" in captions[0]
    assert "row 29" in captions[1]
    assert "Jarque-Bera p 0.457" in captions[2]
    assert "(Intercept) = −0.262323 and nist = 1.00212" in captions[3]
    assert page.locator("[role=img]").first.get_attribute("aria-label") == captions[0]
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    used = page.evaluate("[...document.querySelectorAll('use')].map(e => e.href.baseVal.slice(1))")
    assert set(used) <= set(ids)
    assert "customer" in page.locator("figure svg").first.text_content()


def test_names_are_shown_as_typed_and_never_read_as_markup(visit, reports):
    page = visit(reports / "awkward.html").page
    assert page.locator("main b").count() == 0
    assert "<b>x</b>" in page.locator("h1").inner_text()
    assert "<b>x</b>" in page.locator("table.coefficients").inner_text()
    assert "<b>x</b>" in (page.locator("figure svg").nth(3).text_content() or "")
    assert "$name$" in (page.locator("figure svg").nth(3).text_content() or "")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 400])
def test_card_takes_the_colours_of_its_notebook(visit, reports, scheme, width):
    seen = visit(reports / "card.html", width, scheme)
    seen.page.add_style_tag(content="body { background: #111; color: #eee }" if scheme == "dark" else "body {}")
    assert seen.complaints == []
    assert seen.page.get_by_text("unique global minimum").is_visible()
    colour = seen.page.locator(".surefoot-card td").first.evaluate("e => getComputedStyle(e).color")
    assert colour == ("rgb(238, 238, 238)" if scheme == "dark" else "rgb(0, 0, 0)")
    assert seen.overflow() <= 0
