"""Every bad input has a clear outcome: the right kind of error, one sentence that says where, no library's traceback.

Each case is asked for in Python and at the command line, which answers on standard error with exit code 1 (these data
cannot be used) or 2 (the call was wrong), and prints nothing else.
"""

import gzip
import json
import os
import re
import traceback

import numpy as np
import pandas as pd
import pytest

import surefoot as sf
from surefoot.apps.cli import run
from surefoot.errors import DataError, FormulaError, ModelError, SurefootError

GOOD = "x,y,g,d,w\n" + "".join(
    f"{k},{2 * k + k % 3},{'ab'[k % 2]},2020-01-{k + 1:02d},{1 + k % 2}\n" for k in range(20)
)
LATE = "x,y\n" + "1,2\n2,4.5\n" * 15_000


def sentence(error):
    """The text of an error that stands alone: no cause, no context, no library in its traceback."""
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    assert "During handling" not in "".join(traceback.format_exception(error))
    return str(error)


def refused(kind, formula, data, **options):
    with pytest.raises(SurefootError) as caught:
        sf.fit(formula, data, **options)
    assert type(caught.value) is kind, f"{type(caught.value).__name__}: {caught.value}"
    return sentence(caught.value)


class Case:
    """A file, a call and what must be said of it."""

    def __init__(self, name, kind, words, formula="y ~ x", text=GOOD, file="t.csv", code=None, **options):
        self.name, self.kind, self.words, self.formula, self.text, self.file = name, kind, words, formula, text, file
        self.code = code or (2 if kind is FormulaError else 1)
        self.options = options


