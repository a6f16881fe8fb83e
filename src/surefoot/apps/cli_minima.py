"""The command line of functions: ``surefoot minimize`` and ``surefoot compass``. It calls verbs and prints.

Exit code 0: answered. 1: the honest answer is a refusal (the walk diverges, or f falls without end). 2: the call was
wrong.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from cyclopts import App

from surefoot.apps.common import (
    PICTURES,
    USUAL,
    Json,
    Typed,
    Walking,
    check_ending,
    code_of,
    print_found,
    rate_of,
    write_files,
)
from surefoot.apps.interrupts import undisturbed
from surefoot.errors import OptionError


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
    lowest: float | None = None,
    seed: int = 0,
    checkpoint: Path | None = None,
    resume: Path | None = None,
    walk: Walking = USUAL,
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
    lowest
        What the function is known never to be below, for polyak steps.
    seed
        Of the starts.
    checkpoint
        Write what is known every few seconds.
    resume
        Go on from a checkpoint or a saved result.
    """
    from surefoot.apps.progress import walking

    if start is None and starts is None and resume is None:
        raise OptionError(
            'The walk needs a start, as --start "x=1, y=2", or many, as --starts 100 --box "x=-5..5, y=-5..5".'
        )
    walk.check()
    verbs = _loaded_verbs()
    with walking() as progress:
        result = verbs.minimize(
            expression, start, method=method, steps=rate_of(steps), bounds=bounds, starts=starts, box=box,
            lowest=lowest, seed=seed, progress=progress, checkpoint=checkpoint, resume=resume, **walk.wishes,
        )  # fmt: skip
    # What was computed is shown before anything else is tried: a full disk must not cost the answer.
    print_found(result, walk.json)
    walk.write(result)
    return code_of(result.stop.reason.name)


def compass(
    expression: Typed,
    *,
    at: str,
    along: str | None = None,
    plot: Path | None = None,
    json: Json = False,
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
    write_files([("Picture", plot, found.plot)], quiet=json)
    return 0


def _loaded_verbs() -> ModuleType:
    """The verbs, with the compiled libraries that every one of them needs."""
    with undisturbed():
        import jax  # noqa: F401
        import scipy.linalg.lapack  # noqa: F401

        from surefoot.verbs import minima
    return minima
