"""Everything that can be wrong with data is a sentence: what, where (file, row, line, column), what to do."""

import gzip
import os
import traceback

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from surefoot.data.source import open_source
from surefoot.errors import DataError


def fails(action, *parts):
    """The action raises a DataError with all the parts in its text, and no library's traceback behind it."""
    with pytest.raises(DataError) as caught:
        action()
    text = str(caught.value)
    for part in parts:
        assert part in text
    shown = "".join(traceback.format_exception(caught.value))
    assert "_duckdb." not in shown and "ArrowInvalid" not in shown and "During handling" not in shown
    return text


def write(path, text):
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def scan(data, names=None, **options):
    source = open_source(data, **options)
    return lambda: list(source.batches(names or list(source.columns)))


def opening(data, **options):
    return lambda: open_source(data, **options)


def test_word_among_numbers(tmp_path):
    path = write(tmp_path / "t.csv", "x,y\n" + "1,2\n" * 30_000 + "5,abc\n6,7\n")
    fails(scan(path), "t.csv, row 30001 (line 30002), column y: 'abc' is not a number")
    fails(scan(path, ["x"], filter="y > 1"), "row 30001 (line 30002), column y: 'abc'")
    fails(scan(path, ["z"], query="select x + y as z from data"), "row 30001 (line 30002), column y: 'abc'")
    assert len(scan(path, ["x"])()) == 1  # a column that nobody asked for does no harm
    fails(lambda: open_source(path).levels("y"), "row 30001")


def test_line_with_embedded_newlines_comments_and_gz(tmp_path):
    text = '# note\ng,x\n"a\nb",1\n' + "c,2\n\n" * 30_000 + '"d\n\n",abc\n'
    path = write(tmp_path / "t.csv", text)
    line = text[: text.index('"d')].count("\n") + 1
    fails(scan(path), f"t.csv, row 30002 (line {line}), column x: 'abc'")
    packed = write(tmp_path / "u.csv.gz", gzip.compress(text.encode()))
    fails(scan(packed), f"u.csv.gz, row 30002 (line {line}), column x: 'abc'")


def test_empty_lines_of_a_single_column_are_missing_values(tmp_path):
    path = write(tmp_path / "t.csv", "x\n1\n\n" + "2\n" * 30_000 + "abc\n")
    assert str(open_source(path).find_missing("x")) == "t.csv, row 2 (line 3), column x: no value"
    fails(scan(path), "t.csv, row 30003 (line 30004), column x: 'abc'")


def test_the_file_of_several_is_named(tmp_path):
    write(tmp_path / "a.csv", "x\n" + "1\n" * 50)
    write(tmp_path / "b.csv", "x\n" + "1\n" * 30_000 + "oops\n")
    write(tmp_path / "c.csv", "x\n1\n")
    fails(scan(tmp_path), "b.csv, row 30001 (line 30002), column x: 'oops'")


def test_other_kinds_of_value(tmp_path):
    path = write(tmp_path / "d.csv", "d,b\n" + "2020-01-01,true\n" * 30_000 + "soon,perhaps\n")
    fails(scan(path, ["d"]), "row 30001 (line 30002), column d: 'soon' is not a date")
    fails(scan(path, ["b"]), "row 30001 (line 30002), column b: 'perhaps' is not true or false")
    json = write(tmp_path / "j.jsonl", '{"x": 1}\n' * 30_000 + '{"x": "abc"}\n')
    fails(scan(json), "j.jsonl, row 30001, column x: 'abc' is not a number")
    comma = write(tmp_path / "c.csv", "x;y\n" + "1,5;2\n" * 30_000 + "oops;3\n")
    fails(scan(comma), "c.csv, row 30001 (line 30002), column x: 'oops'")


@pytest.mark.parametrize("ending", ["csv", "dat"])
def test_word_early_makes_a_text_column(tmp_path, ending):
    path = write(tmp_path / f"t.{ending}", "x y\n1 2\n2 abc\n3 4\n5 6\n".replace(" ", "," if ending == "csv" else "  "))
    source = open_source(path)
    assert source.column("y").kind == "category"
    assert str(source.find_unparsable("y")) == f"t.{ending}, row 2 (line 3), column y: 'abc'"
    assert source.find_unparsable("x") is None
    words = open_source({"g": ["a", "b", "1"]})
    assert words.find_unparsable("g") is None


def test_infinite(tmp_path):
    path = write(tmp_path / "t.csv", "x,y\n1,2\nNA,3\n-inf,4\n")
    source = open_source(path, filter="y > 2")
    assert str(source.find_infinite("x")) == "t.csv, row 3 (line 4), column x: '-inf'"
    assert str(source.find_missing("x")) == "t.csv, row 2 (line 3), column x: no value"
    assert source.find_infinite("y") is None
    parquet = tmp_path / "p"
    parquet.mkdir()
    pq.write_table(pa.table({"x": [1.0]}), parquet / "a.parquet")
    pq.write_table(pa.table({"x": [1.0, np.nan, np.inf]}), parquet / "b.parquet")
    found = open_source(parquet)
    assert (found.find_infinite("x").file, found.find_infinite("x").row) == ("b.parquet", 3)
    assert (found.find_missing("x").file, found.find_missing("x").row) == ("b.parquet", 2)
    place = open_source({"x": [1.0, np.inf]}, query="select x from data where x > 1").find_infinite("x")
    assert (place.row, place.value) == (1, "inf")


