"""Rows from a real PostgreSQL server and from SQLite files: the same answer as from anywhere else, or a sentence."""

import math
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import surefoot as sf
from postgresql import PASSWORD, QUOTED, USER
from surefoot.data.source import open_source
from surefoot.errors import DataError, MissingDependency, SurefootError
from surefoot.verbs.fits import predict

ENDLESS = "select g::float8 as x, (g * 7 % 1001)::float8 as y from (select generate_series(1, 200000000) as g) as s"


def read(source, *names):
    batches = list(source.batches(names))
    return pa.Table.from_batches(batches).to_pydict() if batches else {name: [] for name in names}


def lite(path, *statements, rows=()):
    with sqlite3.connect(path) as connection:
        for one in statements:
            connection.execute(one)
        for sql, values in rows:
            connection.executemany(sql, values)
    connection.close()
    return path


def refused(call, *parts, kind=DataError):
    with pytest.raises(kind) as caught:
        call()
    text = str(caught.value)
    for part in parts:
        assert part in text, text
    assert "Traceback" not in text and PASSWORD not in text and QUOTED not in text
    return text


# The same rows, the same answer


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(3)
    n = 5000
    x, g = rng.normal(size=n), np.array(["a", "b", "c"])[rng.integers(0, 3, n)]
    x[7] = np.nan
    k = rng.integers(-(2**40), 2**40, n)
    y = 1 + 2 * np.nan_to_num(x) + 1e-12 * k + (g == "b") + rng.normal(size=n)
    missing = np.isnan(x)
    return pa.table({"x": pa.array(x, mask=missing), "g": g.tolist(), "k": k, "y": y})


def in_postgresql(table, server, tmp_path):
    server.sql("drop table if exists agree", "create table agree (x float8, g text, k int8, y float8)")
    rows = ", ".join(
        f"({'null' if x is None else repr(x)}, '{g}', {k}, {y!r})"
        for x, g, k, y in zip(*table.to_pydict().values(), strict=True)
    )
    server.sql(f"insert into agree values {rows}")
    return {"data": server.url(), "query": "select * from agree"}


def in_sqlite(table, server, tmp_path):
    rows = zip(*table.to_pydict().values(), strict=True)
    create = "create table agree (x real, g text, k integer, y real)"
    return {"data": lite(tmp_path / "agree.db", create, rows=[("insert into agree values (?, ?, ?, ?)", rows)])}


def in_parquet(table, server, tmp_path):
    pq.write_table(table, tmp_path / "agree.parquet")
    return {"data": tmp_path / "agree.parquet"}


def in_csv(table, server, tmp_path):
    pyarrow.csv.write_csv(table, tmp_path / "agree.csv")
    return {"data": tmp_path / "agree.csv"}


@pytest.mark.parametrize("dress", [in_postgresql, in_sqlite, in_csv, in_parquet])
def test_the_same_fit_from_everywhere(table, postgresql, tmp_path, dress):
    formula = "y ~ poly(x, 2) * g + k"
    expected, found = sf.fit(formula, table), sf.fit(formula, **dress(table, postgresql, tmp_path))
    assert found.names == expected.names
    assert np.array_equal(found.coef, expected.coef)
    assert np.array_equal(found.stderr, expected.stderr)
    assert found.account.rows_missing == 1


@pytest.mark.parametrize("dress", [in_postgresql, in_sqlite])
def test_robust_errors_and_predictions(table, postgresql, tmp_path, dress):
    place = dress(table, postgresql, tmp_path)
    fit = sf.fit("y ~ x + g", **place, errors="HC3")
    assert np.allclose(fit.stderr, sf.fit("y ~ x + g", table, errors="HC3").stderr, rtol=1e-13)
    fit.save(tmp_path / "model.json")
    done = predict(sf.load(tmp_path / "model.json"), output=tmp_path / "out.parquet", **place)
    out = pq.read_table(tmp_path / "out.parquet")
    assert done.rows == out.num_rows == 5000
    assert out["k"].to_pylist() == table["k"].to_pylist() and out["k"].type == pa.int64()
    expected = fit.predict(table).value
    assert np.allclose(out["prediction"].to_numpy(), expected, equal_nan=True)


def test_a_filter_runs_in_the_database(postgresql, tmp_path):
    postgresql.sql("drop table if exists f", "create table f as select g as x, g % 3 as k from generate_series(1, 9) g")
    source = open_source(postgresql.url(), query="select * from f", filter="k = 2")
    assert read(source, "x") == {"x": [2.0, 5.0, 8.0]}
    file = lite(tmp_path / "f.db", "create table f (x)", "insert into f values (1), (5), (7)")
    assert read(open_source(file, filter="x in (5, 7) -- those"), "x") == {"x": [5.0, 7.0]}
    assert read(open_source(f"sqlite:///{file}", query="select x + 1 as z from f;"), "z") == {"z": [2.0, 6.0, 8.0]}


