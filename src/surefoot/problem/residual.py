"""A residual function with its Jacobian, whatever it is written in.

    r: R^n -> R^m,    J (m, n),    S(w) = sum_i w_i Hess r_i (n, n),    r'' (v, v) (m,)

What it returns may be an array, a number or a tree of them; it is read as one vector. The Jacobian is exact where JAX
can read r (forward mode for m >= n, reverse for m < n), or where the caller gives it; else it comes from central
differences. A large one with few entries is a sparse matrix, found by colouring, and every evaluation is checked by one
more product in a random direction: a pattern that misses an entry is widened before anybody sees the Jacobian.

Reference: Griewank, Walther (2008), "Evaluating Derivatives", 2nd ed., SIAM, sections 3.1-3.2, pp. 31-60, and chapter 8
(sparse Jacobians).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.errors import ModelError
from surefoot.problem.losses import Loss
from surefoot.problem.objective import ROUNDOFF, Counts, Objective
from surefoot.problem.points import Points

if TYPE_CHECKING:
    from surefoot.problem.colouring import Compression
    from surefoot.problem.real import Graph

MANY = 200
"""Variables from which a sparse pattern is looked for."""
WORTH = 0.25
"""A pattern is worth its colouring up to this share of entries, and of products for columns."""
APART = 1e-9
"""Difference between a row of J v and the product itself, relative to its terms, that an exact pattern may show."""
WIDENINGS = 3
"""Times that one Jacobian may be found again."""


@dataclass
class Known:
    """A point and what is known of it."""

    key: bytes
    x: np.ndarray
    residual: np.ndarray | None = None
    jacobian: Any = None


class Residuals:
    """What every kind of residual function shares: shapes, counts, the last point, sparse Jacobians.

    A kind says how things are found: `_find` writes residual and, if asked, Jacobian; `products` gives ``J v``.

    Attributes
    ----------
    size, rows : int
        n and m.
    exact, exact_curvature : bool
        Whether Jacobians come from automatic differentiation or the caller; whether second derivatives can be had.
    notes : tuple of str
        Sentences that a person must read once.
    compression : Compression or None
        The pattern of a sparse Jacobian, with its colours.
    """

    source = "NumPy"
    exact = True
    exact_curvature = True
    apart = APART

    def __init__(self, points: Points, rows: int, *, roundoff: float = ROUNDOFF, notes: Sequence[str] = ()) -> None:
        self.points, self.size, self.rows = points, points.size, rows
        self.roundoff, self.notes = roundoff, tuple(notes)
        self.compression: Compression | None = None
        self._last = Known(b"", np.empty(0))
        self._random = np.random.default_rng(0)
        self._scale: np.ndarray | None = None  # of the variables, in the seeds
        self._residuals = self._jacobians = self._products = self._hessians = self._compilations = 0
        self._compile_seconds = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        return self.points.names

    @property
    def is_sparse(self) -> bool:
        """Whether Jacobians are sparse matrices."""
        return self.compression is not None

    @property
    def counts(self) -> Counts:
        """Residuals as values, Jacobians as gradients, products with J or second derivatives as products."""
        return Counts(
            self._residuals, self._jacobians, self._products, self._hessians, self._compilations, self._compile_seconds
        )

    def at(self, x: np.ndarray) -> np.ndarray:
        """The residuals, shape (m,)."""
        here = self._here(x)
        if here.residual is None:
            self._residuals += 1
            self._find(here, False)
        return here.residual  # type: ignore[return-value]

    def see(self, x: np.ndarray) -> tuple[np.ndarray, Any]:
        """Residuals (m,) and Jacobian: an array (m, n), or a sparse matrix."""
        here = self._here(x)
        if here.jacobian is None:
            self._residuals += here.residual is None
            self._jacobians += 1
            self._find(here, True)
        return here.residual, here.jacobian  # type: ignore[return-value]

    def along(self, x: np.ndarray, v: np.ndarray) -> np.ndarray | None:
        """The second derivative of r along v, ``r''(v, v)``, shape (m,); None where it cannot be had."""
        raise NotImplementedError

    def bends(self, x: np.ndarray, w: np.ndarray) -> np.ndarray | None:
        """``S(w)``, shape (n, n), symmetric; None where it cannot be had."""
        raise NotImplementedError

    def bend(self, x: np.ndarray, w: np.ndarray, v: np.ndarray) -> np.ndarray | None:
        """``S(w) v``, shape (n,); None where it cannot be had."""
        raise NotImplementedError

    def products(self, x: np.ndarray, V: np.ndarray) -> np.ndarray:
        """``J v`` for each row v of V (k, n): shape (k, m)."""
        raise NotImplementedError

    def objective(self, loss: Loss) -> Objective:
        """F, the sum of the losses, as an objective of its own that shares nothing that a walk has computed."""
        raise NotImplementedError

    def denotes(self, loss: Loss) -> Graph:
        """The real function that F denotes, for proofs.

        Raises
        ------
        ModelError
            The residuals or the loss cannot be read as real functions.
        """
        from surefoot.problem.denoted import UNREAD

        raise ModelError(UNREAD.format(self.source))

    def shaped(self, x: np.ndarray) -> Any:
        """The point in the shape of the caller's start."""
        return self.points.shaped(x)

    def flat(self, point: Any) -> np.ndarray:
        """The inverse of `shaped`."""
        return self.points.flat(point)

    def use_pattern(self, sparsity: Any) -> None:
        """Take a pattern that the caller gave.

        Raises
        ------
        ModelError
            It is no matrix of m rows and n columns.
        """
        from surefoot.problem.colouring import Compression

        shape = getattr(sparsity, "shape", None) or np.shape(sparsity)
        if shape != (self.rows, self.size):
            raise ModelError(
                f"jac_sparsity has shape {shape}; the Jacobian has {self.rows} rows, one for each residual, and "
                f"{self.size} columns, one for each variable."
            )
        self._use(Compression.of(sparsity))

    def look_for_pattern(self) -> None:
        """Find the pattern near the start, and keep it if the Jacobian has few entries."""
        from surefoot.problem.colouring import Compression

        start = self.points.start
        size = np.maximum(np.abs(start), 1.0)
        aside = [start + 0.01 * size * self._random.uniform(-1, 1, len(start)) for _ in range(2)]
        found = self._pattern_at([start, *(x for x in aside if np.all(np.isfinite(self.at(x))))])
        if found is None or found.nnz > WORTH * self.rows * self.size:
            return
        compression = Compression.of(found)
        if compression.count <= WORTH * self.size:
            self._use(compression)

    def _use(self, compression: Compression) -> None:
        self.compression, self._last = compression, Known(b"", np.empty(0))

    def _pattern_at(self, places: Sequence[np.ndarray]) -> Any:
        """Where the Jacobian has entries at any of several places."""
        from surefoot.problem.colouring import find_pattern

        def products(V: np.ndarray) -> np.ndarray:
            return sum(np.abs(self.products(x, V)) for x in places)  # type: ignore[return-value]

        return find_pattern(products, self.rows, self.size, int(WORTH * self.size), self._random)

    def _seeds(self) -> np.ndarray:
        """The directions of the colours, and a random one behind them."""
        assert self.compression is not None
        seeds = np.vstack([self.compression.seeds(), self._random.uniform(-1, 1, self.size)])
        return seeds if self._scale is None else seeds * self._scale

    def _compressed(self, x: np.ndarray, seeds: np.ndarray, images: np.ndarray) -> Any:
        """The sparse Jacobian from the images of the seeds, checked by the last of them."""
        jacobian = self._decompressed(images)
        for _ in range(WIDENINGS):
            missing = self._missing(jacobian, seeds[-1], images[-1])
            if not len(missing) or not self._widen(x, missing):
                break
            seeds = self._seeds()
            images = self.products(x, seeds)
            jacobian = self._decompressed(images)
        return jacobian

    def _decompressed(self, images: np.ndarray) -> Any:
        assert self.compression is not None
        jacobian = self.compression.spread(images[:-1])
        if self._scale is not None:
            jacobian.data /= np.repeat(self._scale, np.diff(jacobian.indptr))
        return jacobian

    def _missing(self, jacobian: Any, v: np.ndarray, image: np.ndarray) -> np.ndarray:
        """Rows whose product with v is not what the sparse matrix says."""
        terms = abs(jacobian) @ np.abs(v)
        with np.errstate(all="ignore"):
            apart = np.abs(image - jacobian @ v) > self.apart * np.maximum(terms, np.abs(image))
        return np.flatnonzero(apart & np.isfinite(image))

    def _widen(self, x: np.ndarray, missing: np.ndarray) -> bool:
        """Find the pattern anew where a row has more than it shows; False if there is nothing to add."""
        from scipy.sparse import csc_matrix

        from surefoot.problem.colouring import Compression

        assert self.compression is not None
        before = self.compression.pattern.nnz
        found = self._pattern_at([x])
        if found is None:  # not sparse any more in some rows: those are taken whole
            rows = np.repeat(missing, self.size)
            columns = np.tile(np.arange(self.size), len(missing))
            found = csc_matrix((np.ones(len(rows), bool), (rows, columns)), shape=(self.rows, self.size))
        self.compression = Compression.of(self.compression.pattern + found)
        more = self.compression.pattern.nnz - before
        if more:
            self.notes = (
                *self.notes,
                f"The pattern of the Jacobian missed {more:,} of its entries, as in residual "
                f"{int(missing[0])}: it was widened when a product with a random direction showed it.",
            )
        return more > 0

    def _here(self, x: np.ndarray) -> Known:
        x = np.ascontiguousarray(x, dtype=np.float64)
        key = x.tobytes()
        if self._last.key != key:
            if x.shape != (self.size,):
                raise ModelError(f"A point of shape {x.shape} was given; a vector of {self.size} variables is needed.")
            self._last = Known(key, x.copy())
        return self._last

    def _find(self, here: Known, jacobian: bool) -> None:
        raise NotImplementedError


