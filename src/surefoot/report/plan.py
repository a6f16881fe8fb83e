"""A plan as a table: candidate methods with their predicted work, and the choice. Nothing is computed here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from surefoot.report.text import in_lines
from surefoot.wording import counted

if TYPE_CHECKING:
    from surefoot.models.plan import Plan


@dataclass(frozen=True)
class PlanTable:
    """The plan as text: what it is for, a head, a row for each candidate, which of them was chosen, and why."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    chosen: int
    reason: str


def plan_table(plan: Plan) -> PlanTable:
    """The cells of the table, cheapest first."""
    rows = tuple(
        (one.method, f"{one.flops:.1e}", f"{one.bytes:.1e}", _count(one.passes),
         _count(one.steps) if one.steps else "-", _seconds(one.seconds), one.why)
        for one in plan.candidates
    )  # fmt: skip
    title = (
        f"Plan for {counted(plan.rows, 'row')} and {counted(plan.columns, 'column')}, "
        f"condition {plan.condition:.2g} ({plan.condition_from})"
    )
    chosen = next((k for k, one in enumerate(plan.candidates) if one.method == plan.chosen), -1)
    return PlanTable(title, ("", "flops", "bytes", "passes", "steps", "seconds", ""), rows, chosen, plan.reason)


def plan_text(plan: Plan) -> str:
    """The table, the choice marked, and why it was chosen."""
    table = plan_table(plan)
    marked = (("-> " if k == table.chosen else "   ") + row[0] for k, row in enumerate(table.rows))
    rows = [table.head, *((name, *row[1:]) for name, row in zip(marked, table.rows, strict=True))]
    widths = [max(len(row[c]) for row in rows) for c in range(len(table.head))]
    lines = [table.title]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(row[c].rjust(widths[c]) for c in range(1, 6)), row[6]]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([*lines, *in_lines(table.reason)])


def _count(number: float) -> str:
    return f"{number:,.0f}" if number < 1e6 else f"{number:.0e}"


def _seconds(seconds: float) -> str:
    if seconds >= 86400 * 365:
        return f"{seconds / (86400 * 365):.0g} years"
    return f"{seconds:.3g}" if seconds < 1e5 else f"{seconds:.0e}"