# PostgreSQL's types


def test_types(postgresql):
    postgresql.sql("drop type if exists mood", "create type mood as enum ('sad', 'it''s ok', 'Happy')")
    source = open_source(
        postgresql.url(),
        query="""
        select i::int2 as i2, i::int4 as i4, i::int8 as i8, (i / 3.0)::float4 as f4, i::float8 as f8,
        i::numeric(8, 3) as n, i::money as m, i = 1 as b, 'x' || i as t, ('y' || i)::varchar(9) as v,
        'z'::char(4) as c, i::oid as o,
        (array['Happy', 'sad'])[i]::mood as e, '00000000-0000-0000-0000-00000000000a'::uuid as u, '1.2.3.4'::inet as ip,
        '2024-02-29'::date + i as d, '2024-02-29 10:00+02'::timestamptz as tz, '10:00'::time as ti, array[i] as a,
        '{}'::jsonb as j, '\\x00'::bytea as by, null as nothing, '(1,2)'::point as p from generate_series(1, 2) as i""",
    )
    kinds = {name: column.kind for name, column in source.columns.items()}
    assert {name for name, kind in kinds.items() if kind == "number"} == {"i2", "i4", "i8", "f4", "f8", "n", "m", "o"}
    assert {name for name, kind in kinds.items() if kind == "boolean"} == {"b"}
    assert {name for name, kind in kinds.items() if kind == "time"} == {"d", "tz", "ti"}
    assert {name for name, kind in kinds.items() if kind == "other"} == {"a", "j", "by", "p"}
    assert source.column("e").levels == ("sad", "it's ok", "Happy") and source.levels("e") == ("sad", "Happy")
    assert source.column("a").type == "int4[]" and source.column("e").type == "mood"
    found = read(source, *[name for name, kind in kinds.items() if kind != "other"])
    for name in ("i2", "i4", "i8", "f8", "n", "m", "o"):
        assert found[name] == [1.0, 2.0], name
    assert found["f4"] == [float(np.float32(1 / 3)), float(np.float32(2 / 3))]
    assert (
        found["b"] == [1.0, 0.0]
        and found["t"] == ["x1", "x2"]
        and found["v"] == ["y1", "y2"]
        and found["c"] == ["z", "z"]
    )
    assert found["e"] == ["Happy", "sad"] and found["u"] == ["00000000-0000-0000-0000-00000000000a"] * 2
    assert found["ip"] == ["1.2.3.4/32"] * 2 and found["nothing"] == [None, None]
    assert str(found["d"][0]) == "2024-03-01" and found["tz"][0].isoformat() == "2024-02-29T08:00:00+00:00"
    refused(lambda: list(source.batches(["j"])), "Column j", "jsonb", "not single values")


def test_a_numeric_becomes_the_nearest_double(postgresql):
    rng = np.random.default_rng(0)
    texts = [
        "0.1",
        "123456789012345678901234567890.5",
        "9007199254740993",
        "4.9e-324",
        "1.7976931348623157e308",
        "-0.3",
    ]
    texts += [f"{m}e{e}" for m, e in zip(rng.integers(1, 10**18, 300), rng.integers(-280, 280, 300), strict=True)]
    values = ", ".join(f"({n}, '{text}'::numeric)" for n, text in enumerate(texts))
    source = open_source(postgresql.url(), query=f"select v from (values {values}) as t(n, v) order by n")
    for text, found in zip(texts, read(source, "v")["v"], strict=True):
        exact = Fraction(Decimal(text))
        near = (math.nextafter(found, -math.inf), math.nextafter(found, math.inf))
        assert all(abs(Fraction(found) - exact) <= abs(Fraction(one) - exact) for one in near if math.isfinite(one))


def test_nan_infinity_and_null(postgresql):
    query = "select * from (values (1, 'NaN'::float8, 1::float8), (2, null, 'Infinity'), (3, 3, 2)) as t(n, x, y)"
    source = open_source(postgresql.url(), query=query)
    x = read(source, "x")["x"]
    assert np.isnan(x[0]) and x[1:] == [None, 3.0]
    assert "row 2, column y: 'inf'" in str(source.find_infinite("y"))
    assert "row 1, column x: no value" in str(source.find_missing("x"))
    text = refused(lambda: sf.fit("y ~ n", postgresql.url(), query=query), "row 2, column y: 'inf'", "finite numbers")
    assert text.startswith(f"postgresql://{USER}@127.0.0.1:{postgresql.port}/postgres, query, row 2")
    numeric = "select 'Infinity'::numeric as y, 'NaN'::numeric as x"
    found = read(open_source(postgresql.url(), query=numeric), "x", "y")
    assert found["y"] == [np.inf] and np.isnan(found["x"][0])


