"""Reads a real graph in Arb balls of any precision, with first and second derivatives: the second opinion.

It shares nothing with the reading in intervals of doubles: derivatives go forward, each node carrying its own,

    f(u):     g = f' g_u,               H = f' H_u + f'' g_u g_u'
    f(u, v):  g = f_u g_u + f_v g_v,    H = f_u H_u + f_v H_v
                                            + f_uu g_u g_u' + f_uv (g_u g_v' + g_v g_u') + f_vv g_v g_v'

so it is slow where there are many variables, and tight at points. A ball that is NaN says that nothing is known: the
function is not defined there, a condition is not decided, or a derivative is asked for at a kink.

Reference: Johansson (2017), "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic", IEEE Trans.
Computers 66(8), pp. 1281-1292; Griewank & Walther (2008), "Evaluating Derivatives", 2nd ed., SIAM, section 13.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from surefoot.problem.real import BINARY, CONDITIONS, POWER, STRUCTURE, UNARY, Graph, Node
from surefoot.problem.structure import move
from surefoot.proof.arb_elementary import binary, nan, power, unary

Balls = np.ndarray
"""Arrays of Arb balls, or of True, False and None (not decided)."""


@dataclass(frozen=True)
class ArbJet:
    """A function and its derivatives at a point or over a box.

    Attributes
    ----------
    value : arb
    gradient : ndarray of arb, shape (n,)
    hessian : ndarray of arb, shape (n, n)
        Empty where they were not asked for; NaN where nothing is known.
    """

    value: Any
    gradient: Balls
    hessian: Balls


@dataclass(frozen=True)
class _Known:
    """A node: balls, and those of its derivatives with one or two axes of variables in front."""

    value: Balls
    gradient: Balls
    hessian: Balls


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Arb's working precision, put back afterwards."""
    from flint import ctx

    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def ball(lo: float | Fraction, hi: float | Fraction | None = None) -> Any:
    """A ball around a number, exact if that is a double, or around an interval.

    Examples
    --------
    >>> bool(ball(0.0, 1.0).contains(ball(Fraction(1, 3))))
    True
    """
    from flint import arb, fmpq

    one, other = (
        arb(fmpq(end.numerator, end.denominator)) if isinstance(end, Fraction) else arb(end)
        for end in (lo, lo if hi is None else hi)
    )
    return one if hi is None else one.union(other)


def ends(number: Any) -> tuple[float, float]:
    """The doubles around a ball; -inf and inf where nothing is known.

    Examples
    --------
    >>> lo, hi = ends(ball(Fraction(1, 3)))
    >>> Fraction(lo) < Fraction(1, 3) < Fraction(hi)
    True
    """
    from flint import arb

    if not number.is_finite():
        return -math.inf, math.inf
    with precision(256):
        low, high = number.lower(), number.upper()
        lo, hi = float(low), float(high)
        lo = lo if arb(lo) <= low else math.nextafter(lo, -math.inf)
        return lo, hi if arb(hi) >= high else math.nextafter(hi, math.inf)


def arb_jet(graph: Graph, point: Sequence[Any], order: int = 2, bits: int = 128) -> ArbJet:
    """Value, gradient and Hessian in balls.

    Parameters
    ----------
    graph : Graph
        The function of n variables.
    point : sequence of n numbers or balls
        Doubles and fractions as they are; a ball for a box.
    order : int
        The highest derivative, 0, 1 or 2.
    bits : int
        Working precision.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x",))
    >>> graph = build.graph(build.sum(build.unary("exp", build.input)))
    >>> jet = arb_jet(graph, [1.0])
    >>> jet.hessian[0, 0].str(20, radius=False)
    '2.7182818284590452354'
    """
    from flint import arb

    with precision(bits):
        x = np.array([entry if isinstance(entry, arb) else ball(entry) for entry in point], dtype=object)
        found: list[_Known] = []
        for node in graph.nodes:
            if node.operation == "input":
                found.append(_input(x, order))
            elif node.operation == "constant":
                found.append(_constant(graph.constants[node["digest"]], len(x), order))
            else:
                # An unknown value may have no operands; the input's derivatives have the axes that its own need.
                found.append(_read(graph, node, [found[k] for k in node.operands] or found[:1]))
        end = found[graph.output]
        return ArbJet(end.value[()], end.gradient, end.hessian)


def _none(sizes: tuple[int, ...], shape: tuple[int, ...]) -> Balls:
    from flint import arb

    return np.full((*sizes, *shape), arb(0), dtype=object)


