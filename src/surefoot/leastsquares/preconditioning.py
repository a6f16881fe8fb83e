"""Preconditioners: a matrix ``M`` near ``A'A`` of which ``M^-1 s`` is cheap.

- The squared lengths of the columns (van der Sluis: within sqrt(n) of the best diagonal).
- ``A'A`` itself, factored, where it is sparse enough in a good order, or small.
- ``R'R`` from the QR of a sketch ``S A`` with few more rows than columns: the condition of ``A R^-1`` is then about
  (1 + sqrt(n/d)) / (1 - sqrt(n/d)) whatever that of ``A``.

Reference: Bjorck (1996), "Numerical Methods for Least Squares Problems", SIAM, sections 7.4.1-7.4.2, pp. 294-297;
Epperly, Meier, Nakatsukasa (2024), "Fast randomized least-squares solvers can be just as accurate and stable as
classical direct solvers", arXiv:2406.03468, algorithm 1 (column scaling, sparse signs, SVD of the sketch).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from surefoot.leastsquares.lsmr import Solve
from surefoot.leastsquares.operators import Rows
from surefoot.leastsquares.rank import ROUNDOFF
from surefoot.leastsquares.rowblocks import RowBlocks
from surefoot.leastsquares.system import System

SIGNS = 8
"""Nonzeros in a column of the sketch."""

SKETCH = 4
"""Rows of the sketch for each column of A: condition 3 after preconditioning, so half a digit a step."""

SAMPLE = 2e6
"""Products in the sample that foretells how full A'A is."""

MOST_FILL = 30_000_000
"""Entries of a factor that is still worth making: 240 MB."""


@dataclass(frozen=True)
class Preconditioner:
    """``M^-1`` and what it is called.

    Attributes
    ----------
    solve : callable
        ``M^-1 s``; by lengths of several columns s too, shape (n, k).
    words : str
        For a person.
    exact : bool
        Whether ``M`` stands for all of ``A'A``, so that the walk no longer sees the condition of ``A``.
    factor : ndarray or None
        Upper triangular ``R`` with ``R'R`` near ``D A'A D``, ``D`` the inverse lengths of the columns.
    condition : float or None
        Estimate of the condition of ``A D`` from the factor, where there is one.
    shortest : bool
        Whether the walk stays in a space in which there is one minimiser only, the shortest. A factor of ``A'A`` with
        a shift blows up what rounding puts into the other directions.
    valley : ndarray, shape (n, k), or None
        Orthonormal directions in which ``A x`` does not change, where they are known.
    """

    solve: Solve
    words: str
    exact: bool = False
    factor: np.ndarray | None = None
    condition: float | None = None
    shortest: bool = True
    valley: np.ndarray | None = None


def no_preconditioner() -> Preconditioner:
    """``M = I``: the walk stays in the row space of ``A``, so it ends at the minimiser of smallest length."""
    return Preconditioner(lambda s: s, "none")


def by_lengths(system: System) -> Preconditioner:
    """``M = diag(A'A)``."""
    inverse = inverse_lengths(system) ** 2
    how = "columns scaled to length one" if system.exact_lengths else "columns scaled by lengths from random products"
    return Preconditioner(lambda s: (inverse * s.T).T, how)


def inverse_lengths(system: System) -> np.ndarray:
    """``D``: one over the length of each column; 1 for a column of zeros."""
    squares = system.squares
    return 1.0 / np.sqrt(np.where(squares > 0, squares, 1.0))


def by_gram(system: System) -> Preconditioner | None:
    """``M = A'A`` factored, or None where that is too large or breaks down.

    The columns are put in reverse Cuthill-McKee order, those with very many neighbours last; the factor then fits in
    the envelope of ``A'A``, whose size is known before anything is factored.
    """
    if not isinstance(system.data, RowBlocks) or not system.data.sparse:
        return None
    if system.rows.shape[0] < system.rows.shape[1]:
        return None  # singular for certain
    if not _gram_is_sparse(system.data):
        return None
    scale = inverse_lengths(system)
    gram = _scaled_gram(system, scale)
    order, envelope = _order(gram)
    count = gram.shape[0]
    if min(envelope, count * count / 2) > MOST_FILL:
        return None
    # A shift at the rounding of the Gram matrix keeps its factor positive; the walk corrects for it.
    shift = 4 * ROUNDOFF * math.sqrt(count)
    if envelope > count * count / 6:
        return _dense_factor(gram.toarray(), scale, shift)
    return _sparse_factor(gram, order, scale, shift, envelope)


