"""First derivatives of a graph in intervals, forward: of every node by the variables.

    J_k = sum over operands  (d op_k / d operand) J_operand,        J_input = 1

An operand of an elementwise operation has one slope for each element, used backward as well (`adjoints`). Of a
``where`` or a maximum that is not decided, any mixture of its branches can be the slope.

Reference: Griewank & Walther (2008), "Evaluating Derivatives", 2nd ed., SIAM, section 3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from surefoot.problem.real import CONDITIONS, POWER, STRUCTURE, Node
from surefoot.problem.structure import move
from surefoot.proof import interval_functions as functions
from surefoot.proof import interval_sums as sums
from surefoot.proof.elementwise import RULES, power_rule
from surefoot.proof.interval import Array, Interval, Truth, chosen, square, tight
from surefoot.proof.plan import Plan
from surefoot.proof.replay_rules import State, whole_exponents

Slope = Interval | int | None
"""Of an elementwise operation by one operand: intervals, or plain 1 or -1, or None where it does not depend on it."""

Slopes = Sequence[tuple[Slope, ...]]


def times(a: Interval, b: Interval) -> Interval:
    """A product in which an exact 0 wins: over what is nowhere defined, where that was not chosen, too."""
    found = a * b
    if np.isnan(found.lo).any():
        dead = ((a.lo == 0.0) & (a.hi == 0.0)) | ((b.lo == 0.0) & (b.hi == 0.0))
        found = Interval(np.where(dead, 0.0, found.lo), np.where(dead, 0.0, found.hi))
    return found


def slopes_of(plan: Plan, states: Sequence[State]) -> list[tuple[Slope, ...]]:
    """The slopes of every elementwise operation; nothing for others."""
    found: list[tuple[Slope, ...]] = []
    for place, node in plan.graph:
        if not plan.depends[place] or node.operation in STRUCTURE or node.operation in CONDITIONS:
            found.append(())
            continue
        operands = [states[k] for k in node.operands]
        asked = [plan.depends[k] for k in node.operands]
        value = states[place].value
        assert isinstance(value, Interval)
        if node.operation in RULES or node.operation == POWER:
            rule = power_rule(node["exponent"]) if node.operation == POWER else RULES[node.operation]
            found.append((-1,) if node.operation == "neg" else (rule.first(operands[0].value, value),))  # type: ignore[arg-type]
        elif node.operation in _PAIRS:
            both = _PAIRS[node.operation](operands, value, asked)
            found.append(tuple(slope if wanted else None for slope, wanted in zip(both, asked, strict=True)))
        elif node.operation == "unknown":
            found.append(tuple(Interval.entire((1,)) if wanted else None for wanted in asked))
        else:
            found.append(())
    return found


def _mul(operands: Sequence[State], _: Interval, asked: Sequence[bool]) -> tuple[Slope, ...]:
    return operands[1].value, operands[0].value  # type: ignore[return-value]


def _div(operands: Sequence[State], _: Interval, asked: Sequence[bool]) -> tuple[Slope, ...]:
    u, v = (state.value for state in operands)
    return (1.0 / v if asked[0] else None), (-u / square(v) if asked[1] else None)  # type: ignore[operator, arg-type]


def _pow(operands: Sequence[State], value: Interval, asked: Sequence[bool]) -> tuple[Slope, ...]:
    u, v = (state.value for state in operands)
    assert isinstance(u, Interval) and isinstance(v, Interval)
    whole = np.broadcast_to(whole_exponents(v) & operands[1].fixed, value.shape)
    nothing = ~whole & (u.lo < 0.0)  # as with its values
    by_u = times(v, functions.pow_general(u, v - 1.0, whole)) if asked[0] else None
    by_v = value * tight("log", u) if asked[1] else None
    return tuple(
        Interval(np.where(nothing, -np.inf, slope.lo), np.where(nothing, np.inf, slope.hi)) if slope else None
        for slope in (by_u, by_v)
    )


def _extreme(larger: bool) -> Callable[..., tuple[Slope, ...]]:
    def slopes(operands: Sequence[State], _: Interval, asked: Sequence[bool]) -> tuple[Slope, ...]:
        u, v = (state.value for state in operands)
        assert isinstance(u, Interval) and isinstance(v, Interval)
        first, second = (u.lo > v.hi, v.lo > u.hi) if larger else (u.hi < v.lo, v.hi < u.lo)
        return _share(~second, ~first), _share(~first, ~second)

    return slopes


def _share(possible: Array, other: Array) -> Interval:
    """How much of a branch is taken: none, all, or anything between."""
    return Interval(np.where(possible & ~other, 1.0, 0.0), np.where(possible, 1.0, 0.0))


def _where(operands: Sequence[State], _: Interval, asked: Sequence[bool]) -> tuple[Slope, ...]:
    truth = operands[0].value
    assert isinstance(truth, Truth)
    return None, _share(truth.can_hold, truth.can_fail), _share(truth.can_fail, truth.can_hold)


def _arctan2(operands: Sequence[State], _: Interval, asked: Sequence[bool]) -> tuple[Slope, ...]:
    u, v = (state.value for state in operands)
    assert isinstance(u, Interval) and isinstance(v, Interval)
    return _over_sum(v, u), -_over_sum(u, v)


def _over_sum(u: Interval, v: Interval) -> Interval:
    """``u/(u^2 + v^2)``, which is at most ``1/(2 |v|)``."""
    most = np.where(v.mignitude > 0.0, (0.5 / Interval.of(v.mignitude)).hi, np.inf)
    return (u / (square(u) + square(v))).meet(Interval(-most, most))


def _hypot(operands: Sequence[State], value: Interval, asked: Sequence[bool]) -> tuple[Slope, ...]:
    u, v = (state.value for state in operands)
    assert isinstance(u, Interval) and isinstance(v, Interval)
    return _cosine_of(u, v), _cosine_of(v, u)


def _cosine_of(u: Interval, v: Interval) -> Interval:
    """``u/sqrt(u^2 + v^2)``: it grows with u, and falls with ``|v|`` in size."""
    near, far = Interval.of(v.mignitude), Interval.of(v.magnitude)
    lo, hi = Interval.of(u.lo), Interval.of(u.hi)
    low = (lo / tight("hypot", lo, near)).lo, (lo / tight("hypot", lo, far)).lo
    high = (hi / tight("hypot", hi, near)).hi, (hi / tight("hypot", hi, far)).hi
    lowest, highest = np.where(u.lo < 0.0, low[0], low[1]), np.where(u.hi > 0.0, high[0], high[1])
    bounded = np.isfinite(u.magnitude) & np.isfinite(v.magnitude)
    return Interval(
        np.fmax(np.where(bounded, lowest, -1.0), -1.0), np.fmin(np.where(bounded, highest, 1.0), 1.0)
    )  # 0/0, where both are 0, is nothing known but these


_PAIRS: dict[str, Callable[[Sequence[State], Interval, Sequence[bool]], tuple[Slope, ...]]] = {
    "add": lambda operands, value, asked: (1, 1), "sub": lambda operands, value, asked: (1, -1),
    "mul": _mul, "div": _div, "pow": _pow, "maximum": _extreme(True), "minimum": _extreme(False), "where": _where,
    "arctan2": _arctan2, "hypot": _hypot,
}  # type: ignore[dict-item]  # fmt: skip


def scaled(derivative: Interval, slope: Slope, ahead: int) -> Interval:
    """A derivative times a slope that has ``ahead`` axes less behind the boxes'."""
    if slope == 1:
        return derivative
    if slope == -1:
        return -derivative
    assert isinstance(slope, Interval)
    if ahead:
        slope = slope.each(lambda ends: ends.reshape(ends.shape[0], *[1] * ahead, *ends.shape[1:]))
    return times(derivative, slope)


