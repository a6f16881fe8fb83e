"""Passes over the rows of one model: frames of a source, read again for each pass or, of a small source, kept."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from surefoot.data.engine import Report, Watch
from surefoot.data.frame import Frame, read_frame
from surefoot.data.source import Source

if TYPE_CHECKING:
    import pyarrow as pa

KEPT_BYTES = 32_000_000
"""A source whose columns fit in this is read once: later passes cost nothing."""

BATCH = 32_768
"""Rows in a batch: few columns of them stay in the second-level cache from reading to factoring."""

MANY_ROWS = 1_000_000
"""Up to here batches are made equal in size; beyond, that copy would cost more than it is worth."""

BLOCK = 1 << 22
"""Numbers in a block at most (32 MB): a model of many columns takes fewer rows at a time."""


class Reader:
    """Starts passes over a source.

    Parameters
    ----------
    source : Source
        Where the rows are.
    report : callable, optional
        Called with a ``Progress`` after each batch.
    batch : int
        Rows in a batch. The answer does not depend on it but for rounding.
    columns : int
        Columns that a block made of a frame will have, where that is known.
    """

    def __init__(self, source: Source, report: Report | None = None, batch: int = BATCH, columns: int = 1) -> None:
        self.source = source
        self.passes = 0
        self.columns = columns
        self._watch = Watch(source.expected_rows(), report)
        self._batch = batch
        self._kept: dict[frozenset[str], list[Frame]] = {}
        self._open: list[Generator[pa.RecordBatch, None, None]] = []

    @property
    def most(self) -> int:
        """Rows of a frame at most: a shorter one is the last."""
        return min(self._batch, max(1, BLOCK // max(1, self.columns)))

    def frames(self, names: Sequence[str], task: str) -> Iterator[Frame]:
        """A pass over these columns; ``task`` is what progress says is being done."""
        self.passes += 1
        kept = self._kept.get(frozenset(names))
        read = self._read(tuple(dict.fromkeys(names)), task) if kept is None else kept
        for frame in read:
            for start in range(0, frame.rows, self.most):
                yield frame.part(start, start + self.most) if frame.rows > self.most else frame

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Turn Ctrl-C into a sentence that says how far the pass had come; end the pass, whatever it was."""
        try:
            with self._watch.interruptible():
                yield
        finally:
            # An exception keeps the frames that it came through, and with them a scan that nobody will finish.
            for batches in self._open:
                batches.close()
            self._open.clear()

    def _read(self, names: tuple[str, ...], task: str) -> Iterator[Frame]:
        start, kept, size = 0, [], 0
        batches = self.source.batches(names, rows=self._batch)
        self._open.append(batches)
        if (self.source.expected_rows() or 0) < MANY_ROWS:
            batches = regular(batches, self._batch)
        for batch in self._watch.over(batches, lambda batch: batch.num_rows, task):
            frame = read_frame(batch, start)
            start += frame.rows
            if size <= KEPT_BYTES:
                size += frame.nbytes
                kept.append(frame)
                if size > KEPT_BYTES:
                    kept.clear()
            yield frame
        if size <= KEPT_BYTES:
            self._kept[frozenset(names)] = kept


def regular(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Batches of equal size, the last but one: rounding must not depend on how a table was cut into files."""
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        while batch.num_rows:
            if not held and batch.num_rows == rows:
                yield batch
                break
            taken = min(rows - count, batch.num_rows)
            held.append(batch.slice(0, taken))
            batch, count = batch.slice(taken), count + taken
            if count == rows:
                yield _joined(held)
                held, count = [], 0
    if held:
        yield _joined(held)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    import pyarrow as pa

    if len(batches) == 1:
        return batches[0]
    (joined,) = pa.Table.from_batches(batches).combine_chunks().to_batches()
    return joined
