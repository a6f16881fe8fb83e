"""Fitting a linear model to a source: learn the design, fold the rows into a triangle, solve, look again, judge."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from surefoot.data.design import Design
from surefoot.data.design_learning import Request, learn_design
from surefoot.data.engine import Report, map_in_order, one_blas_thread, reduce_in_tree, workers
from surefoot.data.frame import Frame
from surefoot.data.source import Source
from surefoot.errors import DataError, ModelError
from surefoot.leastsquares.digits import bound_from_triangle, digits_of
from surefoot.leastsquares.refine import Rows, refine
from surefoot.leastsquares.solution import Solution, solve
from surefoot.leastsquares.triangle import Triangle
from surefoot.models.covariance import classical
from surefoot.models.enclosing import enclosed
from surefoot.models.fit import Account, FormulaFit
from surefoot.models.look import Look, look
from surefoot.models.rows import BATCH, Reader
from surefoot.models.statistics import describe
from surefoot.parallel import MANY_COLUMNS
from surefoot.proof.certificate import Certificate
from surefoot.proof.conditions import Bowl, judge_bowl
from surefoot.wording import combination

if TYPE_CHECKING:
    from surefoot.models.plan import Plan

CHEAP = 4_000_000
"""Numbers in the design up to which a second look is taken unasked: well under a second."""

CHEAP_REFINEMENT = 1_000_000
"""The same for refinement, in rows times squared columns."""

MANY_ROWS = 250_000
"""From here on threads are worth their start."""

FEW_COLUMNS = 16
"""Below, the reader's own thread is the slower one."""

RANK_DEFICIENT = ("drop", "minimum-norm", "error")


@dataclass(frozen=True)
class Wishes:
    """What a caller may ask beside the model; the documented defaults are ``sf.fit``'s."""

    rank_deficient: str = "drop"
    refine: bool | None = None
    diagnostics: bool | None = None
    level: float = 0.95
    batch_rows: int = BATCH
    compare: bool = False
    explain: bool = False
    prove: bool | None = None


@dataclass(frozen=True)
class _Folded:
    """Rows folded so far."""

    triangle: Triangle
    read: int
    missing: int
    weightless: int

    def merge(self, other: _Folded) -> _Folded:
        return _Folded(
            self.triangle.merge(other.triangle),
            self.read + other.read,
            self.missing + other.missing,
            self.weightless + other.weightless,
        )


def fit_linear(source: Source, request: Request, wishes: Wishes, report: Report | None = None) -> FormulaFit:
    """Fit ``request.formula`` to the rows of a source.

    Raises
    ------
    DataError, FormulaError, ModelError
        As sentences; see ``surefoot.fit``.
    """
    check_wishes(request, wishes)
    start = time.monotonic()
    reader = Reader(source, report, wishes.batch_rows)
    with reader.interruptible():
        design = learn_design(request, source, lambda names: reader.frames(names, "learning the columns"))
        reader.columns = len(design.names) + 2
        plan = _plan(design, reader) if wishes.explain else None
        folded = _fold(design, reader)
        _check_rows(folded, source)
        solution, method = _solve(folded, design, wishes, reader)
        fit = _assemble(design, folded, solution, source, method, wishes.level)
        wanted = folded.read * len(design.names) <= CHEAP if wishes.diagnostics is None else wishes.diagnostics
        if wanted and fit.rank:
            fit = with_look(fit, look(design, solution, reader))
        if wishes.compare:
            fit = with_roads(fit, reader)
        seconds = time.monotonic() - start
        fit = enclosed(fit, reader, wishes.prove)
    return replace(fit, account=replace(fit.account, passes=reader.passes, seconds=seconds), plan=plan)


def with_roads(fit: FormulaFit, reader: Reader) -> FormulaFit:
    """The fit with other methods beside it, measured against its coefficients where those are exact."""
    if not fit.rank:
        return fit
    from surefoot.models.roads import compare_on_source

    exact = None if fit.exact is None else fit.coef
    return replace(fit, roads=compare_on_source(fit.design, fit.solution, reader, exact))


def _plan(design: Design, reader: Reader) -> Plan:
    from surefoot.models.planning import plan_of

    return plan_of(design, reader)


def _solve(folded: _Folded, design: Design, wishes: Wishes, reader: Reader) -> tuple[Solution, str]:
    """The solution, refined where that was asked for or is cheap, and the words for how it was found."""
    solution = solve(folded.triangle, len(design.names), minimum_norm=wishes.rank_deficient == "minimum-norm")
    if solution.rank.aliased and wishes.rank_deficient == "error":
        raise ModelError(
            f"{_alias_sentence(design, solution)} rank_deficient='error' was asked for; 'drop' would leave it out."
        )
    cheap = folded.read * len(design.names) ** 2 <= CHEAP_REFINEMENT and not solution.rank.aliased
    if cheap if wishes.refine is None else wishes.refine:
        refined = refine(solution, _twofold_rows(design, reader))
        if refined.refined:
            return refined, "QR in one pass, refined in a second with twice the precision"
    return solution, "QR in one pass"


