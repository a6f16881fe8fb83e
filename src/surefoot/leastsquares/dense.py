"""Dense least squares in memory: a ladder of methods, each rung dearer and sturdier than the one below.

| rung | work | holds |
|---|---|---|
| corrected seminormal equations | mn^2, a Gram matrix | condition up to about 1e7 |
| preconditioned Cholesky (CholeskyQR2) | 2-3 mn^2, matrix products | any full rank that a double can tell |
| QR | 2mn^2, Householder | any full rank; decides the rank |
| SVD | QR and n^3 | any rank: the shortest minimiser |

Every answer is looked at from A itself, so its backward error is measured and not believed; one that is not at
rounding level goes up a rung.

References: Bjorck (1987), Linear Algebra Appl. 88/89, pp. 31-48 (corrected seminormal equations); Fukaya et al. (2020),
SIAM J. Sci. Comput. 42(1), pp. A477-A503 (shifted CholeskyQR); Yamamoto et al. (2015), ETNA 44, pp. 306-326
(CholeskyQR2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from surefoot.errors import BreakdownError, DataError
from surefoot.leastsquares.backward import damped_step, karlson_walden
from surefoot.leastsquares.corrected import Corrected
from surefoot.leastsquares.minimum_norm import Spectrum
from surefoot.leastsquares.passes import SMALL, opened
from surefoot.leastsquares.rank import ROUNDOFF, Alias
from surefoot.leastsquares.rungs import RUNGS, Climb, Reached

ROUNDING_LEVEL = 4 * ROUNDOFF
"""A backward error up to this is rounding."""

TITLES = {
    "normal": "normal equations",
    "seminormal": "corrected seminormal equations",
    "cholesky-qr": "preconditioned Cholesky",
    "qr": "QR",
    "svd": "SVD",
}
"""What the rungs are called in a sentence."""

METHODS = tuple(RUNGS)


@dataclass(frozen=True)
class DenseSolution:
    """The minimiser with what was measured of it, for each of k right-hand sides.

    Attributes
    ----------
    coef : ndarray, shape (n, k)
        The answer; NaN for a column that was dropped.
    slope : ndarray, shape (n, k)
        The residual along each column, ``a_j'(b - A x) / |a_j|``: zero at the minimum.
    residual, response : ndarray, shape (k,)
        ``|b - A x|`` and ``|b|``.
    backward_error : ndarray, shape (k,)
        Karlson-Walden, relative to the matrix with columns of length one.
    upper : ndarray, shape (r, r), or None
        A triangle with ``R'R = A'A`` for the kept columns; None for a minimum-norm answer, which has ``spectrum``.
    kept : tuple of int
        The columns that ``upper`` is of.
    method : str
        The name of what ran; ``detail`` in words, ``tried`` what gave up before it and why.
    aliased : tuple of Alias
        What the dropped columns are made of.
    steps, passes : int
        Corrections made, and passes over the rows.
    """

    coef: np.ndarray
    slope: np.ndarray
    residual: np.ndarray
    response: np.ndarray
    backward_error: np.ndarray
    upper: np.ndarray | None
    spectrum: Spectrum | None
    kept: tuple[int, ...]
    method: str
    detail: str
    steps: int
    passes: int
    tried: tuple[str, ...] = ()
    aliased: tuple[Alias, ...] = ()

    @property
    def rank(self) -> int:
        return len(self.kept) if self.spectrum is None else self.spectrum.rank


def solve_dense(
    matrix: np.ndarray, right: np.ndarray, method: str = "auto", *, rank_deficient: str = "minimum-norm"
) -> DenseSolution:
    """Minimise ``|b - A x|`` for each column b of ``right``.

    Parameters
    ----------
    matrix : ndarray, shape (m, n)
        float64 or float32, finite, of sizes whose squares neither overflow nor vanish.
    right : ndarray, shape (m, k)
        float64, likewise.
    method : {'auto', 'normal', 'seminormal', 'cholesky-qr', 'qr', 'svd'}
    rank_deficient : {'minimum-norm', 'drop'}
        Where columns depend on each other: the shortest minimiser, or no coefficient for the later columns.

    Raises
    ------
    BreakdownError
        The method that was asked for cannot go through.

    Examples
    --------
    >>> import numpy as np
    >>> from surefoot.leastsquares.dense import solve_dense
    >>> solution = solve_dense(np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), np.array([[1.0], [3.0], [5.0]]))
    >>> solution.coef[:, 0].round(12).tolist(), solution.method
    ([1.0, 2.0], 'qr')
    """
    names = ladder(matrix) if method == "auto" else (method,)
    with opened(matrix, right) as rows:
        climb = Climb(rows, rank_deficient)
        if not climb.is_moderate(by_gram=names[0] not in ("qr", "svd")):
            return _in_other_units(matrix, right, method, rank_deficient)
        if method != "auto":
            return _taken(climb, method, ())
        return _climbed(climb, names)


def _climbed(climb: Climb, names: tuple[str, ...]) -> DenseSolution:
    """Up the ladder until the backward error is rounding; the last rung's answer stands whatever it is."""
    tried: list[str] = []
    if names[0] == "seminormal" and climb.looks_ill:
        tried.append(f"{TITLES['seminormal']}: a sample of the rows shows a condition that they break down at.")
        names = names[1:]
    for name in names[:-1]:
        try:
            solution = _taken(climb, name, tuple(tried))
        except BreakdownError as broken:
            tried.append(f"{TITLES[name]}: {broken}")
            continue
        error = float(np.max(solution.backward_error, initial=0.0))
        if error <= ROUNDING_LEVEL:
            return solution
        tried.append(f"{TITLES[name]}: its backward error of {error:.0e} is above rounding.")
    return _taken(climb, names[-1], tuple(tried))


