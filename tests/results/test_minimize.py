"""What ``sf.minimize`` promises: shapes, spellings, budgets, interruptions, files, advice. Each from outside."""

import json
import math
import os
import signal
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import surefoot as sf
from surefoot.descent.stop import Reason
from surefoot.errors import DataError, ExpressionError, ModelError, OptionError
from surefoot.verbs.loading import load
from zoo import HIMMELBLAU, himmelblau, numpy_bowl, rosenbrock, saddle_of_two

START = np.array([-1.2, 1.0])
STRICT = sf.Verdict.STRICT_LOCAL_MINIMUM


def crawl(x):
    """Rosenbrock's valley, for walks that must not be over soon."""
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


# Shapes


def test_a_tree_goes_in_and_the_same_tree_comes_out():
    def f(p):
        return jnp.sum((p["w"] - 1) ** 2) + (p["deep"][0] - 3) ** 2 + (p["deep"][1]["b"] + 2) ** 4

    start = {"w": np.zeros((2, 3)), "deep": (0.0, {"b": np.array(1.0)})}
    result = sf.minimize(f, start)
    assert jax.tree.structure(result.x) == jax.tree.structure(start)
    assert jax.tree.structure(result.gradient) == jax.tree.structure(start)
    assert np.asarray(result.x["w"]).shape == (2, 3) and np.asarray(result.x["w"]) == pytest.approx(1)
    assert result.x["deep"][0] == pytest.approx(3)
    assert len(result.names) == len(result.flat) == 8
    assert result.value == pytest.approx(float(f(result.x)), abs=1e-9)


@pytest.mark.parametrize(
    "start, kind", [(2.0, (float, np.floating)), (2, (float, np.floating)), ([2.0], None),
                    (np.array([2.0]), np.ndarray), (np.array([[2.0]]), np.ndarray)], ids=str,
)  # fmt: skip
def test_numbers_lists_and_arrays_keep_their_shape(start, kind):
    result = sf.minimize(lambda x: jnp.sum((jnp.asarray(x) - 5.0) ** 2), start)
    assert np.shape(result.x) == np.shape(start)
    assert np.asarray(result.x) == pytest.approx(5.0)
    assert kind is None or isinstance(result.x, kind)


def test_args_are_passed_and_do_not_vary():
    def f(x, a, b):
        return jnp.sum((x - a) ** 2) + b

    for a, b in ((np.array([1.0, 2.0]), 3.0), (np.array([-4.0, 5.0]), -1.0)):
        result = sf.minimize(f, np.zeros(2), args=(a, b))
        assert result.x == pytest.approx(a) and result.value == pytest.approx(b)


def test_args_and_words_for_differences_as_scipys_callers_write_them():
    assert sf.minimize(lambda x, a: jnp.sum((x - a) ** 2), np.zeros(2), args=3.0).x == pytest.approx([3, 3])
    assert sf.minimize(rosenbrock, START, jac="2-point").x == pytest.approx([1, 1])
    endless = {"max_steps": math.inf, "max_evaluations": math.inf, "max_seconds": math.inf}
    assert sf.minimize(rosenbrock, START, **endless).judged.verdict is STRICT


def test_text_in_python_gives_a_mapping_back():
    result = sf.minimize("100*(y - x^2)^2 + (1 - x)^2", {"x": -1.2, "y": 1})
    assert set(result.x) == {"x", "y"} and result.x["x"] == pytest.approx(1) and result.names == ("x", "y")
    vector = sf.minimize("sum((x[i] - i)^2, i, 0, 2)", {"x": [5, 5, 5]})
    assert np.asarray(vector.x["x"]) == pytest.approx([0, 1, 2])
    assert sf.minimize("x^2 + y^2", "x=1, y=2").x == pytest.approx({"x": 0, "y": 0})


@pytest.mark.parametrize(
    "text, start, place", [("x^2 +", {"x": 1}, 5), ("x^2 + z", {"x": 1}, 6), ("(x", {"x": 1}, 0),
                           ("x $ 2", {"x": 1}, 2)]
)  # fmt: skip
def test_text_that_cannot_be_read_has_a_caret(text, start, place):
    with pytest.raises(ExpressionError) as caught:
        sf.minimize(text, start)
    lines = str(caught.value).splitlines()
    assert lines[-1].strip() == "^" and lines[-2].strip() == text
    assert abs(caught.value.position - place) <= 2


# Derivatives


def test_a_gradient_that_is_given_is_used_and_no_differences_are_taken():
    asked = []

    def f(x):
        return float(np.sum((x - 1) ** 4))

    def jac(x):
        asked.append(x.copy())
        return 4 * (x - 1) ** 3

    result = sf.minimize(f, np.zeros(3), jac=jac)
    assert asked and result.x == pytest.approx(1, abs=1e-3)
    both = sf.minimize(lambda x: (f(x), jac(x)), np.zeros(3), jac=True)
    assert both.flat == pytest.approx(result.flat, abs=1e-6)


def test_a_hessian_that_is_given_is_used():
    asked = []

    def hess(x):
        asked.append(1)
        return np.diag([2.0, 20.0])

    result = sf.minimize(
        lambda x: float(x[0] ** 2 + 10 * x[1] ** 2), np.array([3.0, 1.0]), hess=hess, method="newton",
        jac=lambda x: np.array([2 * x[0], 20 * x[1]]),
    )  # fmt: skip
    assert asked and result.steps <= 2 and result.judged.verdict is STRICT


