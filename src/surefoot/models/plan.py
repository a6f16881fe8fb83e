"""What each method would cost before it runs: flops, bytes, passes, steps, and seconds on this machine.

The counts are those of the algorithms; the rates are measured, on blocks of random rows of as many columns, because
the speed of a product of matrices depends on their width more than on anything that is written on a processor, and
that of a pass on whether the rows fit in the cache.

| method | flops | passes | steps |
|---|---|---|---|
| normal equations | mn^2 + n^3/3 | 2 | - |
| corrected seminormal | mn^2 + n^3/3 + 4mn a step | 1 + steps | log u / log(n u k^2) |
| preconditioned Cholesky | 2-3mn^2 + 10n^3 | 2 + steps | about 4 |
| QR | 2mn^2 + n^3 | 3 + steps | about 2 |
| SVD | 2mn^2 + 22 n^3 | 3 + steps | about 2 |
| conjugate gradients | 4mn a step | steps | log(2/u) / log((k + 1)/(k - 1)) |
| gradient descent | 4mn a step | steps | log(1/u) / log((k^2 + 1)/(k^2 - 1)) |

for condition k of the columns at length one and u the rounding of a double. To each formula the backward error adds
2n^3/3, the QR of a triangle on a diagonal.

Reference: Golub, Van Loan (2013), "Matrix Computations", 4th ed., section 5.3.2-5.3.3 and 5.5, pp. 262-264, 293.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from surefoot.leastsquares.conjugate import DEEPEST
from surefoot.leastsquares.dense import solve_dense
from surefoot.leastsquares.gram import cholesky, damped
from surefoot.leastsquares.orthogonal import triangle_of
from surefoot.leastsquares.passes import Rows, opened
from surefoot.leastsquares.precise import precise_look
from surefoot.leastsquares.rank import ROUNDOFF
from surefoot.leastsquares.rowblocks import RowBlocks
from surefoot.leastsquares.rungs import CHEAP, FAIR, HOPELESS, SQUARED_TOO_FAR
from surefoot.leastsquares.walk import GENTLE

PILOT = 1 << 23
"""Numbers at most in the rows that passes are measured on: more than a cache holds."""

PILOT_FLOPS = 4e8
"""Flops of the Gram matrix, at most, that rates of arithmetic are measured on."""

FEWEST_RUNS, MOST_RUNS, LONG_ENOUGH = 2, 20, 0.05
"""Runs of a measurement, and the seconds after which there are enough of them."""

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
    start, fit : float
        Seconds that a pass, and that a fit takes whatever the rows.
    walk : float
        Bytes of A (in double) a second that a step of conjugate gradients passes in single precision; as a look where
        it was not measured.
    damped : float
        Flops a second of the QR of a triangle on a diagonal; as other QR where it was not measured.
    """

    gram: float
    product: float
    orthogonal: float
    cubic: float
    look: float
    precise: float
    start: float = 0.0
    fit: float = 0.0
    walk: float = math.nan
    damped: float = math.nan


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
    ('seminormal', 0.15)
    >>> make_plan(100_000, 20_000, 2.0, "known", rates=rates).chosen
    'conjugate gradients'
    """
    rates = rates or measured_rates(columns, rows)
    found = [predict(rows, columns, max(1.0, condition), rates) for predict in _METHODS]
    found = [replace(one, seconds=one.seconds + one.passes * rates.start + rates.fit) for one in found]
    ordered = sorted(found, key=lambda one: (not one.accurate, one.seconds))
    chosen = ran or ordered[0].method
    return Plan(
        rows, columns, condition, condition_from, tuple(ordered), chosen, _reason(ordered, chosen, rows, columns)
    )


def measured_rates(columns: int, rows: int | None = None) -> Rates:
    """Rates at a number of columns, measured once a process; of so many rows as fit in the cache, or of more."""
    width = max(1, min(columns, WIDEST))
    most = max(PILOT // width, 2)
    wanted = most if rows is None else max(2, min(rows, most))
    # To a power of two, so that as good as the same size is not measured again.
    return _measured(width, 1 << (wanted - 1).bit_length())


@cache
def _measured(columns: int, rows: int) -> Rates:
    rng = np.random.default_rng(0)
    some = rng.standard_normal((min(rows, max(2 * columns, int(PILOT_FLOPS / columns**2))), columns))
    fewer = np.vstack([some] * max(1, -(-2 * columns // len(some))))
    matrix = np.resize(some, (rows, columns))
    x, inverse = np.zeros((columns, 1)), np.triu(rng.standard_normal((columns, columns)))
    square = inverse.T @ inverse + columns * np.eye(columns)
    # Passes first: for a while after a product the threads of BLAS spin, and share the cores with those of a pass.
    with opened(matrix, np.ones((rows, 1))) as held:
        look = 8.0 * matrix.size / _fastest(lambda: held.look(x))
    narrow = RowBlocks(matrix).single()
    walk = math.nan if narrow is None else 8.0 * matrix.size / _fastest(lambda: narrow.gram(x[:, 0]))
    with opened(fewer, np.ones((len(fewer), 1))) as held:
        work = len(fewer) * columns**2
        return Rates(
            gram=work / _fastest(held.gram),
            product=2 * work / _fastest(lambda: held.preconditioned_gram(inverse)),
            orthogonal=_qr_flops(len(fewer), columns) / _fastest(lambda: triangle_of(held)),
            cubic=columns**3 / 3 / _fastest(lambda: cholesky(square)),
            look=look,
            precise=8.0 * fewer.size / _fastest(lambda: precise_look(held, np.ones(columns), x)),
            walk=walk,
            damped=2 * columns**3 / 3 / _fastest(lambda: damped(inverse, 1.0)),
            start=_fastest(lambda: Rows(some[:1], np.ones((1, 1))).look(x)),
            fit=_fastest(lambda: solve_dense(np.ones((4, 1)), np.ones((4, 1)), "seminormal")),
        )


def _qr_flops(m: int, n: int) -> float:
    return 2.0 * m * n**2 - (2 * n**3 / 3 if m >= n else 0.0)


def _fastest(work: Callable[[], object]) -> float:
    """Seconds of the best of some runs: the first one wakes threads and memory up, and others may use the machine."""
    best, spent, runs = math.inf, 0.0, 0
    while runs < FEWEST_RUNS or (spent < LONG_ENOUGH and runs < MOST_RUNS):
        start = time.perf_counter()
        work()
        seconds = time.perf_counter() - start
        best, spent, runs = min(best, seconds), spent + seconds, runs + 1
    return best


def _closing(n: int, rates: Rates) -> float:
    """Seconds of the backward error."""
    return 2 * n**3 / 3 / (rates.orthogonal if math.isnan(rates.damped) else rates.damped)


def _normal(m: int, n: int, k: float, rates: Rates) -> Candidate:
    accurate = k * k * ROUNDOFF < 4 * ROUNDOFF
    return Candidate(
        "normal", m * n**2 + n**3 / 3 + 4 * m * n, 16.0 * m * n, 2, 0,
        m * n**2 / rates.gram + n**3 / 3 / rates.cubic + 8.0 * m * n / rates.look + _closing(n, rates), accurate,
        "" if accurate else f"squares the condition: only about {max(0.0, 15.95 - 2 * math.log10(k)):.0f} digits",
    )  # fmt: skip


def _seminormal(m: int, n: int, k: float, rates: Rates) -> Candidate:
    gain = -math.log10(min(0.5, max(1e-15, math.sqrt(n) * ROUNDOFF * k * k)))
    steps = max(2, math.ceil(17 / gain))
    precise = 2 if m * n <= CHEAP else 1 if m * n <= FAIR else 0
    accurate = k < SQUARED_TOO_FAR
    work = m * n**2 / rates.gram + n**3 / 3 / rates.cubic + _closing(n, rates)
    return Candidate(
        "seminormal", m * n**2 + n**3 / 3 + 4.0 * m * n * steps, 8.0 * m * n * (1 + steps), 1 + steps, steps,
        work + 8.0 * m * n * (steps / rates.look + precise / rates.precise), accurate,
        "" if accurate else "the Gram matrix cannot be factored at this condition",
    )  # fmt: skip


def _cholesky_qr(m: int, n: int, k: float, rates: Rates) -> Candidate:
    # The QR of a sample of 2n rows, or below its condition the Gram matrix of all, then the Gram matrix of
    # preconditioned columns, whose products run in single precision, four ordinary looks and one in 20 digits.
    first = 4.0 * n**3 / rates.orthogonal if k > HOPELESS else m * n**2 / rates.gram
    seconds = first + 0.8 * 2.0 * m * n**2 / rates.product + n**3 / rates.cubic + 5 * n**3 / rates.gram
    seconds += 8.0 * m * n * (4 / rates.look + (3 if m * n <= CHEAP else 1) / rates.precise) + _closing(n, rates)
    accurate = k < 0.01 / (64 * ROUNDOFF * math.sqrt(n))
    flops = (2.0 if k > HOPELESS else 3.0) * m * n**2 + 10.0 * n**3
    return Candidate("cholesky-qr", flops, 56.0 * m * n, 7, 4, seconds, accurate,
                     "" if accurate else "rounding hides the rank")  # fmt: skip


def _qr(m: int, n: int, k: float, rates: Rates) -> Candidate:
    # Lengths, the look from zero, the triangle, a look at its answer, two corrections and one in 20 digits.
    seconds = 2.0 * m * n**2 / rates.orthogonal + n**3 / rates.gram + _closing(n, rates)
    seconds += 8.0 * m * n * (5 / rates.look + (3 if m * n <= CHEAP else 1) / rates.precise)
    return Candidate("qr", 2.0 * m * n**2 + 1.0 * n**3, 56.0 * m * n, 7, 2, seconds, True)


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
    most = 2.0 * n + 2 if k < GENTLE else math.inf
    found = _walk("conjugate gradients", min(_steps(2 / ROUNDOFF, k), most), m, n, rates)
    if k >= GENTLE or math.isnan(rates.walk):
        return found
    # Steps in single precision, and looks in double: the columns' lengths, the copy in single, one for each round.
    looks = 2 + math.ceil(math.log(ROUNDOFF) / math.log(DEEPEST["single"]))
    return replace(found, seconds=8.0 * m * n * (found.steps / rates.walk + looks / rates.look))


def _gradient_descent(m: int, n: int, k: float, rates: Rates) -> Candidate:
    return _walk("gradient descent", _steps(1 / ROUNDOFF, k * k), m, n, rates)


def _steps(wanted: float, ratio: float) -> float:
    """Steps that shrink an error by a factor, each by (ratio - 1)/(ratio + 1), and one to see that it is done."""
    each = 2 * math.atanh(1 / ratio) if ratio > 1 else math.inf
    return 1.0 + (max(1, math.ceil(math.log(wanted) / each)) if each else math.inf)


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
