"""``surefoot minimize`` and ``surefoot compass``: what they print and write, and how every call ends."""

import json
import math
import os
import re
import signal
import subprocess
import sys
import time

import pytest

import surefoot as sf
from surefoot.apps.cli import run
from surefoot.descent.stop import Reason
from surefoot.verbs.loading import load

SUREFOOT = [sys.executable, "-m", "surefoot"]
ROSENBROCK = ["minimize", "100*(y-x^2)^2 + (1-x)^2", "--start", "x=-1.2, y=1"]
LONG = ["minimize", "1e6*(y-x^2)^2 + (1-x)^2", "--start", "x=-1.2, y=1", "--method", "steepest", "--steps", "armijo",
        "--max-steps", "100000000"]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(capsys, *arguments, code=0):
    assert run([str(one) for one in arguments]) == code
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def refused(capsys, *arguments, code=2):
    assert run([str(one) for one in arguments]) == code
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err and shown.err.strip()
    return shown


CALLS = [
    ROSENBROCK, ["minimize", "x^2", "--start", "x=3"], [*ROSENBROCK, "--method", "l-bfgs", "--steps", "wolfe"],
    ["minimize", "sum((x[i]-i)^2, i, 0, 29)", "--start", "x=[" + ",".join(["1"] * 30) + "]"],
    ["minimize", "x^2 - y^2 + y^4", "--start", "x=0, y=0", "--method", "bfgs"],
    ["minimize", "(x^2+y-11)^2 + (x+y^2-7)^2", "--starts", "60", "--box", "x=-5..5, y=-5..5"],
    [*ROSENBROCK, "--bounds", "x=0..0.5"], [*ROSENBROCK, "--max-steps", "3"], [*ROSENBROCK, "--tol", "1e-3"],
    [*ROSENBROCK, "--max-evaluations", "7"], [*ROSENBROCK, "--max-seconds", "0"],
    ["minimize", "x^2 + 1e-10*(y-1)^2", "--start", "x=1, y=1e9", "--method", "steepest", "--max-steps", "30"],
    ["minimize", "1e300*x^2 + 1e-300*y^2", "--start", "x=1e-5, y=1e100"],
    ["minimize", " + ".join(f"(a_long_name_{k} - {k})^2" for k in range(25)), "--start",
     ", ".join(f"a_long_name_{k}=0" for k in range(25))],
    ["compass", "x^2 + 10*y^2", "--at", "x=3, y=1", "--along", "x=1"], ["compass", "x^2", "--at", "x=0"],
    ["compass", "sum(x[i]^4, i, 0, 25)", "--at", "x=[" + ",".join(["-1.5"] * 26) + "]"],
]  # fmt: skip


@pytest.mark.parametrize("arguments", CALLS, ids=lambda one: " ".join(one)[:70])
def test_a_hundred_columns_at_the_widest_and_no_loose_ends(arguments, capsys):
    text = call(capsys, *arguments)
    assert max(map(len, text.splitlines())) <= 100, max(text.splitlines(), key=len)
    assert all(line == line.rstrip() for line in text.splitlines())
    assert not re.search(r"\b1 (steps|evaluations|gradients|variables|digits|Hessians|programs)\b", text)
    assert "nan" not in text and "np.float64" not in text and "array(" not in text
    if arguments[0] == "minimize":
        for word in ("Method: ", "Stopped: ", "Verdict: "):
            assert f"\n{word}" in text


def test_a_saved_walk_goes_on_without_another_start(folder, capsys):
    call(capsys, *ROSENBROCK, "--max-steps", "5", "--save", "walk.json")
    text = call(capsys, *ROSENBROCK[:2], "--resume", "walk.json")
    assert "Verdict: global minimum (proven" in text
    assert "-1.2" in text  # where it all began


def test_many_starts_print_what_was_found_and_what_was_not(capsys):
    text = call(capsys, "minimize", "(x^2+y-11)^2 + (x+y^2-7)^2", "--starts", "200", "--box", "x=-5..5, y=-5..5")
    assert text.count("strict local minimum") == 4 and "Verdict: global minimum (proven" in text
    assert "200 starts led to 4 points, each of them several times. At most" in text
    assert "stationary point" not in text


def test_the_compass_says_why_no_direction_is_steeper(capsys):
    text = " ".join(call(capsys, "compass", "x^2 + 10*y^2", "--at", "x=3, y=1", "--along", "x=1").split())
    assert "it is least, -20.8806, at a = 180 degrees, so no direction is steeper" in text
    assert "the slope is 6 (uphill)" in text


def test_what_is_printed_is_what_python_says(capsys):
    text = call(capsys, *ROSENBROCK)
    result = sf.minimize(ROSENBROCK[1], {"x": -1.2, "y": 1})
    line = next(line for line in text.splitlines() if line.startswith("Stopped: "))
    assert str(result.stop) in line
    assert f"Verdict: {result.verdict.value}" in text and f"{result.steps} steps" in text


