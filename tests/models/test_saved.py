import json

import numpy as np
import pytest

import surefoot as sf
from surefoot.errors import DataError, ModelError

RNG = np.random.default_rng(60)
DATA = {
    "a": RNG.standard_normal(50),
    "x": RNG.uniform(1, 4, 50),
    "g": RNG.choice(["NaN", "Infinity", "null", "other", "ordinary", "-Inf"], 50, p=[0.15, 0.15, 0.2, 0.2, 0.2, 0.1]),
    "w": RNG.uniform(0.5, 2, 50),
    "f": RNG.integers(1, 3, 50),
    "flag": RNG.choice([True, False], 50),
}
DATA["y"] = DATA["a"] + DATA["x"] ** 2 + RNG.standard_normal(50)
NEW = {
    "a": [0.1, -2.0, np.nan, 1e30],
    "x": [1.5, 3.0, 2.0, 2.5],
    "g": ["NaN", "Infinity", "null", "ordinary"],
    "flag": [True, False, True, False],
}

MODELS = {
    "plain": ("y ~ a + x", {}),
    "no intercept": ("y ~ 0 + a + x", {}),
    "constant": ("y ~ 1", {}),
    "levels called NaN": ("y ~ a + g", {}),
    "interaction": ("y ~ a*g + x:g", {}),
    "learnt": ("y ~ poly(x, 3) + bs(a, df=5) + center(x) + scale(a) + I(x^2)", {}),
    "contrasts": ("y ~ C(g, Sum) + C(flag, Treatment('True')) + log(x)", {}),
    "weighted": ("y ~ a + x", {"weights": "w"}),
    "counted": ("y ~ a + x", {"frequencies": "f", "offset": "x"}),
    "unrefined": ("y ~ a + x", {"refine": False, "diagnostics": False}),
    "robust": ("y ~ a + x", {"errors": "HC3"}),
    "clustered": ("y ~ a + x", {"errors": "cluster", "groups": "g"}),
    "aliased": ("y ~ a + x + I(a + 2*x)", {}),
    "minimum norm": ("y ~ a + x + I(a + 2*x)", {"rank_deficient": "minimum-norm"}),
    "other level": ("y ~ a + x", {"level": 0.5}),
}


def rows(k):
    return {name: values[:k] for name, values in DATA.items()}


def same(one, other):
    """Bit for bit, NaN being equal to itself."""
    return np.array_equal(np.asarray(one, float), np.asarray(other, float), equal_nan=True)


def assert_same_fit(loaded, fit):
    assert loaded.names == fit.names
    for name in ("coef", "stderr", "t", "p", "digits"):
        assert same(getattr(loaded, name), getattr(fit, name)), name
    assert same(loaded.interval(), fit.interval())
    assert same(loaded.covariance.matrix(), fit.covariance.matrix())
    for name, value in vars(fit.statistics).items():
        assert same(getattr(loaded.statistics, name), value), name
        assert type(getattr(loaded.statistics, name)) is type(value), name
    assert (loaded.certificate, loaded.aliased, loaded.account) == (fit.certificate, fit.aliased, fit.account)
    assert (loaded.method, loaded.stop, loaded.level, loaded.formula) == (fit.method, fit.stop, fit.level, fit.formula)
    assert same(loaded.condition, fit.condition)
    assert same(loaded.triangle.factor, fit.triangle.factor)
    assert loaded.vif() == fit.vif()
    assert (loaded.look is None) == (fit.look is None)
    if fit.look:
        for name, value in vars(fit.look).items():
            assert same(getattr(loaded.look, name), value), name
    assert loaded.to_json() == fit.to_json()


@pytest.mark.parametrize("name", MODELS)
def test_everything_comes_back_bit_for_bit(name, tmp_path):
    formula, options = MODELS[name]
    fit = sf.fit(formula, DATA, **options)
    fit.save(tmp_path / "model.json")
    loaded = sf.load(tmp_path / "model.json")
    assert_same_fit(loaded, fit)
    assert loaded.summary() == fit.summary()
    for interval in (None, "confidence", "prediction"):
        one, other = loaded.predict(NEW, interval), fit.predict(NEW, interval)
        assert same(one.value, other.value)
        assert same(one.stderr, other.stderr)
        if interval:
            assert same(one.lower, other.lower)
            assert same(one.upper, other.upper)
        assert (one.missing, one.unknown, one.not_estimable) == (other.missing, other.unknown, other.not_estimable)
    tested = f"{fit.names[0]} = 1"
    if name != "minimum norm":
        assert loaded.test(tested).f == fit.test(tested).f
    loaded.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "model.json").read_bytes()


