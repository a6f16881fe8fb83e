"""A batch of rows as NumPy arrays by column name: numbers as float64, categories as integer codes with their labels.

A missing value is NaN in a number column and -1 in a coded one. Arrow's own conversion to NumPy would import pandas,
so the buffers are read directly, which copies nothing where no value is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Coded:
    """A column of labels: ``labels[codes[i]]`` is the value of row ``i``, code -1 a missing one."""

    codes: np.ndarray
    labels: tuple[str, ...]

    def take(self, rows: np.ndarray) -> Coded:
        return Coded(self.codes[rows], self.labels)


Values = np.ndarray | Coded


@dataclass(frozen=True)
class Frame:
    """Some rows of a source.

    Attributes
    ----------
    columns : mapping of str to ndarray or Coded
        The values by column.
    rows : int
        How many rows.
    start : int
        Zero-based position in the scan of the first row of the batch that the frame was taken from.
    positions : ndarray, optional
        Positions in that batch of the rows here, where some were left out.
    """

    columns: Mapping[str, Values]
    rows: int
    start: int = 0
    positions: np.ndarray | None = None

    def numbers(self, name: str) -> np.ndarray:
        values = self.columns[name]
        assert isinstance(values, np.ndarray), f"column {name} is coded"
        return values

    @property
    def numeric(self) -> dict[str, np.ndarray]:
        """The columns that hold numbers: what an expression may name."""
        return {name: values for name, values in self.columns.items() if isinstance(values, np.ndarray)}

    def take(self, rows: np.ndarray) -> Frame:
        """Only these rows, given as a mask or as positions."""
        taken = {
            name: values.take(rows) if isinstance(values, Coded) else values[rows]
            for name, values in self.columns.items()
        }
        before = np.arange(self.rows) if self.positions is None else self.positions
        return Frame(taken, len(before[rows]), self.start, before[rows])

    def part(self, start: int, stop: int) -> Frame:
        """The rows from ``start`` to before ``stop``, shared, not copied."""
        assert self.positions is None, "a part is taken of a frame as it was read"
        cut = slice(start, min(stop, self.rows))
        columns: dict[str, Values] = {
            name: Coded(values.codes[cut], values.labels) if isinstance(values, Coded) else values[cut]
            for name, values in self.columns.items()
        }
        return Frame(columns, cut.stop - start, self.start + start)

    @property
    def nbytes(self) -> int:
        """Memory of the values."""
        return sum(v.codes.nbytes if isinstance(v, Coded) else v.nbytes for v in self.columns.values())

    def row_numbers(self) -> np.ndarray:
        """One-based position of each row in the scan."""
        positions = np.arange(self.rows) if self.positions is None else self.positions
        return self.start + positions + 1

    def missing(self) -> np.ndarray:
        """A mask of the rows in which some column has no value."""
        absent = np.zeros(self.rows, dtype=bool)
        for values in self.columns.values():
            absent |= values.codes < 0 if isinstance(values, Coded) else np.isnan(values)
        return absent


def read_frame(batch: pa.RecordBatch, start: int = 0) -> Frame:
    """The columns of an Arrow batch whose numbers are float64 and whose other columns are text."""
    columns = {name: _values(column) for name, column in zip(batch.schema.names, batch.columns, strict=True)}
    return Frame(columns, batch.num_rows, start)


def _values(column: pa.Array) -> Values:
    import pyarrow as pa

    if pa.types.is_floating(column.type):
        return _numbers(column)
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    codes = _fixed_width(encoded.indices, np.dtype(encoded.type.index_type.to_pandas_dtype()))
    if encoded.null_count:
        codes = np.where(_valid(encoded.indices), codes, -1)
    return Coded(codes, tuple(str(label) for label in encoded.dictionary.to_pylist()))


def _numbers(column: pa.Array) -> np.ndarray:
    values = _fixed_width(column, np.dtype(np.float64))
    return values if column.null_count == 0 else np.where(_valid(column), values, np.nan)


def _fixed_width(column: pa.Array, dtype: np.dtype) -> np.ndarray:
    """The data buffer of an Arrow array, shared, not copied."""
    buffer = column.buffers()[1]
    if buffer is None:
        return np.zeros(len(column), dtype)
    return np.frombuffer(buffer, dtype, count=len(column), offset=column.offset * dtype.itemsize)


def _valid(column: pa.Array) -> np.ndarray:
    """The validity bitmap as a mask."""
    bitmap = column.buffers()[0]
    if bitmap is None:
        return np.ones(len(column), dtype=bool)
    bits = np.unpackbits(np.frombuffer(bitmap, np.uint8), bitorder="little")
    return bits[column.offset : column.offset + len(column)].astype(bool)
