"""Convex functions of several parts of a graph that no rule for one operation sees: entropies and perspectives.

    x log x    and with 0 at x = 0        x log(x/y), y > 0        y phi(x/y), y > 0, phi convex

x is affine, y concave in the logarithm and affine in a perspective. A relative entropy falls with y.

Reference: Boyd, Vandenberghe (2004), "Convex Optimization", Cambridge, sections 3.1.5 and 3.2.6, pp. 71-74, 89-91.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from surefoot.problem.domain import Domain
from surefoot.problem.real import BINARY, CONDITIONS, UNARY, Builder, Graph, Node
from surefoot.proof import curvature_bits as facts
from surefoot.proof.curvature_bits import CONCAVE, CONVEX, UNKNOWN, filled, is_affine
from surefoot.proof.plain_sums import added_again

if TYPE_CHECKING:
    from surefoot.proof.curvature import Curvatures

ELEMENTWISE = (*UNARY, *BINARY, *CONDITIONS, "power", "where")

MOST_SIGNED = 40


def pattern_bits(known: Curvatures, place: int, node: Node) -> np.ndarray:
    """What the patterns say of a node; UNKNOWN of most."""
    rule = _PATTERNS.get(node.operation)
    bits = UNKNOWN if rule is None else rule(known, place, node)
    return filled(int(facts.closed(np.array(bits, dtype=np.uint8))), node.shape)


def _affine(known: Curvatures, place: int) -> bool:
    return bool(is_affine(known.bits(place)).all())


def _signed(known: Curvatures, place: int) -> list[tuple[int, int]]:
    """A sum as nodes with signs."""
    found, stack = [], [(1, place)]
    while stack and len(found) <= MOST_SIGNED:
        sign, k = stack.pop()
        node = known.graph.nodes[k]
        if node.operation in ("add", "sub"):
            stack += [(sign if node.operation == "add" else -sign, node.operands[1]), (sign, node.operands[0])]
        elif node.operation == "neg":
            stack.append((-sign, node.operands[0]))
        else:
            found.append((sign, k))
    return found


def _entropic(known: Curvatures, x: int, w: int) -> int:
    """The bits of ``x w`` where w is a sum of logarithms: ``x log x``, ``x log(x/y)``, their negatives."""
    own, others = 0, []
    for sign, k in _signed(known, w):
        node = known.graph.nodes[k]
        if not known.depends[k]:
            continue
        if node.operation != "log":
            return UNKNOWN
        inner = node.operands[0]
        ratio = known.graph.nodes[inner]
        if _is_itself(known, inner, x):
            own += sign
        elif ratio.operation == "div" and x in ratio.operands:
            if not all(bool(known.bounds.of(part).positive.all()) for part in ratio.operands):
                return UNKNOWN
            first = ratio.operands[0] == x
            own += sign if first else -sign
            others.append((-sign if first else sign, ratio.operands[1 if first else 0]))
        else:
            others.append((sign, inner))
    for turned, bit in ((1, CONVEX), (-1, CONCAVE)):
        left = turned * own
        for sign, y in others:
            if known.depends[y]:
                left -= 1
                if turned * sign > 0 or not known.has(y, CONCAVE) or not known.bounds.of(y).positive.all():
                    left = -1
                    break
        if left >= 0 and (own or others) and bool(np.all(known.bounds.of(x).lo >= 0)):
            return bit
    return UNKNOWN


def _is_itself(known: Curvatures, inner: int, x: int) -> bool:
    """Whether a node is x, or x where it is not 0: ``where(x > 0, x, 1)`` on x >= 0."""
    if inner == x:
        return True
    node = known.graph.nodes[inner]
    return (
        node.operation == "where"
        and node.operands[1] == x
        and not known.depends[node.operands[2]]
        and _means_positive(known, node.operands[0], x)
        and bool(known.bounds.of(node.operands[2]).positive.all())
    )


def _means_positive(known: Curvatures, condition: int, x: int) -> bool:
    """Whether a condition on x >= 0 is that x > 0."""
    node = known.graph.nodes[condition]
    if not bool(np.all(known.bounds.of(x).lo >= 0)):
        return False
    if node.operation == "lt":
        return node.operands[1] == x and _is_zero(known, node.operands[0])
    return node.operation == "ne" and x in node.operands and any(_is_zero(known, k) for k in node.operands)


def _is_zero(known: Curvatures, place: int) -> bool:
    value = known.graph.value(place)
    return value is not None and value.dtype != bool and bool(np.all(value == 0))


def _product(known: Curvatures, place: int, node: Node) -> int:
    for x, w in (node.operands, node.operands[::-1]):
        if known.depends[x] and known.depends[w] and _affine(known, x):
            found = _entropic(known, x, w) or _perspective(known, x, w)
            if found:
                return found
    return UNKNOWN


def _choice(known: Curvatures, place: int, node: Node) -> int:
    """``where(x > 0, x log x, 0)`` on x >= 0, and the same with signs and conditions turned round."""
    condition, yes, no = node.operands
    test = known.graph.nodes[condition]
    if test.operation == "not":
        condition, yes, no = test.operands[0], no, yes
        test = known.graph.nodes[condition]
    if test.operation in ("eq", "le"):
        zero_is = [k for k in test.operands if _is_zero(known, k)]
        if test.operation == "le" and not _is_zero(known, test.operands[1]):
            return UNKNOWN
        yes, no = no, yes
        tested = [k for k in test.operands if k not in zero_is]
    else:
        tested = [k for k in test.operands if not _is_zero(known, k)]
    if test.operation not in ("eq", "le", "lt", "ne"):
        return UNKNOWN
    if len(tested) != 1 or not _is_zero(known, no) or not _affine(known, tested[0]):
        return UNKNOWN
    x = tested[0]
    if test.operation in ("lt", "ne") and not _means_positive(known, condition, x):
        return UNKNOWN
    if not bool(np.all(known.bounds.of(x).lo >= 0)):
        return UNKNOWN
    sign = 1
    product = known.graph.nodes[yes]
    if product.operation == "neg":
        sign, product = -1, known.graph.nodes[product.operands[0]]
    if product.operation != "mul":
        return UNKNOWN
    for one, other in (product.operands, product.operands[::-1]):
        logarithm = known.graph.nodes[other]
        if one == x and logarithm.operation == "log" and logarithm.operands[0] == x:
            return CONVEX if sign > 0 else CONCAVE
    return UNKNOWN


def _total(known: Curvatures, place: int, node: Node) -> int:
    """``x log x - x log y`` written as two products."""
    plus: list[tuple[int, int]] = []
    minus: list[tuple[int, int]] = []
    rest: list[tuple[int, int]] = []
    for sign, k in _signed(known, place):
        pair = _times_log(known, k)
        (rest if pair is None else plus if sign > 0 else minus).append((sign, k) if pair is None else pair)
    if not minus or not plus:
        return UNKNOWN
    own = [x for x, inner in plus if inner == x]
    for x, inner in minus:
        fine = known.has(inner, CONCAVE) and bool(known.bounds.of(inner).positive.all())
        if x not in own or not fine:
            return UNKNOWN
        own.remove(x)
    others = [x for x, inner in plus if inner != x]
    if others or not all(known.has(k, CONVEX if sign > 0 else CONCAVE) for sign, k in rest):
        return UNKNOWN
    return CONVEX


def _times_log(known: Curvatures, place: int) -> tuple[int, int] | None:
    """The x and the y of ``x log y``, x affine and not constant."""
    node = known.graph.nodes[place]
    if node.operation != "mul":
        return None
    for x, w in (node.operands, node.operands[::-1]):
        logarithm = known.graph.nodes[w]
        if known.depends[x] and _affine(known, x) and logarithm.operation == "log" and known.depends[w]:
            return x, logarithm.operands[0]
    return None


def _perspective(known: Curvatures, y: int, w: int) -> int:
    """``y phi(x/y)`` for x and y affine, y > 0, phi convex or concave on all of R."""
    from surefoot.proof.curvature import Curvatures as Reading

    if known.graph.nodes[w].operation == "div" or not bool(known.bounds.of(y).positive.all()):
        return UNKNOWN
    for place in known.ratios.get(y, ()):
        if place > w or not _affine(known, known.graph.nodes[place].operands[0]):
            continue
        part = chain(known.graph, w, place)
        if part is None:
            continue
        found = Reading(part, Domain.everything(part.names))
        bits = int(found.bits(part.output)) & (CONVEX | CONCAVE)
        if bits and not found.undefined and not found.narrowed and found.domain.is_everything:
            return bits
    return UNKNOWN


def chain(graph: Graph, top: int, bottom: int) -> Graph | None:
    """The sum of a node's entries as a function of those of another node, if it depends on x by that node alone.

    Parameters
    ----------
    graph : Graph
        The whole.
    top, bottom : int
        Nodes of one shape; what is between them must be elementwise.

    Returns
    -------
    Graph or None
        Its variables are the entries of the lower node.
    """
    depends = graph.depends()
    wanted, stack = set(), [top]
    while stack:
        place = stack.pop()
        if place in wanted:
            continue
        wanted.add(place)
        node = graph.nodes[place]
        if place == bottom:
            continue
        if depends[place] and (node.operation not in ELEMENTWISE or node.shape != graph.nodes[bottom].shape):
            return None
        stack.extend(node.operands)
    if bottom not in wanted:
        return None
    size, shape = graph.nodes[bottom].size, graph.nodes[bottom].shape
    build = Builder(tuple(f"t[{k}]" for k in range(size)) if size != 1 else ("t",))
    new: dict[int, int] = {}
    for place in sorted(wanted):
        node = graph.nodes[place]
        build.source = node.source
        if place == bottom:
            new[place] = build.reshape(build.input, shape)
        else:
            new[place] = added_again(build, node, [new[k] for k in node.operands], graph.constants)
    return build.graph(build.sum(new[top]) if shape else new[top])


_PATTERNS: dict[str, Callable[[Curvatures, int, Node], int]] = {
    "mul": _product, "where": _choice, "add": _total, "sub": _total,
}  # fmt: skip
