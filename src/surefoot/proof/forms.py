"""Arrays of polynomials of degree at most two, exact, with their products not multiplied out.

    affine row:     scale (c'x + d)                     quadratic element:    sum of weight (row)(row) + affine row

A sum of squares keeps its rows, so that |Ax - b|^2 costs what A costs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from surefoot.proof.exact_doubles import TooMuchError, add, div, mul, rational, rationals

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
        limit_numbers(len(kept) * self.coefficients.shape[1])
        return Affine(scale, _cleared(self.coefficients[kept], places < 0), offset)

    def plain(self) -> Affine:
        """With scales of one."""
        if self.coefficients is None or _is_one(self.scale):
            return self
        return Affine.of_rows(mul(self.coefficients, self.scale[:, None]), mul(self.offset, self.scale))

    def dense(self, n: int) -> np.ndarray:
        """The coefficients as an array, without the scales."""
        limit_numbers(self.rows * n)
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
        limit_products(len(terms))
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
    return picked(form, np.array([element]))


def joined(forms: list[Form], starts: np.ndarray) -> Form:
    """Several arrays one after the other; ``starts`` is where each begins."""
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


def picked(form: Form, where: np.ndarray) -> Form:
    """The elements at places; those of -1 are zero."""
    products = []
    for term in form.products:
        # For every new element all terms of the old one.
        order = np.argsort(term.element, kind="stable")
        first = np.searchsorted(term.element[order], where, "left")
        last = np.searchsorted(term.element[order], where, "right")
        counts = last - first
        limit_products(int(counts.sum()))
        elements = np.repeat(np.arange(len(where)), counts)
        within = np.arange(len(elements)) - np.repeat(np.cumsum(counts) - counts, counts)
        terms = order[np.repeat(first, counts) + within]
        products.append(term.moved(elements, term.weight[terms], terms))
    return Form(form.affine.take(where), tuple(products))


def scaled_form(form: Form, factors: np.ndarray) -> Form:
    """Every element times a number of its own."""
    products = tuple(replace(t, weight=mul(t.weight, factors[t.element])) for t in form.products)
    return Form(form.affine.scaled(factors), products)


def added(a: Affine, b: Affine) -> Affine:
    """The sum of affine rows, keeping common scales."""
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
        return added(a, b)
    rows, offset = add(a.coefficients, b.coefficients), add(a.offset, b.offset)
    return Affine(a.scale, rows, offset) if np.any(rows != 0) else Affine.of_constant(mul(a.scale, offset))


def _is_one(scale: np.ndarray) -> bool:
    return scale.dtype != object and bool(np.all(scale == 1.0))


def _cleared(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """A copy with rows of zeros."""
    if not np.any(rows):
        return array
    found = array.copy()
    found[rows] = rational(0) if array.dtype == object else 0.0
    return found


def limit_numbers(numbers: int) -> None:
    """Refuse arrays of more coefficients than `MOST_NUMBERS`."""
    if numbers > MOST_NUMBERS:
        raise TooMuchError(f"{numbers:,} coefficients would be held.")


def limit_products(products: int) -> None:
    """Refuse more products than `MOST_PRODUCTS`."""
    if products > MOST_PRODUCTS:
        raise TooMuchError(f"{products:,} products would be held.")
