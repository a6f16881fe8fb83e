"""A graph read as polynomials of degree two, exactly.

    affine row:     scale (c'x + d)                     quadratic element:    sum of weight (row)(row) + affine row

Every node is an array of such elements, or is not read at all. Sums of squares keep their rows: of |Ax - b|^2 nothing
is multiplied out, so that a hundred thousand rows cost their own size. Only operations that are defined everywhere are
read, so what is read is defined on all of R^n.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from surefoot.problem.real import STRUCTURE, Graph, Node
from surefoot.problem.structure import move, subscripts
from surefoot.proof.exact_doubles import TooMuchError, add, div, dot, mul, rational, rationals, total

MOST_NUMBERS = 20_000_000
"""Coefficients of one array of affine rows."""

MOST_PRODUCTS = 4_000_000
"""Products of rows of one quadratic array."""


@dataclass(frozen=True)
class Affine:
    """Rows ``scale (coefficients x + offset)``, exact arrays of `exact_doubles`.

    Attributes
    ----------
    scale, offset : ndarray, shape (m,)
    coefficients : ndarray, shape (m, n), or None
        None for constants, whose scales are one.
    """

    scale: np.ndarray
    coefficients: np.ndarray | None
    offset: np.ndarray

    @classmethod
    def of_constant(cls, values: np.ndarray) -> Affine:
        return cls(np.ones(values.size), None, values.ravel())

    @classmethod
    def of_rows(cls, coefficients: np.ndarray, offset: np.ndarray) -> Affine:
        """With scales of one."""
        if not np.any(coefficients != 0):
            return cls.of_constant(offset)
        return cls(np.ones(len(offset)), coefficients, offset)

    @property
    def rows(self) -> int:
        return len(self.scale)

    @property
    def is_constant(self) -> bool:
        return self.coefficients is None

    @property
    def is_zero(self) -> bool:
        return self.is_constant and not np.any(self.offset != 0)

    def take(self, places: np.ndarray) -> Affine:
        """Some rows; a place of -1 gives a row of zeros."""
        kept = np.maximum(places, 0)
        scale, offset = self.scale[kept], _cleared(self.offset[kept], places < 0)
        if self.coefficients is None:
            return Affine(scale, None, offset)
        _limit(len(kept) * self.coefficients.shape[1])
        return Affine(scale, _cleared(self.coefficients[kept], places < 0), offset)

    def plain(self) -> Affine:
        """With scales of one."""
        if self.coefficients is None or _is_one(self.scale):
            return self
        return Affine.of_rows(mul(self.coefficients, self.scale[:, None]), mul(self.offset, self.scale))

    def dense(self, n: int) -> np.ndarray:
        """The coefficients as an array, without the scales."""
        _limit(self.rows * n)
        return np.zeros((self.rows, n)) if self.coefficients is None else self.coefficients

    def scaled(self, factors: np.ndarray) -> Affine:
        """Every row times a number."""
        if self.coefficients is None:
            return Affine.of_constant(mul(self.offset, factors))
        if np.any(factors == 0):
            return Affine(mul(self.scale, factors), self.coefficients, self.offset).plain()
        return Affine(mul(self.scale, factors), self.coefficients, self.offset)


@dataclass(frozen=True)
class Products:
    """Terms ``weight (row of left)(row of right)``, each part of one element.

    Attributes
    ----------
    weight : ndarray, shape (t,)
    element, left_row, right_row : ndarray of int, shape (t,)
    left, right : Affine
        The same object where the factors are the same: a sum of squares if the rows are the same too.
    """

    weight: np.ndarray
    element: np.ndarray
    left: Affine
    left_row: np.ndarray
    right: Affine
    right_row: np.ndarray

    @property
    def are_squares(self) -> bool:
        return self.left is self.right and np.array_equal(self.left_row, self.right_row)

    def moved(self, elements: np.ndarray, weights: np.ndarray, terms: np.ndarray) -> Products:
        _limit_products(len(terms))
        return Products(
            weights, elements, self.left, self.left_row[terms], self.right, self.right_row[terms]
        )  # fmt: skip


@dataclass(frozen=True)
class Form:
    """The value of a node: an affine part and products, by the elements of its shape in row-major order."""

    affine: Affine
    products: tuple[Products, ...] = ()

    @property
    def is_affine(self) -> bool:
        return not self.products

    @property
    def is_constant(self) -> bool:
        return self.is_affine and self.affine.is_constant


def element_of(form: Form, element: int) -> Form:
    """One element of an array of forms, as a number."""
    return _picked(form, np.array([element]))


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
        _limit(n * n)
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
    joined = forms[0] if len(forms) == 1 else _joined(forms, starts)
    return _picked(joined, where)


def _joined(forms: list[Form], starts: np.ndarray) -> Form:
    parts = [form.affine.plain() for form in forms]
    offset = _stacked([part.offset for part in parts])
    widths = [part.coefficients.shape[1] for part in parts if part.coefficients is not None]
    whole = (
        Affine.of_rows(_stacked([p.dense(widths[0]) for p in parts]), offset) if widths else Affine.of_constant(offset)
    )
    products = tuple(
        replace(term, element=term.element + start)
        for form, start in zip(forms, starts[:-1].tolist(), strict=True)
        for term in form.products
    )
    return Form(whole, products)


def _stacked(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(arrays if all(a.dtype != object for a in arrays) else [rationals(a) for a in arrays])


def _picked(form: Form, where: np.ndarray) -> Form:
    """The elements at places; those of -1 are zero."""
    products = []
    for term in form.products:
        # For every new element all terms of the old one.
        order = np.argsort(term.element, kind="stable")
        first = np.searchsorted(term.element[order], where, "left")
        last = np.searchsorted(term.element[order], where, "right")
        counts = last - first
        _limit_products(int(counts.sum()))
        elements = np.repeat(np.arange(len(where)), counts)
        within = np.arange(len(elements)) - np.repeat(np.cumsum(counts) - counts, counts)
        terms = order[np.repeat(first, counts) + within]
        products.append(term.moved(elements, term.weight[terms], terms))
    return Form(form.affine.take(where), tuple(products))


def _neg(graph: Graph, node: Node, forms: list[Form]) -> Form:
    return _scaled(forms[0], np.full(node.size, -1.0))


def _scaled(form: Form, factors: np.ndarray) -> Form:
    """Every element times a number of its own."""
    products = tuple(replace(t, weight=mul(t.weight, factors[t.element])) for t in form.products)
    return Form(form.affine.scaled(factors), products)


def _add(graph: Graph, node: Node, forms: list[Form]) -> Form:
    one, other = forms
    return Form(_added(one.affine, other.affine), one.products + other.products)


def _added(a: Affine, b: Affine) -> Affine:
    if a.is_constant:
        a, b = b, a
    if a.coefficients is None:
        return Affine.of_constant(add(a.offset, b.offset))
    if b.coefficients is None:
        shift = b.offset if _is_one(a.scale) else div(b.offset, a.scale)
        return Affine(a.scale, a.coefficients, add(a.offset, shift))
    if not np.array_equal(a.scale, b.scale):
        a, b = a.plain(), b.plain()
    if a.coefficients is None or b.coefficients is None:
        return _added(a, b)
    rows, offset = add(a.coefficients, b.coefficients), add(a.offset, b.offset)
    return Affine(a.scale, rows, offset) if np.any(rows != 0) else Affine.of_constant(mul(a.scale, offset))


def _sub(graph: Graph, node: Node, forms: list[Form]) -> Form:
    return _add(graph, node, [forms[0], _neg(graph, node, forms[1:])])


def _mul(graph: Graph, node: Node, forms: list[Form]) -> Form | None:
    one, other = forms
    for factor, form in ((one, other), (other, one)):
        if factor.is_constant:
            return _scaled(form, factor.affine.offset)
    every = np.arange(node.size)
    return _product(one, other, every, every, every, node.size)


def _product(
    one: Form, other: Form, left: np.ndarray, right: np.ndarray, elements: np.ndarray, size: int
) -> Form | None:
    """Sums of products of rows of two affine arrays."""
    if not (one.is_affine and other.is_affine):
        return None
    _limit_products(len(elements))
    zero = Affine.of_constant(np.zeros(size))
    return Form(zero, (Products(np.ones(len(elements)), elements, one.affine, left, other.affine, right),))


def _div(graph: Graph, node: Node, forms: list[Form]) -> Form | None:
    if not forms[1].is_constant:
        return None
    return _scaled(forms[0], div(np.ones(node.size), forms[1].affine.offset))


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
        _limit(node.size * n)
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
    wide = _picked(Form(Affine.of_constant(np.zeros(math.prod(shape))), form.products), row(its))
    scaled = _scaled(wide, values.ravel()[row(mine)])
    target = row(result)
    return tuple(replace(term, element=target[term.element]) for term in scaled.products)


def _numbering(lengths: dict[str, int], result: str) -> Callable[[str], np.ndarray]:
    """For every product of a contraction: the place that an array with these letters has in it, in row-major order."""
    letters = result + "".join(letter for letter in lengths if letter not in result)
    grid = tuple(lengths[letter] for letter in letters)
    _limit_products(math.prod(grid))
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
    both = _joined([forms[1], forms[2]], np.array([0, node.size, 2 * node.size]))
    return _picked(both, np.where(mask.ravel(), np.arange(node.size), node.size + np.arange(node.size)))


_RULES: dict[str, Callable[[Graph, Node, list[Form]], Form | None]] = {
    "neg": _neg, "add": _add, "sub": _sub, "mul": _mul, "div": _div, "power": _power, "sum": _sum,
    "cumsum": _cumsum, "dot": _dot,
}  # fmt: skip


def _is_one(scale: np.ndarray) -> bool:
    return scale.dtype != object and bool(np.all(scale == 1.0))


def _cleared(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """A copy with rows of zeros."""
    if not np.any(rows):
        return array
    found = array.copy()
    found[rows] = rational(0) if array.dtype == object else 0.0
    return found


def _limit(numbers: int) -> None:
    if numbers > MOST_NUMBERS:
        raise TooMuchError(f"{numbers:,} coefficients would be held.")


def _limit_products(products: int) -> None:
    if products > MOST_PRODUCTS:
        raise TooMuchError(f"{products:,} products would be held.")
