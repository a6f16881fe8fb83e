"""Signs of polynomials in variables with bounds and in elementary functions of them, decided in rational arithmetic.

    x > l:  x = l + y        l < x < u:  x = (l + u y)/(1 + y)        y > 0

A polynomial of which every factor is a square, or has coefficients of one sign and no odd power of what may be
negative, has that sign. What is quadratic in the other variables is decided by its matrix, and ``a + b sqrt(u)`` by
``a^2 - b^2 u`` where the signs of a and b differ.

Reference: Pólya (1928), "Über positive Darstellung von Polynomen", Vierteljschr. Naturforsch. Ges. Zürich 73, pp.
141-145 (positive coefficients); Basu, Pollack, Roy (2006), "Algorithms in Real Algebraic Geometry", Springer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.proof.exact_doubles import rational

if TYPE_CHECKING:
    from surefoot.proof.quotients import Field

DEEPEST = 3
MOST_COEFFICIENTS = 4000


def plain_sign(field: Field, polynomial: Any) -> int | None:
    """1 if a polynomial is nowhere negative, -1 if nowhere positive, where the variables are inside their bounds.

    Parameters
    ----------
    field : Field
        With the bounds of its variables.
    polynomial : flint.fmpq_mpoly
        In its ring.

    Returns
    -------
    int or None
        0 of the polynomial 0; None if its sign changes, or is not seen.

    Examples
    --------
    >>> from surefoot.proof.quotients import Field
    >>> field = Field([0.0, -np.inf], [1.0, np.inf])
    >>> x, y = field.gens[:2]
    >>> plain_sign(field, x * (x - 1) * y**2), plain_sign(field, x**2 + x * y + y**2), plain_sign(field, y)
    (-1, 1, None)
    """
    return _sign(field, polynomial, 0)


def _sign(field: Field, polynomial: Any, depth: int) -> int | None:
    if not len(polynomial):
        return 0
    number, factors = polynomial.factor()
    sign = 1 if number > 0 else -1
    for factor, times in factors:
        if times % 2 == 0:
            continue
        one = _irreducible(field, factor, depth)
        if one is None:
            return None
        sign *= one
    return sign


def _irreducible(field: Field, factor: Any, depth: int) -> int | None:
    for moved, positive in _moved(field, factor):
        for sign in (1, -1):
            if _is_not_negative(field, moved if sign > 0 else -moved, positive):
                return sign
    return _with_root(field, factor, depth) if depth < DEEPEST else None


def _moved(field: Field, polynomial: Any) -> Iterator[tuple[Any, list[bool]]]:
    """A polynomial in other variables, positive multiples of it allowed, and which variables are positive."""
    n, gens = field.size, list(field.gens)
    positive = [False] * n + [atom.positive for atom in field.atoms] + [False] * (len(gens) - n - len(field.atoms))
    shifted = list(gens)
    boxed = []
    for k in range(n):
        low, high = field.lower[k], field.upper[k]
        if np.isfinite(low):
            shifted[k], positive[k] = gens[k] + rational(low), True
        elif np.isfinite(high):
            shifted[k], positive[k] = rational(high) - gens[k], True
        if np.isfinite(low) and np.isfinite(high):
            boxed.append(k)
        for j, atom in enumerate(field.atoms):
            if low == 0.0 and atom.root and atom.base == gens[k]:
                shifted[k] = gens[n + j] ** atom.root
    if shifted != gens:
        yield polynomial.compose(*shifted), positive
    else:
        yield polynomial, positive
    if boxed:
        onto_rays = _onto_rays(field, polynomial, boxed)
        if onto_rays is not None:
            rest = [gens[k] if k in boxed else shifted[k] for k in range(len(gens))]
            yield onto_rays.compose(*rest), positive
    if any(positive[:n]):  # a form that is definite whatever the bounds
        yield polynomial, [False] * n + positive[n:]


def _onto_rays(field: Field, polynomial: Any, boxed: list[int]) -> Any | None:
    """With ``x = (l + u y)/(1 + y)`` for variables between two bounds, times powers of ``1 + y``."""
    degrees = [int(degree) for degree in polynomial.degrees()]
    if len(polynomial) * math.prod(degrees[k] + 1 for k in boxed) > MOST_COEFFICIENTS:
        return None
    found, gens = field.ring.constant(0), field.gens
    for exponents, c in polynomial.to_dict().items():
        term = field.ring.constant(c)
        for k, exponent in enumerate(exponents):
            power, gen = int(exponent), gens[k]
            if k in boxed:
                low, high = rational(field.lower[k]), rational(field.upper[k])
                term = term * (low + high * gen) ** power * (1 + gen) ** (degrees[k] - power)
            elif power:
                term = term * gen**power
        found = found + term
    return found


def _is_not_negative(field: Field, polynomial: Any, positive: list[bool]) -> bool:
    """By coefficients that are positive, or quadratics that are no less than 0, beside products of what is positive."""
    parts: dict[tuple[int, ...], dict[tuple[int, ...], Any]] = {}
    for exponents, c in polynomial.to_dict().items():
        powers = [int(exponent) for exponent in exponents]
        known = tuple(e if good else 0 for e, good in zip(powers, positive, strict=True))
        open_ = tuple(0 if good else e for e, good in zip(powers, positive, strict=True))
        parts.setdefault(known, {})[open_] = c
    return all(_is_square_like(part) for part in parts.values())


def _is_square_like(part: dict[tuple[int, ...], Any]) -> bool:
    """Whether a polynomial in what has any sign has even powers and positive coefficients, or is a definite form."""
    if all(c > 0 and not any(e % 2 for e in exponents) for exponents, c in part.items()):
        return True
    if max(sum(exponents) for exponents in part) > 2:
        return False
    from flint import fmpq_mat

    from surefoot.proof.definite import definiteness

    used = sorted({k for exponents in part for k, e in enumerate(exponents) if e})
    place = {k: 1 + j for j, k in enumerate(used)}
    matrix: Any = fmpq_mat(1 + len(used), 1 + len(used))
    for exponents, c in part.items():
        i, j = [0, 0, *(place[k] for k, e in enumerate(exponents) for _ in range(e))][-2:]
        matrix[i, j] += c / 2
        matrix[j, i] += c / 2
    return definiteness(matrix).is_positive_semidefinite


def _with_root(field: Field, factor: Any, depth: int) -> int | None:
    """The sign of ``a + b s`` with ``s^2 = u``, for a square root s of u > 0; of higher roots only what is implied."""
    for j, atom in enumerate(field.atoms):
        place = field.size + j
        if atom.root != 2 or atom.base is None or not factor.degrees()[place]:
            continue
        a, b = _split(field, factor, place, atom.base)
        first, second = _sign(field, a, depth + 1), _sign(field, b, depth + 1)
        if first is None or second is None:
            return None
        if first * second >= 0:
            return first or second
        apart = _sign(field, a * a - b * b * atom.base, depth + 1)
        return None if apart is None else first * apart if apart else 0
    return None


def _split(field: Field, polynomial: Any, place: int, base: Any) -> tuple[Any, Any]:
    """The polynomials a and b in ``a + b s``, by ``s^2 = base``."""
    found = [field.ring.constant(0), field.ring.constant(0)]
    for exponents, c in polynomial.to_dict().items():
        power = int(exponents[place])
        rest = field.ring.constant(c) * base ** (power // 2)
        for k, exponent in enumerate(exponents):
            if k != place and int(exponent):
                rest = rest * field.gens[k] ** int(exponent)
        found[power % 2] = found[power % 2] + rest
    return found[0], found[1]
