"""Polynomials whose Hessian is a sum of squares: convex on all of R^n, proven by a matrix of rational numbers.

    v'H(x)v  =  z'Gz,    z the products of a v_i and a monomial in x,    G positive semidefinite

G is looked for in doubles, by going to and fro between the matrices with the right coefficients and the positive
definite ones. It is then rounded, moved exactly onto the coefficients, and decided in rational arithmetic: nothing is
believed of the search. Products that no square can need are left out first, so that G can be definite.

Reference: Ahmadi, Parrilo (2013), "A complete characterization of the gap between convexity and SOS-convexity", SIAM J.
Optim. 23(2), pp. 811-833; Peyrl, Parrilo (2008), "Computing sum of squares decompositions with rational coefficients",
Theor. Comput. Sci. 409(2), pp. 269-281; Henrion, Malick (2011), "Projection methods for conic feasibility problems",
Optim. Methods Softw. 26(1), pp. 23-46.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from fractions import Fraction
from typing import Any

import numpy as np

from surefoot.problem.domain import Domain
from surefoot.problem.real import Graph
from surefoot.proof.certificate import Curvature
from surefoot.proof.curvature_finding import Finding
from surefoot.proof.definite import definiteness, smallest_eigenvalue
from surefoot.proof.exact_doubles import TooMuchError, nearest, rational
from surefoot.proof.polynomials import Polynomial, read_polynomial

MOST_VARIABLES = 8
MOST_PRODUCTS = 80
"""Rows of G."""

_STEPS = 400
_MARGINS = (0.1, 1e-2, 1e-4, 1e-7, 0.0)

Exponents = tuple[int, ...]


def prove(graph: Graph, domain: Domain) -> Finding | None:
    """Whether a polynomial is convex, or concave, on all of R^n by a sum of squares; None if that is not seen.

    Other functions are asked whether they are norms (`norms`), or outweighed by a quadratic (`outweighed`).

    Parameters
    ----------
    graph : Graph
        The function.
    domain : Domain
        Where it is considered; what holds on all of R^n holds there.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x", "y"))
    >>> squares = build.power(build.input, 2)
    >>> quartic = build.add(build.sum(build.power(build.input, 4)), build.reduce("prod", squares, (0,)))
    >>> prove(build.graph(quartic), Domain.everything(("x", "y"))).curvature.value
    'strictly convex'
    """
    from surefoot.proof import norms, outweighed

    read = read_polynomial(graph) if graph.size <= MOST_VARIABLES else None
    if read is None:
        return norms.prove(graph, domain) or outweighed.prove(graph, domain)
    if read.degree % 2 or read.degree < 4:
        return None
    try:
        for side in ("convex", "concave"):
            found = _sum_of_squares(read if side == "convex" else -read, graph.size)
            if found is not None:
                return _finding(side, read.degree, *found)
    except TooMuchError:
        return None
    return None


def _finding(side: str, degree: int, products: list[Exponents], gram: Any) -> Finding:
    n = len(products[0]) // 2
    sign = "" if side == "convex" else "-"
    lines = [
        f"The function is a polynomial of degree {degree}, and {sign}v'H(x)v = z'Gz with {len(products)} products z of "
        "a v_i and a monomial in x.",
        "G is positive semidefinite in rational arithmetic, so H is a sum of squares for every x.",
    ]
    decided = definiteness(gram)
    evidence = {"products": [list(one) for one in products], "gram": [str(entry) for entry in gram.entries()]}
    if not decided.is_positive_definite:
        return Finding(Curvature(side), tuple(lines), evidence)
    units = [tuple(int(j == i + n) for j in range(2 * n)) for i in range(n)]
    if all(unit in products for unit in units):
        mu = smallest_eigenvalue(gram)
        lines.append(f"G is positive definite, and z contains v: no eigenvalue of H is below {float(mu):.6g} in size.")
        return Finding(Curvature(f"strongly {side}"), tuple(lines), {**evidence, "modulus": str(mu)}, mu)
    if all(any(_is_own_power(one, i, n) for one in products) for i in range(n)):
        lines.append("G is positive definite, and z vanishes on no segment in the direction v of it.")
        return Finding(Curvature(f"strictly {side}"), tuple(lines), evidence)
    return Finding(Curvature(side), tuple(lines), evidence)


def _is_own_power(product: Exponents, i: int, n: int) -> bool:
    """Whether a product is ``v_i x_i^k``."""
    return product[n + i] == 1 and all(e == 0 for j, e in enumerate(product[:n]) if j != i)


def _sum_of_squares(f: Polynomial, n: int) -> tuple[list[Exponents], Any] | None:
    """The products z and an exact G, positive semidefinite; None if none was found."""
    form = _form(f, n)
    if _bends_down(form, n):
        return None
    products = _needed(_products(f.degree, n, form), form)
    if not products or len(products) > MOST_PRODUCTS:
        return None
    pairs: dict[Exponents, list[tuple[int, int]]] = defaultdict(list)
    for i, j in itertools.product(range(len(products)), repeat=2):
        pairs[_sum(products[i], products[j])].append((i, j))
    if any(exponents not in pairs for exponents in form):
        return None
    scale = max(abs(nearest(c)) for c in form.values())
    if not 0.0 < scale < np.inf:
        return None
    size = len(products)
    groups = [
        (np.array([i * size + j for i, j in places]), form.get(exponents, rational(0)))
        for exponents, places in pairs.items()
    ]
    for margin in _MARGINS:
        guess = _feasible(groups, size, margin * scale)
        if guess is None:
            continue
        for step in _steps(guess, margin):
            gram = _exactly(guess, step, groups, size)
            if definiteness(gram).is_positive_semidefinite:
                return products, gram
    return None


def _steps(guess: np.ndarray, margin: float) -> list[Fraction]:
    """What the matrix is rounded to: far below its margin; a singular one, to numbers that are simple."""
    if margin > 0.0:
        return [Fraction(float(np.ldexp(1.0, int(np.frexp(np.abs(guess).max())[1]) - 40)))]
    return [Fraction(1, k) for k in (1, 2, 6, 10, 60)]


def _form(f: Polynomial, n: int) -> dict[Exponents, Any]:
    """``v'H(x)v`` by the exponents of x and v."""
    found: dict[Exponents, Any] = {}
    for i in range(n):
        for j in range(n):
            second = f.terms.derivative(i).derivative(j)
            for exponents, c in second.to_dict().items():
                key = (*map(int, exponents), *(int(k == i) + int(k == j) for k in range(n)))
                found[key] = found.get(key, rational(0)) + c
    return {key: c for key, c in found.items() if c != 0}


