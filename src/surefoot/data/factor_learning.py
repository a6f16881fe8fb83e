"""From a factor as parsed to one that can make columns: the learners behind ``poly``, ``bs``, ``C`` and ``center``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from surefoot.data.factors import Category, Factor, Polynomial, Spline, read_number
from surefoot.data.factors import Number as NumberFactor
from surefoot.data.frame import Coded, Frame
from surefoot.data.learning import Learner, learn_levels, learn_moments, learn_quantiles
from surefoot.errors import DataError, ModelError
from surefoot.problem.graph import (
    CONSTANTS,
    OPERATIONS,
    OPTIONS,
    Apply,
    Name,
    Node,
    Number,
    Text,
    names,
    number,
    walk,
)
from surefoot.problem.writing import to_text

Kind = Literal["number", "boolean", "category", "time", "other"]
CATEGORY_CALLS = ("C", "factor")
CONTRASTS = ("Treatment", "Sum", "Helmert")
Counts = Callable[[Frame], np.ndarray]
"""How many rows each row of a frame stands for."""

Constants = Collection[str]
"""Names such as ``pi`` that stand for a number, because no column is called so."""

_CALLS = {
    "I": ("an expression, as in I(x^2)", 1, ()),
    "center": ("an expression, as in center(x)", 1, ()),
    "scale": ("an expression, as in scale(x)", 1, ()),
    "C": ("a column and perhaps a contrast, as in C(g, Treatment('b'))", 2, ("contrast", "contrasts")),
    "factor": ("a column and perhaps a contrast, as in factor(g, Sum)", 2, ("contrast", "contrasts")),
    "poly": ("an expression and a degree, as in poly(x, 3)", 2, ("degree",)),
    "bs": ("an expression and df, as in bs(x, df=5)", 3, ("df", "degree", "include_intercept")),
}
"""What each call takes: in words, at most so many arguments without a name, and these names."""


class NotFinite(Exception):
    """A value that cannot be used, met while learning; who knows the source says in a sentence where it is."""

    def __init__(self, node: Node, value: float, frame: Frame, row: int) -> None:
        super().__init__(to_text(node))
        self.node, self.value, self.frame, self.row = node, value, frame, row


def one_each(frame: Frame) -> np.ndarray:
    """Each row stands for itself."""
    return np.ones(frame.rows)


@dataclass(frozen=True)
class ColumnInfo:
    """What a factor must know of a column before any row is read."""

    kind: Kind
    levels: tuple[str, ...] | None = None


def learn_factor(
    node: Node, columns: Mapping[str, ColumnInfo], counts: Counts = one_each, constants: Constants = frozenset()
) -> Learner[Factor]:
    """A learner that returns the factor for a node of the formula."""
    _check_call(node)
    if isinstance(node, Name) and node.name in columns and columns[node.name].kind in ("category", "boolean"):
        return (yield from _learn_category(node, to_text(node), columns, None))
    if isinstance(node, Apply) and node.operation in CATEGORY_CALLS:
        return (yield from _learn_category(node.arguments[0], to_text(node), columns, node))
    if isinstance(node, Apply) and node.operation == "poly":
        return (yield from _learn_polynomial(node, counts, constants))
    if isinstance(node, Apply) and node.operation == "bs":
        return (yield from _learn_spline(node, counts, constants))
    return NumberFactor(to_text(node), (yield from learn_expression(node, counts, constants)))


def factor_variables(node: Node) -> tuple[str, ...]:
    """Columns that a factor reads: in ``C(g, Treatment)`` only ``g``."""
    if isinstance(node, Apply) and node.operation in (*CATEGORY_CALLS, "poly", "bs"):
        return names(node.arguments[0]) if node.arguments else ()
    return names(node)


def learn_expression(node: Node, counts: Counts = one_each, constants: Constants = frozenset()) -> Learner[Node]:
    """Plain mathematics: ``I`` removed, ``center`` and ``scale`` replaced by what they mean for these rows."""
    if _is_plain(node, constants):
        return node
    if isinstance(node, Text) or (isinstance(node, Apply) and node.operation in OPTIONS):
        raise ModelError(f"{to_text(node)} is no number and no column, so it cannot be part of an expression.")
    if isinstance(node, Name) and node.name in constants:
        return number(CONSTANTS[node.name])
    if not isinstance(node, Apply):
        return node
    _check_call(node)
    arguments = []
    for argument in node.arguments:
        arguments.append((yield from learn_expression(argument, counts, constants)))
    if node.operation == "I":
        return arguments[0]
    if node.operation in ("poly", "bs", "C", "factor", "offset"):
        raise ModelError(
            f"{to_text(node)} makes several columns or none, so it cannot be part of an expression or the response: "
            "make it a term of its own."
        )
    if node.operation in CONTRASTS:
        raise ModelError(f"{to_text(node)} is a contrast: it goes inside C(), as in C(g, {node.operation}).")
    if node.operation not in ("center", "scale"):
        return Apply(node.operation, tuple(arguments), node.keywords)
    inner = arguments[0]
    moments = yield from learn_moments(lambda frame: (_finite(inner, frame), counts(frame)))
    centred = Apply("sub", (inner, number(moments.mean)))
    if node.operation == "center":
        return centred
    if moments.deviation == 0:
        raise DataError(
            f"{to_text(node)} divides by a standard deviation of zero: its column is constant. Leave it out."
        )
    return Apply("div", (centred, number(moments.deviation)))


def _learn_category(
    argument: Node, label: str, columns: Mapping[str, ColumnInfo], call: Node | None
) -> Learner[Category]:
    if not isinstance(argument, Name):
        raise ModelError(f"{label}: only a column can be a category, not the expression {to_text(argument)!r}. "
                         "Make it a column first, with query=.")  # fmt: skip
    column, info = argument.name, columns[argument.name]
    seen = yield from learn_levels(lambda frame: _distinct(frame, column))
    levels, values = _sorted_levels(seen, info)
    contrast, reference = _contrast_of(call, info, values)
    if len(levels) < 2:
        only = f"only the level {levels[0]!r}" if levels else "no value at all"
        raise DataError(
            f"The category {label} has {only} in the rows used, so it cannot explain anything. Leave it out."
        )
    if reference is not None and reference not in levels:
        raise DataError(f"{label}: {reference!r} is not a level of {column}; its levels are {_listed(levels)}.")
    return Category(label, column, levels, values, contrast, reference)


def _distinct(frame: Frame, column: str) -> set[Any]:
    values = frame.columns[column]
    if isinstance(values, Coded):
        return {values.labels[code] for code in np.unique(values.codes) if code >= 0}
    return set(np.unique(_finite(Name(column), frame)).tolist())


def _sorted_levels(seen: set[Any], info: ColumnInfo) -> tuple[tuple[str, ...], tuple[float, ...] | None]:
    """Declared order where there is one, else sorted; number columns keep their values beside the text."""
    if info.kind == "boolean":
        values = tuple(sorted(seen))
        return tuple("True" if value else "False" for value in values), values
    if info.kind == "number":
        values = tuple(sorted(seen))
        return tuple(map(_level_text, values)), values
    if info.levels is not None:
        return tuple(level for level in info.levels if level in seen), None
    return tuple(sorted(seen)), None


def _contrast_of(call: Node | None, info: ColumnInfo, values: tuple[float, ...] | None) -> tuple[str, str | None]:
    """The contrast and reference level that ``C(g, Treatment('b'))`` asks for."""
    if not isinstance(call, Apply) or (len(call.arguments) == 1 and not call.keywords):
        return "Treatment", None
    asked = [*call.arguments[1:], *(value for _, value in call.keywords)][0]
    if isinstance(asked, Apply) and (asked.arguments or asked.keywords) and asked.operation != "Treatment":
        raise ModelError(f"{to_text(call)}: only Treatment takes a level, as in C(g, Treatment('b')).")
    name = asked.name if isinstance(asked, Name) else asked.operation if isinstance(asked, Apply) else ""
    if name not in CONTRASTS:
        raise ModelError(
            f"{to_text(call)}: the contrast must be one of {', '.join(CONTRASTS)}, as in C(g, Treatment('b'))."
        )
    given = [*asked.arguments, *(value for _, value in asked.keywords)] if isinstance(asked, Apply) else []
    if not given:
        return name, None
    level = given[0]
    if isinstance(level, Text):
        return name, level.value
    if isinstance(level, Number) and info.kind == "number" and values is not None and level.value in values:
        return name, _level_text(level.value)
    return name, level.text if isinstance(level, Number) else to_text(level)


def _level_text(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)


def _learn_polynomial(node: Apply, counts: Counts, constants: Constants) -> Learner[Factor]:
    label = to_text(node)
    degree = int(_whole(node, "degree", position=1, default=None, least=1))
    inner = yield from learn_expression(node.arguments[0], counts, constants)
    moments = yield from learn_moments(lambda frame: (_finite(inner, frame), counts(frame)))
    half = (moments.high - moments.low) / 2
    if not half > 0:
        raise DataError(f"{label}: its column is constant, so it has no polynomial.")
    middle = moments.low + half
    upper = np.zeros((0, degree + 1))

    def see(frame: Frame) -> None:
        nonlocal upper
        position = (read_number(inner, frame) - middle) / half
        rows = np.polynomial.legendre.legvander(position, degree) * np.sqrt(counts(frame))[:, None]
        upper = np.linalg.qr(np.vstack([upper, rows]), mode="r")

    yield see
    centres, norms = _recurrence(upper, degree, label)
    # From the scaled position back to the column's own units.
    scale = half ** (2.0 * np.arange(degree + 1))
    return Polynomial(label, inner, tuple(centres * half + middle), tuple(norms * scale))


def _recurrence(upper: np.ndarray, degree: int, label: str) -> tuple[np.ndarray, np.ndarray]:
    """The three-term recurrence of the monic polynomials that are orthogonal over the rows, by Stieltjes' procedure.

    Polynomials are kept as Legendre coefficients ``c``; their inner product over the rows is that of ``upper @ c``.

    Reference: Gautschi (2004), "Orthogonal Polynomials: Computation and Approximation", Oxford, pp. 95-96.
    """
    legendre = np.polynomial.legendre
    before, now = np.zeros(1), np.ones(1)
    centres, norms = np.zeros(degree), np.zeros(degree + 1)

    def image(polynomial: np.ndarray) -> np.ndarray:
        return upper[:, : len(polynomial)] @ polynomial

    for k in range(degree + 1):
        norms[k] = float(image(now) @ image(now))
        if norms[k] <= 1e-24 * norms[0]:
            raise DataError(f"{label}: the column has too few different values for degree {degree}. Lower the degree.")
        if k == degree:
            break
        # The inner product <t p, p> needs one degree more than p: k + 1, which is at most the last one.
        times = legendre.legmulx(now)
        centres[k] = float(image(times) @ image(now)) / norms[k]
        ratio = norms[k] / norms[k - 1] if k else 0.0
        before, now = now, legendre.legsub(legendre.legsub(times, centres[k] * now), ratio * before)
    return centres, norms


def _learn_spline(node: Apply, counts: Counts, constants: Constants) -> Learner[Factor]:
    label = to_text(node)
    degree = int(_whole(node, "degree", position=2, default=3, least=0))
    with_first = bool(_option(node, "include_intercept", None, Number(0.0, "0")))
    df = int(_whole(node, "df", position=1, default=0, least=0))
    inner_count = df - degree - (1 if with_first else 0)
    if df == 0 or inner_count < 0:
        raise ModelError(f"{label}: give df= at least {degree + with_first}, as in bs(x, df={degree + 2}).")
    inner = yield from learn_expression(node.arguments[0], counts, constants)
    inside = [float(p) for p in np.linspace(0, 1, inner_count + 2)]
    knots = yield from learn_quantiles(lambda frame: (_finite(inner, frame), counts(frame)), inside)
    if not knots[-1] > knots[0]:
        raise DataError(f"{label}: its column is constant, so it has no spline.")
    vector = [knots[0]] * degree + list(knots) + [knots[-1]] * degree
    return Spline(label, inner, tuple(float(knot) for knot in vector), degree, with_first)


def _is_plain(node: Node, constants: Constants) -> bool:
    """Nothing in it must be learnt or replaced; found without recursion, because a sum may be thousands deep."""
    return all(
        isinstance(one, Number)
        or (isinstance(one, Name) and one.name not in constants)
        or (isinstance(one, Apply) and one.operation in OPERATIONS)
        for one in walk(node)
    )


def _finite(node: Node, frame: Frame) -> np.ndarray:
    """The values of an expression, none of them infinite or undefined."""
    values = read_number(node, frame)
    if not np.all(usable := np.isfinite(values)):
        row = int(np.argmin(usable))
        raise NotFinite(node, float(values[row]), frame, row)
    return values


def _check_call(node: Node) -> None:
    """The call has as many arguments as its function takes, under names that it knows."""
    if not isinstance(node, Apply) or node.operation not in _CALLS:
        return
    words, most, known = _CALLS[node.operation]
    strange = [name for name, _ in node.keywords if name not in known]
    if strange:
        raise ModelError(f"{to_text(node)}: there is no {strange[0]}=; {node.operation}() takes {words}.")
    if not 1 <= len(node.arguments) <= most or len(node.arguments) + len(node.keywords) > max(most, len(known) + 1):
        raise ModelError(f"{to_text(node)}: {node.operation}() takes {words}.")


def _option(node: Apply, name: str, position: int | None, default: Node | None) -> Any:
    """A literal argument by keyword or position, as a Python value."""
    found = dict(node.keywords).get(name, default)
    if position is not None and len(node.arguments) > position:
        found = node.arguments[position]
    if isinstance(found, Number):
        return found.value
    if isinstance(found, Apply) and found.operation in ("True", "False"):
        return found.operation == "True"
    raise ModelError(f"{to_text(node)}: {name}= must be given as a number, as in {node.operation}(x, {name}=3).")


def _whole(node: Apply, name: str, position: int, default: int | None, least: int) -> float:
    value = _option(node, name, position, None if default is None else Number(float(default), str(default)))
    if value != int(value) or not least <= value <= 100:
        raise ModelError(f"{to_text(node)}: {name} must be a whole number from {least} to 100, not {value:g}.")
    return value


def _listed(levels: tuple[str, ...], most: int = 8) -> str:
    shown = ", ".join(repr(level) for level in levels[:most])
    return shown + (f" and {len(levels) - most} more" if len(levels) > most else "")


__all__ = ["CATEGORY_CALLS", "ColumnInfo", "NotFinite", "factor_variables", "learn_expression", "learn_factor"]
