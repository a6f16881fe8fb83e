"""Sentences that the summary and the page have in common."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from surefoot.report.cells import time_text
from surefoot.wording import counted

if TYPE_CHECKING:
    from surefoot.models.array_fit import ArrayFit
    from surefoot.models.fit import FormulaFit
    from surefoot.proof.certificate import Certificate

MOST_NAMES = 5
SHOWN = 0.005
"""Seconds of a proof in vain from which they are told."""


def digits_sentence(fit: FormulaFit | ArrayFit) -> str:
    """How many digits of the coefficients rounding leaves determined; empty where that is not known."""
    if fit.exact is not None:
        return _proven_sentence(fit)
    known = {name: digits for name, digits in zip(fit.names, fit.digits, strict=True) if not math.isnan(digits)}
    if not known:
        return ""
    lost = [name for name, digits in known.items() if digits < 1]
    rest = [digits for name, digits in known.items() if name not in lost]
    names = _listed(lost)
    if not rest:
        return f"Rounding leaves no digit of {names} determined."
    least = math.floor(min(rest))
    text = f"At least {counted(least, 'digit')} of each coefficient {'is' if least == 1 else 'are'} determined"
    return f"{text}, but none of {names}." if lost else f"{text}."


def verdict_sentence(certificate: Certificate) -> str:
    """What the point is, on what evidence, and how long a proof took."""
    verdict, said = certificate.verdict.value, certificate.claim
    for opening in (f"A {verdict}: ", f"{verdict.capitalize()}: "):  # not twice in one line
        said = said.removeprefix(opening)
    return f"Verdict: {verdict} ({rigour_words(certificate)}): {said}"


def rigour_words(certificate: Certificate) -> str:
    """On what evidence, and how long a proof took where that is known."""
    rigour = certificate.rigour.value
    seconds = certificate.evidence.get("proof_seconds") if rigour == "proven" else None
    return rigour if seconds is None else f"{rigour} in {time_text(seconds)}"


def unproven_sentence(certificate: Certificate) -> str:
    """Which step of a proof failed; empty where none did."""
    reason = certificate.evidence.get("unproven")
    if reason is None:
        return ""
    seconds = certificate.evidence.get("prover_seconds", 0.0)
    return f"Not proven: {reason}{f' ({time_text(seconds)})' if seconds >= SHOWN else ''}."


def _listed(names: list[str]) -> str:
    return ", ".join(names[:MOST_NAMES]) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")


def _proven_sentence(fit: FormulaFit | ArrayFit) -> str:
    """How many digits are proven, of the coefficients that have a proof."""
    known = {name: digits for name, digits in zip(fit.names, fit.digits, strict=True) if not math.isnan(digits)}
    if not known:
        return ""
    none = [name for name, digits in known.items() if digits < 1]
    rest = [digits for name, digits in known.items() if digits >= 1]
    shown = _listed(none)
    if not rest:
        return f"No digit of {shown} is proven: zero is not ruled out."
    text = f"Proven: {counted(math.floor(min(rest)), 'digit')} of every coefficient"
    return f"{text} but {shown}, where zero is not ruled out." if none else f"{text}."
