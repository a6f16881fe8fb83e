"""How much of a value, or of a gradient, is rounding: measured near a point, from a handful of evaluations.

Take m values at equidistant points x + k h d, so near to each other that f is a polynomial of low degree there up to
noise. Differences of order k remove the polynomial and leave the noise s, enlarged by a known factor:

    s_k^2 = (k!)^2 / (2k)! * mean of (Delta^k f)^2.

The level k at which s_k stops changing shows it.

Reference: More, Wild (2011), "Estimating computational noise", SIAM J. Sci. Comput. 33(3), pp. 1292-1314 (the
algorithm ECnoise).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from math import comb

import numpy as np

from surefoot.problem.objective import ROUNDOFF, Objective

POINTS = 8
"""Evaluations along the line."""
PLACES = np.arange(POINTS) - POINTS // 2

APART = 8
"""Units in the last place of x between two of them."""

WIDE = 4096
"""Columns whose differences of all orders are held at once."""

AGREE = 4.0
"""Three estimates in a row that differ by no more than this factor are the noise."""


def noise_of_value(objective: Objective, x: np.ndarray) -> float:
    """Standard deviation of what rounding (or other noise) does to f near a point.

    Parameters
    ----------
    objective : Objective
    x : ndarray, shape (n,)

    Returns
    -------
    float
        In units of f; at least the rounding of the value itself, u |f(x)|. NaN where f is not finite.

    References
    ----------
    More, Wild (2011), "Estimating computational noise", SIAM J. Sci. Comput. 33(3), pp. 1292-1314.

    Examples
    --------
    >>> from surefoot.problem.objective import objective_of
    >>> objective, x = objective_of(lambda x: (x - 1) ** 2 + 1e6, 3.0)
    >>> 1e-11 < noise_of_value(objective, x) < 1e-9
    True
    """
    if not objective.exact_gradient:
        return noise_near(objective.value, x, objective.roundoff)
    return _noise(lambda X: _sees(objective, X)[0], objective.value(x), x, objective.roundoff)


def noise_near(f: Callable[[np.ndarray], float], x: np.ndarray, roundoff: float) -> float:
    """The same for a plain function of a flat vector."""
    return _noise(lambda X: np.array([f(one) for one in X]), f(x), x, roundoff)


def _noise(values: Callable[[np.ndarray], np.ndarray], here: float, x: np.ndarray, roundoff: float) -> float:
    if not np.isfinite(here):
        return float("nan")
    noise = 0.0
    for base, step in _lines(x, roundoff):
        table = values(base + PLACES[:, None] * step)[:, None]
        if not np.all(np.isfinite(table)):
            break
        noise = float(difference_noise(table)[0])
        if _varies(table):
            break
    return max(noise, roundoff * abs(here))


def noise_of_gradient(objective: Objective, x: np.ndarray) -> float:
    """Length below which a gradient near x cannot be told from zero.

    It joins what rounding inside f does to every component, measured, with what the resolution of x does: x stands on
    doubles, and moving each variable by half a unit in its last place changes the gradient by about u |H| |x|, so no
    walk can make it shorter. Where the gradient itself comes from differences, their error is returned instead.

    Parameters
    ----------
    objective : Objective
    x : ndarray, shape (n,)

    Returns
    -------
    float
        In units of f over x; at least the rounding of the gradient itself, u |grad f(x)|. NaN where it is not finite.

    References
    ----------
    More, Wild (2011), "Estimating computational noise", SIAM J. Sci. Comput. 33(3), pp. 1292-1314.

    Examples
    --------
    >>> from surefoot.problem.objective import objective_of
    >>> objective, x = objective_of(lambda x: 0.5 * 1e6 * (x - 1) ** 2, 1.0)
    >>> 1e-11 < noise_of_gradient(objective, x) < 1e-9
    True
    """
    known = getattr(objective, "gradient_error", None)
    if not objective.exact_gradient and known is not None:
        return known(x)
    value, gradient = objective.see(x)
    if not (np.isfinite(value) and np.all(np.isfinite(gradient))):
        return float("nan")
    noise, resolved = 0.0, 0.0
    for attempt, (base, step) in enumerate(_lines(x, objective.roundoff)):
        table = _sees(objective, base + PLACES[:, None] * step)[1]
        if not np.all(np.isfinite(table)):
            break
        noise = _length(difference_noise(table))
        if attempt == 0:
            resolved = _length(table[-1] - table[0]) / ((POINTS - 1) * 2 * APART)
        if _varies(table):
            break
    return float(np.hypot(np.hypot(noise, resolved), objective.roundoff * _length(gradient)))


def _sees(objective: Objective, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and gradients at the rows of X; what has only single points is asked for each."""
    together = getattr(objective, "sees", None)
    if together is not None:
        return together(X)
    found = [objective.see(x) for x in X]
    return np.array([value for value, _ in found]), np.array([gradient for _, gradient in found])


