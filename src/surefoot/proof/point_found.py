"""A stationary point, enclosed: exactly where it is representable, else by the operator of Krawczyk.

    K = m - C g(m) + (I - C H(X)) (X - m)  inside  X      proves one zero of g in X, and no other

X grows until K is inside, for a zero next to m is all that is hoped for, and it need not lie in the first X. A point
whose gradient is exactly 0 in intervals needs no such theorem, and may have a singular Hessian.

Reference: Rump (2010), "Verification methods", Acta Numerica 19, section 13, pp. 396-404 (inflation); Neumaier (1990),
"Interval Methods for Systems of Equations", Cambridge, theorem 5.1.8, p. 177.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.proof.ball_matrix import Ball, krawczyk_reach, signs_of
from surefoot.proof.local_reading import Local, kink, look
from surefoot.proof.point_question import Open, Question

STEPS = 12
"""Most Newton steps that polish a point."""
ROUNDS = 15
"""Times that a box is inflated."""
DIGITS = (0, 1, 2, 3, 4, 6, 8)
"""Decimal digits to which candidates are rounded: solutions of problems that people write often have few."""
RADII = (1e-4, 1e-8, 1e-12)
"""Half widths of neighbourhoods that are tried, relative to the size of each variable, at least 1."""
ROOM = 1 / 16
"""Part of what is left to the verified box by which the published enclosure is wider than the proven one."""
AT_BOUND = 2.0**-51
"""A variable so near to its bound, relative to it, is at the bound."""


@dataclass(frozen=True)
class Found:
    """A true stationary point.

    Attributes
    ----------
    at, reach : ndarray (n,)
        It lies within ``reach`` of ``at``; 0 where it is exact.
    radius : ndarray (n,)
        Half widths of the box that was verified around it.
    exact : bool
        Whether ``at`` itself is the point.
    free, weak : ndarray of int
        Variables whose slope is 0 there, and those of them that stand at a bound.
    held : mapping of int to str
        Variables at a bound with a multiplier of the right sign: ``"lower"`` or ``"upper"``.
    here, around : Local
        What is known at ``at`` and on the box.
    """

    at: np.ndarray
    reach: np.ndarray
    radius: np.ndarray
    exact: bool
    free: np.ndarray
    weak: np.ndarray
    held: dict[int, str]
    here: Local
    around: Local


def settled(question: Question, x: np.ndarray) -> np.ndarray:
    """The point with its variables at their bounds where they are next to them."""
    box = question.box
    with np.errstate(invalid="ignore"):
        x = np.where(x - box.lower <= AT_BOUND * np.abs(x), box.lower, x)
        return np.where(box.upper - x <= AT_BOUND * np.abs(x), box.upper, x)


def sides(question: Question, x: np.ndarray, local: Local) -> tuple[np.ndarray, np.ndarray, dict[int, str], list[int]]:
    """Free variables, weakly held ones, held ones with their side, and those that a bound pushes away."""
    lower, upper = x == question.box.lower, x == question.box.upper
    low, high = local.slopes
    free, weak, held, wrong = [], [], {}, []
    for j in range(len(x)):
        if lower[j] and upper[j]:
            continue
        if not lower[j] and not upper[j]:
            free.append(j)
            continue
        inward = (low[j], high[j]) if lower[j] else (-high[j], -low[j])
        if inward[0] > 0:
            held[j] = "lower" if lower[j] else "upper"
        elif inward[1] < 0:
            wrong.append(j)
        else:
            weak.append(j)
    return np.array(free, int), np.array(weak, int), held, wrong


def look_at(question: Question, points: np.ndarray, order: int = 2) -> list[Local]:
    """What is known at points themselves."""
    return look(question.graph, points, points, order)


def polished(question: Question, x: np.ndarray) -> np.ndarray:
    """Newton's steps on the variables that move, a proposal only: never far from x, and never out of the bounds."""
    point, best, least = x, x, np.inf
    for _ in range(STEPS):
        question.check_time("Newton's steps had settled")
        local = look_at(question, point[None])[0]
        free = sides(question, point, local)[0]
        gradient, H = local.gradient.mid[free], local.hessian.part(free).mid
        if not len(free) or not (np.all(np.isfinite(gradient)) and np.all(np.isfinite(H))):
            break
        signs = signs_of(Ball.exactly(H))
        step = -(signs.inverse @ gradient) if signs is not None else -np.linalg.lstsq(H, gradient, rcond=1e-10)[0]
        length = float(np.linalg.norm(step / np.maximum(np.abs(point[free]), question.length * 1e-8)))
        if length < least:
            best, least = point, length
        following = point.copy()
        following[free] = np.clip(point[free] + step, question.box.lower[free], question.box.upper[free])
        if not np.all(np.isfinite(step)) or np.linalg.norm(following - x) > 0.1 * question.length:
            break
        if np.array_equal(following, point):
            return point
        if length < 1e-14:
            return following
        point = following
    return best


