"""The fit of arrays: coefficients for each right-hand side, how far to trust them, and what the point is.

Everything beside the coefficients and their backward error is computed when it is asked for: ``sf.lstsq`` costs what
the coefficients cost.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.errors import ModelError
from surefoot.leastsquares.digits import bound_from_triangle, digits_of
from surefoot.leastsquares.minimum_norm import Spectrum, spectrum
from surefoot.leastsquares.rank import ROUNDOFF, Alias, Rank, find_rank, length, lengths, tolerance_for
from surefoot.leastsquares.solution import Solution, inverse_of_upper
from surefoot.models.arrays import Task
from surefoot.models.base import Fit
from surefoot.proof.certificate import Certificate
from surefoot.proof.conditions import Bowl, Pins, judge_bowl

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from surefoot.descent.trace import Trace
    from surefoot.models.picture import Picture
    from surefoot.models.plan import Plan
    from surefoot.models.road import Roads
    from surefoot.proof.exact_fit import ExactFit

FEW_DIRECTIONS = 8
"""So many flat directions are named one by one."""


@dataclass(frozen=True)
class Answer:
    """What a method brought, whichever it was; k right-hand sides.

    Attributes
    ----------
    coef : ndarray, shape (n, k)
        The coefficients; NaN where dropped.
    slope : ndarray, shape (n, k)
        The residual along each column, ``a_j'(b - A x) / |a_j|``, on equalities what their multipliers leave of it.
    residual, response : ndarray, shape (k,)
        ``|b - A x|`` and ``|b|``, the rows of the penalty included.
    backward_error : ndarray, shape (k,)
    backward_error_kind : str
    upper : ndarray, shape (r, r), or None
        A triangle of the kept columns.
    spectrum : Spectrum or None
        Of a minimum-norm answer.
    kept : tuple of int
    method, detail, stop : str
    tried : tuple of str
        What gave up before, and why.
    steps, passes : int
    condition : float
        NaN where a factor tells it, or where nothing does.
    aliased : tuple of Alias
        What columns that were left out are made of.
    arrived : bool
        False where an iteration was stopped before it came to rounding.
    trace : Trace or None
        Of a walk.
    """

    coef: np.ndarray
    slope: np.ndarray
    residual: np.ndarray
    response: np.ndarray
    backward_error: np.ndarray
    backward_error_kind: str
    upper: np.ndarray | None
    spectrum: Spectrum | None
    kept: tuple[int, ...]
    method: str
    detail: str
    stop: str
    tried: tuple[str, ...]
    steps: int
    passes: int
    condition: float = float("nan")
    aliased: tuple[Alias, ...] = ()
    arrived: bool = True
    trace: Trace | None = None


@dataclass(frozen=True)
class Multipliers:
    """How fast the smallest sum of squares changes with each constraint.

    Attributes
    ----------
    bounds : ndarray, shape (n,)
        Per unit of the bound that holds a coefficient; zero for free coefficients.
    equalities : ndarray, shape (p,)
        Per unit of the right-hand side of each equality.
    at_lower, at_upper : ndarray of bool, shape (n,)
    rounding : ndarray, shape (n,)
        Of ``bounds``: a multiplier that is smaller says nothing, not even by its sign.
    """

    bounds: np.ndarray
    equalities: np.ndarray
    at_lower: np.ndarray
    at_upper: np.ndarray
    rounding: np.ndarray


@dataclass(frozen=True)
class ArrayFit(Fit):
    """Least squares of arrays, sparse matrices or operators.

    Attributes
    ----------
    names : tuple of str
    coef, stderr : ndarray, shape (n,), or (n, k) for k right-hand sides
        NaN where a column was left out; standard errors also where no factor of the columns is at hand.
    backward_error : float
        The largest over the right-hand sides: how much the matrix would have to change, relatively, for the
        coefficients to be exactly right. ``backward_error_kind`` says whose estimate it is.
    method : str
        What ran and why; ``tried`` lists what gave up before it.
    certificate : Certificate
        What the point is.
    multipliers : Multipliers or None
        With bounds or equalities.
    exact : ExactFit or None
        The enclosures and proven decimals, with ``exact=True``.
    roads : Roads or None
        Other methods beside, with ``compare=True``.
    seconds, proof_seconds : float
        Spent on the coefficients, and on the proof if there was one.

    Examples
    --------
    >>> import surefoot as sf
    >>> fit = sf.lstsq([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [1.0, 2.0, 4.0], names=["a", "b"])
    >>> fit.coef.round(6).tolist(), fit.verdict.value, fit.certificate.rigour.value
    ([0.833333, 1.5], 'unique global minimum', 'proven')
    """

    task: Task = field(repr=False)
    answer: Answer = field(repr=False)
    method: str
    level: float = 0.95
    multipliers: Multipliers | None = None
    proven: Certificate | None = field(default=None, repr=False)
    proven_digits: np.ndarray | None = field(default=None, repr=False)
    exact: ExactFit | None = field(default=None, repr=False)
    roads: Roads | None = field(default=None, repr=False)
    seconds: float = 0.0
    proof_seconds: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        return self.task.names

    @property
    def coef(self) -> np.ndarray:
        return self._shaped(self.answer.coef)

    @property
    def trace(self) -> Trace | None:
        """Every step of a walk."""
        return self.answer.trace

    @property
    def tried(self) -> tuple[str, ...]:
        return self.answer.tried

    @property
    def stop(self) -> str:
        return self.answer.stop

    @property
    def backward_error(self) -> float:
        return float(np.max(self.answer.backward_error, initial=0.0))

    @property
    def backward_error_kind(self) -> str:
        return self.answer.backward_error_kind

    @property
    def rank(self) -> int | None:
        """Number of independent columns; None where no factor tells."""
        if self.answer.spectrum is not None:
            return self.answer.spectrum.rank
        return len(self.answer.kept) if self.answer.upper is not None else None

    @cached_property
    def spectrum(self) -> Spectrum | None:
        """Singular values of the kept columns at length one."""
        if self.answer.spectrum is not None:
            return self.answer.spectrum
        if self.answer.upper is None:
            return None
        found = spectrum(self.answer.upper)
        # Of proven columns none is rounding.
        return found if self.exact is None else replace(found, rank=len(found.values))

    @property
    def condition(self) -> float:
        """Of the kept columns at length one; from an iteration, a lower bound; NaN where nothing tells."""
        return self.answer.condition if self.spectrum is None else self.spectrum.condition

    @property
    def df_residual(self) -> float:
        """Rows less coefficients, or with a penalty less the trace of the hat matrix."""
        if not self.task.ridge:
            return self.task.rows - (self.rank if self.rank is not None else len(self.names))
        if self._spread is None:
            return float("nan")
        return self.task.rows - len(self.names) + self.task.ridge * float(np.sum(self._spread**2))

    @cached_property
    def residual_length(self) -> np.ndarray:
        """``|W^(1/2)(b - A x)|`` of each right-hand side, shape (k,), the penalty left out."""
        if not self.task.ridge:
            return self.answer.residual
        penalty = self.task.ridge * lengths(np.nan_to_num(self.answer.coef)) ** 2
        return np.sqrt(np.maximum(self.answer.residual**2 - penalty, 0.0))

    @property
    def df(self) -> float:
        return self.df_residual

    @property
    def covariance_factor(self) -> np.ndarray:
        if self._spread is None or self.multipliers is not None:
            return np.full((len(self.names), 1), np.nan)
        if self.task.ridge:
            # sigma^2 TT'(I - k TT') = sigma^2 T (I - k T'T) T', and T'T has eigenvalues up to 1/k.
            values, across = np.linalg.eigh(
                np.eye(self._spread.shape[1]) - self.task.ridge * self._spread.T @ self._spread
            )
            return float(self.sigma) * self._spread @ (across * np.sqrt(np.maximum(values, 0.0)))
        return float(self.sigma) * self._spread

    @property
    def sigma(self) -> Any:
        """Residual standard deviation, one for each right-hand side; NaN without degrees of freedom."""
        if self.exact is not None:
            return self._sided(self.exact.sigma.value)
        df = self.df_residual
        found = self.residual_length / np.sqrt(df) if df > 0 else np.full(len(self.answer.residual), np.nan)
        return float(found[0]) if self.task.is_vector else found

    @cached_property
    def r2(self) -> Any:
        """Share of the sum of squares explained: about the mean if a column is constant, else about zero.

        Proven, it is about the mean wherever a constant is a combination of columns.
        """
        if self.exact is not None:
            return self._sided(self.exact.r2.value)
        weights = np.ones(len(self.task.right)) if self.task.weights is None else self.task.weights
        right, total = self.task.right, self.answer.response
        if self._has_constant and weights.sum() > 0:
            total = lengths((right - weights @ right / weights.sum()) * np.sqrt(weights)[:, None])
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.where(
                total > 64 * ROUNDOFF * self.answer.response, 1 - (self.residual_length / total) ** 2, np.nan
            )
        return float(found[0]) if self.task.is_vector else found

    @cached_property
    def stderr(self) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Standard errors for a residual deviation of ``sigma``; NaN where they are not known."""
        if self.exact is not None:
            return self.exact.stderr.value
        sigma = np.atleast_1d(self.sigma)
        if self._spread is None or self.multipliers is not None:
            return self._shaped(np.full(self.answer.coef.shape, np.nan))
        sizes = lengths(self._spread.T)
        if self.task.ridge:
            # sigma^2 (G + kI)^-1 G (G + kI)^-1 = sigma^2 (TT' - k TT'TT').
            shrunk = self.task.ridge * np.sum((self._spread @ self._spread.T) ** 2, axis=1)
            sizes = np.sqrt(np.maximum(sizes**2 - shrunk, 0.0))
        return self._shaped(sizes[:, None] * sigma)

    @property
    def has_proven_stderr(self) -> bool:
        """Whether the standard errors are proven."""
        return self.exact is not None and self.df_residual > 0

    @cached_property
    def digits(self) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Digits of each coefficient that rounding leaves determined, or that are proven; NaN where not known."""
        if self.proven_digits is not None:
            return self.proven_digits
        if self.answer.upper is None:
            return self._shaped(np.full(self.answer.coef.shape, np.nan))
        # The bound is of rounding the data once; an answer with a larger backward error is worse by as much.
        grown = np.maximum(1.0, self.answer.backward_error / ROUNDOFF)
        solutions = map(self._solution, range(self._sides))
        found = [digits_of(one, bound_from_triangle(one) * g) for one, g in zip(solutions, grown, strict=True)]
        return self._shaped(np.array(found).T.reshape(self.answer.coef.shape))

    @cached_property
    def certificate(self) -> Certificate:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The proof, if one was made; else the floating point evidence."""
        return self.proven or judge_bowl(self._bowl())

    @cached_property
    def plan(self) -> Plan:
        """Candidate methods with their predicted work, and which was chosen."""
        from surefoot.models.plan import make_plan

        known = "known from the factor" if self.spectrum is not None else "at least"
        return make_plan(self.task.rows, max(1, len(self.names)), self.condition, known, ran=self.answer.method)

    def predict(self, A: Any) -> np.ndarray:
        """``A x`` for new rows.

        Examples
        --------
        >>> import surefoot as sf
        >>> sf.lstsq([[1.0], [2.0]], [2.0, 4.0]).predict([[5.0]]).round(9).tolist()
        [10.0]
        """
        known = self._shaped(np.nan_to_num(self.answer.coef))
        return (A if hasattr(A, "shape") else np.asarray(A, dtype=float)) @ known

    def residuals(self) -> np.ndarray:
        """``b - A x``, in the shape of b; not weighted.

        Examples
        --------
        >>> import surefoot as sf
        >>> sf.lstsq([[1.0], [1.0], [1.0]], [1.0, 2.0, 6.0]).residuals().tolist()
        [-2.0, -1.0, 3.0]
        """
        right = self.task.right[:, 0] if self.task.is_vector else self.task.right
        return right - self.predict(self.task.matrix)

    def summary(self) -> str:
        """Coefficients (of the first right-hand sides), what ran, and the verdict."""
        from surefoot.report.arrays import array_summary

        return array_summary(self)

    __str__ = summary

    def plot(self) -> Figure:
        """The residual at a right angle on the columns and, where roads were compared, their walks, as one figure.

        Raises
        ------
        ModelError
            There is more than one right-hand side.
        """
        from surefoot.report.figures import array_overview

        return array_overview(self, self._picture())

    def to_html(self, path: str | Path | None = None) -> str:
        """The report as one self-contained HTML page; written to ``path`` if one is given.

        Raises
        ------
        ModelError
            There is more than one right-hand side.
        DataError
            The file cannot be written.

        Examples
        --------
        >>> import surefoot as sf
        >>> "unique global minimum" in sf.lstsq([[1.0], [1.0], [1.0]], [1.0, 2.0, 6.0]).to_html()
        True
        """
        from surefoot.report.html import write_text
        from surefoot.report.html_arrays import array_page

        text = array_page(self, self._picture())
        if path is not None:
            write_text(path, text)
        return text

    def save(self, path: str | Path) -> None:
        """Write what was learnt as JSON, for ``sf.load``; nothing of the rows.

        Raises
        ------
        DataError
            The file cannot be written.

        Examples
        --------
        >>> import os, tempfile
        >>> import surefoot as sf
        >>> fit = sf.lstsq([[1.0], [2.0]], [2.0, 4.0])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "fit.json")
        ...     fit.save(path)
        ...     sf.load(path).predict([[5.0]]).round(9).tolist()
        [10.0]
        """
        from surefoot.models.array_saved import save

        save(self, path)

    def _repr_html_(self) -> str:
        from surefoot.report.html_arrays import array_card

        return array_card(self)

    def _picture(self) -> Picture:
        from surefoot.models.array_picture import gather_arrays

        if not self.task.is_vector:
            raise ModelError("A report is of one right-hand side: fit the columns of b one by one.")
        return gather_arrays(self, None if self.answer.upper is None else self._solution(0))

    def inverse_triangle(self) -> np.ndarray | None:
        """``R^-1`` of a full set of columns, a candidate for a proof."""
        return self._spread if self.answer.upper is not None and len(self.answer.kept) == len(self.names) else None

    @property
    def aliased(self) -> dict[str, dict[str, float]]:
        """Columns that were left out, each with the columns and shares that make it up."""
        return {
            self.names[alias.column]: {self.names[j]: share for j, share in alias.parts}
            for alias in self.answer.aliased
        }

    def valley(self) -> np.ndarray | None:
        """Orthonormal directions along which the data do not tell coefficients apart, shape (n, v); None if unknown."""
        known = self.answer.spectrum
        if known is None:
            return None if self.answer.upper is None else np.zeros((len(self.names), 0))
        across = np.linalg.qr(known.row_space, mode="complete")[0]
        return across[:, known.row_space.shape[1] :]

    def with_proof(self, certificate: Certificate, digits: np.ndarray | None, seconds: float) -> ArrayFit:
        """The same fit with a certificate that a prover gave."""
        return replace(self, proven=certificate, proven_digits=digits, proof_seconds=seconds)

    def _need_determined(self, hypothesis: str, matrix: np.ndarray) -> None:
        if self.answer.spectrum is None or self.rank == len(self.names):
            return
        beyond = matrix - (matrix @ self._row_space) @ self._row_space.T
        if np.any(np.abs(beyond) > 1e-8 * np.abs(matrix).max()):
            raise ModelError(f"{hypothesis}: the data do not determine this combination, it varies along the valley.")

    @property
    def _row_space(self) -> np.ndarray:
        assert self.answer.spectrum is not None
        return self.answer.spectrum.row_space

    @property
    def _sides(self) -> int:
        return self.answer.coef.shape[1]

    def _sided(self, values: np.ndarray) -> Any:
        """One number of each right-hand side."""
        return float(values) if self.task.is_vector else values

    def _shaped(self, values: np.ndarray) -> np.ndarray:
        return values[:, 0] if self.task.is_vector else values

    @cached_property
    def _has_constant(self) -> bool:
        matrix = self.task.matrix
        if not self.task.is_dense or not len(matrix):
            return False
        candidates = np.flatnonzero((matrix[0] == matrix[-1]) & (matrix[0] != 0))
        return any(bool(np.all(matrix[:, j] == matrix[0, j])) for j in candidates)

    @cached_property
    def _spread(self) -> np.ndarray | None:
        """``T`` with ``T T' = (A'WA + ridge)^-1``, shape (n, r)."""
        if self.answer.spectrum is not None:
            return self.answer.spectrum.spread()
        if self.answer.upper is None:
            return None
        spread = np.full((len(self.names), len(self.answer.kept)), np.nan)
        spread[list(self.answer.kept)] = inverse_of_upper(self.answer.upper)
        return spread

    def _solution(self, side: int) -> Solution:
        """What the bounds on digits need, for one right-hand side."""
        assert self.answer.upper is not None and self._spread is not None
        upper, kept, count = self.answer.upper, self.answer.kept, len(self.names)
        rank = find_rank(upper) if len(kept) < count else Rank(kept, (), np.ones(len(kept)), tolerance_for(count))
        coef = self.answer.coef[:, side]
        effects = upper @ coef[list(kept)]
        return Solution(
            coef, self._spread, effects, float(self.answer.residual[side]), upper, replace(rank, kept=kept),
            np.zeros((count, 0)),
        )  # fmt: skip

    def _bowl(self) -> Bowl:
        """The evidence for the judge: of all right-hand sides the worst."""
        answer, count = self.answer, len(self.names)
        known = self.spectrum
        kept = list(answer.kept)
        sizes = np.ones(count) if known is None else known.sizes
        slope = np.abs(answer.slope[kept])
        if self.multipliers is not None:
            slope = slope[~(self.multipliers.at_lower | self.multipliers.at_upper)[kept]]
        data = answer.response + np.sum(np.abs(answer.coef[kept]) * sizes[:, None], axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            units = answer.residual / (ROUNDOFF * data)
            cosine = np.where(units > 16, slope.max(axis=0, initial=0.0) / answer.residual, 0.0)
        worst = int(np.argmax(cosine)) if cosine.size else 0
        values = np.zeros(0) if known is None else known.values
        return Bowl(
            columns=count,
            rank=self.rank if self.rank is not None else 0,
            smallest_singular_value=float(values[known.rank - 1]) if known is not None and known.rank else 0.0,
            tolerance=tolerance_for(count),
            smallest_curvature=self._smallest_curvature(),
            orthogonality=float(cosine[worst]) if cosine.size else 0.0,
            residual_units=float(units[worst]) if units.size else 0.0,
            valley=self._valley(),
            is_rank_known=known is not None,
            pins=self._pins(),
            has_arrived=answer.arrived,
        )

    def _smallest_curvature(self) -> float:
        known = self.spectrum
        if known is None or not known.rank:
            return float("nan")
        root = known.root() if known.rank < len(self.names) or self.answer.upper is None else self.answer.upper
        with np.errstate(over="ignore"):
            curvature = 2 * float(np.square(np.linalg.svd(root, compute_uv=False)[known.rank - 1]))
        return curvature if curvature < np.inf else float("nan")  # beyond all doubles

    def _valley(self) -> list[dict[str, float]]:
        known = self.answer.spectrum
        flat = len(self.names) - known.rank if known is not None else 0
        if known is None or not 0 < flat <= FEW_DIRECTIONS:
            return []
        _, _, across = np.linalg.svd(known.root())
        found = []
        for direction in across[known.rank :]:
            largest = direction[np.argmax(np.abs(direction))]
            shares = {name: float(share) for name, share in zip(self.names, direction / largest, strict=True)}
            found.append({name: round(share, 12) for name, share in shares.items() if abs(share) > 1e-9})
        return found

    def _pins(self) -> Pins | None:
        held = self.multipliers
        if held is None:
            return None
        # Equal bounds hold a coefficient from both sides: either sign is right.
        low, up = held.at_lower & ~held.at_upper, held.at_upper & ~held.at_lower
        wrong = np.where(low, -held.bounds, np.where(up, held.bounds, 0.0))
        wrong = np.where(wrong > held.rounding, wrong, 0.0)
        scale = length(held.bounds) or 1.0
        return Pins(
            int(np.count_nonzero(held.at_lower | held.at_upper)),
            len(held.equalities),
            float(np.max(wrong, initial=0.0)) / scale,
        )


__all__ = ["Answer", "ArrayFit", "Multipliers"]