def test_what_jax_cannot_trace_runs_as_numpy_and_says_so_once():
    result = sf.minimize(numpy_bowl, np.array([1.0, 0.0]))
    said = [sentence for sentence in result.advice if "NumPy" in sentence]
    assert len(said) == 1 and "JAX" in said[0] and "differences" in said[0]
    assert "Tracer" not in str(result) and result.source == "NumPy"
    assert result.verdict is sf.Verdict.LOCAL_MINIMUM  # differences do not show that it is strict
    given = sf.minimize(lambda x: float(np.sin(x[0]) ** 2), np.array([1.0]), jac=lambda x: np.array([np.sin(2 * x[0])]))
    assert sum("NumPy" in sentence for sentence in given.advice) == 1
    assert given.judged.verdict is STRICT


def test_a_wrong_gradient_is_suspected():
    result = sf.minimize(
        lambda x: float((x[0] - 1) ** 2 + x[1] ** 2), np.array([3.0, 2.0]),
        jac=lambda x: -np.array([2 * (x[0] - 1), 2 * x[1]]),
    )  # fmt: skip
    assert result.value <= 8.0 and result.verdict not in (STRICT, sf.Verdict.LOCAL_MINIMUM)
    assert any("gradient is suspect" in sentence for sentence in result.advice)
    assert not sf.check_gradient(
        lambda x: float((x[0] - 1) ** 2), np.array([3.0]), jac=lambda x: -2 * (x - 1)
    ).ok  # fmt: skip


def test_exceptions_of_the_callers_own_code_pass_through():
    class MineError(Exception):
        pass

    def f(x):
        if float(x[0]) < 0.5:
            raise MineError("mine")
        return float(x[0] ** 2)

    with pytest.raises(MineError, match=r"^mine$"):
        sf.minimize(f, np.array([3.0]))


@pytest.mark.parametrize(
    "f, sentence", [
        (lambda x: x, "array of shape"), (lambda x: None, "returns nothing"),
        (lambda x: "a", "a real number is needed"), (lambda x: complex(1, 1), "complex"),
    ],
)  # fmt: skip
def test_what_is_no_function_of_a_point_is_refused_in_a_sentence(f, sentence):
    with pytest.raises(ModelError, match=sentence):
        sf.minimize(f, np.array([1.0, 2.0]))


NO_STARTS = ([1.0, math.nan], [math.inf, 0.0], "abc", None, [], {"x": "a"}, object())


@pytest.mark.parametrize("start", NO_STARTS, ids=lambda one: type(one).__name__)
def test_starts_that_are_none_are_refused_in_a_sentence(start):
    with pytest.raises((ModelError, DataError, ExpressionError)) as caught:
        sf.minimize(lambda x: jnp.sum(x**2), start)
    assert str(caught.value).strip().endswith((".", "?", ")")) and "racer" not in str(caught.value)


@pytest.mark.parametrize("options, sentence", [
    ({"method": "bgfs"}, "Did you mean 'bfgs'"), ({"steps": "wolf"}, "Did you mean 'wolfe'"),
    ({"method": "momentum", "steps": "wolfe"}, "does not go with"), ({"steps": "polyak"}, "lowest value"),
    ({"max_steps": -1}, "max_steps"), ({"max_seconds": float("nan")}, "max_seconds"),
    ({"max_evaluations": -5}, "max_evaluations"), ({"bounds": [(0, 1)]}, "2 variables"),
    ({"bounds": [(1, 0), (0, 1)]}, "cross"), ({"bounds": {"z": (0, 1)}}, "no variable named"), ({"bounds": 7}, "pairs"),
    ({"starts": 10}, "box"), ({"starts": 0, "box": [(0, 1), (0, 1)]}, "at least 1"),
    ({"starts": 5, "box": [(0, None), (0, 1)]}, "open"), ({"steps": -0.1}, "rate"), ({"steps": float("nan")}, "rate"),
    ({"method": 7}, "method"), ({"tol": -1.0}, "tol"), ({"tol": float("nan")}, "tol"),
    ({"max_steps": "many"}, "max_steps"), ({"lowest": "low"}, "lowest"), ({"callback": 3}, "callback"),
    ({"seed": -1}, "seed"), ({"seed": 0.5}, "seed"), ({"max_steps": 2.7}, "whole"), ({"jac": "no"}, "jac"),
    ({"resume": 3}, "resume"), ({"steps": True}, "step"), ({"starts": 2.5, "box": [(0, 1), (0, 1)]}, "starts"),
], ids=str)  # fmt: skip
def test_wrong_wishes_are_refused_in_a_sentence(options, sentence):
    with pytest.raises((ModelError, DataError), match=sentence):
        sf.minimize(rosenbrock, START, **options)


# Bounds


