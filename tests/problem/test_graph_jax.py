"""The JAX reading against the NumPy reading, and its derivatives at corners against what they are."""

from __future__ import annotations

import math
import subprocess
import sys

import jax
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from surefoot.errors import DataError, SurefootError
from surefoot.problem.floating import evaluate
from surefoot.problem.grammar import parse, parse_function
from surefoot.problem.graph import FUNCTIONS, OPERATIONS
from surefoot.problem.graph_jax import _readings, jax_function

NAMES = ("y", "x[0]", "x[1]", "x[2]", "x[3]", "z")


LN2 = math.log(2)


def compiled(text, names=NAMES):
    return jax_function(parse_function(text), names)


def jax_value(text, point, names=NAMES):
    with jax.enable_x64(True):
        found = compiled(text, names)(np.asarray(point, dtype=np.float64))
        assert found.dtype == np.float64 and found.shape == ()
        return float(found)


def numpy_value(text, point):
    point = np.asarray(point, dtype=np.float64)
    return float(evaluate(parse_function(text), {"y": point[0], "x": point[1:5], "z": point[5]}))


def derivatives(text, *point, names=("x", "y")):
    """Gradient and Hessian as an objective takes them: reverse mode, and forward over reverse."""
    with jax.enable_x64(True):
        f, v = compiled(text, names[: len(point)]), np.array(point, dtype=np.float64)
        return np.asarray(jax.grad(f)(v)), np.asarray(jax.hessian(f)(v))


EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 0.4, 1.5, 2.5, -2.5, 3.0, 7.25, -7.25, 1e-9, 1e9, -1e9, 30.0, -30.0, 1e300]
EDGES += [math.inf, -math.inf, math.nan]
FORMS = {1: ("{}(x)",), 2: ("{}(x, y)",), 3: ("{}(x, y, 2)", "{}(x, 3, y)")}
SIGNS = ["x + y", "x - y", "x*y", "x/y", "x^y", "-x", "x < y", "x <= y", "x > y", "x >= y", "x == y", "x != y"]
SIGNS += ["x and y", "x or y", "not x", "x^2", "x^3", "x^-1", "x^-2", "x^0", "x^1", "x^0.5", "x^-0.5", "x^40", "x^33"]
SIGNS += ["x^(1/3)", "2^x", "0^x", "pi*x", "x*1e308"]
LOOSE = {"gammaln": 1e-12, "x^40": 1e-13, "x^33": 1e-13}


def test_every_operation_has_a_reading():
    assert set(_readings()) == set(OPERATIONS)


@pytest.mark.parametrize("text", [form.format(n) for n, k in FUNCTIONS.items() for form in FORMS[k]] + SIGNS)
def test_every_operation_means_what_numpy_means(text):
    node = parse(text)
    x, y = (grid.ravel() for grid in np.meshgrid(EDGES, EDGES))
    wanted = np.broadcast_to(evaluate(node, {"x": x, "y": y}), x.shape)
    with jax.enable_x64(True):
        found = np.asarray(jax.vmap(jax_function(node, ("x", "y")))(np.stack([x, y], axis=1)))
    if text.startswith("gammaln") or text == "x^0.5":
        wanted = np.where(
            np.isneginf(x), found, wanted
        )  # SciPy and XLA differ at minus infinity, which no walk evaluates
    tolerance = next((value for key, value in LOOSE.items() if text.startswith(key)), 1e-14)
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=1e-300)


# Operations that lose nothing on small halves: both readings must agree to the last bit, whatever is combined.
EXACT_LEAVES = ["y", "z", "x[0]", "x[i]", "x[3-i]", "x[j+1]", "i", "j", "2", "0.5", "3"]


def _exact(inner):
    two, three = st.tuples(inner, inner), st.tuples(inner, inner, inner)
    forms = ["({} + {})", "({} - {})", "({}*{})", "({} < {})", "({} >= {})", "({} == {})", "({} and {})", "({} or {})"]
    forms += ["min({}, {})", "max({}, {})"]
    ones = ["-({})", "({})^2", "abs({})", "sign({})", "floor({}/2)", "ceil({})", "round({})", "(not {})"]
    ones += ["sum({}, i=0..2)", "sum({}, j=0..1)", "sum({}, i=0..2, j=0..1)", "prod(sign({}), i=1..2)"]
    return (
        st.tuples(st.sampled_from(forms), two).map(lambda parts: parts[0].format(*parts[1]))
        | st.tuples(st.sampled_from(ones), inner).map(lambda parts: parts[0].format(parts[1]))
        | three.map(lambda parts: "where({}, {}, {})".format(*parts))
    )


EXACT = st.recursive(st.sampled_from(EXACT_LEAVES), _exact, max_leaves=8)
HALVES = st.lists(st.integers(-6, 6).map(lambda k: k / 2) | st.just(math.nan), min_size=6, max_size=6)


