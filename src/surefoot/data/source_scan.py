"""Running SQL: one DuckDB database for a source, rows streamed out as Arrow batches, errors as sentences.

DuckDB runs in a worker thread. A pass over a large table spends seconds inside one C++ call, where Python
cannot see a Ctrl-C; waiting on a queue instead, the main thread sees it at once and interrupts DuckDB itself.
"""

from __future__ import annotations

import atexit
import os
import queue
import re
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from surefoot.errors import DataError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SCAN_MEMORY = 1000  # MB: a scan needs a third of it; a limit that it felt would cost half its speed
QUERY_MEMORY = 1000  # MB: what a sort or a join may hold before it spills to the temporary directory
READ_AHEAD = 4  # batches made before they are asked for: the next one is read while the last one is used


def quoted(name: str) -> str:
    """A column name as SQL, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


class Database:
    """An in-memory DuckDB with a memory limit; each scan has its own cursor, and disturbs no other.

    Parameters
    ----------
    memory : int
        The first memory limit in MB. A scan that cannot live with it starts again with four times as much.
    tables : mapping of str to pyarrow.Table
        Arrow tables that SQL can name.
    spare : int
        Cores left to whoever uses the rows. Decoding Parquet is so fast that it would only get in the way of that;
        parsing text takes all it can get.

    Examples
    --------
    >>> Database(SCAN_MEMORY, {}).rows("select 42")
    [(42,)]
    """

    def __init__(self, memory: int, tables: Mapping[str, pa.Table], spare: int = 0) -> None:
        import duckdb

        _OPEN.add(self)
        self._memory = memory
        self._tables = dict(tables)
        self._connection = duckdb.connect(
            config={
                "memory_limit": f"{memory}MB",
                "temp_directory": os.path.join(tempfile.gettempdir(), f"surefoot-{os.getpid()}-{id(self):x}"),
                # A filter must not reach Python variables, nor download extensions behind the user's back.
                "python_enable_replacements": False,
                "autoinstall_known_extensions": False,
                "preserve_insertion_order": True,
                "threads": max(1, (os.cpu_count() or 1) - spare),
            }
        )

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self._connection.cursor()
        for name, table in self._tables.items():
            cursor.register(name, table)
        return cursor

    def statements(self, sql: str) -> list[Any]:
        """The parsed statements of a text; DuckDB's own error when it cannot be parsed."""
        return self._connection.extract_statements(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Every row of a small answer, as Python values; a Ctrl-C is answered at once."""
        return [tuple(row.values()) for batch in self.stream(sql) for row in batch.to_pylist()]

    def describe(self, sql: str) -> list[tuple[str, str]]:
        """The names and types of the columns that a SELECT would give; nothing is read but headers."""
        cursor = self._cursor()
        try:
            return [(row[0], row[1]) for row in cursor.execute(f"describe {sql}").fetchall()]
        except Exception as error:
            raise _signal_or(error) from None
        finally:
            cursor.close()

    def stream(self, sql: str, rows: int = 122_880) -> Iterator[pa.RecordBatch]:
        """The answer in batches, in order. Out of memory: again with more, from where it stopped."""
        import duckdb

        delivered = 0
        while True:
            try:
                for batch in self._once(sql, rows, delivered):
                    delivered += batch.num_rows
                    yield batch
                return
            except (duckdb.OutOfMemoryException, OSError) as error:
                if "Out of Memory" not in str(error) or not self._raise_limit():
                    raise

    def _once(self, sql: str, rows: int, skip: int) -> Iterator[pa.RecordBatch]:
        """One scan in a worker thread, without its first ``skip`` rows."""
        cursor = self._cursor()
        scan = _Scan(cursor, sql, rows, self._interrupt)
        try:
            for batch in scan:
                dropped = min(skip, batch.num_rows)
                skip -= dropped
                if batch.num_rows > dropped:
                    yield batch.slice(dropped) if dropped else batch
        finally:
            scan.stop()
            cursor.close()

    def _interrupt(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Break off what runs on a cursor."""
        cursor.interrupt()

    def _raise_limit(self) -> bool:
        """Four times the memory, at most ``most_memory``; False when it has that already."""
        most = most_memory()
        if self._memory >= most:
            return False
        self._memory = min(4 * self._memory, most)
        self._connection.execute(f"set memory_limit = '{self._memory}MB'")
        return True

    def close(self) -> None:
        """Give back the memory and the temporary files."""
        self._connection.close()


_OPEN: weakref.WeakSet[Database] = weakref.WeakSet()
_ACTIVE: weakref.WeakSet[_Scan] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """No worker may be inside DuckDB while the interpreter is taken down: that would end the process by a signal."""
    for scan in list(_ACTIVE):
        scan.stop()
    for database in list(_OPEN):
        database.close()


class _Scan:
    """One streaming query: a worker fills a short queue, the reader of the batches empties it."""

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        sql: str,
        rows: int,
        interrupt: Callable[[duckdb.DuckDBPyConnection], None],
    ) -> None:
        self._cursor = cursor
        self._interrupt = interrupt
        self._sql = sql
        self._rows = rows
        self._ready: queue.Queue[Any] = queue.Queue(READ_AHEAD)
        self._stopped = threading.Event()
        self._worker = threading.Thread(target=self._work, name="surefoot-scan", daemon=True)
        _ACTIVE.add(self)
        self._worker.start()

    def _work(self) -> None:
        try:
            # execute(...).to_arrow_reader would hold the whole answer in memory; a relation streams it.
            reader = self._cursor.sql(self._sql).to_arrow_reader(self._rows)
            for batch in reader:
                if not self._put(batch):
                    return
            self._put(None)
        except BaseException as error:
            self._put(error)

    def _put(self, item: Any) -> bool:
        while not self._stopped.is_set():
            try:
                self._ready.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        while (item := self._next()) is not None:
            if isinstance(item, BaseException):
                raise _signal_or(item)
            yield item

    def _next(self) -> Any:
        """The next item. A wait without end would not see a Ctrl-C once a driver has changed how signals are met."""
        while True:
            try:
                return self._ready.get(timeout=0.2)
            except queue.Empty:
                continue

    def stop(self) -> None:
        """End the worker, in the middle of its work if need be."""
        self._stopped.set()
        while self._worker.is_alive():
            self._interrupt(self._cursor)  # again and again: an interrupt that comes between two queries is lost
            self._worker.join(timeout=0.02)


