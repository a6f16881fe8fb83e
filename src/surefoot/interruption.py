"""Ctrl-C that no library can swallow.

Python raises KeyboardInterrupt wherever the program happens to be. In a callback of the garbage collector (JAX has
one) it is printed and lost, and a walk would go on for ever. Whoever loops for long listens, and looks once a step
whether somebody called.
"""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interruption:
    """Whether Ctrl-C was heard; as a handler of the signal it raises what Python's own does, where that is of use."""

    def __init__(self) -> None:
        self.heard = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.heard = True
        if not swallows(frame):
            raise KeyboardInterrupt

    def check(self) -> None:
        """Raise it again if it was heard, and lost since."""
        if self.heard:
            raise KeyboardInterrupt


def swallows(frame: FrameType | None) -> bool:
    """Whether what is raised here ends as a message: in a callback of the collector, or in a ``__del__``."""
    callbacks = {code for callback in gc.callbacks if (code := getattr(callback, "__code__", None)) is not None}
    while frame is not None:
        if frame.f_code in callbacks or frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


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
        try:
            yield before
        finally:
            before.heard = False  # answered by whoever listened inside
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