@settings(max_examples=150, deadline=None)
@example("sum(where(2, -(y), x[i]), i=0..2, j=0..1)", [0.0] * 6)
@given(EXACT.map(lambda text: f"sum({text}, i=0..2, j=0..1)"), HALVES)
def test_both_readings_agree_to_the_last_bit_where_nothing_is_rounded(text, point):
    wanted = numpy_value(text, point)
    assume(not abs(wanted) > 2.0**40)
    # A sum of the same term each time is a product there: of zeros it has another sign, which no real number has.
    np.testing.assert_equal(jax_value(text, point) + 0.0, wanted + 0.0)


def _smooth(inner):
    one = ["sin({})", "tanh({})", "arctan({})", "expit({})", "exp(-({})^2)", "sqrt(1 + ({})^2)", "log(2 + sin({}))"]
    one += [
        "({})^3",
        "1/(1 + ({})^2)",
        "erf({})",
        "arcsinh({})",
        "sum({}, i=0..2)",
        "hypot(1, {})",
        "(2 + cos({}))^-1.5",
    ]
    two = ["({} + {})", "({} - {})", "({}*{})", "arctan2(3 + sin({}), {})", "where({} > 0.1, {0}^2, x[1])"]
    return st.tuples(st.sampled_from(one), inner).map(lambda parts: parts[0].format(parts[1])) | st.tuples(
        st.sampled_from(two[:4]), inner, inner
    ).map(lambda parts: parts[0].format(*parts[1:]))


SMOOTH = st.recursive(st.sampled_from(EXACT_LEAVES), _smooth, max_leaves=6)
NEAR = st.lists(st.floats(-1.5, 1.5), min_size=6, max_size=6)


@settings(max_examples=60, deadline=None)
@given(SMOOTH.map(lambda text: f"sum({text}, i=0..2, j=0..1)"), NEAR)
def test_values_and_gradients_of_smooth_functions(text, point):
    wanted = numpy_value(text, point)
    assume(abs(wanted) < 1e6)
    np.testing.assert_allclose(jax_value(text, point), wanted, rtol=1e-10, atol=1e-10)
    with jax.enable_x64(True):
        gradient = np.asarray(jax.grad(compiled(text))(np.array(point)))
    for k, slope in enumerate(gradient):
        up, down, h = np.array(point), np.array(point), 1e-5
        up[k] += h
        down[k] -= h
        difference = (numpy_value(text, up) - numpy_value(text, down)) / (2 * h)
        assert difference == pytest.approx(slope, rel=1e-4, abs=1e-4 * max(1.0, abs(wanted)))


@pytest.mark.parametrize(
    ("text", "point", "gradient", "hessian"),
    [
        ("x^2", [0], [0], [[2]]),
        ("x^1", [0], [1], [[0]]),
        ("x^0", [0], [0], [[0]]),
        ("x^3", [0], [0], [[0]]),
        ("x^4", [-1], [-4], [[12]]),
        ("x^-2", [2], [-0.25], [[0.375]]),
        ("x^40", [-1], [-40], [[1560]]),
        ("x^40", [0], [0], [[0]]),
        ("x^1.5", [0], [0], [[math.inf]]),
        ("x^2.5", [0], [0], [[0]]),
        ("x^0.5", [0], [math.inf], [[-math.inf]]),
        ("x^(4/2)", [0], [0], [[2]]),
        ("x^y", [2, 3], [12, 8 * LN2], [[12, 4 + 12 * LN2], [4 + 12 * LN2, 8 * LN2**2]]),
        ("x^y", [0, 2], [0, 0], None),
        ("abs(x)", [0], [0], [[0]]),
        ("abs(x)", [-3], [-1], [[0]]),
        ("sign(x) + floor(x) + ceil(x) + round(x)", [0], [0], [[0]]),
        ("max(x, y)", [1, 1], [0.5, 0.5], None),
        ("max(x, 0)^2", [-1], [0], [[0]]),
        ("hypot(x, y)", [3, 0], [1, 0], [[0, 0], [0, 1 / 3]]),
        ("hypot(x, y)", [3e200, 4e200], [0.6, 0.8], None),
        ("where(x > 0, x*log(x), 0)", [0], [0], [[0]]),
        ("where(x > 0, sqrt(x), 0)", [0], [0], [[0]]),
        ("where(x == 0, 1, sin(x)/x)", [0], [0], [[0]]),
        ("where(x > 0, x^0.5, x^2)", [0], [0], [[2]]),
        ("where(x > 0, x^y, 0)", [0, 0.5], [0, 0], [[0, 0], [0, 0]]),
        ("where(x > 1, where(x > 2, log(x - 2), sqrt(x - 1)), 0*x)", [0], [0], [[0]]),
        ("where(x > 1, where(x > 2, log(x - 2), x), 0*x)", [2], [1], [[0]]),
        ("where(x < 700, x^2, exp(x)/1e300)", [1], [2], [[2]]),
        ("where(x < 10, x^2, exp(exp(x + 800)))", [1], [2], [[2]]),
        ("where(x > 0, 1/x, 3*x)", [0], [3], [[0]]),
        ("where(x > 0, log(x), x) + where(x > 0, arcsin(2 + x), 0)", [-1], [1], [[0]]),
        ("cbrt(x)", [-8], [1 / 12], [[1 / 144]]),
        ("logit(x)", [0.5], [4], [[0]]),
        ("logit(x)", [0.25], [16 / 3], [[-256 / 9 + 128 / 9]]),
        ("expit(x)", [0], [0.25], [[0]]),
        ("gammaln(x)", [1], [-0.5772156649015329], [[math.pi**2 / 6]]),
        ("log2(x)*log(2) + log10(x)*log(10)", [2], [1], [[-0.5]]),
        ("(x > 1)*x^2", [2], [4], [[2]]),
    ],
)  # fmt: skip
def test_derivatives_at_corners(text, point, gradient, hessian):
    found, second = derivatives(text, *point)
    np.testing.assert_allclose(found, gradient, rtol=1e-12, atol=1e-12)
    if hessian is not None:
        np.testing.assert_allclose(second, hessian, rtol=1e-12, atol=1e-12)


