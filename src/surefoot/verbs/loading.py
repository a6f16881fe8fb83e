"""Saved fits and results, read back by one verb."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surefoot.models.base import Fit
    from surefoot.results.result import Result


def load(path: str | Path) -> Fit | Result:
    """Read what ``Fit.save`` or ``Result.save`` wrote.

    Parameters
    ----------
    path : path
        The file. A checkpoint is a result too.

    Raises
    ------
    DataError
        The file is missing, or holds something else.

    Examples
    --------
    >>> import os, tempfile
    >>> import surefoot as sf
    >>> result = sf.minimize("x^2", {"x": 3.0})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "result.json")
    ...     result.save(path)
    ...     sf.load(path).x
    {'x': 0.0}
    """
    if _is_result(path):
        from surefoot.results.saved import load_result

        return load_result(path)
    from surefoot.models.saved import load as load_fit

    return load_fit(path)


def _is_result(path: str | Path) -> bool:
    """Whether it says of itself that it is one; what is no JSON at all is for the reader of fits to explain."""
    try:
        state = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(state, dict) and str(state.get("format")).startswith("surefoot-result")
