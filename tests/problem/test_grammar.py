import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import ExpressionError
from surefoot.problem.grammar import parse
from surefoot.problem.graph import Apply, Name, Number, Text, fold

EXTRA = frozenset({"poly", "bs", "C", "Treatment", "contr.sum"})


def shape(node):
    """A graph as nested prefix text, the independent way to say what was meant."""

    def rule(current, parts):
        if isinstance(current, Number):
            return current.text
        if isinstance(current, Name):
            return current.name
        assert isinstance(current, Apply)
        return f"({' '.join([current.operation, *parts])})"

    return fold(node, rule)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("x^2 + 10*y^2", "(add (pow x 2) (mul 10 (pow y 2)))"),
        ("-x^2", "(neg (pow x 2))"),
        ("(-x)^2", "(pow (neg x) 2)"),
        ("2^-1", "(pow 2 (neg 1))"),
        ("2**-x^2", "(pow 2 (neg (pow x 2)))"),
        ("x^y^z", "(pow x (pow y z))"),
        ("x**y^z", "(pow x (pow y z))"),
        ("-x*y", "(mul (neg x) y)"),
        ("x*-y", "(mul x (neg y))"),
        ("a - b - c", "(sub (sub a b) c)"),
        ("a / b * c", "(mul (div a b) c)"),
        ("a - b*c", "(sub a (mul b c))"),
        ("a--b", "(sub a (neg b))"),
        ("+x + +1", "(add x 1)"),
        ("a + b < c*d", "(lt (add a b) (mul c d))"),
        ("not a == b and c", "(and (not (eq a b)) c)"),
        ("a or b and c", "(or a (and b c))"),
        ("a | b & c or d", "(or (or a (and b c)) d)"),
        ("a >= 1 & b != 2", "(and (ge a 1) (ne b 2))"),
        ("not not a", "(not (not a))"),
        ("a<=b", "(le a b)"),
        ("a>b", "(gt a b)"),
        ("log (x)^2", "(pow (log x) 2)"),
        ("asin(x) + ln(x)", "(add (arcsin x) (log x))"),
        ("atan2(y, x)", "(arctan2 y x)"),
        ("pow(x, 2)", "(pow x 2)"),
        ("min(a, b, c)", "(minimum (minimum a b) c)"),
        ("maximum(a, b)", "(maximum a b)"),
        ("where(x > 0, x, -x)", "(where (gt x 0) x (neg x))"),
        ("pi*e + log", "(add (mul pi e) log)"),
        ("Sepal.Length/2.", "(div Sepal.Length 2.)"),
        ("`my col`*`and`", "(mul my col and)"),
        (" \n\tx\n ", "x"),
        ("((x))", "x"),
    ],
)
def test_what_is_typed_is_what_is_meant(text, meaning):
    assert shape(parse(text)) == meaning


def test_numbers_keep_their_text():
    assert parse(".10") == Number(0.1, ".10")
    assert parse("1e-3") == Number(1e-3, "1e-3")
    assert parse("0e999") == Number(0.0, "0e999")


def test_equal_subexpressions_become_one_object():
    node = parse("exp(x + y) / (1 + exp(x + y))")
    assert isinstance(node, Apply)
    first, second = node.arguments
    assert isinstance(second, Apply)
    assert second.arguments[1] is first


def test_extra_functions_take_names_text_lists_and_bare_words():
    three = Number(3.0, "3")
    assert parse("poly(x, 3)", extra=EXTRA) == Apply("poly", (Name("x"), three))
    assert parse("poly()", extra=EXTRA) == Apply("poly", ())
    assert parse("bs(x, df=3, raw=True)", extra=EXTRA) == Apply(
        "bs", (Name("x"),), (("df", three), ("raw", Apply("True", ())))
    )
    assert parse("C(g, Treatment('b'))", extra=EXTRA) == Apply("C", (Name("g"), Apply("Treatment", (Text("b"),))))
    assert parse("C(g, levels=['a', \"it's\", -3, []])", extra=EXTRA) == Apply(
        "C",
        (Name("g"),),
        (
            (
                "levels",
                Apply("list", (Text("a"), Text("it's"), Apply("neg", (three,)), Apply("list", ()))),
            ),
        ),
    )
    assert parse("1 + contr.sum(log(x))", extra=EXTRA) == Apply(
        "add", (Number(1.0, "1"), Apply("contr.sum", (Apply("log", (Name("x"),)),)))
    )


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        (r"'a\'b'", "a'b"),
        (r'"a\"b"', 'a"b'),
        (r"'C:\data'", r"C:\data"),
        (r"'\\'", "\\"),
        ("'a\nb'", "a\nb"),
        ("''", ""),
    ],
)
def test_text_escapes_only_quotes_and_backslashes(literal, value):
    assert parse(f"C({literal})", extra=EXTRA) == Apply("C", (Text(value),))