@pytest.mark.parametrize("value", ["1e400", "-2e308", "1e-400"])
def test_a_numeric_beyond_doubles_names_row_and_column(postgresql, value):
    query = f"select * from (values (1, 2::numeric), (2, 'NaN'), (3, '{value}')) as t(a, \"Big\")"
    refused(lambda: sf.fit("a ~ Big", postgresql.url(), query=query), "row 3, column Big", "beyond the range of double")


def test_names_as_they_are(postgresql, tmp_path):
    names = 'select 1 as "X", 2 as x, 3 as "a b", 4 as "say ""hi""", 5 as "select", 6 as "é", 7 as x'
    for place in ({"data": postgresql.url()}, {"data": lite(tmp_path / "n.db", "create table t (a)")}):
        source = open_source(query=names, **place)
        listed = ["X", "x", "a b", 'say "hi"', "select", "é", "x_1"]
        if list(source.columns) == listed:
            assert read(source, *listed) == {name: [float(n)] for n, name in enumerate(listed, 1)}
            assert "equal names" in source.notes[0]
        else:  # SQLite itself gives equal names a number
            assert list(source.columns) == ["X", "x:1", *listed[2:6], "x:2"] and read(source, "x:1") == {"x:1": [2.0]}
    fit = sf.fit("`Y y` ~ X", postgresql.url(), query='select g as "X", 2 * g as "Y y" from generate_series(1, 5) g')
    assert fit.names == ("(Intercept)", "X") or list(fit.names) == ["(Intercept)", "X"]


@pytest.mark.parametrize("rows", [0, 1])
def test_no_row_and_one_row(postgresql, tmp_path, rows):
    file = lite(tmp_path / "t.db", "create table t (x real, y real)", *["insert into t values (1, 2)"] * rows)
    for place in ({"data": postgresql.url(), "query": f"select 1 as x, 2 as y limit {rows}"}, {"data": file}):
        if rows:
            assert sf.fit("y ~ 1", **place).coef[0] == 2
        else:
            refused(lambda place=place: sf.fit("y ~ x", **place), "has no rows")


# One table, several tables


def test_the_only_table_needs_no_query(postgresql, tmp_path):
    postgresql.sql("drop database if exists single", "create database single")
    refused(lambda: open_source(postgresql.url(database="single")), "has no table that can be read")
    postgresql.sql('create table "The Table" as select 5 as x', database="single")
    source = open_source(postgresql.url(database="single"))
    assert source.name.endswith("/single, table The Table") and read(source, "x") == {"x": [5.0]}
    postgresql.sql("create schema lab", "create view lab.seen as select 1 as z", database="single")
    refused(
        lambda: open_source(postgresql.url(database="single")), "2 tables and views", "The Table, lab.seen", "query="
    )
    two = lite(tmp_path / "two.db", "create table p (x)", "create view q as select 1")
    refused(lambda: open_source(two), "2 tables and views (p, q)", "select * from")
    refused(lambda: open_source(lite(tmp_path / "no.db", "create table p (x)", "drop table p")), "has no table")


# Passes that see the same rows


def test_every_pass_sees_the_same_rows(postgresql):
    postgresql.sql(
        "drop table if exists moving", "create table moving as select g as x from generate_series(1, 1000) g"
    )
    source = open_source(postgresql.url(), query="select x from moving")
    first = read(source, "x")
    postgresql.sql(
        "update moving set x = -x where x % 2 = 0", "insert into moving select 7", "delete from moving where x = 1"
    )
    overlapping = source.batches(["x"], rows=10)
    next(overlapping)
    assert read(source, "x") == first and source.expected_rows() == 1000
    assert source.find("x < 0", "x") is None
    overlapping.close()
    source.close()
    assert read(open_source(postgresql.url(), query="select x from moving"), "x") != first


def test_the_order_of_a_query_is_kept(postgresql):
    query = "select g::float8 as x, -g as y from (select generate_series(1, 1500000) as g) as s order by y"
    x = np.concatenate([batch.column(0) for batch in open_source(postgresql.url(), query=query).batches(["x", "y"])])
    assert np.array_equal(x, np.arange(1_500_000, 0, -1))


def test_nothing_depends_on_the_order_between_passes(table, postgresql, tmp_path):
    place = in_postgresql(table, postgresql, tmp_path)
    shuffled = {**place, "query": "select * from agree order by random()"}
    formula = "y ~ poly(x, 2) + bs(k, df=5) + g"
    expected, found = sf.fit(formula, table, errors="HC3"), sf.fit(formula, **shuffled, errors="HC3", batch_rows=700)
    assert found.names == expected.names
    assert np.allclose(found.coef, expected.coef, rtol=1e-9) and np.allclose(found.stderr, expected.stderr, rtol=1e-9)
    assert np.allclose(found.look.quartiles, expected.look.quartiles, rtol=1e-9)


