"""What a person may give for ``A``, as rows that the iterative methods can use: sparse, dense, or only its products.

``as_rows`` checks once, on purpose, what would otherwise surface as a wrong answer: entries that are not finite,
numbers that are not real, duplicates, a transposed product that is not the transpose. ``Ridged`` puts
``diag(sqrt(penalty))`` below the rows without forming it.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from surefoot.errors import DataError
from surefoot.leastsquares.rowblocks import RowBlocks
from surefoot.leastsquares.vectors import dot, norm

PROBES = 8
"""Random products that stand for the lengths of columns which nobody can see: each length to about a third."""

ADJOINT = 1e-6
"""How far ``y'(Ax)`` and ``x'(A'y)`` may be apart, in units of ``|y| |Ax|``: products in single precision pass."""


class Rows(Protocol):
    """A linear map with its transpose: what the iterative methods know of ``A``."""

    shape: tuple[int, int]
    entries: int

    def forward(self, x: np.ndarray) -> np.ndarray:
        """``A x``."""
        ...

    def adjoint(self, u: np.ndarray) -> np.ndarray:
        """``A' u``."""
        ...

    def sweep(self, w: np.ndarray, u: np.ndarray, c: float) -> tuple[np.ndarray, float]:
        """``u <- A w - c u`` in place; ``A' u`` and ``|u|^2`` of the new ``u``."""
        ...

    def gram(self, p: np.ndarray) -> np.ndarray:
        """``A' (A p)``."""
        ...

    def column_squares(self) -> np.ndarray:
        """Squared lengths of the columns, exact or estimated."""
        ...

    def single(self) -> Rows | None:
        """The same map in single precision, where that is possible and pays."""
        ...


def as_rows(A: Any) -> Rows:
    """The rows of a sparse matrix, a dense one, or an operator.

    Parameters
    ----------
    A : scipy.sparse matrix or array, ndarray, LinearOperator, or object with products
        Of shape (m, n). A sparse matrix of another format than CSR, of integers or of float32, or with duplicates is
        converted once to CSR of float64; the caller's object is not changed. An operator has ``shape`` and either
        ``matvec`` and ``rmatvec``, or ``@`` and ``.H`` or ``.T``.

    Raises
    ------
    DataError
        If an entry is not a finite real number (the message names its row and column), if there are not two
        dimensions, or if the transposed product of an operator is not the transpose.
    """
    from scipy.sparse import issparse

    if issparse(A):
        return _finite(RowBlocks(_canonical(A)))
    if isinstance(A, np.ndarray):
        return RowBlocks(_dense(A))
    rows = MatrixFree(A)
    rows.check_adjoint()
    return rows


def _canonical(A: Any) -> Any:
    """CSR of float64 without duplicates, sharing the caller's arrays where they are already that."""
    from scipy.sparse import csr_array

    _check_real(A.dtype)
    if len(A.shape) != 2:
        raise DataError(f"A has {len(A.shape)} dimension; least squares needs a matrix of two, rows and columns.")
    matrix = A.tocsr()
    if matrix.dtype != np.float64:
        matrix = matrix.astype(np.float64)
    if not matrix.has_canonical_format:
        matrix = csr_array((matrix.data, matrix.indices, matrix.indptr), shape=matrix.shape, copy=True)
        matrix.sum_duplicates()
    return matrix


def _finite(rows: RowBlocks) -> RowBlocks:
    """The rows, if every entry is finite: the squares of the columns tell, or else each is looked at."""
    matrix = rows.matrix
    if not np.all(np.isfinite(rows.column_squares())) and not np.all(np.isfinite(matrix.data)):
        at = int(np.flatnonzero(~np.isfinite(matrix.data))[0])
        row = int(np.searchsorted(matrix.indptr, at, side="right")) - 1
        raise DataError(_not_finite(matrix.data[at], row, int(matrix.indices[at])))
    return rows


def _dense(A: np.ndarray) -> np.ndarray:
    """A finite float64 matrix, rows contiguous."""
    if A.ndim != 2:
        raise DataError(f"A has {A.ndim} dimension(s); least squares needs a matrix of two, rows and columns.")
    _check_real(A.dtype)
    matrix = np.ascontiguousarray(A, dtype=np.float64)
    if not np.all(np.isfinite(matrix)):
        row, column = (int(k) for k in np.argwhere(~np.isfinite(matrix))[0])
        raise DataError(_not_finite(matrix[row, column], row, column))
    return matrix


def _check_real(dtype: Any) -> None:
    if np.dtype(dtype).kind == "c":
        raise DataError(
            "A holds complex numbers; least squares here is real. "
            "Stack the real and the imaginary parts as rows, [Re -Im; Im Re]."
        )
    if np.dtype(dtype).kind not in "biuf":
        raise DataError(f"A holds {np.dtype(dtype).name}, not numbers. Convert it to float64.")


def _not_finite(value: float, row: int, column: int) -> str:
    return (
        f"A has {value} in row {row}, column {column} (counted from 0): least squares needs finite numbers. "
        "Correct the entry, or leave the row out."
    )


class MatrixFree:
    """An operator that is known by its products only.

    Parameters
    ----------
    operator : object
        With ``shape`` and ``matvec``/``rmatvec``, or ``@`` and ``.H``/``.T``.
    """

    def __init__(self, operator: Any) -> None:
        shape = getattr(operator, "shape", None)
        if shape is None or len(shape) != 2:
            raise DataError(
                f"{type(operator).__name__} is no matrix and no operator: an operator has a shape of two numbers, "
                "matvec(x) for A x and rmatvec(y) for A'y. scipy.sparse.linalg.LinearOperator makes one of functions."
            )
        if getattr(operator, "dtype", None) is not None:
            _check_real(operator.dtype)
        self.shape = (int(shape[0]), int(shape[1]))
        self.entries = self.shape[0] + self.shape[1]
        self._forward, self._adjoint = _products(operator)
        self._rng = np.random.default_rng(20_111)

    def forward(self, x: np.ndarray) -> np.ndarray:
        return self._checked(self._forward, x, "A x", self.shape[0])

    def adjoint(self, u: np.ndarray) -> np.ndarray:
        return self._checked(self._adjoint, u, "A'y", self.shape[1])

    def sweep(self, w: np.ndarray, u: np.ndarray, c: float) -> tuple[np.ndarray, float]:
        u *= -c
        u += self.forward(w)
        return self.adjoint(u), dot(u, u)

    def gram(self, p: np.ndarray) -> np.ndarray:
        return self.adjoint(self.forward(p))

    def column_squares(self) -> np.ndarray:
        """Estimated: for random signs z the mean of (a_j'z)^2 is |a_j|^2; a column of zeros gives exactly 0."""
        total = np.zeros(self.shape[1])
        for _ in range(PROBES):
            total += self.adjoint(self._rng.choice([-1.0, 1.0], self.shape[0])) ** 2
        return total / PROBES

    def single(self) -> None:
        return None

    def check_adjoint(self) -> None:
        """Two random products: ``y'(A x)`` is ``x'(A'y)`` for the true transpose and for nothing else."""
        for _ in range(2):
            x, y = self._rng.standard_normal(self.shape[1]), self._rng.standard_normal(self.shape[0])
            image, back = self.forward(x), self.adjoint(y)
            one, other = dot(y, image), dot(x, back)
            size = max(norm(y) * norm(image), norm(x) * norm(back))
            if not abs(one - other) <= ADJOINT * size:
                raise DataError(
                    f"The operator's transposed product is not the transpose: for random x and y, y'(Ax) is {one:.6g} "
                    f"and x'(A'y) is {other:.6g}, which should be equal. Correct rmatvec (or .T): it must apply A'."
                )

    def _checked(self, product: Any, vector: np.ndarray, name: str, length: int) -> np.ndarray:
        # A copy: an operator that writes into its argument, or returns it, must not change the walk.
        try:
            out = np.array(product(vector.copy()))
        except NotImplementedError:
            raise DataError(_no_product(name)) from None
        except ValueError as error:  # scipy's LinearOperator, on a result of a wrong size
            raise DataError(f"The operator's product {name} could not be formed: {error}.") from error
        if out.dtype.kind not in "biuf" or out.size != length:
            raise DataError(
                f"The operator's product {name} has shape {out.shape} and holds {out.dtype.name}; "
                f"{length} real numbers were expected from an operator of shape {self.shape}."
            )
        out = out.reshape(length).astype(np.float64, copy=False)
        if not np.all(np.isfinite(out)):
            at = int(np.flatnonzero(~np.isfinite(out))[0])
            raise DataError(
                f"The operator's product {name} is {out[at]} at position {at} for a finite vector: it overflows, "
                "or the operator holds values that are not finite. Correct it, or choose larger units."
            )
        return out


def _products(operator: Any) -> tuple[Any, Any]:
    """``A x`` and ``A'y`` as functions, however the operator spells them."""
    if callable(getattr(operator, "matvec", None)) and callable(getattr(operator, "rmatvec", None)):
        return operator.matvec, operator.rmatvec
    if hasattr(operator, "__matmul__"):
        for name in ("H", "T"):
            back = getattr(operator, name, None)
            if back is not None and hasattr(back, "__matmul__"):
                return operator.__matmul__, back.__matmul__
    raise DataError(_no_product("A'y"))


def _no_product(name: str) -> str:
    return (
        f"The operator has no product {name}, which least squares cannot do without: "
        "give it matvec(x) for A x and rmatvec(y) for A'y, or @ and .T."
    )


class Weighted:
    """``diag(root) A`` for an operator that is known by its products only; ``root`` is the square root of weights."""

    def __init__(self, rows: MatrixFree, root: np.ndarray) -> None:
        self._rows, self._root = rows, root
        self.shape, self.entries = rows.shape, rows.entries

    def forward(self, x: np.ndarray) -> np.ndarray:
        return self._root * self._rows.forward(x)

    def adjoint(self, u: np.ndarray) -> np.ndarray:
        return self._rows.adjoint(self._root * u)

    def sweep(self, w: np.ndarray, u: np.ndarray, c: float) -> tuple[np.ndarray, float]:
        u *= -c
        u += self.forward(w)
        return self.adjoint(u), dot(u, u)

    def gram(self, p: np.ndarray) -> np.ndarray:
        return self._rows.adjoint(self._root**2 * self._rows.forward(p))

    def column_squares(self) -> np.ndarray:
        total, rng = np.zeros(self.shape[1]), np.random.default_rng(20_112)
        for _ in range(PROBES):
            total += self.adjoint(rng.choice([-1.0, 1.0], self.shape[0])) ** 2
        return total / PROBES

    def single(self) -> None:
        return None


class Columns:
    """Some columns of an operator that is known by its products only."""

    def __init__(self, rows: Rows, positions: np.ndarray) -> None:
        self._rows, self._positions = rows, positions
        self.shape, self.entries = (rows.shape[0], len(positions)), rows.entries

    def forward(self, x: np.ndarray) -> np.ndarray:
        return self._rows.forward(self._filled(x))

    def adjoint(self, u: np.ndarray) -> np.ndarray:
        return self._rows.adjoint(u)[self._positions]

    def sweep(self, w: np.ndarray, u: np.ndarray, c: float) -> tuple[np.ndarray, float]:
        back, squares = self._rows.sweep(self._filled(w), u, c)
        return back[self._positions], squares

    def gram(self, p: np.ndarray) -> np.ndarray:
        return self._rows.gram(self._filled(p))[self._positions]

    def column_squares(self) -> np.ndarray:
        return self._rows.column_squares()[self._positions]

    def single(self) -> None:
        return None

    def _filled(self, x: np.ndarray) -> np.ndarray:
        out = np.zeros(self._rows.shape[1])
        out[self._positions] = x
        return out


class Ridged:
    """``[A; diag(root)]``, where ``root`` is the square root of each coefficient's penalty; never formed."""

    def __init__(self, rows: Rows, root: np.ndarray) -> None:
        self.rows, self.root = rows, root
        self.data_rows = rows.shape[0]
        self.shape = (rows.shape[0] + rows.shape[1], rows.shape[1])
        self.entries = rows.entries + rows.shape[1]

    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.concatenate([self.rows.forward(x), self.root * x])

    def adjoint(self, u: np.ndarray) -> np.ndarray:
        return self.rows.adjoint(u[: self.data_rows]) + self.root * u[self.data_rows :]

    def sweep(self, w: np.ndarray, u: np.ndarray, c: float) -> tuple[np.ndarray, float]:
        below = u[self.data_rows :]
        below *= -c
        below += self.root * w
        back, squares = self.rows.sweep(w, u[: self.data_rows], c)
        return back + self.root * below, squares + dot(below, below)

    def gram(self, p: np.ndarray) -> np.ndarray:
        return self.rows.gram(p) + (self.root**2 * p.T).T

    def column_squares(self) -> np.ndarray:
        return self.rows.column_squares() + self.root**2

    def single(self) -> Ridged | None:
        narrow = self.rows.single()
        return None if narrow is None else Ridged(narrow, self.root)
