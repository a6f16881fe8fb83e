"""The command line of surveys: ``surefoot survey``. It calls the verb and prints.

Exit code 0: answered. 1: the honest answer is that something is left undecided. 2: the call was wrong.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Literal

from cyclopts import App

from surefoot.apps.common import PICTURES, Json, Typed, check_ending, print_found, write_files
from surefoot.apps.interrupts import STOPPED, undisturbed


def register(app: App) -> None:
    """Add the command to the application."""
    app.command(survey)


def survey(
    expression: Typed,
    *,
    box: str,
    only: Literal["minimum"] | None = None,
    max_boxes: int | None = None,
    max_seconds: float | None = None,
    resolution: float | None = None,
    plot: Path | None = None,
    save: Path | None = None,
    resume: Path | None = None,
    json: Json = False,
) -> int:
    """Find every stationary point in a box, and prove what each is and that there are no others.

    Parameters
    ----------
    expression
        As typed: "(x^2 + y - 11)^2 + (x + y^2 - 7)^2"; ^ is power, x[0] an element of a vector.
    box
        Both ends for each variable: "x=-6..6, y=-6..6".
    only
        minimum: the global minimum of the box alone, which is less work.
    max_boxes
        Budget of boxes.
    max_seconds
        Budget of time.
    resolution
        Boxes narrower than this are not cut any more, but listed as undecided.
    plot
        Write the contour map with every point marked: .png, .svg or .pdf.
    save
        Write the survey as JSON, for sf.load and --resume.
    resume
        Go on from a saved survey.
    json
        Print everything as JSON instead.
    """
    from surefoot.apps.progress import surveying

    check_ending(plot, PICTURES, "picture")
    verbs = _loaded_verbs()
    wishes = {} if resolution is None else {"resolution": resolution}
    with surveying() as progress:
        found = verbs.survey(
            expression, box, only=only, max_boxes=max_boxes, max_seconds=max_seconds, progress=progress, resume=resume,
            **wishes,
        )  # fmt: skip
    # What was computed is shown before anything else is tried: a full disk must not cost the answer.
    print_found(found, json)
    write_files([("Picture", plot, found.plot), ("Survey", save, found.save)], quiet=json)
    if found.interrupted:
        return STOPPED
    return 0 if found.complete or (only and found.global_minimum.is_known) else 1


def _loaded_verbs() -> ModuleType:
    """The verb, with the compiled libraries that it needs."""
    with undisturbed():
        from surefoot.verbs import surveys
    return surveys
