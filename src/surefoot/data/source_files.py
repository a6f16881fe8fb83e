"""Which files a path means: one file, a list, a glob pattern or a folder; and of which kind they are."""

from __future__ import annotations

import difflib
import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass

from surefoot.data.source_address import is_database, shown_address
from surefoot.errors import DataError

KINDS = {
    "csv": "csv", "tsv": "csv", "tab": "csv", "txt": "csv", "dat": "csv", "data": "csv",
    "parquet": "parquet", "pq": "parquet", "parq": "parquet",
    "json": "json", "jsonl": "json", "ndjson": "json",
}  # fmt: skip
SHOWN = {"csv": "CSV", "parquet": "Parquet", "json": "JSON"}
SUPPORTED = (  # a list for people, so in the words of people
    "CSV and TSV (.csv .tsv .txt .dat, also .gz), Parquet (.parquet), "
    + "JSON lines (.jsonl .ndjson .json, also .gz), SQLite"
)
INSTEAD = {
    "xlsx": "Save the sheet as CSV, or pass pandas.read_excel(path).",
    "xls": "Save the sheet as CSV, or pass pandas.read_excel(path).",
    "ods": "Save the sheet as CSV, or pass pandas.read_excel(path).",
    "feather": "Pass pyarrow.feather.read_table(path).",
    "arrow": "Pass pyarrow.feather.read_table(path).",
    "npy": "Pass numpy.load(path).",
    "npz": "Pass dict(numpy.load(path)).",
    "zip": "Unpack it first.",
    "sas7bdat": "Pass pandas.read_sas(path).",
    "dta": "Pass pandas.read_stata(path).",
    **dict.fromkeys(("db", "sqlite", "sqlite3"), "Of such files only SQLite databases are read, one at a time."),
    "duckdb": "Export the table as Parquet or CSV.",
}


@dataclass(frozen=True)
class Files:
    """Files of one kind, in the order in which they are read.

    Attributes
    ----------
    paths : tuple of str
        Existing, readable files.
    kind : str
        'csv', 'parquet' or 'json'.
    name : str
        What a person calls them: 'norris.csv', '3 Parquet files in sales/'.

    Examples
    --------
    >>> Files(("a/norris.csv",), "csv", "norris.csv").name
    'norris.csv'
    """

    paths: tuple[str, ...]
    kind: str
    name: str


def find_files(data: object) -> Files:
    """The files that a path, a pattern, a folder or a list of them stands for.

    Raises
    ------
    DataError
        No such file (with the nearest names), nothing in the folder, several kinds mixed, an unsupported
        kind.

    Examples
    --------
    >>> find_files("no_such_file.csv")
    Traceback (most recent call last):
    surefoot.errors.DataError: There is no file 'no_such_file.csv'...
    """
    if isinstance(data, (list, tuple)):
        if not data:
            raise DataError("The list of files is empty: name at least one.")
        found = [find_files(one) for one in data]
        paths = [path for files in found for path in files.paths]
        kind = _one_kind(paths, "the list of files")
        return Files(tuple(paths), kind, found[0].name if len(found) == 1 else f"{len(paths)} {SHOWN[kind]} files")
    path = os.path.expanduser(os.fsdecode(data))  # type: ignore[arg-type]
    if is_database(path):
        shown = shown_address(path) if "://" in path else path
        raise DataError(f"{shown} is a database, and a list is of files: read one database at a time.")
    if "://" in path:
        raise DataError(
            f"{shown_address(path)!r} is an address, and only local files and databases (postgresql://, sqlite:///) "
            "are read: download it first."
        )
    if os.path.isdir(path):
        return _in_folder(path)
    if os.path.exists(path):
        return Files((_readable(path),), kind_of(path), os.path.basename(path))
    if glob.has_magic(path):
        return _matching(path)
    raise DataError(_no_such_file(path))


def kind_of(path: str) -> str:
    """'csv', 'parquet' or 'json', from the ending; a DataError that says what to do for any other."""
    ending = _ending(path)
    kind = KINDS.get(ending)
    if kind is None or (kind == "parquet" and path.lower().endswith(".gz")):
        what = f"files ending in .{ending}" if ending else "a file without an ending such as .csv"
        hint = INSTEAD.get(ending, "Convert it, or load it yourself and pass the table.")
        raise DataError(f"{os.path.basename(path)}: cannot read {what}. {hint} Supported: {SUPPORTED}.")
    return kind


def _ending(path: str) -> str:
    name = os.path.basename(path).lower().removesuffix(".gz")
    return name.rpartition(".")[2] if "." in name else ""


def _one_kind(paths: Sequence[str], where: str) -> str:
    first = {}
    for path in paths:
        first.setdefault(kind_of(path), os.path.basename(path))
    if len(first) > 1:
        shown = " and ".join(f"{SHOWN[kind]} ({name})" for kind, name in first.items())
        raise DataError(f"{where} mixes {shown}: name one kind, with a pattern such as 'folder/*.csv'.")
    return next(iter(first))


def _in_folder(folder: str) -> Files:
    shown = os.path.basename(os.path.abspath(folder)) + "/"
    paths, others = [], []
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if one[0] not in "._")  # Spark's _temporary and the like
        for name in sorted(names):
            if name[0] not in "._":
                (paths if _ending(name) in KINDS else others).append(os.path.join(where, name))
    if not paths:
        holds = f"it holds {', '.join(os.path.basename(one) for one in others[:3])}" if others else "it is empty"
        raise DataError(f"The folder {shown} has no data files: {holds}. Supported: {SUPPORTED}.")
    kind = _one_kind(paths, f"The folder {shown}")
    return Files(tuple(_readable(path) for path in paths), kind, _several(paths, kind, shown))


def _matching(pattern: str) -> Files:
    paths = sorted(path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path))
    if not paths:
        raise DataError(f"No file matches the pattern {pattern!r} (looked from {os.getcwd()}).")
    kind = _one_kind(paths, f"The pattern {pattern!r}")
    return Files(tuple(_readable(path) for path in paths), kind, _several(paths, kind, pattern))


def _several(paths: Sequence[str], kind: str, where: str) -> str:
    if len(paths) == 1:
        return os.path.basename(paths[0])
    return f"{len(paths)} {SHOWN[kind]} files in {where}"


def _readable(path: str) -> str:
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"The file {path!r} cannot be read: {reason}.") from None
    if os.path.getsize(path) == 0:
        raise DataError(f"The file {os.path.basename(path)} is empty: it has no header and no rows (zero bytes).")
    return path


def _no_such_file(path: str) -> str:
    folder, name = os.path.split(path)
    where = folder or "."
    if not os.path.isdir(where):
        return f"There is no file {path!r}: the folder {where!r} does not exist (looked from {os.getcwd()})."
    names = sorted(os.listdir(where))
    lower = {one.lower(): one for one in names}
    near = [lower[one] for one in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.6)]
    shown = "this folder" if where == "." else f"{where!r}"
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"Nothing in {shown} has a name like it."
    return f"There is no file {path!r}. {hint}"
