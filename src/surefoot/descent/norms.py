"""The length of a vector, for any numbers that a double can hold.

    |v| = 2^k |v / 2^k|,    2^k about the largest component where squares would leave the range

Reference: Blue (1978), "A portable Fortran program to find the Euclidean norm of a vector", ACM Trans. Math. Softw.
4(1), pp. 15-23.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

SMALLEST, LARGEST = 1e-280, 1e280
"""Sums of squares between these have lost nothing to underflow and have not overflowed."""

FEW = 40
"""Numbers for which Python is faster than an array."""


def length_of(v: np.ndarray) -> float:
    """Euclidean length; NaN or infinite if a component is.

    Examples
    --------
    >>> huge, tiny = np.array([3.0, 4.0]) * 2.0**600, np.array([3.0, 4.0]) * 2.0**-600
    >>> length_of(huge) / 2.0**600, length_of(tiny) / 2.0**-600, length_of(np.zeros(2))
    (5.0, 5.0, 0.0)
    """
    if len(v) <= FEW:
        return math.hypot(*v.tolist())  # it scales by itself, and quickly
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


class computed_once:  # it is used like the property that it is
    """A property that is computed when it is first asked for; ``functools.cached_property`` without its lock.

    Examples
    --------
    >>> class Square:
    ...     @computed_once
    ...     def area(self) -> float:
    ...         print("computed")
    ...         return 4.0
    >>> square = Square()
    >>> square.area, square.area
    computed
    (4.0, 4.0)
    """

    def __init__(self, compute: Callable[[Any], float]) -> None:
        self._compute, self._name = compute, compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, instance: Any, owner: type | None = None) -> float:
        if instance is None:
            return self  # type: ignore[return-value]
        found = instance.__dict__[self._name] = self._compute(instance)
        return found
