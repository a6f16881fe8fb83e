"""Dense least squares beside the peers: seconds in turn, and how perpendicular the residual is to the columns.

Matrices have a geometric spectrum of the given condition, and a residual as long as the part that is explained. A
residual passes where ``|A'r|`` is at most four times that of lstsq, or ``50 u |A| |x|``.
"""

from __future__ import annotations

import os

import numpy as np

import surefoot as sf
from benchmarks.peers import PEERS, Solver
from benchmarks.sizes import sized
from benchmarks.tables import show
from benchmarks.timing import in_turn
from leastsquares.matrices import of_condition

SHAPES = [(100_000, 100, 6.0, 1.5), (500_000, 20, 3.5, 1.5), (20_000, 800, 3.0, 2.0)]
"""Rows, columns, times faster than lstsq wanted to condition 1e6, and times sklearnex's seconds allowed there."""

HARD = 1.5
"""Times faster than lstsq wanted at condition 1e10 and above."""

CONDITIONS = [1.0, 1e3, 1e6, 1e10, 1e12, 1e14]
BESIDE = ["scipy gelsy", "scikit-learn", "lineax qr", "statsmodels qr"]
ROUNDOFF = float(np.finfo(float).eps) / 2


def ours(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    """As a user calls it; at these sizes the default makes no proof, as ``prove=False`` does not."""
    return sf.lstsq(A, b).coef


def slope(A: np.ndarray, b: np.ndarray, x: np.ndarray) -> float:
    return float(np.linalg.norm(A.T @ (b - A @ x)))


def main() -> None:
    for rows, columns, faster, allowed in SHAPES:
        table = [measured(rows, columns, condition, faster, allowed) for condition in CONDITIONS]
        head = ["condition", "surefoot s", "lstsq / ours", "wanted", "ours / sklearnex", "allowed", "|A'r|", "lstsq's",
                "may be", "ran"]  # fmt: skip
        show(f"{rows:,} x {columns}, seconds in turn; load {os.getloadavg()[0]:.1f}", head, table)
    show("The other peers, seconds over ours, condition 1e3", ["shape", *BESIDE], [beside(*one[:2]) for one in SHAPES])


def measured(rows: int, columns: int, condition: float, faster: float, allowed: float) -> list[str]:
    A, b = of_condition(np.random.default_rng(columns), rows, columns, condition, 1.0)
    solvers: dict[str, Solver] = {"numpy": PEERS["numpy"], "surefoot": ours, "sklearnex": PEERS["sklearnex"]}
    found: dict[str, np.ndarray] = {}

    def run(name: str) -> None:
        found[name] = solvers[name](A, b)

    seconds = in_turn({name: lambda name=name: run(name) for name in solvers}, sized(4, 7), sized(5.0, 10.0))
    mine, easy = seconds["surefoot"], condition <= 1e6
    x, its = found["surefoot"], slope(A, b, found["numpy"])
    limit = max(4 * its, 50 * ROUNDOFF * float(np.linalg.norm(x)))
    return [
        f"{condition:.0e}", f"{mine:.3f}", f"{seconds['numpy'] / mine:.2f}", f"{faster if easy else HARD:.1f}",
        f"{mine / seconds['sklearnex']:.2f}", f"{allowed:.1f}" if easy else "-", f"{slope(A, b, x):.1e}", f"{its:.1e}",
        f"{limit:.1e}", sf.lstsq(A, b).method.split(":")[0],
    ]  # fmt: skip


def beside(rows: int, columns: int) -> list[str]:
    """Peers whose time does not depend on the condition; the slow ones run twice."""
    A, b = of_condition(np.random.default_rng(columns), rows, columns, 1e3, 1.0)
    solvers = {"surefoot": ours, **{name: PEERS[name] for name in BESIDE}}
    seconds = in_turn({name: lambda one=one: one(A, b) for name, one in solvers.items()}, patience=3.0)
    return [f"{rows:,} x {columns}", *(f"{seconds[name] / seconds['surefoot']:.1f}" for name in BESIDE)]