def tangents(plan: Plan, states: Sequence[State], slopes: Slopes) -> list[Interval | None]:
    """Derivatives by the variables in each node's support, shape (boxes or 1, support) + its own, where needed."""
    found: list[Interval | None] = []
    for place, node in plan.graph:
        if not plan.needed[place] or isinstance(states[place].value, Truth):
            found.append(None)
        elif node.operation == "input":
            found.append(Interval.of(np.eye(plan.graph.size)[None]))
        else:
            parts = [
                (k, at, onto(plan, found[at], plan.support[at], plan.support[place]))
                for k, at in enumerate(node.operands)
                if plan.depends[at] and found[at] is not None
            ]
            found.append(_tangent(plan, node, place, states, slopes[place], parts))
    return found


def onto(plan: Plan, derivative: Interval | None, mine: Array, wanted: Array) -> Interval:
    """Derivatives by more variables: 0 by the others."""
    assert derivative is not None
    if len(mine) == len(wanted):
        return derivative
    if len(mine) > len(wanted):  # parts of the input: the derivatives by the others are 0
        kept = np.searchsorted(mine, wanted)
        return derivative.each(lambda ends: ends[:, kept])
    places = np.searchsorted(wanted, mine)
    shape = (derivative.shape[0], len(wanted), *derivative.shape[2:])

    def grown(ends: Array) -> Array:
        out = np.zeros(shape)
        out[:, places] = ends
        return out

    return derivative.each(grown)


