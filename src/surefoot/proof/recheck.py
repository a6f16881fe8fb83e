"""A saved proof, proven again: from what the file says of the function and the numbers, with code of its own.

It shares the intervals, their reading of a graph and its derivatives, and nothing of the search: Krawczyk's operator
and the signs of curvature are computed here in another way, in interval arithmetic throughout, and Arb's balls, which
share nothing with the intervals, must agree with them at the point. Every number of the
argument is checked, the verdict is derived anew, and the words must be the words for these numbers.

    I - C H(X) times (X - m), - C g(m)   inside  X - m          V'HV with disks (Gershgorin) that do not meet 0

Reference: Blum, Kannan (1995), "Designing programs that check their work", J. ACM 42(1), pp. 269-291.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surefoot.errors import DataError
from surefoot.plain_json import numbers
from surefoot.problem.real import Graph
from surefoot.proof.certificate import Certificate, Rigour, Verdict
from surefoot.proof.certificate_file import FORMAT, graph_from_json, seal
from surefoot.proof.recheck_point import (
    Refuted,
    check_ball,
    check_curve,
    check_floor,
    check_point,
    check_recession,
    check_slope,
)
from surefoot.proof.stationary_words import claim_of, lines_of

CHECKS: dict[str, Callable[[Graph, Mapping[str, Any]], Verdict]] = {
    "point": check_point, "floor": check_floor, "ball": check_ball, "slope": check_slope, "recession": check_recession,
    "curve": check_curve,
}  # fmt: skip


@dataclass(frozen=True)
class Recheck:
    """Whether a proof holds.

    Attributes
    ----------
    holds : bool
    reason : str
        What does not hold, as a sentence; empty if all does.
    """

    holds: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.holds

    def __str__(self) -> str:
        return "The proof holds: every step was proven again." if self.holds else f"The proof fails. {self.reason}"


def recheck(certificate: Certificate | Mapping[str, Any] | str | Path, data: Any = None) -> Recheck:
    """Prove a certificate again, from its JSON alone.

    Parameters
    ----------
    certificate : Certificate, mapping or path
        A certificate, what its ``to_json`` gave, or the file that ``save`` wrote.
    data : array, iterable of arrays, or mapping of arrays, optional
        Constants that are too large to be in it; each must be a constant of the proof.

    Returns
    -------
    Recheck
        True or false, with the reason.

    Raises
    ------
    DataError
        The file cannot be read or is no certificate of a proof about a point; or a constant is missing, or is not the
        one that the proof is about.

    References
    ----------
    Blum, Kannan (1995), "Designing programs that check their work", J. ACM 42(1), pp. 269-291.

    Examples
    --------
    >>> import surefoot as sf
    >>> certificate = sf.certify("(x^2 - 2)^2", {"x": 1.41421356})
    >>> bool(sf.recheck(certificate))
    True
    """
    state = _state(certificate)
    if "seal" in state and state["seal"] != seal(state):
        return Recheck(False, "The seal is broken: something in the certificate was changed after it was written.")
    if state.get("format") != FORMAT or "graph" not in state or "seal" not in state:
        raise DataError("This is no certificate of a proof: it holds no function. Save one with certificate.save().")
    try:
        graph = graph_from_json(state["graph"], data)
        _hold(state, graph)
    except Refuted as refuted:
        return Recheck(False, str(refuted))
    except DataError:
        raise
    except Exception as error:
        # Whatever a damaged file makes go wrong is a proof that fails, and never one that passes.
        return Recheck(False, f"The certificate is damaged: {type(error).__name__}: {error}.")
    return Recheck(True)


def _state(certificate: Certificate | Mapping[str, Any] | str | Path) -> Mapping[str, Any]:
    if isinstance(certificate, Certificate):
        return certificate.to_json()
    if isinstance(certificate, Mapping):
        return certificate
    try:
        state = json.loads(Path(certificate).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"The certificate {certificate} could not be read: {error.strerror or error}.") from None
    except ValueError:
        raise DataError(f"{certificate} holds no JSON, so it is no certificate.") from None
    return state if isinstance(state, dict) else {}


def _hold(state: Mapping[str, Any], graph: Graph) -> None:
    """Check everything that is said.

    Raises
    ------
    Refuted
        With what does not hold.
    """
    argument = numbers(state["evidence"]["argument"])
    if argument.get("kind") == "curvature":
        from surefoot.proof.recheck_convexity import check_curvature

        return check_curvature(graph, state)
    if argument.get("kind") not in CHECKS:
        raise Refuted("It proves nothing: there is no argument in it that could be checked.")
    if state["rigour"] != Rigour.PROVEN.name or state["verdict"] != argument["verdict"]:
        raise Refuted("The verdict is not that of the argument.")
    verdict = CHECKS[argument["kind"]](graph, argument)
    if verdict.name != state["verdict"]:
        raise Refuted(f"The numbers prove '{verdict.value}', not '{Verdict[state['verdict']].value}'.")
    said = (*lines_of(argument, graph.names), *graph.notes)
    if state["claim"] != claim_of(argument, graph.names) or tuple(state["lines"]) != said:
        raise Refuted("The words of the claim are not those for its numbers.")


__all__ = ["Recheck", "recheck"]
