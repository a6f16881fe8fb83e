"""The largest and the smallest curvature of a ground, measured by products with its Hessian.

Lanczos: ``k`` products with H give a tridiagonal matrix T whose eigenvalues (Ritz values) lie between the smallest and
the largest eigenvalue of H, and find its ends first. Conjugate gradients are Lanczos in other coordinates: their step
lengths t and gradients g give the same matrix for free,

    T_kk = 1/t_k + beta_(k-1)/t_(k-1),   T_(k,k+1) = sqrt(beta_k)/t_k,   beta_k = |g_(k+1)|^2 / |g_k|^2.

Reference: Golub, Van Loan (2013), "Matrix Computations", 4th ed., section 10.1, pp. 546-556 (Lanczos), section 11.3,
pp. 625-638 (its kinship with conjugate gradients).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surefoot.descent.ground import Ground
from surefoot.descent.norms import length_of

_Pairs = tuple[np.ndarray, np.ndarray]

PRODUCTS = 30
"""Products at most, unless the caller asks for more."""
SETTLED = 1e-4
"""Relative rest of the largest Ritz pair at which it counts as found."""


MOST_STEPS = 500
"""Steps of conjugate gradients beyond which their matrix says nothing more, and takes long to take apart."""


@dataclass(frozen=True)
class Curvatures:
    """The ends of the spectrum of a Hessian.

    Attributes
    ----------
    largest : float
        Measured, it is a lower bound of the true one.
    smallest : float or None
        Smallest that is not zero; measured, it is an upper bound of the true one. None if rounding hides it.
    products : int
        Products with the Hessian behind them; 0 where the caller knew.
    complete : bool
        Whether nothing is left to find: the caller knew, or there were as many products as variables. Otherwise
        flatter directions may hide, below u L in rounding or from the directions that were tried.
    """

    largest: float
    smallest: float | None
    products: int = 0
    complete: bool = True


def measure(ground: Ground, x: np.ndarray, first: np.ndarray, products: int = PRODUCTS) -> Curvatures:
    """Lanczos from a first direction, with full reorthogonalisation; ends early when the largest has settled.

    Started from a gradient it sees only the directions that a walk can take: of a bowl with a flat valley, none along
    the valley.
    """
    size = length_of(first)
    if size == 0 or not np.isfinite(size):
        return Curvatures(0.0, None, 0, complete=False)
    basis, diagonal, beside = [first / size], [], []
    most = min(products, len(first))
    complete = False
    for k in range(most):
        image = ground.bend(x, basis[-1])
        diagonal.append(float(basis[-1] @ image))
        for _ in range(2):
            for one in basis:
                image = image - (one @ image) * one
        rest = length_of(image)
        values, vectors = _tridiagonal(diagonal, beside)
        top = float(values[-1])
        complete = k + 1 == len(first)
        settled = k >= 3 and rest * abs(float(vectors[-1, -1])) <= SETTLED * top and most < len(first)
        if complete or settled or rest <= 64 * np.finfo(float).eps * top:
            break
        beside.append(rest)
        basis.append(image / rest)
    return _curvatures(_tridiagonal(diagonal, beside[: len(diagonal) - 1])[0], len(diagonal), complete)


def from_conjugate_gradients(lengths: np.ndarray, steepness: np.ndarray) -> Curvatures:
    """The same from a walk of k steps: lengths t, shape (k,), and lengths of the gradients, shape (k + 1,)."""
    lengths, steepness = lengths[:MOST_STEPS], steepness[: MOST_STEPS + 1]
    count = len(lengths)
    if count == 0 or not np.all(lengths > 0) or not np.all(steepness[:-1] > 0):
        return Curvatures(0.0, None, 0, complete=False)
    beta = (steepness[1:] / steepness[:-1]) ** 2
    diagonal = 1 / lengths
    diagonal[1:] += beta[:-1] / lengths[:-1]
    values = _tridiagonal(diagonal, np.sqrt(beta[:-1]) / lengths[:-1])[0]
    return _curvatures(values, count, complete=False)


def _curvatures(values: np.ndarray, products: int, complete: bool) -> Curvatures:
    largest, smallest = float(values[-1]), float(values[0])
    hidden = smallest <= 4 * len(values) * np.finfo(float).eps * largest
    return Curvatures(largest, None if hidden else smallest, products, complete)


def _tridiagonal(diagonal: Sequence[float] | np.ndarray, beside: Sequence[float] | np.ndarray) -> _Pairs:
    """Eigenvalues, rising, and eigenvectors."""
    return np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
