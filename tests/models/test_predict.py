import numpy as np
import pytest

import surefoot as sf
from surefoot.errors import DataError, ModelError

RNG = np.random.default_rng(70)
DATA = {"a": RNG.standard_normal(40), "x": RNG.uniform(1, 4, 40), "g": RNG.choice(["u", "v", "w"], 40)}
DATA["y"] = DATA["a"] + DATA["x"] + RNG.standard_normal(40)
FORMULAS = ["y ~ a + x", "y ~ a*C(g)", "y ~ poly(x, 3) + bs(a, df=5)", "y ~ log(x) + scale(a) + I(a^2)", "y ~ 0 + a:g"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_rows_of_the_fit_get_their_fitted_values(formula):
    fit = sf.fit(formula, DATA)
    assert fit.predict(DATA).value == pytest.approx(DATA["y"] - fit.residuals(), rel=1e-12)
    one = fit.predict({name: values[3] for name, values in DATA.items()})
    assert one.value == pytest.approx(fit.predict(DATA).value[3:4], rel=1e-12)


def test_intervals_from_first_principles():
    from scipy import stats

    fit = sf.fit("y ~ a + x", DATA)
    X = np.column_stack([np.ones(40), DATA["a"], DATA["x"]])
    mean_se = np.sqrt(np.einsum("ij,jk,ik->i", X, np.linalg.inv(X.T @ X), X)) * fit.sigma
    for kind, noise in (("confidence", 0.0), ("prediction", fit.sigma)):
        found = fit.predict(DATA, kind, level=0.8)
        half = stats.t.isf(0.1, 37) * np.hypot(mean_se, noise)
        assert found.upper - found.value == pytest.approx(half, rel=1e-10)
        assert found.value - found.lower == pytest.approx(half, rel=1e-10)
    assert fit.predict(DATA).lower is None


def test_new_categories_and_missing_values_are_said_and_get_no_prediction():
    fit = sf.fit("y ~ a + g", DATA)
    found = fit.predict({"a": [1.0, 1.0, np.nan, 1.0, np.nan], "g": ["u", "new", "v", None, "new"]}, "prediction")
    assert np.isnan(found.value).tolist() == [False, True, True, True, True]
    for values in (found.stderr, found.lower, found.upper):
        assert np.array_equal(np.isnan(values), np.isnan(found.value))
    assert found.missing == 3
    assert list(found.unknown) == ["g = 'new'"]
    remarks = " ".join(found.remarks())
    assert "3 rows" in remarks
    assert "missing" in remarks
    assert "g = 'new'" in remarks


def test_a_missing_predictor_column_is_a_sentence():
    fit = sf.fit("y ~ a + x", DATA)
    with pytest.raises(DataError, match="x"):
        fit.predict({"a": [1.0]})
    with pytest.raises(ModelError, match="'confidence'"):
        fit.predict({"a": [1.0], "x": [1.0]}, "both")
    with pytest.raises(ModelError, match="between 0 and 1"):
        fit.predict({"a": [1.0], "x": [1.0]}, "confidence", level=1.0)


def test_an_offset_is_added_and_the_response_not_needed():
    fit = sf.fit("y ~ a", DATA, offset="3*x")
    plain = sf.fit("z ~ a", DATA | {"z": DATA["y"] - 3 * DATA["x"]})
    new = {"a": [0.5, 1.0], "x": [10.0, 20.0]}
    assert fit.predict(new).value == pytest.approx(plain.predict(new).value + 3 * np.array(new["x"]), rel=1e-12)


@pytest.mark.parametrize("rank_deficient", ["drop", "minimum-norm"])
def test_rows_that_leave_the_valley_get_no_prediction(rank_deficient):
    data = DATA | {"b": DATA["a"] - 2 * DATA["x"]}
    fit = sf.fit("y ~ a + x + b", data, rank_deficient=rank_deficient)
    plain = sf.fit("y ~ a + x", DATA)
    a, x = np.array([1.0, 1.0, np.nan, 0.0]), np.array([2.0, 2.0, 2.0, 0.0])
    found = fit.predict({"a": a, "x": x, "b": [-3.0, -3.1, 0.0, 0.0]}, "prediction")
    assert np.isnan(found.value).tolist() == [False, True, True, False]
    assert (found.not_estimable, found.missing) == (1, 1)
    assert "depend" in " ".join(found.remarks())
    expected = plain.predict({"a": a, "x": x}, "prediction")
    for name in ("value", "stderr", "lower", "upper"):
        assert getattr(found, name)[[0, 3]] == pytest.approx(getattr(expected, name)[[0, 3]], rel=1e-10)


@pytest.mark.parametrize("rank_deficient", ["drop", "minimum-norm"])
def test_whether_a_row_leaves_the_valley_does_not_depend_on_units(rank_deficient):
    for unit in (1e-100, 1.0, 1e100):
        data = {"a": DATA["a"] * unit, "b": DATA["a"] * 3.0, "y": DATA["y"]}
        fit = sf.fit("y ~ a + b", data, rank_deficient=rank_deficient)
        found = fit.predict({"a": np.array([1.0, 1.0, 1.0]) * unit, "b": [3.0, 3.0 * (1 + 1e-13), 3.001]})
        assert np.isnan(found.value).tolist() == [False, False, True]


def test_the_rows_of_a_rank_deficient_fit_are_all_predicted():
    rng = np.random.default_rng(1)
    base = rng.standard_normal((200, 3)) * [1.0, 1e6, 1e-6]
    data = {f"x{k}": base @ rng.uniform(-1, 1, 3) for k in range(6)} | {"y": rng.standard_normal(200)}
    fit = sf.fit("y ~ x0 + x1 + x2 + x3 + x4 + x5", data)
    found = fit.predict(data)
    assert found.not_estimable == 0
    assert found.value == pytest.approx(data["y"] - fit.residuals(), rel=1e-9)


def test_a_constant_model_predicts_any_rows():
    fit = sf.fit("y ~ 1", DATA)
    assert fit.predict({"z": [1.0, 2.0, 3.0]}).value == pytest.approx([DATA["y"].mean()] * 3, rel=1e-14)


def test_a_prediction_is_an_array_and_a_table():
    found = sf.fit("y ~ a", DATA).predict({"a": [1.0, 2.0]}, "confidence")
    assert np.asarray(found).shape == (2,)
    assert len(found) == 2
    assert found.table().column_names == ["prediction", "stderr", "lower", "upper"]


def test_no_rows_give_no_predictions():
    assert len(sf.fit("y ~ a", DATA).predict({"a": np.zeros(0)})) == 0


def test_rows_where_the_model_has_no_finite_value_are_said():
    table = {"x": [1.0, 2.0, 3.0, 4.0, 5.0], "y": [0.1, 0.8, 1.2, 1.3, 1.7]}
    prediction = sf.fit("y ~ log(x)", table).predict({"x": [2.0, -1.0, 0.0, np.nan]}, interval="prediction")
    assert np.isfinite(prediction.value).tolist() == [True, False, False, False]
    assert np.isnan(prediction.lower[1:]).all()
    assert (prediction.undefined, prediction.missing) == (2, 1)
    assert prediction.remarks()[1].startswith("No prediction for 2 rows: the model has no finite value there")


def test_a_power_that_overflows_is_no_warning():
    table = {"x": [1.0, 2.0, 3.0, 4.0, 5.0], "y": [0.1, 0.8, 1.2, 1.3, 1.7]}
    assert sf.fit("y ~ x + I(x^2)", table).predict({"x": [1e300]}).undefined == 1
