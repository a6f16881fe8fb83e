"""The verb of residual functions: least squares, nonlinear, robust, bounded, sparse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from surefoot.descent.trace import Row
from surefoot.errors import ModelError
from surefoot.models.base import checked_level
from surefoot.models.residual_fit import ResidualFit
from surefoot.models.residual_fitting import Wishes, fit_residuals
from surefoot.problem.box import Box
from surefoot.problem.losses import loss_of
from surefoot.problem.residual import Residuals, residuals_of
from surefoot.results.asked import as_watch, bounds_of, read_budget, title_of
from surefoot.results.proving import budget_of, with_proof

Progress = Callable[[Row], object]

DIFFERENCES = ("2-point", "3-point", "cs")
"""SciPy's names of differences; derivatives are exact where they can be, whatever is asked."""


def least_squares(
    residual: Callable[..., Any] | str | Sequence[str],
    x0: Any,
    jac: Any = None,
    bounds: Any = None,
    method: Any = "auto",
    *,
    steps: Any = None,
    loss: Any = "linear",
    f_scale: float = 1.0,
    x_scale: Any = "jac",
    jac_sparsity: Any = None,
    args: Any = (),
    tol: float | None = None,
    level: float = 0.95,
    max_steps: int | None = None,
    max_evaluations: int | None = None,
    max_nfev: int | None = None,
    max_seconds: float | None = None,
    callback: Callable[..., object] | None = None,
    progress: Progress | None = None,
    prove: bool | float | None = None,
) -> ResidualFit:
    """Make a sum of squares, or of losses, as small as it will get, and say what the point is.

    Parameters
    ----------
    residual : callable, str or sequence of str
        Of one argument in the shape of ``x0`` (and ``*args``), returning the residuals: an array, a number or a tree of
        them. JAX code is differentiated; what JAX cannot trace runs as NumPy. Or typed text, one for each residual,
        ``["10*(y - x^2)", "1 - x"]``, or for many: ``"x[i+1] - x[i]^2, i=0..8"``, ``"y - a*exp(-b*t)"`` of vectors.
    x0 : number, array, mapping or pytree of them
        The start; of typed text a mapping from names, or text.
    jac : callable, optional
        The Jacobian, shape (m, n), an array or a sparse matrix; exact derivatives where JAX reads the function, else
        central differences, if not given. SciPy's ``"2-point"`` and the like are understood as not given.
    bounds : optional
        As for ``minimize``: pairs ``[(low, high), ...]``, a mapping, a ``Box``. Or as SciPy has them: a tuple
        ``(lower, upper)`` of numbers or arrays, or ``scipy.optimize.Bounds``.
    method : str or Direction
        ``"auto"`` and ``"lm"``: Levenberg-Marquardt with geodesic acceleration, and Newton's steps at the end.
        ``"gauss-newton"``; ``"trust-region"`` (SciPy's ``"trf"`` and ``"dogbox"`` without bounds).
    steps : str or Step, optional
        With ``"gauss-newton"``: ``"armijo"``, ``"wolfe"``, ``"hager-zhang"``, ``"exact"``, ``"full"``,
        ``"trust-region"``.
    loss : str or callable
        ``"linear"``, ``"soft_l1"``, ``"huber"``, ``"cauchy"``, ``"arctan"``; or ``loss(z)`` of ``z = (r/f_scale)^2``
        that returns rho and its first two derivatives, shape (3, m).
    f_scale : float
        Size of a residual from which it counts as wild, in the units of the residuals.
    x_scale : number, array or "jac"
        Size of a change of each coefficient that matters; "jac": by the columns of the Jacobian.
    jac_sparsity : array or sparse matrix, shape (m, n), optional
        Not zero where the Jacobian may have entries. Without it a pattern is looked for from 200 coefficients on. It is
        checked at every evaluation, and widened where it misses an entry.
    args : tuple or mapping
        Further arguments of ``residual`` and ``jac``, not varied; of typed text a mapping from names, as
        ``{"t": [0, 1, 2], "y": [5, 3, 2]}``.
    tol : float, optional
        Length of the gradient ``2 J'r`` that is small enough. By default only rounding is.
    level : float
        Of the intervals.
    max_steps, max_evaluations, max_nfev, max_seconds : optional
        Budgets (``max_nfev`` is SciPy's name). At the end of one the best point seen comes back, with its verdict.
    callback, progress : callable, optional
        As for ``minimize``.
    prove : bool or float, optional
        Whether the verdict on the sum of the losses is to be proven, as for ``minimize``.

    Returns
    -------
    ResidualFit
        Coefficients with standard errors, intervals and tests, the reason to stop, the verdict and the trace.

    Raises
    ------
    ModelError
        The start, bounds, loss or method do not fit the function.
    ExpressionError
        Typed text cannot be understood; the message points at the place.

    References
    ----------
    Nocedal, Wright (2006), "Numerical Optimization", 2nd ed., Springer, chapter 10, pp. 245-269.

    Examples
    --------
    >>> import surefoot as sf
    >>> fit = sf.least_squares(lambda x: [10 * (x[1] - x[0] ** 2), 1 - x[0]], [-1.2, 1.0])
    >>> fit.verdict.value, fit.coef.round(12).tolist()
    ('global minimum', [1.0, 1.0])
    """
    budget_of(prove)
    if isinstance(jac, str):
        if jac not in DIFFERENCES:
            raise ModelError(f"jac is a function, or one of {', '.join(map(repr, DIFFERENCES))}, not {jac!r}.")
        jac = None
    elif jac is not None and not callable(jac):
        raise ModelError(f"jac is a function that returns the Jacobian, not {jac!r:.60}.")
    residuals, start = residuals_of(residual, x0, args=args, jac=jac, jac_sparsity=jac_sparsity)
    box = _box(bounds, residuals)
    evaluations = max_nfev if max_evaluations is None else max_evaluations
    wishes = Wishes(
        loss=loss_of(loss, f_scale), method=method, steps=steps, box=box, scale=_scale(x_scale, residuals),
        tolerance=tol, budget=read_budget(max_steps, evaluations, max_seconds),
        watch=as_watch(callback, progress, residuals),  # type: ignore[arg-type]
        level=checked_level(level),
    )  # fmt: skip
    fit = fit_residuals(residuals, start, wishes, _title(residual))
    return replace(fit, result=with_proof(fit.result, lambda: residuals.denotes(wishes.loss), box, prove))