def difference_noise(table: np.ndarray) -> np.ndarray:
    """The noise of each column of a table of values at equidistant points, shape (m, k): (k,), by ECnoise.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(scale=1e-3, size=(8, 1))
    >>> bool(2e-4 < difference_noise(np.arange(8.0)[:, None] ** 2 + noise)[0] < 5e-3)
    True
    """
    count, breadth = table.shape
    if breadth > WIDE:
        return np.concatenate([difference_noise(table[:, j : j + WIDE]) for j in range(0, breadth, WIDE)])
    differences = np.zeros((count - 1, *table.shape))  # of order k in row k - 1, and zeros behind them
    before = table
    for k in range(1, count):
        before = np.subtract(before[1:], before[:-1], out=differences[k - 1, : count - k])
    highest, lowest = differences.max(axis=1), differences.min(axis=1)
    changes = (highest > 0) & (lowest < 0)
    # The largest is taken out first: squares of extreme values leave the range of a double.
    largest = np.maximum(highest, -lowest)
    differences /= np.where(largest > 0, largest, 1.0)[:, None]
    levels = largest * np.sqrt(np.einsum("kij,kij->kj", differences, differences) / _known_factors(count))
    settled = np.stack([levels[k : k + count - 3] for k in range(3)])
    agrees = (settled.max(axis=0) <= AGREE * settled.min(axis=0)) & changes[: count - 3]
    fitting = levels[agrees.argmax(axis=0), np.arange(breadth)]
    # Where no three agree, the smallest of the higher orders: smooth parts only make it larger.
    return np.where(agrees.any(axis=0), fitting, levels[1:].min(axis=0))


@cache
def _known_factors(count: int) -> np.ndarray:
    """By order: so many differences, each enlarged by (2k)! / (k!)^2 in the square."""
    return np.array([[(count - k) * comb(2 * k, k)] for k in range(1, count)], float)


def _lines(x: np.ndarray, roundoff: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Lines (base, step) to be tried until f varies: a few units in the last place of x apart, then more.

    Points are whole units apart, so that they are equidistant as doubles too: otherwise the rounding of x would pass
    for noise of f. Numbers of units differ between the variables, so that no difference of two of them stays the same.
    """
    spread = _units_apart(len(x))
    coarse = roundoff / ROUNDOFF
    size = np.abs(x)
    if size.any():
        own = np.spacing(size * (1 + 1e-12)) * coarse * (x != 0)
        base = np.where(own > 0, np.round(x / np.where(own > 0, own, 1.0)) * own, x)
        yield base, spread * own
        yield base, 100 * spread * own
    around = np.spacing(np.maximum(size, 1.0)) * coarse
    yield x, spread * around
    yield x, 1000 * spread * around


@lru_cache(8)
def _units_apart(n: int) -> np.ndarray:
    random = np.random.default_rng(0)
    spread = random.choice([-1.0, 1.0], n) * random.integers(APART - 2, APART + 3, n)
    spread.flags.writeable = False
    return spread


def _length(vector: np.ndarray) -> float:
    """The Euclidean length, of extreme values too."""
    largest = float(np.max(np.abs(vector), initial=0.0))
    return largest * float(np.linalg.norm(vector / largest)) if 0 < largest < np.inf else largest


def _varies(table: np.ndarray) -> bool:
    """Whether rounding shows: not more than half of the neighbours are the same, in some column."""
    same = np.count_nonzero(table[1:] == table[:-1], axis=0)
    return bool((2 * same <= len(table) - 1).any())