@pytest.mark.parametrize("name", ["log", "min", "add", "list", "True"])
def test_an_extra_function_may_not_change_a_meaning(name):
    with pytest.raises(ValueError, match=name):
        parse("x", extra={name})


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("", 0, "empty"),
        ("   ", 0, "empty"),
        ("2x", 1, "write 2*x"),
        ("2 log(x)", 2, r"write 2*log(...)"),
        ("2(x + 1)", 1, "write 2*(...)"),
        ("(a)(b)", 3, "write (...)*(...)"),
        ("x y", 2, "no operator between x and y"),
        ("C('a' 'b')", 6, "a comma"),
        ("x = 3", 2, "write =="),
        ("x =< 3", 2, "<="),
        ("x < = 3", 4, "<="),
        ("where(x = 3, 1, 2)", 6, "write =="),
        ("1 + lgo(x)", 4, "did you mean log"),
        ("1 + polly(x)", 4, "did you mean poly"),
        ("LOG(x)", 0, "did you mean log"),
        ("zzz(x)", 0, "There is no function zzz"),
        ("`log`(x)", 5, "no operator"),
        ("sin((x)", 3, "never closed"),
        ("x)", 1, "closes nothing"),
        ("C(['a')", 6, "write ] first"),
        ("x +", 3, "missing after +"),
        ("x + * y", 4, "missing between + and *"),
        ("x * / y", 4, "missing between * and /"),
        ("* x", 0, "missing before *"),
        ("not", 3, "missing after not"),
        ("2 * ()", 5, "nothing between"),
        ("C(x,)", 4, "missing between , and )"),
        ("C(,x)", 2, "missing between ( and ,"),
        ("log()", 0, "takes 1 argument; 0 are given"),
        ("log(x, 2)", 7, "takes 1 argument; 2 are given"),
        ("hypot(x)", 0, "takes 2 arguments; 1 is given"),
        ("min(x)", 0, "takes 2 arguments or more"),
        ("x, y", 1, "comma"),
        ("1,5", 1, "decimals take a point"),
        ("a < b < c", 6, "do not chain"),
        ("a == not b", 5, "parentheses"),
        ("a not b", 2, "no operator between a and not"),
        ("x # y", 2, "backticks"),
        ("x²", 1, "write ^2"),
        ("3 × y", 2, "write a product as *"),
        ("x\u200b + 1", 1, "ZERO WIDTH SPACE"),
        ("x[1]", 1, "Square brackets"),
        ("'a'", 0, "argument of a function"),
        ("1 + True", 4, "backticks"),
        ("log('a')", 4, "takes numbers"),
        ("log(x=2)", 4, "no named arguments"),
        ("bs(df=5, x)", 9, "without a name first"),
        ("bs(x, df=5, df=6)", 12, "twice"),
        ("'abc", 0, "never closed"),
        ("x + `abc", 4, "never closed"),
        ("x + ``", 4, "empty"),
        ("x^1e7", 2, "exponent is larger"),
        ("x^-1000001", 2, "exponent is larger"),
        ("pow(x, 1e7)", 7, "exponent is larger"),
        ("1 + 1e999", 4, "too large"),
        ("1 + 1e-999", 4, "too small"),
    ],
)
def test_errors_say_what_and_where(text, position, says):
    with pytest.raises(ExpressionError) as caught:
        parse(text, extra=EXTRA)
    error = caught.value
    assert says in error.reason
    assert error.position == position
    assert error.text == text
    assert error.__cause__ is None
    assert error.__context__ is None
    assert str(error).splitlines()[-1] == " " * (2 + position) + "^"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000, ")" * 5000, "-" * 5000, "-" * 5000 + "x", "(" * 5000 + "x" + ")" * 5000,
        "x" + "^x" * 4999, "not " * 2000 + "x", "sqrt(" * 101 + "x" + ")" * 101, "poly(" * 200 + ")" * 200,
        "C(" + "[" * 200 + "]" * 200 + ")", "x" * 10_001, "-(" * 60 + "x" + ")" * 60,
    ],
)  # fmt: skip
def test_hopeless_texts_are_refused_in_a_sentence(text):
    with pytest.raises(ExpressionError) as caught:
        parse(text, extra=EXTRA)
    assert caught.value.reason.endswith(".")


def test_the_bracket_that_is_one_too_many_is_shown():
    with pytest.raises(ExpressionError, match="nested more than 100") as caught:
        parse("(" * 5000)
    assert caught.value.position == 100


@pytest.mark.parametrize(
    "text", ["(" * 100 + "x" + ")" * 100, "-" * 100 + "x", "x" + "^x" * 100, "abs(" * 100 + "x" + ")" * 100]
)
def test_nesting_of_one_hundred_is_legal(text):
    parse(text)
    with pytest.raises(ExpressionError, match="nested"):
        parse(f"-({text})" if text[0] == "(" else f"exp({text})")


@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "&", "|"])
def test_a_chain_of_any_length_is_legal(sign):
    text = "x" + f"{sign}x" * 4999
    assert len(text) == 9999
    node, links = parse(text), 0
    while isinstance(node, Apply):
        node, links = node.arguments[0], links + 1
    assert links == 4999


def test_an_exponent_of_a_million_is_legal():
    assert shape(parse("x^1e6 + x^-1000000")) == "(add (pow x 1e6) (pow x (neg 1000000)))"


PIECES = [
    *("x", "y", "1", "2.5", "1e3", "+", "-", "*", "/", "^", "**", "(", ")", "[", "]", ",", "=", "==", "<"),
    *("and", "or", "not", "&", "|", "log(", "C(", "min(", "'a'", "True", "`a b`", "pi"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=25), st.sampled_from(["", " "]))
def test_any_text_gives_a_graph_or_an_expression_error(pieces, glue):
    text = glue.join(pieces)
    try:
        parse(text, extra=EXTRA)
    except ExpressionError as error:
        assert 0 <= error.position <= len(text)


@given(st.text(max_size=40))
def test_any_characters_give_a_graph_or_an_expression_error(text):
    try:
        parse(text)
    except ExpressionError as error:
        assert error.text == text


def test_lark_is_imported_at_the_first_parse_only():
    code = (
        "import sys, surefoot.problem.grammar as g; assert 'lark' not in sys.modules\n"
        "g.parse('x'); assert 'lark' in sys.modules; assert g._parser() is g._parser()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
