"""What the operations that bend add to the Hessian, each with its own second derivatives.

    elementwise   a f''(u) J_u J_u',   a f_uv (J_u J_v' + J_v J_u')
    dot           <J_u, a J_v> and its transpose
    logsumexp     a (sum s_i (J_i - c)(J_i - c)' - (g - c)(g - c)'),  s the softmax, g = sum s_i J_i, any constant c

Numbers, and short arrays, go entry by entry of the upper triangle; long arrays by products of matrices.

Reference: Gower & Mello (2012), "A new framework for the computation of Hessians", Optim. Methods Softw. 27(2), pp.
251-273; Boyd & Vandenberghe (2004), "Convex Optimization", section 3.1.5 (the Hessian of log-sum-exp).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from surefoot.problem.real import POWER, Node
from surefoot.proof import interval_functions as functions
from surefoot.proof import interval_sums as sums
from surefoot.proof.adjoints import contracted_back
from surefoot.proof.elementwise import RULES, power_rule
from surefoot.proof.interval import Array, Interval, square, tight
from surefoot.proof.plan import Plan
from surefoot.proof.replay_rules import State, whole_exponents
from surefoot.proof.slopes import kept, onto, softmax, times

FEW = 100_000
"""Numbers up to which the entries of the triangle are computed one by one."""

PART = 250_000
"""Numbers in a part of a long sum: few enough for the cache."""

Weight = tuple[int, int, Interval]
"""A second derivative by operands i <= j."""


class Packed:
    """The sum of what was added: the upper triangle of a symmetric matrix, row by row, for each box."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        n = plan.graph.size
        self.length = n * (n + 1) // 2
        self.sum: Interval | None = None

    def add(self, part: Interval, variables: Array) -> None:
        """Adds a packed triangle over some of the variables."""
        if len(variables) < self.plan.graph.size:
            rows, columns = np.triu_indices(len(variables))
            places = self.plan.unpacked[variables[rows], variables[columns]]

            def grown(ends: Array) -> Array:
                out = np.zeros((ends.shape[0], self.length))
                out[:, places] = ends
                return out

            part = part.each(grown)
        self.sum = part if self.sum is None else self.sum + part


def bends(
    plan: Plan, states: Sequence[State], back: Sequence[Interval | None], forward: Sequence[Interval | None]
) -> Interval:
    """The Hessian over each box, its upper triangle packed, shape (boxes or 1, n (n + 1)/2)."""
    packed = Packed(plan)
    for place, node in plan.graph:
        weight = back[place]
        if weight is None or not plan.bent[place]:
            continue
        variables = plan.support[place]
        if node.operation == "dot":
            packed.add(_of_dot(plan, node, weight, forward, variables), variables)
        elif node.operation == "logsumexp":
            packed.add(_of_logsumexp(plan, node, place, weight, states, forward), variables)
        else:
            for i, j, second in _seconds(plan, node, states, place):
                one, other = node.operands[i], node.operands[j]
                own = variables if i != j else plan.support[one]
                first = onto(plan, forward[one], plan.support[one], own)
                last = first if i == j else onto(plan, forward[other], plan.support[other], own)
                packed.add(_outer(times(weight, second), first, last, i == j), own)
    if packed.sum is None:
        return Interval.of(np.zeros((1, packed.length)))
    return packed.sum


def _seconds(plan: Plan, node: Node, states: Sequence[State], place: int) -> list[Weight]:
    """Second derivatives of an elementwise operation by the operands that depend on the variables."""
    value = states[place].value
    operands = [states[k].value for k in node.operands]
    assert isinstance(value, Interval)
    if node.operation in RULES or node.operation == POWER:
        rule = power_rule(node["exponent"]) if node.operation == POWER else RULES[node.operation]
        return [(0, 0, rule.second(operands[0], value))]  # type: ignore[arg-type]
    u, v = operands
    assert isinstance(u, Interval) and isinstance(v, Interval)
    by_u, by_v = (plan.depends[k] for k in node.operands)
    found: list[Weight] = []
    if node.operation == "mul":
        return [(0, 1, Interval.of(np.ones(value.shape)))]
    if node.operation == "div":
        if by_u:
            found.append((0, 1, -1.0 / square(v)))
        found.append((1, 1, u * 2.0 / functions.power(v, Fraction(3))))
        return found
    if node.operation == "pow":
        return _seconds_of_pow(u, v, value, by_u, by_v, states[node.operands[1]].fixed)
    if node.operation == "hypot":
        cube = functions.power(value, Fraction(3))
        table = {(0, 0): square(v) / cube, (0, 1): -(u * v) / cube, (1, 1): square(u) / cube}
    else:  # arctan2 of u over v
        fourth = square(square(u) + square(v))
        cross = u * v * 2.0 / fourth
        table = {(0, 0): -cross, (0, 1): (square(u) - square(v)) / fourth, (1, 1): cross}
    asked = (by_u, by_v)
    return [(i, j, second) for (i, j), second in table.items() if asked[i] and asked[j]]


