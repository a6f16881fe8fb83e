"""A zoo of functions with known answers: the tame, the ill, and those that have no minimum to find.

Each *animal* is a function, a start, and the truth about it, written down by hand: where its minima lie (as the
distance of a point to the nearest one), how low it can go, and where else it is stationary. ``test_zoo_functions.py``
sends every method through all of them.

References: More, Garbow, Hillstrom (1981), "Testing Unconstrained Optimization Software", ACM TOMS 7(1), pp. 17-41;
Himmelblau (1972), "Applied Nonlinear Programming", McGraw-Hill, p. 428.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np

NOWHERE = math.inf
"""The distance to the nearest minimum where there is none."""


def at(*points: tuple[float, ...]) -> Callable[[np.ndarray], float]:
    """The distance to the nearest of these points."""
    return lambda x: min(float(np.linalg.norm(x - np.array(point))) for point in points)


def nowhere(x: np.ndarray) -> float:
    return NOWHERE


@dataclass(frozen=True)
class Animal:
    """A function and the truth about it.

    Attributes
    ----------
    name : str
    f : callable
    start : tuple of float
    lowest : float
        The infimum of f; minus infinity where it falls without end.
    away : callable
        Distance from a point to the nearest local minimum, infinite where there is none.
    close : float
        How near a claimed minimum must be to a true one.
    strict : bool
        Whether its minima are strict (alone in a neighbourhood).
    others : callable
        Distance from a point to the nearest stationary point that is no minimum.
    found_by : str
        Who must arrive: ``"all"``, ``"good"`` (those that learn or know curvature), ``"auto"`` alone, ``"none"``.
    options : dict
        For ``sf.minimize``: ``jac=``, ``args=``.
    """

    name: str
    f: Callable[..., Any]
    start: tuple[float, ...]
    lowest: float
    away: Callable[[np.ndarray], float]
    close: float = 1e-5
    strict: bool = True
    others: Callable[[np.ndarray], float] = nowhere
    found_by: str = "good"
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    @property
    def height(self) -> float:
        """f at the start, as the caller's own code has it."""
        found = self.f(np.array(self.start), *self.options.get("args", ()))
        return float(found[0] if self.options.get("jac") is True else found)


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def himmelblau(x):
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


HIMMELBLAU = (
    (3.0, 2.0), (-2.805118086952745, 3.131312518250573), (-3.779310253377747, -3.283185991286170),
    (3.584428340330492, -1.848126526964404),
)  # fmt: skip
"""Its four minima, all of height zero."""


def powell(x):
    return (x[0] + 10 * x[1]) ** 2 + 5 * (x[2] - x[3]) ** 2 + (x[1] - 2 * x[2]) ** 4 + 10 * (x[0] - x[3]) ** 4


def beale(x):
    return sum((c - x[0] * (1 - x[1] ** k)) ** 2 for k, c in ((1, 1.5), (2, 2.25), (3, 2.625)))


def round_bowl(x):
    return jnp.sum((x - 1) ** 2)


def narrow_bowl(x):
    return x[0] ** 2 + 100 * (x[1] + 2) ** 2


def trough(x):
    return (x[0] - x[1] - 1) ** 2


def linear(x):
    return 3 * x[0] - 4 * x[1]


def saddle_of_two(x):
    return x[0] ** 2 - x[1] ** 2 + x[1] ** 4 / 4


def bare_saddle(x):
    return x[0] ** 2 - x[1] ** 2


def hill(x):
    return -(x[0] ** 2) - 2 * x[1] ** 2


def hill_with_foot(x):
    return jnp.cos(x[0]) + 2 * jnp.cos(x[1])


def monkey(x):
    return x[0] ** 3 - 3 * x[0] * x[1] ** 2


def cubic(x):
    return x[0] ** 3


def quartic(x):
    return x[0] ** 4 + 3 * x[1] ** 4


