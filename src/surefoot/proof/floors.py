"""Where a gradient begins: below its floor it cannot be told from rounding.

    |g_i| <= 2 u (|H| |x|)_i + 8 sigma_i          (with gradients by differences, sqrt(u) in place of u)

The first part is the resolution of x: moving every variable by one unit in its last place changes the gradient by no
more. A variable that came from 10 to 1e-17 is resolved as 10 is (``span``), since zero has no size of its own. The
second is the rounding inside the gradient: sigma is what a cubic leaves unexplained of gradients at a few
points so close that f is smooth there if it is smooth at all. Both scale with f and with each variable, so nothing here
depends on units.

Reference: Moré, Wild (2011), "Estimating computational noise", SIAM J. Sci. Comput. 33(3), pp. 1292-1314, section 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from surefoot.proof.witness import Witness

REACH, POINTS, DEGREE = 2, 8, 3
"""Steps to each side, points, and degree of what is smooth, in a table of gradients."""

STRICT = 8.0
"""Standard deviations of noise that count as noise."""

SMALLEST = 2.0**-1073
"""Two steps of the smallest double: below it there is nothing to see."""

UNDERFLOW = 2.0**-1022
"""Compiled code may flush to zero what is smaller."""


@dataclass(frozen=True)
class Floors:
    """What rounding alone can make of a gradient and of a value.

    Attributes
    ----------
    gradient : ndarray, shape (n,)
        |g_i| at or below it cannot be told from zero.
    resolution, noise : ndarray, shape (n,)
        Its parts: ``2 u |H| |x|``, and the standard deviation of the rounding noise.
    value : float
        A change of f smaller than this is noise, where f has the size that it has here.
    """

    gradient: np.ndarray
    resolution: np.ndarray
    noise: np.ndarray
    value: float


class Curvature(Protocol):
    """What the floors need of the Hessian at a point."""

    @property
    def scale(self) -> np.ndarray:
        """A length for each variable, such that the Hessian scaled by them has entries of order 1, shape (n,)."""
        ...

    def times(self, v: np.ndarray) -> np.ndarray:
        """H v."""
        ...

    def reach(self, lengths: np.ndarray) -> np.ndarray:
        """``|H| lengths``, or what is known of it."""
        ...


def floors(
    witness: Witness,
    x: np.ndarray,
    seen: tuple[float, np.ndarray],
    curvature: Curvature,
    noise: float | None,
    rng: np.random.Generator,
    span: np.ndarray | float = 0.0,
) -> Floors:
    """The floors at a point.

    Parameters
    ----------
    witness : Witness
        The function.
    x : ndarray, shape (n,)
        The point.
    seen : tuple of float and ndarray, shape (n,)
        f and its gradient there.
    curvature : Curvature
        The Hessian there.
    noise : float or None
        Standard deviation of the noise in a component of the gradient, where it is known; measured otherwise.
    rng : Generator
        For the directions of the difference tables.
    span : ndarray, shape (n,), or float
        How large each variable was where the way to x began: x is resolved to the rounding of that.
    """
    if witness.function.exact_gradient:
        resolution = 2 * witness.unit * curvature.reach(np.maximum(np.abs(x), span))
    else:  # differences of values cannot place a stationary point better
        lengths = np.maximum(units_of(x, curvature.scale), natural_of(curvature.scale))
        resolution = 2 * math.sqrt(witness.unit) * curvature.reach(lengths)
    if noise is not None:
        sigma, shaking = np.full(len(x), float(noise)), 0.0
    else:
        sigma, shaking = _measured(witness, x, seen, curvature, rng)
    # A gradient by differences has a bias beside its noise, of about the same size where the step was well chosen.
    strict = STRICT if witness.function.exact_gradient else 4 * STRICT
    gradient = resolution + strict * sigma + SMALLEST
    error = None if witness.function.exact_gradient else getattr(witness.function, "gradient_error", None)
    if error is not None:  # what the differences say of themselves
        gradient = np.maximum(gradient, float(error(x)))
    return Floors(gradient, resolution, sigma, STRICT * (witness.unit * abs(seen[0]) + shaking))


def _measured(
    witness: Witness, x: np.ndarray, seen: tuple[float, np.ndarray], curvature: Curvature, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    sigma, shaking = np.zeros(len(x)), 0.0
    units, natural = units_of(x, curvature.scale), natural_of(curvature.scale)
    for _ in range(2 if units.any() else 0):
        table = _table(witness, x, seen, 32 * witness.unit * units, 4, rng)
        if table is not None:
            more = table.noise()
            sigma, shaking = np.maximum(sigma, more[:-1]), max(shaking, float(more[-1]))
    # Near the origin a relative step sees nothing of what rounding does to x + 1. Noise is what does not depend on the
    # step, and it counts only where the gradient is nearly linear all the same.
    near = np.where(units < natural, natural, 0.0)
    for _ in range(2 if near.any() else 0):
        wide, close = (_table(witness, x, seen, step * witness.unit * near, 24, rng) for step in (128, 8))
        if wide is not None and close is not None:
            far, by = wide.noise(), close.noise()
            least = np.where(far <= 4 * by, far, by)
            bent = curvature.times(wide.step)
            strayed = np.max(np.abs(wide.rows[:, :-1] - wide.places[:, None] * bent), axis=0)
            believed = np.where(strayed <= 0.5 * REACH * np.abs(bent), least[:-1], 0.0)
            sigma, shaking = np.maximum(sigma, believed), max(shaking, float(least[-1]))
    return sigma, shaking if shaking > 0 else _grain(witness, x, seen, np.where(units > 0, units, natural), rng)


def _grain(
    witness: Witness, x: np.ndarray, seen: tuple[float, np.ndarray], lengths: np.ndarray, rng: np.random.Generator
) -> float:
    """Noise of a value that was one and the same at all points near by, from where it begins to change.

    Terms that cancel leave a value on a grid: x^2 - 6 x + 9 next to 3 is 0, and now and then 2e-15. Few points may show
    none of that.
    """
    for power in range(8, 264, 8):
        table = _table(witness, x, seen, 32 * witness.unit * 2.0**power * lengths, 4, rng)
        if table is None or table.rows[:, -1].any():
            return 0.0 if table is None else float(table.noise()[-1])
    return 0.0


def units_of(x: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """How large each variable is: |x_j|, and where that is small, as much as others of the same scale."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        units = np.maximum(np.abs(x), scale * np.max(np.abs(x) / scale, initial=0.0))
    return np.where(np.isfinite(units), units, np.abs(x))


