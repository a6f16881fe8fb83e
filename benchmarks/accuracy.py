"""Errors of coefficients against exact arithmetic, as multiples of those of ``numpy.linalg.lstsq`` on the same data.

Every cell is median and worst over seeds and over residuals of 0, 1e-8, 1 and 1e3 times what is explained. The truth
is the exact minimiser for the doubles as they are: Arb balls of 500 bits, or for long matrices rational cross products.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import surefoot as sf
from benchmarks.peers import PEERS, Solver
from benchmarks.sizes import sized
from benchmarks.tables import show
from leastsquares.matrices import error, exact, of_condition
from surefoot.errors import SurefootError
from surefoot.leastsquares.rungs import CHEAP
from surefoot.proof.exact_arrays import exact_lstsq

RESIDUALS = [0.0, 1e-8, 1.0, 1e3]
CONDITIONS = [1.0, 1e2, 1e4, 1e6, 1e8, 1e10, 1e12, 1e13, 1e14]
METHODS = ("auto", "normal", "seminormal", "cholesky-qr", "qr", "svd")
LEAST = float(np.finfo(float).eps)
"""Errors below one rounding are all the same: a ratio of two of them says nothing."""

WANTED = 4.0


def solver(method: str) -> Solver:
    return lambda A, b: sf.lstsq(A, b, method=method, prove=False).coef


SOLVERS: dict[str, Solver] = {
    **{method: solver(method) for method in METHODS},
    "sklearnex": PEERS["sklearnex"],
    "normal eq.": PEERS["normal eq."],
}


def in_rationals(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The minimiser of a long matrix: cross products of the doubles without rounding."""
    return exact_lstsq(A, b).coef.value


def main() -> None:
    for shape, seeds in (((300, 8), sized(2, 4)), ((2200, 30), sized(1, 2))):
        tables(shape, seeds, CONDITIONS, SOLVERS, exact)
    rows, columns = long = (40_000, 30)
    assert rows * columns > CHEAP, "so that the ladder takes no look in 20 digits"
    tables(long, sized(1, 2), [1.0, 1e2, 1e4, 1e6], SOLVERS, in_rationals)


def tables(
    shape: tuple[int, int],
    seeds: int,
    conditions: Sequence[float],
    solvers: dict[str, Solver],
    truth: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> None:
    rows = []
    for condition in conditions:
        found = errors(shape, seeds, condition, solvers, truth)
        base = np.maximum(found.pop("lstsq"), LEAST)
        ratios = {name: np.maximum(one, LEAST) / base for name, one in found.items()}
        worst = np.nanmax(ratios["auto"])
        cells = [_cell(one) for one in ratios.values()]
        rows.append([f"{condition:.0e}", f"{np.median(base):.0e}", *cells, "yes" if worst <= WANTED else "NO"])
    title = f"{shape[0]:,} x {shape[1]}: error of the coefficients over lstsq's, median and worst of {4 * seeds}"
    show(title, ["condition", "lstsq error", *solvers, f"auto <= {WANTED:.0f}"], rows)


def _cell(ratios: np.ndarray) -> str:
    if np.all(np.isnan(ratios)):
        return "refused"
    return f"{np.nanmedian(ratios):.1g} {np.nanmax(ratios):.1g}{' *' if np.any(np.isnan(ratios)) else ''}"


def errors(
    shape: tuple[int, int], seeds: int, condition: float, solvers: dict[str, Solver], truth: Any
) -> dict[str, np.ndarray]:
    """The relative error of each solver for every residual and seed; NaN where it refused."""
    all_solvers = {"lstsq": PEERS["numpy"], **solvers}
    found: dict[str, list[float]] = {name: [] for name in all_solvers}
    for seed in range(seeds):
        for residual in RESIDUALS:
            A, b = of_condition(np.random.default_rng(seed), *shape, condition, residual)
            right = truth(A, b)
            for name, one in all_solvers.items():
                found[name].append(_error(one, A, b, right))
    return {name: np.array(one) for name, one in found.items()}


def _error(one: Solver, A: np.ndarray, b: np.ndarray, truth: np.ndarray) -> float:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return error(one(A, b), truth)
    except (SurefootError, np.linalg.LinAlgError):
        return float("nan")