def crossing(x):
    return x[0] ** 2 * x[1] ** 2


def plateau(x):
    return jnp.maximum(0.0, jnp.sum(x**2) - 1) ** 2


def constant(x):
    return 0.0 * jnp.sum(x) + 7.0


def exponential(x):
    return jnp.exp(-x[0]) + x[1] ** 2


def slowing(x):
    return 1 / (1 + x[0] ** 2) + x[1] ** 2


def root(x):
    return jnp.sqrt(x[0]) + 1 / x[0] + (x[1] - 1) ** 2


def logarithms(x):
    return x[0] - jnp.log(x[0]) + 2 * x[1] - jnp.log(x[1])


def hole(x):
    return jnp.where(x[0] < -0.5, jnp.nan, (x[0] - 1) ** 2 + (x[1] - 1) ** 2)


def minimum_at_the_edge(x):
    """Lower and lower towards x = 0, and not defined beyond."""
    return jnp.where(x[0] > 0, x[0] + x[1] ** 2, jnp.nan)


def kink(x):
    return jnp.abs(x[0]) + 2 * jnp.abs(x[1])


def step(x):
    return jnp.floor(4 * x[0]) ** 2 + x[1] ** 2


def jump(x):
    """Down to x = 0, where it jumps up by one: the infimum 0 is not attained."""
    return jnp.where(x[0] > 0, x[0] ** 2, 1 + x[0] ** 2) + (x[1] - 1) ** 2


def above_the_jump(x):
    """No double near the jump is told from the infimum, but the lower end of the jump is a minimum of nothing."""
    return math.hypot(x[0], x[1] - 1) if x[0] > 0 else NOWHERE


def half_precision(x):
    x = jnp.asarray(x, jnp.float32)
    return jnp.float32(10) + (x[0] - jnp.float32(0.3)) ** 2 + 4 * (x[1] + jnp.float32(0.7)) ** 2


def offset(x):
    """A minimum whose value hides what the gradient still sees."""
    return 1e8 + (x[0] - 1) ** 2 + (x[1] - 2) ** 2


def unequal(x):
    return 1e10 * (x[0] - 1) ** 2 + 1e-4 * (x[1] - 1) ** 2


def tiny(x):
    return 1e-200 * ((x[0] - 1) ** 2 + 3 * x[1] ** 2)


def huge(x):
    return 1e200 * ((x[0] - 1) ** 2 + 3 * x[1] ** 2)


def steep(x):
    """From 1e217 down to 1: curvature changes by decades in every step."""
    return jnp.exp(100 * jnp.sum(x**2))


def largest(x):
    """As high as doubles go."""
    return 1e307 * jnp.sum((x - 1) ** 2)


def zero_start(x):
    """f is zero at the start, falls from there, and the minimum is -1/4."""
    return x[0] ** 2 - x[0] + x[1] ** 2


def numpy_bowl(x):
    """JAX cannot trace it: a branch on values, and NumPy's own functions."""
    if x[0] > 50:
        return float(np.exp(x[0]))
    return float(np.sin(x[0]) ** 2 + (x[1] - 0.5) ** 2)


def with_gradient(x):
    value = float(np.sum((x - 3) ** 2 * [1.0, 10.0]))
    return value, 2 * (x - 3) * [1.0, 10.0]


def ragged(x):
    """A bowl whose last digits are noise: the same at the same point, another at every other one."""
    words = np.asarray(x, float).tobytes()
    noise = int.from_bytes(hashlib.blake2b(words, digest_size=4).digest(), "big") / 2**31 - 1
    return float((x[0] - 1) ** 2 + 2 * (x[1] + 1) ** 2 + 1e-7 * noise)


def rounded_off(x):
    """A bowl whose values are rounded to seven digits after the point, as a table or a coarse solver has them."""
    return float(round((float(x[0]) - 1) ** 2 + 2 * (float(x[1]) + 1) ** 2, 7))


