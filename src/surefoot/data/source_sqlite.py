"""SQLite: a file opened for reading only, columns that may hold anything, and a watch on those who write meanwhile.

In SQLite a type belongs to each value, not to the column (https://www.sqlite.org/datatype3.html). As in a CSV file, the
first rows decide what a column holds, and a later value that does not fit is an error that names row and column.
Each scan is one statement and so sees one state of the file; that all scans see the same state is checked by SQLite's
counter of changes (PRAGMA data_version), for holding a lock would keep everybody else from writing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from surefoot.data.source_adbc import Form, Remote, Session, bare, driver
from surefoot.data.source_parts import SAMPLE
from surefoot.data.source_scan import literal, quoted
from surefoot.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = "adbc.sqlite.query.batch_rows"
_SORTS = ("integer", "real", "text", "blob")

# The driver takes the types of an answer from its first rows, so a first row of ours says what they are.
_LEADS = {"INTEGER": "0", "REAL": "0.0", "TEXT": "''", "BLOB": "''"}


class SQLite:
    """An SQLite file.

    Parameters
    ----------
    path : str
        Of a file that exists.
    """

    def __init__(self, path: str) -> None:
        self.name = os.path.basename(path)
        self.notes: tuple[str, ...] = ()
        self._uri = f"file:{quote(os.path.abspath(path))}?mode=ro"
        self._dbapi = driver("sqlite")
        self._rows = ""
        self._columns: list[Remote] = []
        self._keeper = self.session()
        try:
            self._keeper.rows("select count(*) as n from sqlite_schema")
            self._version = self._data_version()
        except Exception as error:
            self._keeper.__exit__()
            raise DataError(f"{self.name} cannot be read: {bare(error)}{_hint(error)}") from None

    def session(self) -> Session:
        """A connection of its own."""
        try:
            return Session(lambda: self._dbapi.connect(self._uri, autocommit=True), {_BATCH: "65536"})
        except Exception as error:
            raise DataError(f"{self.name} cannot be opened: {bare(error)}") from None

    def _data_version(self) -> int:
        return self._keeper.rows("pragma data_version")[0][0]

    def tables(self) -> list[tuple[str, str]]:
        """Tables and views, without SQLite's own."""
        found = self._keeper.rows(
            "select '' as t union all select name from sqlite_schema where type in ('table', 'view') "
            "and name not like 'sqlite\\_%' escape '\\' order by 1"
        )
        return [(name, quoted(name)) for (name,) in found if name]

    def learn(self, query: str, filter: str | None) -> list[Remote]:
        """The columns of the query, from its first rows."""
        try:
            self._keeper.rows(f"explain {query}")  # bare, as the filter below
            names = self._names(query, "")
        except Exception as error:
            raise DataError(f"The query cannot be run: {bare(error)}{_hint(error)}") from None
        where = "" if filter is None else f" where (\n{filter}\n)"
        try:
            # Bare and in brackets: no stray bracket may change the query that it is put into.
            for one in () if filter is None else (f" where \n{filter}\n", where):
                self._names(query, one)
            every = ", ".join(f"c{n}" for n in range(len(names)))
            self._rows = f"with surefoot_rows({every}) as (select * from (\n{query}\n) as data{where})"
            self._columns = [Remote(name, *_kind(sorts)) for name, sorts in zip(names, self._sorts(names), strict=True)]
        except Exception as error:
            what = self.name if filter is None else "The filter"
            raise DataError(f"{what} cannot be used: {bare(error)}{_hint(error)}") from None
        return self._columns

    def _names(self, query: str, where: str) -> list[str]:
        return self._keeper.reader(f"select * from (\n{query}\n) as data{where} limit 0").schema.names

    def _sorts(self, names: list[str]) -> list[set[str]]:
        """Which sorts of values the first rows of each column have; where they are all null, its first value."""
        counts = ", ".join(f"total(typeof(c{n}) = '{sort}') as s{n}_{k}"
                           for n in range(len(names)) for k, sort in enumerate(_SORTS))  # fmt: skip
        (row,) = self._keeper.rows(f"{self._rows} select {counts} from (select * from surefoot_rows limit {SAMPLE})")
        found = [{sort for k, sort in enumerate(_SORTS) if row[4 * n + k]} for n in range(len(names))]
        for n, sorts in enumerate(found):
            if not sorts:
                first = f"select typeof(c{n}) as t from surefoot_rows where c{n} is not null limit 1"
                sorts |= {
                    sort for (sort,) in self._keeper.rows(f"{self._rows} select '' as t union all {first}") if sort
                }
        return found

    def select(self, columns: list[int], names: list[str], form: Form) -> str:
        """SQL for some columns, behind a row that tells the driver their types."""
        real = form == "numbers"
        types = ["REAL" if real and self._columns[n].kind == "number" else self._columns[n].type for n in columns]
        lead = ", ".join(f"{_LEADS[one]} as {quoted(name)}" for one, name in zip(types, names, strict=True))
        wanted = ", ".join(_sent(f"c{n}", one, form) for n, one in zip(columns, types, strict=True))
        return f"{self._rows} select {lead} union all select {wanted} from surefoot_rows"

    def schema(self, names: Sequence[str], form: Form = "whole") -> pa.Schema:
        """Arrow's types: SQLite has four, and a BLOB comes as text."""
        import pyarrow as pa

        types = {"INTEGER": pa.int64(), "REAL": pa.float64(), "TEXT": pa.string(), "BLOB": pa.string()}
        return pa.schema([(name, types[column.type]) for name, column in zip(names, self._columns, strict=True)])

    def lead(self) -> int:
        """The row that tells the driver the types."""
        return 1

    def scanned(self) -> None:
        """A DataError if somebody has written since the source was opened."""
        try:
            same = self._data_version() == self._version
        except Exception as error:
            raise DataError(self.sentence(error)) from None
        if not same:
            raise DataError(
                f"{self.name} was written to while it was read, so its rows are not the same in every pass. "
                "Read it again when nobody writes, or read a copy (sqlite3 FILE '.backup COPY')."
            )

    def sentence(self, error: BaseException, columns: list[int] | None = None) -> str:
        """What SQLite said, or the value that does not fit its column."""
        if "ype mismatch" in str(error):
            for column in columns or []:
                place = self._misfit(column)
                if place is not None:
                    return place
        return f"{self.name} could not be read to its end: {bare(error)}{_hint(error)}"

    def _misfit(self, column: int) -> str | None:
        """The first value of a sort that the rows before it did not have."""
        name, kind, declared = self._columns[column].name, self._columns[column].kind, self._columns[column].type
        if kind != "number":
            return None
        fit = "'integer', 'null'" if declared == "INTEGER" else "'integer', 'real', 'null'"
        found = self._keeper.rows(
            f"{self._rows}, numbered as (select row_number() over () as n, c{column} as v from surefoot_rows) "
            f"select n, typeof(v) as t, case when typeof(v) = 'blob' then '' else cast(v as text) end as v "
            f"from numbered where typeof(v) not in ({fit}) limit 1"
        )
        if not found:
            return self._beyond_doubles(column)
        row, sort, value = found[0]
        shown = "a BLOB" if sort == "blob" else repr(value)
        wanted = "a whole number" if sort == "real" else "a number"
        meant = f"cast({name} as real)" if sort == "real" else f"nullif({name}, {literal(value)})"
        return (
            f"{self.name}, row {row}, column {name}: {shown} is not {wanted}, as the values before it in this "
            f"column are. Correct it, or say in the query what it means: {meant}."
        )

    def _beyond_doubles(self, column: int) -> str | None:
        """The first whole number that is no double, in a column of doubles that was to be read exactly."""
        found = self._keeper.rows(
            f"{self._rows}, numbered as (select row_number() over () as n, c{column} as v from surefoot_rows) "
            f"select n, cast(v as text) as v from numbered where {_is_beyond('v')} limit 1"
        )
        if not found or self._columns[column].type != "REAL":
            return None
        name, (row, value) = self._columns[column].name, found[0]
        return (
            f"{self.name}, row {row}, column {name}: {value} is a whole number beyond 2^53 in a column of doubles, so "
            f"it cannot be read exactly. Say in the query that the nearest double is meant: cast({name} as real)."
        )

    def close(self) -> None:
        """Close the file."""
        self._keeper.__exit__()