def test_ragged_rows(tmp_path):
    early = write(tmp_path / "e.csv", "x,y\n1,2\n3,4,5\n6,7\n")
    fails(opening(early), "e.csv, row 2 (line 3) has 3 values where the first line has 2")
    late = write(tmp_path / "l.csv", "x,y\n" + "1,2\n" * 30_000 + "3\n")
    fails(scan(late), "l.csv, row 30001 (line 30002) has 1 value where the first line has 2")
    blanks = write(tmp_path / "b.dat", "x y\n" + "1  2\n" * 30_000 + "3 4 5\n")
    fails(scan(blanks), "b.dat, row 30001 (line 30002) has 3 values where the first line has 2")
    title = write(tmp_path / "t.csv", "My table\n\nx,y\n1,2\n")
    fails(opening(title), "t.csv, row 1 (line 3)", "lines above the header must be deleted")


def test_encodings(tmp_path):
    head = write(tmp_path / "h.csv", "x,g\n1,caf\xe9\n".encode("latin-1"))
    fails(opening(head), "h.csv is not UTF-8 text (byte 0xE9 in line 2)", "iconv -f latin1")
    late = write(tmp_path / "l.csv", ("x,g\n" + "1,tea\n" * 60_000 + "1,caf\xe9\n").encode("latin-1"))
    fails(scan(late), "l.csv is not UTF-8 text", "line 60002")
    wide = write(tmp_path / "w.csv", "x,y\n1,2\n".encode("utf-16"))
    fails(opening(wide), "w.csv is not UTF-8 text (UTF-16)", "iconv -f UTF-16")


def test_empty_and_broken_files(tmp_path):
    fails(opening(write(tmp_path / "z.csv", "")), "z.csv is empty", "zero bytes")
    fails(opening(write(tmp_path / "n.csv", "\n\n")), "n.csv is empty")
    fails(
        opening(write(tmp_path / "b.parquet", "no parquet at all, just text")),
        "b.parquet cannot be read as Parquet",
    )
    fails(opening(write(tmp_path / "b.csv.gz", "not packed")), "b.csv.gz ends in .gz but cannot be unpacked")
    whole = gzip.compress(os.urandom(200_000).hex().encode())
    fails(opening(write(tmp_path / "c.csv.gz", whole[:50_000])), "c.csv.gz ends in .gz but cannot be unpacked")
    fails(opening(write(tmp_path / "m.jsonl", '{"x": 1}\n{"x": \n{"x": 3}\n')), "m.jsonl", "line 3")
    fails(opening(write(tmp_path / "v.jsonl", "1\n2\n")), "v.jsonl does not hold objects")


def test_parquet_damaged_in_the_middle(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"x": np.random.default_rng(0).random(100_000)}), path, row_group_size=10_000)
    data = bytearray(path.read_bytes())
    data[400_000:410_000] = b"\xff" * 10_000
    path.write_bytes(bytes(data[:-8]))
    fails(opening(path), "t.parquet cannot be read as Parquet")


def test_paths(tmp_path):
    write(tmp_path / "norris.csv", "x\n1\n")
    fails(opening(tmp_path / "noris.csv"), "There is no file", "Did you mean 'norris.csv'?")
    fails(opening(tmp_path / "no" / "t.csv"), "the folder", "does not exist")
    fails(opening(str(tmp_path / "*.parquet")), "No file matches the pattern")
    fails(opening([]), "is empty")
    fails(opening("https://example.org/t.csv"), "download it first")
    empty = tmp_path / "empty"
    empty.mkdir()
    fails(opening(empty), "The folder empty/ has no data files: it is empty")
    write(empty / "readme.md", "hello")
    fails(opening(empty), "it holds readme.md", "Supported: CSV")
    write(empty / "a.csv", "x\n1\n")
    write(empty / "a.jsonl", '{"x": 1}\n')
    fails(opening(empty), "The folder empty/ mixes CSV (a.csv) and JSON (a.jsonl)")


def test_kinds_of_file(tmp_path):
    fails(opening(write(tmp_path / "t.xlsx", "PK")), "t.xlsx", "Save the sheet as CSV", "Supported: CSV and TSV")
    fails(opening(write(tmp_path / "t.xyz", "1")), "files ending in .xyz", "Supported:")
    fails(opening(write(tmp_path / "table", "1")), "without an ending")
    fails(opening(write(tmp_path / "t.npy", "1")), "numpy.load")