ROW6 = "t.csv, row 6 (line 7), column x: 'inf': a fit needs finite numbers"
INF = GOOD.replace("\n5,", "\ninf,")
EARLY = GOOD.replace("\n5,", "\nabc,")
ABC = "t.csv, row 6 (line 7), column x: 'abc' is not a number"
GAP = GOOD.replace("\n5,", "\n,")
CASES = [
    Case("inf", DataError, ROW6, text=INF),
    Case("-inf in the response", DataError, "row 6 (line 7), column x: '-inf'", "x ~ y", INF.replace("inf", "-inf")),
    *(Case(f"inf in {formula}", DataError, ROW6, formula, INF)
      for formula in ("y ~ x*g", "y ~ poly(x, 2)", "y ~ bs(x, df=5)", "y ~ center(x)", "y ~ scale(x):g", "y ~ C(x)",
                      "y ~ I(x^2)", "y ~ 1 + offset(x)")),
    Case("inf weight", DataError, "row 6 (line 7), column x: 'inf': a weight is a finite", "y ~ 1", INF, weights="x"),
    Case("abc early", DataError, ABC, text=EARLY),
    Case("abc early in log", DataError, ABC, "y ~ log(x)", EARLY),
    Case("abc early in response", DataError, ABC, "x ~ y", EARLY),
    Case("abc early in weights", DataError, ABC, "y ~ 1", EARLY, weights="x"),
    Case("abc late", DataError, "row 30001 (line 30002), column x: 'abc' is not a number", text=LATE + "abc,3\n"),
    Case("header only", DataError, "t.csv has no rows", text="x,y\n"),
    Case("zero bytes", DataError, "The file t.csv is empty", text=""),
    Case("blank lines", DataError, "The file t.csv is empty", text="\n\n"),
    Case("not gzip", DataError, "ends in .gz but cannot be unpacked", text=GOOD, file="t.csv.gz"),
    Case("not Parquet", DataError, "t.parquet cannot be read as Parquet", file="t.parquet"),
    Case("ragged row", DataError, "line 4", text="x,y\n1,2\n2,3\n3,4,5\n4,5\n"),
    Case("missing column", DataError, "There is no column 'xx' in t.csv. Did you mean 'x'?", "y ~ xx"),
    Case("missing response", DataError, "There is no column 'why' in t.csv.", "why ~ x"),
    Case("another case", DataError, "There is no column 'X' in t.csv. Did you mean 'x'?", "y ~ X"),
    Case("another case of the response", DataError, "There is no column 'Y' in t.csv. Did you mean 'y'?", "Y ~ x"),
    Case("missing weights", DataError, "There is no column 'ww' in t.csv. Did you mean 'w'?", weights="ww"),
    Case("missing groups", DataError, "There is no column 'gg' in t.csv.", errors="cluster", groups="gg"),
    Case("negative weight", DataError, "row 6 (line 7), column x: '-5': a weight is a finite number that is not",
         "y ~ 1", GOOD.replace("\n5,", "\n-5,"), weights="x"),
    Case("negative weight by expression", DataError, "x - 5 = -5 (t.csv, row 1 (line 2), column x: '0'): a weight",
         "y ~ 1", weights="x - 5"),
    Case("negative weight while learning", DataError, "column x: '-5': a weight", "y ~ poly(d1, 2)",
         GOOD.replace("\n5,", "\n-5,").replace("w\n", "d1\n"), weights="x"),
    Case("half a row", DataError, "t.csv, row 2 (line 3), column z: '1.5': a frequency is a whole number",
         text="x,y,z\n1,2,1\n2,3,1.5\n3,5,2\n", frequencies="z"),
    Case("half a row while learning", DataError, "column z: '1.5': a frequency", "y ~ bs(x, df=3)",
         text="x,y,z\n1,2,1\n2,3,1.5\n3,5,2\n", frequencies="z"),
    Case("text as weights", DataError, "Column g of t.csv is a text, and g needs numbers", weights="g"),
    Case("center in weights", ModelError, "weights: center() cannot be used here", weights="center(x)"),
    Case("all missing", DataError, "Every one of the 2 rows of t.csv has a missing value", text="x,y\n,1\n,2\n"),
    Case("all missing, a category", DataError, "Every one of the 2 rows", "y ~ g", "g,y\nNA,1\nNA,2\n"),
    Case("all missing or weightless", DataError, "No row of t.csv is left: 1 have a missing value, the others a weight",
         text="x,y,w\n1,2,0\n,3,1\n2,5,0\n", weights="w"),
    Case("log(0)", DataError, "log(x) is -inf where x = 0 (t.csv, row 1 (line 2), column x: '0')", "y ~ log(x)"),
    Case("log(-1)", DataError, "log(x) is nan where x = -1 (t.csv, row 6 (line 7), column x: '-1')", "y ~ g + log(x)",
         GOOD.replace("\n5,", "\n-1,").replace("\n0,", "\n9,")),
    Case("log(0) in the response", DataError, "log(y) is -inf where y = 0 (t.csv, row 1 (line 2)", "log(y) ~ x"),
    Case("log(0) in poly", DataError, "log(x) is -inf where x = 0 (t.csv, row 1", "y ~ poly(log(x), 2)"),
    Case("log(0) in bs", DataError, "log(x) is -inf where x = 0 (t.csv, row 1", "y ~ bs(log(x), df=4)"),
    Case("log(0) in center", DataError, "log(x) is -inf where x = 0 (t.csv, row 1", "y ~ center(log(x))"),
    Case("1/0", DataError, "I(1/x) is inf where x = 0 (t.csv, row 1 (line 2)", "y ~ I(1/x)"),
    Case("two columns at fault", DataError, "I(w/x) is inf where w = 1, x = 0 (t.csv, row 1 (line 2)", "y ~ I(w/x)"),
    Case("overflow", DataError, "I(exp(x^3)) is inf where x = 9 (t.csv, row 10 (line 11)", "y ~ I(exp(x^3))"),
    Case("text as number", DataError, "Column g of t.csv is a text, and log(g) needs numbers", "y ~ log(g)"),
    Case("text as response", DataError, "Column g of t.csv is a text, and g needs numbers", "g ~ x"),
    Case("dates", DataError, "Column d of t.csv is of type DATE, which a formula cannot use", "y ~ d"),
    Case("dates as numbers", DataError, "Column d of t.csv is of type DATE, and log(d) needs numbers", "y ~ log(d)"),
    Case("dates as response", DataError, "Column d of t.csv is of type DATE, and d needs numbers", "d ~ x"),
    Case("one level", DataError, "The category g has only the level 'a' in the rows used", "y ~ g", filter="g = 'a'"),
    Case("one level of numbers", DataError, "The category C(w) has only the level '1'", "y ~ C(w)", filter="w = 1"),
    Case("constant in scale", DataError, "scale(w) divides by a standard", "y ~ scale(w)", filter="w = 1"),
    Case("missing='error'", DataError, "t.csv, row 6 (line 7), column x: no value, and missing='error' was asked for",
         text=GAP, missing="error"),
    Case("missing='error', learnt", DataError, "row 6 (line 7), column x: no value", "y ~ poly(x, 2)*g", GAP,
         missing="error"),
    Case("more levels than memory", ModelError, "makes 12,000 columns, and at most 10,000", "y ~ g",
         "g,y\n" + "".join(f"l{k},{k}\n" for k in range(12_000))),
    Case("aliased refused", ModelError, "The columns depend on each other: I(2*x) = 2*x.", "y ~ x + I(2*x)",
         rank_deficient="error"),
    Case("no formula", FormulaError, "needs a '~'", "y x"),
    Case("nothing on the right", FormulaError, "nothing on the right", "y ~ "),
    Case("unknown function", FormulaError, "There is no function lgo; did you mean log?", "y ~ x + lgo(x)"),
    Case("open bracket", FormulaError, "never closed", "y ~ log(x"),
    Case("scaled term", FormulaError, "I(2*x)", "y ~ 2*x"),
    Case("two parts", FormulaError, "several parts", "y ~ x | g"),
    Case("bad weights", FormulaError, "value is missing after +", weights="x +"),
    Case("degree", ModelError, "a whole number from 1 to 100, not 0", "y ~ poly(x, 0)"),
    Case("too high a degree", DataError, "too few different values for degree 30", "y ~ poly(x, 30)"),
    Case("no such level", DataError, "'z' is not a level of g; its levels are 'a', 'b'", "y ~ C(g, Treatment('z'))"),
    Case("no such contrast", ModelError, "the contrast must be one of", "y ~ C(g, Foo)"),
    Case("bad filter", DataError, "The filter is not valid SQL", filter="x >"),
    Case("filter names no column", DataError, 'The filter cannot be used: Referenced column "zz"', filter="zz > 1"),
    Case("filter keeps nothing", DataError, "t.csv has no rows (after the filter", filter="x > 100"),
    Case("bad query", DataError, "The query is not valid SQL", query="selec x from data"),
    Case("query that writes", DataError, "The query must be one SELECT that reads", query="drop table data"),
    Case("query without the response", DataError, "There is no column 'y'", query="select x from data"),
    Case("level of 95", ModelError, "A confidence level lies between 0 and 1, as 0.95 does; 95 does not", level=95),
    Case("clusters without groups", ModelError, "groups='firm'", errors="cluster"),
    Case("negative lags", ModelError, "the number of lags is a whole number", errors="HAC", lags=-1),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_sentence_in_python_and_at_the_command_line(case, folder, capsys):
    (folder / case.file).write_text(case.text)
    said = refused(case.kind, case.formula, case.file, **case.options)
    assert case.words in said
    assert said.count("surefoot") == 0
    assert "\n" not in said or said.endswith("^")
    options = [part for name, value in case.options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    assert run(["fit", case.formula, case.file, *options]) == case.code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"surefoot: {said}\n"


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("missing", "skip", "'drop' or 'error'"),
        ("rank_deficient", "maybe", "'minimum-norm'"),
        ("errors", "HC9", "'HC3'"),
    ],
)
def test_wrong_words(option, value, words, folder, capsys):
    (folder / "t.csv").write_text(GOOD)
    assert words in refused(ModelError, "y ~ x", "t.csv", **{option: value})
    assert run(["fit", "y ~ x", "t.csv", f"--{option.replace('_', '-')}", value]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert value in shown.err
    assert words.split("'")[1] in shown.err
    assert "Traceback" not in shown.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit"], ["fit", "y ~ x"], ["fit", "y ~ x", "t.csv", "--lags", "many"], ["fit", "y ~ x", "t.csv", "--nonsense"],
        ["fit", "y ~ x", "t.csv", "--level"], ["foo"], ["predict"],
        ["predict", "m.json", "t.csv", "--interval", "wide"],
    ],
)  # fmt: skip
def test_wrong_calls(arguments, folder, capsys):
    (folder / "t.csv").write_text(GOOD)
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.strip()) > 20
    assert "Traceback" not in shown.err


