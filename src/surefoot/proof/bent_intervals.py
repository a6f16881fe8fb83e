"""The sign of phi'' on an interval of t, in intervals; between joints that are found exactly, each piece by itself.

    phi'' >= 0 on [b_k, b_k+1] for every piece,   phi(b-) = phi(b) = phi(b+),   phi'(b-) <= phi'(b+)

Where a condition compares quotients of polynomials in t, the places at which it changes are rational numbers found by
`rational_pieces`; between two of them it is the one or the other, and the function is smooth if its branches are.

Reference: Rockafellar (1970), "Convex Analysis", Princeton, theorem 24.1, p. 227; Moore, Kearfott, Cloud (2009),
"Introduction to Interval Analysis", SIAM, section 5.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from surefoot.problem.domain import outward
from surefoot.problem.real import CONDITIONS, Builder, Graph
from surefoot.proof.chains import redraw
from surefoot.proof.interval import Interval
from surefoot.proof.jets import second_order
from surefoot.proof.rational_bends import Bent
from surefoot.proof.rational_pieces import Line, Pieces, read_nodes, value_at

MOST_BOXES = 4096
_ROUNDS = 40
_PARTS = 16
_FAR = 2.0**40


def bent_in_intervals(graph: Graph, constants: np.ndarray, line: Line, sign: int) -> Bent | None:
    """Whether phi (sign 1), or -phi (sign -1), is proven convex; None if not.

    Parameters
    ----------
    graph : Graph
        Of the variables t, c_1, ..., c_k.
    constants : ndarray, shape (k,)
        The values of c.
    line : Line
        The range of t.
    sign : int
        1 or -1.
    """
    from surefoot.proof.tower_bends import shape_of

    read = read_nodes(graph, [Fraction(float(c)) for c in constants], line)
    changing = [one for place, one in enumerate(read) if one is not None and _can_change(graph, place)]
    joints = sorted({joint for one in changing for joint in one.joints})
    ends = [line.low, *joints, line.high]
    least, strict = np.inf, True
    pieces = [_piece(graph, constants, read, line, k, joints) for k in range(len(joints) + 1)]
    for k, piece in enumerate(pieces):
        bend = _least_bend(piece, ends[k], ends[k + 1], sign)
        if bend is None:
            held = (k > 0 or line.has_low, k < len(joints) or line.has_high)
            shape = shape_of(piece, (), Line(ends[k], ends[k + 1], *held))
            if shape is None or shape.bends not in (0, sign):
                return None
            bend, strict = float(outward(shape.modulus, up=False)), strict and shape.strict
        else:
            strict = strict and bend > 0
        least = min(least, bend)
    for k, joint in enumerate(joints):
        here = _piece(graph, constants, read, line, None, joints, at=joint)
        if not _meets(pieces[k], here, pieces[k + 1], joint, sign):
            return None
    for has, end, piece in ((line.has_low, line.low, pieces[0]), (line.has_high, line.high, pieces[-1])):
        if has and end is not None:
            here = _piece(graph, constants, read, line, None, joints, at=end)
            if here.nodes != piece.nodes and not _is_reached(piece, here, end, sign):
                return None
    return Bent(True, strict, Fraction(float(least)) if np.isfinite(least) else Fraction(0), False, None)


def _can_change(graph: Graph, place: int) -> bool:
    return graph.nodes[place].operation in (*CONDITIONS, "abs", "sign", "maximum", "minimum")


def _piece(
    graph: Graph, constants: np.ndarray, read: Sequence[Pieces | None], line: Line, k: int | None,
    joints: Sequence[Fraction], at: Fraction | None = None,
) -> Graph:  # fmt: skip
    """The function of t alone, with what is known of conditions on a part, or at a joint, put in."""
    if k is not None:
        at = _inside(line.low if k == 0 else joints[k - 1], line.high if k == len(joints) else joints[k])
    assert at is not None
    build = Builder(("t",))
    t = build.reshape(build.input, ())
    leaves = [t, *(build.constant(float(c)) for c in constants)]
    new: list[int] = []
    for place, node in graph:
        if node.operation == "input":
            new.append(build.input)
        elif node.operation == "slice":
            new.append(leaves[node["cuts"][0][0]])
        elif node.operation == "constant":
            value = graph.value(place)
            assert value is not None
            new.append(build.constant(value.ravel()[0]))
        else:
            operands = [leaves[0] if graph.nodes[j].operation == "input" else new[j] for j in node.operands]
            known = _known(graph, place, read, line, at) if _can_change(graph, place) else None
            if isinstance(known, bool):
                new.append(build.constant(known))
            elif known is not None:
                sign = 1 if known > 0 else -1
                new.append(operands[0] if sign > 0 else _other(build, node.operation, operands))
            else:
                new.append(redraw(build, node, operands))
    return build.graph(build.reshape(new[graph.output], ()))


def _known(graph: Graph, place: int, read: Sequence[Pieces | None], line: Line, at: Fraction) -> bool | int | None:
    """What a condition is at a place of t; which operand an extreme is: 1 the first, -1 the other."""
    node = graph.nodes[place]
    if node.operation == "sign":
        return None
    pieces = [read[k] for k in (place, *node.operands)]
    found = [value_at(one, line, at) if one is not None and _has_numbers(one) else None for one in pieces]
    if node.operation in CONDITIONS:
        one = pieces[0]
        return None if one is None else _truth_at(one, line, at)
    value, first = found[0], found[1]
    if value is None or first is None:
        return None
    return 1 if value == first else -1


def _has_numbers(one: Pieces) -> bool:
    return not any(isinstance(part, bool) for part in one.parts)


def _truth_at(one: Pieces, line: Line, at: Fraction) -> bool | None:
    for end, value in ((line.low, one.ends[0]), (line.high, one.ends[1])):
        if end is not None and at == end:
            return None if value is None else bool(value)
    for joint, value in zip(one.joints, one.values, strict=True):
        if at == joint:
            return None if value is None else bool(value)
    return bool(one.parts[sum(joint < at for joint in one.joints)])


def _other(build: Builder, operation: str, operands: Sequence[int]) -> int:
    return build.unary("neg", operands[0]) if operation == "abs" else operands[1]


def _inside(low: Fraction | None, high: Fraction | None) -> Fraction:
    if low is None or high is None:
        return Fraction(0) if low is None and high is None else (low + 1 if low is not None else high - 1)  # type: ignore[operator]
    return (low + high) / 2


def _least_bend(graph: Graph, low: Fraction | None, high: Fraction | None, sign: int) -> float | None:
    """A lower bound of ``sign phi''`` that is not negative; None if none was found."""
    lo = -np.inf if low is None else outward(low, up=False)
    hi = np.inf if high is None else outward(high, up=True)
    left, right = parts_of(lo, hi)
    least, used = np.inf, 0
    for _ in range(_ROUNDS):
        used += len(left)
        if used > MOST_BOXES:
            return None
        jet = second_order(graph, Interval(left[:, None], right[:, None]))
        second = jet.hessian[:, 0, 0] if sign > 0 else -jet.hessian[:, 0, 0]
        if np.any(second.hi < 0) or np.any(~jet.smooth & (left == right)):
            return None
        good = jet.smooth & (second.lo >= 0)
        least = min(least, float(second.lo[good].min(initial=np.inf)))
        left, right = left[~good], right[~good]
        if not len(left):
            return least
        middle = halves(left, right)
        if np.any((middle <= left) | (middle >= right)):
            return None
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
    return None


def parts_of(lo: float, hi: float) -> tuple[np.ndarray, np.ndarray]:
    """A first cut, with tails that have no end where the range has none."""
    cuts = {lo, hi}
    near, far = max(lo, -8.0), min(hi, 8.0)
    if near < far:
        cuts.update(np.linspace(near, far, _PARTS + 1).tolist())
    cuts.update(c for k in (16, 64, 1024) for c in (-float(k), float(k)) if lo < c < hi)
    if np.isfinite(lo) and np.isfinite(hi):
        cuts.update(np.linspace(lo, hi, _PARTS + 1).tolist())
    ends = np.array(sorted(cuts))
    return (ends[:-1], ends[1:]) if len(ends) > 1 else (ends, ends)


def halves(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Where to cut intervals in two; of a tail without end, four times as far out."""
    with np.errstate(invalid="ignore", over="ignore"):
        middle = left + (right - left) / 2.0
    middle = np.where(
        np.isinf(left) & np.isfinite(right), np.where(right > -_FAR, 4.0 * np.minimum(right, -1.0), left), middle
    )
    middle = np.where(
        np.isinf(right) & np.isfinite(left), np.where(left < _FAR, 4.0 * np.maximum(left, 1.0), right), middle
    )
    return np.where(np.isinf(left) & np.isinf(right), 0.0, middle)


