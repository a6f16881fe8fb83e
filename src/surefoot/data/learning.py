"""What a factor must know of a whole column, learnt over the whole source before the first block is made.

A learner is a generator: it yields one function to be shown every frame of a pass, is resumed when the pass is over,
and may ask for another pass; it returns what it learnt. All learners of a formula share their passes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from surefoot.data.frame import Frame

See = Callable[[Frame], None]
T = TypeVar("T")
Learner = Generator[See, None, T]
Counted = Callable[[Frame], tuple[np.ndarray, np.ndarray]]
"""Values with how often each of them stands for itself."""

_BINS = 1 << 16
MOST_HELD = 2_000_000
"""Values collected to sort, at most (32 MB), unless they are all alike."""


def learn(learners: Sequence[Learner[Any]], scan: Callable[[], Iterable[Frame]]) -> list[Any]:
    """Run learners to their end, one scan of the rows for each pass that any of them still needs."""
    results: list[Any] = [None] * len(learners)
    waiting: dict[int, See] = {}

    def advance(which: int) -> None:
        try:
            waiting[which] = next(learners[which])
        except StopIteration as end:
            waiting.pop(which, None)
            results[which] = end.value

    for which in range(len(learners)):
        advance(which)
    while waiting:
        for frame in scan():
            for see in waiting.values():
                see(frame)
        for which in list(waiting):
            advance(which)
    return results


@dataclass
class Moments:
    """Count, mean, spread and range of a column, merged batch by batch without cancellation.

    Reference: Chan, Golub, LeVeque (1983), "Algorithms for computing the sample variance",
    The American Statistician 37(3), pp. 242-247.
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = np.inf
    high: float = -np.inf

    def see(self, values: np.ndarray, counts: np.ndarray | None = None) -> None:
        """Add values, each as often as its count says."""
        if not len(values):
            return
        if counts is None:
            counts = np.ones(len(values))
        count = int(counts.sum())
        mean = float(values[0] + np.dot(values - values[0], counts) / count)
        shift = mean - self.mean
        total = self.count + count
        self.squares += float(np.dot((values - mean) ** 2, counts)) + shift**2 * (self.count * count / total)
        self.mean += shift * (count / total)
        self.count = total
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))

    @property
    def deviation(self) -> float:
        """Standard deviation with divisor ``count - 1``, as R's ``scale``."""
        return float(np.sqrt(self.squares / (self.count - 1))) if self.count > 1 else 0.0


def learn_moments(read: Counted) -> Learner[Moments]:
    """Count, mean, spread and range of a column."""
    moments = Moments()
    yield lambda frame: moments.see(*read(frame))
    return moments


def learn_quantiles(read: Counted, probabilities: Sequence[float]) -> Learner[np.ndarray]:
    """Exact quantiles in bounded memory, interpolated as NumPy and R (type 7) do.

    The range, a histogram, and only those values that share a bin with a wanted order statistic; where these are too
    many to hold (one outlier can put all others into one bin), first a finer histogram of just these bins.
    """
    low, high, total = np.inf, -np.inf, 0

    def measure(frame: Frame) -> None:
        nonlocal low, high, total
        values, counts = read(frame)
        if len(values):
            low, high, total = min(low, values.min()), max(high, values.max()), total + int(counts.sum())

    yield measure
    if total == 0:
        return np.full(len(probabilities), np.nan)
    if low == high:
        return np.full(len(probabilities), low)
    wanted_positions = np.asarray(probabilities) * (total - 1)
    ranks = np.unique(np.concatenate([np.floor(wanted_positions), np.ceil(wanted_positions)]).astype(np.int64))
    edges = _between(low, high, _BINS)

    def bin_of(values: np.ndarray) -> np.ndarray:
        return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)

    def count(frame: Frame) -> None:
        values, counts = read(frame)
        filled[:] += np.bincount(bin_of(values), weights=counts, minlength=len(filled)).astype(np.int64)

    while True:
        filled = np.zeros(len(edges) - 1, dtype=np.int64)
        yield count
        before = np.concatenate([[0], np.cumsum(filled)])
        bins = np.unique(np.searchsorted(before, ranks, side="right") - 1)
        parts = [_between(float(edges[b]), float(edges[b + 1]), _BINS // len(bins)) for b in bins]
        finer = np.unique(np.concatenate([edges[:1], *parts, edges[-1:]]))
        if filled[bins].sum() <= MOST_HELD or np.array_equal(finer, edges):
            break
        edges = finer
    held = {int(b): _Tally() for b in bins}

    def collect(frame: Frame) -> None:
        values, counts = read(frame)
        places = bin_of(values)
        for b, tally in held.items():
            tally.add(values[places == b], counts[places == b])

    yield collect
    for tally in held.values():
        tally.sort_in()
    found = np.array([_order_statistic(int(rank), before, held) for rank in ranks])
    return np.asarray(np.interp(wanted_positions, ranks, found))


def _between(low: float, high: float, count: int) -> np.ndarray:
    """Edges of equal bins; in halves, because the range itself may overflow."""
    return 2 * (low / 2 + (high / 2 - low / 2) * (np.arange(count + 1) / count))


@dataclass
class _Tally:
    """Distinct values with their counts: a column of few values stays small however many rows it has."""

    values: np.ndarray = field(default_factory=lambda: np.zeros(0))
    counts: np.ndarray = field(default_factory=lambda: np.zeros(0))
    waiting: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def add(self, values: np.ndarray, counts: np.ndarray) -> None:
        """Add values; they are sorted in only when they are as many as those before, so that each is sorted rarely."""
        if not len(values):
            return
        self.waiting.append((values, counts))
        if sum(len(one) for one, _ in self.waiting) > max(len(self.values), 10_000):
            self.sort_in()

    def sort_in(self) -> None:
        values = np.concatenate([self.values, *(one for one, _ in self.waiting)])
        counts = np.concatenate([self.counts, *(one for _, one in self.waiting)])
        self.waiting.clear()
        self.values, place = np.unique(values, return_inverse=True)
        self.counts = np.bincount(place, weights=counts)


def _order_statistic(rank: int, before: np.ndarray, held: dict[int, _Tally]) -> float:
    b = int(np.searchsorted(before, rank, side="right") - 1)
    tally = held[b]
    return float(tally.values[np.searchsorted(np.cumsum(tally.counts), rank - before[b], side="right")])


def learn_levels(read: Callable[[Frame], set[Any]]) -> Learner[set[Any]]:
    """The distinct values of a category."""
    seen: set[Any] = set()
    yield lambda frame: seen.update(read(frame))
    return seen