@pytest.mark.parametrize(
    ("formula", "caret"), [("y ~ x + lgo(x)", "lgo"), ("y ~ x +* g", "+"), ("y ~ (x", "("), ("lgo(y) ~ x", "lgo")]
)
def test_the_caret_is_under_the_mistake(formula, caret, folder, capsys):
    (folder / "t.csv").write_text(GOOD)
    assert run(["fit", formula, "t.csv"]) == 2
    *_, shown, pointer = capsys.readouterr().err.splitlines()
    assert shown.strip() == formula
    assert shown[pointer.index("^") :].startswith(caret)


@pytest.mark.parametrize("option", ["--save", "--report"])
def test_what_cannot_be_written(option, folder, capsys):
    (folder / "t.csv").write_text(GOOD)
    assert run(["fit", "y ~ x", "t.csv", option, "nowhere/out"]) == 1
    shown = capsys.readouterr()
    assert re.fullmatch(r"surefoot: The \w+ could not be written to nowhere/out.*\n", shown.err)
    # What was computed is not lost with the file.
    assert "Verdict: " in shown.out
    assert not os.path.exists("nowhere")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "The model m.json could not be read"),
        ("not JSON", "m.json is not a saved model: it holds no JSON"),
        ("{}", "m.json is not a saved model"),
        ("[1, 2]", "m.json is not a saved model"),
        ('{"format": "surefoot-fit-1"}', "m.json is damaged"),
    ],
)
def test_a_model_that_is_none(text, words, folder, capsys):
    (folder / "t.csv").write_text(GOOD)
    if text is not None:
        (folder / "m.json").write_text(text)
    with pytest.raises(DataError) as caught:
        sf.load("m.json")
    assert words in sentence(caught.value)
    assert run(["predict", "m.json", "t.csv"]) == 1
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"surefoot: {caught.value}\n")


