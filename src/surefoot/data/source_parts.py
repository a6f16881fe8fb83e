"""What every source is made of: columns, parts (a file or a table as SQL), and places to point at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from surefoot.data.source_scan import quoted

Kind = Literal["number", "boolean", "category", "time", "other"]

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NAN", "null", "NULL", "None", ".")
SAMPLE = 20_480  # rows whose values decide what a text column holds


@dataclass(frozen=True)
class Column:
    """One column of a source.

    Attributes
    ----------
    name : str
        As in the file or table, capitals included.
    kind : {'number', 'boolean', 'category', 'time', 'other'}
        What a model can do with it.
    type : str
        The type in SQL's words.
    levels : tuple of str, optional
        The declared levels, in order, of an Arrow dictionary, a pandas Categorical or an ENUM.

    Examples
    --------
    >>> Column("x", "number", "DOUBLE").kind
    'number'
    """

    name: str
    kind: Kind
    type: str
    levels: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Place:
    """Where one value stands.

    Attributes
    ----------
    file : str or None
        The file's name, or what the table is called.
    row : int
        The data row, from 1, before any filter; of a query's answer when there is a query.
    line : int or None
        The line of a text file, when it can be told.
    column, value : str
        The column's name, and the value as text ('' when it is missing).

    Examples
    --------
    >>> print(Place("norris.csv", 17, 18, "x", "abc"))
    norris.csv, row 17 (line 18), column x: 'abc'
    """

    file: str | None
    row: int
    line: int | None
    column: str
    value: str

    def __str__(self) -> str:
        where = f"{self.file}, " if self.file else ""
        line = f" (line {self.line})" if self.line else ""
        value = repr(self.value) if self.value else "no value"
        return f"{where}row {self.row}{line}, column {self.column}: {value}"


@dataclass(frozen=True)
class Part:
    """One file or table.

    Attributes
    ----------
    name : str
        What a person calls it.
    sql : str
        A SELECT that gives the columns, typed.
    raw : str or None
        The same columns as text, where reading them typed can fail.
    path : str or None
        The file, if it is one.
    dialect : object
        How the text file is written, for those who count its lines.
    """

    name: str
    sql: str
    raw: str | None = None
    path: str | None = None
    dialect: object = None


def kind_of_type(sql_type: str) -> Kind:
    """What a model can do with a column of this SQL type.

    Examples
    --------
    >>> kind_of_type("DECIMAL(10,2)"), kind_of_type("DATE"), kind_of_type("DOUBLE[]")
    ('number', 'time', 'other')
    """
    if sql_type.endswith("]"):
        return "other"
    word = re.split(r"[ (]", sql_type, maxsplit=1)[0].upper()
    if word in _NUMBERS:
        return "number"
    if word == "BOOLEAN":
        return "boolean"
    if word in ("VARCHAR", "ENUM", "UUID"):
        return "category"
    if word in ("DATE", "TIME", "TIMETZ") or word.startswith("TIMESTAMP"):
        return "time"
    return "other"


_NUMBERS = {
    "BIGINT",
    "BIGNUM",
    "DECIMAL",
    "DOUBLE",
    "FLOAT",
    "HUGEINT",
    "INTEGER",
    "REAL",
    "SMALLINT",
    "TINYINT",
}
_NUMBERS |= {"UBIGINT", "UHUGEINT", "UINTEGER", "USMALLINT", "UTINYINT"}


def declared_levels(sql_type: str) -> tuple[str, ...] | None:
    """The levels of an ENUM type, in order.

    Examples
    --------
    >>> declared_levels("ENUM('low', 'it''s')")
    ('low', "it's")
    """
    if not sql_type.startswith("ENUM("):
        return None
    return tuple(one.replace("''", "'") for one in re.findall(r"'((?:[^']|'')*)'", sql_type))


def unique_names(names: Iterable[str], *, fold: bool) -> list[str]:
    """The names with '_1', '_2', ... on those that come again; for SQL, ``fold`` capitals.

    Examples
    --------
    >>> unique_names(["x", "x", "X"], fold=True), unique_names(["x", "x", "X"], fold=False)
    (['x', 'x_1', 'X_2'], ['x', 'x_1', 'X'])
    """
    names = list(names)
    seen: set[str] = set()
    taken = {_folded(name, fold) for name in names}
    result = []
    for name in names:
        new, count = name, 0
        while _folded(new, fold) in seen or (count and _folded(new, fold) in taken):
            count += 1
            new = f"{name}_{count}"
        seen.add(_folded(new, fold))
        result.append(new)
    return result


def _folded(name: str, fold: bool) -> str:
    return name.lower() if fold else name


def renamed(inner: Sequence[str], outer: Sequence[str]) -> str:
    """The list of a SELECT that gives columns new names."""
    return ", ".join(f"{quoted(a)} as {quoted(b)}" for a, b in zip(inner, outer, strict=True))
