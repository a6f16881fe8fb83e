"""The command line of residuals: ``surefoot least-squares``. It calls the verb and prints.

Exit code 0: answered. 1: the honest answer is a refusal (the walk diverges, or the residuals are not finite). 2: the
call was wrong.
"""

from __future__ import annotations

from types import ModuleType
from typing import Annotated, Literal

from cyclopts import App, Parameter

from surefoot.apps.common import USUAL, Walking, code_of, print_tested, rate_of
from surefoot.apps.interrupts import undisturbed

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
    level: float = 0.95,
    test: Annotated[list[str] | None, Parameter(negative=(), consume_multiple=False)] = None,
    walk: Walking = USUAL,
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
    level
        Of the intervals.
    test
        A linear hypothesis, as "a = 2*b"; may be given several times.
    """
    from surefoot.apps.progress import walking

    walk.check()
    verbs = _loaded_verbs()
    with walking() as progress:
        fit = verbs.least_squares(
            residuals, start, bounds=bounds, method=method, steps=rate_of(steps), loss=loss, f_scale=f_scale,
            args=() if given is None else given, level=level, progress=progress, **walk.wishes,
        )  # fmt: skip
    # What was computed is shown before anything else is tried: a full disk must not cost the answer.
    print_tested(fit, test or [], as_json=walk.json)
    walk.write(fit)
    return code_of(fit.stop.reason.name)


def _loaded_verbs() -> ModuleType:
    """The verbs, with the compiled libraries that every one of them needs."""
    with undisturbed():
        import jax  # noqa: F401
        import scipy.linalg.lapack  # noqa: F401

        from surefoot.verbs import residuals
    return residuals
