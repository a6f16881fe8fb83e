"""Functions of degree at most two: their Hessian is one matrix, and what it is can be decided exactly.

    f(x) = x'Hx/2 + g'x + c:    convex iff z'Hz >= 0 for all z;    strictly = strongly convex iff H is positive definite

The Hessian is collected in rational numbers from the doubles of the graph, and decided by `definite`: an eigenvalue of
-1e-12 is negative, and one of +1e-12 is not. Of a long sum of squares it is formed in doubles, with a bound E of its
rounding: H >= fl(H) - |E|; and a sum of squares is convex without any numbers.

Reference: Boyd, Vandenberghe (2004), "Convex Optimization", Cambridge, example 3.2, p. 71; Higham (2002), "Accuracy and
Stability of Numerical Algorithms", 2nd ed., SIAM, section 3.5, p. 71.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from surefoot.problem.domain import Domain
from surefoot.problem.real import Graph
from surefoot.proof.certificate import Curvature
from surefoot.proof.curvature_finding import Finding
from surefoot.proof.definite import definiteness, form, shifted, smallest_eigenvalue
from surefoot.proof.exact_doubles import TooMuchError, doubles, fraction, mul, rationals
from surefoot.proof.forms import Form, Products
from surefoot.proof.quadratic_form import may_be_read, read_forms
from surefoot.proof.rounding import UNIT, above, at_least, gamma
from surefoot.proof.segments import inner_points, is_free, segment

MOST_EXACT = 400_000
"""Coefficients of products that are multiplied out in rational numbers."""

MOST_VARIABLES = 500
_SHOWN = 4


@dataclass(frozen=True)
class Hessian:
    """The Hessian of a quadratic, ``|matrix - H| <= error`` in the 2-norm.

    Attributes
    ----------
    matrix : flint.fmpq_mat, shape (n, n)
    error : Fraction
        Zero: the matrix is exact.
    sign : int
        1 if it is a sum of squares, -1 if minus it is, 0 if neither is seen.
    """

    matrix: Any
    error: Fraction
    sign: int


def prove(graph: Graph, domain: Domain) -> Finding | None:
    """What a function of degree at most two is; None for any other, and where nothing could be proven.

    Parameters
    ----------
    graph : Graph
        The function.
    domain : Domain
        Where it is considered.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x", "y"))
    >>> graph = build.graph(build.sum(build.power(build.input, 2)))
    >>> found = prove(graph, Domain.everything(("x", "y")))
    >>> found.curvature.value, found.modulus
    ('strongly convex', Fraction(2, 1))
    """
    if graph.size > MOST_VARIABLES or not may_be_read(graph):
        return None
    read = read_forms(graph)[graph.output]
    if read is None:
        return None
    try:
        return _decided(graph, domain, read)
    except (TooMuchError, OverflowError):  # the latter from numbers beyond all doubles
        return None


def _decided(graph: Graph, domain: Domain, read: Form) -> Finding | None:
    if read.is_affine:
        return Finding(Curvature.AFFINE, ("The function is a polynomial of degree at most 1.",))
    hessian = hessian_of(read, graph.size)
    free = np.flatnonzero(is_free(domain))
    matrix = _principal(hessian.matrix, free)
    told = _told(graph, hessian.matrix) if not hessian.error else _told_bounded(hessian)
    if not hessian.error and not any(entry != 0 for entry in matrix.entries()):
        return Finding(Curvature.AFFINE, (told, "Where the variables can move, it is zero."))
    for sign in (1, -1):
        found = _one_sign(matrix, hessian, sign, told)
        if found is not None:
            return found
    return _witness(domain, matrix, hessian, free, told)


def _one_sign(matrix: Any, hessian: Hessian, sign: int, told: str) -> Finding | None:
    """Convex for sign 1, concave for -1."""
    word, side = ("positive", "convex") if sign > 0 else ("negative", "concave")
    signed = matrix if sign > 0 else -1 * matrix
    lowered = shifted(signed, hessian.error) if hessian.error else signed
    decided = definiteness(lowered)
    if decided.is_positive_definite:
        mu = smallest_eigenvalue(lowered)
        lines = (told, f"It is {word} definite: no eigenvalue is nearer to 0 than {at_least(float(mu), 6)}.")
        return Finding(Curvature(f"strongly {side}"), lines, {"modulus": str(mu)}, mu)
    if decided.is_positive_semidefinite and not hessian.error:
        lines = (told, f"It is {word} semidefinite, of rank {decided.rank} of {decided.size}: in rational arithmetic.")
        return Finding(Curvature(side), lines, {"rank": decided.rank})
    if hessian.sign == sign:
        squares = "a sum of squares" if sign > 0 else "minus a sum of squares"
        return Finding(Curvature(side), (f"The function is {squares} of affine functions and an affine function.",))
    return None


def _witness(domain: Domain, matrix: Any, hessian: Hessian, free: np.ndarray, told: str) -> Finding | None:
    """A chord below which the function does not stay."""
    down = definiteness(matrix).down
    if down is None:
        return None
    direction = np.zeros(domain.size)
    direction[free] = [float(value) for value in down]
    direction /= np.abs(direction).max()
    for x in inner_points(domain, 8, np.random.default_rng(0)):
        ends = segment(domain, x, direction)
        if ends is None:
            continue
        step = tuple(Fraction(float(b)) - Fraction(float(a)) for a, b in zip(ends[0][free], ends[1][free], strict=True))
        length = sum((d * d for d in step), Fraction(0))
        bend = form(matrix, step) + hessian.error * length
        if bend < 0:
            lines = (
                told,
                f"Along {_vector(ends[1] - ends[0])} the second derivative is {float(bend / length):.6g} < 0.",
            )
            return Finding(Curvature.NOT_CONVEX, lines, chord(*ends, Fraction(1, 2)))
    return None


def chord(p: np.ndarray, q: np.ndarray, share: Fraction) -> dict[str, Any]:
    """The evidence against convexity: ``f((1-t) p + t q) > (1-t) f(p) + t f(q)`` at exactly these doubles."""
    return {"from": [float(v) for v in p], "to": [float(v) for v in q], "share": str(share)}


def hessian_of(read: Form, n: int) -> Hessian:
    """The Hessian of a number of degree two."""
    sign = _common_sign(read.products)
    if sum(len(term.weight) for term in read.products) * n <= MOST_EXACT:
        from flint import fmpq_mat

        total = fmpq_mat(n, n)
        for term in read.products:
            total += _exact(term, n)
        return Hessian(total + total.transpose(), Fraction(0), sign)
    return _rounded(read.products, n, sign)


def _exact(term: Products, n: int) -> Any:
    from flint import fmpq_mat

    left, right = _factors(term, n)
    weights = mul(mul(term.weight, term.left.scale[term.left_row]), term.right.scale[term.right_row])
    one = rationals(left) * rationals(weights)[:, None]
    rows = len(term.weight)
    return fmpq_mat(rows, n, one.ravel().tolist()).transpose() * fmpq_mat(rows, n, rationals(right).ravel().tolist())


def _factors(term: Products, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of both factors without their scales."""
    left = term.left.dense(n)[term.left_row]
    return left, left if term.are_squares else term.right.dense(n)[term.right_row]


