"""When a gradient is small enough: the tolerance is met, rounding hides the slope, or rounding stops the walk.

The floor below which a gradient is only rounding is known in advance for a bowl; there a walk goes on below it while
the gradient may still mean a way to go along the flattest direction met. Of any other function the floor is measured
at the point, which costs evaluations: that is done where the gradient comes near what the curvature met so far lets
expect, or where the walk gains nothing any more. A walk never says 'noise' of a gradient that was not held against a
floor found at that very point.

Reference: Dennis, Schnabel (1996), "Numerical Methods for Unconstrained Optimization and Nonlinear Equations", SIAM,
section 7.2, pp. 159-161 (stopping, and what the arithmetic allows).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from surefoot.descent.ground import Ground, Here
from surefoot.descent.stop import Reason

PATIENCE = 10
"""Steps without a gain after which a gradient below the noise floor is taken for noise."""
LOOKS = 3
"""Times that a gradient below the floor is evaluated in vain before it is taken for noise too."""
STALL, NEAR = 100, 100.0
"""Steps without a gain after which a gradient above the floor is given up; on a bowl only within this factor of it."""
LEVEL = 1e3
"""Values whose spread is within so many times their rounding are level."""

KEPT = ("first", "smallest", "lowest", "waited", "looks", "steepest", "recent", "flattest", "highest", "hidden")
"""What is remembered of the points of a walk."""
HIDDEN = 1e4
"""What is left to gain counts as hidden by rounding up to so many times the rounding of f: the curvature is a guess."""


@dataclass(frozen=True)
class Tolerance:
    """How small a gradient is asked for; without either only rounding ends a walk.

    Attributes
    ----------
    relative : float or None
        Of the length of the gradient at the start.
    absolute : float or None
        In the units of the gradient.
    """

    relative: float | None = None
    absolute: float | None = None

    def length(self, first: float) -> float:
        """The longest gradient that is small enough; minus infinity where none was asked for."""
        return max(
            -np.inf if self.relative is None else self.relative * first,
            -np.inf if self.absolute is None else self.absolute,
        )


class Arrival:
    """Judges the points of one walk, in order.

    Parameters
    ----------
    ground : Ground
        What is walked on.
    tolerance : Tolerance
        What is asked for.
    """

    def __init__(self, ground: Ground, tolerance: Tolerance) -> None:
        self._ground, self._tolerance = ground, tolerance
        self._first = 0.0
        self._smallest, self._lowest, self._waited, self._looks = np.inf, np.inf, 0, 0
        self._steepest, self._recent, self._flattest = 0.0, 0.0, np.inf
        self._highest = -np.inf  # since the last gain
        self._hidden = np.inf  # a gradient of this length was above its measured floor
        self._measured: tuple[Here | None, float] = (None, 0.0)  # where the floor was measured last, and what it was

    def begin(self, here: Here) -> Reason | None:
        """Judge the start."""
        self._first = here.steepness
        return self.reason(here)

    def felt(self, curvature: float) -> None:
        """Take note of a curvature along a step."""
        self._steepest = max(self._steepest, curvature)
        self._recent = curvature if curvature > 0 else self._recent
        if curvature > 0:
            self._flattest = min(self._flattest, curvature)

    def memory(self) -> dict[str, float]:
        """What judging the next point depends on, of the points before."""
        return {name: float(getattr(self, f"_{name}")) for name in KEPT}

    def recall(self, kept: Mapping[str, float]) -> None:
        """Judge on as the one whose memory that is."""
        for name in KEPT:
            setattr(self, f"_{name}", kept[name] if name not in ("waited", "looks") else int(kept[name]))

    @property
    def asked(self) -> float:
        """The longest gradient that the caller takes for small; minus infinity if none was named."""
        return self._tolerance.length(self._first)

    @property
    def steepest(self) -> float:
        """The largest curvature felt."""
        return self._steepest

    def limit(self, here: Here) -> float:
        """What the gradient is held against."""
        at, measured = self._measured
        return max(measured if at is here else self._floor(here), self._tolerance.length(self._first))

    def measured_limit(self, here: Here) -> float:
        """The same with the floor measured at this very point."""
        return max(self._measure(here), self._tolerance.length(self._first))

    def reason(self, here: Here) -> Reason | None:
        """Why the walk should end at a point, if it should."""
        if here.steepness <= self._tolerance.length(self._first):
            return Reason.TOLERANCE
        self._count(here)
        return self._on_a_bowl(here) if self._ground.is_quadratic else self._elsewhere(here)

    def looked_again(self, here: Here) -> Reason | None:
        """A carried gradient was small enough and the true one is not quite: below the floor that is so for ever."""
        if here.steepness <= self._floor(here):
            self._looks += 1
        return Reason.NOISE if self._looks >= LOOKS else None

    def refused(self, here: Here) -> Reason:
        """No step goes lower: because the gradient is noise, or because values are."""
        floor = self._measure(here)
        if here.steepness <= floor:
            return Reason.NOISE
        return Reason.STALLED if self._is_hidden(here, floor) else Reason.NO_DECREASE

    def _count(self, here: Here) -> None:
        gained = here.steepness < self._smallest
        if not self._ground.is_quadratic:
            gained = gained or here.value < self._lowest - self._ground.blur(here)
        self._waited = 0 if gained else self._waited + 1
        self._highest = here.value if gained else max(self._highest, here.value)
        self._smallest = min(self._smallest, here.steepness)
        self._lowest = min(self._lowest, here.value)

    def _on_a_bowl(self, here: Here) -> Reason | None:
        floor = self._ground.floor(here, self._steepest)
        if here.steepness > floor.gradient:
            # A fixed rate near 2/L carries its rounding along from step to step, and circles above the floor.
            stalled = self._waited >= STALL and here.steepness <= NEAR * floor.gradient
            return Reason.STALLED if stalled else None
        # So small a gradient may still mean a way to go along the flattest direction met so far: |g|^2 / (2 mu) of f.
        left = here.steepness / np.sqrt(2 * self._flattest)
        return Reason.NOISE if left <= floor.energy or self._waited >= PATIENCE else None

    def _elsewhere(self, here: Here) -> Reason | None:
        expected = here.steepness <= self._ground.floor(here, self._recent).gradient
        stuck = self._waited > 0 and self._waited % PATIENCE == 0
        if (expected and here.steepness < self._hidden / 2) or stuck or here.steepness == 0:
            if here.steepness <= self._measure(here):
                return Reason.NOISE
            self._hidden = here.steepness
        # A method with momentum may climb for hundreds of steps before it gains again: then values are not level.
        level = self._highest - self._lowest <= LEVEL * self._ground.blur(here)
        if self._waited < STALL or not level:
            return None
        return Reason.STALLED if self._is_hidden(here, self._measure(here)) else Reason.IDLE

    def _is_hidden(self, here: Here, floor: float) -> bool:
        """Whether rounding may be the cause that nothing is gained.

        The gradient is near its floor; or what is left, ``|g|^2 / 2c`` with the curvature c met last, is no more than
        rounding of f.
        """
        if self._ground.is_quadratic or here.steepness <= NEAR * floor:
            return True
        if not self._recent > 0:
            return False
        return bool(here.steepness / np.sqrt(self._recent) <= np.sqrt(2 * HIDDEN * self._ground.blur(here)))

    def _measure(self, here: Here) -> float:
        if self._measured[0] is not here:
            self._measured = here, self._ground.measured_floor(here, self._recent).gradient
        return self._measured[1]

    def _floor(self, here: Here) -> float:
        return self._ground.floor(here, self._steepest if self._ground.is_quadratic else self._recent).gradient
