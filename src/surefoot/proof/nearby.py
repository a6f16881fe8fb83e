"""Looking around a point, for a lower value next to it and for whether f does what its derivatives say.

Along a ray from x the first change of f beyond its noise, at the smallest distance where one shows, tells what second
derivatives cannot: its sign, and its order p by ``(f(x + 2td) - f(x)) / (f(x + td) - f(x)) = 2^p``: 1 for a slope or a
kink, 2 for curvature, 3 for an inflection, 4 for the likes of x^4. Values further away are no business of a local
verdict: there may be other valleys.

Along a ray of known curvature k the slope obeys ``d'(g(x + td) - g(x)) = t k + O(t^2)``; at a kink the difference does
not shrink with t. And Simpson's rule on slopes gives the change of f, or the gradient is not that of f.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, section 2.1, pp. 12-16.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from surefoot.proof.floors import UNDERFLOW, Curvature, Floors
from surefoot.proof.witness import Witness, length_of

LADDER = 4
"""Distances, each an eighth of the next, at which a kink is looked for below the one where values show."""

VISIBLE = 8.0
"""Units of noise at which a change of f is believed."""
CURVED = 2.5
"""Order of change up to which f has a slope or curvature that is seen."""
BESIDE = 1e-2
"""Distance, relative to the size of x or 1, within which a change of higher order is one next to the point."""
LOUD = 1e3
"""Roundings of a value from which its noise is more than that of a sum: f may jump."""


@dataclass(frozen=True)
class Place:
    """Where the judge stands: point, value, gradient, their floors, and the Hessian."""

    witness: Witness
    x: np.ndarray
    value: float
    gradient: np.ndarray
    floors: Floors
    curvature: Curvature

    def noises(self, direction: np.ndarray) -> Callable[[float, float], float]:
        """Noise of a difference between f here and at a distance: terms that cancel there may have grown."""
        size = np.abs(direction)
        here = float(size @ self.curvature.reach(np.abs(self.x)))
        there = float(size @ self.curvature.reach(size))

        def noise(length: float, value: float) -> float:
            return self.noise(value) + 8 * self.witness.unit * length * (here + length * there)

        return noise

    def noise(self, other: float) -> float:
        """Noise of a difference between f here and another value."""
        return self.floors.value + 8 * self.witness.unit * abs(other) + UNDERFLOW


@dataclass(frozen=True)
class Change:
    """The first change of f that shows along a ray.

    Attributes
    ----------
    length : float
        Distance from the point.
    value, change : float
        f there, and how much it differs.
    order : float
        p of ``change ~ length^p``.
    direction : ndarray, shape (n,)
        Unit vector of the ray.
    """

    length: float
    value: float
    change: float
    order: float
    direction: np.ndarray

    @property
    def slope(self) -> float:
        """Change over length."""
        return self.change / self.length


def first_change(place: Place, direction: np.ndarray, hidden: float = 0.0) -> Change | None:
    """The first visible change along ``x + t d``, t from rounding to a hundred times the size of x; None if none is.

    Parameters
    ----------
    place : Place
        The point.
    direction : ndarray, shape (n,)
        Unit vector.
    hidden : float
        Curvature along it that cannot be told from zero. A change of higher order is one of f here if it is more than
        that makes, and next to the point: farther away other valleys begin.
    """
    unit, noise = max(1.0, length_of(place.x)), place.noises(direction)
    for power in range(-15, 3):
        length = unit * 10.0**power
        there, beyond = place.x + length * direction, place.x + 2 * length * direction
        if np.array_equal(there, place.x):
            continue
        if not place.witness.holds(beyond):
            return None
        value = place.witness.height(there)
        change = value - place.value
        if not (math.isfinite(value) and abs(change) > VISIBLE * noise(length, value)):
            continue
        double = place.witness.height(beyond) - place.value
        if not (math.isfinite(double) and double / change > 1):
            continue
        order = math.log2(double / change)
        if order < CURVED or (length <= BESIDE * unit and 2 * abs(change) / length > hidden * length):
            return Change(length, value, change, order, direction)
        if length > BESIDE * unit:
            return None
    return None


def lower_value(place: Place, direction: np.ndarray, curvature: float) -> Change | None:
    """A lower value along a direction of negative curvature, the best that ever longer steps find on either side.

    Parameters
    ----------
    place : Place
        The point.
    direction : ndarray, shape (n,)
        Unit vector.
    curvature : float
        ``d'Hd`` < 0.
    """
    size = length_of(place.x)
    with np.errstate(all="ignore"):
        start = (
            max(
                math.sqrt(200 * place.noise(place.value) / abs(curvature)) if curvature else 0.0,
                64 * place.witness.unit * size,
            )
            or 1e-8
        )
    best = None
    for sign in (1.0, -1.0):
        # Far enough to be of use, if f still falls there; else as near as a fall can show.
        for length in (max(start, 1e-6 * max(1.0, size)), start, 4 * start, start / 4, 16 * start, 64 * start):
            found = _descend(place, sign * direction, length)
            if found is not None:
                best = found if best is None or found.value < best.value else best
                break
    return best


def _descend(place: Place, direction: np.ndarray, length: float) -> Change | None:
    noise = place.noises(direction)
    lowest, most = None, 10 * max(1.0, length_of(place.x), length)
    while length <= most:
        there = place.x + length * direction
        if not place.witness.holds(there):
            break
        value = place.witness.height(there)
        fall = place.value - value
        if not math.isfinite(value) or not fall > noise(length, value) or (lowest and value >= lowest.value):
            break
        lowest = Change(length, value, -fall, math.nan, direction)
        length *= 4
    return lowest


def downhill(place: Place, direction: np.ndarray, slope: float, length: float) -> Change | bool | None:
    """Whether f falls where its gradient says so.

    Returns
    -------
    Change, None or False
        A lower value; None if a fall would be too small to show; False if it would show and does not.
    """
    shown = None
    for _ in range(60):
        there = np.clip(place.x + length * direction, place.witness.lower, place.witness.upper)
        expected = length * abs(slope)
        if expected < 4 * VISIBLE * place.noise(place.value) or np.array_equal(there, place.x):
            return shown
        value = place.witness.height(there)
        if math.isfinite(value) and place.value - value > place.noise(value):
            return Change(length, value, value - place.value, math.nan, direction)
        shown, length = False, length / 4
    return shown


def cliff(place: Place, direction: np.ndarray) -> Change | None:
    """A lower value just beside the point, where f jumps: it falls by the same at every distance, on one side.

    The noise measured across a jump is as large as the jump and would hide it; but noise has no side.

    Parameters
    ----------
    place : Place
        The point.
    direction : ndarray, shape (n,)
        Unit vector.
    """
    if place.floors.value <= LOUD * place.witness.unit * (abs(place.value) + UNDERFLOW):
        return None
    unit = max(1.0, length_of(place.x))
    for sign in (1.0, -1.0):
        falls: list[Change] = []
        for power in range(-12, -6):
            there = place.x + sign * unit * 10.0**power * direction
            if not place.witness.holds(there):
                break
            value = place.witness.height(there)
            if not place.value - value > VISIBLE * place.witness.unit * max(abs(place.value), abs(value)):
                break
            falls.append(Change(unit * 10.0**power, value, value - place.value, 0.0, sign * direction))
            if not falls[-1].change > 2 * falls[0].change or not falls[0].change > 2 * falls[-1].change:
                break
        else:
            return falls[0]
    return None


def disagreement(place: Place, direction: np.ndarray, bent: np.ndarray) -> str | None:
    """How f contradicts its own derivatives along a direction, in words; None if it does not as far as can be seen.

    Parameters
    ----------
    place : Place
        The point.
    direction : ndarray, shape (n,)
        Unit vector.
    bent : ndarray, shape (n,)
        ``H d``.
    """
    curvature = float(direction @ bent)
    if curvature == 0 or not math.isfinite(curvature):
        return None
    floor = float(np.abs(direction) @ place.floors.gradient)
    least = 64 * place.witness.unit * length_of(place.x)
    # From where slopes show to where values do: rounding may hide a kink from the first, curvature from the last.
    slopes = max(64 * (floor + UNDERFLOW) / abs(curvature), least)
    # Nearer than the gradient places the stationary point f may still fall towards it.
    values = max(math.sqrt(1e5 * place.noise(place.value) / abs(curvature)), slopes)
    lengths = [slopes, *(values / 8**k for k in range(LADDER, -1, -1) if values / 8**k > slopes)]
    asked = (*lengths, values, 2 * values, 0.5 * values)
    place.witness.foresee([place.x + length * (sign * direction) for sign in (1.0, -1.0) for length in asked])
    for sign in (1.0, -1.0):
        ray = sign * direction
        for length in lengths:
            kink = _kink(place, ray, curvature, length, floor)
            if kink is not None:
                return kink
        against = _against(place, ray, curvature, values)
        if against is not None:
            return against
        if not _adds_up(place, ray, values, floor):
            return "the change of f along a line is not what its gradients add up to"
    return None


def _against(place: Place, ray: np.ndarray, curvature: float, length: float) -> str | None:
    """A change of f against its curvature that is no cubic: a smooth f may turn, but only like t^3 or higher."""
    if not place.witness.holds(place.x + 2 * length * ray):
        return None
    near, far = (place.witness.height(place.x + t * ray) - place.value for t in (length, 2 * length))
    visible = VISIBLE * place.noises(ray)(2 * length, place.value + far)
    if not (near * curvature < 0 and far * curvature < 0 and abs(far) > visible):
        return None
    order = math.log2(far / near)
    if order > CURVED:
        return None
    return f"f {'falls' if near < 0 else 'rises'} like t^{order:.2g}, by {abs(near):.2g} at a distance of {length:.1e}"


def _slope(place: Place, ray: np.ndarray, length: float) -> float:
    there = place.x + length * ray
    return float(ray @ place.witness.see(there)[1]) if place.witness.holds(there) else math.nan


def _kink(place: Place, ray: np.ndarray, curvature: float, length: float, floor: float) -> str | None:
    here = float(ray @ place.gradient)
    near = _slope(place, ray, length) - here - length * curvature
    if math.isfinite(near) and abs(near) <= 0.5 * length * abs(curvature) + 4 * floor:
        return None
    far = _slope(place, ray, 8 * length) - here - 8 * length * curvature
    # Over eight times the distance a third derivative makes 64 times the difference, a kink the same, a jump of the
    # second derivative eight times.
    if math.isfinite(near) and math.isfinite(far) and abs(far) > 20 * abs(near):
        return None
    if not math.isfinite(near):
        return None if not place.witness.holds(place.x + length * ray) else "the gradient is not finite next to it"
    kind = "slope" if abs(far) < 3 * abs(near) else "curvature"
    return f"the {kind} jumps: at a distance of {length:.1e} the slope is {near + length * curvature + here:.3g}, " + (
        f"where gradient and Hessian say {here + length * curvature:.3g}"
    )


def _adds_up(place: Place, ray: np.ndarray, length: float, floor: float) -> bool:
    """Whether Simpson's rule on slopes gives the change of f; False only if it fails at two distances that show it."""
    start, failures = float(ray @ place.gradient), 0
    for _ in range(4):
        there, middle = place.x + length * ray, place.x + 0.5 * length * ray
        if not place.witness.holds(there):
            return True
        (value, gradient), (_, between) = place.witness.see(there), place.witness.see(middle)
        total = length / 6 * (start + 4 * float(ray @ between) + float(ray @ gradient))
        change = value - place.value
        length /= 4
        if not (math.isfinite(change) and math.isfinite(total)):
            continue
        size, doubt = max(abs(change), abs(total)), 8 * place.noise(value) + 16 * length * floor
        if size > 2 * doubt:
            if abs(change - total) <= 0.1 * size + doubt:
                return True
            failures += 1
    return failures < 2
