"""How wrong the data would have to be for an answer to be exactly right: backward errors.

Karlson and Walden's estimate, within a factor sqrt(2) of the optimal backward error, for columns of length one:

    theta = |A|_F / |b|,  omega^2 = theta^2 |r|^2 / (1 + theta^2 |x|^2),
    BE = theta / sqrt(1 + theta^2 |x|^2) * |(A'A + omega^2 I)^(-1/2) A'r|,  here divided by |A|_F.

Stewart's, which needs no factor and is an upper bound: ``|A'r| / (|A|_F |r|)``.

References: Karlson, Walden (1997), BIT 37, pp. 862-869; Gratton, Jiranek, Titley-Peloquin (2012), "On the accuracy of
the Karlson-Walden estimate of the backward error for linear least squares problems", SIAM J. Matrix Anal. Appl. 33(3),
pp. 822-836; Stewart (1977), "Research, development, and LINPACK", in Mathematical Software III, pp. 1-14.
"""

from __future__ import annotations

import numpy as np

from surefoot.leastsquares.gram import damped
from surefoot.leastsquares.rank import lengths

KARLSON_WALDEN = "Karlson-Walden"


def karlson_walden(
    upper: np.ndarray, x: np.ndarray, slope: np.ndarray, residual: np.ndarray, response: np.ndarray
) -> np.ndarray:
    """Backward error of each right-hand side, relative to the matrix with columns of length one, shape (k,).

    Parameters
    ----------
    upper : ndarray, shape (h, n)
        Anything with ``R'R = A'A`` as nearly as may be: a triangle, or ``S V'`` of the singular values.
    x : ndarray, shape (n, k)
        The solutions.
    slope : ndarray, shape (n, k)
        The residual along each column, ``a_j'(b - A x) / |a_j|``.
    residual, response : ndarray, shape (k,)
        ``|b - A x|`` and ``|b|``.
    """
    count = upper.shape[1]
    sizes = lengths(upper)
    sizes = np.where(sizes > 0, sizes, 1.0)
    unit, scaled = upper / sizes, x * sizes[:, None]
    found = np.zeros(len(residual))
    for k in np.flatnonzero(response > 0) if count else ():
        theta, grown, omega = _weights(scaled[:, k], residual[k], response[k])
        # In units of its largest entry, for the gradient of a perfect answer has squares that vanish.
        largest = float(np.max(np.abs(slope[:, k])))
        if largest > 0:
            factor = damped(unit, omega)
            image = float(np.linalg.norm(_solved(factor, slope[:, k] / largest, 1))) * largest
            found[k] = theta / np.sqrt(grown) * image / np.sqrt(count)
    return found


def damped_step(
    upper: np.ndarray, x: np.ndarray, slope: np.ndarray, residual: np.ndarray, response: np.ndarray
) -> np.ndarray:
    """The step ``(A'A + omega^2 I)^-1 A'r`` that makes the backward error smaller, shape (n, k).

    Along the short axes of the bowl, where the gradient is all rounding, it hardly moves; arguments as for
    ``karlson_walden``.
    """
    sizes = lengths(upper)
    sizes = np.where(sizes > 0, sizes, 1.0)
    step = np.zeros_like(x)
    for k in np.flatnonzero(response > 0):
        _, _, omega = _weights(x[:, k] * sizes, residual[k], response[k])
        factor = damped(upper / sizes, omega)
        step[:, k] = _solved(factor, _solved(factor, slope[:, k], 1), 0) / sizes
    return step


def _weights(scaled: np.ndarray, residual: float, response: float) -> tuple[float, float, float]:
    """``theta``, ``1 + theta^2 |x|^2`` and ``omega`` for columns of length one."""
    theta = np.sqrt(len(scaled)) / response
    grown = 1 + float(np.sum((theta * scaled) ** 2))
    return theta, grown, theta * residual / np.sqrt(grown)


def _solved(factor: np.ndarray, vector: np.ndarray, trans: int) -> np.ndarray:
    """``M^-1 v``, or ``M^-T v`` with ``trans=1``; infinite where M is singular."""
    from scipy.linalg import solve_triangular

    if not np.all(np.diagonal(factor)):
        return np.full(len(vector), np.inf)
    return solve_triangular(factor, vector, trans=trans, check_finite=False)


def stewart(gradient: np.ndarray, frobenius: float, residual: np.ndarray) -> np.ndarray:
    """``|A'r| / (|A|_F |r|)`` of each right-hand side, zero where the residual is, shape (k,)."""
    sizes = lengths(gradient) if len(gradient) else np.zeros(len(residual))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = sizes / frobenius / residual
    return np.where(sizes == 0, 0.0, found)
