"""Where the elementary functions bend up or down, rise or fall, and where they are defined.

    phi convex on [a, b]:  phi(u) is convex if u is affine, or convex where phi rises, or concave where phi falls

Regions are closed intervals with ends in doubles; where an end is a number that no double is, it is rounded inwards.

Reference: Boyd, Vandenberghe (2004), "Convex Optimization", Cambridge, section 3.2.4, pp. 83-86.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

Region = tuple[float, float]

EVERYWHERE: tuple[Region, ...] = ((-math.inf, math.inf),)
RIGHT: tuple[Region, ...] = ((0.0, math.inf),)
LEFT: tuple[Region, ...] = ((-math.inf, 0.0),)
BOTH: tuple[Region, ...] = (*LEFT, *RIGHT)
"""Either side of 0, each by itself."""

HALF_PI = math.nextafter(math.pi / 2, 0.0)


@dataclass(frozen=True)
class Need:
    """What an operand must be: ``u > bound`` and so on; ``!=`` only with 0.

    ``exactly`` says whether the function is defined there only. If not, its shape is known there only, and nothing
    follows where it does not hold.
    """

    relation: str
    bound: float = 0.0
    exactly: bool = True


@dataclass(frozen=True)
class Shape:
    """What is known of an elementary function, on the part of R where it is defined.

    Attributes
    ----------
    convex, concave, up, down : tuple of (float, float)
        Closed intervals on each of which it is so. Up means nowhere decreasing.
    needs : tuple of Need
        Where it is defined.
    strict : bool
        Whether it is strictly so on those intervals.

    Examples
    --------
    >>> SHAPES["exp"].convex == EVERYWHERE, SHAPES["log"].needs
    (True, (Need(relation='>', bound=0.0, exactly=True),))
    """

    convex: tuple[Region, ...] = ()
    concave: tuple[Region, ...] = ()
    up: tuple[Region, ...] = ()
    down: tuple[Region, ...] = ()
    needs: tuple[Need, ...] = ()
    strict: bool = True


_ODD_FALLING = Shape(convex=LEFT, concave=RIGHT, up=EVERYWHERE)
_ODD_RISING = Shape(convex=RIGHT, concave=LEFT, up=EVERYWHERE)
_STEPS = Shape(up=EVERYWHERE, strict=False)

SHAPES: dict[str, Shape] = {
    "exp": Shape(convex=EVERYWHERE, up=EVERYWHERE),
    "expm1": Shape(convex=EVERYWHERE, up=EVERYWHERE),
    "softplus": Shape(convex=EVERYWHERE, up=EVERYWHERE),
    "cosh": Shape(convex=EVERYWHERE, up=RIGHT, down=LEFT),
    "abs": Shape(convex=EVERYWHERE, concave=BOTH, up=RIGHT, down=LEFT, strict=False),
    "log": Shape(concave=EVERYWHERE, up=EVERYWHERE, needs=(Need(">"),)),
    "log1p": Shape(concave=EVERYWHERE, up=EVERYWHERE, needs=(Need(">", -1.0),)),
    "log_ndtr": Shape(concave=EVERYWHERE, up=EVERYWHERE),
    "lgamma": Shape(convex=EVERYWHERE, up=((1.47, math.inf),), down=((0.0, 1.46),), needs=(Need(">", exactly=False),)),
    "digamma": Shape(concave=EVERYWHERE, up=EVERYWHERE, needs=(Need(">", exactly=False),)),
    "arccosh": Shape(concave=EVERYWHERE, up=EVERYWHERE, needs=(Need(">=", 1.0),)),
    "sinh": _ODD_RISING,
    "arctanh": Shape(convex=RIGHT, concave=LEFT, up=EVERYWHERE, needs=(Need(">", -1.0), Need("<", 1.0))),
    "arcsin": Shape(convex=RIGHT, concave=LEFT, up=EVERYWHERE, needs=(Need(">=", -1.0), Need("<=", 1.0))),
    "arccos": Shape(convex=LEFT, concave=RIGHT, down=EVERYWHERE, needs=(Need(">=", -1.0), Need("<=", 1.0))),
    "cbrt": _ODD_FALLING, "tanh": _ODD_FALLING, "arctan": _ODD_FALLING, "erf": _ODD_FALLING,
    "arcsinh": _ODD_FALLING, "logistic": _ODD_FALLING,
    "erfc": Shape(convex=RIGHT, concave=LEFT, down=EVERYWHERE),
    "tan": Shape(convex=((0.0, HALF_PI),), concave=((-HALF_PI, 0.0),), up=((-HALF_PI, HALF_PI),)),
    "sign": _STEPS, "floor": _STEPS, "ceil": _STEPS, "round": _STEPS,
}  # fmt: skip
"""By the names of `real.UNARY`; sine and cosine are in `waves`, powers in `power_shape`. The logarithm of the gamma
function is taken on u > 0 only, where it has its least value between 1.46 and 1.47."""


@cache
def power_shape(exponent: Fraction) -> Shape:
    """The shape of ``u^c``.

    Examples
    --------
    >>> power_shape(Fraction(3)).convex, power_shape(Fraction(1, 2)).concave == EVERYWHERE
    (((0.0, inf),), True)
    """
    c = exponent
    if c.denominator != 1:
        if c > 1:
            return Shape(convex=EVERYWHERE, up=EVERYWHERE, needs=(Need(">="),))
        if c > 0:
            return Shape(concave=EVERYWHERE, up=EVERYWHERE, needs=(Need(">="),))
        return Shape(convex=EVERYWHERE, down=EVERYWHERE, needs=(Need(">"),))
    even = c % 2 == 0
    if c > 0:
        if c == 1:
            return Shape(convex=EVERYWHERE, concave=EVERYWHERE, up=EVERYWHERE, strict=False)
        return Shape(convex=EVERYWHERE, up=RIGHT, down=LEFT) if even else _ODD_RISING
    if c == 0:
        return Shape(convex=EVERYWHERE, concave=EVERYWHERE, up=EVERYWHERE, down=EVERYWHERE, strict=False)
    if even:
        return Shape(convex=BOTH, up=LEFT, down=RIGHT, needs=(Need("!="),))
    return Shape(convex=RIGHT, concave=LEFT, down=BOTH, needs=(Need("!="),))


def inside(regions: tuple[Region, ...], lo: np.ndarray, hi: np.ndarray) -> np.ndarray:
    """Whether intervals lie in one of the regions: boolean, in the shape of their ends."""
    found = np.zeros(np.broadcast_shapes(lo.shape, hi.shape), dtype=bool)
    for low, high in regions:
        found |= (lo >= low) & (hi <= high)
    return found
