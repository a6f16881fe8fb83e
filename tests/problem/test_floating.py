import math
import subprocess
import sys
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from surefoot.errors import DataError, SurefootError
from surefoot.problem.floating import evaluate
from surefoot.problem.grammar import parse
from surefoot.problem.graph import ALIASES, FUNCTIONS, OPERATIONS, Name, Text

X = np.array([0.1, 0.3, 0.5, 0.9])
Y = np.array([2.0, -1.5, 0.25, 3.0])
REFERENCE = {
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log10": np.log10,
    "log1p": np.log1p, "sqrt": np.sqrt, "cbrt": np.cbrt, "abs": np.abs, "sign": np.sign, "floor": np.floor,
    "ceil": np.ceil, "round": np.round, "sin": np.sin, "cos": np.cos, "tan": np.tan, "arcsin": np.arcsin,
    "arccos": np.arccos, "arctan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "arcsinh": np.arcsinh, "arccosh": lambda x: np.arccosh(x), "arctanh": np.arctanh, "erf": special.erf,
    "erfc": special.erfc, "gammaln": special.gammaln, "logit": special.logit, "expit": special.expit,
    "arctan2": np.arctan2, "hypot": np.hypot, "minimum": np.minimum, "maximum": np.maximum,
    "where": lambda c, a, b: np.where(c != 0, a, b),
}  # fmt: skip


def value(text, **columns):
    return evaluate(parse(text), {name: np.asarray(column) for name, column in columns.items()})


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_against_numpy_and_scipy(name):
    shift = 1.0 if name == "arccosh" else 0.0  # its domain starts at one
    columns = {"x": X + shift, "y": Y, "z": X * Y}
    names = list(columns)[: FUNCTIONS[name]]
    found = evaluate(parse(f"{name}({', '.join(names)})"), columns)
    np.testing.assert_array_equal(found, REFERENCE[name](*(columns[each] for each in names)))
    assert found.dtype == np.float64


@pytest.mark.parametrize(("alias", "operation"), sorted(ALIASES.items()))
def test_aliases_mean_their_operation(alias, operation):
    inside = ", ".join("xy"[: OPERATIONS[operation]])
    assert parse(f"{alias}({inside})") == parse("x^y" if operation == "pow" else f"{operation}({inside})")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x + y*2 - x/y", X + Y * 2 - X / Y),
        ("-x^2", -(X * X)),
        ("2^-1", 0.5),
        ("2^3^2", 512.0),
        ("y^-1", 1 / Y),
        ("x^y", X**Y),
        ("y^0", np.ones(4)),
        ("x < 0.5", [1, 1, 0, 0]),
        ("x <= 0.5", [1, 1, 1, 0]),
        ("x > 0.5", [0, 0, 0, 1]),
        ("x >= 0.5", [0, 0, 1, 1]),
        ("x == 0.5", [0, 0, 1, 0]),
        ("x != 0.5", [1, 1, 0, 1]),
        ("x > 0.2 and y > 0", [0, 0, 1, 1]),
        ("x > 0.6 | y > 1", [1, 0, 0, 1]),
        ("not y > 0", [0, 1, 0, 0]),
        ("min(x, y, 0.2)", np.minimum(np.minimum(X, Y), 0.2)),
        ("where(y > 0, log(y), -1)", [math.log(2), -1, math.log(0.25), math.log(3)]),
    ],
)
def test_values(text, expected):
    found = value(text, x=X, y=Y)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, expected)


def test_a_column_named_pi_wins():
    assert value("2*pi") == 2 * math.pi
    np.testing.assert_array_equal(value("2*pi", pi=[3.0, 4.0]), [6.0, 8.0])


def test_integers_and_booleans_become_double():
    np.testing.assert_array_equal(value("x/2", x=np.array([1, 2], dtype=np.int8)), [0.5, 1.0])
    np.testing.assert_array_equal(value("x + x", x=[True, False]), [2.0, 0.0])
    np.testing.assert_array_equal(value("x*x", x=np.array([100], dtype=np.int8)), [10_000.0])


def test_shapes_broadcast_and_a_constant_has_none():
    assert value("1 + 2").shape == ()
    assert value("x + y", x=np.zeros((3, 1)), y=np.zeros(2)).shape == (3, 2)


def test_missing_values_stay_missing():
    columns = {"x": [math.nan, 1.0], "y": [1.0, 1.0]}
    for text in ("x > 0", "not x", "x and y", "y or x", "x == x", "where(x > 0, 1, 2)", "min(x, y)"):
        found = value(text, **columns)
        assert np.isnan(found[0])
        assert np.isfinite(found[1])


def test_what_is_not_finite_is_given_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = value("log(x) + 1/x + exp(1000*x) + x^1e6 + logit(x)", x=[-1.0, 0.0, 2.0])
    assert not np.isfinite(found).any()


@pytest.mark.parametrize("power", [-4, -3, -2, -1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
def test_integer_powers_are_good_to_one_unit_in_the_last_place(power):
    x = np.random.default_rng(power + 10).uniform(-2.0, 2.0, 300)
    for base, found in zip(x, value(f"x^{power}", x=x), strict=True):
        exact = Fraction(float(base)) ** power
        assert abs(Fraction(float(found)) - exact) <= abs(Fraction(float(np.spacing(float(exact)))))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_square_is_a_product(x):
    with np.errstate(all="ignore"):
        assert value("x^2", x=x) == np.float64(x) * np.float64(x)


def test_shared_subexpressions_are_computed_once(monkeypatch):
    calls = []
    from surefoot.problem import floating

    monkeypatch.setitem(floating._READINGS, "exp", lambda x: calls.append(1) or np.exp(x))
    value("exp(x + 1)/(1 + exp(x + 1)) - exp(x+1)", x=X)
    assert len(calls) == 1


def test_long_chains_are_evaluated():
    assert value("1" + "+1" * 4999) == 5000
    assert value("x" + "-x" * 4999, x=1.0) == -4998
    assert value("min(x" + ",x" * 4990 + ")", x=2.0) == 2


def test_an_unknown_name_is_named_with_its_neighbours():
    with pytest.raises(DataError, match="no variable named hieght; did you mean height"):
        value("2*hieght", height=X, weight=Y)
    with pytest.raises(SurefootError, match="no variable named q"):
        value("q")


@pytest.mark.parametrize("column", [np.array(["a"]), np.array([1 + 2j]), np.array([{}], dtype=object)])
def test_a_column_that_is_not_real_is_named(column):
    with pytest.raises(DataError, match="column g"):
        value("g + 1", g=column)


def test_what_is_not_numeric_is_named():
    with pytest.raises(SurefootError, match=r"poly\(...\)"):
        evaluate(parse("1 + poly(x, 3)", extra={"poly"}), {"x": X})
    with pytest.raises(SurefootError, match="'a'"):
        evaluate(Text("a"), {})


def test_a_bare_name_is_the_column_itself():
    assert evaluate(Name("x"), {"x": X}) is X


def test_scipy_is_imported_only_where_it_is_used():
    code = (
        "import sys\n"
        "from surefoot.problem.floating import evaluate; from surefoot.problem.grammar import parse\n"
        "evaluate(parse('log(2)'), {}); assert 'scipy' not in sys.modules\n"
        "evaluate(parse('erf(2)'), {}); assert 'scipy' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
