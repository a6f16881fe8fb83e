"""The compass: which way is down from a point, and why no other way is steeper.

    slope along a unit direction d:    grad f . d = |grad f| cos(angle),    least at d = -grad f / |grad f|

Reference: Courant, John (1974), "Introduction to Calculus and Analysis", vol. II, Wiley, section 1.5, pp. 43-47
(directional derivative and gradient).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.errors import ModelError
from surefoot.problem.objective import Objective

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Compass:
    """What a function looks like from a point.

    Attributes
    ----------
    x : like the point given
        Where.
    value : float
        f(x).
    gradient : like ``x``
        grad f(x): it points uphill fastest.
    length : float
        ``|grad f(x)|``, the slope of that way, per unit of distance.
    steepest : ndarray, shape (n,), or None
        The unit direction that goes down fastest; None where the gradient is zero.
    direction : ndarray, shape (n,), or None
        The unit direction that was asked about.
    slope_along : float or None
        The slope along it; negative is downhill.
    angle : float or None
        Between it and the gradient, in degrees.
    tangent : ndarray, shape (2,), or None
        Of two variables: the unit direction along the level set, along which f neither rises nor falls.
    sentences : tuple of str
        The same in words.
    names : tuple of str
        Of the variables.
    flat, slope : ndarray, shape (n,)
        Point and gradient as vectors.

    Examples
    --------
    >>> import surefoot as sf
    >>> compass = sf.compass("x^2 + 10*y^2", {"x": 3, "y": 1}, direction={"x": 1, "y": 0})
    >>> compass.length, compass.slope_along
    (20.8806130178211, 6.0)
    """

    x: Any
    value: float
    gradient: Any
    length: float
    steepest: np.ndarray | None
    direction: np.ndarray | None
    slope_along: float | None
    angle: float | None
    tangent: np.ndarray | None
    sentences: tuple[str, ...]
    names: tuple[str, ...]
    flat: np.ndarray
    slope: np.ndarray
    title: str
    objective: Objective

    def __str__(self) -> str:
        from surefoot.report.minima import compass_text

        return compass_text(self)

    def plot(self, path: str | Path | None = None) -> Figure:
        """The contour map around the point with gradient, steepest direction and level set drawn.

        Parameters
        ----------
        path : path, optional
            Write the picture there too: PNG, SVG or PDF by its ending.

        Raises
        ------
        ModelError
            The function has not two variables.
        DataError
            The file cannot be written.
        """
        from surefoot.report.downhill import draw_compass, written
        from surefoot.results.picture import around

        if len(self.names) != 2:
            raise ModelError(f"A contour map needs two variables; this function has {len(self.names)}.")
        figure = draw_compass(self, around(self))
        return figure if path is None else written(figure, path)

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "names": list(self.names), "x": self.flat.tolist(), "value": self.value, "gradient": self.slope.tolist(),
            "length": self.length, "steepest": None if self.steepest is None else self.steepest.tolist(),
            "direction": None if self.direction is None else self.direction.tolist(), "slope": self.slope_along,
            "angle": self.angle, "tangent": None if self.tangent is None else self.tangent.tolist(),
            "sentences": list(self.sentences),
        }  # fmt: skip


def look_around(objective: Objective, x: np.ndarray, direction: np.ndarray | None, title: str) -> Compass:
    """Read the compass at a point.

    Raises
    ------
    ModelError
        f or its gradient is not finite there, or the direction is zero.
    """
    value, gradient = objective.see(x)
    if not (np.isfinite(value) and np.all(np.isfinite(gradient))):
        where = ", ".join(f"{name} = {number:.6g}" for name, number in zip(objective.names[:4], x[:4], strict=False))
        raise ModelError(f"f or its gradient is not finite at {where}: there is no way down to point at.")
    length = float(np.linalg.norm(gradient))
    steepest = -gradient / length if length > 0 else None
    unit, along, angle = _along(gradient, length, direction)
    tangent = np.array([-gradient[1], gradient[0]]) / length if len(x) == 2 and length > 0 else None
    return Compass(
        x=objective.shaped(x), value=value, gradient=objective.shaped(gradient), length=length, steepest=steepest,
        direction=unit, slope_along=along, angle=angle, tangent=tangent,
        sentences=_sentences(objective.names, length, steepest, unit, along, angle, tangent), names=objective.names,
        flat=x, slope=gradient, title=title, objective=objective,
    )  # fmt: skip


def _along(
    gradient: np.ndarray, length: float, direction: np.ndarray | None
) -> tuple[np.ndarray | None, float | None, float | None]:
    """The unit direction asked about, the slope along it, and its angle with the gradient."""
    if direction is None:
        return None, None, None
    size = float(np.linalg.norm(direction))
    if not (size > 0 and math.isfinite(size)):
        raise ModelError("The direction has no length: give at least one number that is not zero.")
    unit = direction / size
    slope = float(gradient @ unit)
    return unit, slope, math.degrees(math.acos(max(-1.0, min(1.0, slope / length)))) if length > 0 else None


def _sentences(names, length, steepest, unit, along, angle, tangent) -> tuple[str, ...]:
    if steepest is None:
        return (
            "The gradient is zero: the point is stationary, and to first order f changes in no direction. What kind of "
            "point it is, the Hessian decides.",
        )
    said = [
        f"Downhill is against the gradient. Along a unit direction at angle a to the gradient the slope is |gradient| "
        f"cos(a) = {length:.6g} cos(a): it is least, {-length:.6g}, at a = 180 degrees, so no direction is steeper."
    ]
    if unit is not None:
        way = "downhill" if along < 0 else "uphill" if along > 0 else "level"
        shown = ", ".join(f"{number:.6g}" for number in unit[:6]) + (", ..." if len(unit) > 6 else "")
        said.append(
            f"Along ({shown}) the slope is {along:.6g} ({way}): {length:.6g} times cos {angle:.4g} degrees, "
            f"{100 * abs(along) / length:.3g}% of the steepest."
        )
    if tangent is not None:
        said.append(
            f"At right angles to the gradient, along ({tangent[0]:.6g}, {tangent[1]:.6g}), f neither rises nor falls: "
            f"that "
            "is the tangent of the level set."
        )
    return tuple(said)