def _signal_or(error: BaseException) -> BaseException:
    """DuckDB may be the one that sees a Ctrl-C: nobody else interrupts a query that is still wanted."""
    return KeyboardInterrupt() if "interrupted" in str(error).lower() else error


def most_memory() -> int:
    """Three quarters of the machine's memory, in MB."""
    return _machine_megabytes() * 3 // 4


def _machine_megabytes() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1_000_000
    except (AttributeError, ValueError, OSError):
        return 4000


_KINDS_OF_ERROR = re.compile(
    r"^(?:(?:Binder|Parser|Catalog|Conversion|Invalid Input|IO|Out of Range|Not "
    r"implemented|Invalid|Mismatch Type|"
    r"Out of Memory|Permission|INTERNAL|INTERRUPT|Constraint|Transaction|HTTP|Syntax|Serialization) "
    r"Error:\s*)+"
)


def tidy(error: BaseException, text: str | None = None) -> str:
    """DuckDB's message as one sentence, with the user's own line and the caret where DuckDB gave one.

    Examples
    --------
    >>> tidy(ValueError("Binder Error: Referenced column z not found in FROM clause!"))
    'Referenced column z not found in FROM clause.'
    """
    lines = str(error).splitlines() or [type(error).__name__]
    first = _KINDS_OF_ERROR.sub("", lines[0]).strip().rstrip("!.")
    hints = [line.strip() for line in lines[1:] if line.startswith("Candidate bindings")]
    sentence = ". ".join([first[:300], *hints]).rstrip(".") + "."
    for number, line in enumerate(lines[:-1]):
        at = re.match(r"LINE \d+: ", line)
        if at and text and lines[number + 1].strip().startswith("^") and _shown_in(line[at.end() :], text):
            return f"{sentence}\n  {line[at.end() :]}\n  {lines[number + 1][at.end() :]}"
    return sentence


def _shown_in(line: str, text: str) -> bool:
    return line.strip().strip(".") in text


def checked_sql(database: Database, sql: str, what: str, wrap: Sequence[str]) -> str:
    """The user's SQL, or a DataError when it is not exactly one expression or one SELECT.

    ``wrap`` is what to write around the text so that it becomes a statement. Both the bare and the bracketed
    form must parse, so no stray bracket or second statement can change the query that it is put into.
    """
    text = sql.strip().rstrip(";").strip()
    if not text:
        raise DataError(f"The {what} is empty: leave it out, or write SQL such as {_EXAMPLES[what]}.")
    for form in wrap:
        try:
            found = database.statements(form.format(text))
        except Exception as error:
            raise DataError(f"The {what} is not valid SQL: {tidy(error, text)}") from None
        if len(found) != 1 or "SELECT" not in str(found[0].type):
            raise DataError(
                f"The {what} must be one {'SELECT' if what == 'query' else 'expression'} that reads, "
                f"not {text[:80]!r}. Write SQL such as {_EXAMPLES[what]}."
            )
    return text


_EXAMPLES = {"query": '"select *, a + b as c from data"', "filter": "\"x > 0 and g = 'a'\""}
