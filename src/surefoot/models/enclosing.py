"""The proof of an ordinary fit: the minimiser enclosed in doubles rounded outward, and shown to be the only one.

It takes a fraction of the time of the fit where the rows are in memory, and is made unasked up to `CHEAP` numbers. What
it is about are the columns as the doubles that they were read and computed as; ``exact=True`` is about the numbers as
they are written.

Reference: Rump (2010), "Verification methods", Acta Numerica 19, section 10.8, pp. 375-378.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from surefoot.proof.certificate import Certificate, Rigour

if TYPE_CHECKING:
    from surefoot.models.fit import FormulaFit
    from surefoot.models.rows import Reader
    from surefoot.proof.enclosure import Enclosure

CHEAP = 1 << 20
"""Numbers in a matrix up to which a proof is made unasked: some milliseconds."""
MOST = 1 << 27
"""Numbers up to which the rows of a source are gathered in memory for a proof: 1 GB."""
NEAR = 1e-3
"""Distance from the proven minimiser, relative to the coefficients, up to which a verdict is about the given point."""
READ = "It is about the columns as the doubles that they were read and computed as."


def verdict_of(
    found: Enclosure, coef: np.ndarray, judged: Callable[[], Certificate], seconds: float, *, arrived: bool = True
) -> Certificate:
    """The verdict that an enclosure proves of coefficients; the judge's, with what stopped the proof, if it does not.

    Parameters
    ----------
    found : Enclosure
        Of the minimiser, with its distance from the coefficients.
    coef : ndarray
        These.
    judged : callable
        Gives the verdict in floating point.
    seconds : float
        What the proof took.
    arrived : bool
        False where an iteration was stopped: then a proof about the minimum is no verdict on the coefficients.
    """
    from surefoot.proof.rounding import at_most

    near, size = float(np.max(found.error, initial=0.0)), float(np.max(np.abs(coef), initial=0.0))
    within = at_most(near)
    if not found.proven:
        return unproven(judged(), found.reason, seconds)
    if not arrived or not near <= NEAR * size:
        reason = f"It could only be shown that there is one minimiser, within {within} of these coefficients."
        return unproven(judged(), reason, seconds)
    claim = f"The only minimiser is within {within} of these coefficients: the bowl rises in every direction from it."
    return replace(found.certificate(), claim=claim)


def unproven(judged: Certificate, reason: str, seconds: float) -> Certificate:
    """The judge's verdict with the sentence that says what stopped the proof."""
    return judged.unproven(reason[0].lower() + reason[1:].rstrip("."), seconds, reason)


def enclosed(fit: FormulaFit, reader: Reader, prove: bool | None) -> FormulaFit:
    """The fit of a formula with its proof, or with the reason why there is none.

    Parameters
    ----------
    fit : FormulaFit
    reader : Reader
        For one more pass over the rows.
    prove : bool or None
        Whether to insist, or not to try; None where it is cheap.
    """
    if prove is False or not fit.rank:
        return fit
    began, passes = time.perf_counter(), reader.passes
    certificate = _certificate(fit, reader, MOST if prove else CHEAP)
    seconds = time.perf_counter() - began
    reader.passes = passes  # what the fit itself took
    key = "proof_seconds" if certificate.rigour is Rigour.PROVEN else "prover_seconds"
    return replace(fit, certificate=replace(certificate, evidence={**certificate.evidence, key: seconds}))


def _certificate(fit: FormulaFit, reader: Reader, most: int) -> Certificate:
    from surefoot.proof.enclosure import certify_least_squares

    judged, count = fit.certificate, len(fit.names)
    if fit.rank < count:
        return unproven(judged, "The columns depend on each other, and a proof needs them independent.", 0.0)
    numbers = fit.triangle.rows * count
    if numbers > most:
        asked = "; prove=True insists" if most < MOST else ""
        return unproven(judged, f"{numbers:,} numbers are more than the {most:,} that a proof gathers{asked}.", 0.0)
    matrix, right, weights = _rows(fit, reader)
    found = certify_least_squares(matrix, right, fit.coef, fit.solution.spread, weights, passes=4)
    proven = verdict_of(found, fit.coef, lambda: judged, 0.0)
    if proven.rigour is not Rigour.PROVEN:
        return proven
    # What was seen in doubles keeps its names; what is proven is in the lines, and beside them.
    evidence = {**proven.evidence, **judged.evidence, "curvature_at_least": found.smallest_curvature}
    return replace(proven, lines=(*proven.lines, READ), evidence=evidence)


def _rows(fit: FormulaFit, reader: Reader) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """The columns, the response and the weights, gathered."""
    count, matrices, weights = len(fit.names), [], []
    for frame in reader.frames(fit.design.variables, "proving"):
        block = fit.design.block(frame, reader.source)
        matrices.append(block.matrix)
        weight = [values for values in (block.weights, block.frequencies) if values is not None]
        weights += [weight[0] * weight[1]] if len(weight) == 2 else weight
    whole = np.concatenate(matrices)
    return whole[:, :count], whole[:, -1], np.concatenate(weights) if weights else None