def gram_products(rows: RowBlocks) -> float:
    """Products of two entries of a row that A'A sums up."""
    per_row = np.diff(rows.matrix.indptr).astype(float)
    return float(per_row @ per_row)


def _gram_is_sparse(rows: RowBlocks) -> bool:
    """Whether A'A fits in memory: certain by its size or by its sums, or else judged by a sample of the rows."""
    products, count = gram_products(rows), rows.shape[1]
    if min(products, float(count) ** 2) <= MOST_FILL:
        return True
    if products > 100 * MOST_FILL:
        return False
    some = rows.matrix[:: math.ceil(products / SAMPLE)]
    # Where the rows of the sample hardly ever meet in an entry, all rows together fill far more than fits.
    return (some.T @ some).nnz < gram_products(RowBlocks(some)) / 8


def _scaled_gram(system: System, scale: np.ndarray) -> Any:
    """``D A'A D`` with the penalty, sparse."""
    from scipy.sparse import csc_array, dia_array

    assert isinstance(system.data, RowBlocks)
    rows = system.data.matrix @ dia_array((scale[None], [0]), shape=(len(scale), len(scale)))
    gram = csc_array(rows.T @ rows)
    diagonal = np.zeros(len(scale)) if system.root_penalty is None else (system.root_penalty * scale) ** 2
    diagonal = diagonal + (system.squares == 0)
    return csc_array(gram + dia_array((diagonal[None], [0]), shape=gram.shape))


def _order(gram: Any) -> tuple[np.ndarray, float]:
    """An order of the columns and the entries of the envelope in it."""
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    count = gram.shape[0]
    neighbours = np.diff(gram.indptr)
    crowded = neighbours > max(64.0, 10 * math.sqrt(count))
    lonely = np.flatnonzero(~crowded)
    inner = gram[lonely][:, lonely].tocsr() if crowded.any() else gram.tocsr()
    order = np.concatenate([lonely[reverse_cuthill_mckee(inner, symmetric_mode=True)], np.flatnonzero(crowded)])
    placed = gram[order][:, order].tocoo()
    first = np.arange(count)
    np.minimum.at(first, placed.coords[0], placed.coords[1])
    return order, float(np.sum(np.arange(count) - first + 1))


def _dense_factor(gram: np.ndarray, scale: np.ndarray, shift: float) -> Preconditioner | None:
    from scipy.linalg import cholesky, solve_triangular

    gram[np.diag_indices_from(gram)] += shift
    try:
        upper = cholesky(gram, overwrite_a=True, check_finite=False)
    except np.linalg.LinAlgError:
        return None

    def solve(s: np.ndarray) -> np.ndarray:
        half = solve_triangular(upper, scale * s, trans=1, check_finite=False)
        return scale * solve_triangular(upper, half, check_finite=False)

    words = f"Cholesky factor of A'A, {len(scale):,} columns"
    return Preconditioner(solve, words, True, upper, _triangle_condition(upper), False)


