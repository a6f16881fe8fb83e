"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from surefoot.errors import DataError


@contextmanager
def whole_file(path: str | Path, what: str) -> Iterator[Path]:
    """A neighbour of the path to write to; it gets the name when all is written.

    A full disk or Ctrl-C leaves no half a file behind, and what stood there before still stands. A device or a pipe
    (``/dev/null``, ``/dev/stdout``) is written to as it is, never replaced.

    Parameters
    ----------
    path : path
        Where the file is to be.
    what : str
        What it holds, for the error: 'report', 'model'.

    Raises
    ------
    DataError
        The file cannot be written; the sentence says why.
    """
    target = Path(path)
    special = target.exists() and not (target.is_file() or target.is_dir())
    neighbour = target if special else target.with_name(target.name + ".part")
    try:
        yield neighbour
        if not special:
            os.replace(neighbour, target)
    except OSError as error:
        raise DataError(f"The {what} could not be written to {target}: {error.strerror or error}.") from None
    finally:
        if not special:
            with suppress(OSError):
                neighbour.unlink()
