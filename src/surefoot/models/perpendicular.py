"""Least squares as geometry: the response, its shadow on the space of the columns, and the residual standing on it.

The fitted values are the orthogonal projection of the response, so the three lengths close a right-angled triangle:

    |y|^2 = |Q'y|^2 + rho^2,    cos(angle) = |Q'y| / |y|,    R2 = cos^2(angle)

Where a constant is among the columns everything is seen about the mean: the constant's direction is projected out of
response and columns, which leaves the R2 that is reported. All lengths come from the triangle of the fit; no row is
read.

Reference: Draper, Smith (1998), "Applied Regression Analysis", 3rd ed., Wiley, chapters 20 and 21, pp. 427-460 (the
geometry of least squares).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from surefoot.leastsquares.rank import ROUNDOFF, length, lengths
from surefoot.leastsquares.solution import Solution

ROUNDING = 256 * ROUNDOFF
"""A side shorter than this, relative to the response as it is, is rounding and has no direction."""

COLLINEAR = 1e-6
"""Sine of the angle below which a column does not tell a plane apart from the line of the fitted values."""


@dataclass(frozen=True)
class Perpendicular:
    """A triangle with a right angle, and the plane that it stands on.

    Attributes
    ----------
    response, fitted, residual : float
        Lengths, weighted where the fit is; about the mean where ``centred``. A side that is no more than rounding is 0.
    angle : float
        Between the response and the fitted values, in degrees.
    columns : tuple of (name, direction)
        The columns that lie in the plane drawn, as unit vectors: the first coordinate along the fitted values, the
        second across. One column makes a line. The constant is shown where without it there would be a line.
    dimension : int
        Of the space of the columns that is meant: where ``centred``, without the constant if it is not shown.
    centred : bool
        Whether the mean was taken out of response and columns.
    """

    response: float
    fitted: float
    residual: float
    angle: float
    columns: tuple[tuple[str, tuple[float, float]], ...]
    dimension: int
    centred: bool


def perpendicular(
    solution: Solution, names: tuple[str, ...], constant: np.ndarray | None = None
) -> Perpendicular | None:
    """The triangle of a fit.

    Parameters
    ----------
    solution : Solution
        Of the fit.
    names : tuple of str
        Of all columns.
    constant : ndarray, shape (rank,), optional
        Direction of the constant in the orthonormal coordinates of the columns, where it is among them.

    Returns
    -------
    Perpendicular or None
        None where there is nothing to draw: no column, or a response that is zero (or constant, about the mean).

    Examples
    --------
    >>> import numpy as np
    >>> from surefoot.leastsquares.solution import solve
    >>> from surefoot.leastsquares.triangle import Triangle
    >>> rows = np.array([[1.0, 3.0], [0.0, 4.0]])
    >>> found = perpendicular(solve(Triangle.of(rows), 1), ("x",))
    >>> found.fitted, found.residual, round(found.angle, 2)
    (3.0, 4.0, 53.13)
    """
    effects, columns = solution.effects, solution.upper
    whole = solution.response_length()
    centred = False
    if constant is not None and len(effects) > 1:
        centred = True
        direction = constant / length(constant)
        effects = effects - direction * (direction @ effects)
        columns = columns - np.outer(direction, direction @ columns)
    fitted, residual = length(effects), solution.residual_length
    fitted, residual = (0.0 if side <= ROUNDING * whole else side for side in (fitted, residual))
    if not len(effects) or not math.isfinite(whole) or fitted == residual == 0.0:
        return None
    shares = np.abs(solution.coef[solution.kept]) * lengths(columns)
    found = _plane(effects if fitted else None, columns, lengths(solution.upper), shares, centred)
    shown = ((names[solution.kept[k]], where) for k, where in found)
    # About the mean a single slope leaves a line; with the constant, which stands across it, it is a plane.
    constants = [("the constant", (0.0, 1.0))] if centred and len(effects) == 2 else []
    return Perpendicular(
        float(np.hypot(fitted, residual)), fitted, residual, math.degrees(math.atan2(residual, fitted)),
        (*shown, *constants), len(effects) if constants else len(effects) - centred, centred,
    )  # fmt: skip


def _plane(
    effects: np.ndarray | None, columns: np.ndarray, whole: np.ndarray, shares: np.ndarray, centred: bool
) -> list[tuple[int, tuple[float, float]]]:
    """The columns in the plane drawn: both of two; of more the one with the largest part in the fit, which leans away.

    A column of which nothing is left (the constant, about the mean) is not among them.
    """
    sizes = lengths(columns)
    order = [int(k) for k in np.argsort(-shares, kind="stable") if sizes[k] > ROUNDING * whole[k]]
    unit = {k: columns[:, k] / sizes[k] for k in order}
    first = unit[order[0]] if effects is None else effects / length(effects)
    apart = {k: unit[k] - first * (first @ unit[k]) for k in order}
    chosen = next((k for k in order if length(apart[k]) > COLLINEAR), None)
    if chosen is None:
        return [(order[0], (float(first @ unit[order[0]]), 0.0))]
    across = apart[chosen] / length(apart[chosen])
    inside = sorted(order) if len(first) - centred == 2 else [chosen]
    return [(k, (float(first @ unit[k]), float(across @ unit[k]))) for k in inside]


__all__ = ["Perpendicular", "perpendicular"]
