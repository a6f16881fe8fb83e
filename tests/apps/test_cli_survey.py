"""``surefoot survey`` as it is typed."""

from __future__ import annotations

import json
import os
import signal
import threading

import pytest

from surefoot.apps.cli import run


def test_a_survey_is_printed_and_drawn(capsys, tmp_path):
    code = run(["survey", "(x^2 + y - 11)^2 + (x + y^2 - 7)^2", "--box", "x=-6..6, y=-6..6", "--plot",
                str(tmp_path / "chart.svg"), "--save", str(tmp_path / "survey.json")])  # fmt: skip
    out = capsys.readouterr().out
    assert code == 0
    assert "9 stationary points, proven to be there, and to be all" in out and "chart.svg" in out
    assert (tmp_path / "chart.svg").exists() and (tmp_path / "survey.json").exists()


def test_json_is_json(capsys):
    assert run(["survey", "x^4 - x^2", "--box", "x=-2..2", "--json"]) == 0
    state = json.loads(capsys.readouterr().out)
    assert state["complete"] and state["counts"] == {"STRICT_LOCAL_MINIMUM": 2, "LOCAL_MAXIMUM": 1}
    assert state["global_minimum"]["verdict"] == "GLOBAL_MINIMUM"


def test_what_is_undecided_is_exit_code_1_and_a_wrong_call_2(capsys, tmp_path):
    assert run(["survey", "x^4 + y^4", "--box", "x=-1..1, y=-1..1"]) == 1
    assert "degenerate" in capsys.readouterr().out
    assert run(["survey", "x^4 + y^4", "--box", "x=-1..1"]) == 2
    assert "no interval for y" in capsys.readouterr().err
    assert run(["survey", "x^2", "--box", "x=-1..1", "--plot", str(tmp_path / "a.bmp")]) == 2


def test_the_minimum_alone(capsys):
    assert run(["survey", "x^4 + y^4 - x*y", "--box", "x=-1..1, y=-1..1", "--only", "minimum"]) == 0
    out = capsys.readouterr().out
    assert "Global minimum of the box (proven): value -0.125" in out and "stationary point," not in out


def test_ctrl_c_prints_what_is_known(capsys, tmp_path):
    path = tmp_path / "stopped.json"
    run(["survey", "x^2*y^2", "--box", "x=-1..1, y=-1..1", "--max-boxes", "300"])  # everything is imported
    capsys.readouterr()
    bell = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    bell.start()
    code = run(["survey", "x^2*y^2 + 0*z^2", "--box", "x=-1..1, y=-1..1, z=0..1", "--max-boxes", "100000000",
                "--save", str(path)])  # fmt: skip
    bell.join()
    out = capsys.readouterr().out
    assert code == 130 and "stopped by Ctrl-C" in out and "Undecided" in out
    assert json.loads(path.read_text())["state"]["examined"] > 0


@pytest.mark.parametrize("stage", ["whole"])
def test_a_survey_goes_on_from_a_file(capsys, tmp_path, stage):
    call = ["survey", "sin(3*x)*cos(2*y) + x*y", "--box", "x=-3..3, y=-3..3"]
    path = str(tmp_path / f"{stage}.json")
    assert run([*call, "--max-boxes", "200", "--save", path]) == 1
    assert run([*call, "--resume", path]) == 0
    assert "proven to be there, and to be all" in capsys.readouterr().out
