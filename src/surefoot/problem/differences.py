"""Differences of the right size: derivatives from values that carry noise.

    forward  (f(x + h) - f(x)) / h,             error 2 s/h + h |f''|/2,      best h = 8^(1/4) (s / |f''|)^(1/2)
    central  (f(x + h) - f(x - h)) / 2h,        error  s/h + h^2 |f'''|/6,    best h = (3 s / |f'''|)^(1/3)
    second   (f(++) - f(+-) - f(-+) + f(--)) / 4hk,  error s/h^2 + h^2 |f''''|/3, best h = (3 s / |f''''|)^(1/4)

with s the noise of f. Derivatives beyond the second are unknown; they are taken as |f''| over powers of the size of
the variable.

References: More, Wild (2012), "Estimating derivatives of noisy simulations", ACM TOMS 38(3), article 19;
Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, section 8.1, pp. 194-204.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

FORWARD = 8.0**0.25
LONGEST = 0.05
"""Steps are no longer than this share of the size of a variable."""
NOTHING = 1e-30
"""Variables below this have no size of their own."""
SHORTEST = 2.0**-44
"""And no shorter than this share, where x + h would be rounded to a few digits of h."""


@dataclass(frozen=True)
class Slopes:
    """A gradient from differences.

    Attributes
    ----------
    gradient : ndarray, shape (n,)
    error : ndarray, shape (n,)
        Estimated error of each component: noise and truncation.
    curves : ndarray, shape (n,)
        Second derivatives in size along each variable, as far as the noise lets them be seen.
    evaluations : int
        Values of f that it took, f(x) not counted.
    """

    gradient: np.ndarray
    error: np.ndarray
    curves: np.ndarray
    evaluations: int


def sizes_of(x: np.ndarray) -> np.ndarray:
    """A length for each variable over which f may be expected to change: its own, or that of the others, or one."""
    own = np.abs(x)
    known = own[own > NOTHING]
    typical = float(np.median(known)) if len(known) else 1.0
    return np.maximum(own, min(typical, 1.0))


def central(
    f: Callable[[np.ndarray], float],
    x: np.ndarray,
    value: float,
    noise: float,
    sizes: np.ndarray,
    curves: np.ndarray | None = None,
) -> Slopes:
    """Central differences, with what they show of the curvature; one-sided where f is not finite on the other side.

    Parameters
    ----------
    f : callable
        Of a flat vector.
    x : ndarray, shape (n,)
    value, noise : float
        f(x), and the standard deviation of its noise.
    sizes : ndarray, shape (n,)
        Over which length f changes, for each variable.
    curves : ndarray, shape (n,), optional
        Second derivatives in size along each variable, where they are known.

    Examples
    --------
    >>> found = central(lambda x: float(x @ x), np.array([1.0, 2.0]), 5.0, 1e-15, np.ones(2))
    >>> np.round(found.gradient, 8).tolist(), np.round(found.curves, 3).tolist()
    ([2.0, 4.0], [2.0, 2.0])
    """
    guess = (abs(value) + noise) / sizes**2 if curves is None else curves
    steps = clipped(np.cbrt(_ratio(3 * noise * sizes, guess)), sizes, x)
    gradient, error, found = np.empty(len(x)), np.empty(len(x)), np.empty(len(x))
    for i, h in enumerate(steps):
        ahead, behind = f(shifted(x, i, h)), f(shifted(x, i, -h))
        gradient[i] = slope_between(behind, value, ahead, h)
        found[i] = abs(ahead - 2 * value + behind) / h**2
        found[i] = max(found[i], 2 * noise / h**2) if np.isfinite(found[i]) else guess[i]
        error[i] = noise / h + h**2 / 6 * found[i] / sizes[i]
    return Slopes(gradient, error, found, 2 * len(x))


def forward(
    f: Callable[[np.ndarray], float],
    x: np.ndarray,
    value: float,
    noise: float,
    sizes: np.ndarray,
    curves: np.ndarray,
) -> Slopes:
    """Forward differences with steps that suit noise and curvature; backward where f is not finite ahead.

    Examples
    --------
    >>> found = forward(lambda x: float(x @ x), np.array([1.0]), 1.0, 1e-16, np.ones(1), np.array([2.0]))
    >>> bool(abs(found.gradient[0] - 2) <= 2 * found.error[0] < 1e-7)
    True
    """
    steps = clipped(FORWARD * np.sqrt(_ratio(np.full(len(x), noise), curves)), sizes, x)
    gradient = np.empty(len(x))
    for i, h in enumerate(steps):
        ahead = f(shifted(x, i, h))
        gradient[i] = (ahead - value) / h if np.isfinite(ahead) else (value - f(shifted(x, i, -h))) / h
    return Slopes(gradient, 2 * noise / steps + steps * curves / 2, curves, len(x))


def second(f: Callable[[np.ndarray], float], x: np.ndarray, one: np.ndarray, other: np.ndarray) -> float:
    """The second derivative along two steps, times their lengths: one' H other."""
    return (f(x + one + other) - f(x + one - other) - f(x - one + other) + f(x - one - other)) / 4


def steps_for_second(x: np.ndarray, noise: float, sizes: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """Steps of the right size for `second`; a variable without curvature takes that of the others for its guess."""
    guess = np.maximum(curves, np.max(curves * sizes**2, initial=0.0) / sizes**2)
    return clipped(_ratio(3 * noise * sizes**2, guess) ** 0.25, sizes, x)


def product_by_gradients(
    gradient: Callable[[np.ndarray], np.ndarray], x: np.ndarray, v: np.ndarray, roundoff: float
) -> np.ndarray:
    """The Hessian times v, from gradients on both sides.

    Examples
    --------
    >>> product_by_gradients(lambda x: 2 * x, np.ones(2), np.array([1.0, 0.0]), 2.0**-53).round(9).tolist()
    [2.0, 0.0]
    """
    length = float(np.linalg.norm(v))
    if length == 0 or not np.isfinite(length):
        return np.zeros(len(x)) * length
    with np.errstate(all="ignore"):
        reach = 1 / np.max(np.abs(v) / sizes_of(x))
    h = float(np.cbrt(3 * roundoff)) * reach
    return (gradient(x + h * v) - gradient(x - h * v)) / (2 * h)


def clipped(steps: np.ndarray, sizes: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Steps within reason, such that x + h - x is h exactly."""
    steps = np.clip(steps, SHORTEST * sizes, LONGEST * sizes)
    return (np.abs(x) + steps) - np.abs(x)


def _ratio(noise: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """Noise over curvature: infinite, for a step as long as may be, where no curvature is known; 0 without noise."""
    return np.where(noise > 0, np.where(curves > 0, noise / np.where(curves > 0, curves, 1.0), np.inf), 0.0)


def shifted(x: np.ndarray, i: int, h: float) -> np.ndarray:
    """The point with one variable moved by h."""
    moved = x.copy()
    moved[i] += h
    return moved


def slope_between(behind: float, value: float, ahead: float, h: float) -> float:
    """The slope in the middle of three values h apart, from those that are finite."""
    if np.isfinite(ahead):
        return (ahead - behind) / (2 * h) if np.isfinite(behind) else (ahead - value) / h
    return (value - behind) / h