def _kind(sorts: set[str]) -> tuple:
    """Kind and type of a column with these sorts of values; one without values is a number, as everywhere."""
    if "blob" in sorts:
        return "other", "BLOB"
    if "text" in sorts:
        return "category", "TEXT"
    return "number", "INTEGER" if sorts == {"integer"} else "REAL"


def _is_beyond(value: str) -> str:
    return f"typeof({value}) = 'integer' and {value} not between -{2**53} and {2**53}"


def _sent(value: str, declared: str, form: Form) -> str:
    """A value as its column's type, or as it is, which the driver then refuses: a cast would make 0 of a word."""
    if declared == "REAL" and form == "written":
        return f"case when {_is_beyond(value)} then cast({value} as text) else {_sent(value, declared, 'whole')} end"
    if declared == "REAL":
        return f"case when typeof({value}) in ('integer', 'real') then cast({value} as real) else {value} end"
    return f"cast({value} as text)" if declared == "TEXT" else f"hex({value})" if declared == "BLOB" else value


def _hint(error: BaseException) -> str:
    text = str(error)
    if "locked" in text or "busy" in text:
        return " Another program is writing to it: try again when that is done, or read a copy."
    if "malformed" in text or "not a database" in text:
        return " The file is damaged: restore it, or save what can be saved (sqlite3 FILE .recover)."
    return ""
