"""How far downhill a candidate is from the bottom: S'A'W(b - Az), enclosed from residuals in about twice the precision.

A fixed grid cuts A = A1 + A2 + A3, z = Z1 + Z2 + Z3 and t = W r likewise into slices of 20 bits or so, few enough that

    A1 Z1,  A1 Z2 + A2 Z1,  A1 Z3     and     A1'T1,  A1'T2 + A2'T1

are exact sums of whole numbers of units, whatever the order in which the BLAS adds them. Only products that are 2^-40
of the largest are rounded, so the sums are known to about 2^-93, at the price of a few thin matrix products.

Reference: Ozaki, Ogita, Oishi, Rump (2012), "Error-free transformations of matrix multiplication by using fast routines
of matrix multiplication and its applications", Numer. Algorithms 59, pp. 95-118 (algorithm 3, the cut by a constant).
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

import numpy as np

from surefoot.problem.twofold import two_product, two_sum
from surefoot.proof.rounding import TINY, UNIT, above, below, gamma
from surefoot.proof.scaled_rows import Block, ScaledRows
from surefoot.proof.spectrum import Spectrum, on_grid, power_above, slice_bits


@dataclass(frozen=True)
class Centre:
    """A candidate on the grid: exactly ``first + second + third``, each (n, p); ``scale`` (p,) is above the first."""

    first: np.ndarray
    second: np.ndarray
    third: np.ndarray
    scale: np.ndarray

    @classmethod
    def near(cls, high: np.ndarray, low: np.ndarray, bits: int) -> Centre:
        """The grid point next to ``high + low``, whatever these are."""
        usable = np.isfinite(high).all(axis=0) & (np.abs(high).max(axis=0, initial=0.0) < 2.0**200)
        high = np.where(usable, high, 0.0)
        low = np.where(usable & (np.abs(low) <= UNIT * np.abs(high)), low, 0.0)
        scale = power_above(np.abs(high).max(axis=0, initial=0.0))
        first = on_grid(high, bits, scale)
        rest = (high - first) + low
        second = on_grid(rest, 2 * bits, scale)
        third = on_grid(rest - second, 3 * bits, scale)
        return cls(first, second, third, scale)

    @property
    def head(self) -> np.ndarray:
        """``first + second``: exact, because it has no more than 2 bits + 1 bits."""
        return self.first + self.second


@dataclass(frozen=True)
class Slope:
    """``S'A'W(b - Az)`` for each right-hand side, in the scaled problem.

    Attributes
    ----------
    value : ndarray (n, p)
        As computed.
    error : ndarray (p,)
        Upper bounds of the 2-norm of its error.
    floor : ndarray (p,)
        About the part of that error which a better candidate would not make smaller.
    residual : tuple of ndarray (p,)
        Lower and upper bounds of ``|W^(1/2)(b - Az)|``.
    """

    value: np.ndarray
    error: np.ndarray
    floor: np.ndarray
    residual: tuple[np.ndarray, np.ndarray]


def slope_bits(rows: ScaledRows) -> int:
    """Bits of a slice, for sums over the columns and over the rows of a block."""
    return slice_bits(max(rows.A.shape[1], rows.longest))


def enclose_slope(rows: ScaledRows, spectrum: Spectrum, centre: Centre) -> Slope:
    """One pass over the rows."""
    n, p = centre.first.shape
    bits = slope_bits(rows)
    high, low, error = np.zeros((n, p)), np.zeros((n, p)), np.zeros((n, p))
    squares, total, count = np.zeros(p), 0.0, 0
    memory = threading.local()

    def one(block: Block) -> tuple:
        if getattr(memory, "rows", 0) < len(block[0]):
            memory.rows, memory.parts = len(block[0]), np.empty((3, *block[0].shape))
        cut = _cut(block[0], bits, memory.parts[:, : len(block[0])])
        residual = _residual(cut, block[1], centre)
        weight = float(len(block[0]) if block[2] is None else block[2].sum())
        return *_gradient(cut, block[2], residual, bits), weight

    for exact, small, rounded, lengths, weight in rows.mapped(one):
        for part in exact:
            high, lost = two_sum(high, part)
            low += lost
            error += UNIT * 2.0 * np.abs(low)
        low += small
        error += UNIT * 2.0 * np.abs(low) + rounded
        squares += lengths
        total += weight
        count += 1
    sums = rows.longest + 3 * count + 16  # roundings behind any of these sums
    S, gradient = spectrum.S, high + low
    fixed = np.abs(S).T @ above(error + TINY, sums)
    sideways = gamma(n + 4) * (np.abs(S).T @ np.abs(gradient)) + fixed
    off = residual_error(centre, n, bits) * math.sqrt(above(total, sums))
    norm = np.sqrt(np.sum(sideways * sideways, axis=0))
    length = np.sqrt(squares)
    return Slope(
        S.T @ gradient,
        above(norm + spectrum.largest * off, 3 * n + 16) + TINY,
        np.sqrt(np.sum(fixed * fixed, axis=0)) + off,
        (np.maximum(below(length, sums) - above(off, sums), 0.0), above(length + off, sums) + TINY),
    )


def residual_error(centre: Centre, n: int, bits: int) -> np.ndarray:
    """Upper bounds (p,) of the error of any one residual; ``|A| <= 1``, ``|z| <= scale``, ``|b| <= 1``.

    A2 (Z2 + Z3) and A3 z are rounded, and each is at most ``n scale 2^-(2 bits+1)`` (a little more for the first); the
    sums of the small terms take five roundings, those of the errors of the large ones three, of second order.
    """
    size = 1.0 + n * centre.scale
    return above((1.1 * gamma(n + 2) + 16.0 * UNIT) * 4.0**-bits * size + 16.0 * UNIT * UNIT * size, 12) + TINY


def _cut(block: np.ndarray, bits: int, into: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slices of multiples of 2^-bits and of 2^-(2 bits), and the rest: their sum is the block, exactly.

    ``into``, of shape (3, rows, n), is memory to use: fresh memory for each block costs more than what is written.
    """
    held = np.empty((3, *block.shape)) if into is None else into
    first, second, rest = held[0], held[1], held[2]
    for values, part, left, grid in ((block, first, rest, bits), (rest, second, rest, 2 * bits)):
        shift = 1.5 * 2.0 ** (52 - grid)
        np.add(values, shift, out=part)
        part -= shift
        np.subtract(values, part, out=left)
    return first, second, rest


