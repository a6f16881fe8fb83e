"""Roots of quadratics that are sums of squares: norms of affine functions, however they are written.

    q(x) = (x, 1)'M(x, 1),  M positive semidefinite    =>    q = |L (x, 1)|^2,    q^p is convex for p >= 1/2

``sqrt(x^2 + x y + y^2)`` is one, although no operation in it says so. M is collected and decided in rational numbers.

Reference: Boyd, Vandenberghe (2004), "Convex Optimization", Cambridge, section 3.2.2, p. 79, example 3.1.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from surefoot.problem.domain import Domain
from surefoot.problem.real import Graph
from surefoot.proof.certificate import Curvature
from surefoot.proof.chains import affine_nodes
from surefoot.proof.curvature_finding import Finding
from surefoot.proof.definite import definiteness
from surefoot.proof.exact_doubles import TooMuchError, rational, rationals
from surefoot.proof.forms import Form, element_of
from surefoot.proof.quadratic import hessian_of
from surefoot.proof.quadratic_form import read_forms
from surefoot.proof.signs import Weights, weights_of
from surefoot.proof.univariate import elements

MOST_NORMS = 200
MOST_VARIABLES = 100


def prove(graph: Graph, domain: Domain) -> Finding | None:
    """Whether a function is a sum of norms and convex functions of one affine number; None if that is not seen.

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
    >>> x = build.input
    >>> q = build.add(build.sum(build.power(x, 2)), build.reduce("prod", x, (0,)))
    >>> prove(build.graph(build.power(q, 0.5)), Domain.everything(("x", "y"))) is None  # prod is not read as x y
    True
    >>> xy = build.mul(*(build.reshape(build.slice(x, (k,), (k + 1,)), ()) for k in range(2)))
    >>> q = build.add(build.sum(build.power(x, 2)), xy)
    >>> prove(build.graph(build.power(q, 0.5)), Domain.everything(("x", "y"))).curvature.value
    'convex'
    """
    if graph.size > MOST_VARIABLES or not any(_is_root(graph, place) for place in range(len(graph.nodes))):
        return None
    try:
        affine = affine_nodes(graph)
        atoms = weights_of(graph, affine)
        forms = read_forms(graph)
        for side in ("convex", "concave"):
            others = {place: w for place, w in atoms.items() if forms[place] is None}
            if all(_bends(graph, domain, place, w, side, affine, forms) for place, w in others.items()):
                rest = read_forms(graph, frozenset(others))[graph.output]
                if rest is not None and _rest_bends(rest, graph.size, side):
                    return _finding(graph, others, side)
    except TooMuchError:
        return None
    return None


def _finding(graph: Graph, atoms: dict[int, Weights], side: str) -> Finding:
    roots = [graph.nodes[place].source for place in atoms if _is_root(graph, place)]
    told = ", ".join(source for source in roots if source)
    return Finding(
        Curvature(side),
        (
            f"Roots of quadratics{f' ({told})' if told else ''} are norms of affine functions: (x, 1)'M(x, 1) with M "
            "positive semidefinite in rational arithmetic.",
            f"With functions of one affine number and a quadratic, in rational arithmetic, they make a {side} sum.",
        ),
    )


def _is_root(graph: Graph, place: int) -> bool:
    node = graph.nodes[place]
    return node.operation == "power" and node["exponent"].denominator > 1 and node["exponent"] >= Fraction(1, 2)


def _bends(
    graph: Graph, domain: Domain, place: int, weights: Weights, side: str, affine: list[bool],
    forms: list[Form | None],
) -> bool:  # fmt: skip
    """Whether the elements of a node bend as their weights ask."""
    up, down = weights if side == "convex" else weights[::-1]
    form = forms[graph.nodes[place].operands[0]] if _is_root(graph, place) else None
    if form is not None and not np.any(down) and graph.nodes[place].size <= MOST_NORMS:
        return all(is_sum_of_squares(form, k, graph.size) for k in range(graph.nodes[place].size))
    found = elements(graph, place, domain, affine)
    if found is None:
        return False
    # In the sense of the side: where a weight is positive the function is to be convex, or concave for that side.
    return bool(np.all((found.convex | ~up.ravel()) & (found.concave | ~down.ravel()) & (found.convex | found.concave)))


def _rest_bends(rest: Form, n: int, side: str) -> bool:
    """Whether what is left, of degree at most two, bends to the side."""
    hessian = hessian_of(rest, n)
    matrix = hessian.matrix if side == "convex" else -1 * hessian.matrix
    return not hessian.error and definiteness(matrix).is_positive_semidefinite


def is_sum_of_squares(form: Form, element: int, n: int) -> bool:
    """Whether an element of degree at most two is a sum of squares of affine functions."""
    from flint import fmpq_mat

    one = element_of(form, element)
    hessian = hessian_of(one, n)
    if hessian.error:
        return False
    plain = one.affine.plain()
    slope = rationals(plain.dense(n))[0]
    whole: Any = fmpq_mat(n + 1, n + 1)
    for i in range(n):
        for j in range(n):
            whole[i, j] = hessian.matrix[i, j]
        whole[i, n] = whole[n, i] = rational(slope[i])
    # q = x'Hx/2 + s'x + c; offsets of the factors of products are part of s and c.
    linear, constant = _offsets(one, n)
    for i in range(n):
        whole[i, n] += linear[i]
        whole[n, i] += linear[i]
    whole[n, n] = 2 * (rational(plain.offset[0]) + constant)
    return definiteness(whole).is_positive_semidefinite


def _offsets(one: Form, n: int) -> tuple[list[Any], Any]:
    """The linear and the constant part that the products have of their own."""
    linear, constant = [rational(0)] * n, rational(0)
    for term in one.products:
        left, right = term.left.dense(n), term.right.dense(n)
        for weight, i, k in zip(term.weight, term.left_row.tolist(), term.right_row.tolist(), strict=True):
            share = rational(weight) * rational(term.left.scale[i]) * rational(term.right.scale[k])
            a, b = rational(term.left.offset[i]), rational(term.right.offset[k])
            constant += share * a * b
            if a != 0 or b != 0:
                for j in range(n):
                    linear[j] += share * (a * rational(right[k, j]) + b * rational(left[i, j]))
    return linear, constant
