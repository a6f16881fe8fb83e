"""Numbers as they are written, whatever the file: the text where there is one, the double where there is none."""

from __future__ import annotations

import decimal
import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from surefoot.data.source import open_source
from surefoot.errors import DataError


def written(source, names=None):
    names = names or list(source.columns)
    columns = {}
    for _, digits in source.batches_as_written(names):
        for name, column in zip(digits.schema.names, digits.columns, strict=True):
            columns.setdefault(name, []).extend(column.to_pylist())
    return columns


def both(source, names):
    pairs = list(source.batches_as_written(names))
    typed = [value for one, _ in pairs for value in one.column(0).to_pylist()]
    return typed, [value for _, two in pairs for value in two.column(0).to_pylist()]


def test_a_csv_gives_its_text_beside_the_doubles(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("n,x,g\n9007199254740993,0.10,a\n,1e-3,b\nNA, .5 ,c\n-0,1_0,NA\n")
    source = open_source(path)
    assert source.written("x") == "decimals"
    assert written(source) == {"n": ["9007199254740993", None, None, "-0"], "x": ["0.10", "1e-3", " .5 ", "1_0"]}
    typed, text = both(source, ["n"])
    assert typed == [9007199254740992.0, None, None, 0.0] and text[0] == "9007199254740993"
    batches = [one.to_pydict() for one, _ in source.batches_as_written(["g", "x"])]
    assert batches == [{"g": ["a", "b", "c", None], "x": [0.1, 0.001, 0.5, 10.0]}]


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
def test_a_decimal_comma(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    text = b"x;y\n0,1;1,25\n-3;,5\n"
    path.write_bytes(gzip.compress(text) if ending.endswith("gz") else text)
    assert written(open_source(path)) == {"x": ["0.1", "-3"], "y": ["1.25", ".5"]}


def test_tabs_and_blanks(tmp_path):
    (tmp_path / "a.tsv").write_text("x\ty\n0.10\t2\n")
    (tmp_path / "b.dat").write_text("x  y\n 0.10   2 \n")
    for name in ("a.tsv", "b.dat"):
        assert written(open_source(tmp_path / name)) == {"x": ["0.10"], "y": ["2"]}


def test_several_files_with_columns_in_another_order(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n0.1,1\n")
    (tmp_path / "b.csv").write_text("y,x\n2,0.20\n")
    assert written(open_source(tmp_path)) == {"x": ["0.1", "0.20"], "y": ["1", "2"]}


def test_filters_see_numbers_and_leave_the_text_alone(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y,g\n0.10,1,a\n5,2,b\nword,3,c\n0.30,4,d\n")
    source = open_source(path, filter="g <> 'c' and y <> 2")
    assert written(source, ["x"]) == {"x": ["0.10", "0.30"]}
    assert written(open_source(path, filter="y > 3"), ["y"]) == {"y": ["4"]}


def test_a_query_gives_what_its_types_give(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x\n0.1\n0.2\n")
    source = open_source(path, query="select x, cast(x as decimal(10, 3)) as d, 2 as k from data")
    assert [source.written(name) for name in "xdk"] == ["doubles", "decimals", "decimals"]
    assert written(source) == {"x": [0.1, 0.2], "d": ["0.100", "0.200"], "k": ["2", "2"]}


def test_parquet_and_memory_have_types(tmp_path):
    table = pa.table(
        {
            "i": pa.array([2**62 + 1, None], pa.int64()), "u": pa.array([2**64 - 1, 0], pa.uint64()),
            "d": pa.array([decimal.Decimal("0.10"), decimal.Decimal("-1.25")], pa.decimal128(38, 2)),
            "f": pa.array([0.1, float("nan")], pa.float64()), "s": pa.array([0.1, 2.0], pa.float32()),
            "b": pa.array([True, False]), "g": pa.array(["a", "b"]),
        }
    )  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet")
    for source in (open_source(tmp_path / "a.parquet"), open_source(table)):
        found = written(source)
        assert found["i"] == [str(2**62 + 1), None] and found["u"] == [str(2**64 - 1), "0"]
        assert found["d"] == ["0.10", "-1.25"] and found["s"] == [float(np.float32(0.1)), 2.0]
        assert found["f"][0] == 0.1 and np.isnan(found["f"][1]) and set(found) == {"i", "u", "d", "f", "s"}
        assert [source.written(name) for name in "iudfs"] == ["decimals"] * 3 + ["doubles"] * 2


def test_json_keeps_whole_numbers_and_short_decimals(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"x": 0.10, "n": 9007199254740993}\n{"x": 1e2, "n": 1}\n{"n": 2}\n')
    found = written(open_source(path))
    assert found["n"] == ["9007199254740993", "1", "2"]
    assert [None if text is None else float(text) for text in found["x"]] == [0.1, 100.0, None]
    assert found["x"][0] == "0.1" and open_source(path).written("x") == "shortest"
    (tmp_path / "b.json").write_text(json.dumps([{"x": 0.1, "g": "a"}, {"x": None, "g": "b"}]))
    assert written(open_source(tmp_path / "b.json")) == {"x": ["0.1", None]}


def test_names_that_sql_folds_and_names_in_quotes(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('x,X,"a ""b"""\n0.1,0.20,3\n')
    assert written(open_source(path)) == {"x": ["0.1"], "X": ["0.20"], 'a "b"': ["3"]}


def test_a_value_that_is_no_number_is_named_as_ever(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x\n" + "1.5\n" * 30_000 + "oops\n")
    with pytest.raises(DataError, match=r"row 30001 .*oops"):
        written(open_source(path))


@pytest.mark.parametrize("wide", [[2**53 + 1, 1], [decimal.Decimal("0.1"), decimal.Decimal("0.2")]])
def test_files_of_which_one_holds_doubles_and_the_other_more_digits(tmp_path, wide):
    pq.write_table(pa.table({"x": wide}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"x": [0.5, None]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="cannot be read exactly"):
        written(open_source(tmp_path))
    pq.write_table(pa.table({"x": [2**53 - 1, None]}), tmp_path / "a.parquet")
    assert written(open_source(tmp_path)) == {"x": [2.0**53 - 1, None, 0.5, None]}
