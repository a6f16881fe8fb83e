"""From a residual function to its fit: walk down, have the point judged, say what was noticed.

The judge is given the sum of the losses as a function of its own; whether the walk knew of residuals is nothing to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from surefoot.descent.directions import Direction
from surefoot.descent.loop import Budget, Walk, Watch
from surefoot.descent.residual_walk import Found, descend
from surefoot.descent.residuals import Damping, GaussNewton, LevenbergMarquardt
from surefoot.descent.steps import Step
from surefoot.descent.stop import Reason
from surefoot.errors import OptionError
from surefoot.models.residual_fit import ResidualFit
from surefoot.problem.box import Box
from surefoot.problem.losses import Loss
from surefoot.problem.objective import Objective
from surefoot.problem.residual import Residuals
from surefoot.proof.certificate import Certificate
from surefoot.proof.points import judge_point
from surefoot.results.advice import Seen, lower_seen, noisy_arithmetic, undefined, unsure_gradient
from surefoot.results.minimizing import Wishes as Walking
from surefoot.results.result import Result

HERE = 64.0
"""A variable is at its bound within so many units in the last place."""

METHODS: dict[str, tuple[str, str]] = {
    "auto": ("lm", ""),
    "lm": ("lm", ""),
    "levenberg-marquardt": ("lm", ""),
    "gauss-newton": ("gauss-newton", "armijo"),
    "gn": ("gauss-newton", "armijo"),
    "trust-region": ("gauss-newton", "trust-region"),
    "trf": ("gauss-newton", "trust-region"),
    "dogbox": ("gauss-newton", "trust-region"),
}
"""Direction and step rule of each name; SciPy's stand for the trust region that they are."""


@dataclass(frozen=True)
class Wishes:
    """How a caller wants to fit.

    Attributes
    ----------
    method, steps : str, Direction or Step, or None
        Which way and how far.
    loss : Loss
        What each residual costs.
    box : Box or None
        Bounds.
    scale : ndarray, shape (n,), or None
        Units of the variables; measured if None.
    tolerance : float or None
        Length of the gradient that is small enough; None for rounding.
    budget : Budget
        Steps, evaluations, seconds.
    watch : callable or None
        Given each row of the trace.
    level : float
        Of the intervals.
    """

    loss: Loss
    method: Any = "auto"
    steps: Any = None
    box: Box | None = None
    scale: np.ndarray | None = None
    tolerance: float | None = None
    budget: Budget = field(default_factory=Budget)
    watch: Watch | None = None
    level: float = 0.95


def fit_residuals(residuals: Residuals, start: np.ndarray, wishes: Wishes, title: str) -> ResidualFit:
    """Walk from a start, and judge where it led."""
    began = time.monotonic()
    direction, step = chosen(wishes)
    begin = start if wishes.box is None else wishes.box.nearest(start)
    found = descend(
        residuals, wishes.loss, begin, box=wishes.box, direction=direction, step=step, scale=wishes.scale,
        budget=wishes.budget, tolerance=wishes.tolerance, watch=wishes.watch,
    )  # fmt: skip
    seconds, x = time.monotonic() - began, found.walk.here.x
    residual, jacobian = residuals.see(x)
    counts = residuals.counts
    began = time.monotonic()
    objective = residuals.objective(wishes.loss)
    certificate = _judge(objective, found.walk, start, wishes)
    slope = found.walk.here.whole
    held = _held(x, slope, wishes.box)
    result = Result(
        x=residuals.shaped(x), value=found.walk.here.value, gradient=residuals.shaped(slope), stop=found.walk.stop,
        judged=certificate, trace=found.walk.trace, counts=counts,
        multipliers={name: float(g) for name, g, at in zip(residuals.names, slope, held, strict=True) if at},
        advice=_advice(residuals, objective, found, certificate, wishes), method=found.walk.method,
        story=found.walk.story, names=residuals.names, flat=x, slope=slope, start=start, seconds=seconds,
        proof_seconds=time.monotonic() - began, source=residuals.source, title=title, objective=objective,
    )  # fmt: skip
    return ResidualFit(result, residual, jacobian, wishes.loss, held, found.step, wishes.level)


