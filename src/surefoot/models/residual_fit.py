"""The fit of a residual function: where the sum of its losses is least, and how far to trust the coefficients.

    s^2 = sum_i w_i r_i^2 / (m - r),    Cov(x) ~ s^2 (J'W J)^-1,    r the rank of J

is exact for residuals linear in x and independent normal errors, and an approximation elsewhere; `standing` says what
speaks against it.

References: Bates, Watts (1988), "Nonlinear Regression Analysis and Its Applications", Wiley, section 2.2, pp. 52-58;
Huber, Ronchetti (2009), "Robust Statistics", 2nd ed., Wiley, section 7.6, pp. 170-174.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.errors import ModelError
from surefoot.models.base import Fit
from surefoot.problem.losses import Loss
from surefoot.problem.objective import Counts
from surefoot.proof.certificate import Certificate
from surefoot.results.result import Result
from surefoot.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from scipy.optimize import OptimizeResult

    from surefoot.descent.stop import Stop
    from surefoot.descent.trace import Trace

MOST = 2000
"""Coefficients up to which standard errors are computed."""
SLACK = 1e-8
"""Share of a coefficient in a direction that the residuals do not determine, up to which it is determined itself."""
DIGITS = 15.95
"""Decimal digits of a double."""


@dataclass(frozen=True)
class ResidualFit(Fit):
    """Least squares of a residual function.

    Attributes
    ----------
    x : array, number, mapping or pytree
        The coefficients, in the shape of the start.
    value, cost : float
        The sum of the losses, which is the sum of squares for ``loss="linear"``; and half of it, as SciPy has it.
    stop : Stop
        The one reason why the walk ended, with its numbers.
    certificate : Certificate
        What the point is, judged on the sum of the losses.
    trace : Trace
        One row for each trial.
    counts : Counts
        Residuals as values, Jacobians as gradients.
    multipliers : mapping of str to float
        Of the coefficients at a bound.
    advice : tuple of str
        Sentences, each only where there is evidence for it.
    loss : Loss
        What each residual costs.
    jacobian : ndarray or sparse matrix, shape (m, n)
        At the coefficients, not weighted.

    Examples
    --------
    >>> import surefoot as sf
    >>> t, y = np.arange(5.0), np.array([5.0, 3.1, 1.8, 1.1, 0.7])
    >>> fit = sf.least_squares(lambda p: p["a"] * np.e ** (-p["rate"] * t) - y, {"a": 1.0, "rate": 1.0})
    >>> fit.verdict.value, {name: round(value, 3) for name, value in fit.x.items()}
    ('strict local minimum', {'a': 5.017, 'rate': 0.5})
    """

    result: Result = field(repr=False)
    residual: np.ndarray = field(repr=False)
    jacobian: Any = field(repr=False)
    loss: Loss
    held: np.ndarray = field(repr=False)
    newton: np.ndarray | None = field(default=None, repr=False)
    level: float = 0.95

    @property
    def aliased(self) -> dict[str, dict[str, float]]:
        """Coefficients that were left out: none ever is."""
        return {}

    @property
    def exact(self) -> None:
        """Enclosures, which this fit has none of."""

    @property
    def x(self) -> Any:
        return self.result.x

    @property
    def coef(self) -> np.ndarray:
        return self.result.flat

    @property
    def names(self) -> tuple[str, ...]:
        return self.result.names

    @property
    def value(self) -> float:
        return self.result.value

    @property
    def cost(self) -> float:
        return 0.5 * self.value

    @property
    def method(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.result.method

    @property
    def stop(self) -> Stop:
        return self.result.stop

    @property
    def trace(self) -> Trace:
        return self.result.trace

    @property
    def counts(self) -> Counts:
        return self.result.counts

    @property
    def advice(self) -> tuple[str, ...]:
        return self.result.advice

    @property
    def multipliers(self) -> Mapping[str, float]:
        return self.result.multipliers

    @property
    def certificate(self) -> Certificate:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.result.certificate

    @property
    def seconds(self) -> float:
        return self.result.seconds

    @property
    def rows(self) -> int:
        """Number of residuals m."""
        return len(self.residual)

    @property
    def rank(self) -> int | None:
        """Independent columns of the weighted Jacobian that no bound holds; None beyond 2,000 coefficients."""
        return None if self._spectrum is None else len(self._spectrum.values)

    @property
    def condition(self) -> float:
        """Of these columns, scaled to length one; NaN beyond 2,000 coefficients."""
        known = self._spectrum
        if known is None or not len(known.values):
            return float("nan")
        return float(known.values[0] / known.values[-1]) if known.is_full else float("inf")

    @property
    def df(self) -> float:
        """Residuals less independent coefficients."""
        return float(self.rows - (self.rank if self.rank is not None else len(self.names) - int(self.held.sum())))

    @cached_property
    def sigma(self) -> float:
        """Residual standard deviation, by the weights of the loss; NaN without degrees of freedom."""
        if self.df <= 0:
            return float("nan")
        return float(np.linalg.norm(np.sqrt(self._weights) * self.residual) / np.sqrt(self.df))

    @property
    def covariance_factor(self) -> np.ndarray:
        known = self._spectrum
        if known is None:
            return np.full((len(self.names), 1), np.nan)
        return self.sigma * known.spread

    @cached_property
    def stderr(self) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Standard errors; NaN at a bound, along what the residuals do not determine, and where they are not known."""
        return np.sqrt(np.sum(self.covariance_factor**2, axis=1))

    @cached_property
    def digits(self) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Digits of each coefficient that the last Newton step and the rounding of the residuals leave certain.

        An estimate to first order; NaN where it is not known.
        """
        known = self._spectrum
        if known is None or known.left is None or self.newton is None or not known.is_full:
            return np.full(len(self.names), np.nan)
        blurred = self.result.objective.roundoff if self.result.objective is not None else 2.0**-53
        moved = blurred * (abs(self.jacobian) @ np.abs(self.coef) + np.abs(self.residual)) * np.sqrt(self._weights)
        rounding = np.sqrt((known.spread**2) @ ((known.left.T**2) @ moved**2))
        off = np.abs(self.newton) + np.nan_to_num(rounding)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.where(off > 0, -np.log10(off / np.abs(self.coef)), DIGITS)
        return np.where(self.held, DIGITS, np.clip(np.nan_to_num(found, neginf=0.0), 0.0, DIGITS))

    @cached_property
    def standing(self) -> tuple[str, ...]:
        """What speaks against the standard errors, in sentences; empty for a full-rank fit by plain squares."""
        said = []
        if self._spectrum is None:
            said.append(f"Standard errors are computed for up to {MOST:,} coefficients.")
            return tuple(said)
        if not self._spectrum.is_full:
            unknown = np.any(np.isnan(self._spectrum.spread), axis=1) & ~self.held
            loose = [name for name, lost in zip(self.names, unknown, strict=True) if lost]
            said.append(
                f"The residuals determine {counted(self.rank or 0, 'combination')} of "
                f"{counted(len(self.names), 'coefficient')}: no standard errors for {_listed(loose)}."
            )
        if not self.loss.is_linear:
            said.append(
                f"Standard errors take the weights of the {self.loss.name} loss as given; they are rough where many "
                "residuals are large."
            )
        if np.any(self.held):
            names = [name for name, held in zip(self.names, self.held, strict=True) if held]
            said.append(f"At a bound: {_listed(names)}. Standard errors of the others take them as fixed there.")
        if self.df <= 0:
            said.append("There are no more residuals than coefficients: no standard errors.")
        return tuple(said)

    def residuals(self) -> np.ndarray:
        """The residuals at the coefficients, shape (m,), as the function returns them."""
        return self.residual.copy()

    def summary(self) -> str:
        """Coefficients, what ran, why it stopped, and the verdict."""
        from surefoot.report.residuals import residual_summary

        return residual_summary(self)

    __str__ = summary

    def plot(self, path: str | Path | None = None) -> Figure:
        """How the walk came down, and for two coefficients the map of the sum of losses with its path.

        Parameters
        ----------
        path : path, optional
            Write the picture there too: PNG, SVG or PDF by its ending.

        Raises
        ------
        DataError
            The file cannot be written.
        """
        return self.result.plot(path)

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON: those of the walk, with the coefficients and their standard errors."""
        from surefoot.results.saved import plain

        more = {"cost": self.cost, "loss": self.loss.name, "f_scale": self.loss.scale, "stderr": self.stderr,
                "digits": self.digits, "residuals": self.residual, "df": self.df, "sigma": self.sigma}  # fmt: skip
        return {**self.result.to_json(), **plain(more)}

    def save(self, path: str | Path) -> None:
        """Write the walk and its end as JSON, in the form of a ``Result``, without the residuals.

        Raises
        ------
        DataError
            The file cannot be written.
        """
        self.result.save(path)

    def to_scipy(self) -> OptimizeResult:
        """As what ``scipy.optimize.least_squares`` returns.

        Examples
        --------
        >>> import surefoot as sf
        >>> found = sf.least_squares(lambda x: x - 3.0, [0.0]).to_scipy()
        >>> found.success, found.x.tolist(), found.cost
        (True, [3.0], 0.0)
        """
        found = self.result.to_scipy()
        active = np.where(self.held, np.where(self.result.slope > 0, -1, 1), 0)
        found.update(
            fun=self.residual.copy(), jac=self.jacobian.copy(), grad=0.5 * self.result.slope, cost=self.cost,
            optimality=float(np.max(np.abs(np.where(self.held, 0.0, 0.5 * self.result.slope)), initial=0.0)),
            active_mask=active,
        )  # fmt: skip
        return found

    def _need_determined(self, hypothesis: str, matrix: np.ndarray) -> None:
        known = self._spectrum
        if known is None:
            raise ModelError(f"Hypotheses are tested on up to {MOST:,} coefficients; there are {len(self.names):,}.")
        used = np.any(matrix != 0, axis=0)
        if np.any(used & self.held):
            raise ModelError(f"{hypothesis}: a coefficient stands at its bound, where no standard error holds.")
        if np.any(np.isnan(known.spread[used])):
            raise ModelError(f"{hypothesis}: the residuals do not determine this combination.")

    @cached_property
    def _weights(self) -> np.ndarray:
        return self.loss.weigh(self.residual).weights

    @cached_property
    def _spectrum(self) -> _Spectrum | None:
        if len(self.names) > MOST:
            return None
        dense = self.jacobian if isinstance(self.jacobian, np.ndarray) else self.jacobian.toarray()
        return _spectrum(np.sqrt(self._weights)[:, None] * dense, ~self.held)


