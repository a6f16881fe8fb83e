"""The signs of curvature from Hessian-vector products alone, by Lanczos from several random starts.

    Q'SHSQ = T,   beta_{j+1} q_{j+1} = SHS q_j - alpha_j q_j - beta_j q_{j-1},   q_{j+1} orthogonal to all before

A negative Ritz value is evidence by itself: its vector is in hand. That none is negative says something only with a
probability: after m steps from each of k random starts, all of them miss lambda_min by more than a share e of the
spread with probability at most (1.648 sqrt(n) exp(-sqrt(e) (2m - 1)))^k. Where e at the probability 1e-10 leaves
lambda_min positive, the minimum is firm; where all starts have only converged to the same positive value, it is not.

Reference: Kuczynski, Wozniakowski (1992), "Estimating the largest eigenvalue by the power and Lanczos algorithms with a
random start", SIAM J. Matrix Anal. Appl. 13(4), pp. 1094-1122, theorem 4.2; Bradley, Murray (2011), "Matrix-free
approximate equilibration", arXiv 1110.2805.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from surefoot.proof.floors import UNDERFLOW, natural_of, units_of
from surefoot.proof.inertia import Inertia, aim, grain, lost_to_differences, unknown
from surefoot.proof.witness import Witness

STARTS = 3
STEPS = 400
FIRST = 10
"""Steps before an end of the spectrum is looked at, and at least between two looks: a look costs as much as a few."""
ENOUGH = 0.7
"""Share of a vector that must be left by orthogonalising it, or it is done again."""
CHANCE = 1e-10
"""Probability with which a firm statement may be wrong."""
AGREED = 0.01
"""Relative residual at which an extreme Ritz value has converged."""


@dataclass(frozen=True)
class Ritz:
    """One end of a spectrum as one start sees it: values, vectors, and the residual of the extreme one."""

    low: float
    high: float
    low_residual: float
    high_residual: float
    low_vector: np.ndarray
    high_vector: np.ndarray
    steps: int
    exhausted: bool


class ProductCurvature:
    """The Hessian at a point as a map, with what ``DenseCurvature`` offers as far as products can give it."""

    def __init__(self, witness: Witness, x: np.ndarray, rng: np.random.Generator) -> None:
        self._witness, self._x, self._rng = witness, x, rng
        n = len(x)
        self.scale, self.noise, self.is_finite = np.ones(n), 0.0, True
        for _ in range(4):
            rows = self.scale * self.reach(self.scale)
            self.is_finite = self.is_finite and bool(np.all(np.isfinite(rows)))
            real = (rows > 0) & np.isfinite(rows)
            self.scale[real] /= np.sqrt(rows[real])

    def reach(self, lengths: np.ndarray) -> np.ndarray:
        """Root mean squares of H lengths over random signs: not more than ``|H| lengths``, and about its size."""
        signs = (self._rng.choice([-1.0, 1.0], len(lengths)) for _ in range(3))
        return _root_mean_square([self.times(lengths * sign) for sign in signs])

    def times(self, v: np.ndarray) -> np.ndarray:
        """H v: one product."""
        return self._witness.bend(self._x, v)

    def measure(self, span: np.ndarray | float = 0.0) -> None:
        """The noise of a product, from products a few units in the last place away; relative to the vector."""
        n = len(self._x)
        size = np.maximum(units_of(self._x, self.scale), natural_of(self.scale))
        steps = grain(self._witness) * np.maximum(size, span)
        z = self._rng.choice([-1.0, 1.0], n)
        here = self.scale * self.times(self.scale * z)
        for _ in range(2):
            aside = np.clip(self._x + steps * self._rng.uniform(-1, 1, n), self._witness.lower, self._witness.upper)
            there = self.scale * self._witness.bend(aside, self.scale * z)
            self.noise = max(self.noise, float(np.linalg.norm(there - here)) / math.sqrt(n))

    def inertia(self, free: np.ndarray, floor: np.ndarray) -> Inertia:
        """The inertia over some of the variables, as far as products show it; see ``DenseCurvature.inertia``."""
        n, found = len(free), []
        for _ in range(STARTS):
            ritz, tolerance = None, 0.0
            for ritz in self._lanczos(free):
                tolerance = self._tolerance(n, max(abs(ritz.low), abs(ritz.high)))
                if ritz.low < -4 * tolerance and ritz.high > 4 * tolerance:
                    break
                if _margin(n, ritz, 0.5 * abs(ritz.low)) and _margin(n, ritz, 0.5 * abs(ritz.high)):
                    break
            if ritz is None:
                return unknown(n, "as a product with it is not finite")
            found.append(ritz)
            if ritz.low < -tolerance and ritz.high > tolerance:
                break
        low, high = min(found, key=lambda r: r.low), max(found, key=lambda r: r.high)
        tolerance = self._tolerance(n, max(abs(low.low), abs(high.high)))
        spread = 1.1 * (high.high - low.low)
        share = _missed(n, found)
        below, above = low.low < -tolerance, high.high > tolerance
        # Where no eigenvalue can be missed by as much as is left, the ends need not have converged.
        firm_up, firm_down = low.low - share * spread > tolerance, high.high + share * spread < -tolerance
        rises = low.low > tolerance and (firm_up or _agreed([(r.low, r.low_residual) for r in found], share))
        falls = high.high < -tolerance and (firm_down or _agreed([(r.high, r.high_residual) for r in found], share))
        firm = firm_up if rises else firm_down
        weak = low if abs(low.low) <= abs(high.high) else high
        weakest = weak.low_vector if weak is low else weak.high_vector
        if rises or falls:
            steady = self._steady(free, weakest, min(abs(low.low), abs(high.high)), floor, tolerance)
            rises, falls = rises and steady, falls and steady
        flat = [v for r in found for v, t in ((r.low_vector, r.low), (r.high_vector, r.high)) if abs(t) <= tolerance]
        return Inertia(
            n, int(below), int(bool(flat)), int(above), low.low, high.high, tolerance, rises, falls, firm,
            down=aim(self.scale, free, low.low_vector) if below else None,
            up=aim(self.scale, free, high.high_vector) if above else None,
            weakest=aim(self.scale, free, weakest),
            null=tuple(aim(self.scale, free, v) for v in flat),
            is_complete=False,
            how=f"by Lanczos from {len(found)} random starts, {sum(r.steps for r in found)} products"
            + (f", wrong with probability {CHANCE:.0e} at most" if (rises or falls) and firm else ""),
        )  # fmt: skip

    def _tolerance(self, n: int, size: float) -> float:
        return 8 * math.sqrt(n) * self._witness.unit * size + 4 * self.noise + lost_to_differences(self._witness) * size

    def _scaled_times(self, free: np.ndarray, q: np.ndarray) -> np.ndarray:
        full = np.zeros(len(self._x))
        full[free] = self.scale[free] * q
        return self.scale[free] * self.times(full)[free]

    def _lanczos(self, free: np.ndarray) -> Iterator[Ritz]:
        """Ritz values and vectors at times, each a share later than the one before, and at the end."""
        n = len(free)
        most = min(n, STEPS)
        basis = np.zeros((most, n))
        q = self._rng.standard_normal(n)
        alpha, beta = [], []
        q /= np.linalg.norm(q)
        size, asked = 0.0, FIRST
        for j in range(most):
            basis[j] = q
            w = self._scaled_times(free, q)
            if not np.all(np.isfinite(w)):
                return
            alpha.append(float(q @ w))
            w -= alpha[j] * q
            if j:
                w -= beta[j - 1] * basis[j - 1]
            length = _orthogonalised(w, basis[: j + 1])
            size = max(size, abs(alpha[j]), beta[j - 1] if j else 0.0)
            ended = j + 1 == n or length <= 2 * math.sqrt(n) * self._witness.unit * size
            if ended or j + 1 >= min(asked, most):
                yield _ritz(basis[: j + 1], alpha, beta, 0.0 if ended else length, ended)
                asked = j + 1 + max(FIRST, (j + 1) // 4)
            if ended:
                return
            beta.append(length)
            q = w / length

    def _steady(self, free: np.ndarray, weakest: np.ndarray, value: float, floor: np.ndarray, tolerance: float) -> bool:
        """Whether the weakest curvature keeps its sign wherever the stationary point may lie along its direction."""
        toward = np.zeros(len(self._x))
        toward[free] = self.scale[free] * weakest
        away = float(np.abs(toward) @ (floor + UNDERFLOW)) / value * toward
        sign = float(toward @ self.times(toward))
        for there in (self._x + away, self._x - away):
            if not self._witness.holds(there):
                continue
            other = float(toward @ self._witness.bend(there, toward))
            if not (np.isfinite(other) and other * sign > 0 and abs(other) > tolerance):
                return False
        return True


def _orthogonalised(w: np.ndarray, basis: np.ndarray) -> float:
    """What is left of w, in place, and its length: once, or twice where little is left, which is enough."""
    before = float(np.linalg.norm(w))
    w -= (basis @ w) @ basis
    length = float(np.linalg.norm(w))
    if length > ENOUGH * before:
        return length
    w -= (basis @ w) @ basis
    return float(np.linalg.norm(w))


def _ritz(basis: np.ndarray, alpha: list[float], beta: list[float], length: float, ended: bool) -> Ritz:
    from scipy.linalg import eigh_tridiagonal

    values, vectors = eigh_tridiagonal(np.array(alpha), np.array(beta[: len(alpha) - 1]))
    low, high = vectors[:, 0] @ basis, vectors[:, -1] @ basis
    return Ritz(
        float(values[0]), float(values[-1]), abs(length * vectors[-1, 0]), abs(length * vectors[-1, -1]),
        low / np.linalg.norm(low), high / np.linalg.norm(high), len(alpha), ended,
    )  # fmt: skip


def _missed(n: int, found: list[Ritz]) -> float:
    """The share e of the spread by which all starts miss an end with probability ``CHANCE``."""
    if any(ritz.exhausted for ritz in found):
        return 0.0
    steps = sum(2 * ritz.steps - 1 for ritz in found)
    share = (-math.log(CHANCE) + len(found) * math.log(1.648 * math.sqrt(n))) / steps
    return min(1.0, share**2)


def _margin(n: int, ritz: Ritz, margin: float) -> bool:
    """Whether, if all starts come this far, an end is known to that margin."""
    return ritz.exhausted or _missed(n, [ritz] * STARTS) * 1.1 * (ritz.high - ritz.low) < margin


def _agreed(ends: list[tuple[float, float]], share: float) -> bool:
    """Whether every start has converged to the same end of the spectrum, or none needed to."""
    if share == 0.0:
        return True
    values = np.array([value for value, _ in ends])
    converged = all(residual <= AGREED * abs(value) for value, residual in ends)
    return converged and float(np.ptp(values)) <= AGREED * float(np.min(np.abs(values)))


def _root_mean_square(rows: list[np.ndarray]) -> np.ndarray:
    top = np.max(np.abs(rows), axis=0)
    safe = np.where(top > 0, top, 1.0)
    return safe * np.sqrt(np.mean((np.array(rows) / safe) ** 2, axis=0))