def _meets(before: Graph, here: Graph, after: Graph, joint: Fraction, sign: int) -> bool:
    """Whether both sides have exactly the value at a joint, and slopes in order."""
    at = Interval.around(joint)
    box = at.each(lambda end: np.reshape(end, (1, 1)))
    jets = [second_order(one, box, order=1) for one in (before, here, after)]
    values = [jet.value for jet in jets]
    same = all(float(v.lo[0]) == float(v.hi[0]) == float(values[0].lo[0]) for v in values)
    if not same or not all(bool(jet.defined[0]) for jet in jets):
        return False
    left, right = (jets[k].gradient if sign > 0 else -jets[k].gradient for k in (0, 2))
    return bool(left.hi[0, 0] <= right.lo[0, 0])


def _is_reached(piece: Graph, here: Graph, end: Fraction, sign: int) -> bool:
    """Whether the value at an end of the interval is not below the limit there."""
    box = Interval.around(end).each(lambda ends: np.reshape(ends, (1, 1)))
    limit, value = (second_order(one, box, order=0) for one in (piece, here))
    if not (limit.defined[0] and value.defined[0]):
        return False
    above, below = (value.value, limit.value) if sign > 0 else (-value.value, -limit.value)
    return bool(above.lo[0] >= below.hi[0])
