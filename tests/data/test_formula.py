"""The algebra of formulas: what each notation stands for, that both ways agree, and errors that point at the place."""

import re

import patsy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.data import formula as room
from surefoot.data.formula import parse_formula
from surefoot.errors import ExpressionError, FormulaError, ModelError, SurefootError

COLUMNS = ["y", "x", "a", "b", "my col"]


def labels(text, columns=COLUMNS):
    return [term.label for term in parse_formula(text, columns).terms]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y ~ x", "x"),
        ("y~x", "x"),
        ("y ~ 1", ""),
        ("y ~ 0", "0"),
        ("y ~ 0 + x", "0 x"),
        ("y ~ x + 0", "0 x"),
        ("y ~ x - 1", "0 x"),
        ("y ~ -1 + x", "0 x"),
        ("y ~ x + -1", "0 x"),
        ("y ~ 0 + x + 1", "x"),
        ("y ~ a*b", "a b a:b"),
        ("y ~ a:b", "a:b"),
        ("y ~ a:b + b:a", "a:b"),
        ("y ~ a*b - a:b", "a b"),
        ("y ~ a + a", "a"),
        ("y ~ a:a", "a"),
        ("y ~ (a + b + x)^2", "a b x a:b a:x b:x"),
        ("y ~ (a + b + x)**2", "a b x a:b a:x b:x"),
        ("y ~ a/b", "a a:b"),
        ("y ~ a/(b + x)", "a a:b a:x"),
        ("y ~ (a + b):x", "a:x b:x"),
        ("y ~ a*b*x", "a b x a:b a:x b:x a:b:x"),
        ("y ~ ((a)) + (b)", "a b"),
        ("y ~ .", "x a b `my·col`"),
        ("y ~ . - a", "x b `my·col`"),
        ("log(y) ~ . - `my col`", "x a b"),
        ("a + b ~ .", "y x `my·col`"),
        ("y ~ I(x^2)", "I(x^2)"),
        ("y ~ I(x**2)", "I(x^2)"),
        ("y ~ I(x^2) + I(x**2)", "I(x^2)"),
        ("y ~ log(x)", "log(x)"),
        ("y ~ center(x) + scale(a)", "center(x) scale(a)"),
        ("y ~ größe*a", "größe a größe:a"),
        ("y ~ x.1 + a.b", "x.1 a.b"),
        ("y ~ `my col`", "`my·col`"),
        ("y ~ `my col`*a", "`my·col` a `my·col`:a"),
        ("y ~ `x + 1`:a", "`x·+·1`:a"),
        ("y ~ C(g, Treatment('b'))", "C(g,·Treatment('b'))"),
        ('y ~ C(g, Treatment("b")):x', "C(g,·Treatment('b')):x"),
        ("y ~ poly(x,3)*C(g,Sum)", "poly(x,·3) C(g,·Sum) poly(x,·3):C(g,·Sum)"),
        ("y ~ bs(x, df=5) + a:b", "bs(x,·df=5) a:b"),
        ("y ~ offset(a) + x", "x"),
        ("y ~ x*a + offset(log(b))", "x a x:a"),
    ],
)
def test_what_a_formula_means(text, expected):
    assert labels(text) == [
        *([] if expected.startswith("0 ") or expected == "0" else ["(Intercept)"]),
        *(one.replace("·", " ") for one in re.sub(r"^0( |$)", "", expected).split()),
    ]


def test_responses_and_offsets():
    parsed = parse_formula("log(y + 1) ~ x + offset(log(a)) + offset(b)", COLUMNS)
    assert [str(room.to_text(one)) for one in (parsed.response, *parsed.offsets)] == ["log(y + 1)", "log(a)", "b"]
    assert room.to_text(parse_formula("`my col` ~ x", COLUMNS).response) == "`my col`"
    assert labels("y ~ offset(x) + a*b") == ["(Intercept)", "a", "b", "a:b"]


