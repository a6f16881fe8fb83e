"""Points in every shape, flat and back."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import ModelError
from surefoot.problem.points import Points

Pair = namedtuple("Pair", "a b")

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
ARRAYS = st.lists(NUMBERS, min_size=1, max_size=4).map(lambda one: np.array(one, dtype=float)) | NUMBERS
TREES = st.recursive(
    ARRAYS,
    lambda inner: (
        st.dictionaries(st.sampled_from("zyxabc"), inner, min_size=1, max_size=3)
        | st.tuples(inner, inner).map(lambda pair: Pair(*pair))
    ),
    max_leaves=5,
)


def same(one, other):
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        return type(one) is type(other) and all(map(same, one, other))
    return np.shape(one) == np.shape(other) and np.array_equal(one, other)


@given(TREES)
def test_there_and_back(tree):
    points = Points(tree)
    assert len(points.names) == points.size == len(points.start) and len(set(points.names)) == points.size
    back = points.shaped(points.start)
    assert same(back, tree)
    assert np.array_equal(points.flat(back), points.start)


@pytest.mark.parametrize(
    ("example", "names", "shaped"),
    [
        (3, ("x",), 3.0), (np.float32(0.5), ("x",), 0.5), (np.array(2), ("x",), 2.0), (Decimal("0.5"), ("x",), 0.5),
        ([1, 2], ("x[0]", "x[1]"), np.array([1.0, 2.0])), ((1, 2.5), ("x[0]", "x[1]"), np.array([1.0, 2.5])),
        ([[1, 2]], ("x[0,0]", "x[0,1]"), np.array([[1.0, 2.0]])),
        (np.array([Fraction(1, 4)]), ("x[0]",), np.array([0.25])),
        ({"y": 1, "x": 2}, ("y", "x"), {"y": 1.0, "x": 2.0}),
        (MappingProxyType({"y": 1, "x": 2}), ("y", "x"), {"y": 1.0, "x": 2.0}),
        (OrderedDict(y=1, x=2), ("y", "x"), OrderedDict(y=1.0, x=2.0)),
        ({"w": {"b": 1, "a": [1, 2]}, "c": 3}, ("w.b", "w.a[0]", "w.a[1]", "c"),
         {"w": {"b": 1.0, "a": np.array([1.0, 2.0])}, "c": 3.0}),
        (Pair(1, np.ones(1)), ("a", "b[0]"), Pair(1.0, np.ones(1))),
        ((np.zeros(1), {"k": 2}), ("x[0][0]", "x[1].k"), (np.zeros(1), {"k": 2.0})),
        ({1: 2.0, 0: 3.0}, ("1", "0"), {1: 2.0, 0: 3.0}),
        ((1, (2, np.ones(1))), ("x[0]", "x[1][0]", "x[1][1][0]"), (1.0, (2.0, np.ones(1)))),
    ],
)  # fmt: skip
def test_shapes_and_names(example, names, shaped):
    points = Points(example)
    assert points.names == names
    back = points.shaped(points.start)
    assert type(back) is type(shaped) and same(back, shaped)
    assert points.start.dtype == np.float64


def test_nothing_is_shared():
    start = np.array([1.0, 2.0])
    points = Points(start)
    x = points.start.copy()
    points.shaped(x)[0] = 9.0
    assert x[0] == 1.0 and start[0] == 1.0
    points.start[1] = 7.0
    assert start[1] == 2.0


def test_equal_shapes_have_equal_keys():
    assert Points({"a": 1, "b": [1, 2]}).shape == Points({"a": 5.0, "b": [3, 4.0]}).shape
    assert Points({"a": 1, "b": 2}).shape != Points({"b": 1, "a": 2}).shape
    assert Points([1, 2]).shape != Points([1, 2, 3]).shape


@pytest.mark.parametrize(
    ("example", "message"),
    [
        (None, "x is NoneType None"), ("abc", "x is str 'abc'"), (1j, "x is complex numbers"), (True, "x is bool True"),
        ({"a": "text"}, "a is str 'text'"), ({"a": [1, "b"]}, "is str 'b'"), ([], "holds no variables"),
        ({}, "holds no variables"), (np.zeros((0, 3)), "holds no variables"), (np.nan, r"x = nan"),
        ({"a": [1.0, np.inf]}, r"a\[1\] = inf"), (object(), "x is object"), (range, "x is type"),
    ],
)  # fmt: skip
def test_what_is_no_point_is_refused(example, message):
    with pytest.raises(ModelError, match=message):
        Points(example)


@pytest.mark.parametrize(
    ("point", "message"),
    [({"a": 1.0}, "built like"), ({"a": 1.0, "b": [1, 2, 3]}, r"b has shape \(3,\), but shape \(2,\)"),
     ({"a": "x", "b": [1, 2]}, "is str"), (None, "built like")],
)  # fmt: skip
def test_a_point_of_another_shape_is_refused(point, message):
    with pytest.raises(ModelError, match=message):
        Points({"a": 1, "b": [1, 2]}).flat(point)


def test_plain_points_do_not_import_jax(tmp_path):
    import subprocess
    import sys

    code = "import sys, numpy; from surefoot.problem.points import Points; Points([1, 2]).shaped(numpy.ones(2))\n"
    subprocess.run([sys.executable, "-c", code + "assert 'jax' not in sys.modules"], check=True)
