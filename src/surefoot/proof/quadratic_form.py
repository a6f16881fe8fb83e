"""A graph read as polynomials of degree two, exactly.

    affine row:     scale (c'x + d)                     quadratic element:    sum of weight (row)(row) + affine row

Every node is an array of such elements, or is not read at all. Sums of squares keep their rows: of |Ax - b|^2 nothing
is multiplied out, so that a hundred thousand rows cost their own size. Only operations that are defined everywhere are
read, so what is read is defined on all of R^n.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np

from surefoot.problem.real import STRUCTURE, Graph, Node
from surefoot.problem.structure import move, subscripts
from surefoot.proof.exact_doubles import TooMuchError, div, dot, mul, rationals, total
from surefoot.proof.forms import (
    Affine,
    Form,
    Products,
    added,
    joined,
    limit_numbers,
    limit_products,
    picked,
    scaled_form,
)


def may_be_read(graph: Graph) -> bool:
    """Whether every operation on variables is one that can be read: before anything is read."""
    depends = graph.depends()
    known = {*_RULES, *STRUCTURE, "input", "where"}
    return all(node.operation in known for place, node in graph if depends[place])


def read_forms(graph: Graph, absent: frozenset[int] = frozenset()) -> list[Form | None]:
    """Every node as polynomials of degree at most two in the variables; None for those that are not seen to be.

    Nodes that are ``absent`` are taken for zero: what is left of a function without some of its terms.
    """
    found: list[Form | None] = []
    for place, node in graph:
        if place in absent:
            found.append(Form(Affine.of_constant(np.zeros(node.size))))
            continue
        try:
            found.append(_read(graph, place, node, [found[k] for k in node.operands]))
        except (TooMuchError, ZeroDivisionError, OverflowError):
            found.append(None)
    return found


def _read(graph: Graph, place: int, node: Node, forms: list[Form | None]) -> Form | None:
    n = graph.size
    if node.operation == "input":
        limit_numbers(n * n)
        return Form(Affine.of_rows(np.eye(n), np.zeros(n)))
    if node.operation == "constant":
        values = graph.value(place)
        assert values is not None
        readable = values.dtype.kind == "f" and bool(np.all(np.isfinite(values)))
        return Form(Affine.of_constant(values)) if readable else None
    if node.operation == "where":
        return _where(graph, node, forms)
    if any(form is None for form in forms):
        return None
    read = [form for form in forms if form is not None]
    if node.operation in STRUCTURE:
        return _moved(graph, node, read)
    rule = _RULES.get(node.operation)
    return None if rule is None else rule(graph, node, read)


def _moved(graph: Graph, node: Node, forms: list[Form]) -> Form:
    """Rows and elements put in other places."""
    starts = np.cumsum([0, *(form.affine.rows for form in forms)])
    shapes = [graph.nodes[k].shape for k in node.operands]
    # 1 is added so that the zeros of padding and of places of -1 are told from the first element.
    numbers = [
        1 + start + np.arange(math.prod(shape)).reshape(shape)
        for start, shape in zip(starts[:-1].tolist(), shapes, strict=True)
    ]
    places = graph.constants[node["digest"]] if node.operation == "take" else None
    where = np.asarray(move(node, numbers, places)).astype(np.int64).ravel() - 1
    whole = forms[0] if len(forms) == 1 else joined(forms, starts)
    return picked(whole, where)


def _neg(graph: Graph, node: Node, forms: list[Form]) -> Form:
    return scaled_form(forms[0], np.full(node.size, -1.0))


def _add(graph: Graph, node: Node, forms: list[Form]) -> Form:
    one, other = forms
    return Form(added(one.affine, other.affine), one.products + other.products)


def _sub(graph: Graph, node: Node, forms: list[Form]) -> Form:
    return _add(graph, node, [forms[0], _neg(graph, node, forms[1:])])


def _mul(graph: Graph, node: Node, forms: list[Form]) -> Form | None:
    one, other = forms
    for factor, form in ((one, other), (other, one)):
        if factor.is_constant:
            return scaled_form(form, factor.affine.offset)
    every = np.arange(node.size)
    return _product(one, other, every, every, every, node.size)


def _product(
    one: Form, other: Form, left: np.ndarray, right: np.ndarray, elements: np.ndarray, size: int
) -> Form | None:
    """Sums of products of rows of two affine arrays."""
    if not (one.is_affine and other.is_affine):
        return None
    limit_products(len(elements))
    zero = Affine.of_constant(np.zeros(size))
    return Form(zero, (Products(np.ones(len(elements)), elements, one.affine, left, other.affine, right),))


def _div(graph: Graph, node: Node, forms: list[Form]) -> Form | None:
    if not forms[1].is_constant:
        return None
    return scaled_form(forms[0], div(np.ones(node.size), forms[1].affine.offset))


def _power(graph: Graph, node: Node, forms: list[Form]) -> Form | None:
    exponent: Fraction = node["exponent"]
    form = forms[0]
    if form.is_constant and exponent.denominator == 1 and 0 <= exponent <= 64:
        values = np.ones(node.size)
        for _ in range(int(exponent)):
            values = mul(values, form.affine.offset)
        return Form(Affine.of_constant(values))
    if exponent != 2:
        return None
    every = np.arange(node.size)
    return _product(form, form, every, every, every, node.size)


def _sum(graph: Graph, node: Node, forms: list[Form]) -> Form:
    """Over axes: the elements that meet in one."""
    shape = graph.nodes[node.operands[0]].shape
    axes = node["axes"]
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    order = np.arange(math.prod(shape)).reshape(shape).transpose(*kept, *axes).reshape(node.size, -1)
    target = np.empty(order.size, dtype=np.int64)
    target[order.ravel()] = np.repeat(np.arange(node.size), order.shape[1])
    form = forms[0]
    products = tuple(replace(term, element=target[term.element]) for term in form.products)
    affine = form.affine.plain()
    offset = total(affine.offset[order], 1)
    if affine.coefficients is None:
        return Form(Affine.of_constant(offset), products)
    rows = affine.coefficients[order.ravel()].reshape(*order.shape, graph.size)
    return Form(Affine.of_rows(total(rows, 1), offset), products)


def _cumsum(graph: Graph, node: Node, forms: list[Form]) -> Form | None:
    form = forms[0]
    if not form.is_affine:
        return None
    shape, axis = node.shape, node["axis"]
    affine = form.affine.plain()
    arrays = [rationals(affine.dense(graph.size)).reshape(*shape, -1), rationals(affine.offset).reshape(shape)]
    if node["reverse"]:
        arrays = [np.flip(np.cumsum(np.flip(a, axis), axis=axis), axis) for a in arrays]
    else:
        arrays = [np.cumsum(a, axis=axis) for a in arrays]
    return Form(Affine.of_rows(arrays[0].reshape(node.size, -1), arrays[1].ravel()))


def _dot(graph: Graph, node: Node, forms: list[Form]) -> Form | None:
    shapes = [graph.nodes[k].shape for k in node.operands]
    text = subscripts(node, len(shapes[0]), len(shapes[1])).replace("...", "")
    left, result = text.split("->")
    one, other = left.split(",")
    for k in (0, 1):
        if forms[k].is_constant:
            values = forms[k].affine.offset.reshape(shapes[k])
            letters = (one, other) if k == 0 else (other, one)
            return _linear(graph, node, values, forms[1 - k], (letters[0], letters[1], result), shapes[1 - k])
    row = _numbering(dict(zip(one + other, shapes[0] + shapes[1], strict=True)), result)
    return _product(forms[0], forms[1], row(one), row(other), row(result), node.size)


def _linear(
    graph: Graph, node: Node, values: np.ndarray, form: Form, letters: tuple[str, str, str], shape: tuple[int, ...]
) -> Form:
    """A contraction of constants with an array of forms."""
    mine, its, result = letters
    affine, n = form.affine.plain(), graph.size
    offset = np.zeros(node.size)
    if np.any(affine.offset != 0):
        offset = dot(values, affine.offset.reshape(shape), f"{mine},{its}->{result}").ravel()
    found = Affine.of_constant(offset)
    if affine.coefficients is not None:
        limit_numbers(node.size * n)
        rows = dot(values, affine.coefficients.reshape(*shape, n), f"{mine},{its}z->{result}z")
        found = Affine.of_rows(rows.reshape(node.size, n), offset)
    return Form(found, _weighted(values, form, letters, shape) if form.products else ())


def _weighted(
    values: np.ndarray, form: Form, letters: tuple[str, str, str], shape: tuple[int, ...]
) -> tuple[Products, ...]:
    """The products of a contraction of constants with quadratic elements."""
    mine, its, result = letters
    lengths = dict(zip(mine + its, values.shape + shape, strict=True))
    row = _numbering(lengths, result)
    wide = picked(Form(Affine.of_constant(np.zeros(math.prod(shape))), form.products), row(its))
    scaled = scaled_form(wide, values.ravel()[row(mine)])
    target = row(result)
    return tuple(replace(term, element=target[term.element]) for term in scaled.products)


def _numbering(lengths: dict[str, int], result: str) -> Callable[[str], np.ndarray]:
    """For every product of a contraction: the place that an array with these letters has in it, in row-major order."""
    letters = result + "".join(letter for letter in lengths if letter not in result)
    grid = tuple(lengths[letter] for letter in letters)
    limit_products(math.prod(grid))
    index = dict(zip(letters, np.indices(grid).reshape(len(grid), -1), strict=True))

    def row(text: str) -> np.ndarray:
        if not text:
            return np.zeros(math.prod(grid), dtype=np.int64)
        return np.ravel_multi_index([index[letter] for letter in text], tuple(lengths[letter] for letter in text))

    return row


def _where(graph: Graph, node: Node, forms: list[Form | None]) -> Form | None:
    """Chosen by a constant condition, elementwise; the other branch need not be read where it is not chosen."""
    mask = graph.value(node.operands[0])
    if mask is None:
        return None
    if forms[1] is None or forms[2] is None:
        return None
    both = joined([forms[1], forms[2]], np.array([0, node.size, 2 * node.size]))
    return picked(both, np.where(mask.ravel(), np.arange(node.size), node.size + np.arange(node.size)))


_RULES: dict[str, Callable[[Graph, Node, list[Form]], Form | None]] = {
    "neg": _neg, "add": _add, "sub": _sub, "mul": _mul, "div": _div, "power": _power, "sum": _sum,
    "cumsum": _cumsum, "dot": _dot,
}  # fmt: skip
