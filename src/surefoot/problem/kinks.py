"""A kink: where the slope of f jumps, however near to each other it is looked at from both sides.

    A_k = grad f(x - h_k d),    B_k = grad f(x + h_k d),    h_k = 8^k h_0

Of a smooth f, B_0 - A_0 is the smallest of all differences, as it shrinks with the distance. At a kink it is the
largest: on either side the gradient stays what it is, and only between the sides it jumps. At a cusp, like that of
sqrt|x|, it even grows towards the point. A value that jumps as well makes it no kink but a step.

Reference: Clarke (1983), "Optimization and Nonsmooth Analysis", Wiley, section 2.5, pp. 62-67 (the slopes near a point
say what the slopes at it may be).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

NEAREST = 16.0
"""Units in the last place between x and the nearest look."""
APART = 8.0
"""Ratio of two distances in a row."""
LOOKS, NEARER = 5, 5
"""Looks on a side that must agree, and distances from which these may begin."""
CLEAR = 4.0
"""A jump is one if it is so many times what the gradient varies by on either side."""
GROWS = 2.0
"""Towards a cusp the slope grows by at least this factor, over all looks of a side."""
POLE = 7.5
"""And by less than this from one look to the next: a slope like 1/h has no finite value between its sides."""
ROUNDINGS = 1e4
"""And so many times what rounding makes of the gradients looked at."""

See = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""Value and gradient at a point."""


@dataclass(frozen=True)
class Jump:
    """The slope on both sides of a point.

    Attributes
    ----------
    before, after : ndarray, shape (n,)
        The gradients.
    apart : float
        Distance between the points that they were taken at.
    is_cusp : bool
        Whether the slope grows towards the point, so that none belongs to it.
    """

    before: np.ndarray
    after: np.ndarray
    apart: float
    is_cusp: bool = False

    @property
    def worst(self) -> int:
        """The variable whose slope jumps most."""
        return int(np.argmax(np.abs(self.after - self.before)))

    def words(self, names: tuple[str, ...]) -> str:
        """The jump as a part of a sentence.

        Examples
        --------
        >>> Jump(np.array([-1.0]), np.array([2.0]), 7.1e-15).words(("x",))
        'the slope in x jumps from -1 to 2 between two points 7.1e-15 apart'
        """
        j = self.worst
        return (
            f"the slope in {names[j]} jumps from {self.before[j]:.4g} to {self.after[j]:.4g} between two points "
            f"{self.apart:.1e} apart" + (", and it grows from either side towards the point" if self.is_cusp else "")
        )


def jump_along(see: See, x: np.ndarray, way: np.ndarray, roundoff: float) -> Jump | None:
    """The jump of the gradient at x along a way; None where there is none to be seen.

    Parameters
    ----------
    see : callable
        Value and gradient of f.
    x : ndarray, shape (n,)
        The point; the kink may lie some units in the last place beside it.
    way : ndarray, shape (n,)
        Which way to look, each entry in proportion to the size of its variable.
    roundoff : float
        Unit roundoff of f.

    Examples
    --------
    >>> def see(x): return abs(x[0]) + x[0], np.sign(x) + 1
    >>> found = jump_along(see, np.array([1e-30]), np.array([1.0]), 2.0**-53)
    >>> found.before.tolist(), found.after.tolist(), found.is_cusp
    ([0.0], [2.0], False)
    >>> jump_along(lambda x: (x[0] ** 2, 2 * x), np.array([1e-30]), np.array([1.0]), 2.0**-53) is None
    True
    """
    lengths = NEAREST * 2 * roundoff * APART ** np.arange(LOOKS + NEARER)
    sides = []
    with np.errstate(all="ignore"):
        for sign in (-1.0, 1.0):
            points = [x + sign * length * way for length in lengths]
            seen = [see(point) for point in points]
            sides.append((points, np.array([value for value, _ in seen]), np.array([slope for _, slope in seen])))
        (behind, low, before), (ahead, high, after) = sides
        if not (np.all(np.isfinite(before)) and np.all(np.isfinite(after))):
            return None
        for k in range(NEARER + 1):
            chosen = slice(k, k + LOOKS)
            is_cusp = _is_cusp(before[chosen], after[chosen])
            if not is_cusp and not _jumps(before[chosen], after[chosen], roundoff):
                continue
            apart = float(np.linalg.norm(ahead[k] - behind[k]))
            steepest = max(float(np.linalg.norm(before[k])), float(np.linalg.norm(after[k])))
            rounding = ROUNDINGS * roundoff * max(abs(low[k]), abs(high[k]))
            if abs(high[k] - low[k]) <= CLEAR * steepest * apart + rounding:
                return _upward(Jump(before[k], after[k], apart, is_cusp), way)
    return None


