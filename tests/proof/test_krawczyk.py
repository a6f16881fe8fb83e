"""Krawczyk's operator against roots that are known exactly, and what it must not prove."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.proof.interval import Interval
from surefoot.proof.jets import second_order
from surefoot.proof.krawczyk import contract, tightened, zeros_near
from surefoot.proof.looking import inflated, look, look_within
from surveyed import CAMEL, graph_of


def of(text, *names):
    return partial(second_order, graph_of(text, list(names)))


def boxes(*pairs):
    return Interval(*np.array(pairs, dtype=float).transpose(1, 0, 2))


@settings(max_examples=60, deadline=None)
@given(st.floats(-2, 2), st.floats(0.05, 3), st.floats(-3, 3), st.floats(0.01, 2))
def test_of_a_quadratic_every_box_is_decided_rightly(root, curve, low, width):
    """f = c (x - r)^2 / 2: the zero is the double r."""
    derivatives = of(f"{curve!r}*(x - ({root!r}))^2/2", "x")
    box = boxes(([low], [low + width]))
    found = contract(look(derivatives, box), box)
    if found.none[0]:
        assert not low <= root <= low + width
    if found.one[0]:
        assert found.zero.lo[0, 0] <= root <= found.zero.hi[0, 0]
        assert found.region.lo[0, 0] < root < found.region.hi[0, 0]
    assert found.one[0] or found.none[0]  # a quadratic leaves no doubt
    if low <= root <= low + width:
        assert found.box.lo[0, 0] <= root <= found.box.hi[0, 0]


@pytest.mark.parametrize("text", ["x^4", "x^3", "x^4/4 - x^2/2", "0*x + x^2*0", "sin(x)"])
def test_several_zeros_or_a_multiple_one_are_never_proven_to_be_one(text):
    box = boxes(([-1.6], [1.7]))
    assert not contract(look(of(text, "x"), box), box).one[0]


def test_a_kink_inside_is_never_proven_smooth():
    box = boxes(([-0.1], [0.1]), ([0.0], [0.1]), ([0.05], [0.1]))
    found = contract(look(of("abs(x) + x^2", "x"), box), box)
    assert found.none.tolist() == [False, False, True] and not found.one.any()


def test_outside_of_where_f_is_defined_nothing_is_proven():
    box = boxes(([-0.5], [0.5]))
    found = contract(look(of("log(x) - x", "x"), box), box)
    assert not found.one[0] and not found.none[0]
    assert found.box.lo[0, 0] == -0.5 and found.box.hi[0, 0] == 0.5


def test_a_domain_is_not_left():
    derivatives, domain = of("x*sqrt(x) - x", "x"), Interval([0.0], [4.0])
    box = boxes(([0.0], [0.01]))
    seen = look_within(derivatives, box, domain)
    assert seen.region.lo[0, 0] == 0.0


def test_variables_that_do_not_vary_keep_their_values():
    derivatives = of("(x - y)^2 + y", "x", "y")
    box, free = boxes(([0.0, 1.0], [3.0, 1.0])), np.array([[True, False]])
    found = contract(look(derivatives, box, free=free), box, free)
    assert found.one[0]
    assert found.zero.lo[0, 1] == found.zero.hi[0, 1] == 1.0
    assert found.zero.lo[0, 0] <= 1.0 <= found.zero.hi[0, 0]


def test_enclosures_are_tightened_to_rounding():
    derivatives = of("exp(x) - 2*x", "x")
    box = boxes(([0.5], [0.9]))
    found = contract(look(derivatives, box), box)
    assert found.one[0]
    tight = tightened(derivatives, found.zero)
    assert tight.hi[0, 0] - tight.lo[0, 0] < 1e-15
    assert tight.lo[0, 0] <= np.log(2) <= tight.hi[0, 0]


def test_zeros_near_guesses_are_proven_and_far_guesses_are_not_believed():
    found = zeros_near(of(CAMEL, "x", "y"), np.array([[0.1, -0.7], [1.7, -0.8], [np.inf, 0.0][:0] or [0.0, 0.0]]))
    assert found.one.all()
    assert np.all(found.zero.hi - found.zero.lo < 1e-14)
    assert not zeros_near(of("exp(x)", "x"), np.array([[0.0]])).one.any()
    assert not zeros_near(of("x^4", "x"), np.array([[0.3]])).one.any()


def test_a_larger_box_holds_the_box_also_where_it_has_no_width():
    box = boxes(([1.0, -2.0], [1.0, 3.0]))
    larger = inflated(box)
    assert np.all(larger.lo < box.lo) and np.all(larger.hi > box.hi)
    kept = inflated(box, free=np.array([[False, True]]))
    assert kept.lo[0, 0] == kept.hi[0, 0] == 1.0
