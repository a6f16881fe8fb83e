"""Functions to survey, as real graphs, and their boxes."""

from __future__ import annotations

import numpy as np

from surefoot.problem.box import Box
from surefoot.problem.from_text import real_graph_of_text
from surefoot.problem.real import Builder, Graph
from surefoot.problem.typed import typed_function
from surefoot.proof.survey import Surveyed, survey

CAMEL = "(4 - 2.1*x^2 + x^4/3)*x^2 + x*y + (-4 + 4*y^2)*y^2"
"""Dixon, Szego (1978), "Towards Global Optimisation 2", North-Holland: the six-hump camel."""


def graph_of(text: str, names: list[str]) -> Graph:
    """Typed text as a real graph of these variables."""
    typed = typed_function(text, dict.fromkeys(names, 0.5))
    return real_graph_of_text(typed.node, typed.names)


def survey_of(text: str, names: list[str], box: list[tuple[float, float]], **wishes) -> Surveyed:
    """The survey of typed text."""
    lower, upper = np.array(box, dtype=float).T
    return survey(graph_of(text, names), Box(lower, upper), **wishes)


def hartmann_6() -> Graph:
    """Dixon, Szego (1978): minus the sum of four bumps in six variables."""
    steep = np.array([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8],
                      [17, 8, 0.05, 10, 0.1, 14]])  # fmt: skip
    middle = 1e-4 * np.array([[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
                              [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]])  # fmt: skip
    build = Builder(tuple(f"x[{k}]" for k in range(6)))
    apart = build.sub(build.broadcast(build.input, (4, 6), (1,)), build.constant(middle))
    sums = build.reduce("sum", build.mul(build.constant(steep), build.power(apart, 2)), (1,))
    bumps = build.mul(build.constant([1.0, 1.2, 3.0, 3.2]), build.unary("exp", build.unary("neg", sums)))
    return build.graph(build.unary("neg", build.sum(bumps)))
