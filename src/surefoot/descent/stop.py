"""Why a walk ended: one reason, and the numbers that decided it, each measure beside its tolerance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from surefoot.wording import counted


class Reason(Enum):
    """What ended a walk. The value begins the sentence that a person reads."""

    NOISE = "the gradient is at its noise floor"
    STALLED = "rounding keeps the gradient from shrinking further"
    TOLERANCE = "the tolerance is met"
    STEPS = "the budget of steps is spent"
    EVALUATIONS = "the budget of evaluations is spent"
    TIME = "the budget of time is spent"
    DIVERGED = "the walk diverges"
    NOT_FINITE = "a value is not a finite number"
    UNBOUNDED = "the function falls without end"
    NO_DECREASE = "no point tried along the direction is lower"
    IDLE = "many steps in sequence have gained nothing"
    NO_CURVATURE = "there is no curvature along the direction"
    INTERRUPTED = "stopped by Ctrl-C"
    ASKED = "stopped by the callback"
    UNDER_WAY = "the walk was under way"
    KINK = "f has a kink here"


STUCK = (Reason.NOISE, Reason.STALLED, Reason.NO_DECREASE, Reason.IDLE)
"""Reasons of a walk that is stuck, for which a kink may be the cause."""
ENDS = (Reason.NOISE, Reason.STALLED, Reason.TOLERANCE)
"""Reasons that lie in the gradient itself: the walk ends where it stands."""


@dataclass(frozen=True)
class Stop:
    """Why a walk ended.

    Attributes
    ----------
    reason : Reason
        What ended it.
    measure, tolerance : float
        Length of the gradient, and what it was held against: the tolerance asked for, or the noise floor.
    explanation : str
        The cause, where there is more to say than the reason.
    digits : float or None
        Digits of the point that what is left of the gradient leaves certain, ``-log10(|g| / (mu |x|))`` with ``mu`` the
        smallest curvature; None where that curvature is not known for sure.

    Examples
    --------
    >>> print(Stop(Reason.NOISE, 3.1e-16, 4e-16, digits=12.3))
    the gradient is at its noise floor: |g| = 3.1e-16 <= 4.0e-16, which leaves 12 digits of the point certain
    """

    reason: Reason
    measure: float
    tolerance: float
    explanation: str = ""
    digits: float | None = None

    @property
    def arrived(self) -> bool:
        """Whether the point is known to be near the bottom; on a flat floor a small gradient does not say so."""
        return self.reason in ENDS and self.digits is not None and self.digits >= 1

    def __str__(self) -> str:
        """The reason, its cause, the measure beside the tolerance."""
        sign = "<=" if self.measure <= self.tolerance else ">"
        numbers = f"|g| = {self.measure:.1e} {sign} {self.tolerance:.1e}"
        if self.reason in ENDS and self.digits is not None:
            numbers += f", which leaves {counted(int(self.digits), 'digit')} of the point certain"
        return ": ".join(filter(None, [self.reason.value, self.explanation or numbers]))
