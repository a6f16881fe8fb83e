"""The last digits of many points at once: Newton's steps for each, all by the same calls of the function.

    x_k <- x_k - H(x_k)^-1 g(x_k),    k = 1 ... m,    while H is positive definite and the steps shrink

Near a minimum with a regular Hessian a few steps lead to where rounding ends them. A point where they do not shrink, or
lead farther than it is allowed to move, is left to an ordinary walk.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, theorem 3.5, pp. 44-46.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from surefoot.problem.objective import Objective

STEPS = 8
"""At most; from where lanes end two or three suffice."""
FEW_UNITS = 4.0
"""A step of so many roundings of x is none."""
LATE = 1e-6
"""Steps that have shrunk to this part of the first may be kept from shrinking further by rounding."""
SHRINK = 0.5
"""Part of the step before that a step may have."""


def settle(objective: Objective, points: np.ndarray, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Newton's steps from every point.

    Parameters
    ----------
    objective : Objective
        f with its derivatives over lanes.
    points : ndarray, shape (m, n)
        Where to begin.
    allowed : ndarray, shape (n,)
        How far each variable may be moved.

    Returns
    -------
    points : ndarray, shape (m, n)
        Where they settled; as they were where they did not.
    settled : ndarray of bool, shape (m,)

    Examples
    --------
    >>> from surefoot.problem.objective import objective_of
    >>> objective, _ = objective_of("x^4 / 4 - x", {"x": 1.0})
    >>> found, settled = settle(objective, np.array([[1.01], [0.98], [-1.0]]), np.array([0.1]))
    >>> found[:2, 0].tolist(), settled.tolist()
    ([1.0, 1.0], [True, True, False])
    """
    x, settled = points.copy(), np.zeros(len(points), bool)
    going, last = np.arange(len(points)), np.full(len(points), np.inf)
    first = last
    eps = 2 * objective.roundoff
    with np.errstate(all="ignore"):
        for count in range(STEPS):
            if not len(going):
                break
            step = _newton(objective, x[going])
            size = np.max(np.abs(step) / allowed, axis=1)
            first = size if count == 0 else first
            there = x[going] + step
            small = np.all(np.abs(step) <= FEW_UNITS * eps * np.abs(there), axis=1)
            rounding = (size > SHRINK * last[going]) & (size <= LATE * first[going])
            shrinks = (size <= SHRINK * last[going]) & np.all(np.abs(there - points[going]) <= allowed, axis=1)
            moved = shrinks | small
            x[going[moved]] = there[moved]
            settled[going[small | rounding]] = True
            last[going] = size
            going = going[shrinks & ~small]
    x[~settled] = points[~settled]
    return x, settled


def _newton(objective: Objective, x: np.ndarray) -> np.ndarray:
    """Newton's step at each point; NaN where the Hessian is not positive definite."""
    gradients, hessians = objective.lanes(x)[1], objective.hessians(x)
    scale = 1 / np.sqrt(np.einsum("kii->ki", hessians))
    good = np.all(np.isfinite(scale), axis=1) & np.all(np.isfinite(hessians), axis=(1, 2))
    step = np.full_like(x, np.nan)
    if not np.any(good):
        return step
    scale, scaled = scale[good], hessians[good] * scale[good][:, :, None] * scale[good][:, None, :]
    values, vectors = np.linalg.eigh(scaled)
    inner = np.einsum("kji,kj->ki", vectors, scale * gradients[good]) / np.where(values > 0, values, np.nan)
    step[good] = -scale * np.einsum("kij,kj->ki", vectors, inner)
    return step
