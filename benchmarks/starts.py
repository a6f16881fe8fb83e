"""A thousand starts in a box: lanes of one compiled function beside a loop over SciPy's L-BFGS-B on the same gradient.

A minimum in the box is found if an answer lies within a thousandth of it. Rastrigin's are the roots of its slope along
each axis, Himmelblau's the roots of its gradient; of Hartmann's six-dimensional function they are what a thousand
answers of the peer, polished by Newton's method, agree on.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.tables import show
from benchmarks.walkers import missing

STARTS = 1_000
AGAIN, FIRST = 50.0, 5.0
"""Times faster than the loop wanted: the lanes alone once compiled, and the first call with compilation, polishing and
verdicts."""

NEAR = 1e-3
HARTMANN_A = np.array([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8],
                       [17, 8, 0.05, 10, 0.1, 14]])  # fmt: skip
HARTMANN_P = 1e-4 * np.array([[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
                              [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]])  # fmt: skip
HARTMANN_C = np.array([1.0, 1.2, 3.0, 3.2])


def himmelblau(x: Any) -> Any:
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def rastrigin(x: Any) -> Any:
    import jax.numpy as jnp

    return 10 * x.size + jnp.sum(x**2 - 10 * jnp.cos(2 * jnp.pi * x))


def hartmann(x: Any) -> Any:
    import jax.numpy as jnp

    return -jnp.sum(HARTMANN_C * jnp.exp(-jnp.sum(HARTMANN_A * (x - HARTMANN_P) ** 2, axis=1)))


@dataclass(frozen=True)
class Case:
    name: str
    f: Callable[[Any], Any]
    box: Sequence[tuple[float, float]]


CASES = [
    Case("Himmelblau", himmelblau, [(-5.0, 5.0)] * 2),
    Case("Rastrigin, 2 variables", rastrigin, [(-5.12, 5.12)] * 2),
    Case("Hartmann, 6 variables", hartmann, [(0.0, 1.0)] * 6),
]


def main() -> None:
    import jax
    import scipy.optimize  # noqa: F401  (loaded before its threads are limited)
    from threadpoolctl import threadpool_limits

    reason = missing("surefoot")
    if reason:
        print(f"The loop alone is shown: {reason}.")
    # On vectors of two numbers the threads of a BLAS only wait for each other.
    with threadpool_limits(1), jax.enable_x64(True):
        wake(not reason)
        rows = [compared(case, not reason) for case in CASES]
    head = ["function", "loop s", "its compiling s", "first call s", "loop / first", "wanted", "a further call s",
            "its lanes s", "loop / lanes", "wanted", "minima in the box", "loop found", "ours found"]  # fmt: skip
    show(f"{STARTS:,} starts; load {os.getloadavg()[0]:.1f}", head, rows, 190)


def wake(ours: bool) -> None:
    """What JAX, SciPy and Surefoot do once in a process is left out: imports, and JAX's rules at their first use."""
    bowl = Case("Bowl", lambda x: (x[0] - x[1] ** 2) ** 2 + x[1] ** 2, [(-1.0, 1.0)] * 2)
    loop(bowl)
    if ours:
        lanes(bowl)


def compared(case: Case, ours: bool) -> list[str]:
    compiling, walking, answers = loop(case)
    known = minima(case, answers)
    told = [case.name, f"{walking:.3f}", f"{compiling:.3f}"]
    if ours:
        first, again, walked, mine = lanes(case)
        told += [f"{first:.3f}", f"{(compiling + walking) / first:.1f}", f"{FIRST:.0f}", f"{again:.4f}",
                 f"{walked:.4f}", f"{walking / walked:.1f}", f"{AGAIN:.0f}"]  # fmt: skip
    else:
        mine = None
        told += ["-"] * 7
    return [*told, str(len(known)), str(found(known, answers)), "-" if mine is None else str(found(known, mine))]


def loop(case: Case) -> tuple[float, float, np.ndarray]:
    """Seconds to compile, seconds of the loop (the better of two), and the points."""
    import jax
    from scipy.optimize import minimize
    from scipy.stats import qmc

    low, high = np.array(case.box).T
    points = qmc.scale(qmc.Sobol(len(low), rng=0).random(1024)[:STARTS], low, high)
    clock = time.perf_counter()
    program = jax.jit(jax.value_and_grad(case.f)).lower(points[0]).compile()
    compiling = time.perf_counter() - clock

    def look(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = program(x)
        return float(value), np.asarray(gradient)

    best, answers = np.inf, points
    for _ in range(2):
        clock = time.perf_counter()
        answers = np.array([minimize(look, point, jac=True, method="L-BFGS-B").x for point in points])
        best = min(best, time.perf_counter() - clock)
    return compiling, best, answers


def lanes(case: Case) -> tuple[float, float, float, np.ndarray]:
    """Seconds of the first call, of a further one and of its lanes (the best of five), and the minima of all starts."""
    import surefoot as sf

    centre = np.mean(case.box, axis=1)

    def run() -> tuple[float, Any]:
        clock = time.perf_counter()
        result = sf.minimize(case.f, centre, starts=STARTS, box=case.box)  # type: ignore[attr-defined]
        return time.perf_counter() - clock, result

    first, result = run()
    further = [run() for _ in range(5)]
    again, walked = min(whole for whole, _ in further), min(one.starts.walk_seconds for _, one in further)
    return first, again, walked, np.array([np.ravel(minimum.x) for minimum in result.starts.minima])


def minima(case: Case, answers: np.ndarray) -> np.ndarray:
    """The distinct minima in the box, each polished and with a positive definite Hessian."""
    import jax

    low, high = np.array(case.box).T
    guesses = answers
    if case.f is rastrigin:
        axis = np.arange(-5.0, 6.0) * 0.995
        guesses = np.array(list(itertools.product(axis, axis)))
    slopes, curvature = jax.jit(jax.vmap(jax.grad(case.f))), jax.jit(jax.vmap(jax.hessian(case.f)))
    kept = guesses[np.all((guesses >= low) & (guesses <= high), axis=1)]
    for _ in range(8):
        H = np.asarray(curvature(kept))
        kept, H = (one[np.linalg.eigvalsh(H)[:, 0] > 0] for one in (kept, H))
        kept = kept - np.linalg.solve(H, np.asarray(slopes(kept))[..., None])[..., 0]
    kept = kept[np.max(np.abs(np.asarray(slopes(kept))), axis=1) < 1e-8]
    kept = kept[np.all((kept >= low) & (kept <= high), axis=1)]
    distinct: list[np.ndarray] = []
    for point in kept:
        if all(np.max(np.abs(point - other)) > NEAR for other in distinct):
            distinct.append(point)
    return np.array(distinct)


def found(known: np.ndarray, answers: np.ndarray) -> int:
    return sum(bool(np.any(np.max(np.abs(answers - one), axis=1) < NEAR)) for one in known)