def test_help_of_both_commands(capsys):
    for command in ("minimize", "compass"):
        assert run([command, "--help"]) == 0
        shown = capsys.readouterr().out
        assert "EXPRESSION" in shown and "--plot" in shown and "--json" in shown


# JSON


@pytest.mark.parametrize("arguments", CALLS, ids=lambda one: " ".join(one)[:70])
def test_json_parses_and_is_strict(arguments, capsys):
    text = call(capsys, *arguments, "--json")
    state = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert math.isfinite(float(state["value"])) and len(state["names"]) == len(state["x"])
    if arguments[0] == "minimize":
        assert state["format"] == "surefoot-result-1" and state["stop"]["reason"] in Reason.__members__
        assert len(state["trace"]["value"]) == len(state["trace"]["step"])


def test_json_of_an_undefined_start_is_strict_too(capsys):
    text = call(capsys, "minimize", "log(x)", "--start", "x=-1", "--json", code=1)
    state = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert state["value"] is None and state["stop"]["reason"] == "NOT_FINITE"


def test_json_stays_json_when_files_are_written(folder, capsys):
    text = call(capsys, *ROSENBROCK, "--json", "--plot", "p.svg", "--trace", "t.csv", "--save", "s.json")
    saved = json.loads((folder / "s.json").read_text())
    assert json.loads(text) == saved
    assert {one.name for one in folder.iterdir()} == {"p.svg", "t.csv", "s.json"}


# Files


@pytest.mark.parametrize("name, magic", [("p.png", b"\x89PNG"), ("p.svg", b"<?xml"), ("p.pdf", b"%PDF")])
def test_pictures(name, magic, folder, capsys):
    text = call(capsys, *ROSENBROCK, "--plot", name)
    assert text.endswith(f"\nPicture written to {name}.\n") and (folder / name).read_bytes().startswith(magic)
    text = call(capsys, "compass", "x^2 + 10*y^2", "--at", "x=3, y=1", "--plot", "c" + name)
    assert text.endswith(f"\nPicture written to c{name}.\n") and (folder / f"c{name}").read_bytes().startswith(magic)


def test_traces_and_saved_results(folder, capsys):
    import pandas as pd

    text = call(capsys, *ROSENBROCK, "--trace", "t.csv", "--save", "r.json")
    assert "Trace written to t.csv." in text and "Result written to r.json." in text
    back = load(folder / "r.json")
    assert back.verdict is sf.Verdict.GLOBAL_MINIMUM and len(pd.read_csv("t.csv")) == len(back.trace)
    call(capsys, *ROSENBROCK, "--trace", "t.parquet")
    frame = pd.read_parquet("t.parquet")
    assert frame["value"].iloc[0] == pytest.approx(24.2) and frame["accepted"].any()


def test_a_walk_in_two_halves(folder, capsys):
    call(capsys, *ROSENBROCK, "--method", "bfgs", "--max-steps", "10", "--save", "half.json")
    text = call(capsys, *ROSENBROCK, "--method", "bfgs", "--resume", "half.json", "--save", "whole.json")
    half, whole = load(folder / "half.json"), load(folder / "whole.json")
    assert whole.steps > half.steps == 10 and "global minimum (proven" in text
    assert whole.trace["value"][: len(half.trace)].tolist() == half.trace["value"].tolist()


@pytest.mark.parametrize("option, name", [("--plot", "p.png"), ("--trace", "t.csv"), ("--save", "s.json")])
def test_files_that_cannot_be_written_cost_no_answer(option, name, folder, capsys):
    (folder / name).mkdir()
    for path in (f"missing/{name}", name):
        shown = refused(capsys, *ROSENBROCK, option, path, code=1)
        assert "global minimum (proven" in shown.out and "could not be written" in shown.err
        assert len(shown.err.splitlines()) == 1
    assert list((folder / name).iterdir()) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is full")
