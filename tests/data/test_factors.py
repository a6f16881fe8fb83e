"""Factors on frames that the fit did not see, and what they look like in a file."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.data.factors import Category, Number, Polynomial, Spline, from_state, read_number
from surefoot.data.frame import Coded, Frame
from surefoot.errors import ModelError
from surefoot.problem.grammar import parse

X = parse("x")
LEVELS = ("a", "b", "c", "d")


def frame(**columns):
    rows = {len(one.codes if isinstance(one, Coded) else one) for one in columns.values()}
    (count,) = rows
    return Frame(columns, count)


def category(contrast="Treatment", reference=None, levels=LEVELS, values=None):
    return Category("g", "g", levels, values, contrast, reference)


def coded(text, labels=None):
    labels = tuple(dict.fromkeys(one for one in text if one != "?")) if labels is None else labels
    return Coded(np.array([labels.index(one) if one in labels else -1 for one in text]), labels)


ONE_OF_EACH = frame(g=coded("abcd"))


def test_contrasts_are_those_of_r():
    assert category().columns(ONE_OF_EACH, False).tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert category(reference="c").columns(ONE_OF_EACH, False).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert category("Sum").columns(ONE_OF_EACH, False).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -1, -1]]
    assert category("Helmert").columns(ONE_OF_EACH, False).tolist() == [
        [-1, -1, -1],
        [1, -1, -1],
        [0, 2, -1],
        [0, 0, 3],
    ]
    for contrast in ("Treatment", "Sum", "Helmert"):
        assert category(contrast).columns(ONE_OF_EACH, True).tolist() == np.eye(4).tolist()


def test_names_say_which_level():
    assert category(reference="b").names(False) == ("g[T.a]", "g[T.c]", "g[T.d]")
    assert category("Sum").names(False) == ("g[S.a]", "g[S.b]", "g[S.c]")
    assert category("Helmert").names(False) == ("g[H.b]", "g[H.c]", "g[H.d]")
    assert category("Sum").names(True) == ("g[a]", "g[b]", "g[c]", "g[d]")


@given(st.permutations(LEVELS), st.lists(st.sampled_from("abcd?x"), min_size=1, max_size=20))
def test_positions_do_not_depend_on_how_a_batch_numbers_its_labels(order, text):
    labels = (*order, "x")
    found = category().positions(frame(g=coded(text, labels)))
    assert found.tolist() == [LEVELS.index(one) if one in LEVELS else -1 for one in text]


def test_levels_that_the_fit_did_not_see():
    new = frame(g=coded("xa?xy"))
    assert category().positions(new).tolist() == [-1, 0, -1, -1, -1]
    assert category().unknown(new) == {"x": 2, "y": 1}
    numbers = category(levels=("1", "2.5"), values=(1.0, 2.5))
    found = frame(g=np.array([2.5, 1.0, 7.0, np.nan, 7.0]))
    assert numbers.positions(found).tolist() == [1, 0, -1, -1, -1]
    assert numbers.unknown(found) == {"7": 2}


def test_a_polynomial_beyond_its_rows_is_the_same_polynomial():
    """Its columns at new points are polynomials of degree 1, 2, 3, and zero where nothing else would be."""
    made = Polynomial("p", X, (5.5, 5.5, 5.5), (10.0, 82.5, 528.0, 3088.8))
    x = np.linspace(-20, 30, 51)
    columns = made.columns(frame(x=x), False)
    for degree in (1, 2, 3):
        fitted = np.polynomial.Polynomial.fit(x, columns[:, degree - 1], degree)
        np.testing.assert_allclose(fitted(x), columns[:, degree - 1], atol=1e-9)
    at_one = made.columns(frame(x=np.array([1.0])), False)[0]
    np.testing.assert_allclose(at_one, [-0.49543369, 0.52223297, -0.45342519], atol=5e-9)


def test_a_spline_sums_to_one_and_goes_on_beyond_its_knots():
    knots = (0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 3.0, 3.0, 3.0)
    whole = Spline("s", X, knots, 3, True)
    x = np.linspace(-1, 4, 41)
    np.testing.assert_allclose(whole.columns(frame(x=x), False).sum(axis=1), 1, atol=1e-12)
    without = Spline("s", X, knots, 3, False)
    np.testing.assert_array_equal(without.columns(frame(x=x), False), whole.columns(frame(x=x), False)[:, 1:])
    assert without.names(False) == tuple(f"s[{k}]" for k in range(5))
    # Beyond the last knot: the cubic of the last piece.
    inside, beyond = np.linspace(2, 3, 9), np.linspace(3, 4, 9)
    for k in range(6):
        piece = np.polynomial.Polynomial.fit(inside, whole.columns(frame(x=inside), False)[:, k], 3)
        np.testing.assert_allclose(whole.columns(frame(x=beyond), False)[:, k], piece(beyond), atol=1e-9)


def test_missing_values_stay_missing():
    gaps = frame(x=np.array([1.0, np.nan, 2.0]))
    for made in (
        Number("x", X),
        Polynomial("p", X, (1.5,), (2.0, 0.5)),
        Spline("s", X, (1.0, 1.0, 2.0, 2.0), 1, True),
    ):
        columns = made.columns(gaps, False)
        assert np.isnan(columns[1]).all()
        assert np.isfinite(columns[[0, 2]]).all()


def test_no_rows():
    empty = frame(x=np.zeros(0), g=Coded(np.zeros(0, np.int64), ()))
    assert Number("x", X).columns(empty, False).shape == (0, 1)
    assert category().columns(empty, False).shape == (0, 3)
    assert Polynomial("p", X, (1.5, 1.5), (2.0, 0.5, 0.1)).columns(empty, False).shape == (0, 2)
    assert Spline("s", X, (1.0, 1.0, 2.0, 2.0), 1, True).columns(empty, False).shape == (0, 2)


@pytest.mark.parametrize(
    "made",
    [
        Number("I(2*x^2)", parse("2*x^2")),
        category("Helmert"),
        category(reference="b"),
        category(levels=("0.1", "3"), values=(0.1, 3.0)),
        Polynomial("poly(x, 2)", parse("log(x)"), (0.1, 1 / 3), (10.0, 82.5, 528.0)),
        Spline("bs(x, df=3)", X, (0.1, 0.1, 2 / 3, 2 / 3), 1, False),
    ],
)
def test_a_factor_comes_back_from_a_file_bit_for_bit(made):
    assert from_state(json.loads(json.dumps(made.state()))) == made


def test_a_factor_from_the_future():
    with pytest.raises(ModelError, match="kind 'wavelet', which this version does not know"):
        from_state({"kind": "wavelet"})


def test_an_expression_without_a_column_is_a_constant_column():
    assert read_number(parse("2 + 1"), frame(x=np.zeros(3))).tolist() == [3, 3, 3]
