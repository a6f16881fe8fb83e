"""The command line of whole functions: ``surefoot convexity``. It calls the verb and prints.

Exit code 0: answered, undecided included, for that is an answer. 2: the call was wrong.
"""

from __future__ import annotations

from types import ModuleType

from cyclopts import App

from surefoot.apps.common import Json, Typed, print_found
from surefoot.apps.interrupts import undisturbed


def register(app: App) -> None:
    """Add the command to the application."""
    app.command(convexity)


def convexity(
    expression: Typed,
    *,
    domain: Typed | None = None,
    shape: str | None = None,
    json: Json = False,
) -> int:
    """Decide whether a function is convex, and print the proof in numbered lines.

    Parameters
    ----------
    expression
        As typed: "log(exp(x) + exp(y))"; ^ is power, x[0] an element of a vector.
    domain
        Where it is considered: "x > 0, x + y <= 3"; everywhere if not given.
    shape
        A point that says how long vectors are, as "x=[0, 0, 0]"; needed for whole vectors, as in sum(x^2).
    json
        Print everything as JSON instead.
    """
    found = _loaded_verb().convexity(expression, shape, domain)
    print_found(found, json, convex=found.convex)
    return 0


def _loaded_verb() -> ModuleType:
    """The verb, with the compiled libraries that it needs."""
    with undisturbed():
        from surefoot.verbs import convexity as verb
    return verb
