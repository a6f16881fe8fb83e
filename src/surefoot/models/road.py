"""What the comparison of roads found: a record for each road, and how far they agree."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from surefoot.descent.trace import Trace

MOST_DIGITS = 15.95
"""Digits of a double."""


@dataclass(frozen=True)
class Road:
    """One way to the bottom of the bowl.

    Attributes
    ----------
    name : str
        ``"normal equations"``, ``"QR"``, ``"conjugate gradients"`` and so on.
    detail : str
        What exactly was done.
    coef : ndarray, shape (p,), or None
        Where it led, in the units of the columns; NaN for dropped columns. None if the road could not be taken.
    stop : str
        Why it ended, or why it could not be taken.
    arrived : bool
        Whether it is known to have ended near the bottom.
    passes : int
        Over the rows.
    seconds : float or None
        For this road alone, reading the rows included; None where it was not timed by itself.
    backward_error : float or None
        Karlson-Walden estimate, relative to the matrix with columns of length one.
    exact_digits : float or None
        Correct digits of the worst coefficient, where the exact ones are known.
    steps, predicted : int or None
        Steps taken, and steps that the theory allows in exact arithmetic to shrink the error to the rounding of a
        double; None for a formula, and where no number of steps would do.
    trace : Trace or None
        Every step; not saved with a fit.
    path : ndarray, shape (k, 2), or None
        The points of the walk, for two coefficients; not saved with a fit.
    """

    name: str
    detail: str
    coef: np.ndarray | None
    stop: str
    arrived: bool
    passes: int
    seconds: float | None
    backward_error: float | None = None
    exact_digits: float | None = None
    steps: int | None = None
    predicted: int | None = None
    trace: Trace | None = field(default=None, repr=False, compare=False)
    path: np.ndarray | None = field(default=None, repr=False, compare=False)

    @property
    def refused(self) -> bool:
        """Whether the road could not be taken at all."""
        return self.coef is None


@dataclass(frozen=True)
class Roads:
    """Roads to one valley, side by side.

    Attributes
    ----------
    roads : tuple of Road
        Formulas first, then walks.
    agreement : ndarray, shape (k, k)
        Digits that the worst coefficient of two roads has in common; NaN where one was refused.
    condition : float
        Of the columns scaled to length one, which the walks were on; the Hessian's is its square.
    columns : int
        Columns that were kept.

    Examples
    --------
    >>> import surefoot as sf
    >>> fit = sf.fit("y ~ x", {"x": [1, 2, 3, 4], "y": [2.1, 3.9, 6.2, 7.8]}, compare=True)
    >>> fit.roads["conjugate gradients"].predicted, fit.roads.between("QR", "SVD") > 13
    (2, True)
    """

    roads: tuple[Road, ...]
    agreement: np.ndarray
    condition: float
    columns: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(road.name for road in self.roads)

    @property
    def condition_on_foot(self) -> float:
        """Condition of the Hessian, on which the steps of a walk depend: the square of that of the columns."""
        return self.condition**2

    def __getitem__(self, name: str) -> Road:
        return self.roads[self._position(name)]

    def between(self, one: str, other: str) -> float:
        """Digits of agreement of two roads, by name."""
        return float(self.agreement[self._position(one), self._position(other)])

    def to_json(self) -> dict[str, Any]:
        """The table, without the steps."""
        rows = [
            {f.name: getattr(road, f.name) for f in dataclasses.fields(road) if f.name not in ("trace", "path")}
            for road in self.roads
        ]
        return {"roads": rows, "agreement": self.agreement, "condition": self.condition, "columns": self.columns}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Roads:
        """The table that ``to_json`` wrote."""
        rows = []
        for row in state["roads"]:
            coef = None if row["coef"] is None else np.array(row["coef"], float)
            rows.append(Road(**{**row, "coef": coef}))
        agreement = np.array(state["agreement"], float).reshape(len(rows), len(rows))
        return cls(tuple(rows), agreement, state["condition"], state["columns"])

    def _position(self, name: str) -> int:
        if name not in self.names:
            raise KeyError(f"No road is called {name!r}; there are {', '.join(map(repr, self.names))}.")
        return self.names.index(name)


def common_digits(one: np.ndarray | None, other: np.ndarray | None) -> float:
    """Digits that the worst coefficient of two answers has in common; NaN where there is none to compare.

    Examples
    --------
    >>> import numpy as np
    >>> round(common_digits(np.array([1.0, 2.0]), np.array([1.0, 2.002])), 2)
    3.0
    """
    if one is None or other is None:
        return math.nan
    kept = ~(np.isnan(one) | np.isnan(other))
    one, other = one[kept], other[kept]
    largest = np.maximum(np.abs(one), np.abs(other))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        relative = np.abs(one / largest - other / largest)
    relative = np.where(largest == 0, 0.0, relative)
    worst = float(np.max(relative, initial=0.0))
    return MOST_DIGITS if worst == 0 else float(np.clip(-math.log10(worst), 0.0, MOST_DIGITS))


def agreement(coefs: Sequence[np.ndarray | None]) -> np.ndarray:
    """Digits in common, of each answer with each."""
    return np.array([[common_digits(one, other) for other in coefs] for one in coefs]).reshape(len(coefs), len(coefs))
