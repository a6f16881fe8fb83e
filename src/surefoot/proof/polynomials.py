"""A graph read as polynomials in several variables with rational coefficients, exactly."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from surefoot.problem.real import STRUCTURE, Graph, Node
from surefoot.problem.structure import move, subscripts
from surefoot.proof.exact_doubles import TooMuchError, rational

MOST_TERMS = 3000
MOST_ENTRIES = 3000
MOST_DEGREE = 12


class Polynomial:
    """A polynomial of flint that NumPy takes for a number and not for a sequence."""

    __slots__ = ("terms",)

    def __init__(self, terms: Any) -> None:
        if len(terms) > MOST_TERMS:
            raise TooMuchError("A polynomial of many terms.")
        self.terms = terms

    def __add__(self, other: Polynomial) -> Polynomial:
        return Polynomial(self.terms + other.terms)

    def __radd__(self, zero: int) -> Polynomial:
        return self  # sums of NumPy begin with the number 0

    def __sub__(self, other: Polynomial) -> Polynomial:
        return Polynomial(self.terms - other.terms)

    def __neg__(self) -> Polynomial:
        return Polynomial(-self.terms)

    def __mul__(self, other: Polynomial) -> Polynomial:
        if self.degree + other.degree > MOST_DEGREE:
            raise TooMuchError("A polynomial of high degree.")
        return Polynomial(self.terms * other.terms)

    @property
    def degree(self) -> int:
        """The total degree; 0 of the polynomial 0."""
        return max(int(self.terms.total_degree()), 0) if len(self.terms) else 0

    @property
    def constant(self) -> Any | None:
        """The value, of a polynomial that is a number; else None."""
        if not len(self.terms):
            return rational(0)
        return next(iter(self.terms.to_dict().values())) if self.degree == 0 else None


def read_polynomial(graph: Graph) -> Polynomial | None:
    """The function as a polynomial; None if it is not seen to be one, or is too large.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x", "y"))
    >>> found = read_polynomial(build.graph(build.power(build.sum(build.input), 2)))
    >>> str(found.terms)
    'x0^2 + 2*x0*x1 + x1^2'
    """
    output = read_polynomials(graph)[graph.output]
    return None if output is None else output.ravel()[0]


def read_polynomials(graph: Graph) -> list[np.ndarray | None]:
    """The same of every node: an array of polynomials, or None."""
    from flint import Ordering, fmpq_mpoly_ctx

    found: list[np.ndarray | None] = []
    if sum(node.size for node in graph.nodes) > MOST_ENTRIES:
        return [None] * len(graph.nodes)
    ring = fmpq_mpoly_ctx.get(tuple(f"x{k}" for k in range(graph.size)), Ordering.lex)
    for place, node in graph:
        try:
            found.append(_read(graph, ring, place, node, found))
        except (TooMuchError, ZeroDivisionError):
            found.append(None)
    return found


def _read(graph: Graph, ring: Any, place: int, node: Node, found: list[np.ndarray | None]) -> np.ndarray | None:
    if node.operation == "input":
        return _array([Polynomial(gen) for gen in ring.gens()], node.shape)
    if node.operation == "constant":
        values = graph.value(place)
        if values is None or values.dtype.kind != "f" or not np.all(np.isfinite(values)):
            return None
        return _array([_number(ring, value) for value in values.ravel().tolist()], node.shape)
    operands = [found[k] for k in node.operands]
    read = [operand for operand in operands if operand is not None]
    if len(read) < len(operands):
        return None
    if node.operation in STRUCTURE:
        places = graph.constants[node["digest"]] if node.operation == "take" else None
        moved = np.asarray(move(node, read, places), dtype=object)
        zero = _number(ring, 0.0)
        return _array([one if isinstance(one, Polynomial) else zero for one in moved.ravel().tolist()], node.shape)
    rule = _RULES.get(node.operation)
    return None if rule is None else rule(graph, ring, node, read)


def _number(ring: Any, value: float) -> Polynomial:
    return Polynomial(ring.constant(rational(value)))


def _array(polynomials: list[Polynomial], shape: tuple[int, ...]) -> np.ndarray:
    found = np.empty(len(polynomials), dtype=object)
    for k, one in enumerate(polynomials):
        found[k] = one
    return found.reshape(shape)


def _div(graph: Graph, ring: Any, node: Node, read: list[np.ndarray]) -> np.ndarray | None:
    factors = []
    for one in read[1].ravel().tolist():
        value = one.constant
        if value is None:
            return None
        factors.append(Polynomial(ring.constant(1 / value)))
    return np.asarray(read[0] * _array(factors, node.shape), dtype=object)


def _power(graph: Graph, ring: Any, node: Node, read: list[np.ndarray]) -> np.ndarray | None:
    exponent: Fraction = node["exponent"]
    if exponent.denominator != 1 or not 0 <= exponent <= MOST_DEGREE:
        return None
    result = _array([_number(ring, 1.0)] * node.size, node.shape)
    for _ in range(int(exponent)):
        result = np.asarray(result * read[0], dtype=object)
    return result


def _reduced(join: Callable[[Polynomial, Polynomial], Polynomial], start: float) -> Callable[..., np.ndarray]:
    def rule(graph: Graph, ring: Any, node: Node, read: list[np.ndarray]) -> np.ndarray:
        axes = node["axes"]
        kept = [axis for axis in range(read[0].ndim) if axis not in axes]
        rows = read[0].transpose(*kept, *axes).reshape(node.size, -1)
        found = []
        for row in rows:
            total = _number(ring, start)
            for one in row:
                total = join(total, one)
            found.append(total)
        return _array(found, node.shape)

    return rule


def _dot(graph: Graph, ring: Any, node: Node, read: list[np.ndarray]) -> np.ndarray:
    text = subscripts(node, read[0].ndim, read[1].ndim).replace("...", "")
    return np.asarray(np.einsum(text, *read), dtype=object).reshape(node.shape)


_RULES: dict[str, Callable[[Graph, Any, Node, list[np.ndarray]], np.ndarray | None]] = {
    "add": lambda graph, ring, node, read: np.asarray(read[0] + read[1], dtype=object),
    "sub": lambda graph, ring, node, read: np.asarray(read[0] - read[1], dtype=object),
    "neg": lambda graph, ring, node, read: np.asarray(-read[0], dtype=object),
    "mul": lambda graph, ring, node, read: np.asarray(read[0] * read[1], dtype=object),
    "div": _div, "power": _power, "dot": _dot,
    "sum": _reduced(lambda a, b: a + b, 0.0), "prod": _reduced(lambda a, b: a * b, 1.0),
}  # fmt: skip
