"""Conditions on variables as a person types them: ``"x > 0, x + 2*y <= 3, 0 < t < 1, z=-1..1"``.

Both sides of a comparison are read by the grammar of expressions and must be linear; sums, products with numbers and
whole vectors are understood. Coefficients are rational numbers: the exact doubles that the literals are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from surefoot.errors import ExpressionError, SurefootError
from surefoot.problem.domain import Inequality
from surefoot.problem.grammar import parse_function
from surefoot.problem.graph import CONSTANTS, Apply, Index, Name, Node, Number, running
from surefoot.problem.typed import read_bounds
from surefoot.problem.variables import Variables

_COMPARISON = re.compile(r"(<=|>=|<|>)")
_EQUALITY = re.compile(r"==|!=|(?<![<>=!])=(?!=)")


@dataclass(frozen=True)
class _Form:
    """One linear form, or one for each element of a vector."""

    rows: tuple[tuple[Mapping[int, Fraction], Fraction], ...]
    whole: bool = False

    def scaled(self, c: Fraction) -> _Form:
        rows = tuple(({k: c * v for k, v in terms.items()}, c * rest) for terms, rest in self.rows)
        return _Form(rows, self.whole)

    @property
    def number(self) -> Fraction | None:
        """Its value, if it is a constant."""
        return self.rows[0][1] if not self.whole and not any(self.rows[0][0].values()) else None


class _NotLinear(SurefootError, ValueError):
    pass


def read_conditions(text: str | Sequence[str], names: tuple[str, ...]) -> list[Inequality]:
    """The inequalities that a text, or several, state.

    Parameters
    ----------
    text : str or sequence of str
        Conditions with commas or ``and`` between them.
    names : tuple of str
        Of the variables.

    Raises
    ------
    ExpressionError
        A condition cannot be read, is not linear, or names what is no variable.

    Examples
    --------
    >>> [one.told(("x", "y")) for one in read_conditions("0 < x <= 1 and y >= 2*x", ("x", "y"))]
    ['x > 0', 'x <= 1', '-2*x + y >= 0']
    """
    found: list[Inequality] = []
    for whole in [text] if isinstance(text, str) else text:
        for part, start in _parts(whole):
            found += _condition(part, whole, start, names)
    return found


def _parts(text: str) -> list[tuple[str, int]]:
    """Pieces between commas outside brackets, and between ``and``, with their places."""
    found, depth, begin, k = [], 0, 0, 0
    while k <= len(text):
        piece = text[k : k + 1]
        word = re.match(r"\band\b|&", text[k:]) if depth == 0 and (k == 0 or not text[k - 1].isalnum()) else None
        depth += (piece in "([" and piece != "") - (piece in ")]" and piece != "")
        if k == len(text) or word or (piece == "," and depth == 0):
            found.append((text[begin:k], begin))
            k += len(word[0]) if word else 1
            begin = k
            continue
        k += 1
    for part, start in found:
        if not part.strip():
            raise ExpressionError(
                "A condition is missing here; write them as x > 0, y <= 3.", text, min(start, len(text))
            )
    return found


def _condition(part: str, text: str, start: int, names: tuple[str, ...]) -> list[Inequality]:
    equal = _EQUALITY.search(_without_brackets(part))
    if equal and ".." in part and not _COMPARISON.search(part):
        return _interval(part, text, start, names)
    if equal:
        reason = (
            "A domain has inequalities, as x >= 0, and intervals, as x=0..1, not equalities; put the value in instead."
        )
        raise ExpressionError(reason, text, start + equal.start())
    sides = _COMPARISON.split(part)
    if len(sides) < 3:
        raise ExpressionError(
            "A condition compares two sides, as in x > 0.", text, start + len(part) - len(part.lstrip())
        )
    try:
        forms = [_Reader(names).of(parse_function(side), {}) for side in sides[::2]]
    except ExpressionError as error:
        raise ExpressionError(error.reason, text, start) from None
    except _NotLinear as error:
        raise ExpressionError(str(error), text, start + len(part) - len(part.lstrip())) from None
    found = []
    for k, sign in enumerate(sides[1::2]):
        low, high = (forms[k], forms[k + 1]) if sign[0] == "<" else (forms[k + 1], forms[k])
        for terms, rest in _Reader.combine(high, low.scaled(Fraction(-1))).rows:
            kept = tuple((place, c) for place, c in sorted(terms.items()) if c)
            if not kept:
                raise ExpressionError("This condition has no variable in it; leave it out.", text, start)
            found.append(Inequality(kept, -rest, strict="=" not in sign))
    return found


def _without_brackets(part: str) -> str:
    """The same length, what stands in brackets blotted out: an ``i=0..9`` in there is no equality."""
    while (blotted := re.sub(r"[(\[][^()\[\]]*[)\]]", lambda found: "~" * len(found[0]), part)) != part:
        part = blotted
    return part


def _interval(part: str, text: str, start: int, names: tuple[str, ...]) -> list[Inequality]:
    try:
        lower, upper = read_bounds(part, Variables.of_names(names))
    except ExpressionError as error:
        raise ExpressionError(error.reason, text, start + error.position) from None
    found = []
    for ends, sign in ((lower, 1), (upper, -1)):
        for place in np.flatnonzero(np.isfinite(ends)):
            found.append(Inequality(((int(place), Fraction(sign)),), sign * Fraction(float(ends[place]))))
    return found


class _Reader:
    """Linear forms of expressions."""

    def __init__(self, names: Sequence[str]) -> None:
        self.places = {name: k for k, name in enumerate(names)}
        self.elements: dict[str, list[int]] = {}
        for name, place in self.places.items():
            whole, bracket, _ = name.partition("[")
            if bracket:
                self.elements.setdefault(whole, []).append(place)

    def of(self, node: Node, index: Mapping[Index, int]) -> _Form:
        if isinstance(node, Number):
            return _Form((({}, Fraction(node.value)),))
        if isinstance(node, Index):
            return _Form((({}, Fraction(index[node])),))
        if isinstance(node, Name):
            return self._name(node.name)
        if not isinstance(node, Apply):
            raise _NotLinear(f"{node!r} is no part of a linear condition.")
        run = running(node)
        if run is not None and node.operation == "sum":
            terms = [self.of(node.arguments[0], {**index, run: k}) for k in range(run.first, run.last + 1)]
            total = terms[0]
            for term in terms[1:]:
                total = self.combine(total, term)
            return total
        if node.operation == "element":
            return self._element(node, index)
        return self._operation(node, [self.of(one, index) for one in node.arguments])

    def _name(self, name: str) -> _Form:
        if name in self.places:
            return _Form((({self.places[name]: Fraction(1)}, Fraction(0)),))
        if name in self.elements:
            return _Form(tuple(({place: Fraction(1)}, Fraction(0)) for place in self.elements[name]), True)
        if name in CONSTANTS:
            return _Form((({}, Fraction(CONSTANTS[name])),))
        known = ", ".join([*self.elements, *(one for one in self.places if "[" not in one)][:6])
        raise _NotLinear(f"There is no variable named {name}; there is {known}.")

    def _element(self, node: Apply, index: Mapping[Index, int]) -> _Form:
        which = self.of(node.arguments[1], index).number
        name = node.arguments[0].name if isinstance(node.arguments[0], Name) else ""
        key = f"{name}[{which}]"
        if key not in self.places:
            raise _NotLinear(f"There is no variable named {key}.")
        return _Form((({self.places[key]: Fraction(1)}, Fraction(0)),))

    def _operation(self, node: Apply, parts: list[_Form]) -> _Form:
        match node.operation:
            case "neg":
                return parts[0].scaled(Fraction(-1))
            case "add":
                return self.combine(*parts)
            case "sub":
                return self.combine(parts[0], parts[1].scaled(Fraction(-1)))
            case "mul" if any(part.number is not None for part in parts):
                one, other = parts if parts[1].number is not None else parts[::-1]
                return one.scaled(other.number or Fraction(0))
            case "div" if parts[1].number:
                return parts[0].scaled(1 / parts[1].number)
            case "sum" | "mean":
                total = _Form(parts[0].rows[:1])
                for row in parts[0].rows[1:]:
                    total = self.combine(total, _Form((row,)))
                return total.scaled(Fraction(1, len(parts[0].rows) if node.operation == "mean" else 1))
            case "pow" if parts[0].number is not None and parts[1].number is not None:
                exponent = parts[1].number
                if exponent.denominator == 1 and abs(exponent) < 1000 and (parts[0].number or exponent > 0):
                    return _Form((({}, Fraction(parts[0].number ** int(exponent))),))
        raise _NotLinear("A condition of a domain is linear in the variables, as in x + 2*y <= 3.")

    @staticmethod
    def combine(one: _Form, other: _Form) -> _Form:
        """Their sum; a single form is added to each of a vector."""
        if one.whole and other.whole and len(one.rows) != len(other.rows):
            raise _NotLinear("Vectors of different sizes are compared here.")
        whole = one.whole or other.whole
        count = max(len(one.rows), len(other.rows))
        rows = []
        for k in range(count):
            (first, a), (second, b) = (form.rows[k if form.whole else 0] for form in (one, other))
            rows.append(({key: first.get(key, 0) + second.get(key, 0) for key in {**first, **second}}, a + b))
        return _Form(tuple(rows), whole)
