"""After the judge the prover: a verdict becomes PROVEN where a proof closes, and says which step failed where not.

The judge works in floating point with any function; the prover reads the real function that it denotes, so it needs JAX
code or typed text. A proof replaces the judge's verdict, also where it contradicts it. Two things it leaves alone: a
point that the judge found to be stationary to rounding stays so, although its exact slope is not 0 and no stationary
point could be enclosed; and a point where the walk was cut short is not taken for the minimum that lies near it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from surefoot.errors import OptionError, SurefootError
from surefoot.proof.certificate import Certificate, Rigour, Verdict

if TYPE_CHECKING:
    from surefoot.problem.box import Box
    from surefoot.problem.real import Graph
    from surefoot.results.result import Result

SECONDS = 0.5
"""The budget of a proof that nobody asked for."""
PATIENT = 60.0
"""The budget of one that was asked for."""
SMALL = 100
"""Most variables of a function that is proven unasked."""
LIGHT = 1e6
"""Most numbers that its derivatives take."""
AWAY = (Verdict.INCONCLUSIVE, Verdict.NOT_STATIONARY, Verdict.UNBOUNDED_BELOW, Verdict.INFIMUM_NOT_ATTAINED)
"""What the judge says of points that are nothing themselves: then f as a whole is what counts."""
READ = ("JAX", "text")
"""Kinds of functions that denote a real one."""


def budget_of(prove: bool | float | None) -> float:
    """Seconds for the proof; 0 for none.

    Examples
    --------
    >>> budget_of(False), budget_of(True), budget_of(5)
    (0.0, 60.0, 5.0)

    Raises
    ------
    OptionError
        It is neither a truth value nor a number of seconds.
    """
    if prove is None:
        return SECONDS
    if isinstance(prove, bool):
        return PATIENT if prove else 0.0
    if isinstance(prove, int | float) and prove >= 0:
        return float(prove)
    raise OptionError(f"prove is True, False, or a number of seconds, not {prove!r}.")


def with_proof(result: Result, denoted: Callable[[], Graph], box: Box | None, prove: bool | float | None) -> Result:
    """The result with a prover, which is called when its certificate is first asked for, or at once if it was wished.

    So the point and its value never wait for a proof that nobody reads.

    Parameters
    ----------
    result : Result
        As the judge left it.
    denoted : callable
        Gives the real function.
    box : Box or None
        Bounds on the variables.
    prove : bool, float or None
        As the caller of ``minimize`` gave it.
    """
    seconds = budget_of(prove)
    if not seconds:
        return result
    asked = prove is not None
    with_it = replace(result, prover=lambda one: _certificate(one, denoted, box, seconds, asked))
    if asked:
        with_it.certificate  # noqa: B018 - it is kept
    return with_it


def _certificate(
    result: Result, denoted: Callable[[], Graph], box: Box | None, seconds: float, asked: bool
) -> Certificate:  # fmt: skip
    began, judged = time.perf_counter(), result.judged
    reason = _hindrance(result, asked)
    if reason:
        return unproven(judged, reason, 0.0)
    try:
        return _proof(result, denoted(), box, seconds, asked)
    except SurefootError as refused:
        return unproven(judged, str(refused).rstrip("."), time.perf_counter() - began)
    except KeyboardInterrupt:
        return unproven(judged, "Ctrl-C ended the proof", time.perf_counter() - began)


def _hindrance(result: Result, asked: bool) -> str:
    """Why no proof is tried; empty if one is."""
    if result.stop.reason.name == "INTERRUPTED":
        return "Ctrl-C ended the walk"
    if not np.all(np.isfinite(result.flat)):
        return "the point is not finite"
    if result.source not in READ:
        return f"f runs as {result.source}, which denotes no real function that could be read"
    if not asked and len(result.flat) > SMALL:
        return f"of more than {SMALL} variables a proof is tried only if prove=True asks for it"
    return ""


def _proof(result: Result, graph: Graph, box: Box | None, seconds: float, asked: bool) -> Certificate:
    from surefoot.proof.local_reading import cost
    from surefoot.proof.stationary import NEAR, certify

    judged = result.judged
    if not asked and cost(graph) > LIGHT:
        return unproven(judged, "of so many operations a proof is tried only if prove=True asks for it", 0.0)
    x = result.flat if box is None else box.nearest(result.flat)
    cut_short = judged.verdict is Verdict.NOT_STATIONARY
    until = time.perf_counter() + seconds
    found = certify(
        graph, x, box, curvature=lambda: curvature_of(graph, box, until - time.perf_counter()),
        near=0.0 if cut_short else NEAR, seconds=seconds,
    )  # fmt: skip
    spent = float(found.evidence["proof_seconds"])
    if found.rigour is not Rigour.PROVEN:
        return unproven(judged, found.evidence["argument"]["reason"].rstrip("."), spent)
    if found.verdict is Verdict.NOT_STATIONARY and not cut_short and judged.verdict is not Verdict.INCONCLUSIVE:
        slope = found.claim.removeprefix("Not stationary: ").rstrip(".")
        return unproven(judged, f"{slope} here, exactly, and no stationary point next to it could be enclosed", spent)
    if found.evidence["argument"]["kind"] == "curve" and judged.verdict not in AWAY:
        return unproven(judged, "no stationary point next to it could be enclosed, and f is unbounded below", spent)
    if found.verdict is Verdict.DEGENERATE and judged.verdict is not Verdict.INCONCLUSIVE:
        # The judge looks further than second derivatives.
        return unproven(judged, "the Hessian is exactly singular there, so second derivatives do not decide", spent)
    kept = {key: value for key, value in judged.evidence.items() if key != "proof_seconds"}
    return replace(found, evidence={**kept, **found.evidence, "judged": judged.verdict.name})


def curvature_of(graph: Graph, box: Box | None, seconds: float = math.inf) -> Certificate | None:
    """What is proven of f as a whole, on the box, in so many seconds."""
    from surefoot.problem.domain import Domain
    from surefoot.proof.convexity import decide

    return decide(graph, Domain.of(box, graph.names), seconds)


def unproven(judged: Certificate, reason: str, seconds: float) -> Certificate:
    """The judge's verdict with the step that no proof came past."""
    return judged.unproven(reason, seconds, f"Not proven: {reason}.")
