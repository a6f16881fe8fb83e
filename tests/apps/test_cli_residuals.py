"""``surefoot least-squares``: what it prints and writes, and how every call ends."""

import json
import re

import numpy as np
import pytest

import surefoot as sf
from surefoot.apps.cli import run
from surefoot.verbs.loading import load

DECAY = ["least-squares", "y - a*exp(-b*t)", "--given", "t=[0,1,2,3,4], y=[5,3.1,1.8,1.1,0.7]", "--start", "a=1, b=1"]
ROSENBROCK = ["least-squares", "10*(y - x^2)", "1 - x", "--start", "x=-1.2, y=1"]
CALLS = [
    ROSENBROCK, DECAY, [*DECAY, "--loss", "soft_l1", "--f-scale", "0.1"], [*DECAY, "--bounds", "b=0..0.4"],
    [*DECAY, "--method", "gauss-newton", "--steps", "wolfe"], [*ROSENBROCK, "--max-steps", "2"],
    [*ROSENBROCK, "--max-seconds", "0"], [*ROSENBROCK, "--max-evaluations", "3"], [*DECAY, "--tol", "1e-3"],
    [*DECAY, "--test", "a = 10*b", "--test", "b = 0.5", "--level", "0.9"],
    ["least-squares", "-x + 1", "-10*(y - x^2)", "--start", "x=-1.2, y=1"],
    ["least-squares", "10*(x[i+1] - x[i]^2), i=0..29", "1 - x[i], i=0..29", "--start",
     "x=[" + ",".join(["-1"] * 31) + "]"],
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(capsys, *arguments, code=0):
    assert run([str(one) for one in arguments]) == code
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


@pytest.mark.parametrize("arguments", CALLS, ids=lambda one: " ".join(one)[:70])
def test_a_hundred_columns_at_the_widest_and_no_loose_ends(arguments, capsys):
    text = call(capsys, *arguments)
    assert max(map(len, text.splitlines())) <= 100
    assert all(line == line.rstrip() for line in text.splitlines())
    assert not re.search(r"\b1 (steps|evaluations|Jacobians|residuals|coefficients|digits|programs)\b", text)
    assert "nan" not in text and "np.float64" not in text and "array(" not in text
    for word in ("Method: ", "Stopped: ", "Verdict: "):
        assert f"\n{word}" in text


@pytest.mark.parametrize("arguments", CALLS, ids=lambda one: " ".join(one)[:70])
def test_json_is_strict_and_is_what_python_says(arguments, capsys):
    text = call(capsys, *arguments, "--json")
    state = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert state["format"] == "surefoot-result-1" and len(state["residuals"]) > 0
    assert len(state["stderr"]) == len(state["x"]) == len(state["names"])
    assert [one["hypothesis"] for one in state["tests"]] == [
        arguments[k + 1] for k, word in enumerate(arguments) if word == "--test"
    ]


def test_it_answers_what_python_answers(capsys):
    state = json.loads(call(capsys, *DECAY, "--json"))
    t, y = np.arange(5.0), np.array([5.0, 3.1, 1.8, 1.1, 0.7])
    fit = sf.least_squares(lambda p: y - p["a"] * np.e ** (-p["b"] * t), {"a": 1.0, "b": 1.0})
    assert state["x"] == pytest.approx(fit.coef.tolist(), rel=1e-12)
    assert state["stderr"] == pytest.approx(fit.stderr.tolist(), rel=1e-8)
    typed = sf.least_squares("y - a*exp(-b*t)", {"a": 1.0, "b": 1.0}, args={"t": t, "y": y})
    assert typed.coef == pytest.approx(fit.coef, rel=1e-12) and typed.x.keys() == {"a", "b"}
    assert typed["b"].interval == pytest.approx(fit["b"].interval)


def test_bounds_hold_and_show_their_multiplier(capsys):
    state = json.loads(call(capsys, *DECAY, "--bounds", "b=0..0.4", "--json"))
    assert state["x"][1] == 0.4 and state["multipliers"]["b"] < 0


def test_files(folder, capsys):
    text = call(capsys, *ROSENBROCK, "--plot", "p.png", "--trace", "t.csv", "--save", "s.json")
    for word, name in (("Picture", "p.png"), ("Trace", "t.csv"), ("Result", "s.json")):
        assert f"{word} written to {name}." in text and (folder / name).stat().st_size > 100
    assert load("s.json").value == pytest.approx(0, abs=1e-20)
    as_json = json.loads(call(capsys, *ROSENBROCK, "--json", "--plot", "q.svg"))
    assert as_json["format"] == "surefoot-result-1" and (folder / "q.svg").exists()


@pytest.mark.parametrize("arguments, code, words", [
    (["x - ", "--start", "x=1"], 2, "missing after -"),
    (["x - y", "--start", "x=1"], 2, "Nothing is given to y"),
    (["x", "--start", "x=1,"], 2, ""),
    (["x", "--start", "x=1", "--loss", "quadratic"], 2, ""),
    (["x", "--start", "x=1", "--method", "bfgs"], 2, "no method of residuals named 'bfgs'"),
    (["x", "--start", "x=1", "--steps", "wolfe"], 2, "method='gauss-newton'"),
    (["x", "--start", "x=1", "--bounds", "y=0..1"], 2, "no variable here"),
    (["x", "--start", "x=1", "--plot", "p.txt"], 2, "picture is written as"),
    (["x", "--start", "x=1", "--level", "2"], 2, ""),
    (["x"], 2, ""), (["--start", "x=1"], 2, ""),
])  # fmt: skip
def test_wrong_calls_end_with_a_sentence(arguments, code, words, capsys):
    assert run(["least-squares", *arguments]) == code
    shown = capsys.readouterr()
    said = shown.err + shown.out
    assert "Traceback" not in said and said.strip() and words in " ".join(said.split())


def test_an_undefined_start_is_a_refusal(capsys):
    text = call(capsys, "least-squares", "log(x)", "--start", "x=-1", code=1)
    assert "a value is not a finite number" in text
    state = json.loads(call(capsys, "least-squares", "log(x)", "--start", "x=-1", "--json", code=1))
    assert state["value"] is None


def test_help(capsys):
    assert run(["least-squares", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "RESIDUALS" in shown and "--given" in shown and "--plot" in shown
