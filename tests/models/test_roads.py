"""Roads compared: what each found, held against exact arithmetic; what it cost; what it says where it cannot arrive."""

import json
import time

import numpy as np
import pyarrow as pa
import pytest

import nistdata
import surefoot as sf
from bowls import with_singular_values
from exact import correct, solve
from surefoot.descent.bowl import Bowl
from surefoot.descent.loop import Budget
from surefoot.errors import DataError, Interrupted, ModelError
from surefoot.models.road import Road, agreement, common_digits
from surefoot.models.roads import compare_arrays

FORMULAS = ("normal equations", "QR", "SVD")
WALKS = ("conjugate gradients", "steepest descent", "gradient descent")
RNG = np.random.default_rng(77)


def exact_coefficients(A, b, weights=None):
    return np.array([float(one) for one in solve(A, b, weights).coef])


@pytest.mark.parametrize("weights", [None, RNG.uniform(0.1, 9, 40)], ids=["plain", "weighted"])
def test_every_road_leads_to_the_exact_answer_of_a_round_bowl(weights):
    A, b, _ = with_singular_values([2.0, 1.0, 0.7], rows=40, residual=0.5, seed=1)
    truth = exact_coefficients(A, b, weights)
    roads = compare_arrays(A, b, weights, exact=truth)
    assert roads.names == (*FORMULAS, *WALKS)
    for road in roads.roads:
        assert road.arrived and road.exact_digits > 12
        assert road.exact_digits == pytest.approx(common_digits(road.coef, truth))
        assert road.backward_error < 5e-15
    assert np.nanmin(roads.agreement) > 12
    assert np.array_equal(roads.agreement, roads.agreement.T)


@pytest.mark.parametrize("condition", [1.0, 1e2, 1e4, 1e6])
def test_digits_against_the_exact_answer_are_those_that_exact_arithmetic_counts(condition):
    A, b, _ = with_singular_values(np.geomspace(1, 1 / condition, 4), rows=30, residual=0.1, seed=4)
    truth = solve(A, b)
    roads = compare_arrays(A, b, exact=np.array([float(one) for one in truth.coef]))
    for road in roads.roads:
        counted = min(correct(one, exactly) for one, exactly in zip(road.coef, truth.coef, strict=True))
        assert road.exact_digits == pytest.approx(min(counted, 15.95), abs=0.5) or counted > 15.2


def test_backward_errors_are_within_the_factor_of_karlson_walden():
    """Against the optimal backward error (Walden, Karlson, Sun 1995), which is a singular value problem."""
    A, b, _ = with_singular_values(np.geomspace(1, 1e-5, 4), rows=12, residual=0.3, seed=6)
    A = A / np.linalg.norm(A, axis=0)
    roads = compare_arrays(A, b, budget=Budget(steps=6))
    theta = np.linalg.norm(A) / np.linalg.norm(b)
    for name in WALKS:
        x = roads[name].coef
        residual = b - A @ x
        squared = (theta * np.linalg.norm(residual)) ** 2 / (1 + (theta * np.linalg.norm(x)) ** 2)
        eta = np.sqrt(squared) / np.linalg.norm(residual)
        unit = residual / np.linalg.norm(residual)
        across = np.column_stack([A, eta * np.linalg.norm(residual) * (np.eye(12) - np.outer(unit, unit))])
        smallest = np.linalg.svd(across, compute_uv=False)[-1]
        optimal = min(eta * np.linalg.norm(residual), smallest) / np.linalg.norm(A)
        assert optimal / 1.5 <= roads[name].backward_error <= optimal * 1.5


def test_the_normal_equations_lose_twice_the_digits():
    A, b, _ = with_singular_values(np.geomspace(1, 1e-6, 5), rows=60, seed=3)
    roads = compare_arrays(A, b, exact=exact_coefficients(A, b))
    assert roads["QR"].exact_digits > 8.5 and roads["SVD"].exact_digits > 8.5
    assert 1 < roads["normal equations"].exact_digits < 6.5
    assert roads["normal equations"].backward_error > 1e3 * roads["QR"].backward_error


def test_where_cholesky_breaks_down_the_refusal_names_pivot_column_and_condition():
    filip = nistdata.load("Filip")
    roads = sf.fit(filip.formula, filip.path, compare=True).roads
    refused = roads["normal equations"]
    assert refused.refused and refused.coef is None and refused.backward_error is None
    assert refused.stop.startswith("refused: Cholesky broke down at pivot ")
    assert "I(x^" in refused.stop and "square the condition 5.2e+09" in refused.stop
    assert np.isnan(roads.between("normal equations", "QR"))
    assert roads.between("QR", "SVD") > 5


