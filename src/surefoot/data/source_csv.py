"""Text tables (CSV, TSV, blanks): how one is written, what its columns hold, and the SQL that reads it.

DuckDB's own sniffer guesses in silence: a ragged row makes it take a table for one column, lines above the
header are skipped, 'inf' beside 'NaN' becomes a date. So the dialect is found here, from the head of the
file, by plain rules:

- the delimiter is the one of , ; tab | that cuts the first line into the most columns in agreement with the
  other lines
  (.tsv: tab); runs of blanks separate columns in a .txt, .dat or .data file that has none of these;
- lines that start with # at the top are skipped; quotes are "; the text is UTF-8;
- the first line is the header unless it is all numbers: then the columns are column0, column1, ...;
- a column is a number (always DOUBLE: the first 20,480 rows cannot promise integers), a boolean (true,
  false), a date or a
  time (ISO) if all its values in the sample are, otherwise text;
- a decimal comma is understood where a column shows it beyond doubt (``1,5``, but ``1,234`` alone might be a
  thousand);
- missing: an empty field, NA, N/A, n/a, #N/A, NaN, nan, NAN, null, NULL, None and a single dot.
"""

from __future__ import annotations

import codecs
import os
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from surefoot.data.source_parts import MISSING, SAMPLE, Part, unique_names
from surefoot.data.source_scan import Database, literal, quoted, tidy
from surefoot.data.source_text import Dialect, not_utf8, open_bytes, records, text_trouble
from surefoot.errors import DataError

HEAD = 262_144  # bytes looked at to find the dialect
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|\s*[+-]?inf(inity)?\s*", re.IGNORECASE)


def find_dialect(path: str) -> Dialect:
    """The dialect of a file, from its head.

    Raises
    ------
    DataError
        The text is not UTF-8, or the compressed file is broken.
    """
    text, whole = _head(path)
    lines = text.splitlines(keepends=True)
    if not whole and len(lines) > 1:
        lines.pop()  # cut in the middle
    skip = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    lines = lines[skip:]
    if not any(line.strip() for line in lines):
        raise DataError(f"The file {os.path.basename(path)} is empty: it has no header and no rows.")
    delimiter = _delimiter(path, lines)
    first = next(row for row in records(lines, delimiter) if row)
    header = not all(NUMBER.fullmatch(value) or value.strip() in MISSING for value in first)
    given = [value.strip() for value in first] if header else [""] * len(first)
    names = unique_names([name or f"column{n}" for n, name in enumerate(given)], fold=False)
    return Dialect(delimiter, skip, header, tuple(names))


def _head(path: str) -> tuple[str, bool]:
    """The first characters of the file, and whether that is all of it."""
    try:
        with open_bytes(path) as file:
            head = file.read(HEAD)
            whole = not file.read(1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"The file {os.path.basename(path)} ends in .gz but cannot be unpacked: {error}. Write it again, "
            "or take .gz off its name if it is not compressed."
        ) from None
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError(not_utf8(path, None, "UTF-16"))
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(head, final=whole), whole
    except UnicodeDecodeError as error:
        line = head[: error.start].count(b"\n") + 1
        raise DataError(not_utf8(path, line, f"byte 0x{head[error.start]:02X}")) from None


def _delimiter(path: str, lines: Sequence[str]) -> str:
    """The delimiter under which most rows have as many fields as the first, and that more than one."""
    name = path.lower().removesuffix(".gz")
    if name.endswith((".tsv", ".tab")):
        return "\t"
    best, score = ",", (0.0, 0)
    for candidate in ",;\t|":
        widths = [len(row) for row in islice(records(lines, candidate), 1000) if row]
        if widths and widths[0] > 1:
            share = sum(width == widths[0] for width in widths) / len(widths)
            if (share, widths[0]) > score:
                best, score = candidate, (share, widths[0])
    if score[1] == 0 and name.endswith((".txt", ".dat", ".data")) and len(lines[0].split()) > 1:
        return "blanks"
    return best


