"""What each operation makes of the states of its operands: its values, and where it is defined, continuous and smooth.

    defined(op(u, v))  =  defined(u), defined(v), and op is defined on all of their values

and the same for continuous and smooth: a composition of what has a property has it. A maximum is smooth where it surely
is one of both; a ``where`` is what its branch is, if the condition is decided on a neighbourhood of the box.

Reference: IEEE 1788-2015, "IEEE Standard for Interval Arithmetic", section 11.5 (decorations, and how they propagate).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from surefoot.problem.real import CONDITIONS, POWER, STRUCTURE, Graph, Node
from surefoot.problem.structure import move
from surefoot.proof import interval_functions as functions
from surefoot.proof import interval_sums as sums
from surefoot.proof.elementwise import RULES, Known, Rule, power_rule
from surefoot.proof.interval import Array, Interval, Truth, chosen, equal, less, less_or_equal


@dataclass(frozen=True, slots=True)
class State:
    """A node over boxes: one axis for the boxes in front, of length 1 if the value is the same in all.

    Attributes
    ----------
    value : Interval or Truth
        What it is; conditions are truths.
    defined, continuous, smooth : bool, or ndarray of bool in the shape of the value
        What is proven, element by element. Continuous and smooth imply defined.
    around : Truth or None
        What a condition is on a neighbourhood of the box.
    fixed : bool
        Whether it does not depend on the variables.
    """

    value: Interval | Truth
    defined: Known = True
    continuous: Known = True
    smooth: Known = True
    around: Truth | None = None
    fixed: bool = False


def is_known(node: Node) -> bool:
    """Whether there is an enclosure of an operation."""
    if node.operation == POWER:
        exponent = node["exponent"]
        return exponent.denominator > 1 or abs(exponent) <= functions.LARGEST_WHOLE
    return (
        node.operation in RULES
        or node.operation in _BINARY
        or node.operation in STRUCTURE
        or node.operation in CONDITIONS
        or node.operation in _OTHERS
        or node.operation in ("input", "constant")
    )


def constant_state(array: Array) -> State:
    """The state of a constant; where it is no number, it denotes none."""
    if array.dtype == bool:
        truth = Truth(array[None], ~array[None])
        return State(truth, around=truth, fixed=True)
    value = Interval.of(array[None])
    if np.isfinite(array).all():
        return State(value, fixed=True)
    known = np.isfinite(value.lo)
    return State(Interval.of(np.where(known, value.lo, np.nan)), known, known, known, fixed=True)


def state_of(graph: Graph, node: Node, operands: Sequence[State], thick: Array) -> State:
    """The state of a node that has operands, from theirs; ``thick`` says which boxes have a width along every side."""
    name = node.operation
    if not is_known(node):
        return State(Interval.entire((1, *node.shape)), False, False, False)
    if name in STRUCTURE:
        places = graph.constants[node["digest"]] if name == "take" else None
        return _moved(node, operands, places)
    if name in CONDITIONS:
        return _condition(node, operands, thick)
    if name in _OTHERS:
        return _OTHERS[name](node, operands)
    if name in _BINARY:
        return _BINARY[name](node, operands)
    return _unary(power_rule(node["exponent"]) if name == POWER else RULES[name], operands[0])


def both(one: Known, other: Known) -> Known:
    """Both properties; what always holds stays the plain True."""
    if one is True:
        return other
    return one if other is True else one & other


def _unary(rule: Rule, operand: State) -> State:
    u = operand.value
    assert isinstance(u, Interval)
    defined = both(operand.defined, rule.defined(u))
    continuous = both(both(operand.continuous, defined), rule.continuous(u))
    smooth = both(both(operand.smooth, continuous), rule.smooth(u))
    return State(rule.value(u), defined, continuous, smooth)


def _moved(node: Node, operands: Sequence[State], places: Array | None) -> State:
    if node.operation == "concatenate":
        operands = _same_boxes(operands)

    def moving(arrays: Sequence[Array]) -> Array:
        return move(node, arrays, places, lead=1)

    def flag(known: Sequence[Known]) -> Known:
        if all(one is True for one in known):
            return True
        shapes = [state.value.shape for state in operands]
        arrays = [np.broadcast_to(one, shape) for one, shape in zip(known, shapes, strict=True)]
        return ~moving([~array for array in arrays])  # what is padded in has every property

    values = [state.value for state in operands]
    if isinstance(values[0], Truth):
        truths = [_moved_truth(moving, [getattr(state, name) for state in operands]) for name in ("value", "around")]
        return State(truths[0], flag([state.defined for state in operands]), around=truths[1])
    lo = moving([value.lo for value in values])  # type: ignore[union-attr]
    same = all(value.are_numbers for value in values)  # type: ignore[union-attr]
    value = Interval(lo, lo if same else moving([value.hi for value in values]))  # type: ignore[union-attr]
    return State(
        value, flag([state.defined for state in operands]), flag([state.continuous for state in operands]),
        flag([state.smooth for state in operands]),
    )  # fmt: skip


def _moved_truth(moving: Callable[[Sequence[Array]], Array], truths: Sequence[Truth]) -> Truth:
    """What is padded in is false: it cannot hold, and fails."""
    return Truth(moving([truth.can_hold for truth in truths]), ~moving([~truth.can_fail for truth in truths]))


def _same_boxes(operands: Sequence[State]) -> list[State]:
    boxes = max(state.value.shape[0] for state in operands)

    def grown(ends: Array) -> Array:
        return np.broadcast_to(ends, (boxes, *ends.shape[1:]))

    return [
        State(
            state.value.each(grown), state.defined, state.continuous, state.smooth,
            state.around.each(grown) if state.around is not None else None,
        )
        for state in operands
    ]  # fmt: skip


_COMPARED = {"lt": less, "le": less_or_equal, "eq": equal, "ne": lambda u, v: ~equal(u, v)}


def _condition(node: Node, operands: Sequence[State], thick: Array) -> State:
    first, last = operands[0], operands[-1]
    defined = both(first.defined, last.defined)
    u, v = first.value, last.value
    if isinstance(u, Truth) and isinstance(v, Truth):
        join = {"and": lambda a, b: a & b, "or": lambda a, b: a | b, "not": lambda a, b: ~a}.get(node.operation)
        if join is None:  # truth values compared
            truth = Truth(*np.broadcast_arrays(np.bool_(True), np.ones(np.broadcast_shapes(u.shape, v.shape), bool)))
            return State(truth, defined, around=truth)
        assert first.around is not None and last.around is not None
        return State(join(u, v), defined, around=join(first.around, last.around))
    assert isinstance(u, Interval) and isinstance(v, Interval)
    if node.operands[0] == node.operands[1]:
        holds = np.full(u.shape, node.operation in ("le", "eq"))
        truth = Truth(holds, ~holds)
        return State(truth, defined, around=truth)
    truth = _COMPARED[node.operation](u, v)
    if (first.fixed and last.fixed) or thick.all():
        return State(truth, defined, around=truth)
    apart = (u.hi < v.lo) | (u.lo > v.hi)
    sure = apart & np.asarray(both(first.continuous, last.continuous))
    sure = sure | np.reshape(thick, (-1, *[1] * len(node.shape)))
    return State(truth, defined, around=Truth(truth.can_hold | ~sure, truth.can_fail | ~sure))


def _where(_: Node, operands: Sequence[State]) -> State:
    condition, a, b = operands
    truth, around = condition.value, condition.around
    assert isinstance(truth, Truth) and around is not None
    assert isinstance(a.value, Interval) and isinstance(b.value, Interval)
    defined = both(condition.defined, _by_branch(truth, a.defined, b.defined, False))
    continuous = both(defined, _by_branch(around, a.continuous, b.continuous, True))
    smooth = both(continuous, _by_branch(around, a.smooth, b.smooth, True))
    return State(chosen(truth, a.value, b.value), defined, continuous, smooth)


def _by_branch(truth: Truth, a: Known, b: Known, decided: bool) -> Known:
    """A property of whatever branch can be chosen; with ``decided``, only if that is one."""
    if a is True and b is True and not decided:
        return True
    found = (a | ~truth.can_hold) & (b | ~truth.can_fail)
    return found & truth.decided if decided else found


def _intervals(operands: Sequence[State]) -> list[Interval]:
    for state in operands:
        assert isinstance(state.value, Interval)
    return [state.value for state in operands]  # type: ignore[misc]


def _together(value: Interval, operands: Sequence[State], defined: Known, continuous: Known, smooth: Known) -> State:
    """A function of two operands, with what it asks of them beside what they are."""
    one, other = operands
    defined = both(both(one.defined, other.defined), defined)
    continuous = both(both(both(one.continuous, other.continuous), defined), continuous)
    return State(value, defined, continuous, both(both(both(one.smooth, other.smooth), continuous), smooth))


def _plain(name: str) -> Callable[[Node, Sequence[State]], State]:
    """Defined and smooth everywhere."""

    def state(node: Node, operands: Sequence[State]) -> State:
        u, v = _intervals(operands)
        value = functions.BINARY[name](u, v)
        if name == "sub" and node.operands[0] == node.operands[1]:
            value = Interval.of(np.zeros(value.shape))
        return _together(value, operands, True, True, True)

    return state


def _apart(u: Interval) -> Known:
    """Where 0 is no member."""
    return (u.lo > 0.0) | (u.hi < 0.0)


def _div(node: Node, operands: Sequence[State]) -> State:
    u, v = _intervals(operands)
    value = u / v
    if node.operands[0] == node.operands[1]:
        value = Interval.of(np.ones(value.shape))
    return _together(value, operands, _apart(v), True, True)


def whole_exponents(v: Interval) -> Array:
    """Which exponents are one whole number of at most 31 bits."""
    return (v.lo == v.hi) & (np.floor(v.lo) == v.lo) & (np.abs(v.lo) <= functions.LARGEST_WHOLE)


def _pow(_: Node, operands: Sequence[State]) -> State:
    u, v = _intervals(operands)
    whole = whole_exponents(v) & operands[1].fixed  # only a constant stays one beside the box
    shape = np.broadcast_shapes(u.shape, v.shape)
    value = functions.pow_general(u, v, np.broadcast_to(whole, shape))
    ever = whole & ((v.lo >= 0.0) | _apart(u))
    defined = ever | (u.lo > 0.0) | ((u.lo >= 0.0) & (v.lo > 0.0))
    # At whole exponents a negative base has a power, and numbers say 0^0 = 1: where that can be, nothing is claimed.
    value = Interval(np.where(defined, value.lo, -np.inf), np.where(defined, value.hi, np.inf))
    return _together(value, operands, defined, True, ever | (u.lo > 0.0))


def _extreme(name: str) -> Callable[[Node, Sequence[State]], State]:
    """The larger or smaller: smooth where it surely is one of both, and that is smooth."""

    def state(_: Node, operands: Sequence[State]) -> State:
        one, other = operands
        u, v = _intervals(operands)
        value = functions.BINARY[name](u, v)
        first, second = (u.lo > v.hi, v.lo > u.hi) if name == "maximum" else (u.hi < v.lo, v.hi < u.lo)
        defined = both(one.defined, other.defined)
        continuous = both(both(one.continuous, other.continuous), defined)
        return State(value, defined, continuous, both(continuous, (first & one.smooth) | (second & other.smooth)))

    return state


def _arctan2(_: Node, operands: Sequence[State]) -> State:
    u, v = _intervals(operands)
    off_cut = _apart(u) | (v.lo > 0.0)
    return _together(functions.BINARY["arctan2"](u, v), operands, _apart(u) | _apart(v), off_cut, off_cut)


def _hypot(_: Node, operands: Sequence[State]) -> State:
    u, v = _intervals(operands)
    return _together(functions.BINARY["hypot"](u, v), operands, True, True, _apart(u) | _apart(v))


def _dot(node: Node, operands: Sequence[State]) -> State:
    u, v = _intervals(operands)
    value = sums.contraction(u, v, node["contract"], node["batch"], lead=1)
    one, other = operands
    axes = len(node.shape)
    return State(
        value,
        both(_all(one.defined, axes), _all(other.defined, axes)),
        both(_all(one.continuous, axes), _all(other.continuous, axes)),
        both(_all(one.smooth, axes), _all(other.smooth, axes)),
    )


def _all(known: Known, axes: int) -> Known:
    """Whether every element has a property, with so many axes behind the boxes'."""
    if known is True or known is False:
        return known
    return np.asarray(np.asarray(known).all(axis=tuple(range(1, np.ndim(known))))).reshape(-1, *[1] * axes)


