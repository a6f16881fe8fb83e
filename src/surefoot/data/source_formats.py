"""Parquet and JSON lines: the SQL that reads each file, and what its columns are."""

from __future__ import annotations

import os
from collections.abc import Sequence

from surefoot.data.source_csv import as_pattern, check_same_columns
from surefoot.data.source_parts import SAMPLE, Part, kind_of_type, renamed, unique_names
from surefoot.data.source_scan import Database, literal, quoted, tidy
from surefoot.errors import DataError


def parquet_parts(database: Database, paths: Sequence[str]) -> tuple[list[Part], list[str], int]:
    """The files as parts, their common column names, and how many rows the footers promise.

    Raises
    ------
    DataError
        A damaged file, or one whose columns are not those of the first.
    """
    parts, rows = [], 0
    names: list[str] = []
    for path in paths:
        name, quoted_path = os.path.basename(path), literal(as_pattern(path))
        try:
            found = database.rows(f"select name, num_children from parquet_schema({quoted_path})")
            rows += database.rows(f"select num_rows from parquet_file_metadata({quoted_path})")[0][0]
        except Exception as error:
            raise DataError(
                f"The file {name} cannot be read as Parquet: {tidy(error)} It is damaged, or not Parquet "
                f"at all: "
                "write it again."
            ) from None
        own = unique_names(_top_level(found), fold=False)
        names = names or own
        check_same_columns(os.path.basename(paths[0]), names, name, own)
        inner = unique_names(_top_level(found), fold=True)  # as DuckDB renames them
        sql = f"select {renamed(inner, inner)} from read_parquet({quoted_path}, hive_partitioning = false)"
        parts.append(Part(name, sql, None, path, tuple(own)))
    return parts, names, rows


def _top_level(schema: Sequence[tuple[str, int | None]]) -> list[str]:
    """The columns of a Parquet schema, which lists its tree depth first, the root included."""
    names, at = [], 1
    for _ in range(schema[0][1] or 0):
        names.append(schema[at][0])
        left = 1
        while left:
            left += (schema[at][1] or 0) - 1
            at += 1
    return names


def json_parts(database: Database, paths: Sequence[str]) -> tuple[list[Part], list[str]]:
    """The files as parts and their column names; a key that a file or a row lacks is missing there.

    Numbers are read as DOUBLE, whatever the first rows hold.
    """
    listed = ", ".join(literal(as_pattern(path)) for path in paths)
    try:
        found = database.describe(f"select * from read_json([{listed}], union_by_name = true, sample_size = {SAMPLE})")
    except Exception as error:
        raise DataError(f"The JSON cannot be read: {tidy(error)} Each line must be one object.") from None
    if [name for name, _ in found] == ["json"]:
        raise DataError(
            f"The file {os.path.basename(paths[0])} does not hold objects: each line must be one, "
            'such as {"x": 1.5, "group": "a"}.'
        )
    parts = []
    for path in paths:
        typed = _read_json(path, [(name, _json_type(one)) for name, one in found])
        text = _read_json(path, [(name, "VARCHAR") for name, _ in found])
        parts.append(Part(os.path.basename(path), f"select * from {typed}", f"select * from {text}", path))
    return parts, [name for name, _ in found]


def _json_type(sql_type: str) -> str:
    if sql_type in ("JSON", "UUID"):
        return "VARCHAR"
    return "DOUBLE" if kind_of_type(sql_type) == "number" else sql_type


def _read_json(path: str, columns: Sequence[tuple[str, str]]) -> str:
    listed = ", ".join(f"{quoted(name)}: {literal(one)}" for name, one in columns)
    lines = path.lower().removesuffix(".gz").endswith(("jsonl", "ndjson"))
    how = "newline_delimited" if lines else "auto"
    return f"read_json({literal(as_pattern(path))}, format = '{how}', columns = {{{listed}}})"