def _sizes(n: int, order: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Axes of variables of first and second derivatives; of length 0 where they are not asked for."""
    return (n if order >= 1 else 0,), (n, n) if order >= 2 else (0, 0)


def _input(x: Balls, order: int) -> _Known:
    from flint import arb

    first, second = _sizes(len(x), order)
    gradient = _none(first, x.shape)
    for k in range(first[0]):
        gradient[k, k] = arb(1)
    return _Known(x, gradient, _none(second, x.shape))


def _constant(array: np.ndarray, n: int, order: int) -> _Known:
    from flint import arb

    first, second = _sizes(n, order)
    entries = [bool(entry) if array.dtype == bool else arb(float(entry)) for entry in array.reshape(-1)]
    return _Known(_array(entries, array.shape), _none(first, array.shape), _none(second, array.shape))


def _array(entries: Sequence[Any], shape: tuple[int, ...]) -> Balls:
    found = np.empty(len(entries), dtype=object)
    found[:] = entries
    return found.reshape(shape)


def _read(graph: Graph, node: Node, operands: Sequence[_Known]) -> _Known:
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
    return _Known(unknown, *(np.full((*lead, *node.shape), nan(), dtype=object) for lead in leads))


def _moved(graph: Graph, node: Node, operands: Sequence[_Known]) -> _Known:
    from flint import arb

    places = graph.constants[node["digest"]] if node.operation == "take" else None
    logical = operands[0].value.size > 0 and not isinstance(operands[0].value.reshape(-1)[0], arb)

    def moving(name: str, lead: int) -> Balls:
        found = np.array(move(node, [getattr(state, name) for state in operands], places, lead=lead), dtype=object)
        flat = found.reshape(-1)
        for k, entry in enumerate(flat):
            if type(entry) is int:  # what was padded in
                flat[k] = False if logical and lead == 0 else arb(entry)
        return flat.reshape(found.shape)

    return _Known(moving("value", 0), moving("gradient", 1), moving("hessian", 2))


def _times(scale: Balls, derivative: Balls) -> Balls:
    """Elementwise, with 0 where the derivative is exactly 0: what does not vary needs no slope."""
    found = scale * derivative
    zero = np.asarray(np.frompyfunc(lambda entry: bool(entry.is_zero()), 1, 1)(derivative), dtype=bool)
    return np.where(zero, derivative, found) if zero.any() else found


def _crossed(one: Balls, other: Balls) -> Balls:
    """``g h'`` of derivatives with the variables in front."""
    return one[:, None] * other[None, :]


def _composed(function: Callable[[Any], tuple[Any, Any, Any]], u: _Known) -> _Known:
    parts = [function(entry) for entry in u.value.reshape(-1)]
    value, slope, bend = (_array([part[k] for part in parts], u.value.shape) for k in range(3))
    gradient = _times(slope, u.gradient)
    if not u.hessian.size:
        return _Known(value, gradient, u.hessian)
    return _Known(value, gradient, _times(slope, u.hessian) + _times(bend, _crossed(u.gradient, u.gradient)))


def _paired(function: Callable[[Any, Any], Sequence[Any]], u: _Known, v: _Known) -> _Known:
    parts = [function(one, other) for one, other in zip(u.value.reshape(-1), v.value.reshape(-1), strict=True)]
    value, by_u, by_v, uu, uv, vv = (_array([part[k] for part in parts], u.value.shape) for k in range(6))
    gradient = _times(by_u, u.gradient) + _times(by_v, v.gradient)
    if not u.hessian.size:
        return _Known(value, gradient, u.hessian)
    cross = _crossed(u.gradient, v.gradient)
    hessian = _times(by_u, u.hessian) + _times(by_v, v.hessian) + _times(uv, cross + cross.swapaxes(0, 1))
    hessian = hessian + _times(uu, _crossed(u.gradient, u.gradient)) + _times(vv, _crossed(v.gradient, v.gradient))
    return _Known(value, gradient, hessian)


def _condition(node: Node, operands: Sequence[_Known]) -> _Known:
    same = len(node.operands) == 2 and node.operands[0] == node.operands[1]
    columns = [state.value.reshape(-1) for state in operands]
    truths = [_decided(node.operation, entries, same) for entries in zip(*columns, strict=True)]
    first = operands[0]
    return _Known(_array(truths, first.value.shape), first.gradient, first.hessian)


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


def _where(condition: _Known, a: _Known, b: _Known) -> _Known:
    truths = condition.value

    def choose(yes: Balls, no: Balls) -> Balls:
        pick = np.frompyfunc(lambda truth, one, other: nan() if truth is None else one if truth else other, 3, 1)
        return np.asarray(pick(truths, yes, no), dtype=object)

    return _Known(choose(a.value, b.value), choose(a.gradient, b.gradient), choose(a.hessian, b.hessian))


def _dot(node: Node, u: _Known, v: _Known) -> _Known:
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
        return _Known(value, gradient, _none((0, 0), node.shape))
    cross = product(u.gradient, v.gradient)
    hessian = product(u.hessian, v.value) + product(u.value, v.hessian) + cross + cross.swapaxes(0, 1)
    return _Known(value, gradient, hessian)


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


def _at(state: _Known, key: tuple[Any, ...]) -> _Known:
    """Some elements, with all derivatives."""
    every = slice(None)
    return _Known(state.value[key], state.gradient[(every, *key)], state.hessian[(every, every, *key)])


def _cumsum(node: Node, u: _Known) -> _Known:
    def running(array: Balls, axis: int) -> Balls:
        turned = np.flip(array, axis) if node["reverse"] else array
        summed = np.add.accumulate(turned, axis=axis)
        return np.flip(summed, axis) if node["reverse"] else summed

    axis = node["axis"]
    return _Known(running(u.value, axis), running(u.gradient, axis + 1), running(u.hessian, axis + 2))


def _folded(node: Node, u: _Known, pair: Callable[[Any, Any], Sequence[Any]], start: int) -> _Known:
    from flint import arb

    axes = node["axes"]
    order = (*axes, *(axis for axis in range(u.value.ndim) if axis not in axes))
    count = math.prod(u.value.shape[axis] for axis in axes)

    def in_front(array: Balls, lead: int) -> Balls:
        turned = array.transpose(*range(lead), *(lead + axis for axis in order))
        return turned.reshape((*array.shape[:lead], count, *node.shape))

    flat = _Known(in_front(u.value, 0), in_front(u.gradient, 1), in_front(u.hessian, 2))
    if count == 0:
        value = _array([arb(start)] * node.size, node.shape)
        return _Known(value, _none(u.gradient.shape[:1], node.shape), _none(u.hessian.shape[:2], node.shape))
    total = _lifted(_at(flat, (0,)))
    for k in range(1, count):
        total = _paired(pair, total, _lifted(_at(flat, (k,))))
    return total


def _lifted(state: _Known) -> _Known:
    """Numbers as arrays without axes."""
    return _Known(*(np.asarray(array, dtype=object) for array in (state.value, state.gradient, state.hessian)))
