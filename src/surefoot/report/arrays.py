"""The summary of a fit of arrays as text. Nothing is computed here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from surefoot.report.cells import r_squared, time_text
from surefoot.report.sentences import digits_sentence, rigour_words, unproven_sentence
from surefoot.report.text import WIDTH, coefficient_lines, in_lines, packed, proven_lines, road_lines
from surefoot.wording import counted

if TYPE_CHECKING:
    from surefoot.models.array_fit import ArrayFit

MOST_SHOWN = 20


def array_summary(fit: ArrayFit) -> str:
    """Heading, coefficients, statistics; in the last lines why it stopped and what the point is."""
    parts = [_heading(fit), _coefficients(fit), _proven(fit), _statistics(fit), road_lines(fit), _ending(fit)]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _heading(fit: ArrayFit) -> list[str]:
    sides = "" if fit.task.is_vector else f" x {counted(fit.coef.shape[1], 'right-hand side')}"
    left = f"{counted(fit.task.rows, 'row')}, {counted(len(fit.names), 'column')}{sides}"
    proof = f", proof {time_text(fit.proof_seconds)}" if fit.proof_seconds else ""
    return [left + f"{time_text(fit.seconds)}{proof}".rjust(WIDTH - len(left))]


def _coefficients(fit: ArrayFit) -> list[str]:
    if not fit.task.is_vector:
        return [f"Coefficients: fit.coef, of shape {fit.coef.shape}."]
    lines = coefficient_lines(fit)
    if len(lines) > MOST_SHOWN + 1:
        lines = [*lines[: MOST_SHOWN + 1], f"... and {len(fit.names) - MOST_SHOWN:,} more in fit.coef"]
    held = fit.multipliers
    if held is not None and (held.at_lower | held.at_upper).any():
        at = [name for name, low, up in zip(fit.names, held.at_lower, held.at_upper, strict=True) if low or up]
        more = f" and {len(at) - MOST_SHOWN:,} more" if len(at) > MOST_SHOWN else ""
        lines += in_lines(f"At a bound: {', '.join(at[:MOST_SHOWN])}{more}.")
    return lines


def _proven(fit: ArrayFit) -> list[str]:
    return proven_lines(fit) if fit.task.is_vector else []


def _statistics(fit: ArrayFit) -> list[str]:
    facts = []
    if fit.task.is_vector:
        if fit.df_residual > 0:
            facts.append(f"residual sd {fit.sigma:.6g} on {fit.df_residual:,.6g} df")
        if not math.isnan(fit.r2):
            facts.append(f"R2 {r_squared(fit.r2)}")
    if not math.isnan(fit.condition):
        exact = fit.spectrum is not None
        facts.append(
            f"condition {fit.condition:.2g} (equilibrated)" if exact else f"condition at least {fit.condition:.2g}"
        )
    facts.append(f"backward error {fit.backward_error:.0e} ({fit.backward_error_kind})")
    return packed(facts)


def _ending(fit: ArrayFit) -> list[str]:
    certificate = fit.certificate
    lines = in_lines(f"Method: {fit.method}. Stopped: {fit.stop.rstrip('.')}.")
    sentences = [f"Verdict: {certificate.verdict.value} ({rigour_words(certificate)}). {certificate.claim}"]
    if fit.task.is_vector:
        sentences.append(digits_sentence(fit))
    return lines + in_lines(" ".join(filter(None, sentences))) + in_lines(unproven_sentence(certificate))
