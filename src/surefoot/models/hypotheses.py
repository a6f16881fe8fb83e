"""Linear hypotheses on coefficients: ``x1 = x2``, ``x1 + 2*x2 = 3``, several joined by commas, tested together.

With ``C b = d`` as hypothesis and ``F F'`` the covariance of ``b``, the statistic is ``|(C F)^+ (C b - d)|^2 / q``, an F
distribution with q and the residual degrees of freedom.

Reference: Seber, Lee (2003), "Linear Regression Analysis", 2nd ed., Wiley, theorem 4.1, pp. 100-101.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surefoot.errors import ExpressionError, ModelError
from surefoot.models.statistics import f_tail
from surefoot.problem.floating import evaluate
from surefoot.problem.grammar import parse
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
    stand_ins = [f"coefficient{k}" for k in range(len(names))]
    for piece in _pieces(text):
        sides = piece.split("=")
        if len(sides) > 2:
            raise ExpressionError("A hypothesis has one '=': write several with commas.", text, text.find(piece))
        hidden = [_hide(side, names, stand_ins) for side in sides]
        nodes = [_parsed(side, text, piece, stand_ins) for side in hidden]
        row, constant = _linear(nodes[0], stand_ins, piece)
        if len(nodes) == 2:
            other, shift = _linear(nodes[1], stand_ins, piece)
            row, constant = row - other, constant - shift
        rows.append(row)
        rights.append(0.0 - constant)
    return np.array(rows), np.array(rights)


def test_of(text: str, names: Sequence[str], coef: np.ndarray, factor: np.ndarray, df: float) -> Hypothesis:
    """Test the hypotheses in ``text`` against coefficients with covariance ``factor @ factor.T``."""
    matrix, right = parse_hypotheses(text, names)
    return wald(text, matrix, right, coef, factor, df)


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
    sizes = np.sqrt(np.sum(image**2, axis=1))
    scaled = image / np.where(sizes > 0, sizes, 1.0)[:, None]
    left, singular, _ = np.linalg.svd(scaled, full_matrices=False)
    if singular.size == 0 or singular[-1] <= 1e-10 * singular[0]:
        raise ModelError("The hypotheses depend on each other or say nothing about the coefficients: leave one out.")
    standard = (left.T @ (estimate / sizes)) / singular
    f = float(standard @ standard) / len(estimate)
    return Hypothesis(text, estimate, sizes, f, f_tail(f, len(estimate), df), (float(len(estimate)), float(df)))


def _pieces(text: str) -> list[str]:
    """Split at commas outside brackets: names such as ``bs(x, df=5)[0]`` have commas and '=' of their own."""
    depth, start, found = 0, 0, []
    for at, symbol in enumerate(text):
        depth += (symbol in "([") - (symbol in ")]")
        if symbol == "," and depth == 0:
            found.append(text[start:at])
            start = at + 1
    found.append(text[start:])
    return [piece for piece in found if piece.strip()] or [text]


def _hide(side: str, names: Sequence[str], stand_ins: Sequence[str]) -> str:
    """Replace the coefficients' names, longest first, by plain ones that the grammar can read."""
    order = sorted(range(len(names)), key=lambda k: -len(names[k]))
    pattern = "|".join(rf"(?<![\w.\]]){re.escape(names[k])}(?![\w.(\[])" for k in order)
    place = {names[k]: stand_ins[k] for k in order}
    return re.sub(pattern, lambda found: f" {place[found.group()]} ", side) if pattern else side


def _parsed(side: str, text: str, piece: str, stand_ins: Sequence[str]):
    try:
        node = parse(side.strip())
    except ExpressionError as error:
        raise ExpressionError(
            f"{error.reason} A hypothesis reads like 'x1 = x2' or 'x1 + 2*x2 = 3'.", text, text.find(piece)
        ) from None
    for name in names_of(node):
        if name not in stand_ins:
            raise ExpressionError(f"There is no coefficient named {name}.", text, max(0, text.find(name)))
    return node


def _linear(node, stand_ins: Sequence[str], piece: str) -> tuple[np.ndarray, float]:
    """Slope and constant of an expression, checked to be linear."""
    count = len(stand_ins)
    points = np.vstack([np.zeros(count), np.eye(count), np.arange(1.0, count + 1) * 0.7, -np.arange(1.0, count + 1)])
    values = np.broadcast_to(evaluate(node, dict(zip(stand_ins, points.T, strict=True))), len(points))
    constant, slope = values[0], values[1 : count + 1] - values[0]
    if not np.allclose(values[-2:], points[-2:] @ slope + constant, rtol=1e-9, atol=1e-9):
        raise ExpressionError("A hypothesis must be linear in the coefficients.", piece.strip(), 0)
    return slope, float(constant)