def _taken(climb: Climb, name: str, tried: tuple[str, ...]) -> DenseSolution:
    """One rung; once more in double if a Gram matrix in single was too coarse for columns that nearly depend."""
    solution = _concluded(climb, RUNGS[name](climb), name, tried)
    if name != "cholesky-qr" or not climb.is_floored or climb.floored_in is np.float64:
        return solution
    if np.max(solution.backward_error, initial=0.0) <= ROUNDING_LEVEL:
        return solution
    climb.floored_in = np.float64
    return _concluded(climb, RUNGS[name](climb), name, tried)


def _in_other_units(matrix: np.ndarray, right: np.ndarray, method: str, rank_deficient: str) -> DenseSolution:
    """Solve with every column and right-hand side in units of the power of two near its largest entry."""
    require_finite(matrix, "A")
    require_finite(right, "b")
    exponents, sides = (np.frexp(np.max(np.abs(values), axis=0, initial=0.0))[1] for values in (matrix, right))
    scaled = np.ldexp(np.asarray(matrix, dtype=np.float64), -exponents)
    found = solve_dense(scaled, np.ldexp(right, -sides), method, rank_deficient=rank_deficient)
    upper, spectrum = found.upper, found.spectrum
    with np.errstate(over="ignore", under="ignore"):
        coef = np.ldexp(found.coef, sides - exponents[:, None])
    if np.any(np.isinf(coef)):
        raise DataError(
            f"Coefficient {int(np.argmax(np.isinf(coef).any(axis=1)))} (counted from 0) is too large for a double: "
            "choose other units for that column or for b."
        )
    return replace(
        found,
        coef=coef,
        slope=np.ldexp(found.slope, sides),
        residual=np.ldexp(found.residual, sides),
        response=np.ldexp(found.response, sides),
        upper=None if upper is None else np.ldexp(upper, exponents[list(found.kept)]),
        spectrum=None if spectrum is None else replace(spectrum, sizes=np.ldexp(spectrum.sizes, exponents)),
        aliased=tuple(
            Alias(a.column, tuple((j, float(np.ldexp(s, exponents[a.column] - exponents[j]))) for j, s in a.parts))
            for a in found.aliased
        ),
    )


def require_finite(values: np.ndarray, name: str) -> None:
    """Refuse NaN and infinities, saying where the first one is."""
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, *column = bad[0]
        where = f"row {row}" + (f", column {column[0]}" if column and values.shape[1] > 1 else "")
        raise DataError(
            f"{name} has a value that is no finite number: {values[tuple(bad[0])]} at {where} (counted from 0). "
            "Leave such rows out, or give them a weight of zero and a finite value."
        )


def ladder(matrix: np.ndarray) -> tuple[str, ...]:
    """The rungs to try in turn: a small matrix of doubles may as well start with QR."""
    return (
        ("qr", "svd")
        if matrix.size <= SMALL and matrix.dtype == np.float64
        else ("seminormal", "cholesky-qr", "qr", "svd")
    )


def _concluded(climb: Climb, reached: Reached, name: str, tried: tuple[str, ...]) -> DenseSolution:
    """In the units of the data, with the backward error as it is measured at the end."""
    end, scale, kept = reached.end, climb.columns.scale, list(reached.kept)
    slope, residual, error = _measured(climb, reached)
    for polish in (_smoothed, _improved):
        if np.max(error, initial=0.0) > ROUNDING_LEVEL and end.precise_looks == 1:
            end = polish(climb, reached)
            reached = replace(reached, end=end)
            slope, residual, error = _measured(climb, reached)
    coef = end.x / scale[:, None]
    dropped = np.setdiff1d(np.arange(len(coef)), kept)
    coef[dropped] = np.nan
    return DenseSolution(
        coef=coef,
        slope=slope,
        residual=residual,
        response=climb.response,
        backward_error=error,
        upper=None if reached.upper is None or reached.spectrum is not None else reached.upper * scale[kept],
        spectrum=reached.spectrum,
        kept=reached.kept,
        method=name,
        detail=reached.detail,
        steps=end.steps,
        passes=climb.extra_passes + end.steps + (end.precise_looks > 0),
        tried=tried,
        aliased=reached.aliased,
    )


def _smoothed(climb: Climb, reached: Reached) -> Corrected:
    """What a step in 20 digits leaked into the long axes of the bowl, taken out along them alone."""
    end, kept = reached.end, list(reached.kept)
    slope, residual, _ = _measured(climb, reached)
    step = np.zeros_like(end.x)
    step[kept] = damped_step(_root(climb, reached), end.x[kept], slope[kept], residual, climb.response)
    x = end.x + np.where(np.isfinite(step), step, 0.0)
    return replace(end, x=x, seen=climb.columns.look(x), steps=end.steps + 1)


def _improved(climb: Climb, reached: Reached) -> Corrected:
    """Further in 20 digits: the columns are so ill-conditioned that a step gains little."""
    return climb.improved(reached.end)


def _measured(climb: Climb, reached: Reached) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The residual along each column, its length, and the backward error."""
    seen, scale, kept = reached.end.seen, climb.columns.scale, list(reached.kept)
    slope = seen.gradient * (scale / np.where(climb.sizes > 0, climb.sizes, 1.0))[:, None]
    residual = np.sqrt(seen.squares)
    error = karlson_walden(_root(climb, reached), reached.end.x[kept], slope[kept], residual, climb.response)
    return slope, residual, error


def _root(climb: Climb, reached: Reached) -> np.ndarray:
    """R, or ``S V'``, in scaled units."""
    if reached.upper is not None:
        return reached.upper
    assert reached.spectrum is not None
    return reached.spectrum.root() / climb.columns.scale
