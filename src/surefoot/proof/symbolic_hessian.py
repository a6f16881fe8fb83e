"""Convexity by an exact Hessian, whose principal minors are shown to be nowhere negative.

    H(x) is positive semidefinite   <=>   all 2^n - 1 principal minors of H(x) are >= 0

for functions of a few variables that are quotients of polynomials in x and in logarithms, exponentials and powers
(`quotients`): ``-x y/(x + y)``, ``x log x + y log y - (x + y) log(x + y)``. Their Hessians are singular, so no interval
shows it, and no rule for one operation after the other does. Nothing is rounded.

Reference: Horn, Johnson (2013), "Matrix Analysis", 2nd ed., Cambridge, corollary 7.1.5 and theorem 7.2.5, pp. 430,
439-440.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from surefoot.problem.domain import Domain
from surefoot.problem.real import STRUCTURE, Graph, Node
from surefoot.problem.structure import move, subscripts
from surefoot.proof.certificate import Curvature
from surefoot.proof.curvature import Curvatures
from surefoot.proof.curvature_finding import Finding
from surefoot.proof.exact_doubles import TooMuchError
from surefoot.proof.quotient_signs import plain_sign
from surefoot.proof.quotients import Field, Quotient
from surefoot.proof.segments import inner_points

MOST_VARIABLES = 4
MOST_NUMBERS = 200
"""Entries of all nodes."""

Numbers = np.ndarray
"""Of quotients."""

SECONDS = 1.5
"""After which nothing more is tried."""


def prove(graph: Graph, domain: Domain, seconds: float = SECONDS) -> Finding | None:
    """Whether the principal minors of the Hessian show that a function is convex, or concave; None if they do not.

    Parameters
    ----------
    graph : Graph
        The function.
    domain : Domain
        Where it is considered.
    seconds : float
        After which nothing more is tried.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x", "y"))
    >>> whole = build.sum(build.power(build.input, -1))
    >>> found = prove(build.graph(build.power(whole, -1)), Domain.of("x > 0, y > 0", ("x", "y")))
    >>> found.curvature.value
    'concave'
    """
    if graph.size > MOST_VARIABLES or sum(node.size for node in graph.nodes) > MOST_NUMBERS:
        return None
    inside = _inside(domain)
    if inside is None:
        return None
    known = Curvatures(graph, inside)
    if known.undefined or known.narrowed or known.empty or known.domain is not known.asked:
        return None
    is_open = bool(np.all(domain.above & domain.below)) and all(one.strict for one in domain.inequalities)
    if not is_open:  # what is convex inside is so on the border too if it is continuous and defined there
        whole = Curvatures(graph, domain)
        chosen = any(node.operation == "where" for node in graph.nodes)
        if whole.undefined or whole.narrowed or whole.domain is not whole.asked or chosen:
            return None
    until = time.monotonic() + seconds
    try:
        with np.errstate(all="ignore"):
            f = _Reader(known).read(graph)
        return None if f is None else _decided(f, graph, until)
    except (TooMuchError, ZeroDivisionError, OverflowError):
        return None


def _inside(domain: Domain) -> Domain | None:
    """The interior of a domain; None if it may have none."""
    if not np.all(domain.lower < domain.upper):
        return None
    every = np.ones(domain.size, dtype=bool)
    inside = replace(
        domain, above=every, below=every, inequalities=tuple(replace(one, strict=True) for one in domain.inequalities)
    )
    if inside.inequalities:
        points = inner_points(inside, 16, np.random.default_rng(0))
        if not any(inside.contains(x) for x in points):
            return None
    return inside


def _decided(f: Quotient, graph: Graph, until: float) -> Finding | None:
    n = graph.size
    slopes = [f.derivative(k) for k in range(n)]
    hessian = [[slopes[i].derivative(j) if j <= i else None for j in range(n)] for i in range(n)]
    entries = [[hessian[max(i, j)][min(i, j)] for j in range(n)] for i in range(n)]
    for side, sign in (("convex", 1), ("concave", -1)):
        minors: list[str] = []
        for size in range(1, n + 1):
            for places in itertools.combinations(range(n), size):
                if time.monotonic() > until:
                    return None
                minor = _determinant(entries, places)
                if not _has_sign(f.field, minor, sign**size):
                    minors = []
                    break
                minors.append(f"{minor.above} / ({minor.below})")
            else:
                continue
            break
        if minors:
            lines = (
                f"The second derivatives are quotients of polynomials in {', '.join(graph.names)} and in logarithms, "
                f"exponentials and powers, computed exactly.",
                f"All {len(minors)} principal minors of {'H' if sign > 0 else '-H'} are nowhere negative: by the signs "
                "of their factors, whose coefficients are rational numbers.",
            )
            return Finding(Curvature(side), lines, {"minors": minors})
    return None


def _determinant(entries: Sequence[Sequence[Any]], places: Sequence[int]) -> Quotient:
    """By the first row."""
    if len(places) == 1:
        return entries[places[0]][places[0]]
    rows = [[entries[i][j] for j in places] for i in places]
    return _expanded(rows)


def _expanded(rows: list[list[Quotient]]) -> Quotient:
    if len(rows) == 1:
        return rows[0][0]
    total = rows[0][0].field.number(0)
    for j, entry in enumerate(rows[0]):
        if not entry.is_zero:
            share = entry * _expanded([row[:j] + row[j + 1 :] for row in rows[1:]])
            total = total + share if j % 2 == 0 else total - share
    return total


def _has_sign(field: Field, quotient: Quotient, wanted: int) -> bool:
    above = plain_sign(field, quotient.above)
    if above == 0:
        return True
    below = plain_sign(field, quotient.below) if above is not None else None
    return above is not None and below is not None and above * below == wanted


class _Reader:
    """Nodes of a graph as arrays of quotients; what is not one, or not smooth, is not read."""

    def __init__(self, known: Curvatures) -> None:
        self.known = known
        self.field = Field(known.domain.lower.tolist(), known.domain.upper.tolist())

    def read(self, graph: Graph) -> Quotient | None:
        found: dict[int, Numbers | None] = {}
        for place, node in graph:
            try:
                found[place] = self._node(graph, place, node, [found[k] for k in node.operands])
            except KeyError:
                found[place] = None
        output = found[graph.output]
        return None if output is None else output.ravel()[0]

    def _node(self, graph: Graph, place: int, node: Node, operands: list[Numbers | None]) -> Numbers | None:
        if node.operation == "input":
            return _array([self.field.variable(k) for k in range(graph.size)], node.shape)
        if node.operation == "constant":
            values = graph.value(place)
            if values is None or values.dtype.kind != "f" or not np.all(np.isfinite(values)):
                return None
            return _array([self.field.number(value) for value in values.ravel().tolist()], node.shape)
        if node.operation == "where":
            branch = self.known.branch(place)
            return None if branch is None else operands[1 if branch == node.operands[1] else 2]
        if any(one is None for one in operands):
            return None
        read = [one for one in operands if one is not None]
        if node.operation in STRUCTURE:
            places = graph.constants[node["digest"]] if node.operation == "take" else None
            moved = np.asarray(move(node, read, places), dtype=object)
            zero = self.field.number(0)
            return _array([one if isinstance(one, Quotient) else zero for one in moved.ravel().tolist()], node.shape)
        found = _RULES[node.operation](self, node, read)
        return _array([found], ()) if isinstance(found, Quotient) else found  # NumPy unwraps arrays of one number

    def each(self, node: Node, numbers: Numbers, rule: Callable[[Quotient], Quotient]) -> Numbers:
        return _array([rule(one) for one in numbers.ravel().tolist()], node.shape)

    def where_positive(self, node: Node) -> bool:
        """Whether the operand is > 0, so that its logarithm and its powers are smooth."""
        return bool(np.all(self.known.bounds.of(node.operands[0]).positive))

    def power(self, node: Node, read: list[Numbers]) -> Numbers | None:
        exponent: Fraction = node["exponent"]
        if exponent.denominator == 1:
            return self.each(node, read[0], lambda u: u.power(int(exponent)))
        if not self.where_positive(node):
            return None
        return self.each(node, read[0], lambda u: self.field.power(u, exponent))

    def log(self, node: Node, read: list[Numbers]) -> Numbers | None:
        return self.each(node, read[0], self.field.log) if self.where_positive(node) else None

    def abs(self, node: Node, read: list[Numbers]) -> Numbers | Quotient | None:
        if self.where_positive(node):
            return read[0]
        return -read[0] if bool(np.all(self.known.bounds.of(node.operands[0]).negative)) else None

    def reduced(self, node: Node, numbers: Numbers, join: Callable[[Quotient, Quotient], Quotient]) -> Numbers:
        axes = node["axes"]
        kept = [axis for axis in range(numbers.ndim) if axis not in axes]
        rows = numbers.transpose(*kept, *axes).reshape(node.size, -1).tolist()
        found = []
        for row in rows:
            total = row[0]
            for one in row[1:]:
                total = join(total, one)
            found.append(total)
        return _array(found, node.shape)

    def logsumexp(self, node: Node, read: list[Numbers]) -> Numbers:
        powers = np.array([self.field.exp(u) for u in read[0].ravel().tolist()], dtype=object).reshape(read[0].shape)
        total = self.reduced(node, powers, lambda a, b: a + b)
        return self.each(node, total, self.field.log)

    def wave(self, node: Node, read: list[Numbers], sign: int) -> Numbers:
        """Hyperbolic cosine, or sine."""
        half, turned = self.field.number(Fraction(1, 2)), self.field.number(sign)
        return self.each(
            node, read[0], lambda u: half * (self.field.exp(u) + turned * self.field.number(1) / self.field.exp(u))
        )

    def dot(self, node: Node, read: list[Numbers]) -> Numbers:
        text = subscripts(node, read[0].ndim, read[1].ndim).replace("...", "")
        return np.asarray(np.einsum(text, *read), dtype=object).reshape(node.shape)

    def share(self, u: Quotient) -> Quotient:
        """The logistic function."""
        power = self.field.exp(u)
        return power / (self.field.number(1) + power)


def _array(numbers: list[Quotient], shape: tuple[int, ...]) -> Numbers:
    found = np.empty(len(numbers), dtype=object)
    for k, one in enumerate(numbers):
        found[k] = one
    return found.reshape(shape)


_RULES: dict[str, Callable[[_Reader, Node, list[Numbers]], Numbers | Quotient | None]] = {
    "add": lambda self, node, read: np.asarray(read[0] + read[1], dtype=object),
    "sub": lambda self, node, read: np.asarray(read[0] - read[1], dtype=object),
    "mul": lambda self, node, read: np.asarray(read[0] * read[1], dtype=object),
    "div": lambda self, node, read: np.asarray(read[0] / read[1], dtype=object),
    "neg": lambda self, node, read: np.asarray(-read[0], dtype=object),
    "power": _Reader.power, "log": _Reader.log, "abs": _Reader.abs, "logsumexp": _Reader.logsumexp,
    "dot": _Reader.dot,
    "exp": lambda self, node, read: self.each(node, read[0], self.field.exp),
    "softplus": lambda self, node, read: self.each(
        node, read[0], lambda u: self.field.log(self.field.number(1) + self.field.exp(u))
    ),
    "logistic": lambda self, node, read: self.each(node, read[0], self.share),
    "cosh": lambda self, node, read: self.wave(node, read, 1),
    "sinh": lambda self, node, read: self.wave(node, read, -1),
    "sum": lambda self, node, read: self.reduced(node, read[0], lambda a, b: a + b),
    "prod": lambda self, node, read: self.reduced(node, read[0], lambda a, b: a * b),
}  # fmt: skip
