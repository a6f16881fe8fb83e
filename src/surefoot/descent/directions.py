"""Directions: which way to go from here, given the last step.

    steepest descent       p = -g
    conjugate gradients    p = -g + beta p_last,    beta = |g|^2 / |g_last|^2
    heavy ball             p = -g + momentum p_last
    Nesterov               p = -g + beta (p_last - (g - g_last)),    beta = (t_last - 1)/t,
                           t = (1 + sqrt(1 + 4 t_last^2))/2

On a quadratic with exact steps all formulas for beta are one (Fletcher-Reeves, Polak-Ribiere, Hestenes-Stiefel). In
rounding this one, of Fletcher and Reeves, needed the fewest steps on ill-conditioned bowls.

References: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, section 5.1, pp. 102-112 (linear
conjugate gradients), section 5.2, pp. 121-123 (formulas for beta); Hestenes, Stiefel (1952), J. Res. Nat. Bur.
Standards 49(6), pp. 409-436; Polyak (1964), "Some methods of speeding up the convergence of iteration methods", USSR
Comput. Math. Math. Phys. 4(5), pp. 1-17 (heavy ball).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from surefoot.descent.ground import Ground, Here
from surefoot.descent.quick import quick

if TYPE_CHECKING:
    from surefoot.descent.ray import Taken


class Model(Protocol):
    """A quadratic model of the ground around a point, for steps that trust it within a radius."""

    @property
    def steepness(self) -> float:
        """Length of the gradient in the units of the radius."""
        ...

    def length(self, step: np.ndarray) -> float:
        """Of a displacement, in the units of the radius."""
        ...

    def within(self, radius: float) -> tuple[np.ndarray, float]:
        """The displacement that lowers the model most within a radius, and by how much (not negative)."""
        ...


@quick
@dataclass(frozen=True)
class Way:
    """Which way to go, and what is known of it.

    Attributes
    ----------
    vector : ndarray, shape (n,)
        The direction p.
    natural : float or None
        The length at which the direction itself would stop: 1 for Newton and quasi-Newton. None if it has none.
    model : Model or None
        The model that the direction was drawn from, if there is one.
    """

    vector: np.ndarray
    natural: float | None = None
    model: Model | None = None


class Direction(Protocol):
    """A rule for the way to go. An instance that remembers steps serves one walk."""

    @property
    def name(self) -> str:
        """As a person calls it."""
        ...

    @property
    def momentum(self) -> float:
        """Share of the last step that is kept whatever the gradient says; 0 for most."""
        ...

    def choose(self, ground: Ground, here: Here, last: Taken | None) -> Way:
        """The way from a point, ``last`` being the step that led there."""
        ...

    def forget(self) -> bool:
        """Drop what was learnt from steps before; False if there was nothing, so that trying again is in vain."""
        ...


@dataclass(frozen=True)
class SteepestDescent:
    """Straight against the gradient."""

    name: str = "steepest descent"
    momentum: float = 0.0

    def choose(self, ground: Ground, here: Here, last: Taken | None) -> Way:
        return Way(-here.gradient)

    def forget(self) -> bool:
        return False


@dataclass(frozen=True)
class ConjugateGradients:
    """Against the gradient, and never undoing what the steps before have gained."""

    name: str = "conjugate gradients"
    momentum: float = 0.0

    def choose(self, ground: Ground, here: Here, last: Taken | None) -> Way:
        if last is None or last.origin.steepness == 0:
            return Way(-here.gradient)
        return Way(-here.gradient + (here.steepness / last.origin.steepness) ** 2 * last.direction)

    def forget(self) -> bool:
        return False


@dataclass(frozen=True)
class HeavyBall:
    """Against the gradient, with a share of the last step kept as momentum.

    With a fixed rate r it moves by ``-r g + momentum (x - x_last)``, which settles on a bowl of largest curvature L if
    and only if ``r < 2 (1 + momentum) / L``.
    """

    momentum: float
    name: str = "heavy ball"

    @classmethod
    def tuned(cls, largest: float, smallest: float) -> tuple[HeavyBall, float]:
        """The fastest momentum for curvatures between ``smallest`` and ``largest``, and the rate that goes with it."""
        roots = np.sqrt(largest), np.sqrt(smallest)
        return cls(float(((roots[0] - roots[1]) / (roots[0] + roots[1])) ** 2)), float(4 / (roots[0] + roots[1]) ** 2)

    def choose(self, ground: Ground, here: Here, last: Taken | None) -> Way:
        return Way(-here.gradient if last is None else -here.gradient + self.momentum * last.direction)

    def forget(self) -> bool:
        return False


class Nesterov:
    """Against the gradient, with a share of the last step kept that grows, and dropped where it leads uphill.

    The points of the walk are the extrapolated ones, y, where gradients are taken. With a fixed rate r

        x = y - r g,    y_new = x + beta (x - x_last) = y - r g + beta (y - y_last - r (g - g_last)).

    Momentum that points uphill, ``g'(x - x_last) > 0``, is dropped and its share grows from zero again. So every
    direction has ``g'p <= -|g|^2``; no share is kept whatever the gradient says, hence ``momentum`` is 0. The error on
    a bowl of condition k shrinks about like ``exp(-c steps / sqrt k)`` without k being known; rates up to 1/L are safe.

    Reference: O'Donoghue, Candes (2015), "Adaptive restart for accelerated gradient schemes", Found. Comput. Math.
    15(3), pp. 715-732.

    Examples
    --------
    >>> from surefoot.descent.bowl import Bowl
    >>> from surefoot.descent.loop import walk
    >>> from surefoot.descent.steps import FixedRate
    >>> bowl = Bowl.of_arrays(np.array([[1.0, 0.0], [0.0, 3.0]]), np.array([1.0, 6.0]))
    >>> walk(bowl, Nesterov(), FixedRate(1 / 18)).x.round(9).tolist()
    [1.0, 2.0]
    """

    name = "Nesterov's gradient with restart"
    momentum = 0.0

    def __init__(self) -> None:
        self._term = 1.0

    def choose(self, ground: Ground, here: Here, last: Taken | None) -> Way:
        g = here.gradient
        if last is None:
            self._term = 1.0
            return Way(-g)
        kept = last.direction - last.change
        if float(kept @ g) > 0:
            self._term = 1.0
            return Way(-g)
        before, self._term = self._term, (1 + np.sqrt(1 + 4 * self._term**2)) / 2
        return Way(-g + (before - 1) / self._term * kept)

    def forget(self) -> bool:
        had, self._term = self._term > 1, 1.0
        return had

    def memory(self, last: Taken) -> dict[str, float]:
        """How far the share of the last step has grown."""
        return {"term": self._term}

    def recall(self, kept: Mapping[str, Any], last: Taken | None) -> None:
        """Go on with the share of another walk."""
        self._term = float(kept["term"])
