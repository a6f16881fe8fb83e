"""The summary, part by part: what is said, and what is not said, for each kind of fit."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

import surefoot as sf
from surefoot.report.cells import probability
from surefoot.report.text import comparison_text

TABLE = {
    "x": [1.0, 2, 3, 4, 5, 6],
    "y": [1.1, 1.9, 3.2, 3.9, 5.1, 6.2],
    "z": [2.0, 4, 6, 8, 10, 12],
    "v": [3.0, 1, 4, 1, 5, 9],
    "m": [1.0, None, 2, 3, 4, 5],
    "w": [1.0, 0, 1, 2, 1, 1],
    "n": [1, 2, 0, 1, 1, 1],
    "g": ["a", "b", "a", "c", "c", "b"],
    "k": [5.0] * 6,
}


def summary(formula, table=TABLE, **options):
    return sf.fit(formula, table, **options).summary()


def rows_of(text):
    """Lines of the coefficient table by name."""
    lines = text.split("\n\n")
    (table,) = [part for part in lines if "estimate" in part.splitlines()[0]]
    return {line.split("  ")[0]: line for line in table.splitlines()[1:]}


def test_the_whole_of_a_plain_summary():
    fit = sf.fit("y ~ x", TABLE)
    fit = replace(fit, account=replace(fit.account, seconds=0.03))
    lines = fit.summary().splitlines()
    verdict = next(k for k, line in enumerate(lines) if line.startswith("Verdict"))
    assert lines[:verdict] == [
        "y ~ x                                                                 6 rows, 2 coefficients, 0.03 s",
        "",
        "                  min          1Q      median          3Q         max",
        "residuals     -0.1781   -0.099524    0.037619    0.086905     0.14476",
        "",
        "              estimate   std.err       t        p        95% interval",
        "(Intercept)  -0.013333  0.135060  -0.099    0.926   [-0.388321, 0.361654]",
        "x             1.022857  0.034680  29.494  7.9e-06   [ 0.926569, 1.119145]",
        "",
        "residual sd 0.145078 on 4 df     R2 0.995423     adjusted 0.994278",
        "F 869.891 on 1 and 4 df, p 7.9e-06     log-likelihood 4.28567     AIC -4.57134     BIC -4.98782",
        "Durbin-Watson 3.184     Jarque-Bera 0.6538, p 0.721     largest leverage 0.524 (row 1)",
        lines[12],
        "",
        "Method: QR in one pass, refined in a second with twice the precision. Stopped: closed form, nothing",
        "  to iterate.",
    ]
    assert lines[12].startswith("condition 4.3 (equilibrated)     backward error ")
    ending = " ".join(lines[verdict:])
    assert ending.startswith("Verdict: unique global minimum (proven in 0.")
    assert "The bowl's smallest curvature is 2.19." in ending
    assert re.search(r"At least 1[2-5] digits of each +coefficient are +determined\.$", ending)


def test_missing_and_weightless_rows_are_counted():
    assert "left out" not in summary("y ~ x")
    assert "1 of 6 rows left out: a value was missing.\n" in summary("y ~ m")
    text = summary("y ~ x", weights="w")
    assert "1 of 6 rows left out: their weight is zero.\nWeights: w.\n" in text
    assert "5 rows, 2 coefficients" in text
    text = summary("y ~ x", frequencies="n")
    assert "1 of 6 rows left out: their frequency is zero.\nFrequencies: n.\n" in text
    assert "6 rows, 2 coefficients" in text
    text = summary("y ~ m", weights="I(2*w)", frequencies="n")
    assert (
        "1 of 6 rows left out: a value was missing.\n1 of 6 rows left out: their weight or frequency is zero.\n" in text
    )
    assert "Weights: 2*w.\nFrequencies: n.\n" in text


def test_weighted_residuals_are_called_so():
    assert "\nweighted residuals " in summary("y ~ x", weights="w")
    assert "\nresiduals " in summary("y ~ x", frequencies="n")


def test_arrays_have_no_backticks():
    assert "Weights: (weights).\n" in summary("y ~ x", weights=TABLE["w"])


def test_robust_errors_are_named():
    assert "Standard errors" not in summary("y ~ x")
    assert "Standard errors: HC3.\n" in summary("y ~ x", errors="HC3")
    assert "Standard errors: cluster (3 clusters of g" in summary("y ~ x", errors="cluster", groups="g")
    assert re.search(r"Standard errors: HAC \(.*2.*\)\.\n", summary("y ~ x", errors="HAC", lags=2))


def test_aliased_coefficients_name_their_columns():
    text = summary("y ~ x + z")
    assert rows_of(text)["z"].split() == ["z", "aliased"]
    assert "\naliased: z = 2*x\n" in text
    assert "Verdict: global minimum (numerical). A flat valley" in text
    assert "It is flat along -2*x + z." in " ".join(text.split())
    assert "aliased" not in summary("y ~ x")


def test_digits_are_shown_only_where_there_are_few():
    assert " digits\n" not in summary("y ~ x")
    rng = np.random.default_rng(1)
    table = {"x": rng.normal(size=50), "e": rng.normal(size=50), "y": rng.normal(size=50)}
    fit = sf.fit("y ~ x + I(x + 1e-11*e)", table)
    assert min(fit.digits) < 6
    text = fit.summary()
    assert text.split("95% interval")[1].splitlines()[0].split() == ["digits"]
    for digits, line in zip(fit.digits, rows_of(text).values(), strict=True):
        assert int(line.split()[-1]) == math.floor(digits)
    assert f"At least {math.floor(min(fit.digits))} digits of each coefficient" in " ".join(text.split())


def test_no_degrees_of_freedom():
    text = summary("y ~ poly(x, 5)")
    assert "no residual degrees of freedom: no standard errors" in text
    assert "residual sd" not in text
    assert "log-likelihood" not in text
    assert "nan" not in text
    assert all(line.split()[-6:-2] == ["-", "-", "-", "[-,"] or line.endswith("-  -  -   [-, -]")
               for line in rows_of(text).values())  # fmt: skip


def test_a_constant_response():
    text = summary("k ~ x")
    assert "R2 undefined: the response is constant" in text
    assert "adjusted" not in text
    assert "F " not in text.split("residual sd")[1].split("condition")[0]
    assert "nan" not in text


def test_r2_without_a_constant():
    assert "R2 0.999109 (about zero: no constant)" in summary("y ~ 0 + x")
    assert "about zero" not in summary("y ~ 0 + g")  # the levels together are the constant
    assert "about zero" not in summary("y ~ x")


def test_r2_of_nines_shows_the_first_other_digit():
    noise = np.array([1.0, -1, 1, -1, 1, -1]) * 1e-5
    assert re.search(
        r"R2 0\.9999999999\d*[0-8]", summary("y ~ x", {"x": TABLE["x"], "y": np.array(TABLE["x"]) + noise})
    )


def test_a_formula_without_coefficients():
    text = summary("y ~ 0")
    assert "0 coefficients" in text
    assert "estimate" not in text
    assert "\n\n\n" not in text


@pytest.mark.parametrize("level", [0.5, 0.9, 0.999, 0.9999999, 0.29])
def test_the_level_is_written_in_full(level):
    shown = re.search(r"([\d.]+)% interval", summary("y ~ x", level=level)).group(1)
    assert float(shown) == pytest.approx(100 * level, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-150, 1e-9, 1e-3, 1.0, 1e4, 1e8, 1e9, 1e12, 1e150])
@pytest.mark.parametrize("noise", [1e-12, 1e-3, 1.0])
def test_numbers_of_any_size_can_be_read_back(scale, noise):
    """Estimate, standard error and interval show at least three digits, and fit a hundred columns."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=40)
    fit = sf.fit("y ~ x", {"x": x, "y": (1 + x + noise * rng.normal(size=40)) * scale})
    text = fit.summary()
    assert max(map(len, text.splitlines())) <= 100
    for k, line in enumerate(rows_of(text).values()):
        estimate, error = (float(one) for one in line.split()[1:3])
        assert estimate == pytest.approx(fit.coef[k], rel=2e-3, abs=fit.stderr[k] / 50)
        assert error == pytest.approx(fit.stderr[k], rel=6e-3)
        low, high = (float(one) for one in re.search(r"\[(.*), (.*)\]", line).groups())
        np.testing.assert_allclose([low, high], fit.interval()[k], rtol=2e-3, atol=fit.stderr[k] / 50)


