"""Convexity beside CVXPY: what each decides of the same functions, in which time, and which of it is wrong.

CVXPY checks the rules of disciplined convex programming on its own atoms, so each function is written for it by hand.
It never says that a function is not convex, only that its rules do not show that it is.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import jax.numpy as jnp
import numpy as np

import surefoot as sf
from benchmarks.tables import show
from convexity_zoo import ZOO, A, B

ROUNDS = 3
TWO, FOUR = np.array([0.7, 0.4]), np.array([0.7, 0.4, -0.3, 0.2])
THIN = np.diag([1.0, -1e-10])


@dataclass(frozen=True)
class Written:
    """A function for both: as JAX code and as an expression of CVXPY's."""

    name: str
    f: Callable[[Any], Any]
    example: Any
    convex: bool
    cvxpy: Callable[[Any, Any], Any]
    domain: Any = None


BY_HAND = [
    Written("sqrt(1 + s^2)", lambda x: jnp.sqrt(1 + x[0] ** 2), TWO[:1], True, lambda cp, x: cp.sqrt(1 + x[0] ** 2)),
    Written("log(1 + e^s)", lambda x: jnp.log(1 + jnp.exp(x[0])), TWO[:1], True,
            lambda cp, x: cp.log(1 + cp.exp(x[0]))),
    Written("log-sum-exp by hand", lambda x: jnp.log(jnp.sum(jnp.exp(x))), FOUR, True,
            lambda cp, x: cp.log(cp.sum(cp.exp(x)))),
    Written("s s", lambda x: x[0] * x[0], TWO[:1], True, lambda cp, x: x[0] * x[0]),
    Written("(Aw - b)'(Aw - b)", lambda w: (A @ w - B) @ (A @ w - B), FOUR[:3], True,
            lambda cp, w: (A @ w - B) @ (A @ w - B)),
    Written("p log p", lambda p: p[0] * jnp.log(p[0]), TWO[:1], True, lambda cp, p: p[0] * cp.log(p[0]), "x[0] > 0"),
    Written("x^2 + 2xy + 2y^2", lambda x: x[0] ** 2 + 2 * x[0] * x[1] + 2 * x[1] ** 2, TWO, True,
            lambda cp, x: x[0] ** 2 + 2 * x[0] * x[1] + 2 * x[1] ** 2),
    Written("2s^2 - s^2", lambda x: 2 * x[0] ** 2 - x[0] ** 2, TWO[:1], True,
            lambda cp, x: 2 * x[0] ** 2 - x[0] ** 2),
    Written("x'diag(1, -1e-10)x", lambda x: x @ THIN @ x, TWO, False, lambda cp, x: cp.quad_form(x, THIN)),
]  # fmt: skip


def main() -> None:
    import cvxpy

    warnings.filterwarnings("ignore", module="cvxpy")
    sf.convexity(lambda x: x[0] ** 2, TWO)  # what is imported at the first call is not timed
    both = [case for case in ZOO.values() if case.cvxpy is not None]
    rows = [row(cvxpy, case) for case in both]
    missed = [case.name for case, cells in zip(both, rows, strict=True) if cells[1] == "convex" and cells[3] != "right"]
    head = ["function", "CVXPY", "surefoot", "surefoot is", "CVXPY s", "surefoot s"]
    show(f"Atoms of CVXPY {version('cvxpy')}; load {os.getloadavg()[0]:.1f}", head, rows)
    print(f"CVXPY decides {sum(cells[1] == 'convex' for cells in rows)} of {len(rows)}, "
          f"of these surefoot misses: {', '.join(missed) or 'none'}.\n")  # fmt: skip
    show("Functions as people write them", head, [row(cvxpy, case) for case in BY_HAND])
    whole_zoo()


def row(cvxpy: Any, case: Any) -> list[str]:
    """Both on one function, the best of a few rounds, with tracing and the making of the expression in it."""
    example = np.asarray(case.example, dtype=float)
    theirs, their_seconds = best(lambda: by_rules(cvxpy, case.cvxpy, example))
    ours, seconds = best(lambda: sf.convexity(case.f, example, case.domain))
    wrong = "undecided" if ours.convex is None else "right" if ours.convex is case.convex else "WRONG"
    claim = f"{ours.verdict.value}, {ours.rigour.value}"
    word = "not shown" if not theirs else "convex" if case.convex else "convex: WRONG"
    return [case.name, word, claim, wrong, f"{their_seconds:.4f}", f"{seconds:.4f}"]


def by_rules(cvxpy: Any, write: Callable[[Any, Any], Any], example: np.ndarray) -> bool:
    return bool(write(cvxpy, cvxpy.Variable(example.shape)).is_convex())


def best(work: Callable[[], Any]) -> tuple[Any, float]:
    """What comes of it, and the least seconds."""
    result, seconds = timed(work)
    for _ in range(ROUNDS - 1):
        seconds = min(seconds, timed(work)[1])
    return result, seconds


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def whole_zoo() -> None:
    """Every function of the zoo, once."""
    told: dict[bool, list[str]] = {True: [], False: []}
    taken = []
    for case in ZOO.values():
        found, seconds = timed(lambda case=case: sf.convexity(case.f, np.asarray(case.example), case.domain))
        taken.append((seconds, case.name))
        word = "undecided" if found.convex is None else "right" if found.convex is case.convex else "WRONG"
        told[case.convex].append(word)
    rows = [
        ["convex" if convex else "not convex", *(str(words.count(word)) for word in ("right", "undecided", "WRONG"))]
        for convex, words in told.items()
    ]
    slowest, name = max(taken)
    title = f"The zoo: {len(taken)} functions in {sum(s for s, _ in taken):.1f} s, the slowest {name} {slowest:.2f} s"
    show(title, ["functions", "right", "undecided", "WRONG"], rows)
