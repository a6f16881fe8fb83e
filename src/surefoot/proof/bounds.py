"""Bounds of every node of a graph on a domain, with ends that may be known to be left out.

    lo <= u(x) <= hi  for all x of the domain where u is defined,   strict where `above`, `below` say so

Most rules of curvature need a sign: ``exp(u) > 0``, ``x > 0``. Bounds are computed when they are asked for, so that a
graph whose rules need none costs nothing; ends are rounded outward. A strict bound matters at borders: on ``x > 0``,
``1/x`` is defined. What is learned on the way (that the operand of a logarithm is positive) narrows them.

Reference: Moore, Kearfott, Cloud (2009), "Introduction to Interval Analysis", SIAM, section 5.2, pp. 47-51.
"""

from __future__ import annotations

import numpy as np

from surefoot.problem.domain import Domain
from surefoot.problem.real import STRUCTURE, Graph, Node
from surefoot.problem.structure import move
from surefoot.proof import interval_functions as functions
from surefoot.proof.affine_forms import AffineForms
from surefoot.proof.affine_ranges import Range, affine_range
from surefoot.proof.ends import (
    ELEMENTWISE,
    REDUCED,
    TRUTHS,
    Ends,
    chosen,
    contracted,
    plain,
    powered,
    running,
    with_ends,
    with_ends_left_out,
)  # fmt: skip
from surefoot.proof.interval import Interval, Truth

MOST_FORMS = 64
"""Entries of affine nodes, and variables, up to which the range is taken from the affine form itself."""