def test_unreadable_file(tmp_path):
    path = write(tmp_path / "t.csv", "x\n1\n")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root reads everything")
    fails(opening(path), "cannot be read: permission denied")


def test_files_with_other_columns(tmp_path):
    write(tmp_path / "a.csv", "x,y\n1,2\n")
    write(tmp_path / "b.csv", "x,z\n1,2\n")
    fails(opening(tmp_path), "b.csv lacks y and also has z, compared with a.csv")
    other = tmp_path / "p"
    other.mkdir()
    pq.write_table(pa.table({"x": [1], "y": [1]}), other / "a.parquet")
    pq.write_table(pa.table({"x": [1]}), other / "b.parquet")
    fails(opening(other), "b.parquet lacks y, compared with a.parquet")


def test_file_that_goes_away(tmp_path):
    path = write(tmp_path / "t.csv", "x\n1\n")
    source = open_source(path)
    path.unlink()
    fails(lambda: list(source.batches(["x"])), "t.csv")


def test_missing_column():
    source = open_source({"height": [1.0], "weight": [2.0]})
    fails(
        lambda: source.batches(["heigth"]),
        "no column 'heigth' in dict of arrays",
        "Did you mean 'height'",
        "height, weight",
    )
    fails(lambda: source.column("Q"), "no column 'Q'", "It has the columns: height, weight.")
    for use in (source.levels, source.find_infinite, source.find_missing, source.find_unparsable):
        fails(lambda use=use: use("heigth"), "Did you mean 'height'")
    fails(lambda: source.batches([]), "No columns were asked for")


def test_arrays():
    fails(opening({"x": [1, 2], "y": [1, 2, 3]}), "unequal lengths: x has 2 values and y has 3")
    fails(opening({"x": np.zeros((2, 3))}), "Column x is 2-D (2 x 3)")
    fails(opening({"x": 3.0}), "Column x is a single value")
    fails(opening({"x": np.array([1, "a"], dtype=object)}), "Column x mixes kinds of values: row 2 is 'a' (str)")
    fails(opening({"x": [1j]}), "Column x")
    fails(opening({"x": np.array([1j])}), "Column x holds complex numbers")
    fails(opening(np.zeros(3)), "1-D, and a table is 2-D")
    fails(opening({}), "no columns")
    fails(opening(3.5), "Cannot read rows from a float")
    fails(opening(None), "Cannot read rows from a NoneType")
    fails(opening(pd.Series([1.0])), "DataFrame")
    fails(opening(pl.Series([1.0])), "DataFrame")
    fails(opening(pd.DataFrame({"x": [1, "a", None]})), "Column x mixes kinds of values: row 2 is 'a'")
    nested = open_source({"x": [[1, 2], [3]]})
    fails(lambda: nested.batches(["x"]), "holds", "not single values")
    many = open_source({"id": np.arange(100_001)})
    fails(lambda: many.levels("id"), "more than 100,000 different values")


def test_extra(tmp_path):
    fails(opening({"x": [1, 2]}, extra={"w": [1]}), "w has 1 values and the dict of arrays has 2 rows")
    fails(opening({"x": [1]}, extra={"x": [1]}), "already has a column x")
    fails(opening(write(tmp_path / "t.csv", "x\n1\n"), extra={"w": [1]}), "cannot be joined to files")


@pytest.mark.parametrize("kind", ["csv", "memory"])
def test_bad_sql(tmp_path, kind):
    data = write(tmp_path / "t.csv", "x,g\n1,a\n2,b\n") if kind == "csv" else {"x": [1.0, 2.0], "g": ["a", "b"]}
    for bad in (
        "x > 1; drop table data",
        "x > 1) or (x < 2",
        "x >",
        "x > > 1",
        "x > 1 from data",
        "x > 1 group by g",
    ):
        fails(opening(data, filter=bad), "The filter")
    text = fails(opening(data, filter="x > > 1"), "The filter is not valid SQL: ")
    shown, caret = text.splitlines()[-2:]
    assert (shown, caret) == ("  x > > 1", "      ^")
    fails(opening(data, filter="z > 1"), "The filter cannot be used", '"z" not found')
    fails(opening(data, filter="g > 5"), "The filter cannot be used: Cannot compare values", "g > 5", "^")
    fails(scan(data, filter="g::double > 5"), "Could not convert string", "'a'")
    fails(opening(data, filter=" "), "The filter is empty")
    for bad in (
        "drop table data",
        "select 1; select 2",
        "copy data to 'x.csv'",
        "insert into data values (1)",
        "x > 1",
    ):
        fails(opening(data, query=bad), "The query")
    fails(opening(data, query="select z from data"), "The query cannot be run", '"z" not found', "^")
    fails(opening(data, query="select * from nowhere"), "nowhere")
    fails(opening(data, query="select * from pd"), "pd")  # Python's variables are out of reach
    fails(opening(data, query="select nothing(x) from data"), "nothing")
