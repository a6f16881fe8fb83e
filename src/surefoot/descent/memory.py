"""What a walk knows that goes on: its last step, and what the direction and the step rule have learnt before it.

A walk that is begun with the memory of another one goes on as that one would have, to the last bit: it takes the same
steps. Directions and step rules with something of their own to keep have ``memory`` and ``recall``; all others live by
the last step alone, as conjugate gradients and momentum do.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, algorithms 6.1 and 7.5, pp. 140 and 179
(what quasi-Newton methods carry from step to step).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from surefoot.descent.ground import Here
from surefoot.descent.ray import Taken


@dataclass(frozen=True)
class Memory:
    """What a walk would go on with.

    Attributes
    ----------
    method : str
        Direction and step rule; only the same ones can go on with it.
    x : ndarray, shape (n,)
        The point that the walk stands at.
    origin : ndarray, shape (n,)
        Where the last step began.
    value : float
        f there.
    slope : ndarray, shape (n,)
        The gradient there.
    direction : ndarray, shape (n,)
        Of the last step.
    length, curvature : float
        Of the last step.
    learnt, tuned, judged : mapping
        What the direction, the step rule, and the judgement of when to stop keep.
    counted : bool
        Whether the point has been judged already.
    """

    method: str
    x: np.ndarray
    origin: np.ndarray
    value: float
    slope: np.ndarray
    direction: np.ndarray
    length: float
    curvature: float
    learnt: Mapping[str, Any] = field(default_factory=dict)
    tuned: Mapping[str, Any] = field(default_factory=dict)
    judged: Mapping[str, Any] = field(default_factory=dict)
    counted: bool = True

    @classmethod
    def of(cls, method: str, last: Taken, **kept: Any) -> Memory:
        """Of the last step."""
        origin = last.origin
        return cls(method, last.there.x, origin.x, origin.value, origin.gradient, last.direction, last.length,
                   last.curvature, **kept)  # fmt: skip

    def last(self, here: Here) -> Taken:
        """The last step, with the point that it led to looked at anew."""
        origin = Here(self.origin, self.value, self.slope)
        return Taken(origin, self.value, self.direction, self.length, here.gradient - self.slope, self.curvature, here)

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {name: _plain(value) for name, value in vars(self).items()}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Memory:
        """The memory that ``to_json`` wrote.

        Examples
        --------
        >>> one = Memory("bfgs", np.ones(1), np.zeros(1), 1.0, np.ones(1), np.ones(1), 0.5, 2.0, {"inverse": np.eye(1)})
        >>> Memory.from_json(one.to_json()).learnt
        {'inverse': array([[1.]])}
        """
        arrays = ("x", "origin", "slope", "direction")
        given: dict[str, Any] = {name: state[name] for name in vars_of(cls)}
        given |= {name: np.array(state[name], float) for name in arrays}
        for name in ("learnt", "tuned", "judged"):
            given[name] = {key: np.array(value, float) if isinstance(value, list) else value
                           for key, value in state[name].items()}  # fmt: skip
        return cls(**given)


def vars_of(kind: type) -> tuple[str, ...]:
    """The names of the fields of a dataclass."""
    return tuple(kind.__dataclass_fields__)  # type: ignore[attr-defined]


def memory_of(one: Any, last: Taken) -> dict[str, Any]:
    """What a direction or a step rule keeps of its own beside the last step; most keep nothing."""
    keep = getattr(one, "memory", None)
    return {} if keep is None else keep(last)


def recalled(one: Any, kept: Mapping[str, Any], last: Taken | None = None) -> None:
    """Give it back."""
    recall = getattr(one, "recall", None)
    if recall is not None and kept:
        recall(kept, last)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    return value
