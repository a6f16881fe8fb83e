"""The certificate of an exact fit: what is proven, and the numbers that the argument leans on."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.proof.certificate import Certificate, Rigour, Verdict
from surefoot.proof.enclosed import nearest
from surefoot.proof.rounding import at_least
from surefoot.wording import counted

if TYPE_CHECKING:
    from surefoot.proof.elimination import Facts
    from surefoot.proof.exact_fit import ExactFit


def certify(found: ExactFit, names: Sequence[str], facts: Facts | None = None) -> Certificate:
    """The verdict on an exact fit; without proof of its rank, INCONCLUSIVE."""
    if not found.is_decided or facts is None:
        return _undecided(found, names)
    evidence = _evidence(found, names, facts)
    if found.dependences:
        claim = (
            f"A flat valley of global minimisers of dimension {len(found.dependences)}: "
            "columns depend on each other exactly."
        )
        verdict = Verdict.GLOBAL_MINIMUM
    else:
        claim = "The only minimiser: the bowl rises in every direction from here."
        verdict = Verdict.UNIQUE_GLOBAL_MINIMUM
    return Certificate(verdict, Rigour.PROVEN, claim, tuple(_lines(found, names, facts)), evidence)


def _lines(found: ExactFit, names: Sequence[str], facts: Facts) -> list[str]:
    formed = "without any rounding, as rational numbers" if found.is_exact else f"in balls of {found.bits} bits"
    lines = [
        "The sum of squares is convex: its Hessian 2X'WX is positive semidefinite whatever the data.",
        f"X'WX and X'Wy were formed from {counted(found.count, 'row')} {formed}.",
    ]
    for one in found.dependences:
        lines.append(f"{names[one.column]} = {_combination(one.parts, names)}, in exact arithmetic.")
    if found.kept:
        which = "All" if not found.dependences else "The others are independent: all"
        lines.append(
            f"{which} {len(found.kept)} pivots of the factorisation LDL' of X'WX are positive in balls of {found.bits} "
            f"bits, each at least {at_least(facts.smallest_pivot)} of its column's own square: it is positive "
            f"definite, its smallest eigenvalue at least {at_least(facts.smallest_eigenvalue)}."
        )
        lines.append("The coefficients solve X'WX b = X'Wy, where the gradient vanishes; each lies in its ball.")
    if np.all(found.residual_ss.value == 0) and np.all(found.residual_ss.radius == 0):
        lines.append("The residual sum of squares is exactly zero: the model passes through every row.")
    return lines


def _undecided(found: ExactFit, names: Sequence[str]) -> Certificate:
    claim = (
        f"Balls of {found.bits} bits cannot tell the columns from dependent ones, and dependence cannot be proven "
        "where a column is not rational: whether the minimiser is the only one remains open."
    )
    evidence = {**_EMPTY, "bits": found.bits, "columns": len(names), "rows": found.count}
    return Certificate(Verdict.INCONCLUSIVE, Rigour.NUMERICAL, claim, (), evidence)


_EMPTY = {"smallest_curvature": None, "orthogonality": None, "residual_units": None, "valley": []}
"""What evidence in floating point would hold."""


def _evidence(found: ExactFit, names: Sequence[str], facts: Facts) -> dict[str, Any]:
    valley = [
        {names[one.column]: 1.0, **{names[j]: -nearest(share) for j, share in one.parts}} for one in found.dependences
    ]
    return {
        **_EMPTY,
        "rank": len(found.kept),
        "columns": len(names),
        "rows": found.count,
        "bits": found.bits,
        "formed_without_rounding": found.is_exact,
        "smallest_pivot_at_least": facts.smallest_pivot,
        "smallest_eigenvalue_at_least": facts.smallest_eigenvalue,
        "radius": found.coef.radius.tolist(),
        "digits": found.coef.digits.tolist(),
        "valley": valley,
    }


def _shown(share: Fraction) -> str:
    """A fraction in full where a person can read it."""
    if max(share.numerator, share.denominator) < 10**12:
        return str(share)
    return f"(a fraction of about {nearest(share):.6g})"


def _combination(parts: Sequence[tuple[int, Fraction]], names: Sequence[str]) -> str:
    """A linear combination with exact shares."""
    text = ""
    for j, share in parts:
        size = "" if abs(share) == 1 else f"{_shown(abs(share))}*"
        sign = ("-" if share < 0 else "") if not text else (" - " if share < 0 else " + ")
        text += f"{sign}{size}{names[j]}"
    return text or "0"
