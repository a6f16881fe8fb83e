"""Residuals as a function of the logarithms of the variables that start above zero.

    x = exp(u),    dr/du = J diag(x),    d2r along v = r''(x v, x v) + J (x v^2)

Rates and amplitudes of curves are often worlds away from their starts, and signs of theirs are known: in logarithms
the way there is short, and no step makes one negative.

Reference: Gill, Murray, Wright (1981), "Practical Optimization", Academic Press, section 7.4, pp. 266-272.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from surefoot.problem.residual import Residuals


class LogVariables:
    """A residual function of u; where ``logged``, ``x = exp(u)``.

    Parameters
    ----------
    residuals : Residuals
        With a dense Jacobian.
    logged : ndarray of bool, shape (n,)

    Examples
    --------
    >>> from surefoot.problem.residual import residuals_of
    >>> residuals, x0 = residuals_of(lambda x: [x[0] * x[1], x[1] - 1], [2.0, -1.0])
    >>> logs = LogVariables(residuals, x0 > 0)
    >>> logs.see(logs.inner(x0))[1].round(12).tolist()
    [[-2.0, 2.0], [0.0, 1.0]]
    """

    def __init__(self, residuals: Residuals, logged: np.ndarray) -> None:
        self._residuals, self._logged = residuals, logged
        self.size, self.rows, self.names = residuals.size, residuals.rows, residuals.names
        self.roundoff, self.exact, self.exact_curvature = residuals.roundoff, residuals.exact, False

    def inner(self, x: np.ndarray) -> np.ndarray:
        """U of x."""
        return np.where(self._logged, np.log(np.where(self._logged, x, 1.0)), x)

    def outer(self, u: np.ndarray) -> np.ndarray:
        """X of u."""
        with np.errstate(over="ignore"):
            return np.where(self._logged, np.exp(np.where(self._logged, u, 0.0)), u)

    def at(self, u: np.ndarray) -> np.ndarray:
        x = self.outer(u)
        return self._residuals.at(x) if np.all(np.isfinite(x)) else np.full(self.rows, np.inf)

    def see(self, u: np.ndarray) -> tuple[np.ndarray, Any]:
        x = self.outer(u)
        r, jacobian = self._residuals.see(x)
        return r, jacobian * np.where(self._logged, x, 1.0)

    def along(self, u: np.ndarray, v: np.ndarray) -> np.ndarray | None:
        x = self.outer(u)
        inner = np.where(self._logged, x * v, v)
        second = self._residuals.along(x, inner)
        if second is None:
            return None
        return second + self._residuals.see(x)[1] @ np.where(self._logged, x * v * v, 0.0)

    def bends(self, u: np.ndarray, w: np.ndarray) -> None:
        return None

    def bend(self, u: np.ndarray, w: np.ndarray, v: np.ndarray) -> None:
        return None
