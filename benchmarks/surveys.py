"""Surveys of well-known functions: seconds beside the target, the points found, and whether they are proven to be all.

Functions and boxes: Jamil, Yang (2013), "A literature survey of benchmark functions for global optimisation problems",
Int. J. of Mathematical Modelling and Numerical Optimisation 4(2); Hartmann's from Dixon, Szego (1978), "Towards Global
Optimisation 2", North-Holland. Seconds are those of a second call, imports and the first reading of the code left out.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np

import surefoot as sf
from benchmarks.sizes import sized
from benchmarks.tables import show

PATIENCE = float(os.environ.get("SUREFOOT_BENCH_SURVEY_SECONDS", sized(60, 120)))
"""Seconds after which a survey is cut off."""
BOXES = 10**9
"""Time is the only budget."""
SLOW = 5.0
"""A survey that takes longer is not run three times."""

WEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
SCALES_3 = np.array([[3, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]])
PLACES_3 = 1e-4 * np.array([[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]])
SCALES_6 = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
PLACES_6 = 1e-4 * np.array(
    [[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
     [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]
)  # fmt: skip


def camel(x: Any) -> Any:
    a, b = x
    return (4 - 2.1 * a**2 + a**4 / 3) * a**2 + a * b + (4 * b**2 - 4) * b**2


def himmelblau(x: Any) -> Any:
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def branin(x: Any) -> Any:
    inner = x[1] - 5.1 / (4 * math.pi**2) * x[0] ** 2 + 5 / math.pi * x[0] - 6
    return inner**2 + 10 * (1 - 1 / (8 * math.pi)) * jnp.cos(x[0]) + 10


def goldstein_price(x: Any) -> Any:
    a, b = x
    first = 1 + (a + b + 1) ** 2 * (19 - 14 * a + 3 * a**2 - 14 * b + 6 * a * b + 3 * b**2)
    return first * (30 + (2 * a - 3 * b) ** 2 * (18 - 32 * a + 12 * a**2 + 48 * b - 36 * a * b + 27 * b**2))


def styblinski_tang(x: Any) -> Any:
    return jnp.sum(x**4 - 16 * x**2 + 5 * x) / 2


def rastrigin(x: Any) -> Any:
    return 10 * x.size + jnp.sum(x**2 - 10 * jnp.cos(2 * math.pi * x))


def shubert(x: Any) -> Any:
    j = jnp.arange(1.0, 6.0)
    return jnp.prod(jnp.sum(j * jnp.cos((j + 1) * x[:, None] + j), axis=1))


def rosenbrock(x: Any) -> Any:
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def hartmann_3(x: Any) -> Any:
    return -jnp.sum(WEIGHTS * jnp.exp(-jnp.sum(SCALES_3 * (x - PLACES_3) ** 2, axis=1)))


def hartmann_6(x: Any) -> Any:
    return -jnp.sum(WEIGHTS * jnp.exp(-jnp.sum(SCALES_6 * (x - PLACES_6) ** 2, axis=1)))


@dataclass(frozen=True)
class Asked:
    """A function with its box; the most seconds that it may take, infinity where it is only to be decided."""

    name: str
    f: Callable[[Any], Any]
    box: list[tuple[float, float]]
    target: float = math.inf
    only: Literal["minimum"] | None = None


ASKED = [
    Asked("six-hump camel", camel, [(-3, 3), (-2, 2)], 0.5),
    Asked("Himmelblau", himmelblau, [(-6, 6)] * 2, 3.0),
    Asked("Branin", branin, [(-5, 10), (0, 15)], 3.0),
    Asked("Goldstein-Price", goldstein_price, [(-2, 2)] * 2, 3.0),
    Asked("Styblinski-Tang, 2", styblinski_tang, [(-5, 5)] * 2, 3.0),
    Asked("Rastrigin, 2", rastrigin, [(-5.12, 5.12)] * 2, 2.0),
    Asked("Shubert, 2", shubert, [(-10, 10)] * 2, 60.0),
    Asked("Hartmann, 3", hartmann_3, [(0, 1)] * 3),
    Asked("Rosenbrock, 4", rosenbrock, [(-2, 2)] * 4),
    Asked("Styblinski-Tang, 4", styblinski_tang, [(-5, 5)] * 4),
    Asked("Hartmann, 6, minimum alone", hartmann_6, [(0, 1)] * 6, only="minimum"),
]


def main() -> None:
    head = ["function", "seconds", "target", "boxes", "minima", "saddles", "maxima", "other", "undecided", "complete",
            "global minimum", "width"]  # fmt: skip
    rows = [row(asked) for asked in ASKED]
    show(f"Every stationary point of a box; load {os.getloadavg()[0]:.1f}", head, rows, width=180)


def row(asked: Asked) -> list[str]:
    survey, seconds = surveyed(asked)
    counts = {verdict.name: count for verdict, count in survey.counts.items()}
    classes = [counts.pop(name, 0) for name in ("STRICT_LOCAL_MINIMUM", "SADDLE", "LOCAL_MAXIMUM")]
    lowest = survey.global_minimum
    counted = ["", "", "", ""] if asked.only else [*map(str, classes), str(sum(counts.values()))]
    left = len(lowest.undecided) if asked.only else len(survey.undecided)
    return [
        asked.name, f"{seconds:.2f}", "decided" if math.isinf(asked.target) else f"{asked.target:g}",
        f"{survey.examined:,}", *counted, f"{left:,}", "-" if asked.only else "yes" if survey.complete else "no",
        f"{lowest.value:.9g} ({lowest.verdict.value})", f"{lowest.values[1] - lowest.values[0]:.0e}",
    ]  # fmt: skip


def surveyed(asked: Asked) -> tuple[sf.Survey, float]:
    """The survey, and the least seconds of up to three calls."""
    timed(asked, boxes=1)
    survey, best = timed(asked)
    for _ in range(2 if best < SLOW else 0):
        best = min(best, timed(asked)[1])
    return survey, best


def timed(asked: Asked, boxes: int = BOXES) -> tuple[sf.Survey, float]:
    start = time.perf_counter()
    survey = sf.survey(asked.f, asked.box, only=asked.only, max_boxes=boxes, max_seconds=PATIENCE)
    return survey, time.perf_counter() - start
