"""Points and segments of doubles in a convex domain, where witnesses against convexity are looked for.

    p, q in D    =>    (1 - s) p + s q in D  for 0 <= s <= 1

Nothing is believed of a point but what `Domain.contains` says of it without rounding; how it was found does not matter.
"""

from __future__ import annotations

import numpy as np

from surefoot.problem.domain import Domain

_SPAN = 8.0
"""Half the length that a side without bounds is given."""

_HALVINGS = 60


def segment(domain: Domain, x: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The ends of a segment of the domain through about x, along about a direction; None if none was found.

    It is shortened until both ends are inside.

    Examples
    --------
    >>> p, q = segment(Domain.of("0 < x < 1", ("x",)), np.array([0.5]), np.array([4.0]))
    >>> p.tolist(), q.tolist()
    ([0.25], [0.75])
    """
    size = 1.0
    for _ in range(_HALVINGS):
        p, q = x - size * direction, x + size * direction
        if domain.contains(p) and domain.contains(q):
            return (p, q) if np.any(p != q) else None
        size /= 2.0
    return None


def is_free(domain: Domain) -> np.ndarray:
    """Which variables can move at all."""
    return domain.lower < domain.upper


def inner_points(domain: Domain, count: int, rng: np.random.Generator) -> np.ndarray:
    """Points of the domain, far and near: at most so many, an array of shape (points, n)."""
    low, high = _ranges(domain)
    n = domain.size
    middle = (low + high) / 2.0
    uniform = rng.uniform(low, high, (count, n))
    near = middle + (high - low) / 2.0 * rng.standard_normal((count, n)) * 10.0 ** rng.uniform(-3, 0, (count, 1))
    wide = np.clip(rng.standard_normal((count, n)) * 10.0 ** rng.uniform(-2, 2, (count, 1)), domain.lower, domain.upper)
    found = np.stack([uniform, near, wide], axis=1).reshape(-1, n)
    found = np.concatenate([middle[None], found])
    if domain.inequalities:
        found = _walked(domain, found, rng)
    kept = [x for x in found if domain.contains(x)]
    return np.array(kept[:count]).reshape(-1, n)


def _ranges(domain: Domain) -> tuple[np.ndarray, np.ndarray]:
    """Finite ends inside the bounds."""
    lower, upper = domain.lower, domain.upper
    with np.errstate(invalid="ignore"):
        low = np.where(np.isfinite(lower), lower, np.where(np.isfinite(upper), upper - 2 * _SPAN, -_SPAN))
        high = np.where(np.isfinite(upper), upper, np.where(np.isfinite(lower), lower + 2 * _SPAN, _SPAN))
    return low, high


def _walked(domain: Domain, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Points that inequalities exclude, drawn towards an inner one until they are inside."""
    centre = _centre(domain)
    if centre is None:
        return points
    found = [centre]
    for point in points:
        share = 1.0
        for _ in range(12):
            moved = centre + share * (point - centre)
            if domain.contains(moved):
                found.append(centre + share * rng.uniform(0.2, 1.0) * (point - centre))
                found.append(moved)
                break
            share *= 0.6
    return np.array(found)


def _centre(domain: Domain) -> np.ndarray | None:
    """About the centre of a largest ball in the domain, by linear programming; None if it has none."""
    from scipy.optimize import linprog

    n = domain.size
    rows, bounds = [], []
    for one in domain.inequalities:
        row = np.zeros(n + 1)
        for place, c in one.terms:
            row[place] = -float(c)
        row[n] = float(np.linalg.norm(row[:n]))
        rows.append(row)
        bounds.append(-float(one.bound))
    for k in range(n):
        for sign, end in ((-1.0, -domain.lower[k]), (1.0, domain.upper[k])):
            if np.isfinite(end) and domain.lower[k] < domain.upper[k]:
                row = np.zeros(n + 1)
                row[k], row[n] = sign, 1.0
                rows.append(row)
                bounds.append(end)
    pairs = [(lo if np.isfinite(lo) else None, hi if np.isfinite(hi) else None)
             for lo, hi in zip(domain.lower, domain.upper, strict=True)]  # fmt: skip
    cost = np.zeros(n + 1)
    cost[n] = -1.0
    solved = linprog(cost, A_ub=np.array(rows), b_ub=np.array(bounds), bounds=[*pairs, (0.0, _SPAN)])
    return np.asarray(solved.x[:n]) if solved.status == 0 else None
