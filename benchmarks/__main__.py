"""Run the comparisons, or those named: ``python -m benchmarks digits dense``.

With ``SUREFOOT_BENCH=long`` all of each, see ``sizes``.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module

PARTS = (
    "digits",
    "accuracy",
    "dense",
    "sparse",
    "plans",
    "proofs",
    "convexity",
    "surveys",
    "start",
    "scan",
    "first_answer",
    "starts",
    "residuals",
    "cutest",
)


def main() -> None:
    wanted = sys.argv[1:] or list(PARTS)
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        sys.exit(f"There is no comparison named {', '.join(unknown)}; there are {', '.join(PARTS)}.")
    begun = time.perf_counter()
    for name in wanted:
        start = time.perf_counter()
        import_module(f"benchmarks.{name}").main()
        now = time.perf_counter()
        print(f"{name}: {now - start:.0f} s, {(now - begun) / 60:.0f} minutes in all", flush=True)


main()
