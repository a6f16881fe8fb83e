"""Nonlinear conjugate gradients: each direction keeps a share of the one before.

    p = -g + beta p_last,    y = g - g_last

    Hager-Zhang         beta = (y - 2 p |y|^2 / p'y)'g / p'y,  at least 0.4 p'g_last / |p|^2    (p = p_last)
    Fletcher-Reeves     beta = |g|^2 / |g_last|^2
    Polak-Ribiere+      beta = max(0, y'g / |g_last|^2)
    Hestenes-Stiefel    beta = max(0, y'g / p'y)
    Dai-Yuan            beta = |g|^2 / p'y

On a quadratic with exact steps they are one, and end after n steps. Elsewhere that of Hager and Zhang points downhill
whatever the step rule, with ``g'p <= -7/8 |g|^2``; its bound from below is the later one, which does not depend on the
scale of f. Those with |g|^2 above keep what a bad step has left, and crawl: they begin anew, against the gradient,
where two gradients in sequence are not nearly perpendicular, ``|g'g_last| >= 0.2 |g|^2`` (Powell's test).

Reference: Hager, Zhang (2006), "A survey of nonlinear conjugate gradient methods", Pacific J. Optim. 2(1), pp. 35-58.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from surefoot.descent.directions import Way
from surefoot.descent.ground import Ground, Here
from surefoot.descent.norms import power_of_two
from surefoot.descent.ray import Taken

LEAST = 0.4
"""How far below zero the beta of Hager and Zhang may go."""
PERPENDICULAR = 0.2
"""Gradients whose cosine, as it were, is larger than that have lost their conjugacy (Powell)."""

TAME = 1e-100
"""Gradients between this and its inverse are safe to square."""


class Beta(Protocol):
    """The share of the last direction that is kept."""

    def __call__(self, g: np.ndarray, y: np.ndarray, p: np.ndarray, last: np.ndarray) -> float:
        """From the gradient g, its change y over the last direction p, and the last gradient."""
        ...


def hager_zhang(g: np.ndarray, y: np.ndarray, p: np.ndarray, last: np.ndarray) -> float:
    """It always points downhill."""
    bent = float(p @ y)
    beta = float((y - (2 * float(y @ y) / bent) * p) @ g) / bent
    return max(beta, LEAST * float(last @ p) / float(p @ p))


def fletcher_reeves(g: np.ndarray, y: np.ndarray, p: np.ndarray, last: np.ndarray) -> float:
    """The oldest; a short step is followed by more short steps."""
    return float(g @ g) / float(last @ last)


def polak_ribiere(g: np.ndarray, y: np.ndarray, p: np.ndarray, last: np.ndarray) -> float:
    """Begins anew by itself after a short step."""
    return max(0.0, float(y @ g) / float(last @ last))


def hestenes_stiefel(g: np.ndarray, y: np.ndarray, p: np.ndarray, last: np.ndarray) -> float:
    """Conjugate to the last direction whatever the step was."""
    return max(0.0, float(y @ g) / float(p @ y))


def dai_yuan(g: np.ndarray, y: np.ndarray, p: np.ndarray, last: np.ndarray) -> float:
    """Points downhill after every step that satisfies the conditions of Wolfe."""
    return float(g @ g) / float(p @ y)


BETAS: dict[str, tuple[Beta, str]] = {
    "hz": (hager_zhang, "Hager-Zhang"),
    "fr": (fletcher_reeves, "Fletcher-Reeves"),
    "pr": (polak_ribiere, "Polak-Ribiere+"),
    "hs": (hestenes_stiefel, "Hestenes-Stiefel"),
    "dy": (dai_yuan, "Dai-Yuan"),
}


class NonlinearConjugateGradients:
    """Conjugate gradients for any function.

    Parameters
    ----------
    beta : callable
        One of ``hager_zhang``, ``fletcher_reeves``, ``polak_ribiere``, ``hestenes_stiefel`` and ``dai_yuan``.

    Examples
    --------
    >>> from surefoot.descent.bowl import Bowl
    >>> from surefoot.descent.exact_step import ExactStep
    >>> from surefoot.descent.loop import walk
    >>> bowl = Bowl.of_arrays(np.array([[1.0, 0.0], [0.0, 3.0]]), np.array([1.0, 6.0]))
    >>> walked = walk(bowl, NonlinearConjugateGradients(), ExactStep())
    >>> walked.steps <= 3, walked.x.round(12).tolist()
    (True, [1.0, 2.0])
    """

    momentum = 0.0

    def __init__(self, beta: Beta = hager_zhang) -> None:
        self.beta = beta
        said = next((said for known, said in BETAS.values() if known is beta), getattr(beta, "__name__", "own beta"))
        self.name = f"conjugate gradients ({said})"
        self._conjugate = False

    @classmethod
    def named(cls, initials: str) -> NonlinearConjugateGradients:
        """By the initials of who proposed beta: "hz", "fr", "pr", "hs" or "dy"."""
        return cls(BETAS[initials][0])

    def choose(self, ground: Ground, here: Here, last: Taken | None) -> Way:
        self._conjugate = False
        if last is None or last.origin.steepness == 0:
            return Way(-here.gradient)
        # In units in which no square leaves the range of a double; beta has none.
        steep = last.origin.steepness
        unit = 1.0 if TAME < steep < 1 / TAME else power_of_two(steep)
        g, y, p, before = (v / unit for v in (here.gradient, last.change, last.direction, last.origin.gradient))
        if not self._keeps(g, y, p, before):
            return Way(-here.gradient)
        vector = self._share(g, y, p, before) * p - g
        self._conjugate = float(vector @ g) < 0
        return Way(unit * vector if self._conjugate else -here.gradient)

    def _share(self, g: np.ndarray, y: np.ndarray, p: np.ndarray, before: np.ndarray) -> float:
        """Beta; zero, which begins anew, where squares vanish that it divides by."""
        try:
            return self.beta(g, y, p, before)
        except ZeroDivisionError:
            return 0.0

    def forget(self) -> bool:
        """The next direction is the steepest; False if this one was it."""
        had, self._conjugate = self._conjugate, False
        return had

    def _keeps(self, g: np.ndarray, y: np.ndarray, p: np.ndarray, before: np.ndarray) -> bool:
        if not float(p @ y) > 0:
            return False
        jams = self.beta in (fletcher_reeves, dai_yuan)
        return not jams or abs(float(g @ before)) < PERPENDICULAR * float(g @ g)
