"""The command line of residuals: ``surefoot least-squares``. It calls the verb and prints.

Exit code 0: answered. 1: the honest answer is a refusal (the walk diverges, or the residuals are not finite). 2: the
call was wrong.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Annotated, Literal

from cyclopts import App, Parameter

from surefoot.apps.cli_minima import PICTURES, REFUSALS, TRACES, check_ending, rate_of
from surefoot.apps.interrupts import STOPPED, undisturbed

Residuals = Annotated[list[str], Parameter(allow_leading_hyphen=True, negative=())]
"""An expression may begin with a minus."""
Losses = Literal["linear", "soft_l1", "huber", "cauchy", "arctan"]


def register(app: App) -> None:
    """Add the command to the application."""
    app.command(least_squares, name="least-squares")


def least_squares(
    residuals: Residuals,
    *,
    start: str,
    given: str | None = None,
    bounds: str | None = None,
    loss: Losses = "linear",
    f_scale: float = 1.0,
    method: str = "auto",
    steps: str | None = None,
    tol: float | None = None,
    level: float = 0.95,
    test: Annotated[list[str] | None, Parameter(negative=(), consume_multiple=False)] = None,
    max_steps: int | None = None,
    max_evaluations: int | None = None,
    max_seconds: float | None = None,
    plot: Path | None = None,
    trace: Path | None = None,
    save: Path | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Make a sum of squares as small as it will get, and print the coefficients, why it stopped, and what the point is.

    Parameters
    ----------
    residuals
        As typed, one by one: "10*(y - x^2)" "1 - x"; or many at once: "x[i+1] - x[i]^2, i=0..8", "y - a/(b + t)".
    start
        As "x=-1.2, y=1" or "x=[1,2,3]".
    given
        Numbers that do not vary, as data: "t=[0,1,2], y=[5,3.1,1.8]".
    bounds
        As "x=0..5, y=-1..inf", which no coefficient may leave.
    loss
        What a large residual costs: as its square, or less.
    f_scale
        Size of a residual from which it counts as large, where the loss is not linear.
    method
        auto (Levenberg-Marquardt), gauss-newton, trust-region.
    steps
        With gauss-newton: armijo, wolfe, hager-zhang, exact, full, trust-region.
    tol
        Length of the gradient that is small enough; by default only rounding is.
    level
        Of the intervals.
    test
        A linear hypothesis, as "a = 2*b"; may be given several times.
    max_steps
        Budget of steps.
    max_evaluations
        Budget of evaluations.
    max_seconds
        Budget of time.
    plot
        Write the picture of the walk: .png, .svg or .pdf.
    trace
        Write the trace, a row for each trial: .csv or .parquet.
    save
        Write the walk and its end as JSON, for sf.load.
    json
        Print everything as JSON instead.
    """
    from surefoot.apps.progress import walking

    check_ending(plot, PICTURES, "picture")
    check_ending(trace, TRACES, "trace")
    verbs = _loaded_verbs()
    with walking() as progress:
        fit = verbs.least_squares(
            residuals, start, bounds=bounds, method=method, steps=rate_of(steps), loss=loss, f_scale=f_scale,
            args=() if given is None else given, tol=tol, level=level, max_steps=max_steps,
            max_evaluations=max_evaluations, max_seconds=max_seconds, progress=progress,
        )  # fmt: skip
    # What was computed is shown before anything else is tried: a full disk must not cost the answer.
    if json:
        _print_json(fit, [fit.test(one) for one in test or []])
    else:
        print(fit, flush=True)
        for one in test or []:
            print(f"\n{fit.test(one)}")
    for word, path, write in (("Picture", plot, fit.plot), ("Trace", trace, fit.trace.write),
                              ("Result", save, fit.save)):  # fmt: skip
        if path is not None:
            write(path)
            if not json:
                print(f"\n{word} written to {path}.")
    reason = fit.stop.reason.name
    return STOPPED if reason == "INTERRUPTED" else int(reason in REFUSALS)


def _print_json(fit, tests) -> None:
    import json

    state = fit.to_json()
    state["tests"] = [
        {"hypothesis": one.text, "f": one.f, "p": one.p, "df": list(one.df), "estimate": one.estimate.tolist(),
         "stderr": one.stderr.tolist()} for one in tests
    ]  # fmt: skip
    print(json.dumps(state, indent=1), flush=True)


def _loaded_verbs() -> ModuleType:
    """The verbs, with the compiled libraries that every one of them needs."""
    with undisturbed():
        import jax  # noqa: F401
        import scipy.linalg.lapack  # noqa: F401

        from surefoot.verbs import residuals
    return residuals