@pytest.mark.parametrize("bounds", [
    [(0, 0.5), (None, None)], [(0, 0.5), (-math.inf, math.inf)], {"x": (0, 0.5)}, {"x": (0, 0.5), "y": (None, None)},
    "x=0..0.5", "x=0..0.5, y=-9..inf", scipy.optimize.Bounds([0, -np.inf], [0.5, np.inf]),
    sf.Box(np.array([0, -np.inf]), np.array([0.5, np.inf])), np.array([[0, 0.5], [-np.inf, np.inf]]),
], ids=repr)  # fmt: skip
def test_bounds_in_every_spelling(bounds):
    result = sf.minimize("100*(y - x^2)^2 + (1 - x)^2", {"x": 0.2, "y": 1.0}, bounds=bounds)
    assert result.x == pytest.approx({"x": 0.5, "y": 0.25}, abs=1e-9)
    assert result.judged.verdict is STRICT
    assert result.multipliers == pytest.approx({"x": 1.0}, rel=1e-6)  # the slope of f out of the box


def test_no_point_leaves_the_bounds_and_a_start_outside_is_moved_in():
    seen = []

    def f(x):
        seen.append(np.array(x))
        return float(np.sum((np.asarray(x) + 3) ** 2))

    result = sf.minimize(f, np.array([9.0, 0.5]), bounds=(0, 1), jac=lambda x: 2 * (x + 3))
    assert np.all(np.array([x for x in seen if x.dtype == float and np.all(np.isfinite(x))][1:]) >= -1e-12)
    assert result.x == pytest.approx([0, 0]) and result.judged.verdict is STRICT
    assert result.multipliers == pytest.approx({name: 6.0 for name in result.names})


@pytest.mark.parametrize("method", ["auto", "steepest", "bfgs", "l-bfgs", "newton", "cg"])
def test_bounds_with_every_method_against_scipy(method):
    bounds = [(-2, 0.8), (0.7, 2)]
    peer = scipy.optimize.minimize(rosenbrock, START, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-15})
    result = sf.minimize(rosenbrock, START, method=method, bounds=bounds)
    assert result.value <= peer.fun * (1 + 1e-9)
    if method != "steepest":
        assert result.judged.verdict is STRICT


# Budgets, callbacks, Ctrl-C


@pytest.mark.parametrize("method", ["auto", "steepest", "bfgs", "nelder-mead", "momentum"])
@pytest.mark.parametrize("budget, reason", [
    ({"max_steps": 3}, Reason.STEPS), ({"max_steps": 0}, Reason.STEPS), ({"max_evaluations": 5}, Reason.EVALUATIONS),
    ({"max_seconds": 0.0}, Reason.TIME),
])  # fmt: skip
def test_a_spent_budget_gives_the_best_point_and_its_honest_verdict(method, budget, reason):
    result = sf.minimize(rosenbrock, START, method=method, **budget)
    finite = [row.value for row in result.trace.rows if math.isfinite(row.value)]
    assert result.stop.reason is reason, str(result.stop)
    assert result.value == pytest.approx(min(finite), rel=1e-12) and result.value <= 24.2 + 1e-9
    assert result.verdict is sf.Verdict.NOT_STATIONARY
    assert not result.to_scipy().success
    if "max_steps" in budget:
        assert result.steps == budget["max_steps"]


def test_seconds_are_kept_with_a_slow_function():
    def f(x):
        time.sleep(0.02)
        return float((x[0] - 1) ** 2 + np.sum(np.abs(x[1:]) ** 1.5))

    began = time.monotonic()
    result = sf.minimize(f, np.full(3, 4.0), max_seconds=0.5)
    assert result.stop.reason is Reason.TIME and time.monotonic() - began < 8
    assert result.seconds < 2.5


def test_tolerance_is_met_and_said():
    result = sf.minimize(rosenbrock, START, tol=1e-3)
    assert result.stop.reason is Reason.TOLERANCE and result.stop.measure <= result.stop.tolerance == 1e-3
    assert "<= 1.0e-03" in str(result.stop)
    assert result.judged.verdict is STRICT and "away" in result.judged.claim
    assert result.to_scipy().success


def test_both_forms_of_scipys_callback():
    plain, named = [], []
    result = sf.minimize(rosenbrock, START, method="bfgs", callback=plain.append)

    def note(intermediate_result):
        named.append(intermediate_result)

    sf.minimize(rosenbrock, START, method="bfgs", callback=note)
    assert len(plain) == len(named) == result.steps
    assert plain[-1] == pytest.approx(result.x) and isinstance(named[0], scipy.optimize.OptimizeResult)
    assert [one.fun for one in named] == pytest.approx([rosenbrock(x) for x in plain])
    shaped = []
    sf.minimize("x^2 + y^2", {"x": 1, "y": 2}, callback=shaped.append, method="steepest")
    assert set(shaped[0]) == {"x", "y"}


@pytest.mark.parametrize("method", ["auto", "bfgs", "steepest", "nelder-mead"])
@pytest.mark.parametrize("how", ["returns True", "raises"])
def test_a_callback_ends_the_walk(method, how):
    count = []

    def callback(x):
        count.append(x)
        if len(count) == 3:
            if how == "raises":
                raise StopIteration
            return True

    result = sf.minimize(rosenbrock, START, method=method, callback=callback)
    assert result.stop.reason is Reason.ASKED and len(count) == 3
    assert result.value <= 24.2 and result.steps == 3


