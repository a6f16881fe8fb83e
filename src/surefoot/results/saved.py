"""A result as JSON: everything that was learnt, the trace too, but not the function.

Numbers are written so that they read back bit for bit; a number that is not there (NaN) is null.
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
from surefoot.plain_json import numbers, plain
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
            "story": list(result.story),
            "source": result.source,
            "counts": dataclasses.asdict(result.counts),
            "seconds": result.seconds,
            "proof_seconds": result.proof_seconds,
            "compile_seconds": result.compile_seconds,
            "starts": None if result.starts is None else result.starts.to_json(),
            "trace": trace,
        }
    )


def save(result: Result, path: str | Path) -> None:
    """Write it, whole or not at all."""
    with whole_file(path, "result") as neighbour:
        state = to_json(result)
        if result.memory is not None:  # n x n numbers after BFGS, which nobody wants to read
            state["memory"] = plain(result.memory.to_json())
        neighbour.write_text(json.dumps(state, indent=1), encoding="utf-8")


def result_from_json(state: Mapping[str, Any], path: str | Path) -> Result:
    """The result that ``to_json`` wrote; points come back as mappings from names, or as they are for one array.

    Raises
    ------
    DataError
        The file is damaged.
    """
    from surefoot.results.result import Result
    from surefoot.results.starts import Starts

    state = numbers(state)
    try:
        stop = dict(state["stop"])
        stop["reason"] = Reason[stop["reason"]]
        stop |= {word: float(_array([stop[word]])[0]) for word in ("measure", "tolerance")}
        flat, slope = _array(state["x"]), _array(state["gradient"])
        names = tuple(state["names"])
        return Result(
            x=dict(zip(names, flat.tolist(), strict=True)), value=float(_array([state["value"]])[0]),
            gradient=dict(zip(names, slope.tolist(), strict=True)),
            stop=Stop(**stop),
            judged=Certificate.from_json(state["certificate"]), trace=_trace(state["trace"]),
            counts=Counts(**state["counts"]), multipliers=dict(state["multipliers"]), advice=tuple(state["advice"]),
            method=state["method"], story=tuple(state["story"]), names=names, flat=flat, slope=slope,
            start=_array(state["start"]),
            seconds=state["seconds"], proof_seconds=state["proof_seconds"],
            compile_seconds=state.get("compile_seconds", 0.0), source=state["source"],
            title=state["title"], memory=_memory(state.get("memory")),
            starts=None if state["starts"] is None else Starts.from_json(state["starts"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path} is not a result that Surefoot saved, or it is damaged: {error!r}.") from None


def _memory(state: Mapping[str, Any] | None) -> Any:
    from surefoot.descent.memory import Memory

    return None if state is None else Memory.from_json(state)


def _array(values: list[Any]) -> np.ndarray:
    return np.array(values, float)  # null is NaN


def _trace(columns: Mapping[str, list[Any]]) -> Trace:
    points = [None if x is None else _array(x) for x in columns["x"]]
    cells = [[math.nan if value is None else value for value in columns[name]] for name in NAMES]
    rows = [
        Row(**dict(zip(NAMES, row, strict=True)), x=x) for row, x in zip(zip(*cells, strict=True), points, strict=True)
    ]
    return Trace(tuple(rows))
