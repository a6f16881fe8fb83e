"""Bad and extreme input: each has a clear outcome, and none a warning (warnings are errors here)."""

import numpy as np
import pytest

import surefoot as sf
from exact import solve
from nistdata import load
from surefoot.errors import DataError, ModelError

RNG = np.random.default_rng(20)
A, B, NOISE = RNG.standard_normal((3, 30))
Y = 1 + 2 * A - B + NOISE
BASE = {"a": A, "b": B, "y": Y}


def assert_texts_work(fit):
    """Whatever was fitted can be shown, saved as JSON and put in a table."""
    assert fit.summary()
    assert fit.to_json()["coefficients"]
    assert fit.table().num_rows == len(fit.names)


def test_more_coefficients_than_rows():
    fit = sf.fit("y ~ a + b + c + d", {k: RNG.standard_normal(3) for k in "abcdy"})
    assert fit.rank == 3
    assert np.isnan(fit.coef).sum() == 2
    assert set(fit.aliased) == {"c", "d"}
    assert fit.verdict is sf.Verdict.GLOBAL_MINIMUM
    assert fit.statistics.df_residual == 0
    assert np.isnan(fit.sigma)
    assert np.isnan(fit.stderr).all()
    assert np.isnan(fit.p).all()
    assert np.abs(fit.residuals()).max() < 1e-12
    assert fit.r2 == pytest.approx(1.0)
    assert np.isnan(fit.statistics.f)
    assert_texts_work(fit)
    with pytest.raises(ModelError, match="degrees of freedom"):
        fit.test("a = 0")
    with pytest.raises(ModelError, match="more rows"):
        fit.robust("HC3")


def test_as_many_coefficients_as_rows():
    fit = sf.fit("y ~ a + b", {"a": [0.0, 1.0, 0.0], "b": [0.0, 0.0, 1.0], "y": [1.0, 3.0, 6.0]})
    assert fit.coef == pytest.approx([1, 2, 5], rel=1e-14)
    assert fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM
    assert np.isnan(fit.stderr).all()
    assert_texts_work(fit)


def test_one_row():
    fit = sf.fit("y ~ x", {"x": [2.0], "y": [3.0]})
    assert fit.coef[0] == 3.0
    assert fit.aliased == {"x": {"(Intercept)": 2.0}}
    assert fit.verdict is sf.Verdict.GLOBAL_MINIMUM
    assert_texts_work(fit)
    fit = sf.fit("y ~ 1", {"y": [3.0]})
    assert fit.coef.tolist() == [3.0]
    assert fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM
    assert_texts_work(fit)


@pytest.mark.parametrize("column", ["y", "x", "both"])
@pytest.mark.parametrize("value", [0.0, 7.0, 0.1, 1e150, 1e-150])
def test_constant_columns(column, value):
    constant = np.full(30, value)
    data = {"x": A, "y": Y}
    data |= {name: constant for name in ("xy" if column == "both" else column)}
    fit = sf.fit("y ~ x", data)
    if column == "y":
        assert fit.coef == pytest.approx([value, 0.0], abs=value * 1e-15)
        assert fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM
        assert np.isnan(fit.r2)
        assert np.isnan(fit.statistics.f)
    else:
        assert fit.aliased == {"x": {"(Intercept)": pytest.approx(value, rel=1e-12)} if value else {}}
        assert fit.coef[0] == pytest.approx(np.mean(data["y"]), rel=1e-14)
        assert fit.verdict is sf.Verdict.GLOBAL_MINIMUM
    assert_texts_work(fit)


def test_a_response_of_zeros():
    fit = sf.fit("y ~ a + b", BASE | {"y": np.zeros(30)})
    assert fit.coef.tolist() == [0.0, 0.0, 0.0]
    assert fit.stderr.tolist() == [0.0, 0.0, 0.0]
    assert fit.sigma == 0.0
    assert fit.statistics.log_likelihood == np.inf
    assert fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM
    assert_texts_work(fit)