def test_progress_is_given_every_row():
    rows = []
    result = sf.minimize(rosenbrock, START, progress=rows.append)
    assert len(rows) >= len(result.trace)
    assert rows[0].step == 0 and rows[0].there == pytest.approx(START)
    assert max(row.passes for row in rows) == max(row.passes for row in result.trace.rows)
    many = []
    sf.minimize(lambda x: jnp.sum((x - 1) ** 2 * jnp.arange(1, 41)), np.zeros(40), progress=many.append)
    assert many[-1].there == pytest.approx(1) and many[-1].x is None


@pytest.mark.parametrize("method", ["auto", "bfgs", "steepest", "nelder-mead", "cg"])
def test_ctrl_c_inside_f_keeps_the_best_point(method):
    calls = []

    def f(x):
        calls.append(1)
        if len(calls) == 25:
            raise KeyboardInterrupt
        return float(crawl(np.asarray(x, float)))

    def jac(x):
        return np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)])

    calls.clear()
    result = sf.minimize(f, START, jac=jac, method=method)
    assert result.stop.reason is Reason.INTERRUPTED
    assert result.value <= min(row.value for row in result.trace.rows) + 1e-12 < 24.2 + 1e-9


def test_a_second_ctrl_c_while_the_point_is_judged_keeps_it_too():
    calls = []

    def f(x):
        calls.append(1)
        if len(calls) > 25:
            raise KeyboardInterrupt
        return float((x[0] - 1) ** 4 + x[1] ** 2)

    result = sf.minimize(f, START, jac=lambda x: np.array([4 * (x[0] - 1) ** 3, 2 * x[1]]), method="steepest")
    assert result.stop.reason is Reason.INTERRUPTED and result.verdict is sf.Verdict.INCONCLUSIVE
    assert "before the point was judged" in result.certificate.claim
    assert result.value == min(row.value for row in result.trace.rows)


# Checkpoints


def test_a_checkpoint_is_a_result_and_resuming_goes_on(tmp_path):
    half = sf.minimize(rosenbrock, START, method="steepest", max_steps=50)
    half.save(tmp_path / "half.json")
    for given in (half, tmp_path / "half.json", str(tmp_path / "half.json")):
        whole = sf.minimize(rosenbrock, START, method="auto", resume=given)
        assert whole.x == pytest.approx([1, 1]) and whole.judged.verdict is STRICT
        assert whole.start == pytest.approx(START)
        assert whole.steps > half.steps and len(whole.trace) > len(half.trace)
        steps = whole.trace.steps()["step"]
        assert np.all(np.diff(steps) >= 0) and np.all(np.diff(whole.trace["seconds"]) >= 0)
        assert whole.seconds >= half.seconds


def test_checkpoints_that_do_not_fit_are_refused(tmp_path):
    other = sf.minimize("a^2 + b^2 + c^2", {"a": 1, "b": 1, "c": 1})
    with pytest.raises(ModelError, match="variables"):
        sf.minimize(rosenbrock, START, resume=other)
    (tmp_path / "damaged.json").write_text('{"x": [1')
    (tmp_path / "other.json").write_text('{"formula": "y ~ x"}')
    for name in ("damaged.json", "other.json", "missing.json"):
        with pytest.raises(DataError):
            sf.minimize(rosenbrock, START, resume=tmp_path / name)
    with pytest.raises(DataError, match="checkpoint"):
        sf.minimize(rosenbrock, START, checkpoint=tmp_path / "no such folder" / "c.json")


def test_a_checkpoint_that_fails_on_the_way_costs_no_walk(tmp_path, monkeypatch):
    from surefoot.results import checkpoint

    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    path = tmp_path / "c.json"

    def lose_the_place(row):
        time.sleep(0.02)  # at most a twentieth of the time goes into writing
        if row.step == 3 and path.is_file():
            path.unlink()
            path.mkdir()

    result = sf.minimize(rosenbrock, START, method="bfgs", checkpoint=path, progress=lose_the_place)
    assert result.judged.verdict is STRICT and "checkpoint was not written" in only(result, "checkpoint")
    with pytest.raises(DataError, match="folder"):
        sf.minimize(rosenbrock, START, checkpoint=path)


KILLED = """
import sys, time
import numpy as np
import surefoot as sf
from surefoot.results import checkpoint
checkpoint.EVERY = 0.05

def slow(x):
    time.sleep(0.002)
    return float(100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2)

def jac(x):
    return np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)])

print("walking", flush=True)
sf.minimize(slow, np.array([-1.2, 1.0]), jac=jac, method="steepest", checkpoint=sys.argv[1])
"""


def test_a_killed_process_leaves_a_checkpoint_that_can_be_resumed(tmp_path):
    path = tmp_path / "walk.json"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None and process.stdout.readline() == b"walking\n"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            time.sleep(0.05)
            if path.exists() and path.stat().st_size > 2000 and load(path).steps > 2:
                break
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    known = load(path)
    assert known.stop.reason is Reason.UNDER_WAY and known.verdict is sf.Verdict.INCONCLUSIVE
    assert known.value < 24.2 and known.steps > 0
    assert "under way" in str(known)
    assert [one.name for one in tmp_path.iterdir() if one.suffix == ".part"] == []
    result = sf.minimize(rosenbrock, START, resume=path)
    assert result.judged.verdict is STRICT and result.value <= known.value and len(result.trace) > len(known.trace)


# What comes back