@pytest.mark.parametrize(
    "data",
    [
        {"a": [1.0], "y": [2.0]},  # no degrees of freedom: NaN throughout
        {"a": [1.0, 2.0, 3.0], "y": [0.0, 0.0, 0.0]},  # log-likelihood of infinity
        {"a": [1.0, 2.0, 3.0], "y": [5.0, 5.0, 5.0]},
        {"a": [1.0, 1.0, 1.0], "y": [5.0, 4.0, 5.0]},
        {"a": [1e300, 2e300, 4e300], "y": [1e-300, 5e-300, 2e-300]},
    ],
)
def test_values_that_json_does_not_have(data, tmp_path):
    fit = sf.fit("y ~ a", data)
    fit.save(tmp_path / "model.json")
    assert_same_fit(sf.load(tmp_path / "model.json"), fit)

    def refuse(word):
        raise AssertionError(f"{word} is not JSON")

    json.loads((tmp_path / "model.json").read_text(), parse_constant=refuse)


def test_the_rows_are_not_in_the_file(tmp_path):
    secret = 123456.789012
    for count in (2, 5, 20):
        data = rows(count) | {"a": np.concatenate([[secret], DATA["a"][1:count]])}
        sf.fit("y ~ a + x", data).save(tmp_path / "model.json")
        assert "123456.78" not in (tmp_path / "model.json").read_text()


def test_what_needs_the_rows_is_a_sentence_after_loading(tmp_path):
    fit = sf.fit("y ~ a + x", DATA, diagnostics=False)
    fit.save(tmp_path / "model.json")
    loaded = sf.load(tmp_path / "model.json")
    for ask in (
        lambda: loaded.robust("HC3"),
        lambda: loaded.robust("cluster", groups="g"),
        lambda: loaded.residuals(),
        lambda: loaded.diagnose(),
    ):
        with pytest.raises(ModelError, match="saved model holds only what was learnt"):
            ask()


def test_a_file_that_is_no_model_is_a_sentence(tmp_path):
    path = tmp_path / "model.json"
    with pytest.raises(DataError, match="could not be read"):
        sf.load(path)
    for text in ("", "y,x\n1,2\n", "{", "\x00\x01"):
        path.write_text(text)
        with pytest.raises(DataError, match="holds no JSON"):
            sf.load(path)
    path.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(DataError):
        sf.load(path)
    for text in ("[]", "{}", "3", '"surefoot-fit-1"', '{"format": "surefoot-fit-99"}'):
        path.write_text(text)
        with pytest.raises(DataError, match="not a saved model of this version"):
            sf.load(path)
    with pytest.raises(DataError):
        sf.load(tmp_path)


def _paths(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from _paths(inner, (*path, key))


def _without(state, path):
    state = json.loads(json.dumps(state))
    inner = state
    for key in path[:-1]:
        inner = inner[key]
    return state, inner, path[-1]


def test_a_damaged_file_is_a_sentence(tmp_path):
    sf.fit("y ~ a + g", DATA).save(tmp_path / "model.json")
    state = json.loads((tmp_path / "model.json").read_text())
    path = tmp_path / "damaged.json"
    needed = [
        p for p in _paths(state) if p[0] in ("model", "design", "statistics", "certificate", "diagnostics", "data")
    ]
    assert len(needed) > 50
    for at in needed:
        damaged, inner, key = _without(state, at)
        del inner[key]
        path.write_text(json.dumps(damaged))
        try:
            sf.load(path)
        except DataError as error:
            assert "damaged" in str(error), at
    for at in (
        ("model",),
        ("model", "coef"),
        ("model", "upper"),
        ("model", "rank"),
        ("design", "terms"),
        ("statistics",),
    ):
        for value in (None, "text", 3, [], {}, [[1, 2], [3]], {"x": 1}):
            damaged, inner, key = _without(state, at)
            inner[key] = value
            path.write_text(json.dumps(damaged))
            with pytest.raises(DataError):
                sf.load(path)


def test_a_truncated_file_is_a_sentence(tmp_path):
    sf.fit("y ~ a", DATA).save(tmp_path / "model.json")
    text = (tmp_path / "model.json").read_text()
    for share in (0.1, 0.5, 0.99):
        (tmp_path / "cut.json").write_text(text[: int(len(text) * share)])
        with pytest.raises(DataError, match="holds no JSON"):
            sf.load(tmp_path / "cut.json")


def test_saving_where_nothing_can_be_written_is_a_sentence_and_leaves_nothing(tmp_path):
    fit = sf.fit("y ~ a", DATA)
    with pytest.raises(DataError, match="could not be written"):
        fit.save(tmp_path / "no folder" / "model.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(DataError, match="could not be written"):
        fit.save(tmp_path / "folder.json")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.json"]
