"""What Krawczyk's operator needs to see of f: enclosures on boxes made a little larger, and at their middles.

A box is made larger first, so that a zero on its edge lies inside, and what is proven on it holds around the box. At
the edge of where f is considered it is not made larger than that, where f is not smooth beyond.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from surefoot.proof.interval import Interval

INFLATION = 1 / 16
"""Part of its width by which a box grows at each end."""
ULPS = 8
"""It grows at least by so many units in the last place."""


class Derivatives(Protocol):
    """Enclosures of f on B boxes: what `jets.second_order` returns."""

    @property
    def value(self) -> Interval:
        """Shape (B,)."""
        ...

    @property
    def gradient(self) -> Interval:
        """Shape (B, n)."""
        ...

    @property
    def hessian(self) -> Interval:
        """Shape (B, n, n)."""
        ...

    @property
    def defined(self) -> np.ndarray:
        """Whether f is proven to be defined on the whole box, shape (B,)."""
        ...

    @property
    def continuous(self) -> np.ndarray:
        """Whether it is proven to be continuous there, so that the mean value theorem holds with ``gradient``."""
        ...

    @property
    def smooth(self) -> np.ndarray:
        """Whether f is proven to be twice continuously differentiable there, shape (B,)."""
        ...


Differentiate = Callable[[Interval, int], Derivatives]
"""Boxes (B, n) and an order, 1 or 2, to enclosures."""


@dataclass(frozen=True)
class Look:
    """What f is on boxes made a little larger, and at their middles.

    Attributes
    ----------
    region : Interval (B, n)
        The larger boxes.
    middle : ndarray (B, n)
    over, at : Derivatives
        On ``region``, and at ``middle``.
    """

    region: Interval
    middle: np.ndarray
    over: Derivatives
    at: Derivatives

    @property
    def known(self) -> np.ndarray:
        """Where f is proven to be defined and twice continuously differentiable, shape (B,)."""
        return self.over.defined & self.over.smooth

    @property
    def steady(self) -> np.ndarray:
        """Where it is proven to be defined and continuous: kinks have all slopes between those of their sides."""
        return self.over.defined & self.over.continuous

    def replaced(self, places: np.ndarray, other: Look) -> Look:
        """The same with some boxes seen otherwise; the middles stay."""
        mine, its = self.over, other.over
        over = _Seen(
            _put(mine.value, places, its.value), _put(mine.gradient, places, its.gradient),
            _put(mine.hessian, places, its.hessian), _set(mine.defined, places, its.defined),
            _set(mine.continuous, places, its.continuous), _set(mine.smooth, places, its.smooth),
        )  # fmt: skip
        return Look(_put(self.region, places, other.region), self.middle, over, self.at)


@dataclass(frozen=True)
class _Seen:
    """Derivatives put together."""

    value: Interval
    gradient: Interval
    hessian: Interval
    defined: np.ndarray
    continuous: np.ndarray
    smooth: np.ndarray


def _put(mine: Interval, places: np.ndarray, its: Interval) -> Interval:
    return Interval(_set(mine.lo, places, its.lo), _set(mine.hi, places, its.hi))


def _set(mine: np.ndarray, places: np.ndarray, its: np.ndarray) -> np.ndarray:
    copy = np.array(mine)
    copy[places] = its
    return copy


def inflated(boxes: Interval, part: float = INFLATION, free: np.ndarray | None = None) -> Interval:
    """Boxes made larger at every end of a free variable by a part of their width, and a few units in the last place.

    Examples
    --------
    >>> larger = inflated(Interval.of([[0.0, 1.0]]))
    >>> bool(np.all(larger.lo < [0, 1]) and np.all(larger.hi > [0, 1]))
    True
    """
    more = part * (boxes.hi - boxes.lo) + ULPS * np.spacing(np.maximum(np.abs(boxes.lo), np.abs(boxes.hi)))
    if free is not None:
        more = np.where(free, more, 0.0)
    return Interval(boxes.lo - more, boxes.hi + more)


def look(
    derivatives: Differentiate, boxes: Interval, part: float = INFLATION, free: np.ndarray | None = None,
    within: Interval | None = None,
) -> Look:  # fmt: skip
    """Evaluate f for `contract`, on larger boxes that do not leave ``within``, shape (n,)."""
    region, middle = inflated(boxes, part, free), boxes.mid
    if within is not None:
        region = region.meet(within)
    return Look(region, middle, derivatives(region, 2), derivatives(Interval.of(middle), 1))


def look_within(derivatives: Differentiate, boxes: Interval, domain: Interval, free: np.ndarray | None = None) -> Look:
    """The same; at the edge of a domain only over what lies inside it, where f is not smooth beyond."""
    seen = look(derivatives, boxes, free=free)
    beyond = (seen.region.lo < domain.lo).any(axis=1) | (seen.region.hi > domain.hi).any(axis=1)
    again = np.flatnonzero(beyond & ~seen.known)
    if not len(again):
        return seen
    kept = None if free is None else free[again]
    return seen.replaced(again, look(derivatives, boxes[again], free=kept, within=domain))