def test_long_names_keep_both_ends():
    name = "`a column whose name tells a story of its own, as the ones in spreadsheets sometimes do`"
    table = {**TABLE, name.strip("`"): TABLE["v"]}
    (shown,) = [row for row in rows_of(summary(f"y ~ {name}:x", table)) if "..." in row]
    assert shown.startswith("`a c")
    assert shown.endswith(":x")


def test_long_formulas_are_wrapped():
    text = summary("y ~ " + " + ".join(f"I(x^{k})" for k in range(1, 4)) + " + " + " + ".join(["v"] * 60))
    heading = text.split("\n\n")[0].splitlines()
    assert len(heading) > 2
    assert heading[-1].strip().startswith("6 rows")
    assert " ".join(line.strip() for line in heading[:-1]).startswith("y ~ I(x^1) + I(x^2) + I(x^3) + v + v")


def test_one_row_one_coefficient():
    assert "1 row, 1 coefficient, " in summary("y ~ 1", {"y": [3.0]})


def test_probabilities():
    assert [probability(p) for p in (1.0, 0.0499, 0.001, 0.00099, 1e-15, 9e-17, 0.0, math.nan)] == [
        "1.000", "0.050", "0.001", "9.9e-04", "1.0e-15", "<1e-16", "<1e-16", "-"
    ]  # fmt: skip


