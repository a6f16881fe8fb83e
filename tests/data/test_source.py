"""One table in every dress gives the same batches, in order, again and again."""

import gzip
import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from surefoot.data.source import open_source
from surefoot.errors import DataError

N = 1000
TABLE = pa.table(
    {
        "x": pa.array([None if i == 7 else i / 4 for i in range(N)]),
        "n": pa.array(range(N), pa.int64()),
        "ok": pa.array([i % 3 == 0 for i in range(N)]),
        "g": pa.array([None if i == 9 else "abc"[i % 3] for i in range(N)]),
    }
)
EXPECTED = {
    "g": TABLE["g"].to_pylist(),
    "x": TABLE["x"].to_pylist(),
    "n": [float(i) for i in range(N)],
    "ok": [float(i % 3 == 0) for i in range(N)],
}


def lines(separator, missing=""):
    rows = [separator.join(TABLE.column_names)]
    rows += [separator.join(missing if v is None else str(v) for v in row.values()) for row in TABLE.to_pylist()]
    return "\n".join(rows) + "\n"


def json_lines():
    return "".join(json.dumps(row) + "\n" for row in TABLE.to_pylist())


def write(path, text):
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data) if path.name.endswith(".gz") else data)
    return path


def parquet(path, table=TABLE, **options):
    pq.write_table(table, path, **options)
    return path


def folder_of(path, kind):
    path.mkdir()
    (path / "_SUCCESS").write_text("")
    for n, start in enumerate((0, 400, 700)):
        part = TABLE.slice(start, (400, 300, 300)[n])
        if kind == "parquet":
            parquet(path / f"part{n}.parquet", part)
        else:
            part.to_pandas()[TABLE.column_names].to_csv(path / f"part{n}.csv", index=False)
    return path


DRESSES = {
    "csv": lambda p: write(p / "t.csv", lines(",")),
    "csv as text": lambda p: str(write(p / "t.csv", lines(",", "NA"))),
    "crlf": lambda p: write(p / "t.csv", lines(",").replace("\n", "\r\n")),
    "bom": lambda p: write(p / "t.csv", "\ufeff" + lines(",")),
    "tsv": lambda p: write(p / "t.tsv", lines("\t")),
    "semicolon": lambda p: write(p / "t.csv", lines(";")),
    "decimal comma": lambda p: write(p / "t.csv", lines(";").replace(".", ",")),
    "pipe": lambda p: write(p / "t.txt", lines("|")),
    "blanks": lambda p: write(p / "t.dat", lines("   ", "NA").replace("\n", "  \n   ")),
    "comment": lambda p: write(p / "t.csv", "# made by hand, in a hurry\n" + lines(",")),
    "csv.gz": lambda p: write(p / "t.csv.gz", lines(",")),
    "tsv.gz": lambda p: write(p / "t.tsv.gz", lines("\t")),
    "parquet": lambda p: parquet(p / "t.parquet", row_group_size=300),
    "parquet dictionary": lambda p: parquet(p / "t.parquet", TABLE.set_column(3, "g", TABLE["g"].dictionary_encode())),
    "jsonl": lambda p: write(p / "t.jsonl", json_lines()),
    "ndjson.gz": lambda p: write(p / "t.ndjson.gz", json_lines()),
    "json array": lambda p: write(p / "t.json", json.dumps(TABLE.to_pylist())),
    "json.gz": lambda p: write(p / "t.json.gz", json_lines()),
    "folder of parquet": lambda p: folder_of(p / "d", "parquet"),
    "folder of csv": lambda p: folder_of(p / "d", "csv"),
    "glob": lambda p: str(folder_of(p / "d", "parquet") / "part*.parquet"),
    "list": lambda p: sorted(folder_of(p / "d", "csv").glob("*.csv")),
    "pandas": lambda p: TABLE.to_pandas(),
    "pandas categories": lambda p: TABLE.to_pandas().astype({"g": "category"}),
    "polars": lambda p: pl.DataFrame(TABLE.to_pydict()),
    "polars lazy": lambda p: pl.DataFrame(TABLE.to_pydict()).lazy(),
    "polars categories": lambda p: pl.DataFrame(TABLE.to_pydict()).cast({"g": pl.Categorical}),
    "pyarrow": lambda p: TABLE,
    "reader": lambda p: TABLE.to_reader(100),
    "chunks": lambda p: pa.concat_tables([TABLE.slice(0, 10), TABLE.slice(10)]),
    "lists": lambda p: TABLE.to_pydict(),
    "source": lambda p: open_source(TABLE),
}


