"""Gauss-Newton and Levenberg-Marquardt: directions and steps of a residual function.

    Gauss-Newton           p = argmin |r + J p|^2
    Levenberg-Marquardt    v = argmin |r + J v|^2 + mu |D v|^2,    D_j the longest that column j has been

with geodesic acceleration: ``a`` solves the same problem with the second derivative of r along v in the place of r, and
the step is ``v + a/2`` where it bends the way only a little, ``|D a| <= alpha |D v|``. After a step mu follows how well
the model predicted (Nielsen): ``mu max(1/3, 1 - (2 ratio - 1)^3)``, and it grows by 2, 4, 8, ... while steps fail.

A step to where the Jacobian is not finite, or where one of its columns has all but vanished, is not taken however low
it leads: there the walk would be on a plateau without knowing it.

References: More (1978), "The Levenberg-Marquardt algorithm: implementation and theory", Lecture Notes in Mathematics
630, pp. 105-116; Nielsen (1999), "Damping parameter in Marquardt's method", IMM-REP-1999-05, Technical University of
Denmark, pp. 5-9; Transtrum, Sethna (2012), "Improvements to the Levenberg-Marquardt algorithm for nonlinear
least-squares minimization", arXiv:1201.5885, section 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.descent.directions import Way
from surefoot.descent.ground import Ground, Here
from surefoot.descent.norms import length_of
from surefoot.descent.ray import Ray, Refusal, Taken, Trial
from surefoot.descent.stop import Reason
from surefoot.errors import ModelError

if TYPE_CHECKING:
    from surefoot.descent.linearised import Linearised

TAU = 1e-3
"""The first damping, of columns of length one."""
ENOUGH = 1e-3
"""Share of the predicted decrease for which a step is taken."""
ALPHA = 0.75
"""Length of the acceleration, relative to the velocity, up to which it is believed."""
BENT = 6
"""Steps in sequence that are shortened because their way bends; then the straight one has its chance."""
EASY = 10
"""Steps that go straight, if all succeed: on an easy way second derivatives are not worth their compilation."""
COLLAPSED = 1e-6
"""A column that a single step makes shorter by this factor has collapsed."""
COLLAPSES = 6
"""Steps in sequence that are shortened for that."""
REJECTIONS = 80
"""Trials that fail before no step is taken."""
BLURRED = 16.0
"""Predicted decreases up to so many times the rounding of F are judged by slopes."""
NOTHING = 2.0**-106
"""Residuals that have shrunk to their own rounding: the share of F at the start that is left."""
HIGHEST = 1e60
"""Damping at which a step has no length."""


class GaussNewton:
    """To the lowest point of the linear model; one instance serves one walk.

    Parameters
    ----------
    scale : ndarray, shape (n,), optional
        Lengths that stand for a unit of each variable; by default the longest that its column has been.

    Attributes
    ----------
    lengths : ndarray, shape (n,), or None
        The longest that each column has been.

    Examples
    --------
    >>> from surefoot.descent.misfit import Misfit
    >>> from surefoot.problem.losses import loss_of
    >>> from surefoot.problem.residual import residuals_of
    >>> residuals, x0 = residuals_of(lambda x: [10 * (x[1] - x[0] ** 2), 1 - x[0]], [-1.2, 1.0])
    >>> ground = Misfit(residuals, loss_of("linear"))
    >>> (x0 + GaussNewton().choose(ground, ground.see(x0), None).vector).round(12).tolist()
    [1.0, -3.84]
    """

    momentum = 0.0
    name = "Gauss-Newton"

    def __init__(self, scale: np.ndarray | None = None) -> None:
        self._given = scale
        self.lengths: np.ndarray | None = None

    def choose(self, ground: Ground, here: Here, last: Taken | None) -> Way:
        linear = getattr(ground, "linear", None)
        if linear is None:
            raise ModelError(f"{self.name} needs residuals: call sf.least_squares with a function that returns them.")
        model: Linearised = linear(here)
        found = model.scale if self.lengths is None else np.maximum(model.scale, self.lengths)
        self.lengths = found
        model.rescaled(found if self._given is None else 1 / self._given)
        return self._way(model, here)

    def forget(self) -> bool:
        return False

    def _way(self, model: Linearised, here: Here) -> Way:
        return Way(model.damped(0.0)[0], 1.0, model)


class LevenbergMarquardt(GaussNewton):
    """The same model for steps that are damped: its lowest point need not be found."""

    name = "Levenberg-Marquardt"

    def _way(self, model: Linearised, here: Here) -> Way:
        return Way(-here.gradient, None, model)


class Damping:
    """Nielsen's damping with geodesic acceleration; one instance serves one walk.

    Parameters
    ----------
    tau : float
        The first damping.
    accelerated : bool
        Whether the way may bend.

    Attributes
    ----------
    collapses : int
        Steps that were not taken because the Jacobian was not finite there, or a column had vanished.
    settled : bool
        Whether the walk ended because the model has nothing more to gain than rounding.
    """

    def __init__(self, tau: float = TAU, *, accelerated: bool = True) -> None:
        self.name = "damped steps with geodesic acceleration" if accelerated else "damped steps"
        self._mu, self._growth, self._accelerated = tau, 2.0, accelerated
        self.collapses, self.settled = 0, False
        self._taken, self._failed, self._first = 0, False, 0.0

    def steepest_settled(self, momentum: float) -> float:
        return float("inf")

    def take(self, ray: Ray) -> Taken | Refusal:
        """Shorter and shorter steps until one is as good as the model says."""
        model: Any = ray.way.model
        if not hasattr(model, "damped"):
            raise ModelError("Damped steps need a direction with a linear model of residuals: Levenberg-Marquardt.")
        blur, remark = ray.ground.blur(ray.origin), ""
        self._first = max(self._first, ray.origin.value)
        if ray.origin.value <= NOTHING * self._first:
            self.settled = True
            return Refusal(Reason.NO_DECREASE)
        bent = collapsed = 0
        for _ in range(REJECTIONS):
            velocity, predicted = model.damped(self._mu)
            step = self._curved(ray, model, velocity, bent < BENT)
            if step is None:
                bent += 1
                self._raise()
                continue
            if not predicted > blur and not most_to_gain(model) > blur:
                landed = _landed(ray, model, blur)
                if landed is not None:
                    return landed
                self.settled = True
                break
            if self._mu > HIGHEST or np.array_equal(ray.origin.x + step, ray.origin.x):
                break
            if not predicted > 0:  # a step that a bound cuts short may lead nowhere, and a shorter one somewhere
                self._raise()
                continue
            trial, ratio = _look(ray, step, predicted, blur)
            if trial is None:
                self._raise()
                continue
            fault = self._fault(ray, model, trial, collapsed < COLLAPSES)
            if fault or ratio < ENOUGH:
                collapsed += bool(fault)
                remark = fault or remark
                self._raise()
                continue
            self._mu = max(self._mu * max(1 / 3, 1 - (2 * min(ratio, 2.0) - 1) ** 3), 1e-300)
            self._growth = 2.0
            self._taken += 1
            return ray.taken(trial, remark)
        return Refusal(Reason.NO_DECREASE)

    def _raise(self) -> None:
        self._failed = True
        self._mu *= self._growth
        self._growth *= 2

    def _curved(self, ray: Ray, model: Any, velocity: np.ndarray, wary: bool) -> np.ndarray | None:
        """The step, bent along the second derivative; None if it would bend too much.

        What the model predicts for the straight step is expected of the bent one: bending cancels second derivatives.
        """
        if not self._accelerated or (self._taken < EASY and not self._failed):
            return velocity
        second = ray.ground.acceleration(model, ray.origin.x, velocity)  # type: ignore[attr-defined]
        if second is None or not np.all(np.isfinite(second)):
            return velocity
        free = None if model.fence is None else velocity != 0
        if free is not None and not np.any(free):
            return velocity
        bend = model.solve(second, self._mu, free)
        if not model.length(bend) <= ALPHA * model.length(velocity):
            return None if wary else velocity
        step = velocity + 0.5 * bend
        return step if model.fence is None else np.clip(step, model.fence.low, model.fence.high)

    def _fault(self, ray: Ray, model: Any, trial: Trial, wary: bool) -> str:
        """Why a trial is not a place to be, whatever its value; empty if it is."""
        ground: Any = ray.ground
        if not ground.is_regular(trial.here.x):
            self.collapses += 1
            return "stepped back: the Jacobian is not finite farther on"
        before, after = ground.lengths(ray.origin.x), ground.lengths(trial.here.x)
        if wary and np.any(after < COLLAPSED * before):
            self.collapses += 1
            return "stepped back: a column of the Jacobian vanishes farther on"
        return ""


def _landed(ray: Ray, model: Any, blur: float) -> Taken | None:
    """The step that puts variables on bounds which they nearly touch, where no value tells the difference."""
    if model.fence is None:
        return None
    g = ray.origin.gradient
    way = np.where(g > 0, model.fence.low, model.fence.high)
    near = ~model.fence.held & (g != 0) & (np.abs(g * np.where(np.isfinite(way), way, 0.0)) <= blur) & np.isfinite(way)
    if not np.any(near):
        return None
    trial = ray.reach(np.where(near, way, 0.0))
    if not trial.here.value <= ray.origin.value + blur or np.array_equal(trial.here.x, ray.origin.x):
        return None
    return ray.taken(trial, "put on a bound that it nearly touched")


def most_to_gain(model: Any) -> float:
    """The largest decrease that the model promises; among bounds, as far as a few dampings show."""
    dampings = (0.0,) if model.fence is None else (0.0, 1e-2, 1.0, 1e2, 1e4)
    return max(model.damped(mu)[1] for mu in dampings)


def _look(ray: Ray, step: np.ndarray, predicted: float, blur: float) -> tuple[Trial | None, float]:
    """A trial with its ratio of decreases, by slopes where rounding hides the values; none if the value alone refuses.

    The Jacobian is only evaluated where the value does not refuse.
    """
    origin, there = ray.origin, ray.origin.x + step
    value = ray.ground.height(there)
    fallen = origin.value - value
    hidden = not predicted > BLURRED * blur
    if not (np.isfinite(value) and fallen >= (-BLURRED * blur if hidden else ENOUGH * predicted)):
        blind = Here(there, value, np.full(there.shape, np.nan), seen=False)
        ray.tell(Trial(blind, float("nan"), float("nan"), length_of(step)))
        return None, 0.0
    trial = ray.reach(step)
    if hidden:
        return trial, -0.5 * float((origin.gradient + trial.here.gradient) @ step) / predicted
    return trial, fallen / predicted
