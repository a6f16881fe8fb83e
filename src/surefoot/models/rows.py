"""Passes over the rows of one model: frames of a source, read again for each pass or, of a small source, kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from surefoot.data.engine import Report, watched
from surefoot.data.frame import Coded, Frame, read_frame
from surefoot.data.source import Source

KEPT_BYTES = 32_000_000
"""A source whose columns fit in this is read once: later passes cost nothing."""

BATCH = 32_768
"""Rows in a batch: few columns of them stay in the second-level cache from reading to factoring."""


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
    """

    def __init__(self, source: Source, report: Report | None = None, batch: int = BATCH) -> None:
        self.source = source
        self.passes = 0
        self._report = report
        self._batch = batch
        self._kept: dict[frozenset[str], list[Frame]] = {}

    def frames(self, names: Sequence[str], task: str) -> Iterator[Frame]:
        """A pass over these columns; ``task`` is what progress says is being done."""
        self.passes += 1
        if (kept := self._kept.get(frozenset(names))) is not None:
            return iter(kept)
        frames = self._read(tuple(dict.fromkeys(names)))
        return watched(frames, lambda frame: frame.rows, task, self.source.expected_rows(), self._report)

    def _read(self, names: tuple[str, ...]) -> Iterator[Frame]:
        start, kept, size = 0, [], 0
        for batch in self.source.batches(names, rows=self._batch):
            frame = read_frame(batch, start)
            start += frame.rows
            if size <= KEPT_BYTES:
                size += _bytes(frame)
                kept.append(frame)
                if size > KEPT_BYTES:
                    kept.clear()
            yield frame
        if size <= KEPT_BYTES:
            self._kept[frozenset(names)] = kept


def _bytes(frame: Frame) -> int:
    columns = frame.columns.values()
    return sum(values.codes.nbytes if isinstance(values, Coded) else values.nbytes for values in columns)
