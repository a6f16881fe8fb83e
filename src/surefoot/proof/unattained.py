"""Does f fall along a ray for ever, towards a value that it does not reach? Slopes to the end of the numbers.

    phi(t) = f(b + t d),    phi'(t) < 0 for all t,    phi(t) -> L

Claimed only if phi' is negative at every look until it vanishes *by underflow*, over six decades of t or a hundred
powers of ten of phi' itself, and falls fade on the way: |t phi'(t)| loses a tenth or more in each decade. (It does not
for a logarithm, nor for that of a logarithm, which fall without end.) Where phi' vanishes is looked at closely. That of
max(0, 1 - t)^20 is zero from t = 1 on too, where the minimum is attained: it loses all its powers of ten in the last
hundredth of the way, that of exp(-t) a hundredth of them.

That f has no lower values elsewhere is not claimed; where one is known, nothing is.

Reference: Boyd, Vandenberghe (2004), "Convex Optimization", Cambridge, section 4.1.1, p. 128 (optimal values that are
not attained).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from surefoot.proof.certificate import Certificate, Rigour, Verdict
from surefoot.proof.finding import Finding, along, plain
from surefoot.proof.witness import Bounds, Function, Spent, Witness, length_of

FIRST, FARTHEST, LOOKS = 0.01, 1e300, 4
"""The first look, in sizes of the base or 1; the last; and looks in a decade."""
DECADES = 6
"""Decades over which slopes must be seen, or ..."""
POWERS = 100.0
"""... powers of ten that they must lose."""
FADES, TAIL = 0.9, 8
"""What a decade may leave of a fall, over so many decades at the end."""
FEWEST = 4
"""Looks after the one with the largest fall."""
VANISHED = 1e-150
"""A slope that ends above this did not underflow: it was cancelled, or f has come to a plateau."""
LAST, SHARE = 0.01, 0.25
"""In this part of the way a slope that underflows loses no more than that share of its powers of ten."""
ROUNDINGS = 64.0
"""Roundings of a value that a rise may be made of."""


def judge_unattained(
    function: Function,
    base: np.ndarray,
    direction: np.ndarray,
    at: np.ndarray,
    *,
    lowest: float = math.inf,
    bounds: Bounds | None = None,
    budget: int | None = None,
) -> Certificate:
    """Whether f falls along ``base + t direction``, t > 0, for ever, towards a value that it does not reach.

    Parameters
    ----------
    function : Function
        What is minimised.
    base : ndarray, shape (n,)
        Where the ray starts.
    direction : ndarray, shape (n,)
        Where it goes; of any length but 0.
    at : ndarray, shape (n,)
        The point in question, next to the ray: across the ray f must be stationary there.
    lowest : float
        The lowest value known anywhere; where it is below that of the ray, nothing is claimed.
    bounds : pair of arrays, optional
        A ray that meets a bound has an end.
    budget : int, optional
        Most evaluations.

    Returns
    -------
    Certificate
        INFIMUM_NOT_ATTAINED with rigour NUMERICAL, or INCONCLUSIVE with what was seen.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> def see(x): return np.exp(-x[0]), -np.exp(-x)
    >>> decay = SimpleNamespace(
    ...     size=1, names=("x",), roundoff=2.0**-53, exact_gradient=True, exact_curvature=True,
    ...     value=lambda x: see(x)[0], see=see, look=lambda x: (*see(x), np.exp(-x)[:, None]))
    >>> print(judge_unattained(decay, np.zeros(1), np.ones(1), np.array([700.0])).claim)
    Falls along x for ever, as far as doubles show, towards a value of about 0 that it does not reach; ...
    """
    started = time.perf_counter()
    witness = Witness(function, bounds, budget)
    seen: list[tuple[float, float, float]] = []
    ray = np.array(direction, float)
    size = length_of(ray)
    with np.errstate(all="ignore"):
        try:
            if not 0 < size < math.inf or not function.exact_gradient:
                found = Finding(Verdict.INCONCLUSIVE, "There is no ray to look along, or no slope to go by.")
            else:
                ray = ray / size
                found = _look(witness, np.array(base, float), ray, np.array(at, float), lowest, seen)
        except Spent:
            found = Finding(Verdict.INCONCLUSIVE, f"The budget of {budget:,} evaluations ended before the ray did.")
    evidence = {
        **found.evidence,
        "lengths": [plain(length) for length, _, _ in seen],
        "values": [plain(value) for _, value, _ in seen],
        "slopes": [plain(slope) for _, _, slope in seen],
        "direction": plain(ray),
        "evaluations": witness.spent,
        "proof_seconds": time.perf_counter() - started,
    }
    return Certificate(found.verdict, Rigour.NUMERICAL, found.claim, found.lines, evidence)


def _look(
    witness: Witness,
    base: np.ndarray,
    ray: np.ndarray,
    at: np.ndarray,
    lowest: float,
    seen: list[tuple[float, float, float]],
) -> Finding:
    where = f"along {along(witness.function.names, ray)}"
    across = _steep_across(witness, at, ray)
    if across:
        return Finding(Verdict.INCONCLUSIVE, across)
    length = FIRST * max(1.0, length_of(base))
    while length <= FARTHEST:
        there = base + length * ray
        if not witness.holds(there):
            return Finding(Verdict.INCONCLUSIVE, f"The ray {where} meets a bound at a distance below {length:.1e}.")
        value, gradient = witness.see(there)
        slope = float(gradient @ ray)
        if not (math.isfinite(value) and math.isfinite(slope)):
            break  # a square that overflows on the way to 1/x^2 is no fault of f: what was seen so far counts
        rises = seen and value > seen[-1][1] + ROUNDINGS * witness.unit * max(abs(value), abs(seen[-1][1]))
        if slope > 0 or rises:
            return Finding(Verdict.INCONCLUSIVE, f"f does not fall all the way {where}: it rises at {length:.1e}.")
        seen.append((length, value, slope))
        if slope == 0 and seen[0][2] == 0:
            return Finding(Verdict.INCONCLUSIVE, f"The slope {where} is not negative from the start on.")
        length *= 10.0 if slope == 0 else 10.0 ** (1 / LOOKS)
    return _judged(witness, base, ray, where, lowest, seen)


def _judged(
    witness: Witness,
    base: np.ndarray,
    ray: np.ndarray,
    where: str,
    lowest: float,
    seen: Sequence[tuple[float, float, float]],
) -> Finding:
    falling = [one for one in seen if one[2] < 0]
    flat = next((k for k, one in enumerate(seen) if one[2] == 0), len(seen))
    if len(falling) < 2 or any(one[2] < 0 for one in seen[flat:]):
        return Finding(Verdict.INCONCLUSIVE, f"The slope {where} is not negative from the start on.")
    steepest, limit = max(-slope for _, _, slope in falling), seen[-1][1]
    end, last = falling[-1][0], -falling[-1][2]
    if flat < len(seen):  # to the last slope that is a number
        end, last = _edge(witness, base, ray, falling[-1][0], seen[flat][0], last)
    decades, powers = math.log10(end / falling[0][0]), math.log10(steepest) - math.log10(last)
    if last > VANISHED and end < FARTHEST / 100:
        return Finding(Verdict.INCONCLUSIVE, f"The slope {where} ends at {last:.1e}, which is no underflow.")
    before = -_slope(witness, base, ray, end - LAST * (end - falling[0][0]))
    if not before > 0 or math.log10(before) - math.log10(last) > SHARE * max(powers, 1.0):
        return Finding(
            Verdict.INCONCLUSIVE,
            f"The slope {where} vanishes all at once near {end:.6g}: f comes to a plateau, perhaps.",
        )
    if not _fades(falling):
        return Finding(Verdict.INCONCLUSIVE, f"f falls {where}, and each decade brings it down by as much as the last.")
    if not (decades >= DECADES or powers >= POWERS):
        return Finding(Verdict.INCONCLUSIVE, f"f falls {where}, but not for long enough to say where to.")
    if lowest < limit - ROUNDINGS * witness.unit * max(abs(limit), abs(lowest)):
        return Finding(Verdict.INCONCLUSIVE, f"f falls {where} to {limit:.6g}, but {lowest:.6g} is known elsewhere.")
    about = 0.0 if abs(limit) < VANISHED else limit
    lines = (
        f"At {len(falling)} looks from {falling[0][0]:.1e} to {end:.1e} the slope is negative; it shrinks from "
        f"{steepest:.1e} to {last:.1e}, where doubles end.",
        f"The value falls from {seen[0][1]:.6g} to {limit:.6g} at {seen[-1][0]:.0e}, by less and less.",
    )
    return Finding(
        Verdict.INFIMUM_NOT_ATTAINED,
        f"Falls {where} for ever, as far as doubles show, towards a value of about {about:.6g} that it does not reach; "
        "nothing is said of values elsewhere.",
        lines,
        {"infimum": plain(limit)},
    )


def _fades(falling: Sequence[tuple[float, float, float]]) -> bool:
    """Whether what f falls by in a part of a decade, ``t |phi'(t)|``, shrinks at each look after the largest one."""
    falls = [-length * slope for length, _, slope in falling]
    later = falls[falls.index(max(falls)) :][-TAIL * LOOKS :]
    kept = FADES ** (1 / LOOKS)
    return len(later) >= FEWEST and all(after <= kept * one for one, after in pairwise(later))