def with_look(fit: FormulaFit, seen: Look) -> FormulaFit:
    """The fit with what a second pass found: diagnostics, the sharper bound on digits, evidence for the verdict."""
    if fit.exact is not None:
        return replace(fit, look=seen)  # what is proven needs no further evidence
    certificate = _judge(fit.design, fit.solution, seen)
    bound = bound_from_triangle(fit.solution)
    if fit.solution.refined:
        # The componentwise bound holds for the rounding of the data alone, which is all that refinement has left.
        bound = np.minimum(bound, seen.bound)
    return replace(fit, look=seen, certificate=certificate, digits=digits_of(fit.solution, bound))


def _fold(design: Design, reader: Reader) -> _Folded:
    """One pass: every batch to its triangle, on threads where there are many rows, merged in a tree."""
    width = len(design.names) + 1 + (not design.has_intercept)
    source = reader.source

    memory = threading.local()

    def fold_frame(frame: Frame) -> _Folded:
        if not hasattr(memory, "block"):
            memory.block = np.empty(frame.rows * width)
        plain = design.plain_matrix(frame, memory.block)
        if plain is not None and (triangle := Triangle.consuming(plain)) is not None:
            return _Folded(triangle, frame.rows, 0, 0)
        block = design.block(frame, source)
        triangle = Triangle.of(block.matrix, block.weights, block.frequencies)
        return _Folded(triangle, frame.rows, block.missing, frame.rows - block.missing - len(block.matrix))

    frames = reader.frames(design.variables, "fitting")
    expected = source.expected_rows()
    with _helpers(expected, len(design.names)) as executor:
        folded = map_in_order(fold_frame, frames, executor)
        total = reduce_in_tree(folded, _Folded.merge, _Folded(Triangle.empty(width), 0, 0, 0))
    return replace(total, triangle=total.triangle.compact())


def _helpers(expected: int | None, columns: int) -> AbstractContextManager[Executor | None]:
    """Threads where they pay: the source reads ahead in a thread of its own in any case."""
    if (expected is not None and expected < MANY_ROWS) or columns >= MANY_COLUMNS:
        return nullcontext()
    return one_blas_thread() if columns < FEW_COLUMNS else workers()


def _twofold_rows(design: Design, reader: Reader) -> Iterator[Rows]:
    for frame in reader.frames(design.variables, "refining"):
        block = design.block(frame, reader.source)
        predictors, response = design.twofold(block.frame)
        weight = np.ones(len(block.matrix))
        for values in (block.weights, block.frequencies):
            weight = weight if values is None else weight * values
        yield predictors, response, weight


def _assemble(
    design: Design, folded: _Folded, solution: Solution, source: Source, method: str, level: float
) -> FormulaFit:
    statistics = describe(folded.triangle, solution, design.has_intercept)
    return FormulaFit(
        design=design,
        triangle=folded.triangle,
        solution=solution,
        statistics=statistics,
        covariance=classical(solution, statistics),
        certificate=_judge(design, solution, None),
        digits=digits_of(solution, bound_from_triangle(solution)),
        look=None,
        account=Account(source.name, folded.read, folded.missing, folded.weightless, 0, 0.0, source.notes),
        method=method,
        stop="closed form, nothing to iterate",
        level=level,
        source=source,
    )


def check_wishes(request: Request, wishes: Wishes) -> None:
    """Refuse what is no wish, before anything is read."""
    if wishes.rank_deficient not in RANK_DEFICIENT:
        raise ModelError(
            f"rank_deficient is one of {', '.join(map(repr, RANK_DEFICIENT))}, not {wishes.rank_deficient!r}."
        )
    if request.missing not in ("drop", "error"):
        raise ModelError(f"missing is 'drop' or 'error', not {request.missing!r}.")
    if wishes.batch_rows < 1:
        raise ModelError(f"A batch has at least one row, not {wishes.batch_rows}.")
    if not 0 < wishes.level < 1:
        raise ModelError(f"A confidence level lies between 0 and 1, as 0.95 does; {wishes.level:g} does not.")


def _check_rows(folded: _Folded, source: Source) -> None:
    if folded.triangle.rows:
        return
    if folded.read == 0:
        raise DataError(f"{source.name} has no rows (after the filter, if there is one), so there is nothing to fit.")
    if folded.missing == folded.read:
        raise DataError(
            f"Every one of the {folded.read:,} rows of {source.name} has a missing value in a column of the model."
        )
    raise DataError(
        f"No row of {source.name} is left: {folded.missing:,} have a missing value, the others a weight of zero."
    )


def _alias_sentence(design: Design, solution: Solution) -> str:
    return (
        "The columns depend on each other: "
        + "; ".join(
            f"{design.names[alias.column]} = {combination({design.names[j]: c for j, c in alias.parts})}"
            for alias in solution.rank.aliased
        )
        + "."
    )


def _judge(design: Design, solution: Solution, seen: Look | None) -> Certificate:
    """Ask the judge what the point is."""
    singular = solution.rank.singular_values
    valley = [
        {design.names[j]: float(share) for j, share in enumerate(direction) if share} for direction in solution.valley.T
    ]
    return judge_bowl(
        Bowl(
            columns=len(design.names),
            rank=solution.rank.rank,
            smallest_singular_value=float(singular[-1]) if len(singular) else 0.0,
            tolerance=solution.rank.tolerance,
            smallest_curvature=solution.smallest_curvature(),
            orthogonality=seen.orthogonality if seen else None,
            residual_units=seen.residual_units if seen else None,
            valley=valley,
        )
    )