def _seconds_of_pow(u: Interval, v: Interval, value: Interval, by_u: bool, by_v: bool, fixed: bool) -> list[Weight]:
    whole = np.broadcast_to(whole_exponents(v) & fixed, value.shape)
    found: list[Weight] = []
    if by_u:
        found.append((0, 0, times(v * (v - 1.0), functions.pow_general(u, v - 2.0, whole))))
    if by_v:
        logs = tight("log", u)
        if by_u:
            found.append((0, 1, functions.pow_interval(u, v - 1.0) * (1.0 + v * logs)))
        found.append((1, 1, value * square(logs)))
    return found


def _outer(weight: Interval, first: Interval, last: Interval, same: bool) -> Interval:
    """Packed ``sum_i w_i J_i K_i'``, and its transpose unless both are the same."""
    axes = weight.ndim - 1
    count = first.shape[1]
    boxes = max(weight.shape[0], first.shape[0], last.shape[0])
    rows, columns = np.triu_indices(count)
    size = int(np.prod(weight.shape[1:]))
    if boxes * len(rows) * size > FEW and axes:
        return _outer_long(_flat(weight, 0), _flat(first, 1), _flat(last, 1), same)
    # The slices of derivatives by the variables: copies in the order of the triangle.
    product = times(first[:, rows], last[:, columns])
    if same:
        diagonal = rows == columns
        exact = square(first)
        lo, hi = product.lo.copy(), product.hi.copy()
        lo[:, diagonal], hi[:, diagonal] = exact.lo, exact.hi
        product = Interval(lo, hi)
    else:
        product = product + times(first[:, columns], last[:, rows])
    weighted = times(product, weight[:, None])
    return sums.total(weighted, range(2, 2 + axes)) if axes else weighted


def _outer_long(weight: Interval, first: Interval, last: Interval, same: bool) -> Interval:
    """The same for one long axis of elements, by products of matrices, in parts that stay in the cache."""
    boxes, count = max(weight.shape[0], first.shape[0], last.shape[0]), first.shape[1]
    step = max(sums.BLOCK, PART // (boxes * count) // sums.BLOCK * sums.BLOCK)
    cuts = [(..., slice(start, start + step)) for start in range(0, weight.shape[1], step)]
    parts = [_outer_part(weight[cut], first[cut], last[cut], same) for cut in cuts]
    while len(parts) > 1:
        pairs = [parts[k] + parts[k + 1] for k in range(0, len(parts) - 1, 2)]
        parts = pairs + parts[len(pairs) * 2 :]
    return parts[0]


def _outer_part(weight: Interval, first: Interval, last: Interval, same: bool) -> Interval:
    weighted = times(first, weight[:, None])
    matrix = sums.matrix_product(weighted, last.each(lambda ends: np.swapaxes(ends, -1, -2)))
    if not same:
        matrix = matrix + matrix.each(lambda ends: np.swapaxes(ends, -1, -2))
    rows, columns = np.triu_indices(first.shape[1])
    packed = matrix[:, rows, columns]
    if same and not first.are_numbers:  # what a matrix does not know: squares
        diagonal = rows == columns
        exact = sums.total(times(square(first), weight[:, None]), (-1,)).meet(packed[:, diagonal])
        lo, hi = packed.lo.copy(), packed.hi.copy()
        lo[:, diagonal], hi[:, diagonal] = exact.lo, exact.hi
        packed = Interval(lo, hi)
    return packed


def _flat(u: Interval, ahead: int) -> Interval:
    return u.each(lambda ends: ends.reshape(*ends.shape[: 1 + ahead], -1))


def _of_dot(plan: Plan, node: Node, weight: Interval, forward: Sequence[Interval | None], variables: Array) -> Interval:
    one, other = node.operands
    first, last = (onto(plan, forward[k], plan.support[k], variables) for k in (one, other))
    passed = contracted_back(
        node, 0, weight[:, None], last, len(plan.graph.nodes[one].shape), len(plan.graph.nodes[other].shape), 2
    )
    matrix = sums.matrix_product(_flat(first, 1), _flat(passed, 1).each(lambda ends: np.swapaxes(ends, -1, -2)))
    matrix = matrix + matrix.each(lambda ends: np.swapaxes(ends, -1, -2))
    rows, columns = np.triu_indices(len(variables))
    return matrix[:, rows, columns]


def _of_logsumexp(
    plan: Plan, node: Node, place: int, weight: Interval, states: Sequence[State], forward: Sequence[Interval | None]
) -> Interval:
    at = node.operands[0]
    inner, outer = forward[at], forward[place]
    assert inner is not None and outer is not None
    axes = node["axes"]
    shares = softmax(states[at].value, axes)  # type: ignore[arg-type]
    middle = Interval.of(np.where(np.isfinite(outer.mid), outer.mid, 0.0))
    centred = inner - kept(middle, [axis + 2 for axis in axes])
    spread = times(kept(weight, [axis + 1 for axis in axes]), shares)
    away = outer - middle
    return _outer(spread, centred, centred, True) - _outer(weight, away, away, True)
