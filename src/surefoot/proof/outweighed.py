"""Functions of affine numbers that bend down a little, outweighed by a quadratic.

    f = x'Qx/2 + sum of w_e phi_e(a_e'x + b_e) + convex,    w_e phi_e'' >= c_e    =>    H >= M = Q + sum of c_e a_e a_e'

M is one matrix of rational numbers, decided exactly, and c_e comes from intervals over the whole range of a_e'x + b_e:
``cos(x + y) + x^2 + y^2`` is convex with M = [[1, -1], [-1, 1]], and a robust loss is with enough of a ridge.

Reference: Adjiman, Dallwig, Floudas, Neumaier (1998), "A global optimization method, alphaBB, for general
twice-differentiable constrained NLPs", Comput. Chem. Eng. 22(9), pp. 1137-1158 (bounds of curvature).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from surefoot.problem.domain import Domain, outward
from surefoot.problem.real import Graph
from surefoot.proof.affine_lines import hull, lines_of
from surefoot.proof.bent_intervals import halves, parts_of
from surefoot.proof.certificate import Curvature
from surefoot.proof.chains import Chain, affine_nodes, chain_of
from surefoot.proof.curvature import Curvatures
from surefoot.proof.curvature_finding import Finding
from surefoot.proof.definite import definiteness, smallest_eigenvalue
from surefoot.proof.exact_doubles import TooMuchError, rational, rationals
from surefoot.proof.hyperexponential import second_derivative
from surefoot.proof.interval import Interval
from surefoot.proof.jets import second_order
from surefoot.proof.linear_parts import LinearParts, Part
from surefoot.proof.quadratic import hessian_of
from surefoot.proof.quadratic_form import read_forms
from surefoot.proof.rational_bends import lower_bound
from surefoot.proof.rational_pieces import Line
from surefoot.proof.segments import is_free
from surefoot.proof.univariate import elements_of, rows_of

MOST_COEFFICIENTS = 200_000
"""Numbers of one array of affine functions: each is a fraction."""

MOST_VARIABLES, MOST_IN_MODULI = 60, 20_000
"""Variables, and numbers of affine functions, up to which moduli are looked at."""

MOST_DIFFERENT = 300
_ROUNDS, _BOXES = 8, 256


def prove(graph: Graph, domain: Domain) -> Finding | None:
    """Whether a quadratic outweighs what bends the other way; None if that is not seen.

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
    >>> wave = build.unary("cos", build.sum(build.input))
    >>> graph = build.graph(build.add(wave, build.sum(build.power(build.input, 2))))
    >>> prove(graph, Domain.everything(("x", "y"))).curvature.value
    'convex'
    """
    if graph.size * max(node.size for node in graph.nodes) > MOST_COEFFICIENTS:
        return None
    known = Curvatures(graph, domain)
    if known.undefined or known.narrowed or known.empty or known.domain is not known.asked:
        return None
    try:
        parts = LinearParts(known).parts
        for side in ("convex", "concave"):
            bound = _lower_bound(graph, known, parts, side)
            found = None if bound is None else _finding(graph, domain, bound, side)
            if found is not None:
                return found
    except TooMuchError:
        return None
    return None


def _finding(graph: Graph, domain: Domain, bound: Any, side: str) -> Finding | None:
    from flint import fmpq_mat

    free = np.flatnonzero(is_free(domain)).tolist()
    if not free:  # one point, where nothing bends
        return None
    kept = fmpq_mat(len(free), len(free), [bound[i, j] for i in free for j in free])
    decided = definiteness(kept)
    if not decided.is_positive_semidefinite:
        return None
    sign = "" if side == "convex" else "-"
    lines = [
        f"The function is a quadratic, functions of one affine number each, and {side} terms. With bounds of the "
        f"second derivatives over the whole ranges of these numbers, {sign}H >= M, a matrix of rational numbers.",
        f"M is positive semidefinite, of rank {decided.rank} of {decided.size}: in rational arithmetic.",
    ]
    if not decided.is_positive_definite:
        return Finding(Curvature(side), tuple(lines), {"rank": decided.rank})
    mu = smallest_eigenvalue(kept)
    lines.append(f"None of its eigenvalues is below {float(mu):.6g}.")
    return Finding(Curvature(f"strongly {side}"), tuple(lines), {"modulus": str(mu)}, mu)


def modulus(known: Curvatures, parts: list[Part], side: str) -> Fraction | None:
    """A modulus of strong convexity of a function all of whose parts bend one way, or quadratics together; or None.

    Parameters
    ----------
    known : Curvatures
        Of the function.
    parts : list of Part
        Its parts.
    side : str
        ``convex`` or ``concave``.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x", "y"))
    >>> known = Curvatures(build.graph(build.sum(build.unary("cosh", build.input))), Domain.everything(("x", "y")))
    >>> modulus(known, LinearParts(known).parts, "convex")
    Fraction(1, 1)
    """
    from flint import fmpq_mat

    graph = known.graph
    if graph.size > MOST_VARIABLES or graph.size * max(graph.nodes[p.place].size for p in parts) > MOST_IN_MODULI:
        return None
    free = np.flatnonzero(is_free(known.domain)).tolist()
    try:
        bound = _lower_bound(graph, known, parts, side, tight=True)
        if bound is None or not free:
            return None
        kept = fmpq_mat(len(free), len(free), [bound[i, j] for i in free for j in free])
        return smallest_eigenvalue(kept) if definiteness(kept).is_positive_definite else None
    except (TooMuchError, OverflowError):
        return None


def _lower_bound(graph: Graph, known: Curvatures, parts: list[Part], side: str, *, tight: bool = False) -> Any | None:
    """A matrix below the Hessian of the function, or of its negative, everywhere; None if there is none.

    ``tight``: with the shares of what bends as it should, where they are seen to be above zero.
    """
    from flint import fmpq_mat

    affine, forms = affine_nodes(graph), read_forms(graph)
    others = [part for part in parts if forms[part.place] is None]
    rest = read_forms(graph, frozenset(part.place for part in others))[graph.output]
    if rest is None or (rest.is_affine and not tight):
        return None
    if rest.is_affine:
        total = fmpq_mat(graph.size, graph.size)
    else:
        hessian = hessian_of(rest, graph.size)
        if hessian.error:
            return None
        total = hessian.matrix if side == "convex" else -1 * hessian.matrix
    bent = tight
    for part in others:
        chain = chain_of(graph, part.place, affine)
        if bool(part.bends(known.bits(part.place), up=side == "convex").all()):
            if tight and chain is not None:
                total = total + _share_of_good(graph, known.domain, chain, part.weight)
            continue
        if chain is None:
            return None
        weight = part.weight if side == "convex" else -part.weight
        share = _share(graph, known.domain, chain, weight)
        if share is None:
            return None
        total, bent = total + share, True
    return total if bent else None


def _share(graph: Graph, domain: Domain, chain: Chain, weight: Interval) -> Any | None:
    """``sum of c_e a_e a_e'``."""
    from flint import fmpq_mat

    rows = rows_of(graph, chain).plain()
    n, size = graph.size, len(chain.constants)
    matrix = rationals(rows.dense(n))
    lines = lines_of(rows, domain)
    different, which = np.unique(chain.constants, axis=0, return_inverse=True)
    which = np.ravel(which)
    if len(different) > MOST_DIFFERENT:
        return None
    low, high = np.empty(size), np.empty(size)
    for j, constants in enumerate(different):
        chosen = which == j
        found = bend_range(chain.graph, constants, hull([lines[k] for k in np.flatnonzero(chosen)]))
        if found is None:
            return None
        low[chosen], high[chosen] = found
    least = (weight.each(np.ravel) * Interval(low, high)).lo
    if not np.isfinite(least).all():
        return None
    scaled = np.array([[rational(float(c)) * value for value in row] for c, row in zip(least, matrix, strict=True)])
    left = fmpq_mat(size, n, scaled.ravel().tolist())
    return left.transpose() * fmpq_mat(size, n, matrix.ravel().tolist())


