"""Least squares within bounds and on linear equalities: the primal active set method on a triangle.

    minimise |R (x - c)|^2   subject to   l <= x <= u,   C x = d.

On the free variables F of a working set the step solves an equality constrained problem in the null space of C_F; a
bound that is met joins the set, and one whose multiplier has the wrong sign leaves it. Each solve lowers the sum of
squares, so no set comes back and the method ends.

References: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., algorithm 16.3, p. 472; Stark, Parker (1995),
"Bounded-variable least squares", Computational Statistics 10, pp. 129-141.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from surefoot.errors import BreakdownError, ModelError
from surefoot.leastsquares.rank import length, lengths

FEW_UNITS = 64 * np.finfo(float).eps


@dataclass(frozen=True)
class Constraints:
    """Bounds and equalities, checked.

    Attributes
    ----------
    lower, upper : ndarray, shape (n,)
        Infinite where there is none.
    matrix, right : ndarray, shapes (p, n) and (p,)
        ``matrix @ x = right``; for the methods by products alone the matrix may be a sparse array.
    """

    lower: np.ndarray
    upper: np.ndarray
    matrix: Any
    right: np.ndarray

    def dense(self) -> Constraints:
        """The same with the equalities in an array."""
        return self if isinstance(self.matrix, np.ndarray) else replace(self, matrix=self.matrix.toarray())

    def scaled(self, sizes: np.ndarray) -> Constraints:
        """The same for ``z = sizes * x``."""
        return Constraints(self.lower * sizes, self.upper * sizes, self.matrix / sizes, self.right)

    def divided(self, unit: float) -> Constraints:
        """The same for ``z = x / unit``."""
        with np.errstate(over="ignore"):
            return Constraints(self.lower / unit, self.upper / unit, self.matrix, self.right / unit)


@dataclass(frozen=True)
class Pinned:
    """The minimiser on its constraints.

    Attributes
    ----------
    x : ndarray, shape (n,)
    at_lower, at_upper : ndarray of bool, shape (n,)
        Which bounds hold it.
    steps : int
        Working sets that were solved for.
    """

    x: np.ndarray
    at_lower: np.ndarray
    at_upper: np.ndarray
    steps: int

    @property
    def free(self) -> np.ndarray:
        return ~(self.at_lower | self.at_upper)


def minimise_on(upper: np.ndarray, centre: np.ndarray, constraints: Constraints) -> Pinned:
    """Minimise ``|R (x - c)|^2`` on the constraints.

    Parameters
    ----------
    upper : ndarray, shape (h, n)
        R, a triangle or any other root of the Gram matrix.
    centre : ndarray, shape (n,)
        The minimiser without constraints.
    constraints : Constraints

    Raises
    ------
    ModelError
        No point satisfies the constraints.
    BreakdownError
        The working sets go in circles.

    Examples
    --------
    >>> import numpy as np
    >>> bounds = Constraints(np.array([0.0, 0.0]), np.array([1.0, 9.0]), np.zeros((0, 2)), np.zeros(0))
    >>> minimise_on(np.eye(2), np.array([3.0, -1.0]), bounds).x.tolist()
    [1.0, 0.0]
    """
    sizes = lengths(upper)
    sizes = np.where(sizes > 0, sizes, 1.0)
    # In units of the response: tolerances, and those of linear programming, are for numbers near one.
    unit = _unit(upper @ centre)
    root, target, scaled = upper / sizes, upper @ centre / unit, constraints.scaled(sizes).divided(unit)
    x = _feasible(centre * sizes / unit, scaled)
    slack = FEW_UNITS * np.maximum(1.0, np.abs(x))
    at_lower, at_upper = x <= scaled.lower + slack, x >= scaled.upper - slack
    at_upper &= ~at_lower | (scaled.lower == scaled.upper)
    steps, most = 0, 50 + 20 * len(x)
    stuck = np.zeros(len(x), dtype=bool)
    while steps < most:
        steps += 1
        free = ~(at_lower | at_upper)
        goal = _on_equalities(root, target, x, free, scaled)
        reach, blocking = _reach(x, goal, free, scaled)
        stays = length(reach * (goal - x)) <= FEW_UNITS * (1 + length(x))
        x = x + reach * (goal - x)
        if blocking is not None:
            side = at_lower if goal[blocking] < x[blocking] or x[blocking] <= scaled.lower[blocking] else at_upper
            side[blocking] = True
            x[blocking] = scaled.lower[blocking] if at_lower[blocking] else scaled.upper[blocking]
            # A bound that holds at once what was just let go: equalities hide its multiplier, and letting it go again
            # would go in circles.
            stuck = stuck & stays
            stuck[blocking] |= stays
            continue
        wrong = _wrong_signs(root, target, x, free, at_lower, at_upper, scaled)
        if np.any(wrong[~stuck]):
            leaving = int(np.argmax(np.where(stuck, 0.0, wrong)))
            at_lower[leaving] = at_upper[leaving] = False
            continue
        downhill = _downhill(root, target, x, at_lower, at_upper, scaled) if np.any(wrong) else np.zeros(len(x))
        if not np.any(downhill):
            x = np.where(at_lower, constraints.lower, np.where(at_upper, constraints.upper, x * unit / sizes))
            return Pinned(np.clip(x, constraints.lower, constraints.upper), at_lower, at_upper, steps)
        x = x + _step(root, target, x, downhill, scaled) * downhill
        inward = (downhill != 0) & (scaled.lower < scaled.upper)
        at_lower, at_upper, stuck = at_lower & ~inward, at_upper & ~inward, np.zeros(len(x), dtype=bool)
    raise BreakdownError(
        f"The active set of the bounds did not settle in {most} steps: the columns are too nearly dependent for them."
    )


def _unit(values: np.ndarray) -> float:
    """The power of two nearest to the largest size, so that dividing rounds nothing; 1 for zeros."""
    largest = float(np.max(np.abs(values), initial=0.0))
    return float(np.exp2(np.clip(np.round(np.log2(largest)), -1000, 1000))) if largest > 0 else 1.0


def multipliers(gradient: np.ndarray, held: Pinned, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How fast the smallest sum of squares changes with each bound, shape (n,), and each equality, shape (p,).

    ``gradient`` is that of the sum of squares, ``-2 A'r``; on the free variables it equals ``C' lambda``. Where bounds
    and equalities hold the point more than once, multipliers are not unique: then some of the signs of a minimum.
    """
    free = held.free
    bounds, prices = _plain_multipliers(gradient, free, matrix)
    if not len(matrix) or not (np.any(bounds[held.at_lower] < 0) or np.any(bounds[held.at_upper] > 0)):
        return bounds, prices
    signed, signed_prices, rest = _signed_multipliers(gradient, held.at_lower, held.at_upper, matrix)
    return (bounds, prices) if np.any(rest) else (signed, signed_prices)