@pytest.mark.parametrize(("scale", "word"), [(1e200, "overflows"), (1e-200, "underflows")])
def test_the_raw_normal_equations_leave_the_range_where_the_others_do_not(scale, word):
    A, b, _ = with_singular_values([1.0, 0.5], residual=0.2, seed=9)
    roads = compare_arrays(A * scale, b * scale)
    assert word in roads["normal equations"].stop
    for name in ("QR", "SVD", *WALKS):
        assert roads[name].coef == pytest.approx(np.linalg.lstsq(A, b, rcond=None)[0], rel=1e-12)
        assert roads[name].backward_error < 1e-14


def test_walks_say_the_steps_that_theory_predicts_and_that_they_did_not_arrive():
    A, b, _ = with_singular_values(np.geomspace(1, 1e-10, 5), rows=50, seed=2)
    roads = compare_arrays(A, b)
    k = roads.condition**2
    for name in ("steepest descent", "gradient descent"):
        assert not roads[name].arrived
        # ln(2^53) / 2 = 18.4 times the condition of the Hessian
        assert roads[name].predicted == pytest.approx(18.37 * k, rel=1e-3)
        assert "budget" in roads[name].stop
    assert roads["conjugate gradients"].predicted == 5 and not roads["conjugate gradients"].arrived


def test_predicted_steps_bound_the_steps_taken_on_round_bowls():
    for seed in range(5):
        A, b, _ = with_singular_values(np.geomspace(1, 0.2, 6), rows=100, residual=0.3, seed=seed)
        roads = compare_arrays(A, b)
        for name in ("steepest descent", "gradient descent"):
            assert roads[name].steps <= 1.2 * roads[name].predicted
        assert roads["conjugate gradients"].steps <= 2 * roads["conjugate gradients"].predicted


def test_passes_are_counted():
    A, b, _ = with_singular_values([1.0, 0.6, 0.4], rows=30, residual=0.2)
    roads = compare_arrays(A, b)
    assert [roads[name].passes for name in FORMULAS] == [1, 1, 1]
    for name in WALKS:
        assert roads[name].steps + 1 <= roads[name].passes <= roads[name].steps + 3


def test_a_file_in_batches_of_any_size_takes_the_same_roads(tmp_path):
    data = {"x": RNG.uniform(-1, 1, 500), "z": RNG.standard_normal(500), "w": RNG.uniform(0.5, 2, 500)}
    data["y"] = data["x"] - data["z"] + RNG.standard_normal(500)
    (tmp_path / "rows.csv").write_text(
        "x,z,w,y\n" + "\n".join(",".join(repr(float(data[c][k])) for c in "xzwy") for k in range(500))
    )
    memory = sf.fit("y ~ x*z", data, weights="w", compare=True).roads
    for rows in (7, 100, 1000):
        stream = sf.fit("y ~ x*z", tmp_path / "rows.csv", weights="w", compare=True, batch_rows=rows).roads
        assert stream.names == memory.names
        for one, other in zip(stream.roads, memory.roads, strict=True):
            assert one.coef == pytest.approx(other.coef, rel=1e-10)
            assert one.arrived == other.arrived


def test_a_source_too_large_to_keep_is_read_once_a_pass(monkeypatch):
    data = {"x": RNG.standard_normal(200), "y": RNG.standard_normal(200)}
    kept = sf.fit("y ~ x", data, compare=True, diagnostics=False, refine=False)
    monkeypatch.setattr("surefoot.models.roads.KEPT_BYTES", 0)
    read = sf.fit("y ~ x", data, compare=True, diagnostics=False, refine=False)
    passes = [road.passes for road in read.roads.roads]
    # The SVD uses the pass of QR; one more pass measures the backward errors; the fit itself took one.
    assert read.account.passes == 1 + sum(passes) - 1 + 1
    assert kept.account.passes == 2
    for one, other in zip(kept.roads.roads, read.roads.roads, strict=True):
        assert one.coef == pytest.approx(other.coef, rel=1e-13)


def test_frequencies_weights_and_offset_are_those_of_the_fit():
    data = {"x": RNG.uniform(1, 2, 80), "f": RNG.integers(1, 4, 80), "w": RNG.uniform(0.5, 2, 80)}
    data["y"] = 2 * data["x"] + RNG.standard_normal(80)
    for options in ({"frequencies": "f"}, {"weights": "w"}, {"frequencies": "f", "weights": "w", "offset": "x"}):
        fit = sf.fit("y ~ x", data, compare=True, **options)
        for road in fit.roads.roads:
            assert road.coef == pytest.approx(fit.coef, rel=1e-11), (road.name, options)


