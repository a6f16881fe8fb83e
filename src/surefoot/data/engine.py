"""Passes over the rows: map each batch on threads, merge the results in a tree, say how far it is, stop cleanly.

The tree is that of a binary counter over the batches in their order, so the answer does not depend on which thread was
faster, and rounding grows with the logarithm of the number of batches.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from surefoot.errors import Interrupted
from surefoot.parallel import one_blas_thread

In = TypeVar("In")
Out = TypeVar("Out")

WORKERS = 2
"""Threads beside the reader: the reader feeds few, and each holds a batch in memory."""


@dataclass(frozen=True)
class Progress:
    """How far a pass over the rows has come: what a progress callback is given.

    ``estimate`` is how many seconds the pass will take, where that was said before it began.
    """

    task: str
    rows: int
    expected: int | None
    seconds: float
    estimate: float | None = None

    @property
    def rows_a_second(self) -> float:
        return self.rows / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Time left at the speed so far; None while the number of rows is not known."""
        if self.expected is None or not self.rows:
            return None
        return max(0.0, (self.expected - self.rows) / self.rows_a_second)


Report = Callable[[Progress], None]


def map_in_order(function: Callable[[In], Out], items: Iterable[In], executor: Executor | None = None) -> Iterator[Out]:
    """Apply a function to items on an executor's workers, results in the items' order, few items held at a time."""
    if executor is None:
        yield from map(function, items)
        return
    running = deque()
    for item in items:
        running.append(executor.submit(function, item))
        if len(running) > WORKERS + 1:
            yield running.popleft().result()
    while running:
        yield running.popleft().result()


def reduce_in_tree(items: Iterable[Out], merge: Callable[[Out, Out], Out], empty: Out) -> Out:
    """Merge items pairwise like the digits of a binary counter, keeping their order.

    Examples
    --------
    >>> reduce_in_tree("abcde", lambda left, right: f"({left}{right})", "")
    '(((ab)(cd))e)'
    """
    counter: list[tuple[int, Out]] = []
    for item in items:
        level = 0
        while counter and counter[-1][0] == level:
            item = merge(counter.pop()[1], item)
            level += 1
        counter.append((level, item))
    if not counter:
        return empty
    total = counter.pop()[1]
    while counter:
        total = merge(counter.pop()[1], total)
    return total


@contextmanager
def workers() -> Iterator[Executor]:
    """Threads for one pass."""
    executor = ThreadPoolExecutor(WORKERS, thread_name_prefix="surefoot")
    try:
        with one_blas_thread():
            yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


class Watch:
    """Counts the rows that pass by, reports them, and knows how far it was when Ctrl-C came."""

    def __init__(self, expected: int | None, report: Report | None) -> None:
        self._expected = expected
        self._report = report
        self._seen: Progress | None = None

    def over(self, items: Iterable[In], size: Callable[[In], int], task: str) -> Iterator[In]:
        """Pass items through; ``size`` says how many rows one has, ``task`` what is being done with them."""
        start, rows = time.monotonic(), 0
        self._seen = Progress(task, 0, self._expected, 0.0)
        for item in items:
            yield item
            rows += size(item)
            self._seen = Progress(task, rows, self._expected, time.monotonic() - start)
            if self._report is not None:
                self._report(self._seen)

    def counting(self, task: str) -> Callable[[int, int], None]:
        """A callable that is told the rows done and the rows there are, for work that takes no items from here."""
        start = time.monotonic()

        def told(rows: int, _: int) -> None:
            self._seen = Progress(task, rows, self._expected, time.monotonic() - start)
            if self._report is not None:
                self._report(self._seen)

        return told

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Ctrl-C inside becomes an ``Interrupted`` whose message says how far it was."""
        try:
            yield
        except Interrupted:
            raise
        except KeyboardInterrupt:
            raise Interrupted(self._sentence()) from None

    def _sentence(self) -> str:
        if self._seen is None:
            return "Stopped by Ctrl-C before the first row; nothing was written."
        of = f" of about {self._expected:,}" if self._expected else ""
        return f"Stopped by Ctrl-C after {self._seen.rows:,} rows{of}, {self._seen.task}; nothing was written."