def read(source, names, rows=122_880):
    found = {name: [] for name in names}
    for batch in source.batches(names, rows):
        assert 0 < batch.num_rows <= rows
        assert batch.schema.names == list(names)
        for name, array in zip(names, batch.columns, strict=True):
            found[name] += array.to_pylist()
    return found


@pytest.mark.parametrize("dress", DRESSES)
def test_same_table(dress, tmp_path):
    source = open_source(DRESSES[dress](tmp_path))
    assert list(source.columns) == TABLE.column_names
    kinds = {name: column.kind for name, column in source.columns.items()}
    assert kinds == {"x": "number", "n": "number", "ok": "boolean", "g": "category"}
    for rows in (122_880, 97):
        assert read(source, list(EXPECTED), rows) == EXPECTED
    (first, *_) = source.batches(["n", "g", "ok"])
    assert first.schema.types == [pa.float64(), pa.string(), pa.float64()]
    assert source.levels("g") == ("a", "b", "c")
    assert source.levels("ok") == ("False", "True")
    assert source.expected_rows() == pytest.approx(N, rel=0.1)


@pytest.mark.parametrize("dress", ["csv", "parquet", "jsonl", "pandas", "lists", "folder of csv", "polars categories"])
def test_filter_and_query(dress, tmp_path):
    data = DRESSES[dress](tmp_path)
    kept = [i for i in range(N) if i > 3 and i % 3 == 0 and i != 9]
    source = open_source(data, filter="n > 3 and g = 'a' -- the first group")
    assert read(source, ["n"]) == {"n": kept}
    assert source.expected_rows() is None
    assert source.levels("g") == ("a",)
    asked = open_source(data, query="with t as (select n, n + 1 as m from data where n > 990) select m from t;")
    assert list(asked.columns) == ["m"]
    assert read(asked, ["m"]) == {"m": [i + 1.0 for i in range(991, N)]}
    both = open_source(data, query="select g, sum(n) as s from data group by g order by g", filter="g is not null")
    assert read(both, ["g", "s"])["g"] == ["a", "b", "c"]


def test_numpy():
    x = np.arange(5)[::-1]
    source = open_source({"x": x, "y": x.astype(">f4"), "t": np.array(["u", "v", "u", "v", "w"]), "b": x > 2})
    assert read(source, ["x", "y", "t", "b"]) == {
        "x": [4, 3, 2, 1, 0], "y": [4, 3, 2, 1, 0], "t": ["u", "v", "u", "v", "w"], "b": [1, 1, 0, 0, 0]
    }  # fmt: skip
    assert source.levels("x") == ("0", "1", "2", "3", "4")
    plain = open_source(np.array([[1.0, 2.0], [3.0, np.nan]]))
    assert list(plain.columns) == ["x0", "x1"]
    assert np.isnan(read(plain, ["x1"])["x1"][1])
    place = plain.find_missing("x1")
    assert (place.row, place.value) == (2, "")
    named = open_source(np.array([(1, 2.5)], dtype=[("a", int), ("b", float)]))
    assert read(named, ["a", "b"]) == {"a": [1], "b": [2.5]}
    masked = open_source({"m": np.ma.array([1.0, 2.0], mask=[False, True])})
    assert read(masked, ["m"]) == {"m": [1, None]}
    assert read(open_source({"big": [2**53 + 1, 1.5, None]}), ["big"]) == {"big": [2.0**53, 1.5, None]}