def _bends_down(form: dict[Exponents, Any], n: int) -> bool:
    """Whether the form is negative at one of many points in doubles: then there is nothing to look for."""
    rng = np.random.default_rng(0)
    points = rng.standard_normal((400, 2 * n)) * 10.0 ** rng.uniform(-1, 1, (400, 1))
    values, sizes = np.zeros(400), np.zeros(400)
    for exponents, c in form.items():
        term = nearest(c) * np.prod(points ** np.array(exponents), axis=1)
        values, sizes = values + term, sizes + np.abs(term)
    return bool(np.any(values < -1e-9 * sizes))


def _products(degree: int, n: int, form: dict[Exponents, Any]) -> list[Exponents]:
    """All ``v_i`` times monomials whose degrees can occur in a square root of the form."""
    low = min((sum(key[:n]) for key in form), default=0)
    high = max((sum(key[:n]) for key in form), default=-1)
    most = [max((key[k] for key in form), default=0) // 2 for k in range(n)]
    monomials = [m for m in itertools.product(*(range(top + 1) for top in most)) if low <= 2 * sum(m) <= high]
    if len(monomials) * n > 8 * MOST_PRODUCTS:
        raise TooMuchError("A sum of squares of very many products.")
    return [(*m, *(int(k == i) for k in range(n))) for i in range(n) for m in monomials]


def _needed(products: list[Exponents], form: dict[Exponents, Any]) -> list[Exponents]:
    """Without those whose square is not in the form and can be cancelled by no other pair: their row of G is zero."""
    kept = list(products)
    while True:
        sums: dict[Exponents, int] = defaultdict(int)
        for one, other in itertools.combinations_with_replacement(kept, 2):
            sums[_sum(one, other)] += 1
        left = [one for one in kept if _sum(one, one) in form or sums[_sum(one, one)] > 1]
        if len(left) == len(kept):
            return left
        kept = left


def _sum(one: Exponents, other: Exponents) -> Exponents:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _feasible(groups: list[tuple[np.ndarray, Any]], size: int, margin: float) -> np.ndarray | None:
    """A matrix with the right coefficients and no eigenvalue below half a margin, by projections; None if not met.

    Without a margin it is the matrix that the projections come near.
    """
    owner = np.empty(size * size, dtype=int)
    counts, wanted = np.empty(len(groups)), np.empty(len(groups))
    for k, (places, c) in enumerate(groups):
        owner[places], counts[k], wanted[k] = k, len(places), nearest(c)

    def on_coefficients(matrix: np.ndarray) -> np.ndarray:
        flat = matrix.ravel()
        missing = (wanted - np.bincount(owner, weights=flat, minlength=len(groups))) / counts
        return (flat + missing[owner]).reshape(size, size)

    matrix = on_coefficients(np.zeros((size, size)))
    for _ in range(_STEPS if margin > 0.0 else 5 * _STEPS):
        values, vectors = np.linalg.eigh(matrix)
        if margin > 0.0 and values[0] >= 0.5 * margin:
            return matrix
        # A step beyond the nearest definite matrix: as far again, which is what makes the way short.
        raised = (vectors * np.maximum(values, margin)) @ vectors.T
        matrix = on_coefficients(matrix + 1.5 * (raised - matrix))
        matrix = (matrix + matrix.T) / 2.0
    return None if margin > 0.0 else matrix


def _exactly(guess: np.ndarray, step: Fraction, groups: list[tuple[np.ndarray, Any]], size: int) -> Any:
    """The matrix rounded to multiples of a step, and moved onto the coefficients in rational arithmetic."""
    from flint import fmpq_mat

    flat = [rational(step * round(Fraction(value) / step)) for value in guess.ravel().tolist()]
    for places, c in groups:
        missing = (c - sum((flat[k] for k in places.tolist()), rational(0))) / len(places)
        for k in places.tolist():
            flat[k] += missing
    return fmpq_mat(size, size, flat)
