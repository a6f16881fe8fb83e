"""The length of a vector, for any numbers that a double can hold.

    |v| = 2^k |v / 2^k|,    2^k about the largest component where squares would leave the range

Reference: Blue (1978), "A portable Fortran program to find the Euclidean norm of a vector", ACM Trans. Math. Softw.
4(1), pp. 15-23.
"""

from __future__ import annotations

import math

import numpy as np

SMALLEST, LARGEST = 1e-280, 1e280
"""Sums of squares between these have lost nothing to underflow and have not overflowed."""


def length_of(v: np.ndarray) -> float:
    """Euclidean length; NaN or infinite if a component is.

    Examples
    --------
    >>> length_of(np.array([3e200, 4e200])), length_of(np.array([3e-200, 4e-200])), length_of(np.zeros(2))
    (5e+200, 5e-200, 0.0)
    """
    with np.errstate(over="ignore"):
        squared = float(v.dot(v))
    if SMALLEST < squared < LARGEST:
        return math.sqrt(squared)
    largest = float(np.max(np.abs(v), initial=0.0))
    if largest == 0 or not math.isfinite(largest):
        return largest
    unit = power_of_two(largest)
    scaled = v / unit
    return unit * math.sqrt(float(scaled.dot(scaled)))


def power_of_two(size: float) -> float:
    """The power of two at or below a positive number: scaling by it rounds nothing.

    Examples
    --------
    >>> power_of_two(5.0), power_of_two(0.3)
    (4.0, 0.25)
    """
    return math.ldexp(1.0, math.frexp(size)[1] - 1)
