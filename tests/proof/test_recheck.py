"""Saved proofs: they come back whole, are proven again, and fail when anything in them is changed."""

import copy
import json

import numpy as np
import pytest

from surefoot.errors import DataError
from surefoot.plain_json import numbers
from surefoot.problem.box import Box
from surefoot.problem.domain import Domain
from surefoot.problem.from_text import real_graph_of_text
from surefoot.problem.real import Builder
from surefoot.problem.typed import typed_function
from surefoot.proof.certificate import Certificate, Verdict
from surefoot.proof.certificate_file import graph_from_json, of_function, seal
from surefoot.proof.convexity import decide
from surefoot.proof.recheck import recheck
from surefoot.proof.stationary import certify
from surefoot.proof.stationary_words import claim_of, lines_of


def certified(text, at, bounds=None):
    typed = typed_function(text, at)
    box = None if bounds is None else Box.of(bounds, typed.names)
    return certify(real_graph_of_text(typed.node, typed.names), typed.start, box)


PROOFS = {
    "enclosed": ("(x^2 - 2)^2 + y^2*exp(x)", "x=1.41421356, y=1e-9", None),
    "exact, global by its level": ("100*(y - x^2)^2 + (1 - x)^2", "x=1, y=1", None),
    "saddle": ("x^2 - y^2 + x*y", "x=0, y=0", None),
    "saddle, enclosed": ("exp(x) - 3*x - cosh(y)", "x=1.0986, y=0", None),
    "maximum": ("cos(x - 1e8/3)", "x=33333333.33", None),
    "degenerate": ("-x^4 - y^2", "x=0, y=0", None),
    "monkey saddle": ("x^3 - 3*x*y^2", "x=0, y=0", None),
    "local minimum by its level": ("where(x > 50, -1, x^4)", "x=0", None),
    "kinks": ("abs(x - 1) + abs(y)", "x=1, y=0", None),
    "held by a bound": ("x + exp(y) - 2*y", "x=0, y=0.69314718", [(0, 1), (0, 1)]),
    "held in a corner": ("3*x - y + x*y", "x=0, y=1", [(0, 1), (0, 1)]),
    "a multiplier of zero": ("cos(x)*-1 + y - x^2/4", "x=0, y=0", [(0, 1), (0, 1)]),
    "fixed": ("x^2 + exp(y - x) - y", "x=2, y=2", [(2, 2), (-9, 9)]),
    "slope": ("x^2 + y^3", "x=0.1, y=2", None),
    "slope at a bound": ("x^2 + y", "x=0.1, y=0", [(0, 1), (0, 1)]),
    "falls for ever": ("exp(-x) + y^2 - 3", "x=30, y=0", None),
    "unbounded": ("x^3 + y^2", "x=-10, y=0", None),
    "near singular": ("(x + y - 1/3)^2 + 1e-12*exp(x - y)", "x=-12, y=12.3333", None),
}  # fmt: skip


@pytest.mark.parametrize("name", PROOFS)
def test_proofs_hold_when_they_are_proven_again(name, tmp_path):
    certificate = certified(*PROOFS[name])
    assert certificate.verdict is not Verdict.INCONCLUSIVE, str(certificate)
    found = certificate.recheck()
    assert found, str(found)
    certificate.save(tmp_path / "proof.json")
    assert recheck(tmp_path / "proof.json")
    again = Certificate.from_json(json.loads((tmp_path / "proof.json").read_text()))
    assert again.to_json() == certificate.to_json() and recheck(again)


def leaves(value, path=()):
    """Every place in JSON where a value stands."""
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from leaves(one, (*path, key))
    elif isinstance(value, list) and value:
        for k, one in enumerate(value):
            yield from leaves(one, (*path, k))
    else:
        yield path, value


def changed(state, path, value):
    found = copy.deepcopy(state)
    at = found
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return found


