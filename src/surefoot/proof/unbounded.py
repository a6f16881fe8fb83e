"""Does f fall without end along a ray? Values at distances 1, 10, 100, ... until numbers end.

Claimed only if f still falls at the last distance, no decade makes it fall by clearly less than the one before, and the
end was that of the numbers: |x| or |f| beyond 1e300. A logarithm passes (equal falls); exp(-x) and -1/(1 + log x) do
not: they may have an infimum that is not attained.

Reference: Boyd, Vandenberghe (2004), "Convex Optimization", Cambridge, section 4.1.1, p. 128.
"""

from __future__ import annotations

import math
import time

import numpy as np

from surefoot.proof.certificate import Certificate, Rigour, Verdict
from surefoot.proof.finding import Finding, along, plain
from surefoot.proof.witness import Bounds, Function, Spent, Witness

LARGE = 1e300
TAIL = 8
"""Decades at the end over which falls must not fade."""


def judge_unbounded(
    function: Function,
    x: np.ndarray,
    direction: np.ndarray,
    *,
    bounds: Bounds | None = None,
    budget: int | None = None,
) -> Certificate:
    """Whether f falls without end along ``x + t direction``, t > 0, as far as doubles can tell.

    Parameters
    ----------
    function : Function
        What is minimised.
    x : ndarray, shape (n,)
        Where the ray starts.
    direction : ndarray, shape (n,)
        Where it goes; of any length but 0.
    bounds : pair of arrays, optional
        A ray that meets a bound has an end.
    budget : int, optional
        Most evaluations.

    Returns
    -------
    Certificate
        UNBOUNDED_BELOW with rigour NUMERICAL, or INCONCLUSIVE with what was seen.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> line = SimpleNamespace(  # -x
    ...     size=1, names=("x",), roundoff=2.0**-53, exact_gradient=True, exact_curvature=True,
    ...     value=lambda x: -x[0], see=lambda x: (-x[0], np.array([-1.0])))
    >>> print(judge_unbounded(line, np.zeros(1), np.ones(1)).claim)
    Falls to -1e+301 at a distance of 1e+301 along x, where numbers end, and still falling.
    """
    started = time.perf_counter()
    witness = Witness(function, bounds, budget)
    x, ray = np.array(x, dtype=float), np.array(direction, dtype=float)
    top = float(np.max(np.abs(ray), initial=0.0))
    ray = ray / top if top > 0 else ray
    seen: list[tuple[float, float]] = []
    with np.errstate(all="ignore"):
        if not top > 0 or not np.all(np.isfinite(ray)):
            found = Finding(Verdict.INCONCLUSIVE, "The direction is zero or not finite: there is no ray to look along.")
        else:
            ray = ray / float(np.linalg.norm(ray))
            try:
                found = _look(witness, x, ray, seen)
            except Spent:
                found = Finding(Verdict.INCONCLUSIVE, f"The budget of {budget:,} evaluations ended before the ray did.")
    evidence = {
        "lengths": [plain(length) for length, _ in seen],
        "values": [plain(value) for _, value in seen],
        "direction": plain(ray),
        "evaluations": witness.spent,
        "proof_seconds": time.perf_counter() - started,
    }
    return Certificate(found.verdict, Rigour.NUMERICAL, found.claim, found.lines, evidence)


def _look(witness: Witness, x: np.ndarray, ray: np.ndarray, seen: list[tuple[float, float]]) -> Finding:
    where = f"along {along(witness.function.names, ray)}"
    start = witness.height(x)
    seen.append((0.0, start))
    length, last = max(1.0, float(np.linalg.norm(x))), math.nan
    while length <= 10 * LARGE * (1 + 1e-9):
        there = x + length * ray
        if not witness.holds(there):
            return Finding(Verdict.INCONCLUSIVE, f"The ray {where} meets a bound at a distance below {length:.1e}.")
        last = witness.height(there)
        if not math.isfinite(last):
            seen.extend(_edge(witness, x, ray, seen[-1][0], length))
            break
        seen.append((length, last))
        length *= 10
    length, value = seen[-1]
    falls = -np.diff([height for _, height in seen])
    tail = falls[-TAIL:]
    noise = 64 * witness.unit * np.abs([height for _, height in seen])[1:][-TAIL:]
    if last == math.inf or value >= start or not len(tail) or not np.all(tail > noise):
        return Finding(Verdict.INCONCLUSIVE, f"f does not fall all the way {where}: {value:.3g} at {length:.1e}.")
    growing = value <= -LARGE or bool(np.all(tail[1:] >= 0.999 * tail[:-1] - noise[1:] - noise[:-1]))
    ended = length >= LARGE or value <= -LARGE
    if not growing:
        return Finding(
            Verdict.INCONCLUSIVE,
            f"Falls to {value:.6g} at a distance of {length:.1e} {where}, ever more slowly: an infimum that is not "
            "attained, perhaps.",
        )
    if not ended:
        return Finding(
            Verdict.INCONCLUSIVE,
            f"Falls to {value:.3g} at a distance of {length:.1e} {where} and still falling; beyond, f is {last}.",
        )
    return Finding(
        Verdict.UNBOUNDED_BELOW,
        f"Falls to {value:.0e} at a distance of {length:.0e} {where}, where numbers end, and still falling.",
        (f"No decade of the last {len(tail)} makes f fall by less than the one before.",),
    )


def _edge(witness: Witness, x: np.ndarray, ray: np.ndarray, inner: float, outer: float) -> list[tuple[float, float]]:
    """The last finite value before f overflows between two lengths, by bisection; none if it is not lower."""
    found: list[tuple[float, float]] = []
    lowest = witness.height(x + inner * ray)
    for _ in range(60):
        middle = math.sqrt(inner * outer) if inner > 0 else outer / 10
        value = witness.height(x + middle * ray)
        if math.isfinite(value) and value <= lowest:
            inner, lowest, found = middle, value, [(middle, value)]
        else:
            outer = middle
    return found
