"""The trace of a walk: one row for each trial, accepted or not, for tables, plots and animations."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.descent.norms import length_of
from surefoot.descent.quick import quick
from surefoot.errors import DataError
from surefoot.files import whole_file

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

SAFE, WIDE = 1e-200, 0.9
"""Products of lengths that are sound doubles; cosines for which an arc cosine loses no digits."""
FEW = 16
"""Variables up to which the points themselves are kept."""


@quick
@dataclass(frozen=True)
class Row:
    """One trial: what a callback is given.

    Attributes
    ----------
    step : int
        The step that it was tried for; 0 for the start.
    value, steepness : float
        f, and the length of its gradient, where the step led.
    length, moved : float
        Multiple of the direction that was gone, and the distance.
    angle : float
        Between this direction and the one before, in degrees; NaN for the start and the first step.
    curvature : float
        Along the direction; NaN for the start.
    seconds : float
        Since the walk began.
    passes : int
        Over the rows, since the walk began.
    x : ndarray, shape (n,), or None
        The point, up to 16 variables; only these are kept.
    there : ndarray, shape (n,)
        The point, for a callback; however many variables, it is not kept in the trace.
    memory : callable or None
        Gives what the walk would go on with (``Memory``), for a callback; not kept either.
    slope : float
        Of f along the direction at this point; NaN where it was not evaluated.
    accepted : bool
        Whether the step led here; else it was a look on the way.
    remark : str
        What a person reading the trace should know of the step; mostly empty.
    """

    step: int
    value: float
    steepness: float
    length: float
    moved: float
    angle: float
    curvature: float
    seconds: float
    passes: int
    x: np.ndarray | None = None
    slope: float = float("nan")
    accepted: bool = True
    remark: str = ""
    there: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False, compare=False)
    memory: Callable[[], Any] | None = field(default=None, repr=False, compare=False)


NAMES = (
    "step", "value", "steepness", "length", "moved", "angle", "curvature", "seconds", "passes", "slope", "accepted",
    "remark",
)  # fmt: skip


@dataclass(frozen=True)
class Trace:
    """Every trial of a walk, in order; ``trace["value"]`` is a column as an array.

    Examples
    --------
    >>> trace = Trace((Row(0, 4.0, 4.0, 0.0, 0.0, float("nan"), float("nan"), 0.0, 1),))
    >>> trace["value"].tolist(), len(trace)
    ([4.0], 1)
    """

    rows: tuple[Row, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> np.ndarray:
        """A column, shape (k,); ``"x"`` has shape (k, n)."""
        if name == "x":
            return self.points()
        if name not in NAMES:
            raise KeyError(f"A trace has no column {name!r}; it has {', '.join((*NAMES, 'x'))}.")
        return np.array([getattr(row, name) for row in self.rows])

    def steps(self) -> Trace:
        """The start and the steps taken, without the trials that were not accepted."""
        return Trace(tuple(row for row in self.rows if row.accepted))

    def points(self) -> np.ndarray:
        """The points, shape (k, n); no columns where the walk had more than 16 variables."""
        kept = [row.x for row in self.rows if row.x is not None]
        return np.array(kept) if kept else np.zeros((len(self.rows), 0))

    def to_arrow(self) -> pa.Table:
        """As an Arrow table; points as columns ``x1``, ``x2``, ..."""
        import pyarrow as pa

        columns = {name: self[name] for name in NAMES}
        return pa.table(columns | {f"x{j}": column for j, column in enumerate(self.points().T, start=1)})

    def write(self, path: str | Path) -> None:
        """Write the table: CSV or Parquet by the ending.

        Raises
        ------
        DataError
            The ending is another, or the file cannot be written.
        """
        ending = Path(path).suffix.lower()
        if ending not in (".csv", ".parquet"):
            raise DataError(f"A trace is written as .csv or .parquet, not as {ending or 'a file without ending'}.")
        with whole_file(path, "trace") as neighbour:
            if ending == ".csv":
                from pyarrow.csv import write_csv

                write_csv(self.to_arrow(), neighbour)
            else:
                from pyarrow.parquet import write_table

                write_table(self.to_arrow(), neighbour)

    def to_pandas(self) -> pd.DataFrame:
        """As a pandas frame."""
        return self.to_arrow().to_pandas()


def angle_between(one: np.ndarray, other: np.ndarray) -> float:
    """In degrees, without the loss of digits that an arc cosine has near 0 and 180.

    Reference: Kahan (2006), "How Futile are Mindless Assessments of Roundoff in Floating-Point Computation?",
    section 12.
    """
    first, second = length_of(one), length_of(other)
    if not (first > 0 and second > 0):
        return float("nan")
    product = first * second
    if SAFE < product < 1 / SAFE:
        cosine = float(one.dot(other)) / product
        if abs(cosine) < WIDE:
            return math.degrees(math.acos(cosine))
    one, other = one / first, other / second
    return math.degrees(2 * math.atan2(length_of(one - other), length_of(one + other)))
