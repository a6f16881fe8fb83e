"""Run the comparisons, or those named: ``python -m benchmarks digits dense``."""

from __future__ import annotations

import sys
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
    for name in wanted:
        import_module(f"benchmarks.{name}").main()


main()
