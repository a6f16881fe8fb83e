"""A finding: a verdict on its way to a certificate, and the words for directions and numbers in it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from surefoot.proof.certificate import Verdict
from surefoot.proof.nearby import Change
from surefoot.wording import combination

SHOWN = 3
"""Most variables that a sentence names in a direction."""

LISTED = 100
"""Most components that the evidence lists one by one."""


@dataclass(frozen=True)
class Finding:
    """What one step of the argument found.

    Attributes
    ----------
    verdict : Verdict
        What the point is.
    claim : str
        The verdict as a sentence.
    lines : tuple of str
        The argument.
    evidence : mapping
        Plain numbers for JSON.
    """

    verdict: Verdict
    claim: str
    lines: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)


def along(names: Sequence[str], direction: np.ndarray) -> str:
    """A direction in words: its largest components.

    Examples
    --------
    >>> along(("x", "y"), np.array([0.0, -1.0]))
    '-y'
    >>> along(("x", "y"), np.array([0.6, 0.8]))
    '0.6*x + 0.8*y'
    """
    largest = np.argsort(-np.abs(direction), kind="stable")[:SHOWN]
    top = float(np.max(np.abs(direction)))
    said = np.abs(direction) >= 0.05 * top
    parts = {str(names[int(j)]): float(f"{direction[j]:.3g}") for j in sorted(largest) if said[j]}
    rest = np.sum(said) - len(parts)
    return combination(parts) + (f" and {rest:,} more" if rest else "")


def plain(value: Any) -> Any:
    """Numbers and arrays as JSON takes them: what is not finite becomes None."""
    if isinstance(value, np.ndarray):
        return [plain(entry) for entry in value.tolist()]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value


def descent(change: Change, x: np.ndarray) -> dict[str, Any]:
    """A lower value as evidence: where it is and how to get there."""
    return {
        "lower_value": plain(change.value),
        "lower_at": plain(x + change.length * change.direction),
        "fall": plain(-change.change),
        "escape_direction": plain(change.direction),
        "escape_length": plain(change.length),
    }
