"""Least squares of arrays, exactly: every double is a binary fraction, so the data are known without any error.

    truth = exact_lstsq(A, b)        # encloses the minimiser of |b - A x|, of the doubles as they are

Reference: Bjorck (1996), "Numerical Methods for Least Squares Problems", SIAM, section 2.2, pp. 42-49 (normal
equations).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from surefoot.errors import DataError, ModelError
from surefoot.problem.rationals import Rationals
from surefoot.proof.enclosed import Enclosed
from surefoot.proof.exact_fit import ExactFit, Shape, fit_exactly
from surefoot.proof.exact_gram import ExactRows

NUMBERS = 1_000_000
"""Numbers taken at a time: an exact one takes some hundred bytes."""

Report = Callable[[int, int], None]
"""Called with the rows done and the rows there are."""


def exact_lstsq(
    A: Any,
    b: Any,
    weights: Any = None,
    report: Report | None = None,
    *,
    names: Sequence[str] | None = None,
    block: int | None = None,
) -> ExactFit:
    """Least squares of arrays, exactly: a double is a binary fraction, and so is taken as what it is.

    Parameters
    ----------
    A : array, shape (m, n)
        Doubles, or integers of any size (also as an object array), which need not fit a double.
    b : array, shape (m,) or (m, k)
        One right-hand side, or several.
    weights : array, shape (m,), optional
        Not negative; a row of weight zero is no row.
    report : callable, optional
        Called with the rows done and the rows there are, after each block.
    names : sequence of str, optional
        Of the columns, for the sentences of the certificate; x0, x1, ... if not given.
    block : int
        Rows taken at a time; about a million numbers if not given. The answer does not depend on it.

    Returns
    -------
    ExactFit
        Enclosures of the coefficients, standard errors and so on, with the proof of what the point is.

    Raises
    ------
    DataError
        The arrays do not fit together, hold no rows or values that are no finite numbers.

    References
    ----------
    Bjorck (1996), "Numerical Methods for Least Squares Problems", SIAM, section 2.2, pp. 42-49 (normal equations).

    Examples
    --------
    >>> found = exact_lstsq([[1.0, 0.1], [1.0, 0.2], [1.0, 0.3]], [0.3, 0.5, 0.8])
    >>> found.certificate.verdict.value, str(found.coef.text[1])  # of the doubles: a little more than 2.5
    ('unique global minimum', '2.5000000000000005')
    """
    A, b = _checked(A, "A"), _checked(b, "b")
    if A.ndim != 2 or b.ndim not in (1, 2) or len(A) != len(b):
        raise DataError(f"A is to be (m, n) and b (m,) or (m, k); they are {A.shape} and {b.shape}.")
    w = None if weights is None else _checked(weights, "weights")
    if w is not None and (w.shape != (len(A),) or np.any(w < 0)):
        raise DataError(f"weights is to be one number a row that is not negative; it has the shape {w.shape}.")
    responses = b[:, None] if b.ndim == 1 else b
    if names is not None and len(names) != A.shape[1]:
        raise ModelError(f"There are {len(names)} names for {A.shape[1]} columns.")
    named = tuple(names) if names is not None else tuple(f"x{k}" for k in range(A.shape[1]))
    shape = Shape(named, ones=A.shape[1], responses=responses.shape[1])
    rows = max(1, NUMBERS // shape.columns) if block is None else block
    found = fit_exactly(lambda bits: _blocks(A, responses, w, report, rows), shape)
    return _as_matrix(found) if b.ndim == 2 and responses.shape[1] == 1 else found


def _checked(values: Any, name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "biufO":
        raise DataError(f"{name} holds {array.dtype}, not real numbers.")
    if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
        place = tuple(int(k[0]) for k in np.nonzero(~np.isfinite(array)))
        raise DataError(f"{name}{list(place)} is {array[place]}: exact arithmetic needs finite numbers.")
    return array


def _blocks(
    A: np.ndarray, b: np.ndarray, weights: np.ndarray | None, report: Report | None, block: int
) -> Iterable[ExactRows]:
    for start in range(0, len(A), block):
        cut = slice(start, start + block)
        w = None if weights is None else weights[cut]
        kept = slice(None) if w is None else w > 0
        left, right = A[cut][kept], b[cut][kept]
        ones = Rationals.constant(Fraction(1), len(left))
        columns = [*(_known(left[:, j]) for j in range(A.shape[1])), ones, *(_known(one) for one in right.T)]
        yield ExactRows(columns, None if w is None else _known(w[kept]), len(left))
        if report is not None:
            report(min(start + block, len(A)), len(A))


def _known(values: np.ndarray) -> Rationals:
    if values.dtype.kind == "f":
        return Rationals.from_doubles(values)
    if values.dtype.kind == "O":
        return Rationals.from_fractions([Fraction(value) for value in values])
    return Rationals.from_integers(values)


def _as_matrix(found: ExactFit) -> ExactFit:
    """The shapes of several right-hand sides, where the matrix had only one column."""

    def grown(one: Enclosed) -> Enclosed:
        return Enclosed(one.value[..., None], one.radius[..., None], one.text[..., None], one.digits[..., None])

    words = ("coef", "stderr", "residual_ss", "total_ss", "sigma", "r2", "f")
    lengths = {"residual_length": found.residual_length[..., None], "total_length": found.total_length[..., None]}
    effects = found.effects[..., None]
    return replace(found, **{word: grown(getattr(found, word)) for word in words}, **lengths, effects=effects)