def other(value):
    """Something else of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return value[:-1] + ("A" if value[-1:] != "A" else "B")
    return {"x": 1} if value is None else 7


@pytest.mark.parametrize("name", ["enclosed", "saddle", "held by a bound", "falls for ever", "kinks", "slope"])
def test_any_change_breaks_the_seal(name):
    state = certified(*PROOFS[name]).to_json()
    for path, value in leaves(state):
        assert not recheck(changed(state, path, other(value))), path
        at = state
        for key in path[:-1]:
            at = at[key]
        if isinstance(at, dict):  # a field that is gone
            less = copy.deepcopy(state)
            inner = less
            for key in path[:-1]:
                inner = inner[key]
            del inner[path[-1]]
            try:
                assert not recheck(less), path
            except DataError:
                assert path[-1] in ("format", "seal"), path


SAID_ONLY = {"proof_seconds", "source"}
"""Fields that no claim leans on."""


def leaning(path):
    """Whether the claim leans on a field: not on times, versions, or where an operation was written."""
    return not (path[0] in ("versions", "seal", "format") or path[-1] in SAID_ONLY
                or (path[:2] == ("graph", "nodes") and path[-1] == 4))  # fmt: skip


@pytest.mark.parametrize("name", PROOFS)
def test_a_forged_seal_does_not_help(name):
    """Every field that the claim leans on, changed and sealed anew: the numbers or the words refute it."""
    state = certified(*PROOFS[name]).to_json()
    for path, value in leaves(state):
        if not leaning(path):
            continue
        for new in forgeries(path, value):
            forged = changed(state, path, new)
            forged["seal"] = seal(forged)
            try:
                found = recheck(forged)
            except DataError:
                continue  # the constants are not those of the proof
            # Of another function, bounds or point the same claim may be true: then it is proven of that one.
            about = path[0] == "graph" or path[2:3] in (("lower",), ("upper",), ("x",))
            assert not found or (about and agrees(forged)), (path, value, new)


def agrees(state):
    """Whether the prover says the same of the function, the point and the bounds in a certificate."""
    argument = numbers(state["evidence"]["argument"])
    box = Box(np.array(argument["lower"], float), np.array(argument["upper"], float))
    certificate = certify(graph_from_json(state["graph"]), np.array(argument["x"], float), box)
    minima = [v.name for v in Verdict if "minimum" in v.value]
    return certificate.verdict.name == state["verdict"] or {certificate.verdict.name, state["verdict"]} <= set(minima)


def forgeries(path, value):
    """Changes that make a claim stronger, or another."""
    if path[-1] == "verdict":
        return [v.name for v in Verdict if v.name != value]
    if path[:2] == ("evidence", "argument") and isinstance(value, float) and not isinstance(value, bool):
        return [v for v in (*_stronger(path, value),) if v != value]
    return [other(value)]


def _stronger(path, value):
    name = path[2]
    if name in ("distance", "reach"):
        return [0.0] if value else []
    if name == "radius":
        return [0.0, -1.0]
    if name in ("multipliers", "least_curvature", "floor"):
        return [value + abs(value) + 1e-3]
    if name == "value":
        low = path[3] == 0
        return [value + 1.0] if low else [value - 1.0]
    if name == "slope":
        return [value + 1.0 if len(path) == 4 and path[3] == 0 else value - 1.0]
    if name == "lower_point" and path[3] == "value":
        return [value - 1.0]
    if name in ("level", "floor_radius", "direction"):
        return [-abs(value) - 1.0]
    return [value + 1.0]


def test_a_false_proof_fails_even_if_it_is_consistent():
    """The words, the verdict and the seal are made to fit; only the mathematics can refuse."""
    state = certified("x^2 - y^2 + x*y", "x=0, y=0").to_json()
    argument = state["evidence"]["argument"]
    argument |= {"negative": 0, "positive": 2, "verdict": "STRICT_LOCAL_MINIMUM", "lower_point": None}
    from surefoot.proof.stationary_words import claim_of, lines_of

    state |= {"verdict": "STRICT_LOCAL_MINIMUM", "claim": claim_of(argument, ("x", "y"))}
    state["lines"] = list(lines_of(argument, ("x", "y")))
    state["seal"] = seal(state)
    found = recheck(state)
    assert not found and "signs" in found.reason


class TestConstants:
    def proof(self, rows):
        rng = np.random.default_rng(0)
        A, b = rng.standard_normal((rows, 2)), rng.standard_normal(rows)
        build = Builder(("x", "y"))
        residual = build.sub(build.dot(build.constant(A), build.input, ((1,), (0,))), build.constant(b))
        graph = build.graph(build.sum(build.power(residual, 2)))
        return A, b, certify(graph, np.linalg.lstsq(A, b, rcond=None)[0])

    def test_small_ones_are_written(self):
        A, b, certificate = self.proof(20)
        assert certificate.recheck() and certificate.recheck(data=[A, b]) and certificate.recheck({"A": A.T})

    def test_large_ones_are_brought(self):
        A, b, certificate = self.proof(60_000)
        assert certificate.verdict is Verdict.STRICT_LOCAL_MINIMUM, str(certificate)
        assert len(json.dumps(certificate.to_json())) < 20_000
        with pytest.raises(DataError, match="bring it as data="):
            certificate.recheck()
        with pytest.raises(DataError, match="bring it as data="):
            certificate.recheck(data=A)
        assert certificate.recheck(data=[A, b])

    def test_literals_beside_large_ones_are_written(self):
        rng = np.random.default_rng(0)
        A = rng.standard_normal((60_000, 2))
        build = Builder(("x", "y"))
        squares = build.sum(build.power(build.dot(build.constant(A), build.input, ((1,), (0,))), 2))
        ridge = build.mul(build.constant(np.array(0.05)), build.sum(build.power(build.input, 2)))
        graph, everywhere = build.graph(build.add(squares, ridge)), Domain.everything(("x", "y"))
        certificate = of_function(decide(graph, everywhere), graph, everywhere)
        assert certificate.convex
        with pytest.raises(DataError, match=r"shape .60000, 2.*bring it as data="):
            certificate.recheck()
        assert certificate.recheck(data=A)

    def test_a_constant_that_differs_is_refused(self):
        A, _, certificate = self.proof(20)
        wrong = A.copy()
        wrong[3, 1] = np.nextafter(wrong[3, 1], 9)
        with pytest.raises(DataError, match="not one of this proof"):
            certificate.recheck(data={"A": wrong})
        state = certificate.to_json()
        constants = state["graph"]["constants"]
        key = next(iter(constants))
        text = constants[key]["bytes"]
        constants[key]["bytes"] = ("B" if text[0] != "B" else "C") + text[1:]
        state["seal"] = seal(state)
        with pytest.raises(DataError, match="it was changed"):
            recheck(state)


def test_a_wider_box_with_another_zero_in_it_does_not_pass():
    """``exactly one zero`` is said of the verified box, so the box is verified, and not its middle only."""
    certificate = certified("(x^2 - 2)^2", "x=1.41421356")
    state = certificate.to_json()
    names = certificate.graph.names
    assert "exactly one zero" in state["lines"][0]
    for radius, holds in ((1e-12, True), (3.0, False)):  # -sqrt(2) and 0 lie in the latter
        forged = changed(state, ("evidence", "argument", "radius"), [radius])
        argument = numbers(forged["evidence"]["argument"])
        forged["claim"], forged["lines"] = claim_of(argument, names), list(lines_of(argument, names))
        forged["seal"] = seal(forged)
        assert bool(recheck(forged)) is holds


def test_what_is_no_proof_is_said(tmp_path):
    (tmp_path / "no.json").write_text("{}")
    (tmp_path / "text.json").write_text("hello")
    for path, says in [
        ("no.json", "no certificate of a proof"),
        ("text.json", "holds no JSON"),
        ("gone", "not be read"),
    ]:
        with pytest.raises(DataError, match=says):
            recheck(tmp_path / path)
    open_ = certified("-abs(x)", "x=0")
    assert not open_.recheck() and "proves nothing" in open_.recheck().reason


FUNCTIONS = {
    "convex": ("log(exp(x) + exp(y)) + abs(x)", None), "strongly": ("x^2 + y^2 + exp(x)", None),
    "on a domain": ("x^2/y - log(x + y)", "x > 0, y > 0"), "not convex": ("x^2 - y^4", None),
    "not convex, hardly": ("x^2 + 3*x*y + y^2", None), "affine": ("3*x - y", None), "concave": ("-x^2 - exp(y)", None),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_certificates_of_whole_functions_hold_and_forged_ones_fail(name, tmp_path):
    from surefoot.verbs.convexity import convexity

    text, domain = FUNCTIONS[name]
    certificate = convexity(text, domain=domain)
    assert certificate.rigour.value == "proven", str(certificate)
    assert certificate.recheck(), str(certificate.recheck())
    certificate.save(tmp_path / "proof.json")
    state = json.loads((tmp_path / "proof.json").read_text())
    assert recheck(state)
    assert not recheck(changed(state, ("claim",), "The function is convex."))
    verdicts = ("CONVEX", "STRICTLY_CONVEX", "STRONGLY_CONVEX", "AFFINE", "NOT_CONVEX", "CONCAVE", "UNDECIDED")
    for forged in (changed(state, ("verdict",), other) for other in verdicts if other != state["verdict"]):
        forged["seal"] = seal(forged)
        assert not recheck(forged), forged["verdict"]
    for path in (("claim",), ("lines", 0)):
        if path[0] == "claim" or state["lines"]:
            forged = changed(state, path, "It is so.")
            forged["seal"] = seal(forged)
            assert not recheck(forged)
