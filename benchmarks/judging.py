"""What a point really is: gradient and Hessian in float64, away from the solver that claims something of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cutest_problems import SMALL
from benchmarks.walkers import Programs

EPS = float(np.finfo(float).eps)
NEIGHBOURS, NEIGHBOURS_OF_HESSIAN = 8, 2
LENGTHS = np.geomspace(1e-8, 1.0, 25)


def judged(programs: Programs, x: np.ndarray, curvature: bool) -> dict[str, Any]:
    """Value and gradient at ``x``, how far rounding of ``x`` moves the gradient, and the least curvature.

    ``spread`` is the largest change of the gradient over neighbours of ``x`` that differ in the last bits, and ``bend``
    that of the Hessian in the spectral norm. ``least`` and ``norm`` are the smallest eigenvalue of the Hessian and the
    largest by size; ``lower`` is the lowest value found along the eigenvector of the smallest.
    """
    programs.begin(np.inf)
    x = np.asarray(x, float).ravel()
    value, gradient = programs.look(x)
    near = [programs.look(point)[1] for point in neighbours(x, NEIGHBOURS)]
    told: dict[str, Any] = {
        "value": value,
        "gradient": float(np.max(np.abs(gradient))),
        "length": float(np.linalg.norm(gradient)),
        "spread": max(float(np.linalg.norm(one - gradient)) for one in near),
    }
    if curvature and len(x) <= SMALL and np.isfinite(value):
        told |= bent(programs, x)
    return told


def neighbours(x: np.ndarray, count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [x * (1 + EPS * rng.integers(-2, 3, len(x))) for _ in range(count)]


def bent(programs: Programs, x: np.ndarray) -> dict[str, Any]:
    H = programs.hessian(x)
    if not np.isfinite(H).all():
        return {}
    values, vectors = np.linalg.eigh((H + H.T) / 2)
    others = [programs.hessian(point) for point in neighbours(x, NEIGHBOURS_OF_HESSIAN)]
    lengths = LENGTHS * max(1.0, float(np.max(np.abs(x))))
    along = [programs.look(x + sign * t * vectors[:, 0])[0] for t in lengths for sign in (1, -1)]
    finite = [value for value in along if np.isfinite(value)]
    return {
        "least": float(values[0]),
        "bend": max(float(np.linalg.norm(other - H, 2)) for other in others),
        "norm": float(np.max(np.abs(values))),
        "lower": min(finite, default=float("nan")),
    }
