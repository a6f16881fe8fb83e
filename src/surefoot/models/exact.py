"""An ordinary fit made exact: the rows are read as they are written, and every number that is printed is proven."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from surefoot.data.design_learning import Request
from surefoot.data.engine import Progress, Report, Watch
from surefoot.data.exact_design import ExactFrame, ExactReader, check_enclosable
from surefoot.data.source import Source
from surefoot.errors import ModelError
from surefoot.leastsquares.rank import Alias, Rank, lengths
from surefoot.leastsquares.solution import Solution
from surefoot.models.covariance import classical
from surefoot.models.fit import FormulaFit
from surefoot.models.fitting import CHEAP, Wishes, check_wishes, fit_linear, with_roads
from surefoot.models.look import look
from surefoot.models.rows import Reader
from surefoot.models.statistics import Statistics, describe, f_tail
from surefoot.proof.enclosed import Enclosed, nearest
from surefoot.proof.exact_fit import ExactFit, Shape, fit_exactly
from surefoot.proof.exact_gram import ExactRows

ROWS = 16_384
"""Rows taken at a time,"""

NUMBERS = 1_000_000
"""and fewer where columns are many: an exact number takes some hundred bytes."""

PATIENCE = 3600.0
"""Seconds beyond which a fit is refused before it starts."""

_CELL, _BALL, _PRODUCT, _PIVOT = 1.5e-6, 4e-6, 4e-9, 2.5e-7
"""Measured seconds for a number read, a number enclosed, one product of two, and one step of elimination."""


@dataclass(frozen=True)
class Proven:
    """What an exact fit proved, number by number.

    Attributes
    ----------
    coef, stderr : Enclosed, shape (p,)
        Doubles, radii and proven decimals of the coefficients and of their standard errors.
    residual_ss, sigma, r2 : Enclosed, shape ()
        Of the whole fit.
    bits : int
        Precision of the balls.
    is_exact : bool
        Whether ``X'WX`` was formed without any rounding.

    Examples
    --------
    >>> import surefoot as sf
    >>> fit = sf.fit("y ~ x", {"x": [1, 2, 3], "y": [1, 2, 4]}, exact=True)
    >>> fit.exact.coef.text.tolist()
    ['-0.66666666666666667', '1.5000000000000000']
    """

    coef: Enclosed
    stderr: Enclosed
    residual_ss: Enclosed
    sigma: Enclosed
    r2: Enclosed
    bits: int
    is_exact: bool

    def state(self) -> dict[str, Any]:
        """Plain values for JSON."""
        words = ("coef", "stderr", "residual_ss", "sigma", "r2")
        return {**{word: getattr(self, word).state() for word in words}, "bits": self.bits, "is_exact": self.is_exact}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Proven:
        """The inverse of ``state``."""
        words = ("coef", "stderr", "residual_ss", "sigma", "r2")
        numbers = {word: Enclosed.from_state(state[word]) for word in words}
        return cls(**numbers, bits=state["bits"], is_exact=state["is_exact"])


def fit_proven(source: Source, request: Request, wishes: Wishes, report: Report | None = None) -> FormulaFit:
    """Fit ``request.formula`` with every printed digit proven.

    Raises
    ------
    ModelError
        A factor cannot be enclosed, or it would take more than an hour.
    DataError, FormulaError
        As for ``surefoot.fit``.
    """
    start = time.monotonic()
    check_enclosable(request, source)
    check_wishes(request, wishes)
    plain = replace(wishes, refine=False, diagnostics=False, rank_deficient="drop", compare=False, prove=False)
    fit = fit_linear(source, request, plain, report)
    reader = ExactReader(fit.design, request, source)
    seconds = estimated_seconds(fit.account.rows_read, len(fit.names), reader.is_rational())
    announce(seconds, fit.account.rows_read, len(fit.names), report)
    found, passes = _found(fit, reader, seconds, report)
    proven = _undecided(fit, found, wishes) if not found.is_decided else _proven(fit, found, wishes)
    proven = _looked(proven, wishes, found, report)
    notes = (*fit.account.notes, *reader.notes())
    seconds_taken = time.monotonic() - start
    account = replace(fit.account, notes=notes, seconds=seconds_taken, passes=fit.account.passes + passes)
    return replace(proven, account=account)


def _found(fit: FormulaFit, reader: ExactReader, seconds: float, report: Report | None) -> tuple[ExactFit, int]:
    """The exact fit, and how many passes it took; Ctrl-C ends the scan and says how far it had come."""
    watch, names = Watch(fit.account.rows_read, report), fit.names
    opened: list[Generator[ExactFrame, None, None]] = []

    def read(bits: int) -> Iterator[ExactRows]:
        task = f"again with {bits} bits" if opened else f"proving digits, about {seconds:.0f} s a pass"
        opened.append(reader.frames(min(ROWS, max(1, NUMBERS // (len(names) + 2)))))
        for rows in watch.over(opened[-1], lambda rows: rows.frame.rows, task):
            block = reader.block(rows)
            yield ExactRows(block.columns, block.weights, block.count)

    ones = names.index("(Intercept)") if fit.design.has_intercept else len(names)
    try:
        with watch.interruptible():
            return fit_exactly(read, Shape(names, ones)), len(opened)
    finally:
        for frames in opened:
            frames.close()


def estimated_seconds(rows: int, columns: int, rational: bool) -> float:
    """About how long the exact arithmetic of one pass takes, on a machine like the one it was measured on.

    Examples
    --------
    >>> 0.5 < estimated_seconds(100_000, 10, True) < 10
    True
    """
    width = columns + 2
    cell = _CELL if rational else _BALL
    product = _PRODUCT if rational else 8 * _PRODUCT
    return rows * width * (cell + product * width) + _PIVOT * width**3


def announce(seconds: float, rows: int, columns: int, report: Report | None) -> None:
    """Say what it will cost before it starts; refuse what would take hours."""
    if seconds > PATIENCE:
        raise ModelError(
            f"Proving the digits of {columns:,} coefficients from {rows:,} rows would take about "
            f"{seconds / 3600:,.1f} hours, and more than one is refused. Fit without exact, or take fewer rows with "
            "filter=."
        )
    if report is not None and seconds >= 1:
        report(Progress(f"proving digits, about {seconds:.0f} s a pass", 0, rows, 0.0, seconds))


def _proven(fit: FormulaFit, found: ExactFit, wishes: Wishes) -> FormulaFit:
    """Every number of the fit, from the enclosures."""
    if found.dependences and wishes.rank_deficient != "drop":
        named = ", ".join(fit.names[one.column] for one in found.dependences)
        raise ModelError(
            f"The columns depend on each other exactly ({named} on the others). "
            + (
                "rank_deficient='error' was asked for; 'drop' would leave it out."
                if wishes.rank_deficient == "error"
                else "rank_deficient='minimum-norm' is not offered with exact=True; 'drop' leaves it out."
            )
        )
    solution = _solution(fit, found)
    statistics = _statistics(fit, found, solution)
    formed = "X'WX formed without rounding and" if found.is_exact else "X'WX enclosed and"
    return replace(
        fit,
        solution=solution,
        statistics=statistics,
        covariance=classical(solution, statistics),
        certificate=found.certificate,
        digits=found.digits,
        exact=Proven(found.coef, found.stderr, found.residual_ss, found.sigma, found.r2, found.bits, found.is_exact),
        method=f"{formed} solved in balls of {found.bits} bits",
        stop="every digit in the table of proven digits is proven"
        if _is_complete(found)
        else f"the limit of {found.bits} bits was reached",
    )


def _is_complete(found: ExactFit) -> bool:
    """Whether all that could be asked for is proven."""
    numbers = [found.coef.digits[list(found.kept)]]
    if found.df_residual > 0:
        numbers.append(found.stderr.digits[list(found.kept)])
    return all(np.all(one >= 14) for one in numbers)


def _solution(fit: FormulaFit, found: ExactFit) -> Solution:
    columns, kept = len(fit.names), list(found.kept)
    spread = np.full((columns, len(kept)), np.nan)
    spread[kept] = found.spread
    sizes = lengths(found.upper) if kept else np.zeros(0)
    singular = np.linalg.svd(found.upper / sizes, compute_uv=False) if kept else np.zeros(0)
    aliased = tuple(
        Alias(one.column, tuple((j, nearest(share)) for j, share in one.parts)) for one in found.dependences
    )
    valley = np.zeros((columns, len(aliased)))
    for k, alias in enumerate(aliased):
        valley[alias.column, k] = 1.0
        for j, share in alias.parts:
            valley[j, k] = -share
    rank = Rank(found.kept, aliased, singular, fit.solution.rank.tolerance)
    length = float(found.residual_length)
    return Solution(found.coef.value, spread, found.effects, length, found.upper, rank, valley, refined=True)


def _statistics(fit: FormulaFit, found: ExactFit, solution: Solution) -> Statistics:
    """What a summary prints, the proven numbers in their places; what follows from them is computed in doubles."""
    base = describe(replace(fit.triangle, rows=found.count), solution, fit.design.has_intercept)
    if found.has_constant is None:
        return replace(base, sigma=float(found.sigma.value))
    df_model = len(found.kept) - found.has_constant
    r2, f, df = float(found.r2.value), float(found.f.value), found.df_residual
    if found.residual_length == 0 and found.total_length > 0 and df > 0 and df_model > 0:
        f = float("inf")
    adjusted = 1 - (1 - r2) * (found.count - found.has_constant) / df if df > 0 else float("nan")
    return replace(
        base, df_model=df_model, sigma=float(found.sigma.value), residual_length=float(found.residual_length),
        total_length=float(found.total_length), has_constant=found.has_constant, r2=r2, r2_adjusted=adjusted, f=f,
        f_p=f_tail(f, df_model, df) if not np.isnan(f) else float("nan"),
    )  # fmt: skip


def _undecided(fit: FormulaFit, found: ExactFit, wishes: Wishes) -> FormulaFit:
    """The ordinary answer, with the truth about what could not be proven."""
    if wishes.rank_deficient == "error":
        raise ModelError(f"{found.certificate.claim} rank_deficient='error' was asked for.")
    return replace(fit, certificate=found.certificate, stop=f"the limit of {found.bits} bits was reached")


def _looked(fit: FormulaFit, wishes: Wishes, found: ExactFit, report: Report | None) -> FormulaFit:
    """Residual diagnostics in floating point and other roads beside, where they are wanted and mean something."""
    diagnosed = fit.account.rows_read * len(fit.names) <= CHEAP if wishes.diagnostics is None else wishes.diagnostics
    if not fit.rank or fit.source is None:
        return fit
    passes_through = found.is_decided and found.residual_length == 0
    reader = Reader(fit.source, report, wishes.batch_rows, len(fit.names) + 2)
    with reader.interruptible():
        if diagnosed and not passes_through:
            fit = replace(fit, look=look(fit.design, fit.solution, reader))
        return with_roads(fit, reader) if wishes.compare else fit
