"""What the commands of functions have in common: the options of walks, and how an answer is printed and written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from surefoot.apps.interrupts import STOPPED
from surefoot.errors import OptionError

Typed = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""An expression may begin with a minus."""
Json = Annotated[bool, Parameter(negative=())]

PICTURES, TRACES = (".png", ".svg", ".pdf"), (".csv", ".parquet")

REFUSALS = ("DIVERGED", "UNBOUNDED", "NOT_FINITE")
"""Reasons to stop that are no answer to the question where the minimum is."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Walking:
    """How long a walk may be, how sure its end, and what is written of it.

    Attributes
    ----------
    tol
        Length of the gradient that is small enough; by default only rounding is.
    max_steps
        Budget of steps.
    max_evaluations
        Budget of evaluations.
    max_seconds
        Budget of time.
    prove
        Insist on a proof of the verdict, or with --no-prove skip it; by default half a second is tried.
    plot
        Write the picture of the walk: .png, .svg or .pdf.
    trace
        Write the trace, a row for each trial: .csv or .parquet.
    save
        Write the result as JSON, for sf.load.
    json
        Print everything as JSON instead.
    """

    tol: float | None = None
    max_steps: int | None = None
    max_evaluations: int | None = None
    max_seconds: float | None = None
    prove: bool | None = None
    plot: Path | None = None
    trace: Path | None = None
    save: Path | None = None
    json: Json = False

    def check(self) -> None:
        """Find out before the walk, not after an hour of it, that nothing can be written like that."""
        check_ending(self.plot, PICTURES, "picture")
        check_ending(self.trace, TRACES, "trace")

    @property
    def wishes(self) -> dict[str, Any]:
        """What the verb is to know."""
        return {"tol": self.tol, "max_steps": self.max_steps, "max_evaluations": self.max_evaluations,
                "max_seconds": self.max_seconds, "prove": self.prove}  # fmt: skip

    def write(self, found: Any) -> None:
        """Write what was asked for."""
        write_files((("Picture", self.plot, found.plot), ("Trace", self.trace, found.trace.write),
                     ("Result", self.save, found.save)), quiet=self.json)  # fmt: skip


USUAL = Walking()


def check_ending(path: Path | None, known: tuple[str, ...], what: str) -> None:
    """Refuse a file that nothing can be written to."""
    if path is not None and path.suffix.lower() not in known:
        raise OptionError(
            f"A {what} is written as {', '.join(known)}, not as {path.suffix or 'a file without ending'}."
        )


def rate_of(steps: str | None) -> str | float | None:
    """A step rule by name, or a learning rate."""
    try:
        return None if steps is None else float(steps)
    except ValueError:
        return steps


def print_found(found: Any, as_json: bool, **more: Any) -> None:
    """The text of what was found, or its JSON, with more in it."""
    if as_json:
        print_json({**found.to_json(), **more})
    else:
        print(found, flush=True)


def print_tested(fit: Any, hypotheses: Sequence[str], *, as_json: bool) -> None:
    """The text of a fit and of tests of hypotheses, or all of it as JSON."""
    if not as_json:
        print(fit, flush=True)
        for one in hypotheses:
            print(f"\n{fit.test(one)}")
        return
    tests = [
        {"hypothesis": one.text, "f": one.f, "p": one.p, "df": list(one.df), "estimate": one.estimate.tolist(),
         "stderr": one.stderr.tolist()} for one in map(fit.test, hypotheses)
    ]  # fmt: skip
    print_json({**fit.to_json(), "tests": tests})


def print_json(state: dict[str, Any]) -> None:
    """JSON as the commands print it."""
    import json

    print(json.dumps(state, indent=1), flush=True)


def write_files(files: Sequence[tuple[str, Path | None, Callable[[Path], object]]], *, quiet: bool) -> None:
    """Write each of the files that were asked for, and say so.

    Parameters
    ----------
    files : sequence of (str, path or None, callable)
        What it is, where to, and what writes it.
    quiet : bool
        Say nothing, where what is printed is JSON.
    """
    for word, path, write in files:
        if path is not None:
            write(path)
            if not quiet:
                print(f"\n{word} written to {path}.")


def code_of(reason: str) -> int:
    """The exit code of a walk, by its reason to stop."""
    return STOPPED if reason == "INTERRUPTED" else int(reason in REFUSALS)
