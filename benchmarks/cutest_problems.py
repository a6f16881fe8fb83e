"""The unconstrained problems of CUTEst as JAX functions: sif2jax, one module a problem.

Importing the whole of sif2jax takes half a minute and more, for a thousand problems that nobody asked for. Here its
folders are packages without the lists in their ``__init__``, so that one problem costs milliseconds.

Gould, Orban, Toint (2015), CUTEst: a constrained and unconstrained testing environment, Comput. Optim. Appl. 60, 545.
"""

from __future__ import annotations

import ast
import csv
import importlib
import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

ROOM = "sif2jax.cutest._unconstrained_minimisation"
LISTED = "unconstrained_minimisation_problems"
TABLE = Path(__file__).with_name("cutest.csv")
SMALL, LARGE = 1_000, 10_000
"""Most variables of the small problems, for which a dense Hessian is nothing, and of the large ones."""

UNBOUNDED = frozenset({"TENFOLDTRLS"})
"""Falls without end as sif2jax has it: no value is the best one, and no minimum can be claimed."""


@dataclass(frozen=True)
class Problem:
    """A function of one array and its start."""

    name: str
    f: Callable[[Any], Any]
    start: np.ndarray

    @property
    def size(self) -> int:
        return len(self.start)


@dataclass(frozen=True)
class Known:
    """What the committed table knows of a problem: its size, the lowest value ever seen, and who found it."""

    name: str
    size: int
    best: float
    found_by: str


def load(name: str) -> Problem:
    """The problem of this name (its class in sif2jax), in float64."""
    import jax
    from jax.flatten_util import ravel_pytree

    with jax.enable_x64(True):
        module = importlib.import_module(f"{ROOM}.{_modules()[name]}")
        problem = getattr(module, name)()
        shaped, args = problem.y0, problem.args
        start, shape = ravel_pytree(shaped)
    if start.dtype != np.float64:
        raise TypeError(f"{name} starts in {start.dtype}, not in float64.")
    flat = getattr(shaped, "shape", None) == start.shape
    return Problem(name, lambda x: problem.objective(x if flat else shape(x), args), np.asarray(start))


@cache
def _modules() -> dict[str, str]:
    """The module of each problem that the package lists as unconstrained; found in its text, nothing is imported."""
    spec = PathFinder.find_spec("sif2jax")
    if spec is None or spec.origin is None:
        sys.exit("The problems of CUTEst come with sif2jax, which is not installed here: make bench installs it.")
    folder, parts = Path(spec.origin).parent, ROOM.split(".")
    for k in range(1, len(parts) + 1):
        package = ModuleType(".".join(parts[:k]))
        package.__path__ = [str(folder.joinpath(*parts[1:k]))]
        sys.modules.setdefault(package.__name__, package)
    text = ast.parse(folder.joinpath(*parts[1:], "__init__.py").read_text())
    modules: dict[str, str] = {}
    listed: dict[str, None] = {}
    for line in text.body:
        if isinstance(line, ast.ImportFrom) and line.module:
            modules.update((alias.name, line.module) for alias in line.names)
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == LISTED:
            calls = ast.walk(line.value)
            listed.update((call.func.id, None) for call in calls if isinstance(call, ast.Call))  # type: ignore[attr-defined]
    return {name: modules[name] for name in listed}


def names() -> list[str]:
    """All that sif2jax lists, in its order (some are listed twice there)."""
    return list(_modules())


@cache
def known() -> dict[str, Known]:
    """The committed table, smallest problems first."""
    with TABLE.open() as file:
        rows = [
            Known(row["problem"], int(row["n"]), float(row["best"]), row["found by"]) for row in csv.DictReader(file)
        ]
    return {row.name: row for row in rows}


def write(rows: Iterable[Known]) -> None:
    with TABLE.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["problem", "n", "best", "found by"])
        for row in sorted(rows, key=lambda row: (row.size, row.name)):
            table.writerow([row.name, row.size, repr(row.best), row.found_by])


def measured() -> list[Known]:
    """Every problem up to the largest size, with the best value that is known so far; loads them all (seconds)."""
    old = known() if TABLE.exists() else {}
    sizes = {name: load(name).size for name in names()}
    nothing = Known("", 0, math.inf, "")
    return [
        Known(name, size, old.get(name, nothing).best, old.get(name, nothing).found_by)
        for name, size in sizes.items()
        if size <= LARGE
    ]