def csv_parts(database: Database, paths: Sequence[str]) -> tuple[list[Part], list[str], list[str], list[str]]:
    """The files as parts, their common names, the SQL types, and notes on how they were read.

    Files may have their columns in different orders, but must have the same ones.
    """
    dialects = [find_dialect(path) for path in paths]
    names = dialects[0].names
    for path, dialect in zip(paths, dialects, strict=True):
        check_same_columns(os.path.basename(paths[0]), names, os.path.basename(path), dialect.names)
    seen = sorted({0, len(paths) - 1, *range(0, len(paths), max(1, len(paths) // 10))})  # ten files tell enough
    try:
        found = {n: _types(database, paths[n], dialects[n]) for n in seen}
    except Exception as error:
        trouble = text_trouble(error, [(paths[n], dialects[n]) for n in seen])
        raise DataError(trouble or f"The text cannot be read: {tidy(error)}") from None
    types = [_common([found[n][0][name] for n in seen]) for name in names]
    decimal = "," if any(found[n][1] for n in seen) else "."
    typed = dict(zip(names, types, strict=True))
    parts = [_part(path, replace(one, decimal=decimal), typed) for path, one in zip(paths, dialects, strict=True)]
    notes = ["numbers have a decimal comma"] if decimal == "," else []
    return parts, list(names), types, notes


def check_same_columns(first: str, names: Sequence[str], other: str, theirs: Sequence[str]) -> None:
    """A DataError that names the file whose columns differ from those of the first file."""
    if set(names) == set(theirs):
        return
    lacking = [name for name in names if name not in theirs]
    extra = [name for name in theirs if name not in names]
    said = [f"lacks {', '.join(lacking)}"] * bool(lacking) + [f"also has {', '.join(extra)}"] * bool(extra)
    raise DataError(
        f"The files do not have the same columns: {other} {' and '.join(said)}, compared with {first}. "
        "Name only files that belong together."
    )


def _common(types: Sequence[str | None]) -> str:
    """The type that holds the values of all files; a column without any value is a number."""
    known = {one for one in types if one}
    return known.pop() if len(known) == 1 else "VARCHAR" if known else "DOUBLE"


@dataclass(frozen=True)
class _Tally:
    """How many of a column's values in the sample are what."""

    values: int
    numbers: int
    dotted: int
    booleans: int = 0
    dates: int = 0
    times: int = 0
    with_comma: int = 0  # numbers if the decimals are commas
    surely_comma: int = 0  # commas that cannot part thousands: 1,5 or 0,125

    @property
    def sql_type(self) -> str | None:
        if not self.values:
            return None
        kinds = {"DOUBLE": self.numbers, "BOOLEAN": self.booleans, "DATE": self.dates}
        for sql_type, count in kinds.items():
            if count == self.values:
                return sql_type
        return "TIMESTAMP" if self.times + self.dates == self.values else "VARCHAR"


_FOR_ALL = ("{0} is not null", "try_cast({0} as double) is not null", "contains({0}, '.')")
_FOR_TEXT = (  # regular expressions are slow, and most columns are numbers
    "lower({0}) in ('true', 'false')",
    r"regexp_full_match({0}, '\d{{4}}-\d\d-\d\d') and try_cast({0} as date) is not null",
    r"regexp_matches({0}, '^\d{{4}}-\d\d-\d\d[ T]\d\d:') and try_cast({0} as timestamp) is not null",
    "try_cast(replace({0}, ',', '.') as double) is not null and not contains({0}, '.')",
    r"regexp_full_match({0}, '\s*[+-]?(\d*,(\d{{1,2}}|\d{{4,}})|0,\d+)\s*')",
)


def _types(database: Database, path: str, dialect: Dialect) -> tuple[dict[str, str | None], bool]:
    """What the sample's values are, column by column, and whether the decimals are commas."""
    sql = _raw(path, dialect)
    fields = [f"c{n}" for n in range(len(dialect.names))]
    tallies = _tallies(database, f"(select * from ({sql}) limit {SAMPLE})", fields)
    for n, field in enumerate(fields):
        if not tallies[n].values:  # nothing in the sample: look further, up to the first values
            later = f"(select {field} from ({sql}) where {field} is not null limit {SAMPLE})"
            tallies[n] = _tallies(database, later, [field])[0]
    clash = any(one.dotted and one.numbers == one.values for one in tallies)  # 1.5 in a column of numbers
    sure = any(one.surely_comma and one.with_comma == one.values for one in tallies)
    comma = sure and not clash and dialect.delimiter != ","
    types = ["DOUBLE" if comma and one.values and one.with_comma == one.values else one.sql_type for one in tallies]
    return dict(zip(dialect.names, types, strict=True)), comma


def _tallies(database: Database, table: str, fields: Sequence[str]) -> list[_Tally]:
    counts = _counts(database, table, fields, _FOR_ALL)
    texts = [field for field, (values, numbers, _) in zip(fields, counts, strict=True) if numbers < values]
    more = dict(zip(texts, _counts(database, table, texts, _FOR_TEXT), strict=True))
    # An integer is a number in either spelling.
    return [
        _Tally(*count, *more.get(field, (0, 0, 0, count[1] * (not count[2]), 0)))
        for field, count in zip(fields, counts, strict=True)
    ]


def _counts(database: Database, table: str, fields: Sequence[str], tests: Sequence[str]) -> list[tuple[int, ...]]:
    if not fields:
        return []
    wanted = [f"count(*) filter ({test.format(field)})" for field in fields for test in tests]
    named = ", ".join(f"{one} as n{number}" for number, one in enumerate(wanted))
    (row,) = database.rows(f"select {named} from {table}")
    width = len(tests)
    return [tuple(row[n * width : (n + 1) * width]) for n in range(len(fields))]


def _part(path: str, dialect: Dialect, types: dict[str, str]) -> Part:
    """One file, typed and as text, its columns under their own names."""
    sql_names = unique_names(dialect.names, fold=True)
    inner = [f"c{n}" for n in range(len(dialect.names))]
    raw = _raw(path, dialect)
    wanted = [types[name] for name in dialect.names]
    if dialect.delimiter == "blanks":
        typed = ", ".join(f"cast({c} as {t}) as {quoted(n)}" for c, t, n in zip(inner, wanted, sql_names, strict=True))
        sql = f"select {typed} from ({raw})"
    else:
        typed = ", ".join(f"{c} as {quoted(n)}" for c, n in zip(inner, sql_names, strict=True))
        sql = f"select {typed} from {_read_csv(path, dialect, wanted)}"
    as_text = ", ".join(f"{c} as {quoted(n)}" for c, n in zip(inner, sql_names, strict=True))
    return Part(os.path.basename(path), sql, f"select {as_text} from ({raw})", path, dialect)


def _raw(path: str, dialect: Dialect) -> str:
    """A SELECT of every field as text, columns c0, c1, ..., missing markers as NULL."""
    width = len(dialect.names)
    if dialect.delimiter != "blanks":
        return f"select * from {_read_csv(path, dialect, ['VARCHAR'] * width)}"
    markers = f"[{', '.join(map(literal, MISSING))}]"
    fields = ", ".join(f"case when list_contains({markers}, f[{n + 1}]) then null else f[{n + 1}] end as c{n}"
                       for n in range(width))  # fmt: skip
    lines = (
        f"read_csv({literal(as_pattern(path))}, auto_detect = false, delim = e'\\x01', quote = '', escape "
        f"= '', "
        f"header = {str(dialect.header).lower()}, skip = {dialect.skip}, columns = {{'line': 'VARCHAR'}})"
    )
    return (
        f"select {fields} from (select case when len(f) = {width} then f else error('ragged row') end as f "
        f"from "
        f"(select string_split_regex(trim(line, e' \\t\\r'), '\\s+') as f from {lines} where trim(line) <> "
        f"''))"
    )


def _read_csv(path: str, dialect: Dialect, types: Sequence[str]) -> str:
    columns = ", ".join(f"'c{n}': '{one}'" for n, one in enumerate(types))
    return (
        f"read_csv({literal(as_pattern(path))}, auto_detect = false, delim = {literal(dialect.delimiter)}, "
        f"quote = '\"', escape = '\"', header = {str(dialect.header).lower()}, skip = {dialect.skip}, "
        f"nullstr = [{', '.join(map(literal, MISSING))}], columns = {{{columns}}}"
        + (", decimal_separator = ','" if dialect.decimal == "," else "")
        + ")"
    )


def as_pattern(path: str) -> str:
    """A path as a glob pattern that matches only itself."""
    return re.sub(r"([*?\[])", r"[\1]", path)
