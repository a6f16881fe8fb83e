"""The operations of a real graph on Arb balls that carry their derivatives with them, for `arb_reading`.

    f(u):     g = f' g_u,               H = f' H_u + f'' g_u g_u'
    f(u, v):  g = f_u g_u + f_v g_v,    H = f_u H_u + f_v H_v
                                            + f_uu g_u g_u' + f_uv (g_u g_v' + g_v g_u') + f_vv g_v g_v'

Reference: Griewank & Walther (2008), "Evaluating Derivatives", 2nd ed., SIAM, section 13.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.problem.real import BINARY, CONDITIONS, POWER, STRUCTURE, UNARY, Graph, Node
from surefoot.problem.structure import move
from surefoot.proof.arb_elementary import binary, nan, power, unary

Balls = np.ndarray
"""Arrays of Arb balls, or of True, False and None (not decided)."""


@dataclass(frozen=True)
class Known:
    """A node: balls, and those of its derivatives with one or two axes of variables in front."""

    value: Balls
    gradient: Balls
    hessian: Balls


def _none(sizes: tuple[int, ...], shape: tuple[int, ...]) -> Balls:
    from flint import arb

    return np.full((*sizes, *shape), arb(0), dtype=object)


def _sizes(n: int, order: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Axes of variables of first and second derivatives; of length 0 where they are not asked for."""
    return (n if order >= 1 else 0,), (n, n) if order >= 2 else (0, 0)


def input_balls(x: Balls, order: int) -> Known:
    """The variables, with derivatives of 1."""
    from flint import arb

    first, second = _sizes(len(x), order)
    gradient = _none(first, x.shape)
    for k in range(first[0]):
        gradient[k, k] = arb(1)
    return Known(x, gradient, _none(second, x.shape))


def constant_balls(array: np.ndarray, n: int, order: int) -> Known:
    """Doubles and truths, exactly, without derivatives."""
    from flint import arb

    first, second = _sizes(n, order)
    entries = [bool(entry) if array.dtype == bool else arb(float(entry)) for entry in array.reshape(-1)]
    return Known(_array(entries, array.shape), _none(first, array.shape), _none(second, array.shape))


def _array(entries: Sequence[Any], shape: tuple[int, ...]) -> Balls:
    found = np.empty(len(entries), dtype=object)
    found[:] = entries
    return found.reshape(shape)


def node_balls(graph: Graph, node: Node, operands: Sequence[Known]) -> Known:
    """A node from its operands."""
    name = node.operation
    if name in STRUCTURE:
        return _moved(graph, node, operands)
    if name == POWER:
        return _composed(power(node["exponent"]), operands[0])
    if name in UNARY:
        return _composed(unary(name), operands[0])
    if name in BINARY:
        return _paired(binary(name), *operands)
    if name in CONDITIONS:
        return _condition(node, operands)
    if name == "where":
        return _where(*operands)
    if name == "dot":
        return _dot(node, *operands)
    if name == "cumsum":
        return _cumsum(node, operands[0])
    if name in ("sum", "prod", "max", "min"):
        pair = binary({"sum": "add", "prod": "mul", "max": "maximum", "min": "minimum"}[name])
        return _folded(node, operands[0], pair, 1 if name == "prod" else 0)
    if name == "logsumexp":
        total = _folded(node, _composed(unary("exp"), operands[0]), binary("add"), 0)
        return _composed(unary("log"), total)
    unknown = _array([nan()] * node.size, node.shape)
    first, second = operands[0].gradient, operands[0].hessian
    leads = first.shape[:1], second.shape[:2]
    return Known(unknown, *(np.full((*lead, *node.shape), nan(), dtype=object) for lead in leads))