@pytest.mark.parametrize("formula", ["y ~ 0 + x", "y ~ 1", "y ~ x + I(2*x)", "y ~ g", "y ~ 0 + g + x"])
def test_models_of_other_shapes(formula):
    data = {"x": RNG.uniform(1, 2, 60), "g": RNG.choice(["a", "b", "c"], 60)}
    data["y"] = data["x"] + RNG.standard_normal(60)
    fit = sf.fit(formula, data, compare=True)
    for road in fit.roads.roads:
        assert road.coef == pytest.approx(fit.coef, rel=1e-10, nan_ok=True), road.name
        assert np.array_equal(np.isnan(road.coef), np.isnan(fit.coef))


@pytest.mark.parametrize("case", ["one row", "as many rows as columns", "response of zeros", "exact", "wide"])
def test_small_and_degenerate_tables(case):
    x = np.array([1.0, 2.0, 4.0, 7.0])
    data, formula = {
        "one row": ({"x": x[:1], "y": x[:1]}, "y ~ 0 + x"),
        "as many rows as columns": ({"x": x[:2], "y": [1.0, -3.0]}, "y ~ x"),
        "response of zeros": ({"x": x, "y": np.zeros(4)}, "y ~ x"),
        "exact": ({"x": x, "y": 1 + 2 * x}, "y ~ x"),
        "wide": ({"x": x[:2], "z": [1.0, 5.0], "y": [1.0, 2.0]}, "y ~ x + z"),
    }[case]
    fit = sf.fit(formula, data, compare=True)
    for road in fit.roads.roads:
        assert road.coef == pytest.approx(fit.coef, abs=1e-12, nan_ok=True), road.name
        assert road.backward_error is None or road.backward_error < 1e-14


def test_a_model_without_a_column_has_no_roads():
    assert sf.fit("y ~ 0", {"y": [1.0, 2.0]}, compare=True).roads is None
    assert sf.fit("y ~ x", {"x": [1.0, 2, 3], "y": [1.0, 2, 4]}).roads is None


def test_two_coefficients_leave_a_path_that_ends_at_the_formulas_answer():
    data = {"x": RNG.uniform(0, 3, 50)}
    data["y"] = 1 - data["x"] + RNG.standard_normal(50)
    fit = sf.fit("y ~ x", data, compare=True)
    for name in WALKS:
        road = fit.roads[name]
        assert road.path.shape == (len(road.trace), 2)
        assert not np.any(road.path[0]) and road.path[-1] == pytest.approx(fit.coef, rel=1e-10)
    values = [float(np.sum((data["y"] - b - c * data["x"]) ** 2)) for b, c in fit.roads["steepest descent"].path]
    assert fit.roads["steepest descent"].trace["value"] == pytest.approx(values, rel=1e-10)
    assert sf.fit("y ~ x + I(x^2)", data, compare=True).roads["steepest descent"].path is None


@pytest.mark.parametrize("name", ["Norris", "Longley", "Wampler1", "NoInt1"])
def test_nist(name):
    data = nistdata.load(name)
    fit = sf.fit(data.formula, data.path, compare=True)
    for road in fit.roads.roads:
        if road.name in ("QR", "QR, refined", "SVD"):
            worst = min(nistdata.digits(b, c) for b, c in zip(road.coef, data.coefficients, strict=True))
            assert worst > 8.5, road.name
    assert fit.roads["QR, refined"].coef.tolist() == fit.coef.tolist()


def test_a_saved_fit_keeps_the_table_and_drops_the_steps(tmp_path):
    filip = nistdata.load("Filip")
    fit = sf.fit(filip.formula, filip.path, compare=True)
    fit.save(tmp_path / "model.json")
    loaded = sf.load(tmp_path / "model.json")
    assert loaded.to_json() == fit.to_json()
    assert json.loads((tmp_path / "model.json").read_text())["roads"]["condition"] == fit.roads.condition
    assert loaded.roads.names == fit.roads.names
    assert np.array_equal(loaded.roads.agreement, fit.roads.agreement, equal_nan=True)
    for one, other in zip(loaded.roads.roads, fit.roads.roads, strict=True):
        assert (one.stop, one.steps, one.predicted, one.seconds) == (
            other.stop, other.steps, other.predicted, other.seconds)  # fmt: skip
        assert (one.coef is None) == (other.coef is None)
        assert one.coef is None or np.array_equal(one.coef, other.coef, equal_nan=True)
        assert one.trace is None and one.path is None
    plain = sf.fit("y ~ 1", {"y": [1.0, 2.0]})
    plain.save(tmp_path / "plain.json")
    assert sf.load(tmp_path / "plain.json").roads is None


