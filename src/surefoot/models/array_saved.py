"""A fit of arrays as JSON, and what comes back: everything that was learnt, nothing of the rows."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.errors import DataError, ModelError
from surefoot.files import whole_file
from surefoot.models.array_fit import ArrayFit, Multipliers
from surefoot.models.base import Fit
from surefoot.models.exact import Proven
from surefoot.models.road import Roads
from surefoot.models.saved import ARRAY_FORMAT
from surefoot.plain_json import plain
from surefoot.proof.certificate import Certificate

if TYPE_CHECKING:
    from typing import NoReturn

MOST_KEPT = 1000
"""Columns up to which the covariance is kept: twenty megabytes of text."""


@dataclass(frozen=True)
class Learnt:
    """What a fit of arrays leaves behind.

    Attributes
    ----------
    names : tuple of str
    coef, stderr, digits : ndarray, shape (n,), or (n, k) for k right-hand sides
    spread : ndarray, shape (n, r), or None
        ``F`` with ``F F'`` the covariance; None where it is not known, or of very many columns.
    valley : ndarray, shape (n, v), or None
        Orthonormal directions in which the data do not tell coefficients apart; None where not known.
    level, df, rows, seconds, proof_seconds : float
    sigma, r2, residual_length : float, or ndarray of shape (k,)
    rank : int or None
    condition : float
    backward_error : float
    backward_error_kind, method, stop : str
    tried : tuple of str
    summary : str
        The text as it was printed.
    aliased : mapping
    """

    names: tuple[str, ...]
    coef: np.ndarray
    stderr: np.ndarray
    digits: np.ndarray
    spread: np.ndarray | None
    valley: np.ndarray | None
    level: float
    df: float
    rows: int
    seconds: float
    proof_seconds: float
    sigma: Any
    r2: Any
    residual_length: Any
    rank: int | None
    condition: float
    backward_error: float
    backward_error_kind: str
    method: str
    stop: str
    tried: tuple[str, ...]
    summary: str
    aliased: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class LoadedArrayFit(Fit):
    """A fit of arrays that was saved: it answers what needs no rows.

    Attributes
    ----------
    learnt : Learnt
        The numbers, bit for bit.
    certificate : Certificate
    multipliers : Multipliers or None
        With bounds or equalities.
    exact : Proven or None
        The enclosures and proven decimals of a fit with ``exact=True``.
    roads : Roads or None
        The table of compared roads, without their steps.
    """

    learnt: Learnt
    certificate: Certificate  # pyright: ignore[reportIncompatibleMethodOverride]
    multipliers: Multipliers | None
    exact: Proven | None
    roads: Roads | None

    @property
    def level(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.learnt.level

    @property
    def method(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.learnt.method

    @property
    def names(self) -> tuple[str, ...]:
        return self.learnt.names

    @property
    def coef(self) -> np.ndarray:
        return self.learnt.coef

    @property
    def stderr(self) -> np.ndarray:
        return self.learnt.stderr

    @property
    def digits(self) -> np.ndarray:
        return self.learnt.digits

    @property
    def stop(self) -> str:
        return self.learnt.stop

    @property
    def tried(self) -> tuple[str, ...]:
        return self.learnt.tried

    @property
    def backward_error(self) -> float:
        return self.learnt.backward_error

    @property
    def backward_error_kind(self) -> str:
        return self.learnt.backward_error_kind

    @property
    def rank(self) -> int | None:
        return self.learnt.rank

    @property
    def condition(self) -> float:
        return self.learnt.condition

    @property
    def df(self) -> float:
        return self.learnt.df

    @property
    def df_residual(self) -> float:
        return self.learnt.df

    @property
    def residual_length(self) -> Any:
        return self.learnt.residual_length

    @property
    def sigma(self) -> Any:
        return self.learnt.sigma

    @property
    def r2(self) -> Any:
        return self.learnt.r2

    @property
    def aliased(self) -> dict[str, dict[str, float]]:
        return {name: dict(parts) for name, parts in self.learnt.aliased.items()}

    @property
    def covariance_factor(self) -> np.ndarray:
        if self.learnt.spread is None:
            return np.full((len(self.names), 1), np.nan)
        return self.learnt.spread

    def predict(self, A: Any) -> np.ndarray:
        """``A x`` for new rows, as the fit itself would.

        Raises
        ------
        DataError
            The rows have another number of columns.
        """
        rows = A if hasattr(A, "shape") else np.asarray(A, dtype=float)
        if len(rows.shape) != 2 or rows.shape[1] != len(self.names):
            raise DataError(f"The new rows have shape {tuple(rows.shape)}: give one number for each of the "
                            f"{len(self.names)} columns, as a matrix of rows.")  # fmt: skip
        return rows @ np.nan_to_num(self.coef)

    def summary(self) -> str:
        """As it was printed when the fit was saved."""
        return self.learnt.summary

    __str__ = summary

    def save(self, path: str | Path) -> None:
        """Write it again, the same byte for byte."""
        _write(_state(self), path)

    def residuals(self) -> NoReturn:
        """Refused: they need the rows."""
        self._refuse("The residuals")

    def plot(self) -> NoReturn:
        """Refused: it needs the rows."""
        self._refuse("The figure")

    def to_html(self, path: str | Path | None = None) -> NoReturn:
        """Refused: its figures need the rows."""
        self._refuse("The report")

    def _refuse(self, what: str) -> NoReturn:
        raise ModelError(
            f"{what} would take the rows, and a saved model holds only what was learnt from them: fit them again."
        )

    def _need_determined(self, hypothesis: str, matrix: np.ndarray) -> None:
        if self.learnt.spread is None:
            raise ModelError(
                f"{hypothesis}: the covariance is not in the file, as it was not known or of more than "
                f"{MOST_KEPT:,} columns. Fit the rows again to test."
            )
        valley = self.learnt.valley
        if valley is not None and np.any(np.abs(matrix @ valley) > 1e-8 * np.abs(matrix).max()):
            raise ModelError(f"{hypothesis}: the data do not determine this combination, it varies along the valley.")


def save(fit: ArrayFit, path: str | Path) -> None:
    """Write a fit; the file is there whole or not at all."""
    exact = None if fit.exact is None else _proven(fit.exact)
    _write(_state(LoadedArrayFit(_learnt(fit), fit.certificate, fit.multipliers, exact, fit.roads)), path)


def from_json(state: Mapping[str, Any]) -> LoadedArrayFit:
    """The fit that ``save`` wrote."""
    learnt = dict(state["learnt"])
    shapes = {"coef": learnt["shape"], "stderr": learnt["shape"], "digits": learnt["shape"]}
    for name, shape in shapes.items():
        learnt[name] = np.array(learnt[name], float).reshape(shape)
    for name, width in (("spread", learnt["widths"][0]), ("valley", learnt["widths"][1])):
        if learnt[name] is not None:
            learnt[name] = np.array(learnt[name], float).reshape(len(learnt["names"]), width)
    for name in ("sigma", "r2", "residual_length"):
        value = np.array(learnt[name], float)
        learnt[name] = value if value.ndim else float(value)
    for name in ("df", "condition", "backward_error"):
        learnt[name] = math.nan if learnt[name] is None else learnt[name]
    learnt |= {"names": tuple(learnt["names"]), "tried": tuple(learnt["tried"])}
    held, exact, roads = state["multipliers"], state["exact"], state["roads"]
    return LoadedArrayFit(
        learnt=Learnt(**{field.name: learnt[field.name] for field in dataclasses.fields(Learnt)}),
        certificate=Certificate.from_json(state["certificate"]),
        multipliers=None if held is None else _multipliers(held),
        exact=None if exact is None else Proven.from_state(dict(exact)),
        roads=None if roads is None else Roads.from_json(roads),
    )


def _learnt(fit: ArrayFit) -> Learnt:
    count, one_side = len(fit.names), fit.coef.ndim == 1
    spread = fit.covariance_factor if one_side and count <= MOST_KEPT else None
    if spread is not None and np.all(np.isnan(spread)):
        spread = None
    return Learnt(
        names=fit.names, coef=fit.coef, stderr=fit.stderr, digits=np.asarray(fit.digits), spread=spread,
        valley=fit.valley() if spread is not None else None, level=fit.level, df=fit.df, rows=fit.task.rows,
        seconds=fit.seconds, proof_seconds=fit.proof_seconds, sigma=fit.sigma, r2=fit.r2,
        residual_length=fit.residual_length, rank=fit.rank, condition=fit.condition, backward_error=fit.backward_error,
        backward_error_kind=fit.backward_error_kind, method=fit.method, stop=fit.stop, tried=fit.tried,
        summary=fit.summary(), aliased=fit.aliased,
    )  # fmt: skip


def _proven(exact: Any) -> Proven:
    return Proven(exact.coef, exact.stderr, exact.residual_ss, exact.sigma, exact.r2, exact.bits, exact.is_exact)


def _state(fit: LoadedArrayFit) -> dict[str, Any]:
    """Plain values; arrays beside their shapes, which an empty list does not tell."""
    learnt = fit.learnt
    widths = [0 if one is None else one.shape[1] for one in (learnt.spread, learnt.valley)]
    kept = {field.name: getattr(learnt, field.name) for field in dataclasses.fields(learnt)}
    return plain(
        {
            "format": ARRAY_FORMAT,
            "certificate": fit.certificate.to_json(),
            "multipliers": None if fit.multipliers is None else dataclasses.asdict(fit.multipliers),
            "exact": None if fit.exact is None else fit.exact.state(),
            "roads": None if fit.roads is None else fit.roads.to_json(),
            "learnt": {**kept, "shape": list(learnt.coef.shape), "widths": widths},
        }
    )


def _multipliers(state: Mapping[str, Any]) -> Multipliers:
    numbers = {name: np.array(state[name], float) for name in ("bounds", "equalities", "rounding")}
    return Multipliers(
        **numbers, at_lower=np.array(state["at_lower"], bool), at_upper=np.array(state["at_upper"], bool)
    )


def _write(state: Mapping[str, Any], path: str | Path) -> None:
    with whole_file(path, "model") as target:
        target.write_text(json.dumps(state, indent=1), encoding="utf-8")


__all__ = ["LoadedArrayFit", "from_json", "save"]
