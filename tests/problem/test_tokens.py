import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import ExpressionError
from surefoot.problem.tokens import quote, tokenize, unquote


@given(st.text(min_size=1))
def test_any_name_can_be_quoted(name):
    (token,) = tokenize(quote(name))
    assert token.kind == "NAME"
    assert unquote(token.text) == name


@pytest.mark.parametrize("name", ["x", "_x1", "Sepal.Length", "größe", "温度", "x₁", "e", "pi", "log"])
def test_plain_names_need_no_backticks(name):
    assert quote(name) == name
    assert [token.text for token in tokenize(name)] == [name]


@pytest.mark.parametrize("name", ["my col", "and", "True", "1st", "a-b", "x²", ".x", "a`b"])
def test_other_names_do(name):
    assert quote(name).startswith("`")


@pytest.mark.parametrize("text", ["1", ".5", "2.", "1e-3", "1.5E+10", "007"])
def test_one_number_is_one_token(text):
    assert [(token.kind, token.text) for token in tokenize(text)] == [("NUMBER", text)]


def test_starts_count_characters():
    assert [token.start for token in tokenize("  é **2\n+ `a b`")] == [2, 4, 6, 8, 10]


@given(st.text(alphabet="x1 .e+-*/^()[],='\"`<&²\\é\u200b", max_size=30))
def test_tokens_cover_the_text_or_the_place_is_named(text):
    try:
        tokens = tokenize(text)
    except ExpressionError as error:
        assert 0 <= error.position <= len(text)
        assert error.reason.endswith((".", ")"))
    else:
        kept = "".join(text[token.start : token.start + len(token.text)] for token in tokens)
        assert kept == "".join(token.text for token in tokens)
        assert all(text.startswith(token.text, token.start) for token in tokens)
