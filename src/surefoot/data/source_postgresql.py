"""PostgreSQL: one snapshot for all passes, types as numbers, categories and times, the server's errors as sentences.

The first connection opens a transaction (REPEATABLE READ, READ ONLY), exports its snapshot and waits; every scan is a
connection of its own that imports it. So all passes see the same rows whatever others write meanwhile, two passes may
overlap, and a scan that is broken off leaves the others alone. Without ORDER BY the rows may still come in another
order in each pass (a parallel plan does that), and nothing may depend on that order between passes.

Reference: PostgreSQL 15 documentation, section 9.27.5 (snapshot synchronization functions).
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from surefoot.data.source_adbc import Form, Remote, Session, bare, driver
from surefoot.data.source_address import secrets, shown_address
from surefoot.data.source_parts import Kind
from surefoot.data.source_scan import literal, quoted
from surefoot.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_TRANSACTION = "begin isolation level repeatable read read only"

_TYPES: dict[str, tuple[Kind, str]] = {
    **dict.fromkeys(("int2", "int4", "int8", "float4", "float8"), ("number", "{}")),
    # A numeric has more digits than a double: it becomes the nearest one, and is exact where a double holds it.
    "numeric": ("number", "{}::float8"),
    "money": ("number", "{}::numeric::float8"),
    "oid": ("number", "{}::int8"),
    "bool": ("boolean", "{}"),
    **dict.fromkeys(("date", "time", "timestamp", "timestamptz"), ("time", "{}")),
    **dict.fromkeys(
        ("text", "varchar", "bpchar", "name", "char", "citext", "uuid", "inet", "cidr", "macaddr"),
        ("category", "{}::text"),
    ),
}
"""What a model can do with a type, and how the server sends it; any other type is 'other' and comes as text."""

_DIGITS = {"numeric": "{}::text", "money": "{}::numeric::text"}
"""How the server sends, for an exact reading, what has more digits than a double."""


class PostgreSQL:
    """A PostgreSQL database (or one that speaks its protocol).

    Parameters
    ----------
    url : str
        ``postgresql://user@host:port/database?parameters``; all that libpq understands, as are its environment
        variables, its password file and its services.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._dbapi = driver("postgresql")
        self.name = shown_address(url)
        self.notes: tuple[str, ...] = ()
        self._query, self._where = "", ""
        self._columns: list[Remote] = []
        self._types: list[pa.DataType] = []
        self._snapshot: str | None = None
        self._keeper = self._connected()
        self._keep_snapshot()

    def _connected(self) -> Session:
        try:
            return Session(lambda: self._dbapi.connect(_with_manners(self._url), autocommit=True))
        except Exception as error:
            raise DataError(f"Cannot connect to {self.name}: {self._redacted(bare(error))}{_hint(error)}") from None

    def _keep_snapshot(self) -> None:
        try:
            self._keeper.run("set idle_in_transaction_session_timeout = 0", _TRANSACTION)
            ((self._snapshot,),) = self._keeper.rows("select pg_export_snapshot() as s")
        except Exception:  # a server or an account that may not: a pooler, a cousin of PostgreSQL
            self._keeper.__exit__()
            self.notes = (
                f"{self.name} does not share snapshots: if others write meanwhile, passes may see different rows.",
            )

    def session(self) -> Session:
        """A connection in the snapshot of all the others."""
        session = self._connected()
        try:
            session.run(_TRANSACTION)
            if self._snapshot is not None:
                session.run(f"set transaction snapshot {literal(self._snapshot)}")
            session.run("set local synchronize_seqscans = off")  # a scan begins where the one before began
        except Exception as error:
            session.__exit__()
            if self._snapshot is not None and "snapshot" in str(error):
                raise DataError(
                    f"The transaction that kept the rows of {self.name} the same for every pass has ended (the server "
                    "was restarted, or ends idle transactions). Read the data again from the start."
                ) from None
            raise DataError(self.sentence(error)) from None
        return session

    def tables(self) -> list[tuple[str, str]]:
        """Tables, views and the like that this user may read, partitions left out."""
        sql = (
            "select n.nspname::text as s, c.relname::text as t, pg_table_is_visible(c.oid) as v from pg_class c "
            "join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'f') "
            "and not c.relispartition and n.nspname not in ('pg_catalog', 'information_schema') "
            "and n.nspname !~ '^pg_' and has_table_privilege(c.oid, 'select') order by 3 desc, 1, 2"
        )
        with self.session() as session:
            found = session.rows(sql)
        return [(name if seen else f"{schema}.{name}", f"{quoted(schema)}.{quoted(name)}")
                for schema, name, seen in found]  # fmt: skip

    def learn(self, query: str, filter: str | None) -> list[Remote]:
        """The columns of the query; the server checks the text, so its complaint points into it."""
        self._query = query
        self._where = "" if filter is None else f" where (\n{filter}\n)"
        with self.session() as session:
            try:
                schema = session.schema(query)
            except Exception as error:
                raise DataError(f"The query cannot be run: {self._redacted(bare(error))}") from None
            try:
                # Bare and in brackets: no stray bracket may change the query that it is put into.
                for where in () if filter is None else (f" where \n{filter}\n", self._where):
                    session.schema(f"select 1 from (\n{query}\n) as data{where}")
            except Exception as error:
                raise DataError(f"The filter cannot be used: {self._redacted(bare(error))}") from None
            try:
                self._columns = [_column(session, field) for field in schema]
                places = range(len(self._columns))
                self._types = session.schema(self.select(list(places), [f"c{n}" for n in places], "whole")).types
            except Exception as error:
                raise DataError(f"The query cannot be used: {self._redacted(bare(error))}") from None
        return self._columns

    def select(self, columns: list[int], names: list[str], form: Form) -> str:
        """SQL for some columns. They go by position, so equal names and capitals do no harm."""
        every = ", ".join(f"c{n}" for n in range(len(self._columns)))
        wanted = ", ".join(f"{self._sent(n, form)} as {quoted(name)}" for n, name in zip(columns, names, strict=True))
        return f"select {wanted} from {self._rows()} as surefoot_rows({every})"

    def _rows(self) -> str:
        return f"(select * from (\n{self._query}\n) as data{self._where})"

    def _sent(self, column: int, form: Form) -> str:
        word = self._columns[column].type
        _, sent = _TYPES.get(word, ("category", "{}::text"))  # an enum, or of no use
        return (_DIGITS.get(word, sent) if form == "written" else sent).format(f"c{column}")

    def schema(self, names: Sequence[str], form: Form = "whole") -> pa.Schema:
        """Arrow's types, as the driver makes them of what the server sends."""
        import pyarrow as pa

        types = [
            pa.string() if form == "written" and column.type in _DIGITS else one
            for one, column in zip(self._types, self._columns, strict=True)
        ]
        return pa.schema(list(zip(names, types, strict=True)))

    def lead(self) -> int:
        """None."""
        return 0

    def scanned(self) -> None:
        """Nothing to check: the snapshot sees to it."""

    def sentence(self, error: BaseException, columns: list[int] | None = None) -> str:
        """What the server or the connection said."""
        if "out of range for type double precision" in str(error):
            for column in columns or []:
                place = self._beyond_doubles(column)
                if place is not None:
                    return place
        return f"{self.name} could not be read to its end: {self._redacted(bare(error))}{_hint(error)}"

    def _beyond_doubles(self, column: int) -> str | None:
        """The first numeric that no double can hold."""
        if self._columns[column].type != "numeric":
            return None
        every = ", ".join(f"c{n}" for n in range(len(self._columns)))
        value = f"c{column}"
        sql = (
            f"select n, v::text as v from (select row_number() over () as n, {value} as v from {self._rows()} as "
            f"surefoot_rows({every})) as numbered where v::text not in ('NaN', 'Infinity', '-Infinity') "
            "and (abs(v) > 1.7976931348623157e308 or (v <> 0 and abs(v) < 5e-324)) limit 1"
        )
        with self.session() as session:
            found = session.rows(sql)
        if not found:
            return None
        row, text = found[0]
        shown = text if len(text) <= 30 else f"{text[:12]}... ({len(text)} characters)"
        return (
            f"{self.name}, row {row}, column {self._columns[column].name}: {shown} is beyond the range of double "
            "precision (about 5e-324 to 1.8e308). Leave the row out with filter=, or scale the column in the query."
        )

    def _redacted(self, text: str) -> str:
        """No message may show a password, and libpq quotes an address that it cannot parse."""
        for secret in secrets(self._url):
            text = text.replace(secret, "***")
        return text

    def close(self) -> None:
        """End the transaction."""
        self._keeper.__exit__()


