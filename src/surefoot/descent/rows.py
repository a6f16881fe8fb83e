"""Rows for a bowl: arrays, sparse matrices and operators as blocks that can be read again, checked once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.errors import DataError

Block = tuple[Any, np.ndarray, np.ndarray | None]
"""Rows: a matrix (m, n) that multiplies vectors from both sides, the response (m,), weights (m,) or None."""

CACHED = 1 << 19
"""Numbers of a dense block taken at a time: four megabytes are read from memory once and used twice."""

Blocks = Callable[[], Iterable[Block]]


@dataclass(frozen=True)
class Sizes:
    """Lengths of the weighted columns and of the weighted response, from one pass or from whoever knows them."""

    columns: np.ndarray
    response: float


class Operator:
    """Anything with ``matvec`` and ``rmatvec``, as a matrix that multiplies vectors from both sides."""

    def __init__(self, shape: tuple[int, int], forward: Callable, backward: Callable) -> None:
        self.shape = shape
        self._forward, self._backward = forward, backward

    @property
    def T(self) -> Operator:
        return Operator((self.shape[1], self.shape[0]), self._backward, self._forward)

    def __matmul__(self, vector: np.ndarray) -> np.ndarray:
        return np.asarray(self._forward(vector), float).reshape(-1)

    def __mul__(self, factor: float) -> Operator:
        return Operator(self.shape, lambda v: factor * (self @ v), lambda v: factor * (self.T @ v))


def blocks_of(A: Any, b: Any, weights: Any) -> tuple[Blocks, int, bool]:
    """A way to start a pass over A, b and weights; the number of columns; whether A hides its entries."""
    matrix, is_operator = _matrix(A)
    rows, columns = matrix.shape
    response = _vector(b, rows, "b", "A")
    share = None if weights is None else _vector(weights, rows, "weights", "A")
    if share is not None and np.any(share < 0):
        row = int(np.flatnonzero(share < 0)[0])
        raise DataError(f"The weight of row {row + 1} is {share[row]:g}: a weight is not negative.")
    return (lambda: [(matrix, response, share)]), columns, is_operator


def sizes_of(blocks: Iterable[Block], columns: int) -> Sizes:
    """Lengths of the weighted columns and response, from 1e-300 to 1e300.

    Raises
    ------
    DataError
        An entry is not a finite number.
    """
    found, response, row = np.zeros(columns), 0.0, 0
    for X, y, weights in blocks:
        root = None if weights is None else np.sqrt(weights)
        dense = isinstance(X, np.ndarray)
        step = max(1, CACHED // max(1, columns)) if dense else max(1, len(y))
        for at in range(0, len(y), step):
            part, share = (X[at : at + step] if dense else X), None if root is None else root[at : at + step]
            here = _column_lengths(part, share)
            there = y[at : at + step] if share is None else y[at : at + step] * share
            size = float(_column_lengths(there[:, None], None)[0])
            if not (np.all(np.isfinite(here)) and np.isfinite(size)):
                _refuse_not_finite(part, y[at : at + step], row + at)
            found, response = np.hypot(found, here), float(np.hypot(response, size))
        row += len(y)
    return Sizes(found, response)


def sizes_of_operator(blocks: Blocks, columns: int) -> Sizes:
    """The response's length; that of the columns is unknown, which NaN says."""
    ((_, y, weights),) = blocks()
    weighted = y if weights is None else y * np.sqrt(weights)
    return Sizes(np.full(columns, np.nan), float(_column_lengths(weighted[:, None], None)[0]))


def _column_lengths(X: Any, root: np.ndarray | None) -> np.ndarray:
    """Squares summed as they are where they fit, relative to the largest entry where they do not."""
    if not isinstance(X, np.ndarray):
        return _sparse_lengths(X, root)
    weighted = X if root is None else X * root[:, None]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        squares = np.einsum("ij,ij->j", weighted, weighted)
        fits = (squares > 1e-200) & (squares < 1e200)
        if np.all(fits):
            return np.sqrt(squares)
        largest = np.max(np.abs(weighted), axis=0, initial=0.0)
        divisor = np.where(largest > 0, largest, 1.0)
        return largest * np.sqrt(np.sum((weighted / divisor) ** 2, axis=0))


def _sparse_lengths(X: Any, root: np.ndarray | None) -> np.ndarray:
    columns = X.tocsc()
    values = np.array(columns.data, float)
    if root is not None:
        values *= root[columns.indices]
    home = np.repeat(np.arange(columns.shape[1]), np.diff(columns.indptr))
    largest = np.zeros(columns.shape[1])
    with np.errstate(invalid="ignore"):
        np.maximum.at(largest, home, np.abs(values))
    divisor = np.where(largest > 0, largest, 1.0)
    with np.errstate(under="ignore", invalid="ignore"):
        squares = np.bincount(home, (values / divisor[home]) ** 2, minlength=len(largest))
        return largest * np.sqrt(squares)


def _matrix(A: Any) -> tuple[Any, bool]:
    """A as something that multiplies doubles, and whether its entries are hidden."""
    if hasattr(A, "matvec") and hasattr(A, "rmatvec"):
        return Operator((int(A.shape[0]), int(A.shape[1])), A.matvec, A.rmatvec), True
    if hasattr(A, "tocsr"):
        matrix = A.tocsr()
        if matrix.dtype.kind not in "biuf":
            raise DataError(f"A holds {matrix.dtype.name}, not real numbers.")
        return matrix.astype(float), False
    matrix = _numbers(A, "A")
    if matrix.ndim != 2:
        raise DataError(f"A has two dimensions, rows and columns; this one has {matrix.ndim}.")
    return matrix, False


def _vector(values: Any, rows: int, name: str, of: str) -> np.ndarray:
    vector = _numbers(values, name)
    if vector.shape != (rows,):
        raise DataError(f"{name} has shape {vector.shape}, but {of} has {rows} rows: it must be ({rows},).")
    if not np.all(np.isfinite(vector)):
        row = int(np.flatnonzero(~np.isfinite(vector))[0])
        raise DataError(
            f"{name}, row {row + 1}: {vector[row]} is not a finite number. Correct it, or leave the row out."
        )
    return vector


def _numbers(values: Any, name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} holds {array.dtype.name}, not real numbers.")
    return array.astype(np.float64, copy=False)


def _refuse_not_finite(X: Any, y: np.ndarray, before: int) -> None:
    for k in range(len(y)):
        row = X[k] if isinstance(X, np.ndarray) else X.tocsr()[[k]].toarray()[0]
        bad = np.flatnonzero(~np.isfinite(row))
        if len(bad) or not np.isfinite(y[k]):
            where = f"column {int(bad[0]) + 1}, row {before + k + 1}" if len(bad) else f"response, row {before + k + 1}"
            value = row[bad[0]] if len(bad) else y[k]
            raise DataError(f"{where}: {value} is not a finite number. Correct it, or leave the row out.")
    raise DataError("A column is so long that its length overflows (beyond about 1e300). Choose larger units for it.")