def test_a_polynomial_has_finite_derivatives_at_zero():
    names = (*(f"a[{k}]" for k in range(5)), "t")
    point = [1.0, 2.0, 3.0, 4.0, 5.0, 0.0]
    with jax.enable_x64(True):
        f = compiled("sum(a[k]*t^k, k=0..4)", names)
        np.testing.assert_array_equal(jax.grad(f)(np.array(point)), [1, 0, 0, 0, 0, 2])
        second = np.asarray(jax.hessian(f)(np.array(point)))
    assert second[5, 5] == 6 and second[1, 5] == second[5, 1] == 1 and np.isfinite(second).all()


def test_a_product_has_derivatives_where_factors_are_zero():
    names = tuple(f"x[{k}]" for k in range(3))
    with jax.enable_x64(True):
        f = compiled("prod(x[i], i=0..2)", names)
        np.testing.assert_array_equal(jax.grad(f)(np.array([0.0, 2.0, 3.0])), [6, 0, 0])
        np.testing.assert_array_equal(jax.grad(f)(np.array([0.0, 0.0, 3.0])), [0, 0, 0])
        np.testing.assert_array_equal(jax.hessian(f)(np.array([0.0, 0.0, 3.0])), [[0, 3, 0], [3, 0, 0], [0, 0, 0]])


def test_where_inside_a_sum_guards_each_term():
    names = tuple(f"x[{k}]" for k in range(3))
    with jax.enable_x64(True):
        f = compiled("sum(where(x[i] > 0, x[i]*log(x[i]), 0), i=0..2)", names)
        gradient = np.asarray(jax.grad(f)(np.array([0.0, 1.0, math.e])))
    np.testing.assert_allclose(gradient, [0, 1, 2])


def test_the_order_of_names_is_that_of_the_vector():
    assert jax_value("x[0] + 10*x[1] + 100*y", [3, 2, 1], ("y", "x[1]", "x[0]")) == 321
    assert jax_value("sum(x[i]*10^i, i=0..2)", [3, 2, 1], ("x[2]", "x[0]", "x[1]")) == 312


def test_a_variable_called_pi_wins():
    assert jax_value("pi", [7], ("pi",)) == 7
    assert jax_value("pi + 0*x", [7], ("x",)) == math.pi


def test_a_constant_function_has_a_value_and_no_slope():
    with jax.enable_x64(True):
        f = compiled("2 + 3", ("x",))
        assert float(f(np.array([1.0]))) == 5
        assert jax.grad(f)(np.array([1.0])).tolist() == [0]


@pytest.mark.parametrize("text", ["q + 1", "q[0]", "x[4]", "sum(x[i], i=0..4)", "sum(q[i], i=0..1)"])
def test_an_unknown_variable_is_named_before_tracing(text):
    with pytest.raises(DataError, match="no variable named"):
        compiled(text)


def test_what_is_not_numeric_is_named():
    with pytest.raises(SurefootError, match=r"poly\(...\)"):
        jax_function(parse("poly(x, 2)", extra={"poly"}), ("x",))
    with pytest.raises(SurefootError, match=r"norm\(...\)"):
        compiled("norm(x)", ("x",))


def test_a_sum_is_as_many_operations_whatever_its_length():
    text = "sum(100*(x[i+1] - x[i]^2)^2 + (1 - x[i])^2, i=0..{})"
    sizes = []
    with jax.enable_x64(True):
        for n in (10, 1000):
            f = compiled(text.format(n - 2), tuple(f"x[{k}]" for k in range(n)))
            sizes.append(len(jax.make_jaxpr(jax.grad(f))(np.zeros(n)).eqns))
    assert sizes[0] == sizes[1] < 60


def test_lanes_are_mapped():
    points = np.random.default_rng(1).normal(size=(50, 6))
    text = "sum(x[i]*x[j]*y, i=0..3, j=1..3) + z^3"
    with jax.enable_x64(True):
        found = jax.vmap(compiled(text))(points)
    np.testing.assert_allclose(found, [numpy_value(text, point) for point in points], rtol=1e-11)


def test_jax_is_imported_only_where_it_is_used():
    code = (
        "import sys, surefoot.problem.graph_jax, surefoot.problem.typed as typed\n"
        "made = typed.typed_function('x^2', 'x=1'); assert 'jax' not in sys.modules\n"
        "made.traceable(); assert 'jax' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