def test_ctrl_c_in_a_walk_keeps_what_was_found(monkeypatch):
    data = {"x": RNG.standard_normal(300), "z": RNG.standard_normal(300), "y": RNG.standard_normal(300)}
    original, count = Bowl._look, 0

    def look(self, x, direction):
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt
        return original(self, x, direction)

    monkeypatch.setattr(Bowl, "_look", look)
    fit = sf.fit("y ~ x + z", data, compare=True)
    roads = fit.roads
    assert "stopped by Ctrl-C" in roads["conjugate gradients"].stop and roads["conjugate gradients"].steps == 1
    for name in WALKS[1:]:
        assert roads[name].refused and roads[name].stop == "not taken: stopped by Ctrl-C before it began"
    assert roads["QR"].arrived and np.all(np.isfinite(fit.coef))


def test_ctrl_c_between_the_walks_is_a_sentence(monkeypatch):
    def press(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("surefoot.models.roads.normal_equations", press)
    with pytest.raises(Interrupted):
        sf.fit("y ~ x", {"x": [1.0, 2, 3], "y": [1.0, 2, 4]}, compare=True)


@pytest.mark.alone
def test_comparing_on_an_ill_conditioned_file_ends_in_a_few_seconds(tmp_path):
    import pyarrow.parquet as pq

    rows = 400_000
    x = RNG.uniform(0, 1, rows)
    pq.write_table(pa.table({"x": x, "y": np.sin(x) + RNG.standard_normal(rows)}), tmp_path / "rows.parquet")
    start = time.monotonic()
    fit = sf.fit("y ~ poly(x, 2) + I(x^2) + I(x^3) + I(x^4) + I(x^5)".replace("poly(x, 2)", "x"),
                 tmp_path / "rows.parquet", compare=True)  # fmt: skip
    assert time.monotonic() - start < 15
    slow = fit.roads["gradient descent"]
    assert not slow.arrived and "budget of time" in slow.stop and slow.predicted > 1e6


def test_where_a_pass_takes_long_only_conjugate_gradients_walk(monkeypatch):
    A, b, _ = with_singular_values([1.0, 0.6, 0.4], rows=30, residual=0.2)
    original = Bowl._pass

    def slow(self):
        time.sleep(0.1)
        return original(self)

    monkeypatch.setattr(Bowl, "_pass", slow)
    monkeypatch.setattr("surefoot.models.roads.normal_equations", lambda task: slow_formula(task))
    roads = compare_arrays(A, b, budget=Budget(seconds=0.15))
    assert roads["conjugate gradients"].arrived
    for name in WALKS[1:]:
        assert roads[name].refused and roads[name].predicted > 10
        assert roads[name].stop == "not taken: a pass over the rows takes 0.12 s, and each step is one"


def slow_formula(task):
    return Road("normal equations", "", task.filled(task.solution.coef[task.kept]), "closed form", True, 1, 0.12)


def test_digits_in_common():
    assert common_digits(np.array([1.0, 0.0]), np.array([1.0, 0.0])) == 15.95
    assert common_digits(np.array([1e300]), np.array([-1e300])) == 0.0
    assert common_digits(np.array([1.0, 1e-300]), np.array([1.0, 0.0])) == 0.0
    assert np.isnan(common_digits(None, np.ones(2)))
    assert common_digits(np.array([np.nan, 1.0]), np.array([np.nan, 1.0])) == 15.95
    table = agreement([np.array([1.0]), None, np.array([1.01])])
    assert np.isnan(table[1]).all() and table[0, 2] == table[2, 0] == pytest.approx(2.0, abs=0.01)


def test_arrays_that_cannot_be_compared_are_refused_in_a_sentence():
    from scipy import sparse

    with pytest.raises(ModelError, match="on dense arrays"):
        compare_arrays(sparse.eye(3, format="csr"), np.ones(3))
    with pytest.raises(DataError, match="column 2, row 1: nan is not a finite number"):
        compare_arrays(np.array([[1.0, np.nan], [1.0, 2.0]]), np.ones(2))
    with pytest.raises(DataError, match="b has shape"):
        compare_arrays(np.eye(3), np.ones(2))
    with pytest.raises(ModelError, match="No column of the model is kept"):
        compare_arrays(np.zeros((3, 2)), np.ones(3))


def test_an_unknown_road_is_answered_with_those_there_are():
    roads = compare_arrays(np.eye(2), np.ones(2))
    with pytest.raises(KeyError, match="No road is called 'Newton'; there are 'normal equations', 'QR'"):
        roads["Newton"]
