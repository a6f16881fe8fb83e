"""The summary of a residual fit as text. Nothing is computed here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from surefoot.report.cells import time_text
from surefoot.report.sentences import digits_sentence, unproven_sentence, verdict_sentence
from surefoot.report.text import WIDTH, coefficient_lines, in_lines, packed
from surefoot.wording import counted

if TYPE_CHECKING:
    from surefoot.models.residual_fit import ResidualFit

MOST_SHOWN = 20


def residual_summary(fit: ResidualFit) -> str:
    """Heading, coefficients, statistics; why it stopped and what the point is; then what was noticed."""
    parts = [_heading(fit), _coefficients(fit), _statistics(fit), _ending(fit)]
    parts.append([line for sentence in (*fit.standing, *fit.advice) for line in in_lines(sentence)])
    return "\n\n".join("\n".join(part) for part in parts if part)


def _heading(fit: ResidualFit) -> list[str]:
    size = f"{counted(fit.rows, 'residual')}, {counted(len(fit.names), 'coefficient')}, {time_text(fit.seconds)}"
    left = fit.result.title
    if len(left) + len(size) + 2 > WIDTH:
        return [*in_lines(left), size.rjust(WIDTH)]
    return [left + size.rjust(WIDTH - len(left))]


def _coefficients(fit: ResidualFit) -> list[str]:
    if len(fit.names) > 50 * MOST_SHOWN:
        return [f"Coefficients: fit.coef, of shape {fit.coef.shape}."]
    lines = coefficient_lines(fit)  # type: ignore[arg-type]
    if len(lines) > MOST_SHOWN + 1:
        lines = [*lines[: MOST_SHOWN + 1], f"... and {len(fit.names) - MOST_SHOWN:,} more in fit.coef"]
    return lines


def _statistics(fit: ResidualFit) -> list[str]:
    if fit.loss.is_linear:
        facts = [f"sum of squares {fit.value:.10g}"]
    else:
        facts = [f"sum of {fit.loss.name} losses {fit.value:.10g} (f_scale {fit.loss.scale:.6g})"]
    if not math.isnan(fit.sigma):
        facts.append(f"residual sd {fit.sigma:.6g} on {fit.df:,.6g} df")
    if math.isfinite(fit.condition):
        facts.append(f"condition {fit.condition:.2g} (equilibrated)")
    counts = fit.counts
    facts += [counted(fit.result.steps, "step"), counted(counts.values, "evaluation")]
    facts.append(counted(counts.gradients, "Jacobian"))
    if counts.compilations:
        facts.append(f"{counted(counts.compilations, 'program')} compiled in {counts.compile_seconds:.2f} s")
    return packed(facts)


def _ending(fit: ResidualFit) -> list[str]:
    certificate = fit.certificate
    lines = in_lines(f"Method: {fit.method}.") + in_lines(f"Stopped: {fit.stop}.")
    lines += in_lines(verdict_sentence(certificate)) + in_lines(unproven_sentence(certificate))
    return lines + in_lines(digits_sentence(fit))  # type: ignore[arg-type]
