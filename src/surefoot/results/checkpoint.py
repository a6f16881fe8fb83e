"""Checkpoints: what a walk knows is written every few seconds, whole, so that a killed process loses little.

A checkpoint is a saved result like any other, of a walk that was stopped at its lowest point; ``resume=`` goes on from
there, with what the method has learnt on the way (``Memory``): the same method takes the steps that it would have
taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.descent.stop import Reason, Stop
from surefoot.descent.trace import Row, Trace
from surefoot.errors import DataError
from surefoot.problem.objective import Objective
from surefoot.proof.certificate import Certificate, Rigour, Verdict

if TYPE_CHECKING:
    from surefoot.results.minimizing import Wishes
    from surefoot.results.result import Result

EVERY = 5.0
"""Seconds between checkpoints; also at most a twentieth of the time goes into writing them."""

UNJUDGED = "The walk was under way; nobody has judged the point."


@dataclass(frozen=True)
class Log:
    """A walk that is written down for as long as it runs.

    Attributes
    ----------
    wishes : Wishes
        Those of the caller, with a watcher that writes.
    writer : _Writer or None
        None where nothing was asked for.
    """

    wishes: Wishes
    writer: _Writer | None = None

    def noted(self, result: Result) -> Result:
        """The result, and whether a checkpoint could not be written on the way."""
        if self.writer is None or not self.writer.trouble:
            return result
        return replace(result, advice=(*result.advice, self.writer.trouble))


def checkpointed(path: str | Path | None, objective: Objective, start: np.ndarray, wishes: Wishes, title: str) -> Log:
    """The wishes, with a watcher that writes checkpoints.

    Raises
    ------
    DataError
        The place cannot be written.
    """
    if path is None:
        return Log(wishes)
    writer = _Writer(Path(path), objective, start, title, wishes)
    writer.write_first()
    return Log(replace(wishes, watch=writer.see), writer)


class _Writer:
    """Keeps the rows of a walk, and writes them."""

    def __init__(self, path: Path, objective: Objective, start: np.ndarray, title: str, wishes: Wishes) -> None:
        self.path, self.objective, self.start, self.title, self.wishes = path, objective, start, title, wishes
        self.rows: list[Row] = []
        self.lowest: tuple[float, np.ndarray] | None = None
        self.began = self.written = time.monotonic()
        self.cost = 0.0
        self.memory: Callable[[], Any] | None = None
        self.trouble = ""

    def write_first(self) -> None:
        """Find out before the walk, not after an hour of it, that the place cannot be written."""
        from surefoot.files import whole_file

        if self.path.is_dir():
            raise DataError(f"The checkpoint could not be written to {self.path}: it is a folder; name a file in it.")
        if not self.path.exists():
            with whole_file(self.path, "checkpoint") as neighbour:
                neighbour.write_text("{}", encoding="utf-8")

    def see(self, row: Row) -> None:
        self.rows.append(replace(row, memory=None))
        self.memory = row.memory
        if np.isfinite(row.value) and (self.lowest is None or row.value < self.lowest[0]):
            self.lowest = (row.value, row.there.copy())
        now = time.monotonic()
        if now - self.written > max(EVERY, 20 * self.cost) and self.lowest is not None:
            self._write()
            self.written = time.monotonic()
            self.cost = self.written - now
        if self.wishes.watch is not None:
            self.wishes.watch(row)

    def _write(self) -> None:
        """A disk that fills up in the meantime does not cost the walk."""
        try:
            self.result().save(self.path)
            self.trouble = ""
        except DataError as error:
            self.trouble = f"The last checkpoint was not written, the walk went on. {error}"

    def result(self) -> Result:
        """What is known so far, as a result that claims nothing."""
        from surefoot.results.result import Result

        assert self.lowest is not None
        value, x = self.lowest
        slope = np.full(x.shape, np.nan)
        last = self.rows[-1]
        return Result(
            x=self.objective.shaped(x), value=value, gradient=self.objective.shaped(slope),
            stop=Stop(Reason.UNDER_WAY, last.steepness, float("nan"), f"{last.step:,} steps"),
            judged=Certificate(Verdict.INCONCLUSIVE, Rigour.NUMERICAL, UNJUDGED),
            trace=Trace(tuple(self.rows)), counts=self.objective.counts, multipliers={}, advice=(),
            method=str(self.wishes.method), story=(),
            names=self.objective.names, flat=x, slope=slope, start=self.start,
            seconds=time.monotonic() - self.began, proof_seconds=0.0, source=self.objective.source, title=self.title,
            memory=None if self.memory is None or self.wishes.method == "auto" else self.memory(),
        )  # fmt: skip