def exact_point(question: Question, m: np.ndarray) -> Found | None:
    """The nearest of x, m and m in few digits whose gradient is exactly 0, with a smooth neighbourhood."""
    x = question.x
    rounded = [np.clip(np.round(m, digits), question.box.lower, question.box.upper) for digits in DIGITS]
    proposals = [settled(question, one) + 0.0 for one in (x, m, *rounded)]  # and no minus zero
    points = np.unique([one for one in proposals if question.is_near(one)], axis=0)
    order = np.argsort([np.linalg.norm(one - x) for one in points], kind="stable")
    for at, local in zip(points[order], look_at(question, points[order], 1), strict=True):
        free, weak, held, wrong = sides(question, at, local)
        still = np.union1d(free, weak).astype(int)
        low, high = local.slopes
        if wrong or not local.defined or not (np.all(low[still] == 0.0) and np.all(high[still] == 0.0)):
            continue
        found = _with_room(question, at, (free, weak, held))
        if found is not None:
            return found
    return None


def _with_room(
    question: Question, at: np.ndarray, parts: tuple[np.ndarray, np.ndarray, dict[int, str]]
) -> Found | None:
    """The same with the largest neighbourhood that is smooth, and in which multipliers keep their signs."""
    free, weak, held = parts
    scale = np.where(question.fixed, 0.0, np.maximum(1.0, np.abs(at)))
    radii = [size * scale for size in RADII] + [np.where(question.fixed, 0.0, question.grain(at))]
    low, high = map(np.array, zip(*(question.around(at, radius) for radius in radii), strict=True))
    for radius, around in zip(radii, look(question.graph, low, high, 1), strict=True):
        if around.smooth and all(slope > 0 for slope in multipliers(around, held).values()):
            still = np.union1d(free, weak).astype(int)
            here = look_at(question, at[None])[0]
            return Found(at, np.zeros_like(at), radius, True, still, weak, held, here, around)
    return None


def multipliers(local: Local, held: dict[int, str]) -> dict[int, float]:
    """Lower bounds of the slopes into the box, of variables that bounds hold."""
    low, high = local.slopes
    return {j: float(low[j] if side == "lower" else -high[j]) for j, side in held.items()}


def enclosed_point(question: Question, m: np.ndarray) -> Found:
    """One stationary point in a box around m.

    Raises
    ------
    Open
        With the step that did not close.
    """
    here = look_at(question, m[None])[0]
    free, weak, held, wrong = sides(question, m, here)
    if len(weak):
        raise Open(
            f"The multiplier of the bound of {question.names[weak[0]]} may be zero: no strict sign could be proven"
        )
    if wrong:
        raise Open(f"The slope in {question.names[wrong[0]]} leads from its bound into the box")
    radius = np.where(question.fixed, 0.0, question.grain(m))
    _checked(question, m, radius, free, 1)
    C, first = np.empty((0, 0)), Ball(here.gradient.mid[free], here.gradient.rad[free])
    if len(free):
        middle = signs_of(Ball.exactly(here.hessian.part(free).mid))
        if middle is None:
            raise Open("The Hessian is singular there as far as it could be told, so no enclosure closes")
        C = middle.inverse
        radius[free] += 2 * krawczyk_reach(C, first, Ball.exactly(here.hessian.part(free).mid), np.zeros(len(free)))
    for _ in range(ROUNDS):
        question.check_time("Krawczyk's operator had closed")
        around = _checked(question, m, radius, free)
        H = around.hessian.part(free)
        reach = np.zeros_like(m)
        reach[free] = krawczyk_reach(C, first, H, radius[free])
        if np.all(reach[free] < radius[free]):
            _check_held(question, around, held)
            # Room for whoever proves it again with other arithmetic.
            reach[free] += ROOM * (radius[free] - reach[free])
            return Found(m, reach, radius, False, free, weak, held, here, around)
        radius[free] = 1.25 * np.maximum(reach[free], question.grain(m)[free])
        if not np.all(np.isfinite(radius)):
            break
    raise Open("Krawczyk's operator does not map a box around the point into itself")


def _checked(question: Question, m: np.ndarray, radius: np.ndarray, free: np.ndarray, order: int = 2) -> Local:
    low, high = question.around(m, radius)
    around = look(question.graph, low[None], high[None], order)[0]
    if not around.smooth:
        name = kink(question.graph, low, high)
        what = f" ({name})" if name else ""
        if not around.defined:
            raise Open(f"f could not be proven to be defined everywhere next to the point{what}")
        raise Open(f"f could not be proven to be twice differentiable next to the point{what}")
    # The open box must lie in the bounds whole, else its stationary point could lie outside of them.
    if np.any((low <= question.box.lower)[free]) or np.any((high >= question.box.upper)[free]):
        raise Open("The stationary point is too near to a bound: it may lie beyond")
    return around


def _check_held(question: Question, around: Local, held: dict[int, str]) -> None:
    for j, slope in multipliers(around, held).items():
        if not slope > 0:
            raise Open(f"The multiplier of the bound of {question.names[j]} could not be proven to be positive")
