"""Graph -> text and LaTeX, with the fewest parentheses that still mean the same.

Each rule gives a piece of text and how tightly it binds; an operand that binds less tightly than its place
asks for is put in parentheses. `to_text` is the inverse of `parse`: reading its text gives an equal graph.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from surefoot.problem.graph import OPTIONS, Apply, Index, Name, Node, Number, Text, fold, running
from surefoot.problem.tokens import quote

# How tightly each kind of expression binds, from loose to tight; the grammar has the same ladder.
_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _MINUS, _POWER, _ATOM = range(10, 100, 10)
_BIG = _SUM + 5  # a sum sign: a factor in parentheses, but a term as it is

_TEXT_SIGNS = {
    "or": (" or ", _OR), "and": (" and ", _AND),
    "lt": (" < ", _COMPARE), "le": (" <= ", _COMPARE), "gt": (" > ", _COMPARE), "ge": (" >= ", _COMPARE),
    "eq": (" == ", _COMPARE), "ne": (" != ", _COMPARE),
    "add": (" + ", _SUM), "sub": (" - ", _SUM), "mul": ("*", _PRODUCT), "div": ("/", _PRODUCT),
}  # fmt: skip
_LATEX_SIGNS = {
    "or": (r" \lor ", _OR), "and": (r" \land ", _AND),
    "lt": (" < ", _COMPARE), "le": (r" \le ", _COMPARE), "gt": (" > ", _COMPARE), "ge": (r" \ge ", _COMPARE),
    "eq": (" = ", _COMPARE), "ne": (r" \ne ", _COMPARE),
    "add": (" + ", _SUM), "sub": (" - ", _SUM), "mul": (r" \, ", _PRODUCT),
}  # fmt: skip
_SHORT = {"minimum": "min", "maximum": "max"}


class _Piece(NamedTuple):
    text: str
    binds: int


def to_text(node: Node) -> str:
    """The expression as a person would type it.

    ``parse(to_text(node)) == node`` for every graph that `parse` can give (with the same ``extra``), and likewise
    for `parse_function`, as long as the text, which has spaces around ``+`` and ``-``, is within the length that
    `parse` reads.

    Examples
    --------
    >>> x = Name("x")
    >>> to_text(Apply("neg", (Apply("pow", (x, Apply("add", (x, Number(1.0, "1"))))),)))
    '-x^(x + 1)'
    """
    return fold(node, _text).text


def to_latex(node: Node) -> str:
    r"""The expression in LaTeX mathematics, without dollar signs.

    Examples
    --------
    >>> to_latex(Apply("div", (Name("alpha"), Apply("sqrt", (Name("x_1"),)))))
    '\\frac{\\alpha}{\\sqrt{x_{1}}}'
    """
    return fold(node, _latex).text


def _text(node: Node, parts: Sequence[_Piece]) -> _Piece:
    if isinstance(node, Number):
        return _Piece(node.text, _ATOM)
    if isinstance(node, Name):
        return _Piece(quote(node.name), _ATOM)
    if isinstance(node, Index):
        return _Piece(quote(node.name), _ATOM)
    if isinstance(node, Text):
        escaped = node.value.replace("\\", "\\\\").replace("'", "\\'")
        return _Piece(f"'{escaped}'", _ATOM)
    if node.operation in _TEXT_SIGNS:
        sign, binds = _TEXT_SIGNS[node.operation]
        left = _round(parts[0], binds + (binds == _COMPARE))  # comparisons do not chain
        return _Piece(f"{left}{sign}{_round(parts[1], binds + 1)}", binds)
    if node.operation == "neg":
        return _Piece(f"-{_round(parts[0], _MINUS)}", _MINUS)
    if node.operation == "not":
        return _Piece(f"not {_round(parts[0], _NOT)}", _NOT)
    if node.operation == "pow":
        return _Piece(f"{_round(parts[0], _ATOM)}^{_round(parts[1], _MINUS)}", _POWER)
    return _Piece(_call_text(node, parts), _ATOM)


def _call_text(node: Apply, parts: Sequence[_Piece]) -> str:
    split = len(node.arguments)
    inside = [part.text for part in parts[:split]]
    options = zip(node.keywords, parts[split:], strict=True)
    inside += [f"{quote(key)}={part.text}" for (key, _), part in options]
    if node.operation == "list":
        return f"[{', '.join(inside)}]"
    if node.operation in OPTIONS:
        return node.operation
    if node.operation == "element":
        return f"{inside[0]}[{inside[1]}]"
    index = running(node)
    if index is not None:
        return f"{node.operation}({inside[0]}, {inside[1]}={index.first}..{index.last})"
    first = node.arguments[0] if node.arguments else None
    if node.operation in _SHORT and isinstance(first, Apply) and first.operation == node.operation:
        # min(min(a, b), c) is how min(a, b, c) is held: write it flat, or a long one could not be read back.
        return f"{inside[0][:-1]}, {inside[1]})"
    return f"{_SHORT.get(node.operation, node.operation)}({', '.join(inside)})"


def _round(piece: _Piece, at_least: int) -> str:
    return piece.text if piece.binds >= at_least else f"({piece.text})"


_AROUND = {
    "sqrt": (r"\sqrt{", "}"), "cbrt": (r"\sqrt[3]{", "}"), "abs": (r"\left|", r"\right|"),
    "norm": (r"\left\lVert ", r"\right\rVert"),
    "floor": (r"\left\lfloor ", r"\right\rfloor "), "ceil": (r"\left\lceil ", r"\right\rceil "),
}  # fmt: skip
_LATEX_NAMES = {
    "minimum": r"\min", "maximum": r"\max", "gammaln": r"\ln\Gamma",
    "log": r"\ln", "log2": r"\log_{2}", "log10": r"\log_{10}",
    **{name: rf"\{name}" for name in ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{f"arc{name}": rf"\arc{name}" for name in ("sin", "cos", "tan")},
}  # fmt: skip
_GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|upsilon|phi|chi|"
    "psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega"
)
_ESCAPES = {
    "\\": r"\backslash{}", "^": r"\hat{}", "~": r"\sim{}", " ": r"\ ",
    **{sign: f"\\{sign}" for sign in "#$%&_{}"},
}  # fmt: skip


def _latex(node: Node, parts: Sequence[_Piece]) -> _Piece:
    if isinstance(node, Number):
        return _latex_number(node.text)
    if isinstance(node, Name):
        return _Piece(_latex_name(node.name), _ATOM)
    if isinstance(node, Index):
        return _Piece(_latex_name(node.name), _ATOM)
    if isinstance(node, Text):
        return _Piece(rf"\text{{`{_escape(node.value)}'}}", _ATOM)
    if node.operation in _LATEX_SIGNS:
        return _latex_infix(node.operation, parts)
    if node.operation == "neg":
        return _Piece(f"-{_fence(parts[0], _PRODUCT)}", _MINUS)
    if node.operation == "not":
        return _Piece(rf"\lnot {_fence(parts[0], _SUM)}", _NOT)
    if node.operation == "pow":
        return _Piece(f"{_fence(parts[0], _ATOM)}^{{{parts[1].text}}}", _POWER)
    if node.operation == "div":
        return _Piece(rf"\frac{{{parts[0].text}}}{{{parts[1].text}}}", _PRODUCT)
    return _latex_call(node, parts)


def _latex_infix(operation: str, parts: Sequence[_Piece]) -> _Piece:
    sign, binds = _LATEX_SIGNS[operation]
    left = _fence(parts[0], binds + (binds == _COMPARE))
    # A sign after a sign, as in a + -b, is fenced: the eye expects one.
    right = _fence(parts[1], max(binds + 1, _POWER) if parts[1].binds == _MINUS else binds + 1)
    if operation == "mul" and right[:1].isdigit():
        sign = r" \cdot "  # 2 3 would read as twenty-three
    return _Piece(f"{left}{sign}{right}", binds)


def _latex_call(node: Apply, parts: Sequence[_Piece]) -> _Piece:
    split = len(node.arguments)
    inside = [part.text for part in parts[:split]]
    if node.operation in _AROUND and split == 1:
        before, after = _AROUND[node.operation]
        return _Piece(f"{before}{inside[0]}{after}", _ATOM)
    if node.operation == "where" and split == 3:
        condition, yes, no = inside
        cases = rf"{yes} & \text{{if }} {condition} \\ {no} & \text{{otherwise}}"
        return _Piece(rf"\begin{{cases}} {cases} \end{{cases}}", _OR)
    if node.operation == "element":
        return _Piece(_latex_element(node.arguments[0], inside), _ATOM)
    index = running(node)
    if index is not None:
        sign = rf"\{node.operation}_{{{inside[1]} = {index.first}}}^{{{index.last}}} "
        return _Piece(f"{sign}{_fence(parts[0], _BIG)}", _BIG)
    options = zip(node.keywords, parts[split:], strict=True)
    inside += [f"{_latex_name(key)} = {part.text}" for (key, _), part in options]
    if node.operation == "list":
        return _Piece(rf"\left[{', '.join(inside)}\right]", _ATOM)
    if node.operation in OPTIONS:
        return _Piece(rf"\text{{{node.operation}}}", _ATOM)
    name = _LATEX_NAMES.get(node.operation, rf"\operatorname{{{_escape(node.operation)}}}")
    return _Piece(rf"{name}\left({', '.join(inside)}\right)", _ATOM)


def _latex_element(vector: Node, inside: Sequence[str]) -> str:
    """A name with an index below it; a name that has something below it already is put in braces."""
    name, index = inside
    plain = isinstance(vector, Name) and name == _latex_name(vector.name) and "_" not in name
    return f"{name}_{{{index}}}" if plain else f"{{{name}}}_{{{index}}}"


def _latex_number(text: str) -> _Piece:
    mantissa, _, exponent = text.lower().partition("e")
    if not exponent:
        return _Piece(mantissa, _ATOM)
    return _Piece(rf"{mantissa} \times 10^{{{int(exponent)}}}", _PRODUCT)


def _latex_name(name: str) -> str:
    """``x_1`` and ``beta2`` have a subscript, ``alpha`` is a letter, and a longer name is upright."""
    match = re.fullmatch(r"([A-Za-z]+)_?([0-9]+)", name) or re.fullmatch(r"([A-Za-z]+)_([A-Za-z0-9]+)", name)
    stem, below = match.groups() if match else (name, "")
    if _GREEK.fullmatch(stem):
        shown = f"\\{stem}"
    else:
        shown = stem if len(stem) == 1 and stem.isalpha() else rf"\mathrm{{{_escape(stem)}}}"
    if not below:
        return shown
    if len(below) > 1 and not below.isdigit():
        below = rf"\mathrm{{{below}}}"
    return f"{shown}_{{{below}}}"


def _escape(text: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in text)


def _fence(piece: _Piece, at_least: int) -> str:
    return piece.text if piece.binds >= at_least else rf"\left({piece.text}\right)"