def _tangent(
    plan: Plan, node: Node, place: int, states: Sequence[State], slopes: tuple[Slope, ...],
    parts: list[tuple[int, int, Interval]],
) -> Interval:  # fmt: skip
    name = node.operation
    if name in ("maximum", "minimum", "where"):
        if not parts:  # a choice between constants
            return Interval.of(np.zeros((1, len(plan.support[place]), *node.shape)))
        return _mixed(plan, node, states, slopes, dict((k, derivative) for k, _, derivative in parts))
    if name == "unknown":
        return Interval.entire((1, len(plan.support[place]), *node.shape))
    if slopes:
        terms = [scaled(derivative, slopes[k], 1) for k, _, derivative in parts]
    elif name in STRUCTURE:
        if len(node.operands) == 1:
            places = plan.graph.constants[node["digest"]] if name == "take" else None
            return parts[0][2].each(lambda ends: move(node, [ends], places, lead=2))
        return _joined(plan, node, parts, len(plan.support[place]))
    elif name == "sum":
        terms = [sums.total(parts[0][2], tuple(axis + 2 for axis in node["axes"]))]
    elif name == "cumsum":
        terms = [sums.running(parts[0][2], node["axis"] + 2, node["reverse"])]
    elif name == "logsumexp":
        weights = softmax(states[node.operands[0]].value, node["axes"])  # type: ignore[arg-type]
        terms = [sums.total(scaled(parts[0][2], weights, 1), tuple(axis + 2 for axis in node["axes"]))]
    else:
        terms = [
            _contracted(node, k, derivative, states[node.operands[1 - k]].value, len(plan.graph.nodes[at].shape))  # type: ignore[arg-type]
            for k, at, derivative in parts
        ]
    return terms[0] if len(terms) == 1 else terms[0] + terms[1]


def _contracted(node: Node, k: int, derivative: Interval, other: Interval, own: int) -> Interval:
    """The derivative of a ``dot`` by operand k: the variables are one more free axis of one product."""
    moved = derivative.each(lambda ends: np.moveaxis(ends, 1, -1))
    pair = (moved, other) if k == 0 else (other, moved)
    found = sums.contraction(*pair, node["contract"], node["batch"], 1)
    free = own - len(node["contract"][k]) - len(node["batch"][k])
    place = 1 + len(node["batch"][k]) + free if k == 0 else -1
    return found.each(lambda ends: np.moveaxis(ends, place, 1))


def _mixed(
    plan: Plan, node: Node, states: Sequence[State], slopes: tuple[Slope, ...], parts: dict[int, Interval]
) -> Interval:
    """Of two branches that one, or all between both: the hull, which is less than both shares taken apart."""
    first, second = (1, 2) if node.operation == "where" else (0, 1)
    some = next(iter(parts.values()))
    one, other = (parts.get(k, Interval.of(np.zeros(some.shape))) for k in (first, second))
    taken = slopes[first] if isinstance(slopes[first], Interval) else None
    left = slopes[second] if isinstance(slopes[second], Interval) else None
    can_hold = taken.hi > 0.0 if taken is not None else left.lo < 1.0  # type: ignore[union-attr]
    can_fail = taken.lo < 1.0 if taken is not None else left.hi > 0.0  # type: ignore[union-attr]
    return chosen(Truth(can_hold[:, None], can_fail[:, None]), one, other)


def _joined(plan: Plan, node: Node, parts: list[tuple[int, int, Interval]], variables: int) -> Interval:
    """Concatenated derivatives; constants have none."""
    boxes = max(derivative.shape[0] for _, _, derivative in parts)
    given = {k: derivative for k, _, derivative in parts}
    pieces = [
        given[k] if k in given else Interval.of(np.zeros((1, variables, *plan.graph.nodes[at].shape)))
        for k, at in enumerate(node.operands)
    ]

    def alike(ends: Array) -> Array:
        return np.broadcast_to(ends, (boxes, *ends.shape[1:]))

    lo = move(node, [alike(piece.lo) for piece in pieces], None, lead=2)
    if all(piece.are_numbers for piece in pieces):
        return Interval(lo, lo)
    return Interval(lo, move(node, [alike(piece.hi) for piece in pieces], None, lead=2))


def softmax(u: Interval, axes: Sequence[int]) -> Interval:
    """``exp(u_i) / sum exp(u_j)``: it grows with its own operand and falls with the others."""
    over = tuple(axis + 1 for axis in axes)
    shift = np.where(np.isfinite(u.hi), u.hi, 0.0).max(axis=over, keepdims=True)
    powers = tight("exp", u - Interval.of(shift))
    low, high = Interval.of(powers.lo), Interval.of(powers.hi)
    # The others together: all, without one.
    most = np.maximum((kept(sums.total(high, over), over) - high).hi, 0.0)
    least = np.maximum((kept(sums.total(low, over), over) - low).lo, 0.0)
    lo, hi = (low / (low + Interval.of(most))).lo, (high / (high + Interval.of(least))).hi
    alone = float(np.prod([u.shape[axis] for axis in over]) == 1)
    return Interval(
        np.where(np.isfinite(u.magnitude), np.fmax(lo, alone), 0.0), np.where(np.isfinite(hi), np.minimum(hi, 1.0), 1.0)
    )


def kept(u: Interval, axes: Sequence[int]) -> Interval:
    """With axes of length 1 where they were summed away."""
    return u.each(lambda ends: np.expand_dims(ends, tuple(axes)))
