"""Functions and starts as a person types them: matched, flat and back, with sentences where they do not match."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import DataError, ExpressionError, SurefootError
from surefoot.problem.floating import evaluate
from surefoot.problem.grammar import parse_function, to_text
from surefoot.problem.typed import (
    read_bounds,
    read_box,
    read_direction,
    read_start,
    typed_function,
    variables_of,
)
from surefoot.problem.variables import Variables

PLANE = Variables({"x": None, "y": None})
MIXED = Variables({"x": 3, "t": None})


def plain(point):
    return {name: values.tolist() for name, values in point.items()}


@pytest.mark.parametrize(
    ("start", "meant"),
    [
        ("x=-1.2, y=1", {"x": -1.2, "y": 1.0}),
        (" y = 1e-3 ,x=2^-1 ", {"y": 1e-3, "x": 0.5}),
        ("x=-pi/2", {"x": -np.pi / 2}),
        ("x=[1,2,-3]", {"x": [1.0, 2.0, -3.0]}),
        ("x=[1]", {"x": [1.0]}),
        ("x[1]=2, y=3, x[0]=1", {"x": [1.0, 2.0], "y": 3.0}),
        ("`my x`=1", {"my x": 1.0}),
        ("a.b=1", {"a.b": 1.0}),
        ({"x": 1, "y": [2, 3.5]}, {"x": 1.0, "y": [2.0, 3.5]}),
        ({"x": np.float32(0.5), "y": np.arange(2)}, {"x": 0.5, "y": [0.0, 1.0]}),
        ({"x[1]": 2, "x[0]": 1}, {"x": [1.0, 2.0]}),
        ({"my x": True}, {"my x": 1.0}),
    ],
)
def test_starts(start, meant):
    found = read_start(start)
    assert plain(found) == meant
    assert list(found) == list(meant)


@pytest.mark.parametrize(
    ("start", "position", "says"),
    [
        ("x=1, x=2", 5, "gives x twice"),
        ("x[0]=1, x[0]=2", 8, r"gives x\[0\] twice"),
        ("x=[1,2], x[0]=2", 9, "as a whole and by its elements"),
        ("x[0]=2, x=[1,2]", 8, "as a whole and by its elements"),
        ("x[0]=1, x[2]=2", 8, r"not x\[1\]"),
        ("x=-5..5", 0, "one point"),
        ("y=1, x=inf", 5, "not finite"),
        ("y=1, x=1/0", 5, "no finite number"),
        ("x=10^400", 0, "no finite number"),
        ("x=a", 0, "a is none"),
        ("x[0]=[1, 2]", 0, "takes one number"),
        ("x<3", 1, "single ="),
        ("1.2, 3", 0, "Name each value"),
    ],
)
def test_starts_that_cannot_be_used(start, position, says):
    with pytest.raises(ExpressionError, match=says) as caught:
        read_start(start)
    assert caught.value.position == position
    assert caught.value.text == start


@pytest.mark.parametrize(
    ("start", "says"),
    [
        ({}, "empty"),
        ([1, 2], "names its numbers.*type list"),
        (np.zeros(2), "type ndarray"),
        ({0: 1}, "0 is none"),
        ({"x": "1"}, "gives x something that is no number"),
        ({"x": None}, "gives x something"),
        ({"x": 1j}, "gives x something"),
        ({"x": [[1, 2], [3]]}, "gives x something"),
        ({"x": float("nan")}, "a NaN"),
        ({"x": float("inf")}, "not finite"),
        ({"x": []}, "takes a number or a vector"),
        ({"x": np.zeros((2, 2))}, "takes a number or a vector"),
        ({"x": np.zeros((2, 2, 2))}, "takes a number or a vector"),
        ({"x[0]": 1, "x": 2}, "as a whole and by its elements"),
        ({"x[1]": 1}, r"not x\[0\]"),
    ],
)
def test_mappings_that_cannot_be_used(start, says):
    with pytest.raises(DataError, match=says):
        read_start(start)


def test_the_order_of_the_variables_is_that_of_the_start():
    bowl = typed_function("100*(y - x^2)^2 + (1 - x)^2", "x=-1.2, y=1")
    assert bowl.names == ("x", "y")
    assert bowl.start.tolist() == [-1.2, 1.0]
    assert bowl.variables.shaped(np.array([1.0, 2.0])) == {"x": 1.0, "y": 2.0}
    other = typed_function(bowl.node, {"y": 1, "x": -1.2})
    assert other.names == ("y", "x")


def test_vectors_go_to_a_flat_vector_and_back():
    bowl = typed_function("sum((x - 1)^2) + t*x[2] + dot(x, w)", "t=5, x=[1,2,3], w=[0,0,1]")
    assert bowl.names == ("t", "x[0]", "x[1]", "x[2]", "w[0]", "w[1]", "w[2]")
    shaped = bowl.variables.shaped(bowl.start)
    assert shaped["t"] == 5.0 and shaped["x"].tolist() == [1, 2, 3]
    np.testing.assert_array_equal(bowl.variables.flat(shaped), bowl.start)
    with pytest.raises(DataError, match="gives t, x, w"):
        bowl.variables.flat({"t": 1})
    with pytest.raises(DataError, match=r"x has the shape \(3,\)"):
        bowl.variables.flat({"t": 1, "x": [1], "w": [0, 0, 1]})


def test_the_traced_function_is_the_typed_one():
    import jax

    bowl = typed_function("mean((x - y)^2) + norm(x)*prod(1 + x) + max(y, 0)", {"x": [1, 2, 3], "y": 0.5})
    with jax.enable_x64(True):
        found = float(bowl.traceable()(bowl.start))
    x, y = np.array([1, 2, 3.0]), 0.5
    wanted = np.mean((x - y) ** 2) + np.linalg.norm(x) * np.prod(1 + x) + y
    assert found == pytest.approx(wanted, rel=1e-14)
    assert float(evaluate(bowl.node, {"x": x, "y": np.asarray(y)})) == pytest.approx(wanted, rel=1e-14)
    assert parse_function(to_text(bowl.node)) == bowl.node


@pytest.mark.parametrize(
    ("text", "start", "position", "says"),
    [
        ("x^2 + y^2", "x=1", 6, "nothing to y; add y=1"),
        ("x^2 + yy^2", "x=1, y=2", 6, "nothing to yy; did you mean y"),
        ("X^2", "x=1", 0, "nothing to X; did you mean x"),
        ("e^x", "x=1", 0, r"exp\(1\)"),
        ("sum(x[i], i=0..2) + i", "x=[1,2,3]", 20, "nothing to i"),
        ("1 + 2", "x=1", 0, "no variables"),
        ("pi", "x=1", 3 - 3, "does not use it|no variables"),
        ("x + 1 + x[0]", "x=1", 0, "single number"),
        ("2*x^2", "x=[1,2]", 2, r"x is a vector of 2 numbers.*x\[0\] or put it into sum"),
        ("1 + sum(y)", "y=2", 8, "takes whole vectors"),
        ("2 + dot(x, y)", "x=[1,2], y=[1,2,3]", 8, "2 numbers meets one of 3"),
        ("y + x[3]", "y=1, x=[1,2,3]", 4, r"x\[3\] is beyond the end: x has 3 numbers"),
        ("y + sum(x[i+1]-x[i], i=0..2)", "y=1, x=[1,2,3]", 8, r"x\[3\] is beyond"),
        ("y + x[0]", "y=1, x=[1,2,3]", 4, r"gives x\[1\] and 1 more, but the function does not use it"),
    ],
)
def test_texts_that_do_not_match_are_shown_in_the_function(text, start, position, says):
    with pytest.raises(ExpressionError, match=says) as caught:
        typed_function(text, start)
    assert caught.value.text in (text, start)
    assert caught.value.position == position
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("start", "position", "says"),
    [("x=1, z=2, y=1", 5, "gives z a value, but the function does not use it; remove it"),
     ("x=1, y=2, yy=1", 10, "did you mean y")],
)  # fmt: skip
def test_a_start_that_is_not_used_is_shown_in_the_start(start, position, says):
    with pytest.raises(ExpressionError, match=says) as caught:
        typed_function("x^2 + y^2", start)
    assert (caught.value.text, caught.value.position) == (start, position)
    with pytest.raises(DataError, match="does not use it"):
        typed_function("x^2 + y^2", {"x": 1, "y": 2, "z": 3})


def test_pi_is_a_constant_unless_it_has_a_start():
    assert typed_function("pi*x", "x=1").names == ("x",)
    assert typed_function("pi*x", "x=1, pi=3").names == ("x", "pi")


def test_variables_without_a_start():
    assert variables_of("sum(x[i]*y, i=0..4) + pi").sizes == {"x": 5, "y": None}
    assert variables_of("y - x^2").names == ("y", "x")
    with pytest.raises(ExpressionError, match="whole vectors"):
        variables_of("1 + norm(x)")
    with pytest.raises(ExpressionError, match="with an index in one place and without") as caught:
        variables_of("1 + x + x[0]")
    assert caught.value.position == 4


@pytest.mark.parametrize(
    ("direction", "vector"),
    [("x=1, y=-2", [1, -2]), ("y=1", [0, 1]), ({"x": 3}, [3, 0])],
)
def test_directions(direction, vector):
    assert read_direction(direction, PLANE).tolist() == vector


def test_directions_of_vectors():
    assert read_direction("x=[1,2,3]", MIXED).tolist() == [1, 2, 3, 0]
    assert read_direction("x[1]=2, t=4", MIXED).tolist() == [0, 2, 0, 4]


@pytest.mark.parametrize(
    ("direction", "says"),
    [
        ("z=1", "names z, which is no variable"),
        ("x=0, y=0", "points nowhere"),
        ("x=1..2", "finite numbers"),
        ("x=inf", "finite numbers"),
        ("x=[1,2]", "one number"),
        ("x[0]=1", "x is a single number"),
    ],
)
def test_directions_that_cannot_be_used(direction, says):
    with pytest.raises(ExpressionError, match=says):
        read_direction(direction, PLANE)


def test_directions_of_the_wrong_size():
    for direction in ("x=1", "x=[1,2]", "x[3]=1"):
        with pytest.raises(ExpressionError, match=r"vector of 3 numbers|counted from 0"):
            read_direction(direction, MIXED)


@pytest.mark.parametrize(
    "box",
    ["x=-5..5, y=0..3", "y=[0,3], x=[-5,5]", "x = -5 .. 5, y = 1 - 1 .. 6/2", {"x": (-5, 5), "y": [0, 3]},
     {"x": np.array([-5, 5]), "y": (0.0, 3.0)}],
)  # fmt: skip
def test_boxes(box):
    lower, upper = read_box(box, PLANE)
    assert lower.tolist() == [-5, 0] and upper.tolist() == [5, 3]


def test_boxes_of_vectors():
    lower, upper = read_box("t=0..1, x[1]=-pi..pi, x=2..3", MIXED)
    np.testing.assert_allclose(lower, [2, -np.pi, 2, 0])
    np.testing.assert_allclose(upper, [3, np.pi, 3, 1])
    lower, upper = read_box({"x": [(0, 1), (2, 3), (4, 5)], "t": (0, 1)}, MIXED)
    assert lower.tolist() == [0, 2, 4, 0] and upper.tolist() == [1, 3, 5, 1]


@pytest.mark.parametrize(
    ("box", "says"),
    [
        ("x=-5..5", "no interval for y; add y=-1..1"),
        ("x=5..-5, y=0..1", "runs downwards, from 5 to -5"),
        ("x=1..1, y=0..1", "single point"),
        ("x=0..inf, y=0..1", "endless"),
        ("x=3, y=0..1", "takes an interval"),
        ("x=[1,2,3], y=0..1", "takes an interval"),
        ("x=0..1, y=0..1, z=0..1", "names z"),
        ("x[0]=0..1, y=0..1", "single number"),
        ({"x": 3, "y": (0, 1)}, "takes an interval"),
        ({"x": (0, 1), "y": (0, 1), "z": (0, 1)}, "names z"),
        ({"x": (0, float("nan")), "y": (0, 1)}, "NaN"),
    ],
)
def test_boxes_that_cannot_be_used(box, says):
    with pytest.raises((ExpressionError, DataError), match=says):
        read_box(box, PLANE)


def test_bounds_may_be_endless_equal_or_left_out():
    lower, upper = read_bounds("x=0..inf", PLANE)
    assert lower.tolist() == [0, -np.inf] and upper.tolist() == [np.inf, np.inf]
    lower, upper = read_bounds({"x": (-np.inf, 2), "y": (1, 1)}, PLANE)
    assert lower.tolist() == [-np.inf, 1] and upper.tolist() == [2, 1]
    with pytest.raises(ExpressionError, match="downwards"):
        read_bounds("x=2..1", PLANE)


FUNCTIONS = ["x^2 + y^2", "sum(x)", "x[0]*y", "norm(x - y)", "sum(x[i]*y[i], i=0..1)", "x + q", "x[0] + x", "1", "x *"]
STARTS = [
    "x=1",
    "y=2",
    "x=[1,2]",
    "y=[1,2]",
    "x[0]=1",
    "x[1]=2",
    "q=3",
    "x=-1..1",
    "x",
    "x=[1,2,3]",
    "pi=3",
    "x[0]=[1,2]",
]


@given(st.sampled_from(FUNCTIONS), st.lists(st.sampled_from(STARTS), max_size=4).map(", ".join))
def test_any_pair_is_matched_or_refused_in_a_sentence(text, start):
    try:
        found = typed_function(text, start)
    except SurefootError as error:
        assert str(error).splitlines()[0].rstrip(")")[-1] in ".?"
        return
    assert found.start.shape == (len(found.names),)
    for read in (read_direction, read_box, read_bounds):
        try:
            read(start, found.variables)
        except SurefootError as error:
            assert "." in str(error)


ANYTHING = (
    st.none() | st.integers() | st.floats() | st.text(max_size=3) | st.lists(st.floats() | st.integers(), max_size=3)
)


@given(st.dictionaries(st.sampled_from(["x", "y", "x[0]", "x[1]", ""]) | st.integers(), ANYTHING, max_size=3))
def test_any_mapping_is_read_or_refused_in_a_sentence(start):
    for read in (
        read_start,
        lambda m: read_direction(m, PLANE),
        lambda m: read_box(m, PLANE),
        lambda m: read_bounds(m, PLANE),
    ):
        try:
            read(start)
        except SurefootError as error:
            assert "." in str(error)
