"""A plan as a table: candidate methods with their predicted work, and the choice. Nothing is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surefoot.report.text import in_lines
from surefoot.wording import counted

if TYPE_CHECKING:
    from surefoot.models.plan import Plan


def plan_text(plan: Plan) -> str:
    """The table, cheapest first, the choice marked, and why it was chosen."""
    head = ["", "flops", "bytes", "passes", "steps", "seconds", ""]
    rows = []
    for one in plan.candidates:
        mark = "-> " if one.method == plan.chosen else "   "
        steps = _count(one.steps) if one.steps else "-"
        rows.append([mark + one.method, f"{one.flops:.1e}", f"{one.bytes:.1e}", _count(one.passes), steps,
                     _seconds(one.seconds), one.why])  # fmt: skip
    widths = [max(len(row[c]) for row in [head, *rows]) for c in range(len(head))]
    lines = [
        f"Plan for {counted(plan.rows, 'row')} and {counted(plan.columns, 'column')}, "
        f"condition {plan.condition:.2g} ({plan.condition_from})"
    ]
    for row in [head, *rows]:
        cells = [row[0].ljust(widths[0]), *(row[c].rjust(widths[c]) for c in range(1, 6)), row[6]]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([*lines, *in_lines(plan.reason)])


def _count(number: float) -> str:
    return f"{number:,.0f}" if number < 1e6 else f"{number:.0e}"


def _seconds(seconds: float) -> str:
    if seconds >= 86400 * 365:
        return f"{seconds / (86400 * 365):.0g} years"
    return f"{seconds:.3g}" if seconds < 1e5 else f"{seconds:.0e}"
