"""The right-angled triangle of a fit: lengths and angles against those of the vectors themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import surefoot as sf
from surefoot.models.picture import gather


def triangle_of(formula: str, data: dict, **options):
    return gather(sf.fit(formula, data, diagnostics=False, **options)).perpendicular


def data_of(seed: int, rows: int = 30) -> dict:
    random = np.random.default_rng(seed)
    x, z, w = random.normal(size=(3, rows))
    return {"x": x, "z": z + 0.5 * x, "w": w, "y": 1 + x - z + random.normal(size=rows),
            "g": np.array(["a", "b", "c"])[random.integers(0, 3, rows)]}  # fmt: skip


def space(data: dict, names: list[str]) -> np.ndarray:
    return np.column_stack([np.ones(len(data["y"])) if name == "1" else data[name] for name in names])


@pytest.mark.parametrize(
    ("formula", "names", "centred"),
    [
        ("y ~ x", ["1", "x"], True),
        ("y ~ x + z", ["1", "x", "z"], True),
        ("y ~ x + z + w", ["1", "x", "z", "w"], True),
        ("y ~ 0 + x", ["x"], False),
        ("y ~ 0 + x + z", ["x", "z"], False),
        ("y ~ 1", ["1"], False),
    ],
)
@given(seed=st.integers(0, 10**6), power=st.integers(-250, 250))
@settings(max_examples=8, deadline=None)
def test_the_sides_are_those_of_the_vectors(formula, names, centred, seed, power):
    data = data_of(seed)
    unit = 2.0**power
    found = triangle_of(formula, data | {"y": unit * data["y"]})
    X, y = space(data, names), data["y"]
    fitted = X @ np.linalg.lstsq(X, y, rcond=None)[0]
    about = y.mean() if centred else 0.0
    sides = np.linalg.norm([y - about, fitted - about, y - fitted], axis=1)
    assert found.centred is centred
    np.testing.assert_allclose([found.response / unit, found.fitted / unit, found.residual / unit], sides, rtol=1e-9)
    assert found.response == pytest.approx(math.hypot(found.fitted, found.residual))
    assert math.cos(math.radians(found.angle)) == pytest.approx(sides[1] / sides[0])


@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_cosine_squared_is_r2(seed):
    fit = sf.fit("y ~ x + g", data_of(seed))
    angle = gather(fit).perpendicular.angle
    assert math.cos(math.radians(angle)) ** 2 == pytest.approx(fit.r2, abs=1e-12)
    # The levels together are a constant that nobody wrote.
    fit = sf.fit("y ~ 0 + g", data_of(seed))
    found = gather(fit).perpendicular
    assert found.centred and found.dimension == 2
    assert math.cos(math.radians(found.angle)) ** 2 == pytest.approx(fit.r2, abs=1e-12)


def test_columns_are_where_they_are_in_the_plane():
    data = data_of(3)
    found = triangle_of("y ~ 0 + x + z", data)
    x, z = data["x"], data["z"]
    X = space(data, ["x", "z"])
    fitted = X @ np.linalg.lstsq(X, data["y"], rcond=None)[0]
    places = dict(found.columns)
    for name, column in (("x", x), ("z", z)):
        assert places[name][0] == pytest.approx(column @ fitted / np.linalg.norm(column) / np.linalg.norm(fitted))
        assert math.hypot(*places[name]) == pytest.approx(1)
    cosine = np.dot(places["x"], places["z"])
    assert cosine == pytest.approx(x @ z / np.linalg.norm(x) / np.linalg.norm(z))


def test_a_single_slope_stands_on_the_plane_with_the_constant():
    found = triangle_of("y ~ x", data_of(1))
    assert [name for name, _ in found.columns] == ["x", "the constant"] and found.dimension == 2
    assert dict(found.columns)["x"] == pytest.approx((1, 0), abs=1e-12) or dict(found.columns)["x"][0] == -1


def test_of_many_columns_the_one_with_the_largest_part_is_shown():
    data = data_of(2)
    data["y"] = 5 * data["w"] + 0.1 * data["x"] + 0.1 * data["z"]
    found = triangle_of("y ~ x + z + w", data)
    assert [name for name, _ in found.columns] == ["w"] and found.dimension == 3


@pytest.mark.parametrize(
    ("formula", "y"),
    [("y ~ x", [2.0] * 5), ("y ~ 0 + x", [0.0] * 5), ("y ~ 0", [1.0, 2.0, 3.0, 4.0, 5.0]), ("y ~ 1", [0.0] * 5)],
)
def test_no_triangle_where_nothing_is_left(formula, y):
    assert triangle_of(formula, {"x": [1.0, 2.0, 3.0, 4.0, 6.0], "y": y}) is None


def test_a_side_of_rounding_is_zero():
    x = np.array([1.0, 2.0, 3.0, 4.0, 6.0])
    exact = triangle_of("y ~ x", {"x": x, "y": 0.1 + 0.3 * x})
    assert exact.residual == 0 and exact.angle == 0
    across = triangle_of("y ~ 0 + x", {"x": [1.0, 1.0, 1.0, 1.0], "y": [1.0, -1.0, 1.0, -1.0]})
    assert across.fitted == 0 and across.angle == 90


def test_aliased_and_minimum_norm_have_the_same_triangle():
    data = data_of(5)
    data["twice"] = 2 * data["x"]
    plain = triangle_of("y ~ x + z", data)
    for policy in ("drop", "minimum-norm"):
        found = triangle_of("y ~ x + twice + z", data, rank_deficient=policy)
        assert found.angle == pytest.approx(plain.angle, rel=1e-9) and found.dimension == 2


def test_weights_and_frequencies_measure_lengths():
    data = data_of(6)
    weights = np.linspace(0.5, 3, 30)
    found = triangle_of("y ~ 0 + x", data, weights=weights)
    root = np.sqrt(weights)
    column, response = root * data["x"], root * data["y"]
    assert found.fitted == pytest.approx(abs(column @ response) / np.linalg.norm(column))
    assert found.response == pytest.approx(np.linalg.norm(response))
