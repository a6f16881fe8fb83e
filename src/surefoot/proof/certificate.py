"""What is claimed, how firmly it is known, and on what evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from surefoot.problem.real import Graph
    from surefoot.proof.recheck import Recheck


class Verdict(Enum):
    """What a point is. The value is the phrase that a person reads.

    Examples
    --------
    >>> Verdict.SADDLE.value
    'saddle'
    """

    UNIQUE_GLOBAL_MINIMUM = "unique global minimum"
    GLOBAL_MINIMUM = "global minimum"
    STRICT_LOCAL_MINIMUM = "strict local minimum"
    LOCAL_MINIMUM = "local minimum"
    SADDLE = "saddle"
    LOCAL_MAXIMUM = "local maximum"
    DEGENERATE = "degenerate"
    NOT_STATIONARY = "not stationary"
    UNBOUNDED_BELOW = "unbounded below"
    INFIMUM_NOT_ATTAINED = "infimum not attained"
    INFEASIBLE = "infeasible"
    INCONCLUSIVE = "inconclusive"


class Curvature(Enum):
    """What a function is on its domain. The value is the phrase that a person reads.

    Examples
    --------
    >>> Curvature.STRICTLY_CONVEX.is_convex, Curvature.NOT_CONVEX.is_convex, Curvature.UNDECIDED.is_convex
    (True, False, None)
    """

    AFFINE = "affine"
    STRONGLY_CONVEX = "strongly convex"
    STRICTLY_CONVEX = "strictly convex"
    CONVEX = "convex"
    STRONGLY_CONCAVE = "strongly concave"
    STRICTLY_CONCAVE = "strictly concave"
    CONCAVE = "concave"
    QUASICONVEX = "quasiconvex"
    NOT_CONVEX = "not convex"
    UNDECIDED = "undecided"

    @property
    def is_convex(self) -> bool | None:
        """Whether it is convex; None where that is not known."""
        if self in (Curvature.AFFINE, Curvature.STRONGLY_CONVEX, Curvature.STRICTLY_CONVEX, Curvature.CONVEX):
            return True
        return False if self in (Curvature.NOT_CONVEX, Curvature.STRICTLY_CONCAVE, Curvature.STRONGLY_CONCAVE) else None


class Rigour(Enum):
    """How firmly a verdict is known.

    Examples
    --------
    >>> Rigour.NUMERICAL.value
    'numerical'
    """

    PROVEN = "proven"
    NUMERICAL = "numerical"
    ASSUMED = "assumed"


@dataclass(frozen=True)
class Certificate:
    """A verdict with its evidence.

    Attributes
    ----------
    verdict : Verdict or Curvature
        What the point is, or what the function is.
    rigour : Rigour
        PROVEN by exact or interval arithmetic, NUMERICAL from floating point evidence, or ASSUMED.
    claim : str
        The verdict as a sentence.
    lines : tuple of str
        The argument, a step a line.
    evidence : mapping
        The numbers that the argument leans on.
    domain : str
        Where the claim holds; empty for a point.
    graph : Graph or mapping or None
        Of a proof: the function that it is about, or what a file says of it.

    Examples
    --------
    >>> Certificate(Verdict.SADDLE, Rigour.NUMERICAL, "The point is a saddle.").rigour.value
    'numerical'
    """

    verdict: Verdict | Curvature
    rigour: Rigour
    claim: str
    lines: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    domain: str = ""
    graph: Graph | Mapping[str, Any] | None = field(default=None, repr=False, compare=False)

    @property
    def convex(self) -> bool | None:
        """Whether the function is convex on the domain: True or False if that is proven, else None."""
        if not isinstance(self.verdict, Curvature):
            return None
        return False if self.evidence.get("convex") is False else self.verdict.is_convex

    def unproven(self, reason: str, seconds: float, line: str) -> Certificate:
        """The same verdict with the step that no proof came past, in words within a sentence and as a line of its own.

        Examples
        --------
        >>> saddle = Certificate(Verdict.SADDLE, Rigour.NUMERICAL, "The point is a saddle.")
        >>> saddle.unproven("no box could be enclosed", 0.1, "No box could be enclosed.").evidence["unproven"]
        'no box could be enclosed'
        """
        evidence = {**self.evidence, "unproven": reason, "prover_seconds": seconds}
        return replace(self, lines=(*self.lines, line), evidence=evidence)

    def __str__(self) -> str:
        """The claim, then the argument in numbered lines."""
        head = f"{self.verdict.value} ({self.rigour.value}): {self.claim}"
        return "\n".join([head, *(f"  {k}. {line}" for k, line in enumerate(self.lines, start=1))])

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON; of a proof with its graph and its seal, so that `recheck` needs nothing else."""
        state = {
            "verdict": self.verdict.name,
            "rigour": self.rigour.name,
            "claim": self.claim,
            "lines": list(self.lines),
            "evidence": dict(self.evidence),
            **({"domain": self.domain} if self.domain else {}),
        }
        if self.graph is None:
            return state
        from surefoot.proof.certificate_file import sealed

        return sealed(state, self.graph)

    def save(self, path: str | Path) -> None:
        """Write it as JSON, for ``sf.load`` and ``sf.recheck``.

        Raises
        ------
        DataError
            The file cannot be written.
        """
        import json

        from surefoot.files import whole_file

        with whole_file(path, "certificate") as neighbour:
            neighbour.write_text(json.dumps(self.to_json(), indent=1), encoding="utf-8")

    def recheck(self, data: Any = None) -> Recheck:
        """Prove it again, from what its file would say: see `surefoot.proof.recheck.recheck`."""
        from surefoot.proof.recheck import recheck

        return recheck(self.to_json(), data)

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Certificate:
        """The certificate that ``to_json`` wrote."""
        kept = {key: state[key] for key in ("format", "graph", "versions", "seal")} if "graph" in state else None
        return cls(
            Verdict[name] if (name := state["verdict"]) in Verdict.__members__ else Curvature[name],
            Rigour[state["rigour"]],
            state["claim"],
            tuple(state["lines"]),
            state["evidence"],
            state.get("domain", ""),
            kept,
        )
