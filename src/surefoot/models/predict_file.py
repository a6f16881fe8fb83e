"""Predictions for a file of any size: rows stream through, their columns go out with the predictions beside them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from surefoot.data.engine import Report, Watch
from surefoot.data.frame import read_frame
from surefoot.data.source import Source
from surefoot.errors import DataError
from surefoot.files import whole_file
from surefoot.models.fit import FormulaFit
from surefoot.models.predict import Prediction, predict_frame

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Predicted:
    """What came of a streamed prediction.

    Attributes
    ----------
    rows : int
        Rows written.
    remarks : tuple of str
        Sentences on rows that could not be predicted.
    """

    rows: int
    remarks: tuple[str, ...]


class _Writer(Protocol):
    def write_batch(self, batch: pa.RecordBatch) -> None: ...


def predict_to_file(
    fit: FormulaFit, source: Source, output: Path | None, interval: str | None, level: float, report: Report | None
) -> Predicted:
    """Predict every row of a source into Parquet or CSV (by the ending), or as CSV to standard output."""
    counted = _Count()
    watch = Watch(source.expected_rows(), report)
    batches = counted.counting(_batches(fit, source, interval, level, watch))
    with watch.interruptible(), _writer(output) as open_writer:
        writer = None
        for batch in batches:
            writer = writer or open_writer(batch.schema)
            writer.write_batch(batch)
        if writer is None:
            raise DataError(f"{source.name} has no rows (after the filter, if there is one), so nothing was predicted.")
    return Predicted(counted.rows, tuple(counted.prediction.remarks()))


class _Count:
    """Rows and mishaps so far; the values themselves are not kept."""

    def __init__(self) -> None:
        self.rows = 0
        self.prediction = Prediction.join([])

    def counting(self, parts: Iterator[tuple[pa.RecordBatch, Prediction]]) -> Iterator[pa.RecordBatch]:
        for batch, made in parts:
            self.rows += batch.num_rows
            before = self.prediction
            self.prediction = replace(
                before,
                missing=before.missing + made.missing,
                unknown=dict(Counter(before.unknown) + Counter(made.unknown)),
                not_estimable=before.not_estimable + made.not_estimable,
                undefined=before.undefined + made.undefined,
            )
            yield batch


def _batches(
    fit: FormulaFit, source: Source, interval: str | None, level: float, watch: Watch
) -> Iterator[tuple[pa.RecordBatch, Prediction]]:
    variables, start = fit.design.predictor_variables, 0
    names = _free_names(source)
    pairs = source.batches_beside(variables)
    for whole, wanted in watch.over(pairs, lambda pair: pair[0].num_rows, "predicting"):
        frame = replace(read_frame(wanted, start), rows=whole.num_rows)
        start += whole.num_rows
        made = predict_frame(fit, frame, interval, level)
        yield _beside(whole, made, names), made


def _beside(whole: pa.RecordBatch, made: Prediction, names: dict[str, str]) -> pa.RecordBatch:
    """The batch with prediction, stderr and, where asked for, lower and upper; no prediction is a null."""
    import numpy as np
    import pyarrow as pa

    columns = {"prediction": made.value, "stderr": made.stderr, "lower": made.lower, "upper": made.upper}
    for name, values in columns.items():
        if values is not None:
            whole = whole.append_column(names[name], pa.array(values, mask=np.isnan(values)))
    return whole


def _free_names(source: Source) -> dict[str, str]:
    """Names for the new columns that no column of the data has."""
    found = {}
    for name in ("prediction", "stderr", "lower", "upper"):
        free = name
        while free in source.columns:
            free += "_"
        found[name] = free
    return found


@contextmanager
def _writer(output: Path | None) -> Iterator[Any]:
    """A function that opens a writer for a schema. A file gets its name only when it is complete."""
    if output is None:
        from pyarrow import csv

        yield lambda schema: csv.CSVWriter(sys.stdout.buffer, schema)
        sys.stdout.flush()
        return
    opener = _opener(output)
    opened: list[Any] = []
    with whole_file(output, "predictions") as target:

        def open_writer(schema: pa.Schema) -> _Writer:
            opened.append(opener(str(target), schema))
            return opened[0]

        yield open_writer
        for writer in opened:
            writer.close()


def _opener(output: Path) -> Any:
    ending = output.suffix.lower()
    if ending in (".parquet", ".pq"):
        from pyarrow import parquet

        return parquet.ParquetWriter
    if ending == ".csv":
        from pyarrow import csv

        return csv.CSVWriter
    raise DataError(f"The predictions can be written to .parquet or .csv; {output.name!r} is neither.")
