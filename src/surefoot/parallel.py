"""Threads for blocks of rows: one BLAS thread in each, because products that small gain little from BLAS's own."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from itertools import islice
from typing import Any, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


def in_threads(function: Callable[[In], Out], items: Iterable[In]) -> Iterator[Out]:
    """Apply a function to items on as many threads as there are cores; results in the order of the items.

    Few items are held at a time. Warnings of NumPy's floating point are silent in the threads, as each has a state of
    its own: callers look at what comes out.

    Examples
    --------
    >>> list(in_threads(lambda number: number * number, range(5)))
    [0, 1, 4, 9, 16]
    """
    import numpy as np

    def quietly(item: In) -> Out:
        with np.errstate(all="ignore"):
            return function(item)

    coming = iter(items)
    first = list(islice(coming, 2))
    if len(first) < 2 or cores() == 1:
        yield from map(quietly, [*first, *coming])
        return
    with one_blas_thread(), ThreadPoolExecutor(cores(), thread_name_prefix="surefoot") as crew:
        running = deque(crew.submit(quietly, item) for item in first)
        for item in coming:
            if len(running) > cores():
                yield running.popleft().result()
            running.append(crew.submit(quietly, item))
        while running:
            yield running.popleft().result()


MANY_COLUMNS = 128
"""From here on one product or factorisation keeps all cores busy by itself."""


def suited_to(columns: int) -> AbstractContextManager[None]:
    """BLAS threads for products one after the other: few columns wait for memory, and more threads only disturb."""
    return one_blas_thread() if columns < MANY_COLUMNS else nullcontext()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """One BLAS thread for as long as the block lasts, so that threads of ours have the cores to themselves."""
    with _blas().limit(limits=1, user_api="blas"):
        yield


@cache
def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _blas() -> Any:
    """The loaded BLAS libraries, looked for once: that takes longer than a small fit."""
    import scipy.linalg.lapack  # noqa: F401 - SciPy brings its own BLAS, which must be loaded to be limited
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
