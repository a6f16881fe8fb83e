"""The stationary point next to a point whose gradient is small enough for the caller, if there is one.

    x_(k+1) = x_k - H(x_k)^-1 g(x_k),    on the variables that no bound holds

A gradient below a tolerance says nothing of what is near: f may be flat as x^4, or fall for ever as exp(-x). Newton's
steps say it. Where they shrink as they must near a stationary point with a regular Hessian, they lead to it in a few
steps, and that point can be judged by its rounding. Where they shrink by the same part each time, as they
do where the Hessian is singular, that leads to it too. Else nothing is claimed.

Reference: Ortega (1968), "The Newton-Kantorovich theorem", Amer. Math. Monthly 75(6), pp. 658-660.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from surefoot.proof.witness import Witness, length_of

STEPS = 12
"""Newton steps at most; near a regular stationary point fewer suffice."""

SHRINK = 0.4
"""Near a regular stationary point each step is shorter than this part of the one before."""

TINY, SMALL = 1e-14, 1e-6
"""Of the first step: so short, a step is done; so short, it may be kept from shrinking by rounding."""

ALIKE = 0.02
"""Where the Hessian is singular, steps keep their direction and shrink by the same part; this alike."""


def next_door(witness: Witness, x: np.ndarray, free: np.ndarray) -> np.ndarray | None:
    """The point that Newton's steps settle at, or None where they do not settle.

    Parameters
    ----------
    witness : Witness
        The function.
    x : ndarray, shape (n,)
        Where to begin.
    free : ndarray of int
        Variables that may move.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> bowl = SimpleNamespace(size=1, names=("x",), roundoff=2.0**-53, exact_gradient=True, exact_curvature=True,
    ...     value=lambda x: x[0]**2, see=lambda x: (x[0]**2, 2 * x), look=lambda x: (x[0]**2, 2 * x, np.array([[2.0]])))
    >>> next_door(Witness(bowl), np.array([1e-3]), np.array([0]))
    array([0.])
    """
    steps: list[np.ndarray] = []
    for _ in range(STEPS):
        step = _newton(witness, x, free)
        if step is None or not witness.holds(x + step):
            return None
        there, lengths = x + step, [length_of(one) for one in (*steps, step)]
        if np.all(np.abs(step) <= 8 * witness.unit * np.abs(there)) or lengths[-1] <= TINY * lengths[0]:
            return there
        if steps and lengths[-1] > SHRINK * lengths[-2]:
            if lengths[-1] <= SMALL * lengths[0]:
                return x  # rounding keeps the last steps from shrinking
            limit = _limit_of([*steps, step])
            if limit is not None:
                return x + limit if witness.holds(x + limit) else None
            if len(steps) >= 3:
                return None
        steps, x = [*steps, step], there
    return None


def _newton(witness: Witness, x: np.ndarray, free: np.ndarray) -> np.ndarray | None:
    """Newton's step on the free variables, the Hessian scaled by its diagonal."""
    gradient, matrix = witness.see(x)[1][free], witness.hessian(x)[np.ix_(free, free)]
    if not (np.all(np.isfinite(gradient)) and np.all(np.isfinite(matrix))):
        return None
    scale = np.sqrt(np.abs(np.diag(matrix)))
    scale[scale == 0] = 1.0
    with np.errstate(all="ignore"):
        try:
            moved = -np.linalg.solve(matrix / np.outer(scale, scale), gradient / scale) / scale
        except np.linalg.LinAlgError:
            return None
    step = np.zeros_like(x)
    step[free] = moved
    return step if np.all(np.isfinite(step)) else None


def _limit_of(steps: list[np.ndarray]) -> np.ndarray | None:
    """Where steps that shrink by the same part lead in the end (Aitken): at a singular Hessian Newton's do."""
    if len(steps) < 3:
        return None
    ratios = [length_of(after) / length_of(before) for before, after in pairwise(steps[-3:])]
    cosine = float(steps[-1] @ steps[-2]) / (length_of(steps[-1]) * length_of(steps[-2]))
    if abs(ratios[1] - ratios[0]) > ALIKE or not ratios[1] < 0.95 or cosine < 1 - ALIKE:
        return None
    return steps[-1] / (1 - ratios[1])
