"""The trust region: as far as the model has proved right.

    p = argmin m(p) over |D p| <= radius,    ratio = (f(x) - f(x + p)) / -m(p)

A ratio near 1 widens the region, one near 0 shrinks it, and a step is taken once the ratio is above a small number.
Near the minimum both decreases are below the rounding of f and their ratio means nothing: there the slopes at both ends
take the place of the values, f(x) - f(x + p) ~ -(g(x) + g(x + p))'p / 2, which is exact on a quadratic and keeps its
digits. The full Newton step is tried first of all; where it serves, as on every quadratic, no radius is ever chosen.

References: Conn, Gould, Toint (2000), "Trust-Region Methods", SIAM, section 6.1, pp. 115-121 (the rule), section
17.1-17.2, pp. 781-790 (radius), section 17.4, pp. 794-797 (rounding); Hager, Zhang (2005), SIAM J. Optim. 16(1),
pp. 170-192 (slopes in place of values); Lin, More (1999), "Newton's method for large bound-constrained optimization
problems", SIAM J. Optim. 9(4), pp. 1100-1127 (shrinking by interpolation).
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from surefoot.descent.directions import Model, Way
from surefoot.descent.ground import Ground, Here
from surefoot.descent.models import SPACE, DenseModel, ProductModel
from surefoot.descent.ray import Ray, Refusal, Taken, Trial
from surefoot.descent.scaling import units_of
from surefoot.descent.stop import Reason
from surefoot.errors import ModelError

ENOUGH = 1e-3
"""Share of the predicted decrease for which a step is taken."""
POOR, GOOD, PERFECT = 0.25, 0.75, 0.1
"""Ratio below which the region shrinks, above which it grows, and distance from 1 within which it grows fast."""
FLATTEST = 1e-12
"""Scale of a variable, as a share of the largest, that stands for those along which nothing curves."""
ROUGH = 0.1
"""Residual of the Newton equation, relative to the gradient, that is small enough far from the minimum."""
SHRINKINGS = 80
"""Rejected trials in sequence after which no step is taken."""
BLURRED = 16.0
"""Predicted decreases up to this many times the rounding of f are judged by slopes."""
HALF, HIDDEN = 0.5, 1e-3
"""Slopes that promise this share of the predicted decrease make a refusal by values suspect, if the decrease is at most
this share of f: then the noise of f is measured."""


class TrustRegion:
    """Within a radius that follows how well the model predicts; remembers it, so one instance serves one walk.

    Parameters
    ----------
    radius : float, optional
        The first one; if not given the full Newton step is tried, and if it fails, as far as the scaled gradient.
    """

    name = "trust region"

    def __init__(self, radius: float | None = None) -> None:
        if radius is not None and not (radius > 0 and np.isfinite(radius)):
            raise ModelError(f"A trust region has a finite radius above 0; {radius:g} is not.")
        self.radius = radius

    def steepest_settled(self, momentum: float) -> float:
        return float("inf")

    def memory(self, last: Taken) -> dict[str, float]:
        """The radius."""
        return {} if self.radius is None else {"radius": self.radius}

    def recall(self, kept: Mapping[str, Any], last: Taken | None) -> None:
        """Go on with the radius of another walk."""
        self.radius = float(kept["radius"])

    def take(self, ray: Ray) -> Taken | Refusal:
        """Try the model's lowest point, and shrink until f falls as far as it should."""
        model = ray.way.model
        if model is None:
            raise ModelError(
                "A trust region needs a direction with a quadratic model, such as trust-region Newton; "
                "give this direction a line search."
            )
        if self.radius is None:
            whole = self._whole(ray, model)
            if whole is not None:
                return whole
        remark = ""
        for _ in range(SHRINKINGS):
            assert self.radius is not None
            step, predicted = model.within(self.radius)
            if not predicted > 0 or bool((ray.origin.x + step == ray.origin.x).all()):
                break
            trial, length = ray.reach(step), model.length(step)
            if not trial.here.is_finite:
                remark, self.radius = "stepped back: f is not finite farther on", length / 4
                continue
            ratio = _ratio(ray, trial, step, predicted)
            self._learn(trial.here.value - ray.origin.value, float(ray.origin.gradient.dot(step)), length, ratio)
            if ratio >= ENOUGH:
                return ray.taken(trial, remark)
            if predicted <= ray.ground.blur(ray.origin):
                break
        self.radius = None
        return Refusal(Reason.NO_DECREASE)

    def _whole(self, ray: Ray, model: Model) -> Taken | None:
        """The full Newton step, if the model proves right that far; else as far as the scaled gradient is long."""
        step, predicted = model.within(np.inf)
        length = model.length(step)
        self.radius = model.steepness if model.steepness > 0 else 1.0
        if not (predicted > 0 and np.isfinite(length)):
            return None
        trial = ray.reach(step)
        ratio = _ratio(ray, trial, step, predicted) if trial.here.is_finite else -np.inf
        if abs(ratio - 1) <= POOR:
            self.radius = 2 * length
            return ray.taken(trial)
        self.radius = min(length / 4, self.radius)
        return None

    def _learn(self, risen: float, slope: float, length: float, ratio: float) -> None:
        """The radius after a trial."""
        assert self.radius is not None
        if ratio < POOR:
            lowest = -slope / (2 * (risen - slope)) if risen > slope else 0.5
            self.radius = length * min(max(lowest, 0.1), 0.5)
        elif ratio > GOOD and length >= 0.9 * self.radius:
            self.radius *= 4.0 if abs(ratio - 1) <= PERFECT else 2.0


