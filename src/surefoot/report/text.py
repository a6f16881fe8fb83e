"""The summary as text, 100 columns at the widest: what ``surefoot fit`` prints. Nothing is computed here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from surefoot.report.cells import decimals_of, fixed, probability, proven, r_squared, t_value, time_text
from surefoot.report.sentences import digits_sentence, rigour_words, unproven_sentence
from surefoot.wording import combination, counted

if TYPE_CHECKING:
    from surefoot.models.array_fit import ArrayFit
    from surefoot.models.comparison import Comparison
    from surefoot.models.fit import FormulaFit
    from surefoot.models.hypotheses import Hypothesis

WIDTH = 100
FEW_DIGITS = 6
"""Digits are worth a column of their own only where some coefficient has fewer than this."""
FEW_LETTERS = 12
"""A name that is cut shorter than this is none: then the numbers give way."""


def summary_text(fit: FormulaFit) -> str:
    """Heading, data, residuals, coefficients, statistics; in the last lines why it stopped and what the point is."""
    table, proven_table = coefficient_lines(fit), proven_lines(fit)
    parts = [
        _planned(fit), _heading(fit), _data(fit), _residuals(fit), table, proven_table, _statistics(fit),
        road_lines(fit), _ending(fit),
    ]  # fmt: skip
    return "\n\n".join("\n".join(part) for part in parts if part)


def _planned(fit: FormulaFit) -> list[str]:
    return [] if fit.plan is None else [str(fit.plan)]


def _heading(fit: FormulaFit) -> list[str]:
    size = f"{counted(fit.statistics.rows, 'row')}, {counted(len(fit.names), 'coefficient')}"
    right = f"{size}, {time_text(fit.account.seconds)}"
    left = fit.formula
    if len(left) + len(right) + 2 > WIDTH:
        return [*in_lines(left), right.rjust(WIDTH)]
    return [left + right.rjust(WIDTH - len(left))]


def _data(fit: FormulaFit) -> list[str]:
    account, lines = fit.account, []
    if account.rows_missing:
        lines.append(f"{account.rows_missing:,} of {account.rows_read:,} rows left out: a value was missing.")
    if account.rows_weightless:
        asked = (("weight", fit.design.weights), ("frequency", fit.design.frequencies))
        words = " or ".join(word for word, node in asked if node is not None)
        lines.append(f"{account.rows_weightless:,} of {account.rows_read:,} rows left out: their {words} is zero.")
    for word, node in (("weights", fit.design.weights), ("frequencies", fit.design.frequencies)):
        if node is not None:
            lines.append(f"{word.capitalize()}: {fit.design.state()[word].strip('`')}.")
    if fit.covariance.kind != "classical":
        detail = f" ({fit.covariance.detail})" if fit.covariance.detail else ""
        lines.append(f"Standard errors: {fit.covariance.kind}{detail}.")
    return lines + [line for note in account.notes for line in in_lines(note)]


def _residuals(fit: FormulaFit) -> list[str]:
    if fit.look is None:
        return []
    names = ("min", "1Q", "median", "3Q", "max")
    cells = [f"{value:.5g}" for value in fit.look.quartiles]
    width = max(map(len, (*names, *cells))) + 3
    title = "weighted residuals" if fit.design.weights is not None else "residuals"
    return [
        " " * len(title) + "".join(name.rjust(width) for name in names),
        title + "".join(cell.rjust(width) for cell in cells),
    ]


def coefficient_lines(fit: FormulaFit | ArrayFit) -> list[str]:
    """The coefficient table, and what aliased columns are made of."""
    if not fit.names:
        return []
    level = f"{100 * fit.level:.10g}% interval"
    show_digits = any(digits < FEW_DIGITS for digits in fit.digits if not math.isnan(digits))
    head = ["", "estimate", "std.err", "t", "p"]
    for decimals in (decimals_of(fit), [None] * len(fit.names)):
        rows = _rows(fit, decimals)
        taken = sum(max(len(row[c]) for row in [head, *rows]) + 2 for c in range(1, 5)) + _interval_width(rows)
        room = WIDTH - taken - 8 * show_digits
        if room >= min(FEW_LETTERS, max(map(len, fit.names), default=0)):
            break
    names = [_shortened(row[0], max(room, 0)) for row in rows]
    widths = [max(map(len, names), default=0)] + [max(len(row[c]) for row in [head, *rows]) for c in range(1, 5)]
    lows, highs = (max((len(row[c]) for row in rows), default=0) for c in (5, 6))
    title = level.center(lows + highs + 4)
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(head, widths, strict=True))
        + "   "
        + title
        + "  digits" * show_digits
    ]
    for name, row in zip(names, rows, strict=True):
        text = "  ".join([name.ljust(widths[0]), *(row[c].rjust(widths[c]) for c in range(1, 5))])
        interval = f"[{row[5].rjust(lows)}, {row[6].rjust(highs)}]" if row[5] else ""
        lines.append((text + "   " + interval + (row[7].rjust(8) if show_digits and row[7] else "")).rstrip())
    return [line.rstrip() for line in lines] + _alias_lines(fit)


def proven_lines(fit: FormulaFit | ArrayFit) -> list[str]:
    """The coefficients and their standard errors to every digit that is proven, and nothing beyond."""
    if fit.exact is None:
        return []
    errors = fit.exact.stderr if fit.has_proven_stderr else None
    rows = [["proven digits", "estimate", *(["std.err"] if errors is not None else [])]]
    for k, name in enumerate(fit.names):
        if not math.isnan(fit.coef[k]):
            rows.append([name, proven(fit.exact.coef, k), *([proven(errors, k)] if errors is not None else [])])
    widths = [max(len(row[c]) for row in rows) for c in range(1, len(rows[0]))]
    widest = WIDTH - sum(widths) - 2 * len(widths)
    names = [_shortened(row[0], max(widest, FEW_LETTERS)) for row in rows]
    first = max(map(len, names))
    return [
        "  ".join([name.ljust(first), *(cell.rjust(width) for cell, width in zip(row[1:], widths, strict=True))])
        for name, row in zip(names, rows, strict=True)
    ]


def _rows(fit: FormulaFit | ArrayFit, decimals: Sequence[int | None]) -> list[list[str]]:
    """The cells of the coefficient table: name, estimate, standard error, t, p, both ends of the interval, digits."""
    low, high = fit.interval().T
    rows = []
    for k, name in enumerate(fit.names):
        if math.isnan(fit.coef[k]):
            rows.append([name, "aliased", "", "", "", "", "", ""])
            continue
        numbers = [fixed(value, decimals[k]) for value in (fit.coef[k], fit.stderr[k], low[k], high[k])]
        digits = "-" if math.isnan(fit.digits[k]) else f"{math.floor(fit.digits[k])}"
        rows.append([name, numbers[0], numbers[1], t_value(fit.t[k]), probability(fit.p[k]), *numbers[2:], digits])
    return rows


def _alias_lines(fit: FormulaFit | ArrayFit) -> list[str]:
    if not fit.aliased:
        return []
    lines = [""]
    for name, parts in fit.aliased.items():
        lines += in_lines(f"aliased: {name} = {combination(parts)}")
    return lines


def _statistics(fit: FormulaFit) -> list[str]:
    s, facts = fit.statistics, []
    if s.df_residual > 0:
        facts.append(f"residual sd {s.sigma:.6g} on {s.df_residual:,} df")
    else:
        facts.append("no residual degrees of freedom: no standard errors")
    if math.isnan(s.r2):
        facts.append("R2 undefined: the response is constant")
    else:
        about = "" if s.has_constant else " (about zero: no constant)"
        facts.append(f"R2 {r_squared(s.r2)}{about}")
        if s.df_model > 0 and not math.isnan(s.r2_adjusted):
            facts.append(f"adjusted {r_squared(s.r2_adjusted)}")
    overall = fit.test_all()
    if overall is not None:
        facts.append(
            f"F {overall.f:.6g} on {overall.df[0]:.0f} and {overall.df[1]:,.0f} df, p {probability(overall.p)}"
        )
    if math.isfinite(s.log_likelihood):
        facts.append(f"log-likelihood {s.log_likelihood:.6g}")
        facts.append(f"AIC {s.aic:.6g}")
        facts.append(f"BIC {s.bic:.6g}")
    if fit.look is not None and s.df_residual > 0 and fit.look.quartiles[0] != fit.look.quartiles[4]:
        facts.append(f"Durbin-Watson {fit.look.durbin_watson:.4g}")
        facts.append(f"Jarque-Bera {fit.look.jarque_bera:.4g}, p {probability(fit.look.jarque_bera_p)}")
        facts.append(f"largest leverage {fit.look.largest_leverage:.3g} (row {fit.look.largest_leverage_row:,})")
    facts.append(f"condition {fit.condition:.2g} (equilibrated)")
    if fit.backward_error is not None:
        facts.append(f"backward error {fit.backward_error:.0e}")
    return packed(facts)


def road_lines(fit: FormulaFit | ArrayFit) -> list[str]:
    """The roads side by side, where they were compared."""
    from surefoot.report.roads import roads_text

    return [] if fit.roads is None else roads_text(fit.roads, WIDTH)


def _ending(fit: FormulaFit) -> list[str]:
    certificate, evidence = fit.certificate, fit.certificate.evidence
    lines = in_lines(f"Method: {fit.method}. Stopped: {fit.stop}.")
    sentences = [f"Verdict: {certificate.verdict.value} ({rigour_words(certificate)}). {certificate.claim}"]
    if evidence["smallest_curvature"]:
        sentences.append(f"The bowl's smallest curvature is {evidence['smallest_curvature']:.3g}.")
    for direction in evidence["valley"]:
        sentences.append(f"It is flat along {combination(direction)}.")
    if evidence["orthogonality"] is not None:
        sentences.append(f"The residual is perpendicular to every column to {evidence['orthogonality']:.0e}.")
    sentences.append(digits_sentence(fit))
    return lines + in_lines(" ".join(filter(None, sentences))) + in_lines(unproven_sentence(certificate))


def hypothesis_text(test: Hypothesis) -> str:
    """A test of linear hypotheses in two lines."""
    lines = [f"{test.text}: F {test.f:.6g} on {test.df[0]:.0f} and {test.df[1]:,.0f} df, p {probability(test.p)}"]
    if len(test.estimate) == 1:
        lines.append(f"left minus right: {test.estimate[0]:.6g}, standard error {test.stderr[0]:.6g}")
    return "\n".join(lines)


def comparison_text(comparison: Comparison) -> str:
    """Fits side by side, then the nested tests."""
    head = ["", "formula", "coef.", "df", "residual sd", "R2", "AIC", "BIC"]
    rows = []
    for k, fit in enumerate(comparison.fits, start=1):
        s = fit.statistics
        rows.append([str(k), _shortened(fit.formula, 40), str(fit.rank), f"{s.df_residual:,}", f"{s.sigma:.6g}",
                     r_squared(s.r2), f"{s.aic:.6g}", f"{s.bic:.6g}"])  # fmt: skip
    widths = [max(len(row[c]) for row in [head, *rows]) for c in range(len(head))]
    lines = []
    for row in [head, *rows]:
        cells = [
            cell.ljust(w) if c == 1 else cell.rjust(w) for c, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    for test in comparison.tests:
        lines.append(
            f"{test.larger + 1} beside {test.smaller + 1}: F {test.f:.6g} "
            f"on {test.df[0]:.0f} and {test.df[1]:,.0f} df, p {probability(test.p)}"
        )
    if not comparison.tests:
        lines.append("Neighbouring fits are not nested, so none is tested against another.")
    return "\n".join(lines)


def _interval_width(rows: list[list[str]]) -> int:
    return sum(max((len(row[c]) for row in rows), default=0) for c in (5, 6)) + 7


def _shortened(name: str, room: int) -> str:
    """The name, or its two ends: the level of a category stands at the end."""
    if len(name) <= room:
        return name
    tail = max(room * 2 // 3 - 2, 1)
    return name[: room - 3 - tail] + "..." + name[-tail:]


def packed(facts: list[str]) -> list[str]:
    """Facts beside each other, as many as fit a line."""
    lines = [""]
    for fact in facts:
        joined = f"{lines[-1]}     {fact}" if lines[-1] else fact
        if len(joined) <= WIDTH:
            lines[-1] = joined
        else:
            lines.append(fact)
    return lines


def in_lines(text: str) -> list[str]:
    """A paragraph in lines of the summary's width."""
    from textwrap import wrap

    return wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
