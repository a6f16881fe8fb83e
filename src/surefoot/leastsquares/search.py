"""The search for the bounds that hold: gradient projection, conjugate gradients within a face, and faces to rounding.

Columns are at length one. From a point z with gradient g, round after round:

    1. z <- nearest(z - t g) to the polytope, as long as that changes the bounds that hold       (gradient projection)
    2. conjugate gradients on the free variables, in single precision, a few; z <- nearest(z + a p)   (arc search)
    3. once the same bounds hold as before: the face to rounding, with the walk of the problem without bounds.

Every step lowers the sum of squares. The search ends where the minimiser on a face lies within the bounds and every
multiplier has its sign, all computed anew from the rows in double precision.

References: More, Toraldo (1991), "On the solution of large quadratic programming problems with bound constraints", SIAM
J. Optim. 1(1), pp. 93-113 (algorithm GPCG, section 5); Calamai, More (1987), "Projected gradient methods for linearly
constrained problems", Math. Programming 39, pp. 93-116.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.errors import ModelError
from surefoot.leastsquares.budget import Budget
from surefoot.leastsquares.conjugate import cg_round
from surefoot.leastsquares.faces import Face, Projected, face_of
from surefoot.leastsquares.polytope import FEW_UNITS, Polytope
from surefoot.leastsquares.preconditioning import inverse_lengths
from surefoot.leastsquares.rank import ROUNDOFF
from surefoot.leastsquares.stewart import SLOPE, Judge, Point
from surefoot.leastsquares.system import System
from surefoot.leastsquares.vectors import dot, norm
from surefoot.leastsquares.walk import Walk

MOST_ROUNDS = 200
"""Rounds after which bounds that still change are called unsettled."""

PROJECTIONS = 10
"""Gradient projections in a round at most."""

ENOUGH = 0.55
"""Share of a step that would be best from which on all of it is taken: the sum falls by a tenth of what it promises."""

STEPS = 30
"""Conjugate gradients on a face before its bounds are looked at again."""

REDUCTION = 0.1
"""Of the gradient on a face before its bounds are looked at again."""

MISSED = 1e4
"""Units of rounding by which equalities may be missed where a start is looked for."""

LOOSE = 1e-9
"""Share of the gradient that a multiplier may have and be none, where bounds and equalities hold a point twice."""

FEW_MISSED = 4.0
"""The same on the way."""


@dataclass(frozen=True)
class Look:
    """A point with what was computed at it in double precision.

    Attributes
    ----------
    z : ndarray, shape (n,)
        Variables for columns of length one.
    residual : ndarray
        ``c - B y``, the rows of the penalty included.
    gradient : ndarray, shape (n,)
        ``-A'r``.
    """

    z: np.ndarray
    residual: np.ndarray
    gradient: np.ndarray

    @property
    def value(self) -> float:
        return 0.5 * dot(self.residual, self.residual)


class Search:
    """The rounds of one right-hand side.

    Attributes
    ----------
    look : Look
        Where they stand.
    rounds : int
    settled : bool
        Whether the bounds that hold have multipliers of the right sign, at the minimiser of their face.
    walk : Walk or None
        The last on a face.
    """

    def __init__(self, system: System, right: np.ndarray, polytope: Polytope, budget: Budget, method: str) -> None:
        self.system, self.right, self.polytope, self.budget, self.method = system, right, polytope, budget, method
        self.scale = inverse_lengths(system)
        self.narrow = system.rows.single()
        self.rows = system.rows if self.narrow is None else self.narrow
        self.rate, self.rounds, self.solved = 1.0, 0, 0
        self.walk: Walk | None = None
        self.face: Face | None = None
        self.settled = False
        self.look = self._see(_start(polytope))

    def run(self) -> None:
        """Until the conditions of a minimum hold, or nothing falls any more, or the budget is over."""
        idle = 0
        while self.rounds < MOST_ROUNDS and not self.budget.is_over() and idle < 3:
            self.rounds += 1
            before, held = self.look, self._free(self.look.z)
            z, gradient = self._projected_gradients(before)
            z, short = self._along_face(z, gradient)
            self._move(self._see(z))
            same = np.array_equal(held, self._free(self.look.z))
            if (same or not short or self.rounds == 1) and not self.budget.is_over() and self._at_face_minimum():
                self.settled = True
                return
            idle = idle + 1 if same and self.look.value >= before.value * (1 - 4 * ROUNDOFF) else 0

    def multipliers(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Of the bounds (zero where free) and equalities, at length one; the largest of a wrong sign.

        Where bounds and equalities hold a point more than once they are not unique: those of the point nearest to a
        step downhill have the signs of a minimum if any have.
        """
        look, polytope = self.look, self.polytope
        free = self._free(look.z)
        found = self._signed(polytope.prices_of(look.gradient, free), np.zeros(len(free), dtype=bool))
        if found[2] <= self.noise(found[1]) or not polytope.has_equalities:
            return found
        size = norm(look.gradient)
        reach = max(1.0, norm(look.z) / size) if size > 0 else 1.0
        other = self._signed(polytope.nearest(look.z - reach * look.gradient).prices / reach, free)
        # Bounds that this leaves without a multiplier hold nothing: without them the equalities' own come out exactly.
        loose = free | (np.abs(other[0]) <= LOOSE * size)
        return min(found, other, self._signed(polytope.prices_of(look.gradient, loose), free), key=lambda one: one[2])

    def _signed(self, prices: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Multipliers for prices of the equalities; what they leave of the gradient where there is none counts too."""
        z, polytope = self.look.z, self.polytope
        rest = self.look.gradient - polytope.matrix.T @ prices if polytope.has_equalities else self.look.gradient
        low, up = polytope.held(z)
        wrong = np.where(low & ~up, -rest, np.where(up & ~low, rest, 0.0))
        wrong = np.where(free, np.abs(rest), wrong)
        return np.where(low | up, rest, 0.0), prices, float(np.max(wrong, initial=0.0))

    def noise(self, prices: np.ndarray) -> float:
        """Rounding of a multiplier: of the gradient, and of what the equalities' multipliers explain of it."""
        return FEW_UNITS * (norm(self.right) + norm(self.look.z) + norm(prices))

    def _see(self, z: np.ndarray) -> Look:
        z = self.polytope.snapped(z)
        residual = self.right - self.system.rows.forward(self.scale * z)
        self.budget.products += 2
        return Look(z, residual, -self.scale * self.system.rows.adjoint(residual))

    def _move(self, ahead: Look) -> bool:
        """There, unless the sum of squares has grown, or what the equalities miss, by more than rounding."""
        better = ahead.value <= self.look.value + 16 * ROUNDOFF * self.look.value
        if not better and self.polytope.has_equalities:
            # What the equalities missed before may have lowered the sum, at the price of their multipliers.
            prices = self.polytope.prices_of(self.look.gradient, self._free(self.look.z))
            gap = self.polytope.right - self.polytope.matrix @ self.look.z
            better = ahead.value <= self.look.value + 2 * norm(prices) * norm(gap)
        better = better and self.polytope.miss(ahead.z) <= max(FEW_MISSED, self.polytope.miss(self.look.z))
        self.look = ahead if better else self.look
        return better

    def _free(self, z: np.ndarray) -> np.ndarray:
        low, up = self.polytope.held(z)
        return ~(low | up)

    def _gram(self, step: np.ndarray) -> np.ndarray:
        """``A'A step``; the step in units of its largest entry, which single precision can hold."""
        unit = float(np.max(np.abs(step), initial=0.0))
        if unit == 0:
            return np.zeros(len(step))
        self.budget.step("gradient projection", 1.0)
        return self.scale * self.rows.gram(self.scale * (step / unit)) * unit

    def _projected_gradients(self, look: Look) -> tuple[np.ndarray, np.ndarray]:
        """Downhill and back to the polytope; the point and its gradient by recurrence."""
        z, gradient = look.z, look.gradient
        for _ in range(PROJECTIONS):
            ahead = self.polytope.nearest(z - self.rate * gradient).point
            step = ahead - z
            turned = self._gram(step)
            slope, curvature = dot(gradient, step), dot(step, turned)
            if not slope < 0:
                break
            best = -slope / curvature if curvature > 0 else 2.0
            if best < ENOUGH:
                self.rate *= max(0.1, best)
                continue
            same = np.array_equal(self._free(z), self._free(ahead))
            z, gradient = ahead, gradient + turned
            self.rate *= min(2.0, best)
            if same:
                break
        return z, gradient

    def _along_face(self, z: np.ndarray, gradient: np.ndarray) -> tuple[np.ndarray, bool]:
        """Some conjugate gradients on the free variables; the point, and whether they got as far as they should."""
        free = self._free(z)
        along = self.polytope.along(free)
        slope = along(-gradient)
        if norm(slope) <= FEW_UNITS * norm(gradient):
            return z, True
        precision = "double" if self.narrow is None else "single"
        face = Projected(self.rows, self.scale, along)
        self.budget.level = min(1.0, norm(slope) / norm(self.look.residual))
        done = cg_round(face, slope, lambda s: s, REDUCTION, precision, self.budget, STEPS)
        return self._arc(z, gradient, done.correction), done.reached

    def _arc(self, z: np.ndarray, gradient: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """The first of ``nearest(z + a p)``, a = 1, 1/2, ..., that is low enough; else as far as the bounds allow."""
        share = 1.0
        for _ in range(6):
            ahead = self.polytope.nearest(z + share * direction).point
            step = ahead - z
            slope = dot(gradient, step)
            if slope < 0 and slope + 0.5 * dot(step, self._gram(step)) <= 0.1 * slope:
                return ahead
            share *= 0.25
        return self._truncated(z, direction)

    def _truncated(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Along a direction up to the first bound, which then holds."""
        lower, upper = self.polytope.lower, self.polytope.upper
        with np.errstate(divide="ignore", invalid="ignore"):
            room = np.where(direction < 0, (lower - z) / direction, (upper - z) / direction)
        room = np.where(direction == 0, np.inf, room)
        share = min(1.0, max(0.0, float(np.min(room, initial=np.inf))))
        ahead = z + share * direction
        stopped = room <= share
        ahead = np.where(stopped, np.where(direction < 0, lower, upper), ahead)
        return self.polytope.clipped(ahead)

    def _at_face_minimum(self) -> bool:
        """Go to the minimiser on the face, as far as the bounds allow; whether it is the minimiser of all."""
        look, free = self.look, self._free(self.look.z)
        goal = self._face_minimum(look, free) if np.any(free) else look.z
        slack = FEW_UNITS * np.maximum(1.0, np.abs(goal))
        lower, upper = self.polytope.lower, self.polytope.upper
        inside = bool(np.all((goal >= lower - slack) & (goal <= upper + slack)))
        there = self.polytope.clipped(goal) if inside else self._arc(look.z, look.gradient, goal - look.z)
        ahead = self._see(there)
        self.solved += 1
        moved = self._move(ahead)
        if not (inside and moved):
            return False
        _, prices, wrong = self.multipliers()
        return wrong <= self.noise(prices)

    def _face_minimum(self, look: Look, free: np.ndarray) -> np.ndarray:
        """The minimiser over the free variables on the equalities, the others where they are."""
        face = face_of(self.system, self.polytope, free)
        z = self.polytope.corrected(look.z, free)
        base = z - face.along(z)
        walk = Walk(face.tools, self._right_on(face, base), self.budget, self.budget.target, False)
        walk.run(self.method)
        self.walk, self.face = walk, face
        return base + face.along(face.variables(walk.point.x))

    def _right_on(self, face: Face, base: np.ndarray) -> np.ndarray:
        """What is left to explain from the base; the penalty of variables that are not free is a constant."""
        rows, y = self.system.data.shape[0], self.scale * base
        left = self.right[:rows] - self.system.data.forward(y)
        self.budget.products += 1
        if self.system.root_penalty is None:
            return left
        return np.concatenate([left, -(self.system.root_penalty * y)[face.free]])

    def judged(self) -> Point:
        """The backward error of the free coefficients where the search stands."""
        free = self._free(self.look.z)
        if not np.any(free):
            return Point(np.zeros(0), self.look.residual, np.zeros(0), norm(self.look.residual), 0.0, SLOPE)
        known = self.face if self.face is not None and np.array_equal(self.face.free, free) else None
        face = face_of(self.system, self.polytope, free) if known is None else known
        rows = self.system.data.shape[0]
        residual = self.look.residual[:rows]
        if self.system.root_penalty is not None:
            residual = np.concatenate([residual, self.look.residual[rows:][free]])
        self.budget.products += 1
        return Judge(face.system, residual).seen(face.unknowns(self.look.z), residual)


def _start(polytope: Polytope) -> np.ndarray:
    """The point nearest zero that satisfies the constraints.

    Raises
    ------
    ModelError
        There is none.
    """
    count = len(polytope.lower)
    found = polytope.nearest(np.zeros(count))
    if found.miss <= MISSED:
        return found.point
    from scipy.optimize import linprog

    bounds = np.column_stack([polytope.lower, polytope.upper])
    point = linprog(np.zeros(count), A_eq=polytope.matrix, b_eq=polytope.right, bounds=bounds, method="highs")
    if point.status != 0:
        raise ModelError("No coefficients satisfy the equalities and the bounds together: loosen or correct one.")
    found = polytope.nearest(point.x)
    if found.miss > MISSED:
        raise ModelError("The equalities and the bounds can only just be satisfied, or not quite: correct one.")
    return found.point
