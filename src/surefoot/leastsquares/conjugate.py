"""Conjugate gradients on the normal equations, one pass over the rows a step, in single or in double precision.

    t = A'(A p),  a = g / p't,  x <- x + a p,  s <- s - a t,  z = M^-1 s,  p <- z + (g_new / g) p,  g = s'z.

``s`` follows ``A'r`` by recurrence, which squares the condition number and loses what single precision loses. Each
round therefore ends early, and the next one starts from ``r = b - A x`` computed anew in double precision: the rounds
are iterative refinement, and the answer is as accurate as its last residual. Single precision reads a third less.

Reference: Bjorck (1996), "Numerical Methods for Least Squares Problems", SIAM, section 7.4, pp. 288-292; Carson, Higham
(2018), "Accelerating the solution of linear systems by iterative refinement in three precisions", SIAM J. Sci. Comput.
40(2), pp. A817-A847.
"""

from __future__ import annotations

import math

import numpy as np

from surefoot.leastsquares.budget import Budget
from surefoot.leastsquares.lsmr import Round, Solve
from surefoot.leastsquares.operators import Rows
from surefoot.leastsquares.vectors import dot

DEEPEST = {"single": 3e-7, "double": 1e-11}
"""Reduction of ``|A'r|`` in one round from which on its recurrence is rounding only, for well-conditioned columns."""

PATIENCE = 50
"""Steps without a new lowest ``|A'r|`` before a round is given up (as many again as it took to get there, too)."""


def cg_round(
    rows: Rows, slope: np.ndarray, solve: Solve, reduction: float, precision: str, budget: Budget, most: int
) -> Round:
    """Reduce ``|A'r|`` (in the norm of ``M^-1``) by a factor.

    Parameters
    ----------
    rows : Rows
        ``A`` in the precision in which the products are to be taken.
    slope : ndarray, shape (n,)
        ``A' r``, in double precision.
    solve : callable
        ``M^-1 s``.
    reduction : float
        The goal.
    precision : {"single", "double"}
        What the recurrence can reach at best.
    budget : Budget
        Steps and seconds.
    most : int
        Steps of this round at most.
    """
    x, s = np.zeros(len(slope)), slope.copy()
    z = solve(s)
    size = first = dot(s, z)
    if not first > 0:
        return Round(x, 0, 1.0, True)
    reduction = max(reduction, DEEPEST[precision])
    p, steps, reached, gain, lowest = z.copy(), 0, False, 1.0, (1.0, 0)
    lengths: list[float] = []
    shares: list[float] = []
    try:
        while not reached and steps < most and not budget.is_over():
            unit = float(np.max(np.abs(p)))
            t = rows.gram(p / unit) * unit
            curvature = dot(p, t)
            if not curvature > 0:
                break
            a = size / curvature
            x = x + a * p
            s -= a * t
            z = solve(s)
            before, size = size, max(0.0, dot(s, z))
            p *= size / before
            p += z
            lengths.append(a)
            shares.append(size / before)
            steps += 1
            gain = math.sqrt(size / first)
            budget.step("cg", gain)
            reached = gain <= reduction
            if gain < lowest[0]:
                lowest = gain, steps
            elif steps > 2 * lowest[1] + PATIENCE:
                break  # rounding has the word now: a new residual helps, more steps do not
    except KeyboardInterrupt:
        budget.broken_off = True
    return Round(x, steps, _condition(lengths[:steps], shares[:steps]), reached, gain)


def _condition(lengths: list[float], shares: list[float]) -> float:
    """Condition of ``A M^(-1/2)`` from the Lanczos matrix that the coefficients make up (Bjorck 1996, p. 304)."""
    from scipy.linalg import eigvalsh_tridiagonal

    count = len(lengths)
    if count < 2:
        return 1.0
    a, b = np.asarray(lengths), np.asarray(shares)
    diagonal = 1 / a
    diagonal[1:] += b[:-1] / a[:-1]
    beside = np.sqrt(b[:-1]) / a[:-1]
    values = eigvalsh_tridiagonal(diagonal, beside)
    return math.sqrt(values[-1] / values[0]) if values[0] > 0 else math.inf
