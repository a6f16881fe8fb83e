"""From a question to a result: walk down, have the point judged by one who did not walk, say what was noticed.

The climber (``descent``) proposes a point; the judge (``proof``) evaluates f and its curvature there anew and decides
what it is.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from surefoot.descent.arrival import Tolerance
from surefoot.descent.auto import auto
from surefoot.descent.bounded import Fenced, PathStep, Within
from surefoot.descent.directions import Direction
from surefoot.descent.ground import Ground, Here
from surefoot.descent.landscape import Landscape
from surefoot.descent.loop import Budget, Walk, Watch, walk
from surefoot.descent.methods import name_of_step, paired, within_radius
from surefoot.descent.schedules import Polyak
from surefoot.descent.segment import UpToBound
from surefoot.descent.steps import Step
from surefoot.descent.stop import ENDS, Reason
from surefoot.errors import OptionError
from surefoot.problem.box import Box
from surefoot.problem.objective import Objective
from surefoot.proof.certificate import Certificate, Rigour, Verdict
from surefoot.proof.points import judge_point
from surefoot.proof.unattained import judge_unattained
from surefoot.proof.unbounded import judge_unbounded
from surefoot.results.advice import advise
from surefoot.results.result import Result

UNHEARD = "Stopped by Ctrl-C before the point was judged."

UNBOUNDED_STEPS = {
    "full": "a full step that is cut off at a bound may lead uphill, and nothing checks it",
    "adaptive": "AdGD reads the curvature off the last step, which a bound has bent",
    "silver": "silver steps are long on purpose, by a theory of walks without bounds",
    "trust-region": "a ball around a point reaches beyond bounds",
}
"""Step rules that do not go with bounds, and why."""
BOUNDED_STEPS = (
    "With bounds go 'armijo', which comes back along the path that bends at them, 'hager-zhang', 'wolfe' and 'exact', "
    "which search up to the first one, 'polyak', and a learning rate."
)
OPEN = (Verdict.DEGENERATE, Verdict.INCONCLUSIVE, Verdict.NOT_STATIONARY)
"""Verdicts at a point that f may have been falling away from for ever."""
FLIGHTS = 200
"""Variables up to which that is looked for."""
ROUNDED = 1e-12
"""The judge adds up the length of a gradient in another order than the climber."""


@dataclass(frozen=True)
class Wishes:
    """How a caller wants to walk.

    Attributes
    ----------
    method : str or Direction
        ``"auto"``, or which way to go.
    steps : str, float, Step or None
        How far; None for what goes with the method. A number is a learning rate.
    box : Box or None
        Bounds on the variables.
    tolerance : float or None
        Length of the gradient that is small enough; None for its noise floor.
    lowest : float or None
        What f is known never to be below: Polyak's step needs it.
    budget : Budget
        Steps, evaluations, seconds.
    watch : callable or None
        Given each row of the trace.
    before : Result or None
        That of the walk which this one goes on with.
    """

    method: Any = "auto"
    steps: Any = None
    box: Box | None = None
    tolerance: float | None = None
    lowest: float | None = None
    budget: Budget = field(default_factory=Budget)
    watch: Watch | None = None
    before: Result | None = None


def minimise(objective: Objective, start: np.ndarray, wishes: Wishes, title: str) -> Result:
    """Walk from a start, and judge where it led."""
    began, compiled = time.monotonic(), objective.counts.compile_seconds
    walked = _walk(objective, start, wishes)
    seconds, compiling = time.monotonic() - began, objective.counts.compile_seconds - compiled
    return replace(answered(objective, start, walked, wishes, title, seconds), compile_seconds=compiling)


def answered(
    objective: Objective, start: np.ndarray, walked: Walk, wishes: Wishes, title: str, seconds: float
) -> Result:
    """The result of a walk that is done."""
    began = time.monotonic()
    counts = objective.counts
    advice: tuple[str, ...] = ()
    certificate = Certificate(Verdict.INCONCLUSIVE, Rigour.NUMERICAL, UNHEARD)
    with suppress(KeyboardInterrupt):  # a second Ctrl-C: the point is kept all the same
        certificate = _judge(objective, walked, start, wishes)
        advice = advise(objective, walked, certificate, wishes)
    judged = time.monotonic() - began
    x, slope = walked.here.x, walked.here.whole
    return Result(
        x=objective.shaped(x), value=walked.here.value, gradient=objective.shaped(slope), stop=walked.stop,
        judged=certificate, trace=walked.trace, counts=counts, multipliers=_multipliers(objective, certificate),
        advice=advice, method=walked.method, story=walked.story, names=objective.names, flat=x,
        slope=slope, start=start, seconds=seconds, proof_seconds=judged, source=objective.source, title=title,
        objective=objective, memory=walked.memory,
    )  # fmt: skip


def _walk(objective: Objective, start: np.ndarray, wishes: Wishes) -> Walk:
    tolerance = Tolerance(absolute=wishes.tolerance)
    if wishes.method == "auto" and wishes.steps is None:
        return auto(objective, start, box=wishes.box, budget=wishes.budget, tolerance=tolerance, watch=wishes.watch)
    if wishes.box is not None:
        return _within(objective, start, wishes, wishes.box, tolerance)
    before = wishes.before
    ground = Landscape(objective, reach=None if before is None else np.abs(before.start))
    direction, step = _pair(wishes.method, wishes, ground, ground.see(start))
    memory = None if before is None else before.memory
    if memory is not None and memory.method != f"{direction.name}, {step.name}":
        memory = None  # another method has its own way to go on
    return walk(ground, direction, step, start=start, budget=wishes.budget, tolerance=tolerance, watch=wishes.watch,
                memory=memory)  # fmt: skip


def _within(objective: Objective, start: np.ndarray, wishes: Wishes, box: Box, tolerance: Tolerance) -> Walk:
    """The same among bounds: the direction on what is free, the step along the path that stays inside."""
    ground = Fenced(Landscape(objective, box), box)
    method = "newton" if within_radius(wishes.method) else wishes.method  # a ball knows no bounds, a path does
    asked = None if wishes.steps is None else name_of_step(wishes.steps)
    if asked in UNBOUNDED_STEPS and (asked != "trust-region" or method != wishes.method):
        raise OptionError(f"Among bounds {asked!r} steps make no sense: {UNBOUNDED_STEPS[asked]}. {BOUNDED_STEPS}")
    direction, step = _pair(method, wishes, ground, ground.see(box.nearest(start)))
    if asked in ("hager-zhang", "wolfe", "exact"):
        step = UpToBound(step, ground)
    elif (asked is None and wishes.steps is None and name_of_step(step) != "simplex") or asked == "armijo":
        step = PathStep()
    return walk(ground, Within(direction, ground), step, start=box.nearest(start), budget=wishes.budget,
                tolerance=tolerance, watch=wishes.watch)  # fmt: skip


def _pair(method: str | Direction, wishes: Wishes, ground: Ground, here: Here) -> tuple[Direction, Step]:
    steps = wishes.steps
    if steps == "polyak" and wishes.lowest is not None:
        steps = Polyak(wishes.lowest)
    return paired(method if method != "auto" else "steepest", steps, ground, here)


def _judge(objective: Objective, walked: Walk, start: np.ndarray, wishes: Wishes) -> Certificate:
    bounds = None if wishes.box is None else (wishes.box.lower, wishes.box.upper)
    if walked.stop.reason is Reason.UNBOUNDED:
        fall = _judge_fall(objective, walked, start)
        return fall if fall.verdict not in OPEN else _judge_flight(objective, walked, start, bounds, fall)
    tolerance = wishes.tolerance or 0.0
    if walked.stop.reason is Reason.NOISE:
        tolerance = max(tolerance, walked.stop.tolerance)
    elif walked.stop.reason in (Reason.STALLED, Reason.IDLE, Reason.NO_DECREASE):
        tolerance = max(tolerance, walked.here.steepness * (1 + ROUNDED))
    certificate = judge_point(objective, walked.here.x, bounds=bounds, span=np.abs(start), tolerance=tolerance)
    if certificate.verdict in OPEN and walked.stop.reason in (*ENDS, Reason.IDLE, Reason.NO_DECREASE):
        return _judge_flight(objective, walked, start, bounds, certificate)
    return certificate


def _judge_fall(objective: Objective, walked: Walk, start: np.ndarray) -> Certificate:
    """From the point on; where it lies at the end of the numbers already, from the start through it; or as it came."""
    x = walked.here.x
    steps = [row.x for row in walked.trace.rows if row.accepted and row.x is not None]
    back = [x - steps[-k] for k in (2, 4, 8) if len(steps) >= k]
    rays = [(x, x - start), (start, x - start), (start, x), *((x, way) for way in back)]
    tried = [judge_unbounded(objective, base, way) for base, way in rays[:1]]
    for base, way in rays[1:]:
        if tried[-1].verdict is Verdict.UNBOUNDED_BELOW:
            return tried[-1]
        tried.append(judge_unbounded(objective, base, way))
    return tried[-1] if tried[-1].verdict is Verdict.UNBOUNDED_BELOW else tried[0]


def _judge_flight(
    objective: Objective, walked: Walk, start: np.ndarray, bounds: Any, certificate: Certificate
) -> Certificate:
    """Whether the walk has followed f towards a value that it does not reach: along what has moved far, or is flat."""
    x, size = walked.here.x, objective.size
    if size > FLIGHTS or not objective.exact_gradient:
        return certificate
    with np.errstate(all="ignore"):
        moved = np.abs(x - start)
        longest = float(np.max(moved, initial=0.0))
        ways = [np.where(moved >= share * longest, x - start, 0.0) for share in (0.3, 1e-3, 0.0) if longest > 0]
    flat = certificate.evidence.get("null_direction")
    if flat is not None:
        ways += [sign * np.array(flat) for sign in (1.0, -1.0)]
    values = walked.trace["value"]
    lowest = float(np.min(values, where=np.isfinite(values), initial=np.inf))
    for way in ways:
        base = np.where(way != 0, start, x)
        found = judge_unattained(objective, base, way, x, lowest=lowest, bounds=bounds)
        if found.verdict is Verdict.INFIMUM_NOT_ATTAINED:
            return replace(found, evidence={**certificate.evidence, **found.evidence})
    return certificate


def _multipliers(objective: Objective, certificate: Certificate) -> dict[str, float]:
    found = certificate.evidence.get("multipliers", ())
    return {name: float(value) for name, value in zip(objective.names, found, strict=False) if value}
