"""Random intervals with all their edges, points in them, and what Arb says of functions there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from flint import arb

from surefoot.proof.arb_reading import precision
from surefoot.proof.interval import Interval

EDGES = (
    0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, -2.2250738585072014e-308, 1e-300, -1e-300, 1e-16, -1e-16,
    0.5, -0.5, 1.0, -1.0, 1.0 - 2**-53, 1.0 + 2**-52, -1.0 + 2**-53, -1.0 - 2**-52, 1.5, 2.0, -2.0, 2.5, -2.5, 3.0,
    math.pi, -math.pi, math.pi / 2, -math.pi / 2, math.e, 1.4616321449683622, -35.0, 35.0, -37.5, 37.5, 709.0, 710.0,
    -745.0, -746.0, 1e3, -1e3, 1e16, -1e16, 1e22, 1e155, -1e155, 1e300, -1e300, 1.7976931348623157e308,
    -1.7976931348623157e308,
)  # fmt: skip
"""Doubles at which something changes."""


def numbers(rng: np.random.Generator, count: int) -> np.ndarray:
    """Doubles of every size, a good part of them edges and their neighbours."""
    kind = rng.integers(0, 6, count)
    size = 10.0 ** rng.uniform(-320.0, 308.0, count) * rng.choice([-1.0, 1.0], count)
    usual = rng.normal(size=count) * 10.0 ** rng.uniform(-3, 1.5, count)
    edge = rng.choice(EDGES, count)
    with np.errstate(over="ignore", under="ignore"):
        near = np.nextafter(edge, rng.choice([-np.inf, np.inf], count))
    found = np.select([kind == 0, kind == 1, kind == 2], [size, edge, near], usual)
    return np.clip(found, -1.7976931348623157e308, 1.7976931348623157e308)


def intervals(rng: np.random.Generator, count: int) -> Interval:
    """Intervals of every kind: points, neighbours, straddling, wide, without bound, empty."""
    one, other = numbers(rng, count), numbers(rng, count)
    kind = rng.integers(0, 12, count)
    with np.errstate(over="ignore", under="ignore"):
        narrow, next_ = one + np.abs(one) * 10.0 ** rng.uniform(-16, 0, count), np.nextafter(one, np.inf)
    other = np.select([kind <= 1, kind == 2, kind <= 7], [one, next_, narrow], other)
    other = np.clip(other, -1.7976931348623157e308, 1.7976931348623157e308)
    lo, hi = np.minimum(one, other), np.maximum(one, other)
    lo = np.where(rng.random(count) < 0.02, -np.inf, lo)
    hi = np.where(rng.random(count) < 0.02, np.inf, hi)
    gone = rng.random(count) < 0.01
    return Interval(np.where(gone, np.nan, lo), np.where(gone, np.nan, hi))


def members(rng: np.random.Generator, boxes: Interval) -> np.ndarray:
    """A member of each, often an end, 0, or an edge; NaN of the empty one."""
    low, high = np.clip(boxes.lo, -1.7e308, 1.7e308), np.clip(boxes.hi, -1.7e308, 1.7e308)
    share = rng.choice([0.0, 1.0, 0.5, np.nan], boxes.shape)
    share = np.where(np.isnan(share), rng.random(boxes.shape), share)
    with np.errstate(all="ignore"):
        found = low * (1.0 - share) + high * share
        edge = rng.choice(EDGES, boxes.shape)
        found = np.where((rng.random(boxes.shape) < 0.3) & (boxes.lo <= edge) & (edge <= boxes.hi), edge, found)
        found = np.where(share == 0.0, boxes.lo, np.where(share == 1.0, boxes.hi, found))
    found = np.where(np.isinf(found), np.sign(found) * 1.7976931348623157e308, found)
    return np.where(boxes.is_empty, np.nan, np.clip(found, boxes.lo, boxes.hi))


def missed(found: Interval, truths: Sequence[Any]) -> list[int]:
    """Where an enclosure certainly leaves out the value that Arb encloses; what Arb does not know is not asked for."""
    bad: list[int] = []
    for k, (lo, hi, truth) in enumerate(zip(found.lo.tolist(), found.hi.tolist(), truths, strict=True)):
        if truth is None or not truth.is_finite():
            continue
        if not (lo == -math.inf or arb(lo) <= truth.upper()) or not (hi == math.inf or arb(hi) >= truth.lower()):
            bad.append(k)
    return bad


def by_arb(function: Callable[..., Any], *points: np.ndarray, bits: int = 200) -> list[Any]:
    """A function of doubles in Arb."""
    with precision(bits):
        return [
            None if any(math.isnan(entry) for entry in entries) else function(*(arb(entry) for entry in entries))
            for entries in zip(*(array.tolist() for array in points), strict=True)
        ]
