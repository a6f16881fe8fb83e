"""Rows from a database: a query that runs there, streamed as Arrow, asked again for every pass.

The query (and the filter, which is part of it) runs in the database itself, and only the columns that a pass needs are
sent. What arrives is a relation to DuckDB like any other, so all that a source can be asked has one home.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from surefoot.data.source import Source
from surefoot.data.source_adbc import Form, Remote, Server, Session, checked_query
from surefoot.data.source_parts import Column, Part, unique_names
from surefoot.data.source_scan import Database, most_memory
from surefoot.data.source_written import digits_of_query
from surefoot.errors import DataError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MEMORY = 4000  # MB at most: a scan needs a tenth of it, the different values of a long text column more
WHOLE = "surefoot_all"  # what DuckDB calls the stream of every column as it is
WRITTEN = "surefoot_digits"  # and the one in which numbers with more digits than a double are text


def open_database(data: Any, query: str | None, filter: str | None) -> Source:
    """The source for an address (``postgresql://``, ``sqlite:///``) or an SQLite file.

    Parameters
    ----------
    data : str or path
        What ``is_database`` said yes to.
    query : str, optional
        A SELECT in the database's own SQL, over its own tables. Without it, the only table or view.
    filter : str, optional
        A condition in the database's own SQL, on the columns of the query.

    Raises
    ------
    DataError
        No such database, no way in, or SQL that the database does not take; in the database's own words, and
        without the password.
    MissingDependency
        The driver is not installed.
    """
    server = _server(os.fsdecode(data))
    try:
        query, what = _query(server, query)
        columns = server.learn(query, _expression(filter))
        return DatabaseSource(server, what, columns)
    except BaseException:
        server.close()
        raise


def _server(address: str) -> Server:
    scheme, _, rest = address.partition("://")
    if scheme in ("postgresql", "postgres") and rest != address:
        from surefoot.data.source_postgresql import PostgreSQL

        return PostgreSQL(address)
    from surefoot.data.source_sqlite import SQLite

    path = unquote(rest[1:]) if scheme == "sqlite" and rest else os.path.expanduser(address)
    if (scheme == "sqlite" and not rest.startswith("/")) or rest == "/":
        raise DataError(
            f"{address!r}: an SQLite address has three slashes, as sqlite:///trips.db or sqlite:////data/trips.db."
        )
    if not os.path.isfile(path):
        raise DataError(f"There is no SQLite file {path!r} (looked from {os.getcwd()}).")
    if os.path.getsize(path) == 0:
        raise DataError(f"The file {os.path.basename(path)} is empty: it has no tables and no rows (zero bytes).")
    return SQLite(path)


def _query(server: Server, query: str | None) -> tuple[str, str]:
    """The query to run and what to call its rows."""
    if query is not None:
        return checked_query(query), f"{server.name}, query"
    tables = server.tables()
    if len(tables) == 1:
        return f"select * from {tables[0][1]}", f"{server.name}, table {tables[0][0]}"
    if not tables:
        raise DataError(f"{server.name} has no table that can be read.")
    shown = ", ".join(name for name, _ in tables[:20])
    more = f" and {len(tables) - 20} more" if len(tables) > 20 else ""
    raise DataError(
        f"{server.name} has {len(tables)} tables and views ({shown}{more}): say which rows you mean, "
        f"with query={f'select * from {tables[0][1]}'!r}."
    )


def _expression(filter: str | None) -> str | None:
    if filter is None:
        return None
    text = filter.strip().rstrip(";").strip()
    if not text:
        raise DataError("The filter is empty: leave it out, or write SQL such as \"x > 0 and g = 'a'\".")
    return text


class DatabaseSource(Source):
    """Rows of a query in a database; ``open_source`` makes one.

    The connection that keeps the rows the same for every pass stays open until the source is closed or let go.
    """

    def __init__(self, server: Server, name: str, columns: Sequence[Remote]) -> None:
        names = unique_names([column.name for column in columns], fold=False)
        notes = list(server.notes)
        if names != [column.name for column in columns]:
            notes.append(f"Columns of the query with equal names are called {', '.join(map(repr, names))}.")
        self._streams = Streams(server, columns, unique_names(names, fold=True))
        part = Part(name, f"select * from {WHOLE}")
        super().__init__(name, self._streams, [part], names, notes=notes)
        self._estimates = False
        found = {one: _column(self.columns[one], column) for one, column in zip(names, columns, strict=True)}
        self.columns = MappingProxyType(found)

    def _from(self, names: Sequence[str] | None) -> str:
        if names is None:
            return f"({self._relation})"
        places = {name: n for n, name in enumerate(self.columns)}
        return self._streams.named(sorted({places[name] for name in names}))

    def _with_digits(self) -> str:
        return f"select {', '.join(['*', *digits_of_query(self.columns, self._sql)])} from {WRITTEN}"

    def expected_rows(self) -> int | None:
        """How many rows there are, once a pass has counted them."""
        return self._streams.count


def _column(streamed: Column, remote: Remote) -> Column:
    return Column(streamed.name, remote.kind, remote.type, remote.levels)


class Streams(Database):
    """DuckDB with streams from a database as its tables, each one asked for anew by every scan.

    Attributes
    ----------
    count : int or None
        The rows of a pass, once there was one.
    """

    def __init__(self, server: Server, columns: Sequence[Remote], names: Sequence[str]) -> None:
        super().__init__(min(MEMORY, most_memory()), {})
        self.count: int | None = None
        self.server = server
        weakref.finalize(self, server.close)  # a source that is let go must not leave a connection behind
        self.columns = tuple(columns)
        self.schemas = {form: server.schema(names, form) for form in ("whole", "written")}
        self.failed: list[BaseException] = []
        every = list(range(len(columns)))
        self._wanted: dict[str, tuple[list[int], Form]] = {WHOLE: (every, "whole"), WRITTEN: (every, "written")}
        self._open: weakref.WeakSet[_Stream] = weakref.WeakSet()

    def named(self, columns: list[int]) -> str:
        """What SQL calls a stream of these columns alone."""
        name = "surefoot_" + "_".join(map(str, columns))
        self._wanted[name] = (columns, "numbers")
        return name

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = super()._cursor()
        for name, (columns, form) in self._wanted.items():
            stream = _Stream(self, columns, form, id(cursor))
            cursor.register(name, stream)
            self._open.add(stream)
        return cursor

    def stream(self, sql: str, rows: int = 122_880) -> Iterator[pa.RecordBatch]:
        """As for any table; what the database said replaces what DuckDB made of it."""
        try:
            yield from super().stream(sql, rows)
        except Exception:
            if self.failed:
                raise self.failed.pop() from None
            raise

    def finished(self, count: int) -> None:
        """A scan has come to its end: a DataError unless it saw the rows that the others saw."""
        self.server.scanned()
        if self.count is not None and self.count != count:
            raise DataError(
                f"{self.server.name} gave {self.count:,} rows in one pass and {count:,} in another, so there is "
                "no answer: read it again when nobody writes, or let the query give the same rows every time."
            )
        self.count = count

    def _interrupt(self, cursor: duckdb.DuckDBPyConnection) -> None:
        super()._interrupt(cursor)
        for stream in list(self._open):
            if stream.owner == id(cursor):
                stream.cancel()

    def _raise_limit(self) -> bool:
        """Never: to go on where a scan stopped, the rows would have to come in the same order again."""
        return False

    def close(self) -> None:
        """Give back DuckDB's memory and the connections."""
        super().close()
        self.server.close()


class _Stream:
    """What DuckDB sees as a table: it knows its types at once, and asks the database when it is first read."""

    def __init__(self, streams: Streams, columns: list[int], form: Form, owner: int) -> None:
        import pyarrow as pa

        self.owner = owner
        self._streams = streams
        self._columns = columns
        self._session: Session | None = None
        self._cancelled = False
        schema = streams.schemas["written" if form == "written" else "whole"]
        fields = [schema.field(n) for n in columns]
        if form == "numbers":
            fields = [
                pa.field(one.name, pa.float64()) if streams.columns[n].kind == "number" else one
                for n, one in zip(columns, fields, strict=True)
            ]
        self._schema = pa.schema(fields)
        self._sql = streams.server.select(columns, self._schema.names, form)

    def __arrow_c_schema__(self) -> object:
        return self._schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        import pyarrow as pa

        return pa.RecordBatchReader.from_batches(self._schema, self._batches()).__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        """One scan. It ends with the last row, or with an error that says why it did not: never in between."""
        streams, skip, count = self._streams, self._streams.server.lead(), 0
        try:
            with streams.server.session() as self._session:
                for batch in self._session.batches(self._sql):
                    dropped = min(skip, batch.num_rows)
                    skip -= dropped
                    count += batch.num_rows - dropped
                    if batch.num_rows > dropped:
                        yield self._typed(batch.slice(dropped))
            streams.finished(count)
        except DataError as error:
            streams.failed.append(error)
            raise
        except Exception as error:
            if not self._cancelled:  # else nobody is there to be told
                streams.failed.append(DataError(self._said(error)))
            raise

    def _said(self, error: Exception) -> str:
        """What went wrong; if the database cannot be asked for the place any more, without it."""
        try:
            return self._streams.server.sentence(error, self._columns)
        except Exception:
            return self._streams.server.sentence(error)

    def _typed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with the names and types that were promised; only a smaller number may become a double."""
        import pyarrow as pa

        arrays = []
        for array, field in zip(batch.columns, self._schema, strict=True):
            if array.type != field.type:
                number = pa.types.is_integer(array.type) or pa.types.is_floating(array.type)
                if not (number and field.type == pa.float64()):
                    raise TypeError(f"type mismatch in column {field.name}: {array.type} instead of {field.type}")
                array = array.cast(field.type, safe=False)
            arrays.append(array)
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def cancel(self) -> None:
        """Stop the scan, if it runs, in the database too."""
        self._cancelled = True
        if self._session is not None:
            self._session.cancel()
