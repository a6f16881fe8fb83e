"""Text -> tokens, and the mistakes that can be named before any grammar is consulted.

A missing ``*``, a bracket that is never closed or a ``×`` copied from a document each deserve a sentence of
their own. They are plain from the tokens alone, so they are found here, from left to right.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import NamedTuple

from surefoot.errors import ExpressionError

MAX_LENGTH = 10_000
MAX_NESTING = 100

# Superscript digits count as letters for Unicode, but whoever writes x² means a power, never a column.
_LETTER = r"[^\W\d⁰-⁹¹²³]"
NAME_PATTERN = re.compile(rf"{_LETTER}(?:[^\W⁰-⁹¹²³]|\.)*")

_KINDS = {
    "NUMBER": r"(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?",  # 0..9 is 0, .. and 9
    "NAME": NAME_PATTERN.pattern,
    "QUOTED": r"`(?:[^`]|``)+`",
    "TEXT": r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"",
    "POWER": r"\*\*|\^",
    "COMPARE": r"<=|>=|==|!=|<|>",
    "EQUAL": r"=",
    "PLUS": r"\+",
    "MINUS": r"-",
    "TIMES": r"\*",
    "DIVIDE": r"/",
    "AND": r"&",
    "OR": r"\|",
    "DOTS": r"\.\.",
    "COMMA": r",",
    "LPAR": r"\(",
    "RPAR": r"\)",
    "LBRACKET": r"\[",
    "RBRACKET": r"\]",
    "SPACE": r"\s+",
}
_SCANNER = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS.items()), re.DOTALL)

WORDS = {"and": "AND", "or": "OR", "not": "NOT", "True": "CONSTANT", "False": "CONSTANT", "None": "CONSTANT"}
"""Words that are not names unless they stand in backticks."""

_HINTS = {
    **dict.fromkeys("−–—", "write a minus as -"),
    **dict.fromkeys("×·⋅∙∗", "write a product as *"),
    **dict.fromkeys("÷∕", "write a quotient as /"),
    "≤": "write <=", "≥": "write >=", "≠": "write !=", "√": "write sqrt(...)",
    "∞": "infinity is not a number here",
    **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", (f"write ^{digit}" for digit in range(10)), strict=True)),
    "!": "write not, or != to compare", "~": "write not",
    **dict.fromkeys("‘’“”", "write straight quotes, ' or \""),
    **dict.fromkeys("{}", "group with ( and )"),
    ";": "only one expression is read", ":": "it has no meaning in an expression",
    "%": "it has no meaning in an expression",
}  # fmt: skip

ENDS_VALUE = {"NUMBER", "NAME", "TEXT", "CONSTANT", "RPAR", "RBRACKET"}
_STARTS_VALUE = {"NUMBER", "NAME", "TEXT", "CONSTANT", "FUNCTION", "LPAR"}
_BRACKETED = {"RPAR": "(...)", "RBRACKET": "[...]"}
_CLOSERS = {"RPAR": "LPAR", "RBRACKET": "LBRACKET"}


class Token(NamedTuple):
    """One token: its kind (a terminal of the grammar), the text as written, and where it starts."""

    kind: str
    text: str
    start: int


def tokenize(text: str) -> list[Token]:
    """The tokens of an expression; raises `ExpressionError` where the text cannot be an expression.

    Examples
    --------
    >>> [token.kind for token in tokenize("log(x)^2")]
    ['FUNCTION', 'LPAR', 'NAME', 'RPAR', 'POWER', 'NUMBER']
    """
    if len(text) > MAX_LENGTH:
        reason = f"The expression has {len(text):,} characters; at most {MAX_LENGTH:,} are read. Split it."
        raise ExpressionError(reason, text, MAX_LENGTH)
    tokens = _scan(text)
    if not tokens:
        raise ExpressionError("The expression is empty; write something such as x^2 + 1.", text, 0)
    _check_neighbours(tokens, text)
    _check_brackets(tokens, text)
    return tokens


def unquote(name: str) -> str:
    """The name in a NAME token: backticks are taken off, and a doubled backtick inside them is one.

    Examples
    --------
    >>> unquote("`my col`")
    'my col'
    """
    return name[1:-1].replace("``", "`") if name.startswith("`") else name


def quote(name: str) -> str:
    """The inverse of `unquote`: backticks only where the name needs them.

    Examples
    --------
    >>> quote("x"), quote("my col"), quote("and")
    ('x', '`my col`', '`and`')
    """
    if NAME_PATTERN.fullmatch(name) and name not in WORDS:
        return name
    return f"`{name.replace('`', '``')}`"


def _scan(text: str) -> list[Token]:
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _SCANNER.match(text, position)
        if match is None:
            raise ExpressionError(_stray(text, position), text, position)
        kind, word = str(match.lastgroup), match.group()
        if kind == "NAME":
            kind = WORDS.get(word, kind)
        elif kind == "QUOTED":
            kind = "NAME"
        elif kind == "LPAR" and tokens and tokens[-1].kind == "NAME" and tokens[-1].text[0] != "`":
            tokens[-1] = tokens[-1]._replace(kind="FUNCTION")
        if kind != "SPACE":
            tokens.append(Token(kind, word, position))
        position = match.end()
    return tokens


def _stray(text: str, position: int) -> str:
    """What to say about a character that begins no token."""
    character = text[position]
    if character in "'\"":
        return f"The text that starts with {character} here is never closed; add a second {character}."
    if character == "`":
        if text.startswith("``", position):
            return "A name in backticks is empty; write the column's name between them."
        return "The name that starts with ` here is never closed; add a second `."
    if not character.isprintable():
        name = unicodedata.name(character, f"U+{ord(character):04X}")
        return f"There is an invisible {name} here; remove it."
    advice = _HINTS.get(character, "a column name with unusual characters goes in backticks, as in `my col`")
    return f"The character {character} is not expected here; {advice}."


def _check_neighbours(tokens: list[Token], text: str) -> None:
    """Two values side by side: a forgotten ``*`` is by far the most common slip."""
    for left, right in pairwise(tokens):
        if left.kind not in ENDS_VALUE or right.kind not in _STARTS_VALUE:
            continue
        if "TEXT" in (left.kind, right.kind) or "CONSTANT" in (left.kind, right.kind):
            advice = "put an operator or a comma between them"
        else:
            tail = "(...)" if right.kind in ("LPAR", "FUNCTION") else ""
            name = "" if right.kind == "LPAR" else right.text
            product = f"{_BRACKETED.get(left.kind, left.text)}*{name}{tail}"
            advice = f"write {product} if you mean a product"
        reason = f"There is no operator between {_brief(left)} and {_brief(right)}; {advice}."
        raise ExpressionError(reason, text, right.start)


def _check_brackets(tokens: list[Token], text: str) -> None:
    """Every bracket has its partner, and no more than `MAX_NESTING` are open at once."""
    still_open: list[Token] = []
    for token in tokens:
        if token.kind in ("LPAR", "LBRACKET"):
            still_open.append(token)
            if len(still_open) > MAX_NESTING:
                raise ExpressionError(too_deep(), text, token.start)
        elif token.kind in _CLOSERS:
            if not still_open:
                raise ExpressionError(f"This {token.text} closes nothing; remove it.", text, token.start)
            opened = still_open.pop()
            if opened.kind != _CLOSERS[token.kind]:
                partner = ")" if opened.kind == "LPAR" else "]"
                reason = f"This {token.text} meets an open {opened.text}; write {partner} first."
                raise ExpressionError(reason, text, token.start)
    if still_open:
        last = still_open[-1]
        closer = ")" if last.kind == "LPAR" else "]"
        raise ExpressionError(f"The {last.text} here is never closed; add a {closer}.", text, last.start)


def too_deep() -> str:
    """The sentence for an expression that is nested too deeply, wherever that is found out."""
    return f"The expression is nested more than {MAX_NESTING} deep here; split it or remove parentheses."


def _brief(token: Token) -> str:
    return token.text if len(token.text) <= 40 else f"{token.text[:37]}..."
