"""Predictions of work: laws that any count of flops and passes obeys, and what is measured of this machine."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.leastsquares.rungs import FAIR, SQUARED_TOO_FAR
from surefoot.models.plan import Plan, Rates, make_plan, measured_rates

RATES = Rates(5e10, 4e10, 3e10, 1e10, 1e10, 2e9, 1e-5)
NAMES = {"normal", "seminormal", "cholesky-qr", "qr", "svd", "conjugate gradients", "gradient descent"}
ROWS, COLUMNS = st.integers(0, 10**9), st.integers(1, 10**5)
CONDITIONS = st.floats(1, 1e16)


def planned(rows: int, columns: int, condition: float, **wishes: str) -> Plan:
    return make_plan(rows, columns, condition, "known", rates=RATES, **wishes)


@given(ROWS, COLUMNS, CONDITIONS)
def test_every_method_has_a_price_that_is_a_number(rows, columns, condition):
    plan = planned(rows, columns, condition)
    assert {one.method for one in plan.candidates} == NAMES
    for one in plan.candidates:
        assert all(np.isfinite(v) and v >= 0 for v in (one.flops, one.bytes, one.passes, one.steps, one.seconds))
        assert one.accurate == (one.why == "")
        assert plan.candidate(one.method) is one


@given(ROWS, st.integers(1, 1000), CONDITIONS, st.integers(2, 50))
def test_more_rows_cost_more(rows, columns, condition, times):
    # All but the largest matrices are corrected in 20 digits at the end: where that stops a price may fall.
    rows += FAIR + 1
    few, many = planned(rows, columns, condition), planned(rows * times, columns, condition)
    for one in few.candidates:
        other = many.candidate(one.method)
        assert other.seconds > one.seconds and other.flops > one.flops and other.bytes > one.bytes


@given(st.integers(FAIR + 1, 10**8), COLUMNS, CONDITIONS)
def test_more_columns_cost_more(rows, columns, condition):
    few, many = planned(rows, columns, condition), planned(rows, columns + 1, condition)
    for one in few.candidates:
        assert many.candidate(one.method).seconds > one.seconds


@given(ROWS, COLUMNS, CONDITIONS, st.floats(1, 100))
def test_a_higher_condition_is_never_easier(rows, columns, condition, times):
    easy, hard = planned(rows, columns, condition), planned(rows, columns, condition * times)
    for one in easy.candidates:
        other = hard.candidate(one.method)
        assert other.accurate <= one.accurate
        # Conjugate gradients end after so many steps as there are columns only where rounding lets them.
        assert other.steps >= one.steps
        # Where a sample of the rows shows that the Gram matrix would break down, it is not formed: that is cheaper.
        assert one.method == "cholesky-qr" or other.seconds >= one.seconds


@given(ROWS, COLUMNS, CONDITIONS)
def test_the_cheapest_accurate_one_is_chosen_and_comes_first(rows, columns, condition):
    plan = planned(rows, columns, condition)
    sure = [one for one in plan.candidates if one.accurate]
    assert plan.chosen == plan.candidates[0].method == min(sure, key=lambda one: one.seconds).method
    assert [one.accurate for one in plan.candidates] == sorted((o.accurate for o in plan.candidates), reverse=True)
    assert plan.chosen in plan.reason


def test_the_gram_matrix_is_for_gentle_columns_only():
    assert planned(10**5, 100, 1e3).candidate("seminormal").accurate
    assert not planned(10**5, 100, 2 * SQUARED_TOO_FAR).candidate("seminormal").accurate
    assert not planned(10**5, 100, 1e3).candidate("normal").accurate
    assert "about 8 digits" in planned(10**5, 100, 1e4).candidate("normal").why
    assert planned(10**5, 100, 1e16).chosen in ("qr", "svd")


def test_steps_are_those_of_the_theory():
    from surefoot.descent.theory import Method, predicted_steps

    unit = float(np.finfo(float).eps) / 2
    for k in (1.0, 2.0, 30.0, 500.0):
        plan = planned(10**5, 10**4, k)
        walked, rolled = plan.candidate("conjugate gradients"), plan.candidate("gradient descent")
        assert walked.steps == 1 + predicted_steps(Method.CONJUGATE_GRADIENTS, k * k, unit)  # pyright: ignore
        assert rolled.steps == 1 + predicted_steps(Method.BEST_RATE, k * k, unit)  # pyright: ignore
    assert planned(10**5, 10, 500.0).candidate("conjugate gradients").steps == 22
    assert planned(10**5, 10, 1e6).candidate("conjugate gradients").steps > 1e6


def test_descent_overtakes_the_formula_as_columns_grow():
    chosen = [planned(25_000, columns, 4.0).chosen for columns in (30, 100, 300, 1000, 3000, 10_000, 20_000)]
    assert chosen[0] == "seminormal" and chosen[-1] == "conjugate gradients"
    assert chosen == sorted(chosen, reverse=True), "once it is ahead, it stays ahead"


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (10, 1), (3, 10), (0, 5)])
def test_small_and_wide_shapes(rows, columns):
    plan = make_plan(rows, columns, 1.0, "chosen")
    assert plan.chosen in NAMES and all(math.isfinite(one.seconds) for one in plan.candidates)
    assert f"{rows} row" in str(plan) and plan.chosen in str(plan)


def test_a_condition_below_one_or_infinite():
    # A condition that is not known is given as 0: the work is then that of condition one.
    unknown, least = planned(100, 3, 0.0), planned(100, 3, 1.0)
    assert unknown.candidates == least.candidates and unknown.condition == 0.0
    endless = planned(100, 3, math.inf)
    assert endless.chosen in ("qr", "svd") and endless.candidate("gradient descent").seconds == math.inf
    assert str(endless).count("\n") >= len(NAMES)


def test_what_ran_is_kept_and_judged():
    assert "predicted to be" in planned(10**5, 100, 10.0, ran="qr").reason
    assert planned(10**5, 100, 10.0, ran="qr").chosen == "qr"
    assert "not expected to reach rounding" in planned(10**5, 100, 1e5, ran="normal").reason
    assert planned(10**5, 100, 10.0, ran="lsmr").reason == "lsmr was asked for."
    with pytest.raises(StopIteration):
        planned(10, 2, 1.0).candidate("lsmr")


def test_rates_are_measured_once_for_as_good_as_the_same_shape():
    assert measured_rates(7, 1000) is measured_rates(7, 1024)
    rates = measured_rates(7, 1000)
    assert all(0 < one < 1e13 for one in (rates.gram, rates.product, rates.orthogonal, rates.look, rates.precise))
    assert 0 < rates.start < 0.1