def test_names_with_backticks_inside():
    parsed = parse_formula("y ~ `a``b`", ["y", "a`b"])
    assert parsed.terms[1].factors[0].name == "a`b"
    assert [term.factors[0].name for term in parse_formula("y ~ .", ["y", "a`b", "1 + 1", "~"]).terms[1:]] == [
        "a`b",
        "1 + 1",
        "~",
    ]


def test_terms_come_by_degree_and_otherwise_as_written():
    assert labels("y ~ b:a + x + a") == ["(Intercept)", "x", "a", "b:a"]
    assert labels("y ~ x:a:b + b:a + b + 1") == ["(Intercept)", "b", "b:a", "x:a:b"]


# The short way and the long way -------------------------------------------------------------------------------------

SIMPLE = st.sampled_from(
    ["x", "a", "`my col`", "größe", "x.1", "log(x)", "I(x^2)", "I(a + b)", "poly(x, 3)", "bs(a, df=5)", "C(b)",
     "C(g, Treatment('b'))", 'C(g, Treatment("a+b"))', "scale(x)", "offset(b)", "I((a + 1)*(b - 2))", "exp(-x)",
     "0", "1"]
)  # fmt: skip
SPACE = st.sampled_from(["", " "])


@given(
    st.lists(st.tuples(SPACE, st.one_of(SIMPLE, st.just(".")), SPACE), min_size=1, max_size=7),
    st.sampled_from(["", "- 1", "-0", " -1 + x"]),
)
def test_the_short_way_and_the_long_way_agree(pieces, tail):
    """A sum of factors is understood the same with and without formulaic's algebra."""
    right = "+".join(before + piece + after for before, piece, after in pieces) + tail
    text, others = f"y ~{right}", ["u", "my col"]
    short = room._sum_of_factors(right, text, 3, others)
    assert short is not None
    long = room._algebra(right, text, 3, others)
    # The long way has each term once, and the intercept wherever it puts it.
    assert set(short) == set(long)
    assert list(dict.fromkeys(one for one in short if one.factors)) == [one for one in long if one.factors]


@pytest.mark.parametrize(
    ("text", "position"), [("y ~ x^2", 5), ("y ~ a + log(x) ** 2", 15), ("y ~ `my col`^2", 12), ("y ~ (a + b):x^3", 13)]
)
def test_the_power_of_a_single_factor_is_refused(text, position):
    """It means x crossed with itself, which is x: fitting that in silence would be a trap."""
    with pytest.raises(FormulaError, match=r"write I\(x\^2\) for the square") as caught:
        parse_formula(text, ["x", "a", "b"])
    assert caught.value.position == position


def test_a_power_of_a_sum_and_of_an_argument_are_fine():
    labels = [term.label for term in parse_formula("y ~ (a + b)^2 + I(x^2) + log(x^2)", []).terms]
    assert labels == ["(Intercept)", "a", "b", "I(x^2)", "log(x^2)", "a:b"]


def test_the_dot_leaves_out_columns_that_have_a_part_of_their_own():
    import surefoot as sf

    table = {"y": [1.0, 2.0, 4.0, 5.0], "x": [1.0, 2.0, 3.0, 5.0], "w": [1.0, 2.0, 1.0, 2.0]}
    assert sf.fit("y ~ .", table, weights="w").names == ("(Intercept)", "x")


NAMES = st.sampled_from(["a", "b", "c", "log(a)", "I(b^2)", "`my col`"])
ALGEBRA = st.recursive(
    NAMES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", ":", "*", "/"]), inner).map("".join),
        inner.map("({})".format),
        inner.map("({})^2".format),
        st.tuples(inner, st.just(" - "), NAMES).map("".join),
    ),
    max_leaves=5,
)


