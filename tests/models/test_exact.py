"""Fits with every digit proven, from the file to the last line of the summary."""

from __future__ import annotations

import json
import math
import re
import threading
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import exact as oracle
import surefoot as sf
from nistdata import NAMES, load
from surefoot.errors import DataError, Interrupted, ModelError
from surefoot.models.exact import estimated_seconds

FACTORS = ("center(x)", "scale(x)", "poly(x, 2)", "bs(x, df=5)")


def as_certified(text: str, certified: str) -> bool:
    """Whether a proven decimal, rounded to as many digits as are certified, is what is certified."""
    truth, found = Decimal(certified), Decimal(text)
    if truth == 0:
        return found == 0
    unit = Decimal((0, (1,), truth.as_tuple().exponent))
    places = abs(found - truth) / unit
    return places <= Decimal("0.5000001")


@pytest.mark.parametrize("name", NAMES)
def test_nist_to_every_certified_digit(name):
    nist = load(name)
    fit = sf.fit(nist.formula, nist.path, exact=True)
    truth = oracle.solve(nist.exact_design(), nist.exact_columns["y"])
    assert fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM and fit.certificate.rigour is sf.Rigour.PROVEN
    assert np.all(fit.digits >= 14) and fit.exact.is_exact
    for text, certified in zip(fit.exact.coef.text, nist.coefficients, strict=True):
        assert as_certified(str(text), certified)
    for text, certified in zip(fit.exact.stderr.text, nist.standard_errors, strict=True):
        assert as_certified(str(text), certified)
    assert as_certified(str(fit.exact.sigma.text), nist.sigma) and as_certified(str(fit.exact.r2.text), nist.r2)
    assert as_certified(str(fit.exact.residual_ss.text), nist.residual_ss)
    assert fit.coef.tolist() == [float(one) for one in truth.coef]  # the nearest doubles of the decimals' own answer
    assert fit.stderr == pytest.approx(truth.stderr, rel=1e-16)
    assert fit.statistics.df_residual == nist.residual_df and fit.statistics.df_model == nist.model_df
    assert fit.statistics.f == pytest.approx(float(nist.f), rel=1e-13)


@pytest.mark.alone
@pytest.mark.parametrize("name", NAMES)
def test_nist_in_under_a_second(name):
    nist = load(name)
    sf.fit("y ~ x", {"x": [1, 2, 3], "y": [1, 2, 4]}, exact=True)  # imports are not the fit
    seconds = min(_timed(lambda: sf.fit(nist.formula, nist.path, exact=True)) for _ in range(3))
    assert seconds < 1


@pytest.mark.alone
def test_a_hundred_thousand_rows_of_ten_columns(tmp_path):
    rng = np.random.default_rng(5)
    names = [f"x{k}" for k in range(10)]
    rows = np.round(rng.uniform(-50, 50, (100_000, 11)), 5)
    path = tmp_path / "big.csv"
    np.savetxt(path, rows, "%.5f", ",", header=",".join([*names, "y"]), comments="")
    made = []
    assert _timed(lambda: made.append(sf.fit("y ~ " + " + ".join(names), path, exact=True))) < 30
    plain = np.linalg.lstsq(np.column_stack([np.ones(len(rows)), rows[:, :10]]), rows[:, 10], rcond=None)[0]
    assert made[0].coef == pytest.approx(plain, rel=1e-9) and np.all(made[0].digits == 17)


def _timed(run) -> float:
    start = time.monotonic()
    run()
    return time.monotonic() - start


