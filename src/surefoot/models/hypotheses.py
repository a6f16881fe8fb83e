"""Linear hypotheses on coefficients: ``x1 = x2``, ``x1 + 2*x2 = 3``, several joined by commas, tested together.

With ``C b = d`` as hypothesis and ``F F'`` the covariance of ``b``, the statistic is ``|(C F)^+ (C b - d)|^2 / q``,
with an F distribution of q and the residual degrees of freedom.

Reference: Seber, Lee (2003), "Linear Regression Analysis", 2nd ed., Wiley, theorem 4.1, pp. 100-101.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surefoot.errors import ExpressionError, ModelError
from surefoot.leastsquares.rank import ROUNDOFF, lengths
from surefoot.models.statistics import f_tail
from surefoot.problem.floating import evaluate
from surefoot.problem.grammar import parse
from surefoot.problem.graph import Node
from surefoot.problem.graph import names as names_of


@dataclass(frozen=True)
class Hypothesis:
    """The outcome of a test.

    Attributes
    ----------
    text : str
        The hypothesis as typed.
    estimate, stderr : ndarray, shape (q,)
        Of ``C b - d``: zero if the hypothesis holds.
    f, p : float
        The statistic and its probability under the hypothesis.
    df : tuple of float
        Degrees of freedom of numerator and denominator.
    """

    text: str
    estimate: np.ndarray
    stderr: np.ndarray
    f: float
    p: float
    df: tuple[float, float]

    def __str__(self) -> str:
        from surefoot.report.text import hypothesis_text

        return hypothesis_text(self)


def parse_hypotheses(text: str, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The matrix ``C`` and the vector ``d`` of ``C b = d``.

    Raises
    ------
    ExpressionError
        A name that is no coefficient, or an expression that is not linear in them.

    Examples
    --------
    >>> parse_hypotheses("x1 = x2, (Intercept) = 3", ["(Intercept)", "x1", "x2"])
    (array([[ 0.,  1., -1.],
           [ 1.,  0.,  0.]]), array([0., 3.]))
    """
    rows, rights = [], []
    stand_ins = [f"__{k}__" for k in range(len(names))]
    hidden, origin = _hide(text, names, stand_ins)
    for start, end in _pieces(hidden):
        sides = hidden[start:end].split("=")
        if len(sides) > 2:
            raise ExpressionError("A hypothesis has one '=': write several with commas.", text, origin[start])
        (row, constant), *others = (
            _linear(_parsed(side, text, origin[start], names, stand_ins), text, stand_ins) for side in sides
        )
        for other, shift in others:
            row, constant = row - other, constant - shift
        rows.append(row)
        rights.append(0.0 - constant)
    return np.array(rows), np.array(rights)


def wald(
    text: str, matrix: np.ndarray, right: np.ndarray, coef: np.ndarray, factor: np.ndarray, df: float
) -> Hypothesis:
    """The F test of ``matrix @ coef = right``."""
    if df <= 0:
        raise ModelError("There are no residual degrees of freedom, so nothing can be tested.")
    used = np.any(matrix != 0, axis=0)
    if np.any(np.isnan(coef[used])):
        raise ModelError("The hypothesis names a coefficient that was dropped as aliased: it has no value to test.")
    estimate = matrix[:, used] @ coef[used] - right
    image = matrix[:, used] @ factor[used]
    sizes = lengths(image.T)
    scaled = image / np.where(sizes > 0, sizes, 1.0)[:, None]
    left, singular, _ = np.linalg.svd(scaled, full_matrices=False)
    if len(matrix) > singular.size or _dependent(matrix[:, used] * lengths(factor[used].T)) or _flat(singular):
        raise ModelError("The hypotheses depend on each other or say nothing about the coefficients: leave one out.")
    standard = (left.T @ (estimate / sizes)) / singular
    f = float(standard @ standard) / len(estimate)
    return Hypothesis(text, estimate, sizes, f, f_tail(f, len(estimate), df), (float(len(estimate)), float(df)))


def _dependent(matrix: np.ndarray) -> bool:
    """Whether the rows of a matrix, each in its own unit, depend on each other as they are written."""
    sizes = lengths(matrix.T)
    unit = matrix / np.where(sizes > 0, sizes, 1.0)[:, None]
    return bool(unit.size == 0 or np.linalg.svd(unit, compute_uv=False)[-1] <= 1e-10)


def _flat(singular: np.ndarray) -> bool:
    """Whether the covariance of the estimates is singular, up to rounding; a badly conditioned one is not."""
    return bool(singular[-1] <= 64 * ROUNDOFF * singular[0])


def _pieces(hidden: str) -> list[tuple[int, int]]:
    """Where the pieces between commas outside brackets start and end."""
    depth, start, found = 0, 0, []
    for at, symbol in enumerate(hidden):
        depth += (symbol in "([") - (symbol in ")]")
        if symbol == "," and depth == 0:
            found.append((start, at))
            start = at + 1
    found.append((start, len(hidden)))
    return [piece for piece in found if hidden[slice(*piece)].strip()] or [(0, len(hidden))]


def _hide(text: str, names: Sequence[str], stand_ins: Sequence[str]) -> tuple[str, list[int]]:
    """Replace the coefficients' names, longest first, by plain ones that the grammar can read.

    Names such as ``bs(x, df=5)[0]`` have commas, brackets and '=' of their own. Also returned: where in ``text`` each
    character comes from.
    """
    order = sorted(range(len(names)), key=lambda k: -len(names[k]))
    pattern = "|".join(rf"(?<![\w.\]]){re.escape(names[k])}(?![\w.(\[])" for k in order)
    place = {names[k]: stand_ins[k] for k in order}
    hidden, origin, at = "", [], 0
    for found in re.finditer(pattern, text) if pattern else ():
        before, name = text[at : found.start()], f" {place[found.group()]} "
        hidden += before + name
        origin += [*range(at, found.start()), *[found.start()] * len(name)]
        at = found.end()
    return hidden + text[at:], [*origin, *range(at, len(text) + 1)]


def _parsed(side: str, text: str, position: int, names: Sequence[str], stand_ins: Sequence[str]) -> Node:
    try:
        node = parse(side.strip())
    except ExpressionError as error:
        raise ExpressionError(
            f"{error.reason} A hypothesis reads like 'x1 = x2' or 'x1 + 2*x2 = 3'.", text, position
        ) from None
    for name in names_of(node):
        if name not in stand_ins:
            raise ExpressionError(
                f"There is no coefficient named {name}; there are {', '.join(names)}.", text, max(0, text.find(name))
            )
    return node


def _linear(node: Node, text: str, stand_ins: Sequence[str]) -> tuple[np.ndarray, float]:
    """Slope and constant of an expression, checked to be linear."""
    count = len(stand_ins)
    points = np.vstack([np.zeros(count), np.eye(count), np.arange(1.0, count + 1) * 0.7, -np.arange(1.0, count + 1)])
    with np.errstate(all="ignore"):
        values = np.broadcast_to(evaluate(node, dict(zip(stand_ins, points.T, strict=True))), len(points))
        constant, slope = values[0], values[1 : count + 1] - values[0]
        gap = np.abs(values[-2:] - (points[-2:] @ slope + constant))
    allowed = 1e-9 * (np.max(np.abs(slope), initial=0.0) + abs(constant)) * count
    if not np.all(np.isfinite(values)) or np.any(gap > allowed):
        raise ExpressionError("A hypothesis must be linear in the coefficients.", text, 0)
    return slope, float(constant)
