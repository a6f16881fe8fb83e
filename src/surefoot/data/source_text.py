"""Text tables as Python sees them: lines and fields, to find the dialect and to say where something is wrong.

DuckDB reads the rows; this reads a file only at its head, or after something has gone wrong.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from surefoot.data.source_parts import MISSING


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Attributes
    ----------
    delimiter : str
        One character, or 'blanks' for runs of white space.
    skip : int
        Comment lines above the header.
    header : bool
        Whether the first line gives the names.
    names : tuple of str
        Unique, capitals kept.
    decimal : str
        '.' or ','.

    Examples
    --------
    >>> Dialect(",", 0, True, ("x", "y")).decimal
    '.'
    """

    delimiter: str
    skip: int
    header: bool
    names: tuple[str, ...]
    decimal: str = "."


def open_bytes(path: str) -> io.BufferedIOBase:
    """The file's bytes, unpacked if it ends in .gz."""
    return gzip.open(path, "rb") if path.lower().endswith(".gz") else open(path, "rb")  # type: ignore[return-value]


def not_utf8(path: str, line: int | None, found: str) -> str:
    """The sentence for a text in another encoding."""
    at = f" in line {line}" if line else ""
    return (
        f"The file {os.path.basename(path)} is not UTF-8 text ({found}{at}). Save it as UTF-8, for example "
        f"with "
        f"'iconv -f {'UTF-16' if found == 'UTF-16' else 'latin1'} -t utf8 old.csv > new.csv'."
    )


def records(lines: Sequence[str] | io.TextIOBase, delimiter: str) -> Iterator[list[str]]:
    """The rows of a text table as lists of fields; an empty line is an empty list."""
    if delimiter == "blanks":
        return (line.split() for line in lines)
    return csv.reader(lines, delimiter=delimiter)


def line_of(path: str, dialect: Dialect, row: int, field: int, value: str) -> int | None:
    """The line on which a data row starts; None when the value there is not the one that DuckDB saw."""
    if row > 5_000_000:
        return None  # counting would take longer than looking
    try:
        with io.TextIOWrapper(open_bytes(path), "utf-8-sig", newline="") as file:  # type: ignore[arg-type]
            for _ in range(dialect.skip):
                file.readline()
            found, line = _record(file, dialect, row)
    except (OSError, UnicodeDecodeError, csv.Error, StopIteration):
        return None
    there = found[field] if field < len(found) else ""
    same = there == value or (not value and there.strip() in MISSING)
    return line + dialect.skip if same else None


def _record(file: io.TextIOWrapper, dialect: Dialect, row: int) -> tuple[list[str], int]:
    """The fields of a data row and the line it starts on, counted after the comment lines."""
    left = row + dialect.header
    if dialect.delimiter == "blanks":
        for number, line in enumerate(file, 1):
            left -= bool(line.strip())
            if not left:
                return line.split(), number
    reader = csv.reader(file, delimiter=dialect.delimiter)
    while True:
        before = reader.line_num
        fields = next(reader)
        left -= bool(fields) or len(dialect.names) == 1  # an empty line of a single column is a missing value
        if not left:
            return fields, before + 1


def first_ragged(path: str, dialect: Dialect) -> tuple[int, int, int] | None:
    """Line, row and number of fields of the first row that has too few or too many."""
    rows = -int(dialect.header)
    try:
        with io.TextIOWrapper(open_bytes(path), "utf-8-sig", newline="") as file:  # type: ignore[arg-type]
            for _ in range(dialect.skip):
                file.readline()
            reader = records(file, dialect.delimiter)
            for number, fields in enumerate(reader, 1):
                rows += bool(fields)
                if fields and len(fields) != len(dialect.names):
                    return dialect.skip + getattr(reader, "line_num", number), rows, len(fields)
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
    return None


def estimated_rows(path: str) -> int | None:
    """Lines in the first megabyte, scaled to the file's size (a packed one by how its head packs)."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(1_048_576)
    text = head
    if path.lower().endswith(".gz"):
        try:
            text = zlib.decompressobj(31).decompress(head)
        except zlib.error:
            return None
    rows = text.count(b"{") if text.lstrip().startswith(b"[") else text.count(b"\n")  # a JSON array, or lines
    return round(rows * size / len(head)) if head else 0


def text_trouble(error: BaseException, files: Sequence[tuple[str, Dialect]]) -> str | None:
    """What DuckDB met in a text file, as a sentence that names file, row and line; None for anything else."""
    text = str(error)
    if "Expected Number of Columns" in text or "ragged row" in text:
        for path, dialect in files:
            found = first_ragged(path, dialect)
            if found is not None:
                return _ragged(os.path.basename(path), found, dialect)
    if "CSV Error" not in text:
        return None
    path = _found(r"^\s*file = (.*)$", text) or files[0][0]
    line = _found(r"Line: (\d+)", text)
    if "not utf-8" in text:
        return not_utf8(path, int(line) if line else None, "a byte that is none")
    reasons = [one for one in text.splitlines() if one.strip() and not one.startswith(("Invalid", "Conv", "Orig"))]
    reason = (reasons[0] if reasons else "it cannot be read").rstrip(".")
    return f"{os.path.basename(path)}, line {line or '?'}: {reason}. Correct that line."


def _found(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text, re.MULTILINE)
    return match[1] if match else None


def _ragged(file: str, found: tuple[int, int, int], dialect: Dialect) -> str:
    line, row, fields = found
    width = len(dialect.names)
    return (
        f"{file}, row {row} (line {line}) has {fields} value{'s' * (fields != 1)} where the first line has "
        f"{width}. "
        "Correct that line: a text that contains the delimiter must stand in double quotes, and lines "
        "above the "
        "header must be deleted or start with #."
    )