def _residual(cut: tuple[np.ndarray, ...], rhs: np.ndarray, centre: Centre) -> tuple[np.ndarray, np.ndarray]:
    """``b - Az`` as ``high + low``."""
    p = rhs.shape[1]
    lower = centre.second + centre.third
    head = _times(cut[0], centre.first, centre.second, centre.third)
    middle = _times(cut[1], centre.first, lower)
    small = (head[:, 2 * p :] + middle[:, p:]) + cut[2] @ (centre.first + lower)
    high, first_error = two_sum(rhs, -head[:, :p])
    high, second_error = two_sum(high, -(head[:, p : 2 * p] + middle[:, :p]))
    return two_sum(high, (first_error + second_error) - small)


def _gradient(
    cut: tuple[np.ndarray, ...], omega: np.ndarray | None, residual: tuple[np.ndarray, np.ndarray], bits: int
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """``A'Wr`` of a block: two exact parts, a small one, the bound (p,) of its error; and ``r'Wr`` (p,)."""
    high, low = residual
    lost = np.zeros(high.shape[1])
    if omega is not None:
        product, slip = two_product(high, omega[:, None])
        tail = slip + omega[:, None] * low
        lost = UNIT * 4.0 * np.sum(np.abs(omega[:, None] * low) + np.abs(tail), axis=0)
        high, low = two_sum(product, tail)
    k, p = high.shape
    scale = power_above(np.abs(high).max(axis=0))
    first = on_grid(high, bits, scale)
    second = on_grid(high - first, 2 * bits, scale)
    third = ((high - first) - second) + low
    lower = second + third
    head = _times(cut[0].T, first, second, third)
    middle = _times(cut[1].T, first, lower)
    small = (head[:, 2 * p :] + middle[:, p:]) + cut[2].T @ high
    half = 2.0 ** -(bits + 1)
    sizes = [np.sum(np.abs(part), axis=0) for part in (third, lower, high, low)]
    reach = sizes[0] + half * sizes[1] + half * 2.0**-bits * sizes[2]
    rounded = (gamma(k + 1) + 8.0 * UNIT) * reach + half * 2.0**-bits * sizes[3] + lost
    lengths = np.sum(residual[0] * high, axis=0)
    return (head[:, :p], head[:, p : 2 * p] + middle[:, :p]), small, above(rounded, k + 12), lengths


def _times(matrix: np.ndarray, *parts: np.ndarray) -> np.ndarray:
    """The matrix times all parts side by side; single columns one by one, for which BLAS is faster."""
    if parts[0].shape[1] == 1:
        return np.hstack([matrix @ part for part in parts])
    return matrix @ np.hstack(parts)