_REDUCED: dict[str, Callable[[Interval, Sequence[int]], Interval]] = {
    "sum": sums.total, "prod": sums.product, "max": sums.largest, "min": sums.smallest, "logsumexp": sums.logsumexp,
}  # fmt: skip


def _reduced(node: Node, operands: Sequence[State]) -> State:
    (state,) = operands
    (u,) = _intervals(operands)
    axes = tuple(axis + 1 for axis in node["axes"])

    def all_over(known: Known) -> Known:
        return known if isinstance(known, bool) else np.asarray(np.broadcast_to(known, u.shape).all(axis=axes))

    value = _REDUCED[node.operation](u, axes)
    smooth = all_over(state.smooth)
    if node.operation in ("max", "min"):
        reach = u if node.operation == "max" else -u
        smooth = both(smooth, (reach.hi >= reach.lo.max(axis=axes, keepdims=True)).sum(axis=axes) == 1)
    return State(value, all_over(state.defined), all_over(state.continuous), smooth)


def _cumsum(node: Node, operands: Sequence[State]) -> State:
    (state,) = operands
    (u,) = _intervals(operands)
    value = sums.running(u, node["axis"] + 1, node["reverse"])
    shape = len(node.shape)
    return State(value, _all(state.defined, shape), _all(state.continuous, shape), _all(state.smooth, shape))


_BINARY: dict[str, Callable[[Node, Sequence[State]], State]] = {
    "add": _plain("add"), "sub": _plain("sub"), "mul": _plain("mul"), "div": _div, "pow": _pow,
    "maximum": _extreme("maximum"), "minimum": _extreme("minimum"), "arctan2": _arctan2, "hypot": _hypot,
}  # fmt: skip
_OTHERS: dict[str, Callable[[Node, Sequence[State]], State]] = {
    "where": _where, "dot": _dot, "cumsum": _cumsum, **{name: _reduced for name in _REDUCED},
}  # fmt: skip
