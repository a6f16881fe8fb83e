"""Run the comparisons, or those named: ``python -m benchmarks digits start scan``."""

from __future__ import annotations

import sys

from benchmarks import digits, scan, start

PARTS = {"digits": digits.main, "start": start.main, "scan": scan.main}


def main() -> None:
    wanted = sys.argv[1:] or list(PARTS)
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        sys.exit(f"There is no comparison named {', '.join(unknown)}; there are {', '.join(PARTS)}.")
    for name in wanted:
        PARTS[name]()


main()