def test_a_damaged_part_of_a_model(folder):
    (folder / "t.csv").write_text(GOOD)
    sf.fit("y ~ x", "t.csv").save("m.json")
    state = json.loads((folder / "m.json").read_text())
    state["model"]["coef"] = "nothing"
    (folder / "m.json").write_text(json.dumps(state))
    with pytest.raises(DataError, match=r"m\.json is damaged"):
        sf.load("m.json")


def test_no_such_file(folder, capsys):
    (folder / "norris.csv").write_text(GOOD)
    assert refused(DataError, "y ~ x", "noris.csv") == "There is no file 'noris.csv'. Did you mean 'norris.csv'?"
    assert run(["fit", "y ~ x", "noris.csv"]) == 1
    assert capsys.readouterr().err == "surefoot: There is no file 'noris.csv'. Did you mean 'norris.csv'?\n"


def test_the_file_at_fault_among_several(folder):
    for k in range(3):
        (folder / f"part{k}.csv").write_text(INF if k == 1 else GOOD)
    assert refused(DataError, "y ~ x", "part*.csv").startswith("part1.csv, row 6 (line 7), column x: 'inf'")
    (folder / "part1.csv").write_text(GAP)
    assert refused(DataError, "y ~ x", "part*.csv", missing="error").startswith("part1.csv, row 6 (line 7), column x")


def test_a_compressed_file_is_named_with_its_line(folder):
    (folder / "t.csv.gz").write_bytes(gzip.compress(INF.encode()))
    assert refused(DataError, "y ~ x", "t.csv.gz").startswith("t.csv.gz, row 6 (line 7), column x: 'inf'")


# Tables in memory --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("empty", [{"x": [], "y": []}, pd.DataFrame({"x": [], "y": []})])
def test_an_empty_table(empty):
    assert "has no rows" in refused(DataError, "y ~ x", empty)


def test_rows_of_a_table_in_memory_are_named():
    table = {"x": [1.0, 2.0, -np.inf], "y": [1.0, 2.0, 3.0], "w": [1.0, -2.0, 1.0]}
    assert refused(DataError, "y ~ x", table).startswith("dict of arrays, row 3, column x: '-inf'")
    assert refused(DataError, "y ~ w", table, weights="w").startswith("dict of arrays, row 2, column w: '-2.0'")
    assert "row 2" in refused(DataError, "y ~ 1", table, weights=table["w"])
    assert refused(DataError, "y ~ log(w)", pd.DataFrame(table)).startswith(
        "log(w) is nan where w = -2 (pandas table, row 2"
    )


def test_arrays_beside_the_data():
    table = {"x": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 3.0]}
    assert "2 values and the dict of arrays has 3 rows" in refused(DataError, "y ~ x", table, weights=[1.0, 2.0])
    assert "must be 1-D" in refused(DataError, "y ~ x", table, weights=np.ones((3, 1)))


