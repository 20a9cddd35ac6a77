"""The database behind one door: open it, write in one transaction, read without disturbing anybody.

SQLite runs with WAL and `synchronous=FULL`, and every write transaction begins with BEGIN IMMEDIATE: what
was read in it cannot change before it is written. PostgreSQL is reached through psycopg 3; a search path in
the URL (`?options=-csearch_path=city`) keeps several cities apart on one server.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from daemon.errors import ConfigError
from daemon.store.archive import Archive
from daemon.store.failures import named_failures
from daemon.store.lease import Lease, file_lease, server_lease

BUSY_SECONDS: Final = 30
"""How long a writer waits for another one before it gives up."""

MODE: Final = "djb_mode"
WRITING, READING, MIGRATING = "writing", "reading", "migrating"

_SQLITE_ON_CONNECT: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
    "PRAGMA cache_size = -2048",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 67108864",
)
_SQLITE_MODES: Final = {
    WRITING: ("PRAGMA query_only = OFF", "PRAGMA foreign_keys = ON"),
    READING: ("PRAGMA query_only = ON",),
    # Alembic rebuilds tables on SQLite; foreign keys are checked as a whole before the commit instead.
    MIGRATING: ("PRAGMA query_only = OFF", "PRAGMA foreign_keys = OFF"),
}
_POSTGRESQL_CONNECT: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 12_000,
}


class Turns:
    """Lets the threads of this process write in the order in which they asked.

    SQLite itself only makes a writer try again now and then: a busy thread would starve the others.
    """

    def __init__(self) -> None:
        self._next = 0
        self._served = 0
        self._changed = threading.Condition()

    def __enter__(self) -> None:
        with self._changed:
            mine, self._next = self._next, self._next + 1
            self._changed.wait_for(lambda: self._served == mine)

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._served += 1
            self._changed.notify_all()


@dataclass(frozen=True)
class Store:
    """The daemon's memory: a database and, beside it, the archive of raw mails."""

    engine: Engine
    archive: Archive
    turns: Turns = field(default_factory=Turns, compare=False)
    _engines: dict[str, Engine] = field(default_factory=dict, init=False, repr=False, compare=False)
    """The engine as it is used in each mode."""

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @property
    def file(self) -> Path | None:
        """The database file; None on PostgreSQL."""
        return Path(self.engine.url.database or "") if self.is_sqlite else None

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One write transaction: all of it is kept, or nothing.

        Rows remain readable after it. `session.begin_nested()` undoes a part. Raises Temporary or Permanent
        when the database fails.
        """
        turn = self.turns if self.is_sqlite else nullcontext()
        opened = Session(self._engine(WRITING), expire_on_commit=False)
        with turn, named_failures(), opened as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A steady view of the data that blocks no writer and is blocked by none; writing in it fails."""
        with named_failures(), Session(self._engine(READING), autoflush=False) as session:
            yield session

    @contextmanager
    def migration(self) -> Iterator[Connection]:
        """The connection that changes the schema, in one transaction, one process at a time."""
        with named_failures(), self._engine(MIGRATING).begin() as connection:
            yield connection

    def lease(self, name: str) -> Lease:
        """The right of one daemon among several to do `name`; take it with `with` or `acquire()`."""
        if self.file is not None:
            return file_lease(self.file.with_name(f"{self.file.name}.{name}.lock"))
        return server_lease(self.engine, name)

    def close(self) -> None:
        """Give back every connection of the pool."""
        self.engine.dispose()

    def _engine(self, mode: str) -> Engine:
        if mode not in self._engines:
            options: dict[str, Any] = {MODE: mode}
            if mode is READING and not self.is_sqlite:
                options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            self._engines[mode] = self.engine.execution_options(**options)
        return self._engines[mode]


def open_store(database_url: str, archive_dir: Path | str) -> Store:
    """The store at a database URL and an archive directory; connects and creates nothing yet.

    Raises ConfigError if the URL means nothing or the driver is not installed.
    """
    try:
        url = make_url(database_url)
        engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigError([f"store.database：数据库地址无法识别（{error}）"]) from None
    except ModuleNotFoundError as error:
        raise ConfigError(
            [f'store.database：缺少 PostgreSQL 驱动（{error.name}），请安装：pip install "djb[postgresql]"']
        ) from None
    return Store(engine, Archive(Path(archive_dir)))


_written_json = partial(json.dumps, ensure_ascii=False)


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ConfigError(["store.database：应为 sqlite:///文件路径"])
    # Without mode=rw a mistyped path would quietly become a new, empty database.
    uri = f"file:{quote(os.fspath(Path(url.database).absolute()))}?mode=rw"
    engine = create_engine(
        url,
        creator=lambda: sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False),
        json_serializer=_written_json,
        pool_size=4,
        max_overflow=12,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgresql(url: URL) -> Engine:
    given = {key: value for key, value in _POSTGRESQL_CONNECT.items() if key not in url.query}
    return create_engine(
        url,
        connect_args=given,
        json_serializer=_written_json,
        pool_pre_ping=True,
        pool_size=4,
        max_overflow=12,
    )


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # The driver must not begin transactions by itself: it would do so only at the first write.
    connection.isolation_level = None
    for statement in _SQLITE_ON_CONNECT:
        connection.execute(statement)


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get(MODE, WRITING)
    if connection.info.get(MODE) != mode:
        for statement in _SQLITE_MODES[mode]:
            connection.exec_driver_sql(statement)
        connection.info[MODE] = mode
    connection.exec_driver_sql("BEGIN" if mode == READING else "BEGIN IMMEDIATE")
