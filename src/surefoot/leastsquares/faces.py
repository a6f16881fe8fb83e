"""A face of a polytope as a least-squares problem of its own: the free columns, on the equalities.

In variables in which columns have length one, with ``P`` the orthogonal projection on the directions within the face,

    minimise |b - A P w|,    M^-1 s  ->  K s = M^-1 s - M^-1 C' (C M^-1 C')^+ C M^-1 s,

so that the walk and every preconditioner of the problem without equalities serve the one with them. Products are
projected too: a gradient's large part along ``C'`` would otherwise leave its rounding in what is small.

Reference: Gould, Hribar, Nocedal (2001), "On the solution of equality constrained quadratic programming problems
arising in optimization", SIAM J. Sci. Comput. 23(4), pp. 1376-1395 (algorithm 2.1, p. 1379; updates, section 5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from surefoot.leastsquares.operators import Rows
from surefoot.leastsquares.polytope import Map, Polytope
from surefoot.leastsquares.preconditioning import Preconditioner, Toolbox, inverse_lengths
from surefoot.leastsquares.rowblocks import RowBlocks
from surefoot.leastsquares.system import System

MOST_SOLVES = 200
"""Equalities up to which a factor is adapted to them, at the price of a solve each."""


class Projected:
    """``A D P``: columns times ``D``, then projected; ``P`` is symmetric."""

    def __init__(self, rows: Rows, scale: np.ndarray, along: Map) -> None:
        self._rows, self._scale, self._along = rows, scale, along
        self.shape, self.entries = rows.shape, rows.entries

    def forward(self, x: np.ndarray) -> np.ndarray:
        return self._rows.forward(self._scale * self._along(x))

    def adjoint(self, u: np.ndarray) -> np.ndarray:
        return self._along(self._scale * self._rows.adjoint(u))

    def sweep(self, w: np.ndarray, u: np.ndarray, c: float) -> tuple[np.ndarray, float]:
        back, squares = self._rows.sweep(self._scale * self._along(w), u, c)
        return self._along(self._scale * back), squares

    def gram(self, p: np.ndarray) -> np.ndarray:
        return self._along(self._scale * self._rows.gram(self._scale * self._along(p)))

    def column_squares(self) -> np.ndarray:
        """Of ``A D``; the projection only shortens them."""
        return self._scale**2 * self._rows.column_squares()

    def single(self) -> Projected | None:
        narrow = self._rows.single()
        return None if narrow is None else Projected(narrow, self._scale, self._along)


@dataclass(frozen=True)
class Face:
    """The free columns and what holds them.

    Attributes
    ----------
    free : ndarray of bool, shape (n,)
    system : System
        In the unknowns of the walk: the free columns in safe units, or on equalities at length one.
    tools : Toolbox
        Its preconditioners.
    scale : ndarray
        Free variables of length one for a unit of the walk's unknowns.
    along : callable
        The projection on the directions within the face, in all n variables at length one.
    """

    free: np.ndarray
    system: System
    tools: Toolbox
    scale: np.ndarray
    along: Map

    def unknowns(self, z: np.ndarray) -> np.ndarray:
        """What the walk knows of variables at length one."""
        return z[self.free] / self.scale

    def variables(self, x: np.ndarray) -> np.ndarray:
        """All n variables, zero where not free."""
        z = np.zeros(len(self.free))
        z[self.free] = x * self.scale
        return z


def face_of(system: System, polytope: Polytope, free: np.ndarray) -> Face:
    """The face on which the other variables stay at their bounds."""
    positions, along = np.flatnonzero(free), polytope.along(free)
    part = system.columns(positions)
    inverse = inverse_lengths(part)
    if not polytope.has_equalities:
        return Face(free, part, Toolbox(part), 1 / inverse, along)

    def inside(w: np.ndarray) -> np.ndarray:
        full = np.zeros(len(free))
        full[positions] = w
        return along(full)[positions]

    projected = replace(
        part,
        rows=Projected(part.rows, inverse, inside),
        data=Projected(part.data, inverse, inside),
        squares=part.squares * inverse**2,
        root_penalty=None,
    )
    tools = FaceTools(projected, Toolbox(part), polytope.matrix[:, positions], inside)
    return Face(free, projected, tools, np.ones(len(positions)), along)


class FaceTools(Toolbox):
    """The tools of a problem without equalities, adapted to them."""

    def __init__(self, system: System, plain: Toolbox, equalities: np.ndarray, inside: Map) -> None:
        super().__init__(system)
        self._plain, self._equalities, self._inside = plain, equalities, inside

    @property
    def entries(self) -> RowBlocks | None:
        return self._plain.entries

    @cached_property
    def lengths(self) -> Preconditioner:
        return Preconditioner(self._inside, f"{self._plain.lengths.words}, on the equalities")

    @cached_property
    def gram(self) -> Preconditioner | None:
        return self._adapted(self._plain.gram)

    @cached_property
    def sketch(self) -> Preconditioner | None:
        return self._adapted(self._plain.sketch)

    def _adapted(self, plain: Preconditioner | None) -> Preconditioner | None:
        """``K`` for an ``M``; its range lies in the face."""
        if plain is None or self._equalities.shape[0] > MOST_SOLVES or plain.valley is not None:
            return None
        inverse = inverse_lengths(self._plain.system)

        def solve(s: np.ndarray) -> np.ndarray:
            return plain.solve(s / inverse) / inverse

        rows = self._equalities if isinstance(self._equalities, np.ndarray) else self._equalities.toarray()
        turned = np.column_stack([solve(row) for row in rows])
        middle = np.linalg.pinv(rows @ turned, rcond=1e-12, hermitian=True)

        def adapted(s: np.ndarray) -> np.ndarray:
            found = solve(s)
            return self._inside(found - turned @ (middle @ (rows @ found)))

        words = f"{plain.words}, on the equalities"
        return Preconditioner(adapted, words, plain.exact, None, plain.condition, False)
