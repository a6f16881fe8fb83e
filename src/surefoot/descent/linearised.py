"""Residuals as a linear function around a point, and the damped steps that it proposes.

    p(mu) = argmin |r + J p|^2 + mu |D p|^2

D scales the variables by the lengths of their columns. With J D^-1 = QR once, each damping costs a small problem with
[R; sqrt(mu) I]; a sparse J has its normal equations factored, each solution refined once. Within a box the variables
that would leave it are put on their bound, and the others find their best beside them.

References: More (1978), "The Levenberg-Marquardt algorithm: implementation and theory", Lecture Notes in Mathematics
630, pp. 105-116; Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, section 10.3, pp. 254-262.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.problem.box import Box

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

EPS = float(np.finfo(float).eps)
FEW = 64
"""Rows up to which a triangle is a small one."""
FULL = 30_000_000
"""Entries of J'J above which it is not factored; conjugate directions (LSMR) solve then."""
LEAST = 1e-10
"""Damping of sparse normal equations: below it those of dependent columns have no factor."""
FAR, NEAR = 1.1, 0.9
"""A step is as long as a radius within these factors."""


class Linearised(ABC):
    """The model ``m(p) = |r + J p|^2 - |r|^2``.

    Attributes
    ----------
    target : ndarray, shape (m,)
        r, each row weighted by its loss.
    roots : ndarray, shape (m,), or None
        Weights of the rows of J; None for ones.
    jacobian : matrix, shape (m, n)
        J with its rows weighted.
    scale : ndarray, shape (n,)
        Diagonal of D, positive.
    fence : Fence or None
        Where steps may go.
    """

    def __init__(self, target: np.ndarray, roots: np.ndarray | None, jacobian: Any, scale: np.ndarray) -> None:
        self.target, self.roots, self.jacobian, self.scale = target, roots, jacobian, scale
        self.fence: Fence | None = None
        self._free: tuple[bytes, Any] | None = None

    def within_box(self, x: np.ndarray, box: Box, held: np.ndarray) -> Linearised:
        """The same, whose steps from x stay in a box; ``held`` variables do not move."""
        # A little beyond the box, whose nearest point is then the bound itself and not its neighbour.
        beyond = [np.spacing(np.maximum(np.abs(x), np.where(np.isfinite(side), np.abs(side), 0.0)))
                  for side in (box.lower, box.upper)]  # fmt: skip
        self.fence = Fence(box.lower - x - beyond[0], box.upper - x + beyond[1], held)
        return self

    def rescaled(self, scale: np.ndarray) -> Linearised:
        """The same with another D."""
        self.scale, self._free = scale, None
        return self

    @property
    def steepness(self) -> float:
        """Length of the scaled gradient."""
        return float(np.linalg.norm(2 * (self.jacobian.T @ self.target) / self.scale))

    def length(self, step: np.ndarray) -> float:
        """|D p|."""
        return float(np.linalg.norm(self.scale * step))

    def decrease(self, step: np.ndarray) -> float:
        """-m(p)."""
        image = self.jacobian @ step
        return -float(image @ (2 * self.target + image))

    def damped(self, mu: float) -> tuple[np.ndarray, float]:
        """p(mu), within the fence, and the decrease that the model predicts for it."""
        if self.fence is None:
            step = self.solve(self.target, mu)
        else:
            step = self._fenced(self.fence, mu)
        return step, self.decrease(step)

    def solve(self, right: np.ndarray, mu: float, free: np.ndarray | None = None) -> np.ndarray:
        """``argmin |right + J v|^2 + mu |D v|^2`` over the variables that are free; zero for the others.

        With mu = 0 the shortest one, ``|D v|``, of several.
        """
        key = b"" if free is None else free.tobytes()
        if self._free is None or self._free[0] != key:
            columns = slice(None) if free is None else np.flatnonzero(free)
            self._free = key, self._factored(self.jacobian[:, columns], self.scale[columns])
        found = np.zeros(len(self.scale))
        found[slice(None) if free is None else free] = self._free[1].solve(right, mu)
        return found

    def within(self, radius: float) -> tuple[np.ndarray, float]:
        """The damped step that is as long as a radius, or the whole one if it is shorter."""
        step, predicted = self.damped(0.0)
        if self.length(step) <= FAR * radius:
            return step, predicted
        low, high = -32.0, 2.0  # of log10 mu; the scaled columns have length one
        while self.length(self.damped(10.0**high)[0]) > radius and high < 300:
            high += 4
        for _ in range(60):
            middle = (low + high) / 2
            step, predicted = self.damped(10.0**middle)
            ratio = self.length(step) / radius
            if NEAR <= ratio <= FAR:
                break
            low, high = (middle, high) if ratio > 1 else (low, middle)
        return step, predicted

    def _fenced(self, fence: Fence, mu: float) -> np.ndarray:
        """Variables whose step leaves the box are put on their bound, until none does."""
        free, step = ~fence.held, np.zeros(len(self.scale))
        while np.any(free):
            whole = step + self.solve(self.target + self.jacobian @ step, mu, free)
            out = free & ((whole < fence.low) | (whole > fence.high))
            if not np.any(out):
                return whole
            step[out] = np.clip(whole[out], fence.low[out], fence.high[out])
            free = free & ~out
        return step

    @abstractmethod
    def _factored(self, jacobian: Any, scale: np.ndarray) -> Any:
        """Something with ``solve(right, mu)`` for these columns."""


