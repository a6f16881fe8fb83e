"""Rows over ADBC: connections that close in order, answers streamed as Arrow, and the drivers' messages as sentences.

A driver hands out an answer batch by batch while the server is still making it, so what is held is a batch or two. ADBC
(Arrow Database Connectivity) is specified at https://arrow.apache.org/adbc/current/format/specification.html.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from surefoot.data.source_parts import Kind
from surefoot.errors import DataError, MissingDependency

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Remote:
    """One column of a query, as the database has it.

    Attributes
    ----------
    name : str
        As the query calls it.
    kind : Kind
        What a model can do with it.
    type : str
        In the database's own words.
    levels : tuple of str, optional
        The labels of an enum, in the order in which they are declared.
    """

    name: str
    kind: Kind
    type: str
    levels: tuple[str, ...] | None = None


Form = Literal["whole", "numbers", "written"]
"""How columns are sent: as they are; every number as a double; or, with more digits than a double has, as text."""


class Server(Protocol):
    """What a kind of database must know; all the rest is the same for all of them.

    Attributes
    ----------
    name : str
        What a person calls the database, never with a password.
    notes : tuple of str
        What the user should know of how it is read.
    """

    name: str
    notes: tuple[str, ...]

    def session(self) -> Session:
        """A new connection, which sees the same rows as every other of this server."""
        ...

    def tables(self) -> list[tuple[str, str]]:
        """Tables and views that can be read: as people and as SQL call them."""
        ...

    def learn(self, query: str, filter: str | None) -> list[Remote]:
        """Check the user's SQL and say what columns it gives."""
        ...

    def select(self, columns: list[int], names: list[str], form: Form) -> str:
        """SQL for some of the columns learnt, under these names."""
        ...

    def schema(self, names: Sequence[str], form: Form = "whole") -> pa.Schema:
        """The Arrow types of every column learnt, as ``select`` sends it but for "numbers", under these names."""
        ...

    def lead(self) -> int:
        """Rows at the beginning of every answer that are not the user's."""
        ...

    def sentence(self, error: BaseException, columns: list[int] | None = None) -> str:
        """What went wrong, in a scan of these columns if they are given."""
        ...

    def scanned(self) -> None:
        """Called when a scan has come to its end; a DataError if its rows are not those of the others."""
        ...

    def close(self) -> None: ...


class Session(AbstractContextManager["Session"]):
    """One connection. Leaving it stops whatever still runs on it.

    Parameters
    ----------
    connect : callable
        Makes a connection as in Python's DB-API 2.0, with ADBC's additions.
    options : mapping of str to str
        For the driver's statements.
    """

    def __init__(self, connect: Callable[[], Any], options: Mapping[str, str] | None = None) -> None:
        self._connection = connect()
        self._cursor = self._connection.cursor(adbc_stmt_kwargs=dict(options or {}))
        self._lock = threading.Lock()
        self._busy = False

    def run(self, *statements: str) -> None:
        """Statements whose answer nobody wants."""
        for one in statements:
            self._cursor.execute(one)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Every row of a small answer."""
        return [tuple(row.values()) for row in self.reader(sql).read_all().to_pylist()]

    def schema(self, sql: str) -> pa.Schema:
        """Names and types of an answer, without making it."""
        return self._cursor.adbc_execute_schema(sql)

    def reader(self, sql: str) -> pa.RecordBatchReader:
        """The answer in batches; it is good until the next statement."""
        self._cursor.execute(sql)
        return self._cursor.fetch_record_batch()

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """A long answer in batches. If the caller stops early, so does the database."""
        self._busy = True
        yield from self.reader(sql)
        self._busy = False

    def cancel(self) -> None:
        """Stop what runs, from any thread; a driver that cannot is left to come to the end of its batch."""
        with self._lock:
            if self._busy:
                with suppress(Exception):
                    self._connection.adbc_cancel()

    def __exit__(self, *_: object) -> None:
        self.cancel()
        with self._lock:
            self._busy = False
            for one in (self._cursor, self._connection):
                with suppress(Exception):
                    one.close()


def driver(name: str) -> Any:
    """The DB-API of an ADBC driver, ``'postgresql'`` or ``'sqlite'``.

    Raises
    ------
    MissingDependency
        It is not installed.
    """
    import importlib

    try:
        return importlib.import_module(f"adbc_driver_{name}.dbapi")
    except ImportError:
        raise MissingDependency(
            f"Reading a {SHOWN[name]} database needs the package adbc-driver-{name}, which is not installed. "
            "Install it: pip install 'surefoot[databases]'."
        ) from None


SHOWN = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}

_READS = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(select|with|values|table)\b", re.IGNORECASE | re.DOTALL)


def checked_query(query: str) -> str:
    """The user's query without its last semicolon, or a DataError when it does not begin like one that reads.

    Examples
    --------
    >>> checked_query("select 1;")
    'select 1'
    >>> checked_query("drop table t")
    Traceback (most recent call last):
    surefoot.errors.DataError: The query must be one SELECT that reads, not 'drop table t'...
    """
    text = query.strip().rstrip(";").strip()
    if not text:
        raise DataError('The query is empty: leave it out, or write SQL such as "select * from measurements".')
    if not _READS.match(text):
        raise DataError(
            f"The query must be one SELECT that reads, not {text[:80]!r}. "
            'Write SQL such as "select * from measurements where year > 2000".'
        )
    return text


def bare(error: BaseException) -> str:
    """The driver's message as sentences: its own prefixes left out, the user's line and the caret kept.

    Examples
    --------
    >>> bare(OSError('[libpq] Execution error [PGRES_FATAL_ERROR]: ERROR:  division by zero'))
    'Division by zero.'
    """
    text = re.split(r"\n+(?:Query was|query): ", str(error), maxsplit=1)[0]
    text = text.replace(" failed: FATAL:  ", " failed: ")
    text = re.sub(r"\s*SQLSTATE: \w+\s*$", "", _PREFIX.sub("", text.strip()))
    lines = [line.rstrip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    shown = next((n for n, line in enumerate(lines) if re.match(r"LINE \d+: ", line)), None)
    pointer = ""
    if shown is not None and len(lines) > shown + 1 and lines[shown + 1].strip() == "^":
        lead = len(re.match(r"LINE \d+: ", lines[shown])[0])  # type: ignore[index]
        pointer = f"\n  {lines[shown][lead:]}\n  {lines[shown + 1][lead:]}"
        del lines[shown : shown + 2]
    said = [re.sub(r"^(?:HINT|DETAIL):\s*", "", line.strip()) for line in lines[:3] if not line.startswith("CONTEXT")]
    return " ".join(_sentence(one[:300]) for one in said) + pointer


_PREFIX = re.compile(
    r"^(?:[A-Z_]+: )?(?:\[(?:libpq|SQLite)\] )?(?:(?:Failed to (?:connect|prepare query|step query)|"
    r"Execution error \[\w+\]|Failed to (?:execute|get)[^:]*|PQgetCopyData\(\) failed): )?"
    r"(?:(?:ERROR|FATAL|PANIC):\s+)?"
)


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?")) else f"{text}."
