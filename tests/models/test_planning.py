"""The plan of a fit from a source, and of a fit of arrays, with what a sample of the rows tells."""

from __future__ import annotations

import numpy as np
import pytest

import surefoot as sf
from surefoot.models.plan import Rates, make_plan

RATES = Rates(5e10, 4e10, 3e10, 1e10, 1e10, 2e9, 2e-5)


def table(rows=300):
    rng = np.random.default_rng(0)
    x, z = rng.standard_normal(rows), rng.standard_normal(rows)
    return {"x": x, "z": z, "y": 1 + x - z + rng.standard_normal(rows)}


def test_a_fit_is_explained_before_its_rows_are_read():
    fit = sf.fit("y ~ x + z", table(), explain=True)
    plan = fit.plan
    assert (plan.rows, plan.columns, plan.chosen) == (300, 3, "qr")
    assert plan.condition == pytest.approx(fit.condition, rel=1e-9) and "all rows" in plan.condition_from
    text = fit.summary()
    assert text.startswith("Plan for 300 rows and 3 columns") and "-> qr" in text and "one pass" in text
    assert sf.fit("y ~ x + z", table()).plan is None


def test_a_sample_stands_for_rows_that_were_not_read():
    fit = sf.fit("y ~ x + z", table(5000), explain=True, batch_rows=1000, diagnostics=False, refine=False)
    assert fit.plan.rows == 5000 and "first 1,000 rows" in fit.plan.condition_from
    assert fit.account.passes == 2


def test_a_fit_of_arrays_says_what_else_there_was():
    data = table()
    A = np.column_stack([np.ones(300), data["x"], data["z"]])
    plan = sf.lstsq(A, data["y"]).plan
    assert plan.chosen == "qr" and {one.method for one in plan.candidates} >= {"normal", "svd", "conjugate gradients"}
    assert all(one.seconds > 0 and one.flops > 0 and one.passes >= 1 for one in plan.candidates)


def test_the_condition_decides_what_is_accurate():
    easy, hard = (make_plan(100_000, 100, k, "known", rates=RATES) for k in (3.0, 1e10))
    assert easy.candidate("seminormal").accurate and not hard.candidate("seminormal").accurate
    assert "squares the condition" in hard.candidate("normal").why
    assert hard.candidate(hard.chosen).accurate and easy.chosen == "seminormal"
    steps = [make_plan(1000, 10, k, "known", rates=RATES).candidate("gradient descent").steps for k in (10, 100)]
    assert steps[1] == pytest.approx(100 * steps[0], rel=0.05), "descent takes the square of the condition"


def test_descent_overtakes_the_formula_as_columns_grow():
    chosen = [make_plan(40_000, p, 3.0, "known", rates=RATES).chosen for p in (10, 100, 1_000, 10_000)]
    assert chosen[0] != "conjugate gradients" and chosen[-1] == "conjugate gradients"
    ratio = [
        make_plan(40_000, p, 3.0, "known", rates=RATES).candidate("seminormal").seconds
        / make_plan(40_000, p, 3.0, "known", rates=RATES).candidate("conjugate gradients").seconds
        for p in (100, 1_000, 10_000)
    ]
    assert ratio[0] < ratio[1] < ratio[2]


@pytest.mark.parametrize(("rows", "columns"), [(0, 1), (1, 1), (5, 9), (10**9, 3)])
def test_every_shape_has_a_plan(rows, columns):
    plan = make_plan(rows, columns, 1.0, "known", rates=RATES)
    assert plan.chosen in {one.method for one in plan.candidates} and str(plan)
