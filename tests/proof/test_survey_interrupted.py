"""Ctrl-C at any line of the search: nothing is lost, and going on leads to the same points."""

from __future__ import annotations

import sys
from contextlib import contextmanager

import numpy as np
import pytest

from surefoot.problem.box import Box
from surefoot.proof import global_minimum, search
from surefoot.proof.search import Budget
from surefoot.proof.survey import survey, survey_minimum
from surveyed import CAMEL, graph_of

BOX = Box(np.array([-3.0, -2.0]), np.array([3.0, 2.0]))


@contextmanager
def interrupted(module, functions, after):
    """Raise KeyboardInterrupt when so many lines of some functions have run."""
    left = [after]

    def line(frame, event, _):
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
        return line

    def call(frame, event, _):
        mine = frame.f_code.co_filename == module.__file__ and frame.f_code.co_name in functions
        return line if mine else None

    sys.settrace(call)
    try:
        yield
    finally:
        sys.settrace(None)


@pytest.mark.parametrize("after", [*range(16, 60, 3), 90, 133])
def test_a_search_stopped_at_any_line_goes_on_to_the_same_points(after):
    graph = graph_of(CAMEL, ["x", "y"])
    with interrupted(search, ("search", "add", "take", "all", "_left"), after):
        part = survey(graph, BOX)
    assert not part.complete and "Ctrl-C" in part.reasons[0]
    whole = survey(graph, BOX, before=part.search)
    assert whole.complete and len(whole.points) == 15


@pytest.mark.parametrize("after", [*range(12, 100, 7), 180])
def test_branch_and_bound_stopped_at_any_line_goes_on_to_the_same_minimum(after):
    graph = graph_of(CAMEL, ["x", "y"])
    with interrupted(global_minimum, ("step", "_cut", "_lower"), after):
        part, state = survey_minimum(graph, BOX)
    assert "Ctrl-C" in part.reason
    assert part.values[0] <= -1.0316284534898770 <= part.values[1]
    whole, _ = survey_minimum(graph, BOX, before=state, budget=Budget())
    assert len(whole.points) == 2 and not whole.undecided
    assert whole.values[0] <= -1.0316284534898770 <= whole.values[1] < -1.03162845348987
