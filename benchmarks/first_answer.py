"""What the first answer costs: Rosenbrock's function in a fresh process after the imports, beside compiling it alone;
and what the loop costs an evaluation beyond f, in ten variables, beside SciPy's BFGS.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.tables import show
from benchmarks.walkers import missing

RUNS = 7
ALLOWED = 0.030
"""Seconds beyond the compilation of value, gradient and Hessian as one program that the first answer may take."""

START = np.array([-1.2, 1.0])
CALLS = 2_000


def rosenbrock(x: Any) -> Any:
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def chained(x: Any) -> Any:
    import jax.numpy as jnp

    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def together() -> None:
    """Value, gradient and Hessian compiled as one program and called once."""
    import jax

    def look(x: Any) -> Any:
        return *jax.value_and_grad(rosenbrock)(x), jax.hessian(rosenbrock)(x)

    with jax.enable_x64(True):
        jax.block_until_ready(jax.jit(look)(START))


def slope(f: Callable[[Any], Any], start: np.ndarray) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Value and gradient compiled, to be called in double precision."""
    import jax

    program = jax.jit(jax.value_and_grad(f)).lower(start).compile()

    def look(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = program(x)
        return float(value), np.asarray(gradient)

    return look


def scipy_bfgs() -> None:
    import jax
    from scipy.optimize import minimize

    with jax.enable_x64(True):
        minimize(slope(rosenbrock, START), START, jac=True, method="BFGS")


def optimistix_bfgs() -> None:
    import jax
    import optimistix

    with jax.enable_x64(True):
        method = optimistix.BFGS(rtol=1e-8, atol=1e-8)
        jax.block_until_ready(optimistix.minimise(lambda x, _: rosenbrock(x), method, START, max_steps=1_000).value)


def surefoot() -> None:
    import surefoot as sf

    sf.minimize(rosenbrock, START)  # type: ignore[attr-defined]


WAYS: dict[str, tuple[Callable[[], None], str]] = {
    "value, gradient, Hessian compiled": (together, "jax"),
    "surefoot": (surefoot, "surefoot"),
    "SciPy BFGS, gradient compiled": (scipy_bfgs, "scipy.optimize"),
    "Optimistix BFGS": (optimistix_bfgs, "optimistix"),
}


def alone(name: str) -> None:
    """Run in a fresh process: seconds of the first call after the imports, and of the second."""
    from importlib import import_module

    way, needed = WAYS[name]
    for module in ("jax", "jax.numpy", needed):
        import_module(module)
    if name == "surefoot":
        import surefoot as sf

        sf.minimize  # noqa: B018  (its modules are imported when it is first named)
    seconds = []
    for _ in range(2):
        clock = time.perf_counter()
        way()
        seconds.append(time.perf_counter() - clock)
    print(json.dumps(seconds))


def main() -> None:
    reason = {"surefoot": missing("surefoot"), "Optimistix BFGS": missing("Optimistix BFGS")}
    for text in filter(None, reason.values()):
        print(f"Left out: {text}.")
    names = [name for name in WAYS if not reason.get(name)]
    found: dict[str, list[list[float]]] = {name: [] for name in names}
    for _ in range(RUNS):
        for name in names:
            command = [sys.executable, "-m", "benchmarks.first_answer", name]
            found[name].append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
    medians = {name: [statistics.median(column) for column in zip(*runs, strict=True)] for name, runs in found.items()}
    reference = medians["value, gradient, Hessian compiled"][0]
    rows = [
        [name, f"{first:.3f}", f"{first - reference:+.3f}", f"{again:.4f}"] for name, (first, again) in medians.items()
    ]
    head = [
        "2-D Rosenbrock, fresh process",
        "first call s",
        f"beyond the first line (allowed {ALLOWED:.3f})",
        "second call s",
    ]
    show(f"The first answer, median of {RUNS} runs in turn; load {os.getloadavg()[0]:.1f}", head, rows)
    show(
        "Ten variables, microseconds beyond f",
        ["", "us an evaluation", "evaluations"],
        overhead(not reason["surefoot"]),
    )


def overhead(ours: bool) -> list[list[str]]:
    """The chained Rosenbrock function with both BFGS in turn; what the evaluations themselves take is subtracted."""
    from scipy.optimize import minimize

    start = np.tile(START, 5)
    look = slope(chained, start)
    for _ in range(CALLS):
        look(start)
    clock = time.perf_counter()
    for _ in range(CALLS):
        look(start)
    each = (time.perf_counter() - clock) / CALLS
    ways: dict[str, Callable[[], tuple[int, float]]] = {
        "SciPy BFGS": lambda: timed(lambda: minimize(look, start, jac=True, method="BFGS").nfev)
    }
    if ours:
        import surefoot as sf

        def loop() -> tuple[int, float]:
            """Seconds from the first look to the last; reading f before it and the verdict after it are apart."""
            rows = sf.minimize(chained, start, method="bfgs").trace.rows
            return len(rows), rows[-1].seconds

        ways["surefoot, method='bfgs', the walk"] = loop
        ways["the same, with reading f and the verdict"] = lambda: timed(
            lambda: sf.minimize(chained, start, method="bfgs").counts.gradients
        )
    best = dict.fromkeys(ways, np.inf)
    calls: dict[str, int] = {}
    for _ in range(20):
        for name, way in ways.items():
            calls[name], seconds = way()
            best[name] = min(best[name], seconds / calls[name] - each)
    rows = [[name, f"{1e6 * seconds:.0f}", str(calls[name])] for name, seconds in best.items()]
    return [["the compiled call itself", f"{1e6 * each:.0f}", ""], *rows]


def timed(way: Callable[[], int]) -> tuple[int, float]:
    clock = time.perf_counter()
    return way(), time.perf_counter() - clock


if __name__ == "__main__":
    alone(sys.argv[1])
