"""What a few products with the Hessian tell of a function before it is walked on.

    quadratic       H(x) v = H(y) v for points x, y apart from each other
    badly scaled    max |H_jj| / min |H_jj| is large, so that a ball in the variables' own units is a needle to f

Either is evidence from the points looked at, enough to choose a method by, and not more.

Reference: Conn, Gould, Toint (2000), "Trust-Region Methods", SIAM, section 6.7, pp. 162-168 (scaling).
"""

from __future__ import annotations

import numpy as np

from surefoot.descent.ground import Ground

SAME = 1e-12
"""Relative difference of two products that is rounding."""


def is_quadratic(ground: Ground, start: np.ndarray) -> bool:
    """Whether the Hessian is the same at the start and at two places apart from it, as far as a product tells.

    Examples
    --------
    >>> from surefoot.descent.bowl import Bowl
    >>> is_quadratic(Bowl.of_arrays(np.diag([1.0, 3.0]), np.zeros(2)), np.zeros(2))
    True
    """
    random = np.random.default_rng(0)
    size = np.maximum(np.abs(start), 1.0)
    v = random.standard_normal(len(size))
    first = ground.bend(start, v)
    if not np.all(np.isfinite(first)) or not np.any(first):
        return False
    for far in (0.1, 1.0):
        there = ground.bend(start + far * size * random.uniform(-1, 1, len(size)), v)
        if not np.linalg.norm(there - first) <= SAME * np.linalg.norm(first):
            return False
    return True


def spread_of_curvatures(ground: Ground, start: np.ndarray) -> float:
    """The largest curvature along a variable over the smallest that is not zero, by n products; 1 if there is none.

    Examples
    --------
    >>> from surefoot.descent.bowl import Bowl
    >>> spread_of_curvatures(Bowl.of_arrays(np.diag([1.0, 3.0]), np.zeros(2)), np.zeros(2))
    9.0
    """
    unit, found = np.zeros(ground.size), np.empty(ground.size)
    for j in range(len(found)):
        unit[j] = 1.0
        found[j] = abs(ground.bend(start, unit)[j])
        unit[j] = 0.0
    if not np.all(np.isfinite(found)):
        return 1.0
    felt = found[found > 1e-16 * np.max(found)]
    return float(np.max(felt) / np.min(felt)) if len(felt) else 1.0