def chosen(wishes: Wishes) -> tuple[Direction | None, Step | None]:
    """Direction and step rule; None for both where the whole road of Levenberg-Marquardt is wanted.

    Raises
    ------
    OptionError
        A name that is not known, or a pair that makes no sense.
    """
    method, steps = wishes.method, wishes.steps
    if isinstance(method, str):
        name = method.strip().lower().replace("_", "-").replace(" ", "-")
        if name not in METHODS:
            known = ", ".join(map(repr, METHODS))
            raise OptionError(f"There is no method of residuals named {method!r}; the names are {known}.")
        kind, usual = METHODS[name]
        if kind == "lm":
            if steps is not None and not isinstance(steps, Damping):
                raise OptionError(
                    "Levenberg-Marquardt chooses the length of its steps by damping: leave steps away, or take "
                    "method='gauss-newton' with them."
                )
            return (None, None) if steps is None else (LevenbergMarquardt(wishes.scale), steps)
        direction: Direction = GaussNewton(wishes.scale)
        steps = steps or usual
    else:
        direction = method
        if steps is None:
            return direction, Damping()
    if wishes.box is not None:
        raise OptionError("Among bounds only Levenberg-Marquardt walks: leave method and steps away.")
    return direction, _step(steps)


def _step(steps: Any) -> Step:
    """A step rule by name or as an object."""
    from surefoot.descent.methods import STEPS, step_class

    if isinstance(steps, int | float):
        from surefoot.descent.steps import FixedRate

        return FixedRate(float(steps))
    if not isinstance(steps, str):
        return steps
    name = steps.strip().lower().replace("_", "-")
    allowed = ("armijo", "wolfe", "hager-zhang", "exact", "full", "trust-region")
    if name not in allowed or name not in STEPS:
        raise OptionError(
            f"Gauss-Newton does not go with {steps!r} steps; it goes with {', '.join(map(repr, allowed))}."
        )
    return step_class(name)()


def _held(x: np.ndarray, slope: np.ndarray, box: Box | None) -> np.ndarray:
    """Which variables stand at a bound that the gradient pushes them against."""
    if box is None:
        return np.zeros(len(x), dtype=bool)
    close = HERE * np.spacing(np.abs(x))
    low, high = x - box.lower <= close, box.upper - x <= close
    return (low & (slope > 0)) | (high & (slope < 0)) | (low & high)


def _judge(objective: Objective, walked: Walk, start: np.ndarray, wishes: Wishes) -> Certificate:
    bounds = None if wishes.box is None else (wishes.box.lower, wishes.box.upper)
    tolerance = wishes.tolerance or 0.0
    if walked.stop.reason is Reason.NOISE:
        tolerance = max(tolerance, walked.stop.tolerance)
    elif walked.stop.reason in (Reason.STALLED, Reason.IDLE, Reason.NO_DECREASE):
        tolerance = max(tolerance, walked.here.steepness)
    return judge_point(objective, walked.here.x, bounds=bounds, span=np.abs(start), tolerance=tolerance)


def _advice(
    residuals: Residuals, objective: Objective, found: Found, certificate: Certificate, wishes: Wishes
) -> tuple[str, ...]:
    """Every sentence that the evidence supports."""
    seen = Seen(objective, found.walk, certificate, Walking(box=wishes.box, tolerance=wishes.tolerance))
    looks: tuple[Callable[[Seen], str | None], ...] = (undefined, noisy_arithmetic, lower_seen, unsure_gradient)
    said = [*residuals.notes, *filter(None, (look(seen) for look in looks)), *found.walk.story]
    if found.runaway:
        names = ", ".join(residuals.names[j] for j in found.runaway[:5])
        verb = "goes" if len(found.runaway) == 1 else "go"
        said.append(
            f"{names} {verb} to infinity: the residuals hardly depend on {'it' if verb == 'goes' else 'them'} any more "
            "(columns of the Jacobian have all but vanished), so this is no minimum but the way to one that is not "
            "attained, or a plateau. Start nearer, or use bounds."
        )
    return tuple(said)