@pytest.mark.parametrize("option, name", [("--plot", "p.png"), ("--trace", "t.csv"), ("--save", "s.json")])
def test_a_full_disk_is_a_sentence_and_the_answer_stands_all_the_same(option, name, folder, capsys):
    (folder / name).symlink_to("/dev/full")
    shown = refused(capsys, *ROSENBROCK, option, name, code=1)
    assert "global minimum (proven" in shown.out
    assert "No space left on device" in shown.err and len(shown.err.splitlines()) == 1
    assert not os.path.isfile("/dev/full")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is full")
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_output_to_a_full_disk_is_a_sentence(more):
    with open("/dev/full", "w") as full:
        done = subprocess.run([*SUREFOOT, *ROSENBROCK, *more], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "surefoot: The output could not be written: No space left on device.\n"


# How a call ends


@pytest.mark.parametrize("arguments, words", [
    (["minimize", "x^2 - y^2", "--start", "x=1, y=0.1"], "unbounded below"),
    (["minimize", "-x^2", "--start", "x=1"], "unbounded below"),
    (["minimize", "x^2", "--start", "x=1", "--method", "steepest", "--steps", "3"], "above 2/L"),
    (["minimize", "log(x)", "--start", "x=-1"], "not a finite number: at the start"),
])  # fmt: skip
def test_refusals_end_with_one_and_are_printed_as_answers(arguments, words, capsys):
    assert words in call(capsys, *arguments, code=1)


@pytest.mark.parametrize("arguments, words", [
    (["compass", "log(x)", "--at", "x=-1"], "not finite at x = -1"),
    (["compass", "x^2", "--at", "x=1", "--plot", "c.png"], "two variables"),
    (["minimize", "log(x)", "--starts", "5", "--box", "x=-2..-1"], "not finite at any"),
    ([*ROSENBROCK, "--resume", "missing.json"], "No such file"),
    ([*ROSENBROCK, "--checkpoint", "missing/c.json"], "checkpoint"),
])  # fmt: skip
def test_what_cannot_be_done_ends_with_one_and_a_sentence(arguments, words, folder, capsys):
    assert words in refused(capsys, *arguments, code=1).err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("arguments, words, caret", [
    (["minimize", "x^2 +", "--start", "x=1"], "missing after +", 5),
    (["minimize", "x^2 + (y", "--start", "x=1, y=1"], "", 6), (["minimize", "x $ 2", "--start", "x=1"], "", 2),
    (["minimize", "", "--start", "x=1"], "", 0), (["minimize", "   ", "--start", "x=1"], "", None),
    (["minimize", "x^2 + z", "--start", "x=1"], "gives nothing to z", 6),
    (["minimize", "x^2", "--start", "x=1, q=2"], "q", None), (["minimize", "3", "--start", "x=1"], "", None),
    (["minimize", "x^2", "--start", "x=nan"], "none", None), (["minimize", "x^2", "--start", "x=inf"], "", None),
    (["minimize", "x^2", "--start", "x="], "", None), (["minimize", "x^2", "--start", "1"], "", None),
    (["minimize", "x^2", "--start", ""], "", None), (["minimize", "x^2", "--start", "x=1, x=2"], "", None),
    (["minimize", "x^2", "--start", "x=[1,2]"], "", None), (["minimize", "x[0]^2", "--start", "x=1"], "", None),
    (["minimize", "x[5]^2", "--start", "x=[1,2]"], "", None), (["minimize", "sin x", "--start", "x=1"], "", None),
    (["minimize", "sine(x)", "--start", "x=1"], "", None), (["minimize", "x^^2", "--start", "x=1"], "", 2),
    (["minimize", "__import__('os')", "--start", "x=1"], "", None),
    (["minimize", "x" + "^2" * 400, "--start", "x=1"], "", None),
    (["minimize", "(" * 500 + "x" + ")" * 500, "--start", "x=1"], "", None),
    (["minimize", "x^2", "--start", "x=1", "--bounds", "x=5..1"], "downwards", None),
    (["minimize", "x^2", "--start", "x=1", "--bounds", "y=0..1"], "no variable", None),
    (["minimize", "x^2", "--start", "x=1", "--bounds", "x"], "", None),
    (["minimize", "x^2", "--starts", "5", "--box", "x=0"], "", None),
    (["minimize", "x^2 + y^2", "--starts", "5", "--box", "x=0..1"], "", None),
    (["compass", "x^2 +", "--at", "x=1"], "missing after +", 5), (["compass", "x^2", "--at", "y=1"], "", None),
    (["compass", "x^2", "--at", "x=1", "--along", "x=0"], "nowhere", None),
    (["compass", "x^2", "--at", "x=1", "--along", "y=1"], "", None),
], ids=lambda one: " ".join(one)[:60] if isinstance(one, list) else None)  # fmt: skip
def test_text_that_means_nothing_ends_with_two_and_a_caret(arguments, words, caret, capsys):
    shown = refused(capsys, *arguments)
    assert shown.out == "" and words in shown.err
    lines = shown.err.splitlines()
    assert lines[0].startswith("surefoot: ") and max(map(len, lines)) <= 200
    if caret is not None:
        assert lines[-1].strip() == "^" and lines[-1].index("^") - 2 == caret


@pytest.mark.parametrize("arguments, words", [
    (["minimize", "x^2"], '--start "x=1, y=2"'), (["minimize"], ""), (["compass", "x^2"], "--at"), (["compass"], ""),
    ([*ROSENBROCK, "--method", "bgfs"], "Did you mean 'bfgs'"), ([*ROSENBROCK, "--steps", "wolf"], "'wolfe'"),
    ([*ROSENBROCK, "--method", "momentum", "--steps", "wolfe"], "does not go with"),
    ([*ROSENBROCK, "--steps", "-0.1"], "learning rate"), ([*ROSENBROCK, "--steps", "nan"], "learning rate"),
    ([*ROSENBROCK, "--steps", "polyak"], "lowest"), ([*ROSENBROCK, "--max-steps", "-3"], "max_steps"),
    ([*ROSENBROCK, "--max-steps", "abc"], "--max-steps"), ([*ROSENBROCK, "--max-seconds", "nan"], "max_seconds"),
    ([*ROSENBROCK, "--max-evaluations", "-1"], "max_evaluations"), ([*ROSENBROCK, "--tol", "-1"], "tol"),
    ([*ROSENBROCK, "--starts", "0", "--box", "x=0..1, y=0..1"], "at least 1"), ([*ROSENBROCK, "--starts", "5"], "box"),
    ([*ROSENBROCK, "--plot", "p.gif"], ".png, .svg, .pdf"), ([*ROSENBROCK, "--plot", "p"], "without ending"),
    ([*ROSENBROCK, "--trace", "t.xlsx"], ".csv, .parquet"), ([*ROSENBROCK, "--bogus", "1"], "--bogus"),
    ([*ROSENBROCK, "surplus"], ""), (["compass", "x*y", "--at", "x=1, y=1", "--plot", "p.jpeg"], ".png"),
], ids=lambda one: " ".join(one[-3:])[:60] if isinstance(one, list) else None)  # fmt: skip
def test_calls_that_are_wrong_end_with_two_before_anything_is_walked(arguments, words, folder, capsys):
    shown = refused(capsys, *arguments)
    assert shown.out == "" and words in shown.err
    assert list(folder.iterdir()) == []


def test_an_expression_may_begin_with_a_minus(capsys):
    text = call(capsys, "minimize", "-exp(-x^2)", "--start", "x=0.3")
    assert "global minimum (proven" in text
    assert "-x^2" in call(capsys, "compass", "-x^2", "--at", "x=-1")


# Real processes


def test_nothing_on_stderr_when_piped_and_head_may_leave():
    done = subprocess.run([*SUREFOOT, *LONG[:-1], "60000"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "" and "Stopped: the budget of steps" in done.stdout
    assert done.stdout.isascii() or done.stdout.isprintable() or "\x1b" not in done.stdout
    done = subprocess.run(" ".join(f"'{one}'" for one in [*SUREFOOT, *ROSENBROCK]) + " | head -n 1", shell=True,
                          capture_output=True, text=True)  # fmt: skip
    assert done.stderr == "" and len(done.stdout.splitlines()) == 1


def start_long(*more):
    return subprocess.Popen([*SUREFOOT, *LONG, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_ctrl_c_in_mid_walk_prints_the_best_point(more, tmp_path):
    checkpoint = tmp_path / "walk.json"
    process = start_long("--checkpoint", str(checkpoint), *more)
    try:
        deadline = time.monotonic() + 60
        while not checkpoint.exists() and time.monotonic() < deadline:  # it is there when the walk begins
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130 and err == ""
    if more:
        assert json.loads(out)["stop"]["reason"] == "INTERRUPTED"
    else:
        assert "Stopped: stopped by Ctrl-C" in out and "best point kept" in out and "Verdict: not stationary" in out


def test_a_killed_walk_goes_on_from_its_checkpoint(tmp_path):
    path = tmp_path / "walk.json"
    process = start_long("--checkpoint", str(path))
    try:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and not (path.exists() and path.stat().st_size > 1000):
            time.sleep(0.2)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    known = load(path)
    assert known.stop.reason.name == "UNDER_WAY" and known.steps > 10
    done = subprocess.run([*SUREFOOT, *LONG[:4], "--resume", str(path), "--json"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    state = json.loads(done.stdout)
    assert float(state["value"]) <= known.value and state["start"] == [-1.2, 1.0]
    assert state["certificate"]["verdict"] == "GLOBAL_MINIMUM"


def test_progress_is_shown_in_a_terminal_and_wiped():
    """Under a terminal a line tells where the walk is; the answer stands alone at the end."""
    import pty

    parent, child = pty.openpty()
    process = subprocess.Popen(
        [*SUREFOOT, *LONG, "--max-seconds", "3"], stdout=subprocess.PIPE, stderr=child, text=True
    )
    os.close(child)
    seen = b""
    try:
        while True:
            try:
                piece = os.read(parent, 65536)
            except OSError:
                break
            if not piece:
                break
            seen += piece
    finally:
        os.close(parent)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and b"gradient" in seen and b"step" in seen
    assert "Stopped: the budget of time is spent" in out and "\x1b" not in out