def test_declared_levels_keep_their_order():
    frame = pd.DataFrame({"size": pd.Categorical(["small", "big", "small"], ["small", "huge", "big"])})
    for data in (
        frame,
        pl.DataFrame({"size": pl.Series(["small", "big"], dtype=pl.Enum(["small", "huge", "big"]))}),
    ):
        source = open_source(data)
        assert source.column("size").levels == ("small", "huge", "big")
        assert source.levels("size") == ("small", "big")
        assert open_source(data, filter="size = 'big'").levels("size") == ("big",)
    numbers = open_source(pd.DataFrame({"c": pd.Categorical([3, 1, 3])}))
    assert (numbers.column("c").kind, numbers.levels("c")) == ("category", ("1", "3"))
    assert read(numbers, ["c"]) == {"c": ["3", "1", "3"]}


def test_levels_are_sorted_by_value(tmp_path):
    path = write(tmp_path / "t.csv", "x,g\n10,b\n9,a\n2.5,\n,b\n")
    assert open_source(path).levels("x") == ("2.5", "9", "10")
    assert open_source(path).levels("g") == ("a", "b")


def test_parquet_types(tmp_path):
    types = pa.table({
        "f": pa.array([1.5], pa.float32()), "i": pa.array([3], pa.int8()),
        "u": pa.array([2**53 + 1], pa.uint64()),
        "d": pa.array([1.25]).cast(pa.decimal128(9, 2)), "day": pa.array([0], pa.date32()),
        "at": pa.array([0], pa.timestamp("us", "UTC")), "l": pa.array([[1.0]]), "none": pa.nulls(1),
    })  # fmt: skip
    memory = open_source(types)
    path = parquet(tmp_path / "t.parquet", types)
    for source in (open_source(path), memory, open_source(path, filter="true")):
        assert read(source, ["f", "i", "u", "d", "none"]) == {
            "f": [1.5],
            "i": [3],
            "u": [2.0**53],
            "d": [1.25],
            "none": [None],
        }
        assert [source.column(name).kind for name in ("day", "at", "l")] == ["time", "time", "other"]
        with pytest.raises(DataError, match=r"Column l of .* holds DOUBLE\[\], not single values"):
            source.batches(["l"])


def test_missing_markers_and_notes(tmp_path):
    markers = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", ".", '""']
    path = write(tmp_path / "t.csv", "x,g\n1,a\n" + "".join(f"{m},{m}\n" for m in markers))
    source = open_source(path)
    assert read(source, ["x", "g"]) == {"x": [1] + [None] * 10, "g": ["a"] + [None] * 10}
    place = source.find_missing("x")
    assert str(place) == "t.csv, row 2 (line 3), column x: no value"
    comma = open_source(write(tmp_path / "c.csv", "x;y\n1,5;2\n1.000;3\n"))
    assert comma.column("x").kind == "category"  # neither reading is sure
    german = open_source(write(tmp_path / "d.csv", "x;y\n1,5;2\n-2,25;3\n"))
    assert read(german, ["x", "y"]) == {"x": [1.5, -2.25], "y": [2, 3]}
    assert german.notes == ("numbers have a decimal comma",)
    thousands = open_source(write(tmp_path / "e.csv", "x;y\n1,234;2\n"))
    assert (thousands.column("x").kind, thousands.notes) == ("category", ())


def test_columns_of_csv(tmp_path):
    def columns(text, name="t.csv"):
        return {c.name: c.kind for c in open_source(write(tmp_path / name, text)).columns.values()}

    assert columns("1,2\n3,4\n") == {"column0": "number", "column1": "number"}
    assert columns("x\n1\n2\n") == {"x": "number"}
    assert columns("x,y\n") == {"x": "number", "y": "number"}
    assert list(columns('x,x,X,"a ""b"", c",größe,\n1,2,3,4,5,6\n')) == [
        "x",
        "x_1",
        "X",
        'a "b", c',
        "größe",
        "column5",
    ]
    assert columns("d,t,b\n2020-01-31,2020-01-31 12:00:00,TRUE\n") == {
        "d": "time",
        "t": "time",
        "b": "boolean",
    }
    assert columns('"x","y"\n"1","2.5"\n') == {"x": "number", "y": "number"}
    source = open_source(tmp_path / "t.csv")
    assert read(source, ["x", "y"]) == {"x": [1], "y": [2.5]}


