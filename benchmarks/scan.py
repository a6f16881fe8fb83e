"""A fit of 20 million rows beside a bare DuckDB scan of the same columns, and beside reading and fitting with peers.

Each measurement is a process of its own, in turn with the others; memory is the kernel's VmHWM.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.sizes import sized
from benchmarks.tables import show

ROWS = int(float(os.environ.get("SUREFOOT_BENCH_ROWS", sized(4e6, 20e6))))
CSV_ROWS = ROWS // 4
RUNS = 5
NAMES = ["y", "x1", "x2", "x3", "x4", "x5"]
FORMULA = "y ~ x1 + x2 + x3 + x4 + x5"

TIMED = """
import sys, time
path = sys.argv[1]
{setup}
for _ in range({times}):
    start = time.perf_counter()
    {body}
    print(time.perf_counter() - start)
print([line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0])
"""
SCAN = (
    "import duckdb, pyarrow",
    "reader = duckdb.connect().sql(f\"select y, x1, x2, x3, x4, x5 from '{path}'\").to_arrow_reader(122880)\n"
    "    for batch in reader: pass",
)
SKLEARN = (
    "import pandas as pd\nfrom sklearn.linear_model import LinearRegression",
    "table = pd.read_parquet(path)\n    LinearRegression().fit(table[['x1','x2','x3','x4','x5']], table['y'])",
)
STATSMODELS = (
    "import pandas as pd\nimport statsmodels.formula.api as smf",
    f"smf.ols({FORMULA!r}, pd.read_parquet(path)).fit()",
)


def measure(code: tuple[str, str], path: str, times: int = 1) -> tuple[list[float], int]:
    """Seconds of each repetition in one fresh process, and its peak memory in MB."""
    program = TIMED.format(setup=code[0], body=code[1], times=times)
    command = [sys.executable, "-c", program, path]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return [float(value) for value in out[:-1]], int(out[-1]) // 1024


def generate(folder: Path) -> None:
    """Two Parquet files of ROWS rows (the second for twice the rows) and a CSV."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    generator = np.random.default_rng(20260)
    for part in ("big1.parquet", "big2.parquet", "warm.parquet"):
        left, writer = (ROWS if part.startswith("big") else 1000), None
        while left:
            size = min(left, 1_000_000)
            left -= size
            X = generator.standard_normal((size, 5)) * [1, 3, 10, 0.1, 100] + [0, 10, -5, 0, 1000]
            y = 1 + X @ [1.0, -0.5, 0.2, 3.0, 0.01] + generator.standard_normal(size)
            table = pa.table(dict(zip(NAMES, [y, *X.T], strict=True)))
            writer = writer or pa.parquet.ParquetWriter(folder / part, table.schema)
            writer.write_table(table)
        writer.close()
    reader = pa.parquet.ParquetFile(folder / "big1.parquet")
    with pa.csv.CSVWriter(folder / "big.csv", reader.schema_arrow) as out:
        written = 0
        for batch in reader.iter_batches(100_000):
            if written >= CSV_ROWS:
                break
            out.write_batch(batch)
            written += batch.num_rows


def fit_code(warm: Path) -> tuple[str, str]:
    """A fit whose imports are done before the clock starts, as the scan's are."""
    return f"import surefoot as sf\nsf.fit({FORMULA!r}, {str(warm)!r})", f"sf.fit({FORMULA!r}, path)"


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="surefoot-bench-", dir=os.environ.get("SUREFOOT_BENCH_DIR")))
    try:
        generate(folder)
        fit = fit_code(folder / "warm.parquet")
        rows = []
        for label, path, peers in (
            (f"Parquet, {ROWS:,} rows", folder / "big1.parquet", True),
            (f"Parquet, {2 * ROWS:,} rows", folder / "big*.parquet", False),
            (f"CSV, {CSV_ROWS:,} rows", folder / "big.csv", False),
        ):
            rows += compare(label, str(path), fit, peers)
        head = ["data", "what", "seconds", "ratio to the scan", "peak MB"]
        show(f"A whole fit beside a bare scan, median of {RUNS} processes in turn", head, rows)
    finally:
        shutil.rmtree(folder)


def compare(label: str, path: str, fit: tuple[str, str], peers: bool) -> list[list[str]]:
    pairs = [(measure(SCAN, path), measure(fit, path)) for _ in range(RUNS + 1)][1:]
    scans, fits = [scan[0][0] for scan, _ in pairs], [one[0][0] for _, one in pairs]
    ratio = statistics.median(b / a for a, b in zip(scans, fits, strict=True))
    scan, whole = statistics.median(scans), statistics.median(fits)
    rows = [
        [label, "DuckDB scan to Arrow", f"{scan:.2f}", "1.00", str(max(one[1] for one, _ in pairs))],
        ["", "surefoot fit", f"{whole:.2f}", f"{ratio:.2f}", str(max(one[1] for _, one in pairs))],
    ]
    if peers:
        for name, code in (("scikit-learn: read, fit", SKLEARN), ("statsmodels: read, fit", STATSMODELS)):
            seconds, memory = measure(code, path)
            label = f"{name} ({seconds[0] / whole:.0f} times ours)"
            rows.append(["", label, f"{seconds[0]:.2f}", f"{seconds[0] / scan:.1f}", str(memory)])
    return rows