def _upward(jump: Jump, way: np.ndarray) -> Jump:
    """The jump as it is met where the variable with the largest one grows."""
    return jump if way[jump.worst] > 0 else replace(jump, before=jump.after, after=jump.before)


def _jumps(before: np.ndarray, after: np.ndarray, roundoff: float) -> bool:
    """Whether the gradients of each side agree, and those of both sides do not."""
    jump = float(np.max(np.abs(after[0] - before[0])))
    varied = max(float(np.max(np.abs(side - side[0]))) for side in (before, after))
    largest = max(float(np.max(np.abs(side))) for side in (before, after))
    return jump > CLEAR * varied and jump > ROUNDINGS * roundoff * largest


def _is_cusp(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether some slope has one sign on either side, the other on the other, and grows without end between them."""
    j = int(np.argmax(np.abs(after[0] - before[0])))
    left, right = np.abs(before[:, j]), np.abs(after[:, j])
    opposite = bool(np.all(before[:, j] * after[0, j] < 0) and np.all(after[:, j] * before[0, j] < 0))
    grows = all(np.all(np.diff(side) < 0) and side[0] > GROWS * side[-1] for side in (left, right))
    bounded = all(np.all(side[:-1] < POLE * side[1:]) for side in (left, right))
    return opposite and bool(grows) and bool(bounded)


def jump_at(
    see: See, x: np.ndarray, size: np.ndarray, roundoff: float, rng: np.random.Generator, ways: int = 3
) -> Jump | None:
    """The jump of the gradient next to a point, along a few ways on which every variable moves.

    Parameters
    ----------
    see, x, roundoff
        As for `jump_along`.
    size : ndarray, shape (n,)
        How large each variable is.
    rng : Generator
        For the ways.
    ways : int
        How many are looked along.

    Examples
    --------
    >>> def see(x): return abs(x[0]) + x[1] ** 2, np.array([np.sign(x[0]), 2 * x[1]])
    >>> found = jump_at(see, np.array([0.0, 1.0]), np.ones(2), 2.0**-53, np.random.default_rng(0))
    >>> found.worst, jump_at(see, np.array([1.0, 0.0]), np.ones(2), 2.0**-53, np.random.default_rng(0)) is None
    (0, True)
    """
    for _ in range(ways):
        way = size * rng.uniform(0.5, 1.0, len(x)) * rng.choice([-1.0, 1.0], len(x))
        found = jump_along(see, x, way, roundoff)
        if found is not None:
            return found
    return None


def jump_of_values(
    height: Callable[[np.ndarray], float], x: np.ndarray, j: int, size: float, roundoff: float
) -> Jump | None:
    """The same from values alone, along one variable: secants of either side agree, and those of both do not.

    Parameters
    ----------
    height : callable
        The value of f.
    x : ndarray, shape (n,)
        The point.
    j : int
        The variable.
    size : float
        How large it is.
    roundoff : float
        Unit roundoff of f.

    Examples
    --------
    >>> found = jump_of_values(lambda x: abs(x[0]), np.array([1e-12]), 0, 1.0, 2.0**-53)
    >>> found.before.round(6).tolist(), found.after.round(6).tolist()
    ([-1.0], [1.0])
    >>> jump_of_values(lambda x: x[0] ** 2, np.array([1e-12]), 0, 1.0, 2.0**-53) is None
    True
    """
    lengths = size * roundoff**0.5 * APART ** np.arange(-1, LOOKS)
    slopes, unit = [], np.zeros(len(x))
    unit[j] = 1.0
    with np.errstate(all="ignore"):
        for sign in (-1.0, 1.0):
            heights = np.array([height(x + sign * length * unit) for length in lengths])
            slopes.append(sign * np.diff(heights) / np.diff(lengths))
            noise = ROUNDINGS * roundoff * float(np.max(np.abs(heights))) / lengths[0]
        before, after = (side[:, None] for side in slopes)
        if not (np.all(np.isfinite(before)) and np.all(np.isfinite(after))):
            return None
        is_cusp = _is_cusp(before, after)
        if abs(after[0, 0] - before[0, 0]) <= noise or not (is_cusp or _jumps(before, after, roundoff)):
            return None
    return Jump(before[0, 0] * unit, after[0, 0] * unit, 2 * float(lengths[0]), is_cusp)


def sizes(x: np.ndarray, span: np.ndarray | float = 0.0) -> np.ndarray:
    """How large each variable is: what it is or was, and where that is nothing, as large as the others, or 1.

    Examples
    --------
    >>> sizes(np.array([1e-200, 4.0]), np.array([3.0, 0.0])).tolist(), sizes(np.zeros(1)).tolist()
    ([3.0, 4.0], [1.0])
    """
    known = np.maximum(np.abs(x), span)
    largest = float(np.max(known, initial=0.0))
    least = largest * 1e-8 if largest > 0 else 1.0
    return np.where(known > least, known, largest if largest > 0 else 1.0)
