"""A real PostgreSQL server for the tests: on a free port, in a folder of its own, gone afterwards.

The server is a child of the test process and dies with it, even if that is killed; it refuses to run as root, so root
starts it as the user that Debian's package made.
"""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from adbc_driver_postgresql import dbapi

USER, PASSWORD = "surefoot", "s3cret@/:%"
QUOTED = "s3cret%40%2F%3A%25"


def programs() -> str | None:
    """The folder of postgres and initdb: as SUREFOOT_POSTGRESQL says, or the newest that Debian has."""
    named = os.environ.get("SUREFOOT_POSTGRESQL")
    if named:
        return named
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"), key=lambda path: int(Path(path).parts[4]))
    path = found[-1] if found else shutil.which("postgres")
    return os.path.dirname(path) if path else None


class Server:
    """A cluster in a temporary folder; ``start`` and ``stop`` may be called again and again."""

    def __init__(self, folder_of_programs: str) -> None:
        self._programs = folder_of_programs
        self.folder = Path(tempfile.mkdtemp(prefix="surefoot-postgresql-"))
        self._as = ["setpriv", "--pdeathsig", "KILL"]
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            self._as += [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
        (self.folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (self.folder, self.folder / "password"):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        self._process: subprocess.Popen | None = None
        subprocess.run(
            [*self._as, self._program("initdb"), "--pgdata", self.folder / "data", "--username", USER, "--no-sync",
             "--auth", "scram-sha-256", "--pwfile", self.folder / "password", "--encoding", "UTF8", "--locale", "C"],
            check=True, stdout=subprocess.DEVNULL, cwd=self.folder,
        )  # fmt: skip

    def _program(self, name: str) -> str:
        return os.path.join(self._programs, name)

    def start(self) -> Server:
        self.stop()
        for _ in range(5):  # somebody may take the free port first
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
            log = open(self.folder / "log", "ab")  # noqa: SIM115 - the server's own
            settings = [
                f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}",
                "fsync=off", "shared_buffers=32MB", "max_connections=30", "autovacuum=off",
            ]  # fmt: skip
            options = [part for one in settings for part in ("-c", one)]
            self._process = subprocess.Popen(
                [*self._as, self._program("postgres"), "-D", self.folder / "data", *options],
                stdout=log, stderr=log, cwd=self.folder,
            )  # fmt: skip
            log.close()
            if self._ready():
                return self
        raise RuntimeError((self.folder / "log").read_text()[-2000:])

    def _ready(self) -> bool:
        end = time.monotonic() + 60
        while time.monotonic() < end and self._process is not None and self._process.poll() is None:
            try:
                self.sql("select 1")
                return True
            except dbapi.Error:
                time.sleep(0.05)
        return False

    def stop(self) -> None:
        """As a server that is stopped in a hurry: connections are cut."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(3)  # SIGQUIT, PostgreSQL's immediate shutdown
            self._process.wait(30)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, user: str = USER, password: str | None = QUOTED, database: str = "postgres") -> str:
        secret = "" if password is None else f":{password}"
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def sql(self, *statements: str, database: str = "postgres") -> None:
        url = self.url(database=database)
        with dbapi.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
            for one in statements:
                cursor.execute(one)

    def value(self, statement: str, database: str = "postgres") -> object:
        url = self.url(database=database)
        with dbapi.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0]