@pytest.mark.parametrize("refine", [False, True])
def test_an_exact_fit(refine):
    """The residual is rounding and points anywhere: that must not be taken for a gradient."""
    fit = sf.fit("y ~ a + b", BASE | {"y": 1 / 3 + A / 7 - B * 1e3}, refine=refine)
    assert fit.coef == pytest.approx([1 / 3, 1 / 7, -1e3], rel=1e-12)
    assert fit.certificate.rigour is sf.Rigour.PROVEN and fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM
    fit = sf.fit("y ~ a + b", BASE | {"y": 1 / 3 + A / 7 - B * 1e3}, refine=refine, prove=False)
    assert fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM
    assert fit.r2 == 1.0
    assert fit.statistics.f > 1e20
    assert fit.sigma < 1e-11
    assert any("passes through every row" in line for line in fit.certificate.lines)
    assert "perpendicular" not in " ".join(fit.certificate.lines)
    assert_texts_work(fit)


@pytest.mark.parametrize("decimals", [8, 10, 12, 13, 14])
def test_nearly_exact_fits_are_judged_alike(decimals):
    fit = sf.fit("y ~ a + b", BASE | {"y": np.round(1 / 3 + A / 7 - B, decimals)})
    assert fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM


def test_aliased_columns_are_named_with_what_they_are():
    fit = sf.fit("y ~ x1 + x2 + x3 + x4", {"x1": A, "x2": B, "x3": A + 2 * B, "x4": A, "y": Y})
    assert fit.aliased == {"x3": {"x1": 1.0, "x2": 2.0}, "x4": {"x1": 1.0}}
    assert "x3 = x1 + 2*x2" in fit.summary()
    assert np.isnan(fit.coef).tolist() == [False, False, False, True, True]
    plain = sf.fit("y ~ x1 + x2", {"x1": A, "x2": B, "y": Y})
    assert fit.coef[:3] == pytest.approx(plain.coef, rel=1e-13)
    assert fit.stderr[:3] == pytest.approx(plain.stderr, rel=1e-13)
    for name in ("sigma", "r2", "f", "df_model", "df_residual", "aic"):
        assert getattr(fit.statistics, name) == pytest.approx(getattr(plain.statistics, name), rel=1e-12)


def test_rank_deficient_error_is_a_sentence_with_the_columns():
    data = {"x1": A, "x2": B, "x3": A + 2 * B, "y": Y}
    with pytest.raises(ModelError, match=r"x3 = x1 \+ 2\*x2"):
        sf.fit("y ~ x1 + x2 + x3", data, rank_deficient="error")
    assert sf.fit("y ~ x1 + x2", data, rank_deficient="error").rank == 3
    with pytest.raises(ModelError, match="'drop', 'minimum-norm', 'error', not 'perhaps'"):
        sf.fit("y ~ x1", data, rank_deficient="perhaps")


@pytest.mark.parametrize("refine", [None, False, True])
def test_minimum_norm_is_the_pseudoinverse(refine):
    data = {"x1": A, "x2": B, "x3": A + 2 * B, "x4": 3.0 * A, "y": Y}
    fit = sf.fit("y ~ x1 + x2 + x3 + x4", data, rank_deficient="minimum-norm", refine=refine)
    X = np.column_stack([np.ones(30), A, B, A + 2 * B, 3 * A])
    assert fit.coef == pytest.approx(np.linalg.pinv(X) @ Y, rel=1e-11)
    dropped = sf.fit("y ~ x1 + x2 + x3 + x4", data)
    assert fit.sigma == pytest.approx(dropped.sigma, rel=1e-12)
    assert fit.r2 == pytest.approx(dropped.r2, rel=1e-12)
    assert fit.residuals() == pytest.approx(dropped.residuals(), rel=1e-9, abs=1e-12)
    covariance = np.linalg.pinv(X) @ np.linalg.pinv(X).T * fit.sigma**2
    assert fit.covariance.matrix() == pytest.approx(covariance, rel=1e-9, abs=1e-12)
    assert np.linalg.norm(fit.coef) < np.linalg.norm(np.nan_to_num(dropped.coef))
    assert fit.verdict is sf.Verdict.GLOBAL_MINIMUM
    assert fit.predict({"x1": [1.0], "x2": [0.0], "x3": [1.0], "x4": [3.0]}).value == pytest.approx(
        dropped.predict({"x1": [1.0], "x2": [0.0], "x3": [1.0], "x4": [3.0]}).value, rel=1e-10
    )


