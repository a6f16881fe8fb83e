"""Checkpoints: what a walk knows is written every few seconds, whole, so that a killed process loses little.

A checkpoint is a saved result like any other, of a walk that was stopped at its lowest point; ``resume=`` goes on from
there. What a direction remembers (the curvature that BFGS has learnt) is not kept: it learns again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from surefoot.descent.stop import Reason, Stop
from surefoot.descent.trace import Row, Trace
from surefoot.problem.objective import Objective
from surefoot.proof.certificate import Certificate, Rigour, Verdict

if TYPE_CHECKING:
    from surefoot.results.minimizing import Wishes
    from surefoot.results.result import Result

EVERY = 5.0
"""Seconds between checkpoints; also at most a twentieth of the time goes into writing them."""

UNJUDGED = "The walk was under way; nobody has judged the point."


@contextmanager
def checkpointed(
    path: str | Path | None, objective: Objective, start: np.ndarray, wishes: Wishes, title: str
) -> Iterator[Wishes]:
    """The wishes, with a watcher that writes checkpoints for as long as the block runs."""
    if path is None:
        yield wishes
        return
    writer = _Writer(Path(path), objective, start, title, wishes)
    writer.write_first()
    yield replace(wishes, watch=writer.see)


class _Writer:
    """Keeps the rows of a walk, and writes them."""

    def __init__(self, path: Path, objective: Objective, start: np.ndarray, title: str, wishes: Wishes) -> None:
        self.path, self.objective, self.start, self.title, self.wishes = path, objective, start, title, wishes
        self.rows: list[Row] = []
        self.lowest: tuple[float, np.ndarray] | None = None
        self.began = self.written = time.monotonic()
        self.cost = 0.0

    def write_first(self) -> None:
        """Find out before the walk, not after an hour of it, that the place cannot be written."""
        from surefoot.files import whole_file

        if not self.path.exists():
            with whole_file(self.path, "checkpoint") as neighbour:
                neighbour.write_text("{}", encoding="utf-8")

    def see(self, row: Row) -> None:
        self.rows.append(row)
        if np.isfinite(row.value) and (self.lowest is None or row.value < self.lowest[0]):
            self.lowest = (row.value, row.there.copy())
        now = time.monotonic()
        if now - self.written > max(EVERY, 20 * self.cost) and self.lowest is not None:
            self.result().save(self.path)
            self.written = time.monotonic()
            self.cost = self.written - now
        if self.wishes.watch is not None:
            self.wishes.watch(row)

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
            certificate=Certificate(Verdict.INCONCLUSIVE, Rigour.NUMERICAL, UNJUDGED),
            trace=Trace(tuple(self.rows)), counts=self.objective.counts, multipliers={}, advice=(),
            method=str(self.wishes.method), story=(),
            names=self.objective.names, flat=x, slope=slope, start=self.start,
            seconds=time.monotonic() - self.began, proof_seconds=0.0, source=self.objective.source, title=self.title,
        )  # fmt: skip
