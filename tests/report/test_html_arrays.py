"""The page, card and figure of every kind of fit of arrays."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import surefoot as sf
from surefoot.errors import ModelError

RNG = np.random.default_rng(11)
A = np.column_stack([np.ones(50), RNG.uniform(0, 3, 50), RNG.normal(size=50)])
B = A @ [1.0, -0.5, 2.0] + 0.3 * RNG.normal(size=50)

KINDS = {
    "plain": (A, {}),
    "two columns, compared": (A[:, :2], {"compare": True}),
    "compared": (A, {"compare": True}),
    "one column": (A[:, 1:2], {}),
    "exact": (A, {"exact": True}),
    "weights": (A, {"weights": np.linspace(0.5, 2, 50)}),
    "ridge": (A, {"ridge": 3.0}),
    "bounds": (A, {"bounds": (0, np.inf)}),
    "equalities": (A, {"equalities": ([[1.0, 1.0, 1.0]], [2.0])}),
    "minimum norm": (np.column_stack([A, A[:, 1]]), {}),
    "dropped": (np.column_stack([A, A[:, 1]]), {"rank_deficient": "drop"}),
    "square": (A[:3], {}),
    "many columns": (RNG.normal(size=(50, 40)), {"compare": True}),
    "huge": (A * 1e200, {"compare": True}),
    "tiny": (A * 1e-200, {}),
    "single precision": (A.astype(np.float32), {}),
    "names to escape": (A[:, :2], {"names": ["<b>$x$</b>", "a & b"], "compare": True}),
}


@pytest.fixture(params=KINDS, scope="module")
def fit(request):
    matrix, options = KINDS[request.param]
    return sf.lstsq(matrix, B[: len(matrix)], **options)


class Nesting(HTMLParser):
    """Elements must nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in {"meta", "link", "use", "path", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in {"meta", "link", "use", "path", "br"}:
            assert self.open.pop() == tag


def elements(text: str) -> list[str]:
    reader = Nesting()
    reader.feed(text)
    assert reader.open == []
    return reader.seen


@pytest.mark.filterwarnings("error")
def test_every_kind_has_a_page_a_card_and_a_figure(fit):
    text = fit.to_html()
    seen = elements(text)
    assert "script" not in seen
    assert fit.verdict.value in text
    assert not re.search(r"\bnan\b|\binf\b", re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL))
    assert ("Two roads, side by side" in text) == (fit.roads is not None)
    card = fit._repr_html_()
    assert {"script", "style", "svg", "b"} & set(elements(card)) == {"b"}
    assert "<b>$x$" not in card and "<b>$x$" not in text
    fit.plot().savefig("/dev/null", format="png")


def test_a_page_has_the_numbers_of_the_fit(tmp_path):
    fit = sf.lstsq(A[:, :2], B, names=["level", "slope"], compare=True)
    text = fit.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == text
    assert f"its cosine squared, {fit.r2:.6f}, is R²" in text
    assert f"residual {np.linalg.norm(fit.residuals()):.6g}" in text
    row = re.search(r'<th scope="row">slope.*?</tr>', text, re.DOTALL)
    assert row is not None and f"<td>{fit.coef[1]:.6f}".replace("-", "−") in row.group()
    assert text.count("<figure") == 3


def test_no_right_angle_where_a_penalty_or_a_bound_tilts_the_residual():
    title = "The residual at a right angle"
    assert title in sf.lstsq(A, B).to_html()
    assert title not in sf.lstsq(A, B, ridge=3.0).to_html()
    held = sf.lstsq(A, B, bounds=(0, np.inf), names=["one", "down", "up"])
    text = held.to_html()
    assert title not in text
    value = f"{held.multipliers.bounds[1]:.6g}"
    assert f"<dt>down, at its lower bound</dt><dd>{value}</dd>" in text


def test_weights_make_the_triangle():
    from surefoot.models.array_picture import gather_arrays

    weights = np.linspace(0.5, 2, 50)
    fit = sf.lstsq(A, B, weights=weights)
    found = gather_arrays(fit, fit._solution(0)).perpendicular
    mean = weights @ B / weights.sum()
    assert found is not None and found.centred
    assert found.response == pytest.approx(math.sqrt(weights @ (B - mean) ** 2))
    assert found.residual == pytest.approx(math.sqrt(weights @ fit.residuals() ** 2))


def test_several_right_hand_sides_have_a_card_and_no_page():
    fit = sf.lstsq(A, np.column_stack([B, 2 * B]))
    assert "of shape (3, 2)" in fit._repr_html_()
    with pytest.raises(ModelError, match="one right-hand side"):
        fit.to_html()
    with pytest.raises(ModelError, match="one right-hand side"):
        fit.plot()


def test_a_long_table_is_cut_and_says_so():
    matrix = RNG.normal(size=(400, 350))
    fit = sf.lstsq(matrix, matrix.sum(axis=1) + RNG.normal(size=400))
    assert "The first 300 of 350 coefficients; the others are in fit.coef." in fit.to_html()
    assert "The first 20 of 350 coefficients" in fit._repr_html_()
