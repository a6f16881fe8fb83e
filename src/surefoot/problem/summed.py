"""The sum of the losses of a residual function as an objective, put together from its residuals and Jacobian.

    F = sum_i s^2 rho((r_i/s)^2),    grad F = 2 J'w r,    Hess F = 2 (J'D J + S(w r))

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, section 10.1, pp. 246-247.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.problem.differenced import Differenced
from surefoot.problem.losses import Loss

if TYPE_CHECKING:
    from surefoot.problem.residual import Residuals

OFF = 1e-9
"""Error of a Jacobian by central differences, relative to its entries."""


class Summed(Differenced):
    """F with the derivatives that the residuals have.

    Parameters
    ----------
    residuals : Residuals
        With a Jacobian that is exact, or from differences; with second derivatives, or without.
    loss : Loss
        What each residual costs.

    Examples
    --------
    >>> from surefoot.problem.losses import loss_of
    >>> from surefoot.problem.residual import residuals_of
    >>> residuals, x0 = residuals_of(lambda x: [10 * (x[1] - x[0] ** 2), 1 - x[0]], [-1.2, 1.0])
    >>> Summed(residuals, loss_of("linear")).hessian(x0).round(9).tolist()
    [[2660.0, 960.0], [960.0, 400.0]]
    """

    def __init__(self, residuals: Residuals, loss: Loss) -> None:
        self._residuals, self._loss = residuals, loss
        curved = residuals.exact_curvature
        super().__init__(self._value, residuals.points, jac=self._slope, hess=self._curvature if curved else None)
        self.exact_gradient, self.roundoff = residuals.exact, residuals.roundoff
        self.source = residuals.source

    def gradient_error(self, x: np.ndarray) -> float:
        """Length of what differences make of the gradient; 0 where the Jacobian is exact."""
        if self.exact_gradient:
            return 0.0
        r, jacobian = self._residuals.see(x)
        return OFF * float(np.linalg.norm(2 * (abs(jacobian).T @ np.abs(self._loss.weigh(r).weights * r))))

    def _value(self, point: Any) -> float:
        return self._loss.weigh(self._residuals.at(self._points.flat(point))).total

    def _slope(self, point: Any) -> Any:
        r, jacobian = self._residuals.see(self._points.flat(point))
        return self._points.shaped(2 * np.asarray(jacobian.T @ (self._loss.weigh(r).weights * r)))

    def _curvature(self, point: Any) -> np.ndarray:
        x = self._points.flat(point)
        r, jacobian = self._residuals.see(x)
        weighed = self._loss.weigh(r)
        dense = jacobian if isinstance(jacobian, np.ndarray) else jacobian.toarray()
        bends = self._residuals.bends(x, weighed.weights * r)
        found = dense.T @ (weighed.bends[:, None] * dense)
        return 2 * (found if bends is None else found + bends)