def test_columns_of_1e150_beside_1e_150():
    plain = sf.fit("y ~ a + b", BASE)
    scaled = sf.fit("y ~ a + b", {"a": A * 1e150, "b": B * 1e-150, "y": Y})
    units = np.array([1.0, 1e-150, 1e150])
    assert scaled.rank == 3
    assert scaled.coef / units == pytest.approx(plain.coef, rel=1e-12)
    assert scaled.stderr / units == pytest.approx(plain.stderr, rel=1e-12)
    assert scaled.t == pytest.approx(plain.t, rel=1e-12)
    assert scaled.p == pytest.approx(plain.p, rel=1e-10)
    assert scaled.interval() / units[:, None] == pytest.approx(plain.interval(), rel=1e-11)
    assert scaled.statistics.f == pytest.approx(plain.statistics.f, rel=1e-12)
    assert scaled.vif() == pytest.approx(plain.vif(), rel=1e-12)
    assert scaled.look.durbin_watson == pytest.approx(plain.look.durbin_watson, rel=1e-12)
    assert scaled.look.jarque_bera == pytest.approx(plain.look.jarque_bera, rel=1e-10)
    assert scaled.digits == pytest.approx(plain.digits, abs=0.1)
    assert scaled.test("(Intercept) = 0").f == pytest.approx(plain.test("(Intercept) = 0").f, rel=1e-12)
    new, old = {"a": [2e150], "b": [1e-150]}, {"a": [2.0], "b": [1.0]}
    assert scaled.predict(new, "prediction").upper == pytest.approx(plain.predict(old, "prediction").upper, rel=1e-12)
    for kind in ("HC0", "HC3"):
        assert scaled.robust(kind).stderr / units == pytest.approx(plain.robust(kind).stderr, rel=1e-11)
    assert_texts_work(scaled)


@pytest.mark.parametrize("unit", [1e150, 1e-150, 1e200, 1e-200])
def test_a_response_in_extreme_units(unit):
    plain, scaled = sf.fit("y ~ a + b", BASE), sf.fit("y ~ a + b", BASE | {"y": Y * unit})
    assert scaled.coef / unit == pytest.approx(plain.coef, rel=1e-12)
    assert scaled.stderr / unit == pytest.approx(plain.stderr, rel=1e-12)
    assert scaled.t == pytest.approx(plain.t, rel=1e-12)
    assert scaled.sigma / unit == pytest.approx(plain.sigma, rel=1e-12)
    assert scaled.r2 == pytest.approx(plain.r2, rel=1e-13)
    assert scaled.statistics.f == pytest.approx(plain.statistics.f, rel=1e-12)
    assert scaled.statistics.log_likelihood == pytest.approx(
        plain.statistics.log_likelihood - 30 * np.log(unit), rel=1e-12
    )
    assert scaled.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM
    for kind in ("HC0", "HC3", "HAC"):
        assert scaled.robust(kind).stderr / unit == pytest.approx(plain.robust(kind).stderr, rel=1e-11)
    assert_texts_work(scaled)


def test_numbers_beyond_what_can_be_squared_twice_are_a_sentence():
    with pytest.raises(DataError, match="larger units"):
        sf.fit("y ~ a", {"a": np.full(100, 1.7e308), "y": np.ones(100)}, weights=np.full(100, 0.25))


def test_missing_values_are_dropped_and_counted_or_refused():
    a = A.copy()
    a[[3, 7]] = np.nan
    y = Y.copy()
    y[[7, 11]] = np.nan
    fit = sf.fit("y ~ a + b", {"a": a, "b": B, "y": y})
    kept = ~(np.isnan(a) | np.isnan(y))
    other = sf.fit("y ~ a + b", {"a": a[kept], "b": B[kept], "y": y[kept]})
    assert np.array_equal(fit.coef, other.coef)
    assert fit.statistics == other.statistics
    assert (fit.account.rows_read, fit.account.rows_missing) == (30, 3)
    assert len(fit.residuals()) == 27
    with pytest.raises(DataError, match="no value"):
        sf.fit("y ~ a + b", {"a": a, "b": B, "y": y}, missing="error")
    with pytest.raises(DataError, match="Every one of the 30 rows"):
        sf.fit("y ~ a", {"a": np.full(30, np.nan), "y": Y})
    with pytest.raises(ModelError, match="'drop' or 'error'"):
        sf.fit("y ~ a", BASE, missing="guess")


def test_infinite_values_negative_weights_and_broken_frequencies_are_sentences():
    a = A.copy()
    a[4] = np.inf
    with pytest.raises(DataError, match="finite"):
        sf.fit("y ~ a", BASE | {"a": a})
    w = np.ones(30)
    for bad, word in ((-1.0, "weight"), (np.inf, "weight")):
        w[5] = bad
        with pytest.raises(DataError, match=word):
            sf.fit("y ~ a", BASE, weights=w)
    w[5] = 1.5
    with pytest.raises(DataError, match="whole number"):
        sf.fit("y ~ a", BASE, frequencies=w)
    with pytest.raises(DataError, match="weight of zero"):
        sf.fit("y ~ a", BASE, weights=np.zeros(30))


