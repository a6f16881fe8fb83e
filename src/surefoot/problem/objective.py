"""A function to minimise, with its derivatives, whatever it is written in.

    f: R^n -> R,    grad f (n,),    H = Hessian of f (n, n),    H v (n,).

An `Objective` is made once for a start by `objective_of`; walks and judges know only its protocol. Points are flat
vectors of doubles, `Objective.shaped` gives them back in the caller's shape. Values may be NaN or infinite: they are
returned as they are. What is asked twice at the same point is computed once.

Reference: Griewank, Walther (2008), "Evaluating Derivatives", 2nd ed., SIAM, sections 3.1-3.2, pp. 31-60 (tangents and
gradients), section 5.1, pp. 91-98 (second-order adjoints).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from surefoot.errors import ModelError
from surefoot.problem.points import Points

ROUNDOFF = 2.0**-53
"""Unit roundoff of double precision."""


@dataclass(frozen=True)
class Counts:
    """How often an objective was evaluated; what was remembered from the same point does not count.

    Attributes
    ----------
    values : int
        Points at which f was evaluated; with differences, those that a gradient took as well.
    gradients : int
        Points at which the gradient was asked.
    products : int
        Hessian-vector products.
    hessians : int
        Points at which the Hessian was asked.
    compilations : int
        Programs compiled.
    compile_seconds : float
        Time that tracing and compiling them took.
    """

    values: int = 0
    gradients: int = 0
    products: int = 0
    hessians: int = 0
    compilations: int = 0
    compile_seconds: float = 0.0


class Objective(Protocol):
    """A function with its derivatives at flat points x of shape (n,), in doubles.

    Arrays that come back are read-only and may be shared; copy before writing.
    """

    @property
    def size(self) -> int:
        """Number of variables n."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each variable, for sentences: ``x``, ``x[2]``, ``layer.w[2,3]``."""
        ...

    @property
    def source(self) -> str:
        """What f is written in: ``"JAX"``, ``"NumPy"``, ``"PyTorch"`` or ``"text"``."""
        ...

    @property
    def roundoff(self) -> float:
        """Unit roundoff of the arithmetic that f runs in: 2^-53, or 2^-24 if it is float32 inside."""
        ...

    @property
    def exact_gradient(self) -> bool:
        """Whether gradients come from automatic differentiation or from the caller, not from differences."""
        ...

    @property
    def exact_curvature(self) -> bool:
        """The same of the Hessian and of its products."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that a person must read once."""
        ...

    @property
    def counts(self) -> Counts:
        """Evaluations so far."""
        ...

    def value(self, x: np.ndarray) -> float:
        """f(x)."""
        ...

    def see(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient (n,)."""
        ...

    def look(self, x: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Value, gradient (n,) and Hessian (n, n)."""
        ...

    def hessian(self, x: np.ndarray) -> np.ndarray:
        """Hessian (n, n), exactly symmetric."""
        ...

    def bend(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Hessian times a vector: (n,)."""
        ...

    def lanes(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values (m,) and gradients (m, n) at the rows of X (m, n)."""
        ...

    def lane_values(self, X: np.ndarray) -> np.ndarray:
        """Values (m,) at the rows of X (m, n)."""
        ...

    def shaped(self, x: np.ndarray) -> Any:
        """The point in the shape of the caller's start."""
        ...

    def flat(self, point: Any) -> np.ndarray:
        """The inverse of `shaped`."""
        ...


class Remembering:
    """What every kind of objective shares: shapes, counts, and the last point.

    A kind has to say how things are found: `_find_value`, `_find_gradient` and `_find_hessian` write to the point that
    they are given (and may write more than they were asked), `_product` returns H v.
    """

    source = "NumPy"
    exact_gradient = True
    exact_curvature = True

    def __init__(self, points: Points, *, roundoff: float = ROUNDOFF, notes: Sequence[str] = ()) -> None:
        self._points = points
        self.size = points.size
        self.roundoff = roundoff
        self.notes = tuple(notes)
        self._last = Seen(b"", np.empty(0))
        self._values = self._gradients = self._products = self._hessians = self._compilations = 0
        self._compile_seconds = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        return self._points.names

    @property
    def counts(self) -> Counts:
        return Counts(
            self._values, self._gradients, self._products, self._hessians, self._compilations, self._compile_seconds
        )

    def value(self, x: np.ndarray) -> float:
        here = self._here(x)
        if not here.asked_value:
            self._values += 1
            if here.value is None:
                self._find_value(here)
            here.asked_value = True  # not before: f may raise, and be asked again
        return here.value  # type: ignore[return-value]

    def see(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        here = self._here(x)
        if not here.asked_gradient:
            self._gradients += 1
            if here.gradient is None:
                self._find_gradient(here)
            here.asked_gradient = True
        return self.value(x) if here.value is None else self._count_value(here), here.gradient  # type: ignore

    def hessian(self, x: np.ndarray) -> np.ndarray:
        here = self._here(x)
        if not here.asked_hessian:
            self._hessians += 1
            if here.hessian is None:
                self._find_hessian(here)
            here.asked_hessian = True
        return here.hessian  # type: ignore[return-value]

    def look(self, x: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        hessian = self.hessian(x)  # first: for few variables it brings the others along
        return *self.see(x), hessian

    def bend(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        here, v = self._here(x), np.ascontiguousarray(v, dtype=np.float64)
        self._products += 1
        return self._product(here, v)

    def lanes(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, gradients = np.empty(len(X)), np.empty((len(X), self.size))
        for row, x in enumerate(X):
            values[row], gradients[row] = self.see(x)
        return values, gradients

    def lane_values(self, X: np.ndarray) -> np.ndarray:
        return np.array([self.value(x) for x in X])

    def shaped(self, x: np.ndarray) -> Any:
        return self._points.shaped(x)

    def flat(self, point: Any) -> np.ndarray:
        return self._points.flat(point)

    def _here(self, x: np.ndarray) -> Seen:
        """What is known of a point; only the last one is remembered."""
        x = np.ascontiguousarray(x, dtype=np.float64)
        key = x.tobytes()
        if self._last.key != key:
            if x.shape != (self.size,):
                raise ModelError(f"A point of shape {x.shape} was given; a vector of {self.size} variables is needed.")
            self._last = Seen(key, x.copy())
        return self._last

    def _count_value(self, here: Seen) -> float:
        if not here.asked_value:
            here.asked_value = True
            self._values += 1
        return here.value  # type: ignore[return-value]

    def _find_value(self, here: Seen) -> None:
        raise NotImplementedError

    def _find_gradient(self, here: Seen) -> None:
        raise NotImplementedError

    def _find_hessian(self, here: Seen) -> None:
        raise NotImplementedError

    def _product(self, here: Seen, v: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class Seen:
    """A point and what is known of it."""

    __slots__ = ("asked_gradient", "asked_hessian", "asked_value", "gradient", "hessian", "key", "value", "x")

    def __init__(self, key: bytes, x: np.ndarray) -> None:
        self.key, self.x = key, x
        self.value: float | None = None
        self.gradient: np.ndarray | None = None
        self.hessian: np.ndarray | None = None
        self.asked_value = self.asked_gradient = self.asked_hessian = False


def objective_of(
    f: Any,
    x0: Any,
    *,
    args: Sequence[Any] = (),
    jac: Callable[..., Any] | bool | None = None,
    hess: Callable[..., Any] | None = None,
) -> tuple[Objective, np.ndarray]:
    """The objective of a function near a start.

    JAX reads the function once: one call of f with an abstract point. What f reads from its surroundings (globals,
    attributes, closed-over values) is taken as it is at that moment; a later call of `objective_of` reads it anew. A
    function that cannot be read so (``np.sin(x)``, a Python ``if`` on values, ``float(x)``), or not truthfully, runs as
    NumPy, and `Objective.notes` says why. Programs are remembered by what they compute, so a second call for the same
    function and shapes compiles nothing.

    Parameters
    ----------
    f : callable, str or Node
        ``f(x, *args)`` returns a real number; x has the shape of the start. Text is read by the grammar of expressions.
    x0 : number, array, list of numbers, or tree of them
        The start, for its shape and for a first evaluation.
    args : sequence
        Auxiliary data: arrays and floating-point numbers may change without compiling anew, anything else is part of
        the function.
    jac : callable or True, optional
        ``jac(x, *args)`` returns the gradient in the shape of x; it is believed. True: f returns value and gradient.
    hess : callable, optional
        ``hess(x, *args)`` returns the Hessian, of shape (n, n) for n variables.

    Returns
    -------
    objective : Objective
    x0 : ndarray, shape (n,)
        The start as a flat vector.

    Raises
    ------
    ModelError
        The start holds something other than finite real numbers, or f returns something other than a real number.
    ExpressionError
        A text that cannot be read.

    Notes
    -----
    An exception that f raises when it is called with numbers passes through as it is.

    References
    ----------
    .. [1] Griewank, Walther (2008), "Evaluating Derivatives", 2nd ed., SIAM, section 3.2, pp. 37-44.

    Examples
    --------
    >>> objective, x0 = objective_of(lambda p: (p["x"] - 1) ** 2 + 3 * p["y"] ** 2, {"x": 0, "y": 1})
    >>> objective.names, objective.source
    (('x', 'y'), 'JAX')
    >>> value, gradient, hessian = objective.look(x0)
    >>> value, gradient.tolist(), hessian.tolist()
    (4.0, [-2.0, 6.0], [[2.0, 0.0], [0.0, 6.0]])
    """
    from surefoot.problem.torch_function import is_torch

    if not callable(f):
        return _of_text(f, x0)
    points = Points(x0)
    if is_torch(f, x0):
        from surefoot.problem.torch_function import TorchFunction

        return TorchFunction(f, points, args), points.start
    from surefoot.problem.traced import traced_or_reason

    found = traced_or_reason(f, points, args, jac, hess)
    if not isinstance(found, str):
        return found, points.start
    from surefoot.problem.differenced import Differenced

    return Differenced(f, points, args, jac=jac, hess=hess, reason=found), points.start


def _of_text(text: Any, x0: Any) -> tuple[Objective, np.ndarray]:
    """The objective of an expression, typed or parsed, whose variables the start names."""
    from surefoot.problem.traced import Traced, read
    from surefoot.problem.typed import typed_function  # type: ignore[import-not-found]

    typed = typed_function(text, x0)
    reading = read(typed.traceable(), Points(typed.start))
    objective = Traced(reading, Points(typed.variables.shaped(typed.start)), source="text")
    objective.prepare(typed.start)
    return objective, typed.start


def as_value(result: Any, what: str = "The function") -> float:
    """What a function returned, as a number.

    Raises
    ------
    ModelError
        It is not a real number; the sentence says what it is.
    """
    if type(result) is float:
        return result
    try:
        array = np.asarray(result)
    except (TypeError, ValueError, RuntimeError):
        array = np.asarray(None)
    if array.dtype.kind in "iuf" and array.shape in ((), (1,)):
        return float(array.reshape(()))
    raise ModelError(refusal(result, array.shape, array.dtype.kind, what))


def refusal(result: Any, shape: tuple[int, ...], kind: str, what: str = "The function") -> str:
    """The sentence for a result that is not one real number."""
    if result is None:
        return f"{what} returns nothing (None); did it forget `return`?"
    if kind == "c":
        return f"{what} returns complex numbers; only a real number can be minimised (its real part or its size?)."
    if kind in "iuf" and math.prod(shape) != 1:
        return f"{what} returns an array of shape {shape}; a single number is needed (a sum of squares or a norm?)."
    if kind in "iuf":
        return f"{what} returns an array of shape {shape}; a number is needed (take the entry out with [0])."
    return f"{what} returns {type(result).__name__} {result!r:.60}; a real number is needed."
