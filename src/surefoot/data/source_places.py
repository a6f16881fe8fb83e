"""Finding the row that something is said about: part by part, so that the answer can name the file.

Each look is a scan of its own that stops at the first hit; none happens while all goes well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from surefoot.data.source_parts import Part, Place
from surefoot.data.source_scan import Database
from surefoot.data.source_text import Dialect, line_of

READ_AS = {"DOUBLE": "a number", "BOOLEAN": "true or false", "DATE": "a date", "TIMESTAMP": "a date and time"}


class Finder:
    """Looks for rows in the parts of a source.

    Parameters
    ----------
    database : Database
        Where the SQL runs.
    parts : sequence of Part
        In the order of the rows.
    sql : mapping of str to str
        Column names as in the file, to column names as SQL takes them, quoted.
    filter : str or None
        Rows for which it is not true are passed over, but counted.

    Examples
    --------
    >>> part = Part("here", "select unnest([1, 5]) as x")
    >>> print(Finder(Database(300, {}), [part], {"x": '"x"'}, None).first("x > 1", "x"))
    here, row 2, column x: '5'
    """

    def __init__(self, database: Database, parts: Sequence[Part], sql: Mapping[str, str], filter: str | None) -> None:
        self._database = database
        self._parts = parts
        self._sql = dict(sql)
        self._filter = filter

    def first(self, condition: str, name: str) -> Place | None:
        """The first row for which the SQL condition holds, and what column ``name`` has there."""
        for part in self._parts:
            place = self._in(part, part.sql, condition, self._filter, name)
            if place is not None:
                return place
        return None

    def _in(self, part: Part, sql: str, condition: str, filter: str | None, name: str) -> Place | None:
        numbered = f"select row_number() over () as surefoot_row, * from ({sql})"
        kept = "" if filter is None else f" and (\n{filter}\n)"
        found = self._database.rows(
            f"select surefoot_row, cast({self._sql[name]} as varchar) as v from ({numbered}) "
            f"where ({condition}){kept} limit 1"
        )
        return self._place(part, found[0][0], name, found[0][1] or "") if found else None

    def _place(self, part: Part, row: int, name: str, value: str) -> Place:
        line = None
        if part.path is not None and isinstance(part.dialect, Dialect) and part.raw is not None:
            as_written = f"select {self._sql[name]} as v from ({part.raw}) limit 1 offset {row - 1}"
            value = self._database.rows(as_written)[0][0] or ""  # 1e3, not 1000.0
            line = line_of(part.path, part.dialect, row, part.dialect.names.index(name), value)
        return Place(part.name, row, line, name, value)

    def misfit(self, names: Sequence[str]) -> str | None:
        """The first value of a text file that does not fit the type which the column's first rows decided.

        The columns ``names`` are searched before the others, which a filter or a query may have read.
        """
        wanted = [name for name in self._sql if name in names]
        wanted += [name for name in self._sql if name not in names]
        for part in self._parts:
            types = dict(zip(self._sql, self._types(part), strict=True)) if part.raw is not None else {}
            for name in wanted:
                if types.get(name) in READ_AS:
                    place = self._misfit_in(part, name, types[name])
                    if place is not None:
                        return (
                            f"{place} is not {READ_AS[types[name]]}, as the values before it in this "
                            f"column are. "
                            "Correct it, or leave the field empty (or write NA) if the value is missing."
                        )
        return None

    def _types(self, part: Part) -> list[str]:
        listed = ", ".join(self._sql.values())
        return [one for _, one in self._database.describe(f"select {listed} from ({part.sql})")]

    def _misfit_in(self, part: Part, name: str, sql_type: str) -> Place | None:
        value = self._sql[name]
        if getattr(part.dialect, "decimal", ".") == "," and sql_type == "DOUBLE":
            value = f"replace({value}, ',', '.')"
        condition = f"{value} is not null and try_cast({value} as {sql_type}) is null"
        try:
            return self._in(part, part.raw or part.sql, condition, None, name)
        except Exception:  # the file has a second fault: the first one found is told
            return None
