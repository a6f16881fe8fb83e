"""Short and long comparisons: ``make bench`` shows every target within the hour, ``make bench-long`` all of each.

Short ones repeat less, have fewer rows in files and fewer peers, and leave out the widest matrices; what they print is
measured the same way.
"""

from __future__ import annotations

import os
from typing import TypeVar

Size = TypeVar("Size")

LONG = os.environ.get("SUREFOOT_BENCH") == "long"


def sized(short: Size, long: Size) -> Size:
    """The size of what runs today."""
    return long if LONG else short
