"""The command line of proofs about points: ``surefoot certify`` and ``surefoot recheck``. It calls verbs and prints.

Exit code 0: answered, inconclusive included, for that is an answer; a proof that holds. 1: a proof that fails. 2: the
call was wrong.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Annotated

from cyclopts import App, Parameter

from surefoot.apps.common import Json, Typed, print_found, print_json, write_files
from surefoot.apps.interrupts import undisturbed


def register(app: App) -> None:
    """Add the commands to the application."""
    app.command(certify)
    app.command(recheck)


def certify(
    expression: Typed,
    *,
    at: str,
    bounds: str | None = None,
    near: float | None = None,
    max_seconds: float | None = None,
    save: Path | None = None,
    json: Json = False,
) -> int:
    """Prove what a point is: a minimum, a saddle, a maximum, degenerate, or not stationary.

    Parameters
    ----------
    expression
        As typed: "100*(y-x^2)^2 + (1-x)^2"; ^ is power, x[0] an element of a vector.
    at
        The point: "x=1, y=1".
    bounds
        As "x=0..5, y=-1..inf", within which the claim is made.
    near
        How far a stationary point may lie from the point, as a part of its size, to be the one that is meant.
    max_seconds
        About the most time.
    save
        Write the proof as JSON, for surefoot recheck.
    json
        Print everything as JSON instead.
    """
    verbs = _loaded_verbs()
    wishes = {} if near is None else {"near": near}
    found = verbs.certify(expression, at, bounds=bounds, max_seconds=max_seconds, **wishes)
    print_found(found, json)
    write_files([("Proof", save, found.save)], quiet=json)
    return 0


def recheck(
    certificate: Path,
    *,
    data: Annotated[list[Path] | None, Parameter(negative=())] = None,
    json: Json = False,
) -> int:
    """Prove a saved proof again, from its file alone, with code that shares nothing with the search.

    Parameters
    ----------
    certificate
        The file that --save wrote.
    data
        Arrays (.npy) that the proof is about and that are too large to be in it.
    json
        Print the answer as JSON instead.
    """
    found = _loaded_verbs().recheck(certificate, None if data is None else [_array(path) for path in data])
    if json:
        print_json({"holds": found.holds, "reason": found.reason})
    else:
        print(found, flush=True)
    return 0 if found else 1


def _array(path: Path):
    import numpy as np

    from surefoot.errors import DataError

    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"The array {path} could not be read: {error}.") from None


def _loaded_verbs() -> ModuleType:
    """The verbs, with the compiled libraries that they need."""
    with undisturbed():
        from surefoot.verbs import certifying
    return certifying
