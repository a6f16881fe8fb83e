"""How many cases a random test tries: a few in `make test`, very many in `make fuzz`."""

from __future__ import annotations

import os


def draws(usual: int, many: int) -> int:
    """The number of cases: ``many`` where the environment variable SUREFOOT_FUZZ is set."""
    return many if os.environ.get("SUREFOOT_FUZZ") else usual
