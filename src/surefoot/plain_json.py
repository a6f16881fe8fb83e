"""Numbers for JSON and back, bit for bit: lists, dicts, text and finite numbers; what is no number (NaN) is null."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def filled(given: Mapping[str, Any]) -> dict[str, Any]:
    """Null is NaN again; in arrays NumPy sees to that."""
    return {name: math.nan if value is None else value for name, value in given.items()}


def matrix_of(values: Any, rows: int, columns: int) -> np.ndarray:
    """Rows that may be none."""
    return np.array(values, float).reshape(rows, columns)


_WORDS = {"Infinity": math.inf, "-Infinity": -math.inf}


def plain(value: Any) -> Any:
    """Lists, dicts and numbers only."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    return _number(float(value)) if isinstance(value, (float, np.floating)) else value


def _number(value: float) -> float | str | None:
    """JSON has no infinities, which become words, and no NaN, which becomes null: there is no number there."""
    if math.isfinite(value):
        return value
    return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def numbers(value: Any) -> Any:
    """The inverse of ``plain`` for infinities; names and levels may be called 'Infinity' and stay text."""
    if isinstance(value, Mapping):
        return {name: one if name in _TEXTUAL else numbers(one) for name, one in value.items()}
    if isinstance(value, list):
        return [numbers(one) for one in value]
    return _WORDS.get(value, value) if isinstance(value, str) else value


_TEXTUAL = frozenset(
    {"levels", "label", "column", "reference", "name", "formula", "notes", "source", "response_label", "names", "tried"}
)