def natural_of(scale: np.ndarray) -> np.ndarray:
    """Lengths of order one, in proportion to the scale: what is left to go by where x says nothing."""
    logs = np.log2(scale)
    return np.exp2(logs - np.mean(logs))


@dataclass(frozen=True)
class Table:
    """Changes of the gradient, and of f in the last column, at ``x + k step``.

    Attributes
    ----------
    step : ndarray, shape (n,)
        One step.
    places : ndarray, shape (m,)
        The multiples k, not equally spaced: rounding to a grid would hide from equal ones.
    rows : ndarray, shape (m, n + 1)
        The changes.
    """

    step: np.ndarray
    places: np.ndarray
    rows: np.ndarray

    def noise(self) -> np.ndarray:
        """Standard deviation of the noise in each column: what no cubic in k explains."""
        top = np.max(np.abs(self.rows), axis=0)
        top[top == 0] = 1.0
        rows = self.rows / top  # so that squares neither overflow nor vanish
        smooth = np.linalg.qr(np.vander(self.places / REACH, DEGREE + 1))[0]
        left = rows - smooth @ (smooth.T @ rows)
        return np.sqrt(np.sum(left**2, axis=0) / (POINTS - DEGREE - 1)) * top


def _table(
    witness: Witness,
    x: np.ndarray,
    seen: tuple[float, np.ndarray],
    steps: np.ndarray,
    bits: int,
    rng: np.random.Generator,
) -> Table | None:
    """A table along a random direction within the bounds; None where nothing moves or f is not finite."""
    # Whole multiples of a power of two that x has room for: x + k h is exact, and other sums with it are not.
    with np.errstate(divide="ignore"):
        grain = np.where(steps > 0, np.exp2(np.round(np.log2(steps)) - bits), 0.0)
    inside = (x - REACH * steps >= witness.lower) & (x + REACH * steps <= witness.upper)
    step = np.where(inside, grain, 0.0) * rng.choice([-1.0, 1.0], len(x))
    if not step.any():
        return None
    most = REACH * 2**bits
    places = np.sort(rng.choice(2 * most + 1, POINTS, replace=False) - most)
    values, gradients = witness.sees(x + places[:, None] * step)
    rows = np.column_stack([gradients - seen[1], values - seen[0]])
    unit = 2.0**bits
    return Table(step * unit, places / unit, rows) if np.all(np.isfinite(rows)) else None
