"""A function that runs as NumPy: derivatives from the caller, or from differences of the size that its noise asks for.

Forward differences cost n values; near a stationary point their error is as large as the gradient, and central ones
take over at 2n. Steps come from the measured noise of f and from the curvature along each variable, which central
differences show for nothing. Where ``jac`` is given, Hessians are differences of gradients.

References: More, Wild (2011), "Estimating computational noise", SIAM J. Sci. Comput. 33(3), pp. 1292-1314;
More, Wild (2012), "Estimating derivatives of noisy simulations", ACM TOMS 38(3), article 19.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from surefoot.errors import ModelError
from surefoot.problem.differences import (
    Slopes,
    central,
    forward,
    product_by_gradients,
    second,
    sizes_of,
    steps_for_second,
)
from surefoot.problem.noise import noise_near
from surefoot.problem.points import Points
from surefoot.problem.remembering import ROUNDOFF, Remembering, Seen
from surefoot.problem.returned import as_value

NEAR = 0.1
"""Central differences when the error of forward ones is more than this share of the gradient."""
AFRESH = 4.0
"""The noise is measured anew when f has changed by this factor."""
FLOAT32 = 2.0**-24


_ARITHMETIC = (
    "math domain error", "math range error", "expected a", "(34,", "float division", "division by zero",
    "0.0 cannot be raised", "zero to a negative", "cannot convert float",
)  # fmt: skip
"""How Python says that a number is undefined or beyond its range."""


class Differenced(Remembering):
    """The objective of a function that is called with NumPy arrays.

    Parameters
    ----------
    f : callable
        ``f(x, *args)`` returns a number; x in the shape of the start.
    points : Points
        Shape of the start.
    args : sequence
        Further arguments, given as they are.
    jac, hess : callable, optional
        Gradient in the shape of x, and Hessian (n, n). ``jac=True``: f returns value and gradient.
    reason : str
        Why JAX does not run it; the beginning of a sentence.

    Raises
    ------
    ModelError
        What f returns at the start is no real number.
    Exception
        Whatever f raises at the start.

    References
    ----------
    More, Wild (2012), "Estimating derivatives of noisy simulations", ACM TOMS 38(3), article 19.

    Examples
    --------
    >>> f = lambda x: float(np.sum((x - 1) ** 2))
    >>> objective = Differenced(f, Points([0.0, 3.0]), reason="f cannot be traced by JAX")
    >>> objective.notes
    ('f cannot be traced by JAX: it runs as NumPy, with gradients by differences.',)
    >>> np.round(objective.see(np.array([0.0, 3.0]))[1], 6).tolist()
    [-2.0, 4.0]
    """

    source = "NumPy"

    def __init__(
        self,
        f: Callable[..., Any],
        points: Points,
        args: Sequence[Any] = (),
        *,
        jac: Callable[..., Any] | bool | None = None,
        hess: Callable[..., Any] | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(points)
        self._f, self._args, self._jac, self._hess = f, tuple(args), jac or None, hess
        self.exact_gradient, self.exact_curvature = self._jac is not None, hess is not None
        self._noise, self._noise_at = 0.0, np.nan
        self._slopes: Slopes | None = None
        self._start_sizes = sizes_of(points.start)
        result = self._call(self._f, points.start)
        first = self._pair(result)[0] if self._jac is True else result
        as_value(first)
        low = str(getattr(first, "dtype", "")) in ("float32", "float16")
        self.roundoff = FLOAT32 if low else ROUNDOFF
        how = "with the gradient that was given" if self.exact_gradient else "with gradients by differences"
        notes = [f"{reason}: it runs as NumPy, {how}."] if reason else []
        if low:
            notes.append(f"f returns {first.dtype}, which carries 7 digits or fewer.")
        self.notes = tuple(notes)

    def gradient_error(self, x: np.ndarray) -> float:
        """Length of the estimated error of the gradient at x; zero where the caller gives the gradient."""
        self.see(x)
        return 0.0 if self.exact_gradient or self._slopes is None else float(np.linalg.norm(self._slopes.error))

    def _find_value(self, here: Seen) -> None:
        result = self._f_at(here.x)
        if result is None:
            here.value, here.gradient = math.nan, _locked(np.full(self.size, np.nan))
        elif self._jac is True:
            value, gradient = self._pair(result)
            here.value, here.gradient = as_value(value), self._flat_gradient(gradient)
        else:
            here.value = as_value(result)

    def _find_gradient(self, here: Seen) -> None:
        if here.value is None:
            self._count_value(here)
            self._find_value(here)
        if here.gradient is not None:
            return
        if self._jac is not None:
            here.gradient = self._flat_gradient(self._call(self._jac, here.x))
            return
        self._slopes = self._differences(here)
        here.gradient = _locked(self._slopes.gradient)

    def _differences(self, here: Seen) -> Slopes:
        x, value = here.x, float(here.value)  # type: ignore[arg-type]
        if not np.isfinite(value):
            nothing = np.full(self.size, np.nan)
            return Slopes(nothing, nothing, nothing, 0)
        noise, sizes = self._noise_near(here), self._sizes(x)
        last = self._slopes
        if last is not None and np.all(np.isfinite(last.curves)):
            found = forward(self._probe, x, value, noise, sizes, last.curves)
            if np.linalg.norm(found.error) <= NEAR * np.linalg.norm(found.gradient):
                return found
            return central(self._probe, x, value, noise, sizes, last.curves)
        return central(self._probe, x, value, noise, sizes)

    def _sizes(self, x: np.ndarray) -> np.ndarray:
        """A variable that comes near zero keeps the size that it had at the start."""
        return np.maximum(np.abs(x), self._start_sizes)

    def _noise_near(self, here: Seen) -> float:
        value = abs(float(here.value))  # type: ignore[arg-type]
        if not self._noise_at / AFRESH <= value <= self._noise_at * AFRESH:
            self._noise, self._noise_at = noise_near(self._probe, here.x, self.roundoff), value
        return self._noise

    def _find_hessian(self, here: Seen) -> None:
        x, n = here.x, self.size
        if self._hess is not None:
            found = np.asarray(self._call(self._hess, x), dtype=np.float64)
            if found.size != n * n:
                raise ModelError(f"The Hessian that was given has shape {found.shape}; ({n}, {n}) is needed.")
            found = found.reshape(n, n)
        elif self._jac is not None:
            units = np.eye(n)
            found = np.array([product_by_gradients(self._slope_at, x, unit, self.roundoff) for unit in units])
        else:
            steps = self._second_steps(here)
            found = np.empty((n, n))
            for i in range(n):
                for j in range(i + 1):
                    one, other = steps[i] * np.eye(n)[i], steps[j] * np.eye(n)[j]
                    found[i, j] = found[j, i] = second(self._probe, x, one, other) / (steps[i] * steps[j])
        here.hessian = _locked(0.5 * (found + found.T))

    def _product(self, here: Seen, v: np.ndarray) -> np.ndarray:
        if here.hessian is not None or self._hess is not None:
            return self.hessian(here.x) @ v
        if self._jac is not None:
            return product_by_gradients(self._slope_at, here.x, v, self.roundoff)
        x, steps = here.x, self._second_steps(here)
        if not np.any(v):
            return np.zeros(self.size)
        reach = float(np.min(np.where(v != 0, steps / np.abs(np.where(v != 0, v, 1.0)), np.inf)))
        units = np.diag(steps)
        return np.array([second(self._probe, x, units[i], reach * v) / (steps[i] * reach) for i in range(self.size)])

    def _second_steps(self, here: Seen) -> np.ndarray:
        self._last = here
        self.see(here.x)
        curves = self._slopes.curves if self._slopes is not None else np.ones(self.size)
        sizes = self._sizes(here.x)
        return steps_for_second(here.x, self._noise, sizes, np.where(np.isfinite(curves), curves, 1 / sizes))

    def _probe(self, x: np.ndarray) -> float:
        self._values += 1
        result = self._f_at(x)
        return math.nan if result is None else as_value(result)

    def _slope_at(self, x: np.ndarray) -> np.ndarray:
        self._gradients += 1
        if self._jac is True:
            result = self._f_at(x)
            return np.full(self.size, np.nan) if result is None else self._flat_gradient(self._pair(result)[1])
        return self._flat_gradient(self._call(self._jac, x))

    def _f_at(self, x: np.ndarray) -> Any:
        """What f returns; None where Python's arithmetic refuses (overflow, the logarithm of a negative number).

        With arrays the same would be infinite or NaN, and a walk steps back from it. At the start it has not happened.
        """
        try:
            return self._call(self._f, x)
        except (ArithmeticError, ValueError) as error:
            if not str(error).startswith(_ARITHMETIC):
                raise  # raised by the caller's own code
            return None

    def _call(self, function: Any, x: np.ndarray) -> Any:
        with _precision(), np.errstate(all="ignore"):
            return function(self._points.shaped(x), *self._args)

    def _pair(self, result: Any) -> tuple[Any, Any]:
        try:
            value, gradient = result
        except (TypeError, ValueError):
            raise ModelError("jac=True says that f returns value and gradient, but it returns no pair.") from None
        return value, gradient

    def _flat_gradient(self, gradient: Any) -> np.ndarray:
        try:
            return _locked(self._points.flat(gradient))
        except ModelError as wrong:
            raise ModelError(f"The gradient that was given does not fit: {wrong}") from None


def _precision() -> AbstractContextManager[Any]:
    """Double precision for a function that calls JAX without being traceable by it."""
    jax = sys.modules.get("jax")
    return nullcontext() if jax is None else jax.enable_x64(True)


def _locked(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array
