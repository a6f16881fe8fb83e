"""A least-squares problem made ready for the iterative methods: weights, penalties, units, the lengths of its columns.

    minimise  |W^(1/2) (b - A x)|^2 + sum_j penalty_j x_j^2

is ``|c - B y|`` with ``B = [W^(1/2) A; diag(penalty^(1/2))] U`` and ``x = U y``. ``U`` is the identity unless the
sizes of the entries would overflow or vanish when squared; then it holds powers of two, so that nothing is rounded. A
row of weight 0 is no row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from surefoot.errors import DataError
from surefoot.leastsquares.operators import Columns, MatrixFree, Ridged, Rows, Weighted, as_rows
from surefoot.leastsquares.rowblocks import RowBlocks

SAFE = 1e280
"""Squared lengths between 1/SAFE and SAFE neither overflow nor vanish in what follows."""


@dataclass(frozen=True)
class System:
    """``B`` and what turns ``b`` into ``c`` and ``y`` into ``x``.

    Attributes
    ----------
    rows : Rows
        ``B``: weighted, penalised, in safe units.
    data : Rows
        ``B`` without the rows of the penalty.
    squares : ndarray, shape (n,)
        Squared length of each column of ``B``; estimated by random products for an operator.
    exact_lengths : bool
        Whether ``squares`` was computed from the entries.
    units : ndarray, shape (n,)
        ``x = units * y``.
    root_penalty : ndarray or None
        Square root of the penalties, in the units of ``y``.
    kept : ndarray or None
        Positions of the rows with a weight; None where all have one.
    root_weights : ndarray or None
        Of the kept rows.
    given_rows : int
        How many rows ``A`` has.
    """

    rows: Rows
    data: Rows
    squares: np.ndarray
    exact_lengths: bool
    units: np.ndarray
    root_penalty: np.ndarray | None
    kept: np.ndarray | None
    root_weights: np.ndarray | None
    given_rows: int

    @property
    def zero_columns(self) -> np.ndarray:
        """Positions of the columns without any entry: their coefficient is 0, and nothing determines it."""
        return np.flatnonzero(self.squares == 0)

    def columns(self, positions: np.ndarray) -> System:
        """The problem with some of the columns only."""
        data = self.data
        part = RowBlocks(data.matrix[:, positions]) if isinstance(data, RowBlocks) else Columns(data, positions)
        root = None if self.root_penalty is None else self.root_penalty[positions]
        return replace(
            self,
            rows=part if root is None else Ridged(part, root),
            data=part,
            squares=self.squares[positions],
            units=self.units[positions],
            root_penalty=root,
        )

    def right_side(self, b: Any) -> tuple[np.ndarray, float]:
        """``c`` in units of a power of two near its largest entry, and that unit."""
        values = _real_vector(b, self.given_rows, "b")
        if self.kept is not None:
            values = values[self.kept]
        if self.root_weights is not None:
            values = values * self.root_weights
        largest = max(float(np.max(values, initial=0.0)), -float(np.min(values, initial=0.0)))
        # A power of two well inside the range, so that the unit is a number and dividing by it rounds nothing.
        unit = float(np.exp2(np.clip(np.round(np.log2(largest)), -1000, 1000))) if largest > 0 else 1.0
        scaled = np.zeros(self.rows.shape[0])
        np.divide(values, unit, out=scaled[: len(values)])
        return scaled, unit


def prepare(A: Any, weights: Any = None, ridge: Any = 0.0) -> System:
    """Make a problem ready.

    Parameters
    ----------
    A : sparse matrix, ndarray or operator of shape (m, n)
        See ``operators.as_rows``.
    weights : array of shape (m,), optional
        Finite, not negative.
    ridge : float or array of shape (n,)
        Penalty on the square of each coefficient.

    Raises
    ------
    DataError
        If ``A``, the weights or the penalties cannot be used; the message says where and why.
    """
    rows = as_rows(A)
    given = rows.shape[0]
    rows, kept, root = _weighted(rows, weights)
    penalty = _penalties(ridge, rows.shape[1])
    squares = rows.column_squares() if rows.shape[0] else np.zeros(rows.shape[1])
    units = np.ones(rows.shape[1])
    if isinstance(rows, RowBlocks) and not np.all((squares < SAFE) & (squares > 1 / SAFE)):
        rows, squares, units = _in_safe_units(rows, squares)
    data, root_penalty = rows, None
    if np.any(penalty > 0):
        root_penalty = np.sqrt(penalty) * units
        rows, squares = Ridged(rows, root_penalty), squares + root_penalty**2
    return System(rows, data, squares, isinstance(data, RowBlocks), units, root_penalty, kept, root, given)


def _weighted(rows: Rows, weights: Any) -> tuple[Rows, np.ndarray | None, np.ndarray | None]:
    """Rows times the square root of their weights, those of weight 0 left out; which were kept; the roots."""
    if weights is None:
        return rows, None, None
    values = _real_vector(weights, rows.shape[0], "weights")
    if np.any(values < 0):
        at = int(np.flatnonzero(values < 0)[0])
        raise DataError(f"weights has {values[at]:g} in row {at} (counted from 0): a weight is not negative.")
    kept = None if np.all(values > 0) else np.flatnonzero(values > 0)
    root = np.sqrt(values if kept is None else values[kept])
    if isinstance(rows, RowBlocks):
        matrix = rows.matrix if kept is None else rows.matrix[kept]
        if rows.sparse:
            from scipy.sparse import csr_array

            data = matrix.data * np.repeat(root, np.diff(matrix.indptr))
            return RowBlocks(csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)), kept, root
        return RowBlocks(matrix * root[:, None]), kept, root
    assert isinstance(rows, MatrixFree)
    # An operator has every row that it has; a row of weight 0 becomes a row of zeros, which is no row either.
    return Weighted(rows, np.sqrt(values)), None, np.sqrt(values)


def _penalties(ridge: Any, columns: int) -> np.ndarray:
    try:
        penalty = np.broadcast_to(np.asarray(ridge, dtype=np.float64), (columns,))
    except (TypeError, ValueError):
        raise DataError(f"ridge is one number or one for each of the {columns} columns, not {ridge!r}.") from None
    if not np.all(np.isfinite(penalty)) or np.any(penalty < 0):
        raise DataError("ridge has a penalty that is negative or not finite; a penalty is a finite number from 0 on.")
    return penalty


def _in_safe_units(rows: RowBlocks, squares: np.ndarray) -> tuple[RowBlocks, np.ndarray, np.ndarray]:
    """Columns divided by the power of two nearest to their largest entry, where squares are not safe."""
    largest = _largest(rows)
    if np.all(squares[largest > 0] > 1 / SAFE) and np.all(squares < SAFE):
        return rows, squares, np.ones(len(squares))
    # Half the power at a time: 2^-1060 itself is not a normal double.
    power = np.round(np.log2(np.where(largest > 0, largest, 1.0)))
    half = np.exp2(-np.floor(power / 2)), np.exp2(-(power - np.floor(power / 2)))
    if rows.sparse:
        from scipy.sparse import csr_array

        matrix = rows.matrix
        data = matrix.data * half[0][matrix.indices] * half[1][matrix.indices]
        scaled = RowBlocks(csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape))
    else:
        scaled = RowBlocks(rows.matrix * half[0] * half[1])
    with np.errstate(over="ignore"):
        units = half[0] * half[1]
    return scaled, scaled.column_squares(), units


def _largest(rows: RowBlocks) -> np.ndarray:
    """The largest size in each column."""
    if not rows.entries:
        return np.zeros(rows.shape[1])
    largest = np.abs(rows.matrix).max(axis=0)
    return np.asarray(largest.toarray() if rows.sparse else largest, dtype=np.float64).ravel()


def _real_vector(values: Any, length: int, name: str) -> np.ndarray:
    """A finite float64 vector of a length."""
    vector = np.asarray(values)
    if vector.dtype.kind not in "biuf":
        raise DataError(f"{name} holds {vector.dtype.name}, not real numbers.")
    if vector.ndim == 2 and vector.shape[1] == 1:
        vector = vector[:, 0]
    if vector.shape != (length,):
        raise DataError(f"{name} has shape {vector.shape}, but A has {length} rows: give one number for each row.")
    vector = vector.astype(np.float64, copy=False)
    if not np.all(np.isfinite(vector)):
        at = int(np.flatnonzero(~np.isfinite(vector))[0])
        raise DataError(
            f"{name} is {vector[at]} in row {at} (counted from 0): least squares needs finite numbers. "
            "Correct the value, or leave the row out."
        )
    return vector