@given(ALGEBRA, st.sampled_from(["", "0 + ", "1 + "]))
def test_the_algebra_is_that_of_patsy(right, intercept):
    """The terms as sets of factors, against another library's parser."""
    text = f"y ~ {intercept}{right}"
    try:
        terms = parse_formula(text, COLUMNS).terms
    except FormulaError as error:
        # A product with nothing, (a - a):b, is refused with a sentence; nothing else is.
        assert "its terms cancel" in str(error)
        return
    found = [frozenset(map(room.to_text, term.factors)) for term in terms]
    spelling = f"{intercept}{right}".replace("`my col`", "Q('my col')").replace("^", "**")
    theirs = patsy.ModelDesc.from_formula(spelling)
    spelt = {"Q('my col')": "`my col`", "I(b ** 2)": "I(b^2)"}
    expected = [frozenset(spelt.get(one.name(), one.name()) for one in term.factors) for term in theirs.rhs_termlist]
    assert set(found) == set(expected)
    assert len(found) == len(set(found))
    assert [len(one) for one in found] == sorted(len(one) for one in found)


@given(st.text(alphabet="xyab01~+-*:/^()|,.'\"` #={}[]\\\n", max_size=24))
def test_any_text_is_a_formula_or_a_sentence(text):
    """Nothing but a FormulaError comes out, and it points inside the text."""
    try:
        parsed = parse_formula(f"y ~ {text}", COLUMNS)
    except FormulaError as error:
        assert error.text == f"y ~ {text}"
        assert 0 <= error.position <= len(error.text)
        assert error.__cause__ is None
        assert error.__suppress_context__ or error.__context__ is None
    except SurefootError as error:
        assert isinstance(error, ModelError)
    else:
        assert all(isinstance(term.label, str) for term in parsed.terms)


# Errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "caret", "words"),
    [
        ("y x", 3, "needs a '~'"),
        ("", 0, "needs a '~'"),
        ("y ~ x ~ z", 6, "one '~' only"),
        ("~ x", 0, "response is missing"),
        ("y ~ ", 4, "nothing on the right"),
        ("y ~ (a + b", 4, "never closed"),
        ("y ~ a + b)", 9, "closes nothing"),
        ("y ~ (a]", 6, "closes nothing"),
        ("y ~ log(x", 7, "never closed"),
        ("y ~ `my col", 4, "never closed"),
        ("y ~ foo(x)", 4, "no function foo"),
        ("y ~ a*b + foo(x)", 10, "no function foo"),
        ("y ~ x + lgo(x)", 8, "did you mean log"),
        ("lgo(y) ~ x", 0, "did you mean log"),
        ("y ~ a b", 4, "Missing operator"),
        ("y ~ a +", 6, "insufficient arguments"),
        ("y ~ 2*x", 4, "I(2*x)"),
        ("y ~ x + 2", 8, "I(2*x)"),
        ("y ~ x + I(2x)", 11, "2*x"),
        ("y ~ (a + b)^x", 12, "positive integer"),
        ("y ~ a | b", 3, "several parts"),
        ("y ~ log(x, 2)", 11, "takes 1 argument"),
        ("y ~ x + log(+)", 13, "value is missing"),
        ("y + ~ x", 3, "value is missing"),
    ],
)
def test_errors_point_at_the_place(text, caret, words):
    with pytest.raises(FormulaError) as caught:
        parse_formula(text, COLUMNS)
    assert words in str(caught.value)
    assert caught.value.position == caret
    last = str(caught.value).splitlines()[-1]
    assert last.index("^") - 2 == caret
    assert not isinstance(caught.value, ExpressionError)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_long_formula_is_shown_around_the_place():
    text = "y ~ " + " + ".join(f"column{k}" for k in range(60)) + " + lgo(x)"
    with pytest.raises(FormulaError) as caught:
        parse_formula(text, COLUMNS)
    shown, caret = str(caught.value).splitlines()[-2:]
    assert len(shown) < 90
    assert shown[caret.index("^") :].startswith("lgo(x)")


@pytest.mark.parametrize("text", ["y ~ offset()", "y ~ offset(a, b) + x"])
def test_an_offset_takes_one_expression(text):
    with pytest.raises(ModelError, match="offset takes one expression"):
        parse_formula(text, COLUMNS)
