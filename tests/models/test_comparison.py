import numpy as np
import pytest

import surefoot as sf
from surefoot.errors import ModelError

RNG = np.random.default_rng(50)
DATA = {name: RNG.standard_normal(30) for name in "abc"}
DATA["g"] = RNG.choice(["u", "v", "w"], 30)
DATA["y"] = DATA["a"] + 0.3 * DATA["b"] + RNG.standard_normal(30)


def by_hand(small, large):
    rss = [float(fit.residuals() @ fit.residuals()) for fit in (small, large)]
    added = large.rank - small.rank
    return (rss[0] - rss[1]) / added / (rss[1] / large.statistics.df_residual)


@pytest.mark.parametrize(
    "small, large",
    [
        ("y ~ 1", "y ~ a"),
        ("y ~ a", "y ~ a + b + c"),
        ("y ~ a", "y ~ a*C(g)"),
        ("y ~ a + C(g)", "y ~ a*C(g)"),
        ("y ~ 0 + a", "y ~ a"),
        ("y ~ a", "y ~ a + I(a^2)"),
    ],
)
def test_nested_fits_are_tested_in_either_order(small, large):
    fits = sf.fit(small, DATA), sf.fit(large, DATA)
    (test,) = sf.compare(*fits).tests
    assert (test.smaller, test.larger) == (0, 1)
    assert test.f == pytest.approx(by_hand(*fits), rel=1e-11)
    assert test.df == (fits[1].rank - fits[0].rank, fits[1].statistics.df_residual)
    (turned,) = sf.compare(*reversed(fits)).tests
    assert (turned.smaller, turned.larger) == (1, 0)
    assert (turned.f, turned.p) == (test.f, test.p)


@pytest.mark.parametrize(
    "one, other",
    [("y ~ a", "y ~ b"), ("y ~ a + b", "y ~ a + c + I(c^2)"), ("y ~ a", "y ~ a"), ("y ~ a", "y ~ 0 + a + b")],
)
def test_fits_that_are_not_nested_stand_side_by_side(one, other):
    comparison = sf.compare(sf.fit(one, DATA), sf.fit(other, DATA))
    assert comparison.tests == ()
    assert str(comparison)


def test_nothing_added_is_not_tested():
    data = DATA | {"d": 2 * DATA["a"]}
    assert sf.compare(sf.fit("y ~ a", data), sf.fit("y ~ a + d", data)).tests == ()


def test_a_chain_is_tested_link_by_link():
    fits = [sf.fit(formula, DATA) for formula in ("y ~ 1", "y ~ a", "y ~ a + b", "y ~ a + b + c")]
    tests = sf.compare(*fits).tests
    assert [(t.smaller, t.larger) for t in tests] == [(0, 1), (1, 2), (2, 3)]


def test_weighted_fits():
    weights = RNG.uniform(0.5, 2, 30)
    fits = [sf.fit(formula, DATA, weights=weights) for formula in ("y ~ a", "y ~ a + b + c")]
    (test,) = sf.compare(*fits).tests
    assert test.f == pytest.approx(fits[1].test("b = 0, c = 0").f, rel=1e-10)
    with pytest.raises(ModelError):
        sf.compare(fits[0], sf.fit("y ~ a + b", DATA))


def test_a_perfect_larger_model():
    data = DATA | {"y": 1 + DATA["a"] - DATA["b"]}
    (test,) = sf.compare(sf.fit("y ~ a", data), sf.fit("y ~ a + b", data)).tests
    assert test.f > 1e20
    assert test.p < 1e-100


def test_no_degrees_of_freedom_left():
    data = {"a": [1.0, 2.0, 4.0], "b": [0.0, 1.0, 0.0], "y": [1.0, 2.0, 2.5]}
    (test,) = sf.compare(sf.fit("y ~ a", data), sf.fit("y ~ a + b", data)).tests
    assert np.isnan(test.f)
    assert np.isnan(test.p)


def test_what_cannot_be_compared_is_a_sentence():
    fit = sf.fit("y ~ a", DATA)
    with pytest.raises(ModelError, match="at least two"):
        sf.compare(fit)
    with pytest.raises(ModelError, match="explains"):
        sf.compare(fit, sf.fit("a ~ b", DATA))
    with pytest.raises(ModelError, match="29 rows"):
        sf.compare(fit, sf.fit("y ~ a", {name: values[:29] for name, values in DATA.items()}))
    with pytest.raises(ModelError, match="other values"):
        sf.compare(fit, sf.fit("y ~ a + b", DATA | {"y": DATA["y"] * 1.5}))


def test_saved_fits_are_compared_without_their_rows(tmp_path):
    fits = [sf.fit(formula, DATA) for formula in ("y ~ a", "y ~ a + b")]
    for k, fit in enumerate(fits):
        fit.save(tmp_path / f"{k}.json")
    loaded = [sf.load(tmp_path / f"{k}.json") for k in range(2)]
    assert sf.compare(*loaded).tests == sf.compare(*fits).tests