@dataclass(frozen=True)
class Fence:
    """How far each variable may move down and up, and which do not move at all."""

    low: np.ndarray
    high: np.ndarray
    held: np.ndarray


class DenseLinear(Linearised):
    """The model of a Jacobian that is an array.

    Examples
    --------
    >>> model = linearised(np.array([3.0, 4.0]), np.eye(2), None, None)
    >>> model.damped(0.0)[0].round(12).tolist(), round(model.damped(0.0)[1], 12)
    ([-3.0, -4.0], 25.0)
    >>> model.damped(1.0)[0].round(12).tolist()
    [-1.5, -2.0]
    """

    @property
    def triangle(self) -> np.ndarray:
        """R of the scaled columns."""
        return self._whole().triangle

    def _whole(self) -> _Triangle:
        self.solve(self.target, 1.0)
        assert self._free is not None
        return self._free[1]

    def _factored(self, jacobian: np.ndarray, scale: np.ndarray) -> _Triangle:
        return _Triangle(jacobian, scale)


class _Triangle:
    """``J D^-1 = QR``."""

    def __init__(self, jacobian: np.ndarray, scale: np.ndarray) -> None:
        self.scale = scale
        self.columns, self.triangle = np.linalg.qr(jacobian / scale)

    def solve(self, right: np.ndarray, mu: float) -> np.ndarray:
        effects, n = -(self.columns.T @ right), len(self.scale)
        if mu == 0:
            return np.linalg.lstsq(self.triangle, effects, rcond=EPS * max(self.columns.shape))[0] / self.scale
        q, upper = np.linalg.qr(np.vstack([self.triangle, np.sqrt(mu) * np.eye(n)]))
        return backward(upper, q[: len(effects)].T @ effects) / self.scale


def backward(upper: np.ndarray, right: np.ndarray, *, transposed: bool = False) -> np.ndarray:
    """The solution with an upper triangle, or with its transpose; NaN where it is singular.

    A small triangle goes through the general solver, which keeps its rows where they are: SciPy's for triangles hands
    even the smallest to several threads.
    """
    if len(upper) <= FEW:
        try:
            return np.linalg.solve(upper.T if transposed else upper, right)
        except np.linalg.LinAlgError:
            return np.full(right.shape, np.nan)
    from scipy.linalg import LinAlgError, solve_triangular

    try:
        return solve_triangular(upper, right, trans=int(transposed), check_finite=False)
    except LinAlgError:
        return np.full(right.shape, np.nan)


