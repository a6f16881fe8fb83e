"""Seconds of several ways to do one thing, in turn, so that all of them meet the same load."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


def in_turn(work: Mapping[str, Callable[[], object]], rounds: int = 7, patience: float = 6.0) -> dict[str, float]:
    """The shortest of several runs of each, after one that is not counted; who spent its patience runs no more."""
    spent = dict.fromkeys(work, 0.0)
    best: dict[str, float] = {}
    for turn in range(rounds + 1):
        for name, one in work.items():
            if turn > 1 and spent[name] > patience:
                continue
            start = time.perf_counter()
            one()
            seconds = time.perf_counter() - start
            spent[name] += seconds
            if turn:
                best[name] = min(seconds, best.get(name, seconds))
    return best
