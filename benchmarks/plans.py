"""Plans beside what happens: predicted seconds over measured ones, and where descent overtakes the formula.

Well-conditioned columns are normal numbers: for m rows and n columns their singular values fill the interval from
``sqrt(m) - sqrt(n)`` to ``sqrt(m) + sqrt(n)`` (Marchenko, Pastur 1967), so the condition is known without a factor.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable

import numpy as np

import surefoot as sf
from benchmarks.sizes import sized
from benchmarks.tables import show
from benchmarks.timing import in_turn
from leastsquares.matrices import of_condition
from surefoot.models.plan import Plan, make_plan, measured_rates

SHAPES = [(2_000, 30), (100_000, 100), (500_000, 20), (20_000, 800), (4_000, 1_000)]
FORMULAS = ["normal", "seminormal", "cholesky-qr", "qr", "svd"]
WALKS = ["conjugate gradients", "gradient descent"]
GENTLE, HARD = 3.0, 1e6
WITHIN = 2.0

ROWS = int(os.environ.get("SUREFOOT_BENCH_WIDE_ROWS", 25_000))
WIDTHS = [int(one) for one in os.environ.get("SUREFOOT_BENCH_WIDTHS", "100 300 1000 3000 10000 20000").split()]
WIDTHS = [one for one in WIDTHS if one <= sized(3_000, 20_000)]
CLOSED = "seminormal"


def main() -> None:
    for condition in (GENTLE, HARD):
        rows = [checked(*shape, condition) for shape in SHAPES]
        names = FORMULAS + (WALKS if condition == GENTLE else [])
        title = f"Predicted over measured seconds (measured), condition {condition:.0e}; load {os.getloadavg()[0]:.1f}"
        show(title, ["shape", *names, f"outside {1 / WITHIN:g} to {WITHIN:g}"], rows)
    crossover()


def checked(rows: int, columns: int, condition: float) -> list[str]:
    """Every method at one shape; the rates are measured just before, under the same load."""
    A, b = of_condition(np.random.default_rng(columns), rows, columns, condition, 1.0)
    work: dict[str, Callable[[], object]] = {name: closed(A, b, name) for name in FORMULAS}
    if condition == GENTLE:
        work |= {name: walked(A, b, name, condition) for name in WALKS}
    plan = make_plan(rows, columns, condition, "chosen")
    seconds = in_turn(work, rounds=sized(3, 4), patience=sized(4.0, 8.0))
    ratios = {name: plan.candidate(name).seconds / seconds[name] for name in work}
    off = [name for name, ratio in ratios.items() if not 1 / WITHIN <= ratio <= WITHIN]
    cells = [f"{ratios[name]:.2f} ({seconds[name]:.2g})" for name in work]
    return [f"{rows:,} x {columns:,}", *cells, ", ".join(off) or "none"]


def closed(A: np.ndarray, b: np.ndarray, method: str) -> Callable[[], object]:
    return lambda: sf.lstsq(A, b, method=method, prove=False)


def walked(A: np.ndarray, b: np.ndarray, method: str, condition: float) -> Callable[[], object]:
    """Conjugate gradients, or the best fixed rate for singular values from 1/condition to 1."""
    if method == "conjugate gradients":
        return closed(A, b, "cg")
    return lambda: sf.lstsq(A, b, method="gradient", rate=2 / (2 + 2 / condition**2), prove=False)


def crossover() -> None:
    """Conjugate gradients beside the closed form as columns grow, rows fixed."""
    rows, predicted, measured = [], None, None
    for columns in WIDTHS:
        A = np.random.default_rng(columns).standard_normal((ROWS, columns))
        b = A @ np.ones(columns) + np.random.default_rng(1).standard_normal(ROWS) * math.sqrt(columns)
        ratio = math.sqrt(columns / ROWS)
        condition = (1 + ratio) / (1 - ratio)
        plan = make_plan(ROWS, columns, condition, "Marchenko-Pastur", rates=measured_rates(columns, ROWS))
        formula, descent = _both(A, b, columns)
        rows.append(_row(plan, formula, descent))
        foreseen = plan.candidate(CLOSED).seconds > plan.candidate("conjugate gradients").seconds
        predicted = predicted or (columns if foreseen else None)
        measured = measured or (columns if formula[0] > descent[0] else None)
    head = ["columns", "condition", "formula s", "predicted", "descent s", "predicted", "steps", "predicted",
            "formula / descent", "predicted", "digits in common"]  # fmt: skip
    title = (
        f"{ROWS:,} rows: corrected seminormal equations beside conjugate gradients; descent is faster from "
        f"{measured} columns on (predicted: {predicted}); load {os.getloadavg()[0]:.1f}"
    )
    show(title, head, rows)


def _both(A: np.ndarray, b: np.ndarray, columns: int) -> tuple[tuple[float, np.ndarray], tuple[float, np.ndarray, int]]:
    """The better of three runs in turn, of one where a run takes its time."""
    best: list[float] = [math.inf, math.inf]
    for _ in range(3 if columns <= 1000 else 1):
        start = time.perf_counter()
        fit = sf.lstsq(A, b, method=CLOSED, prove=False)
        middle = time.perf_counter()
        found = sf.lstsq(A, b, method="cg", prove=False)
        best = [min(best[0], middle - start), min(best[1], time.perf_counter() - middle)]
    return (best[0], fit.coef), (best[1], found.coef, found.answer.steps)


def _row(plan: Plan, formula: tuple[float, np.ndarray], descent: tuple[float, np.ndarray, int]) -> list[str]:
    one, other = plan.candidate(CLOSED), plan.candidate("conjugate gradients")
    gap = float(np.linalg.norm(formula[1] - descent[1]) / np.linalg.norm(formula[1]))
    return [
        f"{plan.columns:,}", f"{plan.condition:.2f}", f"{formula[0]:.3g}", f"{one.seconds:.3g}", f"{descent[0]:.3g}",
        f"{other.seconds:.3g}", str(descent[2]), f"{other.steps:.0f}", f"{formula[0] / descent[0]:.2f}",
        f"{one.seconds / other.seconds:.2f}", f"{-math.log10(max(gap, 1e-17)):.1f}",
    ]  # fmt: skip
