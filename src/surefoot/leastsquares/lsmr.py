"""LSMR: the smallest ``|A'r|`` over a growing Krylov space, by Golub-Kahan bidiagonalisation, preconditioned.

    beta u = A w - alpha u,    alpha s = A'u - beta s,    w = M^-1 s,    with |u| = 1 and s'w = 1,

and two short recurrences turn the bidiagonal matrix of the alpha and beta into the minimiser of ``|A'r|`` in the norm
of ``M^-1``. ``M`` is the preconditioner (near ``A'A``); only ``M^-1 s`` is ever applied. The vectors ``u`` are kept at
the length in which they were made, so that one sweep over the rows gives ``u`` and ``A'u`` together.

Reference: Fong, Saunders (2011), "LSMR: an iterative algorithm for sparse least-squares problems", SIAM J. Sci. Comput.
33(5), pp. 2950-2971 (algorithm on p. 2955, estimates of norms pp. 2956-2957).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from surefoot.leastsquares.budget import Budget
from surefoot.leastsquares.operators import Rows
from surefoot.leastsquares.vectors import dot, norm

Solve = Callable[[np.ndarray], np.ndarray]

DEEPEST = 1e-14
"""Reduction of ``|A'r|`` in one round that its recurrence can still be believed; more takes a new residual."""


SINGULAR = 1e14
"""Condition from which on a direction is made of rounding: a step along it would leave the row space for anywhere."""


@dataclass(frozen=True)
class Round:
    """One round of an iterative method from a residual: the correction and what was learnt.

    Attributes
    ----------
    correction : ndarray, shape (n,)
        To be added to the coefficients.
    steps : int
        Taken in this round.
    condition : float
        Of the preconditioned operator as the walk saw it: a lower bound, up to rounding.
    reached : bool
        Whether the recurrence reached the goal.
    gain : float
        What was left of ``|A'r|`` by recurrence, in units of where it started.
    """

    correction: np.ndarray
    steps: int
    condition: float
    reached: bool
    gain: float = 1.0

    def apparent_condition(self) -> float:
        """The condition that the walk saw, or that its rate betrays, whichever is larger.

        A smallest singular value that was not found yet shows in the rate: ``gain = 2 ((k - 1) / (k + 1))^steps``.
        """
        if self.steps < 2:
            return self.condition
        rate = min(1.0, self.gain / 2) ** (1 / self.steps)
        slow = (1 + rate) / (1 - rate) if rate < 1 else math.inf
        return max(self.condition, slow) if math.isfinite(self.condition) else slow


def lsmr_round(
    rows: Rows, residual: np.ndarray, slope: np.ndarray, solve: Solve, reduction: float, floor: float, budget: Budget
) -> Round:
    """Reduce ``|A'r| / |r|`` (in the norm of ``M^-1``) by a factor, or ``|r|`` to a floor.

    Parameters
    ----------
    rows : Rows
        ``A``.
    residual : ndarray, shape (m,)
        ``r = b - A x``; not changed.
    slope : ndarray, shape (n,)
        ``A' r``.
    solve : callable
        ``M^-1 s``.
    reduction : float
        The goal for ``|A'r| / |r|``, in units of where it starts.
    floor : float
        A length of ``r`` that is as good as zero.
    budget : Budget
        Steps and seconds.
    """
    beta = norm(residual)
    w = solve(slope)
    alpha = math.sqrt(max(0.0, dot(slope, w))) / beta if beta > 0 else 0.0
    if not alpha > 0:
        return Round(np.zeros(len(slope)), 0, 1.0, True)
    reduction = max(reduction, DEEPEST)
    u, unit = residual.copy(), beta  # u stands for u / unit
    s, w = slope / (alpha * beta), w / (alpha * beta)
    short, lengths, track = _Recurrence(alpha, beta, w), _ResidualLength(beta), [alpha]
    beta_start, first, x, steps, reached, gain = beta, alpha, short.x, 0, False, 1.0
    try:
        while not (reached or budget.is_over()):
            back, squares = rows.sweep(w, u, alpha / unit)
            unit = math.sqrt(squares)
            if unit > 0:
                s = back / unit - unit * s
                w = solve(s)
                alpha = math.sqrt(max(0.0, dot(s, w)))
            else:
                alpha = 0.0
            if alpha > 0:
                s, w = s / alpha, w / alpha
            track += [unit, alpha]
            if not short.step(alpha, unit, w):
                reached = True  # what is left to correct lies where A is zero to rounding
                break
            lengths.step(short)
            x = short.x
            steps += 1
            now = abs(short.zetabar)
            size = lengths.value
            gain = now / (first * beta_start)
            budget.step("lsmr", now / (size * first) if size > 0 else 0.0)
            reached = now <= reduction * first * size or size <= floor or not (alpha > 0 and unit > 0)
    except KeyboardInterrupt:
        budget.broken_off = True
    return Round(x, steps, _condition(track[: 2 * steps]), reached, gain)


