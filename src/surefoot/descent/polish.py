"""The last digits of a least squares point: Newton's steps on exact second derivatives, until they shrink no more.

    (I + R^-T (S + J'(D - D+) J) R^-1) q = -Q'r,    p = R^-1 q,    J+ = QR, the rows of J weighted by D+ > 0

Gauss-Newton leaves out S, the curvature of the residuals themselves, and so comes nearer by a constant factor a step
where residuals are large. The value cannot tell these steps apart, so it is their length that decides: the point whose
step is the shortest is the answer. Where Newton's steps do not shrink, those of Gauss-Newton are tried.

References: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, section 10.3, pp. 262-266; Bates, Watts
(1981), "A relative offset orthogonality convergence criterion for nonlinear least squares", Technometrics 23(2),
pp. 179-183.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.descent.directions import Way
from surefoot.descent.ground import Ground, Here
from surefoot.descent.linearised import DenseLinear, backward
from surefoot.descent.ray import Ray, Refusal, Taken
from surefoot.descent.stop import Reason

if TYPE_CHECKING:
    from surefoot.descent.misfit import Misfit

EPS = float(np.finfo(float).eps)
STEPS = 60
"""Steps at most."""
VAIN = 2
"""Steps in sequence that are no shorter than the shortest, after which they are only rounding."""
PRODUCTS = 200
"""Products with second derivatives for one step of a sparse problem."""
SOFT = 1e-8
"""Damping of the factor before conjugate gradients."""
EXACT = 1e-6
"""Residual of a sparse Newton step, relative to its right-hand side."""
BLURRED = 64.0
"""F may rise by so many times its rounding."""


class ResidualNewton:
    """Newton's direction through the triangle of the Jacobian; after ``forget``, that of Gauss-Newton.

    Parameters
    ----------
    misfit : Misfit
        The ground, for its second derivatives.

    Attributes
    ----------
    upward : bool
        Whether F curved upwards in every direction where second derivatives were asked last, or none were.
    """

    momentum = 0.0
    name = "Newton on exact second derivatives"

    def __init__(self, misfit: Misfit) -> None:
        self._misfit, self._newton, self.upward = misfit, True, True

    def choose(self, ground: Ground, here: Here, last: Taken | None) -> Way:
        model: Any = ground.linear(here)  # type: ignore[attr-defined]
        free = None if model.fence is None else ~model.fence.held
        step = self._step(model, here, free) if self._newton else None
        if step is None:
            step = model.solve(model.target, 0.0, free)
        return Way(step, 1.0, model)

    def forget(self) -> bool:
        before, self._newton = self._newton, False
        return before

    def _step(self, model: Any, here: Here, free: np.ndarray | None) -> np.ndarray | None:
        misfit = self._misfit
        if isinstance(model, DenseLinear):
            r, _ = misfit.residuals.see(here.x)
            bends = misfit.residuals.bends(here.x, misfit.loss.weigh(r).weights * r)
            if bends is None:
                return None
            found = newton_step(model, bends, self._correction(here), free)
            self.upward = found is not None
            return found
        return None if free is not None else self._by_products(model, here)

    def _correction(self, here: Here) -> np.ndarray | None:
        """D - D+, in units of D+, shape (m,); None where no loss bends down."""
        if self._misfit.loss.is_linear:
            return None
        weighed = self._misfit.loss.weigh(self._misfit.residuals.see(here.x)[0])
        kept = weighed.rounded
        return np.where(kept > 0, weighed.bends / np.where(kept > 0, kept, 1.0) - 1, 0.0)

    def _by_products(self, model: Any, here: Here) -> np.ndarray | None:
        """Conjugate gradients on the true Hessian, with the factor of J'J before it."""
        if not self._misfit.residuals.exact_curvature:
            return None
        D = model.scale
        factor = model.factor(SOFT)
        if factor is None:
            return None
        gradient = 0.5 * here.gradient / D
        y, rest = np.zeros(len(D)), -gradient
        z = factor.solve(rest)
        way, size = z, float(rest @ z)
        for _ in range(PRODUCTS):
            image = 0.5 * self._misfit.bend(here.x, way / D) / D
            curve = float(way @ image)
            if not curve > 0:
                return None
            y, rest = y + size / curve * way, rest - size / curve * image
            if np.linalg.norm(rest) <= EXACT * np.linalg.norm(gradient):
                return y / D
            z = factor.solve(rest)
            before, size = size, float(rest @ z)
            way = z + size / before * way
        return y / D


