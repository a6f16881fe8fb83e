"""The command line: what it prints, in which width, with which exit code."""

import csv
import json
import subprocess
import sys
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import surefoot as sf
from surefoot.apps.cli import run

OZONE = Path(__file__).parents[2] / "examples" / "ozone.csv"
SUREFOOT = [sys.executable, "-m", "surefoot"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def wide(folder):
    """Columns of all sizes and lengths of name, a category, weights, counts, gaps."""
    rng = np.random.default_rng(4)
    n = 120
    x = rng.normal(size=n)
    table = {
        "x": x,
        "y": 3 * x + rng.normal(size=n),
        "z": rng.uniform(1, 2, n),
        "huge": 1e150 * rng.normal(size=n),
        "tiny": 1e-150 * rng.normal(size=n),
        "million": 1e6 + rng.normal(size=n),
        "same": 2 * x,
        "line": 2 * x + 3,
        "flat": np.full(n, 4.0),
        "g": [f"level {k % 5}" for k in range(n)],
        "firm": [f"firm {k % 12}" for k in range(n)],
        "w": rng.uniform(0, 3, n),
        "n": rng.integers(0, 4, n).astype(float),
        "a column with a name that is as long as some spreadsheets have them, and longer still": rng.normal(size=n),
        **{f"v{k}": rng.normal(size=n) for k in range(30)},
    }
    table["z"][3] = np.nan
    pq.write_table(pa.table(table, schema=None), folder / "t.parquet")
    return "t.parquet"


def call(capsys, *arguments, code=0):
    assert run([str(one) for one in arguments]) == code
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


LONG = "`a column with a name that is as long as some spreadsheets have them, and longer still`"
FITS = [
    ["y ~ x"], ["y ~ 1"], ["y ~ 0"], ["y ~ 0 + x"], ["y ~ huge + tiny"], ["huge ~ x"], ["tiny ~ huge"], ["y ~ million"],
    ["y ~ poly(million, 4)"], ["y ~ g*x"], ["y ~ x + same"], ["y ~ x + same", "--rank-deficient", "minimum-norm"],
    ["flat ~ x"], ["line ~ x"], ["y ~ x", "--weights", "w"], ["y ~ x", "--frequencies", "n"], ["y ~ x + z"],
    ["y ~ x", "--weights", "w", "--frequencies", "n", "--offset", "z"],
    [f"y ~ {LONG}*g + I(log({LONG}^2 + 1))"], [f"y ~ {LONG}:huge:tiny:x:million"],
    ["y ~ x*g + " + " + ".join(f"v{k}" for k in range(30))], ["y ~ bs(x, df=8) + poly(z, 4)"],
    ["y ~ (v1 + v2 + v3 + v4 + v5)^2 + I(v1^2) + I(v2^2)"], ["y ~ x", "--errors", "HC0"], ["y ~ x", "--errors", "HAC"],
    ["y ~ x + g", "--errors", "cluster", "--groups", "firm"], ["y ~ x", "--level", "0.999999"],
    ["y ~ x + z", "--test", "x = z", "--test", "x = 0, z = 1"], ["y ~ x + v1", "--filter", "n = 3 and g = 'level 1'"],
    ["y ~ huge:x + same", "--no-refine", "--no-diagnostics"],
    ["y ~ x + v1 + v2", "--query", "select * from data limit 3"],
    ["y ~ million + I(million^2) + I(million^3)"], ["y ~ I(million - 1e6 + 1e-7*x) + million"],
]  # fmt: skip


@pytest.mark.parametrize("arguments", FITS, ids=lambda one: " ".join(one)[:60])
def test_a_hundred_columns_at_the_widest(arguments, wide, capsys):
    text = call(capsys, "fit", arguments[0], wide, *arguments[1:])
    assert max(map(len, text.splitlines())) <= 100
    assert all(line == line.rstrip() for line in text.splitlines())
    assert "Verdict: " in text
    assert "nan" not in text.replace("dominant", "")
    assert not any(
        f"{word} 1 {many}" in text for word, many in [(",", "rows"), (",", "coefficients"), ("the", "digits")]
    )


def test_the_summary_is_that_of_python(capsys):
    text = call(capsys, "fit", "customer ~ nist", OZONE)
    without_time = [line.rsplit(",", 1)[0] if " s" in line[-3:] else line for line in text.splitlines()]
    expected = sf.fit("customer ~ nist", OZONE).summary().splitlines()
    assert without_time[1:] == expected[1:]
    assert "-0.262323  0.232818" in text
    assert "unique global minimum" in text


def test_tests_errors_filter_query(capsys):
    text = call(capsys, "fit", "customer ~ nist", OZONE, "--test", "nist = 1", "--test", "nist = 1, (Intercept) = 0")
    expected = sf.fit("customer ~ nist", OZONE)
    for one in ("nist = 1", "nist = 1, (Intercept) = 0"):
        assert str(expected.test(one)) in text
    for kind in ("HC0", "HC1", "HC2", "HC3"):
        text = call(capsys, "fit", "customer ~ nist", OZONE, "--errors", kind)
        assert f"Standard errors: {kind}" in text
        assert f"{sf.fit('customer ~ nist', OZONE, errors=kind)['nist'].stderr:.6f}" in text
    text = call(capsys, "fit", "customer ~ nist", OZONE, "--errors", "HAC", "--lags", "2")
    assert f"{sf.fit('customer ~ nist', OZONE, errors='HAC', lags=2)['nist'].stderr:.6f}" in text
    assert " 18 rows" in call(capsys, "fit", "customer ~ nist", OZONE, "--query", "select * from data limit 18")
    kept = call(capsys, "fit", "customer ~ nist", OZONE, "--filter", "nist > 500")
    assert f"{sf.fit('customer ~ nist', OZONE, filter='nist > 500')['nist'].value:.6f}" in kept


def test_clusters(wide, capsys):
    text = call(capsys, "fit", "y ~ x", wide, "--errors", "cluster", "--groups", "firm")
    fit = sf.fit("y ~ x", wide, errors="cluster", groups="firm")
    assert f"{fit['x'].stderr:.6f}" in text
    assert "Standard errors: cluster (12 clusters" in text


def refuse(word):
    raise AssertionError(f"{word} is no JSON")


@pytest.mark.parametrize("arguments", FITS, ids=lambda one: " ".join(one)[:60])
def test_json_holds_everything(arguments, wide, capsys, folder):
    text = call(capsys, "fit", arguments[0], wide, *arguments[1:], "--json", "--save", "m.json")
    state = json.loads(text, parse_constant=refuse)
    saved = json.loads((folder / "m.json").read_text(), parse_constant=refuse)
    assert [one["hypothesis"] for one in state.pop("tests")] == [
        after for word, after in pairwise(arguments) if word == "--test"
    ]
    state["data"].pop("seconds"), saved["data"].pop("seconds")
    assert state == saved
    fit = sf.load(folder / "m.json")
    assert [one["name"] for one in state["coefficients"]] == list(fit.names)
    stated = [np.nan if one["estimate"] is None else one["estimate"] for one in state["coefficients"]]
    np.testing.assert_array_equal(stated, fit.coef)
    again = fit.to_json()
    again["data"].pop("seconds")
    assert again == state
    assert fit.summary().splitlines()[1:] == sf.load(folder / "m.json").summary().splitlines()[1:]
    assert state["certificate"]["verdict"]
    assert {"statistics", "diagnostics", "condition", "errors", "aliased", "level", "method", "stop"} <= set(state)


def test_a_saved_model_is_that_of_python(wide, capsys, folder):
    call(capsys, "fit", "y ~ g*x + poly(z, 2)", wide, "--save", "m.json", "--weights", "w")
    fit, loaded = sf.fit("y ~ g*x + poly(z, 2)", wide, weights="w"), sf.load("m.json")
    for name in ("coef", "stderr", "t", "p", "digits"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(fit, name))
    assert loaded.statistics == fit.statistics
    np.testing.assert_array_equal(loaded.interval(), fit.interval())
    assert loaded.verdict is fit.verdict
    np.testing.assert_array_equal(loaded.predict(wide).value, fit.predict(wide).value)
    assert loaded.test("x = 1").p == fit.test("x = 1").p


def test_what_was_written_is_said(wide, capsys, folder):
    text = call(capsys, "fit", "y ~ x", wide, "--save", "m.json")
    assert text.endswith("Model written to m.json.\n")
    assert [one.name for one in folder.iterdir() if "m.json" in one.name] == ["m.json"]


def test_predict(wide, capsys, folder):
    call(capsys, "fit", "y ~ x + g", wide, "--save", "m.json")
    (folder / "new.csv").write_text("id,x,g\n1,0.5,level 1\n2,1.5,level 2\n")
    text = call(capsys, "predict", "m.json", "new.csv", "--interval", "prediction")
    header, *rows = csv.reader(text.splitlines())
    assert header[:3] == ["id", "x", "g"]
    expected = sf.load("m.json").predict(folder / "new.csv", interval="prediction")
    at = header.index("prediction")
    np.testing.assert_allclose([float(row[at]) for row in rows], expected.value, rtol=1e-12)
    np.testing.assert_allclose([float(row[header.index("lower")]) for row in rows], expected.lower, rtol=1e-12)
    text = call(capsys, "predict", "m.json", "new.csv", "-o", "out.parquet")
    assert text == "2 rows written to out.parquet.\n"
    np.testing.assert_array_equal(pq.read_table("out.parquet")["prediction"].to_numpy(), expected.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--help"], ["fit", "predict", "Fit models to data"]),
        (["fit", "--help"], ["FORMULA", "DATA", "--weights", "--filter", "--rank-deficient", "--json", "--save"]),
        (["predict", "--help"], ["MODEL", "--interval", "-o"]),
    ],
)  # fmt: skip
def test_help(arguments, words, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    text = call(capsys, *arguments)
    assert all(word in text for word in words)
    assert max(map(len, text.splitlines())) <= 100
    assert "Annotated" not in text
    assert "``" not in text


def test_version(capsys):
    assert call(capsys, "--version").strip() == version("surefoot") == sf.__version__


# In a process of its own -------------------------------------------------------------------------------------------


def test_a_pipe_gets_the_answer_and_nothing_else():
    done = subprocess.run([*SUREFOOT, "fit", "customer ~ nist", OZONE], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("customer ~ nist  ")
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(("arguments", "code"), [(["y ~ nist", OZONE], 1), (["customer nist", OZONE], 2), ([], 2)])
def test_exit_codes_of_the_process(arguments, code):
    done = subprocess.run([*SUREFOOT, "fit", *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (code, "")
    assert "Traceback" not in done.stderr
    assert done.stderr


def test_the_first_line_only():
    command = f"{sys.executable} -m surefoot fit 'customer ~ nist' {OZONE} --json | head -1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("{\n", "")


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_a_reader_who_has_gone(extra):
    """Nobody reads: no traceback, and no complaint while Python closes its files."""
    with subprocess.Popen(
        [*SUREFOOT, "fit", "customer ~ nist", OZONE, *extra], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        complaint = process.stderr.read()
        code = process.wait()
    assert (complaint, code) == ("", 0)


def test_exact_prints_proven_digits(capsys, folder):
    assert run(["fit", "customer ~ nist", str(OZONE), "--exact", "--save", "m.json", "--report", "r.html"]) == 0
    printed = capsys.readouterr().out
    fit = sf.fit("customer ~ nist", OZONE, exact=True)
    assert "Verdict: unique global minimum (proven)" in printed
    for text in (*fit.exact.coef.text, *fit.exact.stderr.text):
        assert str(text) in printed
    assert sf.load("m.json").exact.coef.text.tolist() == fit.exact.coef.text.tolist()
    assert "--exact" in Path("r.html").read_text(encoding="utf-8")


def test_exact_in_json(capsys, folder):
    assert run(["fit", "customer ~ nist", str(OZONE), "--exact", "--json"]) == 0
    state = json.loads(capsys.readouterr().out)
    assert state["certificate"]["rigour"] == "PROVEN" and state["exact"]["coef"]["digits"] == [17, 17]


def test_exact_refuses_politely(capsys, folder):
    assert run(["fit", "customer ~ poly(nist, 2)", str(OZONE), "--exact"]) == 1
    assert "poly(nist, 2) cannot be enclosed" in capsys.readouterr().err