def _rounded(products: tuple[Products, ...], n: int, sign: int) -> Hessian:
    """In doubles: every entry is a sum of products with a relative error of a few roundings each."""
    from flint import fmpq_mat

    total, size = np.zeros((n, n)), np.zeros((n, n))
    terms = 0
    for term in products:
        left, right = (doubles(rows) for rows in _factors(term, n))
        scales = doubles(term.left.scale)[term.left_row] * doubles(term.right.scale)[term.right_row]
        weighted = left * (doubles(term.weight) * scales)[:, None]
        if not (_is_moderate(left) and _is_moderate(scales) and _is_moderate(weighted) and _is_moderate(right)):
            raise TooMuchError("The Hessian might overflow or underflow in doubles.")
        total += weighted.T @ right
        size += np.abs(weighted).T @ np.abs(right)
        terms += len(left) + 12
    total, size = total + total.T, size + size.T
    # Conversions, scales and sums: at most 12 roundings beside those of the sum; size itself is rounded as often.
    bound = above(gamma(terms + 16) * size, terms + 16)
    error = float(np.sqrt(above(float(bound.sum(axis=0).max()) * float(bound.sum(axis=1).max()), 2 * n + 4)))
    if not np.isfinite(total).all() or not np.isfinite(error):
        raise TooMuchError("The Hessian might overflow in doubles.")
    exact = fmpq_mat(n, n, rationals(total).ravel().tolist())
    return Hessian(exact, Fraction(error * (1 + 8 * UNIT)), sign)


def _is_moderate(array: np.ndarray) -> bool:
    """Whether products of two such numbers neither overflow nor underflow."""
    size = np.abs(array)
    return bool(np.all((size == 0.0) | ((size > 2.0**-450) & (size < 2.0**450))))


def _common_sign(products: tuple[Products, ...]) -> int:
    signs = set()
    for term in products:
        if not term.are_squares:
            return 0
        signs |= {
            int(np.all(term.weight >= 0)) - int(np.all(term.weight <= 0)) or (0 if np.any(term.weight != 0) else 2)
        }
    signs.discard(2)
    return signs.pop() if len(signs) == 1 else 0


def _principal(matrix: Any, places: np.ndarray) -> Any:
    from flint import fmpq_mat

    kept = places.tolist()
    return fmpq_mat(len(kept), len(kept), [matrix[i, j] for i in kept for j in kept])


def _told(graph: Graph, matrix: Any) -> str:
    n = graph.size
    head = "The function is a polynomial of degree 2 with the constant Hessian"
    if n > _SHOWN:
        return f"{head} of {n} rows, collected in rational arithmetic."
    rows = [", ".join(f"{float(fraction(matrix[i, j])):.17g}" for j in range(n)) for i in range(n)]
    return f"{head} [{'; '.join(rows)}]."


def _told_bounded(hessian: Hessian) -> str:
    return (
        "The function is a polynomial of degree 2; its constant Hessian is known in doubles within "
        f"{float(hessian.error):.2g}."
    )


def _vector(direction: np.ndarray) -> str:
    shown = ", ".join(f"{value:.6g}" for value in direction[: 2 * _SHOWN])
    return f"({shown}{', ...' if len(direction) > 2 * _SHOWN else ''})"
