"""Bounds as people write them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import Bounds

from surefoot.errors import ModelError
from surefoot.problem.box import Box

NAMES = ("x", "w[0]", "w[1]")


@pytest.mark.parametrize(
    "bounds",
    [
        [(0, 1), (None, 2), (-3, None)],
        {"x": (0, 1), "w[0]": (None, 2), "w[1]": (-3, None)},
        Bounds([0, -np.inf, -3], [1, 2, np.inf]),
        Box(np.array([0, -np.inf, -3]), np.array([1, 2, np.inf])),
    ],
)
def test_every_spelling_says_the_same(bounds):
    box = Box.of(bounds, NAMES)
    assert box.lower.tolist() == [0, -np.inf, -3] and box.upper.tolist() == [1, 2, np.inf]


def test_one_pair_is_for_all_and_a_vector_is_bounded_by_its_name():
    assert Box.of((0, 5), NAMES).upper.tolist() == [5, 5, 5]
    assert Box.of({"w": (0, 1)}, NAMES).lower.tolist() == [-np.inf, 0, 0]


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ([(0, 1)], "3 variables and 1 pairs"),
        ([(0, 1), (2, 1), (0, 1)], "bounds of w\\[0\\] cross: 2 is not at most 1"),
        ([(0, 1), (0, float("nan")), (0, 1)], "bounds of w\\[0\\] cross"),
        ({"y": (0, 1)}, "no variable named y"),
        ({"x": 3}, "bounds of x are a pair"),
        ({"x": ("a", 1)}, "bounds of x are a pair"),
        (7, "Bounds are pairs"),
        ([(np.inf, np.inf), (0, 1), (0, 1)], "leave no finite number"),
    ],
)
def test_what_makes_no_box_is_refused_by_name(bounds, words):
    with pytest.raises(ModelError, match=words):
        Box.of(bounds, NAMES)


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(0, 5), st.floats(-30, 30)), min_size=1, max_size=5))
def test_the_nearest_point_is_inside_and_no_other_point_is_nearer(cells):
    lower = np.array([low for low, _, _ in cells])
    box = Box(lower, lower + np.array([width for _, width, _ in cells]))
    x = np.array([x for _, _, x in cells])
    near = box.nearest(x)
    assert box.contains(near)
    assert np.all(np.abs(near - x) <= np.abs(np.clip(x, box.lower, box.upper) - x))
    assert np.array_equal(box.nearest(near), near)
