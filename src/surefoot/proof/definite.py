"""Whether a symmetric rational matrix is positive definite, semidefinite or neither: decided, never estimated.

    M <- T'MT,    T = V max(Lambda, delta)^-1/2,    D ~ M = V Lambda V' in doubles

Every round forms ``T'MT`` exactly, in integers, and brings out some thirteen more digits of the small eigenvalues. It
ends with a strictly diagonally dominant M, which is positive definite, or with a vector z that has ``z'Mz < 0``
exactly. A singular matrix of rank r is decided by its principal block of the pivot columns: the Schur complement of a
principal block of full rank is zero.

Reference: Rump (2010), "Verification methods", Acta Numerica 19, section 10.8 (preconditioning); Horn, Johnson (2013),
"Matrix Analysis", 2nd ed., section 0.7.6, p. 22 (rank and principal blocks) and theorem 4.5.8, p. 282 (Sylvester).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from surefoot.proof.exact_doubles import TooMuchError, fraction, nearest, rational

_DIGITS = 1e-13
"""Eigenvalues below this share of the largest may have any sign in doubles."""

_ROUNDS = 60
_BITS = 60


@dataclass(frozen=True)
class Definiteness:
    """What a symmetric matrix is.

    Attributes
    ----------
    rank, size : int
        Its rank, and its rows.
    down : tuple of Fraction or None
        A vector with ``z'Hz < 0``; None: there is none, the matrix is positive semidefinite.
    """

    rank: int
    size: int
    down: tuple[Fraction, ...] | None

    @property
    def is_positive_definite(self) -> bool:
        return self.down is None and self.rank == self.size

    @property
    def is_positive_semidefinite(self) -> bool:
        return self.down is None


def definiteness(matrix: Any) -> Definiteness:
    """Decide a symmetric matrix.

    Parameters
    ----------
    matrix : flint.fmpq_mat
        Symmetric.

    Raises
    ------
    TooMuchError
        The eigenvalues differ by more than some hundreds of digits.

    Examples
    --------
    >>> from flint import fmpq, fmpq_mat
    >>> decided = definiteness(fmpq_mat(2, 2, [1, 1, 1, fmpq(10**30 - 1, 10**30)]))
    >>> decided.is_positive_semidefinite, form(fmpq_mat(2, 2, [1, 1, 1, fmpq(10**30 - 1, 10**30)]), decided.down) < 0
    (False, True)
    >>> definiteness(fmpq_mat(2, 2, [1, 1, 1, 1])).rank
    1
    """
    size = matrix.nrows()
    whole = _whole(matrix)
    rank = whole.rank()
    places = list(range(size)) if rank == size else _pivots(whole)
    down = _negative(_principal(whole, places))
    if down is None:
        return Definiteness(rank, size, None)
    found = [Fraction(0)] * size
    # Whole numbers of any length, brought near 1 so that they can be read.
    longest = max(abs(value) for value in down)
    scale = Fraction(1, 1 << max(longest.bit_length() - 1, 0))
    for place, value in zip(places, down, strict=True):
        found[place] = value * scale
    return Definiteness(rank, size, tuple(found))


def is_positive_definite(matrix: Any) -> bool:
    """Whether a symmetric rational matrix is positive definite."""
    whole = _whole(matrix)
    return whole.rank() == whole.nrows() and _negative(whole) is None


def smallest_eigenvalue(matrix: Any) -> Fraction:
    """A positive lower bound of the smallest eigenvalue of a positive definite rational matrix.

    A guess in doubles is tried first, and proven by ``H - mu I`` being positive semidefinite. The last resort
    ``1 / trace(H^-1)`` never fails, and is at most n times too small.
    """
    from flint import fmpq

    size = matrix.nrows()
    if all(matrix[i, j] == 0 for i in range(size) for j in range(i)):
        return min(fraction(matrix[k, k]) for k in range(size))
    doubled = np.array([[nearest(matrix[i, j]) for j in range(size)] for i in range(size)]).reshape(size, size)
    guess = float(np.linalg.eigvalsh(doubled)[0]) if np.isfinite(doubled).all() else math.nan
    if guess > 0:
        rounded = float(f"{guess:.12g}")  # a whole number where it nearly is one
        for mu in (Fraction(rounded), Fraction(guess * (1.0 - 2.0**-45)), Fraction(guess * (1.0 - 2.0**-20))):
            if mu > 0 and definiteness(shifted(matrix, mu)).is_positive_semidefinite:
                return mu
    inverse = matrix.inv()
    return 1 / fraction(sum((inverse[k, k] for k in range(size)), fmpq(0)))


def shifted(matrix: Any, mu: Fraction) -> Any:
    """``H - mu I``."""
    from flint import fmpq_mat

    found = fmpq_mat(matrix)
    step = rational(mu)
    for k in range(matrix.nrows()):
        found[k, k] -= step
    return found


def form(matrix: Any, vector: tuple[Fraction, ...]) -> Fraction:
    """``z'Hz``."""
    from flint import fmpq_mat

    column = fmpq_mat(len(vector), 1, [rational(value) for value in vector])
    return fraction((column.transpose() * matrix * column)[0, 0])


