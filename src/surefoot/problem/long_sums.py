"""Long sums that were typed term by term: which terms have one form and can be computed as one array.

``(x[0] - 1)^2 + (x[1] - 4)^2 + ...`` is a graph with a few nodes for each term. A compiler needs seconds for some
hundred such terms, and milliseconds for the one array operation that they are. Two terms have one form if their graphs
are the same but for the numbers, the variables and the elements in them; exponents count as part of the form.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from surefoot.problem.graph import Apply, Index, Name, Node, Number, children, fold, walk

FEWEST = 6
"""Terms of one form; fewer are not worth an array."""


@dataclass(frozen=True)
class Form:
    """Terms of one form: ``term`` with names for what varies, what these are in each term, and the signs."""

    term: Node
    varying: dict[Name, tuple[Node, ...]]
    signs: tuple[float, ...]


@dataclass(frozen=True)
class Chain:
    """A sum in parts: terms that share a form with others, and the others with their signs."""

    forms: tuple[Form, ...]
    others: tuple[tuple[float, Node], ...]


def long_sums(node: Node, variables: Collection[str]) -> dict[Node, Chain]:
    """The sums in a graph that have at least `FEWEST` terms of one form.

    Parameters
    ----------
    node : Node
        Any graph without whole vectors.
    variables : collection of str
        The names that may vary from term to term; others are constants.

    Examples
    --------
    >>> from surefoot.problem.grammar import parse_function
    >>> node = parse_function("+".join(f"(x[{k}] - {k + 3})^2" for k in range(8)) + " - y")
    >>> chain = long_sums(node, {"y"})[node]
    >>> len(chain.forms), len(chain.forms[0].signs), chain.others
    (1, 8, ((-1.0, Name(name='y')),))
    """
    found: dict[Node, Chain] = {}
    inside: set[Node] = set()
    for top in reversed(walk(node)):  # a sum comes before the sums that are its first terms
        if top in inside or not _is_sum(top):
            continue
        terms: list[tuple[float, Node]] = []
        current = top
        while isinstance(current, Apply) and _is_sum(current):
            inside.add(current)
            left, right = current.arguments
            terms.append((1.0 if current.operation == "add" else -1.0, right))
            current = left
        terms.append((1.0, current))
        if len(terms) >= FEWEST:
            chain = _sorted(terms[::-1], variables)
            if chain.forms:
                found[top] = chain
    return found


def _is_sum(node: Node) -> bool:
    return isinstance(node, Apply) and node.operation in ("add", "sub")


def _sorted(terms: list[tuple[float, Node]], variables: Collection[str]) -> Chain:
    alike: dict[tuple, list[tuple[float, Node, list[Node]]]] = {}
    for sign, term in terms:
        form, leaves = _form(term, variables)
        alike.setdefault(form, []).append((sign, term, leaves))
    forms = [_joined(group) for group in alike.values() if len(group) >= FEWEST and group[0][2]]
    others = [
        (sign, term) for group in alike.values() if len(group) < FEWEST or not group[0][2] for sign, term, _ in group
    ]
    return Chain(tuple(forms), tuple(others))


def _form(term: Node, variables: Collection[str]) -> tuple[tuple, list[Node]]:
    """The graph of a term as rows of places, with a hole for each leaf that may vary, and these leaves."""
    order = walk(term, _below)
    place = {node: k for k, node in enumerate(order)}
    exponents = {part for node in order for part in _exponent(node)}
    rows, leaves = [], []
    for node in order:
        if _may_vary(node, variables) and node not in exponents:
            rows.append(type(node).__name__)
            leaves.append(node)
        elif isinstance(node, Apply) and _below(node):
            rows.append((node.operation, tuple(place[child] for child in _below(node))))
        else:
            rows.append(node)
    return tuple(rows), leaves


def _joined(group: list[tuple[float, Node, list[Node]]]) -> Form:
    """The first term with a name wherever the terms differ."""
    _, first, leaves = group[0]
    columns = [tuple(row) for row in zip(*(leaves for _, _, leaves in group), strict=True)]
    names: dict[Node, Name] = {}
    varying: dict[Name, tuple[Node, ...]] = {}
    for leaf, column in zip(leaves, columns, strict=True):
        if any(other != leaf for other in column):
            names[leaf] = Name(f"\0{len(names)}")  # no name that can be typed
            varying[names[leaf]] = column

    def rule(node: Node, operands) -> Node:
        if node in names:
            return names[node]
        return Apply(node.operation, tuple(operands)) if isinstance(node, Apply) and _below(node) else node

    return Form(fold(first, rule, _below), varying, tuple(sign for sign, _, _ in group))


def _below(node: Node) -> tuple[Node, ...]:
    return () if isinstance(node, Apply) and node.operation == "element" else children(node)


def _may_vary(node: Node, variables: Collection[str]) -> bool:
    if isinstance(node, Apply) and node.operation == "element":
        return not any(isinstance(part, Index) for part in walk(node.arguments[1]))
    return isinstance(node, Number) or (isinstance(node, Name) and node.name in variables)


def _exponent(node: Node) -> list[Node]:
    """The numbers in an exponent: they decide how a power is differentiated."""
    return walk(node.arguments[1], _below) if isinstance(node, Apply) and node.operation == "pow" else []
