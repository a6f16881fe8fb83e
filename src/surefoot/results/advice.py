"""Advice: what a walk showed of itself and of the function, each sentence only where there is evidence for it.

References: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, section 3.3, pp. 42-44 (zigzag and
condition), section 2.2, p. 26 (scaling); Polyak (1987), "Introduction to Optimization", Optimization Software, section
1.4 (rates).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from surefoot.descent.loop import Walk
from surefoot.descent.stop import ENDS, Reason
from surefoot.descent.theory import Method, predicted_steps
from surefoot.descent.trace import Trace
from surefoot.problem.objective import Objective
from surefoot.proof.certificate import Certificate, Verdict
from surefoot.wording import counted

if TYPE_CHECKING:
    from surefoot.results.minimizing import Wishes

TURNS = 12
"""Steps in sequence that must turn by a right angle before a walk is said to zigzag."""
RIGHT = 5.0
"""Degrees from 90 within which an angle is a right one."""
TIMID = 20.0
"""A rate so many times below 1/L is far too small."""
UNEVEN = 1e8
"""Ratio of the curvatures along two axes from which the variables are badly scaled."""
MOST = 500
"""Variables up to which the whole Hessian is looked at for advice."""
NO_MINIMUM = (Verdict.DEGENERATE, Verdict.INCONCLUSIVE, Verdict.NOT_STATIONARY)
"""Verdicts after which it is worth a look whether f goes on falling."""
BESIDE = "beside a stationary point"
"""How the remark begins on a leg that leaves one."""
NARROW = 1e10
"""Condition of a Hessian from which a valley is called flat."""


@dataclass(frozen=True)
class Seen:
    """What advice is drawn from."""

    objective: Objective
    walk: Walk
    certificate: Certificate
    wishes: Wishes

    @property
    def steps(self) -> Trace:
        return self.walk.trace.steps()

    @property
    def curvatures(self) -> tuple[float, float] | None:
        """The smallest and the largest at the end point; None where the Hessian is too dear to look at."""
        return curvatures_at(self.objective, self.walk.here.x)


def curvatures_at(objective: Objective, x: np.ndarray) -> tuple[float, float] | None:
    """The ends of the spectrum of the Hessian, in the units of the variables."""
    if objective.size > MOST or not objective.exact_curvature:
        return None
    matrix = objective.hessian(x)
    if not np.all(np.isfinite(matrix)):
        return None
    values = np.linalg.eigvalsh(matrix)
    return float(values[0]), float(values[-1])


def advise(objective: Objective, walk: Walk, certificate: Certificate, wishes: Wishes) -> tuple[str, ...]:
    """Every sentence that the evidence supports."""
    seen = Seen(objective, walk, certificate, wishes)
    with np.errstate(all="ignore"):  # a ratio that leaves the doubles is no evidence
        return tuple(objective.notes) + tuple(filter(None, [look(seen) for look in _LOOKS]))


def zigzag(seen: Seen) -> str | None:
    """Successive steps at right angles, again and again: a narrow valley."""
    angles = seen.steps["angle"]
    angles = angles[np.isfinite(angles)]
    if len(angles) < TURNS or not np.all(np.abs(angles[-TURNS:] - 90) <= RIGHT):
        return None
    text = f"The walk zigzags: its last {TURNS} steps each turn by {np.median(angles[-TURNS:]):.1f} degrees (median)."
    if seen.curvatures is None or not seen.curvatures[0] > 0:
        return text
    condition = seen.curvatures[1] / seen.curvatures[0]
    reduction = 1e-8
    steepest = predicted_steps(Method.STEEPEST, condition, reduction)
    conjugate = predicted_steps(Method.CONJUGATE_GRADIENTS, condition, reduction, seen.objective.size)
    return (
        f"{text} The valley is {math.sqrt(condition):,.0f} times longer than wide (condition {condition:.3g}), for "
        f"which "
        f"steepest descent may need {steepest:,} steps for 8 digits; conjugate gradients need about {conjugate:,} "
        f"there, "
        "Newton a few (method='cg', 'newton')."
    )


def rate_too_large(seen: Seen) -> str | None:
    """Divergence: which rates settle."""
    if seen.walk.stop.reason is not Reason.DIVERGED:
        return None
    largest = seen.walk.curvatures.largest
    return (
        f"Rates below 2/L = {2 / largest:.3g} settle where the curvature is L = {largest:.3g}; 1/L = "
        f"{1 / largest:.3g} is "
        "safe there, and steps='hager-zhang' finds its own length."
    )


def rate_too_small(seen: Seen) -> str | None:
    """A fixed rate far below what the curvature met would allow, and a budget spent for it."""
    taken = seen.steps
    if seen.walk.stop.reason in ENDS or len(taken) < 10 or not isinstance(seen.wishes.steps, int | float):
        return None
    largest, rate = float(np.nanmax(taken["curvature"][1:], initial=0.0)), float(seen.wishes.steps)
    if seen.curvatures is not None:  # along the way taken f may curve less than across it
        largest = max(largest, seen.curvatures[1])
    if not largest > 0 or rate * largest * TIMID > 1:
        return None
    return (
        f"The rate {rate:g} is far too small: the largest curvature seen is {largest:.3g}, for which 1/L = "
        f"{1 / largest:.3g} would do, {1 / (largest * rate):,.0f} times as much."
    )


def scaling(seen: Seen) -> str | None:
    """Variables whose curvatures are worlds apart, where scaling them would mend the condition."""
    if not (2 <= seen.objective.size <= MOST and seen.objective.exact_curvature):
        return None
    axes = np.abs(np.diag(seen.objective.hessian(seen.walk.here.x)))
    if not np.all((axes > 0) & np.isfinite(axes)) or np.max(axes) / UNEVEN < np.min(axes):
        return None
    powers = np.log10(np.max(axes)) - np.log10(np.min(axes))  # the quotient itself may leave the doubles
    high, low = int(np.argmax(axes)), int(np.argmin(axes))
    names = seen.objective.names
    return (
        f"The variables are badly scaled: f curves 1e{powers:.0f} times more along {names[high]} than along "
        f"{names[low]}. First-order methods would gain from measuring {names[low]} in units about "
        f"1e{powers / 2:.0f} times as large."
    )


def flat_valley(seen: Seen) -> str | None:
    """A direction along which f hardly rises: digits of x that the function does not determine."""
    ends = seen.curvatures
    if ends is None or seen.certificate.verdict not in (Verdict.STRICT_LOCAL_MINIMUM, Verdict.LOCAL_MINIMUM):
        return None
    smallest, largest = ends
    if not smallest > 0 or not NARROW <= np.divide(largest, smallest) < np.inf:
        return None
    value = abs(seen.walk.here.value)
    reach = math.sqrt(2 * seen.objective.roundoff * value / smallest) if value > 0 else 0.0
    text = f"The valley is flat: f curves {largest / smallest:.1e} times less along it than across."
    if not reach:
        return text
    return f"{text} Points {reach:.1e} apart along it have the same value in {_precision(seen)} precision."


def noisy_arithmetic(seen: Seen) -> str | None:
    """Single precision inside f."""
    if seen.objective.roundoff < 1e-10:
        return None
    ended = ", which is what ended the walk" if seen.walk.stop.reason in (Reason.NOISE, Reason.STALLED) else ""
    return (
        f"f is computed in single precision: its gradient is only known to about {seen.objective.roundoff:.0e} of its "
        f"terms{ended}. Use float64 arrays inside f for more digits."
    )


def stationary_start(seen: Seen) -> str | None:
    """The gradient vanished at the start already."""
    first = seen.walk.trace.rows[0]
    if not np.isfinite(first.value) or first.steepness > _resolved(seen):
        return None
    if seen.walk.steps == 0 and seen.certificate.verdict is not Verdict.STRICT_LOCAL_MINIMUM:
        return "The start is a stationary point: the gradient is zero there, so there was no way to walk."
    if len(seen.walk.trace) < 2 or not seen.walk.trace.rows[1].remark.startswith(BESIDE):
        return None
    return (
        f"The start was a stationary point (|g| = {first.steepness:.1e}) and no minimum: the walk went on "
        f"{seen.walk.trace.rows[1].remark}."
    )


def _resolved(seen: Seen) -> float:
    """Length of a gradient at the start that the rounding of the start itself makes."""
    start = seen.walk.trace.rows[0].x
    if start is None or not seen.objective.exact_curvature:
        return 0.0
    with np.errstate(all="ignore"):
        return (
            2 * seen.objective.roundoff * float(np.linalg.norm(np.abs(seen.objective.hessian(start)) @ np.abs(start)))
        )


def ran_away(seen: Seen) -> str | None:
    """No minimum where the walk ended, and nothing higher far ahead: a value that is approached and not reached."""
    end, start = seen.walk.here, seen.walk.trace.rows[0].x
    if seen.certificate.verdict not in NO_MINIMUM or seen.walk.stop.reason not in ENDS or start is None:
        return None
    with np.errstate(all="ignore"):
        ahead = [end.x + (times - 1) * (end.x - start) for times in (10, 100, 1000)]
        inside = seen.walk.steps > 0 and all(np.all(np.isfinite(x)) for x in ahead)
        if not inside or not all(seen.objective.value(x) <= end.value for x in ahead):
            return None
    return (
        "f is no higher at 10, 100 and 1,000 times the way from the start to here: it may have no minimum, only a "
        f"value, {end.value:.6g} or less, that it approaches."
    )


def undefined(seen: Seen) -> str | None:
    """Trials where f was not finite."""
    values = seen.walk.trace["value"]
    bad = int(np.sum(~np.isfinite(values)))
    if not bad or seen.walk.stop.reason in (Reason.NOT_FINITE, Reason.UNBOUNDED):
        return None
    return f"f was not finite at {counted(bad, 'trial')} of {len(values):,}: the walk stepped back each time."


def lower_seen(seen: Seen) -> str | None:
    """A lower value than the one it settled at."""
    values = seen.walk.trace["value"]
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    lowest, value = float(np.min(finite)), seen.walk.here.value
    if not lowest < value - 1e-8 * max(abs(lowest), abs(value)):
        return None
    row = int(np.nanargmin(np.where(np.isfinite(values), values, np.inf)))
    return (
        f"A lower value, {lowest:.6g}, was seen on the way (trial {row + 1:,}); the walk went on and settled "
        f"at {value:.6g}."
    )


def unsure_gradient(seen: Seen) -> str | None:
    """A gradient that was given and does not fit the values: the usual cause of a walk that goes nowhere."""
    from surefoot.problem.checked import check_objective

    if seen.walk.stop.reason not in (Reason.STALLED, Reason.NO_DECREASE) or not seen.objective.exact_gradient:
        return None
    found = check_objective(seen.objective, seen.walk.here.x)
    return None if found.ok or found.kinks else f"No lower point was found, and the gradient is suspect: {found}"


def _precision(seen: Seen) -> str:
    return "double" if seen.objective.roundoff < 1e-10 else "single"


_LOOKS: tuple[Callable[[Seen], str | None], ...] = (
    stationary_start, ran_away, rate_too_large, rate_too_small, zigzag, undefined, noisy_arithmetic, scaling,
    flat_valley, lower_seen, unsure_gradient,
)  # fmt: skip
