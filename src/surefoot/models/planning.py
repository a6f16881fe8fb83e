"""The plan of a fit before its rows are read: a sample tells the condition, the source how many rows there are."""

from __future__ import annotations

from dataclasses import replace

from surefoot.data.design import Design
from surefoot.leastsquares.rank import find_rank
from surefoot.leastsquares.triangle import Triangle
from surefoot.models.plan import Plan, make_plan
from surefoot.models.rows import Reader


def plan_of(design: Design, reader: Reader) -> Plan:
    """Candidates for the rows of a source, from its first batch."""
    frame = next(iter(reader.frames(design.variables, "planning")), None)
    sampled = 0 if frame is None else frame.rows
    whole = sampled < reader.most
    rows = sampled if whole else max(sampled, reader.source.expected_rows() or 0)
    condition = 1.0
    if frame is not None:
        matrix = design.block(frame, reader.source).matrix[:, : len(design.names)]
        condition = find_rank(Triangle.of(matrix).upper()).condition if len(matrix) else 1.0
    about = f"of {'all' if whole else f'the first {sampled:,}'} rows"
    plan = make_plan(rows, max(1, len(design.names)), condition, about, ran="qr")
    return replace(plan, reason=_reason(plan))


def _reason(plan: Plan) -> str:
    """A file is not an array: what counts is passes over it."""
    best = plan.candidates[0]
    spared = plan.candidate("qr").seconds - best.seconds
    cheaper = (
        f"{best.method} would spare about {spared:.2g} s of arithmetic, and reads the rows again for every step"
        if best.method != "qr" and spared > 0
        else "nothing that is as exact is cheaper"
    )
    return (
        "QR takes the rows as they stream by, in one pass and bounded memory, whatever the condition turns out to be; "
        f"{cheaper}. Seconds are of arithmetic: each pass also reads the rows."
    )
