"""The rules of curvature, an operation each: node by node, entry by entry, from the bits of the operands.

Reference: Grant, Boyd, Ye (2006), "Disciplined convex programming", in: Global Optimization, Springer, pp. 155-210.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from surefoot.problem.real import STRUCTURE, Node
from surefoot.problem.structure import move, subscripts
from surefoot.proof import curvature_bits as facts
from surefoot.proof.curvature_bits import CONCAVE, CONSTANT, CONVEX, EVERYTHING, UNKNOWN, added, filled, is_affine
from surefoot.proof.interval_functions import UNARY
from surefoot.proof.shapes import EVERYWHERE, SHAPES, Region, Shape, inside, power_shape

if TYPE_CHECKING:
    from surefoot.proof.curvature import Curvatures


def bits_by_rule(known: Curvatures, place: int, node: Node) -> np.ndarray:
    """What the rule of its operation says of a node, in its shape."""
    rule = RULES.get(node.operation)
    if rule is not None:
        return rule(known, place, node)
    if node.operation in STRUCTURE:
        return _moved(known, node)
    if node.operation == "power":
        return _unary(known, node, power_shape(node["exponent"]))
    if node.operation in SHAPES:
        return _unary(known, node, SHAPES[node.operation])
    return filled(UNKNOWN, node.shape)


def _moved(known: Curvatures, node: Node) -> np.ndarray:
    """What is not known moves, so that the zeros that padding brings are constants."""
    places = known.graph.constants[node["digest"]] if node.operation == "take" else None
    moved = move(node, [EVERYTHING - bits for bits in known.operands(node)], places)
    return EVERYTHING - np.asarray(moved, dtype=np.uint8)


def _unary(known: Curvatures, node: Node, shape: Shape) -> np.ndarray:
    (inner,) = known.operands(node)
    operand = node.operands[0]
    everywhere = [_in(known, operand, regions) for regions in (shape.convex, shape.concave, shape.up, shape.down)]
    return facts.composed(inner, *everywhere)


def _in(known: Curvatures, operand: int, regions: tuple[Region, ...]) -> np.ndarray:
    """Whether entries of an operand stay in one of the regions; bounds are only asked for where they matter."""
    shape = known.graph.nodes[operand].shape
    if not regions or regions == EVERYWHERE:
        return np.broadcast_to(np.array(bool(regions)), shape)
    ends = known.bounds.of(operand)
    return inside(regions, ends.lo, ends.hi)


def _wave(known: Curvatures, place: int, node: Node) -> np.ndarray:
    """Sine and cosine: phi'' is -phi; phi' is the other one, up to its sign."""
    (inner,) = known.operands(node)
    value = known.bounds.of(place)
    other = UNARY["cos" if node.operation == "sin" else "sin"](known.bounds.of(node.operands[0]).interval)
    rising, falling = other.lo >= 0, other.hi <= 0
    if node.operation == "cos":
        rising, falling = falling, rising
    return facts.composed(inner, value.hi <= 0, value.lo >= 0, rising, falling)


def _add(known: Curvatures, place: int, node: Node) -> np.ndarray:
    return added(*known.operands(node))


def _sub(known: Curvatures, place: int, node: Node) -> np.ndarray:
    one, other = known.operands(node)
    return added(one, facts.mirrored(other))


def _mul(known: Curvatures, place: int, node: Node) -> np.ndarray:
    for constant, other in (node.operands, node.operands[::-1]):
        if not known.depends[constant]:
            ends = known.bounds.of(constant)
            bits = facts.scaled(known.bits(other), ends.lo >= 0, ends.hi <= 0)
            return bits if known.has(constant, CONSTANT) else filled(UNKNOWN, node.shape)
    return filled(UNKNOWN, node.shape)


def _div(known: Curvatures, place: int, node: Node) -> np.ndarray:
    above, below = node.operands
    if known.depends[below]:
        return filled(UNKNOWN, node.shape)
    ends = known.bounds.of(below)
    return facts.scaled(known.bits(above), ends.positive, ends.negative)


def _sum(known: Curvatures, place: int, node: Node) -> np.ndarray:
    return facts.summed(known.operands(node)[0], node["axes"])


def _cumsum(known: Curvatures, place: int, node: Node) -> np.ndarray:
    (bits,) = known.operands(node)
    return np.broadcast_to(np.expand_dims(facts.summed(bits, (node["axis"],)), node["axis"]), node.shape)


def _largest(known: Curvatures, place: int, node: Node) -> np.ndarray:
    (bits,) = known.operands(node)
    kept = facts.CONVEX | CONSTANT | facts.QUASICONVEX
    return facts.closed(np.bitwise_and.reduce(bits & kept, axis=node["axes"], initial=kept, dtype=np.uint8))


def _smallest(known: Curvatures, place: int, node: Node) -> np.ndarray:
    (bits,) = known.operands(node)
    kept = facts.CONCAVE | CONSTANT | facts.QUASICONCAVE
    return facts.closed(np.bitwise_and.reduce(bits & kept, axis=node["axes"], initial=kept, dtype=np.uint8))


