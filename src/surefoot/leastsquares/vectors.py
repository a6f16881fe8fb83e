"""Dot products and lengths without the threads of BLAS.

BLAS calls its threads for vectors of ten thousand numbers. Beside the threads that share the rows they only wait for a
processor, spinning: measured, half of the time of a step.
"""

from __future__ import annotations

import math

import numpy as np


def dot(a: np.ndarray, b: np.ndarray) -> float:
    """``a'b``.

    Examples
    --------
    >>> dot(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    11.0
    """
    return float(np.einsum("i,i->", a, b))


def norm(a: np.ndarray) -> float:
    """``|a|``, for entries whose squares neither overflow nor vanish.

    Examples
    --------
    >>> norm(np.array([3.0, 4.0]))
    5.0
    """
    return math.sqrt(dot(a, a))