def test_to_scipy_is_what_scipys_callers_expect():
    result = sf.minimize(rosenbrock, START)
    other = result.to_scipy()
    assert isinstance(other, scipy.optimize.OptimizeResult)
    assert other.x == pytest.approx([1, 1]) and other.fun == result.value and other.success is True
    assert other.nit == result.steps and other.nfev >= other.njev > 0 and isinstance(other.message, str)
    assert np.array_equal(other.jac, result.slope) and other.status == list(Reason).index(result.stop.reason)
    saddle = sf.minimize(saddle_of_two, np.zeros(2), method="bfgs").to_scipy()
    assert "saddle" in saddle.message.lower()  # the gradient is zero, and what the point is stands in the message


SAVED = {
    "Rosenbrock": lambda: sf.minimize(rosenbrock, START),
    "text": lambda: sf.minimize("x^2 + y^4", "x=1, y=2", max_steps=4),
    "starts": lambda: sf.minimize(himmelblau, None or np.zeros(2), starts=40, box=[(-5, 5), (-5, 5)]),
    "bounds": lambda: sf.minimize(rosenbrock, START, bounds=[(None, 0.5), (None, None)]),
    "unbounded": lambda: sf.minimize("-x^2", {"x": 1}, method="steepest"),
    "nan": lambda: sf.minimize("log(x)", {"x": -1.0}),
    "diverged": lambda: sf.minimize("x^2 + 50*y^2", {"x": 1, "y": 1}, method="steepest", steps=0.5),
    "large": lambda: sf.minimize(lambda x: jnp.sum((x - 1) ** 2 * jnp.arange(1, 31)), np.zeros(30)),
}


def same(one, other):
    return one == other or (one != one and other != other)


