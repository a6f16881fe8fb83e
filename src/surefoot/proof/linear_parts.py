"""A number as a weighted sum of the entries of nodes: sums, repetitions and constant factors gone through from the end.

    f = c + sum_k sum_e w_ke u_ke,    w_ke in intervals, rounded outward

Rules for one operation after another forget how terms came together; here the same node met twice has one weight
(``2u - u``), and each part can be asked whether it bends as its weight wants.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surefoot.problem.real import STRUCTURE, Builder, Graph, Node
from surefoot.problem.structure import origins
from surefoot.proof import interval_sums as sums
from surefoot.proof.curvature import Curvatures
from surefoot.proof.curvature_bits import CONCAVE, CONVEX, is_affine
from surefoot.proof.interval import Interval
from surefoot.proof.plain_sums import added_again

_EPS = 2.0**-52


@dataclass(frozen=True)
class Part:
    """A node with the weights of its entries."""

    place: int
    weight: Interval

    def bends(self, bits: np.ndarray, *, up: bool) -> np.ndarray:
        """Which entries, times their weights, are known to be convex (``up``) or concave."""
        one, other = (CONVEX, CONCAVE) if up else (CONCAVE, CONVEX)
        lo, hi = self.weight.lo, self.weight.hi
        return (
            is_affine(bits)
            | ((lo >= 0) & ((bits & one) > 0))
            | ((hi <= 0) & ((bits & other) > 0))
            | ((lo == 0) & (hi == 0))
        )


class LinearParts:
    """The parts of the output of a graph.

    Parameters
    ----------
    known : Curvatures
        What the rules have read.

    Attributes
    ----------
    parts : list of Part
        Nodes that are not linear in others, and affine ones.

    Examples
    --------
    >>> from surefoot.problem.domain import Domain
    >>> build = Builder(("x", "y"))
    >>> u = build.power(build.input, 2)
    >>> graph = build.graph(build.sub(build.mul(build.constant(3.0), build.sum(u)), build.sum(u)))
    >>> parts = LinearParts(Curvatures(graph, Domain.everything(("x", "y")))).parts
    >>> [(graph.nodes[part.place].operation, part.weight.lo.tolist()) for part in parts]
    [('power', [2.0, 2.0])]
    """

    def __init__(self, known: Curvatures) -> None:
        self.known, self.graph = known, known.graph
        self.parts: list[Part] = []
        self._linear: dict[int, set[int]] = {}
        self._weights: dict[int, Interval] = {known.graph.output: Interval.of(1.0)}
        heap, done = [-known.graph.output], set()
        while heap:
            place = -heapq.heappop(heap)
            if place in done:
                continue
            done.add(place)
            node, weight = self.graph.nodes[place], self._weights.pop(place)
            if not known.depends[place]:
                continue
            with np.errstate(all="ignore"):
                given = None if bool(is_affine(known.bits(place)).all()) else self._given(place, node, weight)
            if given is None:
                self.parts.append(Part(place, weight))
                continue
            self._linear[place] = {k for k, _ in given}
            for k, share in given:
                before = self._weights.get(k)
                self._weights[k] = share if before is None else before + share
                heapq.heappush(heap, -k)

    def wrong(self, *, up: bool) -> list[int]:
        """Parts that are not known to bend that way."""
        return [part.place for part in self.parts if not part.bends(self.known.bits(part.place), up=up).all()]

    def only(self, kept: Sequence[int]) -> Graph:
        """The same function with every other part replaced by 0, and so with other affine terms."""
        build = Builder(self.graph.names)
        whole: list[int] = []  # every node as it is: inside of a kept part nothing is replaced
        part: dict[int, int] = {}  # the nodes on the way from the parts to the output
        gone = {one.place for one in self.parts} - set(kept)
        for place, node in self.graph:
            build.source = node.source
            whole.append(added_again(build, node, [whole[k] for k in node.operands], self.graph.constants))
            if place in gone:
                part[place] = build.broadcast(build.constant(0.0), node.shape, ())
            elif place in self._linear:
                operands = [part.get(k, whole[k]) if k in self._linear[place] else whole[k] for k in node.operands]
                part[place] = added_again(build, node, operands, self.graph.constants)
        return build.graph(part.get(self.graph.output, whole[self.graph.output]))

    def _given(self, place: int, node: Node, weight: Interval) -> list[tuple[int, Interval]] | None:
        """The weights of the operands, if the node is linear in them."""
        u = node.operands
        match node.operation:
            case "add":
                return [(u[0], weight), (u[1], weight)]
            case "sub":
                return [(u[0], weight), (u[1], -weight)]
            case "neg":
                return [(u[0], -weight)]
            case "mul":
                for constant, other in (u, u[::-1]):
                    if not self.known.depends[constant]:
                        return [(other, weight * self.known.bounds.of(constant).interval)]
                return None
            case "div" if not self.known.depends[u[1]]:
                return [(u[0], weight / self.known.bounds.of(u[1]).interval)]
            case "sum":
                shape = self.graph.nodes[u[0]].shape
                kept = tuple(1 if axis in node["axes"] else n for axis, n in enumerate(shape))
                return [(u[0], weight.each(lambda ends: np.broadcast_to(ends.reshape(kept), shape)))]
            case "cumsum":
                return [(u[0], sums.running(weight, node["axis"], not node["reverse"]))]
            case "dot":
                return self._contracted(node, weight)
            case "where":
                branch = self.known.branch(place)
                return None if branch is None else [(branch, weight)]
        return self._moved(node, weight) if node.operation in STRUCTURE else None

    def _contracted(self, node: Node, weight: Interval) -> list[tuple[int, Interval]] | None:
        """A contraction of vectors to a number, with one of them constant."""
        for constant, other in (node.operands, node.operands[::-1]):
            if not self.known.depends[constant] and not node.shape and len(self.graph.nodes[other].shape) == 1:
                return [(other, weight * self.known.bounds.of(constant).interval)]
        return None

    def _moved(self, node: Node, weight: Interval) -> list[tuple[int, Interval]]:
        if node.operation == "broadcast":
            return [(node.operands[0], self._gathered(node, weight))]
        starts, source = origins(self.graph, node)
        total = _scattered(source.ravel(), weight.each(np.ravel), int(starts[-1]))
        found: dict[int, Interval] = {}
        for k, start, stop in zip(node.operands, starts[:-1], starts[1:], strict=True):
            share = total[start:stop].each(lambda ends, k=k: ends.reshape(self.graph.nodes[k].shape))
            found[k] = found[k] + share if k in found else share
        return list(found.items())

    def _gathered(self, node: Node, weight: Interval) -> Interval:
        """Weights of what is repeated add up."""
        inner = self.graph.nodes[node.operands[0]].shape
        grown = [axis for axis, n in zip(node["axes"], inner, strict=True) if n == 1 and node.shape[axis] != 1]
        new = [axis for axis in range(len(node.shape)) if axis not in node["axes"]]
        added = sums.total(weight, tuple(sorted((*grown, *new)))) if grown or new else weight
        return added.each(lambda ends: ends.reshape(inner))


def _scattered(source: np.ndarray, weight: Interval, size: int) -> Interval:
    """Sums of weights by where they come from, counted from 1; 0 is nowhere."""
    counts = np.bincount(source, minlength=size + 1)
    lo = np.bincount(source, weight.lo, minlength=size + 1)
    hi = np.bincount(source, weight.hi, minlength=size + 1)
    if counts[1:].max(initial=0) > 1:
        spread = np.bincount(source, np.maximum(abs(weight.lo), abs(weight.hi)), minlength=size + 1)
        slack = np.where(counts > 1, 2.0 * counts * _EPS * spread + 1e-300, 0.0)
        least = np.full(size + 1, np.inf)
        most = np.full(size + 1, -np.inf)
        np.minimum.at(least, source, weight.lo)
        np.maximum.at(most, source, weight.hi)
        lo = np.where(least >= 0, np.maximum(lo - slack, 0.0), lo - slack)
        hi = np.where(most <= 0, np.minimum(hi + slack, 0.0), hi + slack)
    return Interval(lo[1:], hi[1:])
