"""Where rows come from: any file or table as columns with a kind, and batches that can be read again.

A source is an SQL relation, the union of its parts (a part is a file or a table), perhaps within the user's
query. Every pass is a new scan of it. Questions about single values (the first infinite one, the first that
is no number) are further passes, made only once something has gone wrong, part by part, to name file and row.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from surefoot.data.source_address import is_database
from surefoot.data.source_csv import csv_parts
from surefoot.data.source_files import find_files
from surefoot.data.source_formats import json_parts, parquet_parts
from surefoot.data.source_memory import batches_of, dictionaries, rounded_columns, to_arrow, with_extra
from surefoot.data.source_parts import (
    SAMPLE,
    Column,
    Part,
    Place,
    declared_levels,
    kind_of_type,
    renamed,
    unique_names,
)
from surefoot.data.source_places import Finder
from surefoot.data.source_scan import QUERY_MEMORY, SCAN_MEMORY, Database, checked_sql, quoted, tidy
from surefoot.data.source_text import Dialect, estimated_rows, text_trouble
from surefoot.data.source_written import Written, digits_of_query, is_binary, mark, written_relation
from surefoot.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Column", "Place", "Source", "open_source"]

MOST_LEVELS = 100_000  # more different values than this are no category, and would fill the memory
BATCH_VALUES = 2_000_000  # 16 MB: a few batches wait in the queue, so a wide table must come in shorter ones
TABLE = "surefoot_table"  # what DuckDB calls the Arrow table of a source in memory


def open_source(
    data: Any,
    *,
    query: str | None = None,
    filter: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Source:
    """A source of rows from whatever holds a table.

    Parameters
    ----------
    data
        A path: CSV, TSV or whitespace-separated text, Parquet, JSON lines (text also as .gz); a glob pattern,
        a folder (searched downwards; names that start with . or _ are left out) or a list of paths, all of
        one kind and with the same columns. Or a pandas, polars or pyarrow table, anything with
        ``__arrow_c_stream__``, a dict of arrays, a structured array, a 2-D array (its columns are x0, x1,
        ...). Or a database: ``postgresql://user@host/database``, ``sqlite:///path``, an SQLite file. A source is
        returned as it is.
    query : str, optional
        A SELECT over the table, which is called ``data``. For a database: a SELECT over its own tables, which runs
        there; it may be left out where there is only one table.
    filter : str, optional
        An SQL expression; rows for which it is true are kept. NaN is larger than any number here, as in
        PostgreSQL. In a database it runs there.
    extra : mapping of str to array, optional
        Further columns for a table in memory, such as weights.

    Raises
    ------
    DataError
        The data cannot be read; the sentence says what and where.
    MissingDependency
        A database's driver is not installed.

    Notes
    -----
    In text files the missing values are: an empty field, NA, N/A, n/a, #N/A, NaN, nan, NAN, null, NULL, None
    and a single dot. How else a text table is read is written in ``source_csv``.

    Examples
    --------
    >>> source = open_source({"x": [1, 2, 3], "g": ["a", "b", "a"]}, filter="x > 1")
    >>> [batch.to_pydict() for batch in source.batches(["g", "x"])]
    [{'g': ['b', 'a'], 'x': [2.0, 3.0]}]
    """
    if isinstance(data, Source):
        if query is None and filter is None and not extra:
            return data
        raise DataError("The data are an open source already: give query, filter and extra when it is opened.")
    if is_database(data):
        from surefoot.data.source_database import open_database

        _refuse(extra)
        return open_database(data, query, filter)
    memory = SCAN_MEMORY if query is None else QUERY_MEMORY
    if not isinstance(data, (str, os.PathLike)) and not _is_paths(data):
        table, name = to_arrow(data)
        table = with_extra(table, name, extra or {})
        return _in_memory(table, name, Database(memory, {TABLE: table}), query, filter)
    _refuse(extra)
    files = find_files(data)
    database = Database(memory, {}, spare=int(files.kind == "parquet" and query is None))
    notes: list[str] = []
    rows: int | None = None
    if files.kind == "csv":
        parts, names, _, notes = csv_parts(database, files.paths)
    elif files.kind == "parquet":
        parts, names, rows = parquet_parts(database, files.paths)
    else:
        parts, names = json_parts(database, files.paths)
    source = Source(files.name, database, parts, names, query=query, filter=filter, rows=rows, notes=notes)
    left_out = query is not None or filter is not None
    return source.take_numbers_in_text() if files.kind == "csv" and left_out else source


def _refuse(extra: Mapping[str, Any] | None) -> None:
    if extra:
        raise DataError(
            f"{' and '.join(extra)} given as an array cannot be joined to files and databases: write it there as a "
            "column, or load the rows and pass the table."
        )


def _is_paths(data: Any) -> bool:
    return isinstance(data, (list, tuple)) and all(isinstance(one, (str, os.PathLike)) for one in data)


def _in_memory(table: pa.Table, name: str, database: Database, query: str | None, filter: str | None) -> Source:
    sql_names = unique_names(table.column_names, fold=True)
    if sql_names != table.column_names:
        database = Database(SCAN_MEMORY, {TABLE: table.rename_columns(sql_names)})
    part = Part(name, f"select {renamed(sql_names, sql_names)} from {TABLE}")
    return Source(
        name,
        database,
        [part],
        table.column_names,
        query=query,
        filter=filter,
        rows=table.num_rows,
        table=table,
    )


class Source:
    """Rows that can be read again and again; ``open_source`` makes one.

    Attributes
    ----------
    name : str
        What a person calls it: 'norris.csv', '3 Parquet files in sales/', 'pandas table'.
    columns : mapping of str to Column
        In the order of the table, or of the query.
    notes : tuple of str
        What was taken for granted when reading, such as a decimal comma; worth telling the user.
    rounded : tuple of str
        Columns of a table in memory that held numbers which are no doubles, each now the nearest one.

    Examples
    --------
    >>> source = open_source({"x": [1.0, float("inf")]})
    >>> source.column("x").kind, source.expected_rows()
    ('number', 2)
    >>> print(source.find_infinite("x"))
    dict of arrays, row 2, column x: 'inf'
    """

    def __init__(
        self,
        name: str,
        database: Database,
        parts: Sequence[Part],
        names: Sequence[str],
        *,
        query: str | None = None,
        filter: str | None = None,
        rows: int | None = None,
        notes: Sequence[str] = (),
        table: pa.Table | None = None,
    ) -> None:
        self.name = name
        self.notes = tuple(notes)
        self.rounded = () if table is None else tuple(names[n] for n in rounded_columns(table))
        self._database = database
        self._files = tuple(parts)
        self._parts = tuple(parts)
        self._rows = rows if query is None and filter is None else None
        self._estimates = query is None and filter is None
        self._table = table if query is None and filter is None else None
        sql_names = unique_names(names, fold=True)
        wanted = renamed(sql_names, sql_names)
        in_files = dict(zip(names, map(quoted, sql_names), strict=True))
        self._file_finder = Finder(database, parts, in_files, None)
        self._asked = query is not None
        self._relation = " union all ".join(f"select {wanted} from ({part.sql})" for part in parts)
        if query is not None:
            self._relation = self._with_query(query)
            self._parts = (Part(name, self._relation),)
        self._filter = None if filter is None else checked_sql(database, filter, "filter", _FILTER_FORMS)
        found = self._described(query, filter)
        if query is not None:
            names = sql_names = [one for one, _ in found]
        self._sql = dict(zip(names, map(quoted, sql_names), strict=True))
        self._finder = Finder(database, self._parts, self._sql, self._filter)
        levels = dictionaries(table) if table is not None and query is None else {}
        self.columns: Mapping[str, Column] = MappingProxyType(
            {name: _column(name, one, levels) for name, (_, one) in zip(names, found, strict=True)}
        )

    def _with_query(self, query: str) -> str:
        text = checked_sql(self._database, query, "query", ("{}", "select * from (\n{}\n)"))
        return f"with data as not materialized ({self._relation}) select * from (\n{text}\n)"

    def _described(self, query: str | None, filter: str | None) -> list[tuple[str, str]]:
        """Names and types, which also makes DuckDB check the names in query and filter."""
        try:
            found = self._database.describe(f"select * from ({self._relation})")
        except Exception as error:
            what = self.name if query is None else "The query"
            raise DataError(f"{what} cannot be run: {tidy(error, query)}") from None
        if self._filter is not None:
            try:
                self._database.describe(f"select 1 from ({self._relation}) where (\n{self._filter}\n)")
            except Exception as error:
                raise DataError(f"The filter cannot be used: {tidy(error, self._filter)}") from None
        return found

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises
        ------
        DataError
            There is none; the nearest names are shown.

        Examples
        --------
        >>> open_source({"height": [1.8]}).column("heigth")
        Traceback (most recent call last):
        surefoot.errors.DataError: There is no column 'heigth' in dict of arrays. Did you mean 'height'?...
        """
        if name in self.columns:
            return self.columns[name]
        lower: dict[str, str] = {one.lower(): one for one in reversed(tuple(self.columns))}
        near = [lower[one] for one in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.6)]
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        shown = list(self.columns)
        more = f" and {len(shown) - 20} more" if len(shown) > 20 else ""
        raise DataError(
            f"There is no column {name!r} in {self.name}.{hint} "
            + f"It has the columns: {', '.join(shown[:20])}{more}."
        )

    def batches(self, names: Sequence[str], rows: int = 122_880) -> Generator[pa.RecordBatch, None, None]:
        """The columns in batches, in the order of the rows. Every call is a new scan.

        Numbers and booleans come as float64, categories as text, dates and times as they are. NaN stays NaN.

        Parameters
        ----------
        names : sequence of str
            The columns wanted, in this order.
        rows : int
            At most as many rows in a batch.

        Raises
        ------
        DataError
            A missing column, one of lists or structures, or a value that cannot be read, with file, row and
            column.

        Examples
        --------
        >>> source = open_source({"x": [True, False]})
        >>> [batch.to_pydict() for batch in source.batches(["x"], rows=1)]
        [{'x': [1.0]}, {'x': [0.0]}]
        """
        columns = [self.column(name) for name in names]
        for column in columns:
            if column.kind == "other":
                raise DataError(
                    f"Column {column.name} of {self.name} holds {column.type}, not single values: take a "
                    f"part of it "
                    f"with query='select *, ... from data'."
                )
        if not columns:
            raise DataError("No columns were asked for: name at least one.")
        if self._table is not None:
            return batches_of(self._table, columns, rows)
        rows = min(rows, max(2048, BATCH_VALUES // len(columns)))
        wanted = ", ".join(
            f"{_cast(column.kind, self._sql[column.name])} as {self._sql[column.name]}" for column in columns
        )
        return self._scan(f"select {wanted} from {self._from(names)}{self._where()}", names, rows)

    def batches_beside(
        self, names: Sequence[str], rows: int = 122_880
    ) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
        """Every column as it is, and beside it the wanted ones as ``batches`` gives them: one scan for a prediction.

        Examples
        --------
        >>> source = open_source({"id": [7, 8], "x": [1, 2]})
        >>> [(whole.to_pydict(), wanted.to_pydict()) for whole, wanted in source.batches_beside(["x"])]
        [({'id': [7, 8], 'x': [1, 2]}, {'x': [1.0, 2.0]})]
        """
        columns = [self.column(name) for name in names]
        every = list(self.columns)
        wanted = [f"{self._sql[name]} as c{n}" for n, name in enumerate(every)]
        wanted += [f"{_cast(column.kind, self._sql[column.name])} as w{n}" for n, column in enumerate(columns)]
        sql = f"select {', '.join(wanted)} from {self._from(None)}{self._where()}"
        width = len(every)
        for batch in self._scan(sql, [f"c{n}" for n in range(len(wanted))], rows):
            whole = batch.select(list(range(width))).rename_columns(every)
            yield whole, batch.select(list(range(width, len(wanted)))).rename_columns(list(names))

    def batches_as_written(
        self, names: Sequence[str], rows: int = 122_880
    ) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
        """The columns as ``batches`` gives them, and beside them the number columns as they are written: one scan.

        Where ``written`` says 'doubles' the second batch holds float64, else text.

        Examples
        --------
        >>> import decimal
        >>> source = open_source({"x": [decimal.Decimal("1.10")], "n": [2**53 + 1]})
        >>> [digits.to_pydict() for _, digits in source.batches_as_written(["x", "n"])]
        [{'x': ['1.10'], 'n': ['9007199254740993']}]
        """
        columns = [self.column(name) for name in names]
        numbers = [column.name for column in columns if column.kind == "number"]
        place = {name: quoted(mark(n)) for n, name in enumerate(self.columns)}
        relation = self._with_digits()
        wanted = [f"{_cast(column.kind, self._sql[column.name])} as c{n}" for n, column in enumerate(columns)]
        wanted += [f"{place[name]} as w{n}" for n, name in enumerate(numbers)]
        sql = f"select {', '.join(wanted)} from ({relation}){self._where()}"
        width, labels = len(columns), [f"c{n}" for n in range(len(columns))] + [f"w{n}" for n in range(len(numbers))]
        for batch in self._scan(sql, labels, rows):
            typed = batch.select(list(range(width))).rename_columns(list(names))
            yield typed, batch.select(list(range(width, len(labels)))).rename_columns(numbers)

    def _with_digits(self) -> str:
        """The relation, with its digits beside each number column."""
        if not self._asked:
            return written_relation(self._files, self.columns, self._sql)
        return f"select *, {', '.join(digits_of_query(self.columns, self._sql)) or '1'} from {self._from(None)}"

    def written(self, name: str) -> Written:
        """Whether the numbers of a column are known by their decimal digits, the shortest of a double, or are doubles.

        Examples
        --------
        >>> open_source({"x": [0.5], "n": [1]}).written("x"), open_source({"n": [1]}).written("n")
        ('doubles', 'decimals')
        """
        if not is_binary(self.column(name).type):
            return "decimals"
        if self._asked or self._files[0].raw is None:
            return "doubles"
        return "decimals" if isinstance(self._files[0].dialect, Dialect) else "shortest"

    def _from(self, names: Sequence[str] | None) -> str:
        """The relation, of which these columns (None: all) will be asked for; DuckDB reads no others of a file."""
        return f"({self._relation})"

    def _where(self) -> str:
        return "" if self._filter is None else f" where (\n{self._filter}\n)"

    def _scan(self, sql: str, names: Sequence[str], rows: int) -> Generator[pa.RecordBatch, None, None]:
        try:
            same: bool | None = None  # SQL may know a column by another name: it takes x and X for one
            for batch in self._database.stream(sql, rows):
                same = batch.schema.names == list(names) if same is None else same
                yield batch if same else batch.rename_columns(list(names))
        except Exception as error:
            raise self._explained(error, names) from None

    def _rows_of(self, sql: str, names: Sequence[str]) -> list[tuple[Any, ...]]:
        try:
            return self._database.rows(sql)
        except Exception as error:
            raise self._explained(error, names) from None

    def levels(self, name: str) -> tuple[str, ...]:
        """The different values of a column over the whole source, as text; missing ones are none.

        Declared levels keep their order; numbers and booleans are sorted by value, text by its characters.

        Examples
        --------
        >>> open_source({"g": [10, 9, None, 10]}).levels("g")
        ('9', '10')
        """
        column = self.column(name)
        value = _cast("number" if column.kind in ("number", "boolean") else "category", self._sql[name])
        inner = f"select distinct {value} as v from {self._from([name])}{self._where()}"
        found = self._rows_of(
            f"select v from ({inner}) where {_present(column.kind, 'v')} limit {MOST_LEVELS + 1}", [name]
        )
        if len(found) > MOST_LEVELS:
            raise DataError(
                f"Column {name} of {self.name} has more than {MOST_LEVELS:,} different values: it is no "
                f"category. "
                "Leave it out of the formula, or group its values with query=."
            )
        values = sorted(row[0] for row in found)
        if column.kind == "boolean":
            return tuple(str(bool(one)) for one in values)
        if column.kind == "number":
            return tuple(map(_number_text, values))
        if column.levels is not None:
            return tuple(one for one in column.levels if one in set(values))
        return tuple(values)

    def expected_rows(self) -> int | None:
        """About how many rows there are, for progress: exact for Parquet and tables, a guess for text.

        Examples
        --------
        >>> open_source({"x": range(7)}).expected_rows()
        7
        """
        if not self._estimates:
            return None
        if self._rows is not None:
            return self._rows
        guesses = [estimated_rows(part.path) for part in self._files if part.path is not None]
        return None if None in guesses else sum(guess for guess in guesses if guess is not None)

    def find(self, condition: str, name: str) -> Place | None:
        """The first row kept by the filter where an SQL condition holds, and what column ``name`` has there.

        Examples
        --------
        >>> print(open_source({"x": [1.0, 5.0, 7.0]}).find("x > 4", "x"))
        dict of arrays, row 2, column x: '5.0'
        """
        self.column(name)
        try:
            return self._finder.first(condition, name)
        except Exception as error:
            raise self._explained(error, [name]) from None

    def find_infinite(self, name: str) -> Place | None:
        """The first row whose number is infinite.

        Examples
        --------
        >>> open_source({"x": [1.0, 2.0]}).find_infinite("x") is None
        True
        """
        if self.column(name).kind != "number":
            return None
        return self.find(f"isinf(cast({self._sql[name]} as double))", name)

    def find_missing(self, name: str) -> Place | None:
        """The first row without a value: null, or NaN.

        Examples
        --------
        >>> print(open_source({"x": [1.0, None]}).find_missing("x"))
        dict of arrays, row 2, column x: no value
        """
        place = self.find(f"not ({_present(self.column(name).kind, self._sql[name])})", name)
        return place and Place(place.file, place.row, place.line, place.column, "")

    def find_unparsable(self, name: str) -> Place | None:
        """The first value that is no number, in a text column of which most values are numbers.

        Examples
        --------
        >>> print(open_source({"x": ["1", "2", "abc", "4"]}).find_unparsable("x"))
        dict of arrays, row 3, column x: 'abc'
        """
        if self.column(name).kind != "category" or not self._mostly_numbers(name):
            return None
        return self.find(f"{self._sql[name]} is not null and not ({self._is_number(name)})", name)

    def _is_number(self, name: str) -> str:
        return f"try_cast(cast({self._sql[name]} as varchar) as double) is not null"

    def _mostly_numbers(self, name: str) -> bool:
        """Whether at least half of the values in a sample of the rows read as numbers."""
        ((values, numbers),) = self._rows_of(
            f"select count(*) as a, count(*) filter ({self._is_number(name)}) as b from "
            f"(select * from {self._from([name])}{self._where()} limit {SAMPLE}) where {self._sql[name]} is "
            f"not null",
            [name],
        )
        return values > 0 and 2 * numbers >= values

    def take_numbers_in_text(self) -> Source:
        """The source itself, with text columns that hold nothing but numbers once rows were left out read as numbers.

        One word makes a column of a CSV file a text; a filter that leaves its row out must make it numbers again.
        """
        texts = [name for name, column in self.columns.items() if column.kind == "category"]
        try:
            numbers = [name for name in texts if self._mostly_numbers(name) and self.find_unparsable(name) is None]
        except DataError:
            return self  # a row that the filter cannot be applied to: the scan will say which
        found = {name: Column(name, "number", self.columns[name].type) for name in numbers}
        self.columns = MappingProxyType({**self.columns, **found})
        return self

    def close(self) -> None:
        """Give back DuckDB's memory and files; letting go of the source does the same."""
        self._database.close()

    def _explained(self, error: Exception, names: Sequence[str]) -> DataError:
        """What stopped a scan, with the place where it can be found."""
        if isinstance(error, DataError):
            return error
        text = str(error)
        if "convert" in text.lower() or "cast" in text.lower():
            misfit = self._file_finder.misfit(names)
            if misfit is not None:
                return DataError(misfit)
        texts = [(part.path, part.dialect) for part in self._files if part.path and isinstance(part.dialect, Dialect)]
        trouble = text_trouble(error, texts) if texts else None
        return DataError(trouble or _plain(text, error, self.name, self._filter))


_FILTER_FORMS = ("select 1 where\n{}\n", "select 1 where (\n{}\n)")


def _column(name: str, sql_type: str, levels: Mapping[str, tuple[str, ...]]) -> Column:
    if name in levels:
        return Column(name, "category", "ENUM", levels[name])
    if sql_type.upper() in ("NULL", '"NULL"'):
        return Column(name, "number", "DOUBLE")  # a column without any value
    return Column(name, kind_of_type(sql_type), sql_type, declared_levels(sql_type))


def _cast(kind: str, value: str) -> str:
    if kind in ("number", "boolean"):
        return f"cast({value} as double)"
    return f"cast({value} as varchar)" if kind == "category" else value


def _present(kind: str, value: str) -> str:
    present = f"{value} is not null"
    return f"{present} and not isnan(cast({value} as double))" if kind == "number" else present


def _number_text(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)


def _plain(text: str, error: Exception, name: str, filter: str | None) -> str:
    """DuckDB's reason as a sentence, when nothing better is known."""
    if "Out of Memory" in text:
        return f"{name} needs more memory than this machine has: ask for fewer columns, or a simpler query."
    return f"{name} cannot be read to its end: {tidy(error, filter)}"
