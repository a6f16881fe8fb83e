"""What a stationary point is, from the signs of curvature there and from a look around it.

    all clearly positive: strict local minimum        some negative, some positive: saddle, with a lower value
    all clearly negative: local maximum               zeros: degenerate, unless rays along them show more

No minimum is claimed where f contradicts its derivatives (a kink, a gradient that is not f's), and no lower value that
was not evaluated.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, theorems 2.3 and 2.4, pp. 15-16.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from surefoot.proof.certificate import Verdict
from surefoot.proof.finding import Finding, along, descent, plain
from surefoot.proof.floors import STRICT, natural_of, units_of
from surefoot.proof.inertia import Inertia
from surefoot.proof.nearby import Change, Place, cliff, disagreement, first_change, lower_value
from surefoot.proof.witness import length_of
from surefoot.wording import counted

AXES = 20
"""Variables up to which f is looked at along every axis, and ways that are taken of more."""

RAYS = 8
"""Null directions that are looked along, and as many random combinations of them."""

SLOPE = 1.5
"""Order of change below which f has a slope or a kink."""


class Times(Protocol):
    """The Hessian at the point as a map."""

    def times(self, v: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class Held:
    """Variables that bounds hold.

    Attributes
    ----------
    strong : int
        Held with a multiplier clearly of the right sign: f rises when they move.
    weak : tuple of str
        At a bound with a multiplier that rounding hides.
    """

    strong: int = 0
    weak: tuple[str, ...] = ()


def classify(
    place: Place, curvature: Times, inertia: Inertia, held: Held, rng: np.random.Generator, scale: np.ndarray
) -> Finding:
    """The kind of a stationary point.

    Parameters
    ----------
    place : Place
        The point, with floors.
    curvature : Times
        The Hessian there.
    inertia : Inertia
        The signs of its eigenvalues, over the variables that may move.
    held : Held
        What bounds hold.
    rng : Generator
        For directions to look along.
    scale : ndarray, shape (n,)
        Lengths of the variables; 0 for one that may not move.
    """
    lines = (spectrum_line(inertia),)
    evidence = {
        "negative": inertia.negative, "zero": inertia.zero, "positive": inertia.positive,
        "smallest_eigenvalue": plain(inertia.smallest), "largest_eigenvalue": plain(inertia.largest),
        "eigenvalue_tolerance": plain(inertia.tolerance), "is_spectrum_firm": inertia.firm,
    }  # fmt: skip
    if not np.isfinite(inertia.smallest):
        found = Finding(Verdict.INCONCLUSIVE, f"Nothing is known of the signs of curvature, {inertia.how}.")
        return Finding(found.verdict, found.claim, (), evidence)
    if inertia.rises:
        found = _minimum(place, curvature, inertia, held, rng, scale)
    elif inertia.down is not None:
        found = _not_a_minimum(place, curvature, inertia, held)
    elif inertia.null:
        found = _degenerate(place, inertia, held, rng)
    else:
        found = Finding(
            Verdict.INCONCLUSIVE,
            "Stationary, and no negative curvature was seen; but "
            + (
                "next to the point the Hessian is quite another, by more than its smallest eigenvalue."
                if inertia.is_complete
                else "Lanczos did not settle on the smallest curvature."
            ),
        )
    return Finding(found.verdict, found.claim, lines + found.lines, {**evidence, **found.evidence})


def spectrum_line(inertia: Inertia) -> str:
    """The signs of curvature as a sentence."""
    ends = (
        f"with variables scaled, the eigenvalues of the Hessian reach from {inertia.smallest:.3g} to "
        f"{inertia.largest:.3g}, against a rounding of {inertia.tolerance:.1e} ({inertia.how})"
    )
    if inertia.is_complete:
        return (
            f"{inertia.negative:,} negative, {inertia.zero:,} zero to rounding, {inertia.positive:,} positive "
            f"curvatures: {ends}."
        )
    return f"{ends[0].upper()}{ends[1:]}."


def _shaking(place: Place, scale: np.ndarray) -> Finding | None:
    """Values or slopes that shake by more than half their digits: noise in f, or jumps, but no rounding."""
    if not place.witness.function.exact_gradient:
        return None
    moving, half = scale > 0, np.sqrt(place.witness.unit)
    scales = np.where(moving, scale, 1.0)
    lengths = np.maximum(units_of(place.x, scales), natural_of(scales))
    slopes = place.curvature.reach(lengths)
    noise = np.where(moving, place.floors.noise, 0.0)
    if place.floors.value > STRICT * half * (abs(place.value) + float(lengths @ slopes)):
        words = f"f shakes by {place.floors.value / STRICT:.1e}"
    elif np.any(noise > half * slopes):
        worst = int(np.argmax(np.where(noise > half * slopes, noise, 0.0)))
        words = f"the slope in {place.witness.function.names[worst]} shakes by {noise[worst]:.1e}"
    else:
        return None
    return Finding(
        Verdict.INCONCLUSIVE,
        f"Next to the point {words}, more than rounding does: f is noisy or jumps, and derivatives decide nothing.",
        (),
        {"contradiction": words},
    )


def _contradiction(
    place: Place, curvature: Times, inertia: Inertia, rng: np.random.Generator, scale: np.ndarray
) -> Finding | None:
    """Where f does not do what its derivatives say, along the weakest direction, the strongest and a random one."""
    blind = scale * rng.standard_normal(len(scale))
    strongest = inertia.up if inertia.up is not None else inertia.down
    for direction in (inertia.weakest, strongest, blind / np.linalg.norm(blind)):
        if direction is None:
            continue
        lower = cliff(place, direction)
        if lower is not None:
            return Finding(
                Verdict.INCONCLUSIVE,
                f"f jumps next to it: {lower.value:.10g} lies {lower.length:.0e} away, so derivatives decide nothing.",
                (_lower_line(place, lower),),
                {"contradiction": "f jumps", **descent(lower, place.x)},
            )
        words = disagreement(place, direction, curvature.times(direction))
        if words is not None:
            return Finding(
                Verdict.INCONCLUSIVE,
                "f does not do here what its derivatives say, so they decide nothing.",
                (f"Along {along(place.witness.function.names, direction)}, {words}.",),
                {"contradiction": words},
            )
    return None


def _minimum(
    place: Place, curvature: Times, inertia: Inertia, held: Held, rng: np.random.Generator, scale: np.ndarray
) -> Finding:
    against = _shaking(place, scale) or _contradiction(place, curvature, inertia, rng, scale)
    if against is not None:
        return against
    lines = ("Along three lines through the point, f and its gradient change as the Hessian says.",)
    if held.weak:
        return Finding(
            Verdict.LOCAL_MINIMUM,
            f"A local minimum as far as can be seen: rounding hides whether the bound of {held.weak[0]} is needed.",
            lines,
        )
    if not inertia.firm:
        return Finding(
            Verdict.LOCAL_MINIMUM,
            f"A local minimum as far as {inertia.how.removeprefix('by ')} can see.",
            lines,
        )
    if not place.witness.function.exact_gradient:
        lower = _first_fall(place, rng)
        if lower is not None:
            return Finding(
                Verdict.NOT_STATIONARY,
                f"Not stationary: differences show no slope, yet f falls: {lower.value:.10g} lies {lower.length:.2g} "
                f"away along {along(place.witness.function.names, lower.direction)}.",
                lines,
                descent(lower, place.x),
            )
        return Finding(
            Verdict.LOCAL_MINIMUM,
            "A local minimum as far as differences of f show.",
            lines,
        )
    within = " that the bounds leave" if held.strong else ""
    return Finding(Verdict.STRICT_LOCAL_MINIMUM, f"A strict local minimum: f rises in every direction{within}.", lines)


def _first_fall(place: Place, rng: np.random.Generator) -> Change | None:
    """A lower value that is the first thing to be seen in some direction: along the axes, or of many a few at random.

    Where values come in steps, differences within a step are zero, and say nothing of the slope.
    """
    size = place.witness.size
    ways = np.eye(size) if size <= AXES else rng.standard_normal((AXES, size)) / np.sqrt(size)
    changes = (first_change(place, sign * way) for way in ways for sign in (1.0, -1.0))
    return next((change for change in changes if change is not None and change.change < 0), None)


def _not_a_minimum(place: Place, curvature: Times, inertia: Inertia, held: Held) -> Finding:
    assert inertia.down is not None
    names = place.witness.function.names
    bent = curvature.times(inertia.down)
    lower = lower_value(place, inertia.down, float(inertia.down @ bent))
    words = disagreement(place, inertia.down, bent)
    if words is not None:
        return Finding(
            Verdict.INCONCLUSIVE,
            "f does not do here what its derivatives say, so they decide nothing"
            + (f"; but {lower.value:.10g} lies lower." if lower is not None else "."),
            (f"Along {along(names, inertia.down)}, {words}.",),
            {"contradiction": words, **(descent(lower, place.x) if lower is not None else {})},
        )
    lines = [f"Along {along(names, inertia.down)} the curvature is {float(inertia.down @ bent):.3g}."]
    evidence = {"escape_curvature": plain(float(inertia.down @ bent)), "escape_direction": plain(inertia.down)}
    if lower is not None:
        lines.append(_lower_line(place, lower))
        evidence |= descent(lower, place.x)
        below = f"{lower.value:.10g} lies {lower.length:.2g} away along {along(names, lower.direction)}"
    else:
        lines.append("The fall of f along it is less than its rounding shows.")
        below = f"f curves downward along {along(names, inertia.down)}"
    if inertia.up is not None or (held.strong and inertia.falls):
        return Finding(Verdict.SADDLE, f"A saddle, no minimum: {below}.", tuple(lines), evidence)
    if inertia.falls:
        return Finding(
            Verdict.LOCAL_MAXIMUM, f"A local maximum: f falls in every direction; {below}.", tuple(lines), evidence
        )
    rises = [change for change in _rays(place, inertia, None) if change.change > 0]
    if rises:
        lines.append(_change_line(place, rises[0]))
        return Finding(Verdict.SADDLE, f"A saddle, no minimum: {below}.", tuple(lines), evidence)
    return Finding(
        Verdict.DEGENERATE,
        f"No minimum: {below}; in other directions f is flat to second order.",
        tuple(lines),
        evidence,
    )


def _degenerate(place: Place, inertia: Inertia, held: Held, rng: np.random.Generator) -> Finding:
    names = place.witness.function.names
    changes = _rays(place, inertia, rng)
    lines = [
        f"{counted(len(inertia.null), 'direction')} without visible curvature: the first is "
        f"{along(names, inertia.null[0])}."
    ]
    evidence = {"null_direction": plain(inertia.null[0])}
    for change in changes:
        hidden = 4 * float(np.abs(change.direction) @ place.floors.gradient)
        if change.order < SLOPE and abs(change.slope) > hidden:
            lines.append(_change_line(place, change))
            return Finding(
                Verdict.INCONCLUSIVE,
                "f does not do here what its derivatives say (a kink, perhaps), so they decide nothing.",
                tuple(lines),
                evidence | {"contradiction": f"f changes like t^{change.order:.2g}"},
            )
    falls = sorted((change for change in changes if change.change < 0), key=lambda change: change.value)
    if falls:
        lines.append(_lower_line(place, falls[0]))
        evidence |= descent(falls[0], place.x) | {"order": plain(falls[0].order)}
        below = f"{falls[0].value:.10g} lies {falls[0].length:.2g} away along {along(names, falls[0].direction)}"
        if falls[0].order < SLOPE or not place.witness.function.exact_gradient:
            return Finding(
                Verdict.NOT_STATIONARY,
                f"The gradient is within its rounding, yet f still falls: {below}.",
                tuple(lines),
                evidence,
            )
        if inertia.up is not None or held.strong or any(change.change > 0 for change in changes):
            return Finding(
                Verdict.SADDLE,
                f"No minimum, though curvature does not show it: a lower value is next to it, {below}.",
                tuple(lines),
                evidence,
            )
        return Finding(Verdict.DEGENERATE, f"Flat to second order, and no minimum: {below}.", tuple(lines), evidence)
    lines += [_change_line(place, change) for change in changes[:1]]
    if not place.witness.function.exact_curvature:
        return Finding(
            Verdict.INCONCLUSIVE,
            "Curvature by differences is too coarse to tell whether f rises in every direction; no lower value was "
            "found next to it.",
            tuple(lines),
            evidence,
        )
    elsewhere = "" if inertia.up is None else "; f rises in the others"
    return Finding(
        Verdict.DEGENERATE,
        f"Flat to second order, as far as rounding shows, in {counted(len(inertia.null), 'direction')}{elsewhere}. "
        "No lower value was found next to it, which does not make it a minimum.",
        tuple(lines),
        evidence,
    )


def _rays(place: Place, inertia: Inertia, rng: np.random.Generator | None) -> list[Change]:
    """First changes, more than hidden curvature makes, along null directions and random combinations, both ways."""
    null = inertia.null
    rays = list(null[:RAYS])
    if rng is not None and len(null) > 1:
        mixed = (rng.standard_normal(len(null)) @ np.array(null) for _ in range(RAYS))
        rays += [v / np.linalg.norm(v) for v in mixed]
    hidden = [inertia.tolerance * length_of(ray / place.curvature.scale) ** 2 for ray in rays]
    found = (first_change(place, sign * ray, most) for ray, most in zip(rays, hidden, strict=True) for sign in (1, -1))
    return [change for change in found if change is not None]


def _lower_line(place: Place, lower: Change) -> str:
    return (
        f"Evaluated: at x + {lower.length:.3g} d, d = {along(place.witness.function.names, lower.direction)}, f is "
        f"{lower.value:.10g}, {-lower.change:.3g} lower than {place.value:.10g} here."
    )


def _change_line(place: Place, change: Change) -> str:
    return (
        f"Along {along(place.witness.function.names, change.direction)}, f {'rises' if change.change > 0 else 'falls'} "
        f"like t^{change.order:.2g}: by {abs(change.change):.2g} at t = {change.length:.1e}."
    )
