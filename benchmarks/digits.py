"""Digits that agree with NIST's certified coefficients, worst coefficient of each set, all peers beside.

Every peer gets the same columns: raw powers rounded to double precision.
"""

from __future__ import annotations

import warnings

import numpy as np

import surefoot as sf
from benchmarks.peers import PEERS
from benchmarks.tables import show
from nistdata import NistSet, digits, load

NAMES = [
    "Norris",
    "Pontius",
    "NoInt1",
    "NoInt2",
    "Filip",
    "Longley",
    "Wampler1",
    "Wampler2",
    "Wampler3",
    "Wampler4",
    "Wampler5",
]


def matrix(case: NistSet) -> tuple[np.ndarray, np.ndarray]:
    """Predictors and response as doubles."""
    fit = sf.fit(case.formula, str(case.path), refine=False, diagnostics=False)
    blocks = [block.block.matrix for block in fit.residual_blocks()]
    rows = np.vstack(blocks)
    return rows[:, : len(fit.names)], rows[:, -1]


def worst(coef: np.ndarray, case: NistSet) -> str:
    return f"{min(digits(float(c), exact) for c, exact in zip(coef, case.coefficients, strict=True)):.1f}"


def surefoot(case: NistSet, **wishes: object) -> str:
    return worst(sf.fit(case.formula, str(case.path), **wishes).coef, case)


def main() -> None:
    rows = []
    for name in NAMES:
        case = load(name)
        X, y = matrix(case)
        found = []
        for peer in PEERS.values():
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found.append(worst(peer(X, y), case))
            except np.linalg.LinAlgError:
                found.append("refused")
        arrays = worst(sf.lstsq(X, y).coef, case)
        smallest = [surefoot(case, refine=False, batch_rows=rows_) for rows_ in (1, 2, 3, 5, 7, 10)]
        ours = [arrays, surefoot(case, refine=False), min(smallest, key=float), surefoot(case)]
        rows.append([name, *found, *ours, surefoot(case, exact=True)])
    head = ["NIST set", *PEERS, "sf.lstsq", "sf.fit, one pass", "in small batches", "sf.fit", "exact=True"]
    show("Correct digits of the worst coefficient", head, rows, width=190)
