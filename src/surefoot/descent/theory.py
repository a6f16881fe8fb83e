"""How many steps the theory allows: upper bounds from the condition of the bowl, before a step is taken.

With ``k = L / mu``, the largest over the smallest curvature (the square of the condition number of the columns), the
distance to the minimiser shrinks in a step by at most

    rate 1/L:             1 - 1/k
    rate 2/(L + mu):      (k - 1) / (k + 1)
    exact line search:    (k - 1) / (k + 1)                      in the energy norm |A (x - x*)|
    heavy ball, tuned:    (sqrt k - 1) / (sqrt k + 1)            asymptotically
    conjugate gradients:  2 ((sqrt k - 1) / (sqrt k + 1))^j      after j steps, energy norm; exact after n steps

so f - f* of an exact line search shrinks by ((k - 1)/(k + 1))^2 a step, which ``worst_start`` attains.

References: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, theorem 3.3, p. 43 (exact line search),
equation (5.36), p. 117 (conjugate gradients); Hestenes, Stiefel (1952), J. Res. Nat. Bur. Standards 49(6), pp. 409-436
(at most n steps); Nesterov (2004), "Introductory Lectures on Convex Optimization", Kluwer, theorem 2.1.15, p. 70
(fixed rates); Polyak (1964), USSR Comput. Math. Math. Phys. 4(5), pp. 1-17 (heavy ball); Akaike (1959), Ann. Inst.
Statist. Math. 11, pp. 1-16 (the worst start).
"""

from __future__ import annotations

import math
from enum import Enum

import numpy as np


class Method(Enum):
    """A walk that the theory knows; the value is its name."""

    SAFE_RATE = "gradient descent, rate 1/L"
    BEST_RATE = "gradient descent, rate 2/(L + mu)"
    STEEPEST = "steepest descent, exact line search"
    HEAVY_BALL = "heavy ball"
    CONJUGATE_GRADIENTS = "conjugate gradients"


def predicted_steps(method: Method, condition: float, reduction: float, columns: int | None = None) -> int | None:
    """Steps that suffice, in exact arithmetic, to shrink the error by a factor.

    Parameters
    ----------
    method : Method
        Which walk.
    condition : float
        Of the Hessian, ``L / mu``: the square of the condition number of the columns.
    reduction : float
        Error after over error before, as 1e-8: of the distance, for an exact line search and conjugate gradients of
        the energy norm, the square root of ``f - f*``.
    columns : int, optional
        Conjugate gradients need no more steps than that.

    Returns
    -------
    int or None
        None where no number of steps suffices: the bowl is flat along a direction, up to rounding.

    Examples
    --------
    >>> predicted_steps(Method.BEST_RATE, 100.0, 1e-8), predicted_steps(Method.CONJUGATE_GRADIENTS, 100.0, 1e-8)
    (922, 96)
    >>> predicted_steps(Method.CONJUGATE_GRADIENTS, 1e20, 1e-8, columns=3)
    3
    """
    if not condition >= 1:
        raise ValueError(f"The condition of a Hessian is at least 1, not {condition:g}.")
    if not 0 < reduction < 1:
        raise ValueError(f"A reduction of the error lies between 0 and 1, as 1e-8 does; {reduction:g} does not.")
    wanted = math.log(reduction)
    if method is Method.CONJUGATE_GRADIENTS:
        steps = _steps(wanted - math.log(2), _logarithm(math.sqrt(condition)))
        return steps if columns is None else columns if steps is None else min(steps, columns)
    if method is Method.HEAVY_BALL:
        return _steps(wanted, _logarithm(math.sqrt(condition)))
    if method is Method.SAFE_RATE:
        return _steps(wanted, math.log1p(-1 / condition) if condition > 1 else -math.inf)
    return _steps(wanted, _logarithm(condition))


def worst_start(curvatures: np.ndarray) -> np.ndarray:
    """Where an exact line search is slowest, as distances from the minimiser along the eigenvectors.

    Equal slopes along the flattest and the steepest direction: ``1/mu`` and ``1/L``, zero elsewhere. Every step then
    lands on a point of the same kind.

    Parameters
    ----------
    curvatures : ndarray, shape (n,)
        Positive eigenvalues of the Hessian.
    """
    start = np.zeros(len(curvatures))
    for k in (int(np.argmin(curvatures)), int(np.argmax(curvatures))):
        start[k] = 1 / curvatures[k]
    return start


def _logarithm(ratio: float) -> float:
    """Logarithm of ``(ratio - 1)/(ratio + 1)``, exact for large ratios too."""
    return -2 * math.atanh(1 / ratio) if ratio > 1 else -math.inf


def _steps(wanted: float, each: float) -> int | None:
    """Whole steps, one at least; None where a step gains nothing."""
    if each == 0:
        return None
    return max(1, math.ceil(wanted / each))