def _signed_multipliers(
    gradient: np.ndarray, at_lower: np.ndarray, at_upper: np.ndarray, matrix: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Multipliers with the signs of a minimum that explain most of a gradient, and what they leave; zero at a minimum.

    What is left, turned round, is a way downhill that the constraints allow (Farkas' lemma).
    """
    from scipy.optimize import lsq_linear

    active = np.flatnonzero(at_lower | at_upper)
    # A coefficient with equal bounds is held from both sides, and its multiplier may have either sign.
    low, high = (np.where(side[active], end, 0.0) for side, end in ((at_upper, -np.inf), (at_lower, np.inf)))
    columns = np.hstack([matrix.T, np.eye(len(gradient))[:, active]])
    any_price = np.full(len(matrix), np.inf)
    bounds = (np.append(-any_price, low), np.append(any_price, high))
    found = lsq_linear(columns, gradient, bounds, method="bvls", max_iter=20 * columns.shape[1], tol=1e-15).x
    signed = np.zeros(len(gradient))
    signed[active] = found[len(matrix) :]
    rest = gradient - columns @ found
    rest[np.abs(rest) <= 1e-9 * np.abs(gradient).max()] = 0.0
    return signed, found[: len(matrix)], rest


def _plain_multipliers(gradient: np.ndarray, free: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    prices = np.linalg.lstsq(matrix[:, free].T, gradient[free], rcond=None)[0] if len(matrix) else np.zeros(0)
    return np.where(free, 0.0, gradient - matrix.T @ prices), prices


def _feasible(x: np.ndarray, constraints: Constraints) -> np.ndarray:
    """A point on the constraints: x itself moved to its bounds, or what linear programming finds."""
    clipped = np.clip(x, constraints.lower, constraints.upper)
    if not len(constraints.matrix):
        return clipped
    from scipy.optimize import linprog

    bounds = list(zip(constraints.lower, constraints.upper, strict=True))
    found = linprog(np.zeros(len(x)), A_eq=constraints.matrix, b_eq=constraints.right, bounds=bounds, method="highs")
    if found.status != 0:
        raise ModelError("No coefficients satisfy the equalities and the bounds together: loosen or correct one.")
    return np.clip(found.x, constraints.lower, constraints.upper)


def _on_equalities(
    root: np.ndarray, target: np.ndarray, x: np.ndarray, free: np.ndarray, constraints: Constraints
) -> np.ndarray:
    """The minimiser over the free variables with the others where they are."""
    goal = x.copy()
    wanted = target - root[:, ~free] @ x[~free]
    if not len(constraints.matrix):
        goal[free] = np.linalg.lstsq(root[:, free], wanted, rcond=None)[0]
        return goal
    matrix = constraints.matrix[:, free]
    start = np.linalg.lstsq(matrix, constraints.right - constraints.matrix[:, ~free] @ x[~free], rcond=None)[0]
    along = null_space(matrix)
    inside = np.linalg.lstsq(root[:, free] @ along, wanted - root[:, free] @ start, rcond=None)[0]
    goal[free] = start + along @ inside
    return goal


def null_space(matrix: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the directions that a matrix maps to zero, one a column."""
    _, values, across = np.linalg.svd(matrix)
    rank = int(np.count_nonzero(values > FEW_UNITS * max(matrix.shape) * (values[0] if values.size else 0.0)))
    return across[rank:].T


def _reach(x: np.ndarray, goal: np.ndarray, free: np.ndarray, constraints: Constraints) -> tuple[float, int | None]:
    """How far towards the goal the bounds allow, and which one stops the way."""
    step = goal - x
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(step < 0, (constraints.lower - x) / step, (constraints.upper - x) / step)
    room = np.where(free & (step != 0) & ~np.isnan(room), np.maximum(room, 0.0), np.inf)
    first = int(np.argmin(room)) if room.size else 0
    return (float(room[first]), first) if room.size and room[first] < 1 else (1.0, None)


def _downhill(
    root: np.ndarray,
    target: np.ndarray,
    x: np.ndarray,
    at_lower: np.ndarray,
    at_upper: np.ndarray,
    constraints: Constraints,
) -> np.ndarray:
    """A direction downhill that the constraints allow; zero at a minimum."""
    gradient = 2 * root.T @ (root @ x - target)
    return -_signed_multipliers(gradient, at_lower, at_upper, constraints.matrix)[2]


def _step(
    root: np.ndarray, target: np.ndarray, x: np.ndarray, direction: np.ndarray, constraints: Constraints
) -> float:
    """The best step along a direction, within the bounds."""
    along = root @ direction
    best = float(along @ (target - root @ x)) / float(along @ along) if np.any(along) else 1.0
    reach, _ = _reach(x, x + best * direction, np.ones(len(x), dtype=bool), constraints)
    return best * reach


def _wrong_signs(
    root: np.ndarray,
    target: np.ndarray,
    x: np.ndarray,
    free: np.ndarray,
    at_lower: np.ndarray,
    at_upper: np.ndarray,
    constraints: Constraints,
) -> np.ndarray:
    """By how much each bound's multiplier has the wrong sign, zero up to the rounding of the gradient."""
    gradient = 2 * root.T @ (root @ x - target)
    bound, _ = _plain_multipliers(gradient, free, constraints.matrix)
    wrong = np.where(at_lower, -bound, np.where(at_upper, bound, 0.0))
    noise = FEW_UNITS * (float(np.linalg.norm(target)) + float(np.linalg.norm(x)))
    return np.where((wrong > noise) & (constraints.lower < constraints.upper), wrong, 0.0)