def _maximum(known: Curvatures, place: int, node: Node) -> np.ndarray:
    return _either(known, node, CONVEX | CONSTANT | facts.QUASICONVEX, larger=True)


def _minimum(known: Curvatures, place: int, node: Node) -> np.ndarray:
    return _either(known, node, CONCAVE | CONSTANT | facts.QUASICONCAVE, larger=False)


def _either(known: Curvatures, node: Node, kept: int, *, larger: bool) -> np.ndarray:
    """The larger or the smaller of two: of one of them throughout, its bits."""
    one, other = known.operands(node)
    found = one & other & kept
    if bool(np.all(found & (CONVEX if larger else CONCAVE))):
        return facts.closed(found)
    u, v = (known.bounds.of(k) for k in node.operands)
    first = u.lo >= v.hi if larger else u.hi <= v.lo
    second = v.lo >= u.hi if larger else v.hi <= u.lo
    return facts.closed(np.where(first, one, np.where(second, other, found)).astype(np.uint8))


def _logsumexp(known: Curvatures, place: int, node: Node) -> np.ndarray:
    (bits,) = known.operands(node)
    kept = CONVEX | CONSTANT
    return facts.closed(np.bitwise_and.reduce(bits & kept, axis=node["axes"], initial=kept, dtype=np.uint8))


def _dot(known: Curvatures, place: int, node: Node) -> np.ndarray:
    left, right = node.operands
    if known.depends[left] and known.depends[right]:
        return filled(UNKNOWN, node.shape)
    constant, other = (right, left) if known.depends[left] else (left, right)
    bits = known.bits(other)
    if not known.has(constant, CONSTANT):
        return filled(UNKNOWN, node.shape)
    if is_affine(bits).all():
        return filled(facts.AFFINE, node.shape)
    ends = known.bounds.of(constant)
    up, down = ends.lo >= 0, ends.hi <= 0
    found = filled(UNKNOWN, node.shape)
    for bit, turned in ((CONVEX, CONCAVE), (CONCAVE, CONVEX)):
        # An entry is wrong if one of its products is: the factor may be positive, the other not so, or the reverse.
        wrong = _counted(known, node, constant == left, ~down, (bits & bit) == 0)
        wrong += _counted(known, node, constant == left, ~up, (bits & turned) == 0)
        found = found | np.where(wrong == 0, bit, 0).astype(np.uint8)
    return facts.closed(found)


def _counted(known: Curvatures, node: Node, in_order: bool, constant: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How many products of a contraction have both properties."""
    pair = (constant, other) if in_order else (other, constant)
    spec = subscripts(node, pair[0].ndim, pair[1].ndim)
    return np.einsum(spec, *(one.astype(np.float64) for one in pair), optimize=True)


def _where(known: Curvatures, place: int, node: Node) -> np.ndarray:
    condition, yes, no = node.operands
    branch = known.branch(place)
    if branch is not None:
        return known.bits(branch)
    if not known.is_mixed(place):
        return filled(UNKNOWN, node.shape)
    return np.where(known.bounds.truth(condition).surely, known.bits(yes), known.bits(no)).astype(np.uint8)


def _steps(known: Curvatures, place: int, node: Node) -> np.ndarray:
    """Functions of steps are constant where they are known to have one value."""
    ends = known.bounds.of(place)
    found = _unary(known, node, SHAPES[node.operation])
    return np.where(ends.lo == ends.hi, EVERYTHING, found).astype(np.uint8)


def _hypot(known: Curvatures, place: int, node: Node) -> np.ndarray:
    """The norm of a pair: convex if each is affine, or convex and not negative."""
    fine = []
    for k in node.operands:
        bits = known.bits(k)
        fine.append(is_affine(bits) | (((bits & CONVEX) > 0) & (known.bounds.of(k).lo >= 0)))
    return facts.closed(np.where(fine[0] & fine[1], CONVEX, UNKNOWN).astype(np.uint8))


def _condition(known: Curvatures, place: int, node: Node) -> np.ndarray:
    return filled(UNKNOWN, node.shape)


RULES: dict[str, Callable[[Curvatures, int, Node], np.ndarray]] = {
    "input": lambda known, place, node: filled(facts.AFFINE, node.shape),
    "add": _add, "sub": _sub, "mul": _mul, "div": _div,
    "neg": lambda known, place, node: facts.mirrored(known.bits(node.operands[0])),
    "sum": _sum, "cumsum": _cumsum, "dot": _dot,
    "max": _largest, "min": _smallest, "logsumexp": _logsumexp,
    "maximum": _maximum, "minimum": _minimum, "hypot": _hypot,
    "sin": _wave, "cos": _wave, "where": _where,
    **dict.fromkeys(("sign", "floor", "ceil", "round"), _steps),
    **dict.fromkeys(("lt", "le", "eq", "ne", "and", "or", "not"), _condition),
}  # fmt: skip