def test_awkward_names_are_read(tmp_path):
    for path in (
        write(tmp_path / "t.csv", 'x,X,"a ""b"" c"\n1,2,3\n'),
        parquet(tmp_path / "t.parquet", pa.table({"x": [1.0], "X": [2.0], 'a "b" c': [3.0]})),
    ):
        for options in ({}, {"filter": "X_1 = 2"}):
            assert read(open_source(path, **options), ["X", 'a "b" c', "x"]) == {
                "X": [2],
                'a "b" c': [3],
                "x": [1],
            }
    assert read(open_source({"x": [1], "X": [2]}, filter="x = 1"), ["X", "x"]) == {"X": [2], "x": [1]}


def test_awkward_paths(tmp_path):
    name = "it's [1] * ?.csv"
    write(tmp_path / name, "x\n1\n")
    write(tmp_path / "it's 1 zz z.csv", "x\n2\n")
    assert read(open_source(tmp_path / name), ["x"]) == {"x": [1]}
    assert open_source(tmp_path / name).name == name


def test_files_in_other_column_order(tmp_path):
    write(tmp_path / "a.csv", "x,y\n1,\n")
    write(tmp_path / "b.csv", "y;x\n4;3\n")
    source = open_source(tmp_path)
    assert source.name == f"2 CSV files in {tmp_path.name}/"
    assert read(source, ["x", "y"]) == {"x": [1, 3], "y": [None, 4]}
    parquet(tmp_path / "a.parquet", pa.table({"x": pa.array([1], pa.int32())}))
    parquet(tmp_path / "b.parquet", pa.table({"x": [2.5]}))
    assert read(open_source(str(tmp_path / "*.parquet")), ["x"]) == {"x": [1, 2.5]}


def test_integers_then_a_fraction(tmp_path):
    path = write(tmp_path / "t.csv", "n\n" + "7\n" * 30_000 + "2.5\n")
    assert read(open_source(path), ["n"])["n"][-1] == 2.5
    empty_first = write(tmp_path / "e.csv", "x,g\n" + "1,\n" * 30_000 + "2,word\n")
    assert open_source(empty_first).levels("g") == ("word",)


def test_extra_columns():
    source = open_source({"x": [1.0, 2.0]}, extra={"w": np.array([3, 4])}, filter="w > 3")
    assert read(source, ["x", "w"]) == {"x": [2], "w": [4]}


def test_order_of_rows(tmp_path):
    count = 300_000
    table = pa.table({"n": np.arange(count, dtype=float)})
    for k in range(3):
        parquet(tmp_path / f"{k}.parquet", table.slice(k * 100_000, 100_000), row_group_size=7_000)
    for options in ({}, {"filter": "n >= 0"}, {"query": "select n from data"}):
        batches = list(open_source(tmp_path, **options).batches(["n"], 5_000))
        assert np.array_equal(pa.Table.from_batches(batches)["n"].to_numpy(), np.arange(count))


def test_scans_do_not_disturb_each_other(tmp_path):
    path = parquet(tmp_path / "t.parquet", pa.table({"n": np.arange(500_000.0)}), row_group_size=10_000)
    source = open_source(path)
    left = source.batches(["n"], 1000)
    next(left)
    first, second = source.batches(["n"], 1000), source.batches(["n"], 1000)
    for one, two in zip(first, second, strict=True):
        assert one.equals(two)
    assert next(left)["n"][0].as_py() == 1000  # still where it was
    del left
    assert next(source.batches(["n"]))["n"][0].as_py() == 0


def test_too_little_memory_starts_again_where_it_stopped(tmp_path):
    from surefoot.data.source_scan import Database

    path = parquet(tmp_path / "t.parquet", pa.table({"n": np.random.default_rng(0).permutation(2_000_000)}))
    database = Database(5, {})
    sql = f"select n, list(n) over (order by n rows 3 preceding) as l from read_parquet('{path}') order by n"
    count = 0
    for batch in database.stream(sql, 50_000):
        assert batch["n"][0].as_py() == count
        count += batch.num_rows
    assert count == 2_000_000


