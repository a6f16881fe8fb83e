"""The peers, each as a function from a matrix and a response to coefficients; imported where they are used."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

Solver = Callable[[np.ndarray, np.ndarray], np.ndarray]


def numpy_lstsq(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(X, y, rcond=None)[0]


def scipy_gelsd(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    from scipy.linalg import lstsq

    return lstsq(X, y, lapack_driver="gelsd")[0]


def scipy_gelsy(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    from scipy.linalg import lstsq

    return lstsq(X, y, lapack_driver="gelsy")[0]


def statsmodels_pinv(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    from statsmodels.api import OLS

    return OLS(y, X).fit().params


def statsmodels_qr(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    from statsmodels.api import OLS

    return OLS(y, X).fit(method="qr").params


def sklearn(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    from sklearn.linear_model import LinearRegression

    return LinearRegression(fit_intercept=False).fit(X, y).coef_


def sklearnex(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    from sklearnex.linear_model import LinearRegression

    return LinearRegression(fit_intercept=False).fit(X, y).coef_


def lineax_qr(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    import jax

    with jax.enable_x64(True):
        return np.asarray(_compiled()(X, y))


@cache
def _compiled() -> Any:
    import jax
    import lineax

    return jax.jit(lambda X, y: lineax.linear_solve(lineax.MatrixLinearOperator(X), y, lineax.QR()).value)


def normal_equations(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.linalg.solve(X.T @ X, X.T @ y)


PEERS: dict[str, Solver] = {
    "numpy": numpy_lstsq,
    "scipy gelsd": scipy_gelsd,
    "scipy gelsy": scipy_gelsy,
    "statsmodels": statsmodels_pinv,
    "statsmodels qr": statsmodels_qr,
    "scikit-learn": sklearn,
    "sklearnex": sklearnex,
    "lineax qr": lineax_qr,
    "normal eq.": normal_equations,
}
"""By the name that the tables have; sklearnex is scikit-learn-intelex."""
