"""Degenerate stationary points: where the gradient is exactly zero and the Hessian exactly singular.

No enclosure with a width can prove that a Hessian is singular. At a point that can be written down with few digits,
though, f can often be evaluated without any rounding: then the gradient is [0, 0], and the determinant of the Hessian
is computed in rational numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from surefoot.problem.box import Box
from surefoot.proof.certificate import Verdict
from surefoot.proof.cutting import simple_point
from surefoot.proof.interval import Interval
from surefoot.proof.looking import Differentiate
from surefoot.proof.zeros import Place, StationaryPoint

MOST = 200
"""Boxes in which such a point is looked for."""
LARGEST = 12
"""Variables up to which a determinant is computed in rational numbers."""


def degenerate_points(
    derivatives: Differentiate, box: Box, undecided: Interval, known: Sequence[StationaryPoint]
) -> list[StationaryPoint]:
    """Points of undecided boxes that are proven to be stationary and degenerate; there may be others beside them."""
    size = len(box.lower)
    if size > LARGEST:
        return []
    some = undecided[:MOST]
    points = np.array([simple_point(low, high) for low, high in zip(some.lo, some.hi, strict=True)])
    points = np.unique(points, axis=0)
    seen = derivatives(Interval.of(points), 2)
    exact = np.all((seen.gradient.lo == 0) & (seen.gradient.hi == 0), axis=1) & seen.defined & seen.smooth
    exact &= np.all(seen.hessian.lo == seen.hessian.hi, axis=(1, 2)) & np.all(np.isfinite(seen.hessian.lo), axis=(1, 2))
    found = []
    for k in np.flatnonzero(exact):
        if determinant(seen.hessian.lo[k]) != 0 or any(np.array_equal(points[k], one.flat) for one in known):
            continue
        on = np.any((points[k] <= box.lower) | (points[k] >= box.upper))
        low, high = float(seen.value.lo[k]), float(seen.value.hi[k])
        place = Place.BOUNDARY if on else Place.INSIDE
        found.append(
            StationaryPoint(
                points[k],
                low,
                Verdict.DEGENERATE,
                Box(points[k], points[k]),
                Box(points[k], points[k]),
                (low, high),
                place,
                -1,
            )
        )
    return found


def determinant(matrix: np.ndarray) -> Fraction:
    """Of a matrix of doubles, exactly, by elimination.

    Examples
    --------
    >>> determinant(np.array([[1.0, 2.0], [2.0, 4.0]]))
    Fraction(0, 1)
    """
    rows = [[Fraction(entry) for entry in row] for row in matrix.tolist()]
    found = Fraction(1)
    while rows:
        pivot = next((row for row in rows if row[0] != 0), None)
        if pivot is None:
            return Fraction(0)
        if rows.index(pivot) % 2:
            found = -found
        found *= pivot[0]
        others = [row for row in rows if row is not pivot]
        rows = [[b - row[0] / pivot[0] * a for a, b in zip(pivot[1:], row[1:], strict=True)] for row in others]
    return found