@dataclass(frozen=True)
class _Spectrum:
    """Singular values of the free columns at length one.

    Attributes
    ----------
    values : ndarray, shape (r,)
        Those that are not rounding.
    spread : ndarray, shape (n, r)
        ``T`` with ``T T' = (J'W J)^-1``; NaN for coefficients that are held or not determined.
    left : ndarray, shape (m, r), or None
    is_full : bool
        Whether every free column is independent.
    """

    values: np.ndarray
    spread: np.ndarray
    left: np.ndarray | None
    is_full: bool


def _spectrum(matrix: np.ndarray, free: np.ndarray) -> _Spectrum:
    count, columns = len(free), np.flatnonzero(free)
    if not np.all(np.isfinite(matrix)) or not len(columns):
        return _Spectrum(np.zeros(0), np.full((count, 1), np.nan), None, not len(columns))
    lengths = np.linalg.norm(matrix[:, columns], axis=0)
    lengths = np.where(lengths > 0, lengths, 1.0)
    left, values, across = np.linalg.svd(matrix[:, columns] / lengths, full_matrices=False)
    tolerance = max(matrix.shape) * np.finfo(float).eps * values[0] if len(values) else 0.0
    rank = int(np.sum(values > tolerance))
    spread = np.full((count, max(rank, 1)), np.nan)
    with np.errstate(divide="ignore"):
        spread[columns, :rank] = across[:rank].T / values[:rank] / lengths[:, None]
    loose = 1 - np.sum(across[:rank] ** 2, axis=0) > SLACK
    spread[columns[loose]] = np.nan
    return _Spectrum(values[:rank], spread, left[:, :rank], rank == len(columns))


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


__all__ = ["ResidualFit"]
