"""Losses: what a residual costs, so that a few wild ones do not decide a fit.

    F(x) = sum_i s^2 rho((r_i / s)^2),    s = f_scale, the size from which a residual counts as wild

    linear    rho(z) = z
    soft_l1   rho(z) = 2 (sqrt(1 + z) - 1)
    huber     rho(z) = z up to 1, then 2 sqrt(z) - 1
    cauchy    rho(z) = log(1 + z)
    arctan    rho(z) = arctan(z)

With z = (r/s)^2 the gradient of F is ``2 J' w r`` and its Hessian ``2 (J' D J + sum_i w_i r_i Hess r_i)``, where
``w = rho'(z)`` and ``D = rho'(z) + 2 z rho''(z)``, which is negative where a loss bends down.

Reference: Triggs, McLauchlan, Hartley, Fitzgibbon (2000), "Bundle adjustment: a modern synthesis", Vision Algorithms,
LNCS 1883, section 4.3, pp. 318-319.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.errors import ModelError

ROUND = 0.1
"""Curvature of a loss kept by a model that must be convex, as a share of its weight, where the loss bends down."""


@dataclass(frozen=True)
class Weighing:
    """A loss at residuals r, shape (m,).

    Attributes
    ----------
    costs : ndarray, shape (m,)
        ``s^2 rho``, whose sum is F.
    weights : ndarray, shape (m,)
        ``rho'``: the gradient is ``2 J' (weights r)``.
    bends : ndarray, shape (m,)
        ``D``: the Hessian has ``2 J' D J``.
    """

    costs: np.ndarray
    weights: np.ndarray
    bends: np.ndarray

    @property
    def total(self) -> float:
        """F."""
        return float(np.sum(self.costs))

    @property
    def rounded(self) -> np.ndarray:
        """``D``, kept positive as a convex model needs it, shape (m,)."""
        return np.maximum(self.bends, ROUND * self.weights)


@dataclass(frozen=True)
class Loss:
    """A loss with its scale.

    Attributes
    ----------
    name : str
    scale : float
        s.
    rule : callable
        ``rule(z, numpy)`` gives rho; ``numpy`` is NumPy or JAX's.
    slopes : callable
        ``slopes(z)`` gives ``rho', rho''`` as NumPy arrays.

    Examples
    --------
    >>> loss = loss_of("huber", 2.0)
    >>> loss.weigh(np.array([1.0, -8.0])).weights.tolist()
    [1.0, 0.25]
    """

    name: str
    scale: float
    rule: Callable[[Any, Any], Any]
    slopes: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

    @property
    def is_linear(self) -> bool:
        """Whether it is the plain sum of squares."""
        return self.name == "linear"

    @property
    def is_given(self) -> bool:
        """Whether it is a function of the caller's, whatever its name."""
        return self.name not in _LOSSES or self.rule is not _LOSSES[self.name][0]

    def total(self, r: Any, numpy: Any) -> Any:
        """F, with the arrays of NumPy or JAX."""
        if self.is_linear:
            return numpy.sum(r * r)
        return self.scale**2 * numpy.sum(self.rule((r / self.scale) ** 2, numpy))

    def weigh(self, r: np.ndarray) -> Weighing:
        """Costs, weights and curvatures."""
        if self.is_linear:
            ones = np.ones(len(r))
            return Weighing(r * r, ones, ones)
        z = (r / self.scale) ** 2
        first, second = self.slopes(z)
        return Weighing(self.scale**2 * np.asarray(self.rule(z, np), float), first, first + 2 * z * second)


def loss_of(loss: str | Callable[..., Any], scale: float = 1.0) -> Loss:
    """The loss that a name or a function stands for, as ``scipy.optimize.least_squares`` has them.

    Parameters
    ----------
    loss : str or callable
        ``"linear"``, ``"soft_l1"``, ``"huber"``, ``"cauchy"``, ``"arctan"``; or ``loss(z)``, which returns rho and its
        first two derivatives, shape (3, m).
    scale : float
        Size of a residual from which it counts as wild.

    Raises
    ------
    ModelError
        There is no such loss, or the scale is no finite number above 0.
    """
    if not (np.ndim(scale) == 0 and np.isfinite(scale) and scale > 0):
        raise ModelError(f"f_scale is a finite number above 0, not {scale!r}.")
    if callable(loss):
        name = getattr(loss, "__name__", "given")
        return Loss(name if name != "linear" else "given", float(scale), *_given(loss))
    if loss not in _LOSSES:
        near = difflib.get_close_matches(str(loss), _LOSSES, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ModelError(f"There is no loss named {loss!r}.{hint} The names are {', '.join(map(repr, _LOSSES))}.")
    return Loss(loss, float(scale), *_LOSSES[loss])


def _given(loss: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def slopes(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = np.asarray(loss(z), dtype=float)
        if found.shape != (3, *z.shape):
            raise ModelError(
                f"A loss returns rho and its two derivatives, shape (3, {len(z)}); this one returns shape "
                f"{found.shape}."
            )
        return found[1], found[2]

    return lambda z, numpy: loss(z)[0], slopes


def _soft(z: Any, numpy: Any) -> Any:
    return 2 * z / (numpy.sqrt(1 + z) + 1)  # 2 (sqrt(1 + z) - 1) without cancellation


def _huber(z: Any, numpy: Any) -> Any:
    return numpy.where(z <= 1, z, 2 * numpy.sqrt(numpy.where(z <= 1, 1.0, z)) - 1)


def _huber_slopes(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    beyond = np.where(z <= 1, 1.0, z)
    return beyond**-0.5, np.where(z <= 1, 0.0, -0.5 * beyond**-1.5)


_LOSSES: dict[str, tuple[Callable[[Any, Any], Any], Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]]] = {
    "linear": (lambda z, numpy: z, lambda z: (np.ones_like(z), np.zeros_like(z))),
    "soft_l1": (_soft, lambda z: ((1 + z) ** -0.5, -0.5 * (1 + z) ** -1.5)),
    "huber": (_huber, _huber_slopes),
    "cauchy": (lambda z, numpy: numpy.log1p(z), lambda z: (1 / (1 + z), -1 / (1 + z) ** 2)),
    "arctan": (
        lambda z, numpy: numpy.arctan(z),
        lambda z: (1 / (1 + z**2), -2 * z / (1 + z**2) ** 2),
    ),
}
"""rho, and its first two derivatives, by SciPy's names."""
