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
from surefoot.descent.ray import Taken

LEAST = 0.4
"""How far below zero the beta of Hager and Zhang may go."""
PERPENDICULAR = 0.2
"""Gradients whose cosine, as it were, is larger than that have lost their conjugacy (Powell)."""


class Beta(Protocol):
    """The share of the last direction that is kept."""

    def __call__(self, g: np.ndarray, last: Taken) -> float: ...


def hager_zhang(g: np.ndarray, last: Taken) -> float:
    """It always points downhill."""
    p, y = last.direction, last.change
    bent = _bent(last)
    beta = float((y - (2 * float(y @ y) / bent) * p) @ g) / bent
    return max(beta, LEAST * float(last.origin.gradient @ p) / float(p @ p))


def fletcher_reeves(g: np.ndarray, last: Taken) -> float:
    """The oldest; a short step is followed by more short steps."""
    return (_length(g) / last.origin.steepness) ** 2


def polak_ribiere(g: np.ndarray, last: Taken) -> float:
    """Begins anew by itself after a short step."""
    return max(0.0, float(last.change @ g) / last.origin.steepness**2)


def hestenes_stiefel(g: np.ndarray, last: Taken) -> float:
    """Conjugate to the last direction whatever the step was."""
    return max(0.0, float(last.change @ g) / _bent(last))


def dai_yuan(g: np.ndarray, last: Taken) -> float:
    """Points downhill after every step that satisfies the conditions of Wolfe."""
    return _length(g) ** 2 / _bent(last)


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

    def choose(self, ground: Ground, here: Here, last: Taken | None) -> Way:
        g = here.gradient
        self._conjugate = last is not None and not self._must_begin_anew(g, last)
        if not self._conjugate:
            return Way(-g)
        assert last is not None
        with np.errstate(all="ignore"):
            vector = self.beta(g, last) * last.direction - g
            self._conjugate = bool(np.isfinite(vector).all()) and float(vector @ g) < 0
        return Way(vector) if self._conjugate else Way(-g)

    def forget(self) -> bool:
        """The next direction is the steepest; False if this one was it."""
        had, self._conjugate = self._conjugate, False
        return had

    def _must_begin_anew(self, g: np.ndarray, last: Taken) -> bool:
        if last.origin.steepness == 0:
            return True
        if self.beta not in (fletcher_reeves, dai_yuan):
            return not _bent(last) > 0
        return abs(float(g @ last.origin.gradient)) >= PERPENDICULAR * float(g @ g)


def _bent(last: Taken) -> float:
    """p'y, which is positive after a step that satisfies the conditions of Wolfe."""
    return float(last.direction @ last.change)


def _length(g: np.ndarray) -> float:
    return float(np.linalg.norm(g))
