"""The command line of functions, as people call it, rightly and wrongly."""

from __future__ import annotations

import json

import pytest

from surefoot.apps.cli import run

ROSENBROCK = "100*(y-x^2)^2 + (1-x)^2"


def printed(capsys, *call: str, code: int = 0) -> str:
    assert run([*call]) == code
    caught = capsys.readouterr()
    return caught.out + caught.err


def test_a_walk_prints_its_three_answers(capsys):
    text = printed(capsys, "minimize", ROSENBROCK, "--start", "x=-1.2, y=1")
    assert "landed at" in text
    assert "Stopped: the gradient is at its noise floor: |g| = " in text
    assert "Verdict: global minimum (proven" in text
    assert all(len(line) <= 100 for line in text.splitlines())


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_function_may_begin_with_a_minus(capsys, order):
    parts = [["-x^2 + x^4"], ["--start", "x=0.1"]]
    call = [word for k in order for word in parts[k]]
    assert "0.7071067812" in printed(capsys, "minimize", *call)
    assert "gradient" in printed(capsys, "compass", "-x^2", "--at", "x=1")


@pytest.mark.parametrize(
    ("call", "code", "says"),
    [
        (["x^2 + y"], 2, "The walk needs a start"),
        (["x^2", "--starts", "3"], 2, "Many starts need a box to lie in, with both ends for each variable"),
        (["x^2+", "--start", "x=1"], 2, "A value is missing after +."),
        (["x^2", "--start", "x=1", "--method", "steepst"], 2, "Did you mean 'steepest'?"),
        (["x^2", "--start", "x=1", "--resume", "nothing.json"], 1, "nothing.json"),
        (["x^2", "--start", "x=1", "--bounds", "x=3..1"], 2, "runs downwards"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_a_sentence(capsys, tmp_path, monkeypatch, call, code, says):
    monkeypatch.chdir(tmp_path)
    assert says in printed(capsys, "minimize", *call, code=code)


def test_a_rate_that_is_too_large_is_no_answer(capsys):
    call = ["minimize", "x^2 + 10*y^2", "--start", "x=10, y=1", "--method", "steepest", "--steps", "0.102"]
    text = " ".join(printed(capsys, *call, code=1).split())
    assert "rate 0.102 is above 2/L = 0.1: the largest curvature measured is L = 20" in text


def test_pictures_traces_and_json_are_written(capsys, tmp_path):
    picture, trace = tmp_path / "walk.svg", tmp_path / "walk.csv"
    call = ["minimize", ROSENBROCK, "--start", "x=-1.2, y=1", "--plot", str(picture), "--trace", str(trace), "--json"]
    state = json.loads(printed(capsys, *call))
    assert state["certificate"]["verdict"] == "GLOBAL_MINIMUM"
    assert picture.read_text().startswith("<?xml")
    assert len(trace.read_text().splitlines()) == len(state["trace"]["value"]) + 1
