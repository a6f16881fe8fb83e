"""A survey as its reader sees it: every stationary point of a box, what each is, and what is not decided."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.errors import DataError, ModelError
from surefoot.files import whole_file
from surefoot.plain_json import numbers, plain
from surefoot.problem.box import Box
from surefoot.problem.real import Graph
from surefoot.proof.certificate import Verdict
from surefoot.proof.global_minimum import Candidates, Minimising
from surefoot.proof.interval import Interval
from surefoot.proof.lowest import GlobalMinimum, MinimumPoint
from surefoot.proof.search import STOPPED, Search
from surefoot.proof.zeros import Place, StationaryPoint

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

FORMAT = "surefoot-survey-1"


@dataclass(frozen=True)
class Survey:
    """What is proven of a function on a box.

    Attributes
    ----------
    points : tuple of StationaryPoint
        The stationary points, the lowest first: each with ``x``, ``value``, ``verdict``, ``enclosure`` (a box at most
        1e-8 wide that holds it), ``values`` (bounds of f there) and ``place`` (inside, or on the boundary).
    complete : bool
        Proven: there are no others in the box, and all are classified.
    undecided : tuple of Box
        Parts of the box of which nothing is proven: not looked at, or too small to go on.
    reasons : tuple of str
        Why the survey is not complete, in sentences.
    global_minimum : GlobalMinimum
        The lowest value of f in the box, its faces included: ``value``, bounds ``values``, ``points`` where it can be
        taken, and a ``verdict``.
    box : Box
        What was surveyed.
    names : tuple of str
        Of the variables.
    title : str
        The text of the function, or its name.
    examined : int
        Boxes looked at.
    seconds : float
        In all.
    notes : tuple of str
        What the proof takes for granted: library functions taken for the mathematical ones.
    only : str
        ``"minimum"`` if only the global minimum was asked for, else empty.

    Examples
    --------
    >>> import surefoot as sf
    >>> survey = sf.survey("x^4 - x^2", "x=-2..2")
    >>> survey.complete, {verdict.value: count for verdict, count in survey.counts.items()}
    (True, {'strict local minimum': 2, 'local maximum': 1})
    """

    points: tuple[StationaryPoint, ...]
    complete: bool
    undecided: tuple[Box, ...]
    reasons: tuple[str, ...]
    global_minimum: GlobalMinimum
    box: Box
    names: tuple[str, ...]
    title: str
    examined: int
    seconds: float
    notes: tuple[str, ...]
    only: str
    state: Search | Minimising
    fingerprint: str
    graph: Graph | None = None

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many points there are of each class, in the order of `Verdict`."""
        found = [point.verdict for point in self.points]
        return {verdict: found.count(verdict) for verdict in Verdict if verdict in found}

    @property
    def interrupted(self) -> bool:
        """Whether it ended by Ctrl-C."""
        return self.state.stop == STOPPED

    def __str__(self) -> str:
        from surefoot.report.survey import survey_text

        return survey_text(self)

    def plot(self, path: str | Path | None = None) -> Figure:
        """The contour map of two variables, or the graph of one, with every point marked by its class.

        Parameters
        ----------
        path : path, optional
            Write the picture there too: PNG, SVG or PDF by its ending.

        Raises
        ------
        ModelError
            There are more than two variables, or the survey was loaded and does not know the function.
        DataError
            The file cannot be written.
        """
        from surefoot.report.downhill import written
        from surefoot.report.survey import draw_survey
        from surefoot.results.picture import map_of_box

        if self.graph is None:
            raise ModelError("A loaded survey knows its points but not the function; survey it again to draw the map.")
        if len(self.names) > 2:
            raise ModelError(f"A picture needs one or two variables; this function has {len(self.names)}.")
        figure = draw_survey(self, map_of_box(self.graph, self.box))
        return figure if path is None else written(figure, path)

    def to_json(self) -> dict[str, Any]:
        """Plain values: what is proven, and what is needed to go on."""
        return plain(
            {
                "format": FORMAT, "title": self.title, "names": list(self.names), "only": self.only,
                "box": _of_box(self.box), "complete": self.complete,
                "counts": {verdict.name: count for verdict, count in self.counts.items()},
                "points": [_of_point(point) for point in self.points],
                "global_minimum": _of_minimum(self.global_minimum),
                "undecided": [_of_box(box) for box in self.undecided], "reasons": list(self.reasons),
                "notes": list(self.notes), "examined": self.examined, "seconds": self.seconds,
                "fingerprint": self.fingerprint, "state": _of_state(self.state),
            }
        )  # fmt: skip

    def save(self, path: str | Path) -> None:
        """Write it as JSON, for ``sf.load`` and for ``resume``.

        Raises
        ------
        DataError
            The file cannot be written.
        """
        with whole_file(path, "survey") as neighbour:
            neighbour.write_text(json.dumps(self.to_json(), indent=1), encoding="utf-8")