def _title(residual: Any) -> str:
    return "; ".join(residual) if isinstance(residual, list | tuple) else title_of(residual)


def _box(bounds: Any, residuals: Residuals) -> Box | None:
    """Bounds, SciPy's two sides among them; None where they bound nothing."""
    if bounds is None:
        return None
    n = residuals.size
    if isinstance(bounds, str):
        box = bounds_of(bounds, residuals)  # type: ignore[arg-type]
    elif isinstance(bounds, tuple) and len(bounds) == 2 and not any(isinstance(side, tuple) for side in bounds):
        try:
            lower, upper = (np.broadcast_to(np.asarray(side, float), (n,)).copy() for side in bounds)
        except (TypeError, ValueError):
            raise ModelError(
                f"Bounds are a tuple (lower, upper) of numbers or of arrays of {n}, or a list of pairs, not "
                f"{bounds!r:.80}."
            ) from None
        box = Box.of(Box(lower, upper), residuals.names)
    else:
        box = Box.of(bounds, residuals.names)
    return None if np.all(box.lower == -np.inf) and np.all(box.upper == np.inf) else box


def _scale(x_scale: Any, residuals: Residuals) -> np.ndarray | None:
    if x_scale is None or (isinstance(x_scale, str) and x_scale == "jac"):
        return None
    try:
        scale = np.broadcast_to(np.asarray(x_scale, float), (residuals.size,)).copy()
    except (TypeError, ValueError):
        scale = np.zeros(1)
    if not np.all(np.isfinite(scale)) or not np.all(scale > 0):
        raise ModelError(
            f"x_scale is 'jac', or {residuals.size} finite numbers above 0, one for each coefficient, not "
            f"{x_scale!r:.60}."
        )
    return scale


__all__ = ["least_squares"]
