"""The laws of the triangle as a person meets them: units, order, batches, weights and counts of whole fits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import surefoot as sf

SEEDS = st.integers(0, 2**32 - 1)
LAWS = settings(max_examples=8, deadline=None)
KINDS = ("HC0", "HC1", "HC2", "HC3")

OF_COEFFICIENTS = ("coef", "stderr", "t", "p")
OF_FIT = (
    "sigma", "residual_length", "total_length", "r2", "r2_adjusted", "f", "f_p", "log_likelihood", "aic", "bic",
    "df_model", "df_residual", "rows", "has_constant",
)  # fmt: skip
OF_LOOK = (
    "quartiles", "durbin_watson", "skew", "kurtosis", "jarque_bera", "jarque_bera_p", "largest_leverage",
)  # fmt: skip


def table(seed, rows=40):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal(rows), rng.uniform(-2, 5, rows)
    return {"a": a, "b": b, "y": 1 + a - 0.5 * b + rng.standard_normal(rows), "g": rng.choice(["u", "v", "w"], rows)}


def rows(data, chosen):
    return {name: values[chosen] for name, values in data.items()}


def assert_same(one, other, rel=1e-9, looks=True, only=OF_FIT):
    for name in OF_COEFFICIENTS:
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=rel, abs=1e-12), name
    assert one.interval() == pytest.approx(other.interval(), rel=rel, abs=1e-12)
    for name in only:
        assert getattr(one.statistics, name) == pytest.approx(getattr(other.statistics, name), rel=rel), name
    assert one.rank == other.rank
    assert one.verdict is other.verdict
    for name in OF_LOOK if looks else ():
        assert getattr(one.look, name) == pytest.approx(getattr(other.look, name), rel=rel, abs=1e-12), name


@LAWS
@given(SEEDS, st.integers(1, 60), st.booleans())
def test_batches_do_not_matter(seed, size, refine):
    data = table(seed)
    assert_same(
        sf.fit("y ~ a*g + b", data, batch_rows=size, refine=refine),
        sf.fit("y ~ a*g + b", data, refine=refine),
    )


@LAWS
@given(SEEDS)
def test_the_order_of_rows_matters_only_to_durbin_watson(seed):
    data = table(seed)
    order = np.random.default_rng(seed).permutation(40)
    one, other = sf.fit("y ~ a + b", data), sf.fit("y ~ a + b", rows(data, order))
    assert_same(one, other, looks=False)
    assert one.look.quartiles == pytest.approx(other.look.quartiles, rel=1e-9)
    assert one.look.jarque_bera == pytest.approx(other.look.jarque_bera, rel=1e-9)
    assert one.look.durbin_watson != pytest.approx(other.look.durbin_watson, rel=1e-9)
    for kind in KINDS:
        assert one.robust(kind).stderr == pytest.approx(other.robust(kind).stderr, rel=1e-9)


@LAWS
@given(SEEDS, st.integers(-300, 300), st.integers(-300, 300))
def test_units_do_not_matter(seed, of_a, of_y):
    data = table(seed)
    scale = {"a": 2.0**of_a, "y": 2.0**of_y}
    one = sf.fit("y ~ a + b", data)
    other = sf.fit("y ~ a + b", data | {name: data[name] * unit for name, unit in scale.items()})
    assert other.t.tolist() == pytest.approx(one.t.tolist(), rel=1e-12)
    assert other.p == pytest.approx(one.p, rel=1e-11)
    assert (other.rank, other.condition) == (one.rank, pytest.approx(one.condition, rel=1e-12))
    for name in ("r2", "r2_adjusted", "f", "f_p"):
        assert getattr(other.statistics, name) == pytest.approx(getattr(one.statistics, name), rel=1e-11)
    units = np.array([scale["y"], scale["y"] / scale["a"], scale["y"]])
    assert other.coef / units == pytest.approx(one.coef, rel=1e-13)
    assert other.stderr / units == pytest.approx(one.stderr, rel=1e-13)
    assert np.abs(other.digits - one.digits).max() < 0.01
    for kind in KINDS:
        assert other.robust(kind).stderr / units == pytest.approx(one.robust(kind).stderr, rel=1e-12)


@LAWS
@given(SEEDS, st.floats(-100, 100), st.floats(-100, 100))
def test_units_that_are_no_powers_of_two(seed, of_a, of_y):
    data = table(seed)
    other = sf.fit("y ~ a + b", data | {"a": data["a"] * 10**of_a, "y": data["y"] * 10**of_y})
    one = sf.fit("y ~ a + b", data)
    assert other.t == pytest.approx(one.t, rel=1e-10)
    assert other.p == pytest.approx(one.p, rel=1e-9)
    assert other.r2 == pytest.approx(one.r2, rel=1e-12)


def test_powers_of_two_scale_a_single_pass_bit_for_bit():
    data = table(7)
    one = sf.fit("y ~ a + b", data, refine=False)
    other = sf.fit("y ~ a + b", data | {"a": data["a"] * 2.0**40, "y": data["y"] * 2.0**-30}, refine=False)
    units = np.array([2.0**-30, 2.0**-70, 2.0**-30])
    assert np.array_equal(other.coef, one.coef * units)
    assert np.array_equal(other.stderr, one.stderr * units)
    assert np.array_equal(other.t, one.t)
    assert np.array_equal(other.p, one.p)
    assert other.r2 == one.r2


@LAWS
@given(SEEDS, st.sampled_from(["weights", "frequencies"]))
def test_a_weight_of_zero_is_a_dropped_row(seed, word):
    data = table(seed)
    values = np.random.default_rng(seed).integers(0, 3, 40).astype(float)
    kept = values > 0
    one = sf.fit("y ~ a + b + g", data | {"w": values}, **{word: "w"})
    other = sf.fit("y ~ a + b + g", rows(data, kept) | {"w": values[kept]}, **{word: "w"})
    assert_same(one, other)
    for kind in KINDS:
        assert one.robust(kind).stderr == pytest.approx(other.robust(kind).stderr, rel=1e-12)
    assert one.account.rows_weightless == 40 - kept.sum()
    assert len(one.residuals()) == kept.sum()


@LAWS
@given(SEEDS)
def test_a_weight_of_zero_hides_a_level_and_an_outlier(seed):
    data = table(seed)
    weights = np.ones(40)
    data["g"][:2], data["y"][:2], weights[:2] = "z", 1e9, 0.0
    one, other = sf.fit("y ~ a + g", data, weights=weights), sf.fit("y ~ a + g", rows(data, slice(2, None)))
    assert one.names == other.names
    assert_same(one, other)


@LAWS
@given(SEEDS, st.booleans())
def test_a_frequency_of_two_is_the_row_twice(seed, refine):
    data = table(seed)
    counts = np.random.default_rng(seed).integers(0, 4, 40)
    expanded = sf.fit("y ~ a + g", rows(data, np.repeat(np.arange(40), counts)), refine=refine)
    counted = sf.fit("y ~ a + g", data, frequencies=counts, refine=refine)
    assert counted.statistics.rows == counts.sum()
    assert_same(counted, expanded)
    for kind in KINDS:
        assert counted.robust(kind).stderr == pytest.approx(expanded.robust(kind).stderr, rel=1e-9), kind
    assert counted.robust("cluster", groups="g").stderr == pytest.approx(
        expanded.robust("cluster", groups="g").stderr, rel=1e-8, abs=1e-12
    )
    assert counted.vif() == pytest.approx(expanded.vif(), rel=1e-9)
    new = {"a": [0.5, -1.0], "g": ["u", "w"]}
    assert counted.predict(new, "prediction").upper == pytest.approx(expanded.predict(new, "prediction").upper)


@LAWS
@given(SEEDS)
def test_weights_and_frequencies_together_are_the_expanded_rows_with_their_weights(seed):
    data, rng = table(seed), np.random.default_rng(seed)
    counts, weights = rng.integers(0, 4, 40), rng.uniform(0.2, 5, 40)
    expanded = sf.fit(
        "y ~ a + b", rows(data | {"w": weights}, np.repeat(np.arange(40), counts)), weights="w", refine=False
    )
    counted = sf.fit("y ~ a + b", data | {"w": weights}, weights="w", frequencies=counts, refine=False)
    assert_same(counted, expanded)
    for kind in KINDS:
        assert counted.robust(kind).stderr == pytest.approx(expanded.robust(kind).stderr, rel=1e-9), kind


def test_a_weight_of_two_is_not_the_row_twice():
    data = table(3)
    weighted = sf.fit("y ~ a + b", data, weights=np.full(40, 2.0))
    plain = sf.fit("y ~ a + b", data)
    twice = sf.fit("y ~ a + b", rows(data, np.repeat(np.arange(40), 2)))
    assert weighted.statistics.df_residual == plain.statistics.df_residual == 37
    assert twice.statistics.df_residual == 77
    # All weights alike change the variance of a row, not what is known of the coefficients.
    assert weighted.stderr == pytest.approx(plain.stderr, rel=1e-12)
    assert weighted.sigma == pytest.approx(plain.sigma * np.sqrt(2), rel=1e-12)
    assert twice.coef == pytest.approx(plain.coef, rel=1e-12)
    assert twice.stderr == pytest.approx(plain.stderr * np.sqrt(37 / 77), rel=1e-12)
    assert weighted.statistics.log_likelihood == pytest.approx(plain.statistics.log_likelihood, rel=1e-12)


@LAWS
@given(SEEDS)
def test_weights_of_one_are_no_weights(seed):
    data = table(seed)
    ones = np.ones(40)
    plain = sf.fit("y ~ a + b", data)
    for given_ in ({"weights": ones}, {"frequencies": ones}, {"weights": ones, "frequencies": ones}):
        assert_same(sf.fit("y ~ a + b", data, **given_), plain)


@LAWS
@given(SEEDS, st.floats(-50, 50))
def test_the_unit_of_the_weights_does_not_matter(seed, power):
    data = table(seed)
    weights = np.random.default_rng(seed).uniform(0.2, 5, 40)
    one = sf.fit("y ~ a + b", data, weights=weights)
    other = sf.fit("y ~ a + b", data, weights=weights * 10.0**power)
    assert_same(one, other, looks=False, only=("r2", "f", "log_likelihood", "aic"))


def test_a_column_added_to_the_response_is_found_in_its_coefficient():
    data = table(4)
    one = sf.fit("y ~ a + b", data)
    other = sf.fit("z ~ a + b", data | {"z": data["y"] + 7 * data["a"]})
    assert other.coef == pytest.approx(one.coef + np.array([0.0, 7.0, 0.0]), rel=1e-12)
    assert other.stderr == pytest.approx(one.stderr, rel=1e-12)
    offset = sf.fit("z ~ a + b", data | {"z": data["y"] + 7 * data["a"]}, offset="7*a")
    assert offset.coef == pytest.approx(one.coef, rel=1e-12)
    assert offset.r2 == pytest.approx(one.r2, rel=1e-12)
