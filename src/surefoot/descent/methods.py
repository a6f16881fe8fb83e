"""Names of methods and step rules, SciPy's spellings among them, and which pairs make sense.

    method = direction x step rule

Any pair whose step can rely on what the direction gives composes. Momentum may point uphill, so no search along it;
steps of the trust region need a model, so they go with the directions that have one; the adaptive step and those of
Polyak are derived for the gradient itself.

Reference: Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, chapter 3, pp. 30-62 (what a step rule
asks of a direction).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from surefoot.descent.directions import Direction
from surefoot.descent.ground import Ground, Here
from surefoot.descent.steps import FixedRate, Step
from surefoot.errors import OptionError

SEARCHES = ("hager-zhang", "wolfe", "armijo", "exact")
"""Steps that look along the way until f has fallen enough."""


@dataclass(frozen=True)
class Method:
    """A direction, as it is named, and the steps that go with it.

    Attributes
    ----------
    name : str
        As it is typed.
    place : str
        Module and class.
    steps : tuple of str
        Names of the step rules that go with it, the one that is taken if none is asked for first.
    why : str
        Why others do not.
    arguments : tuple
        For the class.
    flattening : float
        Share of the slope that a search along it may leave; small where the next direction relies on it.
    also : tuple of str
        Other spellings.
    """

    name: str
    place: str
    steps: tuple[str, ...]
    why: str
    arguments: tuple[Any, ...] = ()
    flattening: float = 0.9
    also: tuple[str, ...] = ()

    def direction(self) -> Direction:
        """A fresh instance, for one walk."""
        return _class(self.place)(*self.arguments)


_CONJUGATE = (
    ("hager-zhang", "wolfe", "exact", "armijo"),
    "conjugate gradients live on each step ending near the lowest point of its line",
)
_LEARNING = ((*SEARCHES, "full"), "quasi-Newton directions have a length of their own, which a search checks")
_NEWTON = ((*SEARCHES, "full"), "Newton's direction has a length of its own, which a search checks")
_PUSHED = (("fixed",), "momentum may point uphill for a while, so that a search along it finds nothing")


def _conjugate(name: str, beta: str, *also: str) -> Method:
    return Method(name, "conjugate:NonlinearConjugateGradients.named", *_CONJUGATE, (beta,), 0.4, also)


METHODS = (
    Method("steepest", "directions:SteepestDescent", ("exact", "hager-zhang", "wolfe", "armijo", "fixed", "adaptive",
           "polyak", "silver"), "the gradient carries no model", also=("steepest-descent", "gradient", "gd")),
    Method("adgd", "directions:SteepestDescent", ("adaptive",), "AdGD is steepest descent with adaptive steps",
           also=("adaptive",)),
    Method("momentum", "directions:HeavyBall", *_PUSHED, (0.9,), also=("heavy-ball",)),
    Method("nesterov", "directions:Nesterov", *_PUSHED),
    _conjugate("cg", "hz", "cg-hz", "conjugate-gradients"),
    _conjugate("cg-fr", "fr"),
    _conjugate("cg-pr", "pr", "cg-pr+"),
    _conjugate("cg-hs", "hs"),
    _conjugate("cg-dy", "dy"),
    Method("bfgs", "quasi_newton:BFGS", *_LEARNING),
    Method("l-bfgs", "quasi_newton:LBFGS", *_LEARNING, also=("lbfgs", "l-bfgs-b")),
    Method("newton", "newton:Newton", *_NEWTON),
    Method("trust-newton", "trust_region:TrustRegionNewton", ("trust-region",), "its model is trusted within a radius",
           also=("trust-exact", "trust-ncg", "newton-cg", "trust-krylov", "dogleg")),
    Method("nelder-mead", "directions:SteepestDescent", ("simplex",), "Nelder-Mead has steps of its own",
           also=("simplex",)),
)  # fmt: skip
"""Every method by name; the modules are imported when they are asked for."""

STEPS: dict[str, str] = {
    "fixed": "steps:FixedRate",
    "full": "schedules:FullStep",
    "exact": "exact_step:ExactStep",
    "armijo": "line_search:Armijo",
    "wolfe": "line_search:StrongWolfe",
    "hager-zhang": "hager_zhang:HagerZhang",
    "polyak": "schedules:Polyak",
    "adaptive": "adaptive:Adaptive",
    "silver": "schedules:Silver",
    "trust-region": "trust_region:TrustRegion",
    "simplex": "simplex:NelderMead",
}
"""Every step rule by name."""

SPELLINGS = {"strong-wolfe": "wolfe", "backtracking": "armijo", "adgd": "adaptive", "fixed-rate": "fixed",
             "rate": "fixed", "exact-line-search": "exact", "hz": "hager-zhang", "trust": "trust-region",
             "nelder-mead": "simplex"}  # fmt: skip


def method_named(name: str) -> Method:
    """The method that a name stands for.

    Raises
    ------
    OptionError
        There is none of that name.

    Examples
    --------
    >>> method_named("L-BFGS-B").name, method_named("BFGS").steps[0]
    ('l-bfgs', 'hager-zhang')
    """
    wanted = _plain(name)
    for method in METHODS:
        if wanted == method.name or wanted in method.also:
            return method
    raise OptionError(_unknown("method", name, ["auto", *(method.name for method in METHODS)]))


def paired(
    method: str | Direction, steps: str | float | Step | None, ground: Ground, here: Here
) -> tuple[Direction, Step]:
    """A direction and the step rule that goes with it, ready for one walk.

    Parameters
    ----------
    method : str or Direction
        A name, or a direction.
    steps : str, float, Step or None
        A name, a learning rate, a step rule, or None for the one that suits the method.
    ground, here : Ground, Here
        Where the walk begins; a fixed rate that is not given is measured there.

    Raises
    ------
    OptionError
        A name that is not known, or a pair that makes no sense; the sentence says which steps do.

    Examples
    --------
    >>> import numpy as np
    >>> from surefoot.descent.bowl import Bowl
    >>> bowl = Bowl.of_arrays(np.eye(2), np.ones(2))
    >>> direction, step = paired("CG", None, bowl, bowl.see(np.zeros(2)))
    >>> direction.name, step.name
    ('conjugate gradients (Hager-Zhang)', 'Hager-Zhang line search')
    """
    known = method_named(method) if isinstance(method, str) else _method_of(method)
    direction = known.direction() if isinstance(method, str) else method
    if steps is None:
        steps = known.steps[0]
    name = name_of_step(steps)
    if name is not None and name not in known.steps:
        raise OptionError(
            f"The method {known.name!r} does not go with {name!r} steps: {known.why}. "
            f"It goes with {_listed(known.steps)}."
        )
    return direction, _made(steps, known, ground, here)


def _made(steps: str | float | Step, method: Method, ground: Ground, here: Here) -> Step:
    if isinstance(steps, (int, float)):
        return FixedRate(float(steps))
    if not isinstance(steps, str):
        return steps
    name = _step_named(steps)
    if name == "polyak":
        raise OptionError(
            "Polyak's step needs to know the lowest value of f: give steps=sf.steps.Polyak(lowest), as Polyak(0.0) for "
            "a sum of squares that can be zero."
        )
    if name == "silver":
        raise OptionError(
            "Silver steps need to know the largest curvature of f anywhere: give steps=sf.steps.Silver(largest)."
        )
    if name == "fixed":
        # Where there is nothing to measure along, the walk ends at its start, and says why.
        return FixedRate.measured(ground, here) if 0 < here.steepness < np.inf else FixedRate(1.0)
    make = _class(STEPS[name])
    return make(flattening=method.flattening) if name in ("hager-zhang", "wolfe") else make()


def _method_of(direction: Direction) -> Method:
    """The entry of a direction that was given as an object; one of a person's own goes with every search."""
    kind = type(direction).__name__
    for method in METHODS:
        if method.place.split(":")[1].split(".")[0] == kind:
            return method
    if kind == "ConjugateGradients":
        return method_named("cg-fr")
    return Method(direction.name, "", tuple(name for name in ("hager-zhang", *STEPS)), "")


