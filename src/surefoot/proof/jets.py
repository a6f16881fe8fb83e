"""First and second derivatives of a real graph in intervals, over many boxes at once.

The gradient comes from one sweep backward. With ``a_k`` the derivative of the function by node k, and ``J`` the
derivatives of an operand by the variables, from one sweep forward, the Hessian is a sum over the nodes that are not
linear, each with its own second derivatives:

    H  =  sum over nodes k, elements i, operands u, v of   a_ki  (d2 op_k / du dv)_i  J_ui  J_vi'

so that no node stores a Hessian, and what is linear costs nothing. Every factor is an enclosure over the box, hence so
is the sum. A square of a derivative is computed as a square: ``J_ui J_ui'`` has no negative diagonal.

Reference: Griewank & Walther (2008), "Evaluating Derivatives", 2nd ed., SIAM, sections 3.2 and 5.1 (adjoints, second
order); Gower & Mello (2012), "A new framework for the computation of Hessians", Optim. Methods Softw. 27(2), pp.
251-273, eq. (8); Neumaier (1990), "Interval Methods for Systems of Equations", Cambridge, section 2.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.problem.real import Graph
from surefoot.proof.adjoints import adjoints
from surefoot.proof.bending import bends
from surefoot.proof.interval import Array, Interval
from surefoot.proof.plan import Plan, plan_of
from surefoot.proof.replay import State, lacking, read, spread
from surefoot.proof.slopes import slopes_of, tangents


@dataclass(frozen=True)
class Jet:
    """A function and its derivatives over boxes.

    Attributes
    ----------
    value : Interval, shape (boxes,)
    gradient : Interval, shape (boxes, n)
        Where the function is continuous, it encloses its generalised derivatives at kinks too: the mean value theorem
        holds with it.
    hessian : Interval, shape (boxes, n, n)
        Symmetric; said only where ``smooth``. Empty arrays where they were not asked for.
    defined, continuous, smooth : ndarray of bool, shape (boxes,)
        What is proven on all of each box; ``smooth`` is twice continuously differentiable: of the function on the box,
        and, where the box has no width along some side, on a neighbourhood of it. What is smooth on each of the closed
        boxes that cover a set is so on the set: at a kink, both boxes that share it deny it.
    lacking : str
        The first operation that has no enclosure, with where it was written; empty if there is none.
    """

    value: Interval
    gradient: Interval
    hessian: Interval
    defined: Array
    continuous: Array
    smooth: Array
    lacking: str = ""


def second_order(graph: Graph, box: Interval, order: int = 2) -> Jet:
    """Value, gradient and Hessian over boxes.

    Parameters
    ----------
    graph : Graph
        The function of n variables.
    box : Interval, shape (boxes, n)
        Ends may be infinite.
    order : int
        The highest derivative, 0, 1 or 2.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x", "y"))
    >>> graph = build.graph(build.sum(build.power(build.input, 4)))
    >>> jet = second_order(graph, Interval([[1.0, -1.0]], [[2.0, 1.0]]))
    >>> jet.gradient.lo.tolist(), jet.hessian.hi.tolist()
    ([[4.0, -4.0]], [[[48.0, 0.0], [0.0, 12.0]]])
    """
    plan = plan_of(graph)
    boxes, n = box.shape
    states = read(plan.graph, box)
    end = states[plan.graph.output]
    assert isinstance(end.value, Interval)
    nothing = Interval.of(np.zeros((boxes, 0)))
    gradient, hessian = nothing, nothing
    if order >= 1:
        with np.errstate(all="ignore"):
            gradient, hessian = _derivatives(plan, states, boxes, n, order)
    defined = spread(end.defined, boxes)
    value = end.value.each(lambda ends: np.broadcast_to(ends, (boxes,)))
    if (value.is_empty & defined).any():
        value = _known(value)
    return Jet(
        value, _known(gradient), _known(hessian), defined,
        spread(end.continuous, boxes), spread(end.smooth, boxes), "" if defined.all() else lacking(graph),
    )  # fmt: skip


def _known(u: Interval) -> Interval:
    """An empty enclosure where none can be says nothing: all real numbers. A NaN must never pass for 'not zero'."""
    gone = np.isnan(u.lo) | np.isnan(u.hi)
    return Interval(np.where(gone, -np.inf, u.lo), np.where(gone, np.inf, u.hi)) if gone.any() else u


def _derivatives(plan: Plan, states: list[State], boxes: int, n: int, order: int) -> tuple[Interval, Interval]:
    slopes = slopes_of(plan, states)
    back = adjoints(plan, states, slopes)
    gradient = back[0] if back[0] is not None else Interval.of(np.zeros((1, n)))
    gradient = gradient.each(lambda ends: np.broadcast_to(ends, (boxes, n)))
    if order < 2:
        return gradient, Interval.of(np.zeros((boxes, 0)))
    forward = tangents(plan, states, slopes)
    packed = bends(plan, states, back, forward)
    return gradient, packed.each(lambda ends: np.broadcast_to(ends, (boxes, ends.shape[1]))[:, plan.unpacked])