TEXTS = st.decimals(-999, 999, places=3, allow_nan=False).map(str)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=3, max_size=8))
def test_the_answer_is_that_of_the_decimals_not_of_the_doubles(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("written") / "a.csv"
    path.write_text("x,z,y\n" + "".join(f"{x},{z},{y}\n" for x, z, y in rows))
    x, z, y = ([Fraction(text) for text in column] for column in zip(*rows, strict=True))
    fit = sf.fit("y ~ 0 + x + z", path, exact=True)
    kept = [j for j in range(2) if not math.isnan(fit.coef[j])]
    if not kept:
        return
    truth = oracle.solve([(x, z)[j] for j in kept], y)
    assert [fit.coef[j] for j in kept] == [float(one) for one in truth.coef]
    for j, one in zip(kept, truth.coef, strict=True):
        assert abs(Fraction(str(fit.exact.coef.text[j])) - one) <= abs(one) / 10**16
    dependent = len({Fraction(a) / b if b else None for a, b in zip(x, z, strict=True) if a or b}) <= 1
    assert (fit.verdict is sf.Verdict.GLOBAL_MINIMUM) == (dependent or not any(x) or not any(z))


def test_a_tenth_is_a_tenth(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y\n0.1,0.3\n0.2,0.6\n0.7,2.1\n")
    fit = sf.fit("y ~ 0 + x", path, exact=True)
    assert fit.exact.coef.text.tolist() == ["3.0000000000000000"] and fit.exact.residual_ss.text == "0"
    assert fit.sigma == 0 and fit.stderr.tolist() == [0.0] and fit.r2 == 1
    assert "passes through every row" in str(fit.certificate)
    same = sf.fit("y ~ 0 + x", {"x": [0.1, 0.2, 0.7], "y": [0.3, 0.6, 2.1]}, exact=True)
    assert same.exact.residual_ss.text != "0"  # as doubles these are not proportional
    assert any("x, y: decimals" in note or "y, x: decimals" in note for note in fit.account.notes)
    assert any("doubles" in note for note in same.account.notes)


def test_integers_beyond_doubles(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y\n9007199254740993,1\n9007199254740992,0\n9007199254740994,2\n")
    fit = sf.fit("y ~ x", path, exact=True)
    assert fit["x"].value == 1.0 and fit.exact.residual_ss.text == "0"


def test_weights_frequencies_and_offsets_are_exact():
    data = {
        "x": [1, 2, 3, 4, 9],
        "y": [1, 3, 2, 5, 100],
        "w": [0.5, 2.0, 1.0, 0.1, 0.0],
        "n": [1, 2, 3, 1, 4],
        "o": [0.1] * 5,
    }
    fit = sf.fit("y ~ x", data, weights="w", frequencies="n", offset="o", exact=True)
    columns = [[Fraction(1)] * 4, [Fraction(k) for k in data["x"][:4]]]
    weights = [Fraction(w) * n for w, n in zip(data["w"][:4], data["n"][:4], strict=True)]
    truth = oracle.solve(columns, [y - Fraction(0.1) for y in data["y"][:4]], weights)
    assert fit.coef.tolist() == [float(one) for one in truth.coef]
    assert fit.statistics.rows == 7 and fit.statistics.df_residual == 5
    variance = truth.residual_ss / 5
    assert fit.stderr == pytest.approx([math.sqrt(variance * one) for one in truth.bread], rel=1e-15)
    with pytest.raises(ModelError, match="whole number"):
        sf.fit("y ~ x", data, frequencies="n*exp(0*x)*1.0 + 0*log(2)", exact=True)
    heavy = sf.fit("y ~ x", data, weights="exp(w)", exact=True)
    assert heavy.coef == pytest.approx(sf.fit("y ~ x", data, weights="exp(w)").coef, rel=1e-12)


def test_transcendental_factors_are_enclosed():
    rng = np.random.default_rng(8)
    data = {"x": rng.uniform(1, 9, 40), "g": np.tile(["a", "b", "c", "d"], 10), "z": rng.normal(size=40)}
    data["y"] = np.log(data["x"]) + data["z"] ** 2 + rng.normal(size=40)
    formula = "exp(y/5) ~ log(x) + sqrt(x):z + C(g, Sum)*x + I(pi*z) + where(x > 4, sin(z), 0)"
    fit, plain = sf.fit(formula, data, exact=True), sf.fit(formula, data)
    assert np.all(fit.digits == 17) and not fit.exact.is_exact
    assert fit.coef == pytest.approx(plain.coef, rel=1e-11) and fit.stderr == pytest.approx(plain.stderr, rel=1e-11)
    assert fit.r2 == pytest.approx(plain.r2, rel=1e-12) and fit.statistics.f == pytest.approx(plain.statistics.f)
    assert fit.certificate.rigour is sf.Rigour.PROVEN


def test_zero_that_balls_cannot_rule_out_is_said_so():
    fit = sf.fit("log(y) ~ x", {"x": [1, 2, 3, 4], "y": [2.0, 4.0, 8.0, 16.0]}, exact=True)
    assert fit.digits.tolist() == [0, 17] and fit.coef[0] == 0.0 and fit.sigma == 0.0
    assert str(fit.exact.coef.text[1]) == "0.69314718055994531" and not fit.exact.coef.text[0]
    assert "but (Intercept), where zero is not ruled out" in fit.summary() and "limit of 4096 bits" in fit.stop
    assert re.search(r"\(Intercept\) +0 \+/- ", fit.summary().split("proven digits")[1])
    assert fit.certificate.rigour is sf.Rigour.PROVEN  # of the rank there is no doubt
    assert isinstance(fit.to_html(), str)


def test_what_is_no_wish_is_refused():
    with pytest.raises(ModelError, match="rank_deficient is one of"):
        sf.fit("y ~ x", {"x": [1, 2, 4], "y": [1, 2, 5]}, exact=True, rank_deficient="no")
    with pytest.raises(ModelError, match="rank_deficient='error'"):
        sf.fit(
            "y ~ log(x) + log(x^2)", {"x": [1.5, 2, 3, 4, 5], "y": [1, 3, 2, 5, 4]}, exact=True, rank_deficient="error"
        )


def test_exact_fits_are_compared_and_predict():
    data = {"x": [1, 2, 3, 4, 5], "y": [2.1, 3.9, 6.2, 7.8, 10.1]}
    small, large = (sf.fit(formula, data, exact=True) for formula in ("y ~ 1", "y ~ x"))
    plain = sf.compare(sf.fit("y ~ 1", data), sf.fit("y ~ x", data))
    assert sf.compare(small, large).tests[0].f == pytest.approx(plain.tests[0].f)
    assert large.test("x = 2").p == pytest.approx(sf.fit("y ~ x", data).test("x = 2").p)
    band = large.predict({"x": [6.0]}, interval="prediction")
    assert band.lower == pytest.approx(sf.fit("y ~ x", data).predict({"x": [6.0]}, interval="prediction").lower)


def test_pi_is_pi():
    fit = sf.fit("y ~ 0 + I(pi*x)", {"x": [1], "y": [1]}, exact=True)
    assert str(fit.exact.coef.text[0]) == "0.31830988618379067"  # 1/pi = 0.318309886183790671537...


def test_the_same_columns_as_the_ordinary_fit():
    rng = np.random.default_rng(2)
    data = {"x": rng.normal(size=60), "z": rng.integers(0, 9, 60), "g": np.tile(["a", "b", "c"], 20),
            "h": np.repeat([True, False], 30), "y": rng.normal(size=60)}  # fmt: skip
    for formula in ("y ~ g*x + h", "y ~ 0 + g:h + x", "y ~ C(z, Helmert) + g:x", "y ~ (x + z + g)^2", "y ~ x/z",
                    "y ~ 1", "y ~ 0 + x", "log(z + 1) ~ x + offset(z/3)", "y ~ C(g, Treatment('b'))*z"):  # fmt: skip
        fit, plain = sf.fit(formula, data, exact=True), sf.fit(formula, data)
        assert fit.names == plain.names
        assert fit.coef == pytest.approx(plain.coef, rel=1e-9, abs=1e-12)
        assert fit.stderr == pytest.approx(plain.stderr, rel=1e-9)
        assert fit.statistics.r2 == pytest.approx(plain.statistics.r2, abs=1e-12)
        assert fit.statistics.has_constant == plain.statistics.has_constant
        assert fit.statistics.log_likelihood == pytest.approx(plain.statistics.log_likelihood)
        assert fit.predict(data).value == pytest.approx(plain.predict(data).value, rel=1e-9, abs=1e-9)
        assert fit.leverage() == pytest.approx(plain.leverage(), rel=1e-8)
        assert fit.look is not None and fit.look.quartiles == pytest.approx(plain.look.quartiles, abs=1e-9)


def test_missing_values_are_left_out_as_in_the_ordinary_fit(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y,g\n0.1,1,a\nNA,2,b\n0.3,,a\n0.4,3,\n0.5,6,b\n0.7,7,a\n0.9,9,b\n")
    fit = sf.fit("y ~ x + g", path, exact=True)
    assert fit.account.rows_missing == 3 and fit.statistics.rows == 4
    assert fit.coef == pytest.approx(sf.fit("y ~ x + g", path).coef, rel=1e-12)
    nan = sf.fit("y ~ x", {"x": [1.0, math.nan, 3.0, 4.0], "y": [1.0, 2.0, 5.0, math.nan]}, exact=True)
    assert nan.statistics.rows == 2
    with pytest.raises(DataError, match="missing='error'"):
        sf.fit("y ~ x", path, exact=True, missing="error")


def test_filters_and_queries(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y\n0.1,1\n0.2,3\n0.3,2\n7,99\n")
    fit = sf.fit("y ~ x", path, exact=True, filter="x < 5")
    truth = oracle.solve([[Fraction(1)] * 3, [Fraction(k, 10) for k in (1, 2, 3)]], [Fraction(k) for k in (1, 3, 2)])
    assert fit.coef.tolist() == [float(one) for one in truth.coef]
    asked = sf.fit("y ~ x", path, exact=True, query="select * from data where x < 5")
    truth = oracle.solve([[Fraction(1)] * 3, [Fraction(k) for k in (0.1, 0.2, 0.3)]], [Fraction(k) for k in (1, 3, 2)])
    assert asked.coef.tolist() == [float(one) for one in truth.coef]
    assert any("binary doubles" in note and "x" in note for note in asked.account.notes)


def test_dependent_columns_are_proven_and_named():
    data = {"a": [1, 2, 3, 4, 6], "b": [0.5, 0.1, 0.7, 0.2, 0.9], "y": [1, 3, 2, 5, 4]}
    fit = sf.fit("y ~ a + b + I(2*a) + I(a - b)", data, exact=True)
    assert fit.verdict is sf.Verdict.GLOBAL_MINIMUM and fit.certificate.rigour is sf.Rigour.PROVEN
    assert fit.aliased == {"I(2*a)": {"a": 2.0}, "I(a - b)": {"a": 1.0, "b": -1.0}}
    assert "flat along" in fit.summary() and "aliased" in fit.summary()
    assert fit.rank == 3 and np.isnan(fit.digits[[3, 4]]).all()
    with pytest.raises(ModelError, match="depend on each other"):
        sf.fit("y ~ a + I(2*a)", data, exact=True, rank_deficient="error")
    with pytest.raises(ModelError, match="minimum-norm"):
        sf.fit("y ~ a + I(2*a)", data, exact=True, rank_deficient="minimum-norm")


def test_columns_that_only_doubles_take_for_dependent(tmp_path):
    path = tmp_path / "a.csv"
    rows = [(k, f"{k}.00000000000000000000{k * k % 7}", k * k % 5) for k in range(1, 9)]
    path.write_text("a,b,y\n" + "".join(f"{a},{b},{y}\n" for a, b, y in rows))
    assert sf.fit("y ~ a + b", path).rank == 2
    fit = sf.fit("y ~ a + b", path, exact=True)
    a, b, y = ([Fraction(value) for value in column] for column in zip(*rows, strict=True))
    truth = oracle.solve([[Fraction(1)] * 8, a, b], y)
    assert fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM and fit.rank == 3
    assert fit.coef.tolist() == [float(one) for one in truth.coef]
    assert fit.predict({"a": [1.0], "b": [1.0]}).value.shape == (1,) and "proven" in fit.summary()


def test_dependent_balls_are_inconclusive():
    fit = sf.fit("y ~ log(x) + log(x^2)", {"x": [1.5, 2, 3, 4, 5], "y": [1, 3, 2, 5, 4]}, exact=True)
    assert fit.verdict is sf.Verdict.INCONCLUSIVE and fit.exact is None
    assert "bits" in fit.certificate.claim and "INCONCLUSIVE" in json.dumps(fit.to_json())
    assert "inconclusive" in fit.summary()


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("formula", ["y ~ {}", "y ~ z*{}", "y ~ z + offset({})"])
def test_factors_that_cannot_be_enclosed_are_refused_before_any_row_is_read(formula, factor):
    if "offset" in formula and factor.startswith(("poly", "bs")):
        return
    seen = []
    data = {"x": [1.0, 2.0, 4.0], "y": [1.0, 2.0, 4.0], "z": [1.0, 5.0, 2.0]}
    with pytest.raises(ModelError, match=re.escape(factor) + " cannot be enclosed"):
        sf.fit(formula.format(factor), data, exact=True, progress=seen.append)
    assert not seen


def test_a_jump_that_cannot_be_decided_is_refused():
    data = {"x": [1.0, 2.0, 4.0], "y": [1.0, 2.0, 4.0]}
    with pytest.raises(ModelError, match=r"cannot be enclosed where x = 2 \(row 2\)"):
        sf.fit("y ~ floor(exp(log(x)))", data, exact=True)
    with pytest.raises(ModelError, match="the weight cannot be enclosed"):
        sf.fit("y ~ 1", data, weights="exp(log(x)) - x + where(x > 3, 1, 0)", exact=True)


def test_robust_errors_and_absurd_sizes_are_refused(monkeypatch):
    data = {"x": [1, 2, 4], "y": [1, 2, 5]}
    with pytest.raises(ModelError, match="classical"):
        sf.fit("y ~ x", data, exact=True, errors="HC3")
    monkeypatch.setattr("surefoot.models.exact.estimated_seconds", lambda *_: 7200.0)
    with pytest.raises(ModelError, match=r"about 2\.0 hours"):
        sf.fit("y ~ x", data, exact=True)
    assert estimated_seconds(10**9, 50, True) > 3600 > estimated_seconds(10**6, 10, False)


def test_the_cost_is_said_before_it_starts(monkeypatch):
    monkeypatch.setattr("surefoot.models.exact.estimated_seconds", lambda *_: 12.3)
    seen = []
    sf.fit("y ~ x", {"x": [1, 2, 4], "y": [1, 2, 5]}, exact=True, progress=seen.append)
    first = next(one for one in seen if "proving" in one.task)
    assert first.rows == 0 and first.estimate == 12.3 and "about 12 s" in first.task
    assert any(one.rows == 3 and "proving" in one.task for one in seen)


def test_ctrl_c_is_answered_with_a_sentence():
    def stop(seen):
        if "proving" in seen.task:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match=r"after 3 rows.*proving"):
        sf.fit("y ~ x", {"x": [1, 2, 4], "y": [1, 2, 5]}, exact=True, progress=stop)


def test_ctrl_c_in_the_middle_ends_the_scan(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y\n" + "1.5,2.5\n2.5,1.0\n" * 100_000)

    def stop(seen):
        if "proving" in seen.task and seen.rows:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match=r"after 16,384 rows of about 200,000.*nothing was written") as caught:
        sf.fit("y ~ x", path, exact=True, progress=stop)
    assert caught.value is not None  # the traceback is still held, and with it every frame
    assert not [one for one in threading.enumerate() if one.name == "surefoot-scan"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("x,y\n", "no rows"), ("x,y\n1,oops\n2,3\n4,5\n", "oops"), ("x,y\nNA,1\n", "missing value"),
     ("x,y\n1e-999999999,1\n2,3\n4,5\n", "exponent beyond"), ("x,y\n1e999,1\n2,3\n4,5\n", "finite")],
)  # fmt: skip
def test_files_that_cannot_be_used(tmp_path, text, words):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=words):
        sf.fit("y ~ x", path, exact=True)


def test_all_weights_zero():
    with pytest.raises(DataError, match="weight of zero"):
        sf.fit("y ~ x", {"x": [1, 2], "y": [1, 2], "w": [0, 0]}, weights="w", exact=True)


def test_json_says_what_its_decimals_are(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"x": 0.1, "y": 0.3}\n{"x": 0.2, "y": 0.6}\n{"x": 0.7, "y": 2.1}\n')
    fit = sf.fit("y ~ 0 + x", path, exact=True)
    assert fit.exact.residual_ss.text == "0" and "shortest decimals" in fit.summary()


def test_no_predictor_at_all():
    fit = sf.fit("y ~ 0", {"y": [1, 2, 4]}, exact=True)
    assert fit.exact.residual_ss.text == "21.000000000000000" and fit.names == ()
    assert isinstance(fit.summary(), str) and isinstance(fit.to_html(), str)


def test_one_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("y\n0.1\n")
    fit = sf.fit("y ~ 1", path, exact=True)
    assert str(fit.exact.coef.text[0]) == "0.10000000000000000" and math.isnan(fit.stderr[0])
    assert "0.10000000000000000" in fit.summary()


def test_extreme_scales():
    data = {"x": [1e-300, 1e300, 2.0, -5.0], "y": [1.0, 2.0, 3.0, 4.0]}
    fit = sf.fit("y ~ x", data, exact=True)
    truth = oracle.solve([[Fraction(1)] * 4, [Fraction(v) for v in data["x"]]], [Fraction(v) for v in data["y"]])
    assert fit.coef.tolist() == [float(one) for one in truth.coef]
    assert isinstance(fit.summary(), str) and isinstance(fit.to_html(), str)


def test_the_summary_prints_proven_digits_only():
    nist = load("Filip")
    fit = sf.fit(nist.formula, nist.path, exact=True)
    truth = oracle.solve(nist.exact_design(), nist.exact_columns["y"])
    table = fit.summary().split("proven digits")[1].splitlines()[1:12]
    for line, value in zip(table, truth.coef, strict=True):
        text = line.split()[-2]
        digits = len(re.sub(r"e.*|[-.]", "", text).lstrip("0"))
        assert 14 <= digits <= 17
        last = Fraction(10) ** (math.floor(math.log10(abs(value))) - digits + 1)
        assert abs(Fraction(text) - value) <= last / 2
    assert all(len(line) <= 100 for line in fit.summary().splitlines())
    page = fit.to_html()
    assert "Proven digits" in page and str(fit.exact.coef.text[1]).replace("-", "−") in page and "exact=True" in page
    assert "(proven)" in page


def test_saved_and_loaded(tmp_path):
    nist = load("Wampler1")
    fit = sf.fit(nist.formula, nist.path, exact=True)
    fit.save(tmp_path / "m.json")
    again = sf.load(tmp_path / "m.json")
    assert again.exact.coef.text.tolist() == fit.exact.coef.text.tolist()
    assert again.coef.tolist() == fit.coef.tolist() and again.stderr.tolist() == fit.stderr.tolist()
    assert again.certificate == fit.certificate and again.digits.tolist() == fit.digits.tolist()
    assert again.summary() == fit.summary()
    state = fit.to_json()
    assert state["exact"]["coef"]["text"][0] == "1.0000000000000000" and state["certificate"]["rigour"] == "PROVEN"
    json.dumps(state, allow_nan=False)


def test_an_aliased_exact_fit_is_saved_and_loaded(tmp_path):
    fit = sf.fit("y ~ a + I(2*a)", {"a": [1, 2, 4], "y": [1, 2, 5]}, exact=True)
    fit.save(tmp_path / "m.json")
    again = sf.load(tmp_path / "m.json")
    assert again.summary() == fit.summary() and math.isnan(again.digits[2])


def test_a_later_look_or_robust_error_takes_no_proof_away():
    rng = np.random.default_rng(1)
    data = pa.table({"x": rng.normal(size=30), "y": rng.normal(size=30)})
    fit = sf.fit("y ~ x", data, exact=True, diagnostics=False)
    assert fit.look is None
    looked = fit.diagnose()
    assert looked.look is not None and looked.certificate == fit.certificate and np.all(looked.digits == 17)
    robust = fit.robust("HC3")
    assert robust.stderr == pytest.approx(sf.fit("y ~ x", data).robust("HC3").stderr, rel=1e-12)
    assert str(fit.exact.stderr.text[0]) not in robust.summary() and str(fit.exact.coef.text[0]) in robust.summary()
