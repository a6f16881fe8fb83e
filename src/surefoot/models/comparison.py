"""Fits side by side; where one is nested in the next, the F test of what the larger adds.

Two fits are nested if the smaller one's columns lie in the space of the larger one's. From their triangles alone
that is
visible in the names of the columns; the test needs only the two residual lengths.

Reference: Draper, Smith (1998), "Applied Regression Analysis", 3rd ed., Wiley, section 6.1, pp. 149-153.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surefoot.errors import ModelError
from surefoot.models.fit import FormulaFit
from surefoot.models.statistics import f_tail


@dataclass(frozen=True)
class NestedTest:
    """What a larger model adds to a smaller one.

    Attributes
    ----------
    smaller, larger : int
        Positions of the two fits.
    f, p : float
        The statistic, and its probability if the added coefficients were all zero.
    df : tuple of float
        Degrees of freedom.
    """

    smaller: int
    larger: int
    f: float
    p: float
    df: tuple[float, float]


@dataclass(frozen=True)
class Comparison:
    """Several fits of the same rows.

    Attributes
    ----------
    fits : tuple of Fit
        In the order given.
    tests : tuple of NestedTest
        One for each neighbouring pair that is nested.
    """

    fits: tuple[FormulaFit, ...]
    tests: tuple[NestedTest, ...]

    def summary(self) -> str:
        """As a table."""
        from surefoot.report.text import comparison_text

        return comparison_text(self)

    __str__ = summary


def compare_fits(fits: Sequence[FormulaFit]) -> Comparison:
    """See ``surefoot.compare``."""
    if len(fits) < 2:
        raise ModelError("A comparison needs at least two fits.")
    if not all(isinstance(fit, FormulaFit) for fit in fits):
        raise ModelError(
            "sf.compare takes fits of formulas, which know their rows: fit with sf.fit(), or give sf.lstsq() "
            "compare=True to see other methods beside it."
        )
    first = fits[0]
    for k, fit in enumerate(fits[1:], start=2):
        if fit.design.response_label != first.design.response_label:
            raise ModelError(
                f"Fit {k} explains {fit.design.response_label}, fit 1 {first.design.response_label}: not comparable."
            )
        if fit.statistics.rows != first.statistics.rows or not _same_response(fit, first):
            raise ModelError(
                f"Fit {k} uses {fit.statistics.rows:,} rows, fit 1 {first.statistics.rows:,}, or other values of the "
                "response: leave out the rows with missing values by the same filter= in both."
            )
    pairs = [(k, k + 1) for k in range(len(fits) - 1)]
    ordered = [(a, b) if fits[a].rank <= fits[b].rank else (b, a) for a, b in pairs]
    return Comparison(tuple(fits), tuple(_test(a, b, fits) for a, b in ordered if _nested(fits[a], fits[b])))


def _same_response(one: FormulaFit, other: FormulaFit) -> bool:
    sizes = [fit.solution.response_length() for fit in (one, other)]
    return bool(np.isclose(*sizes, rtol=1e-10)) and bool(np.isclose(one.triangle.weight, other.triangle.weight))


def _nested(smaller: FormulaFit, larger: FormulaFit) -> bool:
    terms = [{tuple(f.label for f in term.factors) for term in fit.design.terms} for fit in (smaller, larger)]
    return terms[0] < terms[1] and smaller.rank < larger.rank


def _test(smaller: int, larger: int, fits: Sequence[FormulaFit]) -> NestedTest:
    small, large = fits[smaller].statistics, fits[larger].statistics
    added = fits[larger].rank - fits[smaller].rank
    if large.df_residual <= 0:
        return NestedTest(smaller, larger, float("nan"), float("nan"), (float(added), float(large.df_residual)))
    # (a^2 - b^2) / b^2 as a product keeps the digits where the two lengths are close.
    a, b = small.residual_length, large.residual_length
    with np.errstate(divide="ignore", invalid="ignore"):
        f = float(np.float64((a - b) / b) * ((a + b) / b) * large.df_residual / added) if b > 0 else float("inf")
    f = max(f, 0.0)
    return NestedTest(smaller, larger, f, f_tail(f, added, large.df_residual), (float(added), float(large.df_residual)))