def name_of_step(steps: str | float | Step) -> str | None:
    """The name of a step rule however it was given; None for one of a person's own."""
    if isinstance(steps, str):
        return _step_named(steps)
    kind = "FixedRate" if isinstance(steps, (int, float)) else type(steps).__name__
    return next((name for name, place in STEPS.items() if place.endswith(f":{kind}")), None)


def within_radius(method: Any) -> bool:
    """Whether a method, by name or as a direction, lives by a trust region.

    Examples
    --------
    >>> within_radius("trust-exact"), within_radius("bfgs")
    (True, False)
    """
    known = method_named(method) if isinstance(method, str) and method != "auto" else method
    return "trust-region" in (known.steps if isinstance(known, Method) else ()) or hasattr(known, "convex")


def _step_named(name: str) -> str:
    wanted = SPELLINGS.get(_plain(name), _plain(name))
    if wanted not in STEPS:
        raise OptionError(_unknown("step rule", name, list(STEPS)))
    return wanted


def step_class(name: str) -> Callable[..., Any]:
    """The class of a step rule, by its name in `STEPS`."""
    return _class(STEPS[name])


def _class(place: str) -> Callable[..., Any]:
    module, path = place.split(":")
    found: Any = import_module(f"surefoot.descent.{module}")
    for name in path.split("."):
        found = getattr(found, name)
    return found


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(" ", "-")


def _unknown(kind: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(_plain(name), known, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"There is no {kind} named {name!r}.{hint} The names are {_listed(tuple(known))}."


def _listed(names: tuple[str, ...]) -> str:
    said = [repr(name) for name in names]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
