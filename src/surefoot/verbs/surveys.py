"""The verb of surveys: every stationary point in a box."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from surefoot.errors import DataError, ModelError, OptionError
from surefoot.problem.box import Box
from surefoot.problem.denoted import Denoted, denoted
from surefoot.proof.minimising import Minimising
from surefoot.proof.search import RESOLUTION, Budget, Progress, Search
from surefoot.proof.survey import survey as surveyed
from surefoot.proof.survey import survey_minimum
from surefoot.results.asked import as_args, title_of
from surefoot.results.survey import Survey, fingerprint, shaped
from surefoot.verbs.loading import load


def survey(
    f: Any,
    box: Any,
    *,
    example: Any = None,
    args: tuple = (),
    only: Literal["minimum"] | None = None,
    resolution: float = RESOLUTION,
    max_boxes: int | None = None,
    max_seconds: float | None = None,
    progress: Callable[[Progress], object] | None = None,
    resume: str | Path | Survey | None = None,
) -> Survey:
    """Find every stationary point of a function in a box, and prove what each is and that there are no others.

    Parameters
    ----------
    f : callable or str
        JAX code of one argument (and ``*args``), typed text (``"x^2 + 10*y^2"``), or an objective of one of them. What
        is proven is proven of the real function that it denotes.
    box : pairs, mapping, str or Box
        ``[(low, high), ...]``, one pair for each variable; ``{"x": (-3, 3), "y": (-2, 2)}``; ``"x=-3..3, y=-2..2"``;
        of a function of one number a single pair.
    example : number, array, mapping or pytree, optional
        A point, for its shape. By default the box tells: a vector, a mapping, or a number.
    args : tuple
        Further arguments of f, not varied.
    only : "minimum", optional
        The global minimum of the box alone, which is much less work in more than three or four variables.
    resolution : float
        Boxes of this width, in units of max(1, ``|x|``), are not cut any more: what is undecided then is listed.
    max_boxes, max_seconds : optional
        Budgets; what is known at the end of one comes back, and so it does after Ctrl-C.
    progress : callable, optional
        Given how far it has come: boxes ``examined`` and ``waiting``, points ``found``, the part of the volume that is
        ``left``, ``seconds``.
    resume : path or Survey, optional
        Go on from an earlier survey of the same function and box.

    Returns
    -------
    Survey
        It prints itself; ``plot()`` draws the contour map with every point.

    Raises
    ------
    ExpressionError
        Typed text cannot be understood.
    ModelError
        f cannot be read as a real function, or ``resume`` is of another one.
    OptionError
        The box is open, or has no inside.

    References
    ----------
    Hansen, Walster (2004), "Global Optimization Using Interval Analysis", 2nd ed., Dekker, chapters 11 and 12, pp.
    237-308.

    Examples
    --------
    >>> import surefoot as sf
    >>> survey = sf.survey("(x^2 + y - 11)^2 + (x + y^2 - 7)^2", "x=-6..6, y=-6..6")
    >>> survey.complete, {verdict.value: count for verdict, count in survey.counts.items()}
    (True, {'strict local minimum': 4, 'saddle': 4, 'local maximum': 1})
    """
    _check(only, resolution, progress)
    budget = _budget(max_boxes, max_seconds)
    asked, region = _asked(f, box, example, as_args(args))
    before = _earlier(resume, asked, region, only)
    common = {"budget": budget, "resolution": resolution, "progress": progress}
    if only == "minimum":
        minimum, state = survey_minimum(asked.graph, region, **common, before=before)  # type: ignore[arg-type]
        found, undecided, complete = (), minimum.undecided, False
        reasons = ("Only the global minimum was asked for, not the other stationary points.",)
    else:
        outcome = surveyed(asked.graph, region, **common, before=before)  # type: ignore[arg-type]
        minimum, state, found, undecided = outcome.minimum, outcome.search, outcome.points, outcome.undecided
        complete, reasons = outcome.complete, outcome.reasons
    made = Survey(
        points=found, complete=complete, undecided=undecided, reasons=reasons, global_minimum=minimum, box=region,
        names=asked.graph.names, title=title_of(f), examined=state.examined, seconds=state.seconds,
        notes=asked.graph.notes, only=only or "", state=state, fingerprint=fingerprint(asked.graph), graph=asked.graph,
    )  # fmt: skip
    return shaped(made, asked.shaped)


def _check(only: Any, resolution: Any, progress: Any) -> None:
    if only not in (None, "minimum"):
        raise OptionError(f"only is 'minimum', or left out for every stationary point, not {only!r}.")
    if not (isinstance(resolution, int | float) and 0 < resolution < 1):
        raise OptionError(f"resolution is a width between 0 and 1, not {resolution!r}.")
    if progress is not None and not callable(progress):
        raise OptionError(f"progress is a function that is called on the way, not {progress!r}.")


def _budget(boxes: Any, seconds: Any) -> Budget:
    for word, given in (("max_boxes", boxes), ("max_seconds", seconds)):
        if given is not None and not (isinstance(given, int | float) and given >= 0):
            raise OptionError(f"{word} is a number from 0 up, not {given!r}.")
    usual = Budget()
    endless = boxes is not None and math.isinf(boxes)
    count = usual.boxes if boxes is None else 2**62 if endless else int(boxes)
    return Budget(count, usual.seconds if seconds is None else float(seconds))


def _asked(f: Any, box: Any, example: Any, args: tuple) -> tuple[Denoted, Box]:
    """The function, and the box in the order of its variables."""
    if isinstance(f, str) and example is None:
        example = _example_of_text(f, box)
    if example is None:
        size = getattr(f, "size", None) if hasattr(f, "see") else None  # an objective knows its own
        example = _example(box) if size is None else np.zeros(size)
    asked = denoted(f, example, args)
    region = _region(f, box, asked)
    for name, low, high in zip(asked.graph.names, region.lower, region.upper, strict=True):
        if not np.isfinite(high - low):
            raise OptionError(f"The box is open along {name}: a survey needs both ends.")
        if not low < high:
            raise OptionError(f"The box has no extent along {name}, {low:g} to {high:g}; give it two different ends.")
    return asked, region


def _example_of_text(f: str, box: Any) -> Any:
    from surefoot.problem.typed import read_box, variables_of

    if isinstance(box, Mapping) and all(np.ndim(ends) == 2 or np.ndim(ends) == 1 for ends in box.values()):
        return _example(box)
    variables = variables_of(f)
    if isinstance(box, str):
        try:
            lower, upper = read_box(box, variables)
        except DataError as error:  # the box of a call is no data
            raise OptionError(str(error)) from None
    else:
        region = Box.of(box, variables.names)
        lower, upper = (np.where(np.isfinite(ends), ends, 0.0) for ends in (region.lower, region.upper))
    return variables.shaped((lower + upper) / 2)


def _example(box: Any) -> Any:
    """The middle of a box, in the shape that the box has."""
    if isinstance(box, str):
        raise OptionError("A box in words is for typed text; give a function pairs: box=[(low, high), ...].")
    if isinstance(box, Box):
        return _middle(box.lower, box.upper)
    if hasattr(box, "lb") and hasattr(box, "ub"):
        return _middle(np.atleast_1d(np.asarray(box.lb, float)), np.atleast_1d(np.asarray(box.ub, float)))
    if isinstance(box, Mapping):
        return {name: _example(ends) for name, ends in box.items()}
    try:
        ends = np.array([[np.nan if end is None else end for end in np.ravel(pair)] for pair in box], dtype=float)
    except (TypeError, ValueError):
        raise OptionError(f"A box is pairs (low, high), one for each variable, not {box!r:.80}.") from None
    if ends.shape == (2, 1):
        return float(_middle(*ends)[0])
    if ends.ndim != 2 or ends.shape[1] != 2:
        raise OptionError(f"A box is pairs (low, high), one for each variable, not {box!r:.80}.")
    return _middle(ends[:, 0], ends[:, 1])


def _middle(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        middle = low + (high - low) / 2
    return np.where(np.isfinite(middle), middle, 0.0)


def _region(f: Any, box: Any, asked: Denoted) -> Box:
    from surefoot.problem.typed import read_box
    from surefoot.problem.variables import Variables

    names = asked.graph.names
    if isinstance(box, str):
        return Box(*read_box(box, Variables.of_names(names)))
    if isinstance(box, Mapping):
        flat = {}
        for key, ends in box.items():
            pairs = list(ends)
            if np.ndim(ends) == 2:
                flat.update({f"{key}[{k}]": pair for k, pair in enumerate(pairs)})
            else:
                flat[key] = ends
        return Box.of(flat, names)
    return Box.of(box, names)


def _earlier(resume: Any, asked: Denoted, box: Box, only: str | None) -> Search | Minimising | None:
    """What an earlier survey knew, if it is of this function and this box.

    Raises
    ------
    ModelError
        It is of another one.
    """
    if resume is None:
        return None
    found = load(resume) if isinstance(resume, str | Path) else resume
    if not isinstance(found, Survey):
        raise OptionError(f"resume is a survey or the path of one, not {resume!r:.60}.")
    if found.fingerprint != fingerprint(asked.graph):
        raise ModelError(f"What is to be resumed is a survey of another function, {found.title}.")
    if not (np.array_equal(found.box.lower, box.lower) and np.array_equal(found.box.upper, box.upper)):
        raise ModelError("What is to be resumed is a survey of another box; give the same one.")
    if found.only != (only or ""):
        raise ModelError("What is to be resumed asked for something else: give the same only.")
    return found.state


__all__ = ["survey"]
