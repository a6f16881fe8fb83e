"""What a caller asked for, read into our own words: budgets, callbacks, boxes, directions, titles."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from surefoot.descent.loop import Budget, Watch
from surefoot.descent.trace import Row
from surefoot.errors import DataError, ModelError, OptionError
from surefoot.problem.box import Box
from surefoot.problem.objective import Objective
from surefoot.problem.variables import Variables
from surefoot.results.result import Result


def read_budget(steps: int | None, evaluations: int | None, seconds: float | None) -> Budget:
    """The budget, each part of which must be above zero.

    Examples
    --------
    >>> read_budget(10, None, None)
    Budget(steps=10, seconds=inf, evaluations=inf)
    """
    for word, given in (("max_steps", steps), ("max_evaluations", evaluations), ("max_seconds", seconds)):
        if given is not None and not (_is_number(given) and given >= 0):
            raise OptionError(f"{word} is a number from 0 up, not {given!r}.")
    usual = Budget()
    return Budget(
        usual.steps if steps is None else int(steps),
        usual.seconds if seconds is None else float(seconds),
        usual.evaluations if evaluations is None else int(evaluations),
    )


def check_wishes(method: Any, steps: Any, tol: Any, lowest: Any, starts: Any, callback: Any, progress: Any) -> None:
    """Refuse what can be no wish at all before anything is compiled.

    Raises
    ------
    OptionError
        The sentence says what it should be.

    Examples
    --------
    >>> check_wishes("auto", 0.1, None, None, None, None, None)
    """
    if not (isinstance(method, str) or hasattr(method, "choose")):
        raise OptionError(f"method is a name or a direction, as method='bfgs', not {method!r}.")
    if not (steps is None or isinstance(steps, str) or hasattr(steps, "take") or _is_number(steps)):
        raise OptionError(f"steps is a learning rate, a name or a step rule, as steps='wolfe', not {steps!r}.")
    if tol is not None and not (_is_number(tol) and tol >= 0):
        raise OptionError(f"tol is a length of the gradient, a number from 0 up, not {tol!r}.")
    if lowest is not None and not (_is_number(lowest) and lowest < float("inf")):
        raise OptionError(f"lowest is a number that f is never below, not {lowest!r}.")
    if starts is not None and not (isinstance(starts, int | np.integer) and not isinstance(starts, bool)):
        raise OptionError(f"starts is the number of walks, a whole number, not {starts!r}.")
    for word, given in (("callback", callback), ("progress", progress)):
        if given is not None and not callable(given):
            raise OptionError(f"{word} is a function that is called on the way, not {given!r}.")


def _is_number(given: Any) -> bool:
    return isinstance(given, int | float | np.integer | np.floating) and not isinstance(given, bool)


def title_of(f: Any) -> str:
    """The text of the function, or its name."""
    name = f if isinstance(f, str) else getattr(f, "__name__", type(f).__name__)
    return "f" if name == "<lambda>" else name


def bounds_of(bounds: Any, objective: Objective) -> Box:
    """Bounds on the variables, typed or as Python has them."""
    if isinstance(bounds, str):
        from surefoot.problem.typed import read_bounds

        return Box(*read_bounds(bounds, Variables.of_names(objective.names)))
    return Box.of(bounds, objective.names)


def start_for(f: Any, box: Any, before: Result | None, *, many: bool) -> Any:
    """A start for a question that gives none: where an earlier result ended, or the middle of the box of many starts.

    Raises
    ------
    OptionError
        There is neither, or f is no text, so that nothing else tells the shape of a point.
    """
    from surefoot.problem.typed import read_box, variables_of

    if not isinstance(f, str):
        raise OptionError("x0 is needed: it gives the shape of a point, also where the starts lie in a box.")
    if before is not None:
        return dict(zip(before.names, before.flat.tolist(), strict=True))
    variables = variables_of(f)
    shown = ", ".join(f"{name}=..." for name in variables.names[:4])
    if not many:
        raise OptionError(f'Where does the walk begin? Give each variable a number, in a shell --start "{shown}".')
    if box is None:
        shown = shown.replace("=...", "=-5..5")
        raise OptionError(f'Many starts need a box to lie in, with both ends for each variable: box "{shown}".')
    try:
        lower, upper = read_box(box, variables)
    except DataError as error:  # the box of a call is no data
        raise OptionError(str(error)) from None
    return variables.shaped((lower + upper) / 2)


def box_of(box: Any, objective: Objective) -> Box:
    """The box that starts cover: bounded on every side.

    Raises
    ------
    OptionError
        There is none, or a side is open.
    """
    if box is None:
        raise OptionError("Many starts need a box to lie in: box=[(low, high), ...], one pair for each variable.")
    found = bounds_of(box, objective)
    if not found.is_bounded:
        open_sides = [name for name, low, high in zip(objective.names, found.lower, found.upper, strict=True)
                      if not np.isfinite(high - low)]  # fmt: skip
        raise OptionError(f"The box of starts is open along {', '.join(open_sides[:5])}: give both ends.")
    return found


def read_direction(direction: Any, objective: Objective) -> np.ndarray:
    """A direction in the shape of a point, as a vector."""
    if isinstance(direction, str):
        from surefoot.problem import typed

        return typed.read_direction(direction, Variables.of_names(objective.names))
    if isinstance(direction, Mapping) and set(direction) < set(objective.names):
        direction = {name: direction.get(name, 0.0) for name in objective.names}
    return objective.flat(direction)


def as_watch(
    callback: Callable[..., object] | None, progress: Callable[[Row], object] | None, objective: Objective
) -> Watch | None:
    """One watcher from the caller's callback, which sees steps, and progress, which sees every trial."""
    if callback is None:
        return progress
    tell = _scipy_callback(callback, objective)

    def watch(row: Row) -> None:
        if progress is not None:
            progress(row)
        if row.accepted and row.step > 0:
            tell(row)

    return watch


def earlier(given: object) -> Result | None:
    """The result to go on from, if there is one.

    Raises
    ------
    ModelError
        It is no result of a minimisation.
    """
    if given is None or isinstance(given, Result):
        return given
    raise ModelError("What is to be resumed is the result of a fit, not of a minimisation.")


def resumed(before: Result, objective: Objective) -> Result:
    """The same result, if it is of this function.

    Raises
    ------
    ModelError
        It is of another one: its variables are others.
    """
    if before.names != objective.names:
        raise ModelError(
            f"What is to be resumed has the variables {', '.join(before.names[:6])}, and the function has "
            f"{', '.join(objective.names[:6])}."
        )
    return before


def _scipy_callback(callback: Callable[..., object], objective: Objective) -> Callable[[Row], None]:
    """SciPy's two forms: ``callback(x)`` and ``callback(intermediate_result=...)``; True ends the walk."""
    try:
        wants_result = "intermediate_result" in inspect.signature(callback).parameters
    except (TypeError, ValueError):
        wants_result = False

    def tell(row: Row) -> None:
        x = row.there
        if wants_result:
            from scipy.optimize import OptimizeResult

            done = callback(intermediate_result=OptimizeResult(x=x.copy(), fun=row.value))
        else:
            done = callback(objective.shaped(x))
        if done is True:
            raise StopIteration

    return tell