class _Recurrence:
    """From the bidiagonal matrix to the coefficients (Fong, Saunders 2011, p. 2955)."""

    def __init__(self, alpha: float, beta: float, w: np.ndarray) -> None:
        self.alphabar, self.zetabar = alpha, alpha * beta
        self.rho = self.rhobar = self.cbar = 1.0
        self.sbar = self.zeta = 0.0
        self.largest, self.smallest, self.started = 0.0, math.inf, False
        self.h, self.hbar, self.x = w.copy(), np.zeros(len(w)), np.zeros(len(w))

    def step(self, alpha: float, beta: float, w: np.ndarray) -> bool:
        """Take the step, unless the singular value that it would divide by is rounding; whether it was taken."""
        rho_before, rhobar_before = self.rho, self.rhobar
        self.c, self.s, self.rho = _rotation(self.alphabar, beta)
        self.theta = self.s * alpha
        self.alphabar = self.c * alpha
        self.thetabar = self.sbar * self.rho
        self.rhotemp = self.cbar * self.rho
        # Estimates of the extreme singular values, as in section 3.4, p. 2957.
        self.largest = max(self.largest, self.rhobar if self.started else 0.0, self.rhotemp)
        self.smallest = min(self.smallest, self.rhobar if self.started else math.inf)
        if min(self.smallest, self.rhotemp) * SINGULAR < self.largest:
            return False
        self.started = True
        self.cbar, self.sbar, self.rhobar = _rotation(self.rhotemp, self.theta)
        self.zeta = self.cbar * self.zetabar
        self.zetabar = -self.sbar * self.zetabar
        self.hbar *= -self.thetabar * self.rho / (rho_before * rhobar_before)
        self.hbar += self.h
        # A new vector, so that a Ctrl-C at any moment leaves the last one whole.
        self.x = self.x + (self.zeta / (self.rho * self.rhobar)) * self.hbar
        self.h *= -self.theta / self.rho
        self.h += w
        return True


class _ResidualLength:
    """``|r|`` by recurrence (Fong, Saunders 2011, section 3.2, p. 2956), without damping."""

    def __init__(self, beta: float) -> None:
        self.value = beta
        self._betadd, self._betad = beta, 0.0
        self._rhodold, self._tautildeold, self._thetatilde = 1.0, 0.0, 0.0
        self._zetaold = 0.0

    def step(self, at: _Recurrence) -> None:
        betahat, self._betadd = at.c * self._betadd, -at.s * self._betadd
        thetatilde_before = self._thetatilde
        c, s, rho = _rotation(self._rhodold, at.thetabar)
        self._thetatilde = s * at.rhobar
        self._rhodold = c * at.rhobar
        self._betad = -s * self._betad + c * betahat
        self._tautildeold = (self._zetaold - thetatilde_before * self._tautildeold) / rho
        taud = (at.zeta - self._thetatilde * self._tautildeold) / self._rhodold if self._rhodold else 0.0
        self._zetaold = at.zeta
        self.value = math.hypot(self._betad - taud, self._betadd)


def _rotation(a: float, b: float) -> tuple[float, float, float]:
    """Cosine, sine and length of the rotation that turns (a, b) into (length, 0)."""
    length = math.hypot(a, b)
    return (a / length, b / length, length) if length > 0 else (1.0, 0.0, 1.0)


def _condition(track: list[float]) -> float:
    """Largest over smallest singular value of the bidiagonal matrix with alpha, beta, alpha, beta, ... on it.

    They are the positive eigenvalues of the symmetric tridiagonal matrix with zeros on the diagonal and the same
    numbers beside it (Golub, Kahan 1965), so that nothing is squared.
    """
    from scipy.linalg import eigvalsh_tridiagonal

    count = len(track) // 2
    if count == 0:
        return 1.0
    zeros, beside = np.zeros(2 * count + 1), np.asarray(track)
    largest = eigvalsh_tridiagonal(zeros, beside, select="i", select_range=(2 * count, 2 * count))[0]
    smallest = eigvalsh_tridiagonal(zeros, beside, select="i", select_range=(count + 1, count + 1))[0]
    return float(largest / smallest) if smallest > 0 else math.inf
