"""What proofs cost: the enclosure of a floating point fit beside the fit, and exact arithmetic in seconds."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np

import surefoot as sf
from benchmarks.dense import SHAPES
from benchmarks.digits import NAMES
from benchmarks.sizes import sized
from benchmarks.tables import show
from benchmarks.timing import in_turn
from leastsquares.matrices import of_condition
from nistdata import load

ALLOWED = 5.0
CSV_ROWS, CSV_COLUMNS, CSV_SECONDS = 100_000, 10, 30.0


def main() -> None:
    rows = [enclosed(*shape[:2], condition) for shape in SHAPES for condition in (1e2, 1e6, 1e10)]
    head = ["shape", "condition", "fit s", "with proof s", "proof / fit", "allowed", "verdict", "proven digits", "how"]
    show(f"prove=True beside the fit; load {os.getloadavg()[0]:.1f}", head, rows)
    rows = [exactly(name) for name in NAMES]
    show("exact=True on NIST's sets, best of three", ["set", "seconds", "allowed", "digits", "verdict"], rows)
    show("exact=True from a file", ["data", "seconds", "allowed", "digits", "verdict"], [decimals()])


def enclosed(rows: int, columns: int, condition: float) -> list[str]:
    A, b = of_condition(np.random.default_rng(columns), rows, columns, condition, 1.0)
    work = {str(prove): lambda prove=prove: sf.lstsq(A, b, prove=prove) for prove in (False, True)}
    seconds = in_turn(work, sized(3, 4), sized(5.0, 15.0))
    fit = sf.lstsq(A, b, prove=True)
    proof = (seconds["True"] - seconds["False"]) / seconds["False"]
    return [
        f"{rows:,} x {columns}", f"{condition:.0e}", f"{seconds['False']:.3f}", f"{seconds['True']:.3f}",
        f"{proof:.1f}", f"{ALLOWED:.0f}", verdict(fit), f"{np.min(fit.digits):.1f}", fit.method.split(":")[0],
    ]  # fmt: skip


def exactly(name: str) -> list[str]:
    case = load(name)
    best = np.inf
    for _ in range(3):
        start = time.perf_counter()
        fit = sf.fit(case.formula, str(case.path), exact=True)
        best = min(best, time.perf_counter() - start)
    return [name, f"{best:.3f}", "1", f"{np.min(fit.digits):.1f}", verdict(fit)]


def decimals() -> list[str]:
    """Ten columns of decimals with six places, from CSV."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((CSV_ROWS, CSV_COLUMNS))
    response = values @ np.arange(1.0, CSV_COLUMNS + 1) + rng.standard_normal(CSV_ROWS)
    names = [f"x{k}" for k in range(1, CSV_COLUMNS)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "decimals.csv"
        np.savetxt(
            path, np.column_stack([response, values[:, 1:]]), "%.6f", ",", header=",".join(["y", *names]), comments=""
        )
        start = time.perf_counter()
        fit = sf.fit(f"y ~ {' + '.join(names)}", str(path), exact=True)
        seconds = time.perf_counter() - start
    data = f"CSV, {CSV_ROWS:,} rows, {CSV_COLUMNS} columns of X"
    return [data, f"{seconds:.1f}", f"{CSV_SECONDS:.0f}", f"{np.min(fit.digits):.1f}", verdict(fit)]


def verdict(fit: object) -> str:
    certificate = fit.certificate  # pyright: ignore[reportAttributeAccessIssue]
    return f"{certificate.verdict.value}, {certificate.rigour.name}"
