"""Addresses of databases: which text is one, and what of it may be shown."""

from __future__ import annotations

import os
import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

SCHEMES = ("postgresql", "postgres", "sqlite")
HEADER = b"SQLite format 3\0"
_SECRET = re.compile(r"pass|secret|token", re.IGNORECASE)


def is_database(data: Any) -> bool:
    """Whether the data are a database's address, or an SQLite file by its first bytes.

    Examples
    --------
    >>> is_database("postgresql://db.lab/trips"), is_database("norris.csv"), is_database({"x": [1]})
    (True, False, False)
    """
    if not isinstance(data, (str, os.PathLike)):
        return False
    text = os.fsdecode(data)
    if text.partition("://")[0] in SCHEMES and "://" in text:
        return True
    try:
        with open(os.path.expanduser(text), "rb") as file:
            return file.read(len(HEADER)) == HEADER
    except (OSError, ValueError):
        return False


def shown_address(url: str) -> str:
    """The address without password and parameters.

    Examples
    --------
    >>> shown_address("postgresql://ann:secret@db.lab:5433/trips?sslmode=require&password=x")
    'postgresql://ann@db.lab:5433/trips'
    """
    rest = url.partition("://")[2].partition("?")[0].partition("#")[0]
    where, slash, database = rest.partition("/")
    user, at, host = where.rpartition("@")  # a password may have an @ of its own
    keep = [(name, value) for name, value in parse_qsl(url.partition("?")[2]) if name in _SHOWN_PARAMETERS]
    more = f"?{urlencode(keep)}" if keep else ""
    return f"{url.partition('://')[0]}://{user.partition(':')[0]}{at}{host}{slash}{database}{more}"


_SHOWN_PARAMETERS = ("host", "port", "dbname", "user", "service")


def secrets(url: str) -> list[str]:
    """The passwords and the like in an address, as written and as meant, the longest first.

    Examples
    --------
    >>> secrets("postgresql://ann:a%40b@db/trips?sslpassword=x")
    ['a%40b', 'a@b', 'x']
    """
    where = url.partition("://")[2].partition("?")[0].partition("/")[0]
    password = where.rpartition("@")[0].partition(":")[2]
    found = {password, unquote(password)}
    for pair in url.partition("?")[2].split("&"):
        name, _, value = pair.partition("=")
        if _SECRET.search(name):
            found |= {value, unquote(value)}
    return sorted(found - {""}, key=len, reverse=True)
