"""Residual functions beside SciPy's ``least_squares``, which is given the same compiled residuals and Jacobians.

NIST's hard curves from both starts: digits of the worst coefficient, evaluations, milliseconds of the walk; then large
sparse problems, whose Jacobians come from colouring for both. Compiling is left out, judging is in a column of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import surefoot as sf
from benchmarks.tables import show
from benchmarks.timing import in_turn
from nist_curves import CURVES, Curve
from nistdata import digits
from surefoot.descent.residual_walk import descend
from surefoot.problem.losses import loss_of
from surefoot.problem.residual import Residuals, residuals_of

TIGHT = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15}
MOST = 2_000
"""Evaluations that SciPy may make of a sparse problem's residuals."""


class Again:
    """Residuals and Jacobian as SciPy asks for them, counted."""

    def __init__(self, residuals: Residuals) -> None:
        self.residuals, self.looks = residuals, 0

    def at(self, x: np.ndarray) -> np.ndarray:
        self.looks += 1
        return self.residuals.at(x)

    def jacobian(self, x: np.ndarray) -> Any:
        found = self.residuals.see(x)[1]
        return found if isinstance(found, np.ndarray) else found.tocsr()


def scipy_walk(residuals: Residuals, start: np.ndarray, method: str, **wishes: Any) -> Callable[[], Any]:
    from scipy.optimize import least_squares

    def go() -> Any:
        again = Again(residuals)
        found = least_squares(again.at, start, again.jacobian, method=method, x_scale="jac", **{**TIGHT, **wishes})
        return found.x, again.looks, found.success

    return go


def our_walk(residuals: Residuals, start: np.ndarray) -> Callable[[], Any]:
    def go() -> Any:
        found = descend(residuals, loss_of("linear"), start)
        return found.walk.x, found.walk.passes, found.walk.stop.reason.name in ("NOISE", "STALLED")

    return go


def worst(curve: Curve, x: np.ndarray) -> float:
    return min(digits(value, text) for value, text in zip(x, curve.coefficients, strict=True))


def curves() -> None:
    rows, counted = [], {}
    for curve in CURVES.values():
        for k, start in enumerate(curve.starts, start=1):
            residuals, x0 = residuals_of(curve.residual, start)
            work = {
                "surefoot": our_walk(residuals, x0),
                "lm": scipy_walk(residuals, x0, "lm", max_nfev=20_000),
                "trf": scipy_walk(residuals, x0, "trf", max_nfev=20_000),
            }
            seconds = in_turn(work, rounds=3, patience=3.0)
            row = [f"{curve.name} from start {k}"]
            for name, one in work.items():
                x, looks, _ = one()
                found = worst(curve, x)
                counted.setdefault(name, []).append(found)
                row += [f"{found:.1f}", f"{looks:,}", f"{1e3 * seconds[name]:.1f}"]
            rows.append(row)
    middle = ["mean digits"]
    for found in counted.values():
        middle += [f"{np.mean(found):.1f}", "", ""]
    head = ["", *(f"{name} {what}" for name in counted for what in ("digits", "looks", "ms"))]
    show("NIST's curves: digits of the worst coefficient, evaluations, milliseconds", head, [*rows, middle])


def broyden(x: Any) -> Any:
    import jax.numpy as jnp

    zero = jnp.zeros(1)
    return (3 - 2 * x) * x - jnp.concatenate([zero, x[:-1]]) - 2 * jnp.concatenate([x[1:], zero]) + 1


def chain(x: Any) -> Any:
    import jax.numpy as jnp

    return jnp.concatenate([10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1]])


def bundle(cameras: int = 12, points: int = 600) -> tuple[Callable[[Any], Any], np.ndarray]:
    """Cameras that turn a little and see half of the points each: six numbers a camera, three a point."""
    import jax.numpy as jnp

    random = np.random.default_rng(1)
    where = np.concatenate([0.1 * random.standard_normal((cameras, 3)),
                            0.2 * random.standard_normal((cameras, 3)) + [0, 0, 5]], axis=1)  # fmt: skip
    place = random.uniform(-1, 1, (points, 3))
    camera, point = np.nonzero(random.uniform(size=(cameras, points)) < 0.5)

    def project(library: Any, c: Any, x: Any) -> Any:
        turned = x + library.cross(c[:, :3], x) + 0.5 * library.cross(c[:, :3], library.cross(c[:, :3], x)) + c[:, 3:]
        return turned[:, :2] / turned[:, 2:]

    seen = project(np, where[camera], place[point]) + 1e-3 * random.standard_normal((len(camera), 2))

    def residual(v: Any) -> Any:
        c, x = v[: 6 * cameras].reshape(cameras, 6), v[6 * cameras :].reshape(points, 3)
        return (project(jnp, c[camera], x[point]) - seen).reshape(-1)

    truth = np.concatenate([where.ravel(), place.ravel()])
    return residual, truth + 0.05 * random.standard_normal(len(truth))


def sparse() -> None:
    rows = []
    cases = {
        "Broyden, n = 10,000": (broyden, -np.ones(10_000)),
        "chained Rosenbrock, n = 10,000": (chain, np.full(10_000, 0.5)),
        "12 cameras, 600 points": bundle(),
    }
    for name, (residual, start) in cases.items():
        began = time.perf_counter()
        residuals, x0 = residuals_of(residual, start)
        residuals.see(x0)
        made = time.perf_counter() - began
        products = residuals.compression.count if residuals.compression is not None else residuals.size
        row = [name, f"{made:.2f}", f"{products}"]
        for work in (our_walk(residuals, x0), scipy_walk(residuals, x0, "trf", max_nfev=MOST)):
            work()
            began = time.perf_counter()
            x, looks, _ = work()
            row += [f"{np.sum(residuals.at(x) ** 2):.10g}", f"{looks:,}", f"{time.perf_counter() - began:.2f}"]
        fit = sf.least_squares(residual, start)
        rows.append([*row, f"{fit.result.proof_seconds:.2f}", fit.verdict.value])
    head = ["", "s to find J", "colours", "surefoot F", "looks", "s", "trf F", "looks", "s", "judge s", "verdict"]
    show("Sparse Jacobians by colouring, the same for both", head, rows)


def main() -> None:
    curves()
    sparse()