def test_what_is_no_table():
    assert "Cannot read rows from a NoneType" in refused(DataError, "y ~ x", None)
    assert "unequal lengths" in refused(DataError, "y ~ x", {"x": [1, 2], "y": [1]})
    assert refused(ModelError, "y ~ x", {"x": [1, 2], "y": [1, 2]}, batch_rows=0).startswith(
        "A batch has at least one row"
    )


def test_weights_that_are_missing_are_counted():
    table = {"x": [1.0, 2, 3, 4, 5], "y": [5.0, 5, 6, 7, 9], "w": [1, np.nan, 2, 3, 1]}
    fit = sf.fit("y ~ x", table, weights="w")
    kept = {name: np.delete(values, 1) for name, values in table.items()}
    np.testing.assert_array_equal(fit.coef, sf.fit("y ~ x", kept, weights="w").coef)
    assert (fit.account.rows_read, fit.account.rows_missing, fit.account.rows_weightless) == (5, 1, 0)
    assert "1 of 5 rows left out: a value was missing." in fit.summary()


# What is unusual, and answered -------------------------------------------------------------------------------------


def test_a_constant_response():
    fit = sf.fit("y ~ x", {"x": [1.0, 2, 3, 4], "y": [5.0] * 4})
    np.testing.assert_allclose(fit.coef, [5, 0], atol=1e-15)
    assert np.isnan(fit.r2)
    assert "R2 undefined: the response is constant" in fit.summary()
    assert fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM


def test_more_coefficients_than_rows():
    table = {"a": [1.0, 2.0], "b": [2.0, 1.5], "c": [3.0, 1.0], "y": [5.0, 6.0]}
    fit = sf.fit("y ~ a + b + c", table)
    assert fit.rank == 2
    assert list(fit.aliased) == ["b", "c"]
    assert fit.verdict is sf.Verdict.GLOBAL_MINIMUM
    np.testing.assert_allclose(fit.residuals(), 0, atol=1e-14)
    assert "no residual degrees of freedom" in fit.summary()
    shortest = sf.fit("y ~ a + b + c", table, rank_deficient="minimum-norm")
    matrix = np.column_stack([np.ones(2), table["a"], table["b"], table["c"]])
    np.testing.assert_allclose(shortest.coef, np.linalg.pinv(matrix) @ table["y"], rtol=1e-12)


def test_duplicate_columns_are_named():
    fit = sf.fit("y ~ x + z", {"x": [1.0, 2, 3, 4], "z": [1.0, 2, 3, 4], "y": [5.0, 5, 6, 7]})
    assert fit.aliased == {"z": {"x": pytest.approx(1.0, abs=1e-14)}}
    assert "aliased: z = x" in fit.summary()
    assert np.isnan(fit.coef[2])


def test_columns_of_one_name_get_two(folder):
    (folder / "t.csv").write_text("x,x,y\n1,9,3\n2,3,5\n3,5,1\n4,4,4\n")
    fit = sf.fit("y ~ x + x_1", "t.csv")
    same = sf.fit("y ~ a + b", {"a": [1, 2, 3, 4], "b": [9, 3, 5, 4], "y": [3, 5, 1, 4]})
    np.testing.assert_array_equal(fit.coef, same.coef)


def test_1e150_beside_1e_minus_150():
    a, b = np.array([1.0, 2, 3, 5, 4]), np.array([2.0, 1, 4, 3, 3])
    y = np.array([1.0, 2, 3, 4, 6])
    tame = sf.fit("y ~ a + b", {"a": a, "b": b, "y": y})
    with np.errstate(all="raise", under="ignore"):
        fit = sf.fit("y ~ a + b", {"a": a * 1e150, "b": b * 1e-150, "y": y})
        summary = fit.summary()
    scale = np.array([1, 1e-150, 1e150])
    np.testing.assert_allclose(fit.coef, tame.coef * scale, rtol=1e-12)
    np.testing.assert_allclose(fit.stderr, tame.stderr * scale, rtol=1e-12)
    assert fit.rank == 3
    assert max(map(len, summary.splitlines())) <= 100


def test_a_formula_without_a_coefficient():
    fit = sf.fit("y ~ 0", {"y": [3.0, 4.0]})
    assert (len(fit.coef), fit.sigma) == (0, pytest.approx(np.sqrt(12.5)))
    assert "0 coefficients" in fit.summary()
