"""Iterative refinement: one more pass, with residuals in twice the precision, takes the rounding out of a solution.

With ``T`` the computed ``R^-1`` of the first pass, whatever its errors, and rows ``a_i`` in twice the precision,

    q_i = T' a_i,  r_i = y_i - a_i' x,  G = sum w_i q_i q_i',  g = sum w_i q_i r_i,  x <- x + T G^-1 g.

``(X'WX)^-1 = T G^-1 T'`` holds for any nonsingular ``T``; as ``G`` is within cond(X) u of the identity, it and ``g``
may be summed in double, and the step is exact to the rounding of the result. The same ``G`` corrects the standard
errors.

Reference: Bjorck (1996), "Numerical Methods for Least Squares Problems", SIAM, section 2.9, pp. 121-126 (refinement),
section 6.6.5, pp. 253-254 (corrected seminormal equations).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from surefoot.leastsquares.solution import Solution
from surefoot.problem.twofold import Twofold, two_product, two_sum

Rows = tuple[Twofold, Twofold, np.ndarray]
"""Predictors (m, p), response (m,), and weight times frequency (m,)."""


def refine(solution: Solution, blocks: Iterable[Rows]) -> Solution:
    """The same solution with the rounding of the first pass removed.

    Parameters
    ----------
    solution : Solution
        Of the first pass. Aliased columns stay dropped. Returned as it is where values beyond 1e290 leave no room for
        twice the precision.
    blocks : iterable of (Twofold, Twofold, ndarray)
        Every row once: predictors, response, weight times frequency.
    """
    kept = solution.kept
    first, inverse = solution.coef[kept], solution.spread[kept]
    count = len(kept)
    gram, slope, effects, squares = np.zeros((count, count)), np.zeros(count), np.zeros(count), 0.0
    # The residual in units of about the response, so that its square neither overflows nor vanishes.
    unit = float(np.exp2(np.round(np.log2(solution.response_length() or 1.0))))
    with np.errstate(over="ignore", invalid="ignore"):
        for predictors, response, weight in blocks:
            chosen = Twofold(predictors.high[:, kept], predictors.low[:, kept])
            rotated, fitted = product(chosen, inverse).value(), product(chosen, first[:, None])
            residual = (response - Twofold(fitted.high[:, 0], fitted.low[:, 0])).value()
            weighted = rotated * weight[:, None]
            gram += weighted.T @ rotated
            residual = residual / unit
            slope += weighted.T @ residual
            effects += weighted.T @ response.value()
            squares += float((weight * residual) @ residual)
    if not (np.all(np.isfinite(gram)) and np.all(np.isfinite(slope)) and np.isfinite(squares)):
        return solution
    lower = np.linalg.cholesky(gram)
    step = np.linalg.solve(gram, slope) * unit
    coef, spread = solution.coef.copy(), solution.spread.copy()
    coef[kept] = first + inverse @ step
    spread[kept] = np.linalg.solve(lower, inverse.T).T
    return replace(
        solution,
        coef=coef,
        spread=spread,
        effects=np.linalg.solve(lower, effects),
        residual_length=unit * float(np.sqrt(max(0.0, squares - slope @ (step / unit)))),
        upper=lower.T @ solution.upper,
        rounds=1,
        refined=True,
    )


def product(matrix: Twofold, right: np.ndarray) -> Twofold:
    """Matrix product with a matrix of doubles, accumulated in twice the precision (Dot2, see ``problem.twofold``)."""
    high = np.zeros((matrix.high.shape[0], right.shape[1]))
    low = np.zeros_like(high)
    for k in range(right.shape[0]):
        term, error = two_product(matrix.high[:, k, None], right[None, k])
        high, lost = two_sum(high, term)
        low += lost + (error + matrix.low[:, k, None] * right[None, k])
    return Twofold(high, low)
