"""What each method would cost before it runs: flops, bytes, passes, steps, and seconds on this machine.

The counts are those of the algorithms; the rates are measured, on a block of random rows of as many columns, because
the speed of a product of matrices depends on their width more than on anything that is written on a processor.

| method | flops | passes | steps |
|---|---|---|---|
| normal equations | mn^2 + n^3/3 | 2 | - |
| corrected seminormal | mn^2 + n^3/3 + 4mn a step | 1 + steps | log u / log(n u k^2) |
| preconditioned Cholesky | 3mn^2 + 2n^3 | 2 + steps | about 5 |
| QR | 2mn^2 | 1 + steps | about 3 |
| SVD | 2mn^2 + 22 n^3 | 1 + steps | about 3 |
| conjugate gradients | 4mn a step | steps | k log(2/u) / 2 |
| gradient descent | 4mn a step | steps | k^2 log(2/u) / 2 |

for condition k of the columns at length one and u the rounding of a double.

Reference: Golub, Van Loan (2013), "Matrix Computations", 4th ed., section 5.3.2-5.3.3 and 5.5, pp. 262-264, 293.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from surefoot.leastsquares.orthogonal import triangle_of
from surefoot.leastsquares.passes import Rows, opened
from surefoot.leastsquares.precise import precise_look
from surefoot.leastsquares.rank import ROUNDOFF
from surefoot.leastsquares.rungs import CHEAP, SQUARED_TOO_FAR

PILOT = 1 << 21
"""Numbers in the rows that rates are measured on: some tenths of a second in all."""

WIDEST = 1000
"""Columns beyond which rates no longer change."""


@dataclass(frozen=True)
class Rates:
    """What this machine does in a second, at a number of columns.

    Attributes
    ----------
    gram, product, orthogonal, cubic : float
        Flops a second of ``A'A``, of ``(AS)'(AS)``, of QR by blocks, and of a factorisation of n by n.
    look, precise : float
        Bytes of A a second that an ordinary look and one in about 20 digits pass.
    start : float
        Seconds that a pass takes whatever the rows.
    """

    gram: float
    product: float
    orthogonal: float
    cubic: float
    look: float
    precise: float
    start: float = 0.0


@dataclass(frozen=True)
class Candidate:
    """One method with its predicted work.

    Attributes
    ----------
    method : str
    flops, bytes, passes, steps, seconds : float
        Steps are corrections, or steps of a walk. ``bytes`` are read from memory.
    accurate : bool
        Whether it is expected to end at rounding level at this condition.
    why : str
        What speaks against it; empty where nothing does.
    """

    method: str
    flops: float
    bytes: float
    passes: float
    steps: float
    seconds: float
    accurate: bool
    why: str = ""


@dataclass(frozen=True)
class Plan:
    """Candidates for m rows and n columns, and the choice.

    Attributes
    ----------
    rows, columns : int
    condition : float
        Of the columns at length one, with ``condition_from`` saying how it is known.
    candidates : tuple of Candidate
        Cheapest first within the accurate ones, the others after them.
    chosen : str
        Of ``candidates``, by name; ``reason`` says why.
    """

    rows: int
    columns: int
    condition: float
    condition_from: str
    candidates: tuple[Candidate, ...]
    chosen: str
    reason: str

    def __str__(self) -> str:
        from surefoot.report.plan import plan_text

        return plan_text(self)

    def candidate(self, method: str) -> Candidate:
        """The candidate of that name."""
        return next(one for one in self.candidates if one.method == method)


def make_plan(
    rows: int,
    columns: int,
    condition: float,
    condition_from: str,
    *,
    ran: str | None = None,
    rates: Rates | None = None,
) -> Plan:
    """Predict every method for dense rows.

    Parameters
    ----------
    rows, columns : int
    condition : float
        Known or estimated, of the columns at length one.
    condition_from : str
        How it is known, as 'known from the triangle'.
    ran : str, optional
        What was taken in fact; the cheapest accurate candidate otherwise.
    rates : Rates, optional
        Measured now if not given.

    Examples
    --------
    >>> rates = Rates(5e10, 4e10, 3e10, 1e10, 1e10, 2e9)
    >>> plan = make_plan(100_000, 100, 50.0, "known", rates=rates)
    >>> plan.chosen, round(plan.candidate("qr").seconds, 2)
    ('seminormal', 0.09)
    >>> make_plan(100_000, 20_000, 2.0, "known", rates=rates).chosen
    'conjugate gradients'
    """
    rates = rates or measured_rates(columns)
    found = [predict(rows, columns, max(1.0, condition), rates) for predict in _METHODS]
    found = [replace(one, seconds=one.seconds + one.passes * rates.start) for one in found]
    ordered = sorted(found, key=lambda one: (not one.accurate, one.seconds))
    chosen = ran or ordered[0].method
    return Plan(
        rows, columns, condition, condition_from, tuple(ordered), chosen, _reason(ordered, chosen, rows, columns)
    )


def measured_rates(columns: int) -> Rates:
    """Rates at a number of columns, measured once a process."""
    return _measured(max(1, min(columns, WIDEST)))


@cache
def _measured(columns: int) -> Rates:
    rng = np.random.default_rng(0)
    rows = max(PILOT // columns, 2 * columns)
    matrix, right = rng.standard_normal((rows, columns)), rng.standard_normal((rows, 1))
    x, inverse = np.zeros((columns, 1)), np.triu(rng.standard_normal((columns, columns)))
    square = inverse.T @ inverse + columns * np.eye(columns)
    with opened(matrix, right) as held:
        square_work, size = rows * columns**2, 8.0 * matrix.size
        return Rates(
            gram=square_work / _fastest(held.gram),
            product=2 * square_work / _fastest(lambda: held.preconditioned_gram(inverse)),
            orthogonal=2 * square_work / _fastest(lambda: triangle_of(held)),
            cubic=columns**3 / 3 / _fastest(lambda: np.linalg.cholesky(square)),
            look=size / _fastest(lambda: held.look(x)),
            precise=size / _fastest(lambda: precise_look(held, np.ones(columns), x)),
            start=_fastest(lambda: Rows(matrix[:1], right[:1]).look(x)),
        )


def _fastest(work: Callable[[], object]) -> float:
    """Seconds of the better of three runs: the first one wakes threads and memory up."""
    best = math.inf
    for _ in range(3):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def _normal(m: int, n: int, k: float, rates: Rates) -> Candidate:
    accurate = k * k * ROUNDOFF < 4 * ROUNDOFF
    return Candidate(
        "normal", m * n**2 + n**3 / 3 + 4 * m * n, 16.0 * m * n, 2, 0,
        m * n**2 / rates.gram + n**3 / 3 / rates.cubic + 8.0 * m * n / rates.look, accurate,
        "" if accurate else f"squares the condition: only about {max(0.0, 15.95 - 2 * math.log10(k)):.0f} digits",
    )  # fmt: skip


def _seminormal(m: int, n: int, k: float, rates: Rates) -> Candidate:
    gain = -math.log10(min(0.5, max(1e-15, math.sqrt(n) * ROUNDOFF * k * k)))
    steps = max(2, math.ceil(17 / gain))
    precise = 2 if m * n <= CHEAP else 0
    accurate = k < SQUARED_TOO_FAR
    work = m * n**2 / rates.gram + n**3 / 3 / rates.cubic
    return Candidate(
        "seminormal", m * n**2 + n**3 / 3 + 4.0 * m * n * steps, 8.0 * m * n * (1 + steps), 1 + steps, steps,
        work + 8.0 * m * n * (steps / rates.look + precise / rates.precise), accurate,
        "" if accurate else "the Gram matrix cannot be factored at this condition",
    )  # fmt: skip


def _cholesky_qr(m: int, n: int, k: float, rates: Rates) -> Candidate:
    # The first Gram matrix, one of preconditioned columns, three ordinary and about three precise looks.
    seconds = m * n**2 / rates.gram + 2.0 * m * n**2 / rates.product + 2.0 * n**3 / 3 / rates.cubic
    seconds += 8.0 * m * n * (3 / rates.look + 3 / rates.precise)
    accurate = k < 0.01 / (64 * ROUNDOFF * math.sqrt(n))
    return Candidate("cholesky-qr", 3.0 * m * n**2 + 2.0 * n**3, 64.0 * m * n, 8, 5, seconds, accurate,
                     "" if accurate else "rounding hides the rank")  # fmt: skip


def _qr(m: int, n: int, k: float, rates: Rates) -> Candidate:
    seconds = 2.0 * m * n**2 / rates.orthogonal + 8.0 * m * n * (2 / rates.look + 3 / rates.precise)
    return Candidate("qr", 2.0 * m * n**2, 48.0 * m * n, 6, 3, seconds, True)


def _svd(m: int, n: int, k: float, rates: Rates) -> Candidate:
    one = _qr(m, n, k, rates)
    # Measured: the decomposition of a triangle runs at a tenth of the speed of Cholesky.
    return Candidate("svd", one.flops + 22.0 * n**3, one.bytes, one.passes, one.steps,
                     one.seconds + 22.0 * n**3 / (3 * rates.cubic), True)  # fmt: skip


def _walk(name: str, steps: float, m: int, n: int, rates: Rates) -> Candidate:
    return Candidate(
        name, 4.0 * m * n * steps, 8.0 * m * n * steps, steps, steps, 8.0 * m * n * steps / rates.look, True
    )


def _conjugate_gradients(m: int, n: int, k: float, rates: Rates) -> Candidate:
    # In exact arithmetic n steps are enough; rounding spoils that as the condition grows.
    most = 2.0 * n + 2 if k < 1e3 else math.inf
    return _walk("conjugate gradients", math.ceil(min(k * math.log(2 / ROUNDOFF) / 2 + 2, most)), m, n, rates)


def _gradient_descent(m: int, n: int, k: float, rates: Rates) -> Candidate:
    return _walk("gradient descent", math.ceil(k * k * math.log(2 / ROUNDOFF) / 2 + 1), m, n, rates)


_METHODS = (_normal, _seminormal, _cholesky_qr, _qr, _svd, _conjugate_gradients, _gradient_descent)


def _reason(ordered: list[Candidate], chosen: str, m: int, n: int) -> str:
    """Why the chosen one is, in a sentence."""
    taken = next(one for one in ordered if one.method == chosen) if chosen in {o.method for o in ordered} else None
    if taken is None:
        return f"{chosen} was asked for."
    others = [one for one in ordered if one.accurate and one.method != chosen]
    if not taken.accurate:
        return f"{chosen} was asked for; it is not expected to reach rounding: {taken.why}."
    if not others:
        return f"Only {chosen} is expected to reach rounding at this condition."
    best = others[0]
    if taken.seconds <= best.seconds:
        return (
            f"Of the methods that reach rounding at this condition, {chosen} is predicted to be the fastest: "
            f"{best.seconds / taken.seconds:.1f} times faster than {best.method}."
        )
    times = taken.seconds / best.seconds
    return f"{best.method} is predicted to be {times:.1f} times faster; {chosen} is what ran, as sturdier or as asked."
