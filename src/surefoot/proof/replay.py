"""Reads a real graph in intervals, over many boxes at once: what its values are, and whether it is defined there.

    value of a node over a box  =  its operation over the values of its operands      (one loop over the nodes)

What no enclosure can say by itself is carried beside it, element by element: whether the function is *defined* on all
of the box, *continuous* and *smooth* (twice continuously differentiable). A ``where`` whose condition is decided is its
branch; undecided, it is the hull of both, defined where both are, and neither continuous nor smooth.

Continuous and smooth are said of the function on the box. On a box that has no width along some side, they are said of
a neighbourhood of it: ``where(x >= 0, x, -x)`` at the point 0 is decided, and yet has no derivative there.

Reference: Moore, Kearfott & Cloud (2009), "Introduction to Interval Analysis", SIAM, section 5.4 (the fundamental
theorem: a composition of enclosures is one); IEEE 1788-2015, section 11.5 (decorations).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from surefoot.errors import SurefootError
from surefoot.problem.real import Graph
from surefoot.proof.elementwise import Known
from surefoot.proof.interval import Array, Interval, Truth
from surefoot.proof.replay_rules import State, constant_state, is_known, state_of
from surefoot.proof.rounding import rounds_to_nearest

__all__ = ["Enclosed", "State", "enclose", "enclose_nodes", "lacking", "read", "spread"]


@dataclass(frozen=True)
class Enclosed:
    """A function over boxes.

    Attributes
    ----------
    value : Interval, shape (boxes,)
        Encloses its values wherever it is defined.
    defined, continuous : ndarray of bool, shape (boxes,)
        Whether it is proven to be so on all of each box.
    lacking : str
        The first operation that has no enclosure, with where it was written; empty if there is none.
    """

    value: Interval
    defined: Array
    continuous: Array
    lacking: str = ""


def enclose(graph: Graph, box: Interval) -> Enclosed:
    """The values of a function over boxes.

    Parameters
    ----------
    graph : Graph
        The function of n variables.
    box : Interval, shape (boxes, n)
        Ends may be infinite.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x",))
    >>> graph = build.graph(build.sum(build.unary("log", build.input)))
    >>> found = enclose(graph, Interval([[-1.0], [1.0]], [[2.0], [2.0]]))
    >>> found.value.lo.tolist(), found.defined.tolist()
    ([-inf, 0.0], [False, True])
    """
    state = read(graph, box)[graph.output]
    boxes = box.shape[0]
    value = state.value
    assert isinstance(value, Interval)
    defined = spread(state.defined, boxes)
    gone = np.isnan(value.lo) & defined  # nothing known, where something has to be
    value = Interval(np.where(gone, -np.inf, value.lo), np.where(gone, np.inf, value.hi))
    return Enclosed(
        value.each(lambda ends: np.broadcast_to(ends, (boxes,))), defined, spread(state.continuous, boxes),
        "" if defined.all() else lacking(graph),
    )  # fmt: skip


def enclose_nodes(graph: Graph, box: Interval) -> list[Interval | Truth]:
    """The value of every node over one box.

    Parameters
    ----------
    graph : Graph
        The function of n variables.
    box : Interval, shape (n,)
        Ends may be infinite.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x",))
    >>> graph = build.graph(build.sum(build.unary("exp", build.input)))
    >>> [value.lo.tolist() for value in enclose_nodes(graph, Interval.entire((1,)))]
    [[-inf], [0.0], 0.0]
    """
    return [state.value.each(lambda ends: ends[0]) for state in read(graph, box[None])]


def lacking(graph: Graph) -> str:
    """The first operation without an enclosure, and where it was written; empty if there is none."""
    for _, node in graph:
        if not is_known(node):
            name = node["name"] if node.operation == "unknown" else node.operation
            return f"{name} ({node.source})" if node.source else str(name)
    return ""


def spread(known: Known, boxes: int) -> Array:
    """A property of a number, as one truth value for each box."""
    return np.broadcast_to(np.asarray(known, dtype=bool), (boxes,))


def _as_wide(state: State) -> State:
    """With a value for each box where what holds differs between boxes: of what is not known there is one value."""
    known = (state.defined, state.continuous, state.smooth)
    boxes = max((np.shape(one)[0] for one in known if np.ndim(one)), default=1)
    if boxes <= state.value.shape[0]:
        return state
    return replace(state, value=state.value.each(lambda ends: np.broadcast_to(ends, (boxes, *ends.shape[1:]))))


def read(graph: Graph, box: Interval) -> list[State]:
    """The state of every node over boxes of shape (boxes, n).

    Raises
    ------
    SurefootError
        The processor is in a mode in which no bound holds.
    """
    if not rounds_to_nearest():
        raise SurefootError(
            "Nothing can be proven in this thread: it does not round to nearest, or takes small numbers for 0. Some "
            "library changed that when it was loaded; try it in a new process without that library."
        )
    # A side without width: what is decided there says nothing of what is beside it.
    thick = np.all(box.lo < box.hi, axis=1)
    states: list[State] = []
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            if node.operation == "input":
                states.append(State(box))
            elif node.operation == "constant":
                states.append(constant_state(graph.constants[node["digest"]]))
            else:
                operands = [states[k] for k in node.operands]
                state = _as_wide(state_of(graph, node, operands, thick))
                fixed = node.operation != "unknown" and all(operand.fixed for operand in operands)
                states.append(replace(state, fixed=True) if fixed else state)
    return states
