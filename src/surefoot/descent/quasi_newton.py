"""Quasi-Newton directions: the curvature is learnt from how gradients change from step to step.

    p = -H g,    s = x - x_last,    y = g - g_last,    rho = 1 / y's

    BFGS      H_new = (I - rho s y') H (I - rho y s') + rho s s',    H_0 = (y's / y'y) I before the first change
    L-BFGS    the same product, from the last 10 pairs (s, y), and with the newest y's / y'y, without ever forming H

A pair whose y's is not clearly positive would make H indefinite: it is left out. That happens where f curves downwards
along the step, after steps that do not ask the conditions of Wolfe, and where y is rounding.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, section 6.1, pp. 136-143 (BFGS, its
initial scaling on p. 143), section 7.2, algorithm 7.4, p. 178 (L-BFGS).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from surefoot.descent.directions import Way
from surefoot.descent.ground import Ground, Here
from surefoot.descent.norms import length_of
from surefoot.descent.ray import Taken

CURVED = 1e-10
"""A pair counts if the cosine between s and y is above this."""
MEMORY = 10
"""Pairs that L-BFGS keeps."""


class BFGS:
    """The approximate inverse of the Hessian as a matrix: n^2 numbers, n^2 work a step.

    Examples
    --------
    >>> from surefoot.descent.bowl import Bowl
    >>> from surefoot.descent.hager_zhang import HagerZhang
    >>> from surefoot.descent.loop import walk
    >>> bowl = Bowl.of_arrays(np.array([[1.0, 0.0], [0.0, 3.0]]), np.array([1.0, 6.0]))
    >>> walk(bowl, BFGS(), HagerZhang()).x.round(12).tolist()
    [1.0, 2.0]
    """

    name = "BFGS"
    momentum = 0.0

    def __init__(self) -> None:
        self._inverse: np.ndarray | None = None
        self._learnt: Taken | None = None

    def choose(self, ground: Ground, here: Here, last: Taken | None) -> Way:
        if last is not None and last is not self._learnt:
            self._learnt = last
            self._learn(last)
        if self._inverse is None:
            return Way(-here.gradient)
        return Way(-self._inverse.dot(here.gradient), natural=1.0)

    def forget(self) -> bool:
        had, self._inverse = self._inverse is not None, None
        return had

    def memory(self, last: Taken) -> dict[str, Any]:
        """The matrix, and whether the last step is in it already."""
        kept: dict[str, Any] = {"learnt": self._learnt is last}
        return kept if self._inverse is None else {**kept, "inverse": self._inverse.copy()}

    def recall(self, kept: Mapping[str, Any], last: Taken | None) -> None:
        """Go on with the matrix of another walk."""
        self._inverse = None if "inverse" not in kept else np.array(kept["inverse"], float)
        self._learnt = last if kept["learnt"] else None

    def _learn(self, last: Taken) -> None:
        pair = _pair(last)
        if pair is None:
            return
        s, y, bent, first = pair
        if self._inverse is None:
            self._inverse = first * np.eye(len(s))
        image = self._inverse.dot(y)
        # H + (1 + y'Hy / y's) s s' / y's - (Hy s' + s (Hy)') / y's, as one outer product and its transpose.
        half = ((0.5 + 0.5 * float(y.dot(image)) / bent) * s - image) / bent
        change = s[:, None] * half
        self._inverse += change + change.T  # in one sum, so that it stays symmetric to the last bit


class LBFGS:
    """The same from the last pairs only: 4 m n work a step.

    Parameters
    ----------
    memory : int
        Pairs that are kept, m.

    Examples
    --------
    >>> from surefoot.descent.bowl import Bowl
    >>> from surefoot.descent.hager_zhang import HagerZhang
    >>> from surefoot.descent.loop import walk
    >>> bowl = Bowl.of_arrays(np.array([[1.0, 0.0], [0.0, 3.0]]), np.array([1.0, 6.0]))
    >>> walk(bowl, LBFGS(), HagerZhang()).x.round(12).tolist()
    [1.0, 2.0]
    """

    momentum = 0.0

    def __init__(self, memory: int = MEMORY) -> None:
        self.name = f"L-BFGS ({memory} pairs)"
        self._pairs: deque[tuple[np.ndarray, np.ndarray, float]] = deque(maxlen=memory)
        self._first = 1.0
        self._learnt: Taken | None = None

    def choose(self, ground: Ground, here: Here, last: Taken | None) -> Way:
        if last is not None and last is not self._learnt:
            self._learnt = last
            pair = _pair(last)
            if pair is not None:
                s, y, bent, self._first = pair
                self._pairs.append((s, y, bent))
        if not self._pairs:
            return Way(-here.gradient)
        return Way(self._two_loops(-here.gradient), natural=1.0)

    def forget(self) -> bool:
        had = bool(self._pairs)
        self._pairs.clear()
        return had

    def memory(self, last: Taken) -> dict[str, Any]:
        """The pairs, the scale of the first matrix, and whether the last step is among them already."""
        s, y = ([pair[k] for pair in self._pairs] for k in (0, 1))
        bent = [pair[2] for pair in self._pairs]
        return {"s": np.array(s), "y": np.array(y), "bent": np.array(bent), "first": self._first,
                "learnt": self._learnt is last}  # fmt: skip

    def recall(self, kept: Mapping[str, Any], last: Taken | None) -> None:
        """Go on with the pairs of another walk."""
        self._pairs.clear()
        self._pairs.extend((s, y, float(bent)) for s, y, bent in zip(kept["s"], kept["y"], kept["bent"], strict=True))
        self._first = float(kept["first"])
        self._learnt = last if kept["learnt"] else None

    def _two_loops(self, q: np.ndarray) -> np.ndarray:
        shares = []
        for s, y, bent in reversed(self._pairs):
            share = float(s.dot(q)) / bent
            shares.append(share)
            q = q - share * y
        q = self._first * q
        for (s, y, bent), share in zip(self._pairs, reversed(shares), strict=True):
            q = q + (share - float(y.dot(q)) / bent) * s
        return q


def _pair(last: Taken) -> tuple[np.ndarray, np.ndarray, float, float] | None:
    """``s, y, y's`` and ``y's / y'y``, if the ground curves upwards along the step and the numbers are doubles."""
    # Where the step truly led: with x rounded that is not quite ``length * direction``, and y belongs to it.
    s, y = last.there.x - last.origin.x, last.change
    bent, long, steep = float(y.dot(s)), length_of(s), length_of(y)
    if not bent > CURVED * long * steep:
        return None
    first = bent / steep / steep
    return (s, y, bent, first) if 0 < first < np.inf and bent < np.inf else None