def _sparse_factor(
    gram: Any, order: np.ndarray, scale: np.ndarray, shift: float, envelope: float
) -> Preconditioner | None:
    from scipy.sparse import csc_array, eye_array
    from scipy.sparse.linalg import splu

    placed = csc_array(gram[order][:, order] + shift * eye_array(len(order), format="csc"))
    try:
        factor = splu(placed, permc_spec="NATURAL", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    except RuntimeError:  # exactly singular
        return None
    if not np.array_equal(factor.perm_r, factor.perm_c):
        return None  # pivoting off the diagonal: not positive definite in floating point

    def solve(s: np.ndarray) -> np.ndarray:
        out = np.empty(len(s))
        out[order] = factor.solve((scale * s)[order])
        return scale * out

    pivots = np.abs(factor.U.diagonal())
    condition = math.sqrt(float(pivots.max() / pivots.min()))
    words = f"sparse factor of A'A, {factor.L.nnz:,} entries (at most {envelope:,.0f} foreseen)"
    return Preconditioner(solve, words, True, None, condition, False)


def by_sketch(system: System, seed: int = 20_110) -> Preconditioner | None:
    """``M = R'R`` from a sketch; None where the columns are dependent to rounding or the entries are not at hand."""
    if not isinstance(system.data, RowBlocks) or system.rows.shape[0] < system.rows.shape[1]:
        return None
    scale = inverse_lengths(system)
    reduced = _sketched(system.data, seed) * scale
    below = np.diag((system.squares == 0).astype(float))
    if system.root_penalty is not None:
        below = below + np.diag(system.root_penalty * scale)
    if below.any():
        reduced = np.vstack([reduced, below])
    upper = triangle(reduced)
    condition = _triangle_condition(upper)
    if not condition < 1 / _cutoff(len(scale)):
        return _by_singular_values(upper, scale)
    from scipy.linalg import solve_triangular

    def solve(s: np.ndarray) -> np.ndarray:
        half = solve_triangular(upper, scale * s, trans=1, check_finite=False)
        return scale * solve_triangular(upper, half, check_finite=False)

    return Preconditioner(solve, f"QR of a sketch with {len(reduced):,} rows", True, upper, condition)


def _sketched(rows: RowBlocks, seed: int) -> np.ndarray:
    """``S A`` with ``S`` of sparse signs; ``A`` itself where it has no more rows than the sketch would."""
    height, width = rows.shape
    count = SKETCH * width + 20
    if height <= count:
        return np.array(rows.matrix.toarray() if rows.sparse else rows.matrix)
    from scipy.sparse import csc_array

    rng = np.random.default_rng(seed)
    # One place in each of SIGNS bands, so that no place is drawn twice for a row.
    band = count // SIGNS
    places = rng.integers(0, band, (height, SIGNS)) + band * np.arange(SIGNS)
    signs = rng.choice([-1.0, 1.0], height * SIGNS) / math.sqrt(SIGNS)
    sketch = csc_array((signs, places.ravel(), np.arange(height + 1) * SIGNS), shape=(band * SIGNS, height))
    product = sketch.tocsr() @ rows.matrix
    return np.asarray(product.toarray() if rows.sparse else product)


def triangle(matrix: np.ndarray) -> np.ndarray:
    """R of the QR of a matrix with at least as many rows as columns."""
    from scipy.linalg import lapack

    room = max(1, 64 * matrix.shape[1])
    reduced = lapack.dgeqrf(np.asfortranarray(matrix), lwork=room, overwrite_a=True)[0]  # pyright: ignore[reportAttributeAccessIssue]
    return np.triu(reduced[: matrix.shape[1]])


def _triangle_condition(upper: np.ndarray) -> float:
    """LAPACK's estimate in the 1-norm; within sqrt(n) or so of the true one."""
    from scipy.linalg import lapack

    reciprocal, _ = lapack.dtrcon(upper)  # pyright: ignore[reportAttributeAccessIssue]
    return 1 / float(reciprocal) if reciprocal > 0 else math.inf


def _by_singular_values(upper: np.ndarray, scale: np.ndarray) -> Preconditioner:
    """Columns that depend on each other to rounding: only the directions that do not are walked."""
    _, sizes, right = np.linalg.svd(upper)
    kept = sizes > _cutoff(len(sizes)) * sizes[0]
    basis, inverse = right[kept] * scale, sizes[kept] ** -2

    def solve(s: np.ndarray) -> np.ndarray:
        return basis.T @ (inverse * (basis @ s))

    words = f"SVD of a sketch, {int(kept.sum()):,} of {len(sizes):,} directions kept"
    valley = np.linalg.qr((right[~kept] * scale).T)[0]
    return Preconditioner(solve, words, True, upper, float(sizes[0] / sizes[kept][-1]), True, valley)


def _cutoff(columns: int) -> float:
    """Smallest over largest singular value, of columns at length one, below which the smallest is rounding."""
    return 30 * ROUNDOFF * math.sqrt(columns)


class Toolbox:
    """What several right-hand sides of one problem share, each made when it is first asked for."""

    def __init__(self, system: System) -> None:
        self.system = system

    @property
    def entries(self) -> RowBlocks | None:
        """The rows without those of the penalty, where their entries are at hand."""
        return self.system.data if isinstance(self.system.data, RowBlocks) else None

    @cached_property
    def lengths(self) -> Preconditioner:
        return by_lengths(self.system)

    @cached_property
    def gram(self) -> Preconditioner | None:
        return by_gram(self.system)

    @cached_property
    def sketch(self) -> Preconditioner | None:
        return by_sketch(self.system)

    @cached_property
    def single(self) -> Rows | None:
        """The rows in single precision."""
        return self.system.rows.single()
