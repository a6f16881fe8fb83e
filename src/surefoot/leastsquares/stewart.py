"""How wrong a given point is: the backward error of a least-squares solution without, or with, a factor at hand.

The backward error of ``x`` is the smallest ``|E|_F / |A|_F`` for which ``x`` is exactly the minimiser of
``|b - (A + E) x|``. With ``r = b - A x`` each of these is an upper bound:

    |A'r| / (|A|_F |r|),    |r| / (|A|_F |x|),    |P r| / (|A|_F |x|)   (P projects on the columns of A),

and with ``R'R = A'A`` and ``w = |r| / |x|`` the Karlson-Walden value ``|(R'R + w^2 I)^(-1/2) A'r| / (|A|_F |x|)`` is
within a factor of about 1.6 of it. All are taken in the units given and with every column at length one, and the
larger of the two counts, so that a column of small numbers has its say.

Reference: Stewart (1977), "Research, development, and LINPACK", in Mathematical Software III, pp. 1-14; Karlson, Walden
(1997), "Estimation of optimal backward perturbation bounds for the linear least squares problem", BIT 37(4),
pp. 862-869; Grcar, Saunders, Su (2007), "Estimates of optimal backward perturbations for linear least
squares problems", SOL 2007-1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from surefoot.leastsquares.preconditioning import Preconditioner, inverse_lengths, triangle
from surefoot.leastsquares.rank import ROUNDOFF
from surefoot.leastsquares.system import System
from surefoot.leastsquares.vectors import dot, norm

SLOPE = "Stewart's |A'r| / (|A| |r|)"
RESIDUAL = "Stewart's |r| / (|A| |x|)"
CORRECTION = "Karlson-Walden bound |Pr| / (|A| |x|), with Pr from the last correction"
SKETCHED = 1.5
"""How much shorter than ``|P r|`` the factor of a sketch may show it."""

FACTOR = "Karlson-Walden, with the factor of the preconditioner"


@dataclass(frozen=True)
class Point:
    """A candidate with everything that was computed at it.

    Attributes
    ----------
    x : ndarray, shape (n,)
        Coefficients in safe units.
    residual, slope : ndarray
        ``r = b - A x`` and ``A' r``, computed from ``x``, not by recurrence.
    length : float
        ``|r|``.
    backward_error : float
        Upper bound or estimate, relative to ``|A|_F``.
    kind : str
        Which one.
    """

    x: np.ndarray
    residual: np.ndarray
    slope: np.ndarray
    length: float
    backward_error: float
    kind: str


class Judge:
    """Backward errors for one problem.

    Parameters
    ----------
    system : System
        Ready for the iterative methods.
    right : ndarray
        Its right-hand side.
    """

    def __init__(self, system: System, right: np.ndarray) -> None:
        self._system, self._right = system, right
        self._inverse = inverse_lengths(system)
        self._sizes = (
            float(np.sqrt(np.sum(system.squares * self._inverse**2))),
            float(np.sqrt(np.sum(system.squares))),
        )

    def origin(self) -> Point:
        """The point 0; one product."""
        return self.seen(np.zeros(self._system.rows.shape[1]), self._right)

    def at(self, x: np.ndarray) -> Point:
        """Any point; two products, in one sweep over the rows."""
        residual = self._right.copy()
        slope, squares = self._system.rows.sweep(-x, residual, -1.0)
        return self._point(x, residual, slope, float(np.sqrt(squares)))

    def corrected(self, before: Point, after: Point) -> Point:
        """The better of two points, one the other with its correction, which shows how far ``before`` was off.

        ``|P r|`` at the first point is what the correction took away, ``A (x_after - x_before)``.
        """
        moved = norm(before.residual - after.residual)
        better = after if after.backward_error <= before.backward_error else before
        # Both residuals are rounded; one rounding more is what the difference cannot show.
        bound = max(self._per_length(moved, better.x)) + ROUNDOFF
        if bound < better.backward_error:
            better = replace(better, backward_error=bound, kind=CORRECTION)
        return better

    def with_factor(self, point: Point, preconditioner: Preconditioner) -> Point:
        """Karlson and Walden's value with the ``M`` of a preconditioner for ``A'A``, where it is the smaller one.

        Without a triangle at hand, ``w = 0``, which makes it larger.
        """
        scaled = point.x / self._inverse
        size = norm(scaled)
        if not (size > 0 and point.length > 0):
            return point
        if preconditioner.factor is None:
            length = float(np.sqrt(max(0.0, dot(point.slope, preconditioner.solve(point.slope)))))
        else:
            from scipy.linalg import solve_triangular

            factor = preconditioner.factor
            upper = triangle(np.vstack([factor, point.length / size * np.eye(len(factor))]))
            length = norm(solve_triangular(upper, self._inverse * point.slope, trans=1, check_finite=False))
        value = max(self._per_length(SKETCHED * length, point.x))
        if np.isfinite(value) and value < point.backward_error:
            return replace(point, backward_error=value, kind=FACTOR)
        return point

    def seen(self, x: np.ndarray, residual: np.ndarray) -> Point:
        """A point whose residual is known; one product."""
        return self._point(x, residual, self._system.rows.adjoint(residual), norm(residual))

    def _point(self, x: np.ndarray, residual: np.ndarray, slope: np.ndarray, length: float) -> Point:
        if length == 0 or not np.any(slope):
            return Point(x, residual, slope, length, 0.0, SLOPE)
        by_slope = max(
            norm(self._inverse * slope) / (self._sizes[0] * length),
            norm(slope) / (self._sizes[1] * length),
        )
        by_residual = max(self._per_length(length, x))
        if by_residual < by_slope:
            return Point(x, residual, slope, length, by_residual, RESIDUAL)
        return Point(x, residual, slope, length, by_slope, SLOPE)

    def _per_length(self, size: float, x: np.ndarray) -> tuple[float, float]:
        """A length over ``|A| |x|``, with columns at length one and in the units given."""
        scaled, raw = norm(x / self._inverse), norm(x)
        return (
            size / (self._sizes[0] * scaled) if scaled > 0 else np.inf,
            size / (self._sizes[1] * raw) if raw > 0 else np.inf,
        )
