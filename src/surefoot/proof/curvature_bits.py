"""What is known of the curvature of each number in an array: five facts as bits, and how linear operations join them.

    CONVEX, CONCAVE (both: affine), CONSTANT, and the weaker quasiconvex and quasiconcave

A bit that is set is proven, one that is not says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

CONVEX, CONCAVE, CONSTANT, QUASICONVEX, QUASICONCAVE = 1, 2, 4, 8, 16
AFFINE = CONVEX | CONCAVE | QUASICONVEX | QUASICONCAVE
EVERYTHING = AFFINE | CONSTANT
UNKNOWN = 0
_SUMMED = CONVEX | CONCAVE | CONSTANT
_QUASI = QUASICONVEX | QUASICONCAVE


def filled(value: int, shape: Sequence[int]) -> np.ndarray:
    """The same bits everywhere, without the memory for it."""
    return np.broadcast_to(np.uint8(value), tuple(shape))


def is_affine(bits: np.ndarray) -> np.ndarray:
    """Which are both convex and concave."""
    return (bits & 3) == 3


def mirrored(bits: np.ndarray) -> np.ndarray:
    """The bits of ``-u``.

    Examples
    --------
    >>> int(mirrored(np.uint8(CONVEX | QUASICONVEX))) == CONCAVE | QUASICONCAVE
    True
    """
    swapped = ((bits & 9) << 1) | ((bits & 18) >> 1)
    return (swapped | (bits & CONSTANT)).astype(np.uint8)


def closed(bits: np.ndarray) -> np.ndarray:
    """With what follows: convex is quasiconvex, constant is everything."""
    implied = bits | ((bits & 3) << 3)
    return np.where(bits & CONSTANT, EVERYTHING, implied).astype(np.uint8)


def added(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The bits of ``u + v``; a constant keeps what is quasiconvex so."""
    quasi = np.where(other & CONSTANT, one & _QUASI, 0) | np.where(one & CONSTANT, other & _QUASI, 0)
    return closed((one & other & _SUMMED) | quasi)


def summed(bits: np.ndarray, axes: Sequence[int]) -> np.ndarray:
    """The bits of sums over axes; of none of them, of the constant 0."""
    kept = bits & _SUMMED
    flat = _uniform(kept)
    if flat is not None:
        shape = [n for axis, n in enumerate(bits.shape) if axis not in axes]
        return closed(filled(flat, shape))
    return closed(np.bitwise_and.reduce(kept, axis=tuple(axes), initial=_SUMMED, dtype=np.uint8))


def scaled(bits: np.ndarray, above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """The bits of ``c u`` for constants that are ``>= 0`` or ``<= 0`` where said; of neither only affine is kept."""
    turned = mirrored(bits)
    either = (bits & turned).astype(np.uint8)
    found = np.where(above, bits, np.where(below, turned, either))
    return np.where(above & below, EVERYTHING, found).astype(np.uint8)


def composed(
    inner: np.ndarray, convex: np.ndarray, concave: np.ndarray, up: np.ndarray, down: np.ndarray
) -> np.ndarray:
    """The bits of ``phi(u)`` from those of u and what phi is on the range of u.

    Examples
    --------
    >>> yes, no = np.array(True), np.array(False)
    >>> int(composed(np.uint8(CONVEX), yes, no, yes, no)) & CONVEX
    1
    """
    affine = is_affine(inner)
    bent_up, bent_down = (inner & CONVEX) > 0, (inner & CONCAVE) > 0
    is_convex = convex & (affine | (bent_up & up) | (bent_down & down))
    is_concave = concave & (affine | (bent_down & up) | (bent_up & down))
    low, high = (inner & QUASICONVEX) > 0, (inner & QUASICONCAVE) > 0
    quasiconvex, quasiconcave = (low & up) | (high & down), (high & up) | (low & down)
    found = is_convex * CONVEX | is_concave * CONCAVE | quasiconvex * QUASICONVEX | quasiconcave * QUASICONCAVE
    return closed(np.where(inner & CONSTANT, EVERYTHING, found).astype(np.uint8))


def _uniform(bits: np.ndarray) -> int | None:
    """The one value of an array that was made by `filled`."""
    if bits.size and not any(stride for stride, n in zip(bits.strides, bits.shape, strict=True) if n > 1):
        return int(bits.flat[0])
    return None
