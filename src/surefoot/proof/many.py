"""Which of many points are strict local minima, by the tests of `judge_point` on all of them in the same calls of f.

    g_i at its rounding floor,    S H S positive definite beyond rounding and wherever the stationary point may lie,
    and along three lines through each point f and its gradient change as the Hessian says

Only the verdict that needs no second thought is given here: a point that fails one test, or where a test could see
nothing, or would ask beyond a bound, is left to a hearing of its own. So nothing is claimed here that `judge_point`
would not claim on the same evidence; each test refers to the one that it repeats.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, theorem 2.4, p. 16.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.proof import floors as floors_
from surefoot.proof.inertia import EPS
from surefoot.proof.nearby import LADDER, LOUD, VISIBLE
from surefoot.proof.witness import Bounds, Function

DENSE = 20
"""Most variables."""
SIDES = np.array([1.0, -1.0])


@dataclass(frozen=True)
class _Seen:
    """What is known of k points: values (k,), gradients (k, n), Hessians (k, n, n), scales, floors."""

    x: np.ndarray
    value: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray
    scale: np.ndarray
    floor: np.ndarray
    noise: np.ndarray
    value_floor: np.ndarray

    def reach(self, lengths: np.ndarray) -> np.ndarray:
        """``|H| lengths`` at each point."""
        return np.einsum("kij,kj->ki", np.abs(self.hessian), lengths)


class _Crowd:
    """The function at many points around the k points; which of those are still clear.

    A point one of whose neighbours would lie beyond a bound is clear no more, and that neighbour is never asked for.
    """

    def __init__(self, function: Function, x: np.ndarray, bounds: Bounds | None) -> None:
        self.function, self.x, self.clear = function, x, np.all(np.isfinite(x), axis=1)
        low, high = bounds if bounds is not None else (-np.inf, np.inf)
        self.lower, self.upper = np.broadcast_to(low, x.shape[1:]), np.broadcast_to(high, x.shape[1:])
        self.unit = float(function.roundoff)
        room = 4 * self.unit * np.abs(x)
        self.ask(np.all((x - self.lower > room) & (self.upper - x > room), axis=1))

    def ask(self, passed: np.ndarray) -> None:
        """Points that fail a test are clear no more."""
        self.clear = self.clear & passed

    def ask_some(self, which: np.ndarray, passed: np.ndarray) -> None:
        """The same of some of the points."""
        self.clear = self.clear.copy()
        self.clear[which] &= passed

    def part(self, which: np.ndarray) -> _Crowd:
        """Some of the points as a crowd of their own."""
        return _Crowd(self.function, self.x[which], (self.lower, self.upper))

    def see(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values (k, m) and gradients (k, m, n) at places (k, m, n), m around each point."""
        k, m, n = places.shape
        value, gradient = self.function.lanes(self._within(places))  # type: ignore[attr-defined]
        return np.reshape(value, (k, m)), np.reshape(gradient, (k, m, n))

    def hessians(self, places: np.ndarray) -> np.ndarray:
        """Hessians (k, m, n, n) at places (k, m, n)."""
        k, m, n = places.shape
        return np.reshape(self.function.hessians(self._within(places)), (k, m, n, n))  # type: ignore[attr-defined]

    def _within(self, places: np.ndarray) -> np.ndarray:
        inside = np.all((places >= self.lower) & (places <= self.upper), axis=2)
        self.ask(np.all(inside, axis=1))
        return np.where(inside[:, :, None], places, self.x[:, None]).reshape(-1, places.shape[2])


def clear_minima(
    function: Function,
    points: np.ndarray,
    *,
    bounds: Bounds | None = None,
    span: np.ndarray | float = 0.0,
    rng: np.random.Generator | int = 0,
) -> np.ndarray:
    """Which points are strict local minima by every test of `judge_point`.

    Parameters
    ----------
    function : Function
        What is minimised, with ``lanes`` and ``hessians`` over many points, as an ``Objective`` has them.
    points : ndarray, shape (k, n)
        Within the bounds.
    bounds : pair of arrays, optional
        Lower and upper bounds, each of shape (n,) or a number.
    span : ndarray, shape (k, n), or float
        Sizes of the variables where the way to each point began: the Hessian is compared over their rounding.
    rng : Generator or int
        For the directions in which the judge looks.

    Returns
    -------
    ndarray of bool, shape (k,)
        False says nothing: it takes `judge_point` to tell what such a point is.

    Examples
    --------
    >>> from surefoot.problem.objective import objective_of
    >>> wave, _ = objective_of("cos(x)", {"x": 3.0})
    >>> clear_minima(wave, np.array([[np.pi], [0.0], [2.0]])).tolist()
    [True, False, False]
    """
    x = np.array(points, float)
    if not len(x) or x.shape[1] > DENSE or not (function.exact_gradient and function.exact_curvature):
        return np.zeros(len(x), bool)
    crowd, random = _Crowd(function, x, bounds), np.random.default_rng(rng)
    with np.errstate(all="ignore"):
        seen = _stationary(crowd, random)
        rising = _rising(crowd, seen, span, random)
        _steady(crowd, seen)
        for direction in (rising.weakest, rising.strongest, rising.blind):
            _as_its_derivatives_say(crowd, seen, direction)
    return crowd.clear


