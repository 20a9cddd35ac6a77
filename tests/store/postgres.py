"""A real PostgreSQL on a Unix socket of its own, started once for a test run and ended with it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

PORT = 5432
"""Only names the socket: the server listens on no network."""


def binaries() -> Path | None:
    """The directory of the newest PostgreSQL server that is installed; None without one."""
    found = [Path(p) for p in (shutil.which("initdb"), shutil.which("postgres")) if p]
    places = [path.resolve().parent for path in found]
    places += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True
    )
    return next((place for place in places if (place / "postgres").exists()), None)


def _as_somebody() -> list[str]:
    """What to put before a command, because PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return []
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    raise RuntimeError("no user to run PostgreSQL as")


@contextmanager
def server(**settings: str) -> Iterator[Server]:
    """A running server; `settings` are lines of postgresql.conf."""
    place = binaries()
    if place is None:
        raise FileNotFoundError("PostgreSQL is not installed (apt-get install postgresql)")
    directory = Path(tempfile.mkdtemp(prefix="djb-pg-", dir="/tmp"))
    directory.chmod(0o777)
    running = Server(place, directory, {"fsync": "off", **settings})
    try:
        running.prepare()
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(directory, ignore_errors=True)


class Server:
    """One cluster of databases in a temporary directory."""

    def __init__(self, place: Path, directory: Path, settings: dict[str, str]) -> None:
        self._place = place
        self._data = directory / "data"
        self.socket = directory
        self._settings = settings
        self._made = 0

    def prepare(self) -> None:
        self._run(
            "initdb", "-D", self._data, "-U", "djb", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"
        )

    def start(self) -> None:
        given = {
            "listen_addresses": "''",
            "unix_socket_directories": f"'{self.socket}'",
            "port": str(PORT),
            **self._settings,
        }
        options = " ".join(f"-c {key}={value}" for key, value in given.items())
        self._run("pg_ctl", "-D", self._data, "-w", "-l", self.socket / "log", "-o", options, "start")

    def stop(self) -> None:
        if (self._data / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    def url(self, schema: str | None = None) -> str:
        """The URL of the database `postgres`, in a schema of its own if one is named."""
        options = f"&options={quote(f'-csearch_path={schema}')}" if schema else ""
        return f"postgresql+psycopg://djb@/postgres?host={quote(str(self.socket))}&port={PORT}{options}"

    def fresh_url(self) -> str:
        """The URL of a schema that nobody has used yet."""
        self._made += 1
        return self.url(f"city_{self._made}")

    def _run(self, program: str, *arguments: object) -> None:
        command = [*_as_somebody(), str(self._place / program), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=60, check=False)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")
