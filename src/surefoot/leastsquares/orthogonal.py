"""QR of rows in memory, block by block on threads: the triangle of [A b], which every other way is measured against.

Reference: Demmel, Grigori, Hoemmen, Langou (2012), "Communication-optimal parallel and sequential QR and LU
factorizations", SIAM J. Sci. Comput. 34(1), pp. A206-A239 (TSQR, pp. A210-A214).
"""

from __future__ import annotations

import numpy as np

from surefoot.leastsquares.passes import Rows
from surefoot.leastsquares.triangle import Triangle

HEIGHT = 8
"""Rows of a block in multiples of its columns: enough to make the merges cheap, few enough for the cache."""

CACHED = 1 << 18
"""Numbers in a block at least."""


def triangle_of(rows: Rows) -> Triangle:
    """The triangle of ``[A b]``; entries that are not finite were excluded before."""
    count, columns = rows.matrix.shape
    width = columns + rows.right.shape[1]
    step = max(1, HEIGHT * width, CACHED // max(1, width))

    def one(start: int) -> Triangle:
        block = np.empty((min(step, count - start), width), order="F")
        block[:, :columns] = rows.matrix[start : start + step]
        block[:, columns:] = rows.right[start : start + step]
        return Triangle.of(block)

    starts = range(0, count, step)
    return merged(list(rows.crew.map(one, starts) if rows.crew else map(one, starts)), width)


def merged(triangles: list[Triangle], width: int) -> Triangle:
    """All triangles in one, in pairs: rounding grows with the logarithm of their number."""
    while len(triangles) > 1:
        pairs = [triangles[k : k + 2] for k in range(0, len(triangles), 2)]
        triangles = [pair[0].merge(pair[1]) if len(pair) == 2 else pair[0] for pair in pairs]
    return triangles[0] if triangles else Triangle.empty(width)
