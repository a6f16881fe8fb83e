"""The numbers of a source as they are written: SQL that keeps the text beside the double that it would become.

Text tables are read as text once more and every number column is converted beside its own text, so a filter sees
numbers as always. Columns of Parquet and of tables in memory have types: integers and decimals give their digits,
doubles are the binary fractions that they are; a database sends a numeric as its digits. JSON keeps whole numbers of
any size; DuckDB reads its other numbers as doubles, and the shortest decimal that names the double stands for the
number, which is the number written if that has at most 15 digits. What a query makes has the types that the query gave
it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from surefoot.data.source_parts import Column, Part
from surefoot.data.source_scan import literal, quoted

Written = Literal["decimals", "shortest", "doubles"]
"""Decimals as they are written; the shortest decimals of doubles (JSON); doubles."""

_BINARY = ("DOUBLE", "FLOAT", "REAL", "FLOAT4", "FLOAT8")
_MARK = "surefoot_written_"


def is_binary(sql_type: str) -> bool:
    """Whether a column of this type, in the words of SQL or of a database, holds doubles or singles.

    Examples
    --------
    >>> is_binary("DOUBLE"), is_binary("float8"), is_binary("DECIMAL(10,2)"), is_binary("BIGINT")
    (True, True, False, False)
    """
    return re.split(r"[ (]", sql_type, maxsplit=1)[0].upper() in _BINARY


def mark(number: int) -> str:
    """The name of the column of digits beside column ``number``: one that no data would have."""
    return f"{_MARK}{number}"


def written_relation(parts: Sequence[Part], columns: Mapping[str, Column], sql: Mapping[str, str]) -> str:
    """All parts, every column typed under its own name, and beside each number column its digits.

    Parameters
    ----------
    parts : sequence of Part
        All with ``raw``, or none: text tables, or tables with types.
    columns, sql : mapping
        By name: what a column is, and its quoted name.
    """
    return " union all ".join(f"select {_wanted(part, columns, sql)} from ({part.raw or part.sql})" for part in parts)


def digits_of_query(columns: Mapping[str, Column], sql: Mapping[str, str]) -> list[str]:
    """For typed columns: the digits of each number column, with its mark."""
    return [f"{_digits(column.type, sql[name])} as {quoted(mark(n))}" for n, (name, column) in _numbers(columns)]


def _wanted(part: Part, columns: Mapping[str, Column], sql: Mapping[str, str]) -> str:
    if part.raw is None:
        return ", ".join(["*", *digits_of_query(columns, sql)])
    comma = getattr(part.dialect, "decimal", ".") == ","
    wanted = []
    for name, column in columns.items():
        text = f"replace({sql[name]}, ',', '.')" if comma and is_binary(column.type) else sql[name]
        wanted.append(f"cast({text} as {column.type}) as {sql[name]}")
    for n, (name, column) in _numbers(columns):
        text = f"replace({sql[name]}, ',', '.')" if comma and is_binary(column.type) else sql[name]
        wanted.append(f"{text} as {quoted(mark(n))}")
    return ", ".join(wanted)


def _numbers(columns: Mapping[str, Column]) -> list[tuple[int, tuple[str, Column]]]:
    return [(n, (name, one)) for n, (name, one) in enumerate(columns.items()) if one.kind == "number"]


_ROUNDED = (
    "This column holds doubles in one file and whole numbers or decimals with more digits in another, so it cannot be "
    "read exactly. Write it with one type in all files."
)


def _digits(sql_type: str, value: str) -> str:
    if not is_binary(sql_type):
        return f"cast({value} as varchar)"
    # What is a column of doubles in all files together may be one of whole numbers or decimals in this file.
    short = f"(typeof({value}) not like 'DECIMAL%' and abs(cast({value} as double)) < {2**53})"
    same = f"typeof({value}) in ('DOUBLE', 'FLOAT') or {value} is null or {short}"
    return f"case when {same} then cast({value} as double) else error({literal(_ROUNDED)}) end"
