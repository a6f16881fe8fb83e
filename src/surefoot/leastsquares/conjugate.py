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


def cg_rounds(
    rows: Rows,
    slopes: np.ndarray,
    solve: Solve,
    reductions: np.ndarray,
    precision: str,
    budgets: list[Budget],
    most: int,
) -> list[Round]:
    """The same for several right-hand sides, whose products share their passes over the rows.

    Every side has a recurrence of its own, as if it were alone, and leaves when it is done.

    Parameters
    ----------
    rows, solve, precision, most
        As for ``cg_round``; both products take several columns.
    slopes : ndarray, shape (n, k)
        ``A' r`` of each side.
    reductions : ndarray, shape (k,)
    budgets : list of Budget
        One for each side.
    """
    sides = [_Side(budget, max(goal, DEEPEST[precision])) for budget, goal in zip(budgets, reductions, strict=True)]
    x, s = np.zeros_like(slopes), np.ascontiguousarray(slopes)
    z = solve(s)
    size = first = _dots(s, z)
    p, going = z.copy(), np.flatnonzero(first > 0)
    done = {k: Round(x[:, k], 0, 1.0, True) for k in np.flatnonzero(~(first > 0)).tolist()}
    x, s, p, size, first = x[:, going], s[:, going], p[:, going], size[going], first[going]
    try:
        for _ in range(most):
            if not going.size:
                break
            unit = np.max(np.abs(p), axis=0)
            t = rows.gram(p / unit) * unit
            curvature = _dots(p, t)
            a = np.where(curvature > 0, size / np.where(curvature > 0, curvature, 1.0), 0.0)
            x = x + a * p
            s -= a * t
            z = solve(s)
            before, size = size, np.maximum(0.0, _dots(s, z))
            p = p * (size / before) + z
            stays = np.ones(len(going), dtype=bool)
            for place, k in enumerate(going.tolist()):
                gain = math.sqrt(size[place] / first[place])
                stays[place] = curvature[place] > 0 and sides[k].goes_on(a[place], size[place] / before[place], gain)
                if not stays[place]:
                    done[k] = sides[k].round(x[:, place])
            if not stays.all():
                going, x, s, p = going[stays], x[:, stays], s[:, stays], p[:, stays]
                size, first = size[stays], first[stays]
    except KeyboardInterrupt:
        for budget in budgets:
            budget.broken_off = True
    done |= {k: sides[k].round(x[:, place]) for place, k in enumerate(going.tolist())}
    return [done[k] for k in range(len(budgets))]


class _Side:
    """What one right-hand side among several has seen."""

    def __init__(self, budget: Budget, goal: float) -> None:
        self.budget, self._goal = budget, goal
        self._lengths: list[float] = []
        self._shares: list[float] = []
        self._gain, self._lowest = 1.0, (1.0, 0)

    def goes_on(self, length: float, share: float, gain: float) -> bool:
        """Note a step; whether there is to be another."""
        self._lengths.append(length)
        self._shares.append(share)
        self._gain, steps = gain, len(self._lengths)
        self.budget.step("cg", gain)
        if gain < self._lowest[0]:
            self._lowest = gain, steps
        elif steps > 2 * self._lowest[1] + PATIENCE:
            return False
        return gain > self._goal and not self.budget.is_over()

    def round(self, correction: np.ndarray) -> Round:
        condition = _condition(self._lengths, self._shares)
        return Round(correction.copy(), len(self._lengths), condition, self._gain <= self._goal, self._gain)


def _dots(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->j", a, b)


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
