import numpy as np
import pytest
from sklearn.linear_model import Ridge

import surefoot as sf
from surefoot.errors import ModelError

RNG = np.random.default_rng(30)
X = RNG.standard_normal((50, 4)) * [1.0, 20.0, 0.01, 3.0] + [0.0, 100.0, 5.0, -2.0]
X[:, 3] += 2.9 * X[:, 0]
Y = X @ [1.0, -0.1, 30.0, 0.5] + RNG.standard_normal(50)
DATA = {f"x{k}": X[:, k] for k in range(4)} | {"y": Y}
FORMULA = "y ~ x0 + x1 + x2 + x3"
PENALTIES = [1e-3, 0.1, 1.0, 10.0, 1000.0]


def by_sklearn(X, y, penalty, weights=None, intercept=True):
    """Ridge on standardised columns, brought back to the columns' own units."""
    weights = np.ones(len(y)) if weights is None else weights
    centre = np.average(X, axis=0, weights=weights) if intercept else 0.0
    size = np.sqrt(np.average((X - centre) ** 2, axis=0, weights=weights))
    model = Ridge(alpha=penalty, solver="svd", fit_intercept=intercept)
    model.fit((X - centre) / size, y, sample_weight=weights)
    slopes = model.coef_ / size
    return np.concatenate([[model.intercept_ - slopes @ centre], slopes]) if intercept else slopes


@pytest.mark.parametrize("penalty", PENALTIES)
def test_the_path_is_that_of_sklearn_on_standardised_columns(penalty):
    path = sf.fit(FORMULA, DATA).ridge_path([penalty])
    assert path.names == ("(Intercept)", "x0", "x1", "x2", "x3")
    assert path.coef[0] == pytest.approx(by_sklearn(X, Y, penalty), rel=1e-10)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_without_intercept(penalty):
    path = sf.fit("y ~ 0 + x0 + x1 + x2 + x3", DATA).ridge_path([penalty])
    assert path.coef[0] == pytest.approx(by_sklearn(X, Y, penalty, intercept=False), rel=1e-10)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_weighted(penalty):
    weights = RNG.uniform(0.2, 5, 50)
    path = sf.fit(FORMULA, DATA, weights=weights).ridge_path([penalty])
    assert path.coef[0] == pytest.approx(by_sklearn(X, Y, penalty, weights), rel=1e-10)


def test_no_penalty_is_least_squares_and_a_huge_one_the_mean():
    fit = sf.fit(FORMULA, DATA)
    path = fit.ridge_path([0.0, 1e15])
    assert path.coef[0] == pytest.approx(fit.coef, rel=1e-11)
    assert path.coef[1] == pytest.approx([Y.mean(), 0, 0, 0, 0], abs=1e-9)
    assert path.df == pytest.approx([5, 1])


def test_units_do_not_matter():
    one = sf.fit(FORMULA, DATA).ridge_path(PENALTIES)
    scale = np.array([1e100, 1e-100, 1e8, 1.0])
    other = sf.fit(FORMULA, {f"x{k}": X[:, k] * scale[k] for k in range(4)} | {"y": Y}).ridge_path(PENALTIES)
    assert other.coef[:, 1:] * scale == pytest.approx(one.coef[:, 1:], rel=1e-10)
    assert other.coef[:, 0] == pytest.approx(one.coef[:, 0], rel=1e-10)
    assert other.gcv == pytest.approx(one.gcv, rel=1e-10)


def test_effective_degrees_of_freedom_and_cross_validation():
    path = sf.fit(FORMULA, DATA).ridge_path([3.0])
    centred = (X - X.mean(axis=0)) / X.std(axis=0)
    hat = centred @ np.linalg.solve(centred.T @ centred + 3.0 * np.eye(4), centred.T) + 1 / 50
    residual = Y - hat @ Y
    assert path.df[0] == pytest.approx(np.trace(hat), rel=1e-11)
    assert path.gcv[0] == pytest.approx(50 * residual @ residual / (50 - np.trace(hat)) ** 2, rel=1e-10)


def test_the_best_penalty_has_the_smallest_score():
    path = sf.fit(FORMULA, DATA).ridge_path()
    assert len(path.penalties) == 50
    assert path.gcv[path.best] == path.gcv.min()
    assert np.all(np.diff(path.df) < 0)


def test_aliased_columns_share_their_coefficient():
    fit = sf.fit("y ~ x0 + z", {"x0": X[:, 0], "z": X[:, 0], "y": Y})
    coef = fit.ridge_path([1.0]).coef[0]
    assert coef[1] == pytest.approx(coef[2], rel=1e-10)
    assert coef == pytest.approx(by_sklearn(X[:, [0, 0]], Y, 1.0), rel=1e-10)


def test_a_path_needs_no_rows(tmp_path):
    fit = sf.fit(FORMULA, DATA)
    fit.save(tmp_path / "model.json")
    assert np.array_equal(sf.load(tmp_path / "model.json").ridge_path(PENALTIES).coef, fit.ridge_path(PENALTIES).coef)


@pytest.mark.parametrize("penalty", [-1.0, np.nan, np.inf])
def test_a_penalty_that_is_none_is_a_sentence(penalty):
    with pytest.raises(ModelError, match="finite number that is not negative"):
        sf.fit(FORMULA, DATA).ridge_path([1.0, penalty])


def test_nothing_to_penalise_is_a_sentence():
    with pytest.raises(ModelError, match="nothing to penalise"):
        sf.fit("y ~ 1", DATA).ridge_path()


@pytest.mark.parametrize("value", [0.0, 0.1, 7.0, 1e150])
def test_a_constant_column_is_a_sentence(value):
    with pytest.raises(ModelError, match="Column c is constant"):
        sf.fit("y ~ x0 + c", DATA | {"c": np.full(50, value)}).ridge_path()
