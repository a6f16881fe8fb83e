"""Words shared by messages and reports: how a linear combination of columns is written, how rows are counted."""

from __future__ import annotations

from collections.abc import Mapping


def combination(parts: Mapping[str, float]) -> str:
    """A linear combination as a person writes it.

    Examples
    --------
    >>> combination({"a": 1.0, "b": -2.0})
    'a - 2*b'
    >>> combination({})
    '0'
    """
    text = ""
    for name, share in parts.items():
        size = "" if abs(share) == 1 else f"{abs(share):.6g}*"
        sign = ("-" if share < 0 else "") if not text else (" - " if share < 0 else " + ")
        text += f"{sign}{size}{name}"
    return text or "0"


def counted(number: int, noun: str) -> str:
    """A number of things.

    Examples
    --------
    >>> counted(1, "row"), counted(20_000, "row")
    ('1 row', '20,000 rows')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
