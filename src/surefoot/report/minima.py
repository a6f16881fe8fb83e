"""A minimum as text, 100 columns at the widest: what ``surefoot minimize`` prints. Nothing is computed here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from surefoot.report.cells import time_text
from surefoot.report.sentences import unproven_sentence, verdict_sentence
from surefoot.report.text import WIDTH, in_lines, packed
from surefoot.wording import counted

if TYPE_CHECKING:
    from surefoot.problem.objective import Counts
    from surefoot.results.compass import Compass
    from surefoot.results.result import Result
    from surefoot.results.starts import Starts

MOST_SENTENCES = 6
MOST = 20
"""Variables that are shown one by one."""


def summary_text(result: Result) -> str:
    """Where it landed, why it stopped, what the point is; then what was noticed."""
    parts = [_heading(result), _point(result), _value(result), _ending(result)]
    if result.starts is not None:
        parts.insert(1, starts_lines(result.starts))
    if result.advice:
        parts.append([line for sentence in result.advice for line in in_lines(sentence)])
    return "\n\n".join("\n".join(part) for part in parts if part)


def starts_lines(starts: Starts) -> list[str]:
    """The minima found from many starts, the lowest first."""
    head = ["", "value", "share", "verdict", "at"]
    rows = []
    for k, minimum in enumerate(starts.minima[:MOST], start=1):
        point = ", ".join(f"{name} = {value:.6g}" for name, value in zip(starts.names[:4], minimum.x[:4], strict=False))
        if len(starts.names) > 4:
            point += ", ..."
        rows.append([str(k), f"{minimum.value:.8g}", f"{100 * minimum.share:.1f}%", minimum.verdict.value, point])
    lines = aligned([head, *rows], right=(0, 1, 2))
    if len(starts.minima) > MOST:
        lines.append(f"... and {counted(len(starts.minima) - MOST, 'more point')}")
    timed = ""
    if math.isfinite(starts.walk_seconds + starts.proof_seconds):
        timed = f" The walks took {time_text(starts.walk_seconds)}, judging {time_text(starts.proof_seconds)}."
    return lines + in_lines(starts.sentence + timed)


def compass_text(compass: Compass) -> str:
    """Value, gradient, steepest direction, slope along a way, level set, and why no direction is steeper."""
    rows = [["", "point", "gradient", "steepest direction"]]
    if compass.tangent is not None:
        rows[0].append("along the level set")
    for k, name in enumerate(compass.names[:MOST]):
        row = [name, f"{compass.flat[k]:.8g}", f"{compass.slope[k]:.8g}", _cell(compass.steepest, k)]
        rows.append(row + ([_cell(compass.tangent, k)] if compass.tangent is not None else []))
    if len(compass.names) > MOST:
        rows.append([f"... and {len(compass.names) - MOST} more", *[""] * (len(rows[0]) - 1)])
    lines = aligned(rows, right=range(1, len(rows[0])))
    parts = [
        in_lines(compass.title),
        lines,
        packed([f"value {compass.value:.10g}", f"|gradient| {compass.length:.10g}"]),
    ]
    parts.append([line for sentence in compass.sentences for line in in_lines(sentence)])
    return "\n\n".join("\n".join(part) for part in parts)


def _cell(vector, k: int) -> str:
    return "-" if vector is None else f"{vector[k]:.8g}"


def _heading(result: Result) -> list[str]:
    right = f"{counted(len(result.names), 'variable')}, {time_text(result.seconds)}"
    if len(result.title) + len(right) + 2 > WIDTH:
        return [*in_lines(result.title), right.rjust(WIDTH)]
    return [result.title + right.rjust(WIDTH - len(result.title))]


def _point(result: Result) -> list[str]:
    """A row for each variable. Of many starts the one that led here says nothing, so it is left out."""
    held, one = bool(result.multipliers), result.starts is None
    rows = [["", *["start"] * one, "landed at" if one else "the lowest of them", "gradient", *["multiplier"] * held]]
    for k, name in enumerate(result.names[:MOST]):
        row = [name, *[f"{result.start[k]:.6g}"] * one, f"{result.flat[k]:.10g}", f"{result.slope[k]:.1e}"]
        multiplier = result.multipliers.get(name)
        rows.append(row + ["" if multiplier is None else f"{multiplier:.6g}"] * held)
    lines = aligned(rows, right=range(1, len(rows[0])))
    if len(result.names) > MOST:
        lines.append(f"... and {counted(len(result.names) - MOST, 'more variable')}")
    return lines


def _value(result: Result) -> list[str]:
    slope = f"|gradient| {_length(result):.2e}"
    if result.multipliers:
        slope = f"|gradient| {result.stop.measure:.2e} where no bound holds"
    facts = [f"value {result.value:.10g}", slope, counted(result.steps, "step")]
    return packed([*facts, *_costs(result.counts)])


def _length(result: Result) -> float:
    return math.hypot(*map(float, result.slope)) if len(result.slope) <= MOST else result.stop.measure


def _costs(counts: Counts) -> list[str]:
    facts = []
    if counts.values:
        facts.append(counted(counts.values, "evaluation"))
    if counts.gradients:
        facts.append(counted(counts.gradients, "gradient"))
    if counts.hessians:
        facts.append(counted(counts.hessians, "Hessian"))
    if counts.products:
        facts.append(counted(counts.products, "Hessian product"))
    if counts.compilations:
        facts.append(f"{counted(counts.compilations, 'program')} compiled in {counts.compile_seconds:.2f} s")
    return facts


def _ending(result: Result) -> list[str]:
    certificate = result.certificate
    lines = in_lines(f"Method: {result.method}.") + _story(result) + in_lines(f"Stopped: {result.stop}.")
    return lines + in_lines(verdict_sentence(certificate)) + in_lines(unproven_sentence(certificate))


def _story(result: Result) -> list[str]:
    """How auto came to it, the last sentences where there are many."""
    shown = result.story[-MOST_SENTENCES:]
    left = len(result.story) - len(shown)
    lines = [f"({counted(left, 'earlier change')} of method in the trace.)"] if left else []
    return lines + [line for sentence in shown for line in in_lines(sentence)]


def aligned(rows: list[list[str]], right) -> list[str]:
    """Rows of cells as lines, the columns of ``right`` flush right."""
    widths = [max(len(row[c]) for row in rows) for c in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.rjust(widths[c]) if c in right else cell.ljust(widths[c]) for c, cell in enumerate(row)]
        lines.append("  ".join(cells).rstrip())
    return lines