def _moved(graph: Graph, node: Node, operands: Sequence[Known]) -> Known:
    from flint import arb

    places = graph.constants[node["digest"]] if node.operation == "take" else None
    logical = operands[0].value.size > 0 and not isinstance(operands[0].value.reshape(-1)[0], arb)

    def moving(name: str, lead: int) -> Balls:
        arrays = [getattr(state, name) for state in operands]
        if not arrays[0].size:  # derivatives that were not asked for
            return _none(arrays[0].shape[:lead], node.shape)
        found = np.array(move(node, arrays, places, lead=lead), dtype=object)
        flat = found.reshape(-1)
        for k, entry in enumerate(flat):
            if type(entry) is int:  # what was padded in
                flat[k] = False if logical and lead == 0 else arb(entry)
        return flat.reshape(found.shape)

    return Known(moving("value", 0), moving("gradient", 1), moving("hessian", 2))


def _times(scale: Balls, derivative: Balls) -> Balls:
    """Elementwise, with 0 where the derivative is exactly 0: what does not vary needs no slope."""
    found = scale * derivative
    zero = np.asarray(np.frompyfunc(lambda entry: bool(entry.is_zero()), 1, 1)(derivative), dtype=bool)
    return np.where(zero, derivative, found) if zero.any() else found


def _crossed(one: Balls, other: Balls) -> Balls:
    """``g h'`` of derivatives with the variables in front."""
    return one[:, None] * other[None, :]


def _composed(function: Callable[[Any], tuple[Any, Any, Any]], u: Known) -> Known:
    parts = [function(entry) for entry in u.value.reshape(-1)]
    value, slope, bend = (_array([part[k] for part in parts], u.value.shape) for k in range(3))
    gradient = _times(slope, u.gradient)
    if not u.hessian.size:
        return Known(value, gradient, u.hessian)
    return Known(value, gradient, _times(slope, u.hessian) + _times(bend, _crossed(u.gradient, u.gradient)))


def _paired(function: Callable[[Any, Any], Sequence[Any]], u: Known, v: Known) -> Known:
    parts = [function(one, other) for one, other in zip(u.value.reshape(-1), v.value.reshape(-1), strict=True)]
    value, by_u, by_v, uu, uv, vv = (_array([part[k] for part in parts], u.value.shape) for k in range(6))
    gradient = _times(by_u, u.gradient) + _times(by_v, v.gradient)
    if not u.hessian.size:
        return Known(value, gradient, u.hessian)
    cross = _crossed(u.gradient, v.gradient)
    hessian = _times(by_u, u.hessian) + _times(by_v, v.hessian) + _times(uv, cross + cross.swapaxes(0, 1))
    hessian = hessian + _times(uu, _crossed(u.gradient, u.gradient)) + _times(vv, _crossed(v.gradient, v.gradient))
    return Known(value, gradient, hessian)


def _condition(node: Node, operands: Sequence[Known]) -> Known:
    same = len(node.operands) == 2 and node.operands[0] == node.operands[1]
    columns = [state.value.reshape(-1) for state in operands]
    truths = [_decided(node.operation, entries, same) for entries in zip(*columns, strict=True)]
    first = operands[0]
    return Known(_array(truths, first.value.shape), first.gradient, first.hessian)


def _decided(operation: str, entries: tuple[Any, ...], same: bool) -> bool | None:
    one, other = entries[0], entries[-1]
    if operation == "not":
        return None if one is None else not one
    if operation == "and":
        return False if one is False or other is False else None if None in (one, other) else True
    if operation == "or":
        return True if one is True or other is True else None if None in (one, other) else False
    if isinstance(one, bool) or one is None:
        return None if None in (one, other) else (one == other) == (operation == "eq")
    if one.is_nan() or other.is_nan():
        return None
    if same:
        return operation in ("le", "eq")
    if operation in ("eq", "ne"):
        apart = bool(one < other or one > other)
        equal = bool(one == other)  # of balls: both exact
        return None if not (apart or equal) else equal == (operation == "eq")
    if operation == "lt":
        return True if one < other else False if one >= other else None
    return True if one <= other else False if one > other else None


def _where(condition: Known, a: Known, b: Known) -> Known:
    truths = condition.value

    def choose(yes: Balls, no: Balls) -> Balls:
        pick = np.frompyfunc(lambda truth, one, other: nan() if truth is None else one if truth else other, 3, 1)
        return np.asarray(pick(truths, yes, no), dtype=object)

    return Known(choose(a.value, b.value), choose(a.gradient, b.gradient), choose(a.hessian, b.hessian))