def run(code, *args):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)], capture_output=True, text=True
    )


def test_imports_are_late(tmp_path):
    path = write(tmp_path / "t.csv", lines(","))
    done = run(
        """
        import sys
        from surefoot.data.source import open_source
        assert not {"duckdb", "pyarrow", "pandas", "polars", "numpy"} & set(sys.modules)
        source = open_source(sys.argv[1])
        assert sum(b.num_rows for b in source.batches(["x", "g"])) == 1000
        source.levels("g"), source.find_missing("x")
        assert not {"pandas", "polars"} & set(sys.modules), "heavy"
        import numpy
        list(open_source({"x": numpy.arange(3.0)}).batches(["x"]))
        assert not {"pandas", "polars"} & set(sys.modules), "heavy for NumPy"
        """,
        path,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
@pytest.mark.parametrize("sql", ["select * from data where sin(x) > 2", "select x, count(*) as n from data group by x"])
def test_ctrl_c_is_prompt(tmp_path, sql):
    path = parquet(tmp_path / "t.parquet", pa.table({"x": np.random.default_rng(0).random(1_000_000)}))
    code = f"""
        import sys
        from surefoot.data.source import open_source
        source = open_source([sys.argv[1]] * 300, query={sql!r})
        print("ready", flush=True)
        try:
            for batch in source.batches(["x"]):
                pass
        except KeyboardInterrupt:
            print("interrupted", next(open_source([sys.argv[1]]).batches(["x"])).num_rows)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.5)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert out == "interrupted 122880\n", err
    assert err == ""
    assert time.monotonic() - start < 5


def test_temporary_files_go_away(tmp_path):
    path = parquet(tmp_path / "t.parquet", pa.table({"x": np.random.default_rng(0).random(3_000_000)}))
    done = run(
        """
        import os, sys, tempfile
        from surefoot.data import source_scan
        source_scan.QUERY_MEMORY = 20
        from surefoot.data.source import open_source
        source = open_source(sys.argv[1], query="select x from data order by x")
        last = -1.0
        for batch in source.batches(["x"]):
            assert batch["x"][0].as_py() >= last
            last = batch["x"][-1].as_py()
        source.close()
        own = f"surefoot-{os.getpid()}-"
        assert not [one for one in os.listdir(tempfile.gettempdir()) if one.startswith(own)]
        assert not os.path.exists(".tmp")
        """,
        path,
    )
    assert done.returncode == 0, done.stderr


def test_a_source_is_returned_as_it_is():
    source = open_source(TABLE)
    assert open_source(source) is source
    with pytest.raises(DataError, match="open source already"):
        open_source(source, filter="x > 1")


def test_empty_tables(tmp_path):
    for data in (
        write(tmp_path / "h.csv", "x,y\n"),
        {"x": []},
        TABLE.slice(0, 0),
        parquet(tmp_path / "e.parquet", TABLE.slice(0, 0)),
    ):
        source = open_source(data)
        assert list(source.batches(["x"])) == []
        assert source.levels("x") == ()
        assert source.find_missing("x") is None


def test_a_filter_that_leaves_the_only_word_out_makes_the_column_numbers(tmp_path):
    """The advice of the error for such a column is to leave the row out: it has to work."""
    path = tmp_path / "t.csv"
    path.write_text("x,y,g\n1,2,a\n2,oops,7\n3,6.5,b\n4,,c\n")
    assert open_source(path).column("y").kind == "category"
    source = open_source(path, filter="y <> 'oops'")
    assert (source.column("y").kind, source.column("g").kind) == ("number", "category")
    assert [batch.to_pydict() for batch in source.batches(["x", "y"])] == [{"x": [1.0, 3.0], "y": [2.0, 6.5]}]
    queried = open_source(path, query="select * from data where x <> 2")
    assert [batch.to_pydict() for batch in queried.batches(["y"])] == [{"y": [2.0, 6.5, None]}]
    assert queried.find_missing("y") is not None
    assert queried.find_infinite("y") is None