def survey_from_json(state: Mapping[str, Any], path: str | Path) -> Survey:
    """What ``Survey.to_json`` wrote; points come back as vectors.

    Raises
    ------
    DataError
        The file is damaged.
    """
    state = numbers(state)
    try:
        size = len(state["names"])
        only = state["only"]
        read = _minimising if only else _search
        return Survey(
            points=tuple(_point(one) for one in state["points"]), complete=bool(state["complete"]),
            undecided=tuple(_box(one) for one in state["undecided"]), reasons=tuple(state["reasons"]),
            global_minimum=_minimum(state["global_minimum"], size), box=_box(state["box"]),
            names=tuple(state["names"]), title=state["title"], examined=int(state["examined"]),
            seconds=float(state["seconds"]), notes=tuple(state["notes"]), only=only,
            state=read(state["state"], _box(state["box"]), size), fingerprint=state["fingerprint"],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(f"{path} is a damaged survey: {type(error).__name__} {error}.") from None


def fingerprint(graph: Graph) -> str:
    """SHA-256 of a graph, so that a survey is gone on with for the same function only."""
    nodes = [(node.operation, node.operands, node.shape, repr(node.settings)) for node in graph.nodes]
    return hashlib.sha256(repr((graph.names, graph.output, nodes)).encode()).hexdigest()


def shaped(survey: Survey, shape: Any) -> Survey:
    """The same with every point in the shape of the caller's points."""
    minimum = survey.global_minimum
    lowest = tuple(replace(point, x=shape(point.flat)) for point in minimum.points)
    points = tuple(replace(point, x=shape(point.flat)) for point in survey.points)
    return replace(survey, points=points, global_minimum=replace(minimum, points=lowest))


def _of_box(box: Box) -> list[list[float]]:
    return [box.lower.tolist(), box.upper.tolist()]


def _box(state: Any) -> Box:
    return Box(np.array(state[0], float), np.array(state[1], float))


def _of_point(point: StationaryPoint) -> dict[str, Any]:
    return {
        "x": point.flat.tolist(), "value": point.value, "verdict": point.verdict.name, "place": point.place.name,
        "enclosure": _of_box(point.enclosure), "region": _of_box(point.region), "values": list(point.values),
        "falling": point.falling,
    }  # fmt: skip


def _point(state: Mapping[str, Any]) -> StationaryPoint:
    low, high = state["values"]
    return StationaryPoint(
        np.array(state["x"], float), float(state["value"]), Verdict[state["verdict"]], _box(state["enclosure"]),
        _box(state["region"]), (low, high), Place[state["place"]], int(state["falling"]),
    )  # fmt: skip


def _of_minimum(minimum: GlobalMinimum) -> dict[str, Any]:
    points = [
        {"x": point.flat.tolist(), "enclosure": _of_box(point.enclosure), "region": _of_box(point.region),
         "values": list(point.values), "sides": list(point.sides), "stationary": point.stationary}
        for point in minimum.points
    ]  # fmt: skip
    return {
        "value": minimum.value, "values": list(minimum.values), "verdict": minimum.verdict.name,
        "known": minimum.is_known,
        "best": minimum.best.tolist(), "points": points,
        "undecided": [_of_box(box) for box in minimum.undecided], "reason": minimum.reason,
    }  # fmt: skip


def _minimum(state: Mapping[str, Any], size: int) -> GlobalMinimum:
    points = tuple(
        MinimumPoint(np.array(one["x"], float), _box(one["enclosure"]), _box(one["region"]), tuple(one["values"]),
                     tuple(one["sides"]), bool(one["stationary"])) for one in state["points"]
    )  # fmt: skip
    undecided = tuple(_box(one) for one in state["undecided"])
    low, high = state["values"]
    return GlobalMinimum((low, high), np.array(state["best"], float).reshape(size), points, undecided, state["reason"])


def _of_state(state: Search | Minimising) -> dict[str, Any]:
    if isinstance(state, Search):
        named = {name: getattr(state, name) for name in ("waiting", "undecided", "zeros", "regions")}
        rest = {"examined": state.examined, "seconds": state.seconds, "stop": state.stop}
        return {**{name: [boxes.lo.tolist(), boxes.hi.tolist()] for name, boxes in named.items()}, **rest}
    known = state.candidates
    named = {"waiting": state.waiting, "zeros": known.zeros, "regions": known.regions}
    return {
        **{name: [boxes.lo.tolist(), boxes.hi.tolist()] for name, boxes in named.items()},
        "sides": state.sides.tolist(), "bounds": state.bounds.tolist(), "fixed": known.sides.tolist(),
        "top": state.top, "best": state.best.tolist(), "examined": state.examined, "seconds": state.seconds,
        "stop": state.stop,
    }  # fmt: skip


def _search(state: Mapping[str, Any], box: Box, size: int) -> Search:
    waiting, undecided, zeros, regions = (
        _boxes(state[name], size) for name in ("waiting", "undecided", "zeros", "regions")
    )
    return Search(box, waiting, undecided, zeros, regions, int(state["examined"]), float(state["seconds"]),
                  state["stop"])  # fmt: skip


def _minimising(state: Mapping[str, Any], _: Box, size: int) -> Minimising:
    candidates = Candidates(_boxes(state["zeros"], size), _boxes(state["regions"], size), _sides(state["fixed"], size))
    return Minimising(
        _boxes(state["waiting"], size), _sides(state["sides"], size), np.array(state["bounds"], float), candidates,
        float(state["top"]), np.array(state["best"], float).reshape(size), int(state["examined"]),
        float(state["seconds"]), state["stop"],
    )  # fmt: skip


def _boxes(state: Any, size: int) -> Interval:
    return Interval(*(np.array(ends, float).reshape(-1, size) for ends in state))


def _sides(state: Any, size: int) -> np.ndarray:
    return np.array(state, dtype=np.int8).reshape(-1, size)
