"""How long an iterative method may go on, and who is told how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class KrylovProgress:
    """How far an iterative method is: what a progress callback is given after each step.

    Attributes
    ----------
    method : str
        ``"lsmr"`` or ``"cg"``.
    step : int
        Steps so far, all rounds together.
    backward_error : float
        As the recurrence of the method estimates it; the answer carries one that was computed.
    target : float
        Where the walk stops.
    seconds : float
        Since the start.
    """

    method: str
    step: int
    backward_error: float
    target: float
    seconds: float


Report = Callable[[KrylovProgress], object]


@dataclass
class Budget:
    """Steps and seconds that are left; counts what was spent.

    Attributes
    ----------
    level : float
        Backward error where the present round started.
    products : int
        Products with ``A`` or ``A'`` so far.
    broken_off : bool
        Whether Ctrl-C was pressed.
    """

    max_steps: int
    seconds: float | None
    report: Report | None
    target: float
    level: float = 1.0
    steps: int = 0
    products: int = 0
    broken_off: bool = False
    start: float = field(default_factory=time.perf_counter)

    def spent(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.start

    def is_over(self) -> bool:
        """Whether there may be no further step."""
        return (
            self.broken_off
            or self.steps >= self.max_steps
            or (self.seconds is not None and self.spent() > self.seconds)
        )

    def step(self, method: str, gain: float) -> None:
        """One step was taken, two products; ``gain`` is what is left of the backward error of this round's start."""
        self.steps += 1
        self.products += 2
        if self.report is not None:
            self.report(KrylovProgress(method, self.steps, self.level * gain, self.target, self.spent()))

    def sentence(self) -> str:
        """Why it is over."""
        if self.broken_off:
            return f"broken off by Ctrl-C after {self.steps:,} steps; this is the best point so far"
        if self.steps >= self.max_steps:
            return f"the budget of {self.max_steps:,} steps is used up"
        return f"the budget of {self.seconds:g} seconds is used up after {self.steps:,} steps"