class SparseLinear(Linearised):
    """The model of a Jacobian that is a sparse matrix."""

    def factor(self, mu: float) -> Any:
        """Something with ``solve`` for the damped normal equations; None where they are too full."""
        return self._factored(self.jacobian, self.scale).preconditioner(mu)

    def _factored(self, jacobian: csc_matrix, scale: np.ndarray) -> _Normal:
        return _Normal(jacobian, scale)


class _Normal:
    """The normal equations of sparse columns, ``(A'A + mu I) y = -A'r`` with ``A = J D^-1``, factored for one mu."""

    def __init__(self, jacobian: csc_matrix, scale: np.ndarray) -> None:
        self.scale = scale
        self.columns = jacobian.copy()
        self.columns.data = self.columns.data / np.repeat(scale, np.diff(jacobian.indptr))
        self._gram: Any = None
        self._factor: tuple[float, Any] | None = None

    def solve(self, right: np.ndarray, mu: float) -> np.ndarray:
        mu = max(mu, LEAST)
        factor = self._factored(mu)
        if factor is None:
            from scipy.sparse.linalg import lsmr

            found = lsmr(self.columns, -right, damp=np.sqrt(mu), atol=1e-14, btol=1e-14, conlim=1e14,
                         maxiter=10 * self.columns.shape[1])  # fmt: skip
            return found[0] / self.scale
        A = self.columns
        y = factor.solve(-(A.T @ right))
        y = y - factor.solve(A.T @ (right + A @ y) + mu * y)  # what squaring the condition lost
        return y / self.scale

    def preconditioner(self, mu: float) -> Any:
        """Something that solves with the factor; None where there is none."""
        return self._factored(mu)

    def _factored(self, mu: float) -> Any:
        from scipy.sparse import identity
        from scipy.sparse.linalg import splu

        if self._gram is None:
            self._gram = (self.columns.T @ self.columns).tocsc()
        if self._gram.nnz > FULL:
            return None
        if self._factor is None or self._factor[0] != mu:
            shifted = self._gram + mu * identity(len(self.scale), format="csc")
            try:
                found = splu(shifted, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0,
                             options={"SymmetricMode": True})  # fmt: skip
            except RuntimeError:  # singular
                found = None
            self._factor = mu, found
        return self._factor[1]


def linearised(
    target: np.ndarray, jacobian: Any, roots: np.ndarray | None, scale: np.ndarray | None
) -> DenseLinear | SparseLinear:
    """The model of a Jacobian, dense or sparse, with its rows weighted.

    Parameters
    ----------
    target : ndarray, shape (m,)
    jacobian : array or csc_matrix, shape (m, n)
        Without weights.
    roots : ndarray, shape (m,), or None
        Weights of the rows.
    scale : ndarray, shape (n,), or None
        Lengths of the columns; measured if not given.
    """
    if isinstance(jacobian, np.ndarray):
        weighted = jacobian if roots is None else roots[:, None] * jacobian
        kind = DenseLinear
    else:
        weighted = jacobian
        if roots is not None:
            weighted = jacobian.copy()
            weighted.data = jacobian.data * roots[jacobian.indices]
        kind = SparseLinear
    found = column_lengths(weighted) if scale is None else scale
    largest = float(np.max(found, initial=0.0))
    return kind(target, roots, weighted, np.where(found > 0, found, largest if largest > 0 else 1.0))


def column_lengths(jacobian: Any) -> np.ndarray:
    """Lengths of columns, dense or sparse; squares may leave the range."""
    if isinstance(jacobian, np.ndarray):
        largest = np.max(np.abs(jacobian), axis=0, initial=0.0)
        unit = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
        return unit * np.sqrt(np.sum((jacobian / unit) ** 2, axis=0))
    squared = jacobian.copy()
    squared.data = squared.data**2
    return np.sqrt(np.asarray(squared.sum(axis=0)).ravel())