def residuals_of(
    residual: Callable[..., Any] | str | Sequence[str],
    x0: Any,
    *,
    args: Any = (),
    jac: Callable[..., Any] | None = None,
    jac_sparsity: Any = None,
) -> tuple[Residuals, np.ndarray]:
    """The residual function near a start.

    JAX reads the function once; one that it cannot read runs as NumPy, and `Residuals.notes` says why.

    Parameters
    ----------
    residual : callable, str or sequence of str
        ``residual(x, *args)`` returns real numbers: an array, a number, or a tree of them. Or as it is typed: see
        `typed_residuals`.
    x0 : number, array, list of numbers, or tree of them
        The start, for its shape and for a first evaluation.
    args : sequence
        Auxiliary data; of typed residuals a mapping from names to numbers that do not vary, or such text.
    jac : callable, optional
        ``jac(x, *args)`` returns the Jacobian (m, n), an array or a sparse matrix; it is believed.
    jac_sparsity : array or sparse matrix, shape (m, n), optional
        Not zero where the Jacobian may have entries. Without it the pattern is looked for from 200 variables on.

    Returns
    -------
    residuals : Residuals
    x0 : ndarray, shape (n,)
        The start as a flat vector.

    Raises
    ------
    ModelError
        The start holds something other than finite real numbers, or the function returns something other than reals.

    References
    ----------
    Curtis, Powell, Reid (1974), "On the estimation of sparse Jacobian matrices", IMA J. Appl. Math. 13(1),
       pp. 117-119.

    Examples
    --------
    >>> residuals, x0 = residuals_of(lambda x: [10 * (x[1] - x[0] ** 2), 1 - x[0]], [-1.2, 1.0])
    >>> r, J = residuals.see(x0)
    >>> r.round(12).tolist(), (J + 0.0).tolist()
    ([-4.4, 2.2], [[24.0, 10.0], [-1.0, 0.0]])
    """
    from surefoot.problem.residual_traced import read_typed, traced_residuals_or_reason

    if isinstance(residual, str | list | tuple):
        typed, start = read_typed(residual, x0, args, jac)
        _with_pattern(typed, jac_sparsity)
        return typed, start
    if not callable(residual):
        raise ModelError(f"A residual function is needed, not {type(residual).__name__} {residual!r:.60}.")
    points = Points(x0)
    found: Residuals | str = traced_residuals_or_reason(residual, points, args, jac)
    if isinstance(found, str):
        from surefoot.problem.residual_called import CalledResiduals

        found = CalledResiduals(residual, points, args, jac=jac, reason=found)
    if jac is None:
        _with_pattern(found, jac_sparsity)
    return found, points.start


def _with_pattern(residuals: Residuals, sparsity: Any) -> None:
    if sparsity is not None:
        residuals.use_pattern(sparsity)
    elif residuals.exact and residuals.size >= MANY:
        residuals.look_for_pattern()