def _stationary(crowd: _Crowd, random: np.random.Generator) -> _Seen:
    """Every component of the gradient is at its floor: `floors`, and `_Hearing.decide`."""
    x = crowd.x
    value, gradient = (part[:, 0] for part in crowd.see(x[:, None]))
    hessian = crowd.hessians(x[:, None])[:, 0]
    crowd.ask(np.isfinite(value) & np.all(np.isfinite(gradient), axis=1) & np.all(np.isfinite(hessian), axis=(1, 2)))
    scale = _scaling(crowd, hessian, np.zeros_like(hessian))
    sigma, shaking = _measured(crowd, (value, gradient, hessian), scale, random)
    resolution = 2 * crowd.unit * np.einsum("kij,kj->ki", np.abs(hessian), np.abs(x))
    floor = resolution + floors_.STRICT * sigma + floors_.SMALLEST
    crowd.ask(np.all(np.abs(gradient) <= floor, axis=1))
    value_floor = floors_.STRICT * (crowd.unit * np.abs(value) + shaking)
    return _Seen(x, value, gradient, hessian, scale, floor, sigma, value_floor)


def _scaling(crowd: _Crowd, hessian: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """`inertia.scaling` for every point; one with a row of noise alone is not clear."""
    large = np.where(np.abs(hessian) > 4 * noise, np.abs(hessian), 0.0)
    crowd.ask(np.all(np.max(large, axis=2) > 0, axis=1))
    scale = np.ones(hessian.shape[:2])
    for _ in range(12):
        rows = np.max(large * scale[:, :, None] * scale[:, None, :], axis=2)
        left = ~np.all(np.abs(np.log2(rows)) < 1, axis=1)
        if not np.any(left & crowd.clear):
            break
        scale = np.where(left[:, None], scale / np.sqrt(rows), scale)
    scale = np.exp2(np.clip(np.round(np.log2(scale)), -1000, 1000))
    return np.where(crowd.clear[:, None], scale, 1.0)


def _sizes(x: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`floors.units_of` and `floors.natural_of`."""
    units = np.maximum(np.abs(x), scale * np.max(np.abs(x) / scale, axis=1, keepdims=True))
    logs = np.log2(scale)
    natural = np.exp2(logs - np.mean(logs, axis=1, keepdims=True))
    return np.where(np.isfinite(units), units, np.abs(x)), natural


def _measured(
    crowd: _Crowd, seen: tuple[np.ndarray, np.ndarray, np.ndarray], scale: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Noise of gradients (k, n) and of values (k,): `floors._measured`."""
    units, natural = _sizes(crowd.x, scale)
    sigma, shaking = np.zeros_like(crowd.x), np.zeros(len(crowd.x))
    for _ in range(2):
        table = _Table(crowd, seen, 32 * crowd.unit * units, 4, random)
        sigma, shaking = np.maximum(sigma, table.noise[:, :-1]), np.maximum(shaking, table.noise[:, -1])
    near = np.where(units < natural, natural, 0.0)
    for _ in range(2 if near.any() else 0):
        wide, close = (_Table(crowd, seen, step * crowd.unit * near, 24, random) for step in (128, 8))
        least = np.where(wide.noise <= 4 * close.noise, wide.noise, close.noise)
        bent = np.einsum("kij,kj->ki", seen[2], wide.step)
        strayed = np.max(np.abs(wide.rows[:, :, :-1] - wide.places[:, None] * bent[:, None]), axis=1)
        believed = np.where(strayed <= 0.5 * floors_.REACH * np.abs(bent), least[:, :-1], 0.0)
        sigma, shaking = np.maximum(sigma, believed), np.maximum(shaking, least[:, -1])
    same = np.flatnonzero(crowd.clear & (shaking == 0))
    if len(same):
        shaking[same] = _grain(crowd, same, seen, np.where(units > 0, units, natural), random)
    return sigma, shaking


def _grain(
    crowd: _Crowd,
    which: np.ndarray,
    seen: tuple[np.ndarray, np.ndarray, np.ndarray],
    lengths: np.ndarray,
    random: np.random.Generator,
) -> np.ndarray:
    """Noise of values that were the same at all points near by: `floors._grain`."""
    found, left = np.zeros(len(which)), np.arange(len(which))
    for power in range(8, 264, 8):
        rest = which[left]
        few = crowd.part(rest)
        steps = 32 * crowd.unit * 2.0**power * lengths[rest]
        table = _Table(few, tuple(one[rest] for one in seen), steps, 4, random)  # type: ignore[arg-type]
        crowd.ask_some(rest, few.clear)
        changed = np.any(table.rows[:, :, -1] != 0, axis=1)
        found[left[changed]] = table.noise[changed, -1]
        left = left[~changed & few.clear]
        if not len(left):
            break
    return found


class _Table:
    """`floors.Table` along a random line through every point, at the same multiples of a step.

    Attributes
    ----------
    step : ndarray, shape (k, n)
    places : ndarray, shape (POINTS,)
    rows : ndarray, shape (k, POINTS, n + 1)
    noise : ndarray, shape (k, n + 1)
    """

    def __init__(
        self,
        crowd: _Crowd,
        seen: tuple[np.ndarray, np.ndarray, np.ndarray],
        steps: np.ndarray,
        bits: int,
        random: np.random.Generator,
    ) -> None:
        grain = np.where(steps > 0, np.exp2(np.round(np.log2(steps)) - bits), 0.0)
        step = grain * random.choice([-1.0, 1.0], steps.shape)
        most = floors_.REACH * 2**bits
        places = np.sort(random.choice(2 * most + 1, floors_.POINTS, replace=False) - most)
        value, gradient = crowd.see(crowd.x[:, None] + places[:, None] * step[:, None])
        changes = [gradient - seen[1][:, None], (value - seen[0][:, None])[:, :, None]]
        self.rows = np.concatenate(changes, axis=2)
        crowd.ask(np.all(np.isfinite(self.rows), axis=(1, 2)))
        self.step, self.places = step * 2.0**bits, places / 2.0**bits
        top = np.max(np.abs(self.rows), axis=1, keepdims=True)
        top = np.where((top > 0) & np.isfinite(top), top, 1.0)
        smooth = np.linalg.qr(np.vander(self.places / floors_.REACH, floors_.DEGREE + 1))[0]
        left = np.einsum("pq,kqj->kpj", np.eye(floors_.POINTS) - smooth @ smooth.T, self.rows / top)
        free = floors_.POINTS - floors_.DEGREE - 1
        self.noise = np.sqrt(np.sum(left**2, axis=1) / free) * top[:, 0]


@dataclass(frozen=True)
class _Rising:
    """Directions of unit length, (k, n): of the smallest curvature, of the largest, and random ones."""

    weakest: np.ndarray
    strongest: np.ndarray
    blind: np.ndarray


def _rising(crowd: _Crowd, seen: _Seen, span: np.ndarray | float, random: np.random.Generator) -> _Rising:
    """Every curvature is positive beyond rounding: `DenseCurvature.measure` and `DenseCurvature.inertia`."""
    x, n = crowd.x, crowd.x.shape[1]
    size = np.maximum(np.maximum(*_sizes(x, seen.scale)), span)
    signs = random.uniform(0.5, 1.0, (len(x), 2, n)) * random.choice([-1, 1], (len(x), 2, n))
    others = crowd.hessians(x[:, None] + (4 * crowd.unit * size)[:, None] * signs)
    apart = np.max(np.abs(others - seen.hessian[:, None]), axis=1)
    noise = np.maximum(2 * crowd.unit * np.abs(seen.hessian), apart)
    crowd.ask(np.all(np.isfinite(noise), axis=(1, 2)))
    scale = _scaling(crowd, seen.hessian, noise)
    both = scale[:, :, None] * scale[:, None, :]
    sound = crowd.clear[:, None, None] & np.all(np.isfinite(seen.hessian * both), axis=(1, 2), keepdims=True)
    values, vectors = np.linalg.eigh(np.where(sound, seen.hessian * both, np.eye(n)))
    rounding = n * EPS * np.max(np.abs(values), axis=1)
    tolerance = rounding + 2 * np.linalg.norm(np.where(sound, noise * both, 0.0), axis=(1, 2))
    crowd.ask(sound[:, 0, 0] & (values[:, 0] > tolerance))
    toward = scale * vectors[:, :, 0]
    away = np.sum(np.abs(toward) * (seen.floor + floors_.UNDERFLOW), axis=1) / np.abs(values[:, 0])
    there = x[:, None] + SIDES[None, :, None] * (away[:, None] * toward)[:, None]
    held = crowd.hessians(there) * both[:, None]
    sound = crowd.clear & np.all(np.isfinite(held), axis=(1, 2, 3))
    smallest = np.linalg.eigvalsh(np.where(sound[:, None, None, None], held, np.eye(n)))[:, :, 0]
    crowd.ask(sound & np.all(smallest > tolerance[:, None], axis=1))
    blind = scale * random.standard_normal(x.shape)
    return _Rising(*(_unit(one) for one in (toward, scale * vectors[:, :, -1], blind)))


def _unit(v: np.ndarray) -> np.ndarray:
    v = v / np.max(np.abs(v), axis=1, keepdims=True)
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def _steady(crowd: _Crowd, seen: _Seen) -> None:
    """Neither values nor slopes shake by half their digits: `second_order._shaking`."""
    half, lengths = np.sqrt(crowd.unit), np.maximum(*_sizes(crowd.x, seen.scale))
    slopes = seen.reach(lengths)
    crowd.ask(seen.value_floor <= floors_.STRICT * half * (np.abs(seen.value) + np.einsum("ki,ki->k", lengths, slopes)))
    crowd.ask(np.all(seen.noise <= half * slopes, axis=1))


def _as_its_derivatives_say(crowd: _Crowd, seen: _Seen, direction: np.ndarray) -> None:
    """No cliff, no kink, no fall against the curvature, and slopes add up: `nearby.cliff` and `nearby.disagreement`."""
    x, unit = crowd.x, crowd.unit
    bent = np.einsum("kij,kj->ki", seen.hessian, direction)
    curvature = np.einsum("ki,ki->k", direction, bent)
    crowd.ask(np.isfinite(curvature) & (curvature > 0))
    curvature = np.where(crowd.clear, curvature, 1.0)
    floor = np.einsum("ki,ki->k", np.abs(direction), seen.floor)
    size = np.linalg.norm(x, axis=1)
    noise = seen.value_floor + 8 * unit * np.abs(seen.value) + floors_.UNDERFLOW
    slopes = np.maximum(64 * (floor + floors_.UNDERFLOW) / curvature, 64 * unit * size)
    values = np.maximum(np.sqrt(1e5 * noise / curvature), slopes)
    beside = 1e-12 * np.maximum(1.0, size)
    steps = np.maximum(values[:, None] / 8.0 ** np.arange(LADDER, -1, -1), slopes[:, None])
    # In this order: where slopes show ... where values do; twice as far; half as far; and where a cliff would be.
    farther = np.stack([2 * values, values / 2, beside], axis=1)
    lengths = np.concatenate([slopes[:, None], steps, farther], axis=1)
    rays = np.concatenate([side * direction[:, None] * lengths[:, :, None] for side in SIDES], axis=1)
    value, gradient = crowd.see(x[:, None] + rays)
    count = lengths.shape[1]
    for side, first in zip(SIDES, (0, count), strict=True):
        seen_values, seen_gradients = value[:, first : first + count], gradient[:, first : first + count]
        along = side * np.einsum("kmi,ki->km", seen_gradients, direction)
        here = side * np.einsum("ki,ki->k", seen.gradient, direction)
        rise = seen_values - seen.value[:, None]
        strayed = along - here[:, None] - lengths * curvature[:, None]
        near = np.abs(strayed) <= 0.5 * lengths * curvature[:, None] + 4 * floor[:, None]
        crowd.ask(np.all(near[:, : LADDER + 2], axis=1))
        crowd.ask((rise[:, -4] >= 0) & (rise[:, -3] >= 0))
        total = values / 6 * (here + 4 * along[:, -2] + along[:, -4])
        size_of, doubt = np.maximum(np.abs(rise[:, -4]), np.abs(total)), 16 * values * floor
        doubt = doubt + 8 * (seen.value_floor + 8 * unit * np.abs(seen_values[:, -4]) + floors_.UNDERFLOW)
        crowd.ask((size_of > 2 * doubt) & (np.abs(rise[:, -4] - total) <= 0.1 * size_of + doubt))
        loud = seen.value_floor > LOUD * unit * (np.abs(seen.value) + floors_.UNDERFLOW)
        most = np.maximum(np.abs(seen.value), np.abs(seen_values[:, -1]))
        crowd.ask(~(loud & (-rise[:, -1] > VISIBLE * unit * most)))