def test_a_scan_that_lacks_memory_does_not_go_on_where_it_stopped(postgresql):
    """The rows may come in another order when they are asked for again: some would be missing, some counted twice."""
    query = "select 'level number ' || g as t from (select generate_series(1, 90000) as g) as s"
    source = open_source(postgresql.url(), query=query)
    assert len(source.levels("t")) == 90_000
    source._database._connection.execute("set memory_limit = '2MB'")
    source._database._connection.execute("set temp_directory = ''")
    refused(lambda: source.levels("t"), "more memory")


def test_a_pass_broken_off_leaves_no_error_behind(postgresql):
    source = open_source(postgresql.url(), query=ENDLESS)
    for _ in range(3):
        batches = source.batches(["x"])
        next(batches)
        batches.close()
    assert source._database.failed == []


def test_a_server_that_shares_no_snapshot_is_watched(postgresql):
    postgresql.sql(
        "revoke execute on function pg_export_snapshot() from public",
        "drop role if exists plain", "create role plain login password 'plain'",
        "drop table if exists counted", "create table counted as select g as x from generate_series(1, 10) g",
        "grant select on counted to plain",
    )  # fmt: skip
    try:
        source = open_source(postgresql.url("plain", "plain"), query="select x from counted")
        assert "does not share snapshots" in source.notes[0]
        read(source, "x")
        postgresql.sql("insert into counted values (11)")
        refused(lambda: read(source, "x"), "10 rows in one pass and 11 in another", "no answer")
    finally:
        postgresql.sql("grant execute on function pg_export_snapshot() to public")


def test_sqlite_written_to_between_passes(tmp_path):
    file = lite(tmp_path / "t.db", "create table t (x)", "insert into t values (1), (2)")
    source = open_source(file)
    assert read(source, "x") == {"x": [1.0, 2.0]}
    lite(file, "update t set x = 5 where x = 1")
    refused(lambda: read(source, "x"), "written to while it was read", "not the same in every pass")


def test_no_connection_is_left(postgresql):
    count = "select count(*) from pg_stat_activity where application_name = 'leak'"
    url = f"{postgresql.url()}?application_name=leak"
    source = open_source(url, query=ENDLESS)
    assert next(source.batches(["x"])).num_rows  # broken off: the server must not go on
    assert postgresql.value(count) >= 1
    source.close()
    end = time.monotonic() + 10
    while postgresql.value(count) and time.monotonic() < end:
        time.sleep(0.05)
    assert postgresql.value(count) == 0
    refused(lambda: open_source(url, query="select nothing"), "does not exist")
    assert postgresql.value(count) == 0


# What goes wrong


def test_no_way_in(postgresql):
    other = postgresql.url().replace(f":{postgresql.port}", ":1")
    refused(lambda: open_source(other), "Cannot connect", "port 1", "refused")
    refused(lambda: open_source(postgresql.url(password="wr0ng")), "password authentication failed", "Check user")
    refused(lambda: open_source(postgresql.url(password=None)), "no password", "PGPASSWORD")
    refused(lambda: open_source(postgresql.url(user="nobody")), "authentication failed", '"nobody"')
    refused(lambda: open_source(postgresql.url(database="nowhere")), 'database "nowhere" does not exist')
    refused(lambda: open_source(f"postgresql://{USER}:{QUOTED}@no.such.host.invalid/x"), "host name", "spelling")
    refused(lambda: open_source(f"postgresql://{USER}:{QUOTED}%zz@127.0.0.1/x"), "Cannot connect", "***")
    refused(lambda: open_source([postgresql.url(), postgresql.url()]), "one database at a time")
    refused(
        lambda: open_source(f"mysql://ann:{QUOTED}@host/db"), "mysql://ann@host/db", "only local files and databases"
    )


def test_what_the_query_and_the_filter_may_be(postgresql):
    url = postgresql.url()
    postgresql.sql("drop table if exists q", "create table q as select 1 as x")
    refused(lambda: open_source(url, query="select x form q"), "  select x form q\n                ^")
    refused(
        lambda: open_source(url, query="select x\nfrom nosuch"), '"nosuch" does not exist', "  from nosuch\n       ^"
    )
    refused(lambda: open_source(url, query="drop table q"), "one SELECT that reads")
    refused(lambda: open_source(url, query="select 1; drop table q"), "multiple commands")
    refused(lambda: open_source(url, query="select 1) as a, (select 2"), "yntax error")
    refused(lambda: read(open_source(url, query="with w as (delete from q returning 1) select * from w"), "x"), "not")
    refused(lambda: open_source(url, query=" "), "query is empty")
    refused(lambda: open_source(url, query="select x from q", filter="z > 1"), "filter", "  z > 1\n  ^")
    refused(lambda: open_source(url, query="select x from q", filter="x > 3) or (true"), "filter", "yntax error")
    refused(lambda: open_source(url, query="select x from q", filter=""), "filter is empty")
    refused(
        lambda: open_source(url, query="select x from q", extra={"w": [1]}), "cannot be joined to files and databases"
    )
    refused(lambda: open_source(url, query="select x from q").column("y"), "no column 'y'", f"{USER}@127.0.0.1")
    assert postgresql.value("select count(*) from q") == 1


