"""First derivatives of a graph in intervals, backward: of the function by every node.

    a_operand += (d op_k / d operand)' a_k,        a_output = 1

Reference: Griewank & Walther (2008), "Evaluating Derivatives", 2nd ed., SIAM, section 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surefoot.problem.real import STRUCTURE, Node
from surefoot.proof import interval_sums as sums
from surefoot.proof.interval import Array, Interval
from surefoot.proof.plan import Plan, Uses
from surefoot.proof.replay_rules import State
from surefoot.proof.slopes import Slope, Slopes, kept, scaled, softmax, times


def adjoints(plan: Plan, states: Sequence[State], slopes: Slopes) -> list[Interval | None]:
    """Derivatives of the function by each node, shape (boxes or 1) + its own; None where it has none."""
    nodes = plan.graph.nodes
    found: list[Interval | None] = [None] * len(nodes)
    found[plan.graph.output] = Interval.of(np.ones(1))
    for place in range(len(nodes) - 1, 0, -1):
        mine, node = found[place], nodes[place]
        if mine is None or not plan.depends[place]:
            continue
        for k, at in enumerate(node.operands):
            if plan.depends[at] and isinstance(states[at].value, Interval):
                part = _passed_back(plan, node, place, k, mine, states, slopes[place])
                before = found[at]
                found[at] = part if before is None else before + part
    return found


def _passed_back(
    plan: Plan, node: Node, place: int, k: int, mine: Interval, states: Sequence[State], slopes: tuple[Slope, ...]
) -> Interval:
    name, operand = node.operation, plan.graph.nodes[node.operands[k]]
    if name == "unknown":  # of any shape
        return Interval.entire((1, *operand.shape))
    if slopes:
        return scaled(mine, slopes[k], 0)
    if name == "broadcast":
        return _gathered(mine, node, operand)
    if name in STRUCTURE:
        return _sent_back(mine, plan.uses[place][k], operand.shape)
    if name == "cumsum":
        return sums.running(mine, node["axis"] + 1, not node["reverse"])
    if name == "dot":
        other = states[node.operands[1 - k]].value
        assert isinstance(other, Interval)
        return contracted_back(
            node, k, mine, other, len(operand.shape), len(plan.graph.nodes[node.operands[1 - k]].shape), 1
        )
    spread = kept(mine, [axis + 1 for axis in node["axes"]])
    if name == "logsumexp":
        return times(spread, softmax(states[node.operands[k]].value, node["axes"]))  # type: ignore[arg-type]
    return spread.each(lambda ends: np.broadcast_to(ends, (ends.shape[0], *operand.shape)))


def _gathered(mine: Interval, node: Node, operand: Node) -> Interval:
    """Sums over what was repeated."""
    new = [axis + 1 for axis in range(len(node.shape)) if axis not in node["axes"]]
    grown = [
        at + 1
        for at, length in zip(node["axes"], operand.shape, strict=True)
        if length == 1 and node.shape[at] > 1
    ]  # fmt: skip
    summed = sums.total(mine, new + grown) if new or grown else mine
    return summed.each(lambda ends: ends.reshape(ends.shape[0], *operand.shape))


def _sent_back(mine: Interval, uses: Uses, shape: tuple[int, ...]) -> Interval:
    """What each element was used for, summed: in pairs, so that every place sees few roundings."""
    size = int(np.prod(shape))
    given = mine.each(lambda ends: ends.reshape(ends.shape[0], -1)[:, uses.elements])
    places, ranks = uses.places, uses.ranks
    while ranks.any():
        even = np.flatnonzero(ranks % 2 == 0)
        paired = np.zeros(len(even), dtype=bool)
        odd = np.flatnonzero(ranks % 2 == 1)  # each right behind its even one
        paired[np.searchsorted(even, odd - 1)] = True
        added = given[:, odd - 1] + given[:, odd]
        kept = given[:, even]
        lo, hi = kept.lo.copy(), kept.hi.copy()
        lo[:, paired], hi[:, paired] = added.lo, added.hi
        given, places, ranks = Interval(lo, hi), places[even], ranks[even] // 2

    def placed(ends: Array) -> Array:
        out = np.zeros((ends.shape[0], size))
        out[:, places] = ends
        return out.reshape(ends.shape[0], *shape)

    return given.each(placed)


def contracted_back(node: Node, k: int, mine: Interval, other: Interval, own: int, others: int, lead: int) -> Interval:
    """The transposed contraction: what a ``dot`` passes back to operand k, which has ``own`` axes."""
    contract, batch = node["contract"], node["batch"]
    free_own = [axis for axis in range(own) if axis not in (*contract[k], *batch[k])]
    free_other = [axis for axis in range(others) if axis not in (*contract[1 - k], *batch[1 - k])]
    ahead = len(batch[0])
    start = ahead if k == 1 else ahead + len(free_own)
    theirs = range(start, start + len(free_other))
    found = sums.contraction(mine, other, (tuple(theirs), tuple(free_other)), (tuple(range(ahead)), batch[1 - k]), lead)
    # Its axes: batch, own free ones, then the contracted ones in the other operand's order.
    rest = sorted(contract[1 - k])
    now = [*batch[k], *free_own, *(contract[k][contract[1 - k].index(axis)] for axis in rest)]
    order = [now.index(axis) for axis in range(own)]
    return found.each(lambda ends: ends.transpose(*range(lead), *(lead + at for at in order)))
