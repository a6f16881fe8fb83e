"""What it costs to start: importing Surefoot, and a cold ``surefoot fit`` on 36 rows beside importing statsmodels."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.tables import show

OZONE = Path(__file__).parent.parent / "examples" / "ozone.csv"
PYTHON = sys.executable
COMMANDS = {
    "python": [PYTHON, "-c", "pass"],
    "import surefoot": [PYTHON, "-c", "import surefoot"],
    "surefoot fit, 36 rows": [PYTHON, "-m", "surefoot", "fit", "customer ~ nist", str(OZONE)],
    "import statsmodels.formula.api": [PYTHON, "-c", "import statsmodels.formula.api"],
    "statsmodels fit, 36 rows": [
        PYTHON, "-c",
        "import pandas as pd, statsmodels.formula.api as smf;"
        f"print(smf.ols('customer ~ nist', pd.read_csv({str(OZONE)!r})).fit().summary())",
    ],
}  # fmt: skip
RUNS = 7


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS + 1):
        for name, command in COMMANDS.items():
            found[name].append(seconds(command))
    medians = {name: statistics.median(times[1:]) for name, times in found.items()}
    reference = medians["import statsmodels.formula.api"]
    rows = [[name, f"{value:.3f}", f"{value / reference:.2f}"] for name, value in medians.items()]
    show(f"Cold start, median of {RUNS} runs in turn", ["command", "seconds", "beside the import of statsmodels"], rows)
