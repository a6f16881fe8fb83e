"""Typed functions: elements, sums, products and whole vectors, read and written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import ExpressionError
from surefoot.problem.floating import evaluate
from surefoot.problem.grammar import MAX_TERMS, parse, parse_function, parse_places, to_latex, to_text
from surefoot.problem.graph import Apply, Index, Name, Number, names

I09 = Index("i", 0, 9)
X = np.array([0.5, -1.5, 2.0, 3.0, -0.25, 1.25, 4.0, -3.5, 0.75, 2.5])


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def test_an_element_is_a_name_and_an_index():
    assert parse_function("x[3]") == Apply("element", (Name("x"), Number(3.0, "3")))
    assert parse_function("`my x` [0]") == Apply("element", (Name("my x"), Number(0.0, "0")))


def test_the_index_of_a_sum_is_bound_in_its_term_only():
    node = parse_function("sum(x[i], i=0..9) + i")
    assert node == Apply("add", (Apply("sum", (Apply("element", (Name("x"), I09)), I09)), Name("i")))
    assert names(node) == ("x", "i")


@pytest.mark.parametrize(
    "text",
    ["sum(x[i], i, 0, 9)", "sum(i=0..9, x[i])", "sum( x [ i ] , i = 0 .. 9 )", "sum(x[i], i=5-5..3*3)",
     "sum(x[i], `i`=0..9)"],
)  # fmt: skip
def test_other_spellings_of_a_sum(text):
    assert parse_function(text) == parse_function("sum(x[i], i=0..9)")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("sum(x[i]^2, i=0..9)", np.sum(X**2)),
        ("prod(x[i], i=0..9)", np.prod(X)),
        ("product(1 + x[i], i=2..4)", np.prod(1 + X[2:5])),
        ("sum(100*(x[i+1] - x[i]^2)^2 + (1 - x[i])^2, i=0..8)", rosenbrock(X)),
        ("sum(x[2*i]*x[9 - i], i=0..4)", np.sum(X[0:10:2] * X[9:4:-1])),
        ("sum(x[i]*x[j]*(i < j), i=0..9, j=0..9)", np.sum(np.triu(np.outer(X, X), 1))),
        ("sum(i*sum(x[i]*x[j]^i, j=1..3), i=0..2)", sum(i * X[i] * X[j] ** i for i in range(3) for j in range(1, 4))),
        ("sum(sum(x[i], i=0..3)*i, i=0..5)", np.sum(X[:4]) * 15),
        ("sum(sum(x[i], i=0..3), i=0..3)", np.sum(X[:4]) * 4),
        ("sum(sum(x[k], i=0..3), k=0..3)", np.sum(X[:4]) * 4),
        ("sum(prod(x[j + 3*i], j=0..2), i=0..2)", sum(np.prod(X[3 * i : 3 * i + 3]) for i in range(3))),
        ("sum(2, i=1..5) + prod(2, i=1..5) + prod(x[1], i=0..0)", 10 + 32 + X[1]),
        ("sum(k^2, k=-3..3)", 28),
        ("sum(x[i], i=0..9)/sum(y, i=0..9)", np.sum(X) / 20),
        ("sum(where(x[i] > 0, x[i], 0), i=0..9)", np.sum(X[X > 0])),
        ("sum(min(x[i], x[j], y), i=0..9, j=3..4)", sum(min(a, b, 2) for a in X for b in X[3:5])),
        ("x[0] + x[9]*y", X[0] + X[9] * 2),
    ],
)  # fmt: skip
def test_values_against_numpy_and_loops(text, value):
    node = parse_function(text)
    found = evaluate(node, {"x": X, "y": np.float64(2)})
    assert found.shape == ()
    np.testing.assert_allclose(found, value, rtol=1e-14)
    assert parse_function(to_text(node)) == node


def test_lanes_are_the_axes_behind_the_elements():
    lanes = np.random.default_rng(3).normal(size=(10, 3, 4))
    y = np.arange(4.0)
    found = evaluate(parse_function("sum(x[i]*x[j]*y, i=0..9, j=0..2) + x[1]"), {"x": lanes, "y": y})
    wanted = lanes.sum(axis=0) * lanes[:3].sum(axis=0) * y + lanes[1]
    np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-13)
    alone = evaluate(parse_function("sum(x[i]^2, i=0..9)"), {"x": lanes})
    np.testing.assert_allclose(alone, np.sum(lanes**2, axis=0), rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("sum(x[i]^2, i, 0, 10^9)", 12, "1,000,000,001 values; at most 1,000,000"),
        ("sum(x[i]^2, i=0..10^9)", 12, "at most 1,000,000"),
        ("1 + sum(x[i]*x[j], i=0..9999, j=0..9999)", 4, "100,000,000 terms"),
        ("sum(x[i], i=3..2)", 10, "upwards"),
        ("sum(x[i], i=0..n)", 10, "whole numbers"),
        ("sum(x[i], i=0..1.5)", 10, "whole numbers"),
        ("sum(x[i], i=3)", 10, "both ends, as in i=0..9"),
        ("sum(x[i], i)", 10, "takes one term and its index"),
        ("sum(x[i], 2, 0, 9)", 10, "is a name"),
        ("sum()", 0, "takes one term"),
        ("sum(x[i])", 4, "index of no sum here; write sum(..., i=0..9)"),
        ("1 + x[y]", 4, "index of no sum"),
        ("sum(x[i/2], i=0..9)", 4, "whole numbers"),
        ("x[0.5]", 0, "whole numbers"),
        ("x[-1]", 0, "counted from 0"),
        ("y + sum(x[i-1], i=0..9)", 8, "counted from 0"),
        ("x[1000000]", 0, "beyond 999,999"),
        ("sum(x[9000000000000000*i - 9000000000000000*i], i=0..9)", 4, "beyond 999,999"),
        ("x[0, 1]", 3, "One index goes between the brackets"),
        ("x[]", 2, "missing between [ and ]"),
        ("x[0][1]", 4, "index of a name"),
        ("(x + y)[0]", 7, "index of a name"),
        ("[1, 2]", 0, "index of a name"),
        ("x[0", 1, "never closed"),
        ("x[0] y", 5, "no operator"),
        ("x[0]y", 4, "write [...]*y"),
        ("sum(x[i], i=0..9, 3)", 18, "takes one term"),
        ("norm(x[i], i=0..9)", 11, "runs over no index; sum and prod do"),
        ("dot(x)", 0, "two vectors, as in dot(x, y)"),
        ("norm(x, y)", 8, "one vector"),
        ("log(x, i=0..9)", 7, "meaning only in sum and prod"),
        ("0..9", 1, "Two dots only stand between"),
        ("summ(x)", 0, "did you mean sum"),
        ("sum('a')", 4, "takes numbers"),
        ("norm(x=1)", 5, "no named arguments"),
        ("poly(x, 2)", 0, "no function poly"),
    ],
)
def test_errors_say_what_and_where(text, position, says):
    with pytest.raises(ExpressionError) as caught:
        parse_function(text)
    error = caught.value
    assert says in error.reason
    assert error.position == position
    assert error.__context__ is None


@pytest.mark.parametrize("text", ["x[0]", "sum(x)", "sum(x[i], i=0..9)", "dot(x, y)", "log(x, i=0..9)", "C(x, i=0..9)"])
def test_formulas_have_no_vectors(text):
    with pytest.raises(ExpressionError):
        parse(text, extra={"C"})
    assert parse("`x[0]`") == Name("x[0]")


def test_a_million_terms_are_legal():
    node = parse_function(f"sum(y*i, i=1..{MAX_TERMS})")
    assert evaluate(node, {"y": np.float64(1)}) == MAX_TERMS * (MAX_TERMS + 1) / 2


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("sum(i, 0 , 3, 3)", None),
        ("sum((x[i]),i=00..3)", "sum(x[i], i=0..3)"),
        ("sum(x[i]*y[j], i=0..3, j=-1+1..2)", "sum(sum(x[i]*y[j], j=0..2), i=0..3)"),
        ("sum(x[i], i=0..3)^2*-sum(x^2)", "sum(x[i], i=0..3)^2*-sum(x^2)"),
        ("sum(k, k=-2..-1)", "sum(k, k=-2..-1)"),
        ("dot( x,y)+mean(x)+norm(x)", "dot(x, y) + mean(x) + norm(x)"),
        ("`a b`[2]", "`a b`[2]"),
        ("sum(`a b`, `a b`=0..1)", "sum(`a b`, `a b`=0..1)"),
    ],
)
def test_text(typed, written):
    if written is None:
        with pytest.raises(ExpressionError):
            parse_function(typed)
    else:
        assert to_text(parse_function(typed)) == written
        assert parse_function(written) == parse_function(typed)


@pytest.mark.parametrize(
    ("typed", "latex"),
    [
        ("x[3]", "x_{3}"),
        ("x_1[3]", "{x_{1}}_{3}"),
        ("sum(x[i+1]^2, i=0..9)", r"\sum_{i = 0}^{9} x_{i + 1}^{2}"),
        ("2*sum(x[i] + 1, i=0..9)", r"2 \, \left(\sum_{i = 0}^{9} \left(x_{i} + 1\right)\right)"),
        ("y + sum(i*x[i], i=0..9)", r"y + \sum_{i = 0}^{9} i \, x_{i}"),
        ("prod(alpha[k], k=-1..1 + 0)", None),
        ("prod(alpha[k], k=1..2)", r"\prod_{k = 1}^{2} \alpha_{k}"),
        ("norm(x)", r"\left\lVert x\right\rVert"),
        ("sum(x^2)", r"\operatorname{sum}\left(x^{2}\right)"),
    ],
)
def test_latex(typed, latex):
    if latex is None:
        with pytest.raises(ExpressionError, match="counted from 0"):
            parse_function(typed)
    else:
        assert to_latex(parse_function(typed)) == latex


PIECES = [
    *("x", "y", "i", "j", "1", "2.5", "0", "10", "+", "-", "*", "/", "^", "(", ")", "[", "]", ",", "=", "..", "<"),
    *("log(", "sum(", "prod(", "norm(", "dot(", "mean(", "i=0..3", "j=1..2", "x[i]", "x[0]", "sum(x[i], i=0..3)"),
    *("not", "`a b`"),
    *("sum(x[i+j], i=0..2, j=1..2)", "where(", "'a'", "True", "pi", "1e9"),
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=25), st.sampled_from(["", " "]))
def test_any_text_gives_a_graph_or_an_expression_error(pieces, glue):
    text = glue.join(pieces)
    try:
        node = parse_function(text)
    except ExpressionError as error:
        assert 0 <= error.position <= len(text)
    else:
        assert parse_function(to_text(node)) == node
        assert to_latex(node).count("{") == to_latex(node).count("}")


@given(st.text(max_size=40))
def test_any_characters_give_a_graph_or_an_expression_error(text):
    for read in (parse_function, parse_places):
        try:
            read(text)
        except ExpressionError as error:
            assert error.text == text


LEAVES = st.sampled_from(["x[0]", "x[i]", "x[j+1]", "x[2*i+j]", "y", "i", "j", "pi", "2", "0.5", "`a b`"])


def _grown(inner):
    pairs = st.tuples(inner, st.sampled_from([" + ", "-", "*", "/", " < ", " and "]), inner)
    return (
        pairs.map(lambda parts: f"({''.join(parts)})")
        | inner.map(lambda text: f"-({text})")
        | inner.map(lambda text: f"({text})^2")
        | inner.map(lambda text: f"sum({text}, i=0..2)")
        | inner.map(lambda text: f"prod({text}, j=1..3)")
        | inner.map(lambda text: f"sum({text}, i=0..1, j=0..2)")
        | inner.map(lambda text: f"norm({text})")
    )


FUNCTIONS = st.recursive(LEAVES, _grown, max_leaves=8).map(lambda text: f"sum({text}, i=0..2, j=0..2)")


@given(FUNCTIONS)
def test_text_is_read_back_as_the_same_graph(text):
    node = parse_function(text)
    assert parse_function(to_text(node)) == node
    assert to_text(parse_function(to_text(node))) == to_text(node)


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("", 0, "empty"),
        ("1, 2", 0, "Name each value"),
        ("x", 1, "Name each value"),
        ("x 1", 2, "no operator"),
        ("x=1 y=2", 4, "no operator"),
        ("x=1; y=2", 3, "only one expression"),
        ("x=", 2, "missing after ="),
        ("x==1", 1, "single ="),
        ("x=1,", 4, "Name each value"),
        ("x=1,,y=2", 4, "Name each value"),
        ("x=[1,2", 2, "never closed"),
        ("x[a]=1", 2, "An index is a whole number"),
        ("x[1.5]=1", 2, "whole number"),
        ("x[12345678]=1", 2, "whole number"),
        ("x=1, 2, 3", 5, "Name each value"),
        ("x=(1", 2, "never closed"),
        ("x=1+", 4, "missing after"),
        ("x=1=2", 3, "Name each value"),
        ("x=[]", 3, "missing between"),
        ("log(x)=1", 0, "Name each value|missing"),
    ],
)
def test_places_that_cannot_be_read(text, position, says):
    with pytest.raises(ExpressionError, match=says) as caught:
        parse_places(text)
    assert caught.value.position == position
    assert caught.value.__context__ is None


PLACE_PIECES = [
    "x",
    "y",
    "pi",
    "inf",
    "1",
    "2.5",
    "-",
    "/",
    "^",
    "(",
    ")",
    "[",
    "]",
    ",",
    "=",
    "..",
    "x=1",
    "y=[1,2]",
    "x=-pi..pi",
]


@given(st.lists(st.sampled_from(PLACE_PIECES), max_size=15))
def test_any_places_are_read_or_refused(pieces):
    text = "".join(pieces)
    try:
        parse_places(text)
    except ExpressionError as error:
        assert 0 <= error.position <= len(text)
