"""Roads on foot: conjugate gradients, steepest descent and gradient descent, on columns scaled to length one.

Each starts at the origin and has a budget. Where the condition is too high to arrive, the record says how far it came
and how many steps the theory allows.

Reference: Bjorck (1996), "Numerical Methods for Least Squares Problems", SIAM, section 7.4, pp. 288-294 (conjugate
gradients on least squares).
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from surefoot.descent.bowl import Bowl
from surefoot.descent.curvatures import Curvatures
from surefoot.descent.directions import ConjugateGradients, Direction, SteepestDescent
from surefoot.descent.exact_step import ExactStep
from surefoot.descent.loop import walk
from surefoot.descent.rows import Sizes
from surefoot.descent.steps import FixedRate, Step
from surefoot.descent.stop import Reason
from surefoot.descent.theory import Method, predicted_steps
from surefoot.leastsquares.rank import ROUNDOFF, lengths
from surefoot.models.road import Road
from surefoot.models.road_formulas import Task

LONGER = 10.0
"""Seconds that conjugate gradients may take for as many passes as there are columns, where each takes its time."""


def walks(task: Task, pass_seconds: float) -> list[Road]:
    """Conjugate gradients, steepest descent, and gradient descent at the best fixed rate."""
    singular = task.solution.rank.singular_values
    # The Hessian of |b - Ax|^2 is 2 A'A.
    known = Curvatures(2 * float(singular[0]) ** 2, 2 * float(singular[-1]) ** 2)
    rate = 2 / (known.largest + (known.smallest or 0.0))
    given = f"learning rate 2/(L + mu) = {rate:.4g}"
    plans: list[tuple[str, str, Direction, Step, Method]] = [
        ("conjugate gradients", "exact steps", ConjugateGradients(), ExactStep(), Method.CONJUGATE_GRADIENTS),
        ("steepest descent", "exact line search", SteepestDescent(), ExactStep(), Method.STEEPEST),
        ("gradient descent", given, SteepestDescent(), FixedRate(rate), Method.BEST_RATE),
    ]
    whole = min(LONGER, 1.5 * (len(task.kept) + 3) * pass_seconds)
    patient = replace(task, budget=replace(task.budget, seconds=max(task.budget.seconds, whole)))
    road, reason = _walk(patient, known, *plans[0])
    roads = [road]
    for plan in plans[1:]:
        skipped = ""
        if reason is Reason.INTERRUPTED:
            skipped = "stopped by Ctrl-C before it began"
        elif 3 * pass_seconds > task.budget.seconds:
            skipped = f"a pass over the rows takes {pass_seconds:.2g} s, and each step is one"
        if skipped:
            roads.append(Road(plan[0], plan[1], None, f"not taken: {skipped}", False, 0, None,
                              predicted=_predict(task, plan[4])))  # fmt: skip
        else:
            road, reason = _walk(task, known, *plan)
            roads.append(road)
    return roads


def _predict(task: Task, method: Method) -> int | None:
    condition = max(1.0, task.solution.rank.condition)
    return predicted_steps(method, condition**2, ROUNDOFF, len(task.kept))


def _walk(task: Task, known: Curvatures, name: str, detail: str, direction: Direction, step: Step,
          method: Method) -> tuple[Road, Reason]:  # fmt: skip
    upper, count = task.solution.upper, len(task.kept)
    start = time.monotonic()
    sizes = Sizes(lengths(upper), task.solution.response_length())
    bowl = Bowl(lambda: task.kept_blocks(), sizes, scaled=True)
    walked = walk(bowl, direction, step, budget=task.budget, curvatures=known)
    seconds = time.monotonic() - start
    path = np.array([bowl.to_coefficients(x) for x in walked.trace.points()]) if count == 2 else None
    road = Road(
        name, f"{detail}, on columns of length one", task.filled(bowl.to_coefficients(walked.x)), str(walked.stop),
        walked.stop.arrived, walked.passes, seconds, steps=walked.steps, predicted=_predict(task, method),
        trace=walked.trace, path=path,
    )  # fmt: skip
    return road, walked.stop.reason
