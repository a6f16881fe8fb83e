"""Agreement with statsmodels on every statistic that both print, to 1e-9, on the real data sets that it ships.

statsmodels is asked for QR: its default pseudoinverse loses digits on columns of a large condition, which
``test_where_the_pseudoinverse_differs_exact_arithmetic_sides_with_surefoot`` shows.
"""

import warnings
from functools import cache

import numpy as np
import pytest
from scipy import stats

import surefoot as sf
from exact import correct, solve
from nistdata import digits, load

sm = pytest.importorskip("statsmodels.api")
from statsmodels.stats.anova import anova_lm  # noqa: E402
from statsmodels.stats.outliers_influence import OLSInfluence, variance_inflation_factor  # noqa: E402
from statsmodels.stats.stattools import durbin_watson, jarque_bera  # noqa: E402

REL = 1e-9

MODELS = {
    "anes96": "popul ~ TVnews + selfLR + ClinLR + DoleLR + PID + age + educ + income + vote",
    "cancer": "cancer ~ population",
    "ccard": "AVGEXP ~ AGE + INCOME + INCOMESQ + OWNRENT",
    "china_smoking": "smoking_yes_cancer_yes ~ smoking_yes_cancer_no + smoking_no_cancer_yes",
    "committee": "BILLS104 ~ SIZE + SUBS + STAFF + PRESTIGE + BILLS103",
    "copper": "WORLDCONSUMPTION ~ COPPERPRICE + INCOMEINDEX + ALUMPRICE + INVENTORYINDEX + TIME",
    "cpunish": "EXECUTIONS ~ INCOME + PERPOVERTY + PERBLACK + VC100k96 + SOUTH + DEGREE",
    "danish_data": "lrm ~ lry + lpy + ibo + ide",
    "elnino": "DEC ~ YEAR + JAN + FEB + MAR + APR + MAY + JUN + JUL + AUG + SEP + OCT + NOV",
    "engel": "foodexp ~ income",
    "fair": "affairs ~ rate_marriage + age + yrs_married + children + religious + educ + occupation",
    "grunfeld": "invest ~ value + capital + year",
    "heart": "survival ~ censors + age",
    "interest_inflation": "R ~ Dp + year + quarter",
    "longley": "TOTEMP ~ GNPDEFL + GNP + UNEMP + ARMED + POP + YEAR",
    "macrodata": "realcons ~ realgdp + realinv + realgovt + realdpi + cpi + m1 + tbilrate + unemp + pop + infl"
    " + realint",
    "modechoice": "choice ~ ttme + invc + invt + gc + hinc + psize",
    "nile": "volume ~ year",
    "randhie": "mdvis ~ lncoins + idp + lpi + fmde + physlm + disea + hlthg + hlthf + hlthp",
    "scotland": "YES ~ COUTAX + UNEMPF + MOR + ACT + GDP + AGE + COUTAX_FEMALEUNEMP",
    "spector": "GRADE ~ GPA + TUCE + PSI",
    "stackloss": "STACKLOSS ~ AIRFLOW + WATERTEMP + ACIDCONC",
    "star98": "NABOVE ~ LOWINC + PERASIAN + PERBLACK + PERHISP + PERMINTE + AVYRSEXP + AVSALK + PERSPENK + PTRATIO",
    "statecrime": "murder ~ violent + hs_grad + poverty + single + white + urban",
    "strikes": "duration ~ iprod",
    "sunspots": "SUNACTIVITY ~ YEAR",
}  # fmt: skip
SMALL = [name for name in MODELS if name not in ("randhie", "fair")]


@cache
def data_of(name):
    return getattr(sm.datasets, name).load_pandas().data


def parts_of(name, intercept=True):
    """Response, predictors as doubles, and their names."""
    data = data_of(name)
    left, right = MODELS[name].split(" ~ ")
    terms = right.split(" + ")
    ones = [np.ones(len(data))] if intercept else []
    X = np.column_stack([*ones, *(data[term].to_numpy(float) for term in terms)])
    return data[left].to_numpy(float), X, terms


