"""The ground of a residual function: the sum of its losses, with the Jacobian behind it.

    F = sum_i s^2 rho((r_i/s)^2),    grad F = 2 J'w r,    Hess F = 2 (J'D J + S(w r)),    near which 2 J'D J

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, section 10.1, pp. 246-247.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.descent.bounded import Fenced
from surefoot.descent.ground import Floor, Here
from surefoot.descent.landscape import Landscape
from surefoot.descent.linearised import Linearised, column_lengths, linearised

if TYPE_CHECKING:
    from surefoot.problem.box import Box
    from surefoot.problem.losses import Loss
    from surefoot.problem.residual import Residuals

FLOOR = 4.0
"""Roundings in a term of a residual, so to say."""
KEPT = 8
"""Points that are remembered."""


@dataclass(frozen=True)
class _Looked:
    """What is kept of a point: whether all is finite, lengths of columns, and what the rounding of x makes of F."""

    regular: bool
    lengths: np.ndarray
    blur: float


class Misfit(Landscape):
    """A residual function to walk on.

    Parameters
    ----------
    residuals : Residuals
        r with its Jacobian.
    loss : Loss
        What each residual costs.

    Examples
    --------
    >>> from surefoot.problem.losses import loss_of
    >>> from surefoot.problem.residual import residuals_of
    >>> residuals, x0 = residuals_of(lambda x: [10 * (x[1] - x[0] ** 2), 1 - x[0]], [-1.2, 1.0])
    >>> here = Misfit(residuals, loss_of("linear")).see(x0)
    >>> round(here.value, 12), here.gradient.round(12).tolist()
    (24.2, [-215.6, -88.0])
    """

    def __init__(self, residuals: Residuals, loss: Loss) -> None:
        super().__init__(_Summed(residuals, loss))  # type: ignore[arg-type]
        self.residuals, self.loss = residuals, loss
        self._counted = b""
        self._seen: dict[bytes, _Looked] = {}

    @property
    def lowest(self) -> float:
        return 0.0

    def height(self, x: np.ndarray) -> float:
        self._count_once(x)
        return self.objective.value(x)

    def see(self, x: np.ndarray) -> Here:
        before = self._count
        here = super().see(x)
        self._count = before
        self._count_once(x)
        self._remember(here.x)
        return here

    def blur(self, here: Here) -> float:
        """At least what the rounding of x makes of F: residuals are small differences of large numbers."""
        seen = self._seen.get(here.x.tobytes())
        return max(super().blur(here), 0.0 if seen is None else seen.blur)

    def measured_floor(self, here: Here, curvature: float) -> Floor:
        """What rounding of the residuals, of x and of the sums can make of the gradient; it costs no evaluation."""
        r, jacobian = self.residuals.see(here.x)
        weighed = self.loss.weigh(r)
        with np.errstate(all="ignore"):
            size = abs(jacobian)
            terms = size.T @ (weighed.weights * (np.asarray(size @ np.abs(here.x)) + np.abs(r)))
            found = FLOOR * 2 * self.objective.roundoff * float(np.linalg.norm(terms))
        if not self.residuals.exact:
            found = max(found, self.objective.gradient_error(here.x))  # type: ignore[attr-defined]
        return Floor(found if np.isfinite(found) else 0.0, float("inf"))

    def _remember(self, x: np.ndarray) -> _Looked:
        key = x.tobytes()
        if key not in self._seen:
            r, jacobian = self.residuals.see(x)
            entries = jacobian if isinstance(jacobian, np.ndarray) else jacobian.data
            regular = bool(np.isfinite(r).all() and np.isfinite(entries).all())
            blur = 0.0
            if regular:
                moved = abs(jacobian) @ np.abs(x)
                blur = 2 * self.objective.roundoff * float(np.abs(self.loss.weigh(r).weights * r) @ moved)
            self._seen[key] = _Looked(regular, column_lengths(jacobian), blur)
            while len(self._seen) > KEPT:
                del self._seen[next(iter(self._seen))]
        return self._seen[key]

    def linear(self, here: Here, scale: np.ndarray | None = None) -> Linearised:
        """The residuals as a linear function around a point, the loss in their rows.

        Parameters
        ----------
        here : Here
        scale : ndarray, shape (n,), optional
            Lengths of columns for the scaling; those at this point if not given.
        """
        r, jacobian = self.residuals.see(here.x)
        weighed = self.loss.weigh(r)
        roots = np.sqrt(weighed.rounded)
        with np.errstate(all="ignore"):
            target = np.where(roots > 0, weighed.weights * r / np.where(roots > 0, roots, 1.0), 0.0)
        if self.loss.is_linear:
            return linearised(target, jacobian, None, self.lengths(here.x) if scale is None else scale)
        return linearised(target, jacobian, roots, scale)

    def acceleration(self, model: Linearised, x: np.ndarray, v: np.ndarray) -> np.ndarray | None:
        """The second derivative of the residuals along v, in the rows of a model; None where it cannot be had."""
        found = self.residuals.along(x, v)
        return found if found is None or model.roots is None else model.roots * found

    def is_regular(self, x: np.ndarray) -> bool:
        """Whether residuals and Jacobian are finite."""
        return self._remember(x).regular

    def lengths(self, x: np.ndarray) -> np.ndarray:
        """Lengths of the columns of the Jacobian, shape (n,)."""
        return self._remember(x).lengths

    def _count_once(self, x: np.ndarray) -> None:
        """A point looked at twice in sequence is one evaluation."""
        key = np.ascontiguousarray(x, dtype=float).tobytes()
        self._count += key != self._counted
        self._counted = key


class FencedMisfit(Fenced):
    """The same within a box."""

    def __init__(self, misfit: Misfit, box: Box) -> None:
        super().__init__(misfit, box)
        self.misfit = misfit

    def linear(self, here: Here, scale: np.ndarray | None = None) -> Linearised:
        """The linear function, which steps may only follow within the box."""
        return self.misfit.linear(here, scale).within_box(here.x, self.box, self.held(here))

    def acceleration(self, model: Linearised, x: np.ndarray, v: np.ndarray) -> np.ndarray | None:
        return self.misfit.acceleration(model, x, v)

    def is_regular(self, x: np.ndarray) -> bool:
        return self.misfit.is_regular(x)

    def lengths(self, x: np.ndarray) -> np.ndarray:
        return self.misfit.lengths(x)


class Quiet:
    """A ground without floors: walks on it end where their own steps say so, not where the gradient is small.

    The length of a gradient says little where the variables have units worlds apart, as parameters of curves often do.
    """

    def __init__(self, ground: Misfit | FencedMisfit) -> None:
        self._ground = ground

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ground, name)

    def floor(self, here: Here, curvature: float) -> Floor:
        return Floor(0.0, 0.0)

    def measured_floor(self, here: Here, curvature: float) -> Floor:
        return Floor(0.0, 0.0)


class _Summed:
    """F as an objective: what a landscape asks of one."""

    def __init__(self, residuals: Residuals, loss: Loss) -> None:
        self._residuals, self._loss = residuals, loss
        self.size, self.roundoff = residuals.size, residuals.roundoff
        self.exact_gradient, self.exact_curvature = residuals.exact, residuals.exact_curvature

    def value(self, x: np.ndarray) -> float:
        with np.errstate(all="ignore"):
            return self._loss.weigh(self._residuals.at(x)).total

    def see(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        with np.errstate(all="ignore"):
            r, jacobian = self._residuals.see(x)
            weighed = self._loss.weigh(r)
            return weighed.total, 2 * np.asarray(jacobian.T @ (weighed.weights * r))

    def gradient_error(self, x: np.ndarray) -> float:
        """Of a gradient by central differences: the cube of their step, relative to its terms."""
        r, jacobian = self._residuals.see(x)
        return float(1e-9 * np.linalg.norm(2 * abs(jacobian).T @ np.abs(r)))

    def hessian(self, x: np.ndarray) -> np.ndarray:
        r, jacobian = self._residuals.see(x)
        dense = jacobian if isinstance(jacobian, np.ndarray) else jacobian.toarray()
        weighed = self._loss.weigh(r)
        bends = self._residuals.bends(x, weighed.weights * r)
        found = dense.T @ (weighed.bends[:, None] * dense)
        return 2 * (found if bends is None else found + bends)

    def bend(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        r, jacobian = self._residuals.see(x)
        weighed = self._loss.weigh(r)
        more = self._residuals.bend(x, weighed.weights * r, v)
        found = jacobian.T @ (weighed.bends * (jacobian @ v))
        return 2 * np.asarray(found if more is None else found + more)
