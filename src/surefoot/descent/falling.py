"""Whether a function falls without end along the way that a walk has gone.

A walk that comes very far below its start looks ahead: at 10, 100, 1000, ... times the displacement from the start, and
if that shows nothing, times the last step.
Where every look is lower than the one before, by more each time, until the numbers end, that is said. It is evidence,
not proof: a function may turn upwards beyond what doubles can hold.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, section 3.2, p. 37 (methods assume that
f is bounded below; nothing that they compute can show it).
"""

from __future__ import annotations

import numpy as np

from surefoot.descent.ground import Ground, Here
from surefoot.descent.trace import Row

FAR = 1e8
"""How far below the start, in units of what the start lets expect, a walk begins to wonder."""
FARTHEST = 1e40
"""The same for a walk that need not look ahead any more: a curved way down shows itself only in walking it."""
DECADES = 6
"""Looks that must all be lower."""


def falls_without_end(ground: Ground, first: Row, here: Here, last: np.ndarray | None = None) -> str | None:
    """The sentence that says so, or None; ``first`` is the row of the start, ``last`` the step that led here.

    Examples
    --------
    >>> from surefoot.descent.bowl import Bowl
    >>> bowl = Bowl.of_arrays(np.eye(1), np.zeros(1))
    >>> row = Row(0, 1.0, 1.0, 0.0, 0.0, float("nan"), float("nan"), 0.0, 1, np.array([1.0]))
    >>> falls_without_end(bowl, row, bowl.see(np.array([0.0]))) is None
    True
    """
    start = first.x if first.x is not None else np.zeros(ground.size)
    reach = float(np.linalg.norm(here.x - start))
    scale = max(abs(first.value), first.steepness * max(1.0, float(np.linalg.norm(start))))
    if not (here.value < -FAR * scale and reach > 0):
        return None
    if here.value < -FARTHEST * scale:
        size = float(np.linalg.norm(here.x))
        return f"f has fallen to {here.value:.2e} at |x| = {size:.2e}, from {first.value:.6g}, and steps still lower it"
    found = _falls(ground, here, here.x - start)
    return found if found is not None or last is None else _falls(ground, here, last)


def _falls(ground: Ground, here: Here, way: np.ndarray) -> str | None:
    """Looks ahead along one way."""
    value, fall, looks = here.value, 0.0, 0
    for decade in range(1, 300):
        with np.errstate(all="ignore"):
            x = here.x + 10.0**decade * way
            ahead = ground.height(x) if np.all(np.isfinite(x)) else np.nan
        if not np.isfinite(ahead):
            break
        if not ahead < value or value - ahead <= fall:
            return None
        value, fall, looks = ahead, value - ahead, looks + 1
        if looks >= DECADES and value < -1e100:
            break
    if looks < DECADES:
        return None
    size, ahead = float(np.linalg.norm(here.x)), 10.0**looks * float(np.linalg.norm(way))
    return (
        f"f is {here.value:.2e} at |x| = {size:.2e} and {value:.2e} at {ahead:.0e} from there, falling faster each time"
    )