class Bounds:
    """Bounds of the nodes of a graph on a domain.

    Parameters
    ----------
    graph : Graph
        The function.
    domain : Domain
        Where it is considered.
    forms : AffineForms
        Of the same graph.

    Attributes
    ----------
    affine : set of int
        Nodes that somebody knows to be affine; their ranges are taken from their forms if they are small.
    learned : dict of int to Ends
        What holds besides.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x",))
    >>> x = build.reshape(build.input, ())
    >>> graph = build.graph(build.add(build.unary("exp", x), build.power(x, 2)))
    >>> ends = Bounds(graph, Domain.everything(("x",)), AffineForms(graph)).of(graph.output)
    >>> ends.lo.item(), ends.above.item()
    (0.0, True)
    """

    def __init__(self, graph: Graph, domain: Domain, forms: AffineForms) -> None:
        self.graph, self.domain, self.forms = graph, domain, forms
        self.affine: set[int] = set()
        self.learned: dict[int, Ends] = {}
        self._known: dict[int, Ends | Truth] = {}

    def forget(self) -> None:
        """Compute anew what is asked for: something was learned."""
        self._known.clear()

    def of(self, place: int) -> Ends:
        """The bounds of a node that is no condition."""
        found = self._found(place)
        return found if isinstance(found, Ends) else plain(Interval.entire(found.shape))

    def truth(self, place: int) -> Truth:
        """What is known of a condition."""
        found = self._found(place)
        if isinstance(found, Truth):
            return found
        yes = np.broadcast_to(np.array(True), found.shape)
        return Truth(yes, yes)

    def _found(self, place: int) -> Ends | Truth:
        if place not in self._known:
            wanted, stack = set(), [place]
            while stack:
                k = stack.pop()
                if k in wanted or k in self._known:
                    continue
                wanted.add(k)
                if not self._is_shortcut(k):
                    stack.extend(self.graph.nodes[k].operands)
            for k in sorted(wanted):
                with np.errstate(all="ignore"):
                    self._known[k] = self._computed(k)
        return self._known[place]

    def _is_shortcut(self, place: int) -> bool:
        return place in self.affine and (self.domain.is_everything or self._is_small(place))

    def _is_small(self, place: int) -> bool:
        return self.graph.nodes[place].size <= MOST_FORMS and self.graph.size <= MOST_FORMS

    def _computed(self, place: int) -> Ends | Truth:
        node = self.graph.nodes[place]
        found: Ends | Truth | None = None
        if self._is_shortcut(place) and node.operation not in ("input", "constant"):
            found = self._from_forms(place, node)
        if found is None:
            if any(k not in self._known for k in node.operands):
                found = plain(Interval.entire(node.shape))
            else:
                found = self._rule(place, node)
        if isinstance(found, Ends) and place in self.learned:
            found = found.meet(self.learned[place])
        return found

    def _from_forms(self, place: int, node: Node) -> Ends | None:
        if not self._is_small(place):
            return plain(Interval.entire(node.shape))
        ranges: list[Range] = []
        for entry in range(node.size):
            form = self.forms.of(place, entry)
            if form is None or form.rest is None:
                return plain(Interval.entire(node.shape)) if self.domain.is_everything else self._later(place)
            ranges.append(affine_range(form, self.domain))
        columns = [np.array(column).reshape(node.shape) for column in zip(*ranges, strict=True)]
        return Ends(
            columns[0].astype(float), columns[1].astype(float), columns[2].astype(bool), columns[3].astype(bool)
        )

    def _later(self, place: int) -> None:
        """Its form is not to be had: the operands must do."""
        self.affine.discard(place)
        for k in self.graph.nodes[place].operands:
            self._found(k)

    def _rule(self, place: int, node: Node) -> Ends | Truth:
        operation = node.operation
        if operation == "input":
            return Ends(self.domain.lower, self.domain.upper, self.domain.above, self.domain.below)
        if operation == "constant":
            return self._constant(self.graph.constants[node["digest"]])
        operands = [self._known[k] for k in node.operands]
        if operation in STRUCTURE:
            return self._moved(node, operands)
        if operation in TRUTHS:
            return TRUTHS[operation](*operands)
        numbers = [one if isinstance(one, Ends) else plain(Interval.entire(one.shape)) for one in operands]
        if operation == "where":
            condition = operands[0]
            if not isinstance(condition, Truth):
                return plain(Interval.entire(node.shape))
            return chosen(condition, *self._within_branches(node, numbers))
        return self._number_rule(node, numbers)

    def _within_branches(self, node: Node, numbers: list[Ends]) -> tuple[Ends, Ends]:
        """Branches where they are taken: ``where(x > 0, x, 1)`` is positive."""
        test = self.graph.nodes[node.operands[0]]
        a, b = numbers[1:]
        if test.operation not in ("lt", "le"):
            return a, b
        u, v = (self._known[k] for k in test.operands)
        if not isinstance(u, Ends) or not isinstance(v, Ends):
            return a, b
        strict = np.full(node.shape, test.operation == "lt")
        yes = np.full(node.shape, True)
        over, under = np.full(node.shape, np.inf), np.full(node.shape, -np.inf)
        above_u, below_v = Ends(u.lo, over, u.above | strict, yes), Ends(under, v.hi, yes, v.below | strict)
        # Where the condition fails, the other comparison holds: strictly if this one is not strict.
        below_u, above_v = Ends(under, u.hi, yes, u.below | ~strict), Ends(v.lo, over, v.above | ~strict, yes)
        for branch, low, high in ((node.operands[1], below_v, above_u), (node.operands[2], above_v, below_u)):
            for operand, side in zip(test.operands, (low, high), strict=True):
                if branch == operand and branch == node.operands[1]:
                    a = a.meet(side)
                elif branch == operand:
                    b = b.meet(side)
        return a, b

    @staticmethod
    def _number_rule(node: Node, operands: list[Ends]) -> Ends:
        operation = node.operation
        if operation in REDUCED:
            return REDUCED[operation](operands[0], node["axes"])
        if operation == "cumsum":
            return running(operands[0], node)
        if operation == "dot":
            return contracted(operands[0], operands[1], node)
        if operation == "power":
            return powered(operands[0], node["exponent"])
        rule = ELEMENTWISE.get(operation)
        if rule is not None:
            return rule(*operands)
        if operation in functions.UNARY:
            return with_ends(operation, operands[0])
        if operation == "pow" and not (operands[0].lo >= 0).all():
            return plain(Interval.entire(node.shape))
        if operation in functions.BINARY:
            return plain(functions.BINARY[operation](*(one.interval for one in operands)))
        return plain(Interval.entire(node.shape))

    @staticmethod
    def _constant(value: np.ndarray) -> Ends | Truth:
        if value.dtype == bool:
            return Truth(value, ~value)
        finite = np.isfinite(value)
        if finite.all():
            return with_ends_left_out(Interval.of(value), np.False_, np.False_)
        return plain(Interval(np.where(finite, value, -np.inf), np.where(finite, value, np.inf)))

    def _moved(self, node: Node, operands: list) -> Ends | Truth:
        places = self.graph.constants[node["digest"]] if node.operation == "take" else None
        if isinstance(operands[0], Truth):
            return Truth(
                move(node, [one.can_hold for one in operands], places),
                ~move(node, [~one.can_fail for one in operands], places) if node.operation != "pad" else
                move(node, [one.can_fail for one in operands], places) | ~_kept(node, operands[0].shape),
            )  # fmt: skip
        return Ends(*(move(node, [one[side] for one in operands], places) for side in range(4)))


def _kept(node: Node, shape: tuple[int, ...]) -> np.ndarray:
    return move(node, [np.ones(shape, dtype=bool)])