def test_an_empty_table_is_a_sentence():
    with pytest.raises(DataError, match="no rows"):
        sf.fit("y ~ a", BASE, filter="a > 100")


def test_other_wishes_that_cannot_be_met_are_sentences():
    with pytest.raises(ModelError, match="between 0 and 1"):
        sf.fit("y ~ a", BASE, level=95)
    with pytest.raises(ModelError, match="at least one row"):
        sf.fit("y ~ a", BASE, batch_rows=0)
    with pytest.raises(ModelError, match="not 'HC9'"):
        sf.fit("y ~ a", BASE, errors="HC9")
    with pytest.raises(KeyError, match="no coefficient named 'z'"):
        sf.fit("y ~ a", BASE)["z"]


@pytest.mark.parametrize("rows", [10, 1000, 100_000])
@pytest.mark.parametrize("unit", [1.0, 1e-120, 1e120])
def test_a_duplicated_column_is_found_whatever_its_unit_and_the_rows(rows, unit):
    a, b = np.random.default_rng(rows).standard_normal((2, rows))
    fit = sf.fit("y ~ a + b + c", {"a": a, "b": b, "c": a * unit, "y": a + b**2}, diagnostics=False)
    assert list(fit.aliased) == ["c"]
    assert fit.aliased["c"]["a"] == pytest.approx(unit, rel=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_duplicated_column_is_found_in_batches_of_one_row(weighted):
    rng = np.random.default_rng(8)
    a, b = rng.standard_normal((2, 3000))
    weights = 10.0 ** rng.uniform(-6, 6, 3000) if weighted else None
    fit = sf.fit(
        "y ~ a + b + c", {"a": a, "b": b, "c": a - 3 * b, "y": a + b**2}, batch_rows=1, weights=weights,
        diagnostics=False, refine=False,
    )  # fmt: skip
    assert fit.aliased == {"c": {"a": pytest.approx(1.0), "b": pytest.approx(-3.0)}}
    assert fit.verdict is sf.Verdict.GLOBAL_MINIMUM


@pytest.mark.parametrize("refine", [False, True])
@pytest.mark.parametrize("gap", [1e-8, 1e-10, 1e-12, 1e-13])
def test_nearly_dependent_columns_stay_and_are_honest_about_their_digits(gap, refine):
    c = A + gap * B
    fit = sf.fit("y ~ 0 + a + c", {"a": A, "c": c, "y": Y}, refine=refine)
    truth = solve(np.column_stack([A, c]), Y)
    assert fit.rank == 2
    errors = [abs(float(b) - e) / abs(float(b)) for b, e in zip(truth.coef, fit.coef, strict=True)]
    assert max(errors) < 10.0 ** (1 - fit.digits.min())
    assert fit.stderr == pytest.approx(truth.stderr, rel=1e-12 if refine else max(1e-9, 1e-15 / gap))
    assert_texts_work(fit)


def test_filip_is_not_declared_rank_deficient_in_any_unit():
    nist = load("Filip")
    for unit in (1.0, 2.0**20, 1e-3):
        x = nist.columns["x"] * unit
        fit = sf.fit(nist.formula, {"x": x, "y": nist.columns["y"]}, rank_deficient="error")
        assert fit.rank == 11
        assert fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM


def test_residuals_of_nearly_dependent_columns_in_wild_weights_refine():
    """Refinement must survive a first pass whose rounding is as large as it can be."""
    rng = np.random.default_rng(11)
    weights = 10.0 ** rng.uniform(-12, 12, 200)
    a, b = rng.standard_normal((2, 200))
    X = np.column_stack([np.ones(200), a, a + 1e-7 * b])
    y = rng.standard_normal(200)
    fit = sf.fit("y ~ a + c", {"a": X[:, 1], "c": X[:, 2], "y": y}, weights=weights, refine=True, batch_rows=3)
    truth = solve(X, y, weights)
    assert fit.coef == pytest.approx([float(b) for b in truth.coef], rel=1e-12)
    assert fit.stderr == pytest.approx(truth.stderr, rel=1e-12)
