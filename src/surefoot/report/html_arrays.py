"""The report of a fit of arrays as one self-contained HTML page, and as a card for notebooks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.report.cells import r_squared
from surefoot.report.html import FEW_DIGITS, pictures_of, proven_of, render, shape_words, table_of
from surefoot.report.numbers import DASH, plain, signed
from surefoot.report.roads import road_table
from surefoot.report.sentences import digits_sentence
from surefoot.wording import counted

if TYPE_CHECKING:
    from surefoot.models.array_fit import ArrayFit
    from surefoot.models.picture import Picture

MOST_LINES = 300
"""Coefficients in the table of a page; all of them are in ``fit.coef``."""
CARD_LINES = 20


def array_page(fit: ArrayFit, picture: Picture) -> str:
    """The whole report of a fit of one right-hand side."""
    sections = [("Statistics", _statistics(fit)), ("Arrays", _arrays(fit))]
    if fit.multipliers is not None:
        sections.append(("Multipliers", _multipliers(fit)))
    return render(
        "page.html.j2",
        **_facts(fit, MOST_LINES),
        proven=proven_of(fit),
        pictures=pictures_of(fit, picture),
        no_rows="",
        roads=None if fit.roads is None else road_table(fit.roads),
        plan=None,
        sections=sections,
        python="",
        command="",
        has_file=False,
    )


def array_card(fit: ArrayFit) -> str:
    """Coefficients and verdict, for a notebook."""
    return render("card.html.j2", **_facts(fit, CARD_LINES))


def _facts(fit: ArrayFit, most: int) -> dict[str, Any]:
    certificate, single = fit.certificate, fit.task.is_vector
    lines = table_of(fit) if single else []
    more = (
        f"The first {most:,} of {len(lines):,} coefficients; the others are in fit.coef." if len(lines) > most else ""
    )
    digits = np.asarray(fit.digits)
    return {
        "formula": "Least squares of arrays",
        "verdict": certificate.verdict.value,
        "rigour": certificate.rigour.value,
        "claim": " ".join([certificate.claim, *shape_words(fit)]),
        "lines": certificate.lines,
        "digits": digits_sentence(fit) if single else "",
        "method": fit.method,
        "stop": fit.stop.rstrip("."),
        "level": f"{100 * fit.level:g}%",
        "table": lines[:most],
        "show_digits": single and bool(np.any(digits[np.isfinite(digits)] < FEW_DIGITS)),
        "errors": more if single else f"Coefficients: fit.coef, of shape {fit.coef.shape}.",
        "line": ", ".join([counted(fit.task.rows, "row"), counted(len(fit.names), "column"), *_spread(fit)]),
    }


def _spread(fit: ArrayFit) -> list[str]:
    if not fit.task.is_vector:
        return [counted(fit.coef.shape[1], "right-hand side")]
    found = []
    if fit.df_residual > 0:
        found.append(f"residual sd {plain(fit.sigma)} on {plain(fit.df_residual)} df")
    if not math.isnan(fit.r2):
        found.append(f"R² {r_squared(fit.r2)}")
    return found


def _statistics(fit: ArrayFit) -> list[tuple[str, str]]:
    least = "" if fit.spectrum is not None else "at least "
    rank = DASH if fit.rank is None else f"{fit.rank} of {len(fit.names)}"
    condition = DASH if math.isnan(fit.condition) else f"{least}{plain(fit.condition, 3)}"
    return [
        ("residual sd", plain(fit.sigma)),
        ("df of the residual", plain(fit.df_residual)),
        ("R²", signed(r_squared(fit.r2))),
        ("rank", rank),
        ("condition, equilibrated", condition),
        ("backward error", plain(fit.backward_error, 1)),
        ("backward error by", fit.backward_error_kind),
    ]


def _arrays(fit: ArrayFit) -> list[tuple[str, str]]:
    task = fit.task
    facts = [("rows", f"{task.rows:,}"), ("columns", f"{len(fit.names):,}")]
    if task.weights is not None:
        facts.append(("weights", f"{plain(float(task.weights.min()), 4)} to {plain(float(task.weights.max()), 4)}"))
    if task.ridge:
        facts.append(("ridge penalty", plain(task.ridge)))
    facts += [("passes over the rows", f"{fit.answer.passes:,}"), ("time", f"{fit.seconds:.2f} s")]
    return facts + ([("time of the proof", f"{fit.proof_seconds:.2f} s")] if fit.proof_seconds else [])


def _multipliers(fit: ArrayFit) -> list[tuple[str, str]]:
    held = fit.multipliers
    assert held is not None
    facts = []
    for name, value, low, high in zip(fit.names, held.bounds, held.at_lower, held.at_upper, strict=True):
        if low or high:
            facts.append((f"{name}, at its {'lower' if low else 'upper'} bound", plain(float(value))))
    facts += [(f"equality {k}", plain(float(value))) for k, value in enumerate(held.equalities, start=1)]
    return facts or [("no bound is felt", DASH)]


__all__ = ["array_card", "array_page"]
