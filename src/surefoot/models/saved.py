"""A fitted model as JSON: everything that was learnt, nothing of the rows; of compared roads the table, not the steps.

Numbers are written so that they read back bit for bit; a number that is not there (NaN) is null.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.data.design import design_from_state
from surefoot.errors import DataError
from surefoot.files import whole_file
from surefoot.leastsquares.rank import Alias, Rank
from surefoot.leastsquares.solution import Solution
from surefoot.leastsquares.triangle import Triangle
from surefoot.models.covariance import Covariance
from surefoot.models.look import Look
from surefoot.models.statistics import Statistics
from surefoot.plain_json import filled, matrix_of, numbers, plain
from surefoot.proof.certificate import Certificate

if TYPE_CHECKING:
    from surefoot.models.array_saved import LoadedArrayFit
    from surefoot.models.exact import Proven
    from surefoot.models.fit import FormulaFit
    from surefoot.models.road import Roads

FORMAT = "surefoot-fit-1"
ARRAY_FORMAT = "surefoot-array-fit-1"


def to_json(fit: FormulaFit) -> dict[str, Any]:
    """The readable part (coefficients, statistics, verdict) and the part from which a fit is made again."""
    low, high = fit.interval().T
    coefficients = [
        {
            "name": name, "estimate": fit.coef[k], "stderr": fit.stderr[k], "t": fit.t[k], "p": fit.p[k],
            "lower": low[k], "upper": high[k], "digits": fit.digits[k],
        }
        for k, name in enumerate(fit.names)
    ]  # fmt: skip
    return plain(
        {
            "format": FORMAT,
            "formula": fit.formula,
            "coefficients": coefficients,
            "aliased": fit.aliased,
            "statistics": dataclasses.asdict(fit.statistics),
            "rank": fit.rank,
            "condition": fit.condition,
            "backward_error": fit.backward_error,
            "errors": {"kind": fit.covariance.kind, "df": fit.covariance.df, "detail": fit.covariance.detail},
            "certificate": fit.certificate.to_json(),
            "diagnostics": dataclasses.asdict(fit.look) if fit.look else None,
            "data": dataclasses.asdict(fit.account),
            "method": fit.method,
            "stop": fit.stop,
            "roads": fit.roads.to_json() if fit.roads else None,
            "level": fit.level,
            "exact": fit.exact.state() if fit.exact else None,
            "design": fit.design.state(),
            "model": {
                "triangle": dataclasses.asdict(fit.triangle),
                "coef": fit.solution.coef,
                "spread": fit.solution.spread,
                "effects": fit.solution.effects,
                "residual_length": fit.solution.residual_length,
                "upper": fit.solution.upper,
                "minimum_norm": fit.solution.minimum_norm,
                "refined": fit.solution.refined,
                "rank": dataclasses.asdict(fit.solution.rank),
                "valley": fit.solution.valley,
                "rounds": fit.solution.rounds,
                "covariance": fit.covariance.factor,
                "digits": fit.digits,
            },
        }
    )


def save(fit: FormulaFit, path: str | Path) -> None:
    """Write a model; the file is there whole or not at all."""
    with whole_file(path, "model") as target:
        target.write_text(json.dumps(to_json(fit), indent=1), encoding="utf-8")


def fit_from_state(state: Mapping[str, Any], path: str | Path) -> FormulaFit | LoadedArrayFit | None:
    """The fit that a saved state describes; None if it is of another kind.

    Raises
    ------
    DataError
        The state is damaged; the sentence names the file.
    """
    made = _MADE.get(state.get("format"))
    if made is None:
        return None
    try:
        return made(numbers(state))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise DataError(
            f"{path} is damaged: {type(error).__name__} at {error}. Fit and save the model again."
        ) from None


def _made(state: Mapping[str, Any]) -> FormulaFit:
    from surefoot.models.fit import Account, FormulaFit

    model, rank = state["model"], state["model"]["rank"]
    columns = len(model["coef"])
    aliased = tuple(Alias(one["column"], tuple((j, c) for j, c in one["parts"])) for one in rank["aliased"])
    count = len(rank["kept"])
    solution = Solution(
        np.array(model["coef"], float),
        matrix_of(model["spread"], columns, count),
        np.array(model["effects"], float),
        model["residual_length"],
        matrix_of(model["upper"], count, count),
        Rank(tuple(rank["kept"]), aliased, np.array(rank["singular_values"], float), rank["tolerance"]),
        matrix_of(model["valley"], columns, columns - count),
        model["rounds"],
        model["minimum_norm"],
        model["refined"],
    )
    triangle = model["triangle"]
    design = design_from_state(state["design"])
    width = columns + 1 + (not design.has_intercept)
    factor = np.array(triangle["factor"], float).reshape(-1, width)
    found, errors = state["diagnostics"], state["errors"]
    look = None
    if found is not None:
        arrays = {"quartiles": tuple(found["quartiles"]), "bound": np.array(found["bound"], float)}
        look = Look(**{**filled(found), **arrays})
    account = {**state["data"], "notes": tuple(state["data"]["notes"])}
    proven = state.get("exact")  # a model saved before there was one has none
    return FormulaFit(
        design=design,
        triangle=Triangle(factor, triangle["rows"], triangle["weight"], triangle["log_weight"], triangle["rounds"]),
        solution=solution,
        statistics=Statistics(**filled(state["statistics"])),
        covariance=Covariance(
            errors["kind"], matrix_of(model["covariance"], columns, count), errors["df"], errors["detail"]
        ),
        certificate=Certificate.from_json(state["certificate"]),
        digits=np.array(model["digits"], float),
        look=look,
        account=Account(**account),
        method=state["method"],
        stop=state["stop"],
        level=state["level"],
        exact=None if proven is None else _proven(proven),
        roads=_roads(state.get("roads")),
    )


def _made_of_arrays(state: Mapping[str, Any]) -> LoadedArrayFit:
    from surefoot.models.array_saved import from_json

    return from_json(state)


_MADE: dict[Any, Callable[[Mapping[str, Any]], Any]] = {FORMAT: _made, ARRAY_FORMAT: _made_of_arrays}


def _proven(state: Mapping[str, Any]) -> Proven:
    from surefoot.models.exact import Proven

    return Proven.from_state(dict(state))


def _roads(state: Mapping[str, Any] | None) -> Roads | None:
    if state is None:
        return None
    from surefoot.models.road import Roads

    return Roads.from_json(state)


__all__ = ["fit_from_state", "save", "to_json"]
