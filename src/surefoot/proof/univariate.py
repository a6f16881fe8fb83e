"""Functions of one affine number, and sums of them: f(x) = sum of w_i phi_i(a_i'x + b_i) + affine.

Each phi is decided alone: quotients of polynomials, piece by piece, exactly (`rational_pieces`); others by the sign of
phi'' in intervals, on parts of the range of t that are halved until it is seen. Where a condition changes at a rational
number, the pieces on both sides are followed apart, and are to meet there: the same value, slopes that do not fall.

Reference: Boyd, Vandenberghe (2004), "Convex Optimization", Cambridge, section 3.2.2, p. 79; Rockafellar (1970),
"Convex Analysis", Princeton, theorem 24.1, p. 227.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from surefoot.problem.domain import Domain
from surefoot.problem.real import Graph
from surefoot.proof.affine_lines import hull, lines_of, told
from surefoot.proof.certificate import Curvature
from surefoot.proof.chains import Chain, affine_nodes, chain_of
from surefoot.proof.curvature_finding import Finding
from surefoot.proof.exact_doubles import TooMuchError, fraction, rational
from surefoot.proof.forms import Affine
from surefoot.proof.piece_chords import chord_against
from surefoot.proof.quadratic_form import read_forms
from surefoot.proof.rational_bends import Bent, bent
from surefoot.proof.rational_pieces import Line, Pieces, read_pieces
from surefoot.proof.signs import weights_of

MOST_DIFFERENT = 2000
"""Different functions phi_i in an array that are looked at one by one."""

MOST_IN_TOWERS = 64
"""Up to so many of them are read in towers of elementary functions."""

IN_TOWERS = 1.0
"""Seconds for all of these together."""

MOST_SPANNING = 200_000
"""Coefficients of affine numbers whose rank is looked at."""


@dataclass(frozen=True)
class Elements:
    """What the elements of an array are, over the domain.

    Attributes
    ----------
    convex, concave, strict : ndarray of bool
        ``strict``: strictly so, as a function of t.
    modulus : ndarray of Fraction
        Lower bounds of the size of phi'', 0 where none is proven.
    root : Affine or None
        The rows of t, where they were read.
    how : str
        What the proof leaned on.
    quasiconvex, quasiconcave : ndarray of bool
        Where it was seen how phi' changes its sign.
    """

    convex: np.ndarray
    concave: np.ndarray
    strict: np.ndarray
    modulus: list[Fraction]
    root: Affine | None
    how: str
    quasiconvex: np.ndarray
    quasiconcave: np.ndarray


class _Ways(NamedTuple):
    """What one phi is as a convex function, what -phi is, and whether it falls and then rises, or the reverse."""

    up: Bent | None
    down: Bent | None
    exact: bool = False
    quasiconvex: bool = False
    quasiconcave: bool = False


def prove(graph: Graph, domain: Domain) -> Finding | None:
    """What a function of one affine number, or a sum of such functions, is; None where it is neither or not seen.

    Parameters
    ----------
    graph : Graph
        The function.
    domain : Domain
        Where it is considered.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x",))
    >>> x = build.reshape(build.input, ())
    >>> quartic = build.sub(build.power(x, 4), build.mul(build.constant(1e-9), build.power(x, 2)))
    >>> prove(build.graph(quartic), Domain.everything(("x",))).curvature.value
    'not convex'
    """
    affine = affine_nodes(graph)
    if affine[graph.output]:
        return None
    chain = chain_of(graph, graph.output, affine)
    try:
        if chain is not None:
            return _single(graph, domain, chain)
        return _sum(graph, domain, affine)
    except (TooMuchError, RecursionError):
        return None


def elements(graph: Graph, place: int, domain: Domain, affine: list[bool] | None = None) -> Elements | None:
    """What the elements of any node are that is a chain; None if it is none.

    For rules that meet a node they cannot see through.
    """
    chain = chain_of(graph, place, affine_nodes(graph) if affine is None else affine)
    return None if chain is None else elements_of(graph, chain, domain)


def elements_of(graph: Graph, chain: Chain, domain: Domain) -> Elements | None:
    """What the elements of a chain are; None where that would be too much."""
    try:
        return _elements(graph, domain, chain)
    except TooMuchError:
        return None


def is_analytic(graph: Graph, domain: Domain) -> bool:
    """Whether a function is one of one affine number, analytic in it on the inside of its range, and not affine."""
    from surefoot.proof.tower_bends import is_analytic as is_analytic_on

    chain = chain_of(graph, graph.output, affine_nodes(graph))
    if chain is None:
        return False
    try:
        line = lines_of(rows_of(graph, chain), domain)[0]
    except (TooMuchError, RecursionError):
        return False
    return is_analytic_on(chain.graph, [Fraction(float(c)) for c in chain.constants[0]], line)


def _single(graph: Graph, domain: Domain, chain: Chain) -> Finding | None:
    """A function of one affine number."""
    rows = rows_of(graph, chain)
    line = lines_of(rows, domain)[0]
    exact = _exactly(chain, 0, line)
    head = f"The function is phi(t) of one affine number t {told(line)}."
    if exact is None:
        return _single_by_sign(graph, domain, chain, rows, line, head)
    up, down, pieces = exact
    kind = "quotients of polynomials" + (f" in {len(pieces.parts)} pieces" if len(pieces.parts) > 1 else "")
    for one, side, word in ((up, "convex", ">="), (down, "concave", "<=")):
        if one.affine and one.convex:
            return Finding(Curvature.AFFINE, (head, "phi is affine."))
        if one.convex:
            argument = f"phi is made of {kind}; phi'' {word} 0 by Sturm's theorem"
            argument += ", without jumps, with slopes in order at the joints." if pieces.joints else "."
            return _one_sided(graph, side, one, rows, (head, argument))
    if up.against is None:
        return None
    return chord_against(domain, rows, pieces, line, up.against, head)


def _one_sided(graph: Graph, side: str, one: Bent, rows: Affine, lines: tuple[str, ...]) -> Finding:
    if not np.any(rows.plain().dense(graph.size)[0] != 0):
        return Finding(Curvature.AFFINE, (*lines, "t is the same for every x, so the function is constant."))
    if graph.size == 1 and one.strict:
        slope = fraction(rational(1) * rational_of(rows.plain().dense(1)[0, 0]))
        mu = one.modulus * slope * slope
        if mu > 0:
            return Finding(Curvature(f"strongly {side}"), lines, {"modulus": str(mu)}, mu)
        return Finding(Curvature(f"strictly {side}"), lines)
    return Finding(Curvature(side), lines)


def rational_of(value: object) -> object:
    """A double or a rational number of flint as the latter."""
    return rational(value)


def _single_by_sign(graph: Graph, domain: Domain, chain: Chain, rows: Affine, line: Line, head: str) -> Finding | None:
    ways = _both_ways(chain, 0, line, IN_TOWERS)
    how = "by Sturm's theorem on a quotient of polynomials" if ways.exact else "on the whole range of t"
    for one, side, word in ((ways.up, "convex", ">="), (ways.down, "concave", "<=")):
        if one is not None and one.convex:
            return _one_sided(graph, side, one, rows, (head, f"phi'' {word} 0 {how}."))
    return None


def _sum(graph: Graph, domain: Domain, affine: list[bool]) -> Finding | None:
    """A weighted sum of chains: convex terms with weights >= 0, concave ones with <= 0, affine ones with any."""
    atoms = weights_of(graph, affine)
    if not atoms:
        return None
    chains = {place: chain_of(graph, place, affine) for place in atoms}
    if any(chain is None for chain in chains.values()):
        return None
    read = {place: _elements(graph, domain, chain) for place, chain in chains.items() if chain is not None}
    for side in ("convex", "concave"):
        good = True
        for place, (up, down) in atoms.items():
            found = read[place]
            if found is None:
                return None
            raised, lowered = (found.convex, found.concave) if side == "convex" else (found.concave, found.convex)
            # An element that enters with weight 0 is to be defined all the same.
            fits = (raised | ~up.ravel()) & (lowered | ~down.ravel()) & (raised | lowered)
            good &= bool(np.all(fits))
        if good:
            return _sum_finding(graph, side, atoms, read, chains)
    return None


def _sum_finding(
    graph: Graph, side: str, atoms: dict[int, tuple[np.ndarray, np.ndarray]], read: dict[int, Elements | None],
    chains: dict[int, Chain | None],
) -> Finding:  # fmt: skip
    lines = [
        f"The function is a sum of {len(atoms)} array(s) of functions of one affine number each, and affine terms."
    ]
    spanning = []
    for place, (up, down) in atoms.items():
        found = read[place]
        assert found is not None
        node = graph.nodes[place]
        where = f" ({node.source})" if node.source else ""
        lines.append(f"Each of {node.size:,} functions{where} has the curvature that its weight asks: {found.how}.")
        used = found.strict & (up | down).ravel()
        if found.root is not None and found.root.coefficients is not None and np.any(used):
            spanning.append(found.root.take(np.flatnonzero(used)))
    if spanning and _spans(spanning, graph.size):
        lines.append("Strictly so, and the affine numbers determine x: their rows have full column rank.")
        return Finding(Curvature(f"strictly {side}"), tuple(lines))
    return Finding(Curvature(side), tuple(lines))


def _spans(rows: list[Affine], n: int) -> bool:
    """Whether rows that are not multiplied by 0 have rank n, in rational arithmetic; False where that is too long."""
    from flint import fmpq_mat

    from surefoot.proof.exact_doubles import rationals

    kept = [one.dense(n)[np.asarray(one.scale != 0, dtype=bool)][: 4 * n + 16] for one in rows]
    matrix = np.concatenate([rationals(part) for part in kept])
    if matrix.size > MOST_SPANNING or len(matrix) < n:
        return False
    return fmpq_mat(len(matrix), n, matrix.ravel().tolist()).rank() == n


def _elements(graph: Graph, domain: Domain, chain: Chain) -> Elements | None:
    """Every different phi_i once, over the hull of the ranges of its t."""
    rows = None if _is_everything(domain) else rows_of(graph, chain)
    size = len(chain.constants)
    lines = [Line(None, None)] * size if rows is None else lines_of(rows, domain)
    different, which = np.unique(chain.constants, axis=0, return_inverse=True)
    which = np.ravel(which)
    if len(different) > MOST_DIFFERENT or len(different) * size > 20_000_000:
        return None
    hulls = [hull([lines[k] for k in np.flatnonzero(which == j)]) for j in range(len(different))]
    first = [int(np.argmax(which == j)) for j in range(len(different))]
    seconds = IN_TOWERS / len(different) if len(different) <= MOST_IN_TOWERS else 0.0
    found = [_both_ways(chain, k, line, seconds) for k, line in zip(first, hulls, strict=True)]
    how = "exactly, by Sturm's theorem" if all(one.exact for one in found) else "by the sign of phi''"
    up = np.array([one.up is not None and one.up.convex for one in found])[which]
    down = np.array([one.down is not None and one.down.convex for one in found])[which]
    bents = [[b for b in (one.up, one.down) if b is not None and b.convex] for one in found]
    strict = np.array([any(b.strict for b in own) for own in bents])[which]
    moduli = [max([b.modulus for b in own], default=Fraction(0)) for own in bents]
    if rows is None and np.any(strict) and size * graph.size <= MOST_SPANNING:
        rows = _rows_or_none(graph, chain)
    turns = (np.array([one.quasiconvex for one in found])[which], np.array([one.quasiconcave for one in found])[which])
    return Elements(up, down, strict, [moduli[j] for j in which], rows, how, *turns)


def _both_ways(chain: Chain, k: int, line: Line, seconds: float) -> _Ways:
    from surefoot.proof.bent_intervals import bent_in_intervals
    from surefoot.proof.hyperexponential import bends
    from surefoot.proof.tower_bends import shape_of

    exact = _exactly(chain, k, line)
    if exact is not None and (exact[0].convex or exact[1].convex):
        return _Ways(exact[0], exact[1], True)
    constants = [Fraction(float(c)) for c in chain.constants[k]]
    shape = shape_of(chain.graph, constants, line, seconds) if seconds else None
    turns = (shape.falls_then_rises, shape.rises_then_falls) if shape is not None else (False, False)
    if exact is not None:
        return _Ways(exact[0], exact[1], True, *turns)
    if shape is not None and shape.bends is not None:
        return _Ways(shape.bent(1), shape.bent(-1), False, *turns)
    known = bends(chain.graph, constants, line)
    if known is not None:
        return _Ways(known[0], known[1], True, *turns)
    up = bent_in_intervals(chain.graph, chain.constants[k], line, 1)
    down = None if up is not None else bent_in_intervals(chain.graph, chain.constants[k], line, -1)
    return _Ways(up, down, False, *turns)


def _exactly(chain: Chain, k: int, line: Line) -> tuple[Bent, Bent, Pieces] | None:
    """The function and its negative in pieces; None if it is not of the kind, or not defined everywhere."""
    constants = [Fraction(float(c)) for c in chain.constants[k]]
    try:
        pieces = read_pieces(chain.graph, constants, line)
        if any(isinstance(part, bool) for part in pieces.parts):
            return None
        minus = Pieces(
            pieces.joints, tuple(-part for part in pieces.parts), tuple(_minus(v) for v in pieces.values),
            (_minus(pieces.ends[0]), _minus(pieces.ends[1])),
        )  # fmt: skip
        up, down = bent(pieces, line), bent(minus, line)
    except (TooMuchError, OverflowError):
        return None
    return None if up is None or down is None else (up, down, pieces)


def _minus(value: Fraction | bool | None) -> Fraction | None:
    return None if value is None else -Fraction(value)


def _is_everything(domain: Domain) -> bool:
    return bool(np.all(np.isinf(domain.lower)) and np.all(np.isinf(domain.upper))) and not domain.inequalities


def rows_of(graph: Graph, chain: Chain) -> Affine:
    """The affine numbers of a chain."""
    found = _rows_or_none(graph, chain)
    if found is None:
        raise TooMuchError("The affine numbers are not read exactly.")
    return found


def _rows_or_none(graph: Graph, chain: Chain) -> Affine | None:
    needed = Graph(graph.nodes[: chain.root + 1], chain.root, graph.names, graph.constants)
    form = read_forms(needed)[chain.root]
    return form.affine if form is not None and form.is_affine else None
