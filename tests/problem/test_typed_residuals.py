"""Residuals as they are typed: read as NumPy reads them, matched with start and data, errors at their place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.errors import DataError, ExpressionError, OptionError
from surefoot.problem.residual import residuals_of

T, Y = np.arange(5.0), np.array([5.0, 3.1, 1.8, 1.1, 0.7])


@pytest.mark.parametrize(
    "texts, start, data, by_hand",
    [
        (["10*(y - x^2)", "1 - x"], "x=-1.2, y=1", None, lambda p: [10 * (p[1] - p[0] ** 2), 1 - p[0]]),
        ("x - 3", "x=1", None, lambda p: [p[0] - 3]),
        ("y - a*exp(-b*t)", "a=1, b=0.3", {"t": T, "y": Y}, lambda p: Y - p[0] * np.exp(-p[1] * T)),
        ("y[i] - a*exp(-b*t[i]), i=0..4", "a=1, b=0.3", {"t": T, "y": Y}, lambda p: Y - p[0] * np.exp(-p[1] * T)),
        (["x[i+1] - x[i]^2, i=0..3", "x[0] - 1"], {"x": [1, 2, 3, 4, 5]}, None,
         lambda x: [*(x[1:] - x[:-1] ** 2), x[0] - 1]),
        ("x[i]*j - k, i=0..1, j=1..3", {"k": 0.5, "x": [1, 2]}, None,
         lambda p: (np.outer(p[1:], [1, 2, 3]) - p[0]).ravel()),
        ("x[0]*j - x[1]*i*i, j=1..2, i=1..3", {"x": [1, 2]}, None,
         lambda x: [x[0] * j - x[1] * i * i for j in (1, 2) for i in (1, 2, 3)]),
        (["2, j=1..3", "x"], "x=1", None, lambda p: [2, 2, 2, p[0]]),
        (["sum(x^2) - 1", "x^2"], {"x": [1, 2, 3]}, None, lambda x: [x @ x - 1, *x**2]),
        ("sum(x[i]*k, i=0..1) - k, k=1..3", {"x": [1, 2]}, None, lambda x: [(x.sum() - 1) * k for k in (1, 2, 3)]),
        ("sum(x) - s*pi", {"x": [1, 2], "s": 3}, None, lambda x: [x[0] + x[1] - x[2] * np.pi]),
    ],
)  # fmt: skip
def test_they_are_what_is_written_by_hand(texts, start, data, by_hand):
    residuals, x = residuals_of(texts, start, args=() if data is None else data)
    for shift in (0.0, 0.7):
        r, J = residuals.see(x + shift)
        assert r == pytest.approx(np.asarray(by_hand(x + shift), float), rel=1e-14, abs=1e-14)
        ahead, behind = (np.array([by_hand(x + shift + h * e) for e in np.eye(len(x))]) for h in (1e-6, -1e-6))
        assert np.asarray(J) == pytest.approx(((ahead - behind) / 2e-6).T.reshape(J.shape), rel=1e-6, abs=1e-6)
    assert residuals.source == "text" and residuals.exact and residuals.exact_curvature


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 3), st.randoms())
def test_the_first_index_runs_slowest(rows, columns, first, random):
    x = [random.uniform(-2, 2) for _ in range(rows + first)]
    residuals, flat = residuals_of(
        [f"x[i]*(j+1) - i, i={first}..{first + rows - 1}, j=0..{columns - 1}", "sum(x) - 1"], {"x": x}
    )
    expected = [x[i] * (j + 1) - i for i in range(first, first + rows) for j in range(columns)]
    assert residuals.at(flat) == pytest.approx([*expected, sum(x) - 1], abs=1e-12)


def test_a_long_chain_is_sparse():
    n = 400
    residuals, x = residuals_of([f"10*(x[i+1] - x[i]^2), i=0..{n - 2}", f"1 - x[i], i=0..{n - 2}"], {"x": [0.5] * n})
    assert residuals.is_sparse and residuals.see(x)[1].nnz <= 3 * n


@pytest.mark.parametrize(
    "texts, start, data, words, place",
    [
        (["x - ", "y"], "x=1, y=2", None, "missing after -", 3),
        (["x", "y + z"], "x=1, y=2", None, "Nothing is given to z", 4),
        (["x[i] - q, i=0..3"], "x=[1,2,3,4]", None, "Nothing is given to q", 7),
        (["x"], "x=1, y=2", None, "no residual uses it", 5),
        (["x"], "x=1", "t=3", "no residual uses it", 0),
        (["x, y"], "x=1, y=2", None, "give several residuals one by one", 1),
        (["x[i] - 1, i=0..5"], "x=[1,2]", None, "beyond the end", 0),
        (["x[i] - 1, i=0..1"], "x=[1,2,3]", None, "no residual uses it; shorten x", 0),
        (["x[i] - 1, i=0..k"], "x=[1,2]", None, "ends of i are whole numbers", 10),
        (["x + t"], "x=[1,2]", "t=[1,2,3]", "must have the same length", 0),
        (["(x - 1"], "x=1", None, "never closed", 0),
        (["x - 1, i=0..3)"], "x=1", None, "closes nothing", 13),
        (["pi"], "x=1", None, "no variables", 0),
    ],
)
def test_errors_point_at_the_text_they_are_in(texts, start, data, words, place):
    with pytest.raises(ExpressionError, match=words) as caught:
        residuals_of(texts, start, args=() if data is None else data)
    assert caught.value.position == place
    assert caught.value.text in (*texts, start, data)


@pytest.mark.parametrize("texts, start, options, kind", [
    ([], "x=1", {}, OptionError), (["x", 3], "x=1", {}, OptionError),
    (["x + t"], "x=1, t=2", {"args": "t=3"}, OptionError),
    (["x"], "x=1", {"jac": lambda x: x}, OptionError), (["x"], "x=1", {"args": (1.0,)}, OptionError),
    (["x"], {"x": "a"}, {}, DataError), (["x + t"], "x=1", {"args": {"t": "a"}}, DataError),
])  # fmt: skip
def test_other_calls_that_make_no_sense(texts, start, options, kind):
    with pytest.raises(kind):
        residuals_of(texts, start, **options)