def both(name, intercept=True, weights=None, **options):
    y, X, _ = parts_of(name, intercept)
    formula = MODELS[name] if intercept else MODELS[name].replace(" ~ ", " ~ 0 + ")
    mine = sf.fit(formula, data_of(name), weights=weights, diagnostics=True)
    model = sm.OLS(y, X) if weights is None else sm.WLS(y, X, weights=weights)
    return mine, model.fit(method="qr", **options)


def near(expected, rel=REL):
    """Relative agreement; for the elements of an array relative to each of them."""
    return pytest.approx(expected, rel=rel, abs=0)


class Exactly:
    """Results under the names of statsmodels, from the exact solution: for Longley, where it has 8 digits.

    ``test_longley_is_held_against_exact_arithmetic`` shows that it is statsmodels which is off.
    """

    def __init__(self, name, weights, df):
        y, X, _ = parts_of(name)
        self.truth = solve(X, y, weights)
        self.params = np.array([float(b) for b in self.truth.coef])
        self.bse = np.array(self.truth.stderr)
        self.tvalues = self.params / self.bse
        self.pvalues = 2 * stats.t.sf(np.abs(self.tvalues), df)
        self.df = df

    def conf_int(self, alpha=0.05):
        half = stats.t.isf(alpha / 2, self.df) * self.bse
        return np.column_stack([self.params - half, self.params + half])


def assert_coefficients_agree(mine, theirs):
    assert mine.coef == near(theirs.params)
    assert mine.stderr == near(theirs.bse)
    assert mine.t == near(theirs.tvalues)
    # Far in the tail a relative change of t by 1e-9 changes p by t^2 times as much; t itself has agreed above.
    for p, other, t in zip(mine.p, theirs.pvalues, theirs.tvalues, strict=True):
        assert p == pytest.approx(other, rel=REL * max(1.0, t**2), abs=1e-300)
    # An end of an interval is a difference, and agrees relative to its terms: it may be nearly zero itself.
    terms = np.maximum(np.abs(theirs.params), theirs.bse)[:, None]
    assert mine.interval() / terms == pytest.approx(theirs.conf_int() / terms, rel=REL, abs=REL)
    assert mine.interval(0.5) / terms == pytest.approx(theirs.conf_int(0.5) / terms, rel=REL, abs=REL)


def assert_statistics_agree(mine, theirs):
    s = mine.statistics
    assert (s.rows, s.df_model, s.df_residual) == (theirs.nobs, theirs.df_model, theirs.df_resid)
    assert s.has_constant == bool(theirs.k_constant)
    assert mine.sigma**2 == near(theirs.mse_resid)
    assert s.residual_length**2 == near(theirs.ssr)
    assert s.total_length**2 == near(theirs.centered_tss if s.has_constant else theirs.uncentered_tss)
    assert mine.r2 == near(theirs.rsquared)
    assert s.r2_adjusted == near(theirs.rsquared_adj)
    assert s.f == near(theirs.fvalue)
    assert s.f_p == pytest.approx(theirs.f_pvalue, rel=REL, abs=1e-300)
    assert s.log_likelihood == near(theirs.llf)
    assert s.aic == near(theirs.aic)
    assert s.bic == near(theirs.bic)


def assert_residuals_agree(mine, theirs):
    residuals = theirs.wresid
    score, p, skew, kurtosis = jarque_bera(residuals)
    assert mine.look.durbin_watson == near(durbin_watson(residuals))
    assert mine.look.jarque_bera == near(score)
    assert mine.look.jarque_bera_p == pytest.approx(p, rel=REL * max(1.0, score), abs=1e-300)
    assert mine.look.kurtosis == near(kurtosis)
    assert mine.look.skew == pytest.approx(skew, rel=REL, abs=1e-11)
    scale = np.abs(theirs.resid).max()
    assert mine.residuals() == pytest.approx(theirs.resid, rel=REL, abs=REL * scale)
    assert mine.look.quartiles == pytest.approx(
        np.quantile(residuals, [0, 0.25, 0.5, 0.75, 1]), rel=REL, abs=REL * np.abs(residuals).max()
    )


