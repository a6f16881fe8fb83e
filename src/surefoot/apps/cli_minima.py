"""The command line of functions: ``surefoot minimize`` and ``surefoot compass``. It calls verbs and prints.

Exit code 0: answered. 1: the honest answer is a refusal (the walk diverges, or f falls without end). 2: the call was
wrong.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Annotated

from cyclopts import App, Parameter

from surefoot.apps.interrupts import STOPPED, undisturbed
from surefoot.errors import OptionError

Typed = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""An expression may begin with a minus."""

PICTURES, TRACES = (".png", ".svg", ".pdf"), (".csv", ".parquet")

REFUSALS = ("DIVERGED", "UNBOUNDED", "NOT_FINITE")
"""Reasons to stop that are no answer to the question where the minimum is."""


def register(app: App) -> None:
    """Add the commands to the application."""
    app.command(minimize)
    app.command(compass)


def minimize(
    expression: Typed,
    *,
    start: str | None = None,
    method: str = "auto",
    steps: str | None = None,
    bounds: str | None = None,
    starts: int | None = None,
    box: str | None = None,
    tol: float | None = None,
    lowest: float | None = None,
    max_steps: int | None = None,
    max_evaluations: int | None = None,
    max_seconds: float | None = None,
    seed: int = 0,
    plot: Path | None = None,
    trace: Path | None = None,
    save: Path | None = None,
    checkpoint: Path | None = None,
    resume: Path | None = None,
    prove: bool | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Walk downhill from a start, and print where it led, why it stopped, and what that point is.

    Parameters
    ----------
    expression
        As typed: "100*(y-x^2)^2 + (1-x)^2"; ^ is power, x[0] an element of a vector.
    start
        As "x=-1.2, y=1" or "x=[1,2,3]". With --starts and --resume it may be left out.
    method
        auto, steepest, momentum, nesterov, adgd, cg, bfgs, l-bfgs, newton, trust-newton, nelder-mead.
    steps
        A learning rate, or exact, armijo, wolfe, hager-zhang, polyak, adaptive, trust-region.
    bounds
        As "x=0..5, y=-1..inf", which no point may leave.
    starts
        Walk from so many points of the box at once, and report every minimum found.
    box
        Where the starts lie: "x=-5..5, y=-5..5".
    tol
        Length of the gradient that is small enough; by default only rounding is.
    lowest
        What the function is known never to be below, for polyak steps.
    max_steps
        Budget of steps.
    max_evaluations
        Budget of evaluations.
    max_seconds
        Budget of time.
    seed
        Of the starts.
    plot
        Write the picture of the walk: .png, .svg or .pdf.
    trace
        Write the trace, a row for each trial: .csv or .parquet.
    save
        Write the result as JSON, for sf.load.
    checkpoint
        Write what is known every few seconds.
    resume
        Go on from a checkpoint or a saved result.
    prove
        Insist on a proof of the verdict, or with --no-prove skip it; by default half a second is tried.
    json
        Print everything as JSON instead.
    """
    from surefoot.apps.progress import walking

    if start is None and starts is None and resume is None:
        raise OptionError(
            'The walk needs a start, as --start "x=1, y=2", or many, as --starts 100 --box "x=-5..5, y=-5..5".'
        )
    check_ending(plot, PICTURES, "picture")
    check_ending(trace, TRACES, "trace")
    verbs = _loaded_verbs()
    with walking() as progress:
        result = verbs.minimize(
            expression, start, method=method, steps=rate_of(steps), bounds=bounds, starts=starts, box=box, tol=tol,
            lowest=lowest, max_steps=max_steps, max_evaluations=max_evaluations, max_seconds=max_seconds, seed=seed,
            progress=progress, checkpoint=checkpoint, resume=resume, prove=prove,
        )  # fmt: skip
    # What was computed is shown before anything else is tried: a full disk must not cost the answer.
    print_found(result, json)
    for word, path, write in (("Picture", plot, result.plot), ("Trace", trace, result.trace.write),
                              ("Result", save, result.save)):  # fmt: skip
        if path is not None:
            write(path)
            if not json:
                print(f"\n{word} written to {path}.")
    reason = result.stop.reason.name
    return STOPPED if reason == "INTERRUPTED" else int(reason in REFUSALS)


def compass(
    expression: Typed,
    *,
    at: str,
    along: str | None = None,
    plot: Path | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Print the value, the gradient, the steepest way down and the slope along a direction, at a point.

    Parameters
    ----------
    expression
        As typed: "x^2 + 10*y^2".
    at
        The point: "x=3, y=1".
    along
        A direction to ask about: "x=1, y=-1"; what is not named is 0.
    plot
        Write the contour map with the directions drawn: .png, .svg or .pdf.
    json
        Print everything as JSON instead.
    """
    check_ending(plot, PICTURES, "picture")
    found = _loaded_verbs().compass(expression, at, along)
    print_found(found, json)
    if plot is not None:
        found.plot(plot)
        if not json:
            print(f"\nPicture written to {plot}.")
    return 0


def check_ending(path: Path | None, known: tuple[str, ...], what: str) -> None:
    """Find out before the walk, not after an hour of it, that nothing can be written like that."""
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


def print_found(found, as_json: bool) -> None:
    """The text of what was found, or its JSON."""
    if as_json:
        import json

        print(json.dumps(found.to_json(), indent=1), flush=True)
    else:
        print(found, flush=True)


def _loaded_verbs() -> ModuleType:
    """The verbs, with the compiled libraries that every one of them needs."""
    with undisturbed():
        import jax  # noqa: F401
        import scipy.linalg.lapack  # noqa: F401

        from surefoot.verbs import minima
    return minima
