"""Ctrl-C at the wrong moment: while compiled libraries are being loaded, and while the process is being taken down."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

STOPPED = 130
"""The exit code after Ctrl-C, as shells have it: 128 and the number of the signal."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Load libraries inside: a Ctrl-C meanwhile is answered when they stand.

    An exception in the middle of a library's own start ends some of them with an abort instead of a sentence.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: seen.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if seen:
        raise KeyboardInterrupt


def leave(code: int) -> NoReturn:
    """End the process in order (scans stopped, files closed), but without waiting for threads of other libraries.

    Their destructors would find work that was broken off, and turn an answered Ctrl-C into an abort.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    atexit._run_exitfuncs()
    os._exit(code)