def _negative(matrix: Any) -> list[int] | None:
    """A vector with ``z'Mz < 0`` for a symmetric integer matrix of full rank; None if it is positive definite."""
    size = matrix.nrows()
    for k in range(size):
        if matrix[k, k] < 0:
            return [int(j == k) for j in range(size)]
    basis = None
    for _ in range(_ROUNDS):
        if _is_dominant(matrix):
            return None
        values, vectors = np.linalg.eigh(_doubles(matrix))
        if values[0] < 0:
            found = _confirmed(matrix, vectors[:, 0])
            if found is not None:
                return _times(basis, found)
        step = _integers(vectors / np.sqrt(np.maximum(values, _DIGITS * values[-1])))
        matrix = step.transpose() * matrix * step
        basis = step if basis is None else basis * step
    raise TooMuchError("The eigenvalues of a matrix differ by hundreds of digits.")


def _is_dominant(matrix: Any) -> bool:
    """Whether every diagonal entry of an integer matrix exceeds the sizes of the others of its row."""
    entries = _objects(matrix)
    diagonal = np.diagonal(entries)
    return bool(np.all(2 * diagonal > np.abs(entries).sum(axis=1)))


def _confirmed(matrix: Any, direction: np.ndarray) -> Any | None:
    column = _integers(direction[:, None])
    return column if (column.transpose() * matrix * column)[0, 0] < 0 else None


def _times(basis: Any | None, column: Any) -> list[int]:
    return [int(value) for value in (column if basis is None else basis * column).entries()]


def _integers(array: np.ndarray) -> Any:
    """An array as integers in units of a power of two, the largest entry with some sixty bits."""
    from flint import fmpz_mat

    exponent = int(np.frexp(np.abs(array).max())[1])
    mantissas, exponents = np.frexp(array)
    shifts = exponents - 53 + _BITS - exponent
    whole = np.ldexp(mantissas, 53).astype(np.int64).ravel().tolist()
    entries = [m << s if s >= 0 else m >> -s for m, s in zip(whole, shifts.ravel().tolist(), strict=True)]
    rows, columns = array.shape
    return fmpz_mat(rows, columns, entries)


def _doubles(matrix: Any) -> np.ndarray:
    """An integer matrix in doubles, in units of a power of two that brings its largest entry near 1."""
    entries = _objects(matrix)
    shift = int(np.abs(entries).max()).bit_length() - 1000
    if shift > 0:
        entries = entries >> shift
    found = entries.astype(float)
    return found / np.abs(found).max()


def _objects(matrix: Any) -> np.ndarray:
    found = np.empty(matrix.nrows() * matrix.ncols(), dtype=object)
    found[:] = [int(value) for value in matrix.entries()]
    return found.reshape(matrix.nrows(), matrix.ncols())


def _whole(matrix: Any) -> Any:
    """A positive multiple in whole numbers."""
    return matrix.numer_denom()[0]


def _principal(matrix: Any, places: list[int]) -> Any:
    from flint import fmpz_mat

    return fmpz_mat(len(places), len(places), [matrix[i, j] for i in places for j in places])


def _pivots(matrix: Any) -> list[int]:
    reduced, _, rank = matrix.rref()
    found: list[int] = []
    for j in range(reduced.ncols()):
        if len(found) < rank and reduced[len(found), j] != 0:
            found.append(j)
    return found
