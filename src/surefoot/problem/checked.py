"""Is a gradient the gradient of its function? Differences of several sizes tell, as far as noise and kinks let them.

    D(h) = (f(x + h e_i) - f(x - h e_i)) / 2h,    error at h  <=  2 s/h + |D(h) - D(4h)|,

with s the noise of f, measured. The step with the smallest error speaks for a component, so a function with noise or
with a wide range of scales is judged by what can be seen of it. At a kink the slopes on both sides stay apart however
small the step; then any number between them is right.

References: More, Wild (2012), "Estimating derivatives of noisy simulations", ACM TOMS 38(3), article 19; Nocedal,
Wright (2006), "Numerical Optimization", 2nd ed., Springer, section 8.1, pp. 194-204.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.errors import ModelError
from surefoot.problem.differences import NOTHING, sizes_of
from surefoot.problem.noise import noise_of_value
from surefoot.problem.objective import Objective, objective_of
from surefoot.wording import counted

LADDER = 4.0
"""Ratio of two steps in a row."""
RUNGS = 4
"""Steps above and below the one that suits a variable of its size."""
SETTLED = 0.1
"""Two steps in a row say something when they differ by no more than this share, or by noise alone."""
DOUBT = 10.0
"""Deviations up to this multiple of the estimated error of the differences are none."""
SLACK = 1e-6
"""And those below this share of the component."""
MOST = 1000
"""Variables that are checked; of more, so many at random."""


@dataclass(frozen=True)
class GradientCheck:
    """A gradient beside differences of the function.

    Attributes
    ----------
    ok : bool
        No component deviates by more than differences can err.
    sentence : str
        What was found, and in which variable the deviation is largest.
    names : tuple of str
        The variables that were checked.
    gradient, differences, errors : ndarray, shape (len(names),)
        The gradient, what differences give, and the estimated error of these.
    worst : int
        Index of the variable that deviates most, in terms of what is resolved.
    wrong, kinks, unseen : tuple of str
        Variables where the gradient is wrong; where f has a kink, so that a slope between those of both sides is
        right; and where differences are not finite or do not settle, so that nothing can be said.
    """

    ok: bool
    sentence: str
    names: tuple[str, ...]
    gradient: np.ndarray
    differences: np.ndarray
    errors: np.ndarray
    worst: int
    wrong: tuple[str, ...]
    kinks: tuple[str, ...]
    unseen: tuple[str, ...]

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class _Slope:
    """A derivative from differences: value, error, and the slopes on both sides where there is a kink."""

    value: float
    error: float
    sides: tuple[float, float] | None = None


def check_gradient(
    f: Any, x: Any, *, args: Sequence[Any] = (), jac: Callable[..., Any] | bool | None = None
) -> GradientCheck:
    """Compare a gradient with differences of the right size.

    Parameters
    ----------
    f : callable, str or Node
        As for `sf.minimize`.
    x : number, array, or tree of them
        Where to check; not a stationary point, where every gradient is small.
    args : sequence
        Further arguments of f and jac.
    jac : callable or True, optional
        The gradient to check, in the shape of x; True: f returns value and gradient. Without it, the derivative that
        JAX finds is checked, which is wrong only where f tells JAX so (custom derivatives, ``stop_gradient``).

    Returns
    -------
    GradientCheck

    Raises
    ------
    ModelError
        There is no gradient to check, or f is not finite at x.

    References
    ----------
    More, Wild (2012), "Estimating derivatives of noisy simulations", ACM TOMS 38(3), article 19.

    Examples
    --------
    >>> f = lambda x: x[0] ** 2 + x[0] * x[1]
    >>> found = check_gradient(f, [1.0, 2.0], jac=lambda x: [2 * x[0] + x[1], -x[0]])
    >>> found.ok
    False
    >>> print(found)
    The gradient is wrong in 1 of 2 variables. Worst in x[1]: the gradient says -1, differences say 1 (error about ...).
    """
    objective, point = objective_of(f, x, args=args, jac=jac)
    if not objective.exact_gradient:
        raise ModelError(f"There is no gradient to check; give jac=. ({' '.join(objective.notes)})")
    return check_objective(objective, point)


def check_objective(objective: Objective, point: np.ndarray) -> GradientCheck:
    """The same of an objective at a flat point.

    Raises
    ------
    ModelError
        f is not finite there.
    """
    value, gradient = objective.see(point)
    if not np.isfinite(value):
        raise ModelError(f"f is {value} at this point, so nothing can be said about its gradient; take another point.")
    which = np.arange(objective.size)
    if len(which) > MOST:
        which = np.sort(np.random.default_rng(0).choice(which, MOST, replace=False))
    noise = noise_of_value(objective, point)
    slopes = [_slope(objective, point, int(i), value, noise) for i in which]
    return _judged(objective, gradient[which], slopes, which)


def _slope(objective: Objective, x: np.ndarray, i: int, value: float, noise: float) -> _Slope:
    """The derivative along one variable, by the step whose error is smallest."""
    # The size over which f changes is not known: that of the variable itself, or that of the others.
    around, own = float(sizes_of(x)[i]), abs(float(x[i]))
    suits = float(np.cbrt(max(noise / max(abs(value), noise, np.finfo(float).tiny), objective.roundoff)))
    largest = around * min(0.1, suits * LADDER**RUNGS)
    smallest = (own if own > NOTHING else around) * suits / LADDER**RUNGS
    steps = largest / LADDER ** np.arange(2 + int(np.log(largest / smallest) / np.log(LADDER)))
    steps = (abs(x[i]) + steps) - abs(x[i])
    steps = steps[steps > 0]
    ahead, behind = (np.array([_moved(objective, x, i, side * h) for h in steps]) for side in (1, -1))
    with np.errstate(all="ignore"):
        right, left = (ahead - value) / steps, (value - behind) / steps
        middle = np.where(np.isfinite(right) & np.isfinite(left), (ahead - behind) / (2 * steps), np.nan)
        middle = np.where(np.isnan(middle), np.where(np.isfinite(right), right, left), middle)
        blur, change = 2 * noise / steps[1:], np.abs(np.diff(middle))
    settled = np.isfinite(change) & (change <= SETTLED * np.abs(middle[1:]) + 2 * blur)
    if not np.any(settled):
        return _Slope(np.nan, np.inf)
    best = int(np.argmin(np.where(settled, blur + change, np.inf)))
    return _Slope(float(middle[best + 1]), float(blur[best] + change[best]), _kink(right, left, noise / steps))


def _kink(right: np.ndarray, left: np.ndarray, blur: np.ndarray) -> tuple[float, float] | None:
    """The slopes on both sides, if they stay apart: those of a smooth function close with the step."""
    gap = np.abs(right - left)
    clear = np.flatnonzero(np.isfinite(gap) & (gap > 20 * blur))
    if len(clear) < 3 or clear[-1] < len(gap) - 3:
        return None
    one, _, last = clear[-3:]
    return (float(right[last]), float(left[last])) if gap[last] > 0.5 * gap[one] else None


def _moved(objective: Objective, x: np.ndarray, i: int, h: float) -> float:
    moved = x.copy()
    moved[i] += h
    return objective.value(moved)


def _judged(objective: Objective, gradient: np.ndarray, slopes: list[_Slope], which: np.ndarray) -> GradientCheck:
    names = tuple(objective.names[i] for i in which)
    found, errors = np.array([one.value for one in slopes]), np.array([one.error for one in slopes])
    largest = float(np.max(np.abs(gradient[np.isfinite(gradient)]), initial=0.0))
    rounding = 64 * objective.roundoff
    allowed = DOUBT * errors + max(SLACK, rounding) * np.abs(found) + rounding * largest
    apart = np.abs(gradient - found)
    apart[~np.isfinite(gradient)] = np.inf
    seen = np.isfinite(found)
    kinked = np.zeros(len(names), bool)
    for k, one in enumerate(slopes):
        if one.sides is not None and np.isfinite(gradient[k]):
            low, high = sorted(one.sides)
            room = SLACK * max(abs(low), abs(high))
            kinked[k] = low - room <= gradient[k] <= high + room
    wrong = seen & ~kinked & ~(apart <= allowed)
    with np.errstate(all="ignore"):
        measure = np.where(seen & ~kinked, apart / np.where(allowed > 0, allowed, np.inf), -1.0)
    worst = int(np.argmax(np.where(np.isnan(measure), np.inf, measure)))
    parts = [_verdict(names, gradient, found, errors, wrong, worst, bool(np.any(seen & ~kinked)))]
    if np.any(kinked):
        parts.append(
            f"f has a kink in {_listed(names, kinked)}, where every slope between those of both sides is right."
        )
    if not np.all(seen):
        parts.append(f"Differences along {_listed(names, ~seen)} are not finite, or do not settle: that is left open.")
    if len(names) < objective.size:
        parts.append(f"These are {len(names):,} variables of {objective.size:,}, taken at random.")
    chosen = [tuple(name for name, yes in zip(names, flags, strict=True) if yes) for flags in (wrong, kinked, ~seen)]
    return GradientCheck(not np.any(wrong), " ".join(parts), names, gradient, found, errors, worst, *chosen)


def _verdict(
    names: tuple[str, ...],
    gradient: np.ndarray,
    found: np.ndarray,
    errors: np.ndarray,
    wrong: np.ndarray,
    worst: int,
    judged: bool,
) -> str:
    if not judged:
        return "Nothing can be said about this gradient here."
    says = (
        f"the gradient says {gradient[worst]:.6g}, differences say {found[worst]:.6g} (error about {errors[worst]:.1g})"
    )
    if not np.any(wrong):
        return f"The gradient agrees with differences. They are furthest apart in {names[worst]}: {says}."
    text = f"The gradient is wrong in {int(np.sum(wrong))} of {counted(len(names), 'variable')}."
    text += f" Worst in {names[worst]}: {says}."
    with np.errstate(all="ignore"):
        ratio = gradient[wrong] / found[wrong]
    if len(ratio) > 1 and np.all(np.isfinite(ratio)) and np.ptp(ratio) <= 1e-3 * abs(ratio[0]):
        text += f" Everywhere it is {ratio[0]:.4g} times what it should be."
    return text


def _listed(names: tuple[str, ...], flags: np.ndarray) -> str:
    chosen = [name for name, yes in zip(names, flags, strict=True) if yes]
    return ", ".join(chosen[:5]) + (f" and {len(chosen) - 5:,} more" if len(chosen) > 5 else "")
