"""Digits that agree with NIST's certified coefficients, worst coefficient of each set, all peers beside.

Every peer gets the same columns: raw powers rounded to double precision.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

import surefoot as sf
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


def numpy_lstsq(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(X, y, rcond=None)[0]


def scipy_lstsq(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    from scipy.linalg import lstsq

    return lstsq(X, y)[0]


def statsmodels_pinv(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    from statsmodels.api import OLS

    return OLS(y, X).fit().params


def statsmodels_qr(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    from statsmodels.api import OLS

    return OLS(y, X).fit(method="qr").params


def sklearn(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    from sklearn.linear_model import LinearRegression

    return LinearRegression(fit_intercept=False).fit(X, y).coef_


def normal_equations(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.linalg.solve(X.T @ X, X.T @ y)


PEERS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "numpy": numpy_lstsq,
    "scipy": scipy_lstsq,
    "statsmodels": statsmodels_pinv,
    "statsmodels qr": statsmodels_qr,
    "scikit-learn": sklearn,
    "normal eq.": normal_equations,
}


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
        smallest = [surefoot(case, refine=False, batch_rows=rows_) for rows_ in (1, 2, 3, 5, 7, 10)]
        ours = [surefoot(case, refine=False), min(smallest, key=float), surefoot(case)]
        rows.append([name, *found, *ours])
    head = ["NIST set", *PEERS, "surefoot, one pass", "in small batches", "surefoot fit"]
    show("Correct digits of the worst coefficient", head, rows)
