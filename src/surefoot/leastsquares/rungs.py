"""The rungs of the ladder for dense rows in memory, each a few lines over the passes that they share.

Columns are seen scaled by powers of two to a length of about one, which rounds nothing and copies nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from surefoot.errors import BreakdownError
from surefoot.leastsquares.chain import (
    SINGLE_TOO_FAR,
    SQUARED_TOO_FAR,
    back,
    forth,
    is_plain,
    is_plain_in_single,
    preconditioned,
    product,
    shifted,
)
from surefoot.leastsquares.corrected import Columns, Corrected, correct, correct_once_precisely, correct_precisely
from surefoot.leastsquares.gram import Cholesky, cholesky, damped, triangular_factor
from surefoot.leastsquares.minimum_norm import Spectrum, spectrum, spectrum_of_triangle
from surefoot.leastsquares.orthogonal import triangle_of
from surefoot.leastsquares.passes import SMALL, Look, Rows
from surefoot.leastsquares.rank import (
    Alias,
    find_rank,
    has_full_rank,
    lengths,
    tolerance_for,
    triangular_condition,
)
from surefoot.parallel import one_blas_thread

MOST_ROUNDS = 3

CHEAP, FAIR = 1 << 20, 1 << 23
"""Numbers in a matrix up to which looks in about 20 digits are taken at any condition: as many as help, or one."""

DOUBTFUL = 1e14
"""Condition of a sample of rows from which the rank is in doubt."""

LOPSIDED = 100.0
"""Squared length that no column has after preconditioning by a sample that the other rows are like."""

HOPELESS = 3e8
"""Condition of a sample of rows from which the Gram matrix of all rows is not worth forming."""

ENOUGH_ROWS = 200
"""Rows in a sample beside five for every four columns."""

TINY, HUGE = 1e-140, 1e150
"""Lengths of columns between which nothing over- or underflows, squares included."""

Solve = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Reached:
    """Where a rung ended, in scaled units; only a minimum-norm answer has a spectrum, of the columns as they are."""

    end: Corrected
    kept: tuple[int, ...]
    upper: np.ndarray | None
    spectrum: Spectrum | None
    detail: str
    aliased: tuple[Alias, ...] = ()


class Climb:
    """What the rungs share: the rows, the first pass over them, and a count of the passes."""

    def __init__(self, rows: Rows, rank_deficient: str) -> None:
        self.rows = rows
        self.rank_deficient = rank_deficient
        self.width = rows.matrix.shape[1]
        self.extra_passes = 0
        self.floored_in: type = np.float32
        """Precision of the Gram matrix after a first triangle with a floor; taken up where the answer is not good."""
        self.is_floored = False
        self._way: tuple[Solve, Solve]

    @property
    def is_wide(self) -> bool:
        return len(self.rows.matrix) < self.width

    def is_moderate(self, *, by_gram: bool) -> bool:
        """Whether all is finite, and squares neither overflow nor vanish: seen from the first pass, whichever it is."""
        with np.errstate(over="ignore", invalid="ignore"):
            seen = self.first[1] if by_gram and not self.looks_ill else self.from_zero
            sizes = np.concatenate([self.sizes, np.sqrt(seen.squares)])
        small = np.flatnonzero(~(self.sizes > TINY))
        return (
            bool(np.all(sizes < HUGE))
            and not np.any(self.rows.matrix[:, small])
            and not np.any(self.rows.right[:, ~(seen.squares > TINY**2)])
        )

    @cached_property
    def first(self) -> tuple[np.ndarray, Look]:
        """The Gram matrix and the look from zero, in the units of the data."""
        self.extra_passes += 1
        with np.errstate(over="ignore", invalid="ignore"):
            return self.rows.gram()

    @cached_property
    def from_zero(self) -> Look:
        """The look from zero, in the units of the data; from the first pass if that was made."""
        if "first" in self.__dict__:
            return self.first[1]
        self.extra_passes += 1
        return self.rows.look(np.zeros((self.width, self.rows.right.shape[1])))

    @cached_property
    def sizes(self) -> np.ndarray:
        """The lengths of the columns, shape (n,)."""
        if "first" in self.__dict__:
            return np.sqrt(np.diagonal(self.first[0]))
        self.extra_passes += 1
        with np.errstate(over="ignore", invalid="ignore"):
            return np.sqrt(self.rows.column_squares())

    @cached_property
    def looks_ill(self) -> bool:
        """Whether a few rows already show a condition that the Gram matrix of all would break down at."""
        rows = self.sample
        if rows is None:
            return False
        gram = replace(self.rows, matrix=rows, right=rows[:, :0]).gram()[0]
        sizes = np.sqrt(np.diagonal(gram))
        if not (np.all(sizes < HUGE) and np.all(sizes > TINY)):
            return False
        found = cholesky(gram / sizes / sizes[:, None])
        return found is None or found.condition > HOPELESS

    @cached_property
    def sampled(self) -> Cholesky | None:
        """The R of some rows, in the units of all: nearly a factor of A, if no row is like no other.

        Where the rank is in doubt, with a floor under it that is far below what counts.
        """
        rows = self.sample
        if rows is None:
            return None
        upper = triangular_factor(rows / (self.columns.scale * np.sqrt(len(rows) / len(self.rows.matrix))))
        condition = triangular_condition(upper)
        if condition < DOUBTFUL:
            return Cholesky(upper, 0.0, condition)
        floor = tolerance_for(self.width) / 16
        return Cholesky(damped(upper, floor), floor**2, condition)

    @cached_property
    def sample(self) -> np.ndarray | None:
        """Evenly spaced rows, somewhat more than columns; None where that is a good part of all."""
        matrix = self.rows.matrix
        wanted = self.width + self.width // 4 + ENOUGH_ROWS
        if len(matrix) < 4 * wanted:
            return None
        return np.asarray(matrix[:: len(matrix) // wanted][:wanted], dtype=np.float64)

    @cached_property
    def columns(self) -> Columns:
        return Columns(self.rows, np.exp2(np.round(np.log2(np.where(self.sizes > 0, self.sizes, 1.0)))))

    @property
    def start(self) -> tuple[np.ndarray, Look]:
        """Zero and the look from there, in scaled units."""
        seen = self.from_zero
        return np.zeros_like(seen.gradient), Look(seen.gradient / self.columns.scale[:, None], seen.squares)

    @cached_property
    def triangle(self) -> np.ndarray:
        """The triangle of ``[A b]`` with the columns of A in scaled units."""
        self.extra_passes += 1
        whole = triangle_of(self.rows).upper()
        whole[:, : self.width] /= self.columns.scale
        return whole

    def looked_at(self, x: np.ndarray) -> tuple[np.ndarray, Look]:
        """A point in scaled units with the look from there."""
        self.extra_passes += 1
        return x, self.columns.look(x)

    @property
    def response(self) -> np.ndarray:
        return np.sqrt(self.from_zero.squares)

    def corrected(
        self, solve: Solve, size: Solve, start: tuple[np.ndarray, Look], precisely: bool = False
    ) -> Corrected:
        """Corrected from a start; more precisely at the end where that was asked for or is cheap."""
        self._way = solve, size
        with self._crew_alone():
            end = correct(self.columns.look, solve, size, start, self.response)
            if self.rows.matrix.size <= CHEAP:
                return correct_precisely(self.columns, solve, size, end, self.response)
            precisely = precisely or self.rows.matrix.size <= FAIR
            return correct_once_precisely(self.columns, solve, end) if precisely else end

    def _crew_alone(self) -> AbstractContextManager[None]:
        """No BLAS threads where looks have threads of ours: those of the solves between them would go on spinning."""
        return one_blas_thread() if self.rows.matrix.size > SMALL else nullcontext()

    def improved(self, end: Corrected) -> Corrected:
        """Corrected further on the same way, every gradient in about 20 digits."""
        with self._crew_alone():
            further = correct_precisely(self.columns, *self._way, end, self.response)
        self.extra_passes += 1
        return further

    def scaled_gram(self) -> np.ndarray:
        gram = self.first[0]
        scale = self.columns.scale
        return gram / scale / scale[:, None]

    def every_column(self) -> tuple[int, ...]:
        return tuple(range(self.width))


def normal(climb: Climb) -> Reached:
    """The normal equations as they stand: ``A'A x = A'b`` by Cholesky, and nothing corrected."""
    factor = _factor(climb, climb.scaled_gram())
    end = Corrected(*climb.looked_at(factor.solve(climb.start[1].gradient)), 0)
    return Reached(end, climb.every_column(), factor.upper, None, "the normal equations by Cholesky, uncorrected")


def seminormal(climb: Climb) -> Reached:
    """The corrected seminormal equations."""
    if climb.rows.matrix.dtype == np.float32:
        found = _single(climb)
        if found is not None:
            return found
    factor = _factor(climb, climb.scaled_gram())
    if factor.condition > SQUARED_TOO_FAR:
        raise BreakdownError(f"the condition of about {factor.condition:.0e} is too much for a Gram matrix.")
    end = climb.corrected(factor.solve, _size(factor), climb.start)
    detail = f"Gram matrix, Cholesky, {_corrections(end)}"
    return Reached(end, climb.every_column(), factor.upper, None, detail)


def cholesky_qr(climb: Climb) -> Reached:
    """Cholesky of the Gram matrix of columns that a first, perhaps shifted, Cholesky made nearly orthogonal."""
    _need_rows(climb)
    chain = _nearly_orthogonal(climb)
    upper = product(chain)
    words = f"Cholesky of preconditioned columns in {len(chain)} rounds"
    if not has_full_rank(upper):
        return _deficient(climb, upper, words)
    if not is_plain(chain[-1]):
        raise BreakdownError(f"the columns are still ill-conditioned after {len(chain)} rounds.")

    def solve(gradient: np.ndarray) -> np.ndarray:
        return back(chain, forth(chain, gradient))

    end = climb.corrected(solve, lambda g: lengths(forth(chain, g)), climb.start, precisely=True)
    return Reached(end, climb.every_column(), upper, None, f"{words}, {_corrections(end)}")


def _nearly_orthogonal(climb: Climb) -> list[Cholesky]:
    """Triangles whose product makes the columns orthonormal to a few digits at the least."""
    first = climb.sampled if climb.looks_ill else None
    if first is None:
        chain = [shifted(climb.scaled_gram())]
    else:
        # The sample leaves a condition of a few units, which single precision is enough for.
        precision = climb.floored_in if first.shift else np.float32
        climb.is_floored = first.shift > 0
        gram = _preconditioned(climb, [first], precision)
        second = shifted(gram, precision)
        # Of columns that depend on each other the floor leaves a length that rounding hides.
        alike = not first.shift or np.max(np.diagonal(gram)) < LOPSIDED
        flat = first.shift and second.shift and alike and not has_full_rank(product([first, second]))
        if flat or (alike and is_plain_in_single(second)):
            return [first, second]
        chain = [first] if not first.shift else [shifted(climb.scaled_gram())]
    while len(chain) <= MOST_ROUNDS and not (len(chain) > 1 and is_plain(chain[-1])):
        chain.append(shifted(_preconditioned(climb, chain, np.float64)))
    return chain


def _preconditioned(climb: Climb, chain: list[Cholesky], precision: type) -> np.ndarray:
    climb.extra_passes += 1
    return preconditioned(climb.rows, climb.columns.scale, chain, precision)


def qr(climb: Climb) -> Reached:
    """Householder QR in blocks of rows; where columns depend on each other, what was asked for then."""
    if climb.is_wide and climb.rank_deficient == "minimum-norm":
        return svd(climb)
    whole, width = climb.triangle, climb.width
    upper = whole[:width, :width]
    if not has_full_rank(upper):
        return _deficient(climb, upper, "Householder QR by blocks of rows")
    factor = Cholesky(upper, 0.0, 1.0)
    x = factor.substitute(whole[:width, width:])
    end = climb.corrected(factor.solve, _size(factor), climb.looked_at(x), precisely=True)
    return Reached(end, climb.every_column(), upper, None, f"Householder QR by blocks of rows, {_corrections(end)}")


def svd(climb: Climb) -> Reached:
    """The shortest minimiser from the singular values; tall matrices are taken to their triangle first."""
    width, scale = climb.width, climb.columns.scale[:, None]
    if climb.is_wide:
        matrix, right = np.asarray(climb.rows.matrix, dtype=np.float64), climb.rows.right
    else:
        matrix, right = climb.triangle[:width, :width] * climb.columns.scale, climb.triangle[:width, width:]
    found = spectrum(matrix)
    upper = None if climb.is_wide else climb.triangle[:width, :width]
    return _shortest(climb, upper, found, climb.looked_at(found.apply(right) * scale), "singular values")


RUNGS: dict[str, Callable[[Climb], Reached]] = {
    "normal": normal,
    "seminormal": seminormal,
    "cholesky-qr": cholesky_qr,
    "qr": qr,
    "svd": svd,
}
"""By name, cheapest first."""


def _deficient(climb: Climb, upper: np.ndarray, words: str) -> Reached:
    """Columns that depend on each other, from a triangle in scaled units: the shortest minimiser, or later ones out."""
    scale = climb.columns.scale
    if climb.rank_deficient == "minimum-norm":
        return _shortest(climb, upper, spectrum_of_triangle(upper * scale), climb.start, words)
    rank = find_rank(upper)
    kept = list(rank.kept)
    factor = Cholesky(np.asarray(np.linalg.qr(upper[:, kept], mode="r")), 0.0, 1.0)

    def solve(gradient: np.ndarray) -> np.ndarray:
        step = np.zeros_like(gradient)
        step[kept] = factor.solve(gradient[kept])
        return step

    end = climb.corrected(solve, lambda g: _size(factor)(g[kept]), climb.start, precisely=True)
    left_out = f"{len(upper) - len(kept)} of {len(upper)} columns left out as combinations of earlier ones"
    aliased = tuple(
        Alias(one.column, tuple((j, share * scale[one.column] / scale[j]) for j, share in one.parts))
        for one in rank.aliased
    )
    return Reached(end, rank.kept, factor.upper, None, f"{words}, {left_out}, {_corrections(end)}", aliased)


def _shortest(
    climb: Climb, upper: np.ndarray | None, found: Spectrum, start: tuple[np.ndarray, Look], words: str
) -> Reached:
    scale = climb.columns.scale[:, None]
    end = climb.corrected(
        lambda g: found.solve(g * scale) * scale, lambda g: found.size(g * scale), start, precisely=True
    )
    width = climb.width
    shortest = "" if found.rank == width else f", the shortest of all minimisers ({found.rank} of {width} directions)"
    return Reached(end, climb.every_column(), upper, found, f"{words}{shortest}, {_corrections(end)}")


def _single(climb: Climb) -> Reached | None:
    """Factor in single precision, correct in double; None where single precision is too coarse for the condition."""
    _need_rows(climb)
    climb.extra_passes += 1
    with np.errstate(over="ignore", invalid="ignore"):
        gram = climb.rows.single_gram() / climb.columns.scale / climb.columns.scale[:, None]
    factor = cholesky(gram)
    if factor is None or factor.condition > SINGLE_TOO_FAR:
        return None
    end = climb.corrected(factor.solve, _size(factor), climb.start)
    detail = f"Gram matrix in single precision, Cholesky, {_corrections(end)} in double"
    return Reached(end, climb.every_column(), factor.upper, None, detail)


def _factor(climb: Climb, gram: np.ndarray) -> Cholesky:
    _need_rows(climb)
    factor = cholesky(gram)
    if factor is None:
        raise BreakdownError("a pivot of Cholesky was not positive: the squared condition is beyond a double.")
    return factor


def _need_rows(climb: Climb) -> None:
    if climb.is_wide:
        raise BreakdownError(f"{len(climb.rows.matrix)} rows do not determine {climb.width} columns.")
    if not np.all(climb.sizes > 0):
        raise BreakdownError(f"column {int(np.argmin(climb.sizes))} is zero.")


def _size(factor: Cholesky) -> Callable[[np.ndarray], np.ndarray]:
    return lambda gradient: lengths(forth([factor], gradient))


def _corrections(end: Corrected) -> str:
    precise = ", the last with residuals in 20 digits" if end.precise_looks and end.steps else ""
    return f"{end.steps} correction{'' if end.steps == 1 else 's'} from the rows themselves{precise}"