def _column(session: Session, field: Any) -> Remote:
    """The type in PostgreSQL's words. The driver knows one made in this database by its name, or only by its number."""
    name = field.metadata[b"POSTGRESQL:type"].decode()
    if name in _TYPES:
        return Remote(field.name, _TYPES[name][0], name)
    numbered = re.search(r"oid:(\d+)", name)
    which = f"t.oid = {numbered[1]}" if numbered else f"t.typname = {literal(name)}"
    found = session.rows(f"select typname::text as a, typtype::text as b from pg_type t where {which}")
    name = found[0][0] if found else name
    if found and all(sort == "e" for _, sort in found):
        labels = session.rows(
            f"select enumlabel::text as a from pg_enum e join pg_type t on t.oid = enumtypid where {which} "
            "order by enumsortorder"
        )
        # Two schemas may have an enum of the same name: then nobody knows which order is meant.
        levels = tuple(label for (label,) in labels) if len(found) == 1 else None
        return Remote(field.name, "category", name, levels)
    return Remote(field.name, _TYPES.get(name, ("other", ""))[0], f"{name[1:]}[]" if name.startswith("_") else name)


def _with_manners(url: str) -> str:
    """The address with a name for the server's lists and a limit to waiting, where the user gave neither."""
    parameters = url.partition("?")[2]
    given = {name for name, _ in parse_qsl(parameters, keep_blank_values=True)}
    more = {}
    if "fallback_application_name" not in given:
        more["fallback_application_name"] = "surefoot"
    if "connect_timeout" not in given and "PGCONNECT_TIMEOUT" not in os.environ:
        more["connect_timeout"] = "15"
    return url + ("&" if parameters else "" if url.endswith("?") else "?") + urlencode(more) if more else url


def _hint(error: BaseException) -> str:
    text = str(error)
    for sign, hint in _HINTS.items():
        if sign in text:
            return f" {hint}"
    return ""


_HINTS = {
    "password authentication failed": "Check user and password (in the address, PGPASSWORD or the password file).",
    "no password supplied": "Give one in PGPASSWORD, in the password file (~/.pgpass) or in the address.",
    "could not translate host name": "Check the spelling of the host.",
    "statement timeout": "The server's limit on the time of a statement cut the scan short, so there is no answer: "
    "raise statement_timeout for this user, or ask for fewer rows.",
    "canceling statement due to user request": "Somebody cancelled the query, so there is no answer.",
    "terminating connection due to administrator command": "The connection was ended in the middle of the rows, so "
    "there is no answer: try again.",
    "server closed the connection": "The server stopped, or ended the connection, in the middle of the rows, so there "
    "is no answer: try again.",
    "conflict with recovery": "This is a replica whose rows were replaced meanwhile: try again, or ask the primary.",
}
