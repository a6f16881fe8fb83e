"""Unconstrained minimisation beside the peers, on the problems of CUTEst.

    python -m benchmarks cutest                      all small problems, then the large ones, afresh, with the tables
    python -m benchmarks.cutest run FILE             what FILE does not have yet; --solvers, --problems, --large
    python -m benchmarks.cutest table FILE...        the tables and the picture again
    python -m benchmarks.cutest judge FILE           judge every point again
    python -m benchmarks.cutest best FILE...         note the lowest values in the committed table

Every walk has 15 s of the processor beside what is compiled before it, in a process of its own that is ended when it
hangs. FILE has a JSON line for each run, the point among it.
"""

from __future__ import annotations

import argparse
import json
import os
from base64 import b64decode
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from benchmarks import profiles
from benchmarks.cutest_problems import SMALL, UNBOUNDED, Known, known, load, measured, write
from benchmarks.runner import Run, read, run_all
from benchmarks.sizes import sized
from benchmarks.tables import show
from benchmarks.walkers import SOLVERS, missing

SECONDS = 15.0
FOLDER = Path(".benchmarks")
BESIDE = ("surefoot", "BFGS", "L-BFGS-B", "trust-exact", "Newton-CG", "Ipopt", "Optimistix BFGS")
BRIEF = ("surefoot", "L-BFGS-B")
LARGE = ("surefoot", "L-BFGS-B", "Newton-CG")
WANTED = 126


def main() -> None:
    for large in sized((False,), (False, True)):
        path = FOLDER / ("cutest_large.jsonl" if large else "cutest.jsonl")
        path.unlink(missing_ok=True)
        run(path, LARGE if large else sized(BRIEF, BESIDE), None, large, workers=2)
        table([path])


def run(path: Path, solvers: Sequence[str], problems: Sequence[str] | None, large: bool, workers: int) -> None:
    from rich.progress import track

    for solver in solvers:
        if missing(solver):
            print(f"{solver} is left out: {missing(solver)}.")
    chosen = [one for one in known().values() if (one.size > SMALL) == large and (not problems or one.name in problems)]
    tasks = [
        (one.name, one.size, solver)
        for one in chosen
        for solver in solvers
        if not missing(solver) and one.size <= SOLVERS[solver].largest
    ]
    runs = run_all(tasks, path, SECONDS, workers)
    for _ in track(runs, f"{len(chosen)} problems, {path}", total=len(tasks)):
        pass


def table(paths: Sequence[Path], solvers: Sequence[str] = (), each: bool = False) -> None:
    """The counts, the profiles and their picture, false claims, and if ``each`` all that fell short."""
    runs = [run for run in read(paths) if not solvers or run["solver"] in solvers]
    best = profiles.best_values(runs, {one.name: one.best for one in known().values()})
    problems = len({run["problem"] for run in runs})
    title = f"{problems} problems, {SECONDS:.0f} s each; load {os.getloadavg()[0]:.1f}; wanted of 131 small: {WANTED}"
    show(title, profiles.STANDING, profiles.standing(runs, best))
    for name, cost in profiles.COSTS.items():
        head = ["solver", *(f"within {factor:g}x" for factor in profiles.FACTORS)]
        show(
            f"Share solved within a multiple of the least: {name}",
            head,
            profiles.profile(profiles.ratios(runs, best, cost)),
        )
    wrong = [[*told_of(one, best), ", ".join(kinds)] for one in runs if (kinds := profiles.falsities(one, best))]
    show("Claims that are not so", [*TOLD, "false"], wrong)
    if each:
        missed = [[*told_of(one, best), one.get("message", "")[:50]] for one in runs if not profiles.reached(one, best)]
        show("Short of the best value", [*TOLD, "message"], missed, 200)
    picture = paths[0].with_suffix(".png")
    profiles.draw(runs, best, picture)
    print(f"Profiles: {picture}")


TOLD = ["problem", "n", "solver", "claim", "ended", "f", "best", "|g|", "least curvature", "of"]


def told_of(run: Run, best: Mapping[str, float]) -> list[str]:
    judged = run.get("judged", {})
    return [
        run["problem"], str(run["n"]), run["solver"], run.get("claim", ""), run["ended"],
        f"{profiles.value(run):.10g}", f"{best[run['problem']]:.10g}",
        *("-" if judged.get(key) is None else f"{judged[key]:.1e}" for key in ("gradient", "least", "norm")),
    ]  # fmt: skip


def judge(path: Path) -> None:
    """Judge every point of the file again, and write it anew."""
    import jax

    from benchmarks.judging import judged
    from benchmarks.walkers import Programs
    from benchmarks.worker import strict

    jax.config.update("jax_enable_x64", True)
    runs = sorted(read([path]), key=lambda run: (run["n"], run["problem"]))
    for name, group in groupby(runs, key=lambda run: run["problem"]):
        programs = Programs(load(name))
        jax.clear_caches()
        for run in group:
            if "x" in run:
                run["judged"] = judged(programs, np.frombuffer(b64decode(run["x"])), profiles.minimum(run))
    path.write_text("".join(json.dumps(strict(run), allow_nan=False) + "\n" for run in runs))


def note(paths: Sequence[Path]) -> None:
    """The lowest value of each problem and its finder, into the committed table."""
    rows = {one.name: one for one in measured()}
    for run in read(paths):
        name, value = run["problem"], profiles.value(run)
        if name in rows and name not in UNBOUNDED and value < rows[name].best:
            rows[name] = Known(name, rows[name].size, value, run["solver"])
    write(rows.values())


def command() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cutest")
    parser.add_argument("action", choices=["run", "table", "judge", "best"])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--solvers", type=lambda text: text.split(";"), default=None, help="names with ; between")
    parser.add_argument("--problems", type=lambda text: text.split(","), default=None)
    parser.add_argument("--large", action="store_true", help=f"those above {SMALL:,} variables")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--each", action="store_true", help="every run that is short of the best value")
    given = parser.parse_args()
    if given.action == "run":
        solvers = given.solvers or (LARGE if given.large else BESIDE)
        run(given.files[0], solvers, given.problems, given.large, given.workers)
    elif given.action == "table":
        table(given.files, given.solvers or (), given.each)
    elif given.action == "judge":
        for path in given.files:
            judge(path)
    else:
        note(given.files)


if __name__ == "__main__":
    command()