@pytest.mark.parametrize("name", MODELS)
def test_with_intercept(name):
    mine, theirs = both(name)
    assert_coefficients_agree(mine, Exactly(name, None, theirs.df_resid) if name == "longley" else theirs)
    assert_statistics_agree(mine, theirs)
    assert_residuals_agree(mine, theirs)
    assert mine.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM


@pytest.mark.parametrize("name", SMALL)
def test_without_intercept(name):
    mine, theirs = both(name, intercept=False)
    assert_coefficients_agree(mine, theirs)
    assert_statistics_agree(mine, theirs)
    assert_residuals_agree(mine, theirs)


@pytest.mark.parametrize("name", SMALL)
def test_weighted(name):
    weights = np.random.default_rng(5).uniform(0.2, 5.0, len(data_of(name)))
    mine, theirs = both(name, weights=weights)
    assert_coefficients_agree(mine, Exactly(name, weights, theirs.df_resid) if name == "longley" else theirs)
    assert_statistics_agree(mine, theirs)
    assert_residuals_agree(mine, theirs)


def test_longley_is_held_against_exact_arithmetic():
    """The standard errors by QR of statsmodels invert R'R, which squares the condition: 8 digits are left."""
    mine, theirs = both("longley")
    truth = Exactly("longley", None, theirs.df_resid)
    nist = load("Longley")
    assert mine.stderr == near(truth.bse, rel=1e-13)
    assert min(digits(a, b) for a, b in zip(mine.stderr, nist.standard_errors, strict=True)) >= 13
    assert min(digits(a, b) for a, b in zip(truth.bse, nist.standard_errors, strict=True)) >= 13
    assert min(digits(a, b) for a, b in zip(theirs.bse, nist.standard_errors, strict=True)) < 9
    assert theirs.bse == near(truth.bse, rel=1e-7)


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
@pytest.mark.parametrize("name", ["engel", "stackloss", "statecrime", "ccard", "grunfeld", "randhie", "spector"])
def test_heteroskedastic_errors(name, kind):
    mine, theirs = both(name, cov_type=kind, use_t=True)
    assert_coefficients_agree(mine.robust(kind), theirs)
    overall = mine.robust(kind).test_all()
    assert overall.f == near(theirs.fvalue)
    assert overall.df == (theirs.df_model, theirs.df_resid)


@pytest.mark.parametrize("kind", ["HC0", "HC3"])
def test_heteroskedastic_errors_of_a_weighted_fit(kind):
    weights = np.random.default_rng(6).uniform(0.2, 5.0, len(data_of("ccard")))
    mine, theirs = both("ccard", weights=weights, cov_type=kind, use_t=True)
    assert_coefficients_agree(mine.robust(kind), theirs)