def test_writing_functions_are_refused_by_the_transaction(postgresql):
    postgresql.sql(
        "drop table if exists w", "create table w (x int)",
        "create or replace function sly() returns int language sql as 'insert into w values (1) returning x'",
    )  # fmt: skip
    source = open_source(postgresql.url(), query="select sly() as x")
    refused(lambda: read(source, "x"), "read-only transaction")
    assert postgresql.value("select count(*) from w") == 0


def test_permission_denied(postgresql):
    postgresql.sql(
        "drop table if exists private", "create table private (x int)",
        "drop role if exists guest", "create role guest login password 'guest'",
    )  # fmt: skip
    source = {"data": postgresql.url("guest", "guest"), "query": "select x from private"}
    refused(lambda: read(open_source(**source), "x"), "ermission denied for table private")


def in_progress(postgresql, happening, *parts):
    """A fit's pass in full flow, then something happens to it: a sentence, and not all the rows."""
    source = open_source(postgresql.url(), query=ENDLESS)
    batches = source.batches(["x", "y"])
    seen = sum(next(batches).num_rows for _ in range(3))
    happening()

    def rest():
        nonlocal seen
        for batch in batches:
            seen += batch.num_rows

    text = refused(rest, *parts)
    assert 0 < seen < 100_000_000
    source.close()
    return text


def test_server_stopped_in_mid_scan(postgresql):
    try:
        in_progress(postgresql, postgresql.stop, "could not be read to its end", "there is no answer")
        refused(lambda: open_source(postgresql.url()), "Cannot connect", "refused")
    finally:
        postgresql.start()


def test_server_stopped_during_a_fit(postgresql):
    reports = []

    def stop_it(progress):
        if progress.rows and not reports:
            reports.append(progress)
            postgresql.stop()

    def fit():
        sf.fit("y ~ x", postgresql.url(), query=ENDLESS, progress=stop_it)

    try:
        refused(fit, "could not be read to its end", "no answer")
        assert reports
    finally:
        postgresql.start()


def test_connection_killed_and_query_cancelled(postgresql):
    def to_the_scan(function):
        postgresql.value(
            f"select count({function}(pid)) from pg_stat_activity where query like 'COPY%' and pid <> pg_backend_pid()"
        )

    in_progress(postgresql, lambda: to_the_scan("pg_terminate_backend"), "onnection", "there is no answer")
    in_progress(postgresql, lambda: to_the_scan("pg_cancel_backend"), "Somebody cancelled the query", "no answer")


def test_the_snapshot_is_gone(postgresql):
    source = open_source(postgresql.url(), query="select 1 as x")
    postgresql.value(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where state = 'idle in transaction'"
    )
    time.sleep(0.2)
    refused(lambda: read(source, "x"), "kept the rows", "has ended")


def test_statement_timeout(postgresql):
    postgresql.sql(f"alter role {USER} set statement_timeout = '1500ms'")
    try:
        fit = lambda: sf.fit("y ~ x", postgresql.url(), query=ENDLESS)  # noqa: E731
        refused(fit, "statement timeout", "cut the scan short", "no answer")
    finally:
        postgresql.sql(f"alter role {USER} reset statement_timeout")


def test_an_error_in_the_last_rows(postgresql):
    query = "select 1 / (300000 - g) as y, g as x from (select generate_series(1, 300000) as g) as s"
    refused(lambda: sf.fit("y ~ x", postgresql.url(), query=query), "Division by zero")


def test_predictions_are_whole_or_not_at_all(postgresql, tmp_path):
    fit = sf.fit("y ~ x", {"x": [1, 2, 3.0], "y": [1, 2, 4.0]})
    query = "select 1 / (900000 - g) as y, g as x from (select generate_series(1, 900000) as g) as s"
    out = tmp_path / "out.parquet"
    refused(lambda: predict(fit, postgresql.url(), out, query=query), "Division by zero")
    assert not list(tmp_path.iterdir())


def test_without_the_driver(monkeypatch, tmp_path):
    file = lite(tmp_path / "t.db", "create table t (x)")
    for name in ("postgresql", "sqlite"):
        monkeypatch.setitem(sys.modules, f"adbc_driver_{name}.dbapi", None)
    refused(lambda: open_source(file), "adbc-driver-sqlite", "surefoot[databases]", kind=MissingDependency)
    refused(lambda: open_source("postgresql:///x"), "PostgreSQL", "adbc-driver-postgresql", kind=MissingDependency)


# Credentials


