"""The exact reading against fractions where numbers are rational, and against mpmath-free identities where not."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import DataError, SurefootError
from surefoot.problem.ball_functions import ENCLOSED
from surefoot.problem.balls import Balls, as_balls, evaluate_exactly, first_unknown, precision
from surefoot.problem.floating import evaluate
from surefoot.problem.grammar import parse
from surefoot.problem.graph import FUNCTIONS, OPERATIONS
from surefoot.problem.rationals import Rationals

X, Y = np.array([0.25, 0.5, 0.9, 0.1]), np.array([-1.5, 2.5, 0.3, -7.0])
COLUMNS = {"x": Rationals.from_doubles(X), "y": Rationals.from_doubles(Y)}


def read(text: str, columns=COLUMNS, rows: int = 4, bits: int = 128):
    with precision(bits):
        return evaluate_exactly(parse(text), columns, rows)


def test_every_operation_has_a_reading():
    assert set(ENCLOSED) == set(OPERATIONS)


CALLS = {1: ("{}(x)", "{}(y)", "{}(sin(y))"), 2: ("{}(x, y)", "{}(sin(x), cos(y))"),
         3: ("{}(x > 0.3, x, y)", "{}(sin(x) > 0.3, exp(x), y)")}  # fmt: skip
OTHERS = ["x < y", "sin(x) <= y", "exp(x) > exp(y)", "exp(x) >= y", "x != y", "sin(x) == y", "not sin(x)",
          "x > 0 and y > 0",
          "sin(x) > 0 or sin(y) > 0", "sin(x) > 0 and sin(y) > 0", "x^y", "y^x", "y^-3", "x^0.5", "x/y", "x^2/3",
          "round(sin(x)*10)", "ceil(exp(y))", "(x - 0.25)^1.5", "pi*x", "0^x", "x^(1/3)", "2^y", "(-x)^2", "sin(x)^2",
          "round(y)", "round(x*10)", "y/(x - 2)", "0*log(x)", "floor(-exp(x))"]  # fmt: skip


@pytest.mark.parametrize("text", [c.format(n) for n, k in FUNCTIONS.items() for c in CALLS[k]] + OTHERS)
def test_the_reading_encloses_what_doubles_approximate(text):
    approximate = evaluate(parse(text), {"x": X, "y": Y})
    with precision(128):
        found = as_balls(read(text))
    for ball, double in zip(found, np.broadcast_to(approximate, 4).tolist(), strict=True):
        if not math.isfinite(double):
            assert not ball.is_finite()
        else:
            assert ball.rel_accuracy_bits() > 80 or ball.contains(0)
            assert abs(float(ball.mid()) - double) <= 1e-14 * max(abs(double), 1e-290)


@given(st.lists(st.fractions(max_denominator=50), min_size=1, max_size=5))
def test_rational_functions_are_exact(values):
    x = {"x": Rationals.from_fractions(values)}
    text = (
        "(x + 0.1)^3 - x*2/7 + where(x > 0.5, floor(x), ceil(x)) - min(x, 1/3, abs(x)) + round(x) + (not x) + sign(x)"
    )
    found = read(text, x, len(values))
    truth = [
        (v + Fraction(1, 10)) ** 3 - v * 2 / 7 + (math.floor(v) if v > Fraction(1, 2) else math.ceil(v))
        - min(v, Fraction(1, 3), abs(v)) + round(v) + (v == 0) + (v > 0) - (v < 0)
        for v in values
    ]  # fmt: skip
    assert isinstance(found, Rationals) and found.values() == truth


def test_literals_are_the_decimals_that_were_typed():
    tenth = {"x": Rationals.from_decimals(["0.1", "0.3"])}
    assert read("x == 0.1", tenth, 2).values() == [1, 0]
    assert read("x - 0.1*3 == 0", tenth, 2).values() == [0, 1]  # not so in doubles
    assert read("x == 0.1").values() == [0, 0, 0, 0]  # the double 0.1 is not a tenth


def test_functions_are_enclosed_at_any_precision():
    for bits in (64, 256, 1000):
        ball = as_balls(read("exp(log(x))", bits=bits))[0]
        assert ball.contains(arb(0.25)) and ball.rel_accuracy_bits() > bits - 12
    assert as_balls(read("sin(pi)*x", bits=500))[0].contains(0)
    assert as_balls(read("4*arctan(1) - pi", bits=500))[0].abs_upper() < arb(2) ** -490


def test_a_jump_that_a_ball_cannot_decide_is_not_guessed():
    whole = "floor(exp(log(3)))"
    for text in (whole, "ceil(exp(log(3)))", "exp(log(3)) >= 3", "exp(log(3)) == 3", "where(exp(log(3)) > 3, 1, 2)",
                 "round(exp(log(2.5)))", "sign(exp(log(3)) - 3)", "not (exp(log(3)) - 3)"):  # fmt: skip
        found = read(text)
        assert isinstance(found, Balls) and first_unknown(found) == 0
    assert read("floor(exp(log(3)) + 0.5)").values() == [3, 3, 3, 3]
    assert read("floor(exp(1e-30))").values() == [1] * 4  # decided with 128 bits,
    assert first_unknown(read("floor(exp(1e-30))", bits=64)) == 0  # not with 64


def test_where_does_not_mind_the_branch_not_taken():
    found = read("where(x > 0.2, log(x - 0.2), 0)")
    assert first_unknown(found) is None and as_balls(found)[3].is_zero()


def test_undefined_values_are_found_with_their_row():
    assert first_unknown(read("1/(x - 0.25)")) == 0
    assert first_unknown(read("log(y)")) == 0 and first_unknown(read("sqrt(x - 0.25)")) == 3


def test_names_and_functions_that_are_not_known():
    with pytest.raises(DataError, match="no variable named z"):
        read("x + z")
    with precision(64), pytest.raises(SurefootError, match="cannot be enclosed"):
        evaluate_exactly(parse("poly(x, 2)", extra={"poly"}), COLUMNS, 4)


def test_a_column_called_pi_wins():
    assert read("pi", {"pi": Rationals.from_integers([7])}, 1).values() == [7]


def test_the_precision_is_given_back():
    before = ctx.prec
    with pytest.raises(ZeroDivisionError), precision(999):
        raise ZeroDivisionError
    assert ctx.prec == before


def test_rows_are_taken_by_mask_and_by_position():
    found = read("exp(x)")
    assert [str(b) for b in found.take(np.array([True, False, False, True])).values] == [
        str(found.values[0]), str(found.values[3])]  # fmt: skip
    assert len(found.take(np.array([2, 1]))) == 2 and len(read("x").take(np.array([False] * 4))) == 0