def test_minutes():
    fit = sf.fit("y ~ x", TABLE)
    for seconds, words in [(59.994, "59.99 s"), (61.0, "1 min 1 s"), (119.7, "2 min 0 s"), (3600.0, "60 min 0 s")]:
        text = replace(fit, account=replace(fit.account, seconds=seconds)).summary()
        assert text.splitlines()[0].endswith(f", {words}")


def test_a_test_says_its_numbers():
    fit = sf.fit("y ~ x", TABLE)
    test = fit.test("x = 1")
    assert str(test).splitlines() == [
        f"x = 1: F {test.f:.6g} on 1 and 4 df, p {test.p:.3f}",
        f"left minus right: {fit['x'].value - 1:.6g}, standard error {fit['x'].stderr:.6g}",
    ]
    assert len(str(fit.test("x = 1, (Intercept) = 0")).splitlines()) == 1


def test_a_comparison_fits_the_page():
    long = "y ~ x + v + " + " + ".join(f"I(v^{k})" for k in range(2, 4))
    comparison = sf.compare(sf.fit("y ~ 1", TABLE), sf.fit("y ~ x", TABLE), sf.fit(long, TABLE))
    text = comparison_text(comparison)
    assert max(map(len, text.splitlines())) <= 100
    assert re.search(r"2 beside 1: F [\d.]+ on 1 and 4 df", text) or "2 beside 1: F" in text
    assert text.count("beside") == 2
    apart = sf.compare(sf.fit("y ~ x", TABLE), sf.fit("y ~ v", TABLE))
    assert "not nested" in comparison_text(apart)


def test_reading_notes_are_shown(tmp_path):
    (tmp_path / "t.csv").write_text("x;y\n1,5;2\n2,5;3,5\n3,5;7\n")
    assert "decimal comma" in summary("y ~ x", tmp_path / "t.csv")
