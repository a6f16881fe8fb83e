"""What a function is: convex, strictly or strongly so, concave, affine, not convex, or undecided and why.

The layers, the cheap ones first, each of which proves or says nothing:

1. curvature by rules on the graph, plainly written (`rewrites`, `curvature`), with functions of one affine number
   decided by themselves where the rules see no further (`univariate`);
2. quadratics in rational arithmetic; sums in which only a quadratic part, or a part of one affine number, is open;
3. Hessians that are sums of squares, then Hessians in intervals;
4. a witness against convexity, confirmed in intervals.

Reference: Klaus, Merk, Wiedom, Laue, Giesen (2022), "Convexity certificates from Hessians", NeurIPS 35.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from surefoot.problem.domain import Domain, outward
from surefoot.problem.real import Builder, Graph
from surefoot.proof import outweighed
from surefoot.proof.certificate import Certificate, Curvature, Rigour
from surefoot.proof.curvature import Curvatures
from surefoot.proof.curvature_bits import CONCAVE, CONVEX, QUASICONCAVE, QUASICONVEX, is_affine
from surefoot.proof.curvature_finding import Finding
from surefoot.proof.curvature_words import Words, told_curvature
from surefoot.proof.linear_parts import LinearParts
from surefoot.proof.plain_sums import added_again
from surefoot.proof.rewrites import plainly
from surefoot.proof.strictness import is_quadratic, is_strict, modulus

MOST_FUSED = 24
"""Nodes that are handed to the decision of functions of one affine number."""

LAYERS = ("quadratic", "univariate", "hessian_rules", "symbolic_hessian", "interval_hessian", "nonconvex")

Prover = Callable[[Graph, Domain], Finding | None]


def decide(graph: Graph, domain: Domain, seconds: float = math.inf) -> Certificate:
    """The curvature of a function on a domain, with the argument.

    Parameters
    ----------
    graph : Graph
        The function.
    domain : Domain
        Where it is considered.
    seconds : float
        After which no layer is begun or goes on that subdivides or searches.

    Returns
    -------
    Certificate
        With a `Curvature` as verdict. Where the function is defined on a part of the domain only, and that part is
        convex, the claim is about that part, and ``domain`` says so.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x", "y"))
    >>> graph = build.graph(build.reduce("logsumexp", build.input, (0,)))
    >>> print(decide(graph, Domain.everything(("x", "y"))))
    convex (proven): The function is convex on all of R^2.
      1. The function = logsumexp((x, y)) is convex: log-sum-exp of affine numbers.
    """
    until = time.monotonic() + seconds
    plain = plainly(graph)
    known = Curvatures(plain, domain)
    if known.empty:
        return _nowhere(domain, graph)
    known = _without_choices(known)
    plain = known.graph
    _fuse(known)
    found = _by_rules(known, plain)
    strict = found is not None and found.curvature in (Curvature.STRICTLY_CONVEX, Curvature.STRICTLY_CONCAVE)
    if found is None or found.curvature in (Curvature.CONCAVE, Curvature.CONVEX) or (strict and graph.size == 1):
        found = _better(found, _by_layers(graph, plain, known, found, until))
    if found is None:
        return _undecided(graph, known)
    return _certificate(graph, known, _nowhere_straight(graph, known, found))


def _nowhere_straight(graph: Graph, known: Curvatures, found: Finding) -> Finding:
    """A convex function of one number that is analytic, and not affine, is strictly so."""
    if graph.size > 1 or found.curvature not in (Curvature.CONVEX, Curvature.CONCAVE) or known.narrowed:
        return found
    univariate = import_module("surefoot.proof.univariate")
    if not univariate.is_analytic(graph, known.domain):
        return found
    told = "Strictly so: it is analytic inside, so a part of a line would make it a line, and its phi'' is not 0."
    return Finding(Curvature(f"strictly {found.curvature.value}"), (*found.lines, told), found.evidence)


def _without_choices(known: Curvatures) -> Curvatures:
    """The same, where choices that are settled on all of the domain are written as the branch that is taken."""
    taken = {place: known.branch(place) for place, node in known.graph if node.operation == "where"}
    if known.undefined or known.narrowed or all(branch is None for branch in taken.values()):
        return known
    build, new = Builder(known.graph.names), []
    build.notes = list(known.graph.notes)
    for place, node in known.graph:
        build.source = node.source
        branch = taken.get(place)
        again = added_again(build, node, [new[k] for k in node.operands], known.graph.constants)
        new.append(again if branch is None else new[branch])
    found = Curvatures(plainly(build.graph(new[known.graph.output])), known.domain)
    found.asked = known.asked
    return found


def _by_rules(known: Curvatures, plain: Graph) -> Finding | None:
    """What the rules alone say."""
    if known.undefined:
        return None
    words = Words(known)
    bits = known.bits(plain.output)
    if bool(is_affine(bits).all()):
        return Finding(Curvature.AFFINE, tuple(words.argument()) or ("The function is affine by its operations.",))
    parts = LinearParts(known)
    for up, side in ((True, "convex"), (False, "concave")):
        open_parts = [] if bool(bits & (CONVEX if up else CONCAVE)) else parts.wrong(up=up)
        lines = tuple(words.argument()) if not open_parts else ()
        if open_parts:
            proven = _open_parts(known, parts, open_parts, up=up)
            if proven is None:
                continue
            lines = proven
        return _sharpened(known, parts, lines, side, up=up)
    return None


def _sharpened(known: Curvatures, parts: LinearParts, lines: tuple[str, ...], side: str, *, up: bool) -> Finding:
    """As strictly or strongly so as can be shown."""
    quadratic = modulus(known, parts, known.domain, up=up) if _bend_apart(known, parts, up=up) else None
    mu = outweighed.modulus(known, parts.parts, side) if quadratic is None else None
    if mu is not None:
        told = (
            f"Strongly so with modulus {outward(mu, up=False):.6g}: H >= M, a matrix of rational numbers, by bounds of "
            "the second derivatives of functions of one affine number each over the whole ranges of these numbers."
        )
        return Finding(Curvature(f"strongly {side}"), (*lines, told), {"modulus": str(mu)}, mu)
    if not all(is_quadratic(known, place) for place in parts.wrong(up=up)):
        return Finding(Curvature(side), lines)  # what else is open was shown to bend with others: not apart from them
    if not _bend_apart(known, parts, up=up):
        return Finding(Curvature(side), lines)
    if quadratic is not None:
        size = f"{outward(quadratic, up=False):.6g}"
        told = f"The quadratic part alone is strongly {side} with modulus {size}, and the rest is {side}."
        return Finding(Curvature(f"strongly {side}"), (*lines, told), {"modulus": str(quadratic)}, quadratic)
    if is_strict(known, parts, up=up):
        told = "Strictly so: the affine numbers whose functions bend strictly determine x (full rank, modulo a prime)."
        return Finding(Curvature(f"strictly {side}"), (*lines, told))
    return Finding(Curvature(side), lines)


def _bend_apart(known: Curvatures, parts: LinearParts, *, up: bool) -> bool:
    """Whether the quadratic parts together, and every other part by itself, bend that way.

    A sum may be known to be convex although its parts are not: ``x^2 + cos(x)``.
    """
    wrong = set(parts.wrong(up=up))
    quadratic = [part.place for part in parts.parts if is_quadratic(known, part.place)]
    if not wrong <= set(quadratic):
        return False
    found = _asked("quadratic", parts.only(quadratic), known.domain) if wrong else None
    way = "convex" if up else "concave"
    return not wrong or (found is not None and found.curvature.value.split()[-1] in (way, "affine"))


def _open_parts(known: Curvatures, parts: LinearParts, wrong: list[int], *, up: bool) -> tuple[str, ...] | None:
    """The argument that the parts which the rules leave open bend together as they should."""
    wanted = (
        ("strongly convex", "strictly convex", "convex") if up else ("strongly concave", "strictly concave", "concave")
    )
    quadratic = [part.place for part in parts.parts if is_quadratic(known, part.place)]
    choices = [("quadratic", quadratic)] if set(wrong) <= set(quadratic) else []
    choices.append(("univariate", _with_same_argument(known, parts, wrong)))
    for layer, places in choices:
        found = _asked(layer, parts.only(places), known.domain)
        if found is not None and (found.curvature.value in wanted or found.curvature is Curvature.AFFINE):
            words = Words(known)
            rest = [part.place for part in parts.parts if part.place not in places and words._bends(part.place)]
            lines = [f"The terms {_listed(words, places)} together are {wanted[-1]}:", *found.lines]
            if rest:
                lines.append(f"The other terms are {wanted[-1]} by rules: {_listed(words, rest)}.")
            return tuple(lines)
    return None


def _with_same_argument(known: Curvatures, parts: LinearParts, wrong: list[int]) -> list[int]:
    """Parts that bend, of the same affine numbers as the open ones."""
    roots = {root for place in wrong for root in _roots(known, place)}
    return [part.place for part in parts.parts if part.place in wrong or roots & _roots(known, part.place)]


def _roots(known: Curvatures, place: int) -> set[int]:
    """The affine nodes that a node is made of."""
    found, stack, seen = set(), [place], set()
    while stack:
        k = stack.pop()
        if k in seen or not known.depends[k]:
            continue
        seen.add(k)
        if bool(is_affine(known.bits(k)).all()) or known.graph.nodes[k].operation == "input":
            found.add(k)
        else:
            stack.extend(known.graph.nodes[k].operands)
    return found


def _listed(words: Words, places: list[int]) -> str:
    texts = [words.text(place, whole=True) for place in places[:4]]
    return ", ".join(texts) + (f" and {len(places) - 4} more" if len(places) > 4 else "")


def _fuse(known: Curvatures) -> None:
    """Have functions of one affine number decided where the rules see no further."""
    if known.undefined:
        return
    tried: set[int] = set()
    for _ in range(MOST_FUSED):
        place = _stopping(known, tried)
        if place is None:
            return
        tried.add(place)
        found = _elements(known, place)
        if found is not None:
            known.know(place, *found)


def _stopping(known: Curvatures, tried: set[int]) -> int | None:
    """The first node whose operands are known and which is not, and matters."""
    wanted, stack = [], [known.graph.output]
    seen: set[int] = set()
    while stack:
        place = stack.pop()
        if place in seen or not known.depends[place]:
            continue
        seen.add(place)
        if not np.all(known.bits(place) & 3):
            wanted.append(place)
            stack.extend(known.graph.nodes[place].operands)
    for place in sorted(wanted):
        node = known.graph.nodes[place]
        if place not in tried and node.operation not in ("lt", "le", "eq", "ne", "and", "or", "not"):
            tried.add(place)
            return place
    return None


def _elements(known: Curvatures, place: int) -> tuple[np.ndarray, tuple[int, np.ndarray] | None] | None:
    try:
        chains = import_module("surefoot.proof.chains")
        univariate = import_module("surefoot.proof.univariate")
    except ModuleNotFoundError:
        return None
    affine = chains.affine_nodes(known.graph)
    found = univariate.elements(known.graph, place, known.domain, affine)
    if found is None or not np.any(found.convex | found.concave | found.quasiconvex | found.quasiconcave):
        return None
    bits = np.where(found.convex, CONVEX, 0) | np.where(found.concave, CONCAVE, 0)
    bits |= np.where(found.quasiconvex, QUASICONVEX, 0) | np.where(found.quasiconcave, QUASICONCAVE, 0)
    root = chains.chain_of(known.graph, place, affine).root
    strict = None
    if known.graph.nodes[root].size == known.graph.nodes[place].size and np.any(found.strict):
        strict = (root, np.asarray(found.strict, dtype=bool))
    return bits, strict


def _by_layers(graph: Graph, plain: Graph, known: Curvatures, found: Finding | None, until: float) -> Finding | None:
    """What the other layers say, the first that says anything; of a concave function what the later ones say too."""
    if found is not None and known.narrowed:
        return None
    best = None
    for layer in LAYERS:
        # Of what the rules have shown to be convex only a stronger kind is news, of few kinds of functions.
        settled = found is not None and found.curvature in (Curvature.CONVEX, Curvature.STRICTLY_CONVEX)
        if settled and layer != "quadratic" and (layer != "univariate" or graph.size > 1):
            continue
        read = {"hessian_rules": (graph, plain), "symbolic_hessian": (plain,)}
        for one in read.get(layer, (graph,)):
            other = _asked(layer, one, known.domain, until)
            if other is not None and _is_news(other, found):
                best = found = _better(best, other)
                if found is None or found.curvature is not Curvature.CONCAVE or other.curvature is Curvature.NOT_CONVEX:
                    return found
    return best


def _is_news(other: Finding, found: Finding | None) -> bool:
    """Whether a finding says more than what is known already."""
    if found is None or other.curvature is Curvature.NOT_CONVEX:
        return True
    return _STRENGTH[other.curvature.value] > _STRENGTH[found.curvature.value]


def _asked(layer: str, graph: Graph, domain: Domain, until: float = math.inf) -> Finding | None:
    """The finding of a layer; those that subdivide or search have ``SECONDS`` for it, or what is left."""
    module, timed = import_module(f"surefoot.proof.{layer}"), {}
    if hasattr(module, "SECONDS"):
        left = until - time.monotonic()
        if left <= 0:
            return None
        timed = {"seconds": min(module.SECONDS, left)}
    try:
        return module.prove(graph, domain, **timed)
    except OverflowError:  # numbers beyond all doubles
        return None


_STRENGTH = {
    word: rank
    for rank, word in enumerate(
        ("quasiconvex", "concave", "convex", "strictly concave", "strictly convex", "strongly concave",
         "strongly convex", "affine")
    )
}  # fmt: skip


def _better(one: Finding | None, other: Finding | None) -> Finding | None:
    """The stronger of two findings; a concave function with a witness against convexity keeps both."""
    if one is None or other is None:
        return other if one is None else one
    if other.curvature is Curvature.NOT_CONVEX and one.curvature.is_convex:
        return None  # two proofs against each other: one of them has a fault, so nothing is claimed
    if other.curvature is Curvature.NOT_CONVEX:
        evidence = {**one.evidence, **other.evidence, "convex": False}
        return Finding(one.curvature, (*one.lines, *other.lines), evidence, one.modulus)
    return other if _is_news(other, one) else one


def _where(known: Curvatures) -> str:
    """The domain in words."""
    if not known.narrowed:
        return str(known.domain)
    words, more = Words(known), []
    for place, need in known.narrowed:
        node = known.graph.nodes[place]
        affine = bool(is_affine(known.bits(place)).all()) and node.size > 1
        what = f"{node.size:,} affine numbers" if affine else words.text(place, whole=True)
        more.append(f"{what} {need.relation} {need.bound:g}" + (_at(node.source) if affine else ""))
    return ", ".join(more if known.domain.is_everything else [str(known.domain), *more])


def _certificate(graph: Graph, known: Curvatures, found: Finding) -> Certificate:
    text = _where(known)
    narrowed = bool(known.narrowed) or known.domain is not known.asked
    place = (
        f"where it is defined: {text}" if narrowed else f"on {text}" if known.domain.is_everything else f"where {text}"
    )
    with_modulus = f" with modulus {outward(found.modulus, up=False):.6g}" if found.modulus is not None else ""
    claim = f"The function is {found.curvature.value}{with_modulus} {place}."
    lines = list(found.lines)
    quasi = known.bits(known.graph.output) if not known.undefined else np.uint8(0)
    if found.curvature is Curvature.NOT_CONVEX and bool(quasi & QUASICONVEX):
        lines.append("It is quasiconvex: the sets where it is at most a number are convex.")
    if found.curvature is Curvature.NOT_CONVEX and bool(quasi & QUASICONCAVE):
        lines.append("It is quasiconcave: the sets where it is at least a number are convex.")
    evidence: dict[str, Any] = dict(found.evidence)
    lines += graph.notes
    return Certificate(found.curvature, Rigour.PROVEN, claim, tuple(lines), evidence, text)


def _undecided(graph: Graph, known: Curvatures) -> Certificate:
    """Quasiconvex if that is all that is known; else what stopped the proof."""
    text = _where(known)
    if not known.undefined and bool(known.bits(known.graph.output) & QUASICONVEX):
        claim = f"The function is quasiconvex where {text}; whether it is convex was not decided."
        line = "The sets where it is at most a number are convex."
        return Certificate(Curvature.QUASICONVEX, Rigour.PROVEN, claim, (line, *graph.notes), {}, text)
    stopped = what_stopped(known)
    claim = f"Whether the function is convex was not decided: {stopped}"
    return Certificate(Curvature.UNDECIDED, Rigour.NUMERICAL, claim, graph.notes, {"stopped": stopped}, text)


def _nowhere(domain: Domain, graph: Graph) -> Certificate:
    claim = "The function is defined nowhere on this domain: the conditions of its operations exclude each other."
    return Certificate(Curvature.UNDECIDED, Rigour.PROVEN, claim, graph.notes, {}, str(domain))


def what_stopped(known: Curvatures) -> str:
    """A sentence on the operation at which the rules came to an end."""
    words = Words(known)
    if known.undefined:
        gap = known.undefined[0]
        node = known.graph.nodes[gap.place]
        if node.operation == "unknown":
            return f"{node['name']} is an operation of which nothing is known{_at(node.source)}."
        needed = f"{words.text(gap.operand)} {gap.need.relation} {gap.need.bound:g}"
        return f"{words.text(gap.place, whole=True)} needs {needed}, which could not be shown{_at(node.source)}."
    blamed = _blamed(known)
    node = known.graph.nodes[blamed]
    if node.operation == "unknown":
        return f"{node['name']} is an operation of which nothing is known{_at(node.source)}."
    inner = ", ".join(
        dict.fromkeys(f"{words.text(k)} is {told_curvature(known.bits(k))}" for k in node.operands if known.depends[k])
    )
    return f"{words.text(blamed, whole=True)} is neither convex nor concave by rules, where {inner}{_at(node.source)}."


def _blamed(known: Curvatures) -> int:
    """The first node that is not known to bend one way although what it is made of is."""
    place = known.graph.output
    while True:
        node = known.graph.nodes[place]
        operands = [k for k in node.operands if known.depends[k] and not np.all(known.bits(k) & 3)]
        operands = [
            k for k in operands if known.graph.nodes[k].operation not in ("lt", "le", "eq", "ne", "and", "or", "not")
        ]
        if not operands:
            return place
        place = operands[0]


def _at(source: str) -> str:
    return f" ({source})" if source else ""
