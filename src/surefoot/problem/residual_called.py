"""A residual function that runs as NumPy: the Jacobian from the caller, or from central differences.

    J v ~ (r(x + h v) - r(x - h v)) / 2h,    h = (3 s)^(1/3) over the size of the variables,

with s the noise of r relative to its size, which is measured once. Columns that share no row are found together where
their pattern is given. Where r is not finite on one side the difference is one-sided.

Reference: More, Wild (2012), "Estimating derivatives of noisy simulations", ACM TOMS 38(3), article 19.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from surefoot.problem.differences import sizes_of
from surefoot.problem.losses import Loss
from surefoot.problem.noise import noise_near
from surefoot.problem.objective import ROUNDOFF, Objective
from surefoot.problem.points import Points
from surefoot.problem.residual import Known, Residuals
from surefoot.problem.residual_traced import as_jacobian, joined
from surefoot.problem.summed import Summed

DIFFERENCED = 1e-3
"""Difference between a row of J v and the product, relative to its terms, that differences may show."""
NOISY = 1e-2
"""Noise relative to the residuals beyond which steps are not made longer any more."""


class CalledResiduals(Residuals):
    """A residual function that is called with NumPy arrays.

    Parameters
    ----------
    residual : callable
        ``residual(x, *args)`` returns numbers; x in the shape of the start.
    points : Points
        Shape of the start.
    args : sequence
        Further arguments, given as they are.
    jac : callable, optional
        The Jacobian (m, n), an array or a sparse matrix.
    reason : str
        Why JAX does not run it; the beginning of a sentence.

    Examples
    --------
    >>> called = CalledResiduals(lambda x: np.sin(x) * np.arange(1.0, 4.0), Points(0.0))
    >>> called.see(np.zeros(1))[1].round(8).tolist()
    [[1.0], [2.0], [3.0]]
    """

    def __init__(
        self,
        residual: Callable[..., Any],
        points: Points,
        args: Sequence[Any] = (),
        *,
        jac: Callable[..., Any] | None = None,
        reason: str = "",
    ) -> None:
        self._residual, self._args, self._jac = residual, tuple(args), jac
        self.points = points
        first = self._call(points.start)
        how = "with the Jacobian that was given" if jac is not None else "with the Jacobian by differences"
        super().__init__(points, len(first), notes=[f"{reason}: it runs as NumPy, {how}."] if reason else [])
        self.exact, self.exact_curvature = jac is not None, False
        self.apart = DIFFERENCED
        self._scale = sizes_of(points.start)
        self._noise: float | None = None

    def _call(self, x: np.ndarray) -> np.ndarray:
        import jax

        with jax.enable_x64(True), np.errstate(all="ignore"):
            return joined(self._residual(self.points.shaped(x), *self._args), np).astype(np.float64)

    def _probe(self, x: np.ndarray) -> np.ndarray:
        self._residuals += 1
        return self._call(x)

    def _find(self, here: Known, jacobian: bool) -> None:
        if here.residual is None:
            here.residual = self._call(here.x)
        if not jacobian:
            return
        if self._jac is not None:
            here.jacobian = self._given(here.x)
            return
        self._scale = np.maximum(sizes_of(self.points.start), np.abs(here.x))
        if self.is_sparse:
            seeds = self._seeds()
            here.jacobian = self._compressed(here.x, seeds, self.products(here.x, seeds))
            return
        here.jacobian = self.products(here.x, np.diag(self._scale)).T / self._scale

    def _given(self, x: np.ndarray) -> Any:
        with nullcontext(), np.errstate(all="ignore"):
            found = self._jac(self.points.shaped(x), *self._args)  # type: ignore[misc]
        if hasattr(found, "tocsc"):
            return as_jacobian(found.tocsc().astype(np.float64), self.rows, self.size)
        return as_jacobian(np.asarray(found, dtype=np.float64), self.rows, self.size)

    def products(self, x: np.ndarray, V: np.ndarray) -> np.ndarray:
        reach = np.cbrt(3 * self._relative_noise())
        images = np.empty((len(V), self.rows))
        for k, v in enumerate(V):
            size = float(np.max(np.abs(v) / self._scale))  # type: ignore[operator]
            h = reach / size if size > 0 else 1.0
            ahead, behind = self._probe(x + h * v), self._probe(x - h * v)
            known = self._last.residual if self._last.residual is not None else self._call(x)
            one_sided = np.where(np.isfinite(ahead), ahead - known, known - behind) / h
            images[k] = np.where(np.isfinite(ahead) & np.isfinite(behind), (ahead - behind) / (2 * h), one_sided)
        return images

    def _relative_noise(self) -> float:
        """The noise of the residuals over their size, measured at the start along one combination of them."""
        if self._noise is None:
            start = self.points.start
            w = np.random.default_rng(0).uniform(0.5, 1.0, self.rows) * np.sign(self._call(start))
            noise = noise_near(lambda x: float(w @ self._probe(x)), start, ROUNDOFF)
            size = float(np.linalg.norm(self._call(start)))
            relative = noise / size if size > 0 and np.isfinite(noise) else ROUNDOFF
            self._noise = float(np.clip(relative, ROUNDOFF, NOISY))
        return self._noise

    def along(self, x: np.ndarray, v: np.ndarray) -> np.ndarray | None:
        return None

    def bends(self, x: np.ndarray, w: np.ndarray) -> np.ndarray | None:
        return None

    def bend(self, x: np.ndarray, w: np.ndarray, v: np.ndarray) -> np.ndarray | None:
        return None

    def objective(self, loss: Loss) -> Objective:
        return Summed(self, loss)