class TrustRegionNewton:
    """Newton's model with the Hessian as a matrix; the largest curvature met scales each variable.

    One instance serves one walk.

    Parameters
    ----------
    name : str
    scaled : bool
        Whether the region is a ball in units in which every variable has had curvature one, or in the variables' own.

    Attributes
    ----------
    convex : bool
        Whether f curved upwards in every direction at every point that was chosen from.
    """

    momentum = 0.0

    def __init__(self, name: str = "trust-region Newton", *, scaled: bool = True) -> None:
        self.name, self._scaled = name, scaled
        self._scale: np.ndarray | None = None
        self._convex, self._model = True, None

    @property
    def convex(self) -> bool:
        return self._convex and (self._model is None or self._model.is_convex)

    def choose(self, ground: Ground, here: Here, last: Taken | None) -> Way:
        hessian = _hessian(ground, here)
        self._convex = self.convex
        self._model = DenseModel(here.gradient, hessian, self._scaling(hessian) if self._scaled else None)
        return Way(-here.gradient, 1.0, self._model)

    def forget(self) -> bool:
        forgotten, self._scale = self._scale is not None, None
        return forgotten

    def memory(self, last: Taken) -> dict[str, np.ndarray]:
        """The scale of each variable."""
        return {} if self._scale is None else {"scale": self._scale}

    def recall(self, kept: Mapping[str, Any], last: Taken | None) -> None:
        """Go on with the scale of another walk."""
        self._scale = np.array(kept["scale"], float)

    def _scaling(self, hessian: np.ndarray) -> np.ndarray:
        found = units_of(hessian)
        if self._scale is not None:
            found = np.maximum(found, self._scale)
        self._scale = found
        return np.maximum(found, FLATTEST * float(found.max()))


class TrustRegionProducts:
    """Newton's model by products with the Hessian, as exact as the gradient deserves.

    Parameters
    ----------
    name : str
    deadline : float
        Time of the monotonic clock after which no model is refined, as far as the cost of products so far tells.

    Attributes
    ----------
    convex : bool
        Whether f curved upwards in every direction tried at every point that was chosen from.
    """

    momentum = 0.0

    def __init__(self, name: str = "trust-region Newton by products", *, deadline: float = np.inf) -> None:
        self.name, self._deadline = name, deadline
        self._convex, self._model = True, None
        self._cost, self._first = 0.0, 0.0

    @property
    def convex(self) -> bool:
        return self._convex and (self._model is None or self._model.is_convex)

    def choose(self, ground: Ground, here: Here, last: Taken | None) -> Way:
        self._convex = self.convex

        def bend(v: np.ndarray) -> np.ndarray:
            began = time.monotonic()
            image = ground.bend(here.x, v)
            self._cost = time.monotonic() - began
            return image

        self._first = self._first or here.steepness
        tolerance = min(ROUGH, math.sqrt(here.steepness / self._first)) if here.steepness > 0 else ROUGH
        left = self._deadline - time.monotonic()
        most = SPACE if left > SPACE * self._cost else max(2, int(left / max(self._cost, 1e-9)))
        self._model = ProductModel(here.gradient, bend, tolerance, most)
        return Way(-here.gradient, 1.0, self._model)

    def forget(self) -> bool:
        return False


def _hessian(ground: Ground, here: Here) -> np.ndarray:
    hessian = ground.hessian(here.x)  # type: ignore[attr-defined]
    return hessian if np.isfinite(hessian).all() else np.zeros_like(hessian)


def _ratio(ray: Ray, trial: Trial, step: np.ndarray, predicted: float) -> float:
    """Actual over predicted decrease; by slopes where rounding hides the values.

    Values that refuse what the slopes at both ends promise are held against their measured noise before they count.
    """
    origin, ground = ray.origin, ray.ground
    fallen = origin.value - trial.here.value
    slopes = -0.5 * float((origin.gradient + trial.here.gradient).dot(step)) / predicted
    blur = ground.blur(origin)
    if predicted > BLURRED * blur:
        agree = fallen >= ENOUGH * predicted or slopes < HALF
        if agree or predicted > HIDDEN * abs(origin.value):
            return fallen / predicted
        blur = ground.measured_blur(origin)
        if predicted > BLURRED * blur:
            return fallen / predicted
    return slopes if fallen >= -BLURRED * blur else -1.0