def _dot(node: Node, u: Known, v: Known) -> Known:
    contract, batch = node["contract"], node["batch"]

    def product(one: Balls, other: Balls) -> Balls:
        """Of derivatives with any axes of variables in front of one or the other, those of the first outermost."""
        leads = one.ndim - u.value.ndim, other.ndim - v.value.ndim
        left = _matrices(one, contract[0], batch[0], leads[0])
        right = _matrices(other, contract[1], batch[1], leads[1])
        left = left.reshape(*left.shape[: leads[0]], *[1] * leads[1], *left.shape[leads[0] :])
        found = _matrix_product(left, right.swapaxes(-1, -2))
        return found.reshape(one.shape[: leads[0]] + other.shape[: leads[1]] + node.shape)

    value = product(u.value, v.value)
    gradient = product(u.gradient, v.value) + product(u.value, v.gradient)
    if not u.hessian.size:
        return Known(value, gradient, _none((0, 0), node.shape))
    cross = product(u.gradient, v.gradient)
    hessian = product(u.hessian, v.value) + product(u.value, v.hessian) + cross + cross.swapaxes(0, 1)
    return Known(value, gradient, hessian)


def _matrices(array: Balls, contract: Sequence[int], batch: Sequence[int], lead: int) -> Balls:
    free = [axis for axis in range(array.ndim - lead) if axis not in contract and axis not in batch]
    order = (*range(lead), *(lead + axis for axis in (*batch, *free, *contract)))
    sizes = array.shape[lead:]
    ahead = array.shape[:lead] + tuple(sizes[axis] for axis in batch)
    shape = (math.prod(sizes[axis] for axis in free), math.prod(sizes[axis] for axis in contract))
    return array.transpose(order).reshape(ahead + shape)


def _matrix_product(one: Balls, other: Balls) -> Balls:
    from flint import arb

    total = arb(0)
    for k in range(one.shape[-1]):
        total = total + one[..., :, k, None] * other[..., None, k, :]
    if one.shape[-1]:
        return np.asarray(total, dtype=object)
    ahead = np.broadcast_shapes(one.shape[:-2], other.shape[:-2])
    return _none(ahead, (one.shape[-2], other.shape[-1]))


def _at(state: Known, key: tuple[Any, ...]) -> Known:
    """Some elements, with all derivatives."""
    every = slice(None)
    return Known(state.value[key], state.gradient[(every, *key)], state.hessian[(every, every, *key)])


def _cumsum(node: Node, u: Known) -> Known:
    def running(array: Balls, axis: int) -> Balls:
        turned = np.flip(array, axis) if node["reverse"] else array
        summed = np.add.accumulate(turned, axis=axis)
        return np.flip(summed, axis) if node["reverse"] else summed

    axis = node["axis"]
    return Known(running(u.value, axis), running(u.gradient, axis + 1), running(u.hessian, axis + 2))


def _folded(node: Node, u: Known, pair: Callable[[Any, Any], Sequence[Any]], start: int) -> Known:
    from flint import arb

    axes = node["axes"]
    order = (*axes, *(axis for axis in range(u.value.ndim) if axis not in axes))
    count = math.prod(u.value.shape[axis] for axis in axes)

    def in_front(array: Balls, lead: int) -> Balls:
        turned = array.transpose(*range(lead), *(lead + axis for axis in order))
        return turned.reshape((*array.shape[:lead], count, *node.shape))

    flat = Known(in_front(u.value, 0), in_front(u.gradient, 1), in_front(u.hessian, 2))
    if count == 0:
        value = _array([arb(start)] * node.size, node.shape)
        return Known(value, _none(u.gradient.shape[:1], node.shape), _none(u.hessian.shape[:2], node.shape))
    total = _lifted(_at(flat, (0,)))
    for k in range(1, count):
        total = _paired(pair, total, _lifted(_at(flat, (k,))))
    return total


def _lifted(state: Known) -> Known:
    """Numbers as arrays without axes."""
    return Known(*(np.asarray(array, dtype=object) for array in (state.value, state.gradient, state.hessian)))
