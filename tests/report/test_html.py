"""The page and the card of every kind of fit: no warning, no error, nothing unescaped, nothing missing."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import surefoot as sf
from surefoot.errors import DataError
from surefoot.report.html import page, write_text

OZONE = Path(__file__).parents[2] / "examples" / "ozone.csv"


def table(rows: int = 40) -> dict:
    random = np.random.default_rng(3)
    x, z = random.normal(size=(2, rows))
    return {
        "x": x, "z": z, "double": 2 * x, "one": np.ones(rows), "w": random.integers(0, 4, rows),
        "g": np.array(["a", "b", "c"])[random.integers(0, 3, rows)], "y": 1 + x - z + random.normal(size=rows),
        "tiny": 1e-150 * (z + x),
        "big": 1e150 * (x + 0.3 * random.normal(size=rows)), "exact": 3 + 2 * np.arange(rows), "k": np.arange(rows),
        "gap": np.where(np.arange(rows) % 5 == 0, np.nan, x),
    }  # fmt: skip


KINDS = {
    "line": ("y ~ x", {}),
    "several": ("y ~ x + z", {}),
    "curve": ("log(y^2) ~ poly(x, 3)", {}),
    "spline": ("y ~ bs(x, df=5)", {}),
    "category": ("y ~ g", {}),
    "groups": ("y ~ x*g", {}),
    "intercept only": ("y ~ 1", {}),
    "no intercept": ("y ~ 0 + x", {}),
    "offset": ("y ~ x + offset(z)", {}),
    "weights": ("y ~ x", {"weights": "w"}),
    "array of weights": ("y ~ x", {"weights": np.linspace(1, 2, 40)}),
    "frequencies": ("y ~ x + g", {"frequencies": "w"}),
    "aliased": ("y ~ x + double + z", {}),
    "minimum norm": ("y ~ x + double + z", {"rank_deficient": "minimum-norm"}),
    "minimum norm of all": ("y ~ 0 + x + double", {"rank_deficient": "minimum-norm"}),
    "constant response": ("one ~ x", {}),
    "no residuals": ("exact ~ k", {}),
    "huge response": ("big ~ x", {}),
    "huge predictor": ("y ~ big + z", {}),
    "units far apart": ("tiny ~ big", {}),
    "missing": ("y ~ gap", {}),
    "robust": ("y ~ x + z", {"errors": "HC3"}),
    "clustered": ("y ~ x", {"errors": "cluster", "groups": "g"}),
    "HAC": ("y ~ x", {"errors": "HAC", "lags": 2}),
    "no look": ("y ~ x", {"diagnostics": False, "level": 0.9}),
}


@pytest.fixture(params=KINDS, scope="module")
def fit(request) -> sf.Fit:
    formula, options = KINDS[request.param]
    return sf.fit(formula, table(), **options)


class Reader(HTMLParser):
    """The outline of a page: elements must nest."""

    EMPTY = frozenset({"meta", "link", "use", "path", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)


def elements(text: str) -> list[str]:
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader.seen


def test_every_kind_of_fit_has_a_page(fit):
    text = fit.to_html()
    seen = elements(text)
    assert "script" not in seen
    assert seen.count("svg") >= 3
    assert fit.verdict.value in text
    assert "<td>nan" not in text and "<dd>nan" not in text
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', text) == []
    assert not re.search(r"\bnan\b|\binf\b", re.sub(r"<svg.*?</svg>|<pre>.*?</pre>", "", text, flags=re.DOTALL))


def test_every_kind_of_fit_has_a_card(fit):
    text = fit._repr_html_()
    assert {"script", "style", "svg"}.isdisjoint(elements(text))
    assert fit.verdict.value in text


def test_every_kind_of_fit_has_a_page_after_loading(fit, tmp_path):
    fit.save(tmp_path / "model.json")
    text = sf.load(tmp_path / "model.json").to_html()
    assert "rows are not available" in text
    assert fit.verdict.value in text
    elements(text)


def test_policy_forbids_to_fetch(tmp_path):
    text = sf.fit("customer ~ nist", OZONE).to_html(tmp_path / "report.html")
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in text
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [tmp_path / "report.html"]


def test_names_are_escaped_everywhere():
    nasty = '<b onclick="x">&amp;\'</b>'
    data = {nasty: [1.0, 2.0, 3.0, 4.5, 5.0], "y<script>": [1.0, 2.5, 3.0, 4.0, 5.5]}
    fit = sf.fit(f"`y<script>` ~ `{nasty}`", data)
    for text in (fit.to_html(), fit._repr_html_()):
        seen = elements(text)
        assert "b" not in seen[seen.index("table") :] or "<b onclick" not in text
        assert "<b onclick" not in text and "<script" not in text
        assert "&lt;b onclick=" in text


def test_aliased_coefficients_have_a_dash_and_a_note():
    text = sf.fit("y ~ x + double", table()).to_html()
    row = re.search(r'<tr><th scope="row">double.*?</tr>', text, re.DOTALL)
    assert row is not None
    assert "= 2*x" in row.group()
    assert row.group().count("—") == 5 or row.group().count("—") == 6
    assert "It is flat along" in text


def test_says_what_became_of_the_rows():
    text = sf.fit("y ~ gap", table(), weights="w").to_html()
    assert "<dt>rows read</dt><dd>40</dd>" in text
    assert "<dt>left out: a value was missing</dt><dd>8</dd>" in text
    assert "<dt>weights</dt><dd>w</dd>" in text


@pytest.mark.parametrize(
    ("options", "python", "command"),
    [
        (
            {},
            "sf.fit(&#39;customer ~ nist&#39;, &#39;ozone.csv&#39;)",
            "surefoot fit &#39;customer ~ nist&#39; ozone.csv",
        ),
        ({"errors": "HC3", "level": 0.9}, "errors=&#39;HC3&#39;, level=0.9)", "--errors HC3 --level 0.9"),
        ({"weights": "nist + 1"}, "weights=&#39;nist + 1&#39;", "--weights &#39;nist + 1&#39;"),
        ({"errors": "HAC", "lags": 3}, "errors=&#39;HAC&#39;, lags=3", "--errors HAC --lags 3"),
    ],
)
def test_says_how_to_do_it_again(options, python, command):
    text = sf.fit("customer ~ nist", OZONE, **options).to_html()
    assert python in text
    assert command in text


def test_page_without_pictures():
    assert "<svg" not in page(sf.fit("y ~ x", table()))


def test_a_page_that_cannot_be_written_is_a_sentence(tmp_path):
    with pytest.raises(DataError, match=r"could not be written to .*report\.html"):
        write_text(tmp_path / "absent" / "report.html", "text")
    folder = tmp_path / "folder.html"
    folder.mkdir()
    with pytest.raises(DataError, match="could not be written"):
        write_text(folder, "text")
    assert list(tmp_path.iterdir()) == [folder]


def test_too_few_rows_for_standard_errors():
    fit = sf.fit("y ~ x", {"x": [1.0, 2.0], "y": [3.0, 5.0]})
    text = fit.to_html()
    assert "no residual degrees of freedom" in text
    assert "There are no bands" in text
    fit.plot()