def _share_of_good(graph: Graph, domain: Domain, chain: Chain, weight: Interval) -> Any:
    """``sum of c_e a_e a_e'`` of functions that bend as their weights ask, by the sizes of phi'' that are proven."""
    from flint import fmpq_mat

    n = graph.size
    found = elements_of(graph, chain, domain)
    least = [min(abs(Fraction(a)), abs(Fraction(b))) if a * b > 0 else Fraction(0)
             for a, b in zip(weight.lo.ravel().tolist(), weight.hi.ravel().tolist(), strict=True)]  # fmt: skip
    if found is None or not any(found.modulus):
        return fmpq_mat(n, n)
    size = len(chain.constants)
    matrix = rationals(rows_of(graph, chain).plain().dense(n))
    shares = [rational(w * mu) for w, mu in zip(least, found.modulus, strict=True)]
    scaled = np.array([[c * value for value in row] for c, row in zip(shares, matrix, strict=True)])
    left = fmpq_mat(size, n, scaled.ravel().tolist())
    return left.transpose() * fmpq_mat(size, n, matrix.ravel().tolist())


def bend_range(graph: Graph, constants: np.ndarray, line: Line) -> tuple[float, float] | None:
    """Bounds of phi'' on the whole range of t; None where it is not smooth or a bound is infinite.

    Parameters
    ----------
    graph : Graph
        Of the variables t, c_1, ..., c_k.
    constants : ndarray, shape (k,)
        The values of c.
    line : Line
        The range of t.
    """
    exact = second_derivative(graph, [Fraction(float(c)) for c in constants], line)
    if exact is not None:
        low, high = lower_bound(exact, line), lower_bound(-exact, line)
        if low is not None and high is not None:
            return outward(low, up=False), outward(-high, up=True)
    lo = -np.inf if line.low is None else outward(line.low, up=False)
    hi = np.inf if line.high is None else outward(line.high, up=True)
    left, right = parts_of(lo, hi)
    bounds = []
    for sign in (1, -1):
        bound = _least(graph, constants, left, right, sign)
        if bound is None:
            return None
        bounds.append(sign * bound)
    return bounds[0], bounds[1]


def _least(graph: Graph, constants: np.ndarray, left: np.ndarray, right: np.ndarray, sign: int) -> float | None:
    """A lower bound of ``sign phi''``, made better by halving the parts on which it is lowest."""
    done = np.inf
    for turn in range(_ROUNDS):
        box = Interval(_with(left, constants), _with(right, constants))
        jet = second_order(graph, box)
        if not jet.smooth.all():
            return None
        second = jet.hessian[:, 0, 0] if sign > 0 else -jet.hessian[:, 0, 0]
        reached = float(second.hi.min())  # somewhere it is no larger than this
        middle = halves(left, right)
        open_ = (second.lo < reached - 1e-3 * abs(reached)) & (left < middle) & (middle < right)
        done = min(done, float(second.lo[~open_].min(initial=np.inf)))
        if turn == _ROUNDS - 1 or not open_.any() or open_.sum() > _BOXES:
            done = min(done, float(second.lo.min()))
            break
        left, right = np.concatenate([left[open_], middle[open_]]), np.concatenate([middle[open_], right[open_]])
    return done if np.isfinite(done) else None


def _with(ends: np.ndarray, constants: np.ndarray) -> np.ndarray:
    return np.column_stack([ends, np.broadcast_to(constants, (len(ends), len(constants)))])
