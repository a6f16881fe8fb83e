"""What a person gives to ``sf.lstsq``: a matrix in any of its forms, right-hand sides, weights, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.errors import DataError
from surefoot.leastsquares.constrained import Constraints
from surefoot.leastsquares.dense import require_finite

SPREAD = 1e6
"""Ratio of weights from which rows are put in the order of their weights, which keeps QR stable row by row."""


@dataclass(frozen=True)
class Task:
    """A least squares problem as it was given.

    Attributes
    ----------
    matrix : ndarray (m, n), sparse matrix or operator
        Arrays are float64, or float32 as given.
    right : ndarray, shape (m, k)
    names : tuple of str
        Of the columns.
    is_vector : bool
        Whether one right-hand side was given, without a dimension of its own.
    weights : ndarray (m,), or None
    ridge : float
    rounded : str
        What was given with more digits than a double has and is rounded to the nearest: nothing can be proven of it.
    """

    matrix: Any
    right: np.ndarray
    names: tuple[str, ...]
    is_vector: bool
    weights: np.ndarray | None
    ridge: float
    rounded: str = ""

    @property
    def is_dense(self) -> bool:
        return isinstance(self.matrix, np.ndarray)

    @property
    def rows(self) -> int:
        """Rows of positive weight."""
        return len(self.right) if self.weights is None else int(np.count_nonzero(self.weights))

    @property
    def is_wide(self) -> bool:
        """Whether there are fewer rows than columns."""
        return self.rows < len(self.names)

    def weighted(self) -> tuple[np.ndarray, np.ndarray]:
        """Dense rows times the roots of their weights, with those of the penalty below; nothing is copied in vain."""
        matrix, right = self.matrix, self.right
        if self.weights is not None:
            kept = np.flatnonzero(self.weights)
            if len(kept) and self.weights[kept].max() > SPREAD * self.weights[kept].min():
                kept = kept[np.argsort(-self.weights[kept], kind="stable")]
            root = np.sqrt(self.weights[kept])[:, None]
            matrix, right = np.asarray(matrix[kept], dtype=np.float64) * root, right[kept] * root
        if self.ridge:
            size = matrix.shape[1]
            matrix = np.vstack([matrix, np.sqrt(self.ridge) * np.eye(size)])
            right = np.vstack([right, np.zeros((size, right.shape[1]))])
        return matrix, right


def read_task(A: Any, b: Any, weights: Any, ridge: float, names: Sequence[str] | None) -> Task:
    """Check and convert; nothing is copied that is an array of doubles already."""
    matrix, found, rounded = _matrix(A)
    rows, columns = matrix.shape
    right, b_rounded = _numbers(b, "b")
    if right.ndim not in (1, 2) or len(right) != rows:
        raise DataError(f"b has shape {right.shape} for {rows} rows of A: give ({rows},), or ({rows}, k) for k sides.")
    right = np.asarray(right, dtype=np.float64)
    given = tuple(str(name) for name in names) if names is not None else found or tuple(f"x{j}" for j in range(columns))
    if len(given) != columns or len(set(given)) != columns:
        raise DataError(f"There are {columns} columns and {len(set(given))} different names: give one name a column.")
    if not np.isfinite(ridge) or ridge < 0:
        raise DataError(f"The ridge penalty is {ridge:g}: give a number that is not negative.")
    sides = right[:, None] if right.ndim == 1 else right
    read_weights, w_rounded = (None, False) if weights is None else _weights(weights, rows)
    parts = zip(("A", "b", "the weights", "ridge"), (rounded, b_rounded, w_rounded, float(ridge) != ridge), strict=True)
    words = ", ".join(part for part, one in parts if one)
    return Task(matrix, sides, given, right.ndim == 1, read_weights, float(ridge), words)


def read_constraints(bounds: Any, equalities: Any, columns: int) -> Constraints | None:
    """Bounds ``(lower, upper)`` and equalities ``(C, d)``; None where there are neither."""
    if bounds is None and equalities is None:
        return None
    lower, upper = np.full(columns, -np.inf), np.full(columns, np.inf)
    if bounds is not None:
        try:
            low, high = bounds
            lower, upper = (np.array(np.broadcast_to(np.asarray(v, float), (columns,))) for v in (low, high))
        except (TypeError, ValueError):
            raise DataError(
                f"bounds is a pair (lower, upper), each a number or one for each of the {columns} columns; "
                "infinite where there is none."
            ) from None
        bad = np.flatnonzero(~(lower <= upper) | (lower == np.inf) | (upper == -np.inf))
        if len(bad):
            j = int(bad[0])
            raise DataError(f"The bounds of column {j} (counted from 0) allow nothing: {lower[j]:g} to {upper[j]:g}.")
    matrix, right = (np.zeros((0, columns)), np.zeros(0)) if equalities is None else _equalities(equalities, columns)
    return Constraints(lower, upper, matrix, right)


def _equalities(equalities: Any, columns: int) -> tuple[Any, np.ndarray]:
    """``C``, dense or CSR as it was given, and ``d``."""
    from scipy.sparse import csr_array, issparse

    try:
        given, right = equalities
        matrix: Any = csr_array(given, dtype=float) if issparse(given) else np.atleast_2d(np.asarray(given, float))
        right = np.atleast_1d(np.asarray(right, dtype=float))
    except (TypeError, ValueError):
        raise DataError("equalities is a pair (C, d) for C x = d, of arrays of numbers.") from None
    if matrix.shape[1:] != (columns,) or right.shape != (matrix.shape[0],):
        raise DataError(
            f"equalities C x = d: C has shape {matrix.shape} and d {right.shape}; give (p, {columns}) and (p,)."
        )
    require_finite(matrix if isinstance(matrix, np.ndarray) else matrix.data, "C")
    require_finite(right, "d")
    return matrix, right


def _matrix(A: Any) -> tuple[Any, tuple[str, ...] | None, bool]:
    """The matrix, the names that a table has for its columns, and whether numbers were rounded."""
    if type(A).__module__.partition(".")[0] in ("pandas", "polars", "pyarrow") and hasattr(A, "columns"):
        from surefoot.data.source import open_source

        source = open_source(A)
        names = tuple(source.columns)
        other = [name for name in names if source.column(name).kind not in ("number", "boolean")]
        if other:
            raise DataError(f"Column {other[0]} of A is no number; sf.fit() takes categories, sf.lstsq() numbers only.")
        batches = [np.column_stack([c.to_numpy(zero_copy_only=False) for c in one]) for one in source.batches(names)]
        matrix = np.vstack(batches) if batches else np.zeros((0, len(names)))
        wide = [source.column(name).type.partition("(")[0] in _WIDE for name in names]
        decimal = any(source.column(name).type.startswith("DECIMAL") for name in names)
        return matrix, names, decimal or bool(np.any(np.abs(matrix[:, wide]) >= 2.0**53))
    if not isinstance(A, np.ndarray) and hasattr(A, "shape") and not hasattr(A, "__array__"):
        return A, None, False  # sparse or an operator: checked where its products are taken
    matrix, rounded = _numbers(A, "A")
    if matrix.ndim != 2:
        raise DataError(f"A has {matrix.ndim} dimensions: give rows and columns, for one column A[:, None].")
    if matrix.dtype == np.float32:
        return matrix, None, rounded
    # Whole numbers and half precision are converted once, on purpose; a double stays where it is.
    return np.asarray(matrix, dtype=np.float64), None, rounded


_WIDE = frozenset({"BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT", "BIGNUM"})
"""SQL types of whole numbers that may be too long for a double."""


def _numbers(values: Any, name: str) -> tuple[np.ndarray, bool]:
    """The array, and whether making doubles of it rounds, or has rounded, its numbers."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        row = np.argwhere(np.ma.getmaskarray(values))[0].tolist()
        raise DataError(f"{name} has a masked value at {row} (counted from 0): leave such rows out.")
    try:
        array = given = np.asarray(values)
        if array.dtype == object:
            array = array.astype(float)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{name} does not hold numbers in rows of equal length.") from None
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} holds {array.dtype}, not real numbers.")
    if array.dtype.kind in "iu" and array.size and max(-int(array.min()), int(array.max())) > 2**53:
        raise DataError(f"{name} has whole numbers beyond 2^53, which a double cannot hold: use smaller units.")
    if given.dtype == object or given.dtype.itemsize > 8:
        same = (given == array.astype(float)) | (array != array)
        return array, not bool(np.all(same))
    return array, False


def _weights(weights: Any, rows: int) -> tuple[np.ndarray, bool]:
    array, rounded = _numbers(weights, "weights")
    array = np.asarray(array, dtype=np.float64)
    if array.shape != (rows,):
        raise DataError(f"The weights have shape {array.shape}: give one for each of the {rows} rows.")
    require_finite(array, "weights")
    if np.any(array < 0):
        row = int(np.argmax(array < 0))
        raise DataError(f"The weight of row {row} (counted from 0) is {array[row]:g}: weights are not negative.")
    return array, rounded
