"""A result as JSON: everything that was learnt, the trace too, but not the function.

Numbers are written so that they read back bit for bit; a number that is not there (NaN) or not finite is a word.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.descent.stop import Reason, Stop
from surefoot.descent.trace import NAMES, Row, Trace
from surefoot.errors import DataError
from surefoot.files import whole_file
from surefoot.problem.objective import Counts
from surefoot.proof.certificate import Certificate

if TYPE_CHECKING:
    from surefoot.results.result import Result

FORMAT = "surefoot-result-1"


def to_json(result: Result) -> dict[str, Any]:
    """Plain values: the readable part first, then the trace as columns."""
    trace = {name: [getattr(row, name) for row in result.trace.rows] for name in NAMES}
    trace["x"] = [None if row.x is None else row.x.tolist() for row in result.trace.rows]
    return plain(
        {
            "format": FORMAT,
            "title": result.title,
            "names": list(result.names),
            "x": result.flat.tolist(),
            "value": result.value,
            "gradient": result.slope.tolist(),
            "start": result.start.tolist(),
            "stop": {**dataclasses.asdict(result.stop), "reason": result.stop.reason.name},
            "certificate": result.certificate.to_json(),
            "multipliers": dict(result.multipliers),
            "advice": list(result.advice),
            "method": result.method,
            "source": result.source,
            "counts": dataclasses.asdict(result.counts),
            "seconds": result.seconds,
            "proof_seconds": result.proof_seconds,
            "starts": None if result.starts is None else result.starts.to_json(),
            "trace": trace,
        }
    )


def save(result: Result, path: str | Path) -> None:
    """Write it, whole or not at all."""
    with whole_file(path, "result") as neighbour:
        neighbour.write_text(json.dumps(to_json(result), indent=1), encoding="utf-8")


def load_result(path: str | Path) -> Result:
    """The result that was saved.

    Raises
    ------
    DataError
        The file cannot be read, or is no result.
    """
    try:
        state = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None
    except ValueError as error:
        raise DataError(f"{path} is not a result that Surefoot saved, or it is damaged: {error}.") from None
    return result_from_json(state, path)


def result_from_json(state: Mapping[str, Any], path: str | Path) -> Result:
    """The result that ``to_json`` wrote; points come back as mappings from names, or as they are for one array.

    Raises
    ------
    DataError
        The file is damaged.
    """
    from surefoot.results.result import Result
    from surefoot.results.starts import Starts

    try:
        stop = dict(state["stop"])
        stop["reason"] = Reason[stop["reason"]]
        flat, slope = _array(state["x"]), _array(state["gradient"])
        names = tuple(state["names"])
        return Result(
            x=dict(zip(names, flat.tolist(), strict=True)), value=number(state["value"]),
            gradient=dict(zip(names, slope.tolist(), strict=True)),
            stop=Stop(**{key: _read(value) for key, value in stop.items()}),
            certificate=Certificate.from_json(state["certificate"]), trace=_trace(state["trace"]),
            counts=Counts(**state["counts"]), multipliers=dict(state["multipliers"]), advice=tuple(state["advice"]),
            method=state["method"], names=names, flat=flat, slope=slope, start=_array(state["start"]),
            seconds=state["seconds"], proof_seconds=state["proof_seconds"], source=state["source"],
            title=state["title"], starts=None if state["starts"] is None else Starts.from_json(state["starts"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path} is not a result that Surefoot saved, or it is damaged: {error!r}.") from None


def plain(value: Any) -> Any:
    """The same with plain values; numbers that are not finite as words, which JSON has no numbers for."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def number(value: Any) -> float:
    """A number that ``plain`` wrote."""
    return float("nan") if value is None else float(value)


def _read(value: Any) -> Any:
    return float(value) if value in ("nan", "inf", "-inf") else value


def _array(values: list[Any]) -> np.ndarray:
    return np.array([number(value) for value in values], float)


def _trace(columns: Mapping[str, list[Any]]) -> Trace:
    points = [None if x is None else _array(x) for x in columns["x"]]
    cells = [[_read(value) for value in columns[name]] for name in NAMES]
    rows = [
        Row(**dict(zip(NAMES, row, strict=True)), x=x) for row, x in zip(zip(*cells, strict=True), points, strict=True)
    ]
    return Trace(tuple(rows))
