"""What the iterative methods cost, before they are run: flops, bytes, products with A, steps for a condition.

Conjugate gradients and LSMR reduce ``|A'r|`` at least like ``2 ((k - 1) / (k + 1))^j`` in j steps, where k is the
condition number after preconditioning; in exact arithmetic they end after min(m, n) steps.

Reference: Bjorck (1996), "Numerical Methods for Least Squares Problems", SIAM, section 7.4.1, p. 291 (rate).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from surefoot.leastsquares.rank import ROUNDOFF

SKETCHED = 3.0
"""Condition after preconditioning with a sketch of four rows a column: (1 + 1/2) / (1 - 1/2)."""


@dataclass(frozen=True)
class Cost:
    """An estimate.

    Attributes
    ----------
    sparse_flops : float
        Of products that wait for memory (a multiplication and an addition an entry).
    dense_flops : float
        Of blocked dense factorisations.
    bytes : float
        Read from memory.
    products : float
        With ``A`` or ``A'``.
    steps : float
        Of the iteration.
    """

    sparse_flops: float
    dense_flops: float
    bytes: float
    products: float
    steps: float

    @property
    def flops(self) -> float:
        return self.sparse_flops + self.dense_flops

    def seconds(self, sparse_rate: float = 1.8e9, dense_rate: float = 4e10) -> float:
        """Time at rates in flops a second; the defaults are those of two processors of the year 2024."""
        return self.sparse_flops / sparse_rate + self.dense_flops / dense_rate


def steps_for(condition: float, reduction: float, most: float = math.inf) -> float:
    """Steps that theory predicts to reduce ``|A'r|`` by a factor.

    Examples
    --------
    >>> steps_for(1.0, 1e-12), round(steps_for(10.0, 1e-12)), steps_for(1e9, 1e-12, most=500)
    (1.0, 141, 500)
    """
    if condition <= 1:
        return 1.0
    rate = math.log1p(2 / (condition - 1))
    return min(most, max(1.0, math.log(2 / reduction) / rate))


def lsmr_cost(rows: int, columns: int, entries: int, condition: float, reduction: float = ROUNDOFF) -> Cost:
    """LSMR with the columns scaled; ``condition`` is that of the columns at length one."""
    steps = steps_for(condition, reduction, 2.0 * min(rows, columns))
    a_pass = 4.0 * entries + 4.0 * rows + 12.0 * columns
    read = 12.0 * entries + 16.0 * rows + 100.0 * columns
    return Cost((steps + 2) * a_pass, 0.0, (steps + 2) * read, 2 * steps + 4, steps)


def cg_cost(rows: int, columns: int, entries: int, condition: float, reduction: float = ROUNDOFF) -> Cost:
    """Conjugate gradients with one pass a step, in single precision where the condition allows, refined."""
    steps = steps_for(condition, reduction, 2.0 * min(rows, columns))
    rounds = 1 + math.ceil(math.log(1 / reduction) / math.log(1e6))
    size = 8.0 if condition < 1000 else 12.0
    a_pass = 4.0 * entries + 10.0 * columns
    return Cost(
        (steps + rounds) * a_pass, 0.0, (steps * size + rounds * 24.0) * entries, 2 * (steps + rounds), steps + rounds
    )


def sketch_cost(rows: int, columns: int, entries: int, reduction: float = ROUNDOFF) -> Cost:
    """LSMR preconditioned by the QR of a sketch, whatever the condition."""
    steps = steps_for(SKETCHED, reduction)
    walk = lsmr_cost(rows, columns, entries, SKETCHED, reduction)
    sketching = 16.0 * entries
    factoring = 2.0 * (4 * columns - columns / 3) * columns**2 + steps * 4.0 * columns**2
    return Cost(
        walk.sparse_flops + sketching, factoring, walk.bytes + 12.0 * 8 * entries, walk.products + 2, walk.steps
    )


def gram_cost(rows: int, columns: int, entries: int, products: float, fill: float) -> Cost:
    """LSMR preconditioned by a factor of ``A'A``.

    Parameters
    ----------
    rows, columns, entries : int
        Of ``A``.
    products : float
        Pairs of entries in the same row: the sum of the squared counts of entries.
    fill : float
        Entries of the factor.
    """
    walk = lsmr_cost(rows, columns, entries, 1.1)
    factoring = fill**2 / max(columns, 1)
    return Cost(
        walk.sparse_flops + 2 * products + 4 * fill * walk.steps,
        factoring,
        walk.bytes + 24 * products + 16 * fill * walk.steps,
        walk.products,
        walk.steps,
    )
