"""The triangle: all that least squares needs to know of any number of rows.

For rows ``A = [X y]`` with weights ``W`` the QR factorisation ``W^(1/2) A = Q R`` gives

    A' W A = R' R,

so the small upper triangle ``R`` answers every question that the cross products could answer, without squaring the
condition number as forming ``A'WA`` would. Two triangles merge by one more QR,

    [R1; R2] = Q R      =>      R' R = R1' R1 + R2' R2,

which is associative up to rounding. A block in memory, a stream of batches and threads are therefore one computation.

Reference: Demmel, Grigori, Hoemmen, Langou (2012), "Communication-optimal parallel and sequential QR and LU
factorizations", SIAM J. Sci. Comput. 34(1), pp. A206-A239 (TSQR, pp. A210-A214).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from surefoot.errors import DataError

CHUNK = 1 << 18
"""Numbers factored at a time: two megabytes stay in the second-level cache."""

HELD = 8
"""Rows held as they are, in multiples of the columns: each factorisation rounds, and a small table then needs only one,
however it is cut into batches."""


@dataclass(frozen=True)
class Triangle:
    """The R factor of the QR factorisation of weighted rows, with what it cannot remember: counts and weights.

    Attributes
    ----------
    factor : ndarray, shape (h, k)
        ``factor.T @ factor`` equals ``A.T @ W @ A``, ``h <= 8 k``: upper triangular, or rows that wait for company.
    rows : int
        Rows that count: the sum of the frequencies over rows of positive weight.
    weight : float
        Sum of frequency times weight.
    log_weight : float
        Sum of frequency times the logarithm of the weight: the likelihood needs it.
    rounds : int
        How many factorisations, one after the other, some row has been through: each of them rounds.

    Examples
    --------
    >>> import numpy as np
    >>> from surefoot.leastsquares.triangle import Triangle
    >>> rows = np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 3.0], [1.0, 2.0, 5.0], [1.0, 3.0, 8.0]])
    >>> both = Triangle.of(rows[:1]).merge(Triangle.of(rows[1:]))
    >>> bool(np.allclose(both.factor.T @ both.factor, rows.T @ rows))
    True
    >>> both.rows
    4
    """

    factor: np.ndarray
    rows: int
    weight: float
    log_weight: float = 0.0
    rounds: int = 0

    @classmethod
    def empty(cls, columns: int) -> Triangle:
        """The triangle of no rows: merging it changes nothing."""
        return cls(np.zeros((0, columns)), 0, 0.0)

    @classmethod
    def of(
        cls, matrix: np.ndarray, weights: np.ndarray | None = None, frequencies: np.ndarray | None = None
    ) -> Triangle:
        """Factor a block of rows.

        Parameters
        ----------
        matrix : ndarray, shape (m, k)
            The rows ``[X y]``, finite.
        weights : ndarray, shape (m,), optional
            Precision weights, not negative. A row of weight zero is no row at all.
        frequencies : ndarray, shape (m,), optional
            How often each row stands for itself: whole numbers.
        """
        if weights is None and frequencies is None:
            return cls(_factor(matrix), len(matrix), float(len(matrix)), rounds=_rounds(matrix))
        ones = np.ones(len(matrix))
        weights = ones if weights is None else weights
        frequencies = ones if frequencies is None else frequencies
        kept = (weights > 0) & (frequencies > 0)
        matrix, weights, frequencies = matrix[kept], weights[kept], frequencies[kept]
        scaled = matrix * np.sqrt(weights * frequencies)[:, None]
        return cls(
            _factor(_largest_rows_first(scaled)),
            int(frequencies.sum()),
            float(weights @ frequencies),
            float(frequencies @ np.log(weights)),
            _rounds(matrix),
        )

    @classmethod
    def consuming(cls, matrix: np.ndarray) -> Triangle | None:
        """The triangle of rows that nobody needs any more: they are overwritten. None if an entry is not finite.

        Reading rows is about as fast as factoring them, so a copy or a separate look for infinities would be felt.
        """
        rows, columns = matrix.shape
        if rows <= _held(columns) or rows > _chunk(columns):
            return cls.of(matrix) if np.all(np.isfinite(matrix)) else None
        upper = _reduced(matrix, overwrite=True)
        return cls(_signed(upper), rows, float(rows), rounds=1) if np.all(np.isfinite(upper)) else None

    def merge(self, other: Triangle) -> Triangle:
        """The triangle of both sets of rows together."""
        if self.rows == 0 or other.rows == 0:
            return self if other.rows == 0 else other
        rows = np.vstack([self.factor, other.factor])
        return Triangle(
            _factor(_largest_rows_first(rows)),
            self.rows + other.rows,
            self.weight + other.weight,
            self.log_weight + other.log_weight,
            max(self.rounds, other.rounds) + _rounds(rows),
        )

    @property
    def columns(self) -> int:
        """Number of columns of the rows that were factored, the response included."""
        return self.factor.shape[1]

    def upper(self) -> np.ndarray:
        """The factor as a square upper triangle, zero rows added where there were fewer rows than columns."""
        height, width = self.factor.shape
        filled = self.factor if height >= width else np.vstack([self.factor, np.zeros((width - height, width))])
        return _signed(filled[:width]) if _is_upper(filled) else _triangularise(filled)

    def compact(self) -> Triangle:
        """The same triangle without any row of the data: what may be kept and saved."""
        return replace(self, factor=self.upper(), rounds=self.rounds + (not _is_upper(self.factor)))

    def selected(self, columns: list[int]) -> Triangle:
        """The triangle of the same rows with only these columns, in this order."""
        return replace(self, factor=_triangularise(self.upper()[:, columns]))


def _factor(matrix: np.ndarray) -> np.ndarray:
    """R of a block, by QR of chunks and then of their triangles; few rows are left as they are."""
    rows, columns = matrix.shape
    if rows <= _held(columns):
        return np.array(matrix, dtype=float)
    chunk = _chunk(columns)
    if rows <= chunk:
        return _triangularise(matrix)
    return _factor(np.vstack([_triangularise(matrix[i : i + chunk]) for i in range(0, rows, chunk)]))


def _held(columns: int) -> int:
    """How many rows wait for company; of many columns no more than the triangle itself has."""
    return columns * max(1, min(HELD, CHUNK // columns**2)) if columns else 0


def _chunk(columns: int) -> int:
    """How many rows are factored at a time."""
    return max(CHUNK // columns, 8 * columns)


def _rounds(matrix: np.ndarray) -> int:
    """Whether ``_factor`` rounds these rows, 0 or 1."""
    return int(len(matrix) > _held(matrix.shape[1]))


def _triangularise(matrix: np.ndarray) -> np.ndarray:
    """R of finite rows, with the signs fixed so that equal rows give equal triangles."""
    upper = _reduced(matrix, overwrite=False)
    if not np.all(np.isfinite(upper)):
        # Rows arrive finite, so an infinity was made here: only values beyond about 1e290 can do that.
        raise DataError(
            "The values are so large (beyond about 1e290) that their products overflow. "
            "Choose larger units for the columns concerned."
        )
    return _signed(upper)


def _reduced(matrix: np.ndarray, *, overwrite: bool) -> np.ndarray:
    """Householder QR by LAPACK, R only. An entry that is not finite spoils R, so R tells whether there was one."""
    from scipy.linalg import lapack

    # LAPACK's blocked QR runs only when it is given room; SciPy's default work array is the unblocked minimum.
    room = max(1, 64 * matrix.shape[1])
    reduced = lapack.dgeqrf(matrix, lwork=room, overwrite_a=overwrite)[0]  # pyright: ignore[reportAttributeAccessIssue]
    return np.triu(reduced[: min(matrix.shape)])


def _signed(upper: np.ndarray) -> np.ndarray:
    """The same triangle with a diagonal that is not negative."""
    return upper * np.where(np.diagonal(upper) < 0, -1.0, 1.0)[:, None]


def _largest_rows_first(matrix: np.ndarray) -> np.ndarray:
    """Rows by falling size: Householder QR is then stable row by row, whatever the spread of the weights.

    Reference: Cox, Higham (1998), "Stability of Householder QR factorization for weighted least squares problems",
    in Numerical Analysis 1997, pp. 57-73.
    """
    return matrix[np.argsort(-np.abs(matrix).max(axis=1, initial=0.0), kind="stable")]


def _is_upper(matrix: np.ndarray) -> bool:
    return not np.any(np.tril(matrix, -1))
