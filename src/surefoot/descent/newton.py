"""Newton's direction, turned downhill where f curves downwards, for any step rule.

    p = -M^-1 g,    M = D V |E| V' D    with D^-1 H D^-1 = V E V',    D^2 = |diag H|

Where H is positive definite M is H, and one step of length 1 solves a quadratic. Elsewhere the sizes of the curvatures
take their places: along a way that curves downwards p still leads down, as far as the curvature is sharp. Beyond a
hundred variables factors are cheaper than eigenvalues, and M = H + s D^2 with the first s of a doubling sequence that
makes it positive definite.

References: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, section 3.4, pp. 48-54 (algorithm 3.3:
adding a multiple of the identity; eigenvalue modification); Dauphin et al. (2014), "Identifying and attacking the
saddle point problem", NeurIPS 27 (sizes of eigenvalues).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.descent.directions import Way
from surefoot.descent.ground import Ground, Here
from surefoot.descent.models import FEW
from surefoot.descent.ray import Taken

LEAST = 1e-10
"""Curvatures, in units in which each variable has curvature one, are not taken for smaller than this share of the
largest."""
FIRST_SHIFT = 1e-3
"""The first shift, in the same units."""


@dataclass(frozen=True)
class Newton:
    """With the Hessian as a matrix, made positive definite.

    Examples
    --------
    >>> from surefoot.descent.landscape import Landscape
    >>> from surefoot.problem.objective import objective_of
    >>> objective, x = objective_of(lambda x: x[0] ** 2 - x[1] ** 2, np.array([1.0, 1.0]))
    >>> ground = Landscape(objective)
    >>> Newton().choose(ground, ground.see(x), None).vector.tolist()
    [-1.0, 1.0]
    """

    name: str = "Newton"
    momentum: float = 0.0

    def choose(self, ground: Ground, here: Here, last: Taken | None) -> Way:
        hessian = ground.hessian(here.x)  # type: ignore[attr-defined]
        if not np.all(np.isfinite(hessian)):
            return Way(-here.gradient)
        scale = _scale(hessian)
        scaled, slope = hessian / scale[:, None] / scale, here.gradient / scale
        solved = _by_eigenvalues(scaled, slope) if len(slope) <= FEW else _by_factors(scaled, slope)
        return Way(-solved / scale, natural=1.0)

    def forget(self) -> bool:
        return False


def _scale(hessian: np.ndarray) -> np.ndarray:
    scale = np.sqrt(np.abs(np.diagonal(hessian)))
    largest = float(np.max(scale, initial=0.0))
    return np.where(scale > 1e-12 * largest, scale, largest if largest > 0 else 1.0)


def _by_eigenvalues(hessian: np.ndarray, slope: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(hessian)
    sizes = np.abs(values)
    sizes = np.maximum(sizes, max(LEAST * float(np.max(sizes)), np.finfo(float).tiny))
    return vectors @ ((slope @ vectors) / sizes)


def _by_factors(hessian: np.ndarray, slope: np.ndarray) -> np.ndarray:
    from scipy.linalg import lapack

    diagonal = np.diagonal(hessian).copy()
    lowest = float(np.min(diagonal))
    shift = 0.0 if lowest > 0 else FIRST_SHIFT - lowest
    while True:
        raised = hessian.copy(order="F")
        np.fill_diagonal(raised, diagonal + shift)
        factor, failed = lapack.dpotrf(raised, lower=True, overwrite_a=True, clean=False)  # pyright: ignore[reportAttributeAccessIssue]
        if not failed:
            return lapack.dpotrs(factor, slope, lower=True)[0]  # pyright: ignore[reportAttributeAccessIssue]
        shift = max(2 * shift, FIRST_SHIFT)
