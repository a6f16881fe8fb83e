"""Away from a saddle: at a stationary point that curves downwards somewhere, along that way and on.

    x_new = x +- t v,    H v = lambda v with the smallest lambda < 0,    f(x + t v) ~ f(x) + lambda t^2 / 2

The gradient says nothing there, so both sides are looked at, farther and farther while f falls, and the lower one is
taken. Of a matrix v is an eigenvector; by products it is a Lanczos vector from several random starts, because one start
may by chance have nothing along v. Where the smallest curvature cannot be told from zero, the valley is flat: it may
lead down by higher orders, or to a place where it curves downwards across (two terms of a model that have become one).

References: Conn, Gould, Toint (2000), "Trust-Region Methods", SIAM, section 6.6, pp. 146-152 (second-order points);
Golub, Van Loan (2013), "Matrix Computations", 4th ed., section 10.1, pp. 546-556 (Lanczos).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.descent.ground import Ground, Here
from surefoot.descent.models import ProductModel
from surefoot.descent.norms import length_of

DENSE = 50
"""Variables up to which the Hessian is taken as a matrix."""
STARTS, PRODUCTS = 3, 40
"""Random starts of Lanczos, and products from each."""
FLAT = 1e-9
"""Curvatures below this share of the largest are looked along as if they were negative."""
PLACES = 24
"""Places on each side of a flat valley that are looked at."""
TRIES = 30
"""Lengths tried on each side."""
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class LowestCurvature:
    """Where the ground curves upwards least.

    Attributes
    ----------
    value : float
        v'H v: an upper bound of the smallest eigenvalue; the eigenvalue itself if ``complete``.
    vector : ndarray, shape (n,)
        v, of length one.
    largest : float
        Size of the largest curvature seen.
    complete : bool
        Whether all eigenvalues were found.
    """

    value: float
    vector: np.ndarray
    largest: float
    complete: bool

    @property
    def is_negative(self) -> bool:
        """Whether it is negative beyond rounding."""
        return self.value < -16 * len(self.vector) * EPS * self.largest

    @property
    def is_flat(self) -> bool:
        """Whether it is so small that the way may lead down all the same."""
        return self.value <= FLAT * self.largest


@dataclass(frozen=True)
class Escape:
    """A lower point found beside a stationary one.

    Attributes
    ----------
    there : Here
        The lower point.
    curvature : float
        Along the way to it, at the stationary point.
    """

    there: Here
    curvature: float


def lowest_curvature(ground: Ground, here: Here, seed: int = 0) -> LowestCurvature | None:
    """The smallest curvature at a point; None where the Hessian is not finite.

    Parameters
    ----------
    ground : Ground
        With ``hessian`` for up to 50 variables, else with ``bend``.
    here : Here
        The point.
    seed : int
        For the random starts of Lanczos.

    Examples
    --------
    >>> from surefoot.descent.bowl import Bowl
    >>> bowl = Bowl.of_arrays(np.diag([1.0, 3.0]), np.zeros(2))
    >>> round(lowest_curvature(bowl, bowl.see(np.zeros(2))).value, 12)
    2.0
    """
    if hasattr(ground, "hessian") and ground.size <= DENSE:
        hessian = ground.hessian(here.x)  # type: ignore[attr-defined]
        if not np.all(np.isfinite(hessian)):
            return None
        values, vectors = np.linalg.eigh(hessian)
        largest = float(max(abs(values[0]), abs(values[-1])))
        return LowestCurvature(float(values[0]), vectors[:, 0], largest, True)
    return _by_lanczos(ground, here, seed)


def _by_lanczos(ground: Ground, here: Here, seed: int) -> LowestCurvature | None:
    random, best, largest = np.random.default_rng(seed), None, 0.0
    for _ in range(STARTS):
        model = ProductModel(random.standard_normal(ground.size), lambda v: ground.bend(here.x, v), 0.0, PRODUCTS)
        value, vector, top = model.lowest()
        if not np.isfinite(value):
            return None
        largest = max(largest, top)
        if best is None or value < best[0]:
            best = value, vector
    assert best is not None
    return LowestCurvature(*best, largest, ground.size <= PRODUCTS)


def escape(ground: Ground, here: Here, lowest: LowestCurvature) -> Escape | None:
    """The lower of both sides along the lowest curvature, if one is lower beyond rounding."""
    if not (lowest.is_negative or lowest.is_flat):
        return None
    blur = ground.measured_blur(here)
    there = _lower_side(ground, here, lowest, blur)
    if there.value < here.value - 2 * blur:
        return Escape(there, lowest.value)
    return _along_the_valley(ground, here, lowest, blur) if lowest.is_flat and lowest.complete else None


def _along_the_valley(ground: Ground, here: Here, flat: LowestCurvature, blur: float) -> Escape | None:
    """From the first place along a flat valley that curves downwards."""
    size = max(1.0, length_of(here.x))
    for side in (1.0, -1.0):
        for length in size * np.geomspace(0.03, 3.0, PLACES):
            place = ground.see(here.x + side * length * flat.vector)
            if not abs(place.value - here.value) <= 1e-6 * abs(here.value) + 4 * blur:
                break
            lowest = lowest_curvature(ground, place)
            if lowest is None or not lowest.value < -FLAT * lowest.largest:
                continue
            there = _lower_side(ground, place, lowest, blur)
            if there.value < here.value - 2 * blur:
                return Escape(there, lowest.value)
    return None


def _lower_side(ground: Ground, here: Here, lowest: LowestCurvature, blur: float) -> Here:
    size = max(1.0, length_of(here.x))
    first = float(np.sqrt(8 * blur / -lowest.value)) if lowest.is_negative else 1e-3 * size
    first = float(np.clip(first, 1e-8 * size, size))
    found = [_farther(ground, here, sign * lowest.vector, first) for sign in (1.0, -1.0)]
    return min(found, key=lambda one: one.value)


def _farther(ground: Ground, here: Here, way: np.ndarray, length: float) -> Here:
    """The lowest of the points at doubled lengths, which end where f rises again."""
    best, rises = here, 0
    for _ in range(TRIES):
        x = here.x + length * way
        if not np.all(np.isfinite(x)):
            break
        there = ground.see(x)
        if there.is_finite and there.value < best.value:
            best, rises = there, 0
        else:
            rises += 1
            if rises > 2:
                break
        length *= 2
    return best
