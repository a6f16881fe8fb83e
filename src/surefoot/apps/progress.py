"""A progress line in a terminal, for anything over a second; silent when piped."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from surefoot import Progress
    from surefoot.verbs.minima import Row
    from surefoot.verbs.surveys import Progress as Survey

PATIENCE = 1.0
"""Seconds before anything is shown."""


class _Line:
    """A bar that appears once a task has taken longer than a second."""

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._tasks: dict[str, Any] = {}

    def __call__(self, seen: Progress) -> None:
        if max(seen.seconds, seen.estimate or 0.0) < PATIENCE:
            return
        if self._bar is None:
            self._bar = _bar()
            self._bar.start()
        if seen.task not in self._tasks:
            for task in self._tasks.values():
                self._bar.update(task, visible=False)
            self._tasks[seen.task] = self._bar.add_task(seen.task, total=seen.expected, speed="", left="")
        left = seen.seconds_left
        self._bar.update(
            self._tasks[seen.task],
            completed=seen.rows,
            total=seen.expected,
            speed=f"{seen.rows_a_second:,.0f} rows/s",
            left="" if left is None else f"{left:.0f} s left",
        )

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()


@contextmanager
def shown() -> Iterator[Callable[[Progress], None] | None]:
    """A progress callback for as long as the block runs, or None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    line = _Line()
    try:
        yield line
    finally:
        line.stop()


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        "{task.description}",
        BarColumn(),
        "{task.completed:,.0f} rows",
        "{task.fields[speed]}",
        "{task.fields[left]}",
    )
    made = [TextColumn(column) if isinstance(column, str) else column for column in columns]
    return Bar(*made, console=Console(stderr=True), transient=True)


@contextmanager
def walking() -> Iterator[Callable[[Row], None] | None]:
    """A line for a walk that takes more than a second, or None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.status import Status

    line = Status("", console=Console(stderr=True))
    shown_at = [0.0]

    def tell(row: Row) -> None:
        if row.seconds < PATIENCE or row.seconds - shown_at[0] < 0.1:
            return
        if not shown_at[0]:
            line.start()
        shown_at[0] = row.seconds
        line.update(f"step {row.step:,}   f {row.value:.8g}   |gradient| {row.steepness:.1e}   {row.seconds:.0f} s")

    try:
        yield tell
    finally:
        line.stop()


@contextmanager
def surveying() -> Iterator[Callable[[Survey], None] | None]:
    """A line for a survey that takes more than a second, or None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.status import Status

    line = Status("", console=Console(stderr=True))
    shown_at = [0.0]

    def tell(seen: Survey) -> None:
        if seen.seconds < PATIENCE or seen.seconds - shown_at[0] < 0.1:
            return
        if not shown_at[0]:
            line.start()
        shown_at[0] = seen.seconds
        line.update(
            f"{seen.examined:,} boxes   {seen.waiting:,} waiting   {100 * seen.left:.3g}% of the volume left   "
            f"{seen.found:,} points   {seen.seconds:.0f} s"
        )

    try:
        yield tell
    finally:
        line.stop()
