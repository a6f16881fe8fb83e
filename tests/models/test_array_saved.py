"""A fit of arrays that was saved: the same numbers and the same text, no rows, and sentences for what needs them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.linalg import aslinearoperator

import surefoot as sf
from surefoot.errors import DataError, ModelError
from surefoot.verbs.fits import predict

RNG = np.random.default_rng(61)
A = RNG.standard_normal((60, 4))
B = A @ [1.0, -2.0, 0.5, 0.0] + RNG.standard_normal(60)
NEW = RNG.standard_normal((5, 4))

FITS = {
    "plain": (A, B, {}),
    "named": (A, B, {"names": ["Infinity", "b", "-Infinity", "c d"], "level": 0.5}),
    "several sides": (A, np.column_stack([B, -B, np.zeros(60)]), {}),
    "one side of two dimensions": (A, B[:, None], {}),
    "weights and ridge": (A, B, {"weights": RNG.uniform(0, 2, 60), "ridge": 3.0}),
    "exact": (A, B, {"exact": True}),
    "compared": (A, B, {"compare": True}),
    "bounds": (A, B, {"bounds": (0, 1), "equalities": ([[1.0, 1, 1, 1]], [1.5])}),
    "dropped": (np.column_stack([A[:, :3], A[:, 0]]), B, {"rank_deficient": "drop"}),
    "shortest": (np.column_stack([A[:, :3], A[:, 0]]), B, {}),
    "no degrees of freedom": (A[:4], B[:4], {}),
    "wide": (A[:3], B[:3], {}),
    "zero": (A, np.zeros(60), {}),
    "extreme": (A * 1e150, B * 1e-150, {}),
    "single": (A.astype(np.float32), B, {}),
    "sparse": (csr_array(A), B, {}),
    "operator": (aslinearoperator(A), B, {}),
    "walked": (A, B, {"method": "gradient"}),
    "sparse and held": (csr_array(A), B, {"bounds": (0, 1)}),
}


def same(one, other):
    """Bit for bit, NaN being equal to itself."""
    return np.array_equal(np.asarray(one, float), np.asarray(other, float), equal_nan=True)


@pytest.mark.parametrize("name", FITS)
def test_everything_comes_back_bit_for_bit(name, tmp_path):
    matrix, right, options = FITS[name]
    fit = sf.lstsq(matrix, right, **options)
    fit.save(tmp_path / "fit.json")
    loaded = sf.load(tmp_path / "fit.json")
    assert loaded.names == fit.names and loaded.coef.shape == fit.coef.shape
    numbers = ("coef", "stderr", "digits", "t", "p", "sigma", "r2", "df", "df_residual", "condition", "backward_error")
    for word in (*numbers, "residual_length"):
        assert same(getattr(loaded, word), getattr(fit, word)), word
    for word in ("method", "stop", "tried", "level", "rank", "backward_error_kind", "aliased"):
        assert getattr(loaded, word) == getattr(fit, word), word
    assert (loaded.verdict, loaded.certificate.claim) == (fit.verdict, fit.certificate.claim)
    assert loaded.certificate.lines == fit.certificate.lines
    assert loaded.summary() == fit.summary() == str(loaded)
    assert same(loaded.interval(), fit.interval()) and same(loaded.interval(0.8), fit.interval(0.8))
    for new in (NEW, csr_array(NEW), NEW.tolist()):
        assert same(loaded.predict(new), fit.predict(new))
    assert (loaded.multipliers is None) == (fit.multipliers is None)
    if fit.multipliers is not None:
        for word, value in vars(fit.multipliers).items():
            assert same(getattr(loaded.multipliers, word), value), word
            assert getattr(loaded.multipliers, word).dtype == value.dtype
    if fit.exact is not None:
        assert loaded.exact.coef.text.tolist() == fit.exact.coef.text.tolist()
    if fit.roads is not None:
        assert loaded.roads.names == fit.roads.names and same(loaded.roads.agreement, fit.roads.agreement)
    if fit.coef.ndim == 1:
        one, other = loaded.table(), fit.table()
        assert one.column_names == other.column_names and one["name"] == other["name"]
        assert all(same(one[word], other[word]) for word in one.column_names[1:])
        assert loaded[fit.names[1]].value == fit[fit.names[1]].value
    loaded.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "fit.json").read_bytes()


def test_hypotheses_are_tested_as_before(tmp_path):
    for options in ({}, {"ridge": 2.0}):
        fit = sf.lstsq(A, B, names=["a", "b", "c", "d"], **options)
        fit.save(tmp_path / "fit.json")
        for words in ("a = 1", "a + 2*b = 0, c = d"):
            one, other = sf.load(tmp_path / "fit.json").test(words), fit.test(words)
            assert (one.f, one.p, one.df) == (other.f, other.p, other.df)


def test_combinations_along_the_valley_are_refused_as_before(tmp_path):
    fit = sf.lstsq(*FITS["shortest"][:2], names=["a", "b", "c", "d"])
    fit.save(tmp_path / "fit.json")
    loaded = sf.load(tmp_path / "fit.json")
    assert loaded.test("a + d = 1").f == fit.test("a + d = 1").f
    for one in (fit, loaded):
        with pytest.raises(ModelError, match="varies along the valley"):
            one.test("a - d = 1")


def test_the_rows_are_not_in_the_file(tmp_path):
    rows = A.copy()
    rows[7, 2] = 123456.789012
    for matrix in (rows, csr_array(rows)):
        sf.lstsq(matrix, B).save(tmp_path / "fit.json")
        assert "123456.78" not in (tmp_path / "fit.json").read_text()


def test_what_needs_the_rows_is_a_sentence(tmp_path):
    sf.lstsq(csr_array(A), B).save(tmp_path / "fit.json")
    loaded = sf.load(tmp_path / "fit.json")
    for ask in (loaded.residuals, loaded.plot, loaded.to_html):
        with pytest.raises(ModelError, match="saved model holds only what was learnt"):
            ask()
    with pytest.raises(ModelError, match="the covariance is not in the file"):
        loaded.test("x0 = 1")
    with pytest.raises(DataError, match=r"shape \(5, 3\): give one number for each of the 4 columns"):
        loaded.predict(NEW[:, :3])
    with pytest.raises(ModelError, match="knows no table"):
        predict(loaded, {"x0": [1.0]})


def test_a_damaged_file_is_a_sentence(tmp_path):
    sf.lstsq(A, B, bounds=(0, 1)).save(tmp_path / "fit.json")
    state, path = json.loads((tmp_path / "fit.json").read_text()), tmp_path / "damaged.json"
    needed = [(key,) for key in state] + [("learnt", key) for key in state["learnt"]]
    for at in needed:
        damaged = json.loads(json.dumps(state))
        del (damaged if len(at) == 1 else damaged["learnt"])[at[-1]]
        path.write_text(json.dumps(damaged))
        with pytest.raises(DataError, match=r"damaged|not a saved model of this version"):
            sf.load(path)


def test_of_very_many_columns_the_covariance_is_not_kept(tmp_path, monkeypatch):
    import surefoot.models.array_saved as module

    monkeypatch.setattr(module, "MOST_KEPT", 3)
    fit = sf.lstsq(A, B)
    fit.save(tmp_path / "fit.json")
    loaded = sf.load(tmp_path / "fit.json")
    assert same(loaded.stderr, fit.stderr) and loaded.learnt.spread is None
    with pytest.raises(ModelError, match="of more than 3 columns"):
        loaded.test("x0 = 1")