def _steep_across(witness: Witness, at: np.ndarray, ray: np.ndarray) -> str:
    """Why f is not stationary across the ray at a point, as far as rounding tells; empty where it is."""
    value, gradient = witness.see(at)
    if not (math.isfinite(value) and np.all(np.isfinite(gradient))):
        return "f or its slope is not finite here."
    across = gradient - float(gradient @ ray) * ray
    matrix = np.abs(witness.hessian(at))
    if not np.all(np.isfinite(matrix)):
        return "The Hessian is not finite here."
    # Along the ray x may be as large as doubles go, and counts for nothing across it.
    sizes = np.where(np.abs(ray) > 0, 1.0, np.abs(at))
    floor = ROUNDINGS * witness.unit * (matrix @ np.maximum(sizes, 1.0) + np.abs(gradient))
    steep = np.flatnonzero(np.abs(across) > floor)
    if not len(steep):
        return ""
    j = int(steep[np.argmax(np.abs(across[steep]))])
    return f"Across the ray f is not stationary: its slope in {witness.function.names[j]} is {across[j]:.3g}."


def _slope(witness: Witness, base: np.ndarray, ray: np.ndarray, length: float) -> float:
    return float(witness.see(base + length * ray)[1] @ ray)


def _edge(
    witness: Witness, base: np.ndarray, ray: np.ndarray, near: float, far: float, last: float
) -> tuple[float, float]:
    """Where the slope vanishes between two lengths, and what it is just before."""
    for _ in range(100):
        middle = math.sqrt(near) * math.sqrt(far)
        if not near < middle < far:
            break
        slope = -_slope(witness, base, ray, middle)
        if slope > 0:
            near, last = middle, slope
        else:
            far = middle
    return near, last
