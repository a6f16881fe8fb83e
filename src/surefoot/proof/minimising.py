"""What branch and bound knows of the global minimum of a box: where it can be, and how low f is proven to go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.problem.box import Box
from surefoot.proof.cutting import grid, joined
from surefoot.proof.interval import Interval
from surefoot.proof.interval_sums import matrix_product
from surefoot.proof.looking import Differentiate


@dataclass(frozen=True)
class Candidates:
    """Where the global minimum of a box can be.

    Attributes
    ----------
    zeros, regions : Interval (m, n)
        Points, proven to be there, at which the derivatives by the variables that vary are 0, and boxes in which each
        is the only one.
    sides : ndarray of int8 (m, n)
        -1 or 1 where a variable does not vary, because the point lies on the lower or the upper face.
    """

    zeros: Interval
    regions: Interval
    sides: np.ndarray

    def __len__(self) -> int:
        return len(self.zeros)

    def __getitem__(self, places: np.ndarray) -> Candidates:
        return Candidates(self.zeros[places], self.regions[places], self.sides[places])

    def with_others(self, others: Candidates) -> Candidates:
        """These, then others."""
        return Candidates(joined(self.zeros, others.zeros), joined(self.regions, others.regions),
                          np.concatenate([self.sides, others.sides]))  # fmt: skip


@dataclass(frozen=True)
class Minimising:
    """What is known of the global minimum of a box.

    Attributes
    ----------
    waiting : Interval (k, n)
        Boxes in which it may also be.
    sides : ndarray of int8 (k, n)
        Their variables that do not vary, as in `Candidates`.
    bounds : ndarray (k,)
        Lower bounds of f there.
    candidates : Candidates
    top : float
        A value that f takes in the box, rounded up: the upper bound of the minimum.
    best : ndarray (n,)
        A double at or next to the place where it takes it.
    examined : int
    seconds : float
    stop : str
        Why it ended early; empty where it did not.
    """

    waiting: Interval
    sides: np.ndarray
    bounds: np.ndarray
    candidates: Candidates
    top: float
    best: np.ndarray
    examined: int = 0
    seconds: float = 0.0
    stop: str = ""

    @classmethod
    def of(cls, box: Box) -> Minimising:
        """The beginning: anywhere."""
        boxes = grid(box.lower, box.upper, 64)
        return cls.among(boxes, np.zeros(boxes.shape, dtype=np.int8))

    @classmethod
    def among(cls, boxes: Interval, sides: np.ndarray) -> Minimising:
        """Somewhere in boxes, some of which are parts of faces."""
        size = boxes.shape[1]
        none = Interval.of(np.zeros((0, size)))
        nothing = Candidates(none, none, np.zeros((0, size), dtype=np.int8))
        return cls(boxes, sides, np.full(len(boxes), -np.inf), nothing, np.inf, np.full(size, np.nan))


def faces(box: Box) -> tuple[Interval, np.ndarray]:
    """The 2 n faces of a box, and which variable does not vary on each."""
    size = len(box.lower)
    lo, hi = np.tile(box.lower, (2 * size, 1)), np.tile(box.upper, (2 * size, 1))
    sides = np.zeros((2 * size, size), dtype=np.int8)
    for k in range(size):
        hi[2 * k, k], lo[2 * k + 1, k] = box.lower[k], box.upper[k]
        sides[2 * k, k], sides[2 * k + 1, k] = -1, 1
    return Interval(lo, hi), sides


def values_at(derivatives: Differentiate, candidates: Candidates) -> Interval:
    """F at points where its derivatives by the variables that vary are 0: f(m) - 1/2 (E - m)' H(E) (E - m)."""
    zeros, middle = candidates.zeros, candidates.zeros.mid
    if not len(zeros):
        return Interval.of(np.zeros(0))
    over, at = derivatives(zeros, 2), derivatives(Interval.of(middle), 0)
    apart = zeros - Interval.of(middle)
    turned = matrix_product(over.hessian, apart[..., None])
    rest = matrix_product(apart[:, None, :], turned)[:, 0, 0]
    return (at.value - Interval.of(np.full(len(zeros), 0.5)) * rest).meet(over.value)
