"""Ctrl-C that no library can swallow.

Python raises KeyboardInterrupt wherever the program happens to be. In a callback of a library (JAX has one that runs
with the collection of garbage) it is printed and lost, and a walk would go on for ever. Whoever loops for long listens,
and looks once a step whether somebody called.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interruption:
    """Whether Ctrl-C was heard; as a handler of the signal it raises what Python's own does."""

    def __init__(self) -> None:
        self.heard = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.heard = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise it again if it was heard, and lost since."""
        if self.heard:
            raise KeyboardInterrupt


@contextmanager
def listening() -> Iterator[Interruption]:
    """Listen inside: only where Python's own handler would have, and never against a caller's.

    Examples
    --------
    >>> import signal
    >>> with listening() as interruption:
    ...     try:
    ...         signal.raise_signal(signal.SIGINT)
    ...     except KeyboardInterrupt:
    ...         print(interruption.heard)
    True
    """
    before = signal.getsignal(signal.SIGINT)
    if isinstance(before, Interruption):
        yield before
        return
    found = Interruption()
    mine = before is signal.default_int_handler and threading.current_thread() is threading.main_thread()
    if not mine:
        yield found
        return
    signal.signal(signal.SIGINT, found)
    try:
        yield found
    finally:
        signal.signal(signal.SIGINT, before)
