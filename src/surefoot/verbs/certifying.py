"""The verbs of proofs about points: what a point is, whether a saved proof holds, and how long steps may be."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from surefoot.errors import OptionError, SurefootError
from surefoot.problem.box import Box
from surefoot.problem.denoted import denoted
from surefoot.proof.certificate import Certificate
from surefoot.proof.rate import SafeRate
from surefoot.proof.rate import safe_rate as proven_rate
from surefoot.proof.recheck import Recheck, recheck
from surefoot.proof.stationary import NEAR
from surefoot.proof.stationary import certify as proven_point
from surefoot.results.asked import as_args
from surefoot.results.proving import curvature_of


def certify(
    f: Any,
    x: Any,
    *,
    args: tuple = (),
    bounds: Any = None,
    near: float = NEAR,
    max_seconds: float | None = None,
) -> Certificate:
    """Prove what a point is: a minimum, a saddle, a maximum, degenerate, or not stationary.

    The point may come from anywhere, and is not believed. A proof encloses a true stationary point next to it, and
    shows the signs of curvature over the whole enclosure; it is about the real function that f denotes, in exact
    arithmetic.

    Parameters
    ----------
    f : callable, str or Objective
        JAX code of one argument in the shape of ``x`` (and ``*args``), or typed text: ``"x^2 + 10*y^2"``.
    x : number, array, mapping, str or pytree
        The point.
    args : tuple
        Further arguments of f.
    bounds : pairs, mapping, str, Box or scipy.optimize.Bounds, optional
        Bounds of the variables; the point must lie within. The claim is then about f within them.
    near : float
        A stationary point further away than this part of max(1, norm of x) is not the one that is meant.
    max_seconds : float, optional
        About the most time.

    Returns
    -------
    Certificate
        With rigour PROVEN, bounds on the distance and on the value; or INCONCLUSIVE, with the step that failed. It
        prints its argument, ``save`` writes it, and ``recheck`` proves it again.

    Raises
    ------
    ExpressionError
        Typed text cannot be understood.
    ModelError
        f cannot be read as a real function (NumPy, PyTorch), or the point does not fit.

    References
    ----------
    Neumaier (1990), "Interval Methods for Systems of Equations", Cambridge, section 5.1, pp. 167-178.

    Examples
    --------
    >>> import surefoot as sf
    >>> print(sf.certify("x^4 - 2*x^2 + y^2", "x=1, y=0").verdict.value)
    strict local minimum
    >>> print(sf.certify("x^2 - y^2", {"x": 0, "y": 0}).claim.partition(",")[0])
    A saddle at this point itself
    """
    if not (isinstance(near, int | float) and near >= 0):
        raise OptionError(f"near is a part of the size of x, a number from 0 up, not {near!r}.")
    if max_seconds is not None and not (isinstance(max_seconds, int | float) and max_seconds > 0):
        raise OptionError(f"max_seconds is a number above 0, not {max_seconds!r}.")
    asked = denoted(f, x, as_args(args))
    box = _box(bounds, asked.graph.names)
    return proven_point(
        asked.graph, asked.x, box, curvature=lambda: curvature_of(asked.graph, box), near=float(near),
        seconds=math.inf if max_seconds is None else float(max_seconds),
    )  # fmt: skip


def _box(bounds: Any, names: tuple[str, ...]) -> Box | None:
    if isinstance(bounds, str):
        from surefoot.problem.typed import read_bounds
        from surefoot.problem.variables import Variables

        return Box(*read_bounds(bounds, Variables.of_names(names)))
    return None if bounds is None else Box.of(bounds, names)


def safe_rate(f: Any, x0: Any, *, args: tuple = (), minimum: Any = None) -> SafeRate:
    """Prove a learning rate to be safe for steepest descent from a start.

    With a rate of at most 1/L, where L bounds the size of the Hessian wherever the walk can come, no step is too long.
    L is proven, on all of R^n, on the ball around a true minimum of a convex f that reaches to the start, or in a box
    that f does not let the walk leave.

    Parameters
    ----------
    f : callable, str or Objective
        As for ``certify``.
    x0 : number, array, mapping, str or pytree
        The start.
    args : tuple
        Further arguments of f.
    minimum : like ``x0``, optional
        About where the walk leads; by default ``minimize`` finds it. It is not believed.

    Returns
    -------
    SafeRate
        ``rate``, the bound ``curvature``, and what is proven, in ``lines``; ``float()`` of it is the rate.

    Raises
    ------
    ModelError
        No rate can be proven, with the reason; or f cannot be read as a real function.

    References
    ----------
    Nesterov (2018), "Lectures on Convex Optimization", 2nd ed., Springer, theorem 2.1.14, p. 80.

    Examples
    --------
    >>> import surefoot as sf
    >>> rate = sf.safe_rate("x^2 + 10*y^2", "x=3, y=1")
    >>> round(float(rate), 6)
    0.05
    >>> sf.minimize("x^2 + 10*y^2", "x=3, y=1", method="steepest", steps=float(rate)).verdict.value
    'unique global minimum'
    """
    asked = denoted(f, x0, as_args(args))
    if minimum is not None:
        guess: np.ndarray | None = denoted(f, minimum, as_args(args)).x
    else:
        guess = _led_to(f, x0, args)

    @cache
    def curvature() -> Certificate | None:
        return curvature_of(asked.graph, None)

    return proven_rate(asked.graph, asked.x, minimum=guess, curvature=curvature)


def _led_to(f: Any, x0: Any, args: tuple) -> np.ndarray | None:
    """Where a walk ends: a proposal."""
    from surefoot.verbs.minima import minimize

    try:
        return minimize(f, x0, args=args, prove=False).flat
    except SurefootError:
        return None


__all__ = ["Recheck", "certify", "recheck", "safe_rate"]