def with_data(x, rows, scale):
    return scale * jnp.mean((rows @ x - 1) ** 2)


def chained(x):
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


ROWS = np.array([[1.0, 2.0], [0.0, 1.0], [3.0, -1.0], [1.0, 1.0]])
FITTED = tuple(np.linalg.lstsq(ROWS, np.ones(4), rcond=None)[0].tolist())
TROUGHS = tuple((math.pi * (2 * j + 1), math.pi * (2 * k + 1)) for j in range(-40, 40) for k in range(-2, 2))


ANIMALS = (
    # The tame: one minimum, and every method that is worth its name gets there.
    Animal("round bowl", round_bowl, (5.0, -3.0), 0.0, at((1.0, 1.0)), found_by="all"),
    Animal("narrow bowl", narrow_bowl, (3.0, 1.0), 0.0, at((0.0, -2.0))),
    Animal("one variable", lambda x: (x[0] - 2) ** 2 + jnp.cosh(x[0] - 2), (0.0,), 1.0, at((2.0,)), found_by="all"),
    Animal("Rosenbrock", rosenbrock, (-1.2, 1.0), 0.0, at((1.0, 1.0))),
    Animal("Himmelblau", himmelblau, (0.0, 0.0), 0.0, at(*HIMMELBLAU)),
    Animal("Beale", beale, (1.0, 1.0), 0.0, at((3.0, 0.5))),
    Animal("chained Rosenbrock of 10", chained, (-1.2, 1.0) * 5, 0.0,
           at((1.0,) * 10, (-0.99326337, 0.99660604, 0.99824061, 0.99898843, 0.99922615, 0.99907365, 0.99845418,
                            0.99705625, 0.99417938, 0.98839263)), close=1e-3),
    Animal("data as an argument", with_data, (0.0, 0.0), 0.0, at(FITTED), options={"args": (ROWS, 2.0)}),
    # Starts that are traps.
    Animal("start at the minimum", round_bowl, (1.0, 1.0), 0.0, at((1.0, 1.0)), found_by="all"),
    Animal("start on a saddle", saddle_of_two, (0.0, 0.0), -1.0, at((0.0, math.sqrt(2)), (0.0, -math.sqrt(2))),
           others=at((0.0, 0.0)), found_by="auto"),
    Animal("start on the ridge of a saddle", saddle_of_two, (1.0, 0.0), -1.0,
           at((0.0, math.sqrt(2)), (0.0, -math.sqrt(2))), others=at((0.0, 0.0)), found_by="auto"),
    Animal("start on a maximum", hill_with_foot, (0.0, 0.0), -3.0, at(*TROUGHS),
           others=at((0.0, 0.0)), found_by="auto"),
    Animal("f(x0) = 0", zero_start, (0.0, 0.0), -0.25, at((0.5, 0.0)), found_by="all"),
    Animal("start on a bare saddle", bare_saddle, (0.0, 0.0), -math.inf, nowhere,
           others=at((0.0, 0.0)), found_by="none"),
    Animal("start on a bare maximum", hill, (0.0, 0.0), -math.inf, nowhere, others=at((0.0, 0.0)), found_by="none"),
    Animal("start on a monkey saddle", monkey, (0.0, 0.0), -math.inf, nowhere, others=at((0.0, 0.0)), found_by="none"),
    Animal("start on an inflection", cubic, (0.0,), -math.inf, nowhere, others=at((0.0,)), found_by="none"),
    # Degenerate: second derivatives do not decide, or nothing changes along a line.
    Animal("quartic", quartic, (1.0, -1.0), 0.0, at((0.0, 0.0)), close=2e-2),
    Animal("Powell's singular", powell, (3.0, -1.0, 0.0, 1.0), 0.0, at((0.0,) * 4), close=2e-2),
    Animal("x^2 y^2", crossing, (1.0, 0.7), 0.0, lambda x: float(np.min(np.abs(x))), close=1e-3, strict=False),
    Animal("trough", trough, (3.0, -2.0), 0.0, lambda x: abs(x[0] - x[1] - 1) / math.sqrt(2), strict=False,
           found_by="all"),
    Animal("plateau reached", plateau, (2.0, 1.0), 0.0, lambda x: max(0.0, float(np.linalg.norm(x)) - 1), close=1e-2,
           strict=False),
    Animal("start on a plateau", plateau, (0.2, 0.1), 0.0, lambda x: 0.0, strict=False, found_by="all"),
    Animal("constant", constant, (1.0, 2.0), 7.0, lambda x: 0.0, strict=False, found_by="all"),
    # No minimum at all.
    Animal("linear", linear, (1.0, 1.0), -math.inf, nowhere, found_by="none"),
    Animal("down a saddle", bare_saddle, (1.0, 0.1), -math.inf, nowhere, others=at((0.0, 0.0)), found_by="none"),
    Animal("down a cubic", cubic, (1.0,), -math.inf, nowhere, others=at((0.0,)), found_by="none"),
    Animal("infimum at infinity (e^-x)", exponential, (0.0, 1.0), 0.0, nowhere, found_by="none"),
    Animal("infimum at infinity (1/x^2)", slowing, (1.0, 1.0), 0.0, nowhere, found_by="none"),
    Animal("infimum at the edge", minimum_at_the_edge, (1.0, 1.0), 0.0, nowhere, found_by="none"),
    Animal("infimum at a jump", jump, (2.0, 0.0), 0.0, above_the_jump, close=1e-7, found_by="none"),
    # Not smooth, not finite, not exact.
    Animal("a hole of nan", hole, (-0.4, 3.0), 0.0, at((1.0, 1.0)), found_by="all"),
    Animal("roots beyond which is nothing", root, (0.1, 0.0), 3 / 4 ** (1 / 3), at((2 ** (2 / 3), 1.0))),
    Animal("logarithms", logarithms, (0.01, 5.0), 2 + math.log(2), at((1.0, 0.5))),
    Animal("kink", kink, (1.0, -0.7), 0.0, at((0.0, 0.0)), found_by="none"),
    Animal("staircase", step, (1.1, 1.0), 0.0, lambda x: 0.0, strict=False, found_by="none"),
    Animal("float32", half_precision, (2.0, 2.0), 10.0, at((0.3, -0.7)), close=1e-2),
    Animal("huge offset", offset, (0.0, 0.0), 1e8, at((1.0, 2.0)), close=1e-3, found_by="all"),
    Animal("units apart by 1e7", unequal, (0.0, 0.0), 0.0, at((1.0, 1.0)), close=1e-2),
    Animal("values near 1e-200", tiny, (3.0, 2.0), 0.0, at((1.0, 0.0))),
    Animal("values near 1e200", huge, (3.0, 2.0), 0.0, at((1.0, 0.0))),
    Animal("values near the largest double", largest, (0.0, 0.0), 0.0, at((1.0, 1.0))),
    Animal("steep exponential", steep, (1.0, 2.0), 1.0, at((0.0, 0.0)), found_by="none"),
    Animal("NumPy with a branch", numpy_bowl, (1.0, 0.0), 0.0,
           lambda x: math.hypot(x[0] - math.pi * round(x[0] / math.pi), x[1] - 0.5)),
    Animal("NumPy with its gradient", with_gradient, (0.0, 0.0), 0.0, at((3.0, 3.0)), options={"jac": True}),
    Animal("noise of 1e-7", ragged, (3.0, 2.0), -1e-7, at((1.0, -1.0)), close=1e-2, found_by="none"),
    Animal("values rounded to 1e-7", rounded_off, (3.0, 2.0), 0.0, at((1.0, -1.0)), close=1e-2, found_by="none"),
)  # fmt: skip