@pytest.mark.parametrize("name, groups", [("grunfeld", "firm"), ("fair", "religious"), ("anes96", "income")])
def test_clustered_errors(name, groups):
    codes = data_of(name)[groups].astype("category").cat.codes.to_numpy()
    mine, theirs = both(name, cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    assert_coefficients_agree(mine.robust("cluster", groups=groups), theirs)
    assert mine.robust("cluster", groups=groups).covariance.df == codes.max()


@pytest.mark.parametrize("lags", [0, 1, 4, 12])
@pytest.mark.parametrize("name", ["macrodata", "nile", "sunspots", "danish_data"])
def test_serially_correlated_errors(name, lags):
    mine, theirs = both(name, cov_type="HAC", cov_kwds={"maxlags": lags}, use_t=True)
    assert_coefficients_agree(mine.robust("HAC", lags=lags), theirs)


def test_serially_correlated_errors_do_not_depend_on_the_batches():
    for size in (1, 3, 50):
        fit = sf.fit(MODELS["nile"], data_of("nile"), batch_rows=size)
        _, theirs = both("nile", cov_type="HAC", cov_kwds={"maxlags": 7}, use_t=True)
        assert fit.robust("HAC", lags=7).stderr == near(theirs.bse)


def test_default_lags_follow_newey_and_west():
    fit = sf.fit(MODELS["sunspots"], data_of("sunspots"))
    assert fit.robust("HAC").covariance.detail.startswith(f"{int(4 * (309 / 100) ** (2 / 9))} lags")


@pytest.mark.parametrize(
    "mine_text, matrix",
    [
        ("AIRFLOW = WATERTEMP", [[0, 1, -1, 0]]),
        ("AIRFLOW + 2*WATERTEMP = 3", [[0, 1, 2, 0]]),
        ("AIRFLOW = 0, WATERTEMP = 0, ACIDCONC = 0", [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
        ("(Intercept) = -40, ACIDCONC = 0", [[1, 0, 0, 0], [0, 0, 0, 1]]),
    ],
)
@pytest.mark.parametrize("kind", ["classical", "HC3"])
def test_linear_hypotheses(mine_text, matrix, kind):
    right = {"AIRFLOW + 2*WATERTEMP = 3": [3.0], "(Intercept) = -40, ACIDCONC = 0": [-40.0, 0.0]}
    options = {} if kind == "classical" else {"cov_type": kind, "use_t": True}
    mine, theirs = both("stackloss", **options)
    mine = mine if kind == "classical" else mine.robust(kind)
    constraint = (np.array(matrix, float), np.array(right.get(mine_text, [0.0] * len(matrix))))
    tested, expected = mine.test(mine_text), theirs.f_test(constraint)
    assert tested.f == near(float(expected.fvalue))
    assert tested.p == near(float(expected.pvalue))
    assert tested.df == (expected.df_num, expected.df_denom)
    each = theirs.t_test(constraint)
    assert tested.estimate + constraint[1] == near(np.atleast_1d(each.effect))
    assert tested.stderr == near(np.ravel(each.sd))


def test_nested_fits_are_compared_as_anova_does():
    data = data_of("statecrime")
    formulas = ["murder ~ violent", "murder ~ violent + poverty + single", MODELS["statecrime"]]
    comparison = sf.compare(*(sf.fit(formula, data) for formula in formulas))
    y = data["murder"].to_numpy(float)
    columns = [formula.split(" ~ ")[1].split(" + ") for formula in formulas]
    fits = [sm.OLS(y, sm.add_constant(data[names].to_numpy(float))).fit(method="qr") for names in columns]
    for test, small, large in zip(comparison.tests, fits, fits[1:], strict=False):
        f, p, df = large.compare_f_test(small)
        assert (test.f, test.p) == (near(f), near(p))
        assert test.df == (df, large.df_resid)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the first row of its table, which has no F
        table = anova_lm(fits[0], fits[1], scale=fits[1].scale)
    assert comparison.tests[0].f == near(table["F"].iloc[1])


@pytest.mark.parametrize("kind", ["confidence", "prediction"])
@pytest.mark.parametrize("name", ["stackloss", "engel", "statecrime", "longley", "grunfeld"])
@pytest.mark.parametrize("weighted", [False, True])
def test_predictions_with_intervals(name, kind, weighted):
    weights = np.random.default_rng(9).uniform(0.2, 5.0, len(data_of(name))) if weighted else None
    mine, theirs = both(name, weights=weights)
    _, X, terms = parts_of(name)
    new = X[:7] * 1.01
    new[:, 0] = 1.0
    found = mine.predict(dict(zip(terms, new[:, 1:].T, strict=True)), kind, level=0.9)
    expected = theirs.get_prediction(new).summary_frame(alpha=0.1)
    low, high = ("mean_ci_lower", "mean_ci_upper") if kind == "confidence" else ("obs_ci_lower", "obs_ci_upper")
    assert found.value == near(expected["mean"].to_numpy())
    if name == "longley":  # see test_longley_is_held_against_exact_arithmetic
        truth = solve(X, parts_of(name)[0], weights)
        assert found.stderr == near([truth.mean(row)[1] for row in new])
        noise = float(truth.variance) if kind == "prediction" else 0.0
        half = stats.t.isf(0.05, theirs.df_resid) * np.sqrt(noise + found.stderr**2)
        assert found.lower == near([truth.mean(row)[0] - h for row, h in zip(new, half, strict=True)])
        assert found.upper == near([truth.mean(row)[0] + h for row, h in zip(new, half, strict=True)])
        return
    assert found.stderr == near(expected["mean_se"].to_numpy())
    assert found.lower == near(expected[low].to_numpy())
    assert found.upper == near(expected[high].to_numpy())


@pytest.mark.parametrize("name", ["stackloss", "statecrime", "longley", "grunfeld", "star98", "macrodata"])
def test_variance_inflation(name):
    mine, _ = both(name)
    _, X, terms = parts_of(name)
    for k, term in enumerate(terms, start=1):
        # Its R2 comes from a pseudoinverse of uncentred columns: 1 - R2 loses as many digits as the factor is large.
        assert mine.vif()[term] == near(variance_inflation_factor(X, k), rel=1e-7 if name in HARD else 1e-9)
        others = np.delete(X, k, axis=1)
        truth = solve(others, X[:, k])
        centred = X[:, k] - X[:, k].mean()
        assert mine.vif()[term] == near(float(centred @ centred) / float(truth.residual_ss))


HARD = ("longley", "macrodata")


@pytest.mark.parametrize("name", ["stackloss", "statecrime", "ccard", "longley", "spector"])
def test_leverage(name):
    mine, theirs = both(name)
    influence = OLSInfluence(theirs)
    leverage = np.concatenate([seen.leverage for seen in mine.residual_blocks()])
    assert leverage == near(influence.hat_matrix_diag)
    assert mine.look.largest_leverage == near(influence.hat_matrix_diag.max())
    assert mine.look.largest_leverage_row == influence.hat_matrix_diag.argmax() + 1


@pytest.mark.parametrize(
    "right", ["C(PID)", "C(PID) + age", "C(PID)*age", "0 + C(PID)", "C(PID, Treatment(3)) + C(vote)"]
)
def test_categories_through_statsmodels_formulas(right):
    import statsmodels.formula.api as smf

    mine = sf.fit(f"TVnews ~ {right}", data_of("anes96"))
    theirs = smf.ols(f"TVnews ~ {right}", data_of("anes96")).fit(method="qr")
    assert len(mine.names) == len(theirs.params)
    # The same columns may stand in another order: compare by their values.
    order = np.argsort(mine.coef)
    other = np.argsort(theirs.params.to_numpy())
    assert mine.coef[order] == near(theirs.params.to_numpy()[other])
    assert mine.stderr[order] == near(theirs.bse.to_numpy()[other])
    assert_statistics_agree(mine, theirs)


@pytest.mark.parametrize("name", ["longley", "macrodata", "elnino", "interest_inflation", "copper"])
def test_where_the_pseudoinverse_differs_exact_arithmetic_sides_with_surefoot(name):
    y, X, _ = parts_of(name)
    truth = solve(X, y)
    mine, by_qr = both(name)
    by_inverse = sm.OLS(y, X).fit()  # its default
    for known, a, b, c in zip(truth.coef, mine.coef, by_qr.params, by_inverse.params, strict=True):
        assert correct(a, known) >= 13
        assert correct(a, known) >= max(correct(b, known), correct(c, known)) - 2
    assert mine.stderr == near(truth.stderr, rel=1e-12)