@pytest.mark.parametrize("name", SAVED)
def test_a_saved_result_reads_back_bit_for_bit(name, tmp_path):
    result = SAVED[name]()
    path = tmp_path / "result.json"
    result.save(path)
    back = load(path)
    assert back.flat.tobytes() == result.flat.tobytes() and back.start.tobytes() == result.start.tobytes()
    assert same(back.value, result.value)
    assert np.array_equal(back.slope, result.slope, equal_nan=True)
    assert str(back.stop) == str(result.stop) and back.stop.reason is result.stop.reason
    assert back.certificate.claim == result.certificate.claim and back.verdict is result.verdict
    assert back.certificate.lines == result.certificate.lines
    assert len(back.trace) == len(result.trace)
    for column in ("step", "value", "steepness", "length", "moved", "angle", "curvature", "seconds", "slope"):
        assert np.array_equal(back.trace[column], result.trace[column], equal_nan=True), column
    assert np.array_equal(back.trace["x"], result.trace["x"], equal_nan=True)
    assert [row.remark for row in back.trace.rows] == [row.remark for row in result.trace.rows]
    assert back.advice == result.advice and dict(back.multipliers) == dict(result.multipliers)
    assert str(back) == str(result)
    back.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()
    json.loads(path.read_text(), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    if result.starts is not None:
        assert back.starts is not None and back.starts.sentence == result.starts.sentence


def test_sf_load_reads_a_result_too(tmp_path):
    result = sf.minimize(rosenbrock, START)
    result.save(tmp_path / "result.json")
    back = sf.load(tmp_path / "result.json")
    assert isinstance(back, sf.Result) and back.flat.tobytes() == result.flat.tobytes()
    (tmp_path / "bad.json").write_text("[1, 2")
    with pytest.raises(DataError):
        sf.load(tmp_path / "bad.json")
    with pytest.raises(DataError):
        load(tmp_path)


@pytest.mark.parametrize("ending, magic", [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
@pytest.mark.parametrize("name", ["two", "one", "many", "starts", "stationary", "loaded"])
def test_pictures_of_every_kind_are_written(name, ending, magic, tmp_path):
    results = {
        "two": lambda: sf.minimize(rosenbrock, START, method="steepest", max_steps=30),
        "one": lambda: sf.minimize("cosh(x)", {"x": 2}),
        "many": lambda: sf.minimize(lambda x: jnp.sum((x - 1) ** 4), np.zeros(5)),
        "starts": SAVED["starts"],
        "stationary": lambda: sf.minimize("x^2 - y^2", {"x": 0, "y": 0}, method="bfgs"),
    }
    if name == "loaded":
        results["two"]().save(tmp_path / "r.json")
        result = load(tmp_path / "r.json")
    else:
        result = results[name]()
    path = tmp_path / f"picture{ending}"
    figure = result.plot(path)
    assert path.read_bytes()[: len(magic)] == magic and path.stat().st_size > 2000
    alone = name in ("loaded", "many", "starts")  # without the function there is no map; of starts only the map
    assert len(figure.axes) == (1 if alone or len(result.names) > 2 else 2)


def test_pictures_in_other_places_are_refused_in_a_sentence(tmp_path):
    result = sf.minimize("x^2", {"x": 1})
    for path in ("a.gif", "picture", "no such folder/a.png"):
        with pytest.raises(DataError):
            result.plot(tmp_path / path)
        assert list(tmp_path.iterdir()) == []


def test_the_trace_as_arrow_pandas_csv_and_parquet(tmp_path):
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    result = sf.minimize(rosenbrock, START, method="bfgs")
    table = result.trace.to_arrow()
    assert isinstance(table, pa.Table) and table.num_rows == len(result.trace) and "x1" in table.column_names
    frame = result.trace.to_pandas()
    assert isinstance(frame, pd.DataFrame) and frame["accepted"].sum() == result.steps + 1
    for name, read in (("t.csv", pd.read_csv), ("t.parquet", lambda path: pq.read_table(path).to_pandas())):
        result.trace.write(tmp_path / name)
        back = read(tmp_path / name)
        assert back["value"].to_numpy() == pytest.approx(result.trace["value"], rel=1e-15, nan_ok=True)
        assert back["x2"].to_numpy() == pytest.approx(result.trace["x"][:, 1], rel=1e-15)
    with pytest.raises(DataError, match=r"\.csv or \.parquet"):
        result.trace.write(tmp_path / "t.xlsx")


def test_the_trace_tells_the_truth():
    result = sf.minimize(rosenbrock, START, method="bfgs")
    for row in result.trace.rows:
        assert row.value == pytest.approx(float(rosenbrock(row.x)), rel=1e-9, abs=1e-20)
    steps = result.trace.steps()
    moved = np.linalg.norm(np.diff(steps["x"], axis=0), axis=1)
    assert steps["moved"][1:] == pytest.approx(moved, rel=1e-6, abs=1e-14)
    path = np.diff(steps["x"], axis=0)
    turns = [math.degrees(math.acos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1)))
             for a, b in zip(path[1:-3], path[:-4], strict=True)]  # fmt: skip
    assert steps["angle"][2:-3] == pytest.approx(turns, abs=1e-3)
    assert result.counts.values + 0 >= len(result.trace) - 1


# Advice: exactly where the evidence is


TAME = {
    "Rosenbrock": lambda: sf.minimize(rosenbrock, START),
    "bowl": lambda: sf.minimize("(x-1)^2 + 2*(y+1)^2", {"x": 5, "y": 5}, method="cg"),
    "cosh": lambda: sf.minimize("cosh(x) + cosh(y)", {"x": 2, "y": 1}, method="bfgs"),
    "steps": lambda: sf.minimize("x^2 + y^2", {"x": 2, "y": 1}, method="steepest", steps=0.4),
}


@pytest.mark.parametrize("name", TAME)
def test_nothing_is_advised_where_nothing_is_wrong(name):
    assert TAME[name]().advice == ()


def only(result, words):
    """The one sentence with these words."""
    found = [sentence for sentence in result.advice if words in sentence]
    assert len(found) == 1, result.advice
    return found[0]


def test_zigzag_with_the_condition_that_makes_it():
    result = sf.minimize("x^2 + 100*y^2", {"x": 100, "y": 1}, method="steepest", steps="exact", max_steps=40)
    said = only(result, "zigzag")
    assert "90.0 degrees" in said and "condition 100" in said and "10 times longer than wide" in said
    assert "conjugate gradients need about 2" in said
    assert not any("zigzag" in one for one in sf.minimize("x^2 + 100*y^2", {"x": 100, "y": 1}).advice)


def test_a_rate_that_is_too_large_with_l_measured():
    result = sf.minimize("x^2 + 50*y^2", {"x": 1, "y": 1}, method="steepest", steps=0.03)
    assert result.stop.reason is Reason.DIVERGED and "L = 100" in str(result.stop)
    said = only(result, "2/L")
    assert "0.02 settle" in said and "L = 100" in said and "0.01 is safe" in said.replace("1/L = ", "1/L = ")
    settled = sf.minimize("x^2 + 50*y^2", {"x": 1, "y": 1}, method="steepest", steps=0.0199, max_steps=5000)
    assert settled.judged.verdict is STRICT and not any("2/L" in one for one in settled.advice)


def test_a_rate_that_is_far_too_small():
    result = sf.minimize("x^2 + 50*y^2", {"x": 1, "y": 1}, method="steepest", steps=1e-5, max_steps=100)
    assert result.stop.reason is Reason.STEPS
    said = only(result, "far too small")
    assert "1e-05" in said and "0.01" in said
    fair = sf.minimize("x^2 + 50*y^2", {"x": 1, "y": 1}, method="steepest", steps=0.005, max_steps=100)
    assert not any("too small" in one for one in fair.advice)


def test_a_flat_valley_and_how_far_it_goes_unseen():
    result = sf.minimize("1 + (x - y)^2 + 1e-12*(x + y - 2)^2", {"x": 3, "y": -1}, method="newton")
    said = only(result, "flat")
    assert result.judged.verdict is STRICT and "e+1" in said
    assert not any("flat" in one for one in sf.minimize("1 + (x-y)^2 + (x+y)^2", {"x": 3, "y": -1}).advice)


def test_variables_that_are_badly_scaled_by_name():
    result = sf.minimize("1e10*(small - 1)^2 + (large - 1)^2", {"small": 0, "large": 0})
    said = only(result, "badly scaled")
    assert "along small" in said and "1e10" in said and "1e5" in said
    assert not any("scaled" in one for one in sf.minimize("100*(a-1)^2 + (b-1)^2", {"a": 0, "b": 0}).advice)


def test_single_precision_is_said():
    def f(x):
        x = jnp.asarray(x, jnp.float32)
        return jnp.sum((x - jnp.float32(0.3)) ** 2)

    result = sf.minimize(f, np.zeros(3))
    assert sum("float32" in one or "single precision" in one for one in result.advice) >= 1
    assert not any("single" in one for one in sf.minimize(lambda x: jnp.sum((x - 0.3) ** 2), np.zeros(3)).advice)


@pytest.mark.parametrize("method", ["bfgs", "steepest", "cg", "newton", "trust-newton", "momentum", "nelder-mead"])
def test_a_start_on_a_saddle_is_said(method):
    result = sf.minimize("x^2 - y^2 + y^4", {"x": 0, "y": 0}, method=method)
    assert result.verdict is sf.Verdict.SADDLE and "stationary point" in only(result, "start")


def test_a_start_on_a_saddle_that_was_left_is_said():
    result = sf.minimize("x^2 - y^2 + y^4", {"x": 0, "y": 0})
    assert result.judged.verdict is STRICT and result.value == pytest.approx(-0.25)
    assert "the curvature is -2" in only(result, "stationary point")


def test_trials_where_f_was_not_finite_are_counted():
    result = sf.minimize("x - log(x) + y^2", {"x": 5, "y": 1}, method="bfgs")
    bad = int(np.sum(~np.isfinite(result.trace["value"])))
    if bad:
        assert f"{bad} trial" in only(result, "not finite")
    else:
        assert not any("not finite" in one for one in result.advice)
    hole = sf.minimize("sqrt(x) - 10*x^0.25 + (x-1)^2", {"x": 0.001}, method="steepest", steps="armijo")
    bad = int(np.sum(~np.isfinite(hole.trace["value"])))
    assert any("not finite" in one for one in hole.advice) == (bad > 0)


# Programs


def test_a_second_call_compiles_nothing():
    def f(x):
        return jnp.sum(jnp.cos(x) ** 2) + jnp.sum((x - 0.3) ** 4)

    first = sf.minimize(f, np.array([1.0, 2.0, 0.5]))
    second = sf.minimize(f, np.array([-1.0, 0.2, 2.5]))
    other = sf.minimize(f, np.array([-1.0, 0.2, 2.5]), method="bfgs")
    assert first.counts.compilations > 0
    assert second.counts.compilations == other.counts.compilations == 0
    text = [sf.minimize("sin(x)^2 + (y-1)^4", {"x": k, "y": k}) for k in (1, 2)]
    assert text[0].counts.compilations > 0 and text[1].counts.compilations == 0


def test_the_callers_jax_stays_as_it_was():
    program = (
        "import jax, jax.numpy as jnp, numpy as np\n"
        "before = jax.config.jax_enable_x64, str(jax.devices()), jnp.ones(2).dtype\n"
        "import surefoot as sf\n"
        "r = sf.minimize(lambda x: jnp.sum((x - 1/3)**2), np.zeros(2))\n"
        "assert abs(r.x[0] - 1/3) < 1e-15, r.x\n"
        "after = jax.config.jax_enable_x64, str(jax.devices()), jnp.ones(2).dtype\n"
        "assert before == after, (before, after)\n"
        "assert after[2] == jnp.float32 and jax.jit(lambda x: x + 1)(1.0).dtype == jnp.float32\n"
        "print('as it was')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=os.environ)
    assert done.stdout == "as it was\n", done.stderr
    assert done.stderr == ""


# Many starts


def test_seconds_and_ctrl_c_hold_for_many_starts_too():
    def slow(x):
        time.sleep(0.001)
        return float((x[0] ** 2 - 1) ** 2 + x[1] ** 2)

    began = time.monotonic()
    result = sf.minimize(slow, np.zeros(2), starts=60, box=[(-2, 2), (-2, 2)], max_seconds=0.3)
    assert time.monotonic() - began < 10
    assert result.stop.reason is Reason.TIME and result.starts is not None and "no rest" in result.starts.sentence
    assert result.value < 9.0

    calls = []

    def interrupted(x):
        calls.append(1)
        if len(calls) == 900:
            raise KeyboardInterrupt
        return float((x[0] ** 2 - 1) ** 2 + x[1] ** 2)

    result = sf.minimize(interrupted, np.zeros(2), starts=40, box=[(-2, 2), (-2, 2)])
    assert result.stop.reason is Reason.INTERRUPTED and "Ctrl-C" in str(result.stop) and result.value < 9.0


def test_one_start_knows_nothing_of_the_rest_of_the_box():
    result = sf.minimize(himmelblau, np.zeros(2), starts=1, box=[(-5, 5), (-5, 5)])
    assert result.starts is not None and "100% of the box" in result.starts.sentence


def test_many_starts_find_every_minimum_of_himmelblau():
    result = sf.minimize(himmelblau, np.zeros(2), starts=200, box=[(-5, 5), (-5, 5)])
    starts = result.starts
    assert starts is not None and starts.count == 200 and len(starts.minima) == 4
    for point in HIMMELBLAU:
        assert min(np.linalg.norm(one.x - point) for one in starts.minima) < 1e-9
    assert all(one.verdict is STRICT and one.value < 1e-20 and one.inside for one in starts.minima)
    assert sum(one.share for one in starts.minima) == pytest.approx(1)
    assert sum(one.count for one in starts.minima) == starts.arrived
    assert starts.unseen == 0 and 0 < starts.unseen_limit < 0.02
    assert "200 starts led to 4 points" in str(result) and "At most 1.5% of the box leads" in str(result)
    again = sf.minimize(himmelblau, np.zeros(2), starts=200, box=[(-5, 5), (-5, 5)])
    assert again.starts is not None
    assert [one.count for one in again.starts.minima] == [one.count for one in starts.minima]
    other = sf.minimize(himmelblau, np.zeros(2), starts=200, box=[(-5, 5), (-5, 5)], seed=1)
    assert other.starts is not None
    assert sorted(one.count for one in other.starts.minima) != sorted(one.count for one in starts.minima)


def test_shares_are_those_of_the_box():
    """Left of 0.25 everything leads to -1, right of it to 1, but for the walk of a lane that jumps."""
    result = sf.minimize("(x^2 - 1)^2 + 0.1*x", {"x": 0}, starts=400, box={"x": (-2, 2)})
    assert result.starts is not None and len(result.starts.minima) == 2
    lowest = result.starts.minima[0]
    assert lowest.x[0] == pytest.approx(-1.01, abs=0.01) and result.x["x"] == pytest.approx(lowest.x[0])
    assert 0.35 < lowest.share < 0.65


def test_few_starts_say_how_much_may_be_missing():
    result = sf.minimize("sin(5*x) + x^2/50", None, starts=6, box="x=-10..10")
    assert result.starts is not None and len(result.starts.minima) >= 2
    once = sum(one.count == 1 for one in result.starts.minima)
    assert result.starts.unseen == pytest.approx(once / result.starts.arrived)
    assert result.starts.unseen_limit > result.starts.unseen


def test_starts_of_a_function_jax_cannot_trace_and_of_one_that_is_nan_in_half_the_box():
    result = sf.minimize(numpy_bowl, np.zeros(2), starts=12, box=[(-4, 4), (-1, 2)])
    assert result.starts is not None and len(result.starts.minima) >= 2
    half = sf.minimize("x - log(x) + y^2", {"x": 1, "y": 0}, starts=50, box="x=-1..1, y=-1..1")
    assert half.x == pytest.approx({"x": 1, "y": 0}, abs=1e-9)
    with pytest.raises(ModelError, match="not finite at any"):
        sf.minimize("log(x)", {"x": 1}, starts=5, box="x=-2..-1")


@pytest.mark.parametrize("method", ["steepest", "cg", "cg-pr", "bfgs", "l-bfgs", "newton", "trust-newton"])
@pytest.mark.parametrize("steps", ["armijo", "hager-zhang", "wolfe", "exact", sf.steps.HagerZhang(flattening=0.5)])
def test_line_searches_among_bounds(method, steps):
    f, start = "(x - 2)^2 + 3*(x - y)^2 + z^4 - z", {"x": -0.5, "y": 0.5, "z": 0.0}
    result = sf.minimize(f, start, method=method, steps=steps, bounds="x=-1..1, z=0.2..9", max_steps=2000)
    assert result.flat == pytest.approx([1, 1, 4 ** (-1 / 3)], abs=1e-5)
    assert result.judged.verdict is STRICT and set(result.multipliers) == {"x"}
    for row in result.trace.rows:
        assert -1 <= row.x[0] <= 1 and 0.2 <= row.x[2] <= 9


@pytest.mark.parametrize("method, steps, words", [
    ("bfgs", "full", "nothing checks it"), ("adgd", "adaptive", "a bound has bent"),
    ("steepest", sf.steps.Silver(1.0), "long on purpose"), ("trust-newton", "trust-region", "beyond bounds"),
])  # fmt: skip
def test_steps_that_do_not_go_with_bounds_are_refused_with_those_that_do(method, steps, words):
    with pytest.raises(OptionError, match=f"{words}.*'hager-zhang', 'wolfe' and 'exact'"):
        sf.minimize(rosenbrock, START, method=method, steps=steps, bounds=[(-2, 0.8), (0.7, 2)])


def test_polyak_and_the_simplex_among_bounds():
    f, start = "(x-2)^2 + y^2", {"x": 0, "y": 1}
    known = sf.minimize(f, start, method="steepest", steps="polyak", lowest=1.0, bounds="x=-1..1", max_steps=500)
    assert known.flat == pytest.approx([1, 0], abs=1e-6)
    simplex = sf.minimize(f, start, method="nelder-mead", bounds="x=-1..1")
    assert simplex.flat == pytest.approx([1, 0], abs=1e-5) and "Nelder-Mead" in simplex.method


def test_a_saddle_among_bounds_is_left_along_what_is_free():
    result = sf.minimize("x^2 - y^2", {"x": 0, "y": 0}, bounds="x=-1..1, y=-2..3")
    assert result.flat.tolist() == [0.0, 3.0] and result.judged.verdict is STRICT and result.multipliers == {"y": 6.0}
    assert any("beside a stationary point" in sentence for sentence in result.story)
    held = sf.minimize("x^2 - y^2 + z", {"x": 0, "y": 0, "z": 1}, bounds="y=0..0, z=1..2")
    assert held.flat.tolist() == [0.0, 0.0, 1.0] and held.judged.verdict is STRICT
