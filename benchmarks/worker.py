"""A process that runs one solver on one problem after another, as it is told on its standard input, line by line.

It answers with a line when the walk begins, one when it has ended and one when the point is judged, so that who waits
knows what takes the time and can end the process without losing what was done.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import warnings
from base64 import b64encode
from dataclasses import asdict
from typing import Any

import numpy as np

IMPORTED = ("scipy.optimize", "cyipopt", "optimistix", "surefoot")
"""Before any clock starts."""


def strict(told: Any) -> Any:
    """The same with None for what is no finite number, as JSON has none of those."""
    if isinstance(told, dict):
        return {key: strict(value) for key, value in told.items()}
    return None if isinstance(told, float) and not np.isfinite(told) else told


def wake() -> None:
    """What is imported and compiled once in a process is no part of the first walk in it."""
    import jax
    from scipy.optimize import minimize

    from benchmarks.walkers import missing

    jax.jit(lambda x: x + 1)(np.zeros(1))
    for method in ("BFGS", "L-BFGS-B", "Newton-CG"):
        minimize(lambda x: (x @ x, 2 * x), np.ones(1), jac=True, method=method)
    if not missing("surefoot"):
        import surefoot as sf

        sf.minimize(lambda x: (x[0] ** 2 - 1) ** 2 + x[1] ** 2, np.full(2, 0.1))  # type: ignore[attr-defined]


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what solvers print is no answer
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")

    import jax

    for name in IMPORTED:
        if importlib.util.find_spec(name.split(".")[0]) is not None:
            importlib.import_module(name)

    from benchmarks.cutest_problems import load
    from benchmarks.judging import judged
    from benchmarks.walkers import SOLVERS, Programs

    jax.config.update("jax_enable_x64", True)
    wake()
    programs: Programs | None = None

    def answer(event: str, **told: Any) -> None:
        answers.write(json.dumps(strict({"event": event, **told}), allow_nan=False) + "\n")

    answer("ready")
    for line in sys.stdin:
        task = json.loads(line)
        if programs is None or programs.problem.name != task["problem"]:
            jax.clear_caches()
            programs = Programs(load(task["problem"]))
        try:
            walk = SOLVERS[task["solver"]].solve(programs, task["seconds"], lambda: answer("walking"))
        except Exception as error:
            answer("failed", message=f"{type(error).__name__}: {error}"[:500])
            continue
        told = asdict(walk) | {"x": b64encode(np.asarray(walk.x, float).tobytes()).decode()}
        answer("walked", **told)
        try:
            answer("judged", judged=judged(programs, walk.x, bool(walk.claim)))
        except Exception as error:
            answer("judged", judged={"message": f"{type(error).__name__}: {error}"[:500]})


if __name__ == "__main__":
    main()
