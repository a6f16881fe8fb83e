"""Correcting a solution until rounding is all that is left: the corrected seminormal equations and their kin.

With any triangle ``R`` for which ``A R^-1`` has nearly orthonormal columns, however it was come by,

    r = b - A x,    x <- x + R^-1 R^-T A'r,

a Newton step with a Hessian that is slightly wrong. What R lacks costs steps, not digits: the residual is computed from
A itself. A step divides the error by about ``1 / |I - R^-T A'A R^-1|``.

Reference: Bjorck (1987), "Stability analysis of the method of seminormal equations for linear least squares problems",
Linear Algebra Appl. 88/89, pp. 31-48 (section 5, pp. 43-46).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from surefoot.leastsquares.passes import Look, Rows
from surefoot.leastsquares.precise import precise_look
from surefoot.leastsquares.rank import ROUNDOFF

MOST_STEPS = 10

GAIN = 4
"""A step that does not make the next one so many times shorter is the last: rounding, or a triangle that is no help."""

FAR_LESS = 1e3
"""So many times less than the step before, and it was rounding that a step was stopped by."""

ENOUGH = 0.25 * ROUNDOFF
"""Size of a step, relative to the columns and the response, that nothing is gained below."""


@dataclass(frozen=True)
class Columns:
    """Rows seen with columns scaled by powers of two to a length of about one; nothing is copied or rounded."""

    rows: Rows
    scale: np.ndarray

    def look(self, x: np.ndarray) -> Look:
        """The look from ``x`` in scaled units."""
        seen = self.rows.look(x / self.scale[:, None])
        return Look(seen.gradient / self.scale[:, None], seen.squares)

    def precise_look(self, x: np.ndarray) -> Look:
        """The same in about 20 digits."""
        return precise_look(self.rows, self.scale, x)


@dataclass(frozen=True)
class Corrected:
    """Where the corrections ended, in scaled units.

    Attributes
    ----------
    x : ndarray, shape (n, k)
        The best point that was looked at, for each right-hand side.
    seen : Look
        The look from there.
    steps : int
        Corrections made.
    precise_looks : int
        Looks in about 20 digits among the passes; none where the corrections were ordinary.
    """

    x: np.ndarray
    seen: Look
    steps: int
    precise_looks: int = 0


def correct(
    look: Callable[[np.ndarray], Look],
    solve: Callable[[np.ndarray], np.ndarray],
    size: Callable[[np.ndarray], np.ndarray],
    start: tuple[np.ndarray, Look],
    response: np.ndarray,
    enough: float = ENOUGH,
) -> Corrected:
    """Correct from a point that has been looked at, until a step no longer makes the next one much shorter.

    Parameters
    ----------
    look : callable
        The look from a point, in scaled units.
    solve : callable
        ``(R'R)^-1 g`` for g of shape (n, k).
    size : callable
        ``|R^-T g|`` for each column: the length of the step as the residual feels it.
    start : (ndarray, Look)
        Point and look, in scaled units.
    response : ndarray, shape (k,)
        ``|b|``.
    enough : float
        Size of a step, relative to the response, that nothing is gained below.
    """
    x, seen = start
    unit = np.where(response > 0, response, 1.0)
    best_x, best, before = x, seen, size(seen.gradient) / unit
    closest, steps, gained = before, 0, np.ones_like(before)
    while np.any(before > enough) and steps < MOST_STEPS:
        x = x + solve(seen.gradient)
        seen = look(x)
        steps += 1
        now = size(seen.gradient) / unit
        # Of points that are as good as each other the later one: what rounding left along the short axes of the bowl
        # has leaked into the long ones, and each step takes that out.
        better = now <= 2 * closest
        best_x = np.where(better, x, best_x)
        best = Look(np.where(better, seen.gradient, best.gradient), np.where(better, seen.squares, best.squares))
        closest = np.minimum(now, closest)
        # A step that gained far less than the one before it has met the rounding of the gradient.
        useful = (now > enough) & (now <= before / GAIN) & (now <= FAR_LESS * before * gained)
        if not np.any(useful):
            break
        gained = np.divide(now, before, out=np.ones_like(now), where=before > 0)
        before = now
    return Corrected(best_x, best, steps)


def correct_precisely(
    columns: Columns,
    solve: Callable[[np.ndarray], np.ndarray],
    size: Callable[[np.ndarray], np.ndarray],
    end: Corrected,
    response: np.ndarray,
) -> Corrected:
    """Correct on with gradients in about 20 digits, until the rounding of x itself is what is left."""
    start = (end.x, columns.precise_look(end.x))
    further = correct(columns.precise_look, solve, size, start, response, enough=0.0)
    return Corrected(further.x, further.seen, end.steps + further.steps, further.steps + 1)


def correct_once_precisely(columns: Columns, solve: Callable[[np.ndarray], np.ndarray], end: Corrected) -> Corrected:
    """One correction with a gradient in about 20 digits, which costs a few ordinary looks.

    It divides what the rounding of the ordinary gradients left in x by as much as a step shortens the next.
    """
    x = end.x + solve(columns.precise_look(end.x).gradient)
    return Corrected(x, columns.look(x), end.steps + 1, 1)
