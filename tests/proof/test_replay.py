"""What the replay claims beside values: defined, continuous, smooth, decided; and what it admits not to know."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from surefoot.problem.real import Builder, Graph
from surefoot.proof.interval import Interval, Truth
from surefoot.proof.jets import second_order
from surefoot.proof.replay import enclose, enclose_nodes

INF = np.inf


def function(form: object, names: tuple[str, ...] = ("x",)) -> Graph:
    """A graph of numbers: ``form`` gets the builder and the variables."""
    build = Builder(names)
    variables = [build.reshape(build.slice(build.input, (k,), (k + 1,)), ()) for k in range(len(names))]
    return build.graph(form(build, *variables))  # type: ignore[operator]


def on(graph: Graph, *ends: tuple[float, float]) -> tuple[Interval, bool, bool, bool]:
    box = Interval([[low for low, _ in ends]], [[high for _, high in ends]])
    found, jet = enclose(graph, box), second_order(graph, box)
    assert bool(found.defined[0]) == bool(jet.defined[0]) and bool(found.continuous[0]) == bool(jet.continuous[0])
    assert np.array_equal(found.value.lo, jet.value.lo, equal_nan=True)
    return found.value[0], bool(found.defined[0]), bool(found.continuous[0]), bool(jet.smooth[0])


@pytest.mark.parametrize(
    ("name", "ends", "claims"),
    [
        ("log", (-1.0, 2.0), (False, False, False)),
        ("log", (0.0, 2.0), (False, False, False)),
        ("log", (5e-324, 2.0), (True, True, True)),
        ("log1p", (-1.0, 2.0), (False, False, False)),
        ("log1p", (-0.5, 2.0), (True, True, True)),
        ("abs", (-1.0, 2.0), (True, True, False)),
        ("abs", (0.0, 2.0), (True, True, False)),
        ("abs", (-2.0, 0.0), (True, True, False)),
        ("abs", (0.5, 2.0), (True, True, True)),
        ("cbrt", (-1.0, 2.0), (True, True, False)),
        ("cbrt", (1.0, 2.0), (True, True, True)),
        ("arcsin", (-1.0, 1.0), (True, True, False)),
        ("arcsin", (-0.5, 0.5), (True, True, True)),
        ("arcsin", (0.5, 1.5), (False, False, False)),
        ("arccos", (-1.0, 0.0), (True, True, False)),
        ("arccosh", (1.0, 2.0), (True, True, False)),
        ("arccosh", (1.5, 2.0), (True, True, True)),
        ("arccosh", (0.5, 2.0), (False, False, False)),
        ("arctanh", (-0.5, 0.5), (True, True, True)),
        ("arctanh", (-0.5, 1.0), (False, False, False)),
        ("tan", (-1.0, 1.0), (True, True, True)),
        ("tan", (1.0, 2.0), (False, False, False)),
        ("floor", (0.25, 0.75), (True, True, True)),
        ("floor", (0.0, 0.75), (True, False, False)),
        ("floor", (0.5, 1.0), (True, False, False)),
        ("ceil", (0.5, 1.0), (True, False, False)),
        ("ceil", (0.5, 0.75), (True, True, True)),
        ("round", (0.5, 0.75), (True, False, False)),
        ("round", (0.6, 1.4), (True, True, True)),
        ("sign", (0.0, 1.0), (True, False, False)),
        ("sign", (0.0, 0.0), (True, False, False)),
        ("sign", (0.1, 1.0), (True, True, True)),
        ("lgamma", (-0.5, 1.0), (False, False, False)),
        ("lgamma", (0.0, 1.0), (False, False, False)),
        ("lgamma", (-0.75, -0.25), (True, True, True)),
        ("lgamma", (-1.0, -0.25), (False, False, False)),
        ("digamma", (0.5, 1.0), (True, True, True)),
        ("softplus", (-INF, INF), (True, True, True)),
        ("exp", (-INF, INF), (True, True, True)),
    ],
)
def test_where_functions_are_defined_and_smooth(
    name: str, ends: tuple[float, float], claims: tuple[bool, bool, bool]
) -> None:
    assert on(function(lambda build, x: build.unary(name, x)), ends)[1:] == claims


@pytest.mark.parametrize(
    ("exponent", "ends", "claims"),
    [
        ("1/2", (0.0, 1.0), (True, True, False)),
        ("1/2", (-1.0, 1.0), (False, False, False)),
        ("1/2", (0.1, 1.0), (True, True, True)),
        ("3/2", (0.0, 1.0), (True, True, False)),
        ("2", (-1.0, 1.0), (True, True, True)),
        ("0", (-1.0, 1.0), (True, True, True)),
        ("5/2", (0.0, 1.0), (True, True, True)),
        ("5/2", (-1.0, 1.0), (False, False, False)),
        ("-1", (-1.0, 1.0), (False, False, False)),
        ("-1", (0.0, 1.0), (False, False, False)),
        ("-1", (-2.0, -1.0), (True, True, True)),
        ("-2", (0.0, 1.0), (False, False, False)),
        ("-1/2", (0.0, 1.0), (False, False, False)),
    ],
)
def test_where_powers_are_defined_and_smooth(
    exponent: str, ends: tuple[float, float], claims: tuple[bool, bool, bool]
) -> None:
    assert on(function(lambda build, x: build.power(x, Fraction(exponent))), ends)[1:] == claims


@pytest.mark.parametrize(
    ("name", "x", "y", "claims"),
    [
        ("div", (1.0, 2.0), (-1.0, 1.0), (False, False, False)),
        ("div", (1.0, 2.0), (0.0, 1.0), (False, False, False)),
        ("div", (1.0, 2.0), (-2.0, -1.0), (True, True, True)),
        ("maximum", (0.0, 1.0), (0.5, 2.0), (True, True, False)),
        ("maximum", (0.0, 1.0), (1.0, 2.0), (True, True, False)),
        ("maximum", (0.0, 1.0), (1.5, 2.0), (True, True, True)),
        ("minimum", (0.0, 1.0), (1.5, 2.0), (True, True, True)),
        ("minimum", (0.0, 1.0), (-1.0, 0.0), (True, True, False)),
        ("hypot", (-1.0, 1.0), (-1.0, 1.0), (True, True, False)),
        ("hypot", (-1.0, 1.0), (0.5, 1.0), (True, True, True)),
        ("arctan2", (-1.0, 1.0), (-1.0, 1.0), (False, False, False)),
        ("arctan2", (-1.0, 1.0), (-1.0, -0.5), (True, False, False)),
        ("arctan2", (0.0, 1.0), (-1.0, -0.5), (True, False, False)),
        ("arctan2", (-1.0, 1.0), (0.5, 1.0), (True, True, True)),
        ("arctan2", (0.5, 1.0), (-1.0, 1.0), (True, True, True)),
        ("pow", (0.0, 1.0), (0.5, 1.0), (True, True, False)),
        ("pow", (0.0, 1.0), (0.0, 1.0), (False, False, False)),
        ("pow", (-1.0, 1.0), (2.0, 2.0), (False, False, False)),
        ("pow", (0.5, 1.0), (-1.0, 1.0), (True, True, True)),
    ],
)
def test_where_functions_of_two_are_defined_and_smooth(name, x, y, claims) -> None:  # type: ignore[no-untyped-def]
    graph = function(lambda build, u, v: build.binary(name, u, v), ("x", "y"))
    assert on(graph, x, y)[1:] == claims


def test_a_constant_whole_exponent_takes_negative_bases() -> None:
    build = Builder(("a", "b", "c"))
    powers = build.binary("pow", build.input, build.constant([0.0, 2.0, 3.0]))
    graph = build.graph(build.sum(powers))
    value, *claims = on(graph, (-2.0, 1.0), (-2.0, 1.0), (-2.0, 1.0))
    assert claims == [True, True, True]
    assert (value.lo, value.hi) == (1.0 + 0.0 - 8.0, 1.0 + 4.0 + 1.0)
    jet = second_order(graph, Interval.of([[-2.0, -3.0, -1.0]]))
    assert jet.gradient.lo.tolist() == [[0.0, -6.0, 3.0]]
    assert np.diag(jet.hessian.lo[0]).tolist() == [0.0, 2.0, -6.0]


def test_constant_exponents_may_be_whole_or_not() -> None:
    build = Builder(("a", "b"))
    graph = build.graph(build.sum(build.binary("pow", build.input, build.constant([2.0, 0.5]))))
    value, *claims = on(graph, (-2.0, 1.0), (0.25, 4.0))
    assert claims == [True, True, True] and (value.lo, value.hi) == (0.5, 6.0)
    jet = second_order(graph, Interval([[-2.0, 0.25]], [[1.0, 4.0]]))
    assert jet.gradient.lo.tolist() == [[-4.0, 0.25]] and jet.gradient.hi.tolist() == [[2.0, 1.0]]
    assert np.diag(jet.hessian.lo[0]).tolist() == [2.0, -2.0]
    assert np.diag(jet.hessian.hi[0]).tolist() == [2.0, -0.03125]
    assert on(graph, (-2.0, 1.0), (-0.25, 4.0))[1:] == (False, False, False)


def piecewise(operation: str, a: str, b: str, at: float = 0.0) -> Graph:
    """``where(x ? at, a, b)`` of named pieces."""

    def form(build: Builder, x: int) -> int:
        pieces = {
            "x": x, "-x": build.unary("neg", x), "log": build.unary("log", x), "square": build.power(x, 2),
            "unknown": build.unknown("bessel", (x,), ()), "root": build.power(x, Fraction(1, 2)),
            "2": build.constant(2.0), "1": build.constant(1.0),
        }  # fmt: skip
        return build.where(build.condition(operation, x, build.constant(at)), pieces[a], pieces[b])

    return function(form)


def test_a_decided_choice_is_its_branch_and_an_undecided_one_is_both() -> None:
    graph = piecewise("lt", "1", "x")
    value, *claims = on(graph, (-1.0, 2.0))  # where(x < 0, 1, x) on [-1, 2] is [0, 2]; that of x alone is kept
    assert value.lo <= 0.0 and value.hi == 2.0 and claims == [True, False, False]
    value, *claims = on(graph, (0.0, 2.0))
    assert (value.lo, value.hi) == (0.0, 2.0) and claims == [True, True, True]
    value, *claims = on(graph, (-1.0, -0.5))
    assert (value.lo, value.hi) == (1.0, 1.0) and claims == [True, True, True]


def test_only_the_chosen_branch_has_to_be_defined() -> None:
    graph = piecewise("lt", "square", "log")
    assert on(graph, (-2.0, -1.0))[1:] == (True, True, True)
    assert on(graph, (1.0, 2.0))[1:] == (True, True, True)
    assert on(graph, (-1.0, 1.0))[1:] == (False, False, False)
    jet = second_order(graph, Interval([[-2.0]], [[-1.0]]))
    assert (jet.gradient.lo[0, 0], jet.gradient.hi[0, 0]) == (-4.0, -2.0)
    assert (jet.hessian.lo[0, 0, 0], jet.hessian.hi[0, 0, 0]) == (2.0, 2.0)


def test_at_a_point_where_branches_meet_there_is_no_derivative() -> None:
    for operation in ("le", "lt", "eq"):
        graph = piecewise(operation, "-x", "x")
        value, *claims = on(graph, (0.0, 0.0))
        assert (value.lo, value.hi) == (0.0, 0.0) and claims == [True, False, False]
    assert on(piecewise("le", "-x", "x"), (1.0, 1.0))[1:] == (True, True, True)
    assert on(piecewise("le", "-x", "x"), (-1.0, 0.0))[1:] == (True, True, True)
    assert on(piecewise("lt", "-x", "x"), (-1.0, 0.0))[1:] == (True, False, False)


def test_conditions_of_constants_are_decided_everywhere() -> None:
    build = Builder(("x", "y"))
    mask = build.condition("lt", build.constant([0.0, 1.0]), build.constant([1.0, 1.0]))
    graph = build.graph(build.sum(build.where(mask, build.input, build.unary("log", build.input))))
    assert on(graph, (-3.0, -3.0), (2.0, 2.0))[1:] == (True, True, True)


def test_a_condition_on_a_function_that_jumps_says_nothing_of_what_is_beside() -> None:
    def form(build: Builder, x: int) -> int:
        below = build.condition("lt", build.unary("floor", x), build.constant(-0.5))
        return build.where(below, build.constant(1.0), build.constant(2.0))

    value, *claims = on(function(form), (0.0, 0.0))
    assert (value.lo, value.hi) == (2.0, 2.0) and claims == [True, False, False]


def test_what_compares_with_itself_is_decided() -> None:
    def form(build: Builder, x: int, operation: str) -> int:
        return build.where(build.condition(operation, x, x), build.constant(1.0), build.constant(2.0))

    for operation, value in (("le", 1.0), ("eq", 1.0), ("lt", 2.0), ("ne", 2.0)):
        found = on(function(lambda build, x, operation=operation: form(build, x, operation)), (-1.0, 1.0))
        assert (found[0].lo, found[0].hi) == (value, value) and found[3]


def test_truths_compared_are_left_open() -> None:
    def form(build: Builder, x: int) -> int:
        positive = build.condition("lt", build.constant(0.0), x)
        same = build.condition("eq", positive, build.condition("lt", build.constant(1.0), x))
        return build.where(same, build.constant(1.0), build.constant(2.0))

    value, *claims = on(function(form), (3.0, 4.0))
    assert (value.lo, value.hi) == (1.0, 2.0) and claims == [True, False, False]


def test_what_is_not_known_has_its_name_and_place() -> None:
    build = Builder(("x",))
    build.source = "model.py:12"
    x = build.sum(build.input)
    graph = build.graph(build.add(x, build.unknown("bessel_jn", (x,), ())))
    found = enclose(graph, Interval([[0.0]], [[1.0]]))
    assert found.lacking == "bessel_jn (model.py:12)" and not found.defined[0]
    assert (found.value.lo[0], found.value.hi[0]) == (-INF, INF)
    jet = second_order(graph, Interval([[0.0]], [[1.0]]))
    assert jet.lacking == found.lacking and not jet.smooth[0]
    assert (jet.gradient.lo[0, 0], jet.gradient.hi[0, 0]) == (-INF, INF)


def test_what_is_not_known_does_no_harm_where_it_is_not_chosen() -> None:
    graph = piecewise("lt", "unknown", "square")
    assert on(graph, (1.0, 2.0))[1:] == (True, True, True)
    assert on(graph, (-2.0, -1.0))[1:] == (False, False, False)
    box = Interval([[1.0], [-2.0]], [[2.0], [-1.0]])
    assert enclose(graph, box).lacking == "bessel" and enclose(graph, box[:1]).lacking == ""


def test_an_exponent_too_large_is_admitted() -> None:
    graph = function(lambda build, x: build.power(x, 2**40))
    assert enclose(graph, Interval([[0.5]], [[0.6]])).lacking == "power"


def test_a_constant_that_is_no_number_is_not_defined() -> None:
    build = Builder(("x",))
    graph = build.graph(build.sum(build.mul(build.input, build.constant([np.nan]))))
    found = enclose(graph, Interval([[0.0]], [[1.0]]))
    assert not found.defined[0]
    infinite = build.graph(build.sum(build.add(build.input, build.constant([np.inf]))))
    assert not enclose(infinite, Interval([[0.0]], [[1.0]])).defined[0]


def test_padded_truths_are_false() -> None:
    build = Builder(("x",))
    condition = build.condition("lt", build.input, build.constant([0.0]))
    padded = build.pad(condition, ((1, 1, 0),))
    graph = build.graph(
        build.sum(build.where(padded, build.constant([1.0, 2.0, 4.0]), build.constant([10.0, 20.0, 40.0])))
    )
    assert float(on(graph, (-2.0, -1.0))[0].lo) == 52.0
    values = enclose_nodes(graph, Interval([-2.0], [-1.0]))
    truth = next(value for value in values if isinstance(value, Truth) and value.shape == (3,))
    assert truth.surely.tolist() == [False, True, False] and truth.never.tolist() == [True, False, True]


def test_every_node_has_a_value_over_all_of_the_space() -> None:
    build = Builder(("x", "y"))
    graph = build.graph(
        build.reduce("logsumexp", build.concatenate([build.input, build.power(build.input, 2)], 0), (0,))
    )
    values = enclose_nodes(graph, Interval.entire((2,)))
    assert len(values) == len(graph.nodes)
    squares = values[[node.operation for node in graph.nodes].index("power")]
    assert isinstance(squares, Interval) and squares.lo.tolist() == [0.0, 0.0]
    assert float(values[-1].lo) == pytest.approx(np.log(2.0)) and values[-1].hi == INF  # type: ignore[union-attr]


def test_one_box_and_many_boxes_are_read_alike() -> None:
    rng = np.random.default_rng(0)
    build = Builder(("x", "y", "z"))
    matrix = build.constant(rng.normal(size=(4, 3)))
    graph = build.graph(build.sum(build.unary("softplus", build.dot(matrix, build.input, ((1,), (0,))))))
    lo = rng.normal(size=(7, 3))
    box = Interval(lo, lo + rng.random((7, 3)))
    many = second_order(graph, box)
    for k in range(7):
        one = second_order(graph, box[k : k + 1])
        for name in ("value", "gradient", "hessian"):
            assert np.array_equal(getattr(one, name).lo[0], getattr(many, name).lo[k])
            assert np.array_equal(getattr(one, name).hi[0], getattr(many, name).hi[k])


def test_the_largest_is_smooth_where_it_is_one_of_them() -> None:
    build = Builder(("x", "y", "z"))
    for operation, ends in (("max", (3.0, 4.0)), ("min", (-4.0, -3.0))):
        graph = build.graph(build.reduce(operation, build.input, (0,)))
        assert on(graph, (0.0, 1.0), ends, (0.0, 1.0))[1:] == (True, True, True)
        assert on(graph, ends, ends, (0.0, 1.0))[1:] == (True, True, False)


def kinks() -> dict[str, Graph]:
    """Functions of one variable that are not smooth at 0."""
    found = {}
    for operation in ("lt", "le", "eq", "ne"):
        found[f"x {operation} 0"] = piecewise(operation, "-x", "x")
        found[f"0 {operation} x"] = function(
            lambda build, x, operation=operation: build.where(
                build.condition(operation, build.constant(0.0), x), build.unary("neg", x), x
            )
        )
    for name in ("abs", "sign", "floor", "ceil", "cbrt"):
        found[name] = function(lambda build, x, name=name: build.unary(name, x))
    found["maximum"] = function(lambda build, x: build.binary("maximum", x, build.constant(0.0)))
    found["minimum"] = function(lambda build, x: build.binary("minimum", build.unary("neg", x), x))
    found["hypot"] = function(lambda build, x: build.binary("hypot", x, build.constant(0.0)))
    found["root of a square"] = function(lambda build, x: build.power(build.power(x, 2), Fraction(1, 2)))
    found["arctan2"] = function(lambda build, x: build.binary("arctan2", x, build.constant(-1.0)))

    def at_zero_only(build: Builder, x: int) -> int:
        zero = build.constant(0.0)
        both = build.condition("and", build.condition("le", x, zero), build.condition("le", zero, x))
        return build.where(both, x, build.unary("abs", x))

    found["and"] = function(at_zero_only)
    return found


@pytest.mark.parametrize("name", kinks())
def test_what_is_smooth_on_the_boxes_of_a_cover_is_smooth(name: str) -> None:
    """Two boxes that share a kink do not both call the function smooth; nor does the box that is the kink."""
    jet = second_order(kinks()[name], Interval([[-1.0], [0.0], [0.0]], [[0.0], [1.0], [0.0]]))
    assert not (jet.smooth[0] and jet.smooth[1]) and not jet.smooth[2]
