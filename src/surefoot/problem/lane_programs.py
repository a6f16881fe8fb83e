"""Programs that take many points at once: lanes of one array, padded to a number of lanes that is compiled already.

    (x_1, ..., x_m)  ->  f(x_k), grad f(x_k), and H(x_k)

Each number of lanes is a program of its own, so few are compiled: powers of two, and what is at hand serves for fewer
lanes, or in several calls for more. Of few variables values, gradients and Hessians are one program, which takes little
longer to compile and to run than one without Hessians.

Reference: Griewank, Walther (2008), "Evaluating Derivatives", 2nd ed., SIAM, section 3.1, pp. 36-37 (the vector mode:
overhead is paid once for all lanes).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from surefoot.errors import ModelError
from surefoot.problem.derivatives import Derivatives

MOST_ENTRIES = 1 << 24
"""Numbers in one array inside f at most, over the lanes or columns that run at once: 128 MB of them."""

SMALL, NARROW = 4, 64
"""Variables, and entries of the largest array inside f, up to which Hessians come with the gradients."""

MANY, MOST = 512, 4096
"""Lanes from which on a program serves for more of them in several calls; and the most that one is compiled for."""

Run = Callable[..., np.ndarray]


class LanePrograms:
    """The lanes of a reading.

    Parameters
    ----------
    run : callable
        ``run(name, function, X)`` compiles if need be, and calls.
    size, breadth : int
        Number of variables; entries of the largest array inside f.
    curved : bool
        Whether there are Hessians.

    Attributes
    ----------
    together : bool
        Whether Hessians come with the gradients.
    """

    def __init__(self, run: Run, size: int, breadth: int, curved: bool) -> None:
        self._run, self._size = run, size
        self._breadth = max(breadth, size)
        self.together = curved and size <= SMALL and breadth <= NARROW
        self._counts: dict[str, list[int]] = {}

    def see(self, derivatives: Derivatives, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values (m,) and gradients (m, n)."""
        if self.together:
            found = self._looked(derivatives, X)
        else:
            found = self._all("lanes", derivatives.see_lanes, X, self._breadth, (1, self._size))
        return found[0][:, 0], found[1]

    def look(self, derivatives: Derivatives, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same and Hessians (m, n, n)."""
        n, found = self._size, self._looked(derivatives, X)
        hessians = found[2].reshape(-1, n, n)
        return found[0][:, 0], found[1], 0.5 * (hessians + hessians.transpose(0, 2, 1))

    def look_at(self, derivatives: Derivatives, X: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Value, gradient (n,) and Hessian (n, n) at the first row of X, which are all the same point."""
        value, gradient, hessian = (part[0] for part in self._looked(derivatives, X))
        hessian = hessian.reshape(self._size, self._size)
        return float(value[0]), gradient, 0.5 * (hessian + hessian.T)

    def heights(self, derivatives: Derivatives, X: np.ndarray) -> np.ndarray:
        """Values alone (m,)."""
        return self._all("lane values", derivatives.lane_values, X, self._breadth, (1,))[0][:, 0]

    def _looked(self, derivatives: Derivatives, X: np.ndarray) -> list[np.ndarray]:
        n = self._size
        return self._all("looks", derivatives.look_lanes, X, self._breadth * n, (1, n, n * n))

    def _all(
        self, name: str, function: Callable[..., Any], X: np.ndarray, breadth: int, widths: tuple[int, ...]
    ) -> list[np.ndarray]:
        """What a program answers for all lanes: arrays (m, width)."""
        X = np.ascontiguousarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != self._size:
            raise ModelError(f"Points of shape {X.shape} were given; (m, {self._size}) is needed.")
        count = self._count(name, len(X), breadth)
        parts = []
        for at in range(0, max(len(X), 1), count):
            part = X[at : at + count]
            found = self._run((name, count), function, self._padded(part, count))
            ends = np.cumsum([0, *widths]) * count
            pieces = [found[ends[k] : ends[k + 1]].reshape(count, width) for k, width in enumerate(widths)]
            parts.append([piece[: len(part)] for piece in pieces])
        if len(parts) == 1:
            return parts[0]
        return [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]

    def _count(self, name: str, lanes: int, breadth: int) -> int:
        """Lanes of the program to call: one that is compiled, or else a power of two whose numbers fit into memory."""
        counts = self._counts.setdefault(name, [])
        wanted = 1 << (max(lanes, 1) - 1).bit_length()
        enough = [count for count in counts if count >= wanted]
        if enough:
            return min(enough)
        if counts and max(counts) >= MANY:
            return max(counts)
        most = max(1, MOST_ENTRIES // breadth)
        counts.append(min(wanted, MOST, 1 << (most.bit_length() - 1)))
        return counts[-1]

    def _padded(self, X: np.ndarray, count: int) -> np.ndarray:
        if len(X) == count:
            return X
        full = np.empty((count, self._size))
        full[: len(X)] = X
        full[len(X) :] = X[-1] if len(X) else 0.0
        return full
