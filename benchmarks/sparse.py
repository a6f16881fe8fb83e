"""Sparse least squares beside LSMR of SciPy, to the same backward error ``|A'r| / (|A|_F |r|)`` of the answers.

Ours runs first; LSMR then takes the fewest steps after which its answer is as good, found by bisection before the clock
starts, or as many as are affordable. A million rows of ten entries, residual as long as what is explained.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

import surefoot as sf
from benchmarks.sizes import sized
from benchmarks.tables import show
from benchmarks.timing import in_turn

ROWS, COLUMNS, FILLED = 1_000_000, 50_000, 10
MOST_STEPS = 200
WANTED = 0.5
TARGETS = [1e-6, 1e-10, None]
"""Backward errors asked for; None is what ``sf.lstsq`` gives unasked, rounding."""


def random_rows(spread: float) -> tuple[Any, np.ndarray]:
    """Normal entries at random places, columns in units up to ``10^spread`` either way, and a response."""
    from scipy.sparse import csr_array

    rng = np.random.default_rng(0)
    places = rng.integers(0, COLUMNS, ROWS * FILLED, dtype=np.int32)
    starts = np.arange(0, ROWS * FILLED + 1, FILLED, dtype=np.int32)
    A = csr_array((rng.standard_normal(ROWS * FILLED), places, starts), shape=(ROWS, COLUMNS))
    A.sum_duplicates()
    explained = A @ rng.standard_normal(COLUMNS)
    noise = rng.standard_normal(ROWS)
    units = 10.0 ** rng.uniform(-spread, spread, COLUMNS)
    A.data *= units[A.indices]
    return A, explained + noise * (np.linalg.norm(explained) / np.linalg.norm(noise))


def backward_error(A: Any, b: np.ndarray, x: np.ndarray) -> float:
    residual = b - A @ x
    return float(np.linalg.norm(A.T @ residual) / np.linalg.norm(A.data) / np.linalg.norm(residual))


def ours(A: Any, b: np.ndarray, target: float | None) -> tuple[np.ndarray, int, str]:
    """Coefficients, steps and what ran."""
    from surefoot.leastsquares.krylov import solve_operator

    if target is None:
        fit = sf.lstsq(A, b)
        return fit.coef, fit.answer.steps, fit.answer.method
    found = solve_operator(A, b, target=target)
    return found.coef, found.steps, found.method


def lsmr(A: Any, b: np.ndarray, steps: int) -> np.ndarray:
    from scipy.sparse.linalg import lsmr

    return lsmr(A, b, atol=0, btol=0, conlim=0, maxiter=steps)[0]


def fewest(A: Any, b: np.ndarray, error: float) -> int:
    """Steps after which LSMR, whose ``|A'r|`` never grows, is as good; all that are affordable where it is not."""
    few, many = 0, 8
    while many < MOST_STEPS and backward_error(A, b, lsmr(A, b, many)) > error:
        few, many = many, min(2 * many, MOST_STEPS)
    while many < MOST_STEPS and many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if backward_error(A, b, lsmr(A, b, middle)) <= error else (middle, many)
    return many


def main() -> None:
    rows = []
    for name, spread in (("uniform", 0.0), ("badly scaled, 1e-3 to 1e3", 3.0)):
        A, b = random_rows(spread)
        rows += [compared(name, A, b, target) for target in TARGETS]
    title = f"{ROWS:,} x {COLUMNS:,}, {FILLED} entries a row; load {os.getloadavg()[0]:.1f}"
    head = [
        "columns",
        "target",
        "ours s",
        "LSMR s",
        "ours / LSMR",
        "wanted",
        "error",
        "LSMR's",
        "steps",
        "LSMR's",
        "ran",
    ]
    show(title, head, rows)


def compared(name: str, A: Any, b: np.ndarray, target: float | None) -> list[str]:
    coef, mine, method = ours(A, b, target)
    error = backward_error(A, b, coef)
    steps = fewest(A, b, error)
    seconds = in_turn({"ours": lambda: ours(A, b, target), "lsmr": lambda: lsmr(A, b, steps)}, rounds=sized(2, 4))
    x = lsmr(A, b, steps)
    return [
        name, "rounding" if target is None else f"{target:.0e}", f"{seconds['ours']:.2f}", f"{seconds['lsmr']:.2f}",
        f"{seconds['ours'] / seconds['lsmr']:.2f}", f"{WANTED:.1f}", f"{error:.1e}", f"{backward_error(A, b, x):.1e}",
        str(mine), f"{steps}{'' if steps < MOST_STEPS else ' (all)'}", method,
    ]  # fmt: skip
