"""The verbs of functions: minimise, look around, check a gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefoot.descent.trace import Row
from surefoot.problem.objective import objective_of
from surefoot.results.asked import (
    as_args,
    as_derivative,
    as_watch,
    bounds_of,
    box_of,
    check_wishes,
    earlier,
    read_budget,
    read_direction,
    resumed,
    start_for,
    title_of,
)
from surefoot.results.checkpoint import checkpointed
from surefoot.results.compass import Compass, look_around
from surefoot.results.minimizing import Wishes, minimise
from surefoot.results.proving import budget_of, with_proof
from surefoot.results.result import Result
from surefoot.verbs.loading import load

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from surefoot.problem.real import Graph

Progress = Callable[[Row], object]


def minimize(
    f: Any,
    x0: Any,
    *,
    args: tuple = (),
    jac: Any = None,
    hess: Any = None,
    method: Any = "auto",
    steps: Any = None,
    bounds: Any = None,
    starts: int | None = None,
    box: Any = None,
    tol: float | None = None,
    lowest: float | None = None,
    max_steps: int | None = None,
    max_evaluations: int | None = None,
    max_seconds: float | None = None,
    seed: int = 0,
    callback: Callable[..., object] | None = None,
    progress: Progress | None = None,
    checkpoint: str | Path | None = None,
    resume: str | Path | Result | None = None,
    prove: bool | float | None = None,
) -> Result:
    """Walk downhill from a point, and say where it led, why it stopped there, and what that point is.

    Parameters
    ----------
    f : callable or str
        The function: of one argument in the shape of ``x0`` (and ``*args``), returning a number. JAX code is
        differentiated; PyTorch too; what neither can trace runs as NumPy. Or typed text: ``"x^2 + 10*y^2"``.
    x0 : number, array, mapping or pytree of them
        The start. Of typed text a mapping from names, or text: ``"x=-1.2, y=1"``. With ``starts`` it only gives the
        shape, and may be None for typed text, as with ``resume``.
    args : tuple
        Further arguments of f, not varied.
    jac, hess : callable, optional
        Gradient and Hessian where f cannot be differentiated; ``jac=True`` where f returns value and gradient.
    method : str or Direction
        ``"auto"``; or ``"steepest"``, ``"momentum"``, ``"nesterov"``, ``"adgd"``, ``"cg"``, ``"bfgs"``, ``"l-bfgs"``,
        ``"newton"``, ``"trust-newton"``, ``"nelder-mead"``; SciPy's names are understood.
    steps : str, float or Step, optional
        Step rule: a learning rate, or ``"exact"``, ``"armijo"``, ``"wolfe"``, ``"hager-zhang"``, ``"polyak"``,
        ``"adaptive"``, ``"trust-region"``. By default the one that goes with the method; steps without a method are
        those of steepest descent.
    bounds : pairs, mapping, Box or scipy.optimize.Bounds, optional
        Lower and upper bounds of the variables, None or infinite where there is none.
    starts : int, optional
        Walk from so many points of ``box`` at once, and report every minimum found.
    box : pairs, mapping or Box, optional
        Where ``starts`` lie; ``bounds`` if not given.
    tol : float, optional
        Length of the gradient that is small enough, in the units of f over those of x. By default only rounding is.
    lowest : float, optional
        What f is known never to be below; Polyak's step aims there.
    max_steps, max_evaluations, max_seconds : optional
        Budgets. At the end of one the best point seen comes back, with its honest verdict.
    seed : int
        Of the starts and of the judge's random probes.
    callback : callable, optional
        Given x after each step, in the shape of the start (or ``intermediate_result``, as in SciPy); one that returns
        True or raises ``StopIteration`` ends the walk.
    progress : callable, optional
        Given the ``Row`` of each trial.
    checkpoint : path, optional
        Every few seconds what is known is written there, whole; ``sf.load`` reads it.
    resume : path or Result, optional
        Go on from where this one ended, with its trace in front. The same method goes on with what it had learnt, and
        takes the steps that it would have taken; ``"auto"`` chooses anew.
    prove : bool or float, optional
        Whether the verdict is to be proven, in intervals: of JAX code and typed text. By default half a second is tried
        where f is small; True or a number of seconds insists, False skips it.

    Returns
    -------
    Result
        Never an exception for a budget or Ctrl-C once the start was evaluated.

    Raises
    ------
    ExpressionError
        Typed text cannot be understood; the message points at the place.
    ModelError
        The start, bounds or method do not fit the function.

    References
    ----------
    Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, chapters 3 to 6, pp. 30-163.

    Examples
    --------
    >>> import surefoot as sf
    >>> result = sf.minimize("100*(y - x^2)^2 + (1 - x)^2", {"x": -1.2, "y": 1})
    >>> result.verdict.value, {name: round(value, 12) for name, value in result.x.items()}
    ('global minimum', {'x': 1.0, 'y': 1.0})
    >>> result.certificate.rigour.value
    'proven'
    """
    check_wishes(method, steps, tol, lowest, starts, seed, callback, progress)
    budget_of(prove)
    before = earlier(load(resume) if isinstance(resume, str | Path) else resume)
    if x0 is None:
        x0 = start_for(f, bounds if box is None else box, before, many=starts is not None)
    objective, start = objective_of(
        f, x0, args=as_args(args), jac=as_derivative("jac", jac), hess=hess, lanes=max(starts or 0, 0)
    )
    bounded = None if bounds is None else bounds_of(bounds, objective)
    if before is not None:
        start = resumed(before, objective).flat
    title = title_of(f)
    wishes = Wishes(
        method=method, steps=steps, box=bounded, tolerance=tol, lowest=lowest,
        budget=read_budget(max_steps, max_evaluations, max_seconds), watch=as_watch(callback, progress, objective),
        before=before,
    )  # fmt: skip
    log = checkpointed(checkpoint, objective, start, wishes, title)
    if starts is None:
        result = minimise(objective, start, log.wishes, title)
    else:
        from surefoot.results.starts import minimise_from_many

        region = box_of(bounds if box is None else box, objective)
        result = minimise_from_many(objective, region, starts, seed, log.wishes, title)
    result = log.noted(result if before is None else result.after(before))
    return with_proof(result, lambda: _real(f, x0, objective), bounded, prove)


def _real(f: Any, x0: Any, objective: Any) -> Graph:
    """The real function that f denotes: of a text as it was typed, of code as JAX has read it already."""
    from surefoot.problem.denoted import denoted

    return denoted(f, x0).graph if objective.source == "text" else objective.denotes()


def compass(f: Any, x: Any, direction: Any = None, *, args: tuple = (), jac: Any = None) -> Compass:
    """Value, gradient and its length, steepest direction, slope along a direction, and the tangent of the level set.

    Parameters
    ----------
    f : callable or str
        As for ``minimize``.
    x : number, array, mapping or pytree
        Where to look.
    direction : like ``x``, optional
        A way to ask about; only its direction matters.
    args, jac
        As for ``minimize``.

    Returns
    -------
    Compass
        It prints itself; ``plot()`` draws the contour map of two variables.

    Raises
    ------
    ExpressionError
        Typed text cannot be understood.
    ModelError
        f or its gradient is not finite there, or the direction is zero.

    References
    ----------
    Courant, John (1974), "Introduction to Calculus and Analysis", vol. II, Wiley, section 1.5, pp. 43-47.

    Examples
    --------
    >>> import surefoot as sf
    >>> compass = sf.compass("x^2 + 10*y^2", {"x": 3, "y": 1})
    >>> compass.gradient, compass.steepest.round(3).tolist()
    ({'x': 6.0, 'y': 20.0}, [-0.287, -0.958])
    """
    objective, point = objective_of(f, x, args=as_args(args), jac=as_derivative("jac", jac))
    way = None if direction is None else read_direction(direction, objective)
    return look_around(objective, point, way, title_of(f))


def draw_walks(walks: Mapping[str, Result] | Sequence[Result], path: str | Path | None = None) -> Figure:
    """Several walks on one map, beside how fast each came down.

    Parameters
    ----------
    walks : mapping of str to Result, or sequence of Result
        Walks on the same function, by the names to call them; in a sequence each is called by its method.
    path : path, optional
        Write the picture there too: PNG, SVG or PDF by its ending.

    Returns
    -------
    matplotlib Figure
        Of one or two variables with the map; else how fast they came down alone.

    Raises
    ------
    OptionError
        There is no walk, one is no result, or one has other variables than the first.
    DataError
        The file cannot be written.

    Examples
    --------
    >>> import surefoot as sf
    >>> f, start = "x^2 + 10*y^2", {"x": 10, "y": 1}
    >>> walks = {name: sf.minimize(f, start, method=name) for name in ("steepest", "cg", "newton")}
    >>> len(sf.draw_walks(walks).axes)
    2
    """
    from surefoot.report.downhill import draw_walks as drawn
    from surefoot.report.downhill import written
    from surefoot.results.picture import gather_walks

    figure = drawn(gather_walks(walks))
    return figure if path is None else written(figure, path)


__all__ = ["compass", "draw_walks", "minimize"]
