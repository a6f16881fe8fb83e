"""The signs of curvature: how many eigenvalues of a Hessian are negative, zero and positive beyond rounding.

The inertia of H is that of S H S for any diagonal S > 0 (Sylvester), so variables are scaled first until every row has
largest entry 1: then a tolerance means something. With |dH| <= E, entry by entry:

    rises     lambda_min(SHS) > n eps |SHS| + 2 |SES|_F             (Weyl: no dH within E makes it indefinite)
    a fall    v'Hv < -2 |v|'E|v|, and the like for a rise           (v itself is the evidence)

E is measured, by Hessians a few units in the last place of x away, where they also change by what x cannot resolve.

Reference: Horn, Johnson (2013), "Matrix Analysis", 2nd ed., Cambridge, theorem 4.5.8, p. 282; Weyl, 4.3.1, p. 239;
Ruiz (2001), "A scaling algorithm to equilibrate both rows and columns norms in matrices", RAL-TR-2001-034.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from surefoot.proof.floors import UNDERFLOW, natural_of, units_of
from surefoot.proof.witness import Witness

EPS = 2.0**-52


@dataclass(frozen=True)
class Inertia:
    """What is known of the signs of curvature, in scaled variables where nothing else is said.

    Attributes
    ----------
    size : int
        Number of variables that may move.
    negative, zero, positive : int
        Eigenvalues clearly below zero, within the tolerance, clearly above; where only products were taken, those
        that were seen.
    smallest, largest : float
        Extreme eigenvalues of the scaled Hessian; largest in size is about 1.
    tolerance : float
        Below it an eigenvalue of the scaled Hessian cannot be told from zero.
    rises, falls : bool
        Whether every eigenvalue is clearly positive, or clearly negative.
    firm : bool
        Whether that is so for all eigenvalues, or (False) only for those that an iteration came to see.
    down, up, weakest : ndarray, shape (n,), or None
        Directions of unit length, in the variables as given: of clearly negative curvature, of clearly positive, and
        of the curvature smallest in size.
    null : tuple of ndarray
        Directions in which no curvature is seen.
    is_complete : bool
        Whether every eigenvalue was computed.
    how : str
        How it was found, as the end of a sentence.
    """

    size: int
    negative: int
    zero: int
    positive: int
    smallest: float
    largest: float
    tolerance: float
    rises: bool
    falls: bool
    firm: bool
    down: np.ndarray | None
    up: np.ndarray | None
    weakest: np.ndarray | None
    null: tuple[np.ndarray, ...]
    is_complete: bool
    how: str


def lost_to_differences(witness: Witness) -> float:
    """Relative error of curvature that does not come from a formula."""
    if witness.function.exact_curvature:
        return 0.0
    return 8 * witness.unit ** (0.5 if witness.function.exact_gradient else 0.25)


def grain(witness: Witness) -> float:
    """How far away, relative to the size of x, a Hessian is compared: what its own differences, if any, span."""
    return 4 * witness.unit ** (
        1.0 if witness.function.exact_curvature else 0.5 if witness.function.exact_gradient else 0.25
    )


def scaling(H: np.ndarray, noise: np.ndarray | None = None) -> np.ndarray:
    """Powers of two s with every row of ``|s_i H_ij s_j|`` of largest entry about 1; rows of pure noise stay small."""
    clear = np.abs(H) if noise is None else np.where(np.abs(H) > 4 * noise, np.abs(H), 0.0)
    scale = np.ones(len(H))
    real = np.max(clear, axis=1, initial=0.0) > 0
    for _ in range(12):
        rows = np.max((clear * scale[:, None]) * scale, axis=1, initial=0.0)
        if np.all(np.abs(np.log2(rows[real])) < 1):
            break
        scale[real] /= np.sqrt(rows[real])
    if noise is not None and not real.all():
        # A row that is nothing but noise is kept at the size of rounding, or it would drown the others.
        beside = np.max(noise[~real] * np.where(real, scale, 0.0), axis=1, initial=0.0)
        alone = np.sqrt(np.max(noise[np.ix_(~real, ~real)], axis=1, initial=0.0))
        with np.errstate(divide="ignore"):
            kept = np.minimum(EPS / beside, math.sqrt(EPS) / alone)
        scale[~real] = np.where(np.isfinite(kept), kept, 1.0)
    return np.exp2(np.clip(np.round(np.log2(scale)), -1000, 1000))


class DenseCurvature:
    """The Hessian at a point as a matrix, and how far it can be believed.

    Attributes
    ----------
    matrix, noise : ndarray, shape (n, n)
        The Hessian, and a bound of what rounding made of it as measured.
    scale : ndarray, shape (n,)
        Lengths of the variables.
    """

    def __init__(self, witness: Witness, x: np.ndarray, rng: np.random.Generator) -> None:
        self._witness, self._x, self._rng = witness, x, rng
        self.matrix = witness.hessian(x)
        self.is_finite = bool(np.all(np.isfinite(self.matrix)))
        if self.is_finite:
            self.scale = scaling(self.matrix)
            self.noise = np.zeros_like(self.matrix)

    def times(self, v: np.ndarray) -> np.ndarray:
        """H v."""
        return self.matrix @ v

    def reach(self, lengths: np.ndarray) -> np.ndarray:
        """``|H| lengths``."""
        return np.abs(self.matrix) @ lengths

    def measure(self, span: np.ndarray | float = 0.0) -> None:
        """The noise of the matrix, from Hessians a few units in the last place away, of x or of where it came from."""
        noise = 2 * self._witness.unit * np.abs(self.matrix)
        size = np.maximum(units_of(self._x, self.scale), natural_of(self.scale))
        steps = grain(self._witness) * np.maximum(size, span)
        for _ in range(2):
            aside = self._x + steps * self._rng.uniform(0.5, 1.0, len(steps)) * self._rng.choice([-1, 1], len(steps))
            other = self._witness.hessian(np.clip(aside, self._witness.lower, self._witness.upper))
            difference = np.abs(other - self.matrix)
            noise = np.maximum(noise, np.where(np.isfinite(difference), difference, np.inf))
        self.noise = noise
        if np.all(np.isfinite(noise)):
            self.scale = scaling(self.matrix, noise)

    def inertia(self, free: np.ndarray, floor: np.ndarray) -> Inertia:
        """The inertia over some of the variables.

        Parameters
        ----------
        free : ndarray of int
            Which variables may move.
        floor : ndarray, shape (n,)
            Floor of the gradient: how far away the stationary point may lie.
        """
        n, scale = len(free), self.scale[free]
        H, E = self._scaled(self.matrix, free), self._scaled(self.noise, free)
        if not np.all(np.isfinite(E)):
            E = np.full_like(H, np.inf)
        E = E + lost_to_differences(self._witness)
        if not np.all(np.isfinite(H)):
            return unknown(n, "as its entries differ by more than doubles can hold")
        values, vectors = np.linalg.eigh(H)
        size = float(np.max(np.abs(values)))
        rounding = n * EPS * size
        tolerance = rounding + 2 * float(np.linalg.norm(E))
        doubts = rounding + 2 * np.einsum("ik,ij,jk->k", np.abs(vectors), E, np.abs(vectors), optimize=True)
        below, above = values < -doubts, values > doubts
        weakest = int(np.argmin(np.abs(values)))
        rises, falls = bool(values[0] > tolerance), bool(values[-1] < -tolerance)
        if rises or falls:
            toward = scale * vectors[:, weakest]
            away = (np.abs(toward) @ (floor[free] + UNDERFLOW)) / abs(values[weakest])
            rises, falls = self._hold(free, away * toward, tolerance, rises, falls)
        sure = values[np.flatnonzero(above | below)]
        return Inertia(
            n, int(below.sum()), int(n - len(sure)) if not (rises or falls) else 0, int(above.sum()),
            float(values[0]), float(values[-1]), tolerance, rises, falls, True,
            down=self._aim(free, vectors[:, 0]) if below[0] else None,
            up=self._aim(free, vectors[:, -1]) if above[-1] else None,
            weakest=self._aim(free, vectors[:, weakest]),
            null=tuple(self._aim(free, vectors[:, k]) for k in np.flatnonzero(~(above | below))),
            is_complete=True,
            how=f"by all {n} eigenvalues",
        )  # fmt: skip

    def _hold(
        self, free: np.ndarray, away: np.ndarray, tolerance: float, rises: bool, falls: bool
    ) -> tuple[bool, bool]:
        """Whether the sign is the same wherever the stationary point may lie along the weakest direction."""
        step = np.zeros(len(self._x))
        step[free] = away
        for there in (self._x + step, self._x - step):
            if not np.all(np.isfinite(there)):
                return False, False
            if np.array_equal(there, self._x) or not self._witness.holds(there):
                continue
            other = self._witness.hessian(there)
            other = self._scaled(other, free)
            if not np.all(np.isfinite(other)):
                return False, False
            values = np.linalg.eigvalsh(other)
            rises, falls = rises and bool(values[0] > tolerance), falls and bool(values[-1] < -tolerance)
        return rises, falls

    def _scaled(self, matrix: np.ndarray, free: np.ndarray) -> np.ndarray:
        scale = self.scale[free]
        return (matrix[np.ix_(free, free)] * scale[:, None]) * scale

    def _aim(self, free: np.ndarray, vector: np.ndarray) -> np.ndarray:
        return aim(self.scale, free, vector)


def unknown(n: int, why: str) -> Inertia:
    """Nothing is known."""
    none = (0, 0, 0, np.nan, np.nan, np.inf, False, False, False, None, None, None, ())
    return Inertia(n, *none, False, why)


def aim(scale: np.ndarray, free: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """A direction of scaled, free variables as one of unit length in all variables as given."""
    direction = np.zeros(len(scale))
    direction[free] = scale[free] * vector
    top = float(np.max(np.abs(direction)))
    if not 0 < top < np.inf:
        return direction
    direction = direction / top
    return direction / float(np.linalg.norm(direction))
