"""Why a token cannot stand where it stands: the sentences for what the grammar refuses."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

from surefoot.problem.tokens import ENDS_VALUE, Token


def misplaced(tokens: Sequence[Token], place: int, brackets: str) -> str:
    """Why the token at this place cannot stand there; the place after the last token is the end.

    ``brackets`` is the sentence for a [ that has no meaning, which depends on what is read.
    """
    before = tokens[place - 1] if place else None
    here = tokens[place] if place < len(tokens) else None
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    expects_value = before is None or before.kind not in ENDS_VALUE
    if here is not None and here.kind == "LBRACKET":
        return brackets
    if here is not None and here.kind in _OUT_OF_PLACE:
        return _OUT_OF_PLACE[here.kind]
    if expects_value and (here is None or here.kind not in ("NOT", "LBRACKET")):
        return _missing(before, here)
    if here is None:
        return f"The expression cannot end after {before.text if before else 'nothing'}."
    if here.kind == "COMPARE":
        return "Comparisons do not chain; write a < b and b < c for a < b < c."
    if here.kind == "EQUAL" and after is not None and after.kind == "COMPARE":
        return _COMPARING
    if here.kind == "EQUAL":
        return "A single = does not compare; write == for that. (It names an argument: bs(x, df=5).)"
    if here.kind == "COMMA" and _innermost(tokens[:place]) == "LBRACKET":
        return "One index goes between the brackets, as in x[0] or x[i+1]."
    if here.kind == "COMMA":
        decimals = "; decimals take a point" if before is not None and before.kind == "NUMBER" else ""
        return f"A comma only separates the arguments of a function{decimals}."
    if here.kind == "NOT" and before is not None and not expects_value:
        return f"There is no operator between {before.text} and not; write and not, or or not."
    if here.kind == "NOT":
        return "A not here needs parentheses around it, as in a == (not b)."
    return f"{here.text} cannot stand here; an operator is missing before it, or it is one too many."


_COMPARING = "The signs for comparing are < <= > >= == and !=; write one of them."
_OUT_OF_PLACE = {
    "TEXT": "Text in quotes can only be an argument of a function.",
    "CONSTANT": "True, False and None can only be arguments; a column of that name goes in backticks.",
    "DOTS": "Two dots only stand between the ends of a range, as in sum(x[i]^2, i=0..9).",
}


def _missing(before: Token | None, here: Token | None) -> str:
    """The sentence for a place where a value should stand and none does."""
    pair = (before.kind if before else "", here.kind if here else "")
    if pair == ("COMPARE", "EQUAL"):
        return _COMPARING
    if before is None:
        return f"A value is missing before {here.text if here else 'the end'}."
    if pair == ("LPAR", "RPAR"):
        return "There is nothing between the parentheses; write a value there or remove them."
    if here is None:
        return f"A value is missing after {before.text}."
    return f"A value is missing between {before.text} and {here.text}."


def _innermost(tokens: Sequence[Token]) -> str:
    """The kind of the last bracket that is still open."""
    still_open = [""]
    for token in tokens:
        if token.kind in ("LPAR", "LBRACKET"):
            still_open.append(token.kind)
        elif token.kind in ("RPAR", "RBRACKET"):
            still_open.pop()
    return still_open[-1]


def unknown_function(name: str, known: Collection[str]) -> str:
    """The sentence for a call of what is no function."""
    near = difflib.get_close_matches(name, known, n=3) or difflib.get_close_matches(name.lower(), known, n=3)
    guess = f"did you mean {' or '.join(near)}?" if near else "check its spelling."
    return f"There is no function {name}; {guess} (If {name} is a variable, write {name}*(...).)"