def newton_step(
    model: DenseLinear, bends: np.ndarray, correction: np.ndarray | None, free: np.ndarray | None
) -> np.ndarray | None:
    """Newton's step over the variables that are free; None where the Hessian does not curve upwards for sure.

    Parameters
    ----------
    model : DenseLinear
        The linear model.
    bends : ndarray, shape (n, n)
        ``S(w r)``.
    correction : ndarray, shape (m,), or None
        What the true curvature of the loss has more than the model, relative to it.
    free : ndarray of bool, shape (n,), or None
        Variables that may move; None for all.
    """
    chosen = np.arange(len(model.scale)) if free is None else np.flatnonzero(free)
    found = np.zeros(len(model.scale))
    if not len(chosen) or not np.all(np.isfinite(bends)):
        return found if not len(chosen) else None
    D = model.scale[chosen]
    Q, R = np.linalg.qr(model.jacobian[:, chosen] / D)
    S = bends[np.ix_(chosen, chosen)] / D / D[:, None]
    effects = -(Q.T @ model.target)
    sizes = np.abs(np.diag(R)) if R.shape[0] == R.shape[1] else np.zeros(1)
    if np.min(sizes) > 1e3 * EPS * np.max(sizes):
        inner = backward(R, backward(R, S, transposed=True).T, transposed=True)
        inner = np.eye(len(D)) + 0.5 * (inner + inner.T)
        if correction is not None:
            inner = inner + Q.T @ (correction[:, None] * Q)
        q = _upward(inner, effects)
        found[chosen] = np.nan if q is None else backward(R, q) / D
    else:  # columns that depend on each other: only second derivatives curve there
        whole = R.T @ R + S
        if correction is not None:
            whole = whole + R.T @ (Q.T @ (correction[:, None] * Q)) @ R
        y = _upward(whole, R.T @ effects)
        found[chosen] = np.nan if y is None else y / D
    return found if np.all(np.isfinite(found)) else None


def _upward(matrix: np.ndarray, right: np.ndarray) -> np.ndarray | None:
    """The solution, if the matrix is positive definite."""
    try:
        lower = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return None
    return backward(lower.T, backward(lower.T, right, transposed=True))


class Shrinking:
    """Full steps for as long as they become shorter; remembers where the shortest began.

    Attributes
    ----------
    best : Here or None
        The point with the shortest step.
    shortest : float
        Its length in units of D, which is 1 for a change of the residuals as large as a column.
    step : ndarray, shape (n,), or None
        That step.
    """

    name = "full steps while they shrink"

    def __init__(self) -> None:
        self.best: Here | None = None
        self.shortest, self.step = np.inf, None
        self._vain = self._taken = 0

    def steepest_settled(self, momentum: float) -> float:
        return float("inf")

    def take(self, ray: Ray) -> Taken | Refusal:
        model: Any = ray.way.model
        step = ray.way.vector
        length = model.length(step)
        if length < self.shortest:
            self.best, self.shortest, self.step, self._vain = ray.origin, length, step, 0
        else:
            self._vain += 1
        there = ray.origin.x + step
        if self._vain >= VAIN or self._taken >= STEPS or np.array_equal(there, ray.origin.x):
            self._vain = 0
            return Refusal(Reason.NO_DECREASE)
        if model.fence is not None:
            step = np.clip(step, model.fence.low, model.fence.high)
        trial = ray.reach(step)
        rise = trial.here.value - ray.origin.value
        if not rise <= BLURRED * ray.ground.blur(ray.origin) or not ray.ground.is_regular(trial.here.x):  # type: ignore
            return Refusal(Reason.NO_DECREASE)
        self._taken += 1
        return ray.taken(trial)
