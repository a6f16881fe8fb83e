"""Runs of many solvers on many problems, told in numbers: who reached the best value, who claimed what was not so.

A solver's performance profile is the share of problems that it solves within ``t`` times the cost of the cheapest
solver of each. Dolan, More (2002), Benchmarking optimization software with performance profiles, Math. Program. 91,
201.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.cutest_problems import UNBOUNDED
from benchmarks.runner import Run

CLOSE = 1e-6
"""Distance from the best known value, relative where that is above one, at which it is reached."""

BETTER = 1e-9
"""The same distance at which a lower value disproves a global minimum."""

EPS = float(np.finfo(float).eps)
FACTORS = (1.0, 2.0, 5.0, 10.0, 100.0)
BY_LENGTH = frozenset({"surefoot", "trust-exact", "trust-exact, defaults"})
"""Solvers that state the length of the gradient; the others its largest component."""

COSTS: dict[str, Callable[[Run], float]] = {
    "calls of f, gradient, Hv or Hessian": lambda run: run["looks"] + run["products"] + run["hessians"],
    "the same, a Hessian as n products": lambda run: run["looks"] + run["products"] + run["n"] * run["hessians"],
    "seconds of the walk": lambda run: run["walking"],
    "seconds with compilation": lambda run: run["walking"] + run["compiling"],
}


def value(run: Run) -> float:
    """f where the run ended, by the judge's own reckoning; infinite where there is none."""
    found = run.get("judged", {}).get("value")
    return found if found is not None and np.isfinite(found) else np.inf


def near(found: float, best: float, tolerance: float) -> bool:
    return bool(found <= best + tolerance * max(1.0, abs(best)))


def minimum(run: Run) -> bool:
    """Whether it claims a minimum of any kind."""
    claim = run.get("claim", "")
    return claim == "success" or claim.endswith("MINIMUM")


def best_values(runs: Iterable[Run], known: Mapping[str, float]) -> dict[str, float]:
    best = dict(known)
    for run in runs:
        best[run["problem"]] = min(value(run), best.get(run["problem"], np.inf))
    return best


def reached(run: Run, best: Mapping[str, float]) -> bool:
    """Whether it has the best value; where there is none, whether it claims no minimum."""
    if run["problem"] in UNBOUNDED:
        return not minimum(run)
    return near(value(run), best[run["problem"]], CLOSE)


def falsities(run: Run, best: Mapping[str, float]) -> list[str]:
    """What is not so in its claim."""
    judged, wrong = run.get("judged", {}), []
    if not minimum(run) or judged.get("value") is None:
        return ["not finite"] if minimum(run) and "value" in judged else wrong
    if run["problem"] in UNBOUNDED:
        wrong.append("unbounded")
    slope = judged["length"] if run["solver"] in BY_LENGTH else judged["gradient"]
    if run["stated"] is not None and slope > run["stated"] + 2 * judged["spread"]:
        wrong.append("gradient")
    if "least" in judged and judged["least"] < -rounding(run):
        wrong.append("curvature")
    if "GLOBAL" in run["claim"] and not near(value(run), best[run["problem"]], BETTER):
        wrong.append("global")
    return wrong


def rounding(run: Run) -> float:
    """What rounding may do to an eigenvalue of the Hessian: of the eigenvalues, and of f on neighbouring points."""
    judged = run["judged"]
    return 8 * run["n"] * EPS * judged["norm"] + 2 * judged.get("bend", 0.0)


def standing(runs: Sequence[Run], best: Mapping[str, float]) -> list[list[str]]:
    """A row for each solver: the counts, and medians over the problems on which it reached the best value."""
    rows = []
    for solver in dict.fromkeys(run["solver"] for run in runs):
        mine = [run for run in runs if run["solver"] == solver]
        good = [run for run in mine if reached(run, best) and "walking" in run]
        wrong = [falsities(run, best) for run in mine]
        counts = [sum(kind in one for one in wrong) for kind in ("gradient", "curvature", "global", "unbounded")]
        claims = [run for run in mine if minimum(run)]
        short = [run for run in claims if not reached(run, best)]
        lost = [run for run in mine if run["ended"] in ("hung", "died", "failed")]
        medians = [f"{np.median([cost(run) for run in good]):.3g}" if good else "-" for cost in COSTS.values()]
        whole = np.median([run.get("walking", np.nan) for run in mine if "walking" in run])
        rows.append(
            [solver, *map(str, (len(mine), len(good), len(claims), len(short), *counts, len(lost))), *medians,
             f"{whole:.3g}", f"{np.median([run.get('judging', 0.0) for run in mine]):.3g}"]
        )  # fmt: skip
    return rows


STANDING = [
    "solver", "runs", "best f", "claims", "short", "false |g|", "H", "global", "endless", "lost", "calls", "H as n",
    "walk s", "with compiling", "walk s, all", "judge s",
]  # fmt: skip
"""Claims of a minimum; those short of the best value; false ones by gradient, by curvature, as global, and where f
falls without end; runs that hung or died; medians over the problems with the best value, the last two over all: of the
walk itself, and of the judge that only Surefoot has."""


def ratios(runs: Sequence[Run], best: Mapping[str, float], cost: Callable[[Run], float]) -> dict[str, np.ndarray]:
    """For each solver its cost over the least of all, problem by problem; infinite where it is not solved."""
    runs = [run for run in runs if run["problem"] not in UNBOUNDED]
    solvers, problems = (list(dict.fromkeys(run[key] for run in runs)) for key in ("solver", "problem"))
    costs = np.full((len(problems), len(solvers)), np.inf)
    for run in runs:
        if reached(run, best) and "walking" in run:
            costs[problems.index(run["problem"]), solvers.index(run["solver"])] = max(cost(run), 1e-9)
    least = costs.min(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        over = np.where(np.isfinite(costs), costs / least, np.inf)
    return dict(zip(solvers, over.T, strict=True))


def profile(over: Mapping[str, np.ndarray], factors: Sequence[float] = FACTORS) -> list[list[str]]:
    return [[solver, *(f"{np.mean(mine <= factor):.2f}" for factor in factors)] for solver, mine in over.items()]


def draw(runs: Sequence[Run], best: Mapping[str, float], path: Path) -> None:
    """All profiles as one picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 8), layout="constrained")
    for axes, (title, cost) in zip(figure.subplots(2, 2).flat, COSTS.items(), strict=True):
        for k, (solver, mine) in enumerate(ratios(runs, best, cost).items()):
            steps = np.sort(mine[np.isfinite(mine)])
            shares = np.arange(1, len(steps) + 1) / len(mine)
            ours = solver == "surefoot"
            axes.step(
                np.r_[1.0, steps, 1e4], np.r_[0.0, shares, shares[-1:] if len(shares) else 0.0], where="post",
                label=solver, color="black" if ours else f"C{k}", linewidth=2.2 if ours else 1.2,
            )  # fmt: skip
        axes.set(
            title=title, xscale="log", xlim=(1, 1e4), ylim=(0, 1), xlabel="times the cheapest", ylabel="share solved"
        )
        axes.grid(alpha=0.3)
    figure.axes[0].legend(loc="lower right", fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