def test_libpq_finds_the_password(postgresql, monkeypatch, tmp_path):
    bare = postgresql.url(password=None)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert read(open_source(bare, query="select 1 as x"), "x") == {"x": [1.0]}
    monkeypatch.delenv("PGPASSWORD")
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"127.0.0.1:*:*:{USER}:{PASSWORD}\n".replace("/:%", "/\\:%"))
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    assert read(open_source(bare, query="select 2 as x"), "x") == {"x": [2.0]}
    services = tmp_path / "services"
    services.write_text(f"[lab]\nhost=127.0.0.1\nport={postgresql.port}\nuser={USER}\ndbname=postgres\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    source = open_source("postgresql://?service=lab", query="select 3 as x")
    assert read(source, "x") == {"x": [3.0]} and "service=lab" in source.name


def test_the_password_is_shown_nowhere(postgresql, tmp_path):
    query = "select g as x, g * g as y from generate_series(1, 9) as g"
    for url in (postgresql.url(), f"{postgresql.url(password=None)}?password={QUOTED}"):
        fit = sf.fit("y ~ x", url, query=query)
        fit.save(tmp_path / "model.json")
        fit.to_html(tmp_path / "report.html")
        texts = [fit.summary(), repr(fit), str(fit.account), repr(fit.source)]
        texts += [(tmp_path / name).read_text() for name in ("model.json", "report.html")]
        for text in texts:
            assert PASSWORD not in text and QUOTED not in text and "s3cret" not in text
        assert f"postgresql://{USER}@127.0.0.1" in fit.account.source


# SQLite


def test_sqlite_by_its_first_bytes_whatever_the_ending(tmp_path):
    for name in ("t.sqlite", "t.db", "t.sqlite3", "t", "a b%20c?d#e.db"):
        lite(tmp_path / name, "create table t (x)", "insert into t values (4)")
        assert read(open_source(tmp_path / name), "x") == {"x": [4.0]}


def test_sqlite_values_of_many_sorts(tmp_path):
    create = "create table t (i integer, r real, n numeric, w text, b blob, late, void, wide)"
    rows = [(k, k / 2, k if k % 2 else k / 4, f"w{k}", b"\xff", None if k < 30000 else k / 2, None, 2**62 + k)
            for k in range(31000)]  # fmt: skip
    file = lite(tmp_path / "t.db", create, rows=[(f"insert into t values ({', '.join('?' * 8)})", rows)])
    source = open_source(file)
    kinds = {name: column.kind for name, column in source.columns.items()}
    assert kinds == {
        **dict.fromkeys(("i", "r", "n", "late", "void", "wide"), "number"),
        "w": "category",
        "b": "other",
    }
    found = read(source, "i", "r", "n", "w", "late", "wide")
    for k, name in enumerate(("i", "r", "n", "w")):
        assert found[name] == [row[k] for row in rows]
    assert found["late"] == [row[5] for row in rows] and found["wide"] == [float(2**62 + k) for k in range(31000)]
    whole = pa.Table.from_batches([whole for whole, _ in source.batches_beside(["i"])])
    assert whole["wide"].to_pylist() == [row[7] for row in rows]  # integers stay integers where they are passed on
    assert source.expected_rows() == 31000


@pytest.mark.parametrize("place", [10, 20_470, 25_000])
@pytest.mark.parametrize("odd", ["abc", "", "1.5x"])
def test_sqlite_text_in_a_column_of_numbers_names_row_and_column(tmp_path, place, odd):
    rows = [(k, odd if k == place else k / 7) for k in range(1, 30_001)]
    file = lite(tmp_path / "t.db", "create table t (y, x)", rows=[("insert into t values (?, ?)", rows)])
    refused(lambda: sf.fit("y ~ x", file), f"row {place}, column x: {odd!r}" if odd else f"row {place}, column x")


def test_sqlite_integers_that_become_fractions(tmp_path):
    rows = [(k if k < 25_000 else k / 2,) for k in range(1, 30_001)]
    file = lite(tmp_path / "t.db", "create table t (x)", rows=[("insert into t values (?)", rows)])
    assert read(open_source(file), "x")["x"] == [row[0] for row in rows]


def test_sqlite_numbers_are_never_read_from_text_or_cut_short(tmp_path):
    rows = [(k if k < 25_000 else "12.5",) for k in range(30_000)]
    file = lite(tmp_path / "t.db", "create table t (x)", rows=[("insert into t values (?)", rows)])
    refused(lambda: read(open_source(file), "x"), "row 25001, column x: '12.5' is not a number", "nullif(x, '12.5')")
    rows = [(k if k < 25_000 else k / 2 + 0.25, 1) for k in range(30_000)]
    file = lite(tmp_path / "u.db", "create table t (x, y)", rows=[("insert into t values (?, ?)", rows)])
    refused(lambda: list(open_source(file).batches_beside(["y"])), "row 25001, column x", "not a whole number", "cast")


def test_sqlite_order_is_kept(tmp_path):
    rows = [(k * 7919 % 100_003,) for k in range(100_000)]
    file = lite(tmp_path / "t.db", "create table t (x)", rows=[("insert into t values (?)", rows)])
    ordered = read(open_source(file, query="select x from t order by x desc"), "x")["x"]
    assert ordered == sorted((row[0] for row in rows), reverse=True)


def test_sqlite_files_that_cannot_be_read(tmp_path):
    (tmp_path / "junk.db").write_bytes(b"SQLite format 3\0" + b"junk" * 1000)
    refused(lambda: open_source(tmp_path / "junk.db"), "junk.db cannot be read", "damaged")
    file = lite(tmp_path / "t.db", "create table t (x, y)",
                rows=[("insert into t values (?, ?)", [(k, float(k)) for k in range(100_000)])])  # fmt: skip
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 65536] = bytes(range(256)) * 256
    file.write_bytes(data)
    refused(lambda: sf.fit("y ~ x", file), "t.db", "malformed", "damaged")
    file.write_bytes(data[: len(data) // 2])
    refused(lambda: sf.fit("y ~ x", file), "t.db", "malformed")
    (tmp_path / "empty.db").touch()
    refused(lambda: open_source(tmp_path / "empty.db"), "empty.db is empty")
    refused(lambda: open_source(f"sqlite:///{tmp_path}/empty.db"), "empty.db is empty")
    (tmp_path / "n.sqlite").write_text("x,y\n1,2\n")
    refused(lambda: open_source(tmp_path / "n.sqlite"), "Of such files only SQLite databases are read")
    refused(lambda: open_source(f"sqlite:///{tmp_path}/n.sqlite"), "not a database")
    lite(tmp_path / "good.db", "create table t (x)")
    refused(lambda: open_source([tmp_path / "good.db"] * 2), "good.db is a database", "one database at a time")
    refused(lambda: open_source(str(tmp_path / "goo*.db")), "only SQLite databases", "one at a time")
    refused(lambda: open_source("sqlite:///no_such.db"), "no SQLite file 'no_such.db'")
    refused(lambda: open_source("sqlite://no_such.db"), "three slashes")


def test_sqlite_query_and_filter(tmp_path):
    file = lite(tmp_path / "t.db", "create table t (x)", "insert into t values (1)")
    refused(lambda: open_source(file, query="select x form t"), 'ear "t": syntax error')
    refused(lambda: open_source(file, query="select x from nosuch"), "o such table: nosuch")
    refused(lambda: open_source(file, query="select 1 as x) as q, (select 2 as x"), "syntax error")
    refused(lambda: open_source(file, query="with q as (select 1) delete from t"), "query cannot be run")
    refused(lambda: open_source(file, query="select x from t; drop table t"), "query cannot be run")
    refused(lambda: open_source(file, filter="z > 1"), "filter", "o such column: z")
    refused(lambda: open_source(file, filter="x > 1) or (1"), "filter", "syntax error")
    assert read(open_source(file), "x") == {"x": [1.0]}


def test_sqlite_locked_by_another_program(tmp_path):
    file = lite(tmp_path / "t.db", "create table t (x)", "insert into t values (1)")
    hold = f"import sqlite3; c = sqlite3.connect({str(file)!r}, isolation_level=None); c.execute('begin exclusive'); "
    code = hold + "print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout.readline() == "held\n"
        refused(lambda: open_source(file), "locked", "Another program is writing")
        other.stdin.write("\n")
        other.stdin.close()
        other.wait()
    assert read(open_source(file), "x") == {"x": [1.0]}


# The command line


def command(*arguments, **more):
    code = "from surefoot.apps.entry import main; main()"
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=-1, stderr=-1, text=True, **more)


def test_ctrl_c_in_mid_scan(postgresql):
    running = command("fit", "y ~ x", postgresql.url(), "--query", ENDLESS)
    scan = "query like 'COPY%200000000%' and state = 'active' and pid <> pg_backend_pid()"
    copying = f"select count(*) from pg_stat_activity where {scan}"
    end = time.monotonic() + 60
    while not postgresql.value(copying) and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(1)
    asked = time.monotonic()
    running.send_signal(signal.SIGINT)
    out, said = running.communicate(timeout=30)
    assert running.returncode == 130 and "Stopped by Ctrl-C" in said and not out
    assert "Traceback" not in said and time.monotonic() - asked < 5
    end = time.monotonic() + 10
    while postgresql.value(copying) and time.monotonic() < end:
        time.sleep(0.1)
    assert postgresql.value(copying) == 0


def test_ctrl_c_while_the_server_thinks(postgresql):
    running = command("fit", "y ~ x", postgresql.url(), "--query", "select 1 as y, 2 as x from pg_sleep(100)")
    asleep = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
    end = time.monotonic() + 60
    while not postgresql.value(asleep) and time.monotonic() < end:
        time.sleep(0.1)
    asked = time.monotonic()
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130 and "Stopped by Ctrl-C" in said
    assert time.monotonic() - asked < 5 and postgresql.value(asleep) == 0


def test_exit_codes(postgresql, tmp_path):
    lite(tmp_path / "t.db", "create table t (x, y)", "insert into t values (1, 2), (2, 4), (3, 7)")
    good = command("fit", "y ~ x", "t.db", cwd=tmp_path)
    out, said = good.communicate()
    assert good.returncode == 0 and "3 rows" in out, said
    for arguments in (["t.db", "--query", "select nope from t"], [postgresql.url(password="wrong")]):
        bad = command("fit", "y ~ x", *arguments, cwd=tmp_path)
        out, said = bad.communicate()
        assert bad.returncode == 1 and said.startswith("surefoot: ") and said.count("\n") <= 3 and not out


def test_the_page_shows_what_the_command_prints(postgresql):
    from test_readme import ROOT, settled

    page = (ROOT / "docs" / "databases.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```text\n(.*?)```", page, flags=re.DOTALL)
    rows = (ROOT / "examples" / "ozone.csv").read_text().split()
    assert rows[0] == "customer,nist"
    values = ", ".join(f"({row})" for row in rows[1:])
    postgresql.sql("drop table if exists readings", "create table readings (customer float8, nist float8)")
    postgresql.sql(f"insert into readings values {values}")
    (query,) = re.findall(r'db.lab/ozone --query "(.*?)"', page)
    running = command("fit", "customer ~ nist", postgresql.url(), "--query", query)
    out, said = running.communicate()
    assert settled(out) == settled(shown) and not said


@pytest.mark.alone
def test_memory_does_not_grow_with_the_rows(postgresql):
    def peak(rows):
        query = "select g::float8 as a, (g % 1001)::float8 as b, (g % 997)::float8 as c, (g % 77)::float8 as y from "
        query += f"(select generate_series(1, {rows}) as g) as s"
        running = command("fit", "y ~ a + b + c", postgresql.url(), "--query", query)
        process, most = psutil.Process(running.pid), 0
        while running.poll() is None:
            try:
                most = max(most, process.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.01)
        out, said = running.communicate()
        assert running.returncode == 0 and f"{rows:,} rows" in out, said
        return most / 1e6

    small, large = peak(500_000), peak(8_000_000)  # 256 MB as doubles
    assert large < small + 120, (small, large)


def test_errors_are_of_surefoot(postgresql):
    assert issubclass(MissingDependency, SurefootError) and os.path.isdir(postgresql.folder)


# Exact reading


def exactly(place, query):
    fit = sf.fit("y ~ 1", place, query=query, exact=True)
    return str(fit.exact.coef.text[0]), fit.account.notes[-1]


@pytest.mark.parametrize(
    "value, text, words",
    [
        ("'0.12345678901234567890'::numeric", "0.12345678901234568", "decimals, as written"),
        ("'12345678901234567.75'::numeric(30, 2)", "12345678901234568", "decimals, as written"),
        ("'1234567890123.45'::money", "1234567890123.4500", "decimals, as written"),
        ("9007199254740993::int8", "9007199254740993.0", "decimals, as written"),
        ("0.1::float8", "0.10000000000000001", "binary doubles, as they are"),
        ("0.1::float4", "0.10000000149011612", "binary doubles, as they are"),
    ],
)
def test_numbers_of_postgresql_are_what_they_are_said_to_be(postgresql, value, text, words):
    found, note = exactly(postgresql.url(), f"select {value} as y from generate_series(1, 3)")
    assert found == text and note.endswith(words + ".")


def test_a_numeric_gives_all_its_digits(postgresql):
    query = "select * from (values (1, 0.1234567890123456789::numeric), (2, 'NaN'), (3, null), (4, -1e-30)) as t(n, y)"
    source = open_source(postgresql.url(), query=query)
    ((typed, digits),) = source.batches_as_written(["n", "y"])
    assert digits["y"].to_pylist() == ["0.1234567890123456789", "NaN", None, "-0.000000000000000000000000000001"]
    assert typed["y"].to_pylist()[0] == 0.1234567890123456789 and np.isnan(typed["y"].to_pylist()[1])
    # The mean of a number and its negative neighbour in the twentieth digit: doubles would make it zero.
    near = "select * from (values (0.12345678901234567890), (-0.12345678901234567888)) as t(y)"
    assert exactly(postgresql.url(), near)[0] == "1.0000000000000000e-20"


def test_whole_numbers_of_sqlite_among_doubles_are_refused_beyond_doubles(tmp_path):
    file = lite(tmp_path / "a.db", "create table a (y)", f"insert into a values (0.5), ({2**53}), ({-(2**53)}), (0.1)")
    assert exactly(file, None)[0] == "0.15000000000000000"
    mixed = lite(tmp_path / "b.db", "create table b (y)", f"insert into b values (0.5), ({2**53 + 1})")
    assert sf.fit("y ~ 1", mixed).rank == 1
    words = ("b.db, row 2, column y: 9007199254740993", "beyond 2^53", "cast(y as real)")
    refused(lambda: sf.fit("y ~ 1", mixed, exact=True), *words)
    assert exactly(mixed, "select cast(y as real) as y from b")[1].endswith("binary doubles, as they are.")
