"""A function to minimise, with its derivatives, whatever it is written in.

    f: R^n -> R,    grad f (n,),    H = Hessian of f (n, n),    H v (n,).

An `Objective` is made once for a start by `objective_of`; walks and judges know only its protocol. Points are flat
vectors of doubles, `Objective.shaped` gives them back in the caller's shape. Values may be NaN or infinite: they are
returned as they are. What is asked twice at the same point is computed once.

Reference: Griewank, Walther (2008), "Evaluating Derivatives", 2nd ed., SIAM, section 3.2, pp. 37-41 (the reverse mode).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from surefoot.errors import ModelError
from surefoot.problem.graph import Apply, Name, Number
from surefoot.problem.points import Points
from surefoot.problem.remembering import ROUNDOFF, Counts

__all__ = ["ROUNDOFF", "Counts", "Objective", "objective_of"]


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

    def sees(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values (m,) and gradients (m, n) at the few rows of X (m, n), by the programs that are at hand."""
        ...

    def lanes(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same of many rows, for which a program may be compiled."""
        ...

    def lane_values(self, X: np.ndarray) -> np.ndarray:
        """Values (m,) at the rows of X (m, n)."""
        ...

    def hessians(self, X: np.ndarray) -> np.ndarray:
        """Hessians (m, n, n) at the rows of X (m, n)."""
        ...

    def shaped(self, x: np.ndarray) -> Any:
        """The point in the shape of the caller's start."""
        ...

    def flat(self, point: Any) -> np.ndarray:
        """The inverse of `shaped`."""
        ...


def objective_of(
    f: Any,
    x0: Any,
    *,
    args: Sequence[Any] = (),
    jac: Callable[..., Any] | bool | None = None,
    hess: Callable[..., Any] | None = None,
    lanes: int = 0,
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
    lanes : int
        So many points will be looked at at once: the program for them is compiled first.

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
    Griewank, Walther (2008), "Evaluating Derivatives", 2nd ed., SIAM, section 3.2, pp. 37-41.

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

    if isinstance(f, str | Number | Name | Apply):
        return _of_text(f, x0, lanes)
    if not callable(f):
        raise ModelError(f"f is {type(f).__name__} {f!r:.60}; a function, or the text of an expression, is needed.")
    points = Points(x0)
    if is_torch(f, x0):
        from surefoot.problem.torch_function import TorchFunction

        return TorchFunction(f, points, args), points.start
    from surefoot.problem.traced import traced_or_reason

    found = traced_or_reason(f, points, args, jac, hess, lanes)
    if not isinstance(found, str):
        return found, points.start
    from surefoot.problem.differenced import Differenced

    return Differenced(f, points, args, jac=jac, hess=hess, reason=found), points.start


def _of_text(text: Any, x0: Any, lanes: int) -> tuple[Objective, np.ndarray]:
    """The objective of an expression, typed or parsed, whose variables the start names."""
    from surefoot.problem.reading import read
    from surefoot.problem.traced import Traced
    from surefoot.problem.typed import typed_function  # type: ignore[import-not-found]

    typed = typed_function(text, x0)
    reading = read(typed.traceable(), Points(typed.start))
    objective = Traced(reading, Points(typed.variables.shaped(typed.start)), source="text")
    objective.prepare(typed.start, lanes)
    return objective, typed.start
