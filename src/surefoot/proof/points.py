"""What a point is, from evidence in floating point that the judge gathers itself.

1. Is it stationary? Every component of the gradient (that no bound holds) is at its rounding floor, or it is not.
2. How does f curve there? The inertia of the Hessian over the variables that may move (``inertia.py``).
3. Does f do what its derivatives say, and is a lower value next to the point? (``second_order.py``)

A minimum is claimed only where all three agree. The rigour is NUMERICAL: nothing here is a proof.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, section 2.1, pp. 12-16, and with bounds
section 12.5, pp. 330-337.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from surefoot.errors import ModelError
from surefoot.proof.certificate import Certificate, Rigour, Verdict
from surefoot.proof.finding import LISTED, Finding, along, descent, plain
from surefoot.proof.floors import floors
from surefoot.proof.inertia import DenseCurvature, Inertia, aim
from surefoot.proof.kinked import judge_kink
from surefoot.proof.krylov_inertia import ProductCurvature
from surefoot.proof.nearby import Change, Place, downhill, first_change, lower_value
from surefoot.proof.next_door import next_door
from surefoot.proof.second_order import Held, classify, spectrum_line
from surefoot.proof.witness import Bounds, Function, Spent, Witness, length_of
from surefoot.wording import counted

FAR = 0.1
"""Part of the size of x, at least 1, within which a stationary point is next to x."""
DOUBTFUL = (Verdict.INCONCLUSIVE, Verdict.DEGENERATE)
"""Verdicts for which a kink may be the cause."""
MINIMA = (Verdict.STRICT_LOCAL_MINIMUM, Verdict.LOCAL_MINIMUM)
BESIDE = 1e-10
"""A lower value so near, relative to the size of x, may be that of a kink that x is next to."""
DENSE = 1000
"""Most variables for which the whole Hessian is taken."""


def judge_point(
    function: Function,
    x: np.ndarray,
    *,
    bounds: Bounds | None = None,
    rng: np.random.Generator | int = 0,
    noise: float | None = None,
    span: np.ndarray | float = 0.0,
    tolerance: float | None = None,
    budget: int | None = None,
    dense: int = DENSE,
) -> Certificate:
    """The verdict on a point, never stronger than its evidence.

    Parameters
    ----------
    function : Function
        What is minimised; any ``Objective`` will do.
    x : ndarray, shape (n,)
        The point, within the bounds.
    bounds : pair of arrays, optional
        Lower and upper bounds, each of shape (n,) or a number.
    rng : Generator or int
        For the directions in which the judge looks; the verdict should not depend on it.
    noise : float, optional
        Standard deviation of the noise in a component of the gradient; measured if not given.
    span : ndarray, shape (n,), or float
        Sizes of the variables where the way to x began: what is less than their rounding counts as zero. Where a
        ``tolerance`` is given too and the Hessian is a matrix, Newton's steps first find what is next to x.
    tolerance : float, optional
        Length of the gradient that the caller takes for zero. A longer one than its rounding is then no verdict yet:
        the stationary point next to x is looked for and judged, and the claim says how far away it is.
    budget : int, optional
        Most evaluations: a value or a gradient counts 1, a product 2, a Hessian n.
    dense : int
        Up to so many variables the whole Hessian is taken; beyond, products with it.

    Returns
    -------
    Certificate
        With rigour NUMERICAL. The evidence holds the gradient and its floor, the signs of curvature and their
        tolerance, multipliers of bounds, and a lower value where one was found.

    Raises
    ------
    ModelError
        If x has another number of variables or lies outside the bounds.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> H = np.diag([2.0, -2.0])
    >>> saddle = SimpleNamespace(  # x^2 - y^2
    ...     size=2, names=("x", "y"), roundoff=2.0**-53, exact_gradient=True, exact_curvature=True,
    ...     value=lambda x: x @ H @ x / 2, see=lambda x: (x @ H @ x / 2, H @ x),
    ...     look=lambda x: (x @ H @ x / 2, H @ x, H), bend=lambda x, v: H @ v)
    >>> judge_point(saddle, np.zeros(2)).verdict.value
    'saddle'
    """
    started = time.perf_counter()
    x = np.array(x, dtype=float)
    if x.shape != (function.size,):
        raise ModelError(f"The point has shape {x.shape}, where f has {counted(function.size, 'variable')}.")
    witness = Witness(function, bounds, budget)
    if np.all(np.isfinite(x)) and not witness.holds(x):
        j = int(np.flatnonzero((x < witness.lower) | (x > witness.upper))[0])
        raise ModelError(f"The point lies outside its bounds: {function.names[j]} = {x[j]:.17g}. Clip it first.")
    wishes = Wishes(noise, span, tolerance, dense)
    hearing = _Hearing(witness, x, np.random.default_rng(rng), wishes)
    try:
        with np.errstate(all="ignore"):
            found = hearing.decide()
            found = hearing.reconsider(found)
    except Spent:
        found = Finding(
            Verdict.INCONCLUSIVE,
            f"The budget of {budget:,} evaluations ended before the judge had seen {hearing.stage}.",
        )
    evidence = {**hearing.evidence, **found.evidence, "evaluations": witness.spent}
    evidence["proof_seconds"] = time.perf_counter() - started
    return Certificate(found.verdict, Rigour.NUMERICAL, found.claim, (*hearing.lines, *found.lines), evidence)


@dataclass(frozen=True)
class Wishes:
    """What the caller knows and asks for: see `judge_point`."""

    noise: float | None
    span: np.ndarray | float
    tolerance: float | None
    dense: int


class _Hearing:
    """One judgement: what has been said so far, and the stage that it has come to."""

    def __init__(self, witness: Witness, x: np.ndarray, rng: np.random.Generator, wishes: Wishes) -> None:
        self.witness, self.x, self.rng, self.wishes = witness, x, rng, wishes
        self.dense = witness.size <= wishes.dense
        self.names = witness.function.names
        self.lines: list[str] = []
        self.evidence: dict[str, Any] = {}
        self.stage = "the gradient"

    def decide(self) -> Finding:
        if not np.all(np.isfinite(self.x)):
            return Finding(Verdict.INCONCLUSIVE, "The point is not finite.")
        value, gradient = self.witness.see(self.x)
        self.evidence |= {"value": plain(value), "rounding_unit": self.witness.unit}
        if not np.isfinite(value):
            return Finding(Verdict.INCONCLUSIVE, f"f is not finite here, as computed: {value}.")
        if not np.all(np.isfinite(gradient)):
            j = int(np.flatnonzero(~np.isfinite(gradient))[0])
            return Finding(Verdict.INCONCLUSIVE, f"The slope in {self.names[j]} is not finite here: {gradient[j]}.")
        self.stage = "the Hessian"
        curvature = (DenseCurvature if self.dense else ProductCurvature)(self.witness, self.x, self.rng)
        if not curvature.is_finite:
            return Finding(Verdict.INCONCLUSIVE, "The Hessian is not finite here, so nothing is known of curvature.")
        self.stage = "the rounding of the gradient"
        floor = floors(self.witness, self.x, (value, gradient), curvature, self.wishes.noise, self.rng,
                       self._span())  # fmt: skip
        place = Place(self.witness, self.x, value, gradient, floor, curvature)
        free, weak, strong, wrong = self._sides(gradient, floor.gradient)
        moving = np.union1d(free[np.abs(gradient[free]) > floor.gradient[free]], wrong).astype(int)
        self._say_gradient(place, np.union1d(np.union1d(free, weak), wrong).astype(int), strong)
        if len(moving):
            near = self._next_door(gradient, np.union1d(free, weak).astype(int), wrong)
            if near is not None:
                return near
            self.stage = "whether f falls"
            return self._falling(place, curvature, moving)
        return self._stationary(place, curvature, free, weak, strong)

    def reconsider(self, found: Finding) -> Finding:
        """The finding, or what can be said where a kink is the cause that it says little."""
        away = found.evidence.get("escape_length") or 0.0
        beside = found.verdict is Verdict.NOT_STATIONARY and away <= BESIDE * max(1.0, length_of(self.x))
        if not (found.verdict in DOUBTFUL or beside or not self.witness.function.exact_gradient):
            return found
        if not np.all(np.isfinite(self.x)) or not np.isfinite(self.witness.height(self.x)):
            return found
        self.stage = "whether f has a kink"
        kink = judge_kink(self.witness, self.x, self.wishes.span, self.rng)
        if kink is None or (beside and kink.verdict not in MINIMA):
            return found
        return kink

    def _span(self) -> np.ndarray | float:
        """Sizes below whose rounding x counts as zero: none yet where Newton's steps can find what is next to x."""
        return 0.0 if self.dense and self.wishes.tolerance is not None else self.wishes.span

    def _next_door(self, gradient: np.ndarray, free: np.ndarray, wrong: np.ndarray) -> Finding | None:
        """The verdict on the stationary point next to this one, where the caller's tolerance is met."""
        tolerance = self.wishes.tolerance
        if tolerance is None or length_of(gradient[free]) > tolerance or len(wrong):
            return None
        self.stage = "the stationary point next to it"
        said = f"The slope here ({length_of(gradient[free]):.2g}) is more than rounding makes"
        there = next_door(self.witness, self.x, free) if self.dense else None
        size = max(1.0, length_of(self.x), length_of(np.atleast_1d(self.wishes.span)))
        if there is not None and length_of(there - self.x) > FAR * size:
            return None  # what lies so far away is no answer to what this point is
        if there is None:
            return Finding(
                Verdict.INCONCLUSIVE,
                f"{said}, and Newton's steps from here settle at no stationary point.",
            )
        inner = _Hearing(self.witness, there, self.rng, replace(self.wishes, tolerance=None))
        found, away = inner.decide(), length_of(there - self.x)
        self.evidence |= {**inner.evidence, "tolerance": tolerance, "away": plain(away), "at": plain(there)}
        self.lines.append(f"Newton's steps from here settle {away:.2g} away; what follows is about that point.")
        self.lines += inner.lines
        if found.verdict in (Verdict.NOT_STATIONARY, Verdict.INCONCLUSIVE):
            return Finding(Verdict.INCONCLUSIVE, f"{said}. {found.claim}", found.lines, found.evidence)
        return Finding(
            found.verdict, f"{found.claim} That point lies {away:.2g} away. {said}.", found.lines, found.evidence
        )

    def _sides(self, gradient: np.ndarray, floor: np.ndarray) -> tuple[np.ndarray, ...]:
        """Variables that are free, weakly held, held, and at a bound that pushes them away."""
        close = 4 * self.witness.unit * np.abs(self.x)
        lower, upper = self.x - self.witness.lower <= close, self.witness.upper - self.x <= close
        fixed, held = lower & upper, lower ^ upper
        multiplier = np.where(lower, gradient, -gradient)
        self.multipliers = np.where(held, multiplier, 0.0)
        return tuple(
            np.flatnonzero(chosen)
            for chosen in (
                ~lower & ~upper,
                held & (np.abs(multiplier) <= floor),
                (held & (multiplier > floor)) | fixed,
                held & (multiplier < -floor),
            )
        )

    def _say_gradient(self, place: Place, asked: np.ndarray, strong: np.ndarray) -> None:
        gradient, floor = place.gradient, place.floors.gradient
        self.evidence |= {
            "gradient_norm": plain(length_of(gradient[asked])),
            "gradient_floor": plain(length_of(floor[asked])),
            "value_floor": plain(place.floors.value),
        }
        if len(gradient) <= LISTED:
            parts = {"gradient": gradient, "floor": floor, "resolution": place.floors.resolution}
            self.evidence |= {name: plain(part) for name, part in parts.items()}
            self.evidence["noise"] = plain(place.floors.noise)
        if len(asked):
            worst = asked[int(np.argmax(np.abs(gradient[asked]) / floor[asked]))]
            self.evidence |= {"worst_variable": self.names[worst], "worst_slope": plain(gradient[worst])}
            self.evidence["worst_floor"] = plain(floor[worst])
            self.lines.append(
                f"The largest slope against its rounding floor is in {self.names[worst]}: {gradient[worst]:.3g} "
                f"against {floor[worst]:.3g} (x resolves {place.floors.resolution[worst]:.1e}, noise "
                f"{place.floors.noise[worst]:.1e})."
            )
        if np.any(self.multipliers):
            self.evidence["multipliers"] = plain(self.multipliers)
        if len(strong):
            self.lines.append(f"{counted(len(strong), 'variable')} held by bounds, with multipliers of the right sign.")

    def _falling(self, place: Place, curvature: DenseCurvature | ProductCurvature, moving: np.ndarray) -> Finding:
        """Not stationary: shown by a lower value if f can show it; nothing is said if f does not fall."""
        scale, slopes = curvature.scale, place.gradient
        direction = aim(scale, moving, -(scale * slopes)[moving] / np.max(np.abs((scale * slopes)[moving])))
        slope = float(direction @ slopes)
        bend = float(direction @ curvature.times(direction))
        length = -slope / bend if bend > 0 else max(1.0, length_of(self.x))
        lower = downhill(place, direction, slope, length)
        if lower is False:
            return Finding(
                Verdict.INCONCLUSIVE,
                "f does not do here what its gradient says (a kink, perhaps), so it decides nothing."
                if self.witness.function.exact_gradient
                else "No lower value lies where the gradient points: by differences it is too coarse here.",
                (f"The slope along {along(self.names, direction)} is {slope:.3g}, but f does not fall there.",),
                {"contradiction": "the gradient points to no lower value"},
            )
        worst = moving[int(np.argmax(np.abs(slopes[moving]) / place.floors.gradient[moving]))]
        claim = (
            f"Not stationary: the slope in {self.names[worst]} is {slopes[worst]:.3g}, and rounding makes "
            f"{place.floors.gradient[worst]:.1g} at most."
        )
        guess, ahead = self._ahead(place, curvature)
        if not isinstance(lower, Change):
            line = "A step along the slope would change f by less than its rounding shows."
            return Finding(Verdict.NOT_STATIONARY, claim, (line, *guess), ahead)
        line = (
            f"Evaluated: at a distance of {lower.length:.3g} along {along(self.names, direction)}, f is "
            f"{lower.value:.10g}, {-lower.change:.3g} lower."
        )
        return Finding(Verdict.NOT_STATIONARY, claim, (line, *guess), {**descent(lower, self.x), **ahead})

    def _ahead(
        self, place: Place, curvature: DenseCurvature | ProductCurvature
    ) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Where Newton's step leads, if the Hessian is at hand and f rises around that place: a guess, no claim."""
        if not isinstance(curvature, DenseCurvature) or np.any(self.multipliers):
            return (), {}
        scale = curvature.scale
        try:
            factor = np.linalg.cholesky((curvature.matrix * scale[:, None]) * scale)
        except np.linalg.LinAlgError:
            return (), {}
        reduced = np.linalg.solve(factor, scale * place.gradient)
        step, fall = length_of(scale * np.linalg.solve(factor.T, reduced)), 0.5 * float(reduced @ reduced)
        if not (np.isfinite(step) and np.isfinite(fall)):
            return (), {}
        line = f"If f went on as here, its minimum would lie {step:.2g} away, {fall:.2g} lower; not checked."
        return (line,), {"newton_step": step, "newton_fall": fall}

    def _stationary(
        self,
        place: Place,
        curvature: DenseCurvature | ProductCurvature,
        free: np.ndarray,
        weak: np.ndarray,
        strong: np.ndarray,
    ) -> Finding:
        if not len(free) and not len(weak):
            return self._corner(place, strong)
        self.stage = "the rounding of the Hessian"
        curvature.measure(self.wishes.span)
        self.stage = "the signs of curvature"
        held = Held(len(strong), tuple(str(self.names[j]) for j in weak))
        movable = np.union1d(free, weak).astype(int)
        inertia = curvature.inertia(movable, place.floors.gradient)
        if len(weak) and not inertia.rises:
            # Beyond a bound there is nothing: only the variables that may move both ways can show a fall by curvature.
            lower = self._inward(place, curvature, inertia)
            if lower is not None:
                return Finding(
                    Verdict.SADDLE,
                    f"No minimum: {lower.value:.10g} lies {lower.length:.2g} away within the bounds, along "
                    f"{along(self.names, lower.direction)}.",
                    (spectrum_line(inertia),),
                    descent(lower, self.x),
                )
            if not len(free) or (inertia := curvature.inertia(free, place.floors.gradient)).rises:
                return Finding(
                    Verdict.DEGENERATE,
                    f"Rounding hides whether the bound of {held.weak[0]} is needed, and without it f does not rise in "
                    "every direction: second derivatives do not decide.",
                )
            movable = free
        self.stage = "the neighbourhood"
        lengths = np.zeros(len(self.x))
        lengths[movable] = curvature.scale[movable]
        return classify(place, curvature, inertia, held, self.rng, lengths)

    def _inward(self, place: Place, curvature: DenseCurvature | ProductCurvature, inertia: Inertia) -> Change | None:
        """A lower value along negative curvature that the bounds allow on one side."""
        if inertia.down is None:
            return None
        return lower_value(place, inertia.down, float(inertia.down @ curvature.times(inertia.down)))

    def _corner(self, place: Place, strong: np.ndarray) -> Finding:
        """Every variable is held by a bound: slopes decide, if f rises as they say."""
        inward = np.where(self.witness.upper > self.witness.lower, np.sign(place.gradient), 0.0)
        if inward.any():
            change = first_change(place, inward / np.linalg.norm(inward))
            if change is not None and change.change < 0:
                return Finding(
                    Verdict.INCONCLUSIVE,
                    "f does not do here what its gradient says, so it decides nothing.",
                    (f"Inward the slopes say that f rises, but it is {change.value:.10g} at {change.length:.1e}.",),
                    {"contradiction": "f falls where its gradient says that it rises", **descent(change, self.x)},
                )
        return Finding(
            Verdict.STRICT_LOCAL_MINIMUM,
            f"A strict local minimum in a corner: bounds hold all of {counted(len(strong), 'variable')}, and f rises "
            "inward.",
        )
